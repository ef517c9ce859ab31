//! What a network asks of a translator, read off a connection log.
//!
//! A log tells of a connection when it began, how long it lasted and how it ended. Of the TCP and
//! UDP connections from an inside address to a unicast address outside this makes packets: one
//! that opens, keep-alives in between, one at the end. What the packets are follows from
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
//! | UDP, any state | outbound data | outbound data |
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
            Self::Unmodelled(log::LeftOut::Ipv6) => "ipv6",
            Self::Unmodelled(log::LeftOut::OtherProtocol) => "other_protocol",
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
            Self::Icmp => {
                f.write_str("ICMP: Zeek logs type and code, not the query identifier")
            }
        }
    }
}
