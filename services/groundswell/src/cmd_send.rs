//! `send`: publishes CloudEvents from files or standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Global, Send};
use crate::client::Client;
use crate::failure::Failure;
use crate::feed::{Feed, Sent};
use crate::output::{Format, clean, lines, note, print, print_json, table, thousands};
use crate::progress;

/// How long a pipeline made for this command may take to work off what was sent.
const WORK_OFF_TIME: Duration = Duration::from_secs(3600);

/// Runs it.
pub fn run(global: &Global, args: &Send) -> Result<(), Failure> {
    for file in args.files.iter().filter(|f| !is_stdin(f)) {
        // Anything else may be read: a pipe or a device, too.
        match std::fs::metadata(file) {
            Ok(known) if known.is_dir() => {
                return Err(Failure::wrong_use(format!("{} is a folder: name its files; `-` reads standard input", file.display())));
            }
            Ok(_) => {}
            Err(e) => return Err(Failure::wrong_use(format!("can't read {}: {e}; `-` reads standard input", file.display()))),
        }
    }
    let client = Client::find_or_make(global)?;
    let feed = Feed { batch: args.batch as usize, retry_for: Duration::from_secs(args.retry_for) };
    let mut sent = Sent::default();
    let outcome = args.files.iter().try_for_each(|file| send_file(&feed, &client, file, &mut sent));
    if let Err(failure) = outcome {
        note(&format!("until then: {} accepted, {} duplicate, {} rejected", sent.accepted, sent.duplicate, sent.rejected));
        return Err(failure);
    }
    if client.is_own() {
        work_off(&client)?;
    }
    client.finish()?;
    report(&sent, Format::choose(global.format))?;
    if sent.rejected > 0 { Err(Failure::said()) } else { Ok(()) }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn send_file(feed: &Feed, client: &Client, path: &PathBuf, sent: &mut Sent) -> Result<(), Failure> {
    let name = path.display().to_string();
    if is_stdin(path) {
        return send_from(feed, client, "standard input", std::io::stdin().lock(), None, sent);
    }
    let file = File::open(path).map_err(|e| Failure::wrong_use(format!("can't open {name}: {e}")))?;
    let bytes = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
    send_from(feed, client, &name, BufReader::with_capacity(1 << 16, file), bytes, sent)
}

fn send_from(feed: &Feed, client: &Client, name: &str, input: impl BufRead, bytes: Option<u64>, sent: &mut Sent) -> Result<(), Failure> {
    let bar = bar_of_bytes(bytes, name);
    let mut events = 0;
    let outcome = feed.lines(client, name, input, sent, |bytes, count| {
        events += count;
        bar.inc(bytes);
        bar.set_message(format!("{} events", thousands(events)));
    });
    bar.finish_and_clear();
    outcome
}

/// A bar on a terminal; nothing elsewhere.
fn bar_of_bytes(bytes: Option<u64>, name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let form = if bytes.is_some() {
        "{prefix} {bar:30} {percent}% {msg} {binary_bytes_per_sec} {eta}"
    } else {
        "{prefix} {spinner} {msg} {binary_bytes_per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar
}

fn work_off(client: &Client) -> Result<(), Failure> {
    progress::catch_up(client, "working off what was sent", WORK_OFF_TIME).map(drop)
}

fn report(sent: &Sent, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(sent);
    }
    let mut text =
        format!("{} accepted, {} duplicate, {} rejected\n", thousands(sent.accepted), thousands(sent.duplicate), thousands(sent.rejected));
    if !sent.rejections.is_empty() {
        let mut rejections = table(format, &["where", "id", "reason", "detail"]);
        for r in &sent.rejections {
            let id = r.id.as_deref().map(clean).unwrap_or_default();
            rejections.add_row([format!("{}:{}", r.file, r.line), id, r.reason.clone(), clean(&r.detail)]);
        }
        text += &lines(&rejections);
        let listed = sent.rejections.len() as u64;
        if sent.rejected > listed {
            text += &format!("… and {} more\n", thousands(sent.rejected - listed));
        }
    }
    print(&text)
}
