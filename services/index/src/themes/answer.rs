//! The answer about the themes of an API, from the stores of the partition that holds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundswell_model::{Insight, Timestamp};
use groundswell_themes::{Features, Rules, Theme, ThemeId, name};
use hashbrown::HashMap;

use super::count::{By, Candidate, Count, Counts, tidy};
use super::names::{Names, Stored};
use super::types::{ThemeFigures, ThemeQuote, ThemeStatus, Themes};
use crate::handle::Stores;
use crate::rollup::{RollupError, RollupView};
use crate::search::{SearchError, Snapshot, VersionView, each_about, quoted, taken_by, telling_sentence};
use crate::summary::types::{Checkpoint, Money, Window};

/// Values listed of operations, aspects and versions.
const LISTED: usize = 5;
/// A theme is what so many different people wrote about.
const FEWEST_REQUESTERS: u64 = 2;

/// What is asked about themes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The API.
    pub api: String,
    /// Only feedback on this version.
    pub version: Option<String>,
    /// Only feedback that happened from here on.
    pub since: Option<Timestamp>,
    /// Only feedback that happened before.
    pub until: Option<Timestamp>,
    /// Themes listed at most.
    pub limit: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ThemesError {
    /// The search index can't be read.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The usage store can't be read.
    #[error(transparent)]
    Usage(#[from] RollupError),
}

/// The themes of an API as people decided them, largest first. `stores` are those of the partition that holds it.
///
/// # Errors
/// A store can't be read.
pub fn themes(stores: &Stores, rules: &Rules, question: &Question) -> Result<Themes, ThemesError> {
    let names = Names::read(&stores.usage, &question.api)?;
    let snapshot = stores.search.snapshot();
    let views = views(&snapshot, question);
    let mut counts = count(&views, rules, question)?;
    let usage = stores.usage.view()?;
    let checkpoint = usage.checkpoint().map(|offset| Checkpoint { partition: snapshot.partition, offset: offset.0 });
    let mut chosen = chosen(&mut counts, rules);
    let total = chosen.len() as u64;
    let in_themes = chosen.iter().map(|(_, count)| count.pieces).sum();
    chosen.truncate(question.limit);
    let telling = Telling { names: &names, all: names.0.values().map(|s| s.theme.clone()).collect() };
    let revenue = Revenue::read(&usage, &question.api, &views, &chosen)?;
    let days = (counts.first.unwrap_or_default().day(), counts.last.unwrap_or_default().day());
    let themes = chosen.into_iter().map(|(id, mut count)| -> Result<ThemeFigures, ThemesError> {
        let money = revenue.of(&count);
        let quote = telling.quote(&views, id, count.candidates())?;
        let stored = names.0.get(&id);
        let (first, last) = count.span().unwrap_or_default();
        Ok(ThemeFigures {
            id: id.to_string(),
            name: called(id, rules, &names),
            named: rules.name(id).is_some(),
            pinned: rules.is_pinned(id),
            status: rules.status(id).map(|s| ThemeStatus { status: s.status.clone(), version: s.version.clone(), note: s.note.clone() }),
            merged: rules.merged_into(id).iter().map(ToString::to_string).collect(),
            terms: stored.map(|s| name::terms(&s.theme, &telling.all)).unwrap_or_default(),
            pieces: count.pieces,
            size: tidy(count.size),
            consumers: count.consumers.len() as u64,
            requesters: count.requesters(),
            duplicates: count.duplicates(),
            first: first.rfc3339(),
            last: last.rfc3339(),
            trend: count.trend(days.0, days.1),
            versions: count.shares(By::Version, usize::MAX),
            operations: count.shares(By::Operation, LISTED),
            aspects: count.shares(By::Aspect, LISTED),
            types: count.shares(By::Type, LISTED),
            sentiment: count.shares(By::Sentiment, LISTED),
            revenue: money,
            quote,
        })
    });
    let themes = themes.collect::<Result<Vec<_>, _>>()?;
    let text = |t: Option<Timestamp>| t.map(Timestamp::rfc3339);
    let window = Window { since: text(question.since), until: text(question.until) };
    let (api, version) = (question.api.clone(), question.version.clone());
    Ok(Themes { api, version, window, checkpoint, feedback: counts.feedback, in_themes, total, themes })
}

/// What people call it, else its words; a part that was split off has the words that it was split by.
pub(super) fn called(id: ThemeId, rules: &Rules, names: &Names) -> String {
    if let Some(name) = rules.name(id) {
        return name.to_owned();
    }
    match rules.splits().find(|s| s.id == id) {
        Some(split) => {
            format!("{}: {}", called(split.of, rules, names), if split.query.is_empty() { "chosen pieces" } else { &split.query })
        }
        None => names.name(id),
    }
}

fn views(snapshot: &Arc<Snapshot>, question: &Question) -> Vec<Arc<VersionView>> {
    let asked = |view: &&Arc<VersionView>| view.api == question.api && question.version.as_ref().is_none_or(|v| *v == view.version);
    snapshot.versions.iter().filter(asked).cloned().collect()
}

fn count(views: &[Arc<VersionView>], rules: &Rules, question: &Question) -> Result<Counts, SearchError> {
    let open = question.since.is_none() && question.until.is_none();
    let window = (question.since.unwrap_or(Timestamp(i64::MIN)), question.until.unwrap_or(Timestamp(i64::MAX)));
    let mut counts = Counts::default();
    for (number, view) in views.iter().enumerate() {
        let taken = taken_by(view, rules)?;
        each_about(view, (!open).then_some(window), |about| {
            if let Ok(grouped) = about.theme.parse::<ThemeId>() {
                let theme = rules.resolve(grouped, &mut |split| taken.get(&split).is_some_and(|ties| ties.contains(&about.tie)));
                counts.add(theme, about, &view.version, number);
            }
        })?;
    }
    Ok(counts)
}

/// What is a theme and not hidden: pinned ones first, then the largest.
fn chosen(counts: &mut Counts, rules: &Rules) -> Vec<(ThemeId, Count)> {
    let all = std::mem::take(&mut counts.themes);
    let mut chosen: Vec<_> =
        all.into_iter().filter(|(id, c)| !rules.is_hidden(*id) && (rules.is_kept(*id) || c.requesters() >= FEWEST_REQUESTERS)).collect();
    chosen.sort_by(|(a, x), (b, y)| rules.is_pinned(*b).cmp(&rules.is_pinned(*a)).then(y.size.total_cmp(&x.size)).then_with(|| a.cmp(b)));
    chosen
}

/// Finds the piece that stands for a theme.
struct Telling<'a> {
    names: &'a Names,
    all: Vec<Theme>,
}

impl Telling<'_> {
    fn quote(&self, views: &[Arc<VersionView>], id: ThemeId, candidates: &[Candidate]) -> Result<Option<ThemeQuote>, SearchError> {
        let stored = self.names.0.get(&id);
        let terms = stored.map(|s| name::terms(&s.theme, &self.all)).unwrap_or_default();
        let mut best: Option<(f32, ThemeQuote)> = None;
        for candidate in candidates {
            let Some(view) = views.get(candidate.view) else { continue };
            let (alike, quote) = quoted(view, candidate.place, |insight| (alike(stored, insight), quote(insight, &terms)))?;
            if best.as_ref().is_none_or(|(most, _)| alike > *most) {
                best = Some((alike, quote));
            }
        }
        Ok(best.map(|(_, quote)| quote))
    }
}

/// How much of a theme's words a piece has.
fn alike(stored: Option<&Stored>, insight: &Insight<'_>) -> f32 {
    let Some(stored) = stored else { return 0.0 };
    let features = Features::of(insight.title, insight.body);
    let length: f32 = features.terms.iter().map(|t| t.weight * t.weight).sum::<f32>().sqrt();
    let of = |key: u32| stored.theme.words.binary_search_by_key(&key, |w| w.key).map_or(0.0, |at| stored.theme.words[at].sum);
    features.terms.iter().map(|t| t.weight * of(t.key)).sum::<f32>() / length.max(1.0)
}

fn quote(insight: &Insight<'_>, terms: &[String]) -> ThemeQuote {
    let because: Vec<&str> = terms.iter().flat_map(|t| t.split(' ')).collect();
    let text = if insight.body.is_empty() { insight.title } else { insight.body };
    ThemeQuote {
        source: insight.source.to_owned(),
        id: insight.id.to_owned(),
        time: insight.time.rfc3339(),
        title: insight.title.to_owned(),
        text: telling_sentence(text, &because),
        url: insight.url.map(str::to_owned),
        consumer: insight.consumer.to_owned(),
    }
}

/// Revenue by consumer.
struct Revenue {
    /// Consumer to currency and millionths.
    by_consumer: HashMap<String, BTreeMap<String, i128>>,
}

impl Revenue {
    fn read(usage: &RollupView, api: &str, views: &[Arc<VersionView>], themes: &[(ThemeId, Count)]) -> Result<Self, RollupError> {
        let mut ids: HashMap<u32, &str> = HashMap::new();
        for consumer in themes.iter().flat_map(|(_, count)| &count.consumers) {
            if let Some(id) = usage.consumer(consumer)? {
                ids.insert(id, consumer);
            }
        }
        let mut by_consumer: HashMap<String, BTreeMap<String, i128>> = HashMap::new();
        let mut labels: HashMap<u32, String> = HashMap::new();
        for view in views {
            let Some(version) = usage.version(api, &view.version)? else { continue };
            let mut found: Vec<(&str, Vec<(u32, i128)>)> = Vec::new();
            usage.consumers(version, |consumer, totals| {
                if let Some(name) = ids.get(&consumer).filter(|_| !totals.revenue.is_empty()) {
                    found.push((name, totals.revenue));
                }
            })?;
            for (name, revenue) in found {
                for (label, amount) in revenue {
                    if !labels.contains_key(&label) {
                        labels.insert(label, usage.label_name(label)?);
                    }
                    let currency = labels.get(&label).cloned().unwrap_or_default();
                    *by_consumer.entry_ref(name).or_default().entry(currency).or_default() += amount;
                }
            }
        }
        Ok(Self { by_consumer })
    }

    fn of(&self, count: &Count) -> Vec<Money> {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for (currency, amount) in count.consumers.iter().filter_map(|c| self.by_consumer.get(c)).flatten() {
            *sums.entry(currency).or_default() += amount;
        }
        sums.into_iter().map(|(currency, amount)| Money { currency: currency.to_owned(), amount: amount as f64 / 1e6 }).collect()
    }
}
