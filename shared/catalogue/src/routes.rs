//! The operations of one API version, found by method and path.

use std::sync::Arc;

use hashbrown::HashMap;
use matchit::Router;

/// One declared operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// operationId, or method and template where there is none.
    pub name: String,
    /// HTTP method in capitals.
    pub method: String,
    /// Path template as declared, below the base path.
    pub template: String,
    /// Whether the document calls it deprecated.
    pub deprecated: bool,
    /// What it takes and gives, sorted, within bounds.
    pub fields: Vec<crate::openapi::Field>,
}

/// Operations with their matcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    operations: Arc<[Operation]>,
    /// By name as the catalogue gives it.
    names: HashMap<String, u32>,
    /// Template with its parameters numbered → place in `routes`.
    router: Router<u32>,
    /// Operations of one template, one for each method.
    routes: Vec<Vec<u32>>,
    /// Templates that the router can't hold beside the others, tried in order when it finds nothing.
    odd: Vec<(Glob, u32)>,
}

/// What a path is among the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit<'a> {
    /// This operation.
    Operation(&'a str),
    /// A declared path, but which operation depends on the method, which is not told.
    Path,
}

impl<'a> Hit<'a> {
    /// The operation's name; empty where the method would decide it.
    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Operation(name) => name,
            Self::Path => "",
        }
    }
}

impl Routes {
    pub(crate) fn new(operations: Arc<[Operation]>) -> Self {
        let mut this = Self::default();
        let mut by_template: HashMap<String, u32> = HashMap::new();
        for (number, operation) in (0u32..).zip(operations.iter()) {
            let normal = numbered(trim(&operation.template));
            let route = *by_template.entry(normal).or_insert_with_key(|normal| {
                let route = u32::try_from(this.routes.len()).unwrap_or(u32::MAX);
                this.routes.push(Vec::new());
                if has_several_parameters(normal) || this.router.insert(normal.as_str(), route).is_err() {
                    this.odd.push((Glob::of(normal), route));
                }
                route
            });
            if let Some(same_path) = this.routes.get_mut(route as usize)
                && !same_path.iter().any(|n| operations[*n as usize].method == operation.method)
            {
                same_path.push(number);
            }
            this.names.entry(operation.name.clone()).or_insert(number);
        }
        this.operations = operations;
        this
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(|n| self.operations[*n as usize].name.as_str())
    }

    /// The operation that a path below the base path calls. A template (`/orders/{id}`) finds itself.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Hit<'_>> {
        let path = trim(path);
        let route = match self.router.at(path) {
            Ok(found) => *found.value,
            Err(_) => self.odd.iter().find(|(glob, _)| glob.matches(path))?.1,
        };
        let same_path = self.routes.get(route as usize)?;
        let name = |n: u32| self.operations[n as usize].name.as_str();
        match same_path.as_slice() {
            [only] if method.is_empty() => Some(Hit::Operation(name(*only))),
            _ if method.is_empty() => Some(Hit::Path),
            several => {
                several.iter().find(|n| self.operations[**n as usize].method.eq_ignore_ascii_case(method)).map(|n| Hit::Operation(name(*n)))
            }
        }
    }
}

/// Without the slash at the end, but never empty.
fn trim(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed,
    }
}

/// A template with its parameters numbered by their place, so that `/a/{x}` and `/a/{y}` are one.
fn numbered(template: &str) -> String {
    let mut out = String::with_capacity(template.len() + 1);
    if !template.starts_with('/') {
        out.push('/');
    }
    let (mut rest, mut number) = (template, 0);
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        out.push_str(&rest[..open]);
        out.push_str(&format!("{{p{number}}}"));
        number += 1;
        rest = &rest[open + length + 1..];
    }
    // What is left may hold lone braces, which the router reads as its own.
    out.extend(rest.chars().filter(|c| !matches!(c, '{' | '}')));
    out
}

fn has_several_parameters(normal: &str) -> bool {
    normal.split('/').any(|segment| segment.matches('{').count() > 1)
}

/// A template as literals with anything but a slash between them, segment by segment.
#[derive(Clone, Debug)]
struct Glob(Vec<Vec<String>>);

impl Glob {
    fn of(normal: &str) -> Self {
        Self(normal.split('/').map(literals).collect())
    }

    fn matches(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        self.0.iter().all(|literals| segments.next().is_some_and(|s| segment_matches(literals, s))) && segments.next().is_none()
    }
}

/// `a{p0}b{p1}` → `["a", "b", ""]`: the texts before, between and behind the parameters.
fn literals(segment: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        out.push(before.to_owned());
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    out.push(rest.to_owned());
    out
}

fn segment_matches(literals: &[String], segment: &str) -> bool {
    let [first, middle @ .., last] = literals else {
        return literals.first().is_some_and(|only| only == segment);
    };
    let Some(mut rest) = segment.strip_prefix(first.as_str()) else { return false };
    for literal in middle {
        // A parameter holds one character at least.
        let Some(after) = rest.char_indices().nth(1).map(|(i, _)| &rest[i..]).or(rest.is_empty().then_some("")) else { return false };
        let Some(at) = after.find(literal.as_str()) else { return false };
        rest = &after[at + literal.len()..];
    }
    rest.len() > last.len() && rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn operation(name: &str, method: &str, template: &str) -> Operation {
        Operation { name: name.into(), method: method.into(), template: template.into(), deprecated: false, fields: Vec::new() }
    }

    fn routes(templates: &[(&str, &str, &str)]) -> Routes {
        Routes::new(templates.iter().map(|(n, m, t)| operation(n, m, t)).collect::<Vec<_>>().into())
    }

    fn check(routes: &Routes, method: &str, path: &str, expected: Option<&str>) {
        let found = routes.find(method, path).map(Hit::name);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn names_of_parameters_do_not_matter_and_fixed_segments_win() {
        let r = routes(&[("get", "GET", "/a/{x}"), ("put", "PUT", "/a/{y}"), ("me", "GET", "/a/me"), ("root", "GET", "/")]);
        check(&r, "GET", "/a/1", Some("get"));
        check(&r, "put", "/a/1/", Some("put"));
        check(&r, "GET", "/a/me", Some("me"));
        check(&r, "PUT", "/a/{y}", Some("put"));
        check(&r, "DELETE", "/a/1", None);
        check(&r, "", "/a/1", Some(""));
        check(&r, "", "/a/me", Some("me"));
        check(&r, "GET", "", Some("root"));
        check(&r, "GET", "/a/1/2", None);
    }

    #[test]
    fn odd_templates_are_found_too() {
        let r = routes(&[
            ("compare", "GET", "/compare/{base}...{head}"),
            ("one", "GET", "/t/{id}.json"),
            ("two", "GET", "/t/{id}"),
            ("three", "GET", "/t/a{id}b"),
            ("four", "GET", "/t/a{id}c"),
            ("lone", "GET", "/x/{broken"),
        ]);
        check(&r, "GET", "/compare/main...dev", Some("compare"));
        check(&r, "GET", "/compare/...", None);
        check(&r, "GET", "/t/7.json", Some("one"));
        check(&r, "GET", "/t/7", Some("two"));
        check(&r, "GET", "/x/broken", Some("lone"));
    }

    proptest! {
        #[test]
        fn a_path_made_from_a_template_is_found(templates in proptest::collection::vec("(/([ab]|\\{[xy]\\}|\\{z\\}\\.json)){1,4}", 1..30), pick in any::<prop::sample::Index>(), value in "[a-c0-9]{1,4}") {
            let r = Routes::new(templates.iter().map(|t| operation(t, "GET", t)).collect::<Vec<_>>().into());
            let template = pick.get(&templates);
            let path = template.replace("{x}", &value).replace("{y}", &value).replace("{z}", &value);
            let Some(Hit::Operation(found)) = r.find("GET", &path) else { return Err(TestCaseError::fail(format!("{path} of {template}"))) };
            prop_assert!(Glob::of(&numbered(found)).matches(&path), "{} is not {}", path, found);
        }

        #[test]
        fn no_template_and_no_path_panics(templates in proptest::collection::vec("\\PC{0,20}", 0..10), path in "\\PC{0,30}") {
            let r = Routes::new(templates.iter().map(|t| operation(t, "GET", t)).collect::<Vec<_>>().into());
            prop_assert!(r.find("GET", &path).is_none_or(|_| !templates.is_empty()));
        }
    }
}
