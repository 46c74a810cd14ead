//! What changed, as it is answered.

use std::collections::BTreeMap;

use groundswell_review::changes::Changed;
use groundswell_review::input::Provenance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::summary::types::{Money, Quote};

/// What changed from the baseline to a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// The version it is compared with.
    pub baseline: String,
    /// First day looked at, `YYYY-MM-DD`.
    pub from: String,
    /// First day no longer looked at.
    pub until: String,
    /// Days since the version's first, as far as the window goes.
    pub days_on_candidate: u32,
    /// Expected share of false ones among the changes that are told.
    pub rate: f64,
    /// Things that were tested.
    pub tested: u64,
    /// Things left out because there are too many.
    pub left_out: u64,
    /// What changed, the widest reach first.
    pub changes: Vec<Change>,
    /// Some of what did not, or not enough to be told, the widest reach first.
    pub steady: Vec<Change>,
    /// What changed in the interface; none where the catalogue has not both OpenAPI documents.
    pub contract: Option<ContractChanges>,
    /// What it was made with.
    pub provenance: Provenance,
}

/// One thing with what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What became of it.
    #[serde(flatten)]
    pub change: Changed,
    /// What a theme is called; its value is the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Feedback by severity, on the version where it is said by more.
    pub severity: BTreeMap<String, f64>,
    /// Revenue of the consumers behind it, on both versions, over all time.
    pub revenue: Vec<Money>,
    /// What they say, with links.
    pub quotes: Vec<Quote>,
}

/// What changed in the interface, by the two OpenAPI documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContractChanges {
    /// Operations that are new.
    pub added: Vec<OperationChange>,
    /// Operations that are gone.
    pub removed: Vec<OperationChange>,
    /// Operations that are still there and differ.
    pub changed: Vec<OperationChange>,
    /// Whether fields were left out because a document has too many: then not all changes are known.
    pub partly: bool,
}

/// One operation of a changed interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationChange {
    /// Its name.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path template.
    pub path: String,
    /// What differs, in words; empty for new and gone ones.
    pub differences: Vec<Difference>,
    /// Consumers that call it on the baseline, over all time.
    pub consumers: u64,
    /// Their calls.
    pub calls: u64,
    /// Consumers that call it on the version.
    pub consumers_on_version: u64,
    /// Some of those who call a changed or gone operation on the baseline, most calls first.
    pub callers: Vec<Caller>,
    /// Feedback on both versions in the window that is about it, by weight.
    pub feedback: f64,
}

/// Who calls an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// The consumer.
    pub consumer: String,
    /// Its calls on the baseline, over all time.
    pub calls: u64,
}

/// A difference of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The field: `query limit`, `body amount`, `200 id`.
    pub field: String,
    /// What became of it, in words.
    pub what: String,
    /// Whether it can break who calls it.
    pub breaking: bool,
}
