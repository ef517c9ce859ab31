//! Small logs, each with one thing to see, and properties of random ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use natlaw_model::subject::{Step, Subject};
use proptest::prelude::*;

use super::*;
use crate::log::{ConnState, Connection, Protocol};

/// A connection of one host, in whole seconds, to one server.
fn tcp(line: usize, port: u16, seconds: std::ops::Range<u32>, state: ConnState) -> Connection {
    Connection {
        line,
        start_us: i64::from(seconds.start) * 1_000_000,
        duration_us: Some(u64::from(seconds.end - seconds.start) * 1_000_000),
        protocol: Protocol::Tcp,
        source: format!("10.0.0.1:{port}").parse().expect("an endpoint"),
        destination: "198.51.100.1:443".parse().expect("an endpoint"),
        state: Some(state),
        is_query: false,
    }
}

fn udp(line: usize, port: u16, seconds: std::ops::Range<u32>) -> Connection {
    Connection { protocol: Protocol::Udp, ..tcp(line, port, seconds, ConnState::SF) }
}

fn log(connections: &[Connection]) -> Log {
    Log {
        format: "",
        connections: connections.to_vec(),
        malformed: Vec::new(),
        malformed_count: 0,
        left_out: BTreeMap::new(),
        earlier: 0,
    }
}

/// One virtual IP with this many ports, flows idle for 240 s, no hold-down.
fn with_ports(ports: u16) -> Settings {
    Settings {
        inside: "10.0.0.0/8".parse().expect("a network"),
        virtual_ips: 1,
        ports,
        hold_down: Duration::ZERO,
        idle: Duration::from_secs(240),
        device: "bitmap".into(),
    }
}

fn played(connections: &[Connection], settings: &Settings) -> Replay {
    let replay = replay(&log(connections), settings, &mut |_| {}).expect("a replay");
    assert_eq!(replay.breaches, []);
    replay
}

/// Accepted, joined, refused.
fn counts(replay: &Replay) -> (usize, usize, usize) {
    (replay.accepted, replay.joined, replay.refused.total())
}

/// How often a law was put to the test.
fn tested(replay: &Replay, law: &str) -> usize {
    replay.verdicts.iter().find(|verdict| verdict.law == law).expect("a law").tested
}

#[test]
fn a_long_quiet_flow_is_live_until_its_end() {
    for (second, expected) in [(3_599, (1, 1, 0)), (3_600, (2, 0, 0)), (3_601, (2, 0, 0))] {
        let rows = [tcp(1, 7, 0..3_600, ConnState::SF), tcp(2, 7, second..second, ConnState::SF)];
        assert_eq!(counts(&played(&rows, &with_ports(1))), expected, "second {second}");
    }
    // Another flow finds the only port held throughout.
    let rows = [tcp(1, 7, 0..3_600, ConnState::SF), tcp(2, 8, 3_599..3_600, ConnState::SF)];
    assert_eq!(counts(&played(&rows, &with_ports(1))), (1, 0, 1));
}

#[test]
fn the_shortest_idle_time_keeps_a_flow_alive() {
    let first = tcp(1, 7, 0..1, ConnState::SF);
    let second = Connection { line: 2, start_us: 999_999, duration_us: None, ..first };
    let settings = Settings { idle: Duration::from_millis(2), ..with_ports(1) };
    assert_eq!(counts(&played(&[first, second], &settings)), (1, 1, 0));
}

#[test]
fn a_flow_whose_close_was_not_seen_stays_for_its_idle_time() {
    for first in [tcp(1, 7, 0..10, ConnState::S0), udp(1, 7, 0..10)] {
        for (second, expected) in [(249, (1, 0, 1)), (250, (2, 0, 0))] {
            let next = Connection { protocol: first.protocol, ..udp(2, 8, second..second) };
            assert_eq!(counts(&played(&[first, next], &with_ports(1))), expected, "{second}");
        }
    }
}

#[test]
fn a_refused_connection_is_not_attempted_again() {
    let rows = [
        tcp(1, 7, 0..100, ConnState::SF),
        tcp(2, 8, 1..3_600, ConnState::RSTR),
        tcp(3, 9, 3_000..3_001, ConnState::SF),
    ];
    let replay = played(&rows, &with_ports(1));
    assert_eq!(counts(&replay), (2, 0, 1));
    assert_eq!(replay.first_refusal.map(|first| first.line), Some(2));
    // Open, refused, close, open, close, and the time before each but the first.
    assert_eq!(replay.events, 5 + 4);
    assert_eq!(tested(&replay, "an_unsolicited_packet_is_dropped"), 0);
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(2));
}

#[test]
fn an_inbound_close_goes_to_the_external_endpoint() {
    for state in [ConnState::S3, ConnState::REJ, ConnState::RSTR, ConnState::RSTRH, ConnState::SHR]
    {
        let rows = [tcp(1, 7, 0..1, state), tcp(2, 8, 1..2, state)];
        let replay = played(&rows, &with_ports(1));
        assert_eq!(counts(&replay), (2, 0, 0), "{state:?}");
        assert_eq!(tested(&replay, "a_reply_reaches_the_endpoint_that_asked"), 2, "{state:?}");
    }
}

#[test]
fn a_row_that_overlaps_another_of_its_five_tuple_joins_its_flow() {
    // The first close ends the flow; nothing of the longer row comes after it.
    let rows = [
        tcp(1, 7, 0..10, ConnState::SF),
        tcp(2, 7, 5..3_600, ConnState::SF),
        tcp(3, 8, 10..20, ConnState::SF),
    ];
    let replay = played(&rows, &with_ports(1));
    assert_eq!(counts(&replay), (2, 1, 0));
    assert_eq!(tested(&replay, "the_end_of_no_flow_creates_nothing"), 0);
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(1));
}

#[test]
fn a_row_whose_flow_is_over_leaves_a_later_one_of_its_five_tuple_alone() {
    let rows = [
        tcp(1, 7, 0..10, ConnState::SF),
        tcp(2, 7, 5..3_600, ConnState::SF),
        tcp(3, 7, 1_000..5_000, ConnState::SF),
        tcp(4, 8, 4_000..4_001, ConnState::SF),
    ];
    assert_eq!(counts(&played(&rows, &with_ports(1))), (2, 1, 1), "row 3 lives until 5,000 s");
}

#[test]
fn the_rest_of_a_refused_row_leaves_a_later_one_of_its_five_tuple_alone() {
    let rows = [
        tcp(1, 7, 0..10, ConnState::SF),
        tcp(2, 8, 5..30, ConnState::SF),
        tcp(3, 8, 20..40, ConnState::SF),
        tcp(4, 9, 35..36, ConnState::SF),
    ];
    let replay = played(&rows, &with_ports(1));
    assert_eq!(counts(&replay), (2, 0, 2), "rows 2 and 4 are refused: row 3 lives until 40");
}

#[test]
fn a_five_tuple_takes_its_key_back_during_hold_down() {
    let rows = [tcp(1, 7, 0..10, ConnState::SF), tcp(2, 7, 20..30, ConnState::SF)];
    let settings = Settings { hold_down: Duration::from_secs(240), ..with_ports(1) };
    let replay = played(&rows, &settings);
    assert_eq!(counts(&replay), (2, 0, 0));
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(1));
    let other = tcp(3, 8, 269..270, ConnState::SF);
    assert_eq!(counts(&played(&[rows[0], rows[1], other], &settings)), (2, 0, 1));
    let later = tcp(3, 8, 270..271, ConnState::SF);
    assert_eq!(counts(&played(&[rows[0], rows[1], later], &settings)), (3, 0, 0));
}

#[test]
fn connections_without_duration_follow_one_another_through_one_port() {
    let rows: Vec<_> = (1..=100)
        .map(|line| Connection {
            duration_us: (line % 2 == 0).then_some(0),
            ..tcp(line.into(), line, 0..0, ConnState::RSTR)
        })
        .collect();
    let replay = played(&rows, &with_ports(1));
    assert_eq!((counts(&replay), replay.peak_live, replay.events), ((100, 0, 0), 1, 200));
}

#[test]
fn a_close_makes_room_for_what_opens_at_the_same_microsecond() {
    let rows = [tcp(2, 7, 0..10, ConnState::SF), tcp(1, 8, 10..20, ConnState::SF)];
    assert_eq!(counts(&played(&rows, &with_ports(1))), (2, 0, 0));
}

#[test]
fn ports_are_counted_by_member_transport_and_destination() {
    let to = |row: Connection, destination: &str| Connection {
        destination: destination.parse().expect("an endpoint"),
        ..row
    };
    let from = |row: Connection, source: &str| Connection {
        source: source.parse().expect("an endpoint"),
        ..row
    };
    let rows = [
        tcp(1, 7, 0..10, ConnState::SF),
        udp(2, 7, 1..10),
        to(tcp(3, 7, 2..10, ConnState::SF), "198.51.100.1:80"),
        to(tcp(4, 7, 3..10, ConnState::SF), "198.51.100.2:443"),
        from(tcp(5, 7, 4..10, ConnState::SF), "10.0.0.2:7"),
    ];
    let replay = played(&rows, &with_ports(1));
    assert_eq!(counts(&replay), (5, 0, 0));
    assert_eq!((replay.ports_needed, replay.peak_live), (PortsNeeded::Exactly(1), 5));
    assert_eq!(replay.hottest.len(), 4);
    let Hot { connections, keys, member, .. } = replay.hottest[0];
    assert_eq!((connections, keys, member), (2, 1, [10, 0, 0, 1].into()));
}

#[test]
fn more_ports_may_be_needed_than_there_are() {
    let many = u16::MAX - 2_000;
    let rows = |host: u8| {
        (1..=many).map(move |port| Connection {
            source: format!("10.0.0.{host}:{port}").parse().expect("an endpoint"),
            ..tcp(usize::from(host), port, 0..10, ConnState::SF)
        })
    };
    let all: Vec<_> = rows(1).chain(rows(2).take(1)).collect();
    let one = Settings { device: "stops-one-port-short".into(), ..with_ports(1) };
    let replay = |settings: &Settings| replay(&log(&all), settings, &mut |_| {}).expect("a replay");
    assert_eq!(replay(&one).ports_needed, PortsNeeded::MoreThan(32_256));
    let two = Settings { virtual_ips: 2, ..one };
    assert_eq!(replay(&two).ports_needed, PortsNeeded::Exactly(usize::from(many)));
}

/// A device that remembers what it was asked and what it answered.
struct Recorder {
    device: Box<dyn Device<Nat>>,
    steps: Rc<RefCell<Vec<Step<Nat>>>>,
}

impl Device<Nat> for Recorder {
    fn step(&mut self, event: &Event) -> Outcome {
        let outcome = self.device.step(event);
        let step = Step { event: event.clone(), outcome: outcome.clone() };
        self.steps.borrow_mut().push(step);
        outcome
    }
}

/// The most live flows and, by member, transport and destination, the most keys at once: found by
/// looking at every holding after every step.
fn peaks(nat: &Nat, steps: &[Step<Nat>]) -> (usize, usize) {
    let (mut ledger, mut live_peak, mut keys_peak) = (nat.ledger(), 0, 0);
    for Step { event, outcome } in steps {
        Nat::record(&mut ledger, event, outcome);
        let live = ledger.holdings().filter(|holding| holding.is_live(ledger.now)).count();
        let mut keys: HashMap<_, usize> = HashMap::new();
        for holding in ledger.holdings() {
            let FiveTuple { transport, source, destination } = holding.binding.flow;
            *keys.entry((source.address, transport, destination)).or_default() += 1;
        }
        live_peak = live_peak.max(live);
        keys_peak = keys_peak.max(keys.into_values().max().unwrap_or(0));
    }
    (live_peak, keys_peak)
}

prop_compose! {
    /// A row out of a universe small enough that five-tuples, destinations and instants collide.
    fn row()(
        line in 1..1_000_usize,
        start in prop_oneof![0..20_i64, 0..1_000_000_000_i64],
        duration_us in prop::option::of(prop_oneof![
            Just(0), 0..5_000_u64, 0..20_000_000_u64, 0..2_000_000_000_u64,
        ]),
        protocol in prop::sample::select(vec![
            Protocol::Tcp, Protocol::Tcp, Protocol::Tcp, Protocol::Udp, Protocol::Udp, Protocol::Icmp,
        ]),
        source in prop::sample::select(vec!["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"]),
        port in 1..6_u16,
        destination in prop::sample::select(vec![
            "198.51.100.1:443", "198.51.100.1:443", "198.51.100.1:80", "10.0.0.1:443",
        ]),
        state in prop::option::of(prop::sample::select(vec![
            ConnState::S0, ConnState::S1, ConnState::SF, ConnState::REJ, ConnState::S2,
            ConnState::S3, ConnState::RSTO, ConnState::RSTR, ConnState::RSTOS0, ConnState::RSTRH,
            ConnState::SH, ConnState::SHR, ConnState::OTH,
        ])),
    ) -> Connection {
        Connection {
            line,
            start_us: start,
            duration_us,
            protocol,
            source: format!("{source}:{port}").parse().expect("an endpoint"),
            destination: destination.parse().expect("an endpoint"),
            state,
            is_query: false,
        }
    }
}

prop_compose! {
    /// A log, the first row of which is sure to be offered.
    fn rows()(rows in prop::collection::vec(row(), 0..60)) -> Vec<Connection> {
        [tcp(1_000, 1, 0..1, ConnState::SF)].into_iter().chain(rows).collect()
    }
}

prop_compose! {
    fn settings()(
        virtual_ips in 1..3_u16,
        ports in 1..4_u16,
        hold_down in prop::sample::select(vec![0, 1, 15_000, 240_000]),
        idle in prop::sample::select(vec![1_000, 4_999, 30_000, 240_000]),
    ) -> Settings {
        let (hold_down, idle) = (Duration::from_millis(hold_down), Duration::from_millis(idle));
        Settings { virtual_ips, hold_down, idle, ..with_ports(ports) }
    }
}

proptest! {
    #[test]
    fn every_row_is_accounted_for_and_no_law_is_broken(rows in rows(), settings in settings()) {
        let replay = played(&rows, &settings);
        let (accepted, joined, refused) = counts(&replay);
        prop_assert_eq!(replay.offered, accepted + joined + refused);
        prop_assert_eq!(rows.len(), replay.offered + replay.left_out.values().sum::<usize>());
        prop_assert_eq!(replay.first_refusal.is_some(), refused > 0);
    }

    #[test]
    fn exact_devices_agree_and_the_order_of_rows_makes_no_difference(
        rows in rows(), settings in settings(),
    ) {
        let replay = played(&rows, &settings);
        prop_assert_eq!(&replay, &played(&rows, &settings));
        let first_fit = Settings { device: "first-fit".into(), ..settings.clone() };
        prop_assert_eq!(&replay, &played(&rows, &first_fit));
        let mut rows = rows;
        rows.sort_by_key(|row| row.line);
        rows.dedup_by_key(|row| row.line);
        let replay = played(&rows, &settings);
        rows.reverse();
        prop_assert_eq!(&replay, &played(&rows, &settings));
    }

    #[test]
    fn the_ports_needed_suffice_and_one_fewer_does_not(rows in rows(), settings in settings()) {
        let settings = Settings { virtual_ips: 1, ..settings };
        let PortsNeeded::Exactly(needed) = played(&rows, &settings).ports_needed else {
            return Err(TestCaseError::fail("so few connections need no more than there are"));
        };
        let needed = u16::try_from(needed).expect("few");
        let refused = |ports| played(&rows, &Settings { ports, ..settings.clone() }).refused;
        prop_assert_eq!(refused(needed).total(), 0);
        prop_assert!(needed == 1 || refused(needed - 1).total() > 0);
    }

    #[test]
    fn counting_as_it_goes_agrees_with_looking_at_everything(
        rows in rows(), settings in settings(),
    ) {
        let demand = Demand::of(&log(&rows), settings.inside);
        let nat = settings.configure(&demand).expect("a translator");
        let steps = Rc::default();
        let device = device("bitmap", &nat).expect("a device");
        let recorder = Box::new(Recorder { device, steps: Rc::clone(&steps) });
        let tally = Play::new(&demand, &nat, recorder, LAWS).run(&mut |_| {}).tally;
        let expected = peaks(&nat, &steps.borrow());
        prop_assert_eq!((tally.peak_live, tally.keys_peak()), expected);
    }
}
