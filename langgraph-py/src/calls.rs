//! Tasks called by tasks: the functional API's `@task`, within one superstep.

use std::sync::{Arc, Weak};

use langgraph_core::{Control, Write};
use langgraph_pregel::TaskKey;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

use crate::board;
use crate::domain::Objects;
use crate::run::Run;
use crate::task::TaskHandle;

/// A function called by a task.
pub struct CallRequest {
    /// The function.
    pub func: Py<PyAny>,
    /// `(args, kwargs)`.
    pub input: Py<PyAny>,
    /// Its retry policies.
    pub retry: Option<Py<PyAny>>,
    /// Its cache policy.
    pub cache: Option<Py<PyAny>>,
    /// Its timeout.
    pub timeout: Option<Py<PyAny>>,
    /// Its callbacks.
    pub callbacks: Option<Py<PyAny>>,
}

/// A called function, ready to run.
pub struct Call {
    /// The runnable around the function.
    pub runnable: Py<PyAny>,
    /// `(args, kwargs)`.
    pub input: Py<PyAny>,
    /// Its retry policies.
    pub retry: Option<Py<PyAny>>,
    /// Its timeout.
    pub timeout: Option<Py<PyAny>>,
    /// Its callbacks, instead of the run's.
    pub callbacks: Option<Py<PyAny>>,
}

/// Starts the task that `caller` asks for and returns a future of its result.
pub fn request(
    py: Python<'_>,
    run: &Arc<Run>,
    caller: &TaskHandle,
    request: CallRequest,
) -> PyResult<Py<PyAny>> {
    let is_async = run.context.is_async;
    let inspect = py.import(intern!(py, "inspect"))?;
    let is_coroutine =
        inspect.call_method1("iscoroutinefunction", (&request.func,))?.is_truthy()?;
    if is_coroutine && !is_async {
        return Err(PyRuntimeError::new_err("In an sync context async tasks cannot be called"));
    }
    let module = py.import(intern!(py, "langgraph_rust.pregel._run.call"))?;
    let runnable = module.call_method1("get_runnable_for_task", (&request.func,))?;
    let name: Option<String> = runnable.getattr(intern!(py, "name"))?.extract()?;
    let name = name.ok_or_else(|| {
        PyValueError::new_err("`call` functions must have a `__name__` attribute")
    })?;
    let future = new_future(py, is_async)?;
    let (key, known, result) = {
        let mut core = run.core(py)?;
        let index = caller.next_call();
        let key = core.engine.task_requested(py, caller.key, name.into(), index);
        let call = Call {
            runnable: runnable.unbind(),
            input: request.input,
            retry: request.retry,
            timeout: request.timeout,
            callbacks: request.callbacks,
        };
        let known = core.calls.insert(key, call).is_some();
        let result = stored_result(py, &core.engine.task(key).writes);
        core.futures.entry(key).or_default().push(future.clone_ref(py));
        (key, known, result)
    };
    if let Some(result) = result {
        answer(py, run, key, &result)?;
        return Ok(future);
    }
    if known {
        // The caller is tried again while the task it called still runs.
        return Ok(future);
    }
    if let Some(policy) = &request.cache {
        let found = match crate::cache::look_up_call(py, run, key, &request.func, policy) {
            Ok(found) => found,
            Err(error) => {
                board::report(py, run, board::unprepared(py, key, error))?;
                return Ok(future);
            }
        };
        if let Some(found) = found {
            let result = stored_result(py, &found);
            run.core(py)?.engine.cache_answered(py, vec![(key, found)]);
            if let Some(result) = result {
                answer(py, run, key, &result)?;
            }
            return Ok(future);
        }
    }
    if is_async {
        let watch = Py::new(py, CancelWatch { run: Arc::downgrade(run), key })?;
        future.bind(py).call_method1(intern!(py, "add_done_callback"), (watch,))?;
    }
    crate::sync_driver::run_requested(py, run, key)?;
    Ok(future)
}

/// Called when a future is done: whoever cancelled it cancels the task.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct CancelWatch {
    run: Weak<Run>,
    key: TaskKey,
}

#[pymethods]
impl CancelWatch {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if !future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            return Ok(());
        }
        let Some(run) = self.run.upgrade() else { return Ok(()) };
        let task = run.core(py)?.spawned.get(&self.key).map(|task| task.clone_ref(py));
        task.map_or(Ok(()), |task| task.bind(py).call_method0(intern!(py, "cancel")).map(drop))
    }
}

/// The result among a called task's writes: what it returned, or its error.
pub fn stored_result(
    py: Python<'_>,
    writes: &[Write<Objects>],
) -> Option<Result<Py<PyAny>, Py<PyAny>>> {
    if writes.is_empty() {
        return None;
    }
    let find = |kind| {
        let found = writes.iter().find(|write| write.is_control(kind));
        found.map(|write| write.value.clone_ref(py))
    };
    Some(match (find(Control::Return), find(Control::Error)) {
        (Some(value), _) => Ok(value),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(py.None()),
    })
}

/// Gives a result to those who wait for the called task `key`.
pub fn answer(
    py: Python<'_>,
    run: &Run,
    key: TaskKey,
    result: &Result<Py<PyAny>, Py<PyAny>>,
) -> PyResult<()> {
    let futures = run.core(py)?.futures.remove(&key).unwrap_or_default();
    for future in futures {
        let result = match result {
            Ok(value) => Ok(value.clone_ref(py)),
            Err(error) => Err(error.clone_ref(py)),
        };
        resolve(py, &future, result)?;
    }
    Ok(())
}

fn new_future(py: Python<'_>, is_async: bool) -> PyResult<Py<PyAny>> {
    let module = py.import(intern!(py, "langgraph_rust.pregel._run.call"))?;
    Ok(module.call_method1("new_future", (is_async,))?.unbind())
}

fn resolve(
    py: Python<'_>,
    future: &Py<PyAny>,
    result: Result<Py<PyAny>, Py<PyAny>>,
) -> PyResult<()> {
    let module = py.import(intern!(py, "langgraph_rust.pregel._run.call"))?;
    match result {
        Ok(value) => module.call_method1("resolve_future", (future, value, py.None()))?,
        Err(error) => module.call_method1("resolve_future", (future, py.None(), error))?,
    };
    Ok(())
}
