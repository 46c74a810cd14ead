//! The CloudEvents 1.0 envelope.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
