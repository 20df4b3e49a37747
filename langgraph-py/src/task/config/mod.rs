//! A task's config: what it is made of, made when somebody looks at it.
//!
//! Most nodes never look at their config, and making one takes longer than all the rest of a
//! superstep. So the ambient config of a task is a [`TaskConfig`]: a dict that fills itself.

mod made;

use std::sync::{Arc, OnceLock};

use langgraph_rust_core::{CheckpointId, TaskPath};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::handle::TaskHandle;
use crate::collects;
use crate::host::call as host;
use crate::host::collect::Collect;
use crate::run::base::ConfigBase;

/// What one attempt of a task adds to it.
pub struct Facts {
    /// The node's name.
    pub name: Py<PyString>,
    /// The names of its triggers and its path, if it was triggered.
    pub pulled: Option<(Py<PyTuple>, Py<PyTuple>)>,
    /// Where the task stands.
    pub path: TaskPath,
    /// The namespace that the task is in, if it is not the run's.
    pub scope: Option<Arc<str>>,
    /// The checkpoint that the superstep began from.
    pub checkpoint: CheckpointId,
    /// Which attempt, from one.
    pub attempt: u32,
    /// The `NodeError` that it handles.
    pub error: Option<Py<PyAny>>,
    /// The node's tags.
    pub tags: Option<Py<PyAny>>,
    /// The node's metadata.
    pub metadata: Option<Py<PyAny>>,
    /// Callbacks given with a call.
    pub callbacks: Option<Py<PyAny>>,
}

/// The ambient config of a task: a dict that is filled when it is first used.
///
/// All methods of a dict work on the one plain dict behind it, which nodes that ask for their
/// config are given. Its own storage is a copy for C code that reads dicts past their methods.
#[pyclass(frozen, extends = PyDict, module = "langgraph_rust._engine")]
pub struct TaskConfig {
    base: Py<ConfigBase>,
    task: Py<TaskHandle>,
    facts: Facts,
    plain: OnceLock<Py<PyDict>>,
}

impl TaskConfig {
    /// The config of an attempt of `task`, not made yet.
    pub fn new(base: Py<ConfigBase>, task: Py<TaskHandle>, facts: Facts) -> Self {
        Self { base, task, facts, plain: OnceLock::new() }
    }

    /// The config as a plain dict.
    pub fn plain<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyDict>> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.bind(py));
        }
        let made = made::make(py, self.base.get(), &self.task, &self.facts)?.unbind();
        // Another thread may have been faster: what it made is what everybody gets.
        Ok(self.plain.get_or_init(|| made).bind(py))
    }

    /// The task's handle.
    pub fn task(&self) -> &Py<TaskHandle> {
        &self.task
    }

    /// Whether the task was called without callbacks of its own.
    pub fn gives_no_callbacks(&self) -> bool {
        self.facts.callbacks.is_none()
    }

    /// What code that runs in the task finds as its config.
    pub fn ambient<'a, 'py>(slf: &'a Bound<'py, Self>) -> &'a Bound<'py, PyAny> {
        match slf.get().plain.get() {
            Some(plain) => plain.bind(slf.py()).as_any(),
            None => slf.as_any(),
        }
    }
}

/// Calls a method of the dict behind `slf`, having filled `slf` itself.
fn call<'py>(
    slf: &Bound<'py, TaskConfig>,
    method: &str,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let method = filled(slf)?.getattr(method)?;
    host::call_tuple(&method, arguments, None)
}

/// Changes the dict behind `slf`, and the copy of it that C code reads.
fn change<'py, T>(
    slf: &Bound<'py, TaskConfig>,
    change: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<T>,
) -> PyResult<T> {
    let plain = filled(slf)?;
    let result = change(plain);
    let own = slf.as_super();
    own.clear();
    own.update(plain.as_mapping())?;
    result
}

fn filled<'a, 'py>(slf: &'a Bound<'py, TaskConfig>) -> PyResult<&'a Bound<'py, PyDict>> {
    let plain = slf.get().plain(slf.py())?;
    let own = slf.as_super();
    if own.is_empty() && !plain.is_empty() {
        own.update(plain.as_mapping())?;
    }
    Ok(plain)
}

#[pymethods]
impl TaskConfig {
    /// The config as a plain dict, the same each time.
    #[pyo3(name = "plain")]
    fn py_plain<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        slf.get().plain(slf.py()).cloned()
    }

    fn __bool__(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(!filled(slf)?.is_empty())
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(filled(slf)?.len())
    }

    fn __contains__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        filled(slf)?.contains(key)
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.as_any().get_item(key)
    }

    fn __setitem__(
        slf: &Bound<'_, Self>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        change(slf, |plain| plain.set_item(key, value))
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        change(slf, |plain| plain.as_any().del_item(key))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Ok(filled(slf)?.try_iter()?.into_any())
    }

    fn __reversed__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "__reversed__", &PyTuple::empty(slf.py()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<Py<PyString>> {
        Ok(filled(slf)?.repr()?.unbind())
    }

    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.rich_compare(other, op)
    }

    fn __or__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        filled(slf)?.bitor(other)
    }

    fn __ror__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        other.bitor(filled(slf)?)
    }

    fn __ior__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        change(slf, |plain| {
            host::call_method(plain, intern!(slf.py(), "update"), &[other]).map(drop)
        })
    }

    #[pyo3(signature = (*arguments))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "get", arguments)
    }

    #[pyo3(signature = (*arguments))]
    fn setdefault<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        change(slf, |_| call(slf, "setdefault", arguments))
    }

    #[pyo3(signature = (*arguments))]
    fn pop<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        change(slf, |_| call(slf, "pop", arguments))
    }

    #[pyo3(signature = (*arguments, **kwargs))]
    fn update<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        change(slf, |plain| {
            let update = plain.getattr(intern!(slf.py(), "update"))?;
            host::call_tuple(&update, arguments, kwargs)
        })
    }

    fn popitem<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let none = PyTuple::empty(slf.py());
        change(slf, |_| call(slf, "popitem", &none))
    }

    fn clear(slf: &Bound<'_, Self>) -> PyResult<()> {
        change(slf, |plain| {
            plain.clear();
            Ok(())
        })
    }

    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "items", &PyTuple::empty(slf.py()))
    }

    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "keys", &PyTuple::empty(slf.py()))
    }

    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        call(slf, "values", &PyTuple::empty(slf.py()))
    }

    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        filled(slf)?.copy()
    }

    /// `copy.copy`, `copy.deepcopy` and pickle make a plain dict of it.
    fn __reduce_ex__<'py>(
        slf: &Bound<'py, Self>,
        _protocol: i32,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        let plain = filled(slf)?.copy()?;
        Ok((slf.py().get_type::<PyDict>().into_any(), (plain,)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }

    // Every cycle through this leads through a plain dict, which clears itself.
    fn __clear__(&self) {}
}

collects!(Facts { name, pulled, error, tags, metadata, callbacks });
collects!(TaskConfig { base, task, facts, plain });
