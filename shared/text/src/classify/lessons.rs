//! The lessons that people gave, by source: kept within bounds, and learnt from when the next text of that source comes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::OnceLock;

use super::Lesson;
use crate::model::{Judged, Learnt, Taught, Vector};

/// Most lessons of one source: learning takes time with their third power, and stays far below a tenth of a second.
const MOST_OF_SOURCE: usize = 256;
/// Most features of all lessons together; what is learnt from them takes as much memory again, some 40 MB in all.
const MOST_VALUES: usize = 2_000_000;

/// One text that a person judged.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The higher, the later it was given.
    order: u64,
    text: u128,
    /// What the person said, without the text.
    pub(super) said: Lesson,
    taught: Taught,
}

#[derive(Clone, Debug, Default)]
struct Source {
    /// By identity, so that the same lessons teach the same in whatever order they came.
    lessons: BTreeMap<u128, Kept>,
    learnt: OnceLock<Learnt>,
}

/// All lessons.
#[derive(Clone, Debug, Default)]
pub(super) struct Lessons {
    sources: HashMap<String, Source>,
    source_of: HashMap<u128, String>,
    /// Identities with the order of their lesson, the oldest first. Some may be gone or given again.
    given: VecDeque<(u64, u128)>,
    next: u64,
    values: usize,
}

/// The hash of a text.
fn text_hash(title: &str, body: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(title.len() as u64).to_le_bytes()).update(title.as_bytes()).update(body.as_bytes());
    hasher.finalize().as_bytes().first_chunk().copied().map_or(0, u128::from_le_bytes)
}

/// A lesson as it is learnt from.
pub(super) const fn taught(vector: Vector, answers: Vec<Option<Judged>>) -> Taught {
    Taught { vector, answers }
}

impl Lessons {
    /// Keeps a lesson. The oldest ones of its source, or of all, are forgotten where there are too many.
    pub(super) fn keep(&mut self, lesson: &Lesson, taught: Taught) {
        self.forget(lesson.identity);
        self.next += 1;
        self.values += taught.vector.len();
        let said = Lesson { title: String::new(), body: String::new(), ..lesson.clone() };
        let kept = Kept { order: self.next, text: text_hash(&lesson.title, &lesson.body), said, taught };
        self.given.push_back((self.next, lesson.identity));
        self.source_of.insert(lesson.identity, lesson.source.clone());
        let source = self.sources.entry(lesson.source.clone()).or_default();
        source.lessons.insert(lesson.identity, kept);
        source.learnt = OnceLock::new();
        if source.lessons.len() > MOST_OF_SOURCE {
            let oldest = source.lessons.iter().min_by_key(|(_, kept)| kept.order).map(|(identity, _)| *identity);
            oldest.into_iter().for_each(|identity| self.forget(identity));
        }
        while self.values > MOST_VALUES
            && let Some((order, identity)) = self.given.pop_front()
        {
            if self.is_current(order, identity) {
                self.forget(identity);
            }
        }
        if self.given.len() > 2 * self.source_of.len() + 64 {
            let given = std::mem::take(&mut self.given);
            self.given = given.into_iter().filter(|(order, identity)| self.is_current(*order, *identity)).collect();
        }
    }

    fn is_current(&self, order: u64, identity: u128) -> bool {
        let source = self.source_of.get(&identity).and_then(|name| self.sources.get(name));
        source.and_then(|s| s.lessons.get(&identity)).is_some_and(|kept| kept.order == order)
    }

    /// Forgets a lesson, where it is there.
    pub(super) fn forget(&mut self, identity: u128) {
        let Some(name) = self.source_of.remove(&identity) else { return };
        let Some(source) = self.sources.get_mut(&name) else { return };
        if let Some(kept) = source.lessons.remove(&identity) {
            self.values -= kept.taught.vector.len();
        }
        source.learnt = OnceLock::new();
        if source.lessons.is_empty() {
            self.sources.remove(&name);
        }
    }

    /// What was learnt from the lessons of a source, if it has any. Learnt once, when it is first asked for.
    pub(super) fn learnt(&self, source: Option<&str>) -> Option<&Learnt> {
        let source = self.sources.get(source?)?;
        Some(source.learnt.get_or_init(|| Learnt::of(&source.lessons.values().map(|k| &k.taught).collect::<Vec<_>>())))
    }

    /// What people said about this very text of a source, the latest first.
    pub(super) fn of_text(&self, source: Option<&str>, title: &str, body: &str) -> Vec<&Kept> {
        let Some(source) = source.and_then(|s| self.sources.get(s)) else { return Vec::new() };
        let text = text_hash(title, body);
        let mut kept: Vec<&Kept> = source.lessons.values().filter(|k| k.text == text).collect();
        kept.sort_by_key(|k| std::cmp::Reverse(k.order));
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(source: &str, identity: u128) -> Lesson {
        Lesson { source: source.to_owned(), identity, body: format!("text {identity}"), ..Lesson::default() }
    }

    fn taught(values: u32) -> Taught {
        Taught { vector: (0..values).map(|key| (key, 0.1)).collect(), answers: Vec::new() }
    }

    #[test]
    fn the_oldest_lessons_of_a_source_make_room() {
        let mut lessons = Lessons::default();
        for identity in 0..300 {
            lessons.keep(&lesson("one", identity), taught(1));
        }
        lessons.keep(&lesson("two", 1000), taught(1));
        assert_eq!((lessons.source_of.len(), lessons.values), (MOST_OF_SOURCE + 1, MOST_OF_SOURCE + 1));
        assert!(lessons.of_text(Some("one"), "", "text 43").is_empty() && lessons.of_text(Some("one"), "", "text 44").len() == 1);
    }

    #[test]
    fn the_features_of_all_lessons_are_bounded() {
        let mut lessons = Lessons::default();
        for identity in 0..1000 {
            lessons.keep(&lesson(&format!("source {}", identity % 10), identity), taught(4096));
        }
        assert!(lessons.values <= MOST_VALUES && lessons.values > MOST_VALUES / 2 && lessons.given.len() < 1000);
    }

    #[test]
    fn a_lesson_given_again_is_young_and_a_forgotten_one_gone() {
        let mut lessons = Lessons::default();
        for _ in 0..1000 {
            lessons.keep(&lesson("one", 1), taught(3));
            lessons.keep(&lesson("one", 2), taught(3));
        }
        assert!(lessons.values == 6 && lessons.given.len() < 100);
        lessons.forget(1);
        lessons.forget(2);
        assert!(lessons.learnt(Some("one")).is_none() && lessons.values == 0 && lessons.sources.is_empty());
    }
}
