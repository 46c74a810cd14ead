//! What an administrator may do to the index: the loop that owns the stores does it between two batches.

use std::sync::mpsc::{Receiver, channel};

use axum::Json;
use axum::extract::{Path, State};
use groundswell_runtime::http::Problem;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Handle;
use crate::handle::{Command, Refused};
use crate::rebuild::Rebuilding;

/// The answer to dropping a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// What the index forgot.
    pub dropped: ApiVersion,
    /// For how long.
    pub note: String,
}

/// One version of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiVersion {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
}

/// The answer to a rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rebuilt {
    /// Always true: what fails is a problem.
    pub rebuilt: bool,
    /// Records of the insights topic that were read.
    pub records: u64,
}

pub(super) async fn drop_version(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
) -> Result<Json<Dropped>, Problem> {
    let (reply, answer) = channel();
    handle.command(Command::Drop { api: api.clone(), version: version.clone(), reply });
    wait(answer).await?;
    let note = "insights published from now on open it again; a rebuild of the index brings all of it back".to_owned();
    Ok(Json(Dropped { dropped: ApiVersion { api, version }, note }))
}

pub(super) async fn rebuild(State(handle): State<Handle>) -> Result<Json<Rebuilt>, Problem> {
    let (reply, answer) = channel();
    handle.command(Command::Rebuild { reply });
    let records = wait(answer).await?;
    Ok(Json(Rebuilt { rebuilt: true, records }))
}

/// How far the rebuild at work is.
pub(super) async fn progress(State(handle): State<Handle>) -> Json<Rebuilding> {
    Json(handle.progress().now())
}

/// Waits for the loop as long as it takes; a rebuild goes on when its asker has left.
async fn wait<T: Send + 'static>(answer: Receiver<Result<T, Refused>>) -> Result<T, Problem> {
    let answered = tokio::task::spawn_blocking(move || answer.recv()).await;
    match answered {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(why @ Refused::NotThere { .. }))) => Err(Problem::not_found(why.to_string())),
        Ok(Ok(Err(why @ Refused::Busy))) => Err(Problem::new(StatusCode::CONFLICT, "busy", "One at a time", why.to_string())),
        Ok(Ok(Err(Refused::Failed(why)))) => Err(Problem::internal(why)),
        Ok(Err(_)) | Err(_) => Err(Problem::unavailable("the index service is not running here")),
    }
}
