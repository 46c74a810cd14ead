//! The loop of the index service: poll, work in, commit, move the floor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use groundswell_bus::{Batch, Budget, Bus, BusError, Group, Member, Offset, Part, Polled, Reader, Step, Stop, Topic, crash};
use groundswell_runtime::Settings;
use groundswell_runtime::settings::IndexSettings;

use crate::handle::{Command, Handle, Snapshot};
use crate::partition::{Partition, Round};
use crate::rebuild;

/// Bytes of frames worked in between two commits while there is a backlog.
const ROUND_BYTES: usize = 8 * 1024 * 1024;
/// How long to wait for insights before looking at commands and the stop flag.
const WAIT: Duration = Duration::from_millis(200);
/// How long to wait before a failed commit is tried again.
const RETRY: Duration = Duration::from_secs(1);

struct Service {
    bus: Arc<dyn Bus>,
    data: PathBuf,
    settings: IndexSettings,
    handle: Handle,
    stop: Stop,
    partitions: BTreeMap<u32, Partition>,
    catalogue: Box<dyn Reader>,
}

/// Runs the index service until `stop` is set.
///
/// # Errors
/// Something that this process can't mend: it should end, so that its supervisor starts it again.
pub fn run(bus: Arc<dyn Bus>, settings: &Settings, handle: Handle, stop: Stop) -> anyhow::Result<()> {
    let mut member = bus.member(Group::Index)?;
    let catalogue = bus.reader(Topic::Catalogue)?;
    let mut service = Service {
        bus,
        data: settings.data.clone(),
        settings: settings.index.clone(),
        handle,
        stop: stop.clone(),
        partitions: BTreeMap::new(),
        catalogue,
    };
    let budget = Budget {
        records: usize::MAX,
        bytes: ROUND_BYTES,
        wait: WAIT,
        linger: Duration::from_millis(settings.index.commit_ms),
    };
    while !stop.is_set() {
        match service.turn(member.as_mut(), &budget) {
            Ok(()) => {}
            Err(error) => match error.downcast_ref::<BusError>() {
                Some(BusError::Stopped) => break,
                Some(BusError::Aborted { .. }) => tracing::warn!(%error, "floor not moved: the partitions are assigned anew"),
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

impl Service {
    fn turn(&mut self, member: &mut dyn Member, budget: &Budget) -> anyhow::Result<()> {
        while let Some(command) = self.handle.next_command() {
            self.obey(command, member)?;
        }
        match member.poll(budget)? {
            Polled::Assigned(parts) => parts.into_iter().try_for_each(|part| self.assigned(part, member)),
            Polled::Revoked(parts) => {
                for part in parts {
                    self.partitions.remove(&part.partition);
                    self.handle.withdraw(part.partition);
                }
                Ok(())
            }
            Polled::Batch(batch) => self.batch(&batch, member),
            Polled::Idle => self.refresh_catalogue(),
        }
    }

    fn assigned(&mut self, part: Part, member: &mut dyn Member) -> anyhow::Result<()> {
        self.refresh_catalogue()?;
        let partition = rebuild::open(self.bus.as_ref(), &self.data, part.partition, &self.settings, &self.stop)?;
        let from = partition.checkpoint()?.unwrap_or_default();
        self.publish(&partition, from);
        self.partitions.insert(part.partition, partition);
        tracing::info!(partition = part.partition, from = from.0, "index partition opened");
        member.start(part, Some(from))?;
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, member: &mut dyn Member) -> anyhow::Result<()> {
        let began = Instant::now();
        self.refresh_catalogue()?;
        for record in batch.iter() {
            let number = record.part.partition;
            let partition = self.partitions.get_mut(&number).with_context(|| format!("a record of partition {number}, which is not ours"))?;
            // A floor behind the checkpoint brings records that are in already.
            if partition.checkpoint()?.is_none_or(|c| record.offset >= c) {
                partition.apply(&record)?;
            }
        }
        self.commit()?;
        crash::point("index.commit.before_floor");
        member.commit(Step { positions: batch.positions(), ..Step::default() })?;
        metrics::histogram!("groundswell_step_seconds", "service" => "index").record(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Commits every partition that has something, again and again while the disk refuses: nothing is skipped for it.
    fn commit(&mut self) -> anyhow::Result<()> {
        let numbers: Vec<u32> = self.partitions.keys().copied().collect();
        for number in numbers {
            loop {
                let Some(partition) = self.partitions.get_mut(&number) else { break };
                match partition.commit() {
                    Ok(None) => break,
                    Ok(Some((checkpoint, round))) => {
                        self.note(&round);
                        if let Some(partition) = self.partitions.get(&number) {
                            self.publish(partition, checkpoint);
                        }
                        break;
                    }
                    Err(error) => self.commit_failed(number, &error)?,
                }
            }
        }
        Ok(())
    }

    fn commit_failed(&self, number: u32, error: &anyhow::Error) -> anyhow::Result<()> {
        if self.stop.is_set() {
            return Err(BusError::Stopped.into());
        }
        let folder = crate::partition::folder(&self.data, number);
        tracing::error!(
            partition = number,
            folder = %folder.display(),
            error = format!("{error:#}"),
            "index commit failed and is tried again; nothing is lost. Is the disk full?"
        );
        metrics::counter!("groundswell_index_commit_failures_total").increment(1);
        std::thread::sleep(RETRY);
        Ok(())
    }

    fn publish(&self, partition: &Partition, checkpoint: Offset) {
        let snapshot = Snapshot { search: partition.search().readers(), usage: partition.usage().reader(), checkpoint };
        self.handle.publish(partition.number(), snapshot);
    }

    fn note(&self, round: &Round) {
        let now = groundswell_runtime::clock::now();
        for received in &round.received {
            self.handle.freshness().searchable(*received, now);
        }
        metrics::counter!("groundswell_index_ops_total").increment(round.ops);
    }

    fn refresh_catalogue(&mut self) -> anyhow::Result<()> {
        let mut events = Vec::new();
        self.catalogue.catch_up(&mut |record| {
            events.extend(groundswell_catalogue::read_release(&record));
        })?;
        if !events.is_empty() {
            self.handle.change_catalogue(|catalogue| events.iter().for_each(|(release, time)| catalogue.apply(release, *time)));
        }
        Ok(())
    }

    fn obey(&mut self, command: Command, member: &mut dyn Member) -> anyhow::Result<()> {
        match command {
            Command::Drop { api, version, reply } => {
                let done = self.drop_version(&api, &version).map_err(|e| format!("{e:#}"));
                drop(reply.send(done));
            }
            Command::Rebuild { reply } => {
                let done = self.rebuild(member).map_err(|e| format!("{e:#}"));
                drop(reply.send(done));
            }
        }
        Ok(())
    }

    fn drop_version(&mut self, api: &str, version: &str) -> anyhow::Result<()> {
        let numbers: Vec<u32> = self.partitions.keys().copied().collect();
        for number in numbers {
            let Some(partition) = self.partitions.get_mut(&number) else { continue };
            partition.search_mut().drop_version(api, version)?;
            partition.usage_mut().drop_version(api, version)?;
            let checkpoint = partition.checkpoint()?.unwrap_or_default();
            if let Some(partition) = self.partitions.get(&number) {
                self.publish(partition, checkpoint);
            }
        }
        Ok(())
    }

    fn rebuild(&mut self, member: &mut dyn Member) -> anyhow::Result<u64> {
        let numbers: Vec<u32> = self.partitions.keys().copied().collect();
        let mut read = 0;
        for number in numbers {
            let Some(old) = self.partitions.remove(&number) else { continue };
            let upto = old.checkpoint()?.unwrap_or_default();
            drop(old);
            read += rebuild::rebuild(self.bus.as_ref(), &self.data, number, &self.settings, upto, &self.stop)?;
            self.assigned(Part { topic: Topic::Insights, partition: number }, member)?;
        }
        Ok(read)
    }
}
