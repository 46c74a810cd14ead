//! All feedback of one API version, as lines of JSON.

use std::io::Write;

use tantivy::DocAddress;

use super::error::SearchError;
use super::hits::Showing;
use super::ruled::{self, RulesByApi};
use super::snapshot::Snapshot;
use super::words;

impl Snapshot {
    /// Writes the feedback of an API version as lines of JSON, oldest first, each a [`super::Hit`] as a search gives it, with its whole
    /// body; returns how many.
    ///
    /// # Errors
    /// The version does not exist, the index can't be read, or `out` refuses.
    pub fn export(&self, api: &str, version: &str, rules: &RulesByApi, out: &mut dyn Write) -> Result<u64, SearchError> {
        let view = self.version(api, version).ok_or_else(|| SearchError::Request(format!("there is no index of {api} {version}")))?;
        let mut rows: Vec<(i64, u64, DocAddress)> = Vec::new();
        for (number, segment) in (0u32..).zip(view.segments()) {
            let (time, tie) = (segment.time()?, segment.tie()?);
            for doc in segment.reader.doc_ids_alive() {
                rows.push((time.first(doc).unwrap_or(0), tie.first(doc).unwrap_or(0), DocAddress::new(number, doc)));
            }
        }
        rows.sort_unstable_by_key(|(time, tie, _)| (*time, *tie));
        let mut showing = Showing { analyzer: words::analyzer(), marks: &[], full_body: true };
        for (_, _, address) in &rows {
            let mut hit = view.with_stored(*address, |insight, machine| showing.hit(insight, machine, 0.0))?;
            hit.theme = view.theme_at(*address)?.map(|theme| ruled::resolved(&theme, rules));
            serde_json::to_writer(&mut *out, &hit).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(rows.len() as u64)
    }
}
