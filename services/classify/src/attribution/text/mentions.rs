//! Names of versions in a text.

use std::borrow::Cow;
use std::cell::LazyCell;

use groundswell_catalogue::Catalogue;

use super::places::is_version;
use super::tokens::Token;
use super::words::List;
use super::{About, Saying, cues, dates};

/// An SDK with a version that calls one API version.
const SDK: f64 = 12.0;

/// What may name a version.
#[derive(Clone, Debug)]
pub(super) struct Mention<'a> {
    /// Place of its first word.
    pub(super) at: usize,
    /// Words that it takes.
    pub(super) words: usize,
    pub(super) name: Cow<'a, str>,
    /// How likely it is that this is about a version at all, 0 to 1.
    pub(super) sure: f64,
    /// A header or parameter: nothing else can be meant.
    pub(super) header: bool,
}

/// The names of versions that may be meant.
struct Known<'k, 'a> {
    catalogue: &'a Catalogue,
    apis: &'k [&'a str],
}

impl Known<'_, '_> {
    /// The name as it may be looked up: itself, or without its last parts (`v2.1.3` is a `v2.1`).
    fn find<'t>(&self, name: &'t str) -> Option<&'t str> {
        let mut name = name;
        loop {
            if self.has(name) {
                return Some(name);
            }
            name = &name[..name.rfind('.')?];
        }
    }

    fn has(&self, name: &str) -> bool {
        // Where nobody declares versions, any name may be one.
        self.apis.iter().any(|api| self.catalogue.api(api).is_none_or(|a| a.version(name).is_some()))
    }

    /// Whether the catalogue has a version of this name.
    fn declares(&self, name: &str) -> bool {
        self.apis.iter().any(|api| self.catalogue.api(api).is_some_and(|a| a.version(name).is_some()))
    }

    /// The one declared version of that month.
    fn of_month(&self, month: &str) -> Option<String> {
        let mut of = self.apis.iter().flat_map(|api| self.catalogue.versions(api)).map(|v| v.name()).filter(|v| v.starts_with(month));
        let first = of.next()?;
        of.all(|other| other == first).then(|| first.to_owned())
    }
}

/// Appends what the names of versions in the text say.
pub(super) fn find<'a>(catalogue: &'a Catalogue, apis: &[&'a str], tokens: &[Token<'a>], sayings: &mut Vec<Saying<'a>>) {
    let known = Known { catalogue, apis };
    let taken = sdks(catalogue, apis, tokens, sayings);
    let own = LazyCell::new(|| own_words(catalogue, apis));
    let mut mentions = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let found = (!taken.contains(&at)).then(|| read(tokens, at, &known)).flatten();
        let words = found.as_ref().map_or(1, |m| m.words);
        mentions.extend(found.filter(|m| m.header || !is_foreign(tokens, m, &own)));
        at += words;
    }
    let likelihoods = cues::judge(tokens, &mentions);
    for (mention, likelihood) in mentions.into_iter().zip(likelihoods) {
        let name = mention.name.into_owned();
        let shown = match likelihood {
            l if l > 2.0 => format!("text names {name}"),
            l if l < 0.5 => format!("text sets {name} apart"),
            _ => format!("text mentions {name} in passing"),
        };
        sayings.push(Saying { about: About::Named(Cow::Owned(name)), likelihood, shown, operation: None });
    }
}

/// The mention that begins at this word.
fn read<'a>(tokens: &[Token<'a>], at: usize, known: &Known<'_, '_>) -> Option<Mention<'a>> {
    let token = tokens.get(at)?;
    if is_only_a_word(tokens, at) {
        return None;
    }
    let mention = |name: Cow<'a, str>, words: usize, sure: f64, header: bool| Some(Mention { at, words, name, sure, header });
    if let Some(value) = header_value(tokens, at) {
        let found = value.rsplit_once(['/', '.']).map_or(value, |(_, last)| last);
        let found = known.find(value).or_else(|| known.find(found)).or_else(|| media_type(value, known));
        return found.and_then(|name| mention(Cow::Owned(name.to_owned()), 1, 1.0, true));
    }
    if token.text.contains("://") || token.text.starts_with('/') {
        return None;
    }
    let called = before(tokens, at, 1).is_some_and(|t| t.is(List::Version));
    if is_version(&token.lower) {
        return known.find(token.text).or_else(|| known.find(&token.lower)).and_then(|n| mention(Cow::Owned(n.to_owned()), 1, 1.0, false));
    }
    if let Some((date, used)) = date(tokens, at) {
        let exact = known.has(&date).then(|| date.clone());
        let name = if known.declares(&date) { exact } else { known.of_month(&date).filter(|_| date.len() == 7) }?;
        let sure = if called || said_to_be_on(tokens, at) { 1.0 } else { 0.3 };
        return mention(Cow::Owned(name), used, sure, false);
    }
    let number = token.text.starts_with(|c: char| c.is_ascii_digit())
        && token.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let dotted = number && token.text.matches('.').count() == 1 && known.declares(token.text) && said_to_be_on(tokens, at);
    if (number && called) || dotted {
        let short = token.text.trim_end_matches(".x");
        return known.find(short).and_then(|n| mention(Cow::Owned(n.to_owned()), 1, if called { 1.0 } else { 0.7 }, false));
    }
    // A name that is a word: only beside the word version.
    let behind = tokens.get(at + 1).is_some_and(|t| t.is(List::Version) && t.lower != "v");
    ((called || behind) && token.text.len() > 2 && known.declares(token.text)).then_some(Mention {
        at,
        words: 1,
        name: Cow::Borrowed(token.text),
        sure: 0.8,
        header: false,
    })
}

/// Most words of a text: nothing of a name, a number or a date is in them or around them. Everything else is looked at closely.
fn is_only_a_word(tokens: &[Token<'_>], at: usize) -> bool {
    let is_version = |t: &Token<'_>| t.is(List::Version);
    let around = at.saturating_sub(1)..(at + dates::MOST_WORDS).min(tokens.len());
    tokens[around].iter().all(|t| t.plain) && !before(tokens, at, 1).is_some_and(is_version) && !tokens.get(at + 1).is_some_and(is_version)
}

/// The date that begins at this word, and how many words it takes.
fn date(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let first = tokens.get(at).filter(|t| dates::may_begin(&t.lower))?;
    let words = tokens[at..].iter().take(dates::MOST_WORDS).take_while(|t| t.sentence == first.sentence);
    dates::read(&words.map(|t| t.lower.as_ref()).collect::<Vec<_>>())
}

fn before<'t, 'a>(tokens: &'t [Token<'a>], at: usize, steps: usize) -> Option<&'t Token<'a>> {
    let token = tokens.get(at)?;
    tokens.get(at.checked_sub(steps)?).filter(|t| t.sentence == token.sentence)
}

/// `on 2.14`, `we use 2024-06-01`; not `since 2024-06-01`.
fn said_to_be_on(tokens: &[Token<'_>], at: usize) -> bool {
    let told = |t: &Token<'_>| t.is(List::Place) || t.is(List::From) || t.is(List::To) || List::Move.begins(&t.lower);
    let leads_on = tokens.get(at + 1).is_some_and(|t| t.is(List::Arrow));
    leads_on || before(tokens, at, 1).is_some_and(|t| told(t) && !t.is(List::Since))
}

/// The value of a header or parameter whose name speaks of a version: `Accept-Version: 2`, `?api-version=2024-06-01`.
fn header_value<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let token = tokens.get(at)?;
    let speaks = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower.contains("version") && lower.len() > "version".len() && !lower.contains("sdk") && !lower.contains("client")
    };
    if let Some((name, value)) = token.text.rsplit_once('=') {
        let name = name.rsplit(['?', '&']).next().unwrap_or(name);
        return (speaks(name) || name == "version" || name == "v").then_some(value);
    }
    if token.text.contains("vnd.") {
        return Some(token.text);
    }
    let name = before(tokens, at, 1)?;
    (name.text.contains(['-', '_']) && speaks(name.text)).then_some(token.text)
}

/// `application/vnd.acme.v2+json`, `application/vnd.acme+json;version=2`.
fn media_type<'t>(value: &'t str, known: &Known<'_, '_>) -> Option<&'t str> {
    value.split(['.', '+', ';', '=', '/', '-']).find(|part| is_version(&part.to_ascii_lowercase()) && known.has(part))
}

/// Words that are ours: of APIs and SDKs.
fn own_words(catalogue: &Catalogue, apis: &[&str]) -> Vec<String> {
    let parts = |name: &str| name.to_lowercase().split(['-', '_', ' ', '/']).map(str::to_owned).collect::<Vec<_>>();
    let mut own: Vec<String> = apis.iter().flat_map(|api| parts(api)).collect();
    for version in apis.iter().flat_map(|api| catalogue.versions(api)) {
        own.extend(version.sdks().iter().flat_map(|(name, _)| parts(name)));
        own.extend(version.header().iter().flat_map(|(name, _)| parts(name)));
    }
    own.retain(|word| word.len() > 2 && !List::Foreign.has(word) && !List::Library.has(word));
    own.sort_unstable();
    own.dedup();
    own
}

/// The number belongs to something else: a library, a protocol, another company's API.
fn is_foreign(tokens: &[Token<'_>], mention: &Mention<'_>, own: &[String]) -> bool {
    let ours = |t: &Token<'_>| own.iter().any(|w| *w == t.lower.trim_end_matches("'s").trim_end_matches("’s"));
    let strange = |t: &Token<'_>| !ours(t) && (t.is(List::Foreign) || t.is(List::Library));
    let api_behind = tokens.get(mention.at + mention.words).is_some_and(|t| matches!(t.lower.as_ref(), "api" | "apis" | "api's"));
    let mut back = 1;
    // Over `version`, `API`, articles: what is it a version of?
    while before(tokens, mention.at, back).is_some_and(|t| t.is(List::Version) && t.lower != "release") {
        back += 1;
    }
    if before(tokens, mention.at, back).is_some_and(|t| strange(t) || is_name_of_others(t, back > 1 || api_behind, ours(t))) {
        return true;
    }
    let clause = |t: &&Token<'_>| tokens.get(mention.at).is_some_and(|m| m.clause == t.clause);
    let near = (1..=5).filter_map(|steps| before(tokens, mention.at, steps)).filter(clause);
    let behind = tokens.iter().skip(mention.at + mention.words).take(4).take_while(clause);
    if near.chain(behind.clone()).any(|t| t.is(List::Others)) {
        return true;
    }
    let mut behind = behind;
    let next = behind.next();
    next.is_some_and(|t| t.is(List::Library) && !ours(t))
        || next.is_some_and(|t| matches!(t.lower.as_ref(), "of" | "from" | "by"))
            && behind.next().is_some_and(|t| is_name_of_others(t, true, ours(t)))
}

/// `Stripe's`, or `Twilio` before `API v3`.
fn is_name_of_others(t: &Token<'_>, beside_api: bool, ours: bool) -> bool {
    let capital = t.text.starts_with(char::is_uppercase) && t.text.chars().any(char::is_lowercase);
    let owner = t.lower.strip_suffix("'s").or_else(|| t.lower.strip_suffix("’s"));
    let owns = owner.is_some_and(|word| !NO_OWNERS.contains(&word));
    !ours && capital && (owns || (beside_api && !t.begins && owner.is_none()))
}

/// Words whose `'s` is a verb.
const NO_OWNERS: &[&str] =
    &["it", "that", "what", "here", "there", "let", "he", "she", "who", "where", "how", "this", "everything", "when"];

/// What the SDK that an event names says.
pub(super) fn sdk<'a>(catalogue: &'a Catalogue, apis: &[&'a str], sdk: &'a str) -> Vec<Saying<'a>> {
    let mut sayings = Vec::new();
    let at = sdk.rfind(['/', ' ', '@', '=']).unwrap_or(sdk.len());
    let (name, version) = (sdk[..at].trim_end_matches('='), sdk.get(at + 1..).unwrap_or_default());
    say_sdk(catalogue, apis, name, version, &mut sayings);
    sayings
}

fn say_sdk<'a>(catalogue: &'a Catalogue, apis: &[&'a str], name: &str, version: &str, sayings: &mut Vec<Saying<'a>>) {
    let version = version.trim_start_matches(['v', '=', '^', '~']);
    for api in apis {
        for declared in catalogue.versions(api) {
            let fits =
                |v: &String| version == v || version.strip_prefix(v.trim_end_matches(".x")).is_some_and(|rest| rest.starts_with('.'));
            if declared.sdks().iter().any(|(sdk, versions)| sdk.eq_ignore_ascii_case(name) && versions.iter().any(fits)) {
                let about = About::Place { api, version: declared.name() };
                let shown = format!("SDK {name} {version} calls {api} {}", declared.name());
                sayings.push(Saying { about, likelihood: SDK, shown, operation: None });
            }
        }
    }
}

/// SDKs named in the text; the answer is which words are theirs.
fn sdks<'a>(catalogue: &'a Catalogue, apis: &[&'a str], tokens: &[Token<'a>], sayings: &mut Vec<Saying<'a>>) -> Vec<usize> {
    let names: Vec<&str> =
        apis.iter().flat_map(|api| catalogue.versions(api)).flat_map(|v| v.sdks()).map(|(name, _)| name.as_str()).collect();
    let mut taken = Vec::new();
    if names.is_empty() {
        return taken;
    }
    let is_sdk = |word: &str| names.iter().any(|n| n.eq_ignore_ascii_case(word));
    for (at, token) in tokens.iter().enumerate() {
        let (name, version) = token.text.split_once(['/', '@', '=']).unwrap_or((token.text, ""));
        if !is_sdk(name) {
            continue;
        }
        taken.push(at);
        if !version.is_empty() {
            say_sdk(catalogue, apis, name, version, sayings);
            continue;
        }
        let behind = (at + 1..=at + 2)
            .find(|i| tokens.get(*i).is_some_and(|t| t.lower.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())));
        if let Some(token) = behind.and_then(|i| tokens.get(i)) {
            taken.extend(behind);
            say_sdk(catalogue, apis, name, &token.lower, sayings);
        }
    }
    taken
}
