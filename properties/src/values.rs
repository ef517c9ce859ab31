//! The laws of plain values, held over everything that the story's table can lay out.

use natlaw_model::tiers::TierTable;

use crate::law::ValueLaw;
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

/// Holds the story's table, the blocks of every pool size, and every change by one member.
pub fn verdicts() -> Vec<ValueVerdict> {
    let story = TierTable::of_the_story();
    let sizes = 1..=usize::from(story.members_max());
    let layouts: Vec<Layout> = sizes.filter_map(|size| Layout::of(&tiered(size, 1))).collect();
    let grown = |pair: &[Layout]| Resize { before: pair[0].clone(), after: pair[1].clone() };
    let resizes: Vec<Resize> = layouts.windows(2).map(grown).collect();
    vec![
        verdict("story_tier_table", tiers::LAWS, &[PortsBySize::of(&story, USABLE)]),
        verdict("blocks_of_every_pool_size", LAYOUT_LAWS, &layouts),
        verdict("blocks_when_a_member_joins", RESIZE_LAWS, &resizes),
    ]
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
