//! What must be true of NAT and routing: laws, and the means to hold traces to them.
//!
//! - [`mod@law`]: what a law is, and how a trace is held to it one step at a time.
//! - [`refines`]: agreement with a reference that follows another device's choices.
//! - [`judged`]: what a subject needs so that its scenarios can be read, played and judged.
//! - [`nat`], [`tiers`]: the laws of each subject, the scenarios they are tried on, and the mutants
//!   that break them.
//! - [`mod@file`]: scenario files; [`report`]: traces as tables; [`prove`]: properties and what a
//!   failing one leaves behind; [`shrink`]: counterexamples with no event too many.
//!
//! - [`planner`]: the least that a demand needs, with the traces that prove it.
//! - [`catalogue`]: every law as a list to print; [`values`]: the laws of values, held over every
//!   pool size.
//! - [`nat::exhaustive`]: every event from every reachable state of a small universe;
//!   [`nat::conformance`]: the verdict on an allocator of your own;
//!   [`routing::selection::conformance`]: the verdict on a selection policy of your own.
//!
//! # Invariants
//! Laws judge answers and never predict them; they know no allocator. Every law has a mutant that
//! breaks it and a premise that the generators reach; tests fail otherwise. Lists of laws are read
//! from the tables here and kept nowhere else.

pub mod catalogue;
pub mod file;
pub mod judged;
pub mod law;
pub mod nat;
pub mod planner;
pub mod prove;
pub mod published;
pub mod refines;
pub mod report;
pub mod routing;
pub mod shrink;
pub mod tiers;
pub mod transitions;
pub mod values;
