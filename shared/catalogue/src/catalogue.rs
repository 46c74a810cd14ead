//! The declared APIs and their versions, built from release events in any order.

use std::cmp::Ordering;

use groundswell_contract::Release;
use groundswell_model::Timestamp;
use hashbrown::HashMap;

use crate::order::natural;
use crate::places::{Places, Slot};
use crate::version::Version;

/// Versions kept of all APIs together; release events of further ones are counted and left out.
pub const MOST_VERSIONS: usize = 20_000;

/// Versions kept of one API.
const MOST_VERSIONS_OF_API: usize = 1_000;

/// The declared APIs, their versions, stages, operations and where they are served.
///
/// Applying the same releases in any order, any number of times, gives the same catalogue: of each
/// field the event with the latest `time` stands.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub(crate) apis: Vec<Api>,
    pub(crate) names: HashMap<String, u32>,
    pub(crate) places: Places,
    versions: usize,
    left_out: u64,
    generation: u64,
}

/// One declared API.
#[derive(Clone, Debug, Default)]
pub struct Api {
    name: String,
    pub(crate) versions: Vec<Version>,
    /// Every way to name a version → its place in `versions`.
    names: HashMap<String, u32>,
    /// Places in `versions`, oldest version first.
    order: Vec<u32>,
    /// By place in `versions`: how many are older.
    ranks: Vec<u32>,
}

impl Api {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its declared versions, oldest first.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.order.iter().filter_map(|at| self.versions.get(*at as usize))
    }

    /// The declared version of a name or alias; `2`, `v2` and `V2` are one where nothing else is declared by them.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.place_of(name).and_then(|at| self.versions.get(at as usize))
    }

    pub(crate) fn place_of(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(crate) fn rank(&self, version: u32) -> u32 {
        self.ranks.get(version as usize).copied().unwrap_or(0)
    }

    /// Which of two versions came first: by release date where both have one, else naturally.
    #[must_use]
    pub fn compare(&self, a: &str, b: &str) -> Ordering {
        let date = |name| self.version(name).and_then(Version::released);
        match (date(a), date(b)) {
            (Some(x), Some(y)) => x.cmp(&y).then_with(|| natural(a, b)),
            _ => natural(a, b),
        }
    }

    fn rebuild(&mut self) {
        let names: Vec<&str> = self.versions.iter().map(Version::name).collect();
        let ordered = sort_versions(&names, |name| self.exact(name).and_then(Version::released));
        self.order =
            ordered.iter().filter_map(|name| (0u32..).zip(&self.versions).find(|(_, v)| v.name() == *name).map(|(at, _)| at)).collect();
        self.ranks = vec![0; self.versions.len()];
        for (rank, at) in (0u32..).zip(&self.order) {
            self.ranks[*at as usize] = rank;
        }
        self.names = names_of(&self.versions);
    }

    fn exact(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|v| v.name() == name)
    }
}

/// Names go before aliases, aliases before other spellings.
fn names_of(versions: &[Version]) -> HashMap<String, u32> {
    let mut names = HashMap::new();
    let numbered = || (0u32..).zip(versions);
    for (at, version) in numbered() {
        names.entry(version.name().to_owned()).or_insert(at);
    }
    for (at, version) in numbered() {
        version.aliases().iter().for_each(|alias| {
            names.entry(alias.clone()).or_insert(at);
        });
    }
    for (at, version) in numbered() {
        spellings(version.name()).into_iter().for_each(|s| {
            names.entry(s).or_insert(at);
        });
    }
    names
}

fn spellings(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let toggled = match lower.strip_prefix('v') {
        Some(bare) => bare.to_owned(),
        None => format!("v{lower}"),
    };
    let numeric = toggled.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let mut all = vec![name.to_uppercase(), lower];
    if numeric {
        all.push(toggled.to_uppercase());
        all.push(toggled);
    }
    all
}

/// Dated versions by date, and each undated one before the first dated one that is naturally greater.
fn sort_versions<'n>(names: &[&'n str], date: impl Fn(&str) -> Option<Timestamp>) -> Vec<&'n str> {
    let (mut sorted, mut undated): (Vec<_>, Vec<_>) = names.iter().map(|n| (*n, date(n))).partition(|(_, date)| date.is_some());
    sorted.sort_by(|(a, x), (b, y)| x.cmp(y).then_with(|| natural(a, b)));
    undated.sort_by(|(a, _), (b, _)| natural(a, b));
    for one in undated {
        let at = sorted.iter().position(|(name, _)| natural(name, one.0).is_gt()).unwrap_or(sorted.len());
        sorted.insert(at, one);
    }
    sorted.into_iter().map(|(name, _)| name).collect()
}

impl Catalogue {
    /// Takes in a release event; `time` is the time of the event.
    pub fn apply(&mut self, release: &Release, time: Timestamp) {
        let (api_name, version_name) = (release.api.trim(), release.api_version.trim());
        if api_name.is_empty() || version_name.is_empty() {
            return;
        }
        self.generation += 1;
        let api = self.api(api_name);
        let known = api.is_some_and(|api| api.exact(version_name).is_some());
        let full = self.versions >= MOST_VERSIONS || api.is_some_and(|api| api.versions.len() >= MOST_VERSIONS_OF_API);
        if !known && full {
            self.left_out += 1;
            return;
        }
        let api_at = self.api_place(api_name);
        let Some(api) = self.apis.get_mut(api_at as usize) else { return };
        let version_at = match api.versions.iter().position(|v| v.name() == version_name) {
            Some(at) => at,
            None => {
                self.versions += 1;
                api.versions.push(Version::new(version_name));
                api.versions.len() - 1
            }
        };
        let Some(version) = api.versions.get_mut(version_at) else { return };
        let slot = Slot { api: api_at, version: u32::try_from(version_at).unwrap_or(u32::MAX) };
        let before = version.places();
        version.apply(release, time);
        self.places.replace(slot, &before, &version.places());
        api.rebuild();
    }

    fn api_place(&mut self, name: &str) -> u32 {
        if let Some(at) = self.names.get(name) {
            return *at;
        }
        let at = u32::try_from(self.apis.len()).unwrap_or(u32::MAX);
        self.apis.push(Api { name: name.to_owned(), ..Api::default() });
        self.names.insert(name.to_owned(), at);
        at
    }

    /// The declared APIs by name.
    #[must_use]
    pub fn apis(&self) -> Vec<&Api> {
        let mut apis: Vec<&Api> = self.apis.iter().collect();
        apis.sort_by(|a, b| a.name().cmp(b.name()));
        apis
    }

    /// One declared API.
    #[must_use]
    pub fn api(&self, name: &str) -> Option<&Api> {
        self.names.get(name).and_then(|at| self.apis.get(*at as usize))
    }

    /// The declared versions of an API, oldest first; none of an API that is not declared.
    pub fn versions(&self, api: &str) -> impl DoubleEndedIterator<Item = &Version> {
        self.api(api).into_iter().flat_map(Api::versions)
    }

    /// These versions of an API, declared or not, oldest first.
    #[must_use]
    pub fn order<'n>(&self, api: &str, versions: &[&'n str]) -> Vec<&'n str> {
        let api = self.api(api);
        sort_versions(versions, |name| api.and_then(|a| a.version(name)).and_then(Version::released))
    }

    /// Which of two versions of an API, declared or not, came first.
    #[must_use]
    pub fn compare(&self, api: &str, a: &str, b: &str) -> Ordering {
        self.api(api).map_or_else(|| natural(a, b), |api| api.compare(a, b))
    }

    /// A number that grows with every release applied.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Release events left out because the catalogue is full.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
