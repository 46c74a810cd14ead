//! From what publishers send to accepted events: the first of the three services.
//!
//! A record of a source topic is decoded and validated ([`groundswell_contract`]), stripped of personal data and
//! secrets and given its consumer ([`door`]), and packed into the frame of the consumer's partition of `events`
//! ([`frames`]). What can't be used becomes a dead letter. [`stage`] does that for a batch, in one atomic step.
//!
//! Over HTTP, [`edge`] checks the same things first, answers for every event, and publishes the good ones to the
//! source topics: so a dead letter, a replay and a rebuild see all events in one place. [`dlq`] reads and replays
//! dead letters.
//!
//! What this service never does: keep state, drop a record without a fate, write personal data to a topic of ours
//! other than dead letters, or put a record's text into a log, a metric or a reason.

pub mod dlq;
pub mod door;
pub mod edge;
pub mod frames;
mod people;
pub mod source;
pub mod stage;

use std::sync::Arc;
use std::time::Duration;

use groundswell_bus::{Budget, Bus, Group, service};
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{App, Service, Settings, Stop};

pub use door::Door;
pub use edge::{Edge, router};
pub use frames::Frames;
pub use groundswell_catalogue::Identities;
pub use stage::{IngestStage, head_of};

/// What one step may take in: large steps make the hop cheap, the linger keeps events fresh.
const BUDGET: Budget = Budget {
    records: 12_000,
    bytes: 8 * 1024 * 1024,
    wait: Duration::from_millis(200),
    linger: Duration::from_millis(10),
    linger_behind: Duration::from_millis(500),
};

/// Runs the loop until `stop` is set; owns the calling thread.
///
/// # Errors
/// The transport failed in a way that this process can't mend, or the pseudonym key can't be read.
pub fn run(bus: &Arc<dyn Bus>, settings: &Settings, stop: &Stop) -> anyhow::Result<()> {
    let mut stage = IngestStage::new(bus.as_ref(), settings)?;
    Ok(service::run(bus.as_ref(), Group::Ingest, &mut stage, BUDGET, stop)?)
}

/// The service as a program runs it: the loop, and the HTTP edge for keys with the scope `publish`.
///
/// # Errors
/// A topic is missing, or the pseudonym key can't be read.
pub fn service(app: &App, bus: &Arc<dyn Bus>) -> anyhow::Result<Service> {
    let edge = Arc::new(Edge::open(bus.as_ref(), &app.settings)?);
    let mut stage = IngestStage::new(bus.as_ref(), &app.settings)?;
    let (bus, stop, ready) = (bus.clone(), app.stop.clone(), app.health.register("ingest"));
    let work = move || {
        ready.set(true);
        Ok(service::run(bus.as_ref(), Group::Ingest, &mut stage, BUDGET, &stop)?)
    };
    Ok(Service::looping("ingest", work).routes(app.auth.protect(router(edge), Scope::Publish)))
}
