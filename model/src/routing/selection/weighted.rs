//! Random choice by weight.

use super::looks::{Looks, part, passes};
use super::{Ask, Candidate, Policy, Selected};

/// An eligible candidate at random, each as likely as it weighs ("Traffic Manager routing methods",
/// Microsoft: weighted routing).
///
/// The weights are laid end to end and the draw points at one unit of them. No order is asked of
/// anything random, and a total of zero is an answer, not a reason to draw again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weighted;

impl Policy for Weighted {
    fn select(&mut self, ask: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let total = looks.eligible().map(|(_, candidate)| u64::from(candidate.weight)).sum();
        let place = looks.holder(part(ask.draw, total), |_| true);
        looks.choosing(place)
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(2, candidates)
    }
}
