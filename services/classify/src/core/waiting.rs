//! Feedback that waits for evidence: for usage that comes late, or for its requester to be known.
//!
//! It is in the index meanwhile, where it stands: nothing is hidden. When evidence comes it moves, once. How long and how
//! many wait is bounded; what leaves for that stays where it is. All of it is state, an entry for each.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_model::frame::{self, BadFrame, BadItem};
use groundswell_model::{FeedbackEvent, IdentityHash, Known, Rung, Timestamp};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Pieces of feedback that wait in one partition at most.
pub const MOST: usize = 5_000;
/// Bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How long one waits, by when the pipeline received it and later ones.
const LONGEST_MS: i64 = 7 * 86_400_000;

/// Oldest first.
type Key = (Timestamp, u128);

/// A piece of feedback that waits, as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Form<'a> {
    api: &'a str,
    rung: Rung,
    #[serde(borrow)]
    event: FeedbackEvent<'a>,
}

#[derive(Debug)]
struct Held {
    /// When it was written: only calls before can be evidence.
    time: Timestamp,
    consumer: Box<str>,
    org: Option<Box<str>>,
    domain: Option<Box<str>>,
    /// The whole [`Form`].
    bytes: Box<[u8]>,
}

/// A piece of feedback that waits, to be looked at.
#[derive(Debug)]
pub struct Waits<'a> {
    /// The API that it counts for.
    pub api: &'a str,
    /// What decided that.
    pub rung: Rung,
    /// The feedback.
    pub event: FeedbackEvent<'a>,
}

/// Everything that waits in a partition.
#[derive(Debug, Default)]
pub struct Waiting {
    held: BTreeMap<Key, Held>,
    keys: HashMap<u128, Timestamp>,
    by_consumer: HashMap<Box<str>, BTreeSet<Key>>,
    bytes: usize,
}

impl Waiting {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Lets a piece of feedback wait. The answer is its state value, and the identities that had to leave.
    ///
    /// # Errors
    /// It can't be carried.
    pub fn hold(&mut self, event: &FeedbackEvent<'_>, api: &str, rung: Rung) -> Result<(Vec<u8>, Vec<IdentityHash>), BadItem> {
        let value = frame::encode_one(&Form { api, rung, event: event.clone() })?;
        self.insert(event, value.clone());
        let oldest = event.head.received.plus_ms(-LONGEST_MS);
        let mut left = Vec::new();
        while let Some((&key, _)) = self.held.first_key_value() {
            if self.held.len() <= MOST && self.bytes <= MOST_BYTES && key.0 >= oldest {
                break;
            }
            self.remove(IdentityHash(key.1));
            left.push(IdentityHash(key.1));
        }
        Ok((value, left))
    }

    /// Takes in what was written.
    ///
    /// # Errors
    /// It was not written by this version of the program.
    pub fn restore(&mut self, value: &[u8]) -> Result<(), BadFrame> {
        let form = read(value)?;
        self.remove(form.event.head.identity);
        self.insert(&form.event, value.to_vec());
        Ok(())
    }

    fn insert(&mut self, event: &FeedbackEvent<'_>, value: Vec<u8>) {
        let key = (event.head.received, event.head.identity.0);
        let consumer: Box<str> = event.head.consumer.into();
        self.bytes += value.len();
        self.keys.insert(key.1, key.0);
        self.by_consumer.entry(consumer.clone()).or_default().insert(key);
        self.held.insert(
            key,
            Held {
                time: event.head.time,
                consumer,
                org: event.org.map(Into::into),
                domain: event.domain.map(Into::into),
                bytes: value.into(),
            },
        );
    }

    /// It waits no more. The answer is what was written.
    pub fn remove(&mut self, identity: IdentityHash) -> Option<Box<[u8]>> {
        let key = (self.keys.remove(&identity.0)?, identity.0);
        let held = self.held.remove(&key)?;
        self.bytes -= held.bytes.len();
        if let Some(keys) = self.by_consumer.get_mut(&held.consumer) {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_consumer.remove(&held.consumer);
            }
        }
        Some(held.bytes)
    }

    /// What waits of a consumer and was written at `call` or later, oldest first. A later call is no evidence: so most
    /// calls cost a look-up, and only those that come late cost more.
    #[must_use]
    pub fn of_consumer(&self, consumer: &str, call: Timestamp) -> Vec<Box<[u8]>> {
        let keys = self.by_consumer.get(consumer).into_iter().flatten();
        keys.filter_map(|key| self.held.get(key)).filter(|held| held.time >= call).map(|held| held.bytes.clone()).collect()
    }

    /// What waits of people who are known now, oldest first: by their pseudonym, else by e-mail domain or organisation.
    #[must_use]
    pub fn of_known(&self, known: &Known<'_>) -> Vec<IdentityHash> {
        let is_one = |held: &Held| {
            let stranger = held.consumer.starts_with('~');
            let by_domain = || held.domain.as_deref().is_some_and(|d| known.keys.contains(&d));
            let by_org = || held.org.as_deref().zip(known.org).is_some_and(|(a, b)| a.trim().to_lowercase() == b);
            stranger && (known.keys.contains(&&*held.consumer) || by_domain() || by_org())
        };
        if known.org.is_none() && known.keys.len() == 1 && known.keys[0] == known.head.consumer {
            let keys = self.by_consumer.get(known.head.consumer).into_iter().flatten();
            return keys.map(|(_, identity)| IdentityHash(*identity)).collect();
        }
        self.held.iter().filter(|(_, held)| is_one(held)).map(|((_, identity), _)| IdentityHash(*identity)).collect()
    }
}

/// Reads what was written.
///
/// # Errors
/// It was not written by this version of the program.
pub fn look(value: &[u8]) -> Result<Waits<'_>, BadFrame> {
    read(value).map(|Form { api, rung, event }| Waits { api, rung, event })
}

fn read(value: &[u8]) -> Result<Form<'_>, BadFrame> {
    frame::read::<Form<'_>>(value).next().unwrap_or(Err(BadFrame::Empty))
}
