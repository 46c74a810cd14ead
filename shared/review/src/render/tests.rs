use super::*;
use crate::evaluate::{draw, scenarios};
use crate::{Policy, review};

fn hostile() -> Review {
    let scenario = scenarios().into_iter().find(|s| s.name == "one loud consumer").unwrap();
    let mut input = draw(&scenario, 1);
    input.api = "pay|ments` @octocat <script>".to_owned();
    input.version = "v2\n::error::owned".to_owned();
    input.consumers.truncate(60);
    review(&input, &Policy::default())
}

#[test]
fn markdown_keeps_text_from_outside_in_code_spans_and_rows_whole() {
    let text = markdown(&hostile());
    assert!(text.contains("`pay\\|ments' @octocat <script> v2 ::error::owned against v1`"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| ")).collect();
    let cells = |row: &str| row.replace("\\|", "").matches('|').count();
    assert!(rows.len() > 4 && rows.iter().all(|row| cells(row) == COLUMNS.len() + 1), "{text}");
}

#[test]
fn xml_has_no_raw_text_from_outside() {
    let text = junit(&hostile());
    assert!(text.contains("pay|ments` @octocat &lt;script&gt; v2 ::error::owned") && !text.contains("<script"), "{text}");
    assert_eq!(text.matches("<testcase").count(), hostile().guardrails.len());
}

#[test]
fn a_name_can_not_start_a_command_of_its_own() {
    let text = annotations(&hostile());
    assert!(
        text.lines()
            .all(|line| line.starts_with("::error title=") || line.starts_with("::warning title=") || line.starts_with("::notice title="))
    );
    assert!(!text.contains("\n::error::owned") && text.contains("%3A%3Aerror%3A%3Aowned"), "{text}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (hostile(), hostile());
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
    assert_eq!(markdown(&one), markdown(&two));
    assert_eq!(one.provenance.input.len(), 64);
}
