use std::fmt;

use langgraph_rust_checkpoint::wire::StoredValue;

use super::{Map, Value};

/// JSON; an overwrite shows as `Overwrite(...)`, a record by the name of what it is.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Text(text) => write_text(f, text),
            Value::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if position > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Value::Map(map) => write_map(f, map),
            Value::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Value::Stored(stored) => write_stored(f, stored),
            Value::Typed(held) => match held.to_value() {
                Ok(value) => value.fmt(f),
                Err(error) => write!(f, "{}({error})", held.type_name()),
            },
            Value::Send(send) => write!(f, "Send({}, {})", send.0, send.1),
            Value::Snapshot(value) => write!(f, "Snapshot({value})"),
            Value::Overwrite(value) => write!(f, "Overwrite({value})"),
        }
    }
}

fn write_map(f: &mut fmt::Formatter<'_>, map: &Map) -> fmt::Result {
    f.write_str("{")?;
    for (position, (name, value)) in map.iter().enumerate() {
        f.write_str(if position > 0 { ", " } else { "" })?;
        write_text(f, name)?;
        write!(f, ": {value}")?;
    }
    f.write_str("}")
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

fn write_stored(f: &mut fmt::Formatter<'_>, stored: &StoredValue) -> fmt::Result {
    match stored {
        StoredValue::Record(record) => {
            let content = Value::from(record.content());
            write!(f, "{}({content})", record.name().unwrap_or("Record"))
        }
        StoredValue::Map(entries) => {
            f.write_str("{")?;
            for (position, (name, value)) in entries.iter().enumerate() {
                f.write_str(if position > 0 { ", " } else { "" })?;
                write!(f, "{}: {}", Value::from(name), Value::from(value))?;
            }
            f.write_str("}")
        }
        StoredValue::Unsigned(number) => write!(f, "{number}"),
        other => write!(f, "{}", Value::from(other)),
    }
}
