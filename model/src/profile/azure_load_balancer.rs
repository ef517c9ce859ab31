//! Azure Load Balancer, as its documents describe outbound connections without outbound rules.

use super::document::{
    ASSUMED, CLASSIC_2018, LOAD_BALANCER_2019, LOAD_BALANCER_2022, LOAD_BALANCER_CAP,
    OUTBOUND_RULE_API_2019,
};
use super::{Behaviour, Dated, DatedTimers, Document, Growth, Profile, Reading};
use crate::nat::{
    AddressPooling, ClosesOn, PerTransport, PortPolicy, Preserve, RulePorts, Selection,
};
use crate::ports::PortBlock;
use crate::tiers::TierTable;
use crate::time::Duration;

/// The most addresses and members that the model numbers where no document has a bound: those of
/// 203.0.113.0/24 (RFC 5737), and as many members as there are ports.
pub(super) const ADDRESSES_MAX: Dated<usize> = Dated::new(254, &super::document::ASSUMED_BOUND);

/// The 64,000 ports of an address that the documents speak of; where they lie is assumed.
pub(super) const PORTS_64_000: PortBlock =
    PortBlock::new(1_024, 65_023).expect("64,000 ports above the well-known");

pub(super) const FOUR_MINUTES: Duration = Duration::from_secs(240);

/// The profile `azure-load-balancer`.
pub(super) fn profile() -> Profile {
    Profile {
        name: "azure-load-balancer",
        what: "Azure Load Balancer, default port allocation",
        outside: vec![
            Dated::new("Fragments and ICMP are not translated.", &LOAD_BALANCER_2019),
            Dated::new(
                "Standard SNAT is there only for the transport of the balancing rule; Basic always \
                 has both.",
                &LOAD_BALANCER_2019,
            ),
        ],
        ..plain(&LOAD_BALANCER_2022)
    }
    .by_default(READINGS)
}

/// What all profiles of Azure Load Balancer begin with.
pub(super) fn plain(document: &'static Document) -> Profile {
    let per_destination = Dated::new(Behaviour::PER_DESTINATION, document);
    Profile {
        name: "",
        what: "",
        ports: Dated::new(PortPolicy::Tiered(TierTable::of_the_story()), document),
        ports_chosen: None,
        ports_of_an_address: Dated::new(64_000, &LOAD_BALANCER_2022),
        addresses_max: ADDRESSES_MAX,
        addresses_in_use_max: None,
        members_max: Dated::new(1_000, document),
        ports_of_a_member_max: None,
        flows_of_a_member_max: None,
        flows_per_destination_max: None,
        flows_max: None,
        tcp: per_destination,
        udp: per_destination,
        icmp: Dated::new(Behaviour::PER_DESTINATION, &ASSUMED),
        pooling: Dated::new(AddressPooling::Arbitrary, &ASSUMED),
        preserve: Dated::new(Preserve::default(), &ASSUMED),
        selection: Dated::new(Selection::LowestFirst, &LOAD_BALANCER_2022),
        rule_ports: Dated::new(RulePorts::GroupOfEight, &LOAD_BALANCER_2022),
        closes_on: Dated::new(ClosesOn::EitherSide, &LOAD_BALANCER_2019),
        inbound_refresh: Dated::new(PerTransport::from(true), &LOAD_BALANCER_2019),
        timers: timers(&LOAD_BALANCER_2019),
        idle_chosen: None,
        growth: None,
        reported_size_max: Dated::new(1, &ASSUMED),
        outside: Vec::new(),
        readings: &[],
        taken: Vec::new(),
    }
}

/// A port comes back 240 s after a FIN, 15 s after an RST, and when a flow was idle for four minutes.
pub(super) const fn timers(document: &'static Document) -> DatedTimers {
    DatedTimers {
        rest_after_finish: Dated::new(FOUR_MINUTES, document),
        rest_after_reset: Dated::new(Duration::from_secs(15), document),
        rest_after_idle: Dated::new(Duration::ZERO, document),
        ..DatedTimers::idle(Dated::new(FOUR_MINUTES, document))
    }
}

const READINGS: &[Reading] = &[
    UDP_BY_DESTINATION_ADDRESS_2022,
    UDP_CONE_2019,
    UDP_PORT_A_FLOW_2019,
    Reading {
        name: "frontends-one-at-a-time-2022",
        question: "order of frontends",
        says: "Frontends are consumed one at a time.",
        document: &LOAD_BALANCER_2022,
        take: |profile, document| {
            profile.addresses_in_use_max = None;
            profile.selection = Dated::new(Selection::LowestFirst, document);
        },
    },
    Reading {
        name: "frontends-all-at-once-2019",
        question: "order of frontends",
        says: "Standard uses all frontends at the same time.",
        document: &LOAD_BALANCER_2019,
        take: |profile, document| {
            profile.addresses_in_use_max = None;
            profile.selection = Dated::new(Selection::Spread, document);
        },
    },
    Reading {
        name: "one-frontend-2019",
        question: "order of frontends",
        says: "Basic chooses a single frontend, to be thought of as random.",
        document: &LOAD_BALANCER_2019,
        take: |profile, document| {
            profile.addresses_in_use_max = Some(Dated::new(1, document));
            profile.selection = Dated::new(Selection::LowestFirst, document);
        },
    },
    Reading {
        name: "cap-1024",
        question: "cap on a member's ports",
        says: "Frontends add up to 1,024 ports a member, and no further.",
        document: &LOAD_BALANCER_CAP,
        take: |profile, document| {
            profile.ports_of_a_member_max = Some(Dated::new(1_024, document));
        },
    },
    Reading {
        name: "no-cap-2019",
        question: "cap on a member's ports",
        says: "Each frontend multiplies the ports: 50 members of 2 frontends have 2,048.",
        document: &LOAD_BALANCER_2019,
        take: |profile, _| profile.ports_of_a_member_max = None,
    },
    FIN_OF_EITHER_SIDE_2019,
    FIN_OF_BOTH_SIDES_2018,
    Reading {
        name: "idle-4-to-120-minutes-2022",
        question: "idle time",
        says: "4 minutes unless set, from 4 to 120.",
        document: &LOAD_BALANCER_2022,
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
        name: "idle-4-minutes-2019",
        question: "idle time",
        says: "4 minutes, which nobody can change.",
        document: &LOAD_BALANCER_2019,
        take: |profile, document| {
            profile.timers.established = Dated::new(FOUR_MINUTES, document);
            profile.idle_chosen = None;
        },
    },
    Reading {
        name: "growth-reclaims-half-2019",
        question: "growth into a larger tier",
        says: "Half of each member's ports are reclaimed; flows on them time out.",
        document: &LOAD_BALANCER_2019,
        take: |profile, document| {
            profile.growth = Some(Dated::new(Growth::HalfReclaimed, document));
        },
    },
    Reading {
        name: "growth-not-said-2022",
        question: "growth into a larger tier",
        says: "Nothing is said of it.",
        document: &LOAD_BALANCER_2022,
        take: |profile, document| profile.growth = Some(Dated::new(Growth::NotSaid, document)),
    },
];

pub(super) const UDP_BY_DESTINATION_ADDRESS_2022: Reading = Reading {
    name: "udp-by-destination-address-2022",
    question: "ports of UDP",
    says: "One port for each destination address, whatever the destination port.",
    document: &LOAD_BALANCER_2022,
    take: |profile, document| {
        profile.udp = Dated::new(Behaviour::PER_DESTINATION_ADDRESS, document);
    },
};

pub(super) const UDP_CONE_2019: Reading = Reading {
    name: "udp-cone-2019",
    question: "ports of UDP",
    says: "Port-restricted cone: an inside endpoint has one port for all destinations.",
    document: &LOAD_BALANCER_2019,
    take: |profile, document| {
        profile.udp = Dated::new(Behaviour::PORT_RESTRICTED_CONE, document);
    },
};

pub(super) const UDP_PORT_A_FLOW_2019: Reading = Reading {
    name: "udp-port-a-flow-2019",
    question: "ports of UDP",
    says: "One port for each flow, irrespective of its destination.",
    document: &LOAD_BALANCER_2019,
    take: |profile, document| profile.udp = Dated::new(Behaviour::PER_FLOW, document),
};

pub(super) const FIN_OF_EITHER_SIDE_2019: Reading = Reading {
    name: "fin-of-either-side-2019",
    question: "whose FIN closes",
    says: "240 s after a FIN of either side.",
    document: &LOAD_BALANCER_2019,
    take: |profile, document| profile.closes_on = Dated::new(ClosesOn::EitherSide, document),
};

pub(super) const FIN_OF_BOTH_SIDES_2018: Reading = Reading {
    name: "fin-of-both-sides-2018",
    question: "whose FIN closes",
    says: "240 s after a FIN of both sides.",
    document: &CLASSIC_2018,
    take: |profile, document| profile.closes_on = Dated::new(ClosesOn::BothSides, document),
};

/// Four minutes unless set, up to so many.
pub(super) fn choose_idle(profile: &mut Profile, document: &'static Document, minutes_max: u64) {
    profile.timers.established = Dated::new(FOUR_MINUTES, document);
    let range = FOUR_MINUTES..=Duration::from_secs(60 * minutes_max);
    profile.idle_chosen = Some(Dated::new(range, document));
}
