//! Reading all insights of a partition again into a shadow beside it, then swapping. The same path serves a
//! rebuild that somebody asked for and one that a changed layout or a damaged store makes necessary.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use groundswell_bus::{Bus, BusError, Offset, Stop, Topic, crash};
use groundswell_runtime::settings::IndexSettings;

use crate::corrections::Shared;
use crate::partition::{Partition, SEARCH, USAGE, folder};
use crate::rollup::RollupError;
use crate::search::SearchError;

/// Records between two commits of a shadow.
const ROUND: u64 = 64;

/// Opens a partition. Stores of another layout, or damaged ones, are rebuilt first: all they hold is in the topic.
///
/// # Errors
/// The stores can't be opened or rebuilt.
pub(crate) fn open(
    bus: &dyn Bus,
    data: &Path,
    partition: u32,
    settings: &IndexSettings,
    corrections: &Shared,
    stop: &Stop,
) -> anyhow::Result<Partition> {
    let root = folder(data, partition);
    finish_swap(&root)?;
    // The usage store has the checkpoint: a search index that was deleted beside it would never be filled again.
    let search_deleted = root.join(USAGE).exists() && !root.join(SEARCH).exists();
    let why = match Partition::open(data, partition, settings) {
        Ok(_) if search_deleted => format!("the folder {} was deleted", root.join(SEARCH).display()),
        Err(error) if needs_rebuild(&error) => format!("{error:#}"),
        opened => return opened,
    };
    tracing::warn!(partition, why, "rebuilding this index partition from the insights topic");
    rebuild(bus, data, partition, settings, corrections, Offset(u64::MAX), stop)?;
    Partition::open(data, partition, settings)
}

fn needs_rebuild(error: &anyhow::Error) -> bool {
    error.downcast_ref::<SearchError>().is_some_and(SearchError::needs_rebuild)
        || matches!(error.downcast_ref::<RollupError>(), Some(RollupError::Format { .. } | RollupError::Damaged { .. }))
}

/// Reads all insights of `partition` before `upto` into a shadow and swaps it in. Returns how many records were read.
/// The old stores stay untouched until the shadow is complete.
///
/// # Errors
/// A store can't be written, a frame can't be read, or the process was told to stop.
pub(crate) fn rebuild(
    bus: &dyn Bus,
    data: &Path,
    partition: u32,
    settings: &IndexSettings,
    corrections: &Shared,
    upto: Offset,
    stop: &Stop,
) -> anyhow::Result<u64> {
    let shadow_data = data.join("index").join("shadow");
    let shadow_root = folder(&shadow_data, partition);
    remove(&shadow_root)?;
    let mut shadow = Partition::open(&shadow_data, partition, settings)?;
    shadow.search_mut().correct_by(corrections.clone());
    let mut read = 0_u64;
    let mut failed: Option<anyhow::Error> = None;
    bus.reader(Topic::Insights)?.catch_up(&mut |record| {
        if failed.is_some() || record.part.partition != partition || record.offset >= upto {
            return;
        }
        let worked = (|| {
            anyhow::ensure!(!stop.is_set(), BusError::Stopped);
            shadow.apply(&record)?;
            read += 1;
            if read.is_multiple_of(ROUND) {
                shadow.commit()?;
            }
            Ok(())
        })();
        failed = worked.err();
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    shadow.commit()?;
    drop(shadow);
    swap(&folder(data, partition), &shadow_root)?;
    tracing::info!(partition, records = read, "index partition rebuilt and swapped in");
    Ok(read)
}

fn aside(root: &Path) -> PathBuf {
    root.with_extension("old")
}

fn swap(root: &Path, shadow: &Path) -> anyhow::Result<()> {
    let old = aside(root);
    remove(&old)?;
    if root.exists() {
        std::fs::rename(root, &old)?;
    }
    crash::point("index.swap.aside");
    std::fs::rename(shadow, root)?;
    crash::point("index.swap.renamed");
    remove(&old)
}

/// A crash between the two renames of a swap leaves only the old stores, set aside: put them back.
fn finish_swap(root: &Path) -> anyhow::Result<()> {
    let old = aside(root);
    if old.exists() && !root.exists() {
        std::fs::rename(&old, root)?;
    }
    remove(&old)
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}
