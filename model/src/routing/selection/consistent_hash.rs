//! One endpoint for one key, whoever else comes and goes.

use std::cmp::Reverse;

use super::looks::{Looks, passes};
use super::{Ask, Candidate, Policy, Selected};
use crate::allocator::random::SplitMix;

/// Rendezvous hashing (Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates",
/// 1998): the eligible candidate whose score with the key is highest.
///
/// The score depends on the key and the candidate alone. So a change of one endpoint moves only the
/// keys that come from it or go to it, exactly; nothing is kept, and the order of the list does not
/// matter. Weights are not read, but that 0 drains: every eligible endpoint has one share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConsistentHash;

impl ConsistentHash {
    /// Keys that may move besides those of the changed endpoint, in percent of all keys: none.
    pub const SLACK_PERCENT: u8 = 0;
}

impl Policy for ConsistentHash {
    fn select(&mut self, ask: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let rank = |(_, candidate): &(usize, &Candidate)| {
            (score(ask.key, candidate.identity), Reverse(candidate.identity))
        };
        let best = looks.eligible().max_by_key(rank);
        looks.choosing(best.map(|(place, _)| place))
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(1, candidates)
    }
}

/// The identity is mixed before the key is mixed in, so that neighbours in either are strangers.
fn score(key: u64, identity: u64) -> u64 {
    SplitMix::new(SplitMix::new(identity).next() ^ key).next()
}
