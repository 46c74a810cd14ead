//! Lines of a stream, none of which takes more memory than a bound.

use std::io::{BufRead, Read};

/// What programs of some systems put before text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines of at most `most` bytes each.
pub struct BoundedLines<R> {
    input: R,
    most: usize,
    number: u64,
    line: Vec<u8>,
}

/// One line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The beginning of one that is too long; the rest is skipped.
    TooLong(&'a [u8]),
}

impl<R: BufRead> BoundedLines<R> {
    /// Begins before the first line.
    pub fn new(input: R, most: usize) -> Self {
        Self { input, most, number: 0, line: Vec::new() }
    }

    /// How many lines were read.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line with its number, from 1; none at the end.
    ///
    /// # Errors
    /// The stream can't be read.
    pub fn next(&mut self) -> std::io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        let room = u64::try_from(self.most).unwrap_or(u64::MAX).saturating_add(1);
        if self.input.by_ref().take(room).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.line.pop_if(|last| *last == b'\n').is_some();
        let fits = ended || self.line.len() <= self.most;
        if !fits {
            self.input.skip_until(b'\n')?;
        }
        let mut line = self.line.as_slice();
        if self.number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        Ok(Some((self.number, if fits { Line::Whole(line) } else { Line::TooLong(line) })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], most: usize) -> Vec<(u64, String, bool)> {
        let mut lines = BoundedLines::new(input, most);
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            let (bytes, whole) = match line {
                Line::Whole(bytes) => (bytes, true),
                Line::TooLong(bytes) => (bytes, false),
            };
            read.push((number, String::from_utf8(bytes.to_vec()).unwrap(), whole));
        }
        read
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_to_its_end() {
        let told = |number, text: &str, whole| (number, text.to_owned(), whole);
        assert_eq!(
            read(b"ab\nabc\n\nabcdefgh\nc", 3),
            [told(1, "ab", true), told(2, "abc", true), told(3, "", true), told(4, "abcd", false), told(5, "c", true)]
        );
        assert_eq!(read(b"abcdefgh", 3), [told(1, "abcd", false)]);
        assert_eq!(read(b"abc", 3), [told(1, "abc", true)]);
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_the_bound() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x').take(50_000_000));
        let mut lines = BoundedLines::new(endless, 1000);
        assert!(matches!(lines.next().unwrap(), Some((1, Line::TooLong(_)))));
        assert!(lines.line.capacity() < 100_000, "{}", lines.line.capacity());
        assert!(lines.next().unwrap().is_none());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(read(b"\xef\xbb\xbf{}\n\xef\xbb\xbfx", 100)[0], (1, "{}".to_owned(), true));
        assert_eq!(read(b"\xef\xbb\xbf{}\n\xef\xbb\xbfx", 100)[1].1, "\u{feff}x");
    }
}
