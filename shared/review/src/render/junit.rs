//! JUnit XML: what build servers show as tests.

use super::{harmless, remarks, rows, title};
use crate::types::{Review, Verdict};

/// The review as a suite of one test for each guardrail: a regression has failed, one that can't be told is skipped.
#[must_use]
pub fn junit(review: &Review) -> String {
    let count = |verdict| review.guardrails.iter().filter(|g| g.verdict == verdict).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n",
        escape(&title(review)),
        review.guardrails.len(),
        count(Verdict::Regression),
        count(Verdict::Inconclusive)
    );
    for (guardrail, row) in review.guardrails.iter().zip(rows(review)) {
        let [name, verdict, candidate, baseline, effect, minimum, method] = row.map(|cell| escape(&cell));
        let class = escape(&format!("groundswell.{}.{}", review.api, review.version));
        let message = format!("{candidate} against {baseline}: {effect}, minimum {minimum} ({method})");
        text += &format!("<testcase classname=\"{class}\" name=\"{name}\">");
        text += &match guardrail.verdict {
            Verdict::Regression => format!("<failure type=\"{verdict}\" message=\"{message}\"/>"),
            Verdict::Inconclusive => format!("<skipped message=\"{message}\"/>"),
            Verdict::Pass => format!("<system-out>{message}</system-out>"),
        };
        text += "</testcase>\n";
    }
    let lines: Vec<String> = remarks(review).iter().map(|line| escape(line)).collect();
    text + &format!("<system-out>{}\n{}</system-out>\n</testsuite>\n</testsuites>\n", escape(&review.reason), lines.join("\n"))
}

fn escape(text: &str) -> String {
    // What XML 1.0 does not allow at all is gone with the control characters, but for two.
    let text = harmless(text).replace(['\u{fffe}', '\u{ffff}'], " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}
