use crate::{Error, Map, Value};

/// Whether a value has the entries that a filter asks for: see
/// [`SearchQuery::filter`](super::SearchQuery::filter). For stores that cannot say it in their own
/// language.
///
/// # Errors
///
/// [`Error::Message`] for a comparison that there is none of, and for one of numbers with something
/// else.
pub fn matches_filter(value: &Map, filter: &Map) -> Result<bool, Error> {
    for (name, asked) in filter {
        let held = value.get(name).cloned().unwrap_or_default().plain()?;
        if !matches(&held, &asked.plain()?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn matches(held: &Value, asked: &Value) -> Result<bool, Error> {
    match asked {
        Value::Map(comparisons) if comparisons.keys().any(|name| name.starts_with('$')) => {
            let mut all = true;
            for (name, operand) in comparisons.iter() {
                all &= compare(held, name, operand)?;
            }
            Ok(all)
        }
        Value::Map(entries) => {
            let Value::Map(held) = held else { return Ok(false) };
            for (name, asked) in entries.iter() {
                if !matches(held.get(name).unwrap_or(&Value::Null), asked)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::List(items) => {
            let Value::List(held) = held else { return Ok(false) };
            if held.len() != items.len() {
                return Ok(false);
            }
            for (held, asked) in held.iter().zip(items.iter()) {
                if !matches(held, asked)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        asked => Ok(is_same(held, asked)),
    }
}

fn compare(held: &Value, name: &str, operand: &Value) -> Result<bool, Error> {
    let holds: fn(f64, f64) -> bool = match name {
        "$eq" => return Ok(is_same(held, operand)),
        "$ne" => return Ok(!is_same(held, operand)),
        "$gt" => |a, b| a > b,
        "$gte" => |a, b| a >= b,
        "$lt" => |a, b| a < b,
        "$lte" => |a, b| a <= b,
        other => {
            return Err(Error::message(format!(
                "a filter has no comparison '{other}': it has $eq, $ne, $gt, $gte, $lt and $lte"
            )));
        }
    };
    let operand = operand.float().map_err(|_| {
        Error::message(format!("the comparison '{name}' is of numbers, not of {operand}"))
    })?;
    // What is no number is neither smaller nor greater.
    Ok(held.float().is_ok_and(|held| holds(held, operand)))
}

/// Whether two values are the same; a whole number is the same as one with nothing behind its point.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(whole), Value::Float(number)) | (Value::Float(number), Value::Int(whole)) => {
            *whole as f64 == *number
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let has = |(name, value): (_, &Value)| b.get(name).is_some_and(|b| is_same(value, b));
            a.len() == b.len() && a.iter().all(has)
        }
        _ => a == b,
    }
}
