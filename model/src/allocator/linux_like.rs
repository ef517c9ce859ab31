//! The rule by which Linux netfilter translates sources into a range, as Linux 6.18 was seen to
//! follow it in November 2026.
//!
//! 1. The newest mapping of the same inside endpoint, towards whatever destination, is used again if
//!    its endpoint is free towards this one. Older ones are not tried.
//! 2. Otherwise the address is a hash of source and destination address, and no other is tried.
//! 3. The inside port is kept if it is among the ports and free.
//! 4. Otherwise ports are looked at from a start drawn anew, in windows of 128, 64, 32, 16 and 8; up
//!    to 128 ports in one window of all of them. What is free is taken, and who finds nothing gives
//!    up.
//!
//! **Readings taken.**
//! - A start is a number of 16 bits that goes on with 0 after 65,535, and a port is its remainder
//!   by the count of ports. So where that is no power of two, a window may miss ports.
//! - The hash is Jenkins' lookup3 of the address words as a little-endian machine reads them; it has
//!   no seed.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::held::Held;
use super::random::SplitMix;
use super::starts::seed_of;
use super::{PortAllocator, Refusal};
use crate::flow::{Binding, Endpoint, FiveTuple, Transport};
use crate::nat::{Candidates, Nat};

/// The lengths of the windows, in ports.
pub(super) const WINDOWS: [u32; 5] = [128, 64, 32, 16, 8];

/// Chooses as Linux does, drawing from the seed of the configuration; or says of any answer whether
/// Linux could have given it, and follows that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinuxLike {
    nat: Nat,
    held: Held,
    by_source: BTreeMap<(Transport, Endpoint), Vec<Binding>>,
    random: SplitMix,
    probes: u32,
}

/// Every answer that the rule allows to a new flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The endpoints that it may be given, in the order of [`Nat::candidates`]: exactly one where
    /// the rule is exact.
    pub endpoints: Vec<Endpoint>,
    /// Whether it may be refused.
    pub refusal: bool,
}

impl Allowed {
    /// This endpoint and nothing else.
    pub fn only(endpoint: Endpoint) -> Self {
        Self { endpoints: vec![endpoint], refusal: false }
    }

    /// Whether this answer is one of them. Of refusals it is the fact that counts, not the reason.
    pub fn contains(&self, answer: Result<Endpoint, Refusal>) -> bool {
        answer.map_or(self.refusal, |endpoint| self.endpoints.contains(&endpoint))
    }
}

impl LinuxLike {
    /// An allocator that has given nothing yet.
    pub fn new(nat: &Nat) -> Self {
        let random = SplitMix::new(seed_of(nat));
        let (held, by_source) = (Held::default(), BTreeMap::new());
        Self { nat: nat.clone(), held, by_source, random, probes: 0 }
    }

    /// What a new flow may be answered: all that a random start could lead to.
    pub fn allowed(&self, flow: FiveTuple) -> Allowed {
        match self.exact(flow) {
            Some(endpoint) => Allowed::only(endpoint),
            None => self.searched(flow),
        }
    }

    /// Holds an endpoint that a real device chose.
    pub fn adopt(&mut self, binding: Binding) {
        self.held.hold(binding, self.nat.key(binding.flow, binding.external).remote);
        self.by_source.entry(source_of(binding.flow)).or_default().push(binding);
    }

    /// The endpoint that is given without drawing: that of the newest mapping, or the inside port.
    pub fn exact(&self, flow: FiveTuple) -> Option<Endpoint> {
        self.reused(flow).or_else(|| self.preserved(flow))
    }

    /// The endpoint of the newest mapping of the same inside endpoint, if it is free.
    pub fn reused(&self, flow: FiveTuple) -> Option<Endpoint> {
        let newest = self.mappings(flow).last().copied()?;
        self.is_free(flow, newest).then_some(newest)
    }

    /// The inside port on the flow's address, if it is free.
    pub fn preserved(&self, flow: FiveTuple) -> Option<Endpoint> {
        let kept = Endpoint::new(self.addressed(flow)?.addresses()[0].0, flow.source.port);
        self.is_free(flow, kept).then_some(kept)
    }

    /// What a search may answer: any free port of the flow's address; a refusal too, if there is a
    /// start from which every port looked at is taken.
    pub fn searched(&self, flow: FiveTuple) -> Allowed {
        let candidates = self.addressed(flow);
        let candidates: Vec<Endpoint> = candidates.into_iter().flat_map(Candidates::iter).collect();
        let free: Vec<bool> = candidates.iter().map(|it| self.is_free(flow, *it)).collect();
        let endpoints = candidates.iter().zip(&free).filter(|(_, free)| **free);
        let endpoints = endpoints.map(|(endpoint, _)| *endpoint).collect();
        Allowed { endpoints, refusal: may_find_nothing(&free) }
    }

    /// How many taken candidates a refusal of this flow looks at: the newest mapping's, the inside
    /// port and all windows, so 250 at most. A pool of one port is not looked at if that is the
    /// inside one. `None` for a stranger.
    pub fn taken_by_a_refusal(&self, flow: FiveTuple) -> Option<u32> {
        let addressed = self.addressed(flow)?;
        let newest = u32::from(!self.mappings(flow).is_empty());
        let kept = u32::from(addressed.block().contains(flow.source.port));
        let searched = windows(addressed.len()).into_iter().sum::<u32>() + kept;
        let is_only_port = addressed.len() == 1 && kept == 1;
        Some(newest + if is_only_port { 0 } else { searched })
    }

    /// The endpoints of the live mappings of the same inside endpoint, the oldest first.
    pub fn mappings(&self, flow: FiveTuple) -> Vec<Endpoint> {
        let held = self.by_source.get(&source_of(flow)).into_iter().flatten();
        held.map(|binding| binding.external).collect()
    }

    /// The candidates on the one address that a new flow is given; `None` for a stranger.
    pub fn addressed(&self, flow: FiveTuple) -> Option<Candidates<'_>> {
        let candidates = self.nat.candidates(flow)?;
        let (source, destination) = (flow.source.address, flow.destination.address);
        let index = address_index(source, destination, candidates.addresses().len());
        candidates.by_address().nth(index)
    }

    /// Whether the flow may be given this endpoint and nobody holds it.
    pub fn is_free(&self, flow: FiveTuple, endpoint: Endpoint) -> bool {
        self.held.is_eligible(&self.nat, flow, endpoint)
    }

    /// Looks through the windows. Only who has seen every candidate says that there is nothing.
    fn search(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let all = self.nat.candidates(flow).map(Candidates::len).ok_or(Refusal::NotInPool)?;
        let ports = self.addressed(flow).map_or(0, Candidates::len);
        let starts: Vec<(u16, u32)> =
            windows(ports).into_iter().map(|length| (self.start(), length)).collect();
        let mut looked_at = vec![false; ports];
        for (start, length) in starts {
            for position in positions(start, length, ports) {
                self.probes += 1;
                looked_at[position] = true;
                let endpoint = self.addressed(flow).and_then(|it| it.at(position));
                if let Some(endpoint) = endpoint.filter(|it| self.is_free(flow, *it)) {
                    return Ok(endpoint);
                }
            }
        }
        let saw_all = ports == all && looked_at.iter().all(|looked_at| *looked_at);
        Err(if saw_all { Refusal::Exhausted } else { Refusal::GaveUp })
    }

    fn start(&mut self) -> u16 {
        u16::try_from(self.random.below(1 << 16)).unwrap_or(0)
    }
}

impl PortAllocator for LinuxLike {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.probes = 0;
        let external = match self.exact(flow) {
            Some(endpoint) => endpoint,
            None => self.search(flow)?,
        };
        self.adopt(Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        self.held.release(binding);
        let source = source_of(binding.flow);
        let Some(held) = self.by_source.get_mut(&source) else { return };
        held.retain(|it| *it != binding);
        if held.is_empty() {
            self.by_source.remove(&source);
        }
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.nat = nat.clone();
    }

    /// Ports that the search looked at: none where the answer needed no search.
    fn probes(&self) -> Option<u32> {
        Some(self.probes)
    }
}

/// Which of so many addresses (from 0) a flow between these two is given.
pub fn address_index(source: Ipv4Addr, destination: Ipv4Addr, addresses: usize) -> usize {
    let word = |address: Ipv4Addr| u32::from_le_bytes(address.octets());
    let hash = u64::from(lookup3(word(source), word(destination)));
    usize::try_from((hash * addresses as u64) >> 32).unwrap_or(0)
}

const fn source_of(flow: FiveTuple) -> (Transport, Endpoint) {
    (flow.transport, flow.source)
}

/// The lengths of the windows in which so many ports are searched.
fn windows(ports: usize) -> Vec<u32> {
    match u32::try_from(ports) {
        Ok(ports) if ports <= WINDOWS[0] => vec![ports],
        _ => WINDOWS.into(),
    }
}

/// Which of `ports` ports (from 0) a window looks at.
fn positions(start: u16, length: u32, ports: usize) -> impl Iterator<Item = usize> {
    let numbers = std::iter::successors(Some(start), |number| Some(number.wrapping_add(1)));
    numbers.take(length as usize).map(move |number| usize::from(number) % ports)
}

/// Whether there is a start from which the first window looks at taken ports only. The others are
/// shorter and may start there too. Of starts that do not pass 65,535 as many differ as there are
/// ports; the others are the last ones there are.
fn may_find_nothing(free: &[bool]) -> bool {
    let length = windows(free.len())[0];
    let ports = u16::try_from(free.len()).unwrap_or(u16::MAX);
    let last = u16::try_from(length).unwrap_or(u16::MAX);
    let mut starts = (0..ports).chain(u16::MAX - last..=u16::MAX);
    starts.any(|start| positions(start, length, free.len()).all(|position| !free[position]))
}

/// Jenkins' lookup3 (public domain, May 2006) of the words `first`, 0, 0, 0 from this start.
fn lookup3(first: u32, start: u32) -> u32 {
    let begin = 0xdead_beef_u32.wrapping_add(4 << 2).wrapping_add(start);
    let [a, b, c] = mixed([begin.wrapping_add(first), begin, begin]);
    finished([a, b, c])
}

/// The mix of lookup3: each word takes the next away, is turned, and moves on.
fn mixed(mut words: [u32; 3]) -> [u32; 3] {
    for (round, bits) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
        let [at, next, before] = [round, round + 1, round + 2].map(|word| word % 3);
        words[at] = words[at].wrapping_sub(words[before]) ^ words[before].rotate_left(bits);
        words[before] = words[before].wrapping_add(words[next]);
    }
    words
}

/// The final mix of lookup3, and its last word.
fn finished(mut words: [u32; 3]) -> u32 {
    for (round, bits) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let [at, other] = [round + 2, round + 1].map(|word| word % 3);
        words[at] = (words[at] ^ words[other]).wrapping_sub(words[other].rotate_left(bits));
    }
    words[2]
}
