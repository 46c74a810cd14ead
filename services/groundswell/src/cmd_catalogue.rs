//! `catalogue`: APIs and versions from a file, and what the server knows of them.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use groundswell_catalogue::describe::{Declared, DeclaredVersion};
use groundswell_catalogue::file::{self, VersionReleases};
use groundswell_contract::Release;
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::feed::{Feed, Sent};
use crate::output::{Format, clean, lines, print, print_json, table, thousands};

/// The file that is read where none is named.
const USUAL_FILE: &str = "catalogue.toml";
const SEND_FOR: Duration = Duration::from_secs(60);
/// How long the server may take to know what was sent.
const KNOWN_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What to do with a catalogue.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Publish what a file declares and the server does not know yet
    #[command(after_help = "Examples:
  groundswell catalogue apply catalogue.toml
  groundswell catalogue apply                  the file of the setting catalogue.file, else catalogue.toml
  groundswell catalogue apply apis.yaml --dry-run

Applied again it changes nothing. docs/catalogue.md describes the file.")]
    Apply {
        /// TOML, or YAML where its name ends so
        file: Option<PathBuf>,
        /// Say what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Check a file and its OpenAPI documents without a server
    Check {
        /// TOML, or YAML where its name ends so
        file: Option<PathBuf>,
    },
    /// What the server knows: APIs, versions, dates, owners, places, operations
    Show {
        /// Only this API
        api: Option<String>,
    },
}

/// What became of a file: the JSON of `groundswell catalogue apply` and `check`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Applied {
    /// The file.
    pub file: String,
    /// Version by version.
    pub versions: Vec<AppliedVersion>,
    /// What became of the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// One version of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AppliedVersion {
    /// The API.
    pub api: String,
    /// What is done with it: `new`, `changed`, `unchanged`; `valid` where nobody was asked.
    pub outcome: String,
    /// What the file declares.
    #[serde(flatten)]
    pub declared: DeclaredVersion,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<(), Failure> {
    let format = Format::choose(global.format);
    match command {
        Command::Apply { file, dry_run } => apply(global, &path(global, file.as_deref())?, *dry_run, format),
        Command::Check { file } => {
            let path = path(global, file.as_deref())?;
            let loaded = Loaded::read(&path, event_bytes(global)?)?;
            let rows = loaded.versions.iter().map(|v| row(v, "valid"));
            show_applied(&Applied { file: path.display().to_string(), versions: rows.collect(), sent: None }, format)
        }
        Command::Show { api } => {
            let client = Client::find(global)?;
            let declared = ask(&client, api.as_deref())?;
            client.finish()?;
            show(&declared, format)
        }
    }
}

fn event_bytes(global: &Global) -> Result<usize, Failure> {
    Ok(global.config.load()?.limits.event_bytes)
}

fn path(global: &Global, named: Option<&Path>) -> Result<PathBuf, Failure> {
    let set = Some(global.config.load()?.catalogue.file).filter(|path| !path.as_os_str().is_empty());
    let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| path.is_file());
    let none = || Failure::wrong_use(format!("no catalogue file: name one, set catalogue.file, or write {USUAL_FILE} in this folder"));
    named.map(Path::to_owned).or(set).or_else(usual).ok_or_else(none)
}

/// A file that was read and is valid.
pub struct Loaded {
    source: String,
    versions: Vec<VersionReleases>,
}

impl Loaded {
    /// Reads a file and the documents it names.
    pub fn read(path: &Path, event_bytes: usize) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| Failure::wrong_use(format!("{name} can't be read: {e}")))?;
        let yaml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"));
        let parsed = file::parse(&text, yaml).map_err(|why| Failure::wrong_use(format!("{name}: {why}")))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let document = |path: &str| std::fs::read_to_string(folder.join(path)).map_err(|e| e.to_string());
        let versions = file::releases(&parsed, document).map_err(|wrong| {
            let list: String = wrong.iter().map(|why| format!("\n  {}", clean(why))).collect();
            Failure::wrong_use(format!("{name} is not valid:{list}"))
        })?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let source = format!("groundswell/catalogue/{}", parsed.name.unwrap_or(stem));
        let loaded = Self { source, versions };
        for version in &loaded.versions {
            let longest = loaded.events(version, None).iter().map(String::len).max().unwrap_or(0);
            if longest > event_bytes {
                let what = format!("{} {}", version.api, version.version);
                return Err(Failure::wrong_use(format!(
                    "{name}: {what} makes an event of {longest} bytes, and limits.event_bytes is {event_bytes}"
                )));
            }
        }
        Ok(loaded)
    }

    /// The events of a version. Their ids follow from what they say and what they replace: said again they are
    /// duplicates, and what was changed and changed back is said anew.
    fn events(&self, version: &VersionReleases, known: Option<&DeclaredVersion>) -> Vec<String> {
        let before = serde_json::to_string(&known).unwrap_or_default();
        let event = |release: &Release| {
            let data = serde_json::to_value(release).unwrap_or_default();
            let id = blake3::Hasher::new().update(data.to_string().as_bytes()).update(before.as_bytes()).finalize().to_hex();
            serde_json::json!({
                "specversion": "1.0", "type": "groundswell.release.v1", "source": self.source, "id": &id.as_str()[..32],
                "subject": format!("{} {}", version.api, version.version), "data": data,
            })
            .to_string()
        };
        version.releases.iter().map(event).collect()
    }
}

fn ask(client: &Client, api: Option<&str>) -> Result<Declared, Failure> {
    let query: Vec<_> = api.map(|api| ("api", api.to_owned())).into_iter().collect();
    client.get(&["v1", "catalogue"], &query)
}

fn find<'d>(declared: &'d Declared, version: &VersionReleases) -> Option<&'d DeclaredVersion> {
    let api = declared.apis.iter().find(|a| a.api == version.api)?;
    api.versions.iter().find(|v| v.version == version.version)
}

fn apply(global: &Global, path: &Path, dry_run: bool, format: Format) -> Result<(), Failure> {
    let loaded = Loaded::read(path, event_bytes(global)?)?;
    let client = if dry_run { Client::find(global)? } else { Client::find_or_make(global)? };
    let known = ask(&client, None)?;
    let mut applied = Applied { file: path.display().to_string(), ..Applied::default() };
    let mut events = String::new();
    for version in &loaded.versions {
        let before = find(&known, version);
        let outcome = match before {
            None => "new",
            Some(known) if file::is_known(&file::declared(version), known) => "unchanged",
            Some(_) => "changed",
        };
        if outcome != "unchanged" {
            loaded.events(version, before).iter().for_each(|event| events.extend([event.as_str(), "\n"]));
        }
        applied.versions.push(row(version, outcome));
    }
    if !dry_run && !events.is_empty() {
        let mut sent = Sent::default();
        let feed = Feed { batch: 100, retry_for: SEND_FOR };
        feed.lines(&client, &applied.file, Cursor::new(events), &mut sent, |_, _| {})?;
        let rejected = sent.rejected;
        applied.sent = Some(sent);
        if rejected == 0 {
            wait_known(&client, &loaded)?;
        }
    }
    client.finish()?;
    let rejected = applied.sent.as_ref().is_some_and(|sent| sent.rejected > 0);
    show_applied(&applied, format)?;
    if rejected { Err(Failure::said()) } else { Ok(()) }
}

/// Waits until the server says what the file says.
fn wait_known(client: &Client, loaded: &Loaded) -> Result<(), Failure> {
    let end = std::time::Instant::now() + KNOWN_WITHIN;
    loop {
        let known = ask(client, None)?;
        let missing = loaded.versions.iter().find(|v| !find(&known, v).is_some_and(|known| file::is_known(&file::declared(v), known)));
        let Some(missing) = missing else { return Ok(()) };
        if std::time::Instant::now() >= end {
            let what = format!("{} {}", missing.api, missing.version);
            let why = find(&known, missing).and_then(|v| v.openapi_problem.clone()).map_or_else(String::new, |why| format!(" ({why})"));
            return Err(Failure::failed(format!(
                "sent, but after {} s the server does not say the same of {what}{why}; `groundswell catalogue show` tells what it knows",
                KNOWN_WITHIN.as_secs()
            )));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn row(version: &VersionReleases, outcome: &str) -> AppliedVersion {
    AppliedVersion { api: version.api.clone(), outcome: outcome.to_owned(), declared: file::declared(version) }
}

const COLUMNS: [&str; 7] = ["API", "version", "dates", "owners", "served at", "operations", ""];

fn cells(api: &str, v: &DeclaredVersion, last: String) -> [String; 7] {
    let dates = [("released", &v.released), ("deprecated", &v.deprecated), ("sunset", &v.sunset), ("removed", &v.removed)];
    let dates: Vec<String> =
        dates.iter().filter_map(|(word, d)| d.as_ref().map(|d| format!("{word} {}", d.get(..10).unwrap_or(d)))).collect();
    let mut places: Vec<String> = v.hosts.iter().chain(&v.base_paths).cloned().collect();
    places.extend(v.servers.iter().map(|(host, base)| format!("{host}{base}")).filter(|place| !place.is_empty()));
    places.extend(v.header.as_ref().map(|(name, value)| format!("{name}: {value}")));
    let operations = if v.operations > 0 { thousands(v.operations as u64) } else { v.openapi_link.clone().unwrap_or_default() };
    [api.to_owned(), v.version.clone(), dates.join(", "), v.owners.join(", "), places.join(", "), operations, last].map(|cell| clean(&cell))
}

fn show_applied(applied: &Applied, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(applied);
    }
    let mut rows = table(format, &COLUMNS);
    applied.versions.iter().for_each(|v| {
        rows.add_row(cells(&v.api, &v.declared, v.outcome.clone()));
    });
    let mut text = lines(&rows);
    if let Some(sent) = &applied.sent {
        text += &format!("{} events accepted, {} duplicate, {} rejected\n", sent.accepted, sent.duplicate, sent.rejected);
        sent.rejections.iter().for_each(|r| text += &format!("{}: {}\n", r.reason, clean(&r.detail)));
    }
    print(&text)
}

fn show(declared: &Declared, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(declared);
    }
    if declared.apis.is_empty() {
        return print("nothing is declared: write a catalogue.toml and run `groundswell catalogue apply`\n");
    }
    let mut rows = table(format, &COLUMNS);
    for api in &declared.apis {
        api.versions.iter().for_each(|v| {
            rows.add_row(cells(&api.api, v, v.openapi_problem.clone().unwrap_or_default()));
        });
    }
    let mut text = lines(&rows);
    if declared.left_out > 0 {
        text += &format!("{} release events are left out because the catalogue is full\n", thousands(declared.left_out));
    }
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
name = "acme"
[[api]]
name = "orders"
[[api.version]]
name = "v1"
released = 2026-01-01
sunset = 2027-01-01
openapi = "orders.json"
"#;

    fn loaded(folder: &Path, text: &str) -> Result<Loaded, Failure> {
        std::fs::write(folder.join("orders.json"), r#"{"swagger": "2.0", "basePath": "/v1", "paths": {"/orders": {"get": {}}}}"#).unwrap();
        std::fs::write(folder.join("catalogue.toml"), text).unwrap();
        Loaded::read(&folder.join("catalogue.toml"), 900_000)
    }

    #[test]
    fn events_of_the_same_file_are_the_same_and_of_a_change_back_they_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = loaded(folder.path(), FILE).unwrap();
        assert_eq!(file.source, "groundswell/catalogue/acme");
        let version = &file.versions[0];
        let first = file.events(version, None);
        assert_eq!((first.len(), &first), (2, &file.events(version, None)));
        let after = file.events(version, Some(&DeclaredVersion { notes: Some("between".into()), ..file::declared(version) }));
        assert!(first.iter().zip(&after).all(|(a, b)| a != b));
        let limits = groundswell_contract::Limits::default();
        for event in &first {
            let incoming = groundswell_contract::Incoming { body: Some(event.as_bytes()), ..Default::default() };
            groundswell_contract::decode(&incoming, &limits).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_wrong_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| loaded(folder.path(), text).err().unwrap().to_string();
        assert!(told(&FILE.replace("2026-01-01", "2028-01-01")).contains("orders v1: sunset lies before released"));
        assert!(told(&FILE.replace("orders.json", "none.json")).contains("none.json"));
        assert!(Loaded::read(&folder.path().join("none.toml"), 1).err().unwrap().to_string().contains("can't be read"));
        loaded(folder.path(), FILE).unwrap();
        let large = Loaded::read(&folder.path().join("catalogue.toml"), 100).err().unwrap().to_string();
        assert!(large.contains("limits.event_bytes"), "{large}");
    }
}
