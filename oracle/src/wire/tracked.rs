//! What the kernel tracks, as it lists it.

use std::fmt;
use std::fs;
use std::str::FromStr;

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::State;

use crate::real::Error;

/// A connection that the kernel tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracked {
    /// The flow and the endpoint to which its replies go.
    pub binding: Binding,
    /// How far it has got, if it is of TCP.
    pub state: Option<TcpState>,
}

/// How far the kernel takes a connection of TCP to have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpState {
    /// A SYN was sent.
    SynSent,
    /// It was answered with a SYN.
    SynReceived,
    /// The answer was acknowledged.
    Established,
    /// A FIN was sent.
    FinWait,
    /// It was acknowledged.
    CloseWait,
    /// The other side has sent one too.
    LastAck,
    /// That was acknowledged as well.
    TimeWait,
    /// An RST was sent.
    Close,
    /// Both sides have sent a SYN, and neither has answered.
    SynSentTwice,
}

impl TcpState {
    /// Whether the model's state says the same. The kernel tells apart what is acknowledged from
    /// what is not, and remembers only that a side has closed, not which.
    pub const fn is(self, state: State) -> bool {
        match self {
            Self::SynSent => matches!(state, State::HalfOpen),
            Self::SynReceived | Self::Established | Self::SynSentTwice => {
                matches!(state, State::Established)
            }
            Self::FinWait | Self::CloseWait => matches!(state, State::OneSideClosed(_)),
            Self::LastAck | Self::TimeWait => matches!(state, State::TimeWait),
            Self::Close => matches!(state, State::Reset),
        }
    }
}

const LIST: &str = "/proc/thread-self/net/nf_conntrack";

/// Everything that the kernel tracks in the namespace of this thread, in no order.
///
/// # Errors
/// Where the kernel does not list it.
pub fn tracked() -> Result<Vec<Tracked>, Error> {
    let unavailable = |why: &dyn fmt::Display| Error::Unavailable {
        what: "the list of tracked connections",
        why: format!("{LIST}: {why}"),
    };
    let text = fs::read_to_string(LIST).map_err(|error| unavailable(&error))?;
    text.lines().map(parse).collect()
}

/// One line: family, transport, seconds left, perhaps a state, then `name=value` of the flow and of
/// its replies.
fn parse(line: &str) -> Result<Tracked, Error> {
    let garbled =
        || Error::Garbled { what: "the list of tracked connections", why: line.to_owned() };
    let words: Vec<&str> = line.split_whitespace().collect();
    let transport =
        Transport::from_str(words.get(2).ok_or_else(garbled)?).map_err(|_| garbled())?;
    let state = words.get(5).and_then(|word| state(word));
    let is_port = |name: &str| ["sport", "dport", "id"].contains(&name);
    let values = words.iter().filter_map(|word| word.split_once('='));
    let addresses: Vec<_> = values
        .clone()
        .filter(|(name, _)| ["src", "dst"].contains(name))
        .filter_map(|(_, value)| value.parse().ok())
        .collect();
    let ports: Vec<u16> = values
        .filter(|(name, _)| is_port(name))
        .filter_map(|(_, value)| value.parse().ok())
        .collect();
    let [from, to, _, external] = addresses[..] else { return Err(garbled()) };
    let (source, destination, outside) = match (transport, &ports[..]) {
        (Transport::Icmp, [id, outside]) => (*id, 0, *outside),
        (Transport::Tcp | Transport::Udp, [source, destination, _, outside]) => {
            (*source, *destination, *outside)
        }
        _ => return Err(garbled()),
    };
    let flow = FiveTuple {
        transport,
        source: Endpoint::new(from, source),
        destination: Endpoint::new(to, destination),
    };
    Ok(Tracked { binding: Binding { flow, external: Endpoint::new(external, outside) }, state })
}

fn state(word: &str) -> Option<TcpState> {
    match word {
        "SYN_SENT" => Some(TcpState::SynSent),
        "SYN_RECV" => Some(TcpState::SynReceived),
        "ESTABLISHED" => Some(TcpState::Established),
        "FIN_WAIT" => Some(TcpState::FinWait),
        "CLOSE_WAIT" => Some(TcpState::CloseWait),
        "LAST_ACK" => Some(TcpState::LastAck),
        "TIME_WAIT" => Some(TcpState::TimeWait),
        "CLOSE" => Some(TcpState::Close),
        "SYN_SENT2" => Some(TcpState::SynSentTwice),
        _ => None,
    }
}
