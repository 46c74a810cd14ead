//! A path, host or URL of the event belongs to one API or version in the catalogue.

use std::borrow::Cow;

use groundswell_catalogue::{By, Call, Resolved, method_and_path};

use groundswell_model::Rung;

use super::{Case, Finding, confidence};

/// Unknown fields whose value may be a path or URL that was called.
const FIELDS: &[&str] = &["path", "request_path", "endpoint", "api_endpoint", "route", "uri", "request_uri", "request_url", "resource"];
/// Unknown fields whose value may be the host called.
const HOST_FIELDS: &[&str] = &["host", "request_host", "server"];
/// Characters of a path shown as evidence.
const SHOWN: usize = 120;

/// A place that the event shows.
struct Shown<'a> {
    /// Which field shows it.
    field: &'a str,
    text: &'a str,
    resolved: Resolved<'a>,
}

pub(super) fn api<'a>(case: &Case<'a>) -> Option<(&'a str, String)> {
    let shown = places(case, None).find(|shown| !shown.resolved.api.is_empty())?;
    Some((shown.resolved.api, format!("{} {} belongs to {}", shown.field, cut(shown.text), shown.resolved.api)))
}

pub(super) fn version<'a>(case: &Case<'a>, api: &'a str) -> Option<Finding<'a>> {
    places(case, Some(api)).find_map(|Shown { field, text, resolved }| {
        let (says, confidence) = match resolved.by {
            By::Place => ("matches", confidence::PLACE),
            By::Operation => ("is only in", confidence::OPERATION),
            By::Prefix => ("begins with", confidence::PREFIX),
            By::Explicit | By::Nothing => return None,
        };
        let evidence = vec![format!("{field} {} {says} {}", cut(text), resolved.version)];
        Some(Finding::one(resolved.version, Rung::Path, resolved.declared, confidence, evidence))
    })
}

pub(super) fn operation<'a>(case: &Case<'a>, api: &'a str) -> Option<Cow<'a, str>> {
    places(case, Some(api)).map(|shown| shown.resolved.operation).find(|name| !name.is_empty())
}

/// The places that the event shows, most telling first: of any API, or of one.
fn places<'a>(case: &Case<'a>, api: Option<&'a str>) -> impl Iterator<Item = Shown<'a>> {
    let Case { event, catalogue, .. } = *case;
    let host = event.attributes.iter().find(|(name, _)| HOST_FIELDS.contains(name)).and_then(|(_, json)| plain(json)).unwrap_or_default();
    let called = move |field: &'a str, text: &'a str| {
        let (method, target) = method_and_path(text);
        let resolved = match target.starts_with('/') {
            true => match api {
                Some(api) => Some(catalogue.resolve_usage(&Call { api, method, path: target, host, ..Call::default() })),
                None => catalogue.resolve_path(host, method, target),
            },
            false => catalogue.resolve_url(method, target).filter(|r| api.is_none_or(|api| api == r.api)),
        };
        resolved.map(|resolved| Shown { field, text, resolved })
    };
    let operation = event.operation.into_iter().filter_map(move |text| called("operation", text));
    let fields =
        event.attributes.iter().filter(|(name, _)| FIELDS.contains(name)).filter_map(move |(name, json)| called(name, plain(json)?));
    // The link back to the ticket is a path of the support tool, unless the host is one of ours.
    let link = event.url.into_iter().filter(|url| url.contains("://")).filter_map(move |url| called("url", url));
    operation.chain(fields).chain(link)
}

/// A JSON string without escapes.
fn plain(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'))
}

fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}
