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

use itertools::Itertools;

use super::{
    Candidates, Event, Key, Lease, Mapping, Member, Nat, Outcome, PortPolicy, Segment, Side,
    Signal, State, refreshes,
};
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
    unanswered: BTreeMap<FiveTuple, Instant>,
    /// The blocks that each member was given, in order; those that it has given back stand there
    /// until the next one.
    leases: BTreeMap<Member, Vec<Lease>>,
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

/// How far a flow has got, when it ends, and how long its key rests then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How far it has got.
    pub state: State,
    /// The first instant at which the flow is over, if no packet comes before.
    pub at: Instant,
    /// How long its key rests from then on.
    pub hold_down: Duration,
}

/// A connection that an inbound rule let in: it is tracked without a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Admitted {
    external: Endpoint,
    end: End,
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
    /// Those kept for inbound rules, leased to somebody else, or free on a virtual IP without room
    /// towards the destination.
    pub reserved: usize,
}

/// What becomes of one candidate, the strongest claim last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
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
            unanswered: BTreeMap::new(),
            leases: BTreeMap::new(),
            until_sweep: QUIET,
        }
    }

    fn record(ledger: &mut Ledger, event: &Event, outcome: &Outcome) {
        match (event, outcome) {
            (Event::Outbound(segment), Outcome::Forwarded(sent)) => {
                ledger.record_outbound(*segment, sent.source);
            }
            (Event::Outbound(segment), Outcome::Hairpinned { sent, delivered }) => {
                ledger.record_outbound(*segment, sent.source);
                let back = Segment { tuple: *sent, ..*segment };
                delivered.iter().for_each(|to| ledger.record_inbound(back, to.destination));
            }
            (Event::Inbound(segment), Outcome::Forwarded(delivered)) => {
                ledger.record_inbound(*segment, delivered.destination);
            }
            (Event::Inbound(segment), Outcome::Dropped(_)) => ledger.record_unanswered(*segment),
            (Event::Elapse(length), _) => ledger.record_elapsed(*length),
            (Event::Reconfigure(nat), Outcome::Reconfigured { stranded }) => {
                ledger.record_reconfigured(nat, stranded);
            }
            (
                Event::Outbound(_)
                | Event::Inbound(_)
                | Event::OutboundError(_)
                | Event::InboundError(_)
                | Event::Reconfigure(_),
                _,
            ) => {}
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
        let mapping = self.nat.mapping_of(flow);
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

    /// The live mapping whose filter lets in a packet from the outside.
    pub fn mapping_for(&self, inbound: FiveTuple) -> Option<&Holding> {
        let filtering = self.nat.filtering_of(inbound.transport);
        let lets_in = |destination: Endpoint| filtering.admits(inbound.source, destination);
        let holding = self.live_at(inbound)?;
        holding.live_flows(self.now).any(|flow| lets_in(flow.destination)).then_some(holding)
    }

    /// The live mapping whose key a packet from the outside matches.
    pub fn live_at(&self, inbound: FiveTuple) -> Option<&Holding> {
        let key = self.nat.key(inbound.reversed(), inbound.destination);
        let holdings = self.held.get(&key)?;
        holdings.iter().find(|holding| !holding.stranded && holding.is_live(self.now))
    }

    /// How far a live flow has got, when it ends, and how long its key rests then.
    pub fn end_of(&self, flow: FiveTuple) -> Option<End> {
        let holding = self.holding_of(flow)?;
        holding.flows.get(&flow).copied().filter(|end| end.at > self.now)
    }

    /// When an unsolicited SYN of the outside is to be answered, if it still waits.
    pub fn answer_due(&self, inbound: FiveTuple) -> Option<Instant> {
        self.unanswered.get(&inbound).copied()
    }

    /// The unsolicited SYNs that are to be answered until then, the first due first.
    pub fn unanswered_until(&self, until: Instant) -> Vec<FiveTuple> {
        let due = self.unanswered.iter().filter(|(_, at)| **at <= until);
        due.map(|(tuple, at)| (*at, *tuple)).sorted().map(|(_, tuple)| tuple).collect()
    }

    /// What a member holds of a transport: its keys, stranded ones included.
    pub fn held_by(
        &self,
        member: Ipv4Addr,
        transport: Transport,
    ) -> impl Iterator<Item = &Holding> {
        let is_its =
            move |flow: FiveTuple| flow.source.address == member && flow.transport == transport;
        self.holdings().filter(move |holding| is_its(holding.binding.flow))
    }

    /// The external endpoint through which an inbound rule admitted the connection that this
    /// packet from the inside answers.
    pub fn admitted_through(&self, reply: FiveTuple) -> Option<Endpoint> {
        let admitted = self.admitted.get(&reply)?;
        (admitted.end.at > self.now).then_some(admitted.external)
    }

    /// Who leases this virtual IP: whose binding of it the allocator holds.
    pub fn lessee(&self, address: Ipv4Addr) -> Option<Member> {
        let on = |transport| self.held_on(transport, address);
        let (_, holding) = Transport::ALL.into_iter().flat_map(on).next()?;
        Some(Member(holding.binding.flow.source.address))
    }

    /// Whether a virtual IP holds fewer keys towards the flow's destination than the limit there
    /// is.
    pub fn has_room(&self, flow: FiveTuple, address: Ipv4Addr) -> bool {
        let remote = self.nat.key(flow, flow.source).remote;
        let towards_it = |(key, _): &(&Key, &Holding)| key.remote.overlaps(remote);
        let held = || self.held_on(flow.transport, address).filter(towards_it).count();
        let has_room = |limit: u32| {
            let limit = limit as usize;
            self.held.len() < limit || held() < limit
        };
        self.nat.limits.per_destination.is_none_or(has_room)
    }

    /// The keys of a transport on one virtual IP, live or in hold-down, in order.
    fn held_on(
        &self,
        transport: Transport,
        address: Ipv4Addr,
    ) -> impl Iterator<Item = (&Key, &Holding)> {
        let first = Key::first_of(transport, Endpoint::new(address, 0));
        let last = Key::last_of(transport, Endpoint::new(address, u16::MAX));
        let held = self.held.range(first..=last);
        let held = held.flat_map(|(key, holdings)| holdings.iter().map(move |it| (key, it)));
        held.filter(|(_, holding)| holding.is_held(self.now))
    }

    /// The blocks that a member leases, in the order in which it was given them.
    pub fn leases_of(&self, member: Member) -> &[Lease] {
        let leases = self.leases.get(&member).map_or(&[][..], Vec::as_slice);
        let last = leases.iter().rposition(|lease| self.holds_in(member, *lease));
        &leases[..last.map_or(0, |last| last + 1)]
    }

    /// The blocks that members lease, member by member.
    pub fn leases(&self) -> impl Iterator<Item = Lease> {
        self.leases.keys().flat_map(|member| self.leases_of(*member)).copied()
    }

    /// Whether a member holds a key in the block.
    fn holds_in(&self, member: Member, Lease { virtual_ip, block }: Lease) -> bool {
        let at = |port| Endpoint::new(virtual_ip.0, port);
        Transport::ALL.into_iter().any(|transport| {
            let first = Key::first_of(transport, at(block.first()));
            let last = Key::last_of(transport, at(block.last()));
            let mut holdings = self.held.range(first..=last).flat_map(|(_, holdings)| holdings);
            let is_its = |held: &Holding| held.binding.flow.source.address == member.0;
            holdings.any(|held| is_its(held) && held.is_held(self.now))
        })
    }

    /// The endpoints that the flow may be given now, in order.
    pub fn eligible(&self, flow: FiveTuple) -> impl Iterator<Item = Endpoint> {
        self.eligible_among(flow, self.in_turn(flow))
    }

    /// The candidates that it is the turn of: the first ones, or if none of them is eligible those
    /// beyond.
    fn in_turn(&self, flow: FiveTuple) -> Vec<Candidates<'_>> {
        let leases = self.leases_of(Member(flow.source.address));
        let first = self.nat.first_choices(flow, leases);
        let goes_beyond = self.nat.ports.goes_beyond()
            && self.eligible_among(flow, first.clone()).next().is_none();
        if !goes_beyond {
            return first;
        }
        self.nat.second_choices(flow, leases, self.leases())
    }

    fn eligible_among(
        &self,
        flow: FiveTuple,
        candidates: Vec<Candidates<'_>>,
    ) -> impl Iterator<Item = Endpoint> {
        let by_address = candidates.into_iter().flat_map(Candidates::by_address);
        let with_room = by_address.filter(move |on| self.has_room(flow, on.addresses()[0].0));
        let endpoints = with_room.flat_map(Candidates::iter);
        endpoints.filter(move |external| self.is_nobodys(flow, *external))
    }

    /// Whether the flow may be given this endpoint now.
    pub fn is_eligible(&self, flow: FiveTuple, external: Endpoint) -> bool {
        self.has_room(flow, external.address)
            && self.is_nobodys(flow, external)
            && self.is_in_turn(flow, external)
    }

    fn is_in_turn(&self, flow: FiveTuple, external: Endpoint) -> bool {
        let in_turn = || self.in_turn(flow);
        !self.nat.ports.goes_beyond()
            || in_turn().into_iter().any(|one| one.position(external).is_some())
    }

    /// Whether the flow may be given this endpoint, leases allow it, and nobody holds it.
    fn is_nobodys(&self, flow: FiveTuple, external: Endpoint) -> bool {
        self.nat.may_give(flow, external)
            && self.lease_allows(flow, external.address)
            && self.holders(self.nat.key(flow, external)).next().is_none()
    }

    /// What becomes of the flow's candidates, counted.
    pub fn census(&self, flow: FiveTuple) -> Census {
        let candidates = self.nat.candidates(flow).into_iter();
        let mut census = Census::default();
        for on in candidates.flat_map(Candidates::by_address) {
            let has_room = self.has_room(flow, on.addresses()[0].0);
            for external in on.iter() {
                census.candidates += 1;
                *match self.state_of(flow, external) {
                    Standing::Free if has_room => &mut census.free,
                    Standing::Live => &mut census.live,
                    Standing::Cooling => &mut census.cooling,
                    Standing::Free | Standing::Reserved => &mut census.reserved,
                } += 1;
            }
        }
        census
    }

    fn state_of(&self, flow: FiveTuple, external: Endpoint) -> Standing {
        let member = Member(flow.source.address);
        if !self.nat.may_give(flow, external)
            || !self.lease_allows(flow, external.address)
            || self.is_leased_by_another(member, external)
        {
            return Standing::Reserved;
        }
        let holders = self.holders(self.nat.key(flow, external));
        let states =
            holders.map(
                |holder| if holder.is_live(self.now) { Standing::Live } else { Standing::Cooling },
            );
        states.max().unwrap_or(Standing::Free)
    }

    /// Whether the endpoint is in a block that another member leases.
    fn is_leased_by_another(&self, member: Member, external: Endpoint) -> bool {
        let mut others = self.leases.keys().filter(|other| **other != member);
        others.any(|other| self.leases_of(*other).iter().any(|lease| lease.contains(external)))
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
            let flows =
                flows.map(|(flow, end)| (*flow, end.state, from_now(end.at), end.hold_down));
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
        let admitted = self.admitted.iter().filter(|(_, admitted)| admitted.end.at > now);
        let admitted =
            admitted.map(|(reply, a)| (*reply, a.external, a.end.state, from_now(a.end.at)));
        let unanswered = self.unanswered.iter().map(|(tuple, at)| (*tuple, from_now(*at)));
        let (held, mappings) =
            (held.map(holding).collect::<Vec<_>>(), mappings.collect::<Vec<_>>());
        let (admitted, unanswered) = (admitted.collect::<Vec<_>>(), unanswered.collect::<Vec<_>>());
        let leases = self.leases.keys().map(|member| (*member, self.leases_of(*member)));
        let leases = leases.filter(|(_, leases)| !leases.is_empty());
        (&self.nat, held, mappings, admitted, unanswered, leases.collect::<Vec<_>>())
    }
}

/// How answers are entered.
impl Ledger {
    fn record_outbound(&mut self, segment: Segment, external: Endpoint) {
        let flow = segment.tuple;
        if segment.meaning() == Signal::Open {
            self.unanswered.remove(&flow.from(external).reversed());
        }
        if self.nat.leaves_alone(flow) {
            return;
        }
        if self.admitted_through(flow).is_some() {
            return self.record_admitted(flow, external, Side::Outside, segment);
        }
        self.record_lease(flow, external);
        let mapping = self.nat.mapping_of(flow);
        let key = self.nat.key(flow, external);
        let (now, before) = (self.now, self.end_of(flow));
        let end = self.end_after(before, Side::Inside, segment);
        let holdings = self.held.entry(key).or_default();
        holdings.retain(|holding| holding.is_held(now));
        match (holdings.iter_mut().find(|holding| holding.is_of(mapping)), end) {
            (Some(holding), Some(end)) => holding.enter(flow, end, now),
            (None, Some(end)) => {
                holdings.push(Holding::new(Binding { flow, external }, mapping, end));
            }
            (_, None) => {}
        }
        self.mappings.insert(mapping, key);
    }

    /// A member that leaves from outside the blocks that it leases begins to lease another one.
    fn record_lease(&mut self, flow: FiveTuple, external: Endpoint) {
        let member = Member(flow.source.address);
        let leases = self.leases_of(member);
        if leases.iter().any(|lease| lease.contains(external)) {
            return;
        }
        if let Some(next) = self.nat.next_lease(leases, external) {
            let leases = leases.iter().copied().chain([next]).collect();
            self.leases.insert(member, leases);
        }
    }

    fn record_inbound(&mut self, segment: Segment, inside: Endpoint) {
        let reply = segment.tuple.to(inside).reversed();
        if self.nat.rule_at(segment.tuple.transport, segment.tuple.destination).is_some() {
            let external = segment.tuple.destination;
            return self.record_admitted(reply, external, Side::Inside, segment);
        }
        let Some(before) = self.end_of(reply) else { return };
        let (now, mapping) = (self.now, self.nat.mapping_of(reply));
        let end = self.end_after(Some(before), Side::Outside, segment);
        let holdings = self.mappings.get(&mapping).and_then(|key| self.held.get_mut(key));
        let mut holdings = holdings.into_iter().flatten();
        let holding = holdings.find(|holding| holding.is_of(mapping));
        if let (Some(holding), Some(end)) = (holding, end) {
            holding.enter(reply, end, now);
        }
    }

    /// A packet of an admitted connection. Any packet keeps it, and the outside is the side that
    /// began.
    fn record_admitted(
        &mut self,
        reply: FiveTuple,
        external: Endpoint,
        side: Side,
        segment: Segment,
    ) {
        let now = self.now;
        let before = self.admitted.get(&reply).map(|it| it.end).filter(|end| end.at > now);
        if let Some(end) = self.end_with(before, side, segment, true) {
            self.admitted.insert(reply, Admitted { external, end });
        }
    }

    fn record_unanswered(&mut self, Segment { tuple, signal }: Segment) {
        let is_syn = tuple.transport == Transport::Tcp && signal == Signal::Open;
        let is_ours = self.nat.is_virtual_ip(tuple.destination.address);
        let may_wait = is_syn && is_ours && self.now < Instant::LAST;
        if let Some(wait) = self.nat.timers.unsolicited_syn.filter(|_| may_wait) {
            self.unanswered.entry(tuple).or_insert(self.now + wait);
        }
    }

    fn record_elapsed(&mut self, length: Duration) {
        self.now = self.now + length;
        let now = self.now;
        self.unanswered.retain(|_, at| *at > now);
    }

    fn record_reconfigured(&mut self, nat: &Nat, stranded: &[Binding]) {
        let before = std::mem::replace(&mut self.nat, nat.clone());
        let (at, hold_down) = (self.now, nat.timers.hold_down.idle);
        if nat.ports != before.ports {
            self.leases.clear();
        }
        for holding in self.held.values_mut().flatten().filter(|holding| !holding.stranded) {
            let live = holding.is_live(self.now);
            if live && stranded.contains(&holding.binding) {
                holding.strand(at, hold_down);
            }
            holding.stranded |= !live && !nat.keeps(&before, holding.binding);
        }
        self.admitted.retain(|reply, admitted| {
            let rule = nat.rule_at(reply.transport, admitted.external);
            rule.is_some_and(|rule| rule.inside == reply.source)
        });
        self.unanswered.retain(|tuple, _| nat.is_virtual_ip(tuple.destination.address));
    }

    /// When a translated flow ends after this packet; `None` if it begins no flow.
    pub fn end_after(&self, before: Option<End>, side: Side, segment: Segment) -> Option<End> {
        let inbound = self.nat.inbound_refresh.of(segment.tuple.transport);
        self.end_with(before, side, segment, inbound)
    }

    /// When a flow ends after this packet, where packets of the outside refresh it or not.
    fn end_with(
        &self,
        before: Option<End>,
        side: Side,
        segment: Segment,
        inbound: bool,
    ) -> Option<End> {
        let signal = segment.meaning();
        let state = match before {
            Some(before) => before.state.after(side, signal, self.nat.closes_on),
            None => State::begun_by(segment)?,
        };
        let changes = before.is_none_or(|before| before.state != state);
        if let Some(before) = before.filter(|_| !refreshes(side, signal, changes, inbound)) {
            return Some(before);
        }
        let timers = &self.nat.timers;
        let at = self.now + state.idle(segment.tuple.transport, timers);
        Some(End { state, at, hold_down: state.hold_down(timers) })
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
        self.admitted.retain(|_, admitted| admitted.end.at > now);
        let lessees = self.leases.keys().copied();
        let leases = lessees.map(|member| (member, self.leases_of(member).to_vec()));
        self.leases = leases.filter(|(_, leases)| !leases.is_empty()).collect();
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

    /// The mapping.
    pub const fn mapping(&self) -> Mapping {
        self.mapping
    }

    /// Its live flows.
    pub fn live_flows(&self, now: Instant) -> impl Iterator<Item = FiveTuple> {
        self.flows.iter().filter(move |(_, end)| end.at > now).map(|(flow, _)| *flow)
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

    fn strand(&mut self, at: Instant, hold_down: Duration) {
        self.forget_ended(at);
        self.stranded = true;
        self.flows.values_mut().for_each(|end| *end = End { at, hold_down, ..*end });
    }

    /// Flows that are over leave only their hold-down behind.
    fn forget_ended(&mut self, now: Instant) {
        let ended = self.flows.values().filter(|end| end.at <= now);
        let rests = ended.map(|end| end.at + end.hold_down).max();
        self.rests_until = self.rests_until.max(rests.unwrap_or(Instant::START));
        self.flows.retain(|_, end| end.at > now);
    }
}
