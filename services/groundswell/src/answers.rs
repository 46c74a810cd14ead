//! `docs/contract/answers` and `docs/contract/openapi.json` say what the commands and the server answer; they are made
//! from the types. `UPDATE_CONTRACT=1 cargo test -p groundswell answers` writes them anew.

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
use groundswell_runtime::status::Status;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use crate::cmd_catalogue::Applied;
use crate::cmd_doctor::Report;
use crate::cmd_evaluate::verdicts::Evaluation;
use crate::cmd_evaluate::{attribution, themes};
use crate::cmd_review::Reviewed;
use crate::dead_letters::{Letter, Letters};
use crate::feed::Sent;
use crate::{cmd_bench, cmd_classify, cmd_simulate, openapi};

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
        "{} is out of date: run `UPDATE_CONTRACT=1 cargo test -p groundswell answers` and look at the difference",
        path.display()
    );
}

#[test]
fn the_documents_of_the_answers_are_up_to_date() {
    check("openapi.json", &openapi::document());
    let answers = [
        ("bench", schema::<cmd_bench::Report>()),
        ("classify", schema::<cmd_classify::LineAnswer>()),
        ("evaluate-attribution", schema::<attribution::Reports>()),
        ("evaluate-themes", schema::<themes::Report>()),
        ("simulate", schema::<cmd_simulate::Written>()),
        ("apis", schema::<ApisOverview>()),
        ("changes", schema::<Changes>()),
        ("deprecation-status", schema::<Readiness>()),
        ("correct", schema::<CorrectionTaken>()),
        ("corrections", schema::<CorrectionsAnswer>()),
        ("catalogue-apply", schema::<Applied>()),
        ("catalogue-show", schema::<Declared>()),
        ("consumers", schema::<ConsumersPage>()),
        ("dlq-list", schema::<Letters>()),
        ("dlq-replay", schema::<Replayed>()),
        ("dlq-show", schema::<Letter>()),
        ("doctor", schema::<Report>()),
        ("evaluate-verdicts", schema::<Evaluation>()),
        ("gate", schema::<Review>()),
        ("review", schema::<Reviewed>()),
        ("review-fix", schema::<FixReview>()),
        ("review-history", schema::<History>()),
        ("rerun", schema::<groundswell_classify::again::report::Report>()),
        ("pain", schema::<PainReport>()),
        ("search", schema::<SearchResponse>()),
        ("send", schema::<Sent>()),
        ("status", schema::<Status>()),
        ("summary", schema::<Summary>()),
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
