//! Every rule of Open vSwitch, step by step.

use std::net::Ipv4Addr;

use natlaw_model::allocator::OvsLike;
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::Nat;

use crate::{nat, on_demand, read};

const FIRST: u16 = 40_000;

#[test]
fn any_free_port_of_any_address_may_be_given() {
    let rule = OvsLike::new(&pool(2, 2));
    let allowed = rule.allowed(udp(1));
    assert_eq!(allowed.endpoints, [at(1, 0), at(1, 1), at(2, 0), at(2, 1)]);
    assert!(!allowed.refusal);
}

#[test]
fn neither_a_port_nor_a_mapping_is_kept() {
    let mut rule = OvsLike::new(&pool(1, 3));
    let flow = udp(1).from(Endpoint::new(Ipv4Addr::new(10, 0, 0, 1), FIRST + 1));
    rule.adopt(Binding { flow, external: at(1, 2) });
    let elsewhere = flow.to(Endpoint::new(Ipv4Addr::new(198, 51, 100, 2), 53));
    assert_eq!(rule.allowed(elsewhere).endpoints, [at(1, 0), at(1, 1), at(1, 2)]);
}

#[test]
fn a_taken_port_is_not_given_until_it_is_released() {
    let mut rule = OvsLike::new(&pool(1, 2));
    let binding = Binding { flow: udp(1), external: at(1, 1) };
    rule.adopt(binding);
    assert_eq!(rule.allowed(udp(2)).endpoints, [at(1, 0)]);
    rule.release(binding);
    assert_eq!(rule.allowed(udp(2)).endpoints, [at(1, 0), at(1, 1)]);
}

#[test]
fn a_full_pool_refuses_and_nothing_else() {
    let allowed = filled(1, 4, &[]).allowed(udp(999));
    assert!(allowed.refusal);
    assert_eq!(allowed.endpoints, []);
}

#[test]
fn an_address_that_is_full_may_refuse_although_another_is_not() {
    let mut rule = OvsLike::new(&pool(2, 2));
    rule.adopt(Binding { flow: udp(1), external: at(2, 0) });
    assert!(!rule.allowed(udp(9)).refusal);
    rule.adopt(Binding { flow: udp(2), external: at(2, 1) });
    let allowed = rule.allowed(udp(9));
    assert_eq!(allowed.endpoints, [at(1, 0), at(1, 1)]);
    assert!(allowed.refusal);
}

/// A search looks at 128 ports at first; one that could see only taken ones may refuse.
#[test]
fn a_run_of_128_taken_ports_may_refuse_and_no_shorter_one() {
    for (ports, free, refusal) in [
        (127, &[0_u16][..], false),
        (128, &[127], false),
        (128, &[0], false),
        (129, &[0], true),
        (129, &[0, 1], false),
        (256, &[0, 128], false),
        (256, &[0, 129], true),
        (256, &[64, 192], false),
        (256, &[65, 192], true),
    ] {
        let allowed = filled(1, ports, free).allowed(udp(9_999));
        assert_eq!(allowed.refusal, refusal, "{ports} ports, free {free:?}");
        assert_eq!(allowed.endpoints, free.iter().map(|it| at(1, *it)).collect::<Vec<_>>());
    }
}

#[test]
fn a_query_keeps_its_identifier_or_is_refused() {
    let mut rule = OvsLike::new(&pool(2, 2));
    let query: FiveTuple = read("icmp 10.0.0.1:7 > 198.51.100.1:0");
    let kept = |last| Endpoint::new(Ipv4Addr::new(203, 0, 113, last), 7);
    let allowed = rule.allowed(query);
    assert_eq!((allowed.endpoints, allowed.refusal), (vec![kept(1), kept(2)], false));

    rule.adopt(Binding { flow: query, external: kept(1) });
    let other: FiveTuple = read("icmp 10.0.0.2:7 > 198.51.100.1:0");
    let allowed = rule.allowed(other);
    assert_eq!((allowed.endpoints, allowed.refusal), (vec![kept(2)], true));

    rule.adopt(Binding { flow: read("icmp 10.0.0.3:7 > 198.51.100.1:0"), external: kept(2) });
    let allowed = rule.allowed(other);
    assert_eq!((allowed.endpoints, allowed.refusal), (vec![], true));

    let elsewhere = rule.allowed(read("icmp 10.0.0.2:7 > 198.51.100.2:0"));
    assert_eq!((elsewhere.endpoints, elsewhere.refusal), (vec![kept(1), kept(2)], false));
}

#[test]
fn a_stranger_is_refused() {
    let allowed = OvsLike::new(&pool(1, 2)).allowed(read("udp 192.0.2.1:7 > 198.51.100.1:53"));
    assert_eq!((allowed.endpoints, allowed.refusal), (vec![], true));
}

/// A rule that has given every port but these.
fn filled(virtual_ips: u8, ports: u16, free: &[u16]) -> OvsLike {
    let mut rule = OvsLike::new(&pool(virtual_ips, ports));
    for index in (0..ports).filter(|index| !free.contains(index)) {
        rule.adopt(Binding { flow: udp(index), external: at(1, index) });
    }
    rule
}

fn pool(virtual_ips: u8, ports: u16) -> Nat {
    nat(virtual_ips, "10.0.0.1-10.0.0.3", on_demand(&format!("{FIRST}-{}", FIRST + ports - 1)))
}

fn at(last: u8, index: u16) -> Endpoint {
    Endpoint::new(Ipv4Addr::new(203, 0, 113, last), FIRST + index)
}

fn udp(source: u16) -> FiveTuple {
    read(&format!("udp 10.0.0.1:{source} > 198.51.100.1:53"))
}
