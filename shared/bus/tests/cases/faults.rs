//! What only the embedded log can meet: a second process, a full disk.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use groundswell_bus::{BusError, Group, NewRecord, Topic};

use crate::support::{CHILD, World, copy_all, noise, numbered, publish};

/// What the child says once a write could not be done, and once all were.
const STUCK: &str = "child: stuck";
const DONE: &str = "child: done";

pub(crate) fn a_second_process_is_told_who_holds_the_log(world: &World) {
    if std::env::var_os(CHILD).is_some() {
        let refused = world.open(std::path::Path::new(&world.address())).map(drop);
        println!("child: {}", refused.unwrap_err());
        return;
    }
    let bus = world.bus("0");
    let child = child(world, "a_second_process_is_told_who_holds_the_log", &[]);
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains(&format!("in use by process {}", std::process::id())), "{said}");
    assert!(said.contains("choose another data folder"), "{said}");
    publish(bus.as_ref(), numbered(Topic::Usage, 1, 1));
}

/// A limit on the size of files stands for the full disk: writes fail in the same places.
pub(crate) fn a_full_disk_delays_and_loses_nothing(world: &World) {
    if std::env::var_os(CHILD).is_some() {
        return write_until_done(world);
    }
    // The log is made while there is room, as everywhere.
    drop(world.bus("0"));
    world.restart();
    let mut child =
        child(world, "a_full_disk_delays_and_loses_nothing", &["bash", "-c", "trap '' XFSZ; ulimit -S -f 3000; exec \"$0\" \"$@\""]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(STUCK)), "the child was to meet the limit");
    let freed = Command::new("prlimit").args(["--pid", &child.id().to_string(), "--fsize=unlimited:unlimited"]).status().unwrap();
    assert!(freed.success());
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line.contains(DONE)), "{rest:?}");
    assert!(child.wait().unwrap().success());

    let bus = world.bus("0");
    let mut expected: Vec<usize> = (0..ROUNDS).collect();
    assert_eq!(numbers_of(bus.as_ref(), Topic::Usage), expected);
    copy_all(bus.as_ref(), Group::Ingest);
    let copied = numbers_of(bus.as_ref(), Topic::Insights);
    expected.truncate(copied.len());
    assert_eq!((copied.len(), copied), (ROUNDS, expected));
}

const ROUNDS: usize = 40;

/// Publishes and copies in steps, more than fits under the limit.
fn write_until_done(world: &World) {
    let bus = world.bus("0");
    let publisher = bus.publisher().unwrap();
    let mut stuck = false;
    for i in 0..ROUNDS {
        let value = [i.to_le_bytes().to_vec(), noise(200_000, i as u64)].concat();
        let record = NewRecord::keyed(Topic::Usage, "k", value);
        // The time-out tells the parent; the write itself is handed in once more only when it was not done.
        while let Err(error) = publisher.publish(vec![record.clone()], Duration::from_secs(2)) {
            assert!(matches!(error, BusError::Aborted { .. }), "{error}");
            if !stuck {
                println!("{STUCK}");
                stuck = true;
            }
            if numbers_of(bus.as_ref(), Topic::Usage).contains(&i) {
                break;
            }
        }
    }
    assert!(stuck, "the limit was never met");
    println!("{DONE}");
}

/// The number that each value begins with, without repetition.
fn numbers_of(bus: &dyn groundswell_bus::Bus, topic: Topic) -> Vec<usize> {
    let mut found = Vec::new();
    let mut each = |r: groundswell_bus::Record<'_>| found.push(usize::from_le_bytes(r.value.unwrap()[..8].try_into().unwrap()));
    bus.reader(topic).unwrap().catch_up(&mut each).unwrap();
    found.sort_unstable();
    found.dedup();
    found
}

fn child(world: &World, case: &str, through: &[&str]) -> Child {
    let this = std::env::current_exe().unwrap();
    let mut command = match through.split_first() {
        None => Command::new(&this),
        Some((program, args)) => {
            let mut command = Command::new(program);
            command.args(args).arg(&this);
            command
        }
    };
    command.args(["--exact", &format!("faults::{case}"), "--nocapture", "--test-threads", "1"]);
    command.env(CHILD, world.address()).stdout(Stdio::piped()).spawn().unwrap()
}
