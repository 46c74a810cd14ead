//! Did a fix work, on the consumers who asked for it?
//!
//! Looked at is whoever asked before the version that should mend it was there. From then on they are held against each other: who has
//! moved, on that version, and who has not, on older ones. Both were chosen in the same way, by having asked, so that what
//! people stop writing about anyway is in both. A consumer counts once on each side, however often it writes, over the square root of
//! its calls. Beside it stands the same for everything else that these consumers say: if who moves writes less about
//! anything, it was not the fix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF, Normal};

use crate::figures::digits;
use crate::prepare::real;

/// 95 % on two sides.
const TAIL: f64 = 0.025;
/// What may be left of the complaints for a fix to have worked.
pub const MOST_LEFT: f64 = 0.5;
/// Consumers who asked, on each side, below which nothing is told.
const LEAST_CONSUMERS: u64 = 4;
/// Other complaints on each side below which they are no control.
const LEAST_CONTROL: u64 = 5;

/// A consumer has said it with this much of a piece: feedback that may be about several versions counts for each in part.
pub const SAID: f64 = 0.5;

/// One consumer who asked before the version was there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asker {
    /// Its name.
    pub name: String,
    /// What it did and said from the release on, on older versions and on the version.
    pub on_older: Since,
    /// See there.
    pub on_version: Since,
    /// What it did and said before the release.
    pub before: Since,
}

/// What a consumer did and said in a time, on some versions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Since {
    /// Sum of the square roots of its calls of a day.
    pub exposure: f64,
    /// Calls.
    pub calls: u64,
    /// Pieces about the subject, by weight.
    pub asked: f64,
    /// Pieces about anything else.
    pub other: f64,
}

/// What came of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FixVerdict {
    /// Those who moved say it less than half as often as those who have not, and that is no chance.
    Verified,
    /// They say it as often, or at least more than half as often.
    NotVerified,
    /// It can't be told yet.
    TooEarly,
}

impl FixVerdict {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotVerified => "not verified",
            Self::TooEarly => "too early",
        }
    }
}

/// One side: those who have moved, or those who have not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// Consumers who asked and called these versions since.
    pub consumers: u64,
    /// Their calls since.
    pub calls: u64,
    /// What they are held against: the square roots of their calls of a day.
    pub exposure: f64,
    /// Of them, who said it again.
    pub again: u64,
    /// Pieces in which they said it, by weight.
    pub pieces: f64,
    /// Pieces for each 10,000 calls.
    pub per_10_000_calls: Option<f64>,
    /// Of them, who wrote about something else.
    pub wrote_other: u64,
    /// Pieces about it before the release, for each 10,000 calls of then.
    pub before_per_10_000_calls: Option<f64>,
}

/// A ratio with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The ratio; none where its lower side is 0.
    pub value: Option<f64>,
    /// Lower end.
    pub low: f64,
    /// Upper end; none where there is none.
    pub high: Option<f64>,
}

/// What is known of a fix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixFigures {
    /// The verdict.
    pub verdict: FixVerdict,
    /// Why, in a sentence.
    pub reason: String,
    /// Consumers who asked before the release.
    pub asked: u64,
    /// On the version.
    pub moved: Arm,
    /// On older versions, at the same time.
    pub stayed: Arm,
    /// How many times as often who moved says it again.
    pub ratio: Option<Ratio>,
    /// The same for everything else that they say: the control.
    pub control: Option<Ratio>,
    /// The first over the second; none where there is too little control.
    pub adjusted: Option<Ratio>,
    /// Difference in differences: (now over before of who moved) over (now over before of who stayed), in pieces for each call, with a
    /// jackknife by consumer; none with fewer than four on a side.
    pub difference_in_differences: Option<Ratio>,
    /// Who says it on the version, though they moved: by how often.
    pub still: Vec<Still>,
}

/// A consumer who moved and says it still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Still {
    /// The consumer.
    pub consumer: String,
    /// Pieces, by weight.
    pub pieces: f64,
    /// Whether it asked before the version was there.
    pub asked_before: bool,
}

/// Judges a fix. `new` are consumers who say it on the version and had not asked before.
#[must_use]
pub fn judge(askers: &[Asker], new: Vec<Still>) -> FixFigures {
    let moved = arm(askers, |a| &a.on_version);
    let stayed = arm(askers, |a| &a.on_older);
    let ratio = rate_ratio((moved.again, moved.exposure), (stayed.again, stayed.exposure));
    let control = rate_ratio((moved.wrote_other, moved.exposure), (stayed.wrote_other, stayed.exposure));
    let enough_control = moved.wrote_other.min(stayed.wrote_other) >= LEAST_CONTROL;
    let adjusted = adjusted(&moved, &stayed).filter(|_| enough_control);
    let (verdict, reason) = verdict(&moved, &stayed, ratio, adjusted);
    let mut still: Vec<Still> = askers
        .iter()
        .filter(|a| a.on_version.asked >= SAID)
        .map(|a| Still { consumer: a.name.clone(), pieces: digits(a.on_version.asked), asked_before: true })
        .chain(new)
        .collect();
    still.sort_by(|a, b| b.asked_before.cmp(&a.asked_before).then(b.pieces.total_cmp(&a.pieces)).then_with(|| a.consumer.cmp(&b.consumer)));
    FixFigures {
        verdict,
        reason,
        asked: askers.len() as u64,
        moved,
        stayed,
        ratio,
        control,
        adjusted,
        difference_in_differences: difference_in_differences(askers),
        still,
    }
}

fn arm(askers: &[Asker], side: fn(&Asker) -> &Since) -> Arm {
    let mut arm = Arm::default();
    let (mut before, mut calls_before) = (0.0, 0);
    for asker in askers.iter().filter(|a| side(a).exposure > 0.0) {
        let own = side(asker);
        arm.consumers += 1;
        arm.calls += own.calls;
        arm.exposure += own.exposure;
        arm.pieces += own.asked;
        arm.again += u64::from(own.asked >= SAID);
        arm.wrote_other += u64::from(own.other >= SAID);
        before += asker.before.asked;
        calls_before += asker.before.calls;
    }
    let rate = |pieces: f64, calls: u64| (calls > 0).then(|| digits(1e4 * pieces / real(calls)));
    Arm {
        exposure: digits(arm.exposure),
        pieces: digits(arm.pieces),
        per_10_000_calls: rate(arm.pieces, arm.calls),
        before_per_10_000_calls: rate(before, calls_before),
        ..arm
    }
}

/// Two Poisson rates: given their sum the first is binomial, exactly (Przyborowski and Wilenski, *Biometrika* 31 (1940) 313–323;
/// bounds of Clopper and Pearson).
fn rate_ratio((hits, exposure): (u64, f64), (others, other_exposure): (u64, f64)) -> Option<Ratio> {
    if exposure <= 0.0 || other_exposure <= 0.0 || hits + others == 0 {
        return None;
    }
    let (a, b) = (real(hits), real(others));
    let end = |x: f64, y: f64, p: f64| Beta::new(x, y).ok().map(|beta| beta.inverse_cdf(p));
    let low = if hits == 0 { 0.0 } else { end(a, b + 1.0, TAIL)? };
    let high = if others == 0 { 1.0 } else { end(a + 1.0, b, 1.0 - TAIL)? };
    let ratio = |share: f64| share / (1.0 - share) * other_exposure / exposure;
    Some(Ratio {
        value: (others > 0).then(|| digits(a / exposure / (b / other_exposure))),
        low: digits(ratio(low)),
        high: (others > 0).then(|| digits(ratio(high))),
    })
}

/// The ratio over that of the control, by the logarithm's variance 1/(n + ½) of each count.
fn adjusted(moved: &Arm, stayed: &Arm) -> Option<Ratio> {
    let counts = [moved.again, stayed.again, moved.wrote_other, stayed.wrote_other].map(|n| real(n) + 0.5);
    let [a, b, c, d] = counts;
    let centre = (a / b / (c / d)).ln();
    let spread = z()? * counts.iter().map(|n| 1.0 / n).sum::<f64>().sqrt();
    Some(interval(centre, spread))
}

fn interval(centre: f64, spread: f64) -> Ratio {
    Ratio { value: Some(digits(centre.exp())), low: digits((centre - spread).exp()), high: Some(digits((centre + spread).exp())) }
}

fn z() -> Option<f64> {
    Normal::new(0.0, 1.0).ok().map(|n| n.inverse_cdf(1.0 - TAIL))
}

fn verdict(moved: &Arm, stayed: &Arm, ratio: Option<Ratio>, adjusted: Option<Ratio>) -> (FixVerdict, String) {
    let fewest = moved.consumers.min(stayed.consumers);
    if fewest < LEAST_CONSUMERS {
        let reason =
            format!("{} who asked have moved and {} have not, {LEAST_CONSUMERS} of each are wanted", moved.consumers, stayed.consumers);
        return (FixVerdict::TooEarly, reason);
    }
    let Some(ratio) = ratio else {
        return (FixVerdict::TooEarly, "nobody who asked has said it again, on any version".to_owned());
    };
    let below = |r: Ratio, limit: f64| r.high.is_some_and(|high| high < limit);
    if ratio.low > MOST_LEFT {
        let reason = format!("who moved says it at least {:.2} times as often as who has not", ratio.low);
        return (FixVerdict::NotVerified, reason);
    }
    if below(ratio, 1.0) && ratio.value.is_none_or(|v| v <= MOST_LEFT) {
        if adjusted.is_some_and(|a| !below(a, 1.0)) {
            return (FixVerdict::TooEarly, "who moved says it less often, but says everything else less often, too".to_owned());
        }
        let value = ratio.value.unwrap_or(0.0);
        return (FixVerdict::Verified, format!("who moved says it {value:.2} times as often as who has not"));
    }
    (FixVerdict::TooEarly, "the interval still holds both a fix and none".to_owned())
}

fn difference_in_differences(askers: &[Asker]) -> Option<Ratio> {
    let sides: [Vec<&Asker>; 2] =
        [|a: &Asker| a.on_version.exposure > 0.0, |a: &Asker| a.on_version.exposure <= 0.0 && a.on_older.exposure > 0.0]
            .map(|of| askers.iter().filter(|a| of(a)).collect());
    let [moved, stayed] = sides;
    if moved.len() < 4 || stayed.len() < 4 {
        return None;
    }
    let (here, there) = (logarithm(&moved, |a| &a.on_version)?, logarithm(&stayed, |a| &a.on_older)?);
    let variance = jackknife(&moved, |a| &a.on_version)? + jackknife(&stayed, |a| &a.on_older)?;
    Some(interval(here - there, z()? * variance.sqrt()))
}

/// Logarithm of pieces per call now over before, with half a piece on each.
fn logarithm(askers: &[&Asker], now: fn(&Asker) -> &Since) -> Option<f64> {
    let sum = |of: &dyn Fn(&Asker) -> f64| askers.iter().map(|a| of(a)).sum::<f64>();
    let (calls, before) = (sum(&|a| real(now(a).calls)), sum(&|a| real(a.before.calls)));
    if calls <= 0.0 || before <= 0.0 {
        return None;
    }
    Some(((sum(&|a| now(a).asked) + 0.5) / calls / ((sum(&|a| a.before.asked) + 0.5) / before)).ln())
}

/// Its variance: what leaving out one consumer after the other changes (Efron, *The Jackknife*, 1982).
fn jackknife(askers: &[&Asker], now: fn(&Asker) -> &Since) -> Option<f64> {
    let without: Vec<f64> = (0..askers.len())
        .map(|out| {
            let rest: Vec<&Asker> = askers.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, a)| *a).collect();
            logarithm(&rest, now)
        })
        .collect::<Option<_>>()?;
    let n = real(without.len() as u64);
    let mean = without.iter().sum::<f64>() / n;
    Some((n - 1.0) / n * without.iter().map(|w| (w - mean).powi(2)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn askers(moved_again: usize, stayed_again: usize, other: (usize, usize)) -> Vec<Asker> {
        let since = |again: bool, other: bool| Since {
            exposure: 10.0,
            calls: 100,
            asked: f64::from(u8::from(again)),
            other: f64::from(u8::from(other)),
        };
        let before = Since { exposure: 10.0, calls: 100, asked: 2.0, other: 0.0 };
        let moved =
            (0..20).map(|i| Asker { name: format!("m{i}"), on_version: since(i < moved_again, i < other.0), before, ..Asker::default() });
        let stayed =
            (0..20).map(|i| Asker { name: format!("s{i}"), on_older: since(i < stayed_again, i < other.1), before, ..Asker::default() });
        moved.chain(stayed).collect()
    }

    #[test]
    fn a_fix_is_verified_on_those_who_asked_and_moved() {
        let figures = judge(&askers(1, 14, (8, 9)), Vec::new());
        assert_eq!(figures.verdict, FixVerdict::Verified, "{figures:?}");
        assert_eq!((figures.moved.again, figures.stayed.again, figures.asked), (1, 14, 40));
        // 1 of 15 with equal exposure: Clopper and Pearson 0.0017 to 0.3195 as odds.
        let ratio = figures.ratio.unwrap();
        assert!(
            (ratio.low - 0.001_687 / (1.0 - 0.001_687)).abs() < 1e-4 && (ratio.high.unwrap() - 0.3195 / 0.6805).abs() < 1e-3,
            "{ratio:?}"
        );
        assert_eq!(figures.still.len(), 1);
        let did = figures.difference_in_differences.unwrap();
        // (1.5/2000)/(40.5/2000) over (14.5/2000)/(40.5/2000)
        assert!((did.value.unwrap() - 1.5 / 14.5).abs() < 1e-6, "{did:?}");
    }

    #[test]
    fn what_is_said_as_often_is_not_mended() {
        assert_eq!(judge(&askers(17, 12, (8, 9)), Vec::new()).verdict, FixVerdict::NotVerified);
    }

    #[test]
    fn little_is_too_early_and_so_is_general_silence() {
        assert_eq!(judge(&askers(2, 4, (8, 9)), Vec::new()).verdict, FixVerdict::TooEarly);
        assert_eq!(judge(&askers(0, 0, (8, 9)), Vec::new()).verdict, FixVerdict::TooEarly);
        assert_eq!(judge(&askers(3, 16, (5, 19)), Vec::new()).verdict, FixVerdict::TooEarly, "they say everything less often");
        assert_eq!(judge(&[], Vec::new()).verdict, FixVerdict::TooEarly);
    }
}
