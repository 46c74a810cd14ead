//! Fields that the contract does not name: kept within bounds, without personal data.

use std::borrow::Cow;

use groundswell_contract::Decoded;
use serde_json::{Map, Value};

use super::{Door, cut};

/// Name and JSON text of unknown fields.
pub(super) type Attributes = Vec<(String, String)>;

impl Door {
    /// Unknown fields of the payload first, then unknown extensions.
    pub(super) fn attributes(&self, event: &Decoded, fields: &Map<String, Value>, names: &[&str]) -> Attributes {
        let of_data = fields.iter().filter(|(_, v)| !v.is_null()).map(|(name, value)| (name.as_str(), Cow::Owned(value.to_string())));
        let of_envelope = event.extensions.others.iter().map(|(name, json)| (name.as_str(), Cow::Borrowed(json.as_str())));
        of_data.chain(of_envelope).take(self.attributes).map(|(name, json)| self.attribute(name, json, names)).collect()
    }

    fn attribute(&self, name: &str, json: Cow<'_, str>, names: &[&str]) -> (String, String) {
        let name = cut(name, self.attribute_bytes / 4);
        // What is cut off anyway need not be looked at; a good margin stays, so that no half of a secret is kept.
        let most = 4 * self.attribute_bytes;
        let json = if json.len() > most { Cow::Owned(cut(&json, most).to_owned()) } else { json };
        // Together, because a name such as `password` says what its value is.
        let field = format!("\"{name}\":{json}");
        let redacted = self.redactor.redact(&field, names);
        if redacted.counts.is_empty() {
            return (name.to_owned(), self.bounded(name, json));
        }
        let before = name.len() + 3;
        let value = match redacted.text.get(..before) == field.get(..before) {
            true => redacted.text.get(before..).unwrap_or_default(),
            // The name itself was personal.
            false => return ("redacted".to_owned(), "true".to_owned()),
        };
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
        let json = if is_json { value.to_owned() } else { Value::from(value.trim_matches('"')).to_string() };
        (name.to_owned(), self.bounded(name, Cow::Owned(json)))
    }

    /// What is too long is cut and becomes a text: it would no longer be JSON.
    fn bounded(&self, name: &str, json: Cow<'_, str>) -> String {
        let room = self.attribute_bytes.saturating_sub(name.len());
        if json.len() <= room {
            return json.into_owned();
        }
        let inner = json.trim_matches('"');
        Value::from(format!("{}…", cut(inner, room.saturating_sub(8) / 2))).to_string()
    }
}
