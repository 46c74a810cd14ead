//! The Kafka transport.
//!
//! A step is one transaction of the member's producer: records, state and the group's positions are
//! committed together, and readers see only what is committed ([`member`], [`transaction`]). A process
//! is known by its `instance`: the id of its transactions is made of it, so whoever comes later under
//! the same name fences the earlier one.

mod assigned;
mod client;
mod fit;
mod member;
mod permissions;
mod publisher;
mod range;
mod topics;
mod transaction;
mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer};

use self::client::{CALL, fatal, from_kafka, list, until_it_works};
use self::member::{KafkaMember, Making};
use self::publisher::KafkaPublisher;
use self::range::RangeReader;
use self::topics::Topics;
use self::transaction::Transactions;
use self::trouble::Trouble;
use crate::{
    Batch, Bounds, Bus, BusError, Group, KafkaSettings, Member, Offset, Part, Publisher, Reader, Record, Remark, Stop, Topic, TopicSettings,
};

/// Apache Kafka, or a broker that speaks its protocol with transactions, as the transport.
pub struct KafkaBus {
    settings: KafkaSettings,
    topics: Arc<Topics>,
    instance: String,
    stop: Stop,
    ranges: Mutex<RangeReader>,
    /// Sees what is not committed, too.
    eager: Mutex<RangeReader>,
    groups: Mutex<BTreeMap<Group, Arc<BaseConsumer<Trouble>>>>,
}

impl KafkaBus {
    /// A transport for one process; `instance` is its name among its likes, unique and stable over restarts.
    ///
    /// # Errors
    /// A setting or property is wrong.
    pub fn new(settings: KafkaSettings, topics: TopicSettings, instance: &str, stop: Stop) -> Result<Self, BusError> {
        if settings.bootstrap.is_empty() {
            return Err(fatal("kafka.bootstrap", &"it is empty: give the addresses of the brokers, such as broker-1:9092,broker-2:9092"));
        }
        let topics = Arc::new(Topics::new(&settings, topics, &stop)?);
        let ranges = range_reader(&settings, &topics, &stop, instance, true)?;
        let eager = range_reader(&settings, &topics, &stop, instance, false)?;
        let (ranges, eager) = (Mutex::new(ranges), Mutex::new(eager));
        Ok(Self { settings, topics, instance: instance.to_owned(), stop, ranges, eager, groups: Mutex::default() })
    }

    fn group_id(&self, group: Group) -> String {
        format!("{}-{}", self.settings.prefix, group.name())
    }

    fn parts(&self, topic: Topic) -> Result<impl Iterator<Item = Part> + use<>, BusError> {
        Ok((0..self.topics.partitions(topic)?).map(move |partition| Part { topic, partition }))
    }

    fn range_reader(&self, committed: bool) -> Result<RangeReader, BusError> {
        range_reader(&self.settings, &self.topics, &self.stop, &self.instance, committed)
    }

    /// A client that asks about a group without joining it.
    fn asking_about(&self, group: Group) -> Result<Arc<BaseConsumer<Trouble>>, BusError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = groups.get(&group) {
            return Ok(known.clone());
        }
        let id = self.group_id(group);
        let consumer: BaseConsumer<Trouble> = client::joining(&self.settings, &format!("{id}-{}-asking", self.instance), &id)
            .create_with_context(self.topics.trouble().clone())
            .map_err(|e| fatal(&format!("ask about group {id}"), &e))?;
        let consumer = Arc::new(consumer);
        groups.insert(group, consumer.clone());
        Ok(consumer)
    }
}

fn range_reader(
    settings: &KafkaSettings,
    topics: &Arc<Topics>,
    stop: &Stop,
    instance: &str,
    committed: bool,
) -> Result<RangeReader, BusError> {
    let config = client::reading(settings, &format!("{}-{instance}-reader", settings.prefix), committed);
    RangeReader::new(&config, topics.clone(), stop.clone())
}

impl Bus for KafkaBus {
    fn ensure_topics(&self) -> Result<(), BusError> {
        self.topics.ensure()
    }

    fn trouble(&self) -> Option<String> {
        self.topics.trouble().said()
    }

    fn examine(&self) -> Result<Vec<Remark>, BusError> {
        let mut remarks = self.topics.look_over()?;
        remarks.extend(permissions::missing(&self.settings, &self.topics, |group| self.group_id(group))?);
        Ok(remarks)
    }

    fn partitions(&self, topic: Topic) -> Result<u32, BusError> {
        self.topics.partitions(topic)
    }

    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> {
        let config = client::producing(&self.settings, &format!("{}-{}-publisher", self.settings.prefix, self.instance));
        Ok(Box::new(KafkaPublisher::new(config, self.topics.clone())?))
    }

    fn member(&self, group: Group) -> Result<Box<dyn Member>, BusError> {
        let id = self.group_id(group);
        let name = format!("{id}-{}", self.instance);
        let transactions = match group {
            Group::Ingest | Group::Classify => Some(Transactions::open(client::transacting(&self.settings, &name), &name, &self.stop)?),
            Group::Index => None,
        };
        let made = Making {
            group,
            config: client::joining(&self.settings, &name, &id),
            transactions,
            ranges: self.range_reader(true)?,
            eager: self.range_reader(false)?,
            topics: self.topics.clone(),
            stop: self.stop.clone(),
        };
        Ok(Box::new(KafkaMember::join(made)?))
    }

    fn reader(&self, topic: Topic) -> Result<Box<dyn Reader>, BusError> {
        let parts = self.parts(topic)?.map(|part| (part, Offset::default())).collect();
        Ok(Box::new(TopicReader { ranges: self.range_reader(true)?, next: parts }))
    }

    fn read_at(&self, part: Part, offset: Offset) -> Result<Option<Batch>, BusError> {
        if part.partition >= self.topics.partitions(part.topic)? {
            return Ok(None);
        }
        let ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let (low, end) = ranges.ends(part)?;
        if offset < low || offset >= end {
            return Ok(None);
        }
        let mut found = Batch::default();
        ranges.read(part, offset, offset.next(), &mut |r| {
            found.push(r.part, r.offset, r.timestamp, r.key, r.value, r.headers.iter());
            false
        })?;
        Ok((!found.is_empty()).then_some(found))
    }

    fn bounds(&self, topic: Topic) -> Result<Vec<Bounds>, BusError> {
        let ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let eager = self.eager.lock().unwrap_or_else(PoisonError::into_inner);
        let of_part = |part| {
            let (low, high) = eager.ends(part)?;
            // Asked second: what is undecided now was undecided, or not there, when `high` was told.
            let (_, decided) = ranges.ends(part)?;
            Ok(Bounds { part, low, high, decided })
        };
        self.parts(topic)?.map(of_part).collect()
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<BTreeMap<Part, Offset>, BusError> {
        let name = self.topics.name(topic);
        let consumer = self.asking_about(group)?;
        let parts: Vec<Part> = self.parts(topic)?.collect();
        until_it_works(&format!("ask for the committed offsets of {name}"), self.topics.trouble(), &self.stop, || {
            let asked = list(parts.iter().map(|part| (name, part.partition, None)))?;
            let answer = consumer.committed_offsets(asked, CALL)?;
            let mut committed = BTreeMap::new();
            for element in answer.elements() {
                element.error()?;
                if let Some(next) = from_kafka(element.offset()) {
                    committed.insert(Part { topic, partition: client::partition(element.partition()) }, next);
                }
            }
            Ok(committed)
        })
    }
}

struct TopicReader {
    ranges: RangeReader,
    next: BTreeMap<Part, Offset>,
}

impl Reader for TopicReader {
    fn catch_up(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Result<(), BusError> {
        for (part, next) in &mut self.next {
            let (low, end) = self.ranges.ends(*part)?;
            self.ranges.read(*part, (*next).max(low), end, &mut |record| {
                each(record);
                true
            })?;
            *next = end.max(*next);
        }
        Ok(())
    }

    fn catch_up_part(&mut self, part: Part, each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), BusError> {
        let (low, end) = self.ranges.ends(part)?;
        let next = self.next.entry(part).or_default();
        self.ranges.read(part, (*next).max(low), end, each)?;
        *next = end.max(*next);
        Ok(())
    }

    fn seek(&mut self, part: Part, to: Offset) -> Result<(), BusError> {
        self.next.insert(part, to);
        Ok(())
    }
}
