//! Time as the model knows it: milliseconds since a scenario began. It is passed in, never read.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use crate::text::serde_as_text;

/// A point in time: milliseconds since the scenario began; written as the time since then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

/// A length of time in milliseconds; written `240s`, `1500ms`, `2h`, `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, from = "String", into = "String"),
    schemars(extend("pattern" = crate::schema::duration())),
    schemars(extend("examples" = ["240s", "1500ms", "15min", "2h"])),
)]
pub struct Duration(u64);

/// Why a text names no length of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeError {
    /// The text is no whole number with a unit.
    Shape(String),
    /// The length does not fit into 64 bits of milliseconds.
    TooLong(String),
}

/// The units a person may write, longest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("ms", 1), ("s", 1_000)];

impl Instant {
    /// The instant a scenario begins.
    pub const START: Self = Self(0);

    /// The last instant there is: time stands still there.
    pub const LAST: Self = Self(u64::MAX);

    /// Milliseconds since the scenario began.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// This many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// This many seconds; the longest length there is if they do not fit.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// The length in milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whether no time passes.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Time never wraps: past the last instant it stands still.
impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Duration(self.0))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1_000) {
            write!(f, "{}s", self.0 / 1_000)
        } else {
            write!(f, "{}ms", self.0)
        }
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse::<Duration>().map(|since_start| Self::START + since_start)
    }
}

impl FromStr for Duration {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let digits_end = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, unit) = text.split_at(digits_end);
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let (Some((_, millis)), false) = (unit, digits.is_empty()) else {
            return Err(TimeError::Shape(text.into()));
        };
        let count = digits.parse::<u64>().ok();
        let length = count.and_then(|count| count.checked_mul(*millis));
        length.map(Self).ok_or_else(|| TimeError::TooLong(text.into()))
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(
                f,
                "`{text}` is no length of time: write a whole number and a unit (ms, s, min or \
                 h), such as 240s"
            ),
            Self::TooLong(text) => {
                write!(f, "`{text}` is too long: at most {} ms can be told", u64::MAX)
            }
        }
    }
}

impl std::error::Error for TimeError {}

serde_as_text!(Duration, Instant);
