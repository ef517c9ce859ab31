//! The obvious translator: lists that are looked through from the beginning.
//!
//! It is the specification by example for [`super::Translator`], which answers the same questions
//! from tables. Nothing is kept in step here: what has ended is taken out whenever time passes.

use crate::allocator::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{
    Event, IcmpError, Key, Mapping, Nat, Outcome, Reason, Segment, Side, Signal, State, refreshes,
};
use crate::subject::Device;
use crate::time::{Duration, Instant};

/// The device that a [`Nat`] describes, in the most obvious way.
#[derive(Debug, Clone)]
pub struct Reference<A> {
    nat: Nat,
    now: Instant,
    allocator: A,
    held: Vec<Held>,
    flows: Vec<Flow>,
    admitted: Vec<Admitted>,
    unanswered: Vec<(FiveTuple, Instant)>,
}

/// What the allocator has given and not yet got back.
#[derive(Debug, Clone, Copy)]
struct Held {
    binding: Binding,
    mapping: Mapping,
    key: Key,
    stranded: bool,
    rests_until: Instant,
}

/// A live flow.
#[derive(Debug, Clone, Copy)]
struct Flow {
    tuple: FiveTuple,
    state: State,
    until: Instant,
    hold_down: Duration,
}

/// A connection that an inbound rule let in, by the tuple of its replies.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    reply: FiveTuple,
    external: Endpoint,
    state: State,
    until: Instant,
}

impl<A: PortAllocator> Reference<A> {
    /// A translator that has seen nothing yet, with the allocator that `new` makes.
    pub fn new(nat: &Nat, new: impl FnOnce(&Nat) -> A) -> Self {
        Self {
            nat: nat.clone(),
            now: Instant::START,
            allocator: new(nat),
            held: Vec::new(),
            flows: Vec::new(),
            admitted: Vec::new(),
            unanswered: Vec::new(),
        }
    }

    /// Its allocator, to be told something.
    pub const fn allocator_mut(&mut self) -> &mut A {
        &mut self.allocator
    }

    fn outbound(&mut self, segment: Segment) -> Outcome {
        let flow = segment.tuple;
        if self.nat.leaves_alone(flow) {
            return Outcome::Forwarded(flow);
        }
        match self.send(segment) {
            Err(reason) => Outcome::Dropped(reason),
            Ok(sent) if self.nat.is_virtual_ip(sent.destination.address) => {
                let delivered = self.receive(Segment { tuple: sent, ..segment }).ok();
                Outcome::Hairpinned { sent, delivered }
            }
            Ok(sent) => Outcome::Forwarded(sent),
        }
    }

    fn inbound(&mut self, segment: Segment) -> Outcome {
        if self.nat.leaves_alone(segment.tuple.reversed()) {
            return Outcome::Forwarded(segment.tuple);
        }
        match self.receive(segment) {
            Ok(delivered) => Outcome::Forwarded(delivered),
            Err(reason) => {
                self.remember(segment);
                Outcome::Dropped(reason)
            }
        }
    }

    fn send(&mut self, segment: Segment) -> Result<FiveTuple, Reason> {
        let flow = segment.tuple;
        let admitted = self.admitted.iter().position(|admitted| admitted.reply == flow);
        let external = match admitted {
            Some(index) => {
                let external = self.admitted[index].external;
                self.advance_admitted(index, Side::Outside, segment);
                external
            }
            None => self.translate(segment)?,
        };
        let sent = flow.from(external);
        if segment.meaning() == Signal::Open {
            self.unanswered.retain(|(tuple, _)| *tuple != sent.reversed());
        }
        Ok(sent)
    }

    fn translate(&mut self, segment: Segment) -> Result<Endpoint, Reason> {
        let flow = segment.tuple;
        let held = self.held_by(self.nat.mapping_of(flow)).map(|held| held.binding.external);
        if let (Some(external), true) = (held, self.is_live(flow)) {
            self.advance(flow, Side::Inside, segment);
            return Ok(external);
        }
        let state = State::begun_by(segment).ok_or(Reason::NoFlow)?;
        if !self.nat.is_member(flow.source.address) {
            return Err(Reason::Refused(Refusal::NotInPool));
        }
        if self.is_over_limit(flow, held.is_none()) {
            return Err(Reason::Refused(Refusal::OverLimit));
        }
        let external = held.map_or_else(|| self.bind(flow), Ok)?;
        let (until, hold_down) = self.deadline(flow, state);
        self.flows.push(Flow { tuple: flow, state, until, hold_down });
        Ok(external)
    }

    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Reason> {
        let external = self.allocator.bind(flow).map_err(Reason::Refused)?;
        self.held.push(Held {
            binding: Binding { flow, external },
            mapping: self.nat.mapping_of(flow),
            key: self.nat.key(flow, external),
            stranded: false,
            rests_until: self.now,
        });
        Ok(external)
    }

    fn is_over_limit(&self, flow: FiveTuple, binds: bool) -> bool {
        let is_of_member = |other: &FiveTuple| {
            other.source.address == flow.source.address && other.transport == flow.transport
        };
        let flows = self.flows.iter().filter(|flow| is_of_member(&flow.tuple)).count();
        let bindings = self.held.iter().map(|held| held.binding);
        let bindings: Vec<_> = bindings.filter(|binding| is_of_member(&binding.flow)).collect();
        let mut ports: Vec<_> = bindings.iter().map(|binding| binding.external).collect();
        ports.sort_unstable();
        ports.dedup();
        let reaches =
            |count: usize, limit: Option<u32>| limit.is_some_and(|limit| count >= limit as usize);
        let limits = self.nat.limits;
        reaches(flows, limits.flows)
            || (binds && reaches(bindings.len(), limits.bindings))
            || (binds && reaches(ports.len(), limits.ports))
    }

    fn receive(&mut self, segment: Segment) -> Result<FiveTuple, Reason> {
        let tuple = segment.tuple;
        if let Some(rule) = self.nat.rule_at(tuple.transport, tuple.destination) {
            return self.admit(segment, rule.inside);
        }
        let filtering = self.nat.filtering_of(tuple.transport);
        let mapping = self.live_mapping_at(tuple).ok_or(Reason::NoMapping)?;
        let mut flows = self.flows.iter().filter(|flow| self.nat.mapping_of(flow.tuple) == mapping);
        if !flows.any(|flow| filtering.admits(tuple.source, flow.tuple.destination)) {
            return Err(Reason::NoMapping);
        }
        let delivered = tuple.to(mapping.inside);
        self.advance(delivered.reversed(), Side::Outside, segment);
        Ok(delivered)
    }

    fn admit(&mut self, segment: Segment, inside: Endpoint) -> Result<FiveTuple, Reason> {
        let (delivered, external) = (segment.tuple.to(inside), segment.tuple.destination);
        let reply = delivered.reversed();
        match self.admitted.iter().position(|admitted| admitted.reply == reply) {
            _ if self.is_live(reply) => return Err(Reason::Clash),
            Some(index) if self.admitted[index].external != external => return Err(Reason::Clash),
            Some(index) => self.advance_admitted(index, Side::Inside, segment),
            None => self.begin_admitted(reply, external, segment),
        }
        Ok(delivered)
    }

    fn begin_admitted(&mut self, reply: FiveTuple, external: Endpoint, segment: Segment) {
        if let Some(state) = State::begun_by(segment) {
            let (until, _) = self.deadline(reply, state);
            self.admitted.push(Admitted { reply, external, state, until });
        }
    }

    fn advance_admitted(&mut self, index: usize, side: Side, segment: Segment) {
        let before = self.admitted[index];
        let state = before.state.after(side, segment.meaning(), self.nat.closes_on);
        if refreshes(side, segment.meaning(), state != before.state, true) {
            let (until, _) = self.deadline(before.reply, state);
            self.admitted[index] = Admitted { state, until, ..before };
            self.take_out_what_has_ended();
        }
    }

    fn advance(&mut self, flow: FiveTuple, side: Side, segment: Segment) {
        let Some(index) = self.flows.iter().position(|live| live.tuple == flow) else { return };
        let before = self.flows[index].state;
        let state = before.after(side, segment.meaning(), self.nat.closes_on);
        let inbound = self.nat.inbound_refresh.of(flow.transport);
        if refreshes(side, segment.meaning(), state != before, inbound) {
            let (until, hold_down) = self.deadline(flow, state);
            self.flows[index] = Flow { tuple: flow, state, until, hold_down };
            self.take_out_what_has_ended();
        }
    }

    /// When a flow in this state ends if it is left alone, and how long its key rests then.
    fn deadline(&self, flow: FiveTuple, state: State) -> (Instant, Duration) {
        let timers = &self.nat.timers;
        (self.now + state.idle(flow.transport, timers), state.hold_down(timers))
    }

    fn is_live(&self, flow: FiveTuple) -> bool {
        self.flows.iter().any(|live| live.tuple == flow)
    }

    fn held_by(&self, mapping: Mapping) -> Option<&Held> {
        self.held.iter().find(|held| held.mapping == mapping && !held.stranded)
    }

    /// The mapping with a live flow whose key a packet of the outside matches.
    fn live_mapping_at(&self, tuple: FiveTuple) -> Option<Mapping> {
        let key = self.nat.key(tuple.reversed(), tuple.destination);
        let held = self.held.iter().find(|held| held.key == key && !held.stranded)?;
        let mut flows = self.flows.iter().map(|flow| self.nat.mapping_of(flow.tuple));
        flows.any(|mapping| mapping == held.mapping).then_some(held.mapping)
    }

    fn remember(&mut self, Segment { tuple, signal }: Segment) {
        let is_syn = tuple.transport == Transport::Tcp && signal == Signal::Open;
        let is_ours = self.nat.is_virtual_ip(tuple.destination.address);
        let is_known = self.unanswered.iter().any(|(other, _)| *other == tuple);
        let asks = is_syn && is_ours && !is_known && self.now < Instant::LAST;
        if let (true, Some(wait)) = (asks, self.nat.timers.unsolicited_syn) {
            self.unanswered.push((tuple, self.now + wait));
        }
    }

    fn outbound_error(&self, error: IcmpError) -> Option<IcmpError> {
        if error.to != error.quoted.source.address {
            return None;
        }
        let reply = error.quoted.reversed();
        if self.nat.leaves_alone(reply) {
            return Some(error);
        }
        let admitted = self.admitted.iter().find(|admitted| admitted.reply == reply);
        let mapping = self.nat.mapping_of(reply);
        let mut flows = self.flows.iter().map(|flow| self.nat.mapping_of(flow.tuple));
        let external = match (admitted, self.held_by(mapping)) {
            (Some(admitted), _) => admitted.external,
            (None, Some(held)) if flows.any(|live| live == mapping) => held.binding.external,
            (None, _) => return None,
        };
        let sent = IcmpError { from: external.address, quoted: error.quoted.to(external), ..error };
        if self.nat.is_virtual_ip(sent.to) { self.inbound_error(sent) } else { Some(sent) }
    }

    fn inbound_error(&self, error: IcmpError) -> Option<IcmpError> {
        let sent = error.quoted;
        if error.to != sent.source.address {
            return None;
        }
        if self.nat.leaves_alone(sent) {
            return Some(error);
        }
        let flow = if let Some(rule) = self.nat.rule_at(sent.transport, sent.source) {
            let reply = sent.from(rule.inside);
            let is_it = |it: &&Admitted| it.reply == reply && it.external == sent.source;
            self.admitted.iter().find(is_it)?.reply
        } else {
            let mapping = self.live_mapping_at(sent.reversed())?;
            let flow = sent.from(mapping.inside);
            Some(flow).filter(|flow| self.nat.mapping_of(*flow) == mapping)?
        };
        Some(IcmpError { to: flow.source.address, quoted: flow, ..error })
    }

    fn elapse(&mut self, length: Duration) -> Outcome {
        self.now = self.now + length;
        self.take_out_what_has_ended();
        let now = self.now;
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            self.unanswered.drain(..).partition(|(_, at)| *at <= now);
        self.unanswered = waiting;
        due.sort_unstable_by_key(|(tuple, at)| (*at, *tuple));
        Outcome::Elapsed { sent: due.iter().map(|it| IcmpError::unreachable(it.0)).collect() }
    }

    /// Flows that are over leave only their hold-down behind, and that ends too.
    fn take_out_what_has_ended(&mut self) {
        let now = self.now;
        for flow in self.flows.iter().filter(|flow| flow.until <= now) {
            let mapping = self.nat.mapping_of(flow.tuple);
            let held = self.held.iter_mut().filter(|it| it.mapping == mapping && !it.stranded);
            let rests_until = flow.until + flow.hold_down;
            held.for_each(|held| held.rests_until = held.rests_until.max(rests_until));
        }
        self.flows.retain(|flow| flow.until > now);
        self.admitted.retain(|admitted| admitted.until > now);
        let live: Vec<_> = self.flows.iter().map(|flow| self.nat.mapping_of(flow.tuple)).collect();
        let is_over = |held: &Held| {
            held.rests_until <= now && (held.stranded || !live.contains(&held.mapping))
        };
        let (over, held) = self.held.iter().partition(|held| is_over(held));
        self.held = held;
        let over: Vec<Held> = over;
        over.iter().for_each(|held| self.allocator.release(held.binding));
    }

    fn reconfigure(&mut self, nat: &Nat) -> Outcome {
        let before = std::mem::replace(&mut self.nat, nat.clone());
        self.allocator.reconfigure(nat);
        let rests_until = self.now + nat.timers.hold_down.idle;
        let mut stranded = Vec::new();
        for held in self.held.iter_mut().filter(|held| !held.stranded) {
            if nat.keeps(&before, held.binding) {
                continue;
            }
            held.stranded = true;
            let is_of = |flow: &Flow| before.mapping_of(flow.tuple) == held.mapping;
            if self.flows.iter().any(is_of) {
                stranded.push(held.binding);
                held.rests_until = held.rests_until.max(rests_until);
                self.flows.retain(|flow| !is_of(flow));
            }
        }
        stranded.sort_unstable();
        self.admitted.retain(|admitted| {
            let rule = nat.rule_at(admitted.reply.transport, admitted.external);
            rule.is_some_and(|rule| rule.inside == admitted.reply.source)
        });
        self.unanswered.retain(|(tuple, _)| nat.is_virtual_ip(tuple.destination.address));
        self.take_out_what_has_ended();
        Outcome::Reconfigured { stranded }
    }
}

impl<A: PortAllocator> Device<Nat> for Reference<A> {
    fn step(&mut self, event: &Event) -> Outcome {
        let forwarded = |error: Option<IcmpError>| {
            error.map_or(Outcome::Dropped(Reason::NoMapping), Outcome::ErrorForwarded)
        };
        let outcome = match event {
            Event::Outbound(segment) => self.outbound(*segment),
            Event::Inbound(segment) => self.inbound(*segment),
            Event::OutboundError(error) => forwarded(self.outbound_error(*error)),
            Event::InboundError(error) => forwarded(self.inbound_error(*error)),
            Event::Elapse(length) => self.elapse(*length),
            Event::Reconfigure(nat) => self.reconfigure(nat),
        };
        if self.now == Instant::LAST {
            self.take_out_what_has_ended();
        }
        outcome
    }
}
