//! What a transport must do.

pub mod crashes;
pub mod groups;
pub mod reading;
pub mod steps;
