//! The tables, their keys and how values are packed.

use groundswell_model::{Day, Hour};
use redb::{TableDefinition, TableHandle};
use serde::{Serialize, de::DeserializeOwned};

use super::cells::Presence;
use super::error::Fault;

/// Raised with any change of a table or a value in it.
pub(super) const FORMAT: u64 = 4;

/// Version id first, so that a version is one range of every table; then what the table says.
pub(super) type Key = (u32, u32, u32);
/// The same where an operation has days.
pub(super) type DayKey = (u32, u32, u32, u32);
/// A table of values in postcard.
pub(super) type Cells = TableDefinition<'static, Key, &'static [u8]>;

/// Numbers about the store: see the `META_` names.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// Format of the store.
pub(super) const META_FORMAT: &str = "format";
/// Everything before this offset is in.
pub(super) const META_CHECKPOINT: &str = "checkpoint";
/// How many commits there were: tells whether a commit that failed half-way is in.
pub(super) const META_COMMITS: &str = "commits";

/// Kind and name to id.
pub(super) const IDS: TableDefinition<'static, (u8, &[u8]), u32> = TableDefinition::new("ids");
/// Kind and id to name.
pub(super) const NAMES: TableDefinition<'static, (u8, u32), &[u8]> = TableDefinition::new("names");

/// (version, 0, 0) → totals.
pub(super) const VERSIONS: Cells = TableDefinition::new("versions");
/// (version, operation, 0) → totals.
pub(super) const OPERATIONS: Cells = TableDefinition::new("operations");
/// (version, day, operation) → traffic.
pub(super) const DAYS: Cells = TableDefinition::new("days");
/// (version, hour, operation) → traffic.
pub(super) const HOURS: Cells = TableDefinition::new("hours");
/// (version, day, 0) → how many consumers.
pub(super) const ACTIVE: Cells = TableDefinition::new("active");
/// (version, day, block of consumers) → presence of each.
pub(super) const PRESENCE: Cells = TableDefinition::new("presence");
/// (version, 0, block of consumers) → totals of each.
pub(super) const CONSUMERS: Cells = TableDefinition::new("consumers");
/// (version, operation, block of consumers) → totals of each.
pub(super) const REACH: Cells = TableDefinition::new("reach");
/// (version, operation, day, block of consumers) → calls of each. The operation comes before the day: who asks, asks about one.
pub(super) const OPERATION_DAYS: TableDefinition<'static, DayKey, &'static [u8]> = TableDefinition::new("operation_days");
/// (version, kind, consumer) → milestone.
pub(super) const MILESTONES: Cells = TableDefinition::new("milestones");

/// (version, day, block of consumers) → latencies of each.
pub(super) const LATENCY: Cells = TableDefinition::new("latency");

/// Every table that has versions in it, but for [`OPERATION_DAYS`], whose key is longer.
pub(super) const BY_VERSION: [Cells; 10] = [VERSIONS, OPERATIONS, DAYS, HOURS, ACTIVE, PRESENCE, CONSUMERS, REACH, MILESTONES, LATENCY];

/// Consumers in one value of [`PRESENCE`], [`CONSUMERS`] and [`REACH`]: a full value fits in a page of 4 KiB.
pub(super) const BLOCK: u32 = 128;
/// Consumers in one value of [`OPERATION_DAYS`], as many as a place can tell: each has four bytes or so, and rows are what a commit costs.
pub(super) const OPERATION_BLOCK: u32 = 256;
/// Consumers in one value of [`LATENCY`], where each has some 20 to 300 bytes.
pub(super) const LATENCY_BLOCK: u32 = 16;

/// The block of `size` consumers that a consumer is in, and its place there.
pub(super) fn block_of(consumer: u32, size: u32) -> (u32, u8) {
    // The remainder is below the size, which is at most 256.
    (consumer / size, u8::try_from(consumer % size).unwrap_or(u8::MAX))
}

/// The consumer at a place of a block of `size`.
pub(super) fn consumer_at(block: u32, place: u8, size: u32) -> u32 {
    block.saturating_mul(size).saturating_add(u32::from(place))
}

/// A signed number as one that sorts the same way.
fn sortable(number: i32) -> u32 {
    number.cast_unsigned() ^ (1 << 31)
}

pub(super) fn hour_key(hour: Hour) -> u32 {
    sortable(hour.0)
}

pub(super) fn day_key(day: Day) -> u32 {
    sortable(day.0)
}

pub(super) fn hour_of_key(key: u32) -> Hour {
    Hour((key ^ (1 << 31)).cast_signed())
}

pub(super) fn day_of_key(key: u32) -> Day {
    Day((key ^ (1 << 31)).cast_signed())
}

pub(super) fn decode<T: DeserializeOwned>(table: &impl TableHandle, bytes: &[u8]) -> Result<T, Fault> {
    postcard::from_bytes(bytes).map_err(|e| Fault::Damaged { table: table.name().to_owned(), why: e.to_string() })
}

/// Tells each consumer's cell of a row of blocks: what [`decode`] would give, without a list of them.
pub(super) fn each_cell<T: DeserializeOwned>(table: &impl TableHandle, mut bytes: &[u8], mut each: impl FnMut(u8, T)) -> Result<(), Fault> {
    let mut read = || {
        // Postcard writes a sequence as its length and its items.
        for _ in 0..take::<u64>(&mut bytes)? {
            let (place, cell) = take(&mut bytes)?;
            each(place, cell);
        }
        Ok(())
    };
    read().map_err(|e: postcard::Error| Fault::Damaged { table: table.name().to_owned(), why: e.to_string() })
}

/// The same of a row of [`PRESENCE`]: there are hundreds of thousands, so numbers are read without a look at what they are in.
pub(super) fn each_presence(bytes: &[u8], mut each: impl FnMut(u8, Presence)) -> Result<(), Fault> {
    let mut packed = Packed(bytes);
    let mut read = || {
        for _ in 0..packed.number()? {
            let place = packed.byte()?;
            each(place, Presence { calls: packed.number()?, failed: packed.number()?, rate_limited: packed.number()? });
        }
        Some(())
    };
    read().ok_or_else(|| damaged(&PRESENCE))
}

/// Tells each consumer's buckets of a row of [`LATENCY`]: what [`decode`] would give, without a list for each. There are millions.
pub(super) fn each_latency(bytes: &[u8], buckets: &mut Vec<(i16, u64)>, mut each: impl FnMut(u8, &[(i16, u64)])) -> Result<(), Fault> {
    let mut packed = Packed(bytes);
    let mut read = || {
        for _ in 0..packed.number()? {
            let (place, length) = (packed.byte()?, packed.number()?);
            buckets.clear();
            for _ in 0..length {
                buckets.push((packed.signed()?, packed.number()?));
            }
            each(place, buckets);
        }
        Some(())
    };
    read().ok_or_else(|| damaged(&LATENCY))
}

fn damaged(table: &impl TableHandle) -> Fault {
    Fault::Damaged { table: table.name().to_owned(), why: "it ends early, or a number in it is too large".to_owned() }
}

/// Numbers as postcard packs them: seven bits a byte, the lowest first; signed ones with the sign as the lowest bit.
struct Packed<'a>(&'a [u8]);

impl Packed<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                // The tenth byte has one bit left.
                return (bits << shift >> shift == bits).then_some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i16> {
        let packed = u16::try_from(self.number()?).ok()?;
        Some((packed >> 1).cast_signed() ^ -(packed & 1).cast_signed())
    }
}

fn take<'a, T: serde::Deserialize<'a>>(bytes: &mut &'a [u8]) -> Result<T, postcard::Error> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    *bytes = rest;
    Ok(value)
}

/// Packs a value into `buffer`, in place of what is there.
pub(super) fn encode<T: Serialize>(table: &impl TableHandle, value: &T, buffer: &mut Vec<u8>) -> Result<(), Fault> {
    buffer.clear();
    *buffer = postcard::to_extend(value, std::mem::take(buffer))
        .map_err(|e| Fault::Damaged { table: table.name().to_owned(), why: e.to_string() })?;
    Ok(())
}

/// Reads a row as a damaged disk might give it, as every table would: for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub fn fuzz(bytes: &[u8]) {
    use super::cells::{ConsumerTotals, OperationDay, Reach, Traffic, VersionTotals};
    // What is said of damage does not matter here, only that it is said.
    drop(each_presence(bytes, |_, _| ()));
    drop(each_latency(bytes, &mut Vec::new(), |_, _| ()));
    drop(each_cell(&CONSUMERS, bytes, |_, _: ConsumerTotals| ()));
    drop(each_cell(&OPERATION_DAYS, bytes, |_, _: OperationDay| ()));
    drop(each_cell(&REACH, bytes, |_, _: Reach| ()));
    drop(decode::<Traffic>(&HOURS, bytes));
    drop(decode::<VersionTotals>(&VERSIONS, bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use groundswell_model::LatencyBuckets;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_like_days(a: i32, b: i32) {
            prop_assert_eq!(a.cmp(&b), day_key(Day(a)).cmp(&day_key(Day(b))));
            prop_assert_eq!(day_of_key(day_key(Day(a))), Day(a));
        }

        #[test]
        fn latencies_told_one_by_one_are_those_decoded_at_once(
            row in proptest::collection::vec((any::<u8>(), proptest::collection::vec((0.01f64..1e6, 1u64..9), 0..6)), 0..6),
        ) {
            let row: Vec<(u8, LatencyBuckets)> = row.into_iter().map(|(place, calls)| {
                let mut latency = LatencyBuckets::default();
                calls.into_iter().for_each(|(ms, count)| latency.add(ms, count));
                (place, latency)
            }).collect();
            let mut bytes = Vec::new();
            encode(&LATENCY, &row, &mut bytes).unwrap();
            let mut told = Vec::new();
            each_latency(&bytes, &mut Vec::new(), |place, buckets| told.push((place, buckets.to_vec()))).unwrap();
            let wanted: Vec<_> = row.iter().map(|(place, latency)| (*place, latency.buckets().to_vec())).collect();
            prop_assert_eq!(told, wanted);
            if !bytes.is_empty() && !row.is_empty() {
                let cut = each_latency(&bytes[..bytes.len() - 1], &mut Vec::new(), |_, _| {});
                prop_assert!(cut.is_err());
            }
        }

        #[test]
        fn presence_told_one_by_one_is_that_decoded_at_once(row in proptest::collection::vec((any::<u8>(), any::<(u64, u64, u64)>(), 0u32..64), 0..6)) {
            let of = |(calls, failed, rate_limited): (u64, u64, u64), by: u32| Presence {
                calls: calls >> by, failed: failed >> (by / 2), rate_limited: rate_limited >> (63 - by),
            };
            let row: Vec<(u8, Presence)> = row.into_iter().map(|(place, counts, by)| (place, of(counts, by))).collect();
            let mut bytes = Vec::new();
            encode(&PRESENCE, &row, &mut bytes).unwrap();
            let mut told = Vec::new();
            each_presence(&bytes, |place, presence| told.push((place, presence))).unwrap();
            prop_assert_eq!(&told, &row);
            prop_assert!(each_presence(&bytes[..bytes.len() - 1], |_, _| ()).is_err());
        }

        #[test]
        fn numbers_are_read_as_they_are_packed(number: u64, signed: i16, by in 0u32..64) {
            let bytes = postcard::to_stdvec(&(number >> by, signed, 7u8)).unwrap();
            let mut packed = Packed(&bytes);
            prop_assert_eq!((packed.number(), packed.signed(), packed.byte(), packed.byte()), (Some(number >> by), Some(signed), Some(7), None));
        }

        #[test]
        fn cells_told_one_by_one_are_those_decoded_at_once(row in proptest::collection::vec((any::<u8>(), any::<(u64, Option<u32>)>()), 0..6)) {
            let mut bytes = Vec::new();
            encode(&CONSUMERS, &row, &mut bytes).unwrap();
            let mut told = Vec::new();
            each_cell(&CONSUMERS, &bytes, |place, cell: (u64, Option<u32>)| told.push((place, cell))).unwrap();
            prop_assert_eq!(&told, &row);
            let cut = each_cell(&CONSUMERS, &bytes[..bytes.len() - 1], |_, _: (u64, Option<u32>)| ());
            prop_assert!(cut.is_err());
        }

        #[test]
        fn a_consumer_is_found_at_its_place(consumer: u32) {
            for size in [BLOCK, OPERATION_BLOCK, LATENCY_BLOCK] {
                let (block, place) = block_of(consumer, size);
                prop_assert_eq!(consumer_at(block, place, size), consumer);
            }
        }
    }
}
