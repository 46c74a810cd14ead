//! A text as words, each with its sentence and clause.

use std::borrow::Cow;

use super::words::{List, Lists};

/// A word, or a run of characters of a script without blanks.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// As it stands, without punctuation around it.
    pub(super) text: &'a str,
    /// In lower case.
    pub(super) lower: Cow<'a, str>,
    lists: Lists,
    /// Only letters from a to z: by itself no number, path, identifier or header.
    pub(super) plain: bool,
    pub(super) sentence: u32,
    pub(super) clause: u32,
    /// Whether it begins a sentence.
    pub(super) begins: bool,
    /// Whether its sentence is a question.
    pub(super) asked: bool,
}

impl Token<'_> {
    /// Whether it is in the list.
    pub(super) fn is(&self, list: List) -> bool {
        self.lists.have(list)
    }
}

/// Words kept of one text.
const MOST: usize = 6_000;

/// Characters that are no part of a word at its ends.
fn is_edge(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '/' | '{' | '}' | '-' | '>' | '→' | '%' | '=' | '+' | '#')
}

/// Whether two neighbours belong to different words though no blank parts them: Latin beside Japanese.
fn is_border(a: char, b: char) -> bool {
    let wide = |c: char| c > '\u{2fff}';
    wide(a) != wide(b)
}

/// Cuts a text.
pub(super) fn cut(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let (mut sentence, mut clause, mut begins) = (0u32, 0u32, true);
    for line in text.lines() {
        for chunk in line.split_whitespace().flat_map(pieces) {
            if tokens.len() >= MOST {
                return tokens;
            }
            let word = chunk.trim_matches(is_edge);
            let lower = in_lower_case(word);
            let lists = Lists::of(&lower);
            if lists.have(List::Split) || chunk.starts_with(['(', '–', '—']) {
                clause += 1;
            }
            if !word.is_empty() {
                let plain = word.bytes().all(|b| b.is_ascii_lowercase());
                tokens.push(Token { text: word, lower, lists, plain, sentence, clause, begins, asked: false });
                begins = false;
            }
            match end_of(chunk) {
                End::Sentence(asked) => {
                    tokens.iter_mut().rev().take_while(|t| t.sentence == sentence).for_each(|t| t.asked = asked);
                    (sentence, clause, begins) = (sentence + 1, clause + 1, true);
                }
                End::Clause => clause += 1,
                End::None => {}
            }
        }
        (sentence, clause, begins) = (sentence + 1, clause + 1, true);
    }
    tokens
}

enum End {
    Sentence(bool),
    Clause,
    None,
}

fn end_of(chunk: &str) -> End {
    let chunk = chunk.trim_end_matches(['"', '\'', '”', '’', '`', '*']);
    match chunk.chars().next_back() {
        Some('?' | '？') => End::Sentence(true),
        Some('!' | '。' | '！') => End::Sentence(false),
        // `e.g.` and `vs.` end nothing.
        Some('.') if chunk.len() > 4 || !chunk.starts_with(char::is_lowercase) => End::Sentence(false),
        Some(',' | ';' | '、' | ')' | '–' | '—') => End::Clause,
        _ => End::None,
    }
}

/// Most words are in lower case already.
fn in_lower_case(word: &str) -> Cow<'_, str> {
    if word.is_ascii() && !word.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

/// Parts at the border of scripts and behind Japanese punctuation.
fn pieces(chunk: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(chunk);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = if text.is_ascii() { None } else { end_of_piece(text) };
        rest = end.map(|at| &text[at..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

fn end_of_piece(text: &str) -> Option<usize> {
    let neighbours = text.chars().zip(text.char_indices().skip(1));
    let stop = |(before, (_, c)): &(char, (usize, char))| {
        (is_border(*before, *c) || matches!(before, '、' | '。')) && !matches!(c, '、' | '。' | '！' | '？')
    };
    neighbours.into_iter().find(stop).map(|(_, (at, _))| at)
}
