//! `reattribute` and `reclassify`: a new look at history, told first, swapped on request.

use std::path::PathBuf;

use groundswell_classify::again::report::{Looking, Report, What};
use groundswell_runtime::exit;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, note, print, print_json, table, thousands};
use crate::progress;

/// Which feedback, and whether to change anything.
#[derive(clap::Args, Debug, Default)]
pub struct Common {
    /// Only feedback on this API
    #[arg(long)]
    pub api: Option<String>,
    /// Only tell what would change; the default
    #[arg(long, conflicts_with = "swap")]
    pub dry_run: bool,
    /// Put what changed in place of what was said before
    #[arg(long)]
    pub swap: bool,
    /// Look at nothing: show the report of the last time, if the connection was lost before it came
    #[arg(long, conflicts_with_all = ["swap", "dry_run", "api"])]
    pub last: bool,
}

/// Attribution again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell reattribute                          after a change of the catalogue: what would move, with examples
  groundswell reattribute --api payments --swap    let it move

Usage is counted once: only feedback moves. Feedback whose events are no longer kept stays where it is. Needs a key with the scope admin.")]
pub struct ReattributeArgs {
    #[command(flatten)]
    pub common: Common,
}

/// Labels again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell reclassify                            with the model at work and all corrections: what would change, with examples
  groundswell reclassify --model mine.gsm           what another model would say
  groundswell reclassify --swap                     let it change

What people corrected stays as they said. New feedback is labelled by the model of the setting classify.model. Needs a key with the scope admin.")]
pub struct ReclassifyArgs {
    #[command(flatten)]
    pub common: Common,
    /// A model file to ask instead of the model at work
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
}

/// Runs `reattribute`.
pub fn reattribute(global: &Global, args: &ReattributeArgs) -> Result<(), Failure> {
    run(global, "reattribute", &args.common, Vec::new())
}

/// Runs `reclassify`.
pub fn reclassify(global: &Global, args: &ReclassifyArgs) -> Result<(), Failure> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|e| Failure::wrong_use(format!("can't read {}: {e}", path.display())));
    let model = args.model.as_ref().map(read).transpose()?.unwrap_or_default();
    run(global, "reclassify", &args.common, model)
}

fn run(global: &Global, what: &str, common: &Common, body: Vec<u8>) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let mut query: Vec<(&str, String)> = common.api.iter().map(|api| ("api", api.clone())).collect();
    query.extend(common.swap.then(|| ("swap", "true".to_owned())));
    let path = ["v1", what];
    let report = if common.last {
        let looking: Looking = client.get(&path, &[])?;
        last(looking, what)?
    } else {
        let asking = client.beside();
        let far = move || asking.get::<Looking>(&path, &[]).ok().map(|now| (now.read, now.of));
        let name = "looking at history again: this reads all feedback that is kept";
        let looked: Result<Report, Failure> = progress::beside(name, || client.post_patiently(&path, &query, body), far);
        looked.inspect_err(|failure| {
            if failure.code() == exit::UNREACHABLE {
                note(&format!(
                    "if only the connection was lost, the server goes on: `groundswell {what} --last` has the report when it is done"
                ));
            }
        })?
    };
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&report),
        format => print(&render(&report, format)),
    }
}

/// The report of a look that has ended.
fn last(looking: Looking, what: &str) -> Result<Report, Failure> {
    let at_work = || format!("history is being looked at: {} of {} records are read", thousands(looking.read), thousands(looking.of));
    match (looking.running, looking.last, looking.failed) {
        (Some(_), ..) => Err(Failure::failed(at_work())),
        (None, Some(report), _) => Ok(report),
        (None, None, Some(why)) => Err(Failure::failed(why)),
        (None, None, None) => Err(Failure::failed(format!("there was no `groundswell {what}` since the server was started"))),
    }
}

fn render(report: &Report, format: Format) -> String {
    let mut text = format!(
        "{} looked at: {} stay as they are, {} change\n",
        thousands(report.looked_at),
        thousands(report.unchanged),
        thousands(report.changed)
    );
    if report.not_kept > 0 {
        text += &format!("{} stay as they are because their events are no longer kept\n", thousands(report.not_kept));
    }
    if !report.moves.is_empty() {
        let mut rows = table(format, &["what", "from", "to", "how many", "for example"]);
        for one in &report.moves {
            let examples: Vec<String> =
                one.examples.iter().map(|e| format!("{} {}: {}", clean(&e.source), clean(&e.id), clean(&e.text))).collect();
            rows.add_row([
                one.head.clone(),
                clean(&one.from),
                clean(&one.to),
                thousands(one.count),
                examples.join(if format == Format::Md { "; " } else { "\n" }),
            ]);
        }
        text += &lines(&rows);
    }
    let command = if report.what == What::Reattribute { "reattribute" } else { "reclassify" };
    text += &match (report.swapped, report.changed) {
        (0, 0) => String::new(),
        (0, _) => format!("nothing was changed: `groundswell {command} --swap` does\n"),
        (swapped, _) => format!("{} swapped\n", thousands(swapped)),
    };
    if report.moved_meanwhile > 0 {
        text += &format!("{} of them moved by live evidence meanwhile, and count where that says\n", thousands(report.moved_meanwhile));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_report_is_shown_or_why_there_is_none() {
        let report: Report = serde_json::from_value(serde_json::json!({
            "what": "reclassify", "looked_at": 1, "unchanged": 1, "changed": 0, "not_kept": 0, "swapped": 0, "moved_meanwhile": 0, "moves": [],
        }))
        .unwrap();
        let ended = Looking { last: Some(report.clone()), ..Looking::default() };
        assert_eq!(last(ended.clone(), "reclassify").unwrap(), report);
        let why = |looking| last(looking, "reclassify").unwrap_err().to_string();
        assert!(why(Looking { running: Some(What::Reattribute), read: 1_500, of: 2_000, ..ended }).contains("1,500 of 2,000"));
        assert!(why(Looking { failed: Some("the disk".into()), ..Looking::default() }).contains("the disk"));
        assert!(why(Looking::default()).contains("no `groundswell reclassify`"));
    }

    #[test]
    fn a_dry_run_says_how_to_swap() {
        let report: Report = serde_json::from_value(serde_json::json!({
            "what": "reattribute", "looked_at": 10, "unchanged": 8, "changed": 2, "not_kept": 1, "swapped": 0, "moved_meanwhile": 0,
            "moves": [{"head": "version", "from": "a unknown (unknown)", "to": "a v2 (path)", "count": 2,
                "examples": [{"source": "desk", "id": "7", "text": "It\u{1b}[2J fails"}]}],
        }))
        .unwrap();
        let text = render(&report, Format::Md);
        assert!(text.contains("reattribute --swap") && text.contains("a v2 (path)") && !text.contains('\u{1b}'), "{text}");
    }
}
