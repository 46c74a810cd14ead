//! Finding the phrases in a text, and what they add up to.

use std::sync::LazyLock;

use super::phrases::{ASPECTS, KINDS, NEGATORS, Rules, SEVERITIES, TONES};
use super::words::Words;
use crate::model::hash;

/// How far before a phrase a word of negation still counts.
const NEGATION_REACH: usize = 3;
/// How often the same phrase counts: saying it ten times makes it no surer.
const MOST_REPEATS: u8 = 2;
/// How much more a title says.
const TITLE_WEIGHT: f32 = 2.0;
/// Most that the weaker phrases of a body amount to: a long text has a few of every kind.
const MOST_FROM_WEAK: f32 = 2.0;
/// From this weight on a phrase says it nearly alone.
const STRONG: f32 = 2.0;

/// The tables, in the order of [`Evidence`]'s scores.
const TABLES: [Rules; 4] = [KINDS, ASPECTS, TONES, SEVERITIES];

/// One of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Kind = 0,
    Aspect = 1,
    Tone = 2,
    Severity = 3,
}

struct Phrase {
    table: u8,
    label: u8,
    weight: f32,
    text: &'static str,
    /// Its words, or what they begin with.
    parts: Vec<Part>,
    negated: bool,
}

struct Part {
    text: &'static str,
    any_ending: bool,
}

/// Every phrase by its first word; or, where that may have any ending, by the first two letters.
struct Index {
    phrases: Vec<Phrase>,
    by_word: hash::ByWord<Vec<u16>>,
    by_letters: Vec<Vec<u16>>,
}

const LETTERS: usize = 27;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { phrases: Vec::new(), by_word: hash::ByWord::default(), by_letters: vec![Vec::new(); LETTERS * LETTERS] };
    for (table, labels) in (0..).zip(TABLES) {
        for (label, (_, weights)) in (0..).zip(labels) {
            for (weight, phrases) in *weights {
                for text in phrases.split('|') {
                    let first = text.split(' ').next().unwrap_or_default();
                    let list = if first.ends_with('*') {
                        &mut index.by_letters[bucket(first)]
                    } else {
                        index.by_word.entry(hash::word(first)).or_default()
                    };
                    list.push(u16::try_from(index.phrases.len()).unwrap_or(u16::MAX));
                    let negated = text.split(' ').any(|w| NEGATORS.contains(&w));
                    let parts = text.split(' ').map(|part| match part.strip_suffix('*') {
                        Some(stem) => Part { text: stem, any_ending: true },
                        None => Part { text: part, any_ending: false },
                    });
                    index.phrases.push(Phrase { table, label, weight: *weight, text, parts: parts.collect(), negated });
                }
            }
        }
    }
    index
});

fn bucket(word: &str) -> usize {
    let letter = |i: usize| word.as_bytes().get(i).filter(|b| b.is_ascii_lowercase()).map_or(LETTERS - 1, |b| usize::from(b - b'a'));
    letter(0) * LETTERS + letter(1)
}

/// One phrase that was found.
#[derive(Clone, Copy)]
struct Found {
    phrase: u16,
    /// Its first word.
    at: usize,
    weight: f32,
    times: u8,
    negated: bool,
}

impl Found {
    fn words(self, words: &Words) -> String {
        let count = INDEX.phrases[usize::from(self.phrase)].text.split(' ').count();
        (self.at..self.at + count).map(|i| words.get(i)).collect::<Vec<_>>().join(" ")
    }
}

/// What the phrases of a text say.
pub(super) struct Evidence {
    found: Vec<Found>,
}

impl Evidence {
    pub(super) fn of(words: &Words) -> Self {
        let index = &*INDEX;
        let mut evidence = Self { found: Vec::new() };
        let mut denied = 0;
        for i in 0..words.len() {
            let word = words.get(i);
            let by_word = index.by_word.get(&words.hash(i)).map_or(&[][..], Vec::as_slice);
            for phrase in by_word.iter().chain(&index.by_letters[bucket(word)]) {
                let rule = &index.phrases[usize::from(*phrase)];
                if matches(&rule.parts, words, i) {
                    let weight = if i < words.title { rule.weight * TITLE_WEIGHT } else { rule.weight };
                    evidence.add(*phrase, i, weight, denied > 0 && !rule.negated);
                }
            }
            denied = if words.ends_sentence(i) {
                0
            } else if NEGATORS.contains(&word) {
                NEGATION_REACH
            } else {
                denied.saturating_sub(1)
            };
        }
        evidence
    }

    fn add(&mut self, phrase: u16, at: usize, weight: f32, negated: bool) {
        match self.found.iter_mut().find(|f| f.phrase == phrase && f.negated == negated) {
            Some(found) if found.times >= MOST_REPEATS => {}
            Some(found) => {
                found.times += 1;
                // Again says less than the first time.
                found.weight += weight / 2.0;
            }
            None => self.found.push(Found { phrase, at, weight, times: 1, negated }),
        }
    }

    /// What speaks for a label. A denied phrase speaks for nothing.
    pub(super) fn score(&self, table: Table, label: usize) -> f32 {
        self.of_label(table, label).filter(|f| !f.negated).map(|f| f.weight).sum()
    }

    /// What speaks for a label of which a text has one: weak phrases do not add up without end.
    pub(super) fn score_of_one(&self, table: Table, label: usize) -> f32 {
        let (strong, weak): (Vec<&Found>, Vec<&Found>) =
            self.of_label(table, label).filter(|f| !f.negated).partition(|f| f.weight >= STRONG);
        let sum = |found: &[&Found]| found.iter().map(|f| f.weight).sum::<f32>();
        sum(&strong) + sum(&weak).min(MOST_FROM_WEAK)
    }

    /// What denied phrases of a label amount to: "not happy".
    pub(super) fn denied(&self, table: Table, label: usize) -> f32 {
        self.of_label(table, label).filter(|f| f.negated).map(|f| f.weight).sum()
    }

    /// The words that speak for a label, as they stand in the text, the most telling first, at most five.
    pub(super) fn because(&self, words: &Words, table: Table, label: usize) -> Vec<String> {
        let mut found: Vec<&Found> = self.of_label(table, label).filter(|f| !f.negated).collect();
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.phrase.cmp(&b.phrase)));
        found.iter().take(5).map(|f| f.words(words)).collect()
    }

    fn of_label(&self, table: Table, label: usize) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |f| {
            let phrase = &INDEX.phrases[usize::from(f.phrase)];
            phrase.table == table as u8 && usize::from(phrase.label) == label
        })
    }
}

/// Whether the words from `at` on are this phrase, within one sentence.
fn matches(parts: &[Part], words: &Words, at: usize) -> bool {
    parts.iter().enumerate().all(|(i, part)| {
        let word = words.get(at + i);
        let same = if part.any_ending { word.starts_with(part.text) } else { word == part.text };
        same && !word.is_empty() && (i == 0 || !words.ends_sentence(at + i - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_well_formed() {
        for phrase in &INDEX.phrases {
            assert!(
                !phrase.text.is_empty() && phrase.text == phrase.text.trim().to_lowercase() && !phrase.text.contains('\''),
                "{:?}",
                phrase.text
            );
            assert!((0.5..=2.0).contains(&phrase.weight));
        }
        assert!(INDEX.phrases.len() < usize::from(u16::MAX));
    }

    #[test]
    fn negation_reaches_three_words_and_not_over_a_full_stop() {
        let positive = |text: &str| {
            let evidence = Evidence::of(&Words::of("", text));
            (evidence.score(Table::Tone, 0), evidence.denied(Table::Tone, 0))
        };
        assert_eq!(positive("it is great"), (1.0, 0.0));
        assert_eq!(positive("it is not so great"), (0.0, 1.0));
        assert_eq!(positive("I did not ask. It is great"), (1.0, 0.0));
    }
}
