//! Load balancers: several virtual IPs, rules, members that are up, and replies.

use std::collections::BTreeSet;

use super::{answer, answers, rules, walk};

const BALANCED: &str = r#"
    [clients]
    first = { entry = "lb" }
    second = { entry = "lb@203.0.113.2" }
    dns = { entry = "lb", service = "udp 53" }
    none = { entry = "lb@203.0.113.2", service = "udp 53" }
    [load_balancers.lb]
    virtual_ips = ["203.0.113.1", "203.0.113.2"]
    rules = [
        { service = "tcp 443", pool = "web" },
        { virtual_ip = "203.0.113.2", service = "tcp 443", pool = "api" },
        { service = "udp 53", pool = "api" },
    ]
    [pools]
    web = { members = "10.0.0.1-10.0.0.3, hole, 10.0.0.5" }
    api = { members = "10.0.0.1" }
"#;

#[test]
fn virtual_ip_transport_and_port_decide() {
    assert!(answer(BALANCED, &["request first"]).starts_with("first > lb > web > web/10.0.0."));
    assert_eq!(
        answer(BALANCED, &["request second"]),
        "second > lb > api > api/10.0.0.1: delivered"
    );
    assert_eq!(answer(BALANCED, &["request dns"]), "dns > lb > api > api/10.0.0.1: delivered");
    assert_eq!(answer(BALANCED, &["request none"]), "none > lb: no route: no rule");
    assert_eq!(
        rules(BALANCED, &["request second"]),
        ["entry", "rule tcp 203.0.113.2:443", "hash over 1 of 1 members"]
    );
    assert_eq!(answer(BALANCED, &["fail lb", "request first"]), "first > lb: unhealthy");
}

#[test]
fn only_members_that_are_up_are_chosen() {
    let ask: Vec<String> = (0..64).map(|key| format!("request first #{key}")).collect();
    let ask: Vec<&str> = ask.iter().map(String::as_str).collect();
    let all: BTreeSet<String> = answers(BALANCED, &ask).into_iter().collect();
    assert_eq!(all.len(), 4, "{all:?}");
    let down = [&["fail web/10.0.0.1", "fail web/10.0.0.5"][..], &ask[..]].concat();
    let left: BTreeSet<String> = answers(BALANCED, &down)[2..].iter().cloned().collect();
    let expected = [2, 3].map(|at| format!("first > lb > web > web/10.0.0.{at}: delivered"));
    assert_eq!(left, expected.into());
    assert_eq!(rules(BALANCED, &down)[2], "hash over 2 of 4 members");
}

#[test]
fn a_pool_without_a_member_that_is_up_serves_nobody() {
    let all = ["fail api/10.0.0.1", "request second"];
    assert_eq!(answer(BALANCED, &all), "second > lb > api: unhealthy");
    assert_eq!(answer(BALANCED, &["fail api", "request second"]), "second > lb > api: unhealthy");
}

#[test]
fn a_balancer_is_up_while_one_of_its_rules_has_a_member_that_is() {
    let www = format!(
        "{BALANCED}\n[clients.named]\nentry = \"www\"\n[traffic_managers.www]\nmethod = \"priority\"\n\
         endpoints = {{ \"lb@203.0.113.2\" = {{ priority = 1 }}, spare = {{ priority = 2 }} }}\n\
         [destinations.spare]\nendpoint = \"198.51.100.1:443\""
    );
    assert_eq!(
        answer(&www, &["request named"]),
        "named > www > lb > api > api/10.0.0.1: delivered"
    );
    // Another rule still has members: the probe of the balancer succeeds, the request does not.
    let api = ["fail api/10.0.0.1", "request named"];
    assert_eq!(answer(&www, &api), "named > www > lb > api: unhealthy");
    let all = [
        "fail api",
        "fail web/10.0.0.1",
        "fail web/10.0.0.2",
        "fail web/10.0.0.3",
        "fail web/10.0.0.5",
        "request named",
    ];
    assert_eq!(answer(&www, &all), "named > www > spare: delivered");
}

#[test]
fn a_reply_leaves_by_the_virtual_ip_that_the_request_came_in_by() {
    let asked = ["request second", "reply to request second"];
    assert_eq!(answer(BALANCED, &asked), "api/10.0.0.1 > lb > second: delivered");
    assert_eq!(rules(BALANCED, &asked), ["by 203.0.113.2, where it came in", "the way it came"]);
    let first = rules(BALANCED, &["request first", "reply to request first"]);
    assert_eq!(first[0], "by 203.0.113.1, where it came in");
    let nothing = walk(BALANCED, &["request none", "reply to request none"]);
    assert_eq!(nothing.to_string(), "no route: nothing to answer");
    assert_eq!(answer(BALANCED, &["reply to request second"]), "no route: nothing to answer");
}

#[test]
fn a_reply_ends_where_something_is_down_by_now() {
    let vm = ["request second", "fail api/10.0.0.1", "reply to request second"];
    assert_eq!(answer(BALANCED, &vm), "api/10.0.0.1: unhealthy");
    let pool = ["request second", "fail api", "reply to request second"];
    assert_eq!(answer(BALANCED, &pool), "api/10.0.0.1: unhealthy");
    let balancer = ["request second", "fail lb", "reply to request second"];
    assert_eq!(answer(BALANCED, &balancer), "api/10.0.0.1 > lb: unhealthy");
}
