//! What falls due, and when.
//!
//! Whatever waits equally long falls due in the order in which it began to wait. So there is a lane
//! for each length of time, a list to whose end everything is added: adding, taking out and finding
//! what is due cost the same however many wait. There are as many lanes as there are timers.

use std::collections::BTreeMap;

use crate::time::{Duration, Instant};

/// All that waits.
#[derive(Debug, Clone)]
pub(super) struct Agenda<T> {
    lanes: BTreeMap<Duration, Lane>,
    slots: Vec<Slot<T>>,
    vacant: Vec<usize>,
}

/// Names something that waits, until it falls due or is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    slot: usize,
    issue: u64,
}

/// The first and the last of those that wait equally long.
#[derive(Debug, Clone, Copy)]
struct Lane {
    first: usize,
    last: usize,
}

/// A place for one that waits; `issue` tells its holders apart.
#[derive(Debug, Clone)]
struct Slot<T> {
    issue: u64,
    waiting: Option<Waiting<T>>,
}

#[derive(Debug, Clone)]
struct Waiting<T> {
    at: Instant,
    what: T,
    lane: Duration,
    before: Option<usize>,
    after: Option<usize>,
}

impl<T: Copy + Ord> Agenda<T> {
    pub(super) const fn new() -> Self {
        Self { lanes: BTreeMap::new(), slots: Vec::new(), vacant: Vec::new() }
    }

    /// Adds what falls due this long after `now`, which is never earlier than in the call before.
    pub(super) fn add(&mut self, now: Instant, wait: Duration, what: T) -> Ticket {
        let before = self.lanes.get(&wait).map(|lane| lane.last);
        let waiting = Waiting { at: now + wait, what, lane: wait, before, after: None };
        let slot = self.place(waiting);
        if let Some(before) = before {
            self.waiting_mut(before).after = Some(slot);
        }
        let lane = self.lanes.entry(wait).or_insert(Lane { first: slot, last: slot });
        lane.last = slot;
        Ticket { slot, issue: self.slots[slot].issue }
    }

    /// Takes out what has not yet fallen due.
    pub(super) fn take_out(&mut self, ticket: Ticket) {
        if self.slots[ticket.slot].issue == ticket.issue {
            self.remove(ticket.slot);
        }
    }

    /// Lets something else fall due in its place.
    pub(super) fn replace(&mut self, ticket: Ticket, what: T) {
        if self.slots[ticket.slot].issue == ticket.issue {
            self.waiting_mut(ticket.slot).what = what;
        }
    }

    /// Takes out all that falls due next, at one instant and not after `now`, in order.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<(Instant, Vec<T>)> {
        let firsts = self.lanes.values().map(|lane| self.waiting(lane.first).at);
        let at = firsts.min().filter(|at| *at <= now)?;
        let lanes: Vec<Duration> = self.lanes.keys().copied().collect();
        let mut due = Vec::new();
        for lane in lanes {
            while let Some(first) = self.first_at(lane, at) {
                due.push(self.remove(first).what);
            }
        }
        due.sort_unstable();
        Some((at, due))
    }

    /// Everything that waits, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, T)> {
        self.slots.iter().filter_map(|slot| slot.waiting.as_ref()).map(|w| (w.at, w.what))
    }

    fn first_at(&self, lane: Duration, at: Instant) -> Option<usize> {
        let first = self.lanes.get(&lane)?.first;
        (self.waiting(first).at == at).then_some(first)
    }

    fn place(&mut self, waiting: Waiting<T>) -> usize {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot { issue: 0, waiting: None });
            self.slots.len() - 1
        });
        self.slots[slot].waiting = Some(waiting);
        slot
    }

    fn remove(&mut self, slot: usize) -> Waiting<T> {
        let removed = self.slots[slot].waiting.take().expect("a ticket that is valid");
        self.slots[slot].issue += 1;
        self.vacant.push(slot);
        if let Some(before) = removed.before {
            self.waiting_mut(before).after = removed.after;
        }
        if let Some(after) = removed.after {
            self.waiting_mut(after).before = removed.before;
        }
        self.shorten(&removed);
        removed
    }

    /// Moves the ends of a lane past one that was removed.
    fn shorten(&mut self, removed: &Waiting<T>) {
        match (removed.before, removed.after) {
            (None, None) => drop(self.lanes.remove(&removed.lane)),
            (None, Some(after)) => self.lane_mut(removed.lane).first = after,
            (Some(before), None) => self.lane_mut(removed.lane).last = before,
            (Some(_), Some(_)) => {}
        }
    }

    fn lane_mut(&mut self, lane: Duration) -> &mut Lane {
        self.lanes.get_mut(&lane).expect("a lane of somebody who waits")
    }

    fn waiting(&self, slot: usize) -> &Waiting<T> {
        self.slots[slot].waiting.as_ref().expect("a neighbour that waits")
    }

    fn waiting_mut(&mut self, slot: usize) -> &mut Waiting<T> {
        self.slots[slot].waiting.as_mut().expect("a neighbour that waits")
    }
}
