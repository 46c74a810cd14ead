//! Media types of events and of their data.

/// How a content type says that an event is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// `application/cloudevents+json`: the whole event is in the body.
    Structured,
    /// `application/cloudevents-batch+json`: a JSON array of whole events.
    Batch,
    /// `application/x-ndjson`: one whole event a line.
    Lines,
    /// CloudEvents in a format other than JSON.
    OtherFormat,
    /// JSON: data of an event whose attributes are in headers.
    Json,
    /// Anything else.
    Other,
}

/// Reads a content type; parameters do not matter, except a charset that is not UTF-8.
#[must_use]
pub fn carried(content_type: &str) -> Carried {
    let (media, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let media = media.trim();
    let is = |other: &str| media.eq_ignore_ascii_case(other);
    if !is_utf8(parameters) {
        Carried::Other
    } else if is("application/cloudevents+json") {
        Carried::Structured
    } else if is("application/cloudevents-batch+json") {
        Carried::Batch
    } else if is("application/x-ndjson") || is("application/jsonl") || is("application/x-jsonlines") {
        Carried::Lines
    } else if media.get(..23).is_some_and(|m| m.eq_ignore_ascii_case("application/cloudevents")) {
        Carried::OtherFormat
    } else if is("application/json") || is("text/json") || ends_with_json(media) {
        Carried::Json
    } else {
        Carried::Other
    }
}

fn ends_with_json(media: &str) -> bool {
    media.len() > 5 && media.as_bytes()[media.len() - 5..].eq_ignore_ascii_case(b"+json")
}

fn is_utf8(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|p| p.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .all(|charset| {
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8") || charset.eq_ignore_ascii_case("us-ascii")
        })
}

/// Whether data of this type is JSON in UTF-8.
#[must_use]
pub fn is_json(content_type: &str) -> bool {
    carried(content_type) == Carried::Json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_without_regard_to_case_and_parameters() {
        let of = |t| carried(t);
        assert_eq!(of("Application/CloudEvents+JSON; charset=UTF-8"), Carried::Structured);
        assert_eq!(of("application/cloudevents-batch+json"), Carried::Batch);
        assert_eq!(of("application/cloudevents+avro"), Carried::OtherFormat);
        assert_eq!(of("application/vnd.acme+json"), Carried::Json);
        assert_eq!(of("application/json; charset=\"utf-8\""), Carried::Json);
        assert_eq!(of("application/json; charset=iso-8859-1"), Carried::Other);
        assert_eq!(of("text/xml"), Carried::Other);
        assert_eq!(of("ä+json"), Carried::Json);
        assert_eq!(of("ßßßßßßßßßßßßßßßßßßßßß"), Carried::Other);
    }
}
