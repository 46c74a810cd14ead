//! `tail`: feedback as it becomes searchable.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use groundswell_index::search::types::{Hit, SearchResponse};
use groundswell_model::Timestamp;

use crate::cli::{Global, Tail};
use crate::client::Client;
use crate::cmd_search::{labels, narrow, said};
use crate::failure::Failure;
use crate::output::{Format, clean, print, print_json};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Hits asked for at once; more than that are asked for page by page.
const PAGE: usize = 500;
/// Identities remembered, so that what came in the same millisecond is shown once.
const REMEMBERED: usize = 10_000;

/// Runs it.
pub fn run(global: &Global, args: &Tail) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let format = Format::choose(global.format);
    let mut seen = Seen::default();
    let mut newest = newest(&client, args, args.lines.clamp(1, PAGE))?;
    let first = if args.lines == 0 { newest.len() } else { 0 };
    newest.reverse();
    for (i, hit) in newest.iter().enumerate() {
        seen.is_new(hit);
        if i >= first {
            show(hit, format)?;
        }
    }
    if args.no_follow {
        return client.finish();
    }
    loop {
        std::thread::sleep(LOOK_EVERY);
        for hit in since(&client, args, seen.received)? {
            if seen.is_new(&hit) {
                show(&hit, format)?;
            }
        }
    }
}

/// What was shown, and when the newest of it was received.
#[derive(Default)]
struct Seen {
    received: Option<Timestamp>,
    known: HashSet<(String, String)>,
    order: VecDeque<(String, String)>,
}

impl Seen {
    fn is_new(&mut self, hit: &Hit) -> bool {
        let identity = (hit.source.clone(), hit.id.clone());
        if !self.known.insert(identity.clone()) {
            return false;
        }
        self.order.push_back(identity);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.received = self.received.max(Timestamp::parse(&hit.received).ok());
        true
    }
}

/// The newest by time, newest first.
fn newest(client: &Client, args: &Tail, count: usize) -> Result<Vec<Hit>, Failure> {
    let mut query = narrow(&args.narrow);
    query.extend([("sort", "newest".to_owned()), ("limit", count.to_string())]);
    let found: SearchResponse = client.get(&["v1", "search"], &query)?;
    Ok(found.hits)
}

/// Everything received since, oldest first: also what happened long ago and was published late.
fn since(client: &Client, args: &Tail, received: Option<Timestamp>) -> Result<Vec<Hit>, Failure> {
    let mut hits = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = narrow(&args.narrow);
        query.extend(received.map(|r| ("filter", format!("received:[{} TO *]", r.rfc3339()))));
        query.extend([("sort", "oldest".to_owned()), ("limit", PAGE.to_string())]);
        query.extend(cursor.take().map(|c| ("cursor", c)));
        let found: SearchResponse = client.get(&["v1", "search"], &query)?;
        hits.extend(found.hits);
        cursor = found.next_cursor;
        if cursor.is_none() {
            return Ok(hits);
        }
    }
}

fn show(hit: &Hit, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(hit);
    }
    let versions: Vec<String> = hit.versions.iter().map(|v| clean(&v.version)).collect();
    let time: String = hit.time.chars().take(16).collect();
    print(&format!("{time}  {} {}  [{}]  {}\n", clean(&hit.api), versions.join(", "), labels(hit), said(hit, " · ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: &str, received: &str) -> Hit {
        Hit { source: "s".into(), id: id.into(), received: received.into(), ..Hit::default() }
    }

    #[test]
    fn each_is_shown_once_and_the_newest_receipt_is_kept() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&hit("1", "2026-01-01T00:00:00.002Z")));
        assert!(seen.is_new(&hit("2", "2026-01-01T00:00:00.001Z")));
        assert!(!seen.is_new(&hit("1", "2026-01-01T00:00:00.009Z")));
        assert_eq!(seen.received.map(Timestamp::rfc3339).as_deref(), Some("2026-01-01T00:00:00.002Z"));
    }
}
