//! Runs a search over version indexes as if they were one.

use std::cell::{OnceCell, RefCell};
use std::collections::BinaryHeap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tantivy::columnar::Column;
use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Weight};
use tantivy::schema::Field;
use tantivy::{DocAddress, DocId, Searcher, Term};

use super::count::{Facet, Histogram};
use super::cursor::{self, Place};
use super::error::SearchError;
use super::hits::Showing;
use super::like::{self, Likening};
use super::lower::Lowering;
use super::ruled::{self, RulesByApi};
use super::schema::Keyword;
use super::snapshot::{KeywordColumn, SegmentView, Snapshot, VersionView};
use super::syntax::{self, MOST_CLAUSES};
use super::types::{SearchRequest, SearchResponse, Sort};
use super::words;

/// Hits on a page at most.
const MOST_HITS: usize = 1000;
/// Facets of a search at most.
const MOST_FACETS: usize = 20;
/// Values of a facet at most.
const MOST_FACET_VALUES: usize = 1000;
/// Documents looked at together.
pub(super) const BLOCK: usize = 64;

/// Searches the version indexes of these partitions.
///
/// An insight that counts for several of the versions is one hit. Scores are comparable over all versions:
/// words are weighed by how frequent they are in all of them together.
///
/// # Errors
/// [`SearchError::is_askers`]: the request can't be understood. Else the index can't be read.
pub fn search(snapshots: &[Arc<Snapshot>], request: &SearchRequest) -> Result<SearchResponse, SearchError> {
    search_under(snapshots, request, &RulesByApi::new())
}

/// As [`search`], with themes as people decided them.
///
/// # Errors
/// As [`search`].
pub fn search_under(snapshots: &[Arc<Snapshot>], request: &SearchRequest, rules: &RulesByApi) -> Result<SearchResponse, SearchError> {
    check(request)?;
    let query = syntax::parse(&request.query)?.map(|node| ruled::expand(node, rules));
    let filter = |text: &String| syntax::parse_filter(text).map(|node| ruled::expand(node, rules));
    let filters = request.filters.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
    let liked = request.like.as_deref().map(|like| like::find(snapshots, like)).transpose()?;
    let api = request.api.as_deref().or(liked.as_ref().map(|l| l.api.as_str()));
    let asked = |view: &&VersionView| {
        api.is_none_or(|api| *api == view.api) && (request.versions.is_empty() || request.versions.contains(&view.version))
    };
    let views: Vec<&VersionView> = snapshots.iter().flat_map(|s| &s.versions).map(AsRef::as_ref).filter(asked).collect();
    let searchers: Vec<&Searcher> = views.iter().map(|v| &v.searcher).collect();
    let mut lowered = Lowering::run(query.as_ref(), &filters, &searchers)?;
    let statistics = Together::of(&searchers);
    let mut likening = liked.map(|liked| Likening::new(liked, &statistics)).transpose()?;
    let by_words = likening.is_some() || !lowered.marks.is_empty();
    let sort = request.sort.filter(|_| likening.is_none()).unwrap_or(if by_words { Sort::Relevance } else { Sort::Newest });
    if let Some(likening) = &mut likening {
        lowered.query = likening.query(lowered.query)?;
    }
    let question = cursor::question_of(request, sort);
    let after = request.cursor.as_deref().map(|c| cursor::decode(c, question)).transpose()?;

    let keep = if likening.is_some() { request.limit.max(like::COMPARED) } else { request.limit + 1 };
    let mut gather = Gather::new(request, (sort, keep), after, views.len() > 1)?;
    for (number, view) in views.iter().enumerate() {
        let scoring = match sort {
            Sort::Relevance => EnableScoring::enabled_from_statistics_provider(&statistics, &view.searcher),
            _ => EnableScoring::disabled_from_searcher(&view.searcher),
        };
        let weight = lowered.query.weight(scoring)?;
        gather.view(number, view, &*weight)?;
    }

    let mut showing = Showing { analyzer: words::analyzer(), marks: &lowered.marks, full_body: request.full_body };
    let mut response = SearchResponse { total: gather.total, ..SearchResponse::default() };
    let mut best = gather.top.into_sorted_vec();
    if let Some(likening) = &mut likening {
        best = likened(likening, &views, best)?;
        best.truncate(request.limit);
    } else if best.len() > request.limit {
        best.truncate(request.limit);
        response.next_cursor = best.last().and_then(|last| cursor::encode(question, last.place));
    }
    for entry in best {
        let shown = views[entry.view].with_stored(entry.address, |insight, machine| showing.hit(insight, machine, entry.score));
        let mut hit = shown?;
        hit.near_duplicate = entry.near;
        hit.theme = views[entry.view].theme_at(entry.address)?.map(|theme| ruled::resolved(&theme, rules));
        response.hits.push(hit);
    }
    for facet in gather.facets {
        let (name, limit) = (facet.name().to_owned(), request.facet_limit);
        let counts = if name == Keyword::Theme.name() { ruled::fold(facet.top(usize::MAX), rules, limit) } else { facet.top(limit) };
        response.facets.insert(name, counts);
    }
    response.histogram = gather.histogram.map(Histogram::bars).transpose()?.unwrap_or_default();
    response.checkpoint = snapshots.iter().map(|s| (s.partition, s.checkpoint.0)).collect();
    Ok(response)
}

/// The entries in the order of their likeness, equals as they were.
fn likened(likening: &mut Likening<'_>, views: &[&VersionView], mut entries: Vec<Entry>) -> Result<Vec<Entry>, SearchError> {
    for entry in &mut entries {
        let texts = views[entry.view].with_insight(entry.address, |i| (i.title.to_owned(), i.body.to_owned()))?;
        let likeness = likening.compare(&texts.0, &texts.1)?;
        (entry.score, entry.near) = (likeness.score, likeness.near);
    }
    entries.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
    Ok(entries)
}

fn check(request: &SearchRequest) -> Result<(), SearchError> {
    let within = |what: &str, asked: usize, most: usize| {
        if asked <= most { Ok(()) } else { Err(SearchError::Request(format!("{what}: {asked} asked, at most {most} allowed"))) }
    };
    within("limit", request.limit, MOST_HITS)?;
    if request.like.is_some() && request.cursor.is_some() {
        return Err(SearchError::Request("cursor: a search with `like` has one page; raise `limit` instead".into()));
    }
    within("facets", request.facets.len(), MOST_FACETS)?;
    within("facet_limit", request.facet_limit, MOST_FACET_VALUES)?;
    within("filters", request.filters.len(), MOST_CLAUSES)
}

/// Statistics over all indexes searched, so that scores compare. Each index asks for the same ones: they are gathered once.
struct Together<'a> {
    searchers: &'a [&'a Searcher],
    tokens: RefCell<HashMap<Field, u64>>,
    docs: OnceCell<u64>,
    frequencies: RefCell<HashMap<Term, u64>>,
}

impl<'a> Together<'a> {
    fn of(searchers: &'a [&'a Searcher]) -> Self {
        Self { searchers, tokens: RefCell::default(), docs: OnceCell::new(), frequencies: RefCell::default() }
    }

    fn sum(&self, of: impl Fn(&Searcher) -> tantivy::Result<u64>) -> tantivy::Result<u64> {
        self.searchers.iter().map(|s| of(s)).sum()
    }
}

impl Bm25StatisticsProvider for Together<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        if let Some(known) = self.tokens.borrow().get(&field) {
            return Ok(*known);
        }
        let tokens = self.sum(|s| Bm25StatisticsProvider::total_num_tokens(s, field))?;
        self.tokens.borrow_mut().insert(field, tokens);
        Ok(tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        match self.docs.get() {
            Some(known) => Ok(*known),
            None => self.sum(Bm25StatisticsProvider::total_num_docs).map(|docs| *self.docs.get_or_init(|| docs)),
        }
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        if let Some(known) = self.frequencies.borrow().get(term) {
            return Ok(*known);
        }
        let frequency = self.sum(|s| Bm25StatisticsProvider::doc_freq(s, term))?;
        self.frequencies.borrow_mut().insert(term.clone(), frequency);
        Ok(frequency)
    }
}

/// A hit on its way: ordered by its place, the best one least.
struct Entry {
    place: Place,
    view: usize,
    address: DocAddress,
    score: f32,
    /// Whether it says almost the same as what is liked.
    near: bool,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

/// Everything that is gathered in one pass over the matches.
struct Gather {
    sort: Sort,
    after: Option<Place>,
    /// The best so far, the worst of them on top: one more than shown, to know whether there is a next page.
    top: BinaryHeap<Entry>,
    keep: usize,
    total: u64,
    facets: Vec<Facet>,
    histogram: Option<Histogram>,
    /// Identities met that count for several versions; none where only one index is searched.
    seen: Option<HashSet<u64>>,
    block: Block,
}

/// Buffers for documents looked at together.
struct Block {
    docs: Vec<DocId>,
    scores: Vec<f32>,
    times: [Option<i64>; BLOCK],
    values: [Option<f64>; BLOCK],
}

/// The columns of a segment that a search needs.
struct Needed<'a> {
    view: usize,
    segment: u32,
    alive: Option<&'a tantivy::fastfield::AliveBitSet>,
    tie: &'a Column<u64>,
    time: &'a Column<i64>,
    score: Option<&'a Column<f64>>,
    copies: Option<&'a Column<u64>>,
    facets: Vec<&'a KeywordColumn>,
}

impl Gather {
    fn new(request: &SearchRequest, (sort, keep): (Sort, usize), after: Option<Place>, many: bool) -> Result<Self, SearchError> {
        let facets = request.facets.iter().map(|f| Facet::of(f)).collect::<Result<_, _>>()?;
        let block =
            Block { docs: Vec::with_capacity(BLOCK), scores: Vec::with_capacity(BLOCK), times: [None; BLOCK], values: [None; BLOCK] };
        let (top, seen) = (BinaryHeap::new(), many.then(HashSet::new));
        Ok(Self { sort, after, top, keep, total: 0, facets, histogram: request.histogram.map(Histogram::of), seen, block })
    }

    fn view(&mut self, number: usize, view: &VersionView, weight: &dyn Weight) -> Result<(), SearchError> {
        for (segment_number, segment) in (0u32..).zip(view.segments()) {
            let needed = self.enter(number, segment_number, &segment)?;
            if self.sort == Sort::Relevance {
                weight.for_each(segment.reader, &mut |doc, score| {
                    self.block.docs.push(doc);
                    self.block.scores.push(score);
                    if self.block.docs.len() == BLOCK {
                        self.flush(&needed);
                    }
                })?;
            } else {
                weight.for_each_no_score(segment.reader, &mut |docs| {
                    self.block.docs.extend_from_slice(docs);
                    self.block.scores.resize(docs.len(), 0.0);
                    self.flush(&needed);
                })?;
            }
            self.flush(&needed);
            for (facet, column) in self.facets.iter_mut().zip(&needed.facets) {
                facet.leave(column)?;
            }
            if let Some(histogram) = &mut self.histogram {
                histogram.leave();
            }
        }
        Ok(())
    }

    fn enter<'a>(&mut self, view: usize, number: u32, segment: &SegmentView<'a>) -> Result<Needed<'a>, SearchError> {
        let time = segment.time()?;
        if let Some(histogram) = &mut self.histogram {
            histogram.enter(time.min_value(), time.max_value());
        }
        let score = if matches!(self.sort, Sort::LowestScore | Sort::HighestScore) { Some(segment.score()?) } else { None };
        let copies = if self.seen.is_some() { Some(segment.copies()?).filter(|c| c.max_value() > 1) } else { None };
        let facets = self.facets.iter_mut().map(|f| f.enter(segment)).collect::<Result<_, _>>()?;
        Ok(Needed { view, segment: number, alive: segment.reader.alive_bitset(), tie: segment.tie()?, time, score, copies, facets })
    }

    /// Counts the documents of the block and keeps the best.
    fn flush(&mut self, needed: &Needed<'_>) {
        self.drop_dead_and_met(needed);
        let count = self.block.docs.len();
        self.total += count as u64;
        for (facet, column) in self.facets.iter_mut().zip(&needed.facets) {
            facet.count(column, &self.block.docs);
        }
        self.block.times[..count].fill(None);
        needed.time.first_vals(&self.block.docs, &mut self.block.times[..count]);
        if let Some(histogram) = &mut self.histogram {
            self.block.times[..count].iter().flatten().for_each(|t| histogram.count(*t));
        }
        if let Some(score) = needed.score {
            self.block.values[..count].fill(None);
            score.first_vals(&self.block.docs, &mut self.block.values[..count]);
        }
        for at in 0..count {
            self.offer(at, needed);
        }
        self.block.docs.clear();
        self.block.scores.clear();
    }

    fn drop_dead_and_met(&mut self, needed: &Needed<'_>) {
        if needed.alive.is_none() && needed.copies.is_none() {
            return;
        }
        let mut kept = 0;
        for at in 0..self.block.docs.len() {
            let doc = self.block.docs[at];
            let alive = needed.alive.is_none_or(|a| a.is_alive(doc));
            let new = match (&mut self.seen, needed.copies) {
                (Some(seen), Some(copies)) if alive && copies.first(doc) > Some(1) => seen.insert(needed.tie.first(doc).unwrap_or(0)),
                _ => true,
            };
            if alive && new {
                self.block.docs[kept] = doc;
                self.block.scores[kept] = self.block.scores[at];
                kept += 1;
            }
        }
        self.block.docs.truncate(kept);
        self.block.scores.truncate(kept);
    }

    fn offer(&mut self, at: usize, needed: &Needed<'_>) {
        let newest = !tantivy::i64_to_u64(self.block.times[at].unwrap_or(i64::MIN));
        let value = self.block.values[at];
        let (first, second) = match self.sort {
            Sort::Relevance => (!u64::from(self.block.scores[at].max(0.0).to_bits()), newest),
            Sort::Newest => (newest, 0),
            Sort::Oldest => (!newest, 0),
            Sort::LowestScore => (value.map_or(u64::MAX, tantivy::f64_to_u64), newest),
            Sort::HighestScore => (value.map_or(u64::MAX, |v| !tantivy::f64_to_u64(v)), newest),
        };
        let full = self.top.len() == self.keep;
        if full && self.top.peek().is_none_or(|worst| (first, second) > (worst.place.0, worst.place.1)) {
            return;
        }
        let doc = self.block.docs[at];
        let place = (first, second, needed.tie.first(doc).unwrap_or(0));
        if self.after.is_some_and(|after| place <= after) || (full && self.top.peek().is_none_or(|worst| place >= worst.place)) {
            return;
        }
        if full {
            self.top.pop();
        }
        let score = self.block.scores[at];
        self.top.push(Entry { place, view: needed.view, address: DocAddress::new(needed.segment, doc), score, near: false });
    }
}
