//! How a command ends that could not do what was asked.

use std::fmt;
use std::process::ExitCode;

use groundswell_bus::BusError;
use groundswell_runtime::exit;
use groundswell_runtime::settings::SettingsError;

/// What went wrong, for the user, with the exit code for scripts.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command line asks for something that can't be.
    pub fn wrong_use(message: impl Into<String>) -> Self {
        Self { code: exit::WRONG_USE, message: message.into() }
    }

    /// The server or broker can't be reached.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: exit::UNREACHABLE, message: message.into() }
    }

    /// It was tried, and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: exit::FAILED, message: message.into() }
    }

    /// The output says it all; only the exit code is left to give.
    pub fn said() -> Self {
        Self { code: exit::FAILED, message: String::new() }
    }

    /// Tells it on standard error.
    pub fn tell(&self) -> ExitCode {
        use std::io::Write as _;
        if !self.message.is_empty() {
            // Nothing is left to do if standard error is closed.
            drop(writeln!(std::io::stderr(), "groundswell: {self}"));
        }
        self.code.into()
    }

    /// For commands whose exit code 1 says something else: a failure becomes "not reachable".
    pub fn never_failed(self) -> Self {
        if self.code == exit::FAILED { Self { code: exit::UNREACHABLE, ..self } } else { self }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format!("{error:#}"))
    }
}

impl From<BusError> for Failure {
    fn from(error: BusError) -> Self {
        Self::unreachable(format!("{error}; `groundswell doctor` says more"))
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self { code: exit::WRONG_CONFIGURATION, message: error.to_string() }
    }
}
