//! Insights with a correction over them: how they are stored, found by identity, and brought in line with the table.
//!
//! A corrected document holds the insight as people see it, and beside it the machine's own word, so that it stays visible and comes
//! back when the correction is withdrawn. A document that moves to another version is put there, durably, before it leaves its old
//! place: a crash in between leaves two copies, never none, and the next start brings them in line.

use std::sync::Arc;

use groundswell_bus::Offset;
use groundswell_model::{IdentityHash, Insight, Timestamp, frame};
use groundswell_themes::Sketch;
use serde::{Deserialize, Serialize};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocId, DocSet, Searcher, SegmentReader, TantivyDocument};

use super::error::SearchError;
use super::schema::{FIELDS, Keyword, Subject, decode, encode};
use super::snapshot::Snapshot;
use super::store::SearchStore;
use super::version::identity_term;
use super::waiting::Waiting;
use crate::corrections::Standing;
use crate::corrections::overlay::overlay;

/// What the machine said of a corrected document, and who disagreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine<'a> {
    /// When the correction was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Option<&'a str>,
    /// Why.
    pub note: Option<&'a str>,
    /// The insight without the correction.
    #[serde(borrow)]
    pub was: Insight<'a>,
}

/// Reads what the machine said of its stored form.
pub(super) fn machine(bytes: &[u8]) -> Option<Machine<'_>> {
    frame::read(bytes).next()?.ok()
}

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    insight: Vec<u8>,
    machine: Option<Vec<u8>>,
}

impl Stored {
    /// The insight as people see it.
    #[must_use]
    pub fn insight(&self) -> Option<Insight<'_>> {
        decode(&self.insight)
    }

    /// What the machine said, where people corrected it.
    #[must_use]
    pub fn machine(&self) -> Option<Machine<'_>> {
        machine(self.machine.as_deref()?)
    }

    /// The insight without any correction.
    #[must_use]
    pub fn original(&self) -> Option<Insight<'_>> {
        if self.machine.is_some() { self.machine().map(|m| m.was) } else { self.insight() }
    }

    pub(super) fn of(doc: &TantivyDocument) -> Option<Self> {
        let bytes = |field| doc.get_first(field).and_then(|v| v.as_bytes()).map(<[u8]>::to_vec);
        Some(Self { insight: bytes(FIELDS.stored)?, machine: bytes(FIELDS.machine) })
    }
}

impl Snapshot {
    /// What is stored of a piece of feedback, in whichever version it counts.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn find(&self, identity: IdentityHash) -> Result<Option<Stored>, SearchError> {
        for view in &self.versions {
            if let Some((stored, _)) = find(&view.searcher, identity.0)? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }
}

/// The document of an identity, and what it is about.
fn find(searcher: &Searcher, identity: u128) -> Result<Option<(Stored, Subject)>, SearchError> {
    let term = identity_term(identity);
    for (number, segment) in (0u32..).zip(searcher.segment_readers()) {
        let inverted = segment.inverted_index(FIELDS.identity)?;
        let Some(info) = inverted.get_term_info(&term)? else { continue };
        let mut postings = inverted.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        while postings.doc() != tantivy::TERMINATED {
            if !segment.is_deleted(postings.doc()) {
                let doc: TantivyDocument = searcher.doc(DocAddress::new(number, postings.doc()))?;
                let subject = subject(segment, postings.doc())?;
                return Ok(Stored::of(&doc).map(|stored| (stored, subject)));
            }
            postings.advance();
        }
    }
    Ok(None)
}

/// What a document is about: told by the grouping when it came, and kept with it.
fn subject(segment: &SegmentReader, doc: DocId) -> Result<Subject, SearchError> {
    let mut name = String::new();
    if let Some(themes) = segment.fast_fields().str(Keyword::Theme.name())? {
        let ord = themes.term_ords(doc).next();
        ord.map(|ord| themes.ord_to_str(ord, &mut name)).transpose().map_err(tantivy::TantivyError::from)?;
    }
    let sketch = segment.fast_fields().u64("sketch")?.first(doc).unwrap_or(0);
    Ok(Subject { theme: name.parse().ok(), sketch: Sketch(sketch) })
}

/// An insight on its way into the index.
pub(super) struct Prepared<'a> {
    pub(super) insight: Insight<'a>,
    pub(super) stored: Arc<[u8]>,
    machine: Option<Arc<[u8]>>,
    subject: Subject,
}

impl<'a> Prepared<'a> {
    /// The insight with what people say of it.
    pub(super) fn new(insight: &Insight<'a>, standing: &'a Standing, subject: Subject) -> Result<Self, SearchError> {
        let corrected = overlay(insight, standing);
        let unstorable = |e: &dyn std::fmt::Display| SearchError::Request(format!("can't store an insight: {e}"));
        let stored = encode(&corrected).map_err(|e| unstorable(&e))?;
        let said = &standing.correction;
        let machine = Machine { at: standing.at, by: said.by.as_deref(), note: said.note.as_deref(), was: insight.clone() };
        let machine = standing.stands().then(|| frame::encode_one(&machine)).transpose().map_err(|e| unstorable(&e))?;
        Ok(Self { insight: corrected, stored: stored.into(), machine: machine.map(Arc::from), subject })
    }

    /// The document of one of its versions.
    pub(super) fn waiting(&self, weight: f32) -> Waiting {
        Waiting { stored: self.stored.clone(), machine: self.machine.clone(), weight, subject: self.subject }
    }

    fn is_stored_as(&self, copy: &Stored) -> bool {
        *copy.insight == *self.stored && copy.machine.as_deref() == self.machine.as_deref()
    }
}

/// What was written anew, and which copies are to leave: API, version, identity.
#[derive(Debug, Default)]
pub(super) struct Written {
    changed: u64,
    leaving: Vec<(String, String, u128)>,
}

/// A copy of a document: its API and version, and the checkpoint of that index.
struct Copy {
    api: String,
    version: String,
    checkpoint: Offset,
    stored: Stored,
    subject: Subject,
}

impl SearchStore {
    /// Brings what is stored of these pieces of feedback in line with the table of corrections, durably and visibly; `checkpoint`
    /// is how far everything is contained. Only to be called between two commits. Returns how many were written anew.
    ///
    /// # Errors
    /// An index or the disk refuses: open the store again, and ask again for all that was ever corrected.
    pub fn correct(&mut self, identities: &[IdentityHash], checkpoint: Offset) -> Result<u64, SearchError> {
        let Written { changed, leaving } = self.write_corrected(identities, checkpoint)?;
        self.leave(&leaving)?;
        if changed > 0 {
            // Searches see both at once: never two copies, never none.
            self.commit(checkpoint)?;
        }
        Ok(changed)
    }

    /// Writes documents anew where they belong, durably where others are left: those still have their copies.
    pub(super) fn write_corrected(&mut self, identities: &[IdentityHash], checkpoint: Offset) -> Result<Written, SearchError> {
        let mut written = Written::default();
        for identity in identities {
            let Some(standing) = self.corrections.with(|table| table.of(*identity)) else { continue };
            let copies = self.copies(*identity)?;
            // After a crash an index may be ahead of the others: its copy is the newest.
            let Some(newest) = copies.iter().max_by_key(|c| c.checkpoint) else { continue };
            let Some(original) = newest.stored.original() else { continue };
            let prepared = Prepared::new(&original, &standing, newest.subject)?;
            let belongs = |copy: &Copy| prepared.insight.versions.iter().any(|v| v.version == copy.version);
            let of_api = || copies.iter().filter(|c| c.api == newest.api);
            let as_stored = of_api().all(|c| belongs(c) && prepared.is_stored_as(&c.stored));
            if as_stored && of_api().count() == prepared.insight.versions.len() {
                continue;
            }
            self.put_prepared(&prepared)?;
            written.changed += 1;
            written.leaving.extend(of_api().filter(|c| !belongs(c)).map(|c| (c.api.clone(), c.version.clone(), identity.0)));
        }
        if !written.leaving.is_empty() {
            self.make_durable(checkpoint)?;
        }
        Ok(written)
    }

    fn copies(&mut self, identity: IdentityHash) -> Result<Vec<Copy>, SearchError> {
        let mut copies = Vec::new();
        for index in self.indexes() {
            if let Some((stored, subject)) = find(&index.searcher(), identity.0)? {
                copies.push(Copy {
                    api: index.api.clone(),
                    version: index.version.clone(),
                    checkpoint: index.checkpoint(),
                    stored,
                    subject,
                });
            }
        }
        Ok(copies)
    }
}
