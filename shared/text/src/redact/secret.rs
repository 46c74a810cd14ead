//! Secrets that tell by their name what they are: `password=…`, `"api_key": "…"`, `Authorization: Bearer …`, `https://user:password@host`.
//!
//! Technical text is full of such names without a secret behind them (`token = get_token()`,
//! `password: string`, `api_key=YOUR_API_KEY`), so the value must look like one.

use super::Kind;
use super::bytes::{Hit, before, byte, has_ignoring_case, is_word, placeholder_end, run};

/// How much the name says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A password: any value will do that is not code.
    Password,
    /// A key or token: made by a machine, so it has digits and is long.
    Key,
    /// A secret only inside the query of a URL.
    InQuery,
}

/// Where the text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Written by people, with code and documentation in it.
    Text,
    /// The path of a request.
    Path,
    /// A link: its query holds real values.
    Url,
}

/// Endings of names of passwords, in lower case, without `_` and `-`.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "passwort", "kennwort", "secret", "motdepasse", "senha"];
/// Endings of names of keys and tokens.
const KEYS: &[&str] = &[
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "subscriptionkey",
    "appkey",
    "applicationkey",
    "consumerkey",
    "sessionkey",
    "signature",
    "sessionid",
    "sessid",
    "authorization",
    "credential",
];
/// Whole names.
const EXACT: &[(&str, Name)] = &[
    ("pass", Name::Password),
    ("dbpass", Name::Password),
    ("userpass", Name::Password),
    ("cvv", Name::Password),
    ("cvc", Name::Password),
    ("cvv2", Name::Password),
    ("key", Name::InQuery),
    ("sig", Name::InQuery),
    ("code", Name::InQuery),
    ("auth", Name::InQuery),
    ("pw", Name::InQuery),
    ("sid", Name::InQuery),
    ("session", Name::InQuery),
    ("jwt", Name::InQuery),
];
/// Tokens that open nothing: they turn pages.
const NO_SECRETS: &[&str] = &["pagetoken", "nexttoken", "synctoken", "continuationtoken", "pagingtoken", "csrftoken", "requesttoken"];
/// Values that stand for the absence of one, or for its type.
const LITERALS: &[&str] = &[
    "null",
    "none",
    "true",
    "false",
    "undefined",
    "nil",
    "string",
    "required",
    "optional",
    "empty",
    "value",
    "self",
    "this",
    "text",
    "hidden",
    "redacted",
    "changeme",
    "example",
    "invalid",
    "missing",
    "expired",
    "wrong",
    "incorrect",
    "string,",
    "bytes",
    "basic",
    "bearer",
    "varchar",
];

const LONGEST_NAME: usize = 40;
const LONGEST_VALUE: usize = 512;
/// Nobody types a longer password.
const LONGEST_PASSWORD: usize = 128;

/// The secret assigned by the `=` or `:` at `at`.
pub(super) fn assigned(bytes: &[u8], at: usize, floor: usize, place: Place) -> Option<Hit> {
    let (name_start, name_end) = name_before(bytes, at, floor)?;
    let (name, authorization) = name_of(bytes.get(name_start..name_end)?)?;
    let sign = before(bytes, name_start);
    let in_query =
        (matches!(sign, b'?' | b'&' | b'#') || (sign == b';' && place != Place::Text)) && name_end == at && byte(bytes, at) == b'=';
    if name == Name::InQuery && !in_query {
        return None;
    }
    let mut value = Value::after(bytes, at, in_query)?;
    if authorization {
        value = value.without_scheme(bytes);
    }
    let text = bytes.get(value.start..value.end)?;
    let found = if placeholder_end(bytes, value.start).is_some() || stands_for_a_value(text) {
        false
    } else if in_query && place == Place::Url {
        !text.is_empty()
    } else {
        match name {
            Name::Password => value.is_password(bytes, text, bytes.get(name_start..name_end)?, byte(bytes, at) == b'=' && name_end == at),
            Name::Key => text.len() >= 8 && (is_made(text) || (in_query && text.len() >= 16)),
            Name::InQuery => text.len() >= 16 && is_made(text),
        }
    };
    let kind = if authorization { Kind::Token } else { Kind::Secret };
    found.then(|| Hit::new(kind, value.start, value.end))
}

/// The name before an assignment: `name`, `"name"`, `['name']`, `name :`.
fn name_before(bytes: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let mut end = at;
    while end > floor && at - end < 4 && matches!(byte(bytes, end - 1), b' ' | b'"' | b'\'' | b'`' | b']' | b'\\' | b':') {
        end -= 1;
    }
    let far = floor.max(end.saturating_sub(LONGEST_NAME));
    let start = (far..end).rev().find(|i| !is_word(byte(bytes, *i)) && byte(bytes, *i) != b'-').map_or(far, |i| i + 1);
    (start < end).then_some((start, end))
}

/// What a name says, and whether it is that of an authorisation header.
fn name_of(name: &[u8]) -> Option<(Name, bool)> {
    // Most names are none: the last letter tells.
    if !matches!(name.last()? | 0x20, b'a' | b'c' | b'd' | b'e' | b'g' | b'h' | b'l' | b'n' | b's' | b't' | b'w' | b'y' | b'2') {
        return None;
    }
    let mut buffer = [0_u8; LONGEST_NAME];
    let mut length = 0;
    for b in name.iter().filter(|b| !matches!(b, b'_' | b'-')) {
        *buffer.get_mut(length)? = b.to_ascii_lowercase();
        length += 1;
    }
    let plain = std::str::from_utf8(&buffer[..length]).ok()?;
    let ends = |list: &[&str]| list.iter().any(|e| plain.ends_with(e));
    let name = if ends(PASSWORDS) || name.ends_with(b"_pass") || name.ends_with(b"_PASS") {
        Name::Password
    } else if ends(KEYS) && !ends(NO_SECRETS) {
        Name::Key
    } else {
        EXACT.iter().find(|(exact, _)| *exact == plain)?.1
    };
    Some((name, plain.ends_with("authorization")))
}

/// An assigned value, without its quotes.
#[derive(Clone, Copy)]
struct Value {
    start: usize,
    end: usize,
    quoted: bool,
}

impl Value {
    fn after(bytes: &[u8], at: usize, in_query: bool) -> Option<Self> {
        let comparison = matches!(before(bytes, at), b'=' | b'!' | b'<' | b'>')
            || matches!(byte(bytes, at + 1), b'=' | b'/')
            || bytes.get(at..at + 2) == Some(b"::");
        if comparison {
            return None;
        }
        if in_query {
            let end = run(bytes, at + 1, LONGEST_VALUE, |b| {
                b.is_ascii_graphic() && !matches!(b, b'&' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b')' | b']' | b'\\')
            });
            return Some(Self { start: at + 1, end, quoted: false });
        }
        let mut start = at + 1 + usize::from(byte(bytes, at + 1) == b'>');
        start = run(bytes, start, 2, |b| b == b' ');
        start += usize::from(byte(bytes, start) == b'\\');
        let quote = byte(bytes, start);
        if matches!(quote, b'"' | b'\'' | b'`') {
            let end = run(bytes, start + 1, LONGEST_VALUE, |b| b != quote && b != b'\n' && b != b'\\');
            return (end < bytes.len()).then_some(Self { start: start + 1, end, quoted: true });
        }
        let end = run(bytes, start, LONGEST_VALUE, |b| {
            b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'&' | b')' | b']' | b'}' | b'(')
        });
        let end = (start..end).rev().find(|i| byte(bytes, *i) != b'.').map_or(start, |i| i + 1);
        Some(Self { start, end, quoted: false })
    }

    /// `Bearer abc` is a scheme and a value.
    fn without_scheme(self, bytes: &[u8]) -> Self {
        let word = run(bytes, self.start, 20, |b| b.is_ascii_alphabetic());
        if byte(bytes, word) != b' ' || word == self.start {
            return self;
        }
        let end = if self.quoted { self.end } else { run(bytes, word + 1, LONGEST_VALUE, is_token) };
        Self { start: word + 1, end, ..self }
    }

    fn is_password(self, bytes: &[u8], text: &[u8], name: &[u8], tight: bool) -> bool {
        if text.len() > LONGEST_PASSWORD {
            return false;
        }
        let has = |is: fn(&u8) -> bool| text.iter().any(is);
        let (letter, digit) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
        let sign = text.iter().any(|b| matches!(b, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'+'));
        let first = text.first().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'@' | b'#' | b'^' | b'*' | b'_'));
        if !first || text.contains(&b' ') || text.eq_ignore_ascii_case(name) || byte(bytes, self.end) == b'(' {
            return false;
        }
        if letter && (digit || sign) {
            // `user.password2` is code as long as nothing else is in it.
            return text.len() >= 4 && (self.quoted || sign || !text.contains(&b'.'));
        }
        if digit {
            return text.len() >= if tight || self.quoted { 3 } else { 6 };
        }
        let about_itself = ["pass", "secret", "token", "key"].iter().any(|w| contains_ignoring_case(text, w.as_bytes()));
        let word = text.len() >= 6 && !about_itself && text.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'));
        word && (self.quoted || (tight && !matches!(byte(bytes, self.end), b')' | b',')))
    }
}

/// `YOUR_API_KEY`, `<token>`, `${TOKEN}`, `xxxx`, `****` and `null` keep the place of a value.
fn stands_for_a_value(text: &[u8]) -> bool {
    let Some(first) = text.first() else { return true };
    let encoded = *first == b'%' && text.get(1..3).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit));
    let marked = matches!(first, b'<' | b'{' | b'$' | b'[' | b'(' | b'%' | b'&') && !encoded;
    let masked = text.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'#' | b'?'));
    let named = ["your", "my_", "my-", "xxx", "...", "insert", "replace"].iter().any(|w| has_ignoring_case(text, 0, w.as_bytes()));
    marked || masked || named || LITERALS.iter().any(|l| text.eq_ignore_ascii_case(l.as_bytes()))
}

/// Whether a machine made it: digits and letters, or many of one; nothing that code has.
fn is_made(text: &[u8]) -> bool {
    let usual = text.iter().all(|b| is_token(*b) || matches!(b, b'%' | b':' | b'|' | b'!' | b'*' | b'@' | b'$' | b'\\'));
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    let upper = text.iter().filter(|b| b.is_ascii_uppercase()).count();
    let mixed = text.len() >= 24 && upper >= 4 && upper < text.len() && !text.contains(&b'.');
    usual && (digits >= 2 || mixed)
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

fn contains_ignoring_case(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}

/// `Bearer abc123…` and `Basic dXNlcjpw…` wherever they stand; `at` is the first letter.
pub(super) fn scheme(bytes: &[u8], at: usize) -> Option<Hit> {
    let word = [&b"bearer"[..], b"basic"].into_iter().find(|w| has_ignoring_case(bytes, at, w))?;
    let space = at + word.len();
    let start = run(bytes, space, 2, |b| b == b' ' || b == b':');
    let end = run(bytes, start, LONGEST_VALUE, is_token);
    let end = (start..end).rev().find(|i| byte(bytes, *i) != b'.').map_or(start, |i| i + 1);
    let text = bytes.get(start..end)?;
    let padded = text.ends_with(b"=") && text.len() >= 8 && !text.contains(&b'.');
    let long = text.len() >= if word == b"basic" { 12 } else { 8 };
    let found = start > space && !stands_for_a_value(text) && ((long && is_made(text)) || padded);
    found.then(|| Hit::new(Kind::Token, start, end))
}

/// `my password is Tr0ub4dor`; `at` is the first letter of the word.
pub(super) fn told(bytes: &[u8], at: usize) -> Option<Hit> {
    let word = [&b"password"[..], b"passwort", b"passphrase", b"pwd"].into_iter().find(|w| has_ignoring_case(bytes, at, w))?;
    let verb = [&b" is "[..], b" was ", b" ist ", b" est ", b" es "].into_iter().find(|v| has_ignoring_case(bytes, at + word.len(), v))?;
    let start = at + word.len() + verb.len();
    let start = start + usize::from(matches!(byte(bytes, start), b'"' | b'\'' | b'`'));
    let end = run(bytes, start, 128, |b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b')'));
    let end = (start..end).rev().find(|i| byte(bytes, *i) != b'.').map_or(start, |i| i + 1);
    let text = bytes.get(start..end)?;
    let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    (text.len() >= 6 && mixed && !stands_for_a_value(text)).then(|| Hit::new(Kind::Secret, start, end))
}

/// `-u name:password` and `--password value` on a command line; `at` is the first dash.
pub(super) fn option(bytes: &[u8], at: usize) -> Option<Hit> {
    if !matches!(before(bytes, at), 0 | b' ' | b'\n' | b'\t' | b'`' | b'"' | b'\'') {
        return None;
    }
    let flag = [&b"-u "[..], b"--user ", b"--password ", b"--token ", b"--api-key "]
        .into_iter()
        .find(|f| bytes.get(at..at + f.len()) == Some(*f))?;
    let start = at + flag.len();
    let start = start + usize::from(matches!(byte(bytes, start), b'"' | b'\''));
    let end = run(bytes, start, LONGEST_VALUE, |b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>'));
    let text = bytes.get(start..end)?;
    let user = flag == b"-u " || flag == b"--user ";
    let password = if user { text.iter().position(|b| *b == b':').and_then(|c| text.get(c + 1..))? } else { text };
    let usual = password.len() >= 4 && !stands_for_a_value(text) && !stands_for_a_value(password) && !password.starts_with(b"-");
    usual.then(|| Hit::new(Kind::Secret, end - password.len(), end))
}

/// The user and password, or a long token, between `//` and `@`; `colon` is the colon before `//`.
pub(super) fn url_credentials(bytes: &[u8], colon: usize) -> Option<Hit> {
    if bytes.get(colon..colon + 3) != Some(b"://") {
        return None;
    }
    let (start, end) = user_information(bytes, colon + 3 + usize::from(byte(bytes, colon + 3) == b'/'))?;
    let text = bytes.get(start..end)?;
    let password = text.iter().position(|b| *b == b':').is_some_and(|c| c + 1 < text.len());
    let token = text.len() >= 16 && text.iter().any(u8::is_ascii_digit);
    let found = (password || token) && placeholder_end(bytes, start) != Some(end) && !matches!(text.first(), Some(b'<' | b'{' | b'$'));
    found.then(|| Hit::new(Kind::UrlCredentials, start, end))
}

/// What stands before the last `@` of the authority that starts at `start`.
pub(super) fn user_information(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let end = run(bytes, start, 512, |b| {
        b > b' ' && !matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b',' | b'[' | b']')
    });
    let at = bytes.get(start..end)?.iter().rposition(|b| *b == b'@')?;
    (at > 0).then_some((start, start + at))
}
