//! Who reads what: the members of one group and the partitions each of them owns. Pure.
//!
//! Every change of owner raises an epoch. A step names the epochs its member got its partitions
//! with, so a member that has lost one (and does not know it yet) can't commit for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::Part;

/// The members of one group and what they own.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    members: BTreeSet<u64>,
    owners: BTreeMap<Part, Owner>,
    epoch: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    member: u64,
    epoch: u64,
}

impl Ownership {
    /// A member joins and gets its share of `parts`.
    pub(super) fn join(&mut self, member: u64, parts: &[Part]) {
        self.members.insert(member);
        self.share(parts);
    }

    /// A member leaves; the others get what it owned.
    pub(super) fn leave(&mut self, member: u64, parts: &[Part]) {
        self.members.remove(&member);
        self.share(parts);
    }

    /// What a member owns, with the epoch of each.
    pub(super) fn of(&self, member: u64) -> BTreeMap<Part, u64> {
        self.owners.iter().filter(|(_, o)| o.member == member).map(|(part, o)| (*part, o.epoch)).collect()
    }

    /// Whether the member still owns the partition as it did in that epoch.
    pub(super) fn holds(&self, member: u64, part: Part, epoch: u64) -> bool {
        self.owners.get(&part) == Some(&Owner { member, epoch })
    }

    /// The member starts afresh with all it owns: what it holds under older epochs is void.
    pub(super) fn renew(&mut self, member: u64) {
        self.epoch += 1;
        for owner in self.owners.values_mut().filter(|o| o.member == member) {
            owner.epoch = self.epoch;
        }
    }

    /// Shares the partitions out evenly; whoever has one keeps it as long as that is fair.
    fn share(&mut self, parts: &[Part]) {
        self.epoch += 1;
        let mut room = self.quotas(parts.len());
        let mut open = Vec::new();
        for part in parts {
            match self.owners.get(part).and_then(|o| room.get_mut(&o.member)).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None => open.push(*part),
            }
        }
        for part in open {
            match room.iter_mut().find(|(_, left)| **left > 0) {
                Some((member, left)) => {
                    *left -= 1;
                    self.owners.insert(part, Owner { member: *member, epoch: self.epoch });
                }
                None => drop(self.owners.remove(&part)),
            }
        }
    }

    /// How many partitions each member may have. Those who have most now get what does not divide evenly.
    fn quotas(&self, parts: usize) -> BTreeMap<u64, usize> {
        let Some(each) = parts.checked_div(self.members.len()) else { return BTreeMap::new() };
        let mut by_load: Vec<u64> = self.members.iter().copied().collect();
        by_load.sort_by_key(|m| std::cmp::Reverse(self.owners.values().filter(|o| o.member == *m).count()));
        let over = parts % self.members.len();
        by_load.into_iter().enumerate().map(|(i, m)| (m, each + usize::from(i < over))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Topic;

    fn parts(n: u32) -> Vec<Part> {
        (0..n).map(|partition| Part { topic: Topic::Events, partition }).collect()
    }

    #[test]
    fn a_member_keeps_what_it_can_when_another_joins() {
        let parts = parts(4);
        let mut group = Ownership::default();
        group.join(1, &parts);
        let before = group.of(1);
        group.join(2, &parts);
        let (kept, got) = (group.of(1), group.of(2));
        assert_eq!((before.len(), kept.len(), got.len()), (4, 2, 2));
        assert!(kept.iter().all(|(part, epoch)| before[part] == *epoch && group.holds(1, *part, *epoch)));
        assert!(got.keys().all(|part| !group.holds(1, *part, before[part])));
        group.leave(1, &parts);
        assert_eq!(group.of(2).len(), 4);
    }

    #[test]
    fn a_member_that_starts_afresh_voids_its_older_steps() {
        let parts = parts(2);
        let mut group = Ownership::default();
        group.join(1, &parts);
        let before = group.of(1);
        group.renew(1);
        assert!(before.iter().all(|(part, epoch)| !group.holds(1, *part, *epoch)));
        assert_eq!(group.of(1).len(), 2);
    }

    proptest! {
        #[test]
        fn every_partition_has_one_owner_and_shares_differ_by_one_at_most(
            n in 1u32..12, moves in prop::collection::vec((0u64..5, any::<bool>()), 1..20),
        ) {
            let parts = parts(n);
            let mut group = Ownership::default();
            let mut present = BTreeSet::new();
            for (member, joins) in moves {
                if joins {
                    present.insert(member);
                    group.join(member, &parts);
                } else {
                    present.remove(&member);
                    group.leave(member, &parts);
                }
                let shares: Vec<usize> = present.iter().map(|m| group.of(*m).len()).collect();
                let expected = if present.is_empty() { 0 } else { parts.len() };
                prop_assert_eq!(shares.iter().sum::<usize>(), expected);
                if let (Some(least), Some(most)) = (shares.iter().min(), shares.iter().max()) {
                    prop_assert!(most - least <= 1);
                }
            }
        }
    }
}
