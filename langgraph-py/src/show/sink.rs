//! Where a run's stream events go: to the caller's queue and to the stream of the run around it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PySet, PyString, PyTuple};

use super::modes::Modes;
use crate::collects;
use crate::host::call::call;
use crate::host::collect::{plain_lock, Collect};
use crate::host::wake::Waker;

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
    fn __call__(&self, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        let mode = chunk.get_item(1)?;
        let mode = Modes::named(mode.cast::<PyString>()?.to_str()?);
        self.pass(mode, chunk)
    }

    /// Takes an event for the caller alone: handlers of the run around this one hear it themselves.
    fn put(&self, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        let mode = chunk.get_item(1)?;
        self.keep(Modes::named(mode.cast::<PyString>()?.to_str()?), chunk);
        Ok(())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.collect(&visit)
    }

    fn __clear__(&self) {
        if let Ok(mut chunks) = self.chunks.try_lock() {
            let cleared = std::mem::take(&mut *chunks);
            drop(chunks);
            drop(cleared);
        }
    }
}

collects!(Sink { outer, chunks });

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
    pub fn pass(&self, mode: Modes, chunk: Bound<'_, PyTuple>) -> PyResult<()> {
        if self.outer_modes.any(mode) {
            if let Some(outer) = &self.outer {
                let outer = outer.bind(chunk.py());
                match outer.cast::<Sink>() {
                    Ok(outer) => outer.get().pass(mode, chunk.clone())?,
                    Err(_) => drop(call(outer, &[chunk.as_any()])?),
                }
            }
        }
        self.keep(mode, chunk);
        Ok(())
    }

    fn keep(&self, mode: Modes, chunk: Bound<'_, PyTuple>) {
        if self.own.any(mode) {
            plain_lock(&self.chunks).push_back(chunk.into_any().unbind());
            self.waker.wake();
        }
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
        self.pass(mode, chunk)
    }

    /// The oldest event in line.
    pub fn pop(&self) -> Option<Py<PyAny>> {
        plain_lock(&self.chunks).pop_front()
    }

    /// Whether events are in line.
    pub fn has_chunks(&self) -> bool {
        !plain_lock(&self.chunks).is_empty()
    }
}
