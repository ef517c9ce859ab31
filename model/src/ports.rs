//! Ranges of ports.

use std::fmt;
use std::str::FromStr;

use crate::flow::parse_port;
use crate::text::serde_as_text;

/// A contiguous range of ports, both ends included, never empty (RFC 7422: "port range");
/// written `1024-2047`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::block())),
    schemars(extend("examples" = ["1024-65535", "1024-2047"])),
)]
pub struct PortBlock {
    first: u16,
    last: u16,
}

/// Why a text names no block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortsError {
    /// The text is no pair of ports.
    Shape(String),
    /// The first port is above the last.
    Empty(String),
}

impl PortBlock {
    /// Every port above the well-known ones: 1,024 to 65,535, 64,512 in all.
    pub const ABOVE_WELL_KNOWN: Self = Self { first: 1024, last: u16::MAX };

    /// The block from `first` to `last`, both included; `None` if it would be empty.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// The block of `len` ports from `first` on; `None` if it would be empty or pass 65,535.
    pub fn from_len(first: u16, len: u32) -> Option<Self> {
        let last = u32::from(first).checked_add(len)?.checked_sub(1)?;
        Self::new(first, u16::try_from(last).ok()?)
    }

    /// The block of one port.
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The lowest port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many ports: 1 to 65,536. A block is never empty.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> u32 {
        u32::from(self.last - self.first) + 1
    }

    /// Whether the port is one of the block's.
    pub fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether the two blocks have a port in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether every port of `other` is one of this block's.
    pub fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl fmt::Display for PortBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortBlock {
    type Err = PortsError;

    fn from_str(text: &str) -> Result<Self, PortsError> {
        let ends = || {
            let (first, last) = text.split_once('-')?;
            Some((parse_port(first.trim())?, parse_port(last.trim())?))
        };
        let (first, last) = ends().ok_or_else(|| PortsError::Shape(text.into()))?;
        Self::new(first, last).ok_or_else(|| PortsError::Empty(text.into()))
    }
}

impl fmt::Display for PortsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(
                f,
                "`{text}` is no port block: write its first and last port, such as 1024-2047"
            ),
            Self::Empty(text) => {
                write!(f, "`{text}` is an empty port block: the first port is above the last")
            }
        }
    }
}

impl std::error::Error for PortsError {}

serde_as_text!(PortBlock);
