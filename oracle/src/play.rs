//! A scenario played on a real device.

use std::collections::BTreeMap;

use natlaw_model::allocator::Refusal;
use natlaw_model::flow::FiveTuple;
use natlaw_model::nat::{Event, IcmpError, Ledger, Nat, Outcome, Reason, Side};
use natlaw_model::subject::{Scenario, Step, Subject as _, Trace};
use natlaw_model::time::Duration;

use crate::real::{Error, Opened, RealNat};

/// What a real device answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Each event with its answer: any law can judge it.
    pub trace: Trace<Nat>,
    /// Of each step, the candidates that were looked at and taken, where the device counts them.
    pub taken: Vec<Option<u64>>,
}

/// A device that is being played on. The ledger keeps its time: what the answers imply is over by
/// then, the device is told to end.
pub struct Player<'a> {
    device: &'a mut dyn RealNat,
    ledger: Ledger,
    /// Taken candidates by all steps so far.
    taken: Option<u64>,
    /// What rules let in, by the tuple of its replies, and the packet that began it.
    admitted: BTreeMap<FiveTuple, FiveTuple>,
    recording: Recording,
}

impl Recording {
    /// Nothing asked of this configuration yet.
    pub const fn new(subject: Nat) -> Self {
        Self { trace: Trace { subject, steps: Vec::new() }, taken: Vec::new() }
    }

    /// The recording as if only these of its steps had happened.
    #[must_use]
    pub fn with_steps(&self, kept: &[usize]) -> Self {
        let steps = kept.iter().map(|index| self.trace.steps[*index].clone()).collect();
        let taken = kept.iter().map(|index| self.taken[*index]).collect();
        Self { trace: Trace { subject: self.trace.subject.clone(), steps }, taken }
    }
}

/// Asks the device every event of the scenario in turn.
///
/// # Errors
/// When the device cannot be asked this, or does not answer.
pub fn play(device: &mut dyn RealNat, scenario: &Scenario<Nat>) -> Result<Recording, Error> {
    let mut player = Player::new(device, &scenario.subject)?;
    scenario.events.iter().try_for_each(|event| player.ask(event).map(drop))?;
    Ok(player.into_recording())
}

impl<'a> Player<'a> {
    /// The device with this configuration and nothing live.
    ///
    /// # Errors
    /// When the device cannot be configured so.
    pub fn new(device: &'a mut dyn RealNat, nat: &Nat) -> Result<Self, Error> {
        device.configure(nat)?;
        let (ledger, recording) = (nat.ledger(), Recording::new(nat.clone()));
        let taken = device.taken_probes()?;
        Ok(Self { device, ledger, taken, admitted: BTreeMap::new(), recording })
    }

    /// What the device answers to one event.
    ///
    /// # Errors
    /// When the device cannot be asked this, or does not answer.
    pub fn ask(&mut self, event: &Event) -> Result<&Outcome, Error> {
        let outcome = self.answer(event)?;
        let after = self.device.taken_probes()?;
        let before = std::mem::replace(&mut self.taken, after);
        let live = self.may_end(event);
        Nat::record(&mut self.ledger, event, &outcome);
        self.remember(event, &outcome);
        self.end(event, &live)?;
        self.recording.taken.push(before.zip(after).map(|(before, after)| after - before));
        self.recording.trace.steps.push(Step { event: event.clone(), outcome });
        Ok(&self.recording.trace.steps.last().expect("just pushed").outcome)
    }

    /// What the answers so far imply.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// All that was asked and answered.
    pub fn into_recording(self) -> Recording {
        self.recording
    }

    fn answer(&mut self, event: &Event) -> Result<Outcome, Error> {
        match event {
            Event::Outbound(segment) => Ok(match self.device.outbound(*segment)? {
                Opened::Sent(sent) => Outcome::Forwarded(sent),
                Opened::Refused => Outcome::Dropped(Reason::Refused(Refusal::Exhausted)),
                Opened::Dropped => Outcome::Dropped(Reason::NoFlow),
            }),
            Event::Inbound(segment) => Ok(match self.device.inbound(*segment)? {
                Some(delivered) => Outcome::Forwarded(delivered),
                None => Outcome::Dropped(Reason::NoMapping),
            }),
            Event::OutboundError(error) => self.answer_error(Side::Inside, *error),
            Event::InboundError(error) => self.answer_error(Side::Outside, *error),
            Event::Elapse(_) => Ok(Outcome::ELAPSED),
            Event::Reconfigure(_) => {
                Err(Error::Unsupported(format!("it cannot be asked: {event}")))
            }
        }
    }

    fn answer_error(&mut self, side: Side, error: IcmpError) -> Result<Outcome, Error> {
        Ok(match self.device.error(side, error)? {
            Some(passed) => Outcome::ErrorForwarded(passed),
            None => Outcome::Dropped(Reason::NoMapping),
        })
    }

    /// The live flows that the event may end.
    fn may_end(&self, event: &Event) -> Vec<FiveTuple> {
        match event {
            Event::Outbound(segment) if segment.ends_its_flow() => {
                let live = self.ledger.external_of(segment.tuple);
                live.map(|_| segment.tuple).into_iter().collect()
            }
            Event::Inbound(segment) if segment.ends_its_flow() => {
                let holding = self.ledger.live_at(segment.tuple);
                holding.into_iter().flat_map(|it| it.live_flows(self.ledger.now)).collect()
            }
            Event::Elapse(_) => {
                let holdings = self.ledger.holdings();
                holdings.flat_map(|holding| holding.live_flows(self.ledger.now)).collect()
            }
            Event::Outbound(_)
            | Event::Inbound(_)
            | Event::OutboundError(_)
            | Event::InboundError(_)
            | Event::Reconfigure(_) => Vec::new(),
        }
    }

    /// A connection that a rule let in.
    fn remember(&mut self, event: &Event, outcome: &Outcome) {
        if let (Event::Inbound(segment), Outcome::Forwarded(delivered)) = (event, outcome) {
            let reply = segment.tuple.to(delivered.destination).reversed();
            if self.ledger.admitted_through(reply).is_some() {
                self.admitted.insert(reply, segment.tuple);
            }
        }
    }

    /// Lets the time of the event pass, and ends what is over by then.
    fn end(&mut self, event: &Event, live: &[FiveTuple]) -> Result<(), Error> {
        let is_over = |flow: &FiveTuple| self.ledger.external_of(*flow).is_none();
        let mut over: Vec<FiveTuple> = live.iter().copied().filter(is_over).collect();
        let ledger = &self.ledger;
        self.admitted.retain(|reply, first| {
            let is_live = ledger.admitted_through(*reply).is_some();
            over.extend((!is_live).then_some(*first));
            is_live
        });
        let by = if let Event::Elapse(by) = event { *by } else { Duration::ZERO };
        self.device.elapse(by, &over)
    }
}
