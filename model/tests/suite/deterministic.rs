//! Deterministic mapping: whose a port is follows from the configuration alone.

use natlaw_model::allocator::{FirstFit, PortAllocator, Refusal};
use natlaw_model::flow::{Endpoint, FiveTuple};
use natlaw_model::nat::{Configuration, Deterministic, Member, Nat, Owner, PortPolicy};
use natlaw_model::ports::PortBlock;

use crate::{configuration, deterministic, nat, read};

fn mapping(members_per_address: u16, shared_blocks: u16, usable: &str) -> Deterministic {
    let members_per_address = members_per_address.try_into().unwrap();
    Deterministic { members_per_address, shared_blocks, usable: read(usable) }
}

fn block(text: &str) -> PortBlock {
    read(text)
}

/// 64,512 ports at a ratio of 126 are blocks of 512.
#[test]
fn the_ports_of_a_member_are_those_of_an_address_by_the_ratio() {
    let ports = |ratio, shared| mapping(ratio, shared, "1024-65535").ports();
    assert_eq!((ports(1, 0), ports(126, 0), ports(127, 0)), (64_512, 512, 507));
    assert_eq!((ports(63, 1), ports(64_512, 0), ports(64_512, 1)), (1008, 1, 0));
    assert_eq!(mapping(1, 0, "0-65535").ports(), u16::MAX, "as many as a block can say");
}

#[test]
fn a_block_follows_from_the_slot() {
    let mapping = mapping(2, 1, "1024-1033");
    assert_eq!(mapping.block_of(0), Some((0, block("1024-1026"))));
    assert_eq!(mapping.block_of(1), Some((0, block("1027-1029"))));
    assert_eq!(mapping.block_of(2), Some((1, block("1024-1026"))));
    assert_eq!(mapping.block_of(5), Some((2, block("1027-1029"))));
    assert_eq!(mapping.shared(), Some(block("1030-1032")));
}

#[test]
fn a_slot_follows_from_the_port() {
    let mapping = mapping(2, 1, "1024-1033");
    let slots = |address| {
        [1023, 1024, 1026, 1027, 1029, 1030, 1033].map(|port| mapping.slot_of(address, port))
    };
    assert_eq!(slots(0), [None, Some(0), Some(0), Some(1), Some(1), None, None]);
    assert_eq!(slots(3), [None, Some(6), Some(6), Some(7), Some(7), None, None]);
}

#[test]
fn nothing_is_shared_where_no_block_is_kept_for_all() {
    assert_eq!(mapping(2, 0, "1024-1033").shared(), None);
    assert_eq!(mapping(3, 2, "1024-1028").shared(), Some(block("1027-1028")));
    assert_eq!(mapping(1, 1, "65534-65535").shared(), Some(block("65535-65535")));
    assert_eq!(mapping(3, 0, "65533-65535").shared(), None);
}

/// Three members at two an address, three ports each and one block for all.
fn carrier() -> Nat {
    nat(2, "10.0.0.1-10.0.0.3", deterministic(2, 1, "1024-1033"))
}

#[test]
fn whose_a_port_is_needs_no_log_but_for_the_shared_ones() {
    let nat = carrier();
    for (endpoint, expected) in [
        ("203.0.113.1:1023", Owner::Nobody),
        ("203.0.113.1:1024", Owner::Member(Member(read("10.0.0.1")))),
        ("203.0.113.1:1029", Owner::Member(Member(read("10.0.0.2")))),
        ("203.0.113.1:1030", Owner::Shared),
        ("203.0.113.1:1033", Owner::Nobody),
        ("203.0.113.2:1026", Owner::Member(Member(read("10.0.0.3")))),
        ("203.0.113.2:1027", Owner::Nobody),
        ("203.0.113.2:1032", Owner::Shared),
        ("203.0.113.3:1024", Owner::Nobody),
    ] {
        assert_eq!(nat.owner(read(endpoint)), expected, "{endpoint}");
    }
    assert_eq!(nat.ports_per_member(), Some(3));
}

#[test]
fn a_member_uses_its_block_and_then_the_shared_ports_of_every_address() {
    let mut allocator = FirstFit::new(&carrier());
    let flow = |member: u8, port: u16| -> FiveTuple {
        read(&format!("tcp 10.0.0.{member}:{port} > 198.51.100.1:443"))
    };
    let at = |text: &str| Ok(read::<Endpoint>(text));
    let given: Vec<_> = (1..=10).map(|port| allocator.bind(flow(3, port))).collect();
    assert_eq!(given[0], at("203.0.113.2:1024"));
    assert_eq!(given[2], at("203.0.113.2:1026"));
    assert_eq!(given[3], at("203.0.113.1:1030"));
    assert_eq!(given[8], at("203.0.113.2:1032"));
    assert_eq!(given[9], Err(Refusal::Exhausted));
    assert_eq!(allocator.bind(flow(1, 1)), at("203.0.113.1:1024"));
}

#[test]
fn a_policy_says_what_it_gives() {
    let told = |mapping| PortPolicy::Deterministic(mapping).to_string();
    assert_eq!(told(mapping(2, 0, "1024-1033")), "5 ports a member by its slot, 2 members on each");
    assert_eq!(
        told(mapping(2, 1, "1024-1033")),
        "3 ports a member by its slot, 2 members on each, 3 more shared by all members"
    );
    let tied = |mapping| PortPolicy::Deterministic(mapping).ties_members_to_one_virtual_ip();
    assert!(tied(mapping(2, 0, "1024-1033")) && !tied(mapping(2, 1, "1024-1033")));
    let goes_beyond = |mapping| PortPolicy::Deterministic(mapping).goes_beyond();
    assert!(!goes_beyond(mapping(2, 0, "1024-1033")) && goes_beyond(mapping(2, 1, "1024-1033")));
    let usable = PortPolicy::Deterministic(mapping(2, 1, "1024-1033")).usable();
    assert_eq!(usable, [block("1024-1033")]);
}

#[test]
fn every_member_needs_a_place_and_every_block_a_port() {
    let refused = |addresses, mapping| {
        let policy = PortPolicy::Deterministic(mapping);
        let written: Configuration = configuration(addresses, "10.0.0.1-10.0.0.3", policy);
        Nat::new(written).map_err(|error| error.to_string()).err()
    };
    assert_eq!(refused(2, mapping(2, 1, "1024-1033")), None);
    assert_eq!(refused(1, mapping(3, 0, "1024-1026")), None);
    assert_eq!(
        refused(1, mapping(2, 1, "1024-1033")).unwrap(),
        "`ports`: 3 members do not fit: 2 an address, x 1 = 2"
    );
    assert_eq!(
        refused(1, mapping(3, 0, "1024-1025")).unwrap(),
        "`ports`: 0 ports a member: each needs at least one"
    );
    assert_eq!(
        refused(1, mapping(3, 0, "0-65535")).unwrap(),
        "`ports`: usable ports 0-65535 begin at 0, which no flow can be given"
    );
}
