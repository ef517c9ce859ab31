//! Where a device that sees packets is known to part from its rule, and what it does there.

use std::net::Ipv4Addr;

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, Outcome, Side};

use crate::play::Recording;

/// A known difference between a device and its rule.
#[derive(Debug)]
pub struct Apart {
    /// The situation that shows it.
    pub situation: &'static str,
    /// The step, from 1, in which they part.
    pub step: usize,
    /// What the device does in place of what the rule says.
    pub what: &'static str,
    /// Whether a recording shows that.
    pub shows: fn(&Recording) -> bool,
    /// Whether it hangs on a port that the device draws: then most runs show it, and not each.
    pub is_drawn: bool,
}

/// What the kernel does on the wire.
pub const APART_ON_THE_WIRE: &[Apart] = &[
    Apart {
        situation: "a connection that is over",
        step: 8,
        what: "a connection in TIME_WAIT gives its port to a newcomer of a higher sequence number",
        shows: gives_its_port_to_a_newcomer,
        is_drawn: false,
    },
    Apart {
        situation: "a connection opened anew",
        step: 8,
        what: "a connection that is opened anew in TIME_WAIT gets another port",
        shows: is_opened_elsewhere,
        is_drawn: true,
    },
    Apart {
        situation: "two virtual IPs, one service",
        step: 2,
        what: "the second call comes from another port of the client, and each answer leaves from the \
               virtual IP that was called",
        shows: tells_calls_apart_by_the_port_of_the_client,
        is_drawn: false,
    },
    Apart {
        situation: "a published port in the range",
        step: 1,
        what: "a published port is given to a member that calls out",
        shows: |recording| {
            let rules = &recording.trace.subject.inbound_rules;
            let is_published = |it: &FiveTuple| rules.iter().any(|rule| rule.external == it.source);
            sent(recording).last().is_some_and(is_published)
        },
        is_drawn: false,
    },
    Apart {
        situation: "a member calls its own virtual IP",
        step: 2,
        what: "it goes out like any other packet, and does not come in again",
        shows: |recording| {
            let is_virtual_ip = |it: Ipv4Addr| recording.trace.subject.is_virtual_ip(it);
            sent(recording).last().is_some_and(|it| is_virtual_ip(it.destination.address))
        },
        is_drawn: false,
    },
];

/// What Open vSwitch does.
pub const APART_AT_THE_SWITCH: &[Apart] = &[
    Apart {
        situation: "a connection opened anew",
        step: 8,
        what: "a connection that is opened anew after both sides closed it gets another port",
        shows: is_opened_elsewhere,
        is_drawn: true,
    },
    Apart {
        situation: "a FIN of no connection",
        step: 1,
        what: "a FIN of no connection begins one",
        shows: |recording| !sent(recording).is_empty(),
        is_drawn: false,
    },
];

/// The packets of this side, as they came and as they left.
fn passed(recording: &Recording, side: Side) -> Vec<(FiveTuple, FiveTuple)> {
    let passed = recording.trace.steps.iter().filter_map(|step| {
        let ((Side::Inside, Event::Outbound(segment)) | (Side::Outside, Event::Inbound(segment))) =
            (side, &step.event)
        else {
            return None;
        };
        let Outcome::Forwarded(left) = step.outcome else { return None };
        Some((segment.tuple, left))
    });
    passed.collect()
}

/// The packets of the inside, as they left.
fn sent(recording: &Recording) -> Vec<FiveTuple> {
    passed(recording, Side::Inside).into_iter().map(|(_, sent)| sent).collect()
}

fn gives_its_port_to_a_newcomer(recording: &Recording) -> bool {
    match passed(recording, Side::Inside).as_slice() {
        [(first, given), .., (last, again)] => first.source != last.source && given == again,
        [] | [_] => false,
    }
}

fn is_opened_elsewhere(recording: &Recording) -> bool {
    match sent(recording).as_slice() {
        [first, .., last] => first.source != last.source && first.destination == last.destination,
        [] | [_] => false,
    }
}

fn tells_calls_apart_by_the_port_of_the_client(recording: &Recording) -> bool {
    let [(first, as_called), (second, moved)] = passed(recording, Side::Outside)[..] else {
        return false;
    };
    let is_moved = moved.source.address == second.source.address && moved.source != second.source;
    let same_member = as_called.destination == moved.destination;
    let answers = [first.reversed(), second.reversed()];
    as_called.source == first.source && is_moved && same_member && sent(recording) == answers
}
