//! A new look at history over HTTP, for administrators. One at a time.

use std::sync::{Arc, Mutex, TryLockError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::post;
use axum::{Json, Router};
use groundswell_bus::{Bus, Stop};
use groundswell_runtime::Settings;
use groundswell_runtime::http::Problem;
use http::StatusCode;
use serde::Deserialize;

use super::report::{Report, What};
use super::{Again, Question};

/// Bytes that a model sent along may have.
const MODEL_BYTES: usize = 64 * 1024 * 1024;

#[derive(Clone)]
struct Desk {
    bus: Arc<dyn Bus>,
    settings: Arc<Settings>,
    stop: Stop,
    turn: Arc<Mutex<()>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    api: Option<String>,
    swap: bool,
}

/// The routes of a new look at history.
pub fn router(bus: Arc<dyn Bus>, settings: &Settings, stop: Stop) -> Router {
    let desk = Desk { bus, settings: Arc::new(settings.clone()), stop, turn: Arc::default() };
    Router::new()
        .route("/v1/reattribute", post(reattribute))
        .route("/v1/reclassify", post(reclassify).layer(DefaultBodyLimit::max(MODEL_BYTES)))
        .with_state(desk)
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

impl Desk {
    async fn look(self, what: What, asked: Asked, model: Option<Vec<u8>>) -> Result<Json<Report>, Problem> {
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    let detail = "history is being looked at already: ask again when that has ended";
                    return Err(Problem::new(StatusCode::CONFLICT, "busy", "One at a time", detail));
                }
            };
            let again = Again::new(self.bus.clone(), Settings::clone(&self.settings), self.stop.clone());
            let question = Question { api: asked.api, swap: asked.swap, model };
            let report = match what {
                What::Reattribute => again.reattribute(&question),
                What::Reclassify => again.reclassify(&question),
            };
            report.map(Report::finished).map_err(|error| {
                tracing::error!(error = format!("{error:#}"), "history could not be looked at again");
                Problem::internal(format!("history could not be looked at again: {error:#}"))
            })
        });
        worked.await.map_err(|_| Problem::internal("history could not be looked at again; the log says why"))?.map(Json)
    }
}
