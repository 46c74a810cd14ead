//! What journeys are reckoned from: the days, the exact times, and who wrote.

use groundswell_catalogue::Catalogue;
use groundswell_model::{Day, Timestamp, UNKNOWN_VERSION};
use hashbrown::{HashMap, HashSet};

use super::ReadError;
use super::timeline::{Person, Timeline, Versions};
use super::types::State;
use crate::rollup::{ConsumerTotals, Days, LabelId, RollupError, RollupView};
use crate::search::{Snapshot, each_speaker};
use crate::summary::types::Window;

/// What a consumer wrote in the days asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Pieces of feedback about the version.
    pub this: u64,
    /// Pieces about any version of the API, known or not.
    pub any: u64,
}

/// Everything about the consumers of a version.
#[derive(Clone, Debug, Default)]
pub struct Journeys {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// The days asked for.
    pub days: Days,
    /// Its versions.
    pub versions: Versions,
    /// Everybody, day by day.
    pub timeline: Timeline,
    /// Exact times and revenue on the version.
    pub totals: HashMap<u32, ConsumerTotals>,
    /// First call of one of the versions that consumers come from.
    pub from_first: HashMap<u32, Timestamp>,
    /// Who wrote.
    pub heard: HashMap<u32, Heard>,
    /// Days without a call after which everybody counts as gone; by its own rhythm where none.
    pub patience: Option<i32>,
}

impl Versions {
    /// The versions of an API as one of them sees them. A baseline that is not older is not one to come from.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn read(view: &RollupView, catalogue: &Catalogue, api: &str, version: &str, baseline: Option<&str>) -> Result<Self, RollupError> {
        let mut all: Vec<_> = view.versions()?.into_iter().filter(|v| v.0 == api).map(|(_, name, id, _)| (name, id)).collect();
        let unknown = |name: &str| name == UNKNOWN_VERSION;
        all.sort_by(|(a, _), (b, _)| unknown(a).cmp(&unknown(b)).then_with(|| catalogue.compare(api, a, b)).then_with(|| a.cmp(b)));
        let known = || all.iter().filter(|(name, _)| !unknown(name) && !unknown(version));
        let older: Vec<_> = known().filter(|(name, _)| catalogue.compare(api, name, version).is_lt()).cloned().collect();
        let newer = known().filter(|(name, _)| catalogue.compare(api, name, version).is_gt()).map(|(_, id)| *id).collect();
        let named = older.iter().find(|(name, _)| Some(name.as_str()) == baseline).map(|(_, id)| vec![*id]);
        let from = named.unwrap_or_else(|| older.iter().map(|(_, id)| *id).collect());
        let this = all.iter().find(|(name, _)| name == version).map(|(_, id)| *id);
        Ok(Self { this, from, newer, all })
    }
}

impl Journeys {
    /// Reads the journeys of the consumers of one version.
    ///
    /// # Errors
    /// A store can't be read, or is damaged.
    pub fn read(
        view: &RollupView,
        snapshot: &Snapshot,
        versions: Versions,
        (api, version): (&str, &str),
        days: Days,
    ) -> Result<Self, ReadError> {
        let timeline = Timeline::read(view, &versions, days)?;
        let mut read = Self { api: api.to_owned(), version: version.to_owned(), days, timeline, ..Self::default() };
        let end = days.until.map_or(Timestamp(i64::MAX), Day::start);
        read.totals.reserve(read.timeline.people.len());
        if let Some(this) = versions.this {
            view.consumers(this, |id, totals| {
                if totals.first < end {
                    read.totals.insert(id, totals);
                }
            })?;
        }
        for from in &versions.from {
            view.consumers(*from, |id, totals| {
                if totals.first < end {
                    read.from_first.entry(id).and_modify(|first| *first = totals.first.min(*first)).or_insert(totals.first);
                }
            })?;
        }
        read.versions = versions;
        read.listen(view, snapshot)?;
        Ok(read)
    }

    /// Who wrote about the API.
    fn listen(&mut self, view: &RollupView, snapshot: &Snapshot) -> Result<(), ReadError> {
        // A piece that counts for several versions is in the index of each.
        let mut met: HashSet<u64> = HashSet::new();
        for index in snapshot.versions.iter().filter(|v| v.api == self.api) {
            let this = u64::from(index.version == self.version);
            let mut of_version: Vec<(String, Heard)> = Vec::new();
            each_speaker(
                index,
                self.times(),
                |tie| met.insert(tie),
                |name, (all, any)| {
                    of_version.push((name.to_owned(), Heard { this: this * all, any }));
                },
            )?;
            // By name, so that ids are found in one go; each segment has told them so.
            of_version.sort_by(|(a, _), (b, _)| a.cmp(b));
            let (names, heard): (Vec<String>, Vec<Heard>) = of_version.into_iter().unzip();
            view.consumers_named(&names, |place, id| {
                let so_far = self.heard.entry(id).or_default();
                so_far.this += heard[place].this;
                so_far.any += heard[place].any;
            })?;
        }
        Ok(())
    }

    /// From the first moment asked for to before the last.
    #[must_use]
    pub fn times(&self) -> (Timestamp, Timestamp) {
        self.days.times().unwrap_or((Timestamp(i64::MIN), Timestamp(i64::MAX)))
    }

    /// The days asked for, as they are answered.
    #[must_use]
    pub fn window(&self) -> Window {
        crate::summary::window(self.days)
    }

    /// The last day with a call of any version of the API.
    #[must_use]
    pub fn as_of(&self) -> Option<String> {
        (!self.timeline.people.is_empty()).then(|| self.timeline.end.iso())
    }

    /// Those who ever called the version.
    pub fn users(&self) -> impl Iterator<Item = &Person> {
        self.timeline.people.iter().filter(|p| p.this.any())
    }

    /// Where one of them stands.
    #[must_use]
    pub fn state(&self, person: &Person) -> State {
        let gone = |track: &super::timeline::Track| track.gone(self.timeline.end, self.patience);
        match () {
            () if gone(&person.api) => State::LeftApi,
            () if person.went_back().is_some() => State::WentBack,
            () if !gone(&person.this) && person.lately > 0 && person.lately < person.lately_all => State::Parallel,
            () if !gone(&person.this) => State::Active,
            () if person.newer.any() && !gone(&person.newer) => State::MovedOn,
            () => State::Gone,
        }
    }

    /// Whether a consumer calls the versions it comes from no more.
    #[must_use]
    pub fn left_from(&self, person: &Person) -> bool {
        person.from.gone(self.timeline.end, self.patience)
    }

    /// Whether a consumer calls the version no more.
    #[must_use]
    pub fn left_this(&self, person: &Person) -> bool {
        person.this.gone(self.timeline.end, self.patience)
    }

    /// Whether it called an older version before its first call of this one.
    #[must_use]
    pub fn came(&self, person: &Person) -> bool {
        match (self.from_first.get(&person.id), self.totals.get(&person.id)) {
            (Some(from), Some(totals)) => *from < totals.first,
            _ => false,
        }
    }

    /// Its first call that did not fail, as far as it lies before the end asked for.
    #[must_use]
    pub fn success(&self, id: u32) -> Option<Timestamp> {
        let end = self.times().1;
        self.totals.get(&id).and_then(|totals| totals.first_success).filter(|time| *time < end)
    }

    /// What it has brought on the version, ever.
    #[must_use]
    pub fn revenue(&self, id: u32) -> &[(LabelId, i128)] {
        self.totals.get(&id).map_or(&[], |totals| totals.revenue.as_slice())
    }

    /// The amounts of many consumers as one.
    #[must_use]
    pub fn revenue_sum<'p>(&self, people: impl IntoIterator<Item = &'p Person>) -> std::collections::BTreeMap<LabelId, i128> {
        let mut sum = std::collections::BTreeMap::new();
        for (label, amount) in people.into_iter().flat_map(|p| self.revenue(p.id)) {
            let so_far: &mut i128 = sum.entry(*label).or_default();
            *so_far = so_far.saturating_add(*amount);
        }
        sum
    }

    /// The currency in which most of its consumers pay: amounts of several can't be compared.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn main_currency(&self, view: &RollupView) -> Result<Option<LabelId>, RollupError> {
        let mut payers: HashMap<LabelId, u64> = HashMap::new();
        self.totals.values().flat_map(|t| &t.revenue).for_each(|(label, _)| *payers.entry(*label).or_default() += 1);
        let mut most: Option<(u64, String, LabelId)> = None;
        for (label, n) in payers {
            let name = view.label_name(label)?;
            if most.as_ref().is_none_or(|(m, known, _)| n > *m || (n == *m && name < *known)) {
                most = Some((n, name, label));
            }
        }
        Ok(most.map(|(_, _, label)| label))
    }

    /// What a consumer has brought in the currency that most pay in.
    #[must_use]
    pub fn main_amount(&self, id: u32, currency: Option<LabelId>) -> i128 {
        let of = |label: LabelId| self.revenue(id).iter().find(|(l, _)| *l == label).map(|(_, amount)| *amount);
        currency.and_then(of).unwrap_or(0)
    }
}
