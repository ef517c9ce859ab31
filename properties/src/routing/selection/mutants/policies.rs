//! The defects, one policy each.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use natlaw_model::routing::selection::{
    Ask, Candidate, Choice, ConsistentHash, Policy, Priority, Weighted,
};

use super::{Budget, Defect};

/// The eligible candidates with their places.
fn eligible(candidates: &[Candidate]) -> impl Iterator<Item = (usize, &Candidate)> {
    candidates.iter().enumerate().filter(|(_, one)| one.is_eligible())
}

fn chosen(place: Option<usize>) -> Choice {
    place.map_or(Choice::Nobody, Choice::Chosen)
}

/// A number below `whole` that follows from the draw; 0 for a `whole` of 0.
fn part(draw: u64, whole: u64) -> u64 {
    u64::try_from((u128::from(draw) * u128::from(whole)) >> 64).unwrap_or(0)
}

/// Another draw that follows from this one (Knuth's MMIX).
fn redrawn(draw: u64) -> u64 {
    draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// The place that holds this unit of these shares laid end to end.
fn holder(shares: impl Iterator<Item = (usize, u64)>, unit: u64) -> Option<usize> {
    let mut before = 0;
    let mut shares = shares;
    let holds = |(_, share): &(usize, u64)| {
        before += share;
        unit < before
    };
    shares.find(holds).map(|(place, _)| place)
}

/// The turn after this one, in a cycle of the eligible candidates' shares as `share` has them.
fn turn(
    at: &mut u64,
    candidates: &[Candidate],
    share: impl Fn(&Candidate) -> u64 + Copy,
) -> Option<usize> {
    let shares = || eligible(candidates).map(|(place, one)| (place, share(one)));
    let cycle: u64 = shares().map(|(_, share)| share).sum();
    let place = holder(shares(), at.checked_rem(cycle)?);
    *at += 1;
    place
}

pub(super) struct ZeroWeightsSpin;

impl Defect for ZeroWeightsSpin {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let all_weigh_nothing = candidates.iter().all(|one| !one.available || one.weight == 0);
        if all_weigh_nothing && candidates.iter().any(|one| one.available) {
            while budget.step() {}
            return Choice::Unfinished;
        }
        budget.pass(candidates);
        Weighted.select(ask, candidates).choice
    }
}

#[derive(Default)]
pub(super) struct AllDownLoops(usize);

impl Defect for AllDownLoops {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        while !candidates.is_empty() && budget.step() {
            let place = self.0 % candidates.len();
            self.0 += 1;
            if candidates[place].is_eligible() {
                return Choice::Chosen(place);
            }
        }
        if candidates.is_empty() { Choice::Nobody } else { Choice::Unfinished }
    }
}

#[derive(Default)]
pub(super) struct AvoidsTheLast(Option<u64>);

impl Defect for AvoidsTheLast {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let mut draw = ask.draw;
        while eligible(candidates).next().is_some() {
            if !budget.step() {
                return Choice::Unfinished;
            }
            draw = redrawn(draw);
            let drawn = part(draw, candidates.len() as u64);
            let another = (0..).zip(candidates).find(|(place, one)| {
                *place == drawn && one.is_eligible() && self.0 != Some(one.identity)
            });
            if let Some((_, one)) = another {
                self.0 = Some(one.identity);
                return chosen(candidates.iter().position(|it| it == one));
            }
        }
        Choice::Nobody
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        8 * candidates as u64
    }
}

#[derive(Default)]
pub(super) struct StopMarkerLeft {
    turn: u64,
    last: Option<u64>,
}

impl Defect for StopMarkerLeft {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let last = self.last;
        let meets_it = |one: &Candidate| Some(one.identity) == last;
        if last.is_some() && !candidates.iter().any(meets_it) {
            while budget.step() {}
            return Choice::Unfinished;
        }
        budget.pass(candidates);
        let place = turn(&mut self.turn, candidates, |one| one.weight.into());
        self.last = place.map(|place| candidates[place].identity);
        chosen(place)
    }
}

pub(super) struct CoinFlipComparer;

impl Defect for CoinFlipComparer {
    /// Neighbours are swapped for as long as the coin says so of any pair. The coin lands on the
    /// first of two as often as it weighs: never, where both weigh nothing.
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let mut draw = ask.draw;
        let mut order: Vec<usize> =
            (0..candidates.len()).filter(|p| candidates[*p].available).collect();
        let mut in_order = 0;
        while in_order + 1 < order.len() {
            if !budget.step() {
                return Choice::Unfinished;
            }
            let [first, second] =
                [in_order, in_order + 1].map(|at| u64::from(candidates[order[at]].weight));
            draw = redrawn(draw);
            let comes_first = part(draw, first + second) < first;
            if !comes_first {
                order.swap(in_order, in_order + 1);
            }
            in_order = if comes_first { in_order + 1 } else { 0 };
        }
        chosen(order.first().copied().filter(|place| candidates[*place].weight > 0))
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        8 * candidates as u64
    }
}

pub(super) struct LooksMoreOften;

impl Defect for LooksMoreOften {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        candidates.iter().for_each(|_| budget.pass(candidates));
        Priority.select(ask, candidates).choice
    }

    fn steps_max(&self, candidates: usize) -> u64 {
        candidates as u64
    }
}

pub(super) struct DeclaresAnything;

impl Defect for DeclaresAnything {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        Priority.select(ask, candidates).choice
    }

    fn steps_max(&self, _: usize) -> u64 {
        u64::MAX
    }
}

pub(super) struct TriedMask;

impl Defect for TriedMask {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let mut tried = 0_u32;
        for (place, candidate) in candidates.iter().enumerate() {
            budget.step();
            let bit = 1 << (place % 32);
            if tried & bit == 0 && candidate.is_eligible() {
                return Choice::Chosen(place);
            }
            tried |= bit;
        }
        if eligible(candidates).next().is_none() {
            return Choice::Nobody;
        }
        while budget.step() {}
        Choice::Unfinished
    }
}

pub(super) struct Sees64;

impl Defect for Sees64 {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let seen = &candidates[..candidates.len().min(64)];
        budget.pass(seen);
        Priority.select(ask, seen).choice
    }
}

pub(super) struct AbsorbsRetries;

impl Defect for AbsorbsRetries {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        let shares =
            || candidates.iter().enumerate().map(|(place, one)| (place, one.weight.into()));
        let total = shares().map(|(_, share)| share).sum();
        let mut draw = ask.draw;
        for _ in 0..3 {
            budget.pass(candidates);
            let place = holder(shares(), part(draw, total));
            if let Some(place) = place.filter(|place| candidates[*place].is_eligible()) {
                return Choice::Chosen(place);
            }
            draw = redrawn(draw);
        }
        Choice::Nobody
    }
}

#[derive(Default)]
pub(super) struct StalePlace(Option<usize>);

impl Defect for StalePlace {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let after = self.0.take().unwrap_or(0);
        if after >= candidates.len() && after > 0 && !candidates.is_empty() {
            return Choice::Chosen(after);
        }
        let in_turn = eligible(candidates).find(|(place, _)| *place >= after);
        let place = in_turn.or_else(|| eligible(candidates).next()).map(|(place, _)| place);
        self.0 = place.map(|place| (place + 1) % candidates.len());
        chosen(place)
    }
}

#[derive(Default)]
pub(super) struct Clings(Option<u64>);

impl Defect for Clings {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let known = candidates.iter().position(|one| Some(one.identity) == self.0);
        let place = known.or_else(|| eligible(candidates).next().map(|(place, _)| place));
        self.0 = place.map(|place| candidates[place].identity);
        chosen(place)
    }
}

pub(super) struct DrainedIsServed;

impl Defect for DrainedIsServed {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let raised = |one: &Candidate| Candidate { weight: one.weight.max(1), ..*one };
        Weighted.select(ask, &candidates.iter().map(raised).collect::<Vec<_>>()).choice
    }
}

pub(super) struct FailsOpen;

impl Defect for FailsOpen {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let open = |one: &Candidate| Candidate { available: true, ..*one };
        match Priority.select(ask, candidates).choice {
            Choice::Nobody => {
                Priority.select(ask, &candidates.iter().map(open).collect::<Vec<_>>()).choice
            }
            choice => choice,
        }
    }
}

#[derive(Default)]
pub(super) struct WeightWraps(u64);

impl Defect for WeightWraps {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        chosen(turn(&mut self.0, candidates, |one| u64::from(one.weight & 0xff).max(1)))
    }
}

/// A smooth round robin: the one that has waited most is chosen, and pays the weight of all.
#[derive(Default)]
pub(super) struct WeightDrifts {
    waited: BTreeMap<u64, i64>,
    lost: BTreeMap<u64, i64>,
}

impl Defect for WeightDrifts {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let mut total = 0;
        for (_, one) in eligible(candidates) {
            let weight = i64::from(one.weight) - self.lost.get(&one.identity).unwrap_or(&0);
            *self.waited.entry(one.identity).or_default() += weight;
            total += weight;
        }
        let most = eligible(candidates).max_by_key(|(_, one)| self.waited[&one.identity]);
        let Some((place, one)) = most else { return Choice::Nobody };
        *self.waited.entry(one.identity).or_default() -= total;
        *self.lost.entry(one.identity).or_default() += 1;
        Choice::Chosen(place)
    }
}

pub(super) struct StartOverEndpoints {
    start: Option<u64>,
    turn: u64,
}

impl StartOverEndpoints {
    pub(super) const fn new(draw: u64) -> Self {
        Self { start: Some(draw), turn: 0 }
    }
}

impl Defect for StartOverEndpoints {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let endpoints = eligible(candidates).count() as u64;
        self.turn += self.start.take().map_or(0, |draw| part(draw, endpoints));
        chosen(turn(&mut self.turn, candidates, |one| one.weight.into()))
    }
}

pub(super) struct CursorIsNeverStored;

impl Defect for CursorIsNeverStored {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let best = eligible(candidates).min_by_key(|(_, one)| (one.priority, one.latency_ms));
        chosen(best.map(|(place, _)| place))
    }
}

#[derive(Default)]
pub(super) struct NeighbourTakesAll(u64);

impl Defect for NeighbourTakesAll {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let shares =
            || candidates.iter().enumerate().map(|(place, one)| (place, one.weight.into()));
        let cycle: u64 = shares().map(|(_, share)| share).sum();
        let at = self.0.checked_rem(cycle).and_then(|at| holder(shares(), at)).unwrap_or(0);
        self.0 += 1;
        let in_turn = eligible(candidates).find(|(place, _)| *place >= at);
        chosen(in_turn.or_else(|| eligible(candidates).next()).map(|(place, _)| place))
    }
}

pub(super) struct CountsEndpoints;

impl Defect for CountsEndpoints {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let nth = part(ask.draw, eligible(candidates).count() as u64);
        chosen(holder(eligible(candidates).map(|(place, _)| (place, 1)), nth))
    }
}

pub(super) struct IndexDegenerates;

impl Defect for IndexDegenerates {
    /// A key is an address: its last octet differs from client to client, the others do not.
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let octet = (ask.key >> 8).wrapping_add(10);
        let nth = octet.checked_rem(eligible(candidates).count() as u64);
        chosen(nth.and_then(|nth| holder(eligible(candidates).map(|(place, _)| (place, 1)), nth)))
    }
}

pub(super) struct LargestFirst;

impl Defect for LargestFirst {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let best = eligible(candidates).min_by_key(|(_, one)| Reverse(one.priority));
        chosen(best.map(|(place, _)| place))
    }
}

pub(super) struct NearBeatsPriority;

impl Defect for NearBeatsPriority {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let best = eligible(candidates).min_by_key(|(_, one)| one.latency_ms);
        chosen(best.map(|(place, _)| place))
    }
}

#[derive(Default)]
pub(super) struct AnyLatency(u64);

impl Defect for AnyLatency {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let best = eligible(candidates).map(|(_, one)| one.priority).min();
        let share = |one: &Candidate| u64::from(Some(one.priority) == best) * u64::from(one.weight);
        chosen(turn(&mut self.0, candidates, share))
    }
}

#[derive(Default)]
pub(super) struct NeverGoesBack(usize);

impl Defect for NeverGoesBack {
    fn choose(&mut self, _: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let onwards = eligible(candidates).find(|(place, _)| *place >= self.0);
        let place = onwards.or_else(|| eligible(candidates).next()).map(|(place, _)| place);
        self.0 = place.unwrap_or(0);
        chosen(place)
    }
}

pub(super) struct KeyModulo;

impl Defect for KeyModulo {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let nth = ask.key.checked_rem(eligible(candidates).count() as u64);
        chosen(nth.and_then(|nth| holder(eligible(candidates).map(|(place, _)| (place, 1)), nth)))
    }
}

pub(super) struct InsertionOrder;

impl Defect for InsertionOrder {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let placed = candidates.iter().zip(0..);
        let placed = placed.map(|(one, identity)| Candidate { identity, ..*one });
        ConsistentHash.select(ask, &placed.collect::<Vec<_>>()).choice
    }
}

#[derive(Default)]
pub(super) struct KeepsKeys(BTreeMap<u64, u64>);

impl Defect for KeepsKeys {
    fn choose(&mut self, ask: Ask, candidates: &[Candidate], budget: &mut Budget) -> Choice {
        budget.pass(candidates);
        let kept = self.0.get(&ask.key);
        let kept = eligible(candidates).find(|(_, one)| Some(&one.identity) == kept);
        let choice = match kept {
            Some((place, _)) => Choice::Chosen(place),
            None => ConsistentHash.select(ask, candidates).choice,
        };
        if let Choice::Chosen(place) = choice {
            self.0.insert(ask.key, candidates[place].identity);
        }
        choice
    }
}
