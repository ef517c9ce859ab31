//! A running translator, example by example.
//!
//! A script has a line for each event; what follows `=>` is the answer. Each is played with the
//! obvious allocator and with the fast one, and by the obvious translator: all take the lowest, and
//! must answer alike.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use natlaw_model::allocator::{Bitmap, Budget, FirstFit, PortAllocator, Probing, Refusal};
use natlaw_model::flow::{Binding, Endpoint, FiveTuple};
use natlaw_model::nat::{Configuration, Event, HoldDown, IdleTimers, MappingBehaviour, Nat};
use natlaw_model::nat::{
    Member, Outcome, Pool, PortPolicy, PortReuse, Selection, Timers, VirtualIp,
};
use natlaw_model::subject::Device;
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;
use natlaw_model::translator::{Reference, Translator};

use crate::{configuration, fixed, manual, on_demand, read, virtual_ips};

/// Three translators of one configuration, asked the same.
pub(crate) struct Stage {
    obvious: Reference<FirstFit>,
    in_use: Translator<FirstFit>,
    fast: Translator<Bitmap>,
}

impl Stage {
    pub(crate) fn of(nat: &Nat) -> Self {
        Self {
            obvious: Reference::new(nat, FirstFit::new),
            in_use: Translator::new(nat, FirstFit::new),
            fast: Translator::new(nat, Bitmap::new),
        }
    }

    /// Asks all of them; the answer is the same.
    pub(crate) fn ask(&mut self, event: &Event) -> Outcome {
        let outcome = self.obvious.step(event);
        assert_eq!(self.in_use.step(event), outcome, "{event}");
        assert_eq!(self.fast.step(event), outcome, "{event}");
        outcome
    }

    /// Plays a script and holds each answer to what follows `=>`.
    #[track_caller]
    pub(crate) fn play(&mut self, script: &str) -> &mut Self {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (asked, expected) = line.split_once("=>").unwrap_or((line, ""));
            let actual = self.ask(&event(asked.trim()));
            assert_eq!(actual.to_string(), expected.trim(), "{asked}");
        }
        self
    }

    /// Changes the configuration, which strands these live bindings in this order.
    #[track_caller]
    pub(crate) fn reconfigure(&mut self, nat: &Nat, expected: &[&str]) -> &mut Self {
        let outcome = self.ask(&Event::reconfigure(nat.clone()));
        let stranded = expected.iter().map(|binding| read(binding)).collect();
        assert_eq!(outcome, Outcome::Reconfigured { stranded });
        self
    }

    /// Opens connections of a member to a destination until one is refused, and counts them.
    fn exhaust(&mut self, member: &str, destination: &str) -> usize {
        let open = |port| event(&format!("outbound tcp {member}:{port} > {destination} open"));
        let mut answers = (1..=u16::MAX).map(|port| self.ask(&open(port)).to_string());
        let forwarded = |answer: &String| answer.starts_with("forwarded ");
        let count = answers.by_ref().take_while(forwarded).count();
        assert_eq!(answers.next().as_deref(), Some("refused: exhausted"));
        count
    }
}

/// The event of a line such as `outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open`.
pub(crate) fn event(line: &str) -> Event {
    match line.split_once(' ') {
        Some(("outbound", segment)) => Event::Outbound(read(segment)),
        Some(("inbound", segment)) => Event::Inbound(read(segment)),
        Some(("outbound-error", error)) => Event::OutboundError(read(error)),
        Some(("inbound-error", error)) => Event::InboundError(read(error)),
        Some(("elapse", length)) => Event::Elapse(read(length)),
        _ => panic!("`{line}` is no event"),
    }
}

/// Times that cannot be taken for one another.
fn timers() -> Timers {
    Timers {
        idle: IdleTimers {
            tcp: read::<Duration>("100s").into(),
            udp: read("30s"),
            icmp: read("10s"),
        },
        hold_down: HoldDown {
            finish: read("240s"),
            reset: read("15s"),
            idle: read("4s"),
            half_open: read("4s"),
        },
        unsolicited_syn: None,
    }
}

/// A translator with those times.
pub(crate) fn timed(addresses: u8, pool: &str, ports: PortPolicy) -> Nat {
    with(addresses, pool, ports, |_| ())
}

/// A translator with those times and one thing more.
pub(crate) fn with(
    addresses: u8,
    pool: &str,
    ports: PortPolicy,
    change: impl FnOnce(&mut Configuration),
) -> Nat {
    let mut configuration = configuration(addresses, pool, ports);
    configuration.timers = timers();
    change(&mut configuration);
    Nat::new(configuration).unwrap()
}

/// Two members and one port for both: whoever has it, the other has not.
fn one_port() -> Nat {
    timed(1, "10.0.0.1-10.0.0.2", on_demand("1024-1024"))
}

#[test]
fn a_reply_comes_back_to_the_member() {
    Stage::of(&timed(1, "10.0.0.1-10.0.0.2", on_demand("1024-2047"))).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1025 => forwarded 198.51.100.1:443 > 10.0.0.2:5
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

#[test]
fn transports_do_not_share_ports() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound udp 10.0.0.2:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound icmp 10.0.0.2:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        inbound udp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.2:5
        ",
    );
}

#[test]
fn an_unsolicited_packet_is_dropped_and_creates_nothing() {
    let mut stage = Stage::of(&one_port());
    stage.play(
        "
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => dropped: no mapping
        inbound udp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 finish => dropped: no mapping
        inbound tcp 198.51.100.1:443 > 203.0.113.9:1024 open => dropped: no mapping
        inbound tcp 198.51.100.1:443 > 10.0.0.1:5 open => dropped: no mapping
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 data => dropped: no mapping
        ",
    );
    assert_eq!(stage.exhaust("10.0.0.2", "198.51.100.1:443"), 1);
    stage.play(
        "
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.1:444 > 203.0.113.1:1024 => dropped: no mapping
        inbound udp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.2:1
        ",
    );
}

#[test]
fn who_is_no_member_is_refused() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.3:5 > 198.51.100.1:443 open => refused: not in pool
        outbound tcp 203.0.113.1:5 > 198.51.100.1:443 open => refused: not in pool
        outbound tcp 10.0.0.3:5 > 198.51.100.1:443 finish => dropped: no flow
        ",
    );
}

#[test]
fn one_port_serves_two_destinations_at_once() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.2:5 > 198.51.100.1:444 open => forwarded 203.0.113.1:1024 > 198.51.100.1:444
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 => forwarded 198.51.100.2:443 > 10.0.0.2:5
        inbound tcp 198.51.100.1:444 > 203.0.113.1:1024 => forwarded 198.51.100.1:444 > 10.0.0.2:5
        ",
    );
}

#[test]
fn one_port_serves_two_addresses_but_not_two_ports_of_one_where_reuse_is_per_address() {
    let reuse = PortReuse::PerDestinationAddress;
    let nat = one_port().with(|it| it.port_reuse = reuse.into()).unwrap();
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.2:5 > 198.51.100.1:444 open => refused: exhausted
        ",
    );
}

#[test]
fn a_port_that_is_never_reused_serves_one_mapping() {
    let nat = one_port().with(|it| it.port_reuse = PortReuse::Never.into()).unwrap();
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => refused: exhausted
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

#[test]
fn after_a_finish_of_either_side_the_key_rests_to_the_millisecond() {
    for last in [
        "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443",
        "inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 finish => forwarded 198.51.100.1:443 > 10.0.0.1:5",
    ] {
        assert_rests_after(last, "239999ms");
    }
}

#[test]
fn after_a_reset_of_either_side_the_key_rests_to_the_millisecond() {
    for last in [
        "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443",
        "inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 reset => forwarded 198.51.100.1:443 > 10.0.0.1:5",
    ] {
        assert_rests_after(last, "14999ms");
    }
}

#[test]
fn after_the_idle_timer_the_key_rests_to_the_millisecond() {
    assert_rests_after("elapse 100s", "3999ms");
}

/// The flow lives, ends with `last`, and its key is held for this time and one millisecond more.
#[track_caller]
fn assert_rests_after(last: &str, all_but_a_millisecond: &str) {
    let mut stage = Stage::of(&one_port());
    stage.play(&format!(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        {last}
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => dropped: no flow
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse {all_but_a_millisecond}
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => refused: exhausted
        "
    ));
}

#[test]
fn one_long_sleep_is_many_short_ones() {
    let opened = "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ";
    let refused = "
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        ";
    let free = "
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ";
    Stage::of(&one_port()).play(opened).play("elapse 103999ms").play(refused);
    Stage::of(&one_port()).play(opened).play("elapse 104s").play(free);
    Stage::of(&one_port()).play(opened).play("elapse 20h").play(free);
    let short = "elapse 1s\n".repeat(104);
    Stage::of(&one_port()).play(opened).play(&short).play(free);
}

#[test]
fn its_own_inside_endpoint_takes_a_cooling_key_back() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 1s
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        elapse 99999ms
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        ",
    );
}

#[test]
fn a_key_rests_until_every_hold_down_that_it_began_is_over() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 10s
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 229999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 230s
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 14999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

#[test]
fn with_no_hold_down_a_key_is_free_at_once() {
    let nat = one_port().with(|it| it.timers.hold_down = HoldDown::default()).unwrap();
    Stage::of(&nat).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 reset => forwarded 198.51.100.1:443 > 10.0.0.2:5
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 99999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

#[test]
fn a_flow_is_over_at_the_very_instant_of_its_idle_timer() {
    for (transport, idle_but_a_millisecond) in
        [("tcp", "99999ms"), ("udp", "29999ms"), ("icmp", "9999ms")]
    {
        Stage::of(&one_port()).play(&format!(
            "
            outbound {transport} 10.0.0.1:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            elapse {idle_but_a_millisecond}
            inbound {transport} 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
            elapse 1ms
            inbound {transport} 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
            "
        ));
    }
}

#[test]
fn an_outbound_packet_refreshes_a_flow_and_an_inbound_one_does_not() {
    let mut stage = Stage::of(&one_port());
    stage.play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 open => forwarded 198.51.100.1:443 > 10.0.0.1:5
        elapse 60s
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 99999ms
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        elapse 1ms
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 4s
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

#[test]
fn only_tcp_says_finish_and_reset() {
    for transport in ["udp", "icmp"] {
        Stage::of(&one_port()).play(&format!(
            "
            outbound {transport} 10.0.0.1:5 > 198.51.100.1:53 finish => forwarded 203.0.113.1:1024 > 198.51.100.1:53
            outbound {transport} 10.0.0.1:5 > 198.51.100.1:53 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:53
            inbound {transport} 198.51.100.1:53 > 203.0.113.1:1024 finish => forwarded 198.51.100.1:53 > 10.0.0.1:5
            inbound {transport} 198.51.100.1:53 > 203.0.113.1:1024 reset => forwarded 198.51.100.1:53 > 10.0.0.1:5
            elapse 9999ms
            inbound {transport} 198.51.100.1:53 > 203.0.113.1:1024 => forwarded 198.51.100.1:53 > 10.0.0.1:5
            outbound {transport} 10.0.0.2:5 > 198.51.100.1:53 => refused: exhausted
            "
        ));
    }
}

#[test]
fn what_ends_no_live_flow_goes_nowhere_and_takes_no_port() {
    Stage::of(&one_port()).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => dropped: no flow
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => dropped: no flow
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 data => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => dropped: no flow
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.2:5
        ",
    );
}

/// A translator with two ports where a mapping depends on this.
fn mapping(behaviour: MappingBehaviour, port_reuse: PortReuse) -> Nat {
    with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1025"), |it| {
        (it.mapping, it.port_reuse) = (behaviour.into(), port_reuse.into());
    })
}

#[test]
fn an_endpoint_independent_mapping_serves_and_admits_everybody() {
    Stage::of(&mapping(MappingBehaviour::EndpointIndependent, PortReuse::Never)).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:444 open => forwarded 203.0.113.1:1024 > 198.51.100.1:444
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.9:443 open => refused: exhausted
        inbound tcp 198.51.100.9:9 > 203.0.113.1:1024 open => forwarded 198.51.100.9:9 > 10.0.0.1:5
        inbound tcp 198.51.100.9:9 > 203.0.113.1:1024 reset => forwarded 198.51.100.9:9 > 10.0.0.1:5
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        ",
    );
}

#[test]
fn an_address_dependent_mapping_serves_and_admits_one_address() {
    let behaviour = MappingBehaviour::AddressDependent;
    Stage::of(&mapping(behaviour, PortReuse::Never)).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:444 open => forwarded 203.0.113.1:1024 > 198.51.100.1:444
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1025 > 198.51.100.2:443
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1024 => forwarded 198.51.100.1:9 > 10.0.0.1:5
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.9:443 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.2:9 > 203.0.113.1:1025 => forwarded 198.51.100.2:9 > 10.0.0.1:5
        ",
    );
    Stage::of(&mapping(behaviour, PortReuse::PerDestinationAddress)).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.2:5 > 198.51.100.1:444 open => forwarded 203.0.113.1:1025 > 198.51.100.1:444
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1024 => forwarded 198.51.100.1:9 > 10.0.0.1:5
        inbound tcp 198.51.100.2:9 > 203.0.113.1:1024 => forwarded 198.51.100.2:9 > 10.0.0.2:5
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 => forwarded 198.51.100.1:9 > 10.0.0.2:5
        ",
    );
}

#[test]
fn an_address_and_port_dependent_mapping_serves_and_admits_one_destination() {
    let behaviour = MappingBehaviour::AddressAndPortDependent;
    Stage::of(&mapping(behaviour, PortReuse::Never)).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:444 open => forwarded 203.0.113.1:1025 > 198.51.100.1:444
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => refused: exhausted
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        inbound tcp 198.51.100.1:444 > 203.0.113.1:1024 => dropped: no mapping
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1024 => dropped: no mapping
        ",
    );
}

#[test]
fn a_mapping_rests_only_when_the_last_of_its_flows_is_over() {
    Stage::of(&mapping(MappingBehaviour::EndpointIndependent, PortReuse::Never)).play(
        "
        outbound tcp 10.0.0.2:9 > 198.51.100.9:443 open => forwarded 203.0.113.1:1024 > 198.51.100.9:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1025 > 198.51.100.2:443
        elapse 90s
        outbound tcp 10.0.0.2:9 > 198.51.100.9:443 data => forwarded 203.0.113.1:1024 > 198.51.100.9:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1025 => forwarded 198.51.100.1:443 > 10.0.0.1:5
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => dropped: no flow
        elapse 10s
        inbound tcp 198.51.100.2:443 > 203.0.113.1:1025 => dropped: no mapping
        elapse 4999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        ",
    );
}

#[test]
fn static_nat_gives_each_member_its_own_address_and_keeps_its_ports() {
    Stage::of(&timed(3, "10.0.0.1, hole, 10.0.0.3", PortPolicy::Static)).play(
        "
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 open => forwarded 203.0.113.1:80 > 198.51.100.1:443
        outbound tcp 10.0.0.3:80 > 198.51.100.1:443 open => forwarded 203.0.113.3:80 > 198.51.100.1:443
        outbound tcp 10.0.0.3:65535 > 198.51.100.1:443 open => forwarded 203.0.113.3:65535 > 198.51.100.1:443
        outbound tcp 10.0.0.3:80 > 198.51.100.2:443 open => forwarded 203.0.113.3:80 > 198.51.100.2:443
        inbound tcp 198.51.100.1:443 > 203.0.113.3:80 => forwarded 198.51.100.1:443 > 10.0.0.3:80
        inbound tcp 198.51.100.1:443 > 203.0.113.2:80 => dropped: no mapping
        inbound tcp 198.51.100.9:443 > 203.0.113.3:80 => dropped: no mapping
        ",
    );
}

#[test]
fn under_dynamic_nat_a_member_too_many_is_refused_until_the_last_hold_down_of_a_lease() {
    Stage::of(&timed(2, "10.0.0.1-10.0.0.3", PortPolicy::Dynamic)).play(
        "
        outbound tcp 10.0.0.2:80 > 198.51.100.1:443 open => forwarded 203.0.113.1:80 > 198.51.100.1:443
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 open => forwarded 203.0.113.2:80 > 198.51.100.1:443
        outbound udp 10.0.0.2:90 > 198.51.100.1:53 => forwarded 203.0.113.1:90 > 198.51.100.1:53
        outbound tcp 10.0.0.3:99 > 198.51.100.9:443 open => refused: exhausted
        outbound tcp 10.0.0.2:80 > 198.51.100.1:443 finish => forwarded 203.0.113.1:80 > 198.51.100.1:443
        elapse 50s
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 data => forwarded 203.0.113.2:80 > 198.51.100.1:443
        elapse 90s
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 data => forwarded 203.0.113.2:80 > 198.51.100.1:443
        elapse 90s
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 data => forwarded 203.0.113.2:80 > 198.51.100.1:443
        elapse 9999ms
        outbound tcp 10.0.0.3:99 > 198.51.100.9:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.3:99 > 198.51.100.9:443 open => forwarded 203.0.113.1:99 > 198.51.100.9:443
        outbound tcp 10.0.0.2:80 > 198.51.100.1:443 open => refused: exhausted
        ",
    );
}

#[test]
fn under_dynamic_nat_a_member_uses_the_one_address_it_leases() {
    Stage::of(&timed(3, "10.0.0.1-10.0.0.3", PortPolicy::Dynamic)).play(
        "
        outbound tcp 10.0.0.1:80 > 198.51.100.1:443 open => forwarded 203.0.113.1:80 > 198.51.100.1:443
        outbound tcp 10.0.0.2:80 > 198.51.100.1:443 open => forwarded 203.0.113.2:80 > 198.51.100.1:443
        outbound tcp 10.0.0.2:81 > 198.51.100.1:443 open => forwarded 203.0.113.2:81 > 198.51.100.1:443
        outbound udp 10.0.0.2:80 > 198.51.100.1:443 => forwarded 203.0.113.2:80 > 198.51.100.1:443
        outbound tcp 10.0.0.3:80 > 198.51.100.1:443 open => forwarded 203.0.113.3:80 > 198.51.100.1:443
        inbound tcp 198.51.100.1:443 > 203.0.113.3:80 => forwarded 198.51.100.1:443 > 10.0.0.3:80
        ",
    );
}

#[test]
fn a_tier_gives_each_member_its_block_on_every_virtual_ip() {
    let tiered = |addresses, members| {
        let pool = Pool::of_size(read("10.0.0.0"), members).unwrap();
        timed(addresses, &pool.to_string(), PortPolicy::Tiered(TierTable::of_the_story()))
    };
    for (addresses, members, expected) in
        [(1, 50, 1_024), (2, 51, 1_024), (1, 51, 512), (2, 1_000, 64), (1, 1_000, 32)]
    {
        let mut stage = Stage::of(&tiered(addresses, members));
        assert_eq!(stage.exhaust("10.0.0.1", "198.51.100.1:443"), expected, "{members} members");
        assert_eq!(stage.exhaust("10.0.0.2", "198.51.100.1:443"), expected, "{members} members");
        assert_eq!(stage.exhaust("10.0.0.1", "198.51.100.2:443"), expected, "{members} members");
    }
    Stage::of(&tiered(1, 51)).play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:2048 > 198.51.100.1:443
        outbound tcp 10.0.0.50:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1536 > 198.51.100.1:443
        ",
    );
}

#[test]
fn fixed_blocks_are_the_same_on_every_virtual_ip() {
    let mut stage = Stage::of(&timed(2, "10.0.0.1-10.0.0.3", fixed(8, "1024-1047")));
    for member in ["10.0.0.3", "10.0.0.1", "10.0.0.2"] {
        assert_eq!(stage.exhaust(member, "198.51.100.1:443"), 16);
    }
    stage.play(
        "
        outbound tcp 10.0.0.2:1 > 198.51.100.2:443 open => forwarded 203.0.113.1:1032 > 198.51.100.2:443
        inbound tcp 198.51.100.1:443 > 203.0.113.2:1040 => forwarded 198.51.100.1:443 > 10.0.0.3:9
        ",
    );
}

#[test]
fn a_manual_block_lies_on_one_virtual_ip() {
    let mut stage = Stage::of(&timed(2, "10.0.0.1-10.0.0.3", manual(8, "1024-1040")));
    for member in ["10.0.0.3", "10.0.0.1", "10.0.0.2"] {
        assert_eq!(stage.exhaust(member, "198.51.100.1:443"), 8);
    }
    stage.play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.2:1 > 198.51.100.2:443 open => forwarded 203.0.113.1:1032 > 198.51.100.2:443
        outbound tcp 10.0.0.3:1 > 198.51.100.2:443 open => forwarded 203.0.113.2:1024 > 198.51.100.2:443
        inbound tcp 198.51.100.1:443 > 203.0.113.2:1031 => forwarded 198.51.100.1:443 > 10.0.0.3:8
        ",
    );
}

#[test]
fn ports_on_demand_go_to_whoever_asks() {
    let mut stage = Stage::of(&timed(2, "10.0.0.1-10.0.0.2", on_demand("1024-1031")));
    stage.play(
        "
        outbound tcp 10.0.0.2:7 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
    assert_eq!(stage.exhaust("10.0.0.1", "198.51.100.1:443"), 15);
    assert_eq!(stage.exhaust("10.0.0.2", "198.51.100.2:443"), 16);
    stage.play(
        "
        outbound tcp 10.0.0.2:8 > 198.51.100.1:443 open => refused: exhausted
        ",
    );
}

/// Four ports, one of which the outside may reach: 1025, served by member 1 at 80.
fn with_a_rule() -> Nat {
    with(1, "10.0.0.1-10.0.0.2", on_demand("1024-1027"), |it| {
        it.inbound_rules = vec![read("tcp 203.0.113.1:1025 > 10.0.0.1:80")];
    })
}

#[test]
fn an_inbound_rule_admits_and_the_replies_leave_by_its_endpoint() {
    Stage::of(&with_a_rule()).play(
        "
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 open => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 data => forwarded 198.51.100.1:9 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 finish => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 data => forwarded 203.0.113.1:1024 > 198.51.100.1:9
        inbound udp 198.51.100.1:9 > 203.0.113.1:1025 => dropped: no mapping
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1026 => dropped: no mapping
        ",
    );
}

#[test]
fn the_port_of_an_inbound_rule_is_never_given() {
    let mut stage = Stage::of(&with_a_rule());
    stage.play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 open => forwarded 203.0.113.1:1027 > 198.51.100.1:443
        outbound tcp 10.0.0.1:4 > 198.51.100.1:443 open => refused: exhausted
        outbound udp 10.0.0.1:1 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound udp 10.0.0.1:2 > 198.51.100.1:443 => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        ",
    );
}

#[test]
fn replies_to_admitted_connections_take_no_port() {
    let mut stage = Stage::of(&with_a_rule());
    for port in 1..=9 {
        stage.play(&format!(
            "
            inbound tcp 198.51.100.1:{port} > 203.0.113.1:1025 open => forwarded 198.51.100.1:{port} > 10.0.0.1:80
            outbound tcp 10.0.0.1:80 > 198.51.100.1:{port} => forwarded 203.0.113.1:1025 > 198.51.100.1:{port}
            "
        ));
    }
    assert_eq!(stage.exhaust("10.0.0.2", "198.51.100.1:1"), 3);
}

#[test]
fn either_side_keeps_an_admitted_connection_and_idleness_ends_it_to_the_millisecond() {
    Stage::of(&with_a_rule()).play(
        "
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        elapse 99999ms
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 => forwarded 198.51.100.1:9 > 10.0.0.1:80
        elapse 99999ms
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        elapse 99999ms
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        elapse 100s
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 => forwarded 203.0.113.1:1024 > 198.51.100.1:9
        ",
    );
}

#[test]
fn a_finish_or_reset_of_either_side_ends_an_admitted_connection() {
    for last in [
        "inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 finish => forwarded 198.51.100.1:9 > 10.0.0.1:80",
        "inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 reset => forwarded 198.51.100.1:9 > 10.0.0.1:80",
        "outbound tcp 10.0.0.1:80 > 198.51.100.1:9 finish => forwarded 203.0.113.1:1025 > 198.51.100.1:9",
        "outbound tcp 10.0.0.1:80 > 198.51.100.1:9 reset => forwarded 203.0.113.1:1025 > 198.51.100.1:9",
    ] {
        Stage::of(&with_a_rule()).play(&format!(
            "
            inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
            {last}
            outbound tcp 10.0.0.1:80 > 198.51.100.1:9 finish => dropped: no flow
            inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 finish => forwarded 198.51.100.1:9 > 10.0.0.1:80
            outbound tcp 10.0.0.1:80 > 198.51.100.1:9 finish => dropped: no flow
            "
        ));
    }
}

#[test]
fn a_sender_that_the_member_talks_to_through_a_port_of_its_own_clashes_until_that_flow_is_over() {
    Stage::of(&with_a_rule()).play(
        "
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 open => forwarded 203.0.113.1:1024 > 198.51.100.1:9
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => dropped: clash
        inbound tcp 198.51.100.1:8 > 203.0.113.1:1025 open => forwarded 198.51.100.1:8 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:9
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 data => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        ",
    );
}

#[test]
fn two_rules_that_lead_one_sender_to_one_service_clash() {
    let two = with_a_rule().with(|it| {
        it.inbound_rules.push(read("tcp 203.0.113.1:443 > 10.0.0.1:80"));
    });
    Stage::of(&two.unwrap()).play(
        "
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        inbound tcp 198.51.100.1:9 > 203.0.113.1:443 open => dropped: clash
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        inbound tcp 198.51.100.1:8 > 203.0.113.1:443 open => forwarded 198.51.100.1:8 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:8 => forwarded 203.0.113.1:443 > 198.51.100.1:8
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 reset => forwarded 198.51.100.1:9 > 10.0.0.1:80
        inbound tcp 198.51.100.1:9 > 203.0.113.1:443 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 => forwarded 203.0.113.1:443 > 198.51.100.1:9
        ",
    );
}

#[test]
fn a_rule_that_goes_takes_its_connections_with_it() {
    let nat = with_a_rule();
    let without = nat.with(|it| it.inbound_rules.clear()).unwrap();
    let elsewhere = nat.with(|it| it.inbound_rules[0].inside.port = 81).unwrap();
    let same = nat.with(|it| it.timers.idle.tcp = read::<Duration>("1h").into()).unwrap();
    let opened = "
        inbound tcp 198.51.100.1:9 > 203.0.113.1:1025 open => forwarded 198.51.100.1:9 > 10.0.0.1:80
        ";
    let ended = "
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 finish => dropped: no flow
        ";
    let goes_on = "
        outbound tcp 10.0.0.1:80 > 198.51.100.1:9 data => forwarded 203.0.113.1:1025 > 198.51.100.1:9
        ";
    Stage::of(&nat).play(opened).reconfigure(&without, &[]).play(ended);
    Stage::of(&nat).play(opened).reconfigure(&elsewhere, &[]).play(ended);
    Stage::of(&nat).play(opened).reconfigure(&same, &[]).play(goes_on);
}

/// Two members with two ports each, and a connection of each through its first port.
fn two_connections(nat: &Nat) -> Stage {
    let mut stage = Stage::of(nat);
    stage.play(
        "
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
    stage
}

fn two_members() -> Nat {
    timed(1, "10.0.0.1-10.0.0.2", fixed(2, "1024-1029"))
}

#[test]
fn a_new_configuration_keeps_the_bindings_that_it_still_allows() {
    let nat = two_members();
    let changes: [fn(&mut Configuration); 5] = [
        |it| it.pool = read("10.0.0.1-10.0.0.3"),
        |it| it.virtual_ips = virtual_ips(2),
        |it| it.timers.hold_down = HoldDown::default(),
        |it| it.selection = Selection::Spread,
        |it| it.inbound_rules = vec![read("udp 203.0.113.1:1024 > 10.0.0.1:80")],
    ];
    for change in changes {
        let mut stage = two_connections(&nat);
        stage.reconfigure(&nat.with(change).unwrap(), &[]).play(
            "
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => forwarded 198.51.100.1:443 > 10.0.0.1:5
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1026 => forwarded 198.51.100.1:443 > 10.0.0.2:5
            outbound tcp 10.0.0.1:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            ",
        );
    }
}

const OF_MEMBER_1: &str = "tcp 10.0.0.1:5 > 198.51.100.1:443 as 203.0.113.1:1024";
const OF_MEMBER_2: &str = "tcp 10.0.0.2:5 > 198.51.100.1:443 as 203.0.113.1:1026";
/// A rule that takes member 2's port away.
const A_RULE: &str = "tcp 203.0.113.1:1026 > 10.0.0.1:80";

#[test]
fn a_new_configuration_names_what_it_strands_once_in_the_order_of_flows() {
    let nat = two_members();
    let strands = |change: fn(&mut Configuration), stranded: &[&str]| {
        let after = nat.with(change).unwrap();
        let mut stage = two_connections(&nat);
        stage.reconfigure(&after, stranded).reconfigure(&nat, &[]).reconfigure(&after, &[]);
    };
    strands(|it| it.pool = read("10.0.0.1"), &[OF_MEMBER_2]);
    strands(|it| it.pool = read("hole, 10.0.0.2"), &[OF_MEMBER_1]);
    strands(|it| it.inbound_rules = vec![read(A_RULE)], &[OF_MEMBER_2]);
    let both = [OF_MEMBER_1, OF_MEMBER_2];
    strands(|it| it.pool = read("10.0.0.2-10.0.0.3"), &both);
    strands(|it| it.pool = read("10.0.0.2, 10.0.0.1"), &both);
    strands(|it| it.virtual_ips = vec![VirtualIp(virtual_ip(9))], &both);
    strands(|it| it.ports = fixed(3, "1024-1029"), &both);
    strands(|it| it.port_reuse = PortReuse::Never.into(), &both);
    strands(
        |it| {
            it.mapping = MappingBehaviour::EndpointIndependent.into();
            it.port_reuse = PortReuse::Never.into();
        },
        &both,
    );
}

#[test]
fn a_stranded_mapping_is_named_by_the_flow_that_it_began_with() {
    let nat = mapping(MappingBehaviour::EndpointIndependent, PortReuse::Never);
    let gone = nat.with(|it| it.pool = read("10.0.0.2")).unwrap();
    Stage::of(&nat)
        .play(
            "
            outbound tcp 10.0.0.1:5 > 198.51.100.7:443 open => forwarded 203.0.113.1:1024 > 198.51.100.7:443
            outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            ",
        )
        .reconfigure(&gone, &["tcp 10.0.0.1:5 > 198.51.100.7:443 as 203.0.113.1:1024"]);
}

#[test]
fn a_stranded_key_is_held_for_the_idle_hold_down_and_never_taken_back() {
    let nat = two_members();
    let away = nat.with(|it| it.pool = read("hole, 10.0.0.2")).unwrap();
    let stage = &mut two_connections(&nat);
    stage.reconfigure(&away, &[OF_MEMBER_1]).play(
        "
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => refused: not in pool
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => dropped: no flow
        ",
    );
    stage.reconfigure(&nat, &[]).play(
        "
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 finish => dropped: no flow
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 => dropped: no mapping
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => refused: exhausted
        elapse 3999ms
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        ",
    );
}

#[test]
fn a_stranded_key_rests_no_less_than_a_flow_that_closed_before() {
    let nat = mapping(MappingBehaviour::EndpointIndependent, PortReuse::Never);
    let away = nat.with(|it| it.pool = read("hole, 10.0.0.2")).unwrap();
    Stage::of(&nat)
        .play(
            "
            outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
            outbound tcp 10.0.0.1:5 > 198.51.100.2:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.2:443
            ",
        )
        .reconfigure(&away, &["tcp 10.0.0.1:5 > 198.51.100.1:443 as 203.0.113.1:1024"])
        .play(
            "
            outbound udp 10.0.0.2:5 > 198.51.100.1:443 => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            elapse 14999ms
            outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            outbound tcp 10.0.0.2:6 > 198.51.100.1:443 open => refused: exhausted
            elapse 1ms
            outbound tcp 10.0.0.2:6 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            ",
        );
}

#[test]
fn a_cooling_key_of_a_member_that_left_rests_to_the_end_and_is_not_named() {
    let nat = two_members();
    let newcomer = nat.with(|it| it.pool = read("10.0.0.3, 10.0.0.2")).unwrap();
    let stage = &mut two_connections(&nat);
    stage
        .play("outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443")
        .reconfigure(&newcomer, &[])
        .play(
            "
            outbound tcp 10.0.0.3:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            elapse 14999ms
            outbound tcp 10.0.0.3:6 > 198.51.100.1:443 open => refused: exhausted
            elapse 1ms
            outbound tcp 10.0.0.3:6 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
            ",
        );
}

#[test]
fn a_joiner_takes_the_hole_and_the_ports_of_who_left_once_they_have_rested() {
    let nat = timed(1, "10.0.0.1-10.0.0.3", fixed(1, "1024-1029"));
    let left = nat.with(|it| it.pool = it.pool.left_by(Member(read("10.0.0.2"))).unwrap()).unwrap();
    let joined =
        left.with(|it| it.pool = it.pool.joined_by(Member(read("10.0.0.9"))).unwrap()).unwrap();
    assert_eq!(joined.pool, read("10.0.0.1, 10.0.0.9, 10.0.0.3"));
    Stage::of(&nat)
        .play(
            "
            outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            outbound tcp 10.0.0.3:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
            ",
        )
        .reconfigure(&left, &["tcp 10.0.0.2:5 > 198.51.100.1:443 as 203.0.113.1:1025"])
        .reconfigure(&joined, &[])
        .play(
            "
            outbound tcp 10.0.0.9:5 > 198.51.100.1:443 open => refused: exhausted
            outbound tcp 10.0.0.9:5 > 198.51.100.2:443 open => forwarded 203.0.113.1:1025 > 198.51.100.2:443
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1026 => forwarded 198.51.100.1:443 > 10.0.0.3:5
            elapse 4s
            outbound tcp 10.0.0.9:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
            inbound tcp 198.51.100.1:443 > 203.0.113.1:1026 => forwarded 198.51.100.1:443 > 10.0.0.3:5
            ",
        );
}

#[test]
fn a_pool_that_grows_past_its_tier_strands_only_the_upper_halves_of_blocks() {
    let tiers = PortPolicy::Tiered(read("1-2: 64, 3-3: 32"));
    let small = timed(1, "10.0.0.1-10.0.0.2", tiers);
    let large = small.with(|it| it.pool = read("10.0.0.1-10.0.0.3")).unwrap();
    let mut stage = Stage::of(&small);
    assert_eq!(stage.exhaust("10.0.0.1", "198.51.100.1:443"), 64);
    let upper = (33..=64).map(|inside| {
        format!("tcp 10.0.0.1:{inside} > 198.51.100.1:443 as 203.0.113.1:{}", 1_023 + inside)
    });
    let upper: Vec<String> = upper.collect();
    let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
    stage.reconfigure(&large, &upper).play(
        "
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1055 => forwarded 198.51.100.1:443 > 10.0.0.1:32
        inbound tcp 198.51.100.1:443 > 203.0.113.1:1056 => dropped: no mapping
        ",
    );
    assert_eq!(stage.exhaust("10.0.0.1", "198.51.100.2:443"), 32);
}

#[test]
fn a_flow_keeps_the_timers_of_its_last_outbound_packet() {
    let nat = one_port();
    let quick = nat
        .with(|it| {
            it.timers.idle.tcp = read::<Duration>("1s").into();
            it.timers.hold_down = HoldDown::uniform(Duration::ZERO);
        })
        .unwrap();
    let stage = &mut Stage::of(&nat);
    stage.play("outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443");
    stage.reconfigure(&quick, &[]).play(
        "
        elapse 103999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 999ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => refused: exhausted
        elapse 1ms
        outbound tcp 10.0.0.2:5 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

#[test]
fn spread_selection_alternates_between_addresses() {
    let nat = with(3, "10.0.0.1-10.0.0.2", fixed(2, "1024-1029"), |it| {
        it.selection = Selection::Spread;
    });
    let mut stage = Stage::of(&nat);
    stage.play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 open => forwarded 203.0.113.3:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1026 > 198.51.100.1:443
        outbound tcp 10.0.0.1:1 > 198.51.100.2:443 open => forwarded 203.0.113.1:1024 > 198.51.100.2:443
        outbound tcp 10.0.0.1:4 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open => forwarded 203.0.113.2:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 reset => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        elapse 15s
        outbound tcp 10.0.0.1:6 > 198.51.100.1:443 open => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:7 > 198.51.100.1:443 open => forwarded 203.0.113.3:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:8 > 198.51.100.1:443 open => refused: exhausted
        ",
    );
    assert_eq!(stage.exhaust("10.0.0.2", "198.51.100.3:443"), 6);
}

#[test]
fn lowest_first_selection_fills_one_address_after_the_other() {
    Stage::of(&timed(2, "10.0.0.1", on_demand("1024-1025"))).play(
        "
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open => forwarded 203.0.113.1:1025 > 198.51.100.1:443
        outbound tcp 10.0.0.1:3 > 198.51.100.1:443 open => forwarded 203.0.113.2:1024 > 198.51.100.1:443
        outbound tcp 10.0.0.1:1 > 198.51.100.1:443 reset => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        elapse 15s
        outbound tcp 10.0.0.1:4 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
        ",
    );
}

/// The flow of a member's port to the one destination of these tests.
fn flow(port: u16) -> FiveTuple {
    read(&format!("tcp 10.0.0.1:{port} > 198.51.100.1:443"))
}

/// A member alone with these ports, which are drawn from this seed.
fn random(seed: u64, usable: &str) -> Nat {
    with(2, "10.0.0.1", on_demand(usable), |it| it.selection = Selection::Random(seed))
}

/// What an allocator answers to the first flows of the member.
fn answers(mut allocator: impl PortAllocator, count: u16) -> Vec<Result<Endpoint, Refusal>> {
    (1..=count).map(|port| allocator.bind(flow(port))).collect()
}

#[test]
fn random_selection_is_the_same_for_the_same_seed_and_differs_for_others() {
    let bitmap = |seed| answers(Bitmap::new(&random(seed, "1024-65535")), 100);
    let probing = |seed| answers(Probing::new(&random(seed, "1024-65535"), Budget::LINUX), 100);
    for seed in [0, 1, 2, u64::MAX] {
        assert_eq!(bitmap(seed), bitmap(seed));
        assert_eq!(probing(seed), probing(seed));
        assert_ne!(bitmap(seed), bitmap(seed.wrapping_add(1)));
        assert_ne!(probing(seed), probing(seed.wrapping_add(1)));
        let ports: BTreeSet<_> = bitmap(seed).into_iter().flatten().collect();
        assert_eq!(ports.len(), 100);
        assert!(ports.iter().any(|endpoint| endpoint.address == virtual_ip(2)));
        assert!(ports.iter().any(|endpoint| endpoint.address == virtual_ip(1)));
    }
}

fn virtual_ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, last)
}

#[test]
fn random_selection_finds_every_port_before_it_says_exhausted() {
    for seed in 0..20 {
        let mut stage = Translator::new(&random(seed, "1000-1070"), Bitmap::new);
        let mut open = |port| {
            stage.step(&event(&format!("outbound tcp 10.0.0.1:{port} > 198.51.100.1:443 open")))
        };
        let given = (1..=142).filter(|port| matches!(open(*port), Outcome::Forwarded(_)));
        assert_eq!(given.count(), 142);
        assert_eq!(open(143).to_string(), "refused: exhausted");
    }
}

const BUDGETS: [Budget; 4] = [Budget::VPP, Budget::CILIUM, Budget::CILIUM_BEFORE, Budget::LINUX];

#[test]
fn budgets_are_those_of_the_field() {
    assert_eq!(BUDGETS.map(Budget::probes_max), [10, 32, 128, 248]);
}

/// Every port is taken, and none can be found by looking at a few.
#[test]
fn an_allocator_with_a_budget_gives_up_when_it_is_spent() {
    let nat = random(7, "1024-2047");
    for budget in BUDGETS {
        let mut allocator = Probing::new(&nat, budget);
        let given = fill(&mut allocator);
        assert!(given.len() > 1_000, "{budget:?}: {}", given.len());
        let last = allocator.bind(flow(65_535));
        assert_eq!(last, Err(Refusal::GaveUp), "{budget:?}");
        assert_eq!(allocator.probes(), Some(budget.probes_max()));
    }
}

/// Asks for ports until 200 refusals in a row; what was given, each once.
fn fill(allocator: &mut Probing) -> BTreeSet<Endpoint> {
    let mut given = BTreeSet::new();
    let mut refused = 0;
    for port in 1.. {
        match allocator.bind(flow(port)) {
            Ok(endpoint) => {
                assert!(given.insert(endpoint), "{endpoint} was given twice");
                refused = 0;
            }
            Err(_) => refused += 1,
        }
        if refused == 200 {
            break;
        }
    }
    given
}

#[test]
fn an_allocator_whose_first_window_covers_everything_says_exhausted() {
    let given = |usable| {
        let mut allocator = Probing::new(&random(7, usable), Budget::LINUX);
        let given = fill(&mut allocator).len();
        (given, allocator.bind(flow(65_535)), allocator.probes())
    };
    assert_eq!(given("1024-1087"), (128, Err(Refusal::Exhausted), Some(128)));
    let (_, refusal, probes) = given("1024-1088");
    assert_eq!((refusal, probes), (Err(Refusal::GaveUp), Some(248)));
}

#[test]
fn a_translator_with_a_budget_says_that_it_gave_up() {
    let nat = random(7, "1024-1025");
    let mut translator = Translator::new(&nat, |nat| Probing::new(nat, Budget::Draws(1)));
    let open = |port| event(&format!("outbound tcp 10.0.0.1:{port} > 198.51.100.1:443 open"));
    let answers: Vec<String> =
        (1..=60).map(|port| translator.step(&open(port)).to_string()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("forwarded")).count(), 4);
    assert!(answers[50..].iter().all(|answer| answer == "refused: gave up"));
    let stranger = event("outbound tcp 10.0.0.9:1 > 198.51.100.1:443 open");
    assert_eq!(translator.step(&stranger).to_string(), "refused: not in pool");
}

#[test]
fn an_allocator_counts_the_candidates_it_looked_at() {
    let mut lowest = FirstFit::new(&timed(2, "10.0.0.1", on_demand("1024-1027")));
    let probes = (1..=9).map(|port| {
        let _ = lowest.bind(flow(port));
        lowest.probes().unwrap()
    });
    assert_eq!(probes.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 8]);
    let spread = with(2, "10.0.0.1", on_demand("1024-1027"), |it| it.selection = Selection::Spread);
    let mut spread = FirstFit::new(&spread);
    let probes = (1..=9).map(|port| {
        let _ = spread.bind(flow(port));
        spread.probes().unwrap()
    });
    assert_eq!(probes.collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3, 4, 4, 8]);
    let stranger = read("tcp 10.0.0.9:1 > 198.51.100.1:443");
    assert_eq!(spread.bind(stranger), Err(Refusal::NotInPool));
    assert_eq!(spread.probes(), Some(0));
}

/// Remembers what the translator asked of it.
struct Remembering {
    inner: FirstFit,
    calls: Vec<String>,
}

impl PortAllocator for Remembering {
    fn bind(&mut self, flow: FiveTuple) -> Result<Endpoint, Refusal> {
        self.calls.push(format!("bind {flow}"));
        self.inner.bind(flow)
    }

    fn release(&mut self, binding: Binding) {
        self.calls.push(format!("release {binding}"));
        self.inner.release(binding);
    }

    fn reconfigure(&mut self, nat: &Nat) {
        self.calls.push(format!("reconfigure: {nat}"));
        self.inner.reconfigure(nat);
    }
}

#[test]
fn the_allocator_is_asked_once_for_a_mapping_and_told_once_that_it_has_rested() {
    let nat = mapping(MappingBehaviour::EndpointIndependent, PortReuse::Never);
    let remembering = |nat: &Nat| Remembering { inner: FirstFit::new(nat), calls: Vec::new() };
    let mut translator = Translator::new(&nat, remembering);
    for line in [
        "outbound tcp 10.0.0.1:5 > 198.51.100.2:443 open",
        "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open",
        "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 data",
        "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 reset",
        "outbound tcp 10.0.0.1:5 > 198.51.100.2:443 reset",
        "elapse 14s",
        "outbound tcp 10.0.0.1:5 > 198.51.100.3:443 open",
        "elapse 103s",
        "inbound tcp 198.51.100.1:443 > 203.0.113.1:1024 data",
    ] {
        translator.step(&event(line));
    }
    assert_eq!(translator.allocator().calls, ["bind tcp 10.0.0.1:5 > 198.51.100.2:443"]);
    translator.step(&event("elapse 1s"));
    translator.step(&event("elapse 20h"));
    assert_eq!(
        translator.allocator().calls[1..],
        ["release tcp 10.0.0.1:5 > 198.51.100.2:443 as 203.0.113.1:1024"]
    );
}

#[test]
fn the_allocator_learns_of_a_new_configuration_before_a_stranded_binding_is_released() {
    let nat = one_port().with(|it| it.timers.hold_down = HoldDown::default()).unwrap();
    let remembering = |nat: &Nat| Remembering { inner: FirstFit::new(nat), calls: Vec::new() };
    let mut translator = Translator::new(&nat, remembering);
    translator.step(&event("outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open"));
    let gone = nat.with(|it| it.pool = read("10.0.0.2")).unwrap();
    translator.step(&Event::reconfigure(gone));
    assert_eq!(
        translator.allocator().calls,
        [
            "bind tcp 10.0.0.1:5 > 198.51.100.1:443",
            "reconfigure: 1 member of 1 virtual IP, 1 port shared by all members",
            "release tcp 10.0.0.1:5 > 198.51.100.1:443 as 203.0.113.1:1024",
        ]
    );
}

#[test]
fn a_release_of_what_is_not_held_changes_nothing() {
    let nat = one_port();
    let held = Binding { flow: flow(5), external: read("203.0.113.1:1024") };
    let strangers = [
        Binding { flow: flow(6), ..held },
        Binding { external: read("203.0.113.1:1025"), ..held },
        Binding { external: read("203.0.113.9:1024"), ..held },
        Binding { flow: read("udp 10.0.0.1:5 > 198.51.100.1:443"), ..held },
        Binding { flow: read("tcp 10.0.0.9:5 > 198.51.100.1:443"), ..held },
    ];
    let allocators: [Box<dyn PortAllocator>; 3] = [
        Box::new(FirstFit::new(&nat)),
        Box::new(Bitmap::new(&nat)),
        Box::new(Probing::new(&nat, Budget::LINUX)),
    ];
    for mut allocator in allocators {
        assert_eq!(allocator.bind(flow(5)), Ok(held.external));
        strangers.into_iter().for_each(|binding| allocator.release(binding));
        assert_eq!(allocator.bind(flow(6)), Err(Refusal::Exhausted));
        allocator.release(held);
        assert_eq!(allocator.bind(flow(6)), Ok(held.external));
        allocator.release(held);
        assert_eq!(allocator.bind(flow(7)), Err(Refusal::Exhausted));
    }
}

#[test]
fn allocators_hold_every_binding_through_a_new_configuration() {
    let nat = two_members();
    let widened = nat.with(|it| it.ports = on_demand("1024-1029")).unwrap();
    let kept = nat.with(|it| it.ports = PortPolicy::Dynamic).unwrap();
    let allocators: [Box<dyn PortAllocator>; 3] = [
        Box::new(FirstFit::new(&nat)),
        Box::new(Bitmap::new(&nat)),
        Box::new(Probing::new(&nat, Budget::LINUX)),
    ];
    for mut allocator in allocators {
        let held = Binding { flow: flow(5), external: allocator.bind(flow(5)).unwrap() };
        allocator.reconfigure(&kept);
        allocator.reconfigure(&widened);
        let given: Vec<_> = (6..=10).map(|port| allocator.bind(flow(port)).unwrap()).collect();
        assert!(!given.contains(&held.external));
        assert_eq!(allocator.bind(flow(11)), Err(Refusal::Exhausted));
        allocator.release(held);
        assert_eq!(allocator.bind(flow(11)), Ok(held.external));
    }
}
