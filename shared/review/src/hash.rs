//! The hash of an input: what makes a verdict reproducible can be named.

use blake3::Hasher;

use crate::input::{ReviewInput, Score, VersionUse};

/// Bytes that are hashed at once.
const ENOUGH: usize = 1 << 16;

impl ReviewInput {
    /// BLAKE3 over everything in it, in order.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Hasher::new();
        for name in [&self.api, &self.version, &self.baseline].into_iter().chain(&self.custom) {
            text(&mut hasher, name);
        }
        let provenance = &self.provenance;
        for part in [&provenance.checkpoint, &provenance.model, &provenance.taxonomy, &provenance.catalogue] {
            text(&mut hasher, part);
        }
        hasher.update(&self.window.from.0.to_le_bytes()).update(&self.window.until.0.to_le_bytes());
        hasher.update(&[u8::from(self.released.is_some())]).update(&self.released.map_or(0, |d| d.0).to_le_bytes());
        hasher.update(&self.unnamed.calls.to_le_bytes()).update(&self.unnamed.feedback.to_le_bytes());
        for place in &self.spoken {
            hasher.update(&place.to_le_bytes());
        }
        if !self.operations.is_empty() {
            text(&mut hasher, "operations");
            for place in &self.operations {
                hasher.update(&place.to_le_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(2 * ENOUGH);
        for consumer in &self.consumers {
            bytes.extend((consumer.name.len() as u64).to_le_bytes());
            bytes.extend_from_slice(consumer.name.as_bytes());
            bytes.push(u8::from(consumer.first_seen.is_some()));
            bytes.extend(consumer.first_seen.map_or(0, |d| d.0).to_le_bytes());
            side(&mut bytes, &consumer.baseline);
            side(&mut bytes, &consumer.candidate);
            // Long pieces are hashed several blocks at a time.
            if bytes.len() >= ENOUGH {
                hasher.update(&bytes);
                bytes.clear();
            }
        }
        hasher.update(&bytes);
        hasher.finalize().to_hex().to_string()
    }
}

fn text(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

/// Every list begins with its length, so that nothing can pass for something else.
fn side(bytes: &mut Vec<u8>, side: &VersionUse) {
    let count = |bytes: &mut Vec<u8>, n: usize| bytes.extend((n as u64).to_le_bytes());
    count(bytes, side.usage.len());
    for day in &side.usage {
        bytes.extend(day.day.0.to_le_bytes());
        bytes.extend(day.calls.to_le_bytes());
        bytes.extend(day.errors.to_le_bytes());
    }
    count(bytes, side.latency.len());
    bytes.extend(side.latency.iter().flat_map(|latency| {
        let whole = u64::from(latency.day) | u64::from(latency.bucket.cast_unsigned()) << 16 | u64::from(latency.count) << 32;
        whole.to_le_bytes()
    }));
    count(bytes, side.feedback.len());
    for item in &side.feedback {
        bytes.extend(item.day.0.to_le_bytes());
        bytes.extend(item.weight.to_bits().to_le_bytes());
        let (kind, score) = match item.score {
            None => (0, 0.0),
            Some(Score::Nps(score)) => (1, score),
            Some(Score::Csat(score)) => (2, score),
            Some(Score::Ces(score)) => (3, score),
        };
        bytes.extend([u8::from(item.negative), kind]);
        bytes.extend(score.to_bits().to_le_bytes());
    }
    count(bytes, side.custom.len());
    for custom in &side.custom {
        bytes.extend(custom.guardrail.to_le_bytes());
        bytes.extend(custom.day.0.to_le_bytes());
        bytes.extend(custom.count.to_bits().to_le_bytes());
        bytes.push(u8::from(custom.exposure.is_some()));
        bytes.extend(custom.exposure.unwrap_or(0.0).to_bits().to_le_bytes());
    }
    bytes.push(u8::from(side.start.is_some()));
    bytes.extend(side.start.map_or(0, |s| s.first_call.0).to_le_bytes());
    bytes.extend(side.start.and_then(|s| s.seconds_to_success).unwrap_or(u64::MAX).to_le_bytes());
    bytes.push(side.upgrade.map_or(0, |u| 1 + u8::from(u.regretted)));
    bytes.extend(side.upgrade.map_or(0, |u| u.day.0).to_le_bytes());
}
