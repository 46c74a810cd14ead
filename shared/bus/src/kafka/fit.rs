//! Whether a topic that somebody else made keeps what is read from it later.

use std::collections::BTreeMap;

use crate::{Remark, Topic};

const FOR_EVER: &str = "-1";

/// What there is to say about the configuration of a topic: what hurts makes its use impossible.
pub(super) fn judge(topic: Topic, name: &str, config: &BTreeMap<String, String>) -> Option<Remark> {
    let of = |key: &str| config.get(key).map(String::as_str);
    let policy = of("cleanup.policy")?;
    let (compacts, deletes) = (policy.contains("compact"), policy.contains("delete"));
    let remark = |says: String, todo: String, hurts| Some(Remark { check: "topics", says: format!("topic {name}: {says}"), todo, hurts });
    if topic == Topic::Journal {
        let fits = compacts && !deletes;
        let says = format!("its cleanup.policy is `{policy}`, and it holds state");
        return if fits { None } else { remark(says, "set it to `compact`".into(), true) };
    }
    if compacts {
        let says = format!("its cleanup.policy is `{policy}`, which drops all but the newest record of a key");
        return remark(says, "set it to `delete`".into(), true);
    }
    let lost = match topic {
        Topic::Insights => "the index can't be rebuilt from it",
        Topic::Catalogue => "services that start later don't know these releases, identities, corrections and decisions",
        Topic::DeadLetters => "they can't be looked at or sent again",
        Topic::Tickets | Topic::Surveys | Topic::Usage | Topic::Events | Topic::Journal => return None,
    };
    let bound = ["retention.ms", "retention.bytes"].into_iter().find_map(|key| Some((key, of(key).filter(|value| *value != FOR_EVER)?)));
    let (key, value) = bound?;
    remark(
        format!("its {key} is {value}: what is older is gone, and {lost}"),
        format!("set {key} to {FOR_EVER} unless that is meant"),
        false,
    )
}

/// What there is to say where the configuration is not shown to us.
pub(super) fn hidden(name: &str) -> Remark {
    let says = format!("topic {name}: we may not see its configuration, so nobody tells whether it keeps what it must");
    Remark {
        check: "topics",
        says,
        todo: "grant DescribeConfigs on it: `deploy/topics.sh --acls` prints the commands".into(),
        hurts: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(topic: Topic, config: &[(&str, &str)]) -> Option<(bool, String)> {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        judge(topic, "t", &config).map(|remark| (remark.hurts, remark.says))
    }

    #[test]
    fn topics_as_we_make_them_fit() {
        let kept = [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];
        let short = [("cleanup.policy", "delete"), ("retention.ms", "3600000"), ("retention.bytes", "-1")];
        for topic in Topic::ALL {
            let config = match topic {
                Topic::Journal => &[("cleanup.policy", "compact")][..],
                Topic::Insights | Topic::Catalogue | Topic::DeadLetters => &kept,
                _ => &short,
            };
            assert_eq!(of(topic, config), None, "{topic:?}");
        }
    }

    #[test]
    fn what_loses_state_is_refused() {
        for policy in ["delete", "compact,delete"] {
            assert!(of(Topic::Journal, &[("cleanup.policy", policy)]).is_some_and(|(hurts, _)| hurts), "{policy}");
        }
        for topic in [Topic::Insights, Topic::Catalogue, Topic::Events, Topic::Tickets] {
            assert!(of(topic, &[("cleanup.policy", "compact")]).is_some_and(|(hurts, _)| hurts), "{topic:?}");
        }
    }

    #[test]
    fn what_forgets_what_is_read_again_is_told() {
        for topic in [Topic::Insights, Topic::Catalogue, Topic::DeadLetters] {
            let (hurts, says) = of(topic, &[("cleanup.policy", "delete"), ("retention.ms", "604800000")]).unwrap();
            assert!(!hurts && says.contains("604800000"), "{says}");
            assert!(of(topic, &[("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "1000")]).is_some());
        }
    }
}
