//! A simulated company: what its API consumers do and say, with the truth beside it.
//!
//! [`simulate`] gives the events of a [`Plan`] in the order in which they are published, each with what is
//! [true](Truth) about it: the version that it is about though it may not say so, the subject, the planted
//! personal data. Four APIs with different ways to tell their version live through releases; consumers with
//! heavy-tailed volumes adopt them over weeks, run two in parallel, go back, fail before their first success;
//! people write in six languages, briefly or at length, with traces, secrets and misleading remarks. A [`Story`]
//! is planted: a regression, a problem that a release mended, a wish that is ignored, one loud consumer.
//! [`Figures`] counts the truth so that tests can compare.
//!
//! [`bench`] is another, plainer workload: as fast as possible, in the shape that the benchmark asks for.
//!
//! [`riddles`] is a world made to try attribution: six ways to tell a version, and every way to be misled.
//!
//! Pure: the same plan gives the same events; nothing here reads a clock. All names, domains and numbers are
//! made up, the secrets open nothing, and no text was taken from anywhere.

pub mod bench;
pub mod company;
pub mod event;
pub mod plan;
pub mod riddles;
pub mod specs;
pub mod story;
pub mod stream;
pub mod texts;
pub mod topics;
pub mod truth;

mod calls;
mod compose;
mod consumer;
mod dice;
mod feedback;
mod journey;
mod names;
mod openapi;
mod rush;
mod scene;

pub use company::{Api, Company, Quality, Version};
pub use event::SimEvent;
pub use plan::{BadPlan, Plan};
pub use story::Story;
pub use stream::{Simulation, simulate};
pub use texts::Language;
pub use topics::{Kind, Part};
pub use truth::{Figures, Planted, Simulated, Truth};
