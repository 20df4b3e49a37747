//! Channel versions between Python and the engine.

use std::sync::Arc;

use langgraph_rust_core::Version;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString};

use super::texts::Texts;

/// A channel version.
pub fn read(value: &Bound<'_, PyAny>) -> PyResult<Version> {
    if let Ok(text) = value.cast::<PyString>() {
        Ok(Version::Text(text.to_str()?.into()))
    } else if value.is_instance_of::<PyInt>() {
        Ok(Version::Int(value.extract()?))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(Version::Float(value.extract()?))
    } else {
        let message = format!("A channel version is text, an int or a float, not {value}");
        Err(PyTypeError::new_err(message))
    }
}

/// A channel version for Python.
pub fn to_python<'py>(
    py: Python<'py>,
    version: &Version,
    texts: &mut Texts,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match version {
        Version::Int(n) => n.into_pyobject(py)?.into_any(),
        Version::Float(n) => n.into_pyobject(py)?.into_any(),
        Version::Text(text) => texts.get(py, text).into_any(),
    })
}

/// Versions by name.
pub fn read_all(value: &Bound<'_, PyAny>) -> PyResult<Vec<(Arc<str>, Version)>> {
    let versions = value.cast::<PyDict>()?;
    let entries = versions.iter().map(|(name, value)| {
        let name: String = name.extract()?;
        Ok((name.into(), read(&value)?))
    });
    entries.collect()
}

/// Versions by name for Python.
pub fn all_to_python<'py>(
    py: Python<'py>,
    versions: &[(Arc<str>, Version)],
    texts: &mut Texts,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, version) in versions {
        dict.set_item(texts.get(py, name), to_python(py, version, texts)?)?;
    }
    Ok(dict)
}
