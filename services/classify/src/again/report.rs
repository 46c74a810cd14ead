//! What would move, or moved: counts and examples.

use std::collections::BTreeMap;

use groundswell_model::insight::Label;
use groundswell_model::{Insight, Labels};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kinds of moves told apart; further ones are counted together.
const MOST_KINDS: usize = 10_000;
/// Kinds of moves listed, most frequent first.
const LISTED: usize = 100;
/// Examples of each.
const EXAMPLES: usize = 3;
/// Characters of an example's title or text.
const SHOWN: usize = 100;

/// Which look it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Attribution to API, version and operation.
    Reattribute,
    /// Labels.
    Reclassify,
}

/// The answer of `reattribute` and `reclassify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Which look it was.
    pub what: What,
    /// Only feedback on this API; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The model that was asked, for labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Pieces of feedback looked at.
    pub looked_at: u64,
    /// Of them, how many stay as they are.
    pub unchanged: u64,
    /// Of them, how many change.
    pub changed: u64,
    /// Feedback that stays as it is because `events` no longer keeps it.
    pub not_kept: u64,
    /// How many were swapped; 0 in a dry run.
    pub swapped: u64,
    /// Of those swapped, how many live evidence moved meanwhile: its word stands.
    pub moved_meanwhile: u64,
    /// From what to what, most frequent first.
    pub moves: Vec<Move>,
    #[serde(skip)]
    kinds: BTreeMap<(&'static str, String, String), Counted>,
}

/// How far a new look at history is: the answer of `GET /v1/reattribute` and `GET /v1/reclassify`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Looking {
    /// Which look is at work; absent if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<What>,
    /// Records read of the topics of history, each time they are read.
    pub read: u64,
    /// Records that are to be read.
    pub of: u64,
    /// The last report since the process was started, for those whose connection was lost before they had it; of this route alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Report>,
    /// Why the last look of this route gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// One kind of move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// `version`, `type`, `aspect`, `sentiment`, `severity` or `language`.
    pub head: String,
    /// What was said before.
    pub from: String,
    /// What is said now.
    pub to: String,
    /// How often.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// One piece of feedback that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// Its `source`.
    pub source: String,
    /// Its `id`.
    pub id: String,
    /// The beginning of its title or text.
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Counted {
    count: u64,
    examples: Vec<Example>,
}

impl Report {
    pub(super) fn new(what: What, api: Option<String>) -> Self {
        Self {
            what,
            api,
            model: None,
            looked_at: 0,
            unchanged: 0,
            changed: 0,
            not_kept: 0,
            swapped: 0,
            moved_meanwhile: 0,
            moves: Vec::new(),
            kinds: BTreeMap::new(),
        }
    }

    /// It stays as it is; `looked_at` tells whether there was anything to look at.
    pub(super) fn same(&mut self, looked_at: bool) {
        if looked_at {
            (self.looked_at, self.unchanged) = (self.looked_at + 1, self.unchanged + 1);
        } else {
            self.not_kept += 1;
        }
    }

    /// It moves.
    pub(super) fn moved(&mut self, insight: &Insight<'_>, head: &'static str, from: &str, to: &str) {
        (self.looked_at, self.changed) = (self.looked_at + 1, self.changed + 1);
        self.count(insight, head, from, to);
    }

    /// Counts every head whose label changes; the answer is whether one does, or the model that said so.
    pub(super) fn relabelled(&mut self, insight: &Insight<'_>, now: &Labels) -> bool {
        let before = &insight.labels;
        let aspects = |labels: &Labels| {
            let mut names: Vec<&str> = labels.aspects.iter().map(|a| a.name.as_str()).collect();
            names.sort_unstable();
            if names.is_empty() { "none".to_owned() } else { names.join("+") }
        };
        let name = |label: &Label| label.name.clone();
        let heads = [
            ("type", name(&before.kind), name(&now.kind)),
            ("aspect", aspects(before), aspects(now)),
            ("sentiment", name(&before.sentiment), name(&now.sentiment)),
            ("severity", name(&before.severity), name(&now.severity)),
            ("language", name(&before.language), name(&now.language)),
        ];
        let differ: Vec<_> = heads.into_iter().filter(|(_, from, to)| from != to).collect();
        if differ.is_empty() {
            return false;
        }
        (self.looked_at, self.changed) = (self.looked_at + 1, self.changed + 1);
        differ.into_iter().for_each(|(head, from, to)| self.count(insight, head, &from, &to));
        true
    }

    fn count(&mut self, insight: &Insight<'_>, head: &'static str, from: &str, to: &str) {
        let mut key = (head, from.to_owned(), to.to_owned());
        if self.kinds.len() >= MOST_KINDS && !self.kinds.contains_key(&key) {
            key = (head, "other".to_owned(), "other".to_owned());
        }
        let counted = self.kinds.entry(key).or_default();
        counted.count += 1;
        if counted.examples.len() < EXAMPLES {
            let text = if insight.title.is_empty() { insight.body } else { insight.title };
            let text = text.chars().take(SHOWN).collect();
            counted.examples.push(Example { source: insight.source.to_owned(), id: insight.id.to_owned(), text });
        }
    }

    /// The report, ready to be shown.
    #[must_use]
    pub fn finished(mut self) -> Self {
        let kinds = std::mem::take(&mut self.kinds);
        let one = |((head, from, to), Counted { count, examples }): ((&'static str, String, String), Counted)| Move {
            head: head.to_owned(),
            from,
            to,
            count,
            examples,
        };
        self.moves = kinds.into_iter().map(one).collect();
        self.moves.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.head, &a.from, &a.to).cmp(&(&b.head, &b.from, &b.to))));
        self.moves.truncate(LISTED);
        self
    }
}
