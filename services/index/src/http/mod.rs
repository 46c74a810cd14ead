//! The answers over HTTP.

mod admin;
mod answers;
mod changes;
mod corrections;
mod deprecation;
mod fix;
mod journeys;
mod params;
mod themes;
mod verdict;
mod whole;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use groundswell_runtime::http::patient;

use crate::Handle;
use crate::themes::Desk as ThemeDesk;
use whole::{whole, whole_before};

pub use admin::{ApiVersion, Dropped, Rebuilt};
pub use corrections::Desk;

/// Routes that only read.
pub fn read_router(handle: Handle) -> Router {
    // These two read nothing of the partitions.
    let beside = Router::new()
        .route("/v1/catalogue", get(answers::catalogue))
        .route("/v1/apis/{api}/versions/{version}/verdicts", get(verdict::history));
    let routes = Router::new()
        .route("/v1/search", get(answers::search))
        .route("/v1/apis", get(answers::apis))
        .route("/v1/corrections", get(corrections::listed))
        .route("/v1/corrections/export", get(corrections::export))
        .route("/v1/apis/{api}/versions/{version}/summary", get(answers::summary))
        .route("/v1/apis/{api}/themes", get(themes::of_api))
        .route("/v1/apis/{api}/themes/proposals", get(themes::propose))
        .route("/v1/apis/{api}/versions/{version}/themes", get(themes::of_version))
        .route("/v1/apis/{api}/versions/{version}/consumers", get(journeys::consumers))
        .route("/v1/apis/{api}/versions/{version}/pain", get(journeys::pain))
        .route(
            "/v1/apis/{api}/versions/{version}/verdict",
            get(verdict::by_default).post(verdict::by_policy).layer(DefaultBodyLimit::max(verdict::POLICY_BYTES)),
        )
        .route("/v1/apis/{api}/versions/{version}/changes", get(changes::changes))
        .route("/v1/apis/{api}/versions/{version}/fix", get(fix::fix))
        .route(
            "/v1/apis/{api}/versions/{version}/deprecation",
            get(deprecation::by_default).post(deprecation::by_policy).layer(DefaultBodyLimit::max(verdict::POLICY_BYTES)),
        );
    let exports = patient(Router::new().route("/v1/apis/{api}/versions/{version}/export", get(answers::export)));
    whole(routes.merge(exports), &handle).merge(beside).with_state(handle)
}

/// Routes by which people say what is right.
pub fn desk_router(desk: Desk) -> Router {
    let handle = desk.handle().clone();
    whole_before(Router::new().route("/v1/corrections", post(corrections::correct)), &handle).with_state(desk)
}

/// Routes by which people decide on themes.
pub fn decisions_router(handle: Handle, desk: Arc<ThemeDesk>) -> Router {
    let routes = Router::new().route("/v1/apis/{api}/themes/{theme}", post(themes::decide));
    whole_before(routes, &handle).with_state((handle, desk))
}

/// Routes that change what is stored.
pub fn admin_router(handle: Handle) -> Router {
    let routes = Router::new()
        .route("/v1/apis/{api}/versions/{version}", delete(admin::drop_version))
        .route("/v1/index/rebuild", post(admin::rebuild).get(admin::progress));
    patient(routes).with_state(handle)
}
