//! Nothing is left behind: a process that holds both devices is ended in every way there is, and then
//! its processes, its namespaces and its files are gone.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use natlaw_oracle::conversation::Beginning;
use natlaw_oracle::namespace;
use natlaw_oracle::ovs::Ovs;
use natlaw_oracle::real::Error;
use natlaw_oracle::skip::ends_on_ctrl_c;
use natlaw_oracle::wire::Wire;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::live::Failure;

/// What the check below is called.
pub(crate) const NAME: &str = "nothing_is_left_behind";
/// The argument that makes this program one that holds both devices.
pub(crate) const HOLD: &str = "--hold";

const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(5);
/// Where the switch has its files, and names that they have.
const FILES: [&str; 4] = ["/run/db.sock", "/run/switch.ctl", "/run/inside.sock", "/run/conf.db"];

/// What a holder says before why it holds nothing.
const NOTHING: &str = "nothing: ";

/// How the holder ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Success,
    Failure,
    Signal(Signal),
}

const ENDS: [End; 5] = [
    End::Success,
    End::Failure,
    End::Signal(Signal::SIGINT),
    End::Signal(Signal::SIGTERM),
    End::Signal(Signal::SIGKILL),
];

/// Holds what devices can be had, says so, and waits to be told how to end.
pub(crate) fn hold() -> ExitCode {
    if let Err(error) = namespace::enter() {
        println!("{NOTHING}{error}");
        return ExitCode::SUCCESS;
    }
    let (wire, ovs) = (Wire::open(Beginning::EverLower), Ovs::open(Beginning::EverLower));
    let said = |error: Option<&Error>| error.map_or_else(|| "held".into(), ToString::to_string);
    println!("wire: {}; ovs: {}", said(wire.as_ref().err()), said(ovs.as_ref().err()));
    let mut order = String::new();
    std::io::stdin().read_line(&mut order).expect("an order");
    assert_eq!(order.trim(), "", "told to fail");
    ExitCode::SUCCESS
}

pub(crate) fn nothing_is_left_behind() -> Result<String, Failure> {
    let mut held = String::new();
    for end in ENDS {
        held = ended(end).map_err(Failure::Failed)?;
        if let Some(why) = held.strip_prefix(NOTHING) {
            let (what, why) = ("a holder of devices", why.to_owned());
            return Err(Failure::Skipped(Error::Unavailable { what, why }));
        }
    }
    Ok(format!("{} ends; {held}", ENDS.len()))
}

/// Starts a holder, ends it, and looks for what is left; answers what it held.
fn ended(end: End) -> Result<String, String> {
    let mut holder = start();
    let mut line = String::new();
    let output = holder.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let held = line.trim().to_owned();
    let (namespaces, family) = (namespaces_of(holder.id()), family_of(holder.id()));
    stop(&mut holder, end);
    if held.contains("ovs: held") && family.len() < 2 {
        return Err(format!("a switch without processes: {family:?}"));
    }
    await_gone(&family, &namespaces).map_err(|left| format!("after {end:?}: {left}"))?;
    Ok(held)
}

fn start() -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .arg(HOLD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a holder")
}

fn stop(holder: &mut Child, end: End) {
    use std::io::Write as _;

    let mut stdin = holder.stdin.take().expect("a pipe");
    match end {
        End::Success => drop(stdin),
        // One that holds nothing has ended already
        End::Failure => drop(stdin.write_all(b"fail\n")),
        End::Signal(Signal::SIGINT) if !ends_on_ctrl_c() => {
            kill(pid(holder.id()), Signal::SIGTERM).expect("a signal");
        }
        End::Signal(signal) => kill(pid(holder.id()), signal).expect("a signal"),
    }
    holder.wait().expect("an end");
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("a process"))
}

/// The processes that it started, and theirs.
fn family_of(id: u32) -> Vec<u32> {
    let children = |id: u32| {
        let path = format!("/proc/{id}/task/{id}/children");
        let list = fs::read_to_string(path).unwrap_or_default();
        list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
    };
    let mut family = children(id);
    let mut next = 0;
    while let Some(id) = family.get(next).copied() {
        family.extend(children(id));
        next += 1;
    }
    family
}

/// Its network and its files, as the names of its namespaces.
fn namespaces_of(id: u32) -> Vec<PathBuf> {
    let of = |id: &str, kind: &str| fs::read_link(format!("/proc/{id}/ns/{kind}")).ok();
    let own = |kind| of(&id.to_string(), kind).filter(|it| Some(it) != of("self", kind).as_ref());
    ["net", "mnt"].into_iter().filter_map(own).collect()
}

/// What is left when patience ends: of processes, namespaces or files.
fn await_gone(family: &[u32], namespaces: &[PathBuf]) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let left = left(family, namespaces);
        if left.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(left.join(", "));
        }
        thread::sleep(GLANCE);
    }
}

fn left(family: &[u32], namespaces: &[PathBuf]) -> Vec<String> {
    let running = family.iter().filter(|id| runs(**id)).map(|id| format!("process {id}"));
    let files = FILES.into_iter().filter(|file| Path::new(file).exists()).map(String::from);
    let inhabited = processes().into_iter().filter_map(|id| {
        let of = |kind| fs::read_link(format!("/proc/{id}/ns/{kind}")).ok();
        let shared = ["net", "mnt"].into_iter().filter_map(of).find(|it| namespaces.contains(it));
        shared.map(|it| format!("process {id} in {}", it.display()))
    });
    running.chain(files).chain(inhabited).collect()
}

/// Whether it runs: one that nobody has waited for yet does not.
fn runs(id: u32) -> bool {
    let mut status = String::new();
    let read = fs::File::open(format!("/proc/{id}/stat"));
    read.and_then(|mut file| file.read_to_string(&mut status)).is_ok()
        && !status.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X']))
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
