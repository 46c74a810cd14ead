//! A person's decision on a theme: checked, published, and felt at once.

use groundswell_bus::BusError;
use groundswell_contract::{Data, ThemeAction, ThemeDecision};
use groundswell_model::Timestamp;
use groundswell_themes::ThemeId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::rules;
use crate::Handle;
use crate::search::check_query;
use crate::voice::Voice;

/// What became of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// The API.
    pub api: String,
    /// The theme decided on.
    pub theme: String,
    /// What was decided.
    pub action: String,
    /// The theme that now has what was merged, or the part that was split off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<String>,
    /// CloudEvents `id` of the event that says so, on the catalogue topic.
    pub event: String,
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotDecided {
    /// It can't be understood; the text says what to change.
    #[error("{0}")]
    Asker(String),
    /// It could not be published; the same may be asked again.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Publishes decisions, and lays them over the themes of this process at once; the others read them from the catalogue topic.
pub struct Desk {
    voice: Voice,
    handle: Handle,
}

impl Desk {
    /// A desk that publishes with this voice.
    #[must_use]
    pub fn new(handle: Handle, voice: Voice) -> Self {
        Self { voice, handle }
    }

    /// Takes a decision: the fields of `groundswell.theme.v1` but `api` and `theme`.
    ///
    /// # Errors
    /// It can't be understood, or not be published.
    pub fn take(&self, api: &str, theme: ThemeId, mut said: Map<String, Value>, now: Timestamp) -> Result<Decided, NotDecided> {
        said.insert("api".into(), api.into());
        said.insert("theme".into(), theme.to_string().into());
        let id = format!("{:032x}", xxh3_128(format!("{} {}", now.0, Value::Object(said.clone())).as_bytes()));
        let event = json!({
            "specversion": "1.0", "type": "groundswell.theme.v1", "source": "/groundswell/themes", "id": id,
            "time": now.rfc3339(), "data": said,
        })
        .to_string();
        let (decision, time) = self.checked(event.as_bytes(), now)?;
        let gives = gives(theme, &decision)?;
        self.voice.say(format!("theme/{api}/{theme}"), event.into_bytes())?;
        // Read again from the topic it is the same decision, and changes nothing.
        if let Some(rule) = rules::read(&decision, time) {
            self.handle.change_rules(|all| rule.take(all));
        }
        let action = decision.action.name().to_owned();
        Ok(Decided { api: api.to_owned(), theme: theme.to_string(), action, gives: gives.map(|id| id.to_string()), event: id })
    }

    /// The decision in an event, checked.
    fn checked(&self, event: &[u8], now: Timestamp) -> Result<(ThemeDecision, Timestamp), NotDecided> {
        match self.voice.checked(event, now).map_err(|reject| NotDecided::Asker(reject.detail))? {
            (Data::Theme(decision), time) => Ok((*decision, time)),
            _ => Err(NotDecided::Asker("this is no decision on a theme".into())),
        }
    }
}

/// The other theme that a decision leads to.
fn gives(theme: ThemeId, decision: &ThemeDecision) -> Result<Option<ThemeId>, NotDecided> {
    match decision.action {
        ThemeAction::Merge => {
            let into = decision.into.as_deref().unwrap_or_default().parse::<ThemeId>();
            let into = into.map_err(|e| NotDecided::Asker(format!("into: {e}")))?;
            if into == theme {
                return Err(NotDecided::Asker("into: a theme can't be merged into itself".into()));
            }
            Ok(Some(into))
        }
        ThemeAction::Split => {
            let query = decision.query.clone().unwrap_or_default();
            if decision.feedback.is_empty() {
                check_query(&query).map_err(|e| NotDecided::Asker(format!("query: {e}")))?;
                return Ok(Some(theme.of_split(&query)));
            }
            let pieces: Vec<String> = decision.feedback.iter().map(|f| format!("{} {}", f.source, f.id)).collect();
            Ok(Some(theme.of_split(&pieces.join(" "))))
        }
        _ => Ok(None),
    }
}
