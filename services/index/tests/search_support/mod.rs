//! One search index in a folder of its own, and feedback to put into it.

use std::path::Path;
use std::sync::Arc;

use groundswell_bus::Offset;
use groundswell_index::search::{CommitReport, SearchRequest, SearchResponse, SearchStore, Snapshot, search};
use groundswell_model::insight::{Label, SurveyAnswer};
use groundswell_model::{IdentityHash, Insight, Labels, Rung, Timestamp, VersionWeight};
use groundswell_runtime::settings::IndexSettings;
use tempfile::TempDir;

/// Feedback with everything filled in.
pub(crate) struct Feedback {
    id: String,
    api: String,
    versions: Vec<(String, f32)>,
    rung: Rung,
    title: String,
    body: String,
    consumer: String,
    operation: Option<String>,
    time: Timestamp,
    label: String,
    survey: Option<(String, f64)>,
    tags: Vec<String>,
}

impl Feedback {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            api: "orders".into(),
            versions: vec![("v1".into(), 1.0)],
            rung: Rung::Explicit,
            title: String::new(),
            body: "Something was said about it.".into(),
            consumer: "acme".into(),
            operation: None,
            time: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            label: "bug".into(),
            survey: None,
            tags: Vec::new(),
        }
    }

    pub(crate) fn api(mut self, api: &str) -> Self {
        self.api = api.into();
        self
    }

    pub(crate) fn versions(mut self, versions: &[(&str, f32)]) -> Self {
        self.versions = versions.iter().map(|(v, w)| ((*v).into(), *w)).collect();
        self
    }

    pub(crate) fn rung(mut self, rung: Rung) -> Self {
        self.rung = rung;
        self
    }

    pub(crate) fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn consumer(mut self, consumer: &str) -> Self {
        self.consumer = consumer.into();
        self
    }

    pub(crate) fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.into());
        self
    }

    pub(crate) fn time(mut self, time: &str) -> Self {
        self.time = Timestamp::parse(time).unwrap();
        self
    }

    pub(crate) fn label(mut self, label: &str) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn survey(mut self, kind: &str, score: f64) -> Self {
        self.survey = Some((kind.into(), score));
        self
    }

    pub(crate) fn tags(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|t| (*t).into()).collect();
        self
    }

    fn with_insight<T>(&self, use_it: impl FnOnce(&Insight<'_>) -> T) -> T {
        let label = |name: &str| Label { name: name.into(), confidence: 0.9, because: vec!["why".into()] };
        let url = format!("https://support.example/{}", self.id);
        let insight = Insight {
            identity: IdentityHash::of("/support", &self.id),
            source: "/support",
            id: &self.id,
            time: self.time,
            received: self.time,
            api: &self.api,
            versions: self.versions.iter().map(|(version, weight)| VersionWeight { version, weight: *weight }).collect(),
            rung: self.rung,
            confidence: 1.0,
            evidence: vec!["api_version".into()],
            deciding: vec![],
            flags: vec![],
            operation: self.operation.as_deref(),
            consumer: &self.consumer,
            requester: Some("r-1"),
            org: None,
            title: &self.title,
            body: &self.body,
            url: Some(&url),
            survey: self.survey.as_ref().map(|(kind, score)| SurveyAnswer { kind, score: *score, min: 0.0, max: 10.0 }),
            ticket_id: None,
            status: None,
            priority: None,
            channel: None,
            tags: self.tags.iter().map(String::as_str).collect(),
            sdk: None,
            request_id: None,
            labels: Labels {
                kind: label(&self.label),
                aspects: vec![label("limits")],
                sentiment: label("negative"),
                sentiment_score: -0.5,
                severity: label("annoys"),
                language: label("en"),
                model: "rules-1".into(),
            },
            redacted: vec![("email", 2)],
            attributes: vec![("plan", "{\"tier\":\"gold\"}")],
        };
        use_it(&insight)
    }
}

/// Small writers, as tests need no more.
pub(crate) fn settings() -> IndexSettings {
    IndexSettings { writer_mib: 64, ..IndexSettings::default() }
}

/// A search for these words.
pub(crate) fn request(query: &str) -> SearchRequest {
    SearchRequest { query: query.into(), ..SearchRequest::default() }
}

/// The ids of the hits, in order.
pub(crate) fn ids(answer: &SearchResponse) -> Vec<String> {
    answer.hits.iter().map(|h| h.id.clone()).collect()
}

/// The values of a facet.
pub(crate) fn facet<'a>(answer: &'a SearchResponse, name: &str) -> Vec<(&'a str, u64)> {
    answer.facets[name].iter().map(|f| (f.value.as_str(), f.count)).collect()
}

/// One index in a folder of its own. Every `put` is a record of its own.
pub(crate) struct Fixture {
    store: Option<SearchStore>,
    root: TempDir,
    settings: IndexSettings,
    next: Offset,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: IndexSettings) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = Some(SearchStore::open(root.path(), 0, &settings).unwrap());
        Self { store, root, settings, next: Offset(0) }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn store(&mut self) -> &mut SearchStore {
        self.store.as_mut().unwrap()
    }

    pub(crate) fn put(&mut self, feedback: &Feedback) {
        self.put_at(feedback, self.next.0);
    }

    pub(crate) fn put_at(&mut self, feedback: &Feedback, offset: u64) {
        feedback.with_insight(|insight| self.store().put(insight, Offset(offset)).unwrap());
        self.next = Offset(offset).next();
    }

    pub(crate) fn commit(&mut self) -> CommitReport {
        let next = self.next;
        self.store().commit(next).unwrap()
    }

    /// What was not committed is gone, as after `kill -9`.
    pub(crate) fn crash(&mut self) {
        self.store = None;
        self.store = Some(SearchStore::open(self.root.path(), 0, &self.settings).unwrap());
    }

    /// Leaves only the folder.
    pub(crate) fn close(self) -> TempDir {
        self.root
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.store.as_ref().unwrap().readers().snapshot()
    }

    pub(crate) fn search(&self, request: &SearchRequest) -> SearchResponse {
        search(&[self.snapshot()], request).unwrap()
    }

    pub(crate) fn ids(&self, query: &str) -> Vec<String> {
        ids(&self.search(&request(query)))
    }
}
