//! Making a scenario of a group plain, so that nothing in it draws the eye but the defect.

use natlaw_model::routing::selection::{Asks, Candidate, EndpointGroup, Event};
use natlaw_model::subject::Scenario;

type Of = Scenario<EndpointGroup>;

/// Numbers of keys that are tried in place of more.
const TIMES: [u16; 9] = [1, 2, 3, 5, 10, 44, 100, 200, 300];

/// What makes an endpoint plain, one part after the other.
const PLAIN: &[fn(&mut Candidate)] = &[
    |one| one.priority = 1,
    |one| one.latency_ms = 0,
    |one| one.available = true,
    |one| one.weight = 2,
    |one| one.weight = 1,
];

/// The scenario with everything as plain as the verdict allows.
pub(super) fn plainest(scenario: Of, still_fails: impl Fn(&Of) -> bool) -> Of {
    let scenario = without_endpoints(scenario, &still_fails);
    let scenario = first(vec![with(&scenario, |it| it.subject.seed = 0)], scenario, &still_fails);
    let places = 0..scenario.subject.endpoints.len();
    let scenario =
        places.fold(scenario, |scenario, place| plainer_endpoint(scenario, place, &still_fails));
    (0..scenario.events.len()).fold(scenario, |scenario, place| {
        first(plainer_events(&scenario, place), scenario, &still_fails)
    })
}

/// How much there is to read in a scenario beside its events.
pub(super) fn roughness(scenario: &Of) -> usize {
    let odd = |one: &Candidate| usize::from(*one != Candidate::new(one.identity));
    let subject = &scenario.subject;
    2 * subject.endpoints.len() + subject.endpoints.iter().map(odd).sum::<usize>()
}

/// One endpoint after the other is left out.
fn without_endpoints(scenario: Of, still_fails: &impl Fn(&Of) -> bool) -> Of {
    let places = (0..scenario.subject.endpoints.len()).rev();
    places.fold(scenario, |scenario, place| {
        let fewer = with(&scenario, |it| {
            it.subject.endpoints.remove(place);
        });
        first(vec![fewer], scenario, still_fails)
    })
}

/// One part of an endpoint after the other is made plain.
fn plainer_endpoint(scenario: Of, place: usize, still_fails: &impl Fn(&Of) -> bool) -> Of {
    PLAIN.iter().fold(scenario, |scenario, change| {
        let plainer = with(&scenario, |it| change(&mut it.subject.endpoints[place]));
        first(vec![plainer], scenario, still_fails)
    })
}

/// The event with fewer keys, the fewest first.
fn plainer_events(scenario: &Of, place: usize) -> Vec<Of> {
    let fewer = |asks: Asks| {
        let times = TIMES.into_iter().filter(move |times| *times < asks.times);
        let from = [0, asks.key].into_iter();
        from.flat_map(move |key| times.clone().map(move |times| Asks { key, times }))
    };
    let with_event = |event| with(scenario, |it| it.events[place] = event);
    match scenario.events[place] {
        Event::Ask(asks) => fewer(asks).map(|asks| with_event(Event::Ask(asks))).collect(),
        Event::Start(asks) => fewer(asks).map(|asks| with_event(Event::Start(asks))).collect(),
        _ => Vec::new(),
    }
}

/// The first of these that fails too, or what there was.
fn first(plainer: Vec<Of>, scenario: Of, still_fails: &impl Fn(&Of) -> bool) -> Of {
    plainer.into_iter().find(still_fails).unwrap_or(scenario)
}

fn with(scenario: &Of, change: impl FnOnce(&mut Of)) -> Of {
    let mut changed = scenario.clone();
    change(&mut changed);
    changed
}
