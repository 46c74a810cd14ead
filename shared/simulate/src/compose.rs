//! Composes what someone writes: from one line to several paragraphs, in their language and mood.

use crate::{
    dice::Dice,
    scene::Scene,
    texts::{Language, code, expand, has, template},
    topics::{Kind, Topic},
};

/// A composed ticket.
pub(crate) struct Text {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    /// Another version than the true one is named.
    pub(crate) misleading: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Terse,
    Usual,
    Long,
    Dump,
    Rant,
}

struct Writer<'a, 's> {
    dice: &'a mut Dice,
    scene: &'a mut Scene<'s>,
    out: String,
    said: Vec<&'static str>,
}

impl Writer<'_, '_> {
    /// Writes one template of a section, with a blank before it inside a line; false where there is none, or it was said.
    fn say(&mut self, section: &str) -> bool {
        let language = self.scene.language;
        let Some(template) = template(self.dice, language, section) else { return false };
        if self.said.contains(&template) {
            return false;
        }
        self.said.push(template);
        let sentence = self.out.chars().next_back().is_some_and(|last| last != '\n' && (language != Language::Ja || last.is_ascii()));
        if sentence {
            self.out.push(' ');
        }
        expand(self.dice, template, self.scene, &mut self.out);
        true
    }

    fn maybe(&mut self, p: f64, section: &str) -> bool {
        self.dice.chance(p) && self.say(section)
    }

    fn paragraph(&mut self) {
        if !self.out.is_empty() {
            self.out.truncate(self.out.trim_end().len());
            self.out.push_str("\n\n");
        }
    }

    fn block(&mut self, name: &str) {
        self.paragraph();
        let template = code(self.dice, name);
        expand(self.dice, template, self.scene, &mut self.out);
        self.paragraph();
    }

    fn sign(&mut self) {
        self.paragraph();
        if self.say("closing") {
            self.out.push('\n');
        }
        let human = self.scene.human;
        self.scene.plant("name", human.name.clone(), &mut self.out);
        if self.dice.chance(0.35) {
            self.out.push('\n');
            self.out.push_str(&self.scene.consumer.org);
        }
        if self.dice.chance(0.25) {
            self.out.push('\n');
            self.scene.plant("phone", human.phone.clone(), &mut self.out);
        }
        if self.dice.chance(0.25) {
            self.out.push('\n');
            self.scene.plant("email", human.email.clone(), &mut self.out);
        }
    }
}

/// Composes a ticket. Sets the language of the scene to English where nobody wrote about the subject in its own.
pub(crate) fn ticket(dice: &mut Dice, scene: &mut Scene<'_>, topic: &Topic) -> Text {
    if !has(scene.language, &format!("{}.symptom", topic.name)) {
        scene.language = Language::En;
    }
    let manner = manner(dice, topic);
    let title = title(dice, scene, topic, manner);
    let mut writer = Writer { dice, scene, out: String::new(), said: Vec::new() };
    let misleading = body(&mut writer, topic, manner);
    let mut text = std::mem::take(&mut writer.out);
    text.truncate(text.trim_end().len());
    // Changing letters would change what was planted, so only texts without it get sloppy.
    if scene.language == Language::En && scene.planted.is_empty() && dice.chance(0.12) {
        text = sloppy(dice, &text);
    }
    let body = (!text.is_empty()).then_some(text);
    Text { title: if body.is_none() { title.or_else(|| Some(topic.name.replace('_', " "))) } else { title }, body, misleading }
}

/// A title and a body of about this many bytes: everyday length for the benchmark.
pub(crate) fn of_length(dice: &mut Dice, scene: &mut Scene<'_>, topic: &Topic, length: usize) -> (String, String) {
    if !has(scene.language, &format!("{}.symptom", topic.name)) {
        scene.language = Language::En;
    }
    let title = title(dice, scene, topic, Manner::Usual).unwrap_or_default();
    let mut writer = Writer { dice, scene, out: String::with_capacity(length + 256), said: Vec::new() };
    writer.say("greeting");
    writer.paragraph();
    let (symptom, detail) = (format!("{}.symptom", topic.name), format!("{}.detail", topic.name));
    while writer.out.len() < length {
        // Once everything about the subject was said, say it again.
        writer.said.clear();
        writer.say(&symptom);
        writer.say(&detail);
        hints(&mut writer, topic);
        writer.say("context");
        writer.say("impact");
    }
    writer.say("ask");
    writer.sign();
    (title, std::mem::take(&mut writer.out))
}

fn manner(dice: &mut Dice, topic: &Topic) -> Manner {
    let rant = if matches!(topic.kind, Kind::Bug | Kind::Complaint) { 0.08 } else { 0.0 };
    let dump = if topic.technical { 0.1 } else { 0.0 };
    [Manner::Terse, Manner::Usual, Manner::Long, Manner::Dump, Manner::Rant][dice.weighted([0.25, 0.42, 0.22, dump, rant].into_iter())]
}

fn title(dice: &mut Dice, scene: &mut Scene<'_>, topic: &Topic, manner: Manner) -> Option<String> {
    if manner == Manner::Terse && dice.chance(0.25) {
        return None;
    }
    let template = template(dice, scene.language, &format!("{}.title", topic.name))?;
    let mut title = String::new();
    if dice.chance(0.06) {
        title.push_str(dice.word(&["Re: ", "Fwd: ", "[urgent] ", "AW: "]));
    }
    expand(dice, template, scene, &mut title);
    Some(title)
}

/// Writes the body; true if it names another version than the true one.
fn body(writer: &mut Writer<'_, '_>, topic: &Topic, manner: Manner) -> bool {
    let part = |name: &str| format!("{}.{name}", topic.name);
    let trouble = matches!(topic.kind, Kind::Bug | Kind::Complaint);
    if manner == Manner::Rant {
        writer.say("rant");
    }
    if matches!(manner, Manner::Usual | Manner::Long) && writer.maybe(0.75, "greeting") {
        writer.paragraph();
    }
    if manner == Manner::Long && writer.maybe(0.8, "context") && writer.dice.chance(0.5) {
        writer.paragraph();
    }
    writer.say(&part("symptom"));
    if manner == Manner::Terse {
        return writer.dice.chance(0.12) && mislead(writer, trouble);
    }
    writer.maybe(0.7, &part("detail"));
    hints(writer, topic);
    if topic.technical && (manner == Manner::Dump || writer.dice.chance(0.25)) {
        let block = if manner == Manner::Dump || writer.dice.chance(0.4) { "trace" } else { "snippet" };
        writer.block(block);
    }
    if manner == Manner::Long {
        writer.paragraph();
        writer.say(&part("symptom"));
        writer.maybe(0.6, &part("detail"));
        writer.maybe(0.3, "pii_hint");
    }
    let misleading = writer.dice.chance(0.22) && mislead(writer, trouble);
    if trouble {
        writer.maybe(0.45, "impact");
    }
    if manner == Manner::Long {
        writer.paragraph();
    }
    if topic.kind != Kind::Praise && topic.kind != Kind::Other && !writer.maybe(0.5, &part("ask")) {
        writer.maybe(0.55, "ask");
    }
    if manner != Manner::Dump && writer.dice.chance(0.65) {
        writer.sign();
    }
    misleading
}

fn hints(writer: &mut Writer<'_, '_>, topic: &Topic) {
    if topic.kind == Kind::Other {
        return;
    }
    writer.maybe(0.22, "version_hint");
    if topic.technical {
        writer.maybe(0.3, "rid_hint");
        writer.maybe(0.05, "secret_hint");
    }
    writer.maybe(0.03, "pii_hint");
}

fn mislead(writer: &mut Writer<'_, '_>, trouble: bool) -> bool {
    writer.scene.other.is_some() && writer.say(if trouble { "misleading_bug" } else { "misleading_any" })
}

/// The comment beside a score; none if nothing is written in that section in this language.
pub(crate) fn comment(dice: &mut Dice, scene: &mut Scene<'_>, section: &str) -> Option<String> {
    if !has(scene.language, section) {
        scene.language = Language::En;
    }
    let template = template(dice, scene.language, section)?;
    let mut text = String::new();
    expand(dice, template, scene, &mut text);
    Some(text)
}

/// Someone types in a hurry: no capitals, or letters swapped.
fn sloppy(dice: &mut Dice, text: &str) -> String {
    if dice.chance(0.4) {
        return text.to_lowercase();
    }
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 2 {
        return text.to_owned();
    }
    for _ in 0..1 + letters.len() / 160 {
        let at = dice.below(letters.len() - 1);
        if letters[at..].iter().take(2).all(|c| c.is_ascii_lowercase()) {
            letters.swap(at, at + 1);
        }
    }
    letters.into_iter().collect()
}
