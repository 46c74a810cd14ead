//! API keys: long random texts of which only the hash is configured, with scopes for each route.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Problem;
use crate::settings::{ApiKey, Scope};

const KEY_PREFIX: &str = "gs_";
const KEY_BYTES: usize = 32;

/// A key just made: shown once, only its entry is kept.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key itself, for the caller's `Authorization: Bearer`.
    pub secret: String,
    /// The entry for `server.keys`.
    pub entry: ApiKey,
}

/// Makes a key from the system's random numbers.
///
/// # Errors
/// The system gives none.
pub fn new_key(name: &str, scopes: Vec<Scope>) -> Result<NewKey, getrandom::Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    let secret = format!("{KEY_PREFIX}{}", blake3::Hash::from_bytes(bytes).to_hex());
    let hash = blake3::hash(secret.as_bytes()).to_hex().to_string();
    Ok(NewKey { secret, entry: ApiKey { name: name.to_owned(), hash, scopes } })
}

/// Whose key came with a request: in the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// The keys that open the server. Without any, everyone who reaches it may do everything: the settings
/// then allow a loopback address only, and [`super::guard`] keeps web pages out.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    keys: Arc<[Key]>,
}

#[derive(Debug)]
struct Key {
    name: Arc<str>,
    hash: blake3::Hash,
    scopes: Vec<Scope>,
}

impl Auth {
    /// Takes the configured keys; entries that [`crate::Settings::check`] would refuse open nothing.
    #[must_use]
    pub fn new(keys: &[ApiKey]) -> Self {
        let keys = keys.iter().filter_map(|key| {
            let hash = blake3::Hash::from_hex(&key.hash).ok()?;
            Some(Key { name: key.name.as_str().into(), hash, scopes: key.scopes.clone() })
        });
        Self { keys: keys.collect() }
    }

    /// Whether nobody needs a key.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.keys.is_empty()
    }

    /// A router whose routes need a key with this scope (or the scope admin).
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, router: Router<S>, scope: Scope) -> Router<S> {
        router.layer(from_fn_with_state((self.clone(), scope), check))
    }

    /// Who may pass with these headers.
    fn caller(&self, headers: &HeaderMap, scope: Scope) -> Result<Option<Caller>, Refusal> {
        if self.is_open() {
            return Ok(None);
        }
        let given = bearer(headers).ok_or(Refusal::NoKey)?;
        let given = blake3::hash(given.as_bytes());
        // Hashes compare in constant time, and all are compared.
        let found = self.keys.iter().fold(None, |found, key| if key.hash == given { Some(key) } else { found });
        let key = found.ok_or(Refusal::WrongKey)?;
        if key.scopes.contains(&scope) || key.scopes.contains(&Scope::Admin) {
            Ok(Some(Caller(key.name.clone())))
        } else {
            Err(Refusal::NoScope(key.name.clone()))
        }
    }
}

enum Refusal {
    NoKey,
    WrongKey,
    NoScope(Arc<str>),
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

async fn check(State((auth, scope)): State<(Auth, Scope)>, mut request: Request, next: Next) -> Response {
    match auth.caller(request.headers(), scope) {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(refusal) => refuse(&refusal, scope),
    }
}

fn refuse(refusal: &Refusal, scope: Scope) -> Response {
    let name = scope.name();
    let unauthorized = |detail: &str| {
        let mut response = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "A key is needed", detail).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    };
    match refusal {
        Refusal::NoKey => unauthorized(&format!("send `Authorization: Bearer KEY` with a key that has the scope `{name}`")),
        Refusal::WrongKey => {
            tracing::warn!(scope = name, "a request came with an unknown key");
            unauthorized("this key is not known here; `groundswell key new` makes one, its entry belongs under `server.keys`")
        }
        Refusal::NoScope(key) => {
            tracing::warn!(key = %key, scope = name, "a key lacks the scope for a request");
            Problem::new(StatusCode::FORBIDDEN, "forbidden", "This key may not do that", format!("it needs the scope `{name}`"))
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    fn two_keys() -> (Auth, String, String) {
        let reader = new_key("reader", vec![Scope::Read]).unwrap();
        let boss = new_key("boss", vec![Scope::Admin]).unwrap();
        (Auth::new(&[reader.entry, boss.entry]), reader.secret, boss.secret)
    }

    async fn ask(auth: &Auth, scope: Scope, authorization: Option<String>) -> StatusCode {
        let router: Router = auth.protect(Router::new().route("/", get(|| async { "in" })), scope);
        let mut request = http::Request::get("/");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_key_opens_its_scopes_and_admin_opens_all() {
        let (auth, reader, boss) = two_keys();
        assert_eq!(ask(&auth, Scope::Read, Some(format!("Bearer {reader}"))).await, StatusCode::OK);
        assert_eq!(ask(&auth, Scope::Read, Some(format!("bearer {reader}"))).await, StatusCode::OK);
        assert_eq!(ask(&auth, Scope::Publish, Some(format!("Bearer {reader}"))).await, StatusCode::FORBIDDEN);
        assert_eq!(ask(&auth, Scope::Admin, Some(format!("Bearer {reader}"))).await, StatusCode::FORBIDDEN);
        for scope in [Scope::Read, Scope::Publish, Scope::Admin] {
            assert_eq!(ask(&auth, scope, Some(format!("Bearer {boss}"))).await, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn no_key_a_wrong_key_or_a_hash_opens_nothing() {
        let (auth, reader, _) = two_keys();
        let hash = blake3::hash(reader.as_bytes()).to_hex();
        for wrong in [None, Some("Bearer gs_0".to_owned()), Some(format!("Bearer {hash}")), Some(format!("Basic {reader}")), Some(reader)] {
            assert_eq!(ask(&auth, Scope::Read, wrong).await, StatusCode::UNAUTHORIZED);
        }
    }

    #[tokio::test]
    async fn without_configured_keys_no_key_is_needed() {
        assert_eq!(ask(&Auth::new(&[]), Scope::Admin, None).await, StatusCode::OK);
    }

    #[test]
    fn every_key_is_another_one() {
        let (a, b) = (new_key("a", vec![]).unwrap(), new_key("b", vec![]).unwrap());
        assert_ne!(a.secret, b.secret);
        assert!(a.secret.starts_with("gs_") && a.secret.len() == 67 && !a.secret.contains(&a.entry.hash));
    }
}
