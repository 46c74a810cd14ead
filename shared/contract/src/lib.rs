//! The wire contract: five CloudEvents types, in binary, structured and batch mode.
//!
//! [`data`] has the types as publishers write them, [`cloudevent`] the envelope. Pure: bytes in, checked
//! values or a reason out.

pub mod cloudevent;
pub mod data;

pub use cloudevent::CloudEvent;
pub use data::{Data, EventType, Identity, Release, Stage, Survey, SurveyKind, Ticket, Usage};
