//! Checking configuration once: every problem names the key, the value and the limit, and says what to do.

use std::collections::BTreeSet;
use std::fmt;

use groundswell_bus::Topic;

use super::{LanguageModelSettings, Settings, Transport};

/// Properties of librdkafka that the pipeline's guarantees rest on: it sets them itself.
const OWN_PROPERTIES: &[&str] = &[
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "isolation.level",
    "metadata.broker.list",
    "request.required.acks",
    "transactional.id",
];
/// Least MiB that one index writer needs.
const MIB_PER_WRITER: usize = 15;
/// Length of a 32-byte secret or hash in hexadecimal.
const HEX_32_BYTES: usize = 64;
const TOPIC_NAME_MAX: usize = 249;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, with dots.
    pub key: String,
    /// Key, value and limit in a sentence.
    pub says: String,
    /// What to do.
    pub todo: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.says, self.todo)
    }
}

/// Gathers problems.
#[derive(Default)]
struct Checks(Vec<Problem>);

impl Checks {
    fn wrong(&mut self, key: &str, value: impl fmt::Display, limit: &str, todo: &str) {
        self.0.push(Problem { key: key.into(), says: format!("`{key}` is {value}, but must be {limit}"), todo: todo.into() });
    }

    fn range(&mut self, key: &str, value: usize, low: usize, high: usize) {
        if !(low..=high).contains(&value) {
            self.wrong(key, value, &format!("from {low} to {high}"), &format!("set `{key}` within that, or leave it out for the default"));
        }
    }

    fn name(&mut self, key: &str, value: &str, max: usize) {
        let fits = !value.is_empty() && value.len() <= max && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !fits || value == "." || value == ".." {
            let limit = format!("1 to {max} of the characters a–z, A–Z, 0–9, `.`, `_` and `-`");
            self.wrong(key, format_args!("{value:?}"), &limit, "choose another name");
        }
    }
}

impl Settings {
    /// Everything that is wrong with these settings; empty if nothing is.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut checks = Checks::default();
        if self.data.as_os_str().is_empty() {
            checks.wrong("data", "empty", "a folder", "give one with --data or `data`");
        }
        checks.name("instance", &self.instance, 64);
        self.check_transport(&mut checks);
        self.check_topics(&mut checks);
        self.check_limits(&mut checks);
        self.check_services(&mut checks);
        self.check_server(&mut checks);
        self.check_rest(&mut checks);
        checks.0
    }

    fn check_transport(&self, checks: &mut Checks) {
        let kafka = &self.kafka;
        if self.transport == Transport::Kafka && kafka.bootstrap.trim().is_empty() {
            checks.wrong(
                "kafka.bootstrap",
                "empty",
                "the brokers' addresses, as `transport` is \"kafka\"",
                "set it like \"broker-1:9092,broker-2:9092\"",
            );
        }
        if self.transport == Transport::Embedded && !kafka.bootstrap.is_empty() {
            checks.wrong(
                "transport",
                "\"embedded\"",
                "\"kafka\", as `kafka.bootstrap` is set",
                "set `transport = \"kafka\"`, or remove `kafka.bootstrap`",
            );
        }
        checks.name("kafka.prefix", &kafka.prefix, 100);
        for property in kafka.properties.keys().filter(|p| OWN_PROPERTIES.contains(&p.as_str())) {
            let key = format!("kafka.properties.{property}");
            checks.wrong(&key, "set", "left out: counting exactly once rests on it, so groundswell sets it itself", "remove it");
        }
        checks.range("kafka.replication", usize::from(kafka.replication), 0, 32);
        checks.range("embedded.cache_mib", self.embedded.cache_mib, 1, 65_536);
        checks.range("embedded.linger_ms", to_usize(self.embedded.linger_ms), 0, 1_000);
    }

    fn check_topics(&self, checks: &mut Checks) {
        checks.range("topics.partitions", to_usize(u64::from(self.topics.partitions)), 1, 1_000);
        checks.range("topics.retention_hours", to_usize(self.topics.retention_hours), 0, 24 * 365 * 100);
        let mut seen = BTreeSet::new();
        for topic in Topic::ALL {
            let name = self.topics.names.of(topic);
            let key = format!("topics.names.{}", key_of(topic));
            checks.name(&key, name, TOPIC_NAME_MAX);
            if !seen.insert(name) {
                checks.wrong(&key, format_args!("{name:?}"), "different from every other topic's name", "give each topic its own name");
            }
        }
    }

    fn check_limits(&self, checks: &mut Checks) {
        let limits = &self.limits;
        checks.range("limits.event_bytes", limits.event_bytes, 1_024, 100 * 1024 * 1024);
        checks.range("limits.body_bytes", limits.body_bytes, limits.event_bytes.max(1_024), 1024 * 1024 * 1024);
        checks.range("limits.batch_events", limits.batch_events, 1, 1_000_000);
        checks.range("limits.depth", limits.depth, 4, groundswell_contract::Limits::DEEPEST);
        checks.range("limits.attributes", limits.attributes, 0, 1_000);
        checks.range("limits.attribute_bytes", limits.attribute_bytes, 16, 65_536);
        checks.range("limits.title_bytes", limits.title_bytes, 64, 65_536);
        checks.range("limits.future_hours", to_usize(u64::from(limits.future_hours)), 0, 24 * 365);
    }

    fn check_services(&self, checks: &mut Checks) {
        let classify = &self.classify;
        checks.range("classify.dedupe_minutes", to_usize(u64::from(classify.dedupe_minutes)), 1, 60 * 24 * 31);
        checks.range("classify.dedupe_entries", classify.dedupe_entries, 1_000, 100_000_000);
        checks.range("classify.look_back_days", to_usize(u64::from(classify.look_back_days)), 1, 365);
        checks.range("classify.operations_per_version", classify.operations_per_version, 1, 100_000);
        checks.range("classify.undeclared_versions", classify.undeclared_versions, 0, 10_000);
        checks.range("classify.undeclared_apis", classify.undeclared_apis, 0, 10_000);
        check_language_model(&classify.language_model, checks);
        let index = &self.index;
        checks.range("index.commit_ms", to_usize(index.commit_ms), 1, 60_000);
        checks.range("index.writers", index.writers, 1, 1_000);
        checks.range("index.writer_mib", index.writer_mib, index.writers.max(1).saturating_mul(MIB_PER_WRITER), 1_048_576);
        checks.range("index.rollup_cache_mib", index.rollup_cache_mib, 1, 65_536);
        checks.range("index.themes_mib", index.themes_mib, 1, 65_536);
    }

    fn check_server(&self, checks: &mut Checks) {
        let server = &self.server;
        if server.keys.is_empty() && !server.listen.ip().is_loopback() {
            checks.wrong(
                "server.listen",
                server.listen,
                "a loopback address like 127.0.0.1:4780 while `server.keys` is empty, because everyone who reaches it could read and publish",
                "make a key with `groundswell key new NAME --scopes publish,read` and put its entry under `server.keys`, or listen on 127.0.0.1",
            );
        }
        let mut names = BTreeSet::new();
        for (i, key) in server.keys.iter().enumerate() {
            let at = |field: &str| format!("server.keys[{i}].{field}");
            checks.name(&at("name"), &key.name, 64);
            if !names.insert(&key.name) {
                checks.wrong(&at("name"), format_args!("{:?}", key.name), "different from every other key's name", "rename one");
            }
            if !is_hex_32_bytes(&key.hash) {
                checks.wrong(
                    &at("hash"),
                    "(hidden)",
                    "64 hexadecimal digits",
                    "take the entry that `groundswell key new` prints; the key itself does not belong here",
                );
            }
            if key.scopes.is_empty() {
                checks.wrong(&at("scopes"), "empty", "one or more of \"publish\", \"read\", \"admin\"", "add the scopes that it needs");
            }
        }
    }

    fn check_rest(&self, checks: &mut Checks) {
        let secret = &self.privacy.pseudonym_key;
        if !secret.is_empty() && !is_hex_32_bytes(secret) {
            checks.wrong("privacy.pseudonym_key", "(hidden)", "64 hexadecimal digits, or empty", "make one with `openssl rand -hex 32`");
        }
        if let Err(why) = tracing_subscriber::EnvFilter::try_new(&self.log.level) {
            let todo = format!("{why}; write it like \"info\" or \"groundswell_bus=debug,info\"");
            checks.wrong("log.level", format_args!("{:?}", self.log.level), "a level, or directives", &todo);
        }
    }
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn is_hex_32_bytes(text: &str) -> bool {
    text.len() == HEX_32_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn key_of(topic: Topic) -> &'static str {
    match topic {
        Topic::Tickets => "tickets",
        Topic::Surveys => "surveys",
        Topic::Usage => "usage",
        Topic::Catalogue => "catalogue",
        Topic::Events => "events",
        Topic::Insights => "insights",
        Topic::Journal => "journal",
        Topic::DeadLetters => "dead_letters",
    }
}

fn check_language_model(model: &LanguageModelSettings, checks: &mut Checks) {
    let key = |field: &str| format!("classify.language_model.{field}");
    checks.range(&key("timeout_ms"), to_usize(model.timeout_ms), 100, 300_000);
    checks.range(&key("batch"), model.batch, 1, 100);
    checks.range(&key("per_day"), to_usize(model.per_day), 1, 10_000_000);
    checks.range(&key("queue"), model.queue, 1, 100_000);
    checks.range(&key("cache"), model.cache, 1, 1_000_000);
    checks.range(&key("text_bytes"), model.text_bytes, 100, 100_000);
    if !model.is_on() {
        return;
    }
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let loopback =
        here.iter().filter_map(|start| model.url.strip_prefix(start)).any(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    if !(model.url.starts_with("https://") || loopback) {
        let wanted = "an https URL, or http on this machine";
        checks.wrong(&key("url"), format_args!("{:?}", model.url), wanted, "texts of your consumers travel there: use https");
    }
    if model.model.is_empty() {
        checks.wrong(&key("model"), "empty", "the model's name at that endpoint", "ask the endpoint which it has");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ApiKey, Scope};

    fn only_problem(change: impl FnOnce(&mut Settings)) -> Problem {
        let mut settings = Settings::default();
        change(&mut settings);
        let mut problems = settings.check();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    #[test]
    fn the_defaults_are_right() {
        assert_eq!(Settings::default().check(), []);
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_key_and_limit() {
        let problem = only_problem(|s| s.limits.depth = 500).to_string();
        assert!(problem.contains("`limits.depth` is 500") && problem.contains("from 4 to 100"), "{problem}");
    }

    #[test]
    fn writers_need_their_memory() {
        let problem = only_problem(|s| s.index.writers = 100).to_string();
        assert!(problem.contains("`index.writer_mib` is 256") && problem.contains("1500"), "{problem}");
    }

    #[test]
    fn no_public_address_without_keys() {
        let public = "0.0.0.0:4780".parse().unwrap();
        let problem = only_problem(|s| s.server.listen = public).to_string();
        assert!(problem.contains("0.0.0.0:4780") && problem.contains("groundswell key new"), "{problem}");

        let mut settings = Settings::default();
        settings.server.listen = public;
        settings.server.keys = vec![ApiKey { name: "ci".into(), hash: "0".repeat(64), scopes: vec![Scope::Read] }];
        assert_eq!(settings.check(), []);
    }

    #[test]
    fn a_key_in_place_of_its_hash_is_refused_and_not_repeated() {
        let key = ApiKey { name: "ci".into(), hash: "gs_topsecret".into(), scopes: vec![Scope::Read] };
        let problem = only_problem(|s| s.server.keys = vec![key]).to_string();
        assert!(problem.contains("server.keys[0].hash") && !problem.contains("topsecret"), "{problem}");
    }

    #[test]
    fn kafka_needs_brokers_and_keeps_its_guarantees() {
        assert_eq!(only_problem(|s| s.transport = Transport::Kafka).key, "kafka.bootstrap");
        let problem = only_problem(|s| {
            s.transport = Transport::Kafka;
            s.kafka.bootstrap = "b:9092".into();
            s.kafka.properties.insert("isolation.level".into(), "read_uncommitted".into());
        });
        assert_eq!(problem.key, "kafka.properties.isolation.level");
        assert_eq!(only_problem(|s| s.kafka.bootstrap = "b:9092".into()).key, "transport");
    }

    #[test]
    fn topics_have_their_own_names() {
        let problem = only_problem(|s| s.topics.names.insights = s.topics.names.events.clone());
        assert_eq!(problem.key, "topics.names.insights");
        assert_eq!(only_problem(|s| s.topics.names.usage = "feedback usage".into()).key, "topics.names.usage");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let problem = only_problem(|s| s.privacy.pseudonym_key = "hunter2".into()).to_string();
        assert!(!problem.contains("hunter2") && problem.contains("64 hexadecimal digits"), "{problem}");
    }

    #[test]
    fn a_bad_log_level_is_refused() {
        assert_eq!(only_problem(|s| s.log.level = "a=b=c".into()).key, "log.level");
    }
}
