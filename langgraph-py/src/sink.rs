//! Where a run's stream events go: to the caller's queue and to the stream of the run around it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PySet, PyString, PyTuple};

use crate::run::Modes;
use crate::wake::Waker;

/// A run's stream. Called with `(namespace, mode, payload)`; has the `modes` it wants.
#[pyclass(frozen, module = "langgraph_rust._engine", weakref)]
pub struct Sink {
    /// What the caller wants.
    pub own: Modes,
    /// The stream of the run around this one.
    pub outer: Option<Py<PyAny>>,
    /// What that one wants.
    pub outer_modes: Modes,
    chunks: Mutex<VecDeque<Py<PyAny>>>,
    /// Rung when something is in line.
    pub waker: Arc<Waker>,
}

#[pymethods]
impl Sink {
    /// A stream for `modes`, which passes on to `outer` what that wants.
    #[new]
    #[pyo3(signature = (modes, outer=None))]
    fn new(modes: &Bound<'_, PyAny>, outer: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let own = Modes::read(modes)?;
        let outer_modes = match &outer {
            Some(outer) => Modes::read(&outer.getattr("modes")?)?,
            None => Modes::default(),
        };
        Ok(Self {
            own,
            outer: outer.map(Bound::unbind),
            outer_modes,
            chunks: Mutex::default(),
            waker: Arc::default(),
        })
    }

    /// The modes wanted by anybody.
    #[getter]
    fn modes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PySet>> {
        let all = self.own.with(self.outer_modes);
        PySet::new(py, Modes::NAMES.iter().filter(|name| all.any(Modes::named(name))))
    }

    /// Takes an event `(namespace, mode, payload)`.
    fn __call__(&self, py: Python<'_>, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        let mode = chunk.get_item(1)?;
        let mode = Modes::named(mode.cast::<PyString>()?.to_str()?);
        self.pass(py, mode, chunk)
    }

    /// Takes an event for the caller alone: handlers of the run around this one hear it themselves.
    fn put(&self, py: Python<'_>, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        let mode = chunk.get_item(1)?;
        self.keep(py, Modes::named(mode.cast::<PyString>()?.to_str()?), chunk)
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.outer)?;
        if let Ok(chunks) = self.chunks.try_lock() {
            chunks.iter().try_for_each(|chunk| visit.call(chunk))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        if let Ok(mut chunks) = self.chunks.try_lock() {
            chunks.clear();
        }
    }
}

impl Sink {
    /// The stream of a nested run: everything goes to `outer`.
    pub fn nested(outer: Bound<'_, PyAny>) -> PyResult<Self> {
        let modes = PySet::empty(outer.py())?;
        Self::new(modes.as_any(), Some(outer))
    }

    /// Whether anybody wants events of `mode`.
    pub fn wants(&self, mode: Modes) -> bool {
        self.own.with(self.outer_modes).any(mode)
    }

    /// Gives an event to those who want it.
    pub fn pass(&self, py: Python<'_>, mode: Modes, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        if self.outer_modes.any(mode) {
            if let Some(outer) = &self.outer {
                match outer.bind(py).cast::<Sink>() {
                    Ok(outer) => outer.get().pass(py, mode, chunk.clone())?,
                    Err(_) => drop(outer.bind(py).call1((chunk.clone(),))?),
                }
            }
        }
        self.keep(py, mode, chunk)
    }

    fn keep(&self, py: Python<'_>, mode: Modes, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        if self.own.any(mode) {
            self.chunks.lock().expect("no panic while held").push_back(chunk.into_any().unbind());
            self.waker.wake_here(py)?;
        }
        Ok(())
    }

    /// Makes an event and gives it to those who want it.
    pub fn emit<'py>(
        &self,
        py: Python<'py>,
        namespace: &Py<PyAny>,
        mode: Modes,
        payload: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let name = mode.name(py).as_any();
        let chunk = PyTuple::new(py, [namespace.bind(py).as_any(), name, &payload])?;
        self.pass(py, mode, chunk)
    }

    /// The oldest event in line.
    pub fn pop(&self) -> Option<Py<PyAny>> {
        self.chunks.lock().expect("no panic while held").pop_front()
    }

    /// Whether events are in line.
    pub fn has_chunks(&self) -> bool {
        !self.chunks.lock().expect("no panic while held").is_empty()
    }
}

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
                let shaped = function.bind(py).call1(tuple)?;
                let nothing = py.import(intern!(py, "builtins"))?;
                let nothing = nothing.getattr(intern!(py, "NotImplemented"))?;
                return Ok((!shaped.is(&nothing)).then(|| shaped.unbind()));
            }
        }))
    }
}
