//! The arrivals that make a member hold the most keys its envelope allows.
//!
//! Every connection is opened as early as the bounds allow, and its key is still held when the last
//! is opened. Opening earlier never makes a later open impossible, so no arrivals within the bounds
//! have more of them open by any instant: this is the maximum, found without a formula.

use std::collections::VecDeque;

use natlaw_model::time::Duration;

use super::envelope::{Arrivals, Envelope, SOURCE_PORTS};

/// A connection: when it is opened, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Milliseconds after the first open.
    pub opened_ms: u64,
    /// Milliseconds after the first open: later than `opened_ms`.
    pub ended_ms: u64,
}

/// The arrivals of an envelope that make a member hold the most keys, where each rests for `rest`
/// after its connection. All of them are held at the instant of the last open.
pub fn worst(envelope: &Envelope, rest: Duration) -> impl Iterator<Item = Connection> {
    let last_ms = envelope.held_max(rest).millis().saturating_sub(1);
    let mut eager = Eager::new(*envelope);
    let openings = std::iter::from_fn(move || eager.next(last_ms));
    openings.take(usize::try_from(SOURCE_PORTS).unwrap_or(usize::MAX))
}

/// Opens as early as the bounds allow.
struct Eager {
    envelope: Envelope,
    bucket: Option<Bucket>,
    /// When the live connections end, in the order in which they were opened.
    ends: VecDeque<u64>,
    now_ms: u64,
}

impl Eager {
    fn new(envelope: Envelope) -> Self {
        let bucket = envelope.arrivals.map(Bucket::full);
        Self { envelope, bucket, ends: VecDeque::new(), now_ms: 0 }
    }

    /// The next open, unless it would be later than `last_ms`.
    fn next(&mut self, last_ms: u64) -> Option<Connection> {
        let by_rate = self.bucket.as_ref().map_or(0, Bucket::next_ms);
        let is_full = self.envelope.flows_max.is_some_and(|max| self.ends.len() as u64 >= max);
        let by_flows = if is_full { self.ends.pop_front().unwrap_or(0) } else { 0 };
        let opened_ms = self.now_ms.max(by_rate).max(by_flows);
        if opened_ms > last_ms {
            return None;
        }
        self.now_ms = opened_ms;
        self.bucket.iter_mut().for_each(|bucket| bucket.take(opened_ms));
        let ended_ms = self.end_of(opened_ms);
        self.ends.push_back(ended_ms);
        Some(Connection { opened_ms, ended_ms })
    }

    /// What is opened before the longest life is over stays until then, so that its key is held to
    /// the end; what comes after it lives for the least time.
    fn end_of(&self, opened_ms: u64) -> u64 {
        let least = opened_ms.saturating_add(self.envelope.life_min.millis());
        least.max(self.envelope.life_max.millis())
    }
}

/// Opens that are allowed: at most `burst` saved up, and those of the rate for the millisecond that
/// it is. Counted in parts of an open, of which there are `every_ms`.
struct Bucket {
    arrivals: Arrivals,
    parts: u128,
    at_ms: u64,
}

impl Bucket {
    fn full(arrivals: Arrivals) -> Self {
        let parts = saved_max(arrivals) + u128::from(arrivals.rate.opens());
        Self { arrivals, parts, at_ms: 0 }
    }

    /// The first millisecond at which there is a whole open.
    fn next_ms(&self) -> u64 {
        let rate = self.arrivals.rate;
        let missing = u128::from(rate.every_ms()).saturating_sub(self.parts);
        let wait = missing.div_ceil(u128::from(rate.opens()));
        self.at_ms.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// Takes one open out, in a millisecond in which there is one.
    fn take(&mut self, at_ms: u64) {
        let rate = self.arrivals.rate;
        if let Some(before) = (at_ms - self.at_ms).checked_sub(1) {
            let grown = u128::from(rate.opens()).saturating_mul(u128::from(before));
            let saved = self.parts.saturating_add(grown).min(saved_max(self.arrivals));
            self.parts = saved + u128::from(rate.opens());
            self.at_ms = at_ms;
        }
        self.parts = self.parts.saturating_sub(u128::from(rate.every_ms()));
    }
}

/// What can be saved up, in parts of an open: two factors of 64 bits fit, and leave room.
fn saved_max(arrivals: Arrivals) -> u128 {
    u128::from(arrivals.burst) * u128::from(arrivals.rate.every_ms())
}
