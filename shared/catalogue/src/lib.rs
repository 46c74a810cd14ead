//! The declared APIs and the identity map, as tables built from the events of the catalogue topic.
//!
//! [`Catalogue`] knows APIs, versions, dates, operations and where each is served, and tells which
//! of them a call is to. [`Identities`] knows which consumer a requester writes for. Pure: events
//! go in, answers come out; nothing here reads a topic, a file or a clock.

mod catalogue;
pub mod derive;
pub mod describe;
pub mod file;
mod identities;
mod mail;
pub mod openapi;
pub mod order;
mod places;
mod read;
mod resolve;
mod routes;
mod version;

#[cfg(test)]
mod tests;

pub use catalogue::{Api, Catalogue, MOST_VERSIONS};
pub use identities::{Consumer, Identities, MOST_CONSUMERS};
pub use mail::company_domain;
pub use read::{CatalogueEvent, read_event};
pub use resolve::{By, Call, Resolved, method_and_path};
pub use routes::Operation;
pub use version::Version;
