//! The version indexes of one partition: written by one thread, read by many.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::Offset;
use groundswell_model::{Insight, Removal, UNKNOWN_API};
use groundswell_runtime::settings::IndexSettings;

use super::corrected::Prepared;
use super::error::SearchError;
use super::manifest::{self, FOLDER};
use super::names::folder_of;
use super::schema::{Subject, encode};
use super::snapshot::{Readers, Snapshot};
use super::version::{Opened, VersionIndex};
use super::waiting::Waiting;
use crate::corrections::Shared;

/// The engine refuses writers with less memory.
const LEAST_WRITER_BYTES: usize = 15_000_000;
/// Changes that may wait for a commit before there is one without being asked: rounds are smaller, and memory is bounded for others, too.
const MOST_WAITING: usize = 32_768;
/// With more changes than this, few versions are written at once: a writer at work holds some ten MiB.
const MANY_CHANGES: usize = 512;

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Version indexes that were committed.
    pub indexes: usize,
    /// Insights put since the last commit, once for each version they count for.
    pub documents: u64,
    /// How long it took.
    pub took: Duration,
}

/// The search index of one partition of the insights topic: one index per API version.
///
/// One thread owns it; [`Readers`] serve the others. After an error of [`SearchStore::put`] or
/// [`SearchStore::commit`] drop it and open it again: what was not committed is read again.
pub struct SearchStore {
    partition: u32,
    home: PathBuf,
    settings: IndexSettings,
    apis: BTreeMap<String, BTreeMap<String, VersionIndex>>,
    readers: Readers,
    /// What people say, over what is put.
    pub(super) corrections: Shared,
    ticks: u64,
    documents: u64,
    /// Versions were added or dropped since the manifest was written.
    manifest_stale: bool,
}

impl SearchStore {
    /// Opens the search index of a partition below `root` (the folder of the partition), or begins an empty one.
    ///
    /// # Errors
    /// [`SearchError::needs_rebuild`]: build the partition in another folder from the start of the insights topic, then
    /// put that folder in place of this one. Else the disk refuses.
    pub fn open(root: &Path, partition: u32, settings: &IndexSettings) -> Result<Self, SearchError> {
        let home = root.join(FOLDER);
        fs::create_dir_all(&home).map_err(SearchError::disk("can't create the folder", &home))?;
        let (settings, readers) = (settings.clone(), Readers::default());
        let (apis, manifest_stale) = (BTreeMap::new(), !manifest::exists(&home));
        let corrections = Shared::default();
        let mut store =
            Self { partition, home: home.clone(), settings, apis, readers, corrections, ticks: 0, documents: 0, manifest_stale };
        let listed = manifest::read(&home)?;
        for folder in manifest::version_folders(&home)? {
            match VersionIndex::open(&folder, &home)? {
                Opened::Ready(index) => {
                    store.apis.entry(index.api.clone()).or_default().insert(index.version.clone(), *index);
                }
                Opened::NeverCommitted => manifest::remove(&folder)?,
                Opened::OtherLayout(found) => return Err(manifest::other_layout(&home, found)),
            }
        }
        if let Some((api, version)) = listed.iter().find(|(api, version)| !store.has(api, version)) {
            let folder = store.folder_of(api, version);
            return Err(SearchError::Damaged { folder, rebuild: home, why: "it is missing".into() });
        }
        let checkpoint = store.newest_checkpoint();
        store.publish(checkpoint);
        Ok(store)
    }

    /// Whether nothing was ever committed: after the folder was deleted, the caller has to read the insights topic from the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.apis.values().all(|versions| versions.values().all(|v| v.checkpoint() == Offset(0)))
    }

    /// The handle for searches.
    #[must_use]
    pub fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Every API version there is an index of.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.apis.iter().flat_map(|(api, versions)| versions.keys().map(|v| (api.as_str(), v.as_str())))
    }

    /// Puts an insight, read at `offset`, in place of whatever has its identity, in all of its versions and in no other.
    /// What a version index contains already (its checkpoint is above `offset`) is left alone.
    ///
    /// # Errors
    /// The index refuses.
    pub fn put(&mut self, insight: &Insight<'_>, offset: Offset) -> Result<(), SearchError> {
        self.put_about(insight, Subject::default(), offset)
    }

    /// As [`Self::put`], with what the insight is about.
    ///
    /// # Errors
    /// The index refuses.
    pub fn put_about(&mut self, insight: &Insight<'_>, subject: Subject, offset: Offset) -> Result<(), SearchError> {
        if let Some(standing) = self.corrections.with(|table| table.of(insight.identity)) {
            // The table may have changed since a version index took this in: only doing it again is sure to be right.
            let prepared = Prepared::new(insight, &standing, subject)?;
            self.leave_others(&prepared.insight, None)?;
            self.put_prepared(&prepared)?;
            return self.commit_overflow(offset);
        }
        self.leave_others(insight, Some(offset))?;
        let stored: Arc<[u8]> = encode(insight).map_err(|e| SearchError::Request(e.to_string()))?.into();
        self.put_as(insight, Some(offset), |weight| Waiting { stored: stored.clone(), machine: None, weight, subject })?;
        self.commit_overflow(offset)
    }

    /// Lets go of an insight by every version of its API that it does not count for, unless they contain `offset` already.
    fn leave_others(&mut self, insight: &Insight<'_>, offset: Option<Offset>) -> Result<(), SearchError> {
        let identity = insight.identity.0;
        let contained = |index: &VersionIndex| offset.is_some_and(|offset| index.contains_offset(offset));
        for (version, index) in self.apis.get_mut(insight.api).into_iter().flatten() {
            if !insight.versions.iter().any(|v| v.version == version) && !contained(index) {
                index.remove(identity)?;
            }
        }
        if insight.api != UNKNOWN_API {
            for index in self.apis.get_mut(UNKNOWN_API).into_iter().flat_map(BTreeMap::values_mut) {
                if !contained(index) {
                    index.remove(identity)?;
                }
            }
        }
        Ok(())
    }

    /// Puts an insight with its correction into its versions.
    pub(super) fn put_prepared(&mut self, prepared: &Prepared<'_>) -> Result<(), SearchError> {
        self.put_as(&prepared.insight, None, |weight| prepared.waiting(weight))
    }

    fn put_as(&mut self, insight: &Insight<'_>, offset: Option<Offset>, document: impl Fn(f32) -> Waiting) -> Result<(), SearchError> {
        for at in &insight.versions {
            self.ensure(insight.api, at.version)?;
            self.ticks += 1;
            let Some(index) = self.apis.get_mut(insight.api).and_then(|v| v.get_mut(at.version)) else { continue };
            if !offset.is_some_and(|offset| index.contains_offset(offset)) {
                index.used = self.ticks;
                index.put(insight.identity.0, document(at.weight))?;
                self.documents += 1;
            }
        }
        Ok(())
    }

    /// Removes documents from versions that they left.
    pub(super) fn leave(&mut self, leaving: &[(String, String, u128)]) -> Result<(), SearchError> {
        for (api, version, identity) in leaving {
            self.ticks += 1;
            let Some(index) = self.apis.get_mut(api).and_then(|v| v.get_mut(version)) else { continue };
            index.used = self.ticks;
            index.remove(*identity)?;
        }
        Ok(())
    }

    /// Puts from now on what people say over what the machine says.
    pub fn correct_by(&mut self, corrections: Shared) {
        self.corrections = corrections;
    }

    /// Removes an insight from an API that it left: it counts elsewhere now, perhaps in another partition.
    /// What a version index contains already (its checkpoint is above `offset`) is left alone.
    ///
    /// # Errors
    /// The index refuses.
    pub fn remove(&mut self, gone: &Removal<'_>, offset: Offset) -> Result<(), SearchError> {
        self.ticks += 1;
        for index in self.apis.get_mut(gone.api).into_iter().flat_map(BTreeMap::values_mut) {
            if !index.contains_offset(offset) {
                index.remove(gone.identity.0)?;
                index.used = self.ticks;
            }
        }
        self.commit_overflow(offset)
    }

    fn ensure(&mut self, api: &str, version: &str) -> Result<(), SearchError> {
        if self.has(api, version) {
            return Ok(());
        }
        let index = VersionIndex::create(self.folder_of(api, version), api, version)?;
        self.apis.entry(api.to_owned()).or_default().insert(version.to_owned(), index);
        self.manifest_stale = true;
        Ok(())
    }

    fn has(&self, api: &str, version: &str) -> bool {
        self.apis.get(api).is_some_and(|versions| versions.contains_key(version))
    }

    fn folder_of(&self, api: &str, version: &str) -> PathBuf {
        self.home.join(folder_of(api)).join(folder_of(version))
    }

    fn most_writers(&self) -> usize {
        (self.settings.writer_mib * 1024 * 1024 / LEAST_WRITER_BYTES).min(self.settings.writers).max(1)
    }

    fn writer_bytes(&self) -> usize {
        (self.settings.writer_mib * 1024 * 1024 / self.most_writers()).max(LEAST_WRITER_BYTES)
    }

    pub(super) fn indexes(&mut self) -> impl Iterator<Item = &mut VersionIndex> {
        self.apis.values_mut().flat_map(BTreeMap::values_mut)
    }

    fn waiting(&self) -> usize {
        self.apis.values().flat_map(BTreeMap::values).map(VersionIndex::waiting).sum()
    }

    /// Whether the next commit should go on beside few others: [`at_work`].
    fn has_many_changes(&self) -> bool {
        self.waiting() > MANY_CHANGES
    }

    /// Changes wait for the commit, where the engine takes them version by version. Where too many wait, they are made durable as of
    /// `offset`, which is read again after a crash.
    fn commit_overflow(&mut self, offset: Offset) -> Result<(), SearchError> {
        if self.waiting() > MOST_WAITING { self.make_durable(offset).map(drop) } else { Ok(()) }
    }

    /// Makes everything put since the last commit durable and visible, together with the next offset to read.
    /// Version indexes without changes keep their older checkpoint, which is as good: they have nothing from in between.
    ///
    /// # Errors
    /// An index or the disk refuses. Some indexes may have been committed: their checkpoints say so.
    pub fn commit(&mut self, checkpoint: Offset) -> Result<CommitReport, SearchError> {
        let begun = Instant::now();
        let indexes = self.make_durable(checkpoint)?;
        self.publish(checkpoint);
        Ok(CommitReport { indexes, documents: std::mem::take(&mut self.documents), took: begun.elapsed() })
    }

    /// Commits all changes; searches go on seeing what they saw.
    pub(super) fn make_durable(&mut self, checkpoint: Offset) -> Result<usize, SearchError> {
        let (most, memory) = (self.most_writers(), self.writer_bytes());
        let at_once = if self.has_many_changes() { at_work(most) } else { usize::MAX };
        let mut indexes = 0;
        loop {
            let ready: Vec<_> = self.indexes().filter(|i| i.waiting() > 0 && i.has_writer()).collect();
            indexes += commit_all(ready, at_once, checkpoint)?;
            let waiting = self.indexes().filter(|i| i.waiting() > 0).count();
            if waiting == 0 {
                break;
            }
            let keep = most.saturating_sub(waiting);
            let mut open: Vec<_> = self.indexes().filter(|i| i.has_writer()).collect();
            open.sort_by_key(|i| std::cmp::Reverse(i.used));
            open.into_iter().skip(keep).for_each(VersionIndex::close_writer);
            let free = most - self.indexes().filter(|i| i.has_writer()).count();
            for index in self.indexes().filter(|i| i.waiting() > 0).take(free) {
                index.open_writer(memory)?;
            }
        }
        if self.manifest_stale {
            self.write_manifest()?;
        }
        Ok(indexes)
    }

    /// Forgets an API version and deletes its folder. Feedback that names it later begins a new one.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn drop_version(&mut self, api: &str, version: &str) -> Result<bool, SearchError> {
        let Some(index) = self.apis.get_mut(api).and_then(|v| v.remove(version)) else { return Ok(false) };
        self.apis.retain(|_, versions| !versions.is_empty());
        let folder = index.folder.clone();
        drop(index);
        self.write_manifest()?;
        manifest::remove(&folder)?;
        let checkpoint = self.readers.snapshot().checkpoint;
        self.publish(checkpoint);
        Ok(true)
    }

    fn write_manifest(&mut self) -> Result<(), SearchError> {
        let versions: Vec<(String, String)> = self.versions().map(|(a, v)| (a.to_owned(), v.to_owned())).collect();
        manifest::write(&self.home, versions)?;
        self.manifest_stale = false;
        Ok(())
    }

    fn newest_checkpoint(&self) -> Offset {
        self.apis.values().flat_map(BTreeMap::values).map(VersionIndex::checkpoint).max().unwrap_or_default()
    }

    fn publish(&mut self, checkpoint: Offset) {
        let versions = self.indexes().map(VersionIndex::view).collect();
        self.readers.publish(Snapshot { partition: self.partition, checkpoint, versions });
    }
}

/// How many of so many writers are at work at once where there are many changes.
pub(crate) fn at_work(writers: usize) -> usize {
    (writers / 8).max(1)
}

/// Commits side by side, `at_once` of them: most of a small commit is waiting for the disk.
fn commit_all(mut dirty: Vec<&mut VersionIndex>, at_once: usize, checkpoint: Offset) -> Result<usize, SearchError> {
    let count = dirty.len();
    for group in dirty.chunks_mut(at_once.min(count).max(1)) {
        commit_group(group, checkpoint)?;
    }
    Ok(count)
}

fn commit_group(group: &mut [&mut VersionIndex], checkpoint: Offset) -> Result<(), SearchError> {
    if let [only] = group {
        return only.commit(checkpoint);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = group.iter_mut().map(|index| scope.spawn(move || index.commit(checkpoint))).collect();
        let panicked = || SearchError::Engine { what: "commit".into(), source: tantivy::TantivyError::ErrorInThread("panicked".into()) };
        // The scope waits for all of them; the first error is told.
        running.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
    })
}
