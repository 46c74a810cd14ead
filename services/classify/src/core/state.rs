//! The state entries of a partition: what of them is written, and how they are read again.

use groundswell_model::frame::{self, BadFrame, BadItem};

use super::journal::Journal;
use super::window::Mark;

/// First byte of the key of a consumer's journal.
const JOURNAL: u8 = b'C';
/// First byte of the key of the identity of a piece of feedback.
const FEEDBACK: u8 = b'F';
/// First byte of the key of an undeclared name that was let in.
const NAME: u8 = b'N';
/// First byte of the key of a piece of feedback that waits for evidence.
const WAITING: u8 = b'L';
/// Key of where the window of usage begins.
const WINDOW: u8 = b'W';
/// Between what a name belongs to and the name.
const BETWEEN: char = '\u{1e}';

/// One state entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A consumer and their journal.
    Journal(&'a str, Box<Journal>),
    /// Identity and content of a piece of feedback.
    Feedback(u128, u64),
    /// What a name belongs to, and the name.
    Name(&'a str, &'a str),
    /// Where the window of usage begins.
    Window(Mark),
    /// A piece of feedback that waits for evidence: see [`super::waiting`].
    Waiting(u128),
}

/// A state entry could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// Its value.
    #[error("value of a state entry: {0}")]
    Value(#[from] BadFrame),
    /// Its key.
    #[error("key of a state entry of {0} bytes: not written by this program")]
    Key(usize),
}

/// Reads an entry.
///
/// # Errors
/// It was not written by this version of the program.
pub fn read<'a>(key: &'a [u8], value: &[u8]) -> Result<Entry<'a>, BadEntry> {
    let bad = || BadEntry::Key(key.len());
    let (kind, rest) = key.split_first().ok_or_else(bad)?;
    let text = || std::str::from_utf8(rest).map_err(|_| bad());
    match *kind {
        JOURNAL => Ok(Entry::Journal(text()?, Box::new(frame::decode_one(value)?))),
        FEEDBACK => {
            let identity = rest.try_into().map_err(|_| bad())?;
            let content = value.try_into().map_err(|_| BadEntry::Value(BadFrame::Empty))?;
            Ok(Entry::Feedback(u128::from_be_bytes(identity), u64::from_be_bytes(content)))
        }
        NAME => text()?.split_once(BETWEEN).map(|(parent, name)| Entry::Name(parent, name)).ok_or_else(bad),
        WINDOW => Ok(Entry::Window(frame::decode_one(value)?)),
        WAITING => Ok(Entry::Waiting(u128::from_be_bytes(rest.try_into().map_err(|_| bad())?))),
        _ => Err(bad()),
    }
}

/// Key and value of an entry.
///
/// # Errors
/// It can't be carried.
pub fn write(entry: &Entry<'_>) -> Result<(Vec<u8>, Vec<u8>), BadItem> {
    Ok(match entry {
        Entry::Journal(consumer, journal) => (key(JOURNAL, consumer.as_bytes()), frame::encode_one(journal.as_ref())?),
        Entry::Feedback(identity, content) => (key(FEEDBACK, &identity.to_be_bytes()), content.to_be_bytes().to_vec()),
        Entry::Name(parent, name) => (key(NAME, format!("{parent}{BETWEEN}{name}").as_bytes()), vec![frame::VERSION]),
        Entry::Window(mark) => (key(WINDOW, b""), frame::encode_one(mark)?),
        Entry::Waiting(identity) => (waiting_key(*identity), Vec::new()),
    })
}

/// Key and value of a consumer's journal.
///
/// # Errors
/// It can't be carried.
pub fn write_journal(consumer: &str, journal: &Journal) -> Result<(Vec<u8>, Vec<u8>), BadItem> {
    Ok((key(JOURNAL, consumer.as_bytes()), frame::encode_one(journal)?))
}

/// Key of a piece of feedback that waits.
#[must_use]
pub fn waiting_key(identity: u128) -> Vec<u8> {
    key(WAITING, &identity.to_be_bytes())
}

/// Whether a key is that of a consumer's journal.
#[must_use]
pub fn is_journal(key: &[u8]) -> bool {
    key.first() == Some(&JOURNAL)
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(rest.len() + 1);
    key.push(kind);
    key.extend_from_slice(rest);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(identity in any::<u128>(), content in any::<u64>(), parent in "[a-z]{0,5}", name in "\\PC{0,20}") {
            for entry in [Entry::Feedback(identity, content), Entry::Name(&parent, &name), Entry::Journal(&name, Box::default())] {
                let (key, value) = write(&entry).map_err(|e| TestCaseError::fail(e.to_string()))?;
                prop_assert_eq!(read(&key, &value), Ok(entry));
            }
        }

        #[test]
        fn rubbish_never_panics(key in proptest::collection::vec(any::<u8>(), 0..40), value in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(entry) = read(&key, &value) {
                prop_assert!(write(&entry).is_ok());
            }
        }
    }
}
