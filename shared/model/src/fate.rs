//! The one fate of every record. A failure of the infrastructure is never a fate: it is an error of
//! the whole batch, which is then tried again.

use std::collections::BTreeMap;

/// What became of one record.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Carried on to the next service.
    Emit(T),
    /// Rightly not carried on: nothing is missing for it.
    Skip(Skip),
    /// Could not be used: goes to dead letters with its original bytes.
    Reject(Reject),
}

/// Why a record was rightly not carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// The same identity with the same content was counted before.
    Duplicate,
    /// A catalogue event: every service reads that topic for itself.
    Catalogue,
    /// A Kafka record without a value, which compaction uses to delete.
    Tombstone,
    /// A new look at feedback that was counted before.
    Again,
}

impl Skip {
    /// The stable name: metric label and row in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Catalogue => "catalogue",
            Self::Tombstone => "tombstone",
            Self::Again => "again",
        }
    }
}

/// A record that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.name())]
pub struct Reject {
    /// The stable reason.
    pub reason: RejectReason,
    /// What exactly, where, and what to do about it. Never holds text of the record beyond names of fields.
    pub detail: String,
}

macro_rules! reject_reasons {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// Why a record could not be used. The name is the same in metrics, dead letters, HTTP answers and documentation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RejectReason { $(#[doc = $doc] $variant,)* }

        impl RejectReason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence for the documentation.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

reject_reasons! {
    TooLarge = "too_large", "The event is larger than `limits.event_bytes`.";
    TooDeep = "too_deep", "Its JSON is nested deeper than `limits.depth`.";
    NotJson = "not_json", "It is not valid JSON, or not UTF-8.";
    NotCloudEvent = "not_cloudevent", "A required CloudEvents attribute is missing, empty or malformed.";
    UnsupportedSpecVersion = "unsupported_specversion", "Its `specversion` is not 1.0.";
    UnsupportedContentType = "unsupported_content_type", "Its data is not JSON.";
    UnknownType = "unknown_type", "Its `type` is not one of the types of the contract.";
    WrongTopic = "wrong_topic", "Its `type` does not belong on the topic that it was published to.";
    InvalidData = "invalid_data", "Its `data` does not fit the schema of its type.";
    MissingField = "missing_field", "A required field of its `data` is missing or empty.";
    OutOfRange = "out_of_range", "A number lies outside what the field allows.";
    TimeInvalid = "time_invalid", "Its `time` is not an RFC 3339 time, or lies before 1990.";
    TimeInFuture = "time_in_future", "Its `time` is further ahead than `limits.future_hours`.";
    ConflictingDuplicate = "conflicting_duplicate", "The same `source` and `id` came before with other content; the first published stands.";
}

impl RejectReason {
    /// The reject with its detail.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Reject {
        Reject { reason: self, detail: detail.into() }
    }

    /// The reason of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.name() == name)
    }
}

/// How many records of a batch met which fate; `read = emitted + skipped + rejected` must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fates {
    /// Records carried on.
    pub emitted: u64,
    /// Records skipped, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Records rejected, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
}

impl Fates {
    /// Notes one outcome.
    pub fn count<T>(&mut self, outcome: &Outcome<T>) {
        match outcome {
            Outcome::Emit(_) => self.emitted += 1,
            Outcome::Skip(s) => *self.skipped.entry(*s).or_default() += 1,
            Outcome::Reject(r) => *self.rejected.entry(r.reason).or_default() += 1,
        }
    }

    /// All fates together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.emitted + self.skipped.values().sum::<u64>() + self.rejected.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_reasons_are_unique_and_found_again() {
        for reason in RejectReason::ALL {
            assert_eq!(RejectReason::from_name(reason.name()), Some(*reason));
        }
    }

    #[test]
    fn fates_add_up() {
        let mut fates = Fates::default();
        fates.count(&Outcome::Emit(()));
        fates.count::<()>(&Outcome::Skip(Skip::Duplicate));
        fates.count::<()>(&Outcome::Reject(RejectReason::NotJson.because("at byte 0")));
        assert_eq!((fates.total(), fates.emitted), (3, 1));
    }
}
