//! Dead letters: records that could not be used, written in the same step that passes over them.
//!
//! Key and value are the original's. What is known about it stands in headers that begin with `gs-`;
//! the original's own headers follow, each name with `orig-` before it.

use groundswell_model::Reject;

use crate::{NewRecord, Record, Topic, TopicNames};

/// Header: the stable reason.
pub const REASON: &str = "gs-reason";
/// Header: what exactly, where, and what to do.
pub const DETAIL: &str = "gs-detail";
/// Header: the service that refused it.
pub const SERVICE: &str = "gs-service";
/// Header: name of the topic it was read from.
pub const TOPIC: &str = "gs-topic";
/// Header: its partition there.
pub const PARTITION: &str = "gs-partition";
/// Header: its offset there.
pub const OFFSET: &str = "gs-offset";
/// Header: RFC 3339 time of the original record.
pub const TIME: &str = "gs-time";
/// Header: how many bytes the original value has, where it had to be cut to fit into a record.
pub const CUT: &str = "gs-cut-from";
/// Begins the names of the original's headers.
pub const ORIGINAL: &str = "orig-";

/// Bytes of a dead letter with its headers: Kafka takes 1 MiB by default, and a record that it does not take
/// would stop the pipeline for ever.
const MOST_BYTES: usize = 1_000_000;
/// Bytes of all original headers together; further ones are left out.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// The dead letter of a record.
#[must_use]
pub fn dead_letter(record: &Record<'_>, reject: &Reject, service: &str, names: &TopicNames) -> NewRecord {
    let mut letter = NewRecord { topic: Some(Topic::DeadLetters), key: record.key.to_vec(), ..NewRecord::default() }
        .header(REASON, reject.reason.name())
        .header(DETAIL, reject.detail.as_str())
        .header(SERVICE, service)
        .header(TOPIC, names.of(record.part.topic))
        .header(PARTITION, record.part.partition.to_string())
        .header(OFFSET, record.offset.0.to_string())
        .header(TIME, record.timestamp.rfc3339());
    let mut header_bytes = 0;
    for (name, value) in record.headers.iter() {
        header_bytes += ORIGINAL.len() + name.len() + value.len();
        if header_bytes <= MOST_HEADER_BYTES {
            letter.headers.push((format!("{ORIGINAL}{name}"), value.to_vec()));
        }
    }
    let beside = letter.key.len() + letter.headers.iter().map(|(n, v)| n.len() + v.len() + 16).sum::<usize>();
    let room = MOST_BYTES.saturating_sub(beside);
    letter.value = record.value.map(|value| value.get(..room).unwrap_or(value).to_vec());
    match record.value {
        Some(value) if value.len() > room => letter.header(CUT, value.len().to_string()),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use groundswell_model::{RejectReason, Timestamp};

    use super::*;
    use crate::{Batch, Offset, Part};

    fn letter_of(value: &[u8], header: &[u8]) -> NewRecord {
        let mut batch = Batch::default();
        let part = Part { topic: Topic::Usage, partition: 3 };
        batch.push(part, Offset(9), Timestamp(0), b"k", Some(value), [("ce_id", header)]);
        let record = batch.iter().next().unwrap();
        dead_letter(&record, &RejectReason::NotJson.because("at byte 0"), "ingest", &TopicNames::default())
    }

    #[test]
    fn a_letter_says_why_and_where_and_has_the_original() {
        let letter = letter_of(b"x", b"7");
        let header = |name: &str| letter.headers.iter().find(|(n, _)| n == name).map(|(_, v)| String::from_utf8(v.clone()).unwrap());
        assert_eq!((letter.key.as_slice(), letter.value.as_deref()), (&b"k"[..], Some(&b"x"[..])));
        for (name, value) in [
            (REASON, "not_json"),
            (DETAIL, "at byte 0"),
            (SERVICE, "ingest"),
            (TOPIC, "feedback.usage"),
            (PARTITION, "3"),
            (OFFSET, "9"),
            (TIME, "1970-01-01T00:00:00Z"),
            ("orig-ce_id", "7"),
        ] {
            assert_eq!(header(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(header(CUT), None);
    }

    #[test]
    fn a_letter_always_fits_into_a_record() {
        let letter = letter_of(&vec![b'x'; 2_000_000], &vec![b'h'; 200_000]);
        let bytes = letter.value.as_ref().unwrap().len() + letter.headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>();
        assert!(bytes <= MOST_BYTES, "{bytes}");
        assert!(letter.headers.iter().any(|(n, v)| n == CUT && v == b"2000000"));
    }
}
