//! A simulated event in the shape of the wire contract.

use groundswell_contract::{CloudEvent, Data, EventType};
use groundswell_model::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One CloudEvent, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct SimEvent {
    /// CloudEvents `source`.
    pub source: &'static str,
    /// CloudEvents `id`.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// When it is published: later than `time` where it arrives late.
    pub arrives: Timestamp,
    /// The `sampledrate` extension: this event stands for so many.
    pub sampled: Option<u32>,
    /// The payload.
    pub data: Data,
}

impl SimEvent {
    /// Its type.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self.data {
            Data::Ticket(_) => EventType::Ticket,
            Data::Survey(_) => EventType::Survey,
            Data::Usage(_) => EventType::Usage,
            Data::Release(_) => EventType::Release,
            Data::Identity(_) => EventType::Identity,
            Data::Correction(_) => EventType::Correction,
            Data::Theme(_) => EventType::Theme,
        }
    }

    /// The event in structured mode, on one line.
    ///
    /// # Errors
    /// Never for the types of the contract; serde asks for it.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// The event as the contract's envelope.
    ///
    /// # Errors
    /// Never for the types of the contract; serde asks for it.
    pub fn to_cloudevent(&self) -> serde_json::Result<CloudEvent> {
        let data = serde_json::to_value(Payload(&self.data))?;
        let sampled = self.sampled.map(|rate| ("sampledrate".to_owned(), Value::from(rate)));
        Ok(CloudEvent {
            specversion: "1.0".into(),
            ty: self.event_type().name().into(),
            source: self.source.into(),
            id: self.id.clone(),
            time: Some(self.time.rfc3339()),
            datacontenttype: Some("application/json".into()),
            data: Some(data),
            extensions: sampled.into_iter().collect::<Map<_, _>>(),
            ..CloudEvent::default()
        })
    }
}

impl Serialize for SimEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            specversion: &'static str,
            #[serde(rename = "type")]
            ty: &'static str,
            source: &'static str,
            id: &'a str,
            time: String,
            datacontenttype: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            sampledrate: Option<u32>,
            data: Payload<'a>,
        }
        Envelope {
            specversion: "1.0",
            ty: self.event_type().name(),
            source: self.source,
            id: &self.id,
            time: self.time.rfc3339(),
            datacontenttype: "application/json",
            sampledrate: self.sampled,
            data: Payload(&self.data),
        }
        .serialize(serializer)
    }
}

struct Payload<'a>(&'a Data);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Data::Ticket(data) => data.serialize(serializer),
            Data::Survey(data) => data.serialize(serializer),
            Data::Usage(data) => data.serialize(serializer),
            Data::Release(data) => data.serialize(serializer),
            Data::Identity(data) => data.serialize(serializer),
            Data::Correction(data) => data.serialize(serializer),
            Data::Theme(data) => data.serialize(serializer),
        }
    }
}
