//! What can be asked of a translator, and what it can answer.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use super::Nat;
use crate::allocator::Refusal;
use crate::flow::{Binding, FiveTuple, FlowError, Transport};
use crate::text::serde_as_text;
use crate::time::Duration;

/// What a translator can be asked. Every event is legal in every state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A packet arrives from the inside.
    Outbound(Segment),
    /// A packet arrives from the outside.
    Inbound(Segment),
    /// An ICMP error arrives from the inside.
    OutboundError(IcmpError),
    /// An ICMP error arrives from the outside.
    InboundError(IcmpError),
    /// Time passes.
    Elapse(Duration),
    /// The configuration is replaced.
    Reconfigure(Box<Nat>),
}

/// A packet, as far as a translator looks at it; written
/// `tcp 10.0.0.1:40000 > 198.51.100.1:443 open`, `data` where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::segment())),
    schemars(extend("examples" = [
        "tcp 10.0.0.1:40000 > 198.51.100.1:443 open",
        "udp 10.0.0.1:40000 > 198.51.100.1:53",
    ])),
)]
pub struct Segment {
    /// Where it comes from and goes.
    pub tuple: FiveTuple,
    /// What it says about its flow. Only TCP can say anything but `data`: elsewhere every signal
    /// counts as data.
    pub signal: Signal,
}

/// An ICMP error about a packet, which it quotes (RFC 792); written
/// `198.51.100.7 > 203.0.113.1 about tcp 203.0.113.1:1024 > 198.51.100.1:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::icmp_error())),
    schemars(extend("examples" = [
        "198.51.100.7 > 203.0.113.1 about tcp 203.0.113.1:1024 > 198.51.100.1:443"
    ])),
)]
pub struct IcmpError {
    /// Who reports: any router or host on the way.
    pub from: Ipv4Addr,
    /// Who is told: the source of the packet.
    pub to: Ipv4Addr,
    /// The packet, as the reporter saw it.
    pub quoted: FiveTuple,
}

/// What a packet says about its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// It begins (SYN).
    Open,
    /// It goes on.
    Data,
    /// It ends (FIN).
    Finish,
    /// It is torn down (RST).
    Reset,
}

/// What a translator answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// The packet goes on, with this tuple.
    Forwarded(FiveTuple),
    /// The packet is for one of the translator's own virtual IPs: it is sent out and comes in again
    /// (RFC 4787 REQ-9).
    Hairpinned {
        /// How it goes out.
        sent: FiveTuple,
        /// How it comes in; nothing if no member lets it in.
        delivered: Option<FiveTuple>,
    },
    /// The ICMP error goes on, like this.
    ErrorForwarded(IcmpError),
    /// The packet goes nowhere.
    Dropped(Reason),
    /// Time has passed.
    Elapsed {
        /// The ICMP errors that answer unsolicited SYNs (RFC 5382 REQ-4), in the order in which they
        /// fell due.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sent: Vec<IcmpError>,
    },
    /// The new configuration is in force.
    Reconfigured {
        /// The live bindings that it ends, each once, in the order of their flows.
        #[serde(default)]
        stranded: Vec<Binding>,
    },
}

/// Why a packet goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It would begin a flow, and the flow got no external endpoint.
    Refused(Refusal),
    /// It comes from the outside and matches neither a live mapping nor an inbound rule.
    NoMapping,
    /// It ends a flow that is not live.
    NoFlow,
    /// An inbound rule matches, but its member already talks to the sender through another
    /// external endpoint: the answers could not be told apart.
    Clash,
}

/// Why a text names no packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventError {
    /// The five-tuple is none.
    Flow(FlowError),
    /// The last word is no signal.
    Signal(String),
    /// The text is no ICMP error.
    Error(String),
}

impl Segment {
    /// The packet that says this about its flow.
    pub const fn new(tuple: FiveTuple, signal: Signal) -> Self {
        Self { tuple, signal }
    }

    /// What the packet says, given what carries it.
    pub const fn meaning(self) -> Signal {
        match self.tuple.transport {
            Transport::Tcp => self.signal,
            Transport::Udp | Transport::Icmp => Signal::Data,
        }
    }

    /// Whether the packet ends its flow.
    pub const fn ends_its_flow(self) -> bool {
        matches!(self.meaning(), Signal::Finish | Signal::Reset)
    }
}

impl IcmpError {
    /// The error that tells the sender of a packet that nobody is there, from where it went.
    pub const fn unreachable(quoted: FiveTuple) -> Self {
        Self { from: quoted.destination.address, to: quoted.source.address, quoted }
    }
}

impl Outcome {
    /// Time has passed, and nothing was sent.
    pub const ELAPSED: Self = Self::Elapsed { sent: Vec::new() };
}

impl Event {
    /// A packet from the inside.
    pub const fn outbound(tuple: FiveTuple, signal: Signal) -> Self {
        Self::Outbound(Segment::new(tuple, signal))
    }

    /// The configuration is replaced by this one.
    pub fn reconfigure(nat: Nat) -> Self {
        Self::Reconfigure(Box::new(nat))
    }

    /// A packet from the outside.
    pub const fn inbound(tuple: FiveTuple, signal: Signal) -> Self {
        Self::Inbound(Segment::new(tuple, signal))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Data => "data",
            Self::Finish => "finish",
            Self::Reset => "reset",
        })
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tuple, self.signal)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbound(segment) => write!(f, "outbound {segment}"),
            Self::Inbound(segment) => write!(f, "inbound {segment}"),
            Self::OutboundError(error) => write!(f, "outbound error {error}"),
            Self::InboundError(error) => write!(f, "inbound error {error}"),
            Self::Elapse(length) => write!(f, "elapse {length}"),
            Self::Reconfigure(nat) => write!(f, "reconfigure: {nat}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forwarded(tuple) => {
                write!(f, "forwarded {} > {}", tuple.source, tuple.destination)
            }
            Self::Hairpinned { sent, delivered: Some(delivered) } => {
                write!(f, "back in as {} > {}", sent.source, delivered.destination)
            }
            Self::Hairpinned { sent, delivered: None } => {
                write!(f, "sent as {} > {}, not let in", sent.source, sent.destination)
            }
            Self::ErrorForwarded(error) => write!(f, "forwarded {error}"),
            Self::Dropped(reason) => write!(f, "{reason}"),
            Self::Elapsed { sent } => sent.iter().format(", ").fmt(f),
            Self::Reconfigured { stranded } if stranded.is_empty() => write!(f, "none stranded"),
            Self::Reconfigured { stranded } => write!(f, "stranded: {}", stranded.len()),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::NoMapping => write!(f, "dropped: no mapping"),
            Self::NoFlow => write!(f, "dropped: no flow"),
            Self::Clash => write!(f, "dropped: clash"),
        }
    }
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {} about {}", self.from, self.to, self.quoted)
    }
}

impl FromStr for IcmpError {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let no_error = || EventError::Error(text.into());
        let (outer, quoted) = text.split_once(" about ").ok_or_else(no_error)?;
        let (from, to) = outer.split_once('>').ok_or_else(no_error)?;
        let address = |text: &str| text.trim().parse().map_err(|_| no_error());
        let (from, to) = (address(from)?, address(to)?);
        Ok(Self { from, to, quoted: quoted.parse().map_err(EventError::Flow)? })
    }
}

impl FromStr for Signal {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        match text {
            "open" => Ok(Self::Open),
            "data" => Ok(Self::Data),
            "finish" => Ok(Self::Finish),
            "reset" => Ok(Self::Reset),
            _ => Err(EventError::Signal(text.into())),
        }
    }
}

impl FromStr for Segment {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let text = text.trim();
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let (tuple, signal) = match text.rsplit_once(' ') {
            Some((tuple, word)) if is_word(word) => (tuple, word.parse()?),
            _ => (text, Signal::Data),
        };
        Ok(Self { tuple: tuple.parse().map_err(EventError::Flow)?, signal })
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flow(error) => error.fmt(f),
            Self::Signal(text) => {
                write!(f, "`{text}` is no signal: write open, data, finish or reset")
            }
            Self::Error(text) => write!(
                f,
                "`{text}` is no ICMP error: write `198.51.100.7 > 203.0.113.1 about tcp \
                 203.0.113.1:1024 > 198.51.100.1:443`"
            ),
        }
    }
}

impl std::error::Error for EventError {}

serde_as_text!(Segment, IcmpError, Signal);
