//! The second subject: routing, from the name a client looks up down to the SNAT port.
//!
//! A [`Topology`] is what a person writes; a [`RoutingGraph`] is one that has been held to its
//! rules. A [`Network`] answers what is asked of it, with a [`Walk`]: hop by hop, each with the rule
//! that chose it, and a [`Disposition`] at the end.
//!
//! **Readings taken.**
//! - What is down is seen to be down at once. How long probes take is told by
//!   [`Probe::detection_max`]; what a cached answer adds, by its time to live.
//! - Whoever asks a traffic manager keeps the whole answer for the time of the name that it asked,
//!   nested names included (assumed).
//! - A probe reaches as far as a request would: a balancer is up while one of its rules has a live
//!   member, a front door while one of its origins is, a unit while what it serves from is.
//! - The precedence of the ways out looks at what is declared, not at what is up: a gateway that is
//!   down is not passed over.
//! - DNS answers take no path: routers carry what goes from a client, a front door, a unit, a
//!   balancer, a pool or a gateway to the next of them. What hangs at no router is next to
//!   everything.
//! - What leaves by a user route keeps its own address.

pub mod selection;

mod decisions;
mod event;
mod graph;
mod health;
mod ledger;
mod name;
mod network;
mod node;
mod probe;
mod topology;
mod validate;
mod walk;

pub use decisions::{Decisions, Documented, Neighbour, Status, Tally};
pub use event::{Connection, Event, EventError, Outcome, Request};
pub use graph::{Edge, Lead, RoutingGraph};
pub use health::HealthVector;
pub use ledger::{Answer, Entered, Ledger, Left};
pub use name::{Component, MemberName, NAME_MAX, Name, NameError, Place, Target};
pub use network::Network;
pub use node::{
    BalancingRule, Client, ClientChoice, Destination, FrontDoor, ListedEndpoint, LoadBalancer,
    ManagedEndpoint, Method, NatGateway, Node, Origin, Outbound, Router, ScaleUnit, Service,
    ServiceIndex, Setting, Throttle, TrafficManager, VmPool,
};
pub use probe::{Probe, ServiceError};
pub use topology::{Means, Precedence, Topology};
pub use validate::{COMPONENTS_MAX, HOPS_MAX, NESTING_MAX, NODES_MAX, TopologyError, TopologyRule};
pub use walk::{Disposition, Hop, NoRoute, Rule, Walk};
