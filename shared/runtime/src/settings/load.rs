//! Reading configuration: a file, then the environment, then the command line; each over the one before.

use std::collections::BTreeSet;
use std::path::PathBuf;

use config::{FileFormat, Map, Source, Value, ValueKind};

use super::{Problem, Settings};

/// Begins every environment variable that sets a key: `GROUNDSWELL__SERVER__LISTEN` sets `server.listen`.
pub const ENV_PREFIX: &str = "GROUNDSWELL__";
/// Table whose keys are librdkafka's, with dots in their names.
const FREE_TABLE: &str = "kafka.properties";
/// Lists, which the environment and the command line give as a TOML array.
const LISTS: &[&str] = &["server.keys"];

/// Where configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not begin with [`ENV_PREFIX`] are ignored, and so are empty ones.
    pub environment: Vec<(String, String)>,
    /// `key = value` from the command line.
    pub overrides: Vec<(String, String)>,
}

/// Configuration that can't be used: the program ends with [`crate::exit::WRONG_CONFIGURATION`].
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("can't read the configuration file {}: {why}. Check the path given with --config and who may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("wrong configuration: {0}")]
    Malformed(String),
    /// Keys that do not exist, or values out of their limits.
    #[error("wrong configuration:\n{}", list(.0))]
    Problems(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n")
}

impl Sources {
    /// The process's environment and, if given, a file.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        Self { file, environment, overrides: Vec::new() }
    }

    /// Reads and checks.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let settings = self.read()?;
        let problems = settings.check();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError::Problems(problems)) }
    }

    /// Reads without checking values against their limits: for `doctor`, which reports them itself.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(&self) -> Result<Settings, SettingsError> {
        let mut builder = config::Config::builder();
        if let Some(path) = &self.file {
            let text = std::fs::read_to_string(path).map_err(|why| SettingsError::Unreadable { path: path.clone(), why })?;
            builder = builder.add_source(config::File::from_str(&text, FileFormat::Toml));
        }
        builder =
            builder.add_source(Assignments(self.assigned_by_environment()?)).add_source(Assignments(self.assigned_by_command_line()?));
        let read = builder.build().map_err(|e| self.malformed(&e))?;
        let unknown = unknown_keys(&read.cache);
        if !unknown.is_empty() {
            return Err(SettingsError::Problems(unknown));
        }
        read.try_deserialize().map_err(|e| self.malformed(&e))
    }

    fn malformed(&self, error: &config::ConfigError) -> SettingsError {
        let file = self.file.as_ref().map(|p| format!(" ({})", p.display())).unwrap_or_default();
        SettingsError::Malformed(format!("{error}{file}"))
    }

    fn assigned_by_environment(&self) -> Result<Vec<Assignment>, SettingsError> {
        let ours = self.environment.iter().filter(|(name, value)| name.starts_with(ENV_PREFIX) && !value.is_empty());
        ours.map(|(name, value)| {
            let dotted = name[ENV_PREFIX.len()..].to_lowercase().replace("__", ".");
            // librdkafka's names hold dots where a variable can only hold underscores.
            let dotted = match dotted.strip_prefix(FREE_TABLE) {
                Some(property) => format!("{FREE_TABLE}{}", property.replace('_', ".")),
                None => dotted,
            };
            Assignment::new(&dotted, value, format!("the environment variable {name}"))
        })
        .collect()
    }

    fn assigned_by_command_line(&self) -> Result<Vec<Assignment>, SettingsError> {
        self.overrides.iter().map(|(key, value)| Assignment::new(key, value, "the command line".into())).collect()
    }
}

#[derive(Clone, Debug)]
struct Assignment {
    path: Vec<String>,
    value: Value,
}

impl Assignment {
    fn new(dotted: &str, text: &str, origin: String) -> Result<Self, SettingsError> {
        let path = match dotted.strip_prefix(FREE_TABLE).and_then(|rest| rest.strip_prefix('.')) {
            Some(property) => FREE_TABLE.split('.').map(str::to_owned).chain([property.to_owned()]).collect(),
            None => dotted.split('.').map(str::to_owned).collect(),
        };
        let kind = if LISTS.contains(&dotted) { list_value(dotted, text, &origin)? } else { ValueKind::String(text.to_owned()) };
        Ok(Self { path, value: Value::new(Some(&origin), kind) })
    }

    fn put(&self, into: &mut Map<String, Value>) {
        let Some((last, tables)) = self.path.split_last() else { return };
        let mut here = into;
        for name in tables {
            let slot = here.entry(name.clone()).or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
            if !matches!(slot.kind, ValueKind::Table(_)) {
                slot.kind = ValueKind::Table(Map::new());
            }
            let ValueKind::Table(table) = &mut slot.kind else { return };
            here = table;
        }
        here.insert(last.clone(), self.value.clone());
    }
}

fn list_value(key: &str, text: &str, origin: &str) -> Result<ValueKind, SettingsError> {
    let wrong = |why: &dyn std::fmt::Display| {
        SettingsError::Malformed(format!(
            "`{key}` in {origin} must be a TOML array like [{{name = \"ci\", hash = \"…\", scopes = [\"publish\"]}}]: {why}"
        ))
    };
    let parsed: toml::Table = toml::from_str(&format!("list = {text}")).map_err(|e| wrong(&e.message()))?;
    let value = parsed.get("list").cloned().unwrap_or(toml::Value::Array(Vec::new()));
    value.try_into::<Value>().map(|v| v.kind).map_err(|e| wrong(&e))
}

/// Values for single keys.
#[derive(Clone, Debug)]
struct Assignments(Vec<Assignment>);

impl Source for Assignments {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let mut all = Map::new();
        for assignment in &self.0 {
            assignment.put(&mut all);
        }
        Ok(all)
    }
}

/// Every key that can be set, with dots; lists and free tables end at their own name.
#[must_use]
pub fn known_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if let Ok(defaults) = toml::Table::try_from(Settings::default()) {
        gather("", &defaults, &mut keys);
    }
    keys
}

fn gather(prefix: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            toml::Value::Table(inner) if key != FREE_TABLE => gather(&format!("{key}."), inner, keys),
            _ => {
                keys.insert(key);
            }
        }
    }
}

fn unknown_keys(root: &Value) -> Vec<Problem> {
    let known = known_keys();
    let mut unknown = Vec::new();
    walk("", root, &known, &mut unknown);
    unknown
}

fn walk(key: &str, value: &Value, known: &BTreeSet<String>, unknown: &mut Vec<Problem>) {
    if known.contains(key) {
        return;
    }
    let begins_some = key.is_empty() || known.iter().any(|k| k.starts_with(key) && k[key.len()..].starts_with('.'));
    match &value.kind {
        ValueKind::Table(table) if begins_some => {
            for (name, inner) in table {
                let inner_key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                walk(&inner_key, inner, known, unknown);
            }
        }
        _ => unknown.push(unknown_key(key, value, known)),
    }
}

fn unknown_key(key: &str, value: &Value, known: &BTreeSet<String>) -> Problem {
    let origin = value.origin().map(|o| format!(", set by {o},")).unwrap_or_default();
    let hint = match nearest(key, known) {
        Some(near) => format!("the nearest key is `{near}`"),
        None => "run with --check-config and no file to see every key".to_owned(),
    };
    Problem { key: key.to_owned(), says: format!("`{key}`{origin} is not a key"), todo: hint }
}

/// The known key that is written most alike; a right name under a wrong table counts as near.
fn nearest<'k>(key: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let leaf = |k: &str| k.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |candidate: &str| strsim::levenshtein(key, candidate).min(1 + strsim::levenshtein(&leaf(key), &leaf(candidate)));
    let best = known.iter().min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= 1 + leaf(key).len() / 2).then_some(best.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Transport;

    fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("groundswell.toml");
        std::fs::write(&path, text).unwrap();
        (dir, Sources { file: Some(path), ..Sources::default() })
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(Sources::default().load().unwrap(), Settings::default());
    }

    #[test]
    fn environment_stands_over_the_file_and_the_command_line_over_both() {
        let (_dir, mut sources) = with_file("[limits]\ndepth = 10\nattributes = 11\ntitle_bytes = 512\n");
        sources.environment =
            vec![pair("GROUNDSWELL__LIMITS__ATTRIBUTES", "12"), pair("GROUNDSWELL__LIMITS__TITLE_BYTES", "600"), pair("PATH", "/bin")];
        sources.overrides = vec![pair("limits.title_bytes", "700")];
        let limits = sources.load().unwrap().limits;
        assert_eq!((limits.depth, limits.attributes, limits.title_bytes), (10, 12, 700));
    }

    #[test]
    fn kafka_properties_keep_their_dots_from_every_source() {
        let (_dir, mut sources) =
            with_file("transport = \"kafka\"\n[kafka]\nbootstrap = \"b:9092\"\n[kafka.properties]\n\"security.protocol\" = \"SASL_SSL\"\n");
        sources.environment = vec![pair("GROUNDSWELL__KAFKA__PROPERTIES__SASL_PASSWORD", "s3cret")];
        sources.overrides = vec![pair("kafka.properties.sasl.mechanism", "PLAIN")];
        let settings = sources.load().unwrap();
        assert_eq!(settings.transport, Transport::Kafka);
        let properties: Vec<_> = settings.kafka.properties.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(properties, [("sasl.mechanism", "PLAIN"), ("sasl.password", "s3cret"), ("security.protocol", "SASL_SSL")]);
    }

    #[test]
    fn text_of_digits_stays_text_and_empty_variables_are_ignored() {
        let digits = "1".repeat(64);
        let sources = Sources {
            environment: vec![pair("GROUNDSWELL__PRIVACY__PSEUDONYM_KEY", &digits), pair("GROUNDSWELL__INSTANCE", "")],
            ..Sources::default()
        };
        let settings = sources.load().unwrap();
        assert_eq!((settings.privacy.pseudonym_key, settings.instance), (digits, "0".to_owned()));
    }

    #[test]
    fn an_unknown_key_names_the_nearest_one_and_where_it_was_set() {
        let (_dir, sources) = with_file("[server]\nlisten_on = \"127.0.0.1:1\"\n");
        let message = sources.load().unwrap_err().to_string();
        assert!(message.contains("`server.listen_on`") && message.contains("`server.listen`"), "{message}");

        let sources = Sources { environment: vec![pair("GROUNDSWELL__INDEX__COMIT_MS", "1")], ..Sources::default() };
        let message = sources.load().unwrap_err().to_string();
        assert!(message.contains("GROUNDSWELL__INDEX__COMIT_MS") && message.contains("`index.commit_ms`"), "{message}");
    }

    #[test]
    fn a_right_name_in_a_wrong_table_is_found() {
        let (_dir, sources) = with_file("[kafka]\ncommit_ms = 5\n");
        assert!(sources.load().unwrap_err().to_string().contains("`index.commit_ms`"));
    }

    #[test]
    fn a_value_of_the_wrong_type_names_key_and_value() {
        let (_dir, sources) = with_file("[index]\ncommit_ms = \"fast\"\n");
        let message = sources.load().unwrap_err().to_string();
        assert!(message.contains("index.commit_ms") && message.contains("fast"), "{message}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let sources = Sources { file: Some("/nowhere/groundswell.toml".into()), ..Sources::default() };
        assert!(sources.load().unwrap_err().to_string().contains("/nowhere/groundswell.toml"));
    }

    #[test]
    fn keys_may_come_from_the_environment_as_a_toml_array() {
        let hash = "a".repeat(64);
        let keys = format!("[{{name = \"ci\", hash = \"{hash}\", scopes = [\"publish\", \"read\"]}}]");
        let sources = Sources { environment: vec![pair("GROUNDSWELL__SERVER__KEYS", &keys)], ..Sources::default() };
        assert_eq!(sources.load().unwrap().server.keys[0].name, "ci");
        let sources = Sources { environment: vec![pair("GROUNDSWELL__SERVER__KEYS", "ci")], ..Sources::default() };
        assert!(sources.load().unwrap_err().to_string().contains("TOML array"));
    }

    #[test]
    fn every_table_of_the_settings_is_known() {
        let known = known_keys();
        for key in ["data", "kafka.properties", "topics.names.dead_letters", "server.keys", "privacy.pseudonym_key"] {
            assert!(known.contains(key), "{key}");
        }
    }
}
