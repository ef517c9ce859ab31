//! Judges every change that cargo-mutants makes to the model.
//!
//! cargo-mutants compiles the model anew for each change, which takes many hours for all of them. Here
//! most changes are compiled at once:
//!
//! 1. [`list`] takes the changes from `cargo mutants --list`, so that `.cargo/mutants.toml` counts. All
//!    that follows is done in a [copy](tree) of the workspace, which may be worked on meanwhile.
//! 2. [`compile`] and [`switch`] put each change behind a switch. The environment says which is on.
//!    What does not compile behind one is taken out, and so is what a compiler calls ([`constants`]).
//! 3. [`suite`] runs each test of the model by itself, notes the switches that it reaches, and then,
//!    for each change, the tests that reach its switch.
//! 4. [`plain`] finds out which of the others compile at all.
//! 5. [`left`] gives those that do, and those that no test of the model noticed, to cargo-mutants
//!    itself, with the tests of `model`, then with those of `properties` and `snapshots` too.
//! 6. [`count`] says what came of it.
//!
//! A change is caught here only if a test fails that passes without it. A switch that leads nowhere
//! is noticed by no test, and goes to cargo-mutants: an error of this tool costs time and hides nothing.
//!
//! **Held against cargo-mutants.** On 21 November 2026 cargo-mutants by itself had judged 237 of the
//! changes with the tests of `model`: all 31 of `ports.rs`, all 74 of `tiers.rs`, and others. For 230
//! the outcome here was the same. Four that it caught were left to it here: a compiler calls the
//! functions. Three that do not compile for it were caught here, where no lint is denied (two
//! overflow) and a `const fn` that no constant calls need not be one.

pub mod compile;
pub mod constants;
pub mod count;
pub mod left;
pub mod list;
pub mod plain;
pub mod suite;
pub mod switch;
pub mod tree;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::count::{Count, Outcome};
use crate::list::Change;
use crate::suite::Suite;
use crate::tree::Tree;

/// Judges every change that cargo-mutants makes with these arguments. What came of each stands in
/// `target/mutants/outcomes.txt` when all is done, and of those that are left, before.
///
/// # Errors
/// When the workspace does not compile, a test fails without a change, or a command cannot be run.
pub fn run(workspace: &Path, arguments: &[String]) -> Result<Count> {
    let target = workspace.join("target/mutants");
    let tree = Tree::copy(workspace, &target.join("tree"))?;
    let changes = list::changes(tree.root(), arguments)?;
    eprintln!("{} changes", changes.len());
    let mut outcomes = in_one_build(&tree, &changes)?;
    count::write(&target, &changes, &outcomes)?;
    for judges in &left::JUDGES {
        left::judge(&tree, &target, arguments, &changes, &mut outcomes, judges)?;
        count::write(&target, &changes, &outcomes)?;
    }
    Ok(Count::new(&outcomes))
}

/// What can be said of the changes without cargo-mutants.
fn in_one_build(tree: &Tree, changes: &[Change]) -> Result<Vec<Outcome>> {
    let switched = compile::with_switches(tree, changes)?;
    eprintln!("{} are behind switches", switched.len());
    let suite = Suite::new(tree.suite()?, tree.model())?;
    let mut outcomes = vec![Outcome::Unnoticed; changes.len()];
    for (number, verdict) in suite.judge(&switched)? {
        outcomes[number] = verdict;
    }
    let others: BTreeSet<_> = (0..changes.len()).filter(|it| !switched.contains(it)).collect();
    for number in plain::not_compiling(tree, changes, others)? {
        outcomes[number] = Outcome::NotCompiling;
    }
    Ok(outcomes)
}
