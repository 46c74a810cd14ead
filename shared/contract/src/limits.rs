//! Bounds on what is accepted.

/// Bounds that the person who runs the pipeline sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Events in one batch.
    pub batch_events: usize,
    /// Depth of nesting of an event's JSON; never more than [`Limits::DEEPEST`].
    pub depth: usize,
    /// Unknown CloudEvents extensions kept of one event; further ones are left out.
    pub attributes: usize,
    /// Hours that a `time` may be ahead.
    pub future_hours: u32,
}

impl Limits {
    /// Deeper nesting is refused whatever the setting: the JSON reader recurses.
    pub const DEEPEST: usize = 100;
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 900_000, batch_events: 10_000, depth: 32, attributes: 32, future_hours: 24 }
    }
}

/// Bytes of `id` and of `source`.
pub const IDENTITY_BYTES: usize = 1024;
/// Bytes of a field that names something things are counted by, such as `consumer`, `api` or `operation`.
pub const NAME_BYTES: usize = 256;
/// Bytes of `api` and of `api_version`, which also name folders.
pub const API_BYTES: usize = 80;
/// Calls that one event may stand for by `count`.
pub const MAX_COUNT: u64 = 1_000_000_000;
/// Events that one event may stand for by `sampledrate`.
pub const MAX_SAMPLED_RATE: u64 = 1_000_000;
/// Largest amount of money or value of one call, either side of zero.
pub const MAX_AMOUNT: f64 = 1e12;
/// Longest latency of one call in milliseconds.
pub const MAX_LATENCY_MS: f64 = 1e9;
/// Aspects in a correction.
pub const MAX_ASPECTS: usize = 32;
/// Entries of a list in a payload.
pub const MAX_LIST: usize = 10_000;
