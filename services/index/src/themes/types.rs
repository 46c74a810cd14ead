//! What themes say: the JSON answer of `GET /v1/apis/{api}/themes` and of `groundswell themes`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::summary::types::{Checkpoint, Money, Window};

/// The themes of one API, or of one of its versions, largest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Themes {
    /// The API.
    pub api: String,
    /// Only feedback on this version; null for all versions together.
    pub version: Option<String>,
    /// The time counted.
    pub window: Window,
    /// What the answer reflects.
    pub checkpoint: Option<Checkpoint>,
    /// Feedback with words in it, plain.
    pub feedback: u64,
    /// How much of it is in the themes listed or left out by `limit`; the rest was said by one person only.
    pub in_themes: u64,
    /// Themes there are, however many are listed.
    pub total: u64,
    /// The themes.
    pub themes: Vec<ThemeFigures>,
}

/// One theme.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThemeFigures {
    /// Its id: stays the same for ever. Search for it with `theme:ID`.
    pub id: String,
    /// What it is called: by a person, else its most telling words.
    pub name: String,
    /// Whether a person named it.
    pub named: bool,
    /// Whether a person pinned it: it comes first and is always listed.
    pub pinned: bool,
    /// Where it stands on the road map, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ThemeStatus>,
    /// Its most telling words and pairs of words.
    pub terms: Vec<String>,
    /// Themes that people merged into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<String>,
    /// Pieces of feedback.
    pub pieces: u64,
    /// The sum of the weights with which they count for this version (or for any).
    pub size: f64,
    /// Named consumers behind them.
    pub consumers: u64,
    /// People who wrote, told apart; those without a name are each their own.
    pub requesters: u64,
    /// Pieces that say almost the same as an earlier one.
    pub duplicates: u64,
    /// First piece, RFC 3339.
    pub first: String,
    /// Last piece, RFC 3339.
    pub last: String,
    /// Whether it grows.
    pub trend: Trend,
    /// Weight by version.
    pub versions: Vec<Share>,
    /// Weight by operation, most first.
    pub operations: Vec<Share>,
    /// Weight by aspect, most first.
    pub aspects: Vec<Share>,
    /// Weight by type, most first.
    pub types: Vec<Share>,
    /// Weight by sentiment, most first.
    pub sentiment: Vec<Share>,
    /// Revenue that usage events carried for the consumers behind it, on this version (or all), ever.
    pub revenue: Vec<Money>,
    /// A piece that stands for it.
    pub quote: Option<ThemeQuote>,
}

/// A decision about a theme on the road map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThemeStatus {
    /// `planned`, `declined` or `shipped`.
    pub status: String,
    /// The version it ships or shipped with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How much of a theme has a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// The value.
    pub value: String,
    /// Plain.
    pub pieces: u64,
    /// Weighted.
    pub size: f64,
}

/// Whether a theme grows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// `new`: nothing before the last days counted. `growing` or `shrinking`: the difference to the days before is more than chance
    /// would make of even counts (two-sided, 10 %). Else `steady`.
    pub word: String,
    /// Pieces in the last days counted.
    pub recent: u64,
    /// Pieces in as many days before.
    pub before: u64,
    /// How many days that is.
    pub days: u32,
    /// Pieces by week, from Monday, oldest first; weeks without any are left out.
    pub weeks: Vec<Week>,
}

/// A week of a theme.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Week {
    /// Its Monday.
    pub start: String,
    /// Pieces.
    pub pieces: u64,
}

/// A piece that stands for a theme.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThemeQuote {
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `id`.
    pub id: String,
    /// When it happened, RFC 3339.
    pub time: String,
    /// Title, redacted.
    pub title: String,
    /// The sentence that tells most, redacted.
    pub text: String,
    /// Link back to the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The consumer; empty if nobody is named.
    pub consumer: String,
}

/// What a grouping of all stored feedback of an API at once would do otherwise than the themes as they stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposals {
    /// The API.
    pub api: String,
    /// What the answer reflects.
    pub checkpoint: Option<Checkpoint>,
    /// Pieces of feedback looked at, the newest where there are more than fit.
    pub pieces: u64,
    /// Themes they are in.
    pub themes: u64,
    /// The proposals, those about most pieces first.
    pub proposals: Vec<Proposal>,
}

/// One proposal. Nothing changes until a person does it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// `merge`, `split` or `rename`.
    pub action: String,
    /// The theme it is about.
    pub theme: String,
    /// What that theme is called.
    pub name: String,
    /// The theme to merge it into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// What to split off by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The name proposed, for `rename` and `split`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    /// Why.
    pub why: String,
    /// Pieces it is about.
    pub pieces: u64,
    /// Titles or sentences of some of them.
    pub examples: Vec<String>,
    /// The command that does it.
    pub command: String,
}
