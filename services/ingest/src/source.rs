//! Which source topic an event belongs on, and by which key.

use groundswell_bus::{NewRecord, Topic};
use groundswell_contract::cloudevent::STRUCTURED;
use groundswell_contract::data::Person;
use groundswell_contract::{Data, Decoded, EventType};

/// The source topic of a type.
#[must_use]
pub fn topic_of(ty: EventType) -> Topic {
    match ty {
        EventType::Ticket => Topic::Tickets,
        EventType::Survey => Topic::Surveys,
        EventType::Usage => Topic::Usage,
        EventType::Release | EventType::Identity | EventType::Correction | EventType::Theme => Topic::Catalogue,
    }
}

/// The key to publish an event by. The same event always gets the same key, so that a second
/// delivery lands behind the first one.
#[must_use]
pub fn key_of(event: &Decoded) -> String {
    if let Some(key) = &event.extensions.partitionkey {
        return key.clone();
    }
    match &event.data {
        Data::Ticket(t) => consumer_or_person(t.consumer.as_deref(), t.requester.as_ref(), event),
        Data::Survey(s) => consumer_or_person(s.consumer.as_deref(), s.respondent.as_ref(), event),
        Data::Usage(u) => u.consumer.clone().unwrap_or_else(|| event.id.clone()),
        Data::Release(r) => format!("release/{}/{}", r.api, r.api_version),
        Data::Identity(i) => format!("identity/{}", i.consumer),
        Data::Correction(c) => format!("correction/{}/{}", c.of.source, c.of.id),
        Data::Theme(t) => format!("theme/{}/{}", t.api, t.theme),
    }
}

/// An event, as JSON and decoded, as a record of its source topic in structured mode.
#[must_use]
pub fn record_of(json: Vec<u8>, event: &Decoded) -> NewRecord {
    NewRecord::keyed(topic_of(event.ty()), key_of(event), json).header("content-type", STRUCTURED)
}

fn consumer_or_person(consumer: Option<&str>, person: Option<&Person>, event: &Decoded) -> String {
    let of_person = person.and_then(|p| p.id.as_deref().or(p.email.as_deref()).or(p.org.as_deref()));
    consumer.or(of_person).unwrap_or(&event.id).to_owned()
}
