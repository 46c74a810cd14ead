//! Decisions on themes, as they are published, as rules.

use groundswell_contract::{ThemeAction, ThemeDecision, ThemeStatus};
use groundswell_model::Timestamp;
use groundswell_themes::{ThemeId, What};
use xxhash_rust::xxh3::xxh3_128;

use crate::search::RulesByApi;

/// A decision that means something.
#[derive(Debug)]
pub(crate) struct Decision {
    api: String,
    time: i64,
    event: u128,
    theme: ThemeId,
    what: What,
}

impl Decision {
    /// Takes it into the rules of its API.
    pub(crate) fn take(self, rules: &mut RulesByApi) {
        rules.entry(self.api).or_default().take(self.time, self.event, self.theme, self.what);
    }
}

/// Reads a decision; none if it names no theme, or asks for something that needs more than it tells.
pub(crate) fn read(decision: &ThemeDecision, time: Timestamp) -> Option<Decision> {
    let theme: ThemeId = decision.theme.parse().ok()?;
    let what = match decision.action {
        ThemeAction::Rename => What::Rename(decision.name.clone()?),
        ThemeAction::Merge => What::Merge(decision.into.as_deref()?.parse().ok()?),
        ThemeAction::Split => What::Split {
            query: decision.query.clone().unwrap_or_default(),
            feedback: decision.feedback.iter().map(|f| (f.source.clone(), f.id.clone())).collect(),
            name: decision.name.clone(),
        },
        ThemeAction::Pin => What::Pin,
        ThemeAction::Unpin => What::Unpin,
        ThemeAction::Hide => What::Hide,
        ThemeAction::Show => What::Show,
        ThemeAction::Decide => {
            What::Decide { status: status(decision.status?).to_owned(), version: decision.api_version.clone(), note: decision.note.clone() }
        }
    };
    // What it says tells it from another of the same time; the same said twice is one.
    let said = serde_json::to_vec(decision).unwrap_or_default();
    Some(Decision { api: decision.api.clone(), time: time.0, event: xxh3_128(&said), theme, what })
}

fn status(status: ThemeStatus) -> &'static str {
    match status {
        ThemeStatus::Open => "open",
        ThemeStatus::Planned => "planned",
        ThemeStatus::Declined => "declined",
        ThemeStatus::Shipped => "shipped",
    }
}
