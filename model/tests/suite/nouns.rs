//! Every noun is written and read as one text, by people and by serde alike.

use std::fmt::{Debug, Display};
use std::net::Ipv4Addr;
use std::str::FromStr;

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Event, IcmpError, InboundRule, Member, Outcome, PerTransport, Pool, SLOTS_MAX, Segment, Side,
    Signal, State, TcpTimers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::prefix::Prefix;
use natlaw_model::tiers::{Tier, TierTable};
use natlaw_model::time::{Duration, Instant};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::read;

/// Any noun that a person may type.
trait Noun: Display + Debug + PartialEq + FromStr<Err: Display> + Serialize + DeserializeOwned {}

impl<T> Noun for T where
    T: Display + Debug + PartialEq + FromStr<Err: Display> + Serialize + DeserializeOwned
{
}

/// The text reads back as the value, and serde writes and reads that very text.
fn round_trips<T: Noun>(value: &T) -> Result<(), TestCaseError> {
    let text = value.to_string();
    let read = text.parse::<T>().map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&read, value);
    let json = serde_json::to_string(value).unwrap();
    prop_assert_eq!(&json, &format!("\"{text}\""));
    prop_assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
    Ok(())
}

fn addresses() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from)
}

fn transports() -> impl Strategy<Value = Transport> {
    select(&Transport::ALL)
}

fn endpoints() -> impl Strategy<Value = Endpoint> {
    (addresses(), any::<u16>()).prop_map(|(address, port)| Endpoint::new(address, port))
}

fn five_tuples() -> impl Strategy<Value = FiveTuple> {
    (transports(), endpoints(), endpoints())
        .prop_map(|(transport, source, destination)| FiveTuple { transport, source, destination })
}

fn bindings() -> impl Strategy<Value = Binding> {
    (five_tuples(), endpoints()).prop_map(|(flow, external)| Binding { flow, external })
}

fn port_blocks() -> impl Strategy<Value = PortBlock> {
    (any::<u16>(), any::<u16>()).prop_map(|(a, b)| PortBlock::new(a.min(b), a.max(b)).unwrap())
}

fn durations() -> impl Strategy<Value = Duration> {
    let seconds = (0..10_000_u64).prop_map(Duration::from_secs);
    prop_oneof![seconds, any::<u64>().prop_map(Duration::from_millis)]
}

/// Rows in any order and size, of which those that make a lawful table are kept.
fn tier_tables() -> impl Strategy<Value = TierTable> {
    let rows = proptest::collection::vec((5_u32..=10, 1_u16..=1_600), 1..8);
    rows.prop_map(|mut rows| {
        rows.sort_unstable_by_key(|(exponent, _)| std::cmp::Reverse(*exponent));
        let mut tiers: Vec<Tier> = Vec::new();
        for (exponent, members) in rows {
            let ports = 1 << exponent;
            let members_max = members.min(50 * (1024 / ports));
            if tiers.last().is_none_or(|before| before.members_max < members_max) {
                tiers.push(Tier { members_max, ports });
            }
        }
        TierTable::new(tiers).unwrap()
    })
}

/// Runs of addresses and holes; where two runs meet, the first to name a member keeps it.
fn pools() -> impl Strategy<Value = Pool> {
    let start = prop_oneof![any::<u32>(), 0..40_u32, u32::MAX - 8..=u32::MAX];
    let run = (start, 0..6_u32).prop_map(|(start, length)| {
        let run = start..=start.saturating_add(length);
        run.map(|address| Some(Member(address.into()))).collect()
    });
    let holes = (1..3_usize).prop_map(|length| vec![None; length]);
    let part = prop_oneof![2 => run.boxed(), 1 => holes.boxed()];
    (proptest::collection::vec(part, 0..8), any::<u32>()).prop_map(|(parts, last)| {
        let mut slots: Vec<Option<Member>> = Vec::new();
        for slot in parts.into_iter().flatten().chain([Some(Member(last.into()))]) {
            if slot.is_none() || !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        Pool::new(slots).unwrap()
    })
}

fn inbound_rules() -> impl Strategy<Value = InboundRule> {
    (transports(), endpoints(), endpoints()).prop_map(|(transport, external, inside)| InboundRule {
        transport,
        external,
        inside,
    })
}

fn signals() -> impl Strategy<Value = Signal> {
    select(&[Signal::Open, Signal::Data, Signal::Finish, Signal::Reset])
}

fn segments() -> impl Strategy<Value = Segment> {
    (five_tuples(), signals()).prop_map(|(tuple, signal)| Segment { tuple, signal })
}

/// Texts that look like nouns, and some that do not.
fn texts() -> impl Strategy<Value = String> {
    let words = select(vec![
        "tcp",
        "udp",
        "icmp",
        "TCP",
        " ",
        "  ",
        "\t",
        "\u{a0}",
        ">",
        " > ",
        " as ",
        "as",
        ":",
        ": ",
        "-",
        ",",
        ", ",
        "hole",
        "open",
        "finish",
        "10.0.0.1",
        "10.0.0.1:1024",
        "203.0.113.2:80",
        "255.255.255.255",
        "0",
        "1",
        "00",
        "50",
        "1024",
        "65535",
        "65536",
        "4294967296",
        "+",
        "é",
        "0.0.0.0",
        "ms",
        "s",
        "min",
        "h",
        "18446744073709551615",
        "18446744073709551616",
        "𝟙",
        "\0",
    ]);
    let lookalikes = proptest::collection::vec(words, 0..9).prop_map(|words| words.concat());
    prop_oneof![lookalikes, any::<String>()]
}

/// The text is refused, or stands for a value whose own text reads back as the same.
fn is_read_or_refused<T: Noun>(text: &str) -> Result<(), TestCaseError> {
    match text.parse::<T>() {
        Ok(value) => round_trips(&value),
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            Ok(())
        }
    }
}

proptest! {
    #[test]
    fn a_transport_reads_back_as_itself(value in transports()) { round_trips(&value)?; }

    #[test]
    fn an_endpoint_reads_back_as_itself(value in endpoints()) { round_trips(&value)?; }

    #[test]
    fn a_five_tuple_reads_back_as_itself(value in five_tuples()) { round_trips(&value)?; }

    #[test]
    fn a_binding_reads_back_as_itself(value in bindings()) { round_trips(&value)?; }

    #[test]
    fn a_port_block_reads_back_as_itself(value in port_blocks()) { round_trips(&value)?; }

    #[test]
    fn a_duration_reads_back_as_itself(value in durations()) { round_trips(&value)?; }

    #[test]
    fn a_tier_table_reads_back_as_itself(value in tier_tables()) { round_trips(&value)?; }

    #[test]
    fn a_pool_with_holes_reads_back_as_itself(value in pools()) { round_trips(&value)?; }

    #[test]
    fn a_virtual_ip_and_a_member_read_back_as_themselves(address in addresses()) {
        round_trips(&VirtualIp(address))?;
        round_trips(&Member(address))?;
    }

    #[test]
    fn an_inbound_rule_reads_back_as_itself(value in inbound_rules()) { round_trips(&value)?; }

    #[test]
    fn a_segment_reads_back_as_itself(value in segments()) { round_trips(&value)?; }

    #[test]
    fn a_signal_reads_back_as_itself(value in signals()) { round_trips(&value)?; }

    #[test]
    fn any_text_is_read_or_refused_and_never_panics(text in texts()) {
        is_read_or_refused::<Transport>(&text)?;
        is_read_or_refused::<Endpoint>(&text)?;
        is_read_or_refused::<FiveTuple>(&text)?;
        is_read_or_refused::<Binding>(&text)?;
        is_read_or_refused::<PortBlock>(&text)?;
        is_read_or_refused::<Duration>(&text)?;
        is_read_or_refused::<TierTable>(&text)?;
        is_read_or_refused::<InboundRule>(&text)?;
        is_read_or_refused::<Segment>(&text)?;
        is_read_or_refused::<Signal>(&text)?;
    }
}

proptest! {
    // A text such as `0.0.0.0-0.0.255.255` stands for a pool of 65,536.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_a_pool_or_refused_and_never_panics(text in texts()) {
        if let Err(error) = text.parse::<Pool>() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// The texts are written exactly so.
#[test]
fn nouns_are_written_as_the_documentation_says() {
    let flow: FiveTuple = read("tcp 10.0.0.1:40000 > 198.51.100.1:443");
    let external: Endpoint = read("203.0.113.1:1024");
    let binding = Binding { flow, external };
    assert_eq!(binding.to_string(), "tcp 10.0.0.1:40000 > 198.51.100.1:443 as 203.0.113.1:1024");
    assert_eq!(binding.external_tuple().to_string(), "tcp 203.0.113.1:1024 > 198.51.100.1:443");
    assert_eq!(flow.reversed().to_string(), "tcp 198.51.100.1:443 > 10.0.0.1:40000");
    assert_eq!(PortBlock::ABOVE_WELL_KNOWN.to_string(), "1024-65535");
    assert_eq!(PortBlock::ABOVE_WELL_KNOWN.len(), 64_512);
    assert_eq!(PortBlock::single(80).to_string(), "80-80");
    assert_eq!(Duration::from_millis(1_500).to_string(), "1500ms");
    assert_eq!(Duration::from_millis(2_000).to_string(), "2s");
    assert_eq!(Duration::ZERO.to_string(), "0s");
    assert_eq!((Instant::START + Duration::from_secs(90)).to_string(), "90s");
    assert_eq!(read::<Instant>("90s"), Instant::START + Duration::from_secs(90));
    let pool = Pool::of_size(Ipv4Addr::new(10, 0, 0, 1), 4).unwrap();
    assert_eq!(pool.to_string(), "10.0.0.1-10.0.0.4");
    let with_a_hole = pool.left_by(Member(Ipv4Addr::new(10, 0, 0, 2))).unwrap();
    assert_eq!(with_a_hole.to_string(), "10.0.0.1, hole, 10.0.0.3-10.0.0.4");
    let segment = Segment::new(flow, Signal::Data);
    assert_eq!(segment.to_string(), "tcp 10.0.0.1:40000 > 198.51.100.1:443 data");
}

/// What a person may write in more ways than one.
#[test]
fn some_other_spellings_mean_the_same() {
    assert_eq!(read::<Duration>("4min"), Duration::from_secs(240));
    assert_eq!(read::<Duration>("2h"), Duration::from_secs(7_200));
    assert_eq!(read::<Duration>("1 s"), Duration::from_secs(1));
    assert_eq!(read::<Duration>("1s "), Duration::from_secs(1));
    assert_eq!(read::<Duration>("007ms"), Duration::from_millis(7));
    assert_eq!(read::<Duration>("18446744073709551615ms"), Duration::from_millis(u64::MAX));
    assert_eq!(read::<PortBlock>(" 1024 - 2047 "), PortBlock::new(1024, 2047).unwrap());
    assert_eq!(read::<Endpoint>("10.0.0.1:0080"), read("10.0.0.1:80"));
    assert_eq!(read::<Pool>(" 10.0.0.1 - 10.0.0.3 "), read("10.0.0.1,10.0.0.2, 10.0.0.3"));
    assert_eq!(read::<Pool>("10.0.0.1, hole, hole"), read("10.0.0.1"));
    assert_eq!(read::<TierTable>("1-50:1024,51-100:512"), read("1-50: 1024, 51-100: 512"));
    let silent: Segment = read("  udp  10.0.0.1:1\t>  198.51.100.1:53 ");
    assert_eq!(silent, read("udp 10.0.0.1:1 > 198.51.100.1:53 data"));
}

/// The text stands for nothing, and the error says so in these words.
#[track_caller]
fn refuses<T: Noun>(text: &str, expected: &str) {
    let actual = text.parse::<T>().expect_err(text).to_string();
    assert_eq!(actual, expected);
    let quoted = serde_json::to_string(text).unwrap();
    let through_serde = serde_json::from_str::<T>(&quoted).expect_err(text).to_string();
    assert!(through_serde.starts_with(expected), "{through_serde}");
}

#[test]
fn a_malformed_transport_is_refused() {
    for text in ["", "TCP", "tcp ", "sctp", "täzp"] {
        refuses::<Transport>(text, &format!("`{text}` is no transport: write tcp, udp or icmp"));
    }
}

#[test]
fn a_malformed_endpoint_is_refused() {
    let texts = [
        "",
        ":",
        "10.0.0.1",
        "10.0.0.1:",
        ":80",
        "10.0.0.1:+80",
        "10.0.0.1:-80",
        "10.0.0.1: 80",
        " 10.0.0.1:80",
        "10.0.0.1:80 ",
        "10.0.0.1:65536",
        "10.0.0.1:99999999999999999999",
        "10.0.0.1:8０",
        "10.0.0.1:http",
        "10.0.0.256:80",
        "10.0.0.01:80",
        "10.0.0:80",
        "::1:80",
        "example.org:80",
    ];
    for text in texts {
        refuses::<Endpoint>(text, &no_endpoint(text));
    }
}

#[test]
fn a_malformed_five_tuple_is_refused() {
    let shapes = [
        "",
        "tcp",
        "tcp 10.0.0.1:1",
        "tcp 10.0.0.1:1 >",
        "tcp 10.0.0.1:1 198.51.100.1:443",
        "tcp 10.0.0.1:1>198.51.100.1:443",
        "tcp 10.0.0.1:1 < 198.51.100.1:443",
        "tcp 10.0.0.1:1 → 198.51.100.1:443",
        "tcp 10.0.0.1:1 > 198.51.100.1:443 open",
    ];
    for text in shapes {
        refuses::<FiveTuple>(text, &no_flow(text));
    }
    refuses::<FiveTuple>("tcp a > b", &no_endpoint("a"));
    refuses::<FiveTuple>("tcp 10.0.0.1:1 > b", &no_endpoint("b"));
    refuses::<FiveTuple>("tcp 10.0.0.1:1 > 198.51.100.1:+80", &no_endpoint("198.51.100.1:+80"));
    refuses::<FiveTuple>("tpc a > b", "`tpc` is no transport: write tcp, udp or icmp");
}

#[test]
fn a_malformed_binding_is_refused() {
    for text in ["", "as", "tcp 10.0.0.1:1 > 198.51.100.1:443", "a as", "as b"] {
        refuses::<Binding>(
            text,
            &format!("`{text}` is no binding: write a flow, `as` and its external endpoint"),
        );
    }
    refuses::<Binding>("a as b", &no_flow("a"));
    refuses::<Binding>("tcp 10.0.0.1:1 > 198.51.100.1:443 as b", &no_endpoint("b"));
    refuses::<Binding>(
        "tcp 10.0.0.1:1 > 198.51.100.1:443 as 203.0.113.1:1 as 203.0.113.1:2",
        &no_endpoint("203.0.113.1:1 as 203.0.113.1:2"),
    );
}

#[test]
fn a_malformed_inbound_rule_is_refused() {
    for text in ["", "tcp 203.0.113.1:80", "tcp 203.0.113.1:80 - 10.0.0.1:8080"] {
        refuses::<InboundRule>(text, &no_flow(text));
    }
    refuses::<InboundRule>("tcp 203.0.113.1 > 10.0.0.1:8080", &no_endpoint("203.0.113.1"));
    refuses::<InboundRule>("any a > b", "`any` is no transport: write tcp, udp or icmp");
}

#[test]
fn a_malformed_segment_or_signal_is_refused() {
    for text in ["", "OPEN", "open ", "syn", "öffne"] {
        refuses::<Signal>(text, &no_signal(text));
    }
    refuses::<Segment>("", &no_flow(""));
    refuses::<Segment>("open", &no_flow("open"));
    refuses::<Segment>("tcp a > b", &no_signal("b"));
    refuses::<Segment>("tcp 10.0.0.1:1 > 198.51.100.1:443 syn", &no_signal("syn"));
    refuses::<Segment>("tcp 10.0.0.1:1 > 198.51.100.1:65536", &no_endpoint("198.51.100.1:65536"));
    refuses::<Segment>("tcp 10.0.0.1:1 open", &no_flow("tcp 10.0.0.1:1"));
    let twice = "tcp 10.0.0.1:1 > 198.51.100.1:443 open data";
    refuses::<Segment>(twice, &no_flow("tcp 10.0.0.1:1 > 198.51.100.1:443 open"));
}

#[test]
fn a_malformed_port_block_is_refused() {
    let shapes =
        ["", "-", "1024", "1024-", "-1024", "+1-2", "1-+2", "1-65536", "1024–2047", "a-b", "1-2-3"];
    for text in shapes {
        refuses::<PortBlock>(
            text,
            &format!("`{text}` is no port block: write its first and last port, such as 1024-2047"),
        );
    }
    refuses::<PortBlock>(
        "2000-1000",
        "`2000-1000` is an empty port block: the first port is above the last",
    );
}

#[test]
fn a_malformed_duration_is_refused() {
    let shapes = ["", "s", "240", " 1s", "-1s", "+1s", "1.5s", "1S", "1 m", "1d", "1s2s", "٣s"];
    for text in shapes {
        refuses::<Duration>(
            text,
            &format!(
                "`{text}` is no length of time: write a whole number and a unit (ms, s, min or \
                 h), such as 240s"
            ),
        );
    }
    for text in ["18446744073709551616s", "18446744073709551616ms", "18446744073709552s"] {
        refuses::<Duration>(
            text,
            &format!("`{text}` is too long: at most 18446744073709551615 ms can be told"),
        );
    }
}

#[test]
fn a_malformed_tier_table_is_refused() {
    let shapes =
        ["", "1-50", "1-50: ", "50: 1024", "1-50 1024", "1-50: 1024,", "1–50: 1024", "1-50: 65536"];
    let signs = ["+1-50: 1024", "1-+50: 1024", "1-50: +1024"];
    for text in shapes.into_iter().chain(signs) {
        refuses::<TierTable>(
            text,
            &format!(
                "`{text}` is no tier table: write pool sizes and ports, such as \
                 `1-50: 1024, 51-100: 512`"
            ),
        );
    }
}

#[test]
fn a_malformed_pool_is_refused() {
    let shapes = [
        "",
        ",",
        "10.0.0.1,",
        "10.0.0.5-10.0.0.1",
        "10.0.0.1-",
        "10.0.0.1-5",
        "10.0.0.0/24",
        "Hole",
        "holes",
        "10.0.0.1 10.0.0.2",
        "10.0.0.1–10.0.0.2",
        "10.0.0.1-10.0.0.2-10.0.0.3",
    ];
    for text in shapes {
        refuses::<Pool>(
            text,
            &format!(
                "`{text}` is no pool: write addresses, ranges of addresses and holes, such as \
                 `10.0.0.1-10.0.0.50, hole, 10.0.0.52`"
            ),
        );
    }
    refuses::<Pool>("hole", "a pool needs at least one member");
    refuses::<Pool>("hole, hole", "a pool needs at least one member");
    for text in ["10.0.0.1, 10.0.0.1", "10.0.0.1, hole, 10.0.0.1", "10.0.0.1-10.0.0.3, 10.0.0.1"] {
        refuses::<Pool>(text, "10.0.0.1 stands in the pool twice");
    }
}

/// 2^32 addresses would take long and much memory to list; the refusal takes neither.
#[test]
fn a_pool_of_every_address_is_refused_at_once() {
    let before = std::time::Instant::now();
    let expected = "65537 slots are more than a pool may have (65536)";
    refuses::<Pool>("0.0.0.0-255.255.255.255", expected);
    let many = ["0.0.0.0-255.255.255.255"; 1_000].join(",");
    refuses::<Pool>(&many, expected);
    refuses::<Pool>("0.0.0.0-0.1.0.0", expected);
    assert!(before.elapsed().as_secs() < 5);
    assert_eq!(read::<Pool>("0.0.0.0-0.0.255.255").slots().len(), SLOTS_MAX);
}

#[test]
fn a_pool_of_a_size_follows_its_first_address_or_is_refused() {
    let of_size = |first: &str, count| Pool::of_size(read(first), count).map_err(|e| e.to_string());
    let refused = |error: &str| Err(error.to_owned());
    assert_eq!(of_size("10.0.0.1", 3), Ok(read("10.0.0.1-10.0.0.3")));
    assert_eq!(of_size("255.255.255.253", 3), Ok(read("255.255.255.253-255.255.255.255")));
    assert_eq!(
        of_size("255.255.255.253", 4),
        refused("4 members from 255.255.255.253 on would pass the last address")
    );
    assert_eq!(of_size("10.0.0.1", 0), refused("a pool needs at least one member"));
    assert_eq!(
        of_size("10.0.0.1", 65_537),
        refused("65537 slots are more than a pool may have (65536)")
    );
    assert_eq!(
        of_size("10.0.0.1", usize::MAX),
        refused(&format!("{} slots are more than a pool may have (65536)", usize::MAX))
    );
}

#[test]
fn a_member_that_leaves_leaves_a_hole_and_a_joiner_takes_the_lowest() {
    let member = |text: &str| Member(read(text));
    let pool: Pool = read("10.0.0.1-10.0.0.5");
    let left = pool.left_by(member("10.0.0.4")).unwrap().left_by(member("10.0.0.2")).unwrap();
    assert_eq!(left, read("10.0.0.1, hole, 10.0.0.3, hole, 10.0.0.5"));
    let joined = left.joined_by(member("10.0.0.9")).unwrap();
    assert_eq!(joined, read("10.0.0.1, 10.0.0.9, 10.0.0.3, hole, 10.0.0.5"));
    assert_eq!(joined.slot_of(member("10.0.0.9")), Some(1));
    assert_eq!(joined.member_in(3), None);
    assert_eq!(left.left_by(member("10.0.0.2")).unwrap(), left);
    assert_eq!(left.left_by_newest().unwrap(), read("10.0.0.1, hole, 10.0.0.3"));
    assert_eq!(pool.joined_by(member("10.0.0.9")).unwrap(), read("10.0.0.1-10.0.0.5, 10.0.0.9"));
    let twice = left.joined_by(member("10.0.0.1")).unwrap_err().to_string();
    assert_eq!(twice, "10.0.0.1 stands in the pool twice");
    let full: Pool = read("0.0.0.0-0.0.255.255");
    assert_eq!(
        full.joined_by(member("10.0.0.1")).unwrap_err().to_string(),
        "65537 slots are more than a pool may have (65536)"
    );
    let alone: Pool = read("10.0.0.1");
    assert_eq!(
        alone.left_by(member("10.0.0.1")).unwrap_err().to_string(),
        "a pool needs at least one member"
    );
}

#[test]
fn a_port_block_of_a_length_ends_at_the_last_port_or_is_none() {
    assert_eq!(PortBlock::from_len(1024, 1024), Some(read("1024-2047")));
    assert_eq!(PortBlock::from_len(0, 65_536), Some(read("0-65535")));
    assert_eq!(PortBlock::from_len(65_535, 1), Some(read("65535-65535")));
    assert_eq!(PortBlock::from_len(65_535, 2), None);
    assert_eq!(PortBlock::from_len(0, 0), None);
    assert_eq!(PortBlock::from_len(1, 0), None);
    assert_eq!(PortBlock::from_len(1, u32::MAX), None);
}

fn no_endpoint(text: &str) -> String {
    format!(
        "`{text}` is no endpoint: write an IPv4 address, a colon and a port from 0 to 65535, such \
         as 203.0.113.1:443"
    )
}

fn no_flow(text: &str) -> String {
    format!(
        "`{text}` is no flow: write transport, source, > and destination, such as tcp \
         10.0.0.1:40000 > 198.51.100.1:443"
    )
}

fn no_signal(text: &str) -> String {
    format!("`{text}` is no signal: write open, data, finish or reset")
}

#[test]
fn two_blocks_overlap_where_they_share_a_port() {
    let block = |text: &str| read::<PortBlock>(text);
    let middle = block("100-199");
    for (other, overlaps, covers) in [
        ("0-99", false, false),
        ("0-100", true, false),
        ("100-100", true, true),
        ("150-150", true, true),
        ("100-199", true, true),
        ("99-199", true, false),
        ("100-200", true, false),
        ("199-300", true, false),
        ("200-300", false, false),
    ] {
        assert_eq!(middle.overlaps(block(other)), overlaps, "{other}");
        assert_eq!(block(other).overlaps(middle), overlaps, "{other}");
        assert_eq!(middle.covers(block(other)), covers, "{other}");
    }
}

#[test]
fn a_length_is_told_in_milliseconds() {
    assert_eq!(read::<Duration>("2s").millis(), 2_000);
    assert_eq!(Duration::ZERO.millis(), 0);
}

#[test]
fn a_table_shows_its_tiers() {
    let table: TierTable = read("1-50: 1024, 51-100: 512");
    let tiers = table.tiers().iter().map(|tier| (tier.members_max, tier.ports));
    assert_eq!(tiers.collect::<Vec<_>>(), [(50, 1024), (100, 512)]);
}

#[test]
fn an_event_and_its_answer_read_as_a_line() {
    let nat = crate::nat(1, "10.0.0.1", crate::on_demand("1024-1025"));
    let tuple = read::<FiveTuple>("tcp 10.0.0.1:5 > 198.51.100.1:443");
    let binding = Binding { flow: tuple, external: read("203.0.113.1:1024") };
    let events = [
        Event::outbound(tuple, Signal::Open),
        Event::inbound(tuple.reversed(), Signal::Data),
        Event::Elapse(read("4s")),
        Event::reconfigure(nat),
    ];
    assert_eq!(
        events.map(|event| event.to_string()),
        [
            "outbound tcp 10.0.0.1:5 > 198.51.100.1:443 open",
            "inbound tcp 198.51.100.1:443 > 10.0.0.1:5 data",
            "elapse 4s",
            "reconfigure: 1 member of 1 virtual IP, 2 ports shared by all members",
        ]
    );
    let stranded = |stranded| Outcome::Reconfigured { stranded }.to_string();
    assert_eq!(stranded(vec![]), "none stranded");
    assert_eq!(stranded(vec![binding]), "stranded: 1");
}

#[test]
fn a_pool_has_a_largest_size() {
    let first = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(Pool::of_size(first, SLOTS_MAX).unwrap().members().count(), SLOTS_MAX);
    assert!(Pool::of_size(first, SLOTS_MAX + 1).is_err());
}

#[test]
fn some_policies_tie_members_to_one_virtual_ip() {
    use natlaw_model::nat::PortPolicy;
    let ties = |policy: PortPolicy| policy.ties_members_to_one_virtual_ip();
    assert!(ties(PortPolicy::Static) && ties(PortPolicy::Dynamic));
    assert!(ties(crate::manual(8, "1024-1031")));
    assert!(!ties(crate::fixed(8, "1024-1031")) && !ties(crate::on_demand("1024-1031")));
    assert!(!ties(crate::doubling(8, 16, "1024-1031")));
    assert!(!ties(crate::guaranteed(8, "1024-1031", "1032-1039")));
}

#[test]
fn a_member_has_candidates() {
    let nat = crate::nat(2, "10.0.0.1", crate::on_demand("1024-1025"));
    let candidates = nat.candidates(read("tcp 10.0.0.1:5 > 198.51.100.1:443")).unwrap();
    assert_eq!(candidates.len(), 4);
}

#[test]
fn a_prefix_reads_back_as_itself_and_covers_its_addresses() {
    for (text, inside, outside) in [
        ("198.51.100.0/24", "198.51.100.255", "198.51.101.0"),
        ("198.51.100.128/25", "198.51.100.128", "198.51.100.127"),
        ("198.51.100.7/32", "198.51.100.7", "198.51.100.6"),
        ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
    ] {
        let prefix: Prefix = read(text);
        assert_eq!(prefix.to_string(), text);
        assert!(prefix.contains(read(inside)) && !prefix.contains(read(outside)), "{text}");
    }
    assert!(read::<Prefix>("0.0.0.0/0").contains(read("203.0.113.9")));
    assert_eq!(read::<Prefix>("198.51.100.7"), Prefix::from(Ipv4Addr::new(198, 51, 100, 7)));
    for (text, told) in [
        (
            "198.51.100.7/24",
            "`198.51.100.7/24` has bits beyond its length: write `198.51.100.0/24`",
        ),
        ("198.51.100.0/33", "`198.51.100.0/33` is no range of addresses: write `198.51.100.0/24`"),
        ("198.51.100/24", "`198.51.100/24` is no range of addresses: write `198.51.100.0/24`"),
        ("198.51.100.0/", "`198.51.100.0/` is no range of addresses: write `198.51.100.0/24`"),
    ] {
        assert_eq!(text.parse::<Prefix>().unwrap_err().to_string(), told);
    }
}

#[test]
fn an_icmp_error_reads_back_as_itself() {
    let text = "198.51.100.7 > 203.0.113.1 about tcp 203.0.113.1:1024 > 198.51.100.1:443";
    let error: IcmpError = read(text);
    assert_eq!(error.to_string(), text);
    assert_eq!((error.from, error.to), (read("198.51.100.7"), read("203.0.113.1")));
    let at_once = IcmpError::unreachable(error.quoted);
    assert_eq!((at_once.from, at_once.to), (read("198.51.100.1"), read("203.0.113.1")));
    for text in ["", "a > b about c", "198.51.100.7 > 203.0.113.1", "198.51.100.7 about tcp x"] {
        let told = text.parse::<IcmpError>().unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("`{text}` is no ICMP error: write `198.51.100.7")),
            "{told}"
        );
    }
    let flow = "198.51.100.7 > 203.0.113.1 about tcp 203.0.113.1:1024";
    assert!(flow.parse::<IcmpError>().unwrap_err().to_string().contains("203.0.113.1:1024"));
    let events = [Event::OutboundError(error), Event::InboundError(error)];
    assert_eq!(
        events.map(|event| event.to_string()),
        [format!("outbound error {text}"), format!("inbound error {text}")]
    );
    assert_eq!(Outcome::ErrorForwarded(error).to_string(), format!("forwarded {text}"));
    assert_eq!(
        Outcome::Elapsed { sent: vec![error, error] }.to_string(),
        format!("{text}, {text}")
    );
    assert_eq!(Outcome::ELAPSED.to_string(), "");
}

#[test]
fn a_state_of_a_flow_has_a_name() {
    let states = [
        State::Open,
        State::HalfOpen,
        State::Established,
        State::OneSideClosed(Side::Inside),
        State::OneSideClosed(Side::Outside),
        State::TimeWait,
        State::Reset,
    ];
    assert_eq!(
        states.map(|state| state.to_string()),
        [
            "open",
            "half-open",
            "established",
            "closed by the inside",
            "closed by the outside",
            "time-wait",
            "reset"
        ]
    );
}

/// One value for all transports, or a table with one for each.
#[test]
fn what_is_declared_for_each_transport_is_written_as_short_as_it_can() {
    let alike: PerTransport<bool> = serde_json::from_str("true").unwrap();
    assert_eq!(serde_json::to_string(&alike).unwrap(), "true");
    let told = r#"{"tcp":true,"udp":false,"icmp":true}"#;
    let apart: PerTransport<bool> = serde_json::from_str(told).unwrap();
    assert_eq!(Transport::ALL.map(|transport| apart.of(transport)), [true, false, true]);
    assert_eq!(serde_json::to_string(&apart).unwrap(), told);
    let last = r#"{"tcp":true,"udp":true,"icmp":false}"#;
    let apart: PerTransport<bool> = serde_json::from_str(last).unwrap();
    assert_eq!(serde_json::to_string(&apart).unwrap(), last);
    let error = serde_json::from_str::<PerTransport<bool>>("3").unwrap_err().to_string();
    let expected = "one value for all transports, or a table with tcp, udp and icmp";
    assert!(error.contains(expected), "{error}");
}

/// A length for the states in which a flow is open, or a table with one for each state.
#[test]
fn the_timers_of_tcp_are_written_as_short_as_they_can() {
    let while_open: TcpTimers = serde_json::from_str(r#""240s""#).unwrap();
    assert_eq!(while_open, TcpTimers::while_open(read("240s")));
    assert_eq!(serde_json::to_string(&while_open).unwrap(), r#""240s""#);
    let told = r#"{"half_open":"1s","established":"2s","one_side_closed":"3s","time_wait":"4s","reset":"5s"}"#;
    let each: TcpTimers = serde_json::from_str(told).unwrap();
    assert_eq!(serde_json::to_string(&each).unwrap(), told);
    let short = r#"{"half_open":"2s","established":"2s","one_side_closed":"2s"}"#;
    let open: TcpTimers = serde_json::from_str(short).unwrap();
    assert_eq!(open, TcpTimers::while_open(read("2s")));
    let error = serde_json::from_str::<TcpTimers>("3").unwrap_err().to_string();
    let expected = "a length of time such as `240s`, or a table with one for each state";
    assert!(error.contains(expected), "{error}");
}
