use natlaw_model::flow::FiveTuple;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const TABLE: &str = include_str!("../../data/conntrack/conntrack-L.txt");
const EXTENDED: &str = include_str!("../../data/conntrack/conntrack-L-extended.txt");
const PROC: &str = include_str!("../../data/conntrack/proc_nf_conntrack.txt");
const EVENTS: &str = include_str!("../../data/conntrack/ev.log");

/// The configuration that the captures were made under.
const GIVEN: &str = r#"
virtual_ips = ["203.0.113.1"]
pool = "10.0.0.2-10.0.0.3"
ports = { on-demand = "1024-1027" }
"#;

const SHARING: &str = "no_two_flows_share_an_external_tuple";
const KEEPING: &str = "a_live_flow_keeps_its_external_endpoint";
const RANGE: &str = "no_port_is_taken_from_outside_the_usable_range";

fn nat(text: &str) -> Nat {
    subject::read(text.as_bytes()).expect("a configuration")
}

fn try_judge(text: &[u8], given: Option<&str>) -> Result<(Conntrack, Judged), InputError> {
    let log = conntrack::read(text, "ct.log").map_err(InputError::Log)?;
    let judged = judge(&log, "ct.log", given.map(nat), 0, &mut |_| {})?;
    Ok((log, judged))
}

fn judged(text: &str, given: Option<&str>) -> Judged {
    try_judge(text.as_bytes(), given).expect("a judgement").1
}

/// The broken laws, each with its step and line.
fn broken(judged: &Judged) -> Vec<(&'static str, usize, usize)> {
    judged.breaches.iter().map(|breach| (breach.law, breach.step, breach.entry.line)).collect()
}

fn laws_broken(text: &str, given: Option<&str>) -> Vec<&'static str> {
    judged(text, given).breaches.iter().map(|breach| breach.law).collect()
}

/// The tuples of an entry, written `udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:2`.
fn entry(binding: &str) -> String {
    let (flow, external) = binding.split_once(" as ").expect("a binding");
    let flow: FiveTuple = flow.parse().expect("a flow");
    let (external, port) = external.split_once(':').expect("an endpoint");
    let (source, destination) = (flow.source, flow.destination);
    let (from, to) = (source.address, destination.address);
    match flow.transport.to_string().as_str() {
        "icmp" => format!(
            "icmp 1 30 src={from} dst={to} type=8 code=0 id={} src={to} dst={external} type=0 \
             code=0 id={port}",
            source.port
        ),
        transport => format!(
            "{transport} {} 30 src={from} dst={to} sport={} dport={} src={to} dst={external} \
             sport={} dport={port}",
            if transport == "tcp" { 6 } else { 17 },
            source.port,
            destination.port,
            destination.port
        ),
    }
}

fn table(bindings: &[&str]) -> String {
    bindings.iter().map(|binding| entry(binding) + "\n").collect()
}

/// A log of events a second apart, each written `NEW udp ...`.
fn events(events: &[&str]) -> String {
    let line = |(second, event): (usize, &&str)| {
        let (change, binding) = event.split_once(' ').expect("an event");
        format!("[{second}.0]\t [{change}] {}\n", entry(binding))
    };
    events.iter().enumerate().map(line).collect()
}

fn tested(judged: &Judged) -> Vec<(&'static str, usize)> {
    judged.verdicts.iter().map(|verdict| (verdict.law, verdict.tested)).collect()
}

#[test]
fn the_captures_hold_with_the_configuration_they_were_made_under() {
    for (text, kept, steps) in [(TABLE, 0, 8), (EXTENDED, 0, 8), (PROC, 0, 8), (EVENTS, 48, 59)] {
        let judged = judged(text, Some(GIVEN));
        let expected = [
            (SHARING, 8),
            ("a_packet_leaves_from_a_virtual_ip", 8 + kept),
            ("a_member_uses_only_its_own_ports", 8),
            (RANGE, 8),
            ("the_port_of_an_inbound_rule_is_never_given", 8),
            ("the_group_of_an_inbound_rule_is_never_given", 0),
            ("a_reserved_port_is_never_given", 0),
            ("a_shared_port_comes_out_of_nobodys_guarantee", 0),
            ("a_leased_virtual_ip_serves_one_member", 0),
            ("a_member_stays_on_the_virtual_ip_it_leases", 0),
            ("a_paired_member_stays_on_one_virtual_ip", 0),
            (KEEPING, kept),
            ("flows_of_one_mapping_share_an_external_endpoint", 0),
        ];
        assert_eq!(tested(&judged), expected);
        assert_eq!((broken(&judged), judged.steps, judged.entries), (vec![], steps, 8 + kept));
        assert!(judged.left_out.is_empty() && judged.backwards == 0);
    }
}

#[test]
fn the_captures_hold_by_themselves() {
    for (text, kept) in [(TABLE, 0), (EXTENDED, 0), (PROC, 0), (EVENTS, 48)] {
        let judged = judged(text, None);
        assert_eq!(tested(&judged), [(SHARING, 8), (KEEPING, kept)]);
        assert_eq!(broken(&judged), []);
        let seen = "2 members of 1 virtual IP, 65535 ports shared by all members";
        assert_eq!(judged.nat.to_string(), seen);
    }
    assert_eq!(judged(EVENTS, None).lasted.to_string(), "19622ms");
}

/// The eighth entry goes to 203.0.113.10 by port 1024; here by 1027, as the second does.
#[test]
fn a_port_given_twice_is_caught() {
    for text in [TABLE, EXTENDED, PROC] {
        let (rest, last) = text.trim_end().rsplit_once('\n').expect("lines");
        let text = format!("{rest}\n{}", last.replace("dport=1024", "dport=1027"));
        for given in [None, Some(GIVEN)] {
            let judged = judged(&text, given);
            assert_eq!(broken(&judged), [(SHARING, 8, 8)]);
            let breach = &judged.breaches[0];
            assert_eq!(breach.against.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2]);
        }
    }
    let flow = "10.0.0.3 dst=203.0.113.10 sport=40000";
    let twice = |line: &str| match line.contains(flow) {
        true => line.replace("dport=1025", "dport=1026"),
        false => line.into(),
    };
    let text: Vec<_> = EVENTS.lines().map(twice).collect();
    let (judged, line) = (judged(&text.join("\n"), None), 19);
    assert_eq!(broken(&judged), [(SHARING, line, line)]);
    assert_eq!(judged.breaches[0].against[0].line, 1);
}

#[test]
fn a_port_out_of_range_is_caught_where_the_range_is_known() {
    let text = TABLE.replacen("dport=1026", "dport=1028", 1);
    let expected = [("a_member_uses_only_its_own_ports", 3, 3), (RANGE, 3, 3)];
    assert_eq!(broken(&judged(&text, Some(GIVEN))), expected);
    assert_eq!(broken(&judged(&text, None)), []);
}

#[test]
fn every_law_that_is_decided_can_be_broken() {
    let blocks =
        GIVEN.replace("on-demand = \"1024-1027\"", "fixed = { ports = 2, usable = \"1024-1027\" }");
    let rule = format!("{GIVEN}\ninbound_rules = [\"tcp 203.0.113.1:1024 > 10.0.0.2:22\"]");
    let leased = GIVEN.replace("{ on-demand = \"1024-1027\" }", "\"dynamic\"");
    let leased = leased.replace("\"203.0.113.1\"", "\"203.0.113.1\", \"203.0.113.2\"");
    let shared = format!("{GIVEN}\nmapping = \"endpoint-independent\"\nport_reuse = \"never\"");
    let one = "tcp 10.0.0.2:1 > 192.0.2.1:443 as 203.0.113.1:1024";
    for (law, given, bindings) in [
        (SHARING, None, [one, "tcp 10.0.0.3:1 > 192.0.2.1:443 as 203.0.113.1:1024"]),
        (KEEPING, None, [one, "tcp 10.0.0.2:1 > 192.0.2.1:443 as 203.0.113.1:1025"]),
        (RANGE, Some(GIVEN), [one, "tcp 10.0.0.2:2 > 192.0.2.1:443 as 203.0.113.1:1023"]),
        (
            "a_packet_leaves_from_a_virtual_ip",
            Some(GIVEN),
            [one, "tcp 10.0.0.2:2 > 192.0.2.1:443 as 203.0.113.2:1024"],
        ),
        (
            "a_member_uses_only_its_own_ports",
            Some(&blocks),
            [one, "tcp 10.0.0.3:1 > 192.0.2.1:443 as 203.0.113.1:1025"],
        ),
        (
            "the_port_of_an_inbound_rule_is_never_given",
            Some(&rule),
            [one, "tcp 10.0.0.3:1 > 192.0.2.1:443 as 203.0.113.1:1025"],
        ),
        (
            "a_leased_virtual_ip_serves_one_member",
            Some(&leased),
            [
                "tcp 10.0.0.2:1 > 192.0.2.1:443 as 203.0.113.1:1",
                "tcp 10.0.0.3:2 > 192.0.2.1:443 as 203.0.113.1:2",
            ],
        ),
        (
            "a_member_stays_on_the_virtual_ip_it_leases",
            Some(&leased),
            [
                "tcp 10.0.0.2:1 > 192.0.2.1:443 as 203.0.113.1:1",
                "tcp 10.0.0.2:2 > 192.0.2.1:443 as 203.0.113.2:2",
            ],
        ),
        (
            "flows_of_one_mapping_share_an_external_endpoint",
            Some(&shared),
            [one, "tcp 10.0.0.2:1 > 192.0.2.2:443 as 203.0.113.1:1025"],
        ),
    ] {
        let given: Option<&str> = given.map(AsRef::as_ref);
        assert!(laws_broken(&table(&bindings), given).contains(&law), "{law}");
        let is_judged = laws(given.is_some()).iter().any(|judged| judged.name == law);
        assert!(is_judged);
    }
}

#[test]
fn a_key_is_free_once_its_entry_is_gone_and_not_before() {
    for transport in ["tcp", "udp", "icmp"] {
        let port = if transport == "icmp" { 0 } else { 53 };
        let one = format!("{transport} 10.0.0.2:1 > 192.0.2.1:{port} as 203.0.113.1:9");
        let two = format!("{transport} 10.0.0.3:1 > 192.0.2.1:{port} as 203.0.113.1:9");
        let say = |what: &str, binding: &str| format!("{what} {binding}");
        let (begin, end, next) = (say("NEW", &one), say("DESTROY", &one), say("NEW", &two));
        let again = judged(&events(&[&begin, &end, &next]), None);
        assert_eq!(broken(&again), [], "{transport}");
        assert_eq!(tested(&again), [(SHARING, 2), (KEEPING, 1)], "{transport}");
        assert_eq!(laws_broken(&events(&[&begin, &next, &end]), None), [SHARING], "{transport}");
        let back = say("NEW", &one);
        assert_eq!(laws_broken(&events(&[&begin, &end, &back, &next]), None), [SHARING]);
        assert_eq!(laws_broken(&events(&[&begin, &end, &next, &back]), None), [SHARING]);
    }
}

#[test]
fn a_flow_may_come_back_by_another_port() {
    for transport in ["tcp", "udp"] {
        let by = |what: &str, port| {
            format!("{what} {transport} 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:{port}")
        };
        let lawful = [by("NEW", 9), by("DESTROY", 9), by("NEW", 8), by("UPDATE", 8)];
        assert_eq!(laws_broken(&events(&lawful.each_ref().map(String::as_str)), None), [""; 0]);
        let moved = [by("NEW", 9), by("UPDATE", 8)];
        let judged = judged(&events(&moved.each_ref().map(String::as_str)), None);
        assert_eq!(broken(&judged), [(KEEPING, 3, 2)]);
        assert_eq!(judged.breaches[0].against[0].line, 1);
    }
}

/// Two flows of one mapping: the endpoint is held until both are gone.
#[test]
fn a_mapping_is_over_with_its_last_flow() {
    let given = format!("{GIVEN}\nmapping = \"endpoint-independent\"\nport_reuse = \"never\"");
    let (one, two) = (
        "udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:1024",
        "udp 10.0.0.2:1 > 192.0.2.2:53 as 203.0.113.1:1024",
    );
    let other = "NEW udp 10.0.0.3:1 > 192.0.2.3:53 as 203.0.113.1:1024";
    let say = |what: &str, binding: &str| format!("{what} {binding}");
    let both = [say("NEW", one), say("NEW", two), say("DESTROY", one)];
    let [begin, join, end] = both.each_ref().map(String::as_str);
    assert_eq!(laws_broken(&events(&[begin, join, end, other]), Some(&given)), [SHARING]);
    let last = say("DESTROY", two);
    assert_eq!(laws_broken(&events(&[begin, join, end, &last, other]), Some(&given)), [""; 0]);
}

#[test]
fn a_lease_ends_with_its_last_entry() {
    let given = GIVEN.replace("{ on-demand = \"1024-1027\" }", "\"dynamic\"");
    let one = "NEW udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:1";
    let two = "NEW udp 10.0.0.3:2 > 192.0.2.1:53 as 203.0.113.1:2";
    let end = one.replace("NEW", "DESTROY");
    assert_eq!(laws_broken(&events(&[one, &end, two]), Some(&given)), [""; 0]);
    let lease = "a_leased_virtual_ip_serves_one_member";
    assert_eq!(laws_broken(&events(&[one, two]), Some(&given)), [lease]);
}

#[test]
fn closing_states_hold_the_key() {
    let next = EVENTS.lines().next().expect("a line").replace("10.0.0.2", "10.0.0.9");
    let judged = judged(&format!("{EVENTS}{next}"), None);
    assert_eq!(broken(&judged), [(SHARING, 60, 57)]);
    assert_eq!(judged.backwards, 1);
}

#[test]
fn what_is_not_judged_is_counted_by_reason() {
    let plain = "udp 10.0.0.2:1 > 192.0.2.1:53 as 10.0.0.2:1";
    let inside = entry("udp 198.51.100.1:1 > 203.0.113.1:53 as 203.0.113.1:2");
    let lines = [
        TABLE.trim_end().to_owned(),
        entry(plain),
        inside.replace("src=203.0.113.1", "src=10.0.0.2"),
        entry("udp 203.0.113.1:1 > 192.0.2.1:53 as 203.0.113.1:2"),
        format!("{} zone=5", entry("udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:2")),
        entry("udp 10.1.0.2:1 > 192.0.2.1:53 as 203.0.113.7:2"),
        "conntrack v1.4.7 (conntrack-tools): 12 flow entries have been shown.".to_owned(),
        "x".to_owned(),
    ];
    let (log, judged) = try_judge(lines.join("\n").as_bytes(), Some(GIVEN)).expect("a judgement");
    let expected = [
        LeftOut::Unread(log::LeftOut::Summary),
        LeftOut::OtherZone,
        LeftOut::NotTranslated,
        LeftOut::DestinationTranslated,
        LeftOut::FromOutside,
        LeftOut::OtherTranslator,
    ];
    assert_eq!(judged.left_out, expected.map(|why| (why, 1)).into());
    assert_eq!((judged.entries, log.lines(), log.malformed_count), (8, 15, 1));
    assert_eq!(broken(&judged), []);
}

#[test]
fn the_end_of_what_was_never_seen_is_left_out() {
    let text = events(&[
        "DESTROY tcp 10.0.0.2:1 > 192.0.2.1:443 as 203.0.113.1:9",
        "UPDATE tcp 10.0.0.2:2 > 192.0.2.1:443 as 203.0.113.1:9",
    ]);
    let judged = judged(&text, None);
    assert_eq!(judged.left_out, BTreeMap::from([(LeftOut::EndAlone, 1)]));
    assert_eq!((judged.entries, judged.steps, broken(&judged)), (1, 1, vec![]));
}

#[test]
fn a_zone_can_be_chosen() {
    let text = format!("{} zone=5\n", entry("udp 10.0.0.2:1 > 192.0.2.1:53 as 203.0.113.1:2"));
    let log = conntrack::read(text.as_bytes(), "ct.log").expect("a log");
    let error = judge(&log, "ct.log", None, 0, &mut |_| {}).expect_err("nothing to judge");
    let shown = "ct.log: no entry is one of the translator; 1 in another zone";
    assert_eq!(error.to_string(), shown);
    assert_eq!(judge(&log, "ct.log", None, 5, &mut |_| {}).expect("judged").entries, 1);
}

#[test]
fn a_log_without_a_line_to_judge_is_bad_input() {
    let error = |text: &str| try_judge(text.as_bytes(), None).expect_err("no judgement");
    let cut = TABLE.replace("sport=443", "");
    let shown = "ct.log: no line is well-formed, 8 malformed; the first: line 1: reply sport is \
                 required and has no value";
    assert_eq!(error(&cut).to_string(), shown);
    assert!(matches!(error(""), InputError::Log(ConntrackError::Empty { .. })));
}

#[test]
fn a_configuration_stands_alone_or_in_a_scenario() {
    let alone = nat(GIVEN);
    assert_eq!(nat(&format!("[subject]{GIVEN}")), alone);
    let scenario =
        format!("kind = \"nat\"\nname = \"x\"\n[subject]{GIVEN}\n[[events]]\nelapse = \"1s\"\n");
    assert_eq!(nat(&scenario), alone);
}

#[test]
fn a_bad_configuration_is_told_where_and_why() {
    let error = |text: &[u8]| subject::read(text).expect_err("no configuration").to_string();
    let twice = "`virtual_ips`: 203.0.113.1 stands twice";
    let text = GIVEN.replace("\"203.0.113.1\"", "\"203.0.113.1\", \"203.0.113.1\"");
    assert!(error(text.as_bytes()).contains(twice), "{}", error(text.as_bytes()));
    let unknown = error(format!("{GIVEN}\nprots = 7\n").as_bytes());
    assert!(unknown.starts_with("line 6, column 1: unknown field `prots`"), "{unknown}");
    assert!(error(b"virtual_ips = [").starts_with("line 1, column"));
    assert!(error(b"").contains("missing field `virtual_ips`"), "{}", error(b""));
    assert!(error(b"\xff").contains("is not UTF-8"));
    let fleet = format!("kind = \"fleet\"\n[subject]{GIVEN}");
    assert!(error(fleet.as_bytes()).contains("no such subject"));
}

/// What the command returns for files with these contents.
fn ran(log: &str, given: Option<&str>) -> Result<Report, Box<dyn Error>> {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    run(&Args { log: file("ct.log", log), nat: given.map(|text| file("nat.toml", text)), zone: 0 })
}

#[test]
fn the_command_tells_held_from_broken_from_bad() {
    assert!(ran(TABLE, None).expect("a report").as_expected);
    assert!(ran(EVENTS, Some(GIVEN)).expect("a report").as_expected);
    let wrong = TABLE.replacen("dport=1024", "dport=1023", 1);
    assert!(ran(&wrong, None).expect("a report").as_expected);
    assert!(!ran(&wrong, Some(GIVEN)).expect("a report").as_expected);
    assert!(ran("", None).is_err());
    assert!(ran(TABLE, Some("x")).is_err());
    let missing = Args { log: "no/such/file".into(), nat: None, zone: 0 };
    assert!(run(&missing).is_err());
}

#[test]
fn a_report_says_what_was_read_judged_broken_and_undecided() {
    let text = TABLE.replacen("dport=1026", "dport=1028", 1) + "x\n";
    let report = ran(&text, Some(GIVEN)).expect("a report");
    let expected = "\
log         conntrack -L, 9 lines
malformed   1 line
            line 9: l4 number is required and has no value
translator  2 members of 1 virtual IP, 4 ports shared by all members (given)
judged      8 lines as 8 steps over 0s

law                                              tested  verdict
no_two_flows_share_an_external_tuple                  8  holds
a_packet_leaves_from_a_virtual_ip                     8  holds
a_member_uses_only_its_own_ports                      8  BROKEN at step 3, line 3 of the log
no_port_is_taken_from_outside_the_usable_range        8  BROKEN at step 3, line 3 of the log
the_port_of_an_inbound_rule_is_never_given            8  holds
the_group_of_an_inbound_rule_is_never_given           0  not put to the test
a_reserved_port_is_never_given                        0  not put to the test
a_shared_port_comes_out_of_nobodys_guarantee          0  not put to the test
a_leased_virtual_ip_serves_one_member                 0  not put to the test
a_member_stays_on_the_virtual_ip_it_leases            0  not put to the test
a_paired_member_stays_on_one_virtual_ip               0  not put to the test
a_live_flow_keeps_its_external_endpoint               0  not put to the test
flows_of_one_mapping_share_an_external_endpoint       0  not put to the test

step 3, at 0s: a_member_uses_only_its_own_ports
  Replies are routed by port prefix to a neighbour.
  outbound tcp 10.0.0.2:40000 > 203.0.113.11:443 open: forwarded 203.0.113.1:1028 > 203.0.113.11:443
  line 3: tcp 10.0.0.2:40000 > 203.0.113.11:443 as 203.0.113.1:1028 (TIME_WAIT, assured, 107 s left)
";
    assert!(report.text.starts_with(expected), "{}", report.text);
    assert!(report.text.contains("\nnot in this log: packets from the outside\n  a_reply_reaches"));
    let why = "undecidable without --nat";
    assert!(!report.text.contains(why) && ran(TABLE, None).expect("a report").text.contains(why));
}

#[test]
fn the_value_for_programs_says_the_same() {
    let text = TABLE.replacen("dport=1026", "dport=1028", 1);
    let json = ran(&text, Some(GIVEN)).expect("a report").json;
    assert_eq!(json["version"], 1);
    assert_eq!(json["as_expected"], false);
    assert_eq!(json["log"]["format"], "conntrack -L");
    assert_eq!(json["laws"][3]["law"], RANGE);
    assert_eq!(json["laws"][3]["broken"]["line"], 3);
    assert_eq!(json["laws"][0]["broken"], serde_json::Value::Null);
    let count = |field: &str| json[field].as_array().map_or(0, Vec::len);
    assert_eq!(count("laws") + count("undecided"), LAWS.len());
}

/// Every line of a log that is judged must be accounted for.
fn accounts_for_every_line(bytes: &[u8], given: Option<&str>) -> Result<(), TestCaseError> {
    if let Ok((log, judged)) = try_judge(bytes, given) {
        let left_out: usize = judged.left_out.values().sum();
        prop_assert_eq!(judged.entries + left_out + log.malformed_count, log.lines());
        let broken = judged.verdicts.iter().filter(|verdict| verdict.broken_at.is_some()).count();
        prop_assert_eq!(broken, judged.breaches.len());
        let _ = (report::print(&log, &judged), report::json(&log, &judged));
    }
    Ok(())
}

/// A few entries that often meet: two members, two ports, one destination, two transports.
fn meeting() -> impl Strategy<Value = String> {
    let change = prop::sample::select(vec!["NEW", "UPDATE", "DESTROY"]);
    let transport = prop::sample::select(vec!["tcp", "udp"]);
    prop::collection::vec((change, transport, 2..4u8, 1..3u16), 1..12).prop_map(|all| {
        let event = |(change, transport, member, port)| {
            format!("{change} {transport} 10.0.0.{member}:1 > 192.0.2.1:53 as 203.0.113.1:{port}")
        };
        let all: Vec<_> = all.into_iter().map(event).collect();
        events(&all.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// Whether one key ever has two flows at once, or one flow two endpoints, by the obvious means.
fn is_lawful(text: &str) -> bool {
    let log = conntrack::read(text.as_bytes(), "ct.log").expect("a log");
    let mut live: Vec<&Entry> = Vec::new();
    for entry in &log.entries {
        let is_new =
            |held: &&Entry| held.protocol != entry.protocol || held.original != entry.original;
        let is_end = entry.event.is_some_and(|event| event.change == conntrack::Change::Destroy);
        if is_end && live.iter().all(is_new) {
            continue;
        }
        let agrees = |held: &&Entry| {
            held.protocol != entry.protocol
                || (held.original == entry.original) == (held.reply == entry.reply)
        };
        if !live.iter().all(agrees) {
            return false;
        }
        live.retain(is_new);
        live.extend((!is_end).then_some(entry));
    }
    true
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = [TABLE.as_bytes(), b"tcp 6 1 CLOSE src=10.0.0.2 ", &bytes].concat();
        accounts_for_every_line(&text, None)?;
        accounts_for_every_line(&text, Some(GIVEN))?;
        let _ = subject::read(&bytes);
        let _ = subject::read(&[GIVEN.as_bytes(), &bytes].concat());
    }

    #[test]
    fn mutated_captures_account_for_every_line(
        file in prop::sample::select(vec![TABLE, EXTENDED, PROC, EVENTS]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9 =.\n\\[\\]A-Z]{0,3}"), 1..20),
        is_given in any::<bool>(),
    ) {
        let mut file = file.as_bytes().to_vec();
        for (position, text) in edits {
            let start = position.index(file.len());
            file.splice(start..file.len().min(start + text.len()), text.bytes());
        }
        accounts_for_every_line(&file, is_given.then_some(GIVEN))?;
    }

    #[test]
    fn a_log_is_broken_exactly_if_a_key_or_a_flow_is_shared(text in meeting()) {
        accounts_for_every_line(text.as_bytes(), None)?;
        prop_assert_eq!(judged(&text, None).breaches.is_empty(), is_lawful(&text));
    }
}
