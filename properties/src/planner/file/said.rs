//! Values that a demand file writes as text, with their units.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use natlaw_model::flow::{Endpoint, Transport};
use natlaw_model::time::Duration;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::planner::rate::Rate;

/// A value that is written as text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<T>(pub(super) T);

/// What a value that is written as text must look like.
pub(super) trait Written: FromStr<Err: fmt::Display> {
    /// As an error says it.
    const EXPECTED: &'static str;
}

/// What carries connections, and where they go.
#[derive(Debug, Clone, Copy)]
pub(super) struct To(pub(super) Transport, pub(super) Endpoint);

/// A share of all connections, in percent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share(pub(super) u8);

impl Written for Duration {
    const EXPECTED: &'static str = "a length of time in quotes, a whole number and its unit (ms, s, min or h), such as \"300s\"";
}

impl Written for Rate {
    const EXPECTED: &'static str =
        "a rate in quotes, a number, a stroke and its unit of time, such as \"12/s\"";
}

impl Written for To {
    const EXPECTED: &'static str =
        "a transport and an endpoint in quotes, such as \"tcp 198.51.100.1:443\"";
}

impl Written for Share {
    const EXPECTED: &'static str = "a share in quotes, in whole percent, such as \"90%\"";
}

impl FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("`{text}` is no destination: write {}", Self::EXPECTED);
        let (transport, endpoint) = text.split_once(' ').ok_or_else(shape)?;
        let transport = transport.parse().map_err(|error| format!("{error}"))?;
        let endpoint = endpoint.trim().parse().map_err(|error| format!("{error}"))?;
        Ok(Self(transport, endpoint))
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = text.strip_suffix('%').map(str::trim_end).and_then(|text| text.parse().ok());
        let share = share.filter(|share| *share <= 100);
        share.map(Self).ok_or_else(|| format!("`{text}` is no share: write {}", Self::EXPECTED))
    }
}

impl<'de, T: Written> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData)).map(Said)
    }
}

struct Text<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
