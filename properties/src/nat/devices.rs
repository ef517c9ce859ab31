//! The translators in the tree, by name.

use natlaw_model::allocator::{Bitmap, Budget, FirstFit, LinuxLike, Probing};
use natlaw_model::nat::Nat;
use natlaw_model::subject::Device;
use natlaw_model::translator::Translator;

use super::mutants::MUTANTS;

/// A translator that scenario files can name.
#[derive(Debug)]
pub struct NamedDevice {
    /// How scenario files call it.
    pub name: &'static str,
    /// How it chooses ports.
    pub what: &'static str,
    /// Whether it never gives up.
    pub is_exact: bool,
    /// The device.
    pub device: fn(&Nat) -> Box<dyn Device<Nat>>,
}

/// A translator that uses probing with a budget.
macro_rules! probing {
    ($name:literal, $what:literal, $budget:expr) => {
        NamedDevice {
            name: $name,
            what: $what,
            is_exact: false,
            device: |nat| Box::new(Translator::new(nat, |nat| Probing::new(nat, $budget))),
        }
    };
}

/// Every translator that is meant as it is; the first is the default. Those that are not exact follow
/// rules of the field, whatever a configuration declares of choices.
pub const DEVICES: &[NamedDevice] = &[
    NamedDevice {
        name: "first-fit",
        what: "looks at every candidate in order: the specification by example",
        is_exact: true,
        device: |nat| Box::new(Translator::new(nat, FirstFit::new)),
    },
    NamedDevice {
        name: "bitmap",
        what: "one bit a candidate: exact and fast",
        is_exact: true,
        device: |nat| Box::new(Translator::new(nat, Bitmap::new)),
    },
    probing!("vpp", "10 random draws, as VPP's nat44-ed", Budget::VPP),
    probing!("cilium", "32 random draws, as Cilium 1.19", Budget::CILIUM),
    probing!("cilium-before", "128 random draws, as Cilium before 1.19", Budget::CILIUM_BEFORE),
    probing!("linux", "windows of 128, 64, 32, 16 and 8, as Linux and Open vSwitch", Budget::LINUX),
    NamedDevice {
        name: "linux-like",
        what: "Linux's whole rule: last mapping again, one address by a hash, port kept, windows",
        is_exact: false,
        device: |nat| Box::new(Translator::new(nat, LinuxLike::new)),
    },
];

/// The device of this name, sound or mutant.
pub fn device(name: &str, nat: &Nat) -> Option<Box<dyn Device<Nat>>> {
    let sound = DEVICES.iter().map(|device| (device.name, device.device));
    let mutants = MUTANTS.iter().map(|mutant| (mutant.name, mutant.device));
    let (_, new) = sound.chain(mutants).find(|(known, _)| *known == name)?;
    Some(new(nat))
}
