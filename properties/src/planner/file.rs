//! Demand files, as TOML that a person writes. `docs/demand.toml` explains every field.
//!
//! They are read strictly: what is unknown, has no unit or contradicts itself is an error that names
//! the line, the field and what was expected.

mod rule;
mod said;

use std::collections::BTreeSet;
use std::ops::Range;

use natlaw_model::flow::Transport;
use natlaw_model::nat::PortPolicy;
use natlaw_model::profile::{Profile, ProfileError};
use natlaw_model::time::Duration;
use toml::Spanned;

pub use rule::DemandRule;
use said::{Said, Share, To};

use super::demand::{Close, Closes, Demand, Destination, Find};
use super::doubling::Doubling;
use super::envelope::{Arrivals, Envelope};
use super::questions::Question;
use super::rate::Rate;
use super::translator::Described;
use crate::file::{FileError, FileRule, position};

/// The most destinations that a file may name.
pub const DESTINATIONS_MAX: usize = 1_000;

/// The demand of a file.
///
/// # Errors
/// When the text breaks a rule of demand files; the error says where and which.
pub fn parse(text: &str) -> Result<Demand, FileError> {
    let raw: Raw = toml::from_str(text).map_err(|error| told(text, &error))?;
    let at = |span: Range<usize>, rule| FileError {
        at: Some(position(text, span.start)),
        rule: FileRule::Demand(field_at(text, &span), Box::new(rule)),
    };
    read(raw).map_err(|(span, rule)| at(span, rule))
}

/// A rule, and the bytes that break it.
type Broken = (Range<usize>, DemandRule);

/// A file as it stands.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    name: String,
    #[serde(default)]
    story: String,
    members: Spanned<usize>,
    find: Option<Spanned<Find>>,
    translator: RawTranslator,
    destinations: Spanned<Vec<RawDestination>>,
    #[serde(default)]
    questions: Vec<RawQuestion>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTranslator {
    profile: Spanned<String>,
    #[serde(default)]
    readings: Vec<Spanned<String>>,
    idle: Option<Spanned<Said<Duration>>>,
    hold: Option<Said<Duration>>,
    addresses: Option<Spanned<usize>>,
    ports: Option<Spanned<u16>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDestination {
    name: Spanned<String>,
    to: Spanned<Said<To>>,
    flows_max: Option<Spanned<u64>>,
    rate: Option<Spanned<Said<Rate>>>,
    burst: Option<Spanned<u64>>,
    life_max: Spanned<Said<Duration>>,
    life_min: Option<Spanned<Said<Duration>>>,
    close: Option<Spanned<RawCloses>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCloses {
    finish: Option<Said<Share>>,
    reset: Option<Said<Share>>,
    idle: Option<Said<Share>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum RawQuestion {
    SustainableRate,
    BindsFirst,
    PrivateEndpoints,
    Return,
    Pooling {
        kept_min: Said<Duration>,
    },
    Doubling {
        ports_min: Spanned<u64>,
        ports_max: Spanned<u64>,
        latency: Said<Duration>,
        share: Option<Spanned<Said<Share>>>,
    },
}

fn read(raw: Raw) -> Result<Demand, Broken> {
    let members = above_zero(&raw.members)?;
    let find = raw.find.as_ref().map(|find| *find.get_ref());
    let translator = translator(raw.translator, raw.find.as_ref(), &raw.members)?;
    let count = raw.destinations.get_ref().len();
    if !(1..=DESTINATIONS_MAX).contains(&count) {
        return Err((raw.destinations.span(), DemandRule::Destinations(count)));
    }
    let mut known = BTreeSet::new();
    let mut destinations = Vec::new();
    for written in raw.destinations.into_inner() {
        let (name, to) = (written.name.get_ref().clone(), written.to.get_ref().0);
        let to = format!("{} {}", to.0, to.1);
        for (field, span) in [(name, written.name.span()), (to, written.to.span())] {
            if !known.insert(field.clone()) {
                return Err((span, DemandRule::Twice(field)));
            }
        }
        destinations.push(destination(written)?);
    }
    let questions = raw.questions.into_iter().map(question).collect::<Result<_, _>>()?;
    let Raw { name, story, .. } = raw;
    Ok(Demand { name, story, members, translator, find, destinations, questions })
}

fn question(raw: RawQuestion) -> Result<Question, Broken> {
    Ok(match raw {
        RawQuestion::SustainableRate => Question::SustainableRate,
        RawQuestion::BindsFirst => Question::BindsFirst,
        RawQuestion::PrivateEndpoints => Question::PrivateEndpoints,
        RawQuestion::Return => Question::Return,
        RawQuestion::Pooling { kept_min } => Question::Pooling { kept_min: kept_min.0 },
        RawQuestion::Doubling { ports_min, ports_max, latency, share } => {
            let (least, most) = (above_zero(&ports_min)?, above_zero(&ports_max)?);
            if least > most {
                return Err((ports_min.span(), DemandRule::PortsMin { least, most }));
            }
            let share = share.map_or(Ok(100), |share| match share.get_ref().0.0 {
                0 => Err((share.span(), DemandRule::Zero)),
                percent => Ok(percent),
            })?;
            let latency = latency.0;
            Question::Doubling(Doubling { ports_min: least, ports_max: most, latency, share })
        }
    })
}

fn translator(
    raw: RawTranslator,
    find: Option<&Spanned<Find>>,
    members: &Spanned<usize>,
) -> Result<Described, Broken> {
    let name = raw.profile.get_ref();
    let known = Profile::named(name);
    let mut profile = known.ok_or((raw.profile.span(), DemandRule::Profile(name.clone())))?;
    if matches!(profile.ports.value, PortPolicy::Doubling(_)) {
        return Err((raw.profile.span(), DemandRule::Doubles(profile.name)));
    }
    for reading in raw.readings {
        let refused = |error| (reading.span(), DemandRule::Refused(error));
        profile = profile.read_as(reading.get_ref()).map_err(refused)?;
    }
    if let Some(idle) = raw.idle {
        let refused = |error| (idle.span(), DemandRule::Refused(error));
        profile = profile.with_idle(idle.get_ref().0).map_err(refused)?;
    }
    if let Some(find) = find {
        check_find(find, &profile, raw.addresses.as_ref(), raw.ports.as_ref())?;
    }
    let addresses = raw.addresses.as_ref().map(above_zero).transpose()?.unwrap_or(1);
    let ports = raw.ports.as_ref().map(|ports| *ports.get_ref());
    let hold = raw.hold.map(|hold| hold.0);
    let described = Described { profile, addresses, ports, hold };
    check_bounds(&described, members, raw.addresses.as_ref(), raw.ports.as_ref())?;
    Ok(described)
}

/// Whether what is searched for is not given, and can be chosen.
fn check_find(
    find: &Spanned<Find>,
    profile: &Profile,
    addresses: Option<&Spanned<usize>>,
    ports: Option<&Spanned<u16>>,
) -> Result<(), Broken> {
    let given = match find.get_ref() {
        Find::VirtualIps | Find::PublicIps => addresses.map(Spanned::span),
        Find::Ports => ports.map(Spanned::span),
    };
    match (given, find.get_ref(), profile.ports_chosen) {
        (Some(span), find, _) => Err((span, DemandRule::Given(*find))),
        (None, Find::Ports, None) => Err((find.span(), DemandRule::NotChosen(profile.name))),
        (None, Find::Ports | Find::VirtualIps | Find::PublicIps, _) => Ok(()),
    }
}

/// Whether the documents allow what the file gives, whatever is found.
fn check_bounds(
    described: &Described,
    members: &Spanned<usize>,
    addresses: Option<&Spanned<usize>>,
    ports: Option<&Spanned<u16>>,
) -> Result<(), Broken> {
    let given = described.nat(1, addresses.map_or(1, |it| *it.get_ref()), None);
    if let (Err(error), Some(addresses)) = (given, addresses) {
        return Err((addresses.span(), DemandRule::Refused(error)));
    }
    let chosen = described.nat(1, 1, ports.map(|it| *it.get_ref()));
    if let (Err(error), Some(ports)) = (chosen, ports) {
        return Err((ports.span(), DemandRule::Refused(error)));
    }
    let (asked, members_max) = (*members.get_ref(), described.profile.members_max);
    if asked > members_max.value {
        let error = ProfileError::TooManyMembers { members: asked, members_max };
        return Err((members.span(), DemandRule::Refused(error)));
    }
    Ok(())
}

fn destination(raw: RawDestination) -> Result<Destination, Broken> {
    let Said(To(transport, endpoint)) = *raw.to.get_ref();
    let closes = closes(raw.close.as_ref(), transport)?;
    let envelope = envelope(&raw)?;
    Ok(Destination { name: raw.name.into_inner(), transport, endpoint, envelope, closes })
}

fn envelope(raw: &RawDestination) -> Result<Envelope, Broken> {
    let flows_max = raw.flows_max.as_ref().map(above_zero).transpose()?;
    let arrivals = arrivals(raw)?;
    let Said(life_max) = *raw.life_max.get_ref();
    let life_min = raw.life_min.as_ref().map(|life| life.get_ref().0);
    for life in [Some(&raw.life_max), raw.life_min.as_ref()].into_iter().flatten() {
        if life.get_ref().0.is_zero() {
            return Err((life.span(), DemandRule::Zero));
        }
    }
    if let (Some(life_min), Some(field)) = (life_min, &raw.life_min)
        && life_min > life_max
    {
        return Err((field.span(), DemandRule::LifeMin { life_min, life_max }));
    }
    match (flows_max, arrivals, &raw.burst) {
        (None, None, _) => return Err((raw.name.span(), DemandRule::Unbounded)),
        (Some(_), None, _) if life_min.is_none() => {
            return Err((raw.name.span(), DemandRule::NoShortestLife));
        }
        (Some(flows_max), Some(Arrivals { burst, .. }), Some(field)) if burst > flows_max => {
            return Err((field.span(), DemandRule::Burst { burst, flows_max }));
        }
        (Some(_) | None, Some(_) | None, _) => {}
    }
    let life_min = life_min.unwrap_or(Duration::from_millis(1));
    Ok(Envelope { flows_max, arrivals, life_min, life_max })
}

fn arrivals(raw: &RawDestination) -> Result<Option<Arrivals>, Broken> {
    match (&raw.rate, &raw.burst) {
        (Some(rate), Some(burst)) => {
            Ok(Some(Arrivals { rate: rate.get_ref().0, burst: above_zero(burst)? }))
        }
        (Some(rate), None) => Err((rate.span(), DemandRule::Alone { missing: "burst" })),
        (None, Some(burst)) => Err((burst.span(), DemandRule::Alone { missing: "rate" })),
        (None, None) => Ok(None),
    }
}

/// How connections end: TCP by FIN unless told otherwise, all else when it is idle.
fn closes(raw: Option<&Spanned<RawCloses>>, transport: Transport) -> Result<Closes, Broken> {
    let Some(written) = raw else {
        return Ok(Closes::all(match transport {
            Transport::Tcp => Close::Finish,
            Transport::Udp | Transport::Icmp => Close::Idle,
        }));
    };
    let share = |share: Option<Said<Share>>| share.map_or(0, |share| share.0.0);
    let RawCloses { finish, reset, idle } = written.get_ref();
    let [finish, reset, idle] = [*finish, *reset, *idle].map(share);
    let all = u16::from(finish) + u16::from(reset) + u16::from(idle);
    if all != 100 {
        return Err((written.span(), DemandRule::Shares(all)));
    }
    match transport {
        Transport::Udp | Transport::Icmp if idle != 100 => {
            Err((written.span(), DemandRule::NotClosed(transport)))
        }
        Transport::Tcp | Transport::Udp | Transport::Icmp => Ok(Closes { finish, reset, idle }),
    }
}

fn above_zero<T: Copy + Default + PartialEq>(count: &Spanned<T>) -> Result<T, Broken> {
    match *count.get_ref() == T::default() {
        true => Err((count.span(), DemandRule::Zero)),
        false => Ok(*count.get_ref()),
    }
}

/// An error of TOML or of a value, with the field that it stands in.
fn told(text: &str, error: &toml::de::Error) -> FileError {
    let field = error.span().map_or_else(String::new, |span| field_at(text, &span));
    let at = error.span().map(|span| position(text, span.start));
    let message = error.message().trim_end();
    let is_named = field.is_empty() || message.contains(" field `");
    let rule = if is_named { message.into() } else { format!("`{field}`: {message}") };
    FileError { at, rule: FileRule::Value(rule) }
}

/// The innermost field whose key or value holds these bytes; nothing where there is none.
fn field_at(text: &str, span: &Range<usize>) -> String {
    let document = toml::de::DeTable::parse(text);
    document.ok().and_then(|document| field_in(document.get_ref(), span)).unwrap_or_default()
}

fn field_in(table: &toml::de::DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let holds = |held: Range<usize>| held.start <= span.start && span.end <= held.end;
    table.iter().find_map(|(key, value)| {
        let tables = match value.get_ref() {
            toml::de::DeValue::Table(table) => field_in(table, span),
            toml::de::DeValue::Array(entries) => {
                let mut tables = entries.iter().filter_map(|entry| entry.get_ref().as_table());
                tables.find_map(|table| field_in(table, span))
            }
            _ => None,
        };
        let is_here = holds(key.span()) || holds(value.span());
        tables.or_else(|| is_here.then(|| key.get_ref().to_string()))
    })
}
