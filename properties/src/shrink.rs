//! Making a counterexample small once it stands as plain events.

use natlaw_model::subject::{Scenario, Subject};

/// The scenario with every event taken out that is not needed for the verdict.
pub fn fewest_events<S: Subject>(
    scenario: &Scenario<S>,
    still_fails: impl Fn(&Scenario<S>) -> bool,
) -> Scenario<S> {
    let of = |events: &[S::Event]| Scenario {
        subject: scenario.subject.clone(),
        events: events.to_vec(),
    };
    of(&fewest(&scenario.events, |events| still_fails(&of(events))))
}

/// The list with every part taken out that is not needed for the verdict: halves first, then
/// quarters, down to single ones (delta debugging: Zeller and Hildebrandt, 2002).
pub fn fewest<T: Clone>(all: &[T], still_fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut smallest = all.to_vec();
    let mut length = smallest.len().div_ceil(2);
    while length > 0 {
        let mut taken_out = false;
        let mut start = 0;
        while start < smallest.len() {
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

fn without<T: Clone>(list: &[T], start: usize, length: usize) -> Vec<T> {
    let after = list.iter().skip(start + length);
    list.iter().take(start).chain(after).cloned().collect()
}
