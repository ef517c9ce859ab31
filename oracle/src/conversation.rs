//! The TCP of members and servers: sequence numbers, and no more.

use std::collections::HashMap;

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Segment, Side, Signal};

use crate::frame::Numbers;

/// At which sequence numbers connections begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Each higher than all before it, as a clock makes them (RFC 9293 section 3.4.1).
    EverHigher,
    /// Each lower than all before it.
    EverLower,
}

/// Every connection that was begun.
#[derive(Debug)]
pub struct Conversations {
    beginning: Beginning,
    begun: u32,
    of: HashMap<FiveTuple, Conversation>,
    /// The member's own tuple for the packets of the outside.
    inside: HashMap<FiveTuple, FiveTuple>,
}

/// Where both sides of a connection stand.
#[derive(Debug, Clone, Copy)]
struct Conversation {
    /// Who sent the first SYN, or whatever came first.
    begun_by: Side,
    first: [u32; 2],
    next: [Option<u32>; 2],
    finished: [bool; 2],
    reset: bool,
}

/// From the first number of one connection to that of the next.
const STRIDE: u32 = 16;
const MIDDLE: u32 = 1 << 31;

impl Conversations {
    /// No connection yet.
    pub fn new(beginning: Beginning) -> Self {
        Self { beginning, begun: 0, of: HashMap::new(), inside: HashMap::new() }
    }

    /// Nothing has been said yet, but for the numbers that were used.
    pub fn forget(&mut self) {
        self.of.clear();
        self.inside.clear();
    }

    /// What the outside sees of a packet of a member.
    pub fn sent(&mut self, flow: FiveTuple, seen: FiveTuple) {
        self.inside.insert(seen.reversed(), flow);
    }

    /// What a member sees of a packet of the outside: perhaps the first of a connection, whose
    /// tuple on the inside nobody knew.
    pub fn delivered(&mut self, packet: FiveTuple, seen: FiveTuple) {
        let flow = seen.reversed();
        let before = self.inside.insert(packet, flow).unwrap_or(packet.reversed());
        let moved = (before != flow).then(|| self.of.remove(&before)).flatten();
        if let Some(conversation) = moved {
            self.of.insert(flow, conversation);
        }
    }

    /// The numbers of the next segment of this side.
    pub fn numbers(&mut self, side: Side, segment: Segment) -> Numbers {
        let flow = match side {
            Side::Inside => segment.tuple,
            Side::Outside => {
                let known = self.inside.get(&segment.tuple);
                known.copied().unwrap_or(segment.tuple.reversed())
            }
        };
        let before = self.of.get(&flow).copied();
        let is_new = |before: &Conversation| {
            segment.signal == Signal::Open && (before.is_over() || before.is_answered_to(side))
        };
        let mut conversation = match before.filter(|before| !is_new(before)) {
            Some(before) => before,
            None => self.begin(side),
        };
        let numbers = conversation.advance(side, segment.signal);
        self.of.insert(flow, conversation);
        numbers
    }

    fn begin(&mut self, begun_by: Side) -> Conversation {
        self.begun += 1;
        let way = self.begun.wrapping_mul(STRIDE);
        let first = match self.beginning {
            Beginning::EverHigher => MIDDLE.wrapping_add(way),
            Beginning::EverLower => MIDDLE.wrapping_sub(way),
        };
        let (next, finished) = ([None; 2], [false; 2]);
        Conversation { begun_by, first: [first; 2], next, finished, reset: false }
    }
}

impl Conversation {
    fn is_over(self) -> bool {
        self.reset || self.finished == [true; 2]
    }

    /// Whether this side began, and has heard from the other: a further SYN is for another connection.
    fn is_answered_to(self, side: Side) -> bool {
        let (_, far) = sides(side);
        self.begun_by == side && self.next[far].is_some()
    }

    /// A SYN and a FIN count for a byte each; a SYN or FIN sent again has its own number again.
    fn advance(&mut self, side: Side, signal: Signal) -> Numbers {
        let (own, far) = sides(side);
        let first = self.first[own];
        let next = self.next[own].unwrap_or(first);
        let sequence = match signal {
            Signal::Open => first,
            Signal::Finish if self.finished[own] => next.wrapping_sub(1),
            Signal::Data | Signal::Finish | Signal::Reset => next,
        };
        match signal {
            Signal::Open => self.next[own] = Some(self.next[own].unwrap_or(first.wrapping_add(1))),
            Signal::Data => self.next[own] = Some(next),
            Signal::Finish if self.finished[own] => {}
            Signal::Finish => self.next[own] = Some(next.wrapping_add(1)),
            Signal::Reset => self.reset = true,
        }
        self.finished[own] |= signal == Signal::Finish;
        let begins = matches!(signal, Signal::Open | Signal::Reset);
        let acknowledgement = match self.next[far] {
            None if begins => None,
            heard => Some(heard.unwrap_or(self.first[far])),
        };
        Numbers { sequence, acknowledgement }
    }
}

/// This side and the other, as indices.
const fn sides(side: Side) -> (usize, usize) {
    match side {
        Side::Inside => (0, 1),
        Side::Outside => (1, 0),
    }
}
