//! Routing: every rule at its boundaries, with the whole walk as it is answered.

mod balancers;
mod doors;
mod indexes;
mod ledger;
mod managers;
mod nouns;
mod outbound;
mod paths;
mod references;
mod topologies;
mod units;

use natlaw_model::routing::{Event, Network, Outcome, RoutingGraph, Walk};
use natlaw_model::subject::Device;

use super::read;

/// The graph of a topology as a person writes it, without the `subject.` before each table.
fn graph(topology: &str) -> RoutingGraph {
    toml::from_str(topology).unwrap_or_else(|error| panic!("{error}"))
}

/// What is said of a topology that breaks a rule.
fn error_of(topology: &str) -> String {
    let error = toml::from_str::<RoutingGraph>(topology).expect_err("it breaks a rule");
    error.message().trim_end().to_string()
}

/// An event as it is shown: its kind, then what it is about.
fn event(text: &str) -> Event {
    type Read = fn(&str) -> Event;
    let cases: [(&str, Read); 7] = [
        ("request ", |rest| Event::Request(read(rest))),
        ("reply to request ", |rest| Event::ReplyToRequest(read(rest))),
        ("outbound ", |rest| Event::Outbound(read(rest))),
        ("reply to connection ", |rest| Event::ReplyToConnection(read(rest))),
        ("fail ", |rest| Event::Fail(read(rest))),
        ("mend ", |rest| Event::Mend(read(rest))),
        ("elapse ", |rest| Event::Elapse(read(rest))),
    ];
    let found = cases.iter().find_map(|(kind, of)| text.strip_prefix(kind).map(of));
    found.unwrap_or_else(|| panic!("`{text}` is no event"))
}

/// What a network answers to each event, in one line.
fn answers(topology: &str, events: &[&str]) -> Vec<String> {
    let mut network = Network::new(&graph(topology));
    events.iter().map(|text| network.step(&event(text)).to_string()).collect()
}

/// The answer to the last event.
fn answer(topology: &str, events: &[&str]) -> String {
    answers(topology, events).pop().unwrap_or_default()
}

/// The walk that answers the last event.
fn walk(topology: &str, events: &[&str]) -> Walk {
    let mut network = Network::new(&graph(topology));
    let outcomes = events.iter().map(|text| network.step(&event(text)));
    match outcomes.last() {
        Some(Outcome::Walked(walk)) => walk,
        other => panic!("{other:?} is no walk"),
    }
}

/// Why the last event's walk came to each place after the first.
fn rules(topology: &str, events: &[&str]) -> Vec<String> {
    walk(topology, events).hops[1..].iter().map(|hop| hop.rule.to_string()).collect()
}
