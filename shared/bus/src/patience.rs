//! Trying the same call again for as long as it takes, without flooding the log.

use std::time::{Duration, Instant};

use crate::{BusError, Stop};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What passes sooner is not worth a line.
const GRACE: Duration = Duration::from_secs(2);
const BETWEEN_LOGS: Duration = Duration::from_secs(30);
const SLICE: Duration = Duration::from_millis(50);

/// One call that is tried until it works or the process is told to stop.
pub(crate) struct Patience<'a> {
    what: &'a str,
    stop: &'a Stop,
    began: Instant,
    pause: Duration,
    logged: Option<Instant>,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(what: &'a str, stop: &'a Stop) -> Self {
        Self { what, stop, began: Instant::now(), pause: FIRST_PAUSE, logged: None }
    }

    /// Says that it does not work yet, if that was not said lately.
    pub(crate) fn note(&mut self, why: &dyn std::fmt::Display) {
        let due = self.logged.map_or(self.began.elapsed() >= GRACE, |at| at.elapsed() >= BETWEEN_LOGS);
        if due {
            tracing::warn!(call = self.what, error = %why, waited_s = self.began.elapsed().as_secs(), "failed, trying again until it works");
            self.logged = Some(Instant::now());
        }
    }

    /// Waits before the next try, longer each time.
    pub(crate) fn wait(&mut self, why: &dyn std::fmt::Display) -> Result<(), BusError> {
        self.note(why);
        let until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        while Instant::now() < until {
            if self.stop.is_set() {
                return Err(BusError::Stopped);
            }
            std::thread::sleep(SLICE.min(until.saturating_duration_since(Instant::now())));
        }
        if self.stop.is_set() { Err(BusError::Stopped) } else { Ok(()) }
    }

    /// Says that it works again, if it was said to fail.
    pub(crate) fn worked(&self) {
        if self.logged.is_some() {
            tracing::info!(call = self.what, after_s = self.began.elapsed().as_secs(), "works again");
        }
    }
}
