//! Partition counts that were raised after there was state.
//!
//! A consumer's journal and an API's insights stay on the partition that the count gave them; with another count, the next event of
//! either goes elsewhere, and what belongs together is apart for ever. So the counts are written down in the data folder once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use groundswell_bus::{Bus, Topic, TopicNames};

const FILE: &str = "partitions.json";
/// The topics whose partitions state is bound to.
const BOUND: [Topic; 2] = [Topic::Events, Topic::Insights];

/// Compares the counts with those of the first start on this data folder, or notes them.
///
/// # Errors
/// A count has changed; the message says what to do. Or the file can't be read or written.
pub(crate) fn check(data: &Path, bus: &dyn Bus, names: &TopicNames) -> anyhow::Result<()> {
    let mut now = BTreeMap::new();
    for topic in BOUND {
        now.insert(names.of(topic).to_owned(), bus.partitions(topic)?);
    }
    let path = data.join(FILE);
    let known: BTreeMap<String, u32> = match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| {
            let path = path.display();
            format!("{path} is damaged: remove it, if no topic was given more partitions since this folder was begun")
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
    };
    if let Some((topic, was, is)) = now.iter().find_map(|(topic, is)| Some((topic, known.get(topic).filter(|was| *was != is)?, is))) {
        anyhow::bail!(
            "topic {topic} has {is} partitions and had {was} when {data} was begun: its state would be torn apart. Give events, journal and \
             insights new names (`topics.names`) with as many partitions as you want, a new `kafka.prefix` and a new data folder; what the \
             source topics keep is read again",
            data = data.display()
        );
    }
    if known != now {
        write(&path, &now).with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

/// Whole or not at all: after a crash or on a full disk half a file would keep every later start from beginning.
fn write(path: &Path, counts: &BTreeMap<String, u32>) -> anyhow::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = || -> anyhow::Result<()> {
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(counts)?)?;
        file.sync_data()?;
        Ok(std::fs::rename(&draft, path)?)
    };
    written().inspect_err(|_| drop(std::fs::remove_file(&draft)))
}

#[cfg(test)]
mod tests {
    use groundswell_bus::{EmbeddedBus, EmbeddedSettings, Stop, TopicSettings};

    use super::*;

    fn bus(partitions: u32) -> (tempfile::TempDir, EmbeddedBus) {
        let dir = tempfile::tempdir().unwrap();
        let topics = TopicSettings { partitions, ..TopicSettings::default() };
        let bus = EmbeddedBus::open(dir.path(), &EmbeddedSettings::default(), &topics, Stop::default()).unwrap();
        bus.ensure_topics().unwrap();
        (dir, bus)
    }

    #[test]
    fn a_count_that_changed_is_refused_and_a_topic_of_another_name_is_not() {
        let data = tempfile::tempdir().unwrap();
        let names = TopicNames::default();
        let ((_four, four), (_six, six)) = (bus(4), bus(6));
        check(data.path(), &four, &names).unwrap();
        check(data.path(), &four, &names).unwrap();
        let refused = check(data.path(), &six, &names).unwrap_err().to_string();
        assert!(refused.contains("6 partitions and had 4") && refused.contains("topics.names"), "{refused}");
        let others = TopicNames { events: "b.events".into(), insights: "b.insights".into(), ..TopicNames::default() };
        check(data.path(), &six, &others).unwrap();
    }

    #[test]
    fn the_file_is_whole_or_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        let names = TopicNames::default();
        let (_folder, bus) = bus(4);
        check(data.path(), &bus, &names).unwrap();
        let files: Vec<_> = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, [FILE], "no draft is left");
        std::fs::write(data.path().join(FILE), "").unwrap();
        let damaged = format!("{:#}", check(data.path(), &bus, &names).unwrap_err());
        assert!(damaged.contains("remove it"), "{damaged}");
        // A folder in the draft's place stands for a disk that refuses: what was there stays as it was.
        std::fs::write(data.path().join(FILE), "{}").unwrap();
        std::fs::create_dir(data.path().join(FILE).with_extension(format!("{}.draft", std::process::id()))).unwrap();
        assert!(check(data.path(), &bus, &names).is_err());
        assert_eq!(std::fs::read_to_string(data.path().join(FILE)).unwrap(), "{}");
    }
}
