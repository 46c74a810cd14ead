//! Sets of consumers.

/// A set of consumers of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerSet {
    words: Vec<u64>,
}

impl ConsumerSet {
    /// Puts one in.
    pub fn insert(&mut self, consumer: u32) {
        self.meet(consumer);
    }

    /// Puts one in, and says whether it was not in.
    pub fn meet(&mut self, consumer: u32) -> bool {
        let (word, bit) = ((consumer / 64) as usize, 1 << (consumer % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
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
        (0u32..).step_by(64).zip(&self.words).flat_map(|(first, word)| {
            // The lowest bit falls with each step.
            std::iter::successors(Some(*word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|rest| *rest != 0)
                .map(move |rest| first + rest.trailing_zeros())
        })
    }
}

impl FromIterator<u32> for ConsumerSet {
    fn from_iter<I: IntoIterator<Item = u32>>(consumers: I) -> Self {
        let mut set = Self::default();
        consumers.into_iter().for_each(|consumer| set.insert(consumer));
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_is_told_by_number(consumers in proptest::collection::vec(0u32..300, 0..80)) {
            let (mut set, mut wanted) = (ConsumerSet::default(), BTreeSet::new());
            for consumer in &consumers {
                prop_assert_eq!(set.meet(*consumer), wanted.insert(*consumer));
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), wanted.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(set.len(), set.iter().count() as u64);
            prop_assert_eq!(&consumers.iter().copied().collect::<ConsumerSet>(), &set);
        }
    }
}
