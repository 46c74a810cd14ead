//! The documents of `docs/contract`, made from the code, so that they can't say anything else.

use groundswell_model::RejectReason;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::EventType;
use crate::cloudevent::STRUCTURED;
use crate::data::{Identity, Release, Survey, Ticket, Usage};
use crate::decisions::{Correction, ThemeDecision};
use crate::limits::{IDENTITY_BYTES, MAX_SAMPLED_RATE};

/// One document: its path within `docs/contract`, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Path within `docs/contract`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Name and description of a source topic, and the types that belong on it.
const CHANNELS: [(&str, &str, &str, &[EventType]); 4] = [
    ("tickets", "feedback.tickets", "Support tickets.", &[EventType::Ticket]),
    ("surveys", "feedback.surveys", "Survey responses.", &[EventType::Survey]),
    ("usage", "feedback.usage", "API calls.", &[EventType::Usage]),
    (
        "catalogue",
        "feedback.catalogue",
        "Releases of API versions, who consumers are, and what people decide. One partition, kept for ever.",
        &[EventType::Release, EventType::Identity, EventType::Correction, EventType::Theme],
    ),
];

/// Every document that is made from the code.
#[must_use]
pub fn all() -> Vec<Document> {
    let mut documents: Vec<Document> =
        EventType::ALL.into_iter().map(|ty| document(&format!("schemas/{}.json", ty.name()), &data_schema(ty))).collect();
    documents.push(document("schemas/cloudevent.json", &envelope_schema()));
    documents.push(document("asyncapi.json", &asyncapi()));
    documents
}

fn document(path: &str, value: &Value) -> Document {
    Document { path: path.to_owned(), text: format!("{value:#}\n") }
}

/// The JSON Schema (2020-12) of a type's `data`.
#[must_use]
pub fn data_schema(ty: EventType) -> Value {
    let mut schema = match ty {
        EventType::Ticket => schema_of::<Ticket>(),
        EventType::Survey => schema_of::<Survey>(),
        EventType::Usage => schema_of::<Usage>(),
        EventType::Release => schema_of::<Release>(),
        EventType::Identity => schema_of::<Identity>(),
        EventType::Correction => schema_of::<Correction>(),
        EventType::Theme => schema_of::<ThemeDecision>(),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$id".into(), json!(format!("urn:groundswell:schema:{}", ty.name())));
        schema.insert("title".into(), json!(ty.name()));
    }
    schema
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// The JSON Schema of an event in structured mode.
#[must_use]
pub fn envelope_schema() -> Value {
    let by_type: Vec<Value> = EventType::ALL
        .into_iter()
        .map(|ty| {
            json!({
                "if": {"properties": {"type": {"const": ty.name()}}},
                "then": {"properties": {"data": {"$ref": format!("urn:groundswell:schema:{}", ty.name())}}},
            })
        })
        .collect();
    let types: Vec<&str> = EventType::ALL.into_iter().map(EventType::name).collect();
    let text = |description: &str| json!({"type": ["string", "null"], "description": description});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:groundswell:schema:cloudevent",
        "title": "A CloudEvent of the Groundswell contract, structured mode",
        "type": "object",
        "required": ["specversion", "type", "source", "id"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"enum": types},
            "source": {"type": "string", "minLength": 1, "maxLength": IDENTITY_BYTES, "description": "Who published it; with `id` its identity."},
            "id": {"type": "string", "minLength": 1, "maxLength": IDENTITY_BYTES, "description": "Unique within the source."},
            "time": {"type": ["string", "null"], "format": "date-time", "description": "When it happened; the time of the record where absent."},
            "subject": text("What it is about."),
            "datacontenttype": text("JSON in UTF-8, such as application/json, which is meant where absent."),
            "partitionkey": text("What the publisher wants the event to be partitioned by (HTTP)."),
            "traceparent": text("W3C trace context."),
            "recordedtime": {"type": ["string", "null"], "format": "date-time", "description": "When it was recorded, where that is not when it happened."},
            "sampledrate": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_SAMPLED_RATE, "description": "How many events this one stands for."},
            "dataclassification": text("How confidential the data is."),
            "data": {"type": "object"},
            "data_base64": {"type": "string", "contentEncoding": "base64", "description": "The data, as JSON in Base64; instead of `data`."},
        },
        "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
        "propertyNames": {"pattern": "^([a-z0-9]+|data_base64)$"},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        "allOf": by_type,
    })
}

/// The AsyncAPI document: topics, messages, both modes.
#[must_use]
pub fn asyncapi() -> Value {
    let channels: serde_json::Map<String, Value> = CHANNELS
        .into_iter()
        .map(|(name, address, description, types)| {
            let messages: serde_json::Map<String, Value> = types
                .iter()
                .flat_map(|ty| [format!("{}.structured", ty.name()), format!("{}.binary", ty.name())])
                .map(|message| (message.clone(), json!({"$ref": format!("#/components/messages/{message}")})))
                .collect();
            (name.to_owned(), json!({"address": address, "description": description, "messages": messages}))
        })
        .collect();
    let operations: serde_json::Map<String, Value> = CHANNELS
        .into_iter()
        .map(|(name, _, description, _)| {
            let operation = json!({"action": "receive", "channel": {"$ref": format!("#/channels/{name}")}, "summary": description});
            (format!("receive_{name}"), operation)
        })
        .collect();
    let messages: serde_json::Map<String, Value> =
        EventType::ALL.into_iter().flat_map(|ty| [structured_message(ty), binary_message(ty)]).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Groundswell: what publishers send",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "CloudEvents 1.0 in JSON over Kafka, in structured or binary mode. The same events are taken over HTTP at POST /v1/events. \
                Topic names are defaults and can be configured. What can't be used goes to dead letters with a stable reason.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": STRUCTURED,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    })
}

fn schema_format(reference: &str) -> Value {
    json!({"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": {"$ref": reference}})
}

fn structured_message(ty: EventType) -> (String, Value) {
    let message = json!({
        "name": ty.name(),
        "title": format!("{} (structured mode)", ty.name()),
        "contentType": STRUCTURED,
        "payload": schema_format("schemas/cloudevent.json"),
    });
    (format!("{}.structured", ty.name()), message)
}

fn binary_message(ty: EventType) -> (String, Value) {
    let message = json!({
        "name": ty.name(),
        "title": format!("{} (binary mode)", ty.name()),
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_type", "ce_source", "ce_id"],
            "properties": {
                "ce_specversion": {"const": "1.0"},
                "ce_type": {"const": ty.name()},
                "ce_source": {"type": "string", "minLength": 1},
                "ce_id": {"type": "string", "minLength": 1},
                "ce_time": {"type": "string", "format": "date-time"},
                "content-type": {"type": "string", "default": "application/json"},
            },
        },
        "payload": schema_format(&format!("schemas/{}.json", ty.name())),
    });
    (format!("{}.binary", ty.name()), message)
}

/// The table of reasons, in Markdown.
#[must_use]
pub fn reasons_table() -> String {
    let rows = RejectReason::ALL.iter().map(|reason| format!("| `{}` | {} |\n", reason.name(), reason.doc()));
    std::iter::once("| reason | meaning |\n|---|---|\n".to_owned()).chain(rows).collect()
}
