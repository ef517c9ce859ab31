//! What routing is: from the name a client looks up to the endpoint that answers it.

pub mod selection;
