//! Scenario files as JSON Schema (draft 2020-12), so that editors complete and check them.
//!
//! What the reader takes, the schema takes. It cannot compare one value with another, and says so.

use itertools::Itertools;
use natlaw_model::schema::NUMBERS;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{Break, EVENTS_MAX, Raw};
use crate::judged::Judged;

/// The schema of the scenario files of a subject.
pub fn schema<S: Judged + JsonSchema>() -> Schema
where
    S::Event: JsonSchema,
{
    let settings = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(one_table))
        .with_transform(RecursiveTransform(unwrap_lines));
    settings.into_generator().into_root_schema_for::<Raw<S>>()
}

pub(super) fn description() -> String {
    format!(
        "A scenario file: what is asked of a device, and what it is expected to show.\n\nA schema \
         cannot compare one value with another. `natlaw check FILE` also holds the file to these \
         rules: a block's and a range's numbers count upwards; ranges of one event are equally \
         long, and a file asks for at most {EVENTS_MAX} events; tiers follow one another, and one \
         of them has the pool's size; every member has ports; port 0 is not usable; shared ports \
         are not guaranteed ones; a maximum is above its minimum; a limit per destination asks \
         for `port_reuse` per destination; no address stands twice or on both sides; an inbound \
         rule leads from a virtual IP to a member, and no two from one endpoint; `port_reuse` is \
         no finer than `mapping`, and where ports are kept no coarser; a length of time fits 64 \
         bits of milliseconds.\n\nOf a topology: every \
         name is that of one node, and of one that is there; no two endpoints of a traffic manager \
         share a priority or a region; traffic managers nest ten levels deep and in no cycle; \
         probes keep to their document; two rules of a load balancer differ; an account lives in \
         one unit; the ways out of a pool have its members; a link costs the same at both ends."
    )
}

pub(super) fn kind<S: Judged>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": [S::KIND] })
}

pub(super) fn device<S: Judged>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": S::device_names() })
}

pub(super) fn breaks<S: Judged>(generator: &mut SchemaGenerator) -> Schema {
    let mut item = Break::json_schema(generator);
    let laws: Vec<&str> = S::LAWS.iter().map(|law| law.name).collect();
    if let Some(law) = item.pointer_mut("/properties/law") {
        law["enum"] = json!(laws);
    }
    json_schema!({ "type": "array", "items": item, "default": [] })
}

/// Events, with ranges in the texts that stand directly in one.
pub(super) fn events<S: Judged>(generator: &mut SchemaGenerator) -> Schema
where
    S::Event: JsonSchema,
{
    let mut event = S::Event::json_schema(generator);
    let variants = event.get_mut("oneOf").and_then(Value::as_array_mut);
    let tables = variants.into_iter().flatten().filter_map(properties_of);
    tables.flat_map(|table| table.values_mut()).for_each(allow_ranges);
    json_schema!({ "type": "array", "items": event, "default": [] })
}

/// In a text, a range may stand wherever a number may.
fn allow_ranges(text: &mut Value) {
    let Some(pattern) = text["pattern"].as_str() else { return };
    let or_range = |pattern: String, number: &&str| {
        pattern.replace(number, &format!(r"(?:{number}|0*{number}\.\.0*{number})"))
    };
    text["pattern"] = NUMBERS.iter().fold(pattern.into(), or_range).into();
    let said = text["description"].as_str().unwrap_or_default();
    let said = format!("{said} A number may be a range: `1..3` stands for three events.");
    text["description"] = said.into();
}

/// Of an enum, makes the variants that are tables one table with one key. The same stays legal, but
/// an editor can say what is wrong within a variant, where of a choice it knows only that none fits.
fn one_table(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else { return };
    let (mut tables, mut others): (Vec<_>, Vec<_>) =
        variants.into_iter().partition(|variant| variant.get("properties").is_some());
    let keys: Map<String, Value> = tables.iter_mut().flat_map(keys_of).collect();
    let table = json_schema!({
        "type": "object",
        "properties": keys,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    });
    if others.is_empty() {
        table.as_object().into_iter().flatten().for_each(|(key, value)| {
            schema.insert(key.clone(), value.clone());
        });
    } else {
        others.extend((!tables.is_empty()).then(|| table.to_value()));
        schema.insert("oneOf".into(), others.into());
    }
}

/// The key of a variant and what it holds, described by what is said of both.
fn keys_of(variant: &mut Value) -> Map<String, Value> {
    let said = variant.get("description").cloned();
    let mut keys = properties_of(variant).map(std::mem::take).unwrap_or_default();
    for value in keys.values_mut() {
        let both = [said.as_ref(), value.get("description")];
        let both: Vec<&str> = both.into_iter().flatten().filter_map(Value::as_str).collect();
        value["description"] = both.join("\n\n").into();
    }
    keys
}

/// Descriptions come in the lines of the code; a paragraph is one line.
fn unwrap_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split("\n\n").map(|lines| lines.replace('\n', " ")).join("\n\n");
    }
}

fn properties_of(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties").and_then(Value::as_object_mut)
}
