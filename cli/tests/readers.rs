//! Every reader on bytes that are no file of its format any more: it neither panics nor takes more
//! memory than the size of its input allows.
//!
//! This is the only test of its binary: what others allocated would be counted too.

use std::path::Path;

use natlaw::{READERS, Reader};
use natlaw_model::nat::Event;
use natlaw_properties::file::EVENTS_MAX;
use peak_alloc::PeakAlloc;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a reader may take of whatever it is given, in bytes.
const CONSTANT: usize = 64 * 1024;

/// What a reader of logs may take besides for each byte of its input, in bytes. The most is taken by
/// words of one character, each of which is noted with its place and its length.
const LOG_FACTOR: usize = 32;

/// The same of a reader of TOML. The most is taken by keys of one character, each a table: 145 as
/// measured.
const TOML_FACTOR: usize = 160;

/// The same of a reader of graphs. The most is taken by nodes that say nothing but their id: each of
/// them is copied into a list that grows, as large as the largest kind of node.
const GRAPH_FACTOR: usize = 640;

/// What a scenario may take besides for each event that its ranges ask for, in bytes: its place in
/// the list, and two more in one that is growing.
const EVENT: usize = 3 * size_of::<Event>();

/// Short texts that open something in one of the formats: long rows of them have the most parts
/// for their size.
const DENSE: [&str; 20] = [
    "\n",
    "\r\n",
    "x\n",
    "{}\n",
    "{\"ts\":",
    "[",
    "[[",
    "= ",
    "a=",
    "src=",
    "[A] ",
    "\t",
    "#fields\t\n",
    "#separator \\x09\n",
    "\\x41",
    "[[events]]\n",
    "[a]\n",
    "a.",
    "{a=1},",
    "[],",
];

/// The length of such a row, in bytes.
const DENSE_BYTES: usize = 32 * 1024;

/// How much of a real file stands before it.
const HEAD: usize = 400;

/// A change that makes another file of a file.
#[derive(Debug, Clone)]
enum Mutation {
    Flip { at: Index, bits: u8 },
    Delete { at: Index, bytes: usize },
    Duplicate { at: Index, bytes: usize, to: Index },
    Splice { bytes: Vec<u8>, to: Index },
    Truncate { at: Index },
}

#[test]
fn no_reader_panics_or_takes_more_memory_than_its_input_allows() {
    for reader in READERS {
        let files = files(reader.name);
        files.iter().for_each(|file| is_bounded(reader, file));
        is_bounded(reader, &nodes());
        for head in files.iter().map(|file| &file[..file.len().min(HEAD)]).chain([&b""[..]]) {
            DENSE.iter().for_each(|token| is_bounded(reader, &dense(head, token)));
        }
        let bytes = prop_oneof![1 => vec(any::<u8>(), 0..2_000), 4 => mutated(files)];
        let run = TestRunner::new(config()).run(&bytes, |bytes| {
            is_bounded(reader, &bytes);
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{}: {error}", reader.name));
    }
}

/// The usual seed, unless `PROPTEST_RNG_SEED` names another one.
fn config() -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var("PROPTEST_RNG_SEED").is_err() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

/// Reads the bytes and compares what that took with what it may take.
fn is_bounded(reader: &Reader, bytes: &[u8]) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    (reader.read)(bytes);
    let taken = ALLOCATOR.peak_usage() - before;
    let allowed = match reader.name {
        "scenario" => CONSTANT + TOML_FACTOR * bytes.len() + EVENT * asked(bytes),
        "translator" | "demand" => CONSTANT + TOML_FACTOR * bytes.len(),
        "backbone" => CONSTANT + GRAPH_FACTOR * bytes.len(),
        _ => CONSTANT + LOG_FACTOR * bytes.len(),
    };
    assert!(taken <= allowed, "{}: {taken} of {allowed} for {} bytes", reader.name, bytes.len());
}

/// The head of a file, then one text over and over.
fn dense(head: &[u8], token: &str) -> Vec<u8> {
    [head, token.repeat(DENSE_BYTES / token.len()).as_bytes()].concat()
}

/// A graph of nodes that say nothing but their id.
fn nodes() -> Vec<u8> {
    let nodes: Vec<_> = (0..5_000).map(|id| format!("{{\"id\":{id}}}")).collect();
    format!("{{\"nodes\":[{}],\"edges\":[]}}", nodes.join(",")).into_bytes()
}

/// How many events the ranges in a text can ask for, or more: as many as they count.
fn asked(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let parts: Vec<&str> = text.split("..").collect();
    let number = |digits: &str| digits.parse::<usize>().ok();
    let range = |pair: &[&str]| {
        let from = pair[0].rsplit(|c: char| !c.is_ascii_digit()).next().and_then(number)?;
        let to = pair[1].split(|c: char| !c.is_ascii_digit()).next().and_then(number)?;
        to.checked_sub(from)?.checked_add(1)
    };
    let counts = parts.windows(2).filter_map(range).filter(|count| *count <= EVENTS_MAX);
    counts.fold(0, usize::saturating_add).min(EVENTS_MAX)
}

/// Real files of a reader's format.
fn files(reader: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let scenarios = || {
        let entries = std::fs::read_dir(root.join("snapshots/scenarios")).expect("scenarios");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        paths.push(root.join("docs/scenario.toml"));
        paths
    };
    let paths = match reader {
        "zeek_tsv" => vec![root.join("cli/data/zeek/conn.tsv.log")],
        "zeek_json" => vec![root.join("cli/data/zeek/conn.json.log")],
        "conntrack_events" | "judge_events" => vec![root.join("cli/data/conntrack/ev.log")],
        "judge_table" => vec![root.join("cli/data/conntrack/conntrack-L.txt")],
        "judge_extended" => vec![root.join("cli/data/conntrack/conntrack-L-extended.txt")],
        "judge_proc" => vec![root.join("cli/data/conntrack/proc_nf_conntrack.txt")],
        "translator" => [vec![root.join("cli/tests/cmd/translator.toml")], scenarios()].concat(),
        "scenario" => scenarios(),
        "demand" => vec![root.join("docs/demand.toml"), root.join("docs/plans/ports.toml")],
        "backbone" => ["Aarnet", "Abilene", "Geant2012", "germany50"]
            .map(|name| root.join(format!("properties/data/topologies/{name}.json")))
            .to_vec(),
        _ => panic!("{reader}: name real files of its format here"),
    };
    paths.iter().map(|path| std::fs::read(path).expect("a real file")).collect()
}

/// One of the files after some mutations; what is spliced in comes from any of them.
fn mutated(files: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let piece = (select(files.clone()), any::<Index>(), 0..200usize)
        .prop_map(|(file, at, bytes)| piece(&file, at, bytes).to_vec());
    let mutation = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip { at, bits }),
        (any::<Index>(), 0..200usize).prop_map(|(at, bytes)| Mutation::Delete { at, bytes }),
        (any::<Index>(), 0..200usize, any::<Index>())
            .prop_map(|(at, bytes, to)| Mutation::Duplicate { at, bytes, to }),
        (piece, any::<Index>()).prop_map(|(bytes, to)| Mutation::Splice { bytes, to }),
        any::<Index>().prop_map(|at| Mutation::Truncate { at }),
    ];
    (select(files), vec(mutation, 1..8)).prop_map(|(mut file, mutations)| {
        mutations.iter().for_each(|mutation| mutation.apply(&mut file));
        file
    })
}

/// Up to so many bytes of a file.
fn piece(file: &[u8], at: Index, bytes: usize) -> &[u8] {
    let at = at.index(file.len() + 1);
    &file[at..file.len().min(at + bytes)]
}

impl Mutation {
    fn apply(&self, file: &mut Vec<u8>) {
        let place = |at: &Index| at.index(file.len() + 1);
        match self {
            Self::Flip { at, bits } => {
                let at = place(at);
                file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            }
            Self::Delete { at, bytes } => {
                let at = place(at);
                file.drain(at..file.len().min(at + bytes));
            }
            Self::Duplicate { at, bytes, to } => {
                let (copy, to) = (piece(file, *at, *bytes).to_vec(), place(to));
                file.splice(to..to, copy);
            }
            Self::Splice { bytes, to } => {
                let to = place(to);
                file.splice(to..to, bytes.iter().copied());
            }
            Self::Truncate { at } => file.truncate(place(at)),
        }
    }
}
