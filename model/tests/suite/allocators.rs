//! Allocators by direct calls: what a translator cannot see.

use std::hash::{BuildHasher, Hash};

use natlaw_model::allocator::{Bitmap, Budget, FirstFit, PortAllocator, Probing, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Nat, Selection};
use rustc_hash::FxBuildHasher;

use crate::{nat, on_demand, read};

/// Flow number `port` of the one member, to one destination.
fn flow(port: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.1:{port} > 198.51.100.1:443"))
}

fn eight_ports(selection: Selection) -> Nat {
    nat(1, "10.0.0.1", on_demand("1024-1031")).with(|it| it.selection = selection).unwrap()
}

fn bind(allocator: &mut impl PortAllocator, port: u16) -> Binding {
    let flow = flow(port);
    Binding { flow, external: allocator.bind(flow).expect("a free port") }
}

fn hash_of(what: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(what)
}

/// An allocator that says nothing of its probes.
struct Silent(FirstFit);

impl PortAllocator for Silent {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.0.bind(flow)
    }

    fn release(&mut self, binding: Binding) {
        self.0.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.0.reconfigure(nat);
    }
}

#[test]
fn probes_are_told_by_whoever_counts_them() {
    let nat = eight_ports(Selection::LowestFirst);
    let mut silent = Silent(FirstFit::new(&nat));
    let mut boxed: Box<dyn PortAllocator> = Box::new(FirstFit::new(&nat));
    for port in 1..=3 {
        bind(&mut silent, port);
        bind(&mut boxed, port);
        assert_eq!(silent.probes(), None);
        assert_eq!(boxed.probes(), Some(u32::from(port)));
    }
    assert_eq!(Probing::new(&nat, Budget::VPP).probes(), Some(0));
}

/// Draws go on where they were: a change of configuration must not lead back to the same ports.
#[test]
fn a_change_of_configuration_does_not_begin_the_draws_anew() {
    let nat = eight_ports(Selection::Random(1));
    let (mut changed, mut unchanged) = (Bitmap::new(&nat), Bitmap::new(&nat));
    for port in 1..=6 {
        assert_eq!(bind(&mut changed, port), bind(&mut unchanged, port));
        changed.reconfigure(&nat);
    }
}

/// Two allocators are told apart by what they hold, as a search over states needs it.
#[test]
fn what_is_held_is_part_of_the_state() {
    let nat = eight_ports(Selection::LowestFirst);
    let (mut bitmap, mut first_fit) = (Bitmap::new(&nat), FirstFit::new(&nat));
    let empty = (hash_of(&bitmap), hash_of(&first_fit));
    let (one, other) = (bind(&mut bitmap, 1), bind(&mut first_fit, 1));
    assert_ne!(hash_of(&bitmap), empty.0);
    assert_ne!(hash_of(&first_fit), empty.1);
    bitmap.release(one);
    first_fit.release(other);
    assert_eq!((hash_of(&bitmap), hash_of(&first_fit)), empty);
}

/// The first draws of seed 1, once and for all: the generator's own numbers, taken below 8.
#[test]
fn a_seed_draws_the_same_ports_on_every_machine() {
    let mut bitmap = Bitmap::new(&eight_ports(Selection::Random(1)));
    let ports = (1..=6).map(|port| {
        let binding = bind(&mut bitmap, port);
        bitmap.release(binding);
        binding.external.port
    });
    assert_eq!(ports.collect::<Vec<_>>(), [1028, 1029, 1031, 1027, 1027, 1030]);
}
