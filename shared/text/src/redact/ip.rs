//! Addresses of machines: IPv4, IPv6 and MAC.
//!
//! Addresses that name no machine in particular (loopback, unspecified, netmasks and broadcast)
//! stay: they say nothing about anybody, and technical text needs them.

use std::net::Ipv6Addr;

use super::Kind;
use super::bytes::{Groups, Hit, before, byte, is_word, run};
use super::context::Context;

/// Longest text of an IPv6 address.
const LONGEST_V6: usize = 45;

/// Four numbers up to 255 that start with the first group, and are not a version.
pub(super) fn v4(bytes: &[u8], groups: &Groups, context: impl Fn(usize) -> Context) -> Option<Hit> {
    let start = groups.start(0);
    let end = with_prefix_length(bytes, start, groups.end(3));
    let octets = v4_octets(bytes, groups)?;
    if names_no_machine(octets) || is_version(bytes, start, end, octets, &context) {
        return None;
    }
    Some(Hit::new(Kind::Ip, start, end))
}

/// `/24` after an address belongs to it, unless it is the path of a URL.
fn with_prefix_length(bytes: &[u8], start: usize, end: usize) -> usize {
    let stop = run(bytes, end + 1, 3, |b| b.is_ascii_digit());
    let belongs = byte(bytes, end) == b'/'
        && stop > end + 1
        && !is_word(byte(bytes, stop))
        && byte(bytes, stop) != b'/'
        && before(bytes, start) != b'/';
    if belongs { stop } else { end }
}

fn v4_octets(bytes: &[u8], groups: &Groups) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    for (i, octet) in octets.iter_mut().enumerate() {
        let zero_first = groups.size(i) > 1 && byte(bytes, groups.start(i)) == b'0';
        let value = groups.value(bytes, i).filter(|_| groups.size(i) > 0 && !zero_first)?;
        *octet = u8::try_from(value).ok()?;
    }
    let dotted = (1..4).all(|i| groups.sep(i) == b'.');
    let end = groups.end(3);
    (dotted && groups.sep(4) != b'.' && !is_word(byte(bytes, end))).then_some(octets)
}

fn names_no_machine(octets: [u8; 4]) -> bool {
    matches!(octets, [0 | 127 | 255, ..])
}

fn is_private(octets: [u8; 4]) -> bool {
    matches!(octets, [10, ..] | [192, 168, ..] | [172, 16..=31, ..])
}

/// `1.2.3.4` is a version where words, or signs of packages around it, say so.
fn is_version(bytes: &[u8], start: usize, end: usize, octets: [u8; 4], context: impl Fn(usize) -> Context) -> bool {
    let (left, right) = (before(bytes, start), byte(bytes, end));
    let suffix = matches!(right, b'-' | b'+') && byte(bytes, end + 1).is_ascii_alphabetic();
    let package = match left {
        b'-' => !before(bytes, start - 1).is_ascii_digit(),
        b'^' | b'~' => true,
        b'=' => matches!(before(bytes, start - 1), b'=' | b'>' | b'<' | b'~' | b'!'),
        b'@' | b'/' => !is_private(octets) && after_product(bytes, start - 1),
        _ => false,
    };
    if suffix || package {
        return true;
    }
    let context = context(end);
    // One in 4,000 addresses has only small numbers, and nearly every version has.
    let small = octets.iter().all(|o| *o < 32) && !is_private(octets);
    let used =
        (right == b':' && byte(bytes, end + 1).is_ascii_digit()) || (left == b'/' && before(bytes, start - 1) == b'/') || left == b'@';
    !context.address && (context.version || (small && !used))
}

/// `Chrome/41.0.0.1` and `pkg@1.2.3.4`; but `node7.example.com/93.184.216.34` is a machine, and so is what follows `//`.
fn after_product(bytes: &[u8], at: usize) -> bool {
    let word = (at.saturating_sub(24)..at)
        .rev()
        .find(|i| !is_word(byte(bytes, *i)) && !matches!(byte(bytes, *i), b'.' | b'-'))
        .map_or(0, |i| i + 1);
    let name = bytes.get(word..at).unwrap_or_default();
    before(bytes, word) != b'/' && name.first().is_some_and(u8::is_ascii_alphabetic) && !name.contains(&b'.') && !name.contains(&b'-')
}

/// An IPv6 address at `at`, which is its first hex digit or colon.
pub(super) fn v6(bytes: &[u8], at: usize) -> Option<Hit> {
    let mut end = run(bytes, at, LONGEST_V6 + 1, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
    if is_word(byte(bytes, end)) || end - at > LONGEST_V6 + 1 {
        return None;
    }
    // The full stop of a sentence, or the colon before what is told about it.
    while end > at && (before(bytes, end) == b'.' || (before(bytes, end) == b':' && before(bytes, end - 1) != b':')) {
        end -= 1;
    }
    let text = std::str::from_utf8(bytes.get(at..end)?).ok()?;
    let address: Ipv6Addr = text.parse().ok()?;
    (is_written_as_address(text, &address) && !address.is_loopback() && !address.is_unspecified())
        .then(|| Hit::new(Kind::Ip, at, with_prefix_length(bytes, at, end)))
}

/// `a::b` is an address by its grammar, and a path of names in many programming languages.
fn is_written_as_address(text: &str, address: &Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let public_or_local =
        matches!(first, 0x2000..=0x3FFF | 0xFC00..=0xFDFF | 0xFE80..=0xFEBF | 0xFF00..=0xFFFF) || (first, second) == (0x64, 0xFF9B);
    let groups = text.split(':').filter(|g| !g.is_empty()).count();
    text.contains('.') || groups >= 4 || (public_or_local && text.bytes().any(|b| b.is_ascii_digit()))
}

/// Six pairs of hex digits, or three fours with dots near words about addresses.
pub(super) fn mac(bytes: &[u8], at: usize, context: impl Fn(usize) -> Context) -> Option<Hit> {
    let pairs = |sep: u8| {
        let fits = (0..6).all(|i| {
            let pair = at + 3 * i;
            byte(bytes, pair).is_ascii_hexdigit() && byte(bytes, pair + 1).is_ascii_hexdigit() && (i == 5 || byte(bytes, pair + 2) == sep)
        });
        (fits && byte(bytes, at + 17) != sep).then_some(at + 17)
    };
    let fours = || {
        let fits = (0..14).all(|i| if i % 5 == 4 { byte(bytes, at + i) == b'.' } else { byte(bytes, at + i).is_ascii_hexdigit() });
        (fits && byte(bytes, at + 14) != b'.').then_some(at + 14).filter(|end| context(*end).address)
    };
    let end = match byte(bytes, at + 2) {
        sep @ (b':' | b'-') => pairs(sep)?,
        _ if byte(bytes, at + 4) == b'.' => fours()?,
        _ => return None,
    };
    let all = |digit: u8| bytes.get(at..end).is_some_and(|m| m.iter().all(|b| b.eq_ignore_ascii_case(&digit) || !b.is_ascii_hexdigit()));
    if all(b'f') || all(b'0') {
        return None;
    }
    // Pairs of decimal digits with dashes or colons are rather a date and a time.
    let telling = bytes.get(at..end)?.iter().any(u8::is_ascii_alphabetic) || context(end).address;
    (telling && !is_word(byte(bytes, end))).then(|| Hit::new(Kind::Mac, at, end))
}
