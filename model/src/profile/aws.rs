//! AWS NAT gateway: ports on demand.

use super::azure_load_balancer::plain;
use super::azure_nat_gateway::{SEED, on_demand};
use super::document::{ASSUMED, ASSUMED_BOUND, AWS_BASICS, AWS_KNOWLEDGE, AWS_RATE};
use super::{Behaviour, Dated, DatedTimers, Profile};
use crate::nat::{ClosesOn, PerTransport, RulePorts, SLOTS_MAX, Selection};
use crate::time::Duration;

/// The profile `aws-nat-gateway`.
pub(super) fn profile() -> Profile {
    let rest = Duration::from_secs(61);
    Profile {
        name: "aws-nat-gateway",
        what: "AWS NAT gateway",
        ports: on_demand(&AWS_BASICS),
        ports_of_an_address: Dated::new(64_512, &AWS_BASICS),
        addresses_max: Dated::new(8, &AWS_KNOWLEDGE),
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        flows_per_destination_max: Some(Dated::new(55_000, &AWS_BASICS)),
        icmp: Dated::new(Behaviour::PER_DESTINATION, &AWS_BASICS),
        selection: Dated::new(Selection::Random(SEED), &ASSUMED),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        closes_on: Dated::new(ClosesOn::EitherSide, &ASSUMED),
        inbound_refresh: Dated::new(PerTransport::from(true), &ASSUMED),
        timers: DatedTimers {
            rest_after_finish: Dated::new(rest, &AWS_RATE),
            rest_after_reset: Dated::new(rest, &ASSUMED),
            ..DatedTimers::idle(Dated::new(Duration::from_secs(350), &AWS_KNOWLEDGE))
        },
        outside: vec![
            Dated::new("5 to 100 Gbps, 1 to 10 million packets a second.", &AWS_KNOWLEDGE),
            Dated::new("32 addresses an availability zone in regional mode.", &AWS_KNOWLEDGE),
        ],
        ..plain(&AWS_BASICS)
    }
}
