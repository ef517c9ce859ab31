//! ICMP errors: they follow the packet that they are about, and leave its mapping as it is.
//!
//! That nothing changes shows in what comes after: the ledger takes no notice of errors, so a
//! mapping that one refreshes or ends breaks a law of timers.

use natlaw_model::flow::{Endpoint, FiveTuple};
use natlaw_model::nat::{Event, IcmpError, Ledger, Outcome, Reason};

use super::Moment;

/// An error about a packet that went out reaches whoever sent it, and quotes it as it was sent.
pub(super) fn an_error_of_the_outside_is_restored_for_its_receiver(
    moment: &Moment,
) -> Option<bool> {
    let error = error_of_the_outside(moment)?;
    let restored = restored(moment.before, error)?;
    Some(*moment.outcome == Outcome::ErrorForwarded(restored))
}

/// An error about a packet that came in leaves as if the virtual IP reported it, and quotes the
/// packet as it came. For a virtual IP it comes in again.
pub(super) fn an_error_of_the_inside_leaves_from_the_external_endpoint(
    moment: &Moment,
) -> Option<bool> {
    let error = error_of_the_inside(moment)?;
    let external = received_at(moment.before, error)?;
    let quoted = error.quoted.to(external);
    let sent = IcmpError { from: external.address, quoted, ..error };
    let is_hairpinned = moment.before.nat.is_virtual_ip(sent.to);
    let expected = if is_hairpinned { restored(moment.before, sent)? } else { sent };
    Some(*moment.outcome == Outcome::ErrorForwarded(expected))
}

/// An error about a packet of no live mapping goes nowhere.
pub(super) fn an_error_about_no_live_mapping_is_dropped(moment: &Moment) -> Option<bool> {
    let ledger = moment.before;
    let is_about_none = match (error_of_the_outside(moment), error_of_the_inside(moment)) {
        (Some(error), _) => restored(ledger, error).is_none(),
        (_, Some(error)) => received_at(ledger, error).is_none(),
        (None, None) => false,
    };
    is_about_none.then_some(*moment.outcome == Outcome::Dropped(Reason::NoMapping))
}

/// An ICMP error of the outside about a packet that is translated.
pub(in super::super) fn error_of_the_outside(moment: &Moment) -> Option<IcmpError> {
    match moment.event {
        Event::InboundError(error) => {
            Some(*error).filter(|error| !moment.before.nat.leaves_alone(error.quoted))
        }
        _ => None,
    }
}

/// An ICMP error of the inside about a packet that is translated.
pub(in super::super) fn error_of_the_inside(moment: &Moment) -> Option<IcmpError> {
    match moment.event {
        Event::OutboundError(error) => {
            Some(*error).filter(|error| !moment.before.nat.leaves_alone(error.quoted.reversed()))
        }
        _ => None,
    }
}

/// The error for whoever sent the packet; `None` if nobody did.
fn restored(ledger: &Ledger, error: IcmpError) -> Option<IcmpError> {
    let inside = sender_of(ledger, error.quoted).filter(|_| is_for_the_sender(error))?;
    Some(IcmpError { to: inside.address, quoted: error.quoted.from(inside), ..error })
}

/// Who sent a packet that went out like this.
fn sender_of(ledger: &Ledger, sent: FiveTuple) -> Option<Endpoint> {
    if let Some(rule) = ledger.nat.rule_at(sent.transport, sent.source) {
        let through = ledger.admitted_through(sent.from(rule.inside))?;
        return (through == sent.source).then_some(rule.inside);
    }
    let mapping = ledger.live_at(sent.reversed())?.mapping();
    (ledger.nat.mapping_of(sent.from(mapping.inside)) == mapping).then_some(mapping.inside)
}

/// The external endpoint to which the packet came that an error of the inside is about.
fn received_at(ledger: &Ledger, error: IcmpError) -> Option<Endpoint> {
    let reply = error.quoted.reversed();
    let live = || ledger.holding_of(reply).filter(|holding| holding.is_live(ledger.now));
    let through = ledger.admitted_through(reply);
    let external = through.or_else(|| live().map(|holding| holding.binding.external));
    external.filter(|_| is_for_the_sender(error))
}

/// Whether an error goes to where the packet that it quotes came from.
fn is_for_the_sender(error: IcmpError) -> bool {
    error.to == error.quoted.source.address
}
