//! Members and servers that keep to TCP (RFC 9293), drawn at random.
//!
//! A walk asks what such hosts could say next, and draws one of it: so filters, replies, and the
//! opening and closing of connections are put to the test in every state that hosts can reach.
//!
//! **Readings taken.** Left out is where devices are known to part from the model; each such case is
//! a situation of its own: a connection that is opened anew while the old one is still tracked, and a
//! FIN of no connection. A FIN is sent once, and a host whose connection was reset says no more.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Configuration, Event, FilteringBehaviour, IdleTimers, Ledger, Nat, Outcome,
    PerTransport, Pool, PortPolicy, Signal, TcpTimers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::play::{Player, Recording};
use crate::real::{Error, RealNat};

/// Events of a walk.
pub const EVENTS: usize = 100;

/// A configuration, and what is drawn in it.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The configuration.
    pub nat: Nat,
    /// Of each event, which flow it is about and which of the things that could be said.
    pub draws: Vec<(u16, u16)>,
}

/// What both hosts of a connection have said.
#[derive(Debug, Clone, Copy, Default)]
struct Talk {
    external: Option<Endpoint>,
    answered: bool,
    finished: [bool; 2],
    reset: bool,
}

/// Every so many draws time passes.
const PAUSE_EVERY: u16 = 12;
const PAUSE: Duration = Duration::from_secs(7);
const FIRST_PORT: u16 = 40_000;
const MEMBERS: u8 = 2;
const SERVERS: u8 = 2;
/// Source ports of a member: two of the range, two below it.
const SOURCES: [u16; 4] = [FIRST_PORT, FIRST_PORT + 1, 20_000, 20_001];

/// This many walks of this seed. A connection that is reset stays tracked for `after_reset`.
pub fn walks(seed: u64, cases: usize, after_reset: Duration) -> Vec<Walk> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = walk(after_reset);
    let mut draw = || strategy.new_tree(&mut runner).expect("a walk").current();
    (0..cases).map(|_| draw()).collect()
}

impl Walk {
    /// Asks the device. After each answer `seen` is shown what the answers so far imply.
    ///
    /// # Errors
    /// When the device does not answer, or `seen` says so.
    pub fn play(
        &self,
        device: &mut dyn RealNat,
        mut seen: impl FnMut(&Ledger) -> Result<(), Error>,
    ) -> Result<Recording, Error> {
        let mut player = Player::new(device, &self.nat)?;
        let mut talks: BTreeMap<FiveTuple, Talk> = BTreeMap::new();
        for (flow, draw) in &self.draws {
            let flow = flow_of(*flow);
            let talk = talks.entry(flow).or_default();
            let event = match draw % PAUSE_EVERY {
                0 => Event::Elapse(PAUSE),
                _ => talk.drawn(usize::from(draw / PAUSE_EVERY), flow, player.ledger()),
            };
            let outcome = player.ask(&event)?.clone();
            talk.hear(flow, &event, &outcome);
            seen(player.ledger())?;
        }
        Ok(player.into_recording())
    }
}

impl Talk {
    /// One of the things that may come next; time passes where there is none.
    fn drawn(&self, draw: usize, flow: FiveTuple, ledger: &Ledger) -> Event {
        let events = self.could_be_said(flow, ledger);
        let index = draw.checked_rem(events.len());
        index.map_or(Event::Elapse(PAUSE), |index| events[index].clone())
    }

    /// Whatever may come next. A host that has lost its connection to a timer does not know that.
    fn could_be_said(&self, flow: FiveTuple, ledger: &Ledger) -> Vec<Event> {
        let is_live = ledger.external_of(flow).is_some();
        let inside = self.by_member(flow, is_live).into_iter();
        let mut events: Vec<Event> = inside.map(|signal| Event::outbound(flow, signal)).collect();
        if let Some(external) = self.external {
            let reply = flow.from(external).reversed();
            let outside = self.by_server(flow, is_live).into_iter();
            events.extend(outside.map(|signal| Event::inbound(reply, signal)));
            events.extend(strangers(reply).map(|tuple| Event::inbound(tuple, Signal::Data)));
        }
        events
    }

    fn by_member(&self, flow: FiveTuple, is_live: bool) -> Vec<Signal> {
        match (flow.transport, is_live) {
            (Transport::Udp | Transport::Icmp, _) => vec![Signal::Data],
            (Transport::Tcp, false) => vec![Signal::Open],
            (Transport::Tcp, true) if self.reset => vec![],
            (Transport::Tcp, true) if !self.answered => vec![Signal::Open, Signal::Reset],
            (Transport::Tcp, true) => self.goes_on(0),
        }
    }

    fn by_server(&self, flow: FiveTuple, is_live: bool) -> Vec<Signal> {
        match (flow.transport, is_live) {
            (Transport::Udp | Transport::Icmp, _) => vec![Signal::Data],
            (Transport::Tcp, false) => vec![],
            (Transport::Tcp, true) if self.reset => vec![],
            (Transport::Tcp, true) if !self.answered => vec![Signal::Open, Signal::Reset],
            (Transport::Tcp, true) => self.goes_on(1),
        }
    }

    /// Data, which may be no more than an acknowledgement; one FIN; an RST unless all is said.
    fn goes_on(&self, side: usize) -> Vec<Signal> {
        let mut signals = vec![Signal::Data, Signal::Data];
        if !self.finished[side] {
            signals.extend([Signal::Finish, Signal::Finish]);
        }
        if self.finished != [true; 2] {
            signals.push(Signal::Reset);
        }
        signals
    }

    fn hear(&mut self, flow: FiveTuple, event: &Event, outcome: &Outcome) {
        let Outcome::Forwarded(passed) = outcome else { return };
        let (side, segment) = match event {
            Event::Outbound(segment) => (0, segment),
            Event::Inbound(segment) if passed.reversed() == flow => (1, segment),
            Event::Inbound(_)
            | Event::OutboundError(_)
            | Event::InboundError(_)
            | Event::Elapse(_)
            | Event::Reconfigure(_) => return,
        };
        if side == 0 && segment.signal == Signal::Open {
            *self = Self::default();
        }
        if side == 0 {
            self.external = Some(passed.source);
        }
        self.answered |= side == 1 && segment.signal == Signal::Open;
        self.finished[side] |= segment.signal == Signal::Finish;
        self.reset |= segment.signal == Signal::Reset;
    }
}

/// Whom nobody inside has talked to: another address, and another port of the same.
fn strangers(reply: FiveTuple) -> impl Iterator<Item = FiveTuple> {
    let Endpoint { address, port } = reply.source;
    let [a, b, c, _] = address.octets();
    let other_address = reply.from(Endpoint::new(Ipv4Addr::new(a, b, c, 77), port));
    let other_port = reply.from(Endpoint::new(address, port + 1));
    match reply.transport {
        Transport::Tcp | Transport::Udp => vec![other_address, other_port].into_iter(),
        Transport::Icmp => vec![other_address].into_iter(),
    }
}

fn walk(after_reset: Duration) -> impl Strategy<Value = Walk> {
    let draws = vec((any::<u16>(), any::<u16>()), EVENTS);
    (select(vec![2_u16, 4, 8, 64]), 1..=2_u8, draws).prop_map(move |(ports, virtual_ips, draws)| {
        Walk { nat: nat(virtual_ips, ports, after_reset), draws }
    })
}

/// Timers that a walk reaches.
fn nat(virtual_ips: u8, ports: u16, after_reset: Duration) -> Nat {
    let addresses = (1..=virtual_ips).map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last)));
    let pool = Pool::of_size(member(0), usize::from(MEMBERS)).expect("members");
    let block = PortBlock::from_len(FIRST_PORT, u32::from(ports)).expect("ports");
    let mut it = Configuration::new(addresses.collect(), pool, PortPolicy::OnDemand(block));
    let [half_open, established, one_side_closed, time_wait] =
        [50, 200, 70, 30].map(Duration::from_secs);
    it.timers.idle = IdleTimers {
        tcp: TcpTimers { half_open, established, one_side_closed, time_wait, reset: after_reset },
        udp: Duration::from_secs(60),
        icmp: Duration::from_secs(20),
    };
    it.filtering = Some(PerTransport::from(FilteringBehaviour::AddressAndPortDependent));
    it.closes_on = ClosesOn::BothSides;
    it.inbound_refresh = PerTransport::from(true);
    Nat::new(it).expect("a legal pool")
}

/// A flow of the universe: half of them of TCP.
fn flow_of(draw: u16) -> FiveTuple {
    let mut rest = draw;
    let mut pick = |count: u8| {
        let picked = rest % u16::from(count);
        rest /= u16::from(count);
        u8::try_from(picked).expect("less than a byte's worth")
    };
    let transports = [Transport::Tcp, Transport::Udp, Transport::Tcp, Transport::Icmp];
    let transport = transports[usize::from(pick(4))];
    let (host, source, server) = (pick(MEMBERS), pick(4), pick(SERVERS));
    let port = if transport == Transport::Icmp { 0 } else { 443 };
    FiveTuple {
        transport,
        source: Endpoint::new(member(host), SOURCES[usize::from(source)]),
        destination: Endpoint::new(Ipv4Addr::new(198, 51, 100, 1 + server), port),
    }
}

fn member(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + index)
}
