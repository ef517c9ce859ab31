//! Choosing one of several endpoints, by exact answers and exact steps.

use std::collections::{BTreeMap, BTreeSet};

use natlaw_model::routing::selection::{
    Answer, Answers, Ask, Asks, Candidate, Choice, ConsistentHash, EndpointGroup, Event,
    FirstEndpoint, Known, LeastLatency, Method, Outcome, Policy, Priority, RoundRobin, Selected,
    Selector, Weighted,
};
use natlaw_model::subject::{Device, Subject};

/// A quarter of all numbers.
const QUARTER: u64 = 1 << 62;

fn one(identity: u64) -> Candidate {
    Candidate::new(identity)
}

fn down(identity: u64) -> Candidate {
    Candidate { available: false, ..one(identity) }
}

fn weighing(weights: &[u16]) -> Vec<Candidate> {
    let weighed = |(identity, weight): (u64, &u16)| Candidate { weight: *weight, ..one(identity) };
    (1..).zip(weights).map(weighed).collect()
}

fn prioritized(priorities: &[u16]) -> Vec<Candidate> {
    let with = |(identity, it): (u64, &u16)| Candidate { priority: *it, ..one(identity) };
    (1..).zip(priorities).map(with).collect()
}

fn ask(key: u64, draw: u64) -> Ask {
    Ask { key, draw }
}

fn chosen(place: usize, steps: u64) -> Selected {
    Selected { choice: Choice::Chosen(place), steps }
}

fn nobody(steps: u64) -> Selected {
    Selected { choice: Choice::Nobody, steps }
}

/// The places that so many questions in a row are answered with.
fn places(policy: &mut dyn Policy, candidates: &[Candidate], count: usize) -> Vec<usize> {
    let place = |_| match policy.select(ask(0, 0), candidates).choice {
        Choice::Chosen(place) => place,
        choice => panic!("{choice:?}"),
    };
    (0..count).map(place).collect()
}

#[test]
fn only_what_is_available_and_not_drained_is_eligible() {
    assert!(one(1).is_eligible());
    assert!(!down(1).is_eligible());
    assert!(!Candidate { weight: 0, ..one(1) }.is_eligible());
    assert!(!Candidate { weight: 0, ..down(1) }.is_eligible());
    assert!(Candidate { weight: u16::MAX, ..one(1) }.is_eligible());
}

#[test]
fn what_a_file_does_not_say_of_an_endpoint_is_plain() {
    let plain: Candidate = serde_json::from_str(r#"{"identity": 7}"#).expect("an endpoint");
    assert_eq!(plain, one(7));
    assert_eq!(
        plain,
        Candidate { identity: 7, priority: 1, weight: 1, latency_ms: 0, available: true }
    );
    assert!(serde_json::from_str::<Candidate>(r#"{"identity": 7, "wait": 1}"#).is_err());
}

#[test]
fn every_policy_declares_its_bound() {
    let bounds = [
        (Method::Priority, 1),
        (Method::Weighted, 2),
        (Method::RoundRobin, 2),
        (Method::LeastLatency { sensitivity_ms: 5 }, 3),
        (Method::FirstEndpoint, 2),
        (Method::ConsistentHash { slack_percent: 0 }, 1),
    ];
    for (method, passes) in bounds {
        let policy = method.policy(0);
        assert_eq!(policy.steps_max(0), 0, "{method}");
        assert_eq!(policy.steps_max(100), 100 * passes, "{method}");
        let without_bound = policy.steps_max(usize::MAX);
        assert_eq!(without_bound, (usize::MAX as u64).saturating_mul(passes), "{method}");
    }
}

#[test]
fn nobody_is_chosen_where_nobody_is_eligible() {
    let lists = [
        vec![],
        vec![down(1), down(2)],
        weighing(&[0, 0]),
        vec![down(1), Candidate { weight: 0, ..one(2) }],
    ];
    for method in [
        Method::Priority,
        Method::Weighted,
        Method::RoundRobin,
        Method::LeastLatency { sensitivity_ms: u32::MAX },
        Method::FirstEndpoint,
        Method::ConsistentHash { slack_percent: 0 },
    ] {
        for list in &lists {
            let mut policy = method.policy(u64::MAX);
            let steps_max = policy.steps_max(list.len());
            for _ in 0..3 {
                let Selected { choice, steps } = policy.select(ask(3, u64::MAX), list);
                assert_eq!(choice, Choice::Nobody, "{method}");
                assert!(steps <= steps_max && steps >= list.len() as u64, "{method}: {steps}");
            }
        }
    }
}

#[test]
fn priority_takes_the_lowest_and_of_equals_the_first() {
    let take = |candidates: &[Candidate]| Priority.select(ask(0, 0), candidates);
    assert_eq!(take(&prioritized(&[3, 1, 2])), chosen(1, 3));
    assert_eq!(take(&prioritized(&[2, 1, 1])), chosen(1, 3));
    assert_eq!(take(&prioritized(&[u16::MAX])), chosen(0, 1));
    let mut list = prioritized(&[1, 2, 3]);
    list[0].available = false;
    assert_eq!(take(&list), chosen(1, 3));
    list[1].weight = 0;
    assert_eq!(take(&list), chosen(2, 3));
    list[2].available = false;
    assert_eq!(take(&list), nobody(3));
    assert_eq!(take(&[]), nobody(0));
}

#[test]
fn a_weighted_choice_takes_the_unit_that_the_draw_points_at() {
    let mut list = weighing(&[1, 0, 2, 5, 1]);
    list[3].available = false;
    let take = |draw| Weighted.select(ask(0, draw), &list);
    assert_eq!(take(0), chosen(0, 6));
    assert_eq!(take(QUARTER - 1), chosen(0, 6));
    assert_eq!(take(QUARTER), chosen(2, 8));
    assert_eq!(take(3 * QUARTER - 1), chosen(2, 8));
    assert_eq!(take(3 * QUARTER), chosen(4, 10));
    assert_eq!(take(u64::MAX), chosen(4, 10));
    assert_eq!(Weighted.select(ask(0, 0), &weighing(&[0, 0])), nobody(4));
}

#[test]
fn the_largest_weights_do_not_overflow() {
    let list = weighing(&[u16::MAX; 1_000]);
    assert_eq!(Weighted.select(ask(0, u64::MAX), &list), chosen(999, 2_000));
    assert_eq!(Weighted.select(ask(0, 1 << 63), &list), chosen(500, 1_501));
    let uneven = weighing(&[u16::MAX, 1]);
    let mut robin = RoundRobin::starting_at(u64::MAX);
    assert_eq!(places(&mut robin, &uneven, 3), [1, 0, 0]);
}

#[test]
fn turns_are_taken_by_weight_one_after_the_other() {
    let mut robin = RoundRobin::new();
    assert_eq!(places(&mut robin, &weighing(&[3, 1]), 9), [0, 0, 0, 1, 0, 0, 0, 1, 0]);
    assert_eq!(places(&mut RoundRobin::default(), &weighing(&[50, 50]), 4), [0, 1, 0, 1]);
    let reduced = places(&mut RoundRobin::new(), &weighing(&[6, 0, 9]), 6);
    assert_eq!(reduced, [0, 0, 2, 2, 2, 0]);
    let mut list = weighing(&[2, 7, 1]);
    list[1].available = false;
    assert_eq!(places(&mut RoundRobin::new(), &list, 4), [0, 0, 2, 0]);
}

#[test]
fn a_turn_takes_two_passes_at_most() {
    let list = weighing(&[1, 1, 1]);
    let mut robin = RoundRobin::new();
    for (place, steps) in [(0, 4), (1, 5), (2, 6), (0, 4)] {
        assert_eq!(robin.select(ask(0, 0), &list), chosen(place, steps));
    }
    assert_eq!(robin.select(ask(0, 0), &[down(1)]), nobody(1));
}

#[test]
fn the_first_turn_is_drawn_over_the_cycle() {
    let list = weighing(&[3, 1]);
    let from = |draw| places(&mut RoundRobin::starting_at(draw), &list, 4);
    assert_eq!(from(0), [0, 0, 0, 1]);
    assert_eq!(from(QUARTER), [0, 0, 1, 0]);
    assert_eq!(from(2 * QUARTER), [0, 1, 0, 0]);
    assert_eq!(from(3 * QUARTER - 1), [0, 1, 0, 0]);
    assert_eq!(from(3 * QUARTER), [1, 0, 0, 0]);
    assert_eq!(from(u64::MAX), [1, 0, 0, 0]);
}

#[test]
fn the_place_in_the_cycle_is_kept_when_the_cycle_changes() {
    let mut robin = RoundRobin::new();
    assert_eq!(places(&mut robin, &weighing(&[3, 1]), 3), [0, 0, 0]);
    assert_eq!(robin.select(ask(0, 0), &[down(1)]), nobody(1), "and nobody's turn is lost");
    assert_eq!(places(&mut robin, &weighing(&[1, 1]), 2), [1, 0]);
    let mut unstarted = RoundRobin::starting_at(3 * QUARTER);
    assert_eq!(unstarted.select(ask(0, 0), &[]), nobody(0));
    assert_eq!(places(&mut unstarted, &weighing(&[3, 1]), 2), [1, 0], "the draw is kept");
}

fn at_latency(latencies_ms: &[u32]) -> Vec<Candidate> {
    let with = |(identity, it): (u64, &u32)| Candidate { latency_ms: *it, ..one(identity) };
    (1..).zip(latencies_ms).map(with).collect()
}

#[test]
fn latency_within_the_sensitivity_counts_as_near() {
    let list = at_latency(&[30, 10, 20, 21]);
    assert_eq!(places(&mut LeastLatency::new(0), &list, 2), [1, 1]);
    assert_eq!(places(&mut LeastLatency::new(9), &list, 2), [1, 1]);
    assert_eq!(places(&mut LeastLatency::new(10), &list, 3), [1, 2, 1]);
    assert_eq!(places(&mut LeastLatency::new(11), &list, 4), [1, 2, 3, 1]);
    assert_eq!(places(&mut LeastLatency::new(u32::MAX), &list, 5), [0, 1, 2, 3, 0]);
    let farthest = at_latency(&[u32::MAX, u32::MAX - 1]);
    assert_eq!(places(&mut LeastLatency::new(5), &farthest, 2), [0, 1]);
}

#[test]
fn priority_comes_before_latency_and_weight_after() {
    let mut list = at_latency(&[5, 20, 25, 40]);
    list[0].priority = 2;
    list[1].weight = 2;
    assert_eq!(places(&mut LeastLatency::new(5), &list, 4), [1, 1, 2, 1]);
    list[1].available = false;
    assert_eq!(places(&mut LeastLatency::new(5), &list, 2), [2, 2], "the fastest draws the band");
    list[2].weight = 0;
    list[3].available = false;
    assert_eq!(places(&mut LeastLatency::new(5), &list, 1), [0], "the next priority");
}

#[test]
fn least_latency_takes_three_passes_at_most_and_its_first_turn_can_be_drawn() {
    let list = at_latency(&[10, 10, 90]);
    let mut policy = LeastLatency::starting_at(0, 2 * QUARTER);
    assert_eq!(policy.select(ask(0, 0), &list), chosen(1, 8));
    assert_eq!(policy.select(ask(0, 0), &list), chosen(0, 7));
    assert_eq!(policy.select(ask(0, 0), &[down(1), down(2)]), nobody(2));
    assert_eq!(LeastLatency::new(3), LeastLatency::new(3));
    assert_ne!(LeastLatency::new(3), LeastLatency::new(4));
}

#[test]
fn the_first_endpoint_of_the_index_is_called_while_it_answers() {
    let mut client = FirstEndpoint::new();
    let mut list = vec![one(1), one(2)];
    assert_eq!(client.select(ask(0, 0), &list), chosen(0, 4), "discovered");
    assert_eq!(client.select(ask(0, 0), &list), chosen(0, 2), "known");
    list[0].available = false;
    assert_eq!(client.select(ask(0, 0), &list), chosen(1, 2), "failed over");
    list[0].available = true;
    assert_eq!(client.select(ask(0, 0), &list), chosen(0, 2), "and back");
    list[0].weight = 0;
    assert_eq!(client.select(ask(0, 0), &list), chosen(1, 2), "drained");
}

#[test]
fn an_index_is_kept_until_nothing_in_it_answers() {
    let mut client = FirstEndpoint::new();
    assert_eq!(places(&mut client, &[down(1), one(2)], 1), [1]);
    let swapped = [one(3), one(2), one(1)];
    assert_eq!(client.select(ask(0, 0), &swapped), chosen(2, 3), "1 came first in the index");
    assert_eq!(client.select(ask(0, 0), &[one(3), down(2)]), chosen(0, 4), "discovered again");
    assert_eq!(places(&mut client, &[one(2), one(3)], 1), [1], "3 comes first now");
    client.forget();
    assert_eq!(places(&mut client, &[one(2), one(3)], 1), [0]);
    assert_ne!(client, FirstEndpoint::new());
    client.forget();
    assert_eq!(client, FirstEndpoint::new());
}

#[test]
fn the_first_of_two_with_one_identity_ranks() {
    let mut client = FirstEndpoint::new();
    assert_eq!(places(&mut client, &[one(1), one(2), one(1)], 1), [0]);
    assert_eq!(places(&mut client, &[down(1), one(2), one(1)], 1), [2], "1 ranks before 2");
}

/// As computed by another program from the published algorithms.
const HOMES_OF_16_KEYS: [u64; 16] = [3, 3, 1, 3, 2, 3, 2, 3, 2, 2, 2, 1, 2, 1, 2, 1];

#[test]
fn a_key_is_at_home_where_its_score_is_highest() {
    let list = [one(1), one(2), one(3)];
    for (key, home) in (0..).zip(HOMES_OF_16_KEYS) {
        let place = usize::try_from(home - 1).expect("a place");
        assert_eq!(ConsistentHash.select(ask(key, key), &list), chosen(place, 3));
    }
    let reversed = [one(3), one(2), one(1)];
    assert_eq!(ConsistentHash.select(ask(0, 0), &reversed), chosen(0, 3), "home is 3");
    assert_eq!(ConsistentHash.select(ask(2, 0), &reversed), chosen(2, 3), "home is 1");
    assert_eq!(ConsistentHash::SLACK_PERCENT, 0);
}

#[test]
fn weights_do_not_move_a_key_but_draining_does() {
    let mut list = vec![one(1), one(2), Candidate { weight: 9, ..one(3) }];
    list[0].weight = 500;
    assert_eq!(ConsistentHash.select(ask(0, 0), &list), chosen(2, 3));
    list[2].weight = 0;
    let moved = ConsistentHash.select(ask(0, 0), &list);
    assert!([chosen(0, 3), chosen(1, 3)].contains(&moved));
    for (key, home) in (0..).zip(HOMES_OF_16_KEYS).filter(|(_, home)| *home != 3) {
        let place = usize::try_from(home - 1).expect("a place");
        assert_eq!(ConsistentHash.select(ask(key, 0), &list), chosen(place, 3), "stays");
    }
}

fn group(method: Method, endpoints: Vec<Candidate>) -> EndpointGroup {
    EndpointGroup { method, seed: 0, endpoints }
}

fn selector(group: &EndpointGroup) -> impl Device<EndpointGroup> + use<> {
    let method = group.method;
    Selector::new(group, move |draw| method.policy(draw))
}

fn asks(key: u64, times: u16) -> Asks {
    Asks { key, times }
}

fn answers(outcome: &Outcome) -> &Answers {
    match outcome {
        Outcome::Answered(answers) => answers,
        Outcome::Changed => panic!("changed"),
    }
}

#[test]
fn a_group_asks_its_policy_for_each_key() {
    let group = group(Method::ConsistentHash { slack_percent: 0 }, vec![one(1), one(2), one(3)]);
    let outcome = selector(&group).step(&Event::Ask(asks(0, 16)));
    let homes = HOMES_OF_16_KEYS.map(Answer::Chosen).to_vec();
    assert_eq!(outcome, Outcome::Answered(Answers { answers: homes, steps: 3, steps_max: 3 }));
    let wrapped: Vec<_> = asks(u64::MAX, 3).keys().collect();
    assert_eq!(wrapped, [u64::MAX, 0, 1]);
    assert_eq!(asks(4, 0).keys().count(), 0);
}

/// The draws of seed 0 are 0.88 for the policy, then 0.43, 0.03, 0.97, 0.11 of all numbers.
#[test]
fn draws_follow_from_the_seed() {
    let group = group(Method::Weighted, weighing(&[1, 1, 1, 1]));
    let ask_four = |group: &EndpointGroup| selector(group).step(&Event::Ask(asks(0, 4)));
    let expected = [2, 1, 4, 1].map(Answer::Chosen);
    assert_eq!(answers(&ask_four(&group)).answers, expected);
    assert_eq!(ask_four(&group), ask_four(&group));
    let other = EndpointGroup { seed: 5, ..group };
    assert_eq!(answers(&ask_four(&other)).answers, [4, 1, 1, 1].map(Answer::Chosen));
}

/// The first turn is drawn at 0.88 of the cycle; a fresh start draws anew, and the policy in use goes
/// on where it was.
#[test]
fn a_start_leaves_the_policy_in_use_alone() {
    let group = group(Method::RoundRobin, weighing(&[1, 1, 1, 1]));
    let mut device = selector(&group);
    let mut next = |event| answers(&device.step(&event)).answers.clone();
    assert_eq!(next(Event::Ask(asks(0, 1))), [Answer::Chosen(4)]);
    // Draws of the asks lie between: 0.43 | 0.03, 0.97 | 0.11, 0.33 | 0.17.
    assert_eq!(next(Event::Start(asks(0, 2))), [Answer::Chosen(1), Answer::Chosen(1)]);
    assert_eq!(next(Event::Ask(asks(0, 2))), [Answer::Chosen(1), Answer::Chosen(2)]);
}

#[test]
fn a_group_changes_as_it_is_told() {
    let first = vec![one(1), one(2)];
    let mut device = selector(&group(Method::FirstEndpoint, first.clone()));
    let mut known = group(Method::FirstEndpoint, first).ledger();
    let mut after = |event: Event| {
        let outcome = device.step(&event);
        assert_eq!(outcome, Outcome::Changed);
        EndpointGroup::record(&mut known, &event, &outcome);
        let Outcome::Answered(answers) = device.step(&Event::Start(asks(0, 1))) else {
            panic!("no answer")
        };
        (known.endpoints.clone(), answers.answers[0])
    };
    let drained = Candidate { weight: 0, ..one(1) };
    assert_eq!(after(Event::Down(1)), (vec![down(1), one(2)], Answer::Chosen(2)));
    assert_eq!(after(Event::Up(1)), (vec![one(1), one(2)], Answer::Chosen(1)));
    assert_eq!(after(Event::Weigh(1, 0)), (vec![drained, one(2)], Answer::Chosen(2)));
    assert_eq!(after(Event::Add(one(1))), (vec![one(2), one(1)], Answer::Chosen(2)));
    assert_eq!(after(Event::Remove(2)), (vec![one(1)], Answer::Chosen(1)));
    assert_eq!(after(Event::Remove(2)), (vec![one(1)], Answer::Chosen(1)));
    assert_eq!(after(Event::Down(7)), (vec![one(1)], Answer::Chosen(1)));
    assert_eq!(after(Event::Down(1)), (vec![down(1)], Answer::Nobody));
}

#[test]
fn of_two_with_one_identity_the_later_stands() {
    let twice = vec![down(1), one(2), one(1), one(3)];
    let group = group(Method::Priority, twice);
    assert_eq!(group.ledger().endpoints, [one(2), one(1), one(3)]);
    let outcome = selector(&group).step(&Event::Ask(asks(0, 1)));
    assert_eq!(outcome.to_string(), "2; 3 of 3 steps");
}

/// A policy that answers what it is told to.
struct Says(Choice);

impl Policy for Says {
    fn select(&mut self, _: Ask, _: &[Candidate]) -> Selected {
        Selected { choice: self.0, steps: 9 }
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        candidates as u64
    }
}

#[test]
fn an_answer_is_told_as_it_is() {
    let group = group(Method::Priority, vec![one(5), one(6)]);
    let told = |choice| {
        let mut device = Selector::new(&group, move |_| Box::new(Says(choice)));
        device.step(&Event::Ask(asks(0, 1)))
    };
    let with =
        |answer| Outcome::Answered(Answers { answers: vec![answer], steps: 9, steps_max: 2 });
    assert_eq!(told(Choice::Chosen(1)), with(Answer::Chosen(6)));
    assert_eq!(told(Choice::Chosen(2)), with(Answer::Astray(2)));
    assert_eq!(told(Choice::Nobody), with(Answer::Nobody));
    assert_eq!(told(Choice::Unfinished), with(Answer::Unfinished));
}

fn recorded(known: &mut Known, event: &Event, answers: Vec<Answer>) {
    let outcome = Outcome::Answered(Answers { answers, steps: 1, steps_max: 1 });
    EndpointGroup::record(known, event, &outcome);
}

#[test]
fn the_ledger_counts_choices_until_the_group_changes() {
    let mut known = group(Method::RoundRobin, vec![one(1), one(2)]).ledger();
    let (ask, start) = (Event::Ask(asks(0, 3)), Event::Start(asks(0, 2)));
    recorded(&mut known, &ask, vec![Answer::Chosen(1), Answer::Nobody, Answer::Chosen(1)]);
    recorded(&mut known, &start, vec![Answer::Chosen(2), Answer::Chosen(1)]);
    recorded(&mut known, &ask, vec![Answer::Chosen(2), Answer::Astray(4), Answer::Unfinished]);
    assert_eq!(known.turns, BTreeMap::from([(1, 2), (2, 1)]));
    assert_eq!(known.starts, BTreeMap::from([(1, 1), (2, 1)]));
    assert_eq!(known.homes, BTreeMap::new(), "no keys have homes");
    EndpointGroup::record(&mut known, &Event::Down(2), &Outcome::Changed);
    assert_eq!((known.turns.len(), known.starts.len()), (0, 0));
    assert_eq!(known.endpoints, [one(1), down(2)]);
}

#[test]
fn the_ledger_knows_the_home_of_each_key_by_who_was_eligible() {
    let hash = Method::ConsistentHash { slack_percent: 0 };
    let mut known = group(hash, vec![one(1), one(2), down(3)]).ledger();
    let (ask, start) = (Event::Ask(asks(7, 3)), Event::Start(asks(20, 1)));
    recorded(&mut known, &ask, vec![Answer::Chosen(1), Answer::Nobody, Answer::Chosen(2)]);
    recorded(&mut known, &start, vec![Answer::Chosen(2)]);
    EndpointGroup::record(&mut known, &Event::Remove(1), &Outcome::Changed);
    recorded(&mut known, &Event::Ask(asks(7, 1)), vec![Answer::Chosen(2)]);
    let expected = BTreeMap::from([
        (BTreeSet::from([1, 2]), BTreeMap::from([(7, 1), (9, 2)])),
        (BTreeSet::from([2]), BTreeMap::from([(7, 2)])),
    ]);
    assert_eq!(known.homes, expected);
}

#[test]
fn the_ledger_knows_the_index_that_a_client_keeps() {
    let mut known = group(Method::FirstEndpoint, vec![down(1), one(2), one(3)]).ledger();
    assert_eq!((known.first_known(), known.index.len()), (Some(2), 0));
    let ask = Event::Ask(asks(0, 1));
    recorded(&mut known, &ask, vec![Answer::Chosen(2)]);
    assert_eq!(known.index, [1, 2, 3]);
    EndpointGroup::record(&mut known, &Event::Add(one(1)), &Outcome::Changed);
    EndpointGroup::record(&mut known, &Event::Add(one(4)), &Outcome::Changed);
    assert_eq!(known.first_known(), Some(1), "first of the index, third of the list");
    recorded(&mut known, &ask, vec![Answer::Chosen(1)]);
    assert_eq!(known.index, [1, 2, 3], "it is kept");
    for gone in 1..=3 {
        EndpointGroup::record(&mut known, &Event::Down(gone), &Outcome::Changed);
    }
    assert_eq!(known.first_known(), Some(4));
    recorded(&mut known, &ask, vec![Answer::Chosen(4)]);
    assert_eq!(known.index, [2, 3, 1, 4], "it is discovered again");
    EndpointGroup::record(&mut known, &Event::Down(4), &Outcome::Changed);
    assert_eq!(known.first_known(), None);
    assert_eq!(known.endpoint(4), Some(&down(4)));
    assert_eq!(known.endpoint(5), None);
}

#[test]
fn a_method_leaves_some_of_the_eligible_to_choose_from() {
    let mut list = at_latency(&[20, 5, 25, 26]);
    list[1].priority = 2;
    list.push(down(9));
    let contenders = |method| {
        let known = group(method, list.clone()).ledger();
        known.contenders().iter().map(|one| one.identity).collect::<Vec<_>>()
    };
    assert_eq!(contenders(Method::Priority), [1, 3, 4]);
    assert_eq!(contenders(Method::LeastLatency { sensitivity_ms: 5 }), [1, 3]);
    assert_eq!(contenders(Method::LeastLatency { sensitivity_ms: 6 }), [1, 3, 4]);
    assert_eq!(contenders(Method::LeastLatency { sensitivity_ms: u32::MAX }), [1, 3, 4]);
    for method in [
        Method::Weighted,
        Method::RoundRobin,
        Method::FirstEndpoint,
        Method::ConsistentHash { slack_percent: 0 },
    ] {
        assert_eq!(contenders(method), [1, 2, 3, 4]);
    }
}

#[test]
fn everything_reads_as_a_person_would_say_it() {
    let told: Vec<_> = [
        Event::Ask(asks(7, 1)),
        Event::Ask(asks(7, 40)),
        Event::Start(asks(0, 2)),
        Event::Down(3),
        Event::Up(3),
        Event::Remove(3),
        Event::Add(Candidate { latency_ms: 12, ..down(3) }),
        Event::Weigh(3, 0),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(
        told,
        [
            "ask for key 7",
            "ask for 40 keys from 7",
            "start for 2 keys from 0",
            "3 goes down",
            "3 comes up",
            "remove 3",
            "add 3: priority 1, weight 1, 12 ms, down",
            "3 weighs 0",
        ]
    );
    let list = [Answer::Chosen(2), Answer::Nobody, Answer::Chosen(2), Answer::Astray(8)];
    let list = [&list[..], &[Answer::Unfinished]].concat();
    let outcome = Outcome::Answered(Answers { answers: list, steps: 3, steps_max: 4 });
    let expected =
        "2 (2 times), place 8, where no endpoint stands, nobody, unfinished; 3 of 4 steps";
    assert_eq!(outcome.to_string(), expected);
    assert_eq!(Outcome::Changed.to_string(), "changed");
    let of = group(Method::LeastLatency { sensitivity_ms: 5 }, vec![one(1), down(2)]);
    let expected = "least latency, 5 ms, seed 0; 1: priority 1, weight 1, 0 ms; \
                    2: priority 1, weight 1, 0 ms, down";
    assert_eq!(of.to_string(), expected);
    let of = group(Method::Priority, vec![one(1), one(2), one(3), down(4), one(6), one(u64::MAX)]);
    let expected = "priority, seed 0; 1 to 3: priority 1, weight 1, 0 ms; \
                    4: priority 1, weight 1, 0 ms, down; 6: priority 1, weight 1, 0 ms; \
                    18446744073709551615: priority 1, weight 1, 0 ms";
    assert_eq!(of.to_string(), expected);
    let methods = [
        (Method::Priority, "priority"),
        (Method::Weighted, "weighted"),
        (Method::RoundRobin, "round robin"),
        (Method::FirstEndpoint, "first endpoint first"),
        (Method::ConsistentHash { slack_percent: 2 }, "consistent hash, slack 2 %"),
    ];
    for (method, name) in methods {
        assert_eq!(method.to_string(), name);
    }
}

#[test]
fn the_chosen_and_their_keys_are_told_apart_from_the_rest() {
    let list = vec![Answer::Nobody, Answer::Chosen(4), Answer::Astray(1), Answer::Chosen(3)];
    let answers = Answers { answers: list, steps: 0, steps_max: 0 };
    assert_eq!(answers.chosen().collect::<Vec<_>>(), [4, 3]);
    assert_eq!(answers.homes(asks(10, 4)).collect::<Vec<_>>(), [(11, 4), (13, 3)]);
}

#[test]
fn a_group_is_written_as_a_person_would() {
    let text = r#"
        method = "round-robin"
        endpoints = [{ identity = 1, weight = 3 }, { identity = 2 }]
    "#;
    let read: EndpointGroup = toml::from_str(text).expect("a group");
    assert_eq!(read, group(Method::RoundRobin, weighing(&[3, 1])));
    let near: EndpointGroup =
        toml::from_str("method = { least-latency = { sensitivity_ms = 5 } }\nseed = 4")
            .expect("a group");
    assert_eq!(
        near,
        EndpointGroup { seed: 4, ..group(Method::LeastLatency { sensitivity_ms: 5 }, vec![]) }
    );
    assert!(toml::from_str::<EndpointGroup>("method = \"round-robin\"\nseeds = 4").is_err());
}
