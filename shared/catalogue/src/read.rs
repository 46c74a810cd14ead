//! From a record of the catalogue topic to a catalogue event.

use groundswell_contract::{Correction, Data, Identity, Incoming, Limits, Release, ThemeDecision, decode, validate};
use groundswell_model::Timestamp;

use crate::{Catalogue, Identities};

/// What a record of the catalogue topic says.
#[derive(Clone, Debug, PartialEq)]
pub enum CatalogueEvent {
    /// A step in the life of an API version, with the time of the event.
    Release(Box<Release>, Timestamp),
    /// Who a consumer is.
    Identity(Box<Identity>),
    /// What a person says of one piece of feedback, with the time of the event.
    Correction(Box<Correction>, Timestamp),
    /// A person's decision on a theme, with the time of the event.
    Theme(Box<ThemeDecision>, Timestamp),
}

impl CatalogueEvent {
    /// Takes the event into the tables.
    pub fn apply(&self, catalogue: &mut Catalogue, identities: &mut Identities) {
        match self {
            Self::Release(release, time) => catalogue.apply(release, *time),
            Self::Identity(identity) => identities.apply(identity),
            // People's decisions are kept where they count: beside the labels and themes they are about.
            Self::Correction(..) | Self::Theme(..) => {}
        }
    }
}

/// Reads a record of the catalogue topic; `received` is its timestamp there. None if it is not a valid
/// catalogue event: ingest, which reads the same record, gives it its fate.
#[must_use]
pub fn read_event(incoming: &Incoming<'_>, received: Timestamp, limits: &Limits) -> Option<CatalogueEvent> {
    incoming.body?;
    let event = decode(incoming, limits).ok()?;
    // What is ahead of the topic's own time was refused there; no other clock may decide it here.
    validate(&event, received, limits).ok()?;
    let time = event.time.unwrap_or(received);
    match event.data {
        Data::Release(release) => Some(CatalogueEvent::Release(release, time)),
        Data::Identity(identity) => Some(CatalogueEvent::Identity(identity)),
        Data::Correction(correction) => Some(CatalogueEvent::Correction(correction, time)),
        Data::Theme(decision) => Some(CatalogueEvent::Theme(decision, time)),
        Data::Ticket(_) | Data::Survey(_) | Data::Usage(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Option<CatalogueEvent> {
        let incoming = Incoming { body: Some(body.as_bytes()), ..Incoming::default() };
        read_event(&incoming, Timestamp(1_780_000_000_000), &Limits::default())
    }

    #[test]
    fn releases_and_identities_are_read_and_the_rest_is_left_to_ingest() {
        let release = r#"{"specversion":"1.0","type":"groundswell.release.v1","source":"s","id":"1","time":"2026-01-01T00:00:00Z","data":{"api":"orders","api_version":"v2","stage":"released"}}"#;
        let identity = r#"{"specversion":"1.0","type":"groundswell.identity.v1","source":"s","id":"2","data":{"consumer":"acme","emails":["ada@acme.example"]}}"#;
        let mut catalogue = Catalogue::default();
        let mut identities = Identities::new([7; 32]);
        for body in [release, identity] {
            read(body).expect("a catalogue event").apply(&mut catalogue, &mut identities);
        }
        assert_eq!(catalogue.versions("orders").map(|v| v.name()).collect::<Vec<_>>(), ["v2"]);
        assert_eq!(identities.resolve(None, Some("Ada@Acme.example"), None), Some("acme"));
        let usage = r#"{"specversion":"1.0","type":"groundswell.usage.v1","source":"s","id":"3","data":{"api":"orders","status":200}}"#;
        for other in [usage, "", "{}", "[]", &release.replace("orders", "")] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_nothing(body in "\\PC{0,100}") {
            prop_assert_eq!(read(&body), None);
        }
    }
}
