//! Single values.

use langgraph_rust_checkpoint::wire::{self, Encoded, Record, StoredValue};
use rmp::encode as put;

use crate::{Error, Value};

/// How deep a value may nest: no reader takes more.
const DEEPEST: usize = 500;

/// A value as it is stored.
///
/// # Errors
///
/// [`Error::Unfit`] if a type's own `Serialize` fails, or something is too long or nests too deep.
pub fn encode(value: &Value) -> Result<Encoded, Error> {
    Ok(match value {
        Value::Null => Encoded { kind: "null".to_owned(), bytes: Vec::new() },
        Value::Bytes(bytes) => Encoded { kind: "bytes".to_owned(), bytes: bytes.to_vec() },
        Value::Stored(stored) => wire::encode(&**stored)?,
        Value::Typed(held) => held.encode()?,
        packed => {
            let mut bytes = Vec::new();
            write(&mut bytes, packed)?;
            Encoded { kind: "msgpack".to_owned(), bytes }
        }
    })
}

/// A stored value.
///
/// # Errors
///
/// [`Error::Unfit`] if the kind is unknown or the bytes are broken.
pub fn decode(kind: &str, bytes: &[u8]) -> Result<Value, Error> {
    Ok(wire::decode::<StoredValue>(kind, bytes)?.into())
}

/// Writes a value as msgpack.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    nested(out, value, DEEPEST)
}

fn nested(out: &mut Vec<u8>, value: &Value, left: usize) -> Result<(), Error> {
    let left = left.checked_sub(1);
    let left =
        left.ok_or_else(|| Error::Unfit(format!("it nests deeper than {DEEPEST} levels")))?;
    match value {
        Value::Null => fits(put::write_nil(out)),
        Value::Bool(flag) => fits(put::write_bool(out, *flag)),
        Value::Int(number) => fits(put::write_sint(out, *number)),
        Value::Float(number) => fits(put::write_f64(out, *number)),
        Value::Text(text) => write_text(out, text),
        Value::Bytes(bytes) => write_bytes(out, bytes),
        Value::List(items) => {
            write_list(out, items.len())?;
            items.iter().try_for_each(|item| nested(out, item, left))
        }
        Value::Map(map) => {
            write_map(out, map.len())?;
            map.iter().try_for_each(|(name, value)| {
                write_text(out, name)?;
                nested(out, value, left)
            })
        }
        Value::Stored(stored) => splice(out, wire::encode(&**stored)?),
        Value::Typed(held) => splice(out, held.encode()?),
        Value::Send(send) => named(out, 1, "Send", |out| {
            write_list(out, 2)?;
            write_text(out, &send.0)?;
            nested(out, &send.1, left)
        }),
        Value::Overwrite(inner) => named(out, 2, "Overwrite", |out| {
            write_map(out, 2)?;
            write_text(out, "value")?;
            nested(out, inner, left)?;
            write_text(out, "type")?;
            write_text(out, "__overwrite__")
        }),
        Value::Snapshot(inner) => record(out, Record::SNAPSHOT, |out| nested(out, inner, left)),
    }
}

/// Writes a record of one of LangGraph's own types.
fn named(
    out: &mut Vec<u8>,
    code: i8,
    name: &str,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    record(out, code, |out| {
        write_list(out, 3)?;
        write_text(out, "langgraph.types")?;
        write_text(out, name)?;
        content(out)
    })
}

fn record(
    out: &mut Vec<u8>,
    code: i8,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut payload = Vec::new();
    content(&mut payload)?;
    fits(put::write_ext_meta(out, length(payload.len())?, code))?;
    out.extend_from_slice(&payload);
    Ok(())
}

/// Writes what is encoded already.
fn splice(out: &mut Vec<u8>, encoded: Encoded) -> Result<(), Error> {
    match &*encoded.kind {
        "null" => fits(put::write_nil(out)),
        "bytes" => write_bytes(out, &encoded.bytes),
        _ => {
            out.extend_from_slice(&encoded.bytes);
            Ok(())
        }
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    length(bytes.len())?;
    fits(put::write_bin(out, bytes))
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    length(text.len())?;
    fits(put::write_str(out, text))
}

pub(super) fn write_list(out: &mut Vec<u8>, items: usize) -> Result<(), Error> {
    fits(put::write_array_len(out, length(items)?))
}

pub(super) fn write_map(out: &mut Vec<u8>, entries: usize) -> Result<(), Error> {
    fits(put::write_map_len(out, length(entries)?))
}

fn length(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| Error::Unfit("it is too long to be stored".to_owned()))
}

/// What writing to memory answers.
pub(super) fn fits<T, E: std::fmt::Display>(written: Result<T, E>) -> Result<(), Error> {
    written.map(|_| ()).map_err(|error| Error::Unfit(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Ticket {
        text: String,
        tries: Option<u32>,
    }

    fn values() -> Vec<Value> {
        let ticket = || Value::typed(Ticket { text: "ü".into(), tries: None });
        let plain = Value::from([
            ("a", Value::list([1_i64, -1, 127, 128, -33, i64::MIN, i64::MAX])),
            ("b", Value::Bytes([1_u8, 2].as_slice().into())),
            ("c", Value::from(1.5)),
            ("d", Value::Null),
            ("e", true.into()),
            ("f", Value::typed(())),
            ("g", Value::typed(vec![ticket().to_typed::<Ticket>().expect("one")])),
            ("h", "x".repeat(300).into()),
        ]);
        let send = Value::Send(Arc::new(("n4".into(), plain.clone())));
        let set = StoredValue::List(vec![StoredValue::Text("n1".into())]);
        let set = Record::named(0, "builtins", "set", set);
        vec![
            plain.clone(),
            ticket(),
            Value::list([ticket(), send.clone()]),
            Value::overwrite(plain.clone()),
            Value::Snapshot(Arc::new(Value::list([send.clone()]))),
            Value::Stored(Arc::new(StoredValue::Record(Box::new(set)))),
            Value::Stored(Arc::new(StoredValue::Nil)),
            Value::Null,
            Value::Bytes([7_u8; 300].as_slice().into()),
            send,
        ]
    }

    #[test]
    fn values_have_the_bytes_of_their_plain_form_and_come_back() {
        for value in values() {
            let encoded = encode(&value).unwrap();
            let plain = StoredValue::try_from(&value).unwrap();
            assert_eq!(encoded, wire::encode(&plain).unwrap(), "{value}");
            let read = decode(&encoded.kind, &encoded.bytes).unwrap();
            assert_eq!(read, plain.into(), "{value}");
        }
    }

    #[test]
    fn langgraphs_own_types_have_its_bytes() {
        let send = Value::Send(Arc::new((
            "n4".into(),
            Value::from([("k", "ü".into()), ("n", 1.5.into())]),
        )));
        let python = b"\xc7+\x01\x93\xaflanggraph.types\xa4Send\x92\xa2n4\x82\xa1k\xa2\xc3\xbc\
            \xa1n\xcb?\xf8\x00\x00\x00\x00\x00\x00";
        assert_eq!(encode(&send).unwrap().bytes, python);
        let python = b"\xc77\x02\x93\xaflanggraph.types\xa9Overwrite\x82\xa5value\x91\t\
            \xa4type\xad__overwrite__";
        assert_eq!(encode(&Value::overwrite(Value::list([9]))).unwrap().bytes, python);
        let snapshot = Value::Snapshot(Arc::new(Value::list([0, 1, 2, 2, 2])));
        assert_eq!(encode(&snapshot).unwrap().bytes, b"\xc7\x06\x07\x95\x00\x01\x02\x02\x02");
    }

    #[test]
    fn what_nobody_could_read_is_not_written() {
        let deep = (0..DEEPEST + 1).fold(Value::Null, |value, _| Value::list([value]));
        assert!(encode(&deep).unwrap_err().to_string().contains("deeper than 500"));
        assert!(decode("pickle", b"").is_err());
    }
}
