//! What someone who writes has before their eyes: it fills the slots of the templates.

use crate::{
    company::{Api, Version},
    consumer::{Consumer, Human},
    dice::Dice,
    openapi::sdk_version,
    specs::OperationSpec,
    texts::{Language, Slots},
    truth::Planted,
};
use groundswell_model::Timestamp;

/// Who writes about what.
pub(crate) struct Scene<'a> {
    pub(crate) api: &'a Api,
    pub(crate) version: usize,
    /// Another version of the same API, to compare with or to be confused by.
    pub(crate) other: Option<usize>,
    pub(crate) operation: usize,
    pub(crate) consumer: &'a Consumer,
    pub(crate) human: &'a Human,
    pub(crate) language: Language,
    pub(crate) status: u16,
    pub(crate) request_id: String,
    pub(crate) at: Timestamp,
    pub(crate) planted: Vec<Planted>,
}

impl Scene<'_> {
    pub(crate) fn operation(&self) -> &'static OperationSpec {
        &self.api.spec.operations[self.operation]
    }

    pub(crate) fn version(&self) -> &Version {
        &self.api.versions[self.version]
    }

    pub(crate) fn plant(&mut self, kind: &'static str, text: String, out: &mut String) {
        out.push_str(&text);
        self.planted.push(Planted { kind, text });
    }

    fn sdk(&self) -> String {
        self.consumer.sdk.map_or_else(|| "our own client".to_owned(), |sdk| format!("brightwater-{sdk} {}", sdk_version(self.version)))
    }

    /// Data of people and secrets, noted so that a test can look for them.
    fn fill_personal(&mut self, dice: &mut Dice, name: &str, out: &mut String) -> bool {
        match name {
            "secret" => {
                let (kind, text) = secret(dice);
                self.plant(kind, text, out);
            }
            "pname" => {
                let (first, last) = crate::names::person(dice, self.language);
                out.push_str(&crate::names::full(self.language, first, last));
            }
            "pmail" => {
                let (first, last) = crate::names::person(dice, self.language);
                let mail = format!("{}{}@mail.example", crate::names::ascii(first), crate::names::ascii(last));
                self.plant("email", mail, out);
            }
            "card" => self.plant(
                "card",
                dice.word(&["4242 4242 4242 4242", "5555-5555-5555-4444", "4111111111111111", "3782 822463 10005"]).into(),
                out,
            ),
            "iban" => self.plant(
                "iban",
                dice.word(&["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR14 2004 1010 0505 0001 3M02 606"]).into(),
                out,
            ),
            "ip" => {
                let ip = format!("{}.{}", dice.word(&["203.0.113", "198.51.100", "192.0.2"]), 1 + dice.below(254));
                self.plant("ip", ip, out);
            }
            "phone" => self.plant("phone", self.human.phone.clone(), out),
            _ => return false,
        }
        true
    }
}

impl Slots for Scene<'_> {
    fn fill(&mut self, dice: &mut Dice, name: &str, out: &mut String) -> bool {
        let (op, slow) = (self.operation(), self.api.is_regressed(self.version, self.operation));
        match name {
            "api" => out.push_str(self.api.spec.name),
            "Api" => out.push_str(self.api.spec.title),
            "v" => out.push_str(&self.version().name),
            "ov" => out.push_str(&self.api.versions[self.other.unwrap_or(self.version)].name),
            "op" => out.push_str(op.id),
            "method" => out.push_str(op.method),
            "host" => out.push_str(&self.version().host),
            "path" => path(dice, &self.version().base_path, op.path, out),
            "call" => {
                out.push_str(op.method);
                out.push(' ');
                out.push_str(&self.version().base_path);
                out.push_str(op.path);
            }
            "status" => out.push_str(&self.status.to_string()),
            "rid" => out.push_str(&self.request_id),
            "sdk" => out.push_str(&self.sdk()),
            "org" => out.push_str(&self.consumer.org),
            "thing" => out.push_str(self.api.spec.thing),
            "few" => out.push_str(&(2 + dice.below(8)).to_string()),
            "days" => out.push_str(&(2 + dice.below(28)).to_string()),
            "n" => out.push_str(&(10 + dice.below(900)).to_string()),
            "pct" => out.push_str(&(if slow { 7 + dice.below(8) } else { 2 + dice.below(12) }).to_string()),
            "ms" => out.push_str(&(10 * (60 + dice.below(if slow { 240 } else { 900 }))).to_string()),
            "time" => out.push_str(self.at.rfc3339().get(11..16).unwrap_or_default()),
            other => return self.fill_personal(dice, other, out),
        }
        true
    }
}

/// Appends a path with an id in place of every parameter.
pub(crate) fn path(dice: &mut Dice, base: &str, template: &str, out: &mut String) {
    out.push_str(base);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(name.get(..3).unwrap_or(name));
        out.push('_');
        dice.token(10, out);
        rest = behind;
    }
    out.push_str(rest);
}

/// A secret that opens nothing, made up on the spot.
fn secret(dice: &mut Dice) -> (&'static str, String) {
    let mut token = |prefix: &str, n: usize| {
        let mut text = prefix.to_owned();
        dice.token(n, &mut text);
        text
    };
    let jwt = format!("{}.{}.{}", token("eyJhbGciOiJIUzI1NiJ9", 0), token("eyJzdWIiOiI", 24), token("", 43));
    let choices = [
        ("api_key", token("sk_live_", 24)),
        ("aws_key", token("AKIA", 16).to_ascii_uppercase()),
        ("jwt", jwt),
        ("api_key", token("ghp_", 36)),
    ];
    dice.pick(&choices).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_an_id_for_every_parameter() {
        let mut out = String::new();
        path(&mut Dice::new(1), "/v2", "/payments/{payment_id}/refunds", &mut out);
        assert!(out.starts_with("/v2/payments/pay_") && out.ends_with("/refunds") && !out.contains('{'), "{out}");
    }
}
