//! Frames: many events or instructions of one partition packed in one record of a topic of ours.
//!
//! A hop over Kafka costs mostly by the record, not by the byte, so one frame a partition and step
//! makes the hop cheap. Layout: one byte [`VERSION`], then items in postcard, one behind the other.

use serde::{Serialize, de::DeserializeOwned};

/// First byte of a frame. A change of any type carried in a frame raises it.
///
/// 2: insights keep deciding events and flags, journals keep requests; frames of version 1 have to be rebuilt from the source topics.
pub const VERSION: u8 = 2;

/// A frame is closed once it holds this many bytes, so that it stays well below the 1 MB that Kafka takes by default.
pub const FULL_BYTES: usize = 256 * 1024;

/// A frame could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Written by another version of this program.
    #[error("frame version {0}, this program reads version {VERSION}: upgrade every service, or rebuild from the source topics")]
    Version(u8),
    /// Cut off or damaged.
    #[error("item {item} of the frame is damaged: {why}")]
    Damaged {
        /// Number of the item, from 0.
        item: usize,
        /// What postcard said.
        why: String,
    },
    /// The record is empty.
    #[error("empty frame")]
    Empty,
}

/// An item could not be written: only for a type that postcard can't carry, never for a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't encode: {0}")]
pub struct BadItem(pub String);

/// Packs items into one frame.
#[derive(Debug, Default)]
pub struct FrameWriter {
    bytes: Vec<u8>,
    items: usize,
}

impl FrameWriter {
    /// Appends one item.
    ///
    /// # Errors
    /// The type can't be carried by postcard.
    pub fn push<T: Serialize>(&mut self, item: &T) -> Result<(), BadItem> {
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(item, bytes).map_err(|e| BadItem(e.to_string()))?;
        self.items += 1;
        Ok(())
    }

    /// How many items are in.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Bytes of the frame so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the frame should be closed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    /// Closes the frame and starts the next one; none if nothing is in.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let items = std::mem::take(&mut self.items);
        (items > 0).then(|| std::mem::take(&mut self.bytes))
    }
}

/// Reads the items of a frame in order, borrowing from it. After an error it ends.
pub fn read<'a, T: serde::Deserialize<'a>>(frame: &'a [u8]) -> impl Iterator<Item = Result<T, BadFrame>> {
    let (mut rest, mut failed) = match frame.split_first() {
        Some((&VERSION, rest)) => (rest, None),
        Some((&other, _)) => (&[][..], Some(BadFrame::Version(other))),
        None => (&[][..], Some(BadFrame::Empty)),
    };
    let mut item = 0;
    std::iter::from_fn(move || {
        if let Some(bad) = failed.take() {
            return Some(Err(bad));
        }
        if rest.is_empty() {
            return None;
        }
        match postcard::take_from_bytes::<T>(rest) {
            Ok((value, after)) => {
                rest = after;
                item += 1;
                Some(Ok(value))
            }
            Err(e) => {
                rest = &[];
                Some(Err(BadFrame::Damaged { item, why: e.to_string() }))
            }
        }
    })
}

/// One value in postcard behind the version byte: for small state records.
///
/// # Errors
/// The type can't be carried by postcard.
pub fn encode_one<T: Serialize>(value: &T) -> Result<Vec<u8>, BadItem> {
    postcard::to_extend(value, vec![VERSION]).map_err(|e| BadItem(e.to_string()))
}

/// Reads what [`encode_one`] wrote.
///
/// # Errors
/// The bytes are empty, damaged or of another version.
pub fn decode_one<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadFrame> {
    read::<T>(bytes).next().unwrap_or(Err(BadFrame::Empty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(items in proptest::collection::vec((any::<u64>(), ".*"), 0..50)) {
            let mut writer = FrameWriter::default();
            items.iter().try_for_each(|i| writer.push(i)).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let frame = writer.take();
            prop_assert_eq!(frame.is_some(), !items.is_empty());
            let frame = frame.unwrap_or_else(|| vec![VERSION]);
            let back: Result<Vec<(u64, String)>, _> = read(&frame).collect();
            prop_assert_eq!(back, Ok(items));
        }

        #[test]
        fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut frame = vec![VERSION];
            frame.extend(bytes);
            prop_assert!(read::<crate::Event<'_>>(&frame).count() <= frame.len());
            prop_assert!(read::<crate::Op<'_>>(&frame).count() <= frame.len());
        }
    }

    #[test]
    fn another_version_is_told() {
        assert_eq!(decode_one::<u8>(&[9, 1]), Err(BadFrame::Version(9)));
        assert_eq!(decode_one::<u8>(&[]), Err(BadFrame::Empty));
    }
}
