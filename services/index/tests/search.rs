//! The search index as its users see it: what is put is found, once, with its checkpoint, after crashes too.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop there")]

mod search_support;

use std::fs;

use groundswell_index::search::{
    Counting, Hit, Interval, RulesByApi, SearchError, SearchRequest, SearchStore, Sort, feedback_stats, search,
};
use groundswell_model::{Rung, Timestamp};
use proptest::prelude::*;
use search_support::{Feedback, Fixture, facet, ids, request, settings};

#[test]
fn an_insight_put_twice_is_found_once_as_it_was_put_last() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1").body("the first words"));
    f.commit();
    f.put(&Feedback::new("1").body("the second words"));
    f.put(&Feedback::new("1").body("the third words"));
    f.commit();
    assert_eq!(f.ids("words"), ["1"]);
    assert_eq!(f.ids("third"), ["1"]);
    assert_eq!(f.ids("first OR second"), [""; 0]);
}

#[test]
fn what_was_lifted_to_another_version_leaves_the_old_one() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1").versions(&[("unknown", 1.0)]).rung(Rung::Unknown));
    f.commit();
    f.put(&Feedback::new("1").versions(&[("v1", 0.25), ("v2", 0.75)]).rung(Rung::Share));
    f.commit();
    let in_version = |v: &str| f.search(&SearchRequest { versions: vec![v.into()], ..SearchRequest::default() }).total;
    assert_eq!([in_version("unknown"), in_version("v1"), in_version("v2")], [0, 1, 1]);
}

#[test]
fn an_insight_of_unknown_api_leaves_it_once_its_api_is_known() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1").api("unknown").versions(&[("unknown", 1.0)]));
    f.commit();
    f.put(&Feedback::new("1").api("orders"));
    f.commit();
    let answer = f.search(&SearchRequest::default());
    assert_eq!((answer.total, answer.hits[0].api.as_str()), (1, "orders"));
}

#[test]
fn an_insight_that_counts_elsewhere_now_is_removed_and_others_stay() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1").versions(&[("v1", 0.5), ("v2", 0.5)]));
    f.put(&Feedback::new("2"));
    f.commit();
    let identity = groundswell_model::IdentityHash::of("/support", "1");
    let api = f.search(&SearchRequest::default()).hits[0].api.clone();
    let gone = groundswell_model::Removal { api: &api, identity };
    f.store().remove(&gone, groundswell_bus::Offset(1_000)).unwrap();
    f.commit();
    let answer = f.search(&SearchRequest::default());
    assert_eq!((answer.total, answer.hits[0].id.as_str()), (1, "2"));
}

#[test]
fn feedback_shared_by_versions_counts_once() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("shared").versions(&[("v1", 0.5), ("v2", 0.5)]).body("timeout again"));
    f.put(&Feedback::new("own").body("timeout once"));
    f.commit();
    let answer = f.search(&SearchRequest {
        query: "timeout".into(),
        facets: vec!["version".into()],
        histogram: Some(Interval::Day),
        ..SearchRequest::default()
    });
    assert_eq!((answer.total, answer.hits.len()), (2, 2));
    assert_eq!(facet(&answer, "version"), [("v1", 2), ("v2", 1)]);
    assert_eq!(answer.histogram.iter().map(|b| b.count).sum::<u64>(), 2);
    let shared = answer.hits.iter().find(|h| h.id == "shared").unwrap();
    assert_eq!(shared.versions.iter().map(|v| (v.version.as_str(), v.weight)).collect::<Vec<_>>(), [("v1", 0.5), ("v2", 0.5)]);
}

#[test]
fn after_a_crash_the_checkpoint_tells_where_to_go_on() {
    let mut f = Fixture::new();
    for n in 0..10 {
        f.put(&Feedback::new(&n.to_string()));
    }
    f.commit();
    let whole = f.ids("");
    for n in 10..20 {
        f.put(&Feedback::new(&n.to_string()));
    }
    f.crash();
    assert_eq!(f.ids(""), whole);
    assert_eq!(f.snapshot().checkpoint.0, 10);
    // From an older floor: what is contained is skipped, the rest is put.
    for n in 5..20 {
        f.put_at(&Feedback::new(&n.to_string()).body("read again"), n);
    }
    f.commit();
    assert_eq!(f.search(&SearchRequest { query: "again".into(), ..SearchRequest::default() }).total, 10);
    assert_eq!(f.search(&SearchRequest::default()).total, 20);
}

#[test]
fn a_commit_without_changes_and_merges_keep_the_checkpoint() {
    let mut f = Fixture::new();
    for n in 0..40 {
        f.put(&Feedback::new(&n.to_string()));
        f.commit();
        f.commit();
    }
    f.crash();
    assert_eq!(f.snapshot().versions[0].checkpoint.0, 40);
    assert_eq!(f.search(&SearchRequest::default()).total, 40);
}

#[test]
fn words_phrases_and_operators() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("rate").title("Rate limit too low").body("We hit the rate_limit on /v2/orders with 429"));
    f.put(&Feedback::new("auth").title("OAuth2 token").body("The getUserById call answers 401 since the limits of the rate changed"));
    f.put(&Feedback::new("jp").body("認証エラーが発生しました"));
    f.put(&Feedback::new("praise").body("Love the café docs, don't change them!"));
    f.commit();
    let check = |query: &str, expected: &[&str]| {
        let mut found = f.ids(query);
        found.sort();
        assert_eq!(found, expected, "{query}");
    };
    check("limit rate", &["auth", "rate"]);
    check("\"rate limit\"", &["rate"]);
    check("rate_limit", &["rate"]);
    check("rateLimit", &["rate"]);
    check("/v2/orders", &["rate"]);
    check("oauth2", &["auth"]);
    check("\"oauth2 token\"", &["auth"]);
    check("\"getuserbyid call\"", &["auth"]);
    check("get_user_by_id", &["auth"]);
    check("401 OR 429", &["auth", "rate"]);
    check("limits -401", &["rate"]);
    check("limit NOT (401 OR token)", &["rate"]);
    check("+limit +token", &["auth"]);
    check("title:limit", &["rate"]);
    check("lim*", &["auth", "rate"]);
    check("\"rate lim\"*", &["rate"]);
    check("エラー", &["jp"]);
    check("CAFE dont", &["praise"]);
    check("-limit", &["jp", "praise"]);
    check("change: https://example.org", &[]);
    check("getUserById()", &["auth"]);
    check("", &["auth", "jp", "praise", "rate"]);
}

#[test]
fn fields_ranges_and_filters() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("t1").consumer("acme").operation("GET /v2/orders").time("2026-01-10T08:00:00Z").label("bug"));
    f.put(&Feedback::new("t2").consumer("globex").time("2026-02-01T23:30:00Z").label("question"));
    f.put(&Feedback::new("s6").survey("nps", 6.0).time("2026-03-05T00:00:00Z").label("complaint"));
    f.put(&Feedback::new("s9").survey("nps", 9.0).time("2026-03-06T00:00:00Z").label("praise"));
    f.commit();
    let check = |query: &str, filters: &[&str], expected: &[&str]| {
        let filters = filters.iter().map(|f| (*f).to_owned()).collect();
        let mut found = ids(&f.search(&SearchRequest { query: query.into(), filters, ..SearchRequest::default() }));
        found.sort();
        assert_eq!(found, expected, "{query}");
    };
    check("type:bug", &[], &["t1"]);
    check("type:BUG OR type:praise", &[], &["s9", "t1"]);
    check("consumer:gl*", &[], &["t2"]);
    check("operation:\"GET /v2/orders\"", &[], &["t1"]);
    check("", &["operation:get /v2/orders"], &["t1"]);
    check("", &["-kind:ticket", "score:<7"], &["s6"]);
    check("score:[6 TO 9}", &[], &["s6"]);
    check("score:>=6", &[], &["s6", "s9"]);
    check("score:9", &[], &["s9"]);
    check("time:[2026-01-01 TO 2026-02-01]", &[], &["t1", "t2"]);
    check("time:[2026-01-01 TO 2026-02-01}", &[], &["t1"]);
    check("time:2026-03", &[], &["s6", "s9"]);
    check("time:>2026-03-05", &[], &["s9"]);
    check("time:{* TO 2026-01-10T08:00:00Z]", &[], &["t1"]);
    check("score:[9 TO 6]", &[], &[]);
    check("id:t2", &[], &["t2"]);
    check("-type:bug kind:ticket", &[], &["t2"]);
}

#[test]
fn errors_say_what_where_and_what_to_do() {
    let f = Fixture::new();
    let check = |query: &str, expected: &str| {
        let error = search(&[f.snapshot()], &request(query)).unwrap_err();
        assert!(error.is_askers() && error.to_string().contains(expected), "{query}: {error}");
    };
    check("limit (rate", "a parenthesis is not closed (column 7)");
    check("rate limit)", "a closing parenthesis without an opening one (column 11)");
    check("say \"rate", "a quotation mark is not closed (column 5)");
    check("rate AND", "nothing follows AND");
    check("OR rate", "an operator without a condition before it (column 1)");
    check("colour:red", "there is no field \"colour\"");
    check("score:low", "\"low\" is not a number (column 7)");
    check("time:yesterday", "write it like 2026-01-31");
    check("time:[2026 TO", "a range is not closed");
    check("ra*te", "`*` inside a word");
    check("---", "no word to search for");
    check(&"x ".repeat(2000), "use at most 2000");
    check(&"x ".repeat(100), "more than 64 conditions");
    check(&"(".repeat(100), "nested deeper than 16");
    let facets = SearchRequest { facets: vec!["body".into()], ..SearchRequest::default() };
    assert!(search(&[f.snapshot()], &facets).unwrap_err().to_string().contains("there is no facet \"body\""));
    let many = SearchRequest { limit: 1001, ..SearchRequest::default() };
    assert!(search(&[f.snapshot()], &many).unwrap_err().is_askers());
}

#[test]
fn every_order_pages_to_the_same_list() {
    let mut f = Fixture::new();
    for n in 0..57_u64 {
        let versions: &[(&str, f32)] = if n % 5 == 0 { &[("v1", 0.5), ("v2", 0.5)] } else { &[("v2", 1.0)] };
        let body = if n % 3 == 0 { "timeout timeout in export" } else { "a timeout here" };
        let mut feedback = Feedback::new(&n.to_string()).versions(versions).body(body).time(&format!("2026-01-{:02}T00:00:00Z", n % 9 + 1));
        if n % 2 == 0 {
            feedback = feedback.survey("nps", (n % 11) as f64);
        }
        f.put(&feedback);
        if n % 10 == 0 {
            f.commit();
        }
    }
    f.commit();
    for sort in [Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::LowestScore, Sort::HighestScore] {
        let asked = SearchRequest { query: "timeout".into(), sort: Some(sort), limit: 1000, ..SearchRequest::default() };
        let whole = f.search(&asked);
        assert_eq!((whole.total, whole.hits.len(), whole.next_cursor.clone()), (57, 57, None));
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let page = f.search(&SearchRequest { cursor, limit: 7, ..asked.clone() });
            assert_eq!(page.total, 57);
            paged.extend(ids(&page));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, ids(&whole), "{sort:?}");
    }
}

#[test]
fn orders_are_what_they_say() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("old9").survey("nps", 9.0).time("2026-01-01T00:00:00Z"));
    f.put(&Feedback::new("new2").survey("nps", 2.0).time("2026-01-03T00:00:00Z"));
    f.put(&Feedback::new("ticket").time("2026-01-02T00:00:00Z"));
    f.commit();
    let sorted = |sort| ids(&f.search(&SearchRequest { sort: Some(sort), ..SearchRequest::default() }));
    assert_eq!(sorted(Sort::Newest), ["new2", "ticket", "old9"]);
    assert_eq!(sorted(Sort::Oldest), ["old9", "ticket", "new2"]);
    assert_eq!(sorted(Sort::LowestScore), ["new2", "old9", "ticket"]);
    assert_eq!(sorted(Sort::HighestScore), ["old9", "new2", "ticket"]);
}

#[test]
fn a_cursor_of_another_search_is_refused() {
    let mut f = Fixture::new();
    (0..3).for_each(|n| f.put(&Feedback::new(&n.to_string())));
    f.commit();
    let cursor = f.search(&SearchRequest { limit: 1, ..SearchRequest::default() }).next_cursor;
    let refuse = |request: SearchRequest, expected: &str| {
        let error = search(&[f.snapshot()], &request).unwrap_err();
        assert!(error.is_askers() && error.to_string().contains(expected), "{error}");
    };
    refuse(SearchRequest { query: "other".into(), cursor, ..SearchRequest::default() }, "belongs to another search");
    for nonsense in ["", "!", "AAAA", &"A".repeat(5000)] {
        refuse(SearchRequest { cursor: Some(nonsense.into()), ..SearchRequest::default() }, "no cursor");
    }
}

#[test]
fn relevance_compares_over_versions_of_very_different_size() {
    let mut f = Fixture::new();
    // `webhook` is rare over all, but every document of the small version has it.
    for n in 0..200 {
        f.put(&Feedback::new(&format!("big{n}")).versions(&[("v1", 1.0)]).body("export timeout of the report"));
    }
    f.put(&Feedback::new("big-webhook").versions(&[("v1", 1.0)]).body("webhook timeout of the report"));
    f.put(&Feedback::new("small-webhook").versions(&[("v2", 1.0)]).body("webhook timeout of the report"));
    f.commit();
    let answer = f.search(&request("webhook"));
    assert_eq!(answer.hits.len(), 2);
    assert_eq!(answer.hits[0].score, answer.hits[1].score);
    let either = f.search(&request("webhook OR export"));
    assert!(either.hits[..2].iter().all(|h| h.id.ends_with("webhook")), "the rarer word weighs more in every version");
}

#[test]
fn hits_carry_everything_and_mark_the_words() {
    let mut f = Fixture::new();
    f.put(
        &Feedback::new("1")
            .title("Rate limits")
            .body(&format!("{} we met a rate_limit today {}", "lorem ipsum ".repeat(60), "dolor ".repeat(90)))
            .consumer("acme"),
    );
    f.commit();
    let answer = f.search(&request("\"rate limit\""));
    let hit = &answer.hits[0];
    assert_eq!(
        (hit.source.as_str(), hit.id.as_str(), hit.consumer.as_deref(), hit.kind.as_str()),
        ("/support", "1", Some("acme"), "ticket")
    );
    assert_eq!(
        (hit.rung.as_str(), hit.time.as_str(), hit.url.as_deref()),
        ("explicit", "2026-01-01T00:00:00Z", Some("https://support.example/1"))
    );
    assert_eq!(hit.labels.kind.because, ["why"]);
    assert_eq!(hit.attributes["plan"], serde_json::json!({"tier": "gold"}));
    assert_eq!(hit.redacted["email"], 2);
    let marked: Vec<(String, Vec<String>)> = hit
        .highlights
        .iter()
        .map(|h| {
            let pieces = h.fragments.iter().flat_map(|f| f.pieces()).filter(|(_, matched)| *matched).map(|(text, _)| text);
            (h.field.clone(), pieces.collect())
        })
        .collect();
    assert_eq!(marked, [("title".into(), vec!["Rate limits".into()]), ("body".into(), vec!["rate_limit".into()])]);
    assert!(hit.body.contains("rate_limit") && hit.body.starts_with('…') && hit.body.ends_with('…') && hit.body.len() < 400);
    let full = f.search(&SearchRequest { full_body: true, ..request("rate") });
    assert!(full.hits[0].body.len() > 1000);
}

#[test]
fn facets_and_histogram_count_every_hit() {
    let mut f = Fixture::new();
    for n in 0..30 {
        let label = ["bug", "question", "praise"][n % 3];
        f.put(
            &Feedback::new(&n.to_string())
                .label(label)
                .tags(&["a", if n < 10 { "b" } else { "c" }])
                .time(&format!("2026-01-{:02}T12:00:00Z", n % 2 + 1)),
        );
        if n % 7 == 0 {
            f.commit();
        }
    }
    f.put(&Feedback::new("0").label("question").tags(&[]).time("2026-01-03T12:00:00Z"));
    f.commit();
    let facets = ["type", "tag", "status"].map(String::from).to_vec();
    let answer = f.search(&SearchRequest { limit: 1, facets, facet_limit: 2, histogram: Some(Interval::Day), ..SearchRequest::default() });
    assert_eq!(facet(&answer, "type"), [("question", 11), ("praise", 10)]);
    assert_eq!(facet(&answer, "tag"), [("a", 29), ("c", 20)]);
    assert_eq!(facet(&answer, "status"), []);
    let bars: Vec<_> = answer.histogram.iter().map(|b| (b.start.as_str(), b.count)).collect();
    assert_eq!(bars, [("2026-01-01T00:00:00Z", 14), ("2026-01-02T00:00:00Z", 15), ("2026-01-03T00:00:00Z", 1)]);
}

#[test]
fn a_damaged_or_missing_folder_is_named() {
    let damage = |harm: &dyn Fn(&std::path::Path)| {
        let mut f = Fixture::new();
        f.put(&Feedback::new("1"));
        f.commit();
        let folder = f.root().join("search/orders/v1");
        let root = f.close();
        harm(&folder);
        let error = SearchStore::open(root.path(), 0, &settings()).err().unwrap();
        assert!(error.needs_rebuild() && error.to_string().contains("search/orders/v1"), "{error}");
    };
    damage(&|folder| fs::write(folder.join("meta.json"), "{").unwrap());
    damage(&|folder| fs::remove_file(folder.join("meta.json")).unwrap());
    damage(&|folder| fs::remove_dir_all(folder).unwrap());
    let pack = |folder: &std::path::Path| {
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "pack")).unwrap()
    };
    damage(&|folder| fs::remove_file(pack(folder)).unwrap());
    damage(&|folder| fs::write(pack(folder), "cut").unwrap());
}

#[test]
fn an_index_of_another_layout_asks_to_be_built_again() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1"));
    f.commit();
    let root = f.close();
    let meta = root.path().join("search/orders/v1/meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, text.replace("\\\"layout\\\":", "\\\"layout\\\":9")).unwrap();
    let error = SearchStore::open(root.path(), 0, &settings()).err().unwrap();
    assert!(error.needs_rebuild() && matches!(error, SearchError::OtherLayout { .. }), "{error}");
}

#[test]
fn a_version_is_exported_and_dropped() {
    let mut f = Fixture::new();
    for n in (0..5).rev() {
        f.put(&Feedback::new(&n.to_string()).time(&format!("2026-01-0{}T00:00:00Z", n + 1)));
    }
    f.put(&Feedback::new("other").versions(&[("v2", 1.0)]));
    f.commit();
    let mut out = Vec::new();
    assert_eq!(f.snapshot().export("orders", "v1", &RulesByApi::new(), &mut out).unwrap(), 5);
    let lines: Vec<Hit> = String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
    let request = SearchRequest { versions: vec!["v1".into()], sort: Some(Sort::Oldest), full_body: true, ..SearchRequest::default() };
    assert_eq!(lines, f.search(&request).hits, "what a search gives");

    assert!(f.store().drop_version("orders", "v1").unwrap());
    assert!(!f.store().drop_version("orders", "v1").unwrap());
    assert_eq!(f.ids(""), ["other"]);
    assert!(f.snapshot().export("orders", "v1", &RulesByApi::new(), &mut Vec::new()).unwrap_err().is_askers());
    f.crash();
    assert_eq!(f.ids(""), ["other"]);
    f.put(&Feedback::new("again"));
    f.commit();
    assert_eq!(f.search(&SearchRequest::default()).total, 2);
}

#[test]
fn twenty_versions_share_four_writers() {
    let mut f = Fixture::with(groundswell_runtime::settings::IndexSettings { writers: 4, writer_mib: 64, ..settings() });
    let versions: Vec<String> = (0..20).map(|v| format!("v{v}")).collect();
    for round in 0..3 {
        for (n, version) in versions.iter().enumerate() {
            f.put(&Feedback::new(&format!("{round}-{n}")).versions(&[(version, 1.0)]));
        }
        assert_eq!(f.commit().indexes, 20);
        assert!(open_writers(&f) <= 4);
    }
    f.crash();
    assert_eq!(f.search(&SearchRequest::default()).total, 60);
    assert!(f.snapshot().versions.iter().all(|v| v.insights() == 3 && v.checkpoint.0 == 60));
}

/// Writers hold a lock file open; the engine has no other mark of them.
fn open_writers(f: &Fixture) -> usize {
    let locks = f.root().canonicalize().unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
        .filter(|target| target.starts_with(&locks) && target.ends_with(".tantivy-writer.lock"))
        .count()
}

#[test]
fn names_and_texts_of_any_length_are_taken() {
    let mut f = Fixture::new();
    let long = "x".repeat(100_000);
    f.put(
        &Feedback::new(&long).api(&long).versions(&[(&long, 1.0)]).consumer(&long).body(&long).title(&long).operation(&long).tags(&[&long]),
    );
    f.put(&Feedback::new("../..").api("../..").versions(&[("..", 1.0), ("", 0.0)]));
    f.commit();
    f.crash();
    assert_eq!(f.search(&SearchRequest::default()).total, 2);
    assert_eq!(f.search(&SearchRequest { filters: vec![format!("consumer:{}", &long[..1000])], ..SearchRequest::default() }).total, 1);
}

#[test]
fn a_snapshot_stays_as_it_is() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("1"));
    f.commit();
    let before = f.snapshot();
    f.put(&Feedback::new("2"));
    f.commit();
    f.store().drop_version("orders", "v1").unwrap();
    assert_eq!(ids(&search(&[before], &SearchRequest::default()).unwrap()), ["1"]);
    assert_eq!(f.search(&SearchRequest::default()).total, 0);
}

#[test]
fn feedback_is_counted_with_its_weights() {
    let mut f = Fixture::new();
    f.put(&Feedback::new("t1").label("bug").consumer("acme").operation("GET /orders").time("2026-01-01T00:00:00Z"));
    f.put(&Feedback::new("t2").label("bug").consumer("acme").versions(&[("v1", 0.25), ("v2", 0.75)]).rung(Rung::Share));
    f.commit();
    f.put(&Feedback::new("s1").label("praise").consumer("globex").survey("nps", 9.0).time("2026-02-01T00:00:00Z"));
    f.put(&Feedback::new("s2").label("complaint").consumer("").survey("nps", 3.0).time("2026-02-02T00:00:00Z"));
    f.put(&Feedback::new("s3").label("complaint").consumer("globex").survey("nps", 3.0).time("2026-02-03T00:00:00Z"));
    f.commit();
    let snapshot = f.snapshot();
    let view = snapshot.version("orders", "v1").unwrap();
    let all = feedback_stats(view, None, Counting::Weighted).unwrap();
    assert_eq!((all.all.count, all.all.weight, all.all.consumers, all.tickets, all.surveys, all.requesters), (5, 4.25, 2, 2, 3, 1));
    assert_eq!((all.by_type["bug"].count, all.by_type["bug"].weight, all.by_type["bug"].consumers), (2, 1.25, 1));
    assert_eq!((all.by_rung["share"].count, all.by_rung["explicit"].count), (1, 4));
    assert_eq!(all.by_operation["GET /orders"].count, 1);
    let nps: Vec<_> = all.answers["nps"].iter().map(|a| (a.score, a.max, a.tally.count)).collect();
    assert_eq!(nps, [(3.0, 10.0, 2), (9.0, 10.0, 1)]);
    assert_eq!(all.latest, Some(Timestamp::parse("2026-02-03T00:00:00Z").unwrap()));
    let bug = all.quotes.iter().find(|q| q.label == "bug").unwrap();
    assert_eq!((bug.field.as_str(), bug.consumer.as_str(), bug.url.is_some()), ("type", "acme", true));

    let window = (Timestamp::parse("2026-02-01T00:00:00Z").unwrap(), Timestamp::parse("2026-02-03T00:00:00Z").unwrap());
    let strict = feedback_stats(view, None, Counting::Strict).unwrap();
    assert_eq!(strict.all.count + strict.left_out, all.all.count);
    assert_eq!((strict.left_out, strict.all.weight), (1, 4.0));
    let february = feedback_stats(view, Some(window), Counting::Weighted).unwrap();
    assert_eq!((february.all.count, february.by_type.contains_key("bug"), february.by_day.len()), (2, false, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_question_panics(query in "[ -~]{0,40}|\\PC{0,30}|([a-z]{0,3}[:*\\[\\]{}()\"+\\-\\\\<>= ]{0,3}|AND |OR |NOT |score:|time:|type:|TO ){0,12}", filter in "\\PC{0,20}|(type|score|time|-title):\\PC{0,12}") {
        thread_local! {
            static INDEX: Fixture = {
                let mut f = Fixture::new();
                f.put(&Feedback::new("1").body("rate limit a b c"));
                f.commit();
                f
            };
        }
        INDEX.with(|f| {
            for request in [request(&query), SearchRequest { filters: vec![filter.clone()], ..SearchRequest::default() }] {
                match search(&[f.snapshot()], &request) {
                    Ok(answer) => assert!(answer.total <= 1),
                    Err(error) => assert!(error.is_askers(), "{error}"),
                }
            }
        });
    }
}
