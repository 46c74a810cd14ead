//! A ticket taken apart: title, prose, headings of its template, first sentence, questions, code.

use std::ops::Range;

use super::tokens::Tokens;

/// Most bytes of prose and of code that are looked at: what feedback says is said early, and time stays bounded.
const MOST_PROSE: usize = 4000;
const MOST_TITLE: usize = 1000;
const MOST_CODE: usize = 1500;
/// Most bytes of a text that are walked over to find them.
const MOST_BYTES: usize = 32_768;
/// Longest heading or comment, first sentence and tokens of questions, in bytes or tokens.
const MOST_HEADING: usize = 120;
const MOST_FIRST: usize = 40;

/// What is there beside words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Bytes of code.
    pub(super) code: usize,
    /// Lines of a stack trace.
    pub(super) trace: bool,
    pub(super) images: bool,
    pub(super) boxes: bool,
    pub(super) links: bool,
    /// Words of at least three capital letters.
    pub(super) shouts: usize,
    pub(super) sentences: usize,
    pub(super) headings: usize,
}

/// The parts of one text.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) title: Tokens,
    pub(super) prose: Tokens,
    pub(super) code: Tokens,
    /// Headings, and comments that a template hides from readers.
    pub(super) headings: Tokens,
    /// The tokens of each of them.
    pub(super) heading_ends: Vec<usize>,
    /// The tokens of the first sentence of the prose.
    pub(super) first: Range<usize>,
    /// The tokens of every sentence that ends with a question mark, with whether it is one of the last two.
    pub(super) questions: Vec<Range<usize>>,
    pub(super) ends_with_question: bool,
    pub(super) seen: Seen,
    /// Title and prose in small letters, for phrases.
    pub(super) plain_title: String,
    pub(super) plain_prose: String,
}

impl Document {
    pub(super) fn of(title: &str, body: &str) -> Self {
        let title = cut(title, MOST_TITLE);
        let room = body.len().min(MOST_PROSE);
        let mut document = Self {
            title: Tokens::with_room(title.len()),
            prose: Tokens::with_room(room),
            plain_prose: String::with_capacity(room),
            ..Self::default()
        };
        let mut at = 0;
        while at < title.len() {
            at = document.title.read(title, at);
        }
        document.plain_title = title.to_ascii_lowercase();
        document.read(cut(body, MOST_BYTES));
        document
    }

    fn read(&mut self, body: &str) {
        let bytes = body.as_bytes();
        let (mut at, mut sentence, mut line_start) = (0, 0, true);
        let mut last_question = 0;
        // Where the prose begins that is not in `plain_prose` yet: it is taken over in pieces as long as they come.
        let mut plain = 0;
        while at < bytes.len() && self.prose.bytes() < MOST_PROSE {
            let rest = body.get(at..).unwrap_or_default();
            if line_start && let Some((text, length)) = heading(rest) {
                self.end_sentence(&mut sentence, &mut last_question);
                self.heading(text);
                self.plain_prose.push_str(body.get(plain..at).unwrap_or_default());
                at += length;
                plain = at;
                continue;
            }
            let byte = bytes[at];
            line_start = byte == b'\n' || (line_start && matches!(byte, b' ' | b'\t' | b'\r' | b'>'));
            if let Some(length) = self.special(byte, rest) {
                self.plain_prose.push_str(body.get(plain..at).unwrap_or_default());
                at += length;
                plain = at;
                continue;
            }
            let next = self.prose.read(body, at).min(bytes.len());
            let next = (next..=bytes.len()).find(|i| body.is_char_boundary(*i)).unwrap_or(bytes.len());
            self.shout(bytes.get(at..next).unwrap_or_default());
            at = next;
            let ends = matches!(byte, b'.' | b'!' | b'?') && bytes.get(at).is_none_or(u8::is_ascii_whitespace);
            if ends || (byte == b'\n' && bytes.get(at) == Some(&b'\n')) {
                self.end_sentence(&mut sentence, &mut last_question);
            }
        }
        self.plain_prose.push_str(body.get(plain..at).unwrap_or_default());
        self.end_sentence(&mut sentence, &mut last_question);
        self.ends_with_question = last_question > 0 && last_question + 1 >= self.seen.sentences;
        self.plain_prose.make_ascii_lowercase();
    }

    /// What is no prose at the beginning of `rest`: its length.
    fn special(&mut self, byte: u8, rest: &str) -> Option<usize> {
        match byte {
            b'`' if rest.starts_with("```") => Some(self.fence(rest)),
            b'<' if rest.starts_with("<!--") => Some(self.comment(rest)),
            b'<' if rest.starts_with("<img") => {
                self.image();
                Some(rest.find('>').map_or(rest.len(), |i| i + 1))
            }
            b'!' if rest.starts_with("![") => {
                let end = rest.find("](").and_then(|i| rest.get(i..)?.find(')').map(|j| i + j + 1))?;
                self.image();
                Some(end)
            }
            b'h' if rest.starts_with("http://") || rest.starts_with("https://") => {
                self.seen.links = true;
                self.prose.push("url");
                Some(rest.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(rest.len()))
            }
            b'[' if rest.starts_with("[ ]") || rest.starts_with("[x]") || rest.starts_with("[X]") => {
                self.seen.boxes = true;
                Some(3)
            }
            _ => None,
        }
    }

    fn image(&mut self) {
        self.seen.images = true;
        self.prose.push("imgimg");
    }

    /// Code between fences goes to its own tokens.
    fn fence(&mut self, rest: &str) -> usize {
        let inner = rest.get(3..).unwrap_or_default();
        let length = inner.find("```").unwrap_or(inner.len());
        let code = cut(inner, length.min(MOST_CODE.saturating_sub(self.code.bytes())));
        self.seen.code += length;
        self.seen.trace |= is_trace(inner.get(..length).unwrap_or_default());
        let mut at = 0;
        while at < code.len() {
            at = self.code.read(code, at);
        }
        self.prose.push("codeblock");
        (3 + length + 3).min(rest.len())
    }

    /// What a template says to the writer and readers do not see. It tells which form was filled in, as a heading does.
    fn comment(&mut self, rest: &str) -> usize {
        let end = rest.find("-->").unwrap_or(rest.len());
        self.mark(cut(rest.get(4..end).unwrap_or_default().trim(), MOST_HEADING));
        (end + 3).min(rest.len())
    }

    fn heading(&mut self, text: &str) {
        self.seen.headings += 1;
        self.mark(text);
    }

    /// The text of a heading or comment.
    fn mark(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            at = self.headings.read(text, at);
        }
        self.heading_ends.push(self.headings.len());
    }

    fn end_sentence(&mut self, begin: &mut usize, last_question: &mut usize) {
        let end = self.prose.len();
        if end == *begin {
            return;
        }
        self.seen.sentences += 1;
        if self.seen.sentences == 1 {
            self.first = *begin..end.min(*begin + MOST_FIRST);
        }
        if self.prose.get(end - 1).starts_with('?') {
            self.questions.push(*begin..end);
            *last_question = self.seen.sentences;
        }
        *begin = end;
    }

    fn shout(&mut self, word: &[u8]) {
        self.seen.shouts += usize::from(word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase));
    }
}

/// The text of a heading at the beginning of a line, and the length of the line.
fn heading(rest: &str) -> Option<(&str, usize)> {
    if !rest.starts_with(['#', '*']) {
        return None;
    }
    let length = rest.find('\n').unwrap_or(rest.len());
    let line = rest.get(..length)?.trim();
    let marked = line.strip_prefix('#').map(|l| l.trim_start_matches('#')).filter(|l| l.starts_with(' '));
    let bold = || line.strip_prefix("**").map(|l| l.trim_end_matches(':')).and_then(|l| l.strip_suffix("**")).filter(|l| !l.contains('*'));
    let text = marked.or_else(bold)?.trim();
    (!text.is_empty() && text.len() <= MOST_HEADING).then_some((text, length))
}

fn is_trace(code: &str) -> bool {
    code.contains("Traceback")
        || code.contains("File \"")
        || code.contains("\n\tat ")
        || code.contains("    at ")
        || code.contains("Exception")
}

/// The text up to so many bytes, cut at a character.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tokens: &Tokens, range: Range<usize>) -> String {
        range.map(|i| tokens.get(i)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_ticket_is_taken_apart() {
        let body = "It fails. See https://x.example/a?b\n\n### Steps to reproduce\n1. call it\n```py\nTraceback: boom\n```\n<!-- hidden -->\n**Expected**\nNo ERROR. Why does it fail?";
        let got = Document::of("Call fails?", body);
        assert_eq!(words(&got.title, 0..got.title.len()), "call fails ?");
        assert_eq!(words(&got.headings, 0..got.headings.len()), "steps to reproduce hidden expected");
        assert_eq!((got.heading_ends.as_slice(), got.seen.headings), ([3, 4, 5].as_slice(), 2));
        assert_eq!(words(&got.prose, got.first.clone()), "it fails");
        assert_eq!(words(&got.prose, got.questions[0].clone()), "why does it fail ?");
        assert!(words(&got.code, 0..got.code.len()).starts_with("py traceback : boom"));
        assert!(!words(&got.prose, 0..got.prose.len()).contains("hidden"));
        assert!(got.ends_with_question && got.seen.trace && got.seen.links && got.seen.shouts == 1);
    }

    #[test]
    fn broken_markup_and_other_letters_are_read_to_the_end() {
        for body in ["```", "<!--", "![", "<img", "# ", "<!-->", "**", "é```é", "[x", "https://", "ü?\n\n?", "\u{200b}:)"] {
            let got = Document::of(body, body);
            assert!(got.prose.len() < 10, "{body}");
        }
    }
}
