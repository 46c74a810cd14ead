//! A review in the forms that people and pipelines read. JSON is the [`Review`] itself.

mod junit;
mod markdown;
mod workflow;

pub use junit::junit;
pub use markdown::markdown;
pub use workflow::annotations;

use crate::decide::grouped;
use crate::prepare::real;
use crate::types::{Effect, EffectKind, Figures, Guardrail, Review, Verdict};

/// Headings of [`rows`].
pub const COLUMNS: [&str; 7] = ["guardrail", "verdict", "candidate", "baseline", "effect", "minimum", "method"];

/// A row for each guardrail.
#[must_use]
pub fn rows(review: &Review) -> Vec<[String; 7]> {
    review.guardrails.iter().map(row).collect()
}

fn row(guardrail: &Guardrail) -> [String; 7] {
    let verdict = if guardrail.maturing { format!("{} (maturing)", guardrail.verdict.name()) } else { guardrail.verdict.name().to_owned() };
    [
        guardrail.name.clone(),
        verdict,
        figures(&guardrail.name, &guardrail.candidate),
        figures(&guardrail.name, &guardrail.baseline),
        guardrail.effect.as_ref().map_or_else(|| "no data".to_owned(), effect),
        minimum(guardrail),
        if guardrail.consumers == 0 {
            "none".to_owned()
        } else {
            format!("{}, {} consumers", guardrail.method.name(), guardrail.consumers)
        },
    ]
}

/// The title of a review.
#[must_use]
pub fn title(review: &Review) -> String {
    format!("{} {} against {}", review.api, review.version, review.baseline)
}

/// The lines below the rows: what is needed, who stands out, what was left out, what it rests on.
#[must_use]
pub fn remarks(review: &Review) -> Vec<String> {
    let mut lines = Vec::new();
    for guardrail in &review.guardrails {
        if let Some(needed) = &guardrail.needed {
            lines.push(format!("{}: to tell, {}", guardrail.name, needed.text));
        }
        for outlier in &guardrail.outliers {
            let ratio = outlier.ratio.map_or_else(String::new, |r| format!(" (its own ratio: {})", short(r)));
            lines.push(format!("{}: {} stands out{ratio}; it weighs no more than others", guardrail.name, outlier.consumer));
        }
        lines.extend(guardrail.notes.iter().map(|note| format!("{}: {note}", guardrail.name)));
    }
    let left = &review.left_out;
    if !left.incident_days.is_empty() {
        lines.push(format!("left out: days on which the baseline itself was in trouble ({})", left.incident_days.join(", ")));
    }
    if left.newcomers > 0 {
        lines.push(format!("set apart: the first calls of {} newcomers", left.newcomers));
    }
    if left.unnamed_calls > 0 || left.unnamed_feedback > 0 {
        let (calls, feedback) = (grouped(real(left.unnamed_calls)), grouped(real(left.unnamed_feedback)));
        lines.push(format!("not compared: {calls} calls and {feedback} pieces of feedback that name no consumer"));
    }
    lines.push(format!(
        "{} to {}, day {} of {}; at most {} of reviews without any difference call a regression, looked at every day",
        review.from,
        review.until,
        review.days_on_candidate,
        review.horizon_days,
        percent(review.error)
    ));
    lines
}

fn figures(name: &str, figures: &Figures) -> String {
    let Some(value) = figures.value else { return "no data".to_owned() };
    match name {
        "latency_p50" | "latency_p95" => format!("{} ms", short(value)),
        "nps" | "csat" | "ces" => format!("{} ({} answers)", short(value), grouped(figures.count)),
        "time_to_first_success" => format!("{} s ({} newcomers)", short(value), grouped(figures.exposure)),
        _ => format!("{} ({} of {})", percent(value), grouped(figures.count), grouped(figures.exposure)),
    }
}

fn effect(effect: &Effect) -> String {
    let text = |value: f64| match effect.kind {
        EffectKind::Ratio => format!("×{}", short(value)),
        EffectKind::Difference => format!("{value:+.2}"),
        EffectKind::Share => percent(value),
    };
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), text);
    format!("{} ({} to {}, {})", text(effect.value), end(effect.low), end(effect.high), percent(effect.level))
}

fn minimum(guardrail: &Guardrail) -> String {
    let value = guardrail.minimum_effect;
    match guardrail.name.as_str() {
        "nps" | "csat" | "ces" => short(value),
        "regretted_upgrades" => percent(value),
        _ => format!("×{}", short(value)),
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 100.0 {
        grouped(value)
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.01 || value == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1e}")
    }
}

fn percent(share: f64) -> String {
    let value = 100.0 * share;
    if value != 0.0 && value.abs() < 1.0 { format!("{value:.3} %") } else { format!("{value:.1} %") }
}

/// The word that stands first: what a reader wants to know.
fn headline(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Regression => "REGRESSION",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

/// Characters that could steer a terminal or turn the direction of writing become spaces.
fn harmless(text: &str) -> String {
    let harmful = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
