//! Which ports are whose, for every pool size, every policy and every one of the 65,536 ports.

use std::net::Ipv4Addr;

use natlaw_model::flow::Endpoint;
use natlaw_model::nat::{Member, Nat, Owner, Pool, PortPolicy};
use natlaw_model::ports::PortBlock;
use natlaw_model::tiers::{Tier, TierTable, block_of_slot};

use crate::{doubling, fixed, guaranteed, manual, nat, on_demand, read, virtual_ips};

/// The rows of the story "Scaling past Port Exhaustion": smallest pool, largest pool, ports.
const OF_THE_STORY: [(usize, usize, u16); 6] = [
    (1, 50, 1_024),
    (51, 100, 512),
    (101, 200, 256),
    (201, 400, 128),
    (401, 800, 64),
    (801, 1_000, 32),
];

const MEMBERS_MAX: usize = 1_000;

/// The story's table with this many members from `10.0.0.0` on.
fn tiered(addresses: u8, members: usize) -> Nat {
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 0), members).unwrap();
    nat(addresses, &pool.to_string(), PortPolicy::Tiered(TierTable::of_the_story()))
}

/// The block of each slot in a pool of this size.
fn layout(members: usize) -> Vec<PortBlock> {
    let ports = TierTable::of_the_story().ports_for(members).unwrap();
    (0..members).map(|slot| block_of_slot(slot, ports).unwrap()).collect()
}

/// Every size at which a tier of the story begins, but the first.
fn boundaries() -> Vec<usize> {
    OF_THE_STORY[1..].iter().map(|(members_min, ..)| *members_min).collect()
}

#[test]
fn the_table_of_the_story_is_the_table_of_the_story() {
    let table = TierTable::of_the_story();
    for (members_min, members_max, ports) in OF_THE_STORY {
        assert_eq!(table.ports_for(members_min), Ok(ports), "{members_min} members");
        assert_eq!(table.ports_for(members_max), Ok(ports), "{members_max} members");
    }
    assert_eq!(table.members_max(), 1_000);
    assert_eq!(
        table.to_string(),
        "1-50: 1024, 51-100: 512, 101-200: 256, 201-400: 128, 401-800: 64, 801-1000: 32"
    );
}

#[test]
fn a_pool_outside_the_table_is_refused_with_its_size_and_the_range() {
    let table = TierTable::of_the_story();
    for members in [0, 1_001, usize::MAX] {
        assert_eq!(
            table.ports_for(members).unwrap_err().to_string(),
            format!(
                "a pool of {members} members is outside the tier table, which goes from 1 to 1000"
            )
        );
    }
}

#[test]
fn a_table_that_cannot_be_laid_out_is_refused() {
    let order = |members: u16| {
        format!("the tier up to {members} members does not begin where the tier before it ends")
    };
    let ports = |members: u16, ports: u16| {
        format!(
            "the tier up to {members} members has {ports} ports: blocks are cut from 1024, so \
             ports are a power of two from 32 to 1024 and never grow"
        )
    };
    let members = |members: u16, ports: u16| {
        format!("{members} members x {ports} ports do not fit: 50 x 1024 ports are laid out")
    };
    for (text, expected) in [
        ("2-50: 1024", order(50)),
        ("0-50: 1024", order(50)),
        ("1-0: 1024", order(0)),
        ("1-50: 1024, 50-100: 512", order(100)),
        ("1-50: 1024, 52-100: 512", order(100)),
        ("1-50: 1024, 51-50: 512", order(50)),
        ("1-65535: 32, 65536-65535: 32", refused_shape("1-65535: 32, 65536-65535: 32")),
        ("1-50: 0", ports(50, 0)),
        ("1-50: 16", ports(50, 16)),
        ("1-50: 1000", ports(50, 1000)),
        ("1-50: 2048", ports(50, 2048)),
        ("1-50: 512, 51-100: 1024", ports(100, 1024)),
        ("1-51: 1024", members(51, 1024)),
        ("1-50: 1024, 51-101: 512", members(101, 512)),
        ("1-1601: 32", members(1601, 32)),
    ] {
        assert_eq!(text.parse::<TierTable>().unwrap_err().to_string(), expected, "{text}");
    }
    let none = TierTable::new(Vec::new()).unwrap_err().to_string();
    assert_eq!(none, "a tier table needs at least one tier");
    let shrinking = [(100, 512), (50, 256)];
    let shrinking = shrinking.map(|(members_max, ports)| Tier { members_max, ports });
    assert_eq!(TierTable::new(shrinking.to_vec()).unwrap_err().to_string(), order(50));
}

fn refused_shape(text: &str) -> String {
    format!(
        "`{text}` is no tier table: write pool sizes and ports, such as `1-50: 1024, 51-100: 512`"
    )
}

#[test]
fn the_smallest_blocks_fill_the_layout_to_the_last_port() {
    let table: TierTable = read("1-1600: 32");
    let blocks: Vec<_> = (0..1_600).map(|slot| block_of_slot(slot, 32).unwrap()).collect();
    assert_eq!(table.ports_for(1_600), Ok(32));
    assert_eq!(blocks.iter().map(|block| block.len()).sum::<u32>(), 50 * 1_024);
    assert_are_disjoint(&blocks);
    assert_eq!(block_of_slot(1_600, 32), None);
    assert_eq!(block_of_slot(50, 1_024), None);
    assert_eq!(block_of_slot(usize::MAX, 32), None);
}

#[test]
fn a_block_of_no_ports_is_no_block() {
    assert_eq!(block_of_slot(0, 0), None);
}

#[test]
fn the_blocks_of_every_pool_are_disjoint_inside_the_layout_and_of_the_tier_size() {
    let inside = PortBlock::new(1_024, 52_223).unwrap();
    for members in 1..=MEMBERS_MAX {
        let (_, _, ports) = *OF_THE_STORY.iter().find(|(_, last, _)| members <= *last).unwrap();
        let blocks = layout(members);
        assert_eq!(blocks.len(), members);
        assert!(blocks.iter().all(|block| inside.covers(*block)), "{members} members");
        assert!(blocks.iter().all(|block| block.len() == u32::from(ports)), "{members} members");
        assert_are_disjoint(&blocks);
    }
}

fn assert_are_disjoint(blocks: &[PortBlock]) {
    let mut sorted = blocks.to_vec();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        assert!(pair[0].last() < pair[1].first(), "{} and {}", pair[0], pair[1]);
    }
}

#[test]
fn a_translator_gives_each_slot_the_block_of_the_layout_on_every_virtual_ip() {
    for members in 1..=MEMBERS_MAX {
        let nat = tiered(3, members);
        let blocks = (0..members).map(|slot| nat.block_of(slot).unwrap());
        let (addresses, blocks): (Vec<_>, Vec<_>) = blocks.unzip();
        assert_eq!(blocks, layout(members));
        assert!(addresses.into_iter().all(|addresses| addresses == virtual_ips(3)));
        assert_eq!(nat.ports_per_member(), Some(blocks[0].len()));
    }
}

#[test]
fn no_block_moves_when_a_member_joins_inside_a_tier() {
    for members in (1..MEMBERS_MAX).filter(|members| !boundaries().contains(&(members + 1))) {
        assert_eq!(layout(members), layout(members + 1)[..members], "{members} and one more");
    }
}

#[test]
fn across_a_boundary_each_member_keeps_exactly_the_smaller_of_its_two_blocks() {
    for members in boundaries() {
        let (before, after) = (layout(members - 1), layout(members));
        for (before, after) in before.iter().zip(&after) {
            assert!(before.covers(*after), "{members} members: {before} became {after}");
            assert!(before.len() > after.len());
        }
    }
}

/// Slots by hand: the first columns, and the rows that halving makes.
#[test]
fn slots_begin_where_the_module_says() {
    let first = |slot, ports| block_of_slot(slot, ports).unwrap().to_string();
    assert_eq!(first(0, 1_024), "1024-2047");
    assert_eq!(first(1, 1_024), "2048-3071");
    assert_eq!(first(49, 1_024), "51200-52223");
    assert_eq!(first(0, 512), "1024-1535");
    assert_eq!(first(50, 512), "1536-2047");
    assert_eq!(first(99, 512), "51712-52223");
    assert_eq!(first(100, 256), "1280-1535");
    assert_eq!(first(150, 256), "1792-2047");
    assert_eq!(first(999, 32), "52000-52031");
}

/// The arithmetic of `owner` and the membership of blocks are two ways to say the same, on every
/// virtual IP and for all 65,536 ports.
fn assert_owners_are_those_of_blocks(nat: &Nat) {
    for vip in &nat.virtual_ips {
        let mut expected = vec![Owner::Nobody; 65_536];
        for member in nat.pool.members() {
            let (addresses, block) = nat.block_of(nat.pool.slot_of(member).unwrap()).unwrap();
            let ports = usize::from(block.first())..=usize::from(block.last());
            for owner in expected[ports].iter_mut().filter(|_| addresses.contains(vip)) {
                assert_eq!(*owner, Owner::Nobody, "two members share a port");
                *owner = Owner::Member(member);
            }
        }
        let actual = (0..=u16::MAX).map(|port| nat.owner(Endpoint::new(vip.0, port)));
        assert!(actual.eq(expected), "{nat}");
    }
}

/// All ports of an address have this owner.
fn assert_owner_throughout(nat: &Nat, address: &str, expected: Owner) {
    let address: Ipv4Addr = read(address);
    assert!((0..=u16::MAX).all(|port| nat.owner(Endpoint::new(address, port)) == expected));
}

/// An owner as a person would say it.
fn owner(nat: &Nat, endpoint: &str) -> String {
    nat.owner(read(endpoint)).to_string()
}

#[test]
fn the_owner_of_every_tiered_port_is_the_member_whose_block_holds_it() {
    let near_boundaries = boundaries().into_iter().flat_map(|size| size - 2..=size);
    for members in near_boundaries.chain([1, 2, 999, 1_000]) {
        assert_owners_are_those_of_blocks(&tiered(1, members));
    }
    assert_owners_are_those_of_blocks(&tiered(3, 51));
}

#[test]
fn the_ports_of_a_hole_belong_to_nobody() {
    for members in [51, 101, 1_000] {
        let full = tiered(1, members);
        let stays = |slot: usize| slot % 3 != 1 || slot == members - 1;
        let slots = full.pool.slots().iter().enumerate();
        let slots = slots.map(|(slot, member)| member.filter(|_| stays(slot))).collect();
        let with_holes = full.with(|it| it.pool = Pool::new(slots).unwrap()).unwrap();
        assert_eq!(with_holes.ports_per_member(), full.ports_per_member());
        assert_owners_are_those_of_blocks(&with_holes);
        assert_eq!(owner(&full, "203.0.113.1:2048"), "10.0.0.1");
        assert_eq!(owner(&with_holes, "203.0.113.1:2048"), "nobody");
        assert_eq!(owner(&with_holes, "203.0.113.1:3072"), "10.0.0.2");
    }
}

#[test]
fn the_owner_of_every_fixed_port_is_the_member_whose_block_holds_it() {
    let three = fixed(100, "1000-1349");
    for nat in [
        nat(2, "10.0.0.1-10.0.0.3", three.clone()),
        nat(1, "hole, 10.0.0.2, hole", three),
        nat(1, "10.0.0.1", fixed(65_535, "1-65535")),
        nat(1, "10.0.0.1-10.0.0.10", fixed(1, "65526-65535")),
        nat(1, "10.0.0.1-10.0.0.100", fixed(640, "1024-65535")),
    ] {
        assert_owners_are_those_of_blocks(&nat);
    }
}

#[test]
fn fixed_blocks_follow_one_another_and_what_remains_is_nobodys() {
    let nat = nat(2, "10.0.0.1-10.0.0.3", fixed(100, "1000-1349"));
    for address in ["203.0.113.1", "203.0.113.2"] {
        for (port, expected) in [
            (999, "nobody"),
            (1_000, "10.0.0.1"),
            (1_099, "10.0.0.1"),
            (1_100, "10.0.0.2"),
            (1_200, "10.0.0.3"),
            (1_299, "10.0.0.3"),
            (1_300, "nobody"),
            (1_349, "nobody"),
        ] {
            assert_eq!(owner(&nat, &format!("{address}:{port}")), expected, "{port}");
        }
    }
}

#[test]
fn the_owner_of_every_manual_port_is_the_member_whose_block_holds_it() {
    for nat in [
        nat(3, "10.0.0.1-10.0.0.16", manual(10_000, "1024-65023")),
        nat(3, "10.0.0.1, hole, 10.0.0.3-10.0.0.6, hole, 10.0.0.7", manual(10_000, "1024-65023")),
        nat(2, "10.0.0.1-10.0.0.3", manual(24, "1024-1077")),
        nat(1, "10.0.0.1", manual(65_528, "8-65535")),
        nat(2, "10.0.0.1-10.0.63.64", manual(8, "1-65535")),
    ] {
        assert_owners_are_those_of_blocks(&nat);
    }
}

#[test]
fn manual_blocks_fill_one_address_after_the_other_and_straddle_none() {
    let nat = nat(3, "10.0.0.1-10.0.0.5", manual(24, "1024-1077"));
    for (endpoint, expected) in [
        ("203.0.113.1:1023", "nobody"),
        ("203.0.113.1:1024", "10.0.0.1"),
        ("203.0.113.1:1048", "10.0.0.2"),
        ("203.0.113.1:1071", "10.0.0.2"),
        ("203.0.113.1:1072", "nobody"),
        ("203.0.113.1:1077", "nobody"),
        ("203.0.113.2:1024", "10.0.0.3"),
        ("203.0.113.2:1071", "10.0.0.4"),
        ("203.0.113.3:1024", "10.0.0.5"),
        ("203.0.113.3:1048", "nobody"),
    ] {
        assert_eq!(owner(&nat, endpoint), expected, "{endpoint}");
    }
    assert_eq!(nat.ports_per_member(), Some(24));
}

#[test]
fn ports_on_demand_are_shared_and_the_others_are_nobodys() {
    let nat = nat(2, "10.0.0.1-10.0.0.2", on_demand("1024-2047"));
    for vip in virtual_ips(2) {
        for port in 0..=u16::MAX {
            let shared = (1_024..=2_047).contains(&port);
            let expected = if shared { Owner::Shared } else { Owner::Nobody };
            assert_eq!(nat.owner(Endpoint::new(vip.0, port)), expected);
        }
    }
    assert_eq!(owner(&nat, "203.0.113.1:1024"), "shared");
    assert_eq!(nat.ports_per_member(), None);
}

#[test]
fn a_static_address_is_its_members_and_one_to_spare_is_nobodys() {
    let nat = nat(4, "10.0.0.1, hole, 10.0.0.3", PortPolicy::Static);
    assert_owner_throughout(&nat, "203.0.113.1", Owner::Member(Member(read("10.0.0.1"))));
    assert_owner_throughout(&nat, "203.0.113.2", Owner::Nobody);
    assert_owner_throughout(&nat, "203.0.113.3", Owner::Member(Member(read("10.0.0.3"))));
    assert_owner_throughout(&nat, "203.0.113.4", Owner::Nobody);
    assert_eq!(nat.ports_per_member(), None);
}

#[test]
fn a_dynamic_address_follows_the_lease() {
    let nat = nat(2, "10.0.0.1-10.0.0.3", PortPolicy::Dynamic);
    assert_owner_throughout(&nat, "203.0.113.1", Owner::Lease);
    assert_owner_throughout(&nat, "203.0.113.2", Owner::Lease);
    assert_eq!(owner(&nat, "203.0.113.1:1"), "whoever leases it");
}

#[test]
fn what_is_no_virtual_ip_is_nobodys() {
    let pool = "10.0.0.1-10.0.0.2";
    let tiered = PortPolicy::Tiered(TierTable::of_the_story());
    for ports in [
        tiered,
        fixed(8, "1-65535"),
        manual(8, "1-65535"),
        on_demand("1-65535"),
        guaranteed(8, "1-1023", "1024-65535"),
        doubling(8, 16, "1-65535"),
        PortPolicy::Static,
        PortPolicy::Dynamic,
    ] {
        let nat = nat(2, pool, ports);
        for address in ["203.0.113.3", "203.0.113.0", "10.0.0.1", "0.0.0.0", "255.255.255.255"] {
            assert_owner_throughout(&nat, address, Owner::Nobody);
        }
    }
}
