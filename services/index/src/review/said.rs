//! What consumers said about both versions: feedback, and hits of custom guardrails' searches.

use std::collections::BTreeSet;

use groundswell_model::Timestamp;
use groundswell_review::input::{ConsumerInput, CustomCount, FeedbackItem, Score, Window};
use hashbrown::HashMap;

use super::{Custom, Question, SIDES, Side};
use crate::search::{Said, SearchError, Snapshot, VersionView, Wanted, each_said};

/// What was said, by place.
#[derive(Default)]
pub(super) struct Spoken {
    /// Who said something and never called: they stand behind all who did.
    strangers: Vec<String>,
    feedback: Vec<Piece<FeedbackItem>>,
    hits: Vec<Piece<CustomCount>>,
    /// Pieces of feedback that name nobody.
    pub(super) unnamed: u64,
    /// Names of the models that labelled it.
    pub(super) models: BTreeSet<String>,
}

/// One piece, with what puts it in order.
struct Piece<T> {
    place: usize,
    side: Side,
    time: Timestamp,
    tie: u64,
    told: T,
}

impl Spoken {
    /// Reads what was said in the window; `names` are those of who called, by place.
    pub(super) fn read(snapshot: &Snapshot, question: &Question, window: Window, names: &[String]) -> Result<Self, SearchError> {
        let mut spoken = Self::default();
        let mut places: HashMap<String, usize> = names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        let times = Some((window.from.start(), window.until.start()));
        for (side, version) in SIDES.into_iter().zip([&question.version, &question.baseline]) {
            let Some(index) = snapshot.version(&question.api, version) else { continue };
            spoken.feedback(index, side, Wanted { times, ..Wanted::default() }, &mut places)?;
            for (guardrail, (_, custom)) in (0u16..).zip(&question.custom) {
                if let Custom::Search(query) = custom {
                    let wanted = Wanted { query: Some(query), times, rules: Some(&question.rules) };
                    spoken.hits(index, side, wanted, guardrail, &places)?;
                }
            }
        }
        // Segments come in any order.
        spoken.feedback.sort_unstable_by_key(|piece| (piece.place, piece.time, piece.tie));
        spoken.hits.sort_unstable_by_key(|piece| (piece.place, piece.told.guardrail, piece.time, piece.tie));
        Ok(spoken)
    }

    /// What was said about one version. Who said something is listed even if it never called.
    fn feedback(
        &mut self,
        index: &VersionView,
        side: Side,
        wanted: Wanted<'_>,
        places: &mut HashMap<String, usize>,
    ) -> Result<(), SearchError> {
        let models = each_said(index, wanted, |said| {
            if said.consumer.is_empty() {
                self.unnamed += 1;
                return;
            }
            let next = places.len();
            let place = *places.entry_ref(said.consumer).or_insert_with(|| {
                self.strangers.push(said.consumer.to_owned());
                next
            });
            self.feedback.push(Piece { place, side, time: said.time, tie: said.tie, told: item(said) });
        })?;
        self.models.extend(models);
        Ok(())
    }

    /// Hits of a custom guardrail's search. Who said something is listed by now.
    fn hits(
        &mut self,
        index: &VersionView,
        side: Side,
        wanted: Wanted<'_>,
        guardrail: u16,
        places: &HashMap<String, usize>,
    ) -> Result<(), SearchError> {
        each_said(index, wanted, |said| {
            if let Some(place) = places.get(said.consumer) {
                let told = CustomCount { guardrail, day: said.time.day(), count: said.weight, exposure: None };
                self.hits.push(Piece { place: *place, side, time: said.time, tie: said.tie, told });
            }
        })?;
        Ok(())
    }

    /// Gives it to who said it. `consumers` are those who called, by place; by name again afterwards.
    pub(super) fn give(self, consumers: &mut Vec<ConsumerInput>) {
        let met = !self.strangers.is_empty();
        consumers.extend(self.strangers.into_iter().map(|name| ConsumerInput { name, ..ConsumerInput::default() }));
        for piece in self.feedback {
            piece.side.of(&mut consumers[piece.place]).feedback.push(piece.told);
        }
        for piece in self.hits {
            piece.side.of(&mut consumers[piece.place]).custom.push(piece.told);
        }
        if met {
            consumers.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
}

fn item(said: &Said<'_>) -> FeedbackItem {
    let score = said.answer.and_then(|(kind, score)| match kind {
        "nps" => Some(Score::Nps(score)),
        "csat" => Some(Score::Csat(score)),
        "ces" => Some(Score::Ces(score)),
        // A rating has a scale of its own, which no guardrail compares.
        _ => None,
    });
    FeedbackItem { day: said.time.day(), weight: said.weight, negative: said.sentiment == "negative", score }
}
