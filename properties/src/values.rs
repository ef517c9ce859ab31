//! The laws of plain values, held over everything that the story's table can lay out, and over
//! deterministic mappings.

use std::num::NonZeroU16;

use itertools::Itertools;
use natlaw_model::nat::Deterministic;
use natlaw_model::ports::PortBlock;
use natlaw_model::tiers::TierTable;

use crate::law::ValueLaw;
use crate::nat::deterministic::{DETERMINISTIC_LAWS, Formulas};
use crate::nat::layout::{LAYOUT_LAWS, Layout, RESIZE_LAWS, Resize, tiered};
use crate::tiers::{self, PortsBySize};

/// What became of the laws of one kind of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueVerdict {
    /// What was judged.
    pub subject: &'static str,
    /// How many values.
    pub values: usize,
    /// Laws that hold of all of them.
    pub held: usize,
    /// Laws that some value breaks.
    pub broken: Vec<&'static str>,
}

/// Usable ports of one virtual IP ("Use SNAT for outbound connections", Azure Load Balancer
/// documentation, March 2022).
const USABLE: u32 = 64_000;

/// Each kind of value, to be judged one after another.
pub const JUDGED: &[fn() -> ValueVerdict] =
    &[tier_table, blocks, blocks_when_a_member_joins, deterministic_mappings];

/// The story's table.
fn tier_table() -> ValueVerdict {
    let table = PortsBySize::of(&TierTable::of_the_story(), USABLE);
    verdict("story_tier_table", tiers::LAWS, &[table])
}

/// The blocks of every pool size.
fn blocks() -> ValueVerdict {
    verdict("blocks_of_every_pool_size", LAYOUT_LAWS, &layouts())
}

/// Every change by one member.
fn blocks_when_a_member_joins() -> ValueVerdict {
    let grown = |pair: &[Layout]| Resize { before: pair[0].clone(), after: pair[1].clone() };
    let resizes: Vec<Resize> = layouts().windows(2).map(grown).collect();
    verdict("blocks_when_a_member_joins", RESIZE_LAWS, &resizes)
}

/// Two virtual IPs above the well-known ports, at every ratio up to 128 and some beyond, with none
/// to two blocks for all.
fn deterministic_mappings() -> ValueVerdict {
    let ratios = (1..=128).chain([250, 500, 1000]).filter_map(NonZeroU16::new);
    let mappings = ratios.cartesian_product(0..=2).map(|(members_per_address, shared_blocks)| {
        Deterministic { members_per_address, shared_blocks, usable: PortBlock::ABOVE_WELL_KNOWN }
    });
    let mappings = mappings.filter(|mapping| mapping.ports() > 0);
    let formulas: Vec<Formulas> = mappings.map(|mapping| Formulas::of(mapping, 2)).collect();
    verdict("deterministic_mappings", DETERMINISTIC_LAWS, &formulas)
}

/// The layout of every pool size of the story's table.
fn layouts() -> Vec<Layout> {
    let sizes = 1..=usize::from(TierTable::of_the_story().members_max());
    sizes.filter_map(|size| Layout::of(&tiered(size, 1))).collect()
}

fn verdict<T>(subject: &'static str, laws: &[ValueLaw<T>], values: &[T]) -> ValueVerdict {
    let holds = |law: &&ValueLaw<T>| values.iter().all(|value| (law.holds)(value));
    let (held, broken): (Vec<_>, Vec<_>) = laws.iter().partition(holds);
    ValueVerdict {
        subject,
        values: values.len(),
        held: held.len(),
        broken: broken.into_iter().map(|law| law.name).collect(),
    }
}
