//! Every report is as last reviewed.

use std::collections::BTreeSet;
use std::path::Path;

use natlaw_model::nat::Nat;
use natlaw_model::routing::RoutingGraph;
use natlaw_properties::file::{ScenarioFile, kind_of};
use natlaw_properties::judged::Judged;
use natlaw_snapshots::figures::{self, FIGURES};
use natlaw_snapshots::{INCIDENTS, Played, TOPOLOGIES, report};

fn incidents() -> impl Iterator<Item = Played<Nat>> {
    INCIDENTS.iter().map(|text| played(text))
}

fn topologies() -> impl Iterator<Item = Played<RoutingGraph>> {
    TOPOLOGIES.iter().map(|text| played(text))
}

fn played<S: Judged>(text: &str) -> Played<S> {
    Played::new(ScenarioFile::parse(text).expect("a scenario file")).expect("a known device")
}

fn reviewed(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../incidents",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn every_incident_is_as_last_reviewed() {
    incidents().for_each(|played| reviewed(&played.file.name, &report(&played)));
}

#[test]
fn every_topology_is_as_last_reviewed() {
    topologies().for_each(|played| reviewed(&played.file.name, &report(&played)));
}

#[test]
fn every_topology_breaks_the_laws_it_names_and_no_other() {
    for played in topologies() {
        assert!(played.is_as_expected(), "{}", report(&played));
        assert!(played.file.story.matches('.').count() >= 2, "{}", played.file.name);
    }
}

#[test]
fn every_figure_is_as_last_reviewed() {
    FIGURES.iter().for_each(|figure| reviewed(figure.name, &figures::report(figure)));
}

#[test]
fn every_incident_breaks_the_laws_it_names_and_no_other() {
    for played in incidents() {
        assert!(played.is_as_expected(), "{}", report(&played));
    }
}

#[test]
fn every_incident_is_named_for_its_file_and_tells_a_story() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for (text, played) in INCIDENTS.iter().zip(incidents()) {
        let path = folder.join(format!("{}.toml", played.file.name));
        assert_eq!(std::fs::read_to_string(path).expect("the file"), **text);
        assert_eq!(kind_of(text).expect("a kind").name, "nat");
        assert!(played.file.story.matches('.').count() >= 2, "{}", played.file.name);
    }
}

/// A reviewed report whose incident or figure is gone is an orphan: delete it with its scenario.
#[test]
fn no_reviewed_report_is_an_orphan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("incidents");
    let files = std::fs::read_dir(folder).expect("the reviewed reports");
    let name = |file: std::fs::DirEntry| file.file_name().to_string_lossy().into_owned();
    let found: BTreeSet<String> = files.map(|file| name(file.expect("a file"))).collect();
    let names = incidents().map(|played| played.file.name);
    let names = names.chain(topologies().map(|played| played.file.name));
    let names = names.chain(FIGURES.iter().map(|figure| figure.name.to_string()));
    let expected: BTreeSet<String> = names.map(|name| format!("{name}.snap")).collect();
    let orphans: Vec<_> = found.difference(&expected).collect();
    assert!(orphans.is_empty(), "{orphans:?}");
}

/// What is written back from an incident plays the same.
#[test]
fn an_incident_written_out_and_read_again_is_the_same() {
    for played in incidents() {
        let again = ScenarioFile::parse(&played.file.to_toml()).expect("a scenario file");
        assert_eq!(again, played.file);
    }
}
