//! Whether the insights topic still has all that an index partition was made of.

use std::path::Path;

use groundswell_bus::{Bus, Topic};

/// The topic has forgotten what a rebuild would need.
#[derive(Debug, thiserror::Error)]
#[error(
    "the insights topic keeps partition {partition} only from offset {low} on: an index that is rebuilt from it would lose what came before. \
     Read the source topics again under new names of events, journal and insights (`topics.names`, with a new `kafka.prefix` and data folder), \
     or, to go on with what the topic still keeps, stop this process and remove {folder}"
)]
pub(crate) struct NotWhole {
    partition: u32,
    low: u64,
    folder: String,
}

/// Refuses to read again what is no longer all there.
///
/// # Errors
/// [`NotWhole`], or the topic can't be asked.
pub(crate) fn check(bus: &dyn Bus, partition: u32, folder: &Path) -> anyhow::Result<()> {
    let bounds = bus.bounds(Topic::Insights)?;
    let low = bounds.into_iter().find(|b| b.part.partition == partition).map_or(0, |b| b.low.0);
    // An index that is not there yet has nothing to lose.
    if low > 0 && folder.exists() { Err(NotWhole { partition, low, folder: folder.display().to_string() }.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use groundswell_bus::{Batch, Bounds, BusError, Group, Member, Offset, Part, Publisher, Reader};

    use super::*;

    /// A topic whose partition 1 begins at `low`.
    struct Beginning(u64);

    impl Bus for Beginning {
        fn ensure_topics(&self) -> Result<(), BusError> {
            Ok(())
        }
        fn partitions(&self, _: Topic) -> Result<u32, BusError> {
            Ok(2)
        }
        fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> {
            Err(BusError::Stopped)
        }
        fn member(&self, _: Group) -> Result<Box<dyn Member>, BusError> {
            Err(BusError::Stopped)
        }
        fn reader(&self, _: Topic) -> Result<Box<dyn Reader>, BusError> {
            Err(BusError::Stopped)
        }
        fn read_at(&self, _: Part, _: Offset) -> Result<Option<Batch>, BusError> {
            Ok(None)
        }
        fn bounds(&self, topic: Topic) -> Result<Vec<Bounds>, BusError> {
            let bounds = |partition, low| Bounds { part: Part { topic, partition }, low: Offset(low), high: Offset(9), decided: Offset(9) };
            Ok(vec![bounds(0, 0), bounds(1, self.0)])
        }
        fn committed(&self, _: Group, _: Topic) -> Result<BTreeMap<Part, Offset>, BusError> {
            Ok(BTreeMap::new())
        }
    }

    #[test]
    fn a_topic_that_begins_later_is_not_enough_for_an_index_that_is_there() {
        let there = tempfile::tempdir().unwrap();
        assert!(check(&Beginning(0), 1, there.path()).is_ok());
        assert!(check(&Beginning(3), 0, there.path()).is_ok());
        assert!(check(&Beginning(3), 1, &there.path().join("none")).is_ok());
        let refused = check(&Beginning(3), 1, there.path()).unwrap_err();
        assert!(refused.is::<NotWhole>() && refused.to_string().contains("from offset 3"), "{refused}");
    }
}
