//! The gate: a policy from three places, and an exit code.

use crate::policy::{BadPolicy, OnInconclusive, Policy};
use crate::types::Verdict;

/// Exit codes of `groundswell gate`.
pub mod exit {
    /// No worse.
    pub const PASS: u8 = 0;
    /// Worse.
    pub const REGRESSION: u8 = 1;
    /// Wrong use.
    pub const WRONG_USE: u8 = 2;
    /// It can't be told.
    pub const INCONCLUSIVE: u8 = 3;
    /// The server can't be reached or its data is too old.
    pub const UNREACHABLE: u8 = 4;
}

/// What the command line says, over what the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// See [`Policy::error`].
    pub error: Option<f64>,
    /// See [`Policy::horizon_days`].
    pub horizon_days: Option<u32>,
    /// See [`Policy::maturing_days`].
    pub maturing_days: Option<u32>,
    /// See [`Policy::inconclusive`].
    pub inconclusive: Option<OnInconclusive>,
}

/// The policy in force: flag over file over default.
///
/// # Errors
/// The file is not a policy, or a value is out of bounds.
pub fn policy(file: Option<&str>, flags: Overrides) -> Result<Policy, BadPolicy> {
    let mut policy = file.map_or_else(|| Ok(Policy::default()), Policy::parse)?;
    policy.error = flags.error.unwrap_or(policy.error);
    policy.horizon_days = flags.horizon_days.unwrap_or(policy.horizon_days);
    policy.maturing_days = flags.maturing_days.unwrap_or(policy.maturing_days);
    policy.inconclusive = flags.inconclusive.unwrap_or(policy.inconclusive);
    policy.check()?;
    Ok(policy)
}

/// The exit code of a verdict.
#[must_use]
pub fn exit_code(verdict: Verdict, policy: &Policy) -> u8 {
    match (verdict, policy.inconclusive) {
        (Verdict::Pass, _) | (Verdict::Inconclusive, OnInconclusive::Pass) => exit::PASS,
        (Verdict::Regression, _) | (Verdict::Inconclusive, OnInconclusive::Fail) => exit::REGRESSION,
        (Verdict::Inconclusive, OnInconclusive::Inconclusive) => exit::INCONCLUSIVE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_over_file_over_default() {
        let file = "error = 0.02\nhorizon_days = 14\n";
        let flags = Overrides { horizon_days: Some(21), ..Overrides::default() };
        let policy = policy(Some(file), flags).unwrap();
        assert_eq!((policy.error, policy.horizon_days, policy.maturing_days), (0.02, 21, 7));
    }

    #[test]
    fn a_flag_out_of_bounds_is_refused_too() {
        assert!(policy(None, Overrides { error: Some(1.0), ..Overrides::default() }).is_err());
    }

    #[test]
    fn exit_codes_are_those_that_people_rely_on() {
        let of = |verdict, inconclusive| exit_code(verdict, &Policy { inconclusive, ..Policy::default() });
        for meaning in [OnInconclusive::Inconclusive, OnInconclusive::Pass, OnInconclusive::Fail] {
            assert_eq!((of(Verdict::Pass, meaning), of(Verdict::Regression, meaning)), (0, 1));
        }
        assert_eq!(of(Verdict::Inconclusive, OnInconclusive::Inconclusive), 3);
        assert_eq!((of(Verdict::Inconclusive, OnInconclusive::Pass), of(Verdict::Inconclusive, OnInconclusive::Fail)), (0, 1));
    }
}
