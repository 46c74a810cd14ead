//! The CloudEvents 1.0 envelope, as publishers write it.

use groundswell_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::EventType;

/// The content type of one event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// The content type of a batch over HTTP.
pub const BATCH: &str = "application/cloudevents-batch+json";
/// The content type of JSON lines over HTTP: one event in structured mode a line.
pub const LINES: &str = "application/x-ndjson";

/// Names and values of headers.
pub type HeaderList = Vec<(String, Vec<u8>)>;

/// A CloudEvent as publishers write it, in structured mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// The event type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Who published it; with `id` its identity.
    pub source: String,
    /// Unique within the source.
    pub id: String,
    /// When it happened, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Media type of `data`; JSON where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Extensions, and attributes this program does not know.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl CloudEvent {
    /// An event of this contract.
    ///
    /// # Errors
    /// The payload has no JSON form, such as a number that is not finite.
    pub fn new(ty: EventType, source: &str, id: &str, time: Timestamp, data: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            specversion: "1.0".into(),
            ty: ty.name().into(),
            source: source.into(),
            id: id.into(),
            time: Some(time.rfc3339()),
            data: Some(serde_json::to_value(data)?),
            ..Self::default()
        })
    }

    /// Structured mode: the whole event as JSON, to be sent as [`STRUCTURED`].
    ///
    /// # Errors
    /// Never for values made by this program; the form of the error is JSON's.
    pub fn to_structured(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Binary mode over Kafka: the attributes as `ce_` headers, the data as the value.
    ///
    /// # Errors
    /// See [`CloudEvent::to_structured`].
    pub fn to_binary(&self) -> Result<(HeaderList, Vec<u8>), serde_json::Error> {
        let content_type = self.datacontenttype.as_deref().unwrap_or("application/json");
        let mut headers: HeaderList = vec![("content-type".into(), content_type.into())];
        let required = [("specversion", &self.specversion), ("type", &self.ty), ("source", &self.source), ("id", &self.id)];
        let optional = [("time", &self.time), ("subject", &self.subject)];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        headers.extend(required.into_iter().chain(optional).map(|(name, value)| (format!("ce_{name}"), value.clone().into_bytes())));
        for (name, value) in &self.extensions {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            headers.push((format!("ce_{name}"), text.into_bytes()));
        }
        Ok((headers, serde_json::to_vec(&self.data)?))
    }
}
