//! Taking turns by weight.

use super::looks::{Looks, part, passes};
use super::{Ask, Candidate, Policy, Selected};

/// Eligible candidates in turn, each as often in a cycle as it weighs.
///
/// Readings taken: plain, not smooth. Weights are divided by their greatest common divisor, and a
/// candidate takes its turns of a cycle one after the other: 3 and 1 give A A A B, 50 and 50 give
/// A B. A change of the candidates starts no new cycle; the place in the old one is kept, modulo
/// the new. The first turn is drawn over the turns of a cycle, not over the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundRobin {
    next: Turn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The cycle is not known yet; this number is to 2^64 as the turn is to the cycle.
    Drawn(u64),
    /// This turn, modulo the cycle.
    At(u64),
}

impl RoundRobin {
    /// Starts with the first turn of a cycle.
    pub const fn new() -> Self {
        Self { next: Turn::At(0) }
    }

    /// Starts with a turn drawn over the cycle: `draw` is uniform over all numbers.
    pub const fn starting_at(draw: u64) -> Self {
        Self { next: Turn::Drawn(draw) }
    }

    /// Takes a turn among the eligible candidates that `may` admits; `None` if it admits none.
    pub(super) fn take(
        &mut self,
        looks: &mut Looks,
        may: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let weights = looks.eligible().filter(|(_, candidate)| may(candidate));
        let weights = weights.map(|(_, candidate)| u64::from(candidate.weight));
        let (total, unit) = weights.fold((0, 0), |(total, unit), w| (total + w, gcd(unit, w)));
        let turn = self.turn(total.checked_div(unit)?);
        looks.holder(turn * unit, may)
    }

    /// Whose turn it is in a cycle of this length, at least 1; the next one is noted.
    const fn turn(&mut self, cycle: u64) -> u64 {
        let turn = match self.next {
            Turn::Drawn(draw) => part(draw, cycle),
            Turn::At(turn) => turn % cycle,
        };
        self.next = Turn::At(turn + 1);
        turn
    }
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for RoundRobin {
    fn select(&mut self, _: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let place = self.take(&mut looks, |_| true);
        looks.choosing(place)
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(2, candidates)
    }
}

/// The greatest common divisor; of 0 and a number it is the number.
const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
