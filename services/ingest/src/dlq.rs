//! Reading dead letters, and sending them back to where they came from.
//!
//! Nothing is ever removed from the dead letter topic. A replay notes what it sent back in records of its own, each with
//! the header [`REPLAYED`], so that a letter is listed as long as nobody dealt with it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use groundswell_bus::dead_letter::{CUT, DETAIL, OFFSET, ORIGINAL, PARTITION, REASON, SERVICE, TIME, TOPIC};
use groundswell_bus::{Bus, BusError, Headers, NewRecord, Offset, Part, Publisher, Record, Topic, TopicNames};
use groundswell_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Header of the note that a letter was sent back: its place, `PARTITION/OFFSET`.
pub const REPLAYED: &str = "gs-replayed";
/// Records sent back at once.
const CHUNK_RECORDS: usize = 500;
/// Bytes sent back at once, about.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
const PUBLISH_TIME: Duration = Duration::from_secs(30);

/// Where a dead letter stands in the dead letter topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Partition of the dead letter topic.
    pub partition: u32,
    /// Offset there.
    pub offset: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

/// A text that is not a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPlace;

impl std::fmt::Display for BadPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("write the place of a dead letter as PARTITION/OFFSET, as `dlq list` shows it")
    }
}

impl std::error::Error for BadPlace {}

impl std::str::FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let (partition, offset) = text.split_once('/').ok_or(BadPlace)?;
        Ok(Self { partition: partition.parse().map_err(|_| BadPlace)?, offset: offset.parse().map_err(|_| BadPlace)? })
    }
}

/// What is known about a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Where it stands, `PARTITION/OFFSET`: for `dlq show` and `dlq replay`.
    pub letter: String,
    /// Name of the topic that the record was read from.
    pub topic: String,
    /// Its partition there.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
    /// The stable reason.
    pub reason: String,
    /// What exactly, where, and what to do.
    pub detail: String,
    /// The service that refused it.
    pub service: String,
    /// When the original was received, RFC 3339.
    pub time: String,
    /// Bytes of the original value.
    pub bytes: u64,
    /// Whether it was sent back since.
    pub replayed: bool,
}

/// A dead letter with its original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is known about it.
    pub letter: DeadLetter,
    /// Key of the original; empty if none.
    pub key: Vec<u8>,
    /// Headers of the original.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Value of the original, from its topic if it did not fit into the letter and is still kept.
    pub value: Vec<u8>,
    /// Whether the value is whole.
    pub whole: bool,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// With this reason.
    pub reason: Option<String>,
    /// From the topic of this name.
    pub topic: Option<String>,
    /// Only these.
    pub places: Vec<Place>,
    /// Those that were sent back, too.
    pub replayed: bool,
}

impl Filter {
    fn takes(&self, place: Place, letter: &DeadLetter) -> bool {
        self.reason.as_ref().is_none_or(|r| *r == letter.reason)
            && self.topic.as_ref().is_none_or(|t| *t == letter.topic)
            && (self.places.is_empty() || self.places.contains(&place))
            && (self.replayed || !letter.replayed)
    }
}

/// The newest `most` dead letters that the filter takes, newest last.
///
/// # Errors
/// The topic can't be read.
pub fn list(bus: &dyn Bus, filter: &Filter, most: usize) -> Result<Vec<DeadLetter>, BusError> {
    Ok(newest(bus, filter, &replayed(bus)?, most)?.into_values().collect())
}

/// By when they became dead letters, which no order of partitions tells.
fn newest(
    bus: &dyn Bus,
    filter: &Filter,
    replayed: &HashSet<Place>,
    most: usize,
) -> Result<BTreeMap<(Timestamp, Place), DeadLetter>, BusError> {
    let mut letters = BTreeMap::new();
    bus.reader(Topic::DeadLetters)?.catch_up(&mut |record| {
        let place = place_of(&record);
        if let Some(letter) = letter_of(&record, replayed)
            && filter.takes(place, &letter)
        {
            letters.insert((record.timestamp, place), letter);
            if letters.len() > most {
                letters.pop_first();
            }
        }
    })?;
    Ok(letters)
}

/// One dead letter with its original; none if there is none at this place.
///
/// # Errors
/// The topic can't be read.
pub fn show(bus: &dyn Bus, names: &TopicNames, place: Place) -> Result<Option<Shown>, BusError> {
    let part = Part { topic: Topic::DeadLetters, partition: place.partition };
    let Some(batch) = bus.read_at(part, Offset(place.offset))? else { return Ok(None) };
    let replayed = replayed(bus)?;
    let Some(record) = batch.iter().next() else { return Ok(None) };
    let Some(letter) = letter_of(&record, &replayed) else { return Ok(None) };
    let (value, whole) = original_value(bus, names, &record, &letter)?;
    let headers = original_headers(record.headers).collect();
    Ok(Some(Shown { letter, key: record.key.to_vec(), headers, value, whole }))
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replayed {
    /// Records sent back to their topics.
    pub published: u64,
    /// Letters that could not be sent back: the original did not fit into the letter and its topic keeps it no longer,
    /// or the topic is none of ours.
    pub lost: u64,
}

/// Sends the originals of the letters that the filter takes, or of the newest `most` of them, back to their source topics, byte for byte.
///
/// # Errors
/// They can't be read or published. What was published by then is published; a repetition counts once.
pub fn replay(bus: &dyn Bus, names: &TopicNames, filter: &Filter, most: Option<usize>) -> Result<Replayed, BusError> {
    let replayed = replayed(bus)?;
    let mut chosen = None;
    if let Some(most) = most {
        chosen = Some(newest(bus, filter, &replayed, most)?.into_keys().map(|(_, place)| place).collect::<HashSet<_>>());
    }
    let takes = |place: Place, letter: &DeadLetter| chosen.as_ref().map_or_else(|| filter.takes(place, letter), |c| c.contains(&place));
    let publisher = bus.publisher()?;
    let mut sender = Sender { publisher: publisher.as_ref(), records: Vec::new(), notes: Vec::new(), bytes: 0 };
    let mut done = Replayed::default();
    let mut failure = None;
    bus.reader(Topic::DeadLetters)?.catch_up(&mut |record| {
        if failure.is_some() {
            return;
        }
        let Some(letter) = letter_of(&record, &replayed).filter(|l| takes(place_of(&record), l)) else { return };
        let sent = original(bus, names, &record, &letter).and_then(|original| match original {
            Some(original) => sender.add(original, place_of(&record)).map(|()| true),
            None => Ok(false),
        });
        match sent {
            Ok(true) => done.published += 1,
            Ok(false) => done.lost += 1,
            Err(error) => failure = Some(error),
        }
    })?;
    match failure {
        Some(error) => Err(error),
        None => sender.flush().map(|()| done),
    }
}

/// Gathers what is sent back, with the notes about it behind.
struct Sender<'a> {
    publisher: &'a dyn Publisher,
    records: Vec<NewRecord>,
    notes: Vec<NewRecord>,
    bytes: usize,
}

impl Sender<'_> {
    fn add(&mut self, original: NewRecord, place: Place) -> Result<(), BusError> {
        self.bytes += original.value.as_ref().map_or(0, Vec::len);
        self.records.push(original);
        self.notes.push(NewRecord::keyed(Topic::DeadLetters, place.to_string(), Vec::new()).header(REPLAYED, place.to_string()));
        if self.records.len() >= CHUNK_RECORDS || self.bytes >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// The originals first: if the notes are missing, a letter is sent back again, which counts once.
    fn flush(&mut self) -> Result<(), BusError> {
        self.bytes = 0;
        if self.records.is_empty() {
            return Ok(());
        }
        self.publisher.publish(std::mem::take(&mut self.records), PUBLISH_TIME)?;
        self.publisher.publish(std::mem::take(&mut self.notes), PUBLISH_TIME)
    }
}

/// The places of all letters that were sent back.
fn replayed(bus: &dyn Bus) -> Result<HashSet<Place>, BusError> {
    let mut places = HashSet::new();
    bus.reader(Topic::DeadLetters)?.catch_up(&mut |record| {
        places.extend(text(record.headers, REPLAYED).and_then(|place| place.parse::<Place>().ok()));
    })?;
    Ok(places)
}

fn place_of(record: &Record<'_>) -> Place {
    Place { partition: record.part.partition, offset: record.offset.0 }
}

fn text<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| std::str::from_utf8(v).ok())
}

/// What a record of the topic says; none for the note of a replay or a record of somebody else.
fn letter_of(record: &Record<'_>, replayed: &HashSet<Place>) -> Option<DeadLetter> {
    let header = |name| text(record.headers, name);
    let place = place_of(record);
    let kept = record.value.map_or(0, |v| v.len() as u64);
    Some(DeadLetter {
        letter: place.to_string(),
        topic: header(TOPIC)?.to_owned(),
        partition: header(PARTITION)?.parse().ok()?,
        offset: header(OFFSET)?.parse().ok()?,
        reason: header(REASON)?.to_owned(),
        detail: header(DETAIL).unwrap_or_default().to_owned(),
        service: header(SERVICE).unwrap_or_default().to_owned(),
        time: header(TIME).unwrap_or_default().to_owned(),
        bytes: header(CUT).and_then(|n| n.parse().ok()).unwrap_or(kept),
        replayed: replayed.contains(&place),
    })
}

fn original_headers(headers: Headers<'_>) -> impl Iterator<Item = (String, Vec<u8>)> {
    headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(ORIGINAL)?.to_owned(), value.to_vec())))
}

fn source_topic(names: &TopicNames, letter: &DeadLetter) -> Option<Topic> {
    Topic::ALL.into_iter().find(|t| t.is_source() && names.of(*t) == letter.topic)
}

/// The original value, and whether it is whole.
fn original_value(bus: &dyn Bus, names: &TopicNames, record: &Record<'_>, letter: &DeadLetter) -> Result<(Vec<u8>, bool), BusError> {
    let kept = record.value.unwrap_or_default();
    if letter.bytes <= kept.len() as u64 {
        return Ok((kept.to_vec(), true));
    }
    let Some(topic) = source_topic(names, letter) else { return Ok((kept.to_vec(), false)) };
    let batch = bus.read_at(Part { topic, partition: letter.partition }, Offset(letter.offset))?;
    let whole = batch.as_ref().and_then(|b| b.iter().next()).and_then(|r| r.value);
    Ok(whole.map_or_else(|| (kept.to_vec(), false), |value| (value.to_vec(), true)))
}

/// The original record, on its topic; none if it can't be made whole.
fn original(bus: &dyn Bus, names: &TopicNames, record: &Record<'_>, letter: &DeadLetter) -> Result<Option<NewRecord>, BusError> {
    let Some(topic) = source_topic(names, letter) else { return Ok(None) };
    let (value, whole) = original_value(bus, names, record, letter)?;
    let headers = original_headers(record.headers).collect();
    Ok(whole.then(|| NewRecord { topic: Some(topic), partition: None, key: record.key.to_vec(), headers, value: Some(value) }))
}
