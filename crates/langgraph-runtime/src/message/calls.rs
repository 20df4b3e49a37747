//! Tool calls in the forms that providers have, made to those that messages have.

use std::sync::Arc;

use super::{InvalidToolCall, ToolCall};
use crate::{Error, Map, Value};

/// The order in which Python writes what it knows of these; what else there is stands behind.
const CALL: [&str; 4] = ["name", "args", "id", "type"];
const INVALID_CALL: [&str; 5] = ["type", "id", "name", "args", "error"];
const CALL_CHUNK: [&str; 5] = ["name", "args", "id", "index", "type"];
const USAGE: [&str; 5] = [
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "input_token_details",
    "output_token_details",
];
const DETAILS: [&str; 4] = ["audio", "cache_creation", "cache_read", "reasoning"];

/// Calls as somebody gave them in a message with a role: those in OpenAI's form in that of messages.
pub(super) fn of_openai(calls: &Value) -> Result<Value, Error> {
    let Value::List(items) = calls else { return Ok(calls.clone()) };
    let convert = |call: &Value| match call.get("function") {
        Value::Null => Ok(call.clone()),
        function => {
            let args = match function.get("arguments") {
                Value::Text(text) => parsed(&text)
                    .ok_or_else(|| Error::Unfit(format!("a call's arguments are JSON: {text}")))?,
                given => given,
            };
            Ok(Value::from([
                ("name", function.get("name")),
                ("args", args),
                ("id", call.get("id")),
                ("type", "tool_call".into()),
            ]))
        }
    };
    Ok(Value::List(Arc::new(items.iter().map(convert).collect::<Result<_, Error>>()?)))
}

fn parsed(arguments: &str) -> Option<Value> {
    serde_json::from_str(arguments).ok()
}

/// Completes what an AI message says of tools and tokens.
pub(super) fn complete(fields: &mut Map) {
    let is_without =
        |name| fields.get(name).is_none_or(|calls| calls.items().is_ok_and(<[_]>::is_empty));
    if is_without("tool_calls")
        && is_without("invalid_tool_calls")
        && is_without("tool_call_chunks")
    {
        let raw = fields.get("additional_kwargs").map(|kwargs| kwargs.get("tool_calls"));
        if let Some(Value::List(raw)) = raw {
            let (calls, invalid) = of_provider(&raw);
            fields.insert("tool_calls".into(), Value::list(calls));
            fields.insert("invalid_tool_calls".into(), Value::list(invalid));
        }
    }
    let each = |value: &Value, order: &[&str], tag: &str| match value {
        Value::List(calls) => {
            Value::list(calls.iter().map(|call| tagged(ordered(call, order), tag)))
        }
        other => other.clone(),
    };
    for (name, order, tag) in [
        ("tool_calls", &CALL[..], "tool_call"),
        ("invalid_tool_calls", &INVALID_CALL, "invalid_tool_call"),
        ("tool_call_chunks", &CALL_CHUNK, "tool_call_chunk"),
    ] {
        if let Some(calls) = fields.get_mut(name) {
            *calls = each(calls, order, tag);
        }
    }
    if let Some(usage) = fields.get_mut("usage_metadata") {
        *usage = ordered(usage, &USAGE);
        if let Value::Map(map) = usage {
            let map = Arc::make_mut(map);
            for name in &USAGE[3..] {
                if let Some(details) = map.get_mut(*name) {
                    *details = ordered(details, &DETAILS);
                }
            }
        }
    }
}

/// The calls that a provider sent besides, as messages had them before they had tool calls.
fn of_provider(raw: &[Value]) -> (Vec<ToolCall>, Vec<InvalidToolCall>) {
    let (mut calls, mut invalid) = (Vec::new(), Vec::new());
    for call in raw {
        let function = call.get("function");
        let text = |value: Value| value.text().ok().map(str::to_owned);
        let (name, id) = (text(function.get("name")), text(call.get("id")));
        let Value::Text(arguments) = function.get("arguments") else { continue };
        match parsed(&arguments) {
            Some(args) => {
                let args = match args {
                    Value::Map(args) => Arc::unwrap_or_clone(args),
                    _ => Map::new(),
                };
                calls.push(ToolCall { name: name.unwrap_or_default(), args, id });
            }
            None => {
                let args = Some(arguments.as_ref().to_owned());
                invalid.push(InvalidToolCall { name, args, id, error: None });
            }
        }
    }
    (calls, invalid)
}

/// The map with these entries first, those of them that it has.
fn ordered(value: &Value, names: &[&str]) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let known = names.iter().filter_map(|name| map.get_key_value(*name));
    let others = map.iter().filter(|(name, _)| !names.contains(&name.as_ref()));
    let entries = known.chain(others).map(|(name, value)| (name.clone(), value.clone()));
    Value::from(entries.collect::<Map>())
}

/// The map with a `type`, in its place if it has one.
fn tagged(value: Value, tag: &str) -> Value {
    let Value::Map(mut map) = value else { return value };
    Arc::make_mut(&mut map).insert("type".into(), tag.into());
    Value::Map(map)
}
