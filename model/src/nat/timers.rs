//! How long a flow lives without traffic, and how long its key rests afterwards.
//!
//! **Readings taken.** A flow that is idle for its timer is over at that very instant. Only an
//! outbound packet refreshes it (RFC 4787 REQ-6). A flow keeps the timers that were in force at
//! its last outbound packet.

use serde::{Deserialize, Serialize};

use crate::flow::Transport;
use crate::time::Duration;

/// All timers of a translator.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// How long a flow lives without an outbound packet.
    pub idle: IdleTimers,
    /// How long a key rests once its flow is over.
    pub hold_down: HoldDown,
}

/// How long a flow lives without an outbound packet; none may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct IdleTimers {
    /// Of TCP.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    pub tcp: Duration,
    /// Of UDP.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    pub udp: Duration,
    /// Of ICMP queries.
    #[cfg_attr(feature = "schema", schemars(extend("not" = crate::schema::zero())))]
    pub icmp: Duration,
}

/// The time after a flow's end before its key may be given to another inside endpoint
/// (RFC 6888 REQ-8), by how the flow ended. Zero is legal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HoldDown {
    /// After a FIN from either side.
    pub finish: Duration,
    /// After an RST from either side.
    pub reset: Duration,
    /// After the idle timer ran out, and for a binding that a new configuration strands.
    pub idle: Duration,
}

impl Default for IdleTimers {
    /// Four minutes each: the idle timeout that Azure Load Balancer has unless told otherwise
    /// ("Use Source Network Address Translation (SNAT) for outbound connections", March 2022).
    fn default() -> Self {
        let four_minutes = Duration::from_secs(240);
        Self { tcp: four_minutes, udp: four_minutes, icmp: four_minutes }
    }
}

impl IdleTimers {
    /// The timer of a transport.
    pub const fn of(self, transport: Transport) -> Duration {
        match transport {
            Transport::Tcp => self.tcp,
            Transport::Udp => self.udp,
            Transport::Icmp => self.icmp,
        }
    }
}

impl HoldDown {
    /// The same rest however a flow ends.
    pub const fn uniform(rest: Duration) -> Self {
        Self { finish: rest, reset: rest, idle: rest }
    }
}
