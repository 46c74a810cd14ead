//! What people see: every section is there, every table is whole, no data is not a zero.

use std::collections::BTreeMap;

use groundswell_catalogue::Catalogue;
use groundswell_model::{Timestamp, UNKNOWN_VERSION};

use super::stream::{API, Stream};
use crate::rollup::Days;
use crate::summary::render::{Section, markdown, overview_markdown, overview_sections, sections};
use crate::summary::types::Quote;
use crate::summary::{ApiFeedback, ApiUsage, SummaryInputs, VersionFeedback, overview, summarise};

fn titles(sections: &[Section]) -> Vec<&str> {
    sections.iter().map(|s| s.title.as_str()).collect()
}

/// Rows of a table have as many cells as its head.
fn assert_whole(markdown: &str) {
    for table in markdown.split("\n\n").filter(|block| block.trim_start().starts_with('|')) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let widths: Vec<usize> = table.lines().filter(|l| l.starts_with('|')).map(cells).collect();
        assert!(widths.len() > 2 && widths.iter().all(|w| *w == widths[0]), "{table}");
    }
}

#[test]
fn a_full_summary_shows_everything() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(5);
    let summary = super::summary(&stream.index(folder.path()), &stream, "v2", Some("v1"), Days::default());
    let all = sections(&summary);
    let expected = [
        "payments v2",
        "Feedback",
        "Scores",
        "Answers by score",
        "Usage",
        "Operations with the most failed calls",
        "Operations with the highest error rate",
        "Consumers",
        "Where its consumers stand",
        "Adoption",
        "From v1",
        "Still on v1",
        "Regretted upgrades",
        "Day by day",
        "What was said",
        "In their words",
        "How the version of this feedback is known",
        "Beside v1",
    ];
    assert_eq!(titles(&all), expected);
    assert!(all.iter().all(|s| s.rows.iter().all(|r| r.len() == s.columns.len())));
    let text = markdown(&summary);
    assert_whole(&text);
    assert!(text.contains("[source](https://desk.example/t/1)") && text.contains("It \\| fails"), "{text}");
    assert!(text.contains("not a verdict"));
    insta::assert_snapshot!("summary", text);
}

#[test]
fn no_data_is_said_and_hostile_text_is_harmless() {
    let mut summary = summarise(&SummaryInputs { api: "a|b".to_owned(), ..SummaryInputs::default() });
    summary.quotes.push(Quote {
        text: "> quoted\n| <img src=x> | @admin".to_owned(),
        url: Some("javascript:alert(1)".to_owned()),
        consumer: "*acme*".to_owned(),
        time: "2026-03-01T00:00:00Z".to_owned(),
        ..Quote::default()
    });
    let text = markdown(&summary);
    assert_whole(&text);
    assert!(text.starts_with("# a\\|b"));
    assert!(text.contains("| NPS (-100 to 100) | no data |  | 0 |"), "{text}");
    assert!(
        text.contains("> \\> quoted \\| \\<img src=x\\> \\| @\u{200b}admin\n>\n> — 2026-03-01 · \\*acme\\* · javascript:alert(1)\n"),
        "{text}"
    );
}

#[test]
fn the_overview_lists_what_is_used_said_and_declared() {
    let folder = tempfile::tempdir().unwrap();
    let indexed = Stream::make(5).index(folder.path());
    let usage = ApiUsage::read(&indexed.rollups.reader().view().unwrap()).unwrap();
    let said = VersionFeedback { count: 4, first: Some(Timestamp(0)), last: Some(Timestamp(1)) };
    let feedback = BTreeMap::from([
        (API.to_owned(), (ApiFeedback { count: 10, unknown: 4 }, BTreeMap::from([(UNKNOWN_VERSION.to_owned(), said)]))),
        ("only-said".to_owned(), (ApiFeedback { count: 1, unknown: 0 }, BTreeMap::from([("v1".to_owned(), said)]))),
    ]);
    let overview = overview(&usage, &feedback, &Catalogue::default(), Timestamp(0));
    assert_eq!(overview.apis.iter().map(|a| a.api.as_str()).collect::<Vec<_>>(), ["maps", "only-said", API]);
    let payments = &overview.apis[2];
    assert_eq!(payments.versions.iter().map(|v| v.version.as_str()).collect::<Vec<_>>(), ["v2", "v1", UNKNOWN_VERSION]);
    assert_eq!(payments.calls, payments.versions.iter().map(|v| v.calls).sum::<u64>());
    assert_eq!((payments.unresolved.value, payments.unresolved.n), (Some(0.4), 10));
    assert_eq!(payments.versions[2].first_seen.as_deref(), Some("1970-01-01T00:00:00Z"));
    assert!(payments.versions[0].first_seen.is_some() && payments.consumers == 89);
    let shares: f64 = payments.versions.iter().filter_map(|v| v.share_of_calls).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert_eq!(overview_sections(&overview).len(), 4);
    assert_whole(&overview_markdown(&overview));
}
