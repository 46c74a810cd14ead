//! The single checks.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use groundswell_bus::{Bus, BusError, Offset, Part, Remark, Stop, Topic};
use groundswell_index::summary::types::ApisOverview;
use groundswell_model::UNKNOWN_API;
use groundswell_runtime::settings::Transport;
use groundswell_runtime::status::{Status, StatusSource};
use groundswell_runtime::{Freshness, Health, Settings, clock, open_bus};

use super::{Finding, State};
use crate::client::Client;
use crate::dead_letters::{self, Letters, Wanted};
use crate::output::thousands;

const GIB: u64 = 1 << 30;
/// Less free space than this stops the pipeline soon.
const SPACE_FAIL: u64 = GIB / 2;
/// Less free space than this is worth a look.
const SPACE_WARN: u64 = 5 * GIB;
/// More waiting records than this are not the usual coming and going.
const LAG_WARN: u64 = 100_000;
/// Share of calls that belong to no API of the catalogue.
const UNKNOWN_WARN: f64 = 0.05;
/// Clocks that differ by more put events on the wrong side of a boundary.
const SKEW_WARN_MS: i64 = 60_000;
/// Slower than this is not fresh.
const FRESH_WARN_MS: u32 = 5_000;
/// How long an open transaction may take before it is told.
const TRANSACTION_LOOK: Duration = Duration::from_secs(3);
const NOT_OWNER: u32 = 0o077;

/// What is right by itself, but rarely meant.
pub(super) fn configuration(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let kafka = settings.transport == Transport::Kafka;
    if kafka && settings.privacy.pseudonym_key.is_empty() {
        let todo = "set `privacy.pseudonym_key` to the same 64 hexadecimal digits for every process (`openssl rand -hex 32`)";
        findings.push(Finding::warn("pseudonyms", "each process that ingests has a pseudonym key of its own", todo));
    }
    if kafka && !settings.kafka.properties.keys().any(|k| k == "security.protocol") {
        let todo = "set `kafka.properties.\"security.protocol\"` to SSL or SASL_SSL where the network is not trusted";
        findings.push(Finding::warn("encryption", "the connection to Kafka is not encrypted", todo));
    }
    findings
}

/// The data folder: there, ours, writable, with space.
pub(super) fn folder(data: &Path) -> Vec<Finding> {
    let name = data.display();
    if !data.exists() {
        // It will be made in the nearest folder that there is.
        let parent = data.ancestors().skip(1).find(|folder| folder.exists()).filter(|folder| !folder.as_os_str().is_empty());
        let mut found = writable(parent.unwrap_or(Path::new(".")));
        if found.state == State::Ok {
            found.says = format!("{name} is not there yet and can be made");
        }
        return std::iter::once(found).chain(space(parent.unwrap_or(Path::new(".")))).collect();
    }
    let mut findings = vec![writable(data)];
    findings.extend(space(data));
    let key = data.join("pseudonym.key");
    if let Ok(known) = std::fs::metadata(&key) {
        use std::os::unix::fs::PermissionsExt;
        if known.permissions().mode() & NOT_OWNER != 0 {
            let key = key.display();
            findings.push(Finding::warn("pseudonyms", format!("others may read {key}"), format!("chmod 600 {key}")));
        }
    }
    findings
}

fn writable(data: &Path) -> Finding {
    let probe = data.join(format!(".doctor.{}", std::process::id()));
    let tried = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding::ok("data folder", format!("{} can be written", data.display())),
        Err(error) => Finding::fail(
            "data folder",
            format!("{} can't be written: {error}", data.display()),
            "give this user the folder, or choose another with --data",
        ),
    }
}

fn space(data: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(data).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let says = format!("{:.1} GiB free", free as f64 / GIB as f64);
    Some(match free {
        f if f < SPACE_FAIL => {
            Finding::fail("disk", says, "free space or move the data folder: a full disk stops the pipeline (nothing is lost)")
        }
        f if f < SPACE_WARN => {
            Finding::warn("disk", says, "free space before it is full: a full disk stops the pipeline (nothing is lost)")
        }
        _ => Finding::ok("disk", says),
    })
}

/// Whether a server answers.
pub(super) fn server(client: Option<&Client>) -> Finding {
    match client {
        None => Finding::warn("server", "none serves this data folder", "start one with `groundswell up`, or name one with --server"),
        Some(client) if client.is_ready() => Finding::ok("server", format!("{} is ready", client.url())),
        Some(client) => Finding::fail("server", format!("{} is not ready", client.url()), "see what its /readyz waits for, and its log"),
    }
}

/// The transport: reachable, with topics of the right shape that we may use; its lag, dead letters and clock. Where nothing is heard of
/// it within `within`, nor of why not, it is given four times as long: brokers that are far away take their time.
pub(super) fn transport(settings: &Settings, within: Duration) -> Vec<Finding> {
    let (tell, told) = channel();
    let stop = Stop::default();
    let mut settings = settings.clone();
    // A look changes nothing.
    settings.kafka.create_topics = false;
    let bus = match open_bus(&settings, stop.clone()) {
        Ok(bus) => bus,
        Err(error) => return vec![Finding::fail("transport", error.to_string(), "is another process using it?")],
    };
    let theirs = bus.clone();
    std::thread::spawn(move || {
        // Nobody listens any more if this took too long.
        drop(tell.send(look_at(settings, &theirs)));
    });
    let findings = told.recv_timeout(within).or_else(|late| match bus.trouble() {
        Some(_) => Err(late),
        None => told.recv_timeout(within * 3),
    });
    let trouble = bus.trouble();
    // The transport's calls try for ever until they are told to stop.
    stop.stop();
    findings.unwrap_or_else(|_| vec![away(trouble, within)])
}

fn away(trouble: Option<String>, within: Duration) -> Finding {
    let todo = "check `kafka.bootstrap`, the network, and `kafka.properties` (security.protocol, sasl.*, ssl.*)";
    let why = trouble.map(|reason| format!(": {reason}")).unwrap_or_default();
    Finding::fail("transport", format!("no answer within {} s{why}", within.as_secs()), todo)
}

fn look_at(settings: Settings, bus: &Arc<dyn Bus>) -> Vec<Finding> {
    let on_kafka = settings.transport == Transport::Kafka;
    if let Err(error) = bus.ensure_topics() {
        let todo = "see what it says; `deploy/topics.sh` creates the topics and prints the permissions that are needed, `kafka.create_topics = true` lets the services create them";
        return vec![Finding::fail("topics", error.to_string(), todo)];
    }
    let topics = Finding::ok("topics", "all are there, with fitting partitions");
    let status = StatusSource::new(bus.clone(), Arc::new(settings), Freshness::default(), Health::default()).read();
    let rest = || -> Result<Vec<Finding>, BusError> {
        let mut findings = vec![topics];
        if on_kafka {
            findings.extend(examined(bus.examine()));
        }
        findings.extend([lag(&status?), letters(bus.as_ref())?, clocks(bus.as_ref())?]);
        if on_kafka {
            findings.push(transactions(bus.as_ref())?);
        }
        Ok(findings)
    };
    rest().unwrap_or_else(|error| vec![Finding::fail("transport", error.to_string(), "see the transport's own log")])
}

/// What trying came to.
fn examined(remarks: Result<Vec<Remark>, BusError>) -> Vec<Finding> {
    let remarks = match remarks {
        Ok(remarks) => remarks,
        Err(error) => return vec![Finding::warn("permissions", error.to_string(), "they could not be tried: run doctor again")],
    };
    let mut findings: Vec<Finding> = Vec::new();
    for remark in remarks {
        let make = if remark.hurts { Finding::fail } else { Finding::warn };
        findings.push(make(remark.check, remark.says, remark.todo));
    }
    if !findings.iter().any(|f| f.check == "permissions") {
        let says = "every topic was read, and written to in a transaction that was aborted; every group may commit";
        findings.push(Finding::ok("permissions", says));
    }
    findings
}

fn lag(status: &Status) -> Finding {
    let waiting: u64 = status.lag.iter().map(|l| l.waiting).sum();
    let most = status.lag.iter().max_by_key(|l| l.waiting).filter(|l| l.waiting > 0);
    let says = match most {
        None => "everything published is worked off".to_owned(),
        Some(l) => format!("{} records wait, most for {} on {}/{}", thousands(waiting), l.group, l.topic, l.partition),
    };
    if waiting > LAG_WARN {
        Finding::warn("lag", says, "see whether that service runs; on Kafka, start more of them (up to the number of partitions)")
    } else {
        Finding::ok("lag", says)
    }
}

/// A transaction that nobody ends holds up everything behind it. Ours take milliseconds.
fn transactions(bus: &dyn Bus) -> Result<Finding, BusError> {
    let first = undecided(bus)?;
    if first.is_empty() {
        return Ok(Finding::ok("transactions", "none is open"));
    }
    std::thread::sleep(TRANSACTION_LOOK);
    let still = undecided(bus)?;
    let stuck: Vec<String> = first
        .iter()
        .filter(|open| still.contains(open))
        .map(|(part, at)| format!("{:?}/{} at {}", part.topic, part.partition, at.0))
        .collect();
    if stuck.is_empty() {
        return Ok(Finding::ok("transactions", "they come and go"));
    }
    let todo = "if they stay open for more than two minutes, a broker has lost their end (see the known limits in ARCHITECTURE.md): find and abort them with Kafka's kafka-transactions.sh";
    Ok(Finding::warn("transactions", format!("open and not moving: {}", stuck.join(", ")), todo))
}

/// Where the first open transaction of each partition begins.
fn undecided(bus: &dyn Bus) -> Result<Vec<(Part, Offset)>, BusError> {
    let mut open = Vec::new();
    for topic in Topic::ALL {
        open.extend(bus.bounds(topic)?.into_iter().filter(|b| b.decided < b.high).map(|b| (b.part, b.decided)));
    }
    Ok(open)
}

fn letters(bus: &dyn Bus) -> Result<Finding, BusError> {
    match dead_letters::list(bus, &Wanted::default()) {
        Ok(letters) => Ok(count_letters(&letters)),
        Err(dead_letters::Refused::Bus(error)) => Err(error),
        Err(dead_letters::Refused::Wrong(why) | dead_letters::Refused::Nothing(why)) => Ok(Finding::fail("dead letters", why, "")),
    }
}

fn count_letters(letters: &Letters) -> Finding {
    if letters.letters.is_empty() {
        return Finding::ok("dead letters", "none");
    }
    let mut reasons: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for letter in &letters.letters {
        *reasons.entry(&letter.reason).or_default() += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    Finding::warn(
        "dead letters",
        reasons.join(", "),
        "`groundswell dlq list` shows them; mend their publisher, then `groundswell dlq replay`",
    )
}

/// The newest records of the source topics should not be from the future.
fn clocks(bus: &dyn Bus) -> Result<Finding, BusError> {
    let now = clock::now();
    let mut ahead_ms = 0;
    for topic in Topic::ALL.into_iter().filter(|t| t.is_source()) {
        for bounds in bus.bounds(topic)? {
            ahead_ms = ahead_ms.max(newest(bus, bounds.part, bounds.high)?.map_or(0, |t| t.saturating_sub(now.0)));
        }
    }
    if ahead_ms > SKEW_WARN_MS {
        let says = format!("the newest records are {} s ahead of this machine's clock", ahead_ms / 1000);
        return Ok(Finding::warn(
            "clock",
            says,
            "synchronise the clocks (chrony, systemd-timesyncd) of this machine, the brokers and the publishers",
        ));
    }
    Ok(Finding::ok("clock", "no record is from the future"))
}

fn newest(bus: &dyn Bus, part: Part, high: Offset) -> Result<Option<i64>, BusError> {
    let Some(last) = high.0.checked_sub(1) else { return Ok(None) };
    let batch = bus.read_at(part, Offset(last))?;
    Ok(batch.and_then(|b| b.iter().next().map(|r| r.timestamp.0)))
}

/// The server asks for a key, and there is none to show.
pub(super) fn no_key() -> Finding {
    Finding::warn(
        "server",
        "it has keys, so its answers were not looked at",
        "give one with --key or GROUNDSWELL_KEY; dead letters need the scope admin",
    )
}

/// What the server says about the work; with the lag and dead letters if the transport was not asked itself.
pub(super) fn answers(client: &Client, all: bool) -> Vec<Finding> {
    let status: Result<Status, _> = client.get(&["v1", "status"], &[]);
    let mut findings = Vec::new();
    match &status {
        Ok(status) => {
            findings.extend(all.then(|| lag(status)));
            findings.push(version(status));
            findings.extend(freshness(status));
        }
        Err(failure) => findings.push(Finding::fail("server", failure.to_string(), "see the server's log")),
    }
    if all {
        findings.push(match client.get::<Letters>(&["v1", "dead-letters"], &[]) {
            Ok(letters) => count_letters(&letters),
            Err(failure) => Finding::warn("dead letters", failure.to_string(), "ask with a key that has the scope admin"),
        });
    }
    findings.extend(client.get::<ApisOverview>(&["v1", "apis"], &[]).ok().map(|overview| unknown(&overview)));
    findings
}

fn version(status: &Status) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    if status.version == ours {
        return Finding::ok("version", ours);
    }
    Finding::warn("version", format!("the server is {}, this program {ours}", status.version), "use the same version of both")
}

fn freshness(status: &Status) -> Option<Finding> {
    let p99 = status.freshness.p99_ms?;
    let says = format!("99 % of the recent feedback was searchable within {p99} ms");
    Some(if p99 > FRESH_WARN_MS {
        Finding::warn("freshness", says, "usual after a backlog; else look at the lag, at the disk, and at `index.commit_ms`")
    } else {
        Finding::ok("freshness", says)
    })
}

fn unknown(overview: &ApisOverview) -> Finding {
    let calls: u64 = overview.apis.iter().map(|a| a.calls).sum();
    let lost = overview.apis.iter().filter(|a| a.api == UNKNOWN_API).map(|a| a.calls).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "a share, shown with one decimal")]
    let share = if calls == 0 { 0.0 } else { lost as f64 / calls as f64 };
    let says = format!("{:.1} % of {} calls belong to no known API", share * 100.0, thousands(calls));
    if share > UNKNOWN_WARN {
        Finding::warn("unknown paths", says, "publish release events with `base_paths`, `hosts` or `openapi` for the APIs they belong to")
    } else {
        Finding::ok("unknown paths", says)
    }
}

#[cfg(test)]
mod tests {
    use groundswell_index::summary::types::{ApiOverview, Figure};

    use super::*;

    fn api(name: &str, calls: u64) -> ApiOverview {
        ApiOverview { api: name.into(), calls, consumers: 0, feedback: 0, unresolved: Figure::default(), versions: vec![] }
    }

    #[test]
    fn many_unknown_paths_are_a_warning() {
        assert_eq!(unknown(&ApisOverview { apis: vec![api("payments", 99), api(UNKNOWN_API, 1)] }).state, State::Ok);
        let much = unknown(&ApisOverview { apis: vec![api("payments", 900), api(UNKNOWN_API, 100)] });
        assert_eq!(much.state, State::Warn);
        assert!(much.says.contains("10.0 %") && much.todo.contains("base_paths"), "{much:?}");
        assert_eq!(unknown(&ApisOverview::default()).state, State::Ok);
    }

    #[test]
    fn the_embedded_log_is_looked_at_without_changing_it() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { data: dir.path().to_owned(), ..Settings::default() };
        let findings = transport(&settings, Duration::from_secs(20));
        let checks: Vec<_> = findings.iter().map(|f| (f.check, f.state)).collect();
        assert_eq!(checks, [("topics", State::Ok), ("lag", State::Ok), ("dead letters", State::Ok), ("clock", State::Ok)], "{findings:?}");
    }

    #[test]
    fn a_broker_that_is_away_fails_in_time() {
        let mut settings = Settings { transport: Transport::Kafka, ..Settings::default() };
        settings.kafka.bootstrap = "127.0.0.1:9".into();
        let findings = transport(&settings, Duration::from_millis(500));
        assert_eq!(findings[0].state, State::Fail);
        assert!(findings[0].todo.contains("kafka.bootstrap"), "{findings:?}");
    }

    #[test]
    fn a_folder_that_can_not_be_written_fails() {
        let dir = tempfile::tempdir().unwrap();
        assert!(folder(dir.path()).iter().all(|f| f.state != State::Fail));
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(folder(&file)[0].state, State::Fail);
        assert_eq!(folder(&file.join("below"))[0].state, State::Fail, "a folder that can't be made");
        assert!(folder(&dir.path().join("new"))[0].says.contains("can be made"));
    }
}
