//! Limits in a config: numbers as people and JSON write them.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

use crate::host::call::is_true;

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

/// How many tasks may run at once. What Python's executors and semaphores refuse is refused here,
/// in their words, since that is what callers have seen; 0 is no limit where a semaphore is asked.
pub(super) fn max_concurrency(
    config: &Bound<'_, PyDict>,
    is_async: bool,
) -> PyResult<Option<usize>> {
    let py = config.py();
    let Some(limit) = config.get_item(intern!(py, "max_concurrency"))? else { return Ok(None) };
    if limit.is_none() || (is_async && !is_true(&limit)?) {
        return Ok(None);
    }
    match is_async {
        true if limit.lt(0)? => {
            return Err(PyValueError::new_err("Semaphore initial value must be >= 0"));
        }
        false if limit.le(0)? => {
            return Err(PyValueError::new_err("max_workers must be greater than 0"));
        }
        _ => {}
    }
    let Some(count) = whole(&limit)? else { return Ok(None) };
    let is_whole = limit.eq(count)? || count == i64::MAX as u64;
    Ok(match (is_async, is_whole) {
        (_, true) => Some(usize::try_from(count).unwrap_or(usize::MAX)),
        // A semaphore of 2.5 never comes to zero; 2.5 workers are as many as it takes to pass that.
        (true, false) => None,
        (false, false) => usize::try_from(count).ok().map(|count| count.saturating_add(1)),
    })
}
