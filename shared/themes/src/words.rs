//! How a text becomes words of a subject: prose, identifiers and status codes, without what differs in every piece.

use crate::stop::is_stop;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Lower case, as it was written.
    pub(crate) surface: String,
    /// Length of its stem in bytes.
    stem: usize,
    /// Whether the word before it, stop words aside, stands in the same clause.
    pub(crate) joined: bool,
}

impl Piece {
    /// What words of the same stem have in common: how they begin.
    pub(crate) fn stem(&self) -> &str {
        &self.surface[..self.stem]
    }
}

/// Words taken from one text at most.
const MOST_WORDS: usize = 240;
/// Longer words are codes, tokens and hashes.
const LONGEST_WORD: usize = 30;

/// The words of a text that may tell its subject, in order. Quoted mail, frames of traces, hosts of links and what redaction put in are left out.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let (mut out, mut scratch) = (Vec::new(), String::new());
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with('>') || is_frame(line) {
            continue;
        }
        line_pieces(line, &mut scratch, &mut out);
        if out.len() >= MOST_WORDS {
            out.truncate(MOST_WORDS);
            break;
        }
    }
    out
}

/// A frame of a stack trace, as Java, JavaScript and Python write them.
fn is_frame(line: &str) -> bool {
    (line.starts_with("at ") && line.contains('(')) || line.starts_with("File \"")
}

fn line_pieces(line: &str, scratch: &mut String, out: &mut Vec<Piece>) {
    let mut joined = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if matches!(c, '[' | 'h')
            && let Some(after) = skipped(rest, c)
        {
            rest = after;
            continue;
        }
        if !is_word(c) {
            // A comma or a full stop ends a clause; a hyphen, a slash or a dot inside a name doesn't.
            let next = rest[c.len_utf8()..].chars().next();
            joined = joined && (!matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '|') || next.is_some_and(is_word));
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let end = rest.find(|c| !is_word(c) && c != '\'' && c != '’').unwrap_or(rest.len());
        each_part(&rest[..end], |part| {
            if let Some(piece) = piece(part, joined, scratch) {
                out.push(piece);
                joined = true;
            }
        });
        rest = &rest[end..];
    }
}

/// What is left out whole: what redaction put in (`[email]`), and scheme and host of a link.
fn skipped(rest: &str, first: char) -> Option<&str> {
    if first == '[' {
        let end = rest.bytes().take(28).position(|b| b == b']')?;
        let inner = &rest[1..end];
        let put_in = !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        return put_in.then(|| &rest[end + 1..]);
    }
    let link = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
    let end = link.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(link.len());
    Some(&link[end..])
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// A run of letters and digits at the humps of camel case: `createRefund` is `create` and `Refund`.
fn each_part<'r>(run: &'r str, mut each: impl FnMut(&'r str)) {
    let mut start = 0;
    let mut before = ' ';
    for (at, c) in run.char_indices() {
        if c.is_uppercase() && before.is_lowercase() && at - start >= 2 {
            each(&run[start..at]);
            start = at;
        }
        before = c;
    }
    each(&run[start..]);
}

/// The piece of a word, if it may tell a subject; `scratch` saves an allocation for all that don't.
fn piece(part: &str, joined: bool, scratch: &mut String) -> Option<Piece> {
    lower(part, scratch);
    let surface = scratch.as_str();
    if surface.len() > LONGEST_WORD || is_stop(surface) {
        return None;
    }
    let letters = surface.chars().filter(|c| c.is_alphabetic()).count();
    let digits = surface.bytes().filter(u8::is_ascii_digit).count();
    let status = letters == 0 && surface.len() == 3 && (surface.starts_with('4') || surface.starts_with('5'));
    let version = surface.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    // Other numbers, versions and ids differ in every piece: a theme spans versions.
    let telling = status || (letters >= 2 && !version && digits < 4);
    telling.then(|| Piece { stem: stem(surface).len(), surface: surface.to_owned(), joined })
}

/// Puts a word in lower case into `out`, without its apostrophes.
fn lower(part: &str, out: &mut String) {
    out.clear();
    if part.is_ascii() {
        out.push_str(part);
        out.make_ascii_lowercase();
        if out.contains('\'') {
            out.retain(|c| c != '\'');
        }
        return;
    }
    out.extend(part.chars().filter(|c| *c != '\'' && *c != '’').flat_map(char::to_lowercase));
}

/// Cuts what English puts behind a word. It need not be right, only the same each time.
fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.len() < 5 {
        return word.strip_suffix('s').filter(|w| w.len() >= 3 && !w.ends_with('s') && w.is_ascii()).unwrap_or(word);
    }
    let mut stem = word;
    for suffix in ["ingly", "edly", "ings", "ing", "ied", "ies", "ed", "es", "ly", "s"] {
        if let Some(cut) = word.strip_suffix(suffix)
            && cut.len() >= 4 - usize::from(suffix == "s")
            && !(suffix == "s" && cut.ends_with('s'))
        {
            stem = cut;
            break;
        }
    }
    if let [.., a, b] = stem.as_bytes()
        && a == b
        && stem.len() > 4
        && !matches!(b, b'l' | b's' | b'e')
    {
        stem = &stem[..stem.len() - 1];
    }
    if stem.len() > 4 && stem.ends_with(['e', 'y', 'i']) {
        stem = &stem[..stem.len() - 1];
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn surfaces(text: &str) -> Vec<String> {
        pieces(text).into_iter().map(|p| p.surface).collect()
    }

    #[test]
    fn what_differs_in_every_piece_is_left_out() {
        assert_eq!(surfaces("Refund 4711 of v2 fails with 409, request req_8f3a9c0d1e"), ["refund", "fails", "409", "request", "req"]);
        assert_eq!(surfaces("mail [email] to https://api.example.com/orders/refunds?x=1"), ["mail", "orders", "refunds"]);
        assert_eq!(surfaces("see below\n> On Monday you wrote\n   at com.acme.Client.call(Client.java:12)\nbroken"), ["broken"]);
    }

    #[test]
    fn identifiers_are_cut_at_their_humps() {
        assert_eq!(surfaces("createRefund rate_limit"), ["create", "refund", "rate", "limit"]);
    }

    #[test]
    fn words_of_one_stem_fall_together() {
        for words in [["refunds", "refunding"], ["fails", "failed"], ["caches", "cached"], ["retries", "retrying"], ["stopped", "stops"]] {
            assert_eq!(stem(words[0]), stem(words[1]), "{words:?}");
        }
        assert_eq!(stem("access"), "access");
    }

    #[test]
    fn a_clause_ends_at_its_comma() {
        let joined: Vec<bool> = pieces("rate limit, refund.create fails").iter().map(|p| p.joined).collect();
        assert_eq!(joined, [false, true, false, true, true]);
    }

    proptest! {
        #[test]
        fn any_text_gives_bounded_words(text in "\\PC{0,400}") {
            let all = pieces(&text);
            prop_assert!(all.len() <= MOST_WORDS);
            prop_assert!(all.iter().all(|p| !p.surface.is_empty() && !p.stem().is_empty()));
        }
    }
}
