//! The feedback that a partition has met, for ever.

use groundswell_model::{ContentHash, IdentityHash};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::seen::Seen;
use super::window::Met;

/// Identities of feedback, each with the content that stands: 15 to 30 bytes for each.
#[derive(Debug, Default)]
pub(super) struct Said {
    pieces: HashTable<Seen>,
}

impl Said {
    /// Meets a piece of feedback, and remembers it if it is new.
    pub(super) fn meet(&mut self, identity: IdentityHash, content: ContentHash) -> Met {
        let piece = Seen::new(identity, content);
        match self.pieces.entry(piece.identity(), |p| p.identity() == piece.identity(), |p| p.identity()) {
            Entry::Occupied(place) if place.get().content == piece.content => Met::Same,
            Entry::Occupied(_) => Met::Other,
            Entry::Vacant(place) => {
                place.insert(piece);
                Met::New
            }
        }
    }

    /// Sets the content that stands.
    pub(super) fn set(&mut self, identity: IdentityHash, content: ContentHash) {
        let piece = Seen::new(identity, content);
        let place = self.pieces.entry(piece.identity(), |p| p.identity() == piece.identity(), |p| p.identity());
        place.insert(piece);
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_content_stands_until_another_is_set() {
        let mut said = Said::default();
        let meet = |said: &mut Said, id: u128, content| said.meet(IdentityHash(id), ContentHash(content));
        assert_eq!([meet(&mut said, 1, 1), meet(&mut said, 1, 1), meet(&mut said, 1, 2)], [Met::New, Met::Same, Met::Other]);
        assert_eq!(meet(&mut said, 1 << 64, 1), Met::Same, "as far as 64 bits tell");
        said.set(IdentityHash(1), ContentHash(2));
        assert_eq!([meet(&mut said, 1, 2), meet(&mut said, 2, 2)], [Met::Same, Met::New]);
        assert_eq!(said.len(), 2);
    }
}
