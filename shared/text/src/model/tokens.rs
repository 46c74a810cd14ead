//! Text as tokens: lower-case words, digits as one `0`, and the few marks that say something.

use super::{hash, polarity};
use crate::redact::placeholder_end;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its hash; the same word has the same one everywhere.
    pub(super) hash: u64,
    /// First byte in the text of the tokens.
    start: u32,
    /// Byte behind its last one.
    end: u32,
    /// Whether it is made of letters, and not a number or a mark.
    pub(super) word: bool,
    pub(super) tone: polarity::Word,
}

/// The tokens of a text, with the letters they are made of.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    text: String,
    all: Vec<Token>,
}

impl Tokens {
    /// None yet, with room for those of a text of so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), all: Vec::with_capacity(bytes / 5) }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Bytes of all tokens.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn all(&self) -> &[Token] {
        &self.all
    }

    /// The letters of a token.
    pub(super) fn text(&self, token: &Token) -> &str {
        self.text.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    /// The letters of token `i`; empty where there is none.
    pub(super) fn get(&self, i: usize) -> &str {
        self.all.get(i).map_or("", |t| self.text(t))
    }

    /// Adds a token that stands for something else, such as `url`.
    pub(super) fn push(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.end(start, true);
    }

    fn end(&mut self, start: usize, word: bool) {
        let text = self.text.get(start..).unwrap_or_default();
        let hash = hash::word(text);
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.all.push(Token { hash, start: at(start), end: at(self.text.len()), word, tone: polarity::word(hash, text) });
    }

    /// Reads one token or one character that is none at `at`; gives the byte behind it.
    pub(super) fn read(&mut self, text: &str, at: usize) -> usize {
        let bytes = text.as_bytes();
        let Some(&first) = bytes.get(at) else { return at + 1 };
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(text, at),
            b'0'..=b'9' => {
                self.text.push('0');
                self.end(self.text.len() - 1, false);
                at + bytes.get(at..).map_or(1, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count())
            }
            b'[' if placeholder_end(bytes, at).is_some() => placeholder_end(bytes, at).unwrap_or(at + 1),
            b'@' => self.mention(bytes, at),
            b':' | b';' | b'=' if face(bytes, at).is_some() => {
                let (name, end) = face(bytes, at).unwrap_or((":|", at + 1));
                self.push(name);
                end
            }
            b'?' | b'!' | b':' | b'[' | b']' => self.mark(bytes, at, first),
            b'+' if bytes.get(at + 1) == Some(&b'1') => self.mark(bytes, at, first),
            b'<' if bytes.get(at + 1) == Some(&b'3') => self.mark(bytes, at, first),
            0..=127 => at + 1,
            _ => self.beyond_ascii(text, at),
        }
    }

    fn mark(&mut self, bytes: &[u8], at: usize, mark: u8) -> usize {
        let same = bytes.get(at..).map_or(1, |rest| rest.iter().take_while(|b| **b == mark).count());
        let start = self.text.len();
        self.text.push(char::from(mark));
        if same > 1 {
            self.text.push(char::from(mark));
        }
        self.end(start, false);
        at + same
    }

    /// Somebody was named: who does not matter.
    fn mention(&mut self, bytes: &[u8], at: usize) -> usize {
        let name = bytes.get(at + 1..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count());
        if name > 0 {
            self.push("@user");
        }
        at + 1 + name
    }

    fn beyond_ascii(&mut self, text: &str, at: usize) -> usize {
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { return at + 1 };
        if c.is_alphabetic() {
            return self.word(text, at);
        }
        if c >= '\u{2190}' && !c.is_whitespace() {
            let start = self.text.len();
            self.text.push(c);
            self.end(start, false);
        }
        at + c.len_utf8()
    }

    fn word(&mut self, text: &str, at: usize) -> usize {
        let start = self.text.len();
        // Most words are plain letters: those are taken at once.
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let plain = rest.iter().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'\'')).count();
        self.text.push_str(text.get(at..at + plain).unwrap_or_default());
        if let Some(word) = self.text.get_mut(start..) {
            word.make_ascii_lowercase();
        }
        let at = at + plain;
        let mut end = text.len();
        for (i, c) in text.get(at..).unwrap_or_default().char_indices() {
            match c {
                'a'..='z' | '_' => self.text.push(c),
                'A'..='Z' => self.text.push(c.to_ascii_lowercase()),
                '\'' | '’' => self.text.push('\''),
                c if !c.is_ascii() && c.is_alphabetic() => self.text.extend(c.to_lowercase()),
                _ => {
                    end = at + i;
                    break;
                }
            }
        }
        while self.text.len() > start && self.text.as_bytes().last() == Some(&b'\'') {
            self.text.pop();
        }
        self.end(start, true);
        end
    }
}

/// A face made of marks, and where it ends.
fn face(bytes: &[u8], at: usize) -> Option<(&'static str, usize)> {
    let nose = usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'\'')));
    let name = match bytes.get(at + 1 + nose)? {
        b')' | b']' | b'D' => ":)",
        b'(' | b'[' => ":(",
        b'P' | b'p' => ":p",
        b'/' | b'\\' if nose == 1 => ":/",
        _ => return None,
    };
    let end = at + 2 + nose;
    // `:D` in `C:Data` and `:p` in `a:port` are no faces.
    (!bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)).then_some((name, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let (mut tokens, mut at) = (Tokens::default(), 0);
        while at < text.len() {
            at = tokens.read(text, at);
        }
        tokens.all().iter().map(|t| tokens.text(t).to_owned()).collect()
    }

    #[test]
    fn words_numbers_and_marks() {
        assert_eq!(tokens("Doesn’t work?! v2.14 'quoted'"), ["doesn't", "work", "?", "!", "v", "0", "0", "quoted"]);
        assert_eq!(tokens("thanks :-) @joe +1 !!!!"), ["thanks", ":)", "@user", "+", "0", "!!"]);
        assert_eq!(tokens("C:Data Straße 调用 👍"), ["c", ":", "data", "straße", "调用", "👍"]);
    }

    #[test]
    fn what_was_redacted_is_no_word() {
        assert_eq!(tokens("key [token] and [this]"), ["key", "and", "[", "this", "]"]);
    }
}
