//! A text as words: lower case, contractions undone, with where sentences end.

use crate::model::hash;
use crate::redact::placeholder_end;

/// Longest part of a text that is looked at: what feedback says is said early, and time stays bounded.
const MOST_BYTES: usize = 16_384;

/// The words of one text.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// All words behind each other.
    letters: String,
    /// Where each word ends in `letters`.
    ends: Vec<usize>,
    /// The hash of each word.
    hashes: Vec<u64>,
    /// Whether a sentence ends after the word.
    stops: Vec<bool>,
    /// How many question marks there are.
    pub(super) questions: usize,
    /// How many words belong to the title.
    pub(super) title: usize,
}

impl Words {
    pub(super) fn of(title: &str, body: &str) -> Self {
        let mut words = Self { letters: String::with_capacity(title.len() + body.len().min(MOST_BYTES)), ..Self::default() };
        words.read(title);
        words.title = words.len();
        words.stop();
        words.read(body);
        words
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Word `i`; empty outside of the text.
    pub(super) fn get(&self, i: usize) -> &str {
        let start = i.checked_sub(1).map_or(0, |b| self.ends.get(b).copied().unwrap_or(0));
        self.ends.get(i).and_then(|end| self.letters.get(start..*end)).unwrap_or("")
    }

    /// The hash of word `i`, by [`hash::word`].
    pub(super) fn hash(&self, i: usize) -> u64 {
        self.hashes.get(i).copied().unwrap_or(0)
    }

    /// Whether a sentence ends after word `i`.
    pub(super) fn ends_sentence(&self, i: usize) -> bool {
        self.stops.get(i).copied().unwrap_or(true)
    }

    fn read(&mut self, text: &str) {
        let mut here = self.letters.len();
        let mut skip = 0;
        for (i, c) in text.char_indices().take_while(|(i, _)| *i < MOST_BYTES) {
            if c == '[' {
                skip = placeholder_end(text.as_bytes(), i).unwrap_or(skip);
            }
            // What was redacted says nothing: `[token]` is not about authentication.
            if i < skip {
                self.end_word(&mut here);
                continue;
            }
            match c {
                'a'..='z' | '0'..='9' => self.letters.push(c),
                'A'..='Z' => self.letters.push(c.to_ascii_lowercase()),
                '\'' | '’' if self.letters.len() > here => self.letters.push('\''),
                c if !c.is_ascii() && c.is_alphanumeric() => self.letters.extend(c.to_lowercase()),
                _ => {
                    self.end_word(&mut here);
                    self.mark(c);
                }
            }
        }
        self.end_word(&mut here);
    }

    fn mark(&mut self, c: char) {
        self.questions += usize::from(matches!(c, '?' | '？'));
        if matches!(c, '.' | '!' | '?' | ';' | '\n' | '。' | '！' | '？') {
            self.stop();
        }
    }

    fn stop(&mut self) {
        if let Some(last) = self.stops.last_mut() {
            *last = true;
        }
    }

    /// Ends the word that began at `here`. "doesn't" is two words, "does" and "not".
    fn end_word(&mut self, here: &mut usize) {
        let start = *here;
        while self.letters.len() > start && self.letters.ends_with('\'') {
            self.letters.pop();
        }
        let word = self.letters.get(start..).unwrap_or_default();
        if word.is_empty() {
            return;
        }
        let (keep, not) = match word {
            "cannot" | "can't" => (3, true),
            "won't" => (2, true),
            "dont" | "doesnt" | "didnt" | "isnt" | "wasnt" | "cant" => (word.len() - if word == "cant" { 1 } else { 2 }, true),
            _ if word.ends_with("n't") => (word.len() - 3, true),
            _ => (word.find('\'').unwrap_or(word.len()), false),
        };
        self.letters.truncate(start + keep);
        self.push_end();
        if not {
            self.letters.push_str("not");
            self.push_end();
        }
        *here = self.letters.len();
    }

    fn push_end(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        self.hashes.push(hash::word(self.letters.get(start..).unwrap_or_default()));
        self.ends.push(self.letters.len());
        self.stops.push(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_words() {
        let words = Words::of("", "use [token] for [jwt], not [this]");
        let all: Vec<&str> = (0..words.len()).map(|i| words.get(i)).collect();
        assert_eq!(all, ["use", "for", "not", "this"]);
    }

    #[test]
    fn contractions_are_two_words_and_sentences_end() {
        let words = Words::of("Can't log in", "It doesn’t work. Why?");
        let all: Vec<&str> = (0..words.len()).map(|i| words.get(i)).collect();
        assert_eq!(all, ["can", "not", "log", "in", "it", "does", "not", "work", "why"]);
        assert_eq!((words.title, words.questions), (4, 1));
        assert!(words.ends_sentence(3) && words.ends_sentence(7) && !words.ends_sentence(5));
    }
}
