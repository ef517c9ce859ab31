//! What becomes of a comparison that this machine cannot make.

use std::process::ExitCode;

use crate::real::Error;

/// The variable that, set to `require`, makes it a failure.
pub const VARIABLE: &str = "NAT_ORACLE";

/// Says why nothing was compared, in a line that nobody overlooks. It is no failure, unless
/// [`VARIABLE`] asks for the comparison.
pub fn skipped(test: &str, error: &Error) -> ExitCode {
    println!("test {test} ... ignored, {error}: SKIPPED, 0 steps compared");
    let is_required = std::env::var(VARIABLE).is_ok_and(|value| value == "require");
    if is_required {
        eprintln!("{VARIABLE}=require: {test} must not be skipped");
    }
    ExitCode::from(u8::from(is_required))
}
