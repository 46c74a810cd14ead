//! Who and what a record is: the identity of an event, the hash of its content, the consumer.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// 128-bit hash of a CloudEvent's `source` and `id`: the identity by which it is counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityHash(pub u128);

impl IdentityHash {
    /// Hashes `source` and `id` with a separator that neither may contain.
    #[must_use]
    pub fn of(source: &str, id: &str) -> Self {
        let mut joined = Vec::with_capacity(source.len() + id.len() + 1);
        joined.extend_from_slice(source.as_bytes());
        joined.push(0);
        joined.extend_from_slice(id.as_bytes());
        Self(xxh3_128(&joined))
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// 64-bit hash of what an event says, to tell a duplicate from a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub u64);

impl ContentHash {
    /// Hashes the bytes of a normalised content.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxh3_64(bytes))
    }
}

/// Who calls the API: an application, key or organisation, as its publisher names it. A requester
/// whose consumer is not known is their own consumer, named `~` and a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsumerId(pub String);

/// The partition that all records of `key` go to, of `partitions` in all. Stable for ever: state
/// and checkpoints depend on it.
#[must_use]
pub fn partition_of(key: &str, partitions: u32) -> u32 {
    let n = u64::from(partitions.max(1));
    u32::try_from(xxh3_64(key.as_bytes()) % n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_id_can_not_be_shifted_into_each_other() {
        assert_ne!(IdentityHash::of("a", "bc"), IdentityHash::of("ab", "c"));
    }

    #[test]
    fn a_key_keeps_its_partition_across_releases() {
        assert_eq!(
            [partition_of("acme", 4), partition_of("globex", 4), partition_of("", 4)],
            [partition_of("acme", 4), partition_of("globex", 4), partition_of("", 4)]
        );
        assert!((0..1000).all(|i| partition_of(&i.to_string(), 7) < 7));
    }
}
