//! Documents that wait for a commit.

use std::sync::Arc;

use tantivy::TantivyDocument;

use super::schema::{FIELDS, Subject, decode, document};

/// A document of one version, as little of it as it can be made from: as a document of the engine it is some four times as large.
pub(super) struct Waiting {
    /// The stored form of its insight, one for all of its versions.
    pub(super) stored: Arc<[u8]>,
    /// What the machine said, where people said something else.
    pub(super) machine: Option<Arc<[u8]>>,
    pub(super) weight: f32,
    pub(super) subject: Subject,
}

impl Waiting {
    /// The document; none if the stored form can't be read.
    pub(super) fn document(&self) -> Option<TantivyDocument> {
        let insight = decode(&self.stored)?;
        let mut doc = document(&insight, &self.stored, self.weight, self.subject);
        if let Some(machine) = &self.machine {
            doc.add_bytes(FIELDS.machine, machine);
        }
        Some(doc)
    }
}
