//! Several members, and the loop that services run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use groundswell_bus::{
    Batch, Bus, BusError, Group, Member, NewRecord, Offset, Part, Polled, Stage, StageError, StateWrite, Step, Stop, Topic, service,
};
use groundswell_model::{Fates, Outcome};

use crate::support::{World, budget, caught_up, copy, copy_all, eventually, hold, next_batch, numbered, numbers, publish};

/// Counts records per key, with the counts as its state, and writes each record with its count.
#[derive(Default)]
struct Counting {
    counts: BTreeMap<u32, BTreeMap<Vec<u8>, u64>>,
    steps: Arc<AtomicUsize>,
    /// Do as the bug would: leave one record out of the account.
    forgetful: bool,
}

impl Stage for Counting {
    fn assigned(&mut self, part: Part, member: &mut dyn Member) -> Result<Option<Offset>, StageError> {
        let mut counts = BTreeMap::new();
        let mut each = |key: &[u8], value: Option<&[u8]>| {
            let count = value.and_then(|v| std::str::from_utf8(v).ok()?.parse().ok()).unwrap_or(0);
            counts.insert(key.to_vec(), count);
        };
        member.restore(part.partition, &mut each)?;
        assert!(self.counts.insert(part.partition, counts).is_none(), "{part:?} was assigned twice");
        Ok(None)
    }

    fn revoked(&mut self, part: Part) {
        assert!(self.counts.remove(&part.partition).is_some(), "{part:?} was not assigned");
    }

    fn process(&mut self, batch: &Batch, step: &mut Step) -> Result<Fates, StageError> {
        let mut fates = Fates::default();
        for record in batch.iter().skip(usize::from(self.forgetful)) {
            let partition = record.part.partition;
            let count = self.counts.get_mut(&partition).unwrap().entry(record.key.to_vec()).or_default();
            *count += 1;
            step.records.push(NewRecord::on(Topic::Insights, partition, record.value.unwrap().to_vec()));
            step.state.push(StateWrite { partition, key: record.key.to_vec(), value: Some(count.to_string().into_bytes()) });
            fates.count(&Outcome::Emit(()));
        }
        Ok(fates)
    }

    fn committed(&mut self, _: &Batch, _: &Fates) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
}

/// A service loop in a thread of its own.
struct Running {
    stop: Stop,
    steps: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<Result<(), BusError>>,
}

impl Running {
    fn start(bus: Arc<dyn Bus>) -> Self {
        let (stop, steps) = (Stop::default(), Arc::default());
        let (its_stop, mut stage) = (stop.clone(), Counting { steps: Arc::clone(&steps), ..Counting::default() });
        let thread = std::thread::spawn(move || service::run(bus.as_ref(), Group::Classify, &mut stage, budget(20), &its_stop));
        Self { stop, steps, thread }
    }

    fn end(self) {
        self.stop.stop();
        self.thread.join().unwrap().unwrap();
    }
}

fn events(from: usize, to: usize) -> Vec<NewRecord> {
    numbered(Topic::Events, to, 12).split_off(from)
}

/// Every record came out once, and the counts are right: state went from one owner to the next.
fn assert_counted_once(bus: &dyn Bus, n: usize) {
    eventually("every record", || (numbers(bus, Topic::Insights).len() >= n).then_some(()));
    assert_eq!(numbers(bus, Topic::Insights), (0..n).collect::<Vec<_>>());
    let mut member = bus.member(Group::Classify).unwrap();
    let mut counts: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for part in hold(member.as_mut(), 4) {
        member
            .restore(part.partition, &mut |k, v| drop(counts.insert(k.to_vec(), String::from_utf8(v.unwrap().to_vec()).unwrap())))
            .unwrap();
    }
    assert_eq!(counts.len(), 12);
    assert!(counts.values().all(|count| *count == (n / 12).to_string()), "{counts:?}");
}

pub(crate) fn two_members_share_the_work_and_count_once(world: &World) {
    let (a, b) = (world.bus("a"), world.bus("b"));
    publish(a.as_ref(), events(0, 240));
    let first = Running::start(a.clone());
    eventually("the first member works", || (first.steps.load(Ordering::Relaxed) > 2).then_some(()));
    let second = Running::start(b.clone());
    let mut published = 240;
    eventually("the second member works", || {
        publish(a.as_ref(), events(published, published + 120));
        published += 120;
        (second.steps.load(Ordering::Relaxed) > 2).then_some(())
    });
    first.end();
    publish(a.as_ref(), events(published, published + 120));
    published += 120;
    eventually("the rest is done by the second", || caught_up(b.as_ref(), Group::Classify).then_some(()));
    second.end();
    assert_counted_once(b.as_ref(), published);
}

pub(crate) fn a_zombie_commits_nothing(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), (0..40).map(|i: u32| NewRecord::on(Topic::Usage, i % 4, i.to_string().into_bytes())).collect());
    let mut zombie = bus.member(Group::Ingest).unwrap();
    let batch = eventually("records of every partition", || {
        let batch = next_batch(zombie.as_mut(), &budget(100));
        (batch.positions().len() == 4).then_some(batch).or_else(|| {
            // Too few partitions answered yet: give the batch back by starting again.
            zombie = bus.member(Group::Ingest).unwrap();
            None
        })
    });
    // Its successor: on Kafka another process of the same name, in one process another member.
    let again = world.bus("0");
    let successor = again.member(Group::Ingest).unwrap();
    let refused = zombie.commit(copy(&batch));
    assert!(matches!(refused, Err(BusError::Aborted { .. } | BusError::Fatal { .. })), "{refused:?}");
    assert_eq!(numbers(bus.as_ref(), Topic::Insights), [0usize; 0]);
    drop((zombie, successor));
    copy_all(again.as_ref(), Group::Ingest);
    eventually("every record", || (numbers(again.as_ref(), Topic::Insights).len() >= 40).then_some(()));
    assert_eq!(numbers(again.as_ref(), Topic::Insights), (0..40).collect::<Vec<_>>());
}

pub(crate) fn a_member_that_leaves_is_replaced(world: &World) {
    let (a, b) = (world.bus("a"), world.bus("b"));
    let mut first = a.member(Group::Classify).unwrap();
    assert_eq!(hold(first.as_mut(), 4).len(), 4);
    let mut second = b.member(Group::Classify).unwrap();
    let mut shares = (4, 0);
    eventually("two and two", || {
        for (member, share) in [(&mut first, &mut shares.0), (&mut second, &mut shares.1)] {
            match member.poll(&budget(1)).unwrap() {
                Polled::Assigned(parts) => *share += parts.len(),
                Polled::Revoked(parts) => *share -= parts.len(),
                Polled::Batch(_) | Polled::Idle => {}
            }
        }
        (shares == (2, 2)).then_some(())
    });
    drop(first);
    eventually("all four", || {
        match second.poll(&budget(1)).unwrap() {
            Polled::Assigned(parts) => shares.1 += parts.len(),
            Polled::Revoked(parts) => shares.1 -= parts.len(),
            Polled::Batch(_) | Polled::Idle => {}
        }
        (shares.1 == 4).then_some(())
    });
}

/// Refuses its third batch as if the transport had.
struct Failing {
    inner: Counting,
    batches: usize,
}

impl Stage for Failing {
    fn assigned(&mut self, part: Part, member: &mut dyn Member) -> Result<Option<Offset>, StageError> {
        self.inner.assigned(part, member)
    }

    fn revoked(&mut self, part: Part) {
        self.inner.revoked(part);
    }

    fn process(&mut self, batch: &Batch, step: &mut Step) -> Result<Fates, StageError> {
        self.batches += 1;
        let fates = self.inner.process(batch, step)?;
        if self.batches == 3 {
            return Err(BusError::Aborted { what: "test".into(), why: "as planned".into() }.into());
        }
        Ok(fates)
    }
}

pub(crate) fn an_aborted_step_does_not_end_the_loop(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), events(0, 120));
    let stop = Stop::default();
    let (its_bus, its_stop) = (bus.clone(), stop.clone());
    let thread = std::thread::spawn(move || {
        let mut stage = Failing { inner: Counting::default(), batches: 0 };
        service::run(its_bus.as_ref(), Group::Classify, &mut stage, budget(20), &its_stop)
    });
    eventually("everything is done", || caught_up(bus.as_ref(), Group::Classify).then_some(()));
    stop.stop();
    thread.join().unwrap().unwrap();
    assert_counted_once(bus.as_ref(), 120);
}

pub(crate) fn a_record_without_a_fate_ends_the_loop(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), events(0, 12));
    let mut stage = Counting { forgetful: true, ..Counting::default() };
    let ended = service::run(bus.as_ref(), Group::Classify, &mut stage, budget(20), &Stop::default());
    assert!(matches!(&ended, Err(BusError::Fatal { what, .. }) if what.contains("accounting")), "{ended:?}");
    assert!(numbers(bus.as_ref(), Topic::Insights).is_empty());
}
