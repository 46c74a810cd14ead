//! A company on the embedded log: publishes, lets ingest work until nothing is left, and looks at what came out.

#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::{Bus, EmbeddedBus, Group, NewRecord, Stop, Topic};
use groundswell_model::{Event, Timestamp, frame};
use groundswell_runtime::Settings;
use serde_json::{Value, json};

pub(crate) const NOW: Timestamp = Timestamp(1_772_361_000_000);
pub(crate) const SECRET: [u8; 32] = [7; 32];
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) settings: Settings,
    pub(crate) bus: Arc<dyn Bus>,
}

/// A dead letter as text.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Letter {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings { data: dir.path().to_owned(), ..Settings::default() };
        settings.privacy.pseudonym_key = "07".repeat(32);
        change(&mut settings);
        let bus = open(&settings);
        Self { dir, settings, bus }
    }

    /// The same company after its process was stopped and started again.
    pub(crate) fn restarted(self) -> Self {
        let Self { dir, settings, bus } = self;
        drop(bus);
        let bus = open(&settings);
        Self { dir, settings, bus }
    }

    pub(crate) fn publish(&self, records: Vec<NewRecord>) {
        self.bus.publisher().unwrap().publish(records, PATIENCE).unwrap();
    }

    /// Lets ingest work until it has committed everything that is on the source topics.
    pub(crate) fn settle(&self) {
        let stop = Stop::default();
        let (bus, settings, told) = (self.bus.clone(), self.settings.clone(), stop.clone());
        let worker = std::thread::spawn(move || groundswell_ingest::run(&bus, &settings, &told));
        let until = Instant::now() + PATIENCE;
        while !self.is_settled() {
            assert!(Instant::now() < until && !worker.is_finished(), "ingest did not get to the end");
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.stop();
        worker.join().unwrap().unwrap();
    }

    fn is_settled(&self) -> bool {
        Group::Ingest.topics().iter().all(|topic| {
            let committed = self.bus.committed(Group::Ingest, *topic).unwrap();
            self.bus.bounds(*topic).unwrap().iter().all(|b| b.high.0 == 0 || committed.get(&b.part) == Some(&b.high))
        })
    }

    /// Calls `each` with every accepted event and its partition.
    pub(crate) fn events(&self, mut each: impl FnMut(u32, Event<'_>)) -> usize {
        let mut count = 0;
        let mut reader = self.bus.reader(Topic::Events).unwrap();
        reader
            .catch_up(&mut |record| {
                for event in frame::read::<Event<'_>>(record.value.unwrap()) {
                    each(record.part.partition, event.unwrap());
                    count += 1;
                }
            })
            .unwrap();
        count
    }

    /// The bytes of everything on the topic of accepted events.
    pub(crate) fn event_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.bus.reader(Topic::Events).unwrap().catch_up(&mut |r| bytes.extend_from_slice(r.value.unwrap())).unwrap();
        bytes
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        let mut letters = Vec::new();
        let mut reader = self.bus.reader(Topic::DeadLetters).unwrap();
        reader
            .catch_up(&mut |record| {
                let headers = record.headers.iter().map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(v).into_owned())).collect();
                letters.push(Letter { headers, key: record.key.to_vec(), value: record.value.unwrap_or_default().to_vec() });
            })
            .unwrap();
        letters
    }

    pub(crate) fn count(&self, topic: Topic) -> u64 {
        self.bus.bounds(topic).unwrap().iter().map(|b| b.high.0 - b.low.0).sum()
    }
}

fn open(settings: &Settings) -> Arc<dyn Bus> {
    let bus = EmbeddedBus::open(&settings.data.join("bus"), &settings.embedded, &settings.topics, Stop::default()).unwrap();
    bus.ensure_topics().unwrap();
    Arc::new(bus)
}

pub(crate) fn event(ty: &str, id: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "type": format!("groundswell.{ty}.v1"), "source": "/shop", "id": id, "time": "2026-03-01T10:00:00Z", "data": data})
}

pub(crate) fn usage(id: &str, consumer: &str) -> Value {
    event("usage", id, json!({"api": "orders", "path": "/v2/orders", "status": 200, "consumer": consumer}))
}

/// A record in structured mode.
pub(crate) fn structured(topic: Topic, event: &Value) -> NewRecord {
    NewRecord::keyed(topic, "k", event.to_string().into_bytes()).header("content-type", "application/cloudevents+json")
}
