//! How often connections are opened, as a bound.

use std::fmt;
use std::str::FromStr;

use natlaw_model::time::Duration;
use serde::de::{Deserialize, Deserializer, Error};

/// At most so many opens in so much time, evenly allowed; written `12/s`, `4.8/s`, `30/min`, `1/h`.
/// What is left of an open is not rounded away: `4.8/s` allows 24 opens in five seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    opens: u64,
    every_ms: u64,
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateError {
    /// No number, a stroke and a unit of time.
    Shape(String),
    /// A rate of nothing opens nothing.
    Zero(String),
    /// The number does not fit.
    TooHigh(String),
}

/// The units a person may write after the stroke, in milliseconds.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000)];

/// The most digits after the point.
const DECIMALS_MAX: usize = 6;

impl Rate {
    /// The rate of `opens` in every `every_ms` milliseconds; `None` if either is zero.
    pub const fn new(opens: u64, every_ms: u64) -> Option<Self> {
        match opens > 0 && every_ms > 0 {
            true => Some(Self { opens, every_ms }),
            false => None,
        }
    }

    /// Opens for each [`Self::every_ms`] milliseconds: at least 1.
    pub const fn opens(self) -> u64 {
        self.opens
    }

    /// The milliseconds that [`Self::opens`] are for: at least 1.
    pub const fn every_ms(self) -> u64 {
        self.every_ms
    }

    /// Whole opens that the rate alone allows within `length`; the most that can be told if they
    /// are more.
    pub fn opens_in(self, length: Duration) -> u64 {
        let opens = u128::from(self.opens) * u128::from(length.millis());
        u64::try_from(opens / u128::from(self.every_ms)).unwrap_or(u64::MAX)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let shape = || RateError::Shape(text.into());
        let (number, unit) = text.split_once('/').ok_or_else(shape)?;
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let (_, unit_ms) = unit.ok_or_else(shape)?;
        let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = !whole.is_empty() && (number.contains('.') != part.is_empty());
        if !has_digits || !is_digits(whole) || !is_digits(part) || part.len() > DECIMALS_MAX {
            return Err(shape());
        }
        let too_high = || RateError::TooHigh(text.into());
        let opens = format!("{whole}{part}").parse().map_err(|_| too_high())?;
        let scale = 10_u64.pow(u32::try_from(part.len()).unwrap_or(0));
        Self::new(opens, unit_ms * scale).ok_or_else(|| RateError::Zero(text.into()))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(Error::custom)
    }
}

/// In opens a second, to a thousandth where they are no whole number.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = u128::from(self.opens) * 1_000_000 / u128::from(self.every_ms);
        let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
        match part {
            0 => write!(f, "{whole}/s"),
            _ => write!(f, "{whole}.{}/s", format!("{part:03}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(
                f,
                "`{text}` is no rate: write a number, a stroke and a unit of time (ms, s, min or \
                 h), such as 12/s or 4.8/s"
            ),
            Self::Zero(text) => write!(f, "`{text}` opens nothing: leave the destination out"),
            Self::TooHigh(text) => write!(f, "`{text}` is more than can be told"),
        }
    }
}

impl std::error::Error for RateError {}
