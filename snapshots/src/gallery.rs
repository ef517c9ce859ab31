//! The gallery of mutants: each defect with the smallest scenario that shows it.

use itertools::Itertools as _;
use natlaw_model::nat::{Configuration, Event, HoldDown, IdleTimers, Nat, PortPolicy};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Scenario, Step, Trace};
use natlaw_properties::nat::matrix::Caught;
use natlaw_properties::report::{drawn, table};
use serde::Serialize;

/// One mutant: its defect, where it was seen, the law that it breaks, and the smallest scenario
/// with the step that breaks it.
pub fn entry(caught: &Caught) -> String {
    let mutant = caught.mutant;
    let about = format!("{}: {}\nseen in: {}\n", mutant.name, mutant.defect, mutant.row);
    let Some((law, scenario)) = caught.best() else { return about + "breaks no law\n" };
    format!(
        "{about}breaks: {}{}\nharm: {}\nwith: {}\n\n{}\n",
        law.name,
        others(caught.by.len() - 1),
        law.harm,
        configuration(&scenario.subject, &scenario.events),
        steps(caught, scenario)
    )
}

/// How many laws the mutant breaks besides.
fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and 1 other law".into(),
        _ => format!(", and {count} other laws"),
    }
}

/// Every step, the last one marked: it is the one that breaks the law.
fn steps(caught: &Caught, scenario: &Scenario<Nat>) -> String {
    let device = &mut (caught.mutant.device)(&scenario.subject);
    let Trace { subject, steps } = scenario.play(device);
    let mut table = table(["", "step", "asked", "answered"]);
    let mut before = &subject;
    for (index, Step { event, outcome }) in steps.iter().enumerate() {
        let is_last = index + 1 == steps.len();
        let mark = if is_last { "=>" } else { "" };
        let asked = match event {
            Event::Reconfigure(nat) => format!("reconfigure: {}", change(before, nat)),
            _ => event.to_string(),
        };
        table.add_row([mark.into(), (index + 1).to_string(), asked, outcome.to_string()]);
        if let Event::Reconfigure(nat) = event {
            before = nat;
        }
    }
    drawn(&table)
}

/// The parts of the new configuration that are not as before.
fn change(before: &Nat, after: &Nat) -> String {
    let (before, after) = (parts(before), parts(after));
    let is_new = |part: &&String| !before.contains(part);
    let lost = before.iter().filter(|part| !after.contains(part)).count();
    let new = after.iter().filter(is_new).join("; ");
    match (new.is_empty(), lost) {
        (false, _) => new,
        (true, 0) => "as before".into(),
        (true, _) => after.join("; "),
    }
}

/// A configuration in one line: what it has in common with the plainest one is left out, and so
/// are the timers where no time passes.
fn configuration(nat: &Nat, events: &[Event]) -> String {
    let takes_time = events.iter().any(|event| matches!(event, Event::Elapse(_)));
    let mut parts = parts(nat);
    parts.retain(|part| takes_time || !part.starts_with("idle "));
    parts.join("; ")
}

/// What a configuration says, part by part.
fn parts(nat: &Nat) -> Vec<String> {
    let members = nat.pool.members().map(|member| member.0);
    let virtual_ips = nat.virtual_ips.iter().map(|vip| vip.0);
    let addresses = format!("{} behind {}", members.format(", "), virtual_ips.format(", "));
    let rules = nat.inbound_rules.iter().map(|rule| format!("inbound rule {rule}"));
    [addresses, ports(nat)]
        .into_iter()
        .chain(choices(nat))
        .chain(timers(nat))
        .chain(rules)
        .collect()
}

fn ports(nat: &Nat) -> String {
    let mut usable = nat.ports.usable();
    usable.retain(|usable| *usable != PortBlock::ABOVE_WELL_KNOWN);
    match (usable.as_slice(), nat.ports_per_member()) {
        ([usable], _) if usable.len() == 1 => format!("{} ({})", nat.ports, usable.first()),
        ([], Some(ports)) if matches!(nat.ports, PortPolicy::Tiered(_)) => {
            format!("{ports} ports a member on each by pool size")
        }
        ([], _) => nat.ports.to_string(),
        (usable, _) => format!("{} ({})", nat.ports, usable.iter().join(", ")),
    }
}

/// What is declared otherwise than by default, field by field as a file would say it.
fn choices(nat: &Nat) -> Vec<String> {
    let plain = Configuration::new(Vec::new(), nat.pool.clone(), nat.ports.clone());
    let differs =
        |name: &str, is_plain: bool, value: String| (!is_plain).then(|| format!("{name} {value}"));
    let Configuration { mapping, filtering, port_reuse, pooling, preserve, selection, .. } = &**nat;
    let Configuration { closes_on, inbound_refresh, limits, rule_ports, .. } = &**nat;
    let Configuration { reserved, exempt, .. } = &**nat;
    [
        differs("mapping", *mapping == plain.mapping, told(mapping)),
        differs(
            "filtering",
            filtering.is_none(),
            filtering.as_ref().map_or_else(String::new, told),
        ),
        differs("port re-use", *port_reuse == plain.port_reuse, told(port_reuse)),
        differs("pooling", *pooling == plain.pooling, told(pooling)),
        differs("preserve", *preserve == plain.preserve, told(preserve)),
        differs("selection", *selection == plain.selection, told(selection)),
        differs("closes on", *closes_on == plain.closes_on, told(closes_on)),
        differs(
            "inbound refresh",
            *inbound_refresh == plain.inbound_refresh,
            told(inbound_refresh),
        ),
        differs("limits", *limits == plain.limits, told(limits)),
        differs("reserved", reserved.is_empty(), reserved.iter().join(", ")),
        differs("exempt", exempt.is_empty(), exempt.iter().join(", ")),
        differs("an inbound rule takes", *rule_ports == plain.rule_ports, told(rule_ports)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A value as a file would say it, on one line.
fn told(value: &impl Serialize) -> String {
    let mut text = String::new();
    let written = value.serialize(toml::ser::ValueSerializer::new(&mut text)).is_ok();
    if written { text.replace('"', "") } else { String::new() }
}

fn timers(nat: &Nat) -> Vec<String> {
    let IdleTimers { tcp, udp, icmp } = nat.timers.idle;
    let idle = match nat.timers.idle == IdleTimers::uniform(udp) {
        true => format!("idle {udp}"),
        false => format!("idle {} (TCP), {udp} (UDP), {icmp} (ICMP)", told(&tcp)),
    };
    let hold_down = nat.timers.hold_down;
    let hold_down = match hold_down == HoldDown::uniform(hold_down.idle) {
        true if hold_down.idle.is_zero() => None,
        true => Some(format!("hold-down {}", hold_down.idle)),
        false => Some(format!("hold-down {}", told(&hold_down))),
    };
    let syn = nat.timers.unsolicited_syn.map(|wait| format!("a SYN is answered after {wait}"));
    [idle].into_iter().chain(hold_down).chain(syn).collect()
}
