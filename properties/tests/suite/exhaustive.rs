//! Small scopes, tried whole.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use natlaw_model::allocator::{Bitmap, FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, Ledger, Nat, Outcome, Reason, Signal};
use natlaw_model::subject::{Device, Moment, Subject};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use natlaw_properties::nat::exhaustive::{
    Canonical, Coverage, Universe, every_scenario, every_state, universes,
};
use natlaw_properties::nat::{LAWS, ObviousTranslator, device};
use natlaw_properties::refines::Reference;

/// The universe with the most states by far.
const LARGEST: &str = "one mapping an address";

/// Holds a device to every law in every state of these universes, and answers what was tried.
fn keeps_every_law_everywhere<A: PortAllocator + Clone + Hash>(
    universes: Vec<Universe>,
    new: fn(&Nat) -> A,
) -> Vec<Coverage> {
    let tried = universes.into_iter().map(|universe| {
        let coverage = every_state(&universe, |nat| Translator::new(nat, new));
        assert!(coverage.broken.is_none(), "{}: {coverage}", universe.name);
        assert_eq!(coverage.is_closed, universe.depth_max.is_none(), "{}", universe.name);
        coverage
    });
    tried.collect()
}

fn edges(tried: &[Coverage]) -> usize {
    tried.iter().map(|coverage| coverage.edges).sum()
}

#[test]
fn first_fit_keeps_every_law_in_every_state() {
    let tried = keeps_every_law_everywhere(universes(1), FirstFit::new);
    assert!(edges(&tried) > 900_000, "{}", edges(&tried));
}

/// Laws of what no universe declares.
const UNDECLARED: [&str; 10] = [
    "the_group_of_an_inbound_rule_is_never_given",
    "a_reserved_port_is_never_given",
    "no_member_goes_beyond_its_limit",
    "over_limit_is_said_only_to_a_member_at_a_limit",
    "a_member_at_a_limit_is_told_nothing_else",
    "a_paired_member_stays_on_one_virtual_ip",
    "a_port_is_kept_where_it_can_be",
    "a_port_class_is_kept_where_it_can_be",
    "a_port_parity_is_kept_where_it_can_be",
    "an_exempt_destination_is_left_as_it_is",
];

/// Every law is put to the test, but for those of what no universe declares.
#[test]
fn bitmap_keeps_every_law_in_every_state() {
    let tried = keeps_every_law_everywhere(universes(1), Bitmap::new);
    assert!(edges(&tried) > 900_000, "{}", edges(&tried));
    let is_idle = |index: usize| tried.iter().all(|coverage| coverage.tested[index].1 == 0);
    let idle: Vec<_> = (0..LAWS.len()).filter(|index| is_idle(*index)).collect();
    let idle: Vec<_> = idle.into_iter().map(|index| LAWS[index].name).collect();
    assert_eq!(idle, UNDECLARED);
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
/// the universe, changes them; the laws do not. A flow that was answered is another state than one that
/// was not, which doubles them.
#[test]
fn a_small_universe_has_as_many_states_as_before() {
    for (name, counts) in
        [("leased addresses", (1_204, 22_876, 11)), ("shared ports", (2_831, 53_789, 16))]
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

/// A state as a number, by the trait that the search goes by.
fn told(state: &impl Canonical) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.tell(&mut hasher);
    hasher.finish()
}

fn judged(before: &Ledger, event: &Event, outcome: &Outcome) -> Verdict {
    let moment = Moment { before, event, outcome };
    LAWS.iter().map(|law| (law.holds)(&moment)).collect()
}

/// What follows from what is taken for one state: for a device its answers and where they lead, for
/// a ledger what laws say of any answer and where it leads. `None` is the answer that is only
/// judged: nothing is forwarded, because everything is held.
#[derive(Default)]
struct Futures {
    devices: HashMap<(u64, usize), (Outcome, u64)>,
    ledgers: HashMap<(u64, usize, Option<Outcome>), (u64, Verdict)>,
}

/// What every law says of an answer.
type Verdict = Vec<Option<bool>>;

impl Futures {
    /// Asks the event and compares what follows with what followed before.
    fn step<D: Device<Nat> + Canonical + Clone>(
        &mut self,
        (device, ledger): &(D, Ledger),
        index: usize,
        event: &Event,
    ) -> (D, Ledger) {
        let (mut next, mut after) = (device.clone(), ledger.clone());
        let outcome = next.step(event);
        let refused = Outcome::Dropped(Reason::Refused(Refusal::Exhausted));
        Nat::record(&mut after, event, &outcome);
        let told_before = (told(device), told(ledger));
        let answer = (outcome.clone(), told(&next));
        assert_eq!(*self.devices.entry((told_before.0, index)).or_insert(answer.clone()), answer);
        for (kept, outcome, leads_to) in
            [(Some(outcome.clone()), &outcome, told(&after)), (None, &refused, 0)]
        {
            let verdict = (leads_to, judged(ledger, event, outcome));
            let known = self.ledgers.entry((told_before.1, index, kept));
            assert_eq!(*known.or_insert(verdict.clone()), verdict, "{event}: {outcome}");
        }
        (next, after)
    }
}

/// What the search takes for one state has one future, by whichever of two ways it is come by.
fn states_told_alike_have_one_future<A: PortAllocator + Clone + Hash>(
    universe: &Universe,
    new: fn(&Nat) -> A,
) {
    const WAYS: usize = 2;
    let start = (Translator::new(&universe.nat, new), universe.nat.ledger());
    let mut ways: HashMap<(u64, u64), usize> = HashMap::new();
    let mut futures = Futures::default();
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        for (index, event) in universe.events.iter().enumerate() {
            let next = futures.step(&state, index, event);
            let ways = ways.entry((told(&next.0), told(&next.1))).or_insert(0);
            *ways += 1;
            open.extend((*ways <= WAYS).then_some(next));
        }
    }
    let states = every_state(universe, |nat| Translator::new(nat, new)).states;
    assert_eq!(ways.len(), states, "{}", universe.name);
}

#[test]
fn what_is_taken_for_one_state_has_one_future() {
    for universe in universes(1).iter().filter(|it| it.depth_max.is_none() && it.name != LARGEST) {
        states_told_alike_have_one_future(universe, Bitmap::new);
    }
    states_told_alike_have_one_future(&universe_of("shared ports"), FirstFit::new);
}

/// The translator in use, held to the obvious one at every step.
#[derive(Clone)]
struct Agreeing {
    in_use: Translator<Bitmap>,
    obvious: ObviousTranslator,
}

impl Device<Nat> for Agreeing {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.in_use.step(event);
        assert_eq!(self.obvious.follow(event, &outcome), outcome, "{event}");
        outcome
    }
}

impl Canonical for Agreeing {
    fn tell(&self, state: &mut impl Hasher) {
        self.in_use.tell(state);
    }
}

#[test]
fn bitmap_refines_the_obvious_translator_in_every_state() {
    for universe in universes(1).iter().filter(|universe| universe.name != LARGEST) {
        let coverage = every_state(universe, |nat| Agreeing {
            in_use: Translator::new(nat, Bitmap::new),
            obvious: ObviousTranslator::new(nat),
        });
        assert!(coverage.broken.is_none(), "{}: {coverage}", universe.name);
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
    let universe = universe_of("one mapping a destination");
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
    let universe = universe_of("leased addresses");
    let new = |nat: &Nat| device("swap-forgets-leases", nat).expect("a mutant");
    let broken = every_scenario(&universe, 3, new).broken.expect("caught");
    assert_eq!(broken.law, "no_two_flows_share_an_external_tuple", "{broken}");
    assert_eq!(broken.evidence.steps.len(), 3, "{broken}");
}
