//! Names given by the caller, found as whole words.

/// Names that are also everyday words: they count only with a capital letter.
const EVERYDAY: &[&str] = &[
    "will", "mark", "may", "april", "june", "august", "rose", "grace", "hope", "faith", "joy", "bill", "art", "jack", "pat", "rob", "sue",
    "drew", "chase", "grant", "miles", "summer", "dawn", "iris", "ray", "guy", "penny", "ruby", "pearl", "amber", "olive", "jean", "carol",
    "gene", "frank", "max", "page", "young", "long", "king", "brown", "green", "black", "white", "gray", "stone", "wood", "bush", "field",
    "case", "price", "bond", "little", "best", "short", "rich", "day", "love", "cook", "baker", "fisher", "hunter", "mason", "carter",
    "taylor", "bell", "hall", "lane", "hill", "park", "banks", "marsh", "rivers", "post", "key", "keys", "read", "small", "power", "law",
    "do", "an", "he", "so", "to", "in", "my", "sun", "lee",
];
/// Parts of names that are no name alone.
const PARTICLES: &[&str] = &[
    "de", "da", "do", "di", "du", "von", "van", "der", "den", "la", "le", "el", "al", "bin", "ibn", "und", "and", "mr", "mrs", "ms", "dr",
];

struct Word {
    lower: Vec<char>,
    everyday: bool,
}

/// The words of the names.
pub(super) struct Names {
    words: Vec<Word>,
    /// Which bytes a name can start with.
    first: [bool; 256],
}

impl Names {
    /// None where there is nothing to look for.
    pub(super) fn new(names: &[&str]) -> Option<Self> {
        let mut found = Self { words: Vec::new(), first: [false; 256] };
        for name in names {
            name.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"')).for_each(|w| found.add(w));
        }
        // The longest first: "Anne-Marie" before "Anne".
        found.words.sort_by_key(|w| std::cmp::Reverse(w.lower.len()));
        (!found.words.is_empty()).then_some(found)
    }

    fn add(&mut self, word: &str) {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
        let plain: String = lower.iter().collect();
        let unspaced = lower.first().is_some_and(|c| is_unspaced(*c));
        let too_short = lower.iter().filter(|c| c.is_alphabetic()).count() < 2;
        // One letter of an unspaced script is a syllable of many words.
        if too_short || PARTICLES.contains(&plain.as_str()) || word.contains('@') || (unspaced && lower.len() < 2) {
            return;
        }
        for first in word.chars().next().into_iter().flat_map(|c| c.to_lowercase().chain(c.to_uppercase()).chain([c])) {
            let mut buffer = [0; 4];
            if let Some(b) = first.encode_utf8(&mut buffer).as_bytes().first() {
                self.first[usize::from(*b)] = true;
            }
        }
        self.words.push(Word { everyday: EVERYDAY.contains(&plain.as_str()), lower });
    }

    /// The end of the name that starts at `at`, a character boundary.
    pub(super) fn find(&self, text: &str, at: usize) -> Option<usize> {
        if !self.first[usize::from(text.as_bytes().get(at).copied()?)] {
            return None;
        }
        let left = text.get(..at)?.chars().next_back();
        let rest = text.get(at..)?;
        self.words.iter().find_map(|word| word.end_in(rest, left)).map(|length| at + length)
    }
}

impl Word {
    fn end_in(&self, rest: &str, left: Option<char>) -> Option<usize> {
        let mut wanted = self.lower.iter().copied();
        let mut length = 0;
        let mut chars = rest.chars();
        if self.everyday && !rest.starts_with(char::is_uppercase) {
            return None;
        }
        while wanted.len() > 0 {
            let c = chars.next()?;
            if !c.to_lowercase().all(|l| wanted.next() == Some(l)) {
                return None;
            }
            length += c.len_utf8();
        }
        let edge = |c: Option<char>, own: Option<&char>| {
            c.is_none_or(|c| !c.is_alphanumeric() || is_unspaced(c) || own.is_some_and(|o| is_unspaced(*o)))
        };
        (edge(left, self.lower.first()) && edge(chars.next(), self.lower.last())).then_some(length)
    }
}

fn is_unspaced(c: char) -> bool {
    c >= '\u{2E80}'
}
