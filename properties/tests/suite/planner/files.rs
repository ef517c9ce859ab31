//! Demand files: what they say, and what is wrong with those that say nothing sound.

use natlaw_model::flow::Transport;
use natlaw_model::time::Duration;
use natlaw_properties::planner::demand::{Close, Closes, Find};
use natlaw_properties::planner::doubling::Doubling;
use natlaw_properties::planner::file::parse;
use natlaw_properties::planner::questions::Question;

const ANNOTATED: &str = include_str!("../../../../docs/demand.toml");

#[test]
fn the_annotated_demand_says_what_its_comments_say() {
    let demand = parse(ANNOTATED).expect("a demand");
    assert_eq!((demand.members, demand.find), (50, Some(Find::VirtualIps)));
    assert_eq!(demand.translator.profile.name, "azure-load-balancer");
    let [store, names] = demand.destinations.as_slice() else { panic!("two destinations") };
    assert_eq!(store.closes, Closes { finish: 90, reset: 10, idle: 0 });
    assert_eq!(store.envelope.life_max, Duration::from_secs(900));
    assert_eq!((names.transport, names.closes), (Transport::Udp, Closes::all(Close::Idle)));
    let doubling = demand.questions.last().expect("questions");
    let latency = Duration::from_secs(10);
    let expected = Doubling { ports_min: 1_024, ports_max: 4_096, latency, share: 80 };
    assert_eq!(*doubling, Question::Doubling(expected));
    assert_eq!(demand.questions.len(), 6);
}

/// A small sound file, with one text in place of another.
fn error(from: &str, to: &str) -> String {
    const SOUND: &str = "\
members = 50
find = \"virtual-ips\"
questions = [\"return\"]
[translator]
profile = \"azure-load-balancer\"
readings = [\"no-cap-2019\"]
[[destinations]]
name = \"store\"
to = \"tcp 198.51.100.1:443\"
flows_max = 100
rate = \"4/s\"
burst = 10
life_max = \"5min\"
close = { finish = \"60%\", reset = \"40%\" }
";
    parse(SOUND).expect("a sound file");
    assert!(SOUND.contains(from), "{from}");
    parse(&SOUND.replace(from, to)).expect_err(to).to_string()
}

#[test]
fn an_error_names_line_field_value_and_what_was_expected() {
    let cases = [
        (
            "\"5min\"",
            "300",
            "line 13, column 12: `life_max`: invalid type: integer `300`, expected a length of time in quotes, a whole number and its unit (ms, s, min or h), such as \"300s\"",
        ),
        (
            "\"5min\"",
            "\"300\"",
            "line 13, column 12: `life_max`: `300` is no length of time: write a whole number and a unit (ms, s, min or h), such as 240s",
        ),
        (
            "\"4/s\"",
            "4",
            "line 11, column 8: `rate`: invalid type: integer `4`, expected a rate in quotes, a number, a stroke and its unit of time, such as \"12/s\"",
        ),
        (
            "\"4/s\"",
            "\"4\"",
            "line 11, column 8: `rate`: `4` is no rate: write a number, a stroke and a unit of time (ms, s, min or h), such as 12/s or 4.8/s",
        ),
        (
            "\"60%\"",
            "60",
            "line 14, column 20: `finish`: invalid type: integer `60`, expected a share in quotes, in whole percent, such as \"90%\"",
        ),
        (
            "\"60%\"",
            "\"60\"",
            "line 14, column 20: `finish`: `60` is no share: write a share in quotes, in whole percent, such as \"90%\"",
        ),
        (
            "\"60%\"",
            "\"70%\"",
            "line 14, column 9: `close`: the shares are 110% in all: they must be 100%",
        ),
        (
            "tcp 198.51.100.1:443",
            "198.51.100.1:443",
            "line 9, column 6: `to`: `198.51.100.1:443` is no destination: write a transport and an endpoint in quotes, such as \"tcp 198.51.100.1:443\"",
        ),
        (
            "tcp 198",
            "udp 198",
            "line 14, column 9: `close`: only TCP is closed: of udp `idle` must be 100%",
        ),
        (
            "members = 50",
            "members = 0",
            "line 1, column 11: `members`: nothing: it must be above zero",
        ),
        (
            "burst = 10\n",
            "",
            "line 11, column 8: `rate`: stands without `burst`: within any time t at most burst + rate t connections are opened",
        ),
        (
            "rate = \"4/s\"\n",
            "",
            "line 11, column 9: `burst`: stands without `rate`: within any time t at most burst + rate t connections are opened",
        ),
        (
            "burst = 10",
            "burst = 101",
            "line 12, column 9: `burst`: 101 opened at once are all live, above `flows_max` = 100",
        ),
        (
            "life_max",
            "life_min = \"6min\"\nlife_max",
            "line 13, column 12: `life_min`: 360s is above `life_max` = 300s",
        ),
        (
            "flows_max = 100\nrate = \"4/s\"\nburst = 10\n",
            "",
            "line 8, column 8: `name`: nothing bounds its connections: say `flows_max`, or `rate` and `burst`",
        ),
        (
            "rate = \"4/s\"\nburst = 10\n",
            "",
            "line 8, column 8: `name`: `flows_max` alone bounds no ports, since each rests after its connection: say `life_min`, or `rate` and `burst`",
        ),
        (
            "[\"return\"]",
            "[{ pooling = { kept_min = 5 } }]",
            "line 3, column 39: `kept_min`: invalid type: integer `5`, expected a length of time in quotes, a whole number and its unit (ms, s, min or h), such as \"300s\"",
        ),
        (
            "readings",
            "addresses = 2\nreadings",
            "line 6, column 13: `addresses`: given, but `find` searches for the least virtual IPs",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(error(from, to), expected, "{from} -> {to}");
    }
}

#[test]
fn what_the_documents_do_not_allow_is_told_with_its_document() {
    let told = error("members = 50", "members = 1001");
    assert!(
        told.starts_with("line 1, column 11: `members`: members 1001: at most 1000 ("),
        "{told}"
    );
    let told = error("no-cap-2019", "no-cap-2018");
    assert!(
        told.starts_with("line 6, column 13: `readings`: azure-load-balancer has no reading"),
        "{told}"
    );
    let told = error("azure-load-balancer", "azure");
    assert!(
        told.starts_with("line 5, column 11: `profile`: \"azure\": no such profile; known: "),
        "{told}"
    );
    let doubles = error(
        "profile = \"azure-load-balancer\"\nreadings = [\"no-cap-2019\"]",
        "profile = \"google-cloud-nat-dynamic\"",
    );
    assert_eq!(
        doubles,
        "line 5, column 11: `profile`: the blocks of google-cloud-nat-dynamic are doubled, and how \
         many fit depends on who grows when, which no bound of a demand says: plan with blocks of \
         one size, and ask the question `doubling`"
    );
    let told = error("find = \"virtual-ips\"", "find = \"ports\"");
    let expected = "line 2, column 8: `find`: nobody chooses the ports of a member of \
                    azure-load-balancer: search for addresses";
    assert_eq!(told, expected);
}

#[test]
fn nothing_unknown_and_nothing_twice_is_read() {
    assert!(error("burst", "bursts").contains("unknown field `bursts`"));
    assert!(error("members = 50\n", "").contains("missing field `members`"));
    let again = "[[destinations]]\nname = \"store\"\nto = \"tcp 198.51.100.2:443\"\nrate = \
                 \"1/s\"\nburst = 1\nlife_max = \"1s\"\n[[destinations]]";
    let told = error("[[destinations]]", again);
    assert_eq!(
        told,
        "line 14, column 8: `name`: \"store\" stands twice: each destination has its own"
    );
}
