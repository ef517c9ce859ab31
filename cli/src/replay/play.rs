//! Playing a demand on a translator, and judging every answer.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{
    Configuration, Event, HoldDown, Holding, IdleTimers, MappingBehaviour, Member, Nat, NatError,
    Outcome, Pool, PoolError, PortPolicy, PortReuse, Segment, Selection, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Device;
use natlaw_model::time::{Duration, Instant};
use natlaw_properties::law::{Judge, Law, Verdict};
use natlaw_properties::nat::{DEVICES, LAWS, device};

use super::tally::{Hot, Refused, Tally};
use crate::demand::{Agenda, Demand, Direction, Intent, LeftOut, Offer};
use crate::log::Log;

/// The translator that a demand is played on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The addresses on the inside.
    pub(crate) inside: Ipv4Net,
    /// How many outside addresses it has: 1 to 254.
    pub(crate) virtual_ips: u16,
    /// Ports of one member on one virtual IP, out of 64,512: at least 1.
    pub(crate) ports: u16,
    /// How long a key rests after its flow, however that ended.
    pub(crate) hold_down: Duration,
    /// How long a flow lives without an outbound packet: at least 2 ms.
    pub(crate) idle: Duration,
    /// A device of `natlaw_properties::nat`, by name: sound or mutant.
    pub(crate) device: String,
}

/// What became of a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// The translator's configuration. Its members are the hosts with a connection to offer.
    pub(crate) nat: Nat,
    /// Connections offered: the sum of the accepted, the joined and the refused ones.
    pub(crate) offered: usize,
    /// Connections that got an external endpoint, or their own back during its hold-down.
    pub(crate) accepted: usize,
    /// Connections whose five-tuple was live when they began: one more packet of that flow.
    pub(crate) joined: usize,
    /// Connections that were refused.
    pub(crate) refused: Refused,
    /// Rows that are no part of the demand, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
    /// Events played, the passing of time included.
    pub(crate) events: usize,
    /// What became of each law, in the order of the laws.
    pub(crate) verdicts: Vec<Verdict>,
    /// The first step that broke each broken law, in the order of the steps.
    pub(crate) breaches: Vec<Breach>,
    /// The five destinations with the most refusals, then keys, then connections.
    pub(crate) hottest: Vec<Hot>,
    /// Ports of one member with which nothing is refused.
    pub(crate) ports_needed: PortsNeeded,
    /// The most flows that were live at once.
    pub(crate) peak_live: usize,
    /// The first connection that was refused.
    pub(crate) first_refusal: Option<FirstRefusal>,
}

/// The step that broke a law first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// The law.
    pub(crate) law: &'static str,
    /// The step, counted from 1.
    pub(crate) step: usize,
    /// When.
    pub(crate) at: Instant,
    /// What was asked.
    pub(crate) asked: String,
    /// What was answered.
    pub(crate) answered: String,
}

/// The ports of one member, over all virtual IPs, with which nothing would be refused: the most
/// keys, live or in hold-down, that a member needs at once towards one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortsNeeded {
    /// So many, and no fewer.
    Exactly(usize),
    /// More than so many, which are all that each member can have on these virtual IPs.
    MoreThan(usize),
}

/// The first connection that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstRefusal {
    /// The line of the log, counted from 1.
    pub(crate) line: usize,
    /// When it began, in microseconds since the Unix epoch.
    pub(crate) start_us: i64,
    /// The connection as the inside sees it.
    pub(crate) flow: FiveTuple,
}

/// Why a log cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// A translator needs an outside address.
    NoVirtualIps,
    /// One range of documentation addresses has no room for so many.
    TooManyVirtualIps(u16),
    /// Every range of documentation addresses overlaps the inside.
    NoOutside(Ipv4Net),
    /// No connection goes from the inside to the outside.
    NoMembers {
        /// The addresses on the inside.
        inside: Ipv4Net,
        /// Why each row that was read is no part of the demand.
        left_out: BTreeMap<LeftOut, usize>,
    },
    /// No keep-alive can come before the idle timer.
    IdleTooShort(Duration),
    /// There is no device of this name.
    NoSuchDevice(String),
    /// There are too many inside hosts.
    Pool(PoolError),
    /// The translator's configuration breaks a rule.
    Nat(NatError),
}

/// Plays the connections of a log on a translator and judges it. `progress` is told how many
/// connections are done, those left out included; it starts over if a second play is needed to
/// find the ports that the demand needs.
pub(crate) fn replay(
    log: &Log,
    settings: &Settings,
    progress: &mut dyn FnMut(usize),
) -> Result<Replay, ReplayError> {
    let demand = Demand::of(log, settings.inside);
    let nat = configure(&demand, settings)?;
    let Some(device) = device(&settings.device, &nat) else {
        return Err(ReplayError::NoSuchDevice(settings.device.clone()));
    };
    let left_out = log.connections.len() - demand.offers.len();
    let mut progress = |opened: usize| progress(left_out + opened);
    let play = Play::new(&demand, &nat, device, LAWS).run(&mut progress);
    let ports_needed = ports_needed(&demand, &nat, &play.tally, &mut progress)?;
    Ok(play.into_replay(nat, ports_needed))
}

/// The shortest idle time under which a keep-alive comes in time: half of it is a whole
/// millisecond.
const IDLE_MIN: Duration = Duration::from_millis(2);

/// The translator that serves the demand.
fn configure(demand: &Demand, settings: &Settings) -> Result<Nat, ReplayError> {
    let Settings { inside, ports, hold_down, idle, .. } = *settings;
    if idle < IDLE_MIN {
        return Err(ReplayError::IdleTooShort(idle));
    }
    let members: Vec<_> = demand.sources().into_iter().map(|host| Some(Member(host))).collect();
    if members.is_empty() {
        return Err(ReplayError::NoMembers { inside, left_out: demand.left_out.clone() });
    }
    let configuration = Configuration {
        virtual_ips: virtual_ips(settings)?,
        pool: Pool::new(members).map_err(ReplayError::Pool)?,
        ports: PortPolicy::Fixed { ports, usable: PortBlock::ABOVE_WELL_KNOWN },
        mapping: MappingBehaviour::AddressAndPortDependent,
        port_reuse: PortReuse::PerDestination,
        selection: Selection::LowestFirst,
        timers: Timers {
            idle: IdleTimers { tcp: idle, udp: idle, icmp: idle },
            hold_down: HoldDown::uniform(hold_down),
        },
        inbound_rules: Vec::new(),
    };
    Nat::new(configuration).map_err(ReplayError::Nat)
}

/// The network addresses of the ranges set aside for documentation (RFC 5737), each of length 24,
/// the preferred one first.
const DOCUMENTATION: [Ipv4Addr; 3] = [
    Ipv4Addr::new(203, 0, 113, 0),
    Ipv4Addr::new(198, 51, 100, 0),
    Ipv4Addr::new(192, 0, 2, 0),
];

/// How many hosts a network of length 24 has.
const VIRTUAL_IPS_MAX: u16 = 254;

/// The first addresses of a range that has none in common with the inside.
fn virtual_ips(settings: &Settings) -> Result<Vec<VirtualIp>, ReplayError> {
    let Settings { inside, virtual_ips, .. } = *settings;
    match virtual_ips {
        0 => return Err(ReplayError::NoVirtualIps),
        1..=VIRTUAL_IPS_MAX => {}
        _ => return Err(ReplayError::TooManyVirtualIps(virtual_ips)),
    }
    let is_outside = |range: &Ipv4Net| !range.contains(&inside) && !inside.contains(range);
    let range = DOCUMENTATION
        .into_iter()
        .map(|network| Ipv4Net::new_assert(network, 24))
        .find(is_outside)
        .ok_or(ReplayError::NoOutside(inside))?;
    Ok(range.hosts().map(VirtualIp).take(virtual_ips.into()).collect())
}

/// The ports with which nothing is refused. A play without refusals shows them. Otherwise the
/// demand is played again, unjudged, on an exact translator whose members have as many ports as
/// could be of use: one for each connection of a member to one destination, if so many fit.
fn ports_needed(
    demand: &Demand,
    nat: &Nat,
    played: &Tally,
    progress: &mut dyn FnMut(usize),
) -> Result<PortsNeeded, ReplayError> {
    if played.refused.total() == 0 {
        return Ok(PortsNeeded::Exactly(played.keys_peak()));
    }
    let (members, virtual_ips) = (nat.pool.members().count(), nat.virtual_ips.len());
    let fit = PortBlock::ABOVE_WELL_KNOWN.len() as usize / members;
    let of_use = played.connections_peak().div_ceil(virtual_ips);
    let ports = u16::try_from(fit.min(of_use)).unwrap_or(u16::MAX);
    let usable = PortBlock::ABOVE_WELL_KNOWN;
    let roomy = nat.with(|nat| nat.ports = PortPolicy::Fixed { ports, usable });
    let roomy = roomy.map_err(ReplayError::Nat)?;
    let bitmap = Box::new(Translator::new(&roomy, Bitmap::new));
    let tally = Play::new(demand, &roomy, bitmap, &[]).run(progress).tally;
    Ok(match tally.refused.total() {
        0 => PortsNeeded::Exactly(tally.keys_peak()),
        _ => PortsNeeded::MoreThan(usize::from(ports) * virtual_ips),
    })
}

/// A translator under a demand.
struct Play<'a> {
    demand: &'a Demand,
    device: Box<dyn Device<Nat>>,
    judge: Judge<'a, Nat>,
    breaches: Vec<Breach>,
    tally: Tally,
    first_refusal: Option<FirstRefusal>,
}

impl<'a> Play<'a> {
    /// A play that has not begun.
    fn new(
        demand: &'a Demand,
        nat: &Nat,
        device: Box<dyn Device<Nat>>,
        laws: &'a [Law<Nat>],
    ) -> Self {
        Self {
            demand,
            device,
            judge: Judge::new(laws, nat),
            breaches: Vec::new(),
            tally: Tally::default(),
            first_refusal: None,
        }
    }

    /// Sends every packet of the demand; `progress` is told how many connections have opened.
    fn run(mut self, progress: &mut dyn FnMut(usize)) -> Self {
        let idle = self.judge.ledger().nat.timers.idle.tcp;
        let mut agenda = Agenda::new(self.demand, idle);
        let mut opened = 0;
        while let Some(intent) = agenda.pop() {
            self.elapse_until(intent.at);
            let sent = if intent.opens() {
                opened += 1;
                progress(opened);
                self.open(&intent)
            } else {
                self.go_on(&intent)
            };
            if sent {
                agenda.follow(&intent);
            }
        }
        self
    }

    fn elapse_until(&mut self, at: Instant) {
        let elapsed = at.millis() - self.now().millis();
        if elapsed > 0 {
            self.ask(&Event::Elapse(Duration::from_millis(elapsed)));
            self.tally.settle(at);
        }
    }

    /// Attempts a connection. Whether it was accepted.
    fn open(&mut self, intent: &Intent) -> bool {
        let Intent { flow, signal, .. } = *intent;
        let was_live = self.judge.ledger().external_of(flow).is_some();
        let outcome = self.send(flow, &Event::outbound(flow, signal));
        self.tally.attempted(flow, was_live, &outcome);
        let is_accepted = matches!(outcome, Outcome::Forwarded(_));
        if !is_accepted && self.first_refusal.is_none() {
            self.first_refusal = Some(self.refusal_of(&self.demand.offers[intent.offer]));
        }
        is_accepted
    }

    fn refusal_of(&self, offer: &Offer) -> FirstRefusal {
        let start_us = self.demand.start_us(offer);
        FirstRefusal { line: offer.line, start_us, flow: offer.flow }
    }

    /// Sends a packet of a connection that was accepted, unless its flow is over: another
    /// connection of the same five-tuple may have closed it. Whether it was sent.
    fn go_on(&mut self, intent: &Intent) -> bool {
        let Intent { flow, direction, signal, .. } = *intent;
        let Some(external) = self.judge.ledger().external_of(flow) else {
            return false;
        };
        let event = match direction {
            Direction::Outbound => Event::outbound(flow, signal),
            Direction::Inbound => Event::inbound(flow.from(external).reversed(), signal),
        };
        self.send(flow, &event);
        true
    }

    /// Sends a packet of this flow and counts what it holds from now on.
    fn send(&mut self, flow: FiveTuple, event: &Event) -> Outcome {
        let outcome = self.ask(event);
        if matches!(outcome, Outcome::Forwarded(_)) {
            let (ledger, now) = (self.judge.ledger(), self.now());
            let held_until = ledger.holding_of(flow).map_or(now, Holding::held_until);
            let live_until = match event {
                Event::Outbound(segment) | Event::Inbound(segment) if ends(*segment) => now,
                _ => now + ledger.nat.timers.idle.of(flow.transport),
            };
            self.tally.forwarded(flow, live_until, held_until);
            self.tally.settle(now);
        }
        outcome
    }

    /// Puts an event to the device and judges its answer.
    fn ask(&mut self, event: &Event) -> Outcome {
        let at = self.now();
        let outcome = self.device.step(event);
        if self.judge.step(event, &outcome).is_some() {
            let step = self.judge.steps();
            let broken = self.judge.verdicts().iter().filter(|v| v.broken_at == Some(step));
            self.breaches.extend(broken.map(|verdict| Breach {
                law: verdict.law,
                step,
                at,
                asked: event.to_string(),
                answered: outcome.to_string(),
            }));
        }
        outcome
    }

    fn now(&self) -> Instant {
        self.judge.ledger().now
    }

    fn into_replay(self, nat: Nat, ports_needed: PortsNeeded) -> Replay {
        let Self { demand, judge, breaches, tally, first_refusal, .. } = self;
        Replay {
            nat,
            offered: demand.offers.len(),
            accepted: tally.accepted,
            joined: tally.joined,
            refused: tally.refused,
            left_out: demand.left_out.clone(),
            events: judge.steps(),
            verdicts: judge.verdicts().to_vec(),
            breaches,
            hottest: tally.hottest(),
            ports_needed,
            peak_live: tally.peak_live,
            first_refusal,
        }
    }
}
