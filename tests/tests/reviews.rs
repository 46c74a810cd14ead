//! Verdicts of a running program on the simulated company, whose second version of `payments` fails more often.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use groundswell_tests::{Company, Program, Transport, run};
use serde_json::{Value, json};

const CAUGHT_UP: Duration = Duration::from_secs(60);

fn company_up(folder: &std::path::Path) -> (Company, Program) {
    let company = Company::simulate(1, 60, 150).unwrap();
    let program = Program::up(folder, &Transport::Embedded, &[]).unwrap();
    for phase in company.phases() {
        for part in phase.chunks(1000) {
            program.client().send(&part.join("\n")).unwrap();
        }
        program.client().caught_up(CAUGHT_UP).unwrap();
    }
    (company, program)
}

fn guardrail<'a>(review: &'a Value, name: &str) -> &'a Value {
    review["guardrails"].as_array().unwrap().iter().find(|g| g["name"] == name).unwrap_or_else(|| panic!("no {name}: {review}"))
}

/// What really happened on `payments`, or on one of its operations: named calls and errors by version, from `from` to before `until`, and
/// how many called. Version and operation are the simulator's truth, the rest the published event's.
fn really(company: &Company, (from, until): (&str, &str), operation: Option<&str>) -> BTreeMap<String, (BTreeSet<String>, f64, f64)> {
    let parse = |line: &String| -> Value { serde_json::from_str(line).unwrap() };
    let identity = |v: &Value| (v["source"].to_string(), v["id"].to_string());
    let truth: BTreeMap<_, Value> = company.truth.iter().map(parse).map(|t| (identity(&t), t)).collect();
    let events: BTreeMap<_, Value> = company.usage.iter().rev().map(parse).map(|e| (identity(&e), e)).collect();
    let mut by_version: BTreeMap<String, (BTreeSet<String>, f64, f64)> = BTreeMap::new();
    for (identity, event) in &events {
        let (truth, data, time) = (&truth[identity], &event["data"], event["time"].as_str().unwrap());
        let consumer = data["consumer"].as_str().unwrap_or_default();
        if truth["api"] != "payments" || consumer.is_empty() || time < from || time >= until {
            continue;
        }
        if operation.is_some_and(|operation| truth["operation"] != operation) {
            continue;
        }
        let calls = truth["calls"].as_f64().unwrap();
        let failed = data["status"].as_u64().is_some_and(|status| status >= 400) || data["outcome"] == "failure";
        let sums = by_version.entry(truth["version"].as_str().unwrap().to_owned()).or_default();
        sums.0.insert(consumer.to_owned());
        sums.1 += calls;
        sums.2 += if failed { calls } else { 0.0 };
    }
    by_version
}

/// The simulator's OpenAPI documents: `payments` v2 has one operation that v1 had not.
fn the_interface_changed(changes: &Value) {
    let contract = &changes["contract"];
    let names = |list: &str| -> Vec<String> {
        contract[list].as_array().unwrap().iter().map(|o| o["operation"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names("added"), names("removed"), names("changed")), (vec!["listRefunds".to_owned()], vec![], vec![]), "{contract}");
    assert!(contract["added"][0]["consumers_on_version"].as_u64().unwrap() > 0, "{contract}");
    assert!(changes["tested"].as_u64().unwrap() > 0, "{changes}");
}

/// `catalog`: paging loses products in its first version, and no more in the second.
fn the_planted_fix_is_seen(company: &Company, ask: &dyn Fn(&[&str]) -> std::process::Output) {
    let releases = company.catalogue.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_catalog = releases.filter(|r| r["data"]["api"] == "catalog" && r["data"]["stage"] == "released");
    let version = of_catalog.map(|r| r["data"]["api_version"].as_str().unwrap().to_owned()).max().unwrap();
    let version = version.as_str();
    let search = "paging OR pagination OR cursor OR next_cursor OR pages";
    let shown = ask(&["review", "fix", "catalog", version, "--search", search, "--format", "json"]);
    let fix: Value = serde_json::from_slice(&shown.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&shown.stderr)));
    let rate = |side: &str| fix[side]["again"].as_f64().unwrap() / fix[side]["exposure"].as_f64().unwrap().max(1.0);
    assert!(fix["asked"].as_u64().unwrap() > 0, "{fix}");
    assert!(fix["moved"]["consumers"].as_u64() == Some(0) || rate("moved") <= rate("stayed"), "{fix}");
    assert_ne!(fix["verdict"], "not_verified", "{fix}");
}

fn an_old_version_is_called_still(ask: &dyn Fn(&[&str]) -> std::process::Output) {
    let status = ask(&["deprecation", "status", "payments", "v1", "--format", "json"]);
    let ready: Value =
        serde_json::from_slice(&status.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&status.stderr)));
    assert!(ready["consumers"].as_u64().unwrap() > 0 && ready["verdict"] == "regression", "{ready}");
    assert!(!ready["callers"][0]["operations"].as_array().unwrap().is_empty(), "{ready}");
    let gate = ask(&["gate", "payments", "v1", "--safe-to-remove", "--format", "md"]);
    assert_eq!(gate.status.code(), Some(1), "{}", String::from_utf8_lossy(&gate.stderr));
    assert!(String::from_utf8_lossy(&gate.stdout).contains("payments v1: can't be removed"), "{}", String::from_utf8_lossy(&gate.stdout));
}

/// A guardrail on the operation that fails more in the second version, by a policy file: its own calls, by its name everywhere.
fn one_operation_is_judged_by_its_own_calls(company: &Company, folder: &std::path::Path, ask: &dyn Fn(&[&str]) -> std::process::Output) {
    let (policy, junit) = (folder.join("gate.toml"), folder.join("operation.xml"));
    let write = format!("junit={}", junit.display());
    let gate = |operation: &str| {
        std::fs::write(&policy, format!("[guardrails.\"refund errors\"]\noperation = \"{operation}\"\n")).unwrap();
        let policy = policy.to_str().unwrap();
        ask(&["gate", "payments", "v2", "--baseline", "v1", "--format", "json", "--policy", policy, "--write", &write])
    };
    let mut told: Option<Value> = None;
    // By its operationId, and by its place in the document.
    for name in ["createRefund", "POST /payments/{payment_id}/refunds"] {
        let shown = gate(name);
        let review: Value =
            serde_json::from_slice(&shown.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&shown.stderr)));
        let own = guardrail(&review, "refund errors").clone();
        let really = really(company, (review["from"].as_str().unwrap(), review["until"].as_str().unwrap()), Some("createRefund"));
        for (version, side) in [("v1", "baseline"), ("v2", "candidate")] {
            let (consumers, calls, failed) = &really[version];
            assert_eq!(
                json!([own[side]["consumers"], own[side]["exposure"], own[side]["count"]]),
                json!([consumers.len(), calls, failed]),
                "{version}"
            );
        }
        assert!(own["verdict"] != "pass" && own["effect"]["value"].as_f64().unwrap() > 1.2, "{own}");
        assert!(std::fs::read_to_string(&junit).unwrap().contains("refund errors"));
        assert_eq!(*told.get_or_insert_with(|| own.clone()), own);
    }
    let unknown = gate("createRefunds");
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(2), "{said}");
    assert!(said.contains("refund errors") && said.contains("createRefunds") && said.contains("createRefund,"), "{said}");
}

#[test]
fn the_planted_regression_never_passes_and_verdicts_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (company, program) = company_up(folder.path());
    let url = program.client().url().to_owned();
    let ask = |args: &[&str]| run(&[args, &["--server", &url]].concat(), &[]).unwrap();

    let path = "/v1/apis/payments/versions/v2/verdict?baseline=v1";
    let review = program.client().get(path).unwrap();
    let verdict = review["verdict"].as_str().unwrap();
    assert!(["regression", "inconclusive"].contains(&verdict), "{review}");
    assert_eq!(program.client().get(path).unwrap(), review);

    let summary = |version: &str| {
        let window = format!("since={}&until={}", review["from"].as_str().unwrap(), review["until"].as_str().unwrap());
        program.client().get(&format!("/v1/apis/payments/versions/{version}/summary?{window}")).unwrap()
    };
    let errors = guardrail(&review, "error_rate");
    let all = summary("v2")["usage"]["calls"].as_f64().unwrap() + summary("v1")["usage"]["calls"].as_f64().unwrap();
    let named = errors["candidate"]["exposure"].as_f64().unwrap() + errors["baseline"]["exposure"].as_f64().unwrap();
    assert_eq!(named + review["left_out"]["unnamed_calls"].as_f64().unwrap(), all);
    let really = really(&company, (review["from"].as_str().unwrap(), review["until"].as_str().unwrap()), None);
    for (version, side) in [("v1", "baseline"), ("v2", "candidate")] {
        let (consumers, calls, failed) = &really[version];
        let expected = json!([consumers.len(), calls, failed]);
        assert_eq!(json!([errors[side]["consumers"], errors[side]["exposure"], errors[side]["count"]]), expected, "{version}");
        let value = errors[side]["value"].as_f64().unwrap();
        assert!((value - failed / calls).abs() < 1e-7 * value, "{version}: {value}");
    }

    let shown = ask(&["review", "payments", "v2", "--baseline", "v1", "--format", "json"]);
    let again = ask(&["review", "payments", "v2", "--baseline", "v1", "--format", "json"]);
    assert_eq!(shown.stdout, again.stdout, "the same data give the same bytes");
    let mut shown_review: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let changes = shown_review.as_object_mut().unwrap().remove("changes").unwrap();
    assert_eq!(shown_review, review);
    assert_eq!(program.client().get("/v1/apis/payments/versions/v2/changes?baseline=v1").unwrap(), changes);
    the_interface_changed(&changes);

    let history = program.client().get("/v1/apis/payments/versions/v2/verdicts").unwrap();
    assert_eq!(history["kept"], 1, "the same question on the same data is kept once, however often it is asked: {history}");
    assert_eq!(history["verdicts"][0]["review"], review);
    let listed = ask(&["review", "history", "payments", "v2", "--format", "json"]);
    assert_eq!(serde_json::from_slice::<Value>(&listed.stdout).unwrap(), history, "{}", String::from_utf8_lossy(&listed.stderr));
    the_planted_fix_is_seen(&company, &ask);
    an_old_version_is_called_still(&ask);
    one_operation_is_judged_by_its_own_calls(&company, folder.path(), &ask);

    let junit = folder.path().join("review.xml");
    let write = format!("junit={}", junit.display());
    let gate = ask(&["gate", "payments", "v2", "--baseline", "v1", "--format", "md", "--write", &write]);
    assert_eq!(gate.status.code(), Some(if verdict == "regression" { 1 } else { 3 }), "{}", String::from_utf8_lossy(&gate.stderr));
    assert!(String::from_utf8_lossy(&gate.stdout).contains("payments v2"));
    assert!(std::fs::read_to_string(junit).unwrap().contains("<testsuite"));

    assert_eq!(ask(&["gate", "payments", "v9", "--baseline", "v1"]).status.code(), Some(2));
    let stale = ask(&["gate", "payments", "v2", "--baseline", "v1", "--max-age", "1s"]);
    assert_eq!(stale.status.code(), Some(4), "{}", String::from_utf8_lossy(&stale.stderr));
    program.stop().unwrap();
    assert_eq!(ask(&["gate", "payments", "v2", "--baseline", "v1"]).status.code(), Some(4));

    let data = folder.path().to_str().unwrap();
    let folder_only = run(&["review", "payments", "v2", "--baseline", "v1", "--format", "json", "--data", data], &[]).unwrap();
    assert_eq!(folder_only.stdout, shown.stdout, "a data folder answers like the server that filled it");
}
