//! Values in descriptions: JSON in which `"$name"` stands for something the node can see.

use std::sync::Arc;

use langgraph_rust_runtime::{Dynamic, Error, Map, Value};
use serde_json::Value as Json;

/// A native value with the same content.
pub fn from_json(json: &Json) -> Value {
    resolve(json, &|name| Value::from(format!("${name}")))
}

/// The value of `json`, with names looked up by `lookup`.
pub(crate) fn resolve(json: &Json, lookup: &dyn Fn(&str) -> Value) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => match text.strip_prefix('$') {
            Some(name) => lookup(name),
            None => Value::from(text.as_str()),
        },
        Json::Array(items) => Value::list(items.iter().map(|item| resolve(item, lookup))),
        Json::Object(entries) => {
            let entry =
                |(name, json): (&String, &Json)| (Arc::from(&**name), resolve(json, lookup));
            Value::from(entries.iter().map(entry).collect::<Map>())
        }
    }
}

/// A comparison of a field with a constant: `n < 3`, `mode == "fast"`.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) field: String,
    pub(crate) comparison: Comparison,
    pub(crate) constant: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    Equal,
}

impl Condition {
    pub(crate) fn holds(&self, state: &Dynamic) -> Result<bool, Error> {
        let (left, right) = (state.get(&self.field), from_json(&self.constant));
        match self.comparison {
            Comparison::Equal => Ok(left == right),
            Comparison::Less => Ok(left.float()? < right.float()?),
        }
    }
}
