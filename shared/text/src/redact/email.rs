//! E-mail addresses, internationalised ones included (RFC 5321, 5322 and 6531, as far as people use them).

use super::Kind;
use super::bytes::{Hit, byte};

/// Longest local part that the standards allow, in bytes.
const LONGEST_LOCAL: usize = 64;
/// Longest label of a domain, in bytes.
const LONGEST_LABEL: usize = 63;
/// Longest domain.
const LONGEST_DOMAIN: usize = 253;
/// What looks like a top-level domain and is the end of a file name: `icon@2x.png`.
const FILES: &[&str] =
    &["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "xml", "yml", "yaml", "java", "txt", "log", "conf"];

/// An address whose `@` (or `%40`, `width` bytes) is at `at`; it does not reach back before `floor`.
pub(super) fn find(text: &str, at: usize, width: usize, floor: usize) -> Option<Hit> {
    let start = local_start(text, at, floor)?;
    let end = domain_end(text, at + width)?;
    let local = text.get(start..at)?;
    (!names_a_service(text, start, at, end) && local != "_HOST").then(|| Hit::new(Kind::Email, start, end))
}

/// `git@host:path`, `scheme://container@account.host` and the Kerberos principal `service/host@REALM` name no person.
fn names_a_service(text: &str, start: usize, at: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let left = bytes.get(..start).unwrap_or_default();
    let git = bytes.get(start..at) == Some(b"git") && byte(bytes, end) == b':';
    let realm = left.ends_with(b"/") && bytes.get(at..end).is_some_and(|r| !r.iter().any(u8::is_ascii_lowercase));
    git || realm || left.ends_with(b"://")
}

/// An address that a word or number at `at` is the beginning of.
pub(super) fn ahead(text: &str, at: usize, floor: usize) -> Option<Hit> {
    let rest = text.get(at..)?;
    let (length, c) = rest.char_indices().take_while(|(i, _)| *i <= LONGEST_LOCAL).find(|(_, c)| !is_local(*c) || *c == '%')?;
    let width = match c {
        '@' => 1,
        '%' if rest.get(length..).is_some_and(|r| r.starts_with("%40")) => 3,
        _ => return None,
    };
    find(text, at + length, width, floor)
}

fn is_local(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}' | '~' | '-'
        )
        || (!c.is_ascii() && c.is_alphanumeric())
}

/// Signs that the standard allows and nobody starts an address with: they belong to the text before.
fn is_lead(c: char) -> bool {
    matches!(c, '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '/' | '=' | '?' | '^' | '`' | '{' | '|' | '}' | '~' | '-')
}

/// Signs at which an address inside code, a URL or a list begins anew.
fn is_break(c: char) -> bool {
    matches!(c, '/' | '=' | '?' | '&' | '|' | '\'' | '`' | '{' | '}' | '*')
}

/// Scripts that are written without spaces: their words stand directly before an address.
fn is_unspaced(c: char) -> bool {
    c >= '\u{2E80}'
}

fn local_start(text: &str, at: usize, floor: usize) -> Option<usize> {
    let mut start = at;
    let mut unspaced = None;
    for (i, c) in text.get(floor..at)?.char_indices().rev() {
        let same_script = *unspaced.get_or_insert(is_unspaced(c)) == is_unspaced(c);
        let encoded = c == '%' && bytes_are_hex(text, floor + i + 1);
        if at - (floor + i) > LONGEST_LOCAL || encoded || !is_local(c) || is_break(c) || !same_script {
            break;
        }
        start = floor + i;
    }
    let local = text.get(start..at)?;
    // What follows a percent sign are the two digits of an encoded byte.
    let local =
        if start > 0 && text.as_bytes().get(start - 1) == Some(&b'%') && bytes_are_hex(text, start) { local.get(2..)? } else { local };
    let start = at - local.trim_start_matches(is_lead).len();
    let local = text.get(start..at)?;
    let telling = local.contains(char::is_alphanumeric) && !local.ends_with('.');
    telling.then_some(start)
}

fn bytes_are_hex(text: &str, at: usize) -> bool {
    text.as_bytes().get(at..at + 2).is_some_and(|b| b.iter().all(u8::is_ascii_hexdigit))
}

fn domain_end(text: &str, start: usize) -> Option<usize> {
    let mut end = None;
    let mut at = start;
    let mut labels = 0;
    while at - start < LONGEST_DOMAIN {
        let label = label(text.get(at..)?);
        if label.is_empty() || label.ends_with('-') || label.starts_with('-') {
            break;
        }
        at += label.len();
        labels += 1;
        if labels >= 2 && is_top_level(label) {
            end = Some(at);
        }
        let next = text.get(at..).unwrap_or_default().chars().next();
        // The ideographic full stop is a dot in domain names too.
        match next {
            Some(dot @ ('.' | '。')) => at += dot.len_utf8(),
            _ => break,
        }
    }
    end
}

/// The label at the start of `rest`: letters, digits and hyphens; where it starts in ASCII, words of unspaced scripts end it.
fn label(rest: &str) -> &str {
    let ascii = rest.starts_with(|c: char| c.is_ascii());
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && c.is_alphanumeric() && !(ascii && is_unspaced(c)));
    let end = rest
        .char_indices()
        .take_while(|(i, _)| *i <= LONGEST_LABEL)
        .find(|(_, c)| !fits(*c))
        .map_or(rest.len().min(LONGEST_LABEL), |(i, _)| i);
    rest.get(..end).unwrap_or_default().trim_end_matches('-')
}

fn is_top_level(label: &str) -> bool {
    let letters = label.chars().count() >= 2 && label.chars().all(char::is_alphabetic);
    let encoded = label.len() > 4 && label.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("xn--"));
    encoded || (letters && !FILES.iter().any(|f| label.eq_ignore_ascii_case(f)))
}
