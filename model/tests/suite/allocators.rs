//! Allocators by direct calls: what a translator cannot see.

use std::hash::{BuildHasher, Hash};

use itertools::Itertools as _;
use natlaw_model::allocator::{Bitmap, Budget, FirstFit, PortAllocator, Probing, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{AddressPooling, Configuration, Nat, PortReuse, Selection};
use rustc_hash::FxBuildHasher;

use crate::{nat, on_demand, read};

/// Flow number `port` of the one member, to one destination.
fn flow(port: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.1:{port} > 198.51.100.1:443"))
}

fn eight_ports(selection: Selection) -> Nat {
    nat(1, "10.0.0.1", on_demand("1024-1031")).with(|it| it.selection = selection).unwrap()
}

fn bind(allocator: &mut impl PortAllocator, port: u16) -> Binding {
    let flow = flow(port);
    Binding { flow, external: allocator.bind(flow).expect("a free port") }
}

fn hash_of(what: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(what)
}

/// An allocator that says nothing of its probes.
struct Silent(FirstFit);

impl PortAllocator for Silent {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.0.bind(flow)
    }

    fn release(&mut self, binding: Binding) {
        self.0.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.0.reconfigure(nat);
    }
}

#[test]
fn probes_are_told_by_whoever_counts_them() {
    let nat = eight_ports(Selection::LowestFirst);
    let mut silent = Silent(FirstFit::new(&nat));
    let mut boxed: Box<dyn PortAllocator> = Box::new(FirstFit::new(&nat));
    for port in 1..=3 {
        bind(&mut silent, port);
        bind(&mut boxed, port);
        assert_eq!(silent.probes(), None);
        assert_eq!(boxed.probes(), Some(u32::from(port)));
    }
    assert_eq!(Probing::new(&nat, Budget::VPP).probes(), Some(0));
}

/// Draws go on where they were: a change of configuration must not lead back to the same ports.
#[test]
fn a_change_of_configuration_does_not_begin_the_draws_anew() {
    let nat = eight_ports(Selection::Random(1));
    let (mut changed, mut unchanged) = (Bitmap::new(&nat), Bitmap::new(&nat));
    for port in 1..=6 {
        assert_eq!(bind(&mut changed, port), bind(&mut unchanged, port));
        changed.reconfigure(&nat);
    }
}

/// Two allocators are told apart by what they hold, as a search over states needs it.
#[test]
fn what_is_held_is_part_of_the_state() {
    let nat = eight_ports(Selection::LowestFirst);
    let (mut bitmap, mut first_fit) = (Bitmap::new(&nat), FirstFit::new(&nat));
    let empty = (hash_of(&bitmap), hash_of(&first_fit));
    let (one, other) = (bind(&mut bitmap, 1), bind(&mut first_fit, 1));
    assert_ne!(hash_of(&bitmap), empty.0);
    assert_ne!(hash_of(&first_fit), empty.1);
    bitmap.release(one);
    first_fit.release(other);
    assert_eq!((hash_of(&bitmap), hash_of(&first_fit)), empty);
}

/// The first draws of seed 1, once and for all: the generator's own numbers, taken below 8.
#[test]
fn a_seed_draws_the_same_ports_on_every_machine() {
    let mut bitmap = Bitmap::new(&eight_ports(Selection::Random(1)));
    let ports = (1..=6).map(|port| {
        let binding = bind(&mut bitmap, port);
        bitmap.release(binding);
        binding.external.port
    });
    assert_eq!(ports.collect::<Vec<_>>(), [1028, 1029, 1031, 1027, 1027, 1030]);
}

/// Sixteen ports, chosen like this.
fn chosen_by(selection: Selection) -> Bitmap {
    let nat = nat(1, "10.0.0.1", on_demand("1024-1039"));
    Bitmap::new(&nat.with(|it| it.selection = selection).unwrap())
}

/// The ports of so many flows to a host, each given back at once.
fn ports_towards(allocator: &mut Bitmap, host: u8, count: u16) -> Vec<u16> {
    let flow = |port| read(&format!("tcp 10.0.0.1:{port} > 198.51.100.{host}:443"));
    let mut given_back = |flow| {
        let external = allocator.bind(flow).expect("a free port");
        allocator.release(Binding { flow, external });
        external.port
    };
    (1..=count).map(|port| given_back(flow(port))).collect()
}

/// From one port to the next, round the sixteen.
fn steps(ports: &[u16]) -> Vec<u16> {
    ports.windows(2).map(|pair| (pair[1] + 16 - pair[0]) % 16).collect()
}

/// The first ports of key 7 towards eight hosts, once and for all.
#[test]
fn a_key_hashes_to_the_same_ports_on_every_machine() {
    let first = |host| ports_towards(&mut chosen_by(Selection::SimpleHash(7)), host, 1)[0];
    assert_eq!(
        (1..=8).map(first).collect::<Vec<_>>(),
        [1028, 1033, 1037, 1033, 1032, 1033, 1037, 1026]
    );
}

/// RFC 6056 algorithm 3: one counter for all destinations, another place to begin for each.
#[test]
fn a_simple_hash_goes_on_with_every_port() {
    let mut one = chosen_by(Selection::SimpleHash(7));
    assert_eq!(steps(&ports_towards(&mut one, 1, 20)), [1; 19]);
    let begins: Vec<_> = (1..=8)
        .map(|host| ports_towards(&mut chosen_by(Selection::SimpleHash(7)), host, 1)[0])
        .collect();
    assert!(begins.iter().any(|port| *port != begins[0]), "{begins:?}");
    let (mut alone, mut among) =
        (chosen_by(Selection::SimpleHash(7)), chosen_by(Selection::SimpleHash(7)));
    ports_towards(&mut among, 2, 3);
    let (alone, among) = (ports_towards(&mut alone, 1, 1), ports_towards(&mut among, 1, 1));
    assert_eq!((among[0] + 16 - alone[0]) % 16, 3, "the others moved it on");
    let keyed = ports_towards(&mut chosen_by(Selection::SimpleHash(8)), 1, 1);
    assert_ne!(keyed, alone, "another key begins elsewhere");
}

/// RFC 6056 algorithm 4: what goes to other destinations moves few of the others on.
#[test]
fn a_double_hash_goes_on_with_the_ports_of_like_destinations() {
    let mut one = chosen_by(Selection::DoubleHash(7));
    assert_eq!(steps(&ports_towards(&mut one, 1, 20)), [1; 19]);
    let alone = ports_towards(&mut chosen_by(Selection::DoubleHash(7)), 1, 1);
    let unmoved = (2..=33).filter(|host| {
        let mut among = chosen_by(Selection::DoubleHash(7));
        ports_towards(&mut among, *host, 1);
        ports_towards(&mut among, 1, 1) == alone
    });
    assert!((24..32).contains(&unmoved.count()), "about one in sixteen shares its counter");
}

/// RFC 6056 algorithm 5: the next port is one to `step` beyond the last.
#[test]
fn random_increments_are_no_longer_than_they_say() {
    let step = std::num::NonZeroU16::new(3).unwrap();
    let mut allocator = chosen_by(Selection::RandomIncrements { seed: 1, step });
    let steps = steps(&ports_towards(&mut allocator, 1, 60));
    assert_eq!(steps.iter().copied().collect::<std::collections::BTreeSet<_>>(), [1, 2, 3].into());
}

/// RFC 6056 algorithm 2: as many draws as there are ports, and then it gives up; but where it sees
/// that nothing is free it says so.
#[test]
fn random_tries_give_up() {
    let mut allocator = chosen_by(Selection::RandomTries(3));
    let answers: Vec<_> = (1..=60).map(|port| allocator.bind(flow(port))).collect();
    let given = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(given, 16);
    assert!(answers.contains(&Err(Refusal::GaveUp)));
    assert_eq!(answers.last(), Some(&Err(Refusal::Exhausted)));
}

/// What goes round counts from the first port: the counter moves past the port that was taken.
#[test]
fn a_search_that_goes_round_moves_its_counter_past_the_port_it_took() {
    let mut allocator = chosen_by(Selection::SimpleHash(7));
    let ports: Vec<_> = (1..=16).map(|port| allocator.bind(flow(port)).unwrap().port).collect();
    assert_eq!(steps(&ports), [1; 15]);
    for port in 1..=16_u16 {
        let external = Endpoint::new([203, 0, 113, 1].into(), ports[usize::from(port) - 1]);
        allocator.release(Binding { flow: flow(port), external });
    }
    assert_eq!(allocator.bind(flow(20)).unwrap().port, ports[0]);
}

/// A search that had to pass taken ports moves its counter past all of them.
#[test]
fn a_search_counts_the_ports_that_it_passed() {
    let mut allocator = chosen_by(Selection::SimpleHash(7));
    let held: Vec<_> = (1..=16).map(|port| bind(&mut allocator, port)).collect();
    allocator.release(held[2]);
    let third = bind(&mut allocator, 17);
    assert_eq!(third.external, held[2].external, "it began at the first and passed two");
    held.iter().filter(|it| it.external != third.external).for_each(|it| allocator.release(*it));
    assert_eq!(bind(&mut allocator, 18).external, held[3].external);
}

/// The generator is `SplitMix64`, whose first numbers for seed 0 are published with it.
#[test]
fn the_draws_are_those_of_splitmix64() {
    let published: [u64; 5] = [
        0xE220_A839_7B1D_CDAF,
        0x6E78_9E6A_A1B9_65F4,
        0x06C4_5D18_8009_454F,
        0xF88B_B8A8_724C_81EC,
        0x1B39_896A_51A8_749B,
    ];
    let nat = nat(1, "10.0.0.1", on_demand("1-65535"));
    let mut bitmap = Bitmap::new(&nat.with(|it| it.selection = Selection::Random(0)).unwrap());
    for (number, host) in published.into_iter().zip(1..) {
        let flow = read(&format!("tcp 10.0.0.1:1 > 198.51.100.{host}:443"));
        let expected = 1 + (((number >> 32) * 65_535) >> 32);
        assert_eq!(bitmap.bind(flow).map(|it| u64::from(it.port)), Ok(expected));
    }
}

/// Whatever the key, what goes elsewhere begins elsewhere.
#[test]
fn no_key_makes_all_destinations_alike() {
    for key in [0, u64::MAX] {
        let first = |host| ports_towards(&mut chosen_by(Selection::SimpleHash(key)), host, 1)[0];
        assert!((1..=16).map(first).unique().count() > 8, "key {key:x}");
    }
}

/// Eight ports on each of two virtual IPs, of which a paired member has one.
fn paired(selection: Selection) -> Nat {
    let nat = nat(2, "10.0.0.1-10.0.0.2", on_demand("1024-1031"));
    let declare = |it: &mut Configuration| {
        (it.pooling, it.selection) = (AddressPooling::Paired, selection);
    };
    nat.with(declare).unwrap()
}

/// Binds until nothing is free; then gives back and binds by turns, at every occupancy.
fn churned(allocator: &mut impl PortAllocator, member: u8) -> Vec<Result<Endpoint, Refusal>> {
    let (mut held, mut answers) = (Vec::new(), Vec::new());
    for port in 1_u16..=99 {
        let flow = read(&format!("tcp 10.0.0.{member}:{port} > 198.51.100.1:443"));
        while port > 9 && held.len() > 3 + usize::from(port % 5) {
            allocator.release(held.remove(usize::from(port) * 5 % held.len()));
        }
        let answer = allocator.bind(flow);
        held.extend(answer.map(|external| Binding { flow, external }));
        answers.push(answer);
    }
    answers
}

#[test]
fn a_paired_member_is_answered_as_if_its_virtual_ip_were_the_only_one() {
    let of_seed = |seed| [Selection::SimpleHash(seed), Selection::DoubleHash(seed)];
    let selections = (0..20).flat_map(of_seed).chain([Selection::LowestFirst]);
    for (selection, member) in selections.cartesian_product([1_u8, 2]) {
        let pair = paired(selection);
        let own = pair.virtual_ips[usize::from(member) - 1];
        let alone = pair.with(|it| {
            (it.pooling, it.virtual_ips) = (AddressPooling::Arbitrary, vec![own]);
        });
        let actual = churned(&mut Bitmap::new(&pair), member);
        assert_eq!(actual, churned(&mut Bitmap::new(&alone.unwrap()), member), "{selection:?}");
        assert_eq!(actual[8], Err(Refusal::Exhausted), "the other member's are not its own");
    }
}

/// Keys that were bound under other rules of re-use weigh like all others.
#[test]
fn what_is_left_of_another_configuration_counts_as_load() {
    let before = nat(2, "10.0.0.1", on_demand("1024-1031"));
    let before = before.with(|it| it.selection = Selection::Spread).unwrap();
    let after = before.with(|it| it.port_reuse = PortReuse::Never.into()).unwrap();
    let answers = |allocator: &mut dyn PortAllocator| {
        let first = allocator.bind(flow(1)).unwrap();
        allocator.reconfigure(&after);
        [first, allocator.bind(flow(2)).unwrap(), allocator.bind(flow(3)).unwrap()]
    };
    let expected = ["203.0.113.1:1024", "203.0.113.2:1024", "203.0.113.1:1025"].map(read);
    assert_eq!(answers(&mut Bitmap::new(&before)), expected);
    assert_eq!(answers(&mut FirstFit::new(&before)), expected);
}
