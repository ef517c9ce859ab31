//! Azure Load Balancer with outbound rules, by which a person chooses the ports of a member.

use super::azure_load_balancer::{
    FIN_OF_BOTH_SIDES_2018, FIN_OF_EITHER_SIDE_2019, PORTS_64_000, UDP_BY_DESTINATION_ADDRESS_2022,
    UDP_CONE_2019, UDP_PORT_A_FLOW_2019, choose_idle, plain,
};
use super::document::{
    AKS, ASSUMED_BOUND, LOAD_BALANCER_2019, OUTBOUND_RULE_API_2019, OUTBOUND_RULES_2024,
    OUTBOUND_RULES_OLD,
};
use super::{Dated, Document, Growth, PortChoice, Profile, Reading};
use crate::nat::SLOTS_MAX;
use crate::ports::PortBlock;
use crate::time::Duration;

/// The profile `azure-outbound-rules`.
pub(super) fn profile() -> Profile {
    Profile {
        name: "azure-outbound-rules",
        what: "Azure Load Balancer with outbound rules",
        members_max: Dated::new(SLOTS_MAX, &ASSUMED_BOUND),
        growth: Some(Dated::new(Growth::HalfReclaimed, &LOAD_BALANCER_2019)),
        outside: vec![
            Dated::new(
                "A VM with a public address of its own ignores the rule.",
                &OUTBOUND_RULES_2024,
            ),
            Dated::new("A pool of IP addresses has default outbound access.", &OUTBOUND_RULES_2024),
            Dated::new("Fragments and ICMP are not translated.", &OUTBOUND_RULES_2024),
        ],
        ..plain(&OUTBOUND_RULES_2024)
    }
    .by_default(READINGS)
}

/// The 51,200 ports of an address of an earlier document; where they lie is assumed.
const PORTS_51_200: PortBlock =
    PortBlock::new(1_024, 52_223).expect("51,200 ports above the well-known");

const READINGS: &[Reading] = &[
    Reading {
        name: "ports-64000-2024",
        question: "ports of an address",
        says: "64,000, of which a member may have any multiple of 8; 0 stands for the default table.",
        document: &OUTBOUND_RULES_2024,
        take: |profile, document| choose_ports(profile, document, PORTS_64_000),
    },
    Reading {
        name: "ports-51200",
        question: "ports of an address",
        says: "51,200.",
        document: &OUTBOUND_RULES_OLD,
        take: |profile, document| choose_ports(profile, document, PORTS_51_200),
    },
    UDP_BY_DESTINATION_ADDRESS_2022,
    UDP_CONE_2019,
    UDP_PORT_A_FLOW_2019,
    FIN_OF_EITHER_SIDE_2019,
    FIN_OF_BOTH_SIDES_2018,
    Reading {
        name: "idle-4-to-120-minutes-2024",
        question: "idle time",
        says: "4 minutes unless set, from 4 to 120.",
        document: &OUTBOUND_RULES_2024,
        take: |profile, document| choose_idle(profile, document, 120),
    },
    Reading {
        name: "idle-4-to-66-minutes-2019",
        question: "idle time",
        says: "4 minutes unless set, from 4 to 66.",
        document: &OUTBOUND_RULE_API_2019,
        take: |profile, document| choose_idle(profile, document, 66),
    },
    Reading {
        name: "idle-30-minutes-of-aks",
        question: "idle time",
        says: "A cluster sets 30 minutes unless told otherwise.",
        document: &AKS,
        take: |profile, document| {
            choose_idle(profile, document, 120);
            profile.timers.established = Dated::new(Duration::from_secs(30 * 60), document);
        },
    },
];

/// Up to all ports of an address for one member.
fn choose_ports(profile: &mut Profile, document: &'static Document, usable: PortBlock) {
    let most = u16::try_from(usable.len()).unwrap_or(u16::MAX);
    profile.ports_of_an_address = Dated::new(usable.len(), document);
    let choice = PortChoice { least: 0, most, multiple_of: 8, usable };
    profile.ports_chosen = Some(Dated::new(choice, document));
}
