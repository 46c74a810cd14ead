//! What the parts of a program share.

use std::sync::Arc;

use groundswell_bus::Stop;

use crate::http::Auth;
use crate::telemetry::Metrics;
use crate::{Freshness, Health, Settings, data, telemetry};

/// What the parts of a program share; cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The checked settings.
    pub settings: Arc<Settings>,
    /// Tells every part to stop.
    pub stop: Stop,
    /// Which parts are ready.
    pub health: Health,
    /// How old the newest searchable insights are.
    pub freshness: Freshness,
    /// Who may ask.
    pub auth: Auth,
    /// What is measured.
    pub metrics: Metrics,
}

impl App {
    /// Begins a program: logs, metrics, the data folder.
    ///
    /// # Errors
    /// The data folder can't be made.
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        telemetry::init_logs(&settings.log)?;
        data::prepare(&settings.data)?;
        Self::unchecked(settings)
    }

    /// An app without a data folder and without logs: for tests and for programs that store nothing.
    ///
    /// # Errors
    /// The metrics can't be gathered.
    pub fn unchecked(settings: Settings) -> anyhow::Result<Self> {
        Ok(Self {
            stop: Stop::default(),
            health: Health::default(),
            freshness: Freshness::default(),
            auth: Auth::new(&settings.server.keys),
            metrics: Metrics::install()?,
            settings: Arc::new(settings),
        })
    }
}
