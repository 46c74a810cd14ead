//! The OpenAPI document of the HTTP interface, put together from the types that are really answered.

use groundswell_catalogue::describe::Declared;
use groundswell_classify::again::report::{Looking, Report as Rerun};
use groundswell_index::changes::types::Changes;
use groundswell_index::corrections::list::{CorrectionRequest, CorrectionTaken, CorrectionsAnswer};
use groundswell_index::deprecation::types::Readiness;
use groundswell_index::fix::FixReview;
use groundswell_index::http::{Dropped, Rebuilt};
use groundswell_index::journeys::types::{ConsumersPage, PainReport};
use groundswell_index::rebuild::Rebuilding;
use groundswell_index::search::{Hit, SearchRequest, SearchResponse};
use groundswell_index::summary::types::{ApisOverview, Summary};
use groundswell_index::themes::Decided;
use groundswell_index::themes::types::{Proposals, Themes};
use groundswell_index::verdicts::History;
use groundswell_ingest::dlq::Replayed;
use groundswell_review::Review;
use groundswell_runtime::http::Problem;
use groundswell_runtime::status::Status;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::dead_letters::{Letter, Letters};

/// The document, OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    // OpenAPI 3.1 takes JSON Schema 2020-12 as it is; only the place of shared schemas differs.
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let paths = paths(&mut schemas);
    let definitions: Map<String, Value> = schemas.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Groundswell",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What API consumers say and do, per API version.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key with the scope that the route needs; none where the server has no keys and listens on this machine only."}},
        },
        "security": [{"key": []}, {}],
    })
}

fn paths(schemas: &mut SchemaGenerator) -> Value {
    let problem = schema::<Problem>(schemas);
    let ready = json!({"type": "object", "properties": {"ready": {"const": true}}, "required": ["ready"]});
    let answer = |description: &str, body: Value| {
        json!({
            "200": {"description": description, "content": {"application/json": {"schema": body}},
                    "headers": {"ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}}}},
            "304": {"description": "Nothing changed since the ETag of `If-None-Match`."},
            "default": {"description": "What is wrong and what to do.", "content": {"application/problem+json": {"schema": problem}}},
        })
    };
    let api_and_version = [path_parameter("api", "The API."), path_parameter("version", "The API version, or `unknown`.")];
    let window = vec![
        query("since", "First moment counted: RFC 3339, or a day.", json!({"type": "string"})),
        query("until", "First moment no longer counted.", json!({"type": "string"})),
    ];
    let search_parameters = [search_parameters(schemas), window.clone()].concat();
    let beside = vec![
        query("baseline", "A version to put beside it.", json!({"type": "string"})),
        query(
            "counting",
            "`weighted`: feedback that may be about several versions counts by its share; `strict`: it is left out.",
            json!({"enum": ["weighted", "strict"]}),
        ),
        query("format", "`json`, or `md` for Markdown.", json!({"enum": ["json", "md"]})),
    ];
    let format = query("format", "`json`, or `md` for Markdown.", json!({"enum": ["json", "md"]}));
    let deprecation_parameters = [api_and_version.to_vec(), vec![format.clone()]].concat();
    let history_parameters = [
        api_and_version.to_vec(),
        vec![
            query("baseline", "Only against this version.", json!({"type": "string"})),
            query("limit", "At most so many.", json!({"type": "integer", "default": 50})),
        ],
    ]
    .concat();
    let fix_parameters = [
        api_and_version.to_vec(),
        vec![
            query("q", "A search that finds what consumers asked for; this or `theme`.", json!({"type": "string"})),
            query("theme", "A theme that consumers asked for.", json!({"type": "string"})),
            format.clone(),
        ],
        window.clone(),
    ]
    .concat();
    let mut baseline = query("baseline", "The version to compare with.", json!({"type": "string"}));
    baseline["required"] = json!(true);
    let changes_parameters = [api_and_version.to_vec(), vec![baseline.clone(), format.clone()], window.clone()].concat();
    let verdict_parameters = [api_and_version.to_vec(), vec![baseline], window.clone()].concat();
    let listed = vec![query("limit", "Themes listed, at most 1000.", json!({"type": "integer"}))];
    let themes_parameters = [
        vec![path_parameter("api", "The API."), query("version", "Only feedback on this version.", json!({"type": "string"}))],
        window.clone(),
        listed.clone(),
    ]
    .concat();
    let version_themes_parameters = [api_and_version.to_vec(), window.clone(), listed].concat();
    let gone_after = query(
        "gone_after",
        "Days without a call after which a consumer counts as gone; by its own rhythm where left out.",
        json!({"type": "integer", "minimum": 1, "maximum": 3650}),
    );
    let from = query("baseline", "The older version that consumers come from; every older one where left out.", json!({"type": "string"}));
    let limit = query("limit", "Consumers listed, at most 1000.", json!({"type": "integer"}));
    let pain_parameters = [api_and_version.to_vec(), window.clone(), vec![from.clone(), gone_after.clone(), limit.clone()]].concat();
    let consumers_parameters = [api_and_version.to_vec(), window.clone(), consumer_filters(), vec![from, gone_after, limit]].concat();
    let summary_parameters = [api_and_version.to_vec(), window, beside].concat();
    let text = || json!({"type": "string"});
    let again = [
        query("api", "Only feedback on this API.", text()),
        query("swap", "Put what changed in place of what was said before; only told where absent.", json!({"type": "boolean"})),
    ];
    let letters = [
        query("reason", "With this reason.", text()),
        query("topic", "From this topic.", text()),
        query("place", "Only this one: `PARTITION/OFFSET`.", text()),
        query("replayed", "Those that were published again already, too.", json!({"type": "boolean"})),
        query("limit", "At most so many, the newest; where absent 1000 are listed and all are sent back.", json!({"type": "integer"})),
    ];
    json!({
        "/v1/events": {"post": publish(&problem)},
        "/v1/search": {"get": {
            "operationId": "search", "summary": "Search feedback",
            "parameters": search_parameters,
            "responses": answer("Hits, facets, histogram, and where the next page begins.", schema::<SearchResponse>(schemas)),
        }},
        "/v1/corrections": {
            "get": {
                "operationId": "listCorrections", "summary": "What people corrected, and how right each label was",
                "parameters": [
                    query("source", "Only feedback of this source.", text()), query("api", "Only feedback on this API.", text()),
                    query("limit", "At most so many in the list, the newest; 50 where absent, at most 1000.", json!({"type": "integer"})),
                ],
                "responses": answer("Those that stand, and precision per label.", schema::<CorrectionsAnswer>(schemas)),
            },
            "post": {
                "operationId": "correct", "summary": "Say what a piece of feedback really is (scope publish)",
                "requestBody": {"required": true, "content": {"application/json": {"schema": schema::<CorrectionRequest>(schemas)}}},
                "responses": {
                    "202": {"description": "Durable; searches show it within a second.", "content": {"application/json": {"schema": schema::<CorrectionTaken>(schemas)}}},
                    "default": {"description": "What is wrong and what to do.", "content": {"application/problem+json": {"schema": problem}}},
                },
            },
        },
        "/v1/corrections/export": {"get": {
            "operationId": "exportCorrections", "summary": "Corrected texts of one head, as `groundswell model train --in` reads them",
            "parameters": [query("head", "`type` where absent.", json!({"enum": ["type", "aspect", "sentiment", "severity", "language"]}))],
            "responses": {"200": {"description": "Lines of JSON, each a hit as a search gives it.", "content": {"application/x-ndjson": {"schema": schema::<Hit>(schemas)}}}},
        }},
        "/v1/apis": {"get": {
            "operationId": "listApis", "summary": "APIs and their versions",
            "responses": answer("All of them.", schema::<ApisOverview>(schemas)),
        }},
        "/v1/catalogue": {"get": {
            "operationId": "catalogue", "summary": "What is declared: APIs, versions, dates, owners, places, operations",
            "parameters": [query("api", "Only this API.", json!({"type": "string"}))],
            "responses": answer("The catalogue.", schema::<Declared>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/summary": {"get": {
            "operationId": "summary", "summary": "What one version's consumers said and did",
            "parameters": summary_parameters,
            "responses": answer("The summary.", schema::<Summary>(schemas)),
        }},
        "/v1/apis/{api}/themes": {"get": {
            "operationId": "themes", "summary": "What the feedback of an API keeps coming back to",
            "parameters": themes_parameters,
            "responses": answer("The themes, largest first.", schema::<Themes>(schemas)),
        }},
        "/v1/apis/{api}/themes/proposals": {"get": {
            "operationId": "themeProposals", "summary": "What a grouping of all feedback at once would merge or split; nothing is changed",
            "parameters": [path_parameter("api", "The API."), query("limit", "Proposals listed, at most 1000.", json!({"type": "integer"}))],
            "responses": answer("The proposals, with examples.", schema::<Proposals>(schemas)),
        }},
        "/v1/apis/{api}/themes/{theme}": {"post": {
            "operationId": "decideOnTheme", "summary": "Rename, merge, split, pin, hide or decide on a theme (scope admin)",
            "parameters": [path_parameter("api", "The API."), path_parameter("theme", "Id of the theme.")],
            "requestBody": {"required": true, "description": "The fields of `groundswell.theme.v1` but `api` and `theme`; it is published as such an event.",
                            "content": {"application/json": {"schema": {"type": "object", "required": ["action"]}}}},
            "responses": {
                "200": {"description": "Durable, and in force.", "content": {"application/json": {"schema": schema::<Decided>(schemas)}}},
                "default": {"description": "What is wrong and what to do.", "content": {"application/problem+json": {"schema": problem}}},
            },
        }},
        "/v1/apis/{api}/versions/{version}/themes": {"get": {
            "operationId": "versionThemes", "summary": "The same of one version",
            "parameters": version_themes_parameters,
            "responses": answer("The themes, largest first.", schema::<Themes>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/verdict": {
            "get": {
                "operationId": "verdict", "summary": "Whether a version is worse than its baseline, by the usual policy",
                "parameters": verdict_parameters,
                "responses": answer("The review.", schema::<Review>(schemas)),
            },
            "post": {
                "operationId": "verdictByPolicy", "summary": "The same by a policy of your own",
                "parameters": verdict_parameters,
                "requestBody": {"required": true, "description": "A policy as in `groundswell.gate.toml`, at most 64 KiB; what it leaves out keeps its default.",
                                "content": {"application/toml": {"schema": {"type": "string"}}}},
                "responses": {
                    "200": {"description": "The review.", "content": {"application/json": {"schema": schema::<Review>(schemas)}}},
                    "default": {"description": "What is wrong and what to do.", "content": {"application/problem+json": {"schema": problem}}},
                },
            },
        },
        "/v1/apis/{api}/versions/{version}/consumers": {"get": {
            "operationId": "consumers", "summary": "Who uses a version: how they came, stay and leave",
            "parameters": consumers_parameters,
            "responses": answer("One page of them.", schema::<ConsumersPage>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/pain": {"get": {
            "operationId": "pain", "summary": "Consumers whose failures or rate limits rose on a version, and which of them wrote nothing",
            "parameters": pain_parameters,
            "responses": answer("Who they are, most additional failures first.", schema::<PainReport>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/verdicts": {"get": {
            "operationId": "verdicts", "summary": "Verdicts that were given on a version, newest first",
            "parameters": history_parameters,
            "responses": json_answer("The newest of them.", &schema::<History>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/changes": {"get": {
            "operationId": "changes", "summary": "What changed from a baseline: what people say, failing operations, the interface",
            "parameters": changes_parameters,
            "responses": answer("What changed.", schema::<Changes>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/fix": {"get": {
            "operationId": "fix", "summary": "Whether a version mended what consumers asked for",
            "parameters": fix_parameters,
            "responses": answer("What is known.", schema::<FixReview>(schemas)),
        }},
        "/v1/apis/{api}/versions/{version}/deprecation": {
            "get": {
                "operationId": "deprecation", "summary": "How ready a version is to be switched off, by the usual policy",
                "parameters": deprecation_parameters,
                "responses": answer("What is known.", schema::<Readiness>(schemas)),
            },
            "post": {
                "operationId": "deprecationByPolicy", "summary": "The same by the section `[removal]` of a policy of your own",
                "parameters": api_and_version,
                "requestBody": {"required": true, "description": "A policy as in `groundswell.gate.toml`, at most 64 KiB; what it leaves out keeps its default.",
                                "content": {"application/toml": {"schema": {"type": "string"}}}},
                "responses": {
                    "200": {"description": "What is known.", "content": {"application/json": {"schema": schema::<Readiness>(schemas)}}},
                    "default": {"description": "What is wrong and what to do.", "content": {"application/problem+json": {"schema": problem}}},
                },
            },
        },
        "/v1/apis/{api}/versions/{version}/export": {"get": {
            "operationId": "export", "summary": "All feedback of one version, one JSON object a line, oldest first",
            "parameters": api_and_version,
            "responses": {"200": {"description": "JSON lines.", "content": {"application/x-ndjson": {}}}},
        }},
        "/v1/apis/{api}/versions/{version}": {"delete": {
            "operationId": "dropVersion", "summary": "Forget one version until the index is rebuilt; 404 if it is not there, 409 while the index is rebuilt (scope admin)",
            "parameters": api_and_version, "responses": json_answer("Dropped.", &schema::<Dropped>(schemas)),
        }},
        "/v1/index/rebuild": {
            "get": {
                "operationId": "rebuilding", "summary": "How far the rebuild at work is (scope admin)",
                "responses": json_answer("How far it is.", &schema::<Rebuilding>(schemas)),
            },
            "post": {
                "operationId": "rebuild", "summary": "Read all insights again into a shadow beside what answers, then swap; 409 while one is at work (scope admin)",
                "responses": json_answer("How many records were read.", &schema::<Rebuilt>(schemas)),
            },
        },
        "/v1/reattribute": {
            "get": {
                "operationId": "reattributing", "summary": "How far the look at history at work is, and the last report (scope admin)",
                "responses": json_answer("How far it is.", &schema::<Looking>(schemas)),
            },
            "post": {
                "operationId": "reattribute", "summary": "Attribute all feedback again with today's catalogue; 409 while history is looked at already (scope admin)",
                "parameters": again, "responses": json_answer("What moves, or moved.", &schema::<Rerun>(schemas)),
            },
        },
        "/v1/reclassify": {
            "get": {
                "operationId": "reclassifying", "summary": "How far the look at history at work is, and the last report (scope admin)",
                "responses": json_answer("How far it is.", &schema::<Looking>(schemas)),
            },
            "post": {
                "operationId": "reclassify", "summary": "Label all feedback again, with the model at work or the one sent along; 409 while history is looked at already (scope admin)",
                "parameters": again, "requestBody": {"description": "A model file.", "content": {"application/octet-stream": {}}},
                "responses": json_answer("What changes, or changed.", &schema::<Rerun>(schemas)),
            },
        },
        "/healthz": {"get": {
            "operationId": "healthz", "summary": "Whether the process answers (no key needed)", "security": [{}],
            "responses": text_answer("It does.", "text/plain"),
        }},
        "/readyz": {"get": {
            "operationId": "readyz", "summary": "Whether everything is open and answers are whole (no key needed)", "security": [{}],
            "responses": {
                "200": {"description": "It is.", "content": {"application/json": {"schema": ready}}},
                "503": {"description": "Not yet, or stopping: `waiting_for` says for what.", "content": {"application/problem+json": {"schema": problem}}},
            },
        }},
        "/metrics": {"get": {
            "operationId": "metrics", "summary": "Metrics in the text format of Prometheus",
            "responses": text_answer("All metrics.", "text/plain"),
        }},
        "/openapi.json": {"get": {
            "operationId": "openapi", "summary": "This document",
            "responses": json_answer("This document.", &json!({"type": "object"})),
        }},
        "/v1/status": {"get": {
            "operationId": "status", "summary": "Lag, freshness, and whether all that was published is searchable",
            "responses": json_answer("The status.", &schema::<Status>(schemas)),
        }},
        "/v1/dead-letters": {"get": {
            "operationId": "listDeadLetters", "summary": "Records that could not be used (scope admin)",
            "parameters": letters, "responses": json_answer("The newest of them.", &schema::<Letters>(schemas)),
        }},
        "/v1/dead-letters/{partition}/{offset}": {"get": {
            "operationId": "showDeadLetter", "summary": "One of them with its original bytes (scope admin)",
            "parameters": [path_parameter("partition", "Partition of the dead-letter topic."), path_parameter("offset", "Offset there.")],
            "responses": json_answer("The letter.", &schema::<Letter>(schemas)),
        }},
        "/v1/dead-letters/replay": {"post": {
            "operationId": "replayDeadLetters", "summary": "Publish the originals again to the topics they came from; 409 while that is done already (scope admin)",
            "parameters": letters, "responses": json_answer("How many.", &schema::<Replayed>(schemas)),
        }},
    })
}

fn publish(problem: &Value) -> Value {
    let any = json!({"type": "object"});
    json!({
        "operationId": "publish", "summary": "Publish one CloudEvent or a batch",
        "requestBody": {"required": true, "content": {
            "application/cloudevents+json": {"schema": any},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": any}},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/json": {"schema": any},
        }},
        "responses": {
            "202": {"description": "Durable; the fate of each item.", "content": {"application/json": {"schema": {
                "type": "object", "required": ["accepted", "duplicate", "rejected", "results"],
                "properties": {
                    "accepted": {"type": "integer"}, "duplicate": {"type": "integer"}, "rejected": {"type": "integer"},
                    "results": {"type": "array", "items": {"type": "object", "required": ["index", "outcome"], "properties": {
                        "index": {"type": "integer"}, "source": {"type": "string"}, "id": {"type": "string"},
                        "outcome": {"enum": ["accepted", "duplicate", "rejected"]}, "reason": {"type": "string"}, "detail": {"type": "string"},
                    }}},
                },
            }}}},
            "default": {"description": "The body as a whole can't be read, or the bus is away: nothing was accepted.", "content": {"application/problem+json": {"schema": problem}}},
        },
    })
}

fn json_answer(description: &str, schema: &Value) -> Value {
    json!({"200": {"description": description, "content": {"application/json": {"schema": schema}}}})
}

fn text_answer(description: &str, media: &str) -> Value {
    json!({"200": {"description": description, "content": {media: {"schema": {"type": "string"}}}}})
}

fn schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

fn path_parameter(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

/// What must hold of a consumer that is listed, and the order.
fn consumer_filters() -> Vec<Value> {
    let flags = [
        ("still_on", "Those who still call the version."),
        ("gone", "Those who call it no more."),
        ("went_back", "Those who went back to an older version."),
        ("silent", "Those who wrote nothing about the API in the window."),
        ("wrote", "Those who wrote about the API in the window."),
    ];
    let flags = flags.map(|(name, words)| query(name, words, json!({"type": "boolean"})));
    let others = [
        query("moved_to", "Those who came to this version after it.", json!({"type": "string"})),
        query("min_calls", "Those with so many calls in the window.", json!({"type": "integer"})),
        query("sort", "The order.", json!({"enum": ["calls", "errors", "revenue", "last", "first"]})),
        query("cursor", "`next_cursor` of the page before.", json!({"type": "string"})),
    ];
    flags.into_iter().chain(others).collect()
}

/// The fields of a search request as query parameters; lists become repeated parameters.
fn search_parameters(schemas: &mut SchemaGenerator) -> Vec<Value> {
    let names = [("query", "q"), ("versions", "version"), ("filters", "filter"), ("facets", "facet")];
    // Made apart, so that the request does not become a schema of its own: nobody sends it as JSON.
    let request = schemas.root_schema_for::<SearchRequest>().to_value();
    let Some(fields) = request["properties"].as_object() else { return Vec::new() };
    let parameter = |(field, schema): (&String, &Value)| {
        let name = names.iter().find(|(f, _)| f == field).map_or(field.as_str(), |(_, n)| n);
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or_default();
        query(name, description.as_str().unwrap_or_default(), schema)
    };
    fields.iter().map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_is_defined() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is referred to but not defined");
        }
    }

    #[test]
    fn operations_have_unique_ids_and_declared_path_parameters() {
        let document = document();
        let mut ids = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                ids.push(operation["operationId"].as_str().unwrap().to_owned());
                for parameter in path.split('{').skip(1).map(|p| p.split('}').next().unwrap()) {
                    let declared = operation["parameters"].as_array().unwrap().iter().any(|p| p["name"] == parameter && p["in"] == "path");
                    assert!(declared, "{path} does not declare {parameter}");
                }
            }
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
