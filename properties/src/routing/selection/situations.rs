//! What the generators must reach, or the laws hold for want of trying.

use natlaw_model::routing::selection::{Answer, EndpointGroup, Event};
use natlaw_model::subject;

use super::laws::{answered, asked, homes, sensitivity_ms, shares, started};
use crate::law::Situation;
use crate::situation;

type Moment<'a> = subject::Moment<'a, EndpointGroup>;

/// Every situation that must occur.
pub const REACHABLE: &[Situation<EndpointGroup>] = &[
    situation!(there_is_no_endpoint),
    situation!(every_endpoint_is_down),
    situation!(every_endpoint_is_drained),
    situation!(one_endpoint_is_left),
    situation!(there_are_more_than_64_endpoints),
    situation!(the_first_64_endpoints_are_down),
    situation!(a_weight_is_the_largest),
    situation!(the_heaviest_is_down),
    situation!(nobody_is_chosen),
    situation!(an_endpoint_leaves_after_it_was_chosen),
    situation!(an_endpoint_joins_after_a_choice),
    situation!(a_cycle_is_complete),
    situation!(many_policies_start),
    situation!(one_slower_than_the_fastest_is_chosen),
    situation!(a_faster_one_of_a_worse_priority_waits),
    situation!(the_first_endpoint_is_passed_over),
    situation!(the_index_is_discovered_again),
    situation!(a_key_moves),
    situation!(a_key_comes_home),
];

fn there_is_no_endpoint(moment: &Moment) -> bool {
    answered(moment).is_some() && moment.before.endpoints.is_empty()
}

fn every_endpoint_is_down(moment: &Moment) -> bool {
    let endpoints = &moment.before.endpoints;
    answered(moment).is_some()
        && !endpoints.is_empty()
        && endpoints.iter().all(|one| !one.available)
}

fn every_endpoint_is_drained(moment: &Moment) -> bool {
    let endpoints = &moment.before.endpoints;
    let is_drained = endpoints.iter().all(|one| one.weight == 0);
    answered(moment).is_some() && endpoints.iter().any(|one| one.available) && is_drained
}

fn one_endpoint_is_left(moment: &Moment) -> bool {
    let eligible = moment.before.eligible().count();
    answered(moment).is_some() && eligible == 1 && moment.before.endpoints.len() > 1
}

fn there_are_more_than_64_endpoints(moment: &Moment) -> bool {
    answered(moment).is_some() && moment.before.eligible().count() > 64
}

fn the_first_64_endpoints_are_down(moment: &Moment) -> bool {
    let mut first = moment.before.endpoints.iter().take(64);
    answered(moment).is_some_and(|answers| answers.chosen().next().is_some())
        && first.all(|one| !one.available)
}

fn a_weight_is_the_largest(moment: &Moment) -> bool {
    answered(moment).is_some() && moment.before.eligible().any(|one| one.weight == u16::MAX)
}

fn the_heaviest_is_down(moment: &Moment) -> bool {
    let heaviest = moment.before.endpoints.iter().max_by_key(|one| one.weight);
    let lightest = moment.before.eligible().map(|one| one.weight).min();
    answered(moment).is_some()
        && heaviest.is_some_and(|one| !one.available && lightest < Some(one.weight))
        && lightest.is_some()
}

fn nobody_is_chosen(moment: &Moment) -> bool {
    answered(moment).is_some_and(|answers| answers.answers.contains(&Answer::Nobody))
}

fn an_endpoint_leaves_after_it_was_chosen(moment: &Moment) -> bool {
    matches!(moment.event, Event::Remove(who) if moment.before.turns.contains_key(who))
}

fn an_endpoint_joins_after_a_choice(moment: &Moment) -> bool {
    let joins = |who| moment.before.endpoint(who).is_none() && !moment.before.turns.is_empty();
    matches!(moment.event, Event::Add(endpoint) if joins(endpoint.identity))
}

fn a_cycle_is_complete(moment: &Moment) -> bool {
    let cycle: u64 = shares(moment.before).values().sum();
    let turns: u64 = moment.before.turns.values().sum();
    asked(moment).is_some() && shares(moment.before).len() > 1 && turns >= cycle
}

fn many_policies_start(moment: &Moment) -> bool {
    started(moment).is_some_and(|answers| answers.answers.len() > 100)
}

fn one_slower_than_the_fastest_is_chosen(moment: &Moment) -> bool {
    let fastest = moment.before.contenders().iter().map(|one| one.latency_ms).min();
    let is_slower = |who| moment.before.endpoint(who).map(|one| one.latency_ms) > fastest;
    sensitivity_ms(moment).is_some()
        && answered(moment).is_some_and(|answers| answers.chosen().any(is_slower))
}

fn a_faster_one_of_a_worse_priority_waits(moment: &Moment) -> bool {
    let best = moment.before.eligible().map(|one| (one.priority, one.latency_ms)).min();
    let waits = |(priority, latency_ms)| {
        let mut others = moment.before.eligible();
        others.any(|one| one.priority > priority && one.latency_ms < latency_ms)
    };
    sensitivity_ms(moment).is_some() && answered(moment).is_some() && best.is_some_and(waits)
}

fn the_first_endpoint_is_passed_over(moment: &Moment) -> bool {
    let first = moment.before.endpoints.first();
    asked(moment).is_some_and(|(_, answers)| answers.chosen().next().is_some())
        && first.is_some_and(|one| !one.is_eligible())
}

fn the_index_is_discovered_again(moment: &Moment) -> bool {
    let is_known = |who: u64| moment.before.index.contains(&who);
    asked(moment).is_some_and(|(_, answers)| answers.chosen().any(|who| !is_known(who)))
        && !moment.before.index.is_empty()
}

fn a_key_moves(moment: &Moment) -> bool {
    let moves = |(key, now): (u64, u64)| {
        let mut then = moment.before.homes.values().filter_map(|homes| homes.get(&key));
        then.any(|then| *then != now)
    };
    homes(moment).is_some_and(|mut homes| homes.any(moves))
}

/// It has been elsewhere, the group has changed since it last asked, and is now as it once was.
fn a_key_comes_home(moment: &Moment) -> bool {
    let eligible = moment.before.eligible().map(|one| one.identity).collect();
    let then = moment.before.homes.get(&eligible);
    let comes = |(key, now)| {
        let mut homes = moment.before.homes.values().filter_map(|homes| homes.get(&key));
        then.is_some_and(|then| then.contains_key(&key)) && homes.any(|home| *home != now)
    };
    moment.before.turns.is_empty() && homes(moment).is_some_and(|mut homes| homes.any(comes))
}
