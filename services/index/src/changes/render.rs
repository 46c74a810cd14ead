//! What changed, as sections for a terminal and for Markdown.

use groundswell_review::changes::{Changed, Heard};

use super::types::{Change, Changes, ContractChanges, OperationChange};
use crate::summary::render::{Section, count, quote_head, quote_link, quote_text};

/// Rows of steady things shown to people; the JSON has more.
const STEADY: usize = 8;
/// Differences of an operation shown in one row.
const DIFFERENCES: usize = 6;

/// Sections: what changed, what people say about it, what did not change, the interface.
#[must_use]
pub fn sections(changes: &Changes) -> Vec<Section> {
    let mut all = vec![changed(changes)];
    let said = quotes(&changes.changes);
    all.extend((!said.rows.is_empty()).then_some(said));
    let mut steady = Section::new("No change was told", &COLUMNS);
    changes.steady.iter().take(STEADY).for_each(|change| steady.rows.push(row(change)));
    all.extend((!steady.rows.is_empty()).then_some(steady));
    all.extend(changes.contract.as_ref().map(|contract| interface(changes, contract)));
    all
}

const COLUMNS: [&str; 8] = ["what", "became", "on the version", "on the baseline", "ratio (95 %)", "adjusted p", "severity", "revenue"];

fn changed(changes: &Changes) -> Section {
    let mut section = Section::new(&format!("What changed from {} to {}", changes.baseline, changes.version), &COLUMNS);
    changes.changes.iter().for_each(|change| section.rows.push(row(change)));
    if changes.changes.is_empty() {
        section.note(format!("Of {} things tested nothing changed more than chance explains.", changes.tested));
    }
    section.note(format!(
        "{} things tested by consumer; of the changes told at most {} are expected to be chance. {} to {}, day {} of {}.",
        changes.tested,
        percent(changes.rate),
        changes.from,
        changes.until,
        changes.days_on_candidate,
        changes.version,
    ));
    if changes.left_out > 0 {
        section.note(format!("{} things were left out because there are too many.", changes.left_out));
    }
    section
}

fn row(change: &Change) -> Vec<String> {
    let c = &change.change;
    let good = if c.good { " (good news)" } else { "" };
    let money: Vec<String> = change.revenue.iter().map(|m| format!("{:.2} {}", m.amount, m.currency)).collect();
    let severity: Vec<String> = change.severity.iter().map(|(word, weight)| format!("{word} {}", short(*weight))).collect();
    vec![
        format!("{}: {}{good}", c.field, change.name.as_ref().unwrap_or(&c.value)),
        c.became.name().to_owned(),
        heard(&c.candidate),
        heard(&c.baseline),
        ratio(c),
        c.adjusted.map_or_else(|| "not tested".to_owned(), probability),
        severity.join(", "),
        money.join(", "),
    ]
}

fn heard(heard: &Heard) -> String {
    let rate = heard.per_10_000_calls.map_or_else(String::new, |rate| format!(", {} per 10,000 calls", short(rate)));
    let share = heard.share_of_consumers.map_or_else(String::new, |share| format!(" ({})", percent(share)));
    format!("{} from {} consumers{share}{rate}", short(heard.count), count(heard.consumers))
}

fn ratio(c: &Changed) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), short);
    match (c.ratio, c.low, c.high) {
        (None, None, None) => String::new(),
        (ratio, low, high) => format!("×{} ({} to {})", end(ratio), end(low), end(high)),
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "below 0.001".to_owned() } else { format!("{p:.3}") }
}

pub(crate) fn short(value: f64) -> String {
    let whole = (value - value.round()).abs() < 1e-9;
    match value.abs() {
        _ if whole => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn quotes(changes: &[Change]) -> Section {
    let mut section = Section::new("In their words", &["what", "said", "about", "source"]);
    for change in changes {
        for quote in &change.quotes {
            let what = format!("{}: {}", change.change.field, change.name.as_ref().unwrap_or(&change.change.value));
            section.row([what, quote_text(quote), quote_head(quote), quote_link(quote)]);
        }
    }
    section
}

fn interface(changes: &Changes, contract: &ContractChanges) -> Section {
    let title = format!("What changed in the interface from {} to {}", changes.baseline, changes.version);
    let mut section = Section::new(&title, &["operation", "what", "called on the baseline by", "on the version by", "feedback"]);
    let lists = [("new", &contract.added), ("gone", &contract.removed), ("changed", &contract.changed)];
    for (word, list) in lists {
        list.iter().for_each(|operation| section.rows.push(operation_row(word, operation)));
    }
    if section.rows.is_empty() {
        section.note("The two OpenAPI documents have the same operations, parameters and fields.");
    }
    if contract.partly {
        section.note("A document has more fields than are kept, so not all differences are known.");
    }
    section
}

fn operation_row(word: &str, operation: &OperationChange) -> Vec<String> {
    let mut words: Vec<String> = operation
        .differences
        .iter()
        .take(DIFFERENCES)
        .map(|d| format!("{}: {}{}", d.field, d.what, if d.breaking { " (can break)" } else { "" }))
        .collect();
    if operation.differences.len() > DIFFERENCES {
        words.push(format!("and {} more", operation.differences.len() - DIFFERENCES));
    }
    let named: Vec<&str> = operation.callers.iter().take(3).map(|c| c.consumer.as_str()).collect();
    let callers = match operation.consumers {
        0 => "nobody".to_owned(),
        n if word == "new" => format!("{} consumers", count(n)),
        n => format!("{} consumers, {} calls: {}", count(n), count(operation.calls), named.join(", ")),
    };
    vec![
        format!("{} ({} {})", operation.operation, operation.method, operation.path),
        if words.is_empty() { word.to_owned() } else { words.join("; ") },
        callers,
        format!("{} consumers", count(operation.consumers_on_version)),
        short(operation.feedback),
    ]
}
