//! What the RFCs ask is answered by laws that bite, and by values at their very bounds.

use std::collections::BTreeSet;

use natlaw_model::flow::Transport;
use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, FilteringBehaviour, HoldDown, MappingBehaviour, Nat,
    PerTransport, PortPolicy, PortReuse, Selection,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;
use natlaw_properties::catalogue::claims;
use natlaw_properties::nat::LAWS;
use natlaw_properties::nat::compliance::{
    DOCUMENTS, Requirement, SETTINGS, Verdict, carrier_grade, count, judge, plain,
};
use natlaw_properties::nat::matrix::matrix;

type Change = fn(&mut Configuration);

const EVERY_PORT: PortPolicy = PortPolicy::OnDemand(PortBlock::ABOVE_WELL_KNOWN);
const MINUTE: u64 = 60_000;

/// For each law of a configuration a change to the carrier's that only just breaks it, and one that
/// only just does not.
const BOUNDARIES: &[(&str, Change, Change)] = &[
    (
        "udp_mappings_depend_on_no_destination",
        |nat| nat.mapping.udp = MappingBehaviour::AddressDependent,
        |nat| nat.mapping.tcp = MappingBehaviour::AddressDependent,
    ),
    (
        "tcp_mappings_depend_on_no_destination",
        |nat| nat.mapping.tcp = MappingBehaviour::AddressDependent,
        |nat| nat.mapping.icmp = MappingBehaviour::AddressDependent,
    ),
    (
        "icmp_mappings_depend_on_no_destination",
        |nat| nat.mapping.icmp = MappingBehaviour::AddressDependent,
        |nat| nat.mapping.udp = MappingBehaviour::AddressDependent,
    ),
    (
        "a_member_has_one_virtual_ip",
        |nat| nat.pooling = AddressPooling::Arbitrary,
        |nat| {
            nat.pooling = AddressPooling::Arbitrary;
            nat.virtual_ips.truncate(1);
        },
    ),
    (
        "a_udp_port_serves_one_mapping",
        |nat| reuses(nat, Transport::Udp),
        |nat| reuses(nat, Transport::Tcp),
    ),
    (
        "a_tcp_port_serves_one_mapping",
        |nat| reuses(nat, Transport::Tcp),
        |nat| reuses(nat, Transport::Udp),
    ),
    (
        "the_class_of_a_port_is_kept",
        |nat| nat.preserve.class = false,
        |nat| {
            nat.preserve.class = false;
            nat.ports = PortPolicy::Dynamic;
        },
    ),
    (
        "the_parity_of_a_port_is_kept",
        |nat| nat.preserve.parity = false,
        |nat| {
            nat.preserve.parity = false;
            nat.ports = PortPolicy::Dynamic;
        },
    ),
    (
        "a_udp_flow_lives_for_two_minutes_at_least",
        |nat| nat.timers.idle.udp = Duration::from_millis(2 * MINUTE - 1),
        |nat| nat.timers.idle.udp = Duration::from_millis(2 * MINUTE),
    ),
    (
        "a_udp_flow_lives_for_five_minutes_at_least",
        |nat| nat.timers.idle.udp = Duration::from_millis(5 * MINUTE - 1),
        |nat| nat.timers.idle.udp = Duration::from_millis(5 * MINUTE),
    ),
    (
        "udp_is_filtered_by_address_at_most",
        |nat| filters(nat, Transport::Udp, FilteringBehaviour::AddressAndPortDependent),
        |nat| filters(nat, Transport::Udp, FilteringBehaviour::AddressDependent),
    ),
    (
        "tcp_is_filtered_by_address_at_most",
        |nat| filters(nat, Transport::Tcp, FilteringBehaviour::AddressAndPortDependent),
        |nat| filters(nat, Transport::Tcp, FilteringBehaviour::AddressDependent),
    ),
    (
        "an_unsolicited_syn_gets_an_answer",
        |nat| nat.timers.unsolicited_syn = None,
        |nat| nat.timers.unsolicited_syn = Some(Duration::from_secs(6)),
    ),
    (
        "an_established_tcp_flow_lives_for_2_hours_and_4_minutes_at_least",
        |nat| nat.timers.idle.tcp.established = Duration::from_millis(124 * MINUTE - 1),
        |nat| nat.timers.idle.tcp.established = Duration::from_millis(124 * MINUTE),
    ),
    (
        "a_transitory_tcp_flow_lives_for_4_minutes_at_least",
        |nat| nat.timers.idle.tcp.one_side_closed = Duration::from_millis(4 * MINUTE - 1),
        |nat| nat.timers.idle.tcp.time_wait = Duration::ZERO,
    ),
    (
        "a_half_open_tcp_flow_lives_for_4_minutes_at_least",
        |nat| nat.timers.idle.tcp.half_open = Duration::from_millis(4 * MINUTE - 1),
        |nat| nat.timers.idle.tcp.half_open = Duration::from_millis(4 * MINUTE),
    ),
    (
        "a_closing_tcp_flow_lives_for_4_minutes_at_least",
        |nat| nat.timers.idle.tcp.time_wait = Duration::from_millis(4 * MINUTE - 1),
        |nat| nat.timers.idle.tcp.time_wait = Duration::from_millis(4 * MINUTE),
    ),
    (
        "a_reset_tcp_flow_lives_for_4_minutes_at_least",
        |nat| nat.timers.idle.tcp.reset = Duration::from_millis(4 * MINUTE - 1),
        |nat| nat.timers.idle.tcp.reset = Duration::from_millis(4 * MINUTE),
    ),
    (
        "a_tcp_flow_closes_once_both_sides_have_closed_it",
        |nat| nat.closes_on = ClosesOn::EitherSide,
        |nat| nat.closes_on = ClosesOn::BothSides,
    ),
    (
        "an_icmp_query_lives_for_a_minute_at_least",
        |nat| nat.timers.idle.icmp = Duration::from_millis(MINUTE - 1),
        |nat| nat.timers.idle.icmp = Duration::from_millis(MINUTE),
    ),
    (
        "no_must_of_a_transport_is_missed",
        |nat| nat.timers.idle.udp = Duration::from_millis(2 * MINUTE - 1),
        |nat| nat.timers.idle.udp = Duration::from_millis(2 * MINUTE),
    ),
    (
        "a_member_has_a_limit_of_ports",
        |nat| {
            nat.limits.ports = None;
            nat.ports = EVERY_PORT;
        },
        |nat| nat.limits.ports = None,
    ),
    (
        "a_member_has_a_limit_of_flows",
        |nat| nat.limits.flows = None,
        |nat| nat.limits.flows = Some(u32::MAX),
    ),
    (
        "nobody_is_filtered_out",
        |nat| filters(nat, Transport::Icmp, FilteringBehaviour::AddressDependent),
        |nat| filters(nat, Transport::Icmp, FilteringBehaviour::EndpointIndependent),
    ),
    (
        "a_released_port_rests_for_two_minutes_at_least",
        |nat| {
            nat.ports = EVERY_PORT;
            nat.timers.hold_down.idle = Duration::from_millis(2 * MINUTE - 1);
        },
        |nat| {
            nat.ports = EVERY_PORT;
            nat.timers.hold_down.idle = Duration::from_millis(2 * MINUTE);
        },
    ),
    (
        "every_port_is_looked_at_before_a_refusal",
        |nat| nat.selection = Selection::RandomTries(1),
        |nat| nat.selection = Selection::SimpleHash(1),
    ),
    (
        "a_member_has_ports_of_its_own",
        |nat| nat.ports = EVERY_PORT,
        |nat| nat.ports = PortPolicy::Manual { ports: 8, usable: PortBlock::ABOVE_WELL_KNOWN },
    ),
    (
        "a_translated_port_is_drawn_or_hashed",
        |nat| nat.selection = Selection::Spread,
        |nat| nat.selection = Selection::DoubleHash(1),
    ),
    (
        "the_ports_above_the_well_known_are_shared_out",
        |nat| nat.ports = usable(1_025),
        |nat| nat.ports = usable(1_023),
    ),
];

fn reuses(nat: &mut Configuration, transport: Transport) {
    *of(&mut nat.mapping, transport) = MappingBehaviour::AddressDependent;
    *of(&mut nat.port_reuse, transport) = PortReuse::PerDestinationAddress;
}

fn filters(nat: &mut Configuration, transport: Transport, filtering: FilteringBehaviour) {
    let mut all = PerTransport::from(FilteringBehaviour::EndpointIndependent);
    *of(&mut all, transport) = filtering;
    nat.filtering = Some(all);
}

fn of<T>(all: &mut PerTransport<T>, transport: Transport) -> &mut T {
    match transport {
        Transport::Tcp => &mut all.tcp,
        Transport::Udp => &mut all.udp,
        Transport::Icmp => &mut all.icmp,
    }
}

fn usable(first: u16) -> PortPolicy {
    PortPolicy::OnDemand(PortBlock::new(first, u16::MAX).expect("a block"))
}

fn carrier_with(change: impl FnOnce(&mut Configuration)) -> Nat {
    carrier_grade().with(change).expect("a configuration")
}

fn requirements() -> impl Iterator<Item = &'static Requirement> {
    DOCUMENTS.iter().flat_map(|document| document.requirements)
}

fn setting_names() -> BTreeSet<&'static str> {
    SETTINGS.iter().map(|setting| setting.law.name).collect()
}

#[test]
fn a_law_of_a_configuration_turns_at_its_bound() {
    for (name, breaks, keeps) in BOUNDARIES {
        let setting = SETTINGS.iter().find(|setting| setting.law.name == *name).expect(name);
        assert!((setting.law.holds)(&carrier_with(keeps)), "{name} is broken too soon");
        let broken = carrier_with(breaks);
        assert!(!(setting.law.holds)(&broken), "{name} is not broken");
        assert_ne!((setting.actual)(&broken), setting.expected, "{name} shows no difference");
    }
    let tried: BTreeSet<_> = BOUNDARIES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried, setting_names());
}

#[test]
fn every_law_that_a_requirement_names_is_broken_by_a_mutant() {
    let caught = matrix().iter().flat_map(|row| &row.by).map(|(law, _)| law.name);
    let of_answers = LAWS.iter().map(|law| law.name).collect::<BTreeSet<_>>();
    let of_values = claims().into_iter().map(|claim| claim.name);
    let of_values = of_values.filter(|name| !of_answers.contains(name));
    let bite: BTreeSet<_> = caught.chain(of_values).collect();
    for requirement in requirements() {
        for law in requirement.laws() {
            assert!(bite.contains(law), "{} names {law}, which no mutant breaks", requirement.id);
        }
    }
}

/// The laws of a configuration are for the requirements alone, and all of them are used.
#[test]
fn no_trace_is_held_to_a_law_of_a_configuration() {
    let named: BTreeSet<_> = requirements().flat_map(Requirement::laws).copied().collect();
    assert!(setting_names().is_subset(&named));
    assert!(LAWS.iter().all(|law| !setting_names().contains(law.name)));
}

#[test]
fn every_requirement_has_an_answer_and_a_name_of_its_own() {
    for document in DOCUMENTS {
        let ids: BTreeSet<_> = document.requirements.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), document.requirements.len(), "{}", document.name);
    }
    for requirement in requirements() {
        let is_outside = requirement.verdict(&plain()) == Verdict::OutsideTheModel;
        assert_eq!(is_outside, requirement.laws().is_empty(), "{}", requirement.id);
        assert!(requirement.text.ends_with('.'), "{}", requirement.id);
    }
}

#[test]
fn the_carrier_deviates_nowhere() {
    let deviates = |nat: &Nat| count(&judge(nat)).deviating;
    assert_eq!(deviates(&carrier_grade()), 0);
    assert_eq!(deviates(&carrier_with(|nat| nat.timers.idle.udp = Duration::from_secs(240))), 1);
}

#[test]
fn a_deviation_names_value_against_value() {
    let findings = judge(&plain());
    let established = findings
        .iter()
        .find(|finding| finding.document.name == "RFC 5382" && finding.requirement.id == "REQ-5")
        .expect("the requirement");
    assert_eq!(established.verdict.word(), "deviates");
    assert_eq!(established.verdict.comparisons()[0].to_string(), "240s against 7440s at least");
}

/// RFC 6888 REQ-8 exempts TCP that is tracked, ports assigned for good, and what strangers could
/// not reach; nothing else.
#[test]
fn a_port_needs_no_rest_exactly_where_the_rfc_says_so() {
    let rests = SETTINGS.iter().find(|one| one.law.name.starts_with("a_released_port_rests"));
    let rests = rests.expect("the law").law.holds;
    let at_once = |change: Change| {
        carrier_with(|nat| {
            nat.ports = EVERY_PORT;
            nat.timers.hold_down = HoldDown::uniform(Duration::ZERO);
            change(nat);
        })
    };
    assert!(!rests(&at_once(|_| ())));
    assert!(!rests(&at_once(|nat| nat.ports = PortPolicy::Dynamic)));
    assert!(!rests(&at_once(|nat| nat.ports = tiers())));
    assert!(!rests(&at_once(|nat| filters(
        nat,
        Transport::Udp,
        FilteringBehaviour::AddressDependent
    ))));
    assert!(rests(&at_once(|nat| nat.ports = carrier_grade().ports.clone())));
    assert!(rests(&at_once(|nat| {
        nat.filtering = Some(FilteringBehaviour::AddressDependent.into());
    })));
    let idle_rests = |closes_on| {
        rests(
            &at_once(|nat| nat.timers.hold_down.idle = Duration::from_secs(120))
                .with(|nat| {
                    nat.closes_on = closes_on;
                })
                .expect("a configuration"),
        )
    };
    assert!(idle_rests(ClosesOn::BothSides));
    assert!(!idle_rests(ClosesOn::EitherSide));
}

fn tiers() -> PortPolicy {
    plain().ports.clone()
}
