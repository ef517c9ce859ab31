//! Google Cloud NAT: blocks of ports for each VM, of one size or doubled as they are used up.

use super::azure_load_balancer::plain;
use super::document::{ASSUMED, ASSUMED_BOUND, GOOGLE_API, GOOGLE_PORTS, GOOGLE_TROUBLE};
use super::{Behaviour, Dated, DatedTimers, PortChoice, Profile, Reading};
use crate::nat::{ClosesOn, Doubling, PerTransport, PortPolicy, RulePorts, SLOTS_MAX, Selection};
use crate::ports::PortBlock;
use crate::time::Duration;

/// The profile `google-cloud-nat-static`.
pub(super) fn with_static_ports() -> Profile {
    let usable = PortBlock::ABOVE_WELL_KNOWN;
    let choice = PortChoice { least: 8, most: 64_512, multiple_of: 8, usable };
    Profile {
        name: "google-cloud-nat-static",
        what: "Google Cloud NAT, static port allocation",
        ports: Dated::new(PortPolicy::Manual { ports: 64, usable }, &GOOGLE_API),
        ports_chosen: Some(Dated::new(choice, &ASSUMED)),
        ..gateway()
    }
    .by_default(READINGS)
}

/// The profile `google-cloud-nat-dynamic`.
pub(super) fn with_dynamic_ports() -> Profile {
    let usable = PortBlock::ABOVE_WELL_KNOWN;
    let doubling = Doubling { minimum: 32, maximum: 65_536, usable };
    let gateway = gateway();
    Profile {
        name: "google-cloud-nat-dynamic",
        what: "Google Cloud NAT, dynamic port allocation",
        ports: Dated::new(PortPolicy::Doubling(doubling), &GOOGLE_API),
        outside: vec![
            Dated::new(
                "Packets may be lost while ports are doubled; the model doubles at once.",
                &GOOGLE_TROUBLE,
            ),
            Dated::new(
                "A VM that uses no port keeps its minimum; the model's members lease none.",
                &ASSUMED,
            ),
        ]
        .into_iter()
        .chain(gateway.outside)
        .collect(),
        ..gateway
    }
}

/// What both ways to share out ports have alike.
fn gateway() -> Profile {
    Profile {
        ports_of_an_address: Dated::new(64_512, &GOOGLE_PORTS),
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        selection: Dated::new(Selection::LowestFirst, &ASSUMED),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        closes_on: Dated::new(ClosesOn::BothSides, &ASSUMED),
        inbound_refresh: Dated::new(PerTransport::from(true), &ASSUMED),
        timers: timers(),
        outside: vec![
            Dated::new(
                "An address that is taken away breaks its connections at once, unless drained.",
                &GOOGLE_TROUBLE,
            ),
            Dated::new("A smaller minimum of ports may break connections.", &GOOGLE_TROUBLE),
        ],
        ..plain(&GOOGLE_API)
    }
}

/// Those that a gateway has unless told otherwise; a tuple is not used again in `TIME_WAIT`.
fn timers() -> DatedTimers {
    let dated = |secs| Dated::new(Duration::from_secs(secs), &GOOGLE_API);
    let transitory = Duration::from_secs(30);
    DatedTimers {
        half_open: dated(30),
        one_side_closed: Dated::new(transitory, &ASSUMED),
        udp: dated(30),
        icmp: Dated::new(transitory, &ASSUMED),
        rest_after_finish: dated(120),
        rest_after_reset: Dated::new(transitory, &ASSUMED),
        ..DatedTimers::idle(dated(1_200))
    }
}

const READINGS: &[Reading] = &[
    Reading {
        name: "mapping-by-destination",
        question: "endpoint-independent mapping",
        says: "Off, unless switched on.",
        document: &GOOGLE_API,
        take: |profile, document| {
            profile.tcp = Dated::new(Behaviour::PER_DESTINATION, document);
            profile.udp = Dated::new(Behaviour::PER_DESTINATION, document);
        },
    },
    Reading {
        name: "mapping-endpoint-independent",
        question: "endpoint-independent mapping",
        says: "Switched on: an inside endpoint has one port for all destinations.",
        document: &GOOGLE_API,
        take: |profile, document| {
            profile.tcp = Dated::new(Behaviour::PORT_RESTRICTED_CONE, document);
            profile.udp = Dated::new(Behaviour::PORT_RESTRICTED_CONE, document);
        },
    },
];
