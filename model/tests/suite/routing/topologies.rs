//! What a topology may say: every rule, with the field that breaks it and the words.

use natlaw_model::routing::{
    COMPONENTS_MAX, Edge, Means, NODES_MAX, Node, Place, RoutingGraph, Topology, TopologyRule,
};

use super::super::read;
use super::{error_of, graph};

const DESTINATIONS: &str = r#"
    [destinations]
    a = { endpoint = "198.51.100.1:443" }
    b = { endpoint = "198.51.100.2:443" }
"#;

/// A traffic manager `www` over `a` and `b`, as told.
fn managed(method: &str, settings: &str, endpoints: &str) -> String {
    format!(
        "[traffic_managers.www]\nmethod = \"{method}\"\n{settings}\nendpoints = {{ {endpoints} }}\n{DESTINATIONS}"
    )
}

fn door(settings: &str, origins: &str) -> String {
    format!("[front_doors.edge]\n{settings}\norigins = {{ {origins} }}\n{DESTINATIONS}")
}

fn balancer(settings: &str) -> String {
    format!(
        "[load_balancers.lb]\n{settings}\n[pools]\nweb = {{ members = \"10.0.0.1-10.0.0.2\" }}\n{DESTINATIONS}"
    )
}

fn pool(outbound: &str) -> String {
    format!(
        "[pools.web]\nmembers = \"10.0.0.1-10.0.0.2\"\n{outbound}\n[nat_gateways.egress.nat]\n\
         virtual_ips = [\"198.51.100.8\"]\npool = \"10.0.0.1\"\nports = {{ on-demand = \"1024-1025\" }}\n{DESTINATIONS}"
    )
}

#[track_caller]
fn refuses(topology: &str, expected: &str) {
    assert_eq!(error_of(topology), expected);
}

#[test]
fn a_graph_has_a_node_and_not_too_many() {
    refuses("", "`clients`: the graph has no node: it needs one at least");
    let routers = |count: usize| {
        let names = (0..count).map(|at| (read(&format!("r{at}")), Default::default()));
        Topology { routers: names.collect(), ..Topology::default() }
    };
    assert!(RoutingGraph::new(routers(NODES_MAX)).is_ok());
    let error = RoutingGraph::new(routers(NODES_MAX + 1)).expect_err("too many");
    assert_eq!(error.rule, TopologyRule::TooManyNodes(NODES_MAX + 1));
    assert_eq!(error.to_string(), "`clients`: 20001 nodes are more than a graph may have (20000)");
    let pools: String = (0..16)
        .map(|at| format!("p{at} = {{ members = \"10.{at}.0.0-10.{at}.255.255\" }}\n"))
        .collect();
    refuses(
        &format!("[pools]\n{pools}"),
        &format!(
            "`pools`: {} nodes, VMs and links are more than a graph may have ({COMPONENTS_MAX})",
            16 * 65_537
        ),
    );
}

#[test]
fn a_name_is_that_of_one_node_and_is_there() {
    refuses(
        &format!("[routers]\na = {{}}\n{DESTINATIONS}"),
        "`destinations.a`: the name stands under `routers`, too: a name is that of one node",
    );
    refuses("[clients]\nx = { entry = \"y\" }", "`clients.x.entry`: no node is called y");
    refuses(
        "[clients]\nx = { entry = \"y\" }\ny = { entry = \"x\" }",
        "`clients.x.entry`: y is a client: it must be anything but a client",
    );
    refuses(&format!("steady = [\"x\"]\n{DESTINATIONS}"), "`steady`: no node is called x");
    refuses(
        &format!("[clients]\nx = {{ entry = \"a\", at = \"b\" }}\n{DESTINATIONS}"),
        "`clients.x.at`: b is a destination: it must be a router",
    );
    refuses(
        &format!("[clients]\nx = {{ entry = \"a@203.0.113.1\" }}\n{DESTINATIONS}"),
        "`clients.x.entry`: 203.0.113.1 is no virtual IP of that load balancer",
    );
}

#[test]
fn hops_are_1_to_255() {
    for hops in [1, 255] {
        graph(&format!("hops_max = {hops}\n{DESTINATIONS}"));
    }
    for hops in [0, 256] {
        let expected = format!("`hops_max`: {hops} is out of range: it must be 1 to 255");
        refuses(&format!("hops_max = {hops}\n{DESTINATIONS}"), &expected);
    }
}

#[test]
fn priorities_of_endpoints_are_1_to_1000_and_each_its_own() {
    graph(&managed("priority", "", "a = { priority = 1 }, b = { priority = 1000 }"));
    refuses(
        &managed("priority", "", "a = { priority = 1 }, b = {}"),
        "`traffic_managers.www.endpoints.b`: the method `priority` needs `priority` here",
    );
    for priority in [0, 1001] {
        refuses(
            &managed("priority", "", &format!("a = {{ priority = {priority} }}")),
            &format!(
                "`traffic_managers.www.endpoints.a.priority`: {priority} is out of range: it must be 1 to 1000"
            ),
        );
    }
    refuses(
        &managed("weighted", "", "a = { priority = 7 }, b = { priority = 7 }"),
        "`traffic_managers.www.endpoints.b.priority`: 7 is the priority of a, too: each has its own",
    );
}

#[test]
fn weights_are_1_to_1000_and_minimums_1_at_least() {
    graph(&managed("weighted", "", "a = { weight = 1 }, b = { weight = 1000 }"));
    for weight in [0, 1001] {
        refuses(
            &managed("weighted", "", &format!("a = {{ weight = {weight} }}")),
            &format!(
                "`traffic_managers.www.endpoints.a.weight`: {weight} is out of range: it must be 1 to 1000"
            ),
        );
    }
    refuses(
        &managed("weighted", "", "a = { children_min = 0 }"),
        "`traffic_managers.www.endpoints.a.children_min`: 0 is out of range: it must be 1 to 4294967295",
    );
    refuses(
        &managed("weighted", "", ""),
        "`traffic_managers.www.endpoints`: it is empty: it needs one entry at least",
    );
    refuses(
        &managed("weighted", "", "c = {}"),
        "`traffic_managers.www.endpoints.c`: no node is called c",
    );
}

#[test]
fn a_region_is_mapped_once() {
    graph(&managed("geographic", "", "a = { regions = [\"eu\"] }, b = { regions = [\"us\"] }"));
    refuses(
        &managed(
            "geographic",
            "",
            "a = { regions = [\"eu\"] }, b = { regions = [\"us\", \"eu\"] }",
        ),
        "`traffic_managers.www.endpoints.b.regions`: eu is mapped to a, too: a region is mapped once",
    );
}

#[test]
fn probes_keep_to_the_document() {
    let probed = |probe: &str| managed("weighted", &format!("probe = {{ {probe} }}"), "a = {}");
    for fine in [
        "interval = \"30s\", timeout = \"5s\"",
        "interval = \"30s\", timeout = \"10s\", tolerated = 9",
        "interval = \"10s\", timeout = \"9s\", tolerated = 0",
        "interval = \"10s\"",
    ] {
        graph(&probed(fine));
    }
    let field = "traffic_managers.www.probe";
    for (probe, expected) in [
        (
            "interval = \"20s\"",
            format!("`{field}.interval`: 20s is no interval of probes: it must be 30s or 10s"),
        ),
        (
            "timeout = \"4999ms\"",
            format!("`{field}.timeout`: 4999ms is out of range: it must be 5s to 10s"),
        ),
        (
            "timeout = \"11s\"",
            format!("`{field}.timeout`: 11s is out of range: it must be 5s to 10s"),
        ),
        (
            "interval = \"10s\", timeout = \"10s\"",
            format!("`{field}.timeout`: 10s is out of range: it must be 5s to 9s"),
        ),
        ("tolerated = 10", format!("`{field}.tolerated`: 10 is out of range: it must be 0 to 9")),
    ] {
        refuses(&probed(probe), &expected);
    }
    refuses(
        &door("probe = { tolerated = 10 }", "a = {}"),
        "`front_doors.edge.probe.tolerated`: 10 is out of range: it must be 0 to 9",
    );
    refuses(
        &balancer("virtual_ips = [\"203.0.113.1\"]\nrules = []\nprobe = { tolerated = 10 }"),
        "`load_balancers.lb.probe.tolerated`: 10 is out of range: it must be 0 to 9",
    );
}

#[test]
fn origins_may_share_a_priority_of_1_to_5() {
    graph(&door("", "a = { priority = 5, weight = 1000 }, b = { priority = 5 }"));
    for (origin, expected) in [
        ("a = { priority = 0 }", "priority`: 0 is out of range: it must be 1 to 5"),
        ("a = { priority = 6 }", "priority`: 6 is out of range: it must be 1 to 5"),
        ("a = { weight = 0 }", "weight`: 0 is out of range: it must be 1 to 1000"),
        ("a = { weight = 1001 }", "weight`: 1001 is out of range: it must be 1 to 1000"),
    ] {
        refuses(&door("", origin), &format!("`front_doors.edge.origins.a.{expected}"));
    }
    refuses(&door("", ""), "`front_doors.edge.origins`: it is empty: it needs one entry at least");
    refuses(&door("", "c = {}"), "`front_doors.edge.origins.c`: no node is called c");
}

/// `count` traffic managers, each the only endpoint of the one before; the last leads to `last`.
fn nested(count: usize, last: &str) -> String {
    let next = |at: usize| if at == count { last.into() } else { format!("m{:02}", at + 1) };
    let manager = |at: usize| {
        let endpoint = next(at);
        format!(
            "[traffic_managers.m{at:02}]\nmethod = \"weighted\"\nendpoints = {{ {endpoint} = {{}} }}\n"
        )
    };
    (1..=count).map(manager).collect::<String>() + DESTINATIONS
}

#[test]
fn traffic_managers_nest_ten_levels_and_no_cycles() {
    graph(&nested(10, "a"));
    refuses(
        &nested(11, "a"),
        "`traffic_managers.m01`: traffic managers are nested 11 levels deep here: 10 at most",
    );
    refuses(
        &nested(1, "m01"),
        "`traffic_managers.m01.endpoints.m01`: a traffic manager is no endpoint of its own",
    );
    refuses(
        &nested(3, "m02"),
        "`traffic_managers.m02`: traffic managers lead back to where they began: m02 > m03",
    );
}

#[test]
fn a_balancer_tells_its_rules_apart() {
    let ips = "virtual_ips = [\"203.0.113.1\", \"203.0.113.2\"]";
    let rules = |rules: &str| balancer(&format!("{ips}\nrules = [{rules}]"));
    let one = "{ service = \"tcp 443\", pool = \"web\" }";
    graph(&rules(&format!("{one}, {{ service = \"udp 443\", pool = \"web\" }}")));
    let second = "virtual_ip = \"203.0.113.2\", service = \"tcp 443\", pool = \"web\"";
    graph(&rules(&format!("{one}, {{ {second}, floating = true }}")));
    graph(&rules(&format!("{one}, {{ {second}, backend_port = 8443 }}")));
    refuses(
        &rules(&format!("{one}, {{ {second} }}")),
        "`load_balancers.lb.rules`: two rules lead to port 443 of web: one must be `floating`, or \
         have another `backend_port`",
    );
    refuses(
        &rules(&format!(
            "{one}, {{ virtual_ip = \"203.0.113.1\", service = \"tcp 443\", pool = \"web\", backend_port = 1 }}"
        )),
        "`load_balancers.lb.rules`: two rules listen to tcp 203.0.113.1:443",
    );
    refuses(
        &rules("{ virtual_ip = \"203.0.113.9\", service = \"tcp 443\", pool = \"web\" }"),
        "`load_balancers.lb.rules`: 203.0.113.9 is no virtual IP of that load balancer",
    );
    refuses(
        &rules("{ service = \"tcp 443\", pool = \"a\" }"),
        "`load_balancers.lb.rules`: a is a destination: it must be a pool",
    );
    refuses(
        &balancer("virtual_ips = []\nrules = []"),
        "`load_balancers.lb.virtual_ips`: it is empty: it needs one entry at least",
    );
    refuses(
        &balancer("virtual_ips = [\"203.0.113.1\", \"203.0.113.1\"]\nrules = []"),
        "`load_balancers.lb.virtual_ips`: 203.0.113.1 stands twice: each is named once",
    );
}

#[test]
fn an_account_lives_in_one_unit() {
    refuses(
        "[scale_units]\na = { owns = [\"x\"] }\nb = { owns = [\"x\"] }",
        "`scale_units.b.owns`: x lives in a, too: an account lives in one unit",
    );
    refuses(
        &format!("[scale_units]\nu = {{ stale = {{ x = \"a\" }} }}\n{DESTINATIONS}"),
        "`scale_units.u.stale.x`: a is a destination: it must be a scale unit",
    );
    refuses(
        "[scale_units]\nu = { serves_from = \"x\" }",
        "`scale_units.u.serves_from`: no node is called x",
    );
    let throttle =
        |max: u32| format!("[scale_units]\nu = {{ throttle = {{ proxied_max = {max} }} }}");
    graph(&throttle(1));
    graph(&throttle(1_000_000));
    for max in [0, 1_000_001] {
        let expected = format!(
            "`scale_units.u.throttle.proxied_max`: {max} is out of range: it must be 1 to 1000000"
        );
        refuses(&throttle(max), &expected);
    }
}

#[test]
fn the_ways_out_fit_the_pool() {
    let nat = |members: &str| {
        format!(
            "{{ virtual_ips = [\"203.0.113.1\"], pool = \"{members}\", ports = {{ on-demand = \"1024-1025\" }} }}"
        )
    };
    for way in ["outbound_rule", "default"] {
        graph(&pool(&format!("outbound = {{ {way} = {} }}", nat("10.0.0.1-10.0.0.2"))));
        refuses(
            &pool(&format!("outbound = {{ {way} = {} }}", nat("10.0.0.1"))),
            &format!("`pools.web.outbound.{way}.pool`: it must be the pool's own `members`"),
        );
    }
    refuses(
        &pool("outbound = { nat_gateway = \"egress\" }"),
        "`pools.web.outbound.nat_gateway`: web/10.0.0.2 is not in the gateway's `nat.pool`",
    );
    graph(
        &pool("outbound = { nat_gateway = \"egress\" }").replace("10.0.0.1-10.0.0.2", "10.0.0.1"),
    );
    refuses(
        &pool("outbound = { nat_gateway = \"a\" }"),
        "`pools.web.outbound.nat_gateway`: a is a destination: it must be a NAT gateway",
    );
    refuses(
        &pool("outbound = { user_route = \"a\" }"),
        "`pools.web.outbound.user_route`: a is a destination: it must be a router",
    );
    refuses(
        &pool("outbound = { instance_addresses = [\"203.0.113.1\"] }"),
        "`pools.web.outbound.instance_addresses`: an address for each slot: `virtual_ips`: 1 \
         addresses for a pool of 2 slots: static NAT needs one for each",
    );
    graph(&pool("outbound = { instance_addresses = [\"203.0.113.1\", \"203.0.113.2\"] }"));
    refuses(
        &pool("bypass = [\"egress\"]"),
        "`pools.web.bypass`: egress is a NAT gateway: it must be a destination",
    );
}

#[test]
fn links_cost_something_and_the_same_at_both_ends() {
    let linked = |a: &str, b: &str| format!("[routers]\na = {{ {a} }}\nb = {{ {b} }}\nc = {{}}");
    graph(&linked("links = { b = 2 }, route = \"b\"", "links = { a = 2 }"));
    graph(&linked("route = \"b\"", "links = { a = 2 }"));
    for (a, b, expected) in [
        (
            "links = { b = 0 }",
            "",
            "`routers.a.links.b`: 0 is out of range: it must be 1 to 4294967295",
        ),
        ("links = { a = 1 }", "", "`routers.a.links.a`: a router is not linked to itself"),
        (
            "links = { b = 1 }",
            "links = { a = 2 }",
            "`routers.a.links.b`: the link costs 1 here and 2 at its other end",
        ),
        ("links = { x = 1 }", "", "`routers.a.links.x`: no node is called x"),
        ("route = \"b\"", "", "`routers.a.route`: b is no neighbour: a route needs a link"),
        ("route = \"x\"", "", "`routers.a.route`: no node is called x"),
    ] {
        refuses(&linked(a, b), expected);
    }
}

#[test]
fn a_list_has_endpoints_that_are_there() {
    let index =
        |endpoints: &str| format!("[service_indexes.i]\nendpoints = [{endpoints}]\n{DESTINATIONS}");
    graph(&index("{ target = \"a\", weight = 1000 }"));
    for (endpoints, expected) in [
        ("", "it is empty: it needs one entry at least"),
        ("{ target = \"x\" }", "no node is called x"),
        ("{ target = \"a\", weight = 0 }", "0 is out of range: it must be 1 to 1000"),
        ("{ target = \"a\", weight = 1001 }", "1001 is out of range: it must be 1 to 1000"),
    ] {
        refuses(&index(endpoints), &format!("`service_indexes.i.endpoints`: {expected}"));
    }
}

#[test]
fn a_graph_tells_who_leads_where_and_what_can_fail() {
    let whole = graph(
        r#"
        steady = ["lb"]
        [clients]
        x = { entry = "lb@203.0.113.2", at = "r" }
        [load_balancers.lb]
        virtual_ips = ["203.0.113.1", "203.0.113.2"]
        rules = [{ service = "tcp 443", pool = "web" }]
        [scale_units]
        u = { owns = ["acme"], stale = { acme = "v" } }
        v = {}
        [pools]
        web = { members = "10.0.0.1, hole, 10.0.0.3", at = "r", bypass = ["d"], outbound = { user_route = "s" } }
        [routers]
        r = { links = { s = 3 } }
        s = {}
        [destinations]
        d = { endpoint = "192.0.2.1:443" }
        e = { endpoint = "192.0.2.2:443" }
        "#,
    );
    let names: Vec<String> = whole.components().map(|(_, it)| it.to_string()).collect();
    let expected =
        ["lb", "u", "v", "web", "r", "s", "d", "e", "web/10.0.0.1", "web/10.0.0.3", "r~s"];
    assert_eq!(names, expected);
    let failing = |(at, _): &(usize, _)| whole.can_fail(*at);
    let failing: Vec<String> =
        whole.components().filter(failing).map(|(_, it)| it.to_string()).collect();
    assert_eq!(failing, ["u", "v", "r", "s", "d", "e", "web/10.0.0.1", "web/10.0.0.3", "r~s"]);
    assert!(!whole.can_fail(1_000));
    for (at, component) in whole.components() {
        assert_eq!(whole.component(component), Some(at));
    }
    assert_eq!(whole.component(&read("x")), None, "a client cannot fail");
    let step = |from: &str, to: &str| whole.has_step(&read::<Place>(from), &read::<Place>(to));
    for (from, to) in [
        ("x", "lb"),
        ("x", "r"),
        ("r", "x"),
        ("r", "s"),
        ("s", "r"),
        ("lb", "web"),
        ("web", "web/10.0.0.1"),
        ("web/10.0.0.1", "web"),
        ("web/10.0.0.1", "r"),
        ("u", "v"),
        ("v", "u"),
        ("web/10.0.0.1", "d"),
        ("web", "d"),
        ("web", "e"),
        ("u", "e"),
    ] {
        assert!(step(from, to), "{from} to {to}");
    }
    for (from, to) in [
        ("lb", "x"),
        ("x", "web"),
        ("s", "x"),
        ("x", "d"),
        ("x", "e"),
        ("u", "lb"),
        ("web/10.0.0.1", "web/10.0.0.3"),
        ("x", "web/10.0.0.1"),
        ("x", "nobody"),
    ] {
        assert!(!step(from, to), "{from} to {to}");
    }
    let lb = whole.index(&read("lb")).expect("it is there");
    let x = whole.index(&read("x")).expect("it is there");
    assert_eq!(whole.leads(x)[0].node, lb);
    assert_eq!(whole.leads(x)[0].virtual_ip.map(|it| it.0.to_string()), Some("203.0.113.2".into()));
    assert_eq!(whole.target_between(&read("x"), &read("lb")), Some(read("lb@203.0.113.2")));
    assert_eq!(whole.owner(&read("acme")).map(|at| whole.name(at).to_string()), Some("u".into()));
    assert!(matches!(whole.named(&read("d")), Some(Node::Destination(_))));
    assert_eq!(
        whole.to_string(),
        "1 client, 1 load balancer, 2 scale units, 1 pool, 2 routers, 2 destinations"
    );
    let nodes = whole.nodes().map(|at| whole.name(at).as_str());
    assert_eq!(nodes.collect::<Vec<_>>(), ["x", "lb", "u", "v", "web", "r", "s", "d", "e"]);
    let web = whole.index(&read("web")).expect("it is there");
    let can_fail = |slot| whole.can_fail(whole.component_of_slot(web, slot));
    assert!(can_fail(0) && !can_fail(1) && can_fail(2), "a hole cannot");
    let ways = |edge| whole.petgraph().edge_weights().filter(|it| **it == edge).count();
    assert_eq!((ways(Edge::Bypass), ways(Edge::WayOut(Means::UserRoute))), (1, 1));
    let believes = whole.petgraph().edge_weights().filter(|it| **it == Edge::Believes).count();
    assert_eq!(believes, 1);
}

#[test]
fn a_topology_is_written_as_it_was_read() {
    for text in [
        include_str!("../../../../docs/topology.toml"),
        include_str!("../../../../snapshots/topologies/nested_pools.toml"),
        include_str!("../../../../snapshots/topologies/scale_units.toml"),
        include_str!("../../../../snapshots/topologies/service_index.toml"),
    ] {
        let file: toml::Table = toml::from_str(text).expect("it is TOML");
        let graph: RoutingGraph = file["subject"].clone().try_into().expect("it is a topology");
        let written = toml::to_string(&graph).expect("plain data");
        let again: RoutingGraph = toml::from_str(&written).expect("it reads back");
        assert_eq!(again, graph);
        assert_eq!(Topology::from(again), *graph.topology());
    }
}

#[test]
fn what_is_not_said_is_not_written() {
    let brief = "[clients.x]\nentry = \"a\"\n\n[scale_units.a]\n";
    let graph = graph(brief);
    assert_eq!(toml::to_string(&graph).expect("plain data"), brief);
    assert_ne!(graph, super::graph(&brief.replace('x', "y")));
    let limited = format!("hops_max = 5\n\n{brief}");
    assert_eq!(toml::to_string(&super::graph(&limited)).expect("plain data"), limited);
}
