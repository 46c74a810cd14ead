//! The one thread that writes. It gathers what publishers and members hand in within the linger
//! and makes it durable together, then answers each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use groundswell_model::Timestamp;
use redb::WriteTransaction;

use super::Shared;
use super::block::BlockWriter;
use super::store::{self, ENDS, Ends, Failure, LOG, POSITIONS, STATE};
use crate::{BusError, Group, NewRecord, Offset, Part, StateWrite, Topic, crash};

/// Bytes gathered for one write at most, before compression.
const ROUND_BYTES: usize = 32 * 1024 * 1024;
const RETENTION_EVERY_MS: i64 = 60_000;
const RETENTION_BLOCKS: usize = 1_000;
const IDLE_TICK: Duration = Duration::from_secs(10);
const MS_PER_HOUR: i64 = 3_600_000;

pub(super) type Done = SyncSender<Result<(), BusError>>;

pub(super) enum Request {
    /// Records from the edge; nobody waits for them after `until`.
    Publish { records: Vec<Placed>, until: Instant, done: Done },
    /// A step of a member, with the epochs of what it holds.
    Step(Box<Handed>, Done),
    /// Answered when all that was handed in before is written.
    Barrier { done: Done },
}

/// A record and the partition it goes to.
pub(super) struct Placed {
    pub(super) part: Part,
    pub(super) record: NewRecord,
}

/// A step as its member hands it in.
pub(super) struct Handed {
    pub(super) group: Group,
    pub(super) member: u64,
    pub(super) held: BTreeMap<Part, u64>,
    pub(super) positions: BTreeMap<Part, Offset>,
    pub(super) records: Vec<Placed>,
    pub(super) state: Vec<StateWrite>,
}

impl Request {
    fn bytes(&self) -> usize {
        match self {
            Self::Publish { records, .. } => records.iter().map(size).sum(),
            Self::Step(step, _) => {
                step.records.iter().map(size).sum::<usize>()
                    + step.state.iter().map(|s| s.key.len() + s.value.as_ref().map_or(0, Vec::len)).sum::<usize>()
            }
            Self::Barrier { .. } => 0,
        }
    }
}

fn size(placed: &Placed) -> usize {
    placed.record.key.len() + placed.record.value.as_ref().map_or(0, Vec::len)
}

/// One durable write, made ready once and tried until it works.
#[derive(Default)]
struct Round {
    blocks: Vec<(Part, u64, Vec<u8>)>,
    ends: Ends,
    positions: BTreeMap<(Group, Part), u64>,
    state: Vec<(Topic, StateWrite)>,
    /// Whose steps are in it.
    groups: BTreeSet<Group>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    linger: Duration,
    retention_ms: i64,
    next_retention: Timestamp,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, linger: Duration, retention_hours: u64) -> Self {
        let retention_ms = i64::try_from(retention_hours).unwrap_or(i64::MAX).saturating_mul(MS_PER_HOUR);
        Self { shared, linger, retention_ms, next_retention: Timestamp(i64::MIN) }
    }

    /// Writes until every sender is gone.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            match requests.recv_timeout(IDLE_TICK) {
                Ok(first) => self.round(gather(first, requests, self.linger)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Err(error) = self.retain() {
                tracing::warn!(error = %error, "old records could not be removed");
            }
        }
    }

    fn round(&mut self, mut requests: Vec<Request>) {
        let now = Instant::now();
        requests.retain(|r| !matches!(r, Request::Publish { until, .. } if *until <= now));
        let mut round = Round::default();
        let mut waiting: Vec<(Done, bool)> = Vec::with_capacity(requests.len());
        let mut records = Vec::new();
        for request in requests {
            match request {
                Request::Publish { records: new, done, .. } => {
                    records.extend(new);
                    waiting.push((done, false));
                }
                Request::Step(step, done) => match self.lost(&step) {
                    Some(part) => answer(&done, Err(aborted(step.group, part))),
                    None => {
                        round.take(*step, &mut records);
                        waiting.push((done, true));
                    }
                },
                Request::Barrier { done } => waiting.push((done, false)),
            }
        }
        self.pack(records, &mut round);
        let result = self.apply(&round);
        for (done, _) in waiting {
            answer(&done, same(&result));
        }
    }

    /// The first partition of the step that its member no longer holds.
    fn lost(&self, step: &Handed) -> Option<Part> {
        let board = self.shared.board();
        let ownership = board.groups.get(&step.group);
        let holds = |part: &Part| step.held.get(part).is_some_and(|epoch| ownership.is_some_and(|o| o.holds(step.member, *part, *epoch)));
        step.positions.keys().find(|part| !holds(part)).copied()
    }

    /// Puts every record in a block of its partition.
    fn pack(&self, records: Vec<Placed>, round: &mut Round) {
        let now = (self.shared.clock)();
        let mut open: BTreeMap<Part, BlockWriter> = BTreeMap::new();
        for Placed { part, record } in records {
            let block = open.entry(part).or_default();
            block.push(&record, now);
            if block.is_full() {
                self.close(part, block, now, round);
            }
        }
        for (part, mut block) in open {
            self.close(part, &mut block, now, round);
        }
    }

    fn close(&self, part: Part, block: &mut BlockWriter, now: Timestamp, round: &mut Round) {
        let Some((bytes, records)) = block.take(now) else { return };
        let ends = round.ends.entry(part).or_insert_with(|| self.shared.ends(part));
        ends.1 += u64::from(records);
        round.blocks.push((part, ends.1 - 1, bytes));
    }

    fn apply(&self, round: &Round) -> Result<(), BusError> {
        if round.is_empty() {
            return Ok(());
        }
        self.shared.store.write("write to the log", |txn| round.write(txn))?;
        {
            let mut board = self.shared.board();
            for (part, ends) in &round.ends {
                board.ends.insert(*part, *ends);
            }
        }
        self.shared.changed.notify_all();
        round.crash_point(crash::Step::Committed);
        Ok(())
    }

    /// Removes what is older than the retention, but nothing that its group has not read yet.
    fn retain(&mut self) -> Result<(), BusError> {
        let now = (self.shared.clock)();
        if self.retention_ms == 0 || now < self.next_retention {
            return Ok(());
        }
        self.next_retention = now.plus_ms(RETENTION_EVERY_MS);
        let cut = now.plus_ms(-self.retention_ms);
        for topic in [Topic::Tickets, Topic::Surveys, Topic::Usage, Topic::Events] {
            let group = if topic == Topic::Events { Group::Classify } else { Group::Ingest };
            let floors = self.shared.positions(group, topic)?;
            for (part, floor) in floors {
                let low = self.shared.store.write("remove old records", |txn| store::trim(txn, part, cut, floor.0, RETENTION_BLOCKS))?;
                if let Some(low) = low
                    && let Some(ends) = self.shared.board().ends.get_mut(&part)
                {
                    ends.0 = low;
                }
            }
        }
        Ok(())
    }
}

impl Round {
    fn take(&mut self, step: Handed, records: &mut Vec<Placed>) {
        self.groups.insert(step.group);
        for (part, next) in step.positions {
            self.positions.insert((step.group, part), next.0);
        }
        if let Some(topic) = step.group.state_topic() {
            self.state.extend(step.state.into_iter().map(|write| (topic, write)));
        }
        records.extend(step.records);
    }

    fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.positions.is_empty() && self.state.is_empty()
    }

    fn write(&self, txn: &WriteTransaction) -> Result<(), Failure> {
        self.crash_point(crash::Step::Begun);
        let mut log = txn.open_table(LOG)?;
        for (part, last, bytes) in &self.blocks {
            log.insert((part.topic.number(), part.partition, *last), bytes.as_slice())?;
        }
        let mut ends = txn.open_table(ENDS)?;
        for (part, (low, high)) in &self.ends {
            ends.insert((part.topic.number(), part.partition), (*low, *high))?;
        }
        self.crash_point(crash::Step::Written);
        let mut positions = txn.open_table(POSITIONS)?;
        for ((group, part), next) in &self.positions {
            positions.insert((group.name(), part.topic.number(), part.partition), *next)?;
        }
        let mut state = txn.open_table(STATE)?;
        for (topic, write) in &self.state {
            let key = (topic.number(), write.partition, write.key.as_slice());
            match &write.value {
                Some(value) => drop(state.insert(key, value.as_slice())?),
                None => drop(state.remove(key)?),
            }
        }
        self.crash_point(crash::Step::BeforeCommit);
        Ok(())
    }

    fn crash_point(&self, moment: crash::Step) {
        self.groups.iter().for_each(|group| crash::step(*group, moment));
    }
}

/// Takes in what comes within the linger, as far as it fits in one round.
fn gather(first: Request, requests: &Receiver<Request>, linger: Duration) -> Vec<Request> {
    let until = Instant::now() + linger;
    let mut bytes = first.bytes();
    let mut gathered = vec![first];
    while bytes < ROUND_BYTES && !matches!(gathered.last(), Some(Request::Barrier { .. })) {
        match requests.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(request) => {
                bytes += request.bytes();
                gathered.push(request);
            }
            Err(_) => break,
        }
    }
    gathered
}

/// Answers somebody who may have stopped waiting.
fn answer(done: &Done, result: Result<(), BusError>) {
    if done.try_send(result).is_err() {
        tracing::debug!("whoever handed in a write no longer waits for it");
    }
}

fn same(result: &Result<(), BusError>) -> Result<(), BusError> {
    match result {
        Ok(()) => Ok(()),
        Err(BusError::Aborted { what, why }) => Err(BusError::Aborted { what: what.clone(), why: why.clone() }),
        Err(BusError::Fatal { what, why }) => Err(BusError::Fatal { what: what.clone(), why: why.clone() }),
        Err(BusError::Stopped) => Err(BusError::Stopped),
    }
}

fn aborted(group: Group, part: Part) -> BusError {
    BusError::Aborted {
        what: format!("{}: commit of {:?}/{}", group.name(), part.topic, part.partition),
        why: "the partition belongs to another member now".into(),
    }
}
