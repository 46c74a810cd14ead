//! A stored insight as a hit.

use groundswell_model::Insight;
use groundswell_model::insight::Label;
use tantivy::tokenizer::TextAnalyzer;

use super::corrected::Machine;
use super::highlight::{highlight, matches_of, snippet};
use super::lower::Mark;
use super::syntax::TextField;
use super::types::{Hit, HitCorrection, HitLabel, HitLabels, HitSurvey, HitVersion};

/// How hits are shown.
pub(super) struct Showing<'a> {
    pub(super) analyzer: TextAnalyzer,
    pub(super) marks: &'a [Mark],
    pub(super) full_body: bool,
}

impl Showing<'_> {
    pub(super) fn hit(&mut self, i: &Insight<'_>, machine: Option<&Machine<'_>>, score: f32) -> Hit {
        let in_title = matches_of(&mut self.analyzer, i.title, TextField::Title, self.marks);
        let in_body = matches_of(&mut self.analyzer, i.body, TextField::Body, self.marks);
        let highlights = [highlight("title", i.title, &in_title), highlight("body", i.body, &in_body)];
        Hit {
            source: i.source.to_owned(),
            id: i.id.to_owned(),
            api: i.api.to_owned(),
            versions: versions(i),
            rung: i.rung.name().to_owned(),
            confidence: i.confidence,
            evidence: i.evidence.clone(),
            deciding: i.deciding.clone(),
            flags: i.flags.iter().map(|f| (*f).to_owned()).collect(),
            kind: if i.survey.is_some() { "survey" } else { "ticket" }.to_owned(),
            survey: i.survey.as_ref().map(|s| HitSurvey { kind: s.kind.to_owned(), score: s.score, min: s.min, max: s.max }),
            title: i.title.to_owned(),
            body: if self.full_body { i.body.to_owned() } else { snippet(i.body, &in_body) },
            highlights: highlights.into_iter().flatten().collect(),
            labels: labels(i),
            corrected: machine.map(correction),
            consumer: (!i.consumer.is_empty()).then(|| i.consumer.to_owned()),
            requester: i.requester.map(str::to_owned),
            org: i.org.map(str::to_owned),
            operation: i.operation.map(str::to_owned),
            time: i.time.rfc3339(),
            received: i.received.rfc3339(),
            url: i.url.map(str::to_owned),
            ticket_id: i.ticket_id.map(str::to_owned),
            status: i.status.map(str::to_owned),
            priority: i.priority.map(str::to_owned),
            channel: i.channel.map(str::to_owned),
            tags: i.tags.iter().map(|t| (*t).to_owned()).collect(),
            sdk: i.sdk.map(str::to_owned),
            request_id: i.request_id.map(str::to_owned),
            redacted: i.redacted.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            attributes: i.attributes.iter().map(|(name, json)| ((*name).to_owned(), attribute(json))).collect(),
            theme: None,
            near_duplicate: false,
            score,
        }
    }
}

/// Attributes are JSON; one that was cut to its limit no longer is, and is shown as text.
fn attribute(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}

fn versions(i: &Insight<'_>) -> Vec<HitVersion> {
    i.versions.iter().map(|v| HitVersion { version: v.version.to_owned(), weight: v.weight }).collect()
}

fn correction(machine: &Machine<'_>) -> HitCorrection {
    HitCorrection {
        at: machine.at.rfc3339(),
        by: machine.by.map(str::to_owned),
        note: machine.note.map(str::to_owned),
        labels: labels(&machine.was),
        versions: versions(&machine.was),
        confidence: machine.was.confidence,
    }
}

fn labels(i: &Insight<'_>) -> HitLabels {
    let label = |l: &Label| HitLabel { name: l.name.clone(), confidence: l.confidence, because: l.because.clone() };
    HitLabels {
        kind: label(&i.labels.kind),
        aspects: i.labels.aspects.iter().map(label).collect(),
        sentiment: label(&i.labels.sentiment),
        sentiment_score: i.labels.sentiment_score,
        severity: label(&i.labels.severity),
        language: label(&i.labels.language),
        model: i.labels.model.clone(),
    }
}
