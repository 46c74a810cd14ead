//! Names of themes for machines: short, stable, made from the identity of the insight that founded the theme.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Digits that can't be mistaken for each other.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Digits of an id: 50 bits, so that 100,000 themes of one API collide with a chance of some 5 in a million.
const LENGTH: usize = 10;
const MASK: u64 = (1 << (5 * LENGTH)) - 1;

/// The id of a theme: `t` and ten digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThemeId(u64);

impl ThemeId {
    /// The id of the theme that the insight with this identity founds.
    #[must_use]
    pub fn of_founder(identity: u128) -> Self {
        Self(xxh3_64(&identity.to_be_bytes()) & MASK)
    }

    /// The number that the digits stand for.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The id of such a number.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits & MASK)
    }

    /// The id of the part that people split off a theme with these words. Said again in other letters it is the same.
    #[must_use]
    pub fn of_split(self, words: &str) -> Self {
        let folded: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        Self(xxh3_64(format!("{self} {}", folded.join(" ")).as_bytes()) & MASK)
    }
}

impl fmt::Display for ThemeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t")?;
        (0..LENGTH).rev().try_for_each(|at| {
            let digit = DIGITS[(self.0 >> (5 * at) & 31) as usize];
            write!(f, "{}", char::from(digit))
        })
    }
}

/// A text that is not the id of a theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a theme: ids are `t` and ten letters or digits, as `groundswell themes API` lists them")]
pub struct NotAnId(String);

impl FromStr for ThemeId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let wrong = || NotAnId(text.chars().take(40).collect());
        let digits = text.strip_prefix('t').filter(|d| d.len() == LENGTH).ok_or_else(wrong)?;
        let value = digits.bytes().try_fold(0u64, |value, byte| {
            let digit = DIGITS.iter().position(|d| *d == byte)?;
            Some(value << 5 | digit as u64)
        });
        value.map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_is_read_as_it_is_written(identity: u128) {
            let id = ThemeId::of_founder(identity);
            prop_assert_eq!(id.to_string().parse::<ThemeId>(), Ok(id));
            prop_assert_eq!(id.to_string().len(), LENGTH + 1);
        }
    }

    #[test]
    fn the_id_of_a_founder_never_changes() {
        // A changed hash would give every stored theme another id.
        assert_eq!(ThemeId::of_founder(1).to_string(), ThemeId::of_founder(1).to_string());
        assert_ne!(ThemeId::of_founder(1), ThemeId::of_founder(2));
        let theme = ThemeId::of_founder(1);
        assert_eq!(theme.of_split("Refund  PARTIAL"), theme.of_split("refund partial"));
        assert_ne!(theme.of_split("refund"), theme);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "t", "refunds", "t123456789", "t12345678901", "tilou234567"] {
            assert!(text.parse::<ThemeId>().is_err(), "{text}");
        }
    }
}
