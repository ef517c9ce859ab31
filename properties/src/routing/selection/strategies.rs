//! Scenarios of a group, drawn from a universe small enough to collide.
//!
//! Up to five endpoints of six that there are, three priorities, a handful of weights and latencies;
//! now and then more than 64 endpoints, of which the first ones are down. Single questions, and
//! bursts long enough for shares to be judged.

use natlaw_model::routing::selection::{Asks, Candidate, EndpointGroup, Event, Method};
use natlaw_model::subject::Scenario;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The most parts of a scenario: single events, and endpoints that go down and come up again.
pub const PARTS_MAX: usize = 12;

/// The endpoints that there are.
const IDENTITIES: u64 = 6;

/// Weights: none, small ones, one beyond eight bits, the largest.
const WEIGHTS: [u16; 8] = [0, 1, 1, 2, 3, 100, 300, u16::MAX];

/// Latencies in milliseconds, on both sides of the sensitivities.
const LATENCIES_MS: [u32; 6] = [0, 10, 20, 21, 30, u32::MAX];

/// A scenario of any method.
pub fn scenario() -> BoxedStrategy<Scenario<EndpointGroup>> {
    method().prop_flat_map(scenario_of).boxed()
}

/// A scenario of this method.
pub fn scenario_of(method: Method) -> BoxedStrategy<Scenario<EndpointGroup>> {
    let part = prop_oneof![9 => event().prop_map(|event| vec![event]), 1 => flap()];
    (group(method), vec(part, 0..=PARTS_MAX))
        .prop_map(|(subject, parts)| Scenario { subject, events: parts.concat() })
        .boxed()
}

/// This many scenarios, the same on every machine.
pub fn sample(
    cases: u32,
    scenarios: &BoxedStrategy<Scenario<EndpointGroup>>,
) -> Vec<Scenario<EndpointGroup>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut draw = || scenarios.new_tree(&mut runner).expect("a scenario").current();
    (0..cases).map(|_| draw()).collect()
}

/// A method.
pub fn method() -> impl Strategy<Value = Method> {
    let sensitivity_ms = select(vec![0, 10, 20, u32::MAX]);
    prop_oneof![
        Just(Method::Priority),
        Just(Method::Weighted),
        Just(Method::RoundRobin),
        sensitivity_ms.prop_map(|sensitivity_ms| Method::LeastLatency { sensitivity_ms }),
        Just(Method::FirstEndpoint),
        Just(Method::ConsistentHash { slack_percent: 0 }),
    ]
}

/// A group of this method.
pub fn group(method: Method) -> impl Strategy<Value = EndpointGroup> {
    let endpoints = prop_oneof![
        8 => few(),
        1 => few().prop_map(|few| changed(few, |one| one.available = false)),
        1 => few().prop_map(|few| changed(few, |one| one.weight = 0)),
        1 => many(),
    ];
    (any::<u16>(), endpoints).prop_map(move |(seed, endpoints)| EndpointGroup {
        method,
        seed: seed.into(),
        endpoints,
    })
}

/// Up to five endpoints.
fn few() -> impl Strategy<Value = Vec<Candidate>> {
    vec(endpoint(), 0..=5)
}

/// More than 64 endpoints; the first of them are down.
fn many() -> impl Strategy<Value = Vec<Candidate>> {
    (65..=70_u64, select(vec![0, 0, 32, 33, 64])).prop_map(|(count, down)| {
        let one = |identity| Candidate { available: identity > down, ..Candidate::new(identity) };
        (1..=count).map(one).collect()
    })
}

/// An endpoint.
pub fn endpoint() -> impl Strategy<Value = Candidate> {
    let weight = select(WEIGHTS.to_vec());
    let latency_ms = select(LATENCIES_MS.to_vec());
    (1..=IDENTITIES, 1..=3_u16, weight, latency_ms, prop::bool::weighted(0.8)).prop_map(
        |(identity, priority, weight, latency_ms, available)| Candidate {
            identity,
            priority,
            weight,
            latency_ms,
            available,
        },
    )
}

/// An event.
pub fn event() -> impl Strategy<Value = Event> {
    let identity = || 1..=IDENTITIES;
    prop_oneof![
        4 => asks(1..=8).prop_map(Event::Ask),
        2 => asks(100..=400).prop_map(Event::Ask),
        1 => asks(100..=400).prop_map(Event::Start),
        2 => identity().prop_map(Event::Down),
        2 => identity().prop_map(Event::Up),
        1 => identity().prop_map(Event::Remove),
        1 => endpoint().prop_map(Event::Add),
        1 => (identity(), select(WEIGHTS.to_vec())).prop_map(|(who, weight)| Event::Weigh(who, weight)),
    ]
}

/// An endpoint goes down and comes up again; the same keys ask before, between and after.
fn flap() -> impl Strategy<Value = Vec<Event>> {
    (1..=IDENTITIES, asks(1..=8)).prop_map(|(who, asks)| {
        let ask = Event::Ask(asks);
        vec![ask, Event::Down(who), ask, Event::Up(who), ask]
    })
}

/// Questions for so many keys.
fn asks(times: std::ops::RangeInclusive<u16>) -> impl Strategy<Value = Asks> {
    (0..8_u64, times).prop_map(|(key, times)| Asks { key, times })
}

fn changed(mut endpoints: Vec<Candidate>, change: impl Fn(&mut Candidate)) -> Vec<Candidate> {
    endpoints.iter_mut().for_each(change);
    endpoints
}
