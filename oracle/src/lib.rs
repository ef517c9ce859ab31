//! Real NATs as devices: the model held against what it is a model of.
//!
//! - [`real`]: what a real device can be asked; [`mod@play`]: a scenario played on one;
//!   [`registry`]: the devices by name.
//! - `ctnetlink` (Linux): the kernel's own allocator, without a packet.
//! - `wire` (Linux): the kernel between two wires, by nft rules.
//! - `ovs` (Linux): Open vSwitch with its own connection tracking and a clock turned by hand.
//! - `frame`, `conversation` (Linux): packets on an Ethernet wire, and the numbers of TCP.
//! - `namespace` (Linux): a network of its own for this process, without root.
//! - [`rule`]: a recording held to the rule of a device; [`mutants`]: rules with a mistake.
//! - [`walks`], [`situations`]: what is asked; [`transcript`]: what was answered, as a file.
//! - [`hosts`], [`connections`], `services`: what a device is asked that sees packets; [`packets`]:
//!   such devices.
//! - [`mod@apart`]: where such a device is known to part from its rule; [`devices`]: every device, as a
//!   command asks it.
//! - [`laws`]: which laws a device keeps and breaks; [`mod@capacity`]: what its members get;
//!   [`mod@run`]: all of it at once; [`skip`]: what a machine cannot compare.
//!
//! # Invariants
//! Nothing leaves the namespaces that a run makes for itself: no packet, no process, no file. No
//! rule of NAT lives here; what is allowed is the model's to say. Off Linux nothing here talks to a
//! kernel.

pub mod apart;
pub mod capacity;
pub mod connections;
#[cfg(target_os = "linux")]
pub mod conversation;
#[cfg(target_os = "linux")]
pub mod ctnetlink;
pub mod devices;
#[cfg(target_os = "linux")]
pub mod frame;
pub mod hosts;
pub mod laws;
pub mod mutants;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
pub mod ovs;
pub mod packets;
pub mod play;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod range;
pub mod real;
pub mod registry;
pub mod rule;
pub mod run;
mod services;
pub mod situations;
pub mod skip;
pub mod transcript;
pub mod walks;
#[cfg(target_os = "linux")]
pub mod wire;
