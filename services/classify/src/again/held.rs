//! What the index was told last of each piece of feedback, as the insights topic has it.

use groundswell_bus::{Bus, Offset, Reader, Record, Topic};
use groundswell_model::frame;
use groundswell_model::{Insight, Op, VersionWeight};
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::pace::Pace;

/// Partition, offset, and number in the frame.
type Place = (u32, Offset, u32);

/// Where the last word on a piece of feedback is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    partition: u32,
    offset: Offset,
    item: u32,
    /// Hash of where it counts.
    pub(super) place: u64,
    /// Whether its event was met again.
    pub(super) seen: bool,
}

/// The last word on every piece of feedback: some 80 bytes for each.
pub(super) struct Holdings {
    all: HashMap<u128, Held>,
    reader: Box<dyn Reader>,
}

impl Holdings {
    /// Reads the insights topic.
    pub(super) fn read(bus: &dyn Bus, pace: &Pace) -> anyhow::Result<Self> {
        let mut reader = bus.reader(Topic::Insights)?;
        // By API, too: what moves between APIs moves between partitions, which are read in no order.
        let mut of_api: HashMap<(u128, u64), Held> = HashMap::new();
        each_op(reader.as_mut(), pace, |at, op| match op {
            Op::Upsert(insight) => {
                let held = Held { partition: at.0, offset: at.1, item: at.2, place: place_of(&insight), seen: false };
                of_api.insert((insight.identity.0, xxh3_64(insight.api.as_bytes())), held);
            }
            Op::Remove(gone) => {
                of_api.remove(&(gone.identity.0, xxh3_64(gone.api.as_bytes())));
            }
            Op::Usage(_) | Op::Milestone(_) => {}
        })?;
        let all = of_api.into_iter().map(|((identity, _), held)| (identity, held)).collect();
        Ok(Self { all, reader })
    }

    pub(super) fn get_mut(&mut self, identity: u128) -> Option<&mut Held> {
        self.all.get_mut(&identity)
    }

    /// Reads the topic once more and gives each last word, with whether its event was met again.
    pub(super) fn walk(
        &self,
        bus: &dyn Bus,
        pace: &Pace,
        mut each: impl FnMut(&Insight<'_>, bool) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut failed = None;
        each_op(bus.reader(Topic::Insights)?.as_mut(), pace, |at, op| {
            let Op::Upsert(insight) = op else { return };
            let last = self.all.get(&insight.identity.0).filter(|h| (h.partition, h.offset, h.item) == at);
            if let (Some(held), None) = (last, &failed) {
                failed = each(&insight, held.seen).err();
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// What was said since this was read.
    pub(super) fn since(&mut self, pace: &Pace, mut each: impl FnMut(&Insight<'_>)) -> anyhow::Result<()> {
        each_op(self.reader.as_mut(), pace, |_, op| {
            if let Op::Upsert(insight) = op {
                each(&insight);
            }
        })
    }
}

/// Every instruction of the topic, with partition, offset and number in its frame.
fn each_op(reader: &mut dyn Reader, pace: &Pace, mut each: impl FnMut(Place, Op<'_>)) -> anyhow::Result<()> {
    let mut failed = None;
    reader.catch_up(&mut |record: Record<'_>| {
        for (item, op) in (0u32..).zip(frame::read::<Op<'_>>(record.value.unwrap_or_default())) {
            match op {
                _ if failed.is_some() => return,
                Ok(op) => each((record.part.partition, record.offset, item), op),
                Err(why) => {
                    failed = Some(anyhow::anyhow!("insights partition {} offset {}: {why}", record.part.partition, record.offset.0))
                }
            }
        }
        failed = failed.take().or_else(|| pace.record().err());
    })?;
    failed.map_or(Ok(()), Err)
}

/// Hash of where an insight counts, and by what: what a new attribution is compared with.
pub(super) fn place_of(insight: &Insight<'_>) -> u64 {
    let mut basis = format!("{}\u{1e}{}\u{1e}{}", insight.api, insight.rung.name(), insight.operation.unwrap_or_default());
    for VersionWeight { version, weight } in &insight.versions {
        // Shares differ in their last digits where usage is read in other batches.
        basis.push_str(&format!("\u{1e}{version}\u{1f}{weight:.2}"));
    }
    xxh3_64(basis.as_bytes())
}
