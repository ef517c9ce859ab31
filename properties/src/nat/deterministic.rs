//! What must be true of deterministic mapping: its two formulas are each other's inverse.

use std::collections::BTreeMap;

use itertools::Itertools;
use natlaw_model::nat::Deterministic;
use natlaw_model::ports::PortBlock;

use crate::law::ValueLaw;
use crate::value_law;

/// Both formulas of a mapping, laid open over some virtual IPs (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formulas {
    /// Forward: on which virtual IP the block of each slot lies, and which ports it has.
    pub blocks: BTreeMap<usize, (usize, PortBlock)>,
    /// Reverse: the slot of each run of ports of each virtual IP; all 65,536 of each.
    pub slots: BTreeMap<usize, Vec<(PortBlock, Option<usize>)>>,
    /// The ports of each virtual IP that all members draw on.
    pub shared: Option<PortBlock>,
    /// The mapping.
    pub mapping: Deterministic,
}

impl Formulas {
    /// The formulas of a mapping over so many virtual IPs.
    pub fn of(mapping: Deterministic, addresses: usize) -> Self {
        let slots = addresses * usize::from(mapping.members_per_address.get());
        let blocks = (0..slots).filter_map(|slot| Some((slot, mapping.block_of(slot)?)));
        let slots = (0..addresses).map(|address| (address, slots_on(mapping, address)));
        Self { blocks: blocks.collect(), slots: slots.collect(), shared: mapping.shared(), mapping }
    }

    /// Every port of every virtual IP that is a slot's.
    fn owned(&self) -> impl Iterator<Item = (usize, PortBlock, usize)> {
        let runs = self.slots.iter().flat_map(|(address, runs)| {
            runs.iter().map(move |(ports, slot)| (*address, *ports, *slot))
        });
        runs.filter_map(|(address, ports, slot)| Some((address, ports, slot?)))
    }
}

fn slots_on(mapping: Deterministic, address: usize) -> Vec<(PortBlock, Option<usize>)> {
    let slot = |port| (PortBlock::single(port), mapping.slot_of(address, port));
    let joined = |a: (PortBlock, Option<usize>), b: (PortBlock, Option<usize>)| match a.1 == b.1 {
        true => Ok((PortBlock::new(a.0.first(), b.0.last()).unwrap_or(a.0), a.1)),
        false => Err((a, b)),
    };
    (0..=u16::MAX).map(slot).coalesce(joined).collect()
}

const RFC: &str = "RFC 7422 section 2; FD.io VPP det44";

/// Every law of a deterministic mapping.
pub const DETERMINISTIC_LAWS: &[ValueLaw<Formulas>] = &[
    value_law!(
        the_reverse_of_every_port_of_a_block_is_its_member,
        RFC,
        "A report of abuse names nobody, or a neighbour."
    ),
    value_law!(
        the_forward_of_a_ports_member_holds_the_port,
        RFC,
        "A member is held to account for a port that it was never given."
    ),
    value_law!(
        every_member_of_the_ratio_has_as_many_ports_as_the_formula_says,
        RFC,
        "One member runs out before the others."
    ),
    value_law!(
        own_and_shared_ports_leave_less_than_a_port_for_each_block_over,
        "RFC 7422 section 2; RFC 6888 REQ-13",
        "Ports that were bought are given to nobody."
    ),
];

/// Forward and then reverse leads back to the slot, from each of its ports.
fn the_reverse_of_every_port_of_a_block_is_its_member(formulas: &Formulas) -> bool {
    formulas.blocks.iter().all(|(slot, (address, block))| {
        let runs = formulas.slots.get(address).into_iter().flatten();
        let mut around = runs.filter(|(ports, _)| ports.overlaps(*block));
        around.all(|(_, owner)| *owner == Some(*slot))
    })
}

/// Reverse and then forward leads back to a block that holds the port.
fn the_forward_of_a_ports_member_holds_the_port(formulas: &Formulas) -> bool {
    formulas.owned().all(|(address, ports, slot)| {
        let forward = formulas.blocks.get(&slot);
        forward.is_some_and(|(on, block)| *on == address && block.covers(ports))
    })
}

/// Each virtual IP serves as many members as the ratio says, each with the ports of one block.
fn every_member_of_the_ratio_has_as_many_ports_as_the_formula_says(formulas: &Formulas) -> bool {
    let ports = u32::from(formulas.mapping.ports());
    let members = formulas.slots.len() * usize::from(formulas.mapping.members_per_address.get());
    formulas.blocks.len() == members
        && formulas.blocks.values().all(|(_, block)| block.len() == ports)
}

/// On each virtual IP, what is some member's and what all draw on are different ports, and fewer
/// are left over than there are blocks.
fn own_and_shared_ports_leave_less_than_a_port_for_each_block_over(formulas: &Formulas) -> bool {
    let Deterministic { members_per_address, shared_blocks, usable } = formulas.mapping;
    let blocks = u32::from(members_per_address.get()) + u32::from(shared_blocks);
    let shared = formulas.shared.map_or(0, PortBlock::len);
    let is_shared = |ports: PortBlock| formulas.shared.is_some_and(|it| it.overlaps(ports));
    formulas.slots.keys().all(|address| {
        let own = || formulas.owned().filter(|(on, ..)| on == address).map(|(_, ports, _)| ports);
        let given = own().map(PortBlock::len).sum::<u32>() + shared;
        given <= usable.len() && usable.len() - given < blocks && !own().any(is_shared)
    })
}

/// Formulas that each break a law, with the defect they have.
///
/// # Panics
/// Never: what is written here is a mapping.
pub fn deterministic_mutants() -> Vec<(&'static str, Formulas)> {
    let mapping = Deterministic {
        members_per_address: 2.try_into().expect("a ratio"),
        shared_blocks: 1,
        usable: PortBlock::new(1024, 1030).expect("a block"),
    };
    let with = |change: fn(&mut Formulas)| {
        let mut formulas = Formulas::of(mapping, 2);
        change(&mut formulas);
        formulas
    };
    vec![
        (
            "VPP bf9a0c8097d: the reverse look-up is one port off",
            with(|it| {
                for (ports, _) in it.slots.values_mut().flatten() {
                    let later = PortBlock::new(ports.first().saturating_add(1), ports.last());
                    *ports = later.unwrap_or(*ports);
                }
                it.blocks.values_mut().for_each(|(_, block)| *block = earlier(*block));
            }),
        ),
        (
            "VPP-623: the slots of every address are those of the first",
            with(|it| {
                let first = it.slots[&0].clone();
                it.slots.values_mut().for_each(|slots| slots.clone_from(&first));
            }),
        ),
        (
            "the last member of each address is forgotten",
            with(|it| {
                it.blocks.retain(|slot, _| slot % 2 == 0);
                let slots = it.slots.values_mut().flatten();
                slots.for_each(|(_, slot)| *slot = slot.filter(|slot| slot % 2 == 0));
            }),
        ),
        ("the shared ports are forgotten", with(|it| it.shared = None)),
    ]
}

fn earlier(block: PortBlock) -> PortBlock {
    PortBlock::new(block.first() - 1, block.last() - 1).unwrap_or(block)
}
