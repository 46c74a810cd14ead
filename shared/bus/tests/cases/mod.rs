//! What a transport must do.

pub(crate) mod cluster;
pub(crate) mod connections;
pub(crate) mod crashes;
pub(crate) mod faults;
pub(crate) mod fitting;
pub(crate) mod groups;
pub(crate) mod reading;
pub(crate) mod steps;
