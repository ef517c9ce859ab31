//! Translators that are each wrong in one way: a sound one with one answer replaced.

use std::collections::{BTreeMap, BTreeSet};

use natlaw_model::allocator::{FirstFit, Refusal};
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    AddressPooling, ClosesOn, Configuration, Event, FilteringBehaviour, IcmpError, Ledger, Limits,
    MappingBehaviour, Nat, Outcome, Owner, Reason, RulePorts, Segment, Signal, State,
};
use natlaw_model::subject::{Device, Subject};
use natlaw_model::time::{Duration, Instant};
use natlaw_model::translator::Translator;

type Sound = Translator<FirstFit>;

fn sound(nat: &Nat) -> Sound {
    Translator::new(nat, FirstFit::new)
}

const A_DAY: Duration = Duration::from_secs(86_400);

/// A sound translator of another configuration than the one it was told.
struct Misconfigured {
    inner: Sound,
    alter: fn(&mut Configuration),
}

impl Misconfigured {
    fn new(nat: &Nat, alter: fn(&mut Configuration)) -> Self {
        Self { inner: sound(&altered(nat, alter)), alter }
    }
}

impl Device<Nat> for Misconfigured {
    fn step(&mut self, event: &Event) -> Outcome {
        match event {
            Event::Reconfigure(nat) => {
                self.inner.step(&Event::reconfigure(altered(nat, self.alter)))
            }
            Event::Outbound(_)
            | Event::Inbound(_)
            | Event::OutboundError(_)
            | Event::InboundError(_)
            | Event::Elapse(_) => self.inner.step(event),
        }
    }
}

fn altered(nat: &Nat, alter: fn(&mut Configuration)) -> Nat {
    nat.with(alter).unwrap_or_else(|_| nat.clone())
}

pub(super) fn rst_skips_the_hold_down(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.hold_down.reset = Duration::ZERO)
}

pub(super) fn idle_skips_the_hold_down(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.hold_down.idle = Duration::ZERO)
}

pub(super) fn timer_cut_short(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp = Duration::from_millis(1).into())
}

pub(super) fn reset_never_gives_back(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.hold_down.reset = A_DAY)
}

pub(super) fn expired_entry_keeps_its_port(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.hold_down.idle = A_DAY)
}

pub(super) fn udp_lives_as_long_as_a_stream(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.udp = Duration::from_secs(180))
}

pub(super) fn mapping_depends_on_the_destination(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        if nat.mapping == MappingBehaviour::EndpointIndependent.into() {
            nat.mapping = MappingBehaviour::AddressAndPortDependent.into();
        }
    })
}

pub(super) fn ignores_inbound_rules(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.inbound_rules.clear())
}

pub(super) fn filters_nobody(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        nat.filtering = Some(FilteringBehaviour::EndpointIndependent.into());
    })
}

pub(super) fn filters_as_finely_as_can_be(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        nat.filtering = Some(FilteringBehaviour::AddressAndPortDependent.into());
    })
}

pub(super) fn pairs_no_addresses(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.pooling = AddressPooling::Arbitrary)
}

pub(super) fn loses_the_port(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.preserve.port = false)
}

pub(super) fn loses_the_class(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.preserve.class = false)
}

pub(super) fn loses_the_parity(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.preserve.parity = false)
}

pub(super) fn half_open_lives_as_if_answered(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp.half_open = nat.timers.idle.tcp.established)
}

pub(super) fn answered_lives_as_if_half_open(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp.established = nat.timers.idle.tcp.half_open)
}

pub(super) fn one_fin_closes_both_sides(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.closes_on = ClosesOn::EitherSide)
}

pub(super) fn one_fin_starts_no_timer(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        nat.timers.idle.tcp.one_side_closed = nat.timers.idle.tcp.established;
    })
}

pub(super) fn skips_time_wait(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp.time_wait = Duration::ZERO)
}

pub(super) fn time_wait_starts_no_timer(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp.time_wait = nat.timers.idle.tcp.established)
}

pub(super) fn reset_ends_at_once(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp.reset = Duration::ZERO)
}

pub(super) fn outside_never_refreshes(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.inbound_refresh = false.into())
}

pub(super) fn keeps_no_limits(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.limits = Limits::default())
}

pub(super) fn limits_one_short(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        let one_less = |limit: u32| limit.max(2) - 1;
        nat.limits.ports = nat.limits.ports.map(one_less);
        nat.limits.bindings = nat.limits.bindings.map(one_less);
        nat.limits.flows = nat.limits.flows.map(one_less);
    })
}

pub(super) fn gives_reserved_ports(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.reserved.clear())
}

pub(super) fn rules_take_one_port(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.rule_ports = RulePorts::One)
}

pub(super) fn translates_for_exempt_destinations(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.exempt.clear())
}

pub(super) fn answers_syns_late(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        let wait = &mut nat.timers.unsolicited_syn;
        *wait = wait.map(|wait| Duration::from_millis(wait.millis() + 1));
    })
}

/// A sound translator and what its answers imply, before they are replaced.
struct Watched {
    inner: Sound,
    ledger: Ledger,
}

impl Watched {
    fn new(nat: &Nat) -> Self {
        Self { inner: sound(nat), ledger: nat.ledger() }
    }

    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.inner.step(event);
        Nat::record(&mut self.ledger, event, &outcome);
        outcome
    }
}

/// A mutant made of a watched translator and one replaced answer.
macro_rules! replaced {
    ($name:ident, |$watched:ident, $event:ident| $answer:expr) => {
        pub(super) struct $name(Watched);

        impl $name {
            pub(super) fn device(nat: &Nat) -> Self {
                Self(Watched::new(nat))
            }
        }

        impl Device<Nat> for $name {
            fn step(&mut self, $event: &Event) -> Outcome {
                let $watched = &mut self.0;
                $answer
            }
        }
    };
}

replaced!(RefreshAdds, |watched, event| match event {
    Event::Outbound(segment) if watched.ledger.external_of(segment.tuple).is_some() => {
        let twice = |length: Duration| Duration::from_millis(2 * length.millis());
        let nat = watched.ledger.nat.clone();
        let longer = nat.with(|nat| {
            let tcp = &mut nat.timers.idle.tcp;
            (tcp.half_open, tcp.established) = (twice(tcp.half_open), twice(tcp.established));
        });
        let with = |nat: Nat| Event::reconfigure(nat);
        longer.into_iter().for_each(|longer| drop(watched.inner.step(&with(longer))));
        let outcome = watched.step(event);
        watched.inner.step(&with(nat));
        outcome
    }
    _ => watched.step(event),
});

replaced!(DoesNotRefresh, |watched, event| match event {
    Event::Outbound(segment) if !segment.ends_its_flow() => {
        match watched.ledger.external_of(segment.tuple) {
            Some(external) => Outcome::Forwarded(segment.tuple.from(external)),
            None => watched.step(event),
        }
    }
    _ => watched.step(event),
});

replaced!(InboundRefreshes, |watched, event| {
    let outcome = watched.step(event);
    if let (Event::Inbound(_), Outcome::Forwarded(delivered)) = (event, &outcome) {
        let reply = delivered.reversed();
        if watched.ledger.external_of(reply).is_some() {
            watched.step(&Event::outbound(reply, Signal::Data));
        }
    }
    outcome
});

replaced!(ReplyFromPortZero, |watched, event| match (event, watched.step(event)) {
    (Event::Inbound(_), Outcome::Forwarded(delivered)) => {
        let unset = Endpoint::new(delivered.source.address, 0);
        Outcome::Forwarded(delivered.from(unset))
    }
    (_, outcome) => outcome,
});

replaced!(ReplyByTheFlippedKey, |watched, event| match (event, watched.step(event)) {
    (Event::Inbound(segment), Outcome::Forwarded(delivered)) => {
        let port = segment.tuple.destination.port;
        Outcome::Forwarded(delivered.to(Endpoint::new(delivered.destination.address, port)))
    }
    (_, outcome) => outcome,
});

replaced!(RepliesAreTranslatedAgain, |watched, event| match event {
    Event::Inbound(Segment { tuple, .. }) => {
        match watched.ledger.nat.rule_at(tuple.transport, tuple.destination) {
            Some(rule) => Outcome::Forwarded(tuple.to(rule.inside)),
            None => watched.step(event),
        }
    }
    _ => watched.step(event),
});

replaced!(PrefixOpensTheDoor, |watched, event| match (event, watched.step(event)) {
    (Event::Inbound(segment), Outcome::Dropped(Reason::NoMapping)) => {
        match watched.ledger.nat.owner(segment.tuple.destination) {
            Owner::Member(member) => {
                let inside = Endpoint::new(member.0, segment.tuple.destination.port);
                Outcome::Forwarded(segment.tuple.to(inside))
            }
            Owner::Shared | Owner::Lease | Owner::Nobody => Outcome::Dropped(Reason::NoMapping),
        }
    }
    (_, outcome) => outcome,
});

replaced!(PortIsNotRewritten, |watched, event| match (event, watched.step(event)) {
    (Event::Outbound(segment), Outcome::Forwarded(sent)) => {
        let port = segment.tuple.source.port;
        Outcome::Forwarded(sent.from(Endpoint::new(sent.source.address, port)))
    }
    (_, outcome) => outcome,
});

replaced!(TopPortGoesToTheNeighbour, |watched, event| match (event, watched.step(event)) {
    (Event::Inbound(Segment { tuple, .. }), Outcome::Forwarded(delivered)) => {
        let nat = &watched.ledger.nat;
        let next = tuple.destination.port.saturating_add(1);
        let is_ruled = nat.rule_at(tuple.transport, tuple.destination).is_some();
        match nat.owner(Endpoint::new(tuple.destination.address, next)) {
            Owner::Member(member) if !is_ruled => {
                let port = delivered.destination.port;
                Outcome::Forwarded(delivered.to(Endpoint::new(member.0, port)))
            }
            Owner::Member(_) | Owner::Shared | Owner::Lease | Owner::Nobody => {
                Outcome::Forwarded(delivered)
            }
        }
    }
    (_, outcome) => outcome,
});

replaced!(ResetLeavesTheFlowOpen, |watched, event| match event {
    Event::Outbound(segment)
        if segment.meaning() == Signal::Reset
            && watched.ledger.external_of(segment.tuple).is_some() =>
    {
        watched.step(&Event::outbound(segment.tuple, Signal::Data))
    }
    _ => watched.step(event),
});

replaced!(FullMeansUntranslated, |watched, event| match (event, watched.step(event)) {
    (Event::Outbound(segment), Outcome::Dropped(Reason::Refused(_))) => {
        Outcome::Forwarded(segment.tuple)
    }
    (_, outcome) => outcome,
});

replaced!(FlowMoves, |watched, event| match event {
    Event::Outbound(segment) if watched.ledger.external_of(segment.tuple).is_some() => {
        match watched.step(event) {
            Outcome::Forwarded(sent) => {
                let port = sent.source.port.wrapping_add(1);
                Outcome::Forwarded(sent.from(Endpoint::new(sent.source.address, port)))
            }
            outcome => outcome,
        }
    }
    _ => watched.step(event),
});

replaced!(DropsSilently, |watched, event| match watched.step(event) {
    Outcome::Dropped(Reason::Refused(_)) => Outcome::Dropped(Reason::NoMapping),
    outcome => outcome,
});

replaced!(LateFinTakesAPort, |watched, event| match (event, watched.step(event)) {
    (Event::Outbound(segment), Outcome::Dropped(Reason::NoFlow)) => {
        watched.step(&Event::outbound(segment.tuple, Signal::Data))
    }
    (_, outcome) => outcome,
});

replaced!(StrandsInSilence, |watched, event| match watched.step(event) {
    Outcome::Reconfigured { .. } => Outcome::Reconfigured { stranded: Vec::new() },
    outcome => outcome,
});

replaced!(NamesTheStrandedTwice, |watched, event| match watched.step(event) {
    Outcome::Reconfigured { stranded } => {
        Outcome::Reconfigured { stranded: [stranded.clone(), stranded].concat() }
    }
    outcome => outcome,
});

replaced!(AnswersOutOfKind, |watched, event| match watched.step(event) {
    Outcome::Elapsed { .. } => Outcome::Reconfigured { stranded: Vec::new() },
    outcome => outcome,
});

replaced!(HairpinIsSentAway, |watched, event| match watched.step(event) {
    Outcome::Hairpinned { sent, .. } => Outcome::Forwarded(sent),
    outcome => outcome,
});

replaced!(HairpinIsDropped, |watched, event| match watched.step(event) {
    Outcome::Hairpinned { .. } => Outcome::Dropped(Reason::NoMapping),
    outcome => outcome,
});

replaced!(HairpinIsSentInAgain, |watched, event| match watched.step(event) {
    Outcome::Hairpinned { sent, delivered: None } => {
        Outcome::Hairpinned { sent, delivered: Some(sent) }
    }
    outcome => outcome,
});

replaced!(HairpinShowsTheInside, |watched, event| match (event, watched.step(event)) {
    (Event::Outbound(segment), Outcome::Hairpinned { sent, delivered }) => {
        let delivered = delivered.map(|to| to.from(segment.tuple.source));
        Outcome::Hairpinned { sent, delivered }
    }
    (_, outcome) => outcome,
});

replaced!(HairpinPassesTheFilter, |watched, event| match watched.step(event) {
    Outcome::Hairpinned { sent, delivered: None } => {
        let inside = watched.ledger.live_at(sent).map(|holding| holding.mapping().inside);
        Outcome::Hairpinned { sent, delivered: inside.map(|inside| sent.to(inside)) }
    }
    outcome => outcome,
});

replaced!(ErrorIsNotRestored, |watched, event| match (event, watched.step(event)) {
    (Event::InboundError(error), Outcome::ErrorForwarded(restored)) => {
        Outcome::ErrorForwarded(IcmpError { quoted: error.quoted, ..restored })
    }
    (_, outcome) => outcome,
});

replaced!(ErrorIsLookedUpTheOtherWay, |watched, event| match event {
    Event::InboundError(error) => {
        let quoted = error.quoted.reversed();
        watched.step(&Event::InboundError(IcmpError { quoted, ..*error }))
    }
    _ => watched.step(event),
});

replaced!(ErrorShowsTheInside, |watched, event| match (event, watched.step(event)) {
    (Event::OutboundError(error), Outcome::ErrorForwarded(sent)) => {
        Outcome::ErrorForwarded(IcmpError { from: error.from, ..sent })
    }
    (_, outcome) => outcome,
});

replaced!(ErrorReachesAnybody, |watched, event| match (event, watched.step(event)) {
    (Event::InboundError(error), Outcome::Dropped(_)) => Outcome::ErrorForwarded(*error),
    (_, outcome) => outcome,
});

replaced!(ErrorEndsTheFlow, |watched, event| {
    let outcome = watched.step(event);
    if let (Event::InboundError(_), Outcome::ErrorForwarded(restored)) = (event, &outcome) {
        watched.inner.step(&Event::outbound(restored.quoted, Signal::Reset));
    }
    outcome
});

replaced!(ErrorRefreshes, |watched, event| {
    let outcome = watched.step(event);
    if let (Event::InboundError(_), Outcome::ErrorForwarded(restored)) = (event, &outcome)
        && watched.ledger.external_of(restored.quoted).is_some()
    {
        watched.inner.step(&Event::outbound(restored.quoted, Signal::Data));
    }
    outcome
});

replaced!(DataAfterResetIsIgnored, |watched, event| match event {
    Event::Outbound(segment) if segment.meaning() == Signal::Data => {
        let end = watched.ledger.end_of(segment.tuple);
        let external = watched.ledger.external_of(segment.tuple);
        match external.filter(|_| end.is_some_and(|end| end.state == State::Reset)) {
            Some(external) => {
                let outcome = Outcome::Forwarded(segment.tuple.from(external));
                Nat::record(&mut watched.ledger, event, &outcome);
                outcome
            }
            None => watched.step(event),
        }
    }
    _ => watched.step(event),
});

replaced!(CrossingSynIsUnsolicited, |watched, event| match event {
    Event::Inbound(Segment { tuple, signal: Signal::Open }) => {
        let live = watched.ledger.live_at(*tuple);
        let flow = live.map(|live| tuple.to(live.mapping().inside).reversed());
        let end = flow.and_then(|flow| watched.ledger.end_of(flow));
        match end.is_some_and(|end| end.state == State::HalfOpen) {
            true => Outcome::Dropped(Reason::NoMapping),
            false => watched.step(event),
        }
    }
    _ => watched.step(event),
});

replaced!(AnswersSynsAtOnce, |watched, event| {
    let waiting = watched.ledger.unanswered_until(Instant::LAST);
    match watched.step(event) {
        Outcome::Elapsed { .. } => {
            Outcome::Elapsed { sent: waiting.into_iter().map(IcmpError::unreachable).collect() }
        }
        outcome => outcome,
    }
});

replaced!(OverLimitReadsExhausted, |watched, event| match watched.step(event) {
    Outcome::Dropped(Reason::Refused(Refusal::OverLimit)) => {
        Outcome::Dropped(Reason::Refused(Refusal::Exhausted))
    }
    outcome => outcome,
});

replaced!(OneLimitForEverybody, |watched, event| match event {
    Event::Outbound(segment) if watched.ledger.holding_of(segment.tuple).is_none() => {
        let limit = watched.ledger.nat.limits.bindings;
        let held = watched.ledger.holdings().count();
        match limit.is_some_and(|limit| held >= limit as usize) && !segment.ends_its_flow() {
            true => Outcome::Dropped(Reason::Refused(Refusal::OverLimit)),
            false => watched.step(event),
        }
    }
    _ => watched.step(event),
});

replaced!(ExemptTakesAPort, |watched, event| match event {
    Event::Outbound(segment) if watched.ledger.nat.leaves_alone(segment.tuple) => {
        let elsewhere = Endpoint::new([192, 0, 2, 1].into(), segment.tuple.destination.port);
        watched
            .inner
            .step(&Event::Outbound(Segment { tuple: segment.tuple.to(elsewhere), ..*segment }));
        watched.step(event)
    }
    _ => watched.step(event),
});

/// Answers SYNs of the outside whether or not the inside has opened meanwhile.
pub(super) struct AnswersSynsThatWereMet {
    watched: Watched,
    waiting: Vec<(Instant, FiveTuple)>,
}

impl AnswersSynsThatWereMet {
    pub(super) fn device(nat: &Nat) -> Self {
        Self { watched: Watched::new(nat), waiting: Vec::new() }
    }
}

impl Device<Nat> for AnswersSynsThatWereMet {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.watched.step(event);
        let (ledger, waiting) = (&self.watched.ledger, &mut self.waiting);
        match (event, outcome) {
            (Event::Inbound(Segment { tuple, .. }), outcome) => {
                waiting.extend(ledger.answer_due(*tuple).map(|at| (at, *tuple)));
                outcome
            }
            (Event::Elapse(_), Outcome::Elapsed { .. }) => {
                waiting.sort_unstable();
                waiting.dedup();
                let sent = waiting.extract_if(.., |(at, _)| *at <= ledger.now);
                let sent = sent.map(|(_, tuple)| IcmpError::unreachable(tuple));
                Outcome::Elapsed { sent: sent.collect() }
            }
            (_, outcome) => outcome,
        }
    }
}

/// The external endpoints, by transport, whose way back is known.
type Known = BTreeSet<(Transport, Endpoint)>;

/// A watched translator that finds its ways back in a table of their own.
pub(super) struct WaysBack {
    watched: Watched,
    known: Known,
    lose: fn(&mut Known, &Event, &Outcome),
}

impl WaysBack {
    fn new(nat: &Nat, lose: fn(&mut Known, &Event, &Outcome)) -> Self {
        Self { watched: Watched::new(nat), known: Known::new(), lose }
    }

    pub(super) fn evicted_alone(nat: &Nat) -> Self {
        Self::new(nat, |known, event, _| {
            if matches!(event, Event::Elapse(_)) {
                known.clear();
            }
        })
    }

    pub(super) fn lost_with_the_configuration(nat: &Nat) -> Self {
        Self::new(nat, |known, event, _| {
            if matches!(event, Event::Reconfigure(_)) {
                known.clear();
            }
        })
    }

    pub(super) fn ended_by_another_flow(nat: &Nat) -> Self {
        Self::new(nat, |known, event, outcome| match (event, outcome) {
            (Event::Outbound(segment), Outcome::Forwarded(sent)) if segment.ends_its_flow() => {
                known.remove(&(sent.transport, sent.source));
            }
            _ => {}
        })
    }
}

impl Device<Nat> for WaysBack {
    fn step(&mut self, event: &Event) -> Outcome {
        let is_lost = |Segment { tuple, .. }: &Segment| {
            let rule = self.watched.ledger.nat.rule_at(tuple.transport, tuple.destination);
            rule.is_none() && !self.known.contains(&(tuple.transport, tuple.destination))
        };
        let is_lost = matches!(event, Event::Inbound(segment) if is_lost(segment));
        let outcome = self.watched.step(event);
        if let (Event::Outbound(_), Outcome::Forwarded(sent)) = (event, &outcome) {
            self.known.insert((sent.transport, sent.source));
        }
        (self.lose)(&mut self.known, event, &outcome);
        if is_lost { Outcome::Dropped(Reason::NoMapping) } else { outcome }
    }
}

/// What came first to an external endpoint is where replies go, for ever.
pub(super) struct LaterFlowInheritsTheWayBack {
    watched: Watched,
    ways_back: BTreeMap<FiveTuple, Endpoint>,
}

impl LaterFlowInheritsTheWayBack {
    pub(super) fn device(nat: &Nat) -> Self {
        Self { watched: Watched::new(nat), ways_back: BTreeMap::new() }
    }
}

impl Device<Nat> for LaterFlowInheritsTheWayBack {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.watched.step(event);
        let nat = &self.watched.ledger.nat;
        let rule_of = |packet: FiveTuple| nat.rule_at(packet.transport, packet.destination);
        match (event, outcome) {
            (Event::Outbound(segment), Outcome::Forwarded(sent)) => {
                self.ways_back.entry(sent.reversed()).or_insert(segment.tuple.source);
                Outcome::Forwarded(sent)
            }
            (Event::Inbound(Segment { tuple, .. }), Outcome::Forwarded(delivered))
                if rule_of(*tuple).is_none() =>
            {
                let inside = self.ways_back.get(tuple).copied();
                Outcome::Forwarded(delivered.to(inside.unwrap_or(delivered.destination)))
            }
            (_, outcome) => outcome,
        }
    }
}

/// The first flow of a mapping that ends takes the others of the mapping with it.
pub(super) struct OneCloneReleasesForAll {
    watched: Watched,
    flows: BTreeSet<FiveTuple>,
}

impl OneCloneReleasesForAll {
    pub(super) fn device(nat: &Nat) -> Self {
        Self { watched: Watched::new(nat), flows: BTreeSet::new() }
    }

    fn went_on(&mut self, segment: Segment, flow: FiveTuple) {
        if !segment.ends_its_flow() || !self.flows.contains(&flow) {
            return;
        }
        let mapping = |flow| self.watched.ledger.nat.mapping_of(flow);
        let is_clone = |other: &&FiveTuple| mapping(**other) == mapping(flow) && **other != flow;
        for clone in self.flows.iter().filter(is_clone) {
            self.watched.inner.step(&Event::outbound(*clone, segment.signal));
        }
    }
}

impl Device<Nat> for OneCloneReleasesForAll {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.watched.step(event);
        match (event, &outcome) {
            (Event::Outbound(segment), Outcome::Forwarded(_)) => {
                self.flows.insert(segment.tuple);
                self.went_on(*segment, segment.tuple);
            }
            (Event::Inbound(segment), Outcome::Forwarded(delivered)) => {
                self.went_on(*segment, delivered.reversed());
            }
            _ => {}
        }
        outcome
    }
}

/// Under a new configuration the flows of the old one leave by its last virtual IP.
pub(super) struct NewPolicyMovesLiveFlows {
    watched: Watched,
    flows: BTreeSet<FiveTuple>,
    older: BTreeSet<FiveTuple>,
}

impl NewPolicyMovesLiveFlows {
    pub(super) fn device(nat: &Nat) -> Self {
        Self { watched: Watched::new(nat), flows: BTreeSet::new(), older: BTreeSet::new() }
    }

    fn is_to_move(&mut self, event: &Event) -> bool {
        match event {
            Event::Outbound(Segment { tuple, .. }) => {
                self.flows.insert(*tuple);
                self.older.contains(tuple) && self.watched.ledger.external_of(*tuple).is_some()
            }
            Event::Reconfigure(_) => {
                self.older.append(&mut self.flows);
                false
            }
            _ => false,
        }
    }
}

impl Device<Nat> for NewPolicyMovesLiveFlows {
    fn step(&mut self, event: &Event) -> Outcome {
        let is_to_move = self.is_to_move(event);
        match (self.watched.step(event), self.watched.ledger.nat.virtual_ips.last()) {
            (Outcome::Forwarded(sent), Some(last)) if is_to_move => {
                Outcome::Forwarded(sent.from(Endpoint::new(last.0, sent.source.port)))
            }
            (outcome, _) => outcome,
        }
    }
}
