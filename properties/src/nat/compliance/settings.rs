//! The laws of a configuration: what its values must say so that a requirement can be met.

use itertools::Itertools;
use natlaw_model::flow::Transport;
use natlaw_model::nat::{
    AddressPooling, ClosesOn, Doubling, FilteringBehaviour, HoldDown, MappingBehaviour, Nat,
    PortPolicy, PortReuse, Preserve, Selection,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;

use super::{DOCUMENTS, Level, Verdict};
use crate::law::ValueLaw;
use crate::value_law;

/// A law of a configuration, with the values that it compares.
#[derive(Debug)]
pub struct Setting {
    /// The law.
    pub law: ValueLaw<Nat>,
    /// What a configuration says.
    pub actual: fn(&Nat) -> String,
    /// What is asked for.
    pub expected: &'static str,
}

/// A law of a configuration, named after its function.
macro_rules! setting {
    ($function:ident, $source:literal, $harm:literal, $actual:expr, $expected:literal $(,)?) => {
        Setting { law: value_law!($function, $source, $harm), actual: $actual, expected: $expected }
    };
}

/// Every law of a configuration.
pub const SETTINGS: &[Setting] = &[
    setting!(
        udp_mappings_depend_on_no_destination,
        "RFC 4787 REQ-1",
        "Peers that learned the address of a host cannot reach it.",
        |nat| nat.mapping.udp.to_string(),
        "endpoint-independent",
    ),
    setting!(
        tcp_mappings_depend_on_no_destination,
        "RFC 5382 REQ-1",
        "Peers that learned the address of a host cannot reach it.",
        |nat| nat.mapping.tcp.to_string(),
        "endpoint-independent",
    ),
    setting!(
        icmp_mappings_depend_on_no_destination,
        "RFC 5508 REQ-1a",
        "One query's identifier changes with every host that is asked.",
        |nat| nat.mapping.icmp.to_string(),
        "endpoint-independent",
    ),
    setting!(
        a_member_has_one_virtual_ip,
        "RFC 4787 REQ-2; RFC 6888 REQ-2; RFC 7857 section 4",
        "A server that knows its client by address sees two of them.",
        pooling,
        "paired",
    ),
    setting!(
        a_udp_port_serves_one_mapping,
        "RFC 4787 REQ-3",
        "Two hosts that meet at one peer cannot be told apart.",
        |nat| reuse(nat, Transport::Udp),
        "never",
    ),
    setting!(
        a_tcp_port_serves_one_mapping,
        "RFC 5382 REQ-7",
        "Two hosts that meet at one peer cannot be told apart.",
        |nat| reuse(nat, Transport::Tcp),
        "never",
    ),
    setting!(
        the_class_of_a_port_is_kept,
        "RFC 4787 REQ-3a",
        "A service that trusts ports below 1024 refuses its client.",
        |nat| kept(nat, |preserve| preserve.class),
        "kept",
    ),
    setting!(
        the_parity_of_a_port_is_kept,
        "RFC 4787 REQ-4",
        "Media and its control traffic no longer stand at an even port and the next.",
        |nat| kept(nat, |preserve| preserve.parity),
        "kept",
    ),
    setting!(
        a_udp_flow_lives_for_two_minutes_at_least,
        "RFC 4787 REQ-5",
        "Quiet applications lose their peers.",
        |nat| nat.timers.idle.udp.to_string(),
        "120s at least",
    ),
    setting!(
        a_udp_flow_lives_for_five_minutes_at_least,
        "RFC 4787 REQ-5c",
        "Applications send more traffic to stay reachable than they need for their work.",
        |nat| nat.timers.idle.udp.to_string(),
        "300s at least",
    ),
    setting!(
        udp_is_filtered_by_address_at_most,
        "RFC 4787 REQ-8",
        "A peer that answers from another port is not heard.",
        |nat| nat.filtering_of(Transport::Udp).to_string(),
        "endpoint-independent or address-dependent",
    ),
    setting!(
        tcp_is_filtered_by_address_at_most,
        "RFC 5382 REQ-3",
        "A peer that answers from another port is not heard.",
        |nat| nat.filtering_of(Transport::Tcp).to_string(),
        "endpoint-independent or address-dependent",
    ),
    setting!(
        an_unsolicited_syn_gets_an_answer,
        "RFC 5382 REQ-4",
        "A caller whom nobody serves waits until it gives up.",
        syn_wait,
        "an ICMP error after 6s or more",
    ),
    setting!(
        an_established_tcp_flow_lives_for_2_hours_and_4_minutes_at_least,
        "RFC 5382 REQ-5",
        "A connection that keeps itself alive every two hours is cut.",
        |nat| nat.timers.idle.tcp.established.to_string(),
        "7440s at least",
    ),
    setting!(
        a_transitory_tcp_flow_lives_for_4_minutes_at_least,
        "RFC 5382 REQ-5",
        "Slow handshakes fail, and last words are lost.",
        transitory,
        "240s at least",
    ),
    setting!(
        a_half_open_tcp_flow_lives_for_4_minutes_at_least,
        "RFC 7857 section 2.1",
        "Slow handshakes fail.",
        |nat| nat.timers.idle.tcp.half_open.to_string(),
        "240s at least",
    ),
    setting!(
        a_closing_tcp_flow_lives_for_4_minutes_at_least,
        "RFC 7857 section 2.1",
        "Last words are lost.",
        closing,
        "240s at least",
    ),
    setting!(
        a_reset_tcp_flow_lives_for_4_minutes_at_least,
        "RFC 7857 section 2.2",
        "A forged RST ends a connection that goes on.",
        |nat| nat.timers.idle.tcp.reset.to_string(),
        "240s at least",
    ),
    setting!(
        a_tcp_flow_closes_once_both_sides_have_closed_it,
        "RFC 7857 section 2",
        "A side that has more to say is cut off.",
        closes_on,
        "both sides",
    ),
    setting!(
        an_icmp_query_lives_for_a_minute_at_least,
        "RFC 5508 REQ-2",
        "Answers from far away are lost.",
        |nat| nat.timers.idle.icmp.to_string(),
        "60s at least",
    ),
    setting!(
        no_must_of_a_transport_is_missed,
        "RFC 6888 REQ-1",
        "A carrier's customers meet every defect that the older documents ruled out.",
        musts_missed,
        "none missed",
    ),
    setting!(
        a_member_has_a_limit_of_ports,
        "RFC 6888 REQ-4",
        "One member takes every port, and the others are refused.",
        limit_of_ports,
        "any limit",
    ),
    setting!(
        a_member_has_a_limit_of_flows,
        "RFC 6888 REQ-5",
        "One member fills the flow table.",
        |nat| nat.limits.flows.map_or("no limit".into(), |flows| format!("{flows} flows")),
        "any limit",
    ),
    setting!(
        nobody_is_filtered_out,
        "RFC 6888 REQ-7",
        "Applications that meet through a third party do not hear each other.",
        filtering,
        "endpoint-independent",
    ),
    setting!(
        a_released_port_rests_for_two_minutes_at_least,
        "RFC 6888 REQ-8",
        "Late packets of one member reach another.",
        rest,
        "120s at least",
    ),
    setting!(
        every_port_is_looked_at_before_a_refusal,
        "RFC 6888 REQ-13",
        "Connections fail while ports lie idle.",
        |nat| search(nat).into(),
        "a search of all",
    ),
    setting!(
        a_member_has_ports_of_its_own,
        "RFC 6888 REQ-14",
        "A log that tells whose a port was has a line for every connection.",
        own_ports,
        "a block for each member",
    ),
    setting!(
        a_translated_port_is_drawn_or_hashed,
        "RFC 6888 REQ-15; RFC 7857 section 9; RFC 6056 section 4",
        "A stranger who guesses the next port breaks into the next connection.",
        |nat| choice(nat).into(),
        "drawn or hashed",
    ),
    setting!(
        the_ports_above_the_well_known_are_shared_out,
        "RFC 6056 section 3.2",
        "Ports are easier to guess, and run out sooner, than they must.",
        |nat| match nat.ports.usable().as_slice() {
            [] => "the inside ports".into(),
            usable => usable.iter().join(", "),
        },
        "1024-65535",
    ),
];

const ONE_MINUTE: Duration = Duration::from_secs(60);
const TWO_MINUTES: Duration = Duration::from_secs(120);
const FOUR_MINUTES: Duration = Duration::from_secs(240);
const FIVE_MINUTES: Duration = Duration::from_secs(300);
const TWO_HOURS_AND_FOUR_MINUTES: Duration = Duration::from_secs(7_440);

/// A UDP endpoint is seen from outside as one, whoever it talks to.
fn udp_mappings_depend_on_no_destination(nat: &Nat) -> bool {
    nat.mapping.udp == MappingBehaviour::EndpointIndependent
}

/// A TCP endpoint is seen from outside as one, whoever it talks to.
fn tcp_mappings_depend_on_no_destination(nat: &Nat) -> bool {
    nat.mapping.tcp == MappingBehaviour::EndpointIndependent
}

/// An identifier of ICMP queries is seen from outside as one, whoever is asked.
fn icmp_mappings_depend_on_no_destination(nat: &Nat) -> bool {
    nat.mapping.icmp == MappingBehaviour::EndpointIndependent
}

/// All mappings of a member are on one virtual IP, be it because there is no other.
fn a_member_has_one_virtual_ip(nat: &Nat) -> bool {
    let is_tied = nat.ports.ties_members_to_one_virtual_ip();
    nat.pooling == AddressPooling::Paired || is_tied || nat.virtual_ips.len() == 1
}

/// No UDP port serves two mappings at once, not even towards different destinations.
fn a_udp_port_serves_one_mapping(nat: &Nat) -> bool {
    nat.port_reuse.udp == PortReuse::Never
}

/// No TCP port serves two mappings at once, not even towards different destinations.
fn a_tcp_port_serves_one_mapping(nat: &Nat) -> bool {
    nat.port_reuse.tcp == PortReuse::Never
}

/// A well-known port stays one where it can, and another stays another.
fn the_class_of_a_port_is_kept(nat: &Nat) -> bool {
    nat.preserve.class || !nat.ports.translates_ports()
}

/// An even port stays even where it can, and an odd one odd.
fn the_parity_of_a_port_is_kept(nat: &Nat) -> bool {
    nat.preserve.parity || !nat.ports.translates_ports()
}

/// No UDP mapping ends before it was quiet for two minutes.
fn a_udp_flow_lives_for_two_minutes_at_least(nat: &Nat) -> bool {
    nat.timers.idle.udp >= TWO_MINUTES
}

/// No UDP mapping ends before it was quiet for five minutes.
fn a_udp_flow_lives_for_five_minutes_at_least(nat: &Nat) -> bool {
    nat.timers.idle.udp >= FIVE_MINUTES
}

/// A UDP packet is never kept out for the port that it comes from.
fn udp_is_filtered_by_address_at_most(nat: &Nat) -> bool {
    nat.filtering_of(Transport::Udp) != FilteringBehaviour::AddressAndPortDependent
}

/// A TCP packet is never kept out for the port that it comes from.
fn tcp_is_filtered_by_address_at_most(nat: &Nat) -> bool {
    nat.filtering_of(Transport::Tcp) != FilteringBehaviour::AddressAndPortDependent
}

/// A SYN that nobody asked for is answered with an ICMP error once its wait is over. A wait of less
/// than six seconds is no configuration.
fn an_unsolicited_syn_gets_an_answer(nat: &Nat) -> bool {
    nat.timers.unsolicited_syn.is_some()
}

/// No established TCP connection ends before it was quiet for two hours and four minutes.
fn an_established_tcp_flow_lives_for_2_hours_and_4_minutes_at_least(nat: &Nat) -> bool {
    nat.timers.idle.tcp.established >= TWO_HOURS_AND_FOUR_MINUTES
}

/// No TCP connection that opens, or that one side has closed, ends before it was quiet for four
/// minutes. What comes after the second FIN, or after an RST, RFC 5382 leaves open.
fn a_transitory_tcp_flow_lives_for_4_minutes_at_least(nat: &Nat) -> bool {
    let tcp = nat.timers.idle.tcp;
    tcp.half_open.min(tcp.one_side_closed) >= FOUR_MINUTES
}

/// No TCP connection that opens ends before it was quiet for four minutes.
fn a_half_open_tcp_flow_lives_for_4_minutes_at_least(nat: &Nat) -> bool {
    nat.timers.idle.tcp.half_open >= FOUR_MINUTES
}

/// No TCP connection that one side or both have closed ends before it was quiet for four minutes.
fn a_closing_tcp_flow_lives_for_4_minutes_at_least(nat: &Nat) -> bool {
    let tcp = nat.timers.idle.tcp;
    tcp.one_side_closed.min(tcp.time_wait) >= FOUR_MINUTES
}

/// No TCP connection that was reset ends before it was quiet for four minutes.
fn a_reset_tcp_flow_lives_for_4_minutes_at_least(nat: &Nat) -> bool {
    nat.timers.idle.tcp.reset >= FOUR_MINUTES
}

/// One FIN closes one direction; the other goes on.
fn a_tcp_flow_closes_once_both_sides_have_closed_it(nat: &Nat) -> bool {
    nat.closes_on == ClosesOn::BothSides
}

/// No ICMP query ends before it was quiet for a minute.
fn an_icmp_query_lives_for_a_minute_at_least(nat: &Nat) -> bool {
    nat.timers.idle.icmp >= ONE_MINUTE
}

/// What the documents about UDP, TCP and ICMP say must be, is.
fn no_must_of_a_transport_is_missed(nat: &Nat) -> bool {
    missed(nat) == 0
}

/// The ports that one member can hold at once are bounded, by number or by a block of its own.
fn a_member_has_a_limit_of_ports(nat: &Nat) -> bool {
    nat.limits.ports.is_some() || has_blocks(nat) || doubling(nat).is_some()
}

/// The flows that one member can have at once are bounded.
fn a_member_has_a_limit_of_flows(nat: &Nat) -> bool {
    nat.limits.flows.is_some()
}

/// Whoever knows the endpoint of a live mapping can send to it.
fn nobody_is_filtered_out(nat: &Nat) -> bool {
    Transport::ALL.iter().all(|transport| filters_nobody_out(nat, *transport))
}

/// A port that one inside endpoint had is not another's for two minutes. Three kinds of ports are
/// exempt: those of TCP if its connections are followed until both sides have closed them, those
/// that the configuration assigns to a member for good, and those that strangers could never reach.
fn a_released_port_rests_for_two_minutes_at_least(nat: &Nat) -> bool {
    rests_owed(nat).iter().all(|(_, rest)| *rest >= TWO_MINUTES)
}

/// No search ends before every port was looked at.
fn every_port_is_looked_at_before_a_refusal(nat: &Nat) -> bool {
    !matches!(nat.selection, Selection::RandomTries(_))
}

/// Whose a port is, the configuration says by itself.
fn a_member_has_ports_of_its_own(nat: &Nat) -> bool {
    has_blocks(nat) || nat.ports == PortPolicy::Static
}

/// Where a port is translated, the next one does not follow from the last. That nobody can guess it
/// is a matter of numbers drawn, which no law judges.
fn a_translated_port_is_drawn_or_hashed(nat: &Nat) -> bool {
    let is_counted = matches!(nat.selection, Selection::LowestFirst | Selection::Spread);
    !is_counted || !nat.ports.translates_ports()
}

/// Where ports are translated, all from 1024 upwards are used but those that are reserved.
fn the_ports_above_the_well_known_are_shared_out(nat: &Nat) -> bool {
    let shared_out = nat.ports.usable();
    !nat.ports.translates_ports() || covers(&shared_out, PortBlock::ABOVE_WELL_KNOWN)
}

fn pooling(nat: &Nat) -> String {
    match nat.pooling {
        _ if nat.virtual_ips.len() == 1 => "1 virtual IP".into(),
        _ if nat.ports.ties_members_to_one_virtual_ip() => "1 virtual IP a member".into(),
        AddressPooling::Paired => "paired".into(),
        AddressPooling::Arbitrary => format!("arbitrary of {}", nat.virtual_ips.len()),
    }
}

fn reuse(nat: &Nat, transport: Transport) -> String {
    nat.port_reuse.of(transport).to_string()
}

fn kept(nat: &Nat, keeps: fn(Preserve) -> bool) -> String {
    let is_kept = keeps(nat.preserve) || !nat.ports.translates_ports();
    if is_kept { "kept" } else { "not kept" }.into()
}

fn syn_wait(nat: &Nat) -> String {
    let wait = nat.timers.unsolicited_syn;
    wait.map_or("none".into(), |wait| format!("an ICMP error after {wait}"))
}

fn transitory(nat: &Nat) -> String {
    let tcp = nat.timers.idle.tcp;
    format!("half-open {}, one side closed {}", tcp.half_open, tcp.one_side_closed)
}

fn closing(nat: &Nat) -> String {
    let tcp = nat.timers.idle.tcp;
    format!("one side closed {}, time-wait {}", tcp.one_side_closed, tcp.time_wait)
}

fn closes_on(nat: &Nat) -> String {
    match nat.closes_on {
        ClosesOn::EitherSide => "either side",
        ClosesOn::BothSides => "both sides",
    }
    .into()
}

fn musts_missed(nat: &Nat) -> String {
    match missed(nat) {
        0 => "none missed".into(),
        count => format!("{count} of RFC 4787, 5382 and 5508 missed"),
    }
}

/// How many requirements of the transports, such as must be met, are not.
fn missed(nat: &Nat) -> usize {
    let is_of_a_transport = |name| matches!(name, "RFC 4787" | "RFC 5382" | "RFC 5508");
    let findings = DOCUMENTS.iter().filter(|document| is_of_a_transport(document.name));
    let musts = findings.flat_map(|document| document.requirements);
    let is_missed = |verdict| matches!(verdict, Verdict::Deviates(_));
    musts.filter(|must| must.level == Level::Must && is_missed(must.verdict(nat))).count()
}

fn limit_of_ports(nat: &Nat) -> String {
    let of_block = nat.ports_per_member().filter(|_| has_blocks(nat));
    let of_block = of_block.map(|ports| format!("a block of {ports} ports"));
    let leased = doubling(nat).map(|leased| format!("blocks of {} ports", leased.maximum));
    let by_number = nat.limits.ports.map(|ports| format!("{ports} ports"));
    by_number.or(of_block).or(leased).unwrap_or("no limit".into())
}

fn filtering(nat: &Nat) -> String {
    let finest = Transport::ALL.into_iter().map(|transport| nat.filtering_of(transport)).max();
    finest.map_or_else(String::new, |finest| finest.to_string())
}

fn filters_nobody_out(nat: &Nat, transport: Transport) -> bool {
    nat.filtering_of(transport) == FilteringBehaviour::EndpointIndependent
}

/// The rests that are not exempt, each with what it is of.
fn rests_owed(nat: &Nat) -> Vec<(&'static str, Duration)> {
    let HoldDown { finish, reset, idle, half_open } = nat.timers.hold_down;
    let of = |transport| match transport {
        Transport::Tcp => {
            vec![("fin", finish), ("rst", reset), ("tcp idle", idle), ("half-open", half_open)]
        }
        Transport::Udp => vec![("udp", idle)],
        Transport::Icmp => vec![("icmp", idle)],
    };
    let owed = Transport::ALL.into_iter().filter(|transport| exemption(nat, *transport).is_none());
    owed.flat_map(of).collect()
}

/// Why the ports of a transport need no rest. A block by pool size is no constant assignment: it
/// moves to another member when the pool grows out of its tier.
fn exemption(nat: &Nat, transport: Transport) -> Option<&'static str> {
    let is_constant = matches!(
        nat.ports,
        PortPolicy::Static | PortPolicy::Fixed { .. } | PortPolicy::Manual { .. }
    );
    if transport == Transport::Tcp && nat.closes_on == ClosesOn::BothSides {
        Some("tcp tracked")
    } else if is_constant {
        Some("ports assigned for good")
    } else if !filters_nobody_out(nat, transport) {
        Some("strangers filtered out")
    } else {
        None
    }
}

fn rest(nat: &Nat) -> String {
    let HoldDown { finish, reset, idle, half_open } = nat.timers.hold_down;
    let shortest = finish.min(reset).min(idle).min(half_open);
    let owed = rests_owed(nat);
    if shortest >= TWO_MINUTES {
        shortest.to_string()
    } else if owed.is_empty() {
        let why = Transport::ALL.into_iter().filter_map(|transport| exemption(nat, transport));
        format!("{shortest} (exempt: {})", why.unique().format(", "))
    } else {
        owed.iter().map(|(of, rest)| format!("{of} {rest}")).join(", ")
    }
}

fn search(nat: &Nat) -> &'static str {
    match nat.selection {
        Selection::RandomTries(_) => "a number of draws",
        _ => "a search of all",
    }
}

fn own_ports(nat: &Nat) -> String {
    match nat.ports {
        PortPolicy::OnDemand(_) => "ports that all share".into(),
        PortPolicy::Dynamic => "a virtual IP for the time being".into(),
        PortPolicy::Static => "a virtual IP for each member".into(),
        _ if nat.ports.shared().is_some() => {
            "a block for each member, and ports that all share".into()
        }
        PortPolicy::Tiered(_)
        | PortPolicy::Fixed { .. }
        | PortPolicy::Manual { .. }
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_) => "a block for each member".into(),
        PortPolicy::Doubling(_) => "blocks for the time being".into(),
    }
}

fn doubling(nat: &Nat) -> Option<Doubling> {
    match nat.ports {
        PortPolicy::Doubling(doubling) => Some(doubling),
        _ => None,
    }
}

/// Whether a block is all that a member can have.
fn has_blocks(nat: &Nat) -> bool {
    nat.ports_per_member().is_some() && nat.ports.shared().is_none()
}

fn choice(nat: &Nat) -> &'static str {
    match nat.selection {
        _ if !nat.ports.translates_ports() => "not translated",
        Selection::LowestFirst => "the lowest",
        Selection::Spread => "the lowest of the least used virtual IP",
        Selection::Random(_) | Selection::RandomTries(_) | Selection::RandomIncrements { .. } => {
            "drawn"
        }
        Selection::SimpleHash(_) | Selection::DoubleHash(_) => "hashed",
    }
}

/// Whether each port of the whole is in one of the blocks.
fn covers(blocks: &[PortBlock], whole: PortBlock) -> bool {
    let mut ports = whole.first()..=whole.last();
    ports.all(|port| blocks.iter().any(|block| block.contains(port)))
}
