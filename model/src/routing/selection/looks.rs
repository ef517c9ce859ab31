//! Looking at candidates, each look counted.

use super::{Candidate, Choice, Selected};

/// The candidates of one selection, and how often one of them was looked at.
pub(super) struct Looks<'a> {
    candidates: &'a [Candidate],
    steps: u64,
}

impl<'a> Looks<'a> {
    /// Nothing was looked at yet.
    pub(super) const fn new(candidates: &'a [Candidate]) -> Self {
        Self { candidates, steps: 0 }
    }

    /// Every candidate with its place.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (usize, &'a Candidate)> {
        let steps = &mut self.steps;
        self.candidates.iter().enumerate().inspect(move |_| *steps += 1)
    }

    /// Those that may be chosen.
    pub(super) fn eligible(&mut self) -> impl Iterator<Item = (usize, &'a Candidate)> {
        self.each().filter(|(_, candidate)| candidate.is_eligible())
    }

    /// The place of whoever holds this unit of weight, counted from 0 over the eligible candidates
    /// that `may` admits, in order.
    pub(super) fn holder(&mut self, unit: u64, may: impl Fn(&Candidate) -> bool) -> Option<usize> {
        let mut left = unit;
        let holds = |(_, candidate): &(usize, &Candidate)| {
            let weight = u64::from(candidate.weight);
            let holds = left < weight;
            left = left.saturating_sub(weight);
            holds
        };
        self.eligible().filter(|(_, candidate)| may(candidate)).find(holds).map(|(place, _)| place)
    }

    /// What was chosen and what it took; `None` is nobody.
    pub(super) fn choosing(self, place: Option<usize>) -> Selected {
        let choice = place.map_or(Choice::Nobody, Choice::Chosen);
        Selected { choice, steps: self.steps }
    }
}

/// Passes over a list of so many candidates, in steps.
pub(super) const fn passes(count: u64, candidates: usize) -> u64 {
    (candidates as u64).saturating_mul(count)
}

/// A number below `whole` that is to it as `draw` is to 2^64; 0 for a `whole` of 0.
pub(super) const fn part(draw: u64, whole: u64) -> u64 {
    ((draw as u128 * whole as u128) >> 64) as u64
}
