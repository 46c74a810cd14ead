//! One partition of `events`: its state, and what becomes of each event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use groundswell_bus::StateWrite;
use groundswell_catalogue::{Call, Catalogue, Resolved};
use groundswell_model::frame::{BadItem, FrameWriter};
use groundswell_model::insight::flag;
use groundswell_model::{
    ContentHash, Event, FeedbackEvent, IdentityHash, Insight, Known, Milestone, Op, Outcome, Reject, RejectReason, Removal, Rung, Skip,
    Timestamp, UNKNOWN_API, UsageEvent,
};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::fold::{Counted, Fold};
use super::insight;
use super::journal::{self, Journal, Told};
use super::names::{Names, OTHER_OPERATION};
use super::output::Output;
use super::said::Said;
use super::state::{self, BadEntry, Entry};
use super::waiting::{self, Waiting};
use super::window::{Mark, Met, Window};
use super::{Rules, Tables};
use crate::attribution;
use crate::language_model::Heard;

/// What a batch has given so far, of all its partitions.
#[derive(Debug)]
pub struct Work<'a> {
    /// Folded usage.
    pub fold: Fold<'a>,
    /// Instructions to the index.
    pub output: Output,
    /// State to be written.
    pub state: Vec<StateWrite>,
    /// How many insights each rung decided.
    pub rungs: BTreeMap<Rung, u64>,
    /// Feedback for the partition of another consumer, whom it turned out to be from: the consumer, and a frame.
    pub forward: Vec<(String, Vec<u8>)>,
    /// How many insights were moved by later evidence.
    pub moved: u64,
    /// Insights told, where somebody listens.
    pub heard: Option<Vec<Heard>>,
}

impl Work<'_> {
    /// Nothing yet, over so many insights partitions.
    #[must_use]
    pub fn new(insights: u32) -> Self {
        Self {
            fold: Fold::default(),
            output: Output::new(insights),
            state: Vec::new(),
            rungs: BTreeMap::new(),
            forward: Vec::new(),
            moved: 0,
            heard: None,
        }
    }
}

/// The state of one partition.
#[derive(Debug)]
pub struct Partition {
    pub(super) number: u32,
    window: Window,
    feedback: Said,
    consumers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    journals: Vec<Kept>,
    names: Names,
    pub(super) waiting: Waiting,
    /// Journals changed since the last step.
    dirty: Vec<u32>,
}

#[derive(Debug)]
struct Kept {
    consumer: Box<str>,
    journal: Journal,
    changed: bool,
    told: Vec<Told>,
}

impl Partition {
    /// The empty state of a partition that remembers up to `most` usage events.
    #[must_use]
    pub fn new(number: u32, rules: &Rules, most: usize) -> Self {
        Self {
            number,
            window: Window::new(rules.dedupe_minutes, most),
            feedback: Said::default(),
            consumers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            journals: Vec::new(),
            names: Names::default(),
            waiting: Waiting::default(),
            dirty: Vec::new(),
        }
    }

    /// Takes in a state entry; of several with one key the last one stands. The answer is where the window of
    /// usage begins, if that is what the entry says: for [`Window::resume`].
    ///
    /// # Errors
    /// The entry was not written by this version of the program.
    pub fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<Option<Mark>, BadEntry> {
        match state::read(key, value.unwrap_or_default())? {
            // Only what waits is ever deleted.
            Entry::Waiting(identity) => match value {
                Some(value) => self.waiting.restore(value).map_err(BadEntry::Value)?,
                None => drop(self.waiting.remove(IdentityHash(identity))),
            },
            Entry::Journal(consumer, journal) => {
                let at = self.journal_of(consumer);
                if let Some(kept) = self.journals.get_mut(at as usize) {
                    kept.journal = *journal;
                }
            }
            Entry::Feedback(identity, content) => {
                self.feedback.set(IdentityHash(identity), ContentHash(content));
            }
            Entry::Name(parent, name) => self.names.restore(parent, name),
            Entry::Window(mark) => return Ok(Some(mark)),
        }
        Ok(None)
    }

    /// The window of usage identities.
    pub fn window(&mut self) -> &mut Window {
        &mut self.window
    }

    /// How many consumers have a journal.
    #[must_use]
    pub fn consumers(&self) -> usize {
        self.journals.len()
    }

    /// How many pieces of feedback are known.
    #[must_use]
    pub fn feedback(&self) -> usize {
        self.feedback.len()
    }

    /// How many pieces of feedback wait for evidence.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Gives an event its fate.
    ///
    /// # Errors
    /// What it says can't be carried.
    pub fn event<'a>(&mut self, event: &Event<'a>, tables: &Tables<'a>, work: &mut Work<'a>) -> Result<Outcome<()>, BadItem> {
        match event {
            Event::Usage(usage) => self.usage(usage, tables, work),
            Event::Feedback(feedback) => self.say(feedback, tables, work),
            Event::Known(known) => self.known(known, work),
            Event::Again(again) => self.again(again, work),
        }
    }

    fn usage<'a>(&mut self, event: &UsageEvent<'a>, tables: &Tables<'a>, work: &mut Work<'a>) -> Result<Outcome<()>, BadItem> {
        let head = &event.head;
        match self.window.meet(head.identity, head.content, head.received) {
            Met::New => {}
            Met::Same => return Ok(Outcome::Skip(Skip::Duplicate)),
            Met::Other => return Ok(Outcome::Reject(conflict("a usage event"))),
        }
        let counted = self.count_as(event, tables);
        if !head.consumer.is_empty() && counted.api != UNKNOWN_API {
            self.note(event, &counted, tables);
        }
        work.fold.add(counted, event);
        if !self.waiting.is_empty() {
            self.lift(head.consumer, head.time, tables, work)?;
        }
        Ok(Outcome::Emit(()))
    }

    /// Where a call counts: resolved against the catalogue, within the bounds of undeclared names.
    fn count_as<'a>(&mut self, event: &UsageEvent<'a>, tables: &Tables<'a>) -> Counted<'a> {
        let call = Call {
            api: event.api.unwrap_or_default(),
            version: event.api_version.unwrap_or_default(),
            operation: event.operation.unwrap_or_default(),
            method: event.method,
            path: event.path,
            host: event.host,
        };
        let found = with_header(tables.catalogue.resolve_usage(&call), event, tables, &call);
        let bounds = &tables.rules.bounds;
        let api = self.names.api(found.api, found.declared || tables.catalogue.api(found.api).is_some(), bounds);
        // Versions of APIs that nobody named have nothing to do with each other.
        let version = if api == UNKNOWN_API { "" } else { found.version };
        let version = self.names.version(api, version, found.declared, bounds);
        let operation = match self.names.operation(api, version, &found.operation, found.listed, bounds) {
            true => found.operation,
            false => Cow::Borrowed(OTHER_OPERATION),
        };
        Counted { api, version, operation }
    }

    fn note(&mut self, event: &UsageEvent<'_>, counted: &Counted<'_>, tables: &Tables<'_>) {
        let at = self.journal_of(event.head.consumer);
        let Some(kept) = self.journals.get_mut(at as usize) else { return };
        if !kept.changed {
            kept.changed = true;
            self.dirty.push(at);
        }
        let call = journal::Call {
            api: counted.api,
            version: counted.version,
            operation: &counted.operation,
            time: event.head.time,
            failed: event.failed,
            calls: event.calls,
            event: event.head.id,
            traces: [event.request_id, event.traceparent],
        };
        let older = |a: &str, b: &str| tables.catalogue.compare(counted.api, a, b);
        kept.journal.note(&call, tables.rules.days_kept(), older, &mut kept.told);
    }

    fn journal_of(&mut self, consumer: &str) -> u32 {
        let hash = self.hasher.hash_one(consumer);
        if let Some(at) = self.consumers.find(hash, |at| *self.journals[*at as usize].consumer == *consumer) {
            return *at;
        }
        let at = u32::try_from(self.journals.len()).unwrap_or(u32::MAX);
        self.journals.push(Kept { consumer: consumer.into(), journal: Journal::default(), changed: false, told: Vec::new() });
        self.consumers.insert_unique(hash, at, |at| self.hasher.hash_one(&*self.journals[*at as usize].consumer));
        at
    }

    fn say<'a>(&mut self, event: &FeedbackEvent<'a>, tables: &Tables<'a>, work: &mut Work<'a>) -> Result<Outcome<()>, BadItem> {
        let (identity, content) = (event.head.identity, event.head.content);
        if event.was.is_some() {
            // What another partition sent on was counted there.
            self.feedback.set(identity, content);
        } else {
            match self.feedback.meet(identity, content) {
                Met::New => {}
                Met::Same => return Ok(Outcome::Skip(Skip::Duplicate)),
                Met::Other => return Ok(Outcome::Reject(conflict("feedback"))),
            }
        }
        work.state.push(self.entry(state::write(&Entry::Feedback(identity.0, content.0))?));
        let consumer = event.head.consumer;
        let journal = journal_at(&self.consumers, &self.hasher, &self.journals, consumer);
        let case = attribution::Case { event, catalogue: tables.catalogue, journal, look_back_days: tables.rules.look_back_days };
        let mut found = attribution::attribute(&case).bounded(&mut self.names, tables);
        if let Some(was) = event.was {
            found.flags.push(flag::MOVED);
            work.moved += 1;
            leave(was, &found, event, work)?;
        }
        *work.rungs.entry(found.rung).or_default() += 1;
        let labels = tables.classifier.classify(&insight::text(event));
        self.tell(insight::insight(event, &found, labels), work)?;
        let unknown_person = consumer.starts_with('~');
        if !consumer.is_empty() && (found.may_be_lifted || unknown_person) {
            hold(&mut self.waiting, self.number, event, (found.api, found.rung), work)?;
        }
        Ok(Outcome::Emit(()))
    }

    /// Tells the index an insight. What the labels doubt is noted, where somebody can be asked about it.
    pub(super) fn tell(&self, insight: Insight<'_>, work: &mut Work<'_>) -> Result<(), BadItem> {
        if let Some(heard) = &mut work.heard {
            heard.push(Heard::of(self.number, &insight)?);
        }
        work.output.push(&Op::Upsert(Box::new(insight)))
    }

    /// Usage came: what waits of its consumer is looked at again.
    fn lift<'a>(&mut self, consumer: &str, call: Timestamp, tables: &Tables<'a>, work: &mut Work<'a>) -> Result<(), BadItem> {
        for value in self.waiting.of_consumer(consumer, call) {
            let waits = waiting::look(&value).map_err(|e| BadItem(e.to_string()))?;
            let event = &waits.event;
            let journal = journal_at(&self.consumers, &self.hasher, &self.journals, consumer);
            let case = attribution::Case { event, catalogue: tables.catalogue, journal, look_back_days: tables.rules.look_back_days };
            let mut found = attribution::attribute(&case).bounded(&mut self.names, tables);
            let better = if waits.rung == Rung::Unknown { found.rung != Rung::Unknown } else { found.rung == Rung::Request };
            if !better {
                continue;
            }
            found.flags.push(flag::MOVED);
            work.moved += 1;
            *work.rungs.entry(found.rung).or_default() += 1;
            leave(waits.api, &found, event, work)?;
            let labels = tables.classifier.classify(&insight::text(event));
            self.tell(insight::insight(event, &found, labels), work)?;
            self.waiting.remove(event.head.identity);
            work.state.push(self.deleted(event.head.identity));
        }
        Ok(())
    }

    /// People are known now: what waits of theirs goes to the partition of their consumer.
    fn known(&mut self, known: &Known<'_>, work: &mut Work<'_>) -> Result<Outcome<()>, BadItem> {
        for identity in self.waiting.of_known(known) {
            let Some(value) = self.waiting.remove(identity) else { continue };
            let mut waits = waiting::look(&value).map_err(|e| BadItem(e.to_string()))?;
            waits.event.was = Some(waits.api);
            waits.event.head.consumer = known.consumer;
            let mut frame = FrameWriter::default();
            frame.push(&Event::Feedback(Box::new(waits.event)))?;
            work.forward.extend(frame.take().map(|frame| (known.consumer.to_owned(), frame)));
            work.state.push(self.deleted(identity));
        }
        Ok(Outcome::Skip(Skip::Catalogue))
    }

    fn deleted(&self, identity: IdentityHash) -> StateWrite {
        StateWrite { partition: self.number, key: state::waiting_key(identity.0), value: None }
    }

    /// Ends the batch for this partition: milestones are told, and changed state is written.
    ///
    /// # Errors
    /// Something can't be carried.
    pub fn finish(&mut self, work: &mut Work<'_>) -> Result<(), BadItem> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable_by(|a, b| self.journals[*a as usize].consumer.cmp(&self.journals[*b as usize].consumer));
        for at in &dirty {
            let Some(kept) = self.journals.get_mut(*at as usize) else { continue };
            kept.changed = false;
            tell_milestones(&kept.consumer, std::mem::take(&mut kept.told), &mut work.output)?;
            let (key, value) = state::write_journal(&kept.consumer, &kept.journal)?;
            work.state.push(StateWrite { partition: self.number, key, value: Some(value) });
        }
        dirty.clear();
        self.dirty = dirty;
        for (parent, name) in self.names.take_fresh() {
            work.state.push(self.entry(state::write(&Entry::Name(&parent, &name))?));
        }
        if let Some(mark) = self.window.mark_to_write() {
            work.state.push(self.entry(state::write(&Entry::Window(mark))?));
        }
        Ok(())
    }

    fn entry(&self, (key, value): (Vec<u8>, Vec<u8>)) -> StateWrite {
        StateWrite { partition: self.number, key, value: Some(value) }
    }
}

/// Lets a piece of feedback wait for evidence, counting for this API by this rung.
pub(super) fn hold(
    waiting: &mut Waiting,
    partition: u32,
    event: &FeedbackEvent<'_>,
    (api, rung): (&str, Rung),
    work: &mut Work<'_>,
) -> Result<(), BadItem> {
    let (value, left) = waiting.hold(event, api, rung)?;
    work.state.push(StateWrite { partition, key: state::waiting_key(event.head.identity.0), value: Some(value) });
    work.state.extend(left.into_iter().map(|gone| StateWrite { partition, key: state::waiting_key(gone.0), value: None }));
    Ok(())
}

/// A version that neither the event nor the path tells may stand in a request header or query parameter, kept among the unknown fields.
fn with_header<'a>(found: Resolved<'a>, event: &UsageEvent<'a>, tables: &Tables<'a>, call: &Call<'a>) -> Resolved<'a> {
    if !found.version.is_empty() || event.attributes.is_empty() || found.api.is_empty() {
        return found;
    }
    let catalogue = tables.catalogue;
    let told = event.attributes.iter().find_map(|(name, json)| match HEADERS.contains(name) {
        true => of_headers(catalogue, found.api, json),
        false => catalogue.version_of_header(found.api, header_name(name), json.trim_matches('"')),
    });
    match told {
        Some(version) => catalogue.resolve_usage(&Call { api: found.api, version, ..*call }),
        None => found,
    }
}

/// Unknown fields that hold headers or parameters as an object.
const HEADERS: &[&str] = &["headers", "request_headers", "http_headers", "query", "params", "query_params"];

/// `query.api-version`, `http.header.x-api-version`, `header_x_api_version`: the last part is its name.
fn header_name(name: &str) -> &str {
    let name = name.rsplit('.').next().unwrap_or(name);
    name.strip_prefix("header_").or_else(|| name.strip_prefix("http_")).unwrap_or(name)
}

fn of_headers<'a>(catalogue: &'a Catalogue, api: &str, json: &str) -> Option<&'a str> {
    let headers: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    headers.iter().find_map(|(name, value)| catalogue.version_of_header(api, name, value.as_str()?))
}

/// The journal of a consumer, if they ever called.
fn journal_at<'j>(consumers: &HashTable<u32>, hasher: &DefaultHashBuilder, journals: &'j [Kept], consumer: &str) -> Option<&'j Journal> {
    let at = consumers.find(hasher.hash_one(consumer), |at| *journals[*at as usize].consumer == *consumer);
    at.and_then(|at| journals.get(*at as usize)).map(|kept| &kept.journal)
}

/// An insight that counts for another API now leaves the one where it was.
fn leave(was: &str, found: &attribution::Attribution<'_>, event: &FeedbackEvent<'_>, work: &mut Work<'_>) -> Result<(), BadItem> {
    if was == found.api { Ok(()) } else { work.output.push(&Op::Remove(Removal { api: was, identity: event.head.identity })) }
}

fn conflict(what: &str) -> Reject {
    RejectReason::ConflictingDuplicate
        .because(format!("{what} with this `source` and `id` came before with other content: give a change an `id` of its own"))
}

/// Of each version and kind the last one stands, so only that is told.
fn tell_milestones(consumer: &str, told: Vec<Told>, output: &mut Output) -> Result<(), BadItem> {
    let mut last: Vec<Told> = Vec::with_capacity(told.len());
    for one in told {
        match last.iter_mut().find(|t| t.kind == one.kind && t.version == one.version && t.api == one.api) {
            Some(before) => *before = one,
            None => last.push(one),
        }
    }
    last.sort_unstable();
    last.iter().try_for_each(|t| {
        output.push(&Op::Milestone(Milestone {
            api: &t.api,
            version: &t.version,
            consumer,
            kind: t.kind,
            time: t.time,
            from: t.from.as_deref(),
            operation: &t.operation,
            failed_before: t.failed_before,
        }))
    })
}
