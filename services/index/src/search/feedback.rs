//! The feedback on one API version, counted in one pass over the columns of its index.

use std::collections::BTreeMap;

use groundswell_model::{Day, Timestamp};
use groundswell_text::classify::UNSURE;
use hashbrown::{HashMap, HashSet};
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId};

use super::error::SearchError;
use super::quotes::{self, Candidate, Quality, Quote};
use super::schema::Keyword;
use super::snapshot::{KeywordColumn, SegmentView, VersionView};
use crate::rollup::ConsumerSet;

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
    /// The named consumers behind it, sorted.
    pub consumers: Vec<String>,
    /// Field and value to the places of the named consumers behind it among all, for labels.
    pub reach: BTreeMap<String, BTreeMap<String, ConsumerSet>>,
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
/// So many values of a field have a set of consumers each, where being in it is one bit; the rest, which are rare, share one.
const FREQUENT: u32 = 64;

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
    /// Numbers of the consumers behind it.
    consumers: ConsumerSet,
}

struct Count {
    window: Option<(Timestamp, Timestamp)>,
    stats: FeedbackStats,
    /// Values of each tallied field, numbered over all segments.
    values: [Vec<Value>; TALLIED.len()],
    numbers: [HashMap<Box<str>, u32>; TALLIED.len()],
    /// Field, number of a value that is not among the frequent ones, and consumer: seen together.
    rare: HashSet<(usize, u32, u32)>,
    /// Hash of a named consumer to its number over all segments.
    consumers: HashMap<u64, u32>,
    /// Names of consumers by number.
    names: Vec<String>,
    requesters: HashSet<u64>,
    days: HashMap<i32, u64>,
    /// Number of the survey kind, and the bits of score, lowest and highest.
    answers: HashMap<(u32, u64, u64, u64), Tally>,
}

/// A document that counts.
struct Kept {
    doc: DocId,
    weight: f64,
    /// Number of the consumer, if it is named.
    consumer: Option<u32>,
    /// How fit it is to be quoted, if it says anything.
    quality: Option<Quality>,
}

impl Count {
    fn new(window: Option<(Timestamp, Timestamp)>) -> Self {
        Self {
            window,
            stats: FeedbackStats::default(),
            values: Default::default(),
            numbers: Default::default(),
            rare: HashSet::new(),
            consumers: HashMap::new(),
            names: Vec::new(),
            requesters: HashSet::new(),
            days: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    /// Field by field: what belongs together is looked at together.
    fn segment(&mut self, number: u32, segment: &SegmentView<'_>) -> Result<(), SearchError> {
        let docs = self.keep(segment)?;
        let mut kinds = vec![None; docs.len()];
        for (field, keyword) in TALLIED.into_iter().enumerate() {
            let (column, numbers) = self.number_values(field, segment)?;
            let of_survey = keyword == Keyword::SurveyKind;
            for (kept, kind) in docs.iter().zip(&mut kinds) {
                for value in column.ords().values_for_doc(kept.doc).filter_map(|ord| numbers.get(usize::try_from(ord).ok()?)) {
                    self.tally(field, *value, kept, number);
                    *kind = of_survey.then_some(*value);
                }
            }
        }
        let (score, scale) = (segment.score()?, segment.scale()?);
        docs.iter().zip(kinds).for_each(|(kept, kind)| self.answer(kept, kind, score, scale));
        Ok(())
    }

    /// The documents of a segment that count.
    fn keep(&mut self, segment: &SegmentView<'_>) -> Result<Vec<Kept>, SearchError> {
        let (time, weight, tie, length) = (segment.time()?, segment.weight()?, segment.tie()?, segment.length()?);
        let (hash, requester, names) = (segment.consumer()?, segment.requester()?, segment.keyword(Keyword::Consumer)?);
        // Numbers of consumers by their place in the dictionary of names, and the places of those met first in this segment.
        let (mut numbers, mut fresh): (Vec<Option<u32>>, Vec<(u64, u32)>) = (vec![None; names.values()], Vec::new());
        let mut docs = Vec::new();
        for doc in segment.reader.doc_ids_alive() {
            let when = Timestamp(time.first(doc).unwrap_or(0));
            if self.window.is_some_and(|(from, to)| when < from || when >= to) {
                continue;
            }
            let weight = weight.first(doc).unwrap_or(1.0);
            if self.stats.counting == Counting::Strict && weight < 1.0 {
                self.stats.left_out += 1;
                continue;
            }
            self.stats.all.add(weight);
            self.stats.earliest = Some(self.stats.earliest.map_or(when, |t| t.min(when)));
            self.stats.latest = Some(self.stats.latest.map_or(when, |t| t.max(when)));
            *self.days.entry(when.day().0).or_default() += 1;
            self.requesters.extend(requester.first(doc).filter(|r| *r != 0));
            let ord = names.ords().first(doc);
            let mut met = ord.and_then(|ord| numbers.get_mut(usize::try_from(ord).ok()?));
            let mut consumer = met.as_deref().copied().flatten();
            if let (None, Some(hash)) = (consumer, hash.first(doc).filter(|hash| *hash != 0)) {
                consumer = Some(self.number_of(hash, ord, &mut fresh));
                if let Some(met) = &mut met {
                    **met = consumer;
                }
            }
            let length = length.first(doc).unwrap_or(0);
            let quality = (length > 0).then(|| quotes::quality(length, when, tie.first(doc).unwrap_or(0)));
            docs.push(Kept { doc, weight, consumer, quality });
        }
        fresh.sort_unstable();
        let ords: Vec<u64> = fresh.iter().map(|(ord, _)| *ord).collect();
        let mut numbers = fresh.iter().map(|(_, number)| *number as usize);
        names.resolve(&ords, |_, name| {
            if let Some(place) = numbers.next().and_then(|number| self.names.get_mut(number)) {
                name.clone_into(place);
            }
        })?;
        Ok(docs)
    }

    /// The number of a consumer. One that is met first is noted with the place of its name.
    fn number_of(&mut self, hash: u64, ord: Option<u64>, fresh: &mut Vec<(u64, u32)>) -> u32 {
        let names = &mut self.names;
        *self.consumers.entry(hash).or_insert_with(|| {
            let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
            names.push(String::new());
            fresh.extend(ord.map(|ord| (ord, number)));
            number
        })
    }

    /// Gives the values of a field in a segment their numbers over all segments.
    fn number_values<'a>(&mut self, field: usize, segment: &SegmentView<'a>) -> Result<(&'a KeywordColumn, Vec<u32>), SearchError> {
        let column = segment.keyword(TALLIED[field])?;
        let ords: Vec<u64> = (0..column.values() as u64).collect();
        let mut numbers = Vec::with_capacity(ords.len());
        let (known, values) = (&mut self.numbers[field], &mut self.values[field]);
        column.resolve(&ords, |_, name| {
            let number = *known.entry_ref(name).or_insert_with(|| {
                let (tally, candidates, consumers) = Default::default();
                values.push(Value { name: name.into(), tally, candidates, consumers });
                u32::try_from(values.len() - 1).unwrap_or(u32::MAX)
            });
            numbers.push(number);
        })?;
        Ok((column, numbers))
    }

    fn tally(&mut self, field: usize, number: u32, kept: &Kept, segment: u32) {
        let value = &mut self.values[field][number as usize];
        value.tally.add(kept.weight);
        if let Some(consumer) = kept.consumer {
            let new = if number < FREQUENT { value.consumers.meet(consumer) } else { self.rare.insert((field, number, consumer)) };
            value.tally.consumers += u64::from(new);
        }
        if let Some(quality) = kept.quality.filter(|_| field < QUOTED) {
            let consumer = kept.consumer.map_or(0, |number| u64::from(number) + 1);
            quotes::offer(&mut value.candidates, Candidate { quality, consumer, address: DocAddress::new(segment, kept.doc) });
        }
    }

    fn answer(&mut self, kept: &Kept, kind: Option<u32>, score: &Column<f64>, scale: (&Column<f64>, &Column<f64>)) {
        let (Some(kind), Some(score)) = (kind, score.first(kept.doc)) else {
            self.stats.tickets += 1;
            return;
        };
        self.stats.surveys += 1;
        let bits = |column: &Column<f64>| column.first(kept.doc).unwrap_or(0.0).to_bits();
        self.answers.entry((kind, score.to_bits(), bits(scale.0), bits(scale.1))).or_default().add(kept.weight);
    }

    /// The most frequent labels. What nothing could be told of stands for nothing.
    fn labels_to_quote(&self) -> Vec<quotes::Label<'_>> {
        let mut labels = Vec::new();
        for (field, most) in [(0, 3), (1, 5)] {
            let mut values: Vec<&Value> = self.values[field].iter().filter(|v| v.tally.count > 0 && &*v.name != UNSURE).collect();
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
        for ((kind, score, min, max), tally) in std::mem::take(&mut self.answers) {
            let bits = f64::from_bits;
            let answer = Answer { score: bits(score), min: bits(min), max: bits(max), tally };
            self.stats.answers.entry(kinds[kind as usize].clone()).or_default().push(answer);
        }
        for answers in self.stats.answers.values_mut() {
            answers.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.min.total_cmp(&b.min)).then(a.max.total_cmp(&b.max)));
        }
        self.tell_reach();
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

    /// Tells the consumers behind labels. They stand by name, for numbers depend on the order of reading.
    fn tell_reach(&mut self) {
        for (field, number, consumer) in self.rare.drain().filter(|(field, ..)| *field < LABELS) {
            self.values[field][number as usize].consumers.insert(consumer);
        }
        let mut named: Vec<(String, u32)> = std::mem::take(&mut self.names).into_iter().zip(0..).collect();
        named.sort_unstable();
        let mut places = vec![0; named.len()];
        (0u32..).zip(&named).for_each(|(place, (_, number))| places[*number as usize] = place);
        self.stats.consumers = named.into_iter().map(|(name, _)| name).collect();
        for (keyword, values) in TALLIED.iter().zip(&self.values).take(LABELS) {
            for value in values.iter().filter(|value| !value.consumers.is_empty()) {
                let behind = value.consumers.iter().map(|number| places[number as usize]).collect();
                self.stats.reach.entry(keyword.name().to_owned()).or_default().insert(value.name.to_string(), behind);
            }
        }
    }
}
