//! The states of a flow, and which packets keep it alive.
//!
//! ```text
//!                    answered                FIN              FIN of the other
//!   SYN > half-open ----------> established -----> one side --------------> time-wait
//!                               ^    |             closed                      |
//!                          data |    | RST, of any state          SYN outbound |
//!                               |    v                                         v
//!                               reset                                      half-open
//! ```
//!
//! **Readings taken** of RFC 5382 section 5 and RFC 7857 section 2.
//! - A flow is established with the first packet of the other side; one that begins with data was
//!   established before the translator saw it.
//! - Where either side may close ([`ClosesOn::EitherSide`]), the first FIN leads to time-wait.
//! - Data after an RST restores the flow (RFC 7857 section 2.2); another RST does not keep it.
//! - A packet that changes the state sets the deadline anew. Of the others, those of the inside
//!   do (RFC 4787 REQ-6), and those of the outside where the configuration says so; an RST never.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::{Segment, Signal};
use super::timers::Timers;
use crate::flow::Transport;
use crate::time::Duration;

/// Which side of the translator a packet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The inside: an outbound packet.
    Inside,
    /// The outside: an inbound packet.
    Outside,
}

/// How far a flow has got. It says which timer runs, and how long the key rests afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Of UDP and ICMP, which have no other.
    Open,
    /// A SYN of the inside is not yet answered.
    HalfOpen,
    /// Both sides have sent.
    Established,
    /// This side has sent a FIN, the other has not.
    OneSideClosed(Side),
    /// Both sides have sent a FIN, or one where that is enough.
    TimeWait,
    /// One side has sent an RST.
    Reset,
}

/// Whose FIN closes a TCP flow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClosesOn {
    /// The first FIN of either side ("Use Source Network Address Translation (SNAT) for outbound
    /// connections", Azure Load Balancer, March 2022).
    #[default]
    EitherSide,
    /// A FIN of each side (RFC 5382 section 5).
    BothSides,
}

impl State {
    /// The state in which an outbound packet begins a flow; `None` if it begins none.
    pub const fn begun_by(segment: Segment) -> Option<Self> {
        match (segment.tuple.transport, segment.signal) {
            (Transport::Udp | Transport::Icmp, _) => Some(Self::Open),
            (Transport::Tcp, Signal::Open) => Some(Self::HalfOpen),
            (Transport::Tcp, Signal::Data) => Some(Self::Established),
            (Transport::Tcp, Signal::Finish | Signal::Reset) => None,
        }
    }

    /// The state after a packet of this side.
    #[must_use]
    pub fn after(self, side: Side, signal: Signal, closes_on: ClosesOn) -> Self {
        match (self, signal) {
            (Self::Open, _) => Self::Open,
            (_, Signal::Reset) => Self::Reset,
            (Self::Reset | Self::TimeWait, Signal::Finish) => self,
            (_, Signal::Finish) => self.after_finish(side, closes_on),
            (Self::HalfOpen, Signal::Open | Signal::Data) if side == Side::Outside => {
                Self::Established
            }
            (Self::Reset, Signal::Data) => Self::Established,
            (Self::TimeWait | Self::Reset, Signal::Open) if side == Side::Inside => Self::HalfOpen,
            (_, Signal::Open | Signal::Data) => self,
        }
    }

    fn after_finish(self, side: Side, closes_on: ClosesOn) -> Self {
        let closed_by_other = matches!(self, Self::OneSideClosed(other) if other != side);
        match closes_on {
            ClosesOn::BothSides if !closed_by_other => Self::OneSideClosed(side),
            ClosesOn::EitherSide | ClosesOn::BothSides => Self::TimeWait,
        }
    }

    /// How long a flow in this state lives without a packet that refreshes it.
    pub const fn idle(self, transport: Transport, timers: &Timers) -> Duration {
        let tcp = &timers.idle.tcp;
        match (self, transport) {
            (Self::Open, Transport::Icmp) => timers.idle.icmp,
            (Self::Open, Transport::Udp | Transport::Tcp) => timers.idle.udp,
            (Self::HalfOpen, _) => tcp.half_open,
            (Self::Established, _) => tcp.established,
            (Self::OneSideClosed(_), _) => tcp.one_side_closed,
            (Self::TimeWait, _) => tcp.time_wait,
            (Self::Reset, _) => tcp.reset,
        }
    }

    /// How long the key rests when a flow ends in this state.
    pub const fn hold_down(self, timers: &Timers) -> Duration {
        match self {
            Self::Open | Self::Established | Self::OneSideClosed(_) => timers.hold_down.idle,
            Self::HalfOpen => timers.hold_down.half_open,
            Self::TimeWait => timers.hold_down.finish,
            Self::Reset => timers.hold_down.reset,
        }
    }
}

/// Whether a packet sets the deadline of its flow anew.
///
/// | packet | of the inside | of the outside |
/// |---|---|---|
/// | that changes the state | yes | yes |
/// | RST that does not | no | no |
/// | any other | yes | as configured |
pub fn refreshes(side: Side, signal: Signal, changes_state: bool, inbound: bool) -> bool {
    changes_state || (signal != Signal::Reset && (side == Side::Inside || inbound))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::Established => "established",
            Self::OneSideClosed(Side::Inside) => "closed by the inside",
            Self::OneSideClosed(Side::Outside) => "closed by the outside",
            Self::TimeWait => "time-wait",
            Self::Reset => "reset",
        })
    }
}
