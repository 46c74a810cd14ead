//! Who writes for which consumer.

use groundswell_contract::Identity;
use hashbrown::HashMap;

use crate::mail;

/// Consumers kept; identity events of further ones are counted and left out.
pub const MOST_CONSUMERS: usize = 1_000_000;
/// Names of one kind kept of one consumer.
const MOST_NAMES: usize = 10_000;

/// What is known of a consumer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumer {
    /// As usage names it.
    pub name: String,
    /// Organisation.
    pub org: Option<String>,
    /// Plan.
    pub plan: Option<String>,
    /// Revenue a month: amount and currency.
    pub revenue: Option<(f64, String)>,
    keys: Vec<Key>,
}

/// One way to recognise a consumer. People are held only as keyed hashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Email([u8; 16]),
    Requester([u8; 16]),
    Domain(String),
    Org(String),
}

/// The identity map: e-mail, requester id, e-mail domain and organisation → consumer.
///
/// A later event of the same consumer replaces the earlier one. What points to several consumers
/// decides nothing: the next kind of evidence is asked.
#[derive(Clone)]
pub struct Identities {
    secret: [u8; 32],
    consumers: Vec<Consumer>,
    names: HashMap<String, u32>,
    keys: HashMap<Key, Vec<u32>>,
    left_out: u64,
    generation: u64,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("consumers", &self.consumers.len()).finish_non_exhaustive()
    }
}

impl Identities {
    /// An empty map whose hashes are keyed with this secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, consumers: Vec::new(), names: HashMap::new(), keys: HashMap::new(), left_out: 0, generation: 0 }
    }

    /// Takes in an identity event.
    pub fn apply(&mut self, identity: &Identity) {
        let name = identity.consumer.trim();
        if name.is_empty() {
            return;
        }
        self.generation += 1;
        let at = match self.names.get(name) {
            Some(at) => *at,
            None if self.consumers.len() >= MOST_CONSUMERS => {
                self.left_out += 1;
                return;
            }
            None => {
                let at = u32::try_from(self.consumers.len()).unwrap_or(u32::MAX);
                self.names.insert(name.to_owned(), at);
                self.consumers.push(Consumer { name: name.to_owned(), ..Consumer::default() });
                at
            }
        };
        let keys = self.keys_of(identity);
        let Some(consumer) = self.consumers.get_mut(at as usize) else { return };
        let old = std::mem::replace(&mut consumer.keys, keys.clone());
        consumer.org = identity.org.as_deref().map(str::trim).filter(|o| !o.is_empty()).map(str::to_owned);
        consumer.plan = identity.plan.clone();
        consumer.revenue = identity.revenue.as_ref().map(|m| (m.amount, m.currency.clone()));
        self.move_keys(at, &old, keys);
    }

    fn move_keys(&mut self, at: u32, old: &[Key], new: Vec<Key>) {
        for key in old {
            if let Some(owners) = self.keys.get_mut(key) {
                owners.retain(|o| *o != at);
                if owners.is_empty() {
                    self.keys.remove(key);
                }
            }
        }
        for key in new {
            self.keys.entry(key).or_default().push(at);
        }
    }

    fn keys_of(&self, identity: &Identity) -> Vec<Key> {
        let emails = identity.emails.iter().take(MOST_NAMES).map(|e| self.email_key(e));
        let requesters = identity.requester_ids.iter().take(MOST_NAMES).map(|r| self.requester_key(r));
        let domains = identity.email_domains.iter().take(MOST_NAMES).filter_map(|d| mail::company_domain(d)).map(Key::Domain);
        let org = identity.org.iter().filter_map(|o| org_key(o));
        let mut keys: Vec<Key> = emails.chain(requesters).flatten().chain(domains).chain(org).collect();
        keys.dedup();
        keys
    }

    /// The consumer that a requester belongs to: by e-mail, then requester id, then e-mail domain
    /// (public mail providers are ignored), then organisation.
    #[must_use]
    pub fn resolve(&self, requester_id: Option<&str>, email: Option<&str>, org: Option<&str>) -> Option<&str> {
        if self.keys.is_empty() {
            return None;
        }
        let by_email = || self.owner(&self.email_key(email?)?);
        let by_requester = || self.owner(&self.requester_key(requester_id?)?);
        let by_domain = || self.owner(&Key::Domain(mail::company_domain(email?.rsplit_once('@')?.1)?));
        let by_org = || self.owner(&org_key(org?)?);
        by_email().or_else(by_requester).or_else(by_domain).or_else(by_org)
    }

    /// What is known of a consumer.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Option<&Consumer> {
        self.names.get(name).and_then(|at| self.consumers.get(*at as usize))
    }

    /// How many consumers are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.consumers.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.consumers.is_empty()
    }

    /// A number that grows with every identity applied.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Identity events left out because the map is full.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn owner(&self, key: &Key) -> Option<&str> {
        match self.keys.get(key)?.as_slice() {
            [one] => self.consumers.get(*one as usize).map(|c| c.name.as_str()),
            _ => None,
        }
    }

    fn email_key(&self, email: &str) -> Option<Key> {
        let email = email.trim().to_lowercase();
        (!email.is_empty()).then(|| Key::Email(self.hash(b'e', &email)))
    }

    fn requester_key(&self, id: &str) -> Option<Key> {
        let id = id.trim();
        (!id.is_empty()).then(|| Key::Requester(self.hash(b'r', id)))
    }

    fn hash(&self, kind: u8, text: &str) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&[kind]);
        hasher.update(text.as_bytes());
        let mut out = [0; 16];
        hasher.finalize_xof().fill(&mut out);
        out
    }
}

fn org_key(org: &str) -> Option<Key> {
    let org = org.trim().to_lowercase();
    (!org.is_empty()).then_some(Key::Org(org))
}
