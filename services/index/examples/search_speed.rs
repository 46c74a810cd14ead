//! Measures the search index in process: `cargo run --release -p groundswell-index --example search_speed [DOCS] [VERSIONS]`.
//!
//! Prints as JSON: CPU time to index one piece of feedback in one go and with a commit every 200 documents, the
//! time of a commit round over all versions, p50 and p99 of typical searches, and the time to count the feedback.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::Offset;
use groundswell_index::search::{Counting, Interval, SearchRequest, SearchStore, Snapshot, feedback_stats, search};
use groundswell_model::insight::{Label, SurveyAnswer};
use groundswell_model::{IdentityHash, Insight, Labels, Rung, Timestamp, VersionWeight};
use groundswell_runtime::settings::IndexSettings;

const WORDS: usize = 20_000;
const DAY_MS: u64 = 86_400_000;
const START_MS: i64 = 1_767_225_600_000;

/// A small generator (xorshift): the same documents in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn pick<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[usize::try_from(self.below(names.len() as u64)).unwrap_or(0)]
    }

    /// Few words are frequent and many are rare, as in any language.
    fn text(&mut self, words: usize) -> String {
        let word = |r: &mut Self| {
            let top = r.below(WORDS as u64) + 1;
            format!("w{}", r.below(top))
        };
        (0..words).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }
}

fn put(store: &mut SearchStore, random: &mut Random, n: u64, versions: u64) -> Result<(), Box<dyn Error>> {
    let (id, version, consumer) = (n.to_string(), format!("v{}", random.below(versions) + 1), format!("consumer-{}", random.below(900)));
    let is_survey = n.is_multiple_of(2);
    let (title, body) = if is_survey { (String::new(), random.text(15)) } else { (random.text(8), random.text(100)) };
    let time = Timestamp(START_MS + i64::try_from(random.below(90 * DAY_MS))?);
    let label = |name: &str| Label { name: name.into(), confidence: 0.8, because: vec!["w1".into()] };
    let insight = Insight {
        identity: IdentityHash::of("/bench", &id),
        source: "/bench",
        id: &id,
        time,
        received: time,
        api: "orders",
        versions: vec![VersionWeight { version: &version, weight: 1.0 }],
        rung: Rung::ALL[usize::try_from(random.below(7))?],
        confidence: 0.9,
        evidence: vec!["the only version used".into()],
        deciding: vec![],
        flags: vec![],
        operation: Some(random.pick(&["GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}"])),
        consumer: &consumer,
        requester: Some(&consumer),
        org: None,
        title: &title,
        body: &body,
        url: Some("https://support.example/1"),
        survey: is_survey.then_some(SurveyAnswer { kind: "nps", score: 7.0, min: 0.0, max: 10.0 }),
        ticket_id: None,
        status: Some(random.pick(&["open", "closed", "pending"])),
        priority: None,
        channel: Some("email"),
        tags: vec![random.pick(&["billing", "sdk", "auth", "docs"])],
        sdk: None,
        request_id: None,
        labels: Labels {
            kind: label(random.pick(&["bug", "question", "praise", "complaint", "feature_request"])),
            aspects: vec![label(random.pick(&["limits", "auth", "docs", "latency", "errors"]))],
            sentiment: label(random.pick(&["negative", "neutral", "positive"])),
            sentiment_score: 0.0,
            severity: label(random.pick(&["blocks", "degrades", "annoys"])),
            language: label("en"),
            model: "rules-1".into(),
        },
        redacted: Vec::new(),
        attributes: Vec::new(),
    };
    Ok(store.put(&insight, Offset(n))?)
}

/// CPU time of this process so far (user and system), where the system tells it.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name: utime and stime are the 12th and 13th field, in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    Duration::from_millis(10 * fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

fn index(folder: &std::path::Path, docs: u64, versions: u64, every: u64) -> Result<(SearchStore, serde_json::Value), Box<dyn Error>> {
    let mut store = SearchStore::open(folder, 0, &IndexSettings::default())?;
    let mut random = Random(42);
    let (began, cpu_before) = (Instant::now(), cpu());
    let mut rounds = Vec::new();
    for n in 0..docs {
        put(&mut store, &mut random, n, versions)?;
        if (n + 1) % every == 0 || n + 1 == docs {
            rounds.push(store.commit(Offset(n).next())?.took);
        }
    }
    let used = cpu().saturating_sub(cpu_before);
    rounds.sort_unstable();
    let figures = serde_json::json!({
        "docs": docs, "commit_every": every, "wall_s": began.elapsed().as_secs_f64(),
        "cpu_us_per_doc": used.as_secs_f64() * 1e6 / docs as f64,
        "commit_ms_p50": rounds[rounds.len() / 2].as_secs_f64() * 1e3, "commit_ms_max": rounds[rounds.len() - 1].as_secs_f64() * 1e3,
    });
    Ok((store, figures))
}

fn percentiles(times: &mut [Duration]) -> serde_json::Value {
    times.sort_unstable();
    let at = |q: usize| times[(times.len() - 1) * q / 100].as_secs_f64() * 1e3;
    serde_json::json!({ "p50_ms": at(50), "p99_ms": at(99) })
}

fn measure(snapshot: &Arc<Snapshot>, request: &dyn Fn(&mut Random) -> SearchRequest) -> Result<serde_json::Value, Box<dyn Error>> {
    let (mut random, mut times, snapshots) = (Random(7), Vec::new(), [snapshot.clone()]);
    for _ in 0..1000 {
        let asked = request(&mut random);
        let began = Instant::now();
        search(&snapshots, &asked)?;
        times.push(began.elapsed());
    }
    Ok(percentiles(&mut times[100..]))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<u64>().ok());
    let (docs, versions) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(4));
    let folder = tempfile::tempdir()?;
    let (store, bulk) = index(&folder.path().join("bulk"), docs, versions, docs)?;
    drop(store);
    let (store, steady) = index(&folder.path().join("steady"), docs, versions, 200)?;
    let snapshot = store.readers().snapshot();
    let full = |query: String| SearchRequest {
        query,
        facets: vec!["type".into(), "aspect".into()],
        histogram: Some(Interval::Day),
        ..SearchRequest::default()
    };
    let word = |r: &mut Random| format!("w{}", r.below(300));
    let mut stats = Vec::new();
    let view = snapshot.version("orders", "v1").ok_or("no version")?;
    for _ in 0..20 {
        let began = Instant::now();
        feedback_stats(view, None, Counting::Weighted)?;
        stats.push(began.elapsed());
    }
    let one = |mut request: SearchRequest| {
        request.versions = vec!["v1".into()];
        request
    };
    let report = serde_json::json!({
        "indexing_bulk": bulk,
        "indexing_200_per_commit": steady,
        "two_words_facets_histogram": measure(&snapshot, &|r| full(format!("{} {}", word(r), word(r))))?,
        "either_word_facets_histogram": measure(&snapshot, &|r| full(format!("{} OR {}", word(r), word(r))))?,
        "everything_facets_histogram": measure(&snapshot, &|_| full(String::new()))?,
        "one_version_either_word_facets_histogram": measure(&snapshot, &|r| one(full(format!("{} OR {}", word(r), word(r)))))?,
        "two_words_only": measure(&snapshot, &|r| SearchRequest { query: format!("{} {}", word(r), word(r)), ..SearchRequest::default() })?,
        "feedback_stats": { "docs": view.insights(), "times": percentiles(&mut stats) },
    });
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
