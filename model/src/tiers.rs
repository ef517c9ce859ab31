//! Pool size to ports per member, and where each member's block lies.
//!
//! **Reading taken.** A member keeps its slot (from 0). Slot `i` starts at port
//! `1024 + 1024 (i mod 50) + 32 reverse5(i div 50)`, where `reverse5` reverses five bits. So no
//! block moves while a pool stays inside a tier, and across a boundary each member keeps exactly
//! the smaller of its two blocks. The table and the blocks name ports of one virtual IP; a
//! member has the same block on each.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use crate::flow::parse_port;
use crate::ports::PortBlock;
use crate::text::serde_as_text;

/// One row of a tier table; written `51-100: 512` within its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tier {
    /// The largest pool of the tier, in members.
    pub members_max: u16,
    /// What each member gets, in ports of one virtual IP.
    pub ports: u16,
}

/// Pool size to ports per member; written `1-50: 1024, 51-100: 512`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::tier_table())),
    schemars(extend("examples" = ["1-50: 1024, 51-100: 512"])),
)]
pub struct TierTable(Vec<Tier>);

/// Why there is no such table, or no tier for a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TierError {
    /// The text is no table.
    Shape(String),
    /// A table needs at least one tier.
    NoTiers,
    /// The tiers must grow in members, and each begin where the one before it ends.
    Order(Tier),
    /// Blocks are laid out by halving 1,024: ports are a power of two from 32 to 1,024, and never
    /// more than the tier before has.
    Ports(Tier),
    /// More members than blocks of this size: at most 50 x 1,024 / ports.
    Members(Tier),
    /// The pool is outside the table.
    PoolSize {
        /// The pool's size in members.
        members: usize,
        /// The largest pool of the table, in members.
        members_max: u16,
    },
}

/// Columns of the layout: members that can have a whole 1,024 ports.
const COLUMNS: usize = 50;
/// Ports of one column.
const COLUMN_PORTS: u16 = 1024;
/// The smallest block: one column cut 32 times.
const SMALLEST_PORTS: u16 = 32;
/// The first port of the first column.
const FIRST_PORT: u16 = 1024;

impl TierTable {
    /// The table of the story "Scaling past Port Exhaustion", which is also that of
    /// "Use Source Network Address Translation (SNAT) for outbound connections", Azure Load
    /// Balancer documentation, March 2022.
    pub fn of_the_story() -> Self {
        let tiers = [(50, 1024), (100, 512), (200, 256), (400, 128), (800, 64), (1000, 32)];
        Self(tiers.map(|(members_max, ports)| Tier { members_max, ports }).to_vec())
    }

    /// The table of these tiers.
    ///
    /// # Errors
    /// When the tiers are out of order or their blocks cannot be laid out.
    pub fn new(tiers: Vec<Tier>) -> Result<Self, TierError> {
        if tiers.is_empty() {
            return Err(TierError::NoTiers);
        }
        let before = std::iter::once(None).chain(tiers.iter().copied().map(Some));
        tiers.iter().zip(before).try_for_each(|(tier, before)| check_tier(*tier, before))?;
        Ok(Self(tiers))
    }

    /// The tiers, from the smallest pool to the largest.
    pub fn tiers(&self) -> &[Tier] {
        &self.0
    }

    /// The largest pool of the table, in members.
    pub fn members_max(&self) -> u16 {
        self.0.last().map_or(0, |tier| tier.members_max)
    }

    /// What each member of a pool of this size gets, in ports of one virtual IP.
    ///
    /// # Errors
    /// When the table has no tier for the size: 0, or more than its largest pool.
    pub fn ports_for(&self, members: usize) -> Result<u16, TierError> {
        let tier = self.0.iter().find(|tier| members <= usize::from(tier.members_max));
        match tier {
            Some(tier) if members > 0 => Ok(tier.ports),
            _ => Err(TierError::PoolSize { members, members_max: self.members_max() }),
        }
    }
}

/// The block of a slot (from 0) that has `ports` ports; `None` if there is no such slot.
pub fn block_of_slot(slot: usize, ports: u16) -> Option<PortBlock> {
    let column = u16::try_from(slot % COLUMNS).ok()?;
    let rows = COLUMN_PORTS.checked_div(ports)?;
    let row = u16::try_from(slot / COLUMNS).ok().filter(|row| *row < rows)?;
    let first = FIRST_PORT + COLUMN_PORTS * column + SMALLEST_PORTS * reverse5(row);
    PortBlock::from_len(first, u32::from(ports))
}

/// The slot whose block of `ports` ports holds this port, by arithmetic alone; `None` where no
/// slot's block can be.
pub fn slot_of_port(port: u16, ports: NonZeroU16) -> Option<usize> {
    let offset = port.checked_sub(FIRST_PORT)?;
    let column = usize::from(offset / COLUMN_PORTS);
    let first_in_column = offset % COLUMN_PORTS / ports * ports.get();
    let row = usize::from(reverse5(first_in_column / SMALLEST_PORTS));
    (column < COLUMNS).then_some(COLUMNS * row + column)
}

/// Five bits, read from the other end.
const fn reverse5(row: u16) -> u16 {
    row.reverse_bits() >> (u16::BITS - 5)
}

fn check_tier(tier: Tier, before: Option<Tier>) -> Result<(), TierError> {
    let least = before.map_or(0, |tier| tier.members_max);
    let most = before.map_or(COLUMN_PORTS, |tier| tier.ports);
    if tier.members_max <= least {
        return Err(TierError::Order(tier));
    }
    if !tier.ports.is_power_of_two() || !(SMALLEST_PORTS..=most).contains(&tier.ports) {
        return Err(TierError::Ports(tier));
    }
    if usize::from(tier.members_max) > COLUMNS * usize::from(COLUMN_PORTS / tier.ports) {
        return Err(TierError::Members(tier));
    }
    Ok(())
}

impl fmt::Display for TierTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = 1;
        for (index, tier) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{first}-{}: {}", tier.members_max, tier.ports)?;
            first = tier.members_max.saturating_add(1);
        }
        Ok(())
    }
}

impl FromStr for TierTable {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Self, TierError> {
        let shape = || TierError::Shape(text.into());
        let mut tiers: Vec<Tier> = Vec::new();
        for row in text.split(',') {
            let (first, tier) = parse_tier(row).ok_or_else(shape)?;
            let begins = tiers.last().map_or(0, |tier| tier.members_max).checked_add(1);
            if begins != Some(first) {
                return Err(TierError::Order(tier));
            }
            tiers.push(tier);
        }
        Self::new(tiers)
    }
}

/// The first pool size of a row `51-100: 512`, and its tier.
fn parse_tier(row: &str) -> Option<(u16, Tier)> {
    let (sizes, ports) = row.split_once(':')?;
    let (first, members_max) = sizes.split_once('-')?;
    let number = |text: &str| parse_port(text.trim());
    Some((number(first)?, Tier { members_max: number(members_max)?, ports: number(ports)? }))
}

impl fmt::Display for TierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(
                f,
                "`{text}` is no tier table: write pool sizes and ports, such as \
                 `1-50: 1024, 51-100: 512`"
            ),
            Self::NoTiers => write!(f, "a tier table needs at least one tier"),
            Self::Order(tier) => write!(
                f,
                "the tier up to {} members does not begin where the tier before it ends",
                tier.members_max
            ),
            Self::Ports(tier) => write!(
                f,
                "the tier up to {} members has {} ports: blocks are cut from {COLUMN_PORTS}, so \
                 ports are a power of two from {SMALLEST_PORTS} to {COLUMN_PORTS} and never grow",
                tier.members_max, tier.ports
            ),
            Self::Members(tier) => write!(
                f,
                "{} members x {} ports do not fit: {COLUMNS} x {COLUMN_PORTS} ports are laid out",
                tier.members_max, tier.ports
            ),
            Self::PoolSize { members, members_max } => write!(
                f,
                "a pool of {members} members is outside the tier table, which goes from 1 to \
                 {members_max}"
            ),
        }
    }
}

impl std::error::Error for TierError {}

serde_as_text!(TierTable);
