//! Packets of a member for a virtual IP: they go out and come in again.

use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Ledger, Outcome};

use super::{Moment, forwarded_outbound};

/// What is for a virtual IP comes in again, nothing else does, and it is not sent out once more.
pub(super) fn a_packet_to_a_virtual_ip_comes_in_again_once(moment: &Moment) -> Option<bool> {
    let (_, sent) = forwarded_outbound(moment)?;
    let is_ours = |tuple: FiveTuple| moment.before.nat.is_virtual_ip(tuple.destination.address);
    match moment.outcome {
        Outcome::Hairpinned { delivered, .. } => {
            Some(is_ours(sent) && !delivered.is_some_and(is_ours))
        }
        _ => is_ours(sent).then_some(false),
    }
}

/// The receiver of a hairpinned packet sees the external endpoint of the sender.
pub(super) fn a_hairpinned_packet_comes_from_its_senders_external_endpoint(
    moment: &Moment,
) -> Option<bool> {
    let (sent, delivered) = hairpinned(moment)?;
    let source = delivered?.source;
    Some(source == sent.source && moment.before.nat.is_virtual_ip(source.address))
}

/// A hairpinned packet reaches whom one of the outside would reach, if that would be let in. What a
/// member sends to its own external endpoint is left out: it may open the door for itself.
pub(super) fn a_hairpinned_packet_is_let_in_like_one_of_the_outside(
    moment: &Moment,
) -> Option<bool> {
    let (sent, delivered) = hairpinned(moment)?;
    let is_to_itself = sent.source == sent.destination;
    (!is_to_itself).then(|| delivered == let_in(moment.before, sent))
}

/// A packet that was sent out and came in again, if somebody let it in.
pub(in super::super) fn hairpinned(moment: &Moment) -> Option<(FiveTuple, Option<FiveTuple>)> {
    match moment.outcome {
        Outcome::Hairpinned { sent, delivered } => Some((*sent, *delivered)),
        _ => None,
    }
}

/// How a packet of the outside comes in.
fn let_in(ledger: &Ledger, packet: FiveTuple) -> Option<FiveTuple> {
    let Some(rule) = ledger.nat.rule_at(packet.transport, packet.destination) else {
        return Some(packet.to(ledger.mapping_for(packet)?.mapping().inside));
    };
    let delivered = packet.to(rule.inside);
    let reply = delivered.reversed();
    let through = ledger.admitted_through(reply);
    let clashes = ledger.external_of(reply).is_some()
        || through.is_some_and(|through| through != rule.external);
    (!clashes).then_some(delivered)
}
