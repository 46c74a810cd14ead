//! What of a text is compared: its words and neighbouring pairs of words, weighted.

use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64;

use crate::sketch::Sketch;
use crate::words::{Piece, pieces};

/// A word of the title counts for so many of the body.
const TITLE: f32 = 2.5;
/// A pair counts for so much of a word.
const PAIR: f32 = 0.7;
/// Terms kept of one text; those of the title come first.
const MOST_TERMS: usize = 120;

/// A word or a pair of words.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Hash of its stems.
    pub key: u32,
    /// How much it counts: grows slowly with how often it is said.
    pub weight: f32,
    /// As it was written first, in lower case.
    pub text: String,
}

/// The terms of one text, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// In the order in which they are said first.
    pub terms: Vec<Term>,
    /// What texts that say almost the same have in common.
    pub sketch: Sketch,
}

impl Features {
    /// The features of redacted feedback.
    #[must_use]
    pub fn of(title: &str, body: &str) -> Self {
        let mut counts = Counts::default();
        let (title, body) = (pieces(title), pieces(body));
        counts.add(&title, TITLE);
        counts.add(&body, 1.0);
        let sketch = Sketch::of(title.iter().chain(&body).map(|p| p.stem()));
        let mut terms = counts.terms;
        terms.truncate(MOST_TERMS);
        for term in &mut terms {
            let pair = if term.text.contains(' ') { PAIR } else { 1.0 };
            term.weight = pair * (1.0 + term.weight).ln();
        }
        Self { terms, sketch }
    }

    /// Whether there is nothing to compare.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

#[derive(Default)]
struct Counts {
    terms: Vec<Term>,
    places: HashMap<u32, usize>,
    /// Two stems with a space between: written again for each pair.
    pair: String,
}

impl Counts {
    fn add(&mut self, pieces: &[Piece], weight: f32) {
        let mut before: Option<&Piece> = None;
        for piece in pieces {
            self.term(key_of(piece.stem()), weight, || piece.surface.clone());
            if let Some(first) = before.filter(|first| piece.joined && first.stem() != piece.stem()) {
                self.pair.clear();
                self.pair.extend([first.stem(), " ", piece.stem()]);
                self.term(key_of(&self.pair), weight, || [first.surface.as_str(), piece.surface.as_str()].join(" "));
            }
            before = Some(piece);
        }
    }

    fn term(&mut self, key: u32, weight: f32, surface: impl FnOnce() -> String) {
        let place = *self.places.entry(key).or_insert_with(|| {
            // Terms beyond the bound are dropped later: they need no text.
            let text = if self.terms.len() < MOST_TERMS { surface() } else { String::new() };
            self.terms.push(Term { key, weight: 0.0, text });
            self.terms.len() - 1
        });
        self.terms[place].weight += weight;
    }
}

/// The hash of a stem or a pair of stems.
pub(crate) fn key_of(stem: &str) -> u32 {
    // The upper half is as good as any.
    (xxh3_64(stem.as_bytes()) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(features: &Features) -> Vec<&str> {
        features.terms.iter().map(|t| t.text.as_str()).collect()
    }

    #[test]
    fn words_and_pairs_are_counted_once_each() {
        let features = Features::of("Refund fails", "The refunds fail: refunds fail daily");
        assert_eq!(texts(&features), ["refund", "fails", "refund fails", "daily", "fail daily"]);
        assert!(features.terms[0].weight > features.terms[3].weight);
    }

    #[test]
    fn greetings_alone_are_nothing() {
        assert!(Features::of("", "Hi team, thanks!").is_empty());
    }
}
