//! Packets, written and read again.

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{IcmpError, Segment, Side, Signal};
use natlaw_oracle::conversation::{Beginning, Conversations};
use natlaw_oracle::frame::{Hop, Numbers, Packet, read, with_ports_of};

const HOP: Hop = Hop { source: [2, 0, 0, 0, 0, 1], destination: [2, 0, 0, 0, 0, 2] };

fn tuple(text: &str) -> FiveTuple {
    text.parse().expect("a flow")
}

#[test]
fn a_segment_is_read_as_it_was_written() {
    for text in ["tcp 10.0.0.1:40000 > 198.51.100.1:443", "udp 10.0.0.1:1 > 198.51.100.1:65535"] {
        for signal in [Signal::Open, Signal::Data, Signal::Finish, Signal::Reset] {
            let segment = Segment { tuple: tuple(text), signal };
            for side in [Side::Inside, Side::Outside] {
                let frame = HOP.segment(side, segment, Numbers::default());
                assert_eq!(read(&frame), Some(Packet::Segment(segment.tuple)));
                assert!(frame.starts_with(&HOP.destination));
            }
        }
    }
}

#[test]
fn the_flags_and_numbers_of_tcp_are_where_they_belong() {
    let tuple = tuple("tcp 10.0.0.1:40000 > 198.51.100.1:443");
    for (signal, acknowledgement, flags) in [
        (Signal::Open, None, 0x02),
        (Signal::Open, Some(9), 0x12),
        (Signal::Data, Some(9), 0x10),
        (Signal::Finish, Some(9), 0x11),
        (Signal::Reset, None, 0x04),
    ] {
        let numbers = Numbers { sequence: 0x0102_0304, acknowledgement };
        let frame = HOP.segment(Side::Inside, Segment { tuple, signal }, numbers);
        assert_eq!(frame[38..42], [1, 2, 3, 4], "sequence number");
        assert_eq!(frame[42..46], acknowledgement.unwrap_or(0_u32).to_be_bytes());
        assert_eq!(frame[47], flags, "{signal}");
    }
}

/// The identifier is all that is on the wire: the other port is taken from what was asked.
#[test]
fn a_query_carries_the_identifier_of_the_side_that_asked() {
    let query = tuple("icmp 10.0.0.1:7 > 198.51.100.1:5");
    let data = |tuple| Segment { tuple, signal: Signal::Data };
    for (side, asked, read_as) in [
        (Side::Inside, query, "icmp 10.0.0.1:7 > 198.51.100.1:0"),
        (Side::Outside, query.reversed(), "icmp 198.51.100.1:0 > 10.0.0.1:7"),
    ] {
        let frame = HOP.segment(side, data(asked), Numbers::default());
        let seen = tuple(read_as);
        assert_eq!(read(&frame), Some(Packet::Segment(seen)));
        assert_eq!(with_ports_of(asked, seen), asked);
    }
}

#[test]
fn an_error_quotes_the_packet_that_it_is_about() {
    for transport in ["tcp", "udp"] {
        let quoted = tuple(&format!("{transport} 203.0.113.1:1024 > 198.51.100.1:443"));
        let error = IcmpError::unreachable(quoted);
        for side in [Side::Inside, Side::Outside] {
            assert_eq!(read(&HOP.error(side, error)), Some(Packet::Error(error)));
        }
    }
    let query = tuple("icmp 203.0.113.1:1024 > 198.51.100.1:0");
    for (side, quoted) in [(Side::Outside, query), (Side::Inside, query.reversed())] {
        let error = IcmpError::unreachable(quoted);
        assert_eq!(read(&HOP.error(side, error)), Some(Packet::Error(error)));
    }
}

/// A client calls a service: the service answers from behind it, and the two are one connection.
#[test]
fn a_connection_that_the_outside_begins_is_one_on_both_sides() {
    let called = tuple("tcp 198.51.100.1:1234 > 203.0.113.1:80");
    let delivered = tuple("tcp 198.51.100.1:1234 > 10.0.0.1:8080");
    let mut talk = Conversations::new(Beginning::EverHigher);
    let mut say = |side, signal| {
        let tuple = if side == Side::Inside { delivered.reversed() } else { called };
        let numbers = talk.numbers(side, Segment { tuple, signal });
        match side {
            Side::Inside => talk.sent(delivered.reversed(), called.reversed()),
            Side::Outside => talk.delivered(called, delivered),
        }
        (numbers.sequence, numbers.acknowledgement)
    };
    let (first, none) = say(Side::Outside, Signal::Open);
    assert_eq!(none, None);
    let (other, heard) = say(Side::Inside, Signal::Open);
    assert_eq!(heard, Some(first + 1));
    assert_eq!(say(Side::Outside, Signal::Data), (first + 1, Some(other + 1)));
    assert_eq!(say(Side::Inside, Signal::Finish), (other + 1, Some(first + 1)));
    assert_eq!(say(Side::Outside, Signal::Finish), (first + 1, Some(other + 2)));
}

#[test]
fn what_is_no_packet_is_not_read() {
    let segment = Segment { tuple: tuple("udp 10.0.0.1:1 > 198.51.100.1:2"), signal: Signal::Data };
    let frame = HOP.segment(Side::Inside, segment, Numbers::default());
    for length in 0..42 {
        assert_eq!(read(&frame[..length]), None, "{length} bytes");
    }
}

/// A handshake, a byte for each SYN and FIN, and a second connection apart from the first.
#[test]
fn the_numbers_of_a_connection_follow_one_another() {
    let flow = tuple("tcp 10.0.0.1:40000 > 198.51.100.1:443");
    let external = tuple("tcp 203.0.113.1:40000 > 198.51.100.1:443");
    for (beginning, is_later) in [(Beginning::EverHigher, true), (Beginning::EverLower, false)] {
        let mut talk = Conversations::new(beginning);
        let mut say = |side, signal| {
            let tuple = if side == Side::Inside { flow } else { external.reversed() };
            let numbers = talk.numbers(side, Segment { tuple, signal });
            talk.sent(flow, external);
            (numbers.sequence, numbers.acknowledgement)
        };
        let (first, none) = say(Side::Inside, Signal::Open);
        assert_eq!(none, None);
        assert_eq!(say(Side::Inside, Signal::Open), (first, None), "sent again");
        let (other, heard) = say(Side::Outside, Signal::Open);
        assert_eq!(heard, Some(first + 1));
        assert_eq!(say(Side::Inside, Signal::Data), (first + 1, Some(other + 1)));
        assert_eq!(say(Side::Inside, Signal::Finish), (first + 1, Some(other + 1)));
        assert_eq!(say(Side::Inside, Signal::Finish), (first + 1, Some(other + 1)), "sent again");
        assert_eq!(say(Side::Outside, Signal::Finish), (other + 1, Some(first + 2)));
        assert_eq!(say(Side::Inside, Signal::Data), (first + 2, Some(other + 2)));
        let (again, none) = say(Side::Inside, Signal::Open);
        assert_eq!((again > first, none), (is_later, None));
    }
}
