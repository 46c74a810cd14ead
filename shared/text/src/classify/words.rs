//! A text as words: lower case, contractions undone, with where sentences end.

use super::lexicon::{Entry, LEXICON};
use crate::redact::placeholder_end;

/// Longest part of a text that is looked at: what feedback says is said early, and time stays bounded.
const MOST_BYTES: usize = 16_384;

/// Room is made for words of so many bytes, the space behind them included.
const BYTES_OF_A_WORD: usize = 5;

/// One word.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    start: u32,
    end: u32,
    /// Its first eight bytes.
    head: u64,
    /// What is known of it.
    entry: u16,
    /// Whether a sentence ends after it.
    stop: bool,
}

/// The words of one text.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// All words behind each other.
    letters: String,
    all: Vec<Word>,
    /// How many question marks there are.
    pub(super) questions: usize,
    /// How many words belong to the title.
    pub(super) title: usize,
}

impl Words {
    pub(super) fn of(title: &str, body: &str) -> Self {
        let bytes = title.len() + body.len().min(MOST_BYTES);
        let mut words =
            Self { letters: String::with_capacity(bytes + 8), all: Vec::with_capacity(bytes / BYTES_OF_A_WORD + 1), ..Self::default() };
        words.read(title);
        words.title = words.len();
        words.stop();
        words.read(body);
        words.look_up();
        words
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Word `i`; empty outside of the text.
    pub(super) fn get(&self, i: usize) -> &str {
        self.all.get(i).and_then(|word| self.letters.get(word.start as usize..word.end as usize)).unwrap_or("")
    }

    /// The first eight bytes of word `i`; 0 outside of the text.
    pub(super) fn head(&self, i: usize) -> u64 {
        self.all.get(i).map_or(0, |word| word.head)
    }

    /// Whether word `i` is a number, or begins with one.
    pub(super) fn begins_with_digit(&self, i: usize) -> bool {
        self.head(i).to_le_bytes()[0].is_ascii_digit()
    }

    /// The place of what is known of word `i`.
    pub(super) fn place(&self, i: usize) -> u16 {
        self.all.get(i).map_or(0, |word| word.entry)
    }

    /// What is known of each word.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        let lexicon = &*LEXICON;
        self.all.iter().map(|word| lexicon.entry(word.entry))
    }

    /// Whether a sentence ends after word `i`.
    pub(super) fn ends_sentence(&self, i: usize) -> bool {
        self.all.get(i).is_none_or(|word| word.stop)
    }

    /// Whether all letters are plain.
    pub(super) fn is_ascii(&self) -> bool {
        self.letters.is_ascii()
    }

    fn read(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let most = bytes.len().min(MOST_BYTES);
        let (mut here, mut at) = (self.letters.len(), 0);
        while at < most {
            let plain = bytes[at..most].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            if plain > 0 {
                self.push(text.get(at..at + plain).unwrap_or_default());
                at += plain;
                continue;
            }
            // What was redacted says nothing: `[token]` is not about authentication.
            if let Some(end) = placeholder_end(bytes, at) {
                self.end_word(&mut here);
                at = end;
                continue;
            }
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            at += c.len_utf8();
            match c {
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

    /// Plain letters and digits.
    fn push(&mut self, plain: &str) {
        let start = self.letters.len();
        self.letters.push_str(plain);
        if let Some(letters) = self.letters.get_mut(start..) {
            letters.make_ascii_lowercase();
        }
    }

    fn mark(&mut self, c: char) {
        self.questions += usize::from(matches!(c, '?' | '？'));
        if matches!(c, '.' | '!' | '?' | ';' | '\n' | '。' | '！' | '？') {
            self.stop();
        }
    }

    fn stop(&mut self) {
        if let Some(last) = self.all.last_mut() {
            last.stop = true;
        }
    }

    /// Ends the word that began at `here`. "doesn't" is two words, "does" and "not".
    fn end_word(&mut self, here: &mut usize) {
        let start = *here;
        while self.letters.len() > start && self.letters.as_bytes().last() == Some(&b'\'') {
            self.letters.pop();
        }
        let word = self.letters.get(start..).unwrap_or_default();
        if word.is_empty() {
            return;
        }
        let (keep, not) = match word {
            _ if !word.ends_with('t') => (word.find('\'').unwrap_or(word.len()), false),
            "cannot" | "can't" => (3, true),
            "won't" => (2, true),
            "dont" | "doesnt" | "didnt" | "isnt" | "wasnt" | "cant" => (word.len() - if word == "cant" { 1 } else { 2 }, true),
            _ if word.ends_with("n't") => (word.len() - 3, true),
            _ => (word.find('\'').unwrap_or(word.len()), false),
        };
        self.letters.truncate(start + keep);
        self.push_word(start);
        if not {
            self.letters.push_str("not");
            self.push_word(start + keep);
        }
        *here = self.letters.len();
    }

    fn push_word(&mut self, start: usize) {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.all.push(Word { start: place(start), end: place(self.letters.len()), ..Word::default() });
    }

    /// Finds what is known of every word.
    fn look_up(&mut self) {
        let lexicon = &*LEXICON;
        // So that eight bytes can be read wherever a word begins.
        self.letters.push_str("\0\0\0\0\0\0\0\0");
        for word in &mut self.all {
            let letters = self.letters.as_bytes().get(word.start as usize..).unwrap_or_default();
            let length = (word.end - word.start) as usize;
            (word.head, word.entry) = lexicon.look_up(letters, length);
        }
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
