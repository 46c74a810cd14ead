//! The loops of a process: one OS thread each. If one ends by itself, all are told to stop and the process ends
//! with an error, so that its supervisor starts it again from what is committed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use groundswell_bus::{BusError, Stop};

/// How long loops may take to end after the stop before the process goes without them.
const GRACE: Duration = Duration::from_secs(25);
const LOOK: Duration = Duration::from_millis(200);

/// A loop that runs until the stop is set.
pub struct Loop {
    name: &'static str,
    run: Box<dyn FnOnce() -> anyhow::Result<()> + Send>,
}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loop").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Loop {
    /// A loop by the name that its thread and its errors carry.
    #[must_use]
    pub fn new(name: &'static str, run: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// A loop that ended although nobody told it to, or did not end when told.
#[derive(Debug, thiserror::Error)]
#[error("{name} {why}")]
pub struct LoopFailed {
    /// Which.
    pub name: &'static str,
    /// How.
    pub why: String,
}

/// The loops at work.
#[derive(Debug)]
pub struct Threads {
    stop: Stop,
    running: Vec<&'static str>,
    failure: Option<LoopFailed>,
    ended: Sender<(&'static str, Ending)>,
    endings: Receiver<(&'static str, Ending)>,
}

impl Threads {
    /// No loop yet.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        let (ended, endings) = channel();
        Self { stop, running: Vec::new(), failure: None, ended, endings }
    }

    /// Starts a loop in a thread of its own. If it can't be started, [`Threads::wait`] says so.
    pub fn spawn(&mut self, one: Loop) {
        let name = one.name;
        match spawn(one, self.ended.clone()) {
            Ok(()) => self.running.push(name),
            Err(error) => self.fail(name, format!("could not be started: {error}")),
        }
    }

    /// Waits until the stop is set and all loops have ended.
    ///
    /// # Errors
    /// The first loop that failed, panicked, ended by itself, or did not end in time. The others were told to stop.
    pub fn wait(mut self) -> Result<(), LoopFailed> {
        let mut stopped_at = None;
        while !self.running.is_empty() {
            if let Ok((name, ending)) = self.endings.recv_timeout(LOOK) {
                self.running.retain(|n| *n != name);
                if let Some(why) = fault(ending, &self.stop) {
                    self.fail(name, why);
                }
                self.stop.stop();
            }
            if self.stop.is_set() && stopped_at.get_or_insert_with(Instant::now).elapsed() >= GRACE {
                let why = format!("did not stop within {} s", GRACE.as_secs());
                self.fail(self.running.first().copied().unwrap_or_default(), why);
                break;
            }
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn fail(&mut self, name: &'static str, why: String) {
        tracing::error!(service = name, why, "the process ends, to be started again");
        self.failure.get_or_insert(LoopFailed { name, why });
        self.stop.stop();
    }
}

type Ending = Result<anyhow::Result<()>, Box<dyn Any + Send>>;

fn spawn(one: Loop, ended: Sender<(&'static str, Ending)>) -> std::io::Result<()> {
    let Loop { name, run } = one;
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // What a panicking loop leaves behind is not looked at any more: the process ends.
        let ending = catch_unwind(AssertUnwindSafe(run));
        // Nobody listens any more only if the process went without waiting.
        drop(ended.send((name, ending)));
    })?;
    Ok(())
}

/// Why an ending is a fault; none if it was asked for.
fn fault(ending: Ending, stop: &Stop) -> Option<String> {
    match ending {
        Ok(Ok(())) if stop.is_set() => None,
        Ok(Ok(())) => Some("ended though nobody told it to stop".into()),
        Ok(Err(error)) if stop.is_set() && matches!(error.downcast_ref(), Some(BusError::Stopped)) => None,
        Ok(Err(error)) => Some(format!("failed: {error:#}")),
        Err(panic) => Some(format!("panicked: {}", message(panic.as_ref()))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(loops: Vec<Loop>, stop: &Stop) -> Result<(), LoopFailed> {
        let mut threads = Threads::new(stop.clone());
        loops.into_iter().for_each(|one| threads.spawn(one));
        threads.wait()
    }

    fn waits(name: &'static str, stop: &Stop) -> Loop {
        let stop = stop.clone();
        Loop::new(name, move || {
            while !stop.is_set() {
                std::thread::yield_now();
            }
            Ok(())
        })
    }

    #[test]
    fn loops_that_stop_when_told_are_fine() {
        let stop = Stop::default();
        let teller = stop.clone();
        let tells = Loop::new("teller", move || {
            teller.stop();
            Err(BusError::Stopped.into())
        });
        assert!(run(vec![waits("ingest", &stop), tells], &stop).is_ok());
    }

    #[test]
    fn one_failure_stops_the_others_and_is_told() {
        let stop = Stop::default();
        let fails = Loop::new("classify", || anyhow::bail!("the disk is on fire"));
        let failed = run(vec![waits("ingest", &stop), fails], &stop).unwrap_err();
        assert_eq!(failed.to_string(), "classify failed: the disk is on fire");
        assert!(stop.is_set());
    }

    #[test]
    fn a_panic_and_an_early_end_are_failures() {
        let stop = Stop::default();
        let failed = run(vec![Loop::new("index", || panic!("out of bounds")), waits("ingest", &stop)], &stop).unwrap_err();
        assert_eq!(failed.to_string(), "index panicked: out of bounds");

        let stop = Stop::default();
        let failed = run(vec![Loop::new("index", || Ok(()))], &stop).unwrap_err();
        assert_eq!(failed.to_string(), "index ended though nobody told it to stop");
    }
}
