//! A child process dies at a named point; what it leaves behind must be right.

use std::process::Command;

use groundswell_bus::{Group, NewRecord, Topic};

use crate::support::{CHILD, PATIENCE, World, budget, copy_all, eventually, next_batch, noise, numbered, numbers, publish};

const RECORDS: usize = 300;

/// Runs this case again as a child process that dies.
fn run_child(world: &World, case: &str, crash: &str) {
    let child = again(world, case, crash);
    assert!(!child.status.success(), "the child should have died at {crash}");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!said.contains("panicked"), "the child failed instead of dying at {crash}: {said}");
}

fn again(world: &World, case: &str, crash: &str) -> std::process::Output {
    let module = if world.is_kafka() { "kafka" } else { "embedded" };
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{case}"), "--nocapture", "--test-threads", "1"])
        .env(CHILD, world.address())
        .env("GROUNDSWELL_CRASH", crash)
        .output()
        .unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn crash_in_third_step(world: &World, case: &str, point: &str) {
    let bus = world.bus("0");
    if is_child() {
        copy_all(bus.as_ref(), Group::Ingest);
        return;
    }
    publish(bus.as_ref(), numbered(Topic::Usage, RECORDS, 11));
    publish(bus.as_ref(), numbered(Topic::Usage, RECORDS, 11).into_iter().map(more).collect());
    drop(bus);
    world.restart();
    run_child(world, case, &format!("{point}:3"));
    let bus = world.bus("0");
    copy_all(bus.as_ref(), Group::Ingest);
    eventually("every record", || (numbers(bus.as_ref(), Topic::Insights).len() >= 2 * RECORDS).then_some(()));
    assert_eq!(numbers(bus.as_ref(), Topic::Insights), (0..2 * RECORDS).collect::<Vec<_>>());
}

fn more(mut record: groundswell_bus::NewRecord) -> groundswell_bus::NewRecord {
    let number: usize = String::from_utf8(record.value.unwrap()).unwrap().parse().unwrap();
    record.value = Some((number + RECORDS).to_string().into_bytes());
    record
}

pub(crate) fn a_crash_after_begin_loses_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_after_begin_loses_nothing", "ingest.step.begun");
}

pub(crate) fn a_crash_after_writing_loses_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_after_writing_loses_nothing", "ingest.step.written");
}

pub(crate) fn a_crash_before_commit_loses_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_before_commit_loses_nothing", "ingest.step.before_commit");
}

pub(crate) fn a_crash_after_commit_doubles_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_after_commit_doubles_nothing", "ingest.step.committed");
}

pub(crate) fn what_was_acknowledged_survives_a_crash(world: &World) {
    let bus = world.bus("0");
    if is_child() {
        publish(bus.as_ref(), numbered(Topic::Usage, RECORDS, 11));
        std::process::abort();
    }
    drop(bus);
    world.restart();
    run_child(world, "what_was_acknowledged_survives_a_crash", "");
    assert_eq!(numbers(world.bus("0").as_ref(), Topic::Usage), (0..RECORDS).collect::<Vec<_>>());
}

/// More than a member may hold waits in the topic; it reads slowly, in a process of its own, whose memory tells.
pub(crate) fn a_slow_member_holds_little(world: &World) {
    const BACKLOG_MIB: usize = 160;
    const LIMIT_MIB: usize = 110;
    let bus = world.bus("0");
    if is_child() {
        let mut member = bus.member(Group::Ingest).unwrap();
        for _ in 0..20 {
            let batch = next_batch(member.as_mut(), &budget(100));
            assert!(batch.bytes() <= 1 << 20);
            member.commit(groundswell_bus::Step { positions: batch.positions(), ..Default::default() }).unwrap();
            // The slow work: time for the client to read ahead, if it did so without bound.
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        println!("peak: {} MiB", peak_mib());
        return;
    }
    let publisher = bus.publisher().unwrap();
    for i in 0..BACKLOG_MIB as u64 {
        let records = (0..16).map(|n| NewRecord::keyed(Topic::Usage, format!("k{n}"), noise(64 * 1024, i * 16 + n)));
        publisher.publish(records.collect(), PATIENCE).unwrap();
    }
    drop((publisher, bus));
    world.restart();
    let child = again(world, "a_slow_member_holds_little", "");
    let said = String::from_utf8_lossy(&child.stdout);
    let peak: usize = said.split("peak: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(peak < LIMIT_MIB, "{peak} MiB");
}

fn peak_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}
