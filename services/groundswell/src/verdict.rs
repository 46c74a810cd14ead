//! What `review` and `gate` share: asking a server for a verdict, the policy, and how a review is shown.

use std::io::Read;
use std::path::{Path, PathBuf};

use groundswell_review::gate::{self, Overrides};
use groundswell_review::{Policy, Review, render};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, print, print_json, table};

/// The policy file that is read where none is named.
const USUAL_POLICY: &str = "groundswell.gate.toml";

/// Which versions, and which days.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The API.
    pub api: String,
    /// The version under review.
    pub version: String,
    /// The version it is compared with.
    pub baseline: String,
    /// From this time on.
    pub since: Option<String>,
    /// Before this time.
    pub until: Option<String>,
}

impl Question {
    /// As the parameters of a request.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("baseline", self.baseline.clone())];
        let window = [("since", &self.since), ("until", &self.until)];
        query.extend(window.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        query
    }
}

/// Asks for a verdict.
pub fn ask(client: &Client, question: &Question, policy: &Policy) -> Result<Review, Failure> {
    let text = policy.to_toml().map_err(|e| Failure::failed(e.to_string()))?;
    let query = question.query();
    let path = ["v1", "apis", &question.api, "versions", &question.version, "verdict"];
    client.post_text(&path, &query, "application/toml", text)
}

/// The policy in force: flags over the file that is named, else over `groundswell.gate.toml` of this folder, over the defaults.
pub fn policy(named: Option<&Path>, flags: Overrides) -> Result<Policy, Failure> {
    let usual = || Some(PathBuf::from(USUAL_POLICY)).filter(|p| p.exists());
    let path = named.map(Path::to_owned).or_else(usual);
    let file = path.as_deref().map(read).transpose()?;
    gate::policy(file.as_deref(), flags).map_err(|e| {
        let place = path.map_or_else(String::new, |p| format!("{}: ", p.display()));
        Failure::wrong_use(format!("{place}{e}"))
    })
}

/// Reads a file; `-` is standard input.
pub fn read(path: &Path) -> Result<String, Failure> {
    let fail = |e: std::io::Error| Failure::wrong_use(format!("{} can't be read: {e}", path.display()));
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path).map_err(fail);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(fail)?;
    Ok(text)
}

/// Shows a review.
pub fn show(review: &Review, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(review),
        Format::Md => print(&render::markdown(review)),
        Format::Table => {
            let mut rows = table(format, &render::COLUMNS);
            for row in render::rows(review) {
                rows.add_row(row.map(|cell| clean(&cell)));
            }
            let remarks: Vec<String> = render::remarks(review).iter().map(|line| format!("{}\n", clean(line))).collect();
            let head = format!("{}: {}, {}", clean(&render::title(review)), review.verdict.name(), clean(&review.reason));
            print(&format!("{head}\n{}{}", lines(&rows), remarks.concat()))
        }
    }
}
