//! What must be true of a table from pool size to ports.

use natlaw_model::tiers::TierTable;

use crate::law::ValueLaw;
use crate::value_law;

/// What a table gives to each pool size: ports of a member by members, from 0 to one above the
/// largest pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortsBySize {
    /// Ports of a member, at the index of the pool's size; `None` is an error.
    pub ports: Vec<Option<u16>>,
    /// The tiers as the table prints them: the largest pool and its ports.
    pub tiers: Vec<(usize, u16)>,
    /// Usable ports of one virtual IP.
    pub usable: u32,
}

impl PortsBySize {
    /// What this table gives.
    pub fn of(table: &TierTable, usable: u32) -> Self {
        let sizes = 0..=usize::from(table.members_max()) + 1;
        let row = |tier: &natlaw_model::tiers::Tier| (usize::from(tier.members_max), tier.ports);
        Self {
            ports: sizes.map(|size| table.ports_for(size).ok()).collect(),
            tiers: table.tiers().iter().map(row).collect(),
            usable,
        }
    }
}

/// Every law of a tier table.
pub const LAWS: &[ValueLaw<PortsBySize>] = &[
    value_law!(
        every_pool_size_of_the_table_has_ports_and_no_other,
        "\"Use SNAT for outbound connections\", Azure Load Balancer documentation, March 2022",
        "A deployment that grows past the table finds out in production."
    ),
    value_law!(
        a_tier_is_exact_at_both_ends,
        "\"Use SNAT for outbound connections\", Azure Load Balancer documentation, March 2022",
        "The pool that fills its tier gets the ports of another."
    ),
    value_law!(
        a_larger_pool_never_gets_more_ports_a_member,
        "\"Use SNAT for outbound connections\", Azure Load Balancer documentation, March 2022",
        "Growing a pool would raise a limit that planning counts on."
    ),
    value_law!(
        every_pool_fits_the_usable_ports_of_one_virtual_ip,
        "\"Use SNAT for outbound connections\", Azure Load Balancer documentation, March 2022",
        "Two members share a port."
    ),
];

/// The table is total on its domain, from one member to its largest pool, and an error elsewhere.
fn every_pool_size_of_the_table_has_ports_and_no_other(table: &PortsBySize) -> bool {
    let last = table.ports.len().saturating_sub(1);
    let is_inside = |size: usize| size > 0 && size < last;
    table.ports.iter().enumerate().all(|(size, ports)| ports.is_some() == is_inside(size))
}

/// The first and the last pool of a tier have the ports that the table prints.
fn a_tier_is_exact_at_both_ends(table: &PortsBySize) -> bool {
    let firsts = std::iter::once(1).chain(table.tiers.iter().map(|(largest, _)| largest + 1));
    let ports = |size: usize| table.ports.get(size).copied().flatten();
    let is_exact = |(first, (last, given)): (usize, &(usize, u16))| {
        ports(first) == Some(*given) && ports(*last) == Some(*given)
    };
    firsts.zip(&table.tiers).all(is_exact)
}

/// Ports of a member never grow with the pool.
fn a_larger_pool_never_gets_more_ports_a_member(table: &PortsBySize) -> bool {
    table.ports.iter().flatten().is_sorted_by(|smaller, larger| smaller >= larger)
}

/// All members of a pool together never need more ports than one virtual IP has.
fn every_pool_fits_the_usable_ports_of_one_virtual_ip(table: &PortsBySize) -> bool {
    let total = |(size, ports): (usize, &Option<u16>)| size * usize::from(ports.unwrap_or(0));
    table.ports.iter().enumerate().map(total).all(|total| total <= table.usable as usize)
}

/// Tables that each break a law, with the defect they have.
pub fn mutants() -> Vec<(&'static str, PortsBySize)> {
    let story = || PortsBySize::of(&TierTable::of_the_story(), 64_000);
    let with = |change: fn(&mut PortsBySize)| {
        let mut table = story();
        change(&mut table);
        table
    };
    vec![
        ("a pool of none has ports", with(|table| table.ports[0] = Some(1024))),
        ("the 50th member is in the second tier", with(|table| table.ports[50] = Some(512))),
        ("the last tier has more ports", with(|table| table.ports[801..=1000].fill(Some(128)))),
        ("every pool has 1,024 ports", with(|table| table.ports[1..=1000].fill(Some(1024)))),
    ]
}
