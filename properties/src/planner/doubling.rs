//! Whether doubling a member's ports keeps up with its arrivals.
//!
//! **Readings taken.** A member begins with some ports. When it holds so large a share of them, a
//! doubling is asked for; the new ports are there when the latency is over, and then the next can be
//! asked for. What finds no port until then is refused, and does not come again. Latency and share
//! are assumed: no document that was read names them.

use natlaw_model::time::Duration;

use super::arrivals::worst;
use super::envelope::Envelope;

/// How a member's ports are doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubling {
    /// Ports that a member begins with: at least 1.
    pub ports_min: u64,
    /// Ports that a member has at most: no fewer.
    pub ports_max: u64,
    /// From when a doubling is asked for until the ports are there.
    pub latency: Duration,
    /// The share of its ports that a member holds when a doubling is asked for, in percent: 1 to
    /// 100.
    pub share: u8,
}

/// What became of a member's arrivals while its ports were doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ramp {
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// When the last was refused, in milliseconds after the first open.
    pub last_refusal_ms: Option<u64>,
    /// Ports that the member has at the end.
    pub ports: u64,
    /// Doublings that took effect.
    pub doublings: u32,
}

/// The ports of a member while they are doubled.
struct Growing {
    doubling: Doubling,
    ports: u64,
    asked_until_ms: Option<u64>,
}

/// What becomes of the worst arrivals of an envelope, where each key rests for `rest`.
pub fn ramp(envelope: &Envelope, rest: Duration, doubling: Doubling) -> Ramp {
    let mut growing = Growing { doubling, ports: doubling.ports_min, asked_until_ms: None };
    let mut ramp = Ramp::default();
    for arrival in worst(envelope, rest) {
        ramp.doublings += growing.grow(ramp.opened, arrival.opened_ms);
        if ramp.opened < growing.ports {
            ramp.opened += 1;
        } else {
            ramp.refused += 1;
            ramp.last_refusal_ms = Some(arrival.opened_ms);
        }
        growing.ask(ramp.opened, arrival.opened_ms);
    }
    Ramp { ports: growing.ports, ..ramp }
}

/// The fewest ports to begin with, of those that double to as many, with which none is refused.
pub fn ports_min(envelope: &Envelope, rest: Duration, doubling: Doubling) -> Option<u64> {
    let mut begun = std::iter::successors(Some(doubling.ports_min), |ports| ports.checked_mul(2));
    let none_is_refused = |ports: &u64| {
        let doubling = Doubling { ports_min: *ports, ..doubling };
        ramp(envelope, rest, doubling).refused == 0
    };
    let allowed = |ports: &u64| *ports <= doubling.ports_max;
    begun.by_ref().take_while(allowed).find(none_is_refused)
}

impl Growing {
    /// Takes what is there by now, and asks for more at the instant at which that was not enough.
    /// Answers how many doublings took effect.
    fn grow(&mut self, held: u64, now_ms: u64) -> u32 {
        let mut doublings = 0;
        while let Some(there_ms) = self.asked_until_ms.filter(|until| *until <= now_ms) {
            self.ports = self.ports.saturating_mul(2).min(self.doubling.ports_max);
            self.asked_until_ms = None;
            self.ask(held, there_ms);
            doublings += 1;
        }
        doublings
    }

    /// Asks for more, where so many are held and nothing is asked for yet.
    fn ask(&mut self, held: u64, now_ms: u64) {
        let share = u128::from(self.doubling.share) * u128::from(self.ports);
        let is_close = u128::from(held) * 100 >= share;
        if is_close && self.asked_until_ms.is_none() && self.ports < self.doubling.ports_max {
            self.asked_until_ms = Some(now_ms.saturating_add(self.doubling.latency.millis()));
        }
    }
}
