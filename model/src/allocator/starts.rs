//! Where a search for a port begins: the five algorithms of RFC 6056 section 3.3.
//!
//! **Reading taken.** The RFC looks for a free port upwards from each start, so that algorithms 1, 3
//! and 4 find one whenever there is one. Algorithm 5 draws anew for each port it looks at, and may
//! miss the only free one; here it draws once and then looks upwards too. Algorithm 2 stays as it
//! is.

use super::random::SplitMix;
use crate::flow::FiveTuple;
use crate::nat::{Nat, Selection};

/// Counters of algorithm 4: destinations that fall to one of them move it on together.
const COUNTERS: usize = 16;

/// What the algorithms remember from one port to the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Starts {
    random: SplitMix,
    counters: [u64; COUNTERS],
}

impl Starts {
    pub(super) fn new(nat: &Nat) -> Self {
        Self { random: SplitMix::new(seed_of(nat)), counters: [0; COUNTERS] }
    }

    /// The position at which the search for a port of this flow begins, of so many.
    pub(super) fn next(&mut self, nat: &Nat, flow: FiveTuple, positions: usize) -> usize {
        match nat.selection {
            Selection::LowestFirst | Selection::Spread => 0,
            Selection::Random(_) | Selection::RandomTries(_) => self.random.below(positions),
            Selection::SimpleHash(key) => within(offset(key, flow) + self.counters[0], positions),
            Selection::DoubleHash(key) => {
                within(offset(key, flow) + self.counters[counter(key, flow)], positions)
            }
            Selection::RandomIncrements { step, .. } => {
                let step = 1 + self.random.below(usize::from(step.get())) as u64;
                within(self.counters[0] + step, positions)
            }
        }
    }

    /// The search that began at `start` took this position.
    pub(super) fn took(&mut self, nat: &Nat, flow: FiveTuple, start: usize, position: usize) {
        match nat.selection {
            Selection::SimpleHash(_) => self.counters[0] += ahead(start, position),
            Selection::DoubleHash(key) => {
                self.counters[counter(key, flow)] += ahead(start, position);
            }
            Selection::RandomIncrements { .. } => self.counters[0] = position as u64,
            Selection::LowestFirst
            | Selection::Spread
            | Selection::Random(_)
            | Selection::RandomTries(_) => {}
        }
    }
}

/// How far a search went, the port it took included; one that went round counts from the first.
fn ahead(start: usize, position: usize) -> u64 {
    position.checked_sub(start).unwrap_or(position) as u64 + 1
}

fn within(number: u64, positions: usize) -> usize {
    usize::try_from(number % positions.max(1) as u64).unwrap_or(0)
}

/// The hash that gives each inside address and destination a place of its own to begin.
fn offset(key: u64, flow: FiveTuple) -> u64 {
    hash(key, flow) >> 32
}

/// The counter of algorithm 4 that belongs to a flow.
fn counter(key: u64, flow: FiveTuple) -> usize {
    within(hash(!key, flow) >> 32, COUNTERS)
}

fn hash(key: u64, flow: FiveTuple) -> u64 {
    let addresses = [flow.source.address, flow.destination.address];
    let [inside, outside] = addresses.map(|address| u64::from(address.to_bits()));
    let words = [inside, outside, u64::from(flow.destination.port)];
    words.into_iter().fold(key, |mixed, word| SplitMix::new(mixed ^ word).next())
}

/// The seed that the configuration names, or 0.
pub(super) fn seed_of(nat: &Nat) -> u64 {
    match nat.selection {
        Selection::Random(seed)
        | Selection::RandomTries(seed)
        | Selection::SimpleHash(seed)
        | Selection::DoubleHash(seed)
        | Selection::RandomIncrements { seed, .. } => seed,
        Selection::LowestFirst | Selection::Spread => 0,
    }
}
