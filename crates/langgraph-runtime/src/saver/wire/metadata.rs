//! CheckpointMetadata as JSON, as Python writes it.

use langgraph_rust_checkpoint::wire::StoredValue;
use serde_json::Value as Json;

use crate::saver::CheckpointMetadata;
use crate::{Error, Map, Value};

/// A checkpoint's metadata as JSON text. Texts lose NUL characters, which some databases refuse, and
/// numbers that are none are `null`.
///
/// # Errors
///
/// None today; one of a text that JSON cannot hold.
pub fn metadata_json(metadata: &CheckpointMetadata) -> Result<Vec<u8>, Error> {
    let mut map = metadata.to_map();
    for value in map.values_mut() {
        if let Value::Text(text) = value {
            if text.contains('\0') {
                *value = text.replace('\0', "").into();
            }
        }
    }
    let mut out = String::with_capacity(128);
    write_map(&mut out, &map)?;
    Ok(out.into_bytes())
}

/// CheckpointMetadata from JSON text, Python's included, which has words for numbers that are none: they read
/// as `null`.
///
/// # Errors
///
/// [`Error::Unfit`] if the text is no JSON object.
pub fn metadata_from_json(bytes: &[u8]) -> Result<CheckpointMetadata, Error> {
    let read = serde_json::from_slice::<StoredValue>(bytes);
    let read = read.or_else(|error| match without_words(bytes) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    });
    let read = read.map_err(|error| Error::Unfit(format!("the metadata are no JSON: {error}")))?;
    match Value::from(read) {
        Value::Map(map) => Ok(CheckpointMetadata::from_map((*map).clone())),
        other => Err(Error::Unfit(format!("the metadata are stored as {other}"))),
    }
}

/// The text with `null` in the place of `NaN`, `Infinity` and `-Infinity`; `None` if it has none.
fn without_words(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_text, mut found) = (text, false, false);
    while let Some(next) = rest.chars().next() {
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let taken = match (in_text, word) {
            (false, Some(word)) => {
                out.push_str("null");
                found = true;
                word.len()
            }
            (true, _) if next == '\\' => {
                let length = next.len_utf8() + rest[1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..length]);
                length
            }
            _ => {
                in_text ^= next == '"';
                out.push(next);
                next.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    found.then_some(out)
}

fn write_map(out: &mut String, map: &Map) -> Result<(), Error> {
    out.push('{');
    for (position, (name, value)) in map.iter().enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        write_text(out, name)?;
        out.push_str(": ");
        write(out, value)?;
    }
    out.push('}');
    Ok(())
}

/// Writes a value as JSON.
pub(super) fn write(out: &mut String, value: &Value) -> Result<(), Error> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Text(text) => write_text(out, text)?,
        Value::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                write(out, item)?;
            }
            out.push(']');
        }
        Value::Map(map) => write_map(out, map)?,
        Value::Stored(stored) if matches!(**stored, StoredValue::Unsigned(_)) => {
            out.push_str(&value.to_string());
        }
        other => write(out, &Json::from(other).into())?,
    }
    Ok(())
}

pub(super) fn write_text(out: &mut String, text: &str) -> Result<(), Error> {
    let quoted = serde_json::to_string(text).map_err(|error| Error::Unfit(error.to_string()))?;
    out.push_str(&quoted);
    Ok(())
}

/// A number with as few digits as tell it, as Python writes it: with an exponent of at least two
/// digits and a sign from 1e16 on, and below 1e-4.
pub(super) fn float(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    let spelled = format!("{number:e}");
    let (digits, exponent) = spelled.split_once('e').unwrap_or((&spelled, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) || number == 0.0 {
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use langgraph_rust_checkpoint::{SinceSnapshot, Source};

    use super::*;

    fn text(metadata: &CheckpointMetadata) -> String {
        String::from_utf8(metadata_json(metadata).unwrap()).unwrap()
    }

    #[test]
    fn metadata_are_pythons_json() {
        let extra = [
            ("user", Value::from("é\0\"")),
            ("step", 7.into()),
            (
                "list",
                Value::list([Value::from(1.0), Value::from([("z", 1.into()), ("a", 2.into())])]),
            ),
        ];
        let metadata = CheckpointMetadata {
            source: Some(Source::Loop),
            step: 1,
            parents: vec![("".into(), "1ef".into())],
            since_snapshot: vec![("a".into(), SinceSnapshot { updates: 1, supersteps: 2 })],
            extra: extra.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        };
        let python = r#"{"source": "loop", "step": 1, "parents": {"": "1ef"}, "counters_since_delta_snapshot": {"a": [1, 2]}, "user": "é\"", "list": [1.0, {"z": 1, "a": 2}]}"#;
        assert_eq!(text(&metadata), python);
        let read = metadata_from_json(python.as_bytes()).unwrap();
        assert_eq!(text(&read), python);
        assert_eq!(read.since_snapshot, metadata.since_snapshot);
        let stub = CheckpointMetadata { step: -2, ..CheckpointMetadata::default() };
        assert_eq!(text(&stub), r#"{"step": -2}"#);
        assert_eq!(metadata_from_json(text(&stub).as_bytes()).unwrap(), stub);
    }

    #[test]
    fn numbers_are_spelled_as_python_does() {
        // json.dumps of each
        for (number, python) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.25e-7, "-1.25e-07"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(float(number), python);
        }
    }

    #[test]
    fn pythons_words_for_no_number_read_as_nothing() {
        let python =
            r#"{"source": "loop", "step": 1, "a": NaN, "b": [-Infinity, "NaN \" Infinity"]}"#;
        let read = metadata_from_json(python.as_bytes()).unwrap();
        assert_eq!(read.extra["a"], Value::Null);
        assert_eq!(read.extra["b"], Value::list([Value::Null, "NaN \" Infinity".into()]));
        assert!(metadata_from_json(b"[1]").is_err());
        assert!(metadata_from_json(b"nonsense").is_err());
    }
}
