//! Every word that rules and languages ask for, in one table: each word of a text is looked up once.

use std::ops::Range;
use std::sync::LazyLock;

use super::language;
use super::phrases::{ASPECTS, KINDS, NEGATORS, Rules, SEVERITIES, TONES};
use crate::model::hash;

/// The tables of phrases, in the order of [`Table`].
const TABLES: [Rules; 4] = [KINDS, ASPECTS, TONES, SEVERITIES];
/// Letters of which pairs are told apart, and all other bytes.
const LETTERS: usize = 27;

/// One of the tables of phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Kind = 0,
    Aspect = 1,
    Tone = 2,
    Severity = 3,
}

/// A phrase with what it says.
pub(super) struct Phrase {
    pub(super) table: u8,
    pub(super) label: u8,
    pub(super) weight: f32,
    #[cfg(test)]
    text: &'static str,
    pub(super) parts: Vec<Part>,
    /// Whether it has a word of negation itself.
    pub(super) negated: bool,
}

/// A word of a phrase, or what it begins with.
pub(super) struct Part {
    text: &'static str,
    any_ending: bool,
    shape: Shape,
}

impl Part {
    /// Whether a word with this head is this part.
    pub(super) fn is(&self, head: u64, word: &str) -> bool {
        // Of shorter parts the head says all: bytes behind a word are 0, which no letter is.
        self.shape.fits(head)
            && (self.text.len() < 8 || (word.starts_with(self.text) && (self.any_ending || word.len() == self.text.len())))
    }
}

/// The first eight bytes of a word as a number, and which of them count. It tells most words from others without looking at letters.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    head: u64,
    mask: u64,
}

impl Shape {
    fn of(part: &str, any_ending: bool) -> Self {
        let kept = if any_ending { part.len() } else { 8 };
        Self { head: head(part.as_bytes()), mask: mask(kept) }
    }

    /// Whether a word with this head may be the part; a part that is not there fits all.
    pub(super) const fn fits(self, head: u64) -> bool {
        head & self.mask == self.head
    }
}

/// The first eight bytes as a number; bytes behind the end are 0.
fn head(bytes: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(head)
}

/// The bits of so many first bytes.
const fn mask(bytes: usize) -> u64 {
    if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 }
}

/// A phrase that may begin with a word.
pub(super) struct Candidate {
    pub(super) phrase: u16,
    pub(super) first: Shape,
    /// That of the second word; where there is none, any fits.
    pub(super) second: Shape,
}

/// What is known of a word.
#[derive(Clone, Default)]
pub(super) struct Entry {
    /// Bits of the languages that it is a common word of.
    pub(super) languages: u32,
    /// Whether it turns what follows into its opposite.
    pub(super) negates: bool,
    /// The candidates that begin with this very word.
    candidates: Range<usize>,
}

/// All words and phrases.
pub(super) struct Lexicon {
    pub(super) phrases: Vec<Phrase>,
    /// The first entry is that of words that nobody asks for.
    entries: Vec<Entry>,
    places: hash::ByWord<u16>,
    candidates: Vec<Candidate>,
    /// By the first two letters, the candidates whose first word may have any ending.
    by_letters: Vec<Range<usize>>,
}

/// Read once.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

impl Lexicon {
    fn new() -> Self {
        let phrases = phrases();
        let candidate = |(n, phrase): (u16, &Phrase)| Candidate {
            phrase: n,
            first: phrase.parts.first().map(|part| part.shape).unwrap_or_default(),
            second: phrase.parts.get(1).map(|part| part.shape).unwrap_or_default(),
        };
        let begins = |wanted: &dyn Fn(&Part) -> bool| -> Vec<Candidate> {
            (0..).zip(&phrases).filter(|(_, phrase)| phrase.parts.first().is_some_and(wanted)).map(candidate).collect()
        };
        let (mut places, mut words) = (hash::ByWord::default(), vec![""]);
        let first = |phrase: &Phrase| phrase.parts.first().filter(|part| !part.any_ending).map(|part| part.text);
        let common = language::COMMON.iter().flat_map(|(_, list)| list.split(' '));
        for word in phrases.iter().filter_map(first).chain(common).chain(NEGATORS.iter().copied()) {
            places.entry(key(word.as_bytes())).or_insert_with(|| {
                words.push(word);
                u16::try_from(words.len() - 1).unwrap_or(0)
            });
        }
        let mut candidates = Vec::new();
        let mut add = |more: Vec<Candidate>| {
            let start = candidates.len();
            candidates.extend(more);
            start..candidates.len()
        };
        let entry = |word: &&str| Entry {
            languages: language::of_word(word),
            negates: NEGATORS.contains(word),
            candidates: add(begins(&|part| !part.any_ending && part.text == *word)),
        };
        let entries = words.iter().map(entry).collect();
        let by_letters =
            (0..LETTERS * LETTERS).map(|pair| add(begins(&|part| part.any_ending && bucket(part.shape.head) == pair))).collect();
        Self { phrases, entries, places, candidates, by_letters }
    }

    /// The head of a word, and the place of its entry; the word has so many bytes, and others stand behind it.
    pub(super) fn look_up(&self, letters: &[u8], length: usize) -> (u64, u16) {
        let head = letters.first_chunk::<8>().map_or_else(|| head(letters), |eight| u64::from_le_bytes(*eight)) & mask(length);
        let first = hash::push(length as u64, head);
        let key = if length <= 8 { first } else { key(letters.get(..length).unwrap_or_default()) };
        (head, self.places.get(&key).copied().unwrap_or(0))
    }

    pub(super) fn entry(&self, place: u16) -> &Entry {
        &self.entries[usize::from(place)]
    }

    /// The phrases that may begin with a word.
    pub(super) fn candidates(&self, place: u16, head: u64) -> impl Iterator<Item = &Candidate> {
        let by_letters = self.by_letters[bucket(head)].clone();
        [self.entry(place).candidates.clone(), by_letters].into_iter().flat_map(|range| &self.candidates[range])
    }
}

fn phrases() -> Vec<Phrase> {
    let mut all = Vec::new();
    for (table, labels) in (0..).zip(TABLES) {
        for (label, (_, weights)) in (0..).zip(labels) {
            for (weight, list) in *weights {
                all.extend(list.split('|').map(|text| Phrase {
                    table,
                    label,
                    weight: *weight,
                    #[cfg(test)]
                    text,
                    parts: text.split(' ').map(part).collect(),
                    negated: text.split(' ').any(|word| NEGATORS.contains(&word)),
                }));
            }
        }
    }
    all
}

fn part(text: &'static str) -> Part {
    let (text, any_ending) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
    Part { text, any_ending, shape: Shape::of(text, any_ending) }
}

/// The key of a word: eight bytes at once.
fn key(word: &[u8]) -> u64 {
    word.chunks(8).fold(word.len() as u64, |key, chunk| hash::push(key, head(chunk)))
}

fn bucket(head: u64) -> usize {
    let letter = |byte: u64| match byte & 0xff {
        byte @ 0x61..=0x7a => (byte - 0x61) as usize,
        _ => LETTERS - 1,
    };
    letter(head) * LETTERS + letter(head >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_well_formed() {
        for phrase in &LEXICON.phrases {
            assert!(
                !phrase.text.is_empty() && phrase.text == phrase.text.trim().to_lowercase() && !phrase.text.contains('\''),
                "{:?}",
                phrase.text
            );
            assert!((0.5..=2.0).contains(&phrase.weight));
        }
        assert!(LEXICON.phrases.len() < usize::from(u16::MAX) && LEXICON.entries.len() < usize::from(u16::MAX));
    }

    #[test]
    fn shapes_let_through_what_begins_alike() {
        let fits = |part: &str, any_ending: bool, word: &str| Shape::of(part, any_ending).fits(head(word.as_bytes()));
        assert!(fits("bug", false, "bug") && !fits("bug", false, "bugs") && fits("bug", true, "bugs") && !fits("bug", true, "bu"));
        assert!(fits("authentic", true, "authentication") && !fits("authentic", true, "authorized"));
        assert!(Shape::default().fits(head(b"any")));
    }
}
