//! The pool sizes that carry a demand. By tiers they are no interval.

use std::ops::RangeInclusive;

use natlaw_model::nat::Nat;
use natlaw_model::profile::{Ask, Profile, ProfileError};

use super::ports_of_a_member;

/// Connections to one destination that a pool is to have open at once, shared evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Of the whole pool.
    pub connections: usize,
}

impl Demand {
    /// Connections of the member that has the most of them.
    pub const fn of_a_member(self, members: usize) -> usize {
        self.connections.div_ceil(members)
    }
}

/// Whether every member of a pool without holes has the ports for its share.
pub fn is_safe(nat: &Nat, demand: Demand) -> bool {
    let share = demand.of_a_member(nat.pool.slots().len());
    ports_of_a_member(nat).is_some_and(|ports| share <= ports)
}

/// What a member of each pool size has, from one member on.
///
/// # Errors
/// When a size breaks a bound of the profile.
pub fn ports_by_size(
    profile: &Profile,
    addresses: usize,
    members_max: usize,
) -> Result<Vec<usize>, ProfileError> {
    let nat = |members| profile.nat(&Ask::of(members, addresses));
    (1..=members_max).map(|members| Ok(ports_of_a_member(&nat(members)?).unwrap_or(0))).collect()
}

/// The pool sizes that carry the demand, of those whose ports stand here from one member on: as runs
/// without gaps.
pub fn safe_sizes(ports: &[usize], demand: Demand) -> Vec<RangeInclusive<usize>> {
    let sizes = ports.iter().enumerate().map(|(index, ports)| (index + 1, *ports));
    let safe = sizes.filter(|(members, ports)| demand.of_a_member(*members) <= *ports);
    runs(&safe.map(|(members, _)| members).collect::<Vec<_>>())
}

/// Numbers that count upwards, as runs without gaps.
pub fn runs(numbers: &[usize]) -> Vec<RangeInclusive<usize>> {
    let runs = numbers.chunk_by(|before, after| before + 1 == *after);
    runs.map(|run| run[0]..=run[run.len() - 1]).collect()
}
