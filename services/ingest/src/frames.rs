//! Accepted events on their way into the step: one open frame per partition of `events`.

use groundswell_bus::{NewRecord, Step, Topic};
use groundswell_model::frame::{BadItem, FrameWriter};
use groundswell_model::{Event, IdentityHash, partition_of};

/// A frame that would grow beyond this is closed first: Kafka takes records of 1 MB by default.
const MOST_BYTES: usize = 900_000;

/// The open frames of one step.
#[derive(Debug)]
pub struct Frames {
    writers: Vec<FrameWriter>,
    full: Vec<NewRecord>,
}

impl Frames {
    /// Frames for so many partitions.
    #[must_use]
    pub fn new(partitions: u32) -> Self {
        Self { writers: (0..partitions.max(1)).map(|_| FrameWriter::default()).collect(), full: Vec::new() }
    }

    /// Appends an event to the frame of its consumer's partition; events of nobody are spread by identity.
    ///
    /// # Errors
    /// Never for an event; the form of the error is the frame's.
    pub fn push(&mut self, event: &Event<'_>, size: usize) -> Result<(), BadItem> {
        let partition = self.partition(event);
        let Some(writer) = self.writers.get_mut(partition as usize) else {
            return Err(BadItem(format!("no partition {partition}")));
        };
        if writer.is_full() || (writer.items() > 0 && writer.bytes() + size > MOST_BYTES) {
            self.full.extend(writer.take().map(|frame| NewRecord::on(Topic::Events, partition, frame)));
        }
        writer.push(event)
    }

    /// Appends a notice to the frames of every partition.
    ///
    /// # Errors
    /// Never for an event; the form of the error is the frame's.
    pub fn push_everywhere(&mut self, event: &Event<'_>) -> Result<(), BadItem> {
        for (partition, writer) in (0..).zip(&mut self.writers) {
            if writer.is_full() {
                self.full.extend(writer.take().map(|frame| NewRecord::on(Topic::Events, partition, frame)));
            }
            writer.push(event)?;
        }
        Ok(())
    }

    fn partition(&self, event: &Event<'_>) -> u32 {
        let partitions = u32::try_from(self.writers.len()).unwrap_or(u32::MAX);
        let head = event.head();
        partition_for(head.consumer, head.identity, partitions)
    }

    /// Moves all frames into the step.
    pub fn finish(&mut self, step: &mut Step) {
        step.records.append(&mut self.full);
        for (partition, writer) in (0..).zip(&mut self.writers) {
            step.records.extend(writer.take().map(|frame| NewRecord::on(Topic::Events, partition, frame)));
        }
    }

    /// Throws away what an aborted step left.
    pub fn clear(&mut self) {
        self.full.clear();
        self.writers.iter_mut().for_each(|w| drop(w.take()));
    }
}

/// The partition of `events` that an event goes to.
#[must_use]
pub fn partition_for(consumer: &str, identity: IdentityHash, partitions: u32) -> u32 {
    if consumer.is_empty() { partition_of(&identity.hex(), partitions) } else { partition_of(consumer, partitions) }
}
