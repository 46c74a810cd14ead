//! The themes of one partition as they grow: which insight is in which, written with the checkpoint.

use std::collections::BTreeMap;

use groundswell_model::{Insight, Removal};
use groundswell_themes::{Features, Grouping, Limits, Row, Sketch, ThemeId};
use hashbrown::HashMap;
use redb::{ReadOnlyTable, TableError, WriteTransaction};

use super::tables::{APIS, COUNTERS, MEMBERS, THEMES, decode, encode};
use crate::rollup::{Fault, RollupError, RollupReader};
use crate::search::Subject;

type MemberTable = ReadOnlyTable<u128, (u32, u64, u64)>;

/// Where an insight was put.
#[derive(Clone, Copy)]
struct Member {
    api: u32,
    theme: ThemeId,
    sketch: Sketch,
}

impl Member {
    fn subject(self) -> Subject {
        Subject { theme: Some(self.theme), sketch: self.sketch }
    }
}

/// The themes of one API in memory.
struct Shelf {
    number: u32,
    grouping: Grouping,
    /// When it was last needed, in insights of the partition.
    used: u64,
    bytes: usize,
}

/// Which insight is in which theme. One thread owns it.
///
/// Whatever it tells follows from the insights before, in their order: what was not committed is read again with the same result.
pub struct Book {
    store: RollupReader,
    most_bytes: usize,
    shelves: HashMap<String, Shelf>,
    /// APIs numbered since the last commit.
    fresh_apis: BTreeMap<u32, String>,
    next_api: Option<u32>,
    /// Members since the last commit; none for an insight that left.
    fresh: HashMap<u128, Option<Member>>,
    /// Open from the first look-up after a commit to the next commit.
    lookup: Option<Option<MemberTable>>,
    clock: u64,
}

impl Book {
    /// The themes in the tables beside the roll-ups of a partition, with at most about `mib` MiB of them in memory.
    #[must_use]
    pub fn new(store: RollupReader, mib: usize) -> Self {
        let (shelves, fresh, fresh_apis) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        Self { store, most_bytes: mib << 20, shelves, fresh_apis, next_api: None, fresh, lookup: None, clock: 0 }
    }

    /// What an insight is about; one that was told before keeps its theme. Nothing for an insight without words.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn subject_of(&mut self, insight: &Insight<'_>) -> Result<Subject, RollupError> {
        if insight.title.is_empty() && insight.body.is_empty() {
            return Ok(Subject::default());
        }
        self.clock += 1;
        let identity = insight.identity.0;
        let known = self.member(identity)?;
        let (clock, shelf) = (self.clock, self.shelf(insight.api)?);
        shelf.used = clock;
        let api = shelf.number;
        if let Some(member) = known.filter(|member| member.api == api) {
            return Ok(member.subject());
        }
        let features = Features::of(insight.title, insight.body);
        let Some(placed) = shelf.grouping.place(identity, &features) else { return Ok(Subject::default()) };
        let member = Member { api, theme: placed.theme, sketch: features.sketch };
        self.fresh.insert(identity, Some(member));
        Ok(member.subject())
    }

    /// Notes that an insight left an API.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn remove(&mut self, gone: &Removal<'_>) -> Result<(), RollupError> {
        let Some(member) = self.member(gone.identity.0)? else { return Ok(()) };
        if self.shelf(gone.api)?.number == member.api {
            self.fresh.insert(gone.identity.0, None);
        }
        Ok(())
    }

    fn member(&mut self, identity: u128) -> Result<Option<Member>, RollupError> {
        if let Some(fresh) = self.fresh.get(&identity) {
            return Ok(*fresh);
        }
        if self.lookup.is_none() {
            self.lookup = Some(self.store.read(|tx| optional(tx.open_table(MEMBERS)))?);
        }
        let Some(Some(table)) = &self.lookup else { return Ok(None) };
        let found = self.store.read(|_| Ok(table.get(identity)?.map(|row| row.value())))?;
        Ok(found.map(|(api, theme, sketch)| Member { api, theme: ThemeId::from_bits(theme), sketch: Sketch(sketch) }))
    }

    fn shelf(&mut self, api: &str) -> Result<&mut Shelf, RollupError> {
        if !self.shelves.contains_key(api) {
            let shelf = self.load(api)?;
            self.shelves.insert(api.to_owned(), shelf);
        }
        // It was put in above.
        Ok(self.shelves.entry_ref(api).or_insert_with(|| Shelf { number: 0, grouping: Grouping::default(), used: 0, bytes: 0 }))
    }

    fn load(&mut self, api: &str) -> Result<Shelf, RollupError> {
        let stored = self.store.read(|tx| {
            let Some(apis) = optional(tx.open_table(APIS))? else { return Ok((None, 0)) };
            let number = apis.get(api)?.map(|n| n.value());
            let known = u32::try_from(redb::ReadableTableMetadata::len(&apis)?).unwrap_or(u32::MAX);
            let Some(number) = number else { return Ok((None, known)) };
            let (Some(counters), Some(themes)) = (optional(tx.open_table(COUNTERS))?, optional(tx.open_table(THEMES))?) else {
                return Ok((None, known));
            };
            let counters = counters.get(number)?.map_or((0, 0), |c| c.value());
            let mut active = BTreeMap::new();
            for row in themes.range((number, 0)..=(number, u32::MAX))? {
                let (key, value) = row?;
                let theme = decode(value.value())?;
                if theme.active {
                    active.insert(key.value().1, theme);
                }
            }
            Ok((Some((number, Grouping::restored(Limits::default(), active, counters))), known))
        })?;
        let (number, grouping) = match stored {
            (Some(stored), _) => stored,
            (None, known) => {
                let number = self.next_api.unwrap_or(known);
                self.next_api = Some(number.saturating_add(1));
                self.fresh_apis.insert(number, api.to_owned());
                (number, Grouping::new(Limits::default()))
            }
        };
        let bytes = grouping.bytes();
        Ok(Shelf { number, grouping, used: self.clock, bytes })
    }

    /// Ends the read transaction of look-ups: while open, it keeps the store from using pages again.
    pub(crate) fn close_lookup(&mut self) {
        self.lookup = None;
    }

    /// Writes what changed since the last commit. Written twice it is the same.
    pub(crate) fn write(&self, tx: &WriteTransaction) -> Result<(), Fault> {
        let mut apis = tx.open_table(APIS)?;
        for (number, api) in &self.fresh_apis {
            apis.insert(api.as_str(), number)?;
        }
        let mut members = tx.open_table(MEMBERS)?;
        let mut fresh: Vec<_> = self.fresh.iter().collect();
        // In the order of the keys, so that neighbours share pages.
        fresh.sort_unstable_by_key(|(identity, _)| **identity);
        for (identity, member) in fresh {
            match member {
                Some(m) => drop(members.insert(identity, (m.api, m.theme.bits(), m.sketch.0))?),
                None => drop(members.remove(identity)?),
            }
        }
        let (mut counters, mut themes) = (tx.open_table(COUNTERS)?, tx.open_table(THEMES)?);
        let mut buffer = Vec::new();
        let mut changed: Vec<&Shelf> = self.shelves.values().filter(|s| s.grouping.is_changed()).collect();
        changed.sort_unstable_by_key(|s| s.number);
        for shelf in changed {
            counters.insert(shelf.number, shelf.grouping.counters())?;
            for row in shelf.grouping.rows() {
                match row {
                    Row::Put(number, theme) => {
                        encode(theme, &mut buffer)?;
                        themes.insert((shelf.number, number), buffer.as_slice())?;
                    }
                    Row::Forget(number) => drop(themes.remove((shelf.number, number))?),
                }
            }
        }
        Ok(())
    }

    /// What was written is committed now. Lets go of APIs that were not met for long, as far as memory asks for it.
    pub(crate) fn written(&mut self) {
        self.fresh.clear();
        self.fresh_apis.clear();
        self.next_api = None;
        for shelf in self.shelves.values_mut().filter(|s| s.grouping.is_changed()) {
            shelf.grouping.stored();
            shelf.bytes = shelf.grouping.bytes();
        }
        let mut bytes: usize = self.shelves.values().map(|s| s.bytes).sum();
        while bytes > self.most_bytes && self.shelves.len() > 1 {
            let oldest = self.shelves.iter().min_by_key(|(_, s)| s.used).map(|(api, _)| api.clone());
            let Some(shelf) = oldest.and_then(|api| self.shelves.remove(&api)) else { break };
            bytes -= shelf.bytes;
        }
    }
}

/// A table that nothing was written to yet is not there.
pub(super) fn optional<T>(opened: Result<T, TableError>) -> Result<Option<T>, Fault> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
