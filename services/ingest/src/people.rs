//! The identity map, kept up to date from the catalogue topic.

use groundswell_bus::{Bus, BusError, Reader, Record, Topic};
use groundswell_catalogue::Identities;
use groundswell_contract::{Data, Incoming, Limits, decode};

/// Reads the catalogue topic as far as it goes whenever told to.
pub(crate) struct People {
    reader: Box<dyn Reader>,
    identities: Identities,
    limits: Limits,
}

impl People {
    pub(crate) fn new(bus: &dyn Bus, secret: [u8; 32], limits: Limits) -> Result<Self, BusError> {
        Ok(Self { reader: bus.reader(Topic::Catalogue)?, identities: Identities::new(secret), limits })
    }

    pub(crate) fn identities(&self) -> &Identities {
        &self.identities
    }

    pub(crate) fn catch_up(&mut self) -> Result<(), BusError> {
        let (identities, limits) = (&mut self.identities, &self.limits);
        self.reader.catch_up(&mut |record| {
            if let Some(Data::Identity(identity)) = valid_data(&record, limits) {
                identities.apply(&identity);
            }
        })
    }
}

/// The payload of a record that can be used. One that can't has its dead letter from the stage.
fn valid_data(record: &Record<'_>, limits: &Limits) -> Option<Data> {
    let headers: Vec<(&str, &[u8])> = record.headers.iter().collect();
    let decoded = decode(&Incoming { content_type: None, headers: &headers, body: Some(record.value?) }, limits).ok()?;
    // No clock here: a time far ahead changes nothing about who somebody is, and the table stays a function of the topic.
    groundswell_contract::validate(&decoded, record.timestamp, limits).ok()?;
    Some(decoded.data)
}
