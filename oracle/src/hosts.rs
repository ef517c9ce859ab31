//! Members and servers that keep to TCP (RFC 9293), drawn at random.
//!
//! A walk asks what such hosts could say next, and draws one of it: so filters, replies, and the
//! opening and closing of connections are put to the test in every state that hosts can reach. Where
//! members publish services, hosts outside call them; and either side reports errors about packets.
//!
//! **Readings taken.** Left out is where devices are known to part from the model; each such case is
//! a situation of its own: a connection that is opened anew while the old one is still tracked, a FIN
//! of no connection, and one service by two virtual IPs. A FIN is sent once, and a host whose
//! connection was reset says no more.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Configuration, Event, FilteringBehaviour, IcmpError, IdleTimers, InboundRule, Ledger,
    Nat, Outcome, PerTransport, Pool, PortPolicy, Side, Signal, TcpTimers, VirtualIp,
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
    /// Who is there.
    pub hosts: Hosts,
    /// Of each event, which flow it is about and which of the things that could be said.
    pub draws: Vec<(u16, u16)>,
}

/// What there is besides members that call servers, and how long a device tracks what was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts {
    /// How long a connection that was reset stays tracked.
    pub after_reset: Duration,
    /// Whether members publish services.
    pub publish: bool,
    /// Whether ICMP errors are reported.
    pub report: bool,
}

/// What both hosts of a connection have said.
#[derive(Debug, Clone, Copy)]
struct Talk {
    /// Who calls.
    caller: Side,
    external: Option<Endpoint>,
    answered: bool,
    /// Of the inside, and of the outside.
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

/// What the members publish: the transport, the port of the first virtual IP, and who serves where.
const SERVICES: [(Transport, u16, u8, u16); 2] =
    [(Transport::Tcp, 80, 0, 8080), (Transport::Udp, 53, 1, 5353)];
/// Of flows that are drawn where members publish, every so many are of a service.
const SERVICE_EVERY: u8 = 3;
/// The first port of a client.
const CLIENT_PORT: u16 = 50_000;
/// A router on the way (RFC 5737).
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// This many walks of this seed.
pub fn walks(seed: u64, cases: usize, hosts: Hosts) -> Vec<Walk> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = walk(hosts);
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
            let (flow, idle) = talk_of(*flow, &self.nat);
            let talk = talks.entry(flow).or_insert(idle);
            let event = if draw.is_multiple_of(PAUSE_EVERY) {
                Event::Elapse(PAUSE)
            } else {
                let events = talk.could_be_said(flow, player.ledger(), self.hosts);
                drawn(usize::from(draw / PAUSE_EVERY), &events)
            };
            let outcome = player.ask(&event)?.clone();
            talk.hear(flow, &event, &outcome);
            seen(player.ledger())?;
        }
        Ok(player.into_recording())
    }
}

impl Talk {
    /// Whatever may come next. A host that has lost its connection to a timer does not know that.
    fn could_be_said(&self, flow: FiveTuple, ledger: &Ledger, hosts: Hosts) -> Vec<Event> {
        let through = ledger.external_of(flow).or(ledger.admitted_through(flow));
        let is_live = through.is_some();
        let inside = self.by(Side::Inside, flow, is_live).into_iter();
        let mut events: Vec<Event> = inside.map(|signal| Event::outbound(flow, signal)).collect();
        if let Some(external) = self.external {
            let reply = flow.from(external).reversed();
            let outside = self.by(Side::Outside, flow, is_live).into_iter();
            events.extend(outside.map(|signal| Event::inbound(reply, signal)));
            let strangers = self.strangers(reply).into_iter();
            events.extend(strangers.map(|tuple| Event::inbound(tuple, Signal::Data)));
            events.extend(hosts.report.then(|| errors(flow, external)).into_iter().flatten());
        }
        events
    }

    fn by(&self, side: Side, flow: FiveTuple, is_live: bool) -> Vec<Signal> {
        let calls = side == self.caller;
        match (flow.transport, is_live) {
            // Who serves has nothing to say to a client that has not called
            (Transport::Udp, false) if !calls && side == Side::Inside => vec![],
            (Transport::Udp | Transport::Icmp, _) => vec![Signal::Data],
            (Transport::Tcp, false) if calls => vec![Signal::Open],
            (Transport::Tcp, false) => vec![],
            (Transport::Tcp, true) if self.reset => vec![],
            (Transport::Tcp, true) if !self.answered => vec![Signal::Open, Signal::Reset],
            (Transport::Tcp, true) => self.goes_on(side),
        }
    }

    /// Data, which may be no more than an acknowledgement; one FIN; an RST unless all is said.
    fn goes_on(&self, side: Side) -> Vec<Signal> {
        let mut signals = vec![Signal::Data, Signal::Data];
        if !self.finished[index(side)] {
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
            Event::Outbound(segment) => (Side::Inside, segment),
            Event::Inbound(segment) if passed.reversed() == flow => (Side::Outside, segment),
            Event::Inbound(_)
            | Event::OutboundError(_)
            | Event::InboundError(_)
            | Event::Elapse(_)
            | Event::Reconfigure(_) => return,
        };
        if side == self.caller && segment.signal == Signal::Open {
            *self = Self { external: self.external, ..Self::silent(self.caller) };
        }
        if side == Side::Inside {
            self.external = Some(passed.source);
        }
        self.answered |= side != self.caller && segment.signal == Signal::Open;
        self.finished[index(side)] |= segment.signal == Signal::Finish;
        self.reset |= segment.signal == Signal::Reset;
    }

    /// Nothing has been said.
    const fn silent(caller: Side) -> Self {
        let finished = [false; 2];
        Self { caller, external: None, answered: false, finished, reset: false }
    }

    /// Whom nobody inside has talked to: another address, and another port of the same; where a member
    /// serves, whoever calls the next port.
    fn strangers(&self, reply: FiveTuple) -> Vec<FiveTuple> {
        let Endpoint { address, port } = reply.source;
        let [a, b, c, _] = address.octets();
        let other_address = reply.from(Endpoint::new(Ipv4Addr::new(a, b, c, 77), port));
        let other_port = reply.from(Endpoint::new(address, port + 1));
        let called = reply.destination;
        match (self.caller, reply.transport) {
            (Side::Outside, _) => vec![reply.to(Endpoint::new(called.address, called.port + 1))],
            (Side::Inside, Transport::Tcp | Transport::Udp) => vec![other_address, other_port],
            (Side::Inside, Transport::Icmp) => vec![other_address],
        }
    }
}

/// One of the things that may come next; time passes where there is none.
fn drawn(draw: usize, events: &[Event]) -> Event {
    let index = draw.checked_rem(events.len());
    index.map_or(Event::Elapse(PAUSE), |index| events[index].clone())
}

const fn index(side: Side) -> usize {
    match side {
        Side::Inside => 0,
        Side::Outside => 1,
    }
}

/// What the far end of a flow reports, or a router before it; and what the member reports.
fn errors(flow: FiveTuple, external: Endpoint) -> [Event; 2] {
    let of_the_outside = IcmpError::unreachable(flow.from(external));
    let from = if flow.source.port.is_multiple_of(2) { ROUTER } else { of_the_outside.from };
    [
        Event::InboundError(IcmpError { from, ..of_the_outside }),
        Event::OutboundError(IcmpError::unreachable(flow.reversed())),
    ]
}

fn walk(hosts: Hosts) -> impl Strategy<Value = Walk> {
    let draws = vec((any::<u16>(), any::<u16>()), EVENTS);
    (select(vec![2_u16, 4, 8, 64]), 1..=2_u8, draws).prop_map(move |(ports, virtual_ips, draws)| {
        Walk { nat: nat(virtual_ips, ports, hosts), hosts, draws }
    })
}

/// Timers that a walk reaches.
fn nat(virtual_ips: u8, ports: u16, hosts: Hosts) -> Nat {
    let addresses = (1..=virtual_ips).map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last)));
    let pool = Pool::of_size(member(0), usize::from(MEMBERS)).expect("members");
    let block = PortBlock::from_len(FIRST_PORT, u32::from(ports)).expect("ports");
    let mut it = Configuration::new(addresses.collect(), pool, PortPolicy::OnDemand(block));
    let [half_open, established, one_side_closed, time_wait] =
        [50, 200, 70, 30].map(Duration::from_secs);
    it.timers.idle = IdleTimers {
        tcp: TcpTimers {
            half_open,
            established,
            one_side_closed,
            time_wait,
            reset: hosts.after_reset,
        },
        udp: Duration::from_secs(60),
        icmp: Duration::from_secs(20),
    };
    it.filtering = Some(PerTransport::from(FilteringBehaviour::AddressAndPortDependent));
    it.closes_on = ClosesOn::BothSides;
    it.inbound_refresh = PerTransport::from(true);
    it.inbound_rules = if hosts.publish { SERVICES.map(published).to_vec() } else { vec![] };
    Nat::new(it).expect("a legal pool")
}

fn published((transport, port, host, served_at): (Transport, u16, u8, u16)) -> InboundRule {
    let external = Endpoint::new(Ipv4Addr::new(203, 0, 113, 1), port);
    InboundRule { transport, external, inside: Endpoint::new(member(host), served_at) }
}

/// A flow of the universe, as its member sees it, and nothing said: half of them of TCP.
fn talk_of(draw: u16, nat: &Nat) -> (FiveTuple, Talk) {
    let mut rest = draw;
    let mut pick = |count: u8| {
        let picked = rest % u16::from(count);
        rest /= u16::from(count);
        u8::try_from(picked).expect("less than a byte's worth")
    };
    let services = nat.inbound_rules.as_slice();
    if !services.is_empty() && pick(SERVICE_EVERY) == 0 {
        let rule = services[usize::from(pick(2)) % services.len()];
        let (port, client) = (CLIENT_PORT + u16::from(pick(2)), server(pick(SERVERS)));
        let (source, destination) = (rule.inside, Endpoint::new(client, port));
        let external = Some(rule.external);
        let talk = Talk { external, ..Talk::silent(Side::Outside) };
        return (FiveTuple { transport: rule.transport, source, destination }, talk);
    }
    let transports = [Transport::Tcp, Transport::Udp, Transport::Tcp, Transport::Icmp];
    let transport = transports[usize::from(pick(4))];
    let (host, source, called) = (pick(MEMBERS), pick(4), pick(SERVERS));
    let port = if transport == Transport::Icmp { 0 } else { 443 };
    let source = Endpoint::new(member(host), SOURCES[usize::from(source)]);
    let destination = Endpoint::new(server(called), port);
    (FiveTuple { transport, source, destination }, Talk::silent(Side::Inside))
}

fn server(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, 1 + index)
}

fn member(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + index)
}
