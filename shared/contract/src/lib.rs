//! The wire contract: seven CloudEvents types, in binary, structured and batch mode.
//!
//! [`data`] and [`decisions`] have the types as publishers write them, [`cloudevent`] the envelope for publishers. Pure: bytes in,
//! checked values or a reason out. One event goes through [`decode`] (form: [`media`] type, envelope, payload) and
//! [`validate`] (values); [`content_hash`] tells a duplicate from a conflict. No reject quotes the event.

pub mod cloudevent;
pub mod data;
pub mod decisions;
mod decode;
pub mod documents;
mod envelope;
mod hash;
mod json;
mod lenient;
pub mod limits;
pub mod media;
mod validate;

pub use cloudevent::{CloudEvent, HeaderList};
pub use data::{Data, EventType, Identity, Release, Stage, Survey, SurveyKind, Ticket, Usage};
pub use decisions::{Correction, FeedbackRef, MachineLabels, ThemeAction, ThemeDecision, ThemeStatus};
pub use decode::{Decoded, Extensions, Incoming, decode, decode_structured, is_binary, split_batch, too_many};
pub use hash::content_hash;
pub use limits::Limits;
pub use validate::validate;
