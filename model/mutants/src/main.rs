//! `just mutants`: judges every change, prints the count, and puts it into README. Arguments go to
//! cargo-mutants, as `--file model/src/ports.rs`; what is so counted is not put into README.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use natlaw_mutants::{count, run};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let workspace = workspace.context("the workspace")?;
    let commit = count::commit(workspace)?;
    let count = run(workspace, &arguments)?;
    if arguments.is_empty() {
        count::publish(workspace, &commit, &count)?;
    }
    println!("{count}");
    Ok(if count.unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
