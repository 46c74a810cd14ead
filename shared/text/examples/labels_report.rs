//! How well the rules label public sets: share of texts labelled at all, and right among those.
//!
//! `cargo run -p groundswell-text --example labels_report [--wrong KIND]`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use groundswell_model::insight::Labels;
use groundswell_text::classify::{Classifier, Rules, Text, UNSURE};
use serde_json::Value;

/// A public set: its file, where text and label are, and which of our labels its labels mean.
struct Set {
    name: &'static str,
    file: &'static str,
    title: &'static str,
    body: &'static str,
    label: &'static str,
    ours: fn(&Labels) -> &str,
    meaning: &'static [(&'static str, &'static str)],
}

const SETS: &[Set] = &[
    Set {
        name: "type of GitHub issues",
        file: "nlbse24",
        title: "title",
        body: "body",
        label: "label",
        ours: |l| &l.kind.name,
        meaning: &[("bug", "bug"), ("feature", "feature_request"), ("question", "question")],
    },
    Set {
        name: "type of app reviews",
        file: "app_reviews_maalej",
        title: "title",
        body: "text",
        label: "label",
        ours: |l| &l.kind.name,
        meaning: &[("bug_report", "bug"), ("feature_request", "feature_request")],
    },
    Set {
        name: "sentiment of Stack Overflow posts",
        file: "senti4sd",
        title: "",
        body: "text",
        label: "label",
        ours: |l| &l.sentiment.name,
        meaning: &[("positive", "positive"), ("neutral", "neutral"), ("negative", "negative")],
    },
    Set {
        name: "language of sentences",
        file: "langid_lingua",
        title: "",
        body: "text",
        label: "lang",
        ours: |l| &l.language.name,
        meaning: &[
            ("en", "en"),
            ("de", "de"),
            ("fr", "fr"),
            ("es", "es"),
            ("pt", "pt"),
            ("it", "it"),
            ("nl", "nl"),
            ("sv", "sv"),
            ("pl", "pl"),
            ("cs", "cs"),
            ("tr", "tr"),
            ("ja", "ja"),
            ("zh", "zh"),
            ("ko", "ko"),
            ("ru", "ru"),
            ("uk", "uk"),
            ("hu", "hu"),
            ("ro", "ro"),
            ("fi", "fi"),
            ("vi", "vi"),
        ],
    },
    Set {
        name: "language of sentences in languages not known (right: unsure)",
        file: "langid_lingua",
        title: "",
        body: "text",
        label: "lang",
        ours: |l| &l.language.name,
        meaning: &[
            ("sw", UNSURE),
            ("et", UNSURE),
            ("lv", UNSURE),
            ("lt", UNSURE),
            ("cy", UNSURE),
            ("eu", UNSURE),
            ("af", UNSURE),
            ("sq", UNSURE),
        ],
    },
];

fn main() {
    let Some(data) = data_folder() else {
        eprintln!("skipped: no data folder (set GROUNDSWELL_TEST_DATA)");
        return;
    };
    let show = std::env::args().skip_while(|a| a != "--wrong").nth(1);
    for set in SETS {
        let rows = rows(&data.join(set.file));
        println!("\n{}", set.name);
        let mut confusion: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
        for row in &rows {
            let field = |name: &str| row[name].as_str().unwrap_or("");
            let sentence = row["kind"].as_str().is_none_or(|k| k == "sentences");
            let Some((_, wanted)) = set.meaning.iter().find(|(l, _)| *l == field(set.label)).filter(|_| sentence) else { continue };
            let labels =
                Rules.classify(&Text { title: field(set.title), body: field(set.body), survey_score: None, language: None, source: None });
            let got = (set.ours)(&labels);
            *confusion.entry(wanted).or_default().entry(got.to_owned()).or_default() += 1;
            if got != *wanted && show.as_deref() == Some(set.file) {
                println!("  {wanted} taken for {got} {:?}: {:.160}", labels.kind.because, field(set.body).replace('\n', " "));
            }
        }
        report(&confusion);
    }
}

fn report(confusion: &BTreeMap<&str, BTreeMap<String, usize>>) {
    let (mut all, mut told, mut right) = (0, 0, 0);
    for (wanted, got) in confusion {
        let total: usize = got.values().sum();
        let own = got.get(*wanted).copied().unwrap_or(0);
        let unsure = if *wanted == UNSURE { 0 } else { got.get(UNSURE).copied().unwrap_or(0) };
        (all, told, right) = (all + total, told + total - unsure, right + own);
        println!("  {wanted:<16} {total:>5}: right {own:>5}, unsure {unsure:>5}, as {got:?}");
    }
    let share = |a: usize, b: usize| 100.0 * a as f64 / b.max(1) as f64;
    println!("  labelled {:.1} % of {all}, right {:.1} % of those", share(told, all), share(right, told));
}

fn rows(folder: &Path) -> Vec<Value> {
    let files =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl"));
    let texts = files.filter_map(|p| std::fs::read_to_string(p).ok());
    texts.flat_map(|t| t.lines().filter_map(|l| serde_json::from_str(l).ok()).collect::<Vec<_>>()).collect()
}

fn data_folder() -> Option<PathBuf> {
    let named = std::env::var_os("GROUNDSWELL_TEST_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    named.into_iter().chain([beside]).find(|p| p.is_dir())
}
