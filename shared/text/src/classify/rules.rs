//! Finding the phrases in a text, and what they add up to.

use super::lexicon::{LEXICON, Part, Phrase, Table};
use super::words::Words;

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
/// Most labels of a table.
const MOST_LABELS: usize = 13;

/// One phrase that was found.
#[derive(Clone, Copy)]
struct Found {
    phrase: u16,
    table: u8,
    label: u8,
    /// Its first word.
    at: usize,
    weight: f32,
    times: u8,
    negated: bool,
}

impl Found {
    fn words(self, words: &Words) -> String {
        let count = LEXICON.phrases[usize::from(self.phrase)].parts.len();
        (self.at..self.at + count).map(|i| words.get(i)).collect::<Vec<_>>().join(" ")
    }
}

/// What the phrases of one label add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    all: f32,
    strong: f32,
    weak: f32,
    denied: f32,
}

/// What the phrases of a text say.
pub(super) struct Evidence {
    found: Vec<Found>,
    /// By table and label.
    sums: [[Sums; MOST_LABELS]; 4],
}

impl Evidence {
    /// Of all tables, or without the tone.
    pub(super) fn of(words: &Words, tone: bool) -> Self {
        let lexicon = &*LEXICON;
        let mut evidence = Self { found: Vec::new(), sums: <[[Sums; MOST_LABELS]; 4]>::default() };
        let mut denied = 0;
        for (i, entry) in words.entries().enumerate() {
            let (head, next) = (words.head(i), words.head(i + 1));
            for candidate in lexicon.candidates(words.place(i), head).filter(|c| c.first.fits(head) && c.second.fits(next)) {
                let rule = &lexicon.phrases[usize::from(candidate.phrase)];
                if (tone || rule.table != Table::Tone as u8) && matches(&rule.parts, words, i) {
                    let weight = if i < words.title { rule.weight * TITLE_WEIGHT } else { rule.weight };
                    evidence.add(candidate.phrase, rule, i, weight, denied > 0 && !rule.negated);
                }
            }
            denied = if words.ends_sentence(i) {
                0
            } else if entry.negates {
                NEGATION_REACH
            } else {
                denied.saturating_sub(1)
            };
        }
        evidence.sum();
        evidence
    }

    fn add(&mut self, phrase: u16, rule: &Phrase, at: usize, weight: f32, negated: bool) {
        match self.found.iter_mut().find(|f| f.phrase == phrase && f.negated == negated) {
            Some(found) if found.times >= MOST_REPEATS => {}
            Some(found) => {
                found.times += 1;
                // Again says less than the first time.
                found.weight += weight / 2.0;
            }
            None => self.found.push(Found { phrase, table: rule.table, label: rule.label, at, weight, times: 1, negated }),
        }
    }

    fn sum(&mut self) {
        for found in &self.found {
            let sums = &mut self.sums[usize::from(found.table)][usize::from(found.label)];
            if found.negated {
                sums.denied += found.weight;
                continue;
            }
            sums.all += found.weight;
            let part = if found.weight >= STRONG { &mut sums.strong } else { &mut sums.weak };
            *part += found.weight;
        }
    }

    /// What speaks for a label. A denied phrase speaks for nothing.
    pub(super) fn score(&self, table: Table, label: usize) -> f32 {
        self.sums[table as usize][label].all
    }

    /// What speaks for a label of which a text has one: weak phrases do not add up without end.
    pub(super) fn score_of_one(&self, table: Table, label: usize) -> f32 {
        let sums = &self.sums[table as usize][label];
        sums.strong + sums.weak.min(MOST_FROM_WEAK)
    }

    /// What denied phrases of a label amount to: "not happy".
    pub(super) fn denied(&self, table: Table, label: usize) -> f32 {
        self.sums[table as usize][label].denied
    }

    /// The words that speak for a label, as they stand in the text, the most telling first, at most five.
    pub(super) fn because(&self, words: &Words, table: Table, label: usize) -> Vec<String> {
        let mut found: Vec<&Found> = self.of_label(table, label).filter(|f| !f.negated).collect();
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.phrase.cmp(&b.phrase)));
        found.iter().take(5).map(|f| f.words(words)).collect()
    }

    fn of_label(&self, table: Table, label: usize) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |f| f.table == table as u8 && usize::from(f.label) == label)
    }
}

/// Whether the words from `at` on are this phrase, within one sentence.
fn matches(parts: &[Part], words: &Words, at: usize) -> bool {
    parts.iter().enumerate().all(|(i, part)| part.is(words.head(at + i), words.get(at + i)) && (i == 0 || !words.ends_sentence(at + i - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negation_reaches_three_words_and_not_over_a_full_stop() {
        let positive = |text: &str| {
            let evidence = Evidence::of(&Words::of("", text), true);
            (evidence.score(Table::Tone, 0), evidence.denied(Table::Tone, 0))
        };
        assert_eq!(positive("it is great"), (1.0, 0.0));
        assert_eq!(positive("it is not so great"), (0.0, 1.0));
        assert_eq!(positive("I did not ask. It is great"), (1.0, 0.0));
    }
}
