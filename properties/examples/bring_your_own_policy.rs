//! A selection policy of your own, and its verdict.
//!
//! ```sh
//! cargo run --release --package natlaw-properties --example bring_your_own_policy
//! ```

use natlaw_model::routing::selection::{Ask, Candidate, Choice, Method, Policy, Selected};
use natlaw_properties::routing::selection::conformance::conformance;

/// The next endpoint that is up, one after the other. The report says what it does to weights.
struct OneAfterTheOther(usize);

impl Policy for OneAfterTheOther {
    fn select(&mut self, _: Ask, candidates: &[Candidate]) -> Selected {
        let places = (0..candidates.len()).map(|step| (self.0 + step) % candidates.len());
        let next = places.zip(1..).find(|(place, _)| candidates[*place].available);
        self.0 = next.map_or(0, |(place, _)| place + 1);
        let choice = next.map_or(Choice::Nobody, |(place, _)| Choice::Chosen(place));
        Selected { choice, steps: next.map_or(candidates.len() as u64, |(_, steps)| steps) }
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        candidates as u64
    }
}

fn main() {
    println!("{}", conformance("one after the other", Method::RoundRobin, |_| OneAfterTheOther(0)));
}
