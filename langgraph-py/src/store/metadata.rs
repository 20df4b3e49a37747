//! The metadata that is stored with a checkpoint.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PySet, PyString};

use crate::host::call::call_method;
use crate::host::object::items;

/// Returns `metadata` with the simple values of the sections of a config added.
///
/// Strings lose their NUL characters, which some databases refuse. Keys that are there already,
/// those in `excluded` and those that begin with two underscores are left out, and so are values
/// that are neither strings nor numbers.
#[pyfunction]
#[pyo3(name = "_merge_metadata")]
pub fn merge<'py>(
    metadata: &Bound<'py, PyDict>,
    sections: Vec<Bound<'py, PyDict>>,
    excluded: &Bound<'py, PySet>,
) -> PyResult<Bound<'py, PyDict>> {
    let merged = PyDict::new(metadata.py());
    for (key, value) in items(metadata) {
        merged.set_item(key, without_nul(value)?)?;
    }
    for (key, value) in sections.iter().flat_map(items) {
        let name = key.cast::<PyString>()?;
        if name.to_string_lossy().starts_with("__")
            || merged.contains(&key)?
            || excluded.contains(&key)?
        {
            continue;
        }
        let is_number = value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>();
        if is_number || value.is_instance_of::<PyString>() {
            merged.set_item(key, without_nul(value)?)?;
        }
    }
    Ok(merged)
}

fn without_nul(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = value.py();
    if let Ok(text) = value.cast_exact::<PyString>() {
        if !text.to_string_lossy().contains('\0') {
            return Ok(value);
        }
    }
    match value.is_instance_of::<PyString>() {
        true => {
            let arguments = [intern!(py, "\0").as_any(), intern!(py, "").as_any()];
            call_method(&value, intern!(py, "replace"), &arguments)
        }
        false => Ok(value),
    }
}
