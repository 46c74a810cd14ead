//! The command line as its users meet it.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::time::Duration;

use groundswell_tests::{Program, Transport, run, run_with_input};
use serde_json::{Value, json};

const CAUGHT_UP: Duration = Duration::from_secs(60);

fn ticket(id: &str, title: &str) -> Value {
    json!({
        "specversion": "1.0", "type": "groundswell.ticket.v1", "source": "desk", "id": id, "time": "2026-02-01T10:00:00Z",
        "data": {"title": title, "api": "payments", "api_version": "v2", "consumer": "acme",
                 "requester": {"email": "jane.doe@example.org", "name": "Jane Doe"}},
    })
}

fn json_of(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!("{e}: stdout {:?}, stderr {:?}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

#[test]
fn send_says_what_became_of_each_event_and_fails_only_on_a_rejection() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
    let url = program.client().url().to_owned();
    let send = |lines: &[Value]| {
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        run_with_input(&["send", "-", "--server", &url], &[], text.as_bytes()).unwrap()
    };
    let first = send(&[ticket("1", "Timeouts in v2"), ticket("2", "Love the new docs")]);
    assert!(first.status.success());
    let counts = |v: &Value| [v["accepted"].clone(), v["duplicate"].clone(), v["rejected"].clone()];
    assert_eq!(counts(&json_of(&first)), [2, 0, 0].map(Value::from));

    let again = send(&[ticket("1", "Timeouts in v2"), ticket("3", "Where is the changelog?")]);
    assert!(again.status.success());
    assert_eq!(counts(&json_of(&again)), [1, 1, 0].map(Value::from));

    let bad = send(&[
        ticket("1", "Something else"),
        json!({"specversion": "1.0", "type": "groundswell.survey.v1", "source": "s", "id": "9", "data": {"kind": "nps", "score": 11}}),
    ]);
    assert_eq!(bad.status.code(), Some(1));
    let bad = json_of(&bad);
    assert_eq!(counts(&bad), [0, 0, 2].map(Value::from));
    let text = bad.to_string();
    assert!(text.contains("conflicting_duplicate") && text.contains("out_of_range"), "{text}");

    // Anything that can be read is, a pipe under a name too; what is no lines of events is refused with what makes them.
    let piped = format!("\u{feff}{}\n", ticket("2", "Love the new docs"));
    let piped = run_with_input(&["send", "/dev/stdin", "--server", &url], &[], piped.as_bytes()).unwrap();
    assert_eq!(counts(&json_of(&piped)), [0, 1, 0].map(Value::from));
    let array = run_with_input(&["send", "-", "--server", &url], &[], b"[\n{}]").unwrap();
    assert_eq!(array.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&array.stderr).contains("jq -c"), "{}", String::from_utf8_lossy(&array.stderr));

    program.client().caught_up(CAUGHT_UP).unwrap();
    let search = run(&["search", "timeouts", "--api", "payments", "--version", "v2", "--format", "json", "--server", &url], &[]).unwrap();
    let found = json_of(&search);
    assert_eq!(
        (found["total"].clone(), found["hits"][0]["id"].clone(), found["hits"][0]["rung"].clone()),
        (json!(1), json!("1"), json!("explicit"))
    );
    for (narrow, word) in [(["--api", "nope"], "payments"), (["--version", "v9"], "v2")] {
        let args =
            [&["search", "timeouts", "--server", &url, "--api", "payments"][..if narrow[0] == "--api" { 4 } else { 6 }], &narrow].concat();
        let nothing = run(&args, &[]).unwrap();
        let hint = String::from_utf8_lossy(&nothing.stderr);
        assert!(nothing.status.success() && hint.contains(narrow[1]) && hint.contains(word), "{hint}");
    }
    let itself = run(&["summary", "payments", "v2", "--baseline", "v2", "--server", &url], &[]).unwrap();
    assert_eq!(itself.status.code(), Some(2));
    assert!(!found.to_string().contains("jane"), "the requester is shown: {found}");
}

#[test]
fn a_correction_is_made_shown_exported_and_history_is_looked_at_again() {
    for transport in groundswell_tests::transports("corrections") {
        corrected_and_looked_at_again(&transport);
    }
}

fn corrected_and_looked_at_again(transport: &Transport) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::up(folder.path(), transport, &[]).unwrap();
    let url = program.client().url().to_owned();
    let command = |args: &[&str]| {
        let output = run(&[args, &["--format", "json", "--server", &url]].concat(), &[]).unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let lines: String = (0..12).map(|n| format!("{}\n", ticket(&n.to_string(), &format!("Timeouts number {n} in v2")))).collect();
    assert!(run_with_input(&["send", "-", "--server", &url], &[], lines.as_bytes()).unwrap().status.success());
    program.client().caught_up(CAUGHT_UP).unwrap();

    for n in 0..12 {
        let kind = if n % 2 == 0 { "praise" } else { "question" };
        let taken = json_of(&command(&["correct", "desk", &n.to_string(), "--type", kind, "--by", "ada"]));
        assert_eq!(taken["heads"][0]["person"], json!([kind]));
    }
    let corrected = || {
        let found = json_of(&command(&["search", "type:praise AND flag:corrected"]));
        (found["total"] == 6).then_some(())
    };
    groundswell_tests::wait_for("corrections to be searchable", CAUGHT_UP, corrected).unwrap();
    let all = json_of(&command(&["corrections"]));
    assert_eq!((all["total"].clone(), all["corrections"][0]["by"].clone()), (json!(12), json!("ada")));

    let (texts, model) = (folder.path().join("mine.jsonl"), folder.path().join("mine.gsm"));
    std::fs::write(&texts, command(&["corrections", "export", "--head", "type"]).stdout).unwrap();
    let trained =
        run(&["model", "train", "--in", texts.to_str().unwrap(), "--out", model.to_str().unwrap(), "--format", "json"], &[]).unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    assert_eq!(json_of(&trained)["heads"][0]["texts"], 12);

    let report = json_of(&command(&["reattribute"]));
    assert_eq!((report["looked_at"].clone(), report["changed"].clone()), (json!(12), json!(0)), "{report}");
    // With nothing to publish, the last thing in `events` is a marker of a transaction on Kafka: the swap ends all the same.
    assert_eq!(json_of(&command(&["reattribute", "--swap"]))["swapped"], 0);
    let report = json_of(&command(&["reclassify", "--swap"]));
    assert_eq!(report["looked_at"], 12, "{report}");
    assert_eq!(report["swapped"], report["changed"], "{report}");
    assert_eq!(json_of(&command(&["search", "type:praise AND flag:corrected"]))["total"], 6, "what people said stays");

    let refused = run(&["correct", "desk", "0", "--type", "prase", "--server", &url], &[]).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("praise"), "{}", String::from_utf8_lossy(&refused.stderr));
}

#[test]
fn what_kafka_publishers_get_wrong_is_in_dead_letters_and_can_be_replayed() {
    let Some(transport) = Transport::kafka("dead-letters") else { return };
    let Transport::Kafka { bootstrap, prefix } = &transport else { return };
    let folder = tempfile::tempdir().unwrap();
    let program = Program::up(folder.path(), &transport, &[]).unwrap();
    let settings = groundswell_bus::KafkaSettings { bootstrap: bootstrap.clone(), prefix: prefix.clone(), ..Default::default() };
    let names = groundswell_bus::TopicNames { tickets: format!("{prefix}.tickets"), ..Default::default() };
    let topics = groundswell_bus::TopicSettings { names, ..Default::default() };
    let bus = groundswell_bus::KafkaBus::new(settings, topics, "publisher", groundswell_bus::Stop::default()).unwrap();
    let publisher = groundswell_bus::Bus::publisher(&bus).unwrap();
    let rubbish = b"{\"this is\": not json".to_vec();
    let record = groundswell_bus::NewRecord::keyed(groundswell_bus::Topic::Tickets, "k", rubbish.clone())
        .header("content-type", "application/cloudevents+json");
    publisher.publish(vec![record], Duration::from_secs(20)).unwrap();
    program.client().caught_up(CAUGHT_UP).unwrap();

    let environment = transport.environment();
    let data = folder.path().to_str().unwrap();
    let list = json_of(&run(&["dlq", "list", "--format", "json", "--data", data], &environment).unwrap());
    let letter =
        list.as_array().or_else(|| list["letters"].as_array()).and_then(|l| l.first()).unwrap_or_else(|| panic!("no dead letter: {list}"));
    assert_eq!(
        (letter["reason"].clone(), letter["offset"].clone(), letter["bytes"].clone()),
        (json!("not_json"), json!(0), json!(rubbish.len()))
    );
    assert_eq!(letter["topic"], format!("{prefix}.tickets"));

    let replay = run(&["dlq", "replay", "--format", "json", "--data", data], &environment).unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    program.client().caught_up(CAUGHT_UP).unwrap();
    let list = json_of(&run(&["dlq", "list", "--format", "json", "--data", data], &environment).unwrap());
    let letters = list.as_array().or_else(|| list["letters"].as_array()).unwrap();
    assert_eq!(letters.len(), 1, "a letter that was sent back is not listed again: {list}");
    assert_eq!(letters[0]["offset"], 1, "a record that is still wrong is a dead letter again: {list}");
}

#[test]
fn demo_ends_after_its_first_summary_and_its_data_can_be_asked_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let demo = run(&["demo", "--data", data, "--once"], &[]).unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    assert!(!demo.stdout.is_empty());

    let apis = json_of(&run(&["apis", "--data", data, "--format", "json"], &[]).unwrap());
    let api = &apis["apis"][0];
    let (name, version) = (api["api"].as_str().unwrap(), api["versions"][0]["version"].as_str().unwrap());
    let summary = json_of(&run(&["summary", name, version, "--data", data, "--format", "json"], &[]).unwrap());
    assert!(summary["usage"]["calls"].as_u64().unwrap() > 0, "{summary}");
    let markdown = run(&["summary", name, version, "--data", data, "--format", "md"], &[]).unwrap();
    assert!(String::from_utf8_lossy(&markdown.stdout).contains(version));
}

#[test]
fn wrong_use_and_wrong_configuration_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("groundswell.toml");
    std::fs::write(&file, "[limits]\ndepht = 3\n").unwrap();
    let wrong = run(&["up", "--config", file.to_str().unwrap(), "--check-config"], &[]).unwrap();
    assert_eq!(wrong.status.code(), Some(64));
    let message = String::from_utf8_lossy(&wrong.stderr);
    assert!(message.contains("depht") && message.contains("depth"), "{message}");

    let apart = run(&["serve", "ingest", "--data", folder.path().to_str().unwrap()], &[]).unwrap();
    assert_eq!(apart.status.code(), Some(64));
    let message = String::from_utf8_lossy(&apart.stderr);
    assert!(message.contains("groundswell up") && message.contains("kafka.bootstrap"), "{message}");

    let public = run(&["up", "--listen", "0.0.0.0:0", "--data", folder.path().to_str().unwrap()], &[]).unwrap();
    assert_eq!(public.status.code(), Some(64), "a public address without keys: {}", String::from_utf8_lossy(&public.stderr));

    let nobody = run(&["apis", "--server", "http://127.0.0.1:9"], &[]).unwrap();
    assert_eq!(nobody.status.code(), Some(4));
    assert!(!String::from_utf8_lossy(&nobody.stderr).is_empty());
}

#[test]
fn a_service_alone_on_the_embedded_log_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(&["serve", "ingest", "--data", folder.path().to_str().unwrap()], &[]).unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(64), "{said}");
    assert!(said.contains("kafka.bootstrap") && said.contains("groundswell up"), "{said}");
}

#[test]
fn a_version_is_exported_as_search_shows_it_and_dropped_until_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
    let url = program.client().url().to_owned();
    let lines = format!("{}\n{}\n", ticket("1", "Timeouts in v2"), ticket("2", "Love the new docs"));
    program.client().send(&lines).unwrap();
    program.client().caught_up(CAUGHT_UP).unwrap();
    let groundswell = |args: &[&str]| run(&[args, &["--server", &url, "--format", "json"]].concat(), &[]).unwrap();
    let search = || json_of(&groundswell(&["search", "--api", "payments", "--version", "v2", "--sort", "oldest"]))["hits"].clone();

    let exported = groundswell(&["version", "export", "payments", "v2"]);
    let hits: Vec<Value> =
        exported.stdout.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect();
    assert_eq!(json!(hits), search());
    let file = folder.path().join("v2.jsonl");
    assert!(groundswell(&["version", "export", "payments", "v2", "--out", file.to_str().unwrap()]).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), exported.stdout);

    let dropped = json_of(&groundswell(&["version", "drop", "payments", "v2"]));
    assert_eq!(dropped["dropped"], json!({"api": "payments", "version": "v2"}));
    for gone in [["version", "drop", "payments", "v2"], ["version", "export", "payments", "v2"], ["version", "drop", "nope", "v1"]] {
        let refused = groundswell(&gone);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(gone[2]), "{gone:?}: {said}");
    }
    assert!(!groundswell(&["version", "export", "payments", "v2", "--out", file.to_str().unwrap()]).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), exported.stdout, "an export that can't be leaves the file as it was");
    let rebuilt = json_of(&groundswell(&["index", "rebuild"]));
    assert!(rebuilt["records"].as_u64() > Some(0), "{rebuilt}");
    assert_eq!(search(), json!(hits));
}

/// A command that follows, as a child process that does not outlive its test; its lines go to a file.
struct Following {
    child: std::process::Child,
    lines: std::path::PathBuf,
}

impl Following {
    fn tail(folder: &std::path::Path, url: &str) -> Self {
        let lines = folder.join("tail.jsonl");
        let out = std::fs::File::create(&lines).unwrap();
        let args = ["tail", "-n", "0", "--format", "json", "--server", url];
        let child = std::process::Command::new(groundswell_tests::binary()).args(args).stdout(out).spawn().unwrap();
        Self { child, lines }
    }

    /// What was shown so far, each as source and id.
    fn shown(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(&self.lines).unwrap();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let hits = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
        hits.map(|hit| (hit["source"].as_str().unwrap().to_owned(), hit["id"].as_str().unwrap().to_owned())).collect()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn tail_shows_all_feedback_once_whatever_the_order_and_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
    let company = groundswell_tests::Company::simulate(5, 10, 30).unwrap();
    let following = Following::tail(folder.path(), program.client().url());
    let mut lines: Vec<&String> = company.catalogue.iter().collect();
    // Feedback among usage, so that partitions lag behind each other.
    for (number, call) in company.usage.iter().enumerate() {
        lines.push(call);
        lines.extend(company.feedback.get(number));
    }
    let send = |program: &Program, lines: &[&String]| {
        for chunk in lines.chunks(50) {
            let text: Vec<&str> = chunk.iter().map(|line| line.as_str()).collect();
            program.client().send(&text.join("\n")).unwrap();
        }
    };
    let (before, after) = lines.split_at(lines.len() / 2);
    send(&program, before);
    program.signal("TERM").unwrap();
    groundswell_tests::wait_for("the end of the server", CAUGHT_UP, || program.ended()).unwrap();
    program.revive().unwrap();
    program.ready().unwrap();
    send(&program, after);
    program.client().caught_up(CAUGHT_UP).unwrap();
    let total = program.client().get("/v1/search?limit=0").unwrap()["total"].as_u64().unwrap();
    assert!(total > 300, "{total}");
    let all = groundswell_tests::wait_for("all of it", CAUGHT_UP, || {
        let shown = following.shown();
        (shown.len() as u64 >= total).then_some(shown)
    });
    let shown = all.unwrap_or_else(|e| panic!("{e}: {} of {total}", following.shown().len()));
    let once: std::collections::BTreeSet<&(String, String)> = shown.iter().collect();
    assert_eq!((shown.len() as u64, once.len() as u64), (total, total));
}
