//! Fail-over by priority.

use super::looks::{Looks, passes};
use super::{Ask, Candidate, Policy, Selected};

/// The eligible candidate of the lowest priority; of several that share it the first ("Traffic
/// Manager routing methods", Microsoft: priority routing, where no two share one).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Priority;

impl Policy for Priority {
    fn select(&mut self, _: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let best = looks.eligible().min_by_key(|(_, candidate)| candidate.priority);
        looks.choosing(best.map(|(place, _)| place))
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(1, candidates)
    }
}
