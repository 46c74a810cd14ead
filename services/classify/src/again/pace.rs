//! How far a new look at history is, and whether it is to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundswell_bus::{Bus, BusError, Stop, Topic};

/// Counts what is read, until told to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    stop: Stop,
    read: Arc<AtomicU64>,
    of: Arc<AtomicU64>,
}

impl Pace {
    pub(super) fn new(stop: Stop) -> Self {
        Self { stop, ..Self::default() }
    }

    /// These topics will be read.
    pub(super) fn plan(&self, bus: &dyn Bus, topics: &[Topic]) -> Result<(), BusError> {
        let mut of = 0;
        for topic in topics {
            of += bus.bounds(*topic)?.iter().map(|bounds| bounds.high.0 - bounds.low.0).sum::<u64>();
        }
        self.of.store(of, Ordering::Relaxed);
        Ok(())
    }

    /// One record more. Fails if the process was told to stop.
    pub(super) fn record(&self) -> anyhow::Result<()> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.go_on()
    }

    /// Fails if the process was told to stop.
    pub(super) fn go_on(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.stop.is_set(), BusError::Stopped);
        Ok(())
    }

    /// Records read, and records that were there at the beginning. Kafka's markers of transactions are never read, and what is
    /// published meanwhile is.
    pub(super) fn now(&self) -> (u64, u64) {
        let of = self.of.load(Ordering::Relaxed);
        (self.read.load(Ordering::Relaxed).min(of), of)
    }
}
