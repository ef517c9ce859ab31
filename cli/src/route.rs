//! Walks through a routing graph once, and prints every hop with the rule that chose it.

mod drawing;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use comfy_table::CellAlignment;
use itertools::Itertools;
use natlaw_model::flow::Transport;
use natlaw_model::routing::{
    Component, Connection, Event, MemberName, Name, Network, Node, Outcome, Place, Request,
    RoutingGraph, Walk,
};
use natlaw_model::subject::{Device, Subject};
use natlaw_properties::file::{kind_of, subject_of, text_of};
use natlaw_properties::report::{drawn, table};
use serde_json::json;

use crate::files::InputError;
use crate::{JSON_VERSION, Report};

/// Walk through a routing graph once: from a client to what serves it, or from a VM to its SNAT
/// port. However the walk ends, the exit code is 0; 2 is bad input.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("start").required(true).args(["from", "outbound"]))]
pub(crate) struct Args {
    /// A topology or a scenario file of one (TOML).
    file: PathBuf,
    /// The client that asks.
    #[arg(long, value_name = "CLIENT")]
    from: Option<Name>,
    /// The account it asks for, where units own accounts.
    #[arg(long, requires = "from")]
    account: Option<Name>,
    /// Which of its requests it is: what load balancers hash.
    #[arg(long, requires = "from", default_value_t = 0)]
    key: u64,
    /// The VM that opens a connection, such as web/10.0.0.17.
    #[arg(long, value_name = "MEMBER", requires = "to")]
    outbound: Option<MemberName>,
    /// The destination of the connection.
    #[arg(long, value_name = "DESTINATION", requires = "outbound")]
    to: Option<Name>,
    /// What carries the connection: tcp, udp or icmp.
    #[arg(long, requires = "outbound", default_value_t = Transport::Tcp)]
    transport: Transport,
    /// The port of the connection at the VM.
    #[arg(long, requires = "outbound", default_value_t = 40_000)]
    port: u16,
    /// What is down: nodes, VMs (web/10.0.0.17), links (lyon~paris).
    #[arg(long, value_name = "NODE", num_args = 1..)]
    down: Vec<Component>,
    /// The walk of the reply follows.
    #[arg(long)]
    reply: bool,
    /// Draw the graph in graphviz's language in place of the table: what the walk took is blue, what
    /// is down red.
    #[arg(long)]
    dot: bool,
}

/// What a command line names and the graph does not have.
#[derive(Debug)]
enum RouteError {
    /// The file is of another kind.
    Kind { name: String, kind: String },
    /// No node of this kind has the name; these do.
    Missing { option: &'static str, name: String, what: &'static str, known: Vec<String> },
}

/// The most names that an error lists.
const NAMED_MAX: usize = 20;

/// Walks as the command line says.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let graph = read(&args.file)?;
    let mut network = Network::new(&graph);
    for component in &args.down {
        if network.step(&Event::Fail(component.clone())) == Outcome::Unknown {
            return Err(no_component(&graph, component).into());
        }
    }
    let asked = events(args, &graph)?;
    let walks = asked.into_iter().filter_map(|event| match network.step(&event) {
        Outcome::Walked(walk) => Some((event, walk)),
        _ => None,
    });
    let walks = walks.collect_vec();
    let text = match args.dot {
        true => drawing::dot(&graph, network.health(), &walks),
        false => walks.iter().map(|(event, walk)| told(&graph, event, walk)).join("\n"),
    };
    let walks = walks.iter().map(|(event, walk)| as_json(&graph, event, walk)).collect_vec();
    let json = json!({ "version": JSON_VERSION, "walks": walks });
    Ok(Report { text, json, as_expected: true })
}

/// The routing graph of a file.
pub(crate) fn read(path: &Path) -> Result<RoutingGraph, Box<dyn Error>> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::Unreadable { name: name.clone(), error })?;
    let broken = |error| InputError::Broken { name: name.clone(), error };
    let text = text_of(&bytes).map_err(broken)?;
    let kind = kind_of(text).map_err(broken)?.name;
    match kind == RoutingGraph::KIND {
        true => Ok(subject_of(text).map_err(broken)?),
        false => Err(RouteError::Kind { name, kind }.into()),
    }
}

/// What is asked: a request or a connection, and its reply where that is wanted.
fn events(args: &Args, graph: &RoutingGraph) -> Result<Vec<Event>, RouteError> {
    let (asked, reply) = match (&args.from, &args.outbound, &args.to) {
        (_, Some(member), Some(to)) => {
            let connection = connection(args, graph, member, to)?;
            (Event::Outbound(connection.clone()), Event::ReplyToConnection(connection))
        }
        (from, _, _) => {
            let client = from.iter().find_map(|from| client(graph, from));
            let client = client.ok_or_else(|| no_client(graph, from.as_ref()))?;
            let request = Request { client, account: args.account.clone(), key: args.key };
            (Event::Request(request.clone()), Event::ReplyToRequest(request))
        }
    };
    Ok(std::iter::once(asked).chain(args.reply.then_some(reply)).collect())
}

fn client(graph: &RoutingGraph, name: &Name) -> Option<Name> {
    matches!(graph.named(name), Some(Node::Client(_))).then(|| name.clone())
}

fn connection(
    args: &Args,
    graph: &RoutingGraph,
    member: &MemberName,
    to: &Name,
) -> Result<Connection, RouteError> {
    let Some(Node::Destination(_)) = graph.named(to) else {
        let known = names(graph, |node| matches!(node, Node::Destination(_)));
        let name = to.to_string();
        return Err(RouteError::Missing { option: "--to", name, what: "destination", known });
    };
    let component = Component::Place(Place::Member(member.clone()));
    if graph.component(&component).is_none() {
        return Err(no_member(graph, member));
    }
    let (transport, port) = (args.transport, args.port);
    Ok(Connection { transport, member: member.clone(), port, destination: to.clone() })
}

fn no_client(graph: &RoutingGraph, name: Option<&Name>) -> RouteError {
    let known = names(graph, |node| matches!(node, Node::Client(_)));
    let name = name.map(Name::to_string).unwrap_or_default();
    RouteError::Missing { option: "--from", name, what: "client", known }
}

/// The pools and what they hold, or of a pool that is there what it holds.
fn no_member(graph: &RoutingGraph, member: &MemberName) -> RouteError {
    let pools = graph.topology().pools.iter();
    let known = pools.map(|(name, pool)| format!("{name}/({})", pool.members)).collect();
    let name = member.to_string();
    RouteError::Missing { option: "--outbound", name, what: "VM", known }
}

fn no_component(graph: &RoutingGraph, component: &Component) -> RouteError {
    let known = match component {
        Component::Link(_, _) => {
            let links = graph.components().map(|(_, component)| component);
            links
                .filter(|it| matches!(it, Component::Link(_, _)))
                .map(ToString::to_string)
                .collect()
        }
        Component::Place(Place::Member(member)) => return no_member(graph, member).of("--down"),
        Component::Place(Place::Node(_)) => names(graph, |node| !matches!(node, Node::Client(_))),
    };
    let name = component.to_string();
    RouteError::Missing { option: "--down", name, what: "node that can be down", known }
}

fn names(graph: &RoutingGraph, is_wanted: impl Fn(&Node) -> bool) -> Vec<String> {
    let nodes = graph.nodes().filter(|at| is_wanted(graph.node(*at)));
    nodes.map(|at| graph.name(at).to_string()).collect()
}

/// A walk as a table.
fn told(graph: &RoutingGraph, event: &Event, walk: &Walk) -> String {
    let mut drawing = table(["hop", "place", "what it is", "why there"]);
    for (at, hop) in walk.hops.iter().enumerate() {
        drawing.add_row([
            (at + 1).to_string(),
            hop.place.to_string(),
            what(graph, &hop.place).into(),
            hop.rule.to_string(),
        ]);
    }
    if let Some(column) = drawing.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    match walk.hops.is_empty() {
        true => format!("{event}\n\n{}\n", walk.disposition),
        false => format!("{event}\n\n{}\n\n{}\n", drawn(&drawing), walk.disposition),
    }
}

/// What stands at a place, in words.
fn what(graph: &RoutingGraph, place: &Place) -> &'static str {
    match place {
        Place::Member(_) => "VM",
        Place::Node(name) => graph.named(name).map_or("unknown", Node::kind),
    }
}

fn as_json(graph: &RoutingGraph, event: &Event, walk: &Walk) -> serde_json::Value {
    let hop = |hop: &natlaw_model::routing::Hop| {
        json!({
            "place": hop.place,
            "what": what(graph, &hop.place),
            "rule": hop.rule,
            "why": hop.rule.to_string(),
        })
    };
    json!({
        "asked": event.to_string(),
        "hops": walk.hops.iter().map(hop).collect_vec(),
        "disposition": walk.disposition,
        "told": walk.disposition.to_string(),
        "served": walk.is_served(),
    })
}

impl RouteError {
    /// The same about another option.
    fn of(self, option: &'static str) -> Self {
        match self {
            Self::Missing { name, what, known, .. } => Self::Missing { option, name, what, known },
            Self::Kind { .. } => self,
        }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { name, kind } => write!(
                f,
                "{name}: `kind` = \"{kind}\": a walk needs a routing graph, `kind` = \"{}\"",
                RoutingGraph::KIND
            ),
            Self::Missing { option, name, what, known } => {
                let more = known.len().saturating_sub(NAMED_MAX);
                let listed = known.iter().take(NAMED_MAX).format(", ");
                match (known.is_empty(), more) {
                    (true, _) => write!(f, "`{option} {name}`: the graph has no {what}"),
                    (false, 0) => {
                        write!(f, "`{option} {name}`: no such {what}; there are {listed}")
                    }
                    (false, more) => {
                        write!(
                            f,
                            "`{option} {name}`: no such {what}; there are {listed} and {more} more"
                        )
                    }
                }
            }
        }
    }
}

impl Error for RouteError {}
