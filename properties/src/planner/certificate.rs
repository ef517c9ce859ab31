//! The traces that show that a translator suffices for a demand, and that one with less does not.
//!
//! The worst arrivals of every destination are played on the translator itself, laid so that all
//! their windows end at the same instant. Every connection is opened and answered, is kept alive by
//! its sender for as long as it lives, and ends in the way after which its key rests longest. Where
//! members have ports of their own one member stands for all, since no member is refused for what
//! others hold; where they share ports all of them play.

use std::cmp::Reverse;
use std::fmt;

use itertools::Itertools as _;
use natlaw_model::allocator::Bitmap;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{ClosesOn, Event, Member, Nat, Outcome, Reason, Remote, Signal};
use natlaw_model::subject::{Device as _, Scenario};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use rustc_hash::FxHashMap;

use super::arrivals::{Connection, worst};
use super::demand::{Close, Destination};
use super::envelope::SOURCE_PORTS;
use super::room::sharers;
use crate::law::Judge;
use crate::nat::LAWS;

/// The device that plays a certificate, as scenario files call it.
pub const DEVICE: &str = "bitmap";

/// The most packets of the inside that a certificate may take where it is asked for.
pub const PACKETS_MAX: u64 = 2_000_000;

/// The most packets of the inside that a certificate may take where it is played anyway.
pub const PACKETS_AT_ONCE_MAX: u64 = 100_000;

/// A certificate that was played.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// What was asked.
    pub scenario: Scenario<Nat>,
    /// Members that asked it.
    pub members: usize,
    /// Connections that were opened.
    pub opened: usize,
    /// Keys held at the end.
    pub keys: usize,
    /// The first connection that was refused, after which nothing is asked.
    pub refused: Option<Refused>,
    /// The laws that were broken: none, or the certificate is worth nothing.
    pub broken: Vec<&'static str>,
}

/// A connection that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The step (from 1) of the scenario.
    pub step: usize,
    /// Milliseconds after the first open.
    pub at_ms: u64,
    /// The connection.
    pub flow: FiveTuple,
    /// What was answered.
    pub reason: Reason,
}

/// Why a certificate was not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPlayed {
    /// It would take too many packets.
    TooLong {
        /// Packets of the inside that it would take, or fewer.
        packets: u64,
        /// Packets that it may take.
        packets_max: u64,
    },
    /// What runs out is counted by the documents alone, and not by the model's translator.
    NotCounted,
}

/// Who plays, and what they try to hold the most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// One member, which stands for all since each has ports of its own: keys.
    OwnKeys,
    /// All members that draw on the same addresses as the first: keys.
    SharedKeys,
    /// One member: flows, as the translator counts them.
    OwnFlows,
}

/// Plays the worst arrivals of these destinations until a connection is refused, or all are open,
/// in at most so many packets of the inside. At one instant what needs most goes first.
///
/// # Errors
/// When it would take too many packets.
pub fn play(
    nat: &Nat,
    destinations: &[&Destination],
    trial: Trial,
    packets_max: u64,
) -> Result<Played, NotPlayed> {
    let members: Vec<Member> = match trial {
        Trial::OwnKeys | Trial::OwnFlows => nat.pool.members().take(1).collect(),
        Trial::SharedKeys => sharers(nat),
    };
    let asked = destinations.iter().map(|destination| Asked::new(nat, destination, trial));
    let asked: Vec<Asked<'_>> = asked.sorted_by_key(|asked| Reverse(asked.held())).collect();
    let packets = asked.iter().map(Asked::packets).fold(0, u64::saturating_add);
    let packets = packets.saturating_mul(members.len() as u64);
    if packets > packets_max {
        return Err(NotPlayed::TooLong { packets, packets_max });
    }
    let mut agenda = agenda(nat, &members, &asked);
    agenda.sort_by_key(|packet| (packet.at_ms, packet.what));
    Ok(Player::new(nat).play(agenda, members.len()))
}

/// What a member asks of a destination.
struct Asked<'a> {
    destination: &'a Destination,
    /// How its connections end.
    close: Close,
    /// How long what is tried is held after a connection.
    rest: Duration,
    /// A flow needs a packet of its sender this often.
    keep_ms: u64,
}

impl<'a> Asked<'a> {
    fn new(nat: &Nat, destination: &'a Destination, trial: Trial) -> Self {
        let (close, rest) = match trial {
            Trial::OwnKeys | Trial::SharedKeys => {
                let longest = destination.rest(nat);
                (longest.close, longest.total())
            }
            Trial::OwnFlows => {
                let longest = destination.lingering(nat);
                (longest.close, longest.lingers)
            }
        };
        let idle = match destination.transport {
            Transport::Tcp => nat.timers.idle.tcp.established,
            Transport::Udp => nat.timers.idle.udp,
            Transport::Icmp => nat.timers.idle.icmp,
        };
        let keep_ms = idle.millis().saturating_sub(1).max(1);
        Self { destination, close, rest, keep_ms }
    }

    /// The most that one member holds.
    fn held(&self) -> u64 {
        self.destination.envelope.keys_max(self.rest)
    }

    /// Packets of one member, or fewer.
    fn packets(&self) -> u64 {
        let kept = self.destination.envelope.life_max.millis() / self.keep_ms;
        self.held().saturating_mul(kept.saturating_add(2))
    }

    /// The last millisecond of the window, from the first open on.
    fn last_ms(&self) -> u64 {
        self.destination.envelope.held_max(self.rest).millis().saturating_sub(1)
    }

    /// The packets of one connection.
    fn send(&self, connection: Connection, send: &mut impl FnMut(What, u64)) {
        let Connection { opened_ms, ended_ms } = connection;
        send(What::Open, opened_ms);
        let mut at_ms = opened_ms.saturating_add(self.keep_ms);
        while at_ms < ended_ms {
            send(What::Keep, at_ms);
            at_ms = at_ms.saturating_add(self.keep_ms);
        }
        send(What::End(self.close), ended_ms);
    }
}

/// A packet that a member sends.
#[derive(Debug, Clone, Copy)]
struct Packet {
    at_ms: u64,
    what: What,
    flow: FiveTuple,
}

/// What a packet is for. At one instant what ends goes first, and what is opened last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    End(Close),
    Keep,
    Open,
}

/// Everything that the members send, with all windows ending at the same instant.
fn agenda(nat: &Nat, members: &[Member], asked: &[Asked<'_>]) -> Vec<Packet> {
    let end_ms = asked.iter().map(Asked::last_ms).max().unwrap_or(0);
    let mut ports: FxHashMap<(Transport, Remote), u64> = FxHashMap::default();
    let mut agenda = Vec::new();
    for asked in asked {
        let destination = asked.destination;
        let begin_ms = end_ms - asked.last_ms();
        let remote = nat.mapping.of(destination.transport).remote(destination.endpoint);
        let port = ports.entry((destination.transport, remote)).or_default();
        for connection in worst(&destination.envelope, asked.rest) {
            for member in members {
                let flow = flow(*member, *port, destination);
                asked.send(connection, &mut |what, at_ms| {
                    agenda.push(Packet { at_ms: begin_ms.saturating_add(at_ms), what, flow });
                });
            }
            *port += 1;
        }
    }
    agenda.retain(|packet| packet.at_ms <= end_ms);
    agenda
}

/// The flow of a member from its `index`th source port (from 0): 1,024 first, port 0 never.
fn flow(member: Member, index: u64, destination: &Destination) -> FiveTuple {
    let port = u16::try_from((1_023 + index) % SOURCE_PORTS + 1).unwrap_or(u16::MAX);
    let source = Endpoint::new(member.0, port);
    FiveTuple { transport: destination.transport, source, destination: destination.endpoint }
}

/// The translator that is asked, and its judge.
struct Player<'a> {
    nat: &'a Nat,
    device: Translator<Bitmap>,
    judge: Judge<'a, Nat>,
    events: Vec<Event>,
    now_ms: u64,
    opened: usize,
}

impl<'a> Player<'a> {
    fn new(nat: &'a Nat) -> Self {
        Self {
            nat,
            device: Translator::new(nat, Bitmap::new),
            judge: Judge::new(LAWS, nat),
            events: Vec::new(),
            now_ms: 0,
            opened: 0,
        }
    }

    fn play(mut self, agenda: Vec<Packet>, members: usize) -> Played {
        let mut refused = None;
        for packet in agenda {
            self.wait_until(packet.at_ms);
            refused = self.send(packet);
            if refused.is_some() {
                break;
            }
        }
        let verdicts = self.judge.verdicts().iter();
        Played {
            broken: verdicts.filter(|it| it.broken_at.is_some()).map(|it| it.law).collect(),
            keys: self.judge.ledger().holdings().count(),
            scenario: Scenario { subject: self.nat.clone(), events: self.events },
            opened: self.opened,
            members,
            refused,
        }
    }

    fn wait_until(&mut self, at_ms: u64) {
        if at_ms > self.now_ms {
            self.ask(Event::Elapse(Duration::from_millis(at_ms - self.now_ms)));
            self.now_ms = at_ms;
        }
    }

    /// Sends a packet of a connection that was not refused.
    fn send(&mut self, Packet { at_ms, what, flow }: Packet) -> Option<Refused> {
        match what {
            What::Open => match self.ask(Event::outbound(flow, Signal::Open)) {
                Outcome::Dropped(reason) => {
                    let step = self.events.len();
                    return Some(Refused { step, at_ms, flow, reason });
                }
                outcome => self.answer(flow, &outcome),
            },
            What::Keep => drop(self.ask(Event::outbound(flow, Signal::Data))),
            What::End(close) => self.end(flow, close),
        }
        None
    }

    /// The other side answers, so that the flow is established.
    fn answer(&mut self, flow: FiveTuple, outcome: &Outcome) {
        self.opened += 1;
        if let (Outcome::Forwarded(sent), Transport::Tcp) = (outcome, flow.transport) {
            self.ask(Event::inbound(sent.reversed(), Signal::Open));
        }
    }

    fn end(&mut self, flow: FiveTuple, close: Close) {
        let signal = match close {
            Close::Finish => Signal::Finish,
            Close::Reset => Signal::Reset,
            Close::Idle => Signal::Data,
        };
        let outcome = self.ask(Event::outbound(flow, signal));
        let both = close == Close::Finish && self.nat.closes_on == ClosesOn::BothSides;
        if let (Outcome::Forwarded(sent), true) = (outcome, both) {
            self.ask(Event::inbound(sent.reversed(), Signal::Finish));
        }
    }

    fn ask(&mut self, event: Event) -> Outcome {
        let outcome = self.device.step(&event);
        self.judge.step(&event, &outcome);
        self.events.push(event);
        outcome
    }
}

impl fmt::Display for NotPlayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { packets, packets_max } => {
                write!(f, "it would take {packets} packets, more than {packets_max}")
            }
            Self::NotCounted => write!(f, "the model's translator does not count what runs out"),
        }
    }
}

impl std::error::Error for NotPlayed {}
