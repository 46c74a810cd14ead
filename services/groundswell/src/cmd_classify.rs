//! `classify`: labels texts from standard input, one answer a line.

use std::path::{Path, PathBuf};

use groundswell_model::insight::{Label, Labels};
use groundswell_text::classify::{Text, Trained, UNSURE};
use groundswell_text::model::{self, Answer, Model, Prepared, Told};
use serde::{Deserialize, Serialize};

use crate::bounded_lines::{self, BoundedLines};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, clean, note, print};

/// Bytes of one line at most.
const LINE_BYTES: usize = 16 * 1024 * 1024;

/// What to label, and by which model.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  echo 'Every call returns 500 since v2' | groundswell classify --explain
  groundswell classify < tickets.jsonl > labels.jsonl
  groundswell classify --model intents.gsm --format json < texts.jsonl

A line is a text, or a JSON object with `title` and `body`, or `text`; `source` and `language` are optional. The answer to a line
is one line. `label` is `unsure` where the confidence is below the bar; `best` is the best label even then.
Exit code 1 if a line could not be read; its answer says why.")]
pub struct Args {
    /// A model of `groundswell model train` [default: the shipped heads]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Add the words that caused each label
    #[arg(long)]
    pub explain: bool,
}

/// One line of input.
#[derive(Debug, Default, Deserialize)]
pub struct Line {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

/// One label of the answer to a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Given {
    /// The label, or `unsure`.
    label: String,
    /// How likely the best label is right, 0 to 1.
    confidence: f32,
    /// The best label, also where it is not sure enough.
    best: String,
    /// The words that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Vec<String>>,
}

/// One of several labels that a text is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct One {
    /// The label.
    label: String,
    /// How likely it is right, 0 to 1.
    confidence: f32,
    /// The words that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Vec<String>>,
}

/// The answer to a line by the shipped heads.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Shipped {
    line: u64,
    #[serde(rename = "type")]
    kind: Given,
    aspects: Vec<One>,
    sentiment: Given,
    /// −1 (worst) to 1 (best).
    sentiment_score: f32,
    severity: Given,
    language: Given,
    model: String,
}

/// The answer to a line by a head of one's own.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Own {
    line: u64,
    #[serde(flatten)]
    given: Given,
    /// All labels that are sure enough, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<One>>,
    model: String,
}

/// A line that could not be read.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Bad {
    line: u64,
    error: String,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let labeller = Labeller::open(args)?;
    let table = Format::choose(global.format) != Format::Json;
    let mut bad = 0_u64;
    let mut lines = BoundedLines::new(std::io::stdin().lock(), LINE_BYTES);
    while let Some((number, line)) = lines.next().map_err(|e| Failure::failed(format!("can't read standard input: {e}")))? {
        let input = match line {
            bounded_lines::Line::Whole(line) => read(line),
            bounded_lines::Line::TooLong(_) => Err(format!("it has more than {LINE_BYTES} bytes")),
        };
        match input {
            Ok(None) => {}
            Ok(Some(input)) => print(&labeller.answer(number, &input, table)?)?,
            Err(error) => {
                bad += 1;
                note(&format!("groundswell: line {number}: {error}"));
                print(&json(&Bad { line: number, error })?)?;
            }
        }
    }
    if bad > 0 { Err(Failure::said()) } else { Ok(()) }
}

/// One line: JSON where it begins like an object, else a text. None for an empty line.
pub fn read(line: &[u8]) -> Result<Option<Line>, String> {
    let text = std::str::from_utf8(line).map_err(|e| format!("it is no UTF-8: {e}"))?;
    let text = text.trim_end_matches('\r');
    if text.trim().is_empty() {
        return Ok(None);
    }
    if !text.trim_start().starts_with('{') {
        return Ok(Some(Line { text: Some(text.to_owned()), ..Line::default() }));
    }
    let line: Line = serde_json::from_str(text).map_err(|e| format!("it begins like JSON and is none: {e}"))?;
    if line.title.is_none() && line.body.is_none() && line.text.is_none() {
        return Err("it has none of `title`, `body` and `text`".to_owned());
    }
    Ok(Some(line))
}

impl Line {
    fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_default()
    }

    fn body(&self) -> &str {
        self.body.as_deref().or(self.text.as_deref()).unwrap_or_default()
    }
}

/// Reads a model file.
pub fn open(path: &Path) -> Result<Model, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::wrong_use(format!("can't read the model {}: {e}", path.display())))?;
    model::read(&bytes).map_err(|e| Failure::wrong_use(format!("{}: {e}", path.display())))
}

/// The shipped model.
pub fn shipped() -> Result<Trained, Failure> {
    Trained::shipped().map_err(|e| Failure::failed(format!("the model in this program can't be read: {e}")))
}

enum Labeller {
    Shipped(Trained, bool),
    Own(Model, bool),
}

impl Labeller {
    fn open(args: &Args) -> Result<Self, Failure> {
        let Some(path) = &args.model else { return Ok(Self::Shipped(shipped()?, args.explain)) };
        let model = open(path)?;
        // The shipped model in a file of its own is answered by as a whole.
        Ok(if model.heads.len() > 1 { Self::Shipped(Trained::new(model), args.explain) } else { Self::Own(model, args.explain) })
    }

    fn answer(&self, line: u64, input: &Line, table: bool) -> Result<String, Failure> {
        match self {
            Self::Shipped(trained, explain) => {
                let text = Text {
                    title: input.title(),
                    body: input.body(),
                    survey_score: None,
                    language: input.language.as_deref(),
                    source: None,
                };
                let (labels, answers) = trained.explain(&text, input.source.as_deref());
                let answer = by_shipped(line, labels, &answers, *explain);
                if table { Ok(shipped_row(&answer)) } else { json(&answer) }
            }
            Self::Own(model, explain) => {
                let answer = by_own(line, model, &model.prepare(input.title(), input.body()), input.source.as_deref(), *explain);
                if table { Ok(own_row(&answer)) } else { json(&answer) }
            }
        }
    }
}

fn by_shipped(line: u64, labels: Labels, answers: &[(&str, Answer)], explain: bool) -> Shipped {
    let best = |head: &str| answers.iter().find(|(name, _)| *name == head).map(|(_, answer)| &answer.best);
    Shipped {
        line,
        kind: given(labels.kind, best("type"), explain),
        aspects: labels
            .aspects
            .into_iter()
            .map(|a| One { label: a.name, confidence: a.confidence, because: explain.then_some(a.because) })
            .collect(),
        sentiment: given(labels.sentiment, best("sentiment"), explain),
        sentiment_score: labels.sentiment_score,
        severity: given(labels.severity, None, explain),
        language: given(labels.language, best("language"), explain),
        model: labels.model,
    }
}

/// A label, and the best one of the head where the label is `unsure`.
fn given(label: Label, best: Option<&Told>, explain: bool) -> Given {
    let unsure = label.name == UNSURE;
    let (best, confidence, because) = match best.filter(|_| unsure) {
        Some(told) => (told.label.clone(), told.confidence, told.because.clone()),
        None => (label.name.clone(), label.confidence, label.because),
    };
    Given { label: label.name, confidence, best, because: explain.then_some(because) }
}

fn by_own(line: u64, model: &Model, prepared: &Prepared, source: Option<&str>, explain: bool) -> Own {
    let Some(head) = model.heads.first() else { return Own { line, given: Given::default(), labels: None, model: model.name.clone() } };
    let answer = head.answer(prepared, source);
    let label = answer.given.first().map_or(UNSURE, |told| &told.label).to_owned();
    let one = |told: &Told| One { label: told.label.clone(), confidence: told.confidence, because: explain.then(|| told.because.clone()) };
    Own {
        line,
        labels: head.many().then(|| answer.given.iter().map(one).collect()),
        given: Given {
            label,
            confidence: answer.best.confidence,
            best: answer.best.label,
            because: explain.then_some(answer.best.because),
        },
        model: model.name.clone(),
    }
}

fn json(answer: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(answer).map_err(|e| Failure::failed(format!("the answer can't be written as JSON: {e}")))?;
    Ok(text + "\n")
}

fn cell(name: &str, given: &Given) -> String {
    let why = given.because.as_ref().filter(|b| !b.is_empty()).map_or(String::new(), |b| format!(" ({})", b.join(", ")));
    clean(&if given.label == given.best || given.best == UNSURE {
        format!("{name} {} {:.0} %{why}", given.label, given.confidence * 100.0)
    } else {
        format!("{name} unsure, perhaps {} {:.0} %{why}", given.best, given.confidence * 100.0)
    })
}

fn shipped_row(answer: &Shipped) -> String {
    let aspects: Vec<&str> = answer.aspects.iter().map(|a| a.label.as_str()).collect();
    let cells = [
        cell("type", &answer.kind),
        format!("aspects {}", if aspects.is_empty() { "-".to_owned() } else { aspects.join(", ") }),
        cell("sentiment", &answer.sentiment),
        cell("severity", &answer.severity),
        cell("language", &answer.language),
    ];
    format!("{}: {}\n", answer.line, cells.join(" · "))
}

fn own_row(answer: &Own) -> String {
    format!("{}: {}\n", answer.line, cell("label", &answer.given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_text_or_an_object() {
        assert_eq!(read(b"plain words\r").unwrap().unwrap().body(), "plain words");
        let object = read(br#"{"title": "a", "text": "b", "other": 1}"#).unwrap().unwrap();
        assert_eq!((object.title(), object.body()), ("a", "b"));
        assert!(read(b"  ").unwrap().is_none());
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        assert!(read(b"{\"title\": ").unwrap_err().contains("JSON"));
        assert!(read(b"{\"id\": 1}").unwrap_err().contains("`title`, `body` and `text`"));
        assert!(read(&[0xff, 0xfe]).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn the_best_label_is_told_even_where_it_is_unsure() {
        let labeller = Labeller::Shipped(shipped().unwrap(), true);
        let line = read(b"It is what it is").unwrap().unwrap();
        let answer: serde_json::Value = serde_json::from_str(&labeller.answer(7, &line, false).unwrap()).unwrap();
        assert_eq!(answer["line"], 7);
        for head in ["type", "sentiment"] {
            assert!(
                answer[head]["best"].is_string() && answer[head]["confidence"].is_number() && answer[head]["because"].is_array(),
                "{answer}"
            );
            assert_ne!(answer[head]["best"], "unsure", "{answer}");
        }
    }
}
