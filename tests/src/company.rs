//! A small simulated company as the end-to-end tests publish it.

use anyhow::Context as _;
use serde_json::{Value, json};

/// Events of a company, about: enough for many steps and commits, few enough to be published many times.
const EVENTS: u64 = 8_000;
/// One of so many pieces of feedback is corrected.
const CORRECTED: usize = 20;

/// The events of a company, in the order in which a test publishes them. Attribution may look at a consumer's usage, and topics
/// are read side by side, so a test that compares answers exactly waits between the phases.
#[derive(Clone, Debug)]
pub struct Company {
    /// Releases and identities, one CloudEvent a line.
    pub catalogue: Vec<String>,
    /// API calls.
    pub usage: Vec<String>,
    /// Tickets and survey responses.
    pub feedback: Vec<String>,
    /// What a person corrects of it.
    pub corrections: Vec<String>,
    /// What each event is in truth, one JSON object a line.
    pub truth: Vec<String>,
}

impl Company {
    /// Simulates one with the program itself.
    ///
    /// # Errors
    /// The program failed.
    pub fn simulate(seed: u64, days: u32, consumers: u32) -> anyhow::Result<Self> {
        let (seed, days, consumers) = (seed.to_string(), days.to_string(), consumers.to_string());
        let events = EVENTS.to_string();
        let folder = tempfile::tempdir()?;
        let truth = folder.path().join("truth.jsonl");
        let truth_path = truth.to_str().context("the temporary folder is not UTF-8")?;
        let args = [
            "simulate",
            "--seed",
            &seed,
            "--days",
            &days,
            "--consumers",
            &consumers,
            "--events",
            &events,
            "--end",
            "2026-03-01T00:00:00Z",
            "--truth",
            truth_path,
            "--out",
            "-",
        ];
        let output = crate::run(&args, &[])?;
        anyhow::ensure!(output.status.success(), "simulate failed: {}", String::from_utf8_lossy(&output.stderr));
        let company = Self::read(std::str::from_utf8(&output.stdout)?)?;
        Ok(Self { truth: std::fs::read_to_string(&truth)?.lines().map(str::to_owned).collect(), ..company })
    }

    fn read(lines: &str) -> anyhow::Result<Self> {
        let mut company =
            Self { catalogue: Vec::new(), usage: Vec::new(), feedback: Vec::new(), corrections: Vec::new(), truth: Vec::new() };
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line)?;
            match event["type"].as_str().context("an event without a type")? {
                "groundswell.release.v1" | "groundswell.identity.v1" => company.catalogue.push(line.to_owned()),
                "groundswell.usage.v1" => company.usage.push(line.to_owned()),
                _ => {
                    if company.feedback.len().is_multiple_of(CORRECTED) {
                        company.corrections.push(correction(&event, company.corrections.len()).to_string());
                    }
                    company.feedback.push(line.to_owned());
                }
            }
        }
        Ok(company)
    }

    /// The phases in order.
    #[must_use]
    pub fn phases(&self) -> [&[String]; 3] {
        [&self.catalogue, &self.usage, &self.feedback]
    }
}

/// What a person says of one piece of feedback.
fn correction(of: &Value, number: usize) -> Value {
    let kind = ["bug", "question", "feature_request"][number % 3];
    json!({
        "specversion": "1.0", "type": "groundswell.correction.v1", "source": "/analysts", "id": format!("c-{number}"),
        "time": "2026-03-01T00:00:00Z",
        "data": {"of": {"source": of["source"], "id": of["id"]}, "type": kind, "by": "Ada"},
    })
}
