//! Telephone numbers: international, North American, and national forms.
//!
//! A number alone says little, so the rules are as strict as the form is loose: an international
//! prefix or a familiar grouping is enough; anything else needs a word about telephones nearby.

use super::Kind;
use super::bytes::{Groups, Hit, before, byte, has_ignoring_case, is_word, run};
use super::context::Context;

/// Most digits of an international number (ITU-T E.164).
const MOST_DIGITS: usize = 15;
const LEAST_DIGITS: usize = 8;

/// `+`, or `00` where groups follow, then a country and its number. `at` is the first digit or bracket after it.
pub(super) fn international(bytes: &[u8], start: usize, at: usize) -> Option<Hit> {
    let mut here = at + usize::from(byte(bytes, at) == b'(');
    let (mut digits, mut len) = ([0_u8; MOST_DIGITS], 0);
    let mut end = at;
    loop {
        let stop = run(bytes, here, MOST_DIGITS + 1, |b| b.is_ascii_digit());
        let group = bytes.get(here..stop)?;
        // A single digit after a whole number belongs to something else.
        let rest = len >= 10 && group.len() == 1;
        let Some(room) = digits.get_mut(len..len + group.len()).filter(|_| !rest && !group.is_empty()) else { break };
        room.copy_from_slice(group);
        len += group.len();
        end = stop;
        here = between_groups(bytes, stop);
        if here == stop || (digits[0] == b'1' && len >= 11) {
            break;
        }
    }
    let end = extension(bytes, end + usize::from(byte(bytes, end) == b')' && byte(bytes, at) == b'(' && len < 4));
    let plausible = (LEAST_DIGITS..=MOST_DIGITS).contains(&len) && is_country(&digits);
    let plausible = plausible && (digits[0] != b'1' || (len == 11 && digits[1] >= b'2'));
    (plausible && !is_word(byte(bytes, end))).then(|| Hit::new(Kind::Phone, start, end))
}

/// Skips what may stand between two groups of an international number: up to three of space, dash, dot, slash and brackets.
fn between_groups(bytes: &[u8], at: usize) -> usize {
    let end = run(bytes, at, 3, |b| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
    let end = if end == at && bytes.get(at..at + 2) == Some(&[0xC2, 0xA0]) { at + 2 } else { end };
    if byte(bytes, end).is_ascii_digit() { end } else { at }
}

/// Whether the digits start with a country code that is in use.
fn is_country(digits: &[u8]) -> bool {
    let d = |i: usize| digits.get(i).map_or(0, |b| b.wrapping_sub(b'0'));
    match d(0) {
        1 | 7 => true,
        2 => matches!(d(1), 0 | 7) || (matches!(d(1), 1..=6 | 9) && d(1) != 8),
        3 => true,
        4 => d(1) != 2 || matches!(d(2), 0 | 1 | 3),
        5 => true,
        6 => matches!(d(1), 0..=6) || matches!(d(1), 7..=9),
        8 => matches!(d(1), 1 | 2 | 4 | 6) || (matches!(d(1), 0 | 5 | 7 | 8) && d(2) != 9),
        9 => matches!(d(1), 0..=5 | 8) || (matches!(d(1), 6 | 7 | 9) && d(2) != 9),
        _ => false,
    }
}

/// The end of an extension such as `x123`, ` ext. 12`, where one follows.
fn extension(bytes: &[u8], end: usize) -> usize {
    let at = end + usize::from(byte(bytes, end) == b' ');
    let word = [&b"extension"[..], b"ext.", b"ext", b"x", b"#"].into_iter().find(|w| has_ignoring_case(bytes, at, w));
    let Some(word) = word else { return end };
    let digits = run(bytes, at + word.len(), 1, |b| b == b' ');
    let stop = run(bytes, digits, 6, |b| b.is_ascii_digit());
    if stop > digits { stop } else { end }
}

/// `(415) 555-0132` and `(37) 788-063`: `at` is the bracket.
pub(super) fn bracketed(bytes: &[u8], at: usize, context: impl Fn(usize) -> Context) -> Option<Hit> {
    let close = run(bytes, at + 1, 5, |b| b.is_ascii_digit());
    let area = close - at - 1;
    if byte(bytes, close) != b')' || !(2..=5).contains(&area) || is_word(before(bytes, at)) {
        return None;
    }
    let from = close + 1 + usize::from(byte(bytes, close + 1) == b' ');
    let groups = Groups::read(bytes, from);
    let american = area == 3 && byte(bytes, at + 1) >= b'2' && groups.size(0) == 3 && groups.size(1) == 4;
    if american {
        return ends_at(bytes, at, extension(bytes, groups.end(1)));
    }
    let count = groups.alike();
    let digits = area + groups.digits(count);
    let trunk = byte(bytes, at + 1) == b'0' && count >= 1 && (9..=12).contains(&digits);
    let end = groups.end(count.checked_sub(1)?);
    let plausible = (7..=12).contains(&digits) && (0..count).all(|i| groups.size(i) >= 2);
    (plausible && (trunk || context(end).phone)).then(|| ends_at(bytes, at, end)).flatten()
}

/// A national number that starts with the first group.
pub(super) fn national(bytes: &[u8], groups: &Groups, context: impl Fn(usize) -> Context) -> Option<Hit> {
    let start = groups.start(0);
    if let Some(end) = american(bytes, groups, &context) {
        return ends_at(bytes, start, end);
    }
    if groups.len >= 3 && byte(bytes, start) == b'0' && byte(bytes, start + 1) == b'0' && groups.digits(groups.len) >= 10 {
        return international(bytes, start, start + 2);
    }
    let count = joined(bytes, groups)?;
    let digits = groups.digits(count);
    let end = groups.end(count - 1);
    if is_date(bytes, groups, count) || digits > 13 {
        return None;
    }
    let first = byte(bytes, start);
    let trunk = trunk_first(bytes, start) && (9..=11).contains(&digits) && count >= 2;
    // Two groups with a space or a dot are as well two numbers, or a fraction.
    let familiar = trunk && (count >= 3 || matches!(groups.sep(1), b'-' | b'/')) && (2..=5).contains(&groups.size(0));
    let least = if count == 1 { 8 } else { 7 };
    // An id in the path of a URL.
    let in_path = count == 1 && before(bytes, start) == b'/';
    // Nobody writes a quantity or an id with a leading 0 and ten digits after it.
    let whole = trunk_alone(bytes, groups, count) && !in_path;
    let loose = digits >= least && !in_path && (count != 2 || groups.sep(1) != b'.') && !(count == 1 && digits == 10 && first == b'1');
    let called = trunk_first(bytes, start) && (9..=12).contains(&digits) && !in_path && count <= 2 && !row_of_digits(bytes, start);
    if !familiar && !loose && !whole && !called {
        return None;
    }
    let around = context(end);
    let hit = (familiar && !around.version)
        || (whole && !around.version && !around.thing)
        || (called && around.calling && !around.version)
        || (loose && (says_phone(around) || (count >= 2 && around.maybe_phone)));
    hit.then(|| ends_at(bytes, start, end)).flatten()
}

/// `05321234567`: a trunk 0 and ten digits, or with dashes `0-532-123-45-67`; not the row of all digits.
fn trunk_alone(bytes: &[u8], groups: &Groups, count: usize) -> bool {
    let start = groups.start(0);
    let dashed = groups.size(0) == 1 && count >= 4 && groups.sep(1) == b'-';
    let second = byte(bytes, if dashed { groups.start(1) } else { start + 1 });
    let known = byte(bytes, start) == b'0' && second != b'0' && groups.digits(count) == 11;
    known && (count == 1 || dashed) && !row_of_digits(bytes, start)
}

/// A leading 0 that is no second one: what is dialled before an area code at home.
fn trunk_first(bytes: &[u8], start: usize) -> bool {
    byte(bytes, start) == b'0' && byte(bytes, start + 1) != b'0'
}

/// The example that everybody types.
fn row_of_digits(bytes: &[u8], start: usize) -> bool {
    bytes.get(start..start + 5) == Some(b"01234")
}

/// `089 / 1234567` and `030 - 90 18 20`: an area code, a sign with spaces around it, a number. `at` is the leading 0, and
/// `end` is behind the area code. Ranges and fractions look so too, hence a word about telephones is needed.
pub(super) fn set_apart(bytes: &[u8], at: usize, end: usize, context: impl Fn(usize) -> Context) -> Option<Hit> {
    let sign = matches!(bytes.get(end..end + 3), Some(b" / " | b" - "));
    if !sign || !trunk_first(bytes, at) || !(3..=5).contains(&(end - at)) {
        return None;
    }
    let groups = Groups::read(bytes, end + 3);
    let count = groups.alike();
    let digits = end - at + groups.digits(count);
    let stop = groups.end(count.checked_sub(1)?);
    let plausible = (9..=12).contains(&digits) && (0..count).all(|i| groups.size(i) >= 2);
    if !plausible {
        return None;
    }
    let around = context(stop);
    ((around.phone || around.calling) && !around.version).then(|| ends_at(bytes, at, stop)).flatten()
}

fn says_phone(context: Context) -> bool {
    context.phone && !context.version
}

/// `415-555-0132`, `1-415-555-0132 x12`, `415.555.0132`; the end of it.
fn american(bytes: &[u8], groups: &Groups, context: impl Fn(usize) -> Context) -> Option<usize> {
    let lead = usize::from(groups.size(0) == 1 && byte(bytes, groups.start(0)) == b'1');
    let shape = groups.size(lead) == 3 && groups.size(lead + 1) == 3 && groups.size(lead + 2) == 4;
    let sep = groups.sep(lead + 1);
    if !shape || sep == b'/' || groups.sep(lead + 2) != sep || byte(bytes, groups.start(lead)) < b'2' {
        return None;
    }
    // The column of a table can look so: then the exchange must be possible too, and the number stand alone.
    let end = groups.end(lead + 2);
    let spaced = sep == b' ' && (byte(bytes, groups.start(lead + 1)) < b'2' || groups.sep(lead + 3) == b' ');
    let longer = sep != b' ' && groups.sep(lead + 3) == sep;
    (!longer && (!spaced || says_phone(context(end)))).then(|| extension(bytes, end))
}

/// How many groups make one number: joined alike, or an area code joined by a dash or slash and the rest alike.
fn joined(bytes: &[u8], groups: &Groups) -> Option<usize> {
    let alike = groups.alike();
    let mixed = (3..groups.len).find(|i| groups.sep(*i) != groups.sep(2)).unwrap_or(groups.len);
    let area_first = matches!(groups.sep(1), b'-' | b'/') && groups.sep(2) == b' ' && byte(bytes, groups.start(0)) == b'0';
    let count = if area_first && groups.digits(alike) < 9 { mixed } else { alike };
    let trunk = |i: usize| i == 0 && groups.sep(1) == b'-' && groups.size(0) == 1 && byte(bytes, groups.start(0)) == b'0';
    let sizes_fit = (0..count).all(|i| (2..=8).contains(&groups.size(i)) || trunk(i) || (count == 1 && groups.size(i) <= 12));
    (sizes_fit && !(alike < count && groups.sep(1) == b' ') && (groups.sep(2) != b'/' || count < 3)).then_some(count)
}

/// Year, month and day in any order.
fn is_date(bytes: &[u8], groups: &Groups, count: usize) -> bool {
    let value = |i| groups.value(bytes, i).unwrap_or(u32::MAX);
    let day_or_month = |i| groups.size(i) <= 2 && (1..=31).contains(&value(i));
    let year = |i| groups.size(i) == 4 && (1900..=2100).contains(&value(i));
    match count {
        2 => year(0) || year(1),
        3.. => {
            (year(0) && day_or_month(1) && day_or_month(2))
                || (day_or_month(0) && day_or_month(1) && (year(2) || day_or_month(2) && count == 3))
        }
        _ => false,
    }
}

fn ends_at(bytes: &[u8], start: usize, end: usize) -> Option<Hit> {
    let b = byte(bytes, end);
    let goes_on = is_word(b) || (matches!(b, b'.' | b':') && byte(bytes, end + 1).is_ascii_digit());
    (!goes_on).then(|| Hit::new(Kind::Phone, start, end))
}
