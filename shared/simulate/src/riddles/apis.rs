//! The six APIs of the riddles and how a call to each looks.

use groundswell_contract::{
    Data, Release,
    data::{Sdk, VersionHeader},
};
use groundswell_model::Timestamp;
use serde_json::{Map, Value, json};

use super::simulated;
use crate::{
    dice::Dice,
    plan::DAY_MS,
    truth::{Simulated, Truth},
};

/// How a call tells its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `/v2/…`
    Path,
    /// `Ledger-Version: 2025-03-01`
    Date,
    /// `X-Api-Version: 4.1`
    Header,
    /// `?api-version=2.0`
    Query,
    /// `Accept: application/vnd.quill.v2+json`
    Media,
    /// `v2.maps.tidewater.example`
    Host,
}

/// An API.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) versions: [&'static str; VERSIONS],
    /// Operation, method, template; the last one came with the newest version.
    pub(crate) operations: [(&'static str, &'static str, &'static str); 4],
}

/// Versions of every API.
pub const VERSIONS: usize = 3;
pub(crate) const COUNT: usize = APIS.len();

pub(crate) const APIS: [Api; 6] = [
    Api {
        name: "booking",
        style: Style::Path,
        versions: ["v1", "v2", "v3"],
        operations: [
            ("createBooking", "POST", "/bookings"),
            ("getBooking", "GET", "/bookings/{booking}"),
            ("cancelBooking", "DELETE", "/bookings/{booking}"),
            ("splitBooking", "POST", "/bookings/{booking}/split"),
        ],
    },
    Api {
        name: "ledger",
        style: Style::Date,
        versions: ["2024-09-15", "2025-03-01", "2025-11-20"],
        operations: [
            ("postEntry", "POST", "/ledger/entries"),
            ("getEntry", "GET", "/ledger/entries/{entry}"),
            ("closePeriod", "POST", "/ledger/periods/{period}/close"),
            ("reverseEntry", "POST", "/ledger/entries/{entry}/reversal"),
        ],
    },
    Api {
        name: "fleet",
        style: Style::Header,
        versions: ["3.9", "4.0", "4.1"],
        operations: [
            ("trackVehicle", "GET", "/fleet/vehicles/{vehicle}/track"),
            ("listVehicles", "GET", "/fleet/vehicles"),
            ("assignDriver", "PUT", "/fleet/vehicles/{vehicle}/driver"),
            ("planRoute", "POST", "/fleet/routes"),
        ],
    },
    Api {
        name: "invoicing",
        style: Style::Query,
        versions: ["1.0", "2.0", "2.1"],
        operations: [
            ("issueInvoice", "POST", "/invoicing/invoices"),
            ("getInvoice", "GET", "/invoicing/invoices/{invoice}"),
            ("sendReminder", "POST", "/invoicing/invoices/{invoice}/reminders"),
            ("voidInvoice", "POST", "/invoicing/invoices/{invoice}/void"),
        ],
    },
    Api {
        name: "quill",
        style: Style::Media,
        versions: ["v1", "v2", "v4"],
        operations: [
            ("renderDocument", "POST", "/quill/documents"),
            ("fetchDocument", "GET", "/quill/documents/{document}"),
            ("listTemplates", "GET", "/quill/templates"),
            ("signDocument", "POST", "/quill/documents/{document}/signature"),
        ],
    },
    Api {
        name: "maps",
        style: Style::Host,
        versions: ["v1", "v2", "v3"],
        operations: [
            ("geocodeAddress", "GET", "/geocode"),
            ("reverseGeocode", "GET", "/geocode/{point}"),
            ("computeMatrix", "POST", "/matrix"),
            ("snapToRoad", "POST", "/roads/snap"),
        ],
    },
];

const DOMAIN: &str = "tidewater.example";

/// A call as a gateway sees it.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) header: Option<(&'static str, String)>,
}

pub(crate) fn name(api: usize, version: usize) -> &'static str {
    APIS[api].versions[version]
}

pub(crate) fn header_name(style: Style) -> Option<&'static str> {
    match style {
        Style::Date => Some("Ledger-Version"),
        Style::Header => Some("X-Api-Version"),
        Style::Query => Some("api-version"),
        Style::Media => Some("Accept"),
        Style::Path | Style::Host => None,
    }
}

fn header_value(api: &Api, version: usize) -> String {
    match api.style {
        Style::Media => format!("application/vnd.{}.{}+json", api.name, api.versions[version]),
        _ => api.versions[version].to_owned(),
    }
}

fn base(api: &Api, version: usize) -> String {
    if api.style == Style::Path { format!("/{}", api.versions[version]) } else { String::new() }
}

pub(crate) fn host(api: &Api, version: usize) -> String {
    if api.style == Style::Host { format!("{}.{}.{DOMAIN}", api.versions[version], api.name) } else { format!("api.{DOMAIN}") }
}

/// An operation that the version has; the fourth came with the newest.
pub(crate) fn operation(dice: &mut Dice, _api: usize, version: usize) -> usize {
    dice.below(if version + 1 == VERSIONS { 4 } else { 3 })
}

pub(crate) fn path(api: &Api, version: usize, operation: usize, n: usize) -> String {
    let mut path = base(api, version);
    for (at, part) in api.operations[operation].2.split('/').skip(1).enumerate() {
        path.push('/');
        if part.starts_with('{') { path.push_str(&format!("{}", 70_000 + n * 7 + at)) } else { path.push_str(part) }
    }
    path
}

pub(crate) fn request(api: &'static Api, version: usize, operation: usize, n: usize) -> Request {
    let mut path = path(api, version, operation, n);
    let mut header = header_name(api.style).map(|name| (name, header_value(api, version)));
    if api.style == Style::Query {
        path.push_str(&format!("?page={}&api-version={}", n % 9, api.versions[version]));
        header = None;
    }
    Request { method: api.operations[operation].1, host: host(api, version), path, header }
}

/// Everything declared, before anything happens.
pub(crate) fn releases(start: Timestamp) -> Vec<Simulated> {
    let mut all = Vec::new();
    for api in &APIS {
        for (v, version) in api.versions.iter().enumerate() {
            let released = start.plus_ms(-(300 - 90 * v as i64) * DAY_MS);
            let release = Release {
                api: api.name.into(),
                api_version: (*version).into(),
                time: Some(released.rfc3339()),
                base_paths: if api.style == Style::Path { vec![base(api, v)] } else { Vec::new() },
                hosts: vec![host(api, v)],
                header: header_name(api.style).map(|name| VersionHeader { name: name.into(), value: header_value(api, v) }),
                sdks: vec![Sdk { name: format!("tidewater-{}", api.name), versions: vec![format!("{}", v + 5)] }],
                openapi: Some(document(api, v)),
                ..Release::default()
            };
            let truth = Truth { api: Some(api.name), ..Truth::default() };
            all.push(simulated(
                format!("release-{}-{version}", api.name),
                start,
                start.plus_ms(-DAY_MS),
                Data::Release(Box::new(release)),
                truth,
            ));
        }
    }
    all
}

fn document(api: &Api, version: usize) -> Value {
    let mut paths = Map::new();
    for (id, method, template) in api.operations.iter().take(if version + 1 == VERSIONS { 4 } else { 3 }) {
        let item = paths.entry(*template).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(method.to_lowercase(), json!({"operationId": id}));
        }
    }
    json!({"openapi": "3.0.0", "info": {"title": api.name, "version": "1"}, "servers": [{"url": format!("https://{}{}", host(api, version), base(api, version))}], "paths": paths})
}
