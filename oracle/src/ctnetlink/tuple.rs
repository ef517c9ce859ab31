//! Flows as connection tracking writes them.
//!
//! **Reading taken.** A query of ICMP has no destination port: its identifier stands for both sides.
//! Its flow has 0 there.

use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};

use super::message::{Request, find};

/// The type of an echo request, which ICMP tuples of the inside have.
pub(super) const QUERY: u8 = 8;
/// The type of an echo reply, which ICMP tuples of replies have.
pub(super) const ANSWER: u8 = 0;

const ADDRESSES: u16 = 1;
const SOURCE: u16 = 1;
const DESTINATION: u16 = 2;
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
const SOURCE_PORT: u16 = 2;
const DESTINATION_PORT: u16 = 3;
const IDENTIFIER: u16 = 4;
const KIND: u16 = 5;
const CODE: u16 = 6;

/// The attributes of a tuple; `icmp` is its type, where it is one of ICMP.
pub(super) fn written(tuple: FiveTuple, icmp: u8) -> Request {
    let addresses = Request::inner()
        .with(SOURCE, &tuple.source.address.octets())
        .with(DESTINATION, &tuple.destination.address.octets());
    let number = Request::inner().with(NUMBER, &[number_of(tuple.transport)]);
    let protocol = match tuple.transport {
        Transport::Tcp | Transport::Udp => number
            .with(SOURCE_PORT, &tuple.source.port.to_be_bytes())
            .with(DESTINATION_PORT, &tuple.destination.port.to_be_bytes()),
        Transport::Icmp => number
            .with(IDENTIFIER, &identifier(tuple, icmp).to_be_bytes())
            .with(KIND, &[icmp])
            .with(CODE, &[0]),
    };
    Request::inner().with_nested(ADDRESSES, &addresses).with_nested(PROTOCOL, &protocol)
}

/// The tuple that these attributes are of.
pub(super) fn read(attributes: &[u8]) -> Option<FiveTuple> {
    let value = |path: &[u16]| find(attributes, path);
    let address =
        |which| value(&[ADDRESSES, which])?.first_chunk().map(|it: &[u8; 4]| (*it).into());
    let port = |which| value(&[PROTOCOL, which])?.first_chunk().map(|it| u16::from_be_bytes(*it));
    let (source, destination): (Ipv4Addr, Ipv4Addr) = (address(SOURCE)?, address(DESTINATION)?);
    let transport = transport_of(*value(&[PROTOCOL, NUMBER])?.first()?)?;
    let (from, to) = match transport {
        Transport::Tcp | Transport::Udp => (port(SOURCE_PORT)?, port(DESTINATION_PORT)?),
        Transport::Icmp => match *value(&[PROTOCOL, KIND])?.first()? {
            QUERY => (port(IDENTIFIER)?, 0),
            _ => (0, port(IDENTIFIER)?),
        },
    };
    let (source, destination) = (Endpoint::new(source, from), Endpoint::new(destination, to));
    Some(FiveTuple { transport, source, destination })
}

fn identifier(tuple: FiveTuple, icmp: u8) -> u16 {
    if icmp == QUERY { tuple.source.port } else { tuple.destination.port }
}

const fn number_of(transport: Transport) -> u8 {
    match transport {
        Transport::Icmp => 1,
        Transport::Tcp => 6,
        Transport::Udp => 17,
    }
}

fn transport_of(number: u8) -> Option<Transport> {
    Transport::ALL.into_iter().find(|transport| number_of(*transport) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_written_and_read_is_the_same() {
        for (text, icmp) in [
            ("tcp 10.0.0.1:4000 > 198.51.100.1:443", QUERY),
            ("udp 198.51.100.1:53 > 203.0.113.1:1024", ANSWER),
            ("icmp 10.0.0.1:7 > 198.51.100.1:0", QUERY),
            ("icmp 198.51.100.1:0 > 203.0.113.1:9", ANSWER),
        ] {
            let tuple: FiveTuple = text.parse().unwrap();
            assert_eq!(read(&written(tuple, icmp).into_attributes()), Some(tuple));
        }
        assert_eq!(read(&[]), None);
    }
}
