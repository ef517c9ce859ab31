//! Routers: the cheapest way over what is up, static routes, loops, and the limit of hops.

use super::{answer, rules, walk};

const BACKBONE: &str = r#"
    [clients]
    here = { entry = "service", at = "a" }
    beside = { entry = "service", at = "d" }
    afar = { entry = "service" }
    guest = { entry = "d", at = "a" }
    [routers]
    a = { links = { b = 1, c = 1, d = 9 } }
    b = { links = { d = 1 } }
    c = { links = { d = 1, a = 1 } }
    d = {}
    e = {}
    [destinations]
    service = { endpoint = "192.0.2.1:443", at = "d" }
"#;

#[test]
fn the_cheapest_way_is_taken_and_of_equals_the_first_by_name() {
    assert_eq!(answer(BACKBONE, &["request here"]), "here > a > b > d > service: delivered");
    let rules_of = rules(BACKBONE, &["request here"]);
    assert_eq!(rules_of, ["hangs there", "least cost 2", "least cost 1", "entry"]);
    assert_eq!(
        answer(BACKBONE, &["fail b", "request here"]),
        "here > a > c > d > service: delivered"
    );
    assert_eq!(
        answer(BACKBONE, &["fail a~b", "request here"]),
        "here > a > c > d > service: delivered"
    );
    let both = ["fail b", "fail c~d", "request here"];
    assert_eq!(answer(BACKBONE, &both), "here > a > d > service: delivered");
    assert_eq!(rules(BACKBONE, &both)[1], "least cost 9");
    let back = ["fail b", "request here", "mend b", "request here"];
    assert_eq!(answer(BACKBONE, &back), "here > a > b > d > service: delivered");
}

#[test]
fn without_a_way_there_is_no_route() {
    let all = ["fail b", "fail c", "fail a~d", "request here"];
    assert_eq!(answer(BACKBONE, &all), "here: no route: no path");
    assert_eq!(answer(BACKBONE, &["fail a", "request here"]), "here: no route: no path");
    assert_eq!(answer(BACKBONE, &["fail d", "request here"]), "here: no route: no path");
}

#[test]
fn what_hangs_together_or_nowhere_needs_no_router() {
    assert_eq!(answer(BACKBONE, &["request beside"]), "beside > service: delivered");
    assert_eq!(answer(BACKBONE, &["fail d", "request beside"]), "beside: no route: no path");
    assert_eq!(answer(BACKBONE, &["request afar"]), "afar > service: delivered");
    assert_eq!(answer(BACKBONE, &["fail d", "request afar"]), "afar > service: delivered");
}

#[test]
fn a_router_may_be_where_a_walk_goes() {
    assert_eq!(answer(BACKBONE, &["request guest"]), "guest > a > b > d: delivered");
    assert_eq!(rules(BACKBONE, &["request guest"]), ["hangs there", "least cost 2", "entry"]);
    assert_eq!(answer(BACKBONE, &["fail d", "request guest"]), "guest: no route: no path");
}

#[test]
fn a_static_route_is_followed_whatever_it_costs() {
    let dear = BACKBONE.replace("d = 9 } }", "d = 9 }, route = \"d\" }");
    assert_eq!(answer(&dear, &["request here"]), "here > a > d > service: delivered");
    assert_eq!(rules(&dear, &["request here"])[1], "static route");
    assert_eq!(answer(&dear, &["fail a~d", "request here"]), "here > a: no route: no path");
    let back = BACKBONE
        .replace(
            "c = { links = { d = 1, a = 1 } }",
            "c = { links = { d = 1, a = 1 }, route = \"a\" }",
        )
        .replace("d = 9 } }", "d = 9 }, route = \"c\" }");
    assert_eq!(answer(&back, &["request here"]), "here > a > c > a: loop");
}

#[test]
fn a_walk_takes_so_many_hops_and_no_more() {
    let limited = |hops: u16| format!("hops_max = {hops}\n{BACKBONE}");
    assert_eq!(answer(&limited(5), &["request here"]), "here > a > b > d > service: delivered");
    assert_eq!(answer(&limited(4), &["request here"]), "here > a > b > d: hop limit");
    assert_eq!(answer(&limited(1), &["request afar"]), "afar: hop limit");
}

#[test]
fn routers_carry_connections_and_replies() {
    let both = r#"
        [routers]
        a = { links = { b = 1 } }
        b = { links = { c = 1 } }
        c = {}
        [clients]
        europe = { entry = "lb", at = "a" }
        [load_balancers.lb]
        virtual_ips = ["203.0.113.1"]
        at = "c"
        rules = [{ service = "tcp 443", pool = "web" }]
        [pools.web]
        members = "10.0.0.1"
        at = "c"
        outbound = { nat_gateway = "egress" }
        [nat_gateways.egress]
        at = "b"
        nat = { virtual_ips = ["198.51.100.8"], pool = "10.0.0.1", ports = { on-demand = "1024-1025" } }
        [destinations]
        redis = { endpoint = "192.0.2.1:6379", at = "a" }
    "#;
    let request = "europe > a > b > c > lb > web > web/10.0.0.1: delivered";
    assert_eq!(answer(both, &["request europe"]), request);
    let reply = ["request europe", "reply to request europe"];
    assert_eq!(answer(both, &reply), "web/10.0.0.1 > lb > c > b > a > europe: delivered");
    let open = "outbound tcp web/10.0.0.1:1 > redis";
    let out = "web/10.0.0.1 > c > b > egress > b > a > redis: exits as 198.51.100.8:1024";
    assert_eq!(answer(both, &[open]), out);
    let back = [open, "reply to connection tcp web/10.0.0.1:1 > redis"];
    assert_eq!(answer(both, &back), "redis > a > b > egress > b > c > web/10.0.0.1: delivered");
    let route = both.replace("nat_gateway = \"egress\"", "user_route = \"b\"");
    assert_eq!(answer(&route, &[open]), "web/10.0.0.1 > c > b > a > redis: delivered");
    assert_eq!(
        rules(&route, &[open]),
        ["hangs there", "user route", "least cost 1", "destination"]
    );
    let cut = ["fail a~b", open];
    assert_eq!(answer(both, &cut), "web/10.0.0.1 > c > b > egress: no route: no path");
    assert_eq!(walk(both, &["fail b~c", open]).to_string(), "web/10.0.0.1: no route: no path");
}

/// Each leg of a walk has its own way: it may come through a router a second time.
#[test]
fn a_second_leg_may_come_the_same_way_back() {
    let there_and_back = r#"
        [clients]
        here = { entry = "www", at = "a" }
        [routers]
        a = { links = { b = 1 }, route = "b" }
        b = { links = { c = 1 } }
        c = { links = { d = 1 }, route = "b" }
        d = {}
        [front_doors.www]
        at = "c"
        origins = { unit = {} }
        [scale_units]
        unit = { at = "a" }
    "#;
    let walk = "here > a > b > c > www > c > b > a > unit: delivered";
    assert_eq!(answer(there_and_back, &["request here"]), walk);
}
