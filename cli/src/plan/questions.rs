//! What else was asked, and the answers.

use itertools::Itertools;
use natlaw_model::flow::Transport;
use natlaw_model::nat::Nat;
use natlaw_model::time::Duration;
use natlaw_properties::planner::demand::{Demand, Destination, Rest};
use natlaw_properties::planner::doubling::{self, Doubling, ramp};
use natlaw_properties::planner::questions::{
    Pooled, Question, Sustained, pooled, private, returns, sustained,
};
use natlaw_properties::planner::search::Sizing;
use natlaw_properties::report::{drawn, table};
use serde_json::{Value, json};

use super::Planned;
use super::report::{named, names, number, plural, scarce, to_the_right};

/// Every answer as text, in the order of the questions.
pub(super) fn text(planned: &Planned) -> Vec<String> {
    let Some(sizing) = planned.sizing() else { return Vec::new() };
    let answer = |question: &Question| answer(planned, sizing, *question);
    planned.demand.questions.iter().map(answer).collect()
}

/// Every answer as a value for programs.
pub(super) fn json(planned: &Planned) -> Vec<Value> {
    let Some(sizing) = planned.sizing() else { return Vec::new() };
    let answer = |question: &Question| answer_json(planned, sizing, *question);
    planned.demand.questions.iter().map(answer).collect()
}

fn answer(planned: &Planned, sizing: &Sizing, question: Question) -> String {
    match question {
        Question::SustainableRate => sustainable(planned, sizing),
        Question::BindsFirst => binds_first(planned, sizing),
        Question::PrivateEndpoints => private_endpoints(planned, sizing),
        Question::Pooling { kept_min } => pooling(planned, sizing, kept_min),
        Question::Doubling(doubling) => doubled(planned, sizing, doubling),
        Question::Return => back(planned, sizing),
    }
}

fn sustainable(planned: &Planned, sizing: &Sizing) -> String {
    let mut table = table(["sustained, opened evenly", "by", "ports", "each held", "new a second"]);
    to_the_right(&mut table, &[2, 3, 4]);
    for group in sustained(&sizing.nat, &planned.demand) {
        table.add_row([
            named(&planned.demand, &group.destinations),
            group.members.map_or("one member".into(), |members| plural(members, "member")),
            number(group.ports),
            group.held.to_string(),
            group.rate.to_string(),
        ]);
    }
    drawn(&table)
}

fn binds_first(planned: &Planned, sizing: &Sizing) -> String {
    match sizing.scarcest() {
        Some(bound) => format!(
            "first to run out: {} towards {}, {} of {}",
            scarce(bound.scarce),
            named(&planned.demand, &bound.destinations),
            number(bound.needed),
            number(bound.room)
        ),
        None => "first to run out: nothing".into(),
    }
}

fn private_endpoints(planned: &Planned, sizing: &Sizing) -> String {
    let moved = private(&sizing.nat, &planned.demand);
    match moved.is_empty() {
        true => "to private endpoints: nothing has to move".into(),
        false => format!(
            "to private endpoints: {}; the rest fits, and none of these can stay",
            names(&planned.demand, &moved).join(", ")
        ),
    }
}

fn pooling(planned: &Planned, sizing: &Sizing, kept_min: Duration) -> String {
    let header = ["pooled", "connections that fit", "calls at once", ""];
    let mut table = table(header);
    to_the_right(&mut table, &[1, 2]);
    for group in pooled(&sizing.nat, &planned.demand, kept_min) {
        let verdict = if group.calls <= group.connections { "pooling fits" } else { "too few" };
        table.add_row([
            named(&planned.demand, &group.destinations),
            number(group.connections),
            number(group.calls),
            verdict.into(),
        ]);
    }
    format!("{}\neach connection of a member is kept for {kept_min} at least", drawn(&table))
}

fn doubled(planned: &Planned, sizing: &Sizing, doubling: Doubling) -> String {
    let header =
        ["doubled", "opened", "refused", "last refused", "ports at the end", "none refused"];
    let mut table = table(header);
    to_the_right(&mut table, &[1, 2, 3, 4, 5]);
    for destination in &planned.demand.destinations {
        let (ramp, least) = ramp_of(destination, sizing, doubling);
        let millis = Duration::from_millis;
        table.add_row([
            destination.name.clone(),
            number(ramp.opened),
            number(ramp.refused),
            ramp.last_refusal_ms.map_or("-".into(), |at| millis(at).to_string()),
            number(ramp.ports),
            least.map_or("with none".into(), |ports| format!("from {}", number(ports))),
        ]);
    }
    let Doubling { ports_min, ports_max, latency, share } = doubling;
    format!(
        "{}\n{} to {} ports, doubled when {share} % are held, there after {latency}: latency and \
         share are assumed",
        drawn(&table),
        number(ports_min),
        number(ports_max)
    )
}

fn ramp_of(
    destination: &Destination,
    sizing: &Sizing,
    doubling: Doubling,
) -> (doubling::Ramp, Option<u64>) {
    let rest = destination.rest(&sizing.nat).total();
    let envelope = &destination.envelope;
    (ramp(envelope, rest, doubling), doubling::ports_min(envelope, rest, doubling))
}

/// The transports that the demand asks for.
fn transports(planned: &Planned) -> impl Iterator<Item = Transport> {
    let asked = planned.demand.destinations.iter().map(|destination| destination.transport);
    asked.sorted().dedup()
}

fn back(planned: &Planned, sizing: &Sizing) -> String {
    let mut table = table(["ports are back", "closed by", "flow lives on", "then rests", "in all"]);
    to_the_right(&mut table, &[2, 3, 4]);
    for transport in transports(planned) {
        for rest in distinct(returns(&sizing.nat, transport), transport) {
            table.add_row([
                transport.to_string(),
                rest.close.name().into(),
                rest.lingers.to_string(),
                rest.hold_down.to_string(),
                rest.total().to_string(),
            ]);
        }
    }
    drawn(&table)
}

/// Only TCP ends in more than one way.
fn distinct(rests: [Rest; 3], transport: Transport) -> Vec<Rest> {
    match transport {
        Transport::Tcp => rests.to_vec(),
        Transport::Udp | Transport::Icmp => rests.into_iter().skip(2).collect(),
    }
}

fn answer_json(planned: &Planned, sizing: &Sizing, question: Question) -> Value {
    let (demand, nat) = (&planned.demand, &sizing.nat);
    match question {
        Question::SustainableRate => json!({ "sustainable_rate": sustainable_json(demand, nat) }),
        Question::BindsFirst => {
            let first = sizing.scarcest().map(|bound| {
                json!({
                    "scarce": scarce(bound.scarce),
                    "destinations": names(demand, &bound.destinations),
                })
            });
            json!({ "binds_first": first })
        }
        Question::PrivateEndpoints => {
            json!({ "private_endpoints": names(demand, &private(nat, demand)) })
        }
        Question::Pooling { kept_min } => json!({ "pooling": pooling_json(demand, nat, kept_min) }),
        Question::Doubling(doubling) => {
            json!({ "doubling": doubled_json(demand, sizing, doubling) })
        }
        Question::Return => {
            let transports = transports(planned);
            json!({ "return": transports.flat_map(|it| back_json(nat, it)).collect::<Vec<_>>() })
        }
    }
}

fn sustainable_json(demand: &Demand, nat: &Nat) -> Vec<Value> {
    let group = |group: Sustained| {
        json!({
            "destinations": names(demand, &group.destinations),
            "members": group.members,
            "ports": group.ports,
            "held_ms": group.held.millis(),
            "opens": group.rate.opens(),
            "every_ms": group.rate.every_ms(),
        })
    };
    sustained(nat, demand).into_iter().map(group).collect()
}

fn pooling_json(demand: &Demand, nat: &Nat, kept_min: Duration) -> Vec<Value> {
    let group = |group: Pooled| {
        json!({
            "destinations": names(demand, &group.destinations),
            "connections_max": group.connections,
            "calls_at_once": group.calls,
        })
    };
    pooled(nat, demand, kept_min).into_iter().map(group).collect()
}

fn doubled_json(demand: &Demand, sizing: &Sizing, doubling: Doubling) -> Vec<Value> {
    let of = |destination: &Destination| {
        let (ramp, least) = ramp_of(destination, sizing, doubling);
        json!({
            "destination": destination.name,
            "opened": ramp.opened,
            "refused": ramp.refused,
            "last_refusal_ms": ramp.last_refusal_ms,
            "ports": ramp.ports,
            "ports_min_without_refusal": least,
        })
    };
    demand.destinations.iter().map(of).collect()
}

fn back_json(nat: &Nat, transport: Transport) -> Vec<Value> {
    let rest = |rest: Rest| {
        json!({
            "transport": transport,
            "closed_by": rest.close.name(),
            "lives_on_ms": rest.lingers.millis(),
            "hold_down_ms": rest.hold_down.millis(),
        })
    };
    distinct(returns(nat, transport), transport).into_iter().map(rest).collect()
}
