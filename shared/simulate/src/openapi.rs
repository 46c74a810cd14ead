//! Release events, each with a small OpenAPI document.

use groundswell_contract::{
    Release, Stage,
    data::{Sdk, VersionHeader},
};
use groundswell_model::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    company::{Api, Company, Version},
    specs::{OperationSpec, Style},
};

/// Languages that the company has an SDK in.
pub(crate) const SDKS: [&str; 5] = ["python", "node", "java", "go", "php"];

/// All releases with the time they are told; what was before `start` is told at `start`.
pub(crate) fn releases(company: &Company, start: Timestamp, end: Timestamp) -> Vec<(Timestamp, usize, usize, Release)> {
    let mut all = Vec::new();
    for (a, api) in company.apis.iter().enumerate() {
        for (v, version) in api.versions.iter().enumerate() {
            let stages = [
                (Stage::Released, Some(version.released), Some(version.released)),
                (Stage::Deprecated, version.deprecated, version.deprecated),
                (Stage::Sunset, version.sunset, version.deprecated),
            ];
            for (stage, begins, told) in stages {
                let (Some(begins), Some(told)) = (begins, told) else { continue };
                if told < end {
                    all.push((told.max(start), a, v, release(api, v, stage, begins)));
                }
            }
        }
    }
    all.sort_by_key(|(told, a, v, r)| (*told, *a, *v, r.stage));
    all
}

fn release(api: &Api, v: usize, stage: Stage, begins: Timestamp) -> Release {
    let version = &api.versions[v];
    let header = match api.spec.style {
        Style::Date => Some("Brightwater-Version"),
        Style::Header => Some("Accept-Version"),
        Style::Path | Style::Host => None,
    };
    let first = stage == Stage::Released;
    Release {
        api: api.spec.name.into(),
        api_version: version.name.to_string(),
        stage,
        time: Some(begins.rfc3339()),
        notes: Some(notes(api, v, stage)),
        base_paths: if first && !version.base_path.is_empty() { vec![version.base_path.clone()] } else { vec![] },
        hosts: if first { vec![version.host.clone()] } else { vec![] },
        header: header.filter(|_| first).map(|name| VersionHeader { name: name.into(), value: version.name.to_string() }),
        sdks: if first {
            SDKS.iter().map(|s| Sdk { name: format!("brightwater-{s}"), versions: vec![sdk_version(v)] }).collect()
        } else {
            vec![]
        },
        openapi: first.then(|| document(api, version)),
        ..Release::default()
    }
}

/// The SDK release line that calls the version of this number.
pub(crate) fn sdk_version(version: usize) -> String {
    format!("{}.{}", version + 1, [4, 1, 0][version.min(2)])
}

fn notes(api: &Api, v: usize, stage: Stage) -> String {
    let name = &api.versions[v].name;
    match stage {
        Stage::Released if v == 0 => format!("First version of the {}.", api.spec.title),
        Stage::Released => {
            format!("{} {name}: clearer errors, a faster quick start, and mended paging where it was broken.", api.spec.title)
        }
        Stage::Deprecated => format!("{name} is deprecated. Please move on to a newer version."),
        Stage::Sunset | Stage::Removed | Stage::Declared => format!("{name} will stop answering."),
    }
}

fn document(api: &Api, version: &Version) -> Value {
    let mut paths = Map::new();
    for (op, _) in api.spec.operations.iter().zip(&version.quality).filter(|(_, q)| q.is_some()) {
        let path = paths.entry(op.path).or_insert_with(|| json!({}));
        path[op.method.to_ascii_lowercase()] = operation(op);
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": api.spec.title, "version": &*version.name},
        "servers": [{"url": format!("https://{}{}", version.host, version.base_path)}],
        "paths": paths,
    })
}

fn operation(op: &OperationSpec) -> Value {
    let names = op.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names.map(|n| json!({"name": n, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
    json!({"operationId": op.id, "parameters": parameters, "responses": {"200": {"description": "Done"}, "4XX": {"description": "Refused"}, "5XX": {"description": "Failed"}}})
}
