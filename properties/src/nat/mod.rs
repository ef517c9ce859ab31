//! Laws of network address translation, and what shows that they bite.

pub mod compliance;
pub mod conformance;
pub mod deterministic;
mod devices;
pub mod exhaustive;
mod judged;
mod laws;
pub mod layout;
pub mod matrix;
pub mod mutants;
mod plain;
mod reference;
mod situations;
pub mod strategies;

pub use devices::{DEVICES, NamedDevice, device};
pub use judged::{allocated_ports, grouped};
pub use laws::LAWS;
pub use reference::ObviousTranslator;
pub use situations::REACHABLE;
