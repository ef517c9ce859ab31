//! A plan as text and as JSON.

use std::fmt::Write as _;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table};
use itertools::Itertools;
use natlaw_model::profile::Constant;
use natlaw_model::time::Duration;
use natlaw_properties::nat::grouped;
use natlaw_properties::planner::certificate::{NotPlayed, PACKETS_MAX, Played};
use natlaw_properties::planner::demand::{Demand, Destination};
use natlaw_properties::planner::room::{Bound, Scarce};
use natlaw_properties::planner::search::{Fails, Sizing};
use natlaw_properties::planner::translator::constants;
use natlaw_properties::report::{drawn, table};
use serde_json::{Value, json};

use super::{Planned, questions};
use crate::JSON_VERSION;

/// The whole report.
pub(super) fn text(planned: &Planned, written: &[PathBuf]) -> String {
    let mut parts = vec![head(planned), answer(planned)];
    if let Some(sizing) = planned.sizing() {
        parts.push(destinations(&planned.demand, sizing));
        parts.push(bounds(&planned.demand, sizing));
    }
    parts.push(certificate(planned));
    parts.extend(questions::text(planned));
    parts.push(depends_on(&constants(&planned.demand)));
    let written = written.iter().map(|path| format!("written: {}", path.display())).join("\n");
    parts.extend((!written.is_empty()).then_some(written));
    parts.join("\n\n") + "\n"
}

/// What is asked of what.
fn head(planned: &Planned) -> String {
    let demand = &planned.demand;
    let translator = &demand.translator;
    let profile = &translator.profile;
    let mut text = format!("{}\n\n", demand.name);
    if !demand.story.is_empty() {
        let _ = writeln!(text, "{}\n", demand.story.trim());
    }
    let readings = profile.readings().iter().filter(|reading| profile.takes(reading));
    let _ = writeln!(text, "{} of {}", plural(demand.members, "member"), profile.name);
    let _ = write!(text, "read as {}", readings.map(|reading| reading.name).join(", "));
    text
}

/// The answer in one sentence.
fn answer(planned: &Planned) -> String {
    let plan = &planned.plan;
    let what = |count: usize| counted(planned, count);
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    match (&plan.suffices, &plan.fails) {
        (Some(enough), Some(fails)) => {
            let (count, fewer) = (enough.count, count(fails));
            let (enough, fewer_are) = (what(count), are(fewer));
            format!("{enough} {} enough, and {} {fewer_are} not.", are(count), grouped(fewer))
        }
        (Some(enough), None) if plan.find.is_none() => {
            format!("{} {} enough.", what(enough.count), are(enough.count))
        }
        (Some(enough), None) => {
            format!("{} {} enough, and the least there is.", what(enough.count), are(enough.count))
        }
        (None, Some(fails)) if plan.is_hopeless => format!(
            "None: up to {}, no number helps, since what runs out stays as it is.",
            what(count(fails))
        ),
        (None, Some(fails)) if plan.find.is_none() => {
            format!("{} {} not enough.", what(count(fails)), are(count(fails)))
        }
        (None, Some(fails)) => {
            format!("None: not even {} {} enough.", what(count(fails)), are(count(fails)))
        }
        (None, None) => "None: nothing could be tried.".into(),
    }
}

fn count(fails: &Fails) -> usize {
    match fails {
        Fails::Overfull(sizing) => sizing.count,
        Fails::Impossible { count, .. } => *count,
    }
}

/// So many of what is searched for.
fn counted(planned: &Planned, count: usize) -> String {
    match planned.plan.find {
        Some(find) => format!("{} {}", grouped(count), find.noun(count)),
        None if count == 1 => "1 address".into(),
        None => format!("{} addresses", grouped(count)),
    }
}

/// What a member asks of each destination.
fn destinations(demand: &Demand, sizing: &Sizing) -> String {
    let header = ["destination", "to", "live at once", "life", "then rests", "keys of a member"];
    let mut table = table(header);
    to_the_right(&mut table, &[2, 3, 5]);
    for destination in &demand.destinations {
        table.add_row(row(destination, sizing));
    }
    drawn(&table)
}

fn row(destination: &Destination, sizing: &Sizing) -> [String; 6] {
    let rest = destination.rest(&sizing.nat);
    [
        destination.name.clone(),
        format!("{} {}", destination.transport, destination.endpoint),
        number(destination.envelope.flows_at_once()),
        destination.envelope.life_max.to_string(),
        format!("{} by {}", rest.total(), rest.close.name()),
        number(destination.keys_max(&sizing.nat)),
    ]
}

/// What is needed against what there is.
fn bounds(demand: &Demand, sizing: &Sizing) -> String {
    let mut table = table(["what can run out", "towards", "needed", "there are", "used"]);
    to_the_right(&mut table, &[2, 3, 4]);
    for bound in &sizing.bounds {
        table.add_row([
            scarce(bound.scarce),
            named(demand, &bound.destinations),
            number(bound.needed),
            number(bound.room),
            percent(bound),
        ]);
    }
    let shared = sizing.nat.ports.shared();
    let of_others = shared.map(|ports| format!("\nothers may hold all of {ports}: not counted on"));
    format!("{}{}\n{}", sizing.nat, of_others.unwrap_or_default(), drawn(&table))
}

/// How much of the room is needed, in percent rounded up.
fn percent(bound: &Bound) -> String {
    let hundredfold = u128::from(bound.needed) * 100;
    let percent = hundredfold.div_ceil(u128::from(bound.room.max(1)));
    format!("{} %{}", percent, if bound.holds() { "" } else { " !" })
}

/// What can run out, in words.
pub(super) fn scarce(scarce: Scarce) -> String {
    match scarce {
        Scarce::OwnPorts => "ports of a member".into(),
        Scarce::SharedPorts { members } => format!("ports of {}", plural(members, "member")),
        Scarce::Leases => "addresses to lease".into(),
        Scarce::PortsOfAMember => "ports that a member may hold".into(),
        Scarce::BindingsOfAMember => "bindings of a member".into(),
        Scarce::FlowsOfAMember => "flows of a member".into(),
        Scarce::KeysOfADestination => "keys of a destination".into(),
        Scarce::FlowsOfAll => "flows of all members".into(),
    }
}

/// The names of some destinations: all of them, or how many.
pub(super) fn named(demand: &Demand, destinations: &[usize]) -> String {
    match destinations {
        [_, _, _, _, ..] => plural(destinations.len(), "destination"),
        few => few.iter().map(|index| demand.destinations[*index].name.as_str()).join(", "),
    }
}

/// What suffices, and what does not, as played.
fn certificate(planned: &Planned) -> String {
    let plan = &planned.plan;
    let mut lines = Vec::new();
    if let (Some(sizing), Some(played)) = (&plan.suffices, &planned.suffices) {
        lines.push(format!("{}: {}", counted(planned, sizing.count), told(played)));
    }
    match (&plan.fails, &planned.fails) {
        (Some(Fails::Overfull(sizing)), Some(played)) => {
            lines.push(format!("{}: {}", counted(planned, sizing.count), told(played)));
        }
        (Some(Fails::Impossible { count, why }), _) => {
            lines.push(format!("{}: {why}", counted(planned, *count)));
        }
        (Some(Fails::Overfull(_)), None) | (None, _) => {}
    }
    format!("worst arrivals, played\n{}", lines.join("\n"))
}

fn told(played: &Result<Played, NotPlayed>) -> String {
    let played = match played {
        Ok(played) => played,
        Err(NotPlayed::TooLong { packets_max, .. }) if *packets_max < PACKETS_MAX => {
            return "long: --witness plays it".into();
        }
        Err(error) => return format!("not played: {error}"),
    };
    let members = plural(played.members, "member");
    let opened = plural(played.opened, "connection");
    let laws = match played.broken.as_slice() {
        [] => "every law holds".into(),
        broken => format!("BROKEN: {}", broken.join(", ")),
    };
    let Some(refused) = &played.refused else {
        let events = plural(played.scenario.events.len(), "event");
        return format!(
            "{events} of {members}, {opened} opened, none refused, {} held; {laws}",
            plural(played.keys, "key")
        );
    };
    format!(
        "after {opened} of {members}, step {} at {} is {}: {}; {laws}",
        grouped(refused.step),
        Duration::from_millis(refused.at_ms),
        refused.reason,
        refused.flow
    )
}

fn depends_on(constants: &[Constant]) -> String {
    let mut table = table(["the answer depends on", "", "document"]);
    for Constant { name, value, document } in constants {
        table.add_row([(*name).into(), value.clone(), document.to_string()]);
    }
    drawn(&table)
}

pub(super) fn to_the_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

pub(super) fn number(count: u64) -> String {
    grouped(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

/// The plan as a value for programs. Times are in milliseconds.
pub(super) fn json(planned: &Planned) -> Value {
    let Planned { demand, plan, suffices, fails } = planned;
    let impossible = match &plan.fails {
        Some(Fails::Impossible { count, why }) => {
            Some(json!({ "count": count, "why": why.to_string() }))
        }
        Some(Fails::Overfull(_)) | None => None,
    };
    let constant = |Constant { name, value, document }: &Constant| json!({ "name": name, "value": value, "document": document.to_string() });
    json!({
        "version": JSON_VERSION,
        "name": demand.name,
        "members": demand.members,
        "profile": demand.translator.profile.name,
        "find": plan.find.map(|find| find.noun(2)),
        "suffices": plan.suffices.as_ref().map(|sizing| sizing_json(demand, sizing, suffices.as_ref())),
        "fails": plan.overfull().map(|sizing| sizing_json(demand, sizing, fails.as_ref())),
        "impossible": impossible,
        "hopeless": plan.is_hopeless,
        "questions": questions::json(planned),
        "constants": constants(demand).iter().map(constant).collect::<Vec<_>>(),
    })
}

fn sizing_json(
    demand: &Demand,
    sizing: &Sizing,
    played: Option<&Result<Played, NotPlayed>>,
) -> Value {
    let bound = |bound: &Bound| {
        json!({
            "scarce": scarce(bound.scarce),
            "destinations": names(demand, &bound.destinations),
            "needed": bound.needed,
            "room": bound.room,
        })
    };
    json!({
        "count": sizing.count,
        "translator": sizing.nat,
        "bounds": sizing.bounds.iter().map(bound).collect::<Vec<_>>(),
        "played": played.map(played_json),
    })
}

pub(super) fn names(demand: &Demand, destinations: &[usize]) -> Vec<String> {
    destinations.iter().map(|index| demand.destinations[*index].name.clone()).collect()
}

fn played_json(played: &Result<Played, NotPlayed>) -> Value {
    let played = match played {
        Ok(played) => played,
        Err(error) => return json!({ "not_played": error.to_string() }),
    };
    let refused = played.refused.as_ref().map(|refused| {
        json!({
            "step": refused.step,
            "at_ms": refused.at_ms,
            "flow": refused.flow,
            "answer": refused.reason.to_string(),
        })
    });
    json!({
        "members": played.members,
        "events": played.scenario.events.len(),
        "opened": played.opened,
        "keys": played.keys,
        "refused": refused,
        "laws_broken": played.broken,
    })
}
