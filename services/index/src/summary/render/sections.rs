//! The sections of a summary.

use super::Section;
use super::format::{NO_DATA, count, difference_interval, interval, maybe, maybe_difference, number, rests_on, revenue};
use crate::summary::types::{
    Comparison, Coverage, Figure, LabelCount, Lifecycle, Move, OperationFigures, Quote, ScoreCount, Summary, Unit, UsageFigures,
};

/// Days of the trend shown to people; the JSON has all.
const TREND_DAYS: usize = 14;
const FIGURE_COLUMNS: [&str; 4] = ["", "value", "95% interval", "n"];

/// Everything a summary says, in the order it is read. Sections without a row are left out.
#[must_use]
pub fn sections(summary: &Summary) -> Vec<Section> {
    let mut all = vec![about(summary), feedback(summary), scores(summary), distributions(summary), usage(&summary.usage)];
    let worst = &summary.usage;
    all.push(operations("Operations with the most failed calls", &worst.worst_by_failures, None));
    all.push(operations("Operations with the highest error rate", &worst.worst_by_error_rate, Some(worst.enough_calls)));
    all.push(consumers(summary));
    all.extend(super::journeys::sections(&summary.journeys, &summary.pain));
    all.extend([trend(summary), labels(summary), quotes(&summary.quotes), coverage(&summary.coverage)]);
    all.extend(summary.baseline.as_ref().map(|baseline| comparison(&summary.version, baseline)));
    all.retain(|section| !section.rows.is_empty());
    all
}

fn about(summary: &Summary) -> Section {
    let mut section = Section::new(&format!("{} {}", summary.api, summary.version), &["", ""]);
    section.row(["stage".into(), stage(&summary.lifecycle)]);
    let window = &summary.window;
    let end = |end: &Option<String>, open: &str| end.clone().unwrap_or_else(|| open.to_owned());
    let days = match (&window.since, &window.until) {
        (None, None) => "all time".to_owned(),
        (since, until) => format!("{} to before {}", end(since, "the beginning"), end(until, "the end")),
    };
    section.row(["window".into(), days]);
    if let Some(at) = summary.checkpoint {
        section.row(["reflects".into(), format!("insights partition {} before offset {}", at.partition, at.offset)]);
    }
    section
}

/// Stage and dates in one line.
pub(super) fn stage(lifecycle: &Lifecycle) -> String {
    if !lifecycle.declared {
        return "not declared in the catalogue".to_owned();
    }
    let mut words = vec![lifecycle.stage.clone().unwrap_or_else(|| "declared".to_owned())];
    let dates = [("released", &lifecycle.released), ("deprecated", &lifecycle.deprecated), ("sunset", &lifecycle.sunset)];
    words.extend(dates.into_iter().filter_map(|(word, date)| date.as_ref().map(|d| format!("{word} {}", d.get(..10).unwrap_or(d)))));
    words.join(", ")
}

fn feedback(summary: &Summary) -> Section {
    let f = &summary.feedback;
    let mut section = Section::new("Feedback", &FIGURE_COLUMNS);
    let kinds = format!("{} ({} tickets, {} survey responses)", count(f.count), count(f.tickets), count(f.surveys));
    plain(&mut section, "feedback", kinds);
    #[expect(clippy::cast_precision_loss, reason = "compared at one decimal")]
    if (f.weighted - f.count as f64).abs() > 0.05 {
        plain(&mut section, "weighted by attribution", number(f.weighted, Unit::Count));
    }
    plain(&mut section, "from", format!("{} consumers, {} people", count(f.consumers), count(f.requesters)));
    figure(&mut section, "per 10,000 calls", &f.per_10k_calls, Unit::Rate);
    figure(&mut section, "per 100 active consumers", &f.per_100_consumers, Unit::Rate);
    section
}

fn scores(summary: &Summary) -> Section {
    let mut section = Section::new("Scores", &FIGURE_COLUMNS);
    figure(&mut section, "NPS (-100 to 100)", &summary.nps.score, Unit::Score);
    figure(&mut section, "CSAT, mean (1 to 5)", &summary.csat.mean, Unit::Score);
    figure(&mut section, "CSAT, satisfied (4 or 5)", &summary.csat.satisfied, Unit::Share);
    figure(&mut section, "CES, mean (1 to 7)", &summary.ces.mean, Unit::Score);
    if summary.rating.mean.n > 0 {
        figure(&mut section, "rating, share of its scale", &summary.rating.mean, Unit::Share);
    }
    section
}

fn distributions(summary: &Summary) -> Section {
    let mut section = Section::new("Answers by score", &["survey", "score: answers"]);
    let words = |d: &[ScoreCount]| d.iter().map(|s| format!("{}: {}", s.score, count(s.count))).collect::<Vec<_>>().join(", ");
    let all = [
        ("NPS", &summary.nps.distribution),
        ("CSAT", &summary.csat.distribution),
        ("CES", &summary.ces.distribution),
        ("rating", &summary.rating.distribution),
    ];
    for (name, distribution) in all.into_iter().filter(|(_, d)| !d.is_empty()) {
        section.row([name.into(), words(distribution)]);
    }
    section
}

fn usage(u: &UsageFigures) -> Section {
    let mut section = Section::new("Usage", &FIGURE_COLUMNS);
    plain(&mut section, "calls", format!("{} of {} operations", count(u.calls), count(u.operations)));
    figure(&mut section, "error rate (status 400 or more)", &u.error_rate, Unit::Share);
    figure(&mut section, "server error rate (500 or more)", &u.server_error_rate, Unit::Share);
    figure(&mut section, "rate limited (429)", &u.rate_limited_rate, Unit::Share);
    let percentiles = [("p50", u.latency.p50_ms), ("p90", u.latency.p90_ms), ("p95", u.latency.p95_ms), ("p99", u.latency.p99_ms)];
    for (name, value) in percentiles {
        section.row([format!("latency {name}"), maybe(value, Unit::Milliseconds), String::new(), count(u.latency.n)]);
    }
    for money in &u.revenue {
        plain(&mut section, &format!("revenue, {}", money.currency), format!("{:.2}", money.amount));
    }
    for value in &u.value {
        let amount = number(value.amount, Unit::Count);
        plain(&mut section, &format!("value, {}", value.name), format!("{} events, sum {amount}", count(value.count)));
    }
    section
}

fn operations(title: &str, worst: &[OperationFigures], enough: Option<u64>) -> Section {
    let columns = ["operation", "calls", "failed", "error rate", "95% interval", "p95", "consumers affected", "revenue behind", "feedback"];
    let mut section = Section::new(title, &columns);
    for o in worst {
        let affected = count(o.consumers_affected);
        let affected = o.consumers.map_or_else(|| affected.clone(), |all| format!("{affected} of {}", count(all)));
        section.row([
            if o.operation.is_empty() { "(not told)".to_owned() } else { o.operation.clone() },
            count(o.calls),
            count(o.failed),
            maybe(o.error_rate.value, Unit::Share),
            interval(&o.error_rate, Unit::Share),
            maybe(o.p95_ms, Unit::Milliseconds),
            affected,
            revenue(&o.revenue_affected),
            count(o.feedback),
        ]);
    }
    if let Some(enough) = enough {
        section.note(format!("Operations with at least {} calls, ordered by the lower end of the interval.", count(enough)));
    }
    section
}

fn consumers(summary: &Summary) -> Section {
    let c = &summary.consumers;
    let mut section = Section::new("Consumers", &FIGURE_COLUMNS);
    plain(&mut section, "active", format!("{} of {} that use the API", count(c.active), count(c.active_of_api)));
    figure(&mut section, "adoption, of consumers", &c.adoption, Unit::Share);
    section.row(["adoption, of calls".into(), maybe(c.share_of_calls, Unit::Share), String::new(), count(c.calls_of_api)]);
    plain(&mut section, "new", count(c.new));
    let t = &c.time_to_first_success;
    for (name, value) in [("time to first success, median", t.median_seconds), ("time to first success, p90", t.p90_seconds)] {
        section.row([name.into(), maybe(value, Unit::Seconds), String::new(), count(t.n)]);
    }
    plain(&mut section, "never succeeded", count(t.never_succeeded));
    figure(&mut section, "first call failed", &t.first_call_failed, Unit::Share);
    if let Some(failed) = t.median_failed_before {
        plain(&mut section, "failed calls before the first success, median", number(failed, Unit::Count));
    }
    for (name, moves) in [
        ("upgraded to it from", &c.moves.upgrades_in),
        ("upgraded from it to", &c.moves.upgrades_out),
        ("came back to it from", &c.moves.downgrades_in),
        ("went back from it to", &c.moves.downgrades_out),
    ] {
        if !moves.is_empty() {
            let words = |m: &Move| format!("{}: {}", m.version, count(m.consumers));
            plain(&mut section, name, moves.iter().map(words).collect::<Vec<_>>().join(", "));
        }
    }
    section
}

fn trend(summary: &Summary) -> Section {
    let mut section = Section::new("Day by day", &["day", "calls", "failed", "error rate", "consumers", "feedback"]);
    let left_out = summary.trend.len().saturating_sub(TREND_DAYS);
    for day in summary.trend.iter().skip(left_out) {
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let rate = (day.calls > 0).then(|| day.failed as f64 / day.calls as f64);
        section.row([
            day.day.clone(),
            count(day.calls),
            count(day.failed),
            maybe(rate, Unit::Share),
            count(day.consumers),
            count(day.feedback),
        ]);
    }
    if left_out > 0 {
        section.note(format!("The last {TREND_DAYS} days with calls or feedback; the JSON has all {}.", count(summary.trend.len() as u64)));
    }
    section
}

fn labels(summary: &Summary) -> Section {
    let mut section =
        Section::new("What was said", &["label", "value", "feedback", "share", "95% interval", "consumers", "revenue behind"]);
    let l = &summary.labels;
    let all: [(&str, &[LabelCount]); 5] =
        [("type", &l.kinds), ("aspect", &l.aspects), ("sentiment", &l.sentiments), ("severity", &l.severities), ("language", &l.languages)];
    for (kind, counts) in all {
        for label in counts {
            section.row([
                kind.to_owned(),
                label.name.clone(),
                count(label.count),
                maybe(label.share.value, Unit::Share),
                interval(&label.share, Unit::Share),
                count(label.consumers),
                revenue(&label.revenue),
            ]);
        }
    }
    section
}

/// What a quote is about and who said it, in one line.
pub(crate) fn quote_head(quote: &Quote) -> String {
    let mut words = vec![quote.time.get(..10).unwrap_or(&quote.time).to_owned()];
    words.push(if quote.consumer.is_empty() { "consumer not named".to_owned() } else { quote.consumer.clone() });
    words.extend(quote.survey.clone());
    words.push(quote.labels.join(", "));
    words.retain(|w| !w.is_empty());
    words.join(" · ")
}

/// Title and text of a quote.
pub(crate) fn quote_text(quote: &Quote) -> String {
    match (quote.title.is_empty(), quote.text.is_empty()) {
        (false, false) if quote.title != quote.text => format!("{}: {}", quote.title, quote.text),
        (false, _) => quote.title.clone(),
        (true, _) => quote.text.clone(),
    }
}

/// Where a quote can be read in full.
pub(crate) fn quote_link(quote: &Quote) -> String {
    quote.url.clone().unwrap_or_else(|| format!("{} {}", quote.source, quote.id))
}

pub(super) const QUOTES: &str = "In their words";

fn quotes(quotes: &[Quote]) -> Section {
    let mut section = Section::new(QUOTES, &["said", "about", "source"]);
    for quote in quotes {
        section.row([quote_text(quote), quote_head(quote), quote_link(quote)]);
    }
    section
}

fn coverage(c: &Coverage) -> Section {
    let mut section = Section::new("How the version of this feedback is known", &["evidence", "feedback", "share"]);
    for rung in &c.rungs {
        section.row([rung.rung.clone(), count(rung.count), maybe(rung.share, Unit::Share)]);
    }
    let unknown = match c.unknown_of_api.value {
        Some(share) => format!("{} of {}", number(share, Unit::Share), count(c.feedback_of_api)),
        None => NO_DATA.to_owned(),
    };
    section.row(["not known, of all feedback on the API".into(), String::new(), unknown]);
    section
}

fn comparison(version: &str, baseline: &Comparison) -> Section {
    let columns = ["", version, baseline.version.as_str(), "difference", "95% interval", "ratio", "95% interval", "n"];
    let mut section = Section::new(&format!("Beside {}", baseline.version), &columns);
    for f in &baseline.figures {
        if f.this.value.is_none() && f.baseline.value.is_none() {
            continue;
        }
        let points = |figure: &Figure| maybe(figure.value, f.unit);
        let ratio = f.ratio.as_ref();
        section.row([
            f.title.clone(),
            points(&f.this),
            points(&f.baseline),
            maybe_difference(&f.difference, f.unit),
            difference_interval(&f.difference, f.unit),
            ratio.map_or_else(String::new, |r| maybe(r.value, Unit::Rate)),
            ratio.map_or_else(String::new, |r| interval(r, Unit::Rate)),
            format!("{}, {}", count(f.this.n), count(f.baseline.n)),
        ]);
    }
    section.note(format!("{}: {}.", baseline.version, stage(&baseline.lifecycle)));
    section.note(&baseline.note);
    section
}

fn plain(section: &mut Section, name: &str, value: String) {
    section.row([name.to_owned(), value, String::new(), String::new()]);
}

fn figure(section: &mut Section, name: &str, figure: &Figure, unit: Unit) {
    section.row([name.to_owned(), maybe(figure.value, unit), interval(figure, unit), rests_on(figure)]);
}
