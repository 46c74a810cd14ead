//! Files that are not one JSON object a line, by how they begin, and what makes lines of them.

/// A shape, by its first bytes, and what to do.
const SHAPES: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "it is compressed: `gunzip -c FILE | groundswell send -`"),
    (b"\x28\xb5\x2f\xfd", "it is compressed: `zstd -dc FILE | groundswell send -`"),
    (b"PK\x03\x04", "it is an archive: `unzip -p FILE | groundswell send -`"),
    (b"\xff\xfe", "it is UTF-16: `iconv -f UTF-16 -t UTF-8 FILE | groundswell send -`"),
    (b"\xfe\xff", "it is UTF-16: `iconv -f UTF-16 -t UTF-8 FILE | groundswell send -`"),
    (b"[", "it is a JSON array: `jq -c '.[]' FILE | groundswell send -` makes lines of it"),
];
/// A line with a bracket alone begins JSON that somebody laid out for reading.
const LAID_OUT: (&[u8], &str) = (b"{", "its JSON goes over several lines: `jq -c . FILE | groundswell send -` makes one of each event");

/// What to do about a file whose first line that is not empty is, or begins like, this; none if it may be an event.
pub fn hint(line: &[u8]) -> Option<&'static str> {
    let line = line.trim_ascii();
    let shape = SHAPES.iter().find(|(beginning, _)| line.starts_with(beginning));
    shape.map(|(_, todo)| *todo).or_else(|| (line == LAID_OUT.0).then_some(LAID_OUT.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_have_in_files_is_known_by_its_beginning() {
        for (line, word) in [
            (&b"\x1f\x8b\x08\x00\x00"[..], "gunzip"),
            (b"  [ {\"id\": \"1\"},", "jq -c '.[]'"),
            (b"[", "jq -c '.[]'"),
            (b"{ \r", "jq -c ."),
            (b"\xff\xfe{\x00", "iconv"),
        ] {
            assert!(hint(line).is_some_and(|todo| todo.contains(word)), "{line:?}");
        }
        for line in [&b"{\"id\":\"1\"}"[..], b"{\"cut", b"words", b"\xff"] {
            assert_eq!(hint(line), None, "{line:?}");
        }
    }
}
