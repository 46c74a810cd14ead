//! The three services as separate processes on a real Kafka: as in production.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::time::{Duration, Instant};

use groundswell_tests::{Company, Program, Transport, answers, answers_apart, assert_same, skipped, wait_for};

const CAUGHT_UP: Duration = Duration::from_secs(300);

struct Services {
    ingest: Program,
    classify: Program,
    index: Program,
}

impl Services {
    fn start(data: &Path, transport: &Transport) -> Self {
        let start = |service: &str| Program::start(service, &["serve", service], &data.join(service), transport, &[]).unwrap();
        let mut services = Self { ingest: start("ingest"), classify: start("classify"), index: start("index") };
        services.ingest.ready().unwrap();
        services.classify.ready().unwrap();
        services.index.ready().unwrap();
        services
    }

    fn answers(&self) -> serde_json::Value {
        answers_apart(&self.index.client(), &self.ingest.client()).unwrap()
    }
}

fn publish(company: &Company, program: &Program, caught_up: impl Fn()) {
    for phase in company.phases() {
        for chunk in phase.chunks(500) {
            let chunk = chunk.join("\n");
            wait_for("the edge to take a batch", CAUGHT_UP, || program.client().send(&chunk).ok()).unwrap();
        }
        caught_up();
    }
}

/// As [`publish`], over an outage: a program that ends is started again, as its supervisor would.
fn publish_supervised(company: &Company, programs: &mut [&mut Program], edge: usize, answering: usize) {
    let tend = |programs: &mut [&mut Program]| programs.iter_mut().for_each(|p| p.revive().unwrap());
    for phase in company.phases() {
        for chunk in phase.chunks(500) {
            let chunk = chunk.join("\n");
            let sent = wait_for("the edge to take a batch", CAUGHT_UP, || {
                tend(programs);
                programs[edge].client().send(&chunk).ok()
            });
            sent.unwrap();
        }
        let caught_up = wait_for("the pipeline to catch up", CAUGHT_UP, || {
            tend(programs);
            programs[answering].client().caught_up(Duration::from_secs(2)).ok()
        });
        caught_up.unwrap();
    }
}

#[test]
fn separate_services_answer_like_one_process() {
    let Some(transport) = Transport::kafka("separate") else { return };
    let company = Company::simulate(5, 7, 20).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let one = Program::up(&folder.path().join("one"), &Transport::Embedded, &[]).unwrap();
    publish(&company, &one, || one.client().caught_up(CAUGHT_UP).unwrap());
    let services = Services::start(folder.path(), &transport);
    publish(&company, &services.ingest, || services.index.client().caught_up(CAUGHT_UP).unwrap());
    assert_same(&services.answers(), &answers(&one.client()).unwrap(), "beside one process");
}

#[test]
fn two_classify_processes_share_the_work_and_one_may_die() {
    let Some(transport) = Transport::kafka("two-classify") else { return };
    let company = Company::simulate(6, 7, 20).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let one = Program::up(&folder.path().join("one"), &Transport::Embedded, &[]).unwrap();
    publish(&company, &one, || one.client().caught_up(CAUGHT_UP).unwrap());

    let services = Services::start(folder.path(), &transport);
    let second = [("GROUNDSWELL__INSTANCE", "1")];
    let mut other = Program::start("classify2", &["serve", "classify"], &folder.path().join("classify2"), &transport, &second).unwrap();
    other.ready().unwrap();
    let half = company.usage.len() / 2;
    for chunk in company.catalogue.chunks(500).chain(company.usage[..half].chunks(500)) {
        services.ingest.client().send(&chunk.join("\n")).unwrap();
    }
    other.kill9().unwrap();
    publish(&company, &services.ingest, || services.index.client().caught_up(CAUGHT_UP).unwrap());
    assert_same(&services.answers(), &answers(&one.client()).unwrap(), "beside one process");
}

#[test]
fn rebuilding_the_index_from_the_topics_gives_the_same_answers() {
    let Some(transport) = Transport::kafka("rebuild") else { return };
    let company = Company::simulate(8, 5, 12).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = Program::up(folder.path(), &transport, &[]).unwrap();
    publish(&company, &program, || program.client().caught_up(CAUGHT_UP).unwrap());
    let before = answers(&program.client()).unwrap();
    // Beside what answers, where the group's position is kept as well.
    let (status, rebuilt) = program.client().post("/v1/index/rebuild", "application/json", "").unwrap();
    assert!(status == 200 && rebuilt["records"].as_u64() > Some(0), "{status}: {rebuilt}");
    program.client().caught_up(CAUGHT_UP).unwrap();
    assert_same(&answers(&program.client()).unwrap(), &before, "after a rebuild beside the loop");
    assert!(program.stop().unwrap().success());
    // Stores that can't be used: nobody is answered until they are built.
    for partition in std::fs::read_dir(folder.path().join("index")).unwrap() {
        let search = partition.unwrap().path().join("search");
        if search.exists() {
            std::fs::remove_dir_all(search).unwrap();
        }
    }
    let program = Program::up(folder.path(), &transport, &[]).unwrap();
    program.client().caught_up(CAUGHT_UP).unwrap();
    assert_same(&answers(&program.client()).unwrap(), &before, "after stores were lost");
    assert!(program.stop().unwrap().success());
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let program = Program::up(folder.path(), &transport, &[]).unwrap();
    let again = wait_for("the index to be rebuilt", CAUGHT_UP, || answers(&program.client()).ok().filter(|a| *a == before));
    assert!(again.is_ok(), "the rebuilt index answers differently");
}

/// A broker that hangs is the same to its clients as one that is away: nobody answers. (Killing the only broker is no fair trial: Apache
/// Kafka can forget there to end a transaction that it had committed, see the known limits. A killed broker of three is the next test.)
#[test]
fn a_broker_that_is_away_delays_but_loses_nothing() {
    if std::env::var_os("GROUNDSWELL_TEST_KAFKA_CLUSTER").is_none() {
        skipped("a broker of its own (set GROUNDSWELL_TEST_KAFKA_CLUSTER=1, or run tests/run)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path(), "29392", 1);
    let company = Company::simulate(9, 5, 12).unwrap();
    let one = Program::up(&folder.path().join("one"), &Transport::Embedded, &[]).unwrap();
    publish(&company, &one, || one.client().caught_up(CAUGHT_UP).unwrap());

    let transport = Transport::kafka_at(&broker.bootstrap, "away");
    let mut program = Program::up(&folder.path().join("data"), &transport, &[]).unwrap();
    for chunk in company.catalogue.chunks(500) {
        program.client().send(&chunk.join("\n")).unwrap();
    }
    program.client().caught_up(CAUGHT_UP).unwrap();
    let half = company.usage.len() / 2;
    for chunk in company.usage[..half].chunks(500) {
        program.client().send(&chunk.join("\n")).unwrap();
    }
    broker.script(&["pause", "1"]);
    let gone = Instant::now();
    // Longer than sessions and transactions last.
    let away = Duration::from_secs(75);
    // The publisher goes on trying meanwhile; nothing may be acknowledged that is not durable.
    let mut refused = 0;
    while gone.elapsed() < away {
        refused += usize::from(program.client().send(&company.usage[half]).is_err());
    }
    assert!(refused > 0, "events were acknowledged without a broker");
    broker.script(&["resume", "1"]);
    publish_supervised(&company, &mut [&mut program], 0, 0);
    assert_same(&answers(&program.client()).unwrap(), &answers(&one.client()).unwrap(), "beside one process");
}

#[test]
fn with_three_brokers_one_may_be_killed_at_work() {
    if std::env::var_os("GROUNDSWELL_TEST_KAFKA_CLUSTER").is_none() {
        skipped("three brokers of its own (set GROUNDSWELL_TEST_KAFKA_CLUSTER=1, or run tests/run)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cluster = Broker::start(folder.path(), "28092", 3);
    let company = Company::simulate(10, 7, 20).unwrap();
    let one = Program::up(&folder.path().join("one"), &Transport::Embedded, &[]).unwrap();
    publish(&company, &one, || one.client().caught_up(CAUGHT_UP).unwrap());

    let transport = Transport::kafka_at(&cluster.bootstrap, "three");
    let mut services = Services::start(folder.path(), &transport);
    let third = company.usage.len() / 3;
    for chunk in company.catalogue.chunks(500).chain(company.usage[..third].chunks(500)) {
        services.ingest.client().send(&chunk.join("\n")).unwrap();
    }
    cluster.script(&["kill9", "2"]);
    let Services { ingest, classify, index } = &mut services;
    publish_supervised(&company, &mut [ingest, classify, index], 0, 2);
    cluster.script(&["one", "2"]);
    assert_same(&services.answers(), &answers(&one.client()).unwrap(), "beside one process");
}

/// A cluster that only one test uses, stopped with it.
struct Broker {
    run: std::path::PathBuf,
    port: String,
    bootstrap: String,
}

impl Broker {
    fn start(folder: &Path, port: &str, brokers: usize) -> Self {
        let mut broker = Self { run: folder.join("kafka"), port: port.to_owned(), bootstrap: String::new() };
        broker.bootstrap = broker.script(&["start", &brokers.to_string()]).trim().to_owned();
        broker
    }

    fn script(&self, args: &[&str]) -> String {
        let script = groundswell_tests::repository().join("deploy/kafka/kafka.sh");
        let mut command = std::process::Command::new(script);
        let output = command.args(args).env("KAFKA_RUN", &self.run).env("KAFKA_PORT", &self.port).output().unwrap();
        assert!(output.status.success(), "kafka.sh {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let script = groundswell_tests::repository().join("deploy/kafka/kafka.sh");
        drop(std::process::Command::new(script).arg("wipe").env("KAFKA_RUN", &self.run).env("KAFKA_PORT", &self.port).output());
    }
}
