//! What was recorded of real devices, held to their rules and to the laws on any machine; and the
//! means of comparison themselves, tried on a device made of the model.

mod comparison;
mod modelled;
mod recorded;
mod transcripts;
