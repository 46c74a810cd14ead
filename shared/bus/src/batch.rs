//! Records on their way in and out.

use std::collections::BTreeMap;

use groundswell_model::Timestamp;

use crate::{Offset, Part, Topic};

/// Memory kept for the next batch is at most so many times what the last one used.
const MOST_UNUSED: usize = 4;
/// Less is always kept.
const KEPT_BYTES: usize = 64 * 1024;

/// Records read together, in one piece of memory. Within a partition they are in order.
#[derive(Debug, Default)]
pub struct Batch {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// Names of headers, one behind the other: a record costs no allocation of its own.
    names: String,
    headers: Vec<Header>,
}

/// A header: where its name is in `names` and its value in `arena`.
#[derive(Clone, Debug)]
struct Header {
    name: std::ops::Range<usize>,
    value: std::ops::Range<usize>,
}

#[derive(Debug)]
struct Entry {
    part: Part,
    offset: Offset,
    timestamp: Timestamp,
    key: std::ops::Range<usize>,
    value: Option<std::ops::Range<usize>>,
    headers: std::ops::Range<usize>,
}

/// One record, borrowed from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where it was read.
    pub part: Part,
    /// Its offset there.
    pub offset: Offset,
    /// When the broker (or the embedded log) took it, or what its producer said.
    pub timestamp: Timestamp,
    /// Key; empty if none.
    pub key: &'a [u8],
    /// Value; none for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in order.
    pub headers: Headers<'a>,
}

/// The headers of one record.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    arena: &'a [u8],
    names: &'a str,
    list: &'a [Header],
}

impl<'a> Headers<'a> {
    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let (arena, names) = (self.arena, self.names);
        self.list.iter().map(move |h| (&names[h.name.clone()], &arena[h.value.clone()]))
    }

    /// The first value of a name, compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Batch {
    /// Copies one record in.
    pub fn push<'h>(
        &mut self,
        part: Part,
        offset: Offset,
        timestamp: Timestamp,
        key: &[u8],
        value: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) {
        let key = self.store(key);
        let value = value.map(|v| self.store(v));
        let first = self.headers.len();
        for (name, bytes) in headers {
            let value = self.store(bytes);
            let start = self.names.len();
            self.names.push_str(name);
            self.headers.push(Header { name: start..self.names.len(), value });
        }
        self.entries.push(Entry { part, offset, timestamp, key, value, headers: first..self.headers.len() });
    }

    fn store(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        start..self.arena.len()
    }

    /// Makes room for so many bytes at once: growing bit by bit would hold up to three times as much for a moment.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        self.arena.reserve_exact(bytes.saturating_sub(self.arena.len()));
    }

    /// Copies the records of another batch behind those of this one.
    pub(crate) fn append(&mut self, other: &Self) {
        for record in other.iter() {
            self.push(record.part, record.offset, record.timestamp, record.key, record.value, record.headers.iter());
        }
    }

    /// The records, in order within each partition.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|e| Record {
            part: e.part,
            offset: e.offset,
            timestamp: e.timestamp,
            key: &self.arena[e.key.clone()],
            value: e.value.clone().map(|v| &self.arena[v]),
            headers: Headers { arena: &self.arena, names: &self.names, list: &self.headers[e.headers.clone()] },
        })
    }

    /// How many records are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys, values and headers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.arena.len()
    }

    /// Empties it, keeping its memory if that was used well: after a backlog, memory for large batches is given back.
    pub(crate) fn emptied(mut self) -> Self {
        if self.arena.capacity() / MOST_UNUSED > self.arena.len().max(KEPT_BYTES) {
            return Self::default();
        }
        self.clear();
        self
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
        self.names.clear();
        self.headers.clear();
    }

    /// The next offset of every partition that was read: what a step commits.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<Part, Offset> {
        let mut positions = BTreeMap::new();
        for run in self.entries.chunk_by(|a, b| a.part == b.part) {
            if let Some(last) = run.last() {
                positions.insert(last.part, last.offset.next());
            }
        }
        positions
    }
}

/// A record to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// The topic; none only in a default value.
    pub topic: Option<Topic>,
    /// The partition; where none is given, the key decides by [`groundswell_model::partition_of`].
    pub partition: Option<u32>,
    /// The key.
    pub key: Vec<u8>,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value; none is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl NewRecord {
    /// A record whose key decides the partition.
    #[must_use]
    pub fn keyed(topic: Topic, key: impl Into<Vec<u8>>, value: Vec<u8>) -> Self {
        Self { topic: Some(topic), key: key.into(), value: Some(value), ..Self::default() }
    }

    /// A record without a key, for one partition.
    #[must_use]
    pub fn on(topic: Topic, partition: u32, value: Vec<u8>) -> Self {
        Self { topic: Some(topic), partition: Some(partition), value: Some(value), ..Self::default() }
    }

    /// This record with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gives_back_what_was_put_in_and_knows_its_positions() {
        let part = Part { topic: Topic::Usage, partition: 3 };
        let mut batch = Batch::default();
        batch.push(part, Offset(7), Timestamp(1), b"k", Some(b"v"), [("ce_id", b"1".as_slice())]);
        batch.push(part, Offset(9), Timestamp(2), b"", None, []);
        let records: Vec<_> = batch.iter().collect();
        assert_eq!((records[0].key, records[0].value, records[0].headers.get("CE_ID")), (&b"k"[..], Some(&b"v"[..]), Some(&b"1"[..])));
        assert_eq!((records[1].value, records[1].headers.is_empty()), (None, true));
        assert_eq!(batch.positions(), BTreeMap::from([(part, Offset(10))]));
    }

    #[test]
    fn batches_are_joined_and_memory_is_kept_only_where_it_is_used() {
        let part = |partition| Part { topic: Topic::Usage, partition };
        let (mut first, mut second) = (Batch::default(), Batch::default());
        first.push(part(0), Offset(1), Timestamp(1), b"a", Some(&[7; 1_000_000]), [("h", b"1".as_slice())]);
        second.push(part(1), Offset(4), Timestamp(2), b"b", None, [("i", b"2".as_slice())]);
        first.append(&second);
        let last = first.iter().last().map(|r| (r.part, r.key.to_vec(), r.value, r.headers.get("i").map(<[u8]>::to_vec)));
        assert_eq!(last, Some((part(1), b"b".to_vec(), None, Some(b"2".to_vec()))));
        assert_eq!(first.positions(), BTreeMap::from([(part(0), Offset(2)), (part(1), Offset(5))]));

        let mut kept = first.emptied();
        assert!(kept.is_empty() && kept.arena.capacity() >= 1_000_000);
        kept.append(&second);
        assert_eq!(kept.emptied().arena.capacity(), 0);
    }
}
