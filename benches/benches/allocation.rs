//! What our allocators and the searches of the field cost, each beside how often it fails.
//!
//! To put one of your own beside them, add `Implementation::new("mine", Mine::new)` to the list.

use natlaw_benches::{Implementation, compare};
use natlaw_model::allocator::{Bitmap, Budget, FirstFit, Probing};
use natlaw_model::nat::{Nat, Selection};

fn main() {
    let mut criterion = natlaw_benches::settings().configure_from_args();
    compare(
        &mut criterion,
        &[
            Implementation::new("first-fit", FirstFit::new),
            Implementation::new("bitmap", Bitmap::new),
            Implementation::new("bitmap-random", |nat| Bitmap::new(&from_a_random_start(nat))),
            Implementation::new("probing-vpp", |nat| Probing::new(nat, Budget::VPP)),
            Implementation::new("probing-cilium", |nat| Probing::new(nat, Budget::CILIUM)),
            Implementation::new("probing-cilium-before", |nat| {
                Probing::new(nat, Budget::CILIUM_BEFORE)
            }),
            Implementation::new("probing-linux", |nat| Probing::new(nat, Budget::LINUX)),
        ],
    );
    criterion.final_summary();
}

fn from_a_random_start(nat: &Nat) -> Nat {
    nat.with(|configuration| configuration.selection = Selection::Random(1))
        .expect("how an endpoint is selected breaks no rule")
}
