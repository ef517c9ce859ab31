//! Tries every event from every state of each small universe, on both exact allocators.
//!
//! ```sh
//! cargo run --release --package natlaw-properties --example exhaustive -- 2
//! ```
//!
//! The number is the size of the scope: source ports of the first member. Without one it is 1.

use std::process::ExitCode;

use natlaw_model::allocator::{Bitmap, FirstFit};
use natlaw_model::translator::Translator;
use natlaw_properties::nat::exhaustive::{Coverage, Universe, every_state, premises, universes};

fn main() -> ExitCode {
    let size = std::env::args().nth(1).map_or(Ok(1), |size| size.parse());
    let Ok(size) = size else {
        eprintln!("write the size of the scope: a whole number such as 2");
        return ExitCode::from(2);
    };
    let mut all = Vec::new();
    for universe in universes(size) {
        for (device, coverage) in tried(&universe) {
            println!("{} on {device}: {coverage}", universe.name);
            all.push(coverage);
        }
    }
    println!("\n{}", premises(&all));
    let is_broken = all.iter().any(|coverage| coverage.broken.is_some());
    if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn tried(universe: &Universe) -> [(&'static str, Coverage); 2] {
    let first_fit = every_state(universe, |nat| Translator::new(nat, FirstFit::new));
    let bitmap = every_state(universe, |nat| Translator::new(nat, Bitmap::new));
    [("first-fit", first_fit), ("bitmap", bitmap)]
}
