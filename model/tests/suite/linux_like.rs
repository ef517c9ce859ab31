//! The rule of Linux, step by step.

use natlaw_model::allocator::linux_like::{Allowed, address_index};
use natlaw_model::allocator::{LinuxLike, PortAllocator, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Nat, Selection};
use proptest::prelude::*;

use crate::{nat, on_demand, read};

fn flow(source: u16, destination: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.1:{source} > 198.51.100.1:{destination}"))
}

/// A port of the one virtual IP.
fn at(port: u16) -> Endpoint {
    read(&format!("203.0.113.1:{port}"))
}

/// So many ports from 40,000 on, on one address.
fn pool(ports: u32) -> Nat {
    nat(1, "10.0.0.1-10.0.0.3", on_demand(&format!("40000-{}", 39_999 + ports)))
}

/// An allocator in which these ports are held towards port 443, each by a flow that keeps it.
fn holding(nat: &Nat, ports: impl IntoIterator<Item = u16>) -> LinuxLike {
    let mut linux = LinuxLike::new(nat);
    for port in ports {
        linux.adopt(Binding { flow: flow(port, 443), external: at(port) });
    }
    linux
}

/// Lookup3 was worked out anew from its public description, and 6.18 chose the same addresses.
#[test]
fn an_address_is_a_hash_of_source_and_destination() {
    let index =
        |source, destination, addresses| address_index(read(source), read(destination), addresses);
    let of = |source, destination| {
        [1, 2, 3, 5, 16, 65_536].map(|addresses| index(source, destination, addresses))
    };
    assert_eq!(of("10.0.0.1", "198.51.100.1"), [0, 1, 1, 2, 8, 33_040]);
    assert_eq!(of("10.0.0.2", "198.51.100.1"), [0, 0, 1, 2, 6, 28_509]);
    assert_eq!(of("10.0.0.3", "198.51.100.1"), [0, 1, 2, 3, 10, 44_511]);
    assert_eq!(of("10.0.0.1", "198.51.100.2"), [0, 1, 2, 4, 13, 55_759]);
    assert_eq!(of("10.0.0.1", "198.51.100.3"), [0, 1, 2, 3, 11, 46_324]);
    assert_eq!(of("10.0.0.1", "141.81.109.20"), [0, 0, 0, 0, 2, 9_801]);
    assert_eq!(of("10.0.0.1", "0.0.0.0"), [0, 0, 0, 1, 4, 17_629]);
}

#[test]
fn the_address_of_a_flow_is_that_of_its_hash_and_no_other() {
    let two = nat(2, "10.0.0.1-10.0.0.2", on_demand("40000-40001"));
    let linux = LinuxLike::new(&two);
    let addresses = |flow| linux.addressed(flow).unwrap().addresses().to_vec();
    assert_eq!(addresses(flow(1, 443)), two.virtual_ips[1..]);
    let other = read("tcp 10.0.0.2:1 > 198.51.100.1:443");
    assert_eq!(addresses(other), two.virtual_ips[..1]);
    let stranger = read("tcp 10.0.0.9:1 > 198.51.100.1:443");
    assert_eq!(linux.addressed(stranger), None);
    assert_eq!(linux.taken_by_a_refusal(stranger), None);
    assert_eq!(linux.clone().bind(stranger), Err(Refusal::NotInPool));
    let full = |port| LinuxLike::bind(&mut linux.clone(), flow(port, 443)).unwrap().address;
    assert_eq!((1..9).map(full).collect::<Vec<_>>(), [two.virtual_ips[1].0; 8]);
}

#[test]
fn a_full_address_refuses_while_another_is_empty() {
    let mut linux = LinuxLike::new(&nat(2, "10.0.0.1", on_demand("40000-40001")));
    let binding = |linux: &mut LinuxLike, port| {
        linux.bind(flow(port, 443)).map(|external| Binding { flow: flow(port, 443), external })
    };
    let [first, _] = [1, 2].map(|port| binding(&mut linux, port).unwrap());
    assert_eq!(linux.allowed(flow(3, 443)), Allowed { endpoints: vec![], refusal: true });
    assert_eq!(binding(&mut linux, 3), Err(Refusal::GaveUp));
    assert_eq!(linux.probes(), Some(2));
    linux.release(first);
    assert_eq!(binding(&mut linux, 3).unwrap().external, first.external);
}

#[test]
fn the_newest_mapping_is_used_again_towards_another_destination() {
    let mut linux = LinuxLike::new(&pool(8));
    let adopt = |linux: &mut LinuxLike, destination, port| {
        linux.adopt(Binding { flow: flow(7, destination), external: at(port) });
    };
    adopt(&mut linux, 1, 40_003);
    adopt(&mut linux, 2, 40_001);
    assert_eq!(linux.mappings(flow(7, 9)), [at(40_003), at(40_001)]);
    assert_eq!(linux.allowed(flow(7, 3)), Allowed::only(at(40_001)));
    assert_eq!(linux.bind(flow(7, 3)), Ok(at(40_001)));
    assert_eq!(linux.probes(), Some(0));
    assert_eq!(linux.reused(flow(8, 3)), None);
    assert_eq!(linux.reused(read("udp 10.0.0.1:7 > 198.51.100.1:3")), None);
    linux.release(Binding { flow: flow(7, 3), external: at(40_001) });
    linux.release(Binding { flow: flow(7, 2), external: at(40_001) });
    assert_eq!(linux.reused(flow(7, 3)), Some(at(40_003)));
    linux.release(Binding { flow: flow(7, 1), external: at(40_003) });
    assert_eq!(linux.mappings(flow(7, 9)), []);
    assert_eq!(linux, LinuxLike::new(&pool(8)));
}

/// Older mappings are not tried, though the oldest is free towards the destination.
#[test]
fn where_the_newest_mapping_is_taken_the_older_ones_are_not_tried() {
    let mut linux = holding(&pool(4), [40_002]);
    linux.adopt(Binding { flow: flow(7, 1), external: at(40_000) });
    linux.adopt(Binding { flow: flow(7, 2), external: at(40_002) });
    assert_eq!(linux.reused(flow(7, 443)), None);
    let endpoints = [40_000, 40_001, 40_003].map(at).to_vec();
    assert_eq!(linux.allowed(flow(7, 443)), Allowed { endpoints, refusal: false });
}

#[test]
fn a_port_of_the_pool_is_kept_if_it_is_free() {
    let mut linux = holding(&pool(4), [40_002]);
    let rival = |port| read(&format!("tcp 10.0.0.2:{port} > 198.51.100.1:443"));
    for port in [40_000, 40_003] {
        assert_eq!(linux.allowed(rival(port)), Allowed::only(at(port)));
    }
    for port in [39_999, 40_002, 40_004] {
        assert_eq!(linux.preserved(rival(port)), None);
        assert_eq!(linux.allowed(rival(port)).endpoints.len(), 3);
    }
    assert_eq!(linux.bind(rival(40_001)), Ok(at(40_001)));
    assert_eq!(linux.exact(flow(40_002, 444)), Some(at(40_002)));
}

/// A mapping used again comes before a port kept.
#[test]
fn reuse_comes_before_preservation() {
    let mut linux = LinuxLike::new(&pool(4));
    linux.adopt(Binding { flow: flow(40_000, 443), external: at(40_001) });
    assert_eq!(linux.preserved(flow(40_000, 444)), Some(at(40_000)));
    assert_eq!(linux.exact(flow(40_000, 444)), Some(at(40_001)));
}

/// Whether a pool may refuse in which so many ports, the last ones, are free.
fn may_refuse(ports: u32, free: u32) -> bool {
    let held = u16::try_from(40_000 + ports - free).unwrap();
    holding(&pool(ports), 40_000..held).searched(flow(7, 443)).refusal
}

#[test]
fn one_window_of_a_power_of_two_misses_nothing() {
    for ports in [1, 2, 4, 64, 128] {
        assert!(may_refuse(ports, 0) && !may_refuse(ports, 1), "{ports}");
    }
}

/// Where 65,536 is a multiple of the ports, 128 taken ports in a row are needed.
#[test]
fn a_search_gives_up_where_128_ports_in_a_row_are_taken() {
    assert!(may_refuse(256, 128) && !may_refuse(256, 129));
    let every_second = holding(&pool(256), (40_000..40_256).step_by(2));
    assert!(!every_second.searched(flow(7, 443)).refusal);
    let round_the_end = holding(&pool(200), (40_000..40_064).chain(40_136..40_200));
    assert!(round_the_end.searched(flow(7, 443)).refusal);
}

/// Elsewhere fewer are enough: a window that passes 65,535 begins again at the first port, and may
/// look at ports that it has seen. Of 160 ports, 96 and 32 of the same.
#[test]
fn a_window_that_passes_the_last_number_may_see_ports_twice() {
    assert!(may_refuse(160, 64) && !may_refuse(160, 65));
    assert!(may_refuse(129, 5) && !may_refuse(129, 6));
}

/// 65,536 is 36 more than a multiple of 100: a start among the last 100 numbers misses as many of
/// the ports as it has passed, but for those it sees twice.
#[test]
fn one_window_of_another_size_may_miss_a_port() {
    let refusing = |port: u16| {
        let held = (40_000..40_100).filter(|held| *held != port);
        holding(&pool(100), held).searched(flow(7, 443)).refusal
    };
    let missed: Vec<u16> = (40_000..40_100).filter(|port| refusing(*port)).collect();
    assert_eq!(missed, (40_036..40_100).collect::<Vec<_>>());
}

#[test]
fn a_refusal_looks_at_every_window_the_newest_mapping_and_the_inside_port() {
    let taken = |ports, source| LinuxLike::new(&pool(ports)).taken_by_a_refusal(flow(source, 443));
    for (ports, windows) in [(2, 2), (100, 100), (128, 128), (129, 248), (1024, 248)] {
        assert_eq!(taken(ports, 7), Some(windows), "{ports}");
        assert_eq!(taken(ports, 40_000), Some(windows + 1), "{ports}");
    }
    assert_eq!((taken(1, 7), taken(1, 40_000)), (Some(1), Some(0)));
    let with_a_mapping = |ports, source| {
        let mut linux = LinuxLike::new(&pool(ports));
        linux.adopt(Binding { flow: flow(source, 1), external: at(40_000) });
        linux.taken_by_a_refusal(flow(source, 443))
    };
    assert_eq!(with_a_mapping(64, 7), Some(65));
    assert_eq!(with_a_mapping(64, 40_000), Some(66));
    assert_eq!(with_a_mapping(1, 40_000), Some(1));
}

/// In a full pool every search gives up, and says that there is nothing only if it looked at all.
#[test]
fn only_who_has_looked_at_everything_says_that_there_is_nothing() {
    for (ports, refusal, probes) in
        [(64, Refusal::Exhausted, 64), (128, Refusal::Exhausted, 128), (129, Refusal::GaveUp, 248)]
    {
        let mut full = holding(&pool(ports), (40_000..).take(ports as usize));
        assert_eq!(full.bind(flow(7, 443)), Err(refusal));
        assert_eq!(full.probes(), Some(probes));
    }
}

/// One in four of 256 ports is free: the first window finds one, from any start.
#[test]
fn a_search_takes_the_first_free_port_from_its_start() {
    let mut linux = holding(&pool(256), (40_000..40_256).filter(|port| port % 4 != 0));
    let external = linux.bind(flow(7, 443)).unwrap();
    assert_eq!(external.port % 4, 0);
    assert!((1..=4).contains(&linux.probes().unwrap()));
    let mut again = holding(&pool(256), (40_000..40_256).filter(|port| port % 4 != 0));
    assert_eq!(again.bind(flow(7, 443)), Ok(external));
    let other_seed = pool(256).with(|it| it.selection = Selection::Random(1)).unwrap();
    let mut other = LinuxLike::new(&other_seed);
    assert_ne!(other.bind(flow(7, 443)), LinuxLike::new(&pool(256)).bind(flow(7, 443)));
}

#[test]
fn a_new_configuration_moves_the_pool_and_forgets_nothing() {
    let mut linux = holding(&pool(2), [40_000]);
    linux.reconfigure(&pool(4));
    assert_eq!(linux.searched(flow(7, 443)).endpoints, [40_001, 40_002, 40_003].map(at));
}

#[test]
fn an_answer_is_allowed_by_what_it_is_and_not_by_its_reason() {
    let some = Allowed { endpoints: vec![at(1), at(2)], refusal: false };
    assert!(some.contains(Ok(at(2))) && !some.contains(Ok(at(3))));
    assert!(!some.contains(Err(Refusal::Exhausted)));
    let none = Allowed { endpoints: vec![], refusal: true };
    assert!(none.contains(Err(Refusal::GaveUp)) && none.contains(Err(Refusal::Exhausted)));
    assert!(!none.contains(Ok(at(1))));
}

proptest! {
    /// What it chooses by itself is what it allows.
    #[test]
    fn its_own_answer_is_always_allowed(
        ports in 1_u32..200,
        steps in prop::collection::vec((0_u16..260, 440_u16..443, any::<bool>()), 1..300),
        seed in any::<u64>(),
    ) {
        let nat = pool(ports).with(|it| it.selection = Selection::Random(seed)).unwrap();
        let mut linux = LinuxLike::new(&nat);
        let mut live: Vec<Binding> = Vec::new();
        for (source, destination, closes) in steps {
            let flow = flow(39_950 + source, destination);
            let held = live.iter().position(|binding| binding.flow == flow);
            match held {
                Some(index) if closes => linux.release(live.remove(index)),
                Some(_) => {}
                None => {
                    let allowed = linux.allowed(flow);
                    let answer = linux.bind(flow);
                    prop_assert!(allowed.contains(answer), "{answer:?} {allowed:?}");
                    live.extend(answer.ok().map(|external| Binding { flow, external }));
                }
            }
        }
    }
}
