//! The broker of a benchmark: started for it, stopped after it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;

/// A script of the repository that starts and stops a server, with its state in a folder of its own.
#[derive(Debug)]
pub struct Script {
    path: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Script {
    /// The script at `path` below the repository.
    pub fn new(repository: &Path, path: &str, environment: Vec<(&'static str, String)>) -> Result<Self, Failure> {
        let path = repository.join(path);
        if !path.exists() {
            return Err(Failure::wrong_use(format!(
                "{} is not there: run this in a checkout of the repository, or name it with --repository",
                path.display()
            )));
        }
        Ok(Self { path, environment })
    }

    /// Runs one command of it.
    pub fn run(&self, args: &[&str]) -> Result<String, Failure> {
        let output = Command::new(&self.path).args(args).envs(self.environment.iter().map(|(k, v)| (k, v))).output();
        let output = output.map_err(|e| Failure::failed(format!("{}: {e}", self.path.display())))?;
        if !output.status.success() {
            return Err(Failure::failed(format!("{} {args:?}: {}", self.path.display(), String::from_utf8_lossy(&output.stderr))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Where the broker's port is looked for.
const PORTS: std::ops::RangeInclusive<u16> = 29_592..=29_682;
/// How far above the broker's port `deploy/kafka/kafka.sh` has the controller's.
const CONTROLLER_ABOVE: u16 = 100;

/// A broker for one round.
#[derive(Debug)]
pub struct Broker {
    script: Script,
    /// Where it answers.
    pub bootstrap: String,
    /// Its process.
    pub pid: u32,
}

impl Broker {
    /// Starts one with empty topics.
    pub fn start(repository: &Path, folder: &Path) -> Result<Self, Failure> {
        let run = folder.join("kafka");
        let libs = repository.join(".run/kafka/libs");
        let environment = vec![
            ("KAFKA_RUN", run.display().to_string()),
            ("KAFKA_PORT", free_port()?.to_string()),
            // Artifacts are fetched once, whatever folder the data is in.
            ("KAFKA_LIBS", std::path::absolute(&libs).unwrap_or(libs).display().to_string()),
        ];
        let script = Script::new(repository, "deploy/kafka/kafka.sh", environment)?;
        let bootstrap = script.run(&["start", "1"])?;
        let status = script.run(&["status"])?;
        let pid = status.split("process ").nth(1).and_then(|rest| rest.split(',').next()?.trim().parse().ok());
        let pid = pid.ok_or_else(|| Failure::failed(format!("the broker's process is not told: {status}")))?;
        Ok(Self { script, bootstrap, pid })
    }
}

/// A port that is free together with the one that the script gives to the controller, a hundred above.
fn free_port() -> Result<u16, Failure> {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let found = PORTS.clone().step_by(10).find(|port| free(*port) && free(*port + CONTROLLER_ABOVE));
    found.ok_or_else(|| Failure::failed(format!("no port of {} to {} is free for a broker", PORTS.start(), PORTS.end())))
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(failure) = self.script.run(&["wipe"]) {
            tracing::error!(%failure, "the broker of the benchmark did not stop");
        }
    }
}
