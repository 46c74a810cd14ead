//! Blocks: the records of one partition and one write, compressed together and stored as one
//! value under the offset of the last of them. Pure: bytes in, bytes out.
//!
//! Layout, integers little-endian: version (1), records (4), newest timestamp (8), bytes when
//! decompressed (4), then LZ4. Inside, a record is: timestamp (8), key, value, number of headers,
//! each a name and a value; texts and bytes carry their length as a varint; the value's length is
//! raised by one and zero is a tombstone.

use groundswell_model::Timestamp;

use crate::{Batch, NewRecord, Offset, Part};

const VERSION: u8 = 1;
const HEAD: usize = 17;
/// A block is closed once it holds this much: what a read from the middle has to decompress in vain.
const FULL_BYTES: usize = 512 * 1024;
/// LZ4 makes at most 255 bytes of one.
const MOST_PACKED: usize = 255;

/// A block that can't be read: the store was damaged, or written by another version.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged block: {0}")]
pub(super) struct Damaged(pub(super) &'static str);

/// Gathers the records of one partition.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    raw: Vec<u8>,
    records: u32,
}

impl BlockWriter {
    pub(super) fn push(&mut self, record: &NewRecord, at: Timestamp) {
        let raw = &mut self.raw;
        raw.extend_from_slice(&at.0.to_le_bytes());
        put_bytes(raw, &record.key);
        match &record.value {
            Some(value) => {
                put_varint(raw, value.len() as u64 + 1);
                raw.extend_from_slice(value);
            }
            None => put_varint(raw, 0),
        }
        put_varint(raw, record.headers.len() as u64);
        for (name, value) in &record.headers {
            put_bytes(raw, name.as_bytes());
            put_bytes(raw, value);
        }
        self.records += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.raw.len() >= FULL_BYTES
    }

    /// The block of `newest` records and how many they are; starts the next one. None if nothing is in.
    pub(super) fn take(&mut self, newest: Timestamp) -> Option<(Vec<u8>, u32)> {
        let records = std::mem::take(&mut self.records);
        if records == 0 {
            return None;
        }
        let mut block = vec![0; HEAD + lz4_flex::block::get_maximum_output_size(self.raw.len())];
        block[0] = VERSION;
        block[1..5].copy_from_slice(&records.to_le_bytes());
        block[5..13].copy_from_slice(&newest.0.to_le_bytes());
        block[13..HEAD].copy_from_slice(&u32::try_from(self.raw.len()).unwrap_or(u32::MAX).to_le_bytes());
        // The room is the maximum, so this can't fail; an empty payload would be found damaged when read.
        let packed = lz4_flex::block::compress_into(&self.raw, &mut block[HEAD..]).unwrap_or(0);
        block.truncate(HEAD + packed);
        self.raw.clear();
        Some((block, records))
    }
}

/// When the newest record of a block was taken.
pub(super) fn newest(block: &[u8]) -> Result<Timestamp, Damaged> {
    let bytes = block.get(5..13).and_then(|b| b.try_into().ok()).ok_or(Damaged("head cut off"))?;
    Ok(Timestamp(i64::from_le_bytes(bytes)))
}

/// What to take from blocks: from an offset on, before an end, as much as fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) part: Part,
    pub(super) from: Offset,
    pub(super) to: Offset,
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// Adds the wanted records of the block that ends at `last`; says whether more would be welcome.
pub(super) fn read(block: &[u8], last: Offset, want: &Want, scratch: &mut Vec<u8>, batch: &mut Batch) -> Result<bool, Damaged> {
    let records = unpack(block, scratch)?;
    let first = (last.0 + 1).checked_sub(u64::from(records)).ok_or(Damaged("more records than offsets"))?;
    let mut rest = scratch.as_slice();
    for i in 0..u64::from(records) {
        let offset = Offset(first + i);
        if offset >= want.to {
            return Ok(false);
        }
        let record = take_record(&mut rest)?;
        if offset < want.from {
            continue;
        }
        if batch.len() >= want.records || (!batch.is_empty() && batch.bytes() + record.size() > want.bytes) {
            return Ok(false);
        }
        batch.push(want.part, offset, record.at, record.key, record.value, record.headers());
    }
    Ok(true)
}

fn unpack(block: &[u8], scratch: &mut Vec<u8>) -> Result<u32, Damaged> {
    let (head, packed) = block.split_at_checked(HEAD).ok_or(Damaged("head cut off"))?;
    if head[0] != VERSION {
        return Err(Damaged("unknown version"));
    }
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let bytes = number(13) as usize;
    // A damaged head must not ask for gigabytes.
    if bytes > packed.len().saturating_mul(MOST_PACKED) {
        return Err(Damaged("larger than it can be"));
    }
    scratch.clear();
    scratch.resize(bytes, 0);
    match lz4_flex::block::decompress_into(packed, scratch) {
        Ok(n) if n == scratch.len() => Ok(number(1)),
        _ => Err(Damaged("does not decompress")),
    }
}

struct Raw<'a> {
    at: Timestamp,
    key: &'a [u8],
    value: Option<&'a [u8]>,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Raw<'a> {
    fn size(&self) -> usize {
        self.key.len() + self.value.map_or(0, <[u8]>::len) + self.headers.iter().map(|(_, v)| v.len()).sum::<usize>()
    }

    fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.iter().copied()
    }
}

fn take_record<'a>(rest: &mut &'a [u8]) -> Result<Raw<'a>, Damaged> {
    let at = take(rest, 8)?.try_into().map_err(|_| Damaged("time cut off"))?;
    let key = take_bytes(rest)?;
    let value = match take_varint(rest)? {
        0 => None,
        n => Some(take(rest, n - 1)?),
    };
    let count = take_varint(rest)?;
    // An empty Vec allocates nothing: most records have no headers.
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = std::str::from_utf8(take_bytes(rest)?).map_err(|_| Damaged("header name"))?;
        headers.push((name, take_bytes(rest)?));
    }
    Ok(Raw { at: Timestamp(i64::from_le_bytes(at)), key, value, headers })
}

fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8], n: u64) -> Result<&'a [u8], Damaged> {
    let n = usize::try_from(n).map_err(|_| Damaged("length"))?;
    let (taken, left) = rest.split_at_checked(n).ok_or(Damaged("cut off"))?;
    *rest = left;
    Ok(taken)
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, Damaged> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first().ok_or(Damaged("cut off"))?;
        *rest = left;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(n);
        }
    }
    Err(Damaged("number too long"))
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Damaged> {
    let n = take_varint(rest)?;
    take(rest, n)
}

/// Reads a block as a damaged disk might give it: for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub fn fuzz(block: &[u8]) {
    let part = Part { topic: crate::Topic::Events, partition: 0 };
    let want = Want { part, from: Offset(0), to: Offset(u64::MAX), records: 1000, bytes: 1 << 20 };
    let mut batch = Batch::default();
    // What it says does not matter here, only that it says something.
    drop(read(block, Offset(u64::MAX - 1), &want, &mut Vec::new(), &mut batch));
    drop(newest(block));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Topic;

    const PART: Part = Part { topic: Topic::Usage, partition: 1 };

    fn record() -> impl Strategy<Value = NewRecord> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..300);
        let headers = prop::collection::vec(("[a-z_]{1,12}", bytes()), 0..4);
        (bytes(), prop::option::of(bytes()), headers).prop_map(|(key, value, headers)| NewRecord {
            topic: Some(Topic::Usage),
            partition: None,
            key,
            headers,
            value,
        })
    }

    fn all(from: u64, to: u64) -> Want {
        Want { part: PART, from: Offset(from), to: Offset(to), records: usize::MAX, bytes: usize::MAX }
    }

    #[test]
    fn a_damaged_head_asks_for_no_gigabytes() {
        let mut block = vec![VERSION; 1];
        block.extend_from_slice(&[0; HEAD - 5]);
        block.extend_from_slice(&u32::MAX.to_le_bytes());
        block.extend_from_slice(&[0x10, b'a']);
        assert_eq!(unpack(&block, &mut Vec::new()), Err(Damaged("larger than it can be")));
    }

    proptest! {
        #[test]
        fn a_block_gives_back_any_range_of_what_was_put_in(records in prop::collection::vec(record(), 1..40), from in 0u64..45, len in 0u64..45) {
            let mut writer = BlockWriter::default();
            for (i, r) in records.iter().enumerate() {
                writer.push(r, Timestamp(i as i64));
            }
            let (block, count) = writer.take(Timestamp(99)).unwrap();
            prop_assert_eq!((count as usize, newest(&block)), (records.len(), Ok(Timestamp(99))));
            let first = 1000;
            let want = all(first + from, first + from + len);
            let mut batch = Batch::default();
            let last = Offset(first + u64::from(count) - 1);
            read(&block, last, &want, &mut Vec::new(), &mut batch).unwrap();
            let expected: Vec<_> = records.iter().enumerate().filter(|(i, _)| (*i as u64) >= from && (*i as u64) < from + len).collect();
            prop_assert_eq!(batch.len(), expected.len());
            for (got, (i, put)) in batch.iter().zip(expected) {
                prop_assert_eq!((got.offset.0, got.timestamp.0, got.key, got.value), (first + i as u64, i as i64, put.key.as_slice(), put.value.as_deref()));
                let headers: Vec<_> = got.headers.iter().map(|(n, v)| (n.to_owned(), v.to_vec())).collect();
                prop_assert_eq!(&headers, &put.headers);
            }
        }

        #[test]
        fn damage_is_an_error_and_never_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..2) {
            if bytes.len() > 17 {
                bytes[0] = version;
            }
            let mut batch = Batch::default();
            let _damaged = read(&bytes, Offset(7), &all(0, 100), &mut Vec::new(), &mut batch);
        }
    }

    #[test]
    fn a_read_stops_at_its_budget_but_takes_one_big_record() {
        let mut writer = BlockWriter::default();
        for _ in 0..3 {
            writer.push(&NewRecord::on(Topic::Usage, 1, vec![7; 900]), Timestamp(0));
        }
        let (block, _) = writer.take(Timestamp(0)).unwrap();
        let mut batch = Batch::default();
        let more = read(&block, Offset(2), &Want { bytes: 100, ..all(0, 3) }, &mut Vec::new(), &mut batch);
        assert_eq!((more, batch.len()), (Ok(false), 1));
    }
}
