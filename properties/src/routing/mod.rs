//! Laws of routing, and what shows that they bite.

pub mod backbone;
mod devices;
mod judged;
mod laws;
pub mod matrix;
pub mod mutants;
mod obvious;
mod plain;
pub mod selection;
mod situations;
pub mod strategies;
pub mod sweep;

pub use devices::{DEVICES, NamedDevice, device};
pub use laws::LAWS;
pub use situations::REACHABLE;
