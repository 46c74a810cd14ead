//! Whether the values of a decoded event are right.

use groundswell_model::{Reject, RejectReason, Timestamp};

use crate::data::{Data, Identity, Money, Release, Survey, SurveyKind, Ticket, Usage};
use crate::decisions::{Correction, MachineLabels, ThemeAction, ThemeDecision};
use crate::limits::{
    API_BYTES, IDENTITY_BYTES, MAX_AMOUNT, MAX_ASPECTS, MAX_COUNT, MAX_LATENCY_MS, MAX_LIST, MAX_SAMPLED_RATE, NAME_BYTES,
};
use crate::{Decoded, Limits};

const MS_PER_HOUR: i64 = 3_600_000;
/// 1990-01-01T00:00:00Z: an earlier `time` is a mistake of units or an unset clock.
const EARLIEST: Timestamp = Timestamp(631_152_000_000);

/// Checks the values of a decoded event.
///
/// # Errors
/// A value is missing, or outside what its field allows; the reject names the field and what it allows.
pub fn validate(event: &Decoded, now: Timestamp, limits: &Limits) -> Result<(), Reject> {
    if let Some(time) = event.time {
        check_time("attribute `time`", time)?;
        if time > now.plus_ms(i64::from(limits.future_hours) * MS_PER_HOUR) {
            return Err(RejectReason::TimeInFuture
                .because(format!("attribute `time` is more than {} hours ahead: check the clock and the unit", limits.future_hours)));
        }
    }
    if event.extensions.sampledrate.is_some_and(|r| !(1..=MAX_SAMPLED_RATE).contains(&r)) {
        return Err(RejectReason::OutOfRange.because(format!("attribute `sampledrate` must be from 1 to {MAX_SAMPLED_RATE}")));
    }
    match &event.data {
        Data::Ticket(data) => ticket(data),
        Data::Survey(data) => survey(data),
        Data::Usage(data) => usage(data),
        Data::Release(data) => release(data),
        Data::Identity(data) => identity(data),
        Data::Correction(data) => correction(data),
        Data::Theme(data) => theme(data),
    }
}

fn check_time(what: &str, time: Timestamp) -> Result<(), Reject> {
    if time < EARLIEST { Err(RejectReason::TimeInvalid.because(format!("{what} lies before 1990: check the unit"))) } else { Ok(()) }
}

fn ticket(data: &Ticket) -> Result<(), Reject> {
    if data.title.is_none() && data.body.is_none() {
        return Err(RejectReason::MissingField.because("`data.title` or `data.body` is required"));
    }
    entries("tags", data.tags.len())?;
    about(&data.consumer, &data.api, &data.api_version, &data.operation)
}

fn survey(data: &Survey) -> Result<(), Reject> {
    let (min, max) = match (data.kind, data.kind.scale()) {
        (_, Some(scale)) => scale,
        (SurveyKind::Rating | SurveyKind::Nps | SurveyKind::Csat | SurveyKind::Ces, None) => own_scale(data)?,
    };
    if !(min..=max).contains(&data.score) {
        return Err(out_of_range("score", &format!("from {min} to {max} for `{}`", data.kind.name())));
    }
    about(&data.consumer, &data.api, &data.api_version, &data.operation)
}

fn own_scale(data: &Survey) -> Result<(f64, f64), Reject> {
    let (Some(min), Some(max)) = (data.min, data.max) else {
        return Err(RejectReason::MissingField.because("`data.min` and `data.max` are required for the kind `rating`"));
    };
    if min < max { Ok((min, max)) } else { Err(out_of_range("min", "less than `data.max`")) }
}

fn usage(data: &Usage) -> Result<(), Reject> {
    if data.api.is_none() && data.path.is_none() {
        return Err(RejectReason::MissingField.because("`data.api` or `data.path` is required"));
    }
    match (data.status, data.outcome) {
        (None, None) => return Err(RejectReason::MissingField.because("`data.status` or `data.outcome` is required")),
        (Some(status), _) if !(100..=599).contains(&status) => return Err(out_of_range("status", "from 100 to 599")),
        _ => {}
    }
    if data.latency_ms.is_some_and(|ms| !(0.0..=MAX_LATENCY_MS).contains(&ms)) {
        return Err(out_of_range("latency_ms", &format!("from 0 to {MAX_LATENCY_MS}")));
    }
    if data.count.is_some_and(|count| !(1..=MAX_COUNT).contains(&count)) {
        return Err(out_of_range("count", &format!("from 1 to {MAX_COUNT}")));
    }
    data.revenue.as_ref().map_or(Ok(()), money)?;
    if let Some(value) = &data.value {
        name_required("value.name", &value.name, NAME_BYTES)?;
        amount("value.amount", value.amount.unwrap_or(1.0))?;
    }
    name("plan", &data.plan, NAME_BYTES)?;
    name("use_case", &data.use_case, NAME_BYTES)?;
    about(&data.consumer, &data.api, &data.api_version, &data.operation)
}

fn release(data: &Release) -> Result<(), Reject> {
    name_required("api", &data.api, API_BYTES)?;
    name_required("api_version", &data.api_version, API_BYTES)?;
    for (field, len) in
        [("base_paths", data.base_paths.len()), ("hosts", data.hosts.len()), ("sdks", data.sdks.len()), ("aliases", data.aliases.len())]
    {
        entries(field, len)?;
    }
    if let Some(time) = &data.time {
        let time = Timestamp::parse(time)
            .map_err(|_| RejectReason::TimeInvalid.because("`data.time` must be an RFC 3339 time, such as 2026-03-01T12:30:00Z"))?;
        check_time("`data.time`", time)?;
    }
    if let Some(header) = &data.header {
        name_required("header.name", &header.name, NAME_BYTES)?;
        name_required("header.value", &header.value, NAME_BYTES)?;
    }
    data.sdks.iter().try_for_each(|sdk| name_required("sdks.name", &sdk.name, NAME_BYTES))?;
    match &data.openapi {
        None => Ok(()),
        Some(openapi) if openapi.is_object() || openapi.is_string() || openapi.is_null() => Ok(()),
        Some(_) => {
            Err(RejectReason::InvalidData.because("`data.openapi` must be an OpenAPI document (an object, or YAML as text) or its URL"))
        }
    }
}

fn identity(data: &Identity) -> Result<(), Reject> {
    name_required("consumer", &data.consumer, NAME_BYTES)?;
    not_pseudonym("consumer", &data.consumer)?;
    for (field, len) in
        [("emails", data.emails.len()), ("email_domains", data.email_domains.len()), ("requester_ids", data.requester_ids.len())]
    {
        entries(field, len)?;
    }
    if !data.emails.iter().all(|e| e.contains('@')) {
        return Err(
            RejectReason::InvalidData.because("an entry of `data.emails` has no @: send whole addresses, or domains in `email_domains`")
        );
    }
    data.revenue.as_ref().map_or(Ok(()), money)
}

fn correction(data: &Correction) -> Result<(), Reject> {
    name_required("of.source", &data.of.source, IDENTITY_BYTES)?;
    name_required("of.id", &data.of.id, IDENTITY_BYTES)?;
    if !data.says_something() {
        return Err(RejectReason::MissingField.because(
            "one of `data.type`, `data.aspects`, `data.sentiment`, `data.severity`, `data.language`, `data.api_version`, `data.withdrawn` is required",
        ));
    }
    let labels = [("type", &data.kind), ("sentiment", &data.sentiment), ("severity", &data.severity), ("language", &data.language)];
    labels.into_iter().try_for_each(|(field, label)| name(field, label, NAME_BYTES))?;
    let aspects = data.aspects.as_deref().unwrap_or_default();
    if aspects.len() > MAX_ASPECTS {
        return Err(out_of_range("aspects", &format!("a list of at most {MAX_ASPECTS} entries")));
    }
    aspects.iter().try_for_each(|aspect| name_required("aspects", aspect, NAME_BYTES))?;
    name("api_version", &data.api_version, API_BYTES)?;
    data.machine.as_ref().map_or(Ok(()), machine_labels)?;
    name("by", &data.by, NAME_BYTES)
}

fn machine_labels(data: &MachineLabels) -> Result<(), Reject> {
    let labels = [&data.kind, &data.sentiment, &data.severity, &data.language, &data.model];
    labels.into_iter().try_for_each(|label| name("machine", label, NAME_BYTES))?;
    if data.aspects.len() > MAX_ASPECTS {
        return Err(out_of_range("machine.aspects", &format!("a list of at most {MAX_ASPECTS} entries")));
    }
    data.aspects.iter().try_for_each(|aspect| name_required("machine.aspects", aspect, NAME_BYTES))?;
    name("machine.api_version", &data.api_version, API_BYTES)
}

fn theme(data: &ThemeDecision) -> Result<(), Reject> {
    name_required("api", &data.api, API_BYTES)?;
    name_required("theme", &data.theme, NAME_BYTES)?;
    name("into", &data.into, NAME_BYTES)?;
    name("name", &data.name, NAME_BYTES)?;
    name("query", &data.query, NAME_BYTES)?;
    name("api_version", &data.api_version, API_BYTES)?;
    name("by", &data.by, NAME_BYTES)?;
    entries("feedback", data.feedback.len())?;
    let missing = match data.action {
        ThemeAction::Rename if data.name.is_none() => "name",
        ThemeAction::Merge if data.into.is_none() => "into",
        ThemeAction::Split if data.query.is_none() && data.feedback.is_empty() => "query` or `data.feedback",
        ThemeAction::Decide if data.status.is_none() => "status",
        _ => return Ok(()),
    };
    Err(RejectReason::MissingField.because(format!("`data.{missing}` is required to {} a theme", data.action.name())))
}

/// The fields that feedback and usage share.
fn about(consumer: &Option<String>, api: &Option<String>, version: &Option<String>, operation: &Option<String>) -> Result<(), Reject> {
    name("consumer", consumer, NAME_BYTES)?;
    consumer.as_deref().map_or(Ok(()), |c| not_pseudonym("consumer", c))?;
    name("api", api, API_BYTES)?;
    name("api_version", version, API_BYTES)?;
    name("operation", operation, 2 * NAME_BYTES)
}

fn not_pseudonym(field: &str, text: &str) -> Result<(), Reject> {
    if text.starts_with('~') {
        return Err(RejectReason::InvalidData.because(format!("`data.{field}` must not begin with ~, which marks pseudonyms")));
    }
    Ok(())
}

fn name(field: &str, text: &Option<String>, most: usize) -> Result<(), Reject> {
    text.as_deref().map_or(Ok(()), |t| name_required(field, t, most))
}

/// A text by which things are counted: there, of bounded length, on one line.
fn name_required(field: &str, text: &str, most: usize) -> Result<(), Reject> {
    if text.is_empty() {
        return Err(RejectReason::MissingField.because(format!("`data.{field}` is required and must not be blank")));
    }
    if text.len() > most {
        return Err(RejectReason::InvalidData.because(format!("`data.{field}` is longer than {most} bytes: send a name, not a text")));
    }
    if text.bytes().any(|b| b.is_ascii_control()) {
        return Err(RejectReason::InvalidData.because(format!("`data.{field}` has a control character")));
    }
    Ok(())
}

fn entries(field: &str, len: usize) -> Result<(), Reject> {
    if len > MAX_LIST { Err(out_of_range(field, &format!("a list of at most {MAX_LIST} entries"))) } else { Ok(()) }
}

fn money(money: &Money) -> Result<(), Reject> {
    name_required("revenue.currency", &money.currency, 16)?;
    amount("revenue.amount", money.amount)
}

fn amount(field: &str, amount: f64) -> Result<(), Reject> {
    if amount.abs() <= MAX_AMOUNT { Ok(()) } else { Err(out_of_range(field, &format!("from -{MAX_AMOUNT} to {MAX_AMOUNT}"))) }
}

fn out_of_range(field: &str, allowed: &str) -> Reject {
    RejectReason::OutOfRange.because(format!("`data.{field}` must be {allowed}"))
}
