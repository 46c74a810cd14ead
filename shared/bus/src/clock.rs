//! The clock by which the embedded log stamps its records; tests bring their own.

use std::sync::Arc;
use std::time::Duration;

use groundswell_model::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of this machine.
pub(crate) fn wall() -> Clock {
    Arc::new(now)
}

/// The time by the clock of this machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the log stamps records with the time at which it took them, and a member asks how long they waited"
)]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago `then` was; nothing for what is ahead.
#[must_use]
pub fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.0.saturating_sub(then.0)).unwrap_or_default())
}
