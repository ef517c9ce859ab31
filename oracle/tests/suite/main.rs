//! What was recorded of real devices, held to their rules and to the laws on any machine; and the
//! means of comparison themselves, tried on a device made of the model.

mod comparison;
#[cfg(target_os = "linux")]
mod frames;
mod modelled;
mod packets;
mod recorded;
mod transcripts;
