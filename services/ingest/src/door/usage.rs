//! Usage through the door. This is the hot path: nothing is copied that may be borrowed.

use std::borrow::Cow;

use groundswell_contract::data::{CallOutcome, Money};
use groundswell_contract::{Decoded, Usage};
use groundswell_model::frame::BadItem;
use groundswell_model::{Event, EventHead, UsageEvent};

use super::attributes::Attributes;
use super::{Door, PATH_BYTES, SHORT_BYTES, cut, lower, short, upper};
use crate::frames::Frames;

const FIRST_ERROR: u16 = 400;
/// Parameters of one query kept.
const MOST_PARAMETERS: usize = 2;
const MILLIONTHS: f64 = 1e6;

impl Door {
    pub(super) fn usage(&self, event: &Decoded, data: &Usage, head: EventHead<'_>, frames: &mut Frames) -> Result<(), BadItem> {
        let consumer = data.consumer.as_deref().map_or(Cow::Borrowed(""), |c| self.consumer(c));
        let (host, path) = place(data);
        let method = upper(cut(data.method.as_deref().unwrap_or_default(), SHORT_BYTES));
        let host = lower(host);
        let path = self.redactor.redact_path(path);
        let sdk = self.sdk(data);
        let mut attributes = if data.attributes.is_empty() && event.extensions.others.is_empty() {
            Attributes::new()
        } else {
            self.attributes(event, &data.attributes, &[])
        };
        if let Some(path) = data.path.as_deref().filter(|path| path.contains('?')) {
            attributes.extend(version_parameters(path));
        }
        let usage = UsageEvent {
            head: EventHead { consumer: &consumer, ..head },
            api: data.api.as_deref(),
            api_version: data.api_version.as_deref(),
            operation: data.operation.as_deref(),
            method: &method,
            path: &path,
            host: &host,
            status: data.status.unwrap_or(0),
            failed: data.status.is_some_and(|s| s >= FIRST_ERROR) || data.outcome == Some(CallOutcome::Failure),
            latency_ms: data.latency_ms.map(single),
            calls: data.count.unwrap_or(1).saturating_mul(event.sampled()),
            request_id: short(data.request_id.as_ref()),
            traceparent: short(event.extensions.traceparent.as_ref()),
            sdk: sdk.as_deref(),
            plan: data.plan.as_deref(),
            revenue: data.revenue.as_ref().map(|m| (millionths(m), m.currency.as_str())),
            value: data.value.as_ref().map(|v| (v.name.as_str(), v.amount.unwrap_or(1.0))),
            use_case: data.use_case.as_deref(),
            bytes: data.bytes,
            attributes: attributes.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect(),
        };
        frames.push(&Event::Usage(usage), 0)
    }

    /// The SDK, or the user agent; people write their address into user agents.
    fn sdk<'t>(&self, data: &'t Usage) -> Option<Cow<'t, str>> {
        let text = short(data.sdk.as_ref().or(data.user_agent.as_ref()))?;
        Some(if text.contains('@') { self.redactor.redact(text, &[]).text } else { Cow::Borrowed(text) })
    }
}

/// Host and path without query and fragment. Where a whole URL stands in `path`, its host counts if none is told.
fn place(data: &Usage) -> (&str, &str) {
    let path = data.path.as_deref().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (of_url, path) = match path.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        },
        _ => ("", path),
    };
    let host = data.host.as_deref().unwrap_or(of_url);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    (cut(host, SHORT_BYTES), cut(path, PATH_BYTES))
}

/// Parameters of the query that tell a version: the rest of it may be personal and is not kept.
fn version_parameters(path: &str) -> impl Iterator<Item = (String, String)> {
    let query = path.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, value)| tells_version(name, value))
        .take(MOST_PARAMETERS)
        .map(|(name, value)| (format!("query.{}", name.to_ascii_lowercase()), format!("\"{value}\"")))
}

/// A version is short and of few kinds of characters, so nothing else passes as one.
fn tells_version(name: &str, value: &str) -> bool {
    let named = name.eq_ignore_ascii_case("v") || (name.len() <= 40 && name.to_ascii_lowercase().contains("version"));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    named && plain(name) && plain(value) && (1..=24).contains(&value.len())
}

#[expect(clippy::cast_possible_truncation, reason = "a latency needs no more than seven digits")]
fn single(ms: f64) -> f32 {
    ms as f32
}

#[expect(clippy::cast_possible_truncation, reason = "validated to at most 1e12, so 1e18 millionths fit")]
fn millionths(money: &Money) -> i64 {
    (money.amount * MILLIONTHS).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_query_only_the_version_is_kept() {
        let of = |path: &str| version_parameters(path).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(of("/a?email=a@b.c&Api-Version=2024-06-01&token=x#v=3"), ["query.api-version=\"2024-06-01\""]);
        assert_eq!(of("/a?version=bob%40example.com&v=2"), ["query.v=\"2\""]);
        assert!(of("/a").is_empty());
    }

    #[test]
    fn host_and_path_are_told_apart_and_lose_what_may_be_personal() {
        let of = |host: Option<&str>, path: &str| {
            let usage = Usage { host: host.map(str::to_owned), path: Some(path.to_owned()), ..Usage::default() };
            let (host, path) = place(&usage);
            (host.to_owned(), path.to_owned())
        };
        let both = |h: &str, p: &str| (h.to_owned(), p.to_owned());
        assert_eq!(of(Some("api.example.com:8443"), "/v2/users?email=a@b.c#x"), both("api.example.com", "/v2/users"));
        assert_eq!(of(None, "https://bob:pw@api.example.com/v2?x=1"), both("api.example.com", "/v2"));
        assert_eq!(of(None, "https://api.example.com"), both("api.example.com", "/"));
        assert_eq!(of(None, "/redirect/https://x"), both("", "/redirect/https://x"));
        assert_eq!(of(Some("[::1]"), ""), both("[::1]", ""));
    }
}
