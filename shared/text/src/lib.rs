//! What is done to text, purely: personal data and secrets are taken out ([`redact`]), and feedback
//! is labelled ([`classify`]), by heads that are trained and judged here ([`model`]). Nothing here does I/O or reads a clock.

pub mod classify;
pub mod model;
pub mod redact;
