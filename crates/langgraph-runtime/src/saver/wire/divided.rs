//! A checkpoint as JSON that PostgreSQL takes, with its larger values beside it.

use std::borrow::Cow;
use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{Encoded, Record, StoredValue};
use langgraph_rust_checkpoint::{Versions, FORMAT};
use langgraph_rust_core::Version;

use super::metadata::{self, write_text};
use super::{checkpoint, encode};
use crate::saver::StoredCheckpoint;
use crate::{Error, Value};

/// A checkpoint, with the values that have rows of their own taken out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Divided {
    /// The checkpoint as JSON, with the values of those channels that have a single one.
    pub json: String,
    /// The others, if they are new.
    pub rows: Vec<OwnRow>,
}

/// The value of a channel at a version.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRow {
    /// The channel.
    pub channel: Arc<str>,
    /// Its version.
    pub version: String,
    /// Its value.
    pub value: Encoded,
}

/// What a channel leaves within its checkpoint, and whether its value has a row of its own.
enum Part {
    Inline(Value),
    Own,
    /// A snapshot, of which the checkpoint says that it is there.
    Marked,
}

/// Divides a checkpoint: numbers, texts, truth values and nothing stay in it, as far as JSON in
/// PostgreSQL gives them back as they were. Of the others, those with new versions are encoded.
///
/// `is_stub`: as for [`encode_checkpoint`](super::encode_checkpoint).
///
/// # Errors
///
/// [`Error::Field`] if a value cannot be stored.
pub fn divide(
    checkpoint: &StoredCheckpoint,
    new_versions: &Versions,
    is_stub: bool,
) -> Result<Divided, Error> {
    let mut json = format!("{{\"v\": {FORMAT}, \"ts\": ");
    write_text(&mut json, &checkpoint.ts)?;
    json.push_str(", \"id\": ");
    write_text(&mut json, checkpoint.id.as_str())?;
    json.push_str(", \"channel_values\": {");
    let mut rows = Vec::new();
    let mut inline = Separated::default();
    for (channel, value) in &checkpoint.channel_values {
        let part = part(value);
        match &part {
            Part::Inline(single) => {
                inline.name(&mut json, channel)?;
                match large(single) {
                    Some(number) => json.push_str(&number.to_string()),
                    None => metadata::write(&mut json, single)?,
                }
                continue;
            }
            Part::Marked => {
                inline.name(&mut json, channel)?;
                json.push_str("true");
            }
            Part::Own => {}
        }
        if let Some((_, version)) = new_versions.iter().find(|(name, _)| name == channel) {
            let value = encode(value).map_err(|error| error.in_field(channel))?;
            let version = version_text(version).into_owned();
            rows.push(OwnRow { channel: channel.clone(), version, value });
        }
    }
    json.push_str("}, \"channel_versions\": ");
    write_versions(&mut json, &checkpoint.channel_versions)?;
    json.push_str(", \"versions_seen\": {");
    let mut nodes = Separated::default();
    for (node, seen) in &checkpoint.versions_seen {
        nodes.name(&mut json, node)?;
        write_versions(&mut json, seen)?;
    }
    json.push('}');
    if !is_stub {
        json.push_str(", \"updated_channels\": ");
        let names = checkpoint.updated_channels.as_ref();
        metadata::write(&mut json, &names.map(Value::list).unwrap_or_default())?;
    }
    json.push('}');
    Ok(Divided { json, rows })
}

/// A checkpoint from JSON text, with the values that stayed in it.
///
/// # Errors
///
/// [`Error::Unfit`] if the text is no JSON, or describes none.
pub fn checkpoint_from_json(text: &str) -> Result<StoredCheckpoint, Error> {
    let stored = serde_json::from_str::<StoredValue>(text);
    let unfit = |error| Error::Unfit(format!("the checkpoint is no JSON: {error}"));
    checkpoint::read(stored.map_err(unfit)?)
}

/// A version as text, as which values are stored under it.
pub fn version_text(version: &Version) -> Cow<'_, str> {
    match version {
        Version::Int(number) => number.to_string().into(),
        Version::Float(number) => metadata::float(*number).into(),
        Version::Text(text) => Cow::Borrowed(text),
    }
}

fn part(value: &Value) -> Part {
    match value {
        Value::Snapshot(_) => Part::Marked,
        Value::Stored(stored) => match &**stored {
            StoredValue::Record(record) if record.code() == Record::SNAPSHOT => Part::Marked,
            StoredValue::Unsigned(_) => Part::Inline(value.clone()),
            StoredValue::Nil
            | StoredValue::Bool(_)
            | StoredValue::Int(_)
            | StoredValue::Float(_)
            | StoredValue::Text(_) => single(Value::from(&**stored)),
            _ => Part::Own,
        },
        Value::Typed(held) => held.scalar().map_or(Part::Own, single),
        other => single(other.clone()),
    }
}

fn single(value: Value) -> Part {
    let fits = match &value {
        Value::Null | Value::Bool(_) | Value::Int(_) => true,
        // It would come back as a whole number, or without its sign.
        Value::Float(number) => {
            number.abs() < 1e16 && (*number != 0.0 || number.is_sign_positive())
        }
        Value::Text(text) => !text.contains('\0'),
        other => large(other).is_some(),
    };
    if fits {
        Part::Inline(value)
    } else {
        Part::Own
    }
}

/// The number, if it is a whole one that is larger than an `i64` can be.
fn large(value: &Value) -> Option<u64> {
    match value {
        Value::Stored(stored) => match **stored {
            StoredValue::Unsigned(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

fn write_versions(json: &mut String, versions: &Versions) -> Result<(), Error> {
    json.push('{');
    let mut names = Separated::default();
    for (channel, version) in versions {
        names.name(json, channel)?;
        match version {
            Version::Text(text) => write_text(json, text)?,
            number => json.push_str(&version_text(number)),
        }
    }
    json.push('}');
    Ok(())
}

/// The entries of an object.
#[derive(Default)]
struct Separated {
    has_some: bool,
}

impl Separated {
    fn name(&mut self, json: &mut String, name: &str) -> Result<(), Error> {
        json.push_str(if self.has_some { ", " } else { "" });
        self.has_some = true;
        write_text(json, name)?;
        json.push_str(": ");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use langgraph_rust_core::{CheckpointId, IdHash};

    use super::*;

    fn checkpoint(values: &[(&str, Value)]) -> StoredCheckpoint {
        let version = |name: &str| (name.into(), Version::Text("01.5".into()));
        StoredCheckpoint {
            id: CheckpointId::from_text("1f1e9e13-4e3c-6b94-bfff-fbdbddab389f"),
            ts: "2026-11-26T21:34:48.945337+00:00".into(),
            task_ids: IdHash::default(),
            channel_values: values.iter().map(|(n, value)| ((*n).into(), value.clone())).collect(),
            channel_versions: values.iter().map(|(name, _)| version(name)).collect(),
            versions_seen: vec![(
                "__input__".into(),
                Arc::new(vec![("a".into(), Version::Int(1))]),
            )],
            updated_channels: Some(vec!["a".into()]),
        }
    }

    #[test]
    fn single_values_stay_in_the_checkpoint() {
        let single = [
            ("none", Value::Null),
            ("flag", true.into()),
            ("number", (-3).into()),
            ("float", 1.0.into()),
            ("text", "ü\n\"".into()),
            ("typed", Value::typed(Some(7_u8))),
            ("big", Value::Stored(Arc::new(StoredValue::Unsigned(u64::MAX)))),
        ];
        let divided = divide(&checkpoint(&single), &Versions::new(), false).unwrap();
        let python = r#""channel_values": {"none": null, "flag": true, "number": -3, "float": 1.0, "text": "ü\n\"", "typed": 7, "big": 18446744073709551615}, "#;
        assert!(divided.json.contains(python), "{}", divided.json);
        let read = checkpoint_from_json(&divided.json).unwrap();
        assert_eq!(read, checkpoint(&single));
    }

    #[test]
    fn others_have_rows_if_they_are_new() {
        let own = [
            ("list", Value::list([1])),
            ("map", Value::from([("a", 1.into())])),
            ("bytes", Value::Bytes([1_u8].as_slice().into())),
            ("typed", Value::typed(vec!["x".to_owned()])),
            ("nul", "a\0b".into()),
            ("large", 1e16.into()),
            ("infinite", f64::INFINITY.into()),
            ("negative zero", (-0.0).into()),
            ("snapshot", Value::Snapshot(Arc::new(Value::list([1])))),
            ("old", Value::list([2])),
        ];
        let checkpoint = checkpoint(&own);
        let new = checkpoint.channel_versions[..9].to_vec();
        let divided = divide(&checkpoint, &new, false).unwrap();
        assert!(divided.json.contains(r#""channel_values": {"snapshot": true}, "#));
        for (row, (name, value)) in divided.rows.iter().zip(&own) {
            assert_eq!((&*row.channel, &*row.version), (*name, "01.5"));
            assert_eq!(row.value, encode(value).unwrap());
        }
        assert_eq!(divided.rows.len(), 9);
    }

    #[test]
    fn versions_are_spelled_as_python_does() {
        assert_eq!(version_text(&Version::Int(12)), "12");
        assert_eq!(version_text(&Version::Float(2.0)), "2.0");
        let stub = divide(&checkpoint(&[]), &Versions::new(), true).unwrap();
        assert!(!stub.json.contains("updated_channels"));
        assert!(checkpoint_from_json("{}").is_err());
        assert!(checkpoint_from_json("nonsense").is_err());
    }
}
