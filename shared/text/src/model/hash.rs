//! Keys of features. They are part of every model file: a change here needs a new file version.

const MULTIPLIER: u64 = 0x517c_c1b7_2722_0a95;
const FINISH: u64 = 0x9e37_79b9_7f4a_7c15;

/// Adds a value to a running hash.
pub(crate) const fn push(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(MULTIPLIER)
}

/// The key of a running hash: its bits well mixed, so that any of them may choose a bucket.
pub(super) const fn key(hash: u64) -> u32 {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(FINISH);
    (mixed >> 32) as u32
}

/// The hash of a word.
pub(crate) fn word(text: &str) -> u64 {
    text.bytes().fold(text.len() as u64, |h, b| push(h, u64::from(b)))
}

/// Tables by hashes of words need no further hashing, only well mixed bits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ready(u64);

impl std::hash::Hasher for Ready {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |h, b| push(h, u64::from(*b)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = (hash ^ (hash >> 32)).wrapping_mul(FINISH);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A table by hashes of words.
pub(crate) type ByWord<V> = std::collections::HashMap<u64, V, std::hash::BuildHasherDefault<Ready>>;

/// A generator of numbers that are the same everywhere (SplitMix64, Steele et al. 2014).
#[derive(Clone, Debug)]
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(FINISH);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The bias is far below one in a million for the counts of texts there are.
        usize::try_from((u128::from(z) * n as u128) >> 64).unwrap_or(0)
    }

    /// Brings the items into an order that depends on nothing else than the seed.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_what_they_are_in_files() {
        assert_eq!(key(word("webhook")), 324_995_612);
        assert_ne!(key(word("webhook")), key(word("webhooks")));
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Numbers(7).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<u32>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<u32>>());
    }
}
