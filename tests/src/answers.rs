//! Questions to a running program, and all its answers in a form that can be compared.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::wait_for;

/// The HTTP interface of a program under test.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    http: reqwest::blocking::Client,
}

impl Client {
    /// A client of the server at `url`.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, http: reqwest::blocking::Client::new() }
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether `/readyz` says so.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.http.get(format!("{}/readyz", self.url)).send().is_ok_and(|r| r.status() == 200)
    }

    /// GET, the body as JSON.
    ///
    /// # Errors
    /// No answer, another status than 200, or no JSON.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send()?;
        let status = answer.status();
        let body = answer.text()?;
        anyhow::ensure!(status == 200, "GET {path}: {status}: {body}");
        serde_json::from_str(&body).with_context(|| format!("GET {path} gave no JSON: {body}"))
    }

    /// POST, status and body.
    ///
    /// # Errors
    /// No answer.
    pub fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> anyhow::Result<(u16, Value)> {
        let answer = self.http.post(format!("{}{path}", self.url)).header("content-type", content_type).body(body.into()).send()?;
        let status = answer.status().as_u16();
        let text = answer.text()?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Publishes CloudEvents, one a line.
    ///
    /// # Errors
    /// No answer or another status than 202.
    pub fn send(&self, lines: &str) -> anyhow::Result<Value> {
        let (status, body) = self.post("/v1/events", "application/x-ndjson", lines)?;
        anyhow::ensure!(status == 202, "POST /v1/events: {status}: {body}");
        Ok(body)
    }

    /// Waits until all that was published is searchable.
    ///
    /// # Errors
    /// It was not in time.
    pub fn caught_up(&self, within: Duration) -> anyhow::Result<()> {
        let mut last = Value::Null;
        let done = wait_for("the pipeline to catch up", within, || {
            last = self.get("/v1/status").unwrap_or(Value::Null);
            (last["caught_up"] == true).then_some(())
        });
        done.with_context(|| format!("last status: {last}"))
    }
}

/// Everything that the index answers about every version of every API: equal after a crash and without one.
///
/// # Errors
/// A question could not be answered.
pub fn answers(client: &Client) -> anyhow::Result<Value> {
    answers_apart(client, client)
}

/// The same where the services run apart: dead letters are asked of ingest, everything else of the index.
///
/// # Errors
/// A question could not be answered.
pub fn answers_apart(client: &Client, ingest: &Client) -> anyhow::Result<Value> {
    let apis = client.get("/v1/apis")?;
    let mut all = serde_json::Map::new();
    for api in apis["apis"].as_array().context("no list of APIs")? {
        let name = api["api"].as_str().context("an API without a name")?;
        for version in api["versions"].as_array().context("no list of versions")? {
            let version = version["version"].as_str().context("a version without a name")?;
            let mut summary = client.get(&format!("/v1/apis/{name}/versions/{version}/summary"))?;
            forget_moments(&mut summary);
            let mut hits = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = client.get(&format!("/v1/search?api={name}&version={version}&limit=500&sort=oldest{cursor}"))?;
                hits.extend(page["hits"].as_array().context("no hits")?.iter().map(what_counts));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            hits.sort_by_key(ToString::to_string);
            let mut answer = json!({"summary": summary, "hits": hits});
            for more in ["consumers", "pain"] {
                answer[more] = whole(client, &format!("/v1/apis/{name}/versions/{version}/{more}?limit=100"))?;
            }
            all.insert(format!("{name} {version}"), answer);
        }
    }
    all.insert("corrections".to_owned(), whole(client, "/v1/corrections?limit=100")?);
    // What is published twice is no conflict: no crash may leave a dead letter.
    all.insert("dead letters".to_owned(), whole(ingest, "/v1/dead-letters")?);
    Ok(Value::Object(all))
}

/// An answer whose every field follows from what was published. Those about themes do not: which theme takes what depends on the
/// order of the insights topic.
fn whole(client: &Client, path: &str) -> anyhow::Result<Value> {
    let mut answer = client.get(path)?;
    forget_moments(&mut answer);
    Ok(answer)
}

/// A hit without its score, which depends on how the index happens to be cut into segments.
fn what_counts(hit: &Value) -> Value {
    let mut hit = hit.clone();
    if let Some(fields) = hit.as_object_mut() {
        for moment in ["score", "received", "highlights"] {
            fields.remove(moment);
        }
        // Which theme follows from the order of the insights topic, and consumers overtake each other there from run to run.
        if let Some(theme) = fields.get_mut("theme") {
            *theme = Value::Bool(true);
        }
    }
    hit
}

/// Takes out what differs from run to run by right: offsets and the moments of receipt.
fn forget_moments(summary: &mut Value) {
    if let Some(fields) = summary.as_object_mut() {
        fields.remove("checkpoint");
    }
}

/// Places told of two answers that differ.
const TOLD: usize = 12;

/// Proves that two answers are equal; tells the first places where they are not.
///
/// # Panics
/// They differ.
pub fn assert_same(got: &Value, want: &Value, what: &str) {
    let mut found = Vec::new();
    differences(got, want, String::new(), &mut found);
    let count = found.len();
    found.truncate(TOLD);
    assert!(found.is_empty(), "{what}: {count} differences:\n{}", found.join("\n"));
}

fn differences(got: &Value, want: &Value, place: String, found: &mut Vec<String>) {
    match (got, want) {
        (Value::Object(g), Value::Object(w)) => {
            let names: std::collections::BTreeSet<&String> = g.keys().chain(w.keys()).collect();
            for name in names {
                differences(g.get(name).unwrap_or(&Value::Null), w.get(name).unwrap_or(&Value::Null), format!("{place}/{name}"), found);
            }
        }
        (Value::Array(g), Value::Array(w)) if g.len() == w.len() => {
            (0..).zip(g.iter().zip(w)).for_each(|(n, (g, w))| differences(g, w, format!("{place}/{n}"), found));
        }
        (Value::Array(g), Value::Array(w)) => found.push(format!("{place} has {} items instead of {}", g.len(), w.len())),
        (g, w) if g == w => {}
        (g, w) => found.push(format!("{place} is {g:.200} instead of {w:.200}")),
    }
}
