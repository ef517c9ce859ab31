//! What the answers of a translator imply.
//!
//! The ledger is the specification: it is rebuilt from answers alone and owes nothing to any
//! allocator. Nothing in it is swept away in time: every entry carries the instant it ends, and
//! what has ended is absent.
//!
//! **Reading taken.** A key is held until the hold-down of each of its flows is over.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::net::Ipv4Addr;

use super::{Event, Key, Mapping, Member, Nat, Outcome, PortPolicy, Segment, Signal};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::subject::Subject;
use crate::time::{Duration, Instant};

/// What the answers so far imply: who holds what, and until when.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The configuration in force.
    pub nat: Nat,
    /// The time.
    pub now: Instant,
    held: BTreeMap<Key, Vec<Holding>>,
    mappings: BTreeMap<Mapping, Key>,
    admitted: BTreeMap<FiveTuple, Admitted>,
    until_sweep: usize,
}

/// A key that one mapping holds: live while one of its flows is, then in hold-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The flow that the mapping began with, and its external endpoint.
    pub binding: Binding,
    /// A new configuration has ended it: no packet matches it, and it is never taken back.
    pub stranded: bool,
    mapping: Mapping,
    flows: BTreeMap<FiveTuple, End>,
    rests_until: Instant,
}

/// When a flow ends, and how long its key rests then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The first instant at which the flow is over, if no packet comes before.
    pub at: Instant,
    /// How long its key rests from then on.
    pub hold_down: Duration,
}

/// A connection that an inbound rule let in: it is tracked without a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Admitted {
    external: Endpoint,
    until: Instant,
}

/// The candidates of one flow, counted by what they are: each is exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// All candidates.
    pub candidates: usize,
    /// Those that nobody holds.
    pub free: usize,
    /// Those held by a live mapping.
    pub live: usize,
    /// Those held in hold-down, stranded ones included.
    pub cooling: usize,
    /// Those kept for inbound rules, or leased to somebody else.
    pub reserved: usize,
}

/// What becomes of one candidate, the strongest claim last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Free,
    Cooling,
    Live,
    Reserved,
}

/// Events between two sweeps, besides one for each key that is held.
const QUIET: usize = 1_000;

impl Subject for Nat {
    const KIND: &'static str = "nat";
    type Event = Event;
    type Outcome = Outcome;
    type Ledger = Ledger;

    fn ledger(&self) -> Ledger {
        Ledger {
            nat: self.clone(),
            now: Instant::START,
            held: BTreeMap::new(),
            mappings: BTreeMap::new(),
            admitted: BTreeMap::new(),
            until_sweep: QUIET,
        }
    }

    fn record(ledger: &mut Ledger, event: &Event, outcome: &Outcome) {
        match (event, outcome) {
            (Event::Outbound(segment), Outcome::Forwarded(tuple)) => {
                ledger.record_outbound(*segment, tuple.source);
            }
            (Event::Inbound(segment), Outcome::Forwarded(tuple)) => {
                ledger.record_inbound(*segment, tuple.destination);
            }
            (Event::Elapse(length), _) => ledger.now = ledger.now + *length,
            (Event::Reconfigure(nat), Outcome::Reconfigured { stranded }) => {
                ledger.record_reconfigured(nat, stranded);
            }
            (Event::Outbound(_) | Event::Inbound(_) | Event::Reconfigure(_), _) => {}
        }
        ledger.sweep_now_and_then();
    }
}

/// What laws ask.
impl Ledger {
    /// The external endpoint of a flow, if the flow is live.
    pub fn external_of(&self, flow: FiveTuple) -> Option<Endpoint> {
        let holding = self.holding_of(flow)?;
        holding.has(flow, self.now).then_some(holding.binding.external)
    }

    /// What the flow's mapping holds, live or in hold-down; nothing once it is stranded.
    pub fn holding_of(&self, flow: FiveTuple) -> Option<&Holding> {
        let mapping = self.nat.mapping.mapping(flow);
        let holdings = self.held.get(self.mappings.get(&mapping)?)?;
        holdings.iter().find(|holding| holding.is_of(mapping) && holding.is_held(self.now))
    }

    /// Who holds this key or one that overlaps it, live or in hold-down.
    pub fn holders(&self, key: Key) -> impl Iterator<Item = &Holding> {
        let overlapping = key.overlapping().into_iter();
        let holdings = overlapping.flat_map(|keys| self.held.range(keys)).flat_map(|(_, h)| h);
        holdings.filter(|holding| holding.is_held(self.now))
    }

    /// Every key's holder, live or in hold-down, in the order of the keys.
    pub fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.held.values().flatten().filter(|holding| holding.is_held(self.now))
    }

    /// The live mapping that a packet from the outside matches.
    pub fn mapping_for(&self, inbound: FiveTuple) -> Option<&Holding> {
        let key = self.nat.key(inbound.reversed(), inbound.destination);
        let remote = self.nat.mapping.remote(inbound.source);
        let admits = |holding: &&Holding| {
            !holding.stranded && holding.mapping.remote == remote && holding.is_live(self.now)
        };
        self.holders(key).find(admits)
    }

    /// The external endpoint through which an inbound rule admitted the connection that this
    /// packet from the inside answers.
    pub fn admitted_through(&self, reply: FiveTuple) -> Option<Endpoint> {
        let admitted = self.admitted.get(&reply)?;
        (admitted.until > self.now).then_some(admitted.external)
    }

    /// Who leases this virtual IP: whose binding of it the allocator holds.
    pub fn lessee(&self, address: Ipv4Addr) -> Option<Member> {
        let mut holdings = Transport::ALL.into_iter().flat_map(|transport| {
            let keys = |port| Key::first_of(transport, Endpoint::new(address, port));
            let end = Key::last_of(transport, Endpoint::new(address, u16::MAX));
            self.held.range(keys(0)..=end).flat_map(|(_, holdings)| holdings)
        });
        let holding = holdings.find(|holding| holding.is_held(self.now))?;
        Some(Member(holding.binding.flow.source.address))
    }

    /// The endpoints that the flow may be given now, in order.
    pub fn eligible(&self, flow: FiveTuple) -> impl Iterator<Item = Endpoint> {
        let candidates = self.nat.candidates(flow);
        let candidates = candidates.into_iter().flat_map(super::Candidates::iter);
        candidates.filter(move |endpoint| self.is_eligible(flow, *endpoint))
    }

    /// Whether the flow may be given this endpoint now.
    pub fn is_eligible(&self, flow: FiveTuple, external: Endpoint) -> bool {
        self.nat.may_give(flow, external)
            && self.lease_allows(flow, external.address)
            && self.holders(self.nat.key(flow, external)).next().is_none()
    }

    /// What becomes of the flow's candidates, counted.
    pub fn census(&self, flow: FiveTuple) -> Census {
        let candidates = self.nat.candidates(flow);
        let mut census = Census::default();
        for external in candidates.into_iter().flat_map(super::Candidates::iter) {
            census.candidates += 1;
            *match self.state_of(flow, external) {
                State::Free => &mut census.free,
                State::Live => &mut census.live,
                State::Cooling => &mut census.cooling,
                State::Reserved => &mut census.reserved,
            } += 1;
        }
        census
    }

    fn state_of(&self, flow: FiveTuple, external: Endpoint) -> State {
        if !self.nat.may_give(flow, external) || !self.lease_allows(flow, external.address) {
            return State::Reserved;
        }
        let holders = self.holders(self.nat.key(flow, external));
        let states = holders
            .map(|holder| if holder.is_live(self.now) { State::Live } else { State::Cooling });
        states.max().unwrap_or(State::Free)
    }

    /// Under dynamic NAT a member uses the virtual IP it leases, or else one that nobody does.
    fn lease_allows(&self, flow: FiveTuple, address: Ipv4Addr) -> bool {
        if self.nat.ports != PortPolicy::Dynamic {
            return true;
        }
        let member = Some(Member(flow.source.address));
        let lessee = self.lessee(address);
        let leases = || self.nat.virtual_ips.iter().any(|vip| self.lessee(vip.0) == member);
        lessee == member || (lessee.is_none() && !leases())
    }
}

/// What a search over states needs.
impl Ledger {
    /// Keys that are kept in memory. What has ended may still be among them, but no more of it than
    /// twice what is held and a thousand.
    pub fn keys_kept(&self) -> usize {
        self.held.len()
    }

    /// All that the judgement of later answers can depend on, with instants told from now on and
    /// without what has ended: two ledgers that hash alike here have the same future.
    pub fn relative(&self) -> impl Hash {
        let now = self.now;
        let from_now = move |at: Instant| at.millis().saturating_sub(now.millis());
        let holding = |(key, holding): (&Key, &Holding)| {
            let mut holding = holding.clone();
            holding.forget_ended(now);
            let flows = holding.flows.iter();
            let flows = flows.map(|(flow, end)| (*flow, from_now(end.at), end.hold_down));
            let rests = from_now(holding.rests_until);
            let Holding { binding, stranded, mapping, .. } = holding;
            (*key, binding, stranded, mapping, flows.collect::<Vec<_>>(), rests)
        };
        let held = self.held.iter().flat_map(|(key, held)| held.iter().map(move |h| (key, h)));
        let held = held.filter(|(_, holding)| holding.is_held(now));
        let is_held = |(mapping, key): &(&Mapping, &Key)| {
            let holdings = self.held.get(key).into_iter().flatten();
            holdings.into_iter().any(|held| held.is_of(**mapping) && held.is_held(now))
        };
        let mappings = self.mappings.iter().filter(is_held).map(|(m, key)| (*m, *key));
        let admitted = self.admitted.iter().filter(|(_, admitted)| admitted.until > now);
        let admitted = admitted.map(|(reply, a)| (*reply, a.external, from_now(a.until)));
        let (held, mappings) =
            (held.map(holding).collect::<Vec<_>>(), mappings.collect::<Vec<_>>());
        (&self.nat, held, mappings, admitted.collect::<Vec<_>>())
    }
}

/// How answers are entered.
impl Ledger {
    fn record_outbound(&mut self, segment: Segment, external: Endpoint) {
        let flow = segment.tuple;
        if self.admitted_through(flow).is_some() {
            return self.record_admitted(flow, external, segment);
        }
        let mapping = self.nat.mapping.mapping(flow);
        let key = self.nat.key(flow, external);
        let (now, end) = (self.now, self.end_after(segment));
        let holdings = self.held.entry(key).or_default();
        holdings.retain(|holding| holding.is_held(now));
        match holdings.iter_mut().find(|holding| holding.is_of(mapping)) {
            Some(holding) => holding.enter(flow, end, now),
            None => holdings.push(Holding::new(Binding { flow, external }, mapping, end)),
        }
        self.mappings.insert(mapping, key);
    }

    fn record_inbound(&mut self, segment: Segment, inside: Endpoint) {
        let reply = segment.tuple.to(inside).reversed();
        if self.nat.rule_at(segment.tuple.transport, segment.tuple.destination).is_some() {
            return self.record_admitted(reply, segment.tuple.destination, segment);
        }
        let (now, end) = (self.now, self.end_after(segment));
        let mapping = self.nat.mapping.mapping(reply);
        let holdings = self.mappings.get(&mapping).and_then(|key| self.held.get_mut(key));
        let mut holdings = holdings.into_iter().flatten();
        let holding = holdings.find(|holding| holding.is_of(mapping) && holding.has(reply, now));
        if let Some(holding) = holding.filter(|_| segment.ends_its_flow()) {
            holding.enter(reply, end, now);
        }
    }

    fn record_admitted(&mut self, reply: FiveTuple, external: Endpoint, segment: Segment) {
        let until = self.end_after(segment).at;
        self.admitted.insert(reply, Admitted { external, until });
    }

    fn record_reconfigured(&mut self, nat: &Nat, stranded: &[Binding]) {
        let before = std::mem::replace(&mut self.nat, nat.clone());
        let end = End { at: self.now, hold_down: nat.timers.hold_down.idle };
        for holding in self.held.values_mut().flatten().filter(|holding| !holding.stranded) {
            let live = holding.is_live(self.now);
            if live && stranded.contains(&holding.binding) {
                holding.strand(end, self.now);
            }
            holding.stranded |= !live && !nat.keeps(&before, holding.binding);
        }
        self.admitted.retain(|reply, admitted| {
            let rule = nat.rule_at(reply.transport, admitted.external);
            rule.is_some_and(|rule| rule.inside == reply.source)
        });
    }

    /// When the flow of this packet ends, if the packet is its last.
    fn end_after(&self, segment: Segment) -> End {
        let timers = self.nat.timers;
        match segment.meaning() {
            Signal::Finish => End { at: self.now, hold_down: timers.hold_down.finish },
            Signal::Reset => End { at: self.now, hold_down: timers.hold_down.reset },
            Signal::Open | Signal::Data => End {
                at: self.now + timers.idle.of(segment.tuple.transport),
                hold_down: timers.hold_down.idle,
            },
        }
    }

    /// Drops what has ended, often enough that memory follows what is held, and seldom enough
    /// that it costs nothing much.
    fn sweep_now_and_then(&mut self) {
        if self.until_sweep > 0 {
            self.until_sweep -= 1;
            return;
        }
        let now = self.now;
        self.held.values_mut().flatten().for_each(|holding| holding.forget_ended(now));
        self.held.retain(|_, holdings| {
            holdings.retain(|holding| holding.is_held(now));
            !holdings.is_empty()
        });
        let held = &self.held;
        self.mappings.retain(|mapping, key| {
            held.get(key).is_some_and(|holdings| holdings.iter().any(|h| h.is_of(*mapping)))
        });
        self.admitted.retain(|_, admitted| admitted.until > now);
        self.until_sweep = QUIET + self.held.len();
    }
}

impl Holding {
    fn new(binding: Binding, mapping: Mapping, end: End) -> Self {
        let flows = BTreeMap::from([(binding.flow, end)]);
        Self { binding, stranded: false, mapping, flows, rests_until: Instant::START }
    }

    /// Whether one of its flows is live.
    pub fn is_live(&self, now: Instant) -> bool {
        self.flows.values().any(|end| end.at > now)
    }

    /// Whether its key is held: live or in hold-down.
    pub fn is_held(&self, now: Instant) -> bool {
        self.held_until() > now
    }

    /// The first instant at which its key is free, if no packet comes before.
    pub fn held_until(&self) -> Instant {
        let rests = self.flows.values().map(|end| end.at + end.hold_down).max();
        rests.unwrap_or(self.rests_until).max(self.rests_until)
    }

    /// Whether this flow is one of its live ones.
    pub fn has(&self, flow: FiveTuple, now: Instant) -> bool {
        self.flows.get(&flow).is_some_and(|end| end.at > now)
    }

    fn is_of(&self, mapping: Mapping) -> bool {
        self.mapping == mapping && !self.stranded
    }

    /// A packet moves the end of one of its flows, or begins one.
    fn enter(&mut self, flow: FiveTuple, end: End, now: Instant) {
        self.forget_ended(now);
        self.flows.insert(flow, end);
    }

    fn strand(&mut self, end: End, now: Instant) {
        self.forget_ended(now);
        self.stranded = true;
        self.flows.values_mut().for_each(|flow| *flow = end);
    }

    /// Flows that are over leave only their hold-down behind.
    fn forget_ended(&mut self, now: Instant) {
        let ended = self.flows.values().filter(|end| end.at <= now);
        let rests = ended.map(|end| end.at + end.hold_down).max();
        self.rests_until = self.rests_until.max(rests.unwrap_or(Instant::START));
        self.flows.retain(|_, end| end.at > now);
    }
}
