//! Laws of choosing one of several endpoints, and what shows that they bite.

pub mod change;
pub mod conformance;
mod judged;
mod laws;
pub mod matrix;
pub mod mutants;
mod plain;
mod situations;
pub mod strategies;

pub use laws::LAWS;
pub use situations::REACHABLE;
