//! Hard bounds on what one member asks of one destination, and the most keys they let it hold.
//!
//! **What is bounded.** Time is whole milliseconds. A connection that is opened at `o` and lives for
//! `l` is live from `o` to `o + l`, the latter excluded; its key is held for a *rest* longer, which
//! the translator's timers give. The bounds, for one member towards one destination:
//!
//! - `flows_max`: so many connections are live at once;
//! - `rate` and `burst`: within any `n` milliseconds, at most `burst + floor(rate n)` are opened;
//! - `life_min`, `life_max`: how long each lives.
//!
//! Every connection comes from another inside endpoint, so each needs a key of its own, up to the
//! [`SOURCE_PORTS`] that an inside address has.
//!
//! **The most keys held at once.** Write `C` for `flows_max`, `m` and `M` for the least and the
//! largest life, `R` for the rest. A key that is held at the millisecond `t` belongs to a connection
//! opened within the `M + R` milliseconds that end with `t`. So the arrivals alone allow
//!
//! ```text
//! A = burst + floor(rate (M + R))
//! ```
//!
//! Those that were opened up to `t - R` are all live at that millisecond, so they are at most `C`;
//! the others were opened within the last `R`:
//!
//! ```text
//! B = C + burst + floor(rate R)
//! ```
//!
//! What is opened within any `m` milliseconds is all live in the last of them, so it is at most `C`.
//! The last `R` milliseconds are `k = floor(R / m)` lots of `m`, and `q = R - k m` more:
//!
//! ```text
//! D = C + k C                                        where q = 0
//! D = C + k C + min(C, burst + floor(rate q))        where q > 0
//! ```
//!
//! The most is the least of `A`, `B` and `D`: these are the ways to cover the window with bounds that
//! no other way beats. (Two windows of the rate in a row allow no less than one as long as both,
//! since `burst` is at least 1. A lot of `m` in place of the rate changes the sum by `C - rate m`, up
//! to rounding, and `C` is whole: so no number of lots between none and all allows less.) That it is
//! the maximum, and no upper bound only, is shown by arrivals that reach it
//! ([`worst`](super::arrivals::worst)); tests hold both against the translator.

use natlaw_model::time::Duration;

use super::rate::Rate;

/// Source ports of one inside address: all but port 0.
pub const SOURCE_PORTS: u64 = 65_535;

/// How connections are opened, as a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrivals {
    /// Opens over time.
    pub rate: Rate,
    /// Opens that a window has beyond its rate: at least 1.
    pub burst: u64,
}

/// Hard bounds on what one member asks of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// Connections live at once: at least 1.
    pub flows_max: Option<u64>,
    /// Connections opened.
    pub arrivals: Option<Arrivals>,
    /// The least time that a connection lives: at least 1 ms.
    pub life_min: Duration,
    /// The longest time that a connection lives: no less than the least.
    pub life_max: Duration,
}

impl Arrivals {
    /// Opens within so long a window.
    pub fn opens_in(self, window: Duration) -> u64 {
        self.burst.saturating_add(self.rate.opens_in(window))
    }
}

impl Envelope {
    /// The most keys that the member can hold at once, where each rests for `rest` after its
    /// connection: the least of the three bounds, and at most [`SOURCE_PORTS`].
    pub fn keys_max(&self, rest: Duration) -> u64 {
        let bounds =
            [self.by_arrivals(rest), self.by_flows_and_arrivals(rest), self.by_flows(rest)];
        bounds.into_iter().flatten().fold(SOURCE_PORTS, u64::min)
    }

    /// The most connections that can be live at once.
    pub fn flows_at_once(&self) -> u64 {
        self.keys_max(Duration::ZERO)
    }

    /// How long a key is held at most.
    pub fn held_max(&self, rest: Duration) -> Duration {
        Duration::from_millis(self.life_max.millis().saturating_add(rest.millis()))
    }

    /// `A`.
    fn by_arrivals(&self, rest: Duration) -> Option<u64> {
        self.arrivals.map(|arrivals| arrivals.opens_in(self.held_max(rest)))
    }

    /// `B`.
    fn by_flows_and_arrivals(&self, rest: Duration) -> Option<u64> {
        Some(self.flows_max?.saturating_add(self.arrivals?.opens_in(rest)))
    }

    /// `D`.
    fn by_flows(&self, rest: Duration) -> Option<u64> {
        let flows = self.flows_max?;
        let lot = self.life_min.millis().max(1);
        let (lots, left) = (rest.millis() / lot, Duration::from_millis(rest.millis() % lot));
        let last = match self.arrivals {
            _ if left.is_zero() => 0,
            Some(arrivals) => flows.min(arrivals.opens_in(left)),
            None => flows,
        };
        Some(flows.saturating_add(lots.saturating_mul(flows)).saturating_add(last))
    }
}
