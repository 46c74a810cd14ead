//! The contract that both transports keep; `tests/suite` holds them to it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Batch, NewRecord, Offset, Part, Topic};

/// What can go wrong, by what the caller should do about it. Calls retry by themselves what a
/// retry of the same call can mend (a broker that is away, a leader that moves), without limit of
/// time, until the process is told to stop.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The step did not happen. The member gives up its partitions and gets them again: the next
    /// polls say [`Polled::Revoked`] and [`Polled::Assigned`], and state is restored from what is committed.
    #[error("{what}: the step was aborted: {why}")]
    Aborted {
        /// Which call, on which topic and partition.
        what: String,
        /// The transport's words.
        why: String,
    },
    /// Nothing this process can mend: it should stop, so that its supervisor starts it again (a fenced
    /// zombie, wrong credentials, a damaged store, a topic that is missing).
    #[error("{what}: {why}")]
    Fatal {
        /// Which call, on which topic and partition.
        what: String,
        /// The transport's words and what to do.
        why: String,
    },
    /// The process was told to stop while it waited.
    #[error("stopped")]
    Stopped,
}

/// The consumer groups there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Reads the four source topics; has no state.
    Ingest,
    /// Reads [`Topic::Events`]; its state is [`Topic::Journal`].
    Classify,
    /// Reads [`Topic::Insights`]; its checkpoint is in the index, the group's offset only a floor.
    Index,
}

impl Group {
    /// The topics it reads. They have equal partition counts where there is more than one and state depends on it.
    #[must_use]
    pub fn topics(self) -> &'static [Topic] {
        match self {
            Self::Ingest => &[Topic::Catalogue, Topic::Tickets, Topic::Surveys, Topic::Usage],
            Self::Classify => &[Topic::Events],
            Self::Index => &[Topic::Insights],
        }
    }

    /// The compacted topic of its state.
    #[must_use]
    pub fn state_topic(self) -> Option<Topic> {
        match self {
            Self::Classify => Some(Topic::Journal),
            Self::Ingest | Self::Index => None,
        }
    }

    /// The stable name, also the suffix of the group id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Classify => "classify",
            Self::Index => "index",
        }
    }
}

/// How much one poll may bring.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Records at most.
    pub records: usize,
    /// Bytes at most (one record may exceed it).
    pub bytes: usize,
    /// How long to wait for the first record.
    pub wait: Duration,
    /// How long to go on gathering after the first record.
    pub linger: Duration,
    /// How long to go on at most where the first record has waited for long already: see [`Budget::linger_for`].
    pub linger_behind: Duration,
}

/// Of the time that a record has waited, one part in so many more is worth a larger batch.
const SHARE_OF_WAIT: u32 = 8;
/// A pause as long as one part in so many of the longest linger ends it.
const PAUSES_IN_LINGER: u32 = 4;

impl Budget {
    /// How long to gather behind a first record that has waited for `age`: shortly for fresh records, so that they stay
    /// fresh; longer in a backlog, where large steps cost less for each record and an eighth more of waiting is not felt.
    #[must_use]
    pub fn linger_for(&self, age: Duration) -> Duration {
        (age / SHARE_OF_WAIT).min(self.linger_behind).max(self.linger)
    }

    /// How long nothing may come before gathering ends early: the last records of a backlog need not wait for more.
    /// Longer than the service before takes for a step, as its records come step by step.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.linger_behind / PAUSES_IN_LINGER
    }
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// These partitions are ours now. Nothing is read from one until [`Member::start`] is called for it.
    Assigned(Vec<Part>),
    /// These partitions are no longer ours: forget their state. What was not committed is somebody else's now.
    Revoked(Vec<Part>),
    /// Records to be worked on, and committed with [`Member::commit`]. Who polls before that goes on behind them, and
    /// must let go of what was worked on for partitions that the poll revokes.
    Batch(Batch),
    /// Nothing came within the time.
    Idle,
}

/// A change of state: the newest value of a key stands, none deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateWrite {
    /// Partition of the state topic: the one of the records it was derived from.
    pub partition: u32,
    /// The key.
    pub key: Vec<u8>,
    /// The value; none deletes the key.
    pub value: Option<Vec<u8>>,
}

/// One atomic step: all of it happens, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Next offsets: read up to here.
    pub positions: BTreeMap<Part, Offset>,
    /// Records written.
    pub records: Vec<NewRecord>,
    /// State written; only groups with a [`Group::state_topic`] may.
    pub state: Vec<StateWrite>,
}

/// The records that a partition keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The partition.
    pub part: Part,
    /// Offset of the oldest record kept.
    pub low: Offset,
    /// Offset that the next record will get.
    pub high: Offset,
    /// Everything before this offset is decided. Below `high` while a step that has written there is not yet committed, or is
    /// committed and not yet visible; equal to it (or above, where it was asked later) otherwise.
    pub decided: Offset,
}

/// Something about the transport that hurts, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What was looked at: one word.
    pub check: &'static str,
    /// What was found.
    pub says: String,
    /// What to do.
    pub todo: String,
    /// Whether it stops work or loses what can't be had again; else it is only worth knowing.
    pub hurts: bool,
}

/// A transport.
pub trait Bus: Send + Sync {
    /// Creates missing topics (where configured to) and proves that all exist, that joined topics have
    /// equal partition counts, and that we may read and write them.
    ///
    /// # Errors
    /// A topic is missing or does not fit; the message says which and what to do.
    fn ensure_topics(&self) -> Result<(), BusError>;

    /// Why the transport can't be reached, in its own words, while calls on it are tried again; none while they work.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Tries what services do with topics and groups, and looks for what they would lose later. Takes seconds, and changes nothing that
    /// a reader of committed records sees.
    ///
    /// # Errors
    /// It could not be tried.
    fn examine(&self) -> Result<Vec<Remark>, BusError> {
        Ok(Vec::new())
    }

    /// How many partitions a topic has.
    ///
    /// # Errors
    /// The topic does not exist.
    fn partitions(&self, topic: Topic) -> Result<u32, BusError>;

    /// A publisher for the edge: what it acknowledges is durable.
    ///
    /// # Errors
    /// The transport refuses its configuration.
    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError>;

    /// Joins a consumer group. Members of one group share the partitions.
    ///
    /// # Errors
    /// The transport refuses its configuration.
    fn member(&self, group: Group) -> Result<Box<dyn Member>, BusError>;

    /// Reads all partitions of a topic from the oldest record on, without a group: for tables, dead letters, tails.
    ///
    /// # Errors
    /// The topic does not exist.
    fn reader(&self, topic: Topic) -> Result<Box<dyn Reader>, BusError>;

    /// The record at one offset, if it is still kept.
    ///
    /// # Errors
    /// The topic does not exist or can't be read.
    fn read_at(&self, part: Part, offset: Offset) -> Result<Option<Batch>, BusError>;

    /// What each partition of a topic keeps.
    ///
    /// # Errors
    /// The topic does not exist.
    fn bounds(&self, topic: Topic) -> Result<Vec<Bounds>, BusError>;

    /// The committed next offsets of a group on a topic; partitions that it never committed are left out.
    ///
    /// # Errors
    /// The topic does not exist.
    fn committed(&self, group: Group, topic: Topic) -> Result<BTreeMap<Part, Offset>, BusError>;
}

/// Publishes at the edge.
pub trait Publisher: Send + Sync {
    /// Writes the records and waits until they are durable. On an error some may have been written:
    /// publish again with the same identities.
    ///
    /// # Errors
    /// Not all could be made durable within `timeout`.
    fn publish(&self, records: Vec<NewRecord>, timeout: Duration) -> Result<(), BusError>;
}

/// A member of a consumer group. One thread owns it; between poll and commit nothing is in flight.
pub trait Member: Send {
    /// Waits for records or a change of assignment.
    ///
    /// # Errors
    /// See [`BusError`].
    fn poll(&mut self, budget: &Budget) -> Result<Polled, BusError>;

    /// The committed next offset of an assigned partition; none if the group never committed it.
    ///
    /// # Errors
    /// See [`BusError`].
    fn committed(&mut self, part: Part) -> Result<Option<Offset>, BusError>;

    /// Calls `each` with every key and newest value of the state of a partition, in no particular order.
    /// A key may come several times; the last one stands; none deletes it.
    ///
    /// # Errors
    /// See [`BusError`].
    #[expect(clippy::type_complexity, reason = "a name for the visitor would hide what it is given")]
    fn restore(&mut self, partition: u32, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) -> Result<(), BusError>;

    /// Calls `each` with every record of `part` from `from` (or the oldest kept) up to, not including, `to`.
    ///
    /// # Errors
    /// See [`BusError`].
    fn replay(&mut self, part: Part, from: Offset, to: Offset, each: &mut dyn FnMut(crate::Record<'_>)) -> Result<(), BusError>;

    /// Begins reading an assigned partition at `from`, or at the committed offset, or at the oldest record kept.
    ///
    /// # Errors
    /// See [`BusError`].
    fn start(&mut self, part: Part, from: Option<Offset>) -> Result<(), BusError>;

    /// Does one atomic step. A step with positions alone only moves the group's floor.
    ///
    /// # Errors
    /// [`BusError::Aborted`]: it did not happen. See [`BusError`].
    fn commit(&mut self, step: Step) -> Result<(), BusError>;

    /// Takes back a batch that was worked on, for its memory.
    fn recycle(&mut self, batch: Batch) {
        drop(batch);
    }
}

/// Reads a whole topic without a group.
pub trait Reader: Send {
    /// Calls `each` with every record up to the end of the topic as it is at the time of this call, from where the last call ended.
    ///
    /// # Errors
    /// See [`BusError`].
    fn catch_up(&mut self, each: &mut dyn FnMut(crate::Record<'_>)) -> Result<(), BusError>;

    /// The same for one partition alone. Ends early if `each` says so; where the next call then begins is not told: seek first.
    ///
    /// # Errors
    /// See [`BusError`].
    fn catch_up_part(&mut self, part: Part, each: &mut dyn FnMut(crate::Record<'_>) -> bool) -> Result<(), BusError>;

    /// Goes on reading from this offset of a partition.
    ///
    /// # Errors
    /// See [`BusError`].
    fn seek(&mut self, part: Part, to: Offset) -> Result<(), BusError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_waited_long_is_gathered_longer_and_what_is_fresh_is_not() {
        let ms = Duration::from_millis;
        let budget = Budget { records: 1, bytes: 1, wait: ms(200), linger: ms(10), linger_behind: ms(500) };
        let lingers = [0, 79, 800, 60_000].map(|age| budget.linger_for(ms(age)).as_millis());
        assert_eq!(lingers, [10, 10, 100, 500]);
        assert_eq!(budget.pause(), ms(125));
    }
}
