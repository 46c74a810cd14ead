use groundswell_review::evaluate::{draw, scenarios};

use super::*;

fn args(folder: &Path, policy: Option<&str>) -> Args {
    let policy = policy.map(|text| {
        let path = folder.join("policy.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    Args {
        api: None,
        version: None,
        baseline: None,
        safe_to_remove: false,
        since: None,
        until: None,
        wait: None,
        max_age: None,
        input: Some(folder.join("counts.json")),
        policy,
        inconclusive: None,
        error: None,
        horizon_days: None,
        maturing_days: None,
        write: vec![(Form::Junit, folder.join("review.xml")), (Form::Json, folder.join("review.json"))],
    }
}

fn counts(folder: &Path, scenario: &str, consumers: usize) {
    let mut scenario = scenarios().into_iter().find(|s| s.name == scenario).unwrap();
    scenario.consumers = consumers;
    std::fs::write(folder.join("counts.json"), serde_json::to_string(&draw(&scenario, 3)).unwrap()).unwrap();
}

fn json() -> Global {
    Global { format: Some(Format::Json), ..Global::default() }
}

#[test]
fn a_regression_exits_1_and_is_written_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    counts(folder.path(), "errors up, heavy early", 300);
    assert_eq!(run(&json(), &args(folder.path(), None)).unwrap(), 1);
    let review: Review = serde_json::from_str(&std::fs::read_to_string(folder.path().join("review.json")).unwrap()).unwrap();
    assert!(review.reason.contains("error_rate"), "{}", review.reason);
    assert!(std::fs::read_to_string(folder.path().join("review.xml")).unwrap().contains("<failure"));
}

#[test]
fn too_little_exits_3_unless_the_flag_or_the_policy_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    counts(folder.path(), "no difference", 12);
    assert_eq!(run(&json(), &args(folder.path(), None)).unwrap(), 3);
    assert_eq!(run(&json(), &args(folder.path(), Some("inconclusive = \"pass\""))).unwrap(), 0);
    let flag = Args { inconclusive: Some(Meaning::Fail), ..args(folder.path(), Some("inconclusive = \"pass\"")) };
    assert_eq!(run(&json(), &flag).unwrap(), 1, "the flag is over the file");
}

#[test]
fn a_guardrail_on_an_operation_without_counts_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    counts(folder.path(), "no difference", 40);
    let told = run(&json(), &args(folder.path(), Some("[guardrails.checkout]\noperation = \"createOrder\"\n"))).unwrap_err();
    assert_eq!(told.code(), 2);
    assert!(told.to_string().contains("counts.json: there are no counts for guardrails.checkout"), "{told}");
    counts(folder.path(), "one operation, daily looks", 40);
    let own = "[guardrails.\"one operation\"]\noperation = \"createOrder\"\n";
    assert!(run(&json(), &args(folder.path(), Some(own))).is_ok());
}

#[test]
fn wrong_use_names_the_file_and_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let missing = run(&json(), &args(folder.path(), None)).unwrap_err();
    assert_eq!(missing.code(), 2);
    counts(folder.path(), "no difference", 12);
    let wrong = run(&json(), &args(folder.path(), Some("error = 2.0"))).unwrap_err().to_string();
    assert!(wrong.contains("policy.toml") && wrong.contains("error = 2: from 0.0001 to 0.2"), "{wrong}");
}
