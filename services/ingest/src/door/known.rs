//! People who become known: feedback of theirs that waits in classify has to learn it.
//!
//! Feedback of somebody whom the identity map does not know is keyed by a pseudonym. When the map learns of them, a notice goes to
//! the partition of that pseudonym. A domain or an organisation may be that of anybody, so its notice goes everywhere.

use groundswell_catalogue::company_domain;
use groundswell_contract::Identity;
use groundswell_model::frame::BadItem;
use groundswell_model::{Event, EventHead, Known};
use groundswell_text::redact::pseudonym;

use super::Door;
use crate::frames::Frames;

/// Names of one kind in one notice.
const MOST_NAMES: usize = 10_000;

impl Door {
    /// Tells the partitions where feedback of these people may wait.
    ///
    /// # Errors
    /// See [`Frames::push`].
    pub fn known(&self, identity: &Identity, head: &EventHead<'_>, frames: &mut Frames) -> Result<(), BadItem> {
        let consumer = self.consumer(identity.consumer.trim());
        if consumer.is_empty() {
            return Ok(());
        }
        for who in identity.requester_ids.iter().chain(&identity.emails).take(MOST_NAMES).filter(|who| !who.trim().is_empty()) {
            let key = pseudonym(&self.secret, who);
            let head = EventHead { consumer: &key, ..head.clone() };
            frames.push(&Event::Known(Box::new(Known { head, keys: vec![&key], org: None, consumer: &consumer })), 0)?;
        }
        let domains: Vec<String> = identity.email_domains.iter().take(MOST_NAMES).filter_map(|d| company_domain(d)).collect();
        let org = identity.org.as_deref().map(|o| o.trim().to_lowercase()).filter(|o| !o.is_empty());
        if domains.is_empty() && org.is_none() {
            return Ok(());
        }
        let mut keys: Vec<String> = domains.iter().map(|d| pseudonym(&self.secret, d)).collect();
        // Feedback that names an organisation and nobody is keyed by its pseudonym.
        keys.extend(org.as_deref().map(|o| pseudonym(&self.secret, o)));
        let keys = keys.iter().map(String::as_str).collect();
        frames.push_everywhere(&Event::Known(Box::new(Known { head: head.clone(), keys, org: org.as_deref(), consumer: &consumer })))
    }
}
