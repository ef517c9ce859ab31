//! Finds out which changes can be behind a switch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::constants::called_by_constants;
use crate::list::Change;
use crate::switch::{Switched, switched, to_blame};
use crate::tree::{Fault, Tree};

/// Where the function that a switch asks is written.
const LIBRARY: &str = "model/src/lib.rs";

/// Writes into the tree a switch for each change that can have one, and tells which those are. What
/// does not compile behind a switch is taken out, until the rest does.
///
/// # Errors
/// When an error of the compiler is no change's fault, or a file cannot be read or written.
pub fn with_switches(tree: &Tree, changes: &[Change]) -> Result<BTreeSet<usize>> {
    let files = parsed(tree)?;
    let stay_const = called_by_constants(files.values());
    let runtime = include_str!("runtime.rs").replace("CHANGES", &changes.len().to_string());
    let mut dropped = BTreeSet::new();
    loop {
        let mut written = BTreeMap::new();
        for (&name, file) in files.iter().filter(|(name, _)| name.starts_with("model/src/")) {
            let changes = kept(changes, name, &dropped);
            let text = switched(&tree.sources[name], file, &changes, &stay_const);
            let end = if name == LIBRARY { &runtime } else { "" };
            tree.write(name, &format!("{}{end}", text.text))?;
            written.insert(name, text);
        }
        let faults = tree.faults()?;
        if faults.is_empty() {
            return Ok(written.into_values().flat_map(|text| text.numbers).collect());
        }
        for fault in faults {
            dropped.insert(blamed(&fault, &written).context(fault.told)?);
        }
    }
}

fn parsed(tree: &Tree) -> Result<BTreeMap<&str, syn::File>> {
    let mut files = BTreeMap::new();
    for (name, text) in &tree.sources {
        files.insert(name.as_str(), syn::parse_file(text).with_context(|| name.clone())?);
    }
    Ok(files)
}

/// The changes of a file that are not dropped, by their numbers.
fn kept<'a>(
    changes: &'a [Change],
    file: &str,
    dropped: &BTreeSet<usize>,
) -> BTreeMap<usize, &'a Change> {
    let numbered = changes.iter().enumerate();
    numbered.filter(|(number, change)| change.file == file && !dropped.contains(number)).collect()
}

/// The change to drop for an error, by the first of its places that is somebody's.
fn blamed(fault: &Fault, written: &BTreeMap<&str, Switched>) -> Option<usize> {
    let mut places = fault.places.iter();
    places.find_map(|(file, byte)| to_blame(&written.get(file.as_str())?.regions, *byte))
}
