//! What a scenario file may say, for editors: its JSON Schema.

use natlaw_model::nat::Nat;
use natlaw_properties::file;
use serde_json::json;

use crate::{JSON_VERSION, Report};

/// The schema of a scenario file of any subject; so far there is one.
pub(crate) fn run() -> Report {
    let schema = file::schema::<Nat>().to_value();
    Report {
        text: format!("{schema:#}\n"),
        json: json!({ "version": JSON_VERSION, "schema": schema }),
        as_expected: true,
    }
}
