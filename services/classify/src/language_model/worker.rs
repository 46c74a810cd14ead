//! The thread that asks a language model: in batches, within budget, time and patience. Whatever happens to it, the local answer stands.

use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use groundswell_bus::Stop;
use groundswell_model::Timestamp;
use groundswell_runtime::settings::LanguageModelSettings;
use lru::LruCache;
use reqwest::StatusCode;
use reqwest::blocking::Client;
use reqwest::header::RETRY_AFTER;
use xxhash_rust::xxh3::xxh3_128;

use super::breaker::Breaker;
use super::budget::Budget;
use super::protocol::{self, Answer};

/// How long a batch is gathered after its first text.
const LINGER: Duration = Duration::from_millis(200);
/// How often the stop flag is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Tries of one batch.
const TRIES: u32 = 2;
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 1024 * 1024;

/// A text that the local model was unsure of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose feedback it is: the partition of `events`, and the identity.
    pub of: (u32, u128),
    /// Title and body, redacted.
    pub text: String,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whose feedback it is.
    pub of: (u32, u128),
    /// What was said; none where nobody could be asked.
    pub answer: Option<Answer>,
}

/// A request that failed.
#[derive(Debug)]
struct Failed {
    why: String,
    /// Milliseconds that the endpoint asked to be left alone.
    wait_ms: Option<i64>,
    /// Whether trying the same again may help.
    again: bool,
}

/// Asks, remembers, and gives up in good time.
pub(super) struct Worker {
    settings: LanguageModelSettings,
    key: Option<String>,
    client: Client,
    budget: Budget,
    breaker: Breaker,
    known: LruCache<u128, Answer>,
    clock: fn() -> Timestamp,
}

impl Worker {
    /// A worker for an endpoint. The key is read from its environment variable once.
    ///
    /// # Errors
    /// There is no HTTP client to be had, or the variable is not set.
    pub(super) fn new(settings: &LanguageModelSettings, clock: fn() -> Timestamp) -> anyhow::Result<Self> {
        let key = match settings.key_env.as_str() {
            "" => None,
            name => Some(std::env::var(name).map_err(|e| anyhow::anyhow!("classify.language_model.key_env = {name}: {e}"))?),
        };
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = Client::builder().timeout(timeout).connect_timeout(timeout).redirect(reqwest::redirect::Policy::none());
        // Plain HTTP is for this machine alone, which is never asked through a proxy.
        let client = if settings.url.starts_with("http://") { client.no_proxy() } else { client };
        Ok(Self {
            key,
            client: client.build()?,
            budget: Budget::new(settings.per_day),
            breaker: Breaker::default(),
            known: LruCache::new(NonZeroUsize::new(settings.cache).unwrap_or(NonZeroUsize::MIN)),
            settings: settings.clone(),
            clock,
        })
    }

    /// Works until told to stop, or until nobody asks any more.
    pub(super) fn run(mut self, questions: &Receiver<Question>, answers: &SyncSender<Answered>, stop: &Stop, nudge: impl Fn(u32)) {
        while !stop.is_set() {
            let first = match questions.recv_timeout(LOOK) {
                Ok(question) => question,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut batch = vec![first];
            while batch.len() < self.settings.batch
                && let Ok(question) = questions.recv_timeout(LINGER)
            {
                batch.push(question);
            }
            let mut told = std::collections::BTreeSet::new();
            for answered in self.answer(batch, stop) {
                if answered.answer.is_some() {
                    told.insert(answered.of.0);
                }
                // There is room for as many answers as questions may be open.
                if answers.send(answered).is_err() {
                    return;
                }
            }
            told.into_iter().for_each(&nudge);
        }
    }

    /// What comes of each question of a batch.
    pub(super) fn answer(&mut self, batch: Vec<Question>, stop: &Stop) -> Vec<Answered> {
        let (mut answered, mut open) = (Vec::new(), Vec::new());
        for question in batch {
            let hash = xxh3_128(question.text.as_bytes());
            match self.known.get(&hash) {
                Some(answer) => answered.push(Answered { of: question.of, answer: Some(answer.clone()) }),
                None => open.push((hash, question)),
            }
        }
        count("cached", answered.len());
        for _ in 0..TRIES {
            if open.is_empty() || stop.is_set() {
                break;
            }
            let now = (self.clock)();
            if !self.breaker.allows(now) {
                count("breaker", open.len());
                break;
            }
            let allowed = self.budget.take(open.len() as u64, now);
            let left = open.split_off(usize::try_from(allowed).unwrap_or(usize::MAX).min(open.len()));
            count("budget", left.len());
            answered.extend(left.into_iter().map(|(_, question)| Answered { of: question.of, answer: None }));
            match self.ask(&open) {
                Ok(answers) => {
                    self.breaker.succeeded();
                    count("answered", answers.iter().flatten().count());
                    for ((hash, question), answer) in open.drain(..).zip(answers) {
                        // Silence about a text is remembered, too: it is not asked twice.
                        let answer = answer.unwrap_or_default();
                        self.known.put(hash, answer.clone());
                        answered.push(Answered { of: question.of, answer: Some(answer) });
                    }
                }
                Err(failed) => {
                    tracing::warn!(why = failed.why, texts = open.len(), "the language model did not answer; local labels stand");
                    count("failed", open.len());
                    self.breaker.failed((self.clock)(), failed.wait_ms);
                    if !failed.again {
                        break;
                    }
                }
            }
        }
        answered.extend(open.into_iter().map(|(_, question)| Answered { of: question.of, answer: None }));
        answered
    }

    fn ask(&self, open: &[(u128, Question)]) -> Result<Vec<Option<Answer>>, Failed> {
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let texts: Vec<String> = open.iter().map(|(_, q)| q.text.clone()).collect();
        let mut request = self.client.post(&self.settings.url).json(&protocol::request(&self.settings.model, &texts));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let failed = |why: String, again| Failed { why, wait_ms: None, again };
        // Without the address: it may hold a secret.
        let response = request.send().map_err(|e| failed(e.without_url().to_string(), true))?;
        let status = response.status();
        if !status.is_success() {
            let wait = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse::<i64>().ok());
            let wait_ms = wait.map(|s| s.saturating_mul(1000).max(0));
            let again = wait_ms.is_none() && (status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error());
            return Err(Failed { why: format!("it answers {status}"), wait_ms, again });
        }
        let body = self.read(response, begun).map_err(|e| failed(e.to_string(), true))?;
        protocol::answers(&body, texts.len()).ok_or_else(|| failed("its answer is none that can be read".to_owned(), false))
    }

    /// The body, as far as it comes in time: an endpoint that drips would hold the thread for ever.
    fn read(&self, response: impl Read, begun: Instant) -> std::io::Result<Vec<u8>> {
        let patience = Duration::from_millis(self.settings.timeout_ms);
        let (mut body, mut chunk) = (Vec::new(), [0; 8192]);
        let mut response = response.take(ANSWER_BYTES);
        loop {
            let read = response.read(&mut chunk)?;
            if read == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..read]);
            if begun.elapsed() > patience {
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "its answer takes too long"));
            }
        }
    }
}

fn count(outcome: &'static str, texts: usize) {
    if texts > 0 {
        metrics::counter!("groundswell_language_model_texts_total", "outcome" => outcome).increment(texts as u64);
    }
}
