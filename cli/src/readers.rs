//! Every reader of bytes that a person brings, behind one door: for tests and fuzzers.

use natlaw_model::routing::RoutingGraph;
use natlaw_properties::routing::backbone;

use crate::log::conntrack::{self, Format};
use crate::log::events::Events;
use crate::log::{self, LogReader, zeek};
use crate::{files, judge, plan};

/// A reader of one format, from bytes to its own types.
///
/// Its answer is dropped. What counts is that it neither panics nor takes more memory than the size
/// of its input allows: a constant and a factor, which `tests/readers.rs` states and measures.
/// A scenario takes besides what its events take, up to
/// [`EVENTS_MAX`](natlaw_properties::file::EVENTS_MAX) of them, which ranges ask for in few bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// What it is called: the name of its format, and of its fuzz target.
    pub name: &'static str,
    /// Reads a file twice where its format is found out from its head: as the command does, and as
    /// of this format whatever its head says.
    pub read: fn(&[u8]),
}

/// Every reader.
pub const READERS: &[Reader] = &[
    Reader { name: "zeek_tsv", read: |bytes| connections(&zeek::Tsv, bytes) },
    Reader { name: "zeek_json", read: |bytes| connections(&zeek::JsonLines, bytes) },
    Reader { name: "conntrack_events", read: |bytes| connections(&Events, bytes) },
    Reader { name: "judge_table", read: |bytes| entries(Format::Table, bytes) },
    Reader { name: "judge_extended", read: |bytes| entries(Format::Extended, bytes) },
    Reader { name: "judge_proc", read: |bytes| entries(Format::Proc, bytes) },
    Reader { name: "judge_events", read: |bytes| entries(Format::Events, bytes) },
    Reader { name: "translator", read: |bytes| drop(judge::translator(bytes)) },
    Reader { name: "scenario", read: |bytes| drop(files::scenario(bytes, NAME)) },
    Reader { name: "demand", read: |bytes| drop(plan::demand(bytes, NAME)) },
    Reader { name: "backbone", read: routers },
];

/// What errors call the bytes.
const NAME: &str = "bytes";

/// The logs of `natlaw replay`.
fn connections(reader: &dyn LogReader, bytes: &[u8]) {
    drop(log::read(bytes, NAME));
    drop(reader.read(bytes, NAME));
}

/// The logs of `natlaw judge`.
fn entries(format: Format, bytes: &[u8]) {
    drop(conntrack::read(bytes, NAME));
    drop(conntrack::read_as(format, bytes));
}

/// A backbone, and the routing graph that it makes.
fn routers(bytes: &[u8]) {
    let topology = std::str::from_utf8(bytes).ok().and_then(|text| backbone::parse(text).ok());
    drop(topology.map(RoutingGraph::new));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_format_has_a_reader() {
        let judged = [Format::Table, Format::Extended, Format::Proc, Format::Events].len();
        let toml = ["translator", "scenario", "demand"].len();
        let graphs = ["backbone"].len();
        assert_eq!(READERS.len(), log::READERS.len() + judged + toml + graphs);
    }

    #[test]
    fn every_reader_has_its_fuzz_target_and_no_target_stands_alone() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let readers: BTreeSet<OsString> =
            READERS.iter().map(|reader| format!("{}.rs", reader.name).into()).collect();
        let targets = std::fs::read_dir(fuzz.join("fuzz_targets")).expect("the fuzz targets");
        let files: BTreeSet<OsString> =
            targets.map(|entry| entry.expect("a target").file_name()).collect();
        assert_eq!(files, readers);
        let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("a manifest");
        let bins = manifest["bin"].as_array().expect("targets");
        let named: BTreeSet<OsString> = bins
            .iter()
            .map(|bin| format!("{}.rs", bin["name"].as_str().expect("a name")).into())
            .collect();
        assert_eq!(named, readers);
        for Reader { name, .. } in READERS {
            let target = fuzz.join("fuzz_targets").join(name).with_extension("rs");
            let target = std::fs::read_to_string(target).expect("a target");
            assert!(target.contains(&format!("\"{name}\"")), "{name}: {target}");
        }
    }
}
