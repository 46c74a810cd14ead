//! The program under test, as a child process that never outlives its test.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use crate::{Client, Transport, wait_for};

/// The `groundswell` binary of this build; built first if it is not there.
#[must_use]
pub fn binary() -> PathBuf {
    static BUILT: Once = Once::new();
    let folder = std::env::current_exe().ok().and_then(|p| p.parent().and_then(Path::parent).map(Path::to_path_buf)).unwrap_or_default();
    let binary = folder.join("groundswell");
    BUILT.call_once(|| {
        if !binary.exists() {
            let status = Command::new(env!("CARGO")).args(["build", "-p", "groundswell", "--bin", "groundswell"]).status();
            assert!(status.is_ok_and(|s| s.success()), "building the groundswell binary failed");
        }
    });
    binary
}

/// Runs the program to its end.
///
/// # Errors
/// It could not be started.
pub fn run(args: &[&str], environment: &[(String, String)]) -> anyhow::Result<Output> {
    Ok(command(args, environment).output()?)
}

/// Runs the program to its end with something on standard input.
///
/// # Errors
/// It could not be started or fed.
pub fn run_with_input(args: &[&str], environment: &[(String, String)], input: &[u8]) -> anyhow::Result<Output> {
    let mut child = command(args, environment).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let input = input.to_vec();
    // The program may stop reading early: that is its answer, not a failure of the test.
    let feeder = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = child.wait_with_output()?;
    feeder.join().map_err(|_| anyhow::anyhow!("feeding standard input failed"))?;
    Ok(output)
}

fn command(args: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).envs(environment.iter().cloned()).stdin(Stdio::null());
    command
}

/// A running `groundswell` server.
#[derive(Debug)]
pub struct Program {
    child: Child,
    port: u16,
    log: PathBuf,
    /// As it was started, to start it again.
    command: Command,
}

impl Program {
    /// Starts `groundswell ARGS… --data DATA --listen 127.0.0.1:PORT` with logs in `DATA/NAME.log`.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(name: &str, args: &[&str], data: &Path, transport: &Transport, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let port = free_port()?;
        std::fs::create_dir_all(data)?;
        let log = data.join(format!("{name}.log"));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let listen = format!("127.0.0.1:{port}");
        let data = data.to_str().context("the data folder is not UTF-8")?;
        let mut command = command(args, &transport.environment());
        command.args(["--data", data, "--listen", &listen]).envs(more.iter().copied());
        let child = command.stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { child, port, log, command })
    }

    /// Starts it again at the same address if it has ended, as its supervisor would.
    ///
    /// # Errors
    /// It could not be started.
    pub fn revive(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        eprintln!("ended with {status}, started again; the end of its log:\n{}", self.log_end());
        let file = std::fs::OpenOptions::new().append(true).open(&self.log)?;
        self.child = self.command.stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(())
    }

    /// Starts `groundswell up` and waits until it is ready.
    ///
    /// # Errors
    /// It did not get ready; the message has the end of its log.
    pub fn up(data: &Path, transport: &Transport, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut program = Self::start("up", &["up"], data, transport, more)?;
        program.ready()?;
        Ok(program)
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It ended, or did not get ready in time; the message has the end of its log.
    pub fn ready(&mut self) -> anyhow::Result<()> {
        let client = self.client();
        let ready = wait_for("readiness", Duration::from_secs(60), || {
            let ended = self.child.try_wait().ok().flatten();
            ended.map(Err).or_else(|| client.is_ready().then_some(Ok(())))
        });
        match ready {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => anyhow::bail!("the program ended with {status}:\n{}", self.log_end()),
            Err(e) => anyhow::bail!("{e}:\n{}", self.log_end()),
        }
    }

    /// Its HTTP interface.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port))
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// It could not be killed.
    pub fn kill9(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// It did not stop in time.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        let child = &mut self.child;
        wait_for("a graceful stop", Duration::from_secs(30), || child.try_wait().ok().flatten())
    }

    /// What sends `kill -9` later, from another thread. To be called before the program is started again.
    pub fn killer(&self) -> impl FnOnce() -> anyhow::Result<()> + Send + use<> {
        let id = self.child.id();
        move || signal(id, "KILL")
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// `kill` failed.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        self::signal(self.child.id(), signal)
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Resident memory now, in bytes.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    }

    /// The end of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let from = log.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
        log[from..].to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of {}:\n{}", self.log.display(), self.log_end());
        }
        // Already gone is fine; a test that failed must leave no process behind.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

fn signal(id: u32, signal: &str) -> anyhow::Result<()> {
    let status = Command::new("kill").args([format!("-{signal}"), id.to_string()]).status()?;
    anyhow::ensure!(status.success(), "kill -{signal} failed");
    Ok(())
}

/// A port that nobody listens on and that this process has not given out yet. It lies below those that the kernel lends to outgoing
/// connections: one of these could be taken between this look and the program's start.
fn free_port() -> anyhow::Result<u16> {
    const FIRST: u16 = 20_000;
    const PORTS: u16 = 12_000;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(PORTS))?;
    let free = (0..PORTS).find_map(|_| {
        let port = FIRST + (own + GIVEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    });
    free.context("no port is free")
}
