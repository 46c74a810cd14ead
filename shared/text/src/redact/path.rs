//! Paths and URLs: most need nothing done, and that must be quick to see.

use std::borrow::Cow;

use super::bytes::byte;
use super::keys::Formats;
use super::secret::user_information;

/// No key is shorter.
const SHORTEST_KEY: usize = 20;
/// No card number is shorter.
const SHORTEST_CARD: u32 = 12;

/// Whether nothing in a path can be personal or secret, so that no finder needs to look at it.
pub(super) fn is_plain(path: &[u8], formats: &Formats) -> bool {
    let (mut digits, mut dots, mut segment) = (0_u32, 0_u32, 0);
    for (at, b) in path.iter().enumerate() {
        match b {
            b'0'..=b'9' => digits += 1,
            b'.' => dots += 1,
            b'-' | b' ' => {}
            b'@' | b'%' | b'+' | b':' | b'=' | b'~' | 0x80.. => return false,
            b'/' => {
                if at - segment >= SHORTEST_KEY && may_be_key(path, segment, formats) {
                    return false;
                }
                (digits, dots, segment) = (0, 0, at + 1);
            }
            _ => (digits, dots) = (0, 0),
        }
        if digits >= SHORTEST_CARD || dots >= 3 {
            return false;
        }
    }
    path.len() - segment < SHORTEST_KEY || !may_be_key(path, segment, formats)
}

fn may_be_key(path: &[u8], segment: usize, formats: &Formats) -> bool {
    path.get(segment..segment + 3) == Some(b"eyJ") || byte(path, segment).is_ascii_alphabetic() && formats.find(path, segment).is_some()
}

/// A URL without what stands before the `@` of its authority.
pub(super) fn without_user(url: &str) -> Cow<'_, str> {
    let Some(start) = url.find("//").map(|s| s + 2).filter(|s| *s == 2 || url.as_bytes().get(s - 3) == Some(&b':')) else {
        return Cow::Borrowed(url);
    };
    match user_information(url.as_bytes(), start) {
        Some((from, to)) => Cow::Owned([url.get(..from), url.get(to + 1..)].into_iter().flatten().collect()),
        None => Cow::Borrowed(url),
    }
}
