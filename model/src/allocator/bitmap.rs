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
//! What does not fit the rows stands aside in a plain set, looked at only while there is any:
//! keys bound under a configuration since replaced, and keys of members that keep their ports.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use itertools::{Either, Itertools};
use rustc_hash::FxHashMap;

use super::held::Held;
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
        let candidates = self.nat.candidates(flow).ok_or(Refusal::NotInPool)?;
        let space = self.nat.space(flow).ok_or(Refusal::NotInPool)?;
        let search = Search {
            nat: &self.nat,
            aside: &self.aside,
            room: &self.room,
            flow,
            space,
            own: space.positions_of(candidates),
            row: self.rows.get(&row_key(&self.nat, flow, owner_of(&self.nat, flow))),
        };
        let external = match self.nat.selection {
            _ if self.nat.preserve.keeps_anything() => search.keeping_most(),
            Selection::Spread => search.least_loaded(),
            Selection::RandomTries(_) => search.by_draws(&mut self.starts)?,
            _ => search.upwards(&mut self.starts),
        };
        let external = external.ok_or(Refusal::Exhausted)?;
        self.hold(Binding { flow, external }, self.nat.key(flow, external).remote);
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        let Some(remote) = self.held.remove(&binding) else {
            return;
        };
        self.room.released(binding, remote);
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
        *self = Self { starts: self.starts.clone(), ..Self::new(nat) };
        for (binding, remote) in held {
            self.hold(binding, remote);
        }
    }
}

/// What is held, in order: two bitmaps that answer alike from now on hash alike.
impl Hash for Bitmap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { nat, starts, rows, held, aside, room: _ } = self;
        (nat, starts, aside).hash(state);
        (rows.iter().sorted().collect_vec(), held.iter().sorted().collect_vec()).hash(state);
    }
}

/// The row and position of a held key; `None` if it fits no row of this configuration.
fn place(nat: &Nat, binding: Binding, remote: Remote) -> Option<(RowKey, Candidates<'_>, usize)> {
    let owner = nat.owner(binding.external);
    let inside = match owner {
        Owner::Member(member) => Endpoint::new(member.0, binding.flow.source.port),
        Owner::Shared => Endpoint::new(nat.pool.members().next()?.0, binding.flow.source.port),
        Owner::Lease | Owner::Nobody => return None,
    };
    let key = row_key(nat, binding.flow, owner);
    if key.remote != remote || !nat.ports.translates_ports() {
        return None;
    }
    let space = nat.space(binding.flow.from(inside))?;
    Some((key, space, space.position(binding.external)?))
}

fn row_key(nat: &Nat, flow: FiveTuple, owner: Owner) -> RowKey {
    let remote = nat.key(flow, flow.source).remote;
    RowKey { owner, transport: flow.transport, remote }
}

/// Whose candidates a flow's are.
fn owner_of(nat: &Nat, flow: FiveTuple) -> Owner {
    match nat.ports {
        PortPolicy::OnDemand(_) => Owner::Shared,
        _ => Owner::Member(Member(flow.source.address)),
    }
}

/// One look for a free endpoint.
struct Search<'a> {
    nat: &'a Nat,
    aside: &'a Held,
    room: &'a Room,
    flow: FiveTuple,
    /// All positions of the row.
    space: Candidates<'a>,
    /// Those of them that the flow may be given.
    own: Range<usize>,
    row: Option<&'a Row>,
}

impl Search<'_> {
    /// The next eligible endpoint from the declared start on, past the last and round to the first.
    fn upwards(&self, starts: &mut Starts) -> Option<Endpoint> {
        if self.is_full() {
            return None;
        }
        let start = starts.next(self.nat, self.flow, self.own.len());
        let Range { start: first, end } = self.own;
        let found = self.within(first + start..end).or_else(|| self.within(first..first + start));
        let position = found.and_then(|external| self.space.position(external))?;
        starts.took(self.nat, self.flow, start, position - first);
        found
    }

    /// As many draws as there are candidates.
    fn by_draws(&self, starts: &mut Starts) -> Result<Option<Endpoint>, Refusal> {
        if self.is_full() {
            return Ok(None);
        }
        let draw = |_| self.own.start + starts.next(self.nat, self.flow, self.own.len());
        let mut drawn = (0..self.own.len()).map(draw);
        let found = drawn.find_map(|position| self.within(position..position + 1));
        found.map(Some).ok_or(Refusal::GaveUp)
    }

    fn is_full(&self) -> bool {
        self.row.is_some_and(|row| row.used == self.space.len())
    }

    /// The lowest eligible endpoint on the virtual IP with the fewest keys that has one.
    fn least_loaded(&self) -> Option<Endpoint> {
        self.by_load().into_iter().find_map(|positions| self.within(positions))
    }

    /// The eligible endpoint that keeps most of the inside port; the first of them in the declared
    /// order.
    fn keeping_most(&self) -> Option<Endpoint> {
        let eligible = self.by_load().into_iter().flat_map(|positions| self.all_within(positions));
        let inside = self.flow.source.port;
        eligible.min_by_key(|it| Reverse(self.nat.preserve.rank(inside, it.port)))
    }

    /// The positions of each virtual IP, the least loaded first where that is declared.
    fn by_load(&self) -> Vec<Range<usize>> {
        let ports = self.space.block().len() as usize;
        let load = |positions: &Range<usize>| {
            let vip = self.space.addresses()[positions.start / ports].0;
            let aside = self.aside.load(self.nat, self.flow, vip);
            aside + self.row.map_or(0, |row| row.used_within(positions.clone()))
        };
        let mut addresses: Vec<Range<usize>> =
            self.own.clone().step_by(ports).map(|first| first..first + ports).collect();
        if self.nat.selection == Selection::Spread {
            addresses.sort_by_cached_key(load);
        }
        addresses
    }

    /// The lowest eligible endpoint among these positions.
    fn within(&self, positions: Range<usize>) -> Option<Endpoint> {
        self.all_within(positions).next()
    }

    /// The eligible endpoints among these positions, in order.
    fn all_within(&self, positions: Range<usize>) -> impl Iterator<Item = Endpoint> {
        let is_known = self.nothing_aside();
        let free = self.with_room(positions).flat_map(|positions| self.free_within(positions));
        let free = free.filter_map(|position| self.space.at(position));
        free.filter(move |it| is_known || self.aside.is_nobodys(self.nat, self.flow, *it))
    }

    /// Of these positions, those of virtual IPs with room towards the destination.
    fn with_room(&self, positions: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        if !self.room.is_limited() {
            return Either::Left(std::iter::once(positions));
        }
        let ports = self.space.block().len() as usize;
        let addresses = positions.start / ports..positions.end.div_ceil(ports);
        let with_room = addresses.filter(|address| {
            let vip = self.space.addresses()[*address].0;
            self.room.is_left(self.nat, self.flow, vip)
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

    fn nothing_aside(&self) -> bool {
        self.aside.is_empty()
            && self.nat.gives_all_candidates()
            && self.nat.ports.translates_ports()
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
