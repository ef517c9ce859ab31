//! What port allocation costs, and how often it fails. What routing costs stands in
//! `benches/routing.rs`, what a long run costs in `benches/stream.rs`, what a plan costs in
//! `benches/planning.rs`.
//!
//! The workload is *release one, bind one*: one member with a block of 1,024 ports on one virtual
//! IP, one destination. Each step releases a live flow, drawn at random, and binds a new one in
//! its place. **Occupancy** is the share of the block in use at the moment of the `bind` call. A
//! refused bind leaves its place empty: the next step tries there again, with another source port,
//! and releases nothing, so that every call meets the same occupancy.
//!
//! | id | one iteration |
//! |---|---|
//! | `release-bind/<implementation>/1024@<occupancy>` | a release and a bind; where a bind is refused, the next bind alone |
//! | `refuse/<implementation>/1024@full` | a bind that is refused, because nothing is free |
//!
//! An allocator that gives up is fast because it fails, so a table of failure rates goes before
//! the times. Where a share `f` of the calls fails, a flow that gets its port has waited for
//! `1 / (1 - f)` iterations. A rate is the same on every machine; a time is not: compare times of
//! one run, and between two runs on a shared machine believe no ratio below 2.
//!
//! ```no_run
//! # use natlaw_model::allocator::FirstFit as Mine;
//! natlaw_benches::bench("mine", Mine::new);
//! ```
//!
//! # Invariants
//! No allocator is timed before its answers to the same workload were judged: a wrong one panics.
//! No rule of NAT lives here, and nothing depends on this crate. No randomness but from fixed
//! seeds, no clock but criterion's. No limit on a time: compare with a baseline of your own.

mod audit;
mod churn;

use std::fmt;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use natlaw_model::allocator::{Bitmap, FirstFit, PortAllocator};
use natlaw_model::nat::Nat;

use churn::{Churn, PORTS};

/// Measures an allocator of your own beside [`FirstFit`] and [`Bitmap`], with the options of the
/// command line: the whole `main` of a bench.
///
/// `name` is its part of the benchmark ids; `new` makes it for a configuration.
///
/// # Panics
/// As [`compare`] does.
pub fn bench<A: PortAllocator>(name: &str, new: impl Fn(&Nat) -> A) {
    let mut criterion = settings().configure_from_args();
    let implementations = [
        Implementation::new(name, new),
        Implementation::new("first-fit", FirstFit::new),
        Implementation::new("bitmap", Bitmap::new),
    ];
    compare(&mut criterion, &implementations);
    criterion.final_summary();
}

/// How long is measured: a second for each id, after half a second to warm up.
pub fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
        .noise_threshold(0.05)
}

/// Measures allocators beside each other: prints how often each fails, then how long each takes.
///
/// # Panics
/// When an allocator gives an endpoint that it may not give, says that nothing is eligible when
/// something is, or gives up on every flow there is.
pub fn compare(criterion: &mut Criterion, implementations: &[Implementation<'_>]) {
    if is_measuring() {
        print_failures(implementations);
    }
    for implementation in implementations {
        for occupancy in Occupancy::ALL {
            implementation.player.time(criterion, implementation.name, occupancy);
        }
    }
}

/// An allocator to be measured, under a name.
pub struct Implementation<'a> {
    name: &'a str,
    player: Box<dyn Player + 'a>,
}

impl<'a> Implementation<'a> {
    /// The allocator that `new` makes for a configuration. `name` is its part of the benchmark
    /// ids.
    pub fn new<A: PortAllocator>(name: &'a str, new: impl Fn(&Nat) -> A + 'a) -> Self {
        Self { name, player: Box::new(new) }
    }
}

/// Whether times are asked for, and not a list or a test that everything runs: criterion reads
/// the arguments alike.
fn is_measuring() -> bool {
    let is_given = |flag| std::env::args().any(|argument| argument == flag);
    is_given("--bench") && !is_given("--test") && !is_given("--list")
}

/// Calls from which a failure rate is computed; fewer where a call takes many probes.
const CALLS_MAX: u32 = 100_000;

/// Prints the share of calls that each allocator refuses although a port is free.
fn print_failures(implementations: &[Implementation<'_>]) {
    println!("Refused although a port was free, in percent of up to {CALLS_MAX} calls of bind\n");
    print_row("in use", Occupancy::ALL.map(|occupancy| occupancy.to_string()));
    for Implementation { name, player } in implementations {
        let rate = |occupancy| player.failure_rate(name, occupancy, CALLS_MAX);
        print_row(name, Occupancy::ALL.map(|occupancy| percent(rate(occupancy))));
    }
    println!();
}

fn print_row(name: &str, cells: [String; Occupancy::ALL.len()]) {
    println!("{name:<24}{}", cells.map(|cell| format!("{cell:>8}")).concat());
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => "0".into(),
        percent if percent < 0.01 => "<0.01".into(),
        percent => format!("{percent:.2}"),
    }
}

/// The share of the block in use when `bind` is called, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Occupancy(usize);

impl Occupancy {
    const FULL: Self = Self(100);
    const ALL: [Self; 5] = [Self(1), Self(50), Self(90), Self(99), Self::FULL];

    /// Ports in use, rounded to the nearest.
    const fn in_use(self) -> usize {
        (PORTS as usize * self.0 + 50) / 100
    }
}

impl fmt::Display for Occupancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FULL => write!(f, "full"),
            Self(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Plays the workload with a kind of allocator that only it knows, so that none is called through
/// a pointer while it is timed.
trait Player {
    /// The share of at most this many calls that are refused although an endpoint is eligible.
    fn failure_rate(&self, name: &str, occupancy: Occupancy, calls_max: u32) -> f64;

    /// Has criterion time the workload.
    fn time(&self, criterion: &mut Criterion, name: &str, occupancy: Occupancy);
}

impl<A: PortAllocator, F: Fn(&Nat) -> A> Player for F {
    fn failure_rate(&self, name: &str, occupancy: Occupancy, calls_max: u32) -> f64 {
        Churn::warmed_up(name, occupancy, self).failure_rate(calls_max)
    }

    fn time(&self, criterion: &mut Criterion, name: &str, occupancy: Occupancy) {
        let operation = if occupancy == Occupancy::FULL { "refuse" } else { "release-bind" };
        let id = BenchmarkId::new(name, format!("{PORTS}@{occupancy}"));
        let mut churn = None;
        criterion.benchmark_group(operation).bench_function(id, |bencher| {
            let churn = churn
                .get_or_insert_with(|| Churn::warmed_up(name, occupancy, self).without_audit());
            bencher.iter(|| churn.step());
        });
    }
}

#[cfg(test)]
mod tests {
    use natlaw_model::allocator::{Budget, Probing, Refusal};
    use natlaw_model::flow::{Binding, Endpoint, FiveTuple};

    use super::*;

    /// Writes down how many ports are in use at each call of `bind`.
    struct Watched<A> {
        allocator: A,
        in_use: usize,
        at_bind: Vec<usize>,
    }

    impl<A: PortAllocator> PortAllocator for Watched<A> {
        fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
            self.at_bind.push(self.in_use);
            let answer = self.allocator.bind(flow);
            self.in_use += usize::from(answer.is_ok());
            answer
        }

        fn release(&mut self, binding: Binding) {
            self.in_use -= 1;
            self.allocator.release(binding);
        }

        fn reconfigure(&mut self, nat: &Nat) {
            self.allocator.reconfigure(nat);
        }
    }

    /// An allocator with one answer of its own, and no memory of it.
    struct Wrong<F> {
        allocator: FirstFit,
        answer: F,
    }

    impl<F> PortAllocator for Wrong<F>
    where
        F: FnMut(&mut FirstFit, FiveTuple) -> Result<Endpoint, Refusal>,
    {
        fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
            (self.answer)(&mut self.allocator, flow)
        }

        fn release(&mut self, binding: Binding) {
            self.allocator.release(binding);
        }

        fn reconfigure(&mut self, nat: &Nat) {
            self.allocator.reconfigure(nat);
        }
    }

    fn vpp(nat: &Nat) -> Probing {
        Probing::new(nat, Budget::VPP)
    }

    fn linux(nat: &Nat) -> Probing {
        Probing::new(nat, Budget::LINUX)
    }

    #[test]
    fn every_bind_meets_the_stated_occupancy() {
        for (occupancy, in_use) in Occupancy::ALL.into_iter().zip([10, 512, 922, 1014, 1024]) {
            let new = |nat: &Nat| Watched { allocator: vpp(nat), in_use: 0, at_bind: Vec::new() };
            let mut churn = Churn::warmed_up("watched", occupancy, new).without_audit();
            churn.allocator.at_bind.clear();
            for _ in 0..3_000 {
                let _ = churn.step();
            }
            assert_eq!(churn.allocator.at_bind, vec![in_use; 3_000], "at {occupancy}");
        }
    }

    #[test]
    fn an_exact_allocator_never_fails() {
        for occupancy in Occupancy::ALL {
            let first_fit: &dyn Player = &FirstFit::new;
            let bitmap: &dyn Player = &Bitmap::new;
            assert!(first_fit.failure_rate("first-fit", occupancy, 300) == 0.0, "at {occupancy}");
            assert!(bitmap.failure_rate("bitmap", occupancy, 20_000) == 0.0, "at {occupancy}");
        }
    }

    /// Ten draws all meet a port in use with the probability `0.9^10`, 35 %.
    #[test]
    fn ten_draws_fail_as_often_as_theory_says() {
        let rate = vpp.failure_rate("vpp", Occupancy(90), 20_000);
        assert!((0.33..0.37).contains(&rate), "{rate}");
    }

    #[test]
    fn windows_fail_where_few_ports_are_left() {
        let rate = linux.failure_rate("linux", Occupancy(99), 10_000);
        assert!((0.10..0.14).contains(&rate), "{rate}");
    }

    #[test]
    fn a_refusal_where_nothing_is_free_is_no_failure() {
        assert!(vpp.failure_rate("vpp", Occupancy::FULL, 1_000) == 0.0);
    }

    fn play(answer: impl Fn(&mut FirstFit, FiveTuple) -> Result<Endpoint, Refusal> + Copy) {
        let new = |nat: &Nat| Wrong { allocator: FirstFit::new(nat), answer };
        compare(&mut Criterion::default(), &[Implementation::new("wrong", new)]);
    }

    #[test]
    #[should_panic = "wrong: `bind` answered"]
    fn a_port_given_twice_is_never_timed() {
        play(|allocator, flow| {
            let external = allocator.bind(flow)?;
            allocator.release(Binding { flow, external });
            Ok(external)
        });
    }

    #[test]
    #[should_panic = "wrong: `bind` answered"]
    fn a_port_of_nobody_is_never_timed() {
        play(|_, flow| Ok(flow.destination));
    }

    #[test]
    #[should_panic = "wrong: `bind` refused"]
    fn false_exhaustion_is_never_timed() {
        play(|_, _| Err(Refusal::Exhausted));
    }

    #[test]
    #[should_panic = "wrong: refuses"]
    fn who_always_gives_up_is_never_timed() {
        play(|_, _| Err(Refusal::GaveUp));
    }
}
