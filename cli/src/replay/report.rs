//! What became of a demand, for a person and for a program.

use std::fmt::Write as _;
use std::iter;

use comfy_table::CellAlignment;
use jiff::Timestamp;
use natlaw_properties::nat::grouped;
use natlaw_properties::report::{drawn, table};
use serde_json::{Value, json};

use super::play::{FirstRefusal, PortsNeeded, Replay};
use super::settings::Settings;
use super::tally::Hot;
use crate::JSON_VERSION;
use crate::log::Log;

/// The width of the first column, in characters.
const LABEL: usize = 16;

/// The replay as text: what was read, what was played, what was answered, what the laws say.
pub(crate) fn print(replay: &Replay, settings: &Settings, log: &Log) -> String {
    let mut text = String::new();
    for (label, says) in read(replay, log).into_iter().chain(played(replay, settings)) {
        let _ = writeln!(text, "{label:LABEL$}{says}");
    }
    let _ = writeln!(text, "\n{}\n", hottest(&replay.hottest));
    text.push_str(&laws(replay));
    text
}

type Line = (&'static str, String);

/// What was read, and what of it is no part of the demand.
fn read(replay: &Replay, log: &Log) -> Vec<Line> {
    let connections = plural(log.connections.len(), "connection");
    let mut lines = vec![("log", format!("{}, {connections}", log.format))];
    if log.earlier > 0 {
        let earlier = grouped(log.earlier);
        lines.push(("", format!("{earlier} there before it: held from its first event on")));
    }
    let labels = iter::once("left out").chain(iter::repeat(""));
    let left_out = replay.left_out.iter().map(|(why, rows)| format!("{} {why}", grouped(*rows)));
    lines.extend(labels.zip(left_out));
    if log.malformed_count > 0 {
        lines.push(("malformed", plural(log.malformed_count, "row")));
        lines.extend(log.malformed.iter().map(|row| ("", row.to_string())));
    }
    let untold = log.malformed_count - log.malformed.len();
    if untold > 0 {
        lines.push(("", format!("and {} more", grouped(untold))));
    }
    lines
}

/// What was asked of which translator, and what it answered.
fn played(replay: &Replay, settings: &Settings) -> Vec<Line> {
    let members = plural(replay.nat.pool.members().count(), "member");
    let (connections, inside) = (plural(replay.offered, "connection"), settings.inside.trunc());
    let mut lines = vec![
        ("inside", format!("{inside}: {connections} of {members} to the outside")),
        ("translator", translator(replay, settings)),
        ("played", format!("{} events", grouped(replay.events))),
        ("accepted", accepted(replay)),
        ("refused", refused(replay)),
    ];
    if let Some(first) = &replay.first_refusal {
        let FirstRefusal { line, start_us, flow } = first;
        lines.push(("first refusal", format!("{} (line {line}): {flow}", utc(*start_us))));
    }
    lines.push(("ports needed", ports_needed(replay)));
    lines.push(("live at once", format!("{} at most", plural(replay.peak_live, "flow"))));
    lines
}

fn translator(replay: &Replay, settings: &Settings) -> String {
    let Settings { ports, hold_down, idle, device, .. } = settings;
    let virtual_ips = &replay.nat.virtual_ips;
    let mut addresses = virtual_ips.first().map_or(String::new(), ToString::to_string);
    if let [_, .., last] = virtual_ips.as_slice() {
        let _ = write!(addresses, "-{last}");
    }
    format!(
        "{device}, {} ({addresses}), {} a member on each, hold-down {hold_down}, idle {idle}",
        plural(virtual_ips.len(), "virtual IP"),
        plural(usize::from(*ports), "port"),
    )
}

fn accepted(replay: &Replay) -> String {
    let accepted = grouped(replay.accepted);
    match replay.joined {
        0 => accepted,
        joined => format!("{accepted}, and {} joined a live flow", grouped(joined)),
    }
}

fn refused(replay: &Replay) -> String {
    let refused = replay.refused;
    let reasons = [
        (refused.exhausted, "exhausted"),
        (refused.gave_up, "gave up"),
        (refused.otherwise, "not forwarded for another reason"),
    ];
    let given = reasons.into_iter().filter(|(count, _)| *count > 0);
    let given: Vec<_> = given.map(|(count, why)| format!("{} {why}", grouped(count))).collect();
    match given.is_empty() {
        true => "none".into(),
        false => format!("{}: {}", grouped(refused.total()), given.join(", ")),
    }
}

fn ports_needed(replay: &Replay) -> String {
    let virtual_ips = replay.nat.virtual_ips.len();
    let with = plural(virtual_ips, "virtual IP");
    let towards = "a member towards one destination";
    match replay.ports_needed {
        PortsNeeded::Exactly(ports) => {
            let option = ports.div_ceil(virtual_ips);
            format!("{} {towards}: --ports {option} with {with}", grouped(ports))
        }
        PortsNeeded::MoreThan(ports) => {
            format!("more than {} {towards}: all there are with {with}", grouped(ports))
        }
    }
}

/// The destinations as a table, numbers to the right.
fn hottest(hottest: &[Hot]) -> String {
    let header = ["destination", "connections", "refused", "keys at once", "by member"];
    let mut table = table(header);
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for hot in hottest {
        table.add_row([
            format!("{} {}", hot.transport, hot.destination),
            grouped(hot.connections),
            grouped(hot.refused),
            grouped(hot.keys),
            hot.member.to_string(),
        ]);
    }
    drawn(&table)
}

/// The laws: all held, or which were broken and where first.
fn laws(replay: &Replay) -> String {
    let laws = replay.verdicts.len();
    let untested = replay.verdicts.iter().filter(|verdict| verdict.tested == 0).count();
    if replay.breaches.is_empty() {
        return format!("{} held, {untested} of them not put to the test\n", plural(laws, "law"));
    }
    let mut text = format!("{} of {} broken\n", replay.breaches.len(), plural(laws, "law"));
    for breach in &replay.breaches {
        let _ = writeln!(text, "step {}, at {}: {}", breach.step, breach.at, breach.law);
        let _ = writeln!(text, "  {}: {}", breach.asked, breach.answered);
    }
    text
}

/// The replay as a value for programs. Times are in milliseconds or RFC 3339.
pub(crate) fn json(replay: &Replay, settings: &Settings, log: &Log) -> Value {
    let left_out: serde_json::Map<_, _> =
        replay.left_out.iter().map(|(why, rows)| (why.name().into(), json!(rows))).collect();
    json!({
        "version": JSON_VERSION,
        "log": {
            "format": log.format,
            "connections": log.connections.len(),
            "earlier": log.earlier,
            "malformed": log.malformed_count,
            "malformed_first": log.malformed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "left_out": left_out,
        "translator": translator_json(replay, settings),
        "connections": {
            "offered": replay.offered,
            "accepted": replay.accepted,
            "joined": replay.joined,
            "refused": {
                "exhausted": replay.refused.exhausted,
                "gave_up": replay.refused.gave_up,
                "otherwise": replay.refused.otherwise,
            },
        },
        "first_refusal": replay.first_refusal.as_ref().map(first_refusal_json),
        "events": replay.events,
        "live_flows_peak": replay.peak_live,
        "ports_needed": ports_needed_json(replay),
        "hottest": replay.hottest.iter().map(hot_json).collect::<Vec<_>>(),
        "laws": laws_json(replay),
    })
}

fn translator_json(replay: &Replay, settings: &Settings) -> Value {
    json!({
        "device": settings.device,
        "inside": settings.inside.trunc().to_string(),
        "members": replay.nat.pool.members().count(),
        "virtual_ips": replay.nat.virtual_ips,
        "ports": settings.ports,
        "hold_down_ms": settings.hold_down.millis(),
        "idle_ms": settings.idle.millis(),
    })
}

fn first_refusal_json(first: &FirstRefusal) -> Value {
    json!({ "line": first.line, "time": utc(first.start_us), "flow": first.flow })
}

/// `at_least` is what each member needs in all, one more than there is if that is not enough;
/// `ports` is what `--ports` must say, null if nothing is enough.
fn ports_needed_json(replay: &Replay) -> Value {
    let at_least = match replay.ports_needed {
        PortsNeeded::Exactly(ports) => ports,
        PortsNeeded::MoreThan(ports) => ports + 1,
    };
    let ports = replay.ports_needed.per_virtual_ip(replay.nat.virtual_ips.len());
    json!({ "at_least": at_least, "ports": ports })
}

fn hot_json(hot: &Hot) -> Value {
    json!({
        "transport": hot.transport,
        "destination": hot.destination,
        "connections": hot.connections,
        "refused": hot.refused,
        "keys_peak": hot.keys,
        "member": hot.member,
    })
}

fn laws_json(replay: &Replay) -> Value {
    let law = |verdict: &natlaw_properties::law::Verdict| {
        json!({
            "law": verdict.law,
            "tested": verdict.tested,
            "broken_at_step": verdict.broken_at,
        })
    };
    replay.verdicts.iter().map(law).collect()
}

/// Microseconds since the Unix epoch as a time of RFC 3339 in UTC, rounded down to milliseconds;
/// as seconds past the last time that can be written so.
fn utc(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{} s after 1970-01-01T00:00:00Z", micros / 1_000_000),
    }
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}
