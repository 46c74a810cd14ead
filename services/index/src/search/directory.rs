//! Files of an index, made durable together.
//!
//! The engine's own directory waits for the disk twice for each of the seven files of a segment. Here
//! files are written without waiting and all of them made durable right before the file that
//! names them (`meta.json`) is replaced: the order that a crash must respect, at a third of the waiting.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback, WatchHandle, WritePtr,
};

/// The file that names the segments; everything else is durable before it is replaced.
const META: &str = "meta.json";

/// A memory-mapped directory that waits for the disk once a commit.
#[derive(Clone, Debug)]
pub(super) struct BatchedDirectory {
    inner: MmapDirectory,
    root: PathBuf,
    unsynced: Arc<Mutex<Vec<PathBuf>>>,
}

impl BatchedDirectory {
    pub(super) fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self { inner: MmapDirectory::open(root)?, root: root.to_owned(), unsynced: Arc::default() })
    }

    fn unsynced(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        // The list is whole even if a thread died while it held the lock.
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct PlainWriter(File);

impl Write for PlainWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl TerminatingWrite for PlainWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.0.flush()
    }
}

impl Directory for BatchedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.root.join(path)).map_err(|e| {
            if e.kind() == io::ErrorKind::AlreadyExists {
                OpenWriteError::FileAlreadyExists(path.to_owned())
            } else {
                OpenWriteError::wrap_io_error(e, path.to_owned())
            }
        })?;
        self.unsynced().push(path.to_owned());
        Ok(BufWriter::new(Box::new(PlainWriter(file))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if path == Path::new(META) {
            return self.inner.atomic_write(path, data);
        }
        let whole = self.root.join(path);
        let draft = whole.with_extension("draft");
        fs::write(&draft, data)?;
        fs::rename(&draft, &whole)?;
        let mut unsynced = self.unsynced();
        if !unsynced.iter().any(|p| p == path) {
            unsynced.push(path.to_owned());
        }
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let paths = std::mem::take(&mut *self.unsynced());
        for (done, path) in paths.iter().enumerate() {
            let synced = match File::open(self.root.join(path)) {
                Ok(file) => file.sync_data(),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(e) => Err(e),
            };
            if let Err(e) = synced {
                self.unsynced().extend_from_slice(&paths[done..]);
                return Err(e);
            }
        }
        self.inner.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(watch_callback)
    }
}
