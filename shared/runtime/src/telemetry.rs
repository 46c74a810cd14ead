//! Logs on standard error and metrics for Prometheus.

mod names;

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogSettings};

/// Upper bounds of histograms in seconds, from a step of a millisecond to a freshness of minutes.
const SECONDS: &[f64] = &[0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Begins writing logs to standard error. A second call changes nothing.
///
/// # Errors
/// `log.level` is not a level nor directives.
pub fn init_logs(settings: &LogSettings) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(&settings.level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let begun = match settings.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if begun.is_err() {
        tracing::debug!("logs were begun before");
    }
    Ok(())
}

/// The process's metrics.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

static METRICS: OnceLock<Metrics> = OnceLock::new();

impl Metrics {
    /// Begins gathering for the whole process; a second call gives the same.
    ///
    /// # Errors
    /// The recorder can't be built.
    pub fn install() -> Result<Self, BuildError> {
        if let Some(metrics) = METRICS.get() {
            return Ok(metrics.clone());
        }
        let recorder = PrometheusBuilder::new().set_buckets(SECONDS)?.build_recorder();
        let metrics = METRICS.get_or_init(|| Self(recorder.handle())).clone();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::debug!("metrics were begun before");
        }
        names::register();
        Ok(metrics)
    }

    /// All metrics as Prometheus reads them.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Works off what was gathered; to be called every few seconds, so that memory stays flat without a scraper.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::install().unwrap();
        metrics::counter!("groundswell_telemetry_test_total", "fate" => "emitted").increment(3);
        metrics::histogram!("groundswell_telemetry_test_seconds").record(0.003);
        let text = Metrics::install().unwrap().render();
        assert!(text.contains("groundswell_telemetry_test_total{fate=\"emitted\"} 3"), "{text}");
        assert!(text.contains("groundswell_telemetry_test_seconds_bucket{le=\"0.005\"} 1"), "{text}");
        metrics.upkeep();
    }

    #[test]
    fn what_alerts_look_at_is_there_from_the_start_and_says_what_it_is() {
        let text = Metrics::install().unwrap().render();
        for line in [
            "# HELP groundswell_index_failures_total ",
            "groundswell_index_failures_total 0",
            "# HELP groundswell_freshness_seconds ",
            "groundswell_freshness_seconds_count 0",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn a_wrong_level_is_an_error() {
        assert!(init_logs(&LogSettings { format: LogFormat::Json, level: "a=b=c".into() }).is_err());
    }
}
