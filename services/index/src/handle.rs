//! What the index knows, for threads that answer questions while the loop goes on writing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use groundswell_catalogue::Catalogue;
use groundswell_runtime::Freshness;

use crate::corrections::Shared;
use crate::rollup::RollupReader;
use crate::search::{Readers, RulesByApi};

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
        reply: Sender<Result<(), String>>,
    },
    /// Read all insights again into a shadow, then swap.
    Rebuild {
        /// Where the answer goes: how many records were read.
        reply: Sender<Result<u64, String>>,
    },
}

/// Shared between the loop and those who ask. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    stores: RwLock<BTreeMap<u32, Stores>>,
    catalogue: RwLock<Catalogue>,
    corrections: Shared,
    /// Counts up whenever corrections became visible.
    corrected: AtomicU64,
    rules: RwLock<Arc<RulesByApi>>,
    rule_changes: AtomicU64,
    freshness: Freshness,
    commands: Mutex<Sender<Command>>,
    waiting: Mutex<Receiver<Command>>,
    turn: Mutex<()>,
}

impl Handle {
    /// A handle without any partition yet.
    #[must_use]
    pub fn new(freshness: Freshness) -> Self {
        let (commands, waiting) = channel();
        Self(Arc::new(Inner {
            stores: RwLock::default(),
            catalogue: RwLock::new(Catalogue::default()),
            corrections: Shared::default(),
            corrected: AtomicU64::new(0),
            rules: RwLock::default(),
            rule_changes: AtomicU64::new(0),
            freshness,
            commands: Mutex::new(commands),
            waiting: Mutex::new(waiting),
            turn: Mutex::default(),
        }))
    }

    /// Every partition as of its last commit.
    #[must_use]
    pub fn stores(&self) -> Vec<(u32, Stores)> {
        let all = self.0.stores.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(p, s)| (*p, s.clone())).collect()
    }

    /// Puts in what a commit made visible.
    pub fn publish(&self, partition: u32, stores: Stores) {
        self.0.stores.write().unwrap_or_else(PoisonError::into_inner).insert(partition, stores);
    }

    /// Takes out a partition that is no longer ours.
    pub fn withdraw(&self, partition: u32) {
        self.0.stores.write().unwrap_or_else(PoisonError::into_inner).remove(&partition);
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

    /// How often corrections became visible since the start.
    #[must_use]
    pub fn corrected(&self) -> u64 {
        self.0.corrected.load(Ordering::Acquire)
    }

    /// Corrections became visible: answers may have changed though no checkpoint did.
    pub fn note_corrected(&self) {
        self.0.corrected.fetch_add(1, Ordering::Release);
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
