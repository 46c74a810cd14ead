//! Where the words of a query occur in a text, and which piece of the text to show.

use tantivy::tokenizer::TextAnalyzer;

use super::lower::Mark;
use super::syntax::TextField;
use super::types::{Fragment, Highlight};
use super::words::{Word, words_of};

/// Bytes of a text that are looked through; what is behind is found, but not marked.
const LOOKED_THROUGH: usize = 32 * 1024;
/// Characters of a fragment, about.
const FRAGMENT: usize = 200;
/// Fragments of a body at most.
const MOST_FRAGMENTS: usize = 3;
/// Characters of a snippet, about.
pub(super) const SNIPPET: usize = 320;

/// Byte ranges of the matches, sorted, not overlapping.
pub(super) fn matches_of(analyzer: &mut TextAnalyzer, text: &str, field: TextField, marks: &[Mark]) -> Vec<(usize, usize)> {
    let marks: Vec<&Mark> = marks.iter().filter(|m| m.field.is_none_or(|f| f == field)).collect();
    if marks.is_empty() || text.is_empty() {
        return Vec::new();
    }
    let words = words_of(analyzer, &text[..text.floor_char_boundary(LOOKED_THROUGH)]);
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for mark in &marks {
            if let Some(to) = match_end(&words, at, mark) {
                found.push((word.from, to));
            }
        }
    }
    found.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (from, to) in found {
        match merged.last_mut() {
            Some((_, end)) if from < *end => *end = to.max(*end),
            _ => merged.push((from, to)),
        }
    }
    merged
}

fn match_end(words: &[Word], at: usize, mark: &Mark) -> Option<usize> {
    let fits = |word: &Word, number: usize| {
        let wanted = mark.words[number].as_str();
        let is_prefix = mark.prefix && number + 1 == mark.words.len();
        if is_prefix { word.text.starts_with(wanted) } else { word.text == wanted }
    };
    if mark.words.is_empty() || !fits(&words[at], 0) {
        return None;
    }
    let (mut end, mut next) = (words[at].to, at + 1);
    for number in 1..mark.words.len() {
        let position = words[at].position + number;
        let place = words[next..].iter().skip_while(|w| w.position < position).take_while(|w| w.position == position);
        end = place.into_iter().find(|w| fits(w, number))?.to;
        next = (next + words[next..].iter().take_while(|w| w.position <= position).count()).min(words.len());
    }
    Some(end)
}

/// The fragments of a field around its matches; none without matches.
pub(super) fn highlight(field: &str, text: &str, matches: &[(usize, usize)]) -> Option<Highlight> {
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut rest = matches;
    while let Some((first, _)) = rest.first() {
        if fragments.len() == MOST_FRAGMENTS {
            break;
        }
        let (from, to) = window(text, *first, FRAGMENT);
        let inside = rest.iter().take_while(|(_, end)| *end <= to).count().max(1);
        fragments.push(fragment(text, from, to, &rest[..inside]));
        rest = &rest[inside..];
    }
    (!fragments.is_empty()).then(|| Highlight { field: field.to_owned(), fragments })
}

fn fragment(text: &str, from: usize, to: usize, matches: &[(usize, usize)]) -> Fragment {
    let chars = |bytes: usize| u32::try_from(text[from..bytes].chars().count()).unwrap_or(u32::MAX);
    let ranges = matches.iter().map(|(a, b)| [chars((*a).clamp(from, to)), chars((*b).clamp(from, to))]).filter(|[a, b]| a < b).collect();
    Fragment { text: text[from..to].to_owned(), ranges }
}

/// A piece of the text of about `size` characters around `at`, beginning and ending at words.
fn window(text: &str, at: usize, size: usize) -> (usize, usize) {
    let bytes_before = size / 3;
    let mut from = text.floor_char_boundary(at.saturating_sub(bytes_before));
    if from > 0 {
        from += text[from..at].find(char::is_whitespace).map_or(0, |space| space + 1);
        from = text.ceil_char_boundary(from);
    }
    let mut to = text[from..].char_indices().nth(size).map_or(text.len(), |(i, _)| from + i);
    if to < text.len() {
        let space = text[from..to].rfind(char::is_whitespace).map(|space| from + space);
        to = space.filter(|s| *s > at).unwrap_or(to);
    }
    (from, to)
}

/// What is shown of a body: a piece around the first match, or its beginning. Cut ends show as `…`.
pub(super) fn snippet(text: &str, matches: &[(usize, usize)]) -> String {
    let (from, to) = window(text, matches.first().map_or(0, |m| m.0), SNIPPET);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    format!("{before}{}{after}", text[from..to].trim())
}

#[cfg(test)]
mod tests {
    use super::super::words::analyzer;
    use super::*;
    use proptest::prelude::*;

    fn mark(words: &[&str], prefix: bool) -> Mark {
        Mark { field: None, words: words.iter().map(|w| (*w).to_owned()).collect(), prefix }
    }

    fn marked(text: &str, marks: &[Mark]) -> Vec<String> {
        matches_of(&mut analyzer(), text, TextField::Body, marks).iter().map(|(a, b)| text[*a..*b].to_owned()).collect()
    }

    #[test]
    fn words_phrases_and_prefixes_are_marked_as_written() {
        let text = "The Rate-Limit of rate_limits: RateLimit and limits";
        assert_eq!(marked(text, &[mark(&["rate", "limit"], false)]), ["Rate-Limit", "rate_limits"]);
        assert_eq!(marked(text, &[mark(&["ratel"], true)]), ["RateLimit"]);
        assert_eq!(marked(text, &[mark(&["limit"], false)]), ["Limit", "limits", "Limit", "limits"]);
    }

    #[test]
    fn ranges_count_characters() {
        let text = "größer als ein timeout";
        let matches = matches_of(&mut analyzer(), text, TextField::Body, &[mark(&["timeout"], false)]);
        let fragment = highlight("body", text, &matches).map(|h| h.fragments[0].clone());
        assert_eq!(fragment, Some(Fragment { text: text.into(), ranges: vec![[15, 22]] }));
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text in "\\PC{0,600}", word in "[a-z]{1,2}") {
            let matches = matches_of(&mut analyzer(), &text, TextField::Body, &[mark(&[&word], true)]);
            let shown = snippet(&text, &matches);
            prop_assert!(shown.chars().count() <= SNIPPET + 2);
            for fragment in highlight("body", &text, &matches).into_iter().flat_map(|h| h.fragments) {
                let length = fragment.text.chars().count() as u32;
                prop_assert!(fragment.ranges.iter().all(|[a, b]| a < b && *b <= length));
            }
        }
    }
}
