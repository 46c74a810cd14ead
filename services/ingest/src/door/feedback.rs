//! Tickets and survey responses through the door.

use std::borrow::Cow;
use std::collections::BTreeMap;

use groundswell_catalogue::{Identities, company_domain};
use groundswell_contract::data::Person;
use groundswell_contract::{Decoded, Survey, Ticket};
use groundswell_model::frame::BadItem;
use groundswell_model::{Event, EventHead, FeedbackEvent, FeedbackKind};
use groundswell_text::redact::{Kind, pseudonym};

use super::{Door, PATH_BYTES, SHORT_BYTES, cut, short};
use crate::frames::Frames;

/// Tags kept of one ticket.
const MOST_TAGS: usize = 64;
/// Room in a frame for what is not counted one by one: a little more than the bounded fields can hold.
const BESIDES_BYTES: usize = 64 * 1024;

impl Door {
    pub(super) fn ticket(
        &self,
        event: &Decoded,
        data: &Ticket,
        head: EventHead<'_>,
        people: &Identities,
        frames: &mut Frames,
    ) -> Result<(), BadItem> {
        let names = names_of(data.requester.as_ref());
        let mut counts = Counts::default();
        let title = cut(data.title.as_deref().unwrap_or_default(), self.title_bytes);
        let title = self.text(title, &names, &mut counts);
        let body = self.text(data.body.as_deref().unwrap_or_default(), &names, &mut counts);
        let tags: Vec<Cow<'_, str>> =
            data.tags.iter().take(MOST_TAGS).map(|t| self.redactor.redact(cut(t, SHORT_BYTES), &names).text).collect();
        let kind = FeedbackKind::Ticket {
            ticket_id: short(data.ticket_id.as_ref()),
            status: short(data.status.as_ref()),
            priority: short(data.priority.as_ref()),
            channel: short(data.channel.as_ref()),
            tags: tags.iter().map(AsRef::as_ref).collect(),
        };
        let attributes = self.attributes(event, &data.attributes, &names);
        let url = self.url(data.url.as_ref());
        let consumer = self.consumer_of(data.consumer.as_deref(), data.requester.as_ref(), people);
        let requester = data.requester.as_ref().and_then(|p| self.requester(p));
        let domain = data.requester.as_ref().and_then(|p| self.domain(p));
        let feedback = FeedbackEvent {
            head: EventHead { consumer: &consumer, ..head },
            kind,
            title: cut(&title, self.title_bytes),
            body: cut(&body, self.body_bytes),
            url: url.as_deref(),
            requester: requester.as_deref(),
            org: org_of(data.requester.as_ref()),
            domain: domain.as_deref(),
            was: None,
            api: data.api.as_deref(),
            api_version: data.api_version.as_deref(),
            operation: data.operation.as_deref(),
            request_id: short(data.request_id.as_ref()),
            traceparent: short(event.extensions.traceparent.as_ref()),
            sdk: short(data.sdk.as_ref()),
            language: short(data.language.as_ref()),
            redacted: counts.list(),
            attributes: attributes.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect(),
        };
        push(feedback, frames)
    }

    pub(super) fn survey(
        &self,
        event: &Decoded,
        data: &Survey,
        head: EventHead<'_>,
        people: &Identities,
        frames: &mut Frames,
    ) -> Result<(), BadItem> {
        let names = names_of(data.respondent.as_ref());
        let mut counts = Counts::default();
        let body = self.text(data.comment.as_deref().unwrap_or_default(), &names, &mut counts);
        let question = data.question.as_deref().map(|q| self.text(cut(q, self.title_bytes), &names, &mut counts));
        let (min, max) = data.kind.scale().unwrap_or((data.min.unwrap_or(0.0), data.max.unwrap_or(0.0)));
        let attributes = self.attributes(event, &data.attributes, &names);
        let url = self.url(data.url.as_ref());
        let consumer = self.consumer_of(data.consumer.as_deref(), data.respondent.as_ref(), people);
        let requester = data.respondent.as_ref().and_then(|p| self.requester(p));
        let domain = data.respondent.as_ref().and_then(|p| self.domain(p));
        let feedback = FeedbackEvent {
            head: EventHead { consumer: &consumer, ..head },
            kind: FeedbackKind::Survey { kind: data.kind.name(), score: data.score, min, max, question: question.as_deref() },
            title: "",
            body: cut(&body, self.body_bytes),
            url: url.as_deref(),
            requester: requester.as_deref(),
            org: org_of(data.respondent.as_ref()),
            domain: domain.as_deref(),
            was: None,
            api: data.api.as_deref(),
            api_version: data.api_version.as_deref(),
            operation: data.operation.as_deref(),
            request_id: None,
            traceparent: short(event.extensions.traceparent.as_ref()),
            sdk: None,
            language: None,
            redacted: counts.list(),
            attributes: attributes.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect(),
        };
        push(feedback, frames)
    }

    fn text<'t>(&self, text: &'t str, names: &[&str], counts: &mut Counts) -> Cow<'t, str> {
        let redacted = self.redactor.redact(text, names);
        counts.add(&redacted.counts);
        redacted.text
    }

    /// The keyed hash of the company's domain, for an identity that comes later.
    fn domain(&self, person: &Person) -> Option<String> {
        let domain = company_domain(person.email.as_deref()?.rsplit_once('@')?.1)?;
        Some(pseudonym(&self.secret, &domain))
    }

    fn url<'t>(&self, url: Option<&'t String>) -> Option<Cow<'t, str>> {
        url.map(|u| self.redactor.redact_url(cut(u, PATH_BYTES)))
    }
}

fn push(feedback: FeedbackEvent<'_>, frames: &mut Frames) -> Result<(), BadItem> {
    let size = feedback.title.len() + feedback.body.len() + BESIDES_BYTES;
    frames.push(&Event::Feedback(Box::new(feedback)), size)
}

/// What to look for in the texts; the redactor takes names apart.
fn names_of(person: Option<&Person>) -> Vec<&str> {
    person.and_then(|p| p.name.as_deref()).into_iter().collect()
}

fn org_of(person: Option<&Person>) -> Option<&str> {
    short(person.and_then(|p| p.org.as_ref()))
}

/// How often each kind was replaced.
#[derive(Default)]
struct Counts(BTreeMap<&'static str, u32>);

impl Counts {
    fn add(&mut self, found: &[(Kind, u32)]) {
        for (kind, times) in found {
            let count = self.0.entry(kind.name()).or_default();
            *count = count.saturating_add(*times);
        }
    }

    fn list(&self) -> Vec<(&'static str, u32)> {
        self.0.iter().map(|(kind, times)| (*kind, *times)).collect()
    }
}
