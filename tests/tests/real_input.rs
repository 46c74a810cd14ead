//! Real questions about real web APIs as tickets, and usage made from real OpenAPI documents, through a real Kafka.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::collections::BTreeMap;
use std::time::Duration;

use groundswell_tests::{Client, Program, Transport, test_data, transports};
use serde_json::{Value, json};

const CAUGHT_UP: Duration = Duration::from_secs(180);
/// Callers of each version; each calls every operation of it once, and nothing else.
const CALLERS: usize = 3;

/// One API version of a real family, whose version is in its base path.
struct Version {
    api: String,
    version: String,
    document: Value,
    /// Method, path template, operationId.
    operations: Vec<(String, String, String)>,
}

impl Version {
    fn base(&self) -> (String, String) {
        let url = self.document["servers"][0]["url"].as_str().unwrap();
        let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        (host.to_owned(), format!("/{path}"))
    }

    fn consumer(&self, caller: usize) -> String {
        format!("{}-{}-app{caller}", self.api, self.version)
    }

    fn release(&self) -> Value {
        event(
            "release",
            "groundswell.release.v1",
            &format!("{} {}", self.api, self.version),
            json!({
                "api": self.api, "api_version": self.version, "stage": "released", "openapi": self.document,
            }),
        )
    }

    /// Calls that name neither API nor version nor operation: host and path must tell.
    fn usage(&self) -> Vec<Value> {
        let (host, base) = self.base();
        let mut events = Vec::new();
        for caller in 0..CALLERS {
            for (number, (method, template, _)) in self.operations.iter().enumerate() {
                let path = format!("{base}{}", filled(template));
                let status = if number % 5 == 4 { 500 } else { 200 };
                let id = format!("{} {caller} {number}", self.version);
                events.push(event(&format!("gateway/{}", self.api), "groundswell.usage.v1", &id, json!({
                    "host": host, "path": path, "method": method, "status": status, "latency_ms": 20 + number, "consumer": self.consumer(caller),
                })));
            }
        }
        events
    }
}

fn event(source: &str, ty: &str, id: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "type": ty, "source": source, "id": id, "time": "2026-02-01T10:00:00Z", "data": data})
}

/// A path template with something in place of its parameters.
fn filled(template: &str) -> String {
    let segment = |s: &str| if s.starts_with('{') { "8415995487234100".to_owned() } else { s.to_owned() };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn versions() -> Option<Vec<Version>> {
    let folder = test_data("openapi_versions/raw")?;
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((api, version)) = name.strip_prefix("adyen_").and_then(|n| n.split_once('_')) else { continue };
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut operations = Vec::new();
        for (template, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if let Some(id) = operation["operationId"].as_str() {
                    operations.push((method.to_uppercase(), template.clone(), id.to_owned()));
                }
            }
        }
        versions.push(Version { api: api.to_owned(), version: version.to_owned(), document, operations });
    }
    versions.sort_by(|a, b| (&a.api, &a.version).cmp(&(&b.api, &b.version)));
    Some(versions)
}

struct Question {
    id: String,
    title: String,
    ticket: Value,
}

fn questions(consumers: &[String]) -> Option<Vec<Question>> {
    let path = test_data("so_webapi_issue_types/questions.jsonl")?;
    let text = std::fs::read_to_string(path).unwrap();
    let question = |(number, line): (usize, &str)| {
        let row: Value = serde_json::from_str(line).unwrap();
        let (id, title) = (row["id"].as_str().unwrap().to_owned(), row["title"].as_str().unwrap().to_owned());
        let ticket = event(
            "forum",
            "groundswell.ticket.v1",
            &id,
            json!({
                "title": title, "body": row["body"], "url": row["url"], "tags": row["tags"], "consumer": consumers[number % consumers.len()],
            }),
        );
        Question { id, title, ticket }
    };
    Some(text.lines().enumerate().map(question).collect())
}

fn send(client: &Client, events: impl Iterator<Item = Value>) {
    let lines: Vec<String> = events.map(|e| e.to_string()).collect();
    for chunk in lines.chunks(500) {
        let answer = client.send(&chunk.join("\n")).unwrap();
        assert_eq!(answer["rejected"], 0, "{answer}");
    }
}

#[test]
fn real_questions_and_real_apis_are_counted_attributed_and_found() {
    let Some(versions) = versions() else { return };
    let consumers: Vec<String> = versions.iter().flat_map(|v| (0..CALLERS).map(|c| v.consumer(c))).collect();
    let Some(questions) = questions(&consumers) else { return };
    for transport in transports("real-input") {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::up(folder.path(), &transport, &[]).unwrap();
        let client = program.client();
        send(&client, versions.iter().map(Version::release));
        send(&client, versions.iter().flat_map(Version::usage));
        client.caught_up(CAUGHT_UP).unwrap();
        send(&client, questions.iter().map(|q| q.ticket.clone()));
        client.caught_up(CAUGHT_UP).unwrap();
        usage_is_attributed_by_path(&client, &versions, &transport);
        tickets_are_attributed_by_usage(&client, &versions, &consumers, questions.len());
        titles_are_found(&client, &questions);
    }
}

fn usage_is_attributed_by_path(client: &Client, versions: &[Version], transport: &Transport) {
    for version in versions {
        let summary = client.get(&format!("/v1/apis/{}/versions/{}/summary", version.api, version.version)).unwrap();
        let what = format!("{} {} on {}", version.api, version.version, transport.name());
        let operations = version.operations.len();
        assert_eq!(summary["usage"]["calls"], CALLERS * operations, "{what}: calls");
        assert_eq!(summary["usage"]["failed"], CALLERS * (operations / 5), "{what}: failed calls");
        assert_eq!(summary["usage"]["operations"], operations, "{what}: operations");
        assert_eq!(summary["consumers"]["active"], CALLERS, "{what}: consumers");
        assert_eq!(summary["lifecycle"]["declared"], true, "{what}: declared");
        for worst in summary["usage"]["worst_by_failures"].as_array().unwrap() {
            let name = worst["operation"].as_str().unwrap();
            assert!(version.operations.iter().any(|(_, _, id)| id == name), "{what}: {name} is no operation of its document");
        }
    }
}

fn tickets_are_attributed_by_usage(client: &Client, versions: &[Version], consumers: &[String], questions: usize) {
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..questions {
        *expected.entry(consumers[number % consumers.len()].rsplit_once("-app").unwrap().0).or_default() += 1;
    }
    for version in versions {
        let search = client.get(&format!("/v1/search?api={}&version={}&limit=1&facet=rung", version.api, version.version)).unwrap();
        let want = expected[format!("{}-{}", version.api, version.version).as_str()];
        assert_eq!(search["total"], want, "tickets of {} {}", version.api, version.version);
        assert_eq!(search["facets"]["rung"], json!([{"value": "only_version", "count": want}]));
    }
    assert_eq!(client.get("/v1/search?limit=1").unwrap()["total"], questions);
}

fn titles_are_found(client: &Client, questions: &[Question]) {
    let plain = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic());
    let mut asked = 0;
    for question in questions.iter().step_by(25) {
        let words: Vec<&str> = question.title.split(' ').take_while(plain).take(5).collect();
        if words.len() < 3 {
            continue;
        }
        asked += 1;
        let phrase = words.join("%20");
        let found = client.get(&format!("/v1/search?q=title:%22{phrase}%22&limit=50")).unwrap();
        let hit = found["hits"].as_array().unwrap().iter().any(|h| h["id"] == question.id.as_str());
        assert!(hit, "the phrase of {:?} does not find {}: {found}", question.title, question.id);
    }
    assert!(asked > 20, "only {asked} titles begin with three plain words");
}
