//! The planner's formulas against the translator.

mod arrivals;
mod files;
mod questions;
mod rate;
mod room;
mod search;

use natlaw_model::allocator::Bitmap;
use natlaw_model::flow::{FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Configuration, Event, Nat, Outcome, Pool, PortPolicy, Reason, Signal, Timers,
    VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Device as _;
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use natlaw_properties::planner::arrivals::Connection;
use natlaw_properties::planner::demand::{Close, Closes, Demand, Destination};
use natlaw_properties::planner::envelope::{Arrivals, Envelope};
use natlaw_properties::planner::file::parse;
use natlaw_properties::planner::rate::Rate;
use natlaw_properties::prove;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A universe small enough for every bound to bind now and then.
fn envelopes() -> impl Strategy<Value = Envelope> {
    let arrivals = (1..4_u64, 1..8_u64, 1..5_u64);
    let flows = prop::option::of(1..6_u64);
    (flows, prop::option::of(arrivals), 1..6_u64, 0..9_u64).prop_map(
        |(flows_max, arrivals, life_min, more)| {
            let arrivals = arrivals.map(|(opens, every_ms, burst)| Arrivals {
                rate: Rate::new(opens, every_ms).expect("more than nothing"),
                burst,
            });
            let flows_max = if arrivals.is_none() { flows_max.or(Some(3)) } else { flows_max };
            let (life_min, life_max) = (ms(life_min), ms(life_min + more));
            Envelope { flows_max, arrivals, life_min, life_max }
        },
    )
}

/// One member with this many ports.
fn nat(ports: u64, timers: Timers, closes_on: ClosesOn) -> Nat {
    let pool = Pool::of_size([10, 0, 0, 1].into(), 1).expect("one member");
    let usable = PortBlock::ABOVE_WELL_KNOWN;
    let ports = PortPolicy::Fixed { ports: u16::try_from(ports).expect("few"), usable };
    let vips = vec![VirtualIp([203, 0, 113, 1].into())];
    let mut configuration = Configuration::new(vips, pool, ports);
    configuration.timers = timers;
    configuration.closes_on = closes_on;
    Nat::new(configuration).expect("a configuration")
}

fn destination(transport: Transport, envelope: Envelope, close: Close) -> Destination {
    Destination {
        name: "one".into(),
        transport,
        endpoint: "198.51.100.1:443".parse().expect("an endpoint"),
        envelope,
        closes: Closes::all(close),
    }
}

/// Tries a property of plain values.
fn every<V: std::fmt::Debug>(values: impl Strategy<Value = V>, holds: impl Fn(V)) {
    let verdict = TestRunner::new(prove::config()).run(&values, |value| {
        holds(value);
        Ok(())
    });
    verdict.expect("the property");
}

/// Plays connections that each end as told, without a packet too many.
fn refusals(nat: &Nat, destination: &Destination, connections: &[Connection]) -> usize {
    let mut device = Translator::new(nat, Bitmap::new);
    let mut packets = Vec::new();
    for (port, connection) in (1_024..).zip(connections) {
        let source = format!("10.0.0.1:{port}").parse().expect("an endpoint");
        let flow = FiveTuple {
            transport: destination.transport,
            source,
            destination: destination.endpoint,
        };
        packets.push((connection.opened_ms, 2, flow));
        packets.extend((connection.opened_ms + 1..connection.ended_ms).map(|at| (at, 1, flow)));
        packets.push((connection.ended_ms, 0, flow));
    }
    packets.sort_unstable();
    let (mut now, mut refused) = (0, 0);
    for (at, what, flow) in packets {
        device.step(&Event::Elapse(ms(at - now)));
        now = at;
        let signal = [Signal::Finish, Signal::Data, Signal::Data][what];
        let outcome = device.step(&Event::outbound(flow, signal));
        refused += usize::from(matches!(outcome, Outcome::Dropped(Reason::Refused(_))));
    }
    refused
}

/// A demand of one pool, as its file says it.
fn demand(text: &str) -> Demand {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// One destination under a profile of Azure Load Balancer; `more` is said of the file's first table.
fn balanced(more: &str, translator: &str, destination: &str) -> String {
    format!(
        "members = 50\n{more}\n[translator]\nprofile = \"azure-load-balancer\"\n{translator}\n\
         [[destinations]]\nname = \"storage\"\nto = \"tcp 198.51.100.1:443\"\n{destination}\n"
    )
}

const NO_CAP: &str = "readings = [\"no-cap-2019\"]";
const BURST: &str = "flows_max = 3638\nrate = \"12/s\"\nburst = 240\nlife_max = \"900s\"";
