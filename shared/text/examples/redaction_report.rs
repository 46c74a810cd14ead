//! Recall and precision of redaction on public sets of planted personal data, and what it takes from
//! technical text, beside the figures of another tool where `tests/redaction/presidio.py` has written them.
//!
//! `cargo run -p groundswell-text --example redaction_report [--misses] [--other FILE] [--taken]`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use groundswell_text::redact::{Kind, Redactor};
use serde_json::Value;

/// Type of the research set, and what may count as found.
const RESEARCH: &[(&str, Kind)] = &[
    ("CREDIT_CARD", Kind::Card),
    ("PHONE_NUMBER", Kind::Phone),
    ("EMAIL_ADDRESS", Kind::Email),
    ("IBAN_CODE", Kind::Iban),
    ("IP_ADDRESS", Kind::Ip),
    ("US_SSN", Kind::NationalId),
];
/// Recogniser of the unit-test set.
const RECOGNISERS: &[(&str, Kind)] = &[
    ("credit_card", Kind::Card),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("iban", Kind::Iban),
    ("ip", Kind::Ip),
    ("us_ssn", Kind::NationalId),
    ("mac", Kind::Mac),
];
/// Sets of technical text in which little is personal: file, and the fields that hold the text.
const TECHNICAL: &[(&str, &[&str])] =
    &[("so_webapi_issue_types/questions.jsonl", &["title", "body"]), ("gitbugs/hadoop_issues.jsonl", &["title", "body"])];

#[derive(Clone, Copy, Default)]
struct Score {
    wanted: usize,
    found: usize,
    taken: usize,
    right: usize,
}

impl Score {
    fn cells(self) -> String {
        let share = |a: usize, b: usize| if b == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * a as f64 / b as f64) };
        format!(
            "{:>4} of {:<4} {:>7} | {:>5} taken, {:>4} wrong, precision {:>7}",
            self.found,
            self.wanted,
            share(self.found, self.wanted),
            self.taken,
            self.taken - self.right,
            share(self.right, self.taken)
        )
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let asked = |flag: &str| arguments.iter().any(|a| a == flag);
    let Some(data) = data_folder() else {
        eprintln!("skipped: no data folder (set GROUNDSWELL_TEST_DATA)");
        return;
    };
    let other = arguments.iter().position(|a| a == "--other").and_then(|i| arguments.get(i + 1)).map(PathBuf::from);
    let other = other.map(|p| other_spans(&p)).unwrap_or_default();
    let redactor = Redactor::new();
    let ours = |text: &str| -> Vec<Span> {
        redactor
            .find(text, &[])
            .iter()
            .map(|h| Span { kind: h.kind.name().to_owned(), start: text[..h.start].chars().count(), end: text[..h.end].chars().count() })
            .collect()
    };
    println!("planted personal data: found of wanted, share | taken, wrong, precision");
    for (set, rows) in [("research", research(&data)), ("recogniser cases", cases(&data))] {
        println!("\n{set}: {} rows", rows.len());
        report("groundswell", &rows, |row| ours(&row.text), asked("--misses"));
        if !other.is_empty() {
            report("other", &rows, |row| other.get(&row.id).cloned().unwrap_or_default(), false);
        }
    }
    println!("\ntechnical text: hits per 1000 texts");
    for (file, fields) in TECHNICAL {
        technical(&data, file, fields, &redactor, &other, asked("--taken"));
    }
}

#[derive(Clone)]
struct Span {
    kind: String,
    start: usize,
    end: usize,
}

/// One text with what it holds; in unit tests only the kind that is tested counts.
/// Other personal data counts as wrong too: a street number is no telephone number.
struct Row {
    id: String,
    text: String,
    wanted: Vec<Span>,
    tests: Option<Kind>,
}

fn report(who: &str, rows: &[Row], found: impl Fn(&Row) -> Vec<Span>, misses: bool) {
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    let overlap = |a: &Span, start: usize, end: usize| a.start < end && start < a.end;
    for row in rows {
        let spans = found(row);
        for wanted in &row.wanted {
            let score = scores.entry(name_of(&wanted.kind)).or_default();
            score.wanted += 1;
            // Found is what no longer shows: covered whole, whatever it was taken for.
            let covered: usize = (wanted.start..wanted.end).filter(|i| spans.iter().any(|s| (s.start..s.end).contains(i))).count();
            if covered * 10 >= (wanted.end - wanted.start) * 9 {
                score.found += 1;
            } else if misses {
                println!("  missed {:<12} {:?} in {:?}", wanted.kind, slice(&row.text, wanted), around(&row.text, wanted));
            }
        }
        for span in spans.iter().filter(|s| row.tests.is_none_or(|k| k.name() == s.kind)) {
            let score = scores.entry(name_of(&span.kind)).or_default();
            score.taken += 1;
            let right = row.wanted.iter().any(|w| overlap(span, w.start, w.end));
            score.right += usize::from(right);
            if !right && misses {
                println!("  wrong  {:<12} {:?} in {:?}", span.kind, slice(&row.text, span), around(&row.text, span));
            }
        }
    }
    for (kind, score) in scores {
        println!("{who:<12} {kind:<12} {}", score.cells());
    }
}

fn technical(data: &Path, file: &str, fields: &[&str], redactor: &Redactor, other: &BTreeMap<String, Vec<Span>>, show: bool) {
    let rows = lines(&data.join(file));
    let mut ours: BTreeMap<&str, usize> = BTreeMap::new();
    let mut theirs: BTreeMap<String, usize> = BTreeMap::new();
    let mut characters = 0;
    for row in &rows {
        let text = fields.iter().filter_map(|f| row[f].as_str()).collect::<Vec<_>>().join("\n");
        characters += text.chars().count();
        for hit in redactor.find(&text, &[]) {
            *ours.entry(hit.kind.name()).or_default() += 1;
            if show {
                let left: String = text[..hit.start].chars().rev().take(50).collect::<Vec<_>>().into_iter().rev().collect();
                let right: String = text[hit.end..].chars().take(20).collect();
                println!("  {:<12} {:?} in {left:?}…{right:?}", hit.kind.name(), &text[hit.start..hit.end]);
            }
        }
        for span in other.get(&id_of(file, row)).into_iter().flatten() {
            *theirs.entry(span.kind.clone()).or_default() += 1;
        }
    }
    let per_thousand = |n: usize| format!("{:.1}", 1000.0 * n as f64 / rows.len() as f64);
    println!("{file}: {} texts, {characters} characters", rows.len());
    for kind in Kind::ALL.iter().map(|k| k.name()) {
        let (own, other) = (ours.get(kind).copied().unwrap_or(0), theirs.get(kind).copied().unwrap_or(0));
        if own + other > 0 {
            println!("  {kind:<16} groundswell {own:>5} ({:>6})   other {other:>5} ({:>6})", per_thousand(own), per_thousand(other));
        }
    }
}

fn research(data: &Path) -> Vec<Row> {
    let rows = lines(&data.join("pii_presidio_research/synth_dataset_v2.jsonl"));
    rows.iter()
        .map(|row| {
            let mut wanted = Vec::new();
            for span in row["spans"].as_array().into_iter().flatten() {
                let at = |name: &str| usize::try_from(span[name].as_u64().unwrap_or(0)).unwrap_or(0);
                if let Some((_, kind)) = RESEARCH.iter().find(|(t, _)| span["type"] == *t) {
                    wanted.push(Span { kind: kind.name().to_owned(), start: at("start"), end: at("end") });
                }
            }
            Row { id: format!("research:{}", string(&row["id"])), text: string(&row["text"]), wanted, tests: None }
        })
        .collect()
}

fn cases(data: &Path) -> Vec<Row> {
    let rows = lines(&data.join("pii_presidio_recognizer_cases/cases.jsonl"));
    rows.iter()
        .filter_map(|row| {
            let (_, kind) = RECOGNISERS.iter().find(|(r, _)| row["recognizer"] == *r)?;
            let text = string(&row["text"]);
            let expected = row["expected_matches"].as_u64().unwrap_or(0);
            let spans =
                row["rest"].as_array().into_iter().flatten().filter_map(positions).find(|s| s.len() as u64 == expected).unwrap_or_default();
            // A case without positions wants the whole text.
            let spans = if spans.is_empty() && expected == 1 { vec![(0, text.chars().count())] } else { spans };
            let wanted = spans.into_iter().map(|(start, end)| Span { kind: kind.name().to_owned(), start, end }).collect();
            Some(Row { id: format!("cases:{}", string(&row["id"])), text, wanted, tests: Some(*kind) })
        })
        .collect()
}

fn positions(value: &Value) -> Option<Vec<(usize, usize)>> {
    let pair = |p: &Value| Some((usize::try_from(p.get(0)?.as_u64()?).ok()?, usize::try_from(p.get(1)?.as_u64()?).ok()?));
    let all: Vec<_> = value.as_array()?.iter().map(pair).collect::<Option<_>>()?;
    (!all.is_empty()).then_some(all)
}

/// What the other tool found, by row: lines of `{"id", "spans": [{"kind", "start", "end"}]}`.
fn other_spans(path: &Path) -> BTreeMap<String, Vec<Span>> {
    let span = |s: &Value| {
        let at = |name: &str| usize::try_from(s[name].as_u64().unwrap_or(0)).unwrap_or(0);
        Span { kind: string(&s["kind"]), start: at("start"), end: at("end") }
    };
    lines(path).iter().map(|row| (string(&row["id"]), row["spans"].as_array().into_iter().flatten().map(span).collect())).collect()
}

fn id_of(file: &str, row: &Value) -> String {
    format!("{}:{}", file.split('/').next().unwrap_or(file), string(&row["id"]))
}

fn name_of(kind: &str) -> &'static str {
    Kind::ALL.iter().map(|k| k.name()).find(|n| *n == kind).unwrap_or("other")
}

fn slice(text: &str, span: &Span) -> String {
    text.chars().skip(span.start).take(span.end - span.start).collect()
}

fn around(text: &str, span: &Span) -> String {
    text.chars().skip(span.start.saturating_sub(40)).take(span.end - span.start + 60).collect()
}

fn string(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

fn data_folder() -> Option<PathBuf> {
    let named = std::env::var_os("GROUNDSWELL_TEST_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    named.into_iter().chain([beside]).find(|p| p.is_dir())
}
