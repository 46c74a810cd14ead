//! Exactly once, proven: whatever the moment of a crash, the answers after recovery equal the answers without one.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::cell::RefCell;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use groundswell_tests::{Client, Company, Program, Transport, answers, assert_same, transports, wait_for};
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

/// The phases, and corrections after them.
fn phases() -> [&'static [String]; 4] {
    let [catalogue, usage, feedback] = company().phases();
    [catalogue, usage, feedback, &company().corrections]
}

/// All answers, once every correction is seen in them: the position of the pipeline does not tell that.
fn settled(client: &Client) -> Value {
    let wanted = company().corrections.len() as u64;
    let seen = || {
        let found = client.get("/v1/search?q=flag:corrected&limit=0").ok()?;
        (found["total"].as_u64() >= Some(wanted)).then_some(())
    };
    wait_for("the corrections to be seen", CAUGHT_UP, seen).unwrap();
    answers(client).unwrap()
}

fn golden() -> &'static Value {
    static GOLDEN: OnceLock<Value> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
        publish(&program, &phases());
        settled(&program.client())
    })
}

/// Publishes everything to a program that may die at any time, starting it again and repeating what was not acknowledged,
/// as a publisher would. `between` is told the number of each request when it was answered, and of none before the phase is waited for.
/// Returns the final answers and how often it died.
fn survive(
    data: &Path,
    transport: &Transport,
    mut dangers: impl FnMut(usize) -> Vec<(String, String)>,
    between: impl Fn(&Program, Option<usize>),
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
    for phase in phases() {
        for (number, chunk) in phase.chunks(CHUNK).enumerate() {
            while program.client().send(&chunk.join("\n")).is_err() {
                (program, deaths) = revive(program, deaths, &mut start);
            }
            between(&program, Some(number));
        }
        between(&program, None);
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
    (settled(&program.client()), deaths)
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

/// Publishes everything, lets `work` die at a crash point once and have its way the second time; the answers are as they would be.
fn survives_in_work(point: &str, phases: &[&[String]], work: impl Fn(&Client) -> anyhow::Result<()>, want: &Value) {
    for transport in transports(&point.replace('.', "-")) {
        let folder = tempfile::tempdir().unwrap();
        let crash = format!("{point}:1");
        let mut program = Program::up(folder.path(), &transport, &[("GROUNDSWELL_CRASH", &crash)]).unwrap();
        publish(&program, phases);
        let what = format!("{point} on {}", transport.name());
        // Whoever asked hears nothing of a program that died.
        drop(work(&program.client()));
        wait_for(&format!("{what}, which was not reached"), CAUGHT_UP, || program.ended()).unwrap();
        let program = Program::up(folder.path(), &transport, &[]).unwrap();
        program.client().caught_up(CAUGHT_UP).unwrap();
        work(&program.client()).unwrap();
        program.client().caught_up(CAUGHT_UP).unwrap();
        assert_same(&settled(&program.client()), want, &what);
    }
}

fn publish(program: &Program, phases: &[&[String]]) {
    for phase in phases {
        for chunk in phase.chunks(CHUNK) {
            program.client().send(&chunk.join("\n")).unwrap();
        }
        program.client().caught_up(CAUGHT_UP).unwrap();
    }
}

fn done(client: &Client, path: &str) -> anyhow::Result<Value> {
    let (status, body) = client.post(path, "application/json", "")?;
    anyhow::ensure!((200..300).contains(&status), "{path}: {status}: {body}");
    Ok(body)
}

fn rebuild_survives(point: &str) {
    let rebuild = |client: &Client| done(client, "/v1/index/rebuild").map(drop);
    survives_in_work(point, &phases(), rebuild, golden());
}

/// Feedback that came before its catalogue has something to move; what moved before the crash moves no second time.
fn reattribution_survives(point: &str) {
    static WANT: OnceLock<Value> = OnceLock::new();
    let [catalogue, usage, feedback, corrections] = phases();
    let phases = [usage, feedback, catalogue, corrections];
    let reattribute = |client: &Client| done(client, "/v1/reattribute?swap=true").map(drop);
    let want = WANT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::up(folder.path(), &Transport::Embedded, &[]).unwrap();
        publish(&program, &phases);
        let report = done(&program.client(), "/v1/reattribute?swap=true").unwrap();
        assert!(report["swapped"].as_u64() > Some(0), "{report}");
        program.client().caught_up(CAUGHT_UP).unwrap();
        settled(&program.client())
    });
    survives_in_work(point, &phases, reattribute, want);
}

macro_rules! crash_points {
    ($($how:ident: $($test:ident = $point:literal),*;)*) => {
        $($(#[test] fn $test() { $how($point); })*)*

        #[test]
        fn every_crash_point_has_its_test() {
            assert_eq!(groundswell_bus::crash::POINTS, [$($($point),*),*]);
        }
    };
}

crash_points! {
    survives_crash_point:
        edge_before_publish = "ingest.edge.before_publish",
        edge_after_publish = "ingest.edge.after_publish",
        ingest_step_begun = "ingest.step.begun",
        ingest_step_written = "ingest.step.written",
        ingest_step_before_commit = "ingest.step.before_commit",
        ingest_step_committed = "ingest.step.committed",
        classify_step_begun = "classify.step.begun",
        classify_step_written = "classify.step.written",
        classify_step_before_commit = "classify.step.before_commit",
        classify_step_committed = "classify.step.committed";
    reattribution_survives:
        reattribution_before_publish = "classify.swap.before_publish",
        reattribution_published = "classify.swap.published";
    survives_crash_point:
        index_commit_begun = "index.commit.begun",
        index_search_done = "index.commit.search_done",
        index_usage_done = "index.commit.usage_done",
        index_before_floor = "index.commit.before_floor";
    rebuild_survives:
        index_set_aside = "index.swap.aside",
        index_renamed = "index.swap.renamed";
}

/// Kills within so many milliseconds after a request was answered: while the next one is on its way, in a step, in a commit, or
/// while nothing happens.
const KILL_WITHIN_MS: u64 = 400;
const MOST_KILLS: usize = 8;

/// `kill -9` at moments that a seed draws.
struct Killer {
    random: fastrand::Rng,
    kills: usize,
    next: Option<std::thread::JoinHandle<()>>,
}

impl Killer {
    /// Waits for the kill that is due. Where none was, the program that has just answered is alive, and may be killed next.
    fn between(&mut self, program: &Program, number: Option<usize>) {
        if let Some(due) = self.next.take() {
            due.join().unwrap();
        } else if number.is_some() && self.kills < MOST_KILLS && self.random.u8(0..3) == 0 {
            self.kills += 1;
            let delay = Duration::from_millis(self.random.u64(0..KILL_WITHIN_MS));
            let kill = program.killer();
            self.next = Some(std::thread::spawn(move || {
                std::thread::sleep(delay);
                kill().unwrap();
            }));
        }
    }
}

/// `GROUNDSWELL_TEST_SEED` repeats the moments of a run that failed, as far as a machine repeats anything.
#[test]
fn random_kills_change_nothing() {
    let seed = std::env::var("GROUNDSWELL_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    // Shown where the test fails.
    eprintln!("GROUNDSWELL_TEST_SEED={seed}");
    for transport in transports("random-kills") {
        let folder = tempfile::tempdir().unwrap();
        let killer = RefCell::new(Killer { random: fastrand::Rng::with_seed(seed), kills: 0, next: None });
        let between = |program: &Program, number| killer.borrow_mut().between(program, number);
        let (got, deaths) = survive(folder.path(), &transport, |_| Vec::new(), between);
        assert!(deaths > 0, "no kill on {} with seed {seed}", transport.name());
        assert_same(&got, golden(), &format!("kill -9 on {} with seed {seed}", transport.name()));
        eprintln!("kill -9 on {}: same answers after {deaths} kills", transport.name());
    }
}

#[test]
fn a_graceful_stop_loses_nothing() {
    for transport in transports("graceful") {
        let folder = tempfile::tempdir().unwrap();
        let stop = |program: &Program, number| {
            if number == Some(2) {
                program.signal("TERM").unwrap();
            }
        };
        let (got, _) = survive(folder.path(), &transport, |_| Vec::new(), stop);
        assert_same(&got, golden(), &format!("SIGTERM on {}", transport.name()));
    }
}
