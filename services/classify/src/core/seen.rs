//! An event that was met, as short as it can be told from others.

use groundswell_model::{ContentHash, IdentityHash};

/// What is kept of an event: 64 bits of its identity, 32 of its content. Two identities of a window of a million share 64 bits once in a
/// hundred thousand years of 1,000 events a second; of ten million pieces of feedback any two do with a probability of three in a million.
/// In quarters, because 12 bytes of three numbers are not padded to 16.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    identity: [u32; 2],
    pub(super) content: u32,
}

impl Seen {
    #[expect(clippy::cast_possible_truncation, reason = "parts of a hash")]
    pub(super) fn new(identity: IdentityHash, content: ContentHash) -> Self {
        let folded = (identity.0 >> 64) as u64 ^ identity.0 as u64;
        Self { identity: [(folded >> 32) as u32, folded as u32], content: content.0 as u32 }
    }

    /// What is kept of the identity, evenly spread.
    pub(super) fn identity(self) -> u64 {
        u64::from(self.identity[0]) << 32 | u64::from(self.identity[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_twelve_bytes_of_both_halves_of_an_identity() {
        assert_eq!(size_of::<Seen>(), 12);
        let of = |identity| Seen::new(IdentityHash(identity), ContentHash(1)).identity();
        assert_eq!(of((3 << 64) | (5 << 40)), 3 ^ (5 << 40));
    }
}
