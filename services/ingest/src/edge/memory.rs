//! Which events were published lately, so that a sender who repeats them is told.

use groundswell_bus::{Bus, BusError, Offset, Topic};
use groundswell_contract::{Limits, content_hash};
use groundswell_model::{ContentHash, IdentityHash};
use hashbrown::HashMap;

/// Events remembered at least; twice as many at most. Some 9 MB: a table of 131,072 places is doubled when it holds one more than this.
const REMEMBERED: usize = 114_688;

/// What the memory says about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not known here.
    New,
    /// Known with the same content.
    Same,
    /// Known with other content.
    Other,
}

impl Seen {
    pub(super) fn compare(before: Option<ContentHash>, now: ContentHash) -> Self {
        match before {
            None => Self::New,
            Some(content) if content == now => Self::Same,
            Some(_) => Self::Other,
        }
    }
}

/// Recent identities with their content, in two generations: when the young one is full, the old one is forgotten.
#[derive(Debug)]
pub struct Memory {
    young: HashMap<IdentityHash, ContentHash>,
    old: HashMap<IdentityHash, ContentHash>,
    generation: usize,
}

impl Memory {
    /// An empty memory of at least so many events.
    #[must_use]
    pub fn new(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation: generation.max(1) }
    }

    /// A memory of the newest events on the source topics.
    ///
    /// # Errors
    /// A topic is missing or can't be read.
    pub fn seeded(bus: &dyn Bus, limits: &Limits) -> Result<Self, BusError> {
        let mut memory = Self::new(REMEMBERED);
        let mut scratch = Vec::new();
        for (topic, share) in [(Topic::Usage, 2), (Topic::Catalogue, 16), (Topic::Surveys, 8), (Topic::Tickets, 4)] {
            let bounds = bus.bounds(topic)?;
            let each = (REMEMBERED / share / bounds.len().max(1)) as u64;
            let mut reader = bus.reader(topic)?;
            for part in bounds {
                reader.seek(part.part, Offset(part.high.0.saturating_sub(each).max(part.low.0)))?;
            }
            reader.catch_up(&mut |record| {
                if let Some(event) = super::readable(&record, limits) {
                    let content = content_hash(&event, &mut scratch);
                    memory.note(event.identity(), content);
                }
            })?;
        }
        Ok(memory)
    }

    /// The content that an identity was first published with, if it is remembered.
    #[must_use]
    pub fn content_of(&self, identity: IdentityHash) -> Option<ContentHash> {
        self.young.get(&identity).or_else(|| self.old.get(&identity)).copied()
    }

    /// Remembers a published event; the first published content stands.
    pub fn note(&mut self, identity: IdentityHash, content: ContentHash) {
        if self.content_of(identity).is_some() {
            return;
        }
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(identity, content);
    }

    /// How many events are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_memory_is_bounded() {
        let mut memory = Memory::new(100);
        for n in 0..1000 {
            memory.note(IdentityHash(n), ContentHash(1));
            assert!(memory.len() <= 200);
        }
        assert!((900..1000).all(|n| memory.content_of(IdentityHash(n)).is_some()));
        assert_eq!(memory.content_of(IdentityHash(0)), None);
    }

    #[test]
    fn the_first_content_stands() {
        let mut memory = Memory::new(10);
        memory.note(IdentityHash(1), ContentHash(1));
        memory.note(IdentityHash(1), ContentHash(2));
        assert_eq!(memory.content_of(IdentityHash(1)), Some(ContentHash(1)));
        assert_eq!(Seen::compare(Some(ContentHash(1)), ContentHash(2)), Seen::Other);
    }
}
