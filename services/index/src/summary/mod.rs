//! The summary of an API version: feedback and usage joined, every number with what it rests on.

pub mod types;
