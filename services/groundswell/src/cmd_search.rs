//! `search`: feedback that matches.

use groundswell_index::search::types::{Hit, SearchResponse};
use groundswell_index::summary::types::ApisOverview;

use crate::cli::{Global, Narrow, Search};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, note, print, print_json, short, table, thousands};

/// Characters of a text in a row.
const TEXT: usize = 220;
/// Width of the longest bar of a histogram.
const BAR: u64 = 40;

/// Runs it.
pub fn run(global: &Global, args: &Search) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let found: SearchResponse = client.get(&["v1", "search"], &query(args))?;
    if found.total == 0 {
        // Only a help: a search that found nothing is no failure.
        let overview: Option<ApisOverview> = client.get(&["v1", "apis"], &[]).ok();
        overview.and_then(|overview| unknown(&overview, &args.narrow)).iter().for_each(|hint| note(hint));
    }
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&found),
        format => print(&render(&found, format)),
    }
}

/// What a search names that there is not.
fn unknown(overview: &ApisOverview, narrow: &Narrow) -> Option<String> {
    let listed = |names: Vec<&str>| names.into_iter().map(clean).collect::<Vec<_>>().join(", ");
    let api = narrow.api.as_ref()?;
    let Some(known) = overview.apis.iter().find(|known| known.api == *api) else {
        let names = listed(overview.apis.iter().map(|known| known.api.as_str()).collect());
        return Some(format!("groundswell: nothing is known of an API {}; there are: {names}", clean(api)));
    };
    let versions: Vec<&str> = known.versions.iter().map(|version| version.version.as_str()).collect();
    let missing = narrow.version.iter().find(|version| !versions.contains(&version.as_str()))?;
    Some(format!("groundswell: {} has no version {}; there are: {}", clean(api), clean(missing), listed(versions)))
}

fn query(args: &Search) -> Vec<(&'static str, String)> {
    let mut query = vec![("q", args.query.clone())];
    query.extend(narrow(&args.narrow));
    query.extend(args.facet.iter().map(|f| ("facet", f.clone())));
    query.extend(args.like.iter().map(|like| ("like", like.clone())));
    let mut add = |name, value: Option<String>| query.extend(value.map(|v| (name, v)));
    add("facet_limit", args.facet_limit.map(|n| n.to_string()));
    add("histogram", args.histogram.clone());
    add("sort", args.sort.clone());
    add("limit", args.limit.map(|n| n.to_string()));
    add("cursor", args.cursor.clone());
    add("full_body", args.full_body.then(|| "true".to_owned()));
    add("since", args.since.clone());
    add("until", args.until.clone());
    query
}

/// The parameters that narrow a search.
pub fn narrow(args: &Narrow) -> Vec<(&'static str, String)> {
    let api = args.api.iter().map(|a| ("api", a.clone()));
    let versions = args.version.iter().map(|v| ("version", v.clone()));
    api.chain(versions).chain(args.filter.iter().map(|f| ("filter", f.clone()))).collect()
}

fn render(found: &SearchResponse, format: Format) -> String {
    let mut text = format!("{} found, {:.1} ms\n", thousands(found.total), found.took_ms);
    if !found.hits.is_empty() {
        let mut rows = table(format, &["when", "api", "what", "labels", "consumer"]);
        for hit in &found.hits {
            rows.add_row(row(hit, format));
        }
        text += &lines(&rows);
    }
    for (field, values) in &found.facets {
        let mut rows = table(format, &[field.as_str(), "hits"]);
        for value in values {
            rows.add_row([clean(&value.value), thousands(value.count)]);
        }
        text += &format!("\n{}", lines(&rows));
    }
    text += &histogram(found);
    if let Some(cursor) = &found.next_cursor {
        text += &format!("more: --cursor {cursor}\n");
    }
    text
}

fn row(hit: &Hit, format: Format) -> [String; 5] {
    let versions: Vec<String> = hit
        .versions
        .iter()
        .map(|v| if v.weight < 1.0 { format!("{} {:.0} %", clean(&v.version), v.weight * 100.0) } else { clean(&v.version) })
        .collect();
    [
        hit.time.chars().take(10).collect(),
        format!("{} {} ({})", clean(&hit.api), versions.join(", "), known_by(hit)),
        said(hit, if format == Format::Md { ", " } else { "\n" }),
        labels(hit),
        hit.consumer.as_deref().map(clean).unwrap_or_default(),
    ]
}

/// What decided the version, with its marks: `explicit, contradicted`.
fn known_by(hit: &Hit) -> String {
    std::iter::once(&hit.rung).chain(&hit.flags).map(|text| clean(text)).collect::<Vec<_>>().join(", ")
}

/// Title, score, text and link of a hit.
pub fn said(hit: &Hit, between: &str) -> String {
    let survey = hit.survey.as_ref().map(|s| format!("{} {} of {} to {}", clean(&s.kind), s.score, s.min, s.max));
    let body = short(&hit.body, TEXT);
    let parts = [survey, Some(clean(&hit.title)), Some(body), hit.url.as_deref().map(clean)];
    parts.into_iter().flatten().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(between)
}

/// The labels of a hit that say something.
pub fn labels(hit: &Hit) -> String {
    let labels = &hit.labels;
    let names = [&labels.kind].into_iter().chain(&labels.aspects).chain([&labels.sentiment, &labels.severity]);
    let told = names.map(|l| clean(&l.name)).filter(|n| !n.is_empty() && n != "unsure");
    told.collect::<Vec<_>>().join(", ")
}

fn histogram(found: &SearchResponse) -> String {
    let most = found.histogram.iter().map(|b| b.count).max().unwrap_or(0).max(1);
    let lines = found.histogram.iter().map(|bar| {
        let width = usize::try_from((bar.count * BAR).div_ceil(most)).unwrap_or(0);
        format!("{:<20} {:>8} {}\n", bar.start.chars().take(16).collect::<String>(), thousands(bar.count), "▇".repeat(width))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

#[cfg(test)]
mod tests {
    use groundswell_index::search::types::{FacetCount, HistogramBucket, HitSurvey, HitVersion};

    use super::*;

    fn response() -> SearchResponse {
        let hit = Hit {
            api: "payments".into(),
            rung: "share".into(),
            flags: vec!["moved".into()],
            versions: vec![HitVersion { version: "v1".into(), weight: 0.25 }, HitVersion { version: "v2".into(), weight: 0.75 }],
            survey: Some(HitSurvey { kind: "nps".into(), score: 3.0, min: 0.0, max: 10.0 }),
            body: "too \u{1b}[31mslow".into(),
            time: "2026-02-03T04:05:06Z".into(),
            ..Hit::default()
        };
        SearchResponse {
            total: 1_234,
            hits: vec![hit],
            facets: [("type".to_owned(), vec![FacetCount { value: "bug".into(), count: 7 }])].into(),
            histogram: vec![
                HistogramBucket { start: "2026-02-01T00:00:00Z".into(), count: 5 },
                HistogramBucket { start: "2026-02-08T00:00:00Z".into(), count: 10 },
            ],
            next_cursor: Some("abc".into()),
            ..SearchResponse::default()
        }
    }

    #[test]
    fn everything_found_is_shown_and_nothing_steers_the_terminal() {
        let text = render(&response(), Format::Md);
        for part in ["1,234 found", "v1 25 %, v2 75 % (share, moved)", "nps 3 of 0 to 10", "too  [31mslow", "bug", "--cursor abc"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(!text.contains('\u{1b}'));
        let bars: Vec<usize> = text.lines().map(|l| l.matches('▇').count()).filter(|n| *n > 0).collect();
        assert_eq!(bars, [20, 40]);
    }

    #[test]
    fn options_become_parameters() {
        let args = Search {
            query: "a b".into(),
            narrow: Narrow { api: Some("payments".into()), version: vec!["v1".into(), "v2".into()], filter: vec!["-kind:survey".into()] },
            like: None,
            facet: vec!["type".into()],
            facet_limit: None,
            histogram: Some("week".into()),
            sort: None,
            limit: Some(5),
            cursor: None,
            full_body: true,
            since: None,
            until: None,
        };
        let pairs: Vec<String> = query(&args).iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            pairs,
            [
                "q=a b",
                "api=payments",
                "version=v1",
                "version=v2",
                "filter=-kind:survey",
                "facet=type",
                "histogram=week",
                "limit=5",
                "full_body=true"
            ]
        );
    }
}
