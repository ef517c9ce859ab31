//! What is asked of a device that sees packets: services that members publish, and ICMP errors.

use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, IcmpError, InboundRule, Nat, Outcome, Signal, VirtualIp};

use crate::connections::{flow, nat, of, replied, said, virtual_ip};
use crate::play::Player;
use crate::real::Error;
use crate::situations::Situation;

pub(crate) const ERRORS: Situation = Situation {
    name: "ICMP errors",
    story: "An error about a live flow of each transport passes both ways, from its end or from a \
            router, and quotes the packet as its sender knows it. One about nobody's packet does not \
            pass, nor one to somebody else.",
    ask: |device| {
        let mut player = Player::new(device, &nat(4))?;
        for transport in Transport::ALL {
            let flow = of(transport, flow(0, 0));
            let external = said(&mut player, flow, Signal::Open)?;
            replied(&mut player, flow, Signal::Open)?;
            if let Some(external) = external {
                reported(&mut player, flow.from(external), flow.reversed())?;
            }
        }
        Ok(player.into_recording())
    },
};

pub(crate) const A_SERVICE: Situation = Situation {
    name: "a published service",
    story: "The only port is taken. Clients call a member that publishes a service all the same: the \
            answers take no port. Nobody comes in by another port or transport.",
    ask: |device| {
        let mut player = Player::new(device, &publishing(&nat(1), &[published(1, WEB)]))?;
        said(&mut player, flow(1, 0), Signal::Open)?;
        for port in [1234, 1235] {
            served(&mut player, call(port, 1, WEB))?;
        }
        for stranger in
            [call(1236, 1, WEB + 1), FiveTuple { transport: Transport::Udp, ..call(1234, 1, WEB) }]
        {
            player.ask(&Event::inbound(stranger, Signal::Open))?;
        }
        Ok(player.into_recording())
    },
};

pub(crate) const ERRORS_OF_A_SERVICE: Situation = Situation {
    name: "ICMP errors about a service",
    story: "An error about what a client sent leaves from the virtual IP that it called; one about the \
            answer reaches the member.",
    ask: |device| {
        let mut player = Player::new(device, &publishing(&nat(1), &[published(1, WEB)]))?;
        let call = call(1234, 1, WEB);
        if let Some(delivered) = came(&mut player, call, Signal::Open)? {
            said(&mut player, delivered.reversed(), Signal::Open)?;
            reported(&mut player, call.reversed(), delivered)?;
        }
        Ok(player.into_recording())
    },
};

pub(crate) const ONE_SERVICE_TWICE: Situation = Situation {
    name: "two virtual IPs, one service",
    story: "A client calls a member from one port, by two virtual IPs. The member could not tell the \
            two apart, so the second call comes from another port. Each answer leaves from the \
            virtual IP that was called.",
    ask: |device| {
        let rules = [1, 2].map(|last| published(last, WEB));
        let mut player = Player::new(device, &publishing(&nat(4), &rules))?;
        let mut calls = Vec::new();
        for last in [1, 2] {
            calls.extend(came(&mut player, call(1234, last, WEB), Signal::Open)?);
        }
        for delivered in calls {
            said(&mut player, delivered.reversed(), Signal::Open)?;
        }
        Ok(player.into_recording())
    },
};

pub(crate) const PUBLISHED_IN_THE_RANGE: Situation = Situation {
    name: "a published port in the range",
    story: "A member publishes a service on a port that members may be given. Another member calls \
            from that port, and is given it.",
    ask: |device| {
        let published = published(1, FIRST_PORT);
        let mut player = Player::new(device, &publishing(&nat(4), &[published]))?;
        let caller = flow(1, 0);
        let own = Endpoint::new(caller.source.address, FIRST_PORT);
        said(&mut player, caller.from(own), Signal::Open)?;
        Ok(player.into_recording())
    },
};

const FIRST_PORT: u16 = 40_000;
const WEB: u16 = 80;
/// Where the member serves.
const SERVED_AT: u16 = 8080;
/// A router on the way (RFC 5737).
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Nobody sends from here.
const NOBODYS_PORT: u16 = 19_999;
const SOMEBODY_ELSE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 77);

/// The first member publishes its service on this port of a virtual IP.
fn published(last: u8, port: u16) -> InboundRule {
    let inside = Endpoint::new(flow(0, 0).source.address, SERVED_AT);
    let external = Endpoint::new(virtual_ip(last).0, port);
    InboundRule { transport: Transport::Tcp, external, inside }
}

fn publishing(nat: &Nat, rules: &[InboundRule]) -> Nat {
    nat.with(|it| {
        let more =
            rules.iter().map(|rule| rule.external.address).filter(|it| *it != virtual_ip(1).0);
        it.virtual_ips.extend(more.map(VirtualIp));
        it.inbound_rules = rules.to_vec();
    })
    .expect("a legal rule")
}

/// A client calls a virtual IP.
fn call(from: u16, last: u8, port: u16) -> FiveTuple {
    let client = Endpoint::new(flow(0, 0).destination.address, from);
    let external = Endpoint::new(virtual_ip(last).0, port);
    FiveTuple { transport: Transport::Tcp, source: client, destination: external }
}

/// A packet of the outside as a member gets it, if one does.
fn came(
    player: &mut Player<'_>,
    call: FiveTuple,
    signal: Signal,
) -> Result<Option<FiveTuple>, Error> {
    Ok(match player.ask(&Event::inbound(call, signal))? {
        Outcome::Forwarded(delivered) => Some(*delivered),
        Outcome::Hairpinned { .. }
        | Outcome::ErrorForwarded(_)
        | Outcome::Dropped(_)
        | Outcome::Elapsed { .. }
        | Outcome::Reconfigured { .. } => None,
    })
}

/// A whole connection that a client begins and the member ends.
fn served(player: &mut Player<'_>, call: FiveTuple) -> Result<(), Error> {
    let Some(delivered) = came(player, call, Signal::Open)? else { return Ok(()) };
    let answer = delivered.reversed();
    said(player, answer, Signal::Open)?;
    came(player, call, Signal::Data)?;
    said(player, answer, Signal::Data)?;
    said(player, answer, Signal::Finish)?;
    came(player, call, Signal::Finish)?;
    said(player, answer, Signal::Data).map(drop)
}

/// Errors of both sides about the packets of a flow: as a member sent one, seen from the outside, and
/// as it got one.
fn reported(player: &mut Player<'_>, sent: FiveTuple, got: FiveTuple) -> Result<(), Error> {
    let nobodys = |it: Endpoint| Endpoint::new(it.address, NOBODYS_PORT);
    for error in errors(sent, sent.from(nobodys(sent.source))) {
        player.ask(&Event::InboundError(error))?;
    }
    for error in errors(got, got.to(nobodys(got.destination))) {
        player.ask(&Event::OutboundError(error))?;
    }
    Ok(())
}

/// Of its end and of a router; then about nobody's packet, and to somebody else.
fn errors(packet: FiveTuple, nobodys: FiveTuple) -> [IcmpError; 4] {
    let error = IcmpError::unreachable(packet);
    [
        error,
        IcmpError { from: ROUTER, ..error },
        IcmpError { quoted: nobodys, ..error },
        IcmpError { to: SOMEBODY_ELSE, ..error },
    ]
}
