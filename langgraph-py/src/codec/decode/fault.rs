//! Why bytes cannot be decoded.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::codec::wire::Cut;
use crate::host::call::call;
use crate::host::imports;

/// Why bytes cannot be decoded. In a box, as the encoder's.
pub struct Fault(Box<Why>);

enum Why {
    /// They are no value.
    Broken(String),
    /// Code that was called raised.
    Raised(PyErr),
}

impl Fault {
    pub fn broken(text: impl Into<String>) -> Self {
        Self(Box::new(Why::Broken(text.into())))
    }

    /// Whether it is an interrupt, which is nobody's to deal with.
    pub fn is_final(&self, py: Python<'_>) -> bool {
        matches!(&*self.0, Why::Raised(error) if !error.is_instance_of::<PyException>(py))
    }

    pub fn into_py(self, py: Python<'_>) -> PyErr {
        match *self.0 {
            Why::Broken(text) => failed(py, &text, None),
            Why::Raised(error) if error.is_instance_of::<PyException>(py) => {
                failed(py, "ext_hook failed", Some(error))
            }
            Why::Raised(error) => error,
        }
    }
}

impl From<Cut> for Fault {
    fn from(_: Cut) -> Self {
        Self::broken("unexpected end of file")
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self(Box::new(Why::Raised(error)))
    }
}

/// The error of bytes that cannot be decoded.
pub fn failed(py: Python<'_>, text: &str, cause: Option<PyErr>) -> PyErr {
    let error = imports::decode_error(py)
        .and_then(|class| call(class, &[PyString::new(py, text).as_any()]));
    match error {
        Ok(error) => {
            let error = PyErr::from_value(error);
            error.set_cause(py, cause);
            error
        }
        Err(error) => error,
    }
}
