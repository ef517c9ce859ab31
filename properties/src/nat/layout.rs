//! What must be true of who owns which port, of its change with the pool, and of the counts.

use std::collections::BTreeMap;

use itertools::Itertools;
use natlaw_model::flow::Endpoint;
use natlaw_model::nat::{Census, Configuration, Member, Nat, Owner, Pool, PortPolicy, VirtualIp};
use natlaw_model::ports::PortBlock;

use crate::law::ValueLaw;
use crate::value_law;

/// Who owns which port, laid open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Each member's block on each virtual IP it lies on.
    pub blocks: Vec<(Member, VirtualIp, PortBlock)>,
    /// The answer of the owner look-up for each port of each virtual IP, as runs of ports.
    pub owners: BTreeMap<VirtualIp, Vec<(PortBlock, Owner)>>,
    /// Members of the pool.
    pub members: usize,
    /// Ports of each block.
    pub ports: u32,
    /// The ports that are shared out.
    pub usable: PortBlock,
}

/// The same pool before and after a change of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    /// Before.
    pub before: Layout,
    /// After.
    pub after: Layout,
}

/// One search of an allocator that counts its probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// Candidates that it looked at.
    pub probes: u32,
    /// The most that it declares to look at.
    pub probes_max: u32,
}

impl Layout {
    /// The layout of a translator whose members have blocks; `None` for the others.
    pub fn of(nat: &Nat) -> Option<Self> {
        let usable = *nat.ports.usable().first()?;
        let ports = nat.ports_per_member()?;
        let owners = nat.virtual_ips.iter().map(|vip| (*vip, owners_on(nat, *vip))).collect();
        let members = nat.pool.members().count();
        Some(Self { blocks: blocks_of(nat), owners, members, ports, usable })
    }
}

fn blocks_of(nat: &Nat) -> Vec<(Member, VirtualIp, PortBlock)> {
    let mut blocks = Vec::new();
    for (slot, member) in nat.pool.slots().iter().enumerate() {
        if let (Some(member), Some((vips, block))) = (member, nat.block_of(slot)) {
            blocks.extend(vips.iter().map(|vip| (*member, *vip, block)));
        }
    }
    blocks
}

fn owners_on(nat: &Nat, vip: VirtualIp) -> Vec<(PortBlock, Owner)> {
    let owner = |port| (PortBlock::single(port), nat.owner(Endpoint::new(vip.0, port)));
    let joined = |a: (PortBlock, Owner), b: (PortBlock, Owner)| match a.1 == b.1 {
        true => Ok((PortBlock::new(a.0.first(), b.0.last()).unwrap_or(a.0), a.1)),
        false => Err((a, b)),
    };
    (0..=u16::MAX).map(owner).coalesce(joined).collect()
}

const STORY: &str = "The story \"Scaling past Port Exhaustion\"; RFC 7422 section 2";

/// Every law of a layout.
pub const LAYOUT_LAWS: &[ValueLaw<Layout>] = &[
    value_law!(blocks_of_two_members_never_overlap, STORY, "Two members are given one port."),
    value_law!(
        a_block_lies_in_the_usable_ports,
        "RFC 6056 section 3.2; Oxide OPTE 166",
        "A member is given a well-known port, or one past the last."
    ),
    value_law!(
        every_member_has_a_block_of_the_same_size,
        STORY,
        "One member runs out before the others."
    ),
    value_law!(
        a_port_belongs_to_the_member_whose_block_holds_it,
        "FD.io VPP bf9a0c8097d; RFC 7422 section 2",
        "Replies are delivered to a neighbour, or to nobody."
    ),
];

/// Every law of a change in size.
pub const RESIZE_LAWS: &[ValueLaw<Resize>] = &[
    value_law!(
        no_block_moves_while_its_size_stays,
        "\"Outbound connections\", Azure Load Balancer documentation, 2018 to 2019",
        "A member that joins breaks the connections of the others."
    ),
    value_law!(
        across_a_tier_each_member_keeps_the_smaller_of_its_blocks,
        "\"Outbound connections\", Azure Load Balancer documentation, 2018 to 2019",
        "More connections break than the change of tier needs."
    ),
];

/// Every law of a count of ports.
pub const CENSUS_LAWS: &[ValueLaw<Census>] = &[value_law!(
    every_port_is_free_live_cooling_or_reserved,
    "FreeBSD pf states_cur; moby 46e290fec6",
    "Dashboards show idle ports that nobody can have."
)];

/// Every law of a search that counts its probes.
pub const SEARCH_LAWS: &[ValueLaw<Search>] = &[value_law!(
    a_search_looks_at_no_more_than_it_declares,
    "Linux a504b703bb1d; Tailscale natc 15367",
    "Near exhaustion a connection costs more than a packet may."
)];

/// On no virtual IP do two members share a port.
fn blocks_of_two_members_never_overlap(layout: &Layout) -> bool {
    let by_port = layout.blocks.iter().sorted_by_key(|(_, vip, block)| (*vip, *block));
    let mut neighbours = by_port.tuple_windows();
    neighbours.all(|((_, vip, block), (_, other, next))| vip != other || !block.overlaps(*next))
}

/// No block reaches outside the ports that are shared out.
fn a_block_lies_in_the_usable_ports(layout: &Layout) -> bool {
    layout.blocks.iter().all(|(_, _, block)| layout.usable.covers(*block))
}

/// Every member has a block, and all blocks are of the size that the policy gives.
fn every_member_has_a_block_of_the_same_size(layout: &Layout) -> bool {
    let members = layout.blocks.iter().map(|(member, _, _)| member).unique().count();
    let fits = layout.blocks.iter().all(|(_, _, block)| block.len() == layout.ports);
    members == layout.members && fits
}

/// For every port of the 16-bit space, the owner look-up and the blocks agree.
fn a_port_belongs_to_the_member_whose_block_holds_it(layout: &Layout) -> bool {
    layout.owners.iter().all(|(vip, owners)| {
        let of_vip = layout.blocks.iter().filter(|(_, on, _)| on == vip);
        let blocks = of_vip.map(|(member, _, block)| (*block, Owner::Member(*member))).sorted();
        let is_owned = |owner: Owner| matches!(owner, Owner::Member(_));
        let owned = owners.iter().filter(|(_, owner)| is_owned(*owner)).copied();
        blocks.eq(owned) && owners.iter().map(|(block, _)| block.len()).sum::<u32>() == 65_536
    })
}

/// While blocks keep their size, every member that stays keeps its block.
fn no_block_moves_while_its_size_stays(resize: &Resize) -> bool {
    let stays = |(_, before, after): (_, PortBlock, PortBlock)| before == after;
    resize.before.ports != resize.after.ports || both_blocks(resize).all(stays)
}

/// When blocks change their size, every member that stays has one block within the other.
fn across_a_tier_each_member_keeps_the_smaller_of_its_blocks(resize: &Resize) -> bool {
    both_blocks(resize).all(|(_, before, after)| before.covers(after) || after.covers(before))
}

/// The blocks of each member that stays, before and after.
fn both_blocks(resize: &Resize) -> impl Iterator<Item = (Member, PortBlock, PortBlock)> {
    let blocks = resize.after.blocks.iter().map(|(member, vip, block)| ((*member, *vip), *block));
    let after: BTreeMap<_, _> = blocks.collect();
    let before = resize.before.blocks.iter();
    before.filter_map(move |(member, vip, block)| {
        Some((*member, *block, *after.get(&(*member, *vip))?))
    })
}

/// The parts of a count add up to the whole.
fn every_port_is_free_live_cooling_or_reserved(census: &Census) -> bool {
    census.free + census.live + census.cooling + census.reserved == census.candidates
}

/// The bound holds whatever the occupancy.
fn a_search_looks_at_no_more_than_it_declares(search: &Search) -> bool {
    search.probes <= search.probes_max
}

/// A pool of this many members by the story's tiers.
///
/// # Panics
/// When the size is outside the story's table.
pub fn tiered(members: usize, virtual_ips: u8) -> Nat {
    let pool = Pool::of_size([10, 0, 0, 1].into(), members).expect("a pool of the table's size");
    let table = natlaw_model::tiers::TierTable::of_the_story();
    let virtual_ips = (1..=virtual_ips).map(|n| VirtualIp([203, 0, 113, n].into())).collect();
    Nat::new(Configuration::new(virtual_ips, pool, PortPolicy::Tiered(table)))
        .expect("a configuration of the story")
}

/// Layouts that each break a law, with the defect they have.
pub fn layout_mutants() -> Vec<(&'static str, Layout)> {
    let with = |change: fn(&mut Layout)| {
        let mut layout = Layout::of(&tiered(3, 1)).expect("tiers lay out blocks");
        change(&mut layout);
        layout
    };
    let block = |first, last| PortBlock::new(first, last).expect("a block");
    let _ = block;
    vec![
        (
            "VPP-623: every subscriber has the same block",
            with(|layout| {
                let first = layout.blocks[0].2;
                layout.blocks.iter_mut().for_each(|(_, _, block)| *block = first);
            }),
        ),
        (
            "HAProxy 59690ae14: one port past the last",
            with(|layout| {
                layout.usable = layout.blocks[0].2;
            }),
        ),
        (
            "the text's 1,023 ports",
            with(|layout| {
                let short = layout.blocks[1].2;
                layout.blocks[1].2 =
                    PortBlock::new(short.first(), short.last() - 1).unwrap_or(short);
            }),
        ),
        (
            "VPP bf9a0c8097d: the top port is the next owner's",
            with(|layout| {
                let owners = layout.owners.values_mut().flatten();
                for (block, _) in owners.filter(|(_, owner)| *owner != Owner::Nobody) {
                    *block = PortBlock::new(block.first(), block.last() - 1).unwrap_or(*block);
                }
            }),
        ),
    ]
}

/// Changes of size that each break a law, with the defect they have.
pub fn resize_mutants() -> Vec<(&'static str, Resize)> {
    let layout = |members| Layout::of(&tiered(members, 1)).expect("tiers lay out blocks");
    let shifted = |members| {
        let mut layout = layout(members);
        for (_, _, block) in &mut layout.blocks {
            let moved = PortBlock::new(block.first() + 1, block.last() + 1);
            *block = moved.unwrap_or(*block);
        }
        layout
    };
    vec![
        (
            "blocks are packed anew when a member joins",
            Resize { before: layout(2), after: shifted(3) },
        ),
        ("the halves are taken from elsewhere", Resize { before: shifted(50), after: layout(51) }),
    ]
}

/// Counts that each break a law, with the defect they have.
pub fn census_mutants() -> Vec<(&'static str, Census)> {
    let census = Census { candidates: 1024, free: 1000, live: 24, cooling: 1, reserved: 0 };
    vec![("moby 46e290fec6: a counter moves without its set", census)]
}

/// Searches that each break a law, with the defect they have.
pub fn search_mutants() -> Vec<(&'static str, Search)> {
    vec![("Tailscale natc 15367: random retry until free", Search { probes: 9, probes_max: 8 })]
}
