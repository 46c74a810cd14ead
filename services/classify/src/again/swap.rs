//! Publishing what changed, for the live partitions to take in.

use std::time::Duration;

use groundswell_bus::{Bus, Group, NewRecord, Publisher, Topic, crash};
use groundswell_model::frame::{FrameWriter, encode_one};
use groundswell_model::{Again, ContentHash, Event, EventHead, Insight, Labels, Origin, partition_of};
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::held::Holdings;
use super::pace::Pace;

/// Bytes that wait for being published.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How long publishing may take.
const PUBLISH_TIME: Duration = Duration::from_secs(60);
/// How long to wait before looking again whether the live partitions have taken it in.
const LOOK: Duration = Duration::from_millis(20);
/// How often what moved meanwhile is looked for: more than once only where it keeps moving.
const ROUNDS: usize = 3;

/// Insights on their way into `events`.
pub(super) struct Swap<'b> {
    bus: &'b dyn Bus,
    publisher: Box<dyn Publisher>,
    writers: Vec<FrameWriter>,
    full: Vec<NewRecord>,
    bytes: usize,
    /// Identity to the hash of what was published, and its API.
    done: HashMap<u128, (u64, Box<str>)>,
}

impl<'b> Swap<'b> {
    pub(super) fn new(bus: &'b dyn Bus) -> anyhow::Result<Self> {
        let partitions = bus.partitions(Topic::Events)?;
        let writers = (0..partitions.max(1)).map(|_| FrameWriter::default()).collect();
        Ok(Self { bus, publisher: bus.publisher()?, writers, full: Vec::new(), bytes: 0, done: HashMap::new() })
    }

    pub(super) fn done(&self) -> u64 {
        self.done.len() as u64
    }

    /// Puts an insight in place of the one that counts for the API `was`.
    pub(super) fn put(&mut self, was: &str, insight: Insight<'_>) -> anyhow::Result<()> {
        self.done.insert(insight.identity.0, (hash_of(&insight)?, insight.api.into()));
        let partitions = u32::try_from(self.writers.len()).unwrap_or(1);
        // As ingest does: nobody's feedback is spread by identity.
        let hex = insight.identity.hex();
        let partition = partition_of(if insight.consumer.is_empty() { &hex } else { insight.consumer }, partitions);
        let head = EventHead {
            identity: insight.identity,
            content: ContentHash(0),
            source: insight.source,
            id: insight.id,
            time: insight.time,
            received: insight.received,
            origin: Origin::default(),
            consumer: insight.consumer,
        };
        let Some(writer) = self.writers.get_mut(partition as usize) else { return Ok(()) };
        writer.push(&Event::Again(Box::new(Again { head, was, insight }))).map_err(|e| anyhow::anyhow!(e))?;
        if writer.is_full() {
            self.bytes += writer.bytes();
            self.full.extend(writer.take().map(|frame| NewRecord::on(Topic::Events, partition, frame)));
        }
        if self.bytes >= MOST_BYTES { self.publish() } else { Ok(()) }
    }

    fn publish(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        if self.full.is_empty() {
            return Ok(());
        }
        crash::point("classify.swap.before_publish");
        self.publisher.publish(std::mem::take(&mut self.full), PUBLISH_TIME)?;
        crash::point("classify.swap.published");
        Ok(())
    }

    /// Publishes what is left.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        for (partition, writer) in (0u32..).zip(&mut self.writers) {
            self.full.extend(writer.take().map(|frame| NewRecord::on(Topic::Events, partition, frame)));
        }
        self.publish()
    }

    /// Waits until the live partitions have taken it in. What live evidence moved while history was looked at must not be moved
    /// back: it is put where that evidence said. Returns how many that were.
    pub(super) fn settle(
        &mut self,
        held: &mut Holdings,
        pace: &Pace,
        label: impl Fn(&Insight<'_>) -> Option<Labels>,
    ) -> anyhow::Result<u64> {
        let mut moved = 0;
        for _ in 0..ROUNDS {
            self.wait(pace)?;
            let mut others: HashMap<u128, Vec<u8>> = HashMap::new();
            let done = &self.done;
            let mut failed = None;
            held.since(pace, |insight| {
                let Some((ours, _)) = done.get(&insight.identity.0) else { return };
                match hash_of(insight) {
                    Ok(hash) if hash == *ours => {}
                    Ok(_) => match encode_one(insight) {
                        Ok(bytes) => drop(others.insert(insight.identity.0, bytes)),
                        Err(why) => failed = Some(anyhow::anyhow!(why)),
                    },
                    Err(why) => failed = Some(why),
                }
            })?;
            if let Some(why) = failed {
                return Err(why);
            }
            if others.is_empty() {
                break;
            }
            moved += others.len() as u64;
            for bytes in others.values() {
                let Some(Ok(mut insight)) = groundswell_model::frame::read::<Insight<'_>>(bytes).next() else { continue };
                if let Some(labels) = label(&insight) {
                    insight.labels = labels;
                }
                let was = self.done.get(&insight.identity.0).map(|(_, api)| api.clone()).unwrap_or_default();
                self.put(&was, insight)?;
            }
            self.flush()?;
        }
        Ok(moved)
    }

    /// Until the group has worked off what is there now. On Kafka its members commit the end of a quiet partition, markers of
    /// transactions included, so that it is reached there, too.
    fn wait(&self, pace: &Pace) -> anyhow::Result<()> {
        let ends = self.bus.bounds(Topic::Events)?;
        loop {
            pace.go_on()?;
            let committed = self.bus.committed(Group::Classify, Topic::Events)?;
            if ends.iter().all(|end| end.high.0 == 0 || committed.get(&end.part).is_some_and(|at| *at >= end.high)) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn hash_of(insight: &Insight<'_>) -> anyhow::Result<u64> {
    Ok(xxh3_64(&encode_one(insight).map_err(|e| anyhow::anyhow!(e))?))
}
