//! What is claimed, and what it can be tried on.

use natlaw_model::nat::Nat;
use natlaw_model::routing::RoutingGraph;
use natlaw_properties::catalogue::{Claim, claims};
use natlaw_properties::judged::Judged;
use natlaw_properties::law::sentence;
use natlaw_properties::nat::DEVICES;
use natlaw_properties::nat::mutants::{MUTANTS, Mutant};
use natlaw_properties::report::{drawn, table};
use natlaw_properties::routing;
use serde_json::json;

use crate::{JSON_VERSION, Report};

/// Every law.
pub(crate) fn laws() -> Report {
    let claims = claims();
    let mut text = String::new();
    for group in claims.chunk_by(|a, b| a.of == b.of) {
        text += &format!("Laws of {}\n\n", group[0].of);
        text.extend(group.iter().map(law));
    }
    text += &format!("{} laws\n", claims.len());
    let laws: Vec<_> = claims.iter().map(law_as_json).collect();
    Report { text, json: json!({ "version": JSON_VERSION, "laws": laws }), as_expected: true }
}

fn law(claim: &Claim) -> String {
    format!(
        "  {}\n      {}\n      if not: {}\n      source: {}\n\n",
        sentence(claim.name),
        claim.name,
        claim.harm,
        claim.source
    )
}

fn law_as_json(claim: &Claim) -> serde_json::Value {
    json!({
        "of": claim.of,
        "name": claim.name,
        "sentence": sentence(claim.name),
        "harm": claim.harm,
        "source": claim.source,
    })
}

fn mutant_as_json(mutant: &Mutant) -> serde_json::Value {
    json!({
        "name": mutant.name,
        "family": mutant.family.to_string(),
        "defect": mutant.defect,
        "seen_in": mutant.row,
    })
}

/// Every device.
pub(crate) fn devices() -> Report {
    let mut sound = table(["device", "how it chooses ports"]);
    for device in DEVICES {
        sound.add_row([device.name, device.what]);
    }
    let mut mutants = table(["mutant", "family", "defect", "seen in"]);
    for mutant in MUTANTS {
        mutants.add_row([mutant.name, &mutant.family.to_string(), mutant.defect, mutant.row]);
    }
    let default = Nat::device_names().first().copied().unwrap_or_default();
    let text = format!(
        "{}\n\nA scenario file that names no device is played on {default}.\n\n{}\n\n{}",
        drawn(&sound),
        drawn(&mutants),
        routers(),
    );
    let devices = DEVICES.iter().map(|device| json!({ "name": device.name, "what": device.what }));
    let wrong = MUTANTS.iter().map(mutant_as_json);
    let json = json!({
        "version": JSON_VERSION,
        "devices": devices.collect::<Vec<_>>(),
        "mutants": wrong.collect::<Vec<_>>(),
        "routing": routers_as_json(),
    });
    Report { text, json, as_expected: true }
}

/// Every device that a topology can be played on.
fn routers() -> String {
    let mut sound = table(["device", "how it routes"]);
    for device in routing::DEVICES {
        sound.add_row([device.name, device.what]);
    }
    let mut mutants = table(["mutant", "family", "defect", "seen in"]);
    for mutant in routing::mutants::MUTANTS {
        mutants.add_row([mutant.name, &mutant.family.to_string(), mutant.defect, mutant.row]);
    }
    let default = RoutingGraph::device_names().first().copied().unwrap_or_default();
    format!(
        "{}\n\nA topology that names no device is played on {default}.\n\n{}\n",
        drawn(&sound),
        drawn(&mutants),
    )
}

fn routers_as_json() -> serde_json::Value {
    let device =
        |device: &routing::NamedDevice| json!({ "name": device.name, "what": device.what });
    let mutant = |mutant: &routing::mutants::Mutant| {
        json!({
            "name": mutant.name,
            "family": mutant.family.to_string(),
            "defect": mutant.defect,
            "seen_in": mutant.row,
        })
    };
    json!({
        "devices": routing::DEVICES.iter().map(device).collect::<Vec<_>>(),
        "mutants": routing::mutants::MUTANTS.iter().map(mutant).collect::<Vec<_>>(),
    })
}
