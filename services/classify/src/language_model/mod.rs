//! A language model for what the local model is unsure of. Off unless configured.
//!
//! The pipeline never waits for it. What was told to the index with doubts, and is committed, goes into a bounded queue; a thread of
//! its own ([`worker`]) asks in batches, within a [`budget`] for the day and behind a [`breaker`]; what it answers, in our words only
//! ([`protocol`]), goes out as an insight in place of the first one in the next atomic step of the partition. Whatever was told of the
//! same feedback in between wins: its question is forgotten. Nothing of this is state: after a crash the local answer stands.

pub mod breaker;
pub mod budget;
pub mod protocol;
#[cfg(test)]
mod tests;
pub mod worker;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use groundswell_bus::{Bus, NewRecord, Stop, Topic};
use groundswell_model::frame::{self, BadItem};
use groundswell_model::{Insight, Op, Timestamp};
use groundswell_runtime::settings::LanguageModelSettings;
use groundswell_text::classify::UNSURE;
use hashbrown::HashMap;

use crate::core::Output;
use worker::{Answered, Question, Worker};

/// Shorter texts tell a language model no more than they told the local one.
const LEAST_TEXT: usize = 20;
const PUBLISH_TIME: Duration = Duration::from_secs(10);

/// An insight that was told to the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Whose feedback it is: the partition of `events`, and the identity.
    of: (u32, u128),
    /// The insight, where its labels doubt.
    doubted: Option<Vec<u8>>,
}

impl Heard {
    /// Notes an insight that a partition told.
    ///
    /// # Errors
    /// It can't be carried.
    pub fn of(partition: u32, insight: &Insight<'_>) -> Result<Self, BadItem> {
        let doubted = doubts(insight).then(|| frame::encode_one(insight)).transpose()?;
        Ok(Self { of: (partition, insight.identity.0), doubted })
    }
}

/// Whether the local model leaves open what it is or how it sounds, and there is a text to read.
fn doubts(insight: &Insight<'_>) -> bool {
    let labels = &insight.labels;
    let unsure = labels.kind.name == UNSURE || labels.sentiment.name == UNSURE;
    unsure && insight.title.len() + insight.body.len() >= LEAST_TEXT
}

/// The stage's side of the conversation.
pub struct Helper {
    model: String,
    most: usize,
    text_bytes: usize,
    questions: SyncSender<Question>,
    answers: Receiver<Answered>,
    /// Told with doubts and asked about.
    open: HashMap<(u32, u128), Vec<u8>>,
    /// Told with doubts in a step that is not committed yet.
    fresh: Vec<((u32, u128), Vec<u8>)>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// Starts the thread that asks.
    ///
    /// # Errors
    /// The key is missing, or the transport refuses.
    pub fn start(bus: &Arc<dyn Bus>, settings: &LanguageModelSettings, clock: fn() -> Timestamp, stop: Stop) -> anyhow::Result<Self> {
        let worker = Worker::new(settings, clock)?;
        let publisher = bus.publisher()?;
        let (questions, asked) = sync_channel(settings.queue);
        // As many answers as questions can be open: the thread never waits for the pipeline, nor the pipeline for it.
        let (told, answers) = sync_channel(settings.queue + settings.batch);
        let nudge = move |partition| {
            // An empty frame: a partition that nothing else comes to takes a step, too.
            let record = NewRecord::on(Topic::Events, partition, vec![frame::VERSION]);
            if let Err(error) = publisher.publish(vec![record], PUBLISH_TIME) {
                tracing::warn!(%error, "answers of the language model wait for the next events");
            }
        };
        let run = move || worker.run(&asked, &told, &stop, nudge);
        let thread = std::thread::Builder::new().name("language-model".into()).spawn(run)?;
        Ok(Self {
            model: settings.model.clone(),
            most: settings.queue,
            text_bytes: settings.text_bytes,
            questions,
            answers,
            open: HashMap::new(),
            fresh: Vec::new(),
            thread: Some(thread),
        })
    }

    /// At the beginning of a step: tells the index what was answered since.
    ///
    /// # Errors
    /// It can't be carried.
    pub fn answered(&mut self, output: &mut Output) -> Result<(), BadItem> {
        // A step that did not happen is done again, and heard again.
        self.fresh.clear();
        while let Ok(Answered { of, answer }) = self.answers.try_recv() {
            let (Some(bytes), Some(answer)) = (self.open.remove(&of), answer) else { continue };
            let Some(Ok(mut insight)) = frame::read::<Insight<'_>>(&bytes).next() else { continue };
            if answer.over(&mut insight.labels, &self.model) {
                metrics::counter!("groundswell_language_model_insights_total").increment(1);
                output.push(&Op::Upsert(Box::new(insight)))?;
            }
        }
        Ok(())
    }

    /// At the end of a step: what it told. An answer about what was told before is of no use now.
    pub fn heard(&mut self, all: Vec<Heard>) {
        for Heard { of, doubted } in all {
            self.open.remove(&of);
            self.fresh.retain(|(other, _)| *other != of);
            self.fresh.extend(doubted.map(|bytes| (of, bytes)));
        }
    }

    /// The step is committed: what it told with doubts is asked about, as far as there is room.
    pub fn committed(&mut self) {
        for (of, bytes) in std::mem::take(&mut self.fresh) {
            let Some(Ok(insight)) = frame::read::<Insight<'_>>(&bytes).next() else { continue };
            let mut text = if insight.title.is_empty() { insight.body.to_owned() } else { format!("{}\n{}", insight.title, insight.body) };
            text.truncate(text.floor_char_boundary(self.text_bytes));
            let full = self.open.len() >= self.most || self.questions.try_send(Question { of, text }).is_err();
            if full {
                metrics::counter!("groundswell_language_model_texts_total", "outcome" => "queue_full").increment(1);
                continue;
            }
            self.open.insert(of, bytes);
        }
        metrics::gauge!("groundswell_language_model_open").set(f64::from(u32::try_from(self.open.len()).unwrap_or(u32::MAX)));
    }

    /// A partition is somebody else's now.
    pub fn revoked(&mut self, partition: u32) {
        self.open.retain(|of, _| of.0 != partition);
        self.fresh.retain(|(of, _)| of.0 != partition);
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // With nobody left to ask, the thread ends after the request that it is in; a slow endpoint must not hold up the end.
        let (questions, _) = sync_channel(0);
        self.questions = questions;
        drop(self.thread.take());
    }
}
