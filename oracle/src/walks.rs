//! Random walks: configurations and events in which a device is soon driven to its limits.
//!
//! One function a noun. Dense pools have a few ports, so that mappings collide; full ones are filled
//! to the last few ports before the walk begins; sparse ones are nearly empty. What is drawn depends
//! on the seed alone; what the device answers does not.

use std::net::Ipv4Addr;

use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Configuration, Event, Nat, Pool, PortPolicy, Segment, Signal, VirtualIp};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Scenario;
use natlaw_model::time::Duration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Events of a walk, besides those that fill its pool.
pub const EVENTS: usize = 100;

/// The first port of every pool.
const FIRST_PORT: u16 = 40_000;

/// How many ports, addresses, members and destinations there are, and how full the pool is.
#[derive(Debug, Clone, Copy)]
struct Shape {
    ports: u16,
    virtual_ips: u8,
    members: u8,
    /// Source ports of a member that the walk uses.
    sources: u16,
    destinations: u8,
    /// Ports of the pool that are left when the walk begins; the whole pool unless it is filled.
    left: u16,
}

/// This many walks of this seed.
pub fn walks(seed: u64, cases: usize) -> Vec<Scenario<Nat>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = walk();
    let mut draw = || strategy.new_tree(&mut runner).expect("a walk").current();
    (0..cases).map(|_| draw()).collect()
}

/// A walk through a pool of some shape.
pub fn walk() -> BoxedStrategy<Scenario<Nat>> {
    shape()
        .prop_flat_map(|shape| {
            vec(event(shape), EVENTS).prop_map(move |events| Scenario {
                subject: subject(shape),
                events: filling(shape).chain(events).collect(),
            })
        })
        .boxed()
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![8 => dense(), 4 => sparse(), 2 => nearly_full(), 2 => full_beyond_one_window()]
}

/// Four ports to a few: whatever is asked, mappings collide.
fn dense() -> impl Strategy<Value = Shape> {
    (select(vec![1, 2, 3, 4, 5, 8]), 1..=3_u8, 1..=3_u8, 2..=5_u16, 1..=12_u8).prop_map(
        |(ports, virtual_ips, members, sources, destinations)| Shape {
            ports,
            virtual_ips,
            members,
            sources,
            destinations,
            left: ports,
        },
    )
}

/// Pools that a walk does not fill.
fn sparse() -> impl Strategy<Value = Shape> {
    (select(vec![32, 64, 100, 128, 129, 256, 1024]), 1..=5_u8, 1..=8_u8, 1..=12_u8).prop_map(
        |(ports, virtual_ips, members, destinations)| Shape {
            ports,
            virtual_ips,
            members,
            sources: 64,
            destinations,
            left: ports,
        },
    )
}

/// Pools of one window, all but full towards the first destination.
fn nearly_full() -> impl Strategy<Value = Shape> {
    (select(vec![16, 32, 64, 96, 100, 128]), 0..=3_u16)
        .prop_map(|(ports, left)| full(ports, left, 2))
}

/// Pools that are larger than a window, all but full: there a search gives up.
fn full_beyond_one_window() -> impl Strategy<Value = Shape> {
    (select(vec![129, 160, 256, 256, 256, 256]), 1..=2_u16)
        .prop_map(|(ports, left)| full(ports, left, 1))
}

const fn full(ports: u16, left: u16, destinations: u8) -> Shape {
    Shape { ports, virtual_ips: 1, members: 2, sources: 24, destinations, left }
}

fn subject(shape: Shape) -> Nat {
    let virtual_ips =
        (1..=shape.virtual_ips).map(|last| VirtualIp(Ipv4Addr::new(203, 0, 113, last)));
    let pool = Pool::of_size(member(0), usize::from(shape.members)).expect("members");
    let block = PortBlock::from_len(FIRST_PORT, u32::from(shape.ports)).expect("ports");
    let ports = PortPolicy::OnDemand(block);
    Nat::new(Configuration::new(virtual_ips.collect(), pool, ports)).expect("a legal pool")
}

/// Flows of TCP that keep their ports, up to those that are left.
fn filling(shape: Shape) -> impl Iterator<Item = Event> {
    let filled = if shape.left == shape.ports { 0 } else { shape.ports - shape.left };
    (0..filled).map(|index| {
        let source = Endpoint::new(member(0), FIRST_PORT + index);
        let destination = destination(Transport::Tcp, 0);
        let tuple = FiveTuple { transport: Transport::Tcp, source, destination };
        Event::outbound(tuple, Signal::Open)
    })
}

fn event(shape: Shape) -> BoxedStrategy<Event> {
    let segment = |signal| move |tuple| Segment::new(tuple, signal);
    prop_oneof![
        12 => flow(shape).prop_map(segment(Signal::Open)).prop_map(Event::Outbound),
        6 => flow(shape).prop_map(segment(Signal::Reset)).prop_map(Event::Outbound),
        1 => flow(shape).prop_map(segment(Signal::Finish)).prop_map(Event::Outbound),
        2 => answer(shape).prop_map(segment(Signal::Data)).prop_map(Event::Inbound),
        1 => (1..=120_u64).prop_map(Duration::from_secs).prop_map(Event::Elapse),
    ]
    .boxed()
}

/// A flow of the universe of this shape. Where the pool is full it is one of TCP, as what fills it.
fn flow(shape: Shape) -> impl Strategy<Value = FiveTuple> {
    let transports = match shape.left == shape.ports {
        true => Transport::ALL.to_vec(),
        false => vec![Transport::Tcp],
    };
    let source = (0..shape.members, source_port(shape));
    (select(transports), source, 0..shape.destinations).prop_map(
        |(transport, (host, port), index)| FiveTuple {
            transport,
            source: Endpoint::new(member(host), port),
            destination: destination(transport, index),
        },
    )
}

/// From the pool, so that it may be kept, and from elsewhere.
fn source_port(shape: Shape) -> impl Strategy<Value = u16> {
    let inside = FIRST_PORT + shape.ports.saturating_sub(shape.sources);
    let within = (inside..).take(usize::from(shape.sources.min(shape.ports)));
    let without = (20_000..).take(usize::from(shape.sources));
    select(within.chain(without).collect::<Vec<_>>())
}

/// What may answer a flow, or comes out of nowhere.
fn answer(shape: Shape) -> impl Strategy<Value = FiveTuple> {
    (flow(shape), 1..=shape.virtual_ips, 0..shape.ports).prop_map(|(flow, last, index)| {
        let address = Ipv4Addr::new(203, 0, 113, last);
        flow.from(Endpoint::new(address, FIRST_PORT + index)).reversed()
    })
}

fn member(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + index)
}

/// Three addresses with four ports each: what depends on the address alone or on both shows.
fn destination(transport: Transport, index: u8) -> Endpoint {
    let port = match transport {
        Transport::Tcp | Transport::Udp => 440 + u16::from(index % 4),
        Transport::Icmp => 0,
    };
    Endpoint::new(Ipv4Addr::new(198, 51, 100, 1 + index / 4), port)
}
