//! `docs/contract/answers` and `docs/contract/openapi.json` say what the commands and the server answer; they are made
//! from the types. `UPDATE_CONTRACT=1 cargo test --workspace --bin groundswell answers` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use groundswell_catalogue::describe::Declared;
use groundswell_index::changes::types::Changes;
use groundswell_index::corrections::list::{CorrectionTaken, CorrectionsAnswer};
use groundswell_index::deprecation::types::Readiness;
use groundswell_index::fix::FixReview;
use groundswell_index::http::{Dropped, Rebuilt};
use groundswell_index::journeys::types::{ConsumersPage, PainReport};
use groundswell_index::search::types::{Hit, SearchResponse};
use groundswell_index::summary::types::{ApisOverview, Summary};
use groundswell_index::themes::Decided;
use groundswell_index::themes::types::{Proposals, Themes};
use groundswell_index::verdicts::History;
use groundswell_ingest::dlq::Replayed;
use groundswell_review::Review;
use groundswell_runtime::http::Problem;
use groundswell_runtime::status::Status;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use crate::cmd_catalogue::Applied;
use crate::cmd_doctor::Report;
use crate::cmd_evaluate::verdicts::Evaluation;
use crate::cmd_review::Reviewed;
use crate::cmd_simulate::Written;
use crate::dead_letters::{Letter, Letters};
use crate::feed::Sent;
use crate::{cmd_bench, cmd_classify, cmd_evaluate, cmd_key, cmd_model, openapi};

/// What `classify` answers to a line: by the shipped heads, by a head of one's own, or that the line can't be read.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only its schema is wanted")]
enum ClassifyLine {
    Shipped(cmd_classify::Shipped),
    Own(cmd_classify::Own),
    Bad(cmd_classify::Bad),
}

fn schema<T: JsonSchema>() -> Value {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/contract")
}

fn check(name: &str, value: &Value) {
    let path = folder().join(name);
    let text = format!("{}\n", serde_json::to_string_pretty(value).unwrap());
    if std::env::var_os("UPDATE_CONTRACT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "{} is out of date: run `UPDATE_CONTRACT=1 cargo test --workspace --bin groundswell answers` and look at the difference",
        path.display()
    );
}

#[test]
fn the_documents_of_the_answers_are_up_to_date() {
    check("openapi.json", &openapi::document());
    let answers = [
        ("apis", schema::<ApisOverview>()),
        ("changes", schema::<Changes>()),
        ("deprecation-status", schema::<Readiness>()),
        ("correct", schema::<CorrectionTaken>()),
        ("corrections", schema::<CorrectionsAnswer>()),
        ("catalogue-apply", schema::<Applied>()),
        ("bench", schema::<cmd_bench::Report>()),
        ("catalogue-show", schema::<Declared>()),
        ("classify", schema::<ClassifyLine>()),
        ("consumers", schema::<ConsumersPage>()),
        ("dlq-list", schema::<Letters>()),
        ("dlq-replay", schema::<Replayed>()),
        ("dlq-show", schema::<Letter>()),
        ("doctor", schema::<Report>()),
        ("evaluate-attribution", schema::<cmd_evaluate::attribution::Reports>()),
        ("evaluate-themes", schema::<cmd_evaluate::themes::Report>()),
        ("evaluate-verdicts", schema::<Evaluation>()),
        ("gate", schema::<Review>()),
        ("key-new", schema::<cmd_key::Made>()),
        ("model-inspect", schema::<cmd_model::Inspected>()),
        ("model-train", schema::<cmd_model::Report>()),
        ("problem", schema::<Problem>()),
        ("review", schema::<Reviewed>()),
        ("review-fix", schema::<FixReview>()),
        ("review-history", schema::<History>()),
        ("rerun", schema::<groundswell_classify::again::report::Report>()),
        ("pain", schema::<PainReport>()),
        ("search", schema::<SearchResponse>()),
        ("send", schema::<Sent>()),
        ("simulate", schema::<Written>()),
        ("status", schema::<Status>()),
        ("summary", schema::<Summary>()),
        ("tail", schema::<Hit>()),
        ("theme-decided", schema::<Decided>()),
        ("theme-proposals", schema::<Proposals>()),
        ("themes", schema::<Themes>()),
        ("index-rebuild", schema::<Rebuilt>()),
        ("version-drop", schema::<Dropped>()),
        ("version-export", schema::<Hit>()),
    ];
    for (name, schema) in &answers {
        check(&format!("answers/{name}.json"), schema);
    }
    let known: Vec<String> = answers.iter().map(|(name, _)| format!("{name}.json")).collect();
    for file in std::fs::read_dir(folder().join("answers")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "docs/contract/answers/{name} belongs to no answer");
    }
}

/// The calls of `.route(` in the sources of the services: paths, and what each takes.
fn routes() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("services"), root.join("shared/runtime/src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let source = std::fs::read_to_string(path).unwrap();
                // Tests and examples in comments have routes of their own.
                let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let code: String = source.lines().filter(|l| !l.trim_start().starts_with("//")).flat_map(|l| [l, "\n"]).collect();
                code.split(".route(").skip(1).for_each(|call| found.extend(methods(call)));
            }
        }
    }
    found
}

/// The path of a call, with each method in its brackets.
fn methods(call: &str) -> Vec<(String, String)> {
    let mut open = 1_i32;
    let closing = |c: char| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open == 0
    };
    let inside = &call[..call.find(closing).unwrap_or(call.len())];
    let mut quoted = inside.splitn(3, '"').skip(1);
    let (Some(path), Some(rest)) = (quoted.next(), quoted.next()) else { return Vec::new() };
    let taken = |method: &&str| [' ', '.'].iter().any(|before| rest.contains(&format!("{before}{method}(")));
    ["get", "post", "put", "delete"].into_iter().filter(taken).map(|method| (path.to_owned(), method.to_owned())).collect()
}

#[test]
fn every_route_is_in_the_openapi_document_and_no_other() {
    let document = openapi::document();
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<(String, String)> =
        paths.iter().flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))).collect();
    assert_eq!(routes(), documented);
}
