//! Names: topics are an enum, their names are configuration.

use serde::{Deserialize, Serialize};

/// Every topic of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Tickets, owned by the publishers.
    Tickets,
    /// Survey responses, owned by the publishers.
    Surveys,
    /// Usage events, owned by the publishers.
    Usage,
    /// Releases and identities, owned by the publishers; every service reads all of it.
    Catalogue,
    /// Accepted events in frames, partitioned by consumer.
    Events,
    /// Insights, folded usage and milestones in frames, partitioned by API.
    Insights,
    /// State of classify: compacted, partitioned like [`Topic::Events`].
    Journal,
    /// Records that could not be used, with their original bytes.
    DeadLetters,
}

impl Topic {
    /// Every topic, in the order of [`Topic::number`].
    pub const ALL: [Self; 8] =
        [Self::Tickets, Self::Surveys, Self::Usage, Self::Catalogue, Self::Events, Self::Insights, Self::Journal, Self::DeadLetters];

    /// A number that is stable for ever: stored with events.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Tickets => 0,
            Self::Surveys => 1,
            Self::Usage => 2,
            Self::Catalogue => 3,
            Self::Events => 4,
            Self::Insights => 5,
            Self::Journal => 6,
            Self::DeadLetters => 7,
        }
    }

    /// The topic of a stable number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether publishers own it; the others are ours.
    #[must_use]
    pub fn is_source(self) -> bool {
        matches!(self, Self::Tickets | Self::Surveys | Self::Usage | Self::Catalogue)
    }
}

/// What the topics are called on the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicNames {
    /// Source topic of tickets.
    pub tickets: String,
    /// Source topic of survey responses.
    pub surveys: String,
    /// Source topic of usage events.
    pub usage: String,
    /// Source topic of releases and identities.
    pub catalogue: String,
    /// Accepted events.
    pub events: String,
    /// Insights.
    pub insights: String,
    /// State of classify.
    pub journal: String,
    /// Dead letters.
    pub dead_letters: String,
}

impl Default for TopicNames {
    fn default() -> Self {
        Self {
            tickets: "feedback.tickets".into(),
            surveys: "feedback.surveys".into(),
            usage: "feedback.usage".into(),
            catalogue: "feedback.catalogue".into(),
            events: "groundswell.events".into(),
            insights: "groundswell.insights".into(),
            journal: "groundswell.journal".into(),
            dead_letters: "groundswell.dead-letters".into(),
        }
    }
}

impl TopicNames {
    /// The name of a topic.
    #[must_use]
    pub fn of(&self, topic: Topic) -> &str {
        match topic {
            Topic::Tickets => &self.tickets,
            Topic::Surveys => &self.surveys,
            Topic::Usage => &self.usage,
            Topic::Catalogue => &self.catalogue,
            Topic::Events => &self.events,
            Topic::Insights => &self.insights,
            Topic::Journal => &self.journal,
            Topic::DeadLetters => &self.dead_letters,
        }
    }
}

/// One partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// The topic.
    pub topic: Topic,
    /// The partition, from 0.
    pub partition: u32,
}

/// A position in a partition. A *next* offset names the first record that was not read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl Offset {
    /// The position behind the record at this offset: the only `+ 1` there is.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
