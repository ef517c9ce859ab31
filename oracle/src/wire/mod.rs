//! The Linux kernel on the wire: a router between two wires, whose far ends are here.
//!
//! This process is every member and every server. A frame is written at one far end, and what the
//! kernel made of it is read at the other: its whole path has run when the write returns.
//!
//! **Readings taken.**
//! - A packet is lost when one sent after it on the same path, which the kernel leaves alone, has
//!   come out before it.
//! - Connections of this process begin at ever higher sequence numbers, or at ever lower ones. The
//!   kernel gives the port of a connection in `TIME_WAIT` to a newcomer of a higher number only
//!   (RFC 6191), so the choice says whether it may.
//! - Candidates that were looked at are not counted: near the end of a search for a SYN the kernel
//!   looks at more than whether one is taken.

mod link;
mod router;
mod tracked;

use std::net::Ipv4Addr;
use std::time::Duration as Wait;

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{IcmpError, Nat, Segment, Side, Signal};

pub use tracked::{TcpState, Tracked, tracked};

use crate::conversation::{Beginning, Conversations};
use crate::ctnetlink::{Ctnetlink, Naming};
use crate::frame::{self, Numbers, Packet};
use crate::real::{Error, Opened, RealNat};
use crate::{probe, program};
use link::Link;
use router::{BARRIER_INSIDE, BARRIER_PORT, INSIDE, OUTSIDE};

/// A router of the kernel, and all its members and servers.
#[derive(Debug)]
pub struct Wire {
    inside: Link,
    outside: Link,
    conversations: Conversations,
    tracking: Ctnetlink,
    /// Packets refused so far, as the kernel counted them when the last one was lost.
    refused: u64,
}

/// A barrier of the inside comes from here.
const BARRIER_MEMBER: Endpoint = Endpoint::new(BARRIER_INSIDE, BARRIER_PORT);
/// A barrier of the outside comes from here (RFC 5737).
const BARRIER_SERVER: Endpoint = Endpoint::new(Ipv4Addr::new(192, 0, 2, 9), BARRIER_PORT);
const BARRIER_WAIT: Wait = Wait::from_secs(5);

impl Wire {
    /// A router without rules, in a network of its own, which from now on is that of this thread. It
    /// must be root there.
    ///
    /// # Errors
    /// Where a program is missing, or the kernel does not let this process have such a network.
    pub fn open(beginning: Beginning) -> Result<Self, Error> {
        router::make()?;
        Ok(Self {
            inside: Link::open(INSIDE[1], INSIDE[0])?,
            outside: Link::open(OUTSIDE[1], OUTSIDE[0])?,
            conversations: Conversations::new(beginning),
            tracking: Ctnetlink::new(Naming::AsRange)?,
            refused: 0,
        })
    }

    /// One flow through a pool of one port, and a stranger who is not let in.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with what went wrong.
    pub fn probe(&mut self) -> Result<(), Error> {
        probe::flow_and_stranger(self)
    }

    /// What comes out at the other side for a segment of this one.
    fn pass_segment(&mut self, side: Side, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        let numbers = self.conversations.numbers(side, segment);
        let frame = self.link(side).hop.segment(side, segment, numbers);
        Ok(match self.pass(side, &frame)? {
            Some(Packet::Segment(seen)) => Some(frame::with_ports_of(segment.tuple, seen)),
            Some(Packet::Error(_)) | None => None,
        })
    }

    /// What comes out at the other side for a frame of this one; nothing, if the barrier sent after
    /// it comes alone.
    fn pass(&mut self, side: Side, frame: &[u8]) -> Result<Option<Packet>, Error> {
        self.link(side).send(frame)?;
        if let Some(packet) = self.arrived(side)? {
            return Ok(Some(packet));
        }
        self.link(side).send(&self.barrier(side))?;
        loop {
            match self.arrived(side)? {
                Some(Packet::Segment(seen)) if is_barrier(seen) => return Ok(None),
                Some(packet) => {
                    self.await_barrier(side)?;
                    return Ok(Some(packet));
                }
                None => self.wait(side)?,
            }
        }
    }

    fn await_barrier(&mut self, side: Side) -> Result<(), Error> {
        loop {
            match self.arrived(side)? {
                Some(Packet::Segment(seen)) if is_barrier(seen) => return Ok(()),
                Some(_) => {}
                None => self.wait(side)?,
            }
        }
    }

    /// What has arrived at the other side.
    fn arrived(&self, side: Side) -> Result<Option<Packet>, Error> {
        while let Some(frame) = self.link(other(side)).receive()? {
            if let Some(packet) = frame::read(&frame) {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    fn wait(&self, side: Side) -> Result<(), Error> {
        match self.link(other(side)).wait(BARRIER_WAIT)? {
            true => Ok(()),
            false => Err(Error::Failed { what: "a barrier", why: "it never came out".into() }),
        }
    }

    fn barrier(&self, side: Side) -> Vec<u8> {
        let (source, destination) = match side {
            Side::Inside => (BARRIER_MEMBER, BARRIER_SERVER),
            Side::Outside => (BARRIER_SERVER, BARRIER_MEMBER),
        };
        let tuple = FiveTuple { transport: Transport::Udp, source, destination };
        let segment = Segment { tuple, signal: Signal::Data };
        self.link(side).hop.segment(side, segment, Numbers::default())
    }

    fn link(&self, side: Side) -> &Link {
        match side {
            Side::Inside => &self.inside,
            Side::Outside => &self.outside,
        }
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Inside => Side::Outside,
        Side::Outside => Side::Inside,
    }
}

fn is_barrier(seen: FiveTuple) -> bool {
    [BARRIER_MEMBER, BARRIER_SERVER].contains(&seen.source)
}

impl RealNat for Wire {
    fn name(&self) -> &'static str {
        "linux-wire"
    }

    fn versions(&self) -> Vec<(&'static str, String)> {
        let tools = [("ip", program::version("ip", "-V")), ("nft", program::version("nft", "-v"))];
        self.tracking.versions().into_iter().chain(tools).collect()
    }

    fn configure(&mut self, nat: &Nat) -> Result<(), Error> {
        router::configure(nat)?;
        for binding in self.tracking.table()? {
            self.tracking.close(binding.flow)?;
        }
        self.conversations.forget();
        self.inside.drain()?;
        self.outside.drain()
    }

    fn outbound(&mut self, segment: Segment) -> Result<Opened, Error> {
        let Some(sent) = self.pass_segment(Side::Inside, segment)? else {
            let before = std::mem::replace(&mut self.refused, self.tracking.refused_packets()?);
            return Ok(if self.refused > before { Opened::Refused } else { Opened::Dropped });
        };
        self.conversations.sent(segment.tuple, sent);
        Ok(Opened::Sent(sent))
    }

    fn inbound(&mut self, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        let delivered = self.pass_segment(Side::Outside, segment)?;
        delivered.into_iter().for_each(|it| self.conversations.delivered(segment.tuple, it));
        Ok(delivered)
    }

    fn error(&mut self, side: Side, error: IcmpError) -> Result<Option<IcmpError>, Error> {
        let frame = self.link(side).hop.error(side, error);
        Ok(match self.pass(side, &frame)? {
            Some(Packet::Error(seen)) => Some(seen),
            Some(Packet::Segment(_)) | None => None,
        })
    }

    fn close(&mut self, flow: FiveTuple) -> Result<(), Error> {
        self.tracking.close(flow)
    }

    fn table(&mut self) -> Result<Vec<Binding>, Error> {
        self.tracking.table()
    }
}
