//! What English words mean, as directions: words that are said in the same sense lie near each other. A text is the sum of
//! its words, so it costs one look into a table for each.
//!
//! The table is compiled in. `distil.py` beside this crate made it out of a sentence encoder; `docs/model-card.md` says of what.
//! What this crate never does: I/O, or keep a text; it holds hashes of words, not words.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

/// `GSWORDS`, a version byte, number of rows and of dimensions (`u32`), then by row: keys (`u32`, ascending), what one step of
/// a row stands for (`f32`), and the rows in bytes. All little-endian.
static FILE: &[u8] = include_bytes!("../words.gsw");

/// Directions of a meaning.
pub const DIMENSIONS: usize = 64;

const MAGIC: &[u8] = b"GSWORDS\x01";
const HEAD: usize = MAGIC.len() + 8;
/// Slots of the table of places; some 28,000 words fill less than half of them, so a search is short.
const SLOTS: usize = 1 << 16;

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::read(FILE).unwrap_or_default());

/// Rows of the file, and where the row of a word is.
#[derive(Default)]
struct Words {
    /// Key and one more than the row; 0 is free.
    slots: Vec<(u32, u32)>,
    steps: Vec<f32>,
    rows: &'static [[u8; DIMENSIONS]],
}

impl Words {
    /// None where the bytes are no such file.
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (dimensions, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let whole = u32::from_le_bytes(*dimensions) as usize == DIMENSIONS
            && bytes.len() == HEAD + count.checked_mul(8 + DIMENSIONS)?
            && count < SLOTS / 2;
        if !whole {
            return None;
        }
        let (keys, rest) = rest.split_at(4 * count);
        let (steps, rows) = rest.split_at(4 * count);
        let mut slots = vec![(0, 0); SLOTS];
        for (row, key) in (1..).zip(keys.as_chunks::<4>().0) {
            let key = u32::from_le_bytes(*key);
            let mut at = key as usize % SLOTS;
            while slots[at].1 != 0 {
                at = (at + 1) % SLOTS;
            }
            slots[at] = (key, row);
        }
        let steps = steps.as_chunks::<4>().0.iter().map(|step| f32::from_le_bytes(*step)).collect();
        Some(Self { slots, steps, rows: rows.as_chunks().0 })
    }

    /// What a step of a word's row stands for, and the row.
    fn find(&self, word: &str) -> Option<(f32, &'static [u8; DIMENSIONS])> {
        let key = (xxh3_64(word.as_bytes()) >> 32) as u32;
        let mut at = key as usize % SLOTS;
        loop {
            let (known, row) = *self.slots.get(at)?;
            let row = row.checked_sub(1)? as usize;
            if known == key {
                return Some((self.steps[row], &self.rows[row]));
            }
            at = (at + 1) % SLOTS;
        }
    }
}

/// What a text means, as far as its words tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning([f32; DIMENSIONS]);

impl Default for Meaning {
    fn default() -> Self {
        Self([0.0; DIMENSIONS])
    }
}

impl Meaning {
    /// Adds a word in small letters; one that is not known adds nothing. Words that most texts have count less by themselves.
    pub fn add(&mut self, word: &str, weight: f32) {
        let Some((step, row)) = WORDS.find(word) else { return };
        let factor = step * weight;
        self.0.iter_mut().zip(row).for_each(|(sum, cell)| *sum += factor * f32::from(cell.cast_signed()));
    }

    /// The direction, of length 1; all 0 where no word was known.
    #[must_use]
    pub fn direction(mut self) -> [f32; DIMENSIONS] {
        let length = self.0.iter().map(|v| v * v).sum::<f32>().sqrt();
        if length > 0.0 {
            self.0.iter_mut().for_each(|v| *v /= length);
        }
        self.0
    }
}

/// How many words are known.
#[must_use]
pub fn words() -> usize {
    WORDS.steps.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> [f32; DIMENSIONS] {
        let mut meaning = Meaning::default();
        text.split(' ').for_each(|word| meaning.add(word, 1.0));
        meaning.direction()
    }

    fn cosine(a: &str, b: &str) -> f32 {
        meaning(a).iter().zip(meaning(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn what_is_said_in_other_words_is_nearer_than_another_subject() {
        assert!(cosine("forgot my password", "cannot login to account") > cosine("forgot my password", "export is slow"));
        assert!(cosine("refund", "reimbursement") > cosine("refund", "thread"));
    }

    #[test]
    fn words_that_are_not_known_mean_nothing() {
        assert_eq!(meaning("zzxqj"), [0.0; DIMENSIONS]);
        assert!(words() > 20_000);
    }

    /// Models are trained with this very file: where it changes, `groundswell-text`'s file version must, and models are trained again.
    #[test]
    fn the_file_is_the_one_that_models_were_trained_with() {
        assert_eq!(blake3::hash(FILE).to_hex().as_str(), "d63f3209681ab244ffdc853bc43e67848f041620c1fcfd33a7c9e1503dc80ac4");
    }

    #[test]
    fn a_file_that_was_cut_is_no_table() {
        assert!(Words::read(&FILE[..FILE.len() - 1]).is_none() && Words::read(b"GSWORDS").is_none());
    }
}
