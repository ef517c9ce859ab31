//! Finds out which of the changes without a switch compile at all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;

use crate::list::Change;
use crate::tree::{Fault, Tree};

/// Where in the written files an error is whose fault.
type Homes = BTreeMap<String, Vec<(Range<usize>, usize)>>;

/// Those of the changes that do not compile. Many are written at once, one in a function, since an
/// error in one function is no other's fault. What cannot be told is not among them.
///
/// # Errors
/// When a file cannot be written, or cargo fails without saying where.
pub fn not_compiling(
    tree: &Tree,
    changes: &[Change],
    mut left: BTreeSet<usize>,
) -> Result<BTreeSet<usize>> {
    let mut failed = BTreeSet::new();
    while !left.is_empty() {
        let mut round = one_in_a_function(tree, changes, &left);
        left.retain(|number| !round.contains(number));
        loop {
            let homes = write(tree, changes, &round)?;
            let at_fault: BTreeSet<_> =
                tree.faults()?.iter().filter_map(|fault| whose(fault, &homes)).collect();
            if at_fault.is_empty() {
                break;
            }
            round.retain(|number| !at_fault.contains(number));
            failed.extend(at_fault);
        }
    }
    tree.restore()?;
    Ok(failed)
}

/// As many of the changes as have no function in common.
fn one_in_a_function(tree: &Tree, changes: &[Change], left: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut taken: Vec<(&str, Range<usize>)> = vec![];
    let mut chosen = BTreeSet::new();
    for &number in left {
        let change = &changes[number];
        let home = change.home(&tree.sources[&change.file]);
        let is_apart = |(file, other): &(&str, Range<usize>)| {
            *file != change.file || other.end <= home.start || home.end <= other.start
        };
        if taken.iter().all(is_apart) {
            taken.push((&change.file, home));
            chosen.insert(number);
        }
    }
    chosen
}

/// Writes these changes, which lie apart, as cargo-mutants would write each.
fn write(tree: &Tree, changes: &[Change], numbers: &BTreeSet<usize>) -> Result<Homes> {
    tree.restore()?;
    let mut of_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &number in numbers {
        of_file.entry(&changes[number].file).or_default().push(number);
    }
    let mut homes = Homes::new();
    for (file, mut numbers) in of_file {
        let source = &tree.sources[file];
        numbers.sort_by_key(|&number| changes[number].range(source).start);
        let (text, of_this) = changed(source, changes, &numbers);
        tree.write(file, &text)?;
        homes.insert(file.into(), of_this);
    }
    Ok(homes)
}

/// The source with these changes, given in their order, and where their homes are in it.
fn changed(
    source: &str,
    changes: &[Change],
    numbers: &[usize],
) -> (String, Vec<(Range<usize>, usize)>) {
    let (mut text, mut homes, mut at) = (String::new(), vec![], 0);
    for &number in numbers {
        let (range, home) = (changes[number].range(source), changes[number].home(source));
        text.push_str(&source[at..range.start]);
        let start = text.len() - (range.start - home.start);
        text.push_str(&changes[number].replacement);
        homes.push((start..text.len() + (home.end - range.end), number));
        at = range.end;
    }
    text.push_str(&source[at..]);
    (text, homes)
}

fn whose(fault: &Fault, homes: &Homes) -> Option<usize> {
    let at = |(file, byte): &(String, usize)| {
        let (_, number) = homes.get(file)?.iter().find(|(home, _)| home.contains(byte))?;
        Some(*number)
    };
    fault.places.iter().find_map(at)
}
