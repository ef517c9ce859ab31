//! What is asked of a device so that laws can be judged: each situation is small and told in a line.

use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Configuration, Event, HoldDown, Nat, Outcome, Pool, PortPolicy, Reason, Segment, Signal,
    VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;

use crate::play::{Player, Recording};
use crate::real::{Error, RealNat};

/// Something that a device is asked.
#[derive(Debug)]
pub struct Situation {
    /// What it is called.
    pub name: &'static str,
    /// What it is for.
    pub story: &'static str,
    /// Asks it.
    pub ask: fn(&mut dyn RealNat) -> Result<Recording, Error>,
}

/// What every device without a packet can be asked.
pub const SITUATIONS: &[Situation] = &[
    Situation {
        name: "a pool of 64",
        story: "64 ports, 65 connections to one destination, and 65 to another.",
        ask: |device| {
            let nat = nat(1, 2, 64);
            let flows = (0..130).map(|index| open(tcp(index % 65, index / 65)));
            ask(device, &nat, flows)
        },
    },
    Situation {
        name: "the last port of 256",
        story: "All ports but one are kept by their flows; one more is asked for until it is refused.",
        ask: |device| until_refused(device, &nat(1, 2, 256), 255),
    },
    Situation {
        name: "the last port of 100",
        story: "100 is no power of two: the one window may miss the last port, once in 1,800 times.",
        ask: |device| until_refused(device, &nat(1, 2, 100), 99),
    },
    Situation {
        name: "two addresses, one client",
        story: "One client, one destination, two addresses of 8 ports: one of them stays empty.",
        ask: |device| ask(device, &nat(2, 2, 8), (0..9).map(|index| open(tcp(index, 0)))),
    },
    Situation {
        name: "a port is given again",
        story: "The ports are to rest for 120 s after a reset. The next client has one at once.",
        ask: |device| {
            let rest = HoldDown::uniform(Duration::from_secs(120));
            let nat = nat(1, 2, 1).with(|it| it.timers.hold_down = rest).expect("legal");
            let other = FiveTuple { source: Endpoint::new(member(1), 20_000), ..tcp(0, 0) };
            ask(device, &nat, [open(tcp(0, 0)), reset(tcp(0, 0)), open(other)])
        },
    },
    Situation {
        name: "reuse before preservation",
        story: "A port is to be kept. A client that once lost its own goes on with the other one.",
        ask: |device| {
            let nat = nat(1, 2, 4).with(|it| it.preserve.port = true).expect("legal");
            let own = Endpoint::new(member(0), FIRST_PORT);
            let rival = Endpoint::new(member(1), FIRST_PORT);
            let flows = [tcp(0, 0).from(rival), tcp(0, 0).from(own), tcp(0, 1).from(own)];
            ask(device, &nat, flows.map(open))
        },
    },
    Situation {
        name: "replies and strangers",
        story: "A reply comes through; another port or address of the outside does not.",
        ask: |device| {
            let flow = tcp(0, 0).from(Endpoint::new(member(0), FIRST_PORT));
            let reply = flow.from(Endpoint::new(Ipv4Addr::new(203, 0, 113, 1), FIRST_PORT));
            let from = |it: Endpoint| inbound(reply.reversed().from(it));
            let Endpoint { address, port } = reply.destination;
            let elsewhere = Ipv4Addr::new(192, 0, 2, 7);
            let events = [
                open(flow),
                from(reply.destination),
                from(Endpoint::new(address, port + 1)),
                from(Endpoint::new(elsewhere, port)),
                reset(flow),
                from(reply.destination),
            ];
            ask(device, &nat(1, 2, 4), events)
        },
    },
    Situation {
        name: "three transports",
        story: "TCP, UDP and ICMP queries use the same four ports, each for itself.",
        ask: |device| {
            let each = |transport| (0..5).map(move |index| open(of(transport, index)));
            ask(device, &nat(1, 2, 4), Transport::ALL.into_iter().flat_map(each))
        },
    },
];

const FIRST_PORT: u16 = 40_000;
/// Tries of the last port.
const TRIES_MAX: usize = 25_000;

fn ask(
    device: &mut dyn RealNat,
    nat: &Nat,
    events: impl IntoIterator<Item = Event>,
) -> Result<Recording, Error> {
    let mut player = Player::new(device, nat)?;
    events.into_iter().try_for_each(|event| player.ask(&event).map(drop))?;
    Ok(player.into_recording())
}

/// Fills a pool but for the last ports, and asks for one more until that is refused. Tries that
/// were not refused are left out of the recording: their flows were reset before the next.
fn until_refused(device: &mut dyn RealNat, nat: &Nat, filled: u16) -> Result<Recording, Error> {
    let mut player = Player::new(device, nat)?;
    for index in 0..filled {
        let own = Endpoint::new(member(0), FIRST_PORT + index);
        player.ask(&open(tcp(0, 0).from(own)))?;
    }
    let mut refused = None;
    for step in (usize::from(filled)..).step_by(2).take(TRIES_MAX) {
        let last = tcp(0, 0).from(Endpoint::new(member(1), 20_000));
        if matches!(player.ask(&open(last))?, Outcome::Dropped(Reason::Refused(_))) {
            refused = Some(step);
            break;
        }
        player.ask(&reset(last))?;
    }
    let kept: Vec<usize> = (0..usize::from(filled)).chain(refused).collect();
    Ok(player.into_recording().with_steps(&kept))
}

/// So many virtual IPs and members, and so many ports for all of them.
fn nat(virtual_ips: u8, members: usize, ports: u32) -> Nat {
    let addresses = (1..=virtual_ips).map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last)));
    let pool = Pool::of_size(member(0), members).expect("members");
    let block = PortBlock::from_len(FIRST_PORT, ports).expect("ports");
    let configuration = Configuration::new(addresses.collect(), pool, PortPolicy::OnDemand(block));
    Nat::new(configuration).expect("a legal pool")
}

fn member(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + index)
}

/// A connection of the first member, from a port that cannot be kept.
fn tcp(source: u16, destination: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        source: Endpoint::new(member(0), 20_000 + source),
        destination: Endpoint::new(Ipv4Addr::new(198, 51, 100, 1), 443 + destination),
    }
}

fn of(transport: Transport, source: u16) -> FiveTuple {
    let tuple = FiveTuple { transport, ..tcp(source, 0) };
    match transport {
        Transport::Tcp | Transport::Udp => tuple,
        Transport::Icmp => tuple.to(Endpoint::new(tuple.destination.address, 0)),
    }
}

fn open(tuple: FiveTuple) -> Event {
    Event::outbound(tuple, Signal::Open)
}

fn reset(tuple: FiveTuple) -> Event {
    Event::outbound(tuple, Signal::Reset)
}

fn inbound(tuple: FiveTuple) -> Event {
    Event::Inbound(Segment::new(tuple, Signal::Data))
}
