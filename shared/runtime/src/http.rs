//! The HTTP server beside the services: keys and scopes, health, metrics, problem details.

mod auth;
mod guard;
mod problem;
mod server;

pub use auth::{Auth, Caller, NewKey, new_key};
pub use problem::{CONTENT_TYPE as PROBLEM_CONTENT_TYPE, Problem};
pub use server::{Server, patient};
