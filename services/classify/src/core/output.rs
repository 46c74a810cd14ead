//! What a batch tells the index: instructions in frames, one run of frames for each insights partition.

use groundswell_bus::{NewRecord, Topic};
use groundswell_model::frame::{BadItem, FrameWriter};
use groundswell_model::{Op, partition_of};

/// Packs instructions by the partition of their API.
#[derive(Debug)]
pub struct Output {
    writers: Vec<FrameWriter>,
    records: Vec<NewRecord>,
    instructions: u64,
}

impl Output {
    /// An empty output over so many insights partitions.
    #[must_use]
    pub fn new(partitions: u32) -> Self {
        Self { writers: (0..partitions.max(1)).map(|_| FrameWriter::default()).collect(), records: Vec::new(), instructions: 0 }
    }

    /// Appends one instruction.
    ///
    /// # Errors
    /// It can't be carried.
    pub fn push(&mut self, op: &Op<'_>) -> Result<(), BadItem> {
        let partition = partition_of(op.api(), u32::try_from(self.writers.len()).unwrap_or(1));
        let Some(writer) = self.writers.get_mut(partition as usize) else { return Ok(()) };
        writer.push(op)?;
        self.instructions += 1;
        if writer.is_full()
            && let Some(frame) = writer.take()
        {
            self.records.push(NewRecord::on(Topic::Insights, partition, frame));
        }
        Ok(())
    }

    /// How many instructions were appended.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// The records to write.
    #[must_use]
    pub fn finish(mut self) -> Vec<NewRecord> {
        for (partition, writer) in (0u32..).zip(&mut self.writers) {
            self.records.extend(writer.take().map(|frame| NewRecord::on(Topic::Insights, partition, frame)));
        }
        self.records
    }
}
