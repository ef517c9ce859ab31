//! Flows and how they look from either side of a translator.
//!
//! IPv4 only, on both sides (NAT44): an [`Endpoint`] is an IPv4 address and a port.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::text::serde_as_text;

/// What carries a flow. For ICMP queries the query identifier stands in the port field
/// (RFC 3022 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP queries, told apart by their identifier.
    Icmp,
}

impl Transport {
    /// Every transport, in the order in which they sort.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Icmp];
}

/// An IPv4 address and a port (RFC 4787 section 1); written `203.0.113.1:1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::endpoint())),
    schemars(extend("examples" = ["198.51.100.1:443"])),
)]
pub struct Endpoint {
    /// The IPv4 address.
    pub address: Ipv4Addr,
    /// The port, or the query identifier of ICMP: 0 to 65,535.
    pub port: u16,
}

/// The five values that name a flow; written `tcp 10.0.0.1:40000 > 198.51.100.1:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// What carries the flow.
    pub transport: Transport,
    /// Where the packet comes from.
    pub source: Endpoint,
    /// Where the packet goes.
    pub destination: Endpoint,
}

/// An inside flow and the external endpoint that stands for it (RFC 3022 section 2.2);
/// written `tcp 10.0.0.1:40000 > 198.51.100.1:443 as 203.0.113.1:1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// The flow as the inside sees it.
    pub flow: FiveTuple,
    /// What the outside sees in place of the flow's source.
    pub external: Endpoint,
}

/// Why a text names no endpoint, flow or binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowError {
    /// The text is no transport.
    Transport(String),
    /// The text is no endpoint.
    Endpoint(String),
    /// The text is no five-tuple.
    FiveTuple(String),
    /// The text is no binding.
    Binding(String),
}

impl Endpoint {
    /// The endpoint at this address and port.
    pub const fn new(address: Ipv4Addr, port: u16) -> Self {
        Self { address, port }
    }
}

impl FiveTuple {
    /// The tuple of a packet that answers this one: source and destination change places.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { transport: self.transport, source: self.destination, destination: self.source }
    }

    /// The same packet as if it came from `source`.
    #[must_use]
    pub const fn from(self, source: Endpoint) -> Self {
        Self { source, ..self }
    }

    /// The same packet as if it went to `destination`.
    #[must_use]
    pub const fn to(self, destination: Endpoint) -> Self {
        Self { destination, ..self }
    }
}

impl Binding {
    /// The flow as the outside sees it.
    pub const fn external_tuple(self) -> FiveTuple {
        self.flow.from(self.external)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}

impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} > {}", self.transport, self.source, self.destination)
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.flow, self.external)
    }
}

impl FromStr for Transport {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.to_string() == text)
            .ok_or_else(|| FlowError::Transport(text.into()))
    }
}

impl FromStr for Endpoint {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let endpoint = || {
            let (address, port) = text.split_once(':')?;
            Some(Self::new(address.parse().ok()?, parse_port(port)?))
        };
        endpoint().ok_or_else(|| FlowError::Endpoint(text.into()))
    }
}

impl FromStr for FiveTuple {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next(), words.next()) {
            (Some(transport), Some(source), Some(">"), Some(destination), None) => Ok(Self {
                transport: transport.parse()?,
                source: source.parse()?,
                destination: destination.parse()?,
            }),
            _ => Err(FlowError::FiveTuple(text.into())),
        }
    }
}

impl FromStr for Binding {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let (flow, external) =
            text.split_once(" as ").ok_or_else(|| FlowError::Binding(text.into()))?;
        Ok(Self { flow: flow.parse()?, external: external.trim().parse()? })
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(text) => write!(f, "`{text}` is no transport: write tcp, udp or icmp"),
            Self::Endpoint(text) => write!(
                f,
                "`{text}` is no endpoint: write an IPv4 address, a colon and a port from 0 to \
                 65535, such as 203.0.113.1:443"
            ),
            Self::FiveTuple(text) => write!(
                f,
                "`{text}` is no flow: write transport, source, > and destination, such as \
                 tcp 10.0.0.1:40000 > 198.51.100.1:443"
            ),
            Self::Binding(text) => {
                write!(f, "`{text}` is no binding: write a flow, `as` and its external endpoint")
            }
        }
    }
}

impl std::error::Error for FlowError {}

serde_as_text!(Transport, Endpoint, FiveTuple, Binding);

/// A port in decimal digits alone: `u16::from_str` would also take a sign.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
