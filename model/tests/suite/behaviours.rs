//! What may be declared of a translator, example by example.

use natlaw_model::flow::Transport;
use natlaw_model::nat::{
    AddressPooling, ClosesOn, FilteringBehaviour, Limits, MappingBehaviour, Nat, PerTransport,
    PortPolicy, PortReuse, Preserve, RulePorts, TcpTimers,
};
use natlaw_model::time::Duration;

use crate::translator::{Stage, timed, with};
use crate::{on_demand, read};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A translator of these behaviours, with as much re-use as they allow.
fn behaving(mapping: MappingBehaviour, filtering: FilteringBehaviour) -> Nat {
    with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1099"), |it| {
        it.mapping = mapping.into();
        it.filtering = Some(filtering.into());
        it.port_reuse = PortReuse::finest(mapping, filtering).into();
    })
}

const MAPPINGS: [MappingBehaviour; 3] = [
    MappingBehaviour::EndpointIndependent,
    MappingBehaviour::AddressDependent,
    MappingBehaviour::AddressAndPortDependent,
];

const FILTERINGS: [FilteringBehaviour; 3] = [
    FilteringBehaviour::EndpointIndependent,
    FilteringBehaviour::AddressDependent,
    FilteringBehaviour::AddressAndPortDependent,
];

/// RFC 4787 sections 4.1 and 5: who gets in depends on the filter alone, whatever the mapping.
#[test]
fn the_filter_says_who_gets_in_under_each_mapping() {
    for mapping in MAPPINGS {
        for (filtering, gets_in) in FILTERINGS.into_iter().zip([
            [true, true, true, true],
            [true, true, false, false],
            [true, false, false, false],
        ]) {
            let mut stage = Stage::of(&behaving(mapping, filtering));
            stage.play(
                "outbound udp 10.0.0.1:5 > 198.51.100.1:443 \
                 => forwarded 203.0.113.1:1024 > 198.51.100.1:443",
            );
            let from = ["198.51.100.1:443", "198.51.100.1:80", "198.51.100.2:443", "192.0.2.9:9"];
            for (remote, gets_in) in from.into_iter().zip(gets_in) {
                let expected = match gets_in {
                    true => format!("forwarded {remote} > 10.0.0.1:5"),
                    false => "dropped: no mapping".into(),
                };
                stage.play(&format!("inbound udp {remote} > 203.0.113.1:1024 => {expected}"));
            }
        }
    }
}

/// Where one mapping serves all destinations, each of them that is talked to gets in.
#[test]
fn a_filter_knows_every_live_flow_of_its_mapping() {
    let by_address =
        behaving(MappingBehaviour::EndpointIndependent, FilteringBehaviour::AddressDependent);
    Stage::of(&by_address).play(
        "
        outbound udp 10.0.0.1:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 20s
        outbound udp 10.0.0.1:5 > 198.51.100.2:53 => forwarded 203.0.113.1:1024 > 198.51.100.2:53
        outbound udp 10.0.0.1:5 > 198.51.100.2:54 => forwarded 203.0.113.1:1024 > 198.51.100.2:54
        inbound udp 198.51.100.1:9 > 203.0.113.1:1024 => forwarded 198.51.100.1:9 > 10.0.0.1:5
        elapse 10s
        inbound udp 198.51.100.1:9 > 203.0.113.1:1024 => dropped: no mapping
        inbound udp 198.51.100.2:9 > 203.0.113.1:1024 => forwarded 198.51.100.2:9 > 10.0.0.1:5
        elapse 20s
        inbound udp 198.51.100.2:9 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

/// What comes from a stranger through an open filter keeps nothing alive.
#[test]
fn a_stranger_that_gets_in_refreshes_nothing() {
    let mut open =
        behaving(MappingBehaviour::EndpointIndependent, FilteringBehaviour::EndpointIndependent);
    open = open.with(|it| it.inbound_refresh = true.into()).unwrap();
    Stage::of(&open).play(
        "
        outbound udp 10.0.0.1:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 29s
        inbound udp 192.0.2.9:9 > 203.0.113.1:1024 => forwarded 192.0.2.9:9 > 10.0.0.1:5
        elapse 1s
        inbound udp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

/// Each transport has a behaviour of its own.
#[test]
fn behaviours_are_chosen_for_each_transport() {
    let nat = with(1, "10.0.0.1", on_demand("1024-1099"), |it| {
        let udp = MappingBehaviour::EndpointIndependent;
        it.mapping = PerTransport { udp, ..PerTransport::default() };
        it.port_reuse = PerTransport { udp: PortReuse::Never, ..PerTransport::default() };
    });
    assert_eq!(nat.mapping.of(Transport::Udp), MappingBehaviour::EndpointIndependent);
    Stage::of(&nat).play(
        "
        outbound udp 10.0.0.1:5 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53
        outbound udp 10.0.0.1:5 > 198.51.100.2:53 => forwarded 203.0.113.1:1024 > 198.51.100.2:53
        outbound udp 10.0.0.1:6 > 198.51.100.2:53 => forwarded 203.0.113.1:1025 > 198.51.100.2:53
        outbound tcp 10.0.0.1:5 > 198.51.100.1:53 open => forwarded 203.0.113.1:1024 > 198.51.100.1:53
        outbound tcp 10.0.0.1:6 > 198.51.100.2:53 open => forwarded 203.0.113.1:1024 > 198.51.100.2:53
        ",
    );
}

/// RFC 4787 REQ-2: a member has one virtual IP; when it is full, it is refused.
#[test]
fn a_paired_member_stays_on_its_virtual_ip() {
    let nat = with(2, "10.0.0.1-10.0.0.3", on_demand("1024-1024"), |it| {
        it.pooling = AddressPooling::Paired;
    });
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:6 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.3:5 > 198.51.100.1:443 open => refused: exhausted
        ",
    );
}

/// Who leases an address is paired by that: with the first that is free, not with a fixed one.
#[test]
fn a_lease_pairs_a_member_with_whichever_virtual_ip_is_free() {
    let nat = with(2, "10.0.0.1-10.0.0.2", PortPolicy::Dynamic, |it| {
        it.pooling = AddressPooling::Paired;
    });
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:5 > 198.51.100.1:443
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => forwarded 203.0.113.2:6 > 198.51.100.1:443
        outbound tcp 10.0.0.2:7 > 198.51.100.1:443 open => forwarded 203.0.113.1:7 > 198.51.100.1:443
        ",
    );
}

/// RFC 4787 section 4.2: the port, then its class, then its parity.
#[test]
fn a_port_keeps_what_it_can() {
    let keeps = |port, class, parity| {
        with(1, "10.0.0.1", on_demand("1020-1027"), |it| {
            it.preserve = Preserve { port, class, parity };
        })
    };
    let given = |nat: &Nat, inside: &[(u16, u16)]| {
        let mut stage = Stage::of(nat);
        for (inside, external) in inside {
            stage.play(&format!(
                "outbound udp 10.0.0.1:{inside} > 198.51.100.1:53 \
                 => forwarded 203.0.113.1:{external} > 198.51.100.1:53"
            ));
        }
    };
    given(&keeps(true, false, false), &[(1026, 1026), (5000, 1020), (1022, 1022)]);
    given(&keeps(false, true, false), &[(80, 1020), (5000, 1024), (5001, 1025), (81, 1021)]);
    given(&keeps(false, false, true), &[(80, 1020), (5001, 1021), (5003, 1023), (82, 1022)]);
    given(&keeps(false, true, true), &[(81, 1021), (5001, 1025), (5003, 1027), (5005, 1024)]);
    given(&keeps(true, true, true), &[(1027, 1027), (81, 1021), (1021, 1023), (1020, 1020)]);
}

/// RFC 4787 REQ-9, RFC 5382 REQ-8: the receiver sees the sender's external endpoint.
#[test]
fn two_members_talk_through_their_external_endpoints() {
    let nat =
        behaving(MappingBehaviour::EndpointIndependent, FilteringBehaviour::EndpointIndependent);
    Stage::of(&nat).play(
        "
        outbound udp 10.0.0.2:7 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53
        outbound udp 10.0.0.1:5 > 203.0.113.1:1024 => back in as 203.0.113.1:1025 > 10.0.0.2:7
        outbound udp 10.0.0.2:7 > 203.0.113.1:1025 => back in as 203.0.113.1:1024 > 10.0.0.1:5
        outbound udp 10.0.0.1:5 > 203.0.113.1:1025 => back in as 203.0.113.1:1025 > 10.0.0.1:5
        outbound udp 10.0.0.1:5 > 203.0.113.1:1099 => sent as 203.0.113.1:1025 > 203.0.113.1:1099, not let in
        ",
    );
}

/// Under a strict filter both sides have to send first; what was sent opens the door.
#[test]
fn two_members_open_their_doors_to_each_other() {
    let nat = behaving(
        MappingBehaviour::EndpointIndependent,
        FilteringBehaviour::AddressAndPortDependent,
    );
    Stage::of(&nat).play(
        "
        outbound udp 10.0.0.2:7 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53
        outbound udp 10.0.0.1:5 > 203.0.113.1:1024 => sent as 203.0.113.1:1025 > 203.0.113.1:1024, not let in
        outbound udp 10.0.0.2:7 > 203.0.113.1:1025 => back in as 203.0.113.1:1024 > 10.0.0.1:5
        outbound udp 10.0.0.1:5 > 203.0.113.1:1024 => back in as 203.0.113.1:1025 > 10.0.0.2:7
        ",
    );
}

/// A published service is reached from the inside too, and its answers come back the same way. Two
/// addresses that publish one service are one destination: they never share a port of one member.
#[test]
fn a_member_reaches_a_published_service() {
    let nat = with(2, "10.0.0.1-10.0.0.2", on_demand("1024-1025"), |it| {
        it.inbound_rules = vec![
            read("tcp 203.0.113.1:80 > 10.0.0.2:8080"),
            read("tcp 203.0.113.2:80 > 10.0.0.2:8080"),
        ];
    });
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.1:5 > 203.0.113.1:80 open => back in as 203.0.113.1:1024 > 10.0.0.2:8080
        outbound tcp 10.0.0.2:8080 > 203.0.113.1:1024 data => back in as 203.0.113.1:80 > 10.0.0.1:5
        outbound tcp 10.0.0.1:6 > 203.0.113.2:80 open => back in as 203.0.113.1:1025 > 10.0.0.2:8080
        outbound tcp 10.0.0.2:8080 > 203.0.113.1:1025 data => back in as 203.0.113.2:80 > 10.0.0.1:6
        ",
    );
}

/// RFC 5508 REQ-4 and REQ-5: outer and quoted header, and nothing lives longer for it.
#[test]
fn an_icmp_error_finds_the_sender() {
    Stage::of(&timed(1, "10.0.0.1", on_demand("1024-1025"))).play(
        "
        outbound udp 10.0.0.1:5 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53
        elapse 29s
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:1024 > 198.51.100.1:53 => forwarded 192.0.2.1 > 10.0.0.1 about udp 10.0.0.1:5 > 198.51.100.1:53
        outbound-error 10.0.0.1 > 198.51.100.1 about udp 198.51.100.1:53 > 10.0.0.1:5 => forwarded 203.0.113.1 > 198.51.100.1 about udp 198.51.100.1:53 > 203.0.113.1:1024
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:1024 > 198.51.100.2:53 => dropped: no mapping
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:1025 > 198.51.100.1:53 => dropped: no mapping
        inbound-error 192.0.2.1 > 203.0.113.9 about udp 203.0.113.1:1024 > 198.51.100.1:53 => dropped: no mapping
        outbound-error 10.0.0.1 > 198.51.100.2 about udp 198.51.100.1:53 > 10.0.0.1:5 => dropped: no mapping
        outbound-error 10.0.0.1 > 198.51.100.1 about udp 198.51.100.1:53 > 10.0.0.1:6 => dropped: no mapping
        elapse 1s
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:1024 > 198.51.100.1:53 => dropped: no mapping
        outbound-error 10.0.0.1 > 198.51.100.1 about udp 198.51.100.1:53 > 10.0.0.1:5 => dropped: no mapping
        ",
    );
}

/// RFC 5508 REQ-7: an error about a packet that came back in goes out and comes in the same way.
#[test]
fn an_icmp_error_is_hairpinned() {
    let nat = with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1025"), |it| {
        it.inbound_rules = vec![read("udp 203.0.113.1:53 > 10.0.0.2:5353")];
    });
    Stage::of(&nat).play(
        "
        outbound udp 10.0.0.1:5 > 203.0.113.1:53 => back in as 203.0.113.1:1024 > 10.0.0.2:5353
        outbound-error 10.0.0.2 > 203.0.113.1 about udp 203.0.113.1:1024 > 10.0.0.2:5353 => forwarded 203.0.113.1 > 10.0.0.1 about udp 10.0.0.1:5 > 203.0.113.1:53
        inbound udp 198.51.100.9:9 > 203.0.113.1:53 => forwarded 198.51.100.9:9 > 10.0.0.2:5353
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:53 > 198.51.100.9:9 => forwarded 192.0.2.1 > 10.0.0.2 about udp 10.0.0.2:5353 > 198.51.100.9:9
        inbound-error 192.0.2.1 > 203.0.113.1 about udp 203.0.113.1:53 > 198.51.100.9:8 => dropped: no mapping
        outbound-error 10.0.0.2 > 198.51.100.9 about udp 198.51.100.9:9 > 10.0.0.2:5353 => forwarded 203.0.113.1 > 198.51.100.9 about udp 198.51.100.9:9 > 203.0.113.1:53
        ",
    );
}

/// RFC 5382 REQ-4: silence for six seconds, then an error, unless the inside opens meanwhile.
#[test]
fn an_unsolicited_syn_waits_for_one_of_the_inside() {
    let nat = with(1, "10.0.0.1", on_demand("1024-1025"), |it| {
        it.timers.unsolicited_syn = Some(secs(6));
    });
    Stage::of(&nat).play(
        "
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => dropped: no mapping
        elapse 1s
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => dropped: no mapping
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 open => dropped: no mapping
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 data => dropped: no mapping
        inbound udp 198.51.100.2:443 > 203.0.113.1:1024 open => dropped: no mapping
        inbound tcp 198.51.100.2:443 > 203.0.113.9:1024 open => dropped: no mapping
        elapse 4999ms =>
        elapse 1ms => 203.0.113.1 > 198.51.100.1 about tcp 198.51.100.1:443 > 203.0.113.1:1024
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        elapse 1h =>
        ",
    );
}

/// Both sides open at once: one mapping, and the connection is established.
#[test]
fn a_simultaneous_open_is_one_connection() {
    let nat = with(1, "10.0.0.1", on_demand("1024-1025"), |it| {
        it.timers.unsolicited_syn = Some(secs(6));
        it.timers.idle.tcp = TcpTimers { half_open: secs(2), ..TcpTimers::while_open(secs(100)) };
    });
    Stage::of(&nat).play(
        "
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => dropped: no mapping
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => forwarded 198.51.100.1:443 > 10.0.0.1:5
        elapse 99s =>
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

/// A timer for each state of TCP, the exact instant of each, and the hold-down that follows.
#[test]
fn each_state_of_tcp_has_its_timer() {
    let nat = with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1024"), |it| {
        it.closes_on = ClosesOn::BothSides;
        it.timers.idle.tcp = TcpTimers {
            half_open: secs(10),
            established: secs(100),
            one_side_closed: secs(50),
            time_wait: secs(20),
            reset: secs(5),
        };
        it.timers.hold_down.half_open = secs(2);
    });
    let flow = "tcp 10.0.0.1:5 > 198.51.100.1:443";
    let out = |signal: &str| {
        format!("outbound {flow} {signal} => forwarded 203.0.113.1:1024 > 198.51.100.1:443\n")
    };
    let back = |signal: &str| {
        format!(
            "inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 {signal} \
             => forwarded 198.51.100.1:443 > 10.0.0.1:5\n"
        )
    };
    let rival = "outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open";
    let gets_it = "forwarded 203.0.113.1:1024 > 198.51.100.1:443";
    let lives = |steps: &[String], idle: u64, rest: u64| {
        let (before, last) = (idle * 1_000 - 1, rest * 1_000 - 1);
        let gone = "inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping";
        let steps = steps.concat();
        Stage::of(&nat).play(&format!("{steps} elapse {before}ms\n {}", back("reset")));
        Stage::of(&nat).play(&format!(
            "{steps} elapse {idle}s\n {gone}\n elapse {last}ms\n {rival} => refused: exhausted\n
             elapse 1ms\n {rival} => {gets_it}"
        ));
    };
    let opened = [out("open"), back("open")].concat();
    lives(&[out("open")], 10, 2);
    lives(&[out("open"), out("data")], 10, 2);
    lives(&[out("data")], 100, 4);
    lives(std::slice::from_ref(&opened), 100, 4);
    lives(&[opened.clone(), out("finish")], 50, 4);
    lives(&[opened.clone(), back("finish")], 50, 4);
    lives(&[opened.clone(), out("finish"), out("finish")], 50, 4);
    lives(&[opened.clone(), out("finish"), back("finish")], 20, 240);
    lives(&[opened.clone(), back("finish"), out("finish")], 20, 240);
    lives(&[opened.clone(), out("finish"), back("finish"), out("data")], 20, 240);
    lives(&[opened.clone(), out("finish"), back("finish"), out("open")], 10, 2);
    lives(&[opened.clone(), out("reset")], 5, 15);
    lives(&[opened.clone(), back("reset")], 5, 15);
    lives(&[opened.clone(), back("reset"), out("finish")], 5, 15);
    lives(&[opened.clone(), back("reset"), back("data")], 100, 4);
    lives(&[opened.clone(), back("reset"), out("data")], 100, 4);
    lives(&[opened, back("reset"), out("open")], 10, 2);
}

/// RFC 7857 section 2.2: another RST keeps nothing alive; RFC 4787 REQ-6: the outside may refresh.
#[test]
fn what_refreshes_a_flow_is_declared() {
    let nat = |inbound: bool| {
        with(1, "10.0.0.1", on_demand("1024-1024"), |it| {
            it.inbound_refresh = inbound.into();
            it.timers.idle.tcp = TcpTimers { reset: secs(5), ..TcpTimers::while_open(secs(100)) };
        })
    };
    let script = |end: &str| {
        format!(
            "
            outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            elapse 99s
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
            elapse 1s
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => {end}
            "
        )
    };
    Stage::of(&nat(true)).play(&script("forwarded 198.51.100.1:443 > 10.0.0.1:5"));
    Stage::of(&nat(false)).play(&script("dropped: no mapping"));
    Stage::of(&nat(true)).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 4s
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 reset => forwarded 198.51.100.1:443 > 10.0.0.1:5
        elapse 1s
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

/// RFC 6888 REQ-4 and REQ-5: a member at its limit is told so, and the others are not.
#[test]
fn a_member_has_no_more_than_its_limit() {
    let nat = |limits: Limits| {
        with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1099"), |it| it.limits = limits)
    };
    let open = |port: u16, remote: &str, answer: &str| {
        let sent = format!("forwarded 203.0.113.1:{answer} > {remote}");
        let answer = if answer.starts_with('1') { sent } else { format!("refused: {answer}") };
        format!("outbound udp 10.0.0.1:{port} > {remote} => {answer}\n")
    };
    let (one, two) = ("198.51.100.1:53", "198.51.100.2:53");
    let ports = nat(Limits { ports: Some(2), ..Limits::default() });
    Stage::of(&ports).play(
        &[
            open(1, one, "1024"),
            open(1, two, "1024"),
            open(2, one, "1025"),
            open(2, two, "over limit"),
            "outbound tcp 10.0.0.1:1 > 198.51.100.1:53 open => forwarded 203.0.113.1:1024 > 198.51.100.1:53\n".into(),
            "outbound udp 10.0.0.2:1 > 198.51.100.1:53 => forwarded 203.0.113.1:1026 > 198.51.100.1:53\n".into(),
            "elapse 33999ms\n".into(),
            open(2, two, "over limit"),
            "elapse 1ms\n".into(),
            open(2, two, "1024"),
        ]
        .concat(),
    );
    let bindings = nat(Limits { bindings: Some(2), ..Limits::default() });
    Stage::of(&bindings)
        .play(&[open(1, one, "1024"), open(1, two, "1024"), open(2, one, "over limit")].concat());
    let flows = nat(Limits { flows: Some(1), ..Limits::default() });
    Stage::of(&flows).play(
        &[
            open(1, one, "1024"),
            open(1, one, "1024"),
            open(1, two, "over limit"),
            "elapse 30s\n".into(),
            open(1, two, "1024"),
        ]
        .concat(),
    );
}

/// A limit that comes with a new configuration counts what is held already, stranded or not.
#[test]
fn a_new_limit_counts_what_is_held() {
    let plain = timed(1, "10.0.0.1-10.0.0.2", on_demand("1024-1099"));
    let limited = plain.with(|it| it.limits.bindings = Some(1)).unwrap();
    let moved = limited.with(|it| it.ports = on_demand("2000-2099")).unwrap();
    let open =
        "outbound udp 10.0.0.1:1 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53";
    let other = "outbound udp 10.0.0.1:2 > 198.51.100.1:53 => refused: over limit";
    Stage::of(&plain).play(open).reconfigure(&limited, &[]).play(other);
    let stranded = "udp 10.0.0.1:1 > 198.51.100.1:53 as 203.0.113.1:1024";
    Stage::of(&plain).play(open).reconfigure(&moved, &[stranded]).play(other).play(
        "
        elapse 4s
        outbound udp 10.0.0.1:2 > 198.51.100.1:53 => forwarded 203.0.113.1:2000 > 198.51.100.1:53
        ",
    );
}

/// Reserved ports, and the group of eight around the port of an inbound rule, are never given.
#[test]
fn some_ports_are_never_given() {
    let nat = with(1, "10.0.0.1", on_demand("1024-1041"), |it| {
        it.reserved = vec![read("1024-1025"), read("1040-1040")];
        it.inbound_rules = vec![read("tcp 203.0.113.1:1033 > 10.0.0.1:80")];
        it.rule_ports = RulePorts::GroupOfEight;
    });
    let mut stage = Stage::of(&nat);
    for (inside, external) in (1..).zip([1026, 1027, 1028, 1029, 1030, 1031, 1041]) {
        stage.play(&format!(
            "outbound tcp 10.0.0.1:{inside} > 198.51.100.1:53 open \
             => forwarded 203.0.113.1:{external} > 198.51.100.1:53"
        ));
    }
    stage.play("outbound tcp 10.0.0.1:99 > 198.51.100.1:53 open => refused: exhausted");
}

/// RFC 6888 REQ-6: what goes to an exempt destination stays as it is, both ways.
#[test]
fn an_exempt_destination_is_not_translated_for() {
    let nat = with(1, "10.0.0.1", on_demand("1024-1024"), |it| {
        it.exempt = vec![read("198.51.100.0/25")];
    });
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.127:443 open => forwarded 10.0.0.1:5 > 198.51.100.127:443
        inbound tcp 198.51.100.127:443 > 10.0.0.1:5 open => forwarded 198.51.100.127:443 > 10.0.0.1:5
        outbound tcp 10.0.0.1:5 > 198.51.100.127:443 finish => forwarded 10.0.0.1:5 > 198.51.100.127:443
        outbound tcp 10.0.0.1:5 > 198.51.100.128:443 open => forwarded 203.0.113.1:1024 > 198.51.100.128:443
        outbound tcp 10.0.0.9:5 > 198.51.100.127:443 open => refused: not in pool
        inbound tcp 198.51.100.127:443 > 10.0.0.9:5 open => dropped: no mapping
        inbound-error 192.0.2.1 > 10.0.0.1 about tcp 10.0.0.1:5 > 198.51.100.127:443 => forwarded 192.0.2.1 > 10.0.0.1 about tcp 10.0.0.1:5 > 198.51.100.127:443
        outbound-error 10.0.0.1 > 198.51.100.127 about tcp 198.51.100.127:443 > 10.0.0.1:5 => forwarded 10.0.0.1 > 198.51.100.127 about tcp 198.51.100.127:443 > 10.0.0.1:5
        inbound-error 192.0.2.1 > 10.0.0.2 about tcp 10.0.0.1:5 > 198.51.100.127:443 => dropped: no mapping
        ",
    );
}

/// A filter by address remembers whom a kept mapping talked to, whatever else changes.
#[test]
fn a_change_of_configuration_keeps_the_peers_of_what_it_keeps() {
    let nat = with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1027"), |it| {
        it.mapping = MappingBehaviour::EndpointIndependent.into();
        it.filtering = Some(FilteringBehaviour::AddressDependent.into());
        it.port_reuse = PortReuse::Never.into();
    });
    let mut stage = Stage::of(&nat);
    stage.play(
        "outbound udp 10.0.0.1:5 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53",
    );
    stage.reconfigure(&nat.with(|it| it.limits.flows = Some(9)).unwrap(), &[]);
    stage.play(
        "
        inbound udp 198.51.100.1:99 > 203.0.113.1:1024 => forwarded 198.51.100.1:99 > 10.0.0.1:5
        inbound udp 198.51.100.2:53 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

/// A virtual IP is passed over once it holds as many keys towards a destination as it may, whoever
/// holds them; towards another destination and of another transport it has room.
#[test]
fn a_virtual_ip_holds_no_more_keys_towards_a_destination_than_its_limit() {
    let nat = with(2, "10.0.0.1-10.0.0.2", on_demand("1024-1026"), |it| {
        it.limits.per_destination = Some(2);
        it.timers.hold_down.finish = read("3s");
    });
    Stage::of(&nat).play("
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:444 open => forwarded 203.0.113.1:1024 > 198.51.100.1:444
        outbound udp 10.0.0.1:2 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:2 > 198.51.100.1:443 open => forwarded 203.0.113.2:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.2:1 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => refused: exhausted
        elapse 2999ms
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        ");
}

/// A key that a configuration since replaced has left counts towards every destination that it may
/// stand for.
#[test]
fn a_key_of_a_coarser_configuration_counts_towards_a_limit() {
    let limited = with(2, "10.0.0.1", on_demand("1024-1025"), |it| {
        it.limits.per_destination = Some(1);
    });
    for (port_reuse, other_address) in
        [(PortReuse::Never, "203.0.113.2"), (PortReuse::PerDestinationAddress, "203.0.113.1")]
    {
        let coarser = limited.with(|it| {
            it.limits = Limits::default();
            it.port_reuse = port_reuse.into();
        });
        let stranded = "udp 10.0.0.1:1 > 198.51.100.1:53 as 203.0.113.1:1024";
        Stage::of(&coarser.unwrap())
            .play("outbound udp 10.0.0.1:1 > 198.51.100.1:53 => forwarded 203.0.113.1:1024 > 198.51.100.1:53")
            .reconfigure(&limited, &[stranded])
            .play("outbound udp 10.0.0.1:2 > 198.51.100.1:54 => forwarded 203.0.113.2:1024 > 198.51.100.1:54")
            .play(&format!("outbound udp 10.0.0.1:2 > 198.51.100.2:53 => forwarded {other_address}:1024 > 198.51.100.2:53"));
    }
}
