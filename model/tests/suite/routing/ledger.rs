//! What answers imply: the ledger knows what the network does, from its answers alone.

use natlaw_model::routing::{
    Disposition, Event, Ledger, Means, Network, Outcome, RoutingGraph, Rule, Walk,
};
use natlaw_model::subject::{Device, Subject};
use natlaw_model::time::{Duration, Instant};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::read;
use super::{event, graph};

const EVERYTHING: &str = r#"
    [clients]
    x = { entry = "www" }
    y = { entry = "edge" }
    z = { entry = "index" }
    [traffic_managers.www]
    method = "priority"
    ttl = "20s"
    endpoints = { eu = { priority = 1 }, edge = { priority = 2 } }
    [traffic_managers.eu]
    method = "priority"
    endpoints = { a = { priority = 1 }, b = { priority = 2 } }
    [front_doors.edge]
    affinity = "30s"
    origins = { a = {}, b = { latency_ms = 5 } }
    [scale_units]
    a = { owns = ["acme"], serves_from = "lb", throttle = { proxied_max = 1, in_hand = "10s" } }
    b = { owns = ["bolt"], throttle = { proxied_max = 1, in_hand = "10s", probes_count = true } }
    [service_indexes.index]
    ttl = "20s"
    endpoints = [{ target = "b" }, { target = "a" }]
    [load_balancers.lb]
    virtual_ips = ["203.0.113.1"]
    rules = [{ service = "tcp 443", pool = "web" }]
    [pools.web]
    members = "10.0.0.1-10.0.0.2"
    bypass = ["storage"]
    outbound = { nat_gateway = "egress" }
    [nat_gateways.egress.nat]
    virtual_ips = ["198.51.100.8"]
    pool = "10.0.0.1-10.0.0.2"
    ports = { on-demand = "1024-1025" }
    timers = { idle = { tcp = "30s", udp = "30s", icmp = "30s" } }
    inbound_refresh = true
    [destinations]
    redis = { endpoint = "192.0.2.1:6379" }
    storage = { endpoint = "192.0.2.2:443" }
"#;

const EVENTS: [&str; 24] = [
    "request x",
    "request x acme",
    "request x bolt",
    "request y",
    "request y acme",
    "request y bolt",
    "request z",
    "request z bolt",
    "reply to request y",
    "reply to request x",
    "outbound tcp web/10.0.0.1:1 > redis",
    "outbound tcp web/10.0.0.1:2 > redis",
    "outbound tcp web/10.0.0.2:1 > redis",
    "outbound tcp web/10.0.0.1:3 > storage",
    "reply to connection tcp web/10.0.0.1:1 > redis",
    "reply to connection tcp web/10.0.0.2:1 > redis",
    "fail a",
    "mend a",
    "fail b",
    "mend b",
    "fail web/10.0.0.1",
    "mend web/10.0.0.1",
    "elapse 10s",
    "elapse 5s",
];

/// Plays events, and lets the ledger say of each what it must be.
fn play(events: &[&str], sees: impl FnMut(&Ledger, &Event, &Walk)) -> Ledger {
    play_on(EVERYTHING, events, sees)
}

fn play_on(
    topology: &str,
    events: &[&str],
    mut sees: impl FnMut(&Ledger, &Event, &Walk),
) -> Ledger {
    let graph = graph(topology);
    let (mut network, mut ledger) = (Network::new(&graph), graph.ledger());
    for event in events.iter().map(|text| event(text)) {
        let outcome = network.step(&event);
        if let Outcome::Walked(walk) = &outcome {
            sees(&ledger, &event, walk);
        }
        RoutingGraph::record(&mut ledger, &event, &outcome);
        assert_eq!(network.health(), &ledger.health);
    }
    ledger
}

/// Whether a walk is one that what is known allows.
fn agrees(ledger: &Ledger, event: &Event, walk: &Walk) {
    match event {
        Event::Request(request) => {
            let second = walk.hops.get(1).map(|hop| &hop.rule);
            let cached = ledger.cached(&request.client, &read("www")).map(|it| it.until);
            if let Some(Rule::Cached { until, .. }) = second {
                assert_eq!(cached, Some(*until));
            }
            if request.client == read("x") {
                assert_eq!(cached.is_some(), matches!(second, Some(Rule::Cached { .. })), "{walk}");
            }
            let listed = ledger.listed(&request.client, &read("index"));
            assert_eq!(listed.is_some(), matches!(second, Some(Rule::KnownList { .. })), "{walk}");
            for hop in &walk.hops {
                if let Rule::Affinity { account, until } = &hop.rule {
                    let learned = ledger.learned(&read("edge"), account).map(|it| it.until);
                    assert_eq!(learned, Some(*until));
                }
            }
            let throttled = walk.disposition == Disposition::RefusedThrottled;
            let last = walk.last().map(ToString::to_string).unwrap_or_default();
            if last == "a" || last == "b" {
                assert!(!throttled || ledger.in_hand(&read(&last)) >= 1, "{walk}");
            }
        }
        Event::Outbound(connection) => {
            let flow = ledger.flow_of(connection).expect("it is in the graph");
            let translator = ledger.translators.get(&(read("egress"), Means::NatGateway));
            let free = translator.is_none_or(|it| {
                it.external_of(flow).is_some() || it.eligible(flow).next().is_some()
            });
            assert!(matches!(walk.disposition, Disposition::RefusedPorts(_)) <= !free, "{walk}");
            if let Disposition::Exits(external) = walk.disposition {
                let may = translator.is_none_or(|it| {
                    it.external_of(flow) == Some(external)
                        || it.holding_of(flow).is_some()
                        || it.eligible(flow).any(|it| it == external)
                });
                assert!(may, "{walk}");
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn the_ledger_knows_what_the_network_does(
        events in prop::collection::vec(select(&EVENTS[..]), 1..40)
    ) {
        play(&events, agrees);
    }
}

#[test]
fn answers_lists_and_affinities_end_at_their_instant() {
    let ledger = play(&["request x", "request z", "request y bolt"], |_, _, _| ());
    let at = |millis| Instant::START + Duration::from_millis(millis);
    let kept = ledger.cached(&read("x"), &read("www")).expect("it was answered");
    assert_eq!((kept.target.to_string().as_str(), kept.until), ("a", at(20_000)));
    assert_eq!(ledger.listed(&read("z"), &read("index")), Some(at(20_000)));
    let learned = ledger.learned(&read("edge"), &read("bolt")).expect("it was told");
    assert_eq!((learned.target.to_string().as_str(), learned.until), ("b", at(30_000)));
    assert_eq!(ledger.in_hand(&read("a")), 1);
    let mut later = ledger.clone();
    later.now = at(9_999);
    assert_eq!(later.in_hand(&read("a")), 1);
    later.now = at(10_000);
    assert_eq!(later.in_hand(&read("a")), 0);
    later.now = at(20_000);
    assert!(later.cached(&read("x"), &read("www")).is_none());
    assert!(later.listed(&read("z"), &read("index")).is_none());
    later.now = at(30_000);
    assert!(later.learned(&read("edge"), &read("bolt")).is_none());
}

#[test]
fn what_came_in_and_what_left_is_known() {
    let events = [
        "request y acme",
        "outbound tcp web/10.0.0.1:1 > redis",
        "elapse 29s",
        "reply to connection tcp web/10.0.0.1:1 > redis",
        "elapse 29s",
    ];
    let ledger = play(&events, |_, _, _| ());
    let entered = &ledger.entered[&read("y acme")];
    let through = entered.through.as_ref().map(|(name, ip)| (name.to_string(), ip.0.to_string()));
    assert_eq!(through, Some(("lb".into(), "203.0.113.1".into())));
    assert!(entered.place.to_string().starts_with("web/10.0.0."));
    let left = &ledger.left[&read("tcp web/10.0.0.1:1 > redis")];
    assert_eq!((left.by.to_string().as_str(), left.means), ("egress", Means::NatGateway));
    assert_eq!(left.external, read("198.51.100.8:1024"));
    let translator = &ledger.translators[&(read("egress"), Means::NatGateway)];
    let flow = ledger.flow_of(&read("tcp web/10.0.0.1:1 > redis")).expect("it is in the graph");
    assert_eq!(translator.external_of(flow), Some(left.external), "the reply kept it alive");
}

#[test]
fn a_vm_is_down_with_its_pool() {
    let mut ledger = play(&["fail web"], |_, _, _| ());
    assert!(ledger.is_down(&read("web")) && ledger.is_down(&read("web/10.0.0.1")));
    ledger = play(&["fail web/10.0.0.1"], |_, _, _| ());
    assert!(!ledger.is_down(&read("web")) && ledger.is_down(&read("web/10.0.0.1")));
    assert!(!ledger.is_down(&read("web/10.0.0.2")) && !ledger.is_down(&read("x")));
}

#[test]
fn what_is_in_hand_is_counted_until_each_is_over() {
    let two = EVERYTHING.replacen("proxied_max = 1", "proxied_max = 2", 1);
    let in_hand = |events: &[&str]| play_on(&two, events, |_, _, _| ()).in_hand(&read("a"));
    let proxied = "request x bolt";
    assert_eq!(in_hand(&[proxied, "elapse 5s", proxied]), 2);
    assert_eq!(in_hand(&[proxied, "elapse 10s", proxied]), 1);
}

#[test]
fn a_door_learns_only_from_the_unit_that_has_the_account() {
    let beside = EVERYTHING.replace(
        "origins = { a = {}, b = { latency_ms = 5 } }",
        "origins = { lb = {}, b = { priority = 2 } }",
    );
    let ledger = play_on(&beside, &["request y bolt"], |_, _, _| ());
    assert!(ledger.learned(&read("edge"), &read("bolt")).is_none());
    let ledger = play_on(&beside, &["fail lb", "request y bolt"], |_, _, _| ());
    assert!(ledger.learned(&read("edge"), &read("bolt")).is_some());
}

/// Who came only to routers on the way was given no list; and a name keeps none.
#[test]
fn a_list_is_kept_by_a_client_that_came_to_what_it_lists() {
    let afar = r#"
        [clients]
        z = { entry = "index", at = "a" }
        n = { entry = "www", at = "a" }
        [traffic_managers.www]
        method = "priority"
        endpoints = { index = { priority = 1 } }
        [service_indexes.index]
        endpoints = [{ target = "u" }]
        [routers]
        a = { links = { b = 1 }, route = "b" }
        b = { links = { c = 1 }, route = "a" }
        c = {}
        [scale_units]
        u = { at = "c" }
    "#;
    let near = afar.replace(", route = \"b\"", "").replace(", route = \"a\"", "");
    let listed = |topology: &str, client: &str, asker: &str| {
        let request = format!("request {client}");
        let ledger = play_on(topology, &[&request], |_, _, _| ());
        ledger.listed(&read(asker), &read("index")).is_some()
    };
    assert!(listed(&near, "z", "z"));
    assert!(!listed(&near, "n", "www"), "a name asks anew each time");
    assert!(!listed(afar, "z", "z"), "the walk went round");
}
