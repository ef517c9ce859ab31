//! Azure NAT gateway: ports on demand, for all members from all addresses.

use super::azure_load_balancer::{FOUR_MINUTES, plain};
use super::document::{
    ASSUMED, ASSUMED_BOUND, NAT_GATEWAY_2021, NAT_GATEWAY_2023, NAT_GATEWAY_SKUS, NAT_GATEWAY_SNAT,
};
use super::{Dated, DatedTimers, Document, Profile, Reading};
use crate::nat::{ClosesOn, PerTransport, PortPolicy, RulePorts, SLOTS_MAX, Selection};
use crate::ports::PortBlock;
use crate::time::Duration;

/// Where a start is drawn and no document names a seed.
pub(super) const SEED: u64 = 6_056;

/// The profile `azure-nat-gateway`.
pub(super) fn profile() -> Profile {
    let four_minutes = Dated::new(FOUR_MINUTES, &NAT_GATEWAY_2023);
    let idle = FOUR_MINUTES..=Duration::from_secs(120 * 60);
    Profile {
        name: "azure-nat-gateway",
        what: "Azure NAT gateway",
        ports: on_demand(&NAT_GATEWAY_2023),
        ports_of_an_address: Dated::new(64_512, &NAT_GATEWAY_2023),
        addresses_max: Dated::new(16, &NAT_GATEWAY_2023),
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        flows_per_destination_max: Some(Dated::new(50_000, &NAT_GATEWAY_2023)),
        flows_max: Some(Dated::new(2_000_000, &NAT_GATEWAY_2023)),
        selection: Dated::new(Selection::Random(SEED), &NAT_GATEWAY_SNAT),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        closes_on: Dated::new(ClosesOn::EitherSide, &ASSUMED),
        inbound_refresh: Dated::new(
            PerTransport { tcp: true, udp: false, icmp: false },
            &NAT_GATEWAY_2023,
        ),
        timers: DatedTimers::idle(four_minutes),
        idle_chosen: Some(Dated::new(idle, &NAT_GATEWAY_2023)),
        outside: vec![
            Dated::new("ICMP and fragments are not translated.", &NAT_GATEWAY_2023),
            Dated::new("Nothing of the outside opens a connection.", &NAT_GATEWAY_2023),
            Dated::new("50 Gbps, and 1 to 5 million packets a second.", &NAT_GATEWAY_2023),
            Dated::new(
                "Timers are subject to change, and nobody should depend on them.",
                &NAT_GATEWAY_2023,
            ),
        ],
        ..plain(&NAT_GATEWAY_2023)
    }
    .by_default(READINGS)
}

/// The profile `azure-nat-gateway-v2`.
pub(super) fn standard_v2() -> Profile {
    let first = profile();
    Profile {
        name: "azure-nat-gateway-v2",
        what: "Azure NAT gateway, StandardV2",
        addresses_max: Dated::new(16, &NAT_GATEWAY_SKUS),
        flows_per_destination_max: Some(Dated::new(50_000, &NAT_GATEWAY_SKUS)),
        flows_max: Some(Dated::new(2_000_000, &NAT_GATEWAY_SKUS)),
        outside: vec![
            Dated::new("ICMP and fragments are not translated.", &NAT_GATEWAY_2023),
            Dated::new("Nothing of the outside opens a connection.", &NAT_GATEWAY_2023),
            Dated::new("100 Gbps, 1 Gbps of a connection.", &NAT_GATEWAY_SKUS),
            Dated::new("10 million packets a second, 100,000 of a connection.", &NAT_GATEWAY_SKUS),
            Dated::new("16 IPv6 addresses besides; all zones of a region.", &NAT_GATEWAY_SKUS),
        ],
        ..first
    }
}

/// All members draw on the ports above the well-known.
pub(super) fn on_demand(document: &'static Document) -> Dated<PortPolicy> {
    Dated::new(PortPolicy::OnDemand(PortBlock::ABOVE_WELL_KNOWN), document)
}

const READINGS: &[Reading] = &[
    Reading {
        name: "timers-2023",
        question: "timers",
        says: "Ports rest 65 s after a FIN, 16 s after an RST, 65 s after UDP; half-open 30 s.",
        document: &NAT_GATEWAY_2023,
        take: |profile, document| {
            rests(profile, document, 65, 16, 0);
            profile.timers.rest_after_idle = Dated::new(Duration::from_secs(65), document);
        },
    },
    Reading {
        name: "timers-2021",
        question: "timers",
        says: "60 s after a FIN, 10 s after an RST, half-open 30 s; 5 s more in any case.",
        document: &NAT_GATEWAY_2021,
        take: |profile, document| {
            rests(profile, document, 65, 15, 5);
            profile.timers.rest_after_idle = Dated::new(Duration::from_secs(5), document);
        },
    },
];

/// After a FIN, an RST, and a SYN without an answer, in seconds.
fn rests(profile: &mut Profile, document: &'static Document, finish: u64, reset: u64, half: u64) {
    let dated = |secs| Dated::new(Duration::from_secs(secs), document);
    profile.timers.half_open = dated(30);
    profile.timers.rest_after_finish = dated(finish);
    profile.timers.rest_after_reset = dated(reset);
    profile.timers.rest_after_half_open = dated(half);
}
