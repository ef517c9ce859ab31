//! Events of connection tracking: what `conntrack -E -o timestamp,id` printed.
//!
//! Several rows tell of one connection. The first of them is the connection; each further one is
//! left out as [`LeftOut::FurtherEvent`], once what it says has been taken in. Rows are of one
//! connection if protocol, original tuple, zone and entry number are the same; where rows have no
//! number, the others suffice. NEW always begins another connection.
//!
//! The connection is the original tuple's, as the inside sends it, from the first of these times to
//! the last:
//!
//! | first | where |
//! |---|---|
//! | NEW | it is in the log |
//! | the log's first event | UPDATE or DESTROY come without NEW: it was there before the log |
//!
//! | last | where |
//! |---|---|
//! | the row that says `TIME_WAIT` or `CLOSE` | a TCP connection was closed or reset |
//! | DESTROY | it is in the log, or else the next NEW that agrees with it in all of the above |
//! | the log's last event | there is none of these: it outlived the log |
//!
//! **Readings taken.**
//! - A log has every event: conntrack says so on standard error when it loses some. A row that is
//!   missing or malformed makes its connection too long rather than too short. [`Log::earlier`]
//!   counts the connections whose NEW is not there.
//! - Rows after a DESTROY are of the connection that it ended, until there is a NEW. So without
//!   entry numbers a connection whose NEW is missing can pass for the one before it.
//! - An entry that was not closed goes when the kernel's timer for it runs out. The log does not say
//!   when its last packet was; it is held until DESTROY, too long by that timer at most.
//! - FIN is half a close, and does not end a connection. Who sent a RST is not said: before the end
//!   of the handshake it is taken to come from whoever spoke last, afterwards from the outside.
//! - The order of the rows is the order of the events, whatever their times. A time before its
//!   connection's first one, as of a clock that was set back, counts as that.
//! - One translator serves all zones: connections of two zones with one five-tuple are one flow.

use std::collections::HashMap;

use super::conntrack::{self, Change, Conntrack, Entry, Event, Format, TcpState, Tuple, Zone};
use super::{ConnState, Connection, HEAD, LeftOut, Log, LogError, LogReader, Protocol};

/// The events.
pub(crate) struct Events;

impl LogReader for Events {
    fn format(&self) -> &'static str {
        "conntrack events (conntrack -E -o timestamp,id)"
    }

    /// A listing is taken too, so that it can be told what it lacks.
    fn recognises(&self, head: &[u8]) -> bool {
        conntrack::format_in(head).is_some()
    }

    fn read(&self, bytes: &[u8], name: &str) -> Result<Log, LogError> {
        match conntrack::format_in(&bytes[..bytes.len().min(HEAD)]) {
            Some(format @ (Format::Table | Format::Extended | Format::Proc)) => {
                Err(LogError::NoTimes { name: name.to_owned(), format })
            }
            Some(Format::Events) | None => {
                let read = conntrack::read_as(Format::Events, bytes);
                self.log(read).with_rows(name)
            }
        }
    }
}

impl Events {
    fn log(&self, read: Conntrack) -> Log {
        let Conntrack { entries, malformed, malformed_count, left_out, .. } = read;
        let mut log = Log { malformed, malformed_count, left_out, ..Log::new(self.format()) };
        let tracked = tracked(&entries);
        let further = entries.len() - tracked.len();
        if further > 0 {
            log.left_out.insert(LeftOut::FurtherEvent, further);
        }
        let mut times = entries.iter().filter_map(|entry| Some(entry.event?.time_us));
        let first_us = times.next().unwrap_or(0);
        let last_us = times.next_back().unwrap_or(first_us);
        log.earlier = tracked.iter().filter(|tracked| tracked.is_earlier).count();
        log.connections.extend(tracked.iter().map(|tracked| tracked.connection(first_us, last_us)));
        log
    }
}

/// What rows of one connection have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    protocol: Protocol,
    original: Tuple,
    zone: Zone,
    id: Option<u64>,
}

/// A connection, as far as the rows so far tell of it.
struct Tracked {
    line: usize,
    protocol: Protocol,
    original: Tuple,
    /// When it was first met.
    met_us: u64,
    /// It was there before the log.
    is_earlier: bool,
    /// The other side has sent something.
    is_answered: bool,
    /// A handshake was completed.
    is_established: bool,
    /// When it was closed, and the state that says so.
    closed: Option<(u64, TcpState)>,
    /// When its entry was gone.
    gone_us: Option<u64>,
}

/// The connections that the entries tell of, in the order of their first rows.
fn tracked(entries: &[Entry]) -> Vec<Tracked> {
    let mut all: Vec<Tracked> = Vec::new();
    let mut latest: HashMap<Key, usize> = HashMap::new();
    for (entry, event) in entries.iter().filter_map(|entry| Some((entry, entry.event?))) {
        let known = latest.get(&Key::of(entry)).copied();
        match known {
            Some(index) if event.change != Change::New => all[index].take(entry, event),
            _ => {
                if let Some(index) = known {
                    all[index].is_gone(event.time_us);
                }
                latest.insert(Key::of(entry), all.len());
                all.push(Tracked::new(entry, event));
            }
        }
    }
    all
}

impl Key {
    const fn of(entry: &Entry) -> Self {
        let Entry { protocol, original, zone, id, .. } = *entry;
        Self { protocol, original, zone, id }
    }
}

impl Tracked {
    fn new(entry: &Entry, event: Event) -> Self {
        let Entry { line, protocol, original, .. } = *entry;
        let mut tracked = Self {
            line,
            protocol,
            original,
            met_us: event.time_us,
            is_earlier: event.change != Change::New,
            is_answered: false,
            is_established: false,
            closed: None,
            gone_us: None,
        };
        tracked.take(entry, event);
        tracked
    }

    /// Takes in what a row says. One that comes after the end says nothing new.
    fn take(&mut self, entry: &Entry, event: Event) {
        if self.gone_us.is_some() {
            return;
        }
        self.is_answered |= !entry.unreplied;
        self.is_established |= entry.assured || entry.state == Some(TcpState::ESTABLISHED);
        match entry.state {
            Some(TcpState::TIME_WAIT | TcpState::CLOSE) if self.closed.is_some() => {}
            Some(state @ (TcpState::TIME_WAIT | TcpState::CLOSE)) => {
                self.closed = Some((event.time_us, state));
            }
            Some(_) => self.closed = None,
            None => {}
        }
        if event.change == Change::Destroy {
            self.is_gone(event.time_us);
        }
    }

    fn is_gone(&mut self, time_us: u64) {
        self.gone_us.get_or_insert(time_us);
    }

    /// The connection, in a log with these first and last events.
    fn connection(&self, first_us: u64, last_us: u64) -> Connection {
        let start_us = if self.is_earlier { first_us.min(self.met_us) } else { self.met_us };
        let closed_us = self.closed.map(|(time_us, _)| time_us);
        let end_us = closed_us.or(self.gone_us).unwrap_or(last_us);
        let Tuple { source, destination } = self.original;
        Connection {
            line: self.line,
            start_us: i64::try_from(start_us).unwrap_or(i64::MAX),
            duration_us: Some(end_us.saturating_sub(start_us)),
            protocol: self.protocol,
            source,
            destination,
            state: Some(self.state()),
            is_query: self.protocol == Protocol::Icmp,
        }
    }

    /// How far it got, in Zeek's terms.
    fn state(&self) -> ConnState {
        match self.protocol {
            Protocol::Tcp => self.tcp_state(),
            Protocol::Udp if self.is_answered => ConnState::SF,
            Protocol::Udp => ConnState::S0,
            Protocol::Icmp => ConnState::OTH,
        }
    }

    fn tcp_state(&self) -> ConnState {
        match self.closed {
            Some((_, TcpState::TIME_WAIT)) => ConnState::SF,
            Some(_) if self.is_established => ConnState::RSTR,
            Some(_) if self.is_answered => ConnState::REJ,
            Some(_) => ConnState::RSTOS0,
            None if self.is_earlier => ConnState::OTH,
            None if self.is_established => ConnState::S1,
            None => ConnState::S0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Malformed, Reason, read};
    use super::*;

    const EVENTS: &str = include_str!("../../data/conntrack/ev.log");
    const LISTINGS: [(&str, &str); 3] = [
        (include_str!("../../data/conntrack/conntrack-L.txt"), "conntrack -L"),
        (include_str!("../../data/conntrack/conntrack-L-extended.txt"), "conntrack -L -o extended"),
        (include_str!("../../data/conntrack/proc_nf_conntrack.txt"), "/proc/net/nf_conntrack"),
    ];

    fn log(text: impl AsRef<[u8]>) -> Log {
        read(text.as_ref(), "ev.log").expect("a log")
    }

    /// A row of entry `id`, whose source port is the same number.
    fn row(seconds: u64, change: &str, says: &str, id: u16) -> String {
        let (protocol, flag) = match says {
            "udp" => ("udp 17 30", ""),
            "udp unreplied" => ("udp 17 30", "[UNREPLIED] "),
            "" => ("tcp 6", ""),
            "SYN_SENT" => ("tcp 6 120 SYN_SENT", "[UNREPLIED] "),
            state => (&*format!("tcp 6 60 {state}"), ""),
        };
        format!(
            "[{seconds}.000000]\t[{change}] {protocol} src=10.0.0.2 dst=192.0.2.1 sport={id} \
             dport=443 {flag}src=192.0.2.1 dst=203.0.113.1 sport=443 dport={id} id={id}\n"
        )
    }

    /// Rows of entry 7, a second apart from second 1 on.
    fn rows(changes: &[(&str, &str)]) -> String {
        (1..).zip(changes).map(|(second, (change, says))| row(second, change, says, 7)).collect()
    }

    /// Line, first and last second, and state of each connection of a log.
    fn spans(log: &Log) -> Vec<(usize, u64, u64, ConnState)> {
        let span = |connection: &Connection| {
            let start_us = connection.start_us.unsigned_abs();
            let end_us = start_us + connection.duration_us.expect("a duration");
            let state = connection.state.expect("a state");
            (connection.line, start_us / 1_000_000, end_us / 1_000_000, state)
        };
        log.connections.iter().map(span).collect()
    }

    fn further(log: &Log) -> usize {
        log.left_out.get(&LeftOut::FurtherEvent).copied().unwrap_or(0)
    }

    #[test]
    fn the_real_events_are_eight_connections() {
        let log = log(EVENTS);
        assert_eq!((log.connections.len(), log.earlier, log.malformed_count), (8, 0, 0));
        assert_eq!(log.left_out, [(LeftOut::FurtherEvent, 48)].into());
        let first = Connection {
            line: 1,
            start_us: 1_795_169_257_072_150,
            duration_us: Some(19_622_973),
            protocol: Protocol::Tcp,
            source: "10.0.0.2:40000".parse().expect("an endpoint"),
            destination: "203.0.113.10:443".parse().expect("an endpoint"),
            state: Some(ConnState::SF),
            is_query: false,
        };
        assert_eq!(log.connections[0], first);
        assert!(log.connections.iter().all(|c| c.state == Some(ConnState::SF)), "{log:?}");
    }

    #[test]
    fn a_connection_got_as_far_as_its_rows_say() {
        for (changes, last, state) in [
            (&[("NEW", "SYN_SENT")][..], 1, ConnState::S0),
            (&[("NEW", "SYN_SENT"), ("UPDATE", "SYN_RECV")], 2, ConnState::S0),
            (&[("NEW", "SYN_SENT"), ("UPDATE", "ESTABLISHED")], 2, ConnState::S1),
            (&[("NEW", "SYN_SENT"), ("UPDATE", "ESTABLISHED"), ("DESTROY", "")], 3, ConnState::S1),
            (&[("NEW", "ESTABLISHED"), ("UPDATE", "LAST_ACK"), ("DESTROY", "")], 3, ConnState::S1),
            (&[("NEW", "ESTABLISHED"), ("UPDATE", "TIME_WAIT"), ("DESTROY", "")], 2, ConnState::SF),
            (
                &[("NEW", "ESTABLISHED"), ("UPDATE", "TIME_WAIT"), ("UPDATE", "TIME_WAIT")],
                2,
                ConnState::SF,
            ),
            (
                &[("NEW", "ESTABLISHED"), ("UPDATE", "CLOSE"), ("UPDATE", "ESTABLISHED")],
                3,
                ConnState::S1,
            ),
            (
                &[("NEW", "ESTABLISHED"), ("UPDATE", "CLOSE"), ("DESTROY", "CLOSE")],
                2,
                ConnState::RSTR,
            ),
            (&[("NEW", "ESTABLISHED"), ("DESTROY", "TIME_WAIT")], 2, ConnState::SF),
            (&[("NEW", "SYN_SENT"), ("UPDATE", "CLOSE"), ("DESTROY", "")], 2, ConnState::REJ),
            (&[("NEW", "udp unreplied"), ("DESTROY", "udp unreplied")], 2, ConnState::S0),
            (&[("NEW", "udp unreplied"), ("UPDATE", "udp"), ("DESTROY", "udp")], 3, ConnState::SF),
        ] {
            let log = log(rows(changes));
            assert_eq!(spans(&log), [(1, 1, last, state)], "{changes:?}");
            assert_eq!((further(&log), log.earlier), (changes.len() - 1, 0), "{changes:?}");
        }
    }

    #[test]
    fn a_syn_taken_back_was_not_answered() {
        let both = [("NEW", "SYN_SENT"), ("UPDATE", "CLOSE")];
        let text = rows(&both).replace("443 src", "443 [UNREPLIED] src");
        assert_eq!(spans(&log(text)), [(1, 1, 2, ConnState::RSTOS0)]);
    }

    #[test]
    fn what_was_there_before_the_log_is_held_from_its_first_event_on() {
        let log = log([
            row(10, "NEW", "SYN_SENT", 1),
            row(20, "UPDATE", "ESTABLISHED", 2),
            row(30, "DESTROY", "", 3),
            row(40, "UPDATE", "TIME_WAIT", 4),
            row(50, "NEW", "udp unreplied", 5),
        ]
        .concat());
        let expected = [
            (1, 10, 50, ConnState::S0),
            (2, 10, 50, ConnState::OTH),
            (3, 10, 30, ConnState::OTH),
            (4, 10, 40, ConnState::SF),
            (5, 50, 50, ConnState::S0),
        ];
        assert_eq!(spans(&log), expected);
        assert_eq!((log.earlier, further(&log)), (3, 0));
    }

    #[test]
    fn the_number_ties_rows_and_without_numbers_the_tuple_does() {
        let numbered = [
            row(1, "NEW", "SYN_SENT", 7),
            row(2, "NEW", "SYN_SENT", 7).replace(" id=7", " id=8"),
            row(3, "DESTROY", "", 7),
            row(4, "DESTROY", "", 7).replace(" id=7", " id=8"),
        ]
        .concat();
        let state = ConnState::S0;
        assert_eq!(spans(&log(&numbered)), [(1, 1, 3, state), (2, 2, 4, state)]);
        let plain = numbered.replace(" id=7", "").replace(" id=8", "");
        assert_eq!(spans(&log(&plain)), [(1, 1, 2, state), (2, 2, 3, state)]);
        assert_eq!(further(&log(&plain)), 2);
        let other_zone = numbered.replacen(" id=8", " zone=1 id=7", 1).replace(" id=8", " id=7");
        assert_eq!(spans(&log(other_zone)), [(1, 1, 3, state), (2, 2, 4, state)]);
    }

    #[test]
    fn a_row_after_the_end_says_nothing_new() {
        let changes = [("NEW", "SYN_SENT"), ("DESTROY", ""), ("UPDATE", "ESTABLISHED")];
        let log = log(rows(&changes));
        assert_eq!((spans(&log), further(&log)), (vec![(1, 1, 2, ConnState::S0)], 2));
    }

    #[test]
    fn a_clock_set_back_ends_no_connection_before_it_began() {
        let text = [row(9, "NEW", "SYN_SENT", 1), row(5, "DESTROY", "", 1)].concat();
        assert_eq!(spans(&log(text)), [(1, 9, 9, ConnState::S0)]);
        let text = [row(9, "NEW", "SYN_SENT", 1), row(5, "UPDATE", "ESTABLISHED", 2)].concat();
        assert_eq!(spans(&log(text))[1], (2, 5, 5, ConnState::OTH));
    }

    #[test]
    fn an_echo_has_its_identifier_as_source_port() {
        let text = "[5.25] [NEW] icmp 1 30 src=10.0.0.2 dst=192.0.2.1 type=8 code=0 id=321 \
                    [UNREPLIED] src=192.0.2.1 dst=203.0.113.1 type=0 code=0 id=77 id=42\n";
        let [echo] = log(text).connections[..] else { panic!("one connection") };
        assert_eq!((echo.protocol, echo.is_query), (Protocol::Icmp, true));
        assert_eq!((echo.source.port(), echo.destination.port()), (321, 0));
    }

    #[test]
    fn a_listing_is_told_that_it_holds_no_times() {
        for (text, format) in LISTINGS {
            let error = read(text.as_bytes(), "ct.txt").expect_err("no times");
            let expected = format!(
                "ct.txt: a listing ({format}) holds no times: it says which connections there are, \
                 not when they began; capture events: conntrack -E -o timestamp,id"
            );
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_bad_row_is_malformed_and_the_others_are_read() {
        let real: Vec<&str> = EVENTS.lines().collect();
        for (bad, field, reason) in [
            (real[0].replace("[1795", "[99991795"), Some("timestamp"), Reason::OutOfRange),
            (real[0].replace("[1795", "[1.0] [1795"), Some("event"), Reason::NotEvent),
            (real[0][..60].to_owned(), Some("reply src"), Reason::Unset),
            (
                real[0].replace("id=946846565", &format!("id={}0", u64::MAX)),
                Some("entry id"),
                Reason::NotNumber,
            ),
            (real[0].replace("sport=40000", "sport=400000"), Some("sport"), Reason::NotPort),
        ] {
            let log = log([&bad, &*real[1..].join("\n")].join("\n"));
            let Malformed { line, field: actual, reason: why, .. } = &log.malformed[0];
            assert_eq!((*line, *actual, *why), (1, field, reason), "{bad}");
            assert_eq!((log.connections.len(), further(&log)), (8, 47), "{bad}");
            assert_eq!((log.earlier, log.connections[0].line), (1, 2), "its NEW is the bad row");
        }
        let log = log([EVENTS.as_bytes(), b"[1.0] [NEW] tcp \xff src=\n"].concat());
        assert_eq!((log.malformed_count, log.malformed[0].reason), (1, Reason::NotUtf8));
    }

    #[test]
    fn rows_without_number_are_tied_by_their_tuples() {
        let without: String = EVENTS
            .lines()
            .map(|line| line.rsplit_once(" id=").expect("a number").0.to_owned() + "\n")
            .collect();
        assert_eq!(log(without).connections, log(EVENTS).connections);
    }

    #[test]
    fn events_without_a_time_are_malformed() {
        let untimed: String = EVENTS.lines().map(|line| line[19..].to_owned() + "\n").collect();
        let log = log(untimed);
        assert_eq!((log.malformed_count, log.connections.len()), (56, 0));
        assert_eq!(log.malformed[0].to_string(), "line 1: timestamp is required and has no value");
    }

    /// Every row of a file that is read must be accounted for.
    fn accounts_for_every_row(bytes: &[u8]) -> Result<(), TestCaseError> {
        if let Ok(log) = Events.read(bytes, "ev.log") {
            let all = bytes.split(|byte| *byte == b'\n');
            let rows = all.filter(|line| !matches!(line, [] | [b'\r'])).count();
            let left_out: usize = log.left_out.values().sum();
            prop_assert_eq!(log.connections.len() + left_out + log.malformed_count, rows);
            prop_assert!(log.earlier <= log.connections.len());
            prop_assert_eq!(log.malformed.len(), log.malformed_count.min(5));
        }
        Ok(())
    }

    /// A row of one of three entries.
    fn any_row() -> impl Strategy<Value = String> {
        let change = prop::sample::select(vec!["NEW", "UPDATE", "DESTROY"]);
        let states = vec!["SYN_SENT", "ESTABLISHED", "TIME_WAIT", "CLOSE", "", "udp", "lost"];
        (0..9u64, change, prop::sample::select(states), 1..4u16)
            .prop_map(|(seconds, change, says, id)| row(seconds, change, says, id))
    }

    proptest! {
        #[test]
        fn any_rows_are_accounted_for(rows in prop::collection::vec(any_row(), 0..30)) {
            accounts_for_every_row(rows.concat().as_bytes())?;
        }

        #[test]
        fn mutated_real_events_are_accounted_for(
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..40usize, any::<prop::sample::Index>()), 1..12
            )
        ) {
            let mut file = EVENTS.as_bytes().to_vec();
            for (to, length, from) in edits {
                let (to, from) = (to.index(file.len() + 1), from.index(file.len() + 1));
                let piece = file[from..file.len().min(from + length)].to_vec();
                file.splice(to..file.len().min(to + length / 2), piece);
            }
            accounts_for_every_row(&file)?;
        }
    }
}
