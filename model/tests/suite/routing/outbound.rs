//! The ways out of a pool: which one is taken, what leaves by it, and how replies come back.

use super::{answer, answers, rules};

/// A pool of two with these ways out.
fn pool(outbound: &str) -> String {
    format!(
        r#"
        [pools.web]
        members = "10.0.0.1-10.0.0.2"
        bypass = ["storage"]
        [pools.web.outbound]
        {outbound}
        [nat_gateways.egress.nat]
        virtual_ips = ["198.51.100.8"]
        pool = "10.0.0.1-10.0.0.3"
        ports = {{ on-demand = "1024-1025" }}
        [routers]
        appliance = {{}}
        [destinations]
        redis = {{ endpoint = "192.0.2.1:6379" }}
        storage = {{ endpoint = "192.0.2.2:443" }}
        [clients.egress-client]
        entry = "egress"
        "#
    )
}

const ROUTE: &str = "user_route = \"appliance\"\n";
const GATEWAY: &str = "nat_gateway = \"egress\"\n";
const INSTANCE: &str = "instance_addresses = [\"198.51.100.1\", \"198.51.100.2\"]\n";
const RULE: &str = "outbound_rule = { virtual_ips = [\"203.0.113.1\"], pool = \"10.0.0.1-10.0.0.2\", ports = { manual = { ports = 8, usable = \"1024-65023\" } } }\n";
const DEFAULT: &str = "default = { virtual_ips = [\"203.0.113.2\"], pool = \"10.0.0.1-10.0.0.2\", ports = { tiered = \"1-50: 1024\" } }\n";

const OPEN: &str = "outbound tcp web/10.0.0.2:40000 > redis";
const REPLY: &str = "reply to connection tcp web/10.0.0.2:40000 > redis";

#[test]
fn the_first_of_the_precedence_that_is_there_is_taken() {
    let all = [ROUTE, GATEWAY, INSTANCE, RULE, DEFAULT];
    let expected = [
        ("user route before NAT gateway", "web/10.0.0.2 > appliance > redis: delivered"),
        (
            "NAT gateway before instance address, as 198.51.100.8:1024",
            "web/10.0.0.2 > egress > redis: exits as 198.51.100.8:1024",
        ),
        (
            "instance address before outbound rule, as 198.51.100.2:40000",
            "web/10.0.0.2 > web > redis: exits as 198.51.100.2:40000",
        ),
        (
            "outbound rule before default, as 203.0.113.1:1032",
            "web/10.0.0.2 > web > redis: exits as 203.0.113.1:1032",
        ),
        ("default, as 203.0.113.2:2048", "web/10.0.0.2 > web > redis: exits as 203.0.113.2:2048"),
    ];
    for (at, (rule, walk)) in expected.into_iter().enumerate() {
        let topology = pool(&all[at..].concat());
        assert_eq!(rules(&topology, &[OPEN]), [rule, "destination"]);
        assert_eq!(answer(&topology, &[OPEN]), walk);
    }
    let none = pool("");
    assert_eq!(answer(&none, &[OPEN]), "web/10.0.0.2: no route: no way out");
}

#[test]
fn the_page_of_2022_has_the_instance_address_first() {
    let all = pool(&[ROUTE, GATEWAY, INSTANCE, RULE, DEFAULT].concat());
    let of_2022 = format!("precedence = \"load-balancer-2022\"\n{all}");
    assert_eq!(
        rules(&of_2022, &[OPEN]),
        ["instance address before user route, as 198.51.100.2:40000", "destination"]
    );
}

#[test]
fn a_private_endpoint_takes_no_port() {
    let topology = pool(GATEWAY);
    let private = "outbound tcp web/10.0.0.1:1 > storage";
    assert_eq!(answer(&topology, &[private]), "web/10.0.0.1 > storage: delivered");
    assert_eq!(rules(&topology, &[private]), ["private endpoint: not translated"]);
    let many = [
        private,
        "outbound tcp web/10.0.0.1:2 > storage",
        "outbound tcp web/10.0.0.1:3 > storage",
        OPEN,
    ];
    assert_eq!(
        answer(&topology, &many),
        "web/10.0.0.2 > egress > redis: exits as 198.51.100.8:1024"
    );
    let reply = [private, "reply to connection tcp web/10.0.0.1:1 > storage"];
    assert_eq!(answer(&topology, &reply), "storage > web/10.0.0.1: delivered");
    assert_eq!(answer(&topology, &["fail storage", private]), "web/10.0.0.1 > storage: unhealthy");
}

#[test]
fn a_port_is_the_allocators_to_give_and_to_refuse() {
    let topology = pool(GATEWAY);
    let open = |port: u16| format!("outbound tcp web/10.0.0.1:{port} > redis");
    let (one, two, three) = (open(1), open(2), open(3));
    let said = answers(&topology, &[&one, &two, &three, "elapse 240s", &three]);
    assert_eq!(said[1], "web/10.0.0.1 > egress > redis: exits as 198.51.100.8:1025");
    assert_eq!(said[2], "web/10.0.0.1 > egress: refused: ports exhausted");
    assert_eq!(
        said[4], "web/10.0.0.1 > egress > redis: exits as 198.51.100.8:1024",
        "idle and over"
    );
    let late = answers(&topology, &["elapse 1h", &one, "elapse 239s", &one, &two, &three]);
    assert_eq!(
        late[5], "web/10.0.0.1 > egress: refused: ports exhausted",
        "its clock is the network's"
    );
}

#[test]
fn nothing_is_passed_over_because_it_is_down() {
    let both = pool(&[GATEWAY, RULE].concat());
    assert_eq!(answer(&both, &["fail egress", OPEN]), "web/10.0.0.2 > egress: unhealthy");
    assert_eq!(answer(&both, &["fail redis", OPEN]), "web/10.0.0.2 > egress > redis: unhealthy");
    let up_again = ["fail egress", OPEN, "mend egress", OPEN];
    assert_eq!(
        answer(&both, &up_again),
        "web/10.0.0.2 > egress > redis: exits as 198.51.100.8:1024"
    );
}

#[test]
fn a_vm_that_is_down_opens_nothing() {
    let topology = pool(GATEWAY);
    assert_eq!(answer(&topology, &["fail web/10.0.0.2", OPEN]), "web/10.0.0.2: unhealthy");
    assert_eq!(answer(&topology, &["fail web", OPEN]), "web/10.0.0.2: unhealthy");
    for unknown in [
        "outbound tcp web/10.0.0.9:1 > redis",
        "outbound tcp egress/10.0.0.1:1 > redis",
        "outbound tcp web/10.0.0.1:1 > egress",
        "outbound tcp no/10.0.0.1:1 > redis",
        "outbound tcp web/10.0.0.1:1 > no",
    ] {
        assert_eq!(answer(&topology, &[unknown]), "no route: unknown");
    }
}

#[test]
fn a_reply_comes_to_the_endpoint_that_the_connection_left_by() {
    for (way, expected) in [
        (GATEWAY, "to 198.51.100.8:1024, by which it left"),
        (INSTANCE, "to 198.51.100.2:40000, by which it left"),
        (RULE, "to 203.0.113.1:1032, by which it left"),
        (DEFAULT, "to 203.0.113.2:2048, by which it left"),
    ] {
        assert_eq!(rules(&pool(way), &[OPEN, REPLY]), [expected, "the way it came"]);
    }
    assert_eq!(answer(&pool(GATEWAY), &[OPEN, REPLY]), "redis > egress > web/10.0.0.2: delivered");
    assert_eq!(answer(&pool(RULE), &[OPEN, REPLY]), "redis > web > web/10.0.0.2: delivered");
    assert_eq!(answer(&pool(ROUTE), &[OPEN, REPLY]), "redis > appliance > web/10.0.0.2: delivered");
    assert_eq!(rules(&pool(ROUTE), &[OPEN, REPLY]), ["the way it came", "the way it came"]);
}

#[test]
fn a_reply_to_what_is_over_comes_to_nobody() {
    let topology = pool(GATEWAY);
    assert_eq!(answer(&topology, &[REPLY]), "no route: nothing to answer");
    let late = [OPEN, "elapse 240s", REPLY];
    assert_eq!(answer(&topology, &late), "redis > egress: no route: nothing to answer");
    assert_eq!(answer(&topology, &[OPEN, "fail egress", REPLY]), "redis > egress: unhealthy");
    assert_eq!(answer(&topology, &[OPEN, "fail redis", REPLY]), "redis: unhealthy");
    let vm = [OPEN, "fail web/10.0.0.2", REPLY];
    assert_eq!(answer(&topology, &vm), "redis > egress > web/10.0.0.2: unhealthy");
}

#[test]
fn a_gateway_serves_no_request() {
    let walked = answer(&pool(GATEWAY), &["request egress-client"]);
    assert_eq!(walked, "egress-client > egress: no route: no service");
}
