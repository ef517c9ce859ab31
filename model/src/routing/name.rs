//! What stands in a routing graph, by name: nodes, members of pools, links, and what can fail.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;

use crate::nat::{Member, VirtualIp};
use crate::text::serde_as_text;

/// The name of a node, an account or a region: 1 to 64 letters, digits, `-`, `_` or `.` (ASCII).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::name())),
    schemars(extend("examples" = ["europe", "weu-2"])),
)]
pub struct Name(Arc<str>);

/// The most characters that a name may have.
pub const NAME_MAX: usize = 64;

/// A node that something leads to, and for a load balancer which of its virtual IPs; written
/// `weu-balancer` (its first virtual IP) or `weu-balancer@203.0.113.2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::target())),
    schemars(extend("examples" = ["weu-balancer", "weu-balancer@203.0.113.2"])),
)]
pub struct Target {
    /// The node.
    pub node: Name,
    /// The virtual IP of a load balancer; without it, its first.
    pub virtual_ip: Option<VirtualIp>,
}

/// A VM, by its pool and its inside address: pools may have alike addresses. Written
/// `weu-pool/10.0.0.17`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberName {
    /// The pool.
    pub pool: Name,
    /// The member of it.
    pub member: Member,
}

/// Where a walk can be: at a node or at a VM; written like either.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A node.
    Node(Name),
    /// A VM of a pool.
    Member(MemberName),
}

/// What can fail: a node, a VM, or a link between two routers; written `weu`, `weu/10.0.0.17`,
/// `lyon~paris`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::component())),
    schemars(extend("examples" = ["weu", "weu-pool/10.0.0.17", "lyon~paris"])),
)]
pub enum Component {
    /// A node or a VM.
    Place(Place),
    /// A link, its ends in the order of their names.
    Link(Name, Name),
}

/// Why a text names nothing that could stand in a routing graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// The text is no name.
    Name(String),
    /// What stands behind the `@` is no address.
    VirtualIp(String),
    /// What stands behind the `/` is no address.
    Member(String),
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Target {
    /// This node, by its first virtual IP where it has any.
    pub const fn node(node: Name) -> Self {
        Self { node, virtual_ip: None }
    }
}

impl Component {
    /// The link between two routers, whichever is named first.
    pub fn link(one: Name, other: Name) -> Self {
        if one <= other { Self::Link(one, other) } else { Self::Link(other, one) }
    }

    /// The node of this name.
    pub const fn node(name: Name) -> Self {
        Self::Place(Place::Node(name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.virtual_ip {
            None => self.node.fmt(f),
            Some(virtual_ip) => write!(f, "{}@{}", self.node, virtual_ip.0),
        }
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pool, self.member.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => name.fmt(f),
            Self::Member(member) => member.fmt(f),
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Link(one, other) => write!(f, "{one}~{other}"),
        }
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_legal) {
            true => Ok(Self(text.into())),
            false => Err(NameError::Name(text.into())),
        }
    }
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let Some((node, address)) = text.split_once('@') else {
            return Ok(Self::node(text.parse()?));
        };
        let address: Ipv4Addr =
            address.parse().map_err(|_| NameError::VirtualIp(address.into()))?;
        Ok(Self { node: node.parse()?, virtual_ip: Some(VirtualIp(address)) })
    }
}

impl FromStr for MemberName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let no_member = || NameError::Member(text.into());
        let (pool, address) = text.split_once('/').ok_or_else(no_member)?;
        let member = Member(address.parse().map_err(|_| no_member())?);
        Ok(Self { pool: pool.parse()?, member })
    }
}

impl FromStr for Place {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.contains('/') {
            true => text.parse().map(Self::Member),
            false => text.parse().map(Self::Node),
        }
    }
}

impl FromStr for Component {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once('~') {
            Some((one, other)) => Ok(Self::link(one.parse()?, other.parse()?)),
            None => text.parse().map(Self::Place),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) => write!(
                f,
                "`{text}` is no name: write 1 to {NAME_MAX} letters, digits, `-`, `_` or `.`"
            ),
            Self::VirtualIp(text) => {
                write!(f, "`{text}` is no virtual IP: write an IPv4 address, such as 203.0.113.2")
            }
            Self::Member(text) => write!(
                f,
                "`{text}` is no member: write its pool, a slash and its address, such as \
                 web/10.0.0.17"
            ),
        }
    }
}

impl std::error::Error for NameError {}

serde_as_text!(Name, Target, MemberName, Place, Component);
