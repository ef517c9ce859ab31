//! What a translator has room for, against what is needed.

use natlaw_model::flow::Transport;
use natlaw_model::nat::{
    AddressPooling, Configuration, MappingBehaviour, Nat, PerTransport, Pool, PortPolicy,
    PortReuse, Selection, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_properties::planner::certificate::{PACKETS_MAX, Trial, play};
use natlaw_properties::planner::demand::{Close, Demand, Destination};
use natlaw_properties::planner::envelope::Envelope;
use natlaw_properties::planner::room::{Bound, Scarce, bounds, tightest};

use super::{BURST, balanced, demand, destination, ms};

/// Destinations that need 2, 3 and 4 keys of a member; the last two share their address.
fn three(transport: Transport) -> Demand {
    let close = if transport == Transport::Tcp { Close::Finish } else { Close::Idle };
    let of = |(flows, endpoint): (u64, &str)| {
        let envelope = Envelope {
            flows_max: Some(flows),
            arrivals: None,
            life_min: ms(240_000),
            life_max: ms(240_000),
        };
        let endpoint = endpoint.parse().expect("an endpoint");
        Destination { endpoint, ..destination(transport, envelope, close) }
    };
    let endpoints = [(2, "198.51.100.1:53"), (3, "198.51.100.2:53"), (4, "198.51.100.2:54")];
    let destinations = endpoints.map(of).to_vec();
    Demand { destinations, ..demand(&balanced("", "", BURST)) }
}

/// A pool of four behind two addresses.
fn pool(ports: PortPolicy, change: impl FnOnce(&mut Configuration)) -> Nat {
    let pool = Pool::of_size([10, 0, 0, 1].into(), 4).expect("four members");
    let vips = [1, 2].map(|last| VirtualIp([203, 0, 113, last].into())).to_vec();
    let mut configuration = Configuration::new(vips, pool, ports);
    change(&mut configuration);
    Nat::new(configuration).expect("a configuration")
}

fn own(ports: u16) -> PortPolicy {
    PortPolicy::Fixed { ports, usable: PortBlock::ABOVE_WELL_KNOWN }
}

fn told(bounds: &[Bound]) -> Vec<(Scarce, &[usize], u64, u64)> {
    bounds.iter().map(|it| (it.scarce, it.destinations.as_slice(), it.needed, it.room)).collect()
}

#[test]
fn destinations_share_ports_as_far_as_their_keys_cannot_be_told_apart() {
    let reused = |reuse: PortReuse| {
        let nat = pool(own(8), |nat| nat.port_reuse = PerTransport::from(reuse));
        bounds(&nat, &three(Transport::Tcp))
    };
    let own = Scarce::OwnPorts;
    assert_eq!(
        told(&reused(PortReuse::PerDestination)),
        [(own, &[0][..], 2, 16), (own, &[1], 3, 16), (own, &[2], 4, 16)]
    );
    assert_eq!(
        told(&reused(PortReuse::PerDestinationAddress)),
        [(own, &[0][..], 2, 16), (own, &[1, 2], 7, 16)]
    );
    assert_eq!(told(&reused(PortReuse::Never)), [(own, &[0, 1, 2][..], 9, 16)]);
}

#[test]
fn shared_ports_are_needed_by_all_who_share_them() {
    let block = PortBlock::new(1_024, 1_033).expect("ten ports");
    let ports = || PortPolicy::OnDemand(block);
    let of = |nat: Nat| bounds(&nat, &three(Transport::Tcp)).pop().expect("a bound");
    let all = of(pool(ports(), |_| {}));
    assert_eq!((all.scarce, all.needed, all.room), (Scarce::SharedPorts { members: 4 }, 16, 20));
    let paired = of(pool(ports(), |nat| nat.pooling = AddressPooling::Paired));
    assert_eq!(
        (paired.scarce, paired.needed, paired.room),
        (Scarce::SharedPorts { members: 2 }, 8, 10)
    );
}

/// Where members share ports all of them play.
#[test]
fn what_is_shared_is_played_by_all_who_share_it() {
    let demand = three(Transport::Tcp);
    let all: Vec<&Destination> = demand.destinations.iter().collect();
    let played = |ports: u32| {
        let ports = PortBlock::from_len(1_024, ports).expect("some ports");
        let nat = pool(PortPolicy::OnDemand(ports), |_| {});
        play(&nat, &all, Trial::SharedKeys, PACKETS_MAX).expect("played")
    };
    let enough = played(8);
    assert_eq!((enough.refused, enough.members, enough.keys), (None, 4, 4 * (2 + 3 + 4)));
    let fewer = played(7);
    assert_eq!((fewer.opened, fewer.broken.len()), (14, 0));
    assert!(fewer.refused.is_some());
}

#[test]
fn ports_that_are_never_given_leave_less_room() {
    let nat = pool(own(8), |nat| nat.reserved = vec![PortBlock::single(1_030)]);
    let bound = bounds(&nat, &three(Transport::Tcp)).remove(0);
    assert_eq!(bound.room, 14);
}

#[test]
fn a_member_that_keeps_its_ports_has_all_of_them() {
    let vips = |count: u8| (1..=count).map(|last| VirtualIp([203, 0, 113, last].into())).collect();
    let fixed = pool(own(1), |nat| {
        nat.ports = PortPolicy::Static;
        nat.virtual_ips = vips(4);
    });
    let demand = three(Transport::Tcp);
    assert!(
        bounds(&fixed, &demand).iter().all(|it| (it.scarce, it.room) == (Scarce::OwnPorts, 65_535))
    );
    let leased = pool(PortPolicy::Dynamic, |_| {});
    let bound = bounds(&leased, &demand).pop().expect("a bound");
    assert_eq!((bound.scarce, bound.needed, bound.room), (Scarce::Leases, 4, 2));
    let all: Vec<&Destination> = demand.destinations.iter().collect();
    let played = play(&leased, &all, Trial::SharedKeys, PACKETS_MAX).expect("played");
    assert_eq!(
        played.refused.expect("two members get no address").flow.source.address.octets()[3],
        3
    );
}

#[test]
fn a_limit_binds_where_it_is_met_when_played() {
    type Change = fn(&mut Configuration, u32);
    let limits: [(Scarce, u64, Change); 3] = [
        (Scarce::PortsOfAMember, 5, |nat, limit| nat.limits.ports = Some(limit)),
        (Scarce::BindingsOfAMember, 9, |nat, limit| nat.limits.bindings = Some(limit)),
        (Scarce::FlowsOfAMember, 9, |nat, limit| nat.limits.flows = Some(limit)),
    ];
    let demand = three(Transport::Tcp);
    let all: Vec<&Destination> = demand.destinations.iter().collect();
    for (scarce, needed, change) in limits {
        for limit in [needed, needed - 1] {
            let nat = pool(own(8), |nat| change(nat, u32::try_from(limit).expect("few")));
            let bound = bounds(&nat, &demand).pop().expect("the limit");
            assert_eq!((bound.scarce, bound.needed, bound.room), (scarce, needed, limit));
            let trial = bound.trial().expect("a limit that is counted");
            let played = play(&nat, &all, trial, PACKETS_MAX).expect("played");
            assert_eq!(played.refused.is_some(), limit < needed, "{scarce:?} {limit}");
        }
    }
}

#[test]
fn how_ports_are_taken_decides_how_many_a_member_holds() {
    let needed = |selection| {
        let nat = pool(own(8), |nat| {
            nat.limits.ports = Some(100);
            nat.selection = selection;
        });
        bounds(&nat, &three(Transport::Tcp)).pop().expect("the limit").needed
    };
    let drawn = [Selection::LowestFirst, Selection::Spread, Selection::Random(1)].map(needed);
    assert_eq!(drawn, [5, 5, 10]);
    let one = Demand {
        destinations: three(Transport::Tcp).destinations[..1].to_vec(),
        ..three(Transport::Tcp)
    };
    let nat = pool(own(8), |nat| nat.limits.ports = Some(2));
    assert_eq!(bounds(&nat, &one).pop().expect("the limit").needed, 2);
}

#[test]
fn flows_that_live_on_after_their_connection_count_against_a_limit_of_flows() {
    let linger = |nat: &mut Configuration| {
        nat.timers.idle.tcp.time_wait = ms(5);
        nat.timers.hold_down.finish = ms(100);
    };
    let mut demand = three(Transport::Tcp);
    demand.destinations.iter_mut().for_each(|it| it.envelope.life_min = ms(3));
    let all: Vec<&Destination> = demand.destinations.iter().collect();
    for limit in [27, 26] {
        let nat = pool(own(400), |nat| {
            linger(nat);
            nat.limits.flows = Some(limit);
        });
        let bound = bounds(&nat, &demand).pop().expect("the limit");
        assert_eq!((bound.scarce, bound.needed), (Scarce::FlowsOfAMember, 27));
        let played = play(&nat, &all, Trial::OwnFlows, PACKETS_MAX).expect("played");
        assert_eq!(played.refused.is_some(), limit < 27);
        assert!(played.broken.is_empty(), "{:?}", played.broken);
    }
}

/// Flows of one inside endpoint share a key where mapping is independent of the destination: so no
/// more than the member's source ports are ever needed.
#[test]
fn a_member_has_no_more_keys_than_source_ports_where_they_serve_all_destinations() {
    let mut demand = three(Transport::Udp);
    let each = 40_000;
    demand.destinations.iter_mut().for_each(|it| it.envelope.flows_max = Some(each));
    let needed = |mapping: MappingBehaviour| {
        let nat = pool(own(8), |nat| {
            nat.mapping = PerTransport::from(mapping);
            nat.port_reuse = PerTransport::from(PortReuse::Never);
        });
        bounds(&nat, &demand).remove(0).needed
    };
    assert_eq!(needed(MappingBehaviour::EndpointIndependent), 65_535);
    assert_eq!(needed(MappingBehaviour::AddressAndPortDependent), 3 * 65_535);
}

#[test]
fn the_documents_bound_what_all_members_hold() {
    let text = "members = 50\n[translator]\nprofile = \"azure-nat-gateway\"\naddresses = \
                2\n[[destinations]]\nname = \"store\"\nto = \"tcp \
                198.51.100.1:443\"\nflows_max = 100\nlife_min = \"1h\"\nlife_max = \"1h\"\n";
    let demand = demand(text);
    let nat = demand.translator.nat(50, 2, None).expect("a translator");
    let bounds = bounds(&nat, &demand);
    let [.., keys, flows] = told(&bounds)[..] else { panic!("two bounds at least") };
    assert_eq!(keys, (Scarce::KeysOfADestination, &[0][..], 10_000, 100_000));
    assert_eq!(flows, (Scarce::FlowsOfAll, &[0][..], 5_000, 2_000_000));
}

#[test]
fn the_first_to_run_out_is_the_one_with_the_largest_share_taken() {
    let bound =
        |needed, room| Bound { scarce: Scarce::OwnPorts, destinations: vec![0], needed, room };
    let bounds = [bound(1, 4), bound(3, 8), bound(6, 16), bound(u64::MAX, u64::MAX)];
    assert_eq!(tightest(&bounds[..3]), Some(&bounds[1]));
    assert_eq!(tightest(&bounds), Some(&bounds[3]));
    assert_eq!(tightest(&[]), None);
}
