//! How long a flow lives without traffic, and how long its key rests afterwards.
//!
//! **Readings taken.** A flow that is idle for its timer is over at that very instant. A flow keeps
//! the timers that were in force at the last packet that refreshed it.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::time::Duration;

/// All timers of a translator.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// How long a flow lives without a packet that refreshes it.
    pub idle: IdleTimers,
    /// How long a key rests once its flow is over.
    pub hold_down: HoldDown,
    /// How long an unsolicited SYN of the outside waits for one of the inside before it is answered
    /// with an ICMP error: at least six seconds (RFC 5382 REQ-4). Without it none is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsolicited_syn: Option<Duration>,
}

/// How long a flow lives without a packet that refreshes it; none may be zero, but for those of TCP
/// that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct IdleTimers {
    /// Of TCP, by state. A single length stands for the states in which a flow is open; a flow then
    /// ends with the packet that closes it.
    pub tcp: TcpTimers,
    /// Of UDP.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    pub udp: Duration,
    /// Of ICMP queries.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    pub icmp: Duration,
}

/// The timers of TCP, one for each state (RFC 5382 REQ-5, RFC 7857 section 2.1). Written `240s`, or
/// as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "TcpForms", into = "TcpForms")
)]
pub struct TcpTimers {
    /// A SYN of the inside is not yet answered.
    pub half_open: Duration,
    /// Both sides have sent.
    pub established: Duration,
    /// One side has sent a FIN.
    pub one_side_closed: Duration,
    /// The flow is closed by FIN. Zero is legal: it ends at once.
    pub time_wait: Duration,
    /// One side has sent an RST. Zero is legal: the flow ends at once.
    pub reset: Duration,
}

/// The table form of [`TcpTimers`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
struct TcpTable {
    /// A SYN of the inside is not yet answered.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    half_open: Duration,
    /// Both sides have sent.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    established: Duration,
    /// One side has sent a FIN.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    one_side_closed: Duration,
    /// The flow is closed by FIN. Zero is legal: it ends at once.
    #[serde(default)]
    time_wait: Duration,
    /// One side has sent an RST. Zero is legal: the flow ends at once.
    #[serde(default)]
    reset: Duration,
}

/// What a person may write for [`TcpTimers`].
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum TcpForms {
    /// The same time in every state in which a flow is open; none once it is closed or reset.
    WhileOpen(#[schemars(extend("not" = crate::schema::zero()))] Duration),
    /// A time for each state.
    EachState(TcpTable),
}

/// The time after a flow's end before its key may be given to another inside endpoint
/// (RFC 6888 REQ-8), by how the flow ended. Zero is legal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HoldDown {
    /// After a flow that was closed by FIN.
    pub finish: Duration,
    /// After a flow that was reset.
    pub reset: Duration,
    /// After the idle timer of an open flow ran out, and for a binding that a new configuration
    /// strands.
    pub idle: Duration,
    /// After a SYN that was never answered.
    pub half_open: Duration,
}

impl Default for IdleTimers {
    /// Four minutes each: the idle timeout that Azure Load Balancer has unless told otherwise
    /// ("Use Source Network Address Translation (SNAT) for outbound connections", March 2022).
    fn default() -> Self {
        let four_minutes = Duration::from_secs(240);
        Self::uniform(four_minutes)
    }
}

impl IdleTimers {
    /// The same time for every open flow.
    pub const fn uniform(idle: Duration) -> Self {
        Self { tcp: TcpTimers::while_open(idle), udp: idle, icmp: idle }
    }
}

impl TcpTimers {
    /// The same time in every state in which a flow is open; none once it is closed or reset.
    pub const fn while_open(idle: Duration) -> Self {
        Self {
            half_open: idle,
            established: idle,
            one_side_closed: idle,
            time_wait: Duration::ZERO,
            reset: Duration::ZERO,
        }
    }
}

impl From<Duration> for TcpTimers {
    fn from(idle: Duration) -> Self {
        Self::while_open(idle)
    }
}

impl Serialize for TcpTimers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { half_open, established, one_side_closed, time_wait, reset } = *self;
        match *self == Self::while_open(established) {
            true => established.serialize(serializer),
            false => TcpTable { half_open, established, one_side_closed, time_wait, reset }
                .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TcpTimers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LengthOrTable)
    }
}

struct LengthOrTable;

impl<'de> Visitor<'de> for LengthOrTable {
    type Value = TcpTimers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a length of time such as `240s`, or a table with one for each state")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TcpTimers, E> {
        Duration::deserialize(StrDeserializer::new(text)).map(TcpTimers::while_open)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TcpTimers, A::Error> {
        let table = TcpTable::deserialize(MapAccessDeserializer::new(map))?;
        let TcpTable { half_open, established, one_side_closed, time_wait, reset } = table;
        Ok(TcpTimers { half_open, established, one_side_closed, time_wait, reset })
    }
}

impl HoldDown {
    /// The same rest however a flow ends.
    pub const fn uniform(rest: Duration) -> Self {
        Self { finish: rest, reset: rest, idle: rest, half_open: rest }
    }
}
