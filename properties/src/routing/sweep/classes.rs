//! Health vectors, grouped into classes that cannot change an answer.
//!
//! A health vector says of each component whether it is up. Two rules make few classes of many
//! vectors:
//!
//! 1. *Out of reach.* A component that no way of the graph leads to from anything that is asked is
//!    looked at by nobody: it stays up.
//! 2. *Alike.* Members of one pool stand for one another. A balancer looks for one that is up; who it
//!    is changes the name in the answer and nothing else. So of a pool three things count: all are
//!    up, all are down, or some are up. For the last, the first member alone is up, and then the
//!    last alone: a balancer that does not look chooses wrong in one of the two.
//!
//! Tests play all vectors of small graphs against the classes, on the sound network and on mutants
//! that look at health wrongly.

use std::fmt;

/// The most classes that are judged one by one; of more, a sample is.
pub const CLASSES_MAX: u64 = 65_536;

/// Components that stand for one another, by their place among all components of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(pub Vec<usize>);

/// What counts of a group's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupHealth {
    /// Every component is up.
    AllUp,
    /// Some are up and some are down: the first is up, and stands for all that are.
    FirstUp,
    /// The same, but the last is up.
    LastUp,
    /// Every component is down.
    AllDown,
}

/// The health of each group: one class of health vectors.
pub type Class = Vec<GroupHealth>;

/// How many health vectors there are: 2 to the power of the components that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vectors {
    /// Components that can fail.
    pub components: usize,
}

impl Group {
    /// What can be said of its health: two things of one component, four of several.
    pub const fn states(&self) -> &'static [GroupHealth] {
        match self.0.len() {
            0 => &[GroupHealth::AllUp],
            1 => &[GroupHealth::AllUp, GroupHealth::AllDown],
            _ => &[
                GroupHealth::AllUp,
                GroupHealth::FirstUp,
                GroupHealth::LastUp,
                GroupHealth::AllDown,
            ],
        }
    }

    /// The components that are down in the vector that stands for the class.
    pub fn down(&self, health: GroupHealth) -> &[usize] {
        match health {
            GroupHealth::AllUp => &[],
            GroupHealth::FirstUp => &self.0[self.0.len().min(1)..],
            GroupHealth::LastUp => &self.0[..self.0.len().saturating_sub(1)],
            GroupHealth::AllDown => &self.0,
        }
    }

    /// The fewest components that are down in any vector of the class.
    pub fn fewest_down(&self, health: GroupHealth) -> &[usize] {
        match health {
            GroupHealth::AllUp => &[],
            GroupHealth::FirstUp => &self.0[self.0.len().saturating_sub(1)..],
            GroupHealth::LastUp => &self.0[..self.0.len().min(1)],
            GroupHealth::AllDown => &self.0,
        }
    }
}

/// How many classes these groups make; `None` beyond 64 bits.
pub fn count(groups: &[Group]) -> Option<u64> {
    groups.iter().try_fold(1_u64, |count, group| count.checked_mul(group.states().len() as u64))
}

/// The class of this number, counted from 0, all up.
pub fn class(groups: &[Group], number: u64) -> Class {
    let mut rest = number;
    let digit = |group: &Group| {
        let states = group.states();
        let states_max = states.len() as u64;
        let place = usize::try_from(rest % states_max).expect("a place among the states");
        rest /= states_max;
        states[place]
    };
    groups.iter().map(digit).collect()
}

/// The components that are down in the vector that stands for a class.
pub fn down(groups: &[Group], class: &[GroupHealth]) -> Vec<usize> {
    groups.iter().zip(class).flat_map(|(group, health)| group.down(*health)).copied().collect()
}

/// The fewest components that are down in any vector of a class.
pub fn fewest_down(groups: &[Group], class: &[GroupHealth]) -> Vec<usize> {
    let down = |(group, health): (&Group, &GroupHealth)| group.fewest_down(*health).to_vec();
    groups.iter().zip(class).flat_map(down).collect()
}

/// A class drawn at random: few groups fail, one in two times one alone, one in four times two.
pub fn drawn(groups: &[Group], random: &mut Random) -> Class {
    let mut class = vec![GroupHealth::AllUp; groups.len()];
    let failed = 1 + random.next().trailing_zeros() as usize;
    for _ in 0..failed.min(groups.len()) {
        let group = random.below(groups.len());
        let failing = &groups[group].states()[1..];
        class[group] = failing[random.below(failing.len())];
    }
    class
}

/// Numbers that look random, the same for one seed on every machine (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is above 0.
    fn below(&mut self, bound: usize) -> usize {
        let scaled = (u128::from(self.next()) * bound as u128) >> 64;
        usize::try_from(scaled).expect("less than the bound")
    }
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.components {
            0..=20 => write!(f, "{}", crate::nat::grouped(1 << self.components)),
            many => write!(f, "2^{many}"),
        }
    }
}
