//! Making a topology small, so that nothing in it draws the eye but the defect.

use std::collections::BTreeMap;

use natlaw_model::routing::{Name, RoutingGraph, Topology};
use natlaw_model::subject::Scenario;

type Change = Box<dyn Fn(&mut Topology)>;

/// The scenario without any node, endpoint or setting that the verdict does not need.
pub(super) fn plainest(
    scenario: Scenario<RoutingGraph>,
    still_fails: impl Fn(&Scenario<RoutingGraph>) -> bool,
) -> Scenario<RoutingGraph> {
    let mut smallest = scenario;
    loop {
        let before = size(&smallest.subject);
        for change in changes(smallest.subject.topology()) {
            let plainer = changed(&smallest, &change).filter(|plainer| still_fails(plainer));
            smallest = plainer.unwrap_or(smallest);
        }
        if size(&smallest.subject) >= before {
            return smallest;
        }
    }
}

/// How much there is to read in a topology: letters of its file.
pub(super) fn size(graph: &RoutingGraph) -> usize {
    toml::to_string(graph.topology()).map_or(usize::MAX, |text| text.len())
}

/// The scenario with this change made; `None` where it breaks a rule or makes nothing plainer.
fn changed(scenario: &Scenario<RoutingGraph>, change: &Change) -> Option<Scenario<RoutingGraph>> {
    let mut topology = scenario.subject.topology().clone();
    change(&mut topology);
    if topology == *scenario.subject.topology() {
        return None;
    }
    let subject = RoutingGraph::new(topology).ok()?;
    Some(Scenario { subject, events: scenario.events.clone() })
}

/// Whatever could be left out of a topology.
fn changes(topology: &Topology) -> Vec<Change> {
    let mut changes: Vec<Change> = vec![
        Box::new(|it| it.seed = 0),
        Box::new(|it| it.precedence = Default::default()),
        Box::new(|it| it.hops_max = natlaw_model::routing::HOPS_MAX),
        Box::new(|it| it.steady.clear()),
    ];
    for (_, name, _) in topology.nodes() {
        changes.push(without(name));
    }
    for (_, name, _) in topology.nodes() {
        changes.extend(simpler(topology, &name));
    }
    changes
}

/// A topology without a node, and without what leads to it.
fn without(name: Name) -> Change {
    Box::new(move |it| {
        it.clients.remove(&name);
        it.traffic_managers.remove(&name);
        it.front_doors.remove(&name);
        it.load_balancers.remove(&name);
        it.scale_units.remove(&name);
        it.pools.remove(&name);
        it.routers.remove(&name);
        it.nat_gateways.remove(&name);
        it.destinations.remove(&name);
        it.service_indexes.remove(&name);
        it.steady.remove(&name);
        forget(it, &name);
    })
}

fn forget(it: &mut Topology, name: &Name) {
    let leads = |target: &natlaw_model::routing::Target| target.node == *name;
    it.traffic_managers.values_mut().for_each(|tm| tm.endpoints.retain(|to, _| !leads(to)));
    it.front_doors.values_mut().for_each(|door| door.origins.retain(|to, _| !leads(to)));
    it.service_indexes.values_mut().for_each(|ix| ix.endpoints.retain(|to| !leads(&to.target)));
    it.load_balancers.values_mut().for_each(|lb| lb.rules.retain(|rule| rule.pool != *name));
    for unit in it.scale_units.values_mut() {
        unit.serves_from = unit.serves_from.take().filter(|to| !leads(to));
        unit.stale.retain(|_, believed| believed != name);
    }
    for pool in it.pools.values_mut() {
        let out = &mut pool.outbound;
        out.user_route = out.user_route.take().filter(|route| route != name);
        out.nat_gateway = out.nat_gateway.take().filter(|gateway| gateway != name);
        pool.bypass.remove(name);
    }
    for router in it.routers.values_mut() {
        router.links.remove(name);
        router.route = router.route.take().filter(|route| route != name);
    }
}

/// A change of a node.
type ChangeOf = dyn Fn(&mut Topology, &Name);

/// What could be simpler about one node.
fn simpler(topology: &Topology, name: &Name) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut of = |change: Box<ChangeOf>| {
        let name = name.clone();
        changes.push(Box::new(move |it| change(it, &name)));
    };
    of(Box::new(hang_nowhere));
    of(Box::new(|it, name| with(&mut it.clients, name, |it| it.latency_ms.clear())));
    of(Box::new(|it, name| with(&mut it.clients, name, |it| it.region = None)));
    of(Box::new(|it, name| with(&mut it.front_doors, name, |it| it.affinity = None)));
    of(Box::new(|it, name| with(&mut it.scale_units, name, |it| it.throttle = None)));
    of(Box::new(|it, name| with(&mut it.scale_units, name, |it| it.stale.clear())));
    of(Box::new(|it, name| with(&mut it.scale_units, name, |it| it.serves_from = None)));
    of(Box::new(|it, name| with(&mut it.scale_units, name, |it| it.owns.clear())));
    of(Box::new(|it, name| with(&mut it.load_balancers, name, |it| it.rules.truncate(1))));
    of(Box::new(|it, name| with(&mut it.pools, name, |it| it.bypass.clear())));
    of(Box::new(|it, name| with(&mut it.pools, name, |it| it.outbound.outbound_rule = None)));
    of(Box::new(|it, name| with(&mut it.pools, name, |it| it.outbound.default = None)));
    of(Box::new(|it, name| {
        with(&mut it.pools, name, |it| it.outbound.instance_addresses.clear());
    }));
    of(Box::new(|it, name| with(&mut it.pools, name, |it| it.outbound.nat_gateway = None)));
    of(Box::new(|it, name| with(&mut it.routers, name, |it| it.route = None)));
    if let Some(manager) = topology.traffic_managers.get(name) {
        for target in manager.endpoints.keys() {
            let (name, target) = (name.clone(), target.clone());
            changes.push(Box::new(move |it| {
                with(&mut it.traffic_managers, &name, |it| drop(it.endpoints.remove(&target)));
            }));
        }
    }
    changes
}

fn with<T>(nodes: &mut BTreeMap<Name, T>, name: &Name, change: impl Fn(&mut T)) {
    nodes.get_mut(name).into_iter().for_each(change);
}

fn hang_nowhere(it: &mut Topology, name: &Name) {
    with(&mut it.clients, name, |it| it.at = None);
    with(&mut it.front_doors, name, |it| it.at = None);
    with(&mut it.load_balancers, name, |it| it.at = None);
    with(&mut it.scale_units, name, |it| it.at = None);
    with(&mut it.pools, name, |it| it.at = None);
    with(&mut it.nat_gateways, name, |it| it.at = None);
    with(&mut it.destinations, name, |it| it.at = None);
}
