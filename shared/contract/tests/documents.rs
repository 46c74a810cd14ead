//! `docs/contract` says what the code does. `UPDATE_CONTRACT=1 cargo test -p groundswell-contract` writes it anew.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use groundswell_contract::{Incoming, Limits, decode, documents, validate};
use groundswell_model::{Reject, RejectReason, Timestamp};
use serde_json::Value;

/// All examples are from before this time, except those about the future.
const NOW: Timestamp = Timestamp(1_772_361_000_000);
const BEGIN: &str = "<!-- made from the code: begin -->\n";
const END: &str = "<!-- made from the code: end -->";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/contract")
}

fn compare(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_CONTRACT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, wanted).unwrap();
    }
    let have = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        have == wanted,
        "{} is out of date: run `UPDATE_CONTRACT=1 cargo test -p groundswell-contract` and look at the difference",
        path.display()
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    files
}

fn check(path: &Path) -> Result<(), Reject> {
    let body = std::fs::read(path).unwrap();
    let limits = Limits::default();
    let decoded = decode(&Incoming { body: Some(&body), ..Incoming::default() }, &limits)?;
    validate(&decoded, NOW, &limits)
}

#[test]
fn schemas_and_asyncapi_are_those_of_the_code() {
    let documents = documents::all();
    documents.iter().for_each(|d| compare(&folder().join(&d.path), &d.text));
    let ours: BTreeSet<_> = documents.iter().map(|d| folder().join(&d.path)).collect();
    for file in files(&folder().join("schemas")) {
        assert!(ours.contains(&file), "{} belongs to no type: remove it", file.display());
    }
}

#[test]
fn references_of_the_asyncapi_document_lead_somewhere() {
    let document = documents::asyncapi();
    let mut seen = 0;
    visit(&document, &mut |reference| {
        seen += 1;
        match reference.strip_prefix('#') {
            Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference}"),
            None => assert!(folder().join(reference).is_file(), "{reference}"),
        }
    });
    assert!(seen > 20);
}

fn visit(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(reference) if name == "$ref" => each(reference),
            other => visit(other, each),
        }),
        Value::Array(items) => items.iter().for_each(|item| visit(item, each)),
        _ => {}
    }
}

#[test]
fn valid_examples_are_accepted() {
    let mut types = BTreeSet::new();
    for file in files(&folder().join("examples/valid")) {
        assert_eq!(check(&file), Ok(()), "{}", file.display());
        let event: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types.len(), groundswell_contract::EventType::ALL.len(), "an example of every type");
}

/// `examples/invalid/REASON--what.json`
#[test]
fn invalid_examples_are_refused_for_the_reason_in_their_name() {
    let mut reasons = BTreeSet::new();
    for file in files(&folder().join("examples/invalid")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = RejectReason::from_name(name.split("--").next().unwrap()).unwrap_or_else(|| panic!("{name} names no reason"));
        assert_eq!(check(&file).map_err(|r| r.reason), Err(expected), "{name}");
        reasons.insert(expected);
    }
    // These need more than one event: another topic, the event before, or a megabyte.
    let without = [RejectReason::WrongTopic, RejectReason::ConflictingDuplicate, RejectReason::TooLarge];
    for reason in RejectReason::ALL.iter().filter(|r| !without.contains(r)) {
        assert!(reasons.contains(reason), "no example for {}", reason.name());
    }
}

#[test]
fn the_readme_has_every_reason_and_the_details_of_the_examples() {
    let path = folder().join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the mark of the beginning");
    let (_, tail) = rest.split_once(END).expect("the mark of the end");
    let mut made = documents::reasons_table();
    made.push_str("\nWhat the answer says about the invalid examples:\n\n| example | detail |\n|---|---|\n");
    for file in files(&folder().join("examples/invalid")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let detail = check(&file).map_or_else(|r| r.detail, |()| "accepted".into());
        made.push_str(&format!("| [`{name}`](examples/invalid/{name}) | {detail} |\n"));
    }
    compare(&path, &format!("{head}{BEGIN}{made}{END}{tail}"));
}
