//! What can go wrong in the search index.

use std::path::{Path, PathBuf};

/// What went wrong, by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The question can't be understood: the asker can mend it.
    #[error("{what} (column {column}): {hint}")]
    Query {
        /// What is wrong.
        what: String,
        /// Where, in characters from 1.
        column: usize,
        /// What to do.
        hint: String,
    },
    /// Something beside the query text is wrong: the asker can mend it.
    #[error("{0}")]
    Request(String),
    /// The index is damaged: the partition has to be built again from the insights topic.
    #[error("the search index in {} is damaged: {why}. It is built again from the insights topic if the folder {} is deleted while the service is stopped", folder.display(), rebuild.display())]
    Damaged {
        /// The folder that is damaged.
        folder: PathBuf,
        /// The folder to delete.
        rebuild: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The index was written by a program with another layout: the partition has to be built again.
    #[error("the search index in {} has layout {found}, this program needs layout {wanted}: it must be built again from the insights topic", folder.display())]
    OtherLayout {
        /// The folder of the partition's search index.
        folder: PathBuf,
        /// The layout found.
        found: String,
        /// The layout of this program.
        wanted: String,
    },
    /// The disk refused.
    #[error("{what} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The index refused.
    #[error("{what}: {source}")]
    Engine {
        /// What was tried, on which API version.
        what: String,
        /// What the engine said.
        source: tantivy::TantivyError,
    },
}

impl SearchError {
    /// Whether the asker can mend it by asking differently.
    #[must_use]
    pub fn is_askers(&self) -> bool {
        matches!(self, Self::Query { .. } | Self::Request(_))
    }

    /// Whether the partition must be built again from the insights topic.
    #[must_use]
    pub fn needs_rebuild(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::OtherLayout { .. })
    }

    pub(super) fn disk(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { what, path, source }
    }

    pub(super) fn engine(what: impl Into<String>) -> impl FnOnce(tantivy::TantivyError) -> Self {
        let what = what.into();
        move |source| Self::Engine { what, source }
    }
}

impl From<tantivy::TantivyError> for SearchError {
    fn from(source: tantivy::TantivyError) -> Self {
        Self::Engine { what: "search".into(), source }
    }
}

impl From<std::io::Error> for SearchError {
    fn from(source: std::io::Error) -> Self {
        Self::Engine { what: "search".into(), source: source.into() }
    }
}
