//! Small scopes, tried whole.

use std::hash::Hash;

use natlaw_model::allocator::{Bitmap, FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, Nat, Signal};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use natlaw_properties::nat::exhaustive::{
    Coverage, Universe, every_scenario, every_state, universes,
};
use natlaw_properties::nat::mutants::MUTANTS;
use natlaw_properties::nat::{LAWS, device};

/// Holds a device to every law in every state of every universe of this size.
fn keeps_every_law_everywhere<A: PortAllocator + Clone + Hash>(size: u16, new: fn(&Nat) -> A) {
    let tried = universes(size).into_iter().map(|universe| {
        let coverage = every_state(&universe, |nat| Translator::new(nat, new));
        assert!(coverage.broken.is_none(), "{}: {coverage}", universe.name);
        assert_eq!(coverage.is_closed, universe.depth_max.is_none(), "{}", universe.name);
        coverage
    });
    let tried: Vec<Coverage> = tried.collect();
    assert!(tried.iter().map(|coverage| coverage.edges).sum::<usize>() > 1_000_000);
    for (index, law) in LAWS.iter().enumerate() {
        assert!(tried.iter().any(|coverage| coverage.tested[index].1 > 0), "{}", law.name);
    }
}

#[test]
fn first_fit_keeps_every_law_in_every_state() {
    keeps_every_law_everywhere(2, FirstFit::new);
}

#[test]
fn bitmap_keeps_every_law_in_every_state() {
    keeps_every_law_everywhere(2, Bitmap::new);
}

/// The universe of this name.
fn universe_of(name: &str) -> Universe {
    universes(1).into_iter().find(|universe| universe.name == name).expect("a universe")
}

/// One flow that opens and finishes: absent; live for two seconds; live for one; at rest for one;
/// and live for two again while its rest, cut short, would still last for one.
#[test]
fn one_flow_has_five_states() {
    let flow = "tcp 10.0.0.1:1 > 198.51.100.1:443".parse().expect("a flow");
    let signals = [Signal::Open, Signal::Finish].map(|signal| Event::outbound(flow, signal));
    let events = signals.into_iter().chain([Event::Elapse(Duration::from_secs(1))]).collect();
    let universe = Universe { events, ..universe_of("shared ports") };
    let coverage = every_state(&universe, |nat| Translator::new(nat, Bitmap::new));
    assert_eq!((coverage.states, coverage.edges, coverage.depth), (5, 5 * 3, 3));
    assert!(coverage.is_closed && coverage.broken.is_none());
}

/// These counts stand for what the search takes for one state. A change of the model's state, or of
/// the universe, changes them; the laws do not.
#[test]
fn a_small_universe_has_as_many_states_as_before() {
    for (name, counts) in
        [("leased addresses", (599, 11_381, 10)), ("shared ports", (1_473, 27_987, 14))]
    {
        let universe = universe_of(name);
        let first_fit = every_state(&universe, |nat| Translator::new(nat, FirstFit::new));
        let bitmap = every_state(&universe, |nat| Translator::new(nat, Bitmap::new));
        for coverage in [first_fit, bitmap] {
            assert_eq!((coverage.states, coverage.edges, coverage.depth), counts, "{name}");
        }
    }
}

#[test]
fn a_bound_on_the_depth_is_kept_and_said() {
    for depth_max in 0..4 {
        let universe = Universe { depth_max: Some(depth_max), ..universe_of("shared ports") };
        let coverage = every_state(&universe, |nat| Translator::new(nat, FirstFit::new));
        assert_eq!(coverage.depth, depth_max);
        assert!(!coverage.is_closed);
    }
}

/// A defect of [`Broken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Defect {
    ForgetsOnReconfigure,
    NeverReleases,
    CountsUdpAsTcp,
    ForgetsWhenFull,
}

/// The obvious allocator with one defect.
#[derive(Clone, Hash)]
struct Broken {
    nat: Nat,
    inner: FirstFit,
    defect: Defect,
}

impl Broken {
    fn new(nat: &Nat, defect: Defect) -> Self {
        Self { nat: nat.clone(), inner: FirstFit::new(nat), defect }
    }

    fn seen(&self, flow: FiveTuple) -> FiveTuple {
        match self.defect {
            Defect::CountsUdpAsTcp => FiveTuple { transport: Transport::Tcp, ..flow },
            _ => flow,
        }
    }
}

impl PortAllocator for Broken {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let answer = self.inner.bind(self.seen(flow));
        if self.defect == Defect::ForgetsWhenFull && answer == Err(Refusal::Exhausted) {
            self.inner = FirstFit::new(&self.nat);
        }
        answer
    }

    fn release(&mut self, Binding { flow, external }: Binding) {
        if self.defect != Defect::NeverReleases {
            self.inner.release(Binding { flow: self.seen(flow), external });
        }
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.nat = nat.clone();
        match self.defect {
            Defect::ForgetsOnReconfigure => self.inner = FirstFit::new(nat),
            _ => self.inner.reconfigure(nat),
        }
    }
}

/// Each defect shows in the fewest events there can be: one fewer, and every scenario is lawful.
#[test]
fn a_broken_device_is_caught_by_a_shortest_scenario() {
    let universe = universe_of("one port, two destinations");
    for (defect, law, len) in [
        (Defect::CountsUdpAsTcp, "exhausted_is_said_only_when_no_port_is_eligible", 2),
        (Defect::ForgetsOnReconfigure, "no_two_flows_share_an_external_tuple", 3),
        (Defect::ForgetsWhenFull, "no_two_flows_share_an_external_tuple", 3),
        (Defect::NeverReleases, "exhausted_is_said_only_when_no_port_is_eligible", 3),
    ] {
        let new = |nat: &Nat| Translator::new(nat, |nat| Broken::new(nat, defect));
        let broken = every_state(&universe, new).broken.expect("caught");
        let found = (broken.law, broken.evidence.steps.len());
        assert_eq!(found, (law, len), "{defect:?}\n{broken}");
        assert!(every_scenario(&universe, len - 1, new).broken.is_none(), "{defect:?}");
        let other = every_scenario(&universe, len, new).broken.expect("caught again");
        assert_eq!(other.evidence.steps.len(), len, "{defect:?}\n{other}");
    }
}

#[test]
fn every_scenario_up_to_a_length_is_played_once() {
    let universe = universe_of("leased addresses");
    let coverage = every_scenario(&universe, 3, |nat| Translator::new(nat, FirstFit::new));
    let events = universe.events.len();
    let scenarios = 1 + events + events.pow(2) + events.pow(3);
    assert_eq!((coverage.states, coverage.edges), (scenarios, scenarios - 1));
    assert!(coverage.depth == 3 && coverage.broken.is_none());
}

/// Devices that can be neither cloned nor told as a state are tried too.
#[test]
fn a_boxed_mutant_is_caught_by_a_short_scenario() {
    let name = "swap-forgets-leases";
    assert!(MUTANTS.iter().any(|mutant| mutant.name == name));
    let universe = universe_of("leased addresses");
    let coverage = every_scenario(&universe, 3, |nat| device(name, nat).expect("a mutant"));
    let broken = coverage.broken.expect("caught");
    assert_eq!(broken.law, "a_leased_virtual_ip_serves_one_member", "{broken}");
    assert_eq!(broken.evidence.steps.len(), 3, "{broken}");
}
