//! `tail`: feedback as it becomes searchable.

use std::time::{Duration, Instant};

use groundswell_index::search::types::{Hit, SearchResponse};
use groundswell_model::{IdentityHash, Timestamp};
use groundswell_runtime::exit;
use groundswell_runtime::status::Status;

use crate::cli::{Global, Tail};
use crate::client::Client;
use crate::cmd_search::{labels, narrow, said};
use crate::failure::Failure;
use crate::output::{Format, clean, note, print, print_json};

mod window;

use window::Window;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Hits asked for at once; more than that are asked for page by page.
const PAGE: usize = 500;
/// How long a server may be away, as for a restart, before the command ends.
const AWAY: Duration = Duration::from_secs(300);

/// Runs it.
pub fn run(global: &Global, args: &Tail) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let format = Format::choose(global.format);
    let mut window = Window::default();
    let newest = newest(&client, args, args.lines.clamp(1, PAGE))?;
    for hit in newest.iter().take(args.lines).rev() {
        show(hit, format)?;
    }
    if args.no_follow {
        return client.finish();
    }
    // What was searchable before this began is not new.
    if let Some(hit) = newest.first() {
        window.begin(received(hit));
        for hit in &newest {
            is_new(&mut window, hit);
        }
        look(&client, args, &mut window, |_| Ok(()))?;
    }
    follow(&client, args, &mut window, format)
}

fn follow(client: &Client, args: &Tail, window: &mut Window, format: Format) -> Result<(), Failure> {
    let mut pause = LOOK_EVERY;
    let mut away_since: Option<Instant> = None;
    loop {
        std::thread::sleep(pause);
        let began = Instant::now();
        match look(client, args, window, |hit| show(hit, format)) {
            Ok(()) => {
                if away_since.take().is_some() {
                    note("the server is back");
                }
            }
            Err(failure) if failure.code() == exit::UNREACHABLE && !client.is_own() => {
                let since = *away_since.get_or_insert_with(|| {
                    note(&format!("{failure}; trying again, for at most {} s", AWAY.as_secs()));
                    began
                });
                if since.elapsed() >= AWAY {
                    return Err(failure);
                }
            }
            Err(failure) => return Err(failure),
        }
        // While much comes, half of the time is left to the server.
        pause = LOOK_EVERY.max(began.elapsed());
    }
}

/// Shows what became searchable since the last look.
fn look(client: &Client, args: &Tail, window: &mut Window, mut show: impl FnMut(&Hit) -> Result<(), Failure>) -> Result<(), Failure> {
    let status: Status = client.get(&["v1", "status"], &[])?;
    let next = window.asked(status);
    // Not until all of it was shown: after a failure the same is asked again.
    for hit in since(client, args, window.from())? {
        if is_new(window, &hit) {
            show(&hit)?;
        }
    }
    if let Some(forgotten) = window.shown(next) {
        note(&format!(
            "more came at once than can be remembered: what was received before {} and becomes searchable later is not shown",
            forgotten.rfc3339()
        ));
    }
    Ok(())
}

fn is_new(window: &mut Window, hit: &Hit) -> bool {
    window.is_new(IdentityHash::of(&hit.source, &hit.id), received(hit))
}

/// A server of another version may write times that we can't read: then it counts as old.
fn received(hit: &Hit) -> Timestamp {
    Timestamp::parse(&hit.received).unwrap_or(Timestamp(0))
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
