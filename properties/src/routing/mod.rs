//! Laws of routing, and what shows that they bite.

pub mod backbone;
pub mod selection;
