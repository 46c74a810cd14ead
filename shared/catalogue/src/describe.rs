//! What a catalogue says, as it is shown and compared.

use groundswell_contract::Stage;
use groundswell_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Api, Catalogue, Version};

/// The declared APIs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    /// By name.
    pub apis: Vec<DeclaredApi>,
    /// Release events left out because the catalogue is full.
    pub left_out: u64,
}

/// One declared API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaredApi {
    /// The API.
    pub api: String,
    /// Oldest first.
    pub versions: Vec<DeclaredVersion>,
}

/// One declared version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaredVersion {
    /// The API version.
    pub version: String,
    /// When it was or will be released, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// When it was or will be deprecated, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// When it will stop answering, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<String>,
    /// When it was or will be removed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Path prefixes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub base_paths: Vec<String>,
    /// Host names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Request header and value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<(String, String)>,
    /// SDKs with their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sdks: Vec<(String, Vec<String>)>,
    /// Link to the OpenAPI document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openapi_link: Option<String>,
    /// What was wrong with the last document that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openapi_problem: Option<String>,
    /// Host and base path of the servers of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<(String, String)>,
    /// How many operations are declared.
    pub operations: usize,
    /// Hash of the operations; empty without any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operations_hash: String,
    /// Operations left out because there are too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub operations_left_out: usize,
    /// Release notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "called by serde")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Catalogue {
    /// Everything that is declared, or one API of it.
    #[must_use]
    pub fn describe(&self, api: Option<&str>) -> Declared {
        let asked = self.apis().into_iter().filter(|a| api.is_none_or(|name| a.name() == name));
        Declared { apis: asked.map(describe_api).collect(), left_out: self.left_out() }
    }
}

fn describe_api(api: &Api) -> DeclaredApi {
    DeclaredApi { api: api.name().to_owned(), versions: api.versions().map(describe_version).collect() }
}

fn describe_version(version: &Version) -> DeclaredVersion {
    let date = |stage| version.date(stage).map(Timestamp::rfc3339);
    DeclaredVersion {
        version: version.name().to_owned(),
        released: date(Stage::Released),
        deprecated: date(Stage::Deprecated),
        sunset: date(Stage::Sunset),
        removed: date(Stage::Removed),
        owners: version.owners().to_vec(),
        aliases: version.aliases().to_vec(),
        base_paths: version.base_paths().to_vec(),
        hosts: version.hosts().to_vec(),
        header: version.header().map(|(name, value)| (name.to_owned(), value.to_owned())),
        sdks: version.sdks().to_vec(),
        openapi_link: version.openapi_link().map(str::to_owned),
        openapi_problem: version.openapi_problem().map(str::to_owned),
        servers: version.servers().to_vec(),
        operations: version.operations().len(),
        operations_hash: operations_hash(version),
        operations_left_out: version.operations_left_out(),
        notes: version.notes().map(str::to_owned),
    }
}

/// Operations in the order of their places: a document may list them in any.
fn operations_hash(version: &Version) -> String {
    if version.operations().is_empty() {
        return String::new();
    }
    let mut lines: Vec<String> =
        version.operations().iter().map(|o| format!("{} {} {} {}", o.method, o.template, o.name, o.deprecated)).collect();
    lines.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes()).update(b"\n");
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}
