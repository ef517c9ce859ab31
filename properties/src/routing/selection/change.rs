//! What one change of a group does to its keys: a law of two values, before and after.

use std::collections::{BTreeMap, BTreeSet};

use natlaw_model::routing::selection::{
    Ask, Candidate, Choice, ConsistentHash, Method, Policy, Selected,
};

use crate::law::ValueLaw;
use crate::value_law;

/// Keys that are looked at: neighbours.
const KEYS: u64 = 1_000;

/// Which endpoint each key is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The endpoints that may be chosen.
    pub eligible: BTreeSet<u64>,
    /// The endpoint of each key that is given one.
    pub homes: BTreeMap<u64, u64>,
}

/// One group before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Before it.
    pub before: Assignment,
    /// After it.
    pub after: Assignment,
    /// Keys that may move besides those of endpoints that changed: declared by the policy, in
    /// percent of all keys.
    pub slack_percent: u8,
}

/// Every law of a change.
pub const CHANGE_LAWS: &[ValueLaw<Change>] = &[
    value_law!(
        only_keys_of_a_changed_endpoint_move,
        "Thaler and Ravishankar, \"Using Name-Based Mappings to Increase Hit Rates\", 1998",
        "One endpoint goes down and every client loses its session or its cache."
    ),
    value_law!(
        what_changes_nothing_moves_no_key,
        "Thaler and Ravishankar, \"Using Name-Based Mappings to Increase Hit Rates\", 1998",
        "Two routers that list their endpoints in another order send one client to two places."
    ),
];

/// Besides as many others as the policy declares.
fn only_keys_of_a_changed_endpoint_move(change: &Change) -> bool {
    let Change { before, after, slack_percent } = change;
    let moved = before.homes.iter().filter_map(|(key, then)| Some((*then, *after.homes.get(key)?)));
    let without_need = moved.filter(|(then, now)| {
        then != now && after.eligible.contains(then) && before.eligible.contains(now)
    });
    without_need.count() * 100 <= usize::from(*slack_percent) * before.homes.len()
}

/// A change and its inverse change nothing; nor does another order of the list.
fn what_changes_nothing_moves_no_key(change: &Change) -> bool {
    let Change { before, after, .. } = change;
    before.eligible != after.eligible || before.homes == after.homes
}

impl Assignment {
    /// What a policy gives to neighbouring keys.
    pub fn of(policy: &mut dyn Policy, candidates: &[Candidate]) -> Self {
        let mut home = |key| {
            let Selected { choice, .. } = policy.select(Ask { key, draw: 0 }, candidates);
            let Choice::Chosen(place) = choice else { return None };
            Some((key, candidates.get(place)?.identity))
        };
        let homes = (0..KEYS).filter_map(&mut home).collect();
        let eligible = candidates.iter().filter(|one| one.is_eligible());
        Self { eligible: eligible.map(|one| one.identity).collect(), homes }
    }
}

/// Every change of a group of five by one endpoint, what takes it back, and another order.
pub fn changes(policy: &mut dyn Policy, slack_percent: u8) -> Vec<Change> {
    let whole: Vec<Candidate> = (1..=5).map(Candidate::new).collect();
    let mut assigned = |candidates: &[Candidate]| Assignment::of(policy, candidates);
    let first = assigned(&whole);
    let mut changes = Vec::new();
    for other in others(&whole) {
        let [then, back] = [assigned(&other), assigned(&whole)];
        for (before, after) in [(&first, &then), (&then, &back), (&first, &back)] {
            changes.push(Change { before: before.clone(), after: after.clone(), slack_percent });
        }
    }
    changes
}

/// The group with each of its endpoints gone or down, with one more at either end, and reversed.
fn others(whole: &[Candidate]) -> Vec<Vec<Candidate>> {
    let without = |who| whole.iter().filter(move |one| one.identity != who).copied().collect();
    let down = |who| {
        let one = |one: &Candidate| Candidate { available: one.identity != who, ..*one };
        whole.iter().map(one).collect()
    };
    let gone = whole.iter().map(|one| without(one.identity));
    let joined = [[&[Candidate::new(6)], whole].concat(), [whole, &[Candidate::new(6)]].concat()];
    let reversed = whole.iter().rev().copied().collect();
    gone.chain(whole.iter().map(|one| down(one.identity))).chain(joined).chain([reversed]).collect()
}

/// The changes of the consistent hash in this tree.
pub fn consistent_hash_changes() -> Vec<Change> {
    changes(&mut ConsistentHash, ConsistentHash::SLACK_PERCENT)
}

/// Changes that are each wrong in one way.
pub fn change_mutants() -> Vec<(&'static str, Change)> {
    let of = |homes: [u64; 4], eligible: &[u64]| Assignment {
        eligible: eligible.iter().copied().collect(),
        homes: (0..).zip(homes).collect(),
    };
    let change = |before, after| Change { before, after, slack_percent: 0 };
    vec![
        (
            "the key modulo the number of endpoints",
            change(of([1, 2, 3, 1], &[1, 2, 3]), of([1, 2, 1, 2], &[1, 2])),
        ),
        (
            "a ring in order of insertion",
            change(of([1, 2, 3, 1], &[1, 2, 3]), of([3, 2, 1, 3], &[1, 2, 3])),
        ),
        (
            "more keys than the declared slack",
            Change {
                slack_percent: 25,
                ..change(of([1, 2, 1, 2], &[1, 2, 3]), of([2, 1, 1, 2], &[1, 2]))
            },
        ),
    ]
}

/// Whether a method gives keys a home, and with how much slack.
pub(super) const fn slack_percent(method: Method) -> Option<u8> {
    match method {
        Method::ConsistentHash { slack_percent } => Some(slack_percent),
        _ => None,
    }
}
