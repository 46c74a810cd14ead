//! The feedback on one API version, counted in one pass over the columns of its index.

use std::collections::BTreeMap;

use groundswell_model::{Day, Timestamp};
use hashbrown::{HashMap, HashSet};
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId};

use super::error::SearchError;
use super::quotes::{self, Candidate, Quote};
use super::schema::Keyword;
use super::snapshot::{KeywordColumn, SegmentView, VersionView};

/// How feedback that may be about several versions counts for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// By the weight with which it counts for the version.
    #[default]
    Weighted,
    /// Only what counts for one version alone.
    Strict,
}

impl Counting {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Strict => "strict",
        }
    }
}

/// How much of something there is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Feedback, unweighted.
    pub count: u64,
    /// The sum of the weights with which it counts for this version.
    pub weight: f64,
    /// The sum of the squares of the weights: `weight² / squares` is the effective sample size.
    pub squares: f64,
    /// Named consumers behind it.
    pub consumers: u64,
}

impl Tally {
    fn add(&mut self, weight: f64) {
        self.count += 1;
        self.weight += weight;
        self.squares += weight * weight;
    }
}

/// How often one answer was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The answer.
    pub score: f64,
    /// Lowest possible score.
    pub min: f64,
    /// Highest possible score.
    pub max: f64,
    /// How often.
    pub tally: Tally,
}

/// The feedback on one API version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedbackStats {
    /// How feedback with several versions was counted.
    pub counting: Counting,
    /// Feedback left out because it counts for other versions too.
    pub left_out: u64,
    /// All of it.
    pub all: Tally,
    /// Tickets.
    pub tickets: u64,
    /// Survey responses.
    pub surveys: u64,
    /// Requesters told apart.
    pub requesters: u64,
    /// Earliest `time`.
    pub earliest: Option<Timestamp>,
    /// Latest `time`.
    pub latest: Option<Timestamp>,
    /// By what decided the version: stable name of the rung.
    pub by_rung: BTreeMap<String, Tally>,
    /// By type.
    pub by_type: BTreeMap<String, Tally>,
    /// By aspect; one feedback can have several.
    pub by_aspect: BTreeMap<String, Tally>,
    /// By sentiment.
    pub by_sentiment: BTreeMap<String, Tally>,
    /// By severity.
    pub by_severity: BTreeMap<String, Tally>,
    /// By language.
    pub by_language: BTreeMap<String, Tally>,
    /// By operation, where known.
    pub by_operation: BTreeMap<String, Tally>,
    /// By day, unweighted.
    pub by_day: BTreeMap<Day, u64>,
    /// Survey kind to its answers, lowest first.
    pub answers: BTreeMap<String, Vec<Answer>>,
    /// Hash to name of every named consumer behind it.
    pub consumers: HashMap<u64, String>,
    /// Field and value to the hashes of the named consumers behind it, for labels.
    pub reach: BTreeMap<String, BTreeMap<String, Vec<u64>>>,
    /// Telling feedback, for the most frequent types and aspects.
    pub quotes: Vec<Quote>,
}

/// Fields that are tallied by value; the first two also give quotes.
const TALLIED: [Keyword; 8] = [
    Keyword::Type,
    Keyword::Aspect,
    Keyword::Sentiment,
    Keyword::Severity,
    Keyword::Language,
    Keyword::Rung,
    Keyword::Operation,
    Keyword::SurveyKind,
];
const QUOTED: usize = 2;
/// The first so many are labels, whose consumers are told.
const LABELS: usize = 5;

/// Counts the feedback on one API version with a `time` in `[from, to)`; all of it without a window.
///
/// # Errors
/// The index can't be read.
pub fn feedback_stats(
    view: &VersionView,
    window: Option<(Timestamp, Timestamp)>,
    counting: Counting,
) -> Result<FeedbackStats, SearchError> {
    let mut count = Count::new(window);
    count.stats.counting = counting;
    for (number, segment) in (0u32..).zip(view.segments()) {
        count.segment(number, &segment)?;
    }
    let quotes = quotes::choose(view, &count.labels_to_quote())?;
    Ok(count.finish(quotes))
}

/// One value of a tallied field.
struct Value {
    name: Box<str>,
    tally: Tally,
    candidates: Vec<Candidate>,
}

struct Count {
    window: Option<(Timestamp, Timestamp)>,
    stats: FeedbackStats,
    /// Values of each tallied field, numbered over all segments.
    values: [Vec<Value>; TALLIED.len()],
    numbers: [HashMap<Box<str>, u32>; TALLIED.len()],
    /// Field, number of the value, and consumer: seen together.
    reach: HashSet<(u32, u64)>,
    consumers: HashSet<u64>,
    /// Place in the dictionary of names, and hash, of consumers met first in this segment.
    fresh: Vec<(u64, u64)>,
    requesters: HashSet<u64>,
    days: HashMap<i32, u64>,
    /// Number of the survey kind, and the bits of score, lowest and highest.
    answers: HashMap<(u32, u64, u64, u64), Tally>,
}

struct Needed<'a> {
    number: u32,
    time: &'a Column<i64>,
    weight: &'a Column<f64>,
    tie: &'a Column<u64>,
    length: &'a Column<u64>,
    consumer: &'a Column<u64>,
    requester: &'a Column<u64>,
    score: &'a Column<f64>,
    scale: (&'a Column<f64>, &'a Column<f64>),
    keywords: Vec<(&'a KeywordColumn, Vec<u32>)>,
    names: &'a KeywordColumn,
}

impl Count {
    fn new(window: Option<(Timestamp, Timestamp)>) -> Self {
        Self {
            window,
            stats: FeedbackStats::default(),
            values: Default::default(),
            numbers: Default::default(),
            reach: HashSet::new(),
            consumers: HashSet::new(),
            fresh: Vec::new(),
            requesters: HashSet::new(),
            days: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    fn segment(&mut self, number: u32, segment: &SegmentView<'_>) -> Result<(), SearchError> {
        let keywords = (0..TALLIED.len()).map(|field| self.number_values(field, segment)).collect::<Result<_, _>>()?;
        let needed = Needed {
            number,
            time: segment.time()?,
            weight: segment.weight()?,
            tie: segment.tie()?,
            length: segment.length()?,
            consumer: segment.consumer()?,
            requester: segment.requester()?,
            score: segment.score()?,
            scale: segment.scale()?,
            keywords,
            names: segment.keyword(Keyword::Consumer)?,
        };
        self.fresh.clear();
        match segment.reader.alive_bitset() {
            Some(alive) => (0..segment.reader.max_doc()).filter(|d| alive.is_alive(*d)).for_each(|d| self.doc(d, &needed)),
            None => (0..segment.reader.max_doc()).for_each(|d| self.doc(d, &needed)),
        }
        self.name_consumers(needed.names)
    }

    /// Notes the names of the consumers met first in this segment.
    fn name_consumers(&mut self, column: &KeywordColumn) -> Result<(), SearchError> {
        let mut ords: Vec<u64> = self.fresh.iter().map(|(ord, _)| *ord).collect();
        ords.sort_unstable();
        ords.dedup();
        let mut names: HashMap<u64, String> = HashMap::new();
        column.resolve(&ords, |ord, name| {
            names.insert(ord, name.to_owned());
        })?;
        for (ord, hash) in self.fresh.drain(..) {
            if let Some(name) = names.get(&ord) {
                self.stats.consumers.insert(hash, name.clone());
            }
        }
        Ok(())
    }

    /// Gives the values of a field in a segment their numbers over all segments.
    fn number_values<'a>(&mut self, field: usize, segment: &SegmentView<'a>) -> Result<(&'a KeywordColumn, Vec<u32>), SearchError> {
        let column = segment.keyword(TALLIED[field])?;
        let ords: Vec<u64> = (0..column.values() as u64).collect();
        let mut numbers = Vec::with_capacity(ords.len());
        let (known, values) = (&mut self.numbers[field], &mut self.values[field]);
        column.resolve(&ords, |_, name| {
            let number = *known.entry_ref(name).or_insert_with(|| {
                values.push(Value { name: name.into(), tally: Tally::default(), candidates: Vec::new() });
                u32::try_from(values.len() - 1).unwrap_or(u32::MAX)
            });
            numbers.push(number);
        })?;
        Ok((column, numbers))
    }

    fn doc(&mut self, doc: DocId, needed: &Needed<'_>) {
        let time = Timestamp(needed.time.first(doc).unwrap_or(0));
        if self.window.is_some_and(|(from, to)| time < from || time >= to) {
            return;
        }
        let weight = needed.weight.first(doc).unwrap_or(1.0);
        if self.stats.counting == Counting::Strict && weight < 1.0 {
            self.stats.left_out += 1;
            return;
        }
        let consumer = needed.consumer.first(doc).unwrap_or(0);
        self.stats.all.add(weight);
        self.stats.earliest = Some(self.stats.earliest.map_or(time, |t| t.min(time)));
        self.stats.latest = Some(self.stats.latest.map_or(time, |t| t.max(time)));
        *self.days.entry(time.day().0).or_default() += 1;
        if consumer != 0 && self.consumers.insert(consumer) {
            self.fresh.extend(needed.names.ords().first(doc).map(|ord| (ord, consumer)));
        }
        if let Some(requester) = needed.requester.first(doc).filter(|r| *r != 0) {
            self.requesters.insert(requester);
        }
        let length = needed.length.first(doc).unwrap_or(0);
        let quality = quotes::quality(length, time, needed.tie.first(doc).unwrap_or(0));
        let mut kind = None;
        for (field, (column, numbers)) in needed.keywords.iter().enumerate() {
            for ord in column.ords().values_for_doc(doc) {
                let Some(number) = usize::try_from(ord).ok().and_then(|o| numbers.get(o)).copied() else { continue };
                let value = &mut self.values[field][number as usize];
                value.tally.add(weight);
                // The upper bits tell the fields apart; no field has 2^28 values.
                let of_field = u32::try_from(field << 28).unwrap_or(0) | number;
                if consumer != 0 && self.reach.insert((of_field, consumer)) {
                    value.tally.consumers += 1;
                }
                if field < QUOTED && length > 0 {
                    quotes::offer(&mut value.candidates, Candidate { quality, consumer, address: DocAddress::new(needed.number, doc) });
                }
                kind = if field + 1 == TALLIED.len() { Some(number) } else { None };
            }
        }
        self.answer(doc, kind, weight, needed);
    }

    fn answer(&mut self, doc: DocId, kind: Option<u32>, weight: f64, needed: &Needed<'_>) {
        let (Some(kind), Some(score)) = (kind, needed.score.first(doc)) else {
            self.stats.tickets += 1;
            return;
        };
        self.stats.surveys += 1;
        let bits = |column: &Column<f64>| column.first(doc).unwrap_or(0.0).to_bits();
        self.answers.entry((kind, score.to_bits(), bits(needed.scale.0), bits(needed.scale.1))).or_default().add(weight);
    }

    fn labels_to_quote(&self) -> Vec<quotes::Label<'_>> {
        let mut labels = Vec::new();
        for (field, most) in [(0, 3), (1, 5)] {
            let mut values: Vec<&Value> = self.values[field].iter().filter(|v| v.tally.count > 0).collect();
            values.sort_by(|a, b| b.tally.weight.total_cmp(&a.tally.weight).then_with(|| a.name.cmp(&b.name)));
            labels.extend(values.into_iter().take(most).map(|v| quotes::Label {
                field: TALLIED[field].name(),
                name: &v.name,
                candidates: &v.candidates,
            }));
        }
        labels
    }

    fn finish(mut self, quotes: Vec<Quote>) -> FeedbackStats {
        let kinds: Vec<String> = self.values[TALLIED.len() - 1].iter().map(|v| v.name.to_string()).collect();
        for ((kind, score, min, max), tally) in self.answers {
            let bits = f64::from_bits;
            let answer = Answer { score: bits(score), min: bits(min), max: bits(max), tally };
            self.stats.answers.entry(kinds[kind as usize].clone()).or_default().push(answer);
        }
        for answers in self.stats.answers.values_mut() {
            answers.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.min.total_cmp(&b.min)).then(a.max.total_cmp(&b.max)));
        }
        for (of_field, consumer) in &self.reach {
            let (field, number) = ((of_field >> 28) as usize, (of_field & ((1 << 28) - 1)) as usize);
            if let Some(value) = self.values.get(field).filter(|_| field < LABELS).and_then(|values| values.get(number)) {
                let values = self.stats.reach.entry(TALLIED[field].name().to_owned()).or_default();
                values.entry(value.name.to_string()).or_default().push(*consumer);
            }
        }
        self.stats.reach.values_mut().flat_map(BTreeMap::values_mut).for_each(|hashes| hashes.sort_unstable());
        let mut tallies = self.values.into_iter().map(|values| {
            values.into_iter().filter(|v| v.tally.count > 0).map(|v| (v.name.into(), v.tally)).collect::<BTreeMap<String, Tally>>()
        });
        let mut next = || tallies.next().unwrap_or_default();
        FeedbackStats {
            all: Tally { consumers: self.consumers.len() as u64, ..self.stats.all },
            requesters: self.requesters.len() as u64,
            by_type: next(),
            by_aspect: next(),
            by_sentiment: next(),
            by_severity: next(),
            by_language: next(),
            by_rung: next(),
            by_operation: next(),
            by_day: self.days.into_iter().map(|(day, count)| (Day(day), count)).collect(),
            quotes,
            ..self.stats
        }
    }
}
