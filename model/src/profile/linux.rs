//! Linux netfilter, with the timers of its documentation.

use super::azure_load_balancer::plain;
use super::azure_nat_gateway::{SEED, on_demand};
use super::document::{ASSUMED, ASSUMED_BOUND, LINUX_2023, LINUX_SOURCE};
use super::{Behaviour, Dated, DatedTimers, Profile, Reading};
use crate::nat::{ClosesOn, PerTransport, Preserve, RulePorts, SLOTS_MAX, Selection};
use crate::time::Duration;

/// The profile `linux`.
pub(super) fn profile() -> Profile {
    Profile {
        name: "linux",
        what: "Linux netfilter",
        ports: on_demand(&ASSUMED),
        ports_of_an_address: Dated::new(64_512, &ASSUMED),
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        icmp: Dated::new(Behaviour::PER_DESTINATION, &LINUX_SOURCE),
        preserve: Dated::new(Preserve { port: true, class: true, parity: false }, &LINUX_SOURCE),
        selection: Dated::new(Selection::Random(SEED), &LINUX_SOURCE),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        closes_on: Dated::new(ClosesOn::BothSides, &LINUX_2023),
        inbound_refresh: Dated::new(PerTransport::from(true), &LINUX_SOURCE),
        timers: timers(),
        outside: vec![
            Dated::new(
                "Near exhaustion a SYN may push out a connection in TIME_WAIT or CLOSE.",
                &LINUX_SOURCE,
            ),
            Dated::new("A search gives up although ports are free.", &LINUX_SOURCE),
            Dated::new("CLOSE_WAIT has 60 s and LAST_ACK 30 s of their own.", &LINUX_2023),
        ],
        ..plain(&LINUX_SOURCE)
    }
    .by_default(READINGS)
}

/// A connection that is over is tracked for a while yet; its port is free as soon as it is not.
fn timers() -> DatedTimers {
    let dated = |secs| Dated::new(Duration::from_secs(secs), &LINUX_2023);
    let none = Dated::new(Duration::ZERO, &LINUX_SOURCE);
    DatedTimers {
        half_open: dated(120),
        one_side_closed: dated(120),
        time_wait: dated(120),
        reset: dated(10),
        icmp: dated(30),
        rest_after_finish: none,
        rest_after_reset: none,
        rest_after_idle: none,
        rest_after_half_open: none,
        ..DatedTimers::idle(dated(432_000))
    }
}

const READINGS: &[Reading] = &[
    Reading {
        name: "udp-stream",
        question: "idle time of UDP",
        says: "120 s of a stream: packets of both sides for two seconds.",
        document: &LINUX_2023,
        take: |profile, document| {
            profile.timers.udp = Dated::new(Duration::from_secs(120), document);
        },
    },
    Reading {
        name: "udp-no-stream",
        question: "idle time of UDP",
        says: "30 s of what is no stream.",
        document: &LINUX_2023,
        take: |profile, document| {
            profile.timers.udp = Dated::new(Duration::from_secs(30), document);
        },
    },
];
