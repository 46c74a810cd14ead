//! The embedded transport: topics, groups and state in one file of an embedded store, for one process.
//!
//! A step goes from [`member`] through a channel to the one [`writer`] thread, which packs records
//! into [`block`]s and makes everything handed in within the linger durable in one transaction of
//! the [`store`]. Who owns which partition is decided in memory ([`group`]). Whoever waits for
//! records is woken by the write that brings them.

mod block;
mod group;
mod member;
mod reader;
mod store;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use groundswell_model::partition_of;

use self::block::Want;
#[cfg(feature = "fuzzing")]
pub use self::block::fuzz as fuzz_block;
use self::group::Ownership;
use self::store::{ENDS, Ends, LOG, POSITIONS, Store};
use self::writer::{Placed, Request, Writer};
use crate::clock::{self, Clock};
use crate::{
    Batch, Bounds, Bus, BusError, EmbeddedSettings, Group, Member, NewRecord, Offset, Part, Publisher, Reader, Stop, Topic, TopicSettings,
};

const MIB: usize = 1024 * 1024;
/// How long a waiting thread sleeps before it looks whether the process was told to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// The embedded log as the transport. Everything made from it keeps the file open; it is closed
/// when the last of them is dropped.
pub struct EmbeddedBus {
    log: Arc<Log>,
}

/// What every part of the transport shares.
struct Shared {
    store: Store,
    board: Mutex<Board>,
    changed: Condvar,
    stop: Stop,
    clock: Clock,
    spread: AtomicU32,
}

/// What changes while the process runs.
#[derive(Default)]
struct Board {
    ends: Ends,
    groups: BTreeMap<Group, Ownership>,
    members: u64,
}

/// The log with its writer thread.
struct Log {
    shared: Arc<Shared>,
    requests: Option<Sender<Request>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl EmbeddedBus {
    /// Opens or creates the log in `dir`. A topic keeps the partitions it was created with.
    ///
    /// # Errors
    /// Another process has it open, or it can't be read or written.
    pub fn open(dir: &Path, settings: &EmbeddedSettings, topics: &TopicSettings, stop: Stop) -> Result<Self, BusError> {
        Self::open_with_clock(dir, settings, topics, stop, clock::wall())
    }

    /// Like [`EmbeddedBus::open`], with a clock of one's own for the times of records and their retention.
    ///
    /// # Errors
    /// As [`EmbeddedBus::open`].
    pub fn open_with_clock(
        dir: &Path,
        settings: &EmbeddedSettings,
        topics: &TopicSettings,
        stop: Stop,
        clock: Clock,
    ) -> Result<Self, BusError> {
        let store = Store::open(dir, settings.cache_mib.max(1) * MIB, stop.clone())?;
        let ends = store.prepare(|topic| if topic == Topic::Catalogue { 1 } else { topics.partitions.max(1) })?;
        let board = Mutex::new(Board { ends, ..Board::default() });
        let shared = Arc::new(Shared { store, board, changed: Condvar::new(), stop, clock, spread: AtomicU32::new(0) });
        let (requests, handed) = channel();
        let writer = Writer::new(shared.clone(), Duration::from_millis(settings.linger_ms), topics.retention_hours);
        let thread = std::thread::Builder::new()
            .name("bus-writer".into())
            .spawn(move || writer.run(&handed))
            .map_err(|e| BusError::Fatal { what: "start the log's writer".into(), why: e.to_string() })?;
        Ok(Self { log: Arc::new(Log { shared, requests: Some(requests), writer: Some(thread) }) })
    }
}

impl Bus for EmbeddedBus {
    fn ensure_topics(&self) -> Result<(), BusError> {
        for group in [Group::Ingest, Group::Classify, Group::Index] {
            for topic in group.topics().iter().copied().chain(group.state_topic()) {
                self.log.shared.existing(topic)?;
            }
        }
        let (events, journal) = (self.log.shared.partitions(Topic::Events), self.log.shared.partitions(Topic::Journal));
        if events == journal {
            return Ok(());
        }
        Err(BusError::Fatal {
            what: "check topics".into(),
            why: format!("events has {events} partitions and journal {journal}: they must be equal"),
        })
    }

    fn partitions(&self, topic: Topic) -> Result<u32, BusError> {
        self.log.shared.existing(topic)
    }

    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> {
        Ok(Box::new(EdgePublisher { log: self.log.clone() }))
    }

    fn member(&self, group: Group) -> Result<Box<dyn Member>, BusError> {
        Ok(Box::new(member::LogMember::join(self.log.clone(), group)))
    }

    fn reader(&self, topic: Topic) -> Result<Box<dyn Reader>, BusError> {
        Ok(Box::new(reader::LogReader::new(self.log.clone(), topic)?))
    }

    fn read_at(&self, part: Part, offset: Offset) -> Result<Option<Batch>, BusError> {
        let shared = &self.log.shared;
        if shared.existing(part.topic)? <= part.partition || offset.0 >= shared.ends(part).1 {
            return Ok(None);
        }
        let batch = shared.read("read one record", &[Want { part, from: offset, to: offset.next(), records: 1, bytes: 0 }])?;
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn bounds(&self, topic: Topic) -> Result<Vec<Bounds>, BusError> {
        self.log.shared.existing(topic)?;
        self.log.shared.durable_ends(topic)
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<BTreeMap<Part, Offset>, BusError> {
        self.log.shared.positions(group, topic)
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Oldest offset kept and next offset.
    fn ends(&self, part: Part) -> (u64, u64) {
        self.board().ends.get(&part).copied().unwrap_or_default()
    }

    fn partitions(&self, topic: Topic) -> u32 {
        let first = Part { topic, partition: 0 };
        let last = Part { topic, partition: u32::MAX };
        u32::try_from(self.board().ends.range(first..=last).count()).unwrap_or(u32::MAX)
    }

    fn existing(&self, topic: Topic) -> Result<u32, BusError> {
        match self.partitions(topic) {
            0 => Err(BusError::Fatal { what: format!("topic {topic:?}"), why: "the log does not have it".into() }),
            n => Ok(n),
        }
    }

    fn parts(&self, group: Group) -> Vec<Part> {
        let of = |topic: &Topic| (0..self.partitions(*topic)).map(|partition| Part { topic: *topic, partition }).collect::<Vec<_>>();
        group.topics().iter().flat_map(of).collect()
    }

    /// The ends as the store has them, like [`Self::positions`]: the board learns of a step a moment after it is written, and who
    /// compared its ends with positions of the store could take records for worked off that are just on their way.
    fn durable_ends(&self, topic: Topic) -> Result<Vec<Bounds>, BusError> {
        let number = topic.number();
        self.store.read("read the ends of partitions", |txn| {
            let table = txn.open_table(ENDS)?;
            let mut bounds = Vec::new();
            for entry in table.range((number, 0)..=(number, u32::MAX))? {
                let (key, ends) = entry?;
                let (part, (low, high)) = (Part { topic, partition: key.value().1 }, ends.value());
                bounds.push(Bounds { part, low: Offset(low), high: Offset(high), decided: Offset(high) });
            }
            Ok(bounds)
        })
    }

    fn positions(&self, group: Group, topic: Topic) -> Result<BTreeMap<Part, Offset>, BusError> {
        let number = topic.number();
        self.store.read("read committed positions", |txn| {
            let table = txn.open_table(POSITIONS)?;
            let mut positions = BTreeMap::new();
            for entry in table.range((group.name(), number, 0)..=(group.name(), number, u32::MAX))? {
                let (key, value) = entry?;
                positions.insert(Part { topic, partition: key.value().2 }, Offset(value.value()));
            }
            Ok(positions)
        })
    }

    /// Reads what is wanted in one snapshot, each partition as far as the budget of its want allows.
    fn read(&self, what: &str, wants: &[Want]) -> Result<Batch, BusError> {
        self.store.read(what, |txn| {
            let log = txn.open_table(LOG)?;
            let (mut batch, mut scratch) = (Batch::default(), Vec::new());
            for want in wants {
                if !store::read_log(&log, want, &mut scratch, &mut batch)? {
                    break;
                }
            }
            Ok(batch)
        })
    }

    /// Sleeps until something changes, `until` at most.
    fn wait<'b>(&self, board: MutexGuard<'b, Board>, until: Instant) -> Result<MutexGuard<'b, Board>, BusError> {
        if self.stop.is_set() {
            return Err(BusError::Stopped);
        }
        let time = until.saturating_duration_since(Instant::now()).min(STOP_CHECK);
        Ok(self.changed.wait_timeout(board, time).unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Decides where each record goes.
    fn place(&self, records: Vec<NewRecord>) -> Result<Vec<Placed>, BusError> {
        records.into_iter().map(|record| Ok(Placed { part: self.part_of(&record)?, record })).collect()
    }

    fn part_of(&self, record: &NewRecord) -> Result<Part, BusError> {
        let wrong = |why: String| BusError::Fatal { what: "write to the log".into(), why };
        let topic = record.topic.ok_or_else(|| wrong("a record names no topic".into()))?;
        let partitions = self.existing(topic)?;
        let partition = match record.partition {
            Some(partition) => partition,
            None if record.key.is_empty() => self.spread.fetch_add(1, Ordering::Relaxed) % partitions,
            None => partition_of(&String::from_utf8_lossy(&record.key), partitions),
        };
        if partition < partitions { Ok(Part { topic, partition }) } else { Err(wrong(format!("{topic:?} has no partition {partition}"))) }
    }
}

impl Log {
    /// Hands a request to the writer and waits for its answer, `until` at most.
    fn hand_in(&self, until: Option<Instant>, request: impl FnOnce(writer::Done) -> Request) -> Result<(), BusError> {
        let gone = || BusError::Fatal { what: "write to the log".into(), why: "its writer thread has ended".into() };
        let (done, answer) = sync_channel(1);
        self.requests.as_ref().ok_or_else(gone)?.send(request(done)).map_err(|_| gone())?;
        match until {
            None => answer.recv().map_err(|_| gone())?,
            Some(until) => match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(result) => result,
                Err(_) => {
                    Err(BusError::Aborted { what: "publish".into(), why: "not durable within the time-out: is the disk full?".into() })
                }
            },
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the log's writer thread panicked");
        }
    }
}

struct EdgePublisher {
    log: Arc<Log>,
}

impl Publisher for EdgePublisher {
    fn publish(&self, records: Vec<NewRecord>, timeout: Duration) -> Result<(), BusError> {
        if records.is_empty() {
            return Ok(());
        }
        let records = self.log.shared.place(records)?;
        let until = Instant::now() + timeout;
        self.log.hand_in(Some(until), |done| Request::Publish { records, until, done })
    }
}
