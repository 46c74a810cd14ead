//! Redaction keeps its figures on public sets. `docs/redaction.md` has them, and the example
//! `redaction_report` prints them in full.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::path::{Path, PathBuf};

use groundswell_text::redact::{Hit, Kind, Redactor};
use serde_json::Value;

fn rows(file: &str) -> Option<Vec<Value>> {
    let named = std::env::var_os("GROUNDSWELL_TEST_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = named.into_iter().chain([beside]).map(|d| d.join(file)).find(|p| p.is_file());
    let Some(path) = path else {
        eprintln!("skipped: {file} is not there (set GROUNDSWELL_TEST_DATA)");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    Some(text.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

/// Whether the characters from `start` to before `end` are covered by hits.
fn covered(text: &str, hits: &[Hit], start: u64, end: u64) -> bool {
    let wanted = |i: usize| (start..end).contains(&(i as u64));
    text.char_indices().enumerate().filter(|(i, _)| wanted(*i)).all(|(_, (at, _))| hits.iter().any(|h| (h.start..h.end).contains(&at)))
}

#[test]
fn planted_personal_data_is_found() {
    let Some(rows) = rows("pii_presidio_research/synth_dataset_v2.jsonl") else { return };
    let redactor = Redactor::new();
    let kinds = ["CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"];
    let (mut wanted, mut found) = ([0_u32; 5], [0_u32; 5]);
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let hits = redactor.find(text, &[]);
        for span in row["spans"].as_array().unwrap() {
            let Some(kind) = kinds.iter().position(|k| span["type"] == *k) else { continue };
            wanted[kind] += 1;
            found[kind] += u32::from(covered(text, &hits, span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap()));
        }
    }
    for ((kind, wanted), found) in kinds.iter().zip(wanted).zip(found) {
        assert!(wanted > 0 && found * 100 >= wanted * 95, "{kind}: {found} of {wanted}");
    }
}

#[test]
fn technical_text_stays() {
    for (file, texts) in [("so_webapi_issue_types/questions.jsonl", 1000), ("gitbugs/hadoop_issues.jsonl", 1000)] {
        let Some(rows) = rows(file) else { return };
        let redactor = Redactor::new();
        let hits = rows
            .iter()
            .flat_map(|row| ["title", "body"].map(|f| row[f].as_str().unwrap_or("").to_owned()))
            .flat_map(|t| redactor.find(&t, &[]));
        // These sets hold next to none of these: what is found would be ids, sizes and times.
        let wrong = hits
            .filter(|h| matches!(h.kind, Kind::Phone | Kind::Card | Kind::NationalId | Kind::Iban | Kind::Mac | Kind::Jwt | Kind::CloudKey))
            .count();
        assert!(rows.len() >= texts && wrong * 1000 <= 2 * rows.len(), "{file}: {wrong} in {}", rows.len());
    }
}
