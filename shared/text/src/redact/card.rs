//! Payment cards: issuer, length and check digit.

use super::Kind;
use super::bytes::{Groups, Hit, is_word};
use super::context::Context;

/// What the first digits say about a number of this length.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Issuer {
    /// The range belongs to an issuer of cards of this length.
    Known,
    /// The range is not told apart from ids, but near words about cards the check digit decides.
    Unclear,
}

/// Longest card number.
const MOST_DIGITS: usize = 19;

/// A card number that starts with the first group.
pub(super) fn find(bytes: &[u8], groups: &Groups, context: impl FnOnce() -> Context) -> Option<Hit> {
    let mut digits = [0_u8; MOST_DIGITS];
    let mut len = 0;
    let mut best = None;
    for i in 0..groups.alike() {
        let group = bytes.get(groups.start(i)..groups.end(i))?;
        let Some(room) = digits.get_mut(len..len + group.len()) else { break };
        room.iter_mut().zip(group).for_each(|(to, from)| *to = from - b'0');
        len += group.len();
        let number = &digits[..len];
        if len >= 12 && number[0] != 0 && usual_grouping(groups, i + 1, len) && luhn(number) {
            best = Some((i, issuer(number)));
        }
    }
    let (last, issuer) = best?;
    let end = groups.end(last);
    if bytes.get(end).is_some_and(|b| is_word(*b)) || (issuer == Issuer::Unclear && !context().card) {
        return None;
    }
    Some(Hit::new(Kind::Card, groups.start(0), end))
}

/// As cards are printed: fours with a rest, or 4-6-5 and 4-6-4.
fn usual_grouping(groups: &Groups, count: usize, len: usize) -> bool {
    let six = count == 3 && groups.size(0) == 4 && groups.size(1) == 6 && len >= 14;
    let fours = (0..count - 1).all(|i| groups.size(i) == 4) && groups.size(count - 1) <= 4;
    groups.sep(1) != b'/' && (count == 1 || six || fours)
}

/// Issuer ranges as the networks publish them.
fn issuer(number: &[u8]) -> Issuer {
    let prefix = |n: usize| number.iter().take(n).fold(0_u32, |v, d| v * 10 + u32::from(*d));
    let (two, three, four, six) = (prefix(2), prefix(3), prefix(4), prefix(6));
    let known = match number.len() {
        12 => maestro(four),
        13 => two / 10 == 4 || maestro(four),
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39) || maestro(four),
        15 => matches!(two, 34 | 37) || matches!(four, 2131 | 1800) || maestro(four),
        16 => sixteen(two, three, four, six) || maestro(four),
        17 | 18 => two == 62 || maestro(four),
        19 => two / 10 == 4 || two == 62 || two == 65 || matches!(three, 644..=649) || maestro(four),
        _ => false,
    };
    if known { Issuer::Known } else { Issuer::Unclear }
}

/// Visa, Mastercard, Discover, JCB, UnionPay, Diners, Mir, Verve, RuPay, Troy and Dankort.
fn sixteen(two: u32, three: u32, four: u32, six: u32) -> bool {
    matches!(two, 40..=49 | 51..=55 | 62 | 65 | 30 | 36 | 38 | 39 | 60)
        || matches!(three, 644..=649 | 508)
        || matches!(four, 2221..=2720 | 3528..=3589 | 6011 | 2200..=2204 | 5019 | 9792)
        || matches!(six, 506_099..=506_198 | 650_002..=650_027)
}

/// The ranges in which Maestro cards of every length are issued.
fn maestro(four: u32) -> bool {
    matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
}

/// The check digit of Luhn: from the right, every second digit doubled, digit sums add up to a multiple of 10.
fn luhn(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d) << (i % 2);
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    sum.is_multiple_of(10)
}
