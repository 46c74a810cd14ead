//! How far a rebuild is, for those who wait for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use groundswell_bus::{Bounds, Offset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the rebuild at work is: the answer of `GET /v1/index/rebuild`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rebuilding {
    /// Whether a rebuild is at work.
    pub running: bool,
    /// Partitions that are being built or wait for it.
    pub partitions: usize,
    /// Records behind it, of all partitions of this rebuild. Kafka's markers of transactions count as records.
    pub read: u64,
    /// Records that there are.
    pub of: u64,
}

/// How far a rebuild is. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<BTreeMap<u32, Stretch>>>);

#[derive(Clone, Copy, Debug)]
struct Stretch {
    low: u64,
    next: u64,
    high: u64,
    ended: bool,
}

impl Progress {
    fn parts(&self) -> MutexGuard<'_, BTreeMap<u32, Stretch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A partition is to be built. What is known of rebuilds that have ended is forgotten with the first of a new one.
    pub(crate) fn plan(&self, bounds: &Bounds) {
        let mut parts = self.parts();
        if parts.values().all(|part| part.ended) {
            parts.clear();
        }
        let (low, high) = (bounds.low.0, bounds.high.0);
        parts.insert(bounds.part.partition, Stretch { low, next: low, high, ended: false });
    }

    pub(crate) fn reached(&self, partition: u32, next: Offset) {
        if let Some(part) = self.parts().get_mut(&partition) {
            part.next = part.next.max(next.0);
            part.high = part.high.max(next.0);
        }
    }

    /// A partition is built, or is not to be built any more.
    pub(crate) fn ended(&self, partition: u32) {
        if let Some(part) = self.parts().get_mut(&partition) {
            part.ended = true;
        }
    }

    /// How far it is.
    #[must_use]
    pub fn now(&self) -> Rebuilding {
        let parts = self.parts();
        let partitions = parts.values().filter(|part| !part.ended).count();
        let read = parts.values().map(|part| part.next - part.low).sum();
        let of = parts.values().map(|part| part.high - part.low).sum();
        if partitions == 0 { Rebuilding::default() } else { Rebuilding { running: true, partitions, read, of } }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now();
        write!(f, "{} of {} records", now.read, now.of)
    }
}

#[cfg(test)]
mod tests {
    use groundswell_bus::{Part, Topic};

    use super::*;

    fn bounds(partition: u32, low: u64, high: u64) -> Bounds {
        Bounds { part: Part { topic: Topic::Insights, partition }, low: Offset(low), high: Offset(high), decided: Offset(high) }
    }

    #[test]
    fn what_is_read_is_told_of_all_there_is_until_the_last_partition_has_ended() {
        let progress = Progress::default();
        assert!(!progress.now().running);
        progress.plan(&bounds(0, 10, 30));
        progress.plan(&bounds(1, 0, 5));
        progress.reached(0, Offset(15));
        assert_eq!(progress.now(), Rebuilding { running: true, partitions: 2, read: 5, of: 25 });
        progress.reached(0, Offset(32));
        progress.ended(0);
        assert_eq!(progress.now(), Rebuilding { running: true, partitions: 1, read: 22, of: 27 });
        progress.ended(1);
        assert!(!progress.now().running);
        progress.plan(&bounds(1, 0, 5));
        assert_eq!(progress.now().of, 5);
    }
}
