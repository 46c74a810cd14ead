//! Tests that can't run everywhere say so in one way. A file of its own, so that tests of other crates can include it by path.

use std::io::Write as _;

/// Notes that a test, or a half of one, does not run here, and why. `tests/run` lists these at its end.
///
/// # Panics
/// `GROUNDSWELL_TEST_ALL` is set: everything is said to be there.
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    if let Some(path) = std::env::var_os("GROUNDSWELL_TEST_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // One write for a line: tests of several processes append to this file.
        let noted = file.and_then(|mut file| file.write_all(format!("{why}\n").as_bytes()));
        assert!(noted.is_ok(), "the skip of a test could not be noted: {noted:?}");
    }
    assert!(std::env::var_os("GROUNDSWELL_TEST_ALL").is_none(), "GROUNDSWELL_TEST_ALL is set, but a test is skipped: {why}");
}
