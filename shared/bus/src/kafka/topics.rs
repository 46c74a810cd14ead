//! The topics on the broker: made, proven, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use groundswell_model::partition_of;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::client::{CALL, asking, fatal, until_it_works};
use super::fit;
use super::trouble::Trouble;
use crate::patience::Patience;
use crate::{BusError, KafkaSettings, NewRecord, Remark, Stop, Topic, TopicSettings};

const MS_PER_HOUR: u64 = 3_600_000;
/// So long a new topic may be unknown to some brokers.
const NEW: Duration = Duration::from_secs(2);

/// Names and partition counts.
pub(super) struct Topics {
    settings: TopicSettings,
    kafka: KafkaSettings,
    stop: Stop,
    asking: BaseConsumer<Trouble>,
    trouble: Trouble,
    counts: Mutex<BTreeMap<Topic, u32>>,
    spread: AtomicU32,
}

impl Topics {
    pub(super) fn new(kafka: &KafkaSettings, settings: TopicSettings, stop: &Stop) -> Result<Self, BusError> {
        let trouble = Trouble::default();
        let asking = asking(kafka, &format!("{}-topics", kafka.prefix))
            .create_with_context(trouble.clone())
            .map_err(|e| fatal("make a client", &format!("{e}; look at `kafka.properties`")))?;
        let (counts, spread) = (Mutex::default(), AtomicU32::new(0));
        Ok(Self { settings, kafka: kafka.clone(), stop: stop.clone(), asking, trouble, counts, spread })
    }

    /// Why connections fail, as all clients of this transport are told.
    pub(super) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    pub(super) fn name(&self, topic: Topic) -> &str {
        self.settings.names.of(topic)
    }

    /// The topic of a name on the broker.
    pub(super) fn of(&self, name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| self.name(*topic) == name)
    }

    /// How many partitions it has; asked once.
    pub(super) fn partitions(&self, topic: Topic) -> Result<u32, BusError> {
        let known = self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&topic).copied();
        if let Some(count) = known {
            return Ok(count);
        }
        let Some(count) = self.count(topic)? else { return Err(self.missing(topic)) };
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(topic, count);
        Ok(count)
    }

    fn missing(&self, topic: Topic) -> BusError {
        fatal(&format!("topic {}", self.name(topic)), &"it does not exist on the broker: create it, or set `kafka.create_topics`")
    }

    /// Asks the broker; none if there is no such topic.
    fn count(&self, topic: Topic) -> Result<Option<u32>, BusError> {
        let name = self.name(topic);
        until_it_works(&format!("ask about topic {name}"), &self.trouble, &self.stop, || {
            let metadata = self.asking.fetch_metadata(Some(name), CALL).inspect_err(|_| self.hear())?;
            let found = metadata.topics().iter().find(|t| t.name() == name);
            match found.and_then(|t| t.error().map(Code::from)) {
                Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(None),
                Some(code) => Err(KafkaError::MetadataFetch(code)),
                None => Ok(found.map(|t| t.partitions().len()).filter(|n| *n > 0).and_then(|n| u32::try_from(n).ok())),
            }
        })
    }

    /// Lets the asking client say why its connections fail: it does so only while it is polled.
    fn hear(&self) {
        while self.asking.poll(Duration::ZERO).is_some() {}
    }

    /// The name and partition that a record goes to.
    pub(super) fn place(&self, record: &NewRecord) -> Result<(&str, u32), BusError> {
        let topic = record.topic.ok_or_else(|| fatal("write", &"a record names no topic"))?;
        let partitions = self.partitions(topic)?.max(1);
        let partition = match record.partition {
            Some(partition) => partition,
            None if record.key.is_empty() => self.spread.fetch_add(1, Ordering::Relaxed) % partitions,
            None => partition_of(&String::from_utf8_lossy(&record.key), partitions),
        };
        let name = self.name(topic);
        if partition < partitions {
            Ok((name, partition))
        } else {
            Err(fatal(&format!("write to {name}"), &format!("it has no partition {partition}")))
        }
    }

    /// Makes what is missing, if allowed to, and proves that all is there and fits together.
    pub(super) fn ensure(&self) -> Result<(), BusError> {
        let admin = self.admin()?;
        let mut missing = Vec::new();
        for topic in Topic::ALL {
            if self.count(topic)?.is_none() {
                missing.push(topic);
            }
        }
        match missing.first() {
            Some(topic) if !self.kafka.create_topics => return Err(self.missing(*topic)),
            Some(_) => self.create(&admin, &missing)?,
            None => {}
        }
        for topic in Topic::ALL {
            self.await_created(topic)?;
        }
        let (events, journal) = (self.partitions(Topic::Events)?, self.partitions(Topic::Journal)?);
        if events != journal {
            let what = format!("topics {} and {}", self.name(Topic::Events), self.name(Topic::Journal));
            return Err(fatal(
                &what,
                &format!("they have {events} and {journal} partitions; state needs them equal: create one of them anew"),
            ));
        }
        let catalogue = self.partitions(Topic::Catalogue)?;
        if catalogue != 1 {
            let why = format!("it has {catalogue} partitions; releases and decisions need one order: create it anew with one partition");
            return Err(fatal(&format!("topic {}", self.name(Topic::Catalogue)), &why));
        }
        for remark in self.remarks(&admin)? {
            if remark.hurts {
                return Err(fatal(&remark.says, &remark.todo));
            }
            tracing::warn!(todo = remark.todo, "{}", remark.says);
        }
        Ok(())
    }

    fn create(&self, admin: &AdminClient<Trouble>, topics: &[Topic]) -> Result<(), BusError> {
        let names: Vec<&str> = topics.iter().map(|topic| self.name(*topic)).collect();
        let what = format!("create topics {}", names.join(", "));
        let retentions: Vec<Option<String>> = topics.iter().map(|topic| self.retention(*topic)).collect();
        let new: Vec<NewTopic<'_>> =
            topics.iter().zip(&retentions).map(|(topic, retention)| self.new_topic(*topic, retention.as_deref())).collect();
        until_it_works(&what, &self.trouble, &self.stop, || {
            let results = block_on(admin.create_topics(&new, &AdminOptions::new().operation_timeout(Some(CALL))))?;
            let failed = results.into_iter().find_map(|r| r.err().filter(|(_, code)| *code != Code::TopicAlreadyExists));
            failed.map_or(Ok(()), |(_, code)| Err(KafkaError::AdminOp(code)))
        })?;
        tracing::info!(topics = names.join(", "), "created");
        Ok(())
    }

    fn new_topic<'a>(&'a self, topic: Topic, retention: Option<&'a str>) -> NewTopic<'a> {
        let partitions = if topic == Topic::Catalogue { 1 } else { self.settings.partitions.max(1) };
        let replication = if self.kafka.replication == 0 { -1 } else { i32::from(self.kafka.replication) };
        let new = NewTopic::new(self.name(topic), super::client::number(partitions), TopicReplication::Fixed(replication));
        match retention {
            None => new.set("cleanup.policy", "compact"),
            Some(ms) => new.set("retention.ms", ms),
        }
    }

    /// `retention.ms`; none for the topic that is compacted.
    fn retention(&self, topic: Topic) -> Option<String> {
        let bounded = matches!(topic, Topic::Tickets | Topic::Surveys | Topic::Usage | Topic::Events) && self.settings.retention_hours > 0;
        match topic {
            Topic::Journal => None,
            _ if bounded => Some(self.settings.retention_hours.saturating_mul(MS_PER_HOUR).to_string()),
            _ => Some("-1".into()),
        }
    }

    /// A new topic takes a moment to be known to every broker, so what the first one that knows it says is kept.
    fn await_created(&self, topic: Topic) -> Result<(), BusError> {
        let what = format!("wait for topic {}", self.name(topic));
        let mut patience = Patience::new(&what, &self.stop);
        let count = loop {
            match self.count(topic)? {
                Some(count) => break count,
                None => patience.wait(&"the broker does not know it yet")?,
            }
        };
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(topic, count);
        Ok(())
    }

    /// What there is to say about the configuration of the topics.
    pub(super) fn look_over(&self) -> Result<Vec<Remark>, BusError> {
        self.remarks(&self.admin()?)
    }

    fn admin(&self) -> Result<AdminClient<Trouble>, BusError> {
        let config = asking(&self.kafka, &format!("{}-admin", self.kafka.prefix));
        config.create_with_context(self.trouble.clone()).map_err(|e| fatal("make an administration client", &e))
    }

    fn remarks(&self, admin: &AdminClient<Trouble>) -> Result<Vec<Remark>, BusError> {
        let looked_at = [Topic::Journal, Topic::Insights, Topic::Catalogue, Topic::DeadLetters, Topic::Events];
        let mut remarks = Vec::new();
        for topic in looked_at {
            let name = self.name(topic);
            remarks.extend(match self.configuration(admin, name)? {
                config if config.is_empty() => Some(fit::hidden(name)),
                config => fit::judge(topic, name, &config),
            });
        }
        Ok(remarks)
    }

    /// The settings of a topic. Empty where we may not see them: the client's library leaves the refusal out.
    fn configuration(&self, admin: &AdminClient<Trouble>, name: &str) -> Result<BTreeMap<String, String>, BusError> {
        let began = Instant::now();
        until_it_works(&format!("look at the configuration of topic {name}"), &self.trouble, &self.stop, || {
            let resources = [ResourceSpecifier::Topic(name)];
            let described = block_on(admin.describe_configs(&resources, &AdminOptions::new().request_timeout(Some(CALL))))?;
            let entries = described.into_iter().next().transpose().map_err(KafkaError::AdminOp)?.map(|c| c.entries).unwrap_or_default();
            // The broker that is asked may not know a new topic yet.
            if entries.is_empty() && began.elapsed() < NEW {
                return Err(KafkaError::AdminOp(Code::UnknownTopicOrPartition));
            }
            Ok(entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect())
        })
    }
}
