//! The most keys that an envelope lets a member hold: by formula, as found, as played.

use natlaw_model::flow::Transport;
use natlaw_model::nat::{ClosesOn, HoldDown, IdleTimers, Nat, Reason, TcpTimers, Timers};
use natlaw_model::time::Duration;
use natlaw_properties::planner::arrivals::{Connection, worst};
use natlaw_properties::planner::certificate::{PACKETS_MAX, Played, Trial, play};
use natlaw_properties::planner::demand::{Close, Destination, Rest};
use natlaw_properties::planner::envelope::{Arrivals, Envelope};
use natlaw_properties::planner::rate::Rate;
use proptest::prelude::*;

use super::{destination, envelopes, every, ms, nat, refusals};

fn transports() -> impl Strategy<Value = Transport> {
    prop::sample::select(Transport::ALL.to_vec())
}

fn closes() -> impl Strategy<Value = Close> {
    prop::sample::select(Close::ALL.to_vec())
}

fn timers() -> impl Strategy<Value = Timers> {
    let waits = [0..6_u64, 0..6, 0..6, 0..6].map(|range| range.prop_map(ms));
    let idles = [2..9_u64, 2..9, 2..9].map(|range| range.prop_map(ms));
    (waits, idles).prop_map(|([time_wait, reset, finish, idle_rest], [tcp, udp, icmp])| {
        let tcp = TcpTimers { time_wait, reset, ..TcpTimers::while_open(tcp) };
        let hold_down =
            HoldDown { finish, reset: time_wait, idle: idle_rest, half_open: Duration::ZERO };
        Timers { idle: IdleTimers { tcp, udp, icmp }, hold_down, unsolicited_syn: None }
    })
}

fn played(nat: &Nat, destination: &Destination) -> Played {
    let played = play(nat, &[destination], Trial::OwnKeys, PACKETS_MAX).expect("a short play");
    assert!(played.broken.is_empty(), "{:?}", played.broken);
    played
}

#[test]
fn the_formula_counts_the_worst_arrivals() {
    every((envelopes(), 0..12_u64), |(envelope, rest)| {
        let arrivals: Vec<_> = worst(&envelope, ms(rest)).collect();
        assert_eq!(arrivals.len() as u64, envelope.keys_max(ms(rest)), "{envelope:?}");
        assert!(lies_within(&envelope, &arrivals), "{envelope:?}: {arrivals:?}");
        let last_ms = envelope.life_max.millis() + rest - 1;
        assert!(arrivals.iter().all(|it| it.opened_ms <= last_ms && last_ms < it.ended_ms + rest));
    });
}

/// Whether connections keep every bound, each looked at by itself.
fn lies_within(envelope: &Envelope, connections: &[Connection]) -> bool {
    let lives = envelope.life_min.millis()..=envelope.life_max.millis();
    let live_at = |at: u64| {
        let is_live = |it: &&Connection| it.opened_ms <= at && at < it.ended_ms;
        connections.iter().filter(is_live).count() as u64
    };
    let opened = |from: u64, to: u64| {
        connections.iter().filter(|it| (from..=to).contains(&it.opened_ms)).count() as u64
    };
    let windows_are_kept = |arrivals: Arrivals| {
        let ends = || connections.iter().map(|it| it.opened_ms);
        ends().all(|from| {
            let mut later = ends().filter(|to| *to >= from);
            later.all(|to| opened(from, to) <= arrivals.opens_in(ms(to - from + 1)))
        })
    };
    connections.iter().all(|it| lives.contains(&(it.ended_ms - it.opened_ms)))
        && connections
            .iter()
            .all(|it| envelope.flows_max.is_none_or(|max| live_at(it.opened_ms) <= max))
        && envelope.arrivals.is_none_or(windows_are_kept)
}

#[test]
fn the_worst_arrivals_take_every_port_and_one_fewer_refuses_the_last() {
    let both = prop::sample::select(vec![ClosesOn::EitherSide, ClosesOn::BothSides]);
    let values = (envelopes(), transports(), closes(), timers(), both);
    every(values, |(envelope, transport, close, timers, closes_on)| {
        let destination = destination(transport, envelope, close);
        let needed = destination.keys_max(&nat(1, timers, closes_on));
        let enough = played(&nat(needed, timers, closes_on), &destination);
        assert_eq!((enough.refused, enough.keys as u64), (None, needed));
        if needed > 1 {
            let fewer = played(&nat(needed - 1, timers, closes_on), &destination);
            assert_eq!(fewer.opened as u64, needed - 1);
            let refused = fewer.refused.expect("the last");
            assert!(matches!(refused.reason, Reason::Refused(_)), "{refused:?}");
            assert_eq!(refused.step, fewer.scenario.events.len());
        }
    });
}

/// Connections drawn at random, those left out that would pass a bound.
fn within(envelope: &Envelope, drawn: &[(u64, u64)]) -> Vec<Connection> {
    let mut kept: Vec<Connection> = Vec::new();
    let lives = envelope.life_max.millis() - envelope.life_min.millis() + 1;
    let mut now = 0;
    for (wait, life) in drawn {
        now += wait;
        let ended_ms = now + envelope.life_min.millis() + life % lives;
        kept.push(Connection { opened_ms: now, ended_ms });
        if !lies_within(envelope, &kept) {
            kept.pop();
        }
    }
    kept
}

#[test]
fn no_arrivals_within_the_bounds_are_refused_where_the_formula_is_met() {
    let drawn = prop::collection::vec((0..4_u64, 0..9_u64), 1..40);
    every((envelopes(), timers(), drawn), |(envelope, timers, drawn)| {
        let destination = destination(Transport::Tcp, envelope, Close::Finish);
        let connections = within(&envelope, &drawn);
        let needed = destination.keys_max(&nat(1, timers, ClosesOn::EitherSide));
        let nat = nat(needed, timers, ClosesOn::EitherSide);
        assert_eq!(refusals(&nat, &destination, &connections), 0, "{connections:?}");
    });
}

#[test]
fn a_rest_is_the_timer_that_runs_on_and_the_hold_down() {
    let hold_down = HoldDown { finish: ms(1), reset: ms(2), idle: ms(4), half_open: ms(8) };
    let tcp = TcpTimers { time_wait: ms(16), reset: ms(32), ..TcpTimers::while_open(ms(64)) };
    let idle = IdleTimers { tcp, udp: ms(128), icmp: ms(256) };
    let timers = Timers { idle, hold_down, unsolicited_syn: None };
    let nat = nat(1, timers, ClosesOn::EitherSide);
    let total = |transport, close| Rest::of(&nat, transport, close).total().millis();
    assert_eq!(Close::ALL.map(|close| total(Transport::Tcp, close)), [17, 34, 68]);
    assert_eq!(Close::ALL.map(|close| total(Transport::Udp, close)), [132; 3]);
    assert_eq!(Close::ALL.map(|close| total(Transport::Icmp, close)), [260; 3]);
}

#[test]
fn nothing_overflows() {
    let rate = Rate::new(u64::MAX, 1).expect("a rate");
    let arrivals = Some(Arrivals { rate, burst: u64::MAX });
    let (life_min, life_max) = (ms(1), ms(u64::MAX));
    for flows_max in [None, Some(u64::MAX)] {
        let envelope = Envelope { flows_max, arrivals, life_min, life_max };
        assert_eq!(envelope.keys_max(ms(u64::MAX)), 65_535);
        assert_eq!(worst(&envelope, ms(u64::MAX)).count(), 65_535);
    }
}
