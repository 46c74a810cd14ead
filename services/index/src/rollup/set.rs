//! Sets of consumers.

/// A set of consumers of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerSet {
    words: Vec<u64>,
}

impl ConsumerSet {
    /// Puts one in.
    pub fn insert(&mut self, consumer: u32) {
        let word = (consumer / 64) as usize;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (consumer % 64);
    }

    /// Whether one is in.
    #[must_use]
    pub fn contains(&self, consumer: u32) -> bool {
        self.words.get((consumer / 64) as usize).is_some_and(|word| word & (1 << (consumer % 64)) != 0)
    }

    /// How many are in.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether nobody is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Everyone in it, by number.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0u32..)
            .step_by(64)
            .zip(&self.words)
            .flat_map(|(first, word)| (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| first + bit))
    }
}
