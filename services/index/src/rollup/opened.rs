//! The tables of one read transaction.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableHandle};
use serde::de::DeserializeOwned;

use super::error::{Fault, RollupError};
use super::intern::Kind;
use super::tables::{BY_VERSION, Cells, DayKey, IDS, Key, NAMES, OPERATION_BLOCK, OPERATION_DAYS, consumer_at, decode, each_cell};

/// Looking a number up costs as much as passing so many by.
const SPARSE: u64 = 8;

/// Tables that were opened: a question looks thousands of names and cells up, and opening a table costs as much as ten of them.
pub(super) struct Opened {
    tx: ReadTransaction,
    path: PathBuf,
    ids: OnceLock<ReadOnlyTable<(u8, &'static [u8]), u32>>,
    names: OnceLock<ReadOnlyTable<(u8, u32), &'static [u8]>>,
    cells: [OnceLock<ReadOnlyTable<Key, &'static [u8]>>; BY_VERSION.len()],
    operation_days: OnceLock<ReadOnlyTable<DayKey, &'static [u8]>>,
}

impl Opened {
    pub(super) fn new(tx: ReadTransaction, path: &Path) -> Self {
        let (ids, names, cells, operation_days) = Default::default();
        Self { tx, path: path.to_owned(), ids, names, cells, operation_days }
    }

    /// The values of a range.
    pub(super) fn rows<T: DeserializeOwned>(
        &self,
        table: Cells,
        range: Option<RangeInclusive<Key>>,
        mut each: impl FnMut(Key, T),
    ) -> Result<(), RollupError> {
        self.packed(table, range, |key, bytes| {
            each(key, decode(&table, bytes)?);
            Ok(())
        })
    }

    /// The cells of a range of blocks: what stands in the middle of the key, the consumer, the cell.
    pub(super) fn blocks<T: DeserializeOwned>(
        &self,
        (table, size): (Cells, u32),
        range: Option<RangeInclusive<Key>>,
        mut each: impl FnMut(u32, u32, T),
    ) -> Result<(), RollupError> {
        self.packed(table, range, |(_, middle, block), bytes| {
            each_cell(&table, bytes, |place, cell| each(middle, consumer_at(block, place, size), cell))
        })
    }

    /// The cells of a range of [`OPERATION_DAYS`]: the key of the day, the consumer, the cell.
    pub(super) fn operation_days<T: DeserializeOwned>(
        &self,
        range: RangeInclusive<DayKey>,
        mut each: impl FnMut(u32, u32, T),
    ) -> Result<(), RollupError> {
        let read = || {
            for row in opened(&self.operation_days, || Ok(self.tx.open_table(OPERATION_DAYS)?))?.range(range)? {
                let (key, bytes) = row?;
                let (_, _, day, block) = key.value();
                each_cell(&OPERATION_DAYS, bytes.value(), |place, cell| each(day, consumer_at(block, place, OPERATION_BLOCK), cell))?;
            }
            Ok(())
        };
        read().map_err(|f: Fault| f.at(&self.path))
    }

    /// The rows of a range as they are packed.
    pub(super) fn packed(
        &self,
        table: Cells,
        range: Option<RangeInclusive<Key>>,
        mut each: impl FnMut(Key, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), RollupError> {
        let Some(range) = range else { return Ok(()) };
        let read = || {
            for row in self.table(&table)?.range(range)? {
                let (key, bytes) = row?;
                each(key.value(), bytes.value())?;
            }
            Ok(())
        };
        read().map_err(|f: Fault| f.at(&self.path))
    }

    fn table(&self, table: &Cells) -> Result<&ReadOnlyTable<Key, &'static [u8]>, Fault> {
        let place = BY_VERSION.iter().position(|t| t.name() == table.name());
        let place = place.and_then(|at| self.cells.get(at)).ok_or_else(|| Fault::Damaged {
            table: table.name().to_owned(),
            why: "it is none of the tables with versions in them: this is a bug".to_owned(),
        })?;
        opened(place, || Ok(self.tx.open_table(*table)?))
    }

    /// The number of a name.
    pub(super) fn id(&self, kind: Kind, name: &[u8]) -> Result<Option<u32>, RollupError> {
        let read = || {
            let ids = opened(&self.ids, || Ok(self.tx.open_table(IDS)?))?;
            Ok(ids.get((kind as u8, name))?.map(|id| id.value()))
        };
        read().map_err(|f: Fault| f.at(&self.path))
    }

    /// Tells the numbers of those names that have one, by place among the names, which are sorted. Where they are a good part of all, the
    /// table is gone through as it lies.
    pub(super) fn ids(&self, kind: Kind, names: &[String], mut each: impl FnMut(usize, u32)) -> Result<(), RollupError> {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(()) };
        let mut wanted = names.iter().enumerate().peekable();
        let mut read = || {
            let ids = opened(&self.ids, || Ok(self.tx.open_table(IDS)?))?;
            if ids.len()? / SPARSE >= names.len() as u64 {
                for (place, name) in wanted.by_ref() {
                    if let Some(id) = ids.get((kind as u8, name.as_bytes()))? {
                        each(place, id.value());
                    }
                }
                return Ok(());
            }
            for row in ids.range((kind as u8, first.as_bytes())..=(kind as u8, last.as_bytes()))? {
                let (key, id) = row?;
                let name = key.value().1;
                while wanted.next_if(|(_, wanted)| wanted.as_bytes() < name).is_some() {}
                while let Some((place, _)) = wanted.next_if(|(_, wanted)| wanted.as_bytes() == name) {
                    each(place, id.value());
                }
                if wanted.peek().is_none() {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|f: Fault| f.at(&self.path))
    }

    /// The name of a number.
    pub(super) fn name(&self, kind: Kind, id: u32) -> Result<Vec<u8>, RollupError> {
        let read = || {
            let names = opened(&self.names, || Ok(self.tx.open_table(NAMES)?))?;
            Ok(names.get((kind as u8, id))?.map(|name| name.value().to_vec()))
        };
        let name: Option<Vec<u8>> = read().map_err(|f: Fault| f.at(&self.path))?;
        name.ok_or_else(|| nameless(kind, id))
    }

    /// Tells the names of numbers, which are sorted. Where they are most of their range, it is gone through as it lies.
    pub(super) fn names(&self, kind: Kind, ids: &[u32], mut each: impl FnMut(u32, &[u8])) -> Result<(), RollupError> {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(()) };
        if u64::from(last - first) / SPARSE >= ids.len() as u64 {
            return ids.iter().try_for_each(|id| self.name(kind, *id).map(|name| each(*id, &name)));
        }
        let mut wanted = ids.iter().copied().peekable();
        let mut read = || {
            let names = opened(&self.names, || Ok(self.tx.open_table(NAMES)?))?;
            for row in names.range((kind as u8, *first)..=(kind as u8, *last))? {
                let (key, name) = row?;
                if let Some(id) = wanted.next_if_eq(&key.value().1) {
                    each(id, name.value());
                }
            }
            Ok(())
        };
        read().map_err(|f: Fault| f.at(&self.path))?;
        wanted.next().map_or(Ok(()), |id| Err(nameless(kind, id)))
    }
}

/// What is in the place, opened first where nothing is.
fn opened<T>(place: &OnceLock<T>, open: impl FnOnce() -> Result<T, Fault>) -> Result<&T, Fault> {
    if let Some(table) = place.get() {
        return Ok(table);
    }
    let table = open()?;
    Ok(place.get_or_init(|| table))
}

fn nameless(kind: Kind, id: u32) -> RollupError {
    RollupError::Damaged { table: "names".to_owned(), why: format!("no name for {kind:?} {id}") }
}
