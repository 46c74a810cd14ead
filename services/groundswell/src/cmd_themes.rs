//! `themes`: what the feedback of an API keeps coming back to.

use groundswell_index::summary::render::escape;
use groundswell_index::themes::Decided;
use groundswell_index::themes::types::{Proposals, Share, ThemeFigures, Themes};
use serde_json::{Map, Value};

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, print, print_json, short, table, thousands};

/// Characters of a quote in a row.
const QUOTE: usize = 160;

/// Which themes.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell themes payments
  groundswell themes payments --version v2 --since 2026-02-01
  groundswell themes payments --format json | jq -r '.themes[] | [.id, .size, .name] | @tsv'
  groundswell search --api payments 'theme:t7q2kd93xwm'      what was said

  groundswell themes payments rename t7q2kd93xwm \"Refunds fail with 409\"
  groundswell themes payments merge t7q2kd93xwm t1b0c4e8rsz
  groundswell themes payments split t7q2kd93xwm 'partial OR \"line item\"' --name \"Partial refunds\"
  groundswell themes payments decide t7q2kd93xwm planned --in v3 --by Ada
  groundswell themes payments regroup                         what could be merged or split, and why; changes nothing

A theme is what at least two people wrote about. Its id stays the same for ever, and so do decisions about it.")]
pub struct Args {
    /// The API
    pub api: String,
    /// Only feedback on this version
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// From this day or RFC 3339 time on
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Themes listed, largest first
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What is done about themes.
#[derive(clap::Subcommand, Debug)]
pub enum Action {
    /// Give a theme a name
    Rename {
        /// Its id
        theme: String,
        /// The name
        name: String,
        #[command(flatten)]
        who: Who,
    },
    /// Make a theme one with another, under the other's id
    Merge {
        /// Its id
        theme: String,
        /// Id of the theme that has both from now on
        into: String,
        #[command(flatten)]
        who: Who,
    },
    /// Make a theme of its own of what a query finds in one
    Split {
        /// Its id
        theme: String,
        /// Words, phrases and fields, as in a search
        query: String,
        /// What the new theme is called
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// List a theme first, and keep it as it is whatever is proposed
    Pin(One),
    /// Let a theme change again
    Unpin(One),
    /// Leave a theme out of lists; searches still find its feedback
    Hide(One),
    /// List a theme again
    Show(One),
    /// Say where a theme stands on the road map
    Decide {
        /// Its id
        theme: String,
        /// What is decided
        #[arg(value_parser = ["open", "planned", "declined", "shipped"])]
        status: String,
        /// The version that brings it
        #[arg(long = "in", value_name = "VERSION")]
        in_version: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Propose what could be merged, split or renamed; nothing changes until somebody does it
    Regroup,
}

/// One theme.
#[derive(clap::Args, Debug)]
pub struct One {
    /// Its id
    pub theme: String,
    #[command(flatten)]
    pub who: Who,
}

/// Who decides, and why.
#[derive(clap::Args, Debug, Default)]
pub struct Who {
    /// Who decides: a name that may be shown
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
    match &args.action {
        None => list(global, args, client),
        Some(Action::Regroup) => regroup(global, args, client),
        Some(action) => decide(global, args, action, client),
    }
}

fn decide(global: &Global, args: &Args, action: &Action, client: Client) -> Result<(), Failure> {
    let (theme, said) = said(action);
    let body = Value::Object(said).to_string();
    let decided: Decided = client.post_text(&["v1", "apis", &args.api, "themes", theme], &[], "application/json", body)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&decided),
        format => {
            let gives = decided.gives.as_ref().map(|id| format!(" → {id}")).unwrap_or_default();
            print(&format!("{}: {} {}{gives}\n", shown(&decided.api, format), decided.action, decided.theme))
        }
    }
}

/// A field of a decision, where it is told.
type Field<'a> = (&'a str, Option<&'a str>);

/// The theme and the fields of `groundswell.theme.v1` that say what is done to it.
fn said(action: &Action) -> (&str, Map<String, Value>) {
    let (theme, who, name, fields): (&str, &Who, &str, Vec<Field<'_>>) = match action {
        Action::Rename { theme, name, who } => (theme, who, "rename", vec![("name", Some(name))]),
        Action::Merge { theme, into, who } => (theme, who, "merge", vec![("into", Some(into))]),
        Action::Split { theme, query, name, who } => (theme, who, "split", vec![("query", Some(query)), ("name", name.as_deref())]),
        Action::Pin(one) => (&one.theme, &one.who, "pin", Vec::new()),
        Action::Unpin(one) => (&one.theme, &one.who, "unpin", Vec::new()),
        Action::Hide(one) => (&one.theme, &one.who, "hide", Vec::new()),
        Action::Show(one) => (&one.theme, &one.who, "show", Vec::new()),
        Action::Decide { theme, status, in_version, who } => {
            (theme, who, "decide", vec![("status", Some(status)), ("api_version", in_version.as_deref())])
        }
        Action::Regroup => return ("", Map::new()),
    };
    let who = [("by", who.by.as_deref()), ("note", who.note.as_deref())];
    let fields = std::iter::once(("action", Some(name))).chain(fields).chain(who);
    (theme, fields.filter_map(|(field, value)| Some((field.to_owned(), Value::from(value?)))).collect())
}

fn regroup(global: &Global, args: &Args, client: Client) -> Result<(), Failure> {
    let query: Vec<_> = args.limit.map(|n| ("limit", n.to_string())).into_iter().collect();
    let found: Proposals = client.get(&["v1", "apis", &args.api, "themes", "proposals"], &query)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&found),
        format => print(&proposals(&found, format)),
    }
}

fn proposals(found: &Proposals, format: Format) -> String {
    let mut text = format!(
        "{}: {} proposals from {} pieces of feedback in {} themes; nothing changes until you run one\n",
        shown(&found.api, format),
        found.proposals.len(),
        thousands(found.pieces),
        thousands(found.themes)
    );
    if found.proposals.is_empty() {
        return text;
    }
    let between = if format == Format::Md { ", " } else { "\n" };
    let mut rows = table(format, &["propose", "why", "for example", "do it"]);
    for p in &found.proposals {
        let examples: Vec<String> = p.examples.iter().map(|e| shown(&short(e, QUOTE / 2), format)).collect();
        rows.add_row([
            format!("{}{between}{}", p.action, shown(&p.name, format)),
            shown(&p.why, format),
            examples.join(between),
            shown(&p.command, format),
        ]);
    }
    text += &format!("\n{}", lines(&rows));
    text
}

fn list(global: &Global, args: &Args, client: Client) -> Result<(), Failure> {
    let options = [("version", &args.version), ("since", &args.since), ("until", &args.until)];
    let mut query: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    query.extend(args.limit.map(|n| ("limit", n.to_string())));
    let found: Themes = client.get(&["v1", "apis", &args.api, "themes"], &query)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&found),
        format => print(&render(&found, format)),
    }
}

fn render(found: &Themes, format: Format) -> String {
    let what = found.version.as_ref().map_or_else(|| found.api.clone(), |version| format!("{} {version}", found.api));
    let mut text = format!(
        "{}: {} themes; {} of {} pieces of feedback are in one\n",
        shown(&what, format),
        thousands(found.total),
        thousands(found.in_themes),
        thousands(found.feedback)
    );
    if !found.themes.is_empty() {
        text.push('\n');
        let mut rows = table(format, &["theme", "about", "size", "reach", "trend", "where", "revenue", "somebody said"]);
        for theme in &found.themes {
            rows.add_row(row(theme, format));
        }
        text += &lines(&rows);
    }
    let listed = found.themes.len() as u64;
    if listed < found.total {
        text += &format!("{} more: --limit {}\n", thousands(found.total - listed), found.total);
    }
    text
}

/// Text from outside for a terminal, or for Markdown.
fn shown(text: &str, format: Format) -> String {
    if format == Format::Md { escape(&clean(text)) } else { clean(text) }
}

fn row(theme: &ThemeFigures, format: Format) -> [String; 8] {
    let between = if format == Format::Md { ", " } else { "\n" };
    let pinned = if theme.pinned { "pinned" } else { "" };
    let status = theme.status.as_ref().map(|s| [s.status.as_str(), s.version.as_deref().unwrap_or_default()].join(" "));
    let marks: Vec<String> =
        [pinned.to_owned(), status.unwrap_or_default()].iter().map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()).collect();
    let id = std::iter::once(theme.id.clone()).chain(marks).collect::<Vec<_>>().join(between);
    let size = if theme.duplicates > 0 {
        format!("{:.1} ({} pieces, {} again)", theme.size, theme.pieces, theme.duplicates)
    } else {
        format!("{:.1} ({} pieces)", theme.size, theme.pieces)
    };
    let reach = format!("{} consumers{between}{} people", thousands(theme.consumers), thousands(theme.requesters));
    let trend = format!("{}{between}{} in {} days, {} before", theme.trend.word, theme.trend.recent, theme.trend.days, theme.trend.before);
    let revenue: Vec<String> = theme.revenue.iter().map(|m| format!("{:.2} {}", m.amount, shown(&m.currency, format))).collect();
    let quote = theme.quote.as_ref().map(|q| {
        let text = shown(&short(if q.text.is_empty() { &q.title } else { &q.text }, QUOTE), format);
        q.url.as_ref().map_or_else(|| text.clone(), |url| format!("{text}{between}{}", shown(url, format)))
    });
    [
        shown(&id, format),
        shown(&theme.name, format),
        size,
        reach,
        trend,
        places(theme, format, between),
        revenue.join(between),
        quote.unwrap_or_default(),
    ]
}

/// Versions, operations and aspects, the largest of each.
fn places(theme: &ThemeFigures, format: Format, between: &str) -> String {
    let some = |shares: &[Share]| shares.iter().take(2).map(|s| shown(&s.value, format)).collect::<Vec<_>>().join(", ");
    let all = [some(&theme.versions), some(&theme.operations), some(&theme.aspects)];
    all.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use groundswell_index::themes::types::{ThemeQuote, Trend};

    use super::*;

    #[test]
    fn a_decision_says_what_was_typed() {
        let who = Who { by: Some("Ada".into()), note: None };
        let action = Action::Decide { theme: "t7q2kd93xwm".into(), status: "planned".into(), in_version: Some("v3".into()), who };
        let (theme, said) = said(&action);
        assert_eq!(theme, "t7q2kd93xwm");
        assert_eq!(Value::Object(said), serde_json::json!({"action": "decide", "status": "planned", "api_version": "v3", "by": "Ada"}));
    }

    #[test]
    fn a_theme_is_shown_with_its_figures_and_nothing_steers_the_terminal() {
        let theme = ThemeFigures {
            id: "t7q2kd93xwm".into(),
            name: "refund · 409".into(),
            pieces: 31,
            size: 24.5,
            consumers: 11,
            requesters: 12,
            duplicates: 2,
            trend: Trend { word: "growing".into(), recent: 9, before: 2, days: 14, weeks: Vec::new() },
            versions: vec![Share { value: "v2".into(), pieces: 20, size: 18.0 }],
            quote: Some(ThemeQuote {
                text: "it \u{1b}[31mfails | again".into(),
                url: Some("https://help.example/1".into()),
                ..ThemeQuote::default()
            }),
            ..ThemeFigures::default()
        };
        let found = Themes { api: "payments".into(), total: 3, in_themes: 31, feedback: 40, themes: vec![theme], ..Themes::default() };
        for format in [Format::Table, Format::Md] {
            let text = render(&found, format);
            // A table on a terminal wraps its cells, so only what fits on a line is looked for.
            for part in ["3 themes; 31 of 40", "t7q2kd93xwm", "24.5 (31 pieces", "growing", "v2", "2 more"] {
                assert!(text.contains(part), "{part} is missing in {text}");
            }
            assert!(!text.contains('\u{1b}'));
        }
        assert!(render(&found, Format::Md).contains("24.5 (31 pieces, 2 again)"));
        assert!(render(&found, Format::Md).contains("\\|"));
    }
}
