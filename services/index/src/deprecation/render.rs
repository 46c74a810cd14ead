//! How ready a version is, as sections for a terminal and for Markdown.

use super::types::Readiness;
use crate::summary::render::{Section, count, quote_head, quote_link, quote_text};
use crate::summary::types::Money;

/// Callers shown to people; the JSON has more.
const CALLERS: usize = 20;

/// Sections: the verdict, who still calls, weeks, what people say.
#[must_use]
pub fn sections(readiness: &Readiness) -> Vec<Section> {
    let mut all = vec![about(readiness), callers(readiness), weeks(readiness)];
    all.push(said(readiness));
    all.retain(|section| !section.rows.is_empty());
    all
}

/// The same as Markdown. Headers stand in a block of their own, where they can be copied as they are.
#[must_use]
pub fn markdown(readiness: &Readiness, level: usize) -> String {
    let mut told = sections(readiness);
    told.iter_mut().for_each(|section| section.rows.retain(|row| row.first().is_none_or(|name| name != HEADER)));
    let mut text = crate::summary::render::sections_markdown_at(&told, level);
    if !readiness.headers.is_empty() {
        // Our own names, numbers and dates.
        let lines: String = readiness.headers.iter().map(|h| format!("{}: {}\n", h.name, h.value)).collect();
        text += &format!("\nHeaders to send:\n\n```http\n{lines}```\n");
    }
    text
}

const HEADER: &str = "header to send";

fn about(r: &Readiness) -> Section {
    let title = match r.verdict {
        groundswell_review::Verdict::Pass => "can be removed",
        groundswell_review::Verdict::Regression => "can't be removed",
        groundswell_review::Verdict::Inconclusive => "can't be told whether it can be removed",
    };
    let mut section = Section::new(&format!("{} {}: {title}", r.api, r.version), &["", ""]);
    for condition in &r.conditions {
        let met = match condition.met {
            Some(true) => "met",
            Some(false) => "not met",
            None => "can't be told",
        };
        section.row([condition.name.clone(), format!("{met}: {}", condition.told)]);
    }
    let date = |date: &Option<String>| date.as_deref().map_or("not announced", |d| d.get(..10).unwrap_or(d)).to_owned();
    section.row(["deprecated".into(), date(&r.deprecated)]);
    section.row(["sunset".into(), date(&r.sunset)]);
    for header in &r.headers {
        section.row([HEADER.into(), format!("{}: {}", header.name, header.value)]);
    }
    section.row(["last call".into(), r.last_call.clone().unwrap_or_else(|| "never called".to_owned())]);
    section.row(["revenue of who still calls".into(), money(&r.revenue)]);
    section.row(["moved on, gone".into(), format!("{} consumers moved on, {} left the API", count(r.moved), count(r.gone))]);
    section.row(["end of traffic".into(), r.projection.told.clone()]);
    let feedback = &r.feedback;
    let said = format!(
        "{} open pieces of {} consumers who still call; {} about the API",
        count(feedback.open),
        count(feedback.consumers),
        count(feedback.open_of_api)
    );
    section.row(["feedback about migrating".into(), said]);
    section.row(["as of".into(), r.as_of.clone()]);
    section
}

fn callers(r: &Readiness) -> Section {
    let columns = ["consumer", "calls", "last call", "operations", "other versions", "revenue"];
    let mut section = Section::new(&format!("Who called it in the last {} days", r.quiet_days), &columns);
    for caller in r.callers.iter().take(CALLERS) {
        section.row([
            caller.consumer.clone(),
            count(caller.calls),
            caller.last.get(..10).unwrap_or(&caller.last).to_owned(),
            caller.operations.join(", "),
            caller.other_versions.join(", "),
            money(&caller.revenue),
        ]);
    }
    let shown = section.rows.len() as u64;
    if r.consumers > shown {
        section.note(format!("{} more.", count(r.consumers - shown)));
    }
    section
}

fn weeks(r: &Readiness) -> Section {
    let mut section = Section::new("By week", &["from", "calls", "consumers"]);
    for week in &r.weeks {
        section.row([week.from.clone(), count(week.calls), count(week.consumers)]);
    }
    section
}

fn said(r: &Readiness) -> Section {
    let mut section = Section::new("Open feedback about migrating", &["said", "about", "source"]);
    for quote in &r.feedback.quotes {
        section.row([quote_text(quote), quote_head(quote), quote_link(quote)]);
    }
    section
}

fn money(all: &[Money]) -> String {
    if all.is_empty() {
        return "none told".to_owned();
    }
    all.iter().map(|m| format!("{:.2} {}", m.amount, m.currency)).collect::<Vec<_>>().join(", ")
}
