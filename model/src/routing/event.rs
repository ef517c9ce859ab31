//! What can be asked of a network, and what it can answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{Component, MemberName, Name, NameError};
use super::walk::Walk;
use crate::flow::{Transport, parse_port};
use crate::text::serde_as_text;
use crate::time::Duration;

/// What a network can be asked. Every event is legal in every state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A client sends a request to what it looks up.
    Request(Request),
    /// The answer to a client's request goes back.
    ReplyToRequest(Request),
    /// A VM opens a connection.
    Outbound(Connection),
    /// The answer to a VM's connection comes back.
    ReplyToConnection(Connection),
    /// Something goes down.
    Fail(Component),
    /// Something comes up again.
    Mend(Component),
    /// Time passes.
    Elapse(Duration),
}

/// A request of a client: for an account, where units own accounts, and one of many, where a hash
/// tells requests apart. Written `europe`, `europe account-7`, `europe account-7 #3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::request())),
    schemars(extend("examples" = ["europe", "europe account-7", "europe account-7 #3"])),
)]
pub struct Request {
    /// Who asks.
    pub client: Name,
    /// For which account.
    pub account: Option<Name>,
    /// Which of its requests: what load balancers hash.
    pub key: u64,
}

/// A connection that a VM opens; written `tcp weu-pool/10.0.0.17:40000 > redis`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::connection())),
    schemars(extend("examples" = ["tcp weu-pool/10.0.0.17:40000 > redis"])),
)]
pub struct Connection {
    /// What carries it.
    pub transport: Transport,
    /// Who opens it.
    pub member: MemberName,
    /// The port at its own end.
    pub port: u16,
    /// Where it goes.
    pub destination: Name,
}

/// What a network answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// How far a request, a connection or a reply got, and by which rules.
    Walked(Walk),
    /// The component is down, now or before.
    Failed,
    /// The component is up, now or before.
    Mended,
    /// Time has passed.
    Elapsed,
    /// The graph has no such component, or it cannot fail. Nothing has changed.
    Unknown,
}

/// Why a text names no request or connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventError {
    /// The text is no request.
    Request(String),
    /// The text is no connection.
    Connection(String),
    /// One of its names is none.
    Name(NameError),
}

impl Request {
    /// A client's request for nothing in particular.
    pub const fn of(client: Name) -> Self {
        Self { client, account: None, key: 0 }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)?;
        self.account.iter().try_for_each(|account| write!(f, " {account}"))?;
        match self.key {
            0 => Ok(()),
            key => write!(f, " #{key}"),
        }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport, member, port, destination } = self;
        write!(f, "{transport} {member}:{port} > {destination}")
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => write!(f, "request {request}"),
            Self::ReplyToRequest(request) => write!(f, "reply to request {request}"),
            Self::Outbound(connection) => write!(f, "outbound {connection}"),
            Self::ReplyToConnection(connection) => write!(f, "reply to connection {connection}"),
            Self::Fail(component) => write!(f, "fail {component}"),
            Self::Mend(component) => write!(f, "mend {component}"),
            Self::Elapse(length) => write!(f, "elapse {length}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Walked(walk) => walk.fmt(f),
            Self::Failed => write!(f, "down"),
            Self::Mended => write!(f, "up"),
            Self::Elapsed => Ok(()),
            Self::Unknown => write!(f, "unknown"),
        }
    }
}

impl FromStr for Request {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let no_request = || EventError::Request(text.into());
        let mut words = text.split_whitespace().peekable();
        let client = words.next().ok_or_else(no_request)?.parse().map_err(EventError::Name)?;
        let account = words.next_if(|word| !word.starts_with('#'));
        let account = account.map(Name::from_str).transpose().map_err(EventError::Name)?;
        let key = words.next().map(|word| key(word).ok_or_else(no_request)).transpose()?;
        match words.next() {
            Some(_) => Err(no_request()),
            None => Ok(Self { client, account, key: key.unwrap_or_default() }),
        }
    }
}

fn key(word: &str) -> Option<u64> {
    let digits = word.strip_prefix('#')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl FromStr for Connection {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let no_connection = || EventError::Connection(text.into());
        let words: Vec<&str> = text.split_whitespace().collect();
        let [transport, source, ">", destination] = words[..] else {
            return Err(no_connection());
        };
        let (member, port) = source.rsplit_once(':').ok_or_else(no_connection)?;
        Ok(Self {
            transport: transport.parse().map_err(|_| no_connection())?,
            member: member.parse().map_err(EventError::Name)?,
            port: parse_port(port).ok_or_else(no_connection)?,
            destination: destination.parse().map_err(EventError::Name)?,
        })
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) => write!(
                f,
                "`{text}` is no request: write a client, an account where it asks for one, and # \
                 with a number where there are many, such as europe account-7 #3"
            ),
            Self::Connection(text) => write!(
                f,
                "`{text}` is no connection: write transport, member and port, > and destination, \
                 such as tcp web/10.0.0.17:40000 > redis"
            ),
            Self::Name(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EventError {}

serde_as_text!(Request, Connection);
