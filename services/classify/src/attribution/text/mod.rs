//! What a text says about the API, its version and its operation.
//!
//! Three steps: [`tokens`] cuts it into words with their clauses, [`mentions`] finds what may name a version, a place or an
//! API, [`cues`] judges from the words around how it is meant. A mention never decides alone: it is a [`Saying`]
//! with a likelihood, which [`super::belief`] weighs against what the consumer calls.

mod cues;
mod dates;
mod mentions;
mod places;
mod tokens;
mod words;

use std::borrow::Cow;

use groundswell_catalogue::Catalogue;

use super::Case;

/// Bytes of a text that are read.
const MOST_BYTES: usize = 24 * 1024;
/// Sayings kept of one text.
const MOST_SAYINGS: usize = 24;

/// What a saying is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum About<'a> {
    /// An API, whichever version.
    Api(&'a str),
    /// A version of one API.
    Place { api: &'a str, version: &'a str },
    /// A version of whichever API has one of this name.
    Named(Cow<'a, str>),
}

/// One thing that a text says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saying<'a> {
    pub(super) about: About<'a>,
    /// How many times likelier this text is if it is about that than if it is not.
    pub(super) likelihood: f64,
    /// For people: what stands in the text and how it is understood.
    pub(super) shown: String,
    /// The operation that it shows.
    pub(super) operation: Option<Cow<'a, str>>,
}

impl Saying<'_> {
    /// Whether it is of this API, whichever version.
    pub(super) fn names_api(&self, api: &str) -> bool {
        matches!(&self.about, About::Api(a) | About::Place { api: a, .. } if *a == api)
    }

    /// Whether it can tell versions apart.
    pub(super) fn tells_versions(&self) -> bool {
        !matches!(self.about, About::Api(_))
    }

    /// Whether it is about this API version.
    pub(super) fn is_about(&self, api: &str, version: &str, catalogue: &Catalogue) -> bool {
        match &self.about {
            About::Api(named) => *named == api,
            About::Place { api: a, version: v } => *a == api && *v == version,
            About::Named(name) => match catalogue.api(api) {
                Some(declared) => declared.version(name).map_or(same_version(name, version), |v| v.name() == version),
                None => same_version(name, version),
            },
        }
    }
}

/// `v2`, `V2` and `2` are one.
fn same_version(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.to_lowercase().trim_start_matches('v').to_owned();
    bare(a) == bare(b)
}

/// What title and body say, and the SDK that the event names. `apis` are those it may be about: the consumer's, or the one named.
pub(super) fn read<'a>(case: &Case<'a>, apis: &[&'a str]) -> Vec<Saying<'a>> {
    let event = case.event;
    let mut sayings = Vec::new();
    if let Some(sdk) = event.sdk {
        sayings.extend(mentions::sdk(case.catalogue, apis, sdk));
    }
    for text in [event.title, event.body] {
        let text = &text[..text.floor_char_boundary(MOST_BYTES)];
        let tokens = tokens::cut(text);
        places::find(case.catalogue, apis, &tokens, &mut sayings);
        mentions::find(case.catalogue, apis, &tokens, &mut sayings);
    }
    strongest(sayings)
}

/// Said twice is not known twice: of each thing the strongest saying for it and the strongest against it stay.
fn strongest(sayings: Vec<Saying<'_>>) -> Vec<Saying<'_>> {
    let mut kept: Vec<Saying<'_>> = Vec::new();
    for saying in sayings {
        let side = |s: &Saying<'_>| s.likelihood >= 1.0;
        let strength = |s: &Saying<'_>| s.likelihood.ln().abs();
        let room = kept.len() < MOST_SAYINGS;
        match kept.iter_mut().find(|k| k.about == saying.about && side(k) == side(&saying)) {
            Some(known) if strength(&saying) > strength(known) => {
                let operation = saying.operation.clone().or_else(|| known.operation.take());
                *known = Saying { operation, ..saying };
            }
            Some(known) => known.operation = known.operation.take().or(saying.operation),
            None if room => kept.push(saying),
            None => {}
        }
    }
    kept
}
