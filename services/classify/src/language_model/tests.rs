//! The worker against a stand-in endpoint on this machine, faults included, and the stage with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use groundswell_runtime::Settings;
use serde_json::{Value, json};

use super::*;

/// What the endpoint does with one request.
#[derive(Clone, Debug)]
enum Act {
    /// Labels every text so.
    Say(Value),
    /// Answers with a status, a header line and a body.
    Raw(u16, &'static str, String),
    /// Never answers; the connection stays open.
    Silent,
    /// Sends a byte now and then, for ever.
    Drip,
}

/// An endpoint that acts by a script, the last act again and again; it keeps what it was asked.
struct Endpoint {
    url: String,
    asked: Arc<Mutex<Vec<Value>>>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Stop::default());
        let thread = std::thread::spawn({
            let (asked, stop) = (asked.clone(), stop.clone());
            move || {
                let mut held = Vec::new();
                for (number, stream) in listener.incoming().enumerate() {
                    if stop.is_set() {
                        return;
                    }
                    let act = script.get(number).or(script.last()).unwrap().clone();
                    held.push(Self::serve(stream.unwrap(), act, asked.clone(), stop.clone()));
                }
            }
        });
        Self { url, asked, stop, thread: Some(thread) }
    }

    fn serve(mut stream: TcpStream, act: Act, asked: Arc<Mutex<Vec<Value>>>, stop: Stop) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let request: Value = serde_json::from_slice(&body).unwrap();
            let texts: Vec<Value> = serde_json::from_str(request["messages"][1]["content"].as_str().unwrap()).unwrap();
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(Value::Array(texts.clone()));
            let reply = |status: u16, header: &str, body: &str| {
                format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{header}\r\n{body}",
                    body.len()
                )
            };
            let wait = || {
                while !stop.is_set() {
                    std::thread::sleep(Duration::from_millis(5))
                }
            };
            // Whoever asked may have left: that is the point of some acts.
            match act {
                Act::Say(labels) => {
                    let labels: Vec<Value> = (0..texts.len())
                        .map(|n| {
                            let mut l = labels.clone();
                            l["n"] = json!(n);
                            l
                        })
                        .collect();
                    let content = json!({"labels": labels}).to_string();
                    let body = json!({"choices": [{"message": {"role": "assistant", "content": content}}]}).to_string();
                    drop(stream.write_all(reply(200, "", &body).as_bytes()));
                }
                Act::Raw(status, header, body) => drop(stream.write_all(reply(status, header, &body).as_bytes())),
                Act::Silent => wait(),
                Act::Drip => {
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"));
                    while !stop.is_set() && stream.write_all(b" ").is_ok() {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            }
        })
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn settings(&self) -> LanguageModelSettings {
        LanguageModelSettings { url: self.url.clone(), model: "lm".into(), timeout_ms: 300, ..LanguageModelSettings::default() }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.stop();
        // Wakes the listener up.
        drop(TcpStream::connect(self.url.trim_start_matches("http://").split('/').next().unwrap_or_default()));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn question(n: u128, text: &str) -> Question {
    Question { of: (0, n), text: text.to_owned() }
}

fn bug() -> Act {
    Act::Say(json!({"type": "bug", "sentiment": "negative"}))
}

/// Asks once; the answers in order of identity: whether there is one.
fn ask(worker: &mut Worker, questions: &[Question]) -> Vec<bool> {
    let mut got = worker.answer(questions.to_vec(), &Stop::default());
    got.sort_by_key(|a| a.of);
    got.into_iter().map(|a| a.answer.is_some()).collect()
}

fn still() -> Timestamp {
    Timestamp(1_770_000_000_000)
}

#[test]
fn texts_are_asked_in_one_request_and_the_same_text_once() {
    let endpoint = Endpoint::start(vec![bug()]);
    let mut worker = Worker::new(&endpoint.settings(), still).unwrap();
    assert_eq!(ask(&mut worker, &[question(1, "it broke"), question(2, "it hurts")]), [true, true]);
    assert_eq!(ask(&mut worker, &[question(3, "it broke"), question(4, "it is new")]), [true, true]);
    let asked = endpoint.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], json!([{"n": 0, "text": "it broke"}, {"n": 1, "text": "it hurts"}]));
    assert_eq!(asked[1], json!([{"n": 0, "text": "it is new"}]));
}

#[test]
fn a_fault_is_tried_once_more_and_then_the_local_answer_stands() {
    for (fault, requests) in [
        (Act::Raw(500, "", "oops".into()), 2),
        (Act::Raw(429, "", "slow down".into()), 2),
        (Act::Raw(429, "retry-after: 30\r\n", "slow down".into()), 1),
        (Act::Raw(401, "", "who are you".into()), 1),
        (Act::Raw(200, "", "rubbish".into()), 1),
        (Act::Raw(200, "", json!({"choices": [{"message": {"content": "I would rather not."}}]}).to_string()), 1),
        (Act::Silent, 2),
        (Act::Drip, 2),
    ] {
        let endpoint = Endpoint::start(vec![fault.clone()]);
        let mut worker = Worker::new(&endpoint.settings(), still).unwrap();
        assert_eq!(ask(&mut worker, &[question(1, "it broke")]), [false], "{fault:?}");
        assert_eq!(endpoint.requests(), requests, "{fault:?}");
    }
    let endpoint = Endpoint::start(vec![Act::Raw(503, "", String::new()), bug()]);
    assert_eq!(ask(&mut Worker::new(&endpoint.settings(), still).unwrap(), &[question(1, "it broke")]), [true], "the second try");
}

#[test]
fn an_endpoint_that_fails_is_left_alone_for_a_time() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    let endpoint = Endpoint::start(vec![Act::Raw(500, "", String::new()); 3].into_iter().chain([bug()]).collect());
    let mut worker = Worker::new(&endpoint.settings(), || Timestamp(NOW.load(Ordering::Relaxed))).unwrap();
    for (at, requests, answered) in [(0, 2, false), (1, 3, false), (2, 3, false), (9_999, 3, false), (10_001, 4, true)] {
        NOW.store(at, Ordering::Relaxed);
        assert_eq!(ask(&mut worker, &[question(1, "it broke")]), [answered], "at {at}");
        assert_eq!(endpoint.requests(), requests, "at {at}");
    }
}

#[test]
fn nobody_is_asked_beyond_the_budget_of_the_day() {
    let endpoint = Endpoint::start(vec![bug()]);
    let mut worker = Worker::new(&LanguageModelSettings { per_day: 2, ..endpoint.settings() }, still).unwrap();
    assert_eq!(ask(&mut worker, &[question(1, "one"), question(2, "two"), question(3, "three")]), [true, true, false]);
    assert_eq!(ask(&mut worker, &[question(4, "four")]), [false]);
    assert_eq!(ask(&mut worker, &[question(5, "one")]), [true], "what is known costs nothing");
    assert_eq!(endpoint.requests(), 1);
}

#[test]
fn a_key_that_is_missing_is_told_at_the_start() {
    let settings =
        LanguageModelSettings { url: "http://127.0.0.1:9/".into(), key_env: "GROUNDSWELL_TEST_NO_SUCH_KEY".into(), ..Default::default() };
    let error = Worker::new(&settings, still).err().unwrap();
    assert!(error.to_string().contains("key_env = GROUNDSWELL_TEST_NO_SUCH_KEY"), "{error}");
}

mod stage {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use groundswell_bus::{EmbeddedBus, Group, service as bus_service};
    use groundswell_model::frame::FrameWriter;
    use groundswell_model::insight::Label;
    use groundswell_model::{ContentHash, Event, EventHead, FeedbackEvent, FeedbackKind, IdentityHash, Labels, Origin, partition_of};
    use groundswell_text::classify::{Classifier, Text};

    use super::*;
    use crate::ClassifyStage;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Never sure of anything.
    struct Unsure;

    impl Classifier for Unsure {
        fn classify(&self, _: &Text<'_>) -> Labels {
            let unsure = || Label { name: UNSURE.into(), ..Label::default() };
            Labels { kind: unsure(), sentiment: unsure(), severity: unsure(), model: "local".into(), ..Labels::default() }
        }

        fn name(&self) -> &'static str {
            "local"
        }
    }

    fn feedback<'a>(id: &'a str, body: &'a str) -> Event<'a> {
        let head = EventHead {
            identity: IdentityHash::of("desk", id),
            content: ContentHash(1),
            source: "desk",
            id,
            time: still(),
            received: still(),
            origin: Origin::default(),
            consumer: "acme",
        };
        Event::Feedback(Box::new(FeedbackEvent {
            head,
            kind: FeedbackKind::Ticket { ticket_id: None, status: None, priority: None, channel: None, tags: vec![] },
            title: "",
            body,
            url: None,
            requester: None,
            org: None,
            domain: None,
            was: None,
            api: Some("orders"),
            api_version: Some("v1"),
            operation: None,
            request_id: None,
            traceparent: None,
            sdk: None,
            language: None,
            redacted: vec![],
            attributes: vec![],
        }))
    }

    /// Type and model that the index was told last, and how often it was told anything.
    type Told = BTreeMap<String, (String, String, usize)>;

    fn told(bus: &dyn Bus) -> Told {
        let mut told = Told::new();
        bus.reader(Topic::Insights)
            .unwrap()
            .catch_up(&mut |record| {
                for op in frame::read::<Op<'_>>(record.value.unwrap()) {
                    let Op::Upsert(insight) = op.unwrap() else { continue };
                    let times = told.get(insight.id).map_or(0, |(_, _, n)| *n) + 1;
                    told.insert(insight.id.into(), (insight.labels.kind.name.clone(), insight.labels.model.clone(), times));
                }
            })
            .unwrap();
        told
    }

    /// Runs the stage over events until what it told the index is as wanted.
    fn run(endpoint: &Endpoint, events: &[Event<'_>], done: impl Fn(&Told) -> bool) -> Told {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { data: folder.path().to_owned(), ..Settings::default() };
        let stop = Stop::default();
        let bus = EmbeddedBus::open(&settings.data.join("bus"), &settings.embedded, &settings.topics, stop.clone()).unwrap();
        bus.ensure_topics().unwrap();
        let bus: Arc<dyn Bus> = Arc::new(bus);
        let partitions = bus.partitions(Topic::Events).unwrap();
        for event in events {
            let mut frame = FrameWriter::default();
            frame.push(event).unwrap();
            let record = NewRecord::on(Topic::Events, partition_of("acme", partitions), frame.take().unwrap());
            bus.publisher().unwrap().publish(vec![record], PATIENCE).unwrap();
        }
        let helper = Helper::start(&bus, &endpoint.settings(), still, stop.clone()).unwrap();
        let mut stage = ClassifyStage::with_classifier(bus.clone(), &settings, Box::new(Unsure)).unwrap().asking(Some(helper));
        let thread = std::thread::spawn({
            let (bus, stop) = (bus.clone(), stop.clone());
            move || bus_service::run(bus.as_ref(), Group::Classify, &mut stage, crate::BUDGET, &stop)
        });
        let begun = Instant::now();
        let told = loop {
            let told = told(bus.as_ref());
            if done(&told) {
                break told;
            }
            assert!(begun.elapsed() < PATIENCE && !thread.is_finished(), "{told:?}");
            std::thread::sleep(Duration::from_millis(10));
        };
        stop.stop();
        thread.join().unwrap().unwrap();
        told
    }

    #[test]
    fn what_it_says_takes_the_place_of_doubt_and_is_marked() {
        let endpoint = Endpoint::start(vec![bug()]);
        let events = [feedback("1", "The callback never arrives at our side."), feedback("2", "short")];
        let told = run(&endpoint, &events, |told| told.get("1").is_some_and(|t| t.2 == 2) && told.contains_key("2"));
        assert_eq!(told["1"], ("bug".into(), "local+lm".into(), 2));
        assert_eq!(told["2"], (UNSURE.into(), "local".into(), 1), "there is nothing to ask about");
    }

    #[test]
    fn a_broken_endpoint_holds_nothing_up() {
        let endpoint = Endpoint::start(vec![Act::Silent]);
        let ids: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let texts: Vec<String> = (0..50).map(|n| format!("The callback number {n} never arrives.")).collect();
        let events: Vec<Event<'_>> = ids.iter().zip(&texts).map(|(id, text)| feedback(id, text)).collect();
        let told = run(&endpoint, &events, |told| told.len() == 50);
        assert!(told.values().all(|t| *t == (UNSURE.into(), "local".into(), 1)), "{told:?}");
    }
}
