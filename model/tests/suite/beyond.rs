//! Ports beyond a member's own: shared ones beyond a guarantee, and further blocks.

use std::hash::BuildHasher;

use itertools::Itertools as _;
use natlaw_model::allocator::{Bitmap, Budget, FirstFit, PortAllocator, Probing, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{
    AddressPooling, Candidates, Doubling, Event, HoldDown, Lease, Ledger, Member, Nat, Outcome,
    Owner, Pool, PortPolicy, Selection, Signal, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Device, Subject};
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use rustc_hash::FxBuildHasher;

use crate::translator::{Stage, with};
use crate::{configuration, doubling, guaranteed, nat, on_demand, read};

const TWO: &str = "10.0.0.1-10.0.0.2";

/// Two members with two guaranteed ports each, and two shared ones on each of two addresses.
fn app_service() -> Nat {
    with(2, TWO, guaranteed(2, "1024-1027", "2000-2001"), |it| {
        it.timers.hold_down.finish = read("3s");
    })
}

/// One address with fourteen ports, leased in blocks of two, two, four and eight.
fn dynamic() -> Nat {
    with(1, TWO, doubling(2, 16, "1024-1037"), |it| {
        it.timers.hold_down.finish = read("3s");
        it.timers.idle.tcp = Duration::from_secs(240).into();
    })
}

fn flow(member: u8, port: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.{member}:{port} > 198.51.100.1:443"))
}

fn at(endpoint: &str) -> Endpoint {
    read(endpoint)
}

fn lease(block: &str) -> Lease {
    Lease { virtual_ip: VirtualIp(read("203.0.113.1")), block: read(block) }
}

/// Opens flows of a member from this port on, and answers what they are given.
fn opened(device: &mut impl Device<Nat>, member: u8, ports: std::ops::Range<u16>) -> Vec<String> {
    let open = |port| Event::outbound(flow(member, port), Signal::Open);
    let answers = ports.map(|port| device.step(&open(port)));
    let told = answers.map(|outcome| match outcome {
        Outcome::Forwarded(sent) => sent.source.to_string(),
        other => other.to_string(),
    });
    told.collect()
}

#[test]
fn a_member_has_its_guarantee_whatever_the_others_hold() {
    Stage::of(&app_service()).play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:2000 > 198.51.100.1:443
        outbound tcp 10.0.0.1:4 > 198.51.100.1:443 open => forwarded 203.0.113.1:2001 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.2:2000 > 198.51.100.1:443
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => forwarded 203.0.113.2:2001 > 198.51.100.1:443
        outbound tcp 10.0.0.1:7 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
        outbound tcp 10.0.0.2:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1027 > 198.51.100.1:443
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 finish => forwarded 203.0.113.1:2000 > 198.51.100.1:443
        elapse 3s
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:2000 > 198.51.100.1:443
        outbound tcp 10.0.0.1:7 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:8 > 198.51.100.1:443 open => refused: exhausted
        ",
    );
}

/// The port of another destination, and of another transport, is its own first.
#[test]
fn a_guarantee_is_one_towards_each_destination() {
    Stage::of(&app_service()).play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:80 open => forwarded 203.0.113.1:1024 > 198.51.100.1:80
        outbound udp 10.0.0.1:3 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:2000 > 198.51.100.1:443
        ",
    );
}

#[test]
fn a_guaranteed_port_is_its_members_and_a_shared_one_everybodys() {
    let nat = app_service();
    for (endpoint, expected) in [
        ("203.0.113.1:1023", Owner::Nobody),
        ("203.0.113.1:1024", Owner::Member(Member(read("10.0.0.1")))),
        ("203.0.113.1:1025", Owner::Member(Member(read("10.0.0.1")))),
        ("203.0.113.1:1026", Owner::Member(Member(read("10.0.0.2")))),
        ("203.0.113.1:1028", Owner::Nobody),
        ("203.0.113.2:1024", Owner::Nobody),
        ("203.0.113.1:1999", Owner::Nobody),
        ("203.0.113.1:2000", Owner::Shared),
        ("203.0.113.2:2001", Owner::Shared),
        ("203.0.113.2:2002", Owner::Nobody),
        ("203.0.113.3:2000", Owner::Nobody),
    ] {
        assert_eq!(nat.owner(at(endpoint)), expected, "{endpoint}");
    }
    assert_eq!(nat.ports_per_member(), Some(2));
}

/// The first two of the second member, and then the four that all share.
#[test]
fn candidates_are_numbered_through_the_guarantee_and_beyond() {
    let nat = app_service();
    let candidates = nat.candidates(flow(2, 1)).unwrap();
    let expected: Vec<Endpoint> = [
        "203.0.113.1:1026",
        "203.0.113.1:1027",
        "203.0.113.1:2000",
        "203.0.113.1:2001",
        "203.0.113.2:2000",
        "203.0.113.2:2001",
    ]
    .map(at)
    .to_vec();
    assert_eq!(candidates.iter().collect::<Vec<_>>(), expected);
    assert_eq!(candidates.by_address().flat_map(Candidates::iter).collect::<Vec<_>>(), expected);
    assert_eq!((candidates.len(), candidates.first().len()), (6, 2));
    assert_eq!(candidates.beyond().map(Candidates::len), Some(4));
    for (position, endpoint) in expected.iter().enumerate() {
        assert_eq!(candidates.at(position), Some(*endpoint));
        assert_eq!(candidates.position(*endpoint), Some(position));
    }
    assert_eq!(candidates.at(6), None);
    for other in ["203.0.113.1:1025", "203.0.113.2:1026", "203.0.113.1:2002", "203.0.113.3:2000"] {
        assert_eq!(candidates.position(at(other)), None, "{other}");
    }
    let plain = crate::nat(1, TWO, crate::on_demand("1024-1025"));
    let plain = plain.candidates(flow(1, 1)).unwrap();
    assert_eq!((plain.first(), plain.beyond(), plain.at(2)), (plain, None, None));
}

/// Where addresses are paired, the shared ports are those of the member's address.
#[test]
fn a_paired_member_draws_on_the_shared_ports_of_its_address() {
    let paired = app_service().with(|it| it.pooling = AddressPooling::Paired).unwrap();
    assert_eq!(paired.candidates(flow(1, 1)).unwrap().len(), 4);
    let mut device = Translator::new(&paired, Bitmap::new);
    let given = opened(&mut device, 1, 1..6);
    assert_eq!(given[3..], ["203.0.113.1:2001", "refused: exhausted"]);
}

#[test]
fn a_block_is_doubled_when_it_is_used_up() {
    let nat = dynamic();
    let mut device = Translator::new(&nat, Bitmap::new);
    let ports = |first: u16, last: u16| {
        (first..=last).map(|port| format!("203.0.113.1:{port}")).collect::<Vec<_>>()
    };
    assert_eq!(opened(&mut device, 1, 1..5), ports(1024, 1027));
    assert_eq!(opened(&mut device, 2, 1..2), ports(1028, 1028));
    // Four ports from a multiple of four on: the second four are begun by the other member.
    assert_eq!(opened(&mut device, 1, 5..9), ports(1032, 1035));
    // Eight would begin at 1024 or not at all; the other member's next two are 1030 and 1031.
    assert_eq!(opened(&mut device, 1, 9..10), ["refused: exhausted"]);
    assert_eq!(opened(&mut device, 2, 2..5), ports(1029, 1031));
    assert_eq!(opened(&mut device, 2, 5..6), ["refused: exhausted"]);
}

/// Three devices and the ledger know the same leases while blocks are given back.
#[test]
fn blocks_are_given_back_in_the_reverse_order() {
    let nat = dynamic();
    let open = |port| Event::outbound(flow(1, port), Signal::Open);
    let finish = |port| Event::outbound(flow(1, port), Signal::Finish);
    let mut stage = Stage::of(&nat);
    let mut ledger = nat.ledger();
    let mut ask = |ledger: &mut Ledger, event: Event| {
        let outcome = stage.ask(&event);
        Nat::record(ledger, &event, &outcome);
        outcome
    };
    let member = Member(read("10.0.0.1"));
    for port in 1..=5 {
        ask(&mut ledger, open(port));
    }
    let [first, second, third] = ["1024-1025", "1026-1027", "1028-1031"].map(lease);
    assert_eq!(ledger.leases_of(member), [first, second, third]);
    // The second is empty, but the third was added after it.
    for port in [3, 4] {
        ask(&mut ledger, finish(port));
    }
    ask(&mut ledger, Event::Elapse(read("3s")));
    assert_eq!(ledger.leases_of(member), [first, second, third]);
    assert_eq!(ledger.leases().collect::<Vec<_>>(), [first, second, third]);
    // A key at rest keeps its block, and then two are given back at once.
    ask(&mut ledger, finish(5));
    ask(&mut ledger, Event::Elapse(read("2999ms")));
    assert_eq!(ledger.leases_of(member), [first, second, third]);
    ask(&mut ledger, Event::Elapse(read("1ms")));
    assert_eq!(ledger.leases_of(member), [first]);
    let other = ask(&mut ledger, Event::outbound(flow(2, 1), Signal::Open));
    assert_eq!(other, Outcome::Forwarded(flow(2, 1).from(at("203.0.113.1:1026"))));
    // The next one is again of two ports, behind those of the other member.
    let next = ask(&mut ledger, open(6));
    assert_eq!(next, Outcome::Forwarded(flow(1, 6).from(at("203.0.113.1:1028"))));
    assert_eq!(ledger.leases_of(member), [first, lease("1028-1029")]);
    assert_eq!(ledger.leases_of(Member(read("10.0.0.9"))), []);
}

/// The ledger drops what has ended once a thousand events have passed.
#[test]
fn leases_of_what_is_held_are_never_dropped() {
    let nat = dynamic();
    let mut device = Translator::new(&nat, FirstFit::new);
    let mut ledger = nat.ledger();
    for _ in 0..1_100 {
        let open = Event::outbound(flow(1, 1), Signal::Open);
        let outcome = device.step(&open);
        Nat::record(&mut ledger, &open, &outcome);
    }
    assert_eq!(ledger.leases_of(Member(read("10.0.0.1"))), [lease("1024-1025")]);
}

#[test]
fn what_is_looked_at_first_has_nothing_beyond_it() {
    let nat = app_service();
    let all = nat.candidates(flow(1, 1)).unwrap();
    assert_eq!(all.beyond().map(Candidates::len), Some(4));
    assert_eq!(all.first().beyond().map(Candidates::len), None);
    assert_eq!((all.len(), all.first().len()), (6, 2));
}

#[test]
fn a_member_leases_no_more_than_its_maximum() {
    let nat = nat(2, TWO, doubling(2, 4, "1024-1037"));
    let given = |nat: &Nat| opened(&mut Translator::new(nat, Bitmap::new), 1, 1..6);
    assert_eq!(given(&nat)[3..], ["203.0.113.1:1027", "refused: exhausted"]);
    let more = nat.with(|it| it.ports = doubling(2, 8, "1024-1037")).unwrap();
    assert_eq!(given(&more)[3..], ["203.0.113.1:1027", "203.0.113.1:1028"]);
}

/// Another port policy ends all leases; the same one, for another pool, none.
#[test]
fn leases_go_on_as_long_as_the_port_policy_does() {
    let nat = dynamic();
    let others = [
        (nat.with(|it| it.pool = read("10.0.0.1-10.0.0.3")).unwrap(), "203.0.113.1:1025"),
        (nat.with(|it| it.ports = doubling(1, 16, "1024-1037")).unwrap(), "203.0.113.1:1025"),
        (nat.with(|it| it.ports = doubling(2, 16, "1030-1043")).unwrap(), "203.0.113.1:1030"),
    ];
    for (other, expected) in others {
        let mut stage = Stage::of(&nat);
        stage.ask(&Event::outbound(flow(1, 1), Signal::Open));
        stage.ask(&Event::reconfigure(other));
        let next = stage.ask(&Event::outbound(flow(1, 2), Signal::Open));
        assert_eq!(next, Outcome::Forwarded(flow(1, 2).from(at(expected))));
    }
}

/// A binding that a new policy stranded holds the block around it, if it is its member's.
#[test]
fn a_stranded_binding_keeps_the_block_around_it() {
    let nat = with(1, TWO, crate::on_demand("1024-1024"), |it| {
        it.timers.hold_down = HoldDown { reset: Duration::ZERO, ..HoldDown::uniform(read("9s")) };
        it.timers.idle.tcp = Duration::from_secs(2).into();
    });
    let blocks = nat.with(|it| it.ports = doubling(2, 4, "1024-1031")).unwrap();
    let stranded = "tcp 10.0.0.1:1 > 198.51.100.1:443 as 203.0.113.1:1024";
    let mut stage = Stage::of(&nat);
    stage
        .play("outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443")
        .reconfigure(&blocks, &[stranded])
        .play(
            "
            outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            outbound tcp 10.0.0.1:2 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            elapse 1s
            outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
            elapse 8s
            outbound tcp 10.0.0.2:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1027 > 198.51.100.1:443
            outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            ",
        );
}

#[test]
fn blocks_are_counted_from_the_first_usable_port() {
    let doubling = Doubling { minimum: 32, maximum: 65_536, usable: read("1024-65535") };
    assert_eq!(doubling.in_blocks(), PortBlock::ABOVE_WELL_KNOWN);
    let odd = Doubling { minimum: 4, maximum: 8, usable: read("10-23") };
    assert_eq!(odd.in_blocks(), read("10-21"));
    assert_eq!(odd.blocks(4).collect::<Vec<_>>(), ["10-13", "14-17", "18-21"].map(read));
    assert_eq!(odd.blocks(8).collect::<Vec<PortBlock>>(), [read("10-17")]);
    for (port, ports, expected) in [
        (9, 4, None),
        (10, 4, Some("10-13")),
        (13, 4, Some("10-13")),
        (14, 4, Some("14-17")),
        (21, 4, Some("18-21")),
        (22, 4, None),
        (17, 8, Some("10-17")),
        (18, 8, None),
        (10, 0, None),
    ] {
        assert_eq!(odd.block_at(port, ports), expected.map(read), "{port}, {ports}");
    }
    let nat = nat(1, TWO, PortPolicy::Doubling(odd));
    assert_eq!(nat.owner(at("203.0.113.1:21")), Owner::Lease);
    assert_eq!(nat.owner(at("203.0.113.1:22")), Owner::Nobody);
    assert_eq!(nat.owner(at("203.0.113.1:9")), Owner::Nobody);
    assert_eq!((nat.block_of(0), nat.ports_per_member()), (None, None));
}

#[test]
fn the_next_block_is_as_large_as_all_before_it() {
    let doubling = Doubling { minimum: 32, maximum: 128, usable: read("1024-65535") };
    let [a, b, c] = ["1024-1055", "1056-1087", "1088-1151"].map(lease);
    assert_eq!(doubling.next_ports(&[]), Some(32));
    assert_eq!(doubling.next_ports(&[a]), Some(32));
    assert_eq!(doubling.next_ports(&[a, b]), Some(64));
    assert_eq!(doubling.next_ports(&[a, b, c]), None);
    let largest = Doubling { maximum: 65_536, ..doubling };
    let half = lease("1-32768");
    assert_eq!(largest.next_ports(&[half]), Some(32_768));
    assert_eq!(largest.next_ports(&[half, half]), None);
    let nat = nat(1, TWO, PortPolicy::Doubling(doubling));
    assert_eq!(nat.next_lease(&[a, b], at("203.0.113.1:1151")), Some(c));
    assert_eq!(nat.next_lease(&[a, b], at("203.0.113.1:1023")), None);
    assert_eq!(nat.next_lease(&[a, b, c], at("203.0.113.1:1152")), None);
    assert_eq!(app_service().next_lease(&[], at("203.0.113.1:2000")), None);
}

#[test]
fn leases_overlap_on_one_address_only() {
    let [a, b] = ["1024-1055", "1055-1060"].map(lease);
    let elsewhere = Lease { virtual_ip: VirtualIp(read("203.0.113.2")), ..b };
    assert!(a.overlaps(b) && !a.overlaps(elsewhere) && !a.overlaps(lease("1056-1060")));
    assert!(a.contains(at("203.0.113.1:1055")) && !a.contains(at("203.0.113.1:1056")));
    assert!(!a.contains(at("203.0.113.2:1055")));
}

/// What is first and what is second, told by blocks.
#[test]
fn choices_are_the_members_own_and_then_what_nobody_leases() {
    let nat = nat(2, TWO, doubling(2, 16, "1024-1031"));
    let blocks = |choices: Vec<Candidates>| {
        choices
            .iter()
            .map(|one| format!("{} {}", one.addresses()[0], one.block()))
            .collect::<Vec<_>>()
    };
    let [own, others] = ["1026-1027", "1028-1029"].map(lease);
    let second = Lease { virtual_ip: VirtualIp(read("203.0.113.2")), ..own };
    let first = nat.first_choices(flow(1, 1), &[second, own]);
    assert_eq!(blocks(first), ["203.0.113.1 1026-1027", "203.0.113.2 1026-1027"]);
    let next = nat.second_choices(flow(1, 1), &[own], [own, others].into_iter());
    let expected = [
        "203.0.113.1 1024-1025",
        "203.0.113.1 1030-1031",
        "203.0.113.2 1024-1025",
        "203.0.113.2 1026-1027",
        "203.0.113.2 1028-1029",
        "203.0.113.2 1030-1031",
    ];
    assert_eq!(blocks(next), expected);
    let next = nat.second_choices(flow(1, 1), &[own, second], [own, second, others].into_iter());
    assert_eq!(blocks(next), ["203.0.113.2 1028-1031"]);
    assert!(nat.first_choices(flow(9, 1), &[]).is_empty());
    assert!(nat.second_choices(flow(9, 1), &[], std::iter::empty()).is_empty());
}

/// A search that gives up looks at own ports and at shared ones, and gives each in its turn.
#[test]
fn a_search_with_a_budget_gives_nothing_out_of_turn() {
    let nat = app_service();
    for seed in 0..20 {
        let nat = nat.with(|it| it.selection = Selection::Random(seed)).unwrap();
        let mut probing = Probing::new(&nat, Budget::LINUX);
        let given: Vec<u16> =
            (1..=6).map(|port| probing.bind(flow(1, port)).unwrap().port).collect();
        assert!(given[..2].iter().all(|port| *port < 2000), "{given:?}");
        assert!(given[2..].iter().all(|port| *port >= 2000), "{given:?}");
        assert_eq!(probing.bind(flow(1, 7)), Err(Refusal::Exhausted));
    }
}

/// Of draws that may give up, those for the guarantee are passed over once it is used up.
#[test]
fn draws_go_beyond_a_guarantee_that_is_used_up() {
    let nat = app_service().with(|it| it.selection = Selection::RandomTries(1)).unwrap();
    let mut bitmap = Bitmap::new(&nat);
    let mut ports: Vec<u16> = Vec::new();
    while ports.len() < 3 {
        let next = u16::try_from(ports.len()).unwrap();
        match bitmap.bind(flow(1, next)) {
            Ok(external) => ports.push(external.port),
            Err(refusal) => assert_eq!(refusal, Refusal::GaveUp),
        }
    }
    assert!(ports[..2].iter().all(|port| *port < 2000) && ports[2] >= 2000, "{ports:?}");
}

/// Direct calls: an endpoint that is given back twice, or was never given, ends no lease.
#[test]
fn a_release_of_what_is_not_held_ends_no_lease() {
    let nat = dynamic();
    let allocators: [Box<dyn PortAllocator>; 3] = [
        Box::new(FirstFit::new(&nat)),
        Box::new(Bitmap::new(&nat)),
        Box::new(Probing::new(&nat, Budget::LINUX)),
    ];
    for mut allocator in allocators {
        let bind = |allocator: &mut Box<dyn PortAllocator>, member, port| {
            let flow = flow(member, port);
            Binding { flow, external: allocator.bind(flow).unwrap() }
        };
        let one = bind(&mut allocator, 1, 1);
        let two = bind(&mut allocator, 1, 2);
        allocator.release(Binding { flow: flow(1, 9), ..one });
        allocator.release(two);
        allocator.release(two);
        let block = |binding: Binding| binding.external.port / 2;
        assert_ne!(block(bind(&mut allocator, 2, 1)), block(one));
        allocator.release(one);
        let third = bind(&mut allocator, 1, 3);
        assert_eq!(block(third), block(bind(&mut allocator, 1, 4)));
    }
}

/// The sizes of blocks by which the leases of any number of members can be told apart.
#[test]
fn a_thousand_members_lease_their_minimum_and_no_one_more() {
    let mut it = configuration(1, "10.0.0.1", doubling(32, 64, "1024-33023"));
    it.pool = Pool::of_size(read("10.0.0.1"), 1_000).unwrap();
    let nat = Nat::new(it).unwrap();
    let mut bitmap = Bitmap::new(&nat);
    let flow = |member: u16, port: u16| {
        let [high, low] = member.to_be_bytes();
        let destination = at("198.51.100.1:443");
        let source = Endpoint::new([10, 0, high, low].into(), port);
        FiveTuple { source, destination, ..self::flow(1, 1) }
    };
    for member in 1..=1_000 {
        assert_eq!(bitmap.bind(flow(member, 1)).unwrap().port, 1024 + 32 * (member - 1));
    }
    for port in 2..=32 {
        assert!(bitmap.bind(flow(500, port)).is_ok());
    }
    assert_eq!(bitmap.bind(flow(500, 33)), Err(Refusal::Exhausted));
}

#[test]
fn the_obvious_allocator_says_what_it_may_give() {
    let nat = nat(1, TWO, on_demand("1024-1025"));
    let mut allocator = FirstFit::new(&nat);
    let first = allocator.bind(flow(1, 1)).unwrap();
    assert!(!allocator.may_give(flow(2, 1), first), "it is held");
    assert!(allocator.may_give(flow(2, 1), at("203.0.113.1:1025")));
}

/// Two mappings of one endpoint are the same state, whichever came first.
#[test]
fn who_came_first_to_an_endpoint_is_no_part_of_the_state() {
    let nat = nat(1, TWO, on_demand("1024-1025"));
    let towards = |host: u8| read(&format!("tcp 10.0.0.1:1 > 198.51.100.{host}:443"));
    let after = |hosts: [u8; 3]| {
        let mut allocator = FirstFit::new(&nat);
        for host in hosts {
            assert_eq!(allocator.bind(towards(host)), Ok(at("203.0.113.1:1024")));
        }
        FxBuildHasher.hash_one(&allocator)
    };
    assert_eq!(after([1, 2, 3]), after([3, 2, 1]));
    assert_eq!(after([1, 2, 3]), after([2, 3, 1]));
}

#[test]
fn a_shared_port_is_eligible_once_the_guarantee_is_used_up() {
    let nat = app_service();
    let shared = at("203.0.113.1:2000");
    let after = |flows: u16| {
        let (mut device, mut ledger) = (Translator::new(&nat, FirstFit::new), nat.ledger());
        for port in 1..=flows {
            let event = Event::outbound(flow(1, port), Signal::Open);
            Nat::record(&mut ledger, &event, &device.step(&event));
        }
        ledger.is_eligible(flow(1, 9), shared)
    };
    assert!(!after(0) && !after(1), "a port of its own is free");
    assert!(after(2));
    assert!(!after(3), "it is held");
}

#[test]
fn a_block_that_another_member_leases_is_reserved() {
    let nat = dynamic();
    let after = |script: &[Event]| {
        let (mut device, mut ledger) = (Translator::new(&nat, FirstFit::new), nat.ledger());
        for event in script {
            Nat::record(&mut ledger, event, &device.step(event));
        }
        ledger
    };
    let reserved = |script: &[Event], member| after(script).census(flow(member, 9)).reserved;
    let open = Event::outbound(flow(1, 1), Signal::Open);
    let leased = std::slice::from_ref(&open);
    assert_eq!(reserved(&[], 2), 0);
    assert_eq!(reserved(leased, 2), 2, "the neighbour's block");
    assert_eq!(reserved(leased, 1), 0, "its own");
    let close = Event::outbound(flow(1, 1), Signal::Finish);
    let hour = Event::Elapse(read("1h"));
    let hash = |script: &[Event]| FxBuildHasher.hash_one(after(script).relative());
    assert_eq!(hash(&[open.clone(), close, hour.clone()]), hash(std::slice::from_ref(&hour)));
    assert_ne!(hash(leased), hash(&[]));
}

#[test]
fn a_policy_says_which_ports_are_shared_out() {
    let usable = |policy: PortPolicy| policy.usable().iter().join(", ");
    assert_eq!(usable(PortPolicy::Static), "");
    assert_eq!(usable(PortPolicy::Dynamic), "");
    assert_eq!(usable(PortPolicy::Tiered(TierTable::of_the_story())), "1024-65535");
    assert_eq!(usable(on_demand("7-9")), "7-9");
    assert_eq!(usable(guaranteed(2, "1024-1027", "2000-2001")), "1024-1027, 2000-2001");
    assert_eq!(usable(doubling(2, 16, "1024-1037")), "1024-1037");
}
