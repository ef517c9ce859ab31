//! Networks that are each wrong in one way: every decision as documented but one.

use natlaw_model::nat::VirtualIp;
use natlaw_model::routing::selection::{
    Ask, Candidate, Choice, LeastLatency, Policy, Priority, RoundRobin, Selected, Weighted,
};
use natlaw_model::routing::{
    ClientChoice, Decisions, Documented, ManagedEndpoint, Means, Method, Name, Neighbour,
    ScaleUnit, Setting, Status, Tally, VmPool,
};
use natlaw_model::time::Instant;

/// Any of these: behind a pointer, so that a network is compiled once and not for each mutant.
pub(super) struct Any(pub(super) Box<dyn Decisions>);

macro_rules! passed_on {
    ($(fn $name:ident $(<$of:lifetime>)? ($($input:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Decisions for Any {
            $(
                fn $name $(<$of>)? (&self, $($input: $type),*) -> $answer {
                    self.0.$name($($input),*)
                }
            )*
        }
    };
}

passed_on! {
    fn nested_status(child: &Tally, children_min: u32) -> Status;
    fn probed_status(setting: Setting, is_up: bool) -> Status;
    fn is_available(status: Status) -> bool;
    fn fails_open(statuses: &[Status]) -> bool;
    fn is_in_use(status: Status) -> bool;
    fn choose_endpoint(method: Method, ask: Ask, candidates: &[Candidate]) -> Selected;
    fn mapped(region: Option<&Name>, endpoints: &[&ManagedEndpoint], statuses: &[Status]) -> Option<usize>;
    fn choose_origin(turns: &mut LeastLatency, ask: Ask, candidates: &[Candidate]) -> Selected;
    fn choose_any_origin(turns: &mut RoundRobin, ask: Ask, candidates: &[Candidate]) -> Selected;
    fn choose_listed(choice: ClientChoice, ask: Ask, candidates: &[Candidate]) -> Selected;
    fn is_fresh(until: Instant, now: Instant) -> bool;
    fn follows_affinity(is_fresh: bool, is_up: bool) -> bool;
    fn proxies_to<'a>(
        unit: &'a ScaleUnit,
        itself: &'a Name,
        account: &Name,
        owner: Option<&'a Name>
    ) -> Option<&'a Name>;
    fn is_throttled(in_hand: usize, proxied_max: u32) -> bool;
    fn choose_member(hash: u64, up: &[usize], slots: usize) -> Option<usize>;
    fn is_up(is_down: bool) -> bool;
    fn bypasses(pool: &VmPool, destination: &Name) -> bool;
    fn way_out(present: &[Means]) -> Option<Means>;
    fn next_router(neighbours: &[Neighbour]) -> Option<usize>;
    fn is_loop(has_been_there: bool) -> bool;
    fn reply_address(came_in_by: VirtualIp, all: &[VirtualIp]) -> VirtualIp;
}

/// Networks that decide as documented, but for what stands here.
macro_rules! deciding {
    ($($name:ident { $($decision:tt)* })*) => {
        $(
            pub(super) struct $name;

            impl Decisions for $name {
                $($decision)*
            }
        )*
    };
}

deciding! {
    MissesLoops {
        fn is_loop(&self, _: bool) -> bool {
            false
        }
    }

    TakesEverythingForALoop {
        fn is_loop(&self, _: bool) -> bool {
            true
        }
    }

    PriorityAsLargest {
        fn choose_endpoint(&self, method: Method, ask: Ask, candidates: &[Candidate]) -> Selected {
            let turned = |it: &Candidate| Candidate { priority: u16::MAX - it.priority, ..*it };
            Documented.choose_endpoint(method, ask, &each(candidates, turned))
        }
    }

    AnswersWithTheFarthest {
        fn choose_endpoint(&self, method: Method, ask: Ask, candidates: &[Candidate]) -> Selected {
            let turned = |it: &Candidate| Candidate { latency_ms: u32::MAX - it.latency_ms, ..*it };
            Documented.choose_endpoint(method, ask, &each(candidates, turned))
        }
    }

    AllOthersAlways {
        fn choose_endpoint(&self, method: Method, ask: Ask, candidates: &[Candidate]) -> Selected {
            match method {
                Method::PerformanceAllOthers => Weighted.select(ask, candidates),
                _ => Documented.choose_endpoint(method, ask, candidates),
            }
        }
    }

    DrawsWhoeverIsDown {
        fn choose_endpoint(&self, method: Method, ask: Ask, candidates: &[Candidate]) -> Selected {
            match method {
                Method::Weighted => Weighted.select(ask, &each(candidates, up)),
                _ => Documented.choose_endpoint(method, ask, candidates),
            }
        }
    }

    GeographicFailsOver {
        fn mapped(
            &self,
            region: Option<&Name>,
            endpoints: &[&ManagedEndpoint],
            statuses: &[Status],
        ) -> Option<usize> {
            let mapped = Documented.mapped(region, endpoints, statuses)?;
            let is_up = |place: &usize| Documented.is_available(statuses[*place]);
            let mut others = (0..endpoints.len()).filter(is_up);
            Some(if is_up(&mapped) { mapped } else { others.next().unwrap_or(mapped) })
        }
    }

    OneChildIsEnough {
        fn nested_status(&self, child: &Tally, _: u32) -> Status {
            Documented.nested_status(child, 1)
        }
    }

    OneChildTooFew {
        fn nested_status(&self, child: &Tally, children_min: u32) -> Status {
            Documented.nested_status(child, children_min - 1)
        }
    }

    DisabledCountsAsOnline {
        fn probed_status(&self, setting: Setting, is_up: bool) -> Status {
            match setting {
                Setting::Disabled => Status::Online,
                _ => Documented.probed_status(setting, is_up),
            }
        }
    }

    FailsOpenAtTheFirst {
        fn fails_open(&self, statuses: &[Status]) -> bool {
            statuses.contains(&Status::Degraded)
        }
    }

    NeverFailsOpen {
        fn fails_open(&self, _: &[Status]) -> bool {
            false
        }
    }

    AnyOfTheList {
        fn choose_listed(
            &self,
            _: ClientChoice,
            ask: Ask,
            candidates: &[Candidate],
        ) -> Selected {
            Weighted.select(ask, candidates)
        }
    }

    UnprobedCountsAsHealthy {
        fn probed_status(&self, setting: Setting, _: bool) -> Status {
            Documented.probed_status(setting, true)
        }
    }

    KeepsForEver {
        fn is_fresh(&self, _: Instant, _: Instant) -> bool {
            true
        }
    }

    KeepsNothing {
        fn is_fresh(&self, _: Instant, _: Instant) -> bool {
            false
        }
    }

    LearnsNothing {
        fn follows_affinity(&self, _: bool, _: bool) -> bool {
            false
        }
    }

    ProxiesToItself {
        fn proxies_to<'a>(
            &self,
            unit: &'a ScaleUnit,
            itself: &'a Name,
            account: &Name,
            owner: Option<&'a Name>,
        ) -> Option<&'a Name> {
            Documented.proxies_to(unit, itself, account, owner).map(|_| itself)
        }
    }

    ServesWhatOthersOwn {
        fn proxies_to<'a>(
            &self,
            _: &'a ScaleUnit,
            _: &'a Name,
            _: &Name,
            _: Option<&'a Name>,
        ) -> Option<&'a Name> {
            None
        }
    }

    KnowsNoLimit {
        fn is_throttled(&self, _: usize, _: u32) -> bool {
            false
        }
    }

    IsAlwaysFull {
        fn is_throttled(&self, _: usize, _: u32) -> bool {
            true
        }
    }

    OriginsByNothing {
        fn choose_origin(&self, _: &mut LeastLatency, _: Ask, _: &[Candidate]) -> Selected {
            Selected { choice: Choice::Chosen(0), steps: 1 }
        }
    }

    OriginsByLatencyAlone {
        fn choose_origin(
            &self,
            turns: &mut LeastLatency,
            ask: Ask,
            candidates: &[Candidate],
        ) -> Selected {
            let alike = |it: &Candidate| Candidate { priority: 1, ..*it };
            turns.select(ask, &each(candidates, alike))
        }
    }

    OriginsByPriorityAlone {
        fn choose_origin(&self, _: &mut LeastLatency, ask: Ask, candidates: &[Candidate]) -> Selected {
            Priority.select(ask, candidates)
        }
    }

    GoesRoundAllOrigins {
        fn choose_origin(&self, _: &mut LeastLatency, _: Ask, _: &[Candidate]) -> Selected {
            Selected { choice: Choice::Nobody, steps: 0 }
        }

        fn choose_any_origin(&self, turns: &mut RoundRobin, ask: Ask, all: &[Candidate]) -> Selected {
            turns.select(ask, all)
        }
    }

    ChoosesTheDead {
        fn choose_member(&self, hash: u64, up: &[usize], slots: usize) -> Option<usize> {
            let all: Vec<usize> = (0..slots).collect();
            Documented.choose_member(hash, if up.is_empty() { up } else { &all }, slots)
        }
    }

    CountsTheDead {
        fn is_up(&self, _: bool) -> bool {
            true
        }
    }

    LastOfThePrecedence {
        fn way_out(&self, present: &[Means]) -> Option<Means> {
            present.last().copied()
        }
    }

    NoWayOut {
        fn way_out(&self, _: &[Means]) -> Option<Means> {
            None
        }
    }

    BypassTakesAPort {
        fn bypasses(&self, _: &VmPool, _: &Name) -> bool {
            false
        }
    }

    LeavesUntranslated {
        fn bypasses(&self, _: &VmPool, _: &Name) -> bool {
            true
        }
    }

    RepliesByTheFirstAddress {
        fn reply_address(&self, came_in_by: VirtualIp, all: &[VirtualIp]) -> VirtualIp {
            all.first().copied().unwrap_or(came_in_by)
        }
    }

    TakesTheLongestWay {
        fn next_router(&self, neighbours: &[Neighbour]) -> Option<usize> {
            (0..neighbours.len()).max_by_key(|at| neighbours[*at].cost)
        }
    }

    EqualWaysFlip {
        fn next_router(&self, neighbours: &[Neighbour]) -> Option<usize> {
            let least = neighbours.iter().map(|it| it.cost).min()?;
            neighbours.iter().rposition(|it| it.cost == least)
        }
    }

    FindsNoWay {
        fn next_router(&self, _: &[Neighbour]) -> Option<usize> {
            None
        }
    }
}

fn each(candidates: &[Candidate], change: impl Fn(&Candidate) -> Candidate) -> Vec<Candidate> {
    candidates.iter().map(change).collect()
}

const fn up(candidate: &Candidate) -> Candidate {
    Candidate { available: true, ..*candidate }
}
