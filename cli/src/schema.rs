//! What a scenario file may say, for editors: its JSON Schema.

use natlaw_model::nat::Nat;
use natlaw_model::routing::RoutingGraph;
use natlaw_model::subject::Subject;
use natlaw_properties::file;
use serde_json::{Map, Value, json};

use crate::{JSON_VERSION, Report};

/// The schema of a scenario file: by its kind, that of the subject.
pub(crate) fn run() -> Report {
    let schema = by_kind([
        (Nat::KIND, file::schema::<Nat>().to_value()),
        (RoutingGraph::KIND, file::schema::<RoutingGraph>().to_value()),
    ]);
    Report {
        text: format!("{schema:#}\n"),
        json: json!({ "version": JSON_VERSION, "schema": schema }),
        as_expected: true,
    }
}

/// One schema of several: a file of one kind is held to the schema of that kind. What two of them
/// define by one name is defined alike.
fn by_kind<const N: usize>(kinds: [(&str, Value); N]) -> Value {
    let said = |field: &str| kinds[0].1[field].clone();
    let whole = ["$schema", "title", "description"].map(|field| (field.to_string(), said(field)));
    let mut whole: Map<String, Value> = whole.into_iter().collect();
    let names = kinds.each_ref().map(|(kind, _)| *kind);
    let (mut definitions, mut rules) = (Map::new(), Vec::new());
    for (kind, mut schema) in kinds {
        let fields = schema.as_object_mut().into_iter();
        fields.for_each(|fields| {
            fields.retain(|field, _| !field.starts_with("$s") && field != "title");
        });
        let own = schema.as_object_mut().and_then(|fields| fields.remove("$defs"));
        definitions.extend(own.as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
        rules.push(json!({ "if": is_of(kind), "then": schema }));
    }
    let said = "What kind of thing is asked.";
    whole.extend([
        ("type".into(), "object".into()),
        ("required".into(), json!(["kind"])),
        ("properties".into(), json!({ "kind": { "description": said, "enum": names[..] } })),
        ("allOf".into(), rules.into()),
        ("$defs".into(), definitions.into()),
    ]);
    whole.into()
}

/// Whether a file says that it is of this kind.
fn is_of(kind: &str) -> Value {
    let field = json!({ "description": "What kind of thing is asked.", "const": kind });
    json!({ "required": ["kind"], "properties": { "kind": field } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_kinds_define_by_one_name_is_defined_alike() {
        let nat = file::schema::<Nat>().to_value();
        let routing = file::schema::<RoutingGraph>().to_value();
        let (of_nat, of_routing) = (&nat["$defs"], &routing["$defs"]);
        let shared = of_nat
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, it)| of_routing.get(name).map(|other| (name, it, other)));
        let mut compared = 0;
        for (name, it, other) in shared {
            assert_eq!(it, other, "{name}");
            compared += 1;
        }
        assert!(compared > 0, "a pool has a translator");
    }
}
