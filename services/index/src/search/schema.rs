//! Fields of the index, and an insight as a document.

use std::sync::LazyLock;

use groundswell_model::{Insight, frame};
use groundswell_themes::{Sketch, ThemeId};
use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, STORED, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use xxhash_rust::xxh3::xxh3_64;

use super::words;

/// Raised with every change of the fields, the analyzers or the stored form: an index of another layout is built again.
pub(super) const LAYOUT: u32 = 4;

/// Longer values of keywords are cut: no filter needs more, and the engine refuses terms over 64 KiB.
const LONGEST_KEYWORD: usize = 512;

macro_rules! keywords {
    ($($variant:ident = $name:literal, $facet:literal, $caseless:literal;)*) => {
        /// Fields compared as a whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Keyword { $($variant,)* }

        impl Keyword {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether its values can be counted.
            pub(super) fn is_facet(self) -> bool {
                match self { $(Self::$variant => $facet,)* }
            }

            /// Whether upper and lower case are the same.
            pub(super) fn is_caseless(self) -> bool {
                match self { $(Self::$variant => $caseless,)* }
            }
        }
    };
}

keywords! {
    Type = "type", true, true;
    Aspect = "aspect", true, true;
    Sentiment = "sentiment", true, true;
    Severity = "severity", true, true;
    Language = "language", true, true;
    Rung = "rung", true, true;
    Kind = "kind", true, true;
    SurveyKind = "survey_kind", true, true;
    Api = "api", true, false;
    Version = "version", true, false;
    Consumer = "consumer", true, false;
    Requester = "requester", true, false;
    Org = "org", true, true;
    Operation = "operation", true, true;
    Status = "status", true, true;
    Priority = "priority", true, true;
    Channel = "channel", true, true;
    Tag = "tag", true, true;
    Sdk = "sdk", true, true;
    Source = "source", true, false;
    Id = "id", false, false;
    TicketId = "ticket_id", false, true;
    RequestId = "request_id", false, false;
    Flag = "flag", true, true;
    Deciding = "deciding", false, false;
    Model = "model", true, false;
    Theme = "theme", true, true;
}

impl Keyword {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// The value as it is in the dictionary.
    pub(super) fn folded(self, value: &str) -> String {
        let value = cut(value);
        if self.is_caseless() { value.to_lowercase() } else { value.to_owned() }
    }
}

/// Fields compared as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Number {
    /// When it happened, in milliseconds.
    Time,
    /// When it was received, in milliseconds.
    Received,
    /// The survey answer.
    Score,
    /// How much of it counts for this version.
    Weight,
    /// How sure the version is.
    Confidence,
}

impl Number {
    pub(super) const ALL: [Self; 5] = [Self::Time, Self::Received, Self::Score, Self::Weight, Self::Confidence];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Received => "received",
            Self::Score => "score",
            Self::Weight => "weight",
            Self::Confidence => "confidence",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|n| n.name() == name)
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::Received)
    }
}

/// The fields by their purpose.
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// 16 bytes of the identity, for upserts.
    pub(super) identity: Field,
    /// Lower half of the identity: breaks ties, finds copies in other versions.
    pub(super) tie: Field,
    /// Number of versions the insight counts for.
    pub(super) copies: Field,
    /// Hash of the consumer; 0 for none.
    pub(super) consumer_hash: Field,
    /// Hash of the requester; 0 for none.
    pub(super) requester_hash: Field,
    /// Bytes of title and body.
    pub(super) length: Field,
    /// What near-duplicates have in common; 0 for a text without words.
    pub(super) sketch: Field,
    pub(super) score_min: Field,
    pub(super) score_max: Field,
    pub(super) title: Field,
    pub(super) body: Field,
    /// The whole insight in postcard.
    pub(super) stored: Field,
    /// What the machine said of a corrected insight.
    pub(super) machine: Field,
    keywords: Vec<Field>,
    numbers: [Field; 5],
}

impl Fields {
    pub(super) fn keyword(&self, keyword: Keyword) -> Field {
        self.keywords[keyword as usize]
    }

    pub(super) fn number(&self, number: Number) -> Field {
        self.numbers[number as usize]
    }
}

/// The one schema of this program.
pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(build);

fn build() -> Fields {
    let mut b = SchemaBuilder::default();
    let text = || {
        let indexing = TextFieldIndexing::default().set_tokenizer(words::TEXT).set_index_option(IndexRecordOption::WithFreqsAndPositions);
        TextOptions::default().set_indexing_options(indexing)
    };
    let identity = b.add_bytes_field("identity", BytesOptions::default() | INDEXED);
    let tie = b.add_u64_field("tie", FAST);
    let copies = b.add_u64_field("copies", FAST);
    let consumer_hash = b.add_u64_field("consumer_hash", FAST);
    let requester_hash = b.add_u64_field("requester_hash", FAST);
    let length = b.add_u64_field("length", FAST);
    let sketch = b.add_u64_field("sketch", FAST);
    let score_min = b.add_f64_field("score_min", FAST);
    let score_max = b.add_f64_field("score_max", FAST);
    let title = b.add_text_field("title", text());
    let body = b.add_text_field("body", text());
    let stored = b.add_bytes_field("insight", STORED);
    let machine = b.add_bytes_field("machine", STORED);
    let keywords = Keyword::ALL.iter().map(|k| b.add_text_field(k.name(), keyword_options(*k))).collect();
    let numbers = Number::ALL.map(|n| if n.is_time() { b.add_i64_field(n.name(), FAST) } else { b.add_f64_field(n.name(), FAST) });
    Fields {
        schema: b.build(),
        identity,
        tie,
        copies,
        consumer_hash,
        requester_hash,
        length,
        sketch,
        score_min,
        score_max,
        title,
        body,
        stored,
        machine,
        keywords,
        numbers,
    }
}

fn keyword_options(keyword: Keyword) -> TextOptions {
    let tokenizer = if keyword.is_caseless() { words::CASELESS } else { words::EXACT };
    let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false).set_index_option(IndexRecordOption::Basic);
    let options = TextOptions::default().set_indexing_options(indexing);
    if keyword.is_facet() { options.set_fast("raw") } else { options }
}

/// What an insight is about, as the grouping of its API found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Subject {
    /// Its theme; none for a text without words.
    pub theme: Option<ThemeId>,
    /// What it has in common with near-duplicates.
    pub sketch: Sketch,
}

/// An insight that postcard can't carry: never a value, only a type.
#[derive(Debug, thiserror::Error)]
#[error("can't store an insight: {0}")]
pub(super) struct Unstorable(String);

/// The insight as the document of one of its versions.
pub(super) fn document(insight: &Insight<'_>, stored: &[u8], weight: f32, subject: Subject) -> TantivyDocument {
    let f = &*FIELDS;
    let mut doc = TantivyDocument::with_capacity(stored.len() + insight.body.len() + 1024);
    doc.add_bytes(f.identity, &insight.identity.0.to_be_bytes());
    doc.add_u64(f.tie, tie_of(insight.identity.0));
    doc.add_u64(f.copies, insight.versions.len() as u64);
    doc.add_u64(f.consumer_hash, hash_of(insight.consumer));
    doc.add_u64(f.requester_hash, hash_of(insight.requester.unwrap_or_default()));
    doc.add_u64(f.length, (insight.title.len() + insight.body.len()) as u64);
    if !insight.title.is_empty() {
        doc.add_text(f.title, insight.title);
    }
    if !insight.body.is_empty() {
        doc.add_text(f.body, insight.body);
    }
    doc.add_bytes(f.stored, stored);
    doc.add_i64(f.number(Number::Time), insight.time.0);
    doc.add_i64(f.number(Number::Received), insight.received.0);
    doc.add_f64(f.number(Number::Weight), f64::from(weight));
    doc.add_f64(f.number(Number::Confidence), f64::from(insight.confidence));
    if let Some(survey) = &insight.survey {
        doc.add_f64(f.number(Number::Score), survey.score);
        doc.add_f64(f.score_min, survey.min);
        doc.add_f64(f.score_max, survey.max);
    }
    doc.add_u64(f.sketch, subject.sketch.0);
    if let Some(theme) = subject.theme {
        doc.add_text(f.keyword(Keyword::Theme), theme.to_string());
    }
    each_keyword(insight, &mut |keyword, value| {
        if !value.is_empty() {
            doc.add_text(f.keyword(keyword), cut(value));
        }
    });
    doc
}

fn each_keyword(i: &Insight<'_>, each: &mut dyn FnMut(Keyword, &str)) {
    each(Keyword::Type, &i.labels.kind.name);
    i.labels.aspects.iter().for_each(|a| each(Keyword::Aspect, &a.name));
    each(Keyword::Sentiment, &i.labels.sentiment.name);
    each(Keyword::Severity, &i.labels.severity.name);
    each(Keyword::Language, &i.labels.language.name);
    each(Keyword::Rung, i.rung.name());
    each(Keyword::Model, &i.labels.model);
    each(Keyword::Kind, if i.survey.is_some() { "survey" } else { "ticket" });
    each(Keyword::SurveyKind, i.survey.as_ref().map_or("", |s| s.kind));
    each(Keyword::Api, i.api);
    i.versions.iter().for_each(|v| each(Keyword::Version, v.version));
    each(Keyword::Consumer, i.consumer);
    each(Keyword::Source, i.source);
    each(Keyword::Id, i.id);
    i.tags.iter().for_each(|t| each(Keyword::Tag, t));
    i.flags.iter().for_each(|f| each(Keyword::Flag, f));
    i.deciding.iter().for_each(|id| each(Keyword::Deciding, id));
    let optional = [
        (Keyword::Requester, i.requester),
        (Keyword::Org, i.org),
        (Keyword::Operation, i.operation),
        (Keyword::Status, i.status),
        (Keyword::Priority, i.priority),
        (Keyword::Channel, i.channel),
        (Keyword::Sdk, i.sdk),
        (Keyword::TicketId, i.ticket_id),
        (Keyword::RequestId, i.request_id),
    ];
    optional.into_iter().for_each(|(keyword, value)| each(keyword, value.unwrap_or("")));
}

/// Tells names apart when they are counted; 0 for none.
pub(super) fn hash_of(name: &str) -> u64 {
    if name.is_empty() { 0 } else { xxh3_64(name.as_bytes()).max(1) }
}

/// Lower half of an identity.
pub(super) fn tie_of(identity: u128) -> u64 {
    (identity & u128::from(u64::MAX)) as u64
}

fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(LONGEST_KEYWORD)]
}

/// The stored form of an insight.
pub(super) fn encode(insight: &Insight<'_>) -> Result<Vec<u8>, Unstorable> {
    postcard::to_extend(insight, vec![frame::VERSION]).map_err(|e| Unstorable(e.to_string()))
}

/// The insight of its stored form.
pub(super) fn decode(bytes: &[u8]) -> Option<Insight<'_>> {
    frame::read(bytes).next()?.ok()
}
