//! The feedback on one API version piece by piece, as a review counts it: by consumer.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_model::Timestamp;
use hashbrown::HashMap;
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId};

use super::error::SearchError;
use super::matched::{Wanted, matched};
use super::quotes::{self, Quote};
use super::schema::{Keyword, hash_of};
use super::snapshot::{KeywordColumn, SegmentView, VersionView};

/// One piece of feedback.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said<'a> {
    /// Who said it; empty if nobody is named.
    pub consumer: &'a str,
    /// When.
    pub time: Timestamp,
    /// Tells pieces of the same time apart, the same in every index of the same feedback.
    pub tie: u64,
    /// The part of it that is about this version.
    pub weight: f64,
    /// Name of its sentiment.
    pub sentiment: &'a str,
    /// Survey kind and answer, if it is a survey response.
    pub answer: Option<(&'a str, f64)>,
}

/// Tells `each` the feedback on one API version that is wanted, in no particular order. Returns the names of the
/// models that labelled it.
///
/// # Errors
/// The query can't be understood, or the index can't be read.
pub fn each_said(view: &VersionView, wanted: Wanted<'_>, mut each: impl FnMut(&Said<'_>)) -> Result<BTreeSet<String>, SearchError> {
    let mut models = BTreeSet::new();
    matched(view, wanted, |number, segment, docs| {
        models.extend(Words::of(segment, Keyword::Model, docs)?.names.into_values());
        tell(number, segment, docs, &mut |said, _| each(said))
    })?;
    Ok(models)
}

/// The newest feedback of each of these consumers on one API version with a `time` in `[from, to)`, at most `most` pieces of each.
///
/// # Errors
/// The index can't be read.
pub fn newest_of(
    view: &VersionView,
    consumers: &[String],
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<Vec<Quote>>, SearchError> {
    let wanted: BTreeMap<u64, usize> = consumers.iter().enumerate().map(|(at, name)| (hash_of(name), at)).collect();
    let mut found: Vec<Vec<(i64, u64, DocAddress)>> = vec![Vec::new(); consumers.len()];
    for (number, segment) in (0u32..).zip(view.segments()) {
        let (time, tie, consumer) = (segment.time()?, segment.tie()?, segment.consumer()?);
        for doc in segment.reader.doc_ids_alive() {
            let Some(at) = consumer.first(doc).and_then(|hash| wanted.get(&hash)) else { continue };
            let when = time.first(doc).unwrap_or(0);
            if (from.0..to.0).contains(&when) {
                found[*at].push((when, tie.first(doc).unwrap_or(0), DocAddress::new(number, doc)));
            }
        }
    }
    let tell = |mut pieces: Vec<(i64, u64, DocAddress)>| {
        pieces.sort_unstable_by_key(|(when, tie, _)| (std::cmp::Reverse(*when), *tie));
        pieces.into_iter().take(most).map(|(_, _, address)| view.with_insight(address, quotes::of)).collect()
    };
    found.into_iter().map(tell).collect()
}

/// The same, with where each piece is to be found.
pub(crate) fn each_told(view: &VersionView, wanted: Wanted<'_>, mut each: impl FnMut(&Said<'_>, DocAddress)) -> Result<(), SearchError> {
    matched(view, wanted, |number, segment, docs| tell(number, segment, docs, &mut each))
}

/// Tells `each` who said something about one API version in `[from, to)`, and how many pieces, segment by segment; the second number counts
/// those that `fresh` says so of by what tells pieces apart.
///
/// # Errors
/// The index can't be read.
pub fn each_speaker(
    view: &VersionView,
    (from, to): (Timestamp, Timestamp),
    mut fresh: impl FnMut(u64) -> bool,
    mut each: impl FnMut(&str, (u64, u64)),
) -> Result<(), SearchError> {
    for segment in view.segments() {
        let (time, tie, names) = (segment.time()?, segment.tie()?, segment.keyword(Keyword::Consumer)?);
        let mut pieces = vec![(0, 0); names.values()];
        for doc in segment.reader.doc_ids_alive().filter(|doc| (from.0..to.0).contains(&time.first(*doc).unwrap_or(0))) {
            let speaker = names.ords().first(doc).and_then(|ord| pieces.get_mut(usize::try_from(ord).ok()?));
            if let Some((all, new)) = speaker {
                *all += 1;
                *new += u64::from(fresh(tie.first(doc).unwrap_or(0)));
            }
        }
        let (ords, pieces): (Vec<u64>, Vec<_>) = (0u64..).zip(pieces).filter(|(_, (all, _))| *all > 0).unzip();
        let mut pieces = pieces.into_iter();
        names.resolve(&ords, |_, name| {
            if let Some(pieces) = pieces.next().filter(|_| !name.is_empty()) {
                each(name, pieces);
            }
        })?;
    }
    Ok(())
}

/// First and last `time` of the feedback on one API version, as far as the index is about it.
///
/// # Errors
/// The index can't be read.
pub fn time_span(view: &VersionView) -> Result<Option<(Timestamp, Timestamp)>, SearchError> {
    let mut span: Option<(Timestamp, Timestamp)> = None;
    for segment in view.segments() {
        let time = segment.time()?;
        for t in segment.reader.doc_ids_alive().filter_map(|doc| time.first(doc)).map(Timestamp) {
            span = Some(span.map_or((t, t), |(first, last)| (first.min(t), last.max(t))));
        }
    }
    Ok(span)
}

fn tell(number: u32, segment: &SegmentView<'_>, docs: &[DocId], each: &mut impl FnMut(&Said<'_>, DocAddress)) -> Result<(), SearchError> {
    let (time, tie, weight, score) = (segment.time()?, segment.tie()?, segment.weight()?, segment.score()?);
    let consumers = Words::of(segment, Keyword::Consumer, docs)?;
    let sentiments = Words::of(segment, Keyword::Sentiment, docs)?;
    let kinds = Words::of(segment, Keyword::SurveyKind, docs)?;
    for &doc in docs {
        let kind = kinds.word(doc);
        let said = Said {
            consumer: consumers.word(doc),
            time: Timestamp(time.first(doc).unwrap_or(0)),
            tie: tie.first(doc).unwrap_or(0),
            weight: weight.first(doc).unwrap_or(1.0),
            sentiment: sentiments.word(doc),
            answer: score.first(doc).filter(|_| !kind.is_empty()).map(|score| (kind, score)),
        };
        each(&said, DocAddress::new(number, doc));
    }
    Ok(())
}

/// The values that some documents have in a field.
pub(super) struct Words<'a> {
    ords: &'a Column<u64>,
    names: HashMap<u64, String>,
}

impl<'a> Words<'a> {
    pub(super) fn of(segment: &SegmentView<'a>, keyword: Keyword, docs: &[DocId]) -> Result<Self, SearchError> {
        let column: &KeywordColumn = segment.keyword(keyword)?;
        let mut used: Vec<u64> = docs.iter().flat_map(|doc| column.ords().values_for_doc(*doc)).collect();
        used.sort_unstable();
        used.dedup();
        let mut names = HashMap::with_capacity(used.len());
        column.resolve(&used, |ord, name| {
            names.insert(ord, name.to_owned());
        })?;
        Ok(Self { ords: column.ords(), names })
    }

    /// The value, or the first of several; empty where there is none.
    pub(super) fn word(&self, doc: DocId) -> &str {
        self.ords.first(doc).and_then(|ord| self.names.get(&ord)).map_or("", String::as_str)
    }

    /// All values.
    pub(super) fn words(&self, doc: DocId) -> impl Iterator<Item = &str> {
        self.ords.values_for_doc(doc).filter_map(|ord| self.names.get(&ord)).map(String::as_str)
    }
}
