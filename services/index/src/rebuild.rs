//! Reading all insights of a partition again into a shadow beside it, then swapping. The same path serves a rebuild that somebody
//! asked for and one that a changed layout or a damaged store makes necessary. The shadow is built in a thread of its own: the loop
//! goes on polling, so what is published stays whole and fresh, and a member of a Kafka group is never silent for longer than
//! `max.poll.interval.ms` allows ([decision 0083](../../../docs/decisions/0083-rebuilds-beside-the-loop.md)).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use groundswell_bus::{Bus, BusError, Part, Reader, Record, Stop, Topic, crash};
use groundswell_runtime::settings::IndexSettings;

use crate::corrections::Shared;
use crate::partition::{Partition, SEARCH, USAGE, folder};
use crate::retention;
use crate::rollup::RollupError;
use crate::search::SearchError;

mod progress;

pub use progress::{Progress, Rebuilding};

/// Records between two commits of a shadow.
const ROUND: u64 = 64;
/// A shadow that found no more than this at the end has caught up; the rest is read while the loop waits.
const NEAR: u64 = 64;
/// Where events come as fast as a shadow reads them, the loop has to wait for the rest after so many passes.
const PASSES: usize = 10;
/// Between two lines of the log.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What a rebuild needs.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) data: PathBuf,
    pub(crate) settings: IndexSettings,
    pub(crate) corrections: Shared,
    pub(crate) progress: Progress,
}

/// What a partition's folder holds.
pub(crate) enum Opened {
    Ready(Box<Partition>),
    /// Stores of another layout, or damaged ones: all they hold is in the topic. Why, in words.
    Stale(String),
}

/// Opens a partition, unless it has to be rebuilt.
///
/// # Errors
/// The disk refuses.
pub(crate) fn open(data: &Path, partition: u32, settings: &IndexSettings) -> anyhow::Result<Opened> {
    let root = folder(data, partition);
    finish_swap(&root)?;
    // The usage store has the checkpoint: a search index that was deleted beside it would never be filled again.
    let search_deleted = root.join(USAGE).exists() && !root.join(SEARCH).exists();
    match Partition::open(data, partition, settings) {
        Ok(_) if search_deleted => {
            // The empty index that was just made must not pass for the one that was deleted.
            remove(&root.join(SEARCH))?;
            Ok(Opened::Stale(format!("the folder {} was deleted", root.join(SEARCH).display())))
        }
        Ok(partition) => Ok(Opened::Ready(Box::new(partition))),
        Err(error) if needs_rebuild(&error) => Ok(Opened::Stale(format!("{error:#}"))),
        Err(error) => Err(error),
    }
}

fn needs_rebuild(error: &anyhow::Error) -> bool {
    error.downcast_ref::<SearchError>().is_some_and(SearchError::needs_rebuild)
        || matches!(error.downcast_ref::<RollupError>(), Some(RollupError::Format { .. } | RollupError::Damaged { .. }))
}

/// A partition that is being built beside the one that answers.
pub(crate) struct Shadow {
    part: Part,
    root: PathBuf,
    data: PathBuf,
    partition: Partition,
    reader: Box<dyn Reader>,
    progress: Progress,
    read: u64,
    told: Instant,
}

impl Shadow {
    fn begin(workshop: &Workshop, number: u32) -> anyhow::Result<Self> {
        let beside = workshop.data.join("index").join("shadow");
        let root = folder(&beside, number);
        remove(&root)?;
        retention::check(workshop.bus.as_ref(), number, &folder(&workshop.data, number))?;
        let mut partition = Partition::open(&beside, number, &workshop.settings)?;
        partition.search_mut().correct_by(workshop.corrections.clone());
        let (data, progress) = (workshop.data.clone(), workshop.progress.clone());
        let part = Part { topic: Topic::Insights, partition: number };
        let reader = workshop.bus.reader(Topic::Insights)?;
        Ok(Self { part, root, data, partition, reader, progress, read: 0, told: Instant::now() })
    }

    /// Reads up to the end of the topic as it is now. Returns how many records that were.
    pub(crate) fn catch_up(&mut self, stop: &Stop) -> anyhow::Result<u64> {
        let before = self.read;
        let Self { part, partition, reader, progress, read, told, .. } = self;
        let mut failed: Option<anyhow::Error> = None;
        reader.catch_up_part(*part, &mut |record| {
            failed = work_in(partition, &record, read, stop).err();
            progress.reached(part.partition, record.offset.next());
            if told.elapsed() >= TELL_EVERY {
                *told = Instant::now();
                tracing::info!(partition = part.partition, records = *read, progress = %progress, "rebuilding an index partition");
            }
            failed.is_none()
        })?;
        failed.map_or(Ok(()), Err)?;
        self.partition.commit()?;
        Ok(self.read - before)
    }

    fn catch_up_nearly(&mut self, stop: &Stop) -> anyhow::Result<()> {
        for _ in 0..PASSES {
            if self.catch_up(stop)? <= NEAR {
                break;
            }
        }
        Ok(())
    }

    /// Records read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// Puts the shadow in place of the stores, whose writers must be gone. Readers of the old ones go on reading: their files live
    /// until they are let go.
    pub(crate) fn swap_in(self) -> anyhow::Result<()> {
        let Self { part, root, data, partition, read, .. } = self;
        drop(partition);
        swap(&folder(&data, part.partition), &root)?;
        tracing::info!(partition = part.partition, records = read, "index partition rebuilt and swapped in");
        Ok(())
    }
}

fn work_in(shadow: &mut Partition, record: &Record<'_>, read: &mut u64, stop: &Stop) -> anyhow::Result<()> {
    anyhow::ensure!(!stop.is_set(), BusError::Stopped);
    shadow.apply(record)?;
    *read += 1;
    if read.is_multiple_of(ROUND) {
        shadow.commit()?;
    }
    Ok(())
}

/// A shadow at work. Dropped before it is done, it is stopped and what it wrote is removed.
pub(crate) struct Running {
    pub(crate) number: u32,
    root: PathBuf,
    stop: Stop,
    thread: Option<JoinHandle<anyhow::Result<Shadow>>>,
}

impl Running {
    pub(crate) fn start(workshop: &Workshop, number: u32) -> anyhow::Result<Self> {
        let stop = Stop::default();
        let root = folder(&workshop.data.join("index").join("shadow"), number);
        let (workshop, heard) = (workshop.clone(), stop.clone());
        let work = move || {
            let mut shadow = Shadow::begin(&workshop, number)?;
            shadow.catch_up_nearly(&heard)?;
            Ok(shadow)
        };
        let thread = std::thread::Builder::new().name(format!("rebuild-{number}")).spawn(work).context("no thread for a rebuild")?;
        Ok(Self { number, root, stop, thread: Some(thread) })
    }

    /// The shadow, or why there is none, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<anyhow::Result<Shadow>> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        Some(thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the thread of a rebuild panicked"))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.stop.stop();
        drop(thread.join());
        if let Err(error) = remove(&self.root) {
            tracing::warn!(%error, "what a rebuild had written could not be removed; the next one does it");
        }
    }
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
