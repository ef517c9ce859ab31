//! Ranges of addresses, as routes and rules name them.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::text::serde_as_text;

/// The addresses that begin with the same bits (RFC 4632); written `198.51.100.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::prefix())),
    schemars(extend("examples" = ["198.51.100.0/24"])),
)]
pub struct Prefix {
    first: Ipv4Addr,
    length: u8,
}

/// Why a text names no prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefixError {
    /// The text is no address with a length of 0 to 32 bits.
    Shape(String),
    /// The address has bits beyond the length.
    HostBits {
        /// What was written.
        written: String,
        /// What was meant, most likely.
        meant: Prefix,
    },
}

impl Prefix {
    /// Whether an address is in the range.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.length) == self.first.to_bits()
    }
}

/// The single address.
impl From<Ipv4Addr> for Prefix {
    fn from(first: Ipv4Addr) -> Self {
        Self { first, length: 32 }
    }
}

const fn mask(length: u8) -> u32 {
    match length {
        0 => 0,
        _ => u32::MAX << (32 - length as u32),
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = text.split_once('/').unwrap_or((text, "32"));
        let address = address.trim().parse::<Ipv4Addr>().ok();
        let length = length.trim().parse().ok().filter(|length| *length <= 32);
        let (Some(address), Some(length)) = (address, length) else {
            return Err(PrefixError::Shape(text.into()));
        };
        let first = Ipv4Addr::from_bits(address.to_bits() & mask(length));
        let meant = Self { first, length };
        let written = || text.into();
        if first == address {
            Ok(meant)
        } else {
            Err(PrefixError::HostBits { written: written(), meant })
        }
    }
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => {
                write!(f, "`{text}` is no range of addresses: write `198.51.100.0/24`")
            }
            Self::HostBits { written, meant } => {
                write!(f, "`{written}` has bits beyond its length: write `{meant}`")
            }
        }
    }
}

impl std::error::Error for PrefixError {}

serde_as_text!(Prefix);
