//! The shipped heads, and which rows of which public data set teach them what. The files are read elsewhere.

use serde_json::Value;

use super::{Model, ModelError, Plan, Recipe, Row, fit};

/// Name and version of the shipped model.
pub const SHIPPED: &str = "labels-5";

/// A head of the shipped model.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// The files that it is trained on, below the folder of the sets.
    pub files: &'static [&'static str],
    plan: Plan<'static>,
    row: RowOf,
}

const fn plan(recipe: Recipe, bar_on: Option<&'static str>) -> Plan<'static> {
    Plan { recipe: Some(recipe), for_any_source: true, bar_on }
}

/// The shipped heads.
pub const HEADS: [Shipped; 4] = [
    Shipped {
        name: "type",
        files: &["nlbse24/train.jsonl", "app_reviews_maalej/reviews.jsonl", "so_webapi_issue_types/questions.jsonl"],
        plan: plan(Recipe::Ticket, Some("issues")),
        row: kind,
    },
    Shipped {
        name: "sentiment",
        files: &["senti4sd/train.jsonl", "se_sentiment/github.jsonl"],
        plan: plan(Recipe::Tone, Some("stack overflow")),
        row: sentiment,
    },
    Shipped { name: "aspect", files: &["so_webapi_issue_types/questions.jsonl"], plan: plan(Recipe::Subject, None), row: aspect },
    Shipped { name: "language", files: &["langid_lingua/samples.jsonl"], plan: plan(Recipe::Language, Some("sentences")), row: language },
];

/// What a line of a set's file teaches: the line, and which of the files it is of.
pub type RowOf = fn(&Value, usize) -> Option<Row>;

/// A name, a file below the folder of the sets, and what its lines teach.
pub type Taxonomy = (&'static str, &'static str, RowOf);

/// Further sets, each trained and judged by cross-validation as an own taxonomy would be.
pub const TAXONOMIES: [Taxonomy; 6] = [
    ("issue type, source = project", "nlbse24/train.jsonl", project_type),
    ("Stack Overflow sentiment", "senti4sd/train.jsonl", plain),
    ("GitHub sentiment", "se_sentiment/github.jsonl", plain),
    ("web API questions, six categories", "so_webapi_issue_types/questions.jsonl", category),
    ("banking77", "banking77/train.jsonl", plain),
    ("clinc150", "clinc150/train.jsonl", plain),
];

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn row(title: String, body: String, label: &str, source: &str) -> Row {
    Row { title, body, labels: vec![label.to_owned()], source: (!source.is_empty()).then(|| source.to_owned()) }
}

fn kind(value: &Value, file: usize) -> Option<Row> {
    let label = text(value, "label");
    if file == 0 {
        let label = if label == "feature" { "feature_request" } else { &label };
        return Some(row(text(value, "title"), text(value, "body"), label, "issues"));
    }
    if file == 2 {
        return asked(value);
    }
    let stars = value.get("stars").and_then(Value::as_i64).unwrap_or(3);
    let label = match (label.as_str(), stars) {
        ("bug_report", _) => "bug",
        ("feature_request", _) => "feature_request",
        (_, 4..) => "praise",
        (_, ..=2) => "complaint",
        _ => return None,
    };
    Some(row(text(value, "title"), text(value, "text"), label, "reviews"))
}

/// What somebody who asks about a web API wants, by what the study found wrong: of several the first that is here.
const WANTS: [(&str, &str); 18] = [
    ("Function - Request failure with unknown reasons", "bug"),
    ("Function - Inconsistent result", "bug"),
    ("Function - Unexpected result", "bug"),
    ("Function - Instability", "bug"),
    ("Authorization - Error", "bug"),
    ("Function - Unsupported function", "feature_request"),
    ("Function - Lack of programming language support", "feature_request"),
    ("Function - Enquiring about a particular function", "question"),
    ("API-based function implementation", "question"),
    ("API development", "question"),
    ("Others - Checking for web API usage", "question"),
    ("Others - Enquiring about web API implementation", "question"),
    ("Others - Web API searching", "question"),
    ("Function - Difficult to process result", "question"),
    ("Function - Change/Deprecation", "question"),
    ("Authorization - Enquiring about acquisition", "question"),
    ("Documentation - Incomplete", "question"),
    ("Documentation - Difficult to read/understand", "question"),
];

fn asked(value: &Value) -> Option<Row> {
    let (_, label) = WANTS.iter().find(|(theirs, _)| types(value).any(|t| t == *theirs))?;
    Some(row(text(value, "title"), text(value, "body"), label, "web api"))
}

fn project_type(value: &Value, _: usize) -> Option<Row> {
    Some(row(text(value, "title"), text(value, "body"), &text(value, "label"), &text(value, "repo")))
}

fn plain(value: &Value, _: usize) -> Option<Row> {
    Some(row(String::new(), text(value, "text"), &text(value, "label"), ""))
}

fn sentiment(value: &Value, file: usize) -> Option<Row> {
    let source = if file == 0 { "stack overflow" } else { "github" };
    Some(row(String::new(), text(value, "text"), &text(value, "label"), source))
}

fn language(value: &Value, _: usize) -> Option<Row> {
    Some(row(String::new(), text(value, "text"), &text(value, "lang"), &text(value, "kind")))
}

/// The issue types of the web API questions that are one of our aspects and have some forty texts or more.
const ASPECTS: [(&str, &str); 14] = [
    ("Authorization - Error", "authentication"),
    ("Authorization - Enquiring about acquisition", "authentication"),
    ("Authorization - Expiration", "authentication"),
    ("Documentation - Incomplete", "documentation"),
    ("Documentation - Incorrect", "documentation"),
    ("Documentation - Difficult to read/understand", "documentation"),
    ("Documentation - Out-of-date", "documentation"),
    ("Documentation - Missing", "documentation"),
    ("Function - Request failure with unknown reasons", "errors"),
    ("Function - Instability", "errors"),
    ("Function - Inconsistent result", "data_correctness"),
    ("Function - Unexpected result", "data_correctness"),
    ("Function - Change/Deprecation", "breaking_change"),
    ("Function - Limitation", "limits"),
];

fn types(value: &Value) -> impl Iterator<Item = &str> {
    value.get("issue_types").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn several(value: &Value, mut labels: Vec<String>) -> Row {
    labels.sort();
    labels.dedup();
    Row { title: text(value, "title"), body: text(value, "body"), labels, source: None }
}

fn aspect(value: &Value, _: usize) -> Option<Row> {
    let labels = types(value).filter_map(|t| ASPECTS.iter().find(|(theirs, _)| *theirs == t)).map(|(_, ours)| (*ours).to_owned()).collect();
    Some(several(value, labels))
}

fn category(value: &Value, _: usize) -> Option<Row> {
    let labels: Vec<String> = types(value).filter_map(|t| t.split(" - ").next()).map(str::to_owned).collect();
    (!labels.is_empty()).then(|| several(value, labels))
}

/// Rows of JSON lines; texts that stand there with different labels are left out.
fn rows(files: &[String], of: RowOf) -> Vec<Row> {
    let parsed = files.iter().enumerate().flat_map(|(file, text)| {
        text.lines().filter_map(move |line| serde_json::from_str::<Value>(line).ok().and_then(|value| of(&value, file)))
    });
    let mut rows: Vec<Row> = parsed.collect();
    let mut labels: std::collections::BTreeMap<(String, String), Option<Vec<String>>> = std::collections::BTreeMap::new();
    for row in &rows {
        let known = labels.entry((row.title.clone(), row.body.clone())).or_insert_with(|| Some(row.labels.clone()));
        if known.as_ref() != Some(&row.labels) {
            *known = None;
        }
    }
    rows.retain(|row| labels.remove(&(row.title.clone(), row.body.clone())).flatten().is_some());
    rows
}

/// The rows of a set.
#[must_use]
pub fn taxonomy(text: &str, of: RowOf) -> Vec<Row> {
    text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok().and_then(|value| of(&value, 0))).collect()
}

impl Shipped {
    /// Trains this head on the text of its files, in their order.
    ///
    /// # Errors
    /// The files hold too little.
    pub fn train(&self, files: &[String]) -> Result<super::TrainedHead, ModelError> {
        fit(self.name, &rows(files, self.row), self.plan)
    }
}

/// The shipped model of these heads.
#[must_use]
pub fn model(heads: Vec<super::TrainedHead>) -> Model {
    Model { name: SHIPPED.to_owned(), heads }
}
