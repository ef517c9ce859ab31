//! What is counted while a demand is played: connections by answer, and keys by destination.
//!
//! Keys are entered one at a time and leave by an agenda, so that the work of an event does not
//! grow with what is held.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::net::Ipv4Addr;

use natlaw_model::allocator::Refusal;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Outcome, Reason};
use natlaw_model::time::Instant;

/// How many destinations a report names.
const HOTTEST: usize = 5;

/// What a play has come to so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Connections that got an external endpoint, or their own back during its hold-down.
    pub(super) accepted: usize,
    /// Connections whose five-tuple was live when they began: one more packet of that flow.
    pub(super) joined: usize,
    /// Connections that were refused.
    pub(super) refused: Refused,
    /// The most flows that were live at once.
    pub(super) peak_live: usize,
    live: Expiring,
    held: Expiring,
    loads: HashMap<Towards, Load>,
}

/// Connections that were refused, by answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Refused {
    /// Nothing was eligible.
    pub(crate) exhausted: usize,
    /// The allocator's budget of probes was spent.
    pub(crate) gave_up: usize,
    /// The device did not forward them for a reason that no sound one has.
    pub(crate) otherwise: usize,
}

/// A destination and what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hot {
    /// What carries the connections.
    pub(crate) transport: Transport,
    /// Where they go.
    pub(crate) destination: Endpoint,
    /// Connections offered.
    pub(crate) connections: usize,
    /// Connections refused.
    pub(crate) refused: usize,
    /// The most keys that one member held at once, live or in hold-down.
    pub(crate) keys: usize,
    /// The member that held them, the first by address if several did.
    pub(crate) member: Ipv4Addr,
}

/// One member's traffic with one destination: within it no external endpoint serves twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Towards {
    member: Ipv4Addr,
    transport: Transport,
    destination: Endpoint,
}

/// What is counted for one member and one destination.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    connections: usize,
    refused: usize,
    keys: usize,
    keys_peak: usize,
}

/// Flows that each last until an instant, which may move either way.
#[derive(Debug, Clone, Default)]
struct Expiring {
    ends: HashMap<FiveTuple, Until>,
    agenda: BinaryHeap<Reverse<(Instant, FiveTuple)>>,
}

/// When a flow leaves, and when the agenda next looks at it: never later than that.
#[derive(Debug, Clone, Copy)]
struct Until {
    end: Instant,
    next_look: Instant,
}

impl Tally {
    /// A connection was attempted: was its five-tuple live before, and what was the answer?
    pub(super) fn attempted(&mut self, flow: FiveTuple, was_live: bool, outcome: &Outcome) {
        let load = self.loads.entry(Towards::of(flow)).or_default();
        load.connections += 1;
        match outcome {
            Outcome::Forwarded(_) if was_live => self.joined += 1,
            Outcome::Forwarded(_) => self.accepted += 1,
            _ => {
                load.refused += 1;
                self.refused.add(outcome);
            }
        }
    }

    /// A packet was forwarded: its flow is live and its key held until these instants.
    pub(super) fn forwarded(&mut self, flow: FiveTuple, live_until: Instant, held_until: Instant) {
        self.live.set(flow, live_until);
        if self.held.set(flow, held_until) {
            let load = self.loads.entry(Towards::of(flow)).or_default();
            load.keys += 1;
            load.keys_peak = load.keys_peak.max(load.keys);
        }
        self.peak_live = self.peak_live.max(self.live.ends.len());
    }

    /// Lets go of what has ended.
    pub(super) fn settle(&mut self, now: Instant) {
        while self.live.pop_ended(now).is_some() {}
        while let Some(flow) = self.held.pop_ended(now) {
            if let Some(load) = self.loads.get_mut(&Towards::of(flow)) {
                load.keys -= 1;
            }
        }
    }

    /// The most keys that one member held at once towards one destination.
    pub(super) fn keys_peak(&self) -> usize {
        self.loads.values().map(|load| load.keys_peak).max().unwrap_or(0)
    }

    /// The most connections that one member offered to one destination: it never holds more keys.
    pub(super) fn connections_peak(&self) -> usize {
        self.loads.values().map(|load| load.connections).max().unwrap_or(0)
    }

    /// The destinations with the most refusals, then keys, then connections.
    pub(super) fn hottest(&self) -> Vec<Hot> {
        let mut by_destination: BTreeMap<(Transport, Endpoint), Hot> = BTreeMap::new();
        for (towards, load) in &self.loads {
            let hot = Hot::new(*towards, *load);
            let key = (hot.transport, hot.destination);
            by_destination.entry(key).and_modify(|all| all.add(hot)).or_insert(hot);
        }
        let mut hottest: Vec<Hot> = by_destination.into_values().collect();
        hottest.sort_by_key(|hot| Reverse((hot.refused, hot.keys, hot.connections)));
        hottest.truncate(HOTTEST);
        hottest
    }
}

impl Refused {
    /// All of them.
    pub(crate) const fn total(self) -> usize {
        self.exhausted + self.gave_up + self.otherwise
    }

    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Dropped(Reason::Refused(Refusal::Exhausted)) => &mut self.exhausted,
            Outcome::Dropped(Reason::Refused(Refusal::GaveUp)) => &mut self.gave_up,
            _ => &mut self.otherwise,
        } += 1;
    }
}

impl Hot {
    fn new(towards: Towards, load: Load) -> Self {
        let Towards { member, transport, destination } = towards;
        let Load { connections, refused, keys_peak: keys, .. } = load;
        Self { transport, destination, connections, refused, keys, member }
    }

    /// Takes in what another member asked of the same destination.
    fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.refused += other.refused;
        let rank = |hot: &Self| (hot.keys, Reverse(hot.member));
        if rank(&other) > rank(self) {
            (self.keys, self.member) = (other.keys, other.member);
        }
    }
}

impl Towards {
    const fn of(flow: FiveTuple) -> Self {
        let FiveTuple { transport, source, destination } = flow;
        Self { member: source.address, transport, destination }
    }
}

impl Expiring {
    /// The flow lasts until `end`. Whether it is new.
    fn set(&mut self, flow: FiveTuple, end: Instant) -> bool {
        let entry = self.ends.entry(flow);
        let is_new = matches!(entry, Entry::Vacant(_));
        let until = entry.or_insert(Until { end, next_look: end });
        until.end = end;
        if is_new || end < until.next_look {
            until.next_look = end;
            self.agenda.push(Reverse((end, flow)));
        }
        is_new
    }

    /// Takes out a flow that has ended.
    fn pop_ended(&mut self, now: Instant) -> Option<FiveTuple> {
        loop {
            let Reverse((at, flow)) = *self.agenda.peek().filter(|next| next.0.0 <= now)?;
            self.agenda.pop();
            let Some(until) = self.ends.get_mut(&flow).filter(|until| until.next_look == at) else {
                continue;
            };
            if until.end <= now {
                self.ends.remove(&flow);
                return Some(flow);
            }
            until.next_look = until.end;
            self.agenda.push(Reverse((until.end, flow)));
        }
    }
}
