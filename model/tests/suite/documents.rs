//! Each profile, constant by constant, as its documents have it.

use natlaw_model::profile::{Document, Profile};

/// What a person would write: the documents, each after a short name for it, and then a table for each
/// profile. Cells are at least two spaces apart; a table begins with a name and what it is a model of.
const TABLES: &str = include_str!("documents.txt");

/// The cells of a line.
fn cells(line: &str) -> Vec<String> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(String::from).collect()
}

/// The titles and the tables, each table under its title.
fn tables() -> Vec<(&'static str, Vec<Vec<String>>)> {
    let mut blocks = TABLES.trim_end().split("\n\n");
    let mut tables = vec![];
    while let (Some(title), Some(table)) = (blocks.next(), blocks.next()) {
        tables.push((title, table.lines().map(cells).collect()));
    }
    tables
}

fn short_name(document: &Document) -> String {
    let documents = tables().remove(0).1;
    let title = document.to_string();
    let mut known = documents.into_iter().filter(|known| known[1] == title);
    known.next().unwrap_or_else(|| panic!("`{title}` has no short name")).remove(0)
}

/// What a profile says: its constants, its readings and what it leaves out, with the document of each.
fn told(profile: &Profile) -> Vec<Vec<String>> {
    let row = |name: &str, value: &str, document| {
        vec![name.to_owned(), value.to_owned(), short_name(document)]
    };
    let mut rows = vec![];
    for constant in profile.constants() {
        rows.push(row(constant.name, &constant.value, constant.document));
    }
    for reading in profile.readings() {
        let answer = format!("{}: {}", reading.question, reading.says);
        rows.push(row(&format!("reading {}", reading.name), &answer, reading.document));
    }
    for outside in &profile.outside {
        rows.push(row("outside", outside.value, outside.document));
    }
    rows
}

#[test]
fn every_profile_has_a_table_and_there_are_no_others() {
    let titles: Vec<_> = tables().into_iter().map(|(title, _)| title.to_owned()).collect();
    let profiles = Profile::all().map(|profile| format!("{}: {}", profile.name, profile.what));
    assert_eq!(titles[0], "The documents");
    assert_eq!(titles[1..], profiles.collect::<Vec<_>>());
}

#[test]
fn every_constant_is_that_of_its_document() {
    for (profile, (title, table)) in Profile::all().zip(tables().into_iter().skip(1)) {
        let told = told(&profile);
        for (told, written) in told.iter().zip(&table) {
            assert_eq!(told, written, "{title}");
        }
        assert_eq!(told.len(), table.len(), "{title}");
    }
}
