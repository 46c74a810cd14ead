//! Markdown for a comment on a pull request.

use super::{COLUMNS, harmless, headline, remarks, rows, title};
use crate::types::Review;

/// The review as Markdown. Names and notes stand in code spans: they can't mention anybody, link anywhere or break the table.
#[must_use]
pub fn markdown(review: &Review) -> String {
    let mut text = format!("### {}: {}\n\n{}\n\n", headline(review.verdict), code(&title(review)), code(&review.reason));
    text += &format!("| {} |\n|{}\n", COLUMNS.join(" | "), " --- |".repeat(COLUMNS.len()));
    for [name, rest @ ..] in rows(review) {
        text += &format!("| {} | {} |\n", code(&name), rest.map(|cell| plain(&cell)).join(" | "));
    }
    text.push('\n');
    for line in remarks(review) {
        text += &format!("- {}\n", code(&line));
    }
    let hashes = &review.provenance;
    text += &format!("\n<sub>input {} · policy {}", short(&hashes.input), short(&hashes.policy));
    for (what, value) in [
        ("checkpoint", &hashes.data.checkpoint),
        ("model", &hashes.data.model),
        ("taxonomy", &hashes.data.taxonomy),
        ("catalogue", &hashes.data.catalogue),
    ] {
        if !value.is_empty() {
            text += &format!(" · {what} {}", code(value));
        }
    }
    text + "</sub>\n"
}

fn short(hash: &str) -> String {
    code(&hash.chars().take(16).collect::<String>())
}

/// Text from anywhere as a code span that also holds in a table.
fn code(text: &str) -> String {
    format!("`{}`", harmless(text).replace('`', "'").replace('|', "\\|"))
}

/// Our own words and numbers.
fn plain(text: &str) -> String {
    harmless(text).replace('|', "\\|")
}
