//! Allocators that are each wrong in one way: the obvious allocator with one rule replaced.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use itertools::Itertools;
use natlaw_model::allocator::{Budget, PortAllocator, Probing, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Candidates, Key, Lease, Member, Nat, PortPolicy, Selection};
use natlaw_model::subject::Device;
use natlaw_model::translator::Translator;

/// Everything given and not yet got back, and the configuration in force.
pub(super) struct Book {
    nat: Nat,
    held: Vec<(Key, Binding)>,
    leases: BTreeMap<Member, Vec<Lease>>,
}

/// The rules of the obvious allocator, to be replaced one at a time.
pub(super) trait Rules: Default {
    /// The endpoints that the flow may be given.
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        book.candidates(flow)
    }

    /// The order in which they are tried.
    fn order(&self, book: &Book, flow: FiveTuple, candidates: Vec<Endpoint>) -> Vec<Endpoint> {
        book.in_order(flow, candidates)
    }

    /// Whether nobody holds what the flow would have with this endpoint.
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        book.is_free(wanted)
    }

    /// Whether the lease of the address lets the flow use it.
    fn may_lease(&self, book: &Book, flow: FiveTuple, address: Ipv4Addr) -> bool {
        let member = Some(Member(flow.source.address));
        let lessee = book.lessee(address);
        lessee == member || (lessee.is_none() && !book.leases_any(flow.source.address))
    }

    /// Whether the virtual IP may hold another key towards the flow's destination.
    fn has_room(&self, book: &Book, flow: FiveTuple, address: Ipv4Addr) -> bool {
        book.has_room(flow, |held| held.external.address == address)
    }

    /// The candidates that are looked at first, and those that are when none of them is free.
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        book.choices(flow)
    }

    /// Something came back, or the configuration has changed: blocks in which nothing is held end.
    fn settled(&self, book: &mut Book) {
        book.give_blocks_back();
    }

    /// An endpoint has been given.
    fn given(&mut self, _book: &Book, _binding: Binding) {}

    /// A binding comes back.
    fn release(&mut self, book: &mut Book, binding: Binding) {
        book.held.retain(|(_, held)| *held != binding);
    }

    /// Nothing was found.
    fn refuse(&mut self, _book: &mut Book, _flow: FiveTuple) {}

    /// The configuration has changed.
    fn reconfigured(&mut self, _book: &mut Book) {}
}

/// The translator that uses these rules.
pub(super) fn by<R: Rules + 'static>(nat: &Nat) -> impl Device<Nat> + use<R> {
    translating(nat, |nat| Obvious {
        book: Book { nat: nat.clone(), held: Vec::new(), leases: BTreeMap::new() },
        rules: R::default(),
    })
}

/// A translator of some allocator: of any, so that it is compiled once and not for each mutant.
fn translating<A: PortAllocator + 'static>(
    nat: &Nat,
    new: impl FnOnce(&Nat) -> A,
) -> Translator<Box<dyn PortAllocator>> {
    Translator::new(nat, |nat| -> Box<dyn PortAllocator> { Box::new(new(nat)) })
}

/// An allocator that looks at every candidate in turn, by these rules.
struct Obvious<R> {
    book: Book,
    rules: R,
}

impl<R: Rules> PortAllocator for Obvious<R> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let (book, rules) = (&self.book, &self.rules);
        book.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let is_dynamic = book.nat.ports == PortPolicy::Dynamic;
        let candidates = rules.order(book, flow, rules.candidates(book, flow));
        let is_open = |external: &Endpoint| {
            rules.is_free(book, Binding { flow, external: *external })
                && (!is_dynamic || rules.may_lease(book, flow, external.address))
                && rules.has_room(book, flow, external.address)
        };
        let is_among = |choices: &[Candidates], external: Endpoint| {
            choices.iter().any(|some| some.position(external).is_some())
        };
        let mut open = candidates.into_iter().filter(is_open);
        let found = if book.nat.ports.goes_beyond() {
            let open: Vec<Endpoint> = open.collect();
            rules.choices(book, flow).into_iter().find_map(|choices| {
                open.iter().copied().find(|external| is_among(&choices, *external))
            })
        } else {
            open.next()
        };
        let Some(external) = found else {
            self.rules.refuse(&mut self.book, flow);
            return Err(Refusal::Exhausted);
        };
        let binding = Binding { flow, external };
        self.book.hold(binding);
        self.rules.given(&self.book, binding);
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.rules.release(&mut self.book, binding);
        self.rules.settled(&mut self.book);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        if self.book.nat.ports != nat.ports {
            self.book.leases.clear();
        }
        self.book.nat = nat.clone();
        self.rules.reconfigured(&mut self.book);
        self.rules.settled(&mut self.book);
    }
}

impl Book {
    fn hold(&mut self, binding: Binding) {
        let Binding { flow, external } = binding;
        self.held.push((self.nat.key(flow, external), binding));
        let leases = self.leases_of(flow);
        if !leases.iter().any(|lease| lease.contains(external)) {
            let next = self.nat.next_lease(&leases, external);
            self.leases.entry(Member(flow.source.address)).or_default().extend(next);
        }
    }

    fn leases_of(&self, flow: FiveTuple) -> Vec<Lease> {
        self.leases.get(&Member(flow.source.address)).cloned().unwrap_or_default()
    }

    fn choices(&self, flow: FiveTuple) -> [Vec<Candidates<'_>>; 2] {
        let (own, all) = (self.leases_of(flow), self.leases.values().flatten().copied());
        [self.nat.first_choices(flow, &own), self.nat.second_choices(flow, &own, all)]
    }

    fn give_blocks_back(&mut self) {
        let held = &self.held;
        let is_used = |member: &Member, lease: &Lease| {
            let mut bindings = held.iter().map(|(_, held)| held);
            bindings.any(|it| it.flow.source.address == member.0 && lease.contains(it.external))
        };
        for (member, leases) in &mut self.leases {
            while leases.pop_if(|last| !is_used(member, last)).is_some() {}
        }
    }

    fn all_candidates(&self, flow: FiveTuple) -> Vec<Endpoint> {
        self.nat.candidates(flow).into_iter().flat_map(Candidates::iter).collect()
    }

    /// The candidates that nothing keeps for something else.
    fn candidates(&self, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = self.all_candidates(flow);
        candidates.retain(|external| self.nat.may_give(flow, *external));
        candidates
    }

    /// Every held binding whose key overlaps the one that is wanted.
    fn holders(&self, wanted: Binding) -> impl Iterator<Item = Binding> {
        let key = self.nat.key(wanted.flow, wanted.external);
        self.held.iter().filter(move |(held, _)| overlap(*held, key)).map(|(_, binding)| *binding)
    }

    fn is_free(&self, wanted: Binding) -> bool {
        self.holders(wanted).next().is_none()
    }

    /// Under a declared spread, those of the least used virtual IP first; and before all others
    /// those that keep most of the inside port, where some of it is to be kept.
    fn in_order(&self, flow: FiveTuple, mut candidates: Vec<Endpoint>) -> Vec<Endpoint> {
        if self.nat.selection == Selection::Spread {
            candidates.sort_by_cached_key(|external| self.load(flow, *external));
        }
        let kept = |external: &Endpoint| self.nat.preserve.rank(flow.source.port, external.port);
        candidates.sort_by_key(|external| Reverse(kept(external)));
        candidates
    }

    /// Keys held among the candidates of one virtual IP, those around this one.
    fn load(&self, flow: FiveTuple, external: Endpoint) -> usize {
        let mut by_address = self.nat.candidates(flow).into_iter().flat_map(Candidates::by_address);
        let around = by_address.find(|some| some.position(external).is_some());
        let counts = |(held, _): &&(Key, Binding)| {
            overlap(*held, self.nat.key(flow, held.external))
                && around.is_some_and(|some| some.position(held.external).is_some())
        };
        self.held.iter().filter(counts).count()
    }

    /// Whether fewer such keys are held towards the flow's destination than the limit there is.
    fn has_room(&self, flow: FiveTuple, is_such: impl Fn(Binding) -> bool) -> bool {
        let wanted = self.nat.key(flow, flow.source);
        let counts = |(held, binding): &&(Key, Binding)| {
            held.transport == wanted.transport
                && held.remote.overlaps(wanted.remote)
                && is_such(*binding)
        };
        let held = || self.held.iter().filter(counts).count();
        self.nat.limits.per_destination.is_none_or(|limit| held() < limit as usize)
    }

    fn lessee(&self, address: Ipv4Addr) -> Option<Member> {
        let held = self.held.iter().find(|(held, _)| held.external.address == address);
        held.map(|(_, binding)| Member(binding.flow.source.address))
    }

    fn leases_any(&self, member: Ipv4Addr) -> bool {
        self.nat.virtual_ips.iter().any(|vip| self.lessee(vip.0) == Some(Member(member)))
    }
}

fn overlap(a: Key, b: Key) -> bool {
    a.transport == b.transport && a.external == b.external && a.remote.overlaps(b.remote)
}

/// Wrong in no way.
#[derive(Default)]
pub(super) struct Sound;

impl Rules for Sound {}

#[derive(Default)]
pub(super) struct LastPortAlwaysFree;

impl Rules for LastPortAlwaysFree {
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        let blocks = book.nat.pool.members().enumerate().filter_map(|(i, _)| book.nat.block_of(i));
        let mut lasts = blocks.map(|(_, block)| block.last());
        lasts.contains(&wanted.external.port) || book.is_free(wanted)
    }
}

#[derive(Default)]
pub(super) struct FreesOnlyBitZero;

impl Rules for FreesOnlyBitZero {
    fn release(&mut self, book: &mut Book, binding: Binding) {
        let is_bit_zero = binding.external.port.is_multiple_of(64);
        book.held.retain(|(_, held)| *held != binding || !is_bit_zero);
    }
}

#[derive(Default)]
pub(super) struct ReleasesByteSwapped;

impl Rules for ReleasesByteSwapped {
    fn release(&mut self, book: &mut Book, Binding { flow, external }: Binding) {
        let external = Endpoint::new(external.address, external.port.swap_bytes());
        book.held.retain(|(_, held)| *held != Binding { flow, external });
    }
}

#[derive(Default)]
pub(super) struct RefusalFreesTheOwner;

impl Rules for RefusalFreesTheOwner {
    fn refuse(&mut self, book: &mut Book, flow: FiveTuple) {
        let last_tried = book.candidates(flow).last().copied();
        book.held.retain(|(held, _)| Some(held.external) != last_tried);
    }
}

#[derive(Default)]
pub(super) struct RunsIntoTheNeighbour;

impl Rules for RunsIntoTheNeighbour {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let offset = |ports: u32| flow.source.port % u16::try_from(ports).unwrap_or(u16::MAX);
        let own = book.nat.candidates(flow).map_or(0, |own| offset(own.block().len()));
        let shifted = |at: Endpoint| Some(Endpoint::new(at.address, at.port.checked_add(own)?));
        book.candidates(flow).into_iter().filter_map(shifted).collect()
    }
}

#[derive(Default)]
pub(super) struct OnePortPastTheLast;

impl Rules for OnePortPastTheLast {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = book.candidates(flow);
        let past = candidates.last().map(|at| Endpoint::new(at.address, at.port.wrapping_add(1)));
        candidates.extend(past);
        candidates
    }
}

#[derive(Default)]
pub(super) struct StopsOnePortShort;

impl Rules for StopsOnePortShort {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let last = book.nat.candidates(flow).map(|own| own.block().last());
        let mut candidates = book.candidates(flow);
        candidates.retain(|external| Some(external.port) != last);
        candidates
    }
}

#[derive(Default)]
pub(super) struct FallsBackToAnyPort;

impl Rules for FallsBackToAnyPort {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let anywhere = book.nat.virtual_ips.iter().map(|vip| Endpoint::new(vip.0, 60_000));
        book.candidates(flow).into_iter().chain(anywhere).collect()
    }
}

#[derive(Default)]
pub(super) struct CursorNeverComesBack {
    given: usize,
}

impl Rules for CursorNeverComesBack {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        book.candidates(flow).into_iter().skip(self.given).collect()
    }

    fn given(&mut self, _book: &Book, _binding: Binding) {
        self.given += 1;
    }
}

#[derive(Default)]
pub(super) struct TransportsSharePorts;

impl Rules for TransportsSharePorts {
    fn is_free(&self, book: &Book, Binding { flow, external }: Binding) -> bool {
        let of = |transport| Binding { flow: FiveTuple { transport, ..flow }, external };
        Transport::ALL.into_iter().all(|transport| book.is_free(of(transport)))
    }
}

#[derive(Default)]
pub(super) struct OneBusyBitAPort;

impl Rules for OneBusyBitAPort {
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        let port = |binding: Binding| (binding.flow.transport, binding.external);
        book.held.iter().all(|(_, held)| port(*held) != port(wanted))
    }
}

#[derive(Default)]
pub(super) struct AlwaysTheFirstVirtualIp;

impl Rules for AlwaysTheFirstVirtualIp {
    fn order(&self, _book: &Book, _flow: FiveTuple, candidates: Vec<Endpoint>) -> Vec<Endpoint> {
        candidates
    }
}

#[derive(Default)]
pub(super) struct OneVirtualIpByHash;

impl Rules for OneVirtualIpByHash {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = book.candidates(flow);
        let addresses = book.nat.virtual_ips.len();
        let vip = book.nat.virtual_ips[usize::from(flow.source.port) % addresses];
        candidates.retain(|external| external.address == vip.0);
        candidates
    }
}

#[derive(Default)]
pub(super) struct CountsTheLimitByMember;

impl Rules for CountsTheLimitByMember {
    fn has_room(&self, book: &Book, flow: FiveTuple, address: Ipv4Addr) -> bool {
        let is_its = |held: Binding| held.flow.source.address == flow.source.address;
        book.has_room(flow, |held| held.external.address == address && is_its(held))
    }
}

#[derive(Default)]
pub(super) struct OneLimitForAllAddresses;

impl Rules for OneLimitForAllAddresses {
    fn has_room(&self, book: &Book, flow: FiveTuple, _address: Ipv4Addr) -> bool {
        book.has_room(flow, |_| true)
    }
}

#[derive(Default)]
pub(super) struct GuaranteesAreSharedOut;

impl Rules for GuaranteesAreSharedOut {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let everybody = book.nat.pool.members().map(|member| Endpoint::new(member.0, 1));
        let of_others = everybody.flat_map(|other| book.candidates(flow.from(other)));
        book.candidates(flow).into_iter().chain(of_others).unique().collect()
    }

    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let [first, mut second] = book.choices(flow);
        let everybody = book.nat.pool.members().map(|member| Endpoint::new(member.0, 1));
        if book.nat.ports.shared().is_some() {
            second.extend(everybody.filter_map(|other| book.nat.candidates(flow.from(other))));
        }
        [first, second]
    }
}

#[derive(Default)]
pub(super) struct GoesBeyondBeforeItMust;

impl Rules for GoesBeyondBeforeItMust {
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let [first, second] = book.choices(flow);
        [second, first]
    }
}

#[derive(Default)]
pub(super) struct NeverGoesBeyond;

impl Rules for NeverGoesBeyond {
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let [first, second] = book.choices(flow);
        if first.is_empty() { [first, second] } else { [first, Vec::new()] }
    }
}

#[derive(Default)]
pub(super) struct CountsTheGuaranteeInTheShared;

impl Rules for CountsTheGuaranteeInTheShared {
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let [first, second] = book.choices(flow);
        let is_free = |external| book.is_free(Binding { flow, external });
        let is_left = second.iter().any(|shared| shared.iter().any(is_free));
        let is_guaranteed = book.nat.ports.shared().is_some();
        if is_left || !is_guaranteed { [first, second] } else { [Vec::new(), Vec::new()] }
    }
}

#[derive(Default)]
pub(super) struct GrowsIntoANeighbour;

impl Rules for GrowsIntoANeighbour {
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let own = book.leases_of(flow);
        let [first, _] = book.choices(flow);
        [first, book.nat.second_choices(flow, &own, own.iter().copied())]
    }
}

#[derive(Default)]
pub(super) struct DoublesOnceTooOften;

impl Rules for DoublesOnceTooOften {
    fn choices<'a>(&self, book: &'a Book, flow: FiveTuple) -> [Vec<Candidates<'a>>; 2] {
        let [first, second] = book.choices(flow);
        let is_at_its_maximum = second.is_empty() && !first.is_empty();
        let all = || book.leases.values().flatten().copied();
        let again = || book.nat.second_choices(flow, &first_half(&book.leases_of(flow)), all());
        [first, if is_at_its_maximum { again() } else { second }]
    }
}

/// The leases of a member as if it had not doubled the last time.
fn first_half(leases: &[Lease]) -> Vec<Lease> {
    leases.split_last().map_or(Vec::new(), |(_, before)| before.to_vec())
}

#[derive(Default)]
pub(super) struct KeepsBlocksForEver;

impl Rules for KeepsBlocksForEver {
    fn settled(&self, _book: &mut Book) {}
}

#[derive(Default)]
pub(super) struct SwapForgetsLeases;

impl Rules for SwapForgetsLeases {
    fn reconfigured(&mut self, book: &mut Book) {
        book.held.clear();
    }
}

#[derive(Default)]
pub(super) struct GivesThePortsOfInboundRules;

impl Rules for GivesThePortsOfInboundRules {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        book.all_candidates(flow)
    }
}

#[derive(Default)]
pub(super) struct TakesALeaseForEachFlow;

impl Rules for TakesALeaseForEachFlow {
    fn may_lease(&self, book: &Book, _flow: FiveTuple, address: Ipv4Addr) -> bool {
        book.lessee(address).is_none()
    }
}

#[derive(Default)]
pub(super) struct SharesALease;

impl Rules for SharesALease {
    fn may_lease(&self, _book: &Book, _flow: FiveTuple, _address: Ipv4Addr) -> bool {
        true
    }
}

#[derive(Default)]
pub(super) struct KeepsTheSourcePort;

impl Rules for KeepsTheSourcePort {
    fn order(&self, book: &Book, flow: FiveTuple, candidates: Vec<Endpoint>) -> Vec<Endpoint> {
        let mut order = book.in_order(flow, candidates);
        order.sort_by_key(|external| external.port != flow.source.port);
        order
    }

    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        wanted.external.port == wanted.flow.source.port || book.is_free(wanted)
    }
}

#[derive(Default)]
pub(super) struct AnAllocatorForEachMember;

impl Rules for AnAllocatorForEachMember {
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        let member = |binding: Binding| binding.flow.source.address;
        book.holders(wanted).all(|held| member(held) != member(wanted))
    }
}

#[derive(Default)]
pub(super) struct OneBlockForEverybody;

impl Rules for OneBlockForEverybody {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let first = book.nat.pool.members().next().map_or(flow.source.address, |first| first.0);
        book.candidates(flow.from(Endpoint::new(first, flow.source.port)))
    }
}

#[derive(Default)]
pub(super) struct RepairFreesTheStranded;

impl Rules for RepairFreesTheStranded {
    fn reconfigured(&mut self, Book { nat, held, .. }: &mut Book) {
        held.retain(|(_, binding)| nat.may_give(binding.flow, binding.external));
    }
}

#[derive(Default)]
pub(super) struct RepairKnowsTcpOnly;

impl Rules for RepairKnowsTcpOnly {
    fn reconfigured(&mut self, book: &mut Book) {
        book.held.retain(|(key, _)| key.transport == Transport::Tcp);
    }
}

#[derive(Default)]
pub(super) struct StrandedNeverComeBack;

impl Rules for StrandedNeverComeBack {
    fn release(&mut self, Book { nat, held, .. }: &mut Book, binding: Binding) {
        let is_stranded = !nat.may_give(binding.flow, binding.external);
        held.retain(|(_, held)| *held != binding || is_stranded);
    }
}

#[derive(Default)]
pub(super) struct RefusalsCountAsHeld {
    refused: usize,
}

impl Rules for RefusalsCountAsHeld {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = book.candidates(flow);
        candidates.truncate(candidates.len().saturating_sub(self.refused));
        candidates
    }

    fn refuse(&mut self, _book: &mut Book, _flow: FiveTuple) {
        self.refused += 1;
    }
}

#[derive(Default)]
pub(super) struct ReleaseFreesEveryHolder;

impl Rules for ReleaseFreesEveryHolder {
    fn release(&mut self, book: &mut Book, binding: Binding) {
        book.held.retain(|(_, held)| held.external != binding.external);
    }
}

#[derive(Default)]
pub(super) struct NeverGives65535;

impl Rules for NeverGives65535 {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = book.candidates(flow);
        candidates.retain(|external| external.port < u16::MAX);
        candidates
    }
}

#[derive(Default)]
pub(super) struct TriesOnePortAgainAndAgain;

impl Rules for TriesOnePortAgainAndAgain {
    fn order(&self, book: &Book, flow: FiveTuple, candidates: Vec<Endpoint>) -> Vec<Endpoint> {
        book.in_order(flow, candidates).into_iter().take(1).collect()
    }
}

#[derive(Default)]
pub(super) struct GuardCountsEverybodysPorts;

impl Rules for GuardCountsEverybodysPorts {
    fn candidates(&self, book: &Book, flow: FiveTuple) -> Vec<Endpoint> {
        let mut candidates = book.candidates(flow);
        let towards_it = |(_, held): &&(Key, Binding)| {
            held.flow.transport == flow.transport && held.flow.destination == flow.destination
        };
        let is_full = book.held.iter().filter(towards_it).count() >= candidates.len();
        candidates.retain(|_| !is_full);
        candidates
    }
}

#[derive(Default)]
pub(super) struct SweepQuotaRoundsToZero {
    waiting: Vec<Binding>,
}

impl Rules for SweepQuotaRoundsToZero {
    fn release(&mut self, book: &mut Book, binding: Binding) {
        self.waiting.push(binding);
        let quota = self.waiting.len() / 10;
        let swept: Vec<Binding> = self.waiting.drain(..quota).collect();
        book.held.retain(|(_, held)| !swept.contains(held));
    }
}

#[derive(Default)]
pub(super) struct BlockedByALongLivedHead {
    over: Vec<Binding>,
}

impl Rules for BlockedByALongLivedHead {
    fn release(&mut self, book: &mut Book, binding: Binding) {
        self.over.push(binding);
        while let Some((_, head)) = book.held.first().filter(|(_, head)| self.over.contains(head)) {
            self.over.retain(|over| over != head);
            book.held.remove(0);
        }
    }
}

#[derive(Default)]
pub(super) struct IcmpIdentifiersAreNotSearched;

impl Rules for IcmpIdentifiersAreNotSearched {
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        wanted.flow.transport == Transport::Icmp || book.is_free(wanted)
    }
}

#[derive(Default)]
pub(super) struct ReusesForAnyOtherDestination;

impl Rules for ReusesForAnyOtherDestination {
    fn is_free(&self, book: &Book, wanted: Binding) -> bool {
        let destination = |binding: Binding| binding.flow.destination;
        book.holders(wanted).all(|held| destination(held) != destination(wanted))
    }
}

/// An allocator whose refusals are replaced by one and the same.
struct SaysInstead<A> {
    inner: A,
    says: Refusal,
}

impl<A: PortAllocator> PortAllocator for SaysInstead<A> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.inner.bind(flow).map_err(|refusal| match refusal {
            Refusal::NotInPool | Refusal::OverLimit => refusal,
            Refusal::Exhausted | Refusal::GaveUp => self.says,
        })
    }

    fn release(&mut self, binding: Binding) {
        self.inner.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.inner.reconfigure(nat);
    }
}

pub(super) fn gives_up_as_exhausted(nat: &Nat) -> impl Device<Nat> + use<> {
    let two_draws = |nat: &Nat| Probing::new(nat, Budget::Draws(2));
    translating(nat, |nat| SaysInstead { inner: two_draws(nat), says: Refusal::Exhausted })
}

pub(super) fn not_in_pool_when_full(nat: &Nat) -> impl Device<Nat> + use<> {
    let exact = natlaw_model::allocator::FirstFit::new;
    translating(nat, |nat| SaysInstead { inner: exact(nat), says: Refusal::NotInPool })
}
