//! Which API, version and operation a call is to.

use std::borrow::Cow;

use crate::catalogue::{Api, Catalogue};
use crate::derive;
use crate::openapi::host_name;
use crate::places::{Found, Slot};
use crate::routes::Hit;
use crate::version::Version;

/// What an event tells of a call. Nothing told: empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// The API as named by the publisher.
    pub api: &'a str,
    /// The API version as named by the publisher.
    pub version: &'a str,
    /// operationId, or method and path template, as named by the publisher.
    pub operation: &'a str,
    /// HTTP method.
    pub method: &'a str,
    /// Request path; query and fragment are left out of account.
    pub path: &'a str,
    /// Host name in lower case.
    pub host: &'a str,
}

/// What decided the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The event names it.
    Explicit,
    /// Host or base path belong to this version alone.
    Place,
    /// Of the versions served there, only this one has the operation.
    Operation,
    /// The path begins with a version name.
    Prefix,
    /// Nothing.
    Nothing,
}

/// The API, version and operation of a call. What is not known is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The API.
    pub api: &'a str,
    /// The version, by its declared name where an alias was given.
    pub version: &'a str,
    /// The operation: operationId, or method and template. Empty where the version's document has none that fits.
    pub operation: Cow<'a, str>,
    /// Whether the catalogue declares this version.
    pub declared: bool,
    /// Whether the operation is one that the version's document lists, or empty: their number is bounded.
    pub listed: bool,
    /// What decided the version.
    pub by: By,
}

/// An operation's name, and whether a document lists it.
#[derive(Clone, Debug)]
struct Name<'a> {
    text: Cow<'a, str>,
    listed: bool,
}

impl<'a> Name<'a> {
    fn listed(name: &'a str) -> Self {
        Self { text: Cow::Borrowed(name), listed: true }
    }

    fn told(name: &'a str) -> Self {
        Self { text: Cow::Borrowed(name), listed: name.is_empty() }
    }

    fn derived(method: &str, path: &str) -> Self {
        Self { text: Cow::Owned(derive::operation(method, path)), listed: false }
    }
}

/// The place of a path: which API, perhaps which version, and what the operation is called there.
struct Located<'a> {
    api: &'a Api,
    version: Option<(&'a Version, By)>,
    operation: Name<'a>,
    /// Whether the catalogue names the host.
    by_host: bool,
}

fn resolved<'a>(api: &'a str, version: &'a str, operation: Name<'a>, declared: bool, by: By) -> Resolved<'a> {
    Resolved { api, version, operation: operation.text, declared, listed: operation.listed, by }
}

impl Catalogue {
    /// Resolves a call. Allocates only where an operation has to be derived from a path.
    #[must_use]
    pub fn resolve_usage<'a>(&'a self, call: &Call<'a>) -> Resolved<'a> {
        let call = Call { path: clean(call.path), ..*call };
        if call.api.is_empty() {
            return self.resolve_unnamed(&call);
        }
        match self.names.get(call.api).and_then(|at| Some((*at, self.apis.get(*at as usize)?))) {
            Some((at, api)) => self.resolve_declared(at, api, &call),
            None => resolve_undeclared(&call),
        }
    }

    /// Resolves a path against the catalogue alone; none if it belongs to no declared API, or to several.
    #[must_use]
    pub fn resolve_path<'a>(&'a self, host: &str, method: &str, path: &str) -> Option<Resolved<'a>> {
        let path = clean(path);
        if path.is_empty() && host.is_empty() {
            return None;
        }
        let located = self.locate(host, method, path, None)?;
        let version = located.version.map_or("", |(v, _)| v.name());
        let by = located.version.map_or(By::Nothing, |(_, by)| by);
        Some(resolved(located.api.name(), version, located.operation, !version.is_empty(), by))
    }

    /// Resolves a whole URL; none unless the catalogue names its host.
    #[must_use]
    pub fn resolve_url<'a>(&'a self, method: &str, url: &str) -> Option<Resolved<'a>> {
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let host = host_name(host);
        if !scheme.starts_with("http") || host.is_empty() {
            return None;
        }
        let located = self.locate(&host, method, clean(path), None).filter(|l| l.by_host)?;
        let (version, by) = located.version.map_or(("", By::Nothing), |(v, by)| (v.name(), by));
        Some(resolved(located.api.name(), version, located.operation, !version.is_empty(), by))
    }

    /// The version of an API that a request header or query parameter tells: as a release declares it, or, where its
    /// name speaks of a version, any name of one. Media types are looked into: `application/vnd.acme.v2+json`.
    #[must_use]
    pub fn version_of_header(&self, api: &str, header: &str, value: &str) -> Option<&str> {
        let value = value.trim();
        let of_name = |v: &&Version| v.header().is_some_and(|(name, _)| name.eq_ignore_ascii_case(header));
        let declared = |v: &&Version| of_name(v) && v.header().is_some_and(|(_, told)| told_by(told, value));
        let told = self.versions(api).find(declared).map(Version::name);
        let speaks = || {
            header.eq_ignore_ascii_case("v") || header.to_ascii_lowercase().contains("version") || self.versions(api).any(|v| of_name(&v))
        };
        told.or_else(|| self.api(api)?.version(value).filter(|_| speaks()).map(Version::name)).or_else(|| {
            let media = matches!(header.to_ascii_lowercase().as_str(), "accept" | "content-type") && value.contains("vnd.");
            let mut parts = value.split(['.', '+', ';', '=', '/', '-', ' ', ',']).filter(|part| derive::is_version_name(part));
            parts.find_map(|part| self.api(api)?.version(part)).filter(|_| media).map(Version::name)
        })
    }

    fn resolve_unnamed<'a>(&'a self, call: &Call<'a>) -> Resolved<'a> {
        let located =
            if call.path.is_empty() && call.host.is_empty() { None } else { self.locate(call.host, call.method, call.path, None) };
        let Some(located) = located else {
            return Resolved { version: call.version, by: explicit_or_nothing(call.version), ..resolve_undeclared(call) };
        };
        let named = located.api.version(call.version);
        let (version, declared, by) = match (call.version.is_empty(), named, located.version) {
            (true, _, Some((version, by))) => (version.name(), true, by),
            (true, _, None) => ("", false, By::Nothing),
            (false, Some(version), _) => (version.name(), true, By::Explicit),
            (false, None, _) => (call.version, false, By::Explicit),
        };
        let operation = named_operation(located.api.version(version), call).unwrap_or(located.operation);
        resolved(located.api.name(), version, operation, declared, by)
    }

    fn resolve_declared<'a>(&'a self, at: u32, api: &'a Api, call: &Call<'a>) -> Resolved<'a> {
        if !call.version.is_empty() {
            let Some(version) = api.version(call.version) else {
                return resolved(api.name(), call.version, derived(call, |name| api.version(name).is_some()), false, By::Explicit);
            };
            let operation = named_operation(Some(version), call).unwrap_or_else(|| operation_below(version, call.method, call.path));
            return resolved(api.name(), version.name(), operation, true, By::Explicit);
        }
        let located = if call.path.is_empty() { None } else { self.locate(call.host, call.method, call.path, Some(at)) };
        if let Some(Located { version: Some((version, by)), operation, .. }) = located {
            let operation = named_operation(Some(version), call).unwrap_or(operation);
            return resolved(api.name(), version.name(), operation, true, by);
        }
        let prefix = derive::version_prefix(call.path, |name| api.version(name).is_some());
        if let Some((name, rest)) = prefix {
            let declared = api.version(name);
            let operation = named_operation(declared, call).unwrap_or_else(|| match declared {
                Some(version) => operation_below(version, call.method, rest),
                None => Name::derived(call.method, rest),
            });
            return resolved(api.name(), declared.map_or(name, Version::name), operation, declared.is_some(), By::Prefix);
        }
        let operation = match (call.operation.is_empty(), located) {
            (false, _) => Name::told(call.operation),
            (true, Some(located)) => located.operation,
            (true, None) => derived(call, |_| false),
        };
        resolved(api.name(), "", operation, false, By::Nothing)
    }

    /// Where a path belongs: among all APIs, or the versions of one.
    fn locate<'a>(&'a self, host: &str, method: &str, path: &str, only: Option<u32>) -> Option<Located<'a>> {
        let path = if path.is_empty() { "/" } else { path };
        let found = self.places.find(host, path, |slot| only.is_none_or(|api| api == slot.api))?;
        let below = path.get(found.base..).unwrap_or_default();
        let fitting = || found.slots.iter().copied().filter(move |slot| only.is_none_or(|api| api == slot.api));
        let hits = fitting().filter_map(|slot| {
            let (api, version) = self.at(slot)?;
            Some((slot, api, version, find(version, method, path, below)?))
        });
        match best(hits) {
            Best::None => self.locate_without_operation(&found, fitting(), method, below, only, host),
            Best::SeveralApis => None,
            Best::One { hit: (_, api, version, hit), alone } => {
                let by = if fitting().nth(1).is_none() { By::Place } else { By::Operation };
                Some(Located { api, version: alone.then_some((version, by)), operation: Name::listed(hit.name()), by_host: found.by_host })
            }
        }
    }

    /// No operation fits: the place alone tells the API and perhaps the version, unless it is the root of any host.
    fn locate_without_operation<'a>(
        &'a self,
        found: &Found<'_>,
        mut fitting: impl Iterator<Item = Slot>,
        method: &str,
        below: &str,
        only: Option<u32>,
        host: &str,
    ) -> Option<Located<'a>> {
        let first = fitting.next()?;
        let (mut one_api, mut one_version) = (true, true);
        for other in fitting {
            one_version = false;
            one_api &= other.api == first.api;
        }
        let tells = found.by_host || (found.base > 0 && (host.is_empty() || only.is_some()));
        if !one_api || !(tells || only.is_some()) {
            return None;
        }
        let (api, version) = self.at(first)?;
        let documented = if one_version { !version.routes.is_empty() } else { api.versions.iter().any(|v| !v.routes.is_empty()) };
        let operation = if documented { Name::listed("") } else { Name::derived(method, below) };
        Some(Located { api, version: (one_version && tells).then_some((version, By::Place)), operation, by_host: found.by_host })
    }

    fn at(&self, slot: Slot) -> Option<(&Api, &Version)> {
        let api = self.apis.get(slot.api as usize)?;
        Some((api, api.versions.get(slot.version as usize)?))
    }
}

/// A version where an operation fits.
type Fit<'a> = (Slot, &'a Api, &'a Version, Hit<'a>);

/// What the operations say together.
enum Best<'a> {
    None,
    /// The newest version that has it, and whether it is the only one.
    One {
        hit: Fit<'a>,
        alone: bool,
    },
    SeveralApis,
}

fn best<'a>(mut hits: impl Iterator<Item = Fit<'a>>) -> Best<'a> {
    let Some(mut newest) = hits.next() else { return Best::None };
    let mut alone = true;
    for hit in hits {
        if hit.0.api != newest.0.api {
            return Best::SeveralApis;
        }
        alone = false;
        if hit.1.rank(hit.0.version) > newest.1.rank(newest.0.version) {
            newest = hit;
        }
    }
    Best::One { hit: newest, alone }
}

/// Documents write their templates below the base path, or with it.
fn find<'a>(version: &'a Version, method: &str, path: &str, below: &str) -> Option<Hit<'a>> {
    version.routes.find(method, below).or_else(|| if below.len() == path.len() { None } else { version.routes.find(method, path) })
}

/// The operation of a path in a version that is known: below the longest of its base paths, or as it is.
fn operation_below<'a>(version: &'a Version, method: &str, path: &str) -> Name<'a> {
    if path.is_empty() {
        return Name::listed("");
    }
    let below =
        version.bases().iter().find_map(|base| path.strip_prefix(base.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/')));
    if version.routes.is_empty() {
        let rest = below.or_else(|| derive::version_prefix(path, |name| name == version.name()).map(|(_, rest)| rest)).unwrap_or(path);
        return Name::derived(method, rest);
    }
    match find(version, method, path, below.unwrap_or(path)) {
        Some(hit) => Name::listed(hit.name()),
        None => Name::listed(""),
    }
}

/// The operation as the publisher named it, by its declared name where that is known: an operationId, or a method and a path.
fn named_operation<'a>(version: Option<&'a Version>, call: &Call<'a>) -> Option<Name<'a>> {
    if call.operation.is_empty() {
        return None;
    }
    let Some(version) = version else { return Some(Name::told(call.operation)) };
    if let Some(name) = version.routes.named(call.operation) {
        return Some(Name::listed(name));
    }
    let (method, path) = method_and_path(call.operation);
    if path.starts_with('/') && !version.routes.is_empty() {
        let method = if method.is_empty() { call.method } else { method };
        let found = operation_below(version, method, path);
        if !found.text.is_empty() {
            return Some(found);
        }
    }
    Some(Name::told(call.operation))
}

/// `GET /orders/{id}` → `GET` and `/orders/{id}`; a text without a method is all path.
#[must_use]
pub fn method_and_path(operation: &str) -> (&str, &str) {
    match operation.trim().split_once(' ') {
        Some((method, path)) if method.bytes().all(|b| b.is_ascii_alphabetic()) => (method, path.trim()),
        _ => ("", operation.trim()),
    }
}

/// Whether a header's value is the declared one: media types stand in lists, with parameters behind them.
fn told_by(declared: &str, value: &str) -> bool {
    declared.eq_ignore_ascii_case(value)
        || value
            .split(',')
            .map(str::trim)
            .any(|one| one.eq_ignore_ascii_case(declared) || one.split(';').next().is_some_and(|m| m.trim().eq_ignore_ascii_case(declared)))
}

fn resolve_undeclared<'a>(call: &Call<'a>) -> Resolved<'a> {
    let prefix = derive::version_prefix(call.path, |_| false);
    let (version, by) = match (call.version.is_empty(), prefix) {
        (false, _) => (call.version, By::Explicit),
        (true, Some((name, _))) => (name, By::Prefix),
        (true, None) => ("", By::Nothing),
    };
    resolved(call.api, version, derived(call, |_| false), false, by)
}

fn explicit_or_nothing(version: &str) -> By {
    if version.is_empty() { By::Nothing } else { By::Explicit }
}

fn derived<'a>(call: &Call<'a>, known: impl Fn(&str) -> bool) -> Name<'a> {
    if !call.operation.is_empty() {
        return Name::told(call.operation);
    }
    if call.path.is_empty() {
        return Name::listed("");
    }
    let rest = derive::version_prefix(call.path, |name| name == call.version || known(name)).map_or(call.path, |(_, rest)| rest);
    Name::derived(call.method, rest)
}

/// A path without query and fragment, and without a slash at the end.
fn clean(path: &str) -> &str {
    let path = path.find(['?', '#']).map_or(path, |at| &path[..at]);
    match path.trim_end_matches('/') {
        "" if !path.is_empty() => "/",
        trimmed => trimmed,
    }
}
