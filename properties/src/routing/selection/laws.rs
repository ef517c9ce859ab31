//! What must be true of every choice of an endpoint.
//!
//! Readings taken:
//!
//! 1. Shares of a policy that draws are held to a tail bound: of N draws, each endpoint's count is
//!    within the square root of 11 N of its expected one. By Hoeffding's inequality a sound policy
//!    misses that with a chance of 2 e^-22 at most, below one in a billion. It is asked from 100
//!    draws on.
//! 2. Shares of a policy that takes turns are exact. Since the last change of the group, T choices
//!    hold T / cycle whole cycles; nobody has fewer turns than these give, or more than one more
//!    would.
//! 3. Keys of one burst are neighbours, as the addresses of clients are. A consistent hash is held to
//!    the tail bound over them as if it drew.

use std::collections::BTreeMap;

use natlaw_model::routing::selection::{
    Answer, Answers, Asks, Candidate, EndpointGroup, Event, Known, Method, Outcome,
};
use natlaw_model::subject;

use crate::law;
use crate::law::Law;

type Moment<'a> = subject::Moment<'a, EndpointGroup>;

/// Every law of choosing an endpoint.
pub const LAWS: &[Law<EndpointGroup>] = &[
    law!(
        a_selection_finishes,
        "NuGet.org, incident of 22 March 2018; nginx 3625a458d; HAProxy 6be02d1c6",
        "Clients spin at full load where they should fail over, and the outage spreads to them."
    ),
    law!(
        a_selection_takes_no_more_steps_than_it_declares,
        "Declared by the policy",
        "A choice that is cheap on paper blocks every request once many endpoints are down."
    ),
    law!(
        a_policy_declares_at_most_eight_looks_at_each_candidate,
        "A reading taken: a bound that is linear in the endpoints",
        "A bound that nothing reaches is none."
    ),
    law!(
        the_chosen_endpoint_is_in_the_group,
        "gravitee 4208",
        "Requests go to an endpoint that was taken out, or the client crashes."
    ),
    law!(
        the_chosen_endpoint_is_available,
        "\"Traffic Manager endpoint monitoring\", Microsoft, December 2018",
        "Requests go to an endpoint that is known to be down."
    ),
    law!(
        a_drained_endpoint_is_never_chosen,
        "A reading taken: weight 0 drains; mosn 1969",
        "An endpoint that is being taken out of service never gets empty."
    ),
    law!(
        nobody_is_said_only_when_nobody_is_eligible,
        "mosn 1867; nginx 665b9fd2e",
        "Requests fail although an endpoint could serve them."
    ),
    law!(
        priority_chooses_the_best,
        "\"Traffic Manager routing methods\", Microsoft: priority routing",
        "Traffic goes to the stand-by while the main site is up."
    ),
    law!(
        least_latency_stays_with_the_best_priority,
        "\"Front Door routing methods\", Microsoft, 2018",
        "Traffic goes to a stand-by because it happens to be near."
    ),
    law!(
        least_latency_stays_near_the_fastest,
        "\"Front Door routing methods\", Microsoft, 2018",
        "Clients are sent around the world for an answer from next door."
    ),
    law!(
        over_a_cycle_each_has_exactly_its_turns,
        "HAProxy a34bdc0ea; nginx 121bf2f95",
        "One endpoint is overrun and another idles, whatever the weights say."
    ),
    law!(
        chance_follows_the_weights,
        "\"Traffic Manager routing methods\", Microsoft: weighted routing",
        "A trial that should get one request in a hundred gets half of them."
    ),
    law!(
        first_turns_follow_the_weights,
        "Envoy 32233",
        "Many clients that each ask a few times never reach the light endpoints."
    ),
    law!(
        the_first_endpoint_that_answers_is_chosen,
        "NuGet service index: the first endpoint first",
        "Clients stay on the spare long after the main service is back."
    ),
    law!(
        a_key_moves_only_from_or_to_an_endpoint_that_changed,
        "Thaler and Ravishankar, \"Using Name-Based Mappings to Increase Hit Rates\", 1998",
        "One endpoint goes down and every client loses its session or its cache."
    ),
    law!(
        the_same_endpoints_give_a_key_the_same_one,
        "Thaler and Ravishankar, \"Using Name-Based Mappings to Increase Hit Rates\", 1998",
        "Two routers with one configuration send one client to two places."
    ),
    law!(
        neighbouring_keys_are_spread,
        "FD.io VPP 579a6fb89ba; Oxide omicron 6037",
        "Clients of one network all meet on one endpoint."
    ),
    law!(
        every_event_is_answered_in_kind,
        "Definition of a trace",
        "The trace is not one of a group."
    ),
];

/// Draws from which on shares are judged.
pub(super) const ENOUGH: u64 = 100;

fn a_selection_finishes(moment: &Moment) -> Option<bool> {
    Some(!answered(moment)?.answers.contains(&Answer::Unfinished))
}

fn a_selection_takes_no_more_steps_than_it_declares(moment: &Moment) -> Option<bool> {
    let answers = answered(moment)?;
    Some(answers.steps <= answers.steps_max)
}

fn a_policy_declares_at_most_eight_looks_at_each_candidate(moment: &Moment) -> Option<bool> {
    let candidates = moment.before.endpoints.len() as u64;
    Some(answered(moment)?.steps_max <= 8 * (candidates + 1))
}

fn the_chosen_endpoint_is_in_the_group(moment: &Moment) -> Option<bool> {
    let is_listed = |answer: &Answer| match answer {
        Answer::Chosen(endpoint) => moment.before.endpoint(*endpoint).is_some(),
        Answer::Astray(_) => false,
        Answer::Nobody | Answer::Unfinished => true,
    };
    Some(answered(moment)?.answers.iter().all(is_listed))
}

fn the_chosen_endpoint_is_available(moment: &Moment) -> Option<bool> {
    each_chosen(moment, |one| one.available)
}

fn a_drained_endpoint_is_never_chosen(moment: &Moment) -> Option<bool> {
    each_chosen(moment, |one| one.weight > 0)
}

fn nobody_is_said_only_when_nobody_is_eligible(moment: &Moment) -> Option<bool> {
    let says_nobody = answered(moment)?.answers.contains(&Answer::Nobody);
    Some(!says_nobody || moment.before.eligible().next().is_none())
}

fn priority_chooses_the_best(moment: &Moment) -> Option<bool> {
    let is_priority = moment.before.method == Method::Priority;
    let best = moment.before.eligible().map(|one| one.priority).min();
    is_priority.then(|| each_chosen(moment, |one| Some(one.priority) <= best))?
}

fn least_latency_stays_with_the_best_priority(moment: &Moment) -> Option<bool> {
    sensitivity_ms(moment)?;
    let best = moment.before.eligible().map(|one| one.priority).min();
    each_chosen(moment, |one| Some(one.priority) <= best)
}

/// The fastest of the chosen one's own priority draws the band.
fn least_latency_stays_near_the_fastest(moment: &Moment) -> Option<bool> {
    let sensitivity_ms = sensitivity_ms(moment)?;
    let is_near = |chosen: &Candidate| {
        let mut peers = moment.before.eligible().filter(|one| one.priority == chosen.priority);
        peers.all(|peer| chosen.latency_ms <= peer.latency_ms.saturating_add(sensitivity_ms))
    };
    each_chosen(moment, is_near)
}

/// Whoever is not eligible takes no turn: its share would be missing from somebody's.
fn over_a_cycle_each_has_exactly_its_turns(moment: &Moment) -> Option<bool> {
    let method = moment.before.method;
    matches!(method, Method::RoundRobin | Method::LeastLatency { .. }).then_some(())?;
    let turns = with(&moment.before.turns, asked(moment)?.1);
    let shares = shares(moment.before);
    let cycle: u64 = shares.values().sum();
    let cycles = turns.values().sum::<u64>().checked_div(cycle).filter(|cycles| *cycles > 0)?;
    let is_exact = |(who, share): (&u64, &u64)| {
        (cycles * share..=(cycles + 1) * share).contains(turns.get(who).unwrap_or(&0))
    };
    Some(shares.iter().all(is_exact))
}

fn chance_follows_the_weights(moment: &Moment) -> Option<bool> {
    (moment.before.method == Method::Weighted).then_some(())?;
    let counts = with(&moment.before.turns, asked(moment)?.1);
    are_likely(&counts, &shares(moment.before))
}

fn first_turns_follow_the_weights(moment: &Moment) -> Option<bool> {
    let (is_drawn, method) = (Method::RoundRobin, moment.before.method);
    (method == is_drawn || method == Method::Weighted || sensitivity_ms(moment).is_some())
        .then_some(())?;
    let counts = with(&moment.before.starts, started(moment)?);
    are_likely(&counts, &shares(moment.before))
}

/// Of the list as it is, or as the client discovered it.
fn the_first_endpoint_that_answers_is_chosen(moment: &Moment) -> Option<bool> {
    (moment.before.method == Method::FirstEndpoint).then_some(())?;
    let known = moment.before.first_known();
    let listed = moment.before.eligible().next().map(|one| one.identity);
    each_chosen(moment, |one| [known, listed].contains(&Some(one.identity)))
}

/// A key that has moved has left an endpoint that is no longer eligible, or has gone to one that was
/// not when it was given the other.
fn a_key_moves_only_from_or_to_an_endpoint_that_changed(moment: &Moment) -> Option<bool> {
    let mut homes = homes(moment)?.peekable();
    homes.peek()?;
    let is_eligible = |who| moment.before.eligible().any(|one| one.identity == who);
    let may_move = |(key, now): (u64, u64)| {
        moment.before.homes.iter().all(|(eligible, homes)| {
            homes
                .get(&key)
                .is_none_or(|then| *then == now || !is_eligible(*then) || !eligible.contains(&now))
        })
    };
    Some(homes.all(may_move))
}

/// Whatever became of the group in between, and in whatever order it is listed.
fn the_same_endpoints_give_a_key_the_same_one(moment: &Moment) -> Option<bool> {
    let eligible = moment.before.eligible().map(|one| one.identity).collect();
    let then = moment.before.homes.get(&eligible)?;
    let mut again = homes(moment)?.filter(|(key, _)| then.contains_key(key)).peekable();
    again.peek()?;
    Some(again.all(|(key, now)| then[&key] == now))
}

fn neighbouring_keys_are_spread(moment: &Moment) -> Option<bool> {
    matches!(moment.before.method, Method::ConsistentHash { .. }).then_some(())?;
    let counts = with(&BTreeMap::new(), asked(moment)?.1);
    let shares = moment.before.eligible().map(|one| (one.identity, 1)).collect();
    are_likely(&counts, &shares)
}

fn every_event_is_answered_in_kind(moment: &Moment) -> Option<bool> {
    Some(match (moment.event, moment.outcome) {
        (Event::Ask(asks) | Event::Start(asks), Outcome::Answered(answers)) => {
            answers.answers.len() == usize::from(asks.times)
        }
        (Event::Ask(_) | Event::Start(_), Outcome::Changed) => false,
        (_, outcome) => *outcome == Outcome::Changed,
    })
}

/// What was answered to somebody who asked.
pub(super) fn answered<'a>(moment: &Moment<'a>) -> Option<&'a Answers> {
    match moment.outcome {
        Outcome::Answered(answers) if !answers.answers.is_empty() => Some(answers),
        Outcome::Answered(_) | Outcome::Changed => None,
    }
}

/// What was asked of the policy in use, and what it answered.
pub(super) fn asked<'a>(moment: &Moment<'a>) -> Option<(Asks, &'a Answers)> {
    match moment.event {
        Event::Ask(asks) => Some((*asks, answered(moment)?)),
        _ => None,
    }
}

/// What policies answered that had just started.
pub(super) fn started<'a>(moment: &Moment<'a>) -> Option<&'a Answers> {
    match moment.event {
        Event::Start(_) => answered(moment),
        _ => None,
    }
}

/// How much slower than the fastest still counts as fast, under that method.
pub(super) fn sensitivity_ms(moment: &Moment) -> Option<u32> {
    match moment.before.method {
        Method::LeastLatency { sensitivity_ms } => Some(sensitivity_ms),
        _ => None,
    }
}

/// Whether this is true of everybody who was chosen and stands in the group; `None` if nobody was.
fn each_chosen(moment: &Moment, is_so: impl Fn(&Candidate) -> bool) -> Option<bool> {
    let chosen = answered(moment)?.chosen();
    let mut chosen = chosen.filter_map(|endpoint| moment.before.endpoint(endpoint)).peekable();
    chosen.peek()?;
    Some(chosen.all(is_so))
}

/// Each key with the endpoint it is given, under a consistent hash without slack.
pub(super) fn homes<'a>(moment: &Moment<'a>) -> Option<impl Iterator<Item = (u64, u64)> + use<'a>> {
    let exact = Method::ConsistentHash { slack_percent: 0 };
    let (asks, answers) = asked(moment).filter(|_| moment.before.method == exact)?;
    Some(answers.homes(asks))
}

/// How often each was chosen, these answers included.
fn with(counts: &BTreeMap<u64, u64>, answers: &Answers) -> BTreeMap<u64, u64> {
    let mut counts = counts.clone();
    answers.chosen().for_each(|endpoint| *counts.entry(endpoint).or_default() += 1);
    counts
}

/// The share of everybody whom the method leaves to choose from: the weights, without their greatest
/// common divisor.
pub(super) fn shares(known: &Known) -> BTreeMap<u64, u64> {
    let contenders = known.contenders();
    let unit = contenders.iter().fold(0, |unit, one| gcd(unit, one.weight.into())).max(1);
    contenders.iter().map(|one| (one.identity, u64::from(one.weight) / unit)).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Whether counts lie within the tail bound of their shares; `None` where they are too few.
fn are_likely(counts: &BTreeMap<u64, u64>, shares: &BTreeMap<u64, u64>) -> Option<bool> {
    let (draws, total) = (counts.values().sum::<u64>(), shares.values().sum::<u64>());
    let is_likely = |(who, share): (&u64, &u64)| {
        let count = counts.get(who).copied().unwrap_or(0);
        let off = u128::from(count * total).abs_diff(u128::from(draws * share));
        off * off <= 11 * u128::from(draws) * u128::from(total) * u128::from(total)
    };
    (draws >= ENOUGH && shares.len() > 1).then(|| shares.iter().all(is_likely))
}
