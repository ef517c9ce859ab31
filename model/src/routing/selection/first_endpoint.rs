//! A client that goes to the first endpoint of a service index.

use rustc_hash::FxHashMap;

use super::looks::{Looks, passes};
use super::{Ask, Candidate, Policy, Selected};

/// The first endpoint that answers, in the order of an index that the client discovered and keeps.
///
/// Readings taken: the index is what the list of candidates said when it was discovered. It is kept
/// while any endpoint in it answers; an endpoint that joins meanwhile is not known, and one that has
/// left does not answer. Once none answers, the index is discovered anew in the same selection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstEndpoint {
    /// The place of each endpoint in the index.
    index: FxHashMap<u64, usize>,
}

impl FirstEndpoint {
    /// A client that has discovered nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index is too old: the next selection discovers it anew.
    pub fn forget(&mut self) {
        self.index.clear();
    }

    /// The first endpoint of the index that answers.
    fn first_known(&self, looks: &mut Looks) -> Option<usize> {
        let rank = |(place, candidate): (usize, &Candidate)| {
            self.index.get(&candidate.identity).map(|rank| (*rank, place))
        };
        looks.eligible().filter_map(rank).min().map(|(_, place)| place)
    }

    /// Reads the list as the new index, and answers the first endpoint in it that does.
    fn discover(&mut self, looks: &mut Looks) -> Option<usize> {
        self.index.clear();
        let mut first = None;
        for (place, candidate) in looks.each() {
            self.index.entry(candidate.identity).or_insert(place);
            first = first.or(candidate.is_eligible().then_some(place));
        }
        first
    }
}

impl Policy for FirstEndpoint {
    fn select(&mut self, _: Ask, candidates: &[Candidate]) -> Selected {
        let mut looks = Looks::new(candidates);
        let place = self.first_known(&mut looks).or_else(|| self.discover(&mut looks));
        looks.choosing(place)
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        passes(2, candidates)
    }
}
