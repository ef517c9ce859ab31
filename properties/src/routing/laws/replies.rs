//! What comes back.

use natlaw_model::routing::{Disposition, Event, NoRoute, Outcome, Place, Rule, Walk};

use super::Moment;

/// The walk of a reply.
fn replied<'a>(moment: &Moment<'a>) -> Option<&'a Walk> {
    match (moment.event, moment.outcome) {
        (Event::ReplyToRequest(_) | Event::ReplyToConnection(_), Outcome::Walked(walk)) => {
            Some(walk)
        }
        _ => None,
    }
}

/// The answer to a request that came in through a virtual IP leaves by it: the client knows no other.
pub(super) fn a_reply_leaves_by_the_address_that_it_came_in_by(moment: &Moment) -> Option<bool> {
    let (Event::ReplyToRequest(request), Some(walk)) = (moment.event, replied(moment)) else {
        return None;
    };
    let entered = moment.before.entered.get(request)?;
    let (name, virtual_ip) = entered.through.as_ref()?;
    walk.is_served().then_some(())?;
    let by = walk.hops.iter().find_map(|hop| match hop.rule {
        Rule::CameInBy(by) => Some((&hop.place, by)),
        _ => None,
    });
    Some(by == Some((&Place::Node(name.clone()), *virtual_ip)))
}

/// The answer to a request comes from whoever served it, and comes to whoever asked.
pub(super) fn a_reply_goes_from_who_served_to_who_asked(moment: &Moment) -> Option<bool> {
    let (Event::ReplyToRequest(request), Some(walk)) = (moment.event, replied(moment)) else {
        return None;
    };
    let entered = moment.before.entered.get(request)?;
    walk.is_served().then_some(())?;
    let from = walk.hops.first().map(|hop| &hop.place);
    Some(from == Some(&entered.place) && walk.last() == Some(&Place::Node(request.client.clone())))
}

/// The answer to a connection comes to the endpoint that it left by, and from there to the VM that
/// opened it.
pub(super) fn a_reply_returns_through_the_address_it_left_by(moment: &Moment) -> Option<bool> {
    let (Event::ReplyToConnection(connection), Some(walk)) = (moment.event, replied(moment)) else {
        return None;
    };
    let left = moment.before.left.get(connection)?;
    walk.is_served().then_some(())?;
    let by = walk.hops.iter().find_map(|hop| match hop.rule {
        Rule::LeftBy(external) => Some(external),
        _ => None,
    });
    let is_there = walk.last() == Some(&Place::Member(connection.member.clone()));
    Some(by == Some(left.external) && is_there)
}

/// There is nothing to answer only where nothing came in or left.
pub(super) fn nothing_to_answer_is_said_only_where_nothing_was(moment: &Moment) -> Option<bool> {
    let walk = replied(moment)?;
    let is_said = walk.disposition == Disposition::NoRoute(NoRoute::NothingToAnswer);
    let is_known = match moment.event {
        Event::ReplyToRequest(request) => moment.before.entered.contains_key(request),
        _ => return None,
    };
    is_said.then_some(!is_known)
}

/// What never came in is not answered.
pub(super) fn what_never_came_in_is_not_answered(moment: &Moment) -> Option<bool> {
    let walk = replied(moment)?;
    let is_known = match moment.event {
        Event::ReplyToRequest(request) => moment.before.entered.contains_key(request),
        _ => return None,
    };
    (!is_known).then_some(!walk.is_served())
}
