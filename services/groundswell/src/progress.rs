//! Bars of long work, on a terminal; elsewhere a line that says what is waited for.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use groundswell_runtime::status::Status;
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::note;

/// How often a server is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A bar of a thousand steps on a terminal; elsewhere only its name.
pub fn bar(name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        note(name);
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1000);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {percent}%") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar
}

/// What a bar shows of work of which so much waits.
#[derive(Debug, Default)]
pub struct Waiting {
    most: u64,
}

impl Waiting {
    /// Thousandths that are done, now that so many records wait.
    pub fn done(&mut self, waiting: u64) -> u64 {
        self.most = self.most.max(waiting).max(1);
        (self.most - waiting) * 1000 / self.most
    }
}

/// Waits until everything that was published is searchable.
pub fn catch_up(client: &Client, name: &str, within: Duration) -> Result<Status, Failure> {
    let (bar, mut waiting) = (bar(name), Waiting::default());
    let outcome = client.wait_caught_up(within, |status| {
        bar.set_position(waiting.done(status.lag.iter().map(|l| l.waiting).sum()));
    });
    bar.finish_and_clear();
    outcome
}

/// Does work that a server takes long for; `far` asks it how far it is: done, and of how many.
pub fn beside<T>(name: &str, work: impl FnOnce() -> T, far: impl Fn() -> Option<(u64, u64)> + Send) -> T {
    let bar = bar(name);
    let done = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        // On a terminal alone: elsewhere nobody sees it.
        let looking = (!bar.is_hidden()).then(|| scope.spawn(|| look(&bar, &done, far)));
        let outcome = work();
        done.store(true, Ordering::Release);
        if let Some(looking) = looking {
            looking.thread().unpark();
        }
        outcome
    });
    bar.finish_and_clear();
    outcome
}

fn look(bar: &ProgressBar, done: &AtomicBool, far: impl Fn() -> Option<(u64, u64)>) {
    while !done.load(Ordering::Acquire) {
        if let Some((read, of)) = far() {
            bar.set_position(read.saturating_mul(1000) / of.max(1));
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_goes_from_the_most_that_waited_to_nothing() {
        let mut waiting = Waiting::default();
        assert_eq!([0, 50, 200, 100, 0].map(|n| waiting.done(n)), [1000, 0, 0, 500, 1000]);
    }

    #[test]
    fn work_beside_a_bar_gives_what_it_came_to() {
        assert_eq!(beside("reckoning", || 7, || None), 7);
    }
}
