//! Workflow commands of GitHub Actions: annotations on the run.

use super::{harmless, headline, rows, title};
use crate::types::{Review, Verdict};

/// A line for each guardrail that did not pass, and one for the whole.
#[must_use]
pub fn annotations(review: &Review) -> String {
    let mut text = String::new();
    for (guardrail, [name, verdict, candidate, baseline, effect, ..]) in review.guardrails.iter().zip(rows(review)) {
        let level = match (guardrail.verdict, guardrail.required) {
            (Verdict::Regression, _) => "error",
            (Verdict::Inconclusive, true) => "warning",
            _ => continue,
        };
        let needed = guardrail.needed.as_ref().map_or_else(String::new, |n| format!("; to tell, {}", n.text));
        let message = format!("{verdict}: {candidate} against {baseline}, {effect}{needed}");
        text += &line(level, &format!("{}: {name}", title(review)), &message);
    }
    let level = if review.verdict == Verdict::Regression { "error" } else { "notice" };
    text + &line(level, &title(review), &format!("{}: {}", headline(review.verdict), review.reason))
}

fn line(level: &str, title: &str, message: &str) -> String {
    let data = |text: &str| harmless(text).replace('%', "%25");
    format!("::{level} title={}::{}\n", data(title).replace(':', "%3A").replace(',', "%2C"), data(message))
}
