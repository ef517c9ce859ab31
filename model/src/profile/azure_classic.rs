//! Outbound connections of Azure's classic cloud services, as the document of 2018 describes them.

use super::azure_load_balancer::{FIN_OF_BOTH_SIDES_2018, FIN_OF_EITHER_SIDE_2019, plain, timers};
use super::document::{ASSUMED, CLASSIC_2018, LOAD_BALANCER_2019};
use super::{Dated, Growth, Profile, Reading};
use crate::nat::{PerTransport, PortPolicy, RulePorts, Selection};
use crate::tiers::{Tier, TierTable};

/// The profile `azure-classic`.
pub(super) fn profile() -> Profile {
    let table = table();
    Profile {
        name: "azure-classic",
        what: "Azure cloud services (classic)",
        members_max: Dated::new(table.members_max().into(), &CLASSIC_2018),
        ports: Dated::new(PortPolicy::Tiered(table), &CLASSIC_2018),
        addresses_in_use_max: Some(Dated::new(1, &CLASSIC_2018)),
        selection: Dated::new(Selection::LowestFirst, &LOAD_BALANCER_2019),
        rule_ports: Dated::new(RulePorts::One, &ASSUMED),
        inbound_refresh: Dated::new(PerTransport::from(true), &CLASSIC_2018),
        timers: timers(&CLASSIC_2018),
        growth: Some(Dated::new(Growth::HalfReclaimed, &CLASSIC_2018)),
        outside: vec![
            Dated::new("ICMP is not translated.", &CLASSIC_2018),
            Dated::new("Of several addresses one is selected at random.", &CLASSIC_2018),
        ],
        ..plain(&CLASSIC_2018)
    }
    .by_default(READINGS)
}

/// The table of that document, which ends at 400 members.
fn table() -> TierTable {
    let mut tiers: Vec<Tier> = TierTable::of_the_story().tiers().to_vec();
    tiers.retain(|tier| tier.members_max <= 400);
    TierTable::new(tiers).expect("the beginning of a table is one")
}

const READINGS: &[Reading] = &[
    FIN_OF_BOTH_SIDES_2018,
    FIN_OF_EITHER_SIDE_2019,
    Reading {
        name: "redeploy-reports-twice-2018",
        question: "size of a pool that is redeployed",
        says: "May be reported to be up to twice as large, by design.",
        document: &CLASSIC_2018,
        take: |profile, document| profile.reported_size_max = Dated::new(2, document),
    },
    Reading {
        name: "redeploy-not-said-2019",
        question: "size of a pool that is redeployed",
        says: "Nothing is said of it.",
        document: &LOAD_BALANCER_2019,
        take: |profile, document| profile.reported_size_max = Dated::new(1, document),
    },
];
