//! Lists of words that tell how a version is meant, from `words.txt`.

use std::sync::LazyLock;

use hashbrown::HashMap;

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

    /// Whether a word, in lower case, is in the list; or a run of Japanese holds one of its words.
    pub(super) fn has(self, word: &str) -> bool {
        Lists::of(word).have(self)
    }

    /// Whether a word begins like one of the list.
    pub(super) fn begins(self, word: &str) -> bool {
        let begins = WORDS.beginnings[self as usize].iter().any(|w| word.starts_with(w));
        begins || (!word.is_ascii() && WORDS.inside[self as usize].iter().any(|w| word.contains(w)))
    }
}

/// The lists that a word is in, looked up once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lists(u32);

impl Lists {
    /// Those of a word in lower case.
    pub(super) fn of(word: &str) -> Self {
        let whole = WORDS.whole.get(word).copied().unwrap_or_default();
        if word.is_ascii() {
            return whole;
        }
        let inside = List::ALL.iter().filter(|(list, _)| WORDS.inside[*list as usize].iter().any(|w| word.contains(w)));
        inside.fold(whole, |all, (list, _)| all.and(*list))
    }

    pub(super) fn have(self, list: List) -> bool {
        self.0 & (1 << list as u32) != 0
    }

    fn and(self, list: List) -> Self {
        Self(self.0 | (1 << list as u32))
    }
}

#[derive(Debug, Default)]
struct Words {
    whole: HashMap<&'static str, Lists>,
    /// By list: its words.
    beginnings: Vec<Vec<&'static str>>,
    /// By list: what a run of Japanese may hold.
    inside: Vec<Vec<&'static str>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let text = include_str!("words.txt");
    let of = |name: &str| -> Vec<&'static str> {
        let section = text.split("\n## ").find(|s| s.lines().next() == Some(name));
        section.map_or_else(Vec::new, |s| s.lines().skip(1).flat_map(str::split_whitespace).collect())
    };
    let mut words = Words::default();
    for (list, name) in List::ALL {
        for word in of(name) {
            let lists = words.whole.entry(word).or_default();
            *lists = lists.and(list);
        }
        words.beginnings.push(of(name));
        words.inside.push(of(&format!("{name}_in")));
    }
    words
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_words() {
        for (at, (list, name)) in List::ALL.iter().enumerate() {
            assert_eq!(*list as usize, at, "{name}");
            assert!(!WORDS.beginnings[at].is_empty(), "{name}");
        }
        assert!(List::Trouble.has("fails") && List::Trouble.has("エラーになる") && !List::Trouble.has("fine"));
        assert!(List::Move.begins("migrated") && List::Back.begins("rollback"));
    }
}
