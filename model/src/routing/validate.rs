//! The rules that a topology is held to.

use std::fmt;

use super::topology::Topology;

/// The most levels of traffic managers, the first one counted ("Nested Traffic Manager profiles"
/// 2016-10).
pub const NESTING_MAX: usize = 10;
/// The most nodes of a graph (assumed).
pub const NODES_MAX: usize = 20_000;
/// The most things that can fail, VMs and links included (assumed).
pub const COMPONENTS_MAX: usize = 1_000_000;
/// The most hops that a walk may be allowed: the longest time to live of an IPv4 packet.
pub const HOPS_MAX: u16 = 255;

/// Where a topology breaks a rule, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyError {
    /// The field: its place in the file, such as `traffic_managers.www.endpoints.weu`.
    pub field: String,
    /// The rule.
    pub rule: TopologyRule,
}

/// The rules of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyRule {
    /// A graph has at least one node.
    Empty,
}

/// Holds a topology to its rules.
pub(super) fn check(topology: &Topology) -> Result<(), TopologyError> {
    if topology.nodes().is_empty() {
        return Err(TopologyError { field: "clients".into(), rule: TopologyRule::Empty });
    }
    Ok(())
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.rule)
    }
}

impl fmt::Display for TopologyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the graph has no node"),
        }
    }
}

impl std::error::Error for TopologyError {}
