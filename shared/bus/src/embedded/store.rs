//! The file under the log: its tables, and what to do when it can't be read or written.
//!
//! After an I/O error redb refuses everything until the database is opened again, so reads and
//! writes here close it, open it and try again for as long as it takes. A write carries a number
//! that is stored with it: after a failed commit that number says whether the write is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use groundswell_model::Timestamp;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::block;
use crate::patience::Patience;
use crate::{BusError, Offset, Part, Stop, Topic};

/// (topic, partition, last offset) → a block of records.
pub(super) const LOG: TableDefinition<'_, (u8, u32, u64), &[u8]> = TableDefinition::new("log");
/// (topic, partition) → oldest offset kept, next offset.
pub(super) const ENDS: TableDefinition<'_, (u8, u32), (u64, u64)> = TableDefinition::new("ends");
/// (group, topic, partition) → next offset.
pub(super) const POSITIONS: TableDefinition<'_, (&str, u8, u32), u64> = TableDefinition::new("positions");
/// (state topic, partition, key) → value.
pub(super) const STATE: TableDefinition<'_, (u8, u32, &[u8]), &[u8]> = TableDefinition::new("state");
/// Layout version and number of the last write.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

const LAYOUT: u64 = 1;
const FILE: &str = "log.redb";
const HOLDER: &str = "holder";

/// Oldest offset kept and next offset of every partition.
pub(super) type Ends = BTreeMap<Part, (u64, u64)>;

pub(super) struct Store {
    dir: PathBuf,
    cache_bytes: usize,
    stop: Stop,
    slot: RwLock<Slot>,
}

struct Slot {
    database: Option<Database>,
    opened: u64,
}

/// Why one try failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The file can't be read or written now.
    Storage(Box<redb::Error>),
    /// What was read makes no sense.
    Damaged(String),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Storage(Box::new(error.into()))
    }
}

impl From<block::Damaged> for Failure {
    fn from(error: block::Damaged) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => error.fmt(f),
            Self::Damaged(why) => why.fmt(f),
        }
    }
}

impl Failure {
    /// Whether opening the file again may mend it.
    fn passes(&self) -> bool {
        match self {
            Self::Storage(error) => match error.as_ref() {
                redb::Error::Io(io) => io.kind() != std::io::ErrorKind::InvalidData,
                redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::Backend(_) | redb::Error::LockPoisoned(_) => true,
                _ => false,
            },
            Self::Damaged(_) => false,
        }
    }
}

impl Store {
    /// Opens the file, or creates it with `partitions` for each topic that it does not have yet.
    pub(super) fn open(dir: &Path, cache_bytes: usize, stop: Stop) -> Result<Self, BusError> {
        std::fs::create_dir_all(dir).map_err(|e| fatal(dir, &format!("{e}; the data folder must be writable")))?;
        let database = open_file(dir, cache_bytes).map_err(|e| refused(dir, &e))?;
        note_holder(dir);
        Ok(Self { dir: dir.to_owned(), cache_bytes, stop, slot: RwLock::new(Slot { database: Some(database), opened: 0 }) })
    }

    /// Makes sure that the tables and every topic are there, and reads the ends of all partitions.
    pub(super) fn prepare(&self, partitions: impl Fn(Topic) -> u32) -> Result<Ends, BusError> {
        self.write("prepare the log", |txn| {
            check_layout(txn)?;
            txn.open_table(LOG)?;
            txn.open_table(POSITIONS)?;
            txn.open_table(STATE)?;
            let mut ends = txn.open_table(ENDS)?;
            for topic in Topic::ALL {
                if ends.range((topic.number(), 0)..=(topic.number(), u32::MAX))?.next().is_none() {
                    for partition in 0..partitions(topic) {
                        ends.insert((topic.number(), partition), (0, 0))?;
                    }
                }
            }
            read_ends(&ends)
        })
    }

    /// Runs a read on one snapshot. Tries again until it works. Keep it short: pages that a snapshot sees are not reused.
    pub(super) fn read<T>(&self, what: &str, mut read: impl FnMut(&ReadTransaction) -> Result<T, Failure>) -> Result<T, BusError> {
        self.until_it_works(what, |database| read(&database.begin_read()?))
    }

    /// Runs a durable write. Tries again until it works, and never does it twice.
    pub(super) fn write<T>(&self, what: &str, mut write: impl FnMut(&WriteTransaction) -> Result<T, Failure>) -> Result<T, BusError> {
        let mut tried: Option<(u64, T)> = None;
        self.until_it_works(what, |database| {
            if let Some((number, done)) = tried.take()
                && last_write(database)? == number
            {
                return Ok(done);
            }
            let mut txn = database.begin_write()?;
            txn.set_quick_repair(true);
            let result = write(&txn)?;
            let number = next_write(&txn)?;
            match txn.commit() {
                Ok(()) => Ok(result),
                Err(error) => {
                    tried = Some((number, result));
                    Err(error.into())
                }
            }
        })
    }

    fn until_it_works<T>(&self, what: &str, mut attempt: impl FnMut(&Database) -> Result<T, Failure>) -> Result<T, BusError> {
        let mut patience = Patience::new(what, &self.stop);
        loop {
            let (opened, failure) = {
                let slot = self.slot();
                let failure = match &slot.database {
                    Some(database) => match attempt(database) {
                        Ok(done) => {
                            patience.worked();
                            return Ok(done);
                        }
                        Err(failure) => failure,
                    },
                    None => Failure::Storage(Box::new(redb::Error::DatabaseClosed)),
                };
                (slot.opened, failure)
            };
            if !failure.passes() {
                return Err(self.broken(what, &failure));
            }
            patience.wait(&failure)?;
            self.reopen(opened)?;
        }
    }

    fn slot(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file again, unless another thread has done so since `seen`.
    fn reopen(&self, seen: u64) -> Result<(), BusError> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.opened != seen {
            return Ok(());
        }
        slot.database = None;
        match open_file(&self.dir, self.cache_bytes) {
            Ok(database) => {
                *slot = Slot { database: Some(database), opened: seen + 1 };
                Ok(())
            }
            Err(error) if Failure::from(clone_kind(&error)).passes() => {
                tracing::debug!(error = %error, "the log could not be opened again yet");
                Ok(())
            }
            Err(error) => Err(refused(&self.dir, &error)),
        }
    }

    fn broken(&self, what: &str, failure: &Failure) -> BusError {
        BusError::Fatal {
            what: format!("{what} in {}", self.dir.display()),
            why: format!("{failure}; stop, move the folder away and restore a copy, or publish again from the source"),
        }
    }
}

/// An error as far as [`Failure::passes`] looks at it (redb's are not `Clone`).
fn clone_kind(error: &redb::DatabaseError) -> redb::Error {
    match error {
        redb::DatabaseError::Storage(redb::StorageError::Io(io)) => redb::Error::Io(io.kind().into()),
        redb::DatabaseError::Storage(redb::StorageError::PreviousIo) => redb::Error::PreviousIo,
        redb::DatabaseError::Storage(redb::StorageError::DatabaseClosed) => redb::Error::DatabaseClosed,
        other => redb::Error::Corrupted(other.to_string()),
    }
}

fn open_file(dir: &Path, cache_bytes: usize) -> Result<Database, redb::DatabaseError> {
    Database::builder().set_cache_size(cache_bytes).create(dir.join(FILE))
}

fn fatal(dir: &Path, why: &str) -> BusError {
    BusError::Fatal { what: format!("open the log in {}", dir.display()), why: why.to_owned() }
}

fn refused(dir: &Path, error: &redb::DatabaseError) -> BusError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            let holder = std::fs::read_to_string(dir.join(HOLDER)).unwrap_or_else(|_| "another process".into());
            fatal(dir, &format!("it is in use by {}; stop that process, or choose another data folder", holder.trim()))
        }
        other => fatal(dir, &format!("{other}; the folder must be writable and hold a log of this program")),
    }
}

/// Leaves a note for [`refused`]. The lock is redb's; the note only names who holds it, so it may fail.
fn note_holder(dir: &Path) {
    let program = std::env::current_exe().ok().and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned())).unwrap_or_default();
    if let Err(error) = std::fs::write(dir.join(HOLDER), format!("process {} ({program})\n", std::process::id())) {
        tracing::debug!(error = %error, "could not note who holds the log");
    }
}

fn check_layout(txn: &WriteTransaction) -> Result<(), Failure> {
    let mut meta = txn.open_table(META)?;
    let layout = meta.get("layout")?.map(|v| v.value());
    match layout {
        None => drop(meta.insert("layout", LAYOUT)?),
        Some(LAYOUT) => {}
        Some(other) => return Err(Failure::Damaged(format!("its layout is {other}, this program reads {LAYOUT}"))),
    }
    Ok(())
}

fn next_write(txn: &WriteTransaction) -> Result<u64, Failure> {
    let mut meta = txn.open_table(META)?;
    let number = meta.get("writes")?.map_or(0, |v| v.value()) + 1;
    meta.insert("writes", number)?;
    Ok(number)
}

fn last_write(database: &Database) -> Result<u64, Failure> {
    let meta = database.begin_read()?.open_table(META)?;
    Ok(meta.get("writes")?.map_or(0, |v| v.value()))
}

fn read_ends(table: &impl ReadableTable<(u8, u32), (u64, u64)>) -> Result<Ends, Failure> {
    let mut ends = Ends::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (number, partition) = key.value();
        if let Some(topic) = Topic::from_number(number) {
            ends.insert(Part { topic, partition }, value.value());
        }
    }
    Ok(ends)
}

/// Adds the wanted records to `batch`; says whether there is room for those of another partition.
pub(super) fn read_log(
    log: &impl ReadableTable<(u8, u32, u64), &'static [u8]>,
    want: &block::Want,
    scratch: &mut Vec<u8>,
    batch: &mut crate::Batch,
) -> Result<bool, Failure> {
    let (topic, partition) = (want.part.topic.number(), want.part.partition);
    if want.from >= want.to {
        return Ok(true);
    }
    for entry in log.range((topic, partition, want.from.0)..=(topic, partition, u64::MAX))? {
        let (key, value) = entry?;
        let last = Offset(key.value().2);
        if !block::read(value.value(), last, want, scratch, batch)? {
            return Ok(false);
        }
        if last.next() >= want.to {
            break;
        }
    }
    Ok(true)
}

/// Removes the oldest blocks of a partition whose newest record is older than `cut` and that lie
/// wholly below `floor`, `limit` blocks at most. Returns the new oldest offset, if it moved.
pub(super) fn trim(txn: &WriteTransaction, part: Part, cut: Timestamp, floor: u64, limit: usize) -> Result<Option<u64>, Failure> {
    let mut log = txn.open_table(LOG)?;
    let (topic, partition) = (part.topic.number(), part.partition);
    let mut dead = Vec::new();
    for entry in log.range((topic, partition, 0)..=(topic, partition, u64::MAX))?.take(limit) {
        let (key, value) = entry?;
        let last = key.value().2;
        if last >= floor || block::newest(value.value())? >= cut {
            break;
        }
        dead.push(last);
    }
    for last in &dead {
        log.remove((topic, partition, *last))?;
    }
    let Some(low) = dead.last().map(|last| last + 1) else { return Ok(None) };
    let mut ends = txn.open_table(ENDS)?;
    let high = ends.get((topic, partition))?.map_or(low, |v| v.value().1);
    ends.insert((topic, partition), (low, high))?;
    Ok(Some(low))
}
