//! The peer: a tuned Python pipeline into OpenSearch, on the same topics in the same run.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::broker::{Broker, Script};
use super::process;
use crate::failure::Failure;
use crate::output::note;

/// What the peer needed for the same backlog.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Peer {
    /// Which one.
    pub name: &'static str,
    /// Events a second, from its start until all is searchable.
    pub events_per_second: f64,
    /// CPU seconds of all processes, per 100,000 events.
    pub cpu_per_100k: f64,
    /// Of them the peer itself.
    pub cpu_peer_per_100k: f64,
    /// Of them the broker.
    pub cpu_broker_per_100k: f64,
    /// Of them OpenSearch.
    pub cpu_opensearch_per_100k: f64,
    /// Most memory of the peer itself, MiB.
    pub peak_mib: f64,
}

/// What `tests/bench/peer.py` prints.
#[derive(Debug, Deserialize)]
struct Printed {
    seconds: f64,
    cpu_seconds: f64,
    peak_rss_mib: f64,
}

/// Runs it.
#[expect(clippy::cast_precision_loss, reason = "counts of events")]
pub fn measure(repository: &Path, folder: &Path, broker: &Broker, events: u64) -> Result<Peer, Failure> {
    note("starting OpenSearch and the peer");
    let run = folder.join("opensearch").display().to_string();
    let opensearch =
        Script::new(repository, "deploy/opensearch/opensearch.sh", vec![("OPENSEARCH_RUN", run), ("OPENSEARCH_PORT", "29200".into())])?;
    let stop = StopAfter(&opensearch);
    opensearch.run(&["start"])?;
    // Java's own warm-up is not the peer's work.
    opensearch.run(&["warm"])?;
    let pid: u32 = opensearch.run(&["pid"])?.parse().map_err(|_| Failure::failed("OpenSearch's process is not told"))?;
    let (broker_before, opensearch_before) = (process::cpu_seconds(broker.pid), process::cpu_seconds(pid));
    let output = Command::new(repository.join("tests/bench/peer.sh"))
        .args(["--bootstrap", &broker.bootstrap, "--opensearch", "http://127.0.0.1:29200", "--expect", &events.to_string()])
        .output()
        .map_err(|e| Failure::failed(format!("tests/bench/peer.sh: {e}")))?;
    if !output.status.success() {
        return Err(Failure::failed(format!("the peer failed: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let printed: Printed =
        serde_json::from_slice(&output.stdout).map_err(|e| Failure::failed(format!("the peer printed no figures: {e}")))?;
    let per_100k = |cpu: f64| cpu / events as f64 * 100_000.0;
    let own = per_100k(printed.cpu_seconds);
    let broker_cpu = per_100k(process::cpu_seconds(broker.pid) - broker_before);
    let opensearch_cpu = per_100k(process::cpu_seconds(pid) - opensearch_before);
    drop(stop);
    Ok(Peer {
        name: "Python (confluent-kafka, orjson, scikit-learn, raw _bulk) into OpenSearch",
        events_per_second: events as f64 / printed.seconds,
        cpu_per_100k: own + broker_cpu + opensearch_cpu,
        cpu_peer_per_100k: own,
        cpu_broker_per_100k: broker_cpu,
        cpu_opensearch_per_100k: opensearch_cpu,
        peak_mib: printed.peak_rss_mib,
    })
}

struct StopAfter<'a>(&'a Script);

impl Drop for StopAfter<'_> {
    fn drop(&mut self) {
        if let Err(failure) = self.0.run(&["wipe"]) {
            tracing::error!(%failure, "OpenSearch did not stop");
        }
    }
}
