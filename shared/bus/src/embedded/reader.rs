//! Reading without a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::Want;
use super::{Log, Shared};
use crate::{BusError, Offset, Part, Reader, Record, Topic};

/// Bytes read from one snapshot: long reads are many short ones, because pages that a snapshot sees are not reused.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct LogReader {
    log: Arc<Log>,
    topic: Topic,
    next: BTreeMap<Part, Offset>,
}

impl LogReader {
    pub(super) fn new(log: Arc<Log>, topic: Topic) -> Result<Self, BusError> {
        log.shared.existing(topic)?;
        Ok(Self { log, topic, next: BTreeMap::new() })
    }
}

impl Reader for LogReader {
    fn catch_up(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Result<(), BusError> {
        let shared = &self.log.shared;
        let ends: Vec<(Part, u64)> =
            shared.board().ends.iter().filter(|(p, _)| p.topic == self.topic).map(|(p, ends)| (*p, ends.1)).collect();
        for (part, end) in ends {
            let next = self.next.entry(part).or_default();
            if next.0 < end {
                read_through(shared, part, *next, Offset(end), each)?;
                *next = Offset(end);
            }
        }
        Ok(())
    }

    fn catch_up_part(&mut self, part: Part, each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), BusError> {
        let end = Offset(self.log.shared.ends(part).1);
        let next = self.next.entry(part).or_default();
        read_while(&self.log.shared, part, *next, end, each)?;
        *next = end.max(*next);
        Ok(())
    }

    fn seek(&mut self, part: Part, to: Offset) -> Result<(), BusError> {
        self.next.insert(part, to);
        Ok(())
    }
}

/// Calls `each` with every record of a partition from `from` up to, not including, `to`.
pub(super) fn read_through(
    shared: &Shared,
    part: Part,
    from: Offset,
    to: Offset,
    each: &mut dyn FnMut(Record<'_>),
) -> Result<(), BusError> {
    read_while(shared, part, from, to, &mut |record| {
        each(record);
        true
    })
}

/// The same, until `each` says to end.
fn read_while(shared: &Shared, part: Part, from: Offset, to: Offset, each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), BusError> {
    let mut from = from;
    while from < to {
        let batch = shared.read("read a partition", &[Want { part, from, to, records: usize::MAX, bytes: CHUNK_BYTES }])?;
        if !batch.iter().all(&mut *each) {
            return Ok(());
        }
        match batch.positions().get(&part) {
            Some(next) => from = *next,
            None => return Ok(()),
        }
    }
    Ok(())
}
