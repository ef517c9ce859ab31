//! A running translator: a configuration, a flow table and an allocator.
//!
//! **Readings taken.**
//! - Any outbound packet of a member begins a flow, unless it ends one (RFC 3022 leaves open
//!   whether only a SYN may). A packet that ends a flow which is not live is dropped.
//! - A FIN or an RST of either side ends the flow at once; the states between are not modelled.
//! - A mapping in hold-down is re-opened by its own inside endpoint with the same external
//!   endpoint, and the allocator is not asked. A stranded one never is.
//! - A connection admitted by an inbound rule is tracked without a binding: its replies leave
//!   through the address it came by and take no port. Any packet of either side keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use itertools::Itertools;
use rustc_hash::FxHashMap;

use crate::allocator::PortAllocator;
use crate::flow::{Binding, Endpoint, FiveTuple};
use crate::nat::{Event, Key, Mapping, Nat, Outcome, Reason, Segment, Signal};
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
    admitted: FxHashMap<FiveTuple, Admitted>,
    agenda: BTreeSet<(Instant, Due)>,
}

/// A mapping that holds a key: live while it has flows, then in hold-down.
#[derive(Debug, Clone)]
struct Entry {
    binding: Binding,
    flows: BTreeMap<FiveTuple, Live>,
    rests_until: Instant,
}

/// A live flow.
#[derive(Debug, Clone, Copy)]
struct Live {
    until: Instant,
    hold_down: Duration,
}

/// A connection that an inbound rule let in.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    external: Endpoint,
    until: Instant,
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
            admitted: FxHashMap::default(),
            agenda: BTreeSet::new(),
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
        let flow =
            |(flow, live): (&FiveTuple, &Live)| (*flow, from_now(live.until), live.hold_down);
        let entry = |(mapping, entry): (&Mapping, &Entry)| {
            let flows = entry.flows.iter().map(flow).collect_vec();
            (*mapping, entry.binding, flows, from_now(entry.rests_until))
        };
        let admitted = |(reply, admitted): (&FiveTuple, &Admitted)| {
            (*reply, admitted.external, from_now(admitted.until))
        };
        let entries = self.entries.iter().map(entry).sorted().collect_vec();
        let by_key = self.by_key.iter().sorted().collect_vec();
        let admitted = self.admitted.iter().map(admitted).sorted().collect_vec();
        let agenda = self.agenda.iter().map(|(at, due)| (from_now(*at), *due)).collect_vec();
        (&self.nat, &self.allocator, entries, by_key, admitted, agenda)
    }

    fn outbound(&mut self, segment: Segment) -> Outcome {
        let flow = segment.tuple;
        if let Some(admitted) = self.admitted.get(&flow).copied() {
            self.track(flow, admitted.external, segment);
            return Outcome::Forwarded(flow.from(admitted.external));
        }
        match self.translate(segment) {
            Ok(external) => Outcome::Forwarded(flow.from(external)),
            Err(reason) => Outcome::Dropped(reason),
        }
    }

    /// The external endpoint with which a packet of the inside goes on.
    fn translate(&mut self, segment: Segment) -> Result<Endpoint, Reason> {
        let flow = segment.tuple;
        let mapping = self.nat.mapping.mapping(flow);
        let entry = self.entries.get(&mapping);
        let is_live = entry.is_some_and(|entry| entry.flows.contains_key(&flow));
        if segment.ends_its_flow() && !is_live {
            return Err(Reason::NoFlow);
        }
        let external = match entry {
            Some(entry) => entry.binding.external,
            None => self.bind(mapping, flow)?,
        };
        if segment.ends_its_flow() {
            self.close(flow, self.hold_down_after(segment));
        } else {
            self.refresh(mapping, segment);
        }
        Ok(external)
    }

    fn bind(&mut self, mapping: Mapping, flow: FiveTuple) -> Result<Endpoint, Reason> {
        let external = self.allocator.bind(flow).map_err(Reason::Refused)?;
        let binding = Binding { flow, external };
        let entry = Entry { binding, flows: BTreeMap::new(), rests_until: self.now };
        self.by_key.insert(self.nat.key(flow, external), mapping);
        self.entries.insert(mapping, entry);
        Ok(external)
    }

    fn inbound(&mut self, segment: Segment) -> Outcome {
        let tuple = segment.tuple;
        if let Some(rule) = self.nat.rule_at(tuple.transport, tuple.destination) {
            return self.admit(segment, rule.inside);
        }
        let Some(entry) = self.entry_for(tuple) else {
            return Outcome::Dropped(Reason::NoMapping);
        };
        let delivered = tuple.to(entry.binding.flow.source);
        if segment.ends_its_flow() && entry.flows.contains_key(&delivered.reversed()) {
            self.close(delivered.reversed(), self.hold_down_after(segment));
        }
        Outcome::Forwarded(delivered)
    }

    /// The live mapping that a packet of the outside matches.
    fn entry_for(&self, tuple: FiveTuple) -> Option<&Entry> {
        let key = self.nat.key(tuple.reversed(), tuple.destination);
        let mapping = self.by_key.get(&key)?;
        let remote = self.nat.mapping.remote(tuple.source);
        let entry = self.entries.get(mapping).filter(|_| mapping.remote == remote)?;
        (!entry.flows.is_empty()).then_some(entry)
    }

    /// A packet that an inbound rule lets in.
    fn admit(&mut self, segment: Segment, inside: Endpoint) -> Outcome {
        let delivered = segment.tuple.to(inside);
        let (reply, external) = (delivered.reversed(), segment.tuple.destination);
        let translated = self.entries.get(&self.nat.mapping.mapping(reply));
        let is_translated = translated.is_some_and(|entry| entry.flows.contains_key(&reply));
        let through = self.admitted.get(&reply).map(|admitted| admitted.external);
        if is_translated || through.is_some_and(|through| through != external) {
            return Outcome::Dropped(Reason::Clash);
        }
        self.track(reply, external, segment);
        Outcome::Forwarded(delivered)
    }

    /// A packet of an admitted connection: it goes on, or ends.
    fn track(&mut self, reply: FiveTuple, external: Endpoint, segment: Segment) {
        if let Some(admitted) = self.admitted.remove(&reply) {
            self.agenda.remove(&(admitted.until, Due::Forgotten(reply)));
        }
        if !segment.ends_its_flow() {
            let until = self.now + self.nat.timers.idle.of(reply.transport);
            self.admitted.insert(reply, Admitted { external, until });
            self.agenda.insert((until, Due::Forgotten(reply)));
        }
    }

    /// An outbound packet begins a flow of the mapping, or keeps it for another idle time.
    fn refresh(&mut self, mapping: Mapping, segment: Segment) {
        let flow = segment.tuple;
        let timers = self.nat.timers;
        let until = self.now + timers.idle.of(flow.transport);
        let Some(entry) = self.entries.get_mut(&mapping) else {
            return;
        };
        if entry.flows.is_empty() {
            self.agenda.remove(&(entry.rests_until, Due::Rested(mapping)));
        }
        let live = Live { until, hold_down: timers.hold_down.idle };
        if let Some(before) = entry.flows.insert(flow, live) {
            self.agenda.remove(&(before.until, Due::Idle(flow)));
        }
        self.agenda.insert((until, Due::Idle(flow)));
    }

    /// A packet ends a live flow.
    fn close(&mut self, flow: FiveTuple, hold_down: Duration) {
        let mapping = self.nat.mapping.mapping(flow);
        let Some(entry) = self.entries.get_mut(&mapping) else {
            return;
        };
        if let Some(live) = entry.flows.remove(&flow) {
            self.agenda.remove(&(live.until, Due::Idle(flow)));
            self.end(mapping, self.now + hold_down);
        }
    }

    /// A flow of the mapping is over and its hold-down lasts until `rests_until`.
    fn end(&mut self, mapping: Mapping, rests_until: Instant) {
        let Some(entry) = self.entries.get_mut(&mapping) else {
            return;
        };
        entry.rests_until = entry.rests_until.max(rests_until);
        if !entry.flows.is_empty() {
            return;
        }
        if entry.rests_until > self.now {
            self.agenda.insert((entry.rests_until, Due::Rested(mapping)));
        } else {
            self.release(mapping);
        }
    }

    /// The mapping's hold-down is over.
    fn release(&mut self, mapping: Mapping) {
        if let Some(entry) = self.forget(mapping) {
            self.allocator.release(entry.binding);
        }
    }

    /// Takes a mapping and its key out of the flow table.
    fn forget(&mut self, mapping: Mapping) -> Option<Entry> {
        let entry = self.entries.remove(&mapping)?;
        let key = self.nat.key(entry.binding.flow, entry.binding.external);
        if self.by_key.get(&key) == Some(&mapping) {
            self.by_key.remove(&key);
        }
        Some(entry)
    }

    fn elapse(&mut self, length: Duration) -> Outcome {
        self.now = self.now + length;
        self.settle();
        Outcome::Elapsed
    }

    /// Does what has fallen due.
    fn settle(&mut self) {
        while let Some((at, due)) = self.agenda.first().copied().filter(|(at, _)| *at <= self.now) {
            self.agenda.pop_first();
            self.fall_due(at, due);
        }
    }

    fn fall_due(&mut self, at: Instant, due: Due) {
        match due {
            Due::Idle(flow) => {
                let mapping = self.nat.mapping.mapping(flow);
                let entry = self.entries.get_mut(&mapping);
                if let Some(live) = entry.and_then(|entry| entry.flows.remove(&flow)) {
                    self.end(mapping, at + live.hold_down);
                }
            }
            Due::Rested(mapping) => self.release(mapping),
            Due::Released(binding) => self.allocator.release(binding),
            Due::Forgotten(reply) => drop(self.admitted.remove(&reply)),
        }
    }

    fn reconfigure(&mut self, nat: &Nat) -> Outcome {
        let stays = |entry: &Entry| nat.keeps(&self.nat, entry.binding);
        let lost = self.entries.iter().filter(|(_, entry)| !stays(entry));
        let mut lost: Vec<Mapping> = lost.map(|(mapping, _)| *mapping).collect();
        lost.sort_unstable();
        let lost: Vec<Entry> =
            lost.into_iter().filter_map(|mapping| self.strand(mapping)).collect();
        self.nat = nat.clone();
        self.allocator.reconfigure(nat);
        let hold_down = self.now + nat.timers.hold_down.idle;
        let mut stranded = Vec::new();
        for entry in lost {
            let was_live = !entry.flows.is_empty();
            stranded.extend(was_live.then_some(entry.binding));
            let rests_until =
                if was_live { hold_down.max(entry.rests_until) } else { entry.rests_until };
            self.release_at(rests_until, entry.binding);
        }
        stranded.sort_unstable();
        self.keep_admitted();
        Outcome::Reconfigured { stranded }
    }

    /// Takes a mapping that the new configuration ends out of the flow table and the agenda.
    fn strand(&mut self, mapping: Mapping) -> Option<Entry> {
        let entry = self.forget(mapping)?;
        self.agenda.remove(&(entry.rests_until, Due::Rested(mapping)));
        for (flow, live) in &entry.flows {
            self.agenda.remove(&(live.until, Due::Idle(*flow)));
        }
        Some(entry)
    }

    fn release_at(&mut self, at: Instant, binding: Binding) {
        if at > self.now {
            self.agenda.insert((at, Due::Released(binding)));
        } else {
            self.allocator.release(binding);
        }
    }

    /// Forgets the admitted connections whose rule is gone.
    fn keep_admitted(&mut self) {
        let (nat, agenda) = (&self.nat, &mut self.agenda);
        self.admitted.retain(|reply, admitted| {
            let rule = nat.rule_at(reply.transport, admitted.external);
            let stays = rule.is_some_and(|rule| rule.inside == reply.source);
            stays || !agenda.remove(&(admitted.until, Due::Forgotten(*reply)))
        });
    }

    fn hold_down_after(&self, segment: Segment) -> Duration {
        let hold_down = self.nat.timers.hold_down;
        match segment.meaning() {
            Signal::Finish => hold_down.finish,
            Signal::Reset => hold_down.reset,
            Signal::Open | Signal::Data => hold_down.idle,
        }
    }
}

impl<A: PortAllocator> Device<Nat> for Translator<A> {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = match event {
            Event::Outbound(segment) => self.outbound(*segment),
            Event::Inbound(segment) => self.inbound(*segment),
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
