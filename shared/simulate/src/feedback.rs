//! Tickets and survey responses, grown from what the consumer lives through.

use groundswell_contract::{Data, Survey, SurveyKind, Ticket, data::Person};
use groundswell_model::Timestamp;
use serde_json::Value;

use crate::{
    calls::Life,
    company::Api,
    compose,
    consumer::{Consumer, Human, LOUD, LOUD_API, Use},
    dice::Dice,
    event::SimEvent,
    openapi::sdk_version,
    plan::HOUR_MS,
    scene::Scene,
    texts::{Language, expand, template},
    topics::{Kind, Part, TOPICS, Topic, number_of, pain, weights},
    truth::{Simulated, Truth},
};

/// Who has something to say, about which version.
pub(crate) struct Voice<'a> {
    pub(crate) number: usize,
    pub(crate) consumer: &'a Consumer,
    pub(crate) usage: &'a Use,
    pub(crate) api: &'a Api,
    pub(crate) version: usize,
    pub(crate) life: &'a Life,
    pub(crate) at: Timestamp,
    pub(crate) loudness: f64,
}

impl<'a> Voice<'a> {
    /// Writes the ticket with this number.
    pub(crate) fn ticket(&self, dice: &mut Dice, number: u64) -> Simulated {
        let topic = self.topic(dice);
        let human = dice.pick(&self.consumer.people);
        let mut scene = self.scene(dice, topic, human);
        let known_request =
            self.life.failing.as_ref().filter(|f| topic.technical && f.request_id == scene.request_id).map(|f| f.request_id.clone());
        let text = compose::ticket(dice, &mut scene, topic);
        let (operation, language, version) = (scene.operation().id, scene.language, scene.version);
        let about = topic.kind != Kind::Other;
        let api_told = about && dice.chance(0.55);
        let version_told = api_told && dice.chance(0.45);
        let consumer_told = dice.chance(0.5);
        let ticket = Ticket {
            title: text.title,
            body: text.body,
            ticket_id: Some(format!("BW-{number}")),
            status: Some(dice.word(&["open", "open", "pending", "solved", "closed"]).into()),
            priority: dice.chance(0.8).then(|| priority(dice, topic).to_owned()),
            channel: Some(dice.word(&["email", "email", "email", "chat", "forum", "web"]).into()),
            tags: tags(dice, self.api, topic),
            url: Some(format!("https://desk.brightwater.example/tickets/{number}")),
            requester: (!consumer_told || dice.chance(0.8)).then(|| self.person(dice, human)),
            consumer: consumer_told.then(|| self.consumer.id.to_string()),
            api: api_told.then(|| self.api.spec.name.to_owned()),
            api_version: version_told.then(|| self.api.versions[version].name.to_string()),
            operation: (api_told && dice.chance(0.25)).then(|| operation.to_owned()),
            request_id: known_request.filter(|_| dice.chance(0.5)),
            sdk: self.consumer.sdk.filter(|_| dice.chance(0.25)).map(|sdk| format!("brightwater-{sdk}/{}", sdk_version(self.version))),
            language: dice.chance(0.2).then(|| language.code().to_owned()),
            attributes: [("team".to_owned(), Value::from(dice.word(&["tier-1", "tier-2"])))]
                .into_iter()
                .filter(|_| dice.chance(0.3))
                .collect(),
        };
        let truth = Truth {
            operation: (about && (topic.technical || topic.story.is_some())).then_some(operation),
            misleading: text.misleading,
            planted: scene.planted,
            ..self.truth(version, Some(topic), language)
        };
        self.event("//desk.brightwater.example", format!("ticket-{number}"), Data::Ticket(Box::new(ticket)), truth)
    }

    /// Says an earlier ticket again, in nearly the same words.
    pub(crate) fn again(dice: &mut Dice, earlier: &Simulated, number: u64) -> Simulated {
        let mut again = earlier.clone();
        again.truth.near = Some(std::mem::replace(&mut again.event.id, format!("ticket-{number}")));
        let later = (HOUR_MS as f64 * (0.2 + dice.exponential(20.0))) as i64;
        again.event.time = earlier.event.time.plus_ms(later);
        again.event.arrives = again.event.time;
        if let Data::Ticket(ticket) = &mut again.event.data {
            let opening =
                dice.word(&["Any news on this?", "Second try, nobody answered.", "+1", "Still happening.", "Sending this again."]);
            ticket.body = Some(ticket.body.take().map_or_else(|| opening.to_owned(), |body| format!("{opening}\n\n{body}")));
            ticket.ticket_id = Some(format!("BW-{number}"));
            ticket.url = Some(format!("https://desk.brightwater.example/tickets/{number}"));
        }
        again
    }

    /// Answers the survey with this number.
    pub(crate) fn survey(&self, dice: &mut Dice, number: u64) -> Simulated {
        let kind =
            [SurveyKind::Nps, SurveyKind::Csat, SurveyKind::Ces, SurveyKind::Rating][dice.weighted([0.55, 0.22, 0.17, 0.06].into_iter())];
        let loud = self.number == LOUD && self.api.spec.name == LOUD_API;
        let lived =
            self.consumer.mood - pain(self.usage, self.api, self.version) - 9.0 * self.life.felt.min(0.35) - if loud { 5.0 } else { 0.0 };
        let feeling = lived + 1.1 * dice.normal();
        let (mean, spread, low, high) = match kind {
            SurveyKind::Nps => (8.7, 1.0, 0.0, 10.0),
            SurveyKind::Csat => (4.3, 0.45, 1.0, 5.0),
            SurveyKind::Ces => (5.7, 0.6, 1.0, 7.0),
            SurveyKind::Rating => (82.0, 9.0, 0.0, 100.0),
        };
        let score = (mean + spread * feeling).round().clamp(low, high);
        let own_scale = kind == SurveyKind::Rating;
        let topic = &TOPICS[self.grief().filter(|_| feeling < -0.8 && dice.chance(0.6)).unwrap_or(number_of("other"))];
        let human = dice.pick(&self.consumer.people);
        let mut scene = self.scene(dice, topic, human);
        let comment = if dice.chance(0.55) { compose::comment(dice, &mut scene, &section(topic, feeling)) } else { None };
        let question = dice.chance(0.7).then(|| question(dice, &mut scene, kind));
        let consumer_told = dice.chance(0.65);
        let version_told = dice.chance(0.55);
        let told = comment.is_some().then_some(topic).filter(|t| t.story.is_some());
        let survey = Survey {
            kind,
            score,
            min: own_scale.then_some(low),
            max: own_scale.then_some(high),
            comment,
            question,
            respondent: (!consumer_told || dice.chance(0.5)).then(|| self.person(dice, human)),
            consumer: consumer_told.then(|| self.consumer.id.to_string()),
            api: Some(self.api.spec.name.to_owned()),
            api_version: version_told.then(|| self.api.versions[self.version].name.to_string()),
            url: Some(format!("https://surveys.brightwater.example/answers/{number}")),
            ..Survey::default()
        };
        let truth = Truth { planted: scene.planted, ..self.truth(self.version, told, scene.language) };
        self.event("//surveys.brightwater.example", format!("answer-{number}"), Data::Survey(Box::new(survey)), truth)
    }

    fn topic(&self, dice: &mut Dice) -> &'static Topic {
        let mut weights = weights(self.consumer, self.usage, self.api, self.version, self.loudness);
        if self.usage.journey.went_back_from(self.at).is_some_and(|from| from > self.version) {
            weights[number_of("went_back")] = 4.0 * self.consumer.talkative;
        }
        if self.released() < 2 {
            weights[number_of("migration_how")] = 0.0;
        }
        &TOPICS[dice.weighted(weights.into_iter())]
    }

    /// The subject of the story that this version gives reason to complain about.
    fn grief(&self) -> Option<usize> {
        let name = match (self.api.spec.name, self.version) {
            ("payments", 1) => "refund_failing",
            ("catalog", 0) => "page_skips",
            ("identity", _) => "bulk_invite",
            (LOUD_API, 1) if self.loudness > 0.0 => "label_rotated",
            _ => return None,
        };
        Some(number_of(name))
    }

    fn scene(&self, dice: &mut Dice, topic: &Topic, human: &'a Human) -> Scene<'a> {
        let api = self.api;
        let remembered =
            self.life.failing.as_ref().filter(|f| topic.story.is_none() && topic.technical && topic.statuses.contains(&f.status));
        let operation = match (remembered, topic.operation.and_then(|id| api.spec.operations.iter().position(|o| o.id == id))) {
            (Some(failing), _) => failing.operation,
            (None, Some(fixed)) => fixed,
            (None, None) => dice.weighted(
                self.usage.operations.iter().zip(&api.versions[self.version].quality).map(|(w, q)| if q.is_some() { *w } else { 0.0 }),
            ),
        };
        let same = self
            .life
            .failing
            .as_ref()
            .filter(|f| f.operation == operation && (topic.statuses.is_empty() || topic.statuses.contains(&f.status)));
        let request_id = same.map_or_else(
            || {
                let mut id = String::from("req_");
                dice.token(16, &mut id);
                id
            },
            |f| f.request_id.clone(),
        );
        let status = same.map(|f| f.status).unwrap_or_else(|| if topic.statuses.is_empty() { 500 } else { *dice.pick(topic.statuses) });
        let (version, other) = self.versions(topic);
        Scene {
            api,
            version,
            other,
            operation,
            consumer: self.consumer,
            human,
            language: if dice.chance(0.15) { Language::En } else { self.consumer.language },
            status,
            request_id,
            at: self.at,
            planted: Vec::new(),
        }
    }

    fn released(&self) -> usize {
        self.api.versions.iter().filter(|v| v.released <= self.at).count()
    }

    /// The version it is about and another one. Who moves or went back writes on the old version about the new one.
    fn versions(&self, topic: &Topic) -> (usize, Option<usize>) {
        let newest = self.released().saturating_sub(1);
        let other = (0..=newest).rev().find(|v| *v != self.version);
        match (topic.name, self.usage.journey.went_back_from(self.at)) {
            ("went_back", Some(away)) => (away, Some(self.version)),
            ("migration_how", _) if newest > self.version => (newest, Some(self.version)),
            _ => (self.version, other),
        }
    }

    /// The writer as a support or survey tool knows them.
    fn person(&self, dice: &mut Dice, human: &Human) -> Person {
        let by_id = dice.chance(0.3);
        Person {
            id: (by_id || dice.chance(0.3)).then(|| human.id.clone()),
            email: (!by_id).then(|| human.email.clone()),
            name: dice.chance(0.8).then(|| human.name.clone()),
            org: dice.chance(0.4).then(|| self.consumer.org.clone()),
        }
    }

    fn truth(&self, version: usize, topic: Option<&Topic>, language: Language) -> Truth {
        Truth {
            api: Some(self.api.spec.name),
            version: Some(self.api.versions[version].name.clone()),
            consumer: Some(self.consumer.id.clone()),
            topic: topic.map(|t| t.name),
            kind: topic.map(|t| t.kind),
            story: topic.and_then(|t| t.story),
            language: Some(language.code()),
            ..Truth::default()
        }
    }

    fn event(&self, source: &'static str, id: String, data: Data, truth: Truth) -> Simulated {
        Simulated { event: SimEvent { source, id, time: self.at, arrives: self.at, sampled: None, data }, truth }
    }
}

/// The section of the texts that a comment is taken from.
fn section(topic: &Topic, feeling: f64) -> String {
    match topic.story {
        Some(Part::Regression | Part::Fixed | Part::Ignored | Part::Loud) => format!("survey_{}", topic.name),
        None if feeling > 0.0 => "survey_high".to_owned(),
        None if feeling > -1.6 => "survey_middle".to_owned(),
        None => "survey_low".to_owned(),
    }
}

fn question(dice: &mut Dice, scene: &mut Scene<'_>, kind: SurveyKind) -> String {
    let mut text = String::new();
    if let Some(template) = template(dice, Language::En, &format!("question_{}", kind.name())) {
        expand(dice, template, scene, &mut text);
    }
    text
}

fn priority(dice: &mut Dice, topic: &Topic) -> &'static str {
    match topic.kind {
        Kind::Bug => dice.word(&["high", "normal", "urgent", "high"]),
        Kind::Complaint => dice.word(&["normal", "high"]),
        _ => dice.word(&["low", "normal", "normal"]),
    }
}

fn tags(dice: &mut Dice, api: &Api, topic: &Topic) -> Vec<String> {
    let mut tags = Vec::new();
    if dice.chance(0.3) {
        tags.push(api.spec.name.to_owned());
    }
    if dice.chance(0.2) {
        tags.push(dice.word(&["integration", "production", "vip", "follow-up", "needs-info"]).to_owned());
    }
    if topic.story == Some(Part::Ignored) && dice.chance(0.3) {
        tags.push("feature".to_owned());
    }
    tags
}
