//! What a network asks of a translator, read off a connection log.
//!
//! A log tells of a connection when it began, how long it lasted and how it ended. Of the TCP and
//! UDP connections from an inside address to a unicast address outside, and of the ICMP queries
//! whose identifier the log has, this makes packets: one that opens, keep-alives in between, one at
//! the end. What the packets are follows from
//! `conn_state` (Zeek documentation, base/protocols/conn):
//!
//! | log | at the start | at the end |
//! |---|---|---|
//! | TCP `SF`, `S2`, `SH` | outbound open | outbound finish |
//! | TCP `S3` | outbound open | inbound finish |
//! | TCP `RSTO`, `RSTOS0` | outbound open | outbound reset |
//! | TCP `REJ`, `RSTR` | outbound open | inbound reset |
//! | TCP `S0`, `S1`, no state | outbound open | outbound data: no close was seen |
//! | TCP `SHR` | outbound data: no SYN was seen | inbound finish |
//! | TCP `RSTRH` | outbound data: no SYN was seen | inbound reset |
//! | TCP `OTH` | outbound data: no SYN was seen | outbound data: no close was seen |
//! | UDP and ICMP, any state | outbound data | outbound data |
//!
//! **Readings taken.**
//! - A connection whose close was not seen lives on after its last packet until its idle timer
//!   runs out.
//! - A duration that the log lacks is zero. Such an end follows its start at once; a last packet
//!   of data that would be the first one is not sent.
//! - Model time begins with the first connection that is offered. It counts milliseconds, rounded
//!   down; packets are ordered by the microseconds of the log. Of those due at the same
//!   microsecond closes come first, then data, then openings, each in the order in which their
//!   connections began and, where they began together, of their lines.
//! - A connection sends data every half idle time, so that none is lost for being quiet: a log
//!   does not tell when packets came, and a live connection may have had some at any time.
//! - A connection is attempted once. One that is refused sends no other packet: a second would
//!   count as a second refusal.
//! - A connection that begins while its five-tuple is live joins that flow: to a translator it is
//!   one more packet. The first close ends the flow for all that share it, and a connection that
//!   finds its five-tuple over when its next packet is due sends no more.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::Ipv4Net;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::Signal;
use natlaw_model::time::{Duration, Instant};

use crate::log::{self, ConnState, Connection, Log, Protocol};

/// The connections of a log that a translator is asked to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Model time zero, in microseconds since the Unix epoch.
    pub(crate) began_us: i64,
    /// The connections, in the order in which they began and, within a microsecond, of their lines.
    pub(crate) offers: Vec<Offer>,
    /// The rows that are no part of the demand, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
}

/// Why a well-formed row of the log is no part of the demand; the first reason that holds counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LeftOut {
    /// The reader of the log left it out.
    Unmodelled(log::LeftOut),
    /// Its source is outside.
    NotFromInside,
    /// Its source and its destination are both inside.
    StaysInside,
    /// Its destination is a multicast address or 255.255.255.255, which no translator forwards to.
    NotUnicast,
    /// It is ICMP, and the log has no query identifier.
    Icmp,
}

/// A connection that a translator is asked to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The line of the log, counted from 1.
    pub(crate) line: usize,
    /// The connection as the inside sees it.
    pub(crate) flow: FiveTuple,
    /// The first packet, in microseconds of model time.
    pub(crate) start_us: u64,
    /// The last packet, in microseconds of model time.
    end_us: u64,
    opening: Signal,
    ending: Ending,
}

/// The last packet of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It closes the connection.
    Close(Direction, Signal),
    /// It is data like any other.
    Data,
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the inside.
    Outbound,
    /// From the outside, to the external endpoint that stands for the flow.
    Inbound,
}

/// A packet that is to be sent. Where an inbound one goes to depends on the translator's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Intent {
    /// When.
    pub(crate) at: Instant,
    /// Its connection's index among the offers.
    pub(crate) offer: usize,
    /// Its connection as the inside sees it.
    pub(crate) flow: FiveTuple,
    /// Which way it goes.
    pub(crate) direction: Direction,
    /// What it says.
    pub(crate) signal: Signal,
    due: Due,
}

/// A packet of a connection and when it is due; packets are sent in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at_us: u64,
    part: Part,
    offer: usize,
}

/// The part of its connection that a packet is; at one instant the first are sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Close,
    Data,
    Opening,
}

/// The packets of a demand in order of time. It holds one packet for each open connection: the
/// next one is found only once [`Agenda::follow`] says that the last was sent.
#[derive(Debug, Clone)]
pub(crate) struct Agenda<'a> {
    offers: &'a [Offer],
    opened: usize,
    pending: BinaryHeap<Reverse<Due>>,
    keep_alive_us: u64,
}

impl Demand {
    /// The demand of the hosts inside on the outside.
    pub(crate) fn of(log: &Log, inside: Ipv4Net) -> Self {
        let mut left_out: BTreeMap<LeftOut, usize> =
            log.left_out.iter().map(|(why, rows)| (LeftOut::Unmodelled(*why), *rows)).collect();
        let mut offered = Vec::new();
        for connection in &log.connections {
            match transport(connection, inside) {
                Ok(transport) => offered.push((connection, transport)),
                Err(why) => *left_out.entry(why).or_default() += 1,
            }
        }
        offered.sort_by_key(|(connection, _)| (connection.start_us, connection.line));
        let began_us = offered.first().map_or(0, |(connection, _)| connection.start_us);
        let offer = |(connection, transport)| Offer::new(connection, transport, began_us);
        Self { began_us, offers: offered.into_iter().map(offer).collect(), left_out }
    }

    /// When a connection began, in microseconds since the Unix epoch.
    pub(crate) fn start_us(&self, offer: &Offer) -> i64 {
        self.began_us.saturating_add_unsigned(offer.start_us)
    }

    /// The inside hosts that offer a connection, in the order of their addresses.
    pub(crate) fn sources(&self) -> Vec<Ipv4Addr> {
        let mut sources: Vec<_> = self.offers.iter().map(|o| o.flow.source.address).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

/// The transport of a connection that is part of the demand, or why it is none.
fn transport(connection: &Connection, inside: Ipv4Net) -> Result<Transport, LeftOut> {
    let (source, destination) = (connection.source.ip(), connection.destination.ip());
    if !inside.contains(source) {
        return Err(LeftOut::NotFromInside);
    }
    if inside.contains(destination) {
        return Err(LeftOut::StaysInside);
    }
    if destination.is_multicast() || destination.is_broadcast() {
        return Err(LeftOut::NotUnicast);
    }
    match connection.protocol {
        Protocol::Tcp => Ok(Transport::Tcp),
        Protocol::Udp => Ok(Transport::Udp),
        Protocol::Icmp if connection.is_query => Ok(Transport::Icmp),
        Protocol::Icmp => Err(LeftOut::Icmp),
    }
}

impl Offer {
    fn new(connection: &Connection, transport: Transport, began_us: i64) -> Self {
        let start_us = connection.start_us.abs_diff(began_us);
        let (opening, ending) = match transport {
            Transport::Tcp => tcp_signals(connection.state),
            Transport::Udp | Transport::Icmp => (Signal::Data, Ending::Data),
        };
        Self {
            line: connection.line,
            flow: FiveTuple {
                transport,
                source: endpoint(connection.source),
                destination: endpoint(connection.destination),
            },
            start_us,
            end_us: start_us.saturating_add(connection.duration_us.unwrap_or(0)),
            opening,
            ending,
        }
    }
}

/// What a TCP connection opens with and how it ends.
fn tcp_signals(state: Option<ConnState>) -> (Signal, Ending) {
    use {Direction as D, Ending as E, Signal as S};
    match state {
        Some(ConnState::SF | ConnState::S2 | ConnState::SH) => {
            (S::Open, E::Close(D::Outbound, S::Finish))
        }
        Some(ConnState::S3) => (S::Open, E::Close(D::Inbound, S::Finish)),
        Some(ConnState::RSTO | ConnState::RSTOS0) => (S::Open, E::Close(D::Outbound, S::Reset)),
        Some(ConnState::REJ | ConnState::RSTR) => (S::Open, E::Close(D::Inbound, S::Reset)),
        Some(ConnState::S0 | ConnState::S1) | None => (S::Open, E::Data),
        Some(ConnState::SHR) => (S::Data, E::Close(D::Inbound, S::Finish)),
        Some(ConnState::RSTRH) => (S::Data, E::Close(D::Inbound, S::Reset)),
        Some(ConnState::OTH) => (S::Data, E::Data),
    }
}

fn endpoint(address: SocketAddrV4) -> Endpoint {
    Endpoint::new(*address.ip(), address.port())
}

impl<'a> Agenda<'a> {
    /// The packets of a demand on a translator whose flows live for `idle` without traffic: at
    /// least 2 ms, or no keep-alive comes in time.
    pub(crate) fn new(demand: &'a Demand, idle: Duration) -> Self {
        // Whole milliseconds: rounding down then leaves the distance between two as it is.
        let keep_alive_us = (idle.millis() / 2).max(1).saturating_mul(1_000);
        Self { offers: &demand.offers, opened: 0, pending: BinaryHeap::new(), keep_alive_us }
    }

    /// The next packet.
    pub(crate) fn pop(&mut self) -> Option<Intent> {
        let opening = self.next_opening();
        let pending = self.pending.peek().map(|Reverse(due)| *due);
        match (opening, pending) {
            (Some(opening), pending) if pending.is_none_or(|pending| opening < pending) => {
                self.opened += 1;
                Some(self.intent(opening))
            }
            _ => self.pending.pop().map(|Reverse(due)| self.intent(due)),
        }
    }

    /// The packet was sent, so that its connection goes on.
    pub(crate) fn follow(&mut self, intent: &Intent) {
        self.pending.extend(self.after(intent.due).map(Reverse));
    }

    fn next_opening(&self) -> Option<Due> {
        let offer = self.offers.get(self.opened)?;
        Some(Due { at_us: offer.start_us, part: Part::Opening, offer: self.opened })
    }

    /// The packet of the same connection that comes after this one.
    fn after(&self, due: Due) -> Option<Due> {
        let Offer { end_us, ending, .. } = self.offers[due.offer];
        let keep_alive_us = due.at_us.saturating_add(self.keep_alive_us);
        let (at_us, part) = match ending {
            _ if due.part == Part::Close => return None,
            _ if keep_alive_us < end_us => (keep_alive_us, Part::Data),
            Ending::Close(..) => (end_us, Part::Close),
            Ending::Data if due.at_us < end_us => (end_us, Part::Data),
            Ending::Data => return None,
        };
        Some(Due { at_us, part, ..due })
    }

    fn intent(&self, due: Due) -> Intent {
        let Offer { flow, opening, ending, .. } = self.offers[due.offer];
        let (direction, signal) = match (due.part, ending) {
            (Part::Opening, _) => (Direction::Outbound, opening),
            (Part::Close, Ending::Close(direction, signal)) => (direction, signal),
            (Part::Close, Ending::Data) | (Part::Data, _) => (Direction::Outbound, Signal::Data),
        };
        let at = Instant::START + Duration::from_millis(due.at_us / 1_000);
        Intent { at, offer: due.offer, flow, direction, signal, due }
    }
}

impl Intent {
    /// Whether this is the first packet of its connection.
    pub(crate) fn opens(&self) -> bool {
        self.due.part == Part::Opening
    }
}

impl LeftOut {
    /// What programs call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unmodelled(why) => why.name(),
            Self::NotFromInside => "not_from_inside",
            Self::StaysInside => "stays_inside",
            Self::NotUnicast => "not_unicast",
            Self::Icmp => "icmp",
        }
    }
}

impl Display for LeftOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmodelled(why) => why.fmt(f),
            Self::NotFromInside => f.write_str("not from the inside"),
            Self::StaysInside => f.write_str("stays inside"),
            Self::NotUnicast => f.write_str("to a multicast or broadcast address"),
            Self::Icmp => f.write_str("ICMP: Zeek logs type and code, not the query identifier"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: u64 = 1_000_000;
    const HOST: &str = "10.0.0.1:40000";
    const SERVER: &str = "198.51.100.1:443";

    /// A TCP connection that begins at `start_us` of the Unix epoch.
    fn tcp(line: usize, start_us: i64, duration_us: u64, state: ConnState) -> Connection {
        Connection {
            line,
            start_us,
            duration_us: Some(duration_us),
            protocol: Protocol::Tcp,
            source: HOST.parse().expect("an endpoint"),
            destination: SERVER.parse().expect("an endpoint"),
            state: Some(state),
            is_query: false,
        }
    }

    fn log(connections: Vec<Connection>) -> Log {
        let left_out = BTreeMap::new();
        let earlier = 0;
        Log {
            format: "",
            connections,
            malformed: Vec::new(),
            malformed_count: 0,
            left_out,
            earlier,
        }
    }

    fn demand(connections: Vec<Connection>) -> Demand {
        Demand::of(&log(connections), "10.0.0.0/8".parse().expect("a network"))
    }

    /// Every packet of a demand that is accepted whole, with the line of its connection.
    fn packets(connections: Vec<Connection>, idle: Duration) -> Vec<String> {
        let demand = demand(connections);
        let mut agenda = Agenda::new(&demand, idle);
        let mut packets = Vec::new();
        while let Some(intent) = agenda.pop() {
            let Intent { at, offer, direction, signal, .. } = intent;
            let line = demand.offers[offer].line;
            packets.push(format!("{at} {line} {direction:?} {signal}").to_lowercase());
            agenda.follow(&intent);
            assert!(agenda.pending.len() <= demand.offers.len(), "one packet each at most");
        }
        packets
    }

    const FOUR_MINUTES: Duration = Duration::from_secs(240);

    #[test]
    fn each_state_has_its_signals() {
        for (state, start, end) in [
            (Some(ConnState::S0), "outbound open", "outbound data"),
            (Some(ConnState::S1), "outbound open", "outbound data"),
            (Some(ConnState::SF), "outbound open", "outbound finish"),
            (Some(ConnState::REJ), "outbound open", "inbound reset"),
            (Some(ConnState::S2), "outbound open", "outbound finish"),
            (Some(ConnState::S3), "outbound open", "inbound finish"),
            (Some(ConnState::RSTO), "outbound open", "outbound reset"),
            (Some(ConnState::RSTR), "outbound open", "inbound reset"),
            (Some(ConnState::RSTOS0), "outbound open", "outbound reset"),
            (Some(ConnState::RSTRH), "outbound data", "inbound reset"),
            (Some(ConnState::SH), "outbound open", "outbound finish"),
            (Some(ConnState::SHR), "outbound data", "inbound finish"),
            (Some(ConnState::OTH), "outbound data", "outbound data"),
            (None, "outbound open", "outbound data"),
        ] {
            let row = Connection { state, ..tcp(1, 7, 10 * SECOND_US, ConnState::SF) };
            let expected = [format!("0s 1 {start}"), format!("10s 1 {end}")];
            assert_eq!(packets(vec![row], FOUR_MINUTES), expected, "{state:?}");
            let row = Connection { protocol: Protocol::Udp, ..row };
            let expected = ["0s 1 outbound data", "10s 1 outbound data"];
            assert_eq!(packets(vec![row], FOUR_MINUTES), expected, "{state:?} over UDP");
        }
    }

    #[test]
    fn a_close_without_duration_follows_its_opening_and_data_is_not_sent_twice() {
        let all = |duration_us| {
            let rows = [(1, ConnState::SF), (2, ConnState::S0), (3, ConnState::RSTR)];
            let row = |(line, state)| Connection { duration_us, ..tcp(line, 7, 0, state) };
            packets(rows.map(row).to_vec(), FOUR_MINUTES)
        };
        let expected = [
            "0s 1 outbound open",
            "0s 1 outbound finish",
            "0s 2 outbound open",
            "0s 3 outbound open",
            "0s 3 inbound reset",
        ];
        assert_eq!(all(Some(0)), expected);
        assert_eq!(all(None), expected);
    }

    #[test]
    fn a_connection_sends_data_every_half_idle_time() {
        let hour = vec![tcp(1, 0, 3_600 * SECOND_US, ConnState::SF)];
        let actual = packets(hour, FOUR_MINUTES);
        let data = (1..30).map(|half| format!("{}s 1 outbound data", 120 * half));
        let expected: Vec<String> = std::iter::once("0s 1 outbound open".into())
            .chain(data)
            .chain(["3600s 1 outbound finish".into()])
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn no_two_packets_of_a_connection_are_an_idle_time_apart() {
        let row = tcp(1, 999, 50_700, ConnState::S0);
        for idle in [2, 3, 10, 51] {
            let idle = Duration::from_millis(idle);
            let demand = demand(vec![row]);
            let mut agenda = Agenda::new(&demand, idle);
            let mut before = Instant::START;
            while let Some(intent) = agenda.pop() {
                assert!(intent.at < before + idle, "{idle}: {before}, {}", intent.at);
                before = intent.at;
                agenda.follow(&intent);
            }
            assert_eq!(before.millis(), 50);
        }
    }

    #[test]
    fn what_is_not_followed_sends_nothing_more() {
        let demand = demand(vec![tcp(1, 0, 3_600 * SECOND_US, ConnState::SF)]);
        let mut agenda = Agenda::new(&demand, FOUR_MINUTES);
        assert!(agenda.pop().is_some_and(|intent| intent.opens()));
        assert_eq!(agenda.pop(), None);
    }

    #[test]
    fn closes_come_before_data_before_openings_and_then_older_connections() {
        let rows = vec![
            tcp(4, 10_000, 0, ConnState::S1),
            tcp(3, 10_000, 0, ConnState::S1),
            tcp(2, 5_000, 5_000, ConnState::SF),
            tcp(1, 5_000, 5_000, ConnState::SF),
            tcp(6, 0, 10_000, ConnState::SF),
            tcp(5, 0, 10_000, ConnState::OTH),
        ];
        let expected = [
            "0s 5 outbound data",
            "0s 6 outbound open",
            "5ms 1 outbound open",
            "5ms 2 outbound open",
            "10ms 6 outbound finish",
            "10ms 1 outbound finish",
            "10ms 2 outbound finish",
            "10ms 5 outbound data",
            "10ms 3 outbound open",
            "10ms 4 outbound open",
        ];
        assert_eq!(packets(rows, FOUR_MINUTES), expected);
    }

    #[test]
    fn microseconds_order_what_milliseconds_cannot() {
        let rows = vec![
            tcp(1, 1_000_000, 1_900, ConnState::SF),
            tcp(2, 1_001_100, 100, ConnState::SF),
            tcp(3, 1_002_000, 0, ConnState::OTH),
        ];
        let expected = [
            "0s 1 outbound open",
            "1ms 2 outbound open",
            "1ms 2 outbound finish",
            "1ms 1 outbound finish",
            "2ms 3 outbound data",
        ];
        assert_eq!(packets(rows, FOUR_MINUTES), expected);
    }

    #[test]
    fn rows_out_of_order_are_put_in_order() {
        let row = |line: usize, start_us: i64| tcp(line, start_us, 500, ConnState::SF);
        let (first, second, third) = (row(9, 3), row(2, 5), row(4, 5));
        let actual = demand(vec![third, first, second]);
        assert_eq!(actual, demand(vec![first, second, third]));
        assert_eq!(actual.began_us, 3);
        assert_eq!(actual.offers.iter().map(|offer| offer.line).collect::<Vec<_>>(), [9, 2, 4]);
        assert_eq!(actual.start_us(&actual.offers[2]), 5);
    }

    #[test]
    fn each_row_that_is_left_out_is_counted_by_its_first_reason() {
        let row = |protocol, source: &str, destination: &str| Connection {
            protocol,
            source: format!("{source}:8").parse().expect("an endpoint"),
            destination: format!("{destination}:0").parse().expect("an endpoint"),
            ..tcp(1, 0, 0, ConnState::OTH)
        };
        let mut log = log(vec![
            row(Protocol::Tcp, "198.51.100.1", "10.0.0.1"),
            row(Protocol::Icmp, "198.51.100.1", "198.51.100.2"),
            row(Protocol::Icmp, "10.0.0.1", "10.255.255.255"),
            row(Protocol::Udp, "10.0.0.1", "255.255.255.255"),
            row(Protocol::Udp, "10.0.0.1", "224.0.0.251"),
            row(Protocol::Icmp, "10.0.0.1", "198.51.100.1"),
            row(Protocol::Udp, "10.0.0.1", "198.51.100.1"),
        ]);
        log.left_out = BTreeMap::from([(log::LeftOut::Ipv6, 4)]);
        let demand = Demand::of(&log, "10.0.0.7/8".parse().expect("a network"));
        let expected = BTreeMap::from([
            (LeftOut::Unmodelled(log::LeftOut::Ipv6), 4),
            (LeftOut::NotFromInside, 2),
            (LeftOut::StaysInside, 1),
            (LeftOut::NotUnicast, 2),
            (LeftOut::Icmp, 1),
        ]);
        assert_eq!(demand.left_out, expected);
        assert_eq!(demand.offers.len(), 1);
    }

    #[test]
    fn an_icmp_query_is_offered_if_its_identifier_is_known() {
        let (protocol, is_query) = (Protocol::Icmp, true);
        let query = Connection { protocol, is_query, ..tcp(1, 0, 0, ConnState::OTH) };
        let [offer] = demand(vec![query]).offers[..] else { panic!("one offer") };
        assert_eq!(offer.flow.to_string(), "icmp 10.0.0.1:40000 > 198.51.100.1:443");
    }

    #[test]
    fn members_are_the_hosts_that_offer_a_connection() {
        let from = |source: &str, protocol| Connection {
            source: source.parse().expect("an endpoint"),
            protocol,
            ..tcp(1, 0, 0, ConnState::SF)
        };
        let demand = demand(vec![
            from("10.0.0.9:1", Protocol::Udp),
            from("10.0.0.10:1", Protocol::Tcp),
            from("10.0.0.9:2", Protocol::Tcp),
            from("10.0.0.8:2", Protocol::Icmp),
        ]);
        let expected = [Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(10, 0, 0, 10)];
        assert_eq!(demand.sources(), expected);
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let latest_us = 253_402_300_799_999_999;
        let rows = vec![
            tcp(1, 0, 0, ConnState::SF),
            tcp(2, latest_us, latest_us.unsigned_abs(), ConnState::SF),
        ];
        let packets = packets(rows, Duration::from_millis(u64::MAX));
        assert_eq!(packets.len(), 4);
        assert_eq!(packets[3], "506804601599999ms 2 outbound finish");
    }
}
