//! Whether a fix worked, as sections for a terminal and for Markdown.

use groundswell_review::fix::{Arm, Ratio};

use super::FixReview;
use crate::summary::render::{Section, count, quote_head, quote_link, quote_text};

/// Consumers shown to people; the JSON has all.
const STILL: usize = 15;

/// Sections: the verdict, both sides, who says it still.
#[must_use]
pub fn sections(fix: &FixReview) -> Vec<Section> {
    let mut all = vec![about(fix), sides(fix), still(fix), said(fix)];
    all.retain(|section| !section.rows.is_empty());
    all
}

fn about(fix: &FixReview) -> Section {
    let f = &fix.figures;
    let mut section = Section::new(&format!("Did {} {} mend it? {}", fix.api, fix.version, f.verdict.name()), &["", ""]);
    section.row(["subject".into(), fix.search.clone()]);
    section.row(["why".into(), f.reason.clone()]);
    section.row(["asked before the release".into(), format!("{} consumers", count(f.asked))]);
    section.row(["said again, who moved over who stayed".into(), ratio(f.ratio)]);
    section.row(["everything else they say (control)".into(), ratio(f.control)]);
    section.row(["the first over the second".into(), ratio(f.adjusted)]);
    section.row(["difference in differences, pieces for each call".into(), ratio(f.difference_in_differences)]);
    section.row(["window".into(), format!("{} to {}, released {}", fix.from, fix.until, fix.released)]);
    section
}

fn sides(fix: &FixReview) -> Section {
    let columns = ["", "consumers who asked", "said it again", "pieces", "per 10,000 calls", "before", "wrote about something else"];
    let mut section = Section::new("Who asked, since the release", &columns);
    section.rows.push(side("moved", &fix.figures.moved));
    section.rows.push(side("not moved (or before they did)", &fix.figures.stayed));
    section
}

fn side(name: &str, arm: &Arm) -> Vec<String> {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "no data".to_owned(), |r| format!("{r:.2}"));
    vec![
        name.to_owned(),
        count(arm.consumers),
        count(arm.again),
        format!("{:.1}", arm.pieces),
        rate(arm.per_10_000_calls),
        rate(arm.before_per_10_000_calls),
        count(arm.wrote_other),
    ]
}

fn ratio(ratio: Option<Ratio>) -> String {
    let Some(ratio) = ratio else { return "can't be told".to_owned() };
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |e| format!("{e:.2}"));
    format!("×{} ({:.2} to {})", end(ratio.value), ratio.low, end(ratio.high))
}

fn still(fix: &FixReview) -> Section {
    let mut section = Section::new("Who says it on the version", &["consumer", "pieces", "asked before"]);
    for still in fix.figures.still.iter().take(STILL) {
        let asked = if still.asked_before { "yes" } else { "no" };
        section.row([still.consumer.clone(), format!("{:.1}", still.pieces), asked.to_owned()]);
    }
    let more = fix.figures.still.len().saturating_sub(STILL) as u64;
    if more > 0 {
        section.note(format!("{} more.", count(more)));
    }
    section
}

fn said(fix: &FixReview) -> Section {
    let mut section = Section::new("In their words", &["said", "about", "source"]);
    for quote in &fix.quotes {
        section.row([quote_text(quote), quote_head(quote), quote_link(quote)]);
    }
    section
}
