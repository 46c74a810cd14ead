//! JSON beneath the contract: cheap checks before reading, and error texts that never quote a record.

use std::fmt;

use groundswell_model::{Reject, RejectReason};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::{Limits, lenient};

/// The bytes as text of bounded size and depth.
pub(crate) fn checked<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Reject> {
    if bytes.len() > limits.event_bytes {
        return Err(too_large(bytes.len(), limits));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|e| RejectReason::NotJson.because(format!("byte {} is not UTF-8: send JSON in UTF-8", e.valid_up_to())))?;
    check_depth(bytes, limits)?;
    Ok(text)
}

pub(crate) fn too_large(bytes: usize, limits: &Limits) -> Reject {
    RejectReason::TooLarge
        .because(format!("{bytes} bytes, `limits.event_bytes` is {}: shorten the text or leave out attachments", limits.event_bytes))
}

fn check_depth(bytes: &[u8], limits: &Limits) -> Result<(), Reject> {
    let limit = limits.depth.min(Limits::DEEPEST);
    // Counting every bracket, those within texts too, is one fast pass that settles nearly all events.
    if memchr::memchr2_iter(b'{', b'[', bytes).count() <= limit {
        return Ok(());
    }
    match first_too_deep(bytes, limit) {
        None => Ok(()),
        Some(at) => Err(RejectReason::TooDeep.because(format!(
            "nested deeper than {limit} at byte {at}: flatten it, or raise `limits.depth` (at most {})",
            Limits::DEEPEST
        ))),
    }
}

fn first_too_deep(bytes: &[u8], limit: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The reject of an envelope that is not JSON, or not an object.
pub(crate) fn envelope_reject(text: &str, error: &serde_json::Error) -> Reject {
    match error.classify() {
        Category::Data => RejectReason::NotCloudEvent.because("the event must be a JSON object"),
        _ => not_json(text, error, 0),
    }
}

/// The elements of a JSON array, at most `most` of them, and how many there are: memory stays bounded whatever comes.
pub(crate) fn elements(text: &str, most: usize) -> Result<(Vec<&RawValue>, usize), Reject> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Elements { most }).and_then(|found| reader.end().map(|()| found));
    read.map_err(|e| match e.classify() {
        Category::Data => RejectReason::NotJson.because("a batch must be a JSON array of events"),
        _ => not_json(text, &e, 0),
    })
}

struct Elements {
    most: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = (Vec<&'de RawValue>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (mut kept, mut seen) = (Vec::new(), 0);
        while kept.len() < self.most {
            match items.next_element()? {
                Some(event) => kept.push(event),
                None => return Ok((kept, seen)),
            }
            seen += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            seen += 1;
        }
        Ok((kept, seen))
    }
}

fn not_json(text: &str, error: &serde_json::Error, offset: usize) -> Reject {
    // The words of a syntax error are the reader's own; only errors of the data may quote it.
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or("invalid");
    RejectReason::NotJson.because(format!("at byte {}: {words}", offset + byte_of(text, error)))
}

/// The offset that serde_json tells as line and column.
fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let lines_before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (lines_before + error.column().saturating_sub(1)).min(text.len())
}

/// The reject of a payload that does not fit its type. Reads it a second time to learn which field is to blame.
pub(crate) fn data_reject<T: DeserializeOwned>(text: &str, offset: usize, error: &serde_json::Error) -> Reject {
    if matches!(error.classify(), Category::Syntax | Category::Eof) && !error.to_string().starts_with("number out of range") {
        return not_json(text, error, offset);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => String::new(),
        Err(e) => readable_path(e.path()),
    };
    let field = if path.is_empty() { "`data`".to_owned() } else { format!("`data.{path}`") };
    let at = offset + byte_of(text, error);
    let words = error.to_string();
    // What follows the last "expected" is ours; what stands before it may quote the record.
    let expected = words.split(" at line ").next().and_then(|w| w.rsplit_once(", expected ")).map(|(_, e)| e);
    if let Some(rest) = words.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or("?");
        let parent = if path.is_empty() { String::new() } else { format!("{path}.") };
        return RejectReason::MissingField.because(format!("`data.{parent}{name}` is required"));
    }
    if words.starts_with("invalid type: null") {
        return RejectReason::MissingField.because(format!("{field} is null but required"));
    }
    if let Some(rest) = words.strip_prefix("duplicate field `") {
        let name = rest.split('`').next().unwrap_or("?");
        return RejectReason::InvalidData.because(format!("`data.{name}` occurs twice, the second time before byte {at}: send it once"));
    }
    if words.starts_with("number out of range") || (words.starts_with("invalid value") && expected == Some(lenient::NOT_WHOLE)) {
        return RejectReason::OutOfRange
            .because(format!("{field}, at byte {at}: must be {}", expected.unwrap_or("a number that fits 64 bits")));
    }
    RejectReason::InvalidData.because(format!("{field}, at byte {at}: must be {}", expected.unwrap_or("as the schema says")))
}

/// The path, without names that are not plain identifiers: those could hold anything.
fn readable_path(path: &serde_path_to_error::Path) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            serde_path_to_error::Segment::Seq { index } => out.push_str(&format!("[{index}]")),
            serde_path_to_error::Segment::Map { key } => {
                if !out.is_empty() {
                    out.push('.');
                }
                let plain = key.len() <= 32 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                out.push_str(if plain { key } else { "…" });
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brackets_within_texts_do_not_nest() {
        let limits = Limits { depth: 2, ..Limits::default() };
        assert!(checked(br#"{"a":"[[[[[[\"[[[["}"#, &limits).is_ok());
        assert!(checked(b"[[1],[2],[3],[4]]", &limits).is_ok());
        assert_eq!(checked(b"[[[1]]]", &limits).map_err(|r| (r.reason, r.detail.contains("byte 2"))), Err((RejectReason::TooDeep, true)));
    }

    #[test]
    fn what_is_not_utf8_is_told_by_its_byte() {
        let reject = checked(b"{\"a\":\"\xff\"}", &Limits::default());
        assert_eq!(reject.map_err(|r| r.detail), Err("byte 6 is not UTF-8: send JSON in UTF-8".to_owned()));
    }

    proptest! {
        #[test]
        fn what_passes_the_depth_check_is_not_deeper(text in r#"[\[\]{}"\\a:,]{0,80}"#) {
            let limits = Limits { depth: 3, ..Limits::default() };
            let passes = checked(text.as_bytes(), &limits).is_ok();
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                prop_assert_eq!(passes, depth(&value) <= 3);
            }
        }
    }

    fn depth(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}
