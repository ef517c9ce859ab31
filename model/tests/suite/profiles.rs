//! Providers' published rules: what each profile says, and at which bounds it refuses.

use natlaw_model::nat::{
    AddressPooling, ClosesOn, FilteringBehaviour, MappingBehaviour, Nat, PerTransport, PortPolicy,
    PortReuse, Preserve, RulePorts, Selection, Timers,
};
use natlaw_model::profile::{Ask, Behaviour, Growth, Profile, ProfileError};
use natlaw_model::tiers::TierTable;
use natlaw_model::time::Duration;

use crate::{deterministic, doubling, guaranteed, manual, on_demand};

/// Every profile, in the order in which it is listed.
const NAMES: [&str; 11] = [
    "azure-classic",
    "azure-load-balancer",
    "azure-outbound-rules",
    "azure-nat-gateway",
    "azure-nat-gateway-v2",
    "azure-app-service",
    "google-cloud-nat-static",
    "google-cloud-nat-dynamic",
    "aws-nat-gateway",
    "carrier-grade",
    "linux",
];

fn profile(name: &str) -> Profile {
    Profile::named(name).unwrap_or_else(|| panic!("no profile `{name}`"))
}

fn read_as(name: &str, reading: &str) -> Profile {
    profile(name).read_as(reading).unwrap()
}

fn nat_of(profile: &Profile, members: usize, addresses: usize) -> Nat {
    profile.nat(&Ask::of(members, addresses)).unwrap()
}

fn refusal(profile: &Profile, ask: Ask) -> String {
    profile.nat(&ask).unwrap_err().to_string()
}

fn with_ports(members: usize, addresses: usize, ports: u16) -> Ask {
    Ask { ports: Some(ports), ..Ask::of(members, addresses) }
}

/// Timers in seconds: TCP half-open, established, closed by one side, closed, reset; UDP, ICMP; rest
/// after FIN, RST, idle, half-open; unsolicited SYN.
fn seconds(timers: &Timers) -> [u64; 12] {
    let tcp = timers.idle.tcp;
    let rest = timers.hold_down;
    let wait = timers.unsolicited_syn.unwrap_or_default();
    [
        tcp.half_open,
        tcp.established,
        tcp.one_side_closed,
        tcp.time_wait,
        tcp.reset,
        timers.idle.udp,
        timers.idle.icmp,
        rest.finish,
        rest.reset,
        rest.idle,
        rest.half_open,
        wait,
    ]
    .map(|time| time.millis() / 1_000)
}

#[test]
fn every_profile_is_found_by_its_name_and_there_are_no_others() {
    let names: Vec<_> = Profile::all().map(|profile| profile.name).collect();
    assert_eq!(names, NAMES);
    assert!(NAMES.iter().all(|name| profile(name).name == *name));
    assert!(Profile::named("azure").is_none());
}

#[test]
fn every_profile_gives_a_translator_whose_members_and_addresses_count_upwards() {
    for profile in Profile::all() {
        let nat = nat_of(&profile, 3, 2);
        assert_eq!(nat.pool.to_string(), "10.0.0.1-10.0.0.3", "{}", profile.name);
        let addresses: Vec<_> = nat.virtual_ips.iter().map(ToString::to_string).collect();
        assert!(
            ["203.0.113.1", "203.0.113.2"]
                .starts_with(&addresses.iter().map(String::as_str).collect::<Vec<_>>())
        );
        assert_eq!(
            nat.virtual_ips.len(),
            if profile.name.ends_with("balancer") || profile.name == "azure-classic" {
                1
            } else {
                2
            },
            "{}",
            profile.name
        );
    }
}

#[test]
fn the_timers_are_those_of_the_documents() {
    let expected = [
        ("azure-classic", [240, 240, 240, 0, 0, 240, 240, 240, 15, 0, 0, 0]),
        ("azure-load-balancer", [240, 240, 240, 0, 0, 240, 240, 240, 15, 0, 0, 0]),
        ("azure-outbound-rules", [240, 240, 240, 0, 0, 240, 240, 240, 15, 0, 0, 0]),
        ("azure-nat-gateway", [30, 240, 240, 0, 0, 240, 240, 65, 16, 65, 0, 0]),
        ("azure-nat-gateway-v2", [30, 240, 240, 0, 0, 240, 240, 65, 16, 65, 0, 0]),
        ("azure-app-service", [240, 240, 240, 0, 0, 240, 240, 240, 15, 0, 0, 0]),
        ("google-cloud-nat-static", [30, 1_200, 30, 0, 0, 30, 30, 120, 30, 0, 0, 0]),
        ("google-cloud-nat-dynamic", [30, 1_200, 30, 0, 0, 30, 30, 120, 30, 0, 0, 0]),
        ("aws-nat-gateway", [350, 350, 350, 0, 0, 350, 350, 61, 61, 0, 0, 0]),
        ("carrier-grade", [240, 7_440, 240, 240, 240, 300, 60, 120, 120, 120, 120, 6]),
        ("linux", [120, 432_000, 120, 120, 10, 120, 30, 0, 0, 0, 0, 0]),
    ];
    for (name, times) in expected {
        assert_eq!(seconds(&nat_of(&profile(name), 2, 1).timers), times, "{name}");
    }
}

#[test]
fn the_ports_are_shared_out_as_the_documents_say() {
    let by_size = || PortPolicy::Tiered(TierTable::of_the_story());
    let classic = "1-50: 1024, 51-100: 512, 101-200: 256, 201-400: 128".parse().unwrap();
    let expected = [
        ("azure-classic", PortPolicy::Tiered(classic)),
        ("azure-load-balancer", by_size()),
        ("azure-outbound-rules", by_size()),
        ("azure-nat-gateway", on_demand("1024-65535")),
        ("azure-nat-gateway-v2", on_demand("1024-65535")),
        ("azure-app-service", guaranteed(128, "1024-33023", "33024-65023")),
        ("google-cloud-nat-static", manual(64, "1024-65535")),
        ("google-cloud-nat-dynamic", doubling(32, 65_536, "1024-65535")),
        ("aws-nat-gateway", on_demand("1024-65535")),
        ("carrier-grade", manual(1_024, "1024-65535")),
        ("linux", on_demand("1024-65535")),
    ];
    for (name, ports) in expected {
        assert_eq!(nat_of(&profile(name), 2, 1).ports, ports, "{name}");
    }
}

#[test]
fn limits_are_those_of_the_documents() {
    let limits = |name| {
        let profile = profile(name);
        let value = |dated: Option<natlaw_model::profile::Dated<u32>>| dated.map(|d| d.value);
        let limits = nat_of(&profile, 2, 1).limits;
        assert_eq!(limits.per_destination, value(profile.flows_per_destination_max), "{name}");
        (limits.per_destination, value(profile.flows_max), limits.flows)
    };
    let gateway = (Some(50_000), Some(2_000_000), None);
    assert_eq!(limits("azure-nat-gateway"), gateway);
    assert_eq!(limits("azure-nat-gateway-v2"), gateway);
    assert_eq!(limits("aws-nat-gateway"), (Some(55_000), None, None));
    assert_eq!(limits("azure-app-service"), (None, None, Some(1_920)));
    assert_eq!(limits("carrier-grade"), (None, None, Some(4_000)));
    for name in ["azure-classic", "azure-load-balancer", "azure-outbound-rules", "linux"] {
        assert_eq!(limits(name), (None, None, None), "{name}");
    }
}

#[test]
fn what_else_a_profile_declares() {
    let nat = |name| nat_of(&profile(name), 2, 1);
    let carrier = nat("carrier-grade");
    assert_eq!(carrier.pooling, AddressPooling::Paired);
    assert_eq!(carrier.preserve, Preserve { port: false, class: true, parity: true });
    assert_eq!(carrier.mapping, MappingBehaviour::EndpointIndependent.into());
    assert_eq!(carrier.filtering, Some(FilteringBehaviour::EndpointIndependent.into()));
    assert_eq!(carrier.port_reuse, PortReuse::Never.into());
    assert_eq!(carrier.inbound_refresh, false.into());
    assert_eq!(nat("linux").preserve, Preserve { port: true, class: true, parity: false });
    assert_eq!(nat("azure-load-balancer").rule_ports, RulePorts::GroupOfEight);
    assert_eq!(nat("azure-classic").rule_ports, RulePorts::One);
    assert_eq!(nat("azure-nat-gateway").selection, Selection::Random(6_056));
    let refreshed = PerTransport { tcp: true, udp: false, icmp: false };
    assert_eq!(nat("azure-nat-gateway").inbound_refresh, refreshed);
    for name in ["azure-classic", "google-cloud-nat-static", "carrier-grade", "linux"] {
        assert_eq!(nat(name).closes_on, ClosesOn::BothSides, "{name}");
    }
    for name in ["azure-load-balancer", "azure-nat-gateway", "azure-app-service"] {
        assert_eq!(nat(name).closes_on, ClosesOn::EitherSide, "{name}");
    }
}

/// Two frontends give a member of a pool of 100 its 1,024 ports, and a third adds nothing; without
/// the cap each adds as many.
#[test]
fn a_cap_leaves_no_more_addresses_in_use_than_it_takes() {
    let in_use = |profile: &Profile, members, addresses| {
        nat_of(profile, members, addresses).virtual_ips.len()
    };
    let capped = profile("azure-load-balancer");
    let expected = [(1, 1), (50, 1), (51, 2), (100, 2), (101, 4), (200, 4), (400, 8), (800, 16)];
    for (members, most) in expected {
        assert_eq!(in_use(&capped, members, 40), most, "{members} members");
        assert_eq!(in_use(&capped, members, most), most, "{members} members");
    }
    assert_eq!(in_use(&capped, 801, 40), 32);
    assert_eq!(in_use(&capped, 51, 1), 1);
    let free = read_as("azure-load-balancer", "no-cap-2019");
    assert_eq!(in_use(&free, 50, 2), 2);
    assert_eq!(in_use(&free, 50, 40), 40);
}

#[test]
fn of_one_frontend_all_others_are_left_aside() {
    assert_eq!(nat_of(&profile("azure-classic"), 60, 3).virtual_ips.len(), 1);
    let basic = read_as("azure-load-balancer", "one-frontend-2019");
    assert_eq!(nat_of(&basic, 60, 3).virtual_ips.len(), 1);
    let again = basic.read_as("frontends-all-at-once-2019").unwrap();
    let nat = nat_of(&again, 60, 3);
    assert_eq!((nat.virtual_ips.len(), nat.selection), (2, Selection::Spread));
    let in_order = again.read_as("frontends-one-at-a-time-2022").unwrap();
    assert_eq!(nat_of(&in_order, 60, 3).selection, Selection::LowestFirst);
}

#[test]
fn each_reading_changes_what_it_is_about() {
    let udp = |reading| {
        let nat = nat_of(&read_as("azure-load-balancer", reading), 2, 1);
        (nat.mapping.udp, nat.port_reuse.udp)
    };
    let (by_port, cone) =
        (MappingBehaviour::AddressAndPortDependent, MappingBehaviour::EndpointIndependent);
    assert_eq!(udp("udp-by-destination-address-2022"), (by_port, PortReuse::PerDestinationAddress));
    assert_eq!(udp("udp-cone-2019"), (cone, PortReuse::Never));
    assert_eq!(udp("udp-port-a-flow-2019"), (by_port, PortReuse::Never));
    let closes = |name, reading| nat_of(&read_as(name, reading), 2, 1).closes_on;
    assert_eq!(closes("azure-load-balancer", "fin-of-both-sides-2018"), ClosesOn::BothSides);
    assert_eq!(closes("azure-classic", "fin-of-either-side-2019"), ClosesOn::EitherSide);
    let growth = |reading| read_as("azure-load-balancer", reading).growth.unwrap().value;
    assert_eq!(growth("growth-reclaims-half-2019"), Growth::HalfReclaimed);
    assert_eq!(growth("growth-not-said-2022"), Growth::NotSaid);
    let reported = |reading| read_as("azure-classic", reading).reported_size_max.value;
    assert_eq!(
        (reported("redeploy-reports-twice-2018"), reported("redeploy-not-said-2019")),
        (2, 1)
    );
    let older = nat_of(&read_as("azure-nat-gateway", "timers-2021"), 2, 1).timers;
    assert_eq!(seconds(&older), [30, 240, 240, 0, 0, 240, 240, 65, 15, 5, 5, 0]);
    let udp = |reading| nat_of(&read_as("linux", reading), 2, 1).timers.idle.udp;
    assert_eq!(udp("udp-stream"), Duration::from_secs(120));
    assert_eq!(udp("udp-no-stream"), Duration::from_secs(30));
    let mapped = nat_of(&read_as("google-cloud-nat-static", "mapping-endpoint-independent"), 2, 1);
    assert_eq!((mapped.mapping.tcp, mapped.port_reuse.tcp), (cone, PortReuse::Never));
    let flows = |reading: &str| nat_of(&read_as("azure-app-service", reading), 2, 1).limits.flows;
    let sizes = ["small", "medium", "large", "isolated"]
        .map(|size| flows(&format!("{size}-instance-2020")));
    assert_eq!(sizes, [1_920, 3_968, 8_064, 16_000].map(Some));
    let environment = read_as("azure-app-service", "environment-2020");
    assert_eq!(nat_of(&environment, 51, 1).ports_per_member(), Some(512));
}

#[test]
fn of_the_readings_of_one_question_exactly_one_is_taken() {
    for profile in Profile::all() {
        for reading in profile.readings() {
            let read = profile.clone().read_as(reading.name).unwrap();
            let of_question = |other: &&natlaw_model::profile::Reading| {
                other.question == reading.question && read.takes(other)
            };
            let taken: Vec<_> = read.readings().iter().filter(of_question).collect();
            assert_eq!(taken.len(), 1, "{}: {}", profile.name, reading.question);
            assert_eq!(taken[0].name, reading.name);
        }
        let first = |reading: &natlaw_model::profile::Reading| {
            let of_question =
                |other: &&natlaw_model::profile::Reading| other.question == reading.question;
            profile.readings().iter().find(of_question).map(|first| first.name)
                == Some(reading.name)
        };
        assert!(profile.readings().iter().all(|reading| profile.takes(reading) == first(reading)));
    }
}

#[test]
fn a_question_has_at_least_two_readings_and_a_name_stands_for_one() {
    for profile in Profile::all() {
        for reading in profile.readings() {
            let count = |is: &dyn Fn(&natlaw_model::profile::Reading) -> bool| {
                profile.readings().iter().filter(|other| is(other)).count()
            };
            assert!(count(&|other| other.question == reading.question) >= 2, "{}", reading.name);
            assert_eq!(count(&|other| other.name == reading.name), 1, "{}", reading.name);
        }
    }
}

#[test]
fn an_unknown_reading_is_told_those_there_are() {
    let error = |name, reading| profile(name).read_as(reading).unwrap_err().to_string();
    assert_eq!(
        error("linux", "udp"),
        "linux has no reading \"udp\": it has udp-stream, udp-no-stream"
    );
    assert_eq!(error("carrier-grade", "x"), "carrier-grade has no reading \"x\": it has none");
}

#[test]
fn a_bound_is_named_with_its_document() {
    let balancer = profile("azure-load-balancer");
    let document = "\"Using SNAT for outbound connections\", Azure Load Balancer documentation, \
                    March 2022";
    assert!(balancer.nat(&Ask::of(1_000, 1)).is_ok());
    let expected = format!("members 1001: at most 1000 ({document})");
    assert_eq!(refusal(&balancer, Ask::of(1_001, 1)), expected);
    assert!(profile("azure-classic").nat(&Ask::of(400, 1)).is_ok());
    assert!(
        refusal(&profile("azure-classic"), Ask::of(401, 1)).starts_with("members 401: at most 400")
    );
    let gateway = profile("azure-nat-gateway");
    assert!(gateway.nat(&Ask::of(1, 16)).is_ok());
    let document = "\"Azure NAT Gateway resource\", Azure documentation, July 2023";
    assert_eq!(refusal(&gateway, Ask::of(1, 17)), format!("addresses 17: at most 16 ({document})"));
    assert!(profile("aws-nat-gateway").nat(&Ask::of(1, 8)).is_ok());
    assert!(refusal(&profile("aws-nat-gateway"), Ask::of(1, 9)).contains("date not known"));
    assert!(profile("linux").nat(&Ask::of(1, 254)).is_ok());
    assert!(refusal(&profile("linux"), Ask::of(1, 255)).contains("(assumed: "));
    let none = "addresses 0: a translator needs at least one";
    assert_eq!(refusal(&gateway, Ask::of(1, 0)), none);
    assert_eq!(refusal(&gateway, Ask::of(0, 1)), "members: a pool needs at least one member");
}

#[test]
fn ports_are_chosen_where_the_document_lets_a_person_choose() {
    let rules = profile("azure-outbound-rules");
    let ports = |ask| rules.nat(&ask).unwrap().ports.clone();
    assert_eq!(ports(with_ports(6, 1, 10_000)), manual(10_000, "1024-65023"));
    assert_eq!(ports(with_ports(1, 1, 64_000)), manual(64_000, "1024-65023"));
    assert_eq!(ports(with_ports(2, 1, 8)), manual(8, "1024-65023"));
    assert_eq!(ports(with_ports(2, 1, 0)), PortPolicy::Tiered(TierTable::of_the_story()));
    let document = "\"Outbound rules\", Azure Load Balancer documentation, April 2024";
    let choice = format!("must be a multiple of 8 from 0 to 64000 ({document})");
    for wrong in [1, 7, 9, 12, 64_001, 64_008] {
        let expected = format!("ports {wrong}: {choice}");
        assert_eq!(refusal(&rules, with_ports(1, 1, wrong)), expected);
    }
    assert_eq!(
        refusal(&rules, with_ports(7, 1, 10_000)),
        format!(
            "members 7: floor(64000 ports of an address / 10000 of a member) x 1 = 6 fit ({document})"
        )
    );
    assert!(rules.nat(&with_ports(12, 2, 10_000)).is_ok());
    assert!(rules.nat(&with_ports(13, 2, 10_000)).is_err());
    let older = read_as("azure-outbound-rules", "ports-51200");
    assert_eq!(older.ports_of_an_address.value, 51_200);
    assert!(older.nat(&with_ports(5, 1, 10_240)).is_ok());
    assert!(older.nat(&with_ports(6, 1, 10_240)).is_err());
}

#[test]
fn no_ports_are_chosen_where_the_documents_decide() {
    let refused = refusal(&profile("linux"), with_ports(1, 1, 64));
    let expected = "ports 64: nobody chooses the ports of a member of linux, which has 64512 ports \
                    shared by all members (assumed: the documents do not say)";
    assert_eq!(refused, expected);
    let zero = refusal(&profile("carrier-grade"), with_ports(1, 1, 0));
    assert!(zero.starts_with("ports 0: must be a multiple of 8 from 8 to 64512"), "{zero}");
    let fitting = Ask::of(250, 1);
    assert!(profile("azure-app-service").nat(&fitting).is_ok());
    assert_eq!(
        refusal(&profile("azure-app-service"), Ask::of(251, 1)),
        "members 251: floor(32000 ports of an address / 128 of a member) x 1 = 250 fit (assumed: \
         the documents do not say)"
    );
}

/// Of 64,512 ports 2,016 members have 32 each; a ratio is a count of members in itself.
#[test]
fn each_address_brings_room_for_as_many_members() {
    let doubled = profile("google-cloud-nat-dynamic");
    assert!(doubled.nat(&Ask::of(4_032, 2)).is_ok());
    assert!(refusal(&doubled, Ask::of(4_033, 2)).contains("= 4032 fit"));
    let mut mapped = profile("carrier-grade");
    mapped.ports.value = deterministic(100, 0, "1024-65535");
    assert!(mapped.nat(&Ask::of(200, 2)).is_ok());
    assert!(refusal(&mapped, Ask::of(201, 2)).contains("= 200 fit"));
}

#[test]
fn an_idle_time_is_held_to_its_range() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let idle = |profile: Profile, idle| {
        profile.with_idle(idle).map(|profile| nat_of(&profile, 1, 1).timers.idle.tcp.established)
    };
    for (reading, most) in [("idle-4-to-120-minutes-2022", 120), ("idle-4-to-66-minutes-2019", 66)]
    {
        let read = || read_as("azure-load-balancer", reading);
        assert_eq!(idle(read(), minutes(4)), Ok(minutes(4)));
        assert_eq!(idle(read(), minutes(most)), Ok(minutes(most)));
        assert!(matches!(idle(read(), minutes(most + 1)), Err(ProfileError::Idle { .. })));
        assert!(matches!(idle(read(), Duration::from_secs(239)), Err(ProfileError::Idle { .. })));
    }
    let error = idle(profile("azure-nat-gateway"), minutes(121)).unwrap_err().to_string();
    let expected = "idle 7260s: that of azure-nat-gateway is from 240s to 7200s (\"Azure NAT \
                    Gateway resource\", Azure documentation, July 2023)";
    assert_eq!(error, expected);
    let fixed = read_as("azure-load-balancer", "idle-4-minutes-2019");
    let error = idle(fixed, minutes(5)).unwrap_err().to_string();
    assert!(
        error.starts_with("idle: nobody chooses the idle time of azure-load-balancer"),
        "{error}"
    );
    let cluster = read_as("azure-outbound-rules", "idle-30-minutes-of-aks");
    assert_eq!(nat_of(&cluster, 1, 1).timers.idle.tcp.established, minutes(30));
    assert_eq!(idle(cluster, minutes(120)), Ok(minutes(120)));
}

/// A document has a title; what has no date says so, and what is assumed says that.
#[test]
fn every_constant_has_a_document() {
    for profile in Profile::all() {
        let constants = profile.constants();
        assert!(constants.len() > 24, "{}", profile.name);
        for constant in constants {
            let text = constant.document.to_string();
            let dated = constant.document.date.is_some_and(|date| text.ends_with(date));
            let undated = text.ends_with(", date not known");
            assert!(dated || undated || constant.document.is_assumed(), "{text}");
            assert!(!constant.value.is_empty(), "{}", constant.name);
        }
    }
}

/// What a profile's table says of one constant.
fn told(profile: &Profile, name: &str) -> Option<String> {
    let constants = profile.constants();
    constants.into_iter().find(|constant| constant.name == name).map(|constant| constant.value)
}

#[test]
fn a_table_tells_every_constant_with_its_unit() {
    let expected = [
        ("azure-load-balancer", "ports of an address", "64000 ports"),
        ("azure-load-balancer", "a member has at most", "1024 ports"),
        ("azure-load-balancer", "members at most", "1000"),
        ("azure-load-balancer", "an inbound rule takes", "the 8 ports of its group"),
        ("azure-load-balancer", "address of a member", "any"),
        ("azure-load-balancer", "what a port keeps", "nothing"),
        ("azure-load-balancer", "which port is taken", "the lowest, one address after the other"),
        ("azure-load-balancer", "FIN that closes", "that of either side"),
        ("azure-load-balancer", "the outside keeps alive", "TCP, UDP, ICMP"),
        ("azure-load-balancer", "a port rests after RST", "15s"),
        ("azure-load-balancer", "idle time a person may set", "240s to 7200s"),
        (
            "azure-load-balancer",
            "growth into a larger tier",
            "half of each member's ports are reclaimed",
        ),
        (
            "azure-load-balancer",
            "ports of UDP",
            "mapped by destination, open to that endpoint, a port for one mapping an address",
        ),
        ("azure-classic", "addresses that flows leave from", "1"),
        ("azure-classic", "a redeployed pool is reported", "2 x its size at most"),
        (
            "azure-outbound-rules",
            "a person may choose",
            "0 to 64000 ports in steps of 8, of 1024-65023",
        ),
        ("azure-nat-gateway", "flows of an address to one destination", "50000 flows"),
        ("azure-nat-gateway", "flows at most", "2000000 flows"),
        ("azure-nat-gateway", "addresses at most", "16"),
        ("azure-nat-gateway", "which port is taken", "the next from a random start"),
        ("azure-nat-gateway", "the outside keeps alive", "TCP"),
        ("azure-app-service", "flows of a member at most", "1920 flows"),
        ("carrier-grade", "ports of a member", "1024 ports a member in all, 64512 usable"),
        ("carrier-grade", "address of a member", "always the same"),
        ("carrier-grade", "what a port keeps", "class, parity"),
        ("carrier-grade", "the outside keeps alive", "nothing"),
        ("carrier-grade", "an unsolicited SYN waits", "6s"),
        ("carrier-grade", "an inbound rule takes", "its own port"),
        ("carrier-grade", "FIN that closes", "that of both sides"),
        (
            "carrier-grade",
            "ports of TCP",
            "mapped by inside endpoint alone, open to anybody, a port for one mapping",
        ),
        ("linux", "what a port keeps", "number, class"),
        ("linux", "established TCP lives idle", "432000s"),
    ];
    for (name, constant, value) in expected {
        assert_eq!(told(&profile(name), constant).as_deref(), Some(value), "{name}: {constant}");
    }
    let spread = read_as("azure-load-balancer", "frontends-all-at-once-2019");
    let expected = "the lowest of the least used address";
    assert_eq!(told(&spread, "which port is taken").as_deref(), Some(expected));
    let silent = read_as("azure-load-balancer", "growth-not-said-2022");
    assert_eq!(told(&silent, "growth into a larger tier").as_deref(), Some("not said"));
    for absent in ["a member has at most", "flows at most", "an unsolicited SYN waits"] {
        assert_eq!(told(&profile("linux"), absent), None, "{absent}");
    }
}

#[test]
fn a_behaviour_is_told_in_words() {
    let told =
        |mapping, filtering, port_reuse| Behaviour { mapping, filtering, port_reuse }.to_string();
    assert_eq!(
        told(
            MappingBehaviour::AddressDependent,
            FilteringBehaviour::AddressDependent,
            PortReuse::PerDestinationAddress
        ),
        "mapped by destination address, open to that address, a port for one mapping an address"
    );
    assert_eq!(
        told(
            MappingBehaviour::AddressAndPortDependent,
            FilteringBehaviour::AddressAndPortDependent,
            PortReuse::PerDestination
        ),
        "mapped by destination, open to that endpoint, a port for one mapping a destination"
    );
}
