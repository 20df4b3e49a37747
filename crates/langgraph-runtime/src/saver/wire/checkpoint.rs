//! A checkpoint as one value.

use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{self, Encoded, StoredValue};
use langgraph_rust_checkpoint::{Versions, FORMAT};
use langgraph_rust_core::{CheckpointId, IdHash, Version};
use rmp::encode as put;

use super::value::{fits, write, write_list, write_map, write_text};
use crate::saver::StoredCheckpoint;
use crate::{Error, Value};

/// A checkpoint as it is stored, with its channels' values in it.
///
/// `is_stub`: whether it is the state of a thread before its beginning, whose metadata have no
/// source. Such a one is stored with other fields.
///
/// # Errors
///
/// [`Error::Field`] if a value cannot be stored.
pub fn encode_checkpoint(checkpoint: &StoredCheckpoint, is_stub: bool) -> Result<Encoded, Error> {
    let mut bytes = Vec::with_capacity(1024);
    let out = &mut bytes;
    write_map(out, if is_stub { 6 } else { 7 })?;
    write_text(out, "v")?;
    fits(put::write_uint(out, FORMAT.into()))?;
    let names = [("ts", &*checkpoint.ts), ("id", checkpoint.id.as_str())];
    let [first, second] = if is_stub { [names[1], names[0]] } else { names };
    for (name, text) in [first, second] {
        write_text(out, name)?;
        write_text(out, text)?;
    }
    write_text(out, "channel_values")?;
    write_map(out, checkpoint.channel_values.len())?;
    for (name, value) in &checkpoint.channel_values {
        write_text(out, name)?;
        write(out, value).map_err(|error| error.in_field(name))?;
    }
    write_text(out, "channel_versions")?;
    write_versions(out, &checkpoint.channel_versions)?;
    write_text(out, "versions_seen")?;
    write_map(out, checkpoint.versions_seen.len())?;
    for (node, seen) in &checkpoint.versions_seen {
        write_text(out, node)?;
        write_versions(out, seen)?;
    }
    if !is_stub {
        write_text(out, "updated_channels")?;
        match &checkpoint.updated_channels {
            None => fits(put::write_nil(out))?,
            Some(names) => {
                write_list(out, names.len())?;
                names.iter().try_for_each(|name| write_text(out, name))?;
            }
        }
    }
    Ok(Encoded { kind: "msgpack".to_owned(), bytes })
}

fn write_versions(out: &mut Vec<u8>, versions: &Versions) -> Result<(), Error> {
    write_map(out, versions.len())?;
    versions.iter().try_for_each(|(name, version)| {
        write_text(out, name)?;
        match version {
            Version::Int(number) => fits(put::write_sint(out, *number)),
            Version::Float(number) => fits(put::write_f64(out, *number)),
            Version::Text(text) => write_text(out, text),
        }
    })
}

/// A stored checkpoint.
///
/// # Errors
///
/// [`Error::Unfit`] if the bytes are broken or describe none.
pub fn decode_checkpoint(kind: &str, bytes: &[u8]) -> Result<StoredCheckpoint, Error> {
    read(wire::decode(kind, bytes)?)
}

/// A checkpoint from its fields.
pub(super) fn read(stored: StoredValue) -> Result<StoredCheckpoint, Error> {
    let mut fields = Fields(entries(stored, "checkpoint")?);
    let format = match fields.get("v") {
        Some(StoredValue::Int(number)) => number,
        _ => i64::from(FORMAT),
    };
    let seen = named(fields.needed("versions_seen")?, "versions_seen")?.into_iter();
    let seen = seen.map(|(node, seen)| Ok((node, Arc::new(versions(seen)?))));
    let updated = match fields.get("updated_channels") {
        Some(StoredValue::List(names)) if !names.is_empty() => {
            Some(names.into_iter().map(text).collect::<Result<_, Error>>()?)
        }
        _ => None,
    };
    let values = named(fields.needed("channel_values")?, "channel_values")?.into_iter();
    Ok(StoredCheckpoint {
        id: CheckpointId::from_text(&text(fields.needed("id")?)?),
        ts: text(fields.needed("ts")?)?,
        task_ids: if format < 2 { IdHash::Sha1 } else { IdHash::Xxh3 },
        channel_values: values.map(|(name, value)| (name, Value::from(value))).collect(),
        channel_versions: versions(fields.needed("channel_versions")?)?,
        versions_seen: seen.collect::<Result<_, Error>>()?,
        updated_channels: updated,
    })
}

type Entries = Vec<(StoredValue, StoredValue)>;

/// The fields of a checkpoint that have not been taken.
struct Fields(Entries);

impl Fields {
    fn get(&mut self, name: &str) -> Option<StoredValue> {
        let at = self.0.iter().position(|(key, _)| key.as_str() == Some(name))?;
        Some(self.0.swap_remove(at).1)
    }

    fn needed(&mut self, name: &str) -> Result<StoredValue, Error> {
        let missing = || Error::Unfit(format!("the stored checkpoint has no '{name}'"));
        self.get(name).ok_or_else(missing)
    }
}

fn entries(value: StoredValue, what: &str) -> Result<Entries, Error> {
    match value {
        StoredValue::Map(entries) => Ok(entries),
        other => Err(Error::Unfit(format!("the {what} is stored as {}", Value::from(other)))),
    }
}

fn named(value: StoredValue, what: &str) -> Result<Vec<(Arc<str>, StoredValue)>, Error> {
    let entries = entries(value, what)?.into_iter();
    entries.map(|(name, value)| Ok((text(name)?, value))).collect()
}

fn text(value: StoredValue) -> Result<Arc<str>, Error> {
    match value {
        StoredValue::Text(text) => Ok(text.into()),
        other => Err(Error::Unfit(format!("{} is stored for a text", Value::from(other)))),
    }
}

fn versions(value: StoredValue) -> Result<Versions, Error> {
    let version = |(name, version)| {
        let version = match version {
            StoredValue::Int(number) => Version::Int(number),
            StoredValue::Float(number) => Version::Float(number),
            StoredValue::Text(text) => Version::Text(text.into()),
            other => {
                let text = format!("{} is stored for a version", Value::from(other));
                return Err(Error::Unfit(text));
            }
        };
        Ok((name, version))
    };
    named(value, "channel_versions")?.into_iter().map(version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(ts: &str) -> StoredCheckpoint {
        StoredCheckpoint {
            id: CheckpointId::from_text("1f1e9e13-4e3c-6b94-bfff-fbdbddab389f"),
            ts: ts.into(),
            task_ids: IdHash::default(),
            channel_values: Vec::new(),
            channel_versions: Vec::new(),
            versions_seen: Vec::new(),
            updated_channels: None,
        }
    }

    #[test]
    fn a_checkpoint_has_pythons_bytes() {
        let version = "00000000000000000000000000000001.0.2846435316588345";
        let checkpoint = StoredCheckpoint {
            channel_values: vec![(
                "__start__".into(),
                Value::from([("a", Value::list::<Value>([])), ("b", "i".into())]),
            )],
            channel_versions: vec![("__start__".into(), Version::Text(version.into()))],
            versions_seen: vec![("__input__".into(), Arc::default())],
            updated_channels: Some(vec!["__start__".into()]),
            ..bare("2026-11-26T21:34:48.945337+00:00")
        };
        let python: &[u8] = b"\x87\xa1v\x04\xa2ts\xd9 2026-11-26T21:34:48.945337+00:00\xa2id\xd9$\
            1f1e9e13-4e3c-6b94-bfff-fbdbddab389f\xaechannel_values\x81\xa9__start__\x82\xa1a\x90\
            \xa1b\xa1i\xb0channel_versions\x81\xa9__start__\xd93\
            00000000000000000000000000000001.0.2846435316588345\xadversions_seen\x81\
            \xa9__input__\x80\xb0updated_channels\x91\xa9__start__";
        let encoded = encode_checkpoint(&checkpoint, false).unwrap();
        assert_eq!(encoded.bytes.escape_ascii().to_string(), python.escape_ascii().to_string());
        assert_eq!(decode_checkpoint("msgpack", python).unwrap(), checkpoint);
    }

    #[test]
    fn a_stub_has_other_fields() {
        let stub = bare("2026-11-26T21:37:27.891331+00:00");
        let python: &[u8] = b"\x86\xa1v\x04\xa2id\xd9$1f1e9e13-4e3c-6b94-bfff-fbdbddab389f\
            \xa2ts\xd9 2026-11-26T21:37:27.891331+00:00\xaechannel_values\x80\
            \xb0channel_versions\x80\xadversions_seen\x80";
        let encoded = encode_checkpoint(&stub, true).unwrap();
        assert_eq!(encoded.bytes.escape_ascii().to_string(), python.escape_ascii().to_string());
        assert_eq!(decode_checkpoint("msgpack", python).unwrap(), stub);
    }

    #[test]
    fn older_formats_are_read() {
        let text = |text: &str| StoredValue::Text(text.to_owned());
        let map = |entries: &[(&str, StoredValue)]| {
            StoredValue::Map(entries.iter().map(|(k, v)| (text(k), v.clone())).collect())
        };
        let old = map(&[
            ("v", StoredValue::Int(1)),
            ("id", text("1ef4f797-8335-6428-8001-8a1503f9b875")),
            ("ts", text("2024-05-04T06:32:42.235444+00:00")),
            ("channel_values", map(&[("key", text("value"))])),
            ("channel_versions", map(&[("key", StoredValue::Int(2))])),
            ("versions_seen", map(&[("node", map(&[("key", StoredValue::Float(1.0))]))])),
            ("pending_sends", StoredValue::List(Vec::new())),
        ]);
        let encoded = wire::encode(&old).unwrap();
        let read = decode_checkpoint(&encoded.kind, &encoded.bytes).unwrap();
        assert_eq!(read.task_ids, IdHash::Sha1);
        assert_eq!(read.channel_values, [("key".into(), "value".into())]);
        assert_eq!(read.channel_versions, [("key".into(), Version::Int(2))]);
        assert_eq!(read.updated_channels, None);
        let broken = wire::encode(&map(&[("v", StoredValue::Int(4))])).unwrap();
        let error = decode_checkpoint(&broken.kind, &broken.bytes).unwrap_err();
        assert!(error.to_string().contains("has no 'versions_seen'"), "{error}");
    }
}
