//! The nearest, and who is nearly as near.

use super::looks::{Looks, passes};
use super::{Ask, Candidate, Policy, RoundRobin, Selected};

/// The order of "Front Door routing methods" (Microsoft, 2018): of the eligible candidates those of
/// the best priority, of these the ones within the sensitivity of the fastest, and of these each in
/// turn by weight.
///
/// The fastest is looked for inside the best priority: a faster candidate of a worse one draws no
/// band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastLatency {
    sensitivity_ms: u32,
    turns: RoundRobin,
}

impl LeastLatency {
    /// With this sensitivity in milliseconds; 0 leaves only those as fast as the fastest.
    pub const fn new(sensitivity_ms: u32) -> Self {
        Self { sensitivity_ms, turns: RoundRobin::new() }
    }

    /// The same, with its first turn drawn over the cycle.
    pub const fn starting_at(sensitivity_ms: u32, draw: u64) -> Self {
        Self { sensitivity_ms, turns: RoundRobin::starting_at(draw) }
    }
}

impl Policy for LeastLatency {
    fn select(&mut self, _: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let best = looks.eligible().map(|(_, one)| (one.priority, one.latency_ms)).min();
        let place = best.and_then(|(priority, fastest_ms)| {
            let slowest_ms = fastest_ms.saturating_add(self.sensitivity_ms);
            let in_band =
                |one: &Candidate| one.priority == priority && one.latency_ms <= slowest_ms;
            self.turns.take(&mut looks, in_band)
        });
        looks.choosing(place)
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(3, candidates)
    }
}
