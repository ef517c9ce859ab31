//! What a person writes, as JSON Schema sees it: the patterns of the nouns that are text.
//!
//! A pattern takes all that a noun's reader takes. What no pattern can say, such as that a block's
//! first port is not above its last, is left to the reader.

use std::ops::RangeInclusive;

use schemars::{Schema, json_schema};

/// The patterns that stand for one number and nothing else: a part of an address, a port, a count.
pub const NUMBERS: [&str; 3] = [OCTET, PORT, COUNT];

const OCTET: &str = "(?:25[0-5]|(?:2[0-4]|1[0-9]|[1-9])?[0-9])";
const PORT: &str =
    "0*(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})";
const COUNT: &str = "[0-9]+";
const NAME: &str = "[A-Za-z0-9._-]{1,64}";

/// The powers of two with these exponents.
pub(crate) fn powers_of_two(exponents: RangeInclusive<u32>) -> Vec<u32> {
    exponents.map(|exponent| 1 << exponent).collect()
}

/// `203.0.113.1`.
pub(crate) fn address() -> String {
    whole(&an_address())
}

/// `tcp 203.0.113.1:443 > 10.0.0.1:8443`.
pub(crate) fn flow() -> String {
    whole(&a_flow())
}

/// `tcp 10.0.0.1:40000 > 198.51.100.1:443 open`.
pub(crate) fn segment() -> String {
    whole(&format!(r"{}(?: (?:open|data|finish|reset)\s*)?", a_flow()))
}

/// `198.51.100.7 > 203.0.113.1 about tcp 203.0.113.1:1024 > 198.51.100.1:443`.
pub(crate) fn icmp_error() -> String {
    let address = an_address();
    whole(&format!(r"\s*{address}\s*>\s*{address} about {}", a_flow()))
}

/// `198.51.100.0/24`.
pub(crate) fn prefix() -> String {
    whole(&format!(r"{}(?:/(?:3[0-2]|[12]?[0-9]))?", an_address()))
}

/// `1024-2047`.
pub(crate) fn block() -> String {
    whole(&format!(r"\s*{PORT}\s*-\s*{PORT}\s*"))
}

/// `240s`.
pub(crate) fn duration() -> String {
    whole(&format!(r"{COUNT}\s*(?:ms|s|min|h)\s*"))
}

/// No time at all, in any unit.
pub(crate) fn zero() -> Schema {
    json_schema!({ "pattern": "^0+[^0-9]" })
}

/// `10.0.0.1-10.0.0.50, hole, 10.0.0.52`, with one member at least.
pub(crate) fn pool() -> String {
    let address = an_address();
    let run = format!(r"{address}(?:\s*-\s*{address})?");
    whole(&format!(r"\s*(?:hole\s*,\s*)*{run}(?:\s*,\s*(?:hole|{run}))*\s*"))
}

/// `1-50: 1024, 51-100: 512`, with ports that a column of 1,024 can be cut into.
pub(crate) fn tier_table() -> String {
    let rest = format!(r"\s*-\s*{PORT}\s*:\s*0*(?:1024|512|256|128|64|32)\s*");
    whole(&format!(r"\s*0*1{rest}(?:,\s*{PORT}{rest})*"))
}

/// `198.51.100.1:443`.
pub(crate) fn endpoint() -> String {
    whole(&format!("{}:{PORT}", an_address()))
}

/// `weu-2`.
pub(crate) fn name() -> String {
    whole(NAME)
}

/// `weu-balancer@203.0.113.2`.
pub(crate) fn target() -> String {
    whole(&format!("{NAME}(?:@{})?", an_address()))
}

/// `weu-pool/10.0.0.17`, `weu`, `lyon~paris`.
pub(crate) fn component() -> String {
    whole(&format!("{NAME}(?:~{NAME}|/{})?", an_address()))
}

/// `tcp 443`.
pub(crate) fn service() -> String {
    whole(&format!(r"(?:tcp|udp|icmp) \s*{PORT}\s*"))
}

/// `europe account-7 #3`.
pub(crate) fn request() -> String {
    whole(&format!(r"\s*{NAME}(?:\s+{NAME})?(?:\s+#{COUNT})?\s*"))
}

/// `tcp weu-pool/10.0.0.17:40000 > redis`.
pub(crate) fn connection() -> String {
    let member = format!("{NAME}/{}:{PORT}", an_address());
    whole(&format!(r"\s*(?:tcp|udp|icmp)\s+{member}\s+>\s+{NAME}\s*"))
}

fn whole(pattern: &str) -> String {
    format!("^{pattern}$")
}

fn an_address() -> String {
    format!(r"{OCTET}(?:\.{OCTET}){{3}}")
}

fn a_flow() -> String {
    let endpoint = format!("{}:{PORT}", an_address());
    format!(r"\s*(?:tcp|udp|icmp)\s+{endpoint}\s+>\s+{endpoint}\s*")
}
