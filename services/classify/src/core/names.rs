//! Bounds on names that no catalogue declares: every API and version has an index of its own, and every operation a row.
//!
//! Which names were let in is state: after a restart the same ones are.

use groundswell_model::{UNKNOWN_API, UNKNOWN_VERSION};
use hashbrown::{HashMap, HashSet};

/// What operations beyond the bound are counted as.
pub const OTHER_OPERATION: &str = "other";
/// Between API and version in the name of what an operation belongs to.
const BETWEEN: char = '\u{1f}';

/// How many undeclared names are told apart, in each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// APIs.
    pub apis: usize,
    /// Versions of an API.
    pub versions: usize,
    /// Operations of a version.
    pub operations: usize,
}

/// The undeclared names let in so far.
#[derive(Debug, Default)]
pub struct Names {
    /// What a name belongs to (nothing for APIs, the API for versions, API and version for operations) → names.
    admitted: HashMap<Box<str>, HashSet<Box<str>>>,
    scratch: String,
    /// Names let in since they were last taken, to be written as state.
    fresh: Vec<(Box<str>, Box<str>)>,
}

impl Names {
    /// Lets in a name that was let in before.
    pub fn restore(&mut self, parent: &str, name: &str) {
        self.admitted.entry(parent.into()).or_default().insert(name.into());
    }

    /// The API, or [`UNKNOWN_API`] if it is empty or one too many.
    pub fn api<'a>(&mut self, api: &'a str, declared: bool, bounds: &Bounds) -> &'a str {
        match api {
            "" => UNKNOWN_API,
            _ if declared || api == UNKNOWN_API || self.admit("", api, bounds.apis) => api,
            _ => UNKNOWN_API,
        }
    }

    /// The version, or [`UNKNOWN_VERSION`] if it is empty or one too many.
    pub fn version<'a>(&mut self, api: &str, version: &'a str, declared: bool, bounds: &Bounds) -> &'a str {
        match version {
            "" => UNKNOWN_VERSION,
            _ if declared || version == UNKNOWN_VERSION || self.admit(api, version, bounds.versions) => version,
            _ => UNKNOWN_VERSION,
        }
    }

    /// Whether this operation may be told apart; if not, it is [`OTHER_OPERATION`].
    pub fn operation(&mut self, api: &str, version: &str, operation: &str, listed: bool, bounds: &Bounds) -> bool {
        if listed || operation.is_empty() {
            return true;
        }
        let mut parent = std::mem::take(&mut self.scratch);
        parent.clear();
        parent.push_str(api);
        parent.push(BETWEEN);
        parent.push_str(version);
        let admitted = self.admit(&parent, operation, bounds.operations);
        self.scratch = parent;
        admitted
    }

    fn admit(&mut self, parent: &str, name: &str, most: usize) -> bool {
        let names = match self.admitted.get_mut(parent) {
            Some(names) if names.contains(name) => return true,
            Some(names) if names.len() >= most => return false,
            Some(names) => names,
            None if most == 0 => return false,
            None => self.admitted.entry(parent.into()).or_default(),
        };
        names.insert(name.into());
        self.fresh.push((parent.into(), name.into()));
        true
    }

    /// Names let in since this was last asked: what each belongs to, and the name.
    pub fn take_fresh(&mut self) -> Vec<(Box<str>, Box<str>)> {
        std::mem::take(&mut self.fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { apis: 1, versions: 2, operations: 1 };

    #[test]
    fn what_is_one_too_many_is_unknown_and_what_was_let_in_stays() {
        let mut names = Names::default();
        assert_eq!(
            [names.api("a", false, &BOUNDS), names.api("b", false, &BOUNDS), names.api("a", false, &BOUNDS)],
            ["a", UNKNOWN_API, "a"]
        );
        assert_eq!([names.api("declared", true, &BOUNDS), names.api("", false, &BOUNDS)], ["declared", UNKNOWN_API]);
        assert_eq!(["1", "2", "3", "1"].map(|v| names.version("a", v, false, &BOUNDS)), ["1", "2", UNKNOWN_VERSION, "1"]);
        assert_eq!([names.operation("a", "1", "x", false, &BOUNDS), names.operation("a", "1", "y", false, &BOUNDS)], [true, false]);
        assert!(names.operation("a", "2", "y", false, &BOUNDS) && names.operation("a", "1", "z", true, &BOUNDS));
    }

    #[test]
    fn names_written_and_restored_are_let_in_again() {
        let mut names = Names::default();
        names.version("a", "1", false, &BOUNDS);
        names.version("a", "2", false, &BOUNDS);
        let mut again = Names::default();
        names.take_fresh().iter().for_each(|(parent, name)| again.restore(parent, name));
        assert_eq!(again.version("a", "3", false, &BOUNDS), UNKNOWN_VERSION);
        assert_eq!(again.version("a", "2", false, &BOUNDS), "2");
        assert!(names.take_fresh().is_empty() && again.take_fresh().is_empty());
    }
}
