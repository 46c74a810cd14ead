//! Named crash points: places where a test kills the process, to prove that nothing is lost or counted twice.

use crate::Group;

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
    "ingest.step.begun",
    "ingest.step.written",
    "ingest.step.before_commit",
    "ingest.step.committed",
    "classify.step.begun",
    "classify.step.written",
    "classify.step.before_commit",
    "classify.step.committed",
    "classify.swap.before_publish",
    "classify.swap.published",
    "index.commit.begun",
    "index.commit.search_done",
    "index.commit.usage_done",
    "index.commit.before_floor",
    "index.swap.aside",
    "index.swap.renamed",
];

/// The moments of an atomic step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Begun,
    Written,
    BeforeCommit,
    Committed,
}

/// [`point`] within the step of a group, by a name of that group: services of one process share the transport, and each must be
/// hit. The index writes no records in its steps; what it may lose there is a floor, which `index.commit.before_floor` covers.
pub(crate) fn step(group: Group, moment: Step) {
    let [begun, written, before_commit, committed] = match group {
        Group::Ingest => ["ingest.step.begun", "ingest.step.written", "ingest.step.before_commit", "ingest.step.committed"],
        Group::Classify => ["classify.step.begun", "classify.step.written", "classify.step.before_commit", "classify.step.committed"],
        Group::Index => return,
    };
    point(match moment {
        Step::Begun => begun,
        Step::Written => written,
        Step::BeforeCommit => before_commit,
        Step::Committed => committed,
    });
}

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
