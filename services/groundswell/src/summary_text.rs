//! A summary as tables for a terminal, or as Markdown for a review. Both say the same.

use groundswell_index::summary::types::{Comparison, Figure, LabelCount, Move, OperationFigures, Summary, Unit};

use crate::cmd_apis::stage;
use crate::figures::{NO_DATA, figure, maybe, number, with_interval};
use crate::output::{Format, clean, lines, short, table, thousands};

/// Rows of a list of labels.
const LABELS: usize = 6;
/// Characters of a quote.
const QUOTE: usize = 300;

/// The whole summary.
pub fn render(summary: &Summary, format: Format) -> String {
    let page = Page { format, text: String::new() };
    let page = page.title(summary).feedback(summary).usage(summary).consumers(summary).operations(summary).labels(summary).quotes(summary);
    let page = page.coverage(summary);
    let page = summary.baseline.iter().fold(page, Page::comparison);
    page.text
}

struct Page {
    format: Format,
    text: String,
}

impl Page {
    fn heading(mut self, words: &str) -> Self {
        self.text += &if self.format == Format::Md { format!("\n## {words}\n\n") } else { format!("\n{}\n", words.to_uppercase()) };
        self
    }

    /// Names and values, the values that say nothing left out.
    fn pairs(mut self, headings: [&str; 2], pairs: &[(&str, String)]) -> Self {
        let mut rows = table(self.format, &headings);
        for (name, value) in pairs {
            rows.add_row([*name, value.as_str()]);
        }
        self.text += &lines(&rows);
        self
    }

    fn title(mut self, summary: &Summary) -> Self {
        let name = format!("{} {}", clean(&summary.api), clean(&summary.version));
        let window = match (&summary.window.since, &summary.window.until) {
            (None, None) => "all time".to_owned(),
            (since, until) => format!("{} to {}", since.as_deref().unwrap_or("the beginning"), until.as_deref().unwrap_or("now")),
        };
        let line = format!("{}; {window}; intervals are of 95 %", stage(&summary.lifecycle));
        self.text += &if self.format == Format::Md { format!("# {name}\n\n{line}\n") } else { format!("{name}: {line}\n") };
        self
    }

    fn feedback(self, summary: &Summary) -> Self {
        let f = &summary.feedback;
        let count = format!("{} ({} tickets, {} survey responses) of {} consumers", thousands(f.count), thousands(f.tickets), thousands(f.surveys), thousands(f.consumers));
        self.heading("Feedback").pairs(
            ["what", "how much"],
            &[
                ("feedback", count),
                ("per 10,000 calls", figure(&f.per_10k_calls, Unit::Rate)),
                ("per 100 active consumers", figure(&f.per_100_consumers, Unit::Rate)),
                ("NPS (−100 to 100)", figure(&summary.nps.score, Unit::Score)),
                ("CSAT (1 to 5)", figure(&summary.csat.mean, Unit::Score)),
                ("satisfied (4 or 5)", figure(&summary.csat.satisfied, Unit::Share)),
                ("CES (1 to 7)", figure(&summary.ces.mean, Unit::Score)),
            ],
        )
    }

    fn usage(self, summary: &Summary) -> Self {
        let u = &summary.usage;
        let latency = &u.latency;
        let percentiles = [("50 %", latency.p50_ms), ("90 %", latency.p90_ms), ("95 %", latency.p95_ms), ("99 %", latency.p99_ms)];
        let percentiles = percentiles.map(|(name, value)| format!("{name} {}", maybe(value, Unit::Milliseconds))).join(", ");
        let latency = if latency.n == 0 { NO_DATA.to_owned() } else { format!("{percentiles} (n {})", thousands(latency.n)) };
        let money: Vec<String> = u.revenue.iter().map(|m| format!("{:.2} {}", m.amount, clean(&m.currency))).collect();
        let value: Vec<String> = u.value.iter().map(|v| format!("{} {}", thousands(v.count), clean(&v.name))).collect();
        let mut pairs = vec![
            ("calls", thousands(u.calls)),
            ("error rate", figure(&u.error_rate, Unit::Share)),
            ("server errors (5xx)", figure(&u.server_error_rate, Unit::Share)),
            ("rate limited (429)", figure(&u.rate_limited_rate, Unit::Share)),
            ("latency", latency),
        ];
        pairs.extend((!money.is_empty()).then(|| ("revenue", money.join(", "))));
        pairs.extend((!value.is_empty()).then(|| ("value events", value.join(", "))));
        self.heading("Usage").pairs(["what", "how much"], &pairs)
    }

    fn consumers(self, summary: &Summary) -> Self {
        let c = &summary.consumers;
        let first = &c.time_to_first_success;
        let success = match (first.median_seconds, first.p90_seconds) {
            (Some(median), Some(p90)) => {
                format!("median {}, 90 % within {} (n {})", number(median, Unit::Seconds), number(p90, Unit::Seconds), thousands(first.n))
            }
            _ => NO_DATA.to_owned(),
        };
        let mut pairs = vec![
            ("active consumers", format!("{} of {} of the API", thousands(c.active), thousands(c.active_of_api))),
            ("adoption", figure(&c.adoption, Unit::Share)),
            ("share of calls", maybe(c.share_of_calls, Unit::Share)),
            ("new consumers", thousands(c.new)),
            ("time to first success", success),
            ("never succeeded", thousands(first.never_succeeded)),
            ("first call failed", figure(&first.first_call_failed, Unit::Share)),
        ];
        let m = &c.moves;
        for (name, moves) in [
            ("came from an older version", &m.upgrades_in),
            ("left for a newer version", &m.upgrades_out),
            ("came back from a newer version", &m.downgrades_in),
            ("went back to an older version", &m.downgrades_out),
        ] {
            pairs.extend((!moves.is_empty()).then(|| (name, moved(moves))));
        }
        self.heading("Consumers").pairs(["what", "how much"], &pairs)
    }

    fn operations(self, summary: &Summary) -> Self {
        let u = &summary.usage;
        let enough = format!("Highest error rates (operations with {} calls or more)", thousands(u.enough_calls));
        self.worst("Most failed calls", &u.worst_by_failures).worst(&enough, &u.worst_by_error_rate)
    }

    fn worst(self, words: &str, operations: &[OperationFigures]) -> Self {
        if operations.is_empty() {
            return self;
        }
        let mut page = self.heading(words);
        let mut rows = table(page.format, &["operation", "calls", "failed", "error rate", "95 % within", "consumers affected"]);
        for o in operations {
            let name = if o.operation.is_empty() { "not known".to_owned() } else { clean(&o.operation) };
            let affected = o.consumers_affected.map_or_else(|| NO_DATA.into(), thousands);
            let p95 = maybe(o.p95_ms, Unit::Milliseconds);
            rows.add_row([name, thousands(o.calls), thousands(o.failed), with_interval(&o.error_rate, Unit::Share), p95, affected]);
        }
        page.text += &lines(&rows);
        page
    }

    fn labels(self, summary: &Summary) -> Self {
        let l = &summary.labels;
        if l.kinds.is_empty() {
            return self;
        }
        let mut page = self.heading("What was said");
        let mut rows = table(page.format, &["label", "", "feedback", "share of feedback", "consumers"]);
        for (sort, labels) in [("type", &l.kinds), ("aspect", &l.aspects), ("sentiment", &l.sentiments), ("severity", &l.severities), ("language", &l.languages)] {
            for label in labels.iter().take(LABELS) {
                rows.add_row(label_row(sort, label));
            }
        }
        page.text += &lines(&rows);
        page
    }

    fn quotes(self, summary: &Summary) -> Self {
        if summary.quotes.is_empty() {
            return self;
        }
        let mut page = self.heading("In their words");
        for quote in &summary.quotes {
            let said = [clean(&quote.title), short(&quote.text, QUOTE)].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(": ");
            let day: String = quote.time.chars().take(10).collect();
            let by = if quote.consumer.is_empty() { String::new() } else { format!(", {}", clean(&quote.consumer)) };
            let about = [quote.survey.iter().cloned().collect(), quote.labels.clone()].concat().iter().map(|l| clean(l)).collect::<Vec<_>>().join(", ");
            let link = quote.url.as_deref().map_or_else(|| format!("{} {}", clean(&quote.source), clean(&quote.id)), clean);
            page.text += &match page.format {
                Format::Md => format!("> {}\n>\n> {day}{} ({}) {}\n\n", escaped(&said), escaped(&by), escaped(&about), escaped(&link)),
                _ => format!("  “{said}”\n    {day}{by} ({about}) {link}\n"),
            };
        }
        page
    }

    fn coverage(self, summary: &Summary) -> Self {
        let c = &summary.coverage;
        let mut page = self.heading("How the version is known");
        let mut rows = table(page.format, &["evidence", "feedback", "share"]);
        for rung in &c.rungs {
            rows.add_row([clean(&rung.rung), thousands(rung.count), maybe(rung.share, Unit::Share)]);
        }
        page.text += &lines(&rows);
        page.text += &format!("Of {} about this API, without a known version: {}\n", thousands(c.feedback_of_api), figure(&c.unknown_of_api, Unit::Share));
        page
    }

    fn comparison(self, with: &Comparison) -> Self {
        let version = clean(&with.version);
        let mut page = self.heading(&format!("Beside {version}"));
        let mut rows = table(page.format, &["figure", "this version", version.as_str(), "difference", "ratio"]);
        for f in &with.figures {
            let ratio = f.ratio.as_ref().map_or_else(String::new, |r| with_interval(r, Unit::Rate));
            let difference = with_interval(&f.difference, f.unit);
            rows.add_row([clean(&f.title), figure(&f.this, f.unit), figure(&f.baseline, f.unit), difference, ratio]);
        }
        page.text += &lines(&rows);
        page.text += &format!("{}\n", clean(&with.note));
        page
    }
}

fn moved(moves: &[Move]) -> String {
    moves.iter().map(|m| format!("{} ({})", thousands(m.consumers), clean(&m.version))).collect::<Vec<_>>().join(", ")
}

fn label_row(sort: &str, label: &LabelCount) -> [String; 5] {
    let share: &Figure = &label.share;
    [clean(&label.name), sort.to_owned(), thousands(label.count), with_interval(share, Unit::Share), thousands(label.consumers)]
}

/// Text that Markdown takes as text.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if matches!(c, '<' | '>' | '*' | '_' | '`' | '[' | ']' | '|' | '#' | '\\') { vec!['\\', c] } else { vec![c] }).collect()
}
