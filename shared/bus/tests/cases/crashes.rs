//! A child process dies at a named point; what it leaves behind must be right.

use std::process::Command;

use groundswell_bus::{Group, Topic};

use crate::support::{CHILD, World, copy_all, eventually, numbered, numbers, publish};

const RECORDS: usize = 300;

/// Runs this case again as a child process that dies.
fn run_child(world: &World, case: &str, crash: &str) {
    let module = if world.is_kafka() { "kafka" } else { "embedded" };
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{case}"), "--nocapture", "--test-threads", "1"])
        .env(CHILD, world.address())
        .env("GROUNDSWELL_CRASH", crash)
        .output()
        .unwrap();
    assert!(!child.status.success(), "the child should have died at {crash}");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!said.contains("panicked"), "the child failed instead of dying at {crash}: {said}");
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
    crash_in_third_step(world, "a_crash_after_begin_loses_nothing", "bus.step.begun");
}

pub(crate) fn a_crash_after_writing_loses_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_after_writing_loses_nothing", "bus.step.written");
}

pub(crate) fn a_crash_before_commit_loses_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_before_commit_loses_nothing", "bus.step.before_commit");
}

pub(crate) fn a_crash_after_commit_doubles_nothing(world: &World) {
    crash_in_third_step(world, "a_crash_after_commit_doubles_nothing", "bus.step.committed");
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
