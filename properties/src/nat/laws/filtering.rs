//! Whom a mapping's endpoint lets in, and what becomes of a SYN that nobody asked for.

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, IcmpError, Outcome, Signal, State};
use natlaw_model::time::Instant;

use super::{Moment, inbound, inbound_without_rule};

/// A sender that the filter of a live mapping admits gets through, though no flow goes to it.
pub(super) fn a_filter_lets_in_whom_it_should(moment: &Moment) -> Option<bool> {
    let packet = inbound_without_rule(moment)?;
    let mapping = moment.before.mapping_for(packet)?.mapping();
    let delivered = packet.to(mapping.inside);
    let is_answer = moment.before.external_of(delivered.reversed()).is_some();
    (!is_answer).then_some(*moment.outcome == Outcome::Forwarded(delivered))
}

/// A sender that the filter of a live mapping does not admit gets nowhere.
pub(super) fn a_filter_keeps_out_whom_it_should(moment: &Moment) -> Option<bool> {
    let packet = inbound_without_rule(moment)?;
    moment.before.live_at(packet)?;
    let is_admitted = moment.before.mapping_for(packet).is_some();
    (!is_admitted).then_some(matches!(moment.outcome, Outcome::Dropped(_)))
}

/// A SYN of the outside that crosses one of the inside reaches the endpoint that sent it.
pub(super) fn a_simultaneous_open_is_let_through(moment: &Moment) -> Option<bool> {
    let packet = inbound_without_rule(moment)?;
    let (segment, _) = inbound(moment).filter(|(it, _)| it.meaning() == Signal::Open)?;
    let delivered = segment.tuple.to(moment.before.live_at(packet)?.mapping().inside);
    let opened = delivered.reversed();
    let crosses = moment.before.external_of(opened) == Some(packet.destination)
        && moment.before.end_of(opened)?.state == State::HalfOpen;
    crosses.then_some(*moment.outcome == Outcome::Forwarded(delivered))
}

/// Each SYN that nobody asked for is answered when its wait is over, the first due first.
pub(super) fn an_unsolicited_syn_is_answered_when_its_wait_is_over(
    moment: &Moment,
) -> Option<bool> {
    let (due, sent) = answers(moment).filter(|(due, _)| !due.is_empty())?;
    let is_due = |error: &&IcmpError| due.contains(&error.quoted);
    let expected = due.iter().map(|tuple| IcmpError::unreachable(*tuple));
    Some(sent.iter().filter(is_due).copied().eq(expected))
}

/// No SYN is answered before its wait is over, and none once the inside has opened.
pub(super) fn no_other_syn_is_answered(moment: &Moment) -> Option<bool> {
    let (due, sent) = answers(moment)?;
    let waits = moment.before.unanswered_until(Instant::LAST).len() > due.len();
    let is_due = |error: &IcmpError| due.contains(&error.quoted);
    (waits || !sent.is_empty()).then(|| sent.iter().all(is_due))
}

/// The SYNs whose wait is over when time has passed, and what is sent then.
pub(in super::super) fn answers<'a>(
    moment: &Moment<'a>,
) -> Option<(Vec<FiveTuple>, &'a [IcmpError])> {
    match (moment.event, moment.outcome) {
        (Event::Elapse(length), Outcome::Elapsed { sent }) => {
            Some((moment.before.unanswered_until(moment.before.now + *length), sent))
        }
        _ => None,
    }
}
