//! Waiting cells into the tables: read, add, write, in the order of the keys so that neighbours share pages.

use groundswell_bus::Offset;
use hashbrown::HashMap;
use redb::{Database, ReadableTable, Table, WriteTransaction};

use super::cells::{Active, Cell, MilestoneNote, OperationTotals, Reach, Traffic, VersionTotals};
use super::error::Fault;
use super::intern::Interner;
use super::pending::Pending;
use super::store::Also;
use super::tables::{
    ACTIVE, BLOCK, CONSUMERS, Cells, DAYS, HOURS, IDS, Key, LATENCY, LATENCY_BLOCK, META, META_CHECKPOINT, META_COMMITS, MILESTONES, NAMES,
    OPERATIONS, PRESENCE, REACH, VERSIONS, block_of, day_key, decode, encode, hour_of_key,
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
    merge_blocks(tx, (REACH, BLOCK), &pending.reach, |(version, operation, _), before: Option<&Reach>, after| {
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

fn sorted<C>(cells: &HashMap<Key, C>) -> Vec<(Key, &C)> {
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

/// Adds cells of consumers, so many of which share a row. `told` learns of each cell as it was and as it is.
fn merge_blocks<C: Cell>(
    tx: &WriteTransaction,
    (definition, size): (Cells, u32),
    cells: &HashMap<Key, C>,
    mut told: impl FnMut(Key, Option<&C>, &C),
) -> Result<(), Fault> {
    let mut table = tx.open_table(definition)?;
    let mut buffer = Vec::new();
    let all = sorted(cells);
    let row_of = |(version, middle, consumer): Key| (version, middle, block_of(consumer, size).0);
    for waiting in all.chunk_by(|(a, _), (b, _)| row_of(*a) == row_of(*b)) {
        let Some((first, _)) = waiting.first() else { continue };
        let stored = read_block::<C>(&table, &definition, row_of(*first))?;
        let merged = merge_sorted(stored, waiting, size, &mut told);
        encode(&definition, &merged, &mut buffer)?;
        table.insert(row_of(*first), buffer.as_slice())?;
    }
    Ok(())
}

fn read_block<C: Cell>(table: &Table<'_, Key, &'static [u8]>, definition: &Cells, row: Key) -> Result<Vec<(u8, C)>, Fault> {
    let stored = table.get(row)?.map(|bytes| decode(definition, bytes.value())).transpose()?;
    Ok(stored.unwrap_or_default())
}

fn merge_sorted<C: Cell>(
    stored: Vec<(u8, C)>,
    waiting: &[(Key, &C)],
    size: u32,
    told: &mut impl FnMut(Key, Option<&C>, &C),
) -> Vec<(u8, C)> {
    let mut merged = Vec::with_capacity(stored.len() + waiting.len());
    let mut stored = stored.into_iter().peekable();
    for (key, cell) in waiting {
        let place = block_of(key.2, size).1;
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
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::{cells::Presence, pending::merge_in};

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
