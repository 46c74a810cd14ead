//! Files of an index, made durable together.
//!
//! The engine's own directory waits for the disk twice for each of the seven files of a segment, and writes the list of all files
//! anew for each of them. Here small files are kept in memory until a commit needs them and are then one [`pack`]; large ones are
//! written without waiting. All of it is durable before the file that names the segments (`meta.json`) is replaced: the order that a
//! crash must respect. What no segment of `meta.json` needs is removed when the directory is opened, so no list of files is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, TerminatingWrite, WatchCallback, WatchHandle,
    WritePtr,
};

use super::pack;

/// The file that names the segments; everything else is durable before it is replaced.
const META: &str = "meta.json";
/// The engine's list of files, so that it can remove those that no segment needs any more.
const MANAGED: &str = ".managed.json";
/// Files up to this size are packed.
const SMALL_BYTES: usize = 128 * 1024;
/// Characters of a segment's id, with which the names of its files begin.
const SEGMENT_ID: usize = 32;

/// A memory-mapped directory that waits for the disk once a commit.
#[derive(Clone, Debug)]
pub(super) struct BatchedDirectory {
    inner: MmapDirectory,
    root: PathBuf,
    files: Arc<Mutex<Files>>,
    /// Held while files are made durable: one after the other.
    syncing: Arc<Mutex<()>>,
}

/// What there is besides plain files that are durable.
#[derive(Debug, Default)]
struct Files {
    /// Small files that no commit needed yet.
    staged: BTreeMap<PathBuf, Arc<[u8]>>,
    /// Small files in packs.
    packed: BTreeMap<PathBuf, (u64, Range<usize>)>,
    /// Files left in each pack.
    left: BTreeMap<u64, usize>,
    next_pack: u64,
    /// Plain files that are not durable yet.
    unsynced: Vec<PathBuf>,
    /// The engine's list of files.
    managed: Vec<u8>,
}

/// No lock is held while anything could fail in the middle of a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BatchedDirectory {
    /// Opens a folder and removes what no segment needs: what a crash left behind. Only for the one who writes there.
    pub(super) fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        let inner = MmapDirectory::open(root)?;
        let files = Files::found(root).map_err(|e| OpenDirectoryError::wrap_io_error(e, root.to_owned()))?;
        Ok(Self { inner, root: root.to_owned(), files: Arc::new(Mutex::new(files)), syncing: Arc::default() })
    }

    fn pack_staged(&self) -> io::Result<()> {
        let (files, number) = {
            let state = lock(&self.files);
            (state.staged.iter().map(|(path, bytes)| (path.clone(), bytes.clone())).collect::<Vec<_>>(), state.next_pack)
        };
        if files.is_empty() {
            return Ok(());
        }
        let places = pack::write(&self.root.join(pack::name(number)), &files)?;
        lock(&self.files).took_in(number, places);
        self.remove_empty(number)
    }

    fn remove_empty(&self, number: u64) -> io::Result<()> {
        let mut state = lock(&self.files);
        if state.left.get(&number) != Some(&0) {
            return Ok(());
        }
        state.left.remove(&number);
        fs::remove_file(self.root.join(pack::name(number)))
    }

    fn sync_plain(&self) -> io::Result<()> {
        let paths = std::mem::take(&mut lock(&self.files).unsynced);
        for (done, path) in paths.iter().enumerate() {
            let synced = match File::open(self.root.join(path)) {
                Ok(file) => file.sync_data(),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(e) => Err(e),
            };
            if let Err(e) = synced {
                lock(&self.files).unsynced.extend_from_slice(&paths[done..]);
                return Err(e);
            }
        }
        Ok(())
    }
}

impl Files {
    /// What is in a folder, after whatever no segment needs is removed.
    fn found(root: &Path) -> io::Result<Self> {
        let live = live_segments(root)?;
        let needed = |path: &Path| path.to_str().and_then(|name| name.get(..SEGMENT_ID)).is_none_or(|id| live.contains(id));
        let (mut files, mut names) = (Self::default(), BTreeSet::new());
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = PathBuf::from(entry.file_name());
            if let Some(number) = pack::number(&name) {
                files.next_pack = files.next_pack.max(number + 1);
                let places = pack::read(&entry.path())?.unwrap_or_default().into_iter().filter(|(path, _)| needed(path));
                files.adopt(number, places);
                if files.left.get(&number) == Some(&0) {
                    files.left.remove(&number);
                    fs::remove_file(entry.path())?;
                }
            } else if name == Path::new(MANAGED) || is_segment_file(&name) && !needed(&name) {
                fs::remove_file(entry.path())?;
            } else if is_segment_file(&name) {
                names.insert(name);
            }
        }
        names.extend(files.packed.keys().cloned());
        names.insert(PathBuf::from(META));
        files.managed = serde_json::to_vec(&names)?;
        Ok(files)
    }

    fn adopt(&mut self, number: u64, places: impl Iterator<Item = (PathBuf, Range<usize>)>) {
        let before = self.packed.len();
        self.packed.extend(places.map(|(path, place)| (path, (number, place))));
        self.left.insert(number, self.packed.len() - before);
    }

    /// A pack was written. What was deleted meanwhile is not in it any more.
    fn took_in(&mut self, number: u64, places: BTreeMap<PathBuf, Range<usize>>) {
        self.next_pack = number + 1;
        let there: Vec<_> = places.into_iter().filter(|(path, _)| self.staged.remove(path).is_some()).collect();
        self.adopt(number, there.into_iter());
    }

    fn has(&self, path: &Path) -> bool {
        self.staged.contains_key(path) || self.packed.contains_key(path)
    }

    /// Forgets a small file; the number of its pack, where it was in one.
    fn forget(&mut self, path: &Path) -> Option<Option<u64>> {
        if self.staged.remove(path).is_some() {
            return Some(None);
        }
        let (number, _) = self.packed.remove(path)?;
        if let Some(left) = self.left.get_mut(&number) {
            *left = left.saturating_sub(1);
        }
        Some(Some(number))
    }
}

/// Whether a name begins as those of a segment do: its id, then a dot.
fn is_segment_file(name: &Path) -> bool {
    let name = name.to_str().unwrap_or_default().as_bytes();
    name.len() > SEGMENT_ID && name[SEGMENT_ID] == b'.' && name[..SEGMENT_ID].iter().all(u8::is_ascii_hexdigit)
}

/// The ids of the segments that `meta.json` names, as their files begin; none where there is no commit yet.
fn live_segments(root: &Path) -> io::Result<BTreeSet<String>> {
    #[derive(serde::Deserialize)]
    struct Meta {
        segments: Vec<Named>,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        segment_id: String,
    }
    let meta = match fs::read(root.join(META)) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(e) => return Err(e),
    };
    // One that can't be read is no reason to remove anything.
    let meta: Meta = serde_json::from_slice(&meta)?;
    Ok(meta.segments.into_iter().map(|named| named.segment_id.replace('-', "")).collect())
}

/// A file that is kept in memory as long as it is small.
struct Spilling {
    directory: BatchedDirectory,
    path: PathBuf,
    small: Vec<u8>,
    plain: Option<File>,
}

impl Write for Spilling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(plain) = &mut self.plain {
            return plain.write(bytes);
        }
        if self.small.len() + bytes.len() <= SMALL_BYTES {
            self.small.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let mut plain = OpenOptions::new().write(true).create_new(true).open(self.directory.root.join(&self.path))?;
        plain.write_all(&std::mem::take(&mut self.small))?;
        self.plain.insert(plain).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.plain.as_mut().map_or(Ok(()), File::flush)
    }
}

impl TerminatingWrite for Spilling {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.flush()?;
        let mut files = lock(&self.directory.files);
        if self.plain.is_some() {
            files.unsynced.push(self.path.clone());
        } else {
            files.staged.insert(self.path.clone(), Arc::from(std::mem::take(&mut self.small)));
        }
        Ok(())
    }
}

impl Directory for BatchedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let place = {
            let files = lock(&self.files);
            if let Some(bytes) = files.staged.get(path) {
                return Ok(Arc::new(OwnedBytes::new(bytes.clone())));
            }
            files.packed.get(path).cloned()
        };
        match place {
            Some((number, place)) => {
                let whole = self.inner.get_file_handle(&pack::name(number))?;
                let bytes = whole.read_bytes(place).map_err(|e| OpenReadError::wrap_io_error(e, path.to_owned()))?;
                Ok(Arc::new(bytes))
            }
            None => self.inner.get_file_handle(path),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let forgotten = lock(&self.files).forget(path);
        match forgotten {
            Some(None) => Ok(()),
            Some(Some(number)) => {
                self.remove_empty(number).map_err(|e| DeleteError::IoError { io_error: Arc::new(e), filepath: path.to_owned() })
            }
            None => self.inner.delete(path),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        if lock(&self.files).has(path) { Ok(true) } else { self.inner.exists(path) }
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        match self.exists(path) {
            Ok(false) => {}
            Ok(true) => return Err(OpenWriteError::FileAlreadyExists(path.to_owned())),
            Err(e) => return Err(OpenWriteError::wrap_io_error(io::Error::other(e), path.to_owned())),
        }
        Ok(BufWriter::new(Box::new(Spilling { directory: self.clone(), path: path.to_owned(), small: Vec::new(), plain: None })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if path == Path::new(MANAGED) { Ok(lock(&self.files).managed.clone()) } else { self.inner.atomic_read(path) }
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if path == Path::new(MANAGED) {
            lock(&self.files).managed = data.to_vec();
            return Ok(());
        }
        self.inner.atomic_write(path, data)?;
        // The new name, and the names of the files that it needs, which were made before.
        self.inner.sync_directory()
    }

    fn sync_directory(&self) -> io::Result<()> {
        let _one_at_a_time = lock(&self.syncing);
        self.pack_staged()?;
        self.sync_plain()?;
        // The engine remembers every file that it ever mapped, until somebody asks which it has mapped: then it forgets those that are gone.
        drop(self.inner.get_cache_info());
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(watch_callback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = "0123456789abcdef0123456789abcdef";
    const GONE: &str = "ffffffffffffffffffffffffffffffff";

    fn put(directory: &BatchedDirectory, name: &str, bytes: &[u8]) {
        let mut file = directory.open_write(Path::new(name)).unwrap();
        file.write_all(bytes).unwrap();
        file.terminate().unwrap();
    }

    fn get(directory: &BatchedDirectory, name: &str) -> Option<Vec<u8>> {
        let handle = directory.get_file_handle(Path::new(name)).ok()?;
        Some(handle.read_bytes(0..handle.len()).unwrap().to_vec())
    }

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(root).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn commit(directory: &BatchedDirectory) {
        directory.sync_directory().unwrap();
        let meta = format!("{{\"segments\":[{{\"segment_id\":\"{LIVE}\"}}]}}");
        directory.atomic_write(Path::new(META), meta.as_bytes()).unwrap();
    }

    #[test]
    fn small_files_of_a_commit_are_one_and_large_ones_are_plain() {
        let root = tempfile::tempdir().unwrap();
        let directory = BatchedDirectory::open(root.path()).unwrap();
        let large = vec![7; SMALL_BYTES + 1];
        put(&directory, &format!("{LIVE}.idx"), b"index");
        put(&directory, &format!("{LIVE}.pos"), b"positions");
        put(&directory, &format!("{LIVE}.store"), &large);
        assert_eq!(names(root.path()), [format!("{LIVE}.store")]);
        assert_eq!(get(&directory, &format!("{LIVE}.idx")).unwrap(), b"index", "it is there before it is on the disk");
        commit(&directory);
        assert_eq!(names(root.path()), ["0000000000000000.pack".to_owned(), format!("{LIVE}.store"), META.to_owned()]);
        let again = BatchedDirectory::open(root.path()).unwrap();
        assert_eq!(get(&again, &format!("{LIVE}.pos")).unwrap(), b"positions");
        assert_eq!(get(&again, &format!("{LIVE}.store")).unwrap(), large);
        let managed: Vec<String> = serde_json::from_slice(&again.atomic_read(Path::new(MANAGED)).unwrap()).unwrap();
        assert_eq!(managed.len(), 4);
    }

    #[test]
    fn a_pack_goes_with_the_last_of_its_files() {
        let root = tempfile::tempdir().unwrap();
        let directory = BatchedDirectory::open(root.path()).unwrap();
        put(&directory, "a", b"1");
        put(&directory, "b", b"2");
        directory.sync_directory().unwrap();
        directory.delete(Path::new("a")).unwrap();
        assert!(!directory.exists(Path::new("a")).unwrap() && directory.exists(Path::new("b")).unwrap());
        assert_eq!(names(root.path()).len(), 1);
        directory.delete(Path::new("b")).unwrap();
        assert!(names(root.path()).is_empty());
        assert!(matches!(directory.delete(Path::new("b")), Err(DeleteError::FileDoesNotExist(_))));
        put(&directory, "c", b"3");
        directory.delete(Path::new("c")).unwrap();
        directory.sync_directory().unwrap();
        assert!(names(root.path()).is_empty(), "what nobody needs is never written");
    }

    #[test]
    fn what_a_crash_left_is_removed_and_the_rest_stays() {
        let root = tempfile::tempdir().unwrap();
        let directory = BatchedDirectory::open(root.path()).unwrap();
        put(&directory, &format!("{LIVE}.idx"), b"index");
        put(&directory, &format!("{GONE}.idx"), b"of a segment that was never committed");
        commit(&directory);
        put(&directory, &format!("{GONE}.pos"), b"packed, and never needed");
        directory.sync_directory().unwrap();
        fs::write(root.path().join(format!("{GONE}.store")), b"plain, and never needed").unwrap();
        fs::write(root.path().join(pack::name(9)), b"half a pack").unwrap();
        fs::write(root.path().join(".tantivy-writer.lock"), b"").unwrap();
        let again = BatchedDirectory::open(root.path()).unwrap();
        assert_eq!(names(root.path()), [".tantivy-writer.lock", "0000000000000000.pack", META]);
        assert_eq!(get(&again, &format!("{LIVE}.idx")).unwrap(), b"index");
        assert_eq!(get(&again, &format!("{GONE}.idx")), None);
        put(&again, &format!("{GONE}.idx"), b"anew");
        commit(&again);
        assert!(root.path().join(pack::name(10)).exists(), "the number of a pack is never given twice");
    }

    #[test]
    fn a_file_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let directory = BatchedDirectory::open(root.path()).unwrap();
        put(&directory, "a", b"1");
        assert!(matches!(directory.open_write(Path::new("a")), Err(OpenWriteError::FileAlreadyExists(_))));
        directory.sync_directory().unwrap();
        assert!(matches!(directory.open_write(Path::new("a")), Err(OpenWriteError::FileAlreadyExists(_))));
    }
}
