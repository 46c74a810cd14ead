//! Configuration: [`Sources`] reads it, [`Settings::check`] checks it once, [`Settings::masked`] prints it.

mod check;
mod load;
mod mask;

use std::net::SocketAddr;
use std::path::PathBuf;

use groundswell_bus::{EmbeddedSettings, KafkaSettings, TopicSettings};
use serde::{Deserialize, Serialize};

pub use check::Problem;
pub use load::{ENV_PREFIX, SettingsError, Sources, known_keys};
pub use mask::MASK;

/// Which transport carries the topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// The embedded log: one process, no broker.
    #[default]
    Embedded,
    /// Kafka.
    Kafka,
}

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder for everything this process stores.
    pub data: PathBuf,
    /// Name of this process among its likes: part of the transactional id, so unique per process and stable over restarts.
    pub instance: String,
    /// Which transport.
    pub transport: Transport,
    /// Kafka, if that is the transport.
    pub kafka: KafkaSettings,
    /// The embedded log, if that is the transport.
    pub embedded: EmbeddedSettings,
    /// Topics.
    pub topics: TopicSettings,
    /// Bounds on what is accepted.
    pub limits: Limits,
    /// Personal data.
    pub privacy: Privacy,
    /// The catalogue of APIs.
    pub catalogue: CatalogueSettings,
    /// The classify service.
    pub classify: ClassifySettings,
    /// The index service.
    pub index: IndexSettings,
    /// HTTP.
    pub server: ServerSettings,
    /// Logs.
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("groundswell-data"),
            instance: "0".into(),
            transport: Transport::default(),
            kafka: KafkaSettings::default(),
            embedded: EmbeddedSettings::default(),
            topics: TopicSettings::default(),
            limits: Limits::default(),
            privacy: Privacy::default(),
            catalogue: CatalogueSettings::default(),
            classify: ClassifySettings::default(),
            index: IndexSettings::default(),
            server: ServerSettings::default(),
            log: LogSettings::default(),
        }
    }
}

/// Bounds on what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of one HTTP request body.
    pub body_bytes: usize,
    /// Events in one HTTP batch.
    pub batch_events: usize,
    /// Depth of nesting of an event's JSON.
    pub depth: usize,
    /// Unknown fields kept of an event; further ones are counted and left out.
    pub attributes: usize,
    /// Bytes kept of one unknown field's name and JSON together; longer ones are cut.
    pub attribute_bytes: usize,
    /// Bytes kept of a title (cut at a character); bodies are bounded by `event_bytes`.
    pub title_bytes: usize,
    /// Hours that a `time` may be ahead.
    pub future_hours: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 900_000,
            body_bytes: 16 * 1024 * 1024,
            batch_events: 10_000,
            depth: 32,
            attributes: 32,
            attribute_bytes: 1024,
            title_bytes: 2048,
            future_hours: 24,
        }
    }
}

/// Personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Secret for pseudonyms of requesters: 32 bytes in hexadecimal. Where empty, one is made and kept in the data folder;
    /// several processes must share one.
    pub pseudonym_key: String,
}

/// The catalogue of APIs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueSettings {
    /// The file that `groundswell catalogue apply` and `check` read where none is named; empty for `catalogue.toml` of the folder.
    pub file: PathBuf,
}

/// The classify service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassifySettings {
    /// Minutes for which a usage event's identity is remembered.
    pub dedupe_minutes: u32,
    /// Identities of usage remembered at most, in this process.
    pub dedupe_entries: usize,
    /// Days of usage that attribution looks back on.
    pub look_back_days: u32,
    /// Operations told apart per API version; calls of further ones are counted as `other`.
    pub operations_per_version: usize,
    /// Versions told apart per API that the catalogue does not declare; further ones count as `unknown`.
    pub undeclared_versions: usize,
    /// APIs told apart that the catalogue does not declare; further ones count as `unknown`.
    pub undeclared_apis: usize,
    /// Model file that labels, as `groundswell model train` writes it; the shipped one where empty.
    pub model: PathBuf,
    /// A language model for what the local model is unsure of.
    pub language_model: LanguageModelSettings,
}

/// A language model that is asked about what the local model is unsure of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageModelSettings {
    /// An OpenAI-compatible endpoint for chat completions; off where empty.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// Environment variable that holds the endpoint's key; none is sent where empty.
    pub key_env: String,
    /// Milliseconds that one request may take.
    pub timeout_ms: u64,
    /// Texts in one request.
    pub batch: usize,
    /// Texts asked about in one day (UTC) at most, retries included.
    pub per_day: u64,
    /// Texts that wait at most; further ones keep the local answer.
    pub queue: usize,
    /// Answers remembered.
    pub cache: usize,
    /// Bytes of each text that are sent.
    pub text_bytes: usize,
}

impl Default for LanguageModelSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            model: String::new(),
            key_env: String::new(),
            timeout_ms: 20_000,
            batch: 16,
            per_day: 1_000,
            queue: 1_000,
            cache: 10_000,
            text_bytes: 4_000,
        }
    }
}

impl LanguageModelSettings {
    /// Whether it is asked at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.url.is_empty()
    }
}

impl Default for ClassifySettings {
    fn default() -> Self {
        Self {
            dedupe_minutes: 120,
            dedupe_entries: 900_000,
            look_back_days: 30,
            operations_per_version: 5_000,
            undeclared_versions: 50,
            undeclared_apis: 100,
            model: PathBuf::new(),
            language_model: LanguageModelSettings::default(),
        }
    }
}

/// The index service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSettings {
    /// Milliseconds from the first change until it is searchable.
    pub commit_ms: u64,
    /// MiB for all open writers together.
    pub writer_mib: usize,
    /// Writers open at once.
    pub writers: usize,
    /// MiB for the page cache of the usage roll-ups.
    pub rollup_cache_mib: usize,
    /// Memory for the themes of the APIs that feedback arrives on, in MiB, over all partitions; those of others are read again when needed.
    pub themes_mib: usize,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { commit_ms: 50, writer_mib: 256, writers: 16, rollup_cache_mib: 16, themes_mib: 64 }
    }
}

/// HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Address to listen on. One that others can reach needs `keys`.
    pub listen: SocketAddr,
    /// API keys, hashed: see `groundswell key`.
    pub keys: Vec<ApiKey>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 4780)), keys: Vec::new() }
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Publish events.
    Publish,
    /// Search and read summaries.
    Read,
    /// Dead letters, rebuilds and everything else.
    Admin,
}

impl Scope {
    /// The name in the configuration and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// One API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Whose it is; shown in logs.
    pub name: String,
    /// BLAKE3 hash of the key, in hexadecimal.
    pub hash: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// How.
    pub format: LogFormat,
    /// Which: `info`, or directives like `groundswell_bus=debug,info`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

impl Limits {
    /// These bounds as the wire contract takes them.
    #[must_use]
    pub fn contract(&self) -> groundswell_contract::Limits {
        groundswell_contract::Limits {
            event_bytes: self.event_bytes,
            batch_events: self.batch_events,
            depth: self.depth,
            attributes: self.attributes,
            future_hours: self.future_hours,
        }
    }
}
