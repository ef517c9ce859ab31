//! Choosing one of several endpoints: the part of routing that a user swaps.
//!
//! Readings taken:
//!
//! 1. An endpoint is eligible while it is available and its weight is above zero. Weight 0 drains an
//!    endpoint under every policy, also under one that weighs nothing: such a caller gives all of them
//!    weight 1.
//! 2. A policy never fails open. Where nobody is eligible it answers [`Choice::Nobody`]; a caller whose
//!    declared rule is to answer as if all were up asks again with all of them available.
//! 3. A step is one look at one candidate. A policy counts its own steps and declares how many it
//!    takes at most; one that would take more answers [`Choice::Unfinished`] and does not spin.
//! 4. Randomness comes with what is asked, drawn from a seed in the configuration.
//!
//! | policy | chooses | steps at most, of n candidates |
//! |---|---|---|
//! | [`Priority`] | the lowest priority, of equals the first | n |
//! | [`Weighted`] | at random, by cumulative weights | 2 n |
//! | [`RoundRobin`] | in turn, each as often as it weighs | 2 n |
//! | [`LeastLatency`] | of the best priority those nearly as fast as the fastest, in turn | 3 n |
//! | [`FirstEndpoint`] | the first that answers of an index that was discovered and is kept | 2 n |
//! | [`ConsistentHash`] | by the key, so that one change moves the keys of one endpoint only | n |

mod consistent_hash;
mod first_endpoint;
mod group;
mod least_latency;
mod looks;
mod priority;
mod round_robin;
mod weighted;

pub use consistent_hash::ConsistentHash;
pub use first_endpoint::FirstEndpoint;
pub use group::{Answer, Answers, Asks, EndpointGroup, Event, Known, Method, Outcome, Selector};
pub use least_latency::LeastLatency;
pub use priority::Priority;
pub use round_robin::RoundRobin;
pub use weighted::Weighted;

use serde::{Deserialize, Serialize};

/// One endpoint that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Which endpoint it is, whatever its place in the list: a number of its own, such as a hash of
    /// its name, that stays the same while others come and go.
    pub identity: u64,
    /// The lower, the sooner it is chosen. Several may share one. 1 unless said otherwise.
    #[serde(default = "one")]
    pub priority: u16,
    /// Its share. 0 drains it. 1 unless said otherwise.
    #[serde(default = "one")]
    pub weight: u16,
    /// Time of an answer to whoever asks, in milliseconds. 0 unless said otherwise.
    #[serde(default)]
    pub latency_ms: u32,
    /// Whether it is enabled and its probes succeed. It is unless said otherwise.
    #[serde(default = "yes")]
    pub available: bool,
}

/// What a policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ask {
    /// For whom: a hash of a client or an account.
    pub key: u64,
    /// Any number, uniform over all of them, from a seed in the configuration.
    pub draw: u64,
}

/// What a policy chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// The candidate at this place of the list, counted from 0.
    Chosen(usize),
    /// No candidate is eligible.
    Nobody,
    /// The declared steps are spent.
    Unfinished,
}

/// What a policy chose and what that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selected {
    /// The choice.
    pub choice: Choice,
    /// Candidates looked at; one that is looked at twice counts twice.
    pub steps: u64,
}

/// Chooses one of several endpoints. All a user implements.
pub trait Policy {
    /// One of the candidates. They may be others than last time, in another order.
    fn select(&mut self, ask: Ask, candidates: &[Candidate]) -> Selected;

    /// The most steps that the next selection from so many candidates takes.
    fn steps_max(&self, candidates: usize) -> u64;
}

impl<T: Policy + ?Sized> Policy for Box<T> {
    fn select(&mut self, ask: Ask, candidates: &[Candidate]) -> Selected {
        (**self).select(ask, candidates)
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        (**self).steps_max(candidates)
    }
}

impl Candidate {
    /// An endpoint that is available, weighs 1 and answers at once.
    pub const fn new(identity: u64) -> Self {
        Self { identity, priority: 1, weight: 1, latency_ms: 0, available: true }
    }

    /// Whether it may be chosen: it is available and not drained.
    pub const fn is_eligible(&self) -> bool {
        self.available && self.weight > 0
    }
}

const fn one() -> u16 {
    1
}

const fn yes() -> bool {
    true
}
