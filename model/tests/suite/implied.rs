//! What answers imply, one entry of the ledger at a time, and at the very instant that counts.

use natlaw_model::allocator::FirstFit;
use natlaw_model::flow::{FiveTuple, Transport};
use natlaw_model::nat::{
    ClosesOn, Configuration, FilteringBehaviour, HoldDown, Ledger, MappingBehaviour, Nat,
    PortReuse, Preserve, Side, Signal, State, TcpTimers,
};
use natlaw_model::subject::{Device, Subject};
use natlaw_model::time::{Duration, Instant};
use natlaw_model::translator::Translator;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

use crate::translator::{Stage, event};
use crate::{configuration, on_demand, read};

const KNOCK: &str = "tcp 198.51.100.9:7 > 203.0.113.1:1024";

/// Two members on one virtual IP.
fn two(change: impl FnOnce(&mut Configuration)) -> Nat {
    let mut it = configuration(1, "10.0.0.1-10.0.0.2", on_demand("1024-1027"));
    change(&mut it);
    Nat::new(it).unwrap()
}

/// What the answers to these events imply.
fn implied(nat: &Nat, script: &[&str]) -> Ledger {
    let mut translator = Translator::new(nat, FirstFit::new);
    let mut ledger = nat.ledger();
    for event in script.iter().map(|line| event(line)) {
        let outcome = translator.step(&event);
        Nat::record(&mut ledger, &event, &outcome);
    }
    ledger
}

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

fn patient() -> Nat {
    two(|it| it.timers.unsolicited_syn = Some(read("6s")))
}

#[test]
fn a_syn_that_nobody_asked_for_waits_until_its_answer_is_due() {
    let due = |script: &[&str]| implied(&patient(), script).answer_due(read(KNOCK));
    let knock = format!("inbound {KNOCK} open");
    assert_eq!(due(&[&knock]), Some(at(6)));
    assert_eq!(due(&["elapse 1s", &knock]), Some(at(7)));
    assert_eq!(due(&[&knock, "elapse 1s", &knock]), Some(at(6)), "a second one moves nothing");
    assert_eq!(due(&[&knock, "elapse 5999ms"]), Some(at(6)));
    assert_eq!(due(&[&knock, "elapse 6s"]), None, "it has been answered");
    let impatient = two(|_| ());
    assert_eq!(implied(&impatient, &[&knock]).answer_due(read(KNOCK)), None);
}

#[test]
fn nothing_but_a_syn_to_a_virtual_ip_waits() {
    for text in [
        "inbound tcp 198.51.100.9:7 > 203.0.113.1:1024 data",
        "inbound udp 198.51.100.9:7 > 203.0.113.1:1024 data",
        "inbound tcp 198.51.100.9:7 > 203.0.113.9:1024 open",
    ] {
        let tuple: FiveTuple = read(text.split_once(' ').unwrap().1.rsplit_once(' ').unwrap().0);
        assert_eq!(implied(&patient(), &[text]).answer_due(tuple), None, "{text}");
    }
    let last = format!("elapse {}ms", u64::MAX);
    let knock = format!("inbound {KNOCK} open");
    assert_eq!(implied(&patient(), &[&last, &knock]).answer_due(read(KNOCK)), None);
}

#[test]
fn a_syn_of_the_inside_takes_one_that_waits_with_it() {
    let knock = format!("inbound {KNOCK} open");
    let due = |signal: &str| {
        let out = format!("outbound tcp 10.0.0.1:1 > 198.51.100.9:7 {signal}");
        let open = "outbound tcp 10.0.0.2:1 > 198.51.100.8:7 open";
        implied(&patient(), &[&knock, open, &out]).answer_due(read(KNOCK))
    };
    assert_eq!(due("open"), None);
    assert_eq!(due("data"), Some(at(6)), "nothing else does");
}

#[test]
fn what_waits_is_told_in_the_order_in_which_it_is_due() {
    let other = "tcp 198.51.100.1:7 > 203.0.113.1:1025";
    let (one, two) = (format!("inbound {KNOCK} open"), format!("inbound {other} open"));
    let ledger = implied(&patient(), &[&one, "elapse 1s", &two]);
    assert_eq!(ledger.unanswered_until(Instant::START + read("5999ms")), []);
    assert_eq!(ledger.unanswered_until(at(6)), [read(KNOCK)]);
    assert_eq!(ledger.unanswered_until(at(7)), [read(KNOCK), read(other)]);
}

#[test]
fn what_a_member_holds_is_its_own_and_of_one_transport() {
    let ledger = implied(
        &two(|_| ()),
        &[
            "outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open",
            "outbound tcp 10.0.0.1:2 > 198.51.100.1:443 open",
            "outbound udp 10.0.0.1:1 > 198.51.100.1:443 data",
            "outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open",
        ],
    );
    let held = |member: &str, transport| ledger.held_by(read(member), transport).count();
    assert_eq!(held("10.0.0.1", Transport::Tcp), 2);
    assert_eq!(held("10.0.0.1", Transport::Udp), 1);
    assert_eq!(held("10.0.0.2", Transport::Tcp), 1);
    assert_eq!(held("10.0.0.2", Transport::Udp), 0);
    assert_eq!(ledger.keys_kept(), 4);
}

const FLOW: &str = "tcp 10.0.0.1:1 > 198.51.100.1:443";

#[test]
fn a_key_that_rests_has_no_live_mapping() {
    let nat = two(|it| it.timers.hold_down = HoldDown::uniform(read("4s")));
    let inbound: FiveTuple = read("tcp 198.51.100.1:443 > 203.0.113.1:1024");
    let (open, finish) = (format!("outbound {FLOW} open"), format!("outbound {FLOW} finish"));
    assert!(implied(&nat, &[&open]).live_at(inbound).is_some());
    assert!(implied(&nat, &[&open, &finish]).live_at(inbound).is_none());
    for (script, live) in [(["elapse 239999ms"], 1), (["elapse 240s"], 0)] {
        let ledger = implied(&nat, &[&open, script[0]]);
        let holding = ledger.holdings().next().expect("it is held until its hold-down is over");
        assert_eq!(holding.live_flows(ledger.now).count(), live, "{script:?}");
    }
}

/// A connection of the outside that ends at this very instant has left nothing behind.
#[test]
fn an_admitted_connection_that_ends_now_is_no_part_of_the_state() {
    let nat = two(|it| it.inbound_rules = vec![read("tcp 203.0.113.1:80 > 10.0.0.1:8080")]);
    let hash = |script: &[&str]| FxBuildHasher.hash_one(implied(&nat, script).relative());
    let knock = "inbound tcp 198.51.100.9:7 > 203.0.113.1:80 open";
    assert_eq!(hash(&[knock, "elapse 240s"]), hash(&["elapse 240s"]));
    assert_ne!(hash(&[knock, "elapse 239999ms"]), hash(&["elapse 239999ms"]));
}

/// Two members that speak to each other through their external endpoints.
#[test]
fn a_hairpinned_packet_keeps_the_flow_of_its_receiver_alive() {
    let nat = two(|it| {
        it.mapping = MappingBehaviour::EndpointIndependent.into();
        it.filtering = Some(FilteringBehaviour::EndpointIndependent.into());
        it.port_reuse = PortReuse::Never.into();
        it.inbound_refresh = true.into();
    });
    let ledger = implied(
        &nat,
        &[
            "outbound udp 10.0.0.1:1 > 198.51.100.1:443 data",
            "outbound udp 10.0.0.2:1 > 203.0.113.1:1024 data",
            "outbound udp 10.0.0.1:1 > 203.0.113.1:1025 data",
            "elapse 100s",
            "outbound udp 10.0.0.1:1 > 203.0.113.1:1025 data",
        ],
    );
    let receiver = read("udp 10.0.0.2:1 > 203.0.113.1:1024");
    assert_eq!(ledger.end_of(receiver).map(|end| end.at), Some(at(340)));
}

#[test]
fn a_port_of_another_class_or_parity_ranks_lower() {
    let class = Preserve { class: true, ..Preserve::default() };
    let ranks = |inside, external| class.rank(inside, external)[1];
    assert!(ranks(1023, 1023) && ranks(1024, 1024) && ranks(1024, 1025) && ranks(1, 1023));
    assert!(!ranks(1023, 1024) && !ranks(1024, 1023));
}

#[test]
fn only_the_inside_opens_a_closed_flow_again() {
    for state in [State::TimeWait, State::Reset] {
        let after = |side| state.after(side, Signal::Open, ClosesOn::EitherSide);
        assert_eq!(after(Side::Inside), State::HalfOpen);
        assert_eq!(after(Side::Outside), state);
    }
}

/// A translator is asked along with the obvious one: both have to answer the same.
fn staged(change: impl FnOnce(&mut Configuration), script: &str) {
    Stage::of(&two(change)).play(script);
}

/// Which timer counts after a packet depends on all that came before.
#[test]
fn an_admitted_connection_goes_through_its_states() {
    staged(
        |it| {
            it.inbound_rules = vec![read("tcp 203.0.113.1:80 > 10.0.0.1:8080")];
            it.closes_on = ClosesOn::BothSides;
            it.timers.idle.tcp = TcpTimers {
                half_open: read("10s"),
                established: read("100s"),
                one_side_closed: read("50s"),
                time_wait: read("5s"),
                reset: read("0s"),
            };
        },
        "inbound tcp 198.51.100.9:7 > 203.0.113.1:80 open => forwarded 198.51.100.9:7 > 10.0.0.1:8080
         outbound tcp 10.0.0.1:8080 > 198.51.100.9:7 data => forwarded 203.0.113.1:80 > 198.51.100.9:7
         outbound tcp 10.0.0.1:8080 > 198.51.100.9:7 finish => forwarded 203.0.113.1:80 > 198.51.100.9:7
         inbound tcp 198.51.100.9:7 > 203.0.113.1:80 finish => forwarded 198.51.100.9:7 > 10.0.0.1:8080
         elapse 5s => 
         outbound tcp 10.0.0.1:8080 > 198.51.100.9:7 open => forwarded 203.0.113.1:1024 > 198.51.100.9:7",
    );
}

/// At the last instant there is, nothing lasts: what begins is over, and nobody waits.
#[test]
fn at_the_last_instant_nothing_lasts() {
    let last = format!("elapse {}ms =>\n", u64::MAX);
    staged(
        |it| it.timers.unsolicited_syn = Some(read("6s")),
        &(last
            + "outbound tcp 10.0.0.1:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
               outbound tcp 10.0.0.2:1 > 198.51.100.1:443 open => forwarded 203.0.113.1:1024 > 198.51.100.1:443
               inbound tcp 198.51.100.9:7 > 203.0.113.1:1025 open => dropped: no mapping
               elapse 0s => "),
    );
}

/// An admitted connection that is over at this very instant is not closed by what comes then.
#[test]
fn the_end_of_a_connection_that_is_over_begins_nothing() {
    let nat = two(|it| {
        it.inbound_rules = vec![read("tcp 203.0.113.1:80 > 10.0.0.1:8080")];
        it.closes_on = ClosesOn::BothSides;
    });
    let knock = "inbound tcp 198.51.100.9:7 > 203.0.113.1:80";
    let through = |wait: &str| {
        let (open, finish) = (format!("{knock} open"), format!("{knock} finish"));
        let ledger = implied(&nat, &[&open, wait, &finish]);
        ledger.admitted_through(read("tcp 10.0.0.1:8080 > 198.51.100.9:7"))
    };
    let rule = Some(read("203.0.113.1:80"));
    assert_eq!(through("elapse 239999ms"), rule, "the other side is still open");
    assert_eq!(through("elapse 240s"), None, "it was over");
}
