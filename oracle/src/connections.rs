//! What is asked of a device that sees packets: whole connections, from the first SYN to the last FIN
//! and beyond.

use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Configuration, Event, FilteringBehaviour, IdleTimers, Nat, Outcome, PerTransport,
    Pool, PortPolicy, Signal, TcpTimers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;

use crate::play::Player;
use crate::real::Error;
use crate::services::{
    A_SERVICE, ERRORS, ERRORS_OF_A_SERVICE, ONE_SERVICE_TWICE, PUBLISHED_IN_THE_RANGE,
};
use crate::situations::Situation;

/// What is asked of the kernel on the wire.
pub const ON_THE_WIRE: &[Situation] = &[
    A_CONNECTION,
    STRANGERS,
    GIVES_WAY,
    OPENED_ANEW,
    ERRORS,
    A_SERVICE,
    ERRORS_OF_A_SERVICE,
    ONE_SERVICE_TWICE,
    PUBLISHED_IN_THE_RANGE,
    Situation {
        name: "a member calls its own virtual IP",
        story: "What goes to a virtual IP goes out, and nobody sends it back in.",
        ask: |device| {
            let mut player = Player::new(device, &nat(4))?;
            let callee = said(&mut player, flow(0, 0), Signal::Open)?;
            if let Some(callee) = callee {
                player.ask(&Event::outbound(flow(1, 1).to(callee), Signal::Open))?;
            }
            Ok(player.into_recording())
        },
    },
];

/// What is asked of Open vSwitch, whose clock is turned.
pub const AT_THE_SWITCH: &[Situation] = &[
    A_CONNECTION,
    STRANGERS,
    GIVES_WAY,
    OPENED_ANEW,
    Situation {
        name: "timers to the millisecond",
        story: "Each flow is asked for a millisecond before its timer ends it, and at that instant.",
        ask: |device| {
            let mut player = Player::new(device, &nat(4))?;
            for (transport, timer) in [(Transport::Udp, UDP), (Transport::Tcp, HALF_OPEN)] {
                until_the_end(&mut player, of(transport, flow(0, 0)), timer)?;
            }
            Ok(player.into_recording())
        },
    },
    Situation {
        name: "two clients, one identifier",
        story: "The identifier of an ICMP query is kept, in the range or not: a second client that \
                has the same is refused, and three ports are free.",
        ask: |device| {
            let mut player = Player::new(device, &nat(4))?;
            let queries = [0, 1].map(|host| of(Transport::Icmp, flow(host, 0)));
            for query in queries {
                player.ask(&Event::outbound(query, Signal::Data))?;
            }
            Ok(player.into_recording())
        },
    },
    Situation {
        name: "two addresses, one of them full",
        story: "The address is a hash of the flow. Two addresses of four ports: a flow is refused \
                while ports of the other address are free.",
        ask: |device| {
            let two = nat(4).with(|it| it.virtual_ips.push(virtual_ip(2))).expect("legal");
            let mut player = Player::new(device, &two)?;
            for index in 0..24 {
                let refused = said(&mut player, flow(0, index), Signal::Open)?.is_none();
                if refused {
                    break;
                }
            }
            Ok(player.into_recording())
        },
    },
    Situation {
        name: "a FIN of no connection",
        story: "A FIN that belongs to no connection begins one, and takes a port.",
        ask: |device| {
            let mut player = Player::new(device, &nat(4))?;
            said(&mut player, flow(0, 0), Signal::Finish)?;
            Ok(player.into_recording())
        },
    },
];

const A_CONNECTION: Situation = Situation {
    name: "a connection",
    story: "From the first SYN to the last acknowledgement: both sides say something, and close.",
    ask: |device| {
        let mut player = Player::new(device, &nat(4))?;
        connect(&mut player, flow(0, 0))?;
        close(&mut player, flow(0, 0))?;
        Ok(player.into_recording())
    },
};

const STRANGERS: Situation = Situation {
    name: "strangers",
    story: "Only who was called comes in: not its neighbour, not its other port, not another transport.",
    ask: |device| {
        let mut player = Player::new(device, &nat(4))?;
        let flow = flow(0, 0);
        connect(&mut player, flow)?;
        let Some(external) = player.ledger().external_of(flow) else {
            return Ok(player.into_recording());
        };
        let reply = flow.from(external).reversed();
        let Endpoint { address, port } = reply.source;
        for stranger in [
            reply.from(Endpoint::new(Ipv4Addr::new(198, 51, 100, 77), port)),
            reply.from(Endpoint::new(address, port + 1)),
            FiveTuple { transport: Transport::Udp, ..reply },
            reply,
        ] {
            player.ask(&Event::inbound(stranger, Signal::Data))?;
        }
        Ok(player.into_recording())
    },
};

const GIVES_WAY: Situation = Situation {
    name: "a connection that is over",
    story: "The only port is that of a connection closed by both sides, which is to stay tracked for \
            30 s. Another client asks for one.",
    ask: |device| {
        let mut player = Player::new(device, &nat(1))?;
        connect(&mut player, flow(0, 0))?;
        close(&mut player, flow(0, 0))?;
        said(&mut player, flow(1, 7), Signal::Open)?;
        Ok(player.into_recording())
    },
};

const OPENED_ANEW: Situation = Situation {
    name: "a connection opened anew",
    story: "A client calls from the same port again while its old connection, closed by both sides, \
            is to stay tracked for 30 s. The far side sees another port.",
    ask: |device| {
        let mut player = Player::new(device, &nat(64))?;
        connect(&mut player, flow(0, 0))?;
        close(&mut player, flow(0, 0))?;
        said(&mut player, flow(0, 0), Signal::Open)?;
        Ok(player.into_recording())
    },
};

const FIRST_PORT: u16 = 40_000;
const UDP: Duration = Duration::from_secs(60);
const HALF_OPEN: Duration = Duration::from_secs(50);
const MOMENT: Duration = Duration::from_millis(1);

/// The endpoint from which a packet of the inside leaves, if it does.
pub(crate) fn said(
    player: &mut Player<'_>,
    flow: FiveTuple,
    signal: Signal,
) -> Result<Option<Endpoint>, Error> {
    Ok(match player.ask(&Event::outbound(flow, signal))? {
        Outcome::Forwarded(sent) => Some(sent.source),
        Outcome::Hairpinned { .. }
        | Outcome::ErrorForwarded(_)
        | Outcome::Dropped(_)
        | Outcome::Elapsed { .. }
        | Outcome::Reconfigured { .. } => None,
    })
}

/// A packet of the server, if it knows where to.
pub(crate) fn replied(
    player: &mut Player<'_>,
    flow: FiveTuple,
    signal: Signal,
) -> Result<(), Error> {
    let external = player.ledger().external_of(flow);
    let reply = external.map(|external| flow.from(external).reversed());
    reply.map_or(Ok(()), |reply| player.ask(&Event::inbound(reply, signal)).map(drop))
}

fn connect(player: &mut Player<'_>, flow: FiveTuple) -> Result<(), Error> {
    said(player, flow, Signal::Open)?;
    replied(player, flow, Signal::Open)?;
    said(player, flow, Signal::Data)?;
    replied(player, flow, Signal::Data)
}

fn close(player: &mut Player<'_>, flow: FiveTuple) -> Result<(), Error> {
    said(player, flow, Signal::Finish)?;
    replied(player, flow, Signal::Finish)?;
    said(player, flow, Signal::Data).map(drop)
}

/// A flow that begins is there a moment before its timer is over, and then no longer.
fn until_the_end(player: &mut Player<'_>, flow: FiveTuple, timer: Duration) -> Result<(), Error> {
    for rest in [MOMENT, Duration::ZERO] {
        said(player, flow, Signal::Open)?;
        let external = player.ledger().external_of(flow);
        let nearly = Duration::from_millis(timer.millis() - rest.millis());
        player.ask(&Event::Elapse(nearly))?;
        if let Some(external) = external {
            let signal = Signal::Open;
            player.ask(&Event::inbound(flow.from(external).reversed(), signal))?;
        }
        player.ask(&Event::Elapse(Duration::from_secs(1000)))?;
    }
    Ok(())
}

/// Two members, so many ports, and timers that differ.
pub(crate) fn nat(ports: u32) -> Nat {
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), 2).expect("members");
    let block = PortBlock::from_len(FIRST_PORT, ports).expect("ports");
    let mut it = Configuration::new(vec![virtual_ip(1)], pool, PortPolicy::OnDemand(block));
    let [established, one_side_closed, closed] = [200, 70, 30].map(Duration::from_secs);
    it.timers.idle = IdleTimers {
        tcp: TcpTimers {
            half_open: HALF_OPEN,
            established,
            one_side_closed,
            time_wait: closed,
            reset: closed,
        },
        udp: UDP,
        icmp: UDP,
    };
    it.filtering = Some(PerTransport::from(FilteringBehaviour::AddressAndPortDependent));
    it.closes_on = ClosesOn::BothSides;
    it.inbound_refresh = PerTransport::from(true);
    Nat::new(it).expect("a legal pool")
}

pub(crate) fn virtual_ip(last: u8) -> VirtualIp {
    VirtualIp(Ipv4Addr::new(203, 0, 113, last))
}

/// A connection of this member, from a port that cannot be kept.
pub(crate) fn flow(member: u8, source: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        source: Endpoint::new(Ipv4Addr::new(10, 0, 0, 1 + member), 20_000 + source),
        destination: Endpoint::new(Ipv4Addr::new(198, 51, 100, 1), 443),
    }
}

pub(crate) fn of(transport: Transport, tuple: FiveTuple) -> FiveTuple {
    let port = if transport == Transport::Icmp { 0 } else { tuple.destination.port };
    let destination = Endpoint::new(tuple.destination.address, port);
    FiveTuple { transport, destination, ..tuple }
}
