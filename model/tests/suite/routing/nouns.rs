//! What a person types and reads.

use natlaw_model::flow::Transport;
use natlaw_model::routing::{
    Component, Connection, Disposition, HealthVector, Means, MemberName, NAME_MAX, Name, NoRoute,
    Place, Precedence, Probe, Request, Rule, Service, Target, Walk,
};
use natlaw_model::time::{Duration, Instant};

use super::super::read;
use super::event;

fn name(text: &str) -> Name {
    read(text)
}

#[test]
fn a_name_has_1_to_64_letters_digits_and_three_marks() {
    let longest = "x".repeat(NAME_MAX);
    for text in ["a", "weu-2", "A_b.9", longest.as_str()] {
        assert_eq!(name(text).to_string(), text);
        assert_eq!(name(text).as_str(), text);
    }
    let too_long = "x".repeat(NAME_MAX + 1);
    for text in ["", "a b", "ä", "a/b", "a~b", "a@b", too_long.as_str()] {
        let error = text.parse::<Name>().expect_err("no name");
        let expected =
            format!("`{text}` is no name: write 1 to 64 letters, digits, `-`, `_` or `.`");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_target_may_name_a_virtual_ip() {
    for text in ["weu", "weu@203.0.113.2"] {
        assert_eq!(read::<Target>(text).to_string(), text);
    }
    assert_eq!(read::<Target>("weu"), Target::node(name("weu")));
    let error = "weu@x".parse::<Target>().expect_err("no address");
    assert_eq!(
        error.to_string(),
        "`x` is no virtual IP: write an IPv4 address, such as 203.0.113.2"
    );
}

#[test]
fn a_component_is_a_node_a_vm_or_a_link() {
    for text in ["weu", "weu/10.0.0.1", "lyon~paris"] {
        assert_eq!(read::<Component>(text).to_string(), text);
    }
    assert_eq!(read::<Component>("paris~lyon"), read("lyon~paris"));
    assert_eq!(read::<Component>("weu"), Component::node(name("weu")));
    assert_eq!(Component::link(name("b"), name("a")), Component::Link(name("a"), name("b")));
    assert_eq!(read::<Place>("weu"), Place::Node(name("weu")));
    assert_eq!(read::<Place>("weu/10.0.0.1"), Place::Member(read("weu/10.0.0.1")));
    let error = "weu/ten".parse::<Component>().expect_err("no member");
    assert_eq!(
        error.to_string(),
        "`weu/ten` is no member: write its pool, a slash and its address, such as web/10.0.0.17"
    );
    assert!("weu".parse::<MemberName>().is_err());
}

#[test]
fn a_request_names_client_account_and_number() {
    for text in ["europe", "europe contoso", "europe contoso #3", "europe #3"] {
        assert_eq!(read::<Request>(text).to_string(), text);
    }
    assert_eq!(read::<Request>("europe #0").to_string(), "europe");
    assert_eq!(read::<Request>("europe"), Request::of(name("europe")));
    for text in ["", "europe contoso 3", "europe #3 #4", "europe #", "europe #+3", "europe #x"] {
        let error = text.parse::<Request>().expect_err("no request").to_string();
        let expected = format!(
            "`{text}` is no request: write a client, an account where it asks for one, and # with \
             a number where there are many, such as europe account-7 #3"
        );
        assert_eq!(error, expected);
    }
    assert!("a/b".parse::<Request>().expect_err("no name").to_string().contains("no name"));
}

#[test]
fn a_connection_names_transport_member_port_and_destination() {
    let text = "tcp weu/10.0.0.1:40000 > redis";
    let connection: Connection = read(text);
    assert_eq!(connection.to_string(), text);
    assert_eq!((connection.transport, connection.port), (Transport::Tcp, 40_000));
    for text in [
        "",
        "tcp weu/10.0.0.1 > redis",
        "sctp weu/10.0.0.1:1 > redis",
        "tcp weu/10.0.0.1:1 < redis",
        "tcp weu/10.0.0.1:65536 > redis",
    ] {
        let error = text.parse::<Connection>().expect_err("no connection").to_string();
        let expected = format!(
            "`{text}` is no connection: write transport, member and port, > and destination, such \
             as tcp web/10.0.0.17:40000 > redis"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn a_service_is_a_transport_and_a_port() {
    assert_eq!(read::<Service>("udp 53").to_string(), "udp 53");
    assert_eq!(Service::default().to_string(), "tcp 443");
    for text in ["", "tcp", "tcp x", "x 1", "tcp 65536"] {
        let error = text.parse::<Service>().expect_err("no service").to_string();
        let expected =
            format!("`{text}` is no service: write a transport and a port, such as tcp 443");
        assert_eq!(error, expected);
    }
}

#[test]
fn an_event_shows_its_kind() {
    for text in [
        "request europe",
        "reply to request europe",
        "outbound tcp weu/10.0.0.1:40000 > redis",
        "reply to connection tcp weu/10.0.0.1:40000 > redis",
        "fail weu",
        "mend weu/10.0.0.1",
        "elapse 60s",
    ] {
        assert_eq!(event(text).to_string(), text);
    }
}

#[test]
fn a_health_vector_is_a_set() {
    let mut health = HealthVector::ALL_UP;
    health.fail(0);
    health.fail(64);
    health.fail(130);
    assert_eq!(health.down().collect::<Vec<_>>(), [0, 64, 130]);
    assert_eq!(health.count(), 3);
    assert!(health.is_down(64) && !health.is_down(65) && !health.is_down(1_000));
    health.mend(130);
    health.mend(500);
    assert_eq!(health, [64, 0].into_iter().collect());
    health.mend(0);
    health.mend(64);
    assert_eq!(health, HealthVector::ALL_UP);
}

#[test]
fn a_probe_sees_late_what_it_bears() {
    let slow = Probe::default();
    assert_eq!(slow.timeout(), Duration::from_secs(10));
    assert_eq!(slow.detection_max(), Duration::from_secs(130));
    let interval = Duration::from_secs(10);
    let fast = Probe { interval, timeout: Some(Duration::from_secs(5)), tolerated: 0 };
    assert_eq!(fast.detection_max(), Duration::from_secs(15));
    assert_eq!(Probe { timeout: None, ..fast }.timeout(), Duration::from_secs(9));
}

#[test]
fn the_precedence_is_each_documents_own() {
    use Means::{Default, InstanceAddress, NatGateway, OutboundRule, UserRoute};
    let overview = [UserRoute, NatGateway, InstanceAddress, OutboundRule, Default];
    assert_eq!(Precedence::NatGatewayOverview.table(), overview);
    let of_2022 = [InstanceAddress, UserRoute, NatGateway, OutboundRule, Default];
    assert_eq!(Precedence::LoadBalancer2022.table(), of_2022);
    let words: Vec<String> = overview.iter().map(ToString::to_string).collect();
    let expected = ["user route", "NAT gateway", "instance address", "outbound rule", "default"];
    assert_eq!(words, expected);
}

#[test]
fn a_rule_says_why_in_words() {
    let until = Instant::START + Duration::from_secs(60);
    let known = Rule::KnownList { index: name("index"), until, by: Box::new(Rule::Hashed) };
    for (rule, expected) in [
        (Rule::LeastLatency(20), "least latency 20 ms"),
        (Rule::LeastLatency(u32::MAX), "latency unknown"),
        (Rule::AllOthers, "nearest is down: any other"),
        (Rule::FailOpen(Box::new(Rule::RoundRobin)), "fail-open, all are down: round robin"),
        (known, "hash of who asks, list of index cached until 60s"),
        (Rule::StaticRoute, "static route"),
        (Rule::Bypass, "private endpoint: not translated"),
    ] {
        assert_eq!(rule.to_string(), expected);
    }
}

#[test]
fn a_disposition_says_how_it_ended_in_words() {
    let no_route = [
        (NoRoute::Unknown, "unknown"),
        (NoRoute::NoAnswer, "no answer"),
        (NoRoute::NoOrigin, "no origin"),
        (NoRoute::NoRule, "no rule"),
        (NoRoute::NoWayOut, "no way out"),
        (NoRoute::NoPath, "no path"),
        (NoRoute::NoService, "no service"),
        (NoRoute::NothingToAnswer, "nothing to answer"),
    ];
    for (why, expected) in no_route {
        let walk = Walk::nowhere(why);
        assert_eq!(walk.to_string(), format!("no route: {expected}"));
        assert!(!walk.is_served() && walk.last().is_none());
    }
    for (disposition, expected, is_served) in [
        (Disposition::Delivered, "delivered", true),
        (Disposition::Exits(read("203.0.113.1:1024")), "exits as 203.0.113.1:1024", true),
        (Disposition::Loop, "loop", false),
        (Disposition::RefusedThrottled, "refused: throttled", false),
        (Disposition::Unhealthy, "unhealthy", false),
        (Disposition::HopLimit, "hop limit", false),
        (Disposition::Unfinished, "unfinished", false),
    ] {
        let walk = Walk { hops: Vec::new(), disposition };
        assert_eq!((walk.to_string().as_str(), walk.is_served()), (expected, is_served));
    }
}
