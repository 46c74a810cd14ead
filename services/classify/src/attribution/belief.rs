//! What usage and text say together: a weight for every API version that it may be about.
//!
//! Usage gives the prior: how much the consumer called each version, each call weighed by how likely feedback trails
//! it by so long. What the text says multiplies it. So a version that is named but never called stays unlikely, and
//! one that is named and called decides.

use groundswell_model::{Timestamp, UNKNOWN_VERSION};

use super::Case;
use super::text::{About, Saying};

/// Feedback trails the call that caused it: half of it by hours, half by days. Half lives of both parts.
const HOURS_MS: f64 = 6.0 * 3_600_000.0;
const DAYS_MS: f64 = 48.0 * 3_600_000.0;
/// Weight of the plain share of calls beside that of recent ones, with many calls; how much more with very few; and what few are.
const PLAIN_SHARE: f64 = 0.05;
const FEW_CALLS: f64 = 0.25;
const FEW: f64 = 8.0;
/// APIs differ in how often one writes about a call to them: shares between them say less than shares between versions.
const BETWEEN_APIS: f64 = 0.5;
/// Calls to another API that may have been missed.
const UNSEEN_CALLS: f64 = 0.7;
/// Prior of a declared version that the consumer never called.
const NEVER_CALLED: f64 = 0.01;
/// Together they have no more.
const ALL_NEVER_CALLED: f64 = 0.05;
/// Declared versions looked at of one API.
const MOST_DECLARED: usize = 64;
/// From this likelihood on a saying brings in an API that was never called: `orders` may be a word like any other.
pub(super) const NAMES_API: f64 = 10.0;
/// Feedback is written more readily in the days after a move.
const NEW_DAYS_MS: i64 = 7 * 86_400_000;
const NEWCOMER: f64 = 1.6;

/// An API version that it may be about.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    pub(super) api: &'a str,
    pub(super) version: &'a str,
    /// Calls in the look-back window.
    pub(super) calls: u64,
    pub(super) first: Timestamp,
    pub(super) last_event: &'a str,
    pub(super) prior: f64,
    /// What the text makes of it.
    pub(super) likelihood: f64,
}

impl Pair<'_> {
    pub(super) fn weight(&self) -> f64 {
        self.prior * self.likelihood
    }
}

/// Share of feedback that is written within so long after its cause.
fn passed(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few weeks")]
    let ms = ms as f64;
    1.0 - 0.5 * (-std::f64::consts::LN_2 * ms / HOURS_MS).exp() - 0.5 * (-std::f64::consts::LN_2 * ms / DAYS_MS).exp()
}

/// The versions called in the look-back window: of one API, or of all. Their priors add up to 1.
pub(super) fn called<'a>(case: &Case<'a>, api: Option<&str>) -> Vec<Pair<'a>> {
    let (from, at) = (case.look_back(), case.event.head.time);
    let Some(journal) = case.journal else { return Vec::new() };
    let mut pairs: Vec<Pair<'a>> = journal
        .within(api, from, at)
        .into_iter()
        .map(|(u, calls)| {
            let moved_in = u.first.plus_ms(NEW_DAYS_MS) > at && journal.uses().iter().any(|o| o.api == u.api && o.first < u.first);
            let prior = u.recent(from, at, passed) * if moved_in { NEWCOMER } else { 1.0 };
            Pair { api: &u.api, version: &u.version, calls, first: u.first, last_event: &u.last_event, prior, likelihood: 1.0 }
        })
        .collect();
    // Calls whose version nobody knows say nothing where others do.
    if pairs.iter().any(|p| p.version != UNKNOWN_VERSION) {
        pairs.retain(|p| p.version != UNKNOWN_VERSION);
    }
    smooth(&mut pairs);
    pairs
}

/// Makes shares of the weights. Few calls tell little of which are recent by more than chance: then the plain share counts too.
fn smooth(pairs: &mut [Pair<'_>]) {
    let all: f64 = pairs.iter().map(|p| p.prior).sum();
    let calls: f64 = pairs.iter().map(|p| real(p.calls)).sum();
    let even = 1.0 / pairs.len().max(1) as f64;
    let plain = PLAIN_SHARE + FEW_CALLS / (1.0 + calls / FEW);
    for p in pairs {
        let recent = if all > 0.0 { p.prior / all } else { even };
        let share = if calls > 0.0 { real(p.calls) / calls } else { even };
        p.prior = (1.0 - plain) * recent + plain * share;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
pub(super) fn real(n: u64) -> f64 {
    n as f64
}

/// Adds the declared versions of these APIs that were not called. Where nothing was called at all, they are alike.
pub(super) fn add_declared<'a>(pairs: &mut Vec<Pair<'a>>, case: &Case<'a>, apis: &[&'a str]) {
    let none_called = pairs.is_empty();
    let mut added = Vec::new();
    for api in apis {
        let out = |v: &&groundswell_catalogue::Version| v.released().is_none_or(|t| t <= case.event.head.time);
        for version in case.catalogue.versions(api).filter(out).rev().take(MOST_DECLARED) {
            if !pairs.iter().any(|p| p.api == *api && p.version == version.name()) {
                let pair = Pair {
                    api,
                    version: version.name(),
                    calls: 0,
                    first: Timestamp::default(),
                    last_event: "",
                    prior: 1.0,
                    likelihood: 1.0,
                };
                added.push(pair);
            }
        }
    }
    let each = if none_called { 1.0 } else { NEVER_CALLED.min(ALL_NEVER_CALLED / (added.len().max(1)) as f64) };
    added.iter_mut().for_each(|p| p.prior = each);
    pairs.append(&mut added);
}

/// Lets the text speak.
pub(super) fn hear(pairs: &mut [Pair<'_>], sayings: &[Saying<'_>], case: &Case<'_>) {
    for saying in sayings {
        let fits: Vec<bool> = pairs.iter().map(|p| saying.is_about(p.api, p.version, case.catalogue)).collect();
        // What fits nothing, or everything, tells nothing.
        if fits.iter().any(|f| *f) && !fits.iter().all(|f| *f) {
            pairs.iter_mut().zip(fits).filter(|(_, fits)| *fits).for_each(|(p, _)| p.likelihood *= saying.likelihood);
        }
    }
}

/// APIs that the text names by themselves or by a place that is theirs.
pub(super) fn named_apis<'a>(sayings: &[Saying<'a>]) -> Vec<&'a str> {
    let mut apis: Vec<&'a str> = sayings
        .iter()
        .filter(|s| s.likelihood >= NAMES_API)
        .filter_map(|s| match s.about {
            About::Api(api) | About::Place { api, .. } => Some(api),
            About::Named(_) => None,
        })
        .collect();
    apis.sort_unstable();
    apis.dedup();
    apis
}

/// The API that most weight is on, and how much of it.
pub(super) fn best_api<'a>(pairs: &[Pair<'a>]) -> Option<(&'a str, f64)> {
    let mut apis: Vec<&'a str> = pairs.iter().map(|p| p.api).collect();
    apis.sort_unstable();
    apis.dedup();
    let sum = |api: &str, of: &dyn Fn(&Pair<'_>) -> f64| pairs.iter().filter(|p| p.api == api).map(of).sum::<f64>();
    let weights: Vec<(&'a str, f64)> = apis
        .into_iter()
        .map(|api| {
            let (prior, weight) = (sum(api, &|p| p.prior), sum(api, &|p| p.weight()));
            // What was never called gets nothing from that: a word of the text must not outweigh what is called.
            let called = pairs.iter().any(|p| p.api == api && p.calls > 0);
            (api, if called && prior > 0.0 { prior.powf(BETWEEN_APIS) * weight / prior } else { weight })
        })
        .collect();
    let all: f64 = weights.iter().map(|(_, w)| w).sum();
    let (api, weight) = weights.into_iter().max_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| b.cmp(a)))?;
    (all > 0.0).then(|| (api, weight / all))
}

/// How sure it is that an API is meant because it is called: a single call says little. 1 where other things tell.
pub(super) fn enough_calls(pairs: &[Pair<'_>], api: &str) -> f64 {
    let calls: f64 = pairs.iter().filter(|p| p.api == api).map(|p| real(p.calls)).sum();
    if calls > 0.0 { calls / (calls + UNSEEN_CALLS) } else { 1.0 }
}
