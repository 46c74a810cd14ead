//! `server.json` in the data folder: which process serves it. Other commands find the server by it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

const NAME: &str = "server.json";

/// A server that serves a data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// Where it answers.
    pub url: String,
    /// Its process.
    pub pid: u32,
}

/// Removes the file when the server ends.
#[derive(Debug)]
pub struct Written(PathBuf);

impl ServerFile {
    /// This process, serving on an address; one that stands for all addresses is reached by loopback.
    pub fn of(address: SocketAddr) -> Self {
        let reached = match address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), v4.port()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), v6.port()),
            other => other,
        };
        Self { url: format!("http://{reached}"), pid: std::process::id() }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, data: &Path) -> anyhow::Result<Written> {
        let path = data.join(NAME);
        let beside = data.join(format!("{NAME}.{}", self.pid));
        let written = || -> anyhow::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            Ok(std::fs::rename(&beside, &path)?)
        };
        written().with_context(|| format!("can't write {}", path.display()))?;
        Ok(Written(path))
    }

    /// Reads the one of a data folder, if there is one. Whether it still lives is for the caller to find out.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join(NAME)).ok()?).ok()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // A file left behind is found to be stale by the next reader.
        drop(std::fs::remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_reached_by_loopback() {
        let url = |address: &str| ServerFile::of(address.parse().unwrap()).url;
        assert_eq!(
            [url("0.0.0.0:80"), url("[::]:80"), url("10.0.0.1:80")],
            ["http://127.0.0.1:80", "http://[::1]:80", "http://10.0.0.1:80"]
        );
    }

    #[test]
    fn what_is_written_is_read_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let file = ServerFile { url: "http://127.0.0.1:1".into(), pid: 7 };
        let written = file.write(dir.path()).unwrap();
        assert_eq!(ServerFile::read(dir.path()), Some(file));
        drop(written);
        assert_eq!(ServerFile::read(dir.path()), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
