//! A new look at history over HTTP, for administrators. One at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::post;
use axum::{Json, Router};
use groundswell_bus::{Bus, Stop};
use groundswell_runtime::Settings;
use groundswell_runtime::http::{Problem, patient};
use http::StatusCode;
use serde::Deserialize;

use super::pace::Pace;
use super::report::{Looking, Report, What};
use super::{Again, Question};

/// Bytes that a model sent along may have.
const MODEL_BYTES: usize = 64 * 1024 * 1024;

#[derive(Clone)]
struct Desk {
    bus: Arc<dyn Bus>,
    settings: Arc<Settings>,
    stop: Stop,
    looks: Arc<Mutex<Looks>>,
}

/// The look at work, and what the last one of each kind came to.
#[derive(Default)]
struct Looks {
    running: Option<(What, Pace)>,
    ended: BTreeMap<What, Result<Report, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    api: Option<String>,
    swap: bool,
}

/// The routes of a new look at history.
pub fn router(bus: Arc<dyn Bus>, settings: &Settings, stop: Stop) -> Router {
    let desk = Desk { bus, settings: Arc::new(settings.clone()), stop, looks: Arc::default() };
    let routes = Router::new()
        .route("/v1/reattribute", post(reattribute).get(reattributing))
        .route("/v1/reclassify", post(reclassify).get(reclassifying).layer(DefaultBodyLimit::max(MODEL_BYTES)));
    patient(routes).with_state(desk)
}

async fn reattribute(State(desk): State<Desk>, Query(asked): Query<Asked>) -> Result<Json<Report>, Problem> {
    desk.look(What::Reattribute, asked, None).await
}

async fn reclassify(State(desk): State<Desk>, Query(asked): Query<Asked>, model: Bytes) -> Result<Json<Report>, Problem> {
    let model = (!model.is_empty()).then(|| model.to_vec());
    if let Some(bytes) = &model {
        groundswell_text::model::read(bytes).map_err(|e| Problem::bad_request(format!("the model can't be read: {e}")))?;
    }
    desk.look(What::Reclassify, asked, model).await
}

async fn reattributing(State(desk): State<Desk>) -> Json<Looking> {
    Json(desk.looks().told(What::Reattribute))
}

async fn reclassifying(State(desk): State<Desk>) -> Json<Looking> {
    Json(desk.looks().told(What::Reclassify))
}

impl Looks {
    fn told(&self, what: What) -> Looking {
        let (read, of) = self.running.as_ref().map(|(_, pace)| pace.now()).unwrap_or_default();
        let ended = self.ended.get(&what);
        Looking {
            running: self.running.as_ref().map(|(what, _)| *what),
            read,
            of,
            last: ended.and_then(|ended| ended.as_ref().ok()).cloned(),
            failed: ended.and_then(|ended| ended.as_ref().err()).cloned(),
        }
    }
}

impl Desk {
    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a look begins, unless one is at work.
    fn begin(&self, what: What, pace: &Pace) -> Result<(), Problem> {
        let mut looks = self.looks();
        if looks.running.is_some() {
            let detail = "history is being looked at already: a GET of this path says how far that is, and has its report afterwards";
            return Err(Problem::new(StatusCode::CONFLICT, "busy", "One at a time", detail));
        }
        looks.running = Some((what, pace.clone()));
        Ok(())
    }

    async fn look(self, what: What, asked: Asked, model: Option<Vec<u8>>) -> Result<Json<Report>, Problem> {
        let pace = Pace::new(self.stop.clone());
        self.begin(what, &pace)?;
        // Whoever asked may leave: the work goes on, and what it comes to is kept.
        let worked = tokio::task::spawn_blocking(move || {
            let again = Again::new(self.bus.clone(), Settings::clone(&self.settings), self.stop.clone()).at(pace);
            let question = Question { api: asked.api, swap: asked.swap, model };
            let looked = std::panic::AssertUnwindSafe(|| match what {
                What::Reattribute => again.reattribute(&question),
                What::Reclassify => again.reclassify(&question),
            });
            let report = std::panic::catch_unwind(looked).unwrap_or_else(|_| Err(anyhow::anyhow!("the work panicked; the log says why")));
            let ended = report.map(Report::finished).map_err(|error| {
                tracing::error!(error = format!("{error:#}"), "history could not be looked at again");
                format!("history could not be looked at again: {error:#}")
            });
            let mut looks = self.looks();
            looks.running = None;
            looks.ended.insert(what, ended.clone());
            ended
        });
        let ended = worked.await.map_err(|_| Problem::internal("history could not be looked at again; the log says why"))?;
        ended.map(Json).map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use groundswell_bus::EmbeddedBus;

    use super::*;

    fn desk(folder: &std::path::Path) -> Desk {
        let settings = Settings { data: folder.to_owned(), ..Settings::default() };
        let bus = EmbeddedBus::open(&folder.join("bus"), &settings.embedded, &settings.topics, Stop::default()).unwrap();
        bus.ensure_topics().unwrap();
        Desk { bus: Arc::new(bus), settings: Arc::new(settings), stop: Stop::default(), looks: Arc::default() }
    }

    #[tokio::test]
    async fn a_second_look_is_refused_while_one_is_at_work_and_the_report_stays() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path());
        desk.begin(What::Reclassify, &Pace::default()).unwrap();
        let refused = desk.clone().look(What::Reattribute, Asked::default(), None).await.unwrap_err();
        assert_eq!(refused.status, 409);
        assert_eq!(desk.looks().told(What::Reattribute).running, Some(What::Reclassify));
        desk.looks().running = None;
        let Json(report) = desk.clone().look(What::Reattribute, Asked::default(), None).await.unwrap();
        let told = desk.looks().told(What::Reattribute);
        assert_eq!((told.running, told.last), (None, Some(report)));
        assert_eq!(desk.looks().told(What::Reclassify).last, None, "each has its own");
    }

    #[tokio::test]
    async fn a_report_is_kept_for_who_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path());
        let look = desk.clone().look(What::Reclassify, Asked::default(), None);
        // Polled once, and then dropped, as the server does when its client is gone.
        assert!(tokio::time::timeout(Duration::ZERO, look).await.is_err());
        let begun = Instant::now();
        while desk.looks().running.is_some() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            tokio::task::yield_now().await;
        }
        assert!(desk.looks().told(What::Reclassify).last.is_some());
    }
}
