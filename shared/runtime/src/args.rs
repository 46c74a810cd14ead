//! The options that every program has.

use std::path::PathBuf;

use clap::Args;

use crate::settings::{Settings, SettingsError, Sources};

/// Options that choose the configuration.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration file (TOML); see deploy/groundswell.example.toml
    #[arg(long, global = true, value_name = "FILE", env = "GROUNDSWELL_CONFIG", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Folder for everything that is stored [default: groundswell-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Configuration")]
    pub data: Option<PathBuf>,
    /// One setting, over file and environment: index.commit_ms=500
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = assignment, help_heading = "Configuration")]
    pub set: Vec<(String, String)>,
}

/// Options of a program that serves.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Address to listen on [default: 127.0.0.1:4780]; one that others can reach needs API keys
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Check the configuration, print it with secrets masked, and exit
    #[arg(long)]
    pub check_config: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it like index.commit_ms=500")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl ConfigArgs {
    /// Where the configuration comes from.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut sources = Sources::of_process(self.config.clone());
        sources.overrides.clone_from(&self.set);
        if let Some(data) = &self.data {
            sources.overrides.push(("data".into(), data.to_string_lossy().into_owned()));
        }
        sources
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn load(&self) -> Result<Settings, SettingsError> {
        self.sources().load()
    }

    /// Reads and checks the configuration of a program that serves.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn load_for(&self, serve: &ServeArgs) -> Result<Settings, SettingsError> {
        let mut sources = self.sources();
        if let Some(listen) = &serve.listen {
            sources.overrides.push(("server.listen".into(), listen.clone()));
        }
        sources.load()
    }
}
