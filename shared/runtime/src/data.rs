//! The data folder and the secret in it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::Settings;
use crate::settings::Transport;

const KEY_FILE: &str = "pseudonym.key";
const KEY_BYTES: usize = 32;
/// Permission bits of group and others.
const NOT_OWNER: u32 = 0o077;

/// Makes the data folder, for its owner only, if it is not there.
///
/// # Errors
/// It can't be made.
pub fn prepare(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("can't make the data folder {}; choose another with --data", folder.display()))
}

/// The secret for pseudonyms: the configured one, else the one in the data folder, made at first use and
/// readable by its owner only.
///
/// # Errors
/// The file can't be read or written, or does not hold a key.
pub fn pseudonym_key(settings: &Settings) -> anyhow::Result<[u8; KEY_BYTES]> {
    if !settings.privacy.pseudonym_key.is_empty() {
        return from_hex(&settings.privacy.pseudonym_key).context("`privacy.pseudonym_key`");
    }
    if settings.transport == Transport::Kafka {
        tracing::warn!(
            folder = %settings.data.display(),
            "`privacy.pseudonym_key` is empty: this process uses the key in its data folder. Several ingest processes must share one, \
             or the same requester gets a different pseudonym in each: set it for all of them"
        );
    }
    prepare(&settings.data)?;
    load_or_create(&settings.data.join(KEY_FILE))
}

fn load_or_create(path: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let name = path.display();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let mode = std::fs::metadata(path)?.permissions().mode();
            if mode & NOT_OWNER != 0 {
                tracing::warn!(file = %name, "others may read the pseudonym key: chmod 600 it");
            }
            from_hex(text.trim())
                .with_context(|| format!("{name} is damaged; restore it from a backup, or remove it (pseudonyms then change)"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create(path).with_context(|| format!("can't make the pseudonym key {name}")),
        Err(error) => bail!("can't read the pseudonym key {name}: {error}"),
    }
}

/// Writes a new key beside its place and links it there: whole or not at all, and the first of two processes wins.
fn create(path: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|e| anyhow::anyhow!("no random numbers from the system: {e}"))?;
    let beside = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(blake3::Hash::from_bytes(key).to_hex().as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load_or_create(path),
        Err(error) => Err(error.into()),
    }
}

fn from_hex(text: &str) -> anyhow::Result<[u8; KEY_BYTES]> {
    ensure!(text.len() == 2 * KEY_BYTES, "a key has {} hexadecimal digits", 2 * KEY_BYTES);
    // Any 32 bytes in hexadecimal read as a hash, whatever they are.
    Ok(*blake3::Hash::from_hex(text).context("a key is hexadecimal")?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_in(folder: &Path) -> Settings {
        Settings { data: folder.join("data"), ..Settings::default() }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings_in(dir.path());
        let key = pseudonym_key(&settings).unwrap();
        assert_eq!(pseudonym_key(&settings).unwrap(), key);
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&settings.data), mode(&settings.data.join(KEY_FILE))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&settings.data).unwrap().count(), 1);
        assert_ne!(pseudonym_key(&settings_in(tempfile::tempdir().unwrap().path())).unwrap(), key);
    }

    #[test]
    fn processes_that_start_together_agree() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings_in(dir.path());
        prepare(&settings.data).unwrap();
        let path = settings.data.join(KEY_FILE);
        let first = create(&path).unwrap();
        assert_eq!(create(&path).unwrap(), first);
    }

    #[test]
    fn a_configured_key_stands_and_a_damaged_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings_in(dir.path());
        prepare(&settings.data).unwrap();
        std::fs::write(settings.data.join(KEY_FILE), "half").unwrap();
        assert!(format!("{:#}", pseudonym_key(&settings).unwrap_err()).contains("pseudonym.key is damaged"));
        settings.privacy.pseudonym_key = "0102".repeat(16);
        assert_eq!(pseudonym_key(&settings).unwrap()[..2], [1, 2]);
    }
}
