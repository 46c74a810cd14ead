//! The HTTP edge: `POST /v1/events`.
//!
//! Every event of a request is checked by the same code as the records of a source topic, so that its sender learns
//! at once what is wrong with it. Good ones are published to their source topic as they came; the answer is given only
//! after they are durable. An event that was published before is told as `duplicate` and not published again, as far
//! as the [`memory`] reaches: the decision that counts is the classify service's.

mod answer;
mod http;
pub mod memory;
mod request;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use groundswell_bus::{Bus, BusError, NewRecord, Publisher, crash};
use groundswell_contract::{Decoded, Incoming, Limits, content_hash, decode, validate};
use groundswell_model::{ContentHash, IdentityHash, Reject, RejectReason, Timestamp};
use groundswell_runtime::{Settings, clock};
use hashbrown::HashMap;

pub use answer::{Answer, ItemOutcome, ItemResult};
pub use http::router;
use memory::{Memory, Seen};
pub use request::Item;

use crate::source;

/// How long a request waits for its events to be durable.
const PUBLISH_TIME: Duration = Duration::from_secs(30);

/// Takes events from HTTP.
pub struct Edge {
    publisher: Box<dyn Publisher>,
    memory: Mutex<Memory>,
    limits: Limits,
    body_bytes: usize,
    clock: fn() -> Timestamp,
}

/// An event that is fit to be published.
struct Fit {
    index: usize,
    identity: IdentityHash,
    content: ContentHash,
    record: NewRecord,
}

impl Edge {
    /// An edge that remembers the newest events of the source topics.
    ///
    /// # Errors
    /// A topic is missing, or the transport refuses its configuration.
    pub fn open(bus: &dyn Bus, settings: &Settings) -> Result<Self, BusError> {
        Self::with_clock(bus, settings, clock::now)
    }

    /// Like [`Edge::open`], with a clock of one's own.
    ///
    /// # Errors
    /// As [`Edge::open`].
    pub fn with_clock(bus: &dyn Bus, settings: &Settings, clock: fn() -> Timestamp) -> Result<Self, BusError> {
        let limits = settings.limits.contract();
        Ok(Self {
            publisher: bus.publisher()?,
            memory: Mutex::new(Memory::seeded(bus, &limits)?),
            limits,
            body_bytes: settings.limits.body_bytes,
            clock,
        })
    }

    /// Takes the events of one request: answers when those that are fit and new are durable.
    ///
    /// # Errors
    /// They could not be published; the same request may be sent again.
    pub fn take(&self, items: &[Item<'_>]) -> Result<Answer, BusError> {
        let now = (self.clock)();
        let mut results = Vec::with_capacity(items.len());
        let mut fit = Vec::new();
        let mut scratch = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.check(item, now) {
                Ok(event) => {
                    results.push(ItemResult::accepted(index, &event));
                    let content = content_hash(&event, &mut scratch);
                    fit.push(Fit {
                        index,
                        identity: event.identity(),
                        content,
                        record: source::record_of(item.structured(&event), &event),
                    });
                }
                Err(reject) => results.push(ItemResult::rejected(index, item.names(), &reject)),
            }
        }
        let fresh = self.without_known(fit, &mut results);
        self.publish(fresh)?;
        let answer = Answer::of(results);
        answer.count();
        Ok(answer)
    }

    fn check(&self, item: &Item<'_>, now: Timestamp) -> Result<Decoded, Reject> {
        let event = decode(&item.incoming(), &self.limits)?;
        validate(&event, now, &self.limits)?;
        Ok(event)
    }

    /// Leaves out what was published before or stands in this request already, and says so in its result.
    fn without_known(&self, fit: Vec<Fit>, results: &mut [ItemResult]) -> Vec<Fit> {
        let memory = self.memory();
        let mut here: HashMap<IdentityHash, ContentHash> = HashMap::new();
        let mut fresh = Vec::with_capacity(fit.len());
        for one in fit {
            let before = here.get(&one.identity).copied().or_else(|| memory.content_of(one.identity));
            match Seen::compare(before, one.content) {
                Seen::New => {
                    here.insert(one.identity, one.content);
                    fresh.push(one);
                }
                Seen::Same => results[one.index].set_duplicate(),
                Seen::Other => results[one.index].set_rejected(&conflict()),
            }
        }
        fresh
    }

    /// Two requests with the same new event may both publish it: whoever is told `accepted` must be able to rely on
    /// its own acknowledgement, and classify counts it once.
    fn publish(&self, fresh: Vec<Fit>) -> Result<(), BusError> {
        if fresh.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = fresh.iter().map(|one| (one.identity, one.content)).collect();
        crash::point("ingest.edge.before_publish");
        self.publisher.publish(fresh.into_iter().map(|one| one.record).collect(), PUBLISH_TIME)?;
        crash::point("ingest.edge.after_publish");
        let mut memory = self.memory();
        seen.into_iter().for_each(|(identity, content)| memory.note(identity, content));
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn conflict() -> Reject {
    RejectReason::ConflictingDuplicate
        .because("this `source` and `id` were published with other content: use a new `id` for a changed event")
}

/// The payload of one record of a source topic, if it can be used: for the memory.
fn readable(record: &groundswell_bus::Record<'_>, limits: &Limits) -> Option<Decoded> {
    let headers: Vec<(&str, &[u8])> = record.headers.iter().collect();
    let event = decode(&Incoming { content_type: None, headers: &headers, body: Some(record.value?) }, limits).ok()?;
    (source::topic_of(event.ty()) == record.part.topic).then_some(event)
}
