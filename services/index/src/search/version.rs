//! The index of one API version: its folder, its writer, its checkpoint.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundswell_bus::Offset;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};
use tantivy::index::IndexSettings as EngineSettings;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, Term};

use super::directory::BatchedDirectory;
use super::error::SearchError;
use super::pack;
use super::parcel::Parcel;
use super::schema::{FIELDS, LAYOUT};
use super::snapshot::VersionView;
use super::waiting::Waiting;
use super::words;

/// Small blocks: a page of hits decompresses little.
const STORE_BLOCK_BYTES: usize = 4096;
/// Decompressed blocks kept for each segment.
const STORE_BLOCKS_KEPT: usize = 8;
/// Segments of one size class that are merged into one.
const MERGE_AT: usize = 6;
/// Segments below this many documents are one size class, so that merging after small commits costs little.
const SMALLEST_CLASS_DOCS: u32 = 256;
/// Share of deleted documents at which a segment is written anew.
const DELETED_SHARE: f32 = 0.3;

/// What a commit says about itself; visible with the documents it belongs to, or not at all.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Payload {
    layout: u32,
    next: u64,
    api: String,
    version: String,
}

type Writer = IndexWriter<Parcel>;

/// Changes that the engine is given at once.
const CHANGES_AT_ONCE: usize = 64;

/// A change that waits for a commit.
enum Change {
    /// A document, and the identity of the one that it replaces.
    Put(Waiting, Option<u128>),
    Remove(u128),
}

/// The index of one API version.
pub(super) struct VersionIndex {
    pub(super) api: String,
    pub(super) version: String,
    pub(super) folder: PathBuf,
    index: Index,
    reader: IndexReader,
    writer: Option<Writer>,
    /// Changes since the last commit: the engine takes them in then, because a writer at work holds far more memory than they do.
    pending: Vec<Change>,
    checkpoint: Offset,
    /// Identities put since the last commit: the reader can't see them yet.
    fresh: HashSet<u128>,
    /// What searches saw of it last.
    view: Option<Arc<VersionView>>,
    stale_view: bool,
    /// When it was last written to, in ticks of the store.
    pub(super) used: u64,
}

/// What a folder turned out to be.
pub(super) enum Opened {
    Ready(Box<VersionIndex>),
    /// Created, but never committed: nothing is lost with it.
    NeverCommitted,
    OtherLayout(String),
}

impl VersionIndex {
    pub(super) fn create(folder: PathBuf, api: &str, version: &str) -> Result<Self, SearchError> {
        fs::create_dir_all(&folder).map_err(SearchError::disk("can't create the folder", &folder))?;
        let what = || format!("can't create the index of {api} {version} in {}", folder.display());
        let directory = BatchedDirectory::open(&folder).map_err(|e| SearchError::engine(what())(e.into()))?;
        let settings = EngineSettings {
            docstore_blocksize: STORE_BLOCK_BYTES,
            docstore_compress_dedicated_thread: false,
            ..EngineSettings::default()
        };
        let builder = Index::builder().schema(FIELDS.schema.clone()).settings(settings).tokenizers(words::tokenizers());
        let index = builder.open_or_create(directory).map_err(SearchError::engine(what()))?;
        let reader = reader_of(&index).map_err(SearchError::engine(what()))?;
        Ok(Self::with(folder, index, reader, api.to_owned(), version.to_owned(), Offset(0)))
    }

    fn with(folder: PathBuf, index: Index, reader: IndexReader, api: String, version: String, checkpoint: Offset) -> Self {
        let (fresh, pending) = (HashSet::new(), Vec::new());
        Self { api, version, folder, index, reader, writer: None, pending, checkpoint, fresh, view: None, stale_view: true, used: 0 }
    }

    /// Opens what is in `folder`; what can't be read is damaged, and `rebuild` names the folder to delete.
    pub(super) fn open(folder: &Path, rebuild: &Path) -> Result<Opened, SearchError> {
        let damaged = |why: String| SearchError::Damaged { folder: folder.to_owned(), rebuild: rebuild.to_owned(), why };
        let engine = |e: tantivy::TantivyError| damaged(e.to_string());
        if !folder.join("meta.json").exists() {
            let leftover = fs::read_dir(folder).map_err(SearchError::disk("can't list", folder))?.filter_map(Result::ok);
            return match leftover.map(|f| f.path()).find(|p| p.extension().is_some_and(|e| e == "store" || e == pack::EXTENSION)) {
                Some(_) => Err(damaged("meta.json is missing".into())),
                None => Ok(Opened::NeverCommitted),
            };
        }
        let directory = BatchedDirectory::open(folder).map_err(|e| damaged(e.to_string()))?;
        let mut index = Index::open(directory).map_err(engine)?;
        index.set_tokenizers(words::tokenizers());
        let meta = index.load_metas().map_err(engine)?;
        let Some(payload) = meta.payload else {
            return if meta.segments.is_empty() {
                Ok(Opened::NeverCommitted)
            } else {
                Err(damaged("its commit carries no checkpoint".into()))
            };
        };
        let payload: Payload = serde_json::from_str(&payload).map_err(|e| damaged(format!("its checkpoint can't be read: {e}")))?;
        if payload.layout != LAYOUT || index.schema() != FIELDS.schema {
            return Ok(Opened::OtherLayout(payload.layout.to_string()));
        }
        let reader = reader_of(&index).map_err(engine)?;
        let next = Offset(payload.next);
        Ok(Opened::Ready(Box::new(Self::with(folder.to_owned(), index, reader, payload.api, payload.version, next))))
    }

    /// What the last commit made visible.
    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(super) fn checkpoint(&self) -> Offset {
        self.checkpoint
    }

    /// What searches see of the last commit.
    pub(super) fn view(&mut self) -> Arc<VersionView> {
        match &self.view {
            Some(view) if !self.stale_view => view.clone(),
            before => {
                let view = VersionView::new(&self.api, &self.version, self.checkpoint, self.reader.searcher(), before.as_deref());
                let view = Arc::new(view);
                self.view = Some(view.clone());
                self.stale_view = false;
                view
            }
        }
    }

    /// Changes that wait for a commit.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn has_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// Whether the record at `offset` is contained already.
    pub(super) fn contains_offset(&self, offset: Offset) -> bool {
        offset < self.checkpoint
    }

    /// Whether an insight of this identity is in, or was until it was removed. Most are new, and this
    /// look-up is far cheaper than having the engine look for something to delete.
    pub(super) fn may_contain(&self, identity: u128) -> Result<bool, SearchError> {
        if self.fresh.contains(&identity) {
            return Ok(true);
        }
        let term = identity_term(identity);
        for segment in self.reader.searcher().segment_readers() {
            let inverted = segment.inverted_index(FIELDS.identity)?;
            if let Some(info) = inverted.get_term_info(&term)? {
                let mut postings = inverted.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                if !segment.is_deleted(postings.doc()) || postings.advance() != tantivy::TERMINATED {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    pub(super) fn put(&mut self, identity: u128, document: Waiting) -> Result<(), SearchError> {
        let replaced = self.may_contain(identity)?.then_some(identity);
        self.fresh.insert(identity);
        self.pending.push(Change::Put(document, replaced));
        Ok(())
    }

    /// Removes the insight of this identity, if it is in.
    pub(super) fn remove(&mut self, identity: u128) -> Result<(), SearchError> {
        if self.may_contain(identity)? {
            self.pending.push(Change::Remove(identity));
        }
        Ok(())
    }

    /// Opens the writer.
    pub(super) fn open_writer(&mut self, memory: usize) -> Result<(), SearchError> {
        if self.writer.is_none() {
            let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).memory_budget_per_thread(memory).build();
            let what = format!("can't write the index of {} {} in {}", self.api, self.version, self.folder.display());
            let writer: Writer = self.index.writer_with_options(options).map_err(SearchError::engine(what))?;
            let mut merging = LogMergePolicy::default();
            merging.set_min_num_segments(MERGE_AT);
            merging.set_min_layer_size(SMALLEST_CLASS_DOCS);
            merging.set_del_docs_ratio_before_merge(DELETED_SHARE);
            writer.set_merge_policy(Box::new(merging));
            self.writer = Some(writer);
        }
        Ok(())
    }

    /// Closes the writer. What waits for a commit goes on waiting.
    pub(super) fn close_writer(&mut self) {
        self.writer = None;
    }

    /// Makes all changes durable together with the checkpoint, and visible to new searchers.
    pub(super) fn commit(&mut self, next: Offset) -> Result<(), SearchError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        // After a crash this index may be ahead of the others: what it contains stays contained.
        let next = next.max(self.checkpoint);
        let payload = Payload { layout: LAYOUT, next: next.0, api: self.api.clone(), version: self.version.clone() };
        let what = format!("can't commit the index of {} {} in {}", self.api, self.version, self.folder.display());
        apply(writer, std::mem::take(&mut self.pending))
            .and_then(|()| commit_with(writer, &payload))
            .and_then(|()| self.reader.reload())
            .map_err(SearchError::engine(what))?;
        self.checkpoint = next;
        self.stale_view = true;
        self.fresh.clear();
        Ok(())
    }
}

/// The only place that commits: a commit without its payload would erase the checkpoint.
fn commit_with(writer: &mut Writer, payload: &Payload) -> tantivy::Result<()> {
    let payload = serde_json::to_string(payload).map_err(|e| tantivy::TantivyError::InternalError(e.to_string()))?;
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&payload);
    prepared.commit()?;
    Ok(())
}

/// Hands changes to the engine in their order, some at a time.
fn apply(writer: &Writer, changes: Vec<Change>) -> tantivy::Result<()> {
    let unreadable = || tantivy::TantivyError::InternalError("an insight can't be read from its stored form".into());
    let mut operations: Vec<UserOperation<Parcel>> = Vec::new();
    for change in changes {
        let (gone, put) = match change {
            Change::Put(waiting, replaced) => (replaced, Some(waiting.document().ok_or_else(unreadable)?)),
            Change::Remove(identity) => (Some(identity), None),
        };
        operations.extend(gone.map(|identity| UserOperation::Delete(identity_term(identity))));
        operations.extend(put.map(|document| UserOperation::Add(document.into())));
        if operations.len() >= CHANGES_AT_ONCE {
            writer.run(std::mem::take(&mut operations))?;
        }
    }
    writer.run(operations).map(drop)
}

pub(super) fn identity_term(identity: u128) -> Term {
    Term::from_field_bytes(FIELDS.identity, &identity.to_be_bytes())
}

fn reader_of(index: &Index) -> tantivy::Result<IndexReader> {
    index.reader_builder().reload_policy(ReloadPolicy::Manual).doc_store_cache_num_blocks(STORE_BLOCKS_KEPT).try_into()
}
