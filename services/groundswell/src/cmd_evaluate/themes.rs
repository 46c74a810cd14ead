//! `evaluate themes`: how well feedback is grouped and duplicates are found, where the truth is known.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use groundswell_bus::Offset;
use groundswell_contract::Data;
use groundswell_index::search::{SearchRequest, SearchStore, search};
use groundswell_model::{IdentityHash, Insight, Labels, Rung, Timestamp, VersionWeight};
use groundswell_runtime::settings::IndexSettings;
use groundswell_simulate::{Plan, simulate};
use groundswell_themes::measure::Agreement;
use groundswell_themes::{Features, Grouping, Limits, ThemeId, batch};
use serde::Serialize;
use serde_json::Value;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, lines, note, print, print_json, table, thousands};

/// When the simulated companies are: any fixed time does.
const END: Timestamp = Timestamp(1_780_272_000_000);
/// Titles that are grouped, as in the figures that others published.
const TITLES: usize = 5000;
/// Starts over which the figure for titles is a mean.
const RUNS: u64 = 3;
/// Hits among which a duplicate must be.
const AMONG: usize = 10;
/// The source of the reports.
const SOURCE: &str = "gitbugs";

/// What to evaluate.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell evaluate themes
  groundswell evaluate themes --sets ./data --format md

docs/themes.md names the sets, and has the figures.")]
pub struct Args {
    /// Folder with the public sets: gitbugs and stackoverflow_titles_clustering
    #[arg(long, value_name = "DIR")]
    sets: Option<PathBuf>,
    /// Simulated companies: seeds 1 to N
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: u32,
}

/// The figures.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Themes as they grow, by API of simulated companies, against the subjects that the texts were made from.
    companies: Vec<Company>,
    /// Issue reports whose duplicates are known.
    duplicates: Option<Duplicates>,
    /// Titles of twenty tags.
    titles: Option<Titles>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Company {
    seed: u64,
    api: String,
    pieces: usize,
    /// Themes of at least two pieces.
    themes: usize,
    /// Share of the pieces that are in one.
    in_themes: f64,
    /// Share of those that are of the main subject of their theme.
    purity: f64,
    /// Of all groups, single pieces included.
    v: f64,
    /// Planted subjects of at least five English pieces, and how many of them are the main subject of a theme.
    subjects: usize,
    found: usize,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Duplicates {
    reports: usize,
    queries: usize,
    /// Mean share of the known duplicates among the first ten of "more like this".
    recall_at_10: f64,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Titles {
    titles: usize,
    tags: usize,
    /// All at once, into as many groups as there are tags: mean over the runs, and each.
    v: f64,
    runs: Vec<f64>,
    /// One after the other, as feedback arrives.
    v_as_they_arrive: f64,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let mut report = Report::default();
    for seed in 1..=u64::from(args.seeds) {
        note(&format!("company {seed}"));
        report.companies.extend(companies(seed)?);
    }
    if let Some(sets) = &args.sets {
        note("duplicates");
        report.duplicates = Some(duplicates(&sets.join("gitbugs"))?);
        note("titles");
        report.titles = Some(titles(&sets.join("stackoverflow_titles_clustering/titles.jsonl"))?);
    }
    match Format::choose(global.format) {
        Format::Json => print_json(&report),
        format => print(&render(&report, format)),
    }
}

/// What is grouped of one API: subject, whether it is English, theme.
type Grouped = Vec<(&'static str, bool, ThemeId)>;

fn companies(seed: u64) -> Result<Vec<Company>, Failure> {
    let plan = Plan { seed, ..Plan::new(END) };
    let mut apis: BTreeMap<&str, (Grouping, Grouped)> = BTreeMap::new();
    for simulated in simulate(&plan).map_err(|e| Failure::wrong_use(e.to_string()))? {
        let truth = &simulated.truth;
        let (Some(api), Some(topic), false) = (truth.api, truth.topic, truth.resent) else { continue };
        let (title, body) = match &simulated.event.data {
            Data::Ticket(ticket) => (ticket.title.as_deref(), ticket.body.as_deref()),
            Data::Survey(survey) => (None, survey.comment.as_deref()),
            _ => continue,
        };
        let features = Features::of(title.unwrap_or_default(), body.unwrap_or_default());
        let identity = IdentityHash::of(simulated.event.source, &simulated.event.id).0;
        let (grouping, grouped) = apis.entry(api).or_insert_with(|| (Grouping::new(Limits::default()), Vec::new()));
        if let Some(placed) = grouping.place(identity, &features) {
            grouped.push((topic, truth.language.is_none_or(|l| l == "en"), placed.theme));
        }
    }
    Ok(apis.into_iter().map(|(api, (_, grouped))| company(seed, api, &grouped)).collect())
}

fn company(seed: u64, api: &str, grouped: &Grouped) -> Company {
    let mut sizes: HashMap<ThemeId, HashMap<&str, usize>> = HashMap::new();
    let mut english: HashMap<&str, usize> = HashMap::new();
    for (topic, is_english, theme) in grouped {
        *sizes.entry(*theme).or_default().entry(topic).or_default() += 1;
        *english.entry(topic).or_default() += usize::from(*is_english);
    }
    let inside: Vec<(&str, ThemeId)> =
        grouped.iter().filter(|(_, _, theme)| sizes[theme].values().sum::<usize>() > 1).map(|(topic, _, theme)| (*topic, *theme)).collect();
    let main = |topics: &HashMap<&'static str, usize>| topics.iter().max_by_key(|(name, n)| (**n, **name)).map(|(name, n)| (*name, *n));
    let several = sizes.values().filter(|t| t.values().sum::<usize>() > 1);
    let mains: HashSet<&str> = several.clone().filter_map(main).filter(|(_, n)| *n > 1).map(|(name, _)| name).collect();
    let subjects: Vec<&str> = english.iter().filter(|(_, n)| **n >= 5).map(|(name, _)| *name).collect();
    let all: Vec<(&str, ThemeId)> = grouped.iter().map(|(topic, _, theme)| (*topic, *theme)).collect();
    Company {
        seed,
        api: api.to_owned(),
        pieces: grouped.len(),
        themes: several.count(),
        in_themes: inside.len() as f64 / grouped.len().max(1) as f64,
        purity: Agreement::of(&inside).purity,
        v: Agreement::of(&all).v,
        subjects: subjects.len(),
        found: subjects.iter().filter(|name| mains.contains(*name)).count(),
    }
}

fn read_lines(path: &Path) -> Result<Vec<Value>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::wrong_use(format!("{}: {e}; --sets names the folder of the sets", path.display())))?;
    let rows = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    rows.collect::<Result<_, _>>().map_err(|e| Failure::wrong_use(format!("{}: {e}", path.display())))
}

fn text(row: &Value, field: &str) -> String {
    match &row[field] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn duplicates(folder: &Path) -> Result<Duplicates, Failure> {
    let reports = read_lines(&folder.join("hadoop_issues.jsonl"))?;
    let ids: HashSet<String> = reports.iter().map(|r| text(r, "id")).collect();
    let mut known: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for pair in read_lines(&folder.join("hadoop_duplicate_pairs.jsonl"))? {
        let id = text(&pair, "issue_id");
        for other in text(&pair, "duplicate_of").split(',').map(|o| o.trim().to_owned()) {
            if ids.contains(&id) && ids.contains(&other) && id != other {
                known.entry(id.clone()).or_default().insert(other);
            }
        }
    }
    let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("the index of the reports: {e}"));
    let home = tempfile::tempdir().map_err(|e| failed(&e))?;
    let mut store = SearchStore::open(home.path(), 0, &IndexSettings::default()).map_err(|e| failed(&e))?;
    for (at, report) in reports.iter().enumerate() {
        put(&mut store, report, Offset(at as u64)).map_err(|e| failed(&e))?;
    }
    store.commit(Offset(reports.len() as u64)).map_err(|e| failed(&e))?;
    let snapshots = [store.readers().snapshot()];
    let mut recall = 0.0;
    for (id, duplicates) in &known {
        let request = SearchRequest { like: Some(format!("{SOURCE}/{id}")), limit: AMONG, ..SearchRequest::default() };
        let found = search(&snapshots, &request).map_err(|e| failed(&e))?;
        recall += found.hits.iter().filter(|hit| duplicates.contains(&hit.id)).count() as f64 / duplicates.len() as f64;
    }
    Ok(Duplicates { reports: reports.len(), queries: known.len(), recall_at_10: recall / known.len().max(1) as f64 })
}

fn put(store: &mut SearchStore, report: &Value, offset: Offset) -> Result<(), groundswell_index::search::SearchError> {
    let (id, title, body) = (text(report, "id"), text(report, "title"), text(report, "body"));
    let insight = Insight {
        identity: IdentityHash::of(SOURCE, &id),
        source: SOURCE,
        id: &id,
        time: Timestamp(0),
        received: Timestamp(0),
        api: "hadoop",
        versions: vec![VersionWeight { version: "1", weight: 1.0 }],
        rung: Rung::Explicit,
        confidence: 1.0,
        evidence: Vec::new(),
        deciding: Vec::new(),
        flags: Vec::new(),
        operation: None,
        consumer: "",
        requester: None,
        org: None,
        title: &title,
        body: &body,
        url: None,
        survey: None,
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: Vec::new(),
        sdk: None,
        request_id: None,
        labels: Labels::default(),
        redacted: Vec::new(),
        attributes: Vec::new(),
    };
    store.put(&insight, offset)
}

fn titles(path: &Path) -> Result<Titles, Failure> {
    let mut rows = read_lines(path)?;
    // By a hash of their ids: a sample that is the same everywhere and has all tags.
    rows.sort_by_key(|row| IdentityHash::of("titles", &text(row, "id")));
    rows.truncate(TITLES);
    let tags: Vec<String> = rows.iter().map(|row| text(row, "label")).collect();
    let texts: Vec<Features> = rows.iter().map(|row| Features::of(&text(row, "text"), "")).collect();
    let count = tags.iter().collect::<HashSet<_>>().len();
    let agreement = |groups: &[usize]| {
        let pairs: Vec<(&str, usize)> = tags.iter().map(String::as_str).zip(groups.iter().copied()).collect();
        Agreement::of(&pairs).v
    };
    let runs: Vec<f64> = (0..RUNS).map(|run| agreement(&batch::group(&texts, count, run).assigned)).collect();
    let mut grouping = Grouping::new(Limits::default());
    let placed = tags.iter().zip(&texts).zip(0u128..).filter_map(|((tag, text), id)| Some((tag.as_str(), grouping.place(id, text)?.theme)));
    let arrived = Agreement::of(&placed.collect::<Vec<_>>()).v;
    Ok(Titles { titles: rows.len(), tags: count, v: runs.iter().sum::<f64>() / RUNS as f64, runs, v_as_they_arrive: arrived })
}

fn render(report: &Report, format: Format) -> String {
    let mut rows = table(format, &["company, API", "pieces", "themes", "in a theme", "purity", "v-measure", "subjects found"]);
    for c in &report.companies {
        rows.add_row([
            format!("{} {}", c.seed, c.api),
            thousands(c.pieces as u64),
            c.themes.to_string(),
            format!("{:.3}", c.in_themes),
            format!("{:.3}", c.purity),
            format!("{:.3}", c.v),
            format!("{} of {}", c.found, c.subjects),
        ]);
    }
    let mut text = lines(&rows);
    if let Some(d) = &report.duplicates {
        text += &format!(
            "\nduplicates: recall@10 {:.3}, {} queries among {} reports\n",
            d.recall_at_10,
            d.queries,
            thousands(d.reports as u64)
        );
    }
    if let Some(t) = &report.titles {
        let runs: Vec<String> = t.runs.iter().map(|v| format!("{v:.3}")).collect();
        text += &format!(
            "\n{} titles of {} tags: v-measure {:.3} at once ({}), {:.3} as they arrive\n",
            thousands(t.titles as u64),
            t.tags,
            t.v,
            runs.join(", "),
            t.v_as_they_arrive
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_subjects_of_a_company_become_themes() {
        let companies = companies(1).unwrap();
        assert!(companies.len() >= 4);
        for company in &companies {
            assert!(company.purity >= 0.85 && company.in_themes >= 0.9, "{company:?}");
            assert!(company.found * 10 >= company.subjects * 9, "{company:?}");
        }
        assert!(render(&Report { companies, ..Report::default() }, Format::Md).contains("payments"));
    }
}
