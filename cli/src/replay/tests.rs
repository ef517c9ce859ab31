//! The bundled logs, played at several numbers of ports, and what is said of them.

use clap::Parser;
use natlaw_properties::nat::LAWS;
use serde_json::json as value;

use super::play::PortsNeeded;
use super::*;
use crate::demand::LeftOut;

const TSV: &[u8] = include_bytes!("../../data/zeek/conn.tsv.log");
const JSON: &[u8] = include_bytes!("../../data/zeek/conn.json.log");
const EVENTS: &str = include_str!("../../data/conntrack/ev.log");

fn tsv() -> Log {
    log::read(TSV, "conn.tsv.log").expect("a log")
}

/// One virtual IP, this many ports, this hold-down in seconds; flows idle for 240 s.
fn settings(inside: &str, ports: u16, hold_down: u64) -> Settings {
    Settings {
        inside: inside.parse().expect("a network"),
        virtual_ips: 1,
        ports,
        hold_down: Duration::from_secs(hold_down),
        idle: Duration::from_secs(240),
        device: "bitmap".into(),
    }
}

fn tsv_with(ports: u16, hold_down: u64) -> Replay {
    played(&tsv(), &settings("192.168.33.0/24", ports, hold_down))
}

fn played(log: &Log, settings: &Settings) -> Replay {
    let replay = replay(log, settings, &mut |_| {}).expect("a replay");
    assert_eq!(replay.offered, replay.accepted + replay.joined + replay.refused.total());
    assert_eq!(replay.breaches, [], "no law is broken");
    replay
}

/// The destination that needs the most ports, as a reader of the table sees it.
fn hottest(replay: &Replay) -> (String, usize, usize, usize) {
    let hot = replay.hottest[0];
    (format!("{} {}", hot.transport, hot.destination), hot.connections, hot.refused, hot.keys)
}

/// 360 rows. 339 come from the one host inside and are TCP or UDP; of those one asks its own
/// network for an address (DHCP) and one is multicast (239.255.255.250). Three of the other 337
/// repeat the five-tuple of a live flow: two DNS questions from one port, and a SYN sent again.
///
/// All counts, peaks and first refusals were checked against a sweep over the start and end times
/// of the rows that knows no translator. A sweep without idle timers finds the same peaks of 35
/// and 11 keys: both belong to tcp 54.230.86.87:443, whose 35 connections were all closed, so
/// that no idle timer keeps their keys. The idle timers show elsewhere: without hold-down,
/// udp 194.165.17.4:53 comes to 11 keys too, all of questions that were not answered.
#[test]
fn the_bundled_log_needs_35_ports_with_a_hold_down_of_240_seconds() {
    let replay = tsv_with(1_024, 240);
    let left_out =
        [(LeftOut::NotFromInside, 21), (LeftOut::StaysInside, 1), (LeftOut::NotUnicast, 1)];
    assert_eq!(replay.left_out, left_out.into());
    assert_eq!((replay.offered, replay.accepted, replay.joined), (337, 334, 3));
    assert_eq!(replay.first_refusal, None);
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(35));
    assert_eq!(hottest(&replay), ("tcp 54.230.86.87:443".into(), 35, 0, 35));
    assert_eq!((replay.events, replay.peak_live), (1_012, 221));
}

#[test]
fn with_32_ports_three_connections_of_the_bundled_log_are_refused() {
    let replay = tsv_with(32, 240);
    assert_eq!((replay.accepted, replay.joined, replay.refused.exhausted), (331, 3, 3));
    let first = replay.first_refusal.expect("a refusal");
    assert_eq!((first.line, first.start_us), (83, 1_379_288_669_097_794));
    assert_eq!(first.flow.to_string(), "tcp 192.168.33.10:1074 > 54.230.86.87:443");
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(35));
    assert_eq!(hottest(&replay), ("tcp 54.230.86.87:443".into(), 35, 3, 32));
}

#[test]
fn with_8_ports_33_connections_of_the_bundled_log_are_refused() {
    let replay = tsv_with(8, 240);
    assert_eq!((replay.accepted, replay.joined, replay.refused.exhausted), (301, 3, 33));
    assert_eq!(replay.first_refusal.map(|first| first.line), Some(18));
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(35));
    let refused: Vec<usize> = replay.hottest.iter().map(|hot| hot.refused).collect();
    assert_eq!(refused, [27, 3, 2, 1, 0]);
}

#[test]
fn without_hold_down_the_bundled_log_needs_11_ports() {
    let replay = tsv_with(32, 0);
    assert_eq!((replay.accepted, replay.joined, replay.refused.total()), (334, 3, 0));
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(11));
    let keys: Vec<_> =
        replay.hottest.iter().map(|hot| (hot.transport.to_string(), hot.keys)).collect();
    let (tcp, udp) = (String::from("tcp"), String::from("udp"));
    assert_eq!(keys, [(tcp.clone(), 11), (udp, 11), (tcp.clone(), 7), (tcp.clone(), 6), (tcp, 5)]);
}

#[test]
fn one_port_fewer_than_needed_is_too_few() {
    for (ports, hold_down, refused) in [(35, 240, 0), (34, 240, 1), (11, 0, 0), (10, 0, 2)] {
        assert_eq!(tsv_with(ports, hold_down).refused.total(), refused, "{ports} ports");
    }
}

#[test]
fn a_second_virtual_ip_doubles_the_ports() {
    let two = Settings { virtual_ips: 2, ..settings("192.168.33.0/24", 16, 240) };
    let replay = played(&tsv(), &two);
    assert_eq!(replay.refused, tsv_with(32, 240).refused);
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(35));
    assert_eq!(replay.ports_needed.per_virtual_ip(2), Some(18));
    let enough = Settings { ports: 18, ..two };
    assert_eq!(played(&tsv(), &enough).refused.total(), 0);
}

/// 50 rows of one host, in another order than that of their times. It asks its own server 26 DNS
/// questions within 42 s, each from another port.
#[test]
fn the_json_log_is_replayed_as_well() {
    let log = log::read(JSON, "conn.json.log").expect("a log");
    let replay = played(&log, &settings("10.18.20.97/32", 4, 240));
    assert_eq!((replay.offered, replay.accepted, replay.refused.exhausted), (50, 22, 28));
    assert_eq!(replay.first_refusal.map(|first| first.line), Some(10));
    assert_eq!(replay.ports_needed, PortsNeeded::Exactly(26));
    assert_eq!(hottest(&replay), ("udp 10.18.20.8:53".into(), 26, 22, 4));

    let replay = played(&log, &settings("10.18.20.0/24", 4, 240));
    assert_eq!((replay.offered, replay.left_out), (4, [(LeftOut::StaysInside, 46)].into()));
}

/// Without the rows that made them, the connections of the events were there before the log.
#[test]
fn connections_from_before_the_log_are_said_to_be_so() {
    let is_no_new = |line: &&str| !line.contains("[NEW]");
    let later: String = EVENTS.lines().filter(is_no_new).map(|line| format!("{line}\n")).collect();
    let log = log::read(later.as_bytes(), "ev.log").expect("a log");
    let settings = settings("10.0.0.0/24", 4, 240);
    let replay = played(&log, &settings);
    let expected = "\
log             conntrack events (conntrack -E -o timestamp,id), 8 connections
                8 there before it: held from its first event on
left out        40 further events of a connection already counted
";
    assert!(print(&replay, &settings, &log).starts_with(expected));
    let value = json(&replay, &settings, &log);
    assert_eq!(
        (&value["log"]["earlier"], &value["left_out"]["further_event"]),
        (&8.into(), &40.into())
    );
}

#[test]
fn progress_ends_at_the_connections_of_the_log_once_for_each_play() {
    let mut seen = Vec::new();
    let settings = settings("192.168.33.0/24", 8, 240);
    replay(&tsv(), &settings, &mut |done| seen.push(done)).expect("a replay");
    let once = 24..=360;
    assert!(seen.into_iter().eq(once.clone().chain(once)));
}

#[test]
fn the_text_tells_what_was_read_asked_and_answered() {
    let settings = settings("192.168.33.9/24", 32, 240);
    let log = tsv();
    let expected = "\
log             Zeek conn.log (tab-separated under a # header), 360 connections
left out        21 not from the inside
                1 stays inside
                1 to a multicast or broadcast address
inside          192.168.33.0/24: 337 connections of 1 member to the outside
translator      bitmap, 1 virtual IP (203.0.113.1), 32 ports a member on each, hold-down 240s, idle 240s
played          1,009 events
accepted        331, and 3 joined a live flow
refused         3: 3 exhausted
first refusal   2013-09-15T23:44:29.097Z (line 83): tcp 192.168.33.10:1074 > 54.230.86.87:443
ports needed    35 a member towards one destination: --ports 35 with 1 virtual IP
live at once    221 flows at most

destination            connections  refused  keys at once  by member
tcp 54.230.86.87:443            35        3            32  192.168.33.10
udp 194.165.17.4:53             11        0            11  192.168.33.10
tcp 108.59.9.32:80              10        0            10  192.168.33.10
tcp 54.245.228.191:80            9        0             9  192.168.33.10
tcp 54.230.86.87:80              6        0             6  192.168.33.10

";
    let replay = played(&log, &settings);
    let untested = replay.verdicts.iter().filter(|verdict| verdict.tested == 0).count();
    let laws = format!("{} laws held, {untested} of them not put to the test\n", LAWS.len());
    assert_eq!(print(&replay, &settings, &log), format!("{expected}{laws}"));
}

#[test]
fn malformed_rows_are_counted_and_the_first_five_named() {
    let mut bytes = TSV.to_vec();
    bytes.extend_from_slice(&b"x\n".repeat(7));
    let log = log::read(&bytes, "conn.tsv.log").expect("a log");
    let settings = settings("192.168.33.0/24", 1_024, 240);
    let text = print(&played(&log, &settings), &settings, &log);
    let actual: Vec<&str> = text.lines().skip(4).take(7).collect();
    let named: Vec<String> = log.malformed.iter().map(|row| format!("{:16}{row}", "")).collect();
    assert_eq!(actual[0], "malformed       7 rows");
    assert_eq!(actual[1..6], named);
    assert_eq!(actual[6], "                and 2 more");
}

#[test]
fn the_value_for_programs_has_the_same_numbers() {
    let settings = Settings { virtual_ips: 2, ..settings("192.168.33.9/24", 4, 240) };
    let log = tsv();
    let actual = json(&played(&log, &settings), &settings, &log);
    assert_eq!(actual["version"], 1);
    assert_eq!(
        actual["connections"],
        value!({
            "offered": 337,
            "accepted": 301,
            "joined": 3,
            "refused": { "exhausted": 33, "gave_up": 0, "otherwise": 0 },
        })
    );
    assert_eq!(
        actual["left_out"],
        value!({ "not_from_inside": 21, "stays_inside": 1, "not_unicast": 1 })
    );
    assert_eq!(
        actual["translator"],
        value!({
            "device": "bitmap",
            "inside": "192.168.33.0/24",
            "members": 1,
            "virtual_ips": ["203.0.113.1", "203.0.113.2"],
            "ports": 4,
            "hold_down_ms": 240_000,
            "idle_ms": 240_000,
        })
    );
    assert_eq!(
        actual["first_refusal"],
        value!({
            "line": 18,
            "time": "2013-09-15T23:44:28.636Z",
            "flow": "tcp 192.168.33.10:1050 > 54.230.86.87:443",
        })
    );
    assert_eq!(actual["ports_needed"], value!({ "at_least": 35, "ports": 18 }));
    assert_eq!(actual["laws"].as_array().map(Vec::len), Some(LAWS.len()));
}

#[test]
fn a_broken_law_is_named_with_its_step() {
    let settings = Settings {
        device: "rst-skips-the-hold-down".into(),
        ..settings("192.168.33.0/24", 32, 240)
    };
    let log = tsv();
    let replay = replay(&log, &settings, &mut |_| {}).expect("a replay");
    let text = print(&replay, &settings, &log);
    assert_eq!(
        replay.breaches.iter().map(|breach| breach.law).collect::<Vec<_>>(),
        ["a_key_rests_for_its_hold_down"]
    );
    let breach = &replay.breaches[0];
    let expected = format!(
        "1 of {} laws broken\nstep {}, at {}: {}\n  {}: {}\n",
        LAWS.len(),
        breach.step,
        breach.at,
        breach.law,
        breach.asked,
        breach.answered
    );
    assert!(text.ends_with(&expected), "{text}");
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

/// What the command says of a file with this text.
fn ran(text: &[u8], options: &str) -> Result<Report, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("conn.log");
    fs::write(&path, text).expect("a file");
    let path = path.display().to_string();
    let words = ["natlaw", &path].into_iter().chain(options.split(' '));
    let args = Command::try_parse_from(words).map_err(|error| error.to_string())?.args;
    run(&args).map_err(|error| error.to_string().replace(&path, "conn.log"))
}

/// What the command says of a file that it cannot replay.
fn error(text: &[u8], options: &str) -> String {
    ran(text, options).err().expect("an error")
}

#[test]
fn the_command_replays_a_file() {
    let options = "--inside 192.168.33.0/24 --vips 1 --ports 32";
    let report = ran(TSV, options).expect("a report");
    assert!(report.as_expected, "refusals are no broken laws");
    assert!(report.text.contains("hold-down 240s, idle 240s"), "{}", report.text);
    assert_eq!(report.json["connections"]["refused"]["exhausted"], 3);
    let with = |more: &str| ran(TSV, &format!("{options} {more}")).expect("a report");
    assert_eq!(with("--hold-down 0s").json["connections"]["refused"]["exhausted"], 0);
    assert_eq!(with("--idle 2min").json["translator"]["idle_ms"], 120_000);
    assert!(!with("--device rst-skips-the-hold-down").as_expected);
}

#[test]
fn bad_input_is_named() {
    let header = b"#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
    let options = "--inside 10.0.0.0/8 --vips 1 --ports 1";
    assert_eq!(
        error(&[&header[..], b"x\ny\n"].concat(), options),
        "conn.log: no row is well-formed, 2 malformed; the first: line 2: `x` has a column count \
         of 1, the header 6"
    );
    let expected = "conn.log: the file is empty";
    assert!(error(b"", options).starts_with(expected));
    assert!(error(b"", "--inside 10.0.0.0/33 --vips 1 --ports 1").contains("--inside"));
    assert!(error(b"", "--inside 10.0.0.0/8 --vips 1 --ports 65536").contains("--ports"));
    assert!(error(b"", &format!("{options} --idle 4")).contains("`4` is no length of time"));
    let nowhere = Command::try_parse_from([
        "natlaw",
        "/nowhere/conn.log",
        "--inside",
        "10.0.0.0/8",
        "--vips",
        "1",
        "--ports",
        "1",
    ])
    .expect("arguments");
    let error = run(&nowhere.args).err().expect("an error").to_string();
    assert!(error.starts_with("/nowhere/conn.log: No such file"), "{error}");
}

#[test]
fn settings_that_break_a_rule_are_named() {
    let said = |options: &str| error(TSV, options);
    let with = |options: &str| said(&format!("--inside 192.168.33.0/24 {options}"));
    for (actual, expected) in [
        (with("--vips 0 --ports 1"), "--vips 0: a translator needs at least one virtual IP"),
        (
            with("--vips 255 --ports 1"),
            "--vips 255: they are taken from one /24 for documentation, which has 254 hosts",
        ),
        (with("--vips 1 --ports 0"), "`ports`: 0 ports a member: each needs at least one"),
        (
            with("--vips 2 --ports 64513"),
            "`ports`: 1 members do not fit: floor(64512 usable / 64513 ports) = 0 an address, x 1 \
             = 0",
        ),
        (
            with("--vips 1 --ports 1 --idle 1ms"),
            "--idle 1ms: must be at least 2ms: keep-alives come every half of it",
        ),
        (
            with("--vips 1 --ports 1 --device round-robin"),
            "--device round-robin: there is none of this name; choose first-fit, bitmap, vpp, \
             cilium, cilium-before, linux, linux-like or a mutant",
        ),
        (
            said("--inside 172.16.0.0/12 --vips 1 --ports 1"),
            "--inside 172.16.0.0/12: no connection goes from there to the outside; 360 \
             not from the inside",
        ),
        (
            said("--inside 192.0.0.0/4 --vips 1 --ports 1"),
            "--inside 192.0.0.0/4: overlaps every range for documentation, so no address is left \
             for a virtual IP",
        ),
    ] {
        assert_eq!(actual, expected);
    }
}

#[test]
fn virtual_ips_lie_outside() {
    let header = "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
    let row = "7\t203.0.113.130\t1\t8.8.8.8\t53\tudp\n7\t192.0.2.1\t1\t8.8.8.8\t53\tudp\n";
    for (inside, expected) in [
        ("192.0.2.0/24", "203.0.113.1"),
        ("192.0.0.0/5", "203.0.113.1"),
        ("203.0.113.0/24", "198.51.100.1"),
        ("203.0.113.128/25", "198.51.100.1"),
        ("200.0.0.0/5", "198.51.100.1"),
    ] {
        let options = format!("--inside {inside} --vips 1 --ports 1");
        let report = ran(format!("{header}{row}").as_bytes(), &options).expect("a report");
        assert_eq!(report.json["translator"]["virtual_ips"], value!([expected]), "{inside}");
    }
}
