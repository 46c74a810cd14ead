//! The tickets of the riddles.

use groundswell_contract::{Data, Ticket, data::Person};
use groundswell_model::Timestamp;

use super::{
    Consumer, DAYS, Made,
    apis::{self, APIS, Api, Style, VERSIONS},
    simulated,
};
use crate::{
    dice::Dice,
    plan::{DAY_MS, HOUR_MS},
    truth::{Simulated, Truth},
};

/// Mean number of tickets of a consumer.
const TICKETS: f64 = 9.0;
/// Half of the tickets trail their cause by hours, half by days.
const LAG_HOURS: [f64; 2] = [7.0, 44.0];
/// Days of calls that can be the only ones.
const LOOK_BACK_DAYS: i64 = 30;
/// Share of version fields that are wrong.
const WRONG_FIELD: f64 = 0.07;

const TROUBLES: &[&str] = &[
    "we get an empty answer every now and then",
    "the totals do not add up",
    "it answers after half a minute",
    "half of our jobs end in an exception",
    "records vanish",
    "the response has changed its shape",
    "we are throttled far below our limit",
    "it hangs until our side gives up",
];
/// The true version, named.
const NAMED: &[&str] = &[
    "Our integration is on {v} of the {a} API.",
    "{A} {v}: {t}.",
    "This concerns version {n}.",
    "We integrated {v} of your {a} API in spring and {t}.",
    "With {v} {t}.",
    "API version: {v}",
    "(using {v} in production)",
];
/// The true version, by a place or header.
const PLACES: &[&str] = &["{place} is what we send.", "Call in question: {place}", "curl {place} shows it", "```\n{place}\n```"];
/// The true version, where a consumer came to it from another.
const MOVES: &[&str] = &[
    "This began right after we switched from {o} to {v}.",
    "{o} -> {v} went smoothly on paper, but {t}.",
    "Following our migration to {v}, {t}.",
    "We upgraded to {v} from {o} on Tuesday; since then {t}.",
    "Before the upgrade from {o} to {v} none of this happened.",
];
/// Another version, where all is well.
const CONTRASTS: &[&str] = &[
    "Oddly enough {o} never shows this.",
    "{o} behaves correctly with the same payload.",
    "We had no such trouble with {o}.",
    "Our second cluster still talks to {o} and is healthy.",
    "Rolling back to {o} makes it go away.",
    "On {o}, the same job passes.",
];
/// Another version, and nothing about ours.
const MISLEADING: &[&str] = &[
    "Your competitor offers this in their {o} API already.",
    "The Nimbus {o} API does it right, by the way.",
    "We run this behind nginx 1.2 and speak HTTP/2 to you.",
    "Our HTTP library {o} is up to date.",
    "I read https://docs.tidewater.example/{o}/changes and found nothing.",
    "The documentation for {o} describes something else.",
    "Is {o} going to be any better here?",
    "We will look into {o} next year.",
    "The partner we integrate with is on their own {o}.",
];

struct Writer<'a, 'd> {
    dice: &'d mut Dice,
    cause: &'a Made,
    other: usize,
    trouble: &'static str,
}

/// Writes the tickets of a consumer.
pub(super) fn write(dice: &mut Dice, consumer: &Consumer, calls: &[Made], start: Timestamp, number: usize, events: &mut Vec<Simulated>) {
    for n in 0..dice.poisson(TICKETS) {
        let at = start.plus_ms(2 * DAY_MS + dice.ms_below((DAYS - 2) * DAY_MS));
        let mean = LAG_HOURS[dice.below(2)];
        let lag = dice.exponential(mean) * HOUR_MS as f64;
        let cause_at = at.plus_ms(-(lag as i64));
        // People write about what failed, most of the time.
        let picky = dice.chance(0.8);
        let Some(cause) = calls.iter().rev().find(|c| c.time <= cause_at && (c.failed || !picky)) else { continue };
        if cause.time.plus_ms(10 * DAY_MS) < at {
            continue;
        }
        let told = one(dice, consumer, calls, cause, at);
        let id = format!("riddle-{number:03}-{n}");
        events.push(simulated(id, at, at, Data::Ticket(Box::new(told.0)), told.1));
    }
}

fn one(dice: &mut Dice, consumer: &Consumer, calls: &[Made], cause: &Made, at: Timestamp) -> (Ticket, Truth) {
    let seen: Vec<&Made> =
        calls.iter().filter(|c| c.arrives <= at && c.time <= at && c.time >= at.plus_ms(-LOOK_BACK_DAYS * DAY_MS)).collect();
    let beside = seen.iter().filter(|c| c.api == cause.api && c.version != cause.version).map(|c| c.version).next();
    let api = &APIS[cause.api];
    let other = beside.unwrap_or((cause.version + 1 + dice.below(VERSIONS - 1)) % VERSIONS);
    let trouble = dice.word(TROUBLES);
    let mut writer = Writer { dice, cause, other, trouble };
    let (mut body, mut request_id, mut told_by) = (String::new(), None, None);
    let mut names_api = false;
    let style = writer.dice.weighted([0.13, 0.17, 0.09, 0.08, 0.08, 0.13, 0.32].into_iter());
    match style {
        0 => {
            told_by = (cause.arrives <= at).then_some("request");
            if writer.dice.chance(0.5) {
                request_id = Some(cause.request.clone());
            } else {
                body = format!("One of them has the id {}.", cause.request);
            }
        }
        1 => {
            body = writer.fill(NAMED);
            names_api = body.contains(api.name) && body.to_lowercase().contains("api") || body.starts_with(&capital(api.name));
            told_by = Some("named");
        }
        2 => {
            body = writer.fill(PLACES);
            (names_api, told_by) = (matches!(api.style, Style::Path | Style::Host), Some("place"));
        }
        3 if beside.is_some() && cause.version > other => {
            body = writer.fill(MOVES);
            told_by = Some("move");
        }
        4 if beside.is_some() => {
            body = writer.fill(CONTRASTS);
            let versions: std::collections::BTreeSet<usize> = seen.iter().filter(|c| c.api == cause.api).map(|c| c.version).collect();
            told_by = (versions.len() == 2).then_some("contrast");
        }
        5 => body = writer.fill(MISLEADING),
        _ => {}
    }
    let operation = writer.dice.chance(0.45).then(|| api.operations[cause.operation].0);
    let opening = match operation {
        Some(id) => format!("{id}: {trouble}."),
        None => format!("Hello, {trouble}."),
    };
    let (body, title) = (format!("{opening} {body} Can you help?"), format!("Trouble with our integration ({})", trouble.len()));
    let one_api = seen.iter().all(|c| c.api == cause.api) && !seen.is_empty();
    let api_told = one_api || operation.is_some() || names_api || told_by == Some("request");
    let only = seen.iter().filter(|c| c.api == cause.api).all(|c| c.version == cause.version) && seen.iter().any(|c| c.api == cause.api);
    let newest_operation = operation.is_some() && cause.operation == 3;
    // Who is not known to the identity map yet has no calls that could tell.
    let unseen = consumer.known > at;
    let consumer_told = dice.chance(0.5);
    let blind = unseen && !consumer_told;
    let told_by = match told_by {
        Some("named" | "place") if blind && !(names_api || operation.is_some()) => None,
        Some("request" | "contrast" | "move") if blind => None,
        None if blind => None,
        told if told.is_some() => told,
        _ if only => Some("only"),
        _ if newest_operation => Some("operation"),
        _ => None,
    }
    .filter(|_| api_told);
    let version_told = dice.chance(0.5);
    let wrong = version_told && dice.chance(WRONG_FIELD);
    let stated = if wrong { other } else { cause.version };
    let ticket = Ticket {
        title: Some(title),
        body: Some(body),
        request_id,
        consumer: consumer_told.then(|| consumer.name.to_string()),
        requester: (!consumer_told).then(|| Person { email: Some(consumer.mail.clone()), ..Person::default() }),
        api: (version_told || dice.chance(0.3)).then(|| api.name.to_owned()),
        api_version: version_told.then(|| api.versions[stated].to_owned()),
        ..Ticket::default()
    };
    let truth = Truth {
        api: Some(api.name),
        version: Some(api.versions[cause.version].into()),
        operation,
        consumer: Some(consumer.name.clone()),
        misleading: style == 5,
        told_by,
        wrong_field: wrong,
        ..Truth::default()
    };
    (ticket, truth)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Writer<'_, '_> {
    fn fill(&mut self, templates: &[&'static str]) -> String {
        let api = &APIS[self.cause.api];
        let (version, other) = (api.versions[self.cause.version], api.versions[self.other]);
        let place = self.place(api);
        let template = self.dice.word(templates);
        template
            .replace("{v}", version)
            .replace("{n}", version.trim_start_matches('v'))
            .replace("{o}", other)
            .replace("{a}", api.name)
            .replace("{A}", &capital(api.name))
            .replace("{t}", self.trouble)
            .replace("{place}", &place)
    }

    /// What somebody would paste.
    fn place(&mut self, api: &Api) -> String {
        let (version, operation) = (self.cause.version, self.cause.operation);
        let (path, host) = (apis::path(api, version, operation, 3), apis::host(api, version));
        let (_, method, _) = api.operations[operation];
        let name = api.versions[version];
        match api.style {
            Style::Path if self.dice.chance(0.5) => format!("{method} {path}"),
            Style::Path | Style::Host => format!("https://{host}{path}"),
            Style::Query => format!("{method} https://{host}{path}?api-version={name}"),
            Style::Media => format!("Accept: application/vnd.{}.{name}+json", api.name),
            Style::Date | Style::Header => format!("{}: {name}", apis::header_name(api.style).unwrap_or_default()),
        }
    }
}
