//! Reading a stretch of a partition, without a group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_model::Timestamp;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _};

use super::client::{CALL, aborted, fatal, from_raw, hopeless, is_hopeless, list, number, until_it_works};
use super::topics::Topics;
use super::trouble::Trouble;
use crate::patience::Patience;
use crate::{Batch, BusError, Offset, Part, Record, Stop};

const POLL: Duration = Duration::from_millis(100);
/// Bytes gathered before they are handed on.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A reader of stretches.
pub(super) struct RangeReader {
    consumer: BaseConsumer<Trouble>,
    topics: Arc<Topics>,
    stop: Stop,
}

impl RangeReader {
    pub(super) fn new(config: &rdkafka::ClientConfig, topics: Arc<Topics>, stop: Stop) -> Result<Self, BusError> {
        let consumer = config.create_with_context(topics.trouble().clone()).map_err(|e| fatal("make a reader", &e))?;
        Ok(Self { consumer, topics, stop })
    }

    /// Oldest offset kept, and the end: behind the last record that this reader may see.
    pub(super) fn ends(&self, part: Part) -> Result<(Offset, Offset), BusError> {
        let name = self.topics.name(part.topic);
        until_it_works(&format!("ask for the ends of {name}/{}", part.partition), self.topics.trouble(), &self.stop, || {
            self.ask_ends(part, CALL)
        })
    }

    /// [`RangeReader::ends`] in one try.
    pub(super) fn ask_ends(&self, part: Part, wait: Duration) -> Result<(Offset, Offset), KafkaError> {
        let name = self.topics.name(part.topic);
        self.drain();
        match self.consumer.fetch_watermarks(name, number(part.partition), wait) {
            Ok((low, high)) => Ok((from_raw(low).unwrap_or_default(), from_raw(high).unwrap_or_default())),
            Err(error) => {
                // What the client remembers of the topic may be of a broker that was only starting.
                self.consumer.fetch_metadata(Some(name), wait)?;
                Err(error)
            }
        }
    }

    /// Throws away what is queued while nothing is read: errors of connections, which would pile up in an outage.
    fn drain(&self) {
        while self.consumer.poll(Duration::ZERO).is_some() {}
    }

    /// Waits until everything below `to` is decided: no transaction is open there.
    pub(super) fn await_decided(&self, part: Part, to: Offset) -> Result<(), BusError> {
        let what = format!("wait for transactions on {}/{}", self.topics.name(part.topic), part.partition);
        let mut patience = Patience::new(&what, &self.stop);
        while self.ends(part)?.1 < to {
            patience.wait(&"one is still open; if it stays so, run `groundswell doctor`")?;
        }
        Ok(())
    }

    /// Calls `each` with every record from `from` up to, not including, `to`, which must be no further than [`RangeReader::ends`].
    /// Ends early if `each` says so.
    pub(super) fn read(&self, part: Part, from: Offset, to: Offset, each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), BusError> {
        self.read_within(None, part, from, to, each)
    }

    /// Like [`RangeReader::read`], but gives up after `limit`.
    pub(super) fn read_within(
        &self,
        limit: Option<Duration>,
        part: Part,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Record<'_>) -> bool,
    ) -> Result<(), BusError> {
        if from >= to {
            return Ok(());
        }
        let what = format!("read {}/{} from {}", self.topics.name(part.topic), part.partition, from.0);
        self.assign(&what, part, from)?;
        let result = self.poll_through(&what, limit.map(|limit| Instant::now() + limit), part, to, each);
        self.consumer.unassign().map_err(|e| fatal(&what, &e))?;
        result
    }

    fn assign(&self, what: &str, part: Part, from: Offset) -> Result<(), BusError> {
        let list = list([(self.topics.name(part.topic), part.partition, Some(from))]).map_err(|e| fatal(what, &e))?;
        self.consumer.assign(&list).map_err(|e| fatal(what, &e))
    }

    fn poll_through(
        &self,
        what: &str,
        until: Option<Instant>,
        part: Part,
        to: Offset,
        each: &mut dyn FnMut(Record<'_>) -> bool,
    ) -> Result<(), BusError> {
        let mut patience = Patience::new(what, &self.stop);
        let mut batch = Batch::default();
        loop {
            let mut ended = false;
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => match from_raw(message.offset()) {
                    Some(offset) if offset < to => {
                        push(&mut batch, part, offset, &message);
                        ended = offset.next() >= to;
                    }
                    _ => ended = true,
                },
                // Everything up to the end was handed to us before this.
                Some(Err(KafkaError::PartitionEOF(_))) => ended = true,
                Some(Err(error)) if is_hopeless(&error) => return Err(hopeless(what, &error)),
                // The client tries again by itself. Errors of a whole outage may be queued here: no waiting for each.
                Some(Err(error)) => patience.note(&error),
                None => {}
            }
            if self.stop.is_set() {
                return Err(BusError::Stopped);
            }
            if !ended && until.is_some_and(|until| Instant::now() >= until) {
                return Err(aborted(what, &"the broker did not answer in time"));
            }
            if ended || batch.bytes() >= CHUNK_BYTES {
                if !batch.iter().all(&mut *each) || ended {
                    return Ok(());
                }
                batch.clear();
            }
        }
    }
}

/// Copies a message of the broker in.
pub(super) fn push(batch: &mut Batch, part: Part, offset: Offset, message: &BorrowedMessage<'_>) {
    let at = Timestamp(message.timestamp().to_millis().unwrap_or_default());
    let key = message.key().unwrap_or_default();
    match message.headers() {
        None => batch.push(part, offset, at, key, message.payload(), []),
        Some(headers) => batch.push(part, offset, at, key, message.payload(), headers.iter().map(|h| (h.key, h.value.unwrap_or_default()))),
    }
}
