//! Readiness: the process is ready when everything that registered a flag has set it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Everything that must be ready.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<Vec<Part>>>,
}

type Check = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Clone)]
struct Part {
    name: &'static str,
    is_ready: Check,
}

/// The flag of one part.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says that this part is ready, or no longer.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }
}

impl Health {
    /// Registers a flag, not set yet.
    #[must_use]
    pub fn register(&self, name: &'static str) -> Ready {
        let flag = Ready::default();
        let read = flag.clone();
        self.watch(name, move || read.0.load(Ordering::Acquire));
        flag
    }

    /// Registers a part that is asked each time; the answer must come at once.
    pub fn watch(&self, name: &'static str, is_ready: impl Fn() -> bool + Send + Sync + 'static) {
        let part = Part { name, is_ready: Arc::new(is_ready) };
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
    }

    /// The parts that are not ready yet; none if all are.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<&'static str> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        parts.iter().filter(|p| !(p.is_ready)()).map(|p| p.name).collect()
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("waiting_for", &self.waiting_for()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_every_part_is() {
        let health = Health::default();
        assert!(health.waiting_for().is_empty());
        let (bus, index) = (health.register("bus"), health.register("index"));
        bus.set(true);
        assert_eq!(health.waiting_for(), ["index"]);
        index.set(true);
        assert!(health.waiting_for().is_empty());
        health.watch("partitions", || false);
        assert_eq!(health.waiting_for(), ["partitions"]);
        bus.set(false);
        assert_eq!(health.waiting_for(), ["bus", "partitions"]);
    }
}
