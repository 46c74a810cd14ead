//! Exactly once, proven: whatever the moment of a crash, the answers after recovery equal the answers without one.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use groundswell_tests::{Company, Program, Transport, answers, assert_same, transports, wait_for};
use serde_json::Value;

/// A crashed member of a Kafka group is missed for ten seconds before its partitions go to the next one; some phases see several crashes.
const CAUGHT_UP: Duration = Duration::from_secs(300);
/// Lines of one request: small, so that a crash falls between requests, steps and commits.
const CHUNK: usize = 400;
/// A crash point that some phase never reaches must not hold up the suite: it may be passed this often before the end.
const CRASHES_PER_RUN: usize = 4;

fn company() -> &'static Company {
    static COMPANY: OnceLock<Company> = OnceLock::new();
    COMPANY.get_or_init(|| Company::simulate(11, 10, 30).unwrap())
}

fn golden() -> &'static Value {
    static GOLDEN: OnceLock<Value> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
        for phase in company().phases() {
            for chunk in phase.chunks(CHUNK) {
                program.client().send(&chunk.join("\n")).unwrap();
            }
            program.client().caught_up(CAUGHT_UP).unwrap();
        }
        answers(&program.client()).unwrap()
    })
}

/// Publishes everything to a program that may die at any time, starting it again and repeating what was not acknowledged,
/// as a publisher would. Returns the final answers and how often it died.
fn survive(
    data: &Path,
    transport: &Transport,
    mut dangers: impl FnMut(usize) -> Vec<(String, String)>,
    between: impl Fn(&Program, usize),
) -> (Value, usize) {
    let mut deaths = 0;
    let mut start = |deaths: usize| {
        let dangers = dangers(deaths);
        let dangers: Vec<(&str, &str)> = dangers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let mut program = Program::start("up", &["up"], data, transport, &dangers).unwrap();
        // It may already die while it starts: that is one of the moments to survive.
        let _ready = program.ready();
        program
    };
    let mut program = start(deaths);
    for phase in company().phases() {
        for (number, chunk) in phase.chunks(CHUNK).enumerate() {
            while program.client().send(&chunk.join("\n")).is_err() {
                (program, deaths) = revive(program, deaths, &mut start);
            }
            between(&program, number);
        }
        wait_for("the phase to be worked off", CAUGHT_UP, || {
            if program.client().caught_up(Duration::from_secs(1)).is_ok() {
                return Some(());
            }
            if program.ended().is_some() {
                deaths += 1;
                program = start(deaths);
            }
            None
        })
        .unwrap_or_else(|e| panic!("{e}: {}", program.log_end()));
    }
    (answers(&program.client()).unwrap(), deaths)
}

fn revive(mut program: Program, deaths: usize, start: &mut impl FnMut(usize) -> Program) -> (Program, usize) {
    if program.ended().is_some() {
        return (start(deaths + 1), deaths + 1);
    }
    // Refused for a moment, but alive: the publisher just tries again.
    std::thread::sleep(Duration::from_millis(20));
    (program, deaths)
}

fn survives_crash_point(point: &str) {
    for transport in transports(&point.replace('.', "-")) {
        let folder = tempfile::tempdir().unwrap();
        let dangers = |deaths: usize| {
            let nth = [3, 1, 2, 5];
            let crash = || vec![("GROUNDSWELL_CRASH".to_owned(), format!("{point}:{}", nth[deaths]))];
            if deaths < CRASHES_PER_RUN { crash() } else { Vec::new() }
        };
        let (got, deaths) = survive(folder.path(), &transport, dangers, |_, _| {});
        let what = format!("{point} on {}", transport.name());
        assert!(deaths > 0, "{what}: the crash point was never reached");
        assert_same(&got, golden(), &what);
        eprintln!("{what}: same answers after {deaths} crashes");
    }
}

macro_rules! crash_points {
    ($($test:ident = $point:literal;)*) => {
        $(#[test] fn $test() { survives_crash_point($point); })*

        #[test]
        fn every_crash_point_has_its_test() {
            assert_eq!(groundswell_bus::crash::POINTS, [$($point),*]);
        }
    };
}

crash_points! {
    edge_before_publish = "ingest.edge.before_publish";
    edge_after_publish = "ingest.edge.after_publish";
    step_begun = "bus.step.begun";
    step_written = "bus.step.written";
    step_before_commit = "bus.step.before_commit";
    step_committed = "bus.step.committed";
    index_commit_begun = "index.commit.begun";
    index_search_done = "index.commit.search_done";
    index_usage_done = "index.commit.usage_done";
    index_before_floor = "index.commit.before_floor";
}

#[test]
fn random_kills_change_nothing() {
    for transport in transports("random-kills") {
        let folder = tempfile::tempdir().unwrap();
        // Not random to the reader of a failure: every third request is followed by kill -9, at once, while the loops are at work.
        let kill = |program: &Program, number: usize| {
            if number % 3 == 1 {
                program.signal("KILL").unwrap();
            }
        };
        let (got, deaths) = survive(folder.path(), &transport, |_| Vec::new(), kill);
        assert!(deaths > 1, "only {deaths} kills on {}", transport.name());
        assert_same(&got, golden(), &format!("kill -9 on {}", transport.name()));
        eprintln!("kill -9 on {}: same answers after {deaths} kills", transport.name());
    }
}

#[test]
fn a_graceful_stop_loses_nothing() {
    for transport in transports("graceful") {
        let folder = tempfile::tempdir().unwrap();
        let stop = |program: &Program, number: usize| {
            if number == 2 {
                program.signal("TERM").unwrap();
            }
        };
        let (got, _) = survive(folder.path(), &transport, |_| Vec::new(), stop);
        assert_same(&got, golden(), &format!("SIGTERM on {}", transport.name()));
    }
}
