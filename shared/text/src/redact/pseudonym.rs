//! Names for people that only the holder of the key can make.

/// How many bytes of the hash are kept: with 80 bits, a billion people collide with a chance below 1 in a million.
const BYTES: usize = 10;

/// A keyed pseudonym for an id or e-mail address: `~` and 20 hex digits. Case and surrounding white space do not count.
#[must_use]
pub fn pseudonym(key: &[u8; 32], who: &str) -> String {
    let hash = blake3::keyed_hash(key, who.trim().to_lowercase().as_bytes());
    let mut name = String::with_capacity(1 + 2 * BYTES);
    name.push('~');
    name.extend(hash.to_hex().chars().take(2 * BYTES));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_do_not_count_but_the_key_does() {
        let one = pseudonym(&[1; 32], "Ann@Example.com ");
        assert_eq!(one, pseudonym(&[1; 32], "ann@example.com"));
        assert_ne!(one, pseudonym(&[2; 32], "ann@example.com"));
        assert_ne!(one, pseudonym(&[1; 32], "bob@example.com"));
        assert!(one.len() == 21 && one.starts_with('~') && one[1..].bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
