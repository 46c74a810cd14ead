//! A member of a consumer group, with its transactions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Message, TopicPartitionList};

use super::assigned::Assigned;
use super::client::{self, CALL, aborted, fatal, from_kafka, from_raw, hopeless, is_hopeless, is_out_of_group, list, until_it_works};
use super::range::{self, RangeReader};
use super::topics::Topics;
use super::transaction::{Outgoing, Transactions};
use crate::patience::Patience;
use crate::{Batch, Budget, BusError, Group, Member, Offset, Part, Polled, Record, Step, Stop, clock, crash};

/// One wait for a record, after which we look whether the process was told to stop.
const SLICE: Duration = Duration::from_millis(100);
/// Shorter waits are rounded up: see [`whole_ms`].
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// How long nothing must have come before the end of a partition is looked at.
const QUIET: Duration = Duration::from_millis(400);
/// How long a look at such an end may take.
const TAIL_LIMIT: Duration = Duration::from_secs(1);

/// Records taken between two looks at the clock.
const RECORDS_PER_LOOK: usize = 32;

/// A partition that the caller knows of.
struct Held {
    epoch: u64,
    /// The next offset to read; none until the partition is started.
    next: Option<Offset>,
    /// Everything below is done, and committed where anything was read.
    done: Offset,
    /// Whether the end may lie behind `done` with no record between: only markers of transactions.
    tail_open: bool,
}

pub(super) struct KafkaMember {
    group: Group,
    consumer: BaseConsumer<Assigned>,
    transactions: Option<Transactions>,
    ranges: RangeReader,
    /// Sees the ends as they are with open transactions.
    eager: RangeReader,
    topics: Arc<Topics>,
    stop: Stop,
    held: BTreeMap<Part, Held>,
    /// The assignment of the consumer no longer fits what is started.
    stale: bool,
    /// A record that was read but did not fit in the last batch.
    spill: Batch,
    /// The memory of the last batch, for the next one.
    spare: Batch,
    last_record: Instant,
    last_tail: Instant,
}

/// What a member is made of.
pub(super) struct Making {
    pub(super) group: Group,
    pub(super) config: rdkafka::ClientConfig,
    pub(super) transactions: Option<Transactions>,
    pub(super) ranges: RangeReader,
    pub(super) eager: RangeReader,
    pub(super) topics: Arc<Topics>,
    pub(super) stop: Stop,
}

impl KafkaMember {
    pub(super) fn join(made: Making) -> Result<Self, BusError> {
        let Making { group, config, transactions, ranges, eager, topics, stop } = made;
        let what = format!("join group {}", group.name());
        let assigned = Assigned { topics: topics.clone(), parts: Mutex::default() };
        let consumer: BaseConsumer<Assigned> = config.create_with_context(assigned).map_err(|e| fatal(&what, &e))?;
        client::await_broker(consumer.client());
        let names: Vec<&str> = group.topics().iter().map(|topic| topics.name(*topic)).collect();
        consumer.subscribe(&names).map_err(|e| fatal(&what, &e))?;
        let now = Instant::now();
        Ok(Self {
            group,
            consumer,
            transactions,
            ranges,
            eager,
            topics,
            stop,
            held: BTreeMap::new(),
            stale: false,
            spill: Batch::default(),
            spare: Batch::default(),
            last_record: now,
            last_tail: now,
        })
    }

    /// What changed in what this member owns, if anything did.
    fn change(&mut self) -> Option<Polled> {
        let owned = self.consumer.context().parts().owned.clone();
        let lost: Vec<Part> = self.held.iter().filter(|(part, held)| owned.get(part) != Some(&held.epoch)).map(|(part, _)| *part).collect();
        if !lost.is_empty() {
            self.held.retain(|part, _| !lost.contains(part));
            self.spill.clear();
            self.stale = true;
            return Some(Polled::Revoked(lost));
        }
        let new: Vec<(Part, u64)> = owned.into_iter().filter(|(part, _)| !self.held.contains_key(part)).collect();
        if new.is_empty() {
            return None;
        }
        let parts = new.iter().map(|(part, _)| *part).collect();
        self.held.extend(new.into_iter().map(|(part, epoch)| (part, Held { epoch, next: None, done: Offset::default(), tail_open: true })));
        Some(Polled::Assigned(parts))
    }

    fn epoch(&self) -> u64 {
        self.consumer.context().parts().epoch
    }

    /// Reads what is started from where it was left.
    fn assign_started(&mut self) -> Result<(), BusError> {
        if !std::mem::take(&mut self.stale) {
            return Ok(());
        }
        let started = self.held.iter().filter_map(|(part, held)| Some((self.topics.name(part.topic), part.partition, Some(held.next?))));
        let list = list(started).map_err(|e| fatal("begin reading", &e))?;
        self.consumer.assign(&list).map_err(|e| fatal("begin reading", &e))
    }

    /// Takes one message into the batch; says whether there is room for more.
    fn take(&mut self, wait: Duration, budget: &Budget, batch: &mut Batch) -> Result<Taken, BusError> {
        let message = match self.consumer.poll(wait) {
            None => return Ok(Taken::Nothing),
            Some(Err(error)) if is_hopeless(&error) => return Err(hopeless(&format!("{}: read", self.group.name()), &error)),
            Some(Err(error)) => {
                tracing::debug!(group = self.group.name(), error = %error, "reading failed, the client tries again");
                return Ok(Taken::Nothing);
            }
            Some(Ok(message)) => message,
        };
        let (Some(part), Some(offset)) = (self.consumer.context().part(message.topic(), message.partition()), from_raw(message.offset()))
        else {
            return Ok(Taken::Nothing);
        };
        // What was under way for an assignment that is gone is not ours.
        let Some(held) = self.held.get_mut(&part).filter(|held| held.next.is_some_and(|next| offset >= next)) else {
            return Ok(Taken::Nothing);
        };
        held.next = Some(offset.next());
        held.tail_open = true;
        let size = message.key_len() + message.payload_len();
        let fits = batch.is_empty() || batch.bytes() + size <= budget.bytes;
        range::push(if fits { batch } else { &mut self.spill }, part, offset, &message);
        Ok(if fits && batch.len() < budget.records { Taken::More } else { Taken::Full })
    }

    /// Gathers until the budget is used up or its linger is over.
    fn gather(&mut self, budget: &Budget) -> Result<Batch, BusError> {
        let mut batch = std::mem::take(&mut self.spare);
        batch.append(&self.spill);
        self.spill.clear();
        let epoch = self.epoch();
        let linger = if batch.is_empty() { budget.wait } else { budget.linger_for(waited(&batch)) };
        let mut gathering = Gathering::new(linger, budget);
        let mut left = gathering.left(batch.len());
        while batch.len() < budget.records {
            let before = batch.len();
            match self.take(whole_ms(left.min(SLICE)), budget, &mut batch)? {
                Taken::More if before == 0 => {
                    let linger = budget.linger_for(waited(&batch));
                    gathering = Gathering::new(linger, budget);
                    if linger > budget.linger {
                        batch.make_room(budget.bytes);
                    }
                }
                Taken::More => {}
                Taken::Full => break,
                Taken::Nothing if self.stop.is_set() => return Err(BusError::Stopped),
                // Rebalances come in such a poll, too.
                Taken::Nothing if left.is_zero() || self.epoch() != epoch => break,
                Taken::Nothing => left = gathering.left(batch.len()),
            }
            // Asking the clock costs as much as taking a record: not for each of them.
            if batch.len().is_multiple_of(RECORDS_PER_LOOK) || before == 0 {
                left = gathering.left(batch.len());
            }
        }
        if self.epoch() != epoch {
            // Nothing of it is ours any more: whoever gets the partitions reads it again.
            batch.clear();
        }
        Ok(batch)
    }

    /// After a pause, commits the end of partitions that hold nothing but markers behind what is done,
    /// so that the lag of an idle member is zero.
    fn commit_tails(&mut self) -> Result<(), BusError> {
        if self.last_record.elapsed() < QUIET || self.last_tail.elapsed() < QUIET {
            return Ok(());
        }
        self.last_tail = Instant::now();
        let open: Vec<(Part, Offset)> =
            self.held.iter().filter(|(_, h)| h.tail_open && h.next == Some(h.done)).map(|(part, h)| (*part, h.done)).collect();
        for (part, done) in open {
            // One try: looking at an end can wait, records can not.
            let Ok((_, end)) = self.ranges.ask_ends(part, TAIL_LIMIT) else { break };
            if end > done && !self.is_empty(part, done, end)? {
                continue;
            }
            if end > done {
                self.commit_positions(&BTreeMap::from([(part, end)]))?;
            }
            if let Some(held) = self.held.get_mut(&part) {
                held.next = held.next.max(Some(end));
                held.tail_open = false;
            }
        }
        Ok(())
    }

    fn is_empty(&self, part: Part, from: Offset, to: Offset) -> Result<bool, BusError> {
        let mut empty = true;
        self.ranges.read_within(Some(TAIL_LIMIT), part, from, to, &mut |_| {
            empty = false;
            false
        })?;
        Ok(empty)
    }

    fn list(&self, positions: &BTreeMap<Part, Offset>) -> Result<TopicPartitionList, BusError> {
        list(positions.iter().map(|(part, next)| (self.topics.name(part.topic), part.partition, Some(*next))))
            .map_err(|e| fatal("commit", &e))
    }

    fn commit_positions(&mut self, positions: &BTreeMap<Part, Offset>) -> Result<(), BusError> {
        let what = format!("{}: commit positions", self.group.name());
        let list = self.list(positions)?;
        let mut patience = Patience::new(&what, &self.stop);
        loop {
            match self.consumer.commit(&list, CommitMode::Sync) {
                Ok(()) => break,
                Err(error) if is_out_of_group(&error) => return Err(aborted(&what, &error)),
                Err(error) if is_hopeless(&error) => return Err(hopeless(&what, &error)),
                Err(error) => patience.wait(&error)?,
            }
        }
        patience.worked();
        self.is_done(positions);
        Ok(())
    }

    fn is_done(&mut self, positions: &BTreeMap<Part, Offset>) {
        for (part, next) in positions {
            if let Some(held) = self.held.get_mut(part) {
                held.done = *next;
                held.tail_open = true;
            }
        }
    }

    fn transact(&mut self, step: &Step) -> Result<(), BusError> {
        let what = format!("{}: commit", self.group.name());
        let positions = self.list(&step.positions)?;
        let member = self.consumer.group_metadata().ok_or_else(|| fatal(&what, &"the client has no group"))?;
        let transactions = self.transactions.as_mut().ok_or_else(|| fatal(&what, &"this group writes no records"))?;
        let mut transaction = transactions.begin()?;
        crash::step(self.group, crash::Step::Begun);
        let sent = outgoing(&self.topics, self.group, step, &mut |record| transaction.send(record));
        match sent {
            Ok(()) => transaction.commit(self.group, positions, member)?,
            Err(error) => {
                if matches!(error, BusError::Aborted { .. }) {
                    transaction.abort()?;
                }
                return Err(error);
            }
        }
        self.is_done(&step.positions);
        Ok(())
    }

    /// Gives everything back and takes it again, so that the next polls revoke and assign.
    fn start_afresh(&mut self) {
        let mut parts = self.consumer.context().parts();
        parts.epoch += 1;
        let epoch = parts.epoch;
        parts.owned.values_mut().for_each(|e| *e = epoch);
    }

    fn check(&self, step: &Step) -> Result<(), BusError> {
        let what = format!("{}: commit", self.group.name());
        if !step.state.is_empty() && self.group.state_topic().is_none() {
            return Err(fatal(&what, &"this group keeps no state"));
        }
        let unheld = step.positions.keys().find(|part| !self.held.contains_key(part));
        match unheld {
            Some(part) => Err(aborted(&what, &format!("{:?}/{} is not assigned", part.topic, part.partition))),
            None => Ok(()),
        }
    }
}

/// The client waits in whole milliseconds, and a part of one would be no wait at all: a loop around it would spin.
fn whole_ms(wait: Duration) -> Duration {
    if wait.is_zero() { wait } else { wait.max(LEAST_WAIT) }
}

/// How long the first record of a batch has waited to be read.
fn waited(batch: &Batch) -> Duration {
    batch.iter().next().map_or(Duration::ZERO, |first| clock::age(clock::now(), first.timestamp))
}

/// How long to go on gathering a batch.
struct Gathering {
    deadline: Instant,
    pause: Duration,
    /// Gathering ends here if nothing comes any more.
    quiet: Instant,
    records: usize,
}

impl Gathering {
    fn new(linger: Duration, budget: &Budget) -> Self {
        let deadline = Instant::now() + linger;
        Self { deadline, pause: budget.pause(), quiet: deadline, records: 0 }
    }

    /// What is left of the time, now that there are so many records.
    fn left(&mut self, records: usize) -> Duration {
        let now = Instant::now();
        if records > self.records {
            self.records = records;
            self.quiet = now + self.pause;
        }
        self.deadline.min(self.quiet).saturating_duration_since(now)
    }
}

enum Taken {
    More,
    Full,
    Nothing,
}

/// Hands every record and change of state of a step to `send`.
fn outgoing(
    topics: &Topics,
    group: Group,
    step: &Step,
    send: &mut dyn FnMut(&Outgoing<'_>) -> Result<(), BusError>,
) -> Result<(), BusError> {
    for record in &step.records {
        let (topic, partition) = topics.place(record)?;
        send(&Outgoing { topic, partition, key: &record.key, value: record.value.as_deref(), headers: &record.headers })?;
    }
    if let Some(topic) = group.state_topic() {
        let topic = topics.name(topic);
        for write in &step.state {
            send(&Outgoing { topic, partition: write.partition, key: &write.key, value: write.value.as_deref(), headers: &[] })?;
        }
    }
    Ok(())
}

impl Member for KafkaMember {
    fn poll(&mut self, budget: &Budget) -> Result<Polled, BusError> {
        if self.stop.is_set() {
            return Err(BusError::Stopped);
        }
        if let Some(change) = self.change() {
            return Ok(change);
        }
        self.assign_started()?;
        let batch = self.gather(budget)?;
        if !batch.is_empty() {
            self.last_record = Instant::now();
            return Ok(Polled::Batch(batch));
        }
        if let Some(change) = self.change() {
            return Ok(change);
        }
        if let Some(transactions) = &self.transactions {
            transactions.serve();
        }
        match self.commit_tails() {
            // The group is changing: the next poll says how.
            Ok(()) | Err(BusError::Aborted { .. }) => Ok(Polled::Idle),
            Err(error) => Err(error),
        }
    }

    fn committed(&mut self, part: Part) -> Result<Option<Offset>, BusError> {
        let name = self.topics.name(part.topic);
        until_it_works(&format!("ask for the committed offset of {name}/{}", part.partition), self.topics.trouble(), &self.stop, || {
            let answer = self.consumer.committed_offsets(list([(name, part.partition, None)])?, CALL)?;
            answer.elements().first().map_or(Ok(None), |e| e.error().map(|()| from_kafka(e.offset())))
        })
    }

    fn restore(&mut self, partition: u32, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) -> Result<(), BusError> {
        let Some(topic) = self.group.state_topic() else { return Ok(()) };
        let part = Part { topic, partition };
        // The last owner's step may be committed and its marker not yet here: wait until nothing is undecided.
        let (_, end) = self.eager.ends(part)?;
        self.ranges.await_decided(part, end)?;
        let (low, _) = self.ranges.ends(part)?;
        self.ranges.read(part, low, end, &mut |record| {
            each(record.key, record.value);
            true
        })
    }

    fn replay(&mut self, part: Part, from: Offset, to: Offset, each: &mut dyn FnMut(Record<'_>)) -> Result<(), BusError> {
        let (low, end) = self.ranges.ends(part)?;
        self.ranges.read(part, from.max(low), to.min(end), &mut |record| {
            each(record);
            true
        })
    }

    fn start(&mut self, part: Part, from: Option<Offset>) -> Result<(), BusError> {
        let next = match from {
            Some(from) => Some(from),
            None => self.committed(part)?,
        };
        let next = match next {
            Some(next) => next,
            None => self.ranges.ends(part)?.0,
        };
        match self.held.get_mut(&part) {
            Some(held) => {
                // A record that waits is read again, if it is to be read at all: before the others it would be out of its order, and there twice.
                if self.spill.iter().any(|record| record.part == part) {
                    self.spill.clear();
                }
                held.next = Some(next);
                held.done = next;
                held.tail_open = true;
                self.stale = true;
            }
            None => tracing::debug!(?part, "started a partition that is no longer held"),
        }
        Ok(())
    }

    fn recycle(&mut self, batch: Batch) {
        self.spare = batch.emptied();
    }

    fn commit(&mut self, step: Step) -> Result<(), BusError> {
        let result = self.check(&step).and_then(|()| {
            if step.records.is_empty() && step.state.is_empty() { self.commit_positions(&step.positions) } else { self.transact(&step) }
        });
        if matches!(result, Err(BusError::Aborted { .. })) {
            self.start_afresh();
        }
        result
    }
}
