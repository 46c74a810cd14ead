//! Verdicts that were given, kept so that a review shows how it changed over time.
//!
//! They are answers, not part of the index: a small store of its own beside the partitions, which no rebuild touches. The same
//! question on the same data (the hashes of input and policy are the same) is kept once. Bounded: the newest of each version stay.

use std::path::Path;
use std::sync::Arc;

use groundswell_model::Timestamp;
use groundswell_review::{Review, Verdict};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Verdicts kept of one version.
pub const MOST_OF_VERSION: usize = 400;
/// Verdicts told at once.
const MOST_TOLD: usize = 400;
/// A longer one is not kept: a review has some ten kilobytes.
const LONGEST: usize = 1 << 20;

/// (API and version, number) → what was answered.
const VERDICTS: TableDefinition<'static, (&str, u64), &[u8]> = TableDefinition::new("verdicts");
/// (API and version, hashes of input and policy) → number.
const KNOWN: TableDefinition<'static, (&str, &str), u64> = TableDefinition::new("known");

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Verdicts(Arc<Database>);

/// The store can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VerdictsError {
    /// The file system or the store in it.
    #[error(transparent)]
    Store(Box<redb::Error>),
    /// What is stored is no verdict.
    #[error("a stored verdict can't be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

macro_rules! from_store {
    ($($error:ty),*) => {$(
        impl From<$error> for VerdictsError {
            fn from(error: $error) -> Self {
                Self::Store(Box::new(error.into()))
            }
        }
    )*};
}

from_store!(redb::DatabaseError, redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

/// Verdicts on a version, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// How many are kept of it, whatever the baseline.
    pub kept: u64,
    /// The newest.
    pub verdicts: Vec<Given>,
}

/// A verdict that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// When it was first asked for, RFC 3339.
    pub asked: String,
    /// What was answered.
    pub review: Review,
}

impl Verdicts {
    /// Opens or creates the store.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(path: &Path) -> Result<Self, VerdictsError> {
        let db = Database::builder().set_cache_size(1 << 20).create(path)?;
        let tx = db.begin_write()?;
        tx.open_table(VERDICTS)?;
        tx.open_table(KNOWN)?;
        tx.commit()?;
        Ok(Self(Arc::new(db)))
    }

    /// Keeps a verdict, unless the same was kept already. Returns whether it is new.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn keep(&self, review: &Review, asked: Timestamp) -> Result<bool, VerdictsError> {
        let of = key(&review.api, &review.version);
        let hashes = format!("{} {}", review.provenance.input, review.provenance.policy);
        let bytes = serde_json::to_vec(&Given { asked: asked.rfc3339(), review: review.clone() })?;
        if bytes.len() > LONGEST || self.0.begin_read()?.open_table(KNOWN)?.get((of.as_str(), hashes.as_str()))?.is_some() {
            return Ok(false);
        }
        let tx = self.0.begin_write()?;
        {
            let (mut verdicts, mut known) = (tx.open_table(VERDICTS)?, tx.open_table(KNOWN)?);
            let numbers: Vec<u64> = verdicts
                .range((of.as_str(), 0)..=(of.as_str(), u64::MAX))?
                .map(|row| Ok(row?.0.value().1))
                .collect::<Result<_, redb::StorageError>>()?;
            let number = numbers.last().map_or(0, |last| last + 1);
            verdicts.insert((of.as_str(), number), bytes.as_slice())?;
            known.insert((of.as_str(), hashes.as_str()), number)?;
            let too_many = (numbers.len() + 1).saturating_sub(MOST_OF_VERSION);
            for old in numbers.into_iter().take(too_many) {
                verdicts.remove((of.as_str(), old))?;
                known.retain_in((of.as_str(), "")..(of.as_str(), "~"), |_, number| number != old)?;
            }
        }
        tx.commit()?;
        Ok(true)
    }

    /// The newest verdicts on a version, against one baseline or any.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn list(&self, api: &str, version: &str, baseline: Option<&str>, limit: usize) -> Result<History, VerdictsError> {
        let of = key(api, version);
        let table = self.0.begin_read()?.open_table(VERDICTS)?;
        let (mut kept, mut verdicts) = (0, Vec::new());
        for row in table.range((of.as_str(), 0)..=(of.as_str(), u64::MAX))?.rev() {
            kept += 1;
            if verdicts.len() < limit.min(MOST_TOLD) {
                let given: Given = serde_json::from_slice(row?.1.value())?;
                verdicts.extend(Some(given).filter(|g| baseline.is_none_or(|b| g.review.baseline == b)));
            }
        }
        Ok(History { api: api.to_owned(), version: version.to_owned(), kept, verdicts })
    }
}

fn key(api: &str, version: &str) -> String {
    format!("{api}\0{version}")
}

impl Given {
    /// What guardrails said, in a line: `error_rate regression ×1.52, …`.
    #[must_use]
    pub fn told(&self) -> String {
        let told = self.review.guardrails.iter().filter(|g| g.verdict == Verdict::Regression || g.required);
        told.map(|g| format!("{} {}", g.name, g.verdict.name())).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use groundswell_model::Day;
    use groundswell_review::{Policy, ReviewInput, review};

    use super::*;

    fn verdict(version: &str, checkpoint: u64) -> Review {
        let mut input = ReviewInput { api: "payments".into(), version: version.into(), baseline: "v1".into(), ..ReviewInput::default() };
        input.provenance.checkpoint = checkpoint.to_string();
        review(&input, &Policy::default())
    }

    #[test]
    fn the_same_is_kept_once_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Verdicts::open(&folder.path().join("verdicts.redb")).unwrap();
        let at = Day(20_000).start();
        assert!(store.keep(&verdict("v2", 1), at).unwrap());
        assert!(!store.keep(&verdict("v2", 1), at.plus_ms(5)).unwrap(), "asked again at the same checkpoint");
        assert!(store.keep(&verdict("v2", 2), at.plus_ms(9)).unwrap());
        assert!(store.keep(&verdict("v2.1", 2), at).unwrap());
        let history = store.list("payments", "v2", None, 10).unwrap();
        let checkpoints: Vec<&str> = history.verdicts.iter().map(|g| g.review.provenance.data.checkpoint.as_str()).collect();
        assert_eq!((checkpoints, history.kept), (vec!["2", "1"], 2));
        assert_eq!(history.verdicts[1].asked, at.rfc3339(), "when it was asked for first");
        assert!(store.list("payments", "v2", Some("v0"), 10).unwrap().verdicts.is_empty());
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Verdicts::open(&folder.path().join("verdicts.redb")).unwrap();
        for checkpoint in 0..MOST_OF_VERSION as u64 + 3 {
            store.keep(&verdict("v2", checkpoint), Day(1).start()).unwrap();
        }
        assert_eq!(store.list("payments", "v2", None, 1).unwrap().kept, MOST_OF_VERSION as u64);
        assert!(store.keep(&verdict("v2", 0), Day(2).start()).unwrap(), "what made room is forgotten as a whole");
    }
}
