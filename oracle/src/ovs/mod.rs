//! Open vSwitch as a device: its own connection tracking, without the kernel's, and with a clock
//! that is turned by hand.
//!
//! **Readings taken.**
//! - A flow that gets no endpoint goes on with its private address: that is a refusal.
//! - A timer of zero is none of the switch's: it is told that such a flow is over.
//! - What follows when both sides of a connection have closed is one timer here, that of a reset.
//! - It is sent no ICMP errors: Open vSwitch 3.1.0, with these rules and one for related packets, passed
//!   some of them as it should, and then aborted.

mod control;
mod daemons;
mod flows;
mod port;
mod tracked;

use natlaw_model::flow::{Binding, FiveTuple};
use natlaw_model::nat::{Nat, Segment, Side};
use natlaw_model::time::Duration;

use crate::conversation::{Beginning, Conversations};
use crate::frame::{self, Hop, Mac, Packet};
use crate::probe;
use crate::program::{run, version};
use crate::real::{Error, Opened, RealNat};
use control::Control;
use daemons::{Daemons, SWITCH, configure, home};
use flows::NOBODY;
use port::Port;

/// A switch that runs, and everybody on both sides of it. It stops when this is dropped.
#[derive(Debug)]
pub struct Ovs {
    control: Control,
    inside: Port,
    outside: Port,
    conversations: Conversations,
    timeouts: Vec<String>,
    _daemons: Daemons,
}

const MEMBERS: Mac = [2, 0, 0, 0, 0, 1];
const SERVERS: Mac = [2, 0, 0, 0, 0, 2];
const ZONE: &str = "zone=1";

impl Ovs {
    /// A switch without rules whose clock stands. This process must have entered its namespace.
    ///
    /// # Errors
    /// Where a program is missing, or this process may not hide the switch's files.
    pub fn open(beginning: Beginning) -> Result<Self, Error> {
        let daemons = Daemons::start()?;
        let mut control = Control::connect()?;
        let (inside, outside) = (Port::connect("inside.sock")?, Port::connect("outside.sock")?);
        control.ask("time/stop", &[])?;
        let conversations = Conversations::new(beginning);
        let timeouts = Vec::new();
        Ok(Self { control, inside, outside, conversations, timeouts, _daemons: daemons })
    }

    /// One flow through a pool of one port, and a stranger who is not let in.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with what went wrong.
    pub fn probe(&mut self) -> Result<(), Error> {
        probe::flow_and_stranger(self)
    }

    /// What comes out for a segment of this side, if it is not to be dropped.
    fn pass(&mut self, side: Side, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        let numbers = self.conversations.numbers(side, segment);
        let (from, to, hop) = match side {
            Side::Inside => {
                let hop = Hop { source: MEMBERS, destination: SERVERS };
                (&mut self.inside, &mut self.outside, hop)
            }
            Side::Outside => {
                let hop = Hop { source: SERVERS, destination: MEMBERS };
                (&mut self.outside, &mut self.inside, hop)
            }
        };
        from.send(&hop.segment(side, segment, numbers))?;
        let frame = to.receive()?;
        match frame::read(&frame) {
            _ if frame.starts_with(&NOBODY) => Ok(None),
            Some(Packet::Segment(seen)) => Ok(Some(frame::with_ports_of(segment.tuple, seen))),
            Some(Packet::Error(_)) | None => {
                Err(Error::Garbled { what: "a frame", why: format!("{} bytes", frame.len()) })
            }
        }
    }

    fn set_timeouts(&mut self, timeouts: Vec<String>) -> Result<(), Error> {
        if timeouts == self.timeouts {
            return Ok(());
        }
        configure(&["--if-exists", "del-zone-tp", "dummy", ZONE])?;
        let words = ["add-zone-tp", "dummy", ZONE].into_iter();
        configure(&words.chain(timeouts.iter().map(String::as_str)).collect::<Vec<_>>())?;
        self.timeouts = timeouts;
        Ok(())
    }
}

impl RealNat for Ovs {
    fn name(&self) -> &'static str {
        "ovs"
    }

    fn versions(&self) -> Vec<(&'static str, String)> {
        vec![("Open vSwitch", version("ovs-vswitchd", "--version"))]
    }

    fn configure(&mut self, nat: &Nat) -> Result<(), Error> {
        let (flows, timeouts) = (flows::flows(nat)?, flows::timeouts(nat)?);
        self.set_timeouts(timeouts)?;
        self.control.ask("dpctl/flush-conntrack", &[ZONE])?;
        let switch = home(&format!("{SWITCH}.mgmt"));
        run("ovs-ofctl", &["add-flows", &switch, "-"], &flows)?;
        self.control.ask("revalidator/purge", &[])?;
        self.conversations.forget();
        Ok(())
    }

    fn outbound(&mut self, segment: Segment) -> Result<Opened, Error> {
        let Some(sent) = self.pass(Side::Inside, segment)? else { return Ok(Opened::Dropped) };
        if sent.source.address == segment.tuple.source.address {
            return Ok(Opened::Refused);
        }
        self.conversations.sent(segment.tuple, sent);
        Ok(Opened::Sent(sent))
    }

    fn inbound(&mut self, segment: Segment) -> Result<Option<FiveTuple>, Error> {
        self.pass(Side::Outside, segment)
    }

    fn close(&mut self, flow: FiveTuple) -> Result<(), Error> {
        match self.control.ask("dpctl/flush-conntrack", &[ZONE, &tracked::named(flow)]) {
            Err(Error::Failed { why, .. }) if why.contains("No such") => Ok(()),
            closed => closed.map(drop),
        }
    }

    fn elapse(&mut self, by: Duration, over: &[FiveTuple]) -> Result<(), Error> {
        if by.is_zero() {
            return over.iter().try_for_each(|flow| self.close(*flow));
        }
        let millis = by.millis().to_string();
        self.control.ask("time/warp", &[&millis, &millis]).map(drop)
    }

    fn table(&mut self) -> Result<Vec<Binding>, Error> {
        let list = self.control.ask("dpctl/dump-conntrack", &[ZONE])?;
        let mut table = list.lines().map(tracked::parse).collect::<Result<Vec<_>, _>>()?;
        table.sort();
        Ok(table)
    }
}
