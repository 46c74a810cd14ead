//! URLs, paths, hosts, operations and API names in a text, looked up in the catalogue.

use std::borrow::Cow;

use groundswell_catalogue::{By, Call, Catalogue, Resolved};

use super::tokens::Token;
use super::words::List;
use super::{About, Saying, cues};

/// A URL or path that only one version serves.
const PLACE: f64 = 150.0;
/// A path of an API, whichever version.
const PATH_OF_API: f64 = 40.0;
/// An operation that only some versions have.
const OPERATION: f64 = 12.0;
/// An operation of an API.
const OPERATION_OF_API: f64 = 25.0;
/// The name of an API beside the word API or a version.
const API: f64 = 20.0;
/// The name of an API as a word.
const API_WORD: f64 = 3.0;
/// A word that paths of an API have.
const THING: f64 = 5.0;
const SHORTEST_THING: usize = 4;
/// Operations and APIs looked at for such words.
const MOST_OPERATIONS: usize = 1_000;
const MOST_APIS_BY_THING: usize = 20;
/// A shorter word is no operation's name.
const SHORTEST_OPERATION: usize = 5;
/// Characters shown of a place.
const SHOWN: usize = 80;
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Appends what the text shows of the catalogue.
pub(super) fn find<'a>(catalogue: &'a Catalogue, apis: &[&'a str], tokens: &[Token<'a>], sayings: &mut Vec<Saying<'a>>) {
    // A plain word is no place, and no operation's name by its looks.
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| !token.plain) {
        let before = at.checked_sub(1).and_then(|b| tokens.get(b)).map_or("", |t| t.text);
        let method = if METHODS.contains(&before) { before } else { "" };
        let found = match token.text {
            url if url.contains("://") => catalogue.resolve_url(method, url),
            path if path.starts_with('/') && path.len() > 2 => path_of(catalogue, apis, method, path),
            host if is_host(host) => host_of(catalogue, host),
            _ => None,
        };
        match found {
            Some(resolved) => say_place(token.text, resolved, tokens, at, sayings),
            None if looks_like_operation(token.text) => say_operation(catalogue, apis, token.text, sayings),
            None => {}
        }
    }
    for api in apis {
        say_api(api, tokens, sayings);
    }
    if apis.len() > 1 {
        apis.iter().take(MOST_APIS_BY_THING).for_each(|api| say_thing(catalogue, api, tokens, sayings));
    }
}

/// What the paths of an API are about: `refunds`, `invoices`. Things that several APIs have tell nothing, as each has its saying.
fn say_thing<'a>(catalogue: &'a Catalogue, api: &'a str, tokens: &[Token<'_>], sayings: &mut Vec<Saying<'a>>) {
    let operations = catalogue.versions(api).flat_map(|v| v.operations()).take(MOST_OPERATIONS);
    let mut things: Vec<&str> = operations
        .flat_map(|o| o.template.split('/'))
        .filter(|s| s.len() >= SHORTEST_THING && s.bytes().all(|b| b.is_ascii_lowercase()))
        .collect();
    things.sort_unstable();
    things.dedup();
    let stem = |word: &'_ str| word.trim_end_matches('s').len();
    let named = tokens.iter().find(|t| things.iter().any(|thing| t.lower.get(..stem(&t.lower)) == thing.get(..stem(thing))));
    if let Some(token) = named {
        sayings.push(Saying {
            about: About::Api(api),
            likelihood: THING,
            shown: format!("text speaks of {}, of {api}", token.lower),
            operation: None,
        });
    }
}

fn path_of<'a>(catalogue: &'a Catalogue, apis: &[&'a str], method: &'a str, path: &'a str) -> Option<Resolved<'a>> {
    let told = |r: &Resolved<'_>| !r.version.is_empty() && r.declared || !r.operation.is_empty() && r.listed;
    // Of many APIs one may be the only one with a `v1`: that a path begins with it says nothing of the API.
    let told = |r: &Resolved<'_>| told(r) && (r.by != By::Prefix || apis.len() == 1);
    catalogue.resolve_path("", method, path).filter(told).or_else(|| {
        let mut fitting = apis.iter().map(|api| catalogue.resolve_usage(&Call { api, method, path, ..Call::default() })).filter(told);
        let first = fitting.next()?;
        fitting.all(|other| other.api == first.api).then_some(first)
    })
}

fn is_host(word: &str) -> bool {
    word.len() > 5 && word.matches('.').count() >= 2 && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn host_of<'a>(catalogue: &'a Catalogue, host: &str) -> Option<Resolved<'a>> {
    let found = catalogue.resolve_path(&host.to_ascii_lowercase(), "", "/").map(|r| (r.api, r.version, r.by))?;
    let (api, version, by) = found;
    // Without a host the root may belong to somebody else; a host of ours is told apart by asking for a stranger's.
    let stranger = catalogue.resolve_path("nobody.invalid", "", "/");
    let ours = stranger.is_none_or(|s| (s.api, s.version) != (api, version));
    ours.then_some(Resolved { api, version, operation: Cow::Borrowed(""), declared: !version.is_empty(), listed: true, by })
}

fn say_place<'a>(shown: &str, found: Resolved<'a>, tokens: &[Token<'_>], at: usize, sayings: &mut Vec<Saying<'a>>) {
    let operation = (!found.operation.is_empty() && found.listed).then_some(found.operation);
    let short: String = shown.chars().take(SHOWN).collect();
    if found.version.is_empty() {
        let shown = format!("text shows {short}, of {}", found.api);
        sayings.push(Saying { about: About::Api(found.api), likelihood: PATH_OF_API, shown, operation });
        return;
    }
    let likelihood = cues::of_place(tokens, at, PLACE);
    let about = About::Place { api: found.api, version: found.version };
    let verb = if likelihood < 1.0 { "sets apart" } else { "shows" };
    sayings.push(Saying { about, likelihood, shown: format!("text {verb} {short}, of {} {}", found.api, found.version), operation });
}

/// `createRefund`, `create_refund`, `refunds.create`: no word of a language.
fn looks_like_operation(word: &str) -> bool {
    let inner = word.get(1..).unwrap_or_default();
    word.len() >= SHORTEST_OPERATION
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && inner.bytes().any(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'.' | b'-'))
}

fn say_operation<'a>(catalogue: &'a Catalogue, apis: &[&'a str], word: &'a str, sayings: &mut Vec<Saying<'a>>) {
    for api in apis {
        let has = |version: &str| catalogue.resolve_usage(&Call { api, version, operation: word, ..Call::default() }).listed;
        let (with, without): (Vec<&str>, Vec<&str>) = catalogue.versions(api).map(|v| v.name()).partition(|v| has(v));
        if with.is_empty() {
            continue;
        }
        let operation = Some(Cow::Borrowed(word));
        let shown = format!("text names {word}, of {api}");
        sayings.push(Saying { about: About::Api(api), likelihood: OPERATION_OF_API, shown, operation });
        if without.is_empty() {
            continue;
        }
        for version in with {
            let shown = format!("text names {word}, which {api} {version} has");
            sayings.push(Saying { about: About::Place { api, version }, likelihood: OPERATION, shown, operation: None });
        }
    }
}

/// The name of an API, in one word or several.
fn say_api<'a>(api: &'a str, tokens: &[Token<'_>], sayings: &mut Vec<Saying<'a>>) {
    let lower = api.to_lowercase();
    let words: Vec<&str> = lower.split(['-', '_', ' ']).filter(|w| !w.is_empty() && *w != "api").collect();
    if words.is_empty() {
        return;
    }
    let mut best = 0.0f64;
    for at in 0..tokens.len() {
        let Some(run) = tokens.get(at..at + words.len()) else { break };
        let joined = run.first().is_some_and(|t| t.lower == lower);
        if !joined && !run.iter().zip(&words).all(|(t, w)| t.lower == **w) {
            continue;
        }
        let behind = tokens.get(at + if joined { 1 } else { words.len() });
        let beside = behind.is_some_and(|t| t.lower == "api" || t.is(List::Version) || is_version(&t.lower));
        best = best.max(if beside { API } else { API_WORD });
    }
    if best > 0.0 {
        sayings.push(Saying { about: About::Api(api), likelihood: best, shown: format!("text names {api}"), operation: None });
    }
}

/// `v2`, `v2.1`, `v2beta1`.
pub(super) fn is_version(lower: &str) -> bool {
    matches!(lower.as_bytes(), [b'v', digit, rest @ ..] if digit.is_ascii_digit() && rest.len() < 16
        && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')))
}
