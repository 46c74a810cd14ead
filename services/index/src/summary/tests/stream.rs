//! A made-up stream of calls and feedback on two versions, and how it gets into the stores.

use std::collections::BTreeMap;
use std::path::Path;

use groundswell_bus::Offset;
use groundswell_model::insight::{Label, SurveyAnswer};
use groundswell_model::{
    Hour, IdentityHash, Insight, Labels, LatencyBuckets, Milestone, MilestoneKind, Rung, Timestamp, UNKNOWN_VERSION, UsageDelta,
    VersionWeight,
};
use groundswell_runtime::settings::IndexSettings;

use crate::rollup::{Days, RollupStore};
use crate::search::SearchStore;

pub(crate) const API: &str = "payments";
pub(crate) const FIRST_DAY: i32 = 20_400;
const HOUR_MS: i64 = 3_600_000;
const MS: i64 = FIRST_DAY as i64 * 24 * HOUR_MS;

pub(crate) struct Call {
    pub(crate) api: &'static str,
    pub(crate) version: &'static str,
    pub(crate) operation: String,
    /// Empty if nobody is named.
    pub(crate) consumer: String,
    pub(crate) time: Timestamp,
    pub(crate) status: u16,
    pub(crate) ms: f64,
    /// Euro cents.
    pub(crate) cents: Option<i64>,
    pub(crate) orders: Option<f64>,
}

pub(crate) struct Feedback {
    pub(crate) id: String,
    pub(crate) versions: Vec<(&'static str, f32)>,
    pub(crate) rung: Rung,
    pub(crate) consumer: String,
    pub(crate) requester: Option<String>,
    pub(crate) time: Timestamp,
    /// Kind, score, lowest, highest.
    pub(crate) survey: Option<(&'static str, f64, f64, f64)>,
    pub(crate) kind: &'static str,
    pub(crate) aspects: Vec<&'static str>,
    pub(crate) sentiment: &'static str,
    pub(crate) operation: Option<String>,
}

pub(crate) struct Move {
    pub(crate) consumer: String,
    pub(crate) kind: MilestoneKind,
    pub(crate) to: &'static str,
    pub(crate) from: &'static str,
    pub(crate) time: Timestamp,
}

pub(crate) struct Stream {
    pub(crate) calls: Vec<Call>,
    pub(crate) feedback: Vec<Feedback>,
    pub(crate) moves: Vec<Move>,
}

pub(crate) struct Indexed {
    pub(crate) rollups: RollupStore,
    pub(crate) search: SearchStore,
}

/// Numbers that look random and are the same in every run (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

impl Stream {
    pub(crate) fn make(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let calls = (0..6000).map(|_| call(&mut dice)).collect();
        let feedback = (0..220).map(|i| feedback(&mut dice, i)).collect();
        let moves = (0..40).map(|i| a_move(&mut dice, i)).collect();
        Self { calls, feedback, moves }
    }

    /// The calls of one version in these days.
    pub(crate) fn calls(&self, version: &str, days: Days) -> Vec<&Call> {
        self.calls.iter().filter(|c| c.api == API && c.version == version && days.contains(c.time.day())).collect()
    }

    /// The feedback that counts for one version in these days, with its weight.
    pub(crate) fn feedback(&self, version: &str, days: Days) -> Vec<(&Feedback, f32)> {
        let weight = |f: &Feedback| f.versions.iter().find(|(v, _)| *v == version).map(|(_, w)| *w);
        self.feedback.iter().filter(|f| days.contains(f.time.day())).filter_map(|f| weight(f).map(|w| (f, w))).collect()
    }

    /// Puts everything into new stores, in several commits.
    pub(crate) fn index(&self, folder: &Path) -> Indexed {
        let mut rollups = RollupStore::open(&folder.join("usage.redb"), 8).unwrap();
        let mut search = SearchStore::open(&folder.join("search"), 0, &IndexSettings::default()).unwrap();
        for (i, part) in self.calls.chunks(2500).enumerate() {
            deltas(part, |delta| rollups.add(delta).unwrap());
            rollups.commit(Offset(i as u64 + 1)).unwrap();
        }
        self.milestones(&mut rollups);
        rollups.commit(Offset(10)).unwrap();
        for (i, said) in self.feedback.iter().enumerate() {
            said.insight(|insight| search.put(insight, Offset(i as u64)).unwrap());
        }
        search.commit(Offset(self.feedback.len() as u64)).unwrap();
        Indexed { rollups, search }
    }

    fn milestones(&self, rollups: &mut RollupStore) {
        for m in &self.moves {
            let (api, version, consumer, kind) = (API, m.to, m.consumer.as_str(), m.kind);
            let told = Milestone { api, version, consumer, kind, time: m.time, from: Some(m.from), operation: "", failed_before: 0 };
            rollups.milestone(&told).unwrap();
        }
        for ((version, consumer), (time, failed_before)) in self.first_successes() {
            let kind = MilestoneKind::FirstSuccess;
            let told = Milestone { api: API, version, consumer, kind, time, from: None, operation: "", failed_before };
            rollups.milestone(&told).unwrap();
        }
    }

    /// Version and consumer to the time of the first success and the failed calls before it.
    pub(crate) fn first_successes(&self) -> BTreeMap<(&'static str, &str), (Timestamp, u64)> {
        let mut first: BTreeMap<(&str, &str), (Timestamp, u64)> = BTreeMap::new();
        let named = || self.calls.iter().filter(|c| c.api == API && !c.consumer.is_empty());
        for call in named().filter(|c| c.status < 400) {
            let entry = first.entry((call.version, &call.consumer)).or_insert((call.time, 0));
            entry.0 = entry.0.min(call.time);
        }
        for call in named().filter(|c| c.status >= 400) {
            if let Some((time, failed)) = first.get_mut(&(call.version, call.consumer.as_str())) {
                *failed += u64::from(call.time < *time);
            }
        }
        first
    }
}

fn call(dice: &mut Dice) -> Call {
    let version = dice.of(&["v1", "v1", "v2", "v2", "v2", UNKNOWN_VERSION]);
    let operation = dice.below(14);
    let failing = operation == 3 || (version == "v2" && operation == 5);
    let status = if dice.below(100) < if failing { 40 } else { 4 } { dice.of(&[400, 404, 429, 500, 503]) } else { 200 };
    let consumer = dice.below(90);
    // The later consumers begin later, so that windows have new ones.
    let begins = (consumer / 12) as i64 * 24 * HOUR_MS;
    Call {
        api: if dice.below(20) == 0 { "maps" } else { API },
        version,
        operation: format!("getOp{operation}"),
        consumer: if consumer == 0 { String::new() } else { format!("c{consumer}") },
        time: Timestamp(MS + begins + dice.below(8 * 24 * HOUR_MS as u64) as i64),
        status: if consumer == 89 { 503 } else { status },
        ms: 5.0 + dice.below(4000) as f64 / 10.0,
        cents: (dice.below(3) == 0).then(|| dice.below(900) as i64 - 100),
        orders: (dice.below(4) == 0).then(|| dice.below(100) as f64 / 8.0),
    }
}

fn feedback(dice: &mut Dice, number: u64) -> Feedback {
    let (versions, rung) = match dice.below(10) {
        0..4 => (vec![("v1", 1.0)], Rung::Explicit),
        4..7 => (vec![("v2", 1.0)], Rung::Path),
        7..9 => (vec![("v1", 0.3), ("v2", 0.7)], Rung::Share),
        _ => (vec![(UNKNOWN_VERSION, 1.0)], Rung::Unknown),
    };
    let survey = match dice.below(6) {
        0 => Some(("nps", dice.below(11) as f64, 0.0, 10.0)),
        1 => Some(("csat", 1.0 + dice.below(5) as f64, 1.0, 5.0)),
        2 => Some(("ces", 1.0 + dice.below(7) as f64, 1.0, 7.0)),
        3 => Some(("rating", dice.below(4) as f64, 0.0, 3.0)),
        _ => None,
    };
    let consumer = dice.below(40);
    Feedback {
        id: format!("f{number}"),
        versions,
        rung,
        consumer: if consumer == 0 { String::new() } else { format!("c{consumer}") },
        requester: (dice.below(3) > 0).then(|| format!("r{}", dice.below(60))),
        time: Timestamp(MS + dice.below(15 * 24 * HOUR_MS as u64) as i64),
        survey,
        kind: dice.of(&["bug", "bug", "question", "praise"]),
        aspects: match dice.below(3) {
            0 => vec![],
            1 => vec!["auth"],
            _ => vec!["latency", "documentation"],
        },
        sentiment: dice.of(&["negative", "neutral", "positive"]),
        operation: (dice.below(2) == 0).then(|| format!("getOp{}", dice.below(14))),
    }
}

fn a_move(dice: &mut Dice, number: u64) -> Move {
    let (kind, from, to) = if dice.below(3) == 0 { (MilestoneKind::Downgrade, "v2", "v1") } else { (MilestoneKind::Upgrade, "v1", "v2") };
    Move { consumer: format!("c{}", number + 1), kind, from, to, time: Timestamp(MS + dice.below(15 * 24 * HOUR_MS as u64) as i64) }
}

/// Folds calls by API, version, operation, consumer and hour.
fn deltas(calls: &[Call], mut each: impl FnMut(&UsageDelta<'_>)) {
    let mut groups: BTreeMap<(&str, &str, &str, &str, Hour), Vec<&Call>> = BTreeMap::new();
    for c in calls {
        groups.entry((c.api, c.version, &c.operation, &c.consumer, c.time.hour())).or_default().push(c);
    }
    for ((api, version, operation, consumer, hour), of) in groups {
        let count = |wanted: fn(u16) -> bool| of.iter().filter(|c| wanted(c.status)).count() as u64;
        let mut latency = LatencyBuckets::default();
        of.iter().for_each(|c| latency.add(c.ms, 1));
        let times = || of.iter().map(|c| c.time);
        let cents: Vec<i64> = of.iter().filter_map(|c| c.cents).collect();
        let orders: Vec<f64> = of.iter().filter_map(|c| c.orders).collect();
        each(&UsageDelta {
            api,
            version,
            operation,
            consumer,
            hour,
            calls: of.len() as u64,
            failed: count(|s| s >= 400),
            server_errors: count(|s| s >= 500),
            rate_limited: count(|s| s == 429),
            first: times().min().unwrap(),
            last: times().max().unwrap(),
            first_success: of.iter().filter(|c| c.status < 400).map(|c| c.time).min(),
            latency,
            revenue: if cents.is_empty() { vec![] } else { vec![("EUR", cents.iter().sum::<i64>() * 10_000)] },
            value: if orders.is_empty() { vec![] } else { vec![("order", orders.len() as u64, orders.iter().sum())] },
            received: times().max().unwrap(),
        });
    }
}

impl Feedback {
    fn insight(&self, put: impl FnOnce(&Insight<'_>)) {
        let label = |name: &str| Label { name: name.to_owned(), confidence: 0.9, because: vec![] };
        put(&Insight {
            identity: IdentityHash::of("desk", &self.id),
            source: "desk",
            id: &self.id,
            time: self.time,
            received: self.time,
            api: API,
            versions: self.versions.iter().map(|(version, weight)| VersionWeight { version, weight: *weight }).collect(),
            rung: self.rung,
            confidence: 1.0,
            evidence: vec![],
            deciding: vec![],
            flags: vec![],
            operation: self.operation.as_deref(),
            consumer: &self.consumer,
            requester: self.requester.as_deref(),
            org: None,
            title: if self.survey.is_none() { "It | fails" } else { "" },
            body: "Since the last release we get errors from time to time, and nobody tells us why that is.",
            url: Some("https://desk.example/t/1"),
            survey: self.survey.map(|(kind, score, min, max)| SurveyAnswer { kind, score, min, max }),
            ticket_id: None,
            status: None,
            priority: None,
            channel: None,
            tags: vec![],
            sdk: None,
            request_id: None,
            labels: Labels {
                kind: label(self.kind),
                aspects: self.aspects.iter().map(|a| label(a)).collect(),
                sentiment: label(self.sentiment),
                sentiment_score: 0.0,
                severity: label("annoys"),
                language: label("en"),
                model: "rules 1".to_owned(),
            },
            redacted: vec![],
            attributes: vec![],
        });
    }
}
