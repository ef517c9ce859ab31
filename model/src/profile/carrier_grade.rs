//! A carrier's translator that asks of itself what the RFCs ask, at their very bounds.

use super::azure_load_balancer::plain;
use super::azure_nat_gateway::SEED;
use super::document::{
    ASSUMED, ASSUMED_BOUND, RFC_4787, RFC_5382, RFC_5508, RFC_6056, RFC_6888, RFC_7857,
};
use super::{Behaviour, Dated, DatedTimers, PortChoice, Profile};
use crate::nat::{
    AddressPooling, ClosesOn, PerTransport, PortPolicy, Preserve, RulePorts, SLOTS_MAX, Selection,
};
use crate::ports::PortBlock;
use crate::time::Duration;

/// The profile `carrier-grade`.
pub(super) fn profile() -> Profile {
    let usable = PortBlock::ABOVE_WELL_KNOWN;
    let choice = PortChoice { least: 8, most: 64_512, multiple_of: 8, usable };
    Profile {
        name: "carrier-grade",
        what: "A carrier's translator at the bounds of RFC 6888",
        ports: Dated::new(PortPolicy::Manual { ports: 1_024, usable }, &ASSUMED),
        ports_chosen: Some(Dated::new(choice, &ASSUMED)),
        ports_of_an_address: Dated::new(64_512, &RFC_6056),
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        flows_of_a_member_max: Some(Dated::new(4_000, &ASSUMED)),
        tcp: Dated::new(Behaviour::ENDPOINT_INDEPENDENT, &RFC_5382),
        udp: Dated::new(Behaviour::ENDPOINT_INDEPENDENT, &RFC_4787),
        icmp: Dated::new(Behaviour::ENDPOINT_INDEPENDENT, &RFC_5508),
        pooling: Dated::new(AddressPooling::Paired, &RFC_6888),
        preserve: Dated::new(Preserve { port: false, class: true, parity: true }, &RFC_4787),
        selection: Dated::new(Selection::Random(SEED), &RFC_6888),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        closes_on: Dated::new(ClosesOn::BothSides, &RFC_5382),
        inbound_refresh: Dated::new(PerTransport::from(false), &RFC_4787),
        timers: timers(),
        ..plain(&RFC_6888)
    }
}

/// The shortest that the RFCs let pass; of UDP the five minutes that they recommend.
fn timers() -> DatedTimers {
    let dated = |secs, document| Dated::new(Duration::from_secs(secs), document);
    DatedTimers {
        half_open: dated(240, &RFC_5382),
        established: dated(7_440, &RFC_5382),
        one_side_closed: dated(240, &RFC_5382),
        time_wait: dated(240, &RFC_7857),
        reset: dated(240, &RFC_7857),
        udp: dated(300, &RFC_4787),
        icmp: dated(60, &RFC_5508),
        rest_after_finish: dated(120, &RFC_6888),
        rest_after_reset: dated(120, &RFC_6888),
        rest_after_idle: dated(120, &RFC_6888),
        rest_after_half_open: dated(120, &RFC_6888),
        unsolicited_syn: Some(dated(6, &RFC_5382)),
    }
}
