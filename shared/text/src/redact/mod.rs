//! Personal data and secrets, replaced by typed placeholders such as `[email]`.
//!
//! [`Redactor`] passes over a text once. What has a check digit, a known prefix or a grammar of its
//! own is found by that; what has not (telephone numbers, passwords) needs words around it that say
//! so, because feedback about an API is full of ids, hashes, versions and code, and those must stay.
//! How well that works, and against what, is in `docs/redaction.md`.

use std::borrow::Cow;

mod bytes;
mod card;
mod context;
mod email;
#[cfg(test)]
mod everyday_tests;
mod iban;
mod ip;
mod keys;
mod kind;
mod names;
mod national_id;
mod path;
mod phone;
mod pseudonym;
mod scan;
mod secret;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use bytes::Hit;
pub(crate) use bytes::placeholder_end;
pub use kind::Kind;
pub use pseudonym::pseudonym;

use keys::Formats;
use names::Names;
use scan::Scan;
use secret::Place;

/// Replacing can bring together what was apart; then the text is gone over again, at most so often.
const MOST_PASSES: usize = 8;

/// A text without its personal data and secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'t> {
    /// The text; borrowed where nothing was found.
    pub text: Cow<'t, str>,
    /// How often each kind was found, without kinds that were not.
    pub counts: Vec<(Kind, u32)>,
}

/// Finds and replaces personal data and secrets. Built once, shared by all threads.
#[derive(Clone, Debug)]
pub struct Redactor {
    formats: Formats,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// A redactor for every kind there is.
    #[must_use]
    pub fn new() -> Self {
        Self { formats: Formats::new() }
    }

    /// Replaces personal data and secrets in a text; `names` are also replaced, wherever they occur as whole words.
    /// Redacting a redacted text changes nothing.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str, names: &[&str]) -> Redacted<'t> {
        self.replace(text, Names::new(names).as_ref(), Place::Text)
    }

    /// What is found in a text, in order and without overlap, without replacing it.
    #[must_use]
    pub fn find(&self, text: &str, names: &[&str]) -> Vec<Hit> {
        Scan::new(text, &self.formats, Names::new(names).as_ref(), Place::Text).run()
    }

    /// Replaces personal data and secrets in a request path. A plain path is returned as it is, without allocation.
    #[must_use]
    pub fn redact_path<'t>(&self, path: &'t str) -> Cow<'t, str> {
        if path::is_plain(path.as_bytes(), &self.formats) {
            return Cow::Borrowed(path);
        }
        self.replace(path, None, Place::Path).text
    }

    /// Removes user information from a URL, and replaces secrets in its query and personal data anywhere in it.
    #[must_use]
    pub fn redact_url<'t>(&self, url: &'t str) -> Cow<'t, str> {
        let stripped = path::without_user(url);
        match stripped {
            Cow::Borrowed(url) => self.replace(url, None, Place::Url).text,
            Cow::Owned(url) => Cow::Owned(self.replace(&url, None, Place::Url).text.into_owned()),
        }
    }

    fn replace<'t>(&self, text: &'t str, names: Option<&Names>, place: Place) -> Redacted<'t> {
        let mut redacted = Redacted { text: Cow::Borrowed(text), counts: Vec::new() };
        for _ in 0..MOST_PASSES {
            let hits = Scan::new(&redacted.text, &self.formats, names, place).run();
            if hits.is_empty() {
                break;
            }
            hits.iter().for_each(|h| count(&mut redacted.counts, h.kind));
            redacted.text = Cow::Owned(with_placeholders(&redacted.text, &hits));
        }
        redacted
    }
}

fn count(counts: &mut Vec<(Kind, u32)>, kind: Kind) {
    match counts.iter_mut().find(|(k, _)| *k == kind) {
        Some((_, n)) => *n += 1,
        None => counts.push((kind, 1)),
    }
}

fn with_placeholders(text: &str, hits: &[Hit]) -> String {
    let mut out = String::with_capacity(text.len() + 8 * hits.len());
    let mut at = 0;
    for hit in hits {
        out.push_str(text.get(at..hit.start).unwrap_or_default());
        out.push_str(hit.kind.placeholder());
        at = hit.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
