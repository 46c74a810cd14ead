//! `correct` and `corrections`: what people say over what the machine says.

use clap::{Subcommand, ValueEnum};
use groundswell_index::corrections::list::{CorrectionRequest, CorrectionTaken, CorrectionsAnswer, HeadJudged};

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, note, print, print_bytes, print_json, table, thousands};

/// One correction.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell correct helpdesk 4711 --type feature_request
  groundswell correct helpdesk 4711 --aspect webhooks,security --sentiment negative --severity blocks_production --note 'signature check'
  groundswell correct helpdesk 4711 --version v2                 it is about v2
  groundswell correct helpdesk 4711 --withdraw                   the machine's word stands again

Source and id are those of the feedback, as `groundswell search --format json` shows them. What is left out stays as it is. Saying what the
machine said confirms it. The index shows the correction at once; later feedback of that source is labelled by it.")]
pub struct Args {
    /// `source` of the feedback
    pub source: String,
    /// `id` of the feedback
    pub id: String,
    /// The right type: bug, feature_request, question, complaint, praise or other
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// The right aspects, all of them; `none` says that there is none
    #[arg(long, value_delimiter = ',', value_name = "ASPECT")]
    pub aspect: Option<Vec<String>>,
    /// The right sentiment: negative, neutral or positive
    #[arg(long)]
    pub sentiment: Option<String>,
    /// The right severity: blocks_production, degrades or annoys
    #[arg(long)]
    pub severity: Option<String>,
    /// The right language (ISO 639-1)
    #[arg(long)]
    pub language: Option<String>,
    /// The right version of the same API
    #[arg(long)]
    pub version: Option<String>,
    /// Take back what was corrected before
    #[arg(long, conflicts_with_all = ["kind", "aspect", "sentiment", "severity", "language", "version"])]
    pub withdraw: bool,
    /// Allow types, aspects and versions that are not known yet
    #[arg(long)]
    pub new_names: bool,
    /// Who says so [default: the name of the key]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// Corrections there are.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell corrections                                        the newest, and how right each label was
  groundswell corrections list --api payments --limit 200
  groundswell corrections export --head type > mine.jsonl && groundswell model train --in mine.jsonl --out mine.gsm")]
pub struct ListArgs {
    #[command(subcommand)]
    pub what: Option<What>,
}

/// What of them.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List those that stand, and how right each label was
    List(Filter),
    /// Write corrected texts to standard output, one JSON object a line, as `model train --in` reads them
    Export {
        /// Labels of this head
        #[arg(long, value_enum, default_value_t = HeadName::Type)]
        head: HeadName,
    },
}

/// Which ones.
#[derive(clap::Args, Debug, Default)]
pub struct Filter {
    /// Only feedback of this source
    #[arg(long)]
    pub source: Option<String>,
    /// Only feedback on this API
    #[arg(long)]
    pub api: Option<String>,
    /// At most so many, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// A head that texts can be taught to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeadName {
    /// What kind of feedback it is
    Type,
    /// What it is about
    Aspect,
    /// How it sounds
    Sentiment,
    /// How bad it is
    Severity,
    /// Its language
    Language,
}

/// Makes a correction.
pub fn correct(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let body = serde_json::to_string(&request(args)).map_err(|e| Failure::failed(e.to_string()))?;
    let taken: CorrectionTaken = client.post_text(&["v1", "corrections"], &[], "application/json", body)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&taken),
        format => print(&render_taken(&taken, format)),
    }
}

fn request(args: &Args) -> CorrectionRequest {
    let none = |aspects: &Vec<String>| aspects.iter().all(|a| a == "none" || a.is_empty());
    CorrectionRequest {
        source: args.source.clone(),
        id: args.id.clone(),
        kind: args.kind.clone(),
        aspects: args.aspect.as_ref().map(|a| if none(a) { Vec::new() } else { a.clone() }),
        sentiment: args.sentiment.clone(),
        severity: args.severity.clone(),
        language: args.language.clone(),
        api_version: args.version.clone(),
        withdraw: args.withdraw,
        new_names: args.new_names,
        by: args.by.clone(),
        note: args.note.clone(),
    }
}

fn render_taken(taken: &CorrectionTaken, format: Format) -> String {
    let of = format!("{} {}", clean(&taken.of.source), clean(&taken.of.id));
    if taken.withdrawn {
        return format!("{of}: withdrawn; the machine's word stands again\n");
    }
    let mut rows = table(format, &["head", "the machine said", "you say", ""]);
    for head in &taken.heads {
        rows.add_row([head.head.clone(), names(&head.machine), names(&head.person), verdict(head).to_owned()]);
    }
    format!("{of}: written down; searches show it within a second\n{}", lines(&rows))
}

/// Lists or exports corrections.
pub fn corrections(global: &Global, args: &ListArgs) -> Result<(), Failure> {
    match &args.what {
        None => list(global, &Filter::default()),
        Some(What::List(filter)) => list(global, filter),
        Some(What::Export { head }) => export(global, *head),
    }
}

fn list(global: &Global, filter: &Filter) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let limit = filter.limit.map(|n| n.to_string());
    let options = [("source", filter.source.clone()), ("api", filter.api.clone()), ("limit", limit)];
    let query: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let all: CorrectionsAnswer = client.get(&["v1", "corrections"], &query)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&all),
        format => print(&render(&all, format)),
    }
}

fn export(global: &Global, head: HeadName) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let name = head.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    let bytes = client.get_bytes(&["v1", "corrections", "export"], &[("head", name)])?;
    client.finish()?;
    if bytes.is_empty() {
        note("nothing was corrected there yet: `groundswell correct` does");
    }
    print_bytes(&bytes)
}

fn render(all: &CorrectionsAnswer, format: Format) -> String {
    let withdrawn = if all.withdrawn > 0 { format!(", {} withdrawn", thousands(all.withdrawn)) } else { String::new() };
    let mut text = format!("{} corrections stand{withdrawn}\n", thousands(all.total));
    if !all.corrections.is_empty() {
        let mut rows = table(format, &["when", "feedback", "what it says", "corrected", "by"]);
        for one in &all.corrections {
            let heads: Vec<String> =
                one.heads.iter().map(|h| format!("{}: {} → {} ({})", h.head, names(&h.machine), names(&h.person), verdict(h))).collect();
            rows.add_row([
                one.at.chars().take(10).collect(),
                format!("{} {}", clean(&one.of.source), clean(&one.of.id)),
                one.text.as_deref().map_or_else(|| "(not in the index yet)".to_owned(), clean),
                heads.join(if format == Format::Md { "; " } else { "\n" }),
                [&one.by, &one.note].into_iter().flatten().map(|t| clean(t)).collect::<Vec<_>>().join(": "),
            ]);
        }
        text += &lines(&rows);
    }
    if !all.labels.is_empty() {
        let mut rows = table(format, &["head", "label", "judged", "confirmed", "corrected", "missed", "precision", "95 %"]);
        for label in &all.labels {
            let percent = |share: f64| format!("{:.0} %", share * 100.0);
            rows.add_row([
                label.head.clone(),
                clean(&label.label),
                thousands(label.judged),
                thousands(label.confirmed),
                thousands(label.corrected),
                thousands(label.missed),
                label.precision.map_or("-".to_owned(), percent),
                label.interval.map_or("-".to_owned(), |[low, high]| format!("{} to {}", percent(low), percent(high))),
            ]);
        }
        text += &format!("\nHow right the machine was, of what people looked at (they look at what looks wrong first):\n{}", lines(&rows));
    }
    text
}

fn names(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.iter().map(|n| clean(n)).collect::<Vec<_>>().join(", ") }
}

fn verdict(head: &HeadJudged) -> &'static str {
    if head.confirmed { "confirmed" } else { "corrected" }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use groundswell_contract::decisions::FeedbackRef;
    use groundswell_index::corrections::list::CorrectionListed;
    use groundswell_index::corrections::precision::LabelPrecision;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parsed(args: &[&str]) -> CorrectionRequest {
        let cli = Cli::try_parse_from([&["groundswell", "correct", "desk", "1"], args].concat()).unwrap();
        let Command::Correct(args) = cli.command else { panic!("not correct") };
        request(&args)
    }

    #[test]
    fn what_is_left_out_is_not_said() {
        let got = parsed(&["--type", "bug", "--aspect", "webhooks,security"]);
        let aspects = Some(vec!["webhooks".to_owned(), "security".to_owned()]);
        let wanted =
            CorrectionRequest { source: "desk".into(), id: "1".into(), kind: Some("bug".into()), aspects, ..CorrectionRequest::default() };
        assert_eq!(got, wanted);
        assert_eq!(parsed(&["--aspect", "none"]).aspects, Some(Vec::new()));
        assert!(Cli::try_parse_from(["groundswell", "correct", "desk", "1", "--withdraw", "--type", "bug"]).is_err());
    }

    #[test]
    fn precision_stands_beside_its_interval_and_count() {
        let of = FeedbackRef { source: "desk".into(), id: "1\u{1b}[2J".into() };
        let head = HeadJudged { head: "type".into(), machine: vec!["bug".into()], person: vec!["question".into()], confirmed: false };
        let one =
            CorrectionListed { of, at: "2026-03-01T00:00:00Z".into(), by: None, note: None, heads: vec![head], api: None, text: None };
        let label = LabelPrecision {
            head: "type".into(),
            label: "bug".into(),
            judged: 1,
            confirmed: 0,
            corrected: 1,
            missed: 0,
            precision: Some(0.0),
            interval: Some([0.0, 0.79]),
        };
        let text = render(&CorrectionsAnswer { total: 1, withdrawn: 0, corrections: vec![one], labels: vec![label] }, Format::Md);
        assert!(text.contains("type: bug → question (corrected)") && text.contains("0 % to 79 %") && !text.contains('\u{1b}'), "{text}");
    }
}
