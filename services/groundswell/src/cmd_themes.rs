//! `themes`: what the feedback of an API keeps coming back to.

use groundswell_index::summary::render::escape;
use groundswell_index::themes::types::{Share, ThemeFigures, Themes};

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

A theme is what at least two people wrote about. Its id stays the same for ever.")]
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
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
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
        found.themes.iter().for_each(|theme| drop(rows.add_row(row(theme, format))));
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
            for part in ["3 themes; 31 of 40", "t7q2kd93xwm", "24.5 (31 pieces, 2 again)", "growing", "v2", "2 more"] {
                assert!(
                    text.split_whitespace().collect::<Vec<_>>().join(" ").contains(part) || text.contains(part),
                    "{part} is missing in {text}"
                );
            }
            assert!(!text.contains('\u{1b}'));
        }
        assert!(render(&found, Format::Md).contains("\\|"));
    }
}
