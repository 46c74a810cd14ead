//! Small helpers over bytes, shared by the finders.

use super::Kind;

/// Something found: the bytes from `start` to before `end`, always on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Hit {
    pub(super) fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start, end }
    }
}

/// The byte at `at`, or 0 outside of the text: no finder takes 0 for anything.
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before `at`, or 0.
pub(super) fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |b| byte(bytes, b))
}

/// Whether a number or key may not touch this byte: an identifier goes on here.
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// The end of the run of bytes that satisfy `is`, at most `limit` bytes long.
pub(super) fn run(bytes: &[u8], start: usize, limit: usize, is: impl Fn(u8) -> bool) -> usize {
    let stop = bytes.len().min(start.saturating_add(limit));
    let rest = bytes.get(start..stop).unwrap_or_default();
    start + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len())
}

/// Whether `bytes` goes on with `word` at `at`; `word` is in lower case, and case does not count.
pub(super) fn has_ignoring_case(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..at + word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word))
}

/// The length of a separator between groups of digits: one byte, a no-break space or a no-break hyphen.
/// The second value tells separators apart.
pub(super) fn separator(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    match byte(bytes, at) {
        b @ (b' ' | b'-' | b'.' | b'/') => Some((1, b)),
        0xC2 if byte(bytes, at + 1) == 0xA0 => Some((2, b' ')),
        0xE2 if byte(bytes, at + 1) == 0x80 && matches!(byte(bytes, at + 2), 0x90 | 0x91) => Some((3, b'-')),
        _ => None,
    }
}

/// The end of the placeholder that starts at `at`, if there is one.
pub(crate) fn placeholder_end(bytes: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 20;
    if byte(bytes, at) != b'[' {
        return None;
    }
    let end = run(bytes, at + 1, LONGEST, |b| b.is_ascii_lowercase() || b == b'_');
    let name = bytes.get(at + 1..end)?;
    (byte(bytes, end) == b']' && Kind::ALL.iter().any(|k| k.name().as_bytes() == name)).then_some(end + 1)
}

/// Groups of digits joined by single separators.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Groups {
    /// First byte and byte after the last one of each group.
    spans: [(usize, usize); Self::MOST],
    /// Separator before each group; 0 for the first.
    seps: [u8; Self::MOST],
    /// How many groups there are.
    pub(super) len: usize,
}

impl Groups {
    /// No number that anything here looks for has more groups.
    const MOST: usize = 10;
    /// Nor a longer group.
    const LONGEST: usize = 40;

    /// Reads groups from `at`, which is the first digit of a group.
    pub(super) fn read(bytes: &[u8], mut at: usize) -> Self {
        let mut groups = Self::default();
        let mut sep = 0;
        while groups.len < Self::MOST {
            let end = run(bytes, at, Self::LONGEST, |b| b.is_ascii_digit());
            if end == at {
                break;
            }
            groups.spans[groups.len] = (at, end);
            groups.seps[groups.len] = sep;
            groups.len += 1;
            let Some((length, kind)) = separator(bytes, end) else { break };
            at = end + length;
            sep = kind;
        }
        groups
    }

    /// How many digits group `i` has; 0 where there is no such group.
    pub(super) fn size(&self, i: usize) -> usize {
        self.spans.get(i).map_or(0, |(start, end)| end - start)
    }

    /// The separator before group `i`; 0 where there is none.
    pub(super) fn sep(&self, i: usize) -> u8 {
        if i < self.len { self.seps[i] } else { 0 }
    }

    /// Byte after group `i`.
    pub(super) fn end(&self, i: usize) -> usize {
        self.spans.get(i).map_or(0, |(_, end)| *end)
    }

    /// First byte of group `i`.
    pub(super) fn start(&self, i: usize) -> usize {
        self.spans.get(i).map_or(0, |(start, _)| *start)
    }

    /// How many groups from the first on are joined by the same separator.
    pub(super) fn alike(&self) -> usize {
        (2..self.len).find(|i| self.seps[*i] != self.seps[1]).unwrap_or(self.len)
    }

    /// Digits in the first `count` groups.
    pub(super) fn digits(&self, count: usize) -> usize {
        (0..count.min(self.len)).map(|i| self.size(i)).sum()
    }

    /// The value of group `i`, for groups of up to four digits.
    pub(super) fn value(&self, bytes: &[u8], i: usize) -> Option<u32> {
        let (start, end) = *self.spans.get(i).filter(|(start, end)| end - start <= 4)?;
        Some(bytes.get(start..end)?.iter().fold(0, |v, b| v * 10 + u32::from(b - b'0')))
    }
}
