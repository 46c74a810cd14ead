//! One pass over a text: each byte that something can start with goes to the finders that know it.
//!
//! Every finder looks at a bounded stretch, or at a run of bytes that the pass then skips, so the
//! whole takes time proportional to the length of the text.

use super::bytes::{Groups, Hit, before, byte, is_word, placeholder_end, run, separator};
use super::context::Context;
use super::keys::{self, Formats};
use super::names::Names;
use super::secret::{self, Place};
use super::{Kind, card, email, iban, ip, national_id, phone};

/// A pass over one text.
pub(super) struct Scan<'s> {
    text: &'s str,
    bytes: &'s [u8],
    formats: &'s Formats,
    names: Option<&'s Names>,
    place: Place,
    hits: Vec<Hit>,
}

impl<'s> Scan<'s> {
    pub(super) fn new(text: &'s str, formats: &'s Formats, names: Option<&'s Names>, place: Place) -> Self {
        Self { text, bytes: text.as_bytes(), formats, names, place, hits: Vec::new() }
    }

    /// All hits, in order, without overlap.
    pub(super) fn run(mut self) -> Vec<Hit> {
        let mut at = 0;
        while let Some(b) = self.bytes.get(at) {
            at = match b {
                b'a'..=b'z' | b'A'..=b'Z' => self.word(at),
                b'0'..=b'9' => self.number(at),
                b'@' | b'%' | b'+' | b'(' | b':' | b'=' | b'-' | b'[' | b'~' => self.sign(at, *b),
                0x80.. => self.foreign(at),
                _ => at + 1,
            };
        }
        self.hits
    }

    /// Where the last hit ended: nothing reaches back over it.
    fn floor(&self) -> usize {
        self.hits.last().map_or(0, |h| h.end)
    }

    /// Notes a hit and goes on behind it, or goes on at `otherwise`.
    fn take(&mut self, hit: Option<Hit>, otherwise: usize) -> usize {
        let Some(mut hit) = hit else { return otherwise };
        // What looks like a name or a number can be the beginning of an address.
        if matches!(hit.kind, Kind::Name | Kind::Phone | Kind::Card | Kind::NationalId)
            && let Some(address) = email::ahead(self.text, hit.start, self.floor())
        {
            hit = address;
        }
        match self.hits.last_mut() {
            Some(last) if last.kind == Kind::Name && hit.kind == Kind::Name && is_space(self.bytes, last.end, hit.start) => {
                last.end = hit.end
            }
            _ => self.hits.push(hit),
        }
        hit.end
    }

    fn word(&mut self, at: usize) -> usize {
        let end = run(self.bytes, at, usize::MAX, |b| b.is_ascii_alphanumeric());
        let name = self.names.and_then(|n| n.find(self.text, at)).map(|end| Hit::new(Kind::Name, at, end));
        let hit = name.or_else(|| keys::aws_secret(self.bytes, at, end, self.floor())).or_else(|| self.in_word(at, end));
        self.take(hit, end)
    }

    /// What can start with a letter.
    fn in_word(&self, at: usize, end: usize) -> Option<Hit> {
        let bytes = self.bytes;
        let length = end - at;
        let second = byte(bytes, at + 1);
        let key = self.formats.find(bytes, at);
        if key.is_some() || before(bytes, at) == b'_' {
            return key;
        }
        match byte(bytes, at) | 0x20 {
            b'e' if second == b'y' => keys::jwt(bytes, at),
            b'b' if matches!(length, 5 | 6) => secret::scheme(bytes, at),
            b'p' if matches!(length, 3 | 8 | 10) => secret::told(bytes, at),
            b'h' | b'd' | b'o' if length >= 5 => keys::webhook(bytes, at),
            _ => None,
        }
        .or_else(|| (length <= 4 && self.bytes.get(at..end)?.iter().all(u8::is_ascii_hexdigit)).then(|| self.hexadecimal(at)).flatten())
        .or_else(|| (byte(bytes, at + 2).is_ascii_digit() && second.is_ascii_alphabetic()).then(|| iban::find(bytes, at)).flatten())
        .or_else(|| (length <= 9).then(|| national_id::insurance(bytes, at, || self.context(at, end))).flatten())
    }

    /// IPv6 and MAC addresses, which start with one to four hex digits.
    fn hexadecimal(&self, at: usize) -> Option<Hit> {
        let end = run(self.bytes, at, 5, |b| b.is_ascii_hexdigit());
        match (byte(self.bytes, end), end - at) {
            (b':', 2) => ip::mac(self.bytes, at, |end| self.context(at, end)).or_else(|| ip::v6(self.bytes, at)),
            (b':', 1..=4) => ip::v6(self.bytes, at),
            (b'-', 2) | (b'.', 4) => ip::mac(self.bytes, at, |end| self.context(at, end)),
            _ => None,
        }
    }

    fn number(&mut self, at: usize) -> usize {
        let end = run(self.bytes, at, usize::MAX, |b| b.is_ascii_alphanumeric());
        let left = before(self.bytes, at);
        let pairs = end == at + 2 && matches!(byte(self.bytes, end), b'-' | b':');
        let address = if pairs { ip::mac(self.bytes, at, |end| self.context(at, end)) } else { None };
        let found = || self.in_number(at).or_else(|| self.hexadecimal(at)).or_else(|| keys::aws_secret(self.bytes, at, end, self.floor()));
        let hit = if left == b'_' { None } else { address.or_else(found) };
        self.take(hit, end)
    }

    /// What can start with a digit.
    fn in_number(&self, at: usize) -> Option<Hit> {
        let bytes = self.bytes;
        let groups = Groups::read(bytes, at);
        let (total, sep) = (groups.digits(groups.len), groups.sep(1));
        let inside = self.goes_on_from(at);
        if sep == b'.'
            && inside != Some(b'.')
            && groups.len >= 4
            && let Some(hit) = ip::v4(bytes, &groups, |end| self.context(at, end))
        {
            return Some(hit);
        }
        if groups.len == 1 && self.place == Place::Text && inside.is_none() {
            let hit = phone::set_apart(bytes, at, groups.end(0), |end| self.context(at, end));
            if hit.is_some() {
                return hit;
            }
        }
        // A sign or a decimal point before it makes it a quantity.
        let quantity = matches!(before(bytes, at), b'-' | b'.') && inside_quantity(bytes, at);
        if total < 7 || quantity {
            return None;
        }
        let here = || self.context(at, groups.end(groups.len - 1));
        card::find(bytes, &groups, here).or_else(|| self.personal_number(&groups, inside))
    }

    fn personal_number(&self, groups: &Groups, inside: Option<u8>) -> Option<Hit> {
        // The later groups of a number are no number of their own, unless they are joined in another way.
        let own = inside.is_none_or(|left| left == b' ' && matches!(groups.sep(1), b'-' | b'.'));
        if self.place != Place::Text || !own {
            return None;
        }
        let context = |end| self.context(groups.start(0), end);
        national_id::find(self.bytes, groups, || context(groups.end(0))).or_else(|| phone::national(self.bytes, groups, context))
    }

    /// The separator before `at`, where a digit stands before that and was not taken.
    fn goes_on_from(&self, at: usize) -> Option<u8> {
        let floor = self.floor();
        (1..=3).find_map(|width| {
            let start = at.checked_sub(width).filter(|s| *s > floor)?;
            let (length, kind) = separator(self.bytes, start)?;
            (length == width && before(self.bytes, start).is_ascii_digit()).then_some(kind)
        })
    }

    fn context(&self, at: usize, end: usize) -> Context {
        if self.place == Place::Text { Context::around(self.bytes, at, end) } else { Context::default() }
    }

    fn sign(&mut self, at: usize, b: u8) -> usize {
        let (bytes, floor) = (self.bytes, self.floor());
        let next = byte(bytes, at + 1);
        let hit = match b {
            b'@' => email::find(self.text, at, 1, floor),
            b'%' if next == b'4' && byte(bytes, at + 2) == b'0' => email::find(self.text, at, 3, floor),
            b'%' if next == b'2' && byte(bytes, at + 2) | 0x20 == b'b' => self.plus(at, at + 3),
            b'+' => self.plus(at, at + 1),
            b'(' if self.place == Place::Text => phone::bracketed(bytes, at, |end| self.context(at, end)),
            b':' if next == b'/' => secret::url_credentials(bytes, at),
            b':' if next == b':' && !is_word(before(bytes, at)) => ip::v6(bytes, at),
            b':' => telegram(bytes, at, floor).or_else(|| self.assigned(at)),
            b'=' => self.assigned(at),
            b'-' if next == b'-' => keys::private_key(bytes, at).or_else(|| secret::option(bytes, at)),
            b'-' if next == b'u' => secret::option(bytes, at),
            b'[' => return placeholder_end(bytes, at).unwrap_or(at + 1),
            b'~' => keys::azure_secret(bytes, at, floor),
            _ => None,
        };
        self.take(hit, at + 1)
    }

    fn plus(&self, start: usize, at: usize) -> Option<Hit> {
        let free = !is_word(before(self.bytes, start)) && !matches!(before(self.bytes, start), b'+' | b')');
        let digits = byte(self.bytes, at).is_ascii_digit() || byte(self.bytes, at) == b'(';
        (free && digits).then(|| phone::international(self.bytes, start, at)).flatten()
    }

    /// The more telling kind, where the value is of a known form.
    fn assigned(&self, at: usize) -> Option<Hit> {
        let hit = secret::assigned(self.bytes, at, self.floor(), self.place)?;
        let known = self.formats.find(self.bytes, hit.start).or_else(|| keys::jwt(self.bytes, hit.start));
        Some(known.filter(|k| k.end >= hit.end).unwrap_or(hit))
    }

    /// A letter outside of ASCII: only names start with one.
    fn foreign(&mut self, at: usize) -> usize {
        let next = run(self.bytes, at + 1, 3, |b| (b & 0xC0) == 0x80);
        let name = self.names.and_then(|n| n.find(self.text, at)).map(|end| Hit::new(Kind::Name, at, end));
        self.take(name, next)
    }
}

/// Whether only white space lies between two places.
fn is_space(bytes: &[u8], from: usize, to: usize) -> bool {
    bytes.get(from..to).is_some_and(|b| b.len() <= 2 && b.iter().all(u8::is_ascii_whitespace))
}

/// `-123` and `0.123`: the sign or point before `at` belongs to a quantity, not to groups of digits.
fn inside_quantity(bytes: &[u8], at: usize) -> bool {
    let (sign, left) = (before(bytes, at), before(bytes, at - 1));
    if sign == b'-' { matches!(left, 0 | b' ' | b'_' | b'(' | b'=' | b',' | b'[' | b':') } else { left.is_ascii_digit() }
}

/// The token of a Telegram bot: eight to ten digits, a colon and 35 characters. `colon` is the colon.
fn telegram(bytes: &[u8], colon: usize, floor: usize) -> Option<Hit> {
    let start = (floor..colon).rev().take(11).take_while(|i| byte(bytes, *i).is_ascii_digit()).last()?;
    let end = run(bytes, colon + 1, 36, |b| is_word(b) || b == b'-');
    let fits = (8..=10).contains(&(colon - start)) && end == colon + 36 && !is_word(byte(bytes, end));
    fits.then(|| Hit::new(Kind::CloudKey, start, end))
}
