//! What the allocator costs, and how often it fails: a line.

fn main() {
    natlaw_benches::bench("next-fit", your_allocator::NextFit::new);
}
