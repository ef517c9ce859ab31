//! The Linux kernel's own allocator, without a packet: connection tracking is told of a flow that is
//! to be translated into a range, chooses an endpoint, and is asked which.
//!
//! **Readings taken.**
//! - The kernel keeps no time here: entries live until they are closed.
//! - A packet from the outside is looked up among the tuples of replies, as the kernel does before
//!   any rule. There is no filter to drop what it finds.

mod message;
mod tuple;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Nat, Segment, Signal};
use natlaw_model::ports::PortBlock;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket,
    sockopt,
};

use self::message::{ACKNOWLEDGE, Answer, CREATE, DUMP, GET, Request};
use crate::range;
use crate::real::{Error, Opened, RealNat};

/// Commands of connection tracking.
mod command {
    pub(super) const NEW: u8 = 0;
    pub(super) const GET: u8 = 1;
    pub(super) const DELETE: u8 = 2;
    pub(super) const STATISTICS: u8 = 4;
}

/// Attributes of an entry.
mod attribute {
    pub(super) const ORIGINAL: u16 = 1;
    pub(super) const REPLY: u16 = 2;
    pub(super) const PROTOCOL_STATE: u16 = 4;
    pub(super) const SOURCE_RANGE: u16 = 6;
    pub(super) const TIMEOUT: u16 = 7;
}

/// The counter of taken tuples that were looked at, among the statistics.
const FOUND: u16 = 2;
/// The counter of packets that were dropped because there was nothing to translate them to.
const INSERT_FAILED: u16 = 9;
/// How long an entry lives if nobody closes it, in seconds: longer than any run.
const LONG: u32 = 1 << 20;
const SYN_SENT: u8 = 1;
const NOT_FOUND: i32 = 2;
const EXISTS: i32 = 17;
/// Bytes of the largest datagram that the kernel sends.
const DATAGRAM_MAX: usize = 1 << 16;
/// Bytes that wait for us at most.
const WAITING_MAX: usize = 1 << 20;

/// How the outside addresses are named to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// All of them as one range, of which the kernel takes an address.
    #[default]
    AsRange,
    /// One after the other, until one has a port.
    OneByOne,
}

/// The kernel of this machine, in the network namespace of this process.
#[derive(Debug)]
pub struct Ctnetlink {
    socket: OwnedFd,
    naming: Naming,
    nat: Option<Nat>,
    live: BTreeSet<FiveTuple>,
    number: u32,
    received: Vec<u8>,
}

impl Ctnetlink {
    /// The kernel, not yet configured.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where this process may not track connections.
    pub fn new(naming: Naming) -> Result<Self, Error> {
        let protocol = SockProtocol::NetlinkNetFilter;
        let socket =
            socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)
                .map_err(|errno| unavailable(&errno))?;
        setsockopt(&socket, sockopt::RcvBuf, &WAITING_MAX).map_err(|errno| unavailable(&errno))?;
        let received = vec![0; DATAGRAM_MAX];
        Ok(Self { socket, naming, nat: None, live: BTreeSet::new(), number: 0, received })
    }

    /// One flow through a pool of one port, and back.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with what went wrong.
    pub fn probe(&mut self) -> Result<(), Error> {
        let flow: FiveTuple = "udp 10.0.0.1:4000 > 198.51.100.1:53".parse().expect("a flow");
        let expected = Endpoint::new(Ipv4Addr::new(203, 0, 113, 1), 40_000);
        let ranges = [(expected.address, expected.address)];
        let opened = self.create(flow, ranges[0], PortBlock::single(expected.port));
        let opened = opened.map_err(|error| unavailable(&error))?;
        self.close(flow).map_err(|error| unavailable(&error))?;
        match opened {
            Some(endpoint) if endpoint == expected => Ok(()),
            other => Err(unavailable(&format!("a pool of one port answered {other:?}"))),
        }
    }

    /// The live entry of a flow, or one that the kernel makes now; nothing if it refuses.
    fn create(
        &mut self,
        flow: FiveTuple,
        addresses: (Ipv4Addr, Ipv4Addr),
        ports: PortBlock,
    ) -> Result<Option<Endpoint>, Error> {
        let (new, get) = (self.next_number(), self.next_number());
        let mut bytes = creation(flow, addresses, ports, new).into_bytes();
        bytes.extend(look_up(attribute::ORIGINAL, flow, get).into_bytes());
        self.send(&bytes)?;
        match self.done(new, "creating an entry")? {
            0 | EXISTS => self.entry(get).map(|entry| entry.map(|binding| binding.external)),
            errno => Err(failed("creating an entry", errno)),
        }
    }

    /// The live entry of a flow.
    fn get(&mut self, direction: u16, tuple: FiveTuple) -> Result<Option<Binding>, Error> {
        let number = self.next_number();
        self.send(&look_up(direction, tuple, number).into_bytes())?;
        self.entry(number)
    }

    /// The entry that answers a look-up.
    fn entry(&mut self, number: u32) -> Result<Option<Binding>, Error> {
        self.answer(number, |answer| match answer {
            Answer::Done(NOT_FOUND) => Some(Ok(None)),
            Answer::Done(errno) => Some(Err(failed("looking up an entry", errno))),
            Answer::Data(attributes) => Some(binding_of(attributes).map(Some)),
            Answer::End => None,
        })?
    }

    fn done(&mut self, number: u32, what: &'static str) -> Result<i32, Error> {
        self.answer(number, |answer| match answer {
            Answer::Done(errno) => Some(Ok(errno)),
            Answer::Data(_) | Answer::End => {
                Some(Err(Error::Garbled { what, why: "no acknowledgement".into() }))
            }
        })?
    }

    /// The first answer to this request out of which `take` makes something.
    fn answer<T>(
        &mut self,
        number: u32,
        mut take: impl FnMut(Answer<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        loop {
            let length = recv(self.socket.as_raw_fd(), &mut self.received, MsgFlags::empty())
                .map_err(|errno| failed("receiving an answer", errno as i32))?;
            for (to, answer) in message::answers(&self.received[..length])? {
                if let Some(taken) = (to == number).then(|| take(answer)).flatten() {
                    return Ok(taken);
                }
            }
        }
    }

    /// Every answer to a request for everything.
    fn dump<T>(
        &mut self,
        command: u8,
        mut take: impl FnMut(&[u8]) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let number = self.next_number();
        self.send(&Request::new(command, DUMP, number).into_bytes())?;
        let mut taken = Vec::new();
        self.answer(number, |answer| match answer {
            Answer::Done(errno) => Some(Err(failed("a dump", errno))),
            Answer::End => Some(Ok(())),
            Answer::Data(attributes) => match take(attributes) {
                Ok(one) => {
                    taken.push(one);
                    None
                }
                Err(error) => Some(Err(error)),
            },
        })??;
        Ok(taken)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match send(self.socket.as_raw_fd(), bytes, MsgFlags::empty()) {
            Ok(sent) if sent == bytes.len() => Ok(()),
            Ok(_) => Err(failed("sending a whole request", 0)),
            Err(errno) => Err(failed("sending a request", errno as i32)),
        }
    }

    fn next_number(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }

    /// The outside addresses as ranges, in the order in which they are named.
    fn ranges(&self, addresses: &[Ipv4Addr]) -> Vec<(Ipv4Addr, Ipv4Addr)> {
        match (self.naming, addresses) {
            (Naming::AsRange, [first, .., last]) => vec![(*first, *last)],
            (Naming::AsRange | Naming::OneByOne, _) => {
                addresses.iter().map(|it| (*it, *it)).collect()
            }
        }
    }

    /// Packets that were dropped because there was nothing to translate them to. Only real ones are
    /// counted.
    pub(crate) fn refused_packets(&mut self) -> Result<u64, Error> {
        self.counter(INSERT_FAILED)
    }

    /// The sum of a counter over all processors.
    fn counter(&mut self, number: u16) -> Result<u64, Error> {
        let one = |attributes: &[u8]| {
            let value = message::find(attributes, &[number]).and_then(|value| value.first_chunk());
            let garbled = || Error::Garbled { what: "statistics", why: "a counter less".into() };
            value.map(|value| u64::from(u32::from_be_bytes(*value))).ok_or_else(garbled)
        };
        Ok(self.dump(command::STATISTICS, one)?.into_iter().sum())
    }

    fn open(&mut self, flow: FiveTuple) -> Result<Opened, Error> {
        let nat =
            self.nat.as_ref().ok_or_else(|| Error::Unsupported("nothing is configured".into()))?;
        let Some(candidates) = nat.candidates(flow) else {
            return Err(Error::Unsupported(format!("{flow} comes from no member")));
        };
        let ports = candidates.block();
        let addresses: Vec<_> = candidates.addresses().iter().map(|vip| vip.0).collect();
        for range in self.ranges(&addresses) {
            if let Some(external) = self.create(flow, range, ports)? {
                self.live.insert(flow);
                return Ok(Opened::Sent(flow.from(external)));
            }
        }
        Ok(Opened::Refused)
    }
}

impl RealNat for Ctnetlink {
    fn name(&self) -> &'static str {
        match self.naming {
            Naming::AsRange => "linux",
            Naming::OneByOne => "linux-address-by-address",
        }
    }

    fn versions(&self) -> Vec<(&'static str, String)> {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let version = release.trim().split('-').next().unwrap_or_default();
        vec![("Linux", version.into())]
    }

    fn configure(&mut self, nat: &Nat) -> Result<(), Error> {
        range::ends(&nat.virtual_ips)?;
        for flow in std::mem::take(&mut self.live) {
            self.close(flow)?;
        }
        self.nat = Some(nat.clone());
        Ok(())
    }

    fn outbound(&mut self, segment: Segment) -> Result<Opened, Error> {
        match segment.meaning() {
            Signal::Open | Signal::Data => self.open(segment.tuple),
            Signal::Finish | Signal::Reset => {
                let entry = self.get(attribute::ORIGINAL, segment.tuple)?;
                Ok(entry.map_or(Opened::Dropped, |binding| Opened::Sent(binding.external_tuple())))
            }
        }
    }

    fn inbound(&mut self, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        let entry = self.get(attribute::REPLY, segment.tuple)?;
        let entry = entry.filter(|binding| binding.external_tuple().reversed() == segment.tuple);
        Ok(entry.map(|binding| binding.flow.reversed()))
    }

    fn close(&mut self, flow: FiveTuple) -> Result<(), Error> {
        self.live.remove(&flow);
        let number = self.next_number();
        let request = Request::new(command::DELETE, ACKNOWLEDGE, number);
        let request = request.with_nested(attribute::ORIGINAL, &tuple::written(flow, tuple::QUERY));
        self.send(&request.into_bytes())?;
        match self.done(number, "deleting an entry")? {
            0 | NOT_FOUND => Ok(()),
            errno => Err(failed("deleting an entry", errno)),
        }
    }

    fn table(&mut self) -> Result<Vec<Binding>, Error> {
        let mut table = self.dump(command::GET, binding_of)?;
        table.sort();
        Ok(table)
    }

    fn taken_probes(&mut self) -> Result<Option<u64>, Error> {
        self.counter(FOUND).map(Some)
    }
}

/// A request to make an entry of this flow, translated into this range.
fn creation(
    flow: FiveTuple,
    (first, last): (Ipv4Addr, Ipv4Addr),
    ports: PortBlock,
    number: u32,
) -> Request {
    let block =
        Request::inner().with(1, &ports.first().to_be_bytes()).with(2, &ports.last().to_be_bytes());
    let range =
        Request::inner().with(1, &first.octets()).with(2, &last.octets()).with_nested(3, &block);
    let request = Request::new(command::NEW, CREATE, number)
        .with_nested(attribute::ORIGINAL, &tuple::written(flow, tuple::QUERY))
        .with_nested(attribute::REPLY, &tuple::written(flow.reversed(), tuple::ANSWER))
        .with(attribute::TIMEOUT, &LONG.to_be_bytes())
        .with_nested(attribute::SOURCE_RANGE, &range);
    match flow.transport {
        Transport::Udp | Transport::Icmp => request,
        Transport::Tcp => {
            let state = Request::inner().with_nested(1, &Request::inner().with(1, &[SYN_SENT]));
            request.with_nested(attribute::PROTOCOL_STATE, &state)
        }
    }
}

/// A request for the entry that has this tuple in this direction.
fn look_up(direction: u16, tuple: FiveTuple, number: u32) -> Request {
    let kind = if direction == attribute::REPLY { tuple::ANSWER } else { tuple::QUERY };
    Request::new(command::GET, GET, number).with_nested(direction, &tuple::written(tuple, kind))
}

fn binding_of(attributes: &[u8]) -> Result<Binding, Error> {
    let tuple = |direction| message::find(attributes, &[direction]).and_then(tuple::read);
    let garbled = || Error::Garbled { what: "a look-up", why: "an entry without tuples".into() };
    let flow = tuple(attribute::ORIGINAL).ok_or_else(garbled)?;
    let reply = tuple(attribute::REPLY).ok_or_else(garbled)?;
    Ok(Binding { flow, external: reply.destination })
}

fn failed(what: &'static str, errno: i32) -> Error {
    Error::Failed { what, why: std::io::Error::from_raw_os_error(errno).to_string() }
}

fn unavailable(why: &impl ToString) -> Error {
    Error::Unavailable { what: "connection tracking", why: why.to_string() }
}
