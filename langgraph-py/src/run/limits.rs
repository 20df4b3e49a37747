//! Limits in a config: numbers as people and JSON write them.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

/// The limit as the engine counts it: what a config from JSON says as `3.0` is 3, and more than can
/// be counted is no limit.
pub(super) fn recursion_limit(config: &Bound<'_, PyDict>) -> PyResult<u64> {
    match config.get_item(intern!(config.py(), "recursion_limit"))? {
        Some(limit) => Ok(whole(&limit)?.unwrap_or(0)),
        None => Ok(10007),
    }
}

/// A number as a whole one, rounded down; `None` below zero.
fn whole(number: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    if let Ok(number) = number.extract::<i128>() {
        return Ok(u64::try_from(number.min(i64::MAX.into())).ok());
    }
    let is_int = number.is_instance_of::<PyInt>();
    match number.extract::<f64>() {
        // `as` saturates, and makes 0 of what is no number.
        Ok(number) if number >= 0.0 => Ok(Some((number as u64).min(i64::MAX as u64))),
        Ok(_) => Ok(None),
        // Too large even for a float.
        Err(_) if is_int => Ok(number.gt(0)?.then_some(i64::MAX as u64)),
        Err(error) => Err(error),
    }
}

/// How many tasks may run at once; 0 is no limit, as upstream's executors take it.
pub(super) fn max_concurrency(config: &Bound<'_, PyDict>) -> PyResult<Option<usize>> {
    let py = config.py();
    let Some(limit) = config.get_item(intern!(py, "max_concurrency"))? else { return Ok(None) };
    if limit.is_none() {
        return Ok(None);
    }
    let count = whole(&limit)?.ok_or_else(|| {
        PyValueError::new_err(format!("`max_concurrency` must not be negative, but is {limit}"))
    })?;
    Ok((count > 0).then(|| usize::try_from(count).unwrap_or(usize::MAX)))
}
