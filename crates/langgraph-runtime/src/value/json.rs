//! Values and JSON, both ways.

use std::sync::Arc;

use langgraph_rust_checkpoint::wire::StoredValue;
use serde_json::{Map as JsonMap, Number, Value as Json};

use super::Value;

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => Value::Int(whole),
                (None, Some(whole)) => Value::Stored(Arc::new(StoredValue::Unsigned(whole))),
                (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.into()),
            Json::Array(items) => Value::list(items),
            Json::Object(entries) => {
                let entries = entries.into_iter().map(|(name, json)| (name.into(), json.into()));
                Value::Map(Arc::new(entries.collect()))
            }
        }
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        json.clone().into()
    }
}

/// What JSON has no form for becomes the nearest that it has: bytes a list of numbers, a number that
/// is none `null`, a record what it is made from.
impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(number) => Json::Number((*number).into()),
            Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.as_ref().into()),
            Value::Bytes(bytes) => bytes.iter().copied().collect(),
            Value::List(items) => items.iter().map(Json::from).collect(),
            Value::Map(map) => {
                let entries = map.iter().map(|(name, value)| (name.as_ref().into(), value.into()));
                Json::Object(entries.collect::<JsonMap<String, Json>>())
            }
            Value::Stored(stored) => json_of_stored(stored),
            Value::Typed(held) => held.to_value().map_or(Json::Null, |value| (&value).into()),
            Value::Send(send) => Json::from(&send.1),
            Value::Snapshot(inner) | Value::Overwrite(inner) => Json::from(&**inner),
        }
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        (&value).into()
    }
}

fn json_of_stored(stored: &StoredValue) -> Json {
    match stored {
        StoredValue::Record(record) => Value::from(record.content()).into(),
        StoredValue::Unsigned(number) => Json::Number((*number).into()),
        StoredValue::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = match key {
                    StoredValue::Text(text) => text.clone(),
                    other => Value::from(other).to_string(),
                };
                (key, Value::from(value).into())
            });
            Json::Object(entries.collect::<JsonMap<String, Json>>())
        }
        other => Value::from(other).into(),
    }
}
