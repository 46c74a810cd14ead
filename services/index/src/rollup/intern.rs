//! Names to small ids. The names themselves are on disk; memory holds a bounded cache and what was named since the last commit.

use std::num::NonZeroUsize;

use hashbrown::HashMap;
use lru::LruCache;
use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::error::Fault;
use super::tables::NAMES;

/// Kind and name to id, as it was at the last commit.
pub(super) type IdTable = ReadOnlyTable<(u8, &'static [u8]), u32>;

/// What a name names. The number is the first part of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// API and version, with a zero byte between.
    Version = 0,
    /// An operation.
    Operation = 1,
    /// A consumer.
    Consumer = 2,
    /// A currency or a value event.
    Label = 3,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Version, Self::Operation, Self::Consumer, Self::Label];

    /// Names kept in memory.
    fn cached(self) -> NonZeroUsize {
        let entries = match self {
            Self::Version | Self::Label => 1 << 10,
            Self::Operation => 1 << 13,
            Self::Consumer => 1 << 15,
        };
        NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN)
    }

    /// Names told apart; further labels are counted together as [`OTHER`].
    fn most(self) -> u32 {
        if self == Self::Label { 1000 } else { u32::MAX - 1 }
    }
}

/// The label of currencies and value events beyond those that are told apart.
const OTHER: &[u8] = b"other";

/// API and version as one name.
pub(super) fn version_name(api: &str, version: &str, into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(api.as_bytes());
    into.push(0);
    into.extend_from_slice(version.as_bytes());
}

/// API and version of a name.
pub(super) fn split_version(name: &[u8]) -> (String, String) {
    let at = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&name[..at]), text(name.get(at + 1..).unwrap_or_default()))
}

struct Names {
    cache: LruCache<Box<[u8]>, u32>,
    fresh: HashMap<Box<[u8]>, u32>,
    next: u32,
}

/// The ids of all names.
pub(super) struct Interner {
    kinds: [Names; 4],
    /// Open from the first look-up after a commit to the next commit.
    lookup: Option<IdTable>,
}

impl Interner {
    pub(super) fn open(db: &Database) -> Result<Self, Fault> {
        let names = db.begin_read()?.open_table(NAMES)?;
        let mut kinds = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            let last = names.range((kind as u8, 0)..=(kind as u8, u32::MAX))?.next_back();
            let next = last.transpose()?.map_or(0, |(key, _)| key.value().1.saturating_add(1));
            // Bounded, and no larger than what it holds: most stores know few names.
            let mut cache = LruCache::unbounded();
            cache.resize(kind.cached());
            kinds.push(Names { cache, fresh: HashMap::new(), next });
        }
        let kinds = <[Names; 4]>::try_from(kinds).map_err(|_| Fault::TooManyNames(0))?;
        Ok(Self { kinds, lookup: None })
    }

    /// The id of a name, a new one if it has none. `open` is called only for names that are not in memory.
    pub(super) fn id(&mut self, open: &dyn Fn() -> Result<IdTable, Fault>, kind: Kind, name: &[u8]) -> Result<u32, Fault> {
        let names = &mut self.kinds[kind as usize];
        if let Some(id) = names.cache.get(name).or_else(|| names.fresh.get(name)) {
            return Ok(*id);
        }
        if self.lookup.is_none() {
            self.lookup = Some(open()?);
        }
        let known = match &self.lookup {
            Some(table) => table.get((kind as u8, name))?.map(|id| id.value()),
            None => None,
        };
        let names = &mut self.kinds[kind as usize];
        if let Some(id) = known {
            names.cache.put(name.into(), id);
            return Ok(id);
        }
        if names.next >= kind.most() && name != OTHER {
            return if kind == Kind::Label { self.id(open, kind, OTHER) } else { Err(Fault::TooManyNames(kind.most())) };
        }
        let id = names.next;
        names.next += 1;
        names.fresh.insert(name.into(), id);
        names.cache.put(name.into(), id);
        Ok(id)
    }

    /// Names that have got an id since the last commit.
    pub(super) fn fresh(&self) -> impl Iterator<Item = (Kind, &[u8], u32)> {
        Kind::ALL.into_iter().flat_map(|kind| self.kinds[kind as usize].fresh.iter().map(move |(name, id)| (kind, &**name, *id)))
    }

    /// How many of them there are.
    pub(super) fn fresh_count(&self) -> usize {
        self.kinds.iter().map(|k| k.fresh.len()).sum()
    }

    /// Ends the read transaction of look-ups: while open, it keeps the store from using pages again.
    pub(super) fn close_lookup(&mut self) {
        self.lookup = None;
    }

    /// The fresh names are on disk now.
    pub(super) fn committed(&mut self) {
        self.kinds.iter_mut().for_each(|k| k.fresh.clear());
    }
}
