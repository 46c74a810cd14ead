//! The terms of a text as they are looked for in themes.

use hashbrown::HashTable;

use crate::grouping::Theme;

/// Bits of the filter: the words of a theme that a text does not have rarely get past it.
const FILTER_BITS: usize = 4096;

/// A term with its weight by how often it is said and how rare it is.
pub(crate) struct SoughtTerm {
    pub(crate) key: u32,
    pub(crate) weight: f32,
    rarity: f32,
}

/// What a text says, ready to be compared with many themes.
pub(crate) struct Sought {
    pub(crate) terms: Vec<SoughtTerm>,
    places: HashTable<usize>,
    filter: [u64; FILTER_BITS / 64],
    norm: f32,
}

impl Sought {
    /// The terms of a text: key, weight in the text, rarity.
    pub(crate) fn new(terms: impl Iterator<Item = (u32, f32, f32)>) -> Self {
        let terms: Vec<SoughtTerm> = terms.map(|(key, weight, rarity)| SoughtTerm { key, weight: weight * rarity, rarity }).collect();
        let norm = terms.iter().map(|t| t.weight * t.weight).sum::<f32>().sqrt();
        let mut places = HashTable::with_capacity(terms.len());
        let mut filter = [0; FILTER_BITS / 64];
        for (place, term) in terms.iter().enumerate() {
            places.insert_unique(spread(term.key), place, |at| spread(terms[*at].key));
            let (word, bit) = bit_of(term.key);
            filter[word] |= bit;
        }
        Self { terms, places, filter, norm }
    }

    /// How alike a theme is, 0 to 1.
    pub(crate) fn cosine(&self, theme: &Theme) -> f32 {
        let in_filter = |key: u32| {
            let (word, bit) = bit_of(key);
            self.filter[word] & bit != 0
        };
        // Added up in the order of the text: sums of floating point depend on it, and themes must not.
        let mut products = vec![0.0; self.terms.len()];
        for word in theme.words.iter().filter(|word| in_filter(word.key)) {
            if let Some(place) = self.places.find(spread(word.key), |at| self.terms[*at].key == word.key) {
                let term = &self.terms[*place];
                products[*place] = term.weight * word.sum * term.rarity;
            }
        }
        let dot: f32 = products.into_iter().sum();
        if self.norm > 0.0 && theme.length > 0.0 { (dot / (self.norm * theme.length)).min(1.0) } else { 0.0 }
    }
}

/// Keys are hashes already; a table wants to see them at both ends of 64 bits.
fn spread(key: u32) -> u64 {
    u64::from(key) << 32 | u64::from(key)
}

/// Keys are hashes: any of their bits will do.
fn bit_of(key: u32) -> (usize, u64) {
    let at = key as usize % FILTER_BITS;
    (at / 64, 1 << (at % 64))
}
