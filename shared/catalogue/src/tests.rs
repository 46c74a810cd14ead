//! The catalogue as its users see it.

use groundswell_contract::data::{Money, VersionHeader};
use groundswell_contract::{Identity, Release, Stage};
use groundswell_model::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use crate::{By, Call, Catalogue, Identities};

fn release(api: &str, version: &str, base: &str) -> Release {
    Release {
        api: api.into(),
        api_version: version.into(),
        base_paths: vec![base.to_owned()].into_iter().filter(|b| !b.is_empty()).collect(),
        ..Release::default()
    }
}

fn with_document(mut release: Release, server: &str, operations: &[(&str, &str, &str)]) -> Release {
    let mut paths = serde_json::Map::new();
    for (id, method, template) in operations {
        let item = paths.entry(*template).or_insert_with(|| json!({}));
        item[*method] = if id.is_empty() { json!({}) } else { json!({ "operationId": id }) };
    }
    release.openapi = Some(json!({"openapi": "3.1.0", "servers": [{"url": server}], "paths": paths}));
    release
}

fn day(n: i64) -> Timestamp {
    Timestamp(n * 86_400_000)
}

/// Two versions of orders by base path, payments undocumented, billing by header.
fn catalogue() -> Catalogue {
    let mut c = Catalogue::default();
    let operations = [("listOrders", "get", "/orders"), ("getOrder", "get", "/orders/{orderId}"), ("", "delete", "/orders/{id}")];
    c.apply(&with_document(release("orders", "v1", ""), "https://api.example.com/v1", &operations), day(1));
    c.apply(
        &Release {
            aliases: vec!["current".into()],
            ..with_document(release("orders", "v2", ""), "https://api.example.com/v2", &operations)
        },
        day(2),
    );
    c.apply(&release("payments", "2024-06-01", "/pay"), day(3));
    let billing = |v: &str, ops: &[(&str, &str, &str)]| Release {
        header: Some(VersionHeader { name: "Billing-Version".into(), value: v.into() }),
        ..with_document(release("billing", v, ""), "https://billing.example.com", ops)
    };
    c.apply(&billing("2.7", &[("me", "get", "/me"), ("oldReport", "get", "/report")]), day(4));
    c.apply(&billing("2.14", &[("me", "get", "/me"), ("newReport", "get", "/reports/{id}")]), day(5));
    c
}

fn check(call: Call<'_>, api: &str, version: &str, operation: &str, declared: bool, by: By) {
    let catalogue = catalogue();
    let r = catalogue.resolve_usage(&call);
    assert_eq!((r.api, r.version, &*r.operation, r.declared, r.by), (api, version, operation, declared, by), "{call:?}");
}

#[test]
fn an_explicit_version_or_alias_decides() {
    let call = Call { api: "orders", version: "v2", method: "GET", path: "/v2/orders/7?x=1", ..Call::default() };
    check(call, "orders", "v2", "getOrder", true, By::Explicit);
    check(Call { version: "current", ..call }, "orders", "v2", "getOrder", true, By::Explicit);
    check(Call { version: "2", ..call }, "orders", "v2", "getOrder", true, By::Explicit);
    check(Call { version: "v9", ..call }, "orders", "v9", "GET /orders/{id}", false, By::Explicit);
    check(Call { method: "DELETE", path: "/orders/7", ..call }, "orders", "v2", "DELETE /orders/{id}", true, By::Explicit);
}

#[test]
fn an_operation_is_known_by_its_id_or_its_template() {
    let call = Call { api: "orders", version: "v1", ..Call::default() };
    for operation in ["getOrder", "GET /orders/{orderId}", "GET /v1/orders/{id}", "get /orders/17"] {
        check(Call { operation, ..call }, "orders", "v1", "getOrder", true, By::Explicit);
    }
    check(Call { operation: "somethingElse", ..call }, "orders", "v1", "somethingElse", true, By::Explicit);
}

#[test]
fn a_path_tells_api_and_version() {
    let call = Call { method: "GET", path: "/v1/orders", host: "api.example.com", ..Call::default() };
    check(call, "orders", "v1", "listOrders", true, By::Place);
    check(Call { host: "", ..call }, "orders", "v1", "listOrders", true, By::Place);
    check(Call { host: "elsewhere.example.com", ..call }, "orders", "v1", "listOrders", true, By::Place);
    check(Call { path: "/v1/nothing/of/it", ..call }, "orders", "v1", "", true, By::Place);
    check(Call { path: "/v1/nothing/of/it", host: "elsewhere.example.com", ..call }, "", "", "GET /nothing/of/it", false, By::Nothing);
    check(Call { path: "/pay/charges/12", host: "", ..call }, "payments", "2024-06-01", "GET /charges/{id}", true, By::Place);
}

#[test]
fn versions_told_by_a_header_are_told_apart_by_what_only_one_has() {
    let call = Call { method: "GET", path: "/report", host: "billing.example.com", ..Call::default() };
    check(call, "billing", "2.7", "oldReport", true, By::Operation);
    check(Call { path: "/reports/9", ..call }, "billing", "2.14", "newReport", true, By::Operation);
    check(Call { path: "/me", ..call }, "billing", "", "me", false, By::Nothing);
    check(Call { path: "/me", version: "2.14", ..call }, "billing", "2.14", "me", true, By::Explicit);
    check(Call { path: "/me", api: "billing", host: "", ..call }, "billing", "", "me", false, By::Nothing);
}

#[test]
fn what_nobody_declared_is_read_from_the_path() {
    let call = Call { api: "stock", method: "POST", path: "/api/v3/items/42/count", ..Call::default() };
    check(call, "stock", "v3", "POST /items/{id}/count", false, By::Prefix);
    check(Call { version: "2025", ..call }, "stock", "2025", "POST /items/{id}/count", false, By::Explicit);
    check(Call { path: "", ..call }, "stock", "", "", false, By::Nothing);
    check(Call { api: "orders", path: "/v7/orders/1", ..call }, "orders", "v7", "POST /orders/{id}", false, By::Prefix);
    assert!(catalogue().resolve_path("", "GET", "/unheard/of").is_none());
    assert!(catalogue().resolve_path("", "", "").is_none());
}

#[test]
fn a_url_counts_only_with_a_declared_host_and_a_header_tells_its_version() {
    let c = catalogue();
    let url = |text: &str| c.resolve_url("GET", text).map(|r| (r.version.to_owned(), r.operation.into_owned()));
    assert_eq!(url("https://api.example.com:443/v2/orders/7?x=1"), Some(("v2".into(), "getOrder".into())));
    assert_eq!(url("https://help.example.com/v2/orders/7"), None);
    assert_eq!(url("/v2/orders/7"), None);
    assert_eq!(c.version_of_header("billing", "BILLING-version", "2.7"), Some("2.7"));
    assert_eq!(c.version_of_header("billing", "Billing-Version", "3"), None);
}

#[test]
fn versions_are_in_order_and_know_their_stages() {
    let mut c = catalogue();
    c.apply(&Release { stage: Stage::Deprecated, time: Some("2026-01-01T00:00:00Z".into()), ..release("orders", "v1", "") }, day(9));
    let names = |c: &Catalogue, api: &str| c.versions(api).map(|v| v.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&c, "billing"), ["2.7", "2.14"]);
    assert_eq!(c.order("billing", &["2.14", "unknown", "2.9", "2.7", "2.15"]), ["2.7", "2.9", "2.14", "2.15", "unknown"]);
    assert_eq!(c.order("undeclared", &["v10", "v9"]), ["v9", "v10"]);
    assert!(c.compare("orders", "v1", "v2").is_lt());
    let v1 = c.api("orders").and_then(|a| a.version("v1")).expect("declared");
    let turn = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    assert_eq!((v1.stage(day(0)), v1.stage(day(1)), v1.stage(turn)), (None, Some(Stage::Released), Some(Stage::Deprecated)));
    assert_eq!(v1.operations().len(), 3, "a later event without a document keeps the document");
    // A version published late but dated early comes first.
    c.apply(&Release { time: Some("1970-01-02T00:00:00Z".into()), ..release("billing", "classic", "") }, day(10));
    assert_eq!(names(&c, "billing"), ["classic", "2.7", "2.14"]);
}

#[test]
fn moving_a_base_path_forgets_the_old_one() {
    let mut c = catalogue();
    let before = c.generation();
    c.apply(&release("payments", "2024-06-01", "/payments"), day(20));
    assert!(c.generation() > before);
    assert!(c.resolve_path("", "GET", "/pay/charges").is_none());
    assert_eq!(c.resolve_path("", "GET", "/payments/charges").map(|r| r.api.to_owned()), Some("payments".into()));
}

fn any_release() -> impl Strategy<Value = (Release, Timestamp)> {
    let stage = prop::sample::select(vec![Stage::Released, Stage::Deprecated, Stage::Sunset, Stage::Removed]);
    let fields = (
        "[ab]",
        "v[123]",
        stage,
        prop::option::of("/[xy]"),
        prop::option::of("[m-o]"),
        prop::option::of(prop::sample::select(vec!["/p", "/q/{id}"])),
        0i64..6,
    );
    fields.prop_map(|(api, version, stage, base, alias, template, at)| {
        let mut r = Release { stage, aliases: alias.into_iter().collect(), ..release(&api, &version, base.as_deref().unwrap_or("")) };
        if let Some(template) = template {
            r = with_document(r, "/", &[("", "get", template)]);
        }
        (r, day(at))
    })
}

/// Everything that can be asked of it.
fn answers(c: &Catalogue) -> String {
    let mut out = String::new();
    for api in c.apis() {
        for v in api.versions() {
            out += &format!(
                "{} {} {:?} {:?} {:?} {:?}\n",
                api.name(),
                v.name(),
                v.aliases(),
                v.bases(),
                v.operations(),
                [Stage::Released, Stage::Deprecated, Stage::Sunset, Stage::Removed].map(|s| v.date(s))
            );
        }
    }
    for path in ["/x/p", "/y/q/1", "/p", "/q/1", "/z"] {
        for api in ["", "a", "b"] {
            out += &format!("{:?}\n", c.resolve_usage(&Call { api, method: "GET", path, ..Call::default() }));
        }
    }
    out
}

proptest! {
    #[test]
    fn the_order_and_repetition_of_releases_do_not_matter(releases in proptest::collection::vec(any_release(), 1..12), seed in any::<prop::sample::Index>()) {
        let build = |list: &[(Release, Timestamp)]| {
            let mut c = Catalogue::default();
            list.iter().for_each(|(r, t)| c.apply(r, *t));
            c
        };
        let mut turned = releases.clone();
        turned.rotate_left(seed.index(releases.len()));
        turned.reverse();
        turned.extend_from_slice(&releases[..releases.len() / 2]);
        prop_assert_eq!(answers(&build(&releases)), answers(&build(&turned)));
    }

    #[test]
    fn no_call_panics(api in "[a-z]{0,2}|orders|billing", version in "(v?[0-9]{0,2})?", operation in "\\PC{0,12}", method in "[A-Z]{0,4}", path in "/?\\PC{0,20}|/v[0-9]/orders/\\PC{0,8}", host in "[a-z.]{0,8}") {
        let c = catalogue();
        let call = Call { api: &api, version: &version, operation: &operation, method: &method, path: &path, host: &host };
        let r = c.resolve_usage(&call);
        prop_assert!(!r.declared || c.api(r.api).is_some_and(|a| a.version(r.version).is_some()));
        prop_assert!(api.is_empty() || r.api == api);
    }
}

fn identity(consumer: &str, emails: &[&str], domains: &[&str], ids: &[&str], org: Option<&str>) -> Identity {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    Identity {
        consumer: consumer.into(),
        emails: own(emails),
        email_domains: own(domains),
        requester_ids: own(ids),
        org: org.map(str::to_owned),
        ..Identity::default()
    }
}

#[test]
fn a_requester_is_found_by_mail_then_id_then_domain_then_org() {
    let mut i = Identities::new([1; 32]);
    i.apply(&identity("acme", &["ada@acme.example"], &["acme.example", "gmail.com"], &["u-1"], Some("Acme Inc")));
    i.apply(&identity("globex", &["bob@gmail.com"], &[], &["u-2"], None));
    assert_eq!(i.resolve(Some("u-2"), Some(" ADA@acme.example"), None), Some("acme"));
    assert_eq!(i.resolve(Some("u-2"), Some("new@acme.example"), None), Some("globex"));
    assert_eq!(i.resolve(None, Some("new@ACME.example"), None), Some("acme"));
    assert_eq!(i.resolve(None, Some("somebody@gmail.com"), None), None);
    assert_eq!(i.resolve(None, None, Some("acme inc ")), Some("acme"));
    assert!(!format!("{i:?}{:?}", i.consumer("acme")).contains("ada@"), "no address is held in the clear");
}

#[test]
fn a_later_identity_replaces_and_a_shared_name_decides_nothing() {
    let mut i = Identities::new([1; 32]);
    i.apply(&identity("a", &["x@one.example"], &[], &[], Some("One")));
    i.apply(&identity("b", &["x@one.example"], &["one.example"], &[], Some("One")));
    assert_eq!(i.resolve(None, Some("x@one.example"), Some("One")), Some("b"), "only the domain is b's alone");
    i.apply(&Identity {
        plan: Some("pro".into()),
        revenue: Some(Money { amount: 9.5, currency: "EUR".into() }),
        ..identity("a", &[], &[], &[], None)
    });
    assert_eq!(i.resolve(None, Some("x@one.example"), None), Some("b"));
    let a = i.consumer("a").expect("known");
    assert_eq!((a.plan.as_deref(), a.revenue.clone(), i.len()), (Some("pro"), Some((9.5, "EUR".to_owned())), 2));
}
