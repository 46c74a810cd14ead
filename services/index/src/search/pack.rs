//! Small files of an index in one file. A segment of a few documents is seven files, and what a file costs (making it, waiting for
//! the disk, mapping it) does not depend on how little is in it: together they are one.
//!
//! A pack is the files one behind the other, then the list of their names and lengths as JSON, its length in eight bytes (little
//! endian), and a mark. It is written once, before the commit that needs it; one that is not whole was never needed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The last bytes of every pack.
const MARK: &[u8; 8] = b"GSPACK01";
/// Mark and length of the list.
const TAIL_BYTES: u64 = 16;
/// A longer list is none.
const LONGEST_LIST: u64 = 16 * 1024 * 1024;

/// The extension of a pack's name.
pub(super) const EXTENSION: &str = "pack";

/// The name of a pack.
pub(super) fn name(number: u64) -> PathBuf {
    PathBuf::from(format!("{number:016x}.{EXTENSION}"))
}

/// The number in the name of a pack.
pub(super) fn number(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str().filter(|_| path.extension().is_some_and(|e| e == EXTENSION))?;
    u64::from_str_radix(stem, 16).ok()
}

/// Writes a pack durably and says where each file is in it.
pub(super) fn write(at: &Path, files: &[(PathBuf, Arc<[u8]>)]) -> io::Result<BTreeMap<PathBuf, Range<usize>>> {
    let mut out = Vec::with_capacity(files.iter().map(|(path, bytes)| bytes.len() + path.as_os_str().len() + 32).sum());
    let mut list: Vec<(&Path, usize)> = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        out.extend_from_slice(bytes);
        list.push((path, bytes.len()));
    }
    let list_at = out.len();
    serde_json::to_writer(&mut out, &list)?;
    let list_bytes = out.len() - list_at;
    out.extend_from_slice(&(list_bytes as u64).to_le_bytes());
    out.extend_from_slice(MARK);
    let mut file = File::create(at)?;
    file.write_all(&out)?;
    file.sync_data()?;
    Ok(places(list.into_iter().map(|(path, bytes)| (path.to_owned(), bytes))))
}

/// Where each file of a pack is; none if it is not whole.
///
/// # Errors
/// The disk refuses.
pub(super) fn read(at: &Path) -> io::Result<Option<BTreeMap<PathBuf, Range<usize>>>> {
    read_from(File::open(at)?)
}

fn read_from(mut file: impl Read + Seek) -> io::Result<Option<BTreeMap<PathBuf, Range<usize>>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(before_tail) = length.checked_sub(TAIL_BYTES) else { return Ok(None) };
    file.seek(SeekFrom::Start(before_tail))?;
    let mut tail = [0; 16];
    file.read_exact(&mut tail)?;
    let (list_bytes, mark) = tail.split_at(8);
    let list_bytes = u64::from_le_bytes(list_bytes.try_into().unwrap_or_default());
    if mark != MARK || list_bytes > before_tail.min(LONGEST_LIST) {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(before_tail - list_bytes))?;
    let mut list = String::new();
    if file.take(list_bytes).read_to_string(&mut list).is_err() {
        return Ok(None);
    }
    let Ok(list) = serde_json::from_str::<Vec<(PathBuf, usize)>>(&list) else { return Ok(None) };
    let bytes = list.iter().try_fold(0u64, |sum, (_, bytes)| sum.checked_add(*bytes as u64));
    Ok((bytes == Some(before_tail - list_bytes)).then(|| places(list.into_iter())))
}

fn places(list: impl Iterator<Item = (PathBuf, usize)>) -> BTreeMap<PathBuf, Range<usize>> {
    let mut from = 0;
    list.map(|(path, bytes)| {
        let place = from..from + bytes;
        from = place.end;
        (path, place)
    })
    .collect()
}

/// Reads a pack as a damaged disk might give it: for the fuzz targets. A place beyond the bytes would be read as a file.
#[cfg(feature = "fuzzing")]
pub fn fuzz(bytes: &[u8]) {
    if let Ok(Some(places)) = read_from(io::Cursor::new(bytes)) {
        assert!(places.values().all(|place| bytes.get(place.clone()).is_some()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(named: &[(&str, &str)]) -> Vec<(PathBuf, Arc<[u8]>)> {
        named.iter().map(|(name, text)| (PathBuf::from(name), Arc::from(text.as_bytes()))).collect()
    }

    #[test]
    fn what_is_packed_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join(name(7));
        assert_eq!(number(&at), Some(7));
        let written = write(&at, &files(&[("a.idx", "one"), ("b.pos", ""), ("c.term", "three")])).unwrap();
        assert_eq!(read(&at).unwrap(), Some(written.clone()));
        let whole = std::fs::read(&at).unwrap();
        assert_eq!(
            (&whole[written[Path::new("a.idx")].clone()], &whole[written[Path::new("c.term")].clone()]),
            (&b"one"[..], &b"three"[..])
        );
        assert!(written[Path::new("b.pos")].is_empty());
    }

    #[test]
    fn a_pack_that_is_cut_anywhere_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join(name(0));
        write(&at, &files(&[("a.idx", "one"), ("c.term", "three")])).unwrap();
        let whole = std::fs::read(&at).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&at, &whole[..length]).unwrap();
            assert_eq!(read(&at).unwrap(), None, "{length} bytes");
        }
        // Room that was made and never filled, as after a power cut.
        std::fs::write(&at, vec![0; whole.len()]).unwrap();
        assert_eq!(read(&at).unwrap(), None);
    }
}
