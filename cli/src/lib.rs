//! `natlaw` holds NAT and the routing around it to laws.
//!
//! - `natlaw`, `natlaw check`: plays incidents or scenario files and checks every law.
//! - `natlaw show`: one incident, figure, mutant or scenario file in full.
//! - `natlaw laws`, `natlaw devices`: what is claimed, and what it can be tried on.
//! - `natlaw schema`: what a scenario file may say, for editors.
//! - `natlaw plan`: the least that a demand needs, with what proves it.
//! - `natlaw replay`: our allocator under the demand of a recorded log.
//! - `natlaw route`: one walk through a routing graph, hop by hop, or the graph drawn.
//! - `natlaw compliance`: what the RFCs ask of a translator, and what answers.
//! - `natlaw profiles`: providers' published rules, each constant with its document.
//! - `natlaw judge`: a real device by its own answers, as Linux connection tracking tells them.
//! - `natlaw oracle`: the model held against the kernel of this machine.
//!
//! Exit codes: 0 as expected, 1 a law is broken unexpectedly or not broken where it should be,
//! 2 bad input.
//!
//! As a library it has two doors: [`main`] for the command, and [`READERS`] for whoever wants to try
//! every reader of it on bytes of his own.
//!
//! # Invariants
//! No rule of NAT lives here: it reads files, asks the other crates, and prints.

mod bundled;
mod check;
mod compliance;
mod demand;
mod files;
mod judge;
mod lists;
mod log;
mod oracle;
mod plan;
mod profiles;
mod progress;
mod readers;
mod replay;
mod route;
mod schema;
mod show;
mod sweep;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use readers::{READERS, Reader};

/// The version of every JSON document that is printed.
const JSON_VERSION: u32 = 1;

/// What a command prints, and whether everything was as expected.
struct Report {
    text: String,
    json: serde_json::Value,
    as_expected: bool,
}

/// Hold NAT and the routing around it to laws.
///
/// Without a command: play the incidents and the bundled log, and check every law.
#[derive(Parser)]
#[command(name = "natlaw", version, about, long_about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON, with a `version` field, in place of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Play the incidents and the bundled log, or these scenario files, and check every law.
    Check(check::Args),
    /// Show an incident, a figure, a mutant or a scenario file in full; without a name, list them.
    Show(show::Args),
    /// Print every law: its sentence, its source, and who is hurt if it fails.
    Laws,
    /// Print every device that a scenario can be played on, the mutants included.
    Devices,
    /// Print the JSON Schema of a scenario file, by which an editor completes and checks it.
    Schema,
    Plan(plan::Args),
    Replay(replay::Args),
    Judge(judge::Args),
    Oracle(oracle::Args),
    Compliance(compliance::Args),
    Profiles(profiles::Args),
    Route(route::Args),
}

/// Does what the command line says, prints the answer, and tells how to exit.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command.unwrap_or(Command::Check(check::Args::default()))) {
        Ok(report) => print(&report, cli.json),
        Err(error) => {
            eprintln!("natlaw: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<Report, Box<dyn Error>> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Laws => Ok(lists::laws()),
        Command::Devices => Ok(lists::devices()),
        Command::Schema => Ok(schema::run()),
        Command::Plan(args) => plan::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Oracle(args) => oracle::run(&args),
        Command::Compliance(args) => compliance::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Route(args) => route::run(&args),
    }
}

/// Prints a report. Nobody listening is no error: `natlaw laws | head` ends quietly.
fn print(report: &Report, json: bool) -> ExitCode {
    let text = match json {
        true => format!("{:#}\n", report.json),
        false => report.text.clone(),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("natlaw: standard output: {error}");
            ExitCode::from(2)
        }
        Ok(()) | Err(_) => ExitCode::from(u8::from(!report.as_expected)),
    }
}
