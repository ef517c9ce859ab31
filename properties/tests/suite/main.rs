//! What must be true, tried at random and from end to end.

mod backbones;
mod boundaries;
mod compliance;
mod conformance;
mod devices;
mod exhaustive;
mod files;
mod layout;
mod mutants;
mod planner;
mod profiles;
mod published;
mod reachable;
mod routing;
mod selection;
mod toy;
mod transitions;
