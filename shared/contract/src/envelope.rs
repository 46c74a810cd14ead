//! The attributes of one event, borrowed from its bytes, from either mode.

use std::borrow::Cow;
use std::fmt;

use groundswell_model::{Reject, RejectReason};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits::IDENTITY_BYTES;

/// The attributes as they came. What is wrong with them is noted, the first problem only.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) specversion: Option<Cow<'a, str>>,
    pub(crate) ty: Option<Cow<'a, str>>,
    pub(crate) source: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) time: Option<Cow<'a, str>>,
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) datacontenttype: Option<Cow<'a, str>>,
    pub(crate) partitionkey: Option<Cow<'a, str>>,
    pub(crate) traceparent: Option<Cow<'a, str>>,
    pub(crate) recordedtime: Option<Cow<'a, str>>,
    pub(crate) sampledrate: Option<Cow<'a, str>>,
    pub(crate) dataclassification: Option<Cow<'a, str>>,
    pub(crate) data: Option<&'a RawValue>,
    pub(crate) data_base64: Option<Cow<'a, str>>,
    /// Other extensions: name and JSON text.
    pub(crate) others: Vec<(String, String)>,
    /// How many others there were, kept or not.
    pub(crate) others_seen: usize,
    pub(crate) problem: Option<Reject>,
    others_limit: usize,
}

/// The value of one attribute.
pub(crate) enum Attribute<'a> {
    Text(Cow<'a, str>),
    /// A number or truth value, as JSON text.
    Literal(String),
    Null,
    /// An array or object: not a CloudEvents value.
    Compound,
}

impl<'a> Envelope<'a> {
    pub(crate) fn new(others_limit: usize) -> Self {
        Self { others_limit, ..Self::default() }
    }

    pub(crate) fn note(&mut self, reject: Reject) {
        self.problem.get_or_insert(reject);
    }

    /// Sets one attribute; both modes come here.
    pub(crate) fn set(&mut self, name: &str, value: Attribute<'a>) {
        let value = match value {
            Attribute::Null => return,
            Attribute::Compound => return self.note(bad(name, "must be a text, a number or a truth value")),
            other => other,
        };
        let slot = match name {
            "specversion" => &mut self.specversion,
            "type" => &mut self.ty,
            "source" => &mut self.source,
            "id" => &mut self.id,
            "time" => &mut self.time,
            "subject" => &mut self.subject,
            "datacontenttype" => &mut self.datacontenttype,
            "partitionkey" => &mut self.partitionkey,
            "traceparent" => &mut self.traceparent,
            "recordedtime" => &mut self.recordedtime,
            "sampledrate" => &mut self.sampledrate,
            "dataclassification" => &mut self.dataclassification,
            _ => return self.set_other(name, value),
        };
        if slot.is_some() {
            return self.note(bad(name, "occurs twice: send it once"));
        }
        match value {
            Attribute::Text(text) => *slot = Some(text),
            Attribute::Literal(text) if name == "sampledrate" => *slot = Some(Cow::Owned(text)),
            _ => self.note(bad(name, "must be a text")),
        }
    }

    fn set_other(&mut self, name: &str, value: Attribute<'a>) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return self.note(RejectReason::NotCloudEvent.because(format!(
                "an attribute name of {} bytes has other characters than a–z and 0–9: rename it, or move it into `data`",
                name.len()
            )));
        }
        self.others_seen += 1;
        if self.others.len() < self.others_limit {
            let json = match value {
                Attribute::Text(text) => serde_json::Value::String(text.into_owned()).to_string(),
                Attribute::Literal(json) => json,
                Attribute::Null | Attribute::Compound => return,
            };
            self.others.push((name.to_owned(), json));
        }
    }

    /// The required attributes are there and well formed.
    pub(crate) fn check(&mut self) -> Result<(), Reject> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        match self.specversion.as_deref() {
            Some("1.0") => {}
            None | Some("") => return Err(bad("specversion", "is missing: send 1.0")),
            Some(_) => return Err(RejectReason::UnsupportedSpecVersion.because("attribute `specversion` must be 1.0")),
        }
        for (name, value) in [("id", &self.id), ("source", &self.source), ("type", &self.ty)] {
            match value.as_deref() {
                None => return Err(bad(name, "is missing")),
                Some(v) if v.trim().is_empty() => return Err(bad(name, "is empty")),
                Some(v) if v.len() > IDENTITY_BYTES => return Err(bad(name, &format!("is longer than {IDENTITY_BYTES} bytes"))),
                Some(v) if v.chars().any(char::is_control) => return Err(bad(name, "has a control character")),
                Some(_) => {}
            }
        }
        if self.data.is_some_and(|d| d.get() == "null") {
            self.data = None;
        }
        if self.data.is_some() && self.data_base64.is_some() {
            return Err(bad("data_base64", "comes beside `data`: send one of them"));
        }
        Ok(())
    }
}

fn bad(name: &str, what: &str) -> Reject {
    RejectReason::NotCloudEvent.because(format!("attribute `{name}` {what}"))
}

/// Reads a whole event in structured mode.
pub(crate) fn from_json(text: &str, others_limit: usize) -> Result<Envelope<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let envelope = reader.deserialize_map(EnvelopeVisitor { others_limit })?;
    reader.end()?;
    Ok(envelope)
}

struct EnvelopeVisitor {
    others_limit: usize,
}

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::new(self.others_limit);
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "data" => {
                    let data = map.next_value::<&'de RawValue>()?;
                    if envelope.data.replace(data).is_some() {
                        envelope.note(bad("data", "occurs twice: send it once"));
                    }
                }
                "data_base64" => match map.next_value::<Attribute<'de>>()? {
                    Attribute::Null => {}
                    Attribute::Text(text) if envelope.data_base64.is_none() => envelope.data_base64 = Some(text),
                    _ => envelope.note(bad("data_base64", "must be one text in Base64")),
                },
                name => {
                    let value = map.next_value::<Attribute<'de>>()?;
                    envelope.set(name, value);
                }
            }
        }
        Ok(envelope)
    }
}

/// A text, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match d.deserialize_str(AttributeVisitor)? {
            Attribute::Text(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a name must be a text")),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Attribute<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AttributeVisitor)
    }
}

struct AttributeVisitor;

impl<'de> Visitor<'de> for AttributeVisitor {
    type Value = Attribute<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvents attribute")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Attribute::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Attribute::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Attribute::Literal(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Attribute::Literal(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Attribute::Literal(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Attribute::Compound, |n| Attribute::Literal(n.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Attribute::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Attribute::Compound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Attribute::Compound)
    }
}
