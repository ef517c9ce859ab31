//! A running translator: a configuration, a flow table and an allocator.
//!
//! **Readings taken.**
//! - An outbound packet of a member begins a flow, unless it ends one (RFC 3022 leaves open whether
//!   only a SYN may). A packet that ends a flow which is not live is dropped.
//! - A mapping in hold-down is re-opened by its own inside endpoint with the same external
//!   endpoint, and the allocator is not asked. A stranded one never is.
//! - A packet that a mapping's filter lets in without being of one of its flows begins none, and
//!   refreshes none.
//! - A connection admitted by an inbound rule is tracked without a binding: its replies leave
//!   through the address it came by and take no port. Any packet of either side keeps it, but for
//!   an RST.
//! - A packet for one of the translator's own virtual IPs goes out and comes in again, once. What
//!   going out did stays done, even if nobody lets it in.

mod agenda;
mod reference;
mod usage;

use std::hash::Hash;
use std::net::Ipv4Addr;

use itertools::Itertools;
use rustc_hash::{FxHashMap, FxHashSet};

pub use reference::Reference;

use agenda::{Agenda, Ticket};
use usage::Usage;

use crate::allocator::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{
    Event, FilteringBehaviour, IcmpError, Key, Mapping, Nat, Outcome, Reason, Remote, Segment,
    Side, Signal, State, refreshes,
};
use crate::subject::Device;
use crate::time::{Duration, Instant};

/// The device that a [`Nat`] describes, with any allocator.
#[derive(Debug, Clone)]
pub struct Translator<A> {
    nat: Nat,
    now: Instant,
    allocator: A,
    entries: FxHashMap<Mapping, Entry>,
    by_key: FxHashMap<Key, Mapping>,
    flows: FxHashMap<FiveTuple, Live>,
    /// Live flows of a mapping to an address, where that is what its filter looks at.
    peers: FxHashMap<(Mapping, Ipv4Addr), u32>,
    admitted: FxHashMap<FiveTuple, Admitted>,
    unanswered: FxHashMap<FiveTuple, Ticket>,
    usage: Usage,
    agenda: Agenda<Due>,
}

/// A mapping that holds a key: live while it has flows, then in hold-down.
#[derive(Debug, Clone)]
struct Entry {
    binding: Binding,
    key: Key,
    flows: u32,
    rests_until: Instant,
    rest: Option<Ticket>,
}

/// A live flow.
#[derive(Debug, Clone, Copy)]
struct Live {
    state: State,
    until: Instant,
    hold_down: Duration,
    timer: Ticket,
}

/// A connection that an inbound rule let in.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    external: Endpoint,
    state: State,
    until: Instant,
    timer: Ticket,
}

/// What falls due at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Due {
    /// A flow's idle timer.
    Idle(FiveTuple),
    /// The end of a mapping's hold-down.
    Rested(Mapping),
    /// The end of a stranded binding's hold-down.
    Released(Binding),
    /// The idle timer of an admitted connection.
    Forgotten(FiveTuple),
    /// The answer to an unsolicited SYN.
    Unanswered(FiveTuple),
}

impl<A: PortAllocator> Translator<A> {
    /// A translator that has seen nothing yet, with the allocator that `new` makes.
    pub fn new(nat: &Nat, new: impl FnOnce(&Nat) -> A) -> Self {
        Self {
            nat: nat.clone(),
            now: Instant::START,
            allocator: new(nat),
            entries: FxHashMap::default(),
            by_key: FxHashMap::default(),
            flows: FxHashMap::default(),
            peers: FxHashMap::default(),
            admitted: FxHashMap::default(),
            unanswered: FxHashMap::default(),
            usage: Usage::new(nat.limits),
            agenda: Agenda::new(),
        }
    }

    /// Its allocator.
    pub const fn allocator(&self) -> &A {
        &self.allocator
    }

    /// Its allocator, to be told something.
    pub const fn allocator_mut(&mut self) -> &mut A {
        &mut self.allocator
    }

    /// All that later answers can depend on, with instants told from now on: two translators that
    /// hash alike here answer alike, until the last instant there is.
    pub fn relative(&self) -> impl Hash
    where
        A: Hash,
    {
        let from_now = |at: Instant| at.millis().saturating_sub(self.now.millis());
        let flow = |(flow, live): (&FiveTuple, &Live)| {
            (*flow, live.state, from_now(live.until), live.hold_down)
        };
        let entry = |(mapping, entry): (&Mapping, &Entry)| {
            (*mapping, entry.binding, entry.flows, from_now(entry.rests_until))
        };
        let admitted = |(reply, admitted): (&FiveTuple, &Admitted)| {
            (*reply, admitted.external, admitted.state, from_now(admitted.until))
        };
        let entries = self.entries.iter().map(entry).sorted().collect_vec();
        let flows = self.flows.iter().map(flow).sorted().collect_vec();
        let admitted = self.admitted.iter().map(admitted).sorted().collect_vec();
        let agenda = self.agenda.iter().map(|(at, due)| (from_now(at), due)).sorted();
        (&self.nat, &self.allocator, entries, flows, admitted, agenda.collect_vec())
    }

    fn outbound(&mut self, segment: Segment) -> Outcome {
        let flow = segment.tuple;
        if self.nat.leaves_alone(flow) {
            return Outcome::Forwarded(flow);
        }
        let sent = match self.send(segment) {
            Ok(external) => flow.from(external),
            Err(reason) => return Outcome::Dropped(reason),
        };
        if !self.nat.is_virtual_ip(sent.destination.address) {
            return Outcome::Forwarded(sent);
        }
        let delivered = self.receive(Segment { tuple: sent, ..segment }).ok();
        Outcome::Hairpinned { sent, delivered }
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

    /// The external endpoint with which a packet of the inside goes out.
    fn send(&mut self, segment: Segment) -> Result<Endpoint, Reason> {
        let flow = segment.tuple;
        let external = match self.admitted.get(&flow) {
            Some(admitted) => {
                let external = admitted.external;
                self.track(flow, external, Side::Outside, segment);
                external
            }
            None => self.translate(segment)?,
        };
        if segment.meaning() == Signal::Open {
            self.expect(flow.from(external).reversed());
        }
        Ok(external)
    }

    fn translate(&mut self, segment: Segment) -> Result<Endpoint, Reason> {
        let flow = segment.tuple;
        let mapping = self.nat.mapping_of(flow);
        if self.flows.contains_key(&flow) {
            let external = self.entries[&mapping].binding.external;
            self.advance(flow, Side::Inside, segment);
            return Ok(external);
        }
        let state = State::begun_by(segment).ok_or(Reason::NoFlow)?;
        if !self.nat.is_member(flow.source.address) {
            return Err(Reason::Refused(Refusal::NotInPool));
        }
        if !self.usage.allows_a_flow(flow) {
            return Err(Reason::Refused(Refusal::OverLimit));
        }
        let external = match self.entries.get(&mapping) {
            Some(entry) => entry.binding.external,
            None => self.bind(mapping, flow)?,
        };
        self.begin(mapping, flow, state);
        Ok(external)
    }

    fn bind(&mut self, mapping: Mapping, flow: FiveTuple) -> Result<Endpoint, Reason> {
        if !self.usage.allows_a_binding(flow) {
            return Err(Reason::Refused(Refusal::OverLimit));
        }
        let external = self.allocator.bind(flow).map_err(Reason::Refused)?;
        let (binding, key) = (Binding { flow, external }, self.nat.key(flow, external));
        let entry = Entry { binding, key, flows: 0, rests_until: self.now, rest: None };
        self.usage.bound(binding);
        self.by_key.insert(key, mapping);
        self.entries.insert(mapping, entry);
        Ok(external)
    }

    /// How a packet of the outside comes in.
    fn receive(&mut self, segment: Segment) -> Result<FiveTuple, Reason> {
        let tuple = segment.tuple;
        if let Some(rule) = self.nat.rule_at(tuple.transport, tuple.destination) {
            return self.admit(segment, rule.inside);
        }
        let mapping = self.mapping_at(tuple).filter(|mapping| self.lets_in(*mapping, tuple));
        let delivered = tuple.to(mapping.ok_or(Reason::NoMapping)?.inside);
        self.advance(delivered.reversed(), Side::Outside, segment);
        Ok(delivered)
    }

    /// The live mapping whose key a packet of the outside matches.
    fn mapping_at(&self, tuple: FiveTuple) -> Option<Mapping> {
        let key = self.nat.key(tuple.reversed(), tuple.destination);
        let mapping = self.by_key.get(&key).copied()?;
        (self.entries[&mapping].flows > 0).then_some(mapping)
    }

    /// Whether a mapping's filter lets a packet in.
    fn lets_in(&self, mapping: Mapping, tuple: FiveTuple) -> bool {
        let filtering = self.nat.filtering_of(tuple.transport);
        match (filtering, mapping.remote) {
            (FilteringBehaviour::EndpointIndependent, _) => true,
            (_, Remote::Endpoint(destination)) => filtering.admits(tuple.source, destination),
            (FilteringBehaviour::AddressDependent, Remote::Address(address)) => {
                address == tuple.source.address
            }
            (FilteringBehaviour::AddressDependent, Remote::Any) => {
                self.peers.contains_key(&(mapping, tuple.source.address))
            }
            (FilteringBehaviour::AddressAndPortDependent, Remote::Any | Remote::Address(_)) => {
                self.flows.contains_key(&tuple.to(mapping.inside).reversed())
            }
        }
    }

    /// A packet that an inbound rule lets in.
    fn admit(&mut self, segment: Segment, inside: Endpoint) -> Result<FiveTuple, Reason> {
        let delivered = segment.tuple.to(inside);
        let (reply, external) = (delivered.reversed(), segment.tuple.destination);
        let through = self.admitted.get(&reply).map(|admitted| admitted.external);
        let is_elsewhere = through.is_some_and(|through| through != external);
        if is_elsewhere || self.flows.contains_key(&reply) {
            return Err(Reason::Clash);
        }
        self.track(reply, external, Side::Inside, segment);
        Ok(delivered)
    }

    /// A packet of an admitted connection. Seen from there the outside is what the inside is to
    /// other flows: the side that began.
    fn track(&mut self, reply: FiveTuple, external: Endpoint, side: Side, segment: Segment) {
        let signal = segment.meaning();
        let before = self.admitted.get(&reply).copied();
        let state = match before {
            Some(before) => Some(before.state.after(side, signal, self.nat.closes_on)),
            None => State::begun_by(segment),
        };
        let Some(state) = state else { return };
        let changes = before.is_none_or(|before| before.state != state);
        if refreshes(side, signal, changes, true) {
            self.forget_admitted(reply);
            self.keep_admitted(reply, external, state);
        }
    }

    fn keep_admitted(&mut self, reply: FiveTuple, external: Endpoint, state: State) {
        let idle = state.idle(reply.transport, &self.nat.timers);
        if !idle.is_zero() {
            let timer = self.agenda.add(self.now, idle, Due::Forgotten(reply));
            let admitted = Admitted { external, state, until: self.now + idle, timer };
            self.admitted.insert(reply, admitted);
        }
    }

    fn forget_admitted(&mut self, reply: FiveTuple) {
        if let Some(admitted) = self.admitted.remove(&reply) {
            self.agenda.take_out(admitted.timer);
        }
    }

    /// A flow of the mapping begins.
    fn begin(&mut self, mapping: Mapping, flow: FiveTuple, state: State) {
        if let Some(entry) = self.entries.get_mut(&mapping) {
            entry.flows += 1;
        }
        if self.filters_by_peer(mapping) {
            *self.peers.entry((mapping, flow.destination.address)).or_default() += 1;
        }
        self.usage.begun(flow);
        self.set_deadline(flow, state);
    }

    fn filters_by_peer(&self, mapping: Mapping) -> bool {
        let filtering = self.nat.filtering_of(mapping.transport);
        mapping.remote == Remote::Any && filtering == FilteringBehaviour::AddressDependent
    }

    /// A packet of a flow, if the flow is live: it goes on, changes its state, or ends.
    fn advance(&mut self, flow: FiveTuple, side: Side, segment: Segment) {
        let Some(live) = self.flows.get(&flow).copied() else { return };
        let signal = segment.meaning();
        let state = live.state.after(side, signal, self.nat.closes_on);
        let inbound = self.nat.inbound_refresh.of(flow.transport);
        if refreshes(side, signal, state != live.state, inbound) {
            self.agenda.take_out(live.timer);
            self.set_deadline(flow, state);
        }
    }

    /// The flow lives from now on for the timer of its state; where that is zero, it is over.
    fn set_deadline(&mut self, flow: FiveTuple, state: State) {
        let timers = &self.nat.timers;
        let (idle, hold_down) = (state.idle(flow.transport, timers), state.hold_down(timers));
        if idle.is_zero() {
            return self.end(flow, self.now, hold_down);
        }
        let timer = self.agenda.add(self.now, idle, Due::Idle(flow));
        self.flows.insert(flow, Live { state, until: self.now + idle, hold_down, timer });
    }

    /// A flow is over at `at`, and its key rests from then on.
    fn end(&mut self, flow: FiveTuple, at: Instant, hold_down: Duration) {
        let mapping = self.nat.mapping_of(flow);
        self.flows.remove(&flow);
        self.usage.ended(flow);
        self.forget_peer(mapping, flow.destination.address);
        let Some(entry) = self.entries.get_mut(&mapping) else { return };
        entry.flows -= 1;
        if at + hold_down > entry.rests_until && !hold_down.is_zero() {
            entry.rests_until = at + hold_down;
            let before = entry.rest.replace(self.agenda.add(at, hold_down, Due::Rested(mapping)));
            before.into_iter().for_each(|ticket| self.agenda.take_out(ticket));
        }
        self.release_rested(mapping, at);
    }

    fn forget_peer(&mut self, mapping: Mapping, address: Ipv4Addr) {
        if let Some(flows) = self.peers.get_mut(&(mapping, address)) {
            *flows -= 1;
            if *flows == 0 {
                self.peers.remove(&(mapping, address));
            }
        }
    }

    /// Gives the mapping's endpoint back, if no flow and no hold-down is left at `at`.
    fn release_rested(&mut self, mapping: Mapping, at: Instant) {
        let entry = self.entries.get(&mapping);
        if entry.is_some_and(|entry| entry.flows == 0 && entry.rests_until <= at)
            && let Some(entry) = self.forget(mapping)
        {
            entry.rest.into_iter().for_each(|ticket| self.agenda.take_out(ticket));
            self.release(entry.binding);
        }
    }

    fn release(&mut self, binding: Binding) {
        self.usage.released(binding);
        self.allocator.release(binding);
    }

    /// Takes a mapping and its key out of the flow table.
    fn forget(&mut self, mapping: Mapping) -> Option<Entry> {
        let entry = self.entries.remove(&mapping)?;
        if self.by_key.get(&entry.key) == Some(&mapping) {
            self.by_key.remove(&entry.key);
        }
        Some(entry)
    }

    /// A SYN of the outside that nobody asked for waits for one of the inside.
    fn remember(&mut self, Segment { tuple, signal }: Segment) {
        let is_syn = tuple.transport == Transport::Tcp && signal == Signal::Open;
        let is_ours = self.nat.is_virtual_ip(tuple.destination.address);
        let wait = self.nat.timers.unsolicited_syn.filter(|_| is_syn && is_ours);
        if let (Some(wait), false) = (wait, self.unanswered.contains_key(&tuple)) {
            let ticket = self.agenda.add(self.now, wait, Due::Unanswered(tuple));
            self.unanswered.insert(tuple, ticket);
        }
    }

    /// The inside opens the connection that a SYN of the outside asked for.
    fn expect(&mut self, inbound: FiveTuple) {
        if let Some(ticket) = self.unanswered.remove(&inbound) {
            self.agenda.take_out(ticket);
        }
    }

    /// An ICMP error of the inside about a packet that came in (RFC 5508 REQ-5).
    fn outbound_error(&self, error: IcmpError) -> Option<IcmpError> {
        let reply = error.quoted.reversed();
        if error.to != error.quoted.source.address || self.nat.leaves_alone(reply) {
            return (error.to == error.quoted.source.address).then_some(error);
        }
        let live = || self.entries.get(&self.nat.mapping_of(reply)).filter(|it| it.flows > 0);
        let external = match self.admitted.get(&reply) {
            Some(admitted) => admitted.external,
            None => live()?.binding.external,
        };
        let sent = IcmpError { from: external.address, quoted: error.quoted.to(external), ..error };
        if self.nat.is_virtual_ip(sent.to) { self.inbound_error(sent) } else { Some(sent) }
    }

    /// An ICMP error of the outside about a packet that went out (RFC 5508 REQ-4).
    fn inbound_error(&self, error: IcmpError) -> Option<IcmpError> {
        let quoted = error.quoted;
        if error.to != quoted.source.address || self.nat.leaves_alone(quoted) {
            return (error.to == quoted.source.address).then_some(error);
        }
        let flow = quoted.from(self.inside_of(quoted)?);
        Some(IcmpError { to: flow.source.address, quoted: flow, ..error })
    }

    /// Who sent a packet that went out like this.
    fn inside_of(&self, sent: FiveTuple) -> Option<Endpoint> {
        if let Some(rule) = self.nat.rule_at(sent.transport, sent.source) {
            let admitted = self.admitted.get(&sent.from(rule.inside))?;
            return (admitted.external == sent.source).then_some(rule.inside);
        }
        let mapping = self.mapping_at(sent.reversed())?;
        (self.nat.mapping_of(sent.from(mapping.inside)) == mapping).then_some(mapping.inside)
    }

    fn elapse(&mut self, length: Duration) -> Outcome {
        self.now = self.now + length;
        Outcome::Elapsed { sent: self.settle() }
    }

    /// Does what has fallen due, and answers what is sent.
    fn settle(&mut self) -> Vec<IcmpError> {
        let mut sent = Vec::new();
        while let Some((at, due)) = self.agenda.next_due(self.now) {
            sent.extend(due.into_iter().filter_map(|due| self.fall_due(at, due)));
        }
        sent
    }

    fn fall_due(&mut self, at: Instant, due: Due) -> Option<IcmpError> {
        match due {
            Due::Idle(flow) => {
                let hold_down = self.flows.get(&flow)?.hold_down;
                self.end(flow, at, hold_down);
            }
            Due::Rested(mapping) => self.release_rested(mapping, at),
            Due::Released(binding) => self.release(binding),
            Due::Forgotten(reply) => drop(self.admitted.remove(&reply)),
            Due::Unanswered(tuple) => {
                self.unanswered.remove(&tuple);
                return Some(IcmpError::unreachable(tuple));
            }
        }
        None
    }

    fn reconfigure(&mut self, nat: &Nat) -> Outcome {
        let lost = self.entries.iter().filter(|(_, it)| !nat.keeps(&self.nat, it.binding));
        let mut lost: Vec<Mapping> = lost.map(|(mapping, _)| *mapping).collect();
        lost.sort_unstable();
        self.end_flows_of(&lost);
        let lost: Vec<Entry> = lost.into_iter().filter_map(|it| self.forget(it)).collect();
        self.nat = nat.clone();
        self.allocator.reconfigure(nat);
        let live = lost.iter().filter(|entry| entry.flows > 0).map(|entry| entry.binding);
        let stranded = live.sorted_unstable().collect();
        lost.into_iter().for_each(|entry| self.strand(&entry));
        self.count_anew();
        self.keep_what_rules_admit();
        Outcome::Reconfigured { stranded }
    }

    /// Takes the flows of mappings that the new configuration ends out of the table.
    fn end_flows_of(&mut self, lost: &[Mapping]) {
        let lost: FxHashSet<Mapping> = lost.iter().copied().collect();
        let (nat, agenda) = (&self.nat, &mut self.agenda);
        self.flows.retain(|flow, live| {
            let stays = !lost.contains(&nat.mapping_of(*flow));
            if !stays {
                agenda.take_out(live.timer);
            }
            stays
        });
        self.peers.retain(|(mapping, _), _| !lost.contains(mapping));
    }

    /// The binding of a mapping that is gone rests as long as that of an idle flow, if it was live.
    fn strand(&mut self, entry: &Entry) {
        let rest = self.nat.timers.hold_down.idle;
        let rests = entry.flows > 0 && !rest.is_zero();
        let is_longest = rests && self.now + rest > entry.rests_until;
        let released = Due::Released(entry.binding);
        if !is_longest && entry.rests_until > self.now {
            return entry.rest.into_iter().for_each(|rest| self.agenda.replace(rest, released));
        }
        entry.rest.into_iter().for_each(|ticket| self.agenda.take_out(ticket));
        if is_longest {
            self.agenda.add(self.now, rest, released);
        } else {
            self.release(entry.binding);
        }
    }

    /// Counts what each member holds, for the limits of a new configuration.
    fn count_anew(&mut self) {
        self.usage = Usage::new(self.nat.limits);
        if !self.nat.limits.bind_members() {
            return;
        }
        self.entries.values().for_each(|entry| self.usage.bound(entry.binding));
        self.flows.keys().for_each(|flow| self.usage.begun(*flow));
        for (_, due) in self.agenda.iter() {
            if let Due::Released(binding) = due {
                self.usage.bound(binding);
            }
        }
    }

    /// Forgets the admitted connections whose rule is gone, and the SYNs whose address is.
    fn keep_what_rules_admit(&mut self) {
        let (nat, agenda) = (&self.nat, &mut self.agenda);
        self.admitted.retain(|reply, admitted| {
            let rule = nat.rule_at(reply.transport, admitted.external);
            let stays = rule.is_some_and(|rule| rule.inside == reply.source);
            if !stays {
                agenda.take_out(admitted.timer);
            }
            stays
        });
        self.unanswered.retain(|tuple, ticket| {
            let stays = nat.is_virtual_ip(tuple.destination.address);
            if !stays {
                agenda.take_out(*ticket);
            }
            stays
        });
    }
}

impl<A: PortAllocator> Device<Nat> for Translator<A> {
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
        // At the last instant there is no time left: what begins is over at once.
        if self.now == Instant::LAST {
            self.settle();
        }
        outcome
    }
}
