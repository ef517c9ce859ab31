//! Real backbones: node-link JSON, as networkx and topohub write it, read as plain routers.
//!
//! Readings taken: a link costs its `dist` (a length in kilometres) rounded to a whole number, at
//! least 1; a link without one costs 1. Of several links between two nodes the cheapest counts. A
//! router is called what its node is called, with `-` for whatever no name may hold, or by its id
//! where it has no name; where two would be called alike, the id follows. All that is known of the
//! graph besides is passed over.

use std::collections::BTreeMap;
use std::fmt;

use natlaw_model::routing::{NODES_MAX, Name, Router, Topology};
use serde::Deserialize;

/// A backbone in this tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backbone {
    /// What its source calls it.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! backbone {
    ($name:literal) => {
        Backbone {
            name: $name,
            text: include_str!(concat!("../../data/topologies/", $name, ".json")),
        }
    };
}

/// Every backbone; `data/topologies/README.md` says where each is from.
pub const BACKBONES: &[Backbone] =
    &[backbone!("Aarnet"), backbone!("Abilene"), backbone!("Geant2012"), backbone!("germany50")];

/// Why a file is no backbone. Nodes and links are counted from 1.
#[derive(Debug)]
pub enum BackboneError {
    /// It is no JSON of this shape; says line and column.
    Json(serde_json::Error),
    /// Its links go one way only.
    Directed,
    /// It has more nodes than a routing graph may have.
    Nodes(usize),
    /// Two nodes have one id.
    Id(Id),
    /// Two nodes would have one name.
    Name(Name),
    /// A node's name is one that no node can have.
    Unnamed(usize),
    /// A link ends at a node that is not there.
    End {
        /// Which link.
        link: usize,
        /// Where it ends.
        id: Id,
    },
    /// A link leads back to where it begins.
    Loop {
        /// Which link.
        link: usize,
        /// Where it begins.
        id: Id,
    },
    /// A link's length is negative or too great for a cost.
    Length {
        /// Which link.
        link: usize,
        /// Its length.
        dist: f64,
    },
}

/// How a file refers to a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// By a number.
    Number(u64),
    /// By a text.
    Text(String),
}

#[derive(Deserialize)]
struct NodeLink {
    #[serde(default)]
    directed: bool,
    nodes: Vec<Node>,
    #[serde(alias = "links")]
    edges: Vec<Link>,
}

#[derive(Deserialize)]
struct Node {
    id: Id,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    source: Id,
    target: Id,
    dist: Option<f64>,
}

/// The routers of a backbone.
///
/// # Errors
/// When the text is no node-link JSON or breaks a rule of it; the error names the node or the link.
pub fn parse(text: &str) -> Result<Topology, BackboneError> {
    let NodeLink { directed, nodes, edges } =
        serde_json::from_str(text).map_err(BackboneError::Json)?;
    if directed {
        return Err(BackboneError::Directed);
    }
    if nodes.len() > NODES_MAX {
        return Err(BackboneError::Nodes(nodes.len()));
    }
    let names = names(nodes)?;
    let mut routers = routers(&names)?;
    for (link, edge) in (1..).zip(edges) {
        add(&mut routers, &names, link, edge)?;
    }
    Ok(Topology { routers, ..Topology::default() })
}

/// What each node is called.
fn names(nodes: Vec<Node>) -> Result<BTreeMap<Id, Name>, BackboneError> {
    let plain: Vec<String> = nodes.iter().map(plain_name).collect();
    let mut uses = BTreeMap::<&str, usize>::new();
    plain.iter().for_each(|name| *uses.entry(name).or_default() += 1);
    let mut names = BTreeMap::new();
    for (nth, (node, name)) in nodes.into_iter().zip(&plain).enumerate() {
        let text = match uses[name.as_str()] {
            1 => name.clone(),
            _ => format!("{name}-{}", legal(&node.id.to_string())),
        };
        let name = text.parse().map_err(|_| BackboneError::Unnamed(nth + 1))?;
        if names.contains_key(&node.id) {
            return Err(BackboneError::Id(node.id));
        }
        names.insert(node.id, name);
    }
    Ok(names)
}

fn plain_name(node: &Node) -> String {
    node.name.as_deref().map_or_else(|| legal(&node.id.to_string()), legal)
}

/// The text with `-` for whatever no name may hold.
fn legal(text: &str) -> String {
    let may = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    text.chars().map(|c| if may(c) { c } else { '-' }).collect()
}

/// A router for each node, without links.
fn routers(names: &BTreeMap<Id, Name>) -> Result<BTreeMap<Name, Router>, BackboneError> {
    let mut routers = BTreeMap::new();
    for name in names.values() {
        if routers.insert(name.clone(), Router::default()).is_some() {
            return Err(BackboneError::Name(name.clone()));
        }
    }
    Ok(routers)
}

fn add(
    routers: &mut BTreeMap<Name, Router>,
    names: &BTreeMap<Id, Name>,
    link: usize,
    edge: Link,
) -> Result<(), BackboneError> {
    let Link { source, target, dist } = edge;
    let router = |id: &Id| names.get(id).ok_or(BackboneError::End { link, id: id.clone() });
    let (mut one, mut other) = (router(&source)?, router(&target)?);
    if one == other {
        return Err(BackboneError::Loop { link, id: source });
    }
    if one > other {
        (one, other) = (other, one);
    }
    let cost = cost(link, dist)?;
    let links = &mut routers.entry(one.clone()).or_default().links;
    let least = links.entry(other.clone()).or_insert(cost);
    *least = cost.min(*least);
    Ok(())
}

/// What a link of this length costs.
fn cost(link: usize, dist: Option<f64>) -> Result<u32, BackboneError> {
    let rounded = dist.unwrap_or(1.0).round();
    // What JSON can say is finite, and the bounds are those of the type.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    match (0.0..=f64::from(u32::MAX)).contains(&rounded) {
        true => Ok((rounded as u32).max(1)),
        false => Err(BackboneError::Length { link, dist: dist.unwrap_or_default() }),
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for BackboneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "no node-link JSON: {error}"),
            Self::Directed => write!(f, "`directed`: a link of a backbone works both ways"),
            Self::Nodes(count) => {
                write!(f, "`nodes`: {count} are more than a graph may have ({NODES_MAX})")
            }
            Self::Id(id) => write!(f, "`nodes`: two of them have the id `{id}`"),
            Self::Name(name) => write!(f, "`nodes`: two of them would be called `{name}`"),
            Self::Unnamed(node) => {
                write!(f, "`nodes`, number {node}: its name is empty or longer than 64 characters")
            }
            Self::End { link, id } => {
                write!(f, "`edges`, number {link}: there is no node with the id `{id}`")
            }
            Self::Loop { link, id } => {
                write!(f, "`edges`, number {link}: it leads from `{id}` to itself")
            }
            Self::Length { link, dist } => {
                write!(f, "`edges`, number {link}: `dist` is {dist}, and 0 to {} may be", u32::MAX)
            }
        }
    }
}

impl std::error::Error for BackboneError {}
