//! Trying what services do with topics, groups and transactions, so that a permission that is missing is told before it is met.
//!
//! Writing is tried by transactions that are aborted, under an id of their own: readers of committed records see nothing of them.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset as KafkaOffset, TopicPartitionList};

use super::client::{self, CALL, aborted, advice, code_of, fatal, is_refused};
use super::topics::Topics;
use super::trouble::Trouble;
use crate::{BusError, Group, KafkaSettings, Offset, Remark, Topic};

const CHECK: &str = "permissions";
const STEP: Duration = Duration::from_millis(20);
/// A look that was cut off leaves a transaction open for no longer.
const TRANSACTION_MS: &str = "15000";

/// What the broker reported about the one record of a transaction.
#[derive(Default)]
struct Delivery(AtomicU8);

const DELIVERED: u8 = 1;
const NOT_DELIVERED: u8 = 2;

impl ClientContext for Delivery {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }
}

impl ProducerContext for Delivery {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.store(if result.is_ok() { DELIVERED } else { NOT_DELIVERED }, Ordering::Relaxed);
    }
}

/// What is refused, of all that services do.
pub(super) fn missing(settings: &KafkaSettings, topics: &Topics, group_id: impl Fn(Group) -> String) -> Result<Vec<Remark>, BusError> {
    let mut remarks = Vec::new();
    let reader = client::reading(settings, &format!("{}-doctor", settings.prefix), true);
    let reader: BaseConsumer<Trouble> = reader.create_with_context(Trouble::default()).map_err(|e| fatal("make a reader", &e))?;
    for topic in Topic::ALL {
        let name = topics.name(topic);
        remarks.extend(tell(&format!("read {name}"), read(&reader, name))?);
    }
    let id = format!("{}-doctor", settings.prefix);
    let mut config = client::transacting(settings, &id);
    config.set("transaction.timeout.ms", TRANSACTION_MS);
    let producer: BaseProducer<Delivery> = config.create_with_context(Delivery::default()).map_err(|e| fatal("make a producer", &e))?;
    client::await_broker(producer.client());
    let began = tell(&format!("use transactions named {}*", settings.prefix), producer.init_transactions(CALL))?;
    if let Some(remark) = began {
        remarks.push(remark);
        return Ok(remarks);
    }
    for topic in Topic::ALL {
        let name = topics.name(topic);
        remarks.extend(tell(&format!("write to {name}"), in_transaction(&producer, || write(&producer, name)))?);
    }
    for group in [Group::Ingest, Group::Classify, Group::Index] {
        let id = group_id(group);
        let member: BaseConsumer<Trouble> =
            client::joining(settings, &id, &id).create_with_context(Trouble::default()).map_err(|e| fatal("ask about a group", &e))?;
        let place = group.topics().first().map(|topic| (topics.name(*topic), 0, Some(Offset::default())));
        let tried = client::list(place).and_then(|positions| in_transaction(&producer, || commit(&producer, &positions, &member)));
        remarks.extend(tell(&format!("use group {id}"), tried)?);
    }
    Ok(remarks)
}

/// A refusal as a remark; any other failure as what it is.
fn tell(what: &str, tried: Result<(), KafkaError>) -> Result<Option<Remark>, BusError> {
    let Err(error) = tried else { return Ok(None) };
    match code_of(&error).filter(|code| is_refused(*code)) {
        Some(code) => {
            let todo = advice(code).unwrap_or_default().to_owned();
            Ok(Some(Remark { check: CHECK, says: format!("the broker does not let us {what}: {error}"), todo, hurts: true }))
        }
        None => Err(aborted(what, &error)),
    }
}

/// Reads at the end of a partition: nothing is there, and the answer says whether it might have been.
fn read(consumer: &BaseConsumer<Trouble>, name: &str) -> Result<(), KafkaError> {
    let mut at_end = TopicPartitionList::new();
    at_end.add_partition_offset(name, 0, KafkaOffset::End)?;
    consumer.assign(&at_end)?;
    let until = Instant::now() + CALL;
    let outcome = loop {
        match consumer.poll(STEP) {
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => break Ok(()),
            Some(Err(error)) if code_of(&error).is_some_and(is_refused) => break Err(error),
            // The client tries again by itself.
            Some(Err(error)) if Instant::now() >= until => break Err(error),
            None if Instant::now() >= until => break Err(KafkaError::NoMessageReceived),
            Some(Err(_)) | None => {}
        }
    };
    consumer.unassign()?;
    outcome
}

/// Runs `tried` in a transaction that is aborted, whatever comes of it.
fn in_transaction(producer: &BaseProducer<Delivery>, tried: impl FnOnce() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    producer.begin_transaction()?;
    let outcome = tried();
    // The abort waits for reports and does not fetch them itself.
    producer.poll(Duration::ZERO);
    producer.abort_transaction(CALL)?;
    outcome
}

fn write(producer: &BaseProducer<Delivery>, name: &str) -> Result<(), KafkaError> {
    let delivery = &producer.context().0;
    delivery.store(0, Ordering::Relaxed);
    producer.send(BaseRecord::to(name).partition(0).key("groundswell-doctor").payload("")).map_err(|(error, _)| error)?;
    let until = Instant::now() + CALL;
    while delivery.load(Ordering::Relaxed) == 0 && Instant::now() < until {
        producer.poll(STEP);
    }
    match delivery.load(Ordering::Relaxed) {
        DELIVERED => Ok(()),
        // What went wrong is known to the transaction; any call but its abort says it.
        _ => producer.begin_transaction().and(Err(KafkaError::NoMessageReceived)),
    }
}

fn commit(producer: &BaseProducer<Delivery>, positions: &TopicPartitionList, member: &BaseConsumer<Trouble>) -> Result<(), KafkaError> {
    let group = member.group_metadata().ok_or(KafkaError::NoMessageReceived)?;
    producer.send_offsets_to_transaction(positions, &group, CALL)
}
