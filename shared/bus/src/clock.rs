//! The clock by which the embedded log stamps its records; tests bring their own.

use std::sync::Arc;

use groundswell_model::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of this machine.
#[expect(clippy::disallowed_methods, reason = "the log stamps records with the time at which it took them")]
pub(crate) fn wall() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
