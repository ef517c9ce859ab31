//! Real NATs as devices: the model held against what it is a model of.
//!
//! - [`real`]: what a real device can be asked.
//! - `ctnetlink` (Linux): the kernel's own allocator, without a packet.
//! - `wire` (Linux): the kernel between two wires, by nft rules.
//! - `ovs` (Linux): Open vSwitch with its own connection tracking and a clock turned by hand.
//! - `frame`, `conversation` (Linux): packets on an Ethernet wire, and the numbers of TCP.
//! - `namespace` (Linux): a network of its own for this process, without root.
//!
//! # Invariants
//! Nothing leaves the namespaces that a run makes for itself: no packet, no process, no file. No
//! rule of NAT lives here; what is allowed is the model's to say. Off Linux nothing here talks to a
//! kernel.

#[cfg(target_os = "linux")]
pub mod conversation;
#[cfg(target_os = "linux")]
pub mod ctnetlink;
#[cfg(target_os = "linux")]
pub mod frame;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
pub mod ovs;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod program;
pub mod real;
#[cfg(target_os = "linux")]
pub mod wire;
