//! One verdict on an allocator.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use natlaw_model::allocator::{
    Bitmap, Budget, FirstFit, LinuxLike, PortAllocator, Probing, Refusal,
};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Candidates, Nat, PortPolicy};
use natlaw_properties::law::check;
use natlaw_properties::nat::LAWS;
use natlaw_properties::nat::conformance::{Conformance, conformance};
use natlaw_properties::nat::exhaustive::universes;

fn is_exact_and_lawful(verdict: &Conformance) {
    assert!(verdict.is_lawful(), "{verdict}");
    assert!(verdict.unreached.is_empty(), "{verdict}");
    assert!(verdict.occupancies.iter().all(|at| at.refused_in_vain == 0), "{verdict}");
    assert!(verdict.laws.iter().all(|verdict| verdict.tested > 20), "{verdict}");
    let held: Vec<_> = verdict.occupancies.iter().map(|at| at.held).collect();
    assert_eq!(held, [512, 921, 1_013, 1_023, 1_024]);
}

#[test]
fn first_fit_is_lawful() {
    is_exact_and_lawful(&conformance("first-fit", FirstFit::new));
}

#[test]
fn bitmap_is_lawful_and_its_report_is_the_same_each_time() {
    let verdict = conformance("bitmap", Bitmap::new);
    is_exact_and_lawful(&verdict);
    assert_eq!(verdict.to_string(), conformance("bitmap", Bitmap::new).to_string());
}

/// It draws where it should spread, or keep what it can of a port, and near the end it refuses
/// although a port is free. Nothing else is wrong with it.
#[test]
fn probing_breaks_declared_choices_only_and_gives_up() {
    let verdict = conformance("vpp", |nat| Probing::new(nat, Budget::VPP));
    let broken: Vec<_> = verdict.broken_laws().map(|broken| broken.law).collect();
    let choices = [
        "a_spread_binding_takes_the_least_used_virtual_ip",
        "a_port_is_kept_where_it_can_be",
        "a_port_class_is_kept_where_it_can_be",
        "a_port_parity_is_kept_where_it_can_be",
    ];
    assert_eq!(broken, choices, "{verdict}");
    assert_eq!(verdict.broken_calls().count(), 0, "{verdict}");
    let rates: Vec<_> = verdict.occupancies.iter().map(|at| at.refused_in_vain).collect();
    assert!(rates[..4].is_sorted() && rates[1] > 0 && rates[3] > 900, "{verdict}");
    assert!(verdict.occupancies.iter().all(|at| at.probes_max == Some(10)), "{verdict}");
    assert!(verdict.occupancies[3].probes_mean().is_some_and(|probes| probes > 9.0), "{verdict}");
}

/// It follows Linux's rule whatever is declared: of choices, and of ports that are leased or promised.
#[test]
fn linux_like_breaks_what_its_rule_does_not_know_and_gives_up() {
    let verdict = conformance("linux-like", LinuxLike::new);
    let broken: Vec<_> = verdict.broken_laws().map(|broken| broken.law).collect();
    let unknown = [
        "a_member_goes_beyond_its_own_ports_only_when_none_is_left",
        "a_leased_block_serves_one_member",
        "a_member_leases_no_more_than_its_maximum",
        "a_spread_binding_takes_the_least_used_virtual_ip",
        "a_port_is_kept_where_it_can_be",
        "a_port_class_is_kept_where_it_can_be",
        "a_port_parity_is_kept_where_it_can_be",
    ];
    assert_eq!(broken, unknown, "{verdict}");
    assert_eq!(verdict.broken_calls().count(), 0, "{verdict}");
    let rates: Vec<_> = verdict.occupancies.iter().map(|at| at.refused_in_vain).collect();
    assert!(rates[..4].is_sorted() && rates[0] == 0 && rates[3] > 700, "{verdict}");
    assert!(verdict.occupancies.iter().all(|at| at.probes_max <= Some(248)), "{verdict}");
}

/// A defect of [`Defective`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    FreesTwice,
    FreesForAnybody,
    ForgetsOnReconfigure,
    KeepsWhatIsStranded,
    LosesAPortWhenFull,
    FreesForAStranger,
}

/// The obvious allocator with one defect.
struct Defective {
    nat: Nat,
    inner: FirstFit,
    defect: Defect,
    holders: BTreeMap<Endpoint, Binding>,
    gone: BTreeSet<Binding>,
}

impl Defective {
    fn new(nat: &Nat, defect: Defect) -> Self {
        let (holders, gone) = (BTreeMap::new(), BTreeSet::new());
        Self { nat: nat.clone(), inner: FirstFit::new(nat), defect, holders, gone }
    }

    /// Frees a port, whoever holds it.
    fn free(&mut self, external: Endpoint) {
        self.holders.remove(&external).into_iter().for_each(|held| self.inner.release(held));
    }

    fn refused(&mut self, refusal: Refusal) {
        match (self.defect, refusal) {
            (Defect::LosesAPortWhenFull, Refusal::Exhausted) => {
                self.holders.pop_last();
                self.gone.extend(self.holders.values().copied());
            }
            (Defect::FreesForAStranger, Refusal::NotInPool) => {
                let first = self.holders.keys().next().copied();
                first.into_iter().for_each(|external| self.free(external));
            }
            _ => {}
        }
    }
}

impl PortAllocator for Defective {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let external = self.inner.bind(flow).inspect_err(|refusal| self.refused(*refusal))?;
        self.holders.insert(external, Binding { flow, external });
        self.gone.remove(&Binding { flow, external });
        Ok(external)
    }

    fn release(&mut self, binding: Binding) {
        let is_gone = !self.gone.insert(binding);
        let is_stranded = !self.nat.may_give(binding.flow, binding.external);
        match self.defect {
            Defect::FreesForAnybody => self.free(binding.external),
            Defect::FreesTwice if is_gone => self.free(binding.external),
            Defect::KeepsWhatIsStranded if is_stranded => {}
            Defect::LosesAPortWhenFull if is_gone => {}
            _ => self.inner.release(binding),
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

/// Each defect is named by the claims that it breaks.
#[test]
fn a_defect_of_a_call_is_caught_by_name() {
    for (defect, claims) in [
        (Defect::FreesTwice, vec!["a_second_release_leaves_the_next_holder_alone"]),
        (
            Defect::FreesForAnybody,
            vec![
                "a_second_release_leaves_the_next_holder_alone",
                "a_release_by_another_flow_of_the_member_changes_nothing",
                "a_release_by_another_member_changes_nothing",
                "a_release_by_another_transport_changes_nothing",
                "a_release_of_another_flows_port_changes_nothing",
            ],
        ),
        (
            Defect::ForgetsOnReconfigure,
            vec![
                "what_is_held_stays_held_when_the_configuration_stays",
                "what_is_held_stays_held_when_its_member_leaves_and_comes_back",
                "what_is_held_stays_held_when_the_ports_are_shared_out_otherwise",
            ],
        ),
        (Defect::KeepsWhatIsStranded, vec!["a_release_after_the_member_has_left_frees_the_port"]),
        (Defect::LosesAPortWhenFull, vec!["a_refused_bind_changes_nothing"]),
        (Defect::FreesForAStranger, vec!["a_bind_of_a_stranger_changes_nothing"]),
    ] {
        let verdict = conformance("defective", |nat| Defective::new(nat, defect));
        let broken: Vec<_> = verdict.broken_calls().map(|call| call.claim).collect();
        assert_eq!(broken, claims, "{defect:?}\n{verdict}");
        assert!(!verdict.is_lawful(), "{defect:?}");
    }
}

/// A law that is broken comes with a trace that breaks it, and the obvious allocator passes it.
#[test]
fn a_broken_law_comes_with_a_small_trace() {
    let forgets = |nat: &Nat| Defective::new(nat, Defect::ForgetsOnReconfigure);
    let verdict = conformance("forgets", forgets);
    let law = "no_two_flows_share_an_external_tuple";
    let broken = verdict.broken_laws().find(|broken| broken.law == law).expect("caught");
    assert_eq!(broken.evidence.steps.len(), 3, "{broken}");
    assert!(verdict.to_string().contains("broken at step 3: no_two_flows_share_an_external_tuple"));
    let sound = natlaw_properties::nat::device("first-fit", &broken.evidence.subject);
    let trace = broken.evidence.scenario().play(&mut sound.expect("a device"));
    assert!(check(LAWS, &trace).is_ok());
}

/// The first answer of every other allocator is lost, as if it hung on chance.
struct Restless {
    inner: FirstFit,
    turns: Cell<bool>,
}

impl PortAllocator for Restless {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let answer = self.inner.bind(flow)?;
        if self.turns.take() { self.inner.bind(flow) } else { Ok(answer) }
    }

    fn release(&mut self, binding: Binding) {
        self.inner.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.inner.reconfigure(nat);
    }
}

#[test]
fn an_allocator_that_answers_by_chance_is_caught_by_name() {
    let odd = Cell::new(false);
    let verdict = conformance("restless", |nat| {
        odd.set(!odd.get());
        Restless { inner: FirstFit::new(nat), turns: Cell::new(odd.get()) }
    });
    let broken: Vec<_> = verdict.broken_calls().map(|call| call.claim).collect();
    assert!(broken.contains(&"the_same_calls_get_the_same_answers"), "{verdict}");
}

/// Refuses as long as the configuration is the one at which it is aimed.
struct RefusesAt<F> {
    inner: FirstFit,
    is_aimed_at: F,
    refuses: bool,
}

impl<F: Fn(&Nat) -> bool> RefusesAt<F> {
    fn new(nat: &Nat, is_aimed_at: F) -> Self {
        Self { inner: FirstFit::new(nat), refuses: is_aimed_at(nat), is_aimed_at }
    }
}

impl<F: Fn(&Nat) -> bool> PortAllocator for RefusesAt<F> {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        if self.refuses { Err(Refusal::Exhausted) } else { self.inner.bind(flow) }
    }

    fn release(&mut self, binding: Binding) {
        self.inner.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.refuses = (self.is_aimed_at)(nat);
        self.inner.reconfigure(nat);
    }
}

/// No random scenario has the very configuration of a small universe.
#[test]
fn what_only_a_short_scenario_shows_is_found() {
    let only = universes(1).swap_remove(0).nat;
    let new = |nat: &Nat| {
        let only = only.clone();
        RefusesAt::new(nat, move |nat: &Nat| *nat == only)
    };
    let verdict = conformance("aimed", new);
    let broken: Vec<_> = verdict.broken_laws().map(|broken| broken.law).collect();
    assert!(broken.contains(&"exhausted_is_said_only_when_no_port_is_eligible"), "{verdict}");
}

/// The claims about calls are tried where members share ports too.
#[test]
fn what_only_shared_ports_show_is_found() {
    let new = |nat: &Nat| {
        let is_shared = matches!(nat.ports, PortPolicy::OnDemand(_));
        let defect = if is_shared { Defect::FreesTwice } else { Defect::None };
        Defective::new(nat, defect)
    };
    let verdict = conformance("frees twice what is shared", new);
    let broken: Vec<_> = verdict.broken_calls().map(|call| call.claim).collect();
    assert_eq!(broken, ["a_second_release_leaves_the_next_holder_alone"], "{verdict}");
}

/// Draws until it has found an endpoint, or has drawn ten times as often as there are any.
struct DrawsOnAndOn {
    nat: Nat,
    inner: FirstFit,
    drawn: u32,
}

impl PortAllocator for DrawsOnAndOn {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        let answer = self.inner.bind(flow);
        let candidates = self.nat.candidates(flow).map_or(0, Candidates::len);
        self.drawn = if answer.is_ok() { 1 } else { 10 * u32::try_from(candidates).unwrap() };
        answer
    }

    fn release(&mut self, binding: Binding) {
        self.inner.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.nat = nat.clone();
        self.inner.reconfigure(nat);
    }

    fn probes(&self) -> Option<u32> {
        Some(self.drawn)
    }
}

#[test]
fn a_search_without_a_bound_is_caught() {
    let new = |nat: &Nat| DrawsOnAndOn { nat: nat.clone(), inner: FirstFit::new(nat), drawn: 0 };
    let verdict = conformance("draws on and on", new);
    assert_eq!((verdict.broken_laws().count(), verdict.broken_calls().count()), (0, 0));
    assert!(!verdict.is_lawful(), "{verdict}");
    let said = "broken: with 1,024 ports held a bind looks at 10,240 of 1,024 candidates";
    assert!(verdict.to_string().contains(said), "{verdict}");
}
