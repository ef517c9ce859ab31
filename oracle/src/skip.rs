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

/// Whether Ctrl-C ends this process and those that it starts. It does not where a shell without job
/// control has put it into the background.
#[cfg(target_os = "linux")]
pub fn ends_on_ctrl_c() -> bool {
    const SIGINT: u64 = 1 << 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask & SIGINT == 0)
}
