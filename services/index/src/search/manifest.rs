//! Which version folders belong to a partition's search index, so that a missing one is noticed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SearchError;
use super::schema::LAYOUT;

/// The folder of the search index within that of the partition.
pub(super) const FOLDER: &str = "search";
const MANIFEST: &str = "manifest.json";

/// What belongs to an index, so that a folder that went missing is noticed.
#[derive(Serialize, Deserialize)]
struct Manifest {
    layout: u32,
    versions: Vec<(String, String)>,
}

pub(super) fn exists(home: &Path) -> bool {
    home.join(MANIFEST).exists()
}

/// The API versions that belong to the index; none if it was never committed.
pub(super) fn read(home: &Path) -> Result<Vec<(String, String)>, SearchError> {
    let path = home.join(MANIFEST);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(&path).map_err(SearchError::disk("can't read", &path))?;
    let damaged =
        |e: serde_json::Error| SearchError::Damaged { folder: home.to_owned(), rebuild: home.to_owned(), why: format!("{MANIFEST}: {e}") };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(damaged)?;
    if manifest.layout == LAYOUT { Ok(manifest.versions) } else { Err(other_layout(home, manifest.layout.to_string())) }
}

pub(super) fn other_layout(home: &Path, found: String) -> SearchError {
    SearchError::OtherLayout { folder: home.to_owned(), found, wanted: LAYOUT.to_string() }
}

pub(super) fn write(home: &Path, versions: Vec<(String, String)>) -> Result<(), SearchError> {
    let path = home.join(MANIFEST);
    let draft = home.join("manifest~draft");
    let written = (|| {
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&Manifest { layout: LAYOUT, versions })?)?;
        file.sync_data()?;
        fs::rename(&draft, &path)?;
        sync_folder(home)
    })();
    written.map_err(SearchError::disk("can't write", &path))
}

/// Every folder of an API version.
pub(super) fn version_folders(home: &Path) -> Result<Vec<PathBuf>, SearchError> {
    let folders_in = |folder: &Path| -> Result<Vec<PathBuf>, SearchError> {
        let entries = fs::read_dir(folder).map_err(SearchError::disk("can't list", folder))?;
        let mut folders = Vec::new();
        for entry in entries {
            let path = entry.map_err(SearchError::disk("can't list", folder))?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        folders.sort();
        Ok(folders)
    };
    let mut all = Vec::new();
    for api in folders_in(home)? {
        all.extend(folders_in(&api)?);
    }
    Ok(all)
}

pub(super) fn remove(folder: &Path) -> Result<(), SearchError> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(SearchError::disk("can't delete", folder)(e)),
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_data()
}
