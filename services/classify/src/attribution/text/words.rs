//! Lists of words that tell how a version is meant, from `words.txt`.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Begin a new clause.
    Split,
    /// Before a version's number.
    Version,
    /// Things with versions of their own.
    Foreign,
    /// Kinds of such things.
    Library,
    /// Other people's things.
    Others,
    /// Negations.
    Not,
    /// It works there.
    Fine,
    /// With a negation: it does not happen there.
    Seen,
    /// It fails there.
    Trouble,
    /// Somebody read or said it.
    Hearsay,
    /// Nothing that happened yet.
    Plans,
    /// It was so once, or stands aside.
    Past,
    /// Before what is left.
    From,
    /// Before where one goes.
    To,
    /// Between both.
    Arrow,
    /// Beginnings of verbs of moving on.
    Move,
    /// Beginnings of words of going back.
    Back,
    /// What follows happened from then on.
    Since,
    /// Put something in the place of another.
    Instead,
    /// Begin a question.
    Ask,
    /// Say nothing but that somebody is there.
    Place,
}

impl List {
    const ALL: [(Self, &'static str); 21] = [
        (Self::Split, "split"),
        (Self::Version, "version"),
        (Self::Foreign, "foreign"),
        (Self::Library, "library"),
        (Self::Others, "others"),
        (Self::Not, "not"),
        (Self::Fine, "fine"),
        (Self::Seen, "seen"),
        (Self::Trouble, "trouble"),
        (Self::Hearsay, "hearsay"),
        (Self::Plans, "plans"),
        (Self::Past, "past"),
        (Self::From, "from"),
        (Self::To, "to"),
        (Self::Arrow, "arrow"),
        (Self::Move, "move"),
        (Self::Back, "back"),
        (Self::Since, "since"),
        (Self::Instead, "instead"),
        (Self::Ask, "ask"),
        (Self::Place, "place"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(list, _)| *list == self).map_or("", |(_, name)| name)
    }

    fn words(self) -> &'static Words {
        &WORDS[self as usize]
    }

    /// Whether a word, in lower case, is in the list; or a run of Japanese holds one of its words.
    pub(super) fn has(self, word: &str) -> bool {
        let words = self.words();
        words.whole.contains(word) || (!word.is_ascii() && words.inside.iter().any(|w| word.contains(w)))
    }

    /// Whether a word begins like one of the list.
    pub(super) fn begins(self, word: &str) -> bool {
        let words = self.words();
        words.beginnings.iter().any(|w| word.starts_with(w)) || (!word.is_ascii() && words.inside.iter().any(|w| word.contains(w)))
    }
}

#[derive(Debug, Default)]
struct Words {
    whole: HashSet<&'static str>,
    beginnings: Vec<&'static str>,
    inside: Vec<&'static str>,
}

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let text = include_str!("words.txt");
    let of = |name: &str| -> Vec<&'static str> {
        let section = text.split("\n## ").find(|s| s.lines().next() == Some(name));
        section.map_or_else(Vec::new, |s| s.lines().skip(1).flat_map(str::split_whitespace).collect())
    };
    let read = |(list, _): &(List, &str)| {
        let words = of(list.name());
        Words { whole: words.iter().copied().collect(), beginnings: words, inside: of(&format!("{}_in", list.name())) }
    };
    List::ALL.iter().map(read).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_words() {
        for (at, (list, name)) in List::ALL.iter().enumerate() {
            assert_eq!(*list as usize, at, "{name}");
            assert!(!list.words().whole.is_empty(), "{name}");
        }
        assert!(List::Trouble.has("fails") && List::Trouble.has("エラーになる") && !List::Trouble.has("fine"));
        assert!(List::Move.begins("migrated") && List::Back.begins("rollback"));
    }
}
