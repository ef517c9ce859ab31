//! Making a scenario of a translator plain, so that nothing in it draws the eye but the defect.

use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, Doubling, Event, HoldDown, IdleTimers, Limits, Nat,
    PerTransport, Pool, PortPolicy, Preserve, RulePorts, Segment, Selection, Signal,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Scenario;
use natlaw_model::time::Duration;

type Change = fn(&mut Configuration);

/// What makes a configuration plain: of each row the first change that the verdict allows.
const PLAIN: &[&[Change]] = &[
    &[
        |nat| nat.ports = shared(1),
        |nat| nat.ports = shared(2),
        |nat| nat.ports = own(1),
        |nat| nat.ports = own(2),
        |nat| nat.ports = guaranteed(),
        |nat| nat.ports = doubling(),
    ],
    &[
        |nat| {
            nat.mapping = PerTransport::default();
            nat.filtering = None;
            nat.port_reuse = PerTransport::default();
        },
        |nat| nat.filtering = None,
    ],
    &[|nat| nat.pooling = AddressPooling::default()],
    &[|nat| nat.preserve = Preserve::default()],
    &[|nat| nat.closes_on = ClosesOn::default()],
    &[|nat| nat.inbound_refresh = PerTransport::default()],
    &[|nat| nat.limits = Limits::default()],
    &[|nat| nat.reserved.clear()],
    &[|nat| nat.exempt.clear()],
    &[|nat| nat.rule_ports = RulePorts::default()],
    &[|nat| nat.timers.unsolicited_syn = None],
    &[|nat| nat.virtual_ips.truncate(1)],
    &[|nat| nat.pool = first_members(nat, 1), |nat| nat.pool = first_members(nat, 2)],
    &[|nat| nat.inbound_rules.clear(), |nat| nat.inbound_rules.truncate(1)],
    &[|nat| nat.selection = Selection::LowestFirst],
    &[
        |nat| nat.timers.hold_down = HoldDown::default(),
        |nat| {
            nat.timers.hold_down = HoldDown::uniform(Duration::from_secs(1));
        },
    ],
    &[|nat| nat.timers.idle = idle(2), |nat| nat.timers.idle = idle(5)],
];

/// The scenario with everything as plain as the verdict allows.
pub(super) fn plainest(
    scenario: Scenario<Nat>,
    still_fails: impl Fn(&Scenario<Nat>) -> bool,
) -> Scenario<Nat> {
    let first_that_fails = |scenario: Scenario<Nat>, row: &&[Change]| {
        let plainer = row.iter().filter_map(|change| changed(&scenario, *change));
        let mut plainer = plainer.filter(&still_fails);
        plainer.next().unwrap_or(scenario)
    };
    let scenario = PLAIN.iter().fold(scenario, first_that_fails);
    (0..scenario.events.len()).fold(scenario, |scenario, index| {
        let mut plainer = plainer_at(&scenario, index).into_iter().filter(&still_fails);
        plainer.next().unwrap_or(scenario)
    })
}

/// How far the configuration of a scenario is from the plainest: 0 is plain.
pub(super) fn roughness(scenario: &Scenario<Nat>) -> usize {
    let is_as_if = |change: &Change| changed(scenario, *change).as_ref() == Some(scenario);
    let of_row = |row: &&[Change]| row.iter().position(is_as_if).unwrap_or(row.len());
    PLAIN.iter().map(of_row).sum()
}

/// The scenario with this change made throughout; `None` where it breaks a rule.
fn changed(scenario: &Scenario<Nat>, change: Change) -> Option<Scenario<Nat>> {
    let event = |event: &Event| match event {
        Event::Reconfigure(nat) => nat.with(change).ok().map(Event::reconfigure),
        _ => Some(event.clone()),
    };
    let events = scenario.events.iter().map(event).collect::<Option<_>>()?;
    Some(Scenario { subject: scenario.subject.with(change).ok()?, events })
}

/// The scenario with one event plainer, the plainest first.
fn plainer_at(scenario: &Scenario<Nat>, index: usize) -> Vec<Scenario<Nat>> {
    let plainer = match &scenario.events[index] {
        Event::Outbound(Segment { tuple, .. }) => vec![Event::outbound(*tuple, Signal::Open)],
        Event::Inbound(Segment { tuple, .. }) => vec![Event::inbound(*tuple, Signal::Data)],
        Event::Elapse(length) => {
            vec![Event::Elapse(Duration::from_secs(length.millis().div_ceil(1_000)))]
        }
        Event::Reconfigure(nat) => with_one_part_of(&scenario.subject, nat),
        Event::OutboundError(_) | Event::InboundError(_) => Vec::new(),
    };
    let with = |event| {
        let mut plainer = scenario.clone();
        plainer.events[index] = event;
        plainer
    };
    plainer.into_iter().map(with).collect()
}

/// Changes of the first configuration to one part of another.
fn with_one_part_of(subject: &Nat, other: &Nat) -> Vec<Event> {
    let parts = [
        subject.with(|_| {}),
        subject.with(|nat| nat.pool = other.pool.clone()),
        subject.with(|nat| nat.virtual_ips.clone_from(&other.virtual_ips)),
        subject.with(|nat| nat.inbound_rules.clone_from(&other.inbound_rules)),
        subject.with(|nat| nat.ports = other.ports.clone()),
    ];
    parts.into_iter().flatten().map(Event::reconfigure).collect()
}

/// The lowest ports above the well-known ones, for all members.
fn shared(ports: u32) -> PortPolicy {
    let first = PortBlock::ABOVE_WELL_KNOWN.first();
    PortPolicy::OnDemand(PortBlock::from_len(first, ports).unwrap_or(PortBlock::ABOVE_WELL_KNOWN))
}

/// This many ports for each member.
const fn own(ports: u16) -> PortPolicy {
    PortPolicy::Fixed { ports, usable: PortBlock::ABOVE_WELL_KNOWN }
}

/// One port for each member, and one more for all.
fn guaranteed() -> PortPolicy {
    let usable = PortBlock::from_len(1024, 8).unwrap_or(PortBlock::single(1024));
    PortPolicy::Guaranteed { ports: 1, usable, shared: PortBlock::single(2048) }
}

/// One port for a member, and then one more.
fn doubling() -> PortPolicy {
    let usable = PortBlock::from_len(1024, 4).unwrap_or(PortBlock::ABOVE_WELL_KNOWN);
    PortPolicy::Doubling(Doubling { minimum: 1, maximum: 2, usable })
}

/// The first members of the pool, without holes.
fn first_members(nat: &Configuration, count: usize) -> Pool {
    let members = nat.pool.members().take(count).map(Some).collect();
    Pool::new(members).unwrap_or_else(|_| nat.pool.clone())
}

const fn idle(seconds: u64) -> IdleTimers {
    let idle = Duration::from_secs(seconds);
    IdleTimers::uniform(idle)
}
