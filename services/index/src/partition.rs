//! One partition of the insights topic on disk: its search indexes, its usage roll-ups, their one checkpoint.

use std::path::{Path, PathBuf};

use groundswell_bus::{Offset, Record, crash};
use groundswell_model::{IdentityHash, Op, Timestamp, frame};
use groundswell_runtime::settings::IndexSettings;

use crate::corrections::{Corrections, Shared};
use crate::rollup::RollupStore;
use crate::search::SearchStore;
use crate::themes::Book;

/// What a commit round made searchable.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Round {
    /// When the source topics received what became searchable: a bounded sample, for freshness.
    pub received: Vec<Timestamp>,
    /// Instructions worked on since the last round.
    pub ops: u64,
}

/// The file of the usage roll-ups in a partition's folder.
pub const USAGE: &str = "usage.redb";
/// The folder of the search indexes in a partition's folder.
pub const SEARCH: &str = "search";

/// Freshness samples kept per round.
const SAMPLES: usize = 256;

/// The stores of one partition. One thread owns it; readers are handed out as snapshots.
pub struct Partition {
    search: SearchStore,
    usage: RollupStore,
    themes: Book,
    round: Round,
    next: Option<Offset>,
}

/// The folder of one partition below the data folder.
#[must_use]
pub fn folder(data: &Path, partition: u32) -> PathBuf {
    data.join("index").join(format!("p{partition}"))
}

impl Partition {
    /// Opens or creates the stores of a partition.
    ///
    /// # Errors
    /// A store can't be opened; the message names its folder.
    pub fn open(data: &Path, partition: u32, settings: &IndexSettings) -> anyhow::Result<Self> {
        let root = folder(data, partition);
        std::fs::create_dir_all(&root)?;
        let search = SearchStore::open(&root, partition, settings)?;
        let usage = RollupStore::open(&root.join(USAGE), settings.rollup_cache_mib)?;
        let themes = Book::new(usage.reader(), settings.themes_mib);
        Ok(Self { search, usage, themes, round: Round::default(), next: None })
    }

    /// Where to go on reading: behind everything that both stores hold.
    #[must_use]
    pub fn checkpoint(&self) -> Offset {
        self.usage.checkpoint().unwrap_or_default()
    }

    /// Works one frame in. Nothing of it can be seen before [`Self::commit`].
    ///
    /// # Errors
    /// The frame can't be read (the message names the record), or a store can't be written.
    pub fn apply(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        let value = record.value.unwrap_or_default();
        for op in frame::read::<Op<'_>>(value) {
            let op = op.map_err(|e| anyhow::anyhow!("insights partition {} offset {}: {e}", record.part.partition, record.offset.0))?;
            self.apply_op(&op, record.offset)?;
        }
        self.next = Some(record.offset.next());
        Ok(())
    }

    fn apply_op(&mut self, op: &Op<'_>, offset: Offset) -> anyhow::Result<()> {
        self.round.ops += 1;
        match op {
            Op::Upsert(insight) => {
                self.note_received(insight.received);
                let subject = self.themes.subject_of(insight)?;
                self.search.put_about(insight, subject, offset)?;
            }
            Op::Usage(delta) => {
                self.note_received(delta.received);
                self.usage.add(delta)?;
            }
            Op::Milestone(milestone) => self.usage.milestone(milestone)?,
            Op::Remove(gone) => {
                self.themes.remove(gone)?;
                self.search.remove(gone, offset)?;
            }
        }
        Ok(())
    }

    fn note_received(&mut self, received: Timestamp) {
        // The first of a round waited longest, so a full sample is not too kind.
        if self.round.received.len() < SAMPLES {
            self.round.received.push(received);
        }
    }

    /// When the source topics received what was worked in first since the last commit.
    #[must_use]
    pub fn received(&self) -> Option<Timestamp> {
        self.round.received.first().copied()
    }

    /// Makes all that was worked in durable and visible, together with its checkpoint.
    ///
    /// # Errors
    /// A store can't be written (a full disk). Nothing is lost: drop this, open it again and read from its checkpoint.
    pub fn commit(&mut self) -> anyhow::Result<Option<Round>> {
        let Some(next) = self.next else { return Ok(None) };
        crash::point("index.commit.begun");
        self.search.commit(next)?;
        crash::point("index.commit.search_done");
        self.themes.close_lookup();
        self.usage.commit_with(next, &|tx| self.themes.write(tx))?;
        self.themes.written();
        crash::point("index.commit.usage_done");
        self.next = None;
        Ok(Some(std::mem::take(&mut self.round)))
    }

    /// Brings what is stored of these pieces of feedback in line with what people say, durably. Between two commits.
    ///
    /// # Errors
    /// A store can't be written: drop this, open it again, and correct everything.
    pub fn correct(&mut self, changed: &[IdentityHash]) -> anyhow::Result<()> {
        let corrected = self.search.correct(changed, self.checkpoint())?;
        metrics::counter!("groundswell_index_corrected_total").increment(corrected);
        Ok(())
    }

    /// The same for everything that was ever corrected; from now on, the table says what people say.
    ///
    /// # Errors
    /// As [`Self::correct`].
    pub fn correct_all(&mut self, corrections: &Shared) -> anyhow::Result<()> {
        self.search.correct_by(corrections.clone());
        self.correct(&corrections.with(Corrections::identities))
    }

    /// Whether there is feedback or usage of an API version. Between two commits.
    ///
    /// # Errors
    /// The usage store can't be read.
    pub fn holds(&self, api: &str, version: &str) -> anyhow::Result<bool> {
        let said = self.search.versions().any(|v| v == (api, version));
        Ok(said || self.usage.reader().view()?.versions()?.iter().any(|v| v.0 == api && v.1 == version))
    }

    /// Forgets an API version, until its insights are read again. Between two commits.
    ///
    /// # Errors
    /// A store can't be written.
    pub fn drop_version(&mut self, api: &str, version: &str) -> anyhow::Result<()> {
        self.search.drop_version(api, version)?;
        Ok(self.usage.drop_version(api, version)?)
    }

    /// The search indexes.
    #[must_use]
    pub fn search(&self) -> &SearchStore {
        &self.search
    }

    /// The search indexes, to change them.
    pub fn search_mut(&mut self) -> &mut SearchStore {
        &mut self.search
    }

    /// The usage roll-ups.
    #[must_use]
    pub fn usage(&self) -> &RollupStore {
        &self.usage
    }
}
