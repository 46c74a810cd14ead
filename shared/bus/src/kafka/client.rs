//! What all clients of the broker share: their configuration, their log, and what their errors mean.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientContext, Offset as KafkaOffset, TopicPartitionList};

use super::trouble::Trouble;
use crate::patience::Patience;
use crate::{BusError, KafkaSettings, Offset, Stop};

/// How long one call waits for the broker before it is tried again.
pub(super) const CALL: Duration = Duration::from_secs(10);
/// How long a new client is given to find its first broker before work begins without.
const FIRST_BROKER: Duration = Duration::from_secs(1);
/// How long a transaction may stay open, unless a property says otherwise; the default of the clients.
pub(super) const TRANSACTION: Duration = Duration::from_secs(60);

/// Passes what librdkafka says to our log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // Every call retries or reports its own failure; this is the connection's side of it.
        tracing::debug!(error = %error, reason, "kafka client");
    }
}

pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => tracing::warn!(facility, message, "kafka client"),
        _ => tracing::debug!(facility, message, "kafka client"),
    }
}

/// Configuration that all clients share, before the settings' own properties.
fn base(settings: &KafkaSettings, name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.bootstrap)
        .set("client.id", name)
        .set("reconnect.backoff.max.ms", "1000")
        // Figures that brokers ask their clients for: every client keeps a histogram for each of its brokers, a megabyte and more.
        .set("enable.metrics.push", "false")
        // Five minutes by default: too long where a broker that was only starting denied a topic.
        .set("topic.metadata.refresh.interval.ms", "10000")
        // The first look for the leader of a partition comes after this time, 0.1 s by default; later ones back off.
        .set("topic.metadata.refresh.fast.interval.ms", "10");
    config
}

fn with_properties(mut config: ClientConfig, settings: &KafkaSettings) -> ClientConfig {
    for (name, value) in &settings.properties {
        config.set(name, value);
    }
    config
}

/// Waits until a new client has found a broker: some calls of one that has not, of transactions above all, sleep for half a second first.
/// Where none answers they say so better than this would.
pub(super) fn await_broker<C: ClientContext>(client: &rdkafka::client::Client<C>) {
    drop(client.fetch_cluster_id(FIRST_BROKER));
}

/// A client that only asks: topics, offsets.
pub(super) fn asking(settings: &KafkaSettings, name: &str) -> ClientConfig {
    let mut config = base(settings, name);
    // A connection that the broker closes, as where it wants SASL, is told in its log alone.
    config.set_log_level(RDKafkaLogLevel::Info);
    with_properties(config, settings)
}

/// A reader without a group. With `committed` it sees, and asks for, nothing of open transactions.
pub(super) fn reading(settings: &KafkaSettings, name: &str, committed: bool) -> ClientConfig {
    let mut config = base(settings, name);
    fetching(&mut config);
    config
        // The client reads only under the name of a group, even one that it never joins.
        .set("group.id", name)
        .set("isolation.level", if committed { "read_committed" } else { "read_uncommitted" })
        .set("enable.partition.eof", "true");
    with_properties(config, settings)
}

/// A member of a group.
pub(super) fn joining(settings: &KafkaSettings, name: &str, group: &str) -> ClientConfig {
    let mut config = base(settings, name);
    fetching(&mut config);
    config
        .set("group.id", group)
        .set("isolation.level", "read_committed")
        .set("session.timeout.ms", "10000")
        .set("partition.assignment.strategy", "range,roundrobin");
    with_properties(config, settings)
}

/// Small waits for freshness; a bounded queue and small answers, so that a slow member holds a few MiB with what is on its
/// way: an answer is counted as it comes, and texts are three to four times as long once they are decompressed.
fn fetching(config: &mut ClientConfig) {
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .set("fetch.wait.max.ms", "50")
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", "20")
        .set("fetch.max.bytes", "1048576")
        .set("max.partition.fetch.bytes", "524288")
        .set("queued.min.messages", "50000")
        .set("queued.max.messages.kbytes", "1024");
}

/// A producer whose records are never doubled or reordered.
pub(super) fn producing(settings: &KafkaSettings, name: &str) -> ClientConfig {
    let mut config = base(settings, name);
    durably(&mut config);
    with_properties(config, settings)
}

fn durably(config: &mut ClientConfig) {
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("message.max.bytes", "1040000")
        .set("queue.buffering.max.kbytes", "65536");
}

/// A producer of transactions under a stable id.
pub(super) fn transacting(settings: &KafkaSettings, name: &str) -> ClientConfig {
    let mut config = base(settings, name);
    durably(&mut config);
    config
        .set("transactional.id", name)
        // A step is flushed at its end: waiting for more records would only make it later.
        .set("linger.ms", "1")
        // The next transaction often meets the last markers of the one before, which are there within milliseconds.
        .set("retry.backoff.ms", "10");
    with_properties(config, settings)
}

pub(super) fn fatal(what: &str, why: &dyn std::fmt::Display) -> BusError {
    BusError::Fatal { what: what.to_owned(), why: why.to_string() }
}

pub(super) fn aborted(what: &str, why: &dyn std::fmt::Display) -> BusError {
    BusError::Aborted { what: what.to_owned(), why: why.to_string() }
}

/// Whether trying the same call again will never work.
pub(super) fn is_hopeless(error: &KafkaError) -> bool {
    match error {
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::MessageConsumptionFatal(_) | KafkaError::Nul(_) => true,
        other => code_of(other).is_some_and(|code| {
            is_refused(code) || matches!(code, Code::Fatal | Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
        }),
    }
}

/// Whether the broker will never let us: credentials, permissions, its version, a setting.
pub(super) fn is_refused(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::UnsupportedVersion
            | Code::InvalidConfig
            | Code::PolicyViolation
    )
}

/// The broker's code. Errors of administration have one, too, which the client's own method leaves out.
pub(super) fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// What to do about a refusal.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "check `kafka.properties`: sasl.mechanism, sasl.username and sasl.password"
        }
        Code::TopicAuthorizationFailed => {
            "grant Describe, DescribeConfigs, Read and Write on the topic, and Create where `kafka.create_topics` is set: `deploy/topics.sh --acls` prints the commands"
        }
        Code::GroupAuthorizationFailed => {
            "grant Describe and Read on the groups that begin with `kafka.prefix`: `deploy/topics.sh --acls` prints the commands"
        }
        Code::TransactionalIdAuthorizationFailed => {
            "grant Describe and Write on the transactional ids that begin with `kafka.prefix`: `deploy/topics.sh --acls` prints the commands"
        }
        Code::ClusterAuthorizationFailed => {
            "grant IdempotentWrite on the cluster, and Create where `kafka.create_topics` is set: `deploy/topics.sh --acls` prints the commands"
        }
        _ => return None,
    })
}

/// A failure that no repetition mends, with what to do about it.
pub(super) fn hopeless(what: &str, error: &KafkaError) -> BusError {
    match code_of(error).and_then(advice) {
        Some(todo) => fatal(what, &format!("{error}; {todo}")),
        None => fatal(what, error),
    }
}

/// Whether the member has lost its place in the group.
pub(super) fn is_out_of_group(error: &KafkaError) -> bool {
    error.rdkafka_error_code().is_some_and(|code| {
        matches!(
            code,
            Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress | Code::FencedInstanceId | Code::AssignmentLost
        )
    })
}

/// Calls until it works, the error is hopeless, or the process is told to stop.
pub(super) fn until_it_works<T>(
    what: &str,
    trouble: &Trouble,
    stop: &Stop,
    mut call: impl FnMut() -> Result<T, KafkaError>,
) -> Result<T, BusError> {
    let mut patience = Patience::new(what, stop);
    loop {
        match call() {
            Ok(done) => {
                patience.worked();
                trouble.over();
                return Ok(done);
            }
            Err(error) if is_hopeless(&error) => return Err(hopeless(what, &error)),
            Err(error) => patience.wait(&trouble.explain(&error))?,
        }
    }
}

/// A list with one partition, at an offset where one is given.
pub(super) fn list<'n>(parts: impl IntoIterator<Item = (&'n str, u32, Option<Offset>)>) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (name, partition, offset) in parts {
        match offset {
            Some(offset) => list.add_partition_offset(name, number(partition), to_kafka(offset))?,
            None => drop(list.add_partition(name, number(partition))),
        }
    }
    Ok(list)
}

pub(super) fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

pub(super) fn partition(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

pub(super) fn to_kafka(offset: Offset) -> KafkaOffset {
    KafkaOffset::Offset(i64::try_from(offset.0).unwrap_or(i64::MAX))
}

pub(super) fn from_kafka(offset: KafkaOffset) -> Option<Offset> {
    offset.to_raw().and_then(from_raw)
}

/// Negative numbers stand for "none".
pub(super) fn from_raw(offset: i64) -> Option<Offset> {
    u64::try_from(offset).ok().map(Offset)
}
