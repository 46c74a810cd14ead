//! Publishing at the edge: an idempotent producer, shared by many threads, and a wait for every delivery report.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientConfig, ClientContext};

use super::client::{self, Quiet, aborted, fatal};
use super::topics::Topics;
use super::transaction::headers;
use crate::{BusError, NewRecord, Publisher};

const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);

/// What is still missing of one call.
#[derive(Default)]
struct Call {
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Default)]
struct Open {
    missing: usize,
    failed: Option<KafkaError>,
}

impl Call {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reported(&self, failed: Option<KafkaError>) {
        let mut open = self.open();
        open.missing -= 1;
        open.failed = failed.or(open.failed.take());
        self.changed.notify_all();
    }

    fn wait(&self, until: Instant) -> Result<(), BusError> {
        let mut open = self.open();
        while open.missing > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(aborted("publish", &format!("{} records were not acknowledged in time: is the broker away?", open.missing)));
            }
            open = self.changed.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        match open.failed.take() {
            None => Ok(()),
            Some(error) if error.rdkafka_error_code().is_some_and(client::is_refused) => Err(client::hopeless("publish", &error)),
            Some(error) => Err(aborted("publish", &error)),
        }
    }
}

struct Reports;

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Call>;

    fn delivery(&self, result: &DeliveryResult<'_>, call: Arc<Call>) {
        call.reported(result.as_ref().err().map(|(error, _)| error.clone()));
    }
}

pub(super) struct KafkaPublisher {
    config: ClientConfig,
    producer: Mutex<Arc<ThreadedProducer<Reports>>>,
    topics: Arc<Topics>,
}

fn producer(config: &ClientConfig) -> Result<Arc<ThreadedProducer<Reports>>, BusError> {
    config.create_with_context(Reports).map(Arc::new).map_err(|e| fatal("make a publisher", &e))
}

impl KafkaPublisher {
    pub(super) fn new(config: ClientConfig, topics: Arc<Topics>) -> Result<Self, BusError> {
        let producer = Mutex::new(producer(&config)?);
        Ok(Self { config, producer, topics })
    }

    /// The producer; a new one where the last can do nothing more (the broker has lost records of it, for example).
    /// Records that are published again because of it are found by their identity.
    fn producer(&self) -> Result<Arc<ThreadedProducer<Reports>>, BusError> {
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, why)) = current.client().fatal_error() {
            tracing::warn!(?code, why, "a new publisher takes the place of one that failed");
            *current = producer(&self.config)?;
        }
        Ok(current.clone())
    }

    fn send(&self, producer: &ThreadedProducer<Reports>, record: &NewRecord, call: &Arc<Call>, until: Instant) -> Result<(), BusError> {
        let (topic, partition) = self.topics.place(record)?;
        let mut ready = BaseRecord::with_opaque_to(topic, call.clone()).partition(client::number(partition)).key(&record.key);
        if let Some(value) = &record.value {
            ready = ready.payload(value);
        }
        if !record.headers.is_empty() {
            ready = ready.headers(headers(&record.headers));
        }
        call.open().missing += 1;
        while let Err((error, back)) = producer.send(ready) {
            if error.rdkafka_error_code() != Some(Code::QueueFull) || Instant::now() >= until {
                call.reported(Some(error));
                return Ok(());
            }
            std::thread::sleep(QUEUE_FULL_WAIT);
            ready = back;
        }
        Ok(())
    }
}

impl Publisher for KafkaPublisher {
    fn publish(&self, records: Vec<NewRecord>, timeout: Duration) -> Result<(), BusError> {
        let until = Instant::now() + timeout;
        let call = Arc::new(Call::default());
        let producer = self.producer()?;
        for record in &records {
            self.send(&producer, record, &call, until)?;
        }
        call.wait(until)
    }
}
