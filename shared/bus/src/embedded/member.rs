//! A member of a consumer group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::block::Want;
use super::reader;
use super::store::{Failure, POSITIONS, STATE};
use super::writer::{Handed, Request};
use super::{Board, Log};
use crate::{Batch, Budget, BusError, Group, Member, Offset, Part, Polled, Record, Step, Topic, clock};

/// Keys of state handed out from one snapshot.
const RESTORE_CHUNK: usize = 10_000;

pub(super) struct LogMember {
    log: Arc<Log>,
    group: Group,
    id: u64,
    held: BTreeMap<Part, Held>,
    /// Which partition reads first: it moves on with every batch, so that none starves.
    turn: usize,
}

struct Held {
    epoch: u64,
    /// The next offset to read; none until the partition is started.
    next: Option<Offset>,
}

impl LogMember {
    pub(super) fn join(log: Arc<Log>, group: Group) -> Self {
        let parts = log.shared.parts(group);
        let id = {
            let mut board = log.shared.board();
            board.members += 1;
            let id = board.members;
            board.groups.entry(group).or_default().join(id, &parts);
            id
        };
        log.shared.changed.notify_all();
        Self { log, group, id, held: BTreeMap::new(), turn: 0 }
    }

    /// What changed in what this member owns, if anything did.
    fn change(&mut self, board: &Board) -> Option<Polled> {
        let owned = board.groups.get(&self.group).map(|g| g.of(self.id)).unwrap_or_default();
        let lost: Vec<Part> = self.held.iter().filter(|(part, held)| owned.get(part) != Some(&held.epoch)).map(|(part, _)| *part).collect();
        if !lost.is_empty() {
            self.held.retain(|part, _| !lost.contains(part));
            return Some(Polled::Revoked(lost));
        }
        let new: Vec<Part> = owned.keys().filter(|part| !self.held.contains_key(part)).copied().collect();
        if new.is_empty() {
            return None;
        }
        self.held.extend(new.iter().filter_map(|part| owned.get(part).map(|epoch| (*part, Held { epoch: *epoch, next: None }))));
        Some(Polled::Assigned(new))
    }

    /// What can be read now.
    fn wants(&self, board: &Board, budget: &Budget) -> Vec<Want> {
        let mut wants: Vec<Want> = self
            .held
            .iter()
            .filter_map(|(part, held)| {
                let to = Offset(board.ends.get(part).map_or(0, |ends| ends.1));
                let from = held.next.filter(|next| *next < to)?;
                Some(Want { part: *part, from, to, records: budget.records, bytes: budget.bytes })
            })
            .collect();
        if !wants.is_empty() {
            let first = self.turn % wants.len();
            wants.rotate_left(first);
        }
        wants
    }

    /// Waits for a change or for records, until the budget's time is over.
    fn look(&mut self, budget: &Budget) -> Result<Seen, BusError> {
        let log = self.log.clone();
        let until = Instant::now() + budget.wait;
        let mut board = log.shared.board();
        loop {
            if log.shared.stop.is_set() {
                return Err(BusError::Stopped);
            }
            if let Some(change) = self.change(&board) {
                return Ok(Seen::Change(change));
            }
            if !self.wants(&board, budget).is_empty() {
                return Ok(Seen::Records);
            }
            if Instant::now() >= until {
                return Ok(Seen::Nothing);
            }
            board = log.shared.wait(board, until)?;
        }
    }

    /// Reads what is there, and what comes within the linger if that leaves room.
    fn gather(&mut self, budget: &Budget) -> Result<Batch, BusError> {
        let shared = self.log.shared.clone();
        let wants = self.wants(&shared.board(), budget);
        let mut batch = shared.read("read records", &wants)?;
        self.advance(&batch);
        let Some(first) = batch.iter().next() else { return Ok(batch) };
        let until = Instant::now() + budget.linger_for(clock::age((shared.clock)(), first.timestamp));
        // What was there and was not read had no room.
        while Instant::now() < until && self.wants(&shared.board(), budget).is_empty() && batch.len() < budget.records {
            let left = Budget { records: budget.records - batch.len(), bytes: budget.bytes.saturating_sub(batch.bytes()), ..*budget };
            // Nothing for some time: the last records of a backlog need not wait for more.
            let wants = self.linger(&left, until.min(Instant::now() + budget.pause()))?;
            let more = shared.read("read records", &wants)?;
            // One record may exceed a budget, but only where it comes alone.
            if more.is_empty() || more.bytes() > left.bytes {
                break;
            }
            self.advance(&more);
            batch.append(&more);
        }
        Ok(batch)
    }

    /// Lets further records come, until the budget is used up, the linger is over or a partition changes hands.
    fn linger(&self, budget: &Budget, until: Instant) -> Result<Vec<Want>, BusError> {
        let shared = &self.log.shared;
        let mut board = shared.board();
        loop {
            let wants = self.wants(&board, budget);
            let waiting: u64 = wants.iter().map(|w| w.to.0 - w.from.0).sum();
            let owned =
                board.groups.get(&self.group).is_some_and(|g| self.held.iter().all(|(part, held)| g.holds(self.id, *part, held.epoch)));
            if waiting >= budget.records as u64 || !owned || Instant::now() >= until || shared.stop.is_set() {
                return Ok(wants);
            }
            board = shared.wait(board, until)?;
        }
    }

    fn advance(&mut self, batch: &Batch) {
        for (part, next) in batch.positions() {
            if let Some(held) = self.held.get_mut(&part) {
                held.next = Some(next);
            }
        }
    }

    /// Gives everything back and takes it again, so that the next polls revoke and assign.
    fn start_afresh(&mut self) {
        if let Some(ownership) = self.log.shared.board().groups.get_mut(&self.group) {
            ownership.renew(self.id);
        }
    }

    fn handed(&self, step: Step) -> Result<Box<Handed>, BusError> {
        let shared = &self.log.shared;
        let held = self.held.iter().map(|(part, held)| (*part, held.epoch)).collect();
        let records = shared.place(step.records)?;
        Ok(Box::new(Handed { group: self.group, member: self.id, held, positions: step.positions, records, state: step.state }))
    }
}

enum Seen {
    Change(Polled),
    Records,
    Nothing,
}

impl Member for LogMember {
    fn poll(&mut self, budget: &Budget) -> Result<Polled, BusError> {
        match self.look(budget)? {
            Seen::Change(Polled::Assigned(parts)) => {
                // What the last owner handed in is written or refused before we look at it.
                self.log.hand_in(None, |done| Request::Barrier { done })?;
                Ok(Polled::Assigned(parts))
            }
            Seen::Change(change) => Ok(change),
            Seen::Nothing => Ok(Polled::Idle),
            Seen::Records => {
                let batch = self.gather(budget)?;
                self.turn = self.turn.wrapping_add(1);
                Ok(if batch.is_empty() { Polled::Idle } else { Polled::Batch(batch) })
            }
        }
    }

    fn committed(&mut self, part: Part) -> Result<Option<Offset>, BusError> {
        let key = (self.group.name(), part.topic.number(), part.partition);
        self.log.shared.store.read("read a committed position", |txn| Ok(txn.open_table(POSITIONS)?.get(key)?.map(|v| Offset(v.value()))))
    }

    fn restore(&mut self, partition: u32, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) -> Result<(), BusError> {
        let Some(topic) = self.group.state_topic() else { return Ok(()) };
        let mut after: Option<Vec<u8>> = None;
        loop {
            let chunk = self.log.shared.store.read("restore state", |txn| read_state(txn, topic, partition, after.as_deref()))?;
            chunk.iter().for_each(|(key, value)| each(key, Some(value)));
            match chunk.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => return Ok(()),
            }
        }
    }

    fn replay(&mut self, part: Part, from: Offset, to: Offset, each: &mut dyn FnMut(Record<'_>)) -> Result<(), BusError> {
        let end = Offset(self.log.shared.ends(part).1).min(to);
        reader::read_through(&self.log.shared, part, from, end, each)
    }

    fn start(&mut self, part: Part, from: Option<Offset>) -> Result<(), BusError> {
        let low = Offset(self.log.shared.ends(part).0);
        let next = match from {
            Some(from) => from,
            None => self.committed(part)?.unwrap_or(low),
        };
        match self.held.get_mut(&part) {
            Some(held) => held.next = Some(next.max(low)),
            None => tracing::debug!(?part, "started a partition that is no longer held"),
        }
        Ok(())
    }

    fn commit(&mut self, step: Step) -> Result<(), BusError> {
        if !step.state.is_empty() && self.group.state_topic().is_none() {
            return Err(BusError::Fatal { what: format!("{}: commit", self.group.name()), why: "this group keeps no state".into() });
        }
        let handed = self.handed(step)?;
        let result = self.log.hand_in(None, |done| Request::Step(handed, done));
        if matches!(result, Err(BusError::Aborted { .. })) {
            self.start_afresh();
        }
        result
    }
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The next keys of a partition behind `after`, with their values.
fn read_state(txn: &redb::ReadTransaction, topic: Topic, partition: u32, after: Option<&[u8]>) -> Result<Entries, Failure> {
    let table = txn.open_table(STATE)?;
    let from = (topic.number(), partition, after.unwrap_or_default());
    let mut entries = Entries::new();
    for entry in table.range(from..)? {
        let (key, value) = entry?;
        let (number, of, key) = key.value();
        if (number, of) != (topic.number(), partition) || entries.len() == RESTORE_CHUNK {
            break;
        }
        if after != Some(key) {
            entries.push((key.to_vec(), value.value().to_vec()));
        }
    }
    Ok(entries)
}

impl Drop for LogMember {
    fn drop(&mut self) {
        let shared = &self.log.shared;
        let parts = shared.parts(self.group);
        if let Some(ownership) = shared.board().groups.get_mut(&self.group) {
            ownership.leave(self.id, &parts);
        }
        shared.changed.notify_all();
    }
}
