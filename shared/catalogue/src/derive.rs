//! The operation and version that a path tells where no catalogue does.

/// Segments kept of a path; what follows is cut.
const MOST_SEGMENTS: usize = 10;
/// A longer segment is no name of anything.
const LONGEST_SEGMENT: usize = 40;
/// What stands for an id.
const ID: &str = "{id}";

/// The method and the path with everything that looks like an id replaced: `GET /orders/{id}`.
#[must_use]
pub fn operation(method: &str, path: &str) -> String {
    let mut out = String::with_capacity(method.len() + path.len() + 8);
    out.push_str(method);
    if !method.is_empty() {
        out.push(' ');
    }
    let mut segments = path.split('/').filter(|s| !s.is_empty());
    let mut any = false;
    for segment in segments.by_ref().take(MOST_SEGMENTS) {
        any = true;
        out.push('/');
        push_segment(&mut out, segment);
    }
    if segments.next().is_some() {
        out.push_str("/…");
    }
    if !any {
        out.push('/');
    }
    out
}

fn push_segment(out: &mut String, segment: &str) {
    let address = segment.contains(['@', '%']);
    let (stem, extension) = if address { (segment, "") } else { split_extension(segment) };
    if is_id(stem) {
        out.push_str(ID);
        out.push_str(extension);
    } else {
        out.push_str(segment);
    }
}

fn split_extension(segment: &str) -> (&str, &str) {
    match segment.rfind('.') {
        Some(at) if at > 0 && (2..=5).contains(&(segment.len() - at)) && segment[at + 1..].bytes().all(|b| b.is_ascii_lowercase()) => {
            segment.split_at(at)
        }
        _ => (segment, ""),
    }
}

/// Whether a segment looks like it names one thing of many. Wrong now and then; what matters is that
/// the number of different operations stays small.
fn is_id(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let placeholder = matches!(bytes, [b'{', .., b'}'] | [b'<', .., b'>'] | [b':', _, ..]);
    if placeholder || bytes.len() > LONGEST_SEGMENT || !segment.is_ascii() || bytes.iter().any(|b| matches!(b, b'%' | b'@' | b'=' | b',')) {
        return true;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    if digits == 0 {
        return false;
    }
    if letters == 0 {
        return true;
    }
    let hexadecimal = bytes.len() >= 8 && bytes.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    hexadecimal || (bytes.len() >= 8 && digits >= 2) || ends_in_id(segment)
}

/// `ord-123`, `cus_9s6XKz`: a short kind, a separator and something with digits.
fn ends_in_id(segment: &str) -> bool {
    segment.rsplit_once(['-', '_', ':', '.']).is_some_and(|(_, tail)| {
        let digits = tail.bytes().filter(u8::is_ascii_digit).count();
        digits >= 2 && (digits == tail.len() || tail.len() >= 5)
    })
}

/// The version that a path begins with, and the path behind it: `/v2/orders` gives `v2` and `/orders`.
/// One leading segment (`/api/v2/orders`) may stand before it and is left out too.
#[must_use]
pub fn version_prefix(path: &str, known: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let mut at = 0;
    for _ in 0..2 {
        let segment = path.get(at + 1..)?.split('/').next()?;
        let end = at + 1 + segment.len();
        if looks_like_version(segment) || (!segment.is_empty() && known(segment)) {
            return Some((segment, &path[end..]));
        }
        at = end;
    }
    None
}

/// Whether a part of a media type is a version: `v2`, `2024-06-01`, `2`.
pub(crate) fn is_version_name(part: &str) -> bool {
    looks_like_version(part) || (!part.is_empty() && part.len() < 4 && part.bytes().all(|b| b.is_ascii_digit()))
}

/// `v2`, `v2.1`, `v2beta1`, `2024-06-01`.
fn looks_like_version(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    match bytes {
        [b'v', digit, rest @ ..] if digit.is_ascii_digit() => {
            rest.len() < 10 && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
        [_, _, _, _, b'-', _, _, b'-', _, _] => bytes.iter().filter(|b| b.is_ascii_digit()).count() == 8,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_replaced_and_names_stay() {
        for (path, expected) in [
            ("/orders/123", "GET /orders/{id}"),
            ("/orders/123/items/550e8400-e29b-41d4-a716-446655440000", "GET /orders/{id}/items/{id}"),
            ("/customers/cus_9s6XKzkNRiz8i3", "GET /customers/{id}"),
            ("/orders/ord-42", "GET /orders/{id}"),
            ("/oauth2/token", "GET /oauth2/token"),
            ("/get3dsAvailability", "GET /get3dsAvailability"),
            ("/posts/77.json", "GET /posts/{id}.json"),
            ("/users/ada%40example.com", "GET /users/{id}"),
            ("/orders/{orderId}", "GET /orders/{id}"),
            ("/search.json", "GET /search.json"),
            ("/", "GET /"),
        ] {
            assert_eq!(operation("GET", path), expected);
        }
        assert_eq!(operation("", "/orders/1"), "/orders/{id}");
    }

    #[test]
    fn a_version_prefix_is_found_behind_one_segment_at_most() {
        let none = |_: &str| false;
        assert_eq!(version_prefix("/v2/orders/1", none), Some(("v2", "/orders/1")));
        assert_eq!(version_prefix("/api/v2.1/orders", none), Some(("v2.1", "/orders")));
        assert_eq!(version_prefix("/2024-06-01/orders", none), Some(("2024-06-01", "/orders")));
        assert_eq!(version_prefix("/a/b/v2", none), None);
        assert_eq!(version_prefix("/vendors/1", none), None);
        assert_eq!(version_prefix("/2.14/me", |s| s == "2.14"), Some(("2.14", "/me")));
    }

    proptest! {
        #[test]
        fn any_path_gives_a_short_operation(path in "\\PC{0,300}") {
            let name = operation("GET", &path);
            prop_assert!(name.starts_with("GET /"));
            prop_assert!(name.len() <= 5 + MOST_SEGMENTS * (LONGEST_SEGMENT + 6) + 4);
            prop_assert_eq!(operation("GET", &name[4..]), name.clone(), "a derived operation derives itself");
            if let Some((version, rest)) = version_prefix(&path, |_| false) {
                prop_assert!(path.contains(version) && path.ends_with(rest));
            }
        }
    }
}
