//! Translators that are each wrong in one way: a sound one with one answer replaced.

use natlaw_model::allocator::FirstFit;
use natlaw_model::flow::Endpoint;
use natlaw_model::nat::{
    Configuration, Event, Ledger, MappingBehaviour, Nat, Outcome, Owner, PortReuse, Reason,
    Segment, Signal,
};
use natlaw_model::subject::{Device, Subject};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;

type Sound = Translator<FirstFit>;

fn sound(nat: &Nat) -> Sound {
    Translator::new(nat, FirstFit::new)
}

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
                self.inner.step(&Event::Reconfigure(altered(nat, self.alter)))
            }
            Event::Outbound(_) | Event::Inbound(_) | Event::Elapse(_) => self.inner.step(event),
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
    Misconfigured::new(nat, |nat| nat.timers.idle.tcp = Duration::from_millis(1))
}

pub(super) fn mapping_depends_on_the_destination(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| {
        nat.mapping = MappingBehaviour::AddressAndPortDependent;
        nat.port_reuse = PortReuse::Never;
    })
}

pub(super) fn ignores_inbound_rules(nat: &Nat) -> impl Device<Nat> + use<> {
    Misconfigured::new(nat, |nat| nat.inbound_rules.clear())
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
        let longer = nat.with(|nat| nat.timers.idle.tcp = twice(nat.timers.idle.tcp));
        let with = |nat: Nat| Event::Reconfigure(nat);
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
    Outcome::Elapsed => Outcome::Reconfigured { stranded: Vec::new() },
    outcome => outcome,
});
