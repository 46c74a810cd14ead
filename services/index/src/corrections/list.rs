//! The answers about corrections: what was asked, what stands, and how right the machine was.

use std::sync::Arc;

use groundswell_contract::decisions::FeedbackRef;
use groundswell_contract::{Correction, MachineLabels};
use groundswell_model::{Insight, UNKNOWN_VERSION};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::precision::{LabelPrecision, Precision};
use super::{Shared, Standing};
use crate::search::{SearchError, Snapshot, Stored};

/// Characters of a title or text in a list.
const SHOWN: usize = 120;

/// What a person says of one piece of feedback: the body of `POST /v1/corrections`. What is absent stays as it is,
/// an earlier correction of it included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CorrectionRequest {
    /// `source` of the feedback.
    pub source: String,
    /// `id` of the feedback.
    pub id: String,
    /// The right type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The right aspects, all of them; an empty list says that there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspects: Option<Vec<String>>,
    /// The right sentiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<String>,
    /// The right severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The right language (ISO 639-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The right version of the same API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Take back all that was corrected before.
    pub withdraw: bool,
    /// Allow types, aspects and versions that are not known yet.
    pub new_names: bool,
    /// Who says so; the name of the key where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The answer to a correction: it is durable, and seen in searches within a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionTaken {
    /// CloudEvents identity of the correction.
    pub event: FeedbackRef,
    /// The feedback it is about.
    pub of: FeedbackRef,
    /// What stands from now on, head by head.
    pub heads: Vec<HeadJudged>,
    /// Whether what was corrected before is taken back.
    pub withdrawn: bool,
}

/// One head of one piece of feedback: the machine's word and the person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeadJudged {
    /// `type`, `aspect`, `sentiment`, `severity`, `language` or `version`.
    pub head: String,
    /// What the machine said; empty for nothing.
    pub machine: Vec<String>,
    /// What the person says.
    pub person: Vec<String>,
    /// Whether they say the same.
    pub confirmed: bool,
}

/// A correction that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionListed {
    /// The feedback it is about.
    pub of: FeedbackRef,
    /// When it was made, RFC 3339.
    pub at: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Head by head.
    pub heads: Vec<HeadJudged>,
    /// The API of the feedback; absent while the feedback has not come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The beginning of its title or text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// `GET /v1/corrections`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionsAnswer {
    /// How many stand.
    pub total: u64,
    /// How many were withdrawn.
    pub withdrawn: u64,
    /// The newest of them.
    pub corrections: Vec<CorrectionListed>,
    /// How right the machine was, label by label, over all that stand. People look at what looks wrong first, so this is
    /// about what was looked at.
    pub labels: Vec<LabelPrecision>,
}

/// Which corrections are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only feedback of this source.
    pub source: Option<String>,
    /// Only feedback on this API.
    pub api: Option<String>,
    /// At most so many in the list.
    pub limit: usize,
}

/// What the machine said of an insight.
#[must_use]
pub fn machine_labels(insight: &Insight<'_>) -> MachineLabels {
    let labels = &insight.labels;
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let version = insight.versions.iter().max_by(|a, b| a.weight.total_cmp(&b.weight).then_with(|| b.version.cmp(a.version)));
    MachineLabels {
        kind: name(&labels.kind.name),
        aspects: labels.aspects.iter().map(|a| a.name.clone()).collect(),
        sentiment: name(&labels.sentiment.name),
        severity: name(&labels.severity.name),
        language: name(&labels.language.name),
        api_version: version.map(|v| v.version.to_owned()).filter(|v| v != UNKNOWN_VERSION),
        model: name(&labels.model),
    }
}

/// A correction beside the machine's word, head by head.
#[must_use]
pub fn heads(said: &Correction, machine: &MachineLabels) -> Vec<HeadJudged> {
    let single = [
        ("type", &said.kind, &machine.kind),
        ("sentiment", &said.sentiment, &machine.sentiment),
        ("severity", &said.severity, &machine.severity),
        ("language", &said.language, &machine.language),
        ("version", &said.api_version, &machine.api_version),
    ];
    let judged = |head: &str, machine: Vec<String>, person: Vec<String>| {
        let sorted = |names: &[String]| names.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        HeadJudged { head: head.to_owned(), confirmed: sorted(&machine) == sorted(&person), machine, person }
    };
    let mut heads: Vec<HeadJudged> = single
        .into_iter()
        .filter_map(|(head, said, machine)| Some(judged(head, machine.iter().cloned().collect(), vec![said.clone()?])))
        .collect();
    if let Some(aspects) = &said.aspects {
        heads.insert(heads.len().min(1), judged("aspect", machine.aspects.clone(), aspects.clone()));
    }
    heads
}

/// Everything that stands, and how right the machine was.
///
/// # Errors
/// The index can't be read.
pub fn list(snapshots: &[Arc<Snapshot>], table: &Shared, wanted: &Wanted) -> Result<CorrectionsAnswer, SearchError> {
    let mut answer = CorrectionsAnswer::default();
    let mut precision = Precision::default();
    for (identity, standing) in table.with(super::Corrections::all) {
        if wanted.source.as_ref().is_some_and(|source| *source != standing.correction.of.source) {
            continue;
        }
        if !standing.stands() {
            answer.withdrawn += u64::from(wanted.api.is_none());
            continue;
        }
        let stored = find(snapshots, identity)?;
        let original = stored.as_ref().and_then(Stored::original);
        if wanted.api.as_deref().is_some_and(|api| original.as_ref().is_none_or(|o| o.api != api)) {
            continue;
        }
        let machine = standing.correction.machine.clone().or_else(|| original.as_ref().map(machine_labels));
        answer.total += 1;
        if let Some(machine) = &machine {
            precision.count(&standing.correction, machine);
        }
        if answer.corrections.len() < wanted.limit {
            answer.corrections.push(listed(&standing, original.as_ref(), &machine.unwrap_or_default()));
        }
    }
    answer.labels = precision.labels();
    Ok(answer)
}

/// What is stored of a piece of feedback.
///
/// # Errors
/// The index can't be read.
pub fn find(snapshots: &[Arc<Snapshot>], identity: groundswell_model::IdentityHash) -> Result<Option<Stored>, SearchError> {
    for snapshot in snapshots {
        if let Some(stored) = snapshot.find(identity)? {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

fn listed(standing: &Standing, original: Option<&Insight<'_>>, machine: &MachineLabels) -> CorrectionListed {
    let said = &standing.correction;
    let text = original.map(|o| if o.title.is_empty() { o.body } else { o.title });
    CorrectionListed {
        of: said.of.clone(),
        at: standing.at.rfc3339(),
        by: said.by.clone(),
        note: said.note.clone(),
        heads: heads(said, machine),
        api: original.map(|o| o.api.to_owned()),
        text: text.map(|t| t.chars().take(SHOWN).collect()),
    }
}

/// A corrected text, as `groundswell model train --in` reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Taught {
    /// Title, redacted.
    pub title: String,
    /// Body or comment, redacted.
    pub body: String,
    /// What a person says it is: one label, or all aspects.
    pub label: serde_json::Value,
    /// Where the feedback came from.
    pub source: String,
    /// Its id there.
    pub id: String,
}

/// The corrected texts of one head, oldest correction first.
///
/// # Errors
/// The index can't be read.
pub fn taught(snapshots: &[Arc<Snapshot>], table: &Shared, head: Head) -> Result<Vec<Taught>, SearchError> {
    let mut all = Vec::new();
    for (identity, standing) in table.with(super::Corrections::all).into_iter().rev().filter(|(_, s)| s.stands()) {
        let Some(label) = head.of(&standing.correction) else { continue };
        let Some(stored) = find(snapshots, identity)? else { continue };
        let Some(insight) = stored.insight() else { continue };
        all.push(Taught {
            title: insight.title.to_owned(),
            body: insight.body.to_owned(),
            label,
            source: insight.source.to_owned(),
            id: insight.id.to_owned(),
        });
    }
    Ok(all)
}

/// A head that texts can be taught to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// What kind of feedback it is.
    #[default]
    Type,
    /// What it is about.
    Aspect,
    /// How it sounds.
    Sentiment,
    /// How bad it is.
    Severity,
    /// Its language.
    Language,
}

impl Head {
    fn of(self, said: &Correction) -> Option<serde_json::Value> {
        let single = match self {
            Self::Aspect => return said.aspects.as_ref().map(|a| a.clone().into()),
            Self::Type => &said.kind,
            Self::Sentiment => &said.sentiment,
            Self::Severity => &said.severity,
            Self::Language => &said.language,
        };
        single.as_ref().map(|label| label.clone().into())
    }
}
