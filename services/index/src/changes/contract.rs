//! What two OpenAPI documents say differently, and whom it concerns.

use std::collections::BTreeMap;

use groundswell_catalogue::openapi::Field;
use groundswell_catalogue::{Catalogue, Operation};

use super::failing::called;
use super::types::{Caller, ContractChanges, Difference, OperationChange};
use crate::review::{Question, ReadError};
use crate::rollup::{RollupView, VersionId};
use crate::search::Groups;

/// Callers that are named of one operation.
const MOST_CALLERS: usize = 10;

/// What the OpenAPI documents of the baseline and of the version say.
#[derive(Clone, Debug)]
pub struct Documents {
    baseline: Vec<Operation>,
    version: Vec<Operation>,
    /// Whether fields were left out of one.
    partly: bool,
}

impl Documents {
    /// Those that the catalogue has; none where one is missing.
    #[must_use]
    pub fn of(catalogue: &Catalogue, question: &Question) -> Option<Self> {
        let declared = |name: &str| catalogue.api(&question.api).and_then(|api| api.version(name)).filter(|v| v.has_document());
        let (there, here) = (declared(&question.baseline)?, declared(&question.version)?);
        Some(Self {
            baseline: there.operations().to_vec(),
            version: here.operations().to_vec(),
            partly: there.fields_left_out() || here.fields_left_out(),
        })
    }
}

/// The differences of two versions' documents, with whom they concern.
pub(super) fn contract(
    view: &RollupView,
    documents: &Documents,
    question: &Question,
    groups: &[Groups; 2],
) -> Result<ContractChanges, ReadError> {
    let mut changes = compare(&documents.baseline, &documents.version);
    changes.partly = documents.partly;
    let versions = [view.version(&question.api, &question.baseline)?, view.version(&question.api, &question.version)?];
    let ids = [called(view, versions[0])?, called(view, versions[1])?];
    for change in changes.added.iter_mut().chain(&mut changes.removed).chain(&mut changes.changed) {
        let callers = callers(view, versions[0], ids[0].get(&change.operation))?;
        change.consumers = callers.len() as u64;
        change.calls = callers.iter().map(|c| c.calls).sum();
        change.callers = callers.into_iter().take(MOST_CALLERS).collect();
        change.consumers_on_version = self::callers(view, versions[1], ids[1].get(&change.operation))?.len() as u64;
        change.feedback = feedback(groups, &change.operation);
    }
    Ok(changes)
}

fn callers(view: &RollupView, version: Option<VersionId>, operation: Option<&u32>) -> Result<Vec<Caller>, ReadError> {
    let (Some(version), Some(operation)) = (version, operation) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    view.reach(version, *operation, |consumer, reach| found.push((consumer, reach.calls)))?;
    let mut callers = Vec::with_capacity(found.len());
    for (consumer, calls) in found {
        callers.push(Caller { consumer: view.consumer_name(consumer)?, calls });
    }
    callers.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.consumer.cmp(&b.consumer)));
    Ok(callers)
}

/// Names of operations are lower case where feedback is grouped.
fn feedback(groups: &[Groups; 2], operation: &str) -> f64 {
    let name = operation.to_lowercase();
    let mut weights: Vec<(i64, u64, f64)> = Vec::new();
    for groups in groups {
        let own = groups.groups.iter().filter(|((field, value), _)| *field == "operation" && value.to_lowercase() == name);
        weights.extend(own.flat_map(|(_, group)| &group.members).map(|m| (m.time.0, m.tie, m.weight)));
    }
    weights.sort_unstable_by_key(|(time, tie, _)| (*time, *tie));
    crate::summary::tidy(weights.iter().map(|(_, _, weight)| weight).sum())
}

/// Operations are the same if their name is, else if method and path are.
fn compare(there: &[Operation], here: &[Operation]) -> ContractChanges {
    let mut changes = ContractChanges::default();
    let by_name: BTreeMap<&str, &Operation> = there.iter().map(|o| (o.name.as_str(), o)).collect();
    let by_place: BTreeMap<(&str, &str), &Operation> = there.iter().map(|o| ((o.method.as_str(), o.template.as_str()), o)).collect();
    let mut met: Vec<&str> = Vec::new();
    for operation in here {
        let same = by_name.get(operation.name.as_str()).or_else(|| by_place.get(&(operation.method.as_str(), operation.template.as_str())));
        let Some(before) = same else {
            changes.added.push(of(operation, Vec::new()));
            continue;
        };
        met.push(&before.name);
        let differences = differences(before, operation);
        if !differences.is_empty() {
            changes.changed.push(of(before, differences));
        }
    }
    changes.removed = there.iter().filter(|o| !met.contains(&o.name.as_str())).map(|o| of(o, Vec::new())).collect();
    for list in [&mut changes.added, &mut changes.removed, &mut changes.changed] {
        list.sort_by(|a, b| a.operation.cmp(&b.operation));
    }
    changes
}

fn of(operation: &Operation, differences: Vec<Difference>) -> OperationChange {
    OperationChange {
        operation: operation.name.clone(),
        method: operation.method.clone(),
        path: operation.template.clone(),
        differences,
        ..OperationChange::default()
    }
}

fn differences(before: &Operation, now: &Operation) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut tell = |field: &str, what: String, breaking: bool| found.push(Difference { field: field.to_owned(), what, breaking });
    if before.name != now.name {
        tell("name", format!("is called {} now", now.name), false);
    }
    if (&before.method, &before.template) != (&now.method, &now.template) {
        tell("path", format!("{} {} became {} {}", before.method, before.template, now.method, now.template), true);
    }
    if !before.deprecated && now.deprecated {
        tell("deprecated", "is deprecated now".to_owned(), false);
    }
    let fields = |of: &Operation| -> BTreeMap<String, Field> { of.fields.iter().map(|f| (f.name.clone(), f.clone())).collect() };
    let (old, new) = (fields(before), fields(now));
    for (name, field) in &new {
        match old.get(name) {
            None if is_answer(name) => tell(name, described("new", field), false),
            None => tell(name, described("new", field), field.required),
            Some(was) => changed(was, field).into_iter().for_each(|(what, breaking)| tell(name, what, breaking)),
        }
    }
    for (name, field) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        tell(name, described("gone", field), is_answer(name));
    }
    found
}

/// Whether a field is of what comes back: its place is a status.
fn is_answer(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("default ")
}

fn changed(was: &Field, is: &Field) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    if was.kind != is.kind {
        let word = |kind: &str| if kind.is_empty() { "of no told type".to_owned() } else { kind.to_owned() };
        found.push((format!("was {}, is {}", word(&was.kind), word(&is.kind)), true));
    }
    match (was.required, is.required) {
        (false, true) => found.push(("is required now".to_owned(), !is_answer(&is.name))),
        (true, false) => found.push(("is optional now".to_owned(), is_answer(&is.name))),
        _ => {}
    }
    found
}

fn described(what: &str, field: &Field) -> String {
    let required = if field.required { "required" } else { "optional" };
    if field.kind.is_empty() { format!("{what} ({required})") } else { format!("{what} ({}, {required})", field.kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str, path: &str, fields: &[(&str, &str, bool)]) -> Operation {
        let field = |(name, kind, required): &(&str, &str, bool)| Field { name: (*name).into(), kind: (*kind).into(), required: *required };
        Operation {
            name: name.into(),
            method: "POST".into(),
            template: path.into(),
            deprecated: false,
            fields: fields.iter().map(field).collect(),
        }
    }

    #[test]
    fn operations_are_new_gone_or_changed_and_fields_break_or_do_not() {
        let there = [
            operation(
                "pay",
                "/pay",
                &[
                    ("body amount", "integer", false),
                    ("body note", "string", false),
                    ("200 id", "string", true),
                    ("200 fee", "integer", false),
                ],
            ),
            operation("refund", "/refunds", &[]),
            operation("list", "/list", &[("query limit", "integer", false)]),
        ];
        let here = [
            operation(
                "pay",
                "/pay",
                &[
                    ("body amount", "string", true),
                    ("body currency", "string", true),
                    ("200 id", "string", false),
                    ("200 state", "string", true),
                ],
            ),
            operation("cancel", "/cancel", &[]),
            operation("listAll", "/list", &[("query limit", "integer", false)]),
        ];
        let changes = compare(&there, &here);
        let names = |list: &[OperationChange]| list.iter().map(|o| o.operation.clone()).collect::<Vec<_>>();
        assert_eq!((names(&changes.added), names(&changes.removed)), (vec!["cancel".to_owned()], vec!["refund".to_owned()]));
        assert_eq!(names(&changes.changed), ["list", "pay"]);
        let told: Vec<(&str, &str, bool)> =
            changes.changed[1].differences.iter().map(|d| (d.field.as_str(), d.what.as_str(), d.breaking)).collect();
        assert_eq!(
            told,
            [
                ("200 id", "is optional now", true),
                ("200 state", "new (string, required)", false),
                ("body amount", "was integer, is string", true),
                ("body amount", "is required now", true),
                ("body currency", "new (string, required)", true),
                ("200 fee", "gone (integer, optional)", true),
                ("body note", "gone (string, optional)", false),
            ]
        );
    }
}
