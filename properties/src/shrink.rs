//! Making a counterexample small once it stands as plain events.

use natlaw_model::subject::{Scenario, Subject};

/// The scenario with every event taken out that is not needed for the verdict: halves first, then
/// quarters, down to single events (delta debugging: Zeller and Hildebrandt, 2002).
pub fn fewest_events<S: Subject>(
    scenario: &Scenario<S>,
    still_fails: impl Fn(&Scenario<S>) -> bool,
) -> Scenario<S> {
    let mut smallest = scenario.clone();
    let mut length = smallest.events.len().div_ceil(2);
    while length > 0 {
        let mut taken_out = false;
        let mut start = 0;
        while start < smallest.events.len() {
            let candidate = without(&smallest, start, length);
            if still_fails(&candidate) {
                smallest = candidate;
                taken_out = true;
            } else {
                start += length;
            }
        }
        length = if length == 1 && taken_out { 1 } else { length / 2 };
    }
    smallest
}

fn without<S: Subject>(scenario: &Scenario<S>, start: usize, length: usize) -> Scenario<S> {
    let mut events = scenario.events.clone();
    events.drain(start..(start + length).min(events.len()));
    Scenario { subject: scenario.subject.clone(), events }
}
