//! Host and base path → the versions served there.

use hashbrown::HashMap;

/// Base paths deeper than this are found by their first segments only.
const DEEPEST: usize = 16;

/// One version of one API, by its places in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) api: u32,
    pub(crate) version: u32,
}

/// The versions served at the longest base path that a path lies under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) slots: &'a [Slot],
    /// Bytes of the path that are base path.
    pub(crate) base: usize,
    /// Whether the host is one that the catalogue names for them.
    pub(crate) by_host: bool,
}

/// Every place, by host (empty: any) and base path (empty: root).
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    hosts: HashMap<String, HashMap<String, Vec<Slot>>>,
}

impl Places {
    /// Puts the places of a version in the place of what they were before.
    pub(crate) fn replace(&mut self, slot: Slot, before: &[(String, String)], after: &[(String, String)]) {
        for (host, base) in before.iter().filter(|p| !after.contains(p)) {
            if let Some(slots) = self.hosts.get_mut(host).and_then(|bases| bases.get_mut(base)) {
                slots.retain(|s| *s != slot);
            }
        }
        for (host, base) in after.iter().filter(|p| !before.contains(p)) {
            let slots = self.hosts.entry(host.clone()).or_default().entry(base.clone()).or_default();
            slots.push(slot);
            slots.sort_unstable();
        }
        self.hosts.retain(|_, bases| {
            bases.retain(|_, slots| !slots.is_empty());
            !bases.is_empty()
        });
    }

    /// The versions at the longest base path, of those that `fits` accepts: first at this host, then anywhere.
    pub(crate) fn find(&self, host: &str, path: &str, fits: impl Fn(Slot) -> bool) -> Option<Found<'_>> {
        let at_host = (!host.is_empty()).then(|| self.hosts.get(host)).flatten().and_then(|bases| longest(bases, path, &fits));
        match at_host {
            Some((slots, base)) => Some(Found { slots, base, by_host: true }),
            None => longest(self.hosts.get("")?, path, &fits).map(|(slots, base)| Found { slots, base, by_host: false }),
        }
    }
}

fn longest<'a>(bases: &'a HashMap<String, Vec<Slot>>, path: &str, fits: &impl Fn(Slot) -> bool) -> Option<(&'a [Slot], usize)> {
    let mut ends = [0usize; DEEPEST];
    let mut depth = 0;
    let slashes = path.bytes().enumerate().skip(1).filter(|(_, b)| *b == b'/').map(|(at, _)| at);
    for end in slashes.chain((path.len() > 1).then_some(path.len())).take(DEEPEST - 1) {
        depth += 1;
        ends[depth] = end;
    }
    // The first end is 0: the root.
    ends[..=depth].iter().rev().find_map(|end| {
        let slots = bases.get(path.get(..*end)?)?;
        slots.iter().any(|s| fits(*s)).then_some((slots.as_slice(), *end))
    })
}
