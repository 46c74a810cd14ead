//! From a piece of feedback to an insight.

use groundswell_model::insight::SurveyAnswer;
use groundswell_model::{FeedbackEvent, FeedbackKind, Insight, Labels};
use groundswell_text::classify::Text;

use crate::attribution::Attribution;

/// What a classifier sees of it.
pub(super) fn text<'a>(event: &FeedbackEvent<'a>) -> Text<'a> {
    let survey_score = match event.kind {
        FeedbackKind::Survey { score, min, max, .. } if max > min => Some(((score - min) / (max - min)).clamp(0.0, 1.0)),
        FeedbackKind::Survey { .. } | FeedbackKind::Ticket { .. } => None,
    };
    Text { title: event.title, body: event.body, survey_score, language: event.language, source: Some(event.head.source) }
}

/// The insight, with where it counts and what it says.
pub(super) fn insight<'a>(event: &'a FeedbackEvent<'_>, found: &'a Attribution<'_>, labels: Labels) -> Insight<'a> {
    let head = &event.head;
    let mut insight = Insight {
        identity: head.identity,
        source: head.source,
        id: head.id,
        time: head.time,
        received: head.received,
        api: found.api,
        versions: found.versions.clone(),
        rung: found.rung,
        confidence: found.confidence,
        evidence: found.evidence.clone(),
        deciding: found.deciding.clone(),
        flags: found.flags.clone(),
        operation: found.operation.as_deref(),
        consumer: head.consumer,
        requester: event.requester,
        org: event.org,
        title: event.title,
        body: event.body,
        url: event.url,
        survey: None,
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: Vec::new(),
        sdk: event.sdk,
        request_id: event.request_id,
        labels,
        redacted: event.redacted.clone(),
        attributes: event.attributes.clone(),
    };
    match &event.kind {
        FeedbackKind::Ticket { ticket_id, status, priority, channel, tags } => {
            (insight.ticket_id, insight.status, insight.priority, insight.channel) = (*ticket_id, *status, *priority, *channel);
            insight.tags.clone_from(tags);
        }
        FeedbackKind::Survey { kind, score, min, max, .. } => {
            insight.survey = Some(SurveyAnswer { kind, score: *score, min: *min, max: *max })
        }
    }
    insight
}
