//! How chunks reach the caller.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::collects;
use crate::host::call::call;

/// How chunks reach the caller.
pub enum Shape {
    /// The payload alone.
    Payload,
    /// `(mode, payload)`.
    Moded,
    /// `(namespace, payload)`.
    Namespaced,
    /// `(namespace, mode, payload)`.
    Full,
    /// Whatever the function `(namespace, mode, payload)` makes of it, unless that is `NotImplemented`.
    Custom(Py<PyAny>),
}

collects!(
    enum Shape {
        Payload,
        Moded,
        Namespaced,
        Full,
        Custom(function),
    }
);

impl Shape {
    /// Reads a shape by name, or takes a function.
    pub fn read(shape: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Ok(name) = shape.cast::<PyString>() else {
            return Ok(Shape::Custom(shape.clone().unbind()));
        };
        Ok(match name.to_str()? {
            "payload" => Shape::Payload,
            "moded" => Shape::Moded,
            "namespaced" => Shape::Namespaced,
            _ => Shape::Full,
        })
    }

    /// The chunk as the caller gets it; `None` if it is not for the caller.
    pub fn apply(&self, py: Python<'_>, chunk: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        let tuple = chunk.bind(py).cast::<PyTuple>()?;
        let part = |position| tuple.get_borrowed_item(position);
        Ok(Some(match self {
            Shape::Payload => part(2)?.to_owned().unbind(),
            Shape::Moded => tuple.get_slice(1, 3).into_any().unbind(),
            Shape::Namespaced => PyTuple::new(py, [part(0)?, part(2)?])?.into_any().unbind(),
            Shape::Full => chunk,
            Shape::Custom(function) => {
                let (namespace, mode, payload) = (part(0)?, part(1)?, part(2)?);
                let shaped = call(function.bind(py), &[&*namespace, &*mode, &*payload])?;
                return Ok((!shaped.is(py.NotImplemented())).then(|| shaped.unbind()));
            }
        }))
    }
}
