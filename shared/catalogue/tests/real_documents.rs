//! Real OpenAPI documents of three companies: version by header (YAML), by base path, and none.

#![expect(clippy::expect_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use groundswell_catalogue::{By, Call, Catalogue};
use groundswell_contract::Release;
use groundswell_model::Timestamp;
use serde_json::Value;

#[path = "../../../tests/src/skip.rs"]
pub mod skip;

fn data() -> Option<PathBuf> {
    let root = std::env::var_os("GROUNDSWELL_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let found = root.join("openapi_versions").join("raw");
    if found.is_dir() {
        return Some(root.join("openapi_versions"));
    }
    skip::skipped(&format!("no OpenAPI documents at {}", found.display()));
    None
}

fn release(catalogue: &mut Catalogue, api: &str, version: &str, openapi: Value) {
    let release = Release { api: api.into(), api_version: version.into(), openapi: Some(openapi), ..Release::default() };
    catalogue.apply(&release, Timestamp(0));
}

fn file(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join("raw").join(name)).expect("a document");
    if name.ends_with(".json") { serde_json::from_str(&text).expect("JSON") } else { Value::String(text) }
}

fn catalogue(folder: &Path) -> Catalogue {
    let mut c = Catalogue::default();
    for version in ["2.7", "2.11", "2.15"] {
        release(&mut c, "intercom", version, file(folder, &format!("intercom_{version}.yaml")));
    }
    for (service, versions) in [("AccountService", &["v3", "v6"][..]), ("BinLookupService", &["v40", "v50", "v52", "v53", "v54"])] {
        for version in versions {
            release(&mut c, service, version, file(folder, &format!("adyen_{service}_{version}.json")));
        }
    }
    release(&mut c, "discourse", "latest", file(folder, "discourse_latest.json"));
    c
}

#[test]
fn every_document_is_read_whole() {
    let Some(folder) = data() else { return };
    let c = catalogue(&folder);
    for api in c.apis() {
        for version in api.versions() {
            assert_eq!((version.openapi_problem(), version.operations_left_out()), (None, 0), "{} {}", api.name(), version.name());
            assert!(!version.operations().is_empty());
        }
    }
    let lines = std::fs::read_to_string(folder.join("operations.jsonl")).expect("operations");
    let listed = |family: &str, version: &str| {
        let rows = lines.lines().map(|l| serde_json::from_str::<Value>(l).expect("a row"));
        rows.filter(|r| r["family"] == family && r["version"] == version).count()
    };
    for (family, api, version) in [
        ("intercom", "intercom", "2.7"),
        ("intercom", "intercom", "2.15"),
        ("adyen/AccountService", "AccountService", "v6"),
        ("discourse", "discourse", "latest"),
    ] {
        let read = c.api(api).and_then(|a| a.version(version)).map(|v| v.operations().len());
        assert_eq!(read, Some(listed(family, version)), "{api} {version}");
    }
}

/// Every declared operation, called, is found: by path where the version is in the base path, else with the version named.
#[test]
fn every_declared_operation_is_found_by_its_path() {
    let Some(folder) = data() else { return };
    let c = catalogue(&folder);
    let mut by: BTreeMap<(String, String), usize> = BTreeMap::new();
    for api in c.apis() {
        for version in api.versions() {
            for operation in version.operations() {
                let below = operation.template.replace('{', "a").replace('}', "z");
                let path = format!("{}{below}", version.bases().first().map_or("", String::as_str));
                let call = Call { api: api.name(), version: version.name(), method: &operation.method, path: &path, ..Call::default() };
                let named = c.resolve_usage(&call);
                let found = version.operations().iter().find(|o| o.name == named.operation).map(|o| o.method.clone());
                assert_eq!(found.as_deref(), Some(operation.method.as_str()), "{call:?}: {named:?}");
                let alone = c.resolve_path("", &operation.method, &path);
                let kind = alone.map_or_else(|| "none".to_owned(), |r| format!("{:?} {}", r.by, r.version == version.name()));
                *by.entry((api.name().to_owned(), kind)).or_default() += 1;
            }
        }
    }
    eprintln!("by path alone: {by:?}");
    let count = |api: &str, by_kind: &str| by.get(&(api.to_owned(), by_kind.to_owned())).copied().unwrap_or(0);
    assert_eq!(count("BinLookupService", "Place true"), 10);
    assert_eq!(count("AccountService", "Place true"), 37);
    assert!(count("discourse", "Operation true") > 90);
    assert!(by.keys().all(|(_, kind)| !kind.ends_with("false") || kind.starts_with("Nothing")), "no path is given to a wrong version");
}

#[test]
fn versions_told_by_a_header_stay_open_where_both_have_the_operation() {
    let Some(folder) = data() else { return };
    let c = catalogue(&folder);
    let both = c.resolve_path("api.intercom.io", "GET", "/me").expect("Intercom");
    assert_eq!((both.api, both.version, &*both.operation, both.by), ("intercom", "", "identifyAdmin", By::Nothing));
    let newest = c.api("intercom").and_then(|a| a.version("2.15")).expect("declared");
    let older: Vec<&str> =
        c.versions("intercom").filter(|v| v.name() != "2.15").flat_map(|v| v.operations()).map(|o| o.template.as_str()).collect();
    let only =
        newest.operations().iter().find(|o| !older.contains(&o.template.as_str()) && !o.template.contains('{')).expect("a new operation");
    let found = c.resolve_path("api.eu.intercom.io", &only.method, &only.template).expect("Intercom");
    assert_eq!((found.version, found.by), ("2.15", By::Operation), "{}", only.template);
}
