//! Policies that are each wrong in one way, so that every law is seen to fail.
//!
//! A mutant re-introduces a defect that some project had, named after its tracker row, or one made
//! by hand where none is known. Where the original never ended, the mutant counts its steps and
//! says that it is unfinished. It plays the part of one method; for a group of another method it
//! is the sound policy of that.

mod policies;

use std::fmt;

use natlaw_model::routing::selection::{
    Ask, Candidate, Choice, EndpointGroup, Event, Method, Outcome, Policy, Selected, Selector,
};
use natlaw_model::subject::Device;

use policies as of;

/// A policy with one defect.
#[derive(Debug)]
pub struct Mutant {
    /// What kind of defect it is.
    pub family: Family,
    /// How scenario files call it.
    pub name: &'static str,
    /// The project and the id of the commit or issue that fixed or reported the defect; "by hand"
    /// where none is known.
    pub row: &'static str,
    /// What is wrong with it.
    pub defect: &'static str,
    /// The law that it is made to break; it may break others besides.
    pub law: &'static str,
    /// The device.
    pub device: fn(&EndpointGroup) -> Box<dyn Device<EndpointGroup>>,
}

/// The kinds of defects that policies had, by what a user sees of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A choice that never ended, or one that takes more than it declares.
    Termination,
    /// An endpoint that may not be chosen, or nobody although one may.
    Eligibility,
    /// Shares that are not those of the weights.
    Proportion,
    /// Not the best one.
    Order,
    /// A key that moves without need, or does not come back.
    Stability,
    /// The answer is not one to the question.
    Form,
}

impl Family {
    /// Every family, in the order in which mutants are listed.
    pub const ALL: [Self; 6] = [
        Self::Termination,
        Self::Eligibility,
        Self::Proportion,
        Self::Order,
        Self::Stability,
        Self::Form,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Termination => "termination",
            Self::Eligibility => "eligibility",
            Self::Proportion => "proportion",
            Self::Order => "order",
            Self::Stability => "stability",
            Self::Form => "form",
        })
    }
}

/// One choice, with its defect. Whatever may go on for ever looks at its budget.
trait Defect {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice;

    fn steps_max(&self, candidates: usize) -> u64 {
        4 * candidates as u64 + 4
    }
}

/// Steps that may be taken.
struct Budget {
    steps: u64,
    steps_max: u64,
}

impl Budget {
    /// Takes a step; false once all of them are taken.
    const fn step(&mut self) -> bool {
        let may = self.steps < self.steps_max;
        self.steps += may as u64;
        may
    }

    /// Looks at all candidates once, whatever that costs.
    const fn pass(&mut self, candidates: &[Candidate]) {
        self.steps += candidates.len() as u64;
    }
}

/// A policy with this defect.
struct Defective<D>(D);

impl<D: Defect> Policy for Defective<D> {
    fn select(&mut self, ask: Ask, candidates: &[Candidate]) -> Selected {
        let mut budget = Budget { steps: 0, steps_max: self.steps_max(candidates.len()) };
        let choice = self.0.choose(ask, candidates, &mut budget);
        Selected { choice, steps: budget.steps }
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        self.0.steps_max(candidates)
    }
}

/// A group whose policy has this defect where its method is the one; elsewhere it is sound.
fn device<D: Defect + 'static>(
    group: &EndpointGroup,
    is_its: fn(Method) -> bool,
    defect: fn(Method, u64) -> D,
) -> Box<dyn Device<EndpointGroup>> {
    let method = group.method;
    let policy = move |draw| -> Box<dyn Policy> {
        if is_its(method) { Box::new(Defective(defect(method, draw))) } else { method.policy(draw) }
    };
    Box::new(Selector::new(group, policy))
}

/// A group that answers a question as if it were a change.
struct AnswersOutOfKind(Box<dyn Device<EndpointGroup>>);

impl Device<EndpointGroup> for AnswersOutOfKind {
    fn step(&mut self, event: &Event) -> Outcome {
        self.0.step(event);
        Outcome::Changed
    }
}

/// A mutant of one method.
macro_rules! mutant {
    (
        $family:ident, $name:literal, $row:literal, $defect:literal, $law:ident,
        $method:pat, $policy:expr $(,)?
    ) => {
        Mutant {
            family: Family::$family,
            name: $name,
            row: $row,
            defect: $defect,
            law: stringify!($law),
            device: |group| device(group, |method| matches!(method, $method), $policy),
        }
    };
}

/// Every mutant, family by family.
pub const MUTANTS: &[Mutant] = &[
    mutant!(
        Termination,
        "zero-weights-spin",
        "FluidFramework 16915",
        "draws until a weight is met, also where all are zero",
        a_selection_finishes,
        Method::Weighted,
        |_, _| of::ZeroWeightsSpin
    ),
    mutant!(
        Termination,
        "all-down-loops",
        "nginx 3625a458d, 624fbe94a",
        "goes round until somebody is up, also where all are down",
        a_selection_finishes,
        Method::RoundRobin,
        |_, _| of::AllDownLoops::default()
    ),
    mutant!(
        Termination,
        "tried-mask-of-32-bits",
        "nginx 0687cb9d9",
        "looks for one that is not tried yet, and the 33rd counts as tried once the first was",
        a_selection_finishes,
        Method::RoundRobin,
        |_, _| of::TriedMask
    ),
    mutant!(
        Termination,
        "avoids-the-only-one-left",
        "HAProxy e28e647fe",
        "looks for another one than the last, also where there is no other",
        a_selection_finishes,
        Method::RoundRobin,
        |_, _| of::AvoidsTheLast::default()
    ),
    mutant!(
        Termination,
        "stop-marker-left-the-list",
        "HAProxy 23cf528c7",
        "goes round until it meets the one chosen last, who has left",
        a_selection_finishes,
        Method::RoundRobin,
        |_, _| of::StopMarkerLeft::default()
    ),
    mutant!(
        Termination,
        "coin-flip-comparer",
        "NuGet/NuGetGallery dd729f50 and 1260227a (NuGet.org, 22 March 2018; a reconstruction)",
        "sorts with a comparer that flips a weighted coin, until the coin finds all in order",
        a_selection_finishes,
        Method::Weighted,
        |_, _| of::CoinFlipComparer
    ),
    mutant!(
        Termination,
        "looks-more-often-than-declared",
        "by hand",
        "looks at all of them for each of them, and declares one look at each",
        a_selection_takes_no_more_steps_than_it_declares,
        Method::Priority,
        |_, _| of::LooksMoreOften
    ),
    mutant!(
        Termination,
        "declares-what-nothing-reaches",
        "by hand",
        "declares a bound that says nothing",
        a_policy_declares_at_most_eight_looks_at_each_candidate,
        Method::Priority,
        |_, _| of::DeclaresAnything
    ),
    mutant!(
        Eligibility,
        "sees-64-endpoints",
        "by hand",
        "endpoints are bits of a word of 64, and the others do not exist",
        nobody_is_said_only_when_nobody_is_eligible,
        Method::Priority,
        |_, _| of::Sees64
    ),
    mutant!(
        Eligibility,
        "heavy-one-down-absorbs-retries",
        "mosn 1867",
        "tries three times, and each time the heavy endpoint that is down wins the draw",
        nobody_is_said_only_when_nobody_is_eligible,
        Method::Weighted,
        |_, _| of::AbsorbsRetries
    ),
    mutant!(
        Eligibility,
        "stale-place-after-a-removal",
        "gravitee 4208",
        "keeps the place of the next one while the list gets shorter",
        the_chosen_endpoint_is_in_the_group,
        Method::RoundRobin,
        |_, _| of::StalePlace::default()
    ),
    mutant!(
        Eligibility,
        "clings-to-the-first",
        "by hand",
        "a client goes on calling the endpoint that it found, up or down",
        the_chosen_endpoint_is_available,
        Method::FirstEndpoint,
        |_, _| of::Clings::default()
    ),
    mutant!(
        Eligibility,
        "drained-is-served",
        "mosn 1969",
        "a weight of zero is raised to one, or its inverse would not exist",
        a_drained_endpoint_is_never_chosen,
        Method::Weighted,
        |_, _| of::DrainedIsServed
    ),
    mutant!(
        Eligibility,
        "fails-open-unasked",
        "by hand",
        "answers as if all were up where all are down",
        the_chosen_endpoint_is_available,
        Method::Priority,
        |_, _| of::FailsOpen
    ),
    mutant!(
        Proportion,
        "weight-wraps-the-key",
        "HAProxy a34bdc0ea",
        "a weight above a constant wraps, and the heaviest is served least",
        over_a_cycle_each_has_exactly_its_turns,
        Method::RoundRobin,
        |_, _| of::WeightWraps::default()
    ),
    mutant!(
        Proportion,
        "dynamic-weight-drifts",
        "nginx 121bf2f95, 665b9fd2e",
        "each choice costs an endpoint some of its weight, and nothing gives it back",
        over_a_cycle_each_has_exactly_its_turns,
        Method::RoundRobin,
        |_, _| of::WeightDrifts::default()
    ),
    mutant!(
        Proportion,
        "start-drawn-over-endpoints",
        "Envoy 32233",
        "the first turn is drawn over the endpoints and not over the turns of a cycle",
        first_turns_follow_the_weights,
        Method::RoundRobin,
        |_, draw| of::StartOverEndpoints::new(draw)
    ),
    mutant!(
        Proportion,
        "cursor-is-never-stored",
        "FD.io VPP 579a6fb89ba",
        "every choice starts from the same turn",
        over_a_cycle_each_has_exactly_its_turns,
        Method::RoundRobin | Method::LeastLatency { .. },
        |_, _| of::CursorIsNeverStored
    ),
    mutant!(
        Proportion,
        "the-next-one-has-the-turns-of-one-that-is-down",
        "by hand",
        "an endpoint that is down takes its turns, and hands them to its neighbour",
        over_a_cycle_each_has_exactly_its_turns,
        Method::RoundRobin,
        |_, _| of::NeighbourTakesAll::default()
    ),
    mutant!(
        Proportion,
        "counts-endpoints-not-weights",
        "by hand",
        "draws over the endpoints, whatever they weigh",
        chance_follows_the_weights,
        Method::Weighted,
        |_, _| of::CountsEndpoints
    ),
    mutant!(
        Proportion,
        "index-modulo-degenerates",
        "FD.io VPP 579a6fb89ba; Oxide omicron 6037",
        "the endpoint is the part of an address that is the same in a whole network, modulo their number",
        neighbouring_keys_are_spread,
        Method::ConsistentHash { .. },
        |_, _| of::IndexDegenerates
    ),
    mutant!(
        Order,
        "largest-priority-first",
        "by hand",
        "the largest number counts as the highest priority",
        priority_chooses_the_best,
        Method::Priority,
        |_, _| of::LargestFirst
    ),
    mutant!(
        Order,
        "near-beats-priority",
        "by hand",
        "the fastest endpoint is chosen, whatever its priority",
        least_latency_stays_with_the_best_priority,
        Method::LeastLatency { .. },
        |_, _| of::NearBeatsPriority
    ),
    mutant!(
        Order,
        "any-latency-will-do",
        "by hand",
        "all endpoints of the best priority take turns, near or far",
        least_latency_stays_near_the_fastest,
        Method::LeastLatency { .. },
        |_, _| of::AnyLatency::default()
    ),
    mutant!(
        Order,
        "never-goes-back-to-the-first",
        "by hand",
        "a client that was once sent on does not look before the place where it is",
        the_first_endpoint_that_answers_is_chosen,
        Method::FirstEndpoint,
        |_, _| of::NeverGoesBack::default()
    ),
    mutant!(
        Stability,
        "key-modulo-n",
        "by hand",
        "the endpoint is the key modulo their number, so that one change moves nearly all keys",
        a_key_moves_only_from_or_to_an_endpoint_that_changed,
        Method::ConsistentHash { .. },
        |_, _| of::KeyModulo
    ),
    mutant!(
        Stability,
        "ring-in-order-of-insertion",
        "by hand",
        "scores are those of places in the list, not of endpoints",
        the_same_endpoints_give_a_key_the_same_one,
        Method::ConsistentHash { .. },
        |_, _| of::InsertionOrder
    ),
    mutant!(
        Stability,
        "keeps-a-key-where-it-went",
        "by hand",
        "a key stays where an outage sent it, also when its own endpoint is back",
        the_same_endpoints_give_a_key_the_same_one,
        Method::ConsistentHash { .. },
        |_, _| of::KeepsKeys::default()
    ),
    Mutant {
        family: Family::Form,
        name: "answers-out-of-kind",
        row: "by hand",
        defect: "a question is answered as if the group had changed",
        law: "every_event_is_answered_in_kind",
        device: |group| {
            let method = group.method;
            let sound = Selector::new(group, move |draw| method.policy(draw));
            Box::new(AnswersOutOfKind(Box::new(sound)))
        },
    },
];
