//! The fast allocator: one bit for each candidate, exact at any occupancy.
//!
//! All candidates of a member, over all virtual IPs, are one space of positions. For each
//! transport and destination that has a held key there is a row of bits over that space; a bit is
//! set while its position is held. Finding a port is finding the next zero:
//!
//! ```text
//!             203.0.113.1                203.0.113.2
//!        1024 1025 1026 1027        1024 1025 1026 1027
//!       [  1    1    0    1          0    0    0    0  ]   start at 0: position 2
//! ```
//!
//! Where a member has ports of its own and others beyond, its own are one space and those beyond
//! another. Where members lease blocks, all blocks are one space, searched block by block.
//!
//! What does not fit the rows stands aside in a plain set, looked at only while there is any:
//! keys bound under a configuration since replaced, and keys of members that keep their ports.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use itertools::{Either, Itertools};
use rustc_hash::FxHashMap;

use super::held::Held;
use super::leases::Leases;
use super::room::Room;
use super::starts::Starts;
use super::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{Candidates, Member, Nat, Owner, PortPolicy, Remote, Selection};

/// Exact over all virtual IPs and ports of a member.
#[derive(Debug, Clone)]
pub struct Bitmap {
    nat: Nat,
    starts: Starts,
    rows: FxHashMap<RowKey, Row>,
    held: FxHashMap<Binding, Remote>,
    aside: Held,
    room: Room,
    leases: Leases,
}

/// Who shares a row, and towards what its keys are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct RowKey {
    owner: Owner,
    transport: Transport,
    remote: Remote,
}

/// A bit for each position; set while held, which no position is twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Row {
    words: Vec<u64>,
    used: usize,
}

impl Bitmap {
    /// An allocator that has given nothing yet.
    pub fn new(nat: &Nat) -> Self {
        Self {
            nat: nat.clone(),
            starts: Starts::new(nat),
            rows: FxHashMap::default(),
            held: FxHashMap::default(),
            aside: Held::default(),
            room: Room::new(nat),
            leases: Leases::default(),
        }
    }

    /// Enters a binding into its row, or sets it aside.
    fn hold(&mut self, binding: Binding, remote: Remote) {
        match place(&self.nat, binding, remote) {
            Some((key, candidates, position)) => {
                let row = self.rows.entry(key).or_insert_with(|| Row::new(candidates.len()));
                row.set(position);
            }
            None => self.aside.hold(binding, remote),
        }
        self.room.bound(binding, remote);
        self.held.insert(binding, remote);
    }
}

impl PortAllocator for Bitmap {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let Self { nat, starts, rows, aside, room, leases, .. } = self;
        let look = Look { nat, rows, aside, room, leases, flow };
        let external = look.choose(starts)?.ok_or(Refusal::Exhausted)?;
        let binding = Binding { flow, external };
        self.hold(binding, self.nat.key(flow, external).remote);
        self.leases.bound(&self.nat, binding, self.held.keys().copied());
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        let Some(remote) = self.held.remove(&binding) else {
            return;
        };
        self.room.released(binding, remote);
        self.leases.released(binding);
        let Some((key, _, position)) = place(&self.nat, binding, remote) else {
            return self.aside.release(binding);
        };
        let Some(row) = self.rows.get_mut(&key) else {
            return;
        };
        row.clear(position);
        if row.used == 0 {
            self.rows.remove(&key);
        }
    }

    fn reconfigure(&mut self, nat: &Nat) {
        let held = std::mem::take(&mut self.held);
        let mut leases = std::mem::take(&mut self.leases);
        leases.reconfigured(&self.nat.ports, &nat.ports);
        *self = Self { starts: self.starts.clone(), leases, ..Self::new(nat) };
        for (binding, remote) in held {
            self.hold(binding, remote);
        }
    }
}

/// What is held, in order: two bitmaps that answer alike from now on hash alike.
impl Hash for Bitmap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { nat, starts, rows, held, aside, room: _, leases } = self;
        (nat, starts, aside, leases).hash(state);
        (rows.iter().sorted().collect_vec(), held.iter().sorted().collect_vec()).hash(state);
    }
}

/// The row and position of a held key; `None` if it fits no row of this configuration.
fn place(nat: &Nat, binding: Binding, remote: Remote) -> Option<(RowKey, Candidates<'_>, usize)> {
    let owner = nat.owner(binding.external);
    let key = row_key(nat, binding.flow, owner);
    if key.remote != remote || !nat.ports.translates_ports() {
        return None;
    }
    let space = space_of(nat, binding.flow, owner)?;
    Some((key, space, space.position(binding.external)?))
}

/// All positions of the rows that this owner has for flows like this one.
fn space_of(nat: &Nat, flow: FiveTuple, owner: Owner) -> Option<Candidates<'_>> {
    let any_member = || nat.pool.members().next();
    let of = |member: Member| nat.space(flow.from(Endpoint::new(member.0, flow.source.port)));
    match owner {
        Owner::Member(member) => of(member).map(Candidates::first),
        Owner::Shared => of(any_member()?).map(|space| space.beyond().unwrap_or(space)),
        Owner::Lease => of(any_member()?),
        Owner::Nobody => None,
    }
}

fn row_key(nat: &Nat, flow: FiveTuple, owner: Owner) -> RowKey {
    let remote = nat.key(flow, flow.source).remote;
    RowKey { owner, transport: flow.transport, remote }
}

/// Whose these candidates of a flow are.
fn owner_of(nat: &Nat, flow: FiveTuple, candidates: Candidates) -> Owner {
    match nat.ports {
        PortPolicy::OnDemand(_) => Owner::Shared,
        _ if nat.ports.shared() == Some(candidates.block()) => Owner::Shared,
        PortPolicy::Doubling(_) => Owner::Lease,
        PortPolicy::Static
        | PortPolicy::Dynamic
        | PortPolicy::Tiered(_)
        | PortPolicy::Fixed { .. }
        | PortPolicy::Manual { .. }
        | PortPolicy::Guaranteed { .. }
        | PortPolicy::Deterministic(_) => Owner::Member(Member(flow.source.address)),
    }
}

/// One look for a free endpoint.
struct Look<'a> {
    nat: &'a Nat,
    rows: &'a FxHashMap<RowKey, Row>,
    aside: &'a Held,
    room: &'a Room,
    leases: &'a Leases,
    flow: FiveTuple,
}

impl<'a> Look<'a> {
    /// An eligible endpoint, of the first choices if there is one.
    fn choose(&self, starts: &mut Starts) -> Result<Option<Endpoint>, Refusal> {
        let (nat, flow) = (self.nat, self.flow);
        let candidates = nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        if !nat.ports.goes_beyond() {
            return self.among(vec![candidates], starts);
        }
        let leases = self.leases.of(flow.source.address);
        match self.among(nat.first_choices(flow, &leases), starts)? {
            Some(external) => Ok(Some(external)),
            None => self.among(nat.second_choices(flow, &leases, self.leases.all()), starts),
        }
    }

    /// The eligible endpoint that keeps most of the inside port, or else the first by the declared
    /// selection, of these candidates in turn.
    fn among(
        &self,
        candidates: Vec<Candidates<'a>>,
        starts: &mut Starts,
    ) -> Result<Option<Endpoint>, Refusal> {
        let mut searches = self.in_order(candidates).into_iter().map(|some| self.search(some));
        if self.nat.preserve.keeps_anything() {
            let found = searches.filter_map(|search| search.keeping_most());
            return Ok(found.min_by_key(|it| Reverse(self.rank(*it))));
        }
        let found = searches.find_map(|search| search.choose(starts).transpose());
        found.transpose()
    }

    /// The candidates by virtual IP, the one with the fewest keys first, where that is declared.
    fn in_order(&self, candidates: Vec<Candidates<'a>>) -> Vec<Candidates<'a>> {
        if self.nat.selection != Selection::Spread {
            return candidates;
        }
        let by_address = candidates.into_iter().flat_map(Candidates::by_address);
        by_address.sorted_by_cached_key(|some| self.load(*some)).collect()
    }

    /// Held keys around these candidates, of one virtual IP.
    fn load(&self, some: Candidates) -> usize {
        let Some(around) = self.nat.candidates_around(self.flow, some) else { return 0 };
        let Search { space, row, .. } = self.search(around);
        let aside = self.aside.load(self.nat, self.flow, around);
        aside + row.map_or(0, |row| row.used_within(space.positions_of(around)))
    }

    fn search<'b>(&'b self, some: Candidates<'b>) -> Search<'b> {
        let owner = owner_of(self.nat, self.flow, some);
        let space = space_of(self.nat, self.flow, owner).unwrap_or(some);
        let row = self.rows.get(&row_key(self.nat, self.flow, owner));
        Search { look: self, space, own: space.positions_of(some), row }
    }

    /// What an external endpoint keeps of the flow's inside port.
    fn rank(&self, external: Endpoint) -> [bool; 3] {
        self.nat.preserve.rank(self.flow.source.port, external.port)
    }

    /// Whether every position whose bit is clear is eligible.
    fn nothing_aside(&self) -> bool {
        self.aside.is_empty()
            && self.nat.gives_all_candidates()
            && self.nat.ports.translates_ports()
    }
}

/// A look among candidates that follow one another in the space of a row.
struct Search<'a> {
    look: &'a Look<'a>,
    /// All positions of the row.
    space: Candidates<'a>,
    /// Those of the candidates.
    own: Range<usize>,
    row: Option<&'a Row>,
}

impl Search<'_> {
    /// An eligible endpoint by the declared selection.
    fn choose(&self, starts: &mut Starts) -> Result<Option<Endpoint>, Refusal> {
        match self.look.nat.selection {
            _ if self.is_full() => Ok(None),
            Selection::Spread => Ok(self.within(self.own.clone())),
            Selection::RandomTries(_) => self.by_draws(starts),
            Selection::LowestFirst
            | Selection::Random(_)
            | Selection::SimpleHash(_)
            | Selection::DoubleHash(_)
            | Selection::RandomIncrements { .. } => Ok(self.upwards(starts)),
        }
    }

    fn is_full(&self) -> bool {
        self.row.is_some_and(|row| row.used == self.space.len())
    }

    /// The next eligible endpoint from the declared start on, past the last and round to the first.
    fn upwards(&self, starts: &mut Starts) -> Option<Endpoint> {
        let Look { nat, flow, .. } = *self.look;
        let start = starts.next(nat, flow, self.own.len());
        let Range { start: first, end } = self.own;
        let found = self.within(first + start..end).or_else(|| self.within(first..first + start));
        let position = found.and_then(|external| self.space.position(external))?;
        starts.took(nat, flow, start, position - first);
        found
    }

    /// As many draws as there are candidates. Where others are beyond these, those that are all
    /// held are passed over.
    fn by_draws(&self, starts: &mut Starts) -> Result<Option<Endpoint>, Refusal> {
        let Look { nat, flow, .. } = *self.look;
        if nat.ports.goes_beyond() && self.within(self.own.clone()).is_none() {
            return Ok(None);
        }
        let draw = |_| self.own.start + starts.next(nat, flow, self.own.len());
        let mut drawn = (0..self.own.len()).map(draw);
        let found = drawn.find_map(|position| self.within(position..position + 1));
        found.map(Some).ok_or(Refusal::GaveUp)
    }

    /// The eligible endpoint that keeps most of the inside port, the first of them in order.
    fn keeping_most(&self) -> Option<Endpoint> {
        self.all_within(self.own.clone()).min_by_key(|it| Reverse(self.look.rank(*it)))
    }

    /// The lowest eligible endpoint among these positions.
    fn within(&self, positions: Range<usize>) -> Option<Endpoint> {
        self.all_within(positions).next()
    }

    /// The eligible endpoints among these positions, in order.
    fn all_within(&self, positions: Range<usize>) -> impl Iterator<Item = Endpoint> {
        let Look { nat, aside, flow, .. } = *self.look;
        let is_known = self.look.nothing_aside();
        let free = self.with_room(positions).flat_map(|positions| self.free_within(positions));
        let free = free.filter_map(|position| self.space.at(position));
        free.filter(move |it| is_known || aside.is_nobodys(nat, flow, *it))
    }

    /// Of these positions, those of virtual IPs with room towards the destination.
    fn with_room(&self, positions: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Look { nat, room, flow, .. } = *self.look;
        if !room.is_limited() {
            return Either::Left(std::iter::once(positions));
        }
        let ports = self.space.block().len() as usize;
        let addresses = positions.start / ports..positions.end.div_ceil(ports);
        let with_room = addresses.filter(move |address| {
            let vip = self.space.addresses()[*address].0;
            room.is_left(nat, flow, vip)
        });
        Either::Right(with_room.map(move |address| {
            positions.start.max(address * ports)..positions.end.min((address + 1) * ports)
        }))
    }

    /// The positions whose bit is clear.
    fn free_within(&self, positions: Range<usize>) -> impl Iterator<Item = usize> {
        let next = move |from: usize| {
            let free = self.row.map_or(Some(from), |row| row.next_free(from));
            free.filter(|position| *position < positions.end)
        };
        std::iter::successors(next(positions.start), move |last| next(last + 1))
    }
}

impl Row {
    fn new(positions: usize) -> Self {
        Self { words: vec![0; positions.div_ceil(64)], used: 0 }
    }

    fn set(&mut self, position: usize) {
        self.words[position / 64] |= 1 << (position % 64);
        self.used += 1;
    }

    fn clear(&mut self, position: usize) {
        self.words[position / 64] &= !(1 << (position % 64));
        self.used -= 1;
    }

    /// The first position from `from` on whose bit is clear, within the words there are.
    fn next_free(&self, from: usize) -> Option<usize> {
        let below = (1_u64 << (from % 64)) - 1;
        let words = self.words.get(from / 64..)?;
        let masks = std::iter::once(below).chain(std::iter::repeat(0));
        let free = words.iter().zip(masks).map(|(word, mask)| !(word | mask));
        let (word, bits) = free.enumerate().find(|(_, bits)| *bits != 0)?;
        Some((from / 64 + word) * 64 + bits.trailing_zeros() as usize)
    }

    fn used_within(&self, positions: Range<usize>) -> usize {
        let is_set = |position: &usize| self.words[position / 64] >> (position % 64) & 1 == 1;
        positions.filter(is_set).count()
    }
}
