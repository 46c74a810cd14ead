//! What the index knows, for threads that answer questions while the loop goes on writing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use groundswell_catalogue::Catalogue;
use groundswell_runtime::Freshness;

use crate::corrections::Shared;
use crate::rebuild::Progress;
use crate::rollup::RollupReader;
use crate::search::{Readers, RulesByApi};
use crate::verdicts::Verdicts;

/// What can be read of one partition; both sides always give their last commit.
#[derive(Clone)]
pub struct Stores {
    /// Its search indexes.
    pub search: Readers,
    /// Its usage.
    pub usage: RollupReader,
}

/// Something that only the thread that owns the stores can do.
#[derive(Debug)]
pub enum Command {
    /// Forget one API version until its insights are read again.
    Drop {
        /// The API.
        api: String,
        /// The version.
        version: String,
        /// Where the answer goes.
        reply: Sender<Result<(), Refused>>,
    },
    /// Read all insights again into shadows beside what is there, then swap.
    Rebuild {
        /// Where the answer goes: how many records were read.
        reply: Sender<Result<u64, Refused>>,
    },
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such version.
    #[error("there is nothing of {api} {version} in the index; GET /v1/apis lists what is there")]
    NotThere {
        /// The API.
        api: String,
        /// The version.
        version: String,
    },
    /// A rebuild is at work.
    #[error("the index is being rebuilt: GET /v1/index/rebuild says how far it is; ask again when that has ended")]
    Busy,
    /// It was tried.
    #[error("{0}")]
    Failed(String),
}

/// A moment at which every partition of ours was open: what was answered since is of all of them, if [`Handle::is_whole_since`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(u64);

/// What can be read, and what ought to be.
#[derive(Default)]
struct Places {
    stores: BTreeMap<u32, Stores>,
    /// The partitions that are ours, open or not.
    ours: BTreeSet<u32>,
    /// How many partitions must be ours at least.
    least: usize,
    /// Counts up whenever stores are taken out.
    withdrawn: u64,
}

impl Places {
    fn missing(&self) -> usize {
        let closed = self.ours.iter().filter(|number| !self.stores.contains_key(number)).count();
        closed + self.least.max(1).saturating_sub(self.ours.len())
    }
}

/// Shared between the loop and those who ask. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    places: RwLock<Places>,
    catalogue: RwLock<Catalogue>,
    corrections: Shared,
    /// Counts up whenever answers change though no checkpoint does.
    changed: AtomicU64,
    rules: RwLock<Arc<RulesByApi>>,
    rule_changes: AtomicU64,
    freshness: Freshness,
    commands: Mutex<Sender<Command>>,
    waiting: Mutex<Receiver<Command>>,
    turn: Mutex<()>,
    verdicts: OnceLock<Verdicts>,
    progress: Progress,
}

impl Handle {
    /// A handle without any partition yet.
    #[must_use]
    pub fn new(freshness: Freshness) -> Self {
        let (commands, waiting) = channel();
        Self(Arc::new(Inner {
            places: RwLock::default(),
            catalogue: RwLock::new(Catalogue::default()),
            corrections: Shared::default(),
            changed: AtomicU64::new(0),
            rules: RwLock::default(),
            rule_changes: AtomicU64::new(0),
            freshness,
            commands: Mutex::new(commands),
            waiting: Mutex::new(waiting),
            turn: Mutex::default(),
            verdicts: OnceLock::new(),
            progress: Progress::default(),
        }))
    }

    /// Every open partition as of its last commit.
    #[must_use]
    pub fn stores(&self) -> Vec<(u32, Stores)> {
        self.places().stores.iter().map(|(p, s)| (*p, s.clone())).collect()
    }

    fn places(&self) -> RwLockReadGuard<'_, Places> {
        self.0.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn places_mut(&self) -> RwLockWriteGuard<'_, Places> {
        self.0.places.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers are whole only where at least so many partitions are ours; one, if nothing is said.
    pub fn expect(&self, partitions: usize) {
        self.places_mut().least = partitions;
    }

    /// These partitions are ours, and about to be opened.
    pub fn own(&self, partitions: impl IntoIterator<Item = u32>) {
        self.places_mut().ours.extend(partitions);
    }

    /// Puts in what a commit made visible, in place of what was there.
    pub fn publish(&self, partition: u32, stores: Stores) {
        let mut places = self.places_mut();
        places.ours.insert(partition);
        places.stores.insert(partition, stores);
    }

    /// Takes out a partition that is ours and has to be opened again.
    pub fn withdraw(&self, partition: u32) {
        let mut places = self.places_mut();
        places.stores.remove(&partition);
        places.withdrawn += 1;
    }

    /// Takes out a partition that is no longer ours.
    pub fn give_up(&self, partition: u32) {
        self.withdraw(partition);
        self.places_mut().ours.remove(&partition);
    }

    /// How many of our partitions are not open.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.places().missing()
    }

    /// Now, if every partition of ours is open: an answer without one of them would be part of the truth and look like all of it.
    #[must_use]
    pub fn whole(&self) -> Option<Whole> {
        let places = self.places();
        (places.missing() == 0).then_some(Whole(places.withdrawn))
    }

    /// Whether no partition was taken out since, nor came without being open.
    #[must_use]
    pub fn is_whole_since(&self, moment: Whole) -> bool {
        self.whole() == Some(moment)
    }

    /// How far a rebuild is.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.0.progress
    }

    /// Looks something up in the catalogue.
    pub fn with_catalogue<T>(&self, look: impl FnOnce(&Catalogue) -> T) -> T {
        look(&self.0.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the catalogue.
    pub fn change_catalogue<T>(&self, change: impl FnOnce(&mut Catalogue) -> T) -> T {
        change(&mut self.0.catalogue.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// What people say of feedback.
    #[must_use]
    pub fn corrections(&self) -> &Shared {
        &self.0.corrections
    }

    /// How often answers changed, since the start, though no checkpoint did.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.0.changed.load(Ordering::Acquire)
    }

    /// Answers may have changed though no checkpoint did: corrections became visible, a version was dropped, an index was swapped.
    pub fn note_changed(&self) {
        self.0.changed.fetch_add(1, Ordering::Release);
    }

    /// What people decided about themes, by API. Whoever counts by the field `theme` of the index asks `Rules::resolve` (or `merged`)
    /// which theme a value counts for today.
    #[must_use]
    pub fn rules(&self) -> Arc<RulesByApi> {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the rules about themes.
    pub fn change_rules(&self, change: impl FnOnce(&mut RulesByApi)) {
        let mut rules = self.0.rules.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut rules));
        self.0.rule_changes.fetch_add(1, Ordering::Release);
    }

    /// How often the rules about themes changed.
    #[must_use]
    pub fn rule_changes(&self) -> u64 {
        self.0.rule_changes.load(Ordering::Acquire)
    }

    /// How old the newest searchable insights are.
    #[must_use]
    pub fn freshness(&self) -> &Freshness {
        &self.0.freshness
    }

    /// Waits for the turn of an answer that takes much memory: there is one at a time.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where verdicts are kept from now on; the first one told stands.
    pub fn keep_verdicts(&self, verdicts: Verdicts) {
        self.0.verdicts.get_or_init(|| verdicts);
    }

    /// Where verdicts are kept, if anywhere.
    #[must_use]
    pub fn verdicts(&self) -> Option<&Verdicts> {
        self.0.verdicts.get()
    }

    /// Asks the loop to do something between two batches.
    pub fn command(&self, command: Command) {
        let sender = self.0.commands.lock().unwrap_or_else(PoisonError::into_inner);
        // The receiver lives as long as this handle, so there is always somebody to send to.
        drop(sender.send(command));
    }

    /// The next thing asked of the loop, if any.
    #[must_use]
    pub fn next_command(&self) -> Option<Command> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }
}
