//! A function that is called as a task: what is known of it, and calling it from where a task runs.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::{request, CallRequest, MODULE};
use crate::collects;
use crate::host::call::call_named;
use crate::host::collect::Collect;
use crate::host::context;
use crate::plan::program::Accepts;
use crate::task::config::TaskConfig;
use crate::task::handle::TaskHandle;

/// A function that is called as a task.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct Callee {
    /// The function.
    pub func: Py<PyAny>,
    /// The runnable around it, for those who listen and for what it has injected.
    pub runnable: Py<PyAny>,
    /// Its name.
    pub name: Py<PyString>,
    /// Whether it is a coroutine function.
    pub is_coroutine: bool,
    /// Whether it takes just what it is called with.
    pub is_plain: bool,
}

impl Callee {
    /// Looks at a function.
    pub fn of(py: Python<'_>, func: Bound<'_, PyAny>) -> PyResult<Self> {
        let is_coroutine =
            call_named(py, "inspect", "iscoroutinefunction", &[&func])?.is_truthy()?;
        let runnable = call_named(py, MODULE, "get_runnable_for_task", &[&func])?;
        let name = runnable.getattr(intern!(py, "name"))?;
        let name = name.cast_into::<PyString>().map_err(|_| {
            PyValueError::new_err("`call` functions must have a `__name__` attribute")
        })?;
        let step = runnable.getattr(intern!(py, "steps"))?.get_item(0)?;
        let accepts = Accepts::read(&step.getattr(intern!(py, "func_accepts"))?)?;
        Ok(Self {
            func: func.unbind(),
            runnable: runnable.unbind(),
            name: name.unbind(),
            is_coroutine,
            is_plain: accepts.names.is_none(),
        })
    }

    /// What is called: a callee itself, or a function.
    pub fn read<'py>(called: Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        match called.cast_into::<Self>() {
            Ok(callee) => Ok(callee),
            Err(func) => {
                let func = func.into_inner();
                Bound::new(func.py(), Self::of(func.py(), func)?)
            }
        }
    }
}

#[pymethods]
impl Callee {
    #[new]
    fn new(py: Python<'_>, func: Bound<'_, PyAny>) -> PyResult<Self> {
        Self::of(py, func)
    }

    /// Calls it as a task of the one that runs here, and returns the future of its result; `None`
    /// if the ambient config is not what a task was given, and may want to hear of it.
    fn start(
        slf: Bound<'_, Self>,
        args: Bound<'_, PyTuple>,
        kwargs: Bound<'_, PyDict>,
        retry_policy: Option<Bound<'_, PyAny>>,
        cache_policy: Option<Bound<'_, PyAny>>,
        timeout: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        let Some(caller) = caller_here(py)? else { return Ok(None) };
        let Some(run) = caller.get().run.upgrade() else { return Ok(None) };
        if run.context.base.get().manager.is_some() {
            return Ok(None);
        }
        let call = CallRequest {
            callee: slf.unbind(),
            input: PyTuple::new(py, [args.into_any(), kwargs.into_any()])?.into_any().unbind(),
            retry: retry_policy.map(Bound::unbind),
            cache: cache_policy.map(Bound::unbind),
            timeout: timeout.map(Bound::unbind),
            callbacks: None,
        };
        request(py, &run, caller.get(), call).map(Some)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }
}

collects!(Callee { func, runnable, name });

/// The task that code here runs in, by an ambient config that is just what the task was given.
fn caller_here(py: Python<'_>) -> PyResult<Option<Py<TaskHandle>>> {
    let Some(config) = context::ambient_config(py)? else { return Ok(None) };
    if let Ok(config) = config.cast::<TaskConfig>() {
        let task = config.get().gives_no_callbacks().then(|| config.get().task().clone_ref(py));
        return Ok(task);
    }
    // Somebody has looked at it; or it is another one.
    let Ok(config) = config.cast_exact::<PyDict>() else { return Ok(None) };
    if config.get_item(intern!(py, "callbacks"))?.is_some_and(|callbacks| !callbacks.is_none()) {
        return Ok(None);
    }
    let Some(conf) = config.get_item(intern!(py, "configurable"))? else { return Ok(None) };
    let Ok(conf) = conf.cast_into_exact::<PyDict>() else { return Ok(None) };
    let task = |key| -> PyResult<Option<Bound<'_, TaskHandle>>> {
        Ok(conf.get_item(key)?.and_then(|task| task.cast_into::<TaskHandle>().ok()))
    };
    let Some(task) = task(intern!(py, "__pregel_scratchpad"))? else { return Ok(None) };
    // Servers put a function of their own there.
    let call = conf.get_item(intern!(py, "__pregel_call"))?;
    let of = call.and_then(|call| call.getattr_opt(intern!(py, "__self__")).ok().flatten());
    Ok(of.is_some_and(|of| of.is(&task)).then(|| task.unbind()))
}
