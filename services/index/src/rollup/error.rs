//! What can go wrong in a roll-up store.

use std::path::PathBuf;

/// The store can't be read or written. Nothing that was added is lost: try again, or rebuild from the insights topic.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The file system or the store in it.
    #[error("roll-ups in {path}: {source}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What the store said.
        source: Box<redb::Error>,
    },
    /// Written by another version of this program.
    #[error(
        "roll-ups in {path} have format {found}, this program reads format {expected}: delete the file, it is rebuilt from the insights topic"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format this program reads.
        expected: u64,
    },
    /// A value that does not decode.
    #[error("roll-ups are damaged, table {table}: {why}: delete the file, it is rebuilt from the insights topic")]
    Damaged {
        /// Which table.
        table: String,
        /// What postcard said.
        why: String,
    },
    /// More names than ids.
    #[error("more than {0} names of one kind in one partition")]
    TooManyNames(u32),
}

/// An error of the store before it is known which file it belongs to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Store(Box<redb::Error>),
    #[error("{table}: {why}")]
    Damaged { table: String, why: String },
    #[error("more than {0} names")]
    TooManyNames(u32),
}

impl Fault {
    pub(super) fn at(self, path: &std::path::Path) -> RollupError {
        match self {
            Self::Store(source) => RollupError::Store { path: path.to_owned(), source },
            Self::Damaged { table, why } => RollupError::Damaged { table, why },
            Self::TooManyNames(most) => RollupError::TooManyNames(most),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Fault {
            fn from(e: redb::$error) -> Self {
                Self::Store(Box::new(e.into()))
            }
        })*
    };
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);
