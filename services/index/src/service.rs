//! The loop of the index service: poll, work in, commit, move the floor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use groundswell_bus::{Batch, Bus, BusError, Group, Member, Part, Polled, Reader, Step, Stop, Topic, clock, crash};
use groundswell_catalogue::{CatalogueEvent, read_event};
use groundswell_contract::{Incoming, Limits};
use groundswell_model::IdentityHash;
use groundswell_runtime::Settings;
use groundswell_runtime::settings::IndexSettings;

use crate::handle::{Command, Handle, Refused, Stores};
use crate::partition::{Partition, Round};
use crate::rebuild::{self, Opened, Shadow, Workshop};
use crate::rebuilds::Rebuilds;
use crate::retention::NotWhole;
use crate::rounds::{Open, Rounds};
use crate::search::at_work;
use crate::themes::rules;

/// How long to wait before a store that failed is opened again.
const RETRY: Duration = Duration::from_secs(1);

/// A store could not be read or written: it is opened again and read on from its checkpoint.
#[derive(Debug, thiserror::Error)]
#[error("index partition {partition}: {why:#}")]
struct StoreFailed {
    partition: u32,
    why: anyhow::Error,
}

struct Service {
    data: PathBuf,
    settings: IndexSettings,
    /// Partitions that commit at once.
    at_work: usize,
    limits: Limits,
    handle: Handle,
    stop: Stop,
    partitions: BTreeMap<u32, Partition>,
    catalogue: Box<dyn Reader>,
    /// What is worked in and not committed yet.
    round: Option<Open>,
    rounds: Rounds,
    rebuilds: Rebuilds,
}

/// Runs the index service until `stop` is set.
///
/// # Errors
/// Something that this process can't mend: it should end, so that its supervisor starts it again.
pub fn run(bus: Arc<dyn Bus>, settings: &Settings, handle: Handle, stop: Stop) -> anyhow::Result<()> {
    let mut member = bus.member(Group::Index)?;
    let catalogue = bus.reader(Topic::Catalogue)?;
    let partitions = bus.partitions(Topic::Insights)?;
    let budgets = per_partition(&settings.index, partitions);
    let workshop = Workshop {
        bus: bus.clone(),
        data: settings.data.clone(),
        settings: budgets.clone(),
        corrections: handle.corrections().clone(),
        progress: handle.progress().clone(),
    };
    let mut service = Service {
        data: settings.data.clone(),
        settings: budgets,
        at_work: at_work(settings.index.writers),
        limits: settings.limits.contract(),
        handle,
        stop: stop.clone(),
        partitions: BTreeMap::new(),
        catalogue,
        round: None,
        rounds: Rounds::new(Duration::from_millis(settings.index.commit_ms)),
        rebuilds: Rebuilds::new(workshop),
    };
    while !stop.is_set() {
        match service.turn(member.as_mut()) {
            Ok(()) => {}
            Err(error) => match (error.downcast_ref::<BusError>(), error.downcast_ref::<StoreFailed>()) {
                (Some(BusError::Stopped), _) => break,
                (Some(BusError::Aborted { .. }), _) => tracing::warn!(%error, "floor not moved: the partitions are assigned anew"),
                (_, Some(failed)) => service.open_again(failed, member.as_mut())?,
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

/// The budgets of the process, shared evenly by all partitions: any of them may be ours.
fn per_partition(settings: &IndexSettings, partitions: u32) -> IndexSettings {
    let share = |all: usize, least: usize| (all / (partitions.max(1) as usize)).max(least);
    IndexSettings {
        writer_mib: share(settings.writer_mib, 1),
        writers: share(settings.writers, 1),
        rollup_cache_mib: share(settings.rollup_cache_mib, 2),
        themes_mib: share(settings.themes_mib, 1),
        ..settings.clone()
    }
}

impl Service {
    fn turn(&mut self, member: &mut dyn Member) -> anyhow::Result<()> {
        while let Some(command) = self.handle.next_command() {
            self.commit(member)?;
            self.obey(command);
        }
        if let Some((number, built)) = self.rebuilds.turn(Instant::now()) {
            self.swap_in(number, built, member)?;
        }
        let budget = self.rounds.poll(self.round.as_ref(), Instant::now());
        match member.poll(&budget)? {
            Polled::Assigned(parts) => {
                // All at once: while the first of them answer, the others are missed.
                self.handle.own(parts.iter().map(|part| part.partition));
                parts.into_iter().try_for_each(|part| self.assigned(part.partition, member))
            }
            Polled::Revoked(parts) => {
                for part in parts {
                    self.handle.give_up(part.partition);
                    self.rebuilds.give_up(part.partition);
                    self.let_go(part.partition);
                }
                Ok(())
            }
            Polled::Batch(batch) => {
                self.work_in(&batch, member)?;
                member.recycle(batch);
                if self.round.as_ref().is_some_and(|round| round.is_over(Instant::now())) { self.commit(member) } else { Ok(()) }
            }
            Polled::Idle if self.round.is_some() => self.commit(member),
            Polled::Idle => self.refresh_catalogue(member),
        }
    }

    /// Lets go of the stores of a partition, readers included: a file that somebody still holds can't be opened again.
    fn close(&mut self, number: u32) {
        self.handle.withdraw(number);
        self.let_go(number);
    }

    fn let_go(&mut self, number: u32) {
        self.partitions.remove(&number);
        // A round of which nothing is left is over: there is no position to commit.
        self.round = self.round.take().and_then(|round| round.without(number));
    }

    fn assigned(&mut self, number: u32, member: &mut dyn Member) -> anyhow::Result<()> {
        self.refresh_catalogue(member)?;
        match rebuild::open(&self.data, number, &self.settings).map_err(|why| StoreFailed { partition: number, why })? {
            Opened::Ready(partition) => self.bring_in(number, *partition, member),
            Opened::Stale(why) => {
                tracing::warn!(
                    partition = number,
                    why,
                    "rebuilding this index partition from the insights topic; until then there are no answers"
                );
                self.rebuilds.need(number);
                Ok(())
            }
        }
    }

    /// Makes a partition answer, and reads on from its checkpoint.
    fn bring_in(&mut self, number: u32, mut partition: Partition, member: &mut dyn Member) -> anyhow::Result<()> {
        // What was corrected while this partition was away, and what a crash left half done.
        partition.correct_all(self.handle.corrections()).map_err(|why| StoreFailed { partition: number, why })?;
        let from = partition.checkpoint();
        self.handle.publish(number, Stores { search: partition.search().readers(), usage: partition.usage().reader() });
        self.handle.note_changed();
        self.partitions.insert(number, partition);
        tracing::info!(partition = number, from = from.0, "index partition opened");
        member.start(Part { topic: Topic::Insights, partition: number }, Some(from))?;
        Ok(())
    }

    /// Puts what was built beside a partition in its place. Until the new stores are published, the old ones answer.
    fn swap_in(&mut self, number: u32, built: anyhow::Result<Shadow>, member: &mut dyn Member) -> anyhow::Result<()> {
        self.commit(member)?;
        let caught_up = built.and_then(|mut shadow| shadow.catch_up(&self.stop).map(|_| shadow));
        let shadow = match caught_up {
            Ok(shadow) => shadow,
            Err(error) if matches!(error.downcast_ref(), Some(BusError::Stopped)) => return Ok(()),
            // Waiting brings nothing back, and there is nothing to go on with.
            Err(error) if error.is::<NotWhole>() && !self.partitions.contains_key(&number) => return Err(error),
            Err(error) => {
                tracing::error!(
                    partition = number,
                    error = format!("{error:#}"),
                    "an index partition could not be rebuilt; what it had stays"
                );
                self.rebuilds.failed(number, &error, Instant::now() + RETRY);
                return Ok(());
            }
        };
        let records = shadow.read();
        self.let_go(number);
        let swapped = shadow.swap_in().and_then(|()| Partition::open(&self.data, number, &self.settings));
        let partition = swapped.map_err(|why| {
            self.rebuilds.failed(number, &why, Instant::now());
            StoreFailed { partition: number, why }
        })?;
        let position = (Part { topic: Topic::Insights, partition: number }, partition.checkpoint());
        self.bring_in(number, partition, member)?;
        self.rebuilds.done(number, records);
        // The shadow may have read further than the loop had.
        member.commit(Step { positions: BTreeMap::from([position]), ..Step::default() })?;
        Ok(())
    }

    /// A full disk, most often: what was not committed is read again, so waiting loses nothing.
    fn open_again(&mut self, failed: &StoreFailed, member: &mut dyn Member) -> anyhow::Result<()> {
        let folder = crate::partition::folder(&self.data, failed.partition);
        tracing::error!(error = %failed, folder = %folder.display(), "the index can't be written; it is tried again and nothing is lost. Is the disk full?");
        metrics::counter!("groundswell_index_failures_total").increment(1);
        self.round = None;
        // Other partitions may hold changes of the same batch that are not committed: all begin again at their checkpoints.
        let numbers: BTreeSet<u32> = self.partitions.keys().copied().chain([failed.partition]).collect();
        while !self.stop.is_set() {
            numbers.iter().for_each(|number| self.close(*number));
            std::thread::sleep(RETRY);
            match numbers.iter().try_for_each(|number| self.assigned(*number, member)) {
                Ok(()) => return Ok(()),
                Err(error) if error.is::<StoreFailed>() => tracing::debug!(%error, "still not"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Works a batch in. Nothing of it can be seen before [`Self::commit`].
    fn work_in(&mut self, batch: &Batch, member: &mut dyn Member) -> anyhow::Result<()> {
        let began = Instant::now();
        if self.round.is_none() {
            self.refresh_catalogue(member)?;
        }
        for record in batch.iter() {
            let number = record.part.partition;
            let partition =
                self.partitions.get_mut(&number).with_context(|| format!("a record of partition {number}, which is not ours"))?;
            // A floor behind the checkpoint brings records that are in already.
            if record.offset >= partition.checkpoint() {
                partition.apply(&record).map_err(|why| StoreFailed { partition: number, why })?;
            }
        }
        let mut round = self.round.take().unwrap_or_else(|| self.rounds.open(self.waited(batch), began));
        round.took_in(batch.bytes(), batch.positions());
        self.round = Some(round);
        Ok(())
    }

    /// How long the events of a batch have waited since somebody published them. Their insights may be quite new: while a backlog is
    /// worked off, the services before this one write them just now.
    fn waited(&self, batch: &Batch) -> Duration {
        let received = self.partitions.values().filter_map(Partition::received);
        let oldest = received.chain(batch.iter().next().map(|record| record.timestamp)).min();
        let now = groundswell_runtime::clock::now();
        oldest.map_or(Duration::ZERO, |oldest| clock::age(now, oldest))
    }

    /// Makes what is worked in durable and visible, and moves the floor.
    fn commit(&mut self, member: &mut dyn Member) -> anyhow::Result<()> {
        let Some(open) = self.round.take() else { return Ok(()) };
        for round in commit_all(&mut self.partitions, self.at_work)? {
            note(&self.handle, &round);
        }
        crash::point("index.commit.before_floor");
        member.commit(Step { positions: open.positions, ..Step::default() })?;
        metrics::histogram!("groundswell_step_seconds", "service" => "index").record(open.began.elapsed().as_secs_f64());
        Ok(())
    }

    fn refresh_catalogue(&mut self, member: &mut dyn Member) -> anyhow::Result<()> {
        let (mut releases, mut corrections, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
        let limits = &self.limits;
        self.catalogue.catch_up(&mut |record| {
            let headers: Vec<_> = record.headers.iter().collect();
            let incoming = Incoming { content_type: None, headers: &headers, body: record.value };
            match read_event(&incoming, record.timestamp, limits) {
                Some(CatalogueEvent::Release(release, time)) => releases.push((release, time)),
                Some(CatalogueEvent::Correction(correction, time)) => corrections.push((*correction, time)),
                Some(CatalogueEvent::Theme(decision, time)) => decisions.extend(rules::read(&decision, time)),
                Some(CatalogueEvent::Identity(_)) | None => {}
            }
        })?;
        if !decisions.is_empty() {
            self.handle.change_rules(|rules| decisions.into_iter().for_each(|decision| decision.take(rules)));
        }
        if !releases.is_empty() {
            self.handle.change_catalogue(|catalogue| releases.iter().for_each(|(release, time)| catalogue.apply(release, *time)));
        }
        if !corrections.is_empty() {
            let changed = self.handle.corrections().take(corrections);
            self.commit(member)?;
            self.correct(&changed)?;
        }
        Ok(())
    }

    /// Between two commits: brings what is stored in line with what people said since.
    fn correct(&mut self, changed: &[IdentityHash]) -> anyhow::Result<()> {
        for (number, partition) in &mut self.partitions {
            partition.correct(changed).map_err(|why| StoreFailed { partition: *number, why })?;
        }
        self.handle.note_changed();
        Ok(())
    }

    fn obey(&mut self, command: Command) {
        // Whoever asked may have left; the work is done all the same.
        match command {
            Command::Drop { api, version, reply } => drop(reply.send(self.drop_version(&api, &version))),
            Command::Rebuild { reply } => self.rebuilds.ask(self.partitions.keys().copied(), self.handle.missing(), reply),
        }
    }

    fn drop_version(&mut self, api: &str, version: &str) -> Result<(), Refused> {
        if self.rebuilds.is_at_work() {
            // The shadow would bring back what was dropped beside it.
            return Err(Refused::Busy);
        }
        let failed = |error: anyhow::Error| Refused::Failed(format!("{error:#}"));
        let mut there = false;
        for partition in self.partitions.values_mut() {
            if partition.holds(api, version).map_err(failed)? {
                there = true;
                partition.drop_version(api, version).map_err(failed)?;
            }
        }
        self.handle.note_changed();
        if there { Ok(()) } else { Err(Refused::NotThere { api: api.to_owned(), version: version.to_owned() }) }
    }
}

/// Commits partitions side by side, because most of a small commit is waiting for the disk; not all of them, because each of their
/// writers at work holds some ten MiB.
fn commit_all(partitions: &mut BTreeMap<u32, Partition>, at_once: usize) -> Result<Vec<Round>, StoreFailed> {
    let mut all: Vec<_> = partitions.iter_mut().collect();
    let rounds = all.chunks_mut(at_once.max(1)).map(commit_group).collect::<Result<Vec<_>, _>>()?;
    Ok(rounds.into_iter().flatten().collect())
}

fn commit_group(group: &mut [(&u32, &mut Partition)]) -> Result<Vec<Round>, StoreFailed> {
    std::thread::scope(|scope| {
        let running: Vec<_> = group.iter_mut().map(|(number, partition)| (**number, scope.spawn(|| partition.commit()))).collect();
        let mut rounds = Vec::new();
        // The scope waits for all of them; the first error is told.
        for (partition, thread) in running {
            let committed = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the thread of a commit panicked")));
            rounds.extend(committed.map_err(|why| StoreFailed { partition, why })?);
        }
        Ok(rounds)
    })
}

fn note(handle: &Handle, round: &Round) {
    let now = groundswell_runtime::clock::now();
    round.received.iter().for_each(|received| handle.freshness().searchable(*received, now));
    metrics::counter!("groundswell_index_ops_total").increment(round.ops);
}
