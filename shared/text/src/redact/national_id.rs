//! Numbers that states give to people, where their form or their check digits tell them reliably.

use super::Kind;
use super::bytes::{Groups, Hit, byte, is_word, run};
use super::context::Context;

/// A number that starts with the first group.
pub(super) fn find(bytes: &[u8], groups: &Groups, context: impl Fn() -> Context) -> Option<Hit> {
    let end = social_security(bytes, groups, &context).or_else(|| cpf(bytes, groups))?;
    (!is_word(byte(bytes, end))).then(|| Hit::new(Kind::NationalId, groups.start(0), end))
}

/// US social security number or individual taxpayer number: `078-05-1120`; with spaces or alone only near words about it.
fn social_security(bytes: &[u8], groups: &Groups, context: impl Fn() -> Context) -> Option<usize> {
    let (area, group, serial, last) = if groups.size(0) == 9 {
        let number = groups.start(0);
        (digits(bytes, number, 3), digits(bytes, number + 3, 2), digits(bytes, number + 5, 4), 0)
    } else if groups.size(0) == 3 && groups.size(1) == 2 && groups.size(2) == 4 && groups.sep(1) == groups.sep(2) {
        (groups.value(bytes, 0)?, groups.value(bytes, 1)?, groups.value(bytes, 2)?, 2)
    } else {
        return None;
    };
    let taxpayer = area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    let possible = (taxpayer || (area < 900 && !matches!(area, 0 | 666))) && group != 0 && serial != 0;
    let dashed = last == 2 && groups.sep(1) == b'-' && groups.sep(3) != b'-';
    (possible && (dashed || context().national_id)).then(|| groups.end(last))
}

/// Brazilian CPF as it is printed, `123.456.789-09`, with its two check digits.
fn cpf(bytes: &[u8], groups: &Groups) -> Option<usize> {
    let shape = (0..3).all(|i| groups.size(i) == 3) && groups.size(3) == 2;
    if !shape || groups.sep(1) != b'.' || groups.sep(2) != b'.' || groups.sep(3) != b'-' {
        return None;
    }
    let mut number = [0_u32; 11];
    let all = (0..4).flat_map(|i| groups.start(i)..groups.end(i));
    number.iter_mut().zip(all).for_each(|(to, at)| *to = u32::from(byte(bytes, at) - b'0'));
    let check = |n: usize| {
        let sum: u32 = number.iter().take(n).zip((2..=11).rev().skip(10 - n)).map(|(d, w)| d * w).sum();
        (sum * 10 % 11) % 10
    };
    (check(9) == number[9] && check(10) == number[10]).then(|| groups.end(3))
}

/// UK national insurance number, `AB 12 34 56 C`; without the spaces only near words about it. `at` is the first letter of a word.
pub(super) fn insurance(bytes: &[u8], at: usize, context: impl Fn() -> Context) -> Option<Hit> {
    // These letters and pairs are not given out.
    let given = |b: u8| b.is_ascii_uppercase() && !matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    let prefix = bytes.get(at..at + 2)?;
    let reserved = matches!(prefix, b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ");
    if !prefix.iter().all(|b| given(*b)) || reserved || prefix.ends_with(b"O") {
        return None;
    }
    let mut here = at + 2;
    for _ in 0..3 {
        here = run(bytes, here, 1, |b| b == b' ');
        let end = run(bytes, here, 2, |b| b.is_ascii_digit());
        if end != here + 2 {
            return None;
        }
        here = end;
    }
    here = run(bytes, here, 1, |b| b == b' ');
    let found = matches!(byte(bytes, here), b'A'..=b'D') && !is_word(byte(bytes, here + 1)) && (here - at == 12 || context().national_id);
    found.then(|| Hit::new(Kind::NationalId, at, here + 1))
}

fn digits(bytes: &[u8], at: usize, count: usize) -> u32 {
    (at..at + count).fold(0, |v, i| v * 10 + u32::from(byte(bytes, i).wrapping_sub(b'0')))
}
