//! The release review: is a version better or worse for its consumers than its baseline was?
//!
//! [`review()`] takes plain counts per consumer, version and day ([`ReviewInput`]) and a [`Policy`], and gives a
//! [`Review`]: for each guardrail the numbers of both versions, their ratio or difference with an interval that holds at
//! every daily look, and pass, regression or inconclusive. Consumers are compared with themselves ([`conditional`]),
//! calendar effects removed, with bounded weights and a variance by consumer; small counts go by an exact method;
//! newcomers' first calls are set apart. `docs/statistics.md` has the formulas and what they do on simulated streams.
//!
//! Pure: no I/O, no clock. The same input and policy give the same review, byte for byte.

pub mod changes;
pub mod decline;
pub mod discovery;
pub mod evaluate;
pub mod fix;
pub mod gate;
pub mod input;
pub mod policy;
pub mod removal;
pub mod render;
pub mod types;

mod boundary;
mod calendar;
mod compare;
mod conditional;
mod decide;
mod exact;
mod figures;
mod guardrails;
mod hash;
mod latency;
mod linear;
mod panel;
mod prepare;
mod review;
mod scores;
mod shares;
mod starts;
mod stratified;
mod weights;

pub use input::ReviewInput;
pub use policy::Policy;
pub use review::review;
pub use types::{Guardrail, Review, Verdict};
