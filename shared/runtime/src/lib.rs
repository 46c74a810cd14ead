//! What every program of the pipeline needs around its work: configuration, telemetry, health, keys, the clock.

pub mod clock;
pub mod exit;
pub mod settings;

pub use groundswell_bus::Stop;
pub use settings::Settings;
