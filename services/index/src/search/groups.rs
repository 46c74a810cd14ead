//! The feedback of one API version, grouped by the names that it can be grouped by: type, aspect, operation, theme.

use std::collections::BTreeMap;

use groundswell_model::Timestamp;
use hashbrown::HashMap;
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId};

use super::error::SearchError;
use super::matched::{Wanted, matched};
use super::quotes::{self, Candidate, Quote};
use super::ruled::{RulesByApi, resolved};
use super::schema::Keyword;
use super::snapshot::{KeywordColumn, SegmentView, VersionView};

/// Fields to group by, where the index has them.
const FIELDS: [&str; 4] = ["type", "aspect", "operation", "theme"];
/// Aspects of feedback that is positive are a field of their own: more of it is good news.
const PRAISE: &str = "praise";
const POSITIVE: &str = "positive";
/// Groups kept of one version. Further ones are counted.
const MOST_GROUPS: usize = 5_000;

/// One piece of feedback in a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Place of its consumer among [`Groups::consumers`]; none if nobody is named.
    pub consumer: Option<u32>,
    /// When.
    pub time: Timestamp,
    /// Tells pieces of the same time apart.
    pub tie: u64,
    /// The part of it that is about this version.
    pub weight: f64,
    /// Place of its sentiment and its severity among [`Groups::words`].
    pub sentiment: u32,
    /// See there.
    pub severity: u32,
}

/// What has one name in one field.
#[derive(Default)]
pub struct Group {
    /// Its feedback, in no particular order.
    pub members: Vec<Member>,
    candidates: Vec<Candidate>,
}

/// Everything that was asked for, by group.
#[derive(Default)]
pub struct Groups {
    /// By field and name.
    pub groups: BTreeMap<(&'static str, String), Group>,
    /// Names of consumers, in no particular order.
    pub consumers: Vec<String>,
    /// Names of sentiments and severities.
    pub words: Vec<String>,
    /// Groups left out because there are too many.
    pub left_out: u64,
}

/// Groups the feedback that is wanted.
///
/// # Errors
/// The query can't be understood, or the index can't be read.
pub fn grouped(view: &VersionView, wanted: Wanted<'_>) -> Result<Groups, SearchError> {
    let mut reading = Reading::default();
    matched(view, wanted, |number, segment, docs| reading.segment(number, segment, docs, wanted.rules))?;
    Ok(reading.groups)
}

impl Groups {
    /// Two telling pieces of a group, from different consumers if there are.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn quotes(&self, view: &VersionView, (field, name): (&str, &str)) -> Result<Vec<Quote>, SearchError> {
        let Some(field) = FIELDS.into_iter().chain([PRAISE]).find(|known| *known == field) else { return Ok(Vec::new()) };
        let Some(group) = self.groups.get(&(field, name.to_owned())) else { return Ok(Vec::new()) };
        // Asked for twice, two different ones are told, if there are.
        let label = || quotes::Label { field, name, candidates: &group.candidates };
        quotes::choose(view, &[label(), label()])
    }
}

#[derive(Default)]
struct Reading {
    groups: Groups,
    consumers: HashMap<String, u32>,
    words: HashMap<String, u32>,
}

/// The values of a field of one value, numbered over all segments.
struct Numbered<'a> {
    ords: &'a Column<u64>,
    numbers: HashMap<u64, u32>,
}

impl Numbered<'_> {
    fn of(&self, doc: DocId) -> Option<u32> {
        self.ords.first(doc).and_then(|ord| self.numbers.get(&ord)).copied()
    }
}

impl Reading {
    fn segment(&mut self, number: u32, segment: &SegmentView<'_>, docs: &[DocId], rules: Option<&RulesByApi>) -> Result<(), SearchError> {
        let (time, tie, weight, length) = (segment.time()?, segment.tie()?, segment.weight()?, segment.length()?);
        let consumers = numbered(segment.keyword(Keyword::Consumer)?, docs, &mut self.consumers, &mut self.groups.consumers)?;
        let sentiments = numbered(segment.keyword(Keyword::Sentiment)?, docs, &mut self.words, &mut self.groups.words)?;
        let severities = numbered(segment.keyword(Keyword::Severity)?, docs, &mut self.words, &mut self.groups.words)?;
        let positive = number_of(POSITIVE, &mut self.words, &mut self.groups.words);
        let none = number_of("", &mut self.words, &mut self.groups.words);
        for (field, keyword) in FIELDS.iter().filter_map(|name| Some((*name, Keyword::from_name(name)?))) {
            let column = segment.keyword(keyword)?;
            let mut names = names_of(column, docs)?;
            if let Some(rules) = rules.filter(|_| keyword == Keyword::Theme) {
                // What people merged is one.
                names.values_mut().for_each(|name| *name = resolved(name, rules));
            }
            for &doc in docs {
                for name in column.ords().values_for_doc(doc).filter_map(|ord| names.get(&ord)) {
                    let praised = keyword == Keyword::Aspect && sentiments.of(doc) == Some(positive);
                    let Some(group) = self.groups.group(if praised { PRAISE } else { field }, name) else { continue };
                    let member = Member {
                        consumer: consumers.of(doc),
                        time: Timestamp(time.first(doc).unwrap_or(0)),
                        tie: tie.first(doc).unwrap_or(0),
                        weight: weight.first(doc).unwrap_or(1.0),
                        sentiment: sentiments.of(doc).unwrap_or(none),
                        severity: severities.of(doc).unwrap_or(none),
                    };
                    let length = length.first(doc).unwrap_or(0);
                    if length > 0 {
                        let quality = quotes::quality(length, member.time, member.tie);
                        let consumer = member.consumer.map_or(0, |c| u64::from(c) + 1);
                        quotes::offer(&mut group.candidates, Candidate { quality, consumer, address: DocAddress::new(number, doc) });
                    }
                    group.members.push(member);
                }
            }
        }
        Ok(())
    }
}

impl Groups {
    fn group(&mut self, field: &'static str, name: &str) -> Option<&mut Group> {
        let full = self.groups.len() >= MOST_GROUPS;
        let key = (field, name.to_owned());
        if full && !self.groups.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        Some(self.groups.entry(key).or_default())
    }
}

fn names_of(column: &KeywordColumn, docs: &[DocId]) -> Result<HashMap<u64, String>, SearchError> {
    let mut used: Vec<u64> = docs.iter().flat_map(|doc| column.ords().values_for_doc(*doc)).collect();
    used.sort_unstable();
    used.dedup();
    let mut names = HashMap::with_capacity(used.len());
    column.resolve(&used, |ord, name| {
        names.insert(ord, name.to_owned());
    })?;
    Ok(names)
}

fn numbered<'a>(
    column: &'a KeywordColumn,
    docs: &[DocId],
    known: &mut HashMap<String, u32>,
    list: &mut Vec<String>,
) -> Result<Numbered<'a>, SearchError> {
    let names = names_of(column, docs)?;
    let numbers = names.into_iter().map(|(ord, name)| (ord, number_of(&name, known, list))).collect();
    Ok(Numbered { ords: column.ords(), numbers })
}

fn number_of(name: &str, known: &mut HashMap<String, u32>, list: &mut Vec<String>) -> u32 {
    *known.entry_ref(name).or_insert_with(|| {
        list.push(name.to_owned());
        u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
    })
}
