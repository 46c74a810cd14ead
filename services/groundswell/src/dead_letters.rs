//! Dead letters, over HTTP or straight from the transport: one set of answers for both.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundswell_bus::{Bus, BusError, TopicNames};
use groundswell_ingest::dlq::{self, DeadLetter, Filter, Place, Replayed};
use groundswell_runtime::http::{Problem, patient};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

const MOST: usize = 10_000;
const USUAL: usize = 1_000;

/// Which letters, as query parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// With this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// From the topic of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Only this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Those that were sent back, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<bool>,
    /// At most so many, the newest: 1,000 are listed and all are sent back unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// The answer to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Letters {
    /// Newest last.
    pub letters: Vec<DeadLetter>,
}

/// One letter with its original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Letter {
    /// What is known about it.
    pub letter: DeadLetter,
    /// Key of the original in base64.
    pub key_base64: String,
    /// Headers of the original: name and value in base64.
    pub headers: Vec<(String, String)>,
    /// The original bytes in base64.
    pub value_base64: String,
    /// Whether these are all of the original's bytes.
    pub whole: bool,
}

impl Letter {
    /// The original bytes.
    pub fn value(&self) -> Result<Vec<u8>, base64::DecodeError> {
        STANDARD.decode(&self.value_base64)
    }
}

impl Wanted {
    fn filter(&self) -> Result<Filter, String> {
        let places = match &self.place {
            Some(place) => vec![place.parse().map_err(|e: dlq::BadPlace| e.to_string())?],
            None => Vec::new(),
        };
        Ok(Filter { reason: self.reason.clone(), topic: self.topic.clone(), places, replayed: self.replayed.unwrap_or(false) })
    }
}

/// Why dead letters can't be had.
#[derive(Debug)]
pub enum Refused {
    /// The question is wrong.
    Wrong(String),
    /// There is no letter at this place.
    Nothing(String),
    /// The transport failed.
    Bus(BusError),
}

const BUSY: &str = "dead letters are being sent back already: ask again when that has ended";

/// Lists letters.
pub fn list(bus: &dyn Bus, wanted: &Wanted) -> Result<Letters, Refused> {
    let filter = wanted.filter().map_err(Refused::Wrong)?;
    let most = wanted.limit.unwrap_or(USUAL).min(MOST);
    Ok(Letters { letters: dlq::list(bus, &filter, most).map_err(Refused::Bus)? })
}

/// One letter.
pub fn show(bus: &dyn Bus, names: &TopicNames, place: &str) -> Result<Letter, Refused> {
    let at: Place = place.parse().map_err(|e: dlq::BadPlace| Refused::Wrong(e.to_string()))?;
    let shown = dlq::show(bus, names, at).map_err(Refused::Bus)?;
    let shown = shown
        .ok_or_else(|| Refused::Nothing(format!("there is no dead letter at {place}; `groundswell dlq list` shows those there are")))?;
    let headers = shown.headers.iter().map(|(name, value)| (name.clone(), STANDARD.encode(value))).collect();
    let (key_base64, value_base64) = (STANDARD.encode(&shown.key), STANDARD.encode(&shown.value));
    Ok(Letter { letter: shown.letter, key_base64, headers, value_base64, whole: shown.whole })
}

/// Sends originals back to their topics: of all letters that are wanted, or of the newest so many.
pub fn replay(bus: &dyn Bus, names: &TopicNames, wanted: &Wanted) -> Result<Replayed, Refused> {
    let filter = wanted.filter().map_err(Refused::Wrong)?;
    dlq::replay(bus, names, &filter, wanted.limit).map_err(Refused::Bus)
}

#[derive(Clone)]
struct Source {
    bus: Arc<dyn Bus>,
    names: Arc<TopicNames>,
    /// Who sends letters back holds it: twice at once would publish them twice.
    turn: Arc<Mutex<()>>,
}

/// The routes; they need the scope admin, as a dead letter holds what was published, personal data included.
pub fn router(bus: Arc<dyn Bus>, names: TopicNames) -> Router {
    patient(Router::new().route("/v1/dead-letters/replay", post(replay_route)))
        .route("/v1/dead-letters", get(list_route))
        .route("/v1/dead-letters/{partition}/{offset}", get(show_route))
        .with_state(Source { bus, names: Arc::new(names), turn: Arc::default() })
}

async fn list_route(State(source): State<Source>, Query(wanted): Query<Wanted>) -> Result<Json<Letters>, Problem> {
    blocking(move || list(source.bus.as_ref(), &wanted)).await
}

async fn show_route(State(source): State<Source>, Path((partition, offset)): Path<(u32, u64)>) -> Result<Json<Letter>, Problem> {
    blocking(move || show(source.bus.as_ref(), &source.names, &format!("{partition}/{offset}"))).await
}

async fn replay_route(State(source): State<Source>, Query(wanted): Query<Wanted>) -> Result<Json<Replayed>, Problem> {
    let busy = |_| Problem::new(StatusCode::CONFLICT, "busy", "One at a time", BUSY);
    let turn = source.turn.clone().try_lock_owned().map_err(busy)?;
    blocking(move || {
        let replayed = replay(source.bus.as_ref(), &source.names, &wanted);
        drop(turn);
        replayed
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<Json<T>, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(format!("dead letters could not be read: {e}")))?;
    done.map(Json).map_err(|refused| match refused {
        Refused::Wrong(why) => Problem::bad_request(why),
        Refused::Nothing(why) => Problem::not_found(why),
        Refused::Bus(error) => Problem::unavailable(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use groundswell_bus::{EmbeddedBus, EmbeddedSettings, Stop, TopicSettings};

    use super::*;

    #[tokio::test]
    async fn letters_are_sent_back_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let bus = EmbeddedBus::open(folder.path(), &EmbeddedSettings::default(), &TopicSettings::default(), Stop::default()).unwrap();
        bus.ensure_topics().unwrap();
        let source = Source { bus: Arc::new(bus), names: Arc::new(TopicNames::default()), turn: Arc::default() };
        let turn = source.turn.clone().try_lock_owned().unwrap();
        let refused = replay_route(State(source.clone()), Query(Wanted::default())).await.unwrap_err();
        assert_eq!(refused.status, 409);
        drop(turn);
        assert!(replay_route(State(source), Query(Wanted::default())).await.is_ok());
    }
}
