//! The catalogue as a file, in TOML or YAML: APIs, their versions, dates and places, and where their OpenAPI documents lie.
//!
//! A file becomes release events, so every service, rebuild and process sees the same catalogue. Pure: whoever calls
//! [`releases`] brings the documents.

use std::collections::BTreeSet;

use groundswell_contract::data::{Sdk, VersionHeader};
use groundswell_contract::{Release, Stage};
use groundswell_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Catalogue;
use crate::describe::DeclaredVersion;
use crate::openapi::{self, Document};
use crate::order::natural;

/// A catalogue file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// Name of the catalogue: part of the `source` of its events.
    #[serde(default)]
    pub name: Option<String>,
    /// The APIs.
    #[serde(default, alias = "apis")]
    pub api: Vec<ApiEntry>,
}

/// One API. What it says of hosts, owners and SDKs holds for each version that says nothing itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiEntry {
    /// The API.
    pub name: String,
    /// Who answers for it.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Host names.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The request header that tells the version; its value is the version's name where that has no `header_value`.
    #[serde(default)]
    pub header: Option<String>,
    /// SDKs.
    #[serde(default)]
    pub sdks: Vec<Sdk>,
    /// The versions.
    #[serde(default, alias = "versions")]
    pub version: Vec<VersionEntry>,
}

/// One version of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// The version, as consumers see it.
    pub name: String,
    /// Day or RFC 3339 time of its release.
    #[serde(default)]
    pub released: Option<String>,
    /// Day or RFC 3339 time of its deprecation.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// Day or RFC 3339 time when it stops answering.
    #[serde(default)]
    pub sunset: Option<String>,
    /// Day or RFC 3339 time when it was removed.
    #[serde(default)]
    pub removed: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Path prefixes.
    #[serde(default)]
    pub base_paths: Vec<String>,
    /// Host names.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Name and value of the request header that tells this version.
    #[serde(default)]
    pub header: Option<VersionHeader>,
    /// Value of the API's header that tells this version.
    #[serde(default)]
    pub header_value: Option<String>,
    /// SDKs that call this version.
    #[serde(default)]
    pub sdks: Vec<Sdk>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The OpenAPI document: a path relative to the catalogue file, or a URL, which is kept as a link.
    #[serde(default)]
    pub openapi: Option<String>,
    /// Release notes.
    #[serde(default)]
    pub notes: Option<String>,
}

/// Reads a file. YAML where its name says so, else TOML.
///
/// # Errors
/// It can't be read; the message names the place.
pub fn parse(text: &str, yaml: bool) -> Result<CatalogueFile, String> {
    let value: Value = if yaml {
        serde_saphyr::from_str(text).map_err(|e| format!("not YAML: {}", e.to_string().lines().next().unwrap_or_default()))?
    } else {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| format!("not TOML: {}", e.to_string().trim_end()))?;
        json_of(toml::Value::Table(table))
    };
    serde_path_to_error::deserialize(&value).map_err(|e| match e.path().to_string().as_str() {
        "." => e.inner().to_string(),
        path => format!("{path}: {}", e.inner()),
    })
}

/// TOML has dates of its own: they become text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(list) => list.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
    }
}

/// A version as release events: the first says everything, each further one another stage.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionReleases {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// Its events.
    pub releases: Vec<Release>,
}

/// The file as release events, and everything that is wrong with it. `document` brings the text of an OpenAPI
/// document by the path that the file gives.
///
/// # Errors
/// All problems, each naming its place.
pub fn releases(file: &CatalogueFile, document: impl Fn(&str) -> Result<String, String>) -> Result<Vec<VersionReleases>, Vec<String>> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for api in &file.api {
        let api_name = api.name.trim();
        if api_name.is_empty() {
            wrong.push("api: an API needs a name".to_owned());
        }
        let mut versions: Vec<&VersionEntry> = api.version.iter().collect();
        versions.sort_by(|a, b| natural(a.name.trim(), b.name.trim()));
        for version in versions {
            let place = format!("{api_name} {}", version.name.trim());
            if !names.insert((api_name.to_owned(), version.name.trim().to_owned())) {
                wrong.push(format!("{place}: declared twice"));
            }
            match of_version(api, version, &document) {
                Ok(releases) => all.push(VersionReleases { api: api_name.to_owned(), version: version.name.trim().to_owned(), releases }),
                Err(problems) => wrong.extend(problems.into_iter().map(|why| format!("{place}: {why}"))),
            }
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(wrong) }
}

fn of_version(
    api: &ApiEntry,
    version: &VersionEntry,
    document: &impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<Release>, Vec<String>> {
    let mut wrong = Vec::new();
    if version.name.trim().is_empty() {
        wrong.push("a version needs a name".to_owned());
    }
    let mut stages = Vec::new();
    for (stage, date) in [
        (Stage::Released, &version.released),
        (Stage::Deprecated, &version.deprecated),
        (Stage::Sunset, &version.sunset),
        (Stage::Removed, &version.removed),
    ] {
        match date.as_deref().map(time) {
            None => {}
            Some(Ok(time)) => stages.push((stage, time)),
            Some(Err(why)) => wrong.push(format!("{}: {why}", stage.name())),
        }
    }
    if let Some([(early, _), (late, _)]) = stages.windows(2).find(|pair| pair[0].1 > pair[1].1) {
        wrong.push(format!("{} lies before {}", late.name(), early.name()));
    }
    let openapi = match version.openapi.as_deref().map(|path| slim_document(path, document)) {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(why)) => {
            wrong.push(format!("openapi: {why}"));
            None
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut first = first_release(api, version);
    first.openapi = openapi;
    let mut stages = stages.into_iter();
    if let Some((stage, time)) = stages.next() {
        (first.stage, first.time) = (stage, Some(time.rfc3339()));
    }
    let further = stages.map(|(stage, time)| Release {
        api: first.api.clone(),
        api_version: first.api_version.clone(),
        stage,
        time: Some(time.rfc3339()),
        ..Release::default()
    });
    let further: Vec<Release> = further.collect();
    Ok(std::iter::once(first).chain(further).collect())
}

/// Everything but stages and the document.
fn first_release(api: &ApiEntry, version: &VersionEntry) -> Release {
    let or = |own: &Vec<String>, of_api: &Vec<String>| if own.is_empty() { of_api.clone() } else { own.clone() };
    let told = |name: &String| VersionHeader {
        name: name.clone(),
        value: version.header_value.clone().unwrap_or_else(|| version.name.trim().to_owned()),
    };
    Release {
        api: api.name.trim().to_owned(),
        api_version: version.name.trim().to_owned(),
        stage: Stage::Declared,
        notes: version.notes.clone(),
        base_paths: version.base_paths.clone(),
        hosts: or(&version.hosts, &api.hosts),
        header: version.header.clone().or_else(|| api.header.as_ref().map(told)),
        sdks: if version.sdks.is_empty() { api.sdks.clone() } else { version.sdks.clone() },
        aliases: version.aliases.clone(),
        owners: or(&version.owners, &api.owners),
        ..Release::default()
    }
}

/// A day is its first moment in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim().replacen(' ', "T", 1);
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text };
    Timestamp::parse(&full).map_err(|e| format!("{e}, or a day like 2026-03-01"))
}

/// The document with nothing but what the catalogue reads: an event has bounds, and many documents are larger.
fn slim_document(path: &str, document: &impl Fn(&str) -> Result<String, String>) -> Result<Value, String> {
    if path.contains("://") {
        return match openapi::read(&Value::String(path.to_owned())) {
            Document::Link(url) => Ok(Value::String(url)),
            _ => Err(format!("{path}: a link begins with https:// or http://")),
        };
    }
    match openapi::read(&Value::String(document(path).map_err(|why| format!("{path}: {why}"))?)) {
        Document::Api(api) if api.left_out > 0 => Err(format!("{path}: {} operations too many", api.left_out)),
        Document::Api(api) => Ok(slim(&api)),
        Document::Unreadable(why) => Err(format!("{path}: {why}")),
        Document::Link(_) => Err(format!("{path}: the file holds a link, not a document")),
    }
}

fn slim(api: &openapi::Api) -> Value {
    let mut paths = serde_json::Map::new();
    for operation in &api.operations {
        let mut of = serde_json::Map::new();
        if operation.name != format!("{} {}", operation.method, operation.template) {
            of.insert("operationId".to_owned(), operation.name.clone().into());
        }
        if operation.deprecated {
            of.insert("deprecated".to_owned(), true.into());
        }
        let item = paths.entry(operation.template.clone()).or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_ascii_lowercase(), Value::Object(of));
        }
    }
    let url = |(host, base): &(String, String)| if host.is_empty() { format!("{base}/") } else { format!("https://{host}{base}") };
    let servers: Vec<Value> = api.servers.iter().map(|server| serde_json::json!({"url": url(server)})).collect();
    serde_json::json!({"openapi": "3.1.0", "servers": servers, "paths": paths})
}

/// What a version looks like once its releases are taken in.
#[must_use]
pub fn declared(version: &VersionReleases) -> DeclaredVersion {
    let mut catalogue = Catalogue::default();
    version.releases.iter().for_each(|release| catalogue.apply(release, Timestamp(0)));
    let mut described = catalogue.describe(Some(&version.api));
    described.apis.pop().and_then(|mut api| api.versions.pop()).unwrap_or_default()
}

/// Whether a version that is `known` says all that a `wanted` one says. What a file leaves out, it says nothing of.
#[must_use]
pub fn is_known(wanted: &DeclaredVersion, known: &DeclaredVersion) -> bool {
    fn of<T: PartialEq>(wanted: &Option<T>, known: &Option<T>) -> bool {
        wanted.is_none() || wanted == known
    }
    fn all<T: PartialEq>(wanted: &[T], known: &[T]) -> bool {
        wanted.is_empty() || wanted == known
    }
    let document =
        wanted.operations_hash.is_empty() || (wanted.operations_hash == known.operations_hash && wanted.servers == known.servers);
    document
        && of(&wanted.released, &known.released)
        && of(&wanted.deprecated, &known.deprecated)
        && of(&wanted.sunset, &known.sunset)
        && of(&wanted.removed, &known.removed)
        && of(&wanted.header, &known.header)
        && of(&wanted.openapi_link, &known.openapi_link)
        && of(&wanted.notes, &known.notes)
        && all(&wanted.owners, &known.owners)
        && all(&wanted.aliases, &known.aliases)
        && all(&wanted.base_paths, &known.base_paths)
        && all(&wanted.hosts, &known.hosts)
        && all(&wanted.sdks, &known.sdks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOML: &str = r#"
name = "acme"
[[api]]
name = "orders"
owners = ["team-orders"]
hosts = ["api.acme.example"]
[[api.version]]
name = "v2"
released = 2026-02-01
base_paths = ["/v2"]
aliases = ["2"]
openapi = "orders.yaml"
[[api.version]]
name = "v1"
released = "2025-01-01"
deprecated = 2026-02-01T10:00:00Z
sunset = 2026-12-31
sdks = [{ name = "orders-js", versions = ["1.x"] }]
[[api]]
name = "mail"
header = "X-Version"
[[api.version]]
name = "2026-01"
[[api.version]]
name = "2025-09"
header_value = "2025-09-01"
openapi = "https://acme.example/mail.json"
"#;

    const YAML: &str = "
name: acme
apis:
- name: orders
  owners: [team-orders]
  hosts: [api.acme.example]
  versions:
  - {name: v2, released: '2026-02-01', base_paths: [/v2], aliases: ['2'], openapi: orders.yaml}
  - {name: v1, released: 2025-01-01, deprecated: 2026-02-01T10:00:00Z, sunset: 2026-12-31, sdks: [{name: orders-js, versions: [1.x]}]}
- name: mail
  header: X-Version
  versions:
  - name: 2026-01
  - {name: 2025-09, header_value: 2025-09-01, openapi: 'https://acme.example/mail.json'}
";

    fn document(path: &str) -> Result<String, String> {
        match path {
            "orders.yaml" => Ok("swagger: '2.0'\nhost: api.acme.example\nbasePath: /v2\npaths:\n  /orders/{id}:\n    get: {operationId: getOrder, deprecated: true}\n    delete: {}\n".into()),
            "broken.yaml" => Ok("a: [b".into()),
            other => Err(format!("no file {other}")),
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let (toml, yaml) = (parse(TOML, false).unwrap(), parse(YAML, true).unwrap());
        assert_eq!(toml, yaml);
        let all = releases(&toml, document).unwrap();
        let names: Vec<_> = all.iter().map(|v| (v.api.as_str(), v.version.as_str(), v.releases.len())).collect();
        assert_eq!(names, [("orders", "v1", 3), ("orders", "v2", 1), ("mail", "2025-09", 1), ("mail", "2026-01", 1)]);
        let mut catalogue = Catalogue::default();
        all.iter().flat_map(|v| &v.releases).for_each(|r| catalogue.apply(r, Timestamp(7)));
        let v2 = catalogue.api("orders").unwrap().version("2").unwrap();
        assert_eq!((v2.name(), v2.owners(), v2.operations().len()), ("v2", &["team-orders".to_owned()][..], 2));
        assert_eq!(v2.released(), Timestamp::parse("2026-02-01T00:00:00Z").ok());
        let found = catalogue.resolve_path("api.acme.example", "GET", "/v2/orders/7").unwrap();
        assert_eq!((found.api, found.version, &*found.operation), ("orders", "v2", "getOrder"));
        assert_eq!(catalogue.version_of_header("mail", "x-version", "2025-09-01"), Some("2025-09"));
        assert_eq!(catalogue.version_of_header("mail", "X-Version", "2026-01"), Some("2026-01"));
        // Without a date there is no stage, and the order is natural.
        assert_eq!(catalogue.api("mail").unwrap().version("2026-01").unwrap().stage(Timestamp(i64::MAX)), None);
        assert_eq!(catalogue.versions("mail").map(|v| v.name()).collect::<Vec<_>>(), ["2025-09", "2026-01"]);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once_with_its_place() {
        let text = r#"
[[api]]
name = "orders"
[[api.version]]
name = "v1"
released = "soon"
openapi = "broken.yaml"
[[api.version]]
name = "v1"
released = 2026-02-01
sunset = 2026-01-01
openapi = "missing.yaml"
"#;
        let wrong = releases(&parse(text, false).unwrap(), document).unwrap_err();
        let told = wrong.join("\n");
        for part in [
            "orders v1: released: not an RFC 3339 time",
            "broken.yaml: not YAML",
            "declared twice",
            "sunset lies before released",
            "no file missing.yaml",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        let path = parse("[[api]]\nname = \"a\"\n[[api.version]]\nname = \"v1\"\nbase_path = \"/v1\"", false).unwrap_err();
        assert!(path.contains("api[0].version[0]") && path.contains("base_path"), "{path}");
        assert!(parse("[[api", false).unwrap_err().contains("not TOML"));
        assert!(parse("api: [b", true).unwrap_err().contains("not YAML"));
    }

    #[test]
    fn what_is_known_already_is_told_apart_from_what_is_new() {
        let all = releases(&parse(TOML, false).unwrap(), document).unwrap();
        let mut catalogue = Catalogue::default();
        all.iter().flat_map(|v| &v.releases).for_each(|r| catalogue.apply(r, Timestamp(7)));
        let known = catalogue.describe(None);
        let known = |api: &str, version: &str| {
            let api = known.apis.iter().find(|a| a.api == api).unwrap();
            api.versions.iter().find(|v| v.version == version).unwrap().clone()
        };
        assert!(all.iter().all(|v| is_known(&declared(v), &known(&v.api, &v.version))));
        let mut other = all[0].clone();
        other.releases[0].owners = vec!["somebody else".into()];
        assert!(!is_known(&declared(&other), &known("orders", "v1")));
        // A file that says less changes nothing.
        other.releases[0].owners = Vec::new();
        assert!(is_known(&declared(&other), &known("orders", "v1")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", yaml: bool) {
            if let Ok(file) = parse(&text, yaml) {
                drop(releases(&file, document));
            }
        }
    }
}
