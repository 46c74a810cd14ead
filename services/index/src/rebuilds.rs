//! Which partitions are to be rebuilt: one after the other, beside the loop.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::Instant;

use groundswell_bus::Topic;

use crate::handle::Refused;
use crate::rebuild::{Running, Shadow, Workshop};

/// The rebuild that somebody asked for.
struct Asked {
    reply: Sender<Result<u64, Refused>>,
    records: u64,
}

/// The partitions that are to be built anew.
pub(crate) struct Rebuilds {
    workshop: Workshop,
    waiting: VecDeque<u32>,
    running: Option<Running>,
    /// Partitions without stores: there is nothing to go on with until they are built.
    needed: Vec<u32>,
    asked: Option<Asked>,
    not_before: Option<Instant>,
}

impl Rebuilds {
    pub(crate) fn new(workshop: Workshop) -> Self {
        Self { workshop, waiting: VecDeque::new(), running: None, needed: Vec::new(), asked: None, not_before: None }
    }

    /// Whether anything is being built, or waits for it.
    pub(crate) fn is_at_work(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty()
    }

    /// This partition has no stores that can be used.
    pub(crate) fn need(&mut self, number: u32) {
        if !self.needed.contains(&number) {
            self.needed.push(number);
        }
        self.enqueue(number);
    }

    /// Somebody wants all partitions built anew. Refused while a rebuild is at work, and while partitions are still being opened:
    /// "all" must be all.
    pub(crate) fn ask(&mut self, numbers: impl Iterator<Item = u32>, missing: usize, reply: Sender<Result<u64, Refused>>) {
        if self.is_at_work() || missing > 0 {
            // Whoever asked may have left.
            return drop(reply.send(Err(Refused::Busy)));
        }
        numbers.for_each(|number| self.enqueue(number));
        self.asked = Some(Asked { reply, records: 0 });
    }

    fn enqueue(&mut self, number: u32) {
        let known = self.waiting.contains(&number) || self.running.as_ref().is_some_and(|running| running.number == number);
        if known {
            return;
        }
        match self.workshop.bus.bounds(Topic::Insights) {
            Ok(bounds) => bounds.iter().filter(|b| b.part.partition == number).for_each(|b| self.workshop.progress.plan(b)),
            Err(error) => tracing::debug!(%error, "how far a rebuild is can't be told"),
        }
        self.waiting.push_back(number);
    }

    /// What was built since the last look. Begins the next.
    pub(crate) fn turn(&mut self, now: Instant) -> Option<(u32, anyhow::Result<Shadow>)> {
        if let Some(running) = &mut self.running {
            let built = running.ended()?;
            let number = running.number;
            self.running = None;
            return Some((number, built));
        }
        if self.not_before.is_some_and(|at| now < at) {
            return None;
        }
        let number = self.waiting.pop_front()?;
        match Running::start(&self.workshop, number) {
            Ok(running) => self.running = Some(running),
            Err(error) => return Some((number, Err(error))),
        }
        None
    }

    /// A partition was built and is at work.
    pub(crate) fn done(&mut self, number: u32, records: u64) {
        self.ended(number);
        if let Some(asked) = &mut self.asked {
            asked.records += records;
        }
        if !self.is_at_work()
            && let Some(asked) = self.asked.take()
        {
            drop(asked.reply.send(Ok(asked.records)));
        }
    }

    /// A partition could not be built. Where there is nothing to go on with, it is tried again at `again`.
    pub(crate) fn failed(&mut self, number: u32, error: &anyhow::Error, again: Instant) {
        let needed = self.needed.contains(&number);
        self.workshop.progress.ended(number);
        self.refuse(&format!("partition {number} could not be rebuilt, and stays as it was: {error:#}"));
        if needed {
            self.not_before = Some(again);
            self.enqueue(number);
        }
    }

    /// A partition is somebody else's now.
    pub(crate) fn give_up(&mut self, number: u32) {
        let mine = self.waiting.contains(&number) || self.running.as_ref().is_some_and(|running| running.number == number);
        self.waiting.retain(|waiting| *waiting != number);
        self.running.take_if(|running| running.number == number);
        self.ended(number);
        if mine {
            self.refuse(&format!("partition {number} went to another process before it was rebuilt: ask again"));
        }
    }

    fn ended(&mut self, number: u32) {
        self.workshop.progress.ended(number);
        self.needed.retain(|needed| *needed != number);
    }

    /// What somebody asked for ends here; what must be built goes on.
    fn refuse(&mut self, why: &str) {
        let Some(asked) = self.asked.take() else { return };
        let Self { waiting, needed, workshop, running, .. } = self;
        waiting.retain(|number| {
            let stays = needed.contains(number);
            if !stays {
                workshop.progress.ended(*number);
            }
            stays
        });
        if let Some(running) = running.take_if(|running| !needed.contains(&running.number)) {
            workshop.progress.ended(running.number);
        }
        drop(asked.reply.send(Err(Refused::Failed(why.to_owned()))));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, Stop, TopicSettings};
    use groundswell_runtime::settings::IndexSettings;

    use super::*;

    #[test]
    fn a_partition_that_goes_away_ends_what_was_asked_and_what_must_be_built_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let bus = EmbeddedBus::open(&folder.path().join("bus"), &EmbeddedSettings::default(), &TopicSettings::default(), Stop::default())
            .unwrap();
        bus.ensure_topics().unwrap();
        let workshop = Workshop {
            bus: Arc::new(bus),
            data: folder.path().to_owned(),
            settings: IndexSettings::default(),
            corrections: crate::corrections::Shared::default(),
            progress: crate::rebuild::Progress::default(),
        };
        let mut rebuilds = Rebuilds::new(workshop.clone());
        let (reply, answer) = channel();
        rebuilds.ask([0, 1].into_iter(), 0, reply);
        let (second, refused) = channel();
        rebuilds.ask([0, 1].into_iter(), 0, second);
        assert_eq!(refused.recv().unwrap(), Err(Refused::Busy));
        rebuilds.need(2);
        assert!(rebuilds.turn(Instant::now()).is_none(), "the first is being built");
        rebuilds.give_up(0);
        assert!(matches!(answer.recv().unwrap(), Err(Refused::Failed(why)) if why.contains("partition 0")));
        assert_eq!(workshop.progress.now().partitions, 1, "only what must be built is left");
        let begun = Instant::now();
        let (number, built) = loop {
            if let Some(done) = rebuilds.turn(Instant::now()) {
                break done;
            }
            assert!(begun.elapsed().as_secs() < 30);
            std::thread::yield_now();
        };
        assert_eq!((number, built.unwrap().read()), (2, 0));
        rebuilds.done(2, 0);
        assert!(!rebuilds.is_at_work() && !workshop.progress.now().running);
    }
}
