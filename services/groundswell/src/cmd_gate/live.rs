//! The gate on a server or data folder: fresh data, and patience.

use std::time::{Duration, Instant};

use groundswell_index::deprecation::types::Readiness;
use groundswell_model::Timestamp;
use groundswell_review::{Policy, Review, Verdict};
use groundswell_runtime::status::Status;
use groundswell_runtime::{clock, exit};

use crate::cli::Global;
use crate::client::Client;
use crate::cmd_deprecation;
use crate::failure::Failure;
use crate::output::note;
use crate::stages::Stages;
use crate::verdict::{Question, ask};

/// How long what was published before the question may take to become searchable.
const FRESH_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AT_STATUS: Duration = Duration::from_millis(200);
/// How long to wait before a verdict is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// How patient the gate is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// How long to go on asking while nothing can be told.
    pub wait: Duration,
    /// How old the end of the data may be.
    pub max_age: Option<Duration>,
}

/// Asks until there is a verdict that tells something, or patience ends.
///
/// # Errors
/// What the last question came to: exit code 4 for everything that is not the user's mistake, for 1 would mean a regression.
pub fn review(global: &Global, question: &Question, policy: &Policy, patience: Patience) -> Result<Review, Failure> {
    patiently(patience.wait, || once(global, question, policy, patience.max_age), |review| (review.verdict, &review.reason))
}

/// The same for whether a version can be switched off.
///
/// # Errors
/// See [`review`].
pub fn readiness(global: &Global, api: &str, version: &str, policy: &Policy, patience: Patience) -> Result<Readiness, Failure> {
    let once = || {
        let client = Client::find(global)?;
        wait_fresh(&client)?;
        let readiness = cmd_deprecation::ask(&client, api, version, policy)?;
        client.finish()?;
        match patience.max_age {
            Some(max_age) => young(&readiness.as_of, clock::now(), max_age).map(|()| readiness),
            None => Ok(readiness),
        }
    };
    patiently(patience.wait, once, |readiness| (readiness.verdict, &readiness.reason))
}

fn patiently<T>(
    wait: Duration,
    mut once: impl FnMut() -> Result<T, Failure>,
    told: impl Fn(&T) -> (Verdict, &String),
) -> Result<T, Failure> {
    let end = Instant::now() + wait;
    loop {
        let tried = once().map_err(Failure::never_failed);
        let left = end.saturating_duration_since(Instant::now());
        match tried.as_ref().map(&told) {
            _ if left.is_zero() => return tried,
            Ok((verdict, _)) if verdict != Verdict::Inconclusive => return tried,
            Err(failure) if failure.code() != exit::UNREACHABLE => return tried,
            Ok((_, reason)) => note(&format!("inconclusive ({reason}); asking again, for at most {} s", left.as_secs())),
            Err(failure) => note(&format!("{failure}; asking again, for at most {} s", left.as_secs())),
        }
        std::thread::sleep(ASK_AGAIN.min(left));
    }
}

fn once(global: &Global, question: &Question, policy: &Policy, max_age: Option<Duration>) -> Result<Review, Failure> {
    let client = Client::find(global)?;
    wait_fresh(&client)?;
    let review = ask(&client, question, policy)?;
    client.finish()?;
    match max_age.filter(|_| question.until.is_none()) {
        Some(max_age) => young(&review.until, clock::now(), max_age).map(|()| review),
        None => Ok(review),
    }
}

/// Waits until what was published before this question has passed every stage. More may follow all the time.
fn wait_fresh(client: &Client) -> Result<(), Failure> {
    let end = Instant::now() + FRESH_WITHIN;
    let status = || client.get::<Status>(&["v1", "status"], &[]);
    let mut now = status()?;
    let mut stages = Stages::of(now.clone());
    while !stages.are_passed(&now) {
        if Instant::now() >= end {
            let waiting: u64 = now.lag.iter().map(|lag| lag.waiting).sum();
            return Err(Failure::unreachable(format!(
                "the data are stale: {waiting} records were not worked off within {} s; `groundswell status` shows where",
                FRESH_WITHIN.as_secs()
            )));
        }
        std::thread::sleep(LOOK_AT_STATUS);
        now = status()?;
    }
    Ok(())
}

/// Refuses data that end too long ago.
fn young(until: &str, now: Timestamp, max_age: Duration) -> Result<(), Failure> {
    let end = Timestamp::parse(&format!("{until}T00:00:00Z")).map_err(|e| Failure::unreachable(format!("the end of the data: {e}")))?;
    let age = u64::try_from(now.0.saturating_sub(end.0) / 1000).unwrap_or(0);
    if age <= max_age.as_secs() {
        return Ok(());
    }
    Err(Failure::unreachable(format!(
        "the data are stale: nothing since {until}, which is over {} s ago; does anybody still publish?",
        max_age.as_secs()
    )))
}

/// A length of time as it is typed: `45s`, `30m`, `2h`, `3d`.
///
/// # Errors
/// It is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a length of time like 45s, 30m, 2h or 3d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(["45s", "30m", "2h", "3d"].map(|t| duration(t).unwrap().as_secs()), [45, 1_800, 7_200, 259_200]);
        for wrong in ["", "30", "m", "-1m", "1.5h", "3ä"] {
            assert!(duration(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }

    #[test]
    fn nobody_there_is_exit_code_4_not_a_regression() {
        let global = Global { server: Some("http://127.0.0.1:9".into()), ..Global::default() };
        let failure = review(&global, &Question::default(), &Policy::default(), Patience::default()).unwrap_err();
        assert_eq!(failure.code(), exit::UNREACHABLE);
        assert_eq!(Failure::failed("the server failed").never_failed().code(), exit::UNREACHABLE);
        assert_eq!(Failure::wrong_use("no such version").never_failed().code(), exit::WRONG_USE);
    }

    #[test]
    fn data_that_end_long_ago_are_stale() {
        let (until, day) = ("2026-03-01", Duration::from_secs(86_400));
        let end = Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
        assert!(young(until, end.plus_ms(80_000_000), day).is_ok());
        let stale = young(until, end.plus_ms(90_000_000), day).unwrap_err();
        assert!(stale.code() == exit::UNREACHABLE && stale.to_string().contains("stale"), "{stale}");
    }
}
