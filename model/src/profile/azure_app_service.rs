//! Azure App Service: a guarantee of 128 ports for each instance.

use super::azure_load_balancer::{FIN_OF_BOTH_SIDES_2018, plain, timers};
use super::document::{APP_SERVICE_2020, ASSUMED, ASSUMED_BOUND};
use super::{Dated, Document, Profile, Reading};
use crate::nat::{ClosesOn, PerTransport, PortPolicy, RulePorts, SLOTS_MAX, Selection};
use crate::ports::PortBlock;
use crate::tiers::TierTable;

/// The ports of an address that instances are guaranteed: half of 64,000.
const GUARANTEES: PortBlock = PortBlock::new(1_024, 33_023).expect("32,000 ports");
/// The ports of an address that all instances of a stamp draw on: the other half.
const SHARED: PortBlock = PortBlock::new(33_024, 65_023).expect("32,000 ports");

/// The profile `azure-app-service`.
pub(super) fn profile() -> Profile {
    Profile {
        name: "azure-app-service",
        what: "Azure App Service",
        selection: Dated::new(Selection::LowestFirst, &ASSUMED),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        inbound_refresh: Dated::new(PerTransport::from(true), &ASSUMED),
        timers: timers(&APP_SERVICE_2020),
        outside: vec![
            Dated::new(
                "How many ports a stamp has beyond its guarantees; the model has half of each \
                 address, and the instances of other tenants are members.",
                &ASSUMED,
            ),
            Dated::new(
                "At most 100 connections to one endpoint are recommended.",
                &APP_SERVICE_2020,
            ),
            Dated::new("Private and service endpoints take no ports.", &APP_SERVICE_2020),
        ],
        ..plain(&APP_SERVICE_2020)
    }
    .by_default(READINGS)
}

const READINGS: &[Reading] = &[
    Reading {
        name: "many-tenants-2020",
        question: "plan",
        says: "Each instance has 128 ports, allocated beforehand, and more when there are.",
        document: &APP_SERVICE_2020,
        take: |profile, document| {
            let ports = PortPolicy::Guaranteed { ports: 128, usable: GUARANTEES, shared: SHARED };
            profile.ports = Dated::new(ports, document);
            profile.members_max = Dated::new(SLOTS_MAX, &ASSUMED_BOUND);
        },
    },
    Reading {
        name: "environment-2020",
        question: "plan",
        says: "In an environment of its own, ports are by pool size, as of the load balancer.",
        document: &APP_SERVICE_2020,
        take: |profile, document| {
            let table = TierTable::of_the_story();
            profile.members_max = Dated::new(table.members_max().into(), document);
            profile.ports = Dated::new(PortPolicy::Tiered(table), document);
        },
    },
    Reading {
        name: "small-instance-2020",
        question: "size of an instance",
        says: "1,920 connections.",
        document: &APP_SERVICE_2020,
        take: |profile, document| connections(profile, document, 1_920),
    },
    Reading {
        name: "medium-instance-2020",
        question: "size of an instance",
        says: "3,968 connections.",
        document: &APP_SERVICE_2020,
        take: |profile, document| connections(profile, document, 3_968),
    },
    Reading {
        name: "large-instance-2020",
        question: "size of an instance",
        says: "8,064 connections.",
        document: &APP_SERVICE_2020,
        take: |profile, document| connections(profile, document, 8_064),
    },
    Reading {
        name: "isolated-instance-2020",
        question: "size of an instance",
        says: "16,000 connections.",
        document: &APP_SERVICE_2020,
        take: |profile, document| connections(profile, document, 16_000),
    },
    Reading {
        name: "fin-of-either-side-2020",
        question: "whose FIN closes",
        says: "240 s after a FIN of either side.",
        document: &APP_SERVICE_2020,
        take: |profile, document| profile.closes_on = Dated::new(ClosesOn::EitherSide, document),
    },
    FIN_OF_BOTH_SIDES_2018,
];

fn connections(profile: &mut Profile, document: &'static Document, most: u32) {
    profile.flows_of_a_member_max = Some(Dated::new(most, document));
}
