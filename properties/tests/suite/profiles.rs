//! The translator of every profile, under every reading, held to every law.

use std::path::Path;

use natlaw_model::allocator::{Bitmap, FirstFit};
use natlaw_model::flow::{Endpoint, FiveTuple};
use natlaw_model::nat::{Configuration, Event, Nat, Outcome, Signal};
use natlaw_model::ports::PortBlock;
use natlaw_model::profile::{Ask, DatedTimers, Profile};
use natlaw_model::subject::{Device, Scenario};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use natlaw_properties::law::check;
use natlaw_properties::nat::compliance::{count, judge};
use natlaw_properties::nat::strategies::scenario_of;
use natlaw_properties::nat::{LAWS, ObviousTranslator};
use natlaw_properties::prove::{config, try_scenarios};
use natlaw_properties::refines::refines;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Random scenarios of each profile under each of its readings.
const CASES: u32 = 60;

/// Every profile with the readings that it takes by default, and with each other one.
fn readings() -> Vec<(String, Profile)> {
    let of = |profile: Profile| {
        let other = profile.readings().iter().filter(|reading| !profile.takes(reading));
        let read: Vec<_> = other
            .map(|reading| {
                let read = profile.clone().read_as(reading.name).expect("a reading of it");
                (format!("{}-{}", profile.name, reading.name), read)
            })
            .collect();
        [vec![(profile.name.to_string(), profile)], read].concat()
    };
    Profile::all().flat_map(of).collect()
}

fn nat(profile: &Profile) -> Nat {
    profile.nat(&Ask::of(3, 2)).expect("a small pool")
}

/// The same with four ports of the first member's left on each address.
fn scarce(profile: &Profile) -> Nat {
    let left = |nat: &mut Configuration| {
        nat.reserved = vec![PortBlock::new(1_028, u16::MAX).expect("a block")];
    };
    profile.nat(&Ask::of(1, 1)).map(|nat| nat.with(left).expect("legal")).expect("a pool")
}

/// Every time that a profile names, and one millisecond less.
fn times(timers: &DatedTimers) -> Vec<Duration> {
    let rests = [
        timers.rest_after_finish.value,
        timers.rest_after_reset.value,
        timers.rest_after_idle.value,
        timers.established.value,
        timers.half_open.value,
        timers.udp.value,
    ];
    let less = |time: Duration| Duration::from_millis(time.millis().saturating_sub(1));
    rests.into_iter().flat_map(|time| [time, less(time)]).collect()
}

/// A scenario with the profile's own times in place of the short ones that are drawn.
fn stretched(scenario: Scenario<Nat>, times: &[Duration]) -> Scenario<Nat> {
    let events = scenario.events.into_iter().enumerate().map(|(index, event)| match event {
        Event::Elapse(length) => {
            let chosen = (index + usize::try_from(length.millis()).unwrap_or(0)) % times.len();
            Event::Elapse(times[chosen])
        }
        Event::Outbound(_)
        | Event::Inbound(_)
        | Event::OutboundError(_)
        | Event::InboundError(_)
        | Event::Reconfigure(_) => event,
    });
    Scenario { events: events.collect(), subject: scenario.subject }
}

fn lawful(scenario: &Scenario<Nat>) -> Result<(), String> {
    let trace = scenario.play(&mut Translator::new(&scenario.subject, Bitmap::new));
    check(LAWS, &trace).map_err(|violation| violation.to_string())?;
    let mut obvious = ObviousTranslator::new(&scenario.subject);
    refines(&mut obvious, &trace).map_err(|refused| format!("{refused:?}"))
}

#[test]
fn every_profile_keeps_every_law_under_every_reading() {
    for (name, profile) in readings() {
        let times = times(&profile.timers);
        let drawn = (scenario_of(Just((*scarce(&profile)).clone())), any::<bool>());
        let drawn = drawn.prop_map(move |(scenario, stretch)| match stretch {
            true => stretched(scenario, &times),
            false => scenario,
        });
        let config = Config { cases: CASES, ..config() };
        let property = format!("{name}-keeps-every-law");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        try_scenarios(config, folder, &property, "bitmap", &drawn, lawful)
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// How a flow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Finish,
    Reset,
    Idle,
    HalfOpen,
    Udp,
}

impl Ends {
    const ALL: [Self; 5] = [Self::Finish, Self::Reset, Self::Idle, Self::HalfOpen, Self::Udp];

    fn transport(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Finish | Self::Reset | Self::Idle | Self::HalfOpen => "tcp",
        }
    }

    /// How long after its last packet the port of a flow is given again.
    fn after(self, timers: &DatedTimers) -> Duration {
        let DatedTimers { rest_after_idle: rest, .. } = timers;
        let [lives, rests] = match self {
            Self::Finish => [timers.time_wait, timers.rest_after_finish],
            Self::Reset => [timers.reset, timers.rest_after_reset],
            Self::Idle => [timers.established, *rest],
            Self::HalfOpen => [timers.half_open, timers.rest_after_half_open],
            Self::Udp => [timers.udp, *rest],
        };
        Duration::from_millis(lives.value.millis() + rests.value.millis())
    }

    /// The packets after the first, by which a flow comes to its end.
    fn events(self, flow: FiveTuple, sent: FiveTuple) -> Vec<Event> {
        let answer = |signal| Event::inbound(sent.reversed(), signal);
        match self {
            Self::Finish => vec![
                answer(Signal::Open),
                Event::outbound(flow, Signal::Finish),
                answer(Signal::Finish),
            ],
            Self::Reset => vec![answer(Signal::Open), Event::outbound(flow, Signal::Reset)],
            Self::Idle => vec![answer(Signal::Open)],
            Self::HalfOpen | Self::Udp => vec![],
        }
    }
}

fn opens(device: &mut impl Device<Nat>, ends: Ends, port: u16) -> Option<(FiveTuple, FiveTuple)> {
    let flow = format!("{} 10.0.0.1:{port} > 198.51.100.1:443", ends.transport());
    let flow: FiveTuple = flow.parse().expect("a flow");
    match device.step(&Event::outbound(flow, Signal::Open)) {
        Outcome::Forwarded(sent) => Some((flow, sent)),
        _ => None,
    }
}

/// Fills the ports, lets every flow end, waits, and tells whether another flow gets a port.
fn has_a_port_after(nat: &Nat, ends: Ends, wait: Duration) -> bool {
    let mut device = Translator::new(nat, FirstFit::new);
    let opened: Vec<_> = (0..64).map_while(|n| opens(&mut device, ends, 20_000 + n)).collect();
    assert_eq!(opened.len(), 4, "four ports are left");
    for (flow, sent) in opened {
        ends.events(flow, sent).iter().for_each(|event| drop(device.step(event)));
    }
    device.step(&Event::Elapse(wait));
    opens(&mut device, ends, 30_000).is_some()
}

/// A port is given to another flow at the very millisecond that the documents say.
#[test]
fn a_port_comes_back_when_the_document_says_and_not_a_millisecond_before() {
    for (name, profile) in readings() {
        let nat = scarce(&profile);
        for ends in Ends::ALL {
            let after = ends.after(&profile.timers);
            assert!(has_a_port_after(&nat, ends, after), "{name}: {ends:?}, {after}");
            if let Some(before) = after.millis().checked_sub(1) {
                let before = Duration::from_millis(before);
                assert!(!has_a_port_after(&nat, ends, before), "{name}: {ends:?}, {before}");
            }
        }
    }
}

/// The carrier's profile meets all that a configuration of the model can meet; no other does.
#[test]
fn only_the_carriers_profile_deviates_from_no_requirement() {
    for (name, profile) in readings() {
        let deviating = count(&judge(&nat(&profile))).deviating;
        assert_eq!(deviating == 0, name == "carrier-grade", "{name}: {deviating}");
    }
}

/// A member's external endpoints are its own, of the addresses in use.
#[test]
fn a_member_is_given_what_its_profile_gives_it() {
    for (name, profile) in readings() {
        let nat = nat(&profile);
        let flow: FiveTuple = "tcp 10.0.0.1:20000 > 198.51.100.1:443".parse().expect("a flow");
        let candidates = nat.candidates(flow).expect("a member");
        let first = candidates.at(0).expect("a port");
        assert_eq!(first, Endpoint::new([203, 0, 113, 1].into(), 1_024), "{name}");
        let block = nat.ports_per_member().unwrap_or(64_512);
        assert_eq!(candidates.block().len(), block, "{name}");
    }
}
