//! What the devices answer, held to their rules.

use std::process::ExitCode;
use std::time::Instant;

use natlaw_model::nat::Ledger;
use natlaw_model::time::Duration;
use natlaw_oracle::capacity::{fill, of_the_story};
use natlaw_oracle::conversation::Beginning;
use natlaw_oracle::hosts::{EVENTS, Walk, walks};
use natlaw_oracle::namespace;
use natlaw_oracle::ovs::Ovs;
use natlaw_oracle::real::{Error, RealNat};
use natlaw_oracle::rule::{Agreement, Follow, follow_linux, follow_ovs};
use natlaw_oracle::wire::{self, Wire};

use crate::gone;

const SEED: u64 = 1;

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
    ("hosts_on_the_wire", hosts_on_the_wire),
    ("the_stress_test_on_the_wire", the_stress_test_on_the_wire),
    ("hosts_at_the_switch", hosts_at_the_switch),
];

pub(crate) fn main() -> ExitCode {
    let mut failed = report("nothing_is_left_behind", gone::nothing_is_left_behind());
    if let Err(error) = namespace::enter() {
        println!("test wire_and_ovs ... ignored, {error}: SKIPPED, 0 steps compared");
        return ExitCode::from(u8::from(failed));
    }
    for (name, check) in CHECKS {
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

/// Filters, replies, and the states of TCP. The kernel gives the port of a connection that is over to
/// a newcomer: here nobody begins higher than who was before, and what is reset is gone at once.
fn hosts_on_the_wire() -> Result<String, Failure> {
    let mut wire = available(Wire::open(Beginning::EverLower), Wire::probe)?;
    let walks = walks(SEED, 40, Duration::ZERO);
    let mut answers = 0;
    compare(&mut wire, &walks, follow_linux, |ledger| {
        answers += 1;
        // A look at all that the kernel tracks takes longer than ten questions
        if answers % 10 == 0 { states_agree(ledger) } else { Ok(()) }
    })
}

/// The same, by a clock that is turned: timers are exact. After an RST the switch waits as long as
/// after a FIN of both sides.
fn hosts_at_the_switch() -> Result<String, Failure> {
    let mut ovs = available(Ovs::open(Beginning::EverHigher), Ovs::probe)?;
    let walks = walks(SEED, 15, Duration::from_secs(30));
    compare(&mut ovs, &walks, follow_ovs, |_| Ok(()))
}

/// The story's 1,024 ports of a member, by an nft map: each is had in the end, and none beyond.
fn the_stress_test_on_the_wire() -> Result<String, Failure> {
    let mut wire = available(Wire::open(Beginning::EverLower), Wire::probe)?;
    let row = fill(&mut wire, &of_the_story(1))?;
    let actual = (row.ports, row.in_the_end, row.members_full, row.unlawful);
    match actual == (1024, 1024, 1, 0) && row.at_first >= 800 {
        true => Ok(format!("{} of 1024 connections at first, all in the end", row.at_first)),
        false => Err(Failure::Failed(format!("{row:?}"))),
    }
}

/// A device that has answered once: what it cannot do after that, it was able to.
fn available<D>(
    opened: Result<D, Error>,
    probe: fn(&mut D) -> Result<(), Error>,
) -> Result<D, Failure> {
    let mut device = opened.map_err(Failure::Skipped)?;
    probe(&mut device).map_err(Failure::Skipped)?;
    Ok(device)
}

fn compare(
    device: &mut dyn RealNat,
    walks: &[Walk],
    follow: Follow,
    mut seen: impl FnMut(&Ledger) -> Result<(), Error>,
) -> Result<String, Failure> {
    let (begun, mut agreement) = (Instant::now(), Agreement::default());
    for walk in walks {
        let recording = walk.play(device, &mut seen)?;
        let agreed = follow(&recording).map_err(|parted| Failure::Failed(parted.to_string()))?;
        agreement = agreement.and(agreed);
        same_table(device, &recording.trace.ledger())?;
    }
    let Agreement { steps, exact, drawn, refused, .. } = agreement;
    assert_eq!(steps, walks.len() * EVENTS);
    let versions = device.versions().into_iter().map(|(what, version)| format!("{what} {version}"));
    let versions = versions.collect::<Vec<_>>().join(", ");
    Ok(format!(
        "{steps} steps compared in {:.1?}: {exact} answers exact, {drawn} drawn, {refused} refused; \
         {versions}",
        begun.elapsed()
    ))
}

/// What the device holds live is what its answers imply.
fn same_table(device: &mut dyn RealNat, ledger: &Ledger) -> Result<(), Failure> {
    let flows =
        ledger.holdings().flat_map(|it| it.live_flows(ledger.now).map(move |flow| (flow, it)));
    let mut expected: Vec<_> = flows.map(|(flow, it)| (flow, it.binding.external)).collect();
    expected.sort_unstable();
    let table = device.table()?;
    let actual: Vec<_> = table.into_iter().map(|it| (it.flow, it.external)).collect();
    match actual == expected {
        true => Ok(()),
        false => Err(Failure::Failed(format!("live {expected:?}, tracked {actual:?}"))),
    }
}

/// Every connection that the kernel tracks is, to the kernel, in the state that the model gives it.
fn states_agree(ledger: &Ledger) -> Result<(), Error> {
    for it in wire::tracked()? {
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
