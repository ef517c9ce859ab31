//! The translator that a log is of: inferred from the log, or read from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use natlaw_model::nat::{
    Configuration, HoldDown, IdleTimers, Member, Nat, NatError, Pool, PortPolicy, Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::subject::Subject as _;
use natlaw_model::time::Duration;
use natlaw_properties::file::{FileError, FileRule, text_of};
use serde::Deserialize;

use super::{Conntrack, Entry, InputError, LeftOut};
use crate::log::conntrack::Zone;

/// The lowest and the highest port that a flow can be given.
const EVERY_PORT: (u16, u16) = (1, u16::MAX);

/// The timers of a translator whose log says when a flow ends: none of its own ends one, and no key
/// rests afterwards.
const NO_TIMERS: Timers = {
    let forever = Duration::from_millis(u64::MAX);
    Timers {
        idle: IdleTimers::uniform(forever),
        hold_down: HoldDown::uniform(Duration::ZERO),
        unsolicited_syn: None,
    }
};

/// The entries that are judged, and how many lines are not, by reason.
pub(super) struct Selected<'a> {
    /// In file order.
    pub(super) entries: Vec<&'a Entry>,
    /// Those of the reader included.
    pub(super) left_out: BTreeMap<LeftOut, usize>,
}

/// Tells the entries of the translator from the others.
pub(super) fn select<'a>(log: &'a Conntrack, given: Option<&Nat>, zone: u16) -> Selected<'a> {
    let unread = log.left_out.iter().map(|(why, lines)| (LeftOut::Unread(*why), *lines));
    let mut left_out: BTreeMap<_, _> = unread.collect();
    let mut leave_out = |why| *left_out.entry(why).or_default() += 1;
    let mut entries = Vec::new();
    for entry in &log.entries {
        match foreign(entry, zone) {
            Some(why) => leave_out(why),
            None => entries.push(entry),
        }
    }
    let outside: BTreeSet<Ipv4Addr> = match given {
        Some(nat) => nat.virtual_ips.iter().map(|vip| vip.0).collect(),
        None => entries.iter().map(|entry| *entry.reply.destination.ip()).collect(),
    };
    entries.retain(|entry| {
        let why = elsewhere(entry, given, &outside);
        why.map(&mut leave_out).is_none()
    });
    Selected { entries, left_out }
}

/// Why an entry is one of no source translator of the zone.
fn foreign(entry: &Entry, zone: u16) -> Option<LeftOut> {
    let (original, reply) = (entry.original, entry.reply);
    if entry.zone != Zone::Both(zone) {
        Some(LeftOut::OtherZone)
    } else if reply.source != original.destination {
        Some(LeftOut::DestinationTranslated)
    } else if reply.destination == original.source {
        Some(LeftOut::NotTranslated)
    } else {
        None
    }
}

/// Why an entry is one of another translator than the one with these outside addresses.
fn elsewhere(entry: &Entry, given: Option<&Nat>, outside: &BTreeSet<Ipv4Addr>) -> Option<LeftOut> {
    let source = *entry.original.source.ip();
    let is_member = given.is_none_or(|nat| nat.pool.slot_of(Member(source)).is_some());
    if outside.contains(&source) {
        Some(LeftOut::FromOutside)
    } else if !is_member && !outside.contains(entry.reply.destination.ip()) {
        Some(LeftOut::OtherTranslator)
    } else {
        None
    }
}

/// The least that can be said of the translator with these entries: what it may do is whatever it
/// was seen to do. Mappings and keys are as fine as can be, which is what the kernel does.
pub(super) fn inferred(entries: &[&Entry]) -> Result<Nat, InputError> {
    let address = |of: fn(&Entry) -> Ipv4Addr| -> BTreeSet<_> {
        entries.iter().map(|entry| of(entry)).collect()
    };
    let sources = address(|entry| *entry.original.source.ip());
    let outside = address(|entry| *entry.reply.destination.ip());
    let members = sources.into_iter().map(|source| Some(Member(source))).collect();
    let (first, last) = EVERY_PORT;
    let ports = PortBlock::new(first, last).unwrap_or(PortBlock::ABOVE_WELL_KNOWN);
    let virtual_ips = outside.into_iter().map(VirtualIp).collect();
    let pool = Pool::new(members).map_err(InputError::Pool)?;
    let plain = Configuration::new(virtual_ips, pool, PortPolicy::OnDemand(ports));
    Nat::new(Configuration { timers: NO_TIMERS, ..plain }).map_err(InputError::Nat)
}

/// The same translator, its flows ending when the log says.
pub(super) fn without_timers(nat: &Nat) -> Result<Nat, NatError> {
    nat.with(|configuration| configuration.timers = NO_TIMERS)
}

/// A scenario file, as far as its subject.
#[derive(Deserialize)]
struct Scenario {
    kind: Option<String>,
    subject: Nat,
}

/// The configuration in a file: a subject by itself, or that of a scenario.
pub(crate) fn read(bytes: &[u8]) -> Result<Nat, FileError> {
    let text = text_of(bytes)?;
    let fault = |error: toml::de::Error| {
        let at = error.span().map(|span| position(text, span.start));
        FileError { at, rule: FileRule::Value(error.message().into()) }
    };
    if !toml::from_str::<toml::Table>(text).map_err(fault)?.contains_key("subject") {
        return toml::from_str(text).map_err(fault);
    }
    let scenario: Scenario = toml::from_str(text).map_err(fault)?;
    match scenario.kind.filter(|kind| kind != Nat::KIND) {
        Some(other) => Err(FileError { at: None, rule: FileRule::Kind(other) }),
        None => Ok(scenario.subject),
    }
}

/// Line and column (both from 1) of a byte.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    (1 + before.matches('\n').count(), column)
}
