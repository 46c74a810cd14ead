//! One API version: what release events have said of it.

use std::sync::Arc;

use groundswell_contract::data::{Sdk, VersionHeader};
use groundswell_contract::{Release, Stage};
use groundswell_model::Timestamp;

use crate::openapi::{self, Document};
use crate::routes::{Operation, Routes};

/// Hosts, and base paths, kept of one release event: a version is served at each with each.
const MOST_PLACES: usize = 64;
/// The stages in the order of a life.
const STAGES: [Stage; 4] = [Stage::Released, Stage::Deprecated, Stage::Sunset, Stage::Removed];

/// A value that events told, with the time of the event: the latest stands, whatever order they are read in.
#[derive(Clone, Debug)]
struct Latest<T> {
    told: Option<(Timestamp, T)>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { told: None }
    }
}

impl<T: Ord> Latest<T> {
    /// Takes the value unless a later event told another one. Of two values told at the same time the greater stands.
    fn offer(&mut self, time: Timestamp, value: T) -> bool {
        let offered = Some((time, value));
        let newer = offered > self.told;
        if newer {
            self.told = offered;
        }
        newer
    }

    fn get(&self) -> Option<&T> {
        self.told.as_ref().map(|(_, value)| value)
    }
}

impl<T: Ord> Latest<Vec<T>> {
    /// Takes a list unless it is empty: an event that leaves a field out says nothing about it.
    fn offer_list(&mut self, time: Timestamp, list: Vec<T>) -> bool {
        !list.is_empty() && self.offer(time, list)
    }

    fn list(&self) -> &[T] {
        self.get().map_or(&[], Vec::as_slice)
    }
}

/// One API version of the catalogue.
#[derive(Clone, Debug)]
pub struct Version {
    name: String,
    stages: [Latest<Timestamp>; 4],
    notes: Latest<String>,
    aliases: Latest<Vec<String>>,
    owners: Latest<Vec<String>>,
    base_paths: Latest<Vec<String>>,
    hosts: Latest<Vec<String>>,
    header: Latest<(String, String)>,
    sdks: Latest<Vec<(String, Vec<String>)>>,
    link: Latest<String>,
    document: Latest<Sources>,
    problem: Option<String>,
    /// Its base paths, longest first; the root is left out.
    bases: Vec<String>,
    pub(crate) routes: Routes,
}

/// What was read of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sources {
    servers: Vec<(String, String)>,
    left_out: usize,
    operations: Arc<[Operation]>,
}

impl Version {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            stages: Default::default(),
            notes: Latest::default(),
            aliases: Latest::default(),
            owners: Latest::default(),
            base_paths: Latest::default(),
            hosts: Latest::default(),
            header: Latest::default(),
            sdks: Latest::default(),
            link: Latest::default(),
            document: Latest::default(),
            problem: None,
            bases: Vec::new(),
            routes: Routes::default(),
        }
    }

    /// Takes in a release event of this version; `time` is the time of the event.
    pub(crate) fn apply(&mut self, release: &Release, time: Timestamp) {
        let begins = release.time.as_deref().and_then(|t| Timestamp::parse(t).ok()).unwrap_or(time);
        if let Some(stage) = place(release.stage) {
            self.stages[stage].offer(time, begins);
        }
        if let Some(notes) = &release.notes {
            self.notes.offer(time, notes.clone());
        }
        self.aliases.offer_list(time, named(&release.aliases));
        self.owners.offer_list(time, named(&release.owners));
        self.base_paths.offer_list(time, release.base_paths.iter().take(MOST_PLACES).map(|p| openapi::split_url(p).1).collect());
        self.hosts.offer_list(time, release.hosts.iter().take(MOST_PLACES).map(|h| bare_host(h)).filter(|h| !h.is_empty()).collect());
        if let Some(VersionHeader { name, value }) = &release.header {
            self.header.offer(time, (name.to_ascii_lowercase(), value.clone()));
        }
        self.sdks.offer_list(time, release.sdks.iter().map(|Sdk { name, versions }| (name.clone(), versions.clone())).collect());
        if let Some(field) = &release.openapi {
            self.apply_document(openapi::read(field), time);
        }
        self.bases = self.places().into_iter().map(|(_, base)| base).filter(|b| !b.is_empty()).collect();
        self.bases.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.bases.dedup();
    }

    fn apply_document(&mut self, document: Document, time: Timestamp) {
        match document {
            Document::Link(url) => {
                self.link.offer(time, url);
            }
            Document::Unreadable(why) => self.problem = Some(why),
            Document::Api(api) => {
                let operations: Arc<[Operation]> = api.operations.into();
                let sources = Sources { servers: api.servers, left_out: api.left_out, operations: Arc::clone(&operations) };
                if self.document.offer(time, sources) {
                    self.routes = Routes::new(operations);
                    self.problem = None;
                }
            }
        }
    }

    /// Its name, as consumers see it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When a stage begins or began; none if no event told.
    #[must_use]
    pub fn date(&self, stage: Stage) -> Option<Timestamp> {
        place(stage).and_then(|place| self.stages[place].get().copied())
    }

    /// The furthest stage begun by `at`; none before the first.
    #[must_use]
    pub fn stage(&self, at: Timestamp) -> Option<Stage> {
        STAGES.into_iter().rev().find(|s| self.date(*s).is_some_and(|d| d <= at))
    }

    /// When it was or will be released.
    #[must_use]
    pub fn released(&self) -> Option<Timestamp> {
        self.date(Stage::Released)
    }

    /// Release notes.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.notes.get().map(String::as_str)
    }

    /// Other names.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        self.aliases.list()
    }

    /// Who answers for it.
    #[must_use]
    pub fn owners(&self) -> &[String] {
        self.owners.list()
    }

    /// Base paths that events told.
    #[must_use]
    pub fn base_paths(&self) -> &[String] {
        self.base_paths.list()
    }

    /// Hosts that events told.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        self.hosts.list()
    }

    /// Host and base path of the servers of its OpenAPI document.
    #[must_use]
    pub fn servers(&self) -> &[(String, String)] {
        self.document.get().map_or(&[], |d| d.servers.as_slice())
    }

    /// Request header (name in lower case) and value that tell this version.
    #[must_use]
    pub fn header(&self) -> Option<(&str, &str)> {
        self.header.get().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// SDKs, each with which of its versions call this API version.
    #[must_use]
    pub fn sdks(&self) -> &[(String, Vec<String>)] {
        self.sdks.list()
    }

    /// Link to the OpenAPI document, where one was given.
    #[must_use]
    pub fn openapi_link(&self) -> Option<&str> {
        self.link.get().map(String::as_str)
    }

    /// What was wrong with the last OpenAPI document that could not be read.
    #[must_use]
    pub fn openapi_problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Declared operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        self.routes.operations()
    }

    /// Operations of the document that were left out because there are too many.
    #[must_use]
    pub fn operations_left_out(&self) -> usize {
        self.document.get().map_or(0, |d| d.left_out)
    }

    /// Its base paths, longest first, without the root.
    #[must_use]
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// Where it is served: host (empty where none is told) and base path (empty for the root).
    pub(crate) fn places(&self) -> Vec<(String, String)> {
        let servers = self.document.get().map_or(&[][..], |d| d.servers.as_slice());
        let mut hosts: Vec<&str> =
            self.hosts.list().iter().map(String::as_str).chain(servers.iter().map(|(h, _)| h.as_str())).filter(|h| !h.is_empty()).collect();
        hosts.push("");
        let told = self.base_paths.list().iter();
        let mut places: Vec<(String, String)> = told.flat_map(|base| hosts.iter().map(|h| ((*h).to_owned(), base.clone()))).collect();
        for (host, base) in servers {
            // A server without host is served wherever the events say; one with a host is found without it too.
            let everywhere = hosts.iter().filter(|h| host.is_empty() || *h == host || h.is_empty());
            places.extend(everywhere.map(|h| ((*h).to_owned(), base.clone())));
        }
        if places.is_empty() && !self.hosts.list().is_empty() {
            places.extend(hosts.iter().map(|h| ((*h).to_owned(), String::new())));
        }
        places.sort();
        places.dedup();
        places
    }
}

/// Where the date of a stage is kept; a version that is only declared has none.
fn place(stage: Stage) -> Option<usize> {
    STAGES.iter().position(|known| *known == stage)
}

/// The host of what somebody wrote as a host: it may be a URL.
fn bare_host(text: &str) -> String {
    let behind_scheme = text.rsplit("://").next().unwrap_or(text);
    openapi::host_name(behind_scheme.split('/').next().unwrap_or(behind_scheme))
}

fn named(names: &[String]) -> Vec<String> {
    names.iter().map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect()
}
