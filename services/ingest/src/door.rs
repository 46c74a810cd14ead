//! The door: what passes it has no personal data and no secrets, and has its consumer.
//!
//! Texts that people wrote are redacted whole. Names that things are counted by (API, operation, plan) pass as they
//! are: they come from programs, and a changed name would split what belongs together. A consumer that is an e-mail
//! address or holds a secret is replaced by a pseudonym, everywhere the same.

mod attributes;
mod feedback;
mod known;
mod usage;

use std::borrow::Cow;

use groundswell_catalogue::Identities;
use groundswell_contract::data::Person;
use groundswell_contract::{Data, Decoded};
use groundswell_model::EventHead;
use groundswell_model::frame::BadItem;
use groundswell_runtime::settings::Limits;
use groundswell_text::redact::{Redactor, pseudonym};

use crate::frames::Frames;

/// Consumer names from this length on are looked at for secrets: API keys are long, names are short.
const KEY_LIKE_BYTES: usize = 20;
/// Bytes kept of a text that is not counted by, such as a request id or an SDK.
const SHORT_BYTES: usize = 256;
/// Bytes kept of a body, whatever the settings say: a frame must fit into a record of 1 MiB, which Kafka takes by default,
/// or the pipeline would stop at it for ever.
const MOST_BODY_BYTES: usize = 900_000;
/// Bytes kept of a path or URL.
const PATH_BYTES: usize = 2048;

/// Redacts events and resolves their consumers.
#[derive(Debug)]
pub struct Door {
    redactor: Redactor,
    secret: [u8; 32],
    attributes: usize,
    attribute_bytes: usize,
    title_bytes: usize,
    body_bytes: usize,
}

impl Door {
    /// A door with this key for pseudonyms.
    #[must_use]
    pub fn new(secret: [u8; 32], limits: &Limits) -> Self {
        Self {
            redactor: Redactor::new(),
            secret,
            attributes: limits.attributes,
            attribute_bytes: limits.attribute_bytes,
            title_bytes: limits.title_bytes,
            body_bytes: limits.event_bytes.min(MOST_BODY_BYTES),
        }
    }

    /// Passes an event into the frame of its consumer. Of catalogue events nothing passes but who is known now:
    /// the rest is read from their topic.
    ///
    /// # Errors
    /// See [`Frames::push`].
    pub fn pass(&self, event: &Decoded, head: EventHead<'_>, people: &Identities, frames: &mut Frames) -> Result<(), BadItem> {
        match &event.data {
            Data::Usage(data) => self.usage(event, data, head, frames),
            Data::Ticket(data) => self.ticket(event, data, head, people, frames),
            Data::Survey(data) => self.survey(event, data, head, people, frames),
            Data::Identity(data) => self.known(data, &head, frames),
            Data::Release(_) | Data::Correction(_) | Data::Theme(_) => Ok(()),
        }
    }

    /// The consumer as published, unless that is personal or secret.
    fn consumer<'t>(&self, name: &'t str) -> Cow<'t, str> {
        let personal = name.contains('@') || (name.len() >= KEY_LIKE_BYTES && !self.redactor.redact(name, &[]).counts.is_empty());
        if personal { Cow::Owned(pseudonym(&self.secret, name)) } else { Cow::Borrowed(name) }
    }

    /// The consumer that feedback counts for: as published, by the identity map, or a pseudonym of who wrote.
    fn consumer_of<'t>(&self, published: Option<&'t str>, person: Option<&Person>, people: &'t Identities) -> Cow<'t, str> {
        if let Some(name) = published {
            return self.consumer(name);
        }
        let Some(person) = person else { return Cow::Borrowed("") };
        match people.resolve(person.id.as_deref(), person.email.as_deref(), person.org.as_deref()) {
            Some(name) => self.consumer(name),
            None => self
                .requester(person)
                .or_else(|| Some(pseudonym(&self.secret, person.org.as_deref()?)))
                .map_or(Cow::Borrowed(""), Cow::Owned),
        }
    }

    /// The keyed hash of who wrote: by id, which a support tool keeps when the e-mail address changes, else by address.
    fn requester(&self, person: &Person) -> Option<String> {
        person.id.as_deref().or(person.email.as_deref()).map(|who| pseudonym(&self.secret, who))
    }
}

/// The beginning of a text, at most so many bytes, ending at a character.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// A short text that is kept as it is, but bounded.
fn short(text: Option<&String>) -> Option<&str> {
    text.map(|t| cut(t, SHORT_BYTES))
}

/// In lower case, borrowed where it is already.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }
}

/// In capitals, borrowed where it is already.
fn upper(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_lowercase()) { Cow::Owned(text.to_ascii_uppercase()) } else { Cow::Borrowed(text) }
}
