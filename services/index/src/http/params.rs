//! Query parameters as a request, each checked and named when it is wrong.

use groundswell_model::Timestamp;
use groundswell_runtime::http::Problem;
use serde::de::DeserializeOwned;

use crate::search::SearchRequest;

/// Names that may come several times; their values are joined.
const REPEATED: [&str; 3] = ["version", "filter", "facet"];

/// The names and values of a query string, in order.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn of(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Refuses names that are not known, so that a typing error is not silently ignored, and second values that nobody would look at.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, Problem> {
        let mut met = std::collections::BTreeSet::new();
        let twice = self.0.iter().map(|(name, _)| name.as_str()).find(|name| !REPEATED.contains(name) && !met.insert(*name));
        if let Some(name) = twice.filter(|name| known.contains(name)) {
            return Err(Problem::bad_request(format!("{name}: it is there twice; give it once")));
        }
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(self),
            Some((name, _)) => {
                let name: String = name.chars().take(64).collect();
                let known = if known.is_empty() { "none is taken here".to_owned() } else { format!("known are: {}", known.join(", ")) };
                Err(Problem::bad_request(format!("there is no parameter {name:?}; {known}")))
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone()).collect()
    }

    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().map_err(|_| Problem::bad_request(format!("{name}: {text:?} is not a whole number")))
    }

    /// A yes or no; no where it is left out.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(Problem::bad_request(format!("{name}: {other:?} is none of true, false"))),
        }
    }

    /// A value of an enum by its serialised name.
    pub(crate) fn choice<T: DeserializeOwned>(&self, name: &str, choices: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let value = serde_json::Value::String(text.to_owned());
        serde_json::from_value(value).map(Some).map_err(|_| Problem::bad_request(format!("{name}: {text:?} is none of {choices}")))
    }

    /// `since` and `until`: RFC 3339 times, or days that begin at midnight UTC.
    pub(crate) fn window(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let (since, until) = (self.time("since")?, self.time("until")?);
        match (since, until) {
            (Some(s), Some(u)) if s >= u => Err(Problem::bad_request("since: must lie before until")),
            both => Ok(both),
        }
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        Timestamp::parse(&full).map(Some).map_err(|e| Problem::bad_request(format!("{name}: {e}, or a day like 2026-03-01")))
    }

    pub(crate) fn search(&self) -> Result<SearchRequest, Problem> {
        let mut filters = self.all("filter");
        let (since, until) = self.window()?;
        filters.extend(time_filter(since, until));
        let defaults = SearchRequest::default();
        Ok(SearchRequest {
            query: self.get("q").unwrap_or_default().to_owned(),
            api: self.get("api").map(str::to_owned),
            versions: self.all("version").iter().flat_map(|v| v.split(',').map(str::to_owned)).collect(),
            like: self.get("like").map(str::to_owned),
            filters,
            facets: self.all("facet").iter().flat_map(|f| f.split(',').map(str::to_owned)).collect(),
            facet_limit: self.number("facet_limit", defaults.facet_limit)?,
            histogram: self.choice("histogram", "hour, day, week, month")?,
            sort: self.choice("sort", "relevance, newest, oldest, lowest_score, highest_score")?,
            limit: self.number("limit", defaults.limit)?,
            cursor: self.get("cursor").map(str::to_owned),
            full_body: self.get("full_body").is_some_and(|v| v == "true" || v == "1"),
        })
    }
}

/// Names of the parameters of a search.
pub(crate) const SEARCH: &[&str] = &[
    "q",
    "like",
    "api",
    "version",
    "filter",
    "facet",
    "facet_limit",
    "histogram",
    "sort",
    "limit",
    "cursor",
    "full_body",
    "since",
    "until",
];

/// The half-open window as a filter over `time`.
fn time_filter(since: Option<Timestamp>, until: Option<Timestamp>) -> Option<String> {
    let text = |t: Option<Timestamp>, open: &str| t.map_or_else(|| open.to_owned(), Timestamp::rfc3339);
    (since.is_some() || until.is_some()).then(|| format!("time:[{} TO {}}}", text(since, "*"), text(until, "*")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_read_from_its_parameters() {
        let request = Params::of(Some("q=rate+limit&version=v1,v2&facet=type&facet=aspect&limit=5&sort=newest")).search().unwrap();
        assert_eq!(
            (request.query.as_str(), request.versions, request.facets),
            ("rate limit", vec!["v1".into(), "v2".into()], vec!["type".into(), "aspect".into()])
        );
        assert_eq!(request.limit, 5);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let detail = |query: &str| Params::of(Some(query)).only(SEARCH).and_then(|p| p.search()).unwrap_err().detail;
        assert!(detail("limt=5").contains("\"limt\""));
        assert!(detail("limit=1&limit=2").contains("twice"));
        assert!(Params::of(Some("version=v1&version=v2&facet=type&facet=aspect")).only(SEARCH).is_ok());
        assert!(detail("limit=many").contains("limit"));
        assert!(detail("sort=best").contains("relevance"));
        assert!(detail("since=yesterday").contains("since"));
        assert!(detail("since=2026-03-02&until=2026-03-01").contains("before"));
    }
}
