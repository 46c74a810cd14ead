//! What people say of feedback, over what the machine says.
//!
//! [`Corrections`] is a table read from the catalogue topic, whole and again at every start. [`overlay`] puts a correction over an
//! insight; the search index does so with every insight that it is given, and with what it holds as soon as the table changes. Both
//! give the same documents whatever comes first, so a rebuild, a crash or a correction before its feedback change nothing.
//! [`precision`] counts how often people agree with the machine.

pub mod list;
pub mod overlay;
pub mod precision;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use groundswell_contract::Correction;
use groundswell_model::{IdentityHash, Timestamp};
use hashbrown::HashMap;

/// Characters kept of a note.
const NOTE: usize = 500;

/// The correction that stands for one piece of feedback, or that it was withdrawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What was said; without the text, which only classifiers need.
    pub correction: Correction,
    /// When.
    pub at: Timestamp,
}

impl Standing {
    /// Whether it says something else than the machine's word.
    #[must_use]
    pub fn stands(&self) -> bool {
        !self.correction.withdrawn
    }
}

/// The newest correction of each piece of feedback. Of two the one with the later time stands; of equal times the one read later.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    standing: HashMap<u128, Arc<Standing>>,
}

impl Corrections {
    /// Takes a correction in. The answer is whose feedback it is about, if it changed what stands.
    pub fn take(&mut self, mut correction: Correction, at: Timestamp) -> Option<IdentityHash> {
        let identity = IdentityHash::of(&correction.of.source, &correction.of.id);
        if self.standing.get(&identity.0).is_some_and(|known| known.at > at) {
            return None;
        }
        (correction.title, correction.body) = (None, None);
        correction.attributes.clear();
        correction.note = correction.note.map(|note| note.chars().take(NOTE).collect());
        self.standing.insert(identity.0, Arc::new(Standing { correction, at }));
        Some(identity)
    }

    /// What stands for a piece of feedback; a withdrawn correction is told, too.
    #[must_use]
    pub fn of(&self, identity: IdentityHash) -> Option<Arc<Standing>> {
        self.standing.get(&identity.0).cloned()
    }

    /// Leaves out what another table knows as well, or better.
    pub fn forget_known(&mut self, other: &Self) {
        self.standing.retain(|identity, mine| other.standing.get(identity).is_none_or(|theirs| theirs.at < mine.at));
    }

    /// Every piece of feedback that was ever corrected, in the order of identities.
    #[must_use]
    pub fn identities(&self) -> Vec<IdentityHash> {
        let mut all: Vec<_> = self.standing.keys().copied().map(IdentityHash).collect();
        all.sort_unstable();
        all
    }

    /// Everything that stands, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<(IdentityHash, Arc<Standing>)> {
        let mut all: Vec<_> = self.standing.iter().map(|(identity, s)| (IdentityHash(*identity), s.clone())).collect();
        all.sort_unstable_by_key(|(identity, s)| (std::cmp::Reverse(s.at), *identity));
        all
    }

    /// Whether nothing was ever corrected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }
}

/// The table of a process: the loop of the index changes it, everybody reads it.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<RwLock<Corrections>>);

impl Shared {
    /// Looks something up.
    pub fn with<T>(&self, look: impl FnOnce(&Corrections) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes corrections in, in the order of their topic; the answer is whose feedback they changed, each once.
    pub fn take(&self, corrections: Vec<(Correction, Timestamp)>) -> Vec<IdentityHash> {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed: Vec<_> = corrections.into_iter().filter_map(|(correction, at)| table.take(correction, at)).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}
