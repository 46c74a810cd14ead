//! What people corrected, as lessons for the classifier: the newest of each piece of feedback, bounded.

use std::collections::BTreeSet;

use groundswell_contract::Correction;
use groundswell_model::{IdentityHash, Timestamp};
use groundswell_text::classify::{Classifier, Lesson};
use hashbrown::HashMap;

/// Lessons kept at most; the oldest leave first.
pub const MOST: usize = 10_000;
/// Bytes of a body that are learnt from.
const MOST_BYTES: usize = 16 * 1024;

/// Which lessons the classifier has.
#[derive(Debug)]
pub struct Lessons {
    /// When each piece of feedback was corrected last, or its correction withdrawn.
    known: HashMap<u128, Timestamp>,
    oldest: BTreeSet<(Timestamp, u128)>,
    most: usize,
}

impl Default for Lessons {
    fn default() -> Self {
        Self::at_most(MOST)
    }
}

impl Lessons {
    /// None yet, and never more than so many.
    #[must_use]
    pub fn at_most(most: usize) -> Self {
        Self { known: HashMap::new(), oldest: BTreeSet::new(), most: most.max(1) }
    }

    /// How many pieces of feedback are known to have been corrected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing was corrected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Teaches a correction; of two about the same feedback the later one stands, of equal times the one read later.
    pub fn take(&mut self, correction: Correction, at: Timestamp, classifier: &mut dyn Classifier) {
        let identity = IdentityHash::of(&correction.of.source, &correction.of.id).0;
        if let Some(known) = self.known.insert(identity, at) {
            if known > at {
                self.known.insert(identity, known);
                return;
            }
            self.oldest.remove(&(known, identity));
        }
        self.oldest.insert((at, identity));
        match lesson(correction, identity) {
            Some(lesson) => classifier.learn(&lesson),
            None => classifier.forget(identity),
        }
        while self.oldest.len() > self.most {
            let Some((_, left)) = self.oldest.pop_first() else { break };
            self.known.remove(&left);
            classifier.forget(left);
        }
    }
}

/// The lesson of a correction; none where there is no text, or nothing that a text tells.
fn lesson(correction: Correction, identity: u128) -> Option<Lesson> {
    let Correction { of, kind, aspects, sentiment, severity, withdrawn, title, body, .. } = correction;
    let judged = kind.is_some() || aspects.is_some() || sentiment.is_some() || severity.is_some();
    let (title, mut body) = (title.unwrap_or_default(), body.unwrap_or_default());
    if withdrawn || !judged || (title.is_empty() && body.is_empty()) {
        return None;
    }
    body.truncate(body.floor_char_boundary(MOST_BYTES));
    Some(Lesson { source: of.source, identity, title, body, kind, aspects, sentiment, severity })
}

#[cfg(test)]
mod tests {
    use groundswell_contract::decisions::FeedbackRef;
    use groundswell_model::Labels;
    use groundswell_text::classify::Text;

    use super::*;

    #[derive(Default)]
    struct Heard(Vec<(bool, u128, Option<String>)>);

    impl Classifier for Heard {
        fn classify(&self, _: &Text<'_>) -> Labels {
            Labels::default()
        }
        fn name(&self) -> &'static str {
            "heard"
        }
        fn learn(&mut self, lesson: &Lesson) {
            self.0.push((true, lesson.identity, lesson.kind.clone()));
        }
        fn forget(&mut self, identity: u128) {
            self.0.push((false, identity, None));
        }
    }

    fn correction(id: &str, kind: &str) -> Correction {
        let of = FeedbackRef { source: "desk".into(), id: id.into() };
        let (kind, body) = (Some(kind.to_owned()), Some("It hurts.".to_owned()));
        Correction { of, kind, body, ..Correction::default() }
    }

    fn identity(id: &str) -> u128 {
        IdentityHash::of("desk", id).0
    }

    #[test]
    fn the_later_correction_is_learnt_and_an_earlier_one_that_comes_after_it_is_not() {
        let (mut lessons, mut heard) = (Lessons::default(), Heard::default());
        for (kind, at) in [("bug", 5), ("question", 7), ("praise", 6)] {
            lessons.take(correction("1", kind), Timestamp(at), &mut heard);
        }
        assert_eq!(heard.0, [(true, identity("1"), Some("bug".into())), (true, identity("1"), Some("question".into()))]);
    }

    #[test]
    fn what_is_withdrawn_or_too_old_is_forgotten() {
        let (mut lessons, mut heard) = (Lessons::at_most(2), Heard::default());
        for (id, at) in [("1", 1), ("2", 2), ("3", 3)] {
            lessons.take(correction(id, "bug"), Timestamp(at), &mut heard);
        }
        lessons.take(Correction { withdrawn: true, ..correction("3", "bug") }, Timestamp(4), &mut heard);
        assert_eq!(heard.0[3..], [(false, identity("1"), None), (false, identity("3"), None)]);
        assert_eq!(lessons.len(), 2);
    }

    #[test]
    fn without_a_text_there_is_nothing_to_learn() {
        let (mut lessons, mut heard) = (Lessons::default(), Heard::default());
        lessons.take(Correction { body: None, ..correction("1", "bug") }, Timestamp(1), &mut heard);
        lessons.take(Correction { kind: None, api_version: Some("v2".into()), ..correction("2", "bug") }, Timestamp(1), &mut heard);
        assert!(heard.0.iter().all(|(learnt, ..)| !learnt));
    }
}
