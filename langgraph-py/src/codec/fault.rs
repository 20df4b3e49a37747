//! Why a value cannot be encoded, and where it is.

use std::fmt::Write;

use pyo3::intern;
use pyo3::prelude::*;

use super::wire::TooLong;
use crate::host::call::call;
use crate::host::imports;

/// Why a value cannot be encoded. In a box: most values can, and their results should be small.
pub struct Fault(Box<Why>);

enum Why {
    /// Not for a reason of the value's: an interrupt, say. It comes out as itself.
    Raised(PyErr),
    /// There is no encoding for it.
    Refused(Refusal),
}

/// What there is no encoding for.
struct Refusal {
    text: String,
    cause: Option<PyErr>,
    /// The way to it, the last step first.
    path: Vec<Step>,
}

/// One step into a value.
pub enum Step {
    /// To an item of a list.
    Index(usize),
    /// To the value of a key, as Python writes the key.
    Key(String),
    /// To a field of an object.
    Field(String),
}

impl Fault {
    pub fn raised(error: PyErr) -> Self {
        Self(Box::new(Why::Raised(error)))
    }

    pub fn refused(text: impl Into<String>, cause: Option<PyErr>) -> Self {
        let refusal = Refusal { text: text.into(), cause, path: Vec::new() };
        Self(Box::new(Why::Refused(refusal)))
    }

    pub fn too_deep() -> Self {
        Self::refused("Recursion limit reached", None)
    }

    /// Whether it is the value's.
    pub fn is_refusal(&self) -> bool {
        matches!(*self.0, Why::Refused(_))
    }

    /// The same, seen from one step further out.
    #[must_use]
    pub fn within(mut self, step: impl FnOnce() -> Step) -> Self {
        if let Why::Refused(refusal) = &mut *self.0 {
            refusal.path.push(step());
        }
        self
    }

    /// As Python sees it.
    pub fn into_py(self, py: Python<'_>) -> PyErr {
        match *self.0 {
            Why::Raised(error) => error,
            Why::Refused(refusal) => refusal.into_py(py).unwrap_or_else(|error| error),
        }
    }
}

impl From<TooLong> for Fault {
    fn from(_: TooLong) -> Self {
        Self::refused("More than 4 GiB in one piece", None)
    }
}

impl Refusal {
    fn into_py(self, py: Python<'_>) -> PyResult<PyErr> {
        let mut text = self.text;
        if !self.path.is_empty() {
            text.push_str(", at ");
        }
        for step in self.path.iter().rev() {
            let written = match step {
                Step::Index(index) => write!(text, "[{index}]"),
                Step::Key(key) => write!(text, "[{key}]"),
                Step::Field(name) => write!(text, ".{name}"),
            };
            debug_assert!(written.is_ok());
        }
        let error = call(imports::encode_error(py)?, &[text.into_pyobject(py)?.as_any()])?;
        let error = PyErr::from_value(error);
        error.set_cause(py, self.cause);
        Ok(error)
    }
}

/// The step to the value of `key`.
pub fn step_to(key: &Bound<'_, PyAny>) -> Step {
    let text = call_repr(key).unwrap_or_else(|_| "?".to_owned());
    Step::Key(text)
}

fn call_repr(key: &Bound<'_, PyAny>) -> PyResult<String> {
    let repr = key.py().import(intern!(key.py(), "builtins"))?.getattr("repr")?;
    call(&repr, &[key])?.extract()
}
