//! One verdict on an allocator, in one call.
//!
//! [`conformance`] tries an allocator in every way there is here: random scenarios, every short
//! scenario of each small universe, calls that a translator never makes, and blocks that are nearly
//! full. All of it is the same on every machine, but for the time of a call.
//!
//! A panic of the allocator is not caught.

use std::fmt;

use itertools::Itertools;
use natlaw_model::allocator::{PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Event, Ledger, Nat, Outcome, PortPolicy, Signal};
use natlaw_model::subject::{Moment, Scenario, Subject, Trace};
use natlaw_model::translator::Translator;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::exhaustive::{self, every_scenario, universes};
use super::strategies::scenario;
use super::{LAWS, REACHABLE, grouped};
use crate::law::{Law, Violation, check, sentence};
use crate::prove::smallest;
use crate::report::{drawn, table};

/// Random scenarios that an allocator is tried on.
pub const CASES: u32 = 3_000;

/// The length up to which every scenario of a small universe is played.
pub const LEN_MAX: usize = 3;

/// Ports of the block whose occupancy is varied: a member's of a pool of 1 to 50 in the story
/// "Scaling past Port Exhaustion".
pub const BLOCK: u16 = 1_024;

/// Binds that are tried at each occupancy.
const TRIES: u16 = 1_000;

/// Binds after which a block counts as full: an allocator that draws finds every port of a small
/// block long before.
const FILL: u16 = 500;

/// What an allocator keeps and what it breaks.
#[derive(Debug, Clone)]
pub struct Conformance {
    /// What it is called.
    pub allocator: String,
    /// Scenarios that were drawn.
    pub drawn: usize,
    /// Scenarios of small universes that were played.
    pub enumerated: usize,
    /// What became of each law.
    pub laws: Vec<LawVerdict>,
    /// Situations that generators reach with the allocators in the tree, and did not with this one.
    pub unreached: Vec<&'static str>,
    /// What became of calls that a translator never makes.
    pub calls: Vec<CallVerdict>,
    /// How it does in a block that is more and more full.
    pub occupancies: Vec<Occupancy>,
    /// Mean time of a bind in nanoseconds, at each of these occupancies. It is indicative: it
    /// differs from run to run and decides nothing.
    pub bind_ns: Vec<u64>,
}

/// What became of one law.
#[derive(Debug, Clone)]
pub struct LawVerdict {
    /// The law.
    pub law: &'static Law<Nat>,
    /// Moments that met its premise.
    pub tested: usize,
    /// The smallest trace found that breaks it; its last step is the one that does.
    pub broken: Option<Box<Violation<Nat>>>,
}

/// What became of one kind of call. A block is filled after it, and after the same calls without it:
/// the same ports must be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallVerdict {
    /// The claim.
    pub claim: &'static str,
    /// What is given without the call.
    pub expected: Vec<Endpoint>,
    /// What is given after it.
    pub actual: Vec<Endpoint>,
}

/// Binds and refusals in a block of which some ports are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// Ports held.
    pub held: usize,
    /// Binds that were tried; each that succeeds is released at once.
    pub tries: usize,
    /// Refusals although a port was eligible: "exhausted" that was not true, and "gave up".
    pub refused_in_vain: usize,
    /// Candidates looked at in all, where the allocator counts them.
    pub probes: Option<u64>,
}

type NewAllocator<'a> = &'a dyn Fn(&Nat) -> Box<dyn PortAllocator>;

/// Tries an allocator in every way there is here.
pub fn conformance<A: PortAllocator + 'static>(
    allocator: &str,
    new: impl Fn(&Nat) -> A,
) -> Conformance {
    let new: NewAllocator = &|nat| Box::new(new(nat));
    let mut tally = Tally::new();
    let drawn = draw();
    drawn.iter().for_each(|scenario| tally.enter(&played(scenario, new)));
    let enumerated = enumerate(&mut tally, new);
    let occupancies = OCCUPANCIES.iter().map(|held| occupancy(*held, new));
    let (occupancies, bind_ns) = occupancies.unzip();
    Conformance {
        allocator: allocator.into(),
        drawn: drawn.len(),
        enumerated,
        unreached: tally.unreached(),
        laws: tally.verdicts(new),
        calls: CALLS.iter().map(|call| call.verdict(new)).chain([answers_alike(new)]).collect(),
        occupancies,
        bind_ns,
    }
}
