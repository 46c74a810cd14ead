//! The natural order of version names, for versions whose release date nobody told.

use std::cmp::Ordering;

/// Words that mark a version as not finished yet: it comes before the finished one.
const BEFORE_RELEASE: &[&str] = &["alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"];

/// One piece of a version name. The order of the variants is the order of the pieces.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    BeforeRelease(&'a str),
    End,
    Number(u64),
    Word(&'a str),
}

/// Compares two version names as people would: `v9` before `v10`, `2.7` before `2.14`,
/// `v2-beta` before `v2`, dates by date, words (`latest`, `preview`) last.
#[must_use]
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (Pieces::of(a), Pieces::of(b));
    loop {
        let (x, y) = (left.next_piece(), right.next_piece());
        match x.cmp(&y) {
            Ordering::Equal if x == Piece::End => return a.cmp(b),
            Ordering::Equal => {}
            other => return other,
        }
    }
}

struct Pieces<'a> {
    rest: &'a str,
    first: bool,
}

impl<'a> Pieces<'a> {
    fn of(name: &'a str) -> Self {
        let rest = match name.as_bytes() {
            [b'v' | b'V', digit, ..] if digit.is_ascii_digit() => &name[1..],
            _ => name,
        };
        Self { rest, first: true }
    }

    fn next_piece(&mut self) -> Piece<'a> {
        self.rest = self.rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let Some(begin) = self.rest.chars().next() else { return Piece::End };
        let digits = begin.is_ascii_digit();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != digits).unwrap_or(self.rest.len());
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        let first = std::mem::replace(&mut self.first, false);
        if digits {
            // More digits than a u64 holds: only the order among such giants is lost, and the text decides it.
            return Piece::Number(piece.parse().unwrap_or(u64::MAX));
        }
        match !first && BEFORE_RELEASE.iter().any(|word| piece.eq_ignore_ascii_case(word)) {
            true => Piece::BeforeRelease(piece),
            false => Piece::Word(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_by(|a, b| natural(a, b));
        names
    }

    #[test]
    fn numbers_count_as_numbers() {
        assert_eq!(sorted(&["v10", "v9", "v1"]), ["v1", "v9", "v10"]);
        assert_eq!(sorted(&["2.14", "2.7", "3", "2"]), ["2", "2.7", "2.14", "3"]);
        assert_eq!(sorted(&["2024-06-01", "2023-12-31", "2024-01-09"]), ["2023-12-31", "2024-01-09", "2024-06-01"]);
    }

    #[test]
    fn unfinished_versions_come_before_and_words_last() {
        assert_eq!(sorted(&["preview", "v2", "v2-rc1", "v2beta2", "v1"]), ["v1", "v2beta2", "v2-rc1", "v2", "preview"]);
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "[v0-9.a-c-]{0,6}", b in "[v0-9.a-c-]{0,6}", c in "[v0-9.a-c-]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
