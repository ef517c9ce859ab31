//! Zeek's `conn.log`: tab-separated with a `#` header, or one JSON object a line.
//!
//! Both are reduced to the eight fields of [`Field`], as text, and read by the same rules.

use std::borrow::Cow;
use std::fmt::{self, Formatter};
use std::net::{IpAddr, SocketAddr};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Fault, Log, LogError, LogReader, Reason, Row, SHOWN, lines, shorten};

/// The tab-separated form.
pub(crate) struct Tsv;

/// The JSON form.
pub(crate) struct JsonLines;

impl LogReader for Tsv {
    fn format(&self) -> &'static str {
        "Zeek conn.log (tab-separated under a # header)"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let names_columns = |line: &[u8]| {
            line.starts_with(SEPARATOR.as_bytes()) || line.starts_with(FIELDS.as_bytes())
        };
        let mut head = lines(head).map(|(_, line)| line).peekable();
        head.peek().is_some_and(|first| first.starts_with(b"#")) && head.any(names_columns)
    }

    fn read(&self, bytes: &[u8], name: &str) -> Result<Log, LogError> {
        let mut header = Header::default();
        let mut log = Log::new(self.format());
        for (number, line) in lines(bytes) {
            if line.starts_with(b"#") {
                let directive = String::from_utf8_lossy(line);
                header.apply(&directive).map_err(|fault| fault.in_file(name, number))?;
            } else {
                log.add(number, header.row(line));
            }
        }
        log.with_rows(name)
    }
}

impl LogReader for JsonLines {
    fn format(&self) -> &'static str {
        "Zeek conn.log (JSON lines)"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        lines(head).next().is_some_and(|(_, first)| first.starts_with(b"{"))
    }

    fn read(&self, bytes: &[u8], name: &str) -> Result<Log, LogError> {
        let mut log = Log::new(self.format());
        for (number, line) in lines(bytes) {
            log.add(number, json_row(line));
        }
        log.with_rows(name)
    }
}

/// The header line that says what separates columns.
const SEPARATOR: &str = "#separator";
/// The header line that says how an empty value is written.
const EMPTY_FIELD: &str = "#empty_field";
/// The header line that says how a missing value is written.
const UNSET_FIELD: &str = "#unset_field";
/// The header line that names the columns.
const FIELDS: &str = "#fields";

/// The header in force for the rows below it.
///
/// `#separator` opens a new header, so that a log appended to another starts afresh. The set
/// separator is of no consequence: none of the fields read is a set.
struct Header {
    /// What stands between two columns.
    separator: String,
    /// How an empty value is written.
    empty: String,
    /// How a missing value is written.
    unset: String,
    /// The field each column holds, `None` for one that is not read; absent before `#fields`.
    columns: Option<Vec<Option<Field>>>,
}

impl Default for Header {
    /// Zeek's own defaults, with no columns named yet.
    fn default() -> Self {
        Self {
            separator: "\t".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            columns: None,
        }
    }
}

impl Header {
    /// Takes in one `#` line; those without a bearing on the rows are passed over.
    fn apply(&mut self, line: &str) -> Result<(), HeaderFault> {
        let (directive, value) = self.split(line);
        match directive {
            SEPARATOR => *self = Self { separator: separator(value)?, ..Self::default() },
            EMPTY_FIELD => self.empty = decode(EMPTY_FIELD, value)?,
            UNSET_FIELD => self.unset = decode(UNSET_FIELD, value)?,
            FIELDS => self.columns = Some(self.name_columns(value)?),
            _ => {}
        }
        Ok(())
    }

    /// The directive and its value. A space follows `#separator`, the separator any other.
    fn split<'a>(&self, line: &'a str) -> (&'a str, &'a str) {
        line.split_once(' ')
            .filter(|(directive, _)| *directive == SEPARATOR)
            .or_else(|| line.split_once(&self.separator))
            .or_else(|| line.split_once([' ', '\t']))
            .unwrap_or((line, ""))
    }

    /// Which of the fields read each column holds.
    fn name_columns(&self, names: &str) -> Result<Vec<Option<Field>>, HeaderFault> {
        let columns: Vec<_> = names.split(&self.separator).map(Field::named).collect();
        for field in Field::ALL {
            match columns.iter().filter(|column| **column == Some(field)).count() {
                0 if field.is_required() => return Err(HeaderFault::Missing(field)),
                0 | 1 => {}
                _ => return Err(HeaderFault::Repeated(field)),
            }
        }
        Ok(columns)
    }

    /// Reads a row under this header.
    fn row(&self, line: &[u8]) -> Result<Row, Fault> {
        let text = utf_8(line)?;
        let columns = self.columns.as_ref();
        let columns = columns.ok_or_else(|| Fault::of_row(line, Reason::BeforeHeader))?;
        let (expected, found) = (columns.len(), text.split(&self.separator).count());
        if expected != found {
            return Err(Fault::of_row(line, Reason::ColumnCount { expected, found }));
        }
        let mut cells = Cells::default();
        for (column, value) in columns.iter().zip(text.split(&self.separator)) {
            if let Some(field) = *column {
                cells.set(field, self.cell(value));
            }
        }
        cells.row()
    }

    /// Tells a value from the two ways of writing none.
    fn cell<'a>(&self, value: &'a str) -> Cell<'a> {
        if value == self.unset {
            Cell::Unset
        } else if value == self.empty {
            Cell::Empty
        } else {
            Cell::text(Cow::Borrowed(value))
        }
    }
}

/// What is wrong with a header line; file and line number come from the caller.
enum HeaderFault {
    /// The value of a directive cannot be decoded.
    Undecodable {
        /// The directive.
        directive: &'static str,
        /// Its value, shortened.
        value: String,
    },
    /// A required field is not named.
    Missing(Field),
    /// A field is named twice.
    Repeated(Field),
}

impl HeaderFault {
    /// The fault as an error of the whole file.
    fn in_file(self, name: &str, line: usize) -> LogError {
        let name = name.to_owned();
        match self {
            Self::Undecodable { directive, value } => {
                LogError::BadDirective { name, line, directive, value }
            }
            Self::Missing(field) => LogError::MissingField { name, line, field: field.name() },
            Self::Repeated(field) => LogError::RepeatedField { name, line, field: field.name() },
        }
    }
}

/// Decodes the column separator, which cannot be empty.
fn separator(value: &str) -> Result<String, HeaderFault> {
    let separator = decode(SEPARATOR, value)?;
    if separator.is_empty() {
        return Err(undecodable(SEPARATOR, value));
    }
    Ok(separator)
}

/// Decodes a header value, in which `\xHH` stands for a byte.
fn decode(directive: &'static str, value: &str) -> Result<String, HeaderFault> {
    let mut pieces = value.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (byte, rest) = hex_byte(piece).ok_or_else(|| undecodable(directive, value))?;
        bytes.push(byte);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| undecodable(directive, value))
}

/// The fault of a value that cannot be decoded.
fn undecodable(directive: &'static str, value: &str) -> HeaderFault {
    HeaderFault::Undecodable { directive, value: shorten(value.as_bytes(), SHOWN) }
}

/// The byte that two hexadecimal digits stand for, and what follows them.
fn hex_byte(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    Some((byte, rest))
}

/// Reads a row of the JSON form.
fn json_row(line: &[u8]) -> Result<Row, Fault> {
    let not_an_object = |error: serde_json::Error| {
        Fault::of_row(line, Reason::NotJsonObject { column: error.column().max(1) })
    };
    serde_json::from_str::<Cells>(utf_8(line)?).map_err(not_an_object)?.row()
}

/// The row as text.
fn utf_8(line: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(line).map_err(|_| Fault::of_row(line, Reason::NotUtf8))
}

/// The fields read from a log; the first six are required.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Field {
    /// The first packet.
    Start,
    /// The originator's address.
    SourceAddress,
    /// The originator's port.
    SourcePort,
    /// The responder's address.
    DestinationAddress,
    /// The responder's port.
    DestinationPort,
    /// The transport protocol.
    Protocol,
    /// The time from first to last packet.
    Duration,
    /// The connection state.
    State,
}

impl Field {
    /// Every field, in the order of declaration.
    const ALL: [Self; 8] = [
        Self::Start,
        Self::SourceAddress,
        Self::SourcePort,
        Self::DestinationAddress,
        Self::DestinationPort,
        Self::Protocol,
        Self::Duration,
        Self::State,
    ];

    /// The field's name in the log.
    fn name(self) -> &'static str {
        match self {
            Self::Start => "ts",
            Self::SourceAddress => "id.orig_h",
            Self::SourcePort => "id.orig_p",
            Self::DestinationAddress => "id.resp_h",
            Self::DestinationPort => "id.resp_p",
            Self::Protocol => "proto",
            Self::Duration => "duration",
            Self::State => "conn_state",
        }
    }

    /// The field of that name, if it is read.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether every row has to have it.
    fn is_required(self) -> bool {
        self <= Self::Protocol
    }
}

/// What a row has for one field.
#[derive(Default)]
enum Cell<'a> {
    /// Nothing: no such column or key, or one that is marked unset.
    #[default]
    Unset,
    /// A value with no text.
    Empty,
    /// A value.
    Text(Cow<'a, str>),
    /// More than one value.
    Repeated,
    /// An array or object.
    NotSingle,
}

impl<'a> Cell<'a> {
    /// A value, which may turn out empty.
    fn text(text: Cow<'a, str>) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }
}

/// What a row has for each field.
#[derive(Default)]
struct Cells<'a>([Cell<'a>; Field::ALL.len()]);

impl<'a> Cells<'a> {
    /// Puts a cell in its field's place.
    fn set(&mut self, field: Field, cell: Cell<'a>) {
        self.0[field as usize] = cell;
    }

    /// Reads every field; the first that breaks a rule is the row's fault.
    fn row(&self) -> Result<Row, Fault> {
        Ok(Row {
            start_us: self.required(Field::Start, super::start_us)?,
            source: self.endpoint(Field::SourceAddress, Field::SourcePort)?,
            destination: self.endpoint(Field::DestinationAddress, Field::DestinationPort)?,
            protocol: self.required(Field::Protocol, super::protocol)?,
            duration_us: self.optional(Field::Duration, super::microseconds)?,
            state: self.optional(Field::State, str::parse)?,
        })
    }

    /// Reads an address and its port.
    fn endpoint(&self, address: Field, port: Field) -> Result<SocketAddr, Fault> {
        let address: IpAddr = self.required(address, super::address)?;
        Ok(SocketAddr::new(address, self.required(port, super::port)?))
    }

    /// Reads a field that has to have a value.
    fn required<T>(&self, field: Field, read: Read<T>) -> Result<T, Fault> {
        let unset = || Fault::of_field(field.name(), "", Reason::Unset);
        self.optional(field, read)?.ok_or_else(unset)
    }

    /// Reads a field that may have no value.
    fn optional<T>(&self, field: Field, read: Read<T>) -> Result<Option<T>, Fault> {
        let fault = |value: &str, reason| Fault::of_field(field.name(), value, reason);
        match &self.0[field as usize] {
            Cell::Unset => Ok(None),
            Cell::Text(text) => read(text).map(Some).map_err(|reason| fault(text, reason)),
            Cell::Empty => Err(fault("", Reason::Empty)),
            Cell::Repeated => Err(fault("", Reason::Repeated)),
            Cell::NotSingle => Err(fault("", Reason::NotSingle)),
        }
    }
}

/// How the text of a field is read.
type Read<T> = fn(&str) -> Result<T, Reason>;

impl<'de> Deserialize<'de> for Cells<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CellsVisitor)
    }
}

/// Picks the fields read out of an object and passes over the rest.
struct CellsVisitor;

impl<'de> Visitor<'de> for CellsVisitor {
    type Value = Cells<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = Cells::default();
        let mut seen = [false; Field::ALL.len()];
        while let Some(Key(key)) = map.next_key()? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let cell = map.next_value()?;
            let repeated = std::mem::replace(&mut seen[field as usize], true);
            cells.set(field, if repeated { Cell::Repeated } else { cell });
        }
        Ok(cells)
    }
}

/// The key of an object, if it names a field read.
struct Key(Option<Field>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Looks a key up without copying it.
struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(Key(Field::named(name)))
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

/// Takes a single value of any type as text. Numbers never get an exponent that way, so that a
/// duration of `2.1e-05` is read like any other.
struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Unset)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Owned(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Owned(value.to_string())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cell::text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(sequence).map(|_| Cell::NotSingle)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Cell::NotSingle)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{ConnState, Connection, LeftOut, Malformed, Protocol, read};
    use super::*;

    const TSV: &[u8] = include_bytes!("../../data/zeek/conn.tsv.log");
    const JSON: &[u8] = include_bytes!("../../data/zeek/conn.json.log");
    const COLUMNS: &str =
        "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\tconn_state";
    const ROW: &str = "5.25\t10.0.0.1\t1024\t192.0.2.1\t80\ttcp\t1.5\tSF";
    const OBJECT: &str = r#"{"ts":5.25,"id.orig_h":"10.0.0.1","id.orig_p":1024,"id.resp_h":"192.0.2.1","id.resp_p":80,"proto":"tcp","duration":1.5,"conn_state":"SF"}"#;

    fn log(text: impl AsRef<[u8]>) -> Log {
        read(text.as_ref(), "conn.log").expect("a log")
    }

    fn error(text: &str) -> LogError {
        read(text.as_bytes(), "conn.log").expect_err("no log")
    }

    /// A log of one row under a header that names eight columns.
    fn tsv(row: &str) -> Log {
        log(format!("{COLUMNS}\n{row}\n"))
    }

    /// What both `ROW` and `OBJECT` stand for.
    fn connection(line: usize) -> Connection {
        Connection {
            line,
            start_us: 5_250_000,
            duration_us: Some(1_500_000),
            protocol: Protocol::Tcp,
            source: "10.0.0.1:1024".parse().expect("an endpoint"),
            destination: "192.0.2.1:80".parse().expect("an endpoint"),
            state: Some(ConnState::SF),
            is_query: false,
        }
    }

    /// The only malformed row of a log: its field, value and rule.
    fn fault(log: &Log) -> (Option<&'static str>, &str, Reason) {
        assert_eq!((log.malformed_count, log.connections.len()), (1, 0), "{log:?}");
        let Malformed { field, value, reason, .. } = &log.malformed[0];
        (*field, value, *reason)
    }

    fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
        keys.fold(BTreeMap::new(), |mut counts, key| {
            *counts.entry(key).or_default() += 1;
            counts
        })
    }

    /// Start, duration and ports of all connections, each summed.
    fn sums(log: &Log) -> (i64, u64, u64) {
        let rows = &log.connections;
        let ports =
            |row: &Connection| u64::from(row.source.port()) + u64::from(row.destination.port());
        (
            rows.iter().map(|row| row.start_us).sum(),
            rows.iter().filter_map(|row| row.duration_us).sum(),
            rows.iter().map(ports).sum(),
        )
    }

    #[test]
    fn the_real_tab_separated_log_is_read_whole() {
        use ConnState::{OTH, RSTO, RSTOS0, S0, S3, SF};

        let log = log(TSV);
        assert_eq!((log.malformed_count, log.left_out.len()), (0, 0));
        let protocols = count(log.connections.iter().map(|row| row.protocol));
        let expected = [(Protocol::Tcp, 115), (Protocol::Udp, 225), (Protocol::Icmp, 20)];
        assert_eq!(protocols, BTreeMap::from(expected));
        let states = count(log.connections.iter().map(|row| row.state.expect("a state")));
        let expected = [(S0, 156), (SF, 118), (RSTO, 63), (OTH, 20), (RSTOS0, 2), (S3, 1)];
        assert_eq!(states, BTreeMap::from(expected));
        assert_eq!(sums(&log), (496_543_952_258_722_130, 1_829_354_658, 3_842_170));
        assert_eq!(log.connections.iter().filter(|row| row.duration_us.is_some()).count(), 211);
    }

    #[test]
    fn the_first_and_last_real_rows_are_read_exactly() {
        let log = log(TSV);
        let first = Connection {
            line: 9,
            start_us: 1_379_288_667_706_265,
            duration_us: Some(447_460),
            protocol: Protocol::Tcp,
            source: "192.168.33.10:1032".parse().expect("an endpoint"),
            destination: "54.245.228.191:80".parse().expect("an endpoint"),
            state: Some(ConnState::RSTO),
            is_query: false,
        };
        let last = Connection {
            line: 368,
            start_us: 1_379_288_848_201_008,
            duration_us: None,
            protocol: Protocol::Icmp,
            source: "109.67.16.18:3".parse().expect("an endpoint"),
            destination: "192.168.33.10:3".parse().expect("an endpoint"),
            state: Some(ConnState::OTH),
            is_query: false,
        };
        assert_eq!(log.connections.first(), Some(&first));
        assert_eq!(log.connections.last(), Some(&last));
    }

    #[test]
    fn the_real_json_log_is_read_whole() {
        let log = log(JSON);
        assert_eq!((log.malformed_count, log.left_out.len()), (0, 0));
        let protocols = count(log.connections.iter().map(|row| row.protocol));
        assert_eq!(protocols, BTreeMap::from([(Protocol::Tcp, 24), (Protocol::Udp, 26)]));
        assert_eq!(sums(&log), (78_770_656_916_029_019, 92_408_857, 2_733_477));
        let first = log.connections[0];
        assert_eq!((first.line, first.start_us), (1, 1_575_413_096_052_279));
        assert_eq!((first.duration_us, first.state), (Some(1231), Some(ConnState::RSTR)));
    }

    #[test]
    fn both_forms_give_the_same_connection() {
        assert_eq!(tsv(ROW).connections, [connection(2)]);
        assert_eq!(log(OBJECT).connections, [connection(1)]);
    }

    #[test]
    fn the_order_of_columns_does_not_matter() {
        let reversed = String::from_utf8_lossy(TSV)
            .lines()
            .map(|line| match line.strip_prefix("#fields\t") {
                Some(names) => format!("#fields\t{}\n", reverse(names)),
                None if line.starts_with('#') => format!("{line}\n"),
                None => reverse(line) + "\n",
            })
            .collect::<String>();
        assert_eq!(log(reversed), log(TSV));
    }

    fn reverse(columns: &str) -> String {
        columns.split('\t').rev().collect::<Vec<_>>().join("\t")
    }

    #[test]
    fn columns_that_are_not_read_may_come_and_go() {
        let narrow = "#fields\tproto\tip_proto\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tts";
        let log = log(format!("{narrow}\ntcp\t6\t80\t192.0.2.1\t1024\t10.0.0.1\t5.25"));
        let expected = Connection { duration_us: None, state: None, ..connection(2) };
        assert_eq!(log.connections, [expected]);
    }

    #[test]
    fn a_later_header_takes_over() {
        let text = String::from_utf8_lossy(TSV);
        let swapped = COLUMNS
            .replace("orig", "temporary")
            .replace("resp", "orig")
            .replace("temporary", "resp");
        let log = log(format!("{text}{COLUMNS}\n{ROW}\n#close\n# note\n{swapped}\n{ROW}\n"));
        let [.., before, after] = &log.connections[..] else { panic!("{log:?}") };
        assert_eq!((log.connections.len(), *before), (362, connection(371)));
        assert_eq!((after.source, after.destination), (before.destination, before.source));
    }

    #[test]
    fn a_new_separator_opens_a_new_header() {
        let log = log(format!("{COLUMNS}\n{ROW}\n#separator \\x7c\n{ROW}\n"));
        assert_eq!(log.connections, [connection(2)]);
        assert_eq!((log.malformed[0].line, log.malformed[0].reason), (4, Reason::BeforeHeader));
    }

    #[test]
    fn separators_and_marks_are_those_of_the_header() {
        for (encoded, separator) in [("\\x2c", ","), (",", ","), ("\\x7C\\x7c", "||"), (" ", " ")] {
            let header = format!(
                "#separator {encoded}\n#set_separator\t;\n#unset_field\t\\x3f\n#empty_field\tnone\n{COLUMNS}"
            );
            let unset = ROW.replace("1.5", "?").replace("SF", "?");
            let empty = ROW.replace("1.5", "none");
            let log = log(format!("{header}\n{unset}\n{empty}\n").replace('\t', separator));
            let expected = Connection { duration_us: None, state: None, ..connection(6) };
            assert_eq!(log.connections, [expected], "{encoded}");
            assert_eq!((log.malformed[0].line, log.malformed[0].reason), (7, Reason::Empty));
        }
    }

    #[test]
    fn empty_values_are_malformed_and_unset_ones_are_none() {
        for empty in ["(empty)", ""] {
            let row = ROW.replace("1.5", empty);
            assert_eq!(fault(&tsv(&row)), (Some("duration"), "", Reason::Empty));
        }
        let row = ROW.replace("10.0.0.1", "-");
        assert_eq!(fault(&tsv(&row)), (Some("id.orig_h"), "", Reason::Unset));
    }

    #[test]
    fn line_endings_and_a_missing_last_one_do_not_matter() {
        assert_eq!(log(String::from_utf8_lossy(TSV).replace('\n', "\r\n")), log(TSV));
        assert_eq!(log(String::from_utf8_lossy(JSON).replace('\n', "\r\n")), log(JSON));
        assert_eq!(log(TSV.trim_ascii_end()), log(TSV));
        assert_eq!(log(JSON.trim_ascii_end()), log(JSON));
        assert_eq!(log(format!("\n\n{COLUMNS}\n\r\n{ROW}")).connections, [connection(5)]);
    }

    #[test]
    fn rows_before_the_header_are_malformed() {
        let log = log(format!("#separator \\x09\n{ROW}\n{COLUMNS}\n{ROW}\n"));
        assert_eq!(log.connections, [connection(4)]);
        assert_eq!((log.malformed[0].line, log.malformed[0].reason), (2, Reason::BeforeHeader));
    }

    #[test]
    fn a_header_that_lacks_a_required_field_is_an_error_naming_it() {
        let required = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto"];
        for field in required {
            let header = COLUMNS.replacen(&format!("\t{field}"), "\tother", 1);
            let name = "conn.log".to_owned();
            let expected = LogError::MissingField { name, line: 2, field };
            assert_eq!(error(&format!("#separator \\x09\n{header}\n{ROW}\n")), expected);
            let shown = format!("conn.log, line 2: the header lacks the required field {field}");
            assert_eq!(expected.to_string(), shown);
        }
    }

    #[test]
    fn a_header_that_names_a_field_twice_is_an_error() {
        let error = error(&format!("{COLUMNS}\tproto\n{ROW}\ttcp\n"));
        let shown = "conn.log, line 1: the header names the field proto twice";
        assert_eq!(error.to_string(), shown);
    }

    #[test]
    fn a_header_separated_otherwise_than_announced_is_an_error() {
        let error = error(&COLUMNS.replace('\t', " "));
        assert!(matches!(error, LogError::MissingField { field: "ts", .. }), "{error}");
    }

    #[test]
    fn a_header_value_that_cannot_be_decoded_is_an_error() {
        for (line, shown) in [
            ("#separator \\x", "the #separator value `\\x`"),
            ("#separator \\x+9", "the #separator value `\\x+9`"),
            ("#separator \\xff", "the #separator value `\\xff`"),
            ("#separator ", "the #separator value ``"),
            ("#separator", "the #separator value ``"),
            ("#unset_field\t\\x2é", "the #unset_field value `\\x2é`"),
            ("#empty_field\t\\xg0", "the #empty_field value `\\xg0`"),
        ] {
            let error = error(&format!("#separator \\x09\n{line}\n{COLUMNS}\n{ROW}\n"));
            assert_eq!(error.to_string(), format!("conn.log, line 2: cannot decode {shown}"));
        }
    }

    #[test]
    fn a_log_of_headers_alone_has_no_rows() {
        let expected =
            "conn.log: a Zeek conn.log (tab-separated under a # header) with headers and no rows";
        assert_eq!(error(COLUMNS).to_string(), expected);
        assert_eq!(error("#separator \\x09\n#close\t2014\n").to_string(), expected);
    }

    #[test]
    fn a_row_of_the_wrong_width_is_malformed() {
        for (row, found) in [("5.25\t10.0.0.1", 2), (&*format!("{ROW}\tx"), 9), (" ", 1)] {
            let log = tsv(row);
            let (field, _, reason) = fault(&log);
            assert_eq!((field, reason), (None, Reason::ColumnCount { expected: 8, found }));
        }
    }

    #[test]
    fn a_bad_value_is_malformed_by_field_value_and_rule() {
        for (field, good, bad, reason) in [
            ("ts", "5.25", "-5.25", Reason::Negative),
            ("ts", "5.25", "NaN", Reason::NotTime),
            ("ts", "5.25", "inf", Reason::NotTime),
            ("ts", "5.25", "1e9", Reason::NotTime),
            ("ts", "5.25", "1379288667706", Reason::OutOfRange),
            ("id.orig_h", "10.0.0.1", "10.0.0", Reason::NotAddress),
            ("id.orig_h", "10.0.0.1", "10.0.0.01", Reason::NotAddress),
            ("id.orig_p", "1024", "70000", Reason::NotPort),
            ("id.resp_h", "192.0.2.1", "host", Reason::NotAddress),
            ("id.resp_p", "\t80", "\thttp", Reason::NotPort),
            ("proto", "tcp", "TCP", Reason::NotProtocol),
            ("duration", "1.5", "-0.000001", Reason::Negative),
            ("duration", "1.5", "2013-09-15T23:44:27Z", Reason::NotSeconds),
            ("conn_state", "SF", "sf", Reason::NotState),
        ] {
            let log = tsv(&ROW.replacen(good, bad, 1));
            assert_eq!(fault(&log), (Some(field), bad.trim(), reason));
        }
    }

    #[test]
    fn a_bad_json_value_is_malformed_by_field_value_and_rule() {
        for (field, good, bad, value, reason) in [
            ("ts", "5.25", "-5.25", "-5.25", Reason::Negative),
            ("ts", "5.25", "-1", "-1", Reason::Negative),
            ("ts", "5.25", "true", "true", Reason::NotTime),
            ("ts", "5.25", "\"NaN\"", "NaN", Reason::NotTime),
            ("ts", "5.25", "1379288667706", "1379288667706", Reason::OutOfRange),
            ("ts", "5.25", "null", "", Reason::Unset),
            ("ts", "5.25", "[5.25]", "", Reason::NotSingle),
            ("id.orig_p", "1024", "{\"a\":[1]}", "", Reason::NotSingle),
            ("id.orig_p", "1024", "1024.5", "1024.5", Reason::NotPort),
            ("id.orig_p", "1024", "70000", "70000", Reason::NotPort),
            ("proto", "tcp", "", "", Reason::Empty),
            ("proto", "\"tcp\"", "6", "6", Reason::NotProtocol),
            ("proto", "tcp", "t\\u0007p", "t\\u{7}p", Reason::NotProtocol),
            ("duration", "1.5", "-1e-6", "-0.000001", Reason::Negative),
            ("id.resp_h", "\"id.resp_h\"", "\"id\"", "", Reason::Unset),
            ("ts", "{", "{\"ts\":5.25,", "", Reason::Repeated),
        ] {
            let log = log(OBJECT.replacen(good, bad, 1));
            assert_eq!(fault(&log), (Some(field), value, reason), "{bad}");
        }
    }

    #[test]
    fn a_line_that_is_not_one_object_is_malformed() {
        for line in [
            "[5.25]",
            "null",
            "{",
            "x",
            " ",
            "{} {}",
            "{\"ts\":1e999}",
            "{\"ts\":NaN}",
            "{\"ts\":\"\t\"}",
        ] {
            let log = log(format!("{OBJECT}\n{line}\n"));
            assert_eq!(log.connections, [connection(1)]);
            let Malformed { line, field, reason, .. } = log.malformed[0];
            assert_eq!((line, field), (2, None));
            assert!(matches!(reason, Reason::NotJsonObject { column: 1.. }), "{reason:?}");
        }
    }

    #[test]
    fn deep_nesting_is_malformed_or_passed_over() {
        let nested = |key: &str| {
            let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
            log(OBJECT.replacen('{', &format!("{{\"{key}\":{open}{close},"), 1))
        };
        assert_eq!(nested("other").connections.len() + nested("other").malformed_count, 1);
        assert_eq!(nested("proto").malformed_count, 1);
    }

    #[test]
    fn json_times_may_be_iso_8601_whole_or_with_an_exponent() {
        for (start, micros) in [
            ("\"2019-12-03T22:44:56.052279Z\"", 1_575_413_096_052_279),
            ("1575413096", 1_575_413_096_000_000),
            ("1.575413096052279e9", 1_575_413_096_052_279),
            ("2.1e-05", 21),
        ] {
            let log = log(OBJECT.replacen("5.25", start, 1));
            assert_eq!(log.connections[0].start_us, micros);
        }
    }

    #[test]
    fn invalid_utf_8_spoils_its_line_only() {
        let mut bytes = format!("{COLUMNS}\n{ROW}\n").into_bytes();
        bytes.extend_from_slice(b"5\xff\n");
        bytes.extend_from_slice(ROW.as_bytes());
        let tsv = log(bytes);
        assert_eq!(tsv.connections, [connection(2), connection(4)]);
        assert_eq!(
            (&*tsv.malformed[0].value, tsv.malformed[0].reason),
            ("5\\xff", Reason::NotUtf8)
        );
        let json = log([OBJECT.as_bytes(), b"\n{\"\xff\":1}\n", OBJECT.as_bytes()].concat());
        assert_eq!(json.connections, [connection(1), connection(3)]);
        assert_eq!(json.malformed[0].reason, Reason::NotUtf8);
    }

    #[test]
    fn rows_outside_the_model_are_counted_by_reason() {
        let ipv6 = ROW.replace("10.0.0.1", "fe80::1").replace("192.0.2.1", "ff02::fb");
        let other = ROW.replace("tcp", "unknown_transport");
        let both = ipv6.replace("tcp", "sctp");
        let log = log(format!("{COLUMNS}\n{ipv6}\n{other}\n{both}\n{ROW}\n"));
        let expected = [(LeftOut::Ipv6, 2), (LeftOut::OtherProtocol, 1)];
        assert_eq!(log.left_out, BTreeMap::from(expected));
        assert_eq!((log.connections.len(), log.malformed_count), (1, 0));
    }

    #[test]
    fn a_log_wholly_outside_the_model_is_still_a_log() {
        let log = tsv(&ROW.replace("tcp", "unknown_transport"));
        assert_eq!(log.left_out, BTreeMap::from([(LeftOut::OtherProtocol, 1)]));
    }

    #[test]
    fn a_row_outside_the_model_still_has_to_be_well_formed() {
        let ipv6 = ROW.replace("10.0.0.1", "fe80::1").replace("192.0.2.1", "ff02::fb");
        let log = tsv(&ipv6.replace("1024", "x"));
        assert_eq!(fault(&log), (Some("id.orig_p"), "x", Reason::NotPort));
    }

    #[test]
    fn a_row_from_one_family_to_the_other_is_malformed() {
        let log = tsv(&ROW.replace("192.0.2.1", "ff02::fb"));
        assert_eq!(fault(&log), (None, "10.0.0.1 to ff02::fb", Reason::MixedFamilies));
    }

    #[test]
    fn five_malformed_rows_are_kept_and_all_are_counted() {
        let log = log(format!("{COLUMNS}\n{}", "x\n".repeat(1000)));
        assert_eq!((log.malformed.len(), log.malformed_count), (5, 1000));
        let lines: Vec<_> = log.malformed.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
    }

    /// Rows by the format's definition, counted without the reader.
    fn rows(bytes: &[u8]) -> usize {
        let is_json = bytes.trim_ascii_start().starts_with(b"{");
        bytes
            .split(|&byte| byte == b'\n')
            .filter(|line| !matches!(line, [] | [b'\r']))
            .filter(|line| is_json || line[0] != b'#')
            .count()
    }

    /// Every row of a file that is read must be accounted for.
    fn accounts_for_every_row(bytes: &[u8]) -> Result<(), TestCaseError> {
        if let Ok(log) = read(bytes, "conn.log") {
            let left_out: usize = log.left_out.values().sum();
            let filed = log.connections.len() + log.malformed_count + left_out;
            prop_assert_eq!(filed, rows(bytes));
            prop_assert_eq!(log.malformed.len(), log.malformed_count.min(5));
        }
        Ok(())
    }

    /// One of the real files, cut anywhere.
    fn real_file() -> impl Strategy<Value = Vec<u8>> {
        let cut =
            |file: &'static [u8]| (0..=file.len()).prop_map(move |length| file[..length].to_vec());
        prop_oneof![cut(TSV), cut(JSON)]
    }

    /// What to put where: a replacement for up to three bytes at a position.
    fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, Vec<u8>)>> {
        let telling = prop::sample::select(&b"\n\r\t#{}[]\",:.-0e\\x\0\xff"[..]);
        let bytes = prop::collection::vec(prop_oneof![telling, any::<u8>()], 0..4);
        prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, bytes), 1..12)
    }

    /// A row of eight values, most of them plausible.
    fn plausible_row() -> impl Strategy<Value = String> {
        let value = prop::sample::select(vec![
            "5.25", "1", "80", "10.0.0.1", "::1", "tcp", "sctp", "SF", "-", "(empty)", "", "-1",
            "é", "1e9",
        ]);
        let spoilt = prop::collection::vec((0..8usize, value), 0..3);
        spoilt.prop_map(|spoilt| {
            let mut values: Vec<_> = ROW.split('\t').collect();
            for (column, value) in spoilt {
                values[column] = value;
            }
            values.join("\t")
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            accounts_for_every_row(&bytes)?;
            accounts_for_every_row(&[COLUMNS.as_bytes(), b"\n", &bytes].concat())?;
            accounts_for_every_row(&[b"{", &bytes[..]].concat())?;
        }

        #[test]
        fn mutated_real_files_account_for_every_row(mut file in real_file(), edits in edits()) {
            for (position, length, bytes) in edits {
                let start = position.index(file.len() + 1);
                let end = file.len().min(start + length);
                file.splice(start..end, bytes);
            }
            accounts_for_every_row(&file)?;
        }

        #[test]
        fn plausible_rows_are_all_accounted_for(rows in prop::collection::vec(plausible_row(), 1..12)) {
            let file = format!("{COLUMNS}\n{}", rows.join("\n"));
            prop_assert!(read(file.as_bytes(), "conn.log").is_ok());
            accounts_for_every_row(file.as_bytes())?;
        }

        #[test]
        fn json_times_are_exact_until_the_year_2242(micros in 0..8_589_934_592_000_000_i64) {
            let start = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let log = log(OBJECT.replacen("5.25", &start, 1));
            prop_assert_eq!(log.connections[0].start_us, micros);
        }
    }
}
