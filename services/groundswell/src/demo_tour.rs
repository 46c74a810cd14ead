//! What there is to see in the answers about the simulated company, at the end of `demo`.

use groundswell_index::search::types::SearchResponse;
use groundswell_index::summary::types::{OperationFigures, Summary, Unit};
use groundswell_simulate::Story;
use groundswell_simulate::story::{Fixed, Ignored, Loud, Regression};

use crate::client::Client;
use crate::failure::Failure;
use crate::figures::{figure, maybe};
use crate::output::{clean, thousands};

/// What to look at, with the figures that the server answers. Nothing here is taken from what was simulated but the
/// names: where to look.
///
/// # Errors
/// The server does not answer.
pub fn tour(client: &Client, story: &Story) -> Result<String, Failure> {
    let ask = Ask(client);
    let mut parts = Vec::new();
    if let Some(part) = &story.regression {
        parts.push(regression(&ask, part)?);
    }
    if let Some(part) = &story.fixed {
        parts.push(fixed(&ask, part)?);
    }
    if let Some(part) = &story.ignored {
        parts.push(ignored(&ask, part)?);
    }
    if let Some(part) = &story.loud {
        parts.push(loud(&ask, part)?);
    }
    let mut text = String::from("What to look at\n");
    for (number, part) in (1..).zip(parts) {
        text += &format!("\n{number}. {part}");
    }
    Ok(text)
}

/// The questions that the story asks.
struct Ask<'a>(&'a Client);

impl Ask<'_> {
    fn summary(&self, api: &str, version: &str) -> Result<Summary, Failure> {
        self.0.get(&["v1", "apis", api, "versions", version, "summary"], &[])
    }

    fn tickets(&self, words: &str, api: &str, version: &str) -> Result<SearchResponse, Failure> {
        let query = [("q", words), ("api", api), ("version", version), ("filter", "kind:ticket"), ("facet", "consumer"), ("limit", "1")];
        self.0.get(&["v1", "search"], &query.map(|(name, value)| (name, value.to_owned())))
    }
}

const REFUNDS: &str = "refund OR refunds";
const PAGES: &str = "cursor OR page OR pages OR paging OR pagination";
const INVITES: &str = "bulk OR batch OR invite OR invitations";
const LABELS: &str = "label OR labels OR rotated";

fn regression(ask: &Ask<'_>, part: &Regression) -> Result<String, Failure> {
    let (version, baseline) = (&*part.version, &*part.baseline);
    let (new, old) = (ask.summary(part.api, version)?, ask.summary(part.api, baseline)?);
    let tickets = |v| ask.tickets(REFUNDS, part.api, v).map(|found| found.total);
    let (said_new, said_old) = (tickets(version)?, tickets(baseline)?);
    Ok(format!(
        "{} {version} made {} worse\n\
         \x20  {version}: {}\n\
         \x20  {baseline}: {}\n\
         \x20  NPS: {version} {}, {baseline} {}\n\
         \x20  Tickets with the word refund: {} of {} on {version}, {} of {} on {baseline}\n\
         \x20    groundswell summary {} {version} --baseline {baseline}\n\
         \x20    groundswell search refund --api {} --version {version} --sort newest\n",
        part.api,
        part.operation,
        operation(&new, part.operation),
        operation(&old, part.operation),
        figure(&new.nps.score, Unit::Score),
        figure(&old.nps.score, Unit::Score),
        thousands(said_new),
        thousands(new.feedback.tickets),
        thousands(said_old),
        thousands(old.feedback.tickets),
        part.api,
        part.api,
    ))
}

/// How an operation does on a version.
fn operation(summary: &Summary, id: &str) -> String {
    let usage = &summary.usage;
    let found: Option<&OperationFigures> = usage.worst_by_error_rate.iter().chain(&usage.worst_by_failures).find(|o| o.operation == id);
    found.map_or_else(
        || format!("{id} is not among the worst operations"),
        |o| format!("{} of calls fail, p95 {}", figure(&o.error_rate, Unit::Share), maybe(o.p95_ms, Unit::Milliseconds)),
    )
}

fn fixed(ask: &Ask<'_>, part: &Fixed) -> Result<String, Failure> {
    let row = |version: &str| -> Result<String, Failure> {
        let (summary, found) = (ask.summary(part.api, version)?, ask.tickets(PAGES, part.api, version)?);
        Ok(format!(
            "   {version}: {} tickets about paging, with {} active consumers; {}\n",
            thousands(found.total),
            thousands(summary.consumers.active),
            operation(&summary, part.operation)
        ))
    };
    Ok(format!(
        "{} {} mended paging: compare those who moved with those who did not\n{}{}     groundswell search '{PAGES}' --api {} --version {}\n",
        part.api,
        part.fixed,
        row(&part.broken)?,
        row(&part.fixed)?,
        part.api,
        part.broken,
    ))
}

fn ignored(ask: &Ask<'_>, part: &Ignored) -> Result<String, Failure> {
    let mut text = format!("{}: a wish that comes back in every version, inviting many users at once\n", part.api);
    for version in &part.versions {
        let found = ask.tickets(INVITES, part.api, version)?;
        text += &format!("   {version}: {} tickets\n", thousands(found.total));
    }
    text += &format!("     groundswell search '{INVITES}' --api {} --facet version,consumer --histogram week\n", part.api);
    Ok(text)
}

fn loud(ask: &Ask<'_>, part: &Loud) -> Result<String, Failure> {
    let found = ask.tickets(LABELS, part.api, &part.version)?;
    let loudest = found.facets.get("consumer").and_then(|values| values.iter().max_by_key(|v| v.count));
    let who = loudest.map_or_else(|| "nobody yet".to_owned(), |v| format!("{} of them from {}", thousands(v.count), clean(&v.value)));
    Ok(format!(
        "{} {}: {} tickets about labels, {who}: one loud consumer is one consumer\n     groundswell search '{LABELS}' --api {} --version {} --facet consumer\n",
        part.api,
        part.version,
        thousands(found.total),
        part.api,
        part.version,
    ))
}
