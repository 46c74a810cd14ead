//! `model`: trains heads, says how good they are, and what is in a model file.

use std::path::{Path, PathBuf};

use groundswell_text::model::sets::{self, HEADS, TAXONOMIES};
use groundswell_text::model::{self, Figures, Model, Plan, Recipe, Row, TrainedHead};
use serde::Serialize;
use serde_json::Value;

use crate::cli::Global;
use crate::cmd_classify::{open, shipped};
use crate::failure::Failure;
use crate::output::{Format, lines, note, print, print_json, table};

/// Models for labels.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Train a head for your own labels, or the shipped heads again
    #[command(after_help = "Examples:
  groundswell model train --in intents.jsonl --out intents.gsm
  groundswell model train --shipped --sets ../data --out labels.gsm

A line of T.jsonl has `text`, or `title` and `body`; `label` (a string, or a list where texts have several); and optionally `source`.
A text with the label `oos`, `out_of_scope` or `unsure` is none of the others, and teaches when to be unsure.
The same file gives the same model.")]
    Train(Train),
    /// Figures of a model: on your own texts, or by cross-validation for the shipped heads
    #[command(after_help = "Examples:
  groundswell model evaluate --model intents.gsm --in held-out.jsonl
  groundswell model evaluate --sets ../data        cross-validates the shipped heads and some taxonomies; minutes
  groundswell model evaluate                       the figures that the model was shipped with")]
    Evaluate(Evaluate),
    /// What is in a model file: heads, labels, bars, figures
    Inspect {
        /// The file [default: the shipped model]
        #[arg(long, value_name = "FILE")]
        model: Option<PathBuf>,
    },
}

/// What to train.
#[derive(clap::Args, Debug)]
pub struct Train {
    /// Texts with labels, one JSON object a line
    #[arg(long = "in", value_name = "FILE", required_unless_present = "shipped", conflicts_with = "shipped")]
    pub input: Option<PathBuf>,
    /// Train the shipped heads from the public sets
    #[arg(long, requires = "sets")]
    pub shipped: bool,
    /// Folder of the public sets
    #[arg(long, value_name = "DIR")]
    pub sets: Option<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// What to evaluate.
#[derive(clap::Args, Debug)]
pub struct Evaluate {
    /// The model [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Texts with labels that it was not trained on
    #[arg(long = "in", value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Folder of the public sets, to cross-validate on
    #[arg(long, value_name = "DIR", conflicts_with_all = ["input", "model"])]
    pub sets: Option<PathBuf>,
}

/// Figures under their name.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Named {
    name: String,
    texts: usize,
    recipe: Recipe,
    figures: Figures,
}

/// A new source, with so many texts per label known.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct NewSource {
    texts_per_label: usize,
    /// Trained again with them.
    macro_f1: f64,
    /// With lessons on them, and heads that stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_lessons: Option<f64>,
}

#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Report {
    model: String,
    heads: Vec<Named>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_source: Vec<NewSource>,
}

/// What is in a file.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Inspected {
    /// The model's name.
    model: String,
    /// Version of the file.
    version: u8,
    /// Bytes it takes in memory.
    bytes_in_memory: usize,
    heads: Vec<Inside>,
}

/// One head of a file.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Inside {
    name: String,
    recipe: Recipe,
    texts: usize,
    features: usize,
    several_labels: bool,
    sources: Vec<String>,
    /// Labels, and from which confidence on each is given.
    labels: Vec<(String, f32)>,
    figures: Figures,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Train(args) => train(global, args),
        Command::Evaluate(args) => evaluate(global, args),
        Command::Inspect { model } => inspect(global, model.as_deref()),
    }
}

fn train(global: &Global, args: &Train) -> Result<(), Failure> {
    let model = match (&args.input, &args.sets) {
        (Some(input), _) => {
            let rows = rows(input)?;
            let name = args.out.file_stem().map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
            note(&format!("training on {} texts: cross-validation first, then all of them", rows.len()));
            let head = model::fit("label", &rows, Plan::default()).map_err(|e| Failure::wrong_use(format!("{}: {e}", input.display())))?;
            Model { name, heads: vec![head] }
        }
        (None, Some(sets)) => train_shipped(sets)?,
        (None, None) => return Err(Failure::wrong_use("give --in FILE, or --shipped with --sets DIR")),
    };
    let bytes = model::write(&model).map_err(|e| Failure::failed(e.to_string()))?;
    std::fs::write(&args.out, &bytes).map_err(|e| Failure::wrong_use(format!("can't write {}: {e}", args.out.display())))?;
    note(&format!("{}: {:.1} MB", args.out.display(), megabytes(bytes.len())));
    report(global, &Report { model: model.name, heads: model.heads.into_iter().map(named).collect(), new_source: Vec::new() })
}

#[expect(clippy::cast_precision_loss, reason = "a size for the eye")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn named(head: TrainedHead) -> Named {
    Named { name: head.name, texts: head.texts, recipe: head.recipe, figures: head.figures }
}

fn set(folder: &Path, file: &str) -> Result<String, Failure> {
    let path = folder.join(file);
    std::fs::read_to_string(&path)
        .map_err(|e| Failure::wrong_use(format!("can't read {}: {e}; the model card says which sets there are", path.display())))
}

fn train_shipped(folder: &Path) -> Result<Model, Failure> {
    let mut heads = Vec::new();
    for head in HEADS {
        note(&format!("training {}", head.name));
        let files = head.files.iter().map(|f| set(folder, f)).collect::<Result<Vec<_>, _>>()?;
        heads.push(head.train(&files).map_err(|e| Failure::failed(format!("head {}: {e}", head.name)))?);
    }
    Ok(sets::model(heads))
}

fn evaluate(global: &Global, args: &Evaluate) -> Result<(), Failure> {
    if let Some(folder) = &args.sets {
        return cross_validate(global, folder);
    }
    let loaded = args.model.as_deref().map(open).transpose()?;
    let trained = shipped()?;
    let model = loaded.as_ref().unwrap_or_else(|| trained.model());
    let Some(input) = &args.input else {
        let heads = model.heads.iter().cloned().map(named).collect();
        return report(global, &Report { model: model.name.clone(), heads, new_source: Vec::new() });
    };
    let rows = rows(input)?;
    // Of several heads the labels say which one is meant: the one that knows most of them.
    let known = |head: &TrainedHead| rows.iter().flat_map(|r| &r.labels).filter(|l| head.labels().contains(l)).count();
    let Some(head) = model.heads.iter().max_by_key(|h| known(h)) else { return Err(Failure::wrong_use("the model has no head")) };
    if known(head) == 0 {
        return Err(Failure::wrong_use(format!("{}: no label of it is known to the model", input.display())));
    }
    let named = Named { name: head.name.clone(), texts: rows.len(), recipe: head.recipe, figures: model::evaluate(model, head, &rows) };
    report(global, &Report { model: model.name.clone(), heads: vec![named], new_source: Vec::new() })
}

/// Trains everything anew, and says what cross-validation says.
fn cross_validate(global: &Global, folder: &Path) -> Result<(), Failure> {
    let mut all = Report {
        model: sets::SHIPPED.to_owned(),
        heads: train_shipped(folder)?.heads.into_iter().map(named).collect(),
        ..Report::default()
    };
    for (name, file, of) in TAXONOMIES {
        note(&format!("cross-validating {name}"));
        let rows = sets::taxonomy(&set(folder, file)?, of);
        let failed = |e: model::ModelError| Failure::failed(format!("{name}: {e}"));
        let head = model::fit(name, &rows, Plan::default()).map_err(failed)?;
        if rows.iter().any(|r| r.source.is_some()) {
            let known = [0, 5, 10, 20, 40];
            let lessons = model::taught_source(&rows, head.recipe, &known).map_err(failed)?.unwrap_or_default();
            for (i, texts_per_label) in known.into_iter().enumerate() {
                if let Some(macro_f1) = model::new_source(&rows, head.recipe, texts_per_label).map_err(failed)? {
                    all.new_source.push(NewSource { texts_per_label, macro_f1, by_lessons: lessons.get(i).copied() });
                }
            }
        }
        all.heads.push(named(head));
    }
    report(global, &all)
}

fn inspect(global: &Global, path: Option<&Path>) -> Result<(), Failure> {
    let loaded = path.map(open).transpose()?;
    let trained = shipped()?;
    let model = loaded.as_ref().unwrap_or_else(|| trained.model());
    let inside: Vec<Inside> = model.heads.iter().map(Inside::of).collect();
    let format = Format::choose(global.format);
    if format == Format::Json {
        let name = model.name.clone();
        return print_json(&Inspected { model: name, version: model::VERSION, bytes_in_memory: model.bytes(), heads: inside });
    }
    let mut rows = table(format, &["head", "recipe", "texts", "features", "labels"]);
    for head in &inside {
        let labels: Vec<&str> = head.labels.iter().map(|(l, _)| l.as_str()).collect();
        let shown = if labels.len() > 12 { format!("{} labels", labels.len()) } else { labels.join(", ") };
        rows.add_row([
            head.name.clone(),
            format!("{:?}", head.recipe).to_lowercase(),
            head.texts.to_string(),
            head.features.to_string(),
            shown,
        ]);
    }
    print(&format!("{} (file version {}, {:.1} MB in memory)\n{}", model.name, model::VERSION, megabytes(model.bytes()), lines(&rows)))
}

impl Inside {
    fn of(head: &TrainedHead) -> Self {
        Self {
            name: head.name.clone(),
            recipe: head.recipe,
            texts: head.texts,
            features: head.features(),
            several_labels: head.many(),
            sources: head.sources().to_vec(),
            labels: head.labels().iter().enumerate().map(|(i, l)| (l.clone(), head.least(i))).collect(),
            figures: head.figures.clone(),
        }
    }
}

fn report(global: &Global, report: &Report) -> Result<(), Failure> {
    let format = Format::choose(global.format);
    if format == Format::Json {
        return print_json(report);
    }
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut rows =
        table(format, &["head", "texts", "accuracy", "macro-F1", "by source", "calibration error", "answered", "right of those"]);
    for head in &report.heads {
        let f = &head.figures;
        let by_source = f.macro_f1_by_source.map_or("-".to_owned(), |v| format!("{v:.3}"));
        let name = if f.none > 0 {
            format!("{} ({} of {} out of scope unsure)", head.name, percent(f.none_unsure), f.none)
        } else {
            head.name.clone()
        };
        let cells = [
            name,
            f.texts.to_string(),
            percent(f.accuracy),
            format!("{:.3}", f.macro_f1),
            by_source,
            format!("{:.3}", f.calibration_error),
            percent(f.answered),
            percent(f.right_of_answered),
        ];
        rows.add_row(cells);
    }
    let mut text = lines(&rows);
    if report.heads.len() == 1 {
        text += &by_label(format, &report.heads[0].figures);
    }
    if !report.new_source.is_empty() {
        let mut rows = table(format, &["new source: its texts per label", "trained again", "by lessons"]);
        report.new_source.iter().for_each(|n| {
            let by_lessons = n.by_lessons.map_or_else(String::new, |f| format!("{f:.3}"));
            rows.add_row([n.texts_per_label.to_string(), format!("{:.3}", n.macro_f1), by_lessons]);
        });
        text += &format!("\n{}", lines(&rows));
    }
    print(&text)
}

fn by_label(format: Format, figures: &Figures) -> String {
    let mut rows = table(format, &["label", "texts", "precision", "recall", "F1"]);
    for l in &figures.labels {
        rows.add_row([
            l.label.clone(),
            l.texts.to_string(),
            format!("{:.3}", l.precision),
            format!("{:.3}", l.recall),
            format!("{:.3}", l.f1),
        ]);
    }
    format!("\n{}", lines(&rows))
}

/// Labelled texts of a file of JSON lines.
fn rows(path: &Path) -> Result<Vec<Row>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::wrong_use(format!("can't read {}: {e}", path.display())))?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty()) {
        rows.push(row(line).map_err(|why| Failure::wrong_use(format!("{}, line {number}: {why}", path.display())))?);
    }
    Ok(rows)
}

fn row(line: &str) -> Result<Row, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| format!("it is no JSON: {e}"))?;
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let (title, body) = (field("title"), field("body").or_else(|| field("text")));
    if title.is_none() && body.is_none() {
        return Err("it has none of `title`, `body` and `text`".to_owned());
    }
    let labels = match value.get("label").or_else(|| value.get("labels")) {
        Some(Value::String(label)) => vec![label.clone()],
        Some(Value::Array(all)) => all
            .iter()
            .map(|l| l.as_str().map(str::to_owned).ok_or_else(|| "a label is no string".to_owned()))
            .collect::<Result<Vec<_>, _>>()?,
        _ => return Err("`label` is missing: a string, or a list of strings".to_owned()),
    };
    Ok(Row { title: title.unwrap_or_default(), body: body.unwrap_or_default(), labels, source: field("source") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_texts_labels_and_perhaps_a_source() {
        let got = row(r#"{"title": "a", "body": "b", "label": "x", "source": "s"}"#).unwrap();
        assert_eq!(got, Row { title: "a".into(), body: "b".into(), labels: vec!["x".into()], source: Some("s".into()) });
        assert_eq!(row(r#"{"text": "b", "label": ["x", "y"]}"#).unwrap().labels, ["x", "y"]);
    }

    #[test]
    fn rows_that_teach_nothing_say_why() {
        assert!(row("[").unwrap_err().contains("JSON"));
        assert!(row(r#"{"label": "x"}"#).unwrap_err().contains("`text`"));
        assert!(row(r#"{"text": "x"}"#).unwrap_err().contains("`label`"));
    }

    #[test]
    fn a_head_of_ones_own_is_trained_read_and_evaluated() {
        let dir = tempfile::tempdir().unwrap();
        let (texts, out) = (dir.path().join("t.jsonl"), dir.path().join("own.gsm"));
        let lines: String = (0..40)
            .map(|i| {
                format!(
                    "{{\"text\": \"{} number {i}\", \"label\": \"{}\"}}\n",
                    ["cancel my card", "what is the rate"][i % 2],
                    ["cancel", "rate"][i % 2]
                )
            })
            .collect();
        std::fs::write(&texts, lines).unwrap();
        let global = Global { format: Some(Format::Json), ..Global::default() };
        train(&global, &Train { input: Some(texts.clone()), shipped: false, sets: None, out: out.clone() }).unwrap();
        evaluate(&global, &Evaluate { model: Some(out.clone()), input: Some(texts.clone()), sets: None }).unwrap();
        let model = open(&out).unwrap();
        assert_eq!((model.name.as_str(), model.heads[0].labels()), ("own", &["cancel".to_owned(), "rate".to_owned()][..]));
        std::fs::write(&texts, "{\"text\": \"x\", \"label\": \"a\"}\nnonsense\n").unwrap();
        let failure = train(&global, &Train { input: Some(texts), shipped: false, sets: None, out }).unwrap_err();
        assert!(failure.to_string().contains("line 2"), "{failure}");
    }
}
