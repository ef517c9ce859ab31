//! The networks in the tree, by name.

use natlaw_model::routing::{Network, RoutingGraph};
use natlaw_model::subject::Device;

use super::mutants::MUTANTS;

/// A network that topologies can name.
#[derive(Debug)]
pub struct NamedDevice {
    /// How files call it.
    pub name: &'static str,
    /// How it routes.
    pub what: &'static str,
    /// The device.
    pub device: fn(&RoutingGraph) -> Box<dyn Device<RoutingGraph>>,
}

/// Every sound network; the first is the default.
pub const DEVICES: &[NamedDevice] = &[NamedDevice {
    name: "documented",
    what: "decides as the documents say that the model names",
    device: |graph| Box::new(Network::new(graph)),
}];

/// The default device.
pub(super) fn sound(graph: &RoutingGraph) -> Network {
    Network::new(graph)
}

/// The device of this name, sound or mutant.
pub fn device(name: &str, graph: &RoutingGraph) -> Option<Box<dyn Device<RoutingGraph>>> {
    let sound = DEVICES.iter().map(|device| (device.name, device.device));
    let mutants = MUTANTS.iter().map(|mutant| (mutant.name, mutant.device));
    let (_, new) = sound.chain(mutants).find(|(known, _)| *known == name)?;
    Some(new(graph))
}
