//! A text as words, each with its sentence and clause.

use super::words::List;

/// A word, or a run of characters of a script without blanks.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// As it stands, without punctuation around it.
    pub(super) text: &'a str,
    /// In lower case.
    pub(super) lower: String,
    pub(super) sentence: u32,
    pub(super) clause: u32,
    /// Whether it begins a sentence.
    pub(super) begins: bool,
    /// Whether its sentence is a question.
    pub(super) asked: bool,
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
            let lower = word.to_lowercase();
            if List::Split.has(&lower) || chunk.starts_with(['(', '–', '—']) {
                clause += 1;
            }
            if !word.is_empty() {
                tokens.push(Token { text: word, lower, sentence, clause, begins, asked: false });
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

/// Parts at the border of scripts and behind Japanese punctuation.
fn pieces(chunk: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut before) = (0, None);
    for (at, c) in chunk.char_indices() {
        let stop = before.is_some_and(|b| is_border(b, c) || matches!(b, '、' | '。'));
        if stop && !matches!(c, '、' | '。' | '！' | '？') {
            out.push(&chunk[start..at]);
            start = at;
        }
        before = Some(c);
    }
    out.push(&chunk[start..]);
    out
}
