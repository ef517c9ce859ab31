//! Which configurations there are, and what a person reads who wrote another.

use std::collections::BTreeSet;

use natlaw_model::nat::{
    Configuration, FilteringBehaviour, MappingBehaviour, Nat, NatError, PortPolicy, PortReuse,
};
use natlaw_model::nat::{SLOTS_MAX, Selection};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Scenario, Trace};
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;
use serde_json::{Value, json};

use crate::{
    configuration, deterministic, doubling, fixed, guaranteed, manual, nat, on_demand, read,
};

/// One lawful configuration; each test changes what it is about.
fn lawful() -> Configuration {
    configuration(2, "10.0.0.1-10.0.0.3", on_demand("1024-2047"))
}

type Change = fn(&mut Configuration);

/// Each rule, a change that breaks it, and what a person then reads.
const BROKEN: [(Change, &str); 45] = [
    (
        |it| it.virtual_ips.clear(),
        "`virtual_ips`: [] is empty: a translator needs an outside address",
    ),
    (
        |it| it.virtual_ips.push(it.virtual_ips[0]),
        "`virtual_ips`: 203.0.113.1 stands twice: each is named once",
    ),
    (
        |it| it.pool = read("10.0.0.1, 203.0.113.2"),
        "`virtual_ips`: 203.0.113.2 is also a member's: no address is both inside and outside",
    ),
    (
        |it| (it.pool, it.ports) = (read("10.0.0.0-10.0.3.232"), story()),
        "`pool`: a pool of 1001 members is outside the tier table, which goes from 1 to 1000",
    ),
    (
        |it| (it.pool, it.ports) = (read("10.0.0.1, hole, 10.0.0.3"), tiers("1-2: 1024")),
        "`pool`: a pool of 3 members is outside the tier table, which goes from 1 to 2",
    ),
    (|it| it.ports = fixed(0, "1024-2047"), "`ports`: 0 ports a member: each needs at least one"),
    (|it| it.ports = manual(0, "1024-2047"), "`ports`: 0 ports a member: each needs at least one"),
    (
        |it| it.ports = on_demand("0-1023"),
        "`ports`: usable ports 0-1023 begin at 0, which no flow can be given",
    ),
    (
        |it| it.ports = fixed(8, "0-1023"),
        "`ports`: usable ports 0-1023 begin at 0, which no flow can be given",
    ),
    (
        |it| it.ports = manual(8, "0-1023"),
        "`ports`: usable ports 0-1023 begin at 0, which no flow can be given",
    ),
    (
        |it| it.ports = manual(1_001, "1024-65023"),
        "`ports`: 1001 ports a member: must be a multiple of 8, such as 1000",
    ),
    (
        |it| it.ports = manual(65_535, "1-65535"),
        "`ports`: 65535 ports a member: must be a multiple of 8, such as 65528",
    ),
    (
        |it| it.ports = fixed(400, "1024-2047"),
        "`ports`: 3 members do not fit: floor(1024 usable / 400 ports) = 2 an address, \
         x 1 = 2",
    ),
    (
        |it| it.ports = manual(640, "1024-2047"),
        "`ports`: 3 members do not fit: floor(1024 usable / 640 ports) = 1 an address, \
         x 2 = 2",
    ),
    (
        |it| it.ports = manual(1_032, "1024-2047"),
        "`ports`: 3 members do not fit: floor(1024 usable / 1032 ports) = 0 an address, \
         x 2 = 0",
    ),
    (
        |it| it.ports = PortPolicy::Static,
        "`virtual_ips`: 2 addresses for a pool of 3 slots: static NAT needs one for each",
    ),
    (
        |it| it.mapping = MappingBehaviour::EndpointIndependent.into(),
        "`port_reuse`: per-destination with endpoint-independent mapping and endpoint-independent \
         filtering of tcp: replies could not be told apart; the finest is never",
    ),
    (
        |it| it.mapping = MappingBehaviour::AddressDependent.into(),
        "`port_reuse`: per-destination with address-dependent mapping and address-dependent \
         filtering of tcp: replies could not be told apart; the finest is per-destination-address",
    ),
    (
        |it| {
            it.mapping = MappingBehaviour::EndpointIndependent.into();
            it.port_reuse = PortReuse::PerDestinationAddress.into();
        },
        "`port_reuse`: per-destination-address with endpoint-independent mapping and \
         endpoint-independent filtering of tcp: replies could not be told apart; the finest is \
         never",
    ),
    (
        |it| (it.ports, it.port_reuse) = (PortPolicy::Dynamic, PortReuse::Never.into()),
        "`port_reuse`: never with address-and-port-dependent mapping where members keep their \
         ports: two mappings of one inside endpoint would collide; it must be per-destination",
    ),
    (
        |it| it.timers.idle.tcp = Duration::ZERO.into(),
        "`timers`: idle time of half-open tcp is 0s: a flow needs time to live",
    ),
    (
        |it| it.timers.idle.udp = Duration::ZERO,
        "`timers`: idle time of udp is 0s: a flow needs time to live",
    ),
    (
        |it| it.timers.idle.icmp = Duration::ZERO,
        "`timers`: idle time of icmp is 0s: a flow needs time to live",
    ),
    (
        |it| it.timers.idle.tcp.established = Duration::ZERO,
        "`timers`: idle time of established tcp is 0s: a flow needs time to live",
    ),
    (
        |it| it.timers.idle.tcp.one_side_closed = Duration::ZERO,
        "`timers`: idle time of tcp that one side has closed is 0s: a flow needs time to live",
    ),
    (
        |it| it.timers.unsolicited_syn = Some(read("5999ms")),
        "`timers`: unsolicited_syn 5999ms is less than 6s, which RFC 5382 REQ-4 asks for",
    ),
    (
        |it| {
            it.filtering = Some(FilteringBehaviour::AddressDependent.into());
        },
        "`port_reuse`: per-destination with address-and-port-dependent mapping and \
         address-dependent filtering of tcp: replies could not be told apart; the finest is \
         per-destination-address",
    ),
    (
        |it| it.limits.ports = Some(0),
        "`limits`: ports = 0: every flow would be refused; leave it out for no limit",
    ),
    (
        |it| it.limits.bindings = Some(0),
        "`limits`: bindings = 0: every flow would be refused; leave it out for no limit",
    ),
    (
        |it| it.limits.flows = Some(0),
        "`limits`: flows = 0: every flow would be refused; leave it out for no limit",
    ),
    (
        |it| it.ports = guaranteed(8, "1024-2047", "2047-3000"),
        "`ports`: shared ports 2047-3000 overlap 1024-2047, which the guarantees are cut from: \
         each port is one or the other",
    ),
    (
        |it| it.ports = guaranteed(8, "1024-2047", "0-1"),
        "`ports`: usable ports 0-1 begin at 0, which no flow can be given",
    ),
    (
        |it| {
            it.virtual_ips.truncate(1);
            it.pool = read("10.0.0.1-10.0.0.3");
            it.inbound_rules.clear();
            it.ports = guaranteed(128, "1024-1279", "2000-3000");
        },
        "`ports`: 3 members do not fit: floor(256 usable / 128 ports) = 2 an address, x 1 = 2",
    ),
    (
        |it| it.ports = doubling(48, 128, "1024-2047"),
        "`ports`: 48 ports a block: what is doubled is a power of two, such as 32",
    ),
    (
        |it| it.ports = doubling(32, 65_537, "1024-2047"),
        "`ports`: 65537 ports a block: what is doubled is a power of two, such as 65536",
    ),
    (
        |it| it.ports = doubling(32, 32, "1024-2047"),
        "`ports`: a maximum of 32 ports: must be above the minimum, 32, and at most 65536",
    ),
    (
        |it| it.ports = doubling(32, 131_072, "1024-2047"),
        "`ports`: a maximum of 131072 ports: must be above the minimum, 32, and at most 65536",
    ),
    (
        |it| {
            it.virtual_ips.truncate(1);
            it.pool = read("10.0.0.1-10.0.0.3");
            it.inbound_rules.clear();
            it.ports = doubling(32, 64, "1024-1118");
        },
        "`ports`: 3 members do not fit: floor(95 usable / 32 ports) = 2 an address, x 1 = 2",
    ),
    (
        |it| {
            it.virtual_ips.truncate(1);
            it.pool = read("10.0.0.1-10.0.0.3");
            it.inbound_rules.clear();
            it.ports = deterministic(2, 1, "1024-1033");
        },
        "`ports`: 3 members do not fit: 2 an address, x 1 = 2",
    ),
    (
        |it| it.limits.per_destination = Some(0),
        "`limits`: per_destination = 0: every flow would be refused; leave it out for no limit",
    ),
    (
        |it| {
            it.limits.per_destination = Some(1);
            it.port_reuse.udp = PortReuse::PerDestinationAddress;
        },
        "`limits`: per_destination with port_reuse per-destination-address of udp: its keys have \
         no destination to be counted by; it must be per-destination",
    ),
    (
        |it| it.exempt = vec![read("203.0.113.0/24")],
        "`exempt`: 203.0.113.0/24 covers the virtual IP 203.0.113.1: what goes there is translated",
    ),
    (
        |it| it.inbound_rules = vec![read("tcp 203.0.113.3:80 > 10.0.0.1:8080")],
        "`inbound_rules`: tcp 203.0.113.3:80 > 10.0.0.1:8080: 203.0.113.3 is no virtual IP",
    ),
    (
        |it| it.inbound_rules = vec![read("tcp 203.0.113.1:80 > 10.0.0.4:8080")],
        "`inbound_rules`: tcp 203.0.113.1:80 > 10.0.0.4:8080: 10.0.0.4 is no member of the pool",
    ),
    (
        |it| {
            it.inbound_rules = vec![
                read("tcp 203.0.113.1:80 > 10.0.0.1:8080"),
                read("tcp 203.0.113.1:80 > 10.0.0.2:8080"),
            ];
        },
        "`inbound_rules`: tcp 203.0.113.1:80 > 10.0.0.2:8080: another rule has the outside \
         endpoint 203.0.113.1:80",
    ),
];

/// The number of a variant. Who adds one finds it missing here.
fn number(error: &NatError) -> usize {
    match error {
        NatError::NoVirtualIps => 0,
        NatError::VirtualIpTwice(_) => 1,
        NatError::InsideAndOutside(_) => 2,
        NatError::Tier(_) => 3,
        NatError::NoPorts => 4,
        NatError::PortZero(_) => 5,
        NatError::NotAMultipleOf8(_) => 6,
        NatError::TooManyMembers { .. } => 7,
        NatError::TooFewVirtualIps { .. } => 8,
        NatError::ReuseTooFine { .. } => 9,
        NatError::ReuseTooCoarse { .. } => 10,
        NatError::ZeroIdle(_) => 11,
        NatError::RuleElsewhere(_) => 12,
        NatError::RuleForNobody(_) => 13,
        NatError::RuleTwice(_) => 14,
        NatError::HastySyn(_) => 15,
        NatError::ZeroLimit(_) => 16,
        NatError::ExemptVirtualIp { .. } => 17,
        NatError::LimitWithoutDestination { .. } => 18,
        NatError::SharedAndGuaranteed { .. } => 19,
        NatError::NoPowerOfTwo(_) => 20,
        NatError::MaximumOutOfRange { .. } => 21,
        NatError::OverTheRatio { .. } => 22,
    }
}

fn story() -> PortPolicy {
    PortPolicy::Tiered(TierTable::of_the_story())
}

fn tiers(table: &str) -> PortPolicy {
    PortPolicy::Tiered(read(table))
}

fn changed(change: Change) -> Configuration {
    let mut configuration = lawful();
    change(&mut configuration);
    configuration
}

#[test]
fn every_broken_rule_is_told_in_these_words() {
    for (change, expected) in BROKEN {
        let error = Nat::new(changed(change)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(expected.starts_with(&format!("`{}`: ", error.field())));
    }
}

#[test]
fn every_rule_is_broken_by_one_of_these_changes() {
    let numbers = BROKEN.map(|(change, _)| number(&Nat::new(changed(change)).unwrap_err()));
    assert_eq!(BTreeSet::from(numbers), (0..23).collect());
}

#[test]
fn a_change_to_a_translator_is_held_to_the_same_rules() {
    let before = Nat::new(lawful()).unwrap();
    for (change, expected) in BROKEN {
        assert_eq!(before.with(change).unwrap_err().to_string(), expected);
    }
    let after = before.with(|it| it.selection = Selection::Spread).unwrap();
    assert_eq!(after.selection, Selection::Spread);
    assert_eq!(before.with(|_| ()).unwrap(), before);
}

#[test]
fn a_file_with_a_broken_rule_is_refused_in_the_same_words() {
    for (change, expected) in BROKEN {
        let value = serde_json::to_value(changed(change)).unwrap();
        let text = value.to_string();
        assert_eq!(serde_json::from_value::<Nat>(value).unwrap_err().to_string(), expected);
        let from_text = serde_json::from_str::<Nat>(&text).unwrap_err().to_string();
        assert!(from_text.starts_with(expected), "{from_text}");
        let toml = toml::to_string(&changed(change)).unwrap();
        assert_eq!(toml::from_str::<Nat>(&toml).unwrap_err().message(), expected);
    }
}

/// 10,000 ports for each of seven members on one address: 70,000 of 64,000.
#[test]
fn manual_ports_that_do_not_fit_are_refused_with_the_arithmetic() {
    let ask = |addresses, members: &str, ports, usable| {
        let configuration = configuration(addresses, members, manual(ports, usable));
        Nat::new(configuration).map(drop).map_err(|error| error.to_string())
    };
    let refused = |text: &str| Err(text.to_owned());
    assert_eq!(
        ask(1, "10.0.0.1-10.0.0.7", 10_000, "1024-65023"),
        refused(
            "`ports`: 7 members do not fit: floor(64000 usable / 10000 ports) = 6 an address, x 1 = 6"
        )
    );
    assert_eq!(ask(1, "10.0.0.1-10.0.0.6", 10_000, "1024-65023"), Ok(()));
    assert_eq!(ask(2, "10.0.0.1-10.0.0.12", 10_000, "1024-65023"), Ok(()));
    assert_eq!(
        ask(2, "10.0.0.1-10.0.0.13", 10_000, "1024-65023"),
        refused(
            "`ports`: 13 members do not fit: floor(64000 usable / 10000 ports) = 6 an address, x 2 = 12"
        )
    );
}

/// Which ports are usable decides: 64,000 by the document, 64,512 above the well-known ports.
#[test]
fn usable_ports_decide_how_many_members_fit() {
    let documented: PortBlock = read("1024-65023");
    assert_eq!(documented.len(), 64_000);
    assert_eq!(PortBlock::ABOVE_WELL_KNOWN.len(), 64_512);
    let with = |members: &str, usable: PortBlock| {
        let ports = PortPolicy::Manual { ports: 64, usable };
        Nat::new(configuration(1, members, ports)).map(drop).map_err(|error| error.to_string())
    };
    let of = |error: &str| Err(error.to_owned());
    assert_eq!(with("10.0.0.0-10.0.3.231", documented), Ok(()));
    assert_eq!(
        with("10.0.0.0-10.0.3.232", documented),
        of(
            "`ports`: 1001 members do not fit: floor(64000 usable / 64 ports) = 1000 an address, x 1 = 1000"
        )
    );
    assert_eq!(with("10.0.0.0-10.0.3.239", PortBlock::ABOVE_WELL_KNOWN), Ok(()));
    assert_eq!(
        with("10.0.0.0-10.0.3.240", PortBlock::ABOVE_WELL_KNOWN),
        of(
            "`ports`: 1009 members do not fit: floor(64512 usable / 64 ports) = 1008 an address, x 1 = 1008"
        )
    );
}

#[test]
fn manual_ports_are_a_multiple_of_8() {
    for ports in 1..=64 {
        let allowed = Nat::new(configuration(1, "10.0.0.1", manual(ports, "1024-65023"))).is_ok();
        assert_eq!(allowed, ports % 8 == 0, "{ports}");
    }
}

#[test]
fn a_hole_takes_its_slots_room() {
    let fits = |pool| Nat::new(configuration(1, pool, manual(8, "1024-1039"))).is_ok();
    assert!(fits("10.0.0.1, 10.0.0.3"));
    assert!(fits("hole, 10.0.0.3"));
    assert!(!fits("10.0.0.1, hole, 10.0.0.3"));
    assert!(Nat::new(configuration(2, "hole, 10.0.0.2", PortPolicy::Static)).is_ok());
    assert!(Nat::new(configuration(2, "10.0.0.1, hole, 10.0.0.3", PortPolicy::Static)).is_err());
}

#[test]
fn a_port_is_never_reused_more_finely_than_replies_can_be_told_apart() {
    use MappingBehaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    use PortReuse::{Never, PerDestination, PerDestinationAddress};
    for (mapping, allowed) in [
        (EndpointIndependent, vec![Never]),
        (AddressDependent, vec![Never, PerDestinationAddress]),
        (AddressAndPortDependent, vec![Never, PerDestinationAddress, PerDestination]),
    ] {
        for port_reuse in [Never, PerDestinationAddress, PerDestination] {
            let with = |ports: PortPolicy| {
                let mut configuration = configuration(3, "10.0.0.1", ports);
                configuration.mapping = mapping.into();
                configuration.port_reuse = port_reuse.into();
                Nat::new(configuration).is_ok()
            };
            assert_eq!(with(on_demand("1024-2047")), allowed.contains(&port_reuse));
            let kept = [with(PortPolicy::Static), with(PortPolicy::Dynamic)];
            assert_eq!(kept, [allowed.last() == Some(&port_reuse); 2]);
        }
    }
}

/// A configuration with every field said.
fn told_in_full() -> Value {
    json!({
        "virtual_ips": ["203.0.113.1", "203.0.113.2"],
        "pool": "10.0.0.1, hole, 10.0.0.3",
        "ports": { "manual": { "ports": 8, "usable": "1024-65023" } },
        "mapping": "address-dependent",
        "port_reuse": "per-destination-address",
        "selection": { "random": 7 },
        "timers": {
            "idle": { "tcp": "240s", "udp": "30s", "icmp": "1500ms" },
            "hold_down": { "finish": "240s", "reset": "15s", "idle": "4s", "half_open": "0s" }
        },
        "inbound_rules": ["tcp 203.0.113.1:80 > 10.0.0.1:8080"]
    })
}

#[test]
fn a_configuration_is_written_as_it_is_read() {
    let nat: Nat = serde_json::from_value(told_in_full()).unwrap();
    assert_eq!(serde_json::to_value(&nat).unwrap(), told_in_full());
    assert_eq!(toml::from_str::<Nat>(&toml::to_string(&nat).unwrap()).unwrap(), nat);
    assert_eq!(nat.timers.idle.icmp, Duration::from_millis(1_500));
    assert_eq!(nat.selection, Selection::Random(7));
    assert_eq!(nat.pool.slots().len(), 3);
    for (ports, written) in [
        (PortPolicy::Static, json!("static")),
        (PortPolicy::Dynamic, json!("dynamic")),
        (tiers("1-50: 1024"), json!({ "tiered": "1-50: 1024" })),
        (fixed(8, "1024-2047"), json!({ "fixed": { "ports": 8, "usable": "1024-2047" } })),
        (on_demand("1024-2047"), json!({ "on-demand": "1024-2047" })),
        (
            guaranteed(128, "1024-2047", "2048-4095"),
            json!({ "guaranteed": { "ports": 128, "usable": "1024-2047", "shared": "2048-4095" } }),
        ),
        (
            doubling(32, 65_536, "1024-65535"),
            json!({ "doubling": { "minimum": 32, "maximum": 65_536, "usable": "1024-65535" } }),
        ),
    ] {
        assert_eq!(serde_json::to_value(ports).unwrap(), written);
    }
}

#[test]
fn what_a_person_leaves_out_has_these_values() {
    let short: Nat = toml::from_str(
        r#"
        virtual_ips = ["203.0.113.1"]
        pool = "10.0.0.1"
        ports = "dynamic"
        "#,
    )
    .unwrap();
    assert_eq!(short, nat(1, "10.0.0.1", PortPolicy::Dynamic));
    assert_eq!(
        serde_json::to_value(&short).unwrap(),
        json!({
            "virtual_ips": ["203.0.113.1"],
            "pool": "10.0.0.1",
            "ports": "dynamic",
            "mapping": "address-and-port-dependent",
            "port_reuse": "per-destination",
            "selection": "lowest-first",
            "timers": {
                "idle": { "tcp": "240s", "udp": "240s", "icmp": "240s" },
                "hold_down": { "finish": "0s", "reset": "0s", "idle": "0s", "half_open": "0s" }
            }
        })
    );
}

#[test]
fn a_field_that_is_missing_is_named() {
    for field in ["virtual_ips", "pool", "ports"] {
        let mut told = told_in_full();
        told.as_object_mut().unwrap().remove(field);
        let error = serde_json::from_value::<Nat>(told).unwrap_err().to_string();
        assert_eq!(error, format!("missing field `{field}`"));
    }
}

#[test]
fn a_field_that_nobody_knows_is_refused_wherever_it_stands() {
    let with = |pointer: &str| {
        let mut told = told_in_full();
        let place = told.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        place.insert("hold_donw".into(), json!("4s"));
        serde_json::from_value::<Nat>(told).unwrap_err().to_string()
    };
    for (pointer, known) in [
        ("/timers", "one of `idle`, `hold_down`, `unsolicited_syn`"),
        ("/timers/idle", "one of `tcp`, `udp`, `icmp`"),
        ("/timers/hold_down", "one of `finish`, `reset`, `idle`, `half_open`"),
        ("/ports/manual", "`ports` or `usable`"),
    ] {
        assert_eq!(with(pointer), format!("unknown field `hold_donw`, expected {known}"));
    }
    assert_eq!(
        with(""),
        "unknown field `hold_donw`, expected one of `virtual_ips`, `pool`, `ports`, `mapping`, \
         `filtering`, `port_reuse`, `pooling`, `preserve`, `selection`, `timers`, `closes_on`, \
         `inbound_refresh`, `limits`, `reserved`, `exempt`, `inbound_rules`, `rule_ports`"
    );
}

#[test]
fn a_scenario_or_trace_with_a_field_that_nobody_knows_is_refused() {
    let step = json!({
        "event": { "elapse": "4s" },
        "outcome": { "reconfigured": { "stranded": [] } }
    });
    let scenario = json!({ "subject": told_in_full(), "events": [{ "elapse": "4s" }] });
    let trace = json!({ "subject": told_in_full(), "steps": [step] });
    assert!(serde_json::from_value::<Scenario<Nat>>(scenario.clone()).is_ok());
    assert!(serde_json::from_value::<Trace<Nat>>(trace.clone()).is_ok());
    let refused = |mut told: Value, pointer: &str| {
        let place = told.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        place.insert("note".into(), json!("4s"));
        let scenario = serde_json::from_value::<Scenario<Nat>>(told.clone()).unwrap_err();
        let trace = serde_json::from_value::<Trace<Nat>>(told).unwrap_err();
        [scenario, trace].map(|error| error.to_string())
    };
    let unknown = |known: &str| format!("unknown field `note`, expected {known}");
    assert_eq!(refused(scenario, "")[0], unknown("`subject` or `events`"));
    assert_eq!(refused(trace.clone(), "")[1], unknown("`subject` or `steps`"));
    assert_eq!(refused(trace.clone(), "/steps/0")[1], unknown("`event` or `outcome`"));
    let stranded = refused(trace, "/steps/0/outcome/reconfigured");
    assert_eq!(stranded[1], unknown("`stranded`"));
}

#[test]
fn a_noun_within_a_configuration_is_refused_in_its_own_words() {
    let with = |pointer: &str, value: Value| {
        let mut told = told_in_full();
        *told.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<Nat>(told).unwrap_err().to_string()
    };
    assert_eq!(with("/pool", json!("hole")), "a pool needs at least one member");
    assert_eq!(
        with("/ports/manual/usable", json!("2000-1000")),
        "`2000-1000` is an empty port block: the first port is above the last"
    );
    assert_eq!(
        with("/timers/idle/tcp", json!("240")),
        "`240` is no length of time: write a whole number and a unit (ms, s, min or h), such as 240s"
    );
    assert_eq!(
        with("/ports", json!({ "tiered": "1-51: 1024" })),
        "51 members x 1024 ports do not fit: 50 x 1024 ports are laid out"
    );
}

#[test]
fn a_translator_is_told_in_one_line() {
    let line = |addresses, pool, ports| nat(addresses, pool, ports).to_string();
    let two = "10.0.0.1, hole, 10.0.0.3";
    for (actual, expected) in [
        (
            line(1, "10.0.0.1", on_demand("1024-65535")),
            "1 member of 1 virtual IP, 64512 ports shared by all members",
        ),
        (
            line(2, two, fixed(8, "1024-65535")),
            "2 members of 2 virtual IPs, 8 ports a member on each",
        ),
        (
            line(2, two, manual(8, "1024-65023")),
            "2 members of 2 virtual IPs, 8 ports a member in all, 64000 usable",
        ),
        (
            line(3, two, PortPolicy::Static),
            "2 members of 3 virtual IPs, a virtual IP for each member",
        ),
        (
            line(3, two, PortPolicy::Dynamic),
            "2 members of 3 virtual IPs, a whole virtual IP leased to a member",
        ),
        (
            line(2, two, guaranteed(128, "1024-2047", "2048-4095")),
            "2 members of 2 virtual IPs, 128 ports a member in all guaranteed, 2048 more on each \
             shared by all members",
        ),
        (
            line(2, two, doubling(32, 65_536, "1024-65535")),
            "2 members of 2 virtual IPs, 32 ports a member, doubled up to 65536",
        ),
        (
            line(1, two, tiers("1-50: 1024, 51-100: 512")),
            "2 members of 1 virtual IP, 1024 ports a member on each by pool size",
        ),
    ] {
        assert_eq!(actual, expected);
    }
}

/// The largest pool there is, in a translator where every member has one port.
#[test]
fn the_largest_pool_has_room_where_ports_do() {
    let pool = "10.0.0.0-10.0.255.255";
    let largest = nat(2, pool, on_demand("1-65535"));
    assert_eq!(largest.pool.slots().len(), SLOTS_MAX);
    let error = Nat::new(configuration(2, pool, fixed(1, "1-65535"))).unwrap_err().to_string();
    assert_eq!(
        error,
        "`ports`: 65536 members do not fit: floor(65535 usable / 1 ports) = 65535 an address, x 1 = 65535"
    );
}
