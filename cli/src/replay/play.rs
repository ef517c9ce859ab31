//! Playing a demand on a translator, and judging every answer.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use natlaw_model::allocator::Bitmap;
use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, Holding, Nat, Outcome, PortPolicy};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Device;
use natlaw_model::time::{Duration, Instant};
use natlaw_model::translator::Translator;
use natlaw_properties::law::{Judge, Law, Verdict};
use natlaw_properties::nat::{LAWS, device};

use super::settings::{ReplayError, Settings};
use super::tally::{Hot, Refused, Tally};
use crate::demand::{Agenda, Demand, Direction, Intent, LeftOut, Offer};
use crate::log::Log;

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

/// Plays the connections of a log on a translator and judges it. `progress` is told how many
/// connections are done, those left out included; it starts over if a second play is needed to
/// find the ports that the demand needs.
pub(crate) fn replay(
    log: &Log,
    settings: &Settings,
    progress: &mut dyn FnMut(usize),
) -> Result<Replay, ReplayError> {
    let demand = Demand::of(log, settings.inside);
    let nat = settings.configure(&demand)?;
    let Some(device) = device(&settings.device, &nat) else {
        return Err(ReplayError::NoSuchDevice(settings.device.clone()));
    };
    let left_out = log.connections.len() - demand.offers.len();
    let mut progress = |opened: usize| progress(left_out + opened);
    let play = Play::new(&demand, &nat, device, LAWS).run(&mut progress);
    let ports_needed = ports_needed(&demand, &nat, &play.tally, &mut progress)?;
    Ok(play.into_replay(nat, ports_needed))
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
        let idle = self.judge.ledger().nat.timers.idle.tcp.established;
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
            let ledger = self.judge.ledger();
            let (now, holding) = (ledger.now, ledger.holding_of(flow));
            let live_until = ledger.end_of(flow).map_or(now, |end| end.at);
            let held_until = holding.map_or(now, Holding::held_until);
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

impl PortsNeeded {
    /// The ports of one member on each of `virtual_ips` virtual IPs; `None` if there are not
    /// enough.
    pub(crate) const fn per_virtual_ip(self, virtual_ips: usize) -> Option<usize> {
        match self {
            Self::Exactly(ports) => Some(ports.div_ceil(virtual_ips)),
            Self::MoreThan(_) => None,
        }
    }
}
