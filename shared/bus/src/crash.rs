//! Named crash points: places where a test kills the process, to prove that nothing is lost or counted twice.

/// Ends the process as `kill -9` would, if the environment variable `GROUNDSWELL_CRASH` names this point
/// (`point`, or `point:N` for the N-th time it is passed). Does nothing in a release build.
pub fn point(name: &'static str) {
    if cfg!(debug_assertions) {
        imp::point(name);
    }
}

/// Every crash point there is, for the crash suite.
pub const POINTS: &[&str] = &[
    "ingest.edge.before_publish",
    "ingest.edge.after_publish",
    "bus.step.begun",
    "bus.step.written",
    "bus.step.before_commit",
    "bus.step.committed",
    "index.commit.begun",
    "index.commit.search_done",
    "index.commit.usage_done",
    "index.commit.before_floor",
];

mod imp {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn point(name: &str) {
        let wanted = WANTED.get_or_init(|| {
            let spec = std::env::var("GROUNDSWELL_CRASH").ok()?;
            Some(match spec.rsplit_once(':') {
                Some((point, n)) => (point.to_owned(), n.parse().unwrap_or(1)),
                None => (spec, 1),
            })
        });
        if let Some((point, at)) = wanted
            && point == name
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *at
        {
            tracing::error!(point, "crash point reached: aborting as asked by GROUNDSWELL_CRASH");
            std::process::abort();
        }
    }
}
