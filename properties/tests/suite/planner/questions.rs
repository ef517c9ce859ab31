//! What else is asked of a demand, against the translator.

use natlaw_model::allocator::{Bitmap, Refusal};
use natlaw_model::flow::{FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Event, HoldDown, IdleTimers, Nat, Outcome, PerTransport, PortPolicy, PortReuse,
    Reason, Signal, TcpTimers, Timers,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Device as _;
use natlaw_model::translator::Translator;
use natlaw_properties::planner::arrivals::{Connection, worst};
use natlaw_properties::planner::demand::{Close, Closes, Demand, Destination};
use natlaw_properties::planner::doubling::{Doubling, ports_min as ports_min_of, ramp};
use natlaw_properties::planner::envelope::{Arrivals, Envelope};
use natlaw_properties::planner::questions::{pooled, private, returns, sustained};
use natlaw_properties::planner::rate::Rate;
use natlaw_properties::planner::room::{Bound, bounds};
use proptest::prelude::*;

use super::{BURST, balanced, demand, destination, envelopes, every, ms, nat, refusals};

#[test]
fn evenly_opened_connections_keep_up_at_the_sustainable_rate_and_no_faster() {
    let values = (1..6_u64, 1..40_u64, 0..20_u64);
    every(values, |(ports, life, rest)| {
        let hold_down = HoldDown::uniform(ms(rest));
        let timers = Timers { hold_down, ..Timers::default() };
        let nat = nat(ports, timers, ClosesOn::EitherSide);
        let held = life + rest;
        let evenly = |gap: u64| {
            let opened = (0..3 * ports).map(|index| index * gap);
            let connection = |opened_ms| Connection { opened_ms, ended_ms: opened_ms + life };
            opened.map(connection).collect::<Vec<_>>()
        };
        let envelope = Envelope {
            flows_max: None,
            arrivals: Some(Arrivals { rate: Rate::new(1, 1).expect("a rate"), burst: 1 }),
            life_min: ms(1),
            life_max: ms(life),
        };
        let destination = destination(Transport::Tcp, envelope, Close::Finish);
        let pool =
            Demand { destinations: vec![destination.clone()], ..demand(&balanced("", "", BURST)) };
        let [sustained] = sustained(&nat, &pool).try_into().expect("one destination");
        assert_eq!(sustained.rate, Rate::new(ports, held).expect("a rate"));
        let slowest = held.div_ceil(ports);
        assert_eq!(refusals(&nat, &destination, &evenly(slowest)), 0);
        if slowest > 1 {
            assert!(refusals(&nat, &destination, &evenly(slowest - 1)) > 0);
        }
    });
}

#[test]
fn a_port_comes_back_when_its_rest_is_over() {
    let hold_down = HoldDown { finish: ms(70), reset: ms(20), idle: ms(5), half_open: ms(1) };
    let tcp = TcpTimers { time_wait: ms(10), reset: ms(3), ..TcpTimers::while_open(ms(40)) };
    let idle = IdleTimers { tcp, udp: ms(30), icmp: ms(20) };
    let timers = Timers { idle, hold_down, unsolicited_syn: None };
    let nat = nat(1, timers, ClosesOn::EitherSide);
    let [first, second] =
        ["tcp 10.0.0.1:1 > 198.51.100.1:443", "tcp 10.0.0.1:2 > 198.51.100.1:443"]
            .map(|flow| flow.parse::<FiveTuple>().expect("a flow"));
    for rest in returns(&nat, Transport::Tcp) {
        let mut device = Translator::new(&nat, Bitmap::new);
        let signal = [Signal::Finish, Signal::Reset, Signal::Data][rest.close as usize];
        device.step(&Event::outbound(first, Signal::Data));
        device.step(&Event::outbound(first, signal));
        device.step(&Event::Elapse(ms(rest.total().millis() - 1)));
        let early = device.step(&Event::outbound(second, Signal::Open));
        assert_eq!(early, Outcome::Dropped(Reason::Refused(Refusal::Exhausted)), "{rest:?}");
        device.step(&Event::Elapse(ms(1)));
        let late = device.step(&Event::outbound(second, Signal::Open));
        assert!(matches!(late, Outcome::Forwarded(_)), "{rest:?}: {late}");
    }
}

/// Destinations that need so many ports each.
fn several(needs: &[u64]) -> Demand {
    let of = |(index, flows): (usize, &u64)| {
        let envelope = Envelope {
            flows_max: Some(*flows),
            arrivals: None,
            life_min: ms(1_000),
            life_max: ms(1_000),
        };
        let endpoint = format!("198.51.100.{}:53", index + 1).parse().expect("an endpoint");
        Destination { endpoint, ..destination(Transport::Tcp, envelope, Close::Finish) }
    };
    let destinations = needs.iter().enumerate().map(of).collect();
    Demand { destinations, ..demand(&balanced("", "", BURST)) }
}

fn shared(ports: u16, reuse: PortReuse) -> Nat {
    let usable = PortBlock::from_len(1_024, ports.into()).expect("ports");
    nat(1, Timers::default(), ClosesOn::EitherSide)
        .with(|nat| {
            nat.ports = PortPolicy::OnDemand(usable);
            nat.port_reuse = PerTransport::from(reuse);
        })
        .expect("a configuration")
}

#[test]
fn what_is_moved_to_private_endpoints_is_what_cannot_stay() {
    let values = (prop::collection::vec(1..6_u64, 1..6), 1..16_u16);
    every(values, |(needs, ports)| {
        for reuse in [PortReuse::Never, PortReuse::PerDestination] {
            let (nat, demand) = (shared(ports, reuse), several(&needs));
            let moved = private(&nat, &demand);
            let rest = |away: &[usize]| {
                let stays = (0..needs.len()).filter(|index| !away.contains(index));
                let destinations = stays.map(|index| demand.destinations[index].clone()).collect();
                let rest = Demand { destinations, ..demand.clone() };
                bounds(&nat, &rest).iter().all(Bound::holds)
            };
            assert!(rest(&moved), "{needs:?} {ports}: {moved:?}");
            for index in &moved {
                let without: Vec<usize> = moved.iter().copied().filter(|it| it != index).collect();
                assert!(!rest(&without), "{needs:?} {ports}: {moved:?}");
            }
        }
    });
}

/// Of three destinations the first needs most keys and the second most flows: where flows run out,
/// the second moves and the first stays.
#[test]
fn what_could_stay_after_all_is_not_moved() {
    let mut demand = several(&[1, 50, 9]);
    demand.destinations[0].envelope.life_min = ms(1);
    demand.destinations[1].closes = Closes::all(Close::Reset);
    demand.destinations[2].closes = Closes::all(Close::Reset);
    let hold_down = HoldDown { finish: ms(99), ..HoldDown::default() };
    let limited = |flows| {
        nat(1_000, Timers { hold_down, ..Timers::default() }, ClosesOn::EitherSide)
            .with(|nat| nat.limits.flows = Some(flows))
            .expect("a configuration")
    };
    let keys = demand.destinations.iter().map(|it| it.keys_max(&limited(10)));
    assert_eq!(keys.collect::<Vec<_>>(), [100, 50, 9]);
    assert_eq!(private(&limited(10), &demand), [1]);
    assert_eq!(private(&limited(9), &demand), [0, 1]);
    assert_eq!(private(&limited(60), &demand), [] as [usize; 0]);
}

#[test]
fn as_many_connections_as_fit_are_pooled_and_one_more_does_not() {
    let values = (1..30_u64, 1..9_u64, 0..20_u64, 1..4_u64);
    every(values, |(ports, kept, rest, flows)| {
        let timers = Timers { hold_down: HoldDown::uniform(ms(rest)), ..Timers::default() };
        let nat = nat(ports, timers, ClosesOn::EitherSide);
        let envelope = |flows| Envelope {
            flows_max: Some(flows),
            arrivals: None,
            life_min: ms(kept),
            life_max: ms(1_000),
        };
        let one = destination(Transport::Tcp, envelope(flows), Close::Finish);
        let pool = Demand { destinations: vec![one], ..demand(&balanced("", "", BURST)) };
        let [pooled] = pooled(&nat, &pool, ms(kept)).try_into().expect("one destination");
        let fits = |connections| envelope(connections).keys_max(ms(rest)) <= ports;
        assert!(pooled.connections == 0 || fits(pooled.connections), "{pooled:?}");
        assert!(!fits(pooled.connections + 1), "{pooled:?}");
        assert_eq!(pooled.calls, flows);
    });
}

/// One member whose ports are raised by a new configuration when a doubling is there.
fn played_ramp(envelope: &Envelope, rest: u64, doubling: Doubling) -> (u64, u64) {
    let timers = Timers { hold_down: HoldDown::uniform(ms(rest)), ..Timers::default() };
    let limited = |ports: u64| {
        nat(1, timers, ClosesOn::EitherSide)
            .with(|nat| {
                nat.ports = PortPolicy::OnDemand(PortBlock::ABOVE_WELL_KNOWN);
                nat.limits.ports = u32::try_from(ports).ok();
            })
            .expect("a configuration")
    };
    let mut ports = doubling.ports_min;
    let mut device = Translator::new(&limited(ports), Bitmap::new);
    let (mut now, mut opened, mut refused) = (0, 0, 0);
    let mut asked: Option<u64> = None;
    let asks = |held: u64, ports: u64| held * 100 >= ports * u64::from(doubling.share);
    for (port, arrival) in (1_024..).zip(worst(envelope, ms(rest))) {
        while now < arrival.opened_ms || asked == Some(now) {
            if asked == Some(now) {
                ports = (2 * ports).min(doubling.ports_max);
                device.step(&Event::reconfigure(limited(ports)));
                let again = asks(opened, ports) && ports < doubling.ports_max;
                asked = again.then(|| now + doubling.latency.millis());
            } else {
                device.step(&Event::Elapse(ms(1)));
                now += 1;
            }
        }
        let flow = format!("tcp 10.0.0.1:{port} > 198.51.100.1:443").parse().expect("a flow");
        match device.step(&Event::outbound(flow, Signal::Data)) {
            Outcome::Forwarded(_) => opened += 1,
            _ => refused += 1,
        }
        if asked.is_none() && asks(opened, ports) && ports < doubling.ports_max {
            asked = Some(now + doubling.latency.millis());
        }
    }
    (opened, refused)
}

#[test]
fn doubling_keeps_up_as_far_as_a_translator_does_whose_ports_are_raised() {
    let doublings = (1..5_u64, 0..5_u64, 1..20_u64, 30..=100_u8);
    every((envelopes(), 0..20_u64, doublings), |(envelope, rest, doubling)| {
        let (ports_min, more, latency, share) = doubling;
        let ports_max = ports_min * (1 << more);
        let doubling = Doubling { ports_min, ports_max, latency: ms(latency), share };
        let ramp = ramp(&envelope, ms(rest), doubling);
        let actual = (ramp.opened, ramp.refused);
        assert_eq!(actual, played_ramp(&envelope, rest, doubling), "{envelope:?} {doubling:?}");
        assert_eq!(ramp.refused == 0, ramp.last_refusal_ms.is_none());
        let least = ports_min_of(&envelope, ms(rest), doubling);
        assert_eq!(least == Some(ports_min), ramp.refused == 0);
    });
}
