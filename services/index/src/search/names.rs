//! Names of APIs and versions as names of folders.

use std::fmt::Write as _;

use groundswell_model::IdentityHash;

/// Longer names are cut and told apart by a hash: file systems allow 255 bytes.
const LONGEST: usize = 160;

/// A name as a folder: letters, digits, `-`, `_` and inner dots stay, everything else is percent-encoded.
/// No encoded name begins with a dot or contains a `~`.
pub(super) fn folder_of(name: &str) -> String {
    let mut folder = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || (byte == b'.' && at > 0);
        if plain {
            folder.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            write!(folder, "%{byte:02X}").unwrap_or_default();
        }
    }
    if folder.is_empty() {
        return "%".into();
    }
    if folder.len() > LONGEST {
        folder.truncate(LONGEST);
        folder.push_str("%%");
        folder.push_str(&IdentityHash::of("", name).hex());
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_names_stay_readable() {
        assert_eq!(folder_of("2.14"), "2.14");
        assert_eq!(folder_of("orders api/v2"), "orders%20api%2Fv2");
        assert_eq!(folder_of(".."), "%2E.");
        assert_eq!(folder_of(""), "%");
    }

    proptest! {
        #[test]
        fn names_stay_apart_and_within_one_folder(a in ".{0,300}", b in ".{0,300}") {
            prop_assert_eq!(a == b, folder_of(&a) == folder_of(&b));
            prop_assert!(folder_of(&a).len() < 255 && !folder_of(&a).contains(['/', '~', '\\']) && !folder_of(&a).starts_with('.'));
        }
    }
}
