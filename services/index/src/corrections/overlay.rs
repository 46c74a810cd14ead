//! A correction over an insight.

use groundswell_model::insight::{Label, Labels, flag};
use groundswell_model::{Insight, UNKNOWN_API, VersionWeight};

use super::Standing;

/// The reason of a label that a person changed.
pub const CORRECTED: &str = "corrected";
/// The reason of a label that a person found right.
pub const CONFIRMED: &str = "confirmed";

/// The score of a sentiment that a person chose against the machine's.
const CHOSEN_SCORE: f32 = 0.5;

/// The insight as people see it: what the correction names is theirs, the rest is the machine's.
#[must_use]
pub fn overlay<'a>(insight: &Insight<'a>, standing: &'a Standing) -> Insight<'a> {
    let mut corrected = insight.clone();
    if !standing.stands() {
        return corrected;
    }
    let said = &standing.correction;
    let labels = &mut corrected.labels;
    put(&mut labels.kind, said.kind.as_deref());
    put(&mut labels.severity, said.severity.as_deref());
    put(&mut labels.language, said.language.as_deref());
    if let Some(sentiment) = &said.sentiment {
        put(&mut labels.sentiment, Some(sentiment));
        labels.sentiment_score = score_of(sentiment, labels.sentiment_score);
    }
    if let Some(aspects) = &said.aspects {
        labels.aspects = aspects_of(aspects, &insight.labels);
    }
    // A version belongs to an API: feedback on none can't be moved to one.
    if let Some(version) = said.api_version.as_deref().filter(|_| insight.api != UNKNOWN_API) {
        let before: Vec<&str> = insight.versions.iter().map(|v| v.version).collect();
        let word = if before == [version] { CONFIRMED } else { CORRECTED };
        corrected.evidence.insert(0, format!("{word}: a person says {version}"));
        corrected.versions = vec![VersionWeight { version, weight: 1.0 }];
        corrected.confidence = 1.0;
    }
    corrected.flags.push(flag::CORRECTED);
    corrected
}

fn put(label: &mut Label, said: Option<&str>) {
    if let Some(name) = said {
        *label = by_person(name, label.name == name);
    }
}

fn by_person(name: &str, confirmed: bool) -> Label {
    let because = if confirmed { CONFIRMED } else { CORRECTED };
    Label { name: name.to_owned(), confidence: 1.0, because: vec![because.to_owned()] }
}

fn aspects_of(said: &[String], machine: &Labels) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::with_capacity(said.len());
    for name in said {
        if !labels.iter().any(|l| l.name == *name) {
            labels.push(by_person(name, machine.aspects.iter().any(|a| a.name == *name)));
        }
    }
    labels
}

/// The machine's score where it fits the label, else one in the middle of the label's side.
fn score_of(sentiment: &str, machine: f32) -> f32 {
    match sentiment {
        "positive" if machine <= 0.0 => CHOSEN_SCORE,
        "negative" if machine >= 0.0 => -CHOSEN_SCORE,
        "neutral" => 0.0,
        _ => machine,
    }
}
