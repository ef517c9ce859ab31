//! What a pool of members asks of the outside, and what is wanted to know.

use natlaw_model::flow::{Endpoint, Transport};
use natlaw_model::nat::Nat;
use natlaw_model::time::Duration;

use super::envelope::Envelope;
use super::questions::Question;
use super::translator::Described;

/// A demand: every member of the pool asks alike, within the envelope of each destination.
#[derive(Debug, Clone)]
pub struct Demand {
    /// What it is called.
    pub name: String,
    /// Where its figures come from.
    pub story: String,
    /// Members of the pool: at least 1.
    pub members: usize,
    /// The translator that is asked.
    pub translator: Described,
    /// What is searched for; `None` where all is given.
    pub find: Option<Find>,
    /// What the members talk to: at least one, each with its own name and endpoint.
    pub destinations: Vec<Destination>,
    /// What else is wanted to know.
    pub questions: Vec<Question>,
}

/// What the least of is searched for, so that no connection of the demand is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Find {
    /// Outside addresses of a load balancer.
    VirtualIps,
    /// Outside addresses of a NAT gateway.
    PublicIps,
    /// Ports of one member.
    Ports,
}

/// One destination, and what one member may ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// What it is called.
    pub name: String,
    /// What carries the connections.
    pub transport: Transport,
    /// Where they go.
    pub endpoint: Endpoint,
    /// The bounds on them.
    pub envelope: Envelope,
    /// How they end.
    pub closes: Closes,
}

/// How connections end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Close {
    /// By a FIN of each side at the same time.
    Finish,
    /// By an RST.
    Reset,
    /// By nothing: after the last packet the idle timer runs out.
    Idle,
}

/// The shares of connections that end in each way, in percent: 100 in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closes {
    /// Closed by FIN.
    pub finish: u8,
    /// Reset.
    pub reset: u8,
    /// Left to the idle timer.
    pub idle: u8,
}

/// What becomes of a key once its connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// How the connection ended.
    pub close: Close,
    /// How long the translator still counts its flow as live.
    pub lingers: Duration,
    /// How long the key rests after that.
    pub hold_down: Duration,
}

impl Find {
    /// What is counted, of one or of many.
    pub const fn noun(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::VirtualIps, 1) => "virtual IP",
            (Self::VirtualIps, _) => "virtual IPs",
            (Self::PublicIps, 1) => "public IP",
            (Self::PublicIps, _) => "public IPs",
            (Self::Ports, 1) => "port a member",
            (Self::Ports, _) => "ports a member",
        }
    }
}

impl Close {
    /// Every way to end.
    pub const ALL: [Self; 3] = [Self::Finish, Self::Reset, Self::Idle];

    /// What is said of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finish => "FIN",
            Self::Reset => "RST",
            Self::Idle => "idle",
        }
    }
}

impl Closes {
    /// All end in this one way.
    pub const fn all(close: Close) -> Self {
        let (finish, reset, idle) = match close {
            Close::Finish => (100, 0, 0),
            Close::Reset => (0, 100, 0),
            Close::Idle => (0, 0, 100),
        };
        Self { finish, reset, idle }
    }

    /// The share of one way, in percent.
    pub const fn share(self, close: Close) -> u8 {
        match close {
            Close::Finish => self.finish,
            Close::Reset => self.reset,
            Close::Idle => self.idle,
        }
    }
}

impl Rest {
    /// What becomes of a key of this translator.
    pub fn of(nat: &Nat, transport: Transport, close: Close) -> Self {
        let timers = &nat.timers;
        let tcp = timers.idle.tcp;
        let (lingers, hold_down) = match (transport, close) {
            (Transport::Udp, _) => (timers.idle.udp, timers.hold_down.idle),
            (Transport::Icmp, _) => (timers.idle.icmp, timers.hold_down.idle),
            (Transport::Tcp, Close::Finish) => (tcp.time_wait, timers.hold_down.finish),
            (Transport::Tcp, Close::Reset) => (tcp.reset, timers.hold_down.reset),
            (Transport::Tcp, Close::Idle) => (tcp.established, timers.hold_down.idle),
        };
        Self { close, lingers, hold_down }
    }

    /// How long the key is held once the connection is over.
    pub const fn total(self) -> Duration {
        Duration::from_millis(self.lingers.millis().saturating_add(self.hold_down.millis()))
    }
}

impl Destination {
    /// The longest rest of those ways to end that any connection takes: a hard bound knows no
    /// average.
    pub fn rest(&self, nat: &Nat) -> Rest {
        let longest = self.rests(nat).max_by_key(|rest| rest.total());
        longest.unwrap_or(Rest::of(nat, self.transport, Close::Idle))
    }

    /// The most keys that one member holds towards this destination.
    pub fn keys_max(&self, nat: &Nat) -> u64 {
        self.envelope.keys_max(self.rest(nat).total())
    }

    /// Of those ways to end, the one after which the translator counts a flow as live the longest.
    pub fn lingering(&self, nat: &Nat) -> Rest {
        let longest = self.rests(nat).max_by_key(|rest| rest.lingers);
        longest.unwrap_or(Rest::of(nat, self.transport, Close::Idle))
    }

    /// The most flows that one member has live towards this destination, as the translator counts
    /// them.
    pub fn flows_max(&self, nat: &Nat) -> u64 {
        self.envelope.keys_max(self.lingering(nat).lingers)
    }

    fn rests(&self, nat: &Nat) -> impl Iterator<Item = Rest> {
        let taken = Close::ALL.into_iter().filter(|close| self.closes.share(*close) > 0);
        taken.map(|close| Rest::of(nat, self.transport, close))
    }
}
