//! How text becomes words, the same for what is stored and what is asked.
//!
//! Feedback about APIs is half prose, half code. Words are runs of letters and digits, in lower case
//! and without accents; `rate_limit`, `/v2/orders` and `10.5.2` become neighbouring words, so that a
//! phrase finds them. `rateLimit` becomes `ratelimit` with `rate` and `limit` at the same place.
//! English plurals fall together with their singular. Scripts without spaces are cut into characters.

use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

/// Name of the analyzer for titles and bodies.
pub(super) const TEXT: &str = "groundswell_text";
/// Name of the analyzer for keywords compared without regard to case.
pub(super) const CASELESS: &str = "groundswell_caseless";
/// Name of the analyzer for keywords compared byte by byte.
pub(super) const EXACT: &str = "groundswell_exact";

/// Longer words (encoded blobs) are cut, so that they can't bloat the dictionary.
const LONGEST_WORD: usize = 96;

/// Every analyzer that the schema names.
pub(super) fn tokenizers() -> TokenizerManager {
    // The engine asks for its default analyzer even for fields that are not text.
    let manager = TokenizerManager::default();
    manager.register(TEXT, analyzer());
    manager.register(CASELESS, TextAnalyzer::builder(RawTokenizer::default()).filter(LowerCaser).build());
    manager.register(EXACT, TextAnalyzer::from(RawTokenizer::default()));
    manager
}

/// The analyzer for titles, bodies and questions.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(Words::default()).filter(AsciiFoldingFilter).build()
}

/// A word at its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is in the dictionary.
    pub(super) text: String,
    /// Number of the place; parts of a word in camel case share it.
    pub(super) position: usize,
    /// First byte.
    pub(super) from: usize,
    /// Byte behind the last.
    pub(super) to: usize,
}

/// All words of a text.
pub(super) fn words_of(analyzer: &mut TextAnalyzer, text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    analyzer.token_stream(text).process(&mut |t| {
        words.push(Word { text: t.text.clone(), position: t.position, from: t.offset_from, to: t.offset_to });
    });
    words
}

/// Cuts text into words.
#[derive(Clone, Default)]
struct Words {
    token: Token,
    parts: Vec<(usize, usize)>,
}

struct WordStream<'a> {
    text: &'a str,
    at: usize,
    token: &'a mut Token,
    parts: &'a mut Vec<(usize, usize)>,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        self.parts.clear();
        WordStream { text, at: 0, token: &mut self.token, parts: &mut self.parts }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        if let Some((from, to)) = self.parts.pop() {
            self.take(from, to);
            return true;
        }
        let Some((from, first)) = self.next_start() else { return false };
        let to = if stands_alone(first) { from + first.len_utf8() } else { self.end_of_word(from) };
        self.at = to;
        self.token.position = self.token.position.wrapping_add(1);
        self.take(from, to);
        camel_parts(self.text.as_bytes(), from, to, self.parts);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

impl WordStream<'_> {
    fn next_start(&self) -> Option<(usize, char)> {
        self.text[self.at..].char_indices().find(|(_, c)| is_word(*c)).map(|(i, c)| (self.at + i, c))
    }

    fn end_of_word(&self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_alphanumeric() {
                at += 1;
            } else if byte == b'\'' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
                at += 2;
            } else if byte < 0x80 {
                break;
            } else {
                match self.text[at..].chars().next() {
                    Some(c) if !stands_alone(c) && (is_word(c) || is_combining(c)) => at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        // `C++` and `C#` are names of languages that SDKs are written in.
        if at == from + 1 && bytes[from].is_ascii_alphabetic() {
            if bytes[at..].starts_with(b"++") {
                at += 2;
            } else if bytes[at..].starts_with(b"#") {
                at += 1;
            }
        }
        at
    }

    fn take(&mut self, from: usize, to: usize) {
        self.token.offset_from = from;
        self.token.offset_to = to;
        let word = &self.text[from..to];
        let out = &mut self.token.text;
        if word.is_ascii() {
            let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("'S")).unwrap_or(word);
            out.extend(word.bytes().filter(|b| *b != b'\'').take(LONGEST_WORD).map(|b| char::from(b.to_ascii_lowercase())));
            make_singular(out);
        } else {
            out.extend(word.chars().filter(|c| *c != '\'' && !is_combining(*c)).flat_map(char::to_lowercase).take(LONGEST_WORD / 3));
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric())
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Scripts written without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Pushes the parts of a word in camel case, last first. `OAuth2`, `eBay` and `APIs` stay whole.
fn camel_parts(bytes: &[u8], from: usize, to: usize, parts: &mut Vec<(usize, usize)>) {
    let word = &bytes[from..to];
    if !word.iter().skip(1).any(u8::is_ascii_uppercase) || !word.iter().all(u8::is_ascii_alphanumeric) {
        return;
    }
    let mut start = 0;
    for i in 1..word.len() {
        let rest = word.len() - i;
        let hump = !word[i - 1].is_ascii_uppercase() && word[i].is_ascii_uppercase() && rest >= 2;
        let after_acronym =
            word[i - 1].is_ascii_uppercase() && word[i].is_ascii_uppercase() && rest >= 3 && word[i + 1].is_ascii_lowercase();
        if (hump || after_acronym) && i - start >= 2 {
            parts.push((from + start, from + i));
            start = i;
        }
    }
    if start > 0 {
        parts.push((from + start, to));
        parts.reverse();
    }
}

/// Folds English plurals into the singular: cheap, and the same on both sides, so a wrong fold does no harm.
fn make_singular(word: &mut String) {
    if word.len() < 4 || !word.ends_with('s') || word.as_bytes().iter().any(|b| !b.is_ascii_lowercase()) {
        return;
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| word.ends_with(s));
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if ends(&["sses", "xes", "shes", "tches", "rches", "tuses"]) {
        word.truncate(word.len() - 2);
    } else if !ends(&["us", "ss", "aes", "ees", "oes"]) {
        word.truncate(word.len() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(text: &str) -> Vec<String> {
        let mut places: Vec<String> = Vec::new();
        for word in words_of(&mut analyzer(), text) {
            match places.get_mut(word.position) {
                Some(place) => *place = format!("{place}|{}", word.text),
                None => places.push(word.text),
            }
        }
        places
    }

    #[test]
    fn technical_words_are_cut_at_their_joints() {
        assert_eq!(places("GET /v2/orders/{id} gives 401"), ["get", "v2", "order", "id", "give", "401"]);
        assert_eq!(places("rate_limit rate-limit"), ["rate", "limit", "rate", "limit"]);
        assert_eq!(places("rateLimit HTTPServer"), ["ratelimit|rate|limit", "httpserver|http|server"]);
        assert_eq!(places("OAuth2 eBay APIs URLs"), ["oauth2", "ebay", "api", "url"]);
        assert_eq!(places("C++ c# Node.js 2.14.0"), ["c++", "c#", "node", "js", "2", "14", "0"]);
    }

    #[test]
    fn prose_is_folded() {
        assert_eq!(places("Don't the user's caf\u{e9}s status"), ["dont", "the", "user", "cafes", "status"]);
        assert_eq!(places("e\u{301}tude ÉTUDE"), ["etude", "etude"]);
        assert_eq!(
            places("timeouts caches retries crashes addresses statuses DNS"),
            ["timeout", "cache", "retry", "crash", "address", "status", "dns"]
        );
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(places("認証エラー token"), ["認", "証", "エ", "ラ", "ー", "token"]);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_within_its_bounds(text in "\\PC{0,200}") {
            let mut last = 0;
            for word in words_of(&mut analyzer(), &text) {
                prop_assert!(text.get(word.from..word.to).is_some());
                prop_assert!(word.position >= last);
                last = word.position;
            }
        }
    }
}
