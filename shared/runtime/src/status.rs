//! Where every consumer group stands, and whether all that was published is searchable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use groundswell_bus::{Bounds, Bus, BusError, Group, Offset, Part, Reader, Topic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::Problem;
use crate::settings::Transport;
use crate::{App, Freshness, FreshnessReport, Health, Settings};

/// From the source to the answers: what an earlier group has written is looked at by the later one.
const GROUPS: [Group; 3] = [Group::Ingest, Group::Classify, Group::Index];
/// Up to this distance from the end it is looked whether records are left, or only markers of transactions.
const LOOK_WITHIN: u64 = 256;

/// The answer of `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Whether everything that was published when this was asked is searchable: nothing waits, and no index of this process is being opened or rebuilt.
    pub caught_up: bool,
    /// Each consumer group on each partition.
    pub lag: Vec<Lag>,
    /// How long insights took to become searchable; measured by the process that indexes.
    pub freshness: FreshnessReport,
    /// Version of the program.
    pub version: String,
    /// `embedded` or `kafka`.
    pub transport: String,
}

/// How far a consumer group is on one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lag {
    /// `ingest`, `classify` or `index`.
    pub group: String,
    /// The topic's configured name.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The next offset it will read.
    pub committed: u64,
    /// The offset that the next record will get.
    pub high: u64,
    /// Records it has not worked off.
    pub waiting: u64,
}

/// Looks at a transport.
pub struct StatusSource {
    bus: Arc<dyn Bus>,
    settings: Arc<Settings>,
    freshness: Freshness,
    health: Health,
    readers: Mutex<BTreeMap<Topic, Box<dyn Reader>>>,
}

impl std::fmt::Debug for StatusSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusSource").field("transport", &self.settings.transport).finish_non_exhaustive()
    }
}

impl StatusSource {
    /// A source for a transport.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, settings: Arc<Settings>, freshness: Freshness, health: Health) -> Self {
        Self { bus, settings, freshness, health, readers: Mutex::default() }
    }

    /// The status now.
    ///
    /// # Errors
    /// The transport does not answer.
    pub fn read(&self) -> Result<Status, BusError> {
        let mut lag = Vec::new();
        for group in GROUPS {
            for topic in group.topics() {
                self.read_topic(group, *topic, &mut lag)?;
            }
        }
        let transport = match self.settings.transport {
            Transport::Embedded => "embedded",
            Transport::Kafka => "kafka",
        };
        Ok(Status {
            caught_up: lag.iter().all(|l| l.waiting == 0) && self.health.waiting_for().is_empty(),
            lag,
            freshness: self.freshness.report(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            transport: transport.to_owned(),
        })
    }

    /// Puts the lag into the metrics.
    ///
    /// # Errors
    /// The transport does not answer.
    pub fn measure(&self) -> Result<Status, BusError> {
        let status = self.read()?;
        for lag in &status.lag {
            let labels = [("service", lag.group.clone()), ("topic", lag.topic.clone()), ("partition", lag.partition.to_string())];
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no lag reaches 2^52")]
            metrics::gauge!("groundswell_lag_records", &labels).set(lag.waiting as f64);
        }
        Ok(status)
    }

    /// The ends are read before the group's offsets: what it has committed then covers at least what was there when asked.
    fn read_topic(&self, group: Group, topic: Topic, lag: &mut Vec<Lag>) -> Result<(), BusError> {
        let bounds = self.bus.bounds(topic)?;
        let committed = self.bus.committed(group, topic)?;
        let at: Vec<(Bounds, Offset)> = bounds.iter().map(|b| (*b, committed.get(&b.part).copied().unwrap_or(b.low).max(b.low))).collect();
        let distance = |(bounds, at): &(Bounds, Offset)| bounds.high.0.saturating_sub(at.0);
        let look = self.settings.transport == Transport::Kafka && at.iter().any(|p| (1..=LOOK_WITHIN).contains(&distance(p)));
        let left = if look { self.records_left(topic, &at)? } else { BTreeMap::new() };
        lag.extend(at.iter().map(|partition| {
            let (bounds, committed) = partition;
            let undecided = u64::from(bounds.decided < bounds.high);
            let waiting = match distance(partition) {
                0 => 0,
                near if look && near <= LOOK_WITHIN => left.get(&bounds.part).copied().unwrap_or(0).max(undecided),
                far => far,
            };
            Lag {
                group: group.name().to_owned(),
                topic: self.settings.topics.names.of(topic).to_owned(),
                partition: bounds.part.partition,
                committed: committed.0,
                high: bounds.high.0,
                waiting,
            }
        }));
        Ok(())
    }

    /// How many records are left on the partitions that are nearly at their end. Kafka's transactions leave markers
    /// behind the last record, which no consumer ever reads: offsets alone would show a lag for ever.
    fn records_left(&self, topic: Topic, at: &[(Bounds, Offset)]) -> Result<BTreeMap<Part, u64>, BusError> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = match readers.entry(topic) {
            std::collections::btree_map::Entry::Occupied(have) => have.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => none.insert(self.bus.reader(topic)?),
        };
        for (bounds, committed) in at {
            let near = bounds.high.0.saturating_sub(committed.0) <= LOOK_WITHIN;
            reader.seek(bounds.part, if near { *committed } else { bounds.high })?;
        }
        let mut left = BTreeMap::new();
        let counted = reader.catch_up(&mut |record| *left.entry(record.part).or_default() += 1);
        if counted.is_err() {
            readers.remove(&topic);
        }
        counted.map(|()| left)
    }
}

/// `GET /v1/status`.
pub fn router(source: Arc<StatusSource>) -> Router {
    Router::new().route("/v1/status", get(answer)).with_state(source)
}

async fn answer(State(source): State<Arc<StatusSource>>) -> Response {
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(Ok(status)) => Json(status).into_response(),
        Ok(Err(error)) => Problem::unavailable(format!("the transport does not answer: {error}")).into_response(),
        Err(error) => Problem::internal(format!("the status could not be worked out: {error}")).into_response(),
    }
}

/// A source for the bus of an app.
#[must_use]
pub fn source(app: &App, bus: &Arc<dyn Bus>) -> Arc<StatusSource> {
    Arc::new(StatusSource::new(bus.clone(), app.settings.clone(), app.freshness.clone(), app.health.clone()))
}

#[cfg(test)]
mod tests {
    use groundswell_bus::{NewRecord, Step, Stop};

    use super::*;
    use crate::open_bus;

    #[test]
    fn caught_up_when_every_group_is_at_the_end_of_its_topics() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { data: dir.path().to_owned(), ..Settings::default() };
        let stop = Stop::default();
        let bus = open_bus(&settings, stop.clone()).unwrap();
        bus.ensure_topics().unwrap();
        let health = Health::default();
        let source = StatusSource::new(bus.clone(), Arc::new(settings), Freshness::default(), health.clone());
        let empty = source.read().unwrap();
        assert!(empty.caught_up, "{empty:?}");

        let records = vec![NewRecord::on(Topic::Usage, 1, b"{}".to_vec()), NewRecord::on(Topic::Usage, 1, b"{}".to_vec())];
        bus.publisher().unwrap().publish(records, std::time::Duration::from_secs(5)).unwrap();
        let behind = source.measure().unwrap();
        assert!(!behind.caught_up);
        let waiting: Vec<_> = behind.lag.iter().filter(|l| l.waiting > 0).collect();
        assert_eq!((waiting.len(), waiting[0].waiting, waiting[0].partition, waiting[0].topic.as_str()), (1, 2, 1, "feedback.usage"));

        let part = Part { topic: Topic::Usage, partition: 1 };
        let mut member = bus.member(Group::Ingest).unwrap();
        let budget = groundswell_bus::Budget {
            records: 10,
            bytes: 1000,
            wait: std::time::Duration::from_millis(100),
            linger: std::time::Duration::ZERO,
            linger_behind: std::time::Duration::ZERO,
        };
        let assigned = member.poll(&budget).unwrap();
        assert!(matches!(assigned, groundswell_bus::Polled::Assigned(_)), "{assigned:?}");
        member.commit(Step { positions: [(part, Offset(2))].into(), ..Step::default() }).unwrap();
        assert!(source.read().unwrap().caught_up);
        // An index that is being rebuilt has its positions already, and not yet what lies before them.
        let index = health.register("index");
        assert!(!source.read().unwrap().caught_up);
        index.set(true);
        assert!(source.read().unwrap().caught_up);
        stop.stop();
    }
}
