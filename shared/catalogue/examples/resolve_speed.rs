//! How many calls a second one core resolves: `cargo run --release -p groundswell-catalogue --example resolve_speed`.
//!
//! Fifty APIs of two versions and fifty operations: 5,000 operations. Calls name host, method and path, as gateways do.
//! What is measured is [`Catalogue::resolve_usage`] alone, over paths with ids of their own, in a fixed order of chance.

#![expect(clippy::print_stdout, reason = "a measurement prints")]

use std::time::Instant;

use groundswell_catalogue::{Call, Catalogue};
use groundswell_contract::Release;
use groundswell_model::Timestamp;
use serde_json::{Map, json};

const APIS: usize = 50;
const VERSIONS: usize = 2;
const OPERATIONS: usize = 50;
const PATHS: usize = 100_000;
const ROUNDS: usize = 20;

fn main() {
    let catalogue = catalogue();
    let paths: Vec<(String, String)> = (0..PATHS).map(path).collect();
    let mut best = 0.0f64;
    let mut found = 0usize;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for (host, path) in &paths {
            let resolved = catalogue.resolve_usage(&Call { host, method: "GET", path, ..Call::default() });
            found += usize::from(resolved.listed && !resolved.version.is_empty() && !resolved.operation.is_empty());
        }
        best = best.max(PATHS as f64 / began.elapsed().as_secs_f64());
    }
    let all = APIS * VERSIONS * OPERATIONS;
    println!("{all} operations; {:.2} million paths a second on one core (best of {ROUNDS} rounds)", best / 1e6);
    println!("resolved to API, version and operation: {found} of {}", PATHS * ROUNDS);
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for api in 0..APIS {
        for version in 1..=VERSIONS {
            let mut paths = Map::new();
            for n in 0..OPERATIONS {
                let template = match n % 3 {
                    0 => format!("/things{n}"),
                    1 => format!("/things{n}/{{id}}"),
                    _ => format!("/things{n}/{{id}}/parts/{{part}}"),
                };
                paths.insert(template, json!({"get": {"operationId": format!("op{n}")}}));
            }
            let server = format!("https://api{}.example.com/v{version}/area{api}", api % 5);
            let openapi = json!({"openapi": "3.0.0", "servers": [{"url": server}], "paths": paths});
            let release =
                Release { api: format!("api{api}"), api_version: format!("v{version}"), openapi: Some(openapi), ..Release::default() };
            catalogue.apply(&release, Timestamp(0));
        }
    }
    catalogue
}

/// A path of one of the operations, by a simple generator of numbers.
fn path(seed: usize) -> (String, String) {
    let chance = seed.wrapping_mul(2_654_435_761) >> 7;
    let (api, version, n) = (chance % APIS, chance / APIS % VERSIONS + 1, chance / 997 % OPERATIONS);
    let below = match n % 3 {
        0 => format!("/things{n}"),
        1 => format!("/things{n}/{chance}"),
        _ => format!("/things{n}/{chance}/parts/{}", seed % 977),
    };
    (format!("api{}.example.com", api % 5), format!("/v{version}/area{api}{below}"))
}
