//! Linux connection tracking as text: `conntrack -L`, `-L -o extended`, `-E -o timestamp,id`, and
//! `/proc/net/nf_conntrack`.
//!
//! An entry prints its tuple twice: as the first packet had it, and as an answer has it. Of what
//! stands between and behind the tuples, only the fields of [`Entry`] are read; the rest has to be
//! of the form `key=value` or `[FLAG]`.
//!
//! Each line ends in exactly one of three places: the entries, the lines left out because they are
//! outside the model ([`LeftOut`]), or the malformed lines.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

use super::{
    DETAILED, Fault, HEAD, LeftOut, Malformed, Protocol, Reason, SHOWN, is_digits, lines, shorten,
};

/// What connection tracking was seen to hold or to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conntrack {
    /// The format the file was read as.
    pub(crate) format: Format,
    /// The entries, in file order.
    pub(crate) entries: Vec<Entry>,
    /// The first five malformed lines.
    pub(crate) malformed: Vec<Malformed>,
    /// How many lines are malformed in all.
    pub(crate) malformed_count: usize,
    /// How many well-formed lines are outside the model, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
}

/// The formats read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `conntrack -L`.
    Table,
    /// `conntrack -L -o extended`: the network protocol comes first.
    Extended,
    /// `/proc/net/nf_conntrack`: like the extended table, and each line names its zone.
    Proc,
    /// `conntrack -E -o timestamp`: what happened, and when.
    Events,
}

/// One line about one connection between two IPv4 endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The line of the file, counted from 1.
    pub(crate) line: usize,
    /// What happened to the entry; `None` in a table.
    pub(crate) event: Option<Event>,
    /// The transport protocol.
    pub(crate) protocol: Protocol,
    /// The state of a TCP connection, if the line has it.
    pub(crate) state: Option<TcpState>,
    /// The seconds after which the entry goes if nothing happens, if the line has them.
    pub(crate) timeout: Option<u64>,
    /// The tuple of the first packet.
    pub(crate) original: Tuple,
    /// The tuple of an answer.
    pub(crate) reply: Tuple,
    /// No answer has come yet.
    pub(crate) unreplied: bool,
    /// The entry is kept when the table is full.
    pub(crate) assured: bool,
    /// The zone: entries of different zones know nothing of each other.
    pub(crate) zone: Zone,
    /// The entry's number, if the line has it.
    pub(crate) id: Option<u64>,
}

/// What happened to an entry, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// Microseconds since the Unix epoch.
    pub(crate) time_us: u64,
    /// What happened.
    pub(crate) change: Change,
}

/// What can happen to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was made.
    New,
    /// It was changed.
    Update,
    /// It is gone.
    Destroy,
}

/// Who sends and who receives. For ICMP the sender of a request has the query identifier as its
/// port, and the other side has 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tuple {
    /// The sender.
    pub(crate) source: SocketAddrV4,
    /// The receiver.
    pub(crate) destination: SocketAddrV4,
}

/// The zone of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Zone {
    /// One zone for both directions; 0 unless the line says otherwise.
    Both(u16),
    /// A zone that holds for one direction alone.
    OneWay,
}

/// The states of a TCP connection, in the kernel's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpState(&'static str);

/// Every state of a TCP connection. `LISTEN` is what older tools call `SYN_SENT2`.
const TCP_STATES: [&str; 11] = [
    "NONE",
    "SYN_SENT",
    "SYN_SENT2",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "LISTEN",
];

/// Why a file cannot be read as connection tracking at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConntrackError {
    /// The file has no line with anything on it.
    Empty {
        /// The file.
        name: String,
    },
    /// The file is gzip-compressed.
    Compressed {
        /// The file.
        name: String,
    },
    /// The file opens with NUL bytes: it is not text.
    Binary {
        /// The file.
        name: String,
    },
    /// None of the first lines looks like an entry.
    Unrecognised {
        /// The file.
        name: String,
        /// Its first line that is not blank, shortened.
        first_line: String,
    },
}

/// Reads what connection tracking printed; `name` is what errors call the file.
pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Conntrack, ConntrackError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let name = shorten(name.as_bytes(), usize::MAX);
    let head = &bytes[..bytes.len().min(HEAD)];
    if head.starts_with(b"\x1f\x8b") {
        return Err(ConntrackError::Compressed { name });
    }
    if head.contains(&0) {
        return Err(ConntrackError::Binary { name });
    }
    let Some((_, first_line)) = lines(bytes).next() else {
        return Err(ConntrackError::Empty { name });
    };
    match format_in(head) {
        Some(format) => Ok(read_as(format, bytes)),
        None => Err(ConntrackError::Unrecognised { name, first_line: shorten(first_line, SHOWN) }),
    }
}

/// Reads a file of this format, whatever its head looks like.
pub(crate) fn read_as(format: Format, bytes: &[u8]) -> Conntrack {
    let mut log = Conntrack::new(format);
    lines(bytes).for_each(|(number, line)| log.add(number, parse(line, number, format)));
    log
}

/// The format of a file that opens with `head`, if that looks like any.
pub(crate) fn format_in(head: &[u8]) -> Option<Format> {
    lines(head).find_map(|(_, line)| format_of(line))
}

/// The format that a line looks like, if it looks like any.
fn format_of(line: &[u8]) -> Option<Format> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    if !line.contains(" src=") {
        return None;
    }
    match first {
        _ if first.starts_with('[') => Some(Format::Events),
        "ipv4" | "ipv6" if words.any(|word| word == "zone=0") => Some(Format::Proc),
        "ipv4" | "ipv6" => Some(Format::Extended),
        _ => is_digits(second).then_some(Format::Table),
    }
}

impl Conntrack {
    /// A log with no lines yet.
    fn new(format: Format) -> Self {
        Self {
            format,
            entries: Vec::new(),
            malformed: Vec::new(),
            malformed_count: 0,
            left_out: BTreeMap::new(),
        }
    }

    /// Files a line where it belongs.
    fn add(&mut self, line: usize, parsed: Result<Parsed, Fault>) {
        match parsed {
            Ok(Parsed::Entry(entry)) => self.entries.push(entry),
            Ok(Parsed::LeftOut(reason)) => *self.left_out.entry(reason).or_default() += 1,
            Err(Fault { field, value, reason }) => {
                self.malformed_count += 1;
                if self.malformed.len() < DETAILED {
                    self.malformed.push(Malformed { line, field, value, reason });
                }
            }
        }
    }

    /// How many lines the file has, blank ones aside.
    pub(crate) fn lines(&self) -> usize {
        self.entries.len() + self.malformed_count + self.left_out.values().sum::<usize>()
    }
}

/// A well-formed line.
enum Parsed {
    /// One of the model.
    Entry(Entry),
    /// One outside it.
    LeftOut(LeftOut),
}

impl Fault {
    /// A required field has no value.
    fn unset(field: &'static str) -> Self {
        Self::of_field(field, "", Reason::Unset)
    }
}

/// Reads one line.
fn parse(line: &[u8], number: usize, format: Format) -> Result<Parsed, Fault> {
    let Ok(text) = str::from_utf8(line) else {
        return Err(Fault::of_row(line, Reason::NotUtf8));
    };
    if text.starts_with("conntrack v") && text.contains("(conntrack-tools)") {
        return Ok(Parsed::LeftOut(LeftOut::Summary));
    }
    let mut words = Words { rest: text };
    let event = match format {
        Format::Events => Some(words.event()?),
        Format::Table | Format::Extended | Format::Proc => None,
    };
    let head = words.head()?;
    let pairs = Pairs::of(words.rest)?;
    let sides = [pairs.side(0)?, pairs.side(1)?];
    check_families(&head, &sides)?;
    if matches!(sides[0].source, IpAddr::V6(_)) {
        return Ok(Parsed::LeftOut(LeftOut::Ipv6));
    }
    let Some(protocol) = head.protocol else {
        return Ok(Parsed::LeftOut(LeftOut::OtherProtocol));
    };
    let Some([original, reply]) = tuples(protocol, &sides)? else {
        return Ok(Parsed::LeftOut(LeftOut::OtherQuery));
    };
    let (zone, id) = (pairs.zone()?, pairs.id(protocol)?);
    let (unreplied, assured) = (pairs.has("[UNREPLIED]"), pairs.has("[ASSURED]"));
    let Head { state, timeout, .. } = head;
    Ok(Parsed::Entry(Entry {
        line: number,
        event,
        protocol,
        state,
        timeout,
        original,
        reply,
        unreplied,
        assured,
        zone,
        id,
    }))
}

/// What stands before the tuples.
struct Head {
    /// Whether the line says IPv4, if it names the network protocol.
    is_ipv4: Option<bool>,
    /// `None` for a protocol outside the model.
    protocol: Option<Protocol>,
    /// As in [`Entry`].
    timeout: Option<u64>,
    /// As in [`Entry`].
    state: Option<TcpState>,
}

/// The words of a line that have not been read yet.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The next word; empty at the end of the line.
    fn peek(&self) -> &'a str {
        self.rest.split_ascii_whitespace().next().unwrap_or_default()
    }

    /// Takes the next word.
    fn take(&mut self) -> &'a str {
        let word = self.peek();
        let rest = self.rest.trim_ascii_start();
        self.rest = rest.strip_prefix(word).unwrap_or_default();
        word
    }

    /// Takes a word in brackets, without them.
    fn bracketed(&mut self) -> Option<&'a str> {
        let inner = self.peek().strip_prefix('[')?.strip_suffix(']')?;
        self.take();
        Some(inner)
    }

    /// The time, and what happened.
    fn event(&mut self) -> Result<Event, Fault> {
        let is_time = |word: &&str| !word.starts_with(|first: char| first.is_ascii_uppercase());
        let time = self.bracketed().filter(is_time).ok_or_else(|| Fault::unset("timestamp"))?;
        let fault = |reason| Fault::of_field("timestamp", time, reason);
        let time_us = super::microseconds(time).map_err(fault)?;
        let name = self.bracketed().ok_or_else(|| Fault::unset("event"))?;
        let change = match name {
            "NEW" => Change::New,
            "UPDATE" => Change::Update,
            "DESTROY" => Change::Destroy,
            _ => return Err(Fault::of_field("event", name, Reason::NotEvent)),
        };
        Ok(Event { time_us, change })
    }

    /// The protocols with their numbers, the timeout and the state.
    fn head(&mut self) -> Result<Head, Fault> {
        let is_ipv4 = match self.peek() {
            "ipv4" => Some(true),
            "ipv6" => Some(false),
            _ => None,
        };
        if let Some(is_ipv4) = is_ipv4 {
            self.take();
            self.protocol_number("l3 number", Some(if is_ipv4 { 2 } else { 10 }))?;
        }
        let protocol = match self.take() {
            "" => return Err(Fault::unset("protocol")),
            name => {
                super::protocol(name).map_err(|reason| Fault::of_field("protocol", name, reason))?
            }
        };
        self.protocol_number("l4 number", protocol.map(number_of))?;
        let timeout = match is_digits(self.peek()) {
            true => Some(number("timeout", self.take())?),
            false => None,
        };
        Ok(Head { is_ipv4, protocol, timeout, state: self.state(protocol)? })
    }

    /// The number behind a protocol's name, which has to be its own.
    fn protocol_number(&mut self, field: &'static str, own: Option<u64>) -> Result<(), Fault> {
        let word = self.take();
        let found = number(field, word)?;
        match own.is_some_and(|own| own != found) {
            true => Err(Fault::of_field(field, word, Reason::NotItsNumber)),
            false => Ok(()),
        }
    }

    /// The state, if the next word is one. Those of other protocols than TCP are passed over.
    fn state(&mut self, protocol: Option<Protocol>) -> Result<Option<TcpState>, Fault> {
        let word = self.peek();
        if word.is_empty() || word.contains('=') || word.starts_with('[') {
            return Ok(None);
        }
        self.take();
        let fault = |reason| Fault::of_field("state", word, reason);
        match protocol {
            Some(Protocol::Tcp) => word.parse().map(Some).map_err(fault),
            Some(Protocol::Udp | Protocol::Icmp) => Err(fault(Reason::NotState)),
            None => Ok(None),
        }
    }
}

/// The number that stands for a protocol in an IP header.
const fn number_of(protocol: Protocol) -> u64 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Icmp => 1,
    }
}

/// Reads a whole number: plain digits, no sign.
fn number(field: &'static str, text: &str) -> Result<u64, Fault> {
    if text.is_empty() {
        return Err(Fault::unset(field));
    }
    let number = text.parse().ok().filter(|_| is_digits(text));
    number.ok_or_else(|| Fault::of_field(field, text, Reason::NotNumber))
}

/// The keys of a tuple, and what faults call them in either tuple.
const KEYS: [(&str, [&str; 2]); 7] = [
    ("src", ["src", "reply src"]),
    ("dst", ["dst", "reply dst"]),
    ("sport", ["sport", "reply sport"]),
    ("dport", ["dport", "reply dport"]),
    ("type", ["type", "reply type"]),
    ("code", ["code", "reply code"]),
    ("id", ["id", "reply id"]),
];

/// What stands from the first tuple on: flags, and keys with their values.
struct Pairs<'a> {
    words: Vec<&'a str>,
    /// Where the two tuples begin.
    tuples: [usize; 2],
}

/// The addresses of a tuple, and the words it is read from.
struct Side<'a> {
    /// 0 for the original tuple, 1 for the reply.
    index: usize,
    source: IpAddr,
    destination: IpAddr,
    words: &'a [&'a str],
}

impl<'a> Pairs<'a> {
    /// The words of a text that has two tuples.
    fn of(text: &'a str) -> Result<Self, Fault> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let mut is_in_brackets = false;
        for word in &words {
            is_in_brackets |= word.starts_with('[');
            if !is_in_brackets && !word.contains('=') {
                return Err(Fault::of_row(word.as_bytes(), Reason::NotPair));
            }
            is_in_brackets &= !word.ends_with(']');
        }
        let mut begin = (0..words.len()).filter(|at| words[*at].starts_with("src="));
        let first = begin.next().ok_or_else(|| Fault::unset("src"))?;
        let second = begin.next().ok_or_else(|| Fault::unset("reply src"))?;
        match begin.next() {
            Some(third) => Err(Fault::of_row(words[third].as_bytes(), Reason::Repeated)),
            None => Ok(Self { words, tuples: [first, second] }),
        }
    }

    /// One of the tuples, as far as its addresses.
    fn side(&'a self, index: usize) -> Result<Side<'a>, Fault> {
        let words = match index {
            0 => &self.words[self.tuples[0]..self.tuples[1]],
            _ => &self.words[self.tuples[1]..],
        };
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let side = Side { index, source: unspecified, destination: unspecified, words };
        let (source, destination) = (side.address("src")?, side.address("dst")?);
        Ok(Side { source, destination, ..side })
    }

    fn has(&self, flag: &str) -> bool {
        self.words.contains(&flag)
    }

    /// The zone of the entry.
    fn zone(&self) -> Result<Zone, Fault> {
        let zone = |key, field| match values(&self.words, key).next() {
            None => Ok(0),
            Some(value) => number(field, value).and_then(|zone| {
                u16::try_from(zone).map_err(|_| Fault::of_field(field, value, Reason::NotNumber))
            }),
        };
        let original = zone("zone-orig", "zone-orig")?;
        let reply = zone("zone-reply", "zone-reply")?;
        let both = zone("zone", "zone")?;
        Ok(if (original, reply) == (0, 0) { Zone::Both(both) } else { Zone::OneWay })
    }

    /// The entry's number. That of an ICMP query comes behind the query's own identifier.
    fn id(&self, protocol: Protocol) -> Result<Option<u64>, Fault> {
        let own = usize::from(protocol == Protocol::Icmp);
        let id = values(&self.words[self.tuples[1]..], "id").nth(own);
        id.map(|id| number("entry id", id)).transpose()
    }
}

/// The values of a key, in order.
fn values<'a>(words: &'a [&'a str], key: &str) -> impl Iterator<Item = &'a str> {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.filter(move |(name, _)| *name == key).map(|(_, value)| value)
}

impl<'a> Side<'a> {
    /// The value of a key that the tuple must have once, and what faults call the key.
    fn value(&self, key: &str) -> Result<(&'static str, &'a str), Fault> {
        let names = KEYS.iter().find(|(known, _)| *known == key);
        let field = names.map_or("", |(_, names)| names[self.index]);
        let mut found = values(self.words, key);
        let value = found.next().ok_or_else(|| Fault::unset(field))?;
        match found.next() {
            _ if value.is_empty() => Err(Fault::of_field(field, "", Reason::Empty)),
            Some(again) if key != "id" => Err(Fault::of_field(field, again, Reason::Repeated)),
            _ => Ok((field, value)),
        }
    }

    /// The value of a key, read by a rule that all logs share.
    fn read<T>(&self, key: &str, read: fn(&str) -> Result<T, Reason>) -> Result<T, Fault> {
        let (field, value) = self.value(key)?;
        read(value).map_err(|reason| Fault::of_field(field, value, reason))
    }

    fn address(&self, key: &str) -> Result<IpAddr, Fault> {
        self.read(key, super::address)
    }

    fn number(&self, key: &str) -> Result<u16, Fault> {
        let (field, value) = self.value(key)?;
        let fault = || Fault::of_field(field, value, Reason::NotNumber);
        u16::try_from(number(field, value)?).map_err(|_| fault())
    }

    /// The tuple with these ports.
    fn tuple(&self, source_port: u16, destination_port: u16) -> Option<Tuple> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Tuple {
                source: SocketAddrV4::new(source, source_port),
                destination: SocketAddrV4::new(destination, destination_port),
            }),
            _ => None,
        }
    }
}

/// All addresses of a line are of one family, the one that it names.
fn check_families(head: &Head, [original, reply]: &[Side; 2]) -> Result<(), Fault> {
    let sides = [original.source, original.destination, reply.source, reply.destination];
    let is_ipv4 = head.is_ipv4.unwrap_or(original.source.is_ipv4());
    match sides.iter().find(|address| address.is_ipv4() != is_ipv4) {
        None => Ok(()),
        Some(other) => {
            let pair = format!("{} and {other}", if is_ipv4 { "IPv4" } else { "IPv6" });
            Err(Fault::of_row(pair.as_bytes(), Reason::MixedFamilies))
        }
    }
}

/// Both tuples with their ports; `None` for an ICMP query other than echo, and for IPv6.
fn tuples(protocol: Protocol, sides: &[Side; 2]) -> Result<Option<[Tuple; 2]>, Fault> {
    let [original, reply] = sides;
    let ports =
        |side: &Side| Ok((side.read("sport", super::port)?, side.read("dport", super::port)?));
    let query =
        |side: &Side| Ok(((side.number("type")?, side.number("code")?), side.number("id")?));
    let tuples = match protocol {
        Protocol::Tcp | Protocol::Udp => {
            let ((a, b), (c, d)) = (ports(original)?, ports(reply)?);
            [original.tuple(a, b), reply.tuple(c, d)]
        }
        Protocol::Icmp => match (query(original)?, query(reply)?) {
            ((ECHO, asked), (ECHO_REPLY, answered)) => {
                [original.tuple(asked, 0), reply.tuple(0, answered)]
            }
            _ => [None, None],
        },
    };
    Ok(match tuples {
        [Some(original), Some(reply)] => Some([original, reply]),
        _ => None,
    })
}

/// Type and code of an ICMP echo request.
const ECHO: (u16, u16) = (8, 0);

/// Type and code of the answer to one.
const ECHO_REPLY: (u16, u16) = (0, 0);

impl TcpState {
    /// The handshake is complete.
    pub(crate) const ESTABLISHED: Self = Self("ESTABLISHED");
    /// Both sides closed.
    pub(crate) const TIME_WAIT: Self = Self("TIME_WAIT");
    /// One side sent a reset.
    pub(crate) const CLOSE: Self = Self("CLOSE");
}

impl FromStr for TcpState {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let known = TCP_STATES.into_iter().find(|state| *state == text);
        known.map(Self).ok_or(Reason::NotState)
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "conntrack -L",
            Self::Extended => "conntrack -L -o extended",
            Self::Proc => "/proc/net/nf_conntrack",
            Self::Events => "conntrack -E -o timestamp",
        })
    }
}

impl Display for TcpState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Display for Entry {
    /// The connection and its reply, then whatever else the line says.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tuple { source, destination } = self.original;
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
        };
        write!(f, "{protocol} {source} > {destination} as {}", self.reply.destination)?;
        let change = self.event.map(|event| match event.change {
            Change::New => "NEW".into(),
            Change::Update => "UPDATE".into(),
            Change::Destroy => "DESTROY".into(),
        });
        let said = [
            change,
            self.state.map(|state| state.to_string()),
            self.unreplied.then(|| "unreplied".into()),
            self.assured.then(|| "assured".into()),
            self.timeout.map(|seconds| format!("{seconds} s left")),
            self.id.map(|id| format!("id {id}")),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        if said.is_empty() { Ok(()) } else { write!(f, " ({})", said.join(", ")) }
    }
}

/// The formats a user can choose from.
const FORMATS_READ: &str = "formats read: conntrack -L; conntrack -L -o extended; \
                            conntrack -E -o timestamp,id; /proc/net/nf_conntrack";

impl Display for ConntrackError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { name } => write!(f, "{name}: the file is empty; {FORMATS_READ}"),
            Self::Compressed { name } => {
                write!(f, "{name}: the file is gzip-compressed; decompress it first")
            }
            Self::Binary { name } => {
                write!(f, "{name}: the file is binary (NUL bytes near its start); {FORMATS_READ}")
            }
            Self::Unrecognised { name, first_line } => {
                write!(
                    f,
                    "{name}: no entry near the start, which is `{first_line}`; {FORMATS_READ}"
                )
            }
        }
    }
}

impl Error for ConntrackError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = include_str!("../../data/conntrack/conntrack-L.txt");
    const EXTENDED: &str = include_str!("../../data/conntrack/conntrack-L-extended.txt");
    const PROC: &str = include_str!("../../data/conntrack/proc_nf_conntrack.txt");
    const EVENTS: &str = include_str!("../../data/conntrack/ev.log");

    /// One line that has everything, in a log of events.
    const LINE: &str = "[1795169257.072150]\t [UPDATE] ipv4 2 tcp 6 60 SYN_RECV src=10.0.0.2 \
        dst=192.0.2.1 sport=40000 dport=443 packets=1 bytes=60 [UNREPLIED] src=192.0.2.1 \
        dst=203.0.113.1 sport=443 dport=1026 packets=0 bytes=0 [ASSURED] mark=0 zone=7 use=1 id=9";

    const ICMP: &str = "icmp 1 29 src=10.0.0.2 dst=192.0.2.1 type=8 code=0 id=321 \
        src=192.0.2.1 dst=203.0.113.1 type=0 code=0 id=77 mark=0 use=1 id=42";

    fn log(text: impl AsRef<[u8]>) -> Conntrack {
        read(text.as_ref(), "ct.log").expect("a log")
    }

    fn error(bytes: &[u8]) -> ConntrackError {
        read(bytes, "ct.log").expect_err("no log")
    }

    /// The only malformed line of a log: its field, value and rule.
    fn fault(log: &Conntrack) -> (Option<&'static str>, &str, Reason) {
        assert_eq!((log.malformed_count, log.entries.len()), (1, 0), "{log:?}");
        let Malformed { field, value, reason, .. } = &log.malformed[0];
        (*field, value, *reason)
    }

    fn tuple(source: &str, destination: &str) -> Tuple {
        let endpoint = |text: &str| text.parse().expect("an endpoint");
        Tuple { source: endpoint(source), destination: endpoint(destination) }
    }

    #[test]
    fn the_four_captures_are_read_whole() {
        for (text, format, entries) in [
            (TABLE, Format::Table, 8),
            (EXTENDED, Format::Extended, 8),
            (PROC, Format::Proc, 8),
            (EVENTS, Format::Events, 56),
        ] {
            let log = log(text);
            assert_eq!((log.format, log.entries.len(), log.lines()), (format, entries, entries));
        }
    }

    #[test]
    fn the_three_tables_say_the_same() {
        let plain = |text| {
            let log = log(text);
            log.entries.into_iter().map(|entry| Entry { id: None, ..entry }).collect::<Vec<_>>()
        };
        assert_eq!(plain(TABLE), plain(EXTENDED));
        assert_eq!(plain(TABLE), plain(PROC));
        let ids: Vec<_> = log(EXTENDED).entries.iter().filter_map(|entry| entry.id).collect();
        assert_eq!((ids.len(), ids[0], ids[7]), (8, 4_229_348_569, 3_401_408_492));
    }

    #[test]
    fn the_first_and_last_real_events_are_read_exactly() {
        let log = log(EVENTS);
        let first = Entry {
            line: 1,
            event: Some(Event { time_us: 1_795_169_257_072_150, change: Change::New }),
            protocol: Protocol::Tcp,
            state: Some(TcpState("SYN_SENT")),
            timeout: Some(120),
            original: tuple("10.0.0.2:40000", "203.0.113.10:443"),
            reply: tuple("203.0.113.10:443", "203.0.113.1:1026"),
            unreplied: true,
            assured: false,
            zone: Zone::Both(0),
            id: Some(946_846_565),
        };
        let last = Entry {
            line: 56,
            event: Some(Event { time_us: 1_795_169_276_695_123, change: Change::Update }),
            state: Some(TcpState("TIME_WAIT")),
            unreplied: false,
            assured: true,
            ..first
        };
        assert_eq!((log.entries[0], log.entries[55]), (first, last));
        let news = |entry: &&Entry| entry.event.is_some_and(|event| event.change == Change::New);
        assert_eq!(log.entries.iter().filter(news).count(), 8);
    }

    #[test]
    fn a_line_that_has_everything_is_read() {
        let [entry] = log(LINE).entries[..] else { panic!("one entry") };
        assert_eq!((entry.zone, entry.id, entry.timeout), (Zone::Both(7), Some(9), Some(60)));
        assert!(entry.unreplied && entry.assured);
        let shown = "tcp 10.0.0.2:40000 > 192.0.2.1:443 as 203.0.113.1:1026 \
                     (UPDATE, SYN_RECV, unreplied, assured, 60 s left, id 9)";
        assert_eq!(entry.to_string(), shown);
    }

    #[test]
    fn what_may_be_missing_may_be_missing() {
        let bare = "udp 17 src=10.0.0.2 dst=192.0.2.1 sport=1 dport=53 src=192.0.2.1 \
                    dst=203.0.113.1 sport=53 dport=2";
        let [entry] = log(bare).entries[..] else { panic!("one entry") };
        assert_eq!((entry.timeout, entry.state, entry.id), (None, None, None));
        assert_eq!(entry.to_string(), "udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:2");
        let gone = log(format!("[5.25] [DESTROY] {bare} [start=Thu Nov 20] portid=1"));
        let event = Event { time_us: 5_250_000, change: Change::Destroy };
        assert_eq!(gone.entries[0].event, Some(event));
    }

    #[test]
    fn the_identifier_of_a_query_is_told_from_the_number_of_its_entry() {
        let [entry] = log(ICMP).entries[..] else { panic!("one entry") };
        assert_eq!(entry.original, tuple("10.0.0.2:321", "192.0.2.1:0"));
        assert_eq!(entry.reply, tuple("192.0.2.1:0", "203.0.113.1:77"));
        assert_eq!(entry.id, Some(42));
        assert_eq!(log(ICMP.replace(" id=42", "")).entries[0].id, None);
    }

    #[test]
    fn lines_outside_the_model_are_counted_by_reason() {
        let six = TABLE.lines().next().expect("a line").replace("10.0.0.2", "fe80::1");
        let six = six.replace("203.0.113.11", "ff02::1").replace("203.0.113.1", "fe80::2");
        let gre = "gre 47 29 timeout=30, stream_timeout=180 src=10.0.0.2 dst=192.0.2.1 srckey=0x0 \
                   dstkey=0x1 src=192.0.2.1 dst=203.0.113.1 srckey=0x1 dstkey=0x0";
        let sctp = "sctp 132 9 COOKIE_WAIT src=10.0.0.2 dst=192.0.2.1 src=192.0.2.1 dst=10.0.0.2";
        let query = ICMP.replace("type=8", "type=13").replace("type=0", "type=14");
        let tail = "conntrack v1.4.7 (conntrack-tools): 8 flow entries have been shown.";
        let log = log([ICMP, &six, gre, sctp, &query, tail].join("\n"));
        let expected = [
            (LeftOut::Ipv6, 1),
            (LeftOut::OtherProtocol, 2),
            (LeftOut::OtherQuery, 1),
            (LeftOut::Summary, 1),
        ];
        assert_eq!(log.left_out, BTreeMap::from(expected), "{:?}", log.malformed);
        assert_eq!((log.entries.len(), log.malformed_count, log.lines()), (1, 0, 6));
    }

    #[test]
    fn a_zone_of_one_direction_is_told_from_one_of_both() {
        let zone = |text: &str| log(LINE.replace("zone=7", text)).entries[0].zone;
        assert_eq!(zone("zone=65535"), Zone::Both(u16::MAX));
        assert_eq!(zone("mark=1"), Zone::Both(0));
        assert_eq!(zone("zone-orig=3"), Zone::OneWay);
        assert_eq!(zone("zone-reply=3"), Zone::OneWay);
    }

    #[test]
    fn a_bad_value_is_malformed_by_field_value_and_rule() {
        use Reason::{
            Empty, Negative, NotAddress, NotEvent, NotItsNumber, NotNumber, NotPort, NotProtocol,
            NotSeconds, NotState, OutOfRange, Repeated, Unset,
        };

        for (field, good, bad, value, rule) in [
            ("timestamp", "[1795169257.072150]", "", "", Unset),
            ("timestamp", "1795169257.072150", "179x", "179x", NotSeconds),
            ("timestamp", "1795169257.072150", "-1", "-1", Negative),
            ("timestamp", "1795169257.072150", "1795169257072", "1795169257072", OutOfRange),
            ("event", "[UPDATE]", "", "", Unset),
            ("event", "UPDATE", "CHANGE", "CHANGE", NotEvent),
            ("l3 number", "ipv4 2", "ipv4 10", "10", NotItsNumber),
            ("l3 number", "ipv4 2", "ipv4 x", "x", NotNumber),
            ("protocol", "tcp", "TCP", "TCP", NotProtocol),
            ("l4 number", "tcp 6", "tcp 17", "17", NotItsNumber),
            ("l4 number", "tcp 6", "tcp -6", "-6", NotNumber),
            ("timeout", " 60 ", " 99999999999999999999 ", "99999999999999999999", NotNumber),
            ("state", "SYN_RECV", "SYN", "SYN", NotState),
            ("state", "tcp 6", "udp 17", "SYN_RECV", NotState),
            ("src", "src=10.0.0.2", "src=10.0.0", "10.0.0", NotAddress),
            ("src", "src=10.0.0.2", "src=", "", Empty),
            ("reply src", "src=10.0.0.2", "", "", Unset),
            ("dst", "dst=192.0.2.1 ", "", "", Unset),
            ("dst", "dst=192.0.2.1 ", "dst=1.1.1.1 dst=2.2.2.2 ", "2.2.2.2", Repeated),
            ("sport", "sport=40000", "sport=70000", "70000", NotPort),
            ("dport", "dport=443", "dport=", "", Empty),
            ("reply src", "[UNREPLIED] src=192.0.2.1", "", "", Unset),
            ("reply dst", "dst=203.0.113.1", "dst=host", "host", NotAddress),
            ("reply sport", " sport=443", "", "", Unset),
            ("reply dport", "dport=1026", "dport=+1", "+1", NotPort),
            ("zone", "zone=7", "zone=65536", "65536", NotNumber),
            ("zone-orig", "zone=7", "zone-orig=x", "x", NotNumber),
            ("zone-reply", "zone=7", "zone-reply=", "", Unset),
            ("entry id", "id=9", "id=0x9", "0x9", NotNumber),
        ] {
            let log = log(format!("{}\n", LINE.replacen(good, bad, 1)));
            assert_eq!(fault(&log), (Some(field), value, rule), "{bad}");
        }
    }

    #[test]
    fn a_bad_query_is_malformed_by_field_value_and_rule() {
        let unset = Reason::Unset;
        for (field, good, bad, value, rule) in [
            ("type", "type=8 ", "", "", unset),
            ("code", "code=0", "code=x", "x", Reason::NotNumber),
            ("id", "id=321", "id=65536", "65536", Reason::NotNumber),
            ("reply id", "id=77 mark=0 use=1 id=42", "", "", unset),
        ] {
            assert_eq!(fault(&log(ICMP.replacen(good, bad, 1))), (Some(field), value, rule));
        }
    }

    #[test]
    fn a_line_can_be_malformed_as_a_whole() {
        for (good, bad, value, rule) in [
            ("mark=0", "mark", "mark", Reason::NotPair),
            ("use=1", "src=1.2.3.4", "src=1.2.3.4", Reason::Repeated),
            ("203.0.113.1", "::1", "IPv4 and ::1", Reason::MixedFamilies),
            ("ipv4 2", "ipv6 10", "IPv6 and 10.0.0.2", Reason::MixedFamilies),
        ] {
            assert_eq!(fault(&log(LINE.replacen(good, bad, 1))), (None, value, rule));
        }
        let log = log([TABLE.as_bytes(), b"\xff src=\n \n"].concat());
        assert_eq!((log.entries.len(), log.malformed_count), (8, 2));
        assert_eq!((log.malformed[0].line, log.malformed[0].reason), (9, Reason::NotUtf8));
        assert_eq!((log.malformed[1].line, log.malformed[1].field), (10, Some("protocol")));
    }

    #[test]
    fn events_without_a_time_are_malformed() {
        let untimed: String = EVENTS.lines().map(|line| line[19..].to_owned() + "\n").collect();
        let log = log(untimed);
        assert_eq!((log.format, log.malformed_count), (Format::Events, 56));
        assert_eq!(log.malformed[0].to_string(), "line 1: timestamp is required and has no value");
    }

    #[test]
    fn a_malformed_line_reads_as_a_sentence() {
        let log = log(LINE.replace("UPDATE", "LOST"));
        let shown = "line 1: event `LOST` is no event: NEW, UPDATE and DESTROY are";
        assert_eq!(log.malformed[0].to_string(), shown);
    }

    #[test]
    fn five_malformed_lines_are_kept_and_all_are_counted() {
        let log = log(format!("{TABLE}{}", "x\n".repeat(1000)));
        assert_eq!((log.malformed.len(), log.malformed_count, log.lines()), (5, 1000, 1008));
    }

    #[test]
    fn a_file_that_is_no_log_is_told_why() {
        let name = || "ct.log".to_owned();
        assert_eq!(error(b""), ConntrackError::Empty { name: name() });
        assert_eq!(error(b"\xef\xbb\xbf\r\n\n"), ConntrackError::Empty { name: name() });
        assert_eq!(error(b"\x1f\x8b\x08"), ConntrackError::Compressed { name: name() });
        assert_eq!(error(b"tcp\0"), ConntrackError::Binary { name: name() });
        let first_line = "tcp 6".to_owned();
        let unrecognised = ConntrackError::Unrecognised { name: name(), first_line };
        assert_eq!(error(b"\ntcp 6\nudp 17"), unrecognised);
        let shown = format!("ct.log: no entry near the start, which is `tcp 6`; {FORMATS_READ}");
        assert_eq!(unrecognised.to_string(), shown);
    }

    #[test]
    fn line_endings_and_what_stands_around_do_not_matter() {
        assert_eq!(log(TABLE.replace('\n', "\r\n")), log(TABLE));
        assert_eq!(log(format!("\u{feff}{TABLE}")), log(TABLE));
        assert_eq!(log(TABLE.trim_end()), log(TABLE));
        let headed = log(format!("conntrack v1.4.7 (conntrack-tools): 8 shown.\n{TABLE}"));
        assert_eq!((headed.entries.len(), headed.lines()), (8, 9));
    }

    /// Every line of a file that is read must be accounted for.
    fn accounts_for_every_line(bytes: &[u8]) -> Result<(), TestCaseError> {
        if let Ok(log) = read(bytes, "ct.log") {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let all = bytes.split(|byte| *byte == b'\n');
            prop_assert_eq!(log.lines(), all.filter(|line| !matches!(line, [] | [b'\r'])).count());
            prop_assert_eq!(log.malformed.len(), log.malformed_count.min(5));
        }
        Ok(())
    }

    /// One of the real files, cut anywhere.
    fn real_file() -> impl Strategy<Value = Vec<u8>> {
        let file = prop::sample::select(vec![TABLE, EXTENDED, PROC, EVENTS, LINE, ICMP]);
        (file, any::<prop::sample::Index>())
            .prop_map(|(file, length)| file.as_bytes()[..=length.index(file.len())].to_vec())
    }

    /// What to put where: a replacement for up to three bytes at a position.
    fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, Vec<u8>)>> {
        let telling = prop::sample::select(&b"\n\r\t []=.:-0169src\0\xff"[..]);
        let bytes = prop::collection::vec(prop_oneof![telling, any::<u8>()], 0..4);
        prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, bytes), 1..12)
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            accounts_for_every_line(&bytes)?;
            accounts_for_every_line(&[TABLE.as_bytes(), &bytes].concat())?;
            accounts_for_every_line(&[EVENTS.as_bytes(), b"[1.0] [NEW] tcp 6 ", &bytes].concat())?;
        }

        #[test]
        fn mutated_real_files_account_for_every_line(mut file in real_file(), edits in edits()) {
            for (position, length, bytes) in edits {
                let start = position.index(file.len() + 1);
                let end = file.len().min(start + length);
                file.splice(start..end, bytes);
            }
            accounts_for_every_line(&file)?;
        }

        #[test]
        fn shuffled_words_account_for_every_line(words in Just(
            [LINE, ICMP].join(" ").split(' ').map(str::to_owned).collect::<Vec<_>>()
        ).prop_shuffle(), take in 1..40usize) {
            let line = words[..take.min(words.len())].join(" ");
            accounts_for_every_line(format!("{TABLE}{line}").as_bytes())?;
            accounts_for_every_line(format!("{LINE}\n[1.5] [NEW] {line}").as_bytes())?;
        }
    }
}
