//! Waiting cells into the tables: read, add, write, in the order of the keys so that neighbours share pages.

use groundswell_bus::Offset;
use hashbrown::HashMap;
use redb::{Database, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::cells::{Active, Cell, MilestoneNote, OperationTotals, Reach, Traffic, VersionTotals};
use super::error::Fault;
use super::intern::Interner;
use super::pending::{Pending, merge_in};
use super::store::Also;
use super::tables::{
    ACTIVE, BLOCK, CONSUMERS, Cells, DAYS, DayKey, HOURS, IDS, Key, LATENCY, LATENCY_BLOCK, META, META_CHECKPOINT, META_COMMITS,
    MILESTONES, NAMES, OPERATION_BLOCK, OPERATION_DAYS, OPERATIONS, PRESENCE, REACH, VERSIONS, block_of, day_key, day_of_key, decode,
    encode, hour_of_key,
};

/// One transaction: everything that waits, what others add, and the checkpoint that all of it brings the store to.
pub(super) fn write(
    db: &Database,
    pending: &Pending,
    names: &Interner,
    (commits, checkpoint): (u64, Offset),
    also: &Also<'_>,
) -> Result<(), Fault> {
    let mut tx = db.begin_write()?;
    // A restart after a crash then takes the same short time however large the store is.
    tx.set_quick_repair(true);
    write_names(&tx, names)?;
    write_usage(&tx, pending)?;
    write_milestones(&tx, &pending.milestones)?;
    also(&tx)?;
    {
        let mut meta = tx.open_table(META)?;
        meta.insert(META_CHECKPOINT, checkpoint.0)?;
        meta.insert(META_COMMITS, commits)?;
    }
    tx.commit()?;
    Ok(())
}

fn write_names(tx: &WriteTransaction, names: &Interner) -> Result<(), Fault> {
    let (mut ids, mut back) = (tx.open_table(IDS)?, tx.open_table(NAMES)?);
    let mut fresh: Vec<_> = names.fresh().collect();
    fresh.sort_unstable_by_key(|(kind, _, id)| (*kind as u8, *id));
    for (kind, name, id) in fresh {
        ids.insert((kind as u8, name), id)?;
        back.insert((kind as u8, id), name)?;
    }
    Ok(())
}

/// The cells themselves, and the coarser grains that follow from them.
fn write_usage(tx: &WriteTransaction, pending: &Pending) -> Result<(), Fault> {
    let mut versions: HashMap<Key, VersionTotals> = pending.versions.iter().map(|(v, t)| ((*v, 0, 0), *t)).collect();
    let mut operations: HashMap<Key, OperationTotals> = HashMap::new();
    let mut active: HashMap<Key, Active> = HashMap::new();

    merge_blocks(tx, (CONSUMERS, BLOCK), &pending.consumers, |(version, _, _), before, _| {
        versions.entry((version, 0, 0)).or_default().consumers += u64::from(before.is_none());
    })?;
    merge_blocks(tx, (PRESENCE, BLOCK), &pending.presence, |(version, day, _), before, _| {
        active.entry((version, day, 0)).or_default().0 += u64::from(before.is_none());
    })?;
    merge_blocks(tx, (OPERATION_DAYS, OPERATION_BLOCK), &pending.operation_days, |_, _, _| {})?;
    let mut reach: HashMap<Key, Reach> = HashMap::with_capacity(pending.operation_days.len());
    for (&(version, operation, day, consumer), on_it) in &pending.operation_days {
        merge_in(&mut reach, (version, operation, consumer), Reach::of(day_of_key(day), *on_it));
    }
    merge_blocks(tx, (REACH, BLOCK), &reach, |(version, operation, _), before: Option<&Reach>, after| {
        let totals = operations.entry((version, operation, 0)).or_default();
        totals.consumers += u64::from(before.is_none());
        totals.affected += u64::from(after.failed > 0 && before.is_none_or(|b| b.failed == 0));
    })?;

    merge_blocks(tx, (LATENCY, LATENCY_BLOCK), &pending.latency, |_, _, _| {})?;

    let mut days: HashMap<Key, Traffic> = HashMap::new();
    for (&(version, hour, operation), traffic) in &pending.traffic {
        days.entry((version, day_key(hour_of_key(hour).day()), operation)).or_default().merge(traffic);
    }
    for (&(version, _, operation), traffic) in &days {
        operations.entry((version, operation, 0)).or_default().traffic.merge(traffic);
    }
    merge_rows(tx, HOURS, &pending.traffic)?;
    merge_rows(tx, DAYS, &days)?;
    merge_rows(tx, OPERATIONS, &operations)?;
    merge_rows(tx, ACTIVE, &active)?;
    merge_rows(tx, VERSIONS, &versions)
}

fn write_milestones(tx: &WriteTransaction, milestones: &HashMap<Key, MilestoneNote>) -> Result<(), Fault> {
    let mut table = tx.open_table(MILESTONES)?;
    let mut buffer = Vec::new();
    for (key, note) in sorted(milestones) {
        encode(&MILESTONES, note, &mut buffer)?;
        table.insert(key, buffer.as_slice())?;
    }
    Ok(())
}

fn sorted<K: Copy + Ord, C>(cells: &HashMap<K, C>) -> Vec<(K, &C)> {
    let mut all: Vec<_> = cells.iter().map(|(key, cell)| (*key, cell)).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}

/// Adds cells that have a row each.
fn merge_rows<C: Cell>(tx: &WriteTransaction, definition: Cells, cells: &HashMap<Key, C>) -> Result<(), Fault> {
    let mut table = tx.open_table(definition)?;
    let mut buffer = Vec::new();
    for (key, cell) in sorted(cells) {
        let stored = table.get(key)?.map(|bytes| decode::<C>(&definition, bytes.value())).transpose()?;
        match stored {
            Some(mut stored) => {
                stored.merge(cell);
                encode(&definition, &stored, &mut buffer)?;
            }
            None => encode(&definition, cell, &mut buffer)?,
        }
        table.insert(key, buffer.as_slice())?;
    }
    Ok(())
}

/// A key that ends with a consumer, or in a table with the block that it is in.
trait ByConsumer: redb::Key + for<'a> redb::Value<SelfType<'a> = Self> + Copy + Ord + 'static {
    fn consumer(self) -> u32;
    fn row(self, size: u32) -> Self;
}

impl ByConsumer for Key {
    fn consumer(self) -> u32 {
        self.2
    }
    fn row(self, size: u32) -> Self {
        (self.0, self.1, block_of(self.2, size).0)
    }
}

impl ByConsumer for DayKey {
    fn consumer(self) -> u32 {
        self.3
    }
    fn row(self, size: u32) -> Self {
        (self.0, self.1, self.2, block_of(self.3, size).0)
    }
}

/// Adds cells of consumers, so many of which share a row. `told` learns of each cell as it was and as it is.
fn merge_blocks<K: ByConsumer, C: Cell>(
    tx: &WriteTransaction,
    (definition, size): (TableDefinition<'static, K, &'static [u8]>, u32),
    cells: &HashMap<K, C>,
    mut told: impl FnMut(K, Option<&C>, &C),
) -> Result<(), Fault> {
    let mut table = tx.open_table(definition)?;
    let mut buffer = Vec::new();
    let all = sorted(cells);
    for waiting in all.chunk_by(|(a, _), (b, _)| a.row(size) == b.row(size)) {
        let Some((first, _)) = waiting.first() else { continue };
        let stored = read_block::<K, C>(&table, &definition, first.row(size))?;
        let merged = merge_sorted(stored, waiting, size, &mut told);
        encode(&definition, &merged, &mut buffer)?;
        table.insert(first.row(size), buffer.as_slice())?;
    }
    Ok(())
}

fn read_block<K: ByConsumer, C: Cell>(
    table: &Table<'_, K, &'static [u8]>,
    definition: &TableDefinition<'static, K, &'static [u8]>,
    row: K,
) -> Result<Vec<(u8, C)>, Fault> {
    let stored = table.get(row)?.map(|bytes| decode(definition, bytes.value())).transpose()?;
    Ok(stored.unwrap_or_default())
}

fn merge_sorted<K: ByConsumer, C: Cell>(
    stored: Vec<(u8, C)>,
    waiting: &[(K, &C)],
    size: u32,
    told: &mut impl FnMut(K, Option<&C>, &C),
) -> Vec<(u8, C)> {
    let mut merged = Vec::with_capacity(stored.len() + waiting.len());
    let mut stored = stored.into_iter().peekable();
    for (key, cell) in waiting {
        let place = block_of(key.consumer(), size).1;
        while let Some(earlier) = stored.next_if(|(p, _)| *p < place) {
            merged.push(earlier);
        }
        match stored.next_if(|(p, _)| *p == place) {
            Some((_, before)) => {
                let mut after = before.clone();
                after.merge(cell);
                told(*key, Some(&before), &after);
                merged.push((place, after));
            }
            None => {
                told(*key, None, cell);
                merged.push((place, (*cell).clone()));
            }
        }
    }
    merged.extend(stored);
    merged
}

/// Removes every row of one version.
pub(super) fn drop_version(db: &Database, version: u32) -> Result<(), Fault> {
    let mut tx = db.begin_write()?;
    tx.set_quick_repair(true);
    for definition in super::tables::BY_VERSION {
        tx.open_table(definition)?.retain_in((version, 0, 0)..=(version, u32::MAX, u32::MAX), |_, _| false)?;
    }
    let all = (version, 0, 0, 0)..=(version, u32::MAX, u32::MAX, u32::MAX);
    tx.open_table(OPERATION_DAYS)?.retain_in(all, |_, _| false)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::cells::Presence;

    #[test]
    fn blocks_merge_in_order_and_tell_what_is_new() {
        let stored =
            vec![(1u8, Presence { calls: 1, ..Presence::default() }), (5, Presence { calls: 5, failed: 1, ..Presence::default() })];
        let mut waiting = HashMap::new();
        for consumer in [0u32, 5, 9] {
            merge_in(&mut waiting, (7, 3, consumer), Presence { calls: 10, failed: 2, ..Presence::default() });
        }
        let mut news = Vec::new();
        let merged =
            merge_sorted(stored, &sorted(&waiting), BLOCK, &mut |key, before, after| news.push((key.2, before.is_none(), after.calls)));
        assert_eq!(merged.iter().map(|(p, c)| (*p, c.calls)).collect::<Vec<_>>(), [(0, 10), (1, 1), (5, 15), (9, 10)]);
        assert_eq!(news, [(0, true, 10), (5, false, 15), (9, true, 10)]);
    }
}
