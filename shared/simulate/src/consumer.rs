//! Who calls the APIs, and the people behind.

use std::sync::Arc;

use groundswell_contract::{Identity, data::Money};
use groundswell_model::Timestamp;

use crate::{
    company::Company,
    dice::Dice,
    journey::Journey,
    names,
    openapi::SDKS,
    plan::{DAY_MS, Plan},
    texts::Language,
};

/// A caller of the APIs.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) id: Arc<str>,
    pub(crate) org: String,
    pub(crate) domain: String,
    pub(crate) people: Vec<Human>,
    pub(crate) plan: &'static str,
    /// Revenue a month.
    pub(crate) revenue: f64,
    pub(crate) volume: f64,
    pub(crate) rhythm: Rhythm,
    /// Hours ahead of UTC.
    pub(crate) zone: i64,
    pub(crate) language: Language,
    pub(crate) sdk: Option<&'static str>,
    /// Reports its calls in sums.
    pub(crate) sums: bool,
    /// How readily it writes.
    pub(crate) talkative: f64,
    /// How kindly it judges.
    pub(crate) mood: f64,
    /// Whether the identity map knows it.
    pub(crate) known: bool,
    pub(crate) uses: Vec<Use>,
}

/// A person of a consumer.
#[derive(Clone, Debug)]
pub(crate) struct Human {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) id: String,
    pub(crate) phone: String,
}

/// One API as a consumer uses it.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) api: usize,
    pub(crate) share: f64,
    pub(crate) journey: Journey,
    /// Weight of each operation.
    pub(crate) operations: Vec<f64>,
    pub(crate) use_case: &'static str,
}

/// When a consumer calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// In working hours.
    Office,
    /// When people buy.
    Shop,
    /// Always alike.
    Steady,
    /// In a nightly job.
    Nightly,
}

impl Rhythm {
    /// How busy an hour is, 1 on average over a week, by the hour since Thursday 1970-01-01T00 local time.
    pub(crate) fn busy(self, local_hour: i64) -> f64 {
        let (hour, day) = (local_hour.rem_euclid(24), (local_hour.div_euclid(24) + 3).rem_euclid(7));
        let weekend = day >= 5;
        match self {
            Self::Steady => 1.0,
            Self::Nightly => {
                if (1..=4).contains(&hour) {
                    4.8
                } else {
                    0.24
                }
            }
            Self::Office => match (weekend, hour) {
                (false, 8..=17) => 2.9,
                (false, 7 | 18 | 19) => 1.1,
                (false, _) => 0.14,
                (true, _) => 0.12,
            },
            Self::Shop => {
                let height = match hour {
                    0..=5 => 0.2,
                    6..=9 => 0.8,
                    10..=16 => 1.2,
                    17..=21 => 1.8,
                    _ => 0.7,
                };
                height * if weekend { 1.25 } else { 0.95 }
            }
        }
    }
}

const PLANS: [(&str, f64); 4] = [("free", 0.0), ("starter", 49.0), ("growth", 490.0), ("enterprise", 4900.0)];
const ZONES: [(i64, Language); 10] = [
    (-8, Language::En),
    (-5, Language::En),
    (-5, Language::En),
    (-3, Language::Pt),
    (-6, Language::Es),
    (0, Language::En),
    (1, Language::De),
    (1, Language::Fr),
    (1, Language::Es),
    (9, Language::Ja),
];

/// The consumer who writes more than all others, and where.
pub(crate) const LOUD: usize = 7;
pub(crate) const LOUD_API: &str = "shipping";

/// Draws all consumers.
pub(crate) fn draw_all(dice: &mut Dice, plan: &Plan, company: &Company) -> Vec<Consumer> {
    (0..plan.consumers).map(|i| draw(dice, plan, company, i)).collect()
}

fn draw(dice: &mut Dice, plan: &Plan, company: &Company, i: usize) -> Consumer {
    let volume = dice.lognormal(1.0, 0.5) / (i as f64 + 3.0).powf(1.02);
    let (org, slug) = names::organisation(i);
    let domain = format!("{slug}.example");
    let (zone, language) = if i == LOUD { (0, Language::En) } else { *dice.pick(&ZONES) };
    let language = if dice.chance(0.35) { Language::En } else { language };
    let rank = (i as f64 / plan.consumers as f64 + 0.18 * dice.normal()).clamp(0.0, 0.99);
    let (tier, price) = PLANS[3 - ((rank * 4.0) as usize).min(3)];
    let people = (0..1 + dice.below(3)).map(|p| Human::draw(dice, language, &domain, i, p)).collect();
    let begins = if i != LOUD && dice.chance(0.3) {
        plan.start().plus_ms(dice.ms_below(i64::from(plan.days) * DAY_MS * 9 / 10))
    } else {
        plan.start().plus_ms(-DAY_MS)
    };
    Consumer {
        id: format!("{slug}-{}", dice.word(&["app", "prod", "backend", "live"])).into(),
        org,
        domain,
        people,
        plan: tier,
        revenue: (price * dice.between(0.8, 3.0)).round(),
        volume,
        rhythm: *dice.pick(&[Rhythm::Office, Rhythm::Shop, Rhythm::Shop, Rhythm::Steady, Rhythm::Nightly]),
        zone,
        language,
        sdk: (!dice.chance(0.25)).then(|| dice.word(&SDKS)),
        sums: dice.chance(0.12),
        talkative: dice.lognormal(1.0, 0.6),
        mood: 0.9 * dice.normal(),
        known: dice.chance(0.85),
        uses: uses(dice, plan, company, i, begins),
    }
}

fn uses(dice: &mut Dice, plan: &Plan, company: &Company, i: usize, begins: Timestamp) -> Vec<Use> {
    let mut uses = Vec::new();
    for (a, api) in company.apis.iter().enumerate() {
        let loud = i == LOUD && api.spec.name == LOUD_API;
        let only_chance = uses.is_empty() && a + 1 == company.apis.len();
        if !(loud || only_chance || dice.chance(api.spec.reach)) {
            continue;
        }
        let pace = f64::from(plan.days) * 0.13;
        let behind = if begins < plan.start() { 0.4 } else { 0.1 };
        let journey = if loud {
            Journey::fixed(begins, 0, api.versions[1].released.plus_ms(DAY_MS), 1)
        } else {
            Journey::draw(dice, api, begins, plan.end, behind, pace)
        };
        uses.push(Use {
            api: a,
            share: dice.between(0.2, 1.0),
            journey,
            operations: api.spec.operations.iter().map(|op| op.weight * dice.lognormal(1.0, 0.5)).collect(),
            use_case: dice.word(api.spec.use_cases),
        });
    }
    uses
}

impl Human {
    fn draw(dice: &mut Dice, language: Language, domain: &str, consumer: usize, number: usize) -> Self {
        let (first, last) = names::person(dice, language);
        let email = format!("{}.{}@{domain}", names::ascii(first), names::ascii(last));
        let phone = dice.digits(names::phone_pattern(language));
        Self { name: names::full(language, first, last), email, id: format!("usr-{}", consumer * 8 + number + 1000), phone }
    }
}

impl Consumer {
    /// What the identity map says about it.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            consumer: self.id.to_string(),
            emails: self.people.iter().map(|p| p.email.clone()).collect(),
            email_domains: vec![self.domain.clone()],
            requester_ids: self.people.iter().map(|p| p.id.clone()).collect(),
            org: Some(self.org.clone()),
            plan: Some(self.plan.to_owned()),
            revenue: (self.revenue > 0.0).then(|| Money { amount: self.revenue, currency: "EUR".into() }),
            ..Identity::default()
        }
    }

    /// When it is first there.
    pub(crate) fn begins(&self) -> Timestamp {
        self.uses.iter().map(|u| u.journey.begins).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rhythm_is_one_on_average_over_a_week() {
        for rhythm in [Rhythm::Office, Rhythm::Shop, Rhythm::Steady, Rhythm::Nightly] {
            let mean = (0..168).map(|h| rhythm.busy(h)).sum::<f64>() / 168.0;
            assert!((mean - 1.0).abs() < 0.06, "{rhythm:?} {mean}");
        }
    }

    #[test]
    fn the_weekend_is_quiet_in_the_office() {
        let saturday_noon = 2 * 24 + 12;
        assert!(Rhythm::Office.busy(saturday_noon) < 0.2 && Rhythm::Office.busy(12) > 2.0);
    }
}
