//! Connection logs: what every reader makes of one, and which reader a file goes to.
//!
//! A log is normalised to [`Connection`]s. Each row of the file ends in exactly one of three
//! places: the connections, the rows left out ([`LeftOut`]), or the malformed rows. The three
//! counts add up to the rows of the file. Where several rows tell of one connection, the first of
//! them is the connection, and the others are left out as further events.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter, Write as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::str::FromStr;

use jiff::{Timestamp, Unit};

pub(crate) mod conntrack;
pub(crate) mod events;
pub(crate) mod zeek;

/// A reader of one log format.
pub(crate) trait LogReader {
    /// The format's name, as shown to the user.
    fn format(&self) -> &'static str;

    /// Whether a file that opens with `head` is in this format.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Reads the whole file; `name` is what errors call it.
    fn read(&self, bytes: &[u8], name: &str) -> Result<Log, LogError>;
}

/// Every reader, in the order in which they are offered a file.
pub(crate) const READERS: [&dyn LogReader; 3] = [&zeek::Tsv, &zeek::JsonLines, &events::Events];

/// How much of a file decides its format.
const HEAD: usize = 8 * 1024;

/// How many malformed rows are kept with their details; the rest are only counted.
const DETAILED: usize = 5;

/// How many characters of an offending value are shown.
const SHOWN: usize = 60;

/// The longest text read as a time or a duration.
const LONGEST_TIME: usize = 64;

/// The last microsecond of the year 9999, the upper bound of both start and duration: their sum
/// fits an `i64`, and a time given in milliseconds is refused instead of misread.
const LATEST_US: u64 = 253_402_300_799_999_999;

/// A log, read and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    /// The format the file was read as.
    pub(crate) format: &'static str,
    /// The connections, in file order.
    pub(crate) connections: Vec<Connection>,
    /// The first five malformed rows.
    pub(crate) malformed: Vec<Malformed>,
    /// How many rows are malformed in all.
    pub(crate) malformed_count: usize,
    /// How many well-formed rows are no connection, by reason.
    pub(crate) left_out: BTreeMap<LeftOut, usize>,
    /// How many of the connections are known to have begun before the log.
    pub(crate) earlier: usize,
}

/// One connection between two IPv4 endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The line of the file, counted from 1.
    pub(crate) line: usize,
    /// The first packet, in microseconds since the Unix epoch; never negative.
    pub(crate) start_us: i64,
    /// The time from first to last packet, in microseconds, if the log has it.
    pub(crate) duration_us: Option<u64>,
    /// The transport protocol.
    pub(crate) protocol: Protocol,
    /// The side that opened the connection. For ICMP the port is the message type, or the
    /// identifier of a query where that is known.
    pub(crate) source: SocketAddrV4,
    /// The side that was addressed. For ICMP the port is the message code, or 0 in a
    /// query whose identifier is known.
    pub(crate) destination: SocketAddrV4,
    /// How the connection opened and closed, if the log has it.
    pub(crate) state: Option<ConnState>,
    /// It is an ICMP query whose identifier is known.
    pub(crate) is_query: bool,
}

/// The transport protocols of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
}

/// How far a connection got, in Zeek's terms and Zeek's spelling.
///
/// The meanings are TCP's. For UDP only four occur: `SF` when both sides sent, `S0` when only the
/// originator did, `SHR` when only the responder did, and `OTH`. ICMP is always `OTH`.
#[expect(clippy::upper_case_acronyms, reason = "the spelling of the logs")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ConnState {
    /// The originator's SYN went unanswered.
    S0,
    /// The handshake completed; no close was seen.
    S1,
    /// The handshake completed and both sides closed.
    SF,
    /// The responder answered the SYN with a RST.
    REJ,
    /// Established; the originator closed and the responder did not.
    S2,
    /// Established; the responder closed and the originator did not.
    S3,
    /// Established; the originator ended it with a RST.
    RSTO,
    /// Established; the responder ended it with a RST.
    RSTR,
    /// The originator sent a SYN, then a RST; no SYN-ACK was seen.
    RSTOS0,
    /// The responder sent a SYN-ACK, then a RST; no SYN was seen.
    RSTRH,
    /// The originator sent a SYN, then a FIN; no SYN-ACK was seen.
    SH,
    /// The responder sent a SYN-ACK, then a FIN; no SYN was seen.
    SHR,
    /// None of the others: mostly traffic from the middle of a connection whose SYN was not seen.
    OTH,
}

/// Why a well-formed row is not among the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LeftOut {
    /// Both addresses are IPv6.
    Ipv6,
    /// The protocol is none of TCP, UDP and ICMP.
    OtherProtocol,
    /// An ICMP query of another type than echo: the kernel tells types apart, the model does not.
    OtherQuery,
    /// The tool's own last line, such as its count of entries.
    Summary,
    /// It tells more of a connection that an earlier row has begun.
    FurtherEvent,
}

/// A row that breaks a rule of its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The line of the file, counted from 1.
    pub(crate) line: usize,
    /// The field at fault, as the log names it; `None` if it is the row as a whole.
    pub(crate) field: Option<&'static str>,
    /// The offending value, or the row, shortened and with control characters escaped.
    pub(crate) value: String,
    /// The rule it breaks.
    pub(crate) reason: Reason,
}

/// The rules a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The row is not UTF-8.
    NotUtf8,
    /// No header has named the columns yet.
    BeforeHeader,
    /// The row has more or fewer columns than the header.
    ColumnCount {
        /// The columns of the header.
        expected: usize,
        /// The columns of the row.
        found: usize,
    },
    /// The row is not one JSON object.
    NotJsonObject {
        /// The byte of the row where reading stopped, counted from 1.
        column: usize,
    },
    /// A required field has no value.
    Unset,
    /// A field is present and empty.
    Empty,
    /// A field is given more than once.
    Repeated,
    /// An array or object stands where a single value is expected.
    NotSingle,
    /// A time or duration has more characters than any writer produces.
    TooLong,
    /// A start that is neither decimal seconds nor ISO 8601.
    NotTime,
    /// A duration that is not decimal seconds.
    NotSeconds,
    /// A time before 1970 or a duration below zero.
    Negative,
    /// A time after the year 9999, or a duration as long.
    OutOfRange,
    /// Not an IPv4 or IPv6 address.
    NotAddress,
    /// An IPv4 address facing an IPv6 one.
    MixedFamilies,
    /// Not a whole number from 0 to 65535.
    NotPort,
    /// Not the name of a protocol.
    NotProtocol,
    /// Not a connection state.
    NotState,
    /// The name of an event is none of those read.
    NotEvent,
    /// Not a whole number, or one too large.
    NotNumber,
    /// The number behind a protocol's name is another one's.
    NotItsNumber,
    /// A word is neither `key=value` nor a flag in brackets.
    NotPair,
}

/// Why a file cannot be read as a connection log at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogError {
    /// The file has no line with anything on it.
    Empty {
        /// The file.
        name: String,
    },
    /// The file is gzip-compressed, as rotated logs are.
    Compressed {
        /// The file.
        name: String,
    },
    /// The file opens with NUL bytes: it is not text.
    Binary {
        /// The file.
        name: String,
    },
    /// The file opens like none of the formats read.
    Unrecognised {
        /// The file.
        name: String,
        /// Its first line that is not blank, shortened.
        first_line: String,
    },
    /// The file is a listing of connections, which says when none of them began.
    NoTimes {
        /// The file.
        name: String,
        /// What prints such a listing.
        format: conntrack::Format,
    },
    /// The file has a header and nothing under it.
    NoRows {
        /// The file.
        name: String,
        /// The format it was read as.
        format: &'static str,
    },
    /// A header line has a value that cannot be decoded.
    BadDirective {
        /// The file.
        name: String,
        /// The header line, counted from 1.
        line: usize,
        /// The directive, such as `#separator`.
        directive: &'static str,
        /// Its value, shortened.
        value: String,
    },
    /// The header does not name a field that every connection needs.
    MissingField {
        /// The file.
        name: String,
        /// The header line, counted from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// The header names a field twice.
    RepeatedField {
        /// The file.
        name: String,
        /// The header line, counted from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
}

/// Reads a connection log in whichever known format it is; `name` is what errors call the file.
pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Log, LogError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let name = shorten(name.as_bytes(), usize::MAX);
    let head = &bytes[..bytes.len().min(HEAD)];
    if head.starts_with(b"\x1f\x8b") {
        return Err(LogError::Compressed { name });
    }
    if head.contains(&0) {
        return Err(LogError::Binary { name });
    }
    let Some((_, first_line)) = lines(bytes).next() else {
        return Err(LogError::Empty { name });
    };
    match READERS.iter().find(|reader| reader.recognises(head)) {
        Some(reader) => reader.read(bytes, &name),
        None => Err(LogError::Unrecognised { name, first_line: shorten(first_line, SHOWN) }),
    }
}

/// The lines that are not blank, numbered from 1, without their LF or CRLF.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..)
        .zip(bytes.split(|&byte| byte == b'\n'))
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty())
}

/// A row whose every field has been read, before the question whether it is modelled.
struct Row {
    /// As in [`Connection`].
    start_us: i64,
    /// As in [`Connection`].
    duration_us: Option<u64>,
    /// `None` for the name of a protocol outside the model.
    protocol: Option<Protocol>,
    /// As in [`Connection`], of either family.
    source: SocketAddr,
    /// As in [`Connection`], of either family.
    destination: SocketAddr,
    /// As in [`Connection`].
    state: Option<ConnState>,
}

/// What is wrong with a row; the line number comes from the caller.
struct Fault {
    /// As in [`Malformed`].
    field: Option<&'static str>,
    /// As in [`Malformed`].
    value: String,
    /// As in [`Malformed`].
    reason: Reason,
}

impl Fault {
    /// A fault of the row as a whole.
    fn of_row(row: &[u8], reason: Reason) -> Self {
        Self { field: None, value: shorten(row, SHOWN), reason }
    }

    /// A fault of one field.
    fn of_field(field: &'static str, value: &str, reason: Reason) -> Self {
        Self { field: Some(field), value: shorten(value.as_bytes(), SHOWN), reason }
    }
}

impl Log {
    /// A log with no rows yet.
    fn new(format: &'static str) -> Self {
        Self {
            format,
            connections: Vec::new(),
            malformed: Vec::new(),
            malformed_count: 0,
            left_out: BTreeMap::new(),
            earlier: 0,
        }
    }

    /// Files a row where it belongs.
    fn add(&mut self, line: usize, row: Result<Row, Fault>) {
        match row {
            Ok(row) => self.add_well_formed(line, &row),
            Err(fault) => self.add_malformed(line, fault),
        }
    }

    /// Files a well-formed row by address family, then by protocol.
    fn add_well_formed(&mut self, line: usize, row: &Row) {
        let Row { start_us, duration_us, state, .. } = *row;
        match (row.source, row.destination, row.protocol) {
            (SocketAddr::V4(source), SocketAddr::V4(destination), Some(protocol)) => {
                self.connections.push(Connection {
                    line,
                    start_us,
                    duration_us,
                    protocol,
                    source,
                    destination,
                    state,
                    is_query: false,
                });
            }
            (SocketAddr::V4(_), SocketAddr::V4(_), None) => self.leave_out(LeftOut::OtherProtocol),
            (SocketAddr::V6(_), SocketAddr::V6(_), _) => self.leave_out(LeftOut::Ipv6),
            (source, destination, _) => {
                let pair = format!("{} to {}", source.ip(), destination.ip());
                self.add_malformed(line, Fault::of_row(pair.as_bytes(), Reason::MixedFamilies));
            }
        }
    }

    /// Counts a well-formed row outside the model.
    fn leave_out(&mut self, reason: LeftOut) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Counts a malformed row, and keeps its details if it is among the first.
    fn add_malformed(&mut self, line: usize, fault: Fault) {
        self.malformed_count += 1;
        if self.malformed.len() < DETAILED {
            let Fault { field, value, reason } = fault;
            self.malformed.push(Malformed { line, field, value, reason });
        }
    }

    /// The log, unless the file had no row at all.
    fn with_rows(self, name: &str) -> Result<Self, LogError> {
        if self.connections.is_empty() && self.malformed_count == 0 && self.left_out.is_empty() {
            return Err(LogError::NoRows { name: name.to_owned(), format: self.format });
        }
        Ok(self)
    }
}

/// Reads a start: decimal seconds since 1970, or ISO 8601 with an offset from UTC.
fn start_us(text: &str) -> Result<i64, Reason> {
    let micros = match microseconds(text) {
        Err(Reason::NotSeconds) => iso_8601_us(text)?,
        decimal => decimal?,
    };
    i64::try_from(micros).map_err(|_| Reason::OutOfRange)
}

/// Reads an ISO 8601 time, rounded to the nearest microsecond.
fn iso_8601_us(text: &str) -> Result<u64, Reason> {
    let time = text.parse::<Timestamp>().map_err(|_| Reason::NotTime)?;
    let rounded = time.round(Unit::Microsecond).map_err(|_| Reason::OutOfRange)?;
    u64::try_from(rounded.as_microsecond()).map_err(|_| Reason::Negative)
}

/// Decimal seconds as microseconds, without floating point: exact to six decimal places, rounded
/// half up by the seventh.
fn microseconds(text: &str) -> Result<u64, Reason> {
    if text.len() > LONGEST_TIME {
        return Err(Reason::TooLong);
    }
    let unsigned = text.strip_prefix('-');
    let (whole, fraction) = split_decimal(unsigned.unwrap_or(text)).ok_or(Reason::NotSeconds)?;
    if unsigned.is_some() {
        return Err(Reason::Negative);
    }
    let digit =
        |place: usize| fraction.as_bytes().get(place).map_or(0, |byte| u64::from(byte - b'0'));
    let below_a_second = (0..6).fold(0, |sum, place| sum * 10 + digit(place));
    whole
        .parse::<u64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .and_then(|micros| micros.checked_add(below_a_second + u64::from(digit(6) >= 5)))
        .filter(|&micros| micros <= LATEST_US)
        .ok_or(Reason::OutOfRange)
}

/// The digits before and after the decimal point, which may be missing but not bare.
fn split_decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    (is_digits(whole) && is_digits(fraction)).then_some((whole, fraction))
}

/// Whether the text is decimal digits and nothing else.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an IPv4 or IPv6 address.
fn address(text: &str) -> Result<IpAddr, Reason> {
    text.parse().map_err(|_| Reason::NotAddress)
}

/// Reads a port: plain digits, no sign.
fn port(text: &str) -> Result<u16, Reason> {
    text.parse().ok().filter(|_| is_digits(text)).ok_or(Reason::NotPort)
}

/// Reads a protocol; `None` stands for the name of one that is not modelled.
fn protocol(text: &str) -> Result<Option<Protocol>, Reason> {
    match text {
        "tcp" => Ok(Some(Protocol::Tcp)),
        "udp" => Ok(Some(Protocol::Udp)),
        "icmp" => Ok(Some(Protocol::Icmp)),
        other if is_protocol_name(other) => Ok(None),
        _ => Err(Reason::NotProtocol),
    }
}

/// A lower-case letter followed by lower-case letters, digits, `-` and `_`.
fn is_protocol_name(text: &str) -> bool {
    let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(inner)
}

impl FromStr for ConnState {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        Ok(match text {
            "S0" => Self::S0,
            "S1" => Self::S1,
            "SF" => Self::SF,
            "REJ" => Self::REJ,
            "S2" => Self::S2,
            "S3" => Self::S3,
            "RSTO" => Self::RSTO,
            "RSTR" => Self::RSTR,
            "RSTOS0" => Self::RSTOS0,
            "RSTRH" => Self::RSTRH,
            "SH" => Self::SH,
            "SHR" => Self::SHR,
            "OTH" => Self::OTH,
            _ => return Err(Reason::NotState),
        })
    }
}

/// The text fit for a terminal: unprintable characters and invalid bytes escaped, an ellipsis
/// after about `limit` characters.
fn shorten(bytes: &[u8], limit: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for piece in printable(bytes) {
        length += piece.chars().count();
        if length > limit {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

/// The characters of the text, each as it is shown.
fn printable(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|character| match character {
            '\'' | '"' | '\\' => character.to_string(),
            other => other.escape_debug().to_string(),
        });
        valid.chain(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")))
    })
}

impl LeftOut {
    /// A name for programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ipv6 => "ipv6",
            Self::OtherProtocol => "other_protocol",
            Self::OtherQuery => "other_query",
            Self::Summary => "summary",
            Self::FurtherEvent => "further_event",
        }
    }
}

impl Display for LeftOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv6 => "IPv6",
            Self::OtherProtocol => "protocol other than TCP, UDP and ICMP",
            Self::OtherQuery => "ICMP query other than echo",
            Self::Summary => "the tool's own line",
            Self::FurtherEvent => "further events of a connection already counted",
        })
    }
}

impl Display for Malformed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(field) = self.field {
            write!(f, "{field} ")?;
        }
        if !self.value.is_empty() {
            write!(f, "`{}` ", self.value)?;
        }
        write!(f, "{}", self.reason)
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ColumnCount { expected, found } => {
                return write!(f, "has a column count of {found}, the header {expected}");
            }
            Self::NotJsonObject { column } => {
                return write!(f, "is not a JSON object: reading stopped at column {column}");
            }
            Self::NotUtf8 => "is not UTF-8",
            Self::BeforeHeader => "comes before any header that names the columns",
            Self::Unset => "is required and has no value",
            Self::Empty => "is empty",
            Self::Repeated => "is given more than once",
            Self::NotSingle => "is an array or object, not a single value",
            Self::TooLong => "is longer than any time",
            Self::NotTime => "is neither seconds since 1970 nor an ISO 8601 time with an offset",
            Self::NotSeconds => "is not a number of seconds",
            Self::Negative => "is negative",
            Self::OutOfRange => "lies past the year 9999: times are in seconds",
            Self::NotAddress => "is not an IP address",
            Self::MixedFamilies => "mixes IPv4 and IPv6",
            Self::NotPort => "is not a port from 0 to 65535",
            Self::NotProtocol => "is not a protocol name",
            Self::NotState => "is not a connection state",
            Self::NotEvent => "is no event: NEW, UPDATE and DESTROY are",
            Self::NotNumber => "is not a whole number, or too large a one",
            Self::NotItsNumber => "is not the number of the protocol before it",
            Self::NotPair => "is neither `key=value` nor a flag in brackets",
        })
    }
}

impl Display for LogError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { name } => write!(f, "{name}: the file is empty; {}", formats_read()),
            Self::Compressed { name } => {
                write!(f, "{name}: the file is gzip-compressed; decompress it first")
            }
            Self::Binary { name } => {
                write!(
                    f,
                    "{name}: the file is binary (NUL bytes near its start); {}",
                    formats_read()
                )
            }
            Self::Unrecognised { name, first_line } => {
                write!(f, "{name}: no known log opens with `{first_line}`; {}", formats_read())
            }
            Self::NoTimes { name, format } => write!(
                f,
                "{name}: a listing ({format}) holds no times: it says which connections there are, \
                 not when they began; capture events: conntrack -E -o timestamp,id"
            ),
            Self::NoRows { name, format } => {
                write!(f, "{name}: a {format} with headers and no rows")
            }
            Self::BadDirective { name, line, directive, value } => {
                write!(f, "{name}, line {line}: cannot decode the {directive} value `{value}`")
            }
            Self::MissingField { name, line, field } => {
                write!(f, "{name}, line {line}: the header lacks the required field {field}")
            }
            Self::RepeatedField { name, line, field } => {
                write!(f, "{name}, line {line}: the header names the field {field} twice")
            }
        }
    }
}

impl Error for LogError {}

/// The formats a user can choose from, as a sentence.
fn formats_read() -> String {
    let mut sentence = String::from("formats read:");
    for (position, reader) in READERS.iter().enumerate() {
        let separator = if position == 0 { "" } else { ";" };
        let _ = write!(sentence, "{separator} {}", reader.format());
    }
    sentence
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The error of a file that must not be read.
    fn error(bytes: &[u8]) -> LogError {
        read(bytes, "a.log").expect_err("no log")
    }

    #[test]
    fn a_file_without_a_line_is_empty() {
        for bytes in [&b""[..], b"\n\n", b"\r\n\r\n", b"\xef\xbb\xbf"] {
            assert_eq!(error(bytes), LogError::Empty { name: "a.log".into() });
        }
    }

    #[test]
    fn nul_bytes_near_the_start_make_a_file_binary() {
        let at = |position: usize| {
            let mut bytes = vec![b'x'; HEAD + 1];
            bytes[position] = 0;
            error(&bytes)
        };
        assert_eq!(at(HEAD - 1), LogError::Binary { name: "a.log".into() });
        assert!(matches!(at(HEAD), LogError::Unrecognised { .. }));
    }

    #[test]
    fn a_gzip_file_is_told_from_other_binary_files() {
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00";
        assert_eq!(error(gzip), LogError::Compressed { name: "a.log".into() });
    }

    #[test]
    fn an_unknown_opening_is_shown() {
        for (file, shown) in [
            (&b"\nts,uid\nrow"[..], "ts,uid"),
            (b"[{\"ts\":1}]", "[{\"ts\":1}]"),
            (b"# a comment\nrow", "# a comment"),
            (b"\xff\x1b[2J\xc3\xa9", "\\xff\\u{1b}[2Jé"),
        ] {
            let (name, first_line) = ("a.log".to_owned(), shown.to_owned());
            assert_eq!(error(file), LogError::Unrecognised { name, first_line });
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let file = b"\xef\xbb\xbf{}\n";
        assert_eq!(read(file, "a.log").expect("a log").malformed_count, 1);
    }

    #[test]
    fn errors_name_the_file_and_the_formats() {
        let formats = "formats read: Zeek conn.log (tab-separated under a # header); \
                       Zeek conn.log (JSON lines); \
                       conntrack events (conntrack -E -o timestamp,id)";
        assert_eq!(error(b"").to_string(), format!("a.log: the file is empty; {formats}"));
        assert_eq!(
            error(b"\0").to_string(),
            format!("a.log: the file is binary (NUL bytes near its start); {formats}")
        );
        assert_eq!(
            error(b"x").to_string(),
            format!("a.log: no known log opens with `x`; {formats}")
        );
        assert_eq!(
            read(b"\x1f\x8b", "a\x1b.log").expect_err("gzip").to_string(),
            "a\\u{1b}.log: the file is gzip-compressed; decompress it first"
        );
    }

    #[test]
    fn seconds_are_read_exactly() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("0.0", Ok(0)),
            ("1379288667.706265", Ok(1_379_288_667_706_265)),
            ("1379288667.7", Ok(1_379_288_667_700_000)),
            ("007.000001", Ok(7_000_001)),
            ("0.0000005", Ok(1)),
            ("0.00000049999", Ok(0)),
            ("1.9999995", Ok(2_000_000)),
            ("253402300799.999999", Ok(LATEST_US)),
            ("253402300799.9999995", Err(Reason::OutOfRange)),
            ("253402300800", Err(Reason::OutOfRange)),
            ("1379288667706", Err(Reason::OutOfRange)),
            ("99999999999999999999999999", Err(Reason::OutOfRange)),
            ("-1.5", Err(Reason::Negative)),
            ("-0", Err(Reason::Negative)),
            ("-x", Err(Reason::NotSeconds)),
            ("--1", Err(Reason::NotSeconds)),
            ("+1", Err(Reason::NotSeconds)),
            ("1.", Err(Reason::NotSeconds)),
            (".5", Err(Reason::NotSeconds)),
            ("1.2.3", Err(Reason::NotSeconds)),
            ("1e3", Err(Reason::NotSeconds)),
            ("NaN", Err(Reason::NotSeconds)),
            ("inf", Err(Reason::NotSeconds)),
            ("-inf", Err(Reason::NotSeconds)),
            ("1,5", Err(Reason::NotSeconds)),
            (" 1", Err(Reason::NotSeconds)),
            ("１", Err(Reason::NotSeconds)),
            ("", Err(Reason::NotSeconds)),
        ] {
            assert_eq!(microseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn overlong_times_are_refused() {
        let zeros = |count: usize| format!("1.{}", "0".repeat(count - 2));
        assert_eq!(microseconds(&zeros(LONGEST_TIME)), Ok(1_000_000));
        assert_eq!(microseconds(&zeros(LONGEST_TIME + 1)), Err(Reason::TooLong));
    }

    #[test]
    fn a_start_may_be_iso_8601() {
        for (text, expected) in [
            ("2019-12-03T22:44:56.052279Z", Ok(1_575_413_096_052_279)),
            ("2019-12-03T23:44:56.052279+01:00", Ok(1_575_413_096_052_279)),
            ("2019-12-03T22:44:56.0522785Z", Ok(1_575_413_096_052_279)),
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("1969-12-31T23:59:59.999999Z", Err(Reason::Negative)),
            ("2019-12-03T22:44:56", Err(Reason::NotTime)),
            ("2019-13-03T22:44:56Z", Err(Reason::NotTime)),
            ("yesterday", Err(Reason::NotTime)),
            ("NaN", Err(Reason::NotTime)),
            ("-1", Err(Reason::Negative)),
        ] {
            assert_eq!(start_us(text), expected, "{text}");
        }
    }

    #[test]
    fn ports_are_plain_digits() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("65535", Ok(65535)),
            ("65536", Err(Reason::NotPort)),
            ("+80", Err(Reason::NotPort)),
            ("-1", Err(Reason::NotPort)),
            ("80.0", Err(Reason::NotPort)),
            ("80/tcp", Err(Reason::NotPort)),
        ] {
            assert_eq!(port(text), expected, "{text}");
        }
    }

    #[test]
    fn protocols_are_modelled_named_or_wrong() {
        for (text, expected) in [
            ("tcp", Ok(Some(Protocol::Tcp))),
            ("udp", Ok(Some(Protocol::Udp))),
            ("icmp", Ok(Some(Protocol::Icmp))),
            ("unknown_transport", Ok(None)),
            ("ipv6-icmp", Ok(None)),
            ("TCP", Err(Reason::NotProtocol)),
            ("6", Err(Reason::NotProtocol)),
            ("tcp ", Err(Reason::NotProtocol)),
        ] {
            assert_eq!(protocol(text), expected, "{text}");
        }
    }

    #[test]
    fn every_state_is_read_by_its_own_name() {
        let names = "S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH";
        for name in names.split(' ') {
            let state: ConnState = name.parse().expect(name);
            assert_eq!(format!("{state:?}"), name);
        }
        for wrong in ["", "sf", "S4", "SF "] {
            assert_eq!(wrong.parse::<ConnState>(), Err(Reason::NotState));
        }
    }

    #[test]
    fn long_values_are_cut_and_control_characters_escaped() {
        assert_eq!(shorten(&[b'a'; SHOWN], SHOWN), "a".repeat(SHOWN));
        assert_eq!(shorten(&[b'a'; SHOWN + 1], SHOWN), "a".repeat(SHOWN) + "…");
        let control = "\t\u{7f}\u{202e}\"\\".as_bytes();
        assert_eq!(shorten(control, SHOWN), "\\t\\u{7f}\\u{202e}\"\\");
    }

    #[test]
    fn a_malformed_row_reads_as_a_sentence() {
        let (line, field, value) = (7, Some("id.orig_p"), "99999".to_owned());
        let mut row = Malformed { line, field, value, reason: Reason::NotPort };
        assert_eq!(row.to_string(), "line 7: id.orig_p `99999` is not a port from 0 to 65535");
        row = Malformed { value: String::new(), reason: Reason::Unset, ..row };
        assert_eq!(row.to_string(), "line 7: id.orig_p is required and has no value");
        let reason = Reason::ColumnCount { expected: 20, found: 1 };
        row = Malformed { field: None, value: "x".into(), reason, ..row };
        assert_eq!(row.to_string(), "line 7: `x` has a column count of 1, the header 20");
    }

    proptest! {
        #[test]
        fn every_decimal_microsecond_survives(micros in 0..=LATEST_US) {
            let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            prop_assert_eq!(microseconds(&text), Ok(micros));
        }

        #[test]
        fn values_shown_are_short_and_printable(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let shown = shorten(&bytes, SHOWN);
            prop_assert!(shown.chars().count() <= SHOWN + 1);
            prop_assert!(!shown.chars().any(char::is_control));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = (start_us(&text), port(&text), protocol(&text), address(&text));
        }
    }
}
