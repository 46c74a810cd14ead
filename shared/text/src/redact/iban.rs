//! International bank account numbers: the country's length and the check digits of ISO 13616.

use super::Kind;
use super::bytes::{Hit, before, byte, is_word};

/// Country code and length of its account numbers, sorted (IBAN registry).
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An account number that starts at `at`, the first letter of a word; groups of four may be separated by single spaces or hyphens.
pub(super) fn find(bytes: &[u8], at: usize) -> Option<Hit> {
    if before(bytes, at) == b'-' || !byte(bytes, at + 2).is_ascii_digit() || !byte(bytes, at + 3).is_ascii_digit() {
        return None;
    }
    let country = [byte(bytes, at).to_ascii_uppercase(), byte(bytes, at + 1).to_ascii_uppercase()];
    let length = LENGTHS[LENGTHS.binary_search_by_key(&&country, |(c, _)| c).ok()?].1;
    let (mut here, mut rest) = (at + 4, 0);
    for taken in 4..length {
        here += usize::from(taken % 4 == 0 && matches!(byte(bytes, here), b' ' | b'-'));
        let b = byte(bytes, here);
        if !b.is_ascii_alphanumeric() {
            return None;
        }
        rest = append(rest, b);
        here += 1;
    }
    // The first four characters count last.
    let checked = bytes.get(at..at + 4)?.iter().fold(rest, |v, b| append(v, *b));
    // A hyphen before more is the middle of a UUID.
    let goes_on = is_word(byte(bytes, here)) || (byte(bytes, here) == b'-' && is_word(byte(bytes, here + 1)));
    (checked == 1 && !goes_on).then(|| Hit::new(Kind::Iban, at, here))
}

/// Appends a character to a number modulo 97: digits as they are, letters as 10 to 35.
fn append(value: u32, b: u8) -> u32 {
    match b {
        b'0'..=b'9' => (value * 10 + u32::from(b - b'0')) % 97,
        _ => (value * 100 + u32::from(b.to_ascii_uppercase() - b'A') + 10) % 97,
    }
}
