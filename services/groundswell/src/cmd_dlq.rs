//! `dlq`: records that could not be used.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use groundswell_bus::{Bus, BusError, Stop, Topic, TopicNames};
use groundswell_ingest::dlq::{DeadLetter, Replayed};
use groundswell_runtime::open_bus;
use groundswell_runtime::settings::Transport;

use crate::cli::{Dlq, DlqFilter, Global};
use crate::client::Client;
use crate::dead_letters::{self, Letter, Letters, Refused, Wanted};
use crate::failure::Failure;
use crate::output::{Format, clean, lines, note, print, print_json, short, table, thousands};

/// How long a broker may take to answer at all.
const BROKER_TIME: Duration = Duration::from_secs(15);
/// Characters of a detail in a row.
const DETAIL: usize = 100;

/// Where dead letters are asked for.
enum Place {
    Server(Box<Client>),
    Topic { bus: Arc<dyn Bus>, names: TopicNames },
}

/// Runs it.
pub fn run(global: &Global, command: &Dlq) -> Result<(), Failure> {
    let place = Place::find(global)?;
    let format = Format::choose(global.format);
    match command {
        Dlq::List(filter) => show_list(&place.list(&wanted(filter))?, format),
        Dlq::Show { place: letter } => show_one(&place.show(letter)?, global.format),
        Dlq::Replay(filter) => {
            let done = place.replay(&wanted(filter))?;
            match format {
                Format::Json => print_json(&done),
                _ => print(&format!("{} published again, {} could not be\n", thousands(done.published), thousands(done.lost))),
            }
        }
    }
}

fn wanted(filter: &DlqFilter) -> Wanted {
    Wanted {
        reason: filter.reason.clone(),
        topic: filter.topic.clone(),
        place: filter.place.clone(),
        replayed: filter.replayed.then_some(true),
        limit: filter.limit,
    }
}

impl Place {
    /// Kafka is asked straight, so that no server is needed; the embedded log belongs to the process that has it open.
    fn find(global: &Global) -> Result<Self, Failure> {
        if global.server.is_none() {
            let settings = global.config.load()?;
            if settings.transport == Transport::Kafka {
                let stop = Stop::default();
                let bus = open_bus(&settings, stop.clone())?;
                reached(bus.as_ref(), &stop, || bus.partitions(Topic::DeadLetters))?;
                return Ok(Self::Topic { bus, names: settings.topics.names });
            }
        }
        Client::find(global).map(Box::new).map(Self::Server)
    }

    fn list(&self, wanted: &Wanted) -> Result<Letters, Failure> {
        match self {
            Self::Server(client) => client.get(&["v1", "dead-letters"], &pairs(wanted)),
            Self::Topic { bus, .. } => dead_letters::list(bus.as_ref(), wanted).map_err(explain),
        }
    }

    fn show(&self, place: &str) -> Result<Letter, Failure> {
        match self {
            Self::Server(client) => {
                let (partition, offset) = place
                    .split_once('/')
                    .ok_or_else(|| Failure::wrong_use("write the place as PARTITION/OFFSET, as `dlq list` shows it"))?;
                client.get(&["v1", "dead-letters", partition, offset], &[])
            }
            Self::Topic { bus, names } => dead_letters::show(bus.as_ref(), names, place).map_err(explain),
        }
    }

    fn replay(&self, wanted: &Wanted) -> Result<Replayed, Failure> {
        match self {
            Self::Server(client) => client.post_patiently(&["v1", "dead-letters", "replay"], &pairs(wanted), Vec::new()),
            Self::Topic { bus, names } => dead_letters::replay(bus.as_ref(), names, wanted).map_err(explain),
        }
    }
}

/// The transport's calls try for ever until they are told to stop: the first one is given a time.
pub fn reached<T>(bus: &dyn Bus, stop: &Stop, first: impl FnOnce() -> Result<T, BusError>) -> Result<T, Failure> {
    let (answered, answer) = channel::<()>();
    let late = stop.clone();
    std::thread::spawn(move || {
        if answer.recv_timeout(BROKER_TIME) == Err(RecvTimeoutError::Timeout) {
            late.stop();
        }
    });
    let asked = first();
    drop(answered);
    match asked {
        Ok(done) => Ok(done),
        Err(BusError::Stopped) => {
            let seconds = BROKER_TIME.as_secs();
            let why = bus.trouble().map(|reason| format!(" ({reason})")).unwrap_or_default();
            Err(Failure::unreachable(format!(
                "the broker does not answer within {seconds} s{why}: check `kafka.bootstrap`; `groundswell doctor` says more"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

fn explain(refused: Refused) -> Failure {
    match refused {
        Refused::Wrong(why) | Refused::Nothing(why) => Failure::wrong_use(why),
        Refused::Bus(error) => error.into(),
    }
}

fn pairs(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut add = |name, value: Option<String>| pairs.extend(value.map(|v| (name, v)));
    add("reason", wanted.reason.clone());
    add("topic", wanted.topic.clone());
    add("place", wanted.place.clone());
    add("replayed", wanted.replayed.map(|r| r.to_string()));
    add("limit", wanted.limit.map(|l| l.to_string()));
    pairs
}

fn show_list(letters: &Letters, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(letters);
    }
    if letters.letters.is_empty() {
        return print("no dead letters\n");
    }
    let mut rows = table(format, &["letter", "reason", "topic", "partition", "offset", "bytes", "time", "detail"]);
    for letter in &letters.letters {
        rows.add_row(row(letter));
    }
    print(&lines(&rows))
}

fn row(letter: &DeadLetter) -> [String; 8] {
    [
        letter.letter.clone(),
        clean(&letter.reason),
        clean(&letter.topic),
        letter.partition.to_string(),
        letter.offset.to_string(),
        thousands(letter.bytes),
        letter.time.clone(),
        short(&letter.detail, DETAIL),
    ]
}

/// The bytes to standard output, as they were; what is known about them beside it.
fn show_one(letter: &Letter, asked: Option<Format>) -> Result<(), Failure> {
    if asked == Some(Format::Json) {
        return print_json(letter);
    }
    let known = &letter.letter;
    note(&format!(
        "{} of {}/{} at {}, refused by {}: {}: {}",
        known.letter,
        known.topic,
        known.partition,
        known.offset,
        known.service,
        known.reason,
        clean(&known.detail)
    ));
    if !letter.whole {
        note(&format!(
            "these are not all of its {} bytes: it was too large for the dead-letter topic, and its own topic no longer keeps it",
            known.bytes
        ));
    }
    let bytes = letter.value().map_err(|e| Failure::failed(format!("the server's answer can't be read: {e}")))?;
    crate::output::print_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use groundswell_bus::{KafkaBus, KafkaSettings, TopicSettings};

    use super::*;

    #[test]
    fn a_stopped_wait_for_the_broker_is_told_as_unreachable() {
        let stop = Stop::default();
        let settings = KafkaSettings { bootstrap: "127.0.0.1:9".into(), ..KafkaSettings::default() };
        let bus = KafkaBus::new(settings, TopicSettings::default(), "test", stop.clone()).unwrap();
        stop.stop();
        let failure = reached(&bus, &stop, || bus.partitions(Topic::DeadLetters)).unwrap_err();
        assert_eq!(failure.code(), groundswell_runtime::exit::UNREACHABLE);
        assert!(failure.to_string().contains("kafka.bootstrap"), "{failure}");
    }
}
