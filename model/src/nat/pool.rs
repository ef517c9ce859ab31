//! The inside hosts and the outside addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{AddrParseError, Ipv4Addr};
use std::str::FromStr;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::text::serde_as_text;

/// One outside address (frontend address) of a translator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::address())),
    schemars(extend("examples" = ["203.0.113.1"])),
)]
pub struct VirtualIp(pub Ipv4Addr);

/// An inside host (VM).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member(pub Ipv4Addr);

/// The ordered set of members. Each keeps its slot; one that leaves leaves a hole, and a joiner
/// takes the lowest. Written `10.0.0.1-10.0.0.50, hole, 10.0.0.52`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::pool())),
    schemars(extend("examples" = ["10.0.0.1-10.0.0.50", "10.0.0.1-10.0.0.50, hole, 10.0.0.52"])),
)]
pub struct Pool {
    slots: Vec<Option<Member>>,
    slot_of: BTreeMap<Member, usize>,
}

/// Why there is no such pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolError {
    /// The text is no pool.
    Shape(String),
    /// A pool needs a member in its last slot, and so at least one member.
    NoMembers,
    /// A member can take one slot only.
    Twice(Member),
    /// More slots than a pool may have.
    TooMany(usize),
    /// The addresses of so many members would pass the last one there is.
    PastTheLast {
        /// The address of the first member.
        first: Ipv4Addr,
        /// How many members were asked for.
        count: usize,
    },
}

/// The most slots a pool may have: as many as there are ports.
pub const SLOTS_MAX: usize = 65_536;

impl Pool {
    /// The pool whose slots (from 0) hold these members; `None` is a hole. Holes at the end are
    /// no slots.
    ///
    /// # Errors
    /// When there is no member, one stands twice, or there are more than [`SLOTS_MAX`] slots.
    pub fn new(mut slots: Vec<Option<Member>>) -> Result<Self, PoolError> {
        slots.truncate(slots.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        match slots.len() {
            0 => return Err(PoolError::NoMembers),
            len if len > SLOTS_MAX => return Err(PoolError::TooMany(len)),
            _ => {}
        }
        let mut slot_of = BTreeMap::new();
        for (slot, member) in slots.iter().enumerate().filter_map(|(i, m)| Some((i, (*m)?))) {
            if slot_of.insert(member, slot).is_some() {
                return Err(PoolError::Twice(member));
            }
        }
        Ok(Self { slots, slot_of })
    }

    /// The pool of `count` members whose addresses follow one another from `first`.
    ///
    /// # Errors
    /// When `count` is 0, above [`SLOTS_MAX`], or passes the last address.
    pub fn of_size(first: Ipv4Addr, count: usize) -> Result<Self, PoolError> {
        if count > SLOTS_MAX {
            return Err(PoolError::TooMany(count));
        }
        let addresses = (u32::from(first)..=u32::MAX).take(count);
        let slots: Vec<_> = addresses.map(|address| Some(Member(address.into()))).collect();
        if slots.len() < count {
            return Err(PoolError::PastTheLast { first, count });
        }
        Self::new(slots)
    }

    /// The slots in order; `None` is a hole. The last one is taken.
    pub fn slots(&self) -> &[Option<Member>] {
        &self.slots
    }

    /// The members in the order of their slots.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.slots.iter().copied().flatten()
    }

    /// The member in this slot (from 0), if there is one.
    pub fn member_in(&self, slot: usize) -> Option<Member> {
        self.slots.get(slot).copied().flatten()
    }

    /// The slot (from 0) of a member, if it is in the pool.
    pub fn slot_of(&self, member: Member) -> Option<usize> {
        self.slot_of.get(&member).copied()
    }

    /// The pool once `member` has joined: it takes the lowest hole, or a new slot at the end.
    ///
    /// # Errors
    /// When it is a member already, or there is no slot left.
    pub fn joined_by(&self, member: Member) -> Result<Self, PoolError> {
        let mut slots = self.slots.clone();
        match slots.iter_mut().find(|slot| slot.is_none()) {
            Some(hole) => *hole = Some(member),
            None => slots.push(Some(member)),
        }
        Self::new(slots)
    }

    /// The pool once `member` has left: its slot is a hole. The same pool if it was no member.
    ///
    /// # Errors
    /// When nobody would be left.
    pub fn left_by(&self, member: Member) -> Result<Self, PoolError> {
        let stays = |slot: &Option<Member>| slot.filter(|stays| *stays != member);
        Self::new(self.slots.iter().map(stays).collect())
    }

    /// The pool once its newest member, the one in the highest slot, has left.
    ///
    /// # Errors
    /// When nobody would be left.
    pub fn left_by_newest(&self) -> Result<Self, PoolError> {
        Self::new(self.slots.split_last().map_or(Vec::new(), |(_, rest)| rest.to_vec()))
    }
}

impl fmt::Display for VirtualIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for VirtualIp {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.parse().map(Self)
    }
}

impl FromStr for Member {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let follows = |a: &Option<Member>, b: &Option<Member>| match (a, b) {
            (Some(a), Some(b)) => u32::from(a.0).checked_add(1) == Some(u32::from(b.0)),
            _ => false,
        };
        let run = |run: &[Option<Member>]| match (run[0], run[run.len() - 1]) {
            (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
            (Some(only), _) => only.to_string(),
            (None, _) => "hole".into(),
        };
        write!(f, "{}", self.slots.chunk_by(follows).map(run).join(", "))
    }
}

impl FromStr for Pool {
    type Err = PoolError;

    fn from_str(text: &str) -> Result<Self, PoolError> {
        let mut slots = Vec::new();
        for part in text.split(',') {
            let run = parse_run(part.trim()).ok_or_else(|| PoolError::Shape(text.into()))?;
            slots.extend(run.take(SLOTS_MAX + 1));
            if slots.len() > SLOTS_MAX {
                return Err(PoolError::TooMany(slots.len()));
            }
        }
        Self::new(slots)
    }
}

/// The slots that `10.0.0.1-10.0.0.50`, `10.0.0.52` or `hole` stands for.
fn parse_run(text: &str) -> Option<Box<dyn Iterator<Item = Option<Member>>>> {
    if text == "hole" {
        return Some(Box::new(std::iter::once(None)));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: Ipv4Addr = first.trim().parse().ok()?;
    let last: Ipv4Addr = last.trim().parse().ok()?;
    let run = u32::from(first)..=u32::from(last);
    (first <= last).then(|| Box::new(run.map(|address| Some(Member(address.into())))) as _)
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(
                f,
                "`{text}` is no pool: write addresses, ranges of addresses and holes, such as \
                 `10.0.0.1-10.0.0.50, hole, 10.0.0.52`"
            ),
            Self::NoMembers => write!(f, "a pool needs at least one member"),
            Self::Twice(member) => write!(f, "{member} stands in the pool twice"),
            Self::TooMany(slots) => {
                write!(f, "{slots} slots are more than a pool may have ({SLOTS_MAX})")
            }
            Self::PastTheLast { first, count } => {
                write!(f, "{count} members from {first} on would pass the last address")
            }
        }
    }
}

impl std::error::Error for PoolError {}

serde_as_text!(Pool);
