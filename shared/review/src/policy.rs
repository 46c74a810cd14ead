//! What a review is held to: `groundswell.gate.toml`, with defaults for what it leaves out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::removal::RemovalPolicy;

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Probability that a review without any difference calls a regression, at any of its daily looks; shared by the guardrails.
    pub error: f64,
    /// Days over which daily looks are allowed for.
    pub horizon_days: u32,
    /// Days a window must have before silence counts as praise.
    pub maturing_days: u32,
    /// Consumers compared below which nothing is concluded.
    pub minimum_consumers: u64,
    /// Calls on the candidate below which nothing is concluded.
    pub minimum_calls: u64,
    /// What an inconclusive review means to the gate.
    pub inconclusive: OnInconclusive,
    /// What must hold before a version is removed (`gate --safe-to-remove`).
    pub removal: RemovalPolicy,
    /// Guardrails by name. Those that are not named keep their defaults.
    pub guardrails: BTreeMap<String, GuardrailPolicy>,
}

/// What an inconclusive review means to the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// Exit code 3.
    #[default]
    Inconclusive,
    /// Let it pass: exit code 0.
    Pass,
    /// Hold it up: exit code 1.
    Fail,
}

/// One guardrail's policy; what is left out keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardrailPolicy {
    /// Makes it a guardrail of your own that counts feedback with this label: `type:bug`, `aspect:performance`, `sentiment:negative`,
    /// `severity:blocks`, `theme:…` or `operation:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Makes it a guardrail of your own that counts the hits of this search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Makes it a guardrail of your own on the error rate of this operation: its `operationId`, or method and path like `POST /orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether it is looked at.
    pub enabled: Option<bool>,
    /// Whether the review's verdict waits for it.
    pub required: Option<bool>,
    /// A difference below this does not matter: a ratio (1.2), points, or a share, as the guardrail has it.
    pub minimum_effect: Option<f64>,
    /// For rates, a difference below this does not matter either, whatever the ratio (0.001 is a tenth of a percent).
    pub minimum_difference: Option<f64>,
    /// What finding a regression of it is worth, against the others: the error goes where it finds most.
    pub share: Option<f64>,
}

/// What a guardrail of your own counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Feedback that this search finds.
    Search(String),
    /// Errors of this operation, as the policy names it.
    Operation(String),
}

impl GuardrailPolicy {
    fn counted(&self) -> Option<Counted> {
        let operation = || self.operation.as_deref().map(|operation| Counted::Operation(operation.trim().to_owned()));
        let query = self.label.as_deref().map_or_else(|| self.search.clone(), query_of);
        query.map(Counted::Search).or_else(operation)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            error: 0.05,
            horizon_days: 28,
            maturing_days: 7,
            minimum_consumers: 5,
            minimum_calls: 100,
            inconclusive: OnInconclusive::default(),
            removal: RemovalPolicy::default(),
            guardrails: BTreeMap::new(),
        }
    }
}

/// A guardrail's settings, all told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    pub(crate) required: bool,
    pub(crate) minimum_effect: f64,
    pub(crate) minimum_difference: f64,
    pub(crate) share: f64,
}

/// Name, required, minimum effect, minimum difference, worth.
const DEFAULTS: [(&str, bool, f64, f64, f64); 10] = [
    ("error_rate", true, 1.2, 0.0005, 68.0),
    ("latency_p50", false, 1.15, 0.0, 3.0),
    ("latency_p95", true, 1.15, 0.0, 7.0),
    ("feedback_rate", false, 1.25, 0.0, 12.0),
    ("negative_feedback", false, 1.25, 0.0, 4.0),
    ("nps", false, 5.0, 0.0, 1.5),
    ("csat", false, 0.2, 0.0, 1.0),
    ("ces", false, 0.3, 0.0, 1.0),
    ("time_to_first_success", false, 1.5, 0.0, 1.25),
    ("regretted_upgrades", false, 0.1, 0.0, 1.25),
];
/// Those of a custom guardrail that counts feedback.
const CUSTOM: (bool, f64, f64, f64) = (false, 1.25, 0.0, 3.0);
/// Those of one on an operation: what matters is what matters of all errors, and finding it is worth as much. Whoever names an operation wants
/// it found; half as much finds it less often, and all errors hardly more.
const OPERATION: (bool, f64, f64, f64) = (false, 1.2, 0.0005, 68.0);

/// Guardrails of one's own at most: each is a fit, and takes its part of the error.
const MOST_CUSTOM: usize = 20;
/// Bytes of a search, a label's value or an operation.
const LONGEST_SEARCH: usize = 1000;
/// Fields that a label may be of.
const LABELS: [&str; 6] = ["type", "aspect", "sentiment", "severity", "theme", "operation"];

/// Why a policy can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// It is not TOML of this form.
    #[error("the policy can't be read: {0}")]
    Syntax(String),
    /// A value is out of bounds.
    #[error("policy: {key} = {value}: {limit}")]
    Value {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
        /// What is allowed.
        limit: &'static str,
    },
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// It is not a policy, or a value is out of bounds.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let policy: Self = toml::from_str(text).map_err(|e| BadPolicy::Syntax(e.to_string().trim_end().to_owned()))?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy as TOML, every default told: [`Self::parse`] gives the same policy again.
    ///
    /// # Errors
    /// It can't be written: never for a policy that was checked.
    pub fn to_toml(&self) -> Result<String, BadPolicy> {
        toml::to_string(self).map_err(|e| BadPolicy::Syntax(e.to_string()))
    }

    /// Refuses values out of bounds.
    ///
    /// # Errors
    /// Names the first.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let bad = |key: &str, value: String, limit| Err(BadPolicy::Value { key: key.to_owned(), value, limit });
        if !(0.0001..=0.2).contains(&self.error) {
            return bad("error", self.error.to_string(), "from 0.0001 to 0.2");
        }
        if !(1..=366).contains(&self.horizon_days) {
            return bad("horizon_days", self.horizon_days.to_string(), "from 1 to 366 days");
        }
        if !(1..=366).contains(&self.removal.quiet_days) {
            return bad("removal.quiet_days", self.removal.quiet_days.to_string(), "from 1 to 366 days");
        }
        let custom = self.custom();
        if custom.len() > MOST_CUSTOM {
            return bad("guardrails", format!("{} of your own", custom.len()), "at most 20 with label, search or operation");
        }
        for (name, guardrail) in &self.guardrails {
            self.check_custom(name, guardrail)?;
            let least = minimum_of(name);
            if let Some(value) = guardrail.minimum_effect.filter(|v| !v.is_finite() || *v <= least) {
                return bad(&format!("guardrails.{name}.minimum_effect"), value.to_string(), "over 1 for a ratio, over 0 otherwise");
            }
            if let Some(value) = guardrail.minimum_difference.filter(|v| !v.is_finite() || *v < 0.0) {
                return bad(&format!("guardrails.{name}.minimum_difference"), value.to_string(), "0 or more");
            }
            if let Some(value) = guardrail.share.filter(|v| !v.is_finite() || *v <= 0.0) {
                return bad(&format!("guardrails.{name}.share"), value.to_string(), "over 0");
            }
        }
        Ok(())
    }

    fn check_custom(&self, name: &str, guardrail: &GuardrailPolicy) -> Result<(), BadPolicy> {
        let bad = |key: &str, value: &str, limit| {
            Err(BadPolicy::Value { key: format!("guardrails.{name}.{key}"), value: format!("{value:?}"), limit })
        };
        let usual = DEFAULTS.iter().any(|d| d.0 == name);
        let counted = [("label", &guardrail.label), ("search", &guardrail.search), ("operation", &guardrail.operation)];
        let told: Vec<(&str, &str)> = counted.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
        match told[..] {
            [] => Ok(()),
            [(key, value), ("search", _), ..] => bad(key, value, "beside search: a guardrail counts one or the other"),
            [(key, value), _, ..] => bad(key, value, "beside operation: a guardrail counts one or the other"),
            [(key, value)] if usual => bad(key, value, "a guardrail of your own needs a name of its own"),
            [("label", label)] if query_of(label).is_none() => {
                bad("label", label, "a field and a value, like type:bug; fields: type, aspect, sentiment, severity, theme, operation")
            }
            [(key @ ("search" | "operation"), text)] if text.trim().is_empty() || text.len() > LONGEST_SEARCH => {
                bad(key, text, "1 to 1000 bytes")
            }
            _ => Ok(()),
        }
    }

    /// The guardrails of your own that are looked at: name, and what counts.
    #[must_use]
    pub fn custom(&self) -> Vec<(String, Counted)> {
        let looked_at = self.guardrails.iter().filter(|(_, g)| g.enabled != Some(false));
        looked_at.filter_map(|(name, g)| Some((name.clone(), g.counted()?))).collect()
    }

    /// The settings of a guardrail.
    pub(crate) fn settings(&self, name: &str) -> Settings {
        let own = self.guardrails.get(name).cloned().unwrap_or_default();
        let of_own = if own.operation.is_some() { OPERATION } else { CUSTOM };
        let usual = DEFAULTS.iter().find(|d| d.0 == name).map_or(of_own, |d| (d.1, d.2, d.3, d.4));
        Settings {
            enabled: own.enabled.unwrap_or(true),
            required: own.required.unwrap_or(usual.0),
            minimum_effect: own.minimum_effect.unwrap_or(usual.1),
            minimum_difference: own.minimum_difference.unwrap_or(usual.2),
            share: own.share.unwrap_or(usual.3),
        }
    }

    /// The policy with every default told, as it is hashed.
    pub(crate) fn hash(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

/// A label as a search; none where it is no label.
fn query_of(label: &str) -> Option<String> {
    let (field, value) = label.split_once(':')?;
    let (field, value) = (field.trim(), value.trim().trim_matches('"'));
    let known = LABELS.contains(&field) && !value.is_empty() && value.len() <= LONGEST_SEARCH && !value.contains(['"', '\\']);
    known.then(|| format!("{field}:\"{value}\""))
}

/// What a minimum effect must be over: 1 for ratios, 0 for the rest.
fn minimum_of(name: &str) -> f64 {
    if matches!(name, "nps" | "csat" | "ces" | "regretted_upgrades") { 0.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let policy =
            Policy::parse("horizon_days = 14\ninconclusive = \"pass\"\n[guardrails.nps]\nrequired = true\nminimum_effect = 10.0\n")
                .unwrap();
        assert_eq!((policy.horizon_days, policy.error, policy.inconclusive), (14, 0.05, OnInconclusive::Pass));
        let nps = policy.settings("nps");
        assert!(nps.required && nps.enabled && (nps.minimum_effect - 10.0).abs() < 1e-12 && (nps.share - 1.5).abs() < 1e-12);
        assert_eq!(policy.settings("error_rate"), Policy::default().settings("error_rate"));
        assert_ne!(policy.hash(), Policy::default().hash());
        assert_eq!(Policy::parse(&policy.to_toml().unwrap()), Ok(policy));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_limit() {
        let message = |text| Policy::parse(text).unwrap_err().to_string();
        assert_eq!(message("error = 0.9"), "policy: error = 0.9: from 0.0001 to 0.2");
        assert!(message("[guardrails.error_rate]\nminimum_effect = 0.9").contains("guardrails.error_rate.minimum_effect = 0.9: over 1"));
        assert!(message("eror = 0.05").contains("eror"), "a misspelt key is not ignored");
    }

    #[test]
    fn guardrails_of_ones_own_are_searches() {
        let policy = Policy::parse(
            "[guardrails.bugs]\nlabel = \"type:bug\"\nminimum_effect = 1.5\n[guardrails.limits]\nsearch = '\"rate limit\" OR 429'\n[guardrails.nps]\nrequired = true\n",
        )
        .unwrap();
        let own =
            [("bugs", "type:\"bug\""), ("limits", "\"rate limit\" OR 429")].map(|(a, b)| (a.to_owned(), Counted::Search(b.to_owned())));
        assert_eq!(policy.custom(), own);
        let message = |text| Policy::parse(text).unwrap_err().to_string();
        assert!(message("[guardrails.x]\nlabel = \"kind:bug\"").contains("guardrails.x.label"));
        assert!(message("[guardrails.nps]\nlabel = \"type:bug\"").contains("name of its own"));
        assert!(message("[guardrails.x]\nlabel = \"type:bug\"\nsearch = \"y\"").contains("beside search"));
    }

    #[test]
    fn a_guardrail_on_an_operation_is_held_to_what_all_errors_are() {
        let policy = Policy::parse("[guardrails.\"checkout errors\"]\noperation = \" POST /orders \"\n").unwrap();
        assert_eq!(policy.custom(), [("checkout errors".to_owned(), Counted::Operation("POST /orders".to_owned()))]);
        let (own, all) = (policy.settings("checkout errors"), policy.settings("error_rate"));
        assert_eq!((own.minimum_effect, own.minimum_difference), (all.minimum_effect, all.minimum_difference));
        assert!(own.enabled && !own.required && (own.share - all.share).abs() < 1e-12);
        assert_eq!(Policy::parse(&policy.to_toml().unwrap()), Ok(policy));
        let message = |text| Policy::parse(text).unwrap_err().to_string();
        assert!(message("[guardrails.x]\noperation = \" \"").contains("guardrails.x.operation = \" \": 1 to 1000 bytes"));
        assert!(message("[guardrails.error_rate]\noperation = \"pay\"").contains("name of its own"));
        assert!(message("[guardrails.x]\nsearch = \"y\"\noperation = \"pay\"").contains("beside operation"));
        assert!(message("[guardrails.x]\noperation = \"pay\"\nminimum_effect = 1.0").contains("over 1 for a ratio"));
    }

    #[test]
    fn the_example_says_the_defaults() {
        let example = Policy::parse(include_str!("../../../deploy/groundswell.gate.example.toml")).unwrap();
        for name in DEFAULTS.map(|d| d.0) {
            assert_eq!(example.settings(name), Policy::default().settings(name));
        }
        assert_eq!(Policy { guardrails: BTreeMap::new(), ..example }, Policy::default());
    }

    #[test]
    fn the_shares_of_the_defaults_are_percent() {
        assert!((DEFAULTS.iter().map(|d| d.4).sum::<f64>() - 100.0).abs() < 1e-9);
    }
}
