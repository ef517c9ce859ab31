//! The kernel on the wire and Open vSwitch, where they can be had: asked at random and in detail,
//! and gone afterwards. Neither is required.

#[cfg(target_os = "linux")]
mod gone;
#[cfg(target_os = "linux")]
mod live;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(gone::HOLD) => gone::hold(),
        Some(filter) if !filter.starts_with('-') => live::main(filter),
        _ => live::main(""),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("test wire_and_ovs ... ignored, this is not Linux: SKIPPED, 0 steps compared");
}
