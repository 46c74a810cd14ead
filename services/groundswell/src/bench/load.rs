//! Publishing the workload.

use std::time::{Duration, Instant};

use groundswell_bus::{Bus, BusError, NewRecord, Publisher, Topic};
use groundswell_contract::EventType;
use groundswell_model::Timestamp;
use groundswell_simulate::bench::{BenchPlan, Workload};

use crate::failure::Failure;

/// Records of one call to the publisher.
const BATCH: usize = 5_000;
const PATIENCE: Duration = Duration::from_secs(120);
/// Freshness is measured with small batches, as publishers send them.
const TICK: Duration = Duration::from_millis(20);

/// The workload of the benchmark page.
pub fn workload(seed: u64, events: u64) -> Result<Workload, Failure> {
    let start = Timestamp::parse("2026-02-01T00:00:00Z").map_err(|e| Failure::failed(e.to_string()))?;
    Workload::new(BenchPlan { seed, ..BenchPlan::new(start, events) }).map_err(|e| Failure::failed(e.to_string()))
}

/// Publishes releases and identities.
pub fn catalogue(bus: &dyn Bus, workload: &Workload) -> Result<(), Failure> {
    let events = workload.catalogue();
    let records = events.iter().map(|event| event.to_json().map(|json| record(event.event_type(), "catalogue", json)));
    let records: Result<Vec<NewRecord>, _> = records.collect();
    let records = records.map_err(|e| Failure::failed(e.to_string()))?;
    Ok(bus.publisher()?.publish(records, PATIENCE)?)
}

/// Publishes everything as fast as it goes. Returns how many events and how many bytes.
pub fn backlog(bus: &dyn Bus, workload: &mut Workload) -> Result<(u64, u64), Failure> {
    let publisher = bus.publisher()?;
    let (mut events, mut bytes) = (0, 0);
    let mut body = Vec::new();
    loop {
        let records = next(workload, BATCH, &mut body);
        if records.is_empty() {
            return Ok((events, bytes));
        }
        events += records.len() as u64;
        bytes += records.iter().filter_map(|r| r.value.as_ref()).map(|v| v.len() as u64).sum::<u64>();
        publisher.publish(records, PATIENCE)?;
    }
}

/// Publishes `per_second` events each second for as long as asked. `look` is told the time that passed, again and again.
pub fn steady(
    publisher: &dyn Publisher,
    workload: &mut Workload,
    per_second: u64,
    seconds: u64,
    look: &mut dyn FnMut(Duration),
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut body = Vec::new();
    let mut sent = 0_u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let due = per_second * u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) / 1000;
        let records = next(workload, usize::try_from(due.saturating_sub(sent)).unwrap_or(BATCH), &mut body);
        sent += records.len() as u64;
        if !records.is_empty() {
            publisher.publish(records, PATIENCE)?;
        }
        look(begun.elapsed());
        std::thread::sleep(TICK);
    }
    Ok(())
}

fn next(workload: &mut Workload, most: usize, body: &mut Vec<u8>) -> Vec<NewRecord> {
    let mut records = Vec::with_capacity(most);
    while records.len() < most {
        let Some(item) = workload.next_into(body) else { break };
        records.push(record(item.ty, item.key, body.clone()));
    }
    records
}

fn record(ty: EventType, key: &str, body: Vec<u8>) -> NewRecord {
    let topic = match ty {
        EventType::Ticket => Topic::Tickets,
        EventType::Survey => Topic::Surveys,
        EventType::Usage => Topic::Usage,
        EventType::Release | EventType::Identity | EventType::Correction | EventType::Theme => Topic::Catalogue,
    };
    NewRecord::keyed(topic, key, body).header("content-type", "application/cloudevents+json")
}

/// Publishes by `POST /v1/events`, one JSON object a line.
#[derive(Debug)]
pub struct OverHttp {
    url: String,
    http: reqwest::blocking::Client,
}

impl OverHttp {
    /// To the server at `url`.
    pub fn new(url: String) -> Self {
        Self { url, http: reqwest::blocking::Client::new() }
    }
}

impl Publisher for OverHttp {
    fn publish(&self, records: Vec<NewRecord>, timeout: Duration) -> Result<(), BusError> {
        let mut lines = Vec::new();
        for value in records.into_iter().filter_map(|r| r.value) {
            lines.extend_from_slice(&value);
            lines.push(b'\n');
        }
        let request =
            self.http.post(format!("{}/v1/events", self.url)).header("content-type", "application/x-ndjson").timeout(timeout).body(lines);
        let sent = request.send().and_then(reqwest::blocking::Response::error_for_status);
        sent.map(drop).map_err(|e| BusError::Fatal { what: "POST /v1/events".into(), why: e.to_string() })
    }
}
