//! The store of one partition: one writer, any number of readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use groundswell_bus::Offset;
use groundswell_model::{Milestone, MilestoneKind, UsageDelta};
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::cells::MilestoneNote;
use super::error::{Fault, RollupError};
use super::intern::{IdTable, Interner, Kind, version_name};
use super::merge;
use super::pending::{DeltaIds, Pending};
use super::tables::{BY_VERSION, FORMAT, IDS, META, META_CHECKPOINT, META_COMMITS, META_FORMAT, NAMES, OPERATION_DAYS};
use super::view::RollupView;

/// How a database is opened: from its file, or in tests from something that fails on demand.
type Opener = Box<dyn Fn() -> Result<Database, Fault> + Send + Sync>;

/// What others write into a commit.
pub(crate) type Also<'a> = dyn Fn(&WriteTransaction) -> Result<(), Fault> + 'a;

/// The database, closed after an error and opened again by the next call.
struct Shared {
    path: PathBuf,
    open: Opener,
    db: RwLock<Option<Database>>,
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        {
            let open = self.db.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(db) = open.as_ref() {
                return work(db);
            }
        }
        let mut closed = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let db = match closed.take() {
            Some(db) => db,
            None => (self.open)()?,
        };
        work(closed.insert(db))
    }

    fn close(&self) {
        *self.db.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Reads what is committed, from any thread. Cheap to clone.
#[derive(Clone)]
pub struct RollupReader {
    shared: Arc<Shared>,
}

impl RollupReader {
    /// A consistent view of the last commit. Keep it only as long as an answer takes: pages it sees can't be used again meanwhile.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn view(&self) -> Result<RollupView, RollupError> {
        self.shared.with(|db| RollupView::open(db.begin_read()?, &self.shared.path)).map_err(|f| f.at(&self.shared.path))
    }

    /// Reads tables that others keep in this store, as of its last commit.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, RollupError> {
        self.shared.with(|db| read(&db.begin_read()?)).map_err(|f| f.at(&self.shared.path))
    }
}

/// The roll-ups of one insights partition.
pub struct RollupStore {
    shared: Arc<Shared>,
    names: Interner,
    pending: Pending,
    checkpoint: Option<Offset>,
    commits: u64,
    /// A commit failed, and only the store knows whether it is in: the checkpoint it would have brought.
    doubt: Option<Offset>,
    /// The version looked up last, as neighbouring deltas are often of the same one.
    last_version: Option<(Vec<u8>, u32)>,
    scratch: Vec<u8>,
    ids: DeltaIds,
}

impl RollupStore {
    /// Opens the store in the file `path`, a new one if there is none, with a page cache of `cache_mib` MiB.
    ///
    /// # Errors
    /// The file can't be opened, is open elsewhere, or was written by another version of this program.
    pub fn open(path: &Path, cache_mib: usize) -> Result<Self, RollupError> {
        let file = path.to_owned();
        let open = move || {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder).map_err(|e| Fault::from(redb::StorageError::Io(e)))?;
            }
            Ok(Database::builder().set_cache_size(cache_mib.saturating_mul(1 << 20)).create(&file)?)
        };
        Self::open_with(path, Box::new(open))
    }

    fn open_with(path: &Path, open: Opener) -> Result<Self, RollupError> {
        let shared = Arc::new(Shared { path: path.to_owned(), open, db: RwLock::new(None) });
        let at = |f: Fault| f.at(path);
        let found = shared.with(prepare).map_err(at)?;
        if found != FORMAT {
            return Err(RollupError::Format { path: path.to_owned(), found, expected: FORMAT });
        }
        let names = shared.with(Interner::open).map_err(at)?;
        let (checkpoint, commits) = shared.with(position).map_err(at)?;
        Ok(Self {
            shared,
            names,
            pending: Pending::default(),
            checkpoint,
            commits,
            doubt: None,
            last_version: None,
            scratch: Vec::new(),
            ids: DeltaIds::default(),
        })
    }

    /// Everything before this offset is in; none if nothing was ever committed.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Offset> {
        self.checkpoint
    }

    /// Adds usage, in memory until the next commit.
    ///
    /// # Errors
    /// A name had to be looked up and the store can't be read. Nothing was added then.
    pub fn add(&mut self, delta: &UsageDelta<'_>) -> Result<(), RollupError> {
        let mut ids = std::mem::take(&mut self.ids);
        let found = self.settle().and_then(|()| self.find_ids(delta, &mut ids));
        if found.is_ok() {
            self.pending.add(delta, &ids);
        }
        self.ids = ids;
        found.map_err(|f| f.at(&self.shared.path))
    }

    fn find_ids(&mut self, delta: &UsageDelta<'_>, ids: &mut DeltaIds) -> Result<(), Fault> {
        ids.version = self.version(delta.api, delta.version)?;
        ids.operation = self.id(Kind::Operation, delta.operation)?;
        ids.consumer = if delta.consumer.is_empty() { None } else { Some(self.id(Kind::Consumer, delta.consumer)?) };
        ids.revenue.clear();
        for (currency, _) in &delta.revenue {
            ids.revenue.push(self.id(Kind::Label, currency)?);
        }
        ids.value.clear();
        for (name, _, _) in &delta.value {
            ids.value.push(self.id(Kind::Label, name)?);
        }
        Ok(())
    }

    /// Notes a milestone in place of the one of the same version, kind and consumer, in memory until the next commit.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn milestone(&mut self, milestone: &Milestone<'_>) -> Result<(), RollupError> {
        self.settle().and_then(|()| self.note(milestone)).map_err(|f| f.at(&self.shared.path))
    }

    fn note(&mut self, m: &Milestone<'_>) -> Result<(), Fault> {
        let version = self.version(m.api, m.version)?;
        let consumer = self.id(Kind::Consumer, m.consumer)?;
        let from = m.from.map(|from| self.version(m.api, from)).transpose()?;
        let operation = self.id(Kind::Operation, m.operation)?;
        let note = MilestoneNote { time: m.time, from, operation, failed_before: m.failed_before };
        self.pending.milestones.insert((version, kind_key(m.kind), consumer), note);
        Ok(())
    }

    /// How many cells wait for the next commit: the measure of the memory they take (some 100 bytes each).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.cells() + self.names.fresh_count()
    }

    /// Writes everything that waits, and with it that everything before `checkpoint` is in, durably or not at all.
    ///
    /// # Errors
    /// The store can't be written. Everything still waits: call again, and more may be added meanwhile.
    pub fn commit(&mut self, checkpoint: Offset) -> Result<(), RollupError> {
        self.commit_with(checkpoint, &|_| Ok(()))
    }

    /// As [`Self::commit`], and in the same transaction what `also` writes into tables of its own.
    pub(crate) fn commit_with(&mut self, checkpoint: Offset, also: &Also<'_>) -> Result<(), RollupError> {
        self.try_commit(checkpoint, also).map_err(|f| f.at(&self.shared.path))
    }

    fn try_commit(&mut self, checkpoint: Offset, also: &Also<'_>) -> Result<(), Fault> {
        self.settle()?;
        if self.pending() == 0 && self.checkpoint == Some(checkpoint) {
            return Ok(());
        }
        self.names.close_lookup();
        let (pending, names, commits) = (&self.pending, &self.names, self.commits + 1);
        if let Err(fault) = self.shared.with(|db| merge::write(db, pending, names, (commits, checkpoint), also)) {
            self.shared.close();
            self.doubt = Some(checkpoint);
            return Err(fault);
        }
        self.committed(checkpoint);
        Ok(())
    }

    fn committed(&mut self, checkpoint: Offset) {
        self.pending.clear();
        self.names.committed();
        self.commits += 1;
        self.checkpoint = Some(checkpoint);
    }

    /// After a commit that failed: asks the store whether it is in after all, so that nothing is added twice.
    fn settle(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = self.doubt else { return Ok(()) };
        let (_, commits) = self.shared.with(position).inspect_err(|_| self.shared.close())?;
        if commits > self.commits {
            self.committed(checkpoint);
        }
        self.doubt = None;
        Ok(())
    }

    /// A handle for other threads.
    #[must_use]
    pub fn reader(&self) -> RollupReader {
        RollupReader { shared: Arc::clone(&self.shared) }
    }

    /// Removes everything about one version, waiting or written. The checkpoint stays.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn drop_version(&mut self, api: &str, version: &str) -> Result<(), RollupError> {
        self.try_drop(api, version).map_err(|f| f.at(&self.shared.path))
    }

    fn try_drop(&mut self, api: &str, version: &str) -> Result<(), Fault> {
        self.settle()?;
        let id = self.version(api, version)?;
        self.names.close_lookup();
        self.shared.with(|db| merge::drop_version(db, id)).inspect_err(|_| self.shared.close())?;
        self.pending.forget(id);
        Ok(())
    }

    fn id(&mut self, kind: Kind, name: &str) -> Result<u32, Fault> {
        self.names.id(&|| self.shared.with(id_table), kind, name.as_bytes())
    }

    fn version(&mut self, api: &str, version: &str) -> Result<u32, Fault> {
        version_name(api, version, &mut self.scratch);
        if let Some((name, id)) = &self.last_version
            && *name == self.scratch
        {
            return Ok(*id);
        }
        let id = self.names.id(&|| self.shared.with(id_table), Kind::Version, &self.scratch)?;
        self.last_version = Some((self.scratch.clone(), id));
        Ok(id)
    }
}

/// The middle of a milestone's key.
pub(super) fn kind_key(kind: MilestoneKind) -> u32 {
    match kind {
        MilestoneKind::FirstCall => 0,
        MilestoneKind::FirstSuccess => 1,
        MilestoneKind::Upgrade => 2,
        MilestoneKind::Downgrade => 3,
    }
}

fn id_table(db: &Database) -> Result<IdTable, Fault> {
    Ok(db.begin_read()?.open_table(IDS)?)
}

/// Makes the tables of a new store, and tells the format of any.
fn prepare(db: &Database) -> Result<u64, Fault> {
    if let Some(format) = format_of(db)? {
        return Ok(format);
    }
    let mut tx = db.begin_write()?;
    tx.set_quick_repair(true);
    tx.open_table(META)?.insert(META_FORMAT, FORMAT)?;
    tx.open_table(IDS)?;
    tx.open_table(NAMES)?;
    for definition in BY_VERSION {
        tx.open_table(definition)?;
    }
    tx.open_table(OPERATION_DAYS)?;
    tx.commit()?;
    Ok(FORMAT)
}

fn format_of(db: &Database) -> Result<Option<u64>, Fault> {
    match db.begin_read()?.open_table(META) {
        Ok(meta) => Ok(Some(meta.get(META_FORMAT)?.map_or(0, |f| f.value()))),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Checkpoint and number of commits.
fn position(db: &Database) -> Result<(Option<Offset>, u64), Fault> {
    let meta = db.begin_read()?.open_table(META)?;
    let checkpoint = meta.get(META_CHECKPOINT)?.map(|o| Offset(o.value()));
    Ok((checkpoint, meta.get(META_COMMITS)?.map_or(0, |c| c.value())))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
