//! Packets as they look on an Ethernet wire, written and read.
//!
//! **Reading taken.** Of an ICMP query only the identifier is on the wire. It stands in the port of
//! the side that asked; the other side's port is what it was said to be when the query was written.

use std::net::Ipv4Addr;

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::{
    IcmpEchoHeader, Icmpv4Type, IpNumber, Ipv4Header, NetSlice, PacketBuilder, SlicedPacket,
    TransportSlice,
};
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{IcmpError, Segment, Side, Signal};

/// The hardware address of one end of a wire.
pub type Mac = [u8; 6];

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// A packet of a flow.
    Segment(FiveTuple),
    /// An ICMP error.
    Error(IcmpError),
}

/// Where a TCP segment stands in its connection (RFC 9293 section 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Of its first byte.
    pub sequence: u32,
    /// Of the byte that is expected next from the other side; nothing in a first SYN.
    pub acknowledgement: Option<u32>,
}

/// From which hardware address to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The sender.
    pub source: Mac,
    /// The receiver.
    pub destination: Mac,
}

const HOPS_MAX: u8 = 64;
const WINDOW: u16 = 65_535;
const PAYLOAD: &[u8] = b"natlaw";
/// Bytes that an error quotes of what follows the header (RFC 792).
const QUOTED: u16 = 8;
/// Types of ICMP (RFC 792).
const ECHO: u8 = 8;
const ECHO_REPLY: u8 = 0;

impl Hop {
    /// The frame of a segment that comes from this side.
    pub fn segment(self, side: Side, segment: Segment, numbers: Numbers) -> Vec<u8> {
        let FiveTuple { transport, source, destination } = segment.tuple;
        let ip = PacketBuilder::ethernet2(self.source, self.destination).ipv4(
            source.address.octets(),
            destination.address.octets(),
            HOPS_MAX,
        );
        let mut frame = Vec::new();
        let written = match transport {
            Transport::Udp => {
                ip.udp(source.port, destination.port).write_to_vec(&mut frame, PAYLOAD)
            }
            Transport::Icmp => ip.icmpv4(echo(side, segment)).write_to_vec(&mut frame, PAYLOAD),
            Transport::Tcp => {
                let tcp = ip.tcp(source.port, destination.port, numbers.sequence, WINDOW);
                let tcp = match segment.signal {
                    Signal::Open => tcp.syn(),
                    Signal::Data => tcp,
                    Signal::Finish => tcp.fin(),
                    Signal::Reset => tcp.rst(),
                };
                let tcp = match numbers.acknowledgement {
                    Some(number) => tcp.ack(number),
                    None => tcp,
                };
                tcp.write_to_vec(&mut frame, &[])
            }
        };
        written.expect("a header and a few bytes fit into a packet");
        frame
    }

    /// The frame of an ICMP error that comes from this side. It is about a packet of the other, and
    /// quotes the first eight bytes after the header (RFC 792).
    pub fn error(self, side: Side, error: IcmpError) -> Vec<u8> {
        let ip = PacketBuilder::ethernet2(self.source, self.destination).ipv4(
            error.from.octets(),
            error.to.octets(),
            HOPS_MAX,
        );
        let unreachable = Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::Host);
        let mut frame = Vec::new();
        ip.icmpv4(unreachable)
            .write_to_vec(&mut frame, &quotation(side, error.quoted))
            .expect("a header and a quotation fit into a packet");
        frame
    }
}

/// What a frame carries, if it is a packet of a flow or an ICMP error.
pub fn read(frame: &[u8]) -> Option<Packet> {
    let sliced = SlicedPacket::from_ethernet(frame).ok()?;
    let NetSlice::Ipv4(ip) = sliced.net? else { return None };
    let ends = (ip.header().source_addr(), ip.header().destination_addr());
    match sliced.transport? {
        TransportSlice::Udp(udp) => {
            Some(segment(Transport::Udp, ends, udp.source_port(), udp.destination_port()))
        }
        TransportSlice::Tcp(tcp) => {
            Some(segment(Transport::Tcp, ends, tcp.source_port(), tcp.destination_port()))
        }
        TransportSlice::Icmpv4(icmp) => match icmp.icmp_type() {
            Icmpv4Type::EchoRequest(echo) => Some(segment(Transport::Icmp, ends, echo.id, 0)),
            Icmpv4Type::EchoReply(echo) => Some(segment(Transport::Icmp, ends, 0, echo.id)),
            Icmpv4Type::DestinationUnreachable(_) => {
                let quoted = quoted(icmp.payload())?;
                Some(Packet::Error(IcmpError { from: ends.0, to: ends.1, quoted }))
            }
            _ => None,
        },
        TransportSlice::Icmpv6(_) | TransportSlice::Igmp(_) => None,
    }
}

/// The same tuple with the port that no query carries on the wire as `asked` has it.
pub fn with_ports_of(asked: FiveTuple, seen: FiveTuple) -> FiveTuple {
    let port = |asked: Endpoint, seen: Endpoint| match seen.port {
        0 => Endpoint::new(seen.address, asked.port),
        _ => seen,
    };
    match seen.transport {
        Transport::Tcp | Transport::Udp => seen,
        Transport::Icmp => FiveTuple {
            source: port(asked.source, seen.source),
            destination: port(asked.destination, seen.destination),
            ..seen
        },
    }
}

fn segment(
    transport: Transport,
    (from, to): (Ipv4Addr, Ipv4Addr),
    source: u16,
    destination: u16,
) -> Packet {
    Packet::Segment(FiveTuple {
        transport,
        source: Endpoint::new(from, source),
        destination: Endpoint::new(to, destination),
    })
}

/// The inside asks, the outside replies.
fn echo(side: Side, segment: Segment) -> Icmpv4Type {
    let header = |id| IcmpEchoHeader { id, seq: 1 };
    match side {
        Side::Inside => Icmpv4Type::EchoRequest(header(segment.tuple.source.port)),
        Side::Outside => Icmpv4Type::EchoReply(header(segment.tuple.destination.port)),
    }
}

/// The header of a packet that this side got, and eight bytes more: of TCP ports and sequence number.
fn quotation(side: Side, quoted: FiveTuple) -> Vec<u8> {
    let FiveTuple { transport, source, destination } = quoted;
    let (number, body) = match transport {
        Transport::Udp => (IpNumber::UDP, ports_and(source, destination, [0, 8, 0, 0])),
        Transport::Tcp => (IpNumber::TCP, ports_and(source, destination, [0; 4])),
        Transport::Icmp => {
            let (kind, id) = match side {
                Side::Outside => (ECHO, source.port.to_be_bytes()),
                Side::Inside => (ECHO_REPLY, destination.port.to_be_bytes()),
            };
            (IpNumber::ICMP, [kind, 0, 0, 0, id[0], id[1], 0, 1])
        }
    };
    let (from, to) = (source.address.octets(), destination.address.octets());
    let mut header =
        Ipv4Header::new(QUOTED, HOPS_MAX, number, from, to).expect("eight bytes fit into a packet");
    header.header_checksum = header.calc_header_checksum();
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(body);
    bytes
}

fn ports_and(source: Endpoint, destination: Endpoint, rest: [u8; 4]) -> [u8; 8] {
    let (from, to) = (source.port.to_be_bytes(), destination.port.to_be_bytes());
    [from[0], from[1], to[0], to[1], rest[0], rest[1], rest[2], rest[3]]
}

/// The packet that an error is about.
fn quoted(payload: &[u8]) -> Option<FiveTuple> {
    let (ip, body) = Ipv4Header::from_slice(payload).ok()?;
    let word = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let (transport, source, destination) = match ip.protocol {
        IpNumber::UDP => (Transport::Udp, word(0)?, word(2)?),
        IpNumber::TCP => (Transport::Tcp, word(0)?, word(2)?),
        IpNumber::ICMP if *body.first()? == ECHO => (Transport::Icmp, word(4)?, 0),
        IpNumber::ICMP => (Transport::Icmp, 0, word(4)?),
        _ => return None,
    };
    Some(FiveTuple {
        transport,
        source: Endpoint::new(ip.source.into(), source),
        destination: Endpoint::new(ip.destination.into(), destination),
    })
}
