//! The schema that editors read says what the reader of scenario files takes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use natlaw_model::nat::Nat;
use natlaw_properties::file::ScenarioFile;
use natlaw_properties::judged::Judged;
use natlaw_properties::nat::LAWS;
use natlaw_properties::nat::strategies::scenario;
use natlaw_properties::{file, prove};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&printed()).expect("JSON"));

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).expect("a schema"));

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

/// What `natlaw schema` prints.
fn printed() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_natlaw")).arg("schema").output();
    String::from_utf8(output.expect("natlaw").stdout).expect("text")
}

/// The committed schema is what the command prints. `SCHEMA=write` in the environment writes it.
#[test]
fn the_committed_schema_is_the_one_that_is_printed() {
    let path = root().join("docs/scenario.schema.json");
    if std::env::var("SCHEMA").is_ok_and(|value| value == "write") {
        std::fs::write(&path, printed()).expect("docs/scenario.schema.json");
    } else {
        let is_same = read(&path) == printed();
        assert!(is_same, "run: SCHEMA=write cargo test --package natlaw --test schema");
    }
}

#[test]
fn the_schema_is_a_schema_of_the_draft_it_names() {
    assert_eq!(SCHEMA["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::draft202012::meta::is_valid(&SCHEMA));
}

/// Where in the file the schema finds faults.
fn faults(text: &str) -> BTreeSet<String> {
    let file: toml::Table = toml::from_str(text).expect("TOML");
    let file = serde_json::to_value(file).expect("plain data");
    VALIDATOR.iter_errors(&file).map(|error| error.instance_path().to_string()).collect()
}

fn no_faults() -> BTreeSet<String> {
    BTreeSet::new()
}

/// The annotated scenarios and every bundled one.
fn files() -> Vec<PathBuf> {
    let folders = ["snapshots/scenarios", "snapshots/topologies"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let bundled = entries.map(|entry| entry.expect("a file").path());
    let annotated = ["docs/scenario.toml", "docs/topology.toml"].map(|file| root().join(file));
    bundled.chain(annotated).collect()
}

#[test]
fn every_file_in_the_tree_fits_the_schema_it_names() {
    let schema = root().join("docs/scenario.schema.json").canonicalize().expect("the schema");
    for path in files() {
        let text = read(&path);
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema "));
        let named = path.with_file_name(named.expect("a line that names the schema"));
        assert_eq!(named.canonicalize().ok().as_ref(), Some(&schema), "{}", path.display());
        assert_eq!(faults(&text), no_faults(), "{}", path.display());
    }
}

/// Every field of a file, in one that breaks no rule.
const FILE: &str = r#"kind = "nat"
name = "a_name"
story = "A story."
device = "bitmap"
breaks = [{ law = "no_two_flows_share_an_external_tuple", step = 3 }]

[subject]
virtual_ips = ["203.0.113.1", "203.0.113.2"]
pool = "10.0.0.1-10.0.0.3, hole, 10.0.0.5"
ports = { manual = { ports = 1000, usable = "1024-65023" } }
mapping = "address-dependent"
port_reuse = "per-destination-address"
selection = { random = 7 }
inbound_rules = ["tcp 203.0.113.1:443 > 10.0.0.1:8443"]

[subject.timers]
idle = { tcp = "240s", udp = "2h", icmp = "1min" }
hold_down = { finish = "1500ms", reset = "15s", idle = "0s" }

[[events]]
outbound = "tcp 10.0.0.1:40000..40004 > 198.51.100.1:443 open"

[[events]]
inbound = "udp 198.51.100.1..2:443 > 203.0.113.1:1024..1025"

[[events]]
elapse = "100s"

[[events]]
[events.reconfigure]
virtual_ips = ["192.0.2.1"]
pool = "10.0.0.7"
ports = { tiered = "1-50: 1024, 51-100: 512" }
"#;

/// The file with one thing changed, which its reader refuses.
fn refused(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    let text = FILE.replacen(from, to, 1);
    let kind = file::kind_of(&text);
    let is_read = kind.is_ok_and(|kind| kind.name == "nat") && is_taken(&text);
    assert!(!is_read, "the reader takes {to}");
    text
}

fn is_taken(text: &str) -> bool {
    ScenarioFile::<Nat>::parse(text).is_ok()
}

#[test]
fn what_the_reader_refuses_the_schema_refuses_at_the_same_place() {
    assert_eq!(faults(FILE), no_faults());
    let cases = [
        ("kind = \"nat\"", "kind = \"dns\"", "/kind"),
        ("kind = \"nat\"", "kind = 1", "/kind"),
        ("kind = \"nat\"", "", ""),
        ("name = \"a_name\"", "nam = \"a_name\"", ""),
        ("name = \"a_name\"", "name = 1", "/name"),
        ("bitmap", "bitmpa", "/device"),
        ("no_two_flows", "no_2_flows", "/breaks/0/law"),
        ("step = 3", "step = -1", "/breaks/0/step"),
        (", step = 3", "", "/breaks/0"),
        ("step = 3", "step = 3, why = \"\"", "/breaks/0"),
        ("[\"203.0.113.1\", \"203.0.113.2\"]", "[]", "/subject/virtual_ips"),
        ("\"203.0.113.2\"", "\"203.0.113.1\"", "/subject/virtual_ips"),
        ("\"203.0.113.2\"", "\"203.0.113.256\"", "/subject/virtual_ips/1"),
        ("\"203.0.113.2\"", "\"203.0.113.02\"", "/subject/virtual_ips/1"),
        ("pool = ", "pol = ", "/subject"),
        ("10.0.0.3, hole", "10.0.0.3, hol", "/subject/pool"),
        ("10.0.0.1-10.0.0.3, hole, 10.0.0.5", "hole", "/subject/pool"),
        ("10.0.0.1-10.0.0.3, hole", "10.0.0.1..3, hole", "/subject/pool"),
        ("ports = 1000", "ports = 1001", "/subject/ports"),
        ("ports = 1000", "ports = 0", "/subject/ports"),
        ("1024-65023", "1024-70000", "/subject/ports"),
        ("manual", "manuel", "/subject/ports"),
        ("address-dependent", "address_dependent", "/subject/mapping"),
        ("per-destination-address", "always", "/subject/port_reuse"),
        ("random = 7", "random = -7", "/subject/selection"),
        ("443 > 10.0.0.1:8443", "443 10.0.0.1:8443", "/subject/inbound_rules/0"),
        ("8443\"]", "8443\", \"tcp 203.0.113.1:443 > 10.0.0.1:8443\"]", "/subject/inbound_rules"),
        ("240s", "240", "/subject/timers/idle/tcp"),
        ("240s", "00s", "/subject/timers/idle/tcp"),
        ("240s", "1..2s", "/subject/timers/idle/tcp"),
        ("1500ms", "1.5s", "/subject/timers/hold_down/finish"),
        ("finish", "finished", "/subject/timers/hold_down"),
        ("outbound", "outbond", "/events/0"),
        ("outbound = ", "elapse = \"1s\"\noutbound = ", "/events/0"),
        ("outbound = \"tcp 10.0.0.1:40000..40004 > 198.51.100.1:443 open\"", "", "/events/0"),
        ("tcp 10.0.0.1:40", "sctp 10.0.0.1:40", "/events/0/outbound"),
        ("443 open", "70000 open", "/events/0/outbound"),
        ("40000..40004", "40000..70000", "/events/0/outbound"),
        ("443 open", "443 opens", "/events/0/outbound"),
        ("443 open", "443open", "/events/0/outbound"),
        ("198.51.100.1..2:", "198.51.100.1..256:", "/events/1/inbound"),
        ("100s", "4m", "/events/2/elapse"),
        ("10.0.0.7", "10.0.0.7..9", "/events/3/reconfigure/pool"),
        ("1-50: 1024", "2-50: 1024", "/events/3/reconfigure/ports"),
        ("51-100: 512", "51-100: 500", "/events/3/reconfigure/ports"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(faults(&refused(from, to)), [expected.into()].into(), "{from} -> {to}");
    }
}

/// The reader is generous with space and leading zeros.
#[test]
fn what_may_be_written_in_another_way_fits_the_schema() {
    let cases = [
        ("10.0.0.1-10.0.0.3, hole", " hole ,hole,10.0.0.1 - 10.0.0.3,hole"),
        ("1024-65023", " 01024 - 00065023 "),
        ("tcp 203.0.113.1:443", " tcp  203.0.113.1:00443"),
        ("\"240s\"", "\"0240 s \""),
        ("40000..40004", "040000..00040004"),
        ("443 open", "443  open "),
        ("198.51.100.1..2:", "198.51.100.01..002:"),
        ("100s", "8..12s"),
        ("1-50: 1024, 51-100: 512", " 01 - 050:01024 ,51-100 :512"),
    ];
    for (from, to) in cases {
        assert!(FILE.contains(from), "{from}");
        let text = FILE.replacen(from, to, 1);
        assert!(is_taken(&text), "{from} -> {to}");
        assert_eq!(faults(&text), no_faults(), "{from} -> {to}");
    }
}

/// Each of these rules compares two values or counts; the schema says in words what it leaves out.
#[test]
fn a_rule_that_the_schema_cannot_say_it_names() {
    let cases = [
        ("1024-65023", "65023-1024", "numbers count upwards"),
        ("10.0.0.1-10.0.0.3", "10.0.0.3-10.0.0.1", "numbers count upwards"),
        ("40000..40004", "40004..40000", "numbers count upwards"),
        ("198.51.100.1..2:", "198.51.100.1..3:", "ranges of one event are equally long"),
        ("100s", "1..90000000s", "a file asks for at most 10000000 events"),
        ("51-100: 512", "52-100: 512", "tiers follow one another"),
        ("10.0.0.7\"", "10.0.0.7-10.0.0.250\"", "one of them has the pool's size"),
        ("usable = \"1024-65023\"", "usable = \"1024-1025\"", "every member has ports"),
        ("1024-65023", "0-65023", "port 0 is not usable"),
        (
            "{ manual = { ports = 1000, usable = \"1024-65023\" } }",
            "{ guaranteed = { ports = 8, usable = \"1024-2047\", shared = \"2047-2050\" } }",
            "shared ports are not guaranteed ones",
        ),
        (
            "{ manual = { ports = 1000, usable = \"1024-65023\" } }",
            "{ doubling = { minimum = 32, maximum = 32, usable = \"1024-65535\" } }",
            "a maximum is above its minimum",
        ),
        (
            "selection = { random = 7 }",
            "limits = { per_destination = 50000 }",
            "a limit per destination asks for `port_reuse` per destination",
        ),
        ("hole, 10.0.0.5", "hole, 10.0.0.1", "no address stands twice"),
        ("hole, 10.0.0.5", "hole, 203.0.113.1", "or on both sides"),
        ("tcp 203.0.113.1:443", "tcp 203.0.113.9:443", "leads from a virtual IP to a member"),
        ("> 10.0.0.1:8443", "> 10.0.0.9:8443", "leads from a virtual IP to a member"),
        ("8443\"]", "8443\", \"tcp 203.0.113.1:443 > 10.0.0.2:8443\"]", "no two from one endpoint"),
        ("per-destination-address", "per-destination", "`port_reuse` is no finer than `mapping`"),
        (
            "{ manual = { ports = 1000, usable = \"1024-65023\" } }\nmapping = \"address-dependent\"",
            "\"dynamic\"\nmapping = \"address-and-port-dependent\"",
            "where ports are kept no coarser",
        ),
        ("100s", "99999999999999999999s", "fits 64 bits of milliseconds"),
    ];
    let description = SCHEMA["description"].as_str().expect("a description");
    for (from, to, rule) in cases {
        assert_eq!(faults(&refused(from, to)), no_faults(), "{from} -> {to}");
        assert!(description.contains(rule), "{rule}");
    }
}

/// Every schema within the schema, itself included.
fn within(schema: &Value) -> Vec<&Value> {
    let parts: Vec<&Value> = match schema {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(values) => values.iter().collect(),
        _ => Vec::new(),
    };
    std::iter::once(schema).chain(parts.into_iter().flat_map(within)).collect()
}

#[test]
fn an_example_or_default_fits_the_schema_it_stands_in() {
    let mut tried = 0;
    for schema in within(&SCHEMA) {
        let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
        let mut whole = schema.clone();
        if let Some(fields) = whole.as_object_mut() {
            fields.entry("$defs").or_insert_with(|| SCHEMA["$defs"].clone());
        }
        for value in examples.chain(schema.get("default")) {
            assert!(jsonschema::draft202012::is_valid(&whole, value), "{value} in {schema:#}");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

/// What an editor shows beside a field: whole paragraphs, with no links of the code's documentation.
#[test]
fn every_field_is_described() {
    let tables = within(&SCHEMA).into_iter().filter_map(|schema| schema["properties"].as_object());
    for (name, field) in tables.flatten() {
        let said = field["description"].as_str().unwrap_or_default();
        let is_plain = !said.contains("[`") && !said.replace("\n\n", "").contains('\n');
        assert!(!said.is_empty() && is_plain, "{name}: {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..prove::config() })]

    #[test]
    fn what_is_written_fits_the_schema(
        scenario in scenario(),
        device in select(Nat::device_names()),
        law in 0..LAWS.len(),
    ) {
        let file = ScenarioFile {
            name: "a_name".into(),
            story: "Two\n\"sentences\".".into(),
            device: device.into(),
            breaks: vec![file::Break { law: LAWS[law].name.into(), step: 1 }],
            scenario,
        };
        prop_assert_eq!(faults(&file.to_toml()), no_faults());
    }

    /// An editor never marks what the reader takes.
    #[test]
    fn what_the_reader_takes_fits_the_schema(
        at in 0..FILE.len(),
        put in "[0-9. ,-]{0,3}|\\PC|00|hole|\\.\\.9",
        cut in 0_usize..4,
    ) {
        let mut text = FILE.to_string();
        text.replace_range(at..(at + cut).min(FILE.len()), &put);
        if is_taken(&text) && file::kind_of(&text).is_ok_and(|kind| kind.name == "nat") {
            prop_assert_eq!(faults(&text), no_faults(), "{}", text);
        }
    }
}
