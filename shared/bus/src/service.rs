//! The loop that every service with atomic steps runs: poll, work, commit. The poll is the
//! back-pressure: nothing is read while a batch is worked on, and nothing is in flight between a
//! commit and the next poll, so a rebalance never meets half a batch.

use std::collections::BTreeSet;
use std::time::Instant;

use groundswell_model::Fates;

use crate::{Batch, Budget, Bus, BusError, Group, Member, Offset, Part, Polled, Step, Stop};

/// Why a stage could not do its work. A record that can't be used is never an error: it has a fate.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The transport failed, or told the stage to stop.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Nothing this process can mend: a broken model file, a frame of another version, a bug.
    #[error("{what}: {why}")]
    Fatal {
        /// What was being done; where a record is the cause, its topic, partition and offset.
        what: String,
        /// What went wrong and what to do.
        why: String,
    },
}

impl StageError {
    /// A failure that nothing in this process can mend.
    pub fn fatal(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Fatal { what: what.into(), why: why.into() }
    }
}

impl From<StageError> for BusError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Bus(error) => error,
            StageError::Fatal { what, why } => Self::Fatal { what, why },
        }
    }
}

/// The work of a service between reading and committing.
pub trait Stage {
    /// A partition is ours: restore its state with `member` ([`Member::committed`], [`Member::restore`],
    /// [`Member::replay`]). The answer is where to start reading; none is the committed offset.
    ///
    /// # Errors
    /// See [`StageError`].
    fn assigned(&mut self, part: Part, member: &mut dyn Member) -> Result<Option<Offset>, StageError>;

    /// A partition is no longer ours: forget its state.
    fn revoked(&mut self, part: Part);

    /// Before each batch: catch up with tables such as the catalogue.
    ///
    /// # Errors
    /// See [`StageError`].
    fn refresh(&mut self) -> Result<(), StageError> {
        Ok(())
    }

    /// Pure work: fills records and state of the step and gives every record of the batch its fate.
    /// The loop sets the positions.
    ///
    /// # Errors
    /// See [`StageError`].
    fn process(&mut self, batch: &Batch, step: &mut Step) -> Result<Fates, StageError>;

    /// The step of the last [`Stage::process`] is committed: the place for metrics and watermarks.
    fn committed(&mut self, batch: &Batch, fates: &Fates) {
        let _ = (batch, fates);
    }

    /// Nothing came within the budget's time.
    fn idle(&mut self) {}
}

/// Runs `stage` as a member of `group` until `stop` is set.
///
/// An aborted step is not an error: the partitions are revoked and assigned again, and the stage
/// restores its state from what is committed.
///
/// # Errors
/// [`BusError::Fatal`], also where the stage failed or did not give every record its fate.
pub fn run(bus: &dyn Bus, group: Group, stage: &mut dyn Stage, budget: Budget, stop: &Stop) -> Result<(), BusError> {
    // From the start on, so that an alert has something to look at before anything goes wrong.
    metrics::counter!("groundswell_records_total", "service" => group.name(), "fate" => "emitted", "reason" => "").increment(0);
    metrics::counter!("groundswell_steps_aborted_total", "service" => group.name()).increment(0);
    let mut member = Joined::join(bus, group)?;
    while !stop.is_set() {
        match member.turn(stage, &budget) {
            Ok(()) => {}
            Err(BusError::Stopped) => break,
            Err(BusError::Aborted { what, why }) => {
                tracing::warn!(group = group.name(), what, why, "step aborted: its records are read again");
                metrics::counter!("groundswell_steps_aborted_total", "service" => group.name()).increment(1);
                if member.half_done {
                    member.held.iter().for_each(|part| stage.revoked(*part));
                    // Leave before joining again: two of one name would fence each other.
                    drop(member);
                    member = Joined::join(bus, group)?;
                }
            }
            Err(fatal @ BusError::Fatal { .. }) => return Err(fatal),
        }
    }
    Ok(())
}

/// A member and what it has told the stage.
struct Joined {
    group: Group,
    member: Box<dyn Member>,
    held: BTreeSet<Part>,
    /// The stage gave up in the middle of its work, so the member's positions are ahead of what was done.
    half_done: bool,
}

impl Joined {
    fn join(bus: &dyn Bus, group: Group) -> Result<Self, BusError> {
        Ok(Self { group, member: bus.member(group)?, held: BTreeSet::new(), half_done: false })
    }

    fn turn(&mut self, stage: &mut dyn Stage, budget: &Budget) -> Result<(), BusError> {
        match self.member.poll(budget)? {
            Polled::Assigned(parts) => {
                self.half_done = true;
                for part in parts {
                    self.held.insert(part);
                    let from = stage.assigned(part, self.member.as_mut())?;
                    self.member.start(part, from)?;
                }
                self.half_done = false;
            }
            Polled::Revoked(parts) => {
                for part in parts {
                    self.held.remove(&part);
                    stage.revoked(part);
                }
            }
            Polled::Batch(batch) => {
                self.step(stage, &batch)?;
                self.member.recycle(batch);
            }
            Polled::Idle => stage.idle(),
        }
        Ok(())
    }

    fn step(&mut self, stage: &mut dyn Stage, batch: &Batch) -> Result<(), BusError> {
        let began = Instant::now();
        let mut step = Step::default();
        self.half_done = true;
        stage.refresh()?;
        let fates = stage.process(batch, &mut step)?;
        self.half_done = false;
        if fates.total() != batch.len() as u64 {
            return Err(unaccounted(self.group, batch, &fates));
        }
        step.positions = batch.positions();
        self.member.commit(step)?;
        stage.committed(batch, &fates);
        count(self.group, &fates);
        metrics::histogram!("groundswell_step_seconds", "service" => self.group.name()).record(began.elapsed().as_secs_f64());
        Ok(())
    }
}

fn unaccounted(group: Group, batch: &Batch, fates: &Fates) -> BusError {
    let places: Vec<String> =
        batch.positions().iter().map(|(part, next)| format!("{:?}/{} before {}", part.topic, part.partition, next.0)).collect();
    BusError::Fatal {
        what: format!("{}: accounting of {} records at {}", group.name(), batch.len(), places.join(", ")),
        why: format!("{} of them have a fate: this is a bug; nothing of the batch was committed", fates.total()),
    }
}

fn count(group: Group, fates: &Fates) {
    let service = group.name();
    let add = |fate: &'static str, reason: &'static str, n: u64| {
        if n > 0 {
            metrics::counter!("groundswell_records_total", "service" => service, "fate" => fate, "reason" => reason).increment(n);
        }
    };
    add("emitted", "", fates.emitted);
    fates.skipped.iter().for_each(|(skip, n)| add("skipped", skip.name(), *n));
    fates.rejected.iter().for_each(|(reason, n)| add("rejected", reason.name(), *n));
}
