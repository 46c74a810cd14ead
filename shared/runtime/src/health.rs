//! Readiness: the process is ready when everything that registered a flag has set it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All flags of a process.
#[derive(Clone, Debug, Default)]
pub struct Health {
    flags: Arc<Mutex<Vec<Ready>>>,
}

/// One flag.
#[derive(Clone, Debug)]
pub struct Ready {
    name: &'static str,
    set: Arc<AtomicBool>,
}

impl Ready {
    /// Says that this part is ready, or no longer.
    pub fn set(&self, ready: bool) {
        self.set.store(ready, Ordering::Release);
    }
}

impl Health {
    /// Registers a flag, not set yet.
    #[must_use]
    pub fn register(&self, name: &'static str) -> Ready {
        let flag = Ready { name, set: Arc::default() };
        self.flags.lock().unwrap_or_else(PoisonError::into_inner).push(flag.clone());
        flag
    }

    /// The parts that are not ready yet; none if all are.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<&'static str> {
        let flags = self.flags.lock().unwrap_or_else(PoisonError::into_inner);
        flags.iter().filter(|f| !f.set.load(Ordering::Acquire)).map(|f| f.name).collect()
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
        bus.set(false);
        assert_eq!(health.waiting_for(), ["bus"]);
    }
}
