//! What an event says, as one hash: the same identity with another hash is a conflict.

use groundswell_model::ContentHash;
use serde::Serialize;

use crate::{Data, Decoded};

/// Hashes type, time, subject, sample rate and payload, normalised: the order of fields, blanks, null fields and the
/// notation of numbers do not matter. Left out is what a second delivery may change: how the event was carried and
/// extensions (`recordedtime`, `partitionkey`, trace context, what a broker adds). `buffer` is only memory to be used again.
#[must_use]
pub fn content_hash(event: &Decoded, buffer: &mut Vec<u8>) -> ContentHash {
    buffer.clear();
    buffer.extend_from_slice(event.ty().name().as_bytes());
    buffer.push(0);
    buffer.extend_from_slice(&event.time.map_or(i64::MIN, |t| t.0).to_le_bytes());
    buffer.extend_from_slice(&event.sampled().to_le_bytes());
    buffer.extend_from_slice(event.subject.as_deref().unwrap_or_default().as_bytes());
    buffer.push(0);
    match &event.data {
        Data::Ticket(data) => write(data, buffer),
        Data::Survey(data) => write(data, buffer),
        Data::Usage(data) => write(data, buffer),
        Data::Release(data) => write(data, buffer),
        Data::Identity(data) => write(data, buffer),
        Data::Correction(data) => write(data, buffer),
        Data::Theme(data) => write(data, buffer),
    }
    ContentHash::of(buffer)
}

/// The JSON of our own types: fields in the order of the type, absent ones left out, unknown ones sorted by name.
fn write<T: Serialize>(data: &T, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    if serde_json::to_writer(&mut *buffer, data).is_err() {
        // Writing to memory fails for no value of these types; hash what there is rather than nothing.
        buffer.truncate(start);
    }
}
