//! What the devices answer, held to their rules.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use natlaw_model::nat::Ledger;
use natlaw_oracle::capacity::{fill, of_the_story};
use natlaw_oracle::hosts::EVENTS;
use natlaw_oracle::namespace;
use natlaw_oracle::packets::{PACKETS, Packets};
use natlaw_oracle::real::{Error, RealNat};
use natlaw_oracle::rule::{Agreement, Parted};
use natlaw_oracle::run::{run_hosts, save};
use natlaw_oracle::transcript::{Case, Recorded};
use natlaw_oracle::wire;

use crate::gone;

const SEED: u64 = 1;
/// Where the evidence of a failure goes.
const EVIDENCE: &str = env!("CARGO_TARGET_TMPDIR");

/// Something that a device is held to, and what was compared.
type Check = fn() -> Result<String, Failure>;

/// Why a check did not pass.
pub(crate) enum Failure {
    /// It could not be made here.
    Skipped(Error),
    /// It was made, and failed.
    Failed(String),
}

const CHECKS: &[(&str, Check)] = &[
    ("situations_on_the_wire", || situations(device("linux-wire"))),
    ("hosts_on_the_wire", hosts_on_the_wire),
    ("the_stress_test_on_the_wire", the_stress_test_on_the_wire),
    ("situations_at_the_switch", || situations(device("ovs"))),
    ("hosts_at_the_switch", hosts_at_the_switch),
];

/// Makes the checks whose names contain `filter`.
pub(crate) fn main(filter: &str) -> ExitCode {
    let is_asked = |name: &str| name.contains(filter);
    let mut failed = false;
    if is_asked(gone::NAME) {
        failed |= report(gone::NAME, gone::nothing_is_left_behind());
    }
    let checks = || CHECKS.iter().filter(|(name, _)| is_asked(name));
    if checks().next().is_none() {
        return ExitCode::from(u8::from(failed));
    }
    if let Err(error) = namespace::enter() {
        println!("test wire_and_ovs ... ignored, {error}: SKIPPED, 0 steps compared");
        return ExitCode::from(u8::from(failed));
    }
    for (name, check) in checks() {
        failed |= report(name, check());
    }
    ExitCode::from(u8::from(failed))
}

/// One line; whether the check failed.
fn report(name: &str, result: Result<String, Failure>) -> bool {
    match result {
        Ok(compared) => println!("test {name} ... ok, {compared}"),
        Err(Failure::Skipped(error)) => {
            println!("test {name} ... ignored, {error}: SKIPPED, 0 steps compared");
        }
        Err(Failure::Failed(why)) => {
            println!("test {name} ... FAILED\n{why}");
            return true;
        }
    }
    false
}

fn device(name: &str) -> &'static Packets {
    PACKETS.iter().find(|device| device.name == name).expect("a device")
}

/// A device that has answered once: what it cannot do after that, it was able to.
fn available(open: fn() -> Result<Box<dyn RealNat>, Error>) -> Result<Box<dyn RealNat>, Failure> {
    open().map_err(Failure::Skipped)
}

/// Each situation goes as the rule says, or parts from it in the step and in the way that is known.
fn situations(packets: &Packets) -> Result<String, Failure> {
    let recorded = Recorded::by(&*available(packets.open)?);
    let cases = packets.told()?;
    let (mut steps, mut apart) = (0, 0);
    for case in &cases {
        steps += case.recording.trace.steps.len();
        match ((packets.follow)(&case.recording), packets.apart(&case.name)) {
            (Ok(_), None) => {}
            (Ok(_), Some(known)) if known.is_drawn => {}
            (Ok(_), Some(known)) => {
                let why = format!("{}: it does not show that {}", case.name, known.what);
                return Err(Failure::Failed(why));
            }
            (Err(parted), Some(known))
                if parted.evidence.trace.steps.len() == known.step
                    && (known.shows)(&case.recording) =>
            {
                apart += 1;
            }
            (Err(parted), _) => return Err(evidence(&recorded, case, &parted, packets)),
        }
    }
    let all = cases.len();
    Ok(format!("{steps} steps of {all} situations compared, {apart} apart as is known"))
}

fn evidence(recorded: &Recorded, case: &Case, parted: &Parted, packets: &Packets) -> Failure {
    let saved = save(recorded, case, parted, packets.follow, Path::new(EVIDENCE));
    Failure::Failed(format!("{}: {parted}\nsaved: {saved:?}", case.name))
}

/// Filters, replies, services, errors, and the states of TCP. The kernel gives the port of a
/// connection that is over to a newcomer: here nobody begins higher than who was before, and what is
/// reset is gone at once.
fn hosts_on_the_wire() -> Result<String, Failure> {
    let mut answers = 0;
    compare(device("linux-wire"), 40, |ledger| {
        answers += 1;
        // A look at all that the kernel tracks takes longer than ten questions
        if answers % 10 == 0 { states_agree(ledger) } else { Ok(()) }
    })
}

/// The same but for services and errors, by a clock that is turned: timers are exact. After an RST
/// the switch waits as long as after a FIN of both sides.
fn hosts_at_the_switch() -> Result<String, Failure> {
    compare(device("ovs"), 15, |_| Ok(()))
}

/// The story's 1,024 ports of a member, by an nft map: each is had in the end, and none beyond.
fn the_stress_test_on_the_wire() -> Result<String, Failure> {
    let mut wire = available(device("linux-wire").open_for_walks)?;
    let row = fill(&mut *wire, &of_the_story(1))?;
    let actual = (row.ports, row.in_the_end, row.members_full, row.unlawful);
    match actual == (1024, 1024, 1, 0) && row.at_first >= 800 {
        true => Ok(format!("{} of 1024 connections at first, all in the end", row.at_first)),
        false => Err(Failure::Failed(format!("{row:?}"))),
    }
}

fn compare(
    packets: &Packets,
    walks: usize,
    seen: impl FnMut(&Ledger) -> Result<(), Error>,
) -> Result<String, Failure> {
    let mut device = available(packets.open_for_walks)?;
    let begun = Instant::now();
    let ran = run_hosts(&mut *device, packets.follow, (SEED, walks), packets.hosts, seen)?;
    if let Some((case, parted)) = &ran.parted {
        return Err(evidence(&ran.run.recorded, case, parted, packets));
    }
    let Agreement { steps, exact, drawn, refused, .. } = ran.run.agreement;
    assert_eq!(steps, walks * EVENTS);
    let versions = device.versions().into_iter().map(|(what, version)| format!("{what} {version}"));
    let versions = versions.collect::<Vec<_>>().join(", ");
    Ok(format!(
        "{steps} steps compared in {:.1?}: {exact} answers exact, {drawn} drawn, {refused} refused; \
         {versions}",
        begun.elapsed()
    ))
}

/// Every connection of a member that the kernel tracks is, to the kernel, in the state that the model
/// gives it.
fn states_agree(ledger: &Ledger) -> Result<(), Error> {
    let of_members = |it: &wire::Tracked| ledger.nat.is_member(it.binding.flow.source.address);
    for it in wire::tracked()?.into_iter().filter(of_members) {
        let end = ledger.end_of(it.binding.flow);
        let is = |state: wire::TcpState| end.is_some_and(|end| state.is(end.state));
        if !it.state.is_none_or(is) {
            let (kernel, model) = (it.state, end.map(|end| end.state));
            let why = format!("{} is {kernel:?} to the kernel, {model:?} here", it.binding);
            return Err(Error::Garbled { what: "the state of a connection", why });
        }
    }
    Ok(())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}
