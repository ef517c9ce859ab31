//! Entries as the steps of a trace, each judged as it comes: memory follows what is held.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use natlaw_model::flow::{Binding, Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Event, Holding, Mapping, Nat, Outcome, PortPolicy, Signal};
use natlaw_model::time::{Duration, Instant};
use natlaw_properties::law::{Judge, Law, Verdict};

use super::{Entry, LeftOut};
use crate::log::Protocol;
use crate::log::conntrack::Change;

/// The most ends that wait to be entered: they are entered together, at the cost of a look at
/// everything that is held.
const WAITING_MAX: usize = 1_024;

/// What became of a log.
#[derive(Debug)]
pub(super) struct Judged {
    /// The configuration that it was held to.
    pub(super) nat: Nat,
    /// The configuration was given, not inferred.
    pub(super) is_given: bool,
    /// Entries that were judged.
    pub(super) entries: usize,
    /// Entries that were not, by reason.
    pub(super) left_out: BTreeMap<LeftOut, usize>,
    /// Lines whose time is before that of a line above them; they count as of that line's time.
    pub(super) backwards: usize,
    /// Steps that were judged, the passing of time included.
    pub(super) steps: usize,
    /// The time from the first line to the last.
    pub(super) lasted: Duration,
    /// What became of each law that the log decides, in the order of the laws.
    pub(super) verdicts: Vec<Verdict>,
    /// The first step that broke each broken law, in the order of the steps.
    pub(super) breaches: Vec<Breach>,
}

/// The step that broke a law first.
#[derive(Debug)]
pub(super) struct Breach {
    /// The law.
    pub(super) law: &'static str,
    /// Who is hurt, and how.
    pub(super) harm: &'static str,
    /// The step, counted from 1.
    pub(super) step: usize,
    /// When, since the first line.
    pub(super) at: Instant,
    /// What was asked.
    pub(super) asked: String,
    /// What was answered.
    pub(super) answered: String,
    /// The line that broke it.
    pub(super) entry: Entry,
    /// The lines that began what stands against it: the flow itself, and who holds its key.
    pub(super) against: Vec<Entry>,
}

/// Plays entries to a judge.
pub(super) struct Player<'a> {
    laws: &'a [Law<Nat>],
    nat: &'a Nat,
    judge: Judge<'a, Nat>,
    /// The live flows, with the entry that began each.
    begun: BTreeMap<FiveTuple, &'a Entry>,
    /// Mappings of UDP and ICMP that are over and that the ledger still knows.
    over: BTreeSet<Mapping>,
    first_us: Option<u64>,
    entries: usize,
    backwards: usize,
    left_out: BTreeMap<LeftOut, usize>,
    breaches: Vec<Breach>,
}

impl<'a> Player<'a> {
    /// A player that has played nothing yet.
    pub(super) fn new(
        laws: &'a [Law<Nat>],
        nat: &'a Nat,
        left_out: BTreeMap<LeftOut, usize>,
    ) -> Self {
        Self {
            laws,
            nat,
            judge: Judge::new(laws, nat),
            begun: BTreeMap::new(),
            over: BTreeSet::new(),
            first_us: None,
            entries: 0,
            backwards: 0,
            left_out,
            breaches: Vec::new(),
        }
    }

    /// Plays one entry.
    pub(super) fn take(&mut self, entry: &'a Entry) {
        let Binding { flow, .. } = binding(entry);
        let is_end = entry.event.is_some_and(|event| event.change == Change::Destroy);
        if is_end && !self.begun.contains_key(&flow) {
            return *self.left_out.entry(LeftOut::EndAlone).or_default() += 1;
        }
        self.entries += 1;
        self.let_time_pass(entry);
        self.forget_if_it_matters(binding(entry));
        self.send(entry);
        self.begun.entry(flow).or_insert(entry);
        if is_end {
            self.end(flow);
        }
    }

    /// What became of everything that was played.
    pub(super) fn judged(self, is_given: bool) -> Judged {
        let now = self.judge.ledger().now;
        Judged {
            nat: self.nat.clone(),
            is_given,
            entries: self.entries,
            left_out: self.left_out,
            backwards: self.backwards,
            steps: self.judge.steps(),
            lasted: Duration::from_millis(now.millis()),
            verdicts: self.judge.verdicts().to_vec(),
            breaches: self.breaches,
        }
    }

    /// Time passes up to the entry's, in whole milliseconds since the first one's.
    fn let_time_pass(&mut self, entry: &Entry) {
        let Some(event) = entry.event else { return };
        let first_us = *self.first_us.get_or_insert(event.time_us);
        let (now, then) = (self.judge.ledger().now.millis(), event.time_us.checked_sub(first_us));
        match then.and_then(|us| (us / 1_000).checked_sub(now)) {
            None => self.backwards += 1,
            Some(0) => {}
            Some(millis) => {
                self.judge.step(&Event::Elapse(Duration::from_millis(millis)), &Outcome::ELAPSED);
            }
        }
    }

    /// A packet of the entry's flow leaves from the entry's external endpoint.
    fn send(&mut self, entry: &Entry) {
        let Binding { flow, external } = binding(entry);
        let against = self.against(binding(entry));
        let asked = Event::outbound(flow, signal(entry, flow.transport));
        let answered = Outcome::Forwarded(flow.from(external));
        if self.judge.step(&asked, &answered).is_some() {
            let against = against.into_iter().flatten().filter_map(|held| self.begun.get(&held));
            let against: Vec<Entry> = against.map(|entry| **entry).collect();
            self.note_breaches(entry, &asked, &answered, &against);
        }
    }

    /// The flows that a binding can be held against: that of another mapping with its key, and
    /// that with which its own mapping began.
    fn against(&self, Binding { flow, external }: Binding) -> [Option<FiveTuple>; 2] {
        let mapping = |flow| self.nat.mapping_of(flow);
        let first = |holding: &Holding| holding.binding.flow;
        let ledger = self.judge.ledger();
        let mut holders = ledger.holders(self.nat.key(flow, external)).map(first);
        let other = holders.find(|held| mapping(*held) != mapping(flow));
        [other, ledger.holding_of(flow).map(first)]
    }

    /// Notes the laws that this step was the first to break.
    fn note_breaches(
        &mut self,
        entry: &Entry,
        asked: &Event,
        answered: &Outcome,
        against: &[Entry],
    ) {
        let (step, at) = (self.judge.steps(), self.judge.ledger().now);
        let verdicts = self.laws.iter().zip(self.judge.verdicts());
        let broken = verdicts.filter(|(_, verdict)| verdict.broken_at == Some(step));
        self.breaches.extend(broken.map(|(law, _)| Breach {
            law: law.name,
            harm: law.harm,
            step,
            at,
            asked: asked.to_string(),
            answered: answered.to_string(),
            entry: *entry,
            against: against.to_vec(),
        }));
    }

    /// A flow is over. Its last TCP packet has said so; for UDP and ICMP no packet can, so it is
    /// remembered until it matters, unless another flow of its mapping lives on.
    fn end(&mut self, flow: FiveTuple) {
        self.begun.remove(&flow);
        if flow.transport == Transport::Tcp {
            return;
        }
        let mapping = self.nat.mapping_of(flow);
        let to = |address, port| flow.to(Endpoint::new(address, port));
        let all = to(Ipv4Addr::UNSPECIFIED, 0)..=to(Ipv4Addr::BROADCAST, u16::MAX);
        let lives = self.begun.range(all).any(|(other, _)| self.nat.mapping_of(*other) == mapping);
        if !lives {
            self.over.insert(mapping);
        }
    }

    /// Enters the ends that wait if this binding would meet one of them, or they are many. A
    /// configuration that takes the bindings away is the one event by which a device ends a flow of
    /// UDP or ICMP at a given instant.
    fn forget_if_it_matters(&mut self, binding: Binding) {
        let waits = self.over.len() < WAITING_MAX && !self.meets_an_end(binding);
        if self.over.is_empty() || waits {
            return;
        }
        let held = self.judge.ledger().holdings().filter(|holding| self.is_over(holding));
        let mut stranded: Vec<Binding> = held.map(|holding| holding.binding).collect();
        stranded.sort();
        self.over.clear();
        let answered = Outcome::Reconfigured { stranded };
        self.judge.step(&Event::reconfigure(self.nat.clone()), &answered);
    }

    /// Whether the ledger would answer otherwise if it knew of the ends. Under dynamic NAT any
    /// binding may be a lease.
    fn meets_an_end(&self, Binding { flow, external }: Binding) -> bool {
        let ledger = self.judge.ledger();
        let mut met = ledger.holders(self.nat.key(flow, external)).chain(ledger.holding_of(flow));
        let leases = matches!(self.nat.ports, PortPolicy::Dynamic | PortPolicy::Doubling(_));
        leases || met.any(|holding| self.is_over(holding))
    }

    fn is_over(&self, holding: &Holding) -> bool {
        self.over.contains(&holding.mapping())
    }
}

/// The flow of an entry, and the external endpoint that stands for it.
fn binding(entry: &Entry) -> Binding {
    let transport = match entry.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
        Protocol::Icmp => Transport::Icmp,
    };
    let endpoint = |socket: std::net::SocketAddrV4| Endpoint::new(*socket.ip(), socket.port());
    let (source, destination) = (entry.original.source, entry.original.destination);
    let (source, destination) = (endpoint(source), endpoint(destination));
    let flow = FiveTuple { transport, source, destination };
    Binding { flow, external: endpoint(entry.reply.destination) }
}

/// What the packet of an entry says about its flow: only TCP says anything.
fn signal(entry: &Entry, transport: Transport) -> Signal {
    match (transport, entry.event.map(|event| event.change)) {
        (Transport::Udp | Transport::Icmp, _) | (_, Some(Change::Update)) => Signal::Data,
        (Transport::Tcp, None | Some(Change::New)) => Signal::Open,
        (Transport::Tcp, Some(Change::Destroy)) => Signal::Finish,
    }
}
