//! A text in eight bytes, such that texts that say almost the same have most bytes in common.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Neighbouring words hashed together.
const SHINGLE: usize = 3;
/// Equal bytes of eight from which two texts are near-duplicates: about three quarters of their neighbouring words are the same.
const NEAR: u32 = 6;
/// Texts with fewer words are near-duplicates only if all their words are the same.
const SHORT: usize = 8;

/// The sketch of a text: in each byte the least of the hashes that fall there. Zero for a text without words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch(pub u64);

impl Sketch {
    pub(crate) fn of<'a>(stems: impl Iterator<Item = &'a str>) -> Self {
        let hashes: Vec<u64> = stems.map(|stem| xxh3_64(stem.as_bytes())).collect();
        if hashes.is_empty() {
            return Self(0);
        }
        if hashes.len() < SHORT {
            let whole = hashes.iter().fold(0, |all, hash| mixed(all ^ hash));
            return Self(whole.max(1));
        }
        let mut least = [u64::MAX; 8];
        for shingle in hashes.windows(SHINGLE) {
            let hash = shingle.iter().fold(0, |all, hash| mixed(all ^ hash));
            let place = (hash >> 61) as usize;
            least[place] = least[place].min(hash & (u64::MAX >> 3));
        }
        // A place that no hash fell into takes that of its neighbour, as the same text always would.
        let lowest = least.iter().copied().min().unwrap_or_default();
        let bytes = least.map(|l| (mixed(if l == u64::MAX { lowest } else { l }) & 0xff) as u8);
        Self(u64::from_be_bytes(bytes).max(1))
    }

    /// Whether two texts say almost the same.
    #[must_use]
    pub fn is_near(self, other: Self) -> bool {
        self.0 != 0 && self.common(other) >= NEAR
    }

    /// Bytes of eight that are equal.
    #[must_use]
    pub fn common(self, other: Self) -> u32 {
        self.0.to_be_bytes().iter().zip(other.0.to_be_bytes()).map(|(a, b)| u32::from(*a == b)).sum()
    }

    /// How many of these texts say almost the same as one before them.
    #[must_use]
    pub fn repeats(sketches: &[Self]) -> u64 {
        // Two that are near differ in at most two places, so they have one of any three in common.
        let mut met: hashbrown::HashMap<(usize, u8), Vec<usize>> = hashbrown::HashMap::new();
        let mut repeats = 0;
        for (at, sketch) in sketches.iter().enumerate().filter(|(_, s)| s.0 != 0) {
            let bytes = sketch.0.to_be_bytes();
            let near =
                (0..3).any(|place| met.get(&(place, bytes[place])).is_some_and(|like| like.iter().any(|l| sketches[*l].is_near(*sketch))));
            if near {
                repeats += 1;
                continue;
            }
            (0..3).for_each(|place| met.entry((place, bytes[place])).or_default().push(at));
        }
        repeats
    }
}

fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(text: &str) -> Sketch {
        Sketch::of(text.split_whitespace())
    }

    const TEXT: &str = "our nightly batch gets an empty page from list products while the cursor says that there is more to come \
        and the next request begins again at the first page so we count every product twice since the release of last week";

    #[test]
    fn a_copy_with_a_word_changed_is_near() {
        let copy = TEXT.replace("nightly", "daily");
        assert!(sketch(TEXT).is_near(sketch(TEXT)));
        assert!(sketch(TEXT).is_near(sketch(&copy)), "{}", sketch(TEXT).common(sketch(&copy)));
    }

    #[test]
    fn other_texts_and_empty_ones_are_not() {
        let other = "the invoice of march has the wrong currency and nobody in billing can tell why it was not converted before sending";
        assert!(!sketch(TEXT).is_near(sketch(other)));
        assert!(!sketch("").is_near(sketch("")));
        assert!(!sketch("refund fails").is_near(sketch("refund fails again")));
        assert!(sketch("refund fails").is_near(sketch("refund fails")));
    }

    #[test]
    fn repeats_count_what_comes_after_the_first() {
        let copy = TEXT.replace("twice", "double");
        let all = [sketch(TEXT), sketch("refund fails"), sketch(&copy), sketch("refund fails"), sketch("")];
        assert_eq!(Sketch::repeats(&all), 2);
    }
}
