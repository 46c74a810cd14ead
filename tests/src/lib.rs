//! What the end-to-end tests share: the program as a child process, its answers, and the test's own data.

mod answers;
mod company;
mod program;
mod skip;
mod transport;

pub use answers::{Client, answers, answers_apart, assert_same};
pub use company::Company;
pub use program::{Program, binary, run, run_with_input};
pub use skip::skipped;
pub use transport::{Transport, transports};

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Asks `done` again and again until it gives a value, for at most `within`.
///
/// # Errors
/// It gave none in time; the message says what was waited for.
pub fn wait_for<T>(what: &str, within: Duration, mut done: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = done() {
            return Ok(value);
        }
        anyhow::ensure!(begun.elapsed() < within, "waited {within:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A file of the public data sets, where they are at hand.
#[must_use]
pub fn test_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GROUNDSWELL_TEST_DATA").map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("the data set {name} is not here (set GROUNDSWELL_TEST_DATA)"));
    None
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
