//! Transactions as a linear type: [`Transactions::begin`] borrows the producer, and the transaction
//! ends by [`Transaction::commit`] or [`Transaction::abort`], which consume it. Records of a step can
//! be sent in no other way.
//!
//! A failed call has one of three answers: try the same call again, abort the transaction, or give up
//! the producer. A producer is given up when the broker no longer knows its transaction (it timed out in
//! an outage, or its commit went through and the answer was lost): a new one takes its place, which
//! settles what is open, and the step is read again from what is committed. Only where another process
//! has taken the id, or the broker refuses us, does the process end.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientConfig, ClientContext};

use super::client::{self, CALL, Quiet, aborted, advice, fatal, hopeless, is_hopeless, is_out_of_group, is_refused};
use crate::patience::Patience;
use crate::{BusError, Group, Stop, crash};

/// Sends between two looks at the delivery reports.
const SENDS_PER_POLL: usize = 1_000;
const PURGE_WAIT: Duration = Duration::from_secs(2);
/// Between two looks for delivery reports. The client's own wait is in whole milliseconds and spins through what is left of one.
const DELIVERY_STEP: Duration = Duration::from_micros(300);
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(10);
/// A call of the client that has not returned this long after its own time limit never will.
const OVERDUE: Duration = Duration::from_secs(5);

/// A record that could not be delivered makes its transaction fail, so reports need no handling.
pub(super) struct Reports;

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            tracing::debug!(error = %error, "a record of a transaction was not delivered");
        }
    }
}

/// The producer of one member.
pub(super) struct Transactions {
    producer: Arc<BaseProducer<Reports>>,
    config: ClientConfig,
    id: String,
    stop: Stop,
    /// After this time the broker aborts a transaction by itself, and its producer looks like one that was replaced.
    timeout: Duration,
    /// When the last transaction began.
    begun: Instant,
    /// The producer can do nothing more; a new one has to take its place.
    lost: bool,
}

/// One open transaction.
#[must_use = "commit or abort it"]
pub(super) struct Transaction<'p> {
    owner: &'p mut Transactions,
    sent: usize,
}

/// A record on its way out.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: u32,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: &'a [(String, Vec<u8>)],
}

/// What to do about a failed call.
enum Answer {
    Again,
    Abort,
    End,
}

fn answer(error: &KafkaError) -> Answer {
    match error {
        KafkaError::Transaction(e) if e.is_fatal() => Answer::End,
        KafkaError::Transaction(e) if e.txn_requires_abort() => Answer::Abort,
        KafkaError::Transaction(e) if e.is_retriable() => Answer::Again,
        e if is_out_of_group(e) => Answer::Abort,
        e if is_hopeless(e) => Answer::End,
        KafkaError::Flush(_) => Answer::Again,
        KafkaError::Transaction(e) => match e.code() {
            Code::OperationTimedOut | Code::RequestTimedOut | Code::AllBrokersDown | Code::BrokerTransportFailure => Answer::Again,
            // The transaction is in a state in which only an abort is allowed.
            _ => Answer::Abort,
        },
        _ => Answer::Abort,
    }
}

impl Transactions {
    /// Makes the producer and takes the place of any other of the same id, whose open transaction is aborted.
    pub(super) fn open(config: ClientConfig, id: &str, stop: &Stop) -> Result<Self, BusError> {
        let producer = take_over(&config, id, stop)?;
        let timeout =
            config.get("transaction.timeout.ms").and_then(|ms| ms.parse().ok()).map_or(client::TRANSACTION, Duration::from_millis);
        Ok(Self { producer, config, id: id.to_owned(), stop: stop.clone(), timeout, begun: Instant::now(), lost: false })
    }

    /// Puts a new producer in the place of one that is lost. What was open is aborted or, if its commit got through, committed.
    fn reopen(&mut self) -> Result<(), BusError> {
        self.producer = take_over(&self.config, &self.id, &self.stop)?;
        self.lost = false;
        tracing::info!(id = self.id, "a new producer took the place of one that was lost");
        Ok(())
    }

    /// Serves the client's events while there is nothing to write.
    pub(super) fn serve(&self) {
        self.producer.poll(Duration::ZERO);
    }

    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, BusError> {
        if let Err(error) = self.producer.begin_transaction() {
            let why = self.lose("begin a transaction", &error);
            if !self.lost {
                return Err(why);
            }
            self.reopen()?;
            self.producer.begin_transaction().map_err(|again| fatal(&format!("begin a transaction of {}", self.id), &again))?;
        }
        self.begun = Instant::now();
        Ok(Transaction { owner: self, sent: 0 })
    }

    /// Judges an error after which the producer is of no more use: lost, or the end of this process.
    fn lose(&mut self, what: &str, error: &KafkaError) -> BusError {
        let (code, why) = match self.producer.client().fatal_error() {
            Some((code, words)) => (Some(code), format!("{code:?}: {words}")),
            None => (error.rdkafka_error_code(), error.to_string()),
        };
        let what = format!("{what} of {}", self.id);
        let fenced = matches!(code, Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch));
        // A transaction that timed out was fenced by the broker itself; a younger one by another process.
        if fenced && self.begun.elapsed() < self.timeout {
            let advice = "if another process has the same `instance`, give each its own; else start this one again";
            return fatal(&what, &format!("{why}; {advice}"));
        }
        if let Some(code) = code.filter(|code| is_refused(*code)) {
            return fatal(&what, &advice(code).map_or(why.clone(), |todo| format!("{why}; {todo}")));
        }
        self.lost = true;
        aborted(&what, &why)
    }
}

fn take_over(config: &ClientConfig, id: &str, stop: &Stop) -> Result<Arc<BaseProducer<Reports>>, BusError> {
    let what = format!("take over transactions of {id}");
    let producer: BaseProducer<Reports> = config.create_with_context(Reports).map_err(|e| fatal(&what, &e))?;
    client::await_broker(producer.client());
    let mut patience = Patience::new(&what, stop);
    loop {
        match producer.init_transactions(CALL) {
            Ok(()) => break,
            Err(error) if is_hopeless(&error) || matches!(answer(&error), Answer::End) => return Err(hopeless(&what, &error)),
            Err(error) => patience.wait(&error)?,
        }
    }
    patience.worked();
    Ok(Arc::new(producer))
}

impl Transaction<'_> {
    pub(super) fn send(&mut self, record: &Outgoing<'_>) -> Result<(), BusError> {
        let mut ready = BaseRecord::to(record.topic).partition(client::number(record.partition)).key(record.key);
        if let Some(value) = record.value {
            ready = ready.payload(value);
        }
        if !record.headers.is_empty() {
            ready = ready.headers(headers(record.headers));
        }
        while let Err((error, back)) = self.owner.producer.send(ready) {
            if error.rdkafka_error_code() != Some(Code::QueueFull) {
                return Err(self.cannot_send(record.topic, &error));
            }
            if self.owner.stop.is_set() {
                return Err(BusError::Stopped);
            }
            self.owner.producer.poll(QUEUE_FULL_WAIT);
            ready = back;
        }
        self.sent += 1;
        if self.sent.is_multiple_of(SENDS_PER_POLL) {
            self.owner.producer.poll(Duration::ZERO);
        }
        Ok(())
    }

    fn cannot_send(&mut self, topic: &str, error: &KafkaError) -> BusError {
        let what = format!("write to {topic}");
        match error.rdkafka_error_code() {
            Some(Code::MessageSizeTooLarge) => {
                fatal(&what, &"a record is larger than `message.max.bytes`: raise it here and on the broker")
            }
            _ if self.owner.producer.client().fatal_error().is_some() => self.owner.lose(&what, error),
            _ => aborted(&what, error),
        }
    }

    /// Commits the records together with the positions of `group`. After an error the transaction is aborted.
    pub(super) fn commit(mut self, group: Group, positions: TopicPartitionList, member: ConsumerGroupMetadata) -> Result<(), BusError> {
        let committed = self.try_commit(group, positions, member);
        match committed {
            Err(BusError::Aborted { what, why }) => {
                self.abort()?;
                Err(BusError::Aborted { what, why })
            }
            other => other,
        }
    }

    fn try_commit(&mut self, group: Group, positions: TopicPartitionList, member: ConsumerGroupMetadata) -> Result<(), BusError> {
        crash::step(group, crash::Step::Written);
        if positions.count() > 0 {
            self.send_positions(positions, member)?;
        }
        self.await_delivery();
        crash::step(group, crash::Step::BeforeCommit);
        self.call("commit the transaction", |producer| producer.commit_transaction(CALL))?;
        crash::step(group, crash::Step::Committed);
        Ok(())
    }

    /// Waits until everything sent is delivered or given up, in small steps: the commit would wait too, but a tenth of a second at a time.
    fn await_delivery(&self) {
        let producer = &self.owner.producer;
        let until = Instant::now() + CALL;
        producer.poll(Duration::ZERO);
        while producer.in_flight_count() > 0 && Instant::now() < until && !self.owner.stop.is_set() {
            std::thread::sleep(DELIVERY_STEP);
            producer.poll(Duration::ZERO);
        }
    }

    /// librdkafka 2.12 forgets the time limit of this call, and never comes back from it, where the group's coordinator leaves the
    /// cluster meanwhile (its issues 5456 and 5511). So the call has a thread of its own; one that is overdue is left behind with its producer.
    fn send_positions(&mut self, positions: TopicPartitionList, member: ConsumerGroupMetadata) -> Result<(), BusError> {
        let what = "send positions with the transaction";
        let both = Arc::new((positions, member));
        let mut overdue = false;
        self.call(what, |producer| {
            producer.poll(Duration::ZERO);
            let (theirs, both) = (producer.clone(), both.clone());
            let answer = within(CALL + OVERDUE, move || theirs.send_offsets_to_transaction(&both.0, &both.1, CALL));
            overdue = answer.is_none();
            answer.unwrap_or(Ok(()))
        })?;
        if overdue {
            self.owner.lost = true;
            return Err(aborted(&format!("{what} of {}", self.owner.id), &"the client did not answer in time"));
        }
        Ok(())
    }

    /// Gives the transaction up: nothing of it will ever be seen, unless a commit of it was already under way.
    pub(super) fn abort(self) -> Result<(), BusError> {
        if !self.owner.lost
            && let Err(error) = self.try_abort()
        {
            let why = self.owner.lose("abort the transaction", &error);
            if !self.owner.lost {
                return Err(why);
            }
            tracing::debug!(why = %why, "the transaction is settled by the next producer");
        }
        if self.owner.lost { self.owner.reopen() } else { Ok(()) }
    }

    fn try_abort(&self) -> Result<(), KafkaError> {
        let producer = &self.owner.producer;
        producer.purge(PurgeConfig::default().queue().inflight());
        let mut patience = Patience::new("abort the transaction", &self.owner.stop);
        loop {
            // The abort waits for the reports of the purged records and does not fetch them itself.
            if let Err(error) = producer.flush(PURGE_WAIT) {
                tracing::debug!(error = %error, "records of an aborted transaction are still on their way");
            }
            match producer.abort_transaction(CALL) {
                Ok(()) => return Ok(()),
                Err(error) if matches!(answer(&error), Answer::Again) => {
                    // Stopping while the broker is away: the next process takes the transaction over.
                    if patience.wait(&error).is_err() {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn call(&mut self, what: &str, mut call: impl FnMut(&Arc<BaseProducer<Reports>>) -> Result<(), KafkaError>) -> Result<(), BusError> {
        let stop = self.owner.stop.clone();
        let mut patience = Patience::new(what, &stop);
        loop {
            let Err(error) = call(&self.owner.producer) else {
                patience.worked();
                return Ok(());
            };
            match answer(&error) {
                Answer::Again => patience.wait(&error)?,
                Answer::Abort => return Err(aborted(&format!("{what} of {}", self.owner.id), &error)),
                Answer::End => return Err(self.owner.lose(what, &error)),
            }
        }
    }
}

/// The answer of a call, or none if it takes longer than `limit`: its thread is then left to itself.
fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = channel();
    // Nobody listens any more if it took too long.
    let thread = std::thread::Builder::new().name("transaction".into()).spawn(move || drop(tell.send(call())));
    thread.ok().and_then(|_| told.recv_timeout(limit).ok())
}

pub(super) fn headers(list: &[(String, Vec<u8>)]) -> OwnedHeaders {
    list.iter().fold(OwnedHeaders::new_with_capacity(list.len()), |headers, (name, value)| {
        headers.insert(Header { key: name, value: Some(value.as_slice()) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overdue_call_is_left_behind() {
        let (release, held) = channel::<()>();
        assert_eq!(within(Duration::from_millis(1), move || held.recv()), None);
        drop(release);
        assert_eq!(within(Duration::from_secs(60), || 7), Some(7));
    }
}
