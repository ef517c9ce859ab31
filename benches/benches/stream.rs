//! A long run: what an event costs, with a million live flows, and what a live flow costs in memory.
//!
//! A thousand members keep a thousand flows each, to two destinations, on 16 virtual IPs. The flows
//! come round in turn: one in ten closes, to be opened anew once its hold-down is over, the others
//! send; a millisecond passes every hundred events. Memory is told after half of the events and
//! after all of them: it follows what is live, not what has been.
//!
//! ```sh
//! cargo bench --package natlaw-benches --bench stream                 # 10 million events
//! cargo bench --package natlaw-benches --bench stream -- 100000000    # as many as you like
//! ```

use std::time::Instant;

use natlaw_model::allocator::{Bitmap, PortAllocator};
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{
    Configuration, Event, HoldDown, IdleTimers, Nat, Outcome, Pool, PortPolicy, Selection, Signal,
    Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::{Device, Subject};
use natlaw_model::time::Duration;
use natlaw_model::translator::Translator;
use natlaw_properties::law::Judge;
use natlaw_properties::nat::LAWS;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Members, and flows of each, where all is measured.
const FULL: (u32, u32) = (1_000, 1_000);

/// The same where it is only tried that everything runs.
const TRIED: (u32, u32) = (100, 20);

const EVENTS: u64 = 10_000_000;

fn main() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (members, flows) = if is_measured { FULL } else { TRIED };
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let live = u64::from(members) * u64::from(flows);
    let events = if is_measured { asked.unwrap_or(EVENTS) } else { 10 * live };
    let workload = Workload { members, flows };
    println!("{} live flows of {members} members\n", grouped(live));
    println!("{:<28}{:>14}{:>16}{:>18}", "", "events", "events a second", "bytes a live flow");
    workload.measure("answered", events, |nat| Answering(Translator::new(nat, Bitmap::new)));
    workload.measure("answered and entered", events, Entering::new);
    workload.measure("answered, entered, judged", events, Judging::new);
}

/// Something that takes the events of a run.
trait Run {
    fn take(&mut self, event: &Event) -> Outcome;
}

struct Answering<A>(Translator<A>);

impl<A: PortAllocator> Run for Answering<A> {
    fn take(&mut self, event: &Event) -> Outcome {
        self.0.step(event)
    }
}

/// A translator and the ledger of its answers.
struct Entering {
    translator: Translator<Bitmap>,
    ledger: <Nat as Subject>::Ledger,
}

impl Entering {
    fn new(nat: &Nat) -> Self {
        Self { translator: Translator::new(nat, Bitmap::new), ledger: nat.ledger() }
    }
}

impl Run for Entering {
    fn take(&mut self, event: &Event) -> Outcome {
        let outcome = self.translator.step(event);
        Nat::record(&mut self.ledger, event, &outcome);
        outcome
    }
}

/// A translator whose every answer is held to every law.
struct Judging {
    translator: Translator<Bitmap>,
    judge: Judge<'static, Nat>,
}

impl Judging {
    fn new(nat: &Nat) -> Self {
        Self { translator: Translator::new(nat, Bitmap::new), judge: Judge::new(LAWS, nat) }
    }
}

impl Run for Judging {
    fn take(&mut self, event: &Event) -> Outcome {
        let outcome = self.translator.step(event);
        let broken = self.judge.step(event, &outcome);
        assert!(broken.is_none(), "{broken:?} is broken by {event}: {outcome}");
        outcome
    }
}

/// So many members with so many flows each.
#[derive(Clone, Copy)]
struct Workload {
    members: u32,
    flows: u32,
}

impl Workload {
    /// Opens every flow, then goes on for so many events, and prints what that cost.
    fn measure<R: Run>(self, name: &str, events: u64, new: impl Fn(&Nat) -> R) {
        let before = MEMORY.current_usage();
        let mut run = new(&self.nat());
        let live = u64::from(self.members) * u64::from(self.flows);
        (0..live).for_each(|n| self.open(&mut run, n));
        for part in 1..=2 {
            let (first, last) = ((part - 1) * events / 2, part * events / 2);
            let began = Instant::now();
            (first..last).for_each(|n| self.go_on(&mut run, n, live));
            let rate = u128::from(last - first) * 1_000_000 / began.elapsed().as_micros().max(1);
            let bytes = (MEMORY.current_usage().saturating_sub(before)) as u64 / live;
            println!("{name:<28}{:>14}{:>16}{bytes:>18}", grouped(last), grouped(rate));
        }
    }

    fn nat(self) -> Nat {
        let virtual_ips = (1..=16).map(|n| VirtualIp([203, 0, 113, n].into())).collect();
        let pool = Pool::of_size([10, 0, 0, 1].into(), self.members as usize).expect("a pool");
        let ports = PortPolicy::OnDemand(PortBlock::ABOVE_WELL_KNOWN);
        let timers = Timers {
            idle: IdleTimers::uniform(Duration::from_secs(3_600)),
            hold_down: HoldDown::uniform(Duration::from_millis(4)),
            unsolicited_syn: None,
        };
        let plain = Configuration::new(virtual_ips, pool, ports);
        Nat::new(Configuration { timers, selection: Selection::Random(1), ..plain })
            .expect("a legal configuration")
    }

    /// Flow number `n`.
    fn flow(self, n: u64) -> FiveTuple {
        let number = u32::try_from(n).expect("a number of a flow");
        let (member, flow) = (number % self.members, number / self.members);
        let first = u32::from_be_bytes([10, 0, 0, 1]);
        let port = u16::try_from(1_024 + flow).expect("a port of a member");
        let remote = [198, 51, 100, (number % 2) as u8 + 1];
        FiveTuple {
            transport: Transport::Tcp,
            source: Endpoint::new((first + member).into(), port),
            destination: Endpoint::new(remote.into(), 443),
        }
    }

    fn open(self, run: &mut impl Run, n: u64) {
        forwarded(run, &Event::outbound(self.flow(n), Signal::Open));
    }

    /// Event number `n`: flow `n` of the round sends or closes, or one that has closed is opened.
    fn go_on(self, run: &mut impl Run, n: u64, live: u64) {
        let flow = self.flow(n % live);
        match n % 100 {
            99 => drop(run.take(&Event::Elapse(Duration::from_millis(1)))),
            turn if turn % 10 == 0 => forwarded(run, &Event::outbound(flow, Signal::Finish)),
            turn if turn % 10 == 1 => {
                let closed = self.flow((n + live - 1 - live / 4 / 100 * 100) % live);
                forwarded(run, &Event::outbound(closed, Signal::Open));
            }
            _ => forwarded(run, &Event::outbound(flow, Signal::Data)),
        }
    }
}

/// The answer is checked before anything is said about its time.
fn forwarded(run: &mut impl Run, event: &Event) {
    let outcome = run.take(event);
    assert!(matches!(outcome, Outcome::Forwarded(_)), "{event}: {outcome}");
}

/// A number with a comma every three digits.
fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}
