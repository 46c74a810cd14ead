//! The sections of a summary about journeys and pain, and the list of consumers.

use std::collections::BTreeMap;

use super::Section;
use super::format::{count, interval, maybe, number, revenue};
use super::sections::quote_text;
use crate::journeys::types::{Adopted, ConsumersPage, Funnel, JourneyFigures, OperationUse, Pain, PainReport, Regretted, StillOn};
use crate::summary::types::{Figure, Quote, Unit};

/// Steps of the adoption curve shown to people; the JSON has all.
const STEPS: usize = 14;
/// Versions shown side by side.
const VERSIONS: usize = 4;

pub(super) fn sections(journeys: &JourneyFigures, pain: &Pain) -> Vec<Section> {
    let mut all = vec![states(journeys), adoption(journeys)];
    all.extend(journeys.funnel.as_ref().map(funnel));
    all.extend(journeys.still_on.as_ref().map(still_on));
    all.extend([regretted(&journeys.regretted), self::pain(pain)]);
    all
}

fn states(journeys: &JourneyFigures) -> Section {
    let mut section = Section::new("Where its consumers stand", &["state", "consumers", "share", "95% interval", "revenue"]);
    for s in journeys.states.iter().filter(|s| s.consumers > 0) {
        let words = s.state.name().replace('_', " ");
        section.row([words, count(s.consumers), maybe(s.share.value, Unit::Share), interval(&s.share, Unit::Share), revenue(&s.revenue)]);
    }
    if let Some(day) = &journeys.as_of {
        section.note(format!("As of {day}, the last day with calls. docs/journeys.md has the definitions."));
    }
    section
}

fn adoption(journeys: &JourneyFigures) -> Section {
    let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
    for (version, adopted) in journeys.adoption.iter().flat_map(|step| &step.versions) {
        *calls.entry(version).or_default() += adopted.calls;
    }
    let mut versions: Vec<&str> = calls.keys().copied().collect();
    versions.sort_by(|a, b| calls[b].cmp(&calls[a]).then_with(|| a.cmp(b)));
    versions.truncate(VERSIONS);
    versions.sort_unstable();
    let head = if journeys.weekly { "week from" } else { "day" };
    let columns: Vec<String> = versions.iter().flat_map(|v| [format!("{v}: consumers"), format!("{v}: calls")]).collect();
    let columns: Vec<&str> = std::iter::once(head).chain(columns.iter().map(String::as_str)).collect();
    let mut section = Section::new("Adoption", &columns);
    let left_out = journeys.adoption.len().saturating_sub(STEPS);
    for step in journeys.adoption.iter().skip(left_out) {
        let mut row = vec![step.start.clone()];
        for version in &versions {
            let Adopted { consumers, calls } = step.versions.get(*version).copied().unwrap_or_default();
            row.extend([count(consumers), count(calls)]);
        }
        section.rows.push(row);
    }
    if left_out > 0 {
        section.note(format!("The last {STEPS}; the JSON has all {}.", count(journeys.adoption.len() as u64)));
    }
    section
}

fn funnel(funnel: &Funnel) -> Section {
    let mut section =
        Section::new(&format!("From {}", funnel.from.join(", ")), &["step", "consumers", "of the step before", "95% interval"]);
    section.row(["called it first".into(), count(funnel.on_baseline), String::new(), String::new()]);
    let steps = [
        ("tried this version", &funnel.tried),
        ("had a call that did not fail", &funnel.succeeded),
        ("mostly on it (over half of the calls of the last 14 days)", &funnel.mostly_on_it),
        ("left the old one", &funnel.left_baseline),
        ("went back (of those that tried)", &funnel.went_back),
    ];
    for (name, figure) in steps {
        section.row([name.to_owned(), count(part(figure)), maybe(figure.value, Unit::Share), interval(figure, Unit::Share)]);
    }
    section.row(["came new, without the old one before".into(), count(funnel.came_new), String::new(), String::new()]);
    section
}

/// How many a share is of its `n`.
fn part(figure: &Figure) -> u64 {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let part = (figure.value.unwrap_or(0.0) * figure.n as f64).round() as u64;
    part
}

fn still_on(still: &StillOn) -> Section {
    let mut section = Section::new(&format!("Still on {}", still.versions.join(", ")), &["", "calls", "consumers or last day", "revenue"]);
    let all = format!("{}, of them {} never tried this version", count(still.consumers), count(still.never_tried));
    section.row(["consumers".into(), String::new(), all, revenue(&still.revenue)]);
    for o in &still.operations {
        let name = if still.versions.len() > 1 { format!("{} {}", o.version, told(&o.operation)) } else { told(&o.operation) };
        section.row([name, count(o.calls), count(o.consumers), String::new()]);
    }
    for c in &still.top {
        let name = if c.tried { format!("{} (tried this version)", c.consumer) } else { c.consumer.clone() };
        section.row([name, count(c.calls), c.last.clone(), revenue(&c.revenue)]);
    }
    section
}

fn regretted(regretted: &Regretted) -> Section {
    let columns = ["consumer", "came", "back on", "to", "calls", "failed", "revenue", "said"];
    let mut section = Section::new("Regretted upgrades", &columns);
    for w in &regretted.who {
        let said: Vec<String> = w.said.iter().map(words).collect();
        section.row([
            w.consumer.clone(),
            w.came.as_deref().map_or_else(String::new, |t| t.get(..10).unwrap_or(t).to_owned()),
            w.back.clone(),
            w.to.clone(),
            count(w.calls),
            count(w.failed),
            revenue(&w.revenue),
            if said.is_empty() { "nothing".to_owned() } else { said.join(" / ") },
        ]);
    }
    let of = format!("{} of the {} that came from an older version went back", count(regretted.consumers), count(regretted.share.n));
    section.note(format!("{of}; groundswell consumers --went-back lists them."));
    section
}

/// What was said, with the score of a survey, which may be all there is.
fn words(quote: &Quote) -> String {
    let score = quote.survey.as_ref().map(|survey| format!("({survey})"));
    score.into_iter().chain([quote_text(quote)]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn told(operation: &str) -> String {
    if operation.is_empty() { "(not told)".to_owned() } else { operation.to_owned() }
}

fn pain(pain: &Pain) -> Section {
    let mut section =
        Section::new("Consumers in pain", &["consumer", "what rose", "from", "to", "against", "wrote", "where it fails", "revenue"]);
    for row in &pain.consumers {
        let each = |of: fn(&crate::journeys::types::Rise) -> String| row.rose.iter().map(of).collect::<Vec<_>>().join(", ");
        section.row([
            row.consumer.clone(),
            each(|r| r.what.replace('_', " ")),
            each(|r| maybe(r.before.value, Unit::Share)),
            each(|r| maybe(r.now.value, Unit::Share)),
            each(|r| r.against.clone()),
            if row.feedback == 0 { "never".to_owned() } else { count(row.feedback) },
            operations(&row.operations),
            revenue(&row.revenue),
        ]);
    }
    let all = format!("{} of {} consumers that can be compared are hurting", count(pain.hurting), count(pain.tested));
    let silent = format!("{} of them never wrote", count(pain.silent));
    let behind = if pain.silent_revenue.is_empty() { String::new() } else { format!(" ({})", revenue(&pain.silent_revenue)) };
    section.note(format!("{all}, {silent}{behind}."));
    section.note(&pain.rule);
    section
}

fn operations(operations: &[OperationUse]) -> String {
    operations.iter().take(2).map(|o| format!("{} ({})", told(&o.operation), count(o.failed))).collect::<Vec<_>>().join(", ")
}

/// The pain on a version, asked for alone.
#[must_use]
pub fn pain_sections(report: &PainReport) -> Vec<Section> {
    let mut section = pain(&report.pain);
    section.title = format!("{} {}: {}", report.api, report.version, section.title.to_lowercase());
    vec![section]
}

/// The day of the first call, and how long the first success took from there.
fn first_success(c: &crate::journeys::types::ConsumerRow, day: impl Fn(&str) -> String) -> String {
    let took = c.seconds_to_success.map_or_else(|| "never".to_owned(), |s| format!("after {}", number(s, Unit::Seconds)));
    c.first_call.as_deref().map_or(took.clone(), |first| format!("{}, {took}", day(first)))
}

/// A page of the consumers of a version.
#[must_use]
pub fn consumers_sections(page: &ConsumersPage) -> Vec<Section> {
    let columns = ["consumer", "state", "first success", "last call", "calls", "errors", "feedback", "revenue", "milestones"];
    let mut section = Section::new(&format!("{} {}: consumers", page.api, page.version), &columns);
    let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
    for c in &page.consumers {
        let way = c.milestones.iter().filter(|m| !m.version.is_empty());
        section.row([
            c.consumer.clone(),
            c.state.name().replace('_', " "),
            first_success(c, day),
            day(&c.last_call),
            count(c.calls),
            maybe(c.error_rate.value, Unit::Share),
            count(c.feedback),
            revenue(&c.revenue),
            way.map(|m| format!("{} {} on {}", m.what.replace('_', " "), m.version, day(&m.time))).collect::<Vec<_>>().join(", "),
        ]);
    }
    let behind = if page.revenue.is_empty() { String::new() } else { format!(", {} of revenue", revenue(&page.revenue)) };
    section.note(format!("{} of {} consumers{behind}.", count(page.total), count(page.of)));
    if let Some(cursor) = &page.next_cursor {
        section.note(format!("More with --cursor {cursor}"));
    }
    vec![section]
}
