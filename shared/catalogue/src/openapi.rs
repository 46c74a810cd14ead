//! What the catalogue needs of an OpenAPI document: operations and where it is served.
//!
//! The document is walked, not bound to a schema: OpenAPI 3.0, 3.1 and Swagger 2.0 agree on the
//! few places that are read, and real documents are full of small errors everywhere else.

mod fields;

use serde_json::Value;

use crate::routes::Operation;
pub use fields::{Field, MOST_FIELDS, MOST_FIELDS_OF_DOCUMENT};

/// A longer document, given as text, is not read.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Operations read of one document; further ones are counted.
pub const MOST_OPERATIONS: usize = 10_000;
/// Servers read of one document.
const MOST_SERVERS: usize = 64;
/// A longer name or template is no use to anybody.
const LONGEST_NAME: usize = 512;
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What a release event gives as `openapi`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A link, kept as it is.
    Link(String),
    /// A document that was read.
    Api(Api),
    /// Something else, with what is wrong.
    Unreadable(String),
}

/// An OpenAPI document as the catalogue sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Operations, as declared.
    pub operations: Vec<Operation>,
    /// Operations left out because there are too many.
    pub left_out: usize,
    /// Whether parameters or fields were left out because there are too many: then a comparison does not know all.
    pub fields_left_out: bool,
    /// Host (lower case; empty where none is told) and base path (empty for the root).
    pub servers: Vec<(String, String)>,
}

/// Reads the `openapi` field of a release.
#[must_use]
pub fn read(field: &Value) -> Document {
    match field {
        Value::String(text) if is_link(text) => Document::Link(text.trim().to_owned()),
        Value::String(text) if text.len() > MOST_BYTES => {
            Document::Unreadable(format!("{} bytes, {MOST_BYTES} are read at most", text.len()))
        }
        Value::String(text) => parse(text).map_or_else(Document::Unreadable, |value| walk(&value)),
        other => walk(other),
    }
}

fn is_link(text: &str) -> bool {
    let text = text.trim();
    !text.contains('\n') && (text.starts_with("https://") || text.starts_with("http://"))
}

fn parse(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"));
    }
    serde_saphyr::from_str(text).map_err(|e| format!("not YAML: {}", e.to_string().lines().next().unwrap_or_default()))
}

fn walk(document: &Value) -> Document {
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return Document::Unreadable("no `paths`: not an OpenAPI document".into());
    };
    let mut api = Api { servers: servers(document), ..Api::default() };
    let mut kept = 0;
    for (template, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method).filter(|o| o.is_object()) else { continue };
            if api.operations.len() >= MOST_OPERATIONS || template.len() > LONGEST_NAME {
                api.left_out += 1;
            } else {
                let (mut fields, left_out) = fields::read(document, item, operation);
                if kept + fields.len() > MOST_FIELDS_OF_DOCUMENT {
                    fields.clear();
                }
                kept += fields.len();
                api.fields_left_out |= left_out > 0 || kept + MOST_FIELDS > MOST_FIELDS_OF_DOCUMENT;
                api.operations.push(Operation { fields, ..read_operation(method, template, operation) });
            }
        }
    }
    Document::Api(api)
}

fn read_operation(method: &str, template: &str, operation: &Value) -> Operation {
    let method = method.to_ascii_uppercase();
    let id = operation.get("operationId").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty() && id.len() <= LONGEST_NAME);
    Operation {
        name: id.map_or_else(|| format!("{method} {template}"), str::to_owned),
        method,
        template: template.to_owned(),
        deprecated: operation.get("deprecated").and_then(Value::as_bool).unwrap_or(false),
        fields: Vec::new(),
    }
}

fn servers(document: &Value) -> Vec<(String, String)> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut found: Vec<_> = match document.get("servers").and_then(Value::as_array) {
        Some(list) => list.iter().take(MOST_SERVERS).filter_map(server_url).map(|url| split_url(&url)).collect(),
        None => vec![(host_name(text("host")), base_path(text("basePath")))],
    };
    found.sort();
    found.dedup();
    found
}

/// The URL with the default of every variable.
fn server_url(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    Some(url)
}

/// Host and base path of a server URL, absolute or relative.
#[must_use]
pub fn split_url(url: &str) -> (String, String) {
    let url = url.split(['?', '#']).next().unwrap_or_default().trim();
    let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
    match rest {
        Some(rest) => {
            let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            (host_name(host), base_path(path))
        }
        None => (String::new(), base_path(url)),
    }
}

/// A host name in lower case, without user and port; empty where a variable is left in it.
#[must_use]
pub fn host_name(host: &str) -> String {
    let host = host.trim().rsplit('@').next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(name, _)| name);
    if host.contains(['{', '}', '/']) { String::new() } else { host.to_ascii_lowercase() }
}

/// A base path with a slash in front and none behind; empty for the root.
#[must_use]
pub fn base_path(path: &str) -> String {
    let path = path.trim().trim_start_matches('.').trim_matches('/');
    if path.is_empty() || path.contains(['{', '}']) || path.len() > LONGEST_NAME { String::new() } else { format!("/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn api(field: &Value) -> Api {
        match read(field) {
            Document::Api(api) => api,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_kinds_of_document_are_read() {
        let yaml = "openapi: 3.1.0\nservers:\n- url: https://{region}.example.com/v2/\n  variables: {region: {default: EU}}\npaths:\n  /orders/{id}:\n    get:\n      operationId: getOrder\n      deprecated: true\n      responses:\n        200: {description: ok}\n";
        let a = api(&json!(yaml));
        assert_eq!(a.servers, [("eu.example.com".to_owned(), "/v2".to_owned())]);
        assert_eq!((a.operations[0].name.as_str(), a.operations[0].method.as_str(), a.operations[0].deprecated), ("getOrder", "GET", true));

        let swagger = json!({"swagger": "2.0", "host": "API.example.com:8443", "basePath": "/v1/", "paths": {"/orders": {"post": {}, "parameters": []}}});
        let a = api(&swagger);
        assert_eq!(a.servers, [("api.example.com".to_owned(), "/v1".to_owned())]);
        assert_eq!(a.operations[0].name, "POST /orders");
        assert_eq!(api(&json!(swagger.to_string())), a);
    }

    #[test]
    fn links_and_rubbish_are_told_apart() {
        assert_eq!(read(&json!("https://example.com/openapi.json")), Document::Link("https://example.com/openapi.json".into()));
        for rubbish in [json!("{"), json!("a: [b"), json!(7), json!({"openapi": "3.0.0"}), json!("")] {
            assert!(matches!(read(&rubbish), Document::Unreadable(_)), "{rubbish}");
        }
    }

    #[test]
    fn quirks_do_not_spoil_the_rest() {
        let a = api(
            &json!({"servers": [7, {"url": "/v1"}, {}], "paths": {"/a": null, "/b": {"get": 1, "put": {"operationId": 5, "deprecated": "yes"}}, "x-internal": {}}}),
        );
        assert_eq!(a.servers, [(String::new(), "/v1".to_owned())]);
        assert_eq!(a.operations.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["PUT /b"]);
    }

    #[test]
    fn yaml_that_grows_without_end_is_refused() {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12u8 {
            let (name, before) = (char::from(b'a' + i), char::from(b'a' + i - 1));
            let ten = vec![format!("*{before}"); 10].join(", ");
            text.push_str(&format!("{name}: &{name} [{ten}]\n"));
        }
        assert!(matches!(read(&json!(text)), Document::Unreadable(_)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            prop_assert!(!matches!(read(&json!(text)), Document::Api(_)));
            let (host, base) = split_url(&text);
            prop_assert!(!host.contains('/') && (base.is_empty() || base.starts_with('/')));
        }
    }
}
