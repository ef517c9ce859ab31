//! The planner: the least that a demand needs, with the traces that prove it.
//!
//! - [`demand`], [`mod@file`]: what a pool asks, within hard bounds, as a person writes it.
//! - [`rate`], [`envelope`]: the bounds, and the most keys that they let a member hold: every formula
//!   stands there with its derivation. [`arrivals`] finds the same without a formula.
//! - [`translator`], [`room`]: whose rules, and what they leave room for.
//! - [`search`]: the least that suffices, and what one fewer lacks. [`certificate`] plays both on the
//!   translator, held to every law.
//! - [`questions`], [`doubling`]: what else can be asked.
//!
//! **Reading taken.** Every member asks alike, and nothing is ever refused: that is the target. An
//! answer holds for all arrivals within the bounds; it says nothing of averages.

pub mod arrivals;
pub mod certificate;
pub mod demand;
pub mod doubling;
pub mod envelope;
pub mod file;
pub mod questions;
pub mod rate;
pub mod room;
pub mod search;
pub mod translator;
