//! Tasks called by tasks: the functional API's `@task`, within one superstep.

pub mod callee;

use std::sync::{Arc, Weak};
use std::time::Duration;

use langgraph_rust_core::{Control, Write};
use langgraph_rust_pregel::{Task, TaskKey, TaskState};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use self::callee::Callee;
use super::handle::TaskHandle;
use super::report::report;
use super::{cached, outcome, Kept, Run};
use crate::collects;
use crate::host::call::{call_method, call_named};
use crate::host::coroutine::cancellation;
use crate::host::pool;
use crate::run::board::Order;
use crate::show::modes::Modes;
use crate::values::domain::Objects;

/// Where the Python side of calls is.
pub const MODULE: &str = "langgraph_rust.pregel._run.call";

/// A function called by a task.
pub struct CallRequest {
    /// The function.
    pub callee: Py<Callee>,
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
    /// The function.
    pub callee: Py<Callee>,
    /// `(args, kwargs)`.
    pub input: Py<PyAny>,
    /// Its retry policies.
    pub retry: Option<Py<PyAny>>,
    /// Its timeout.
    pub timeout: Option<Py<PyAny>>,
    /// Its callbacks, instead of the run's.
    pub callbacks: Option<Py<PyAny>>,
}

collects!(Call { callee, input, retry, timeout, callbacks });

/// What the engine says of a task that was asked for.
struct Requested {
    key: TaskKey,
    /// Whether it was asked for before: the caller is tried again while it still runs.
    is_known: bool,
    /// Its result, if it ran in an earlier attempt or run.
    result: Option<Result<Py<PyAny>, Py<PyAny>>>,
}

/// Starts the task that `caller` asks for and returns a future of its result.
pub fn request(
    py: Python<'_>,
    run: &Arc<Run>,
    caller: &TaskHandle,
    request: CallRequest,
) -> PyResult<Py<PyAny>> {
    let is_async = run.context.is_async();
    let callee = request.callee.get();
    if callee.is_coroutine && !is_async {
        return Err(PyRuntimeError::new_err("In an sync context async tasks cannot be called"));
    }
    let name = callee.name.to_str(py)?.to_owned();
    let future = new_future(py, is_async)?;
    let call = Call {
        callee: request.callee.clone_ref(py),
        input: request.input,
        retry: request.retry,
        timeout: request.timeout,
        callbacks: request.callbacks,
    };
    // From here to its end the engine knows of a task that nobody runs yet.
    let announcement = run.board.announce();
    let Requested { key, is_known, result } = ask(py, run, caller, name, call, &future)?;
    if let Some(result) = result {
        answer(py, run, key, &result)?;
    } else if !is_known {
        if !is_async {
            let own = Bound::new(py, OwnTask { run: Arc::downgrade(run), key })?;
            future.bind(py).setattr(intern!(py, "run_here"), own)?;
        }
        let (func, cache) = (&callee.func, request.cache.as_ref());
        if let Err(error) = begin(py, run, caller.key, key, func, cache, &future) {
            // It will not run: it has failed.
            report(py, run, outcome::unprepared(py, key, error))?;
        }
    }
    drop(announcement);
    if is_async && run.shows.wanted(Modes::TASKS.with(Modes::DEBUG)).is_some() {
        // The driver shows that it begins.
        run.board.waker.wake();
    }
    Ok(future)
}

/// Has a task run that was asked for, unless the cache has its result.
fn begin(
    py: Python<'_>,
    run: &Arc<Run>,
    caller: TaskKey,
    key: TaskKey,
    func: &Py<PyAny>,
    cache: Option<&Py<PyAny>>,
    future: &Py<PyAny>,
) -> PyResult<()> {
    if answered_by_cache(py, run, key, func, cache)? {
        return Ok(());
    }
    if run.context.is_async() {
        let watch = Bound::new(py, CancelWatch { run: Arc::downgrade(run), key })?;
        let method = intern!(py, "add_done_callback");
        call_method(future.bind(py), method, &[watch.as_any()])?;
    }
    pool::lend_place(py)?;
    let order = Order::new(py, key, Duration::ZERO)?;
    let is_running = |task: &Task<Objects>| task.state == TaskState::Running;
    let has_place = run.core(py)?.engine.task(caller).is_some_and(is_running);
    match has_place {
        true => run.board.add_called(caller, order),
        // The caller was ended meanwhile, and has no place to lend.
        false => run.board.add(order),
    }
    match (run.called.start)(py, run) {
        // Without a thread to run on, the task has failed.
        Err(error) if run.board.withdraw(key) => Err(error),
        _ => Ok(()),
    }
}

/// Asks the engine for the task.
fn ask(
    py: Python<'_>,
    run: &Run,
    caller: &TaskHandle,
    name: String,
    call: Call,
    future: &Py<PyAny>,
) -> PyResult<Requested> {
    let mut core = run.core(py)?;
    let is_running = |task: &Task<Objects>| task.state == TaskState::Running;
    let asked = match core.engine.task(caller.key).is_some_and(is_running) {
        true => {
            let (caller, name, call) = (caller.key, name.as_str().into(), caller.next_call());
            core.engine.task_requested(py, caller, name, call)
        }
        false => None,
    };
    let key = asked.ok_or_else(|| {
        PyRuntimeError::new_err(format!(
            "Task '{name}' was called by a node that is over; call tasks while the node runs"
        ))
    })?;
    let result = stored_result(py, &core.task(key)?.writes);
    let kept = core.keep(key);
    let before = kept.call.replace(call);
    kept.futures.push(future.clone_ref(py));
    drop(core);
    Ok(Requested { key, is_known: before.is_some(), result })
}

/// Answers a call from the cache, if it has a policy for that and the cache has the result.
fn answered_by_cache(
    py: Python<'_>,
    run: &Arc<Run>,
    key: TaskKey,
    func: &Py<PyAny>,
    policy: Option<&Py<PyAny>>,
) -> PyResult<bool> {
    let Some(policy) = policy else { return Ok(false) };
    let found = match cached::look_up_call(py, run, key, func, policy) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(false),
        Err(error) => {
            report(py, run, outcome::unprepared(py, key, error))?;
            return Ok(true);
        }
    };
    let result = stored_result(py, &found);
    run.core(py)?.engine.cache_answered(py, vec![(key, found)]);
    result.map_or(Ok(()), |result| answer(py, run, key, &result))?;
    Ok(true)
}

/// Called by whoever waits for a task's future: runs the task, unless somebody has begun it.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct OwnTask {
    run: Weak<Run>,
    key: TaskKey,
}

#[pymethods]
impl OwnTask {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        match self.run.upgrade() {
            Some(run) => (run.called.run_here)(py, &run, self.key),
            None => Ok(()),
        }
    }
}

/// Called when a future is done: whoever cancelled it cancels the task.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct CancelWatch {
    run: Weak<Run>,
    key: TaskKey,
}

/// Whether a task that is about to begin is not to run: it was asked to stop, or all who called it
/// have cancelled its future, which the engine is told.
pub fn is_withdrawn(py: Python<'_>, run: &Run, key: TaskKey) -> PyResult<bool> {
    if outcome::is_asked_to_stop(py, run, key) {
        return Ok(true);
    }
    let futures: Vec<Py<PyAny>> = match run.core(py)?.kept(key) {
        Some(kept) => kept.futures.iter().map(|future| future.clone_ref(py)).collect(),
        None => return Ok(false),
    };
    for future in &futures {
        if !call_method(future.bind(py), intern!(py, "cancelled"), &[])?.is_truthy()? {
            return Ok(false);
        }
    }
    if !futures.is_empty() {
        run.core(py)?.engine.call_cancelled(key);
    }
    Ok(!futures.is_empty())
}

#[pymethods]
impl CancelWatch {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if !call_method(future, intern!(py, "cancelled"), &[])?.is_truthy()? {
            return Ok(());
        }
        let Some(run) = self.run.upgrade() else { return Ok(()) };
        let task = {
            let mut core = run.core(py)?;
            core.engine.call_cancelled(self.key);
            let task = core.kept(self.key).and_then(|kept| kept.asyncio_task.as_ref());
            let task = task.map(|task| task.clone_ref(py));
            // The driver may be waiting for the caller, and not ask what there is to do.
            task.filter(|_| core.engine.take_cancellation(self.key))
        };
        match task {
            Some(task) => call_method(task.bind(py), intern!(py, "cancel"), &[]).map(drop),
            None => Ok(()),
        }
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
    let futures = run.core(py)?.kept_mut(key).map(|kept| std::mem::take(&mut kept.futures));
    resolve_all(py, &futures.unwrap_or_default(), result)
}

/// What those are told who wait for a task that will not run.
pub fn cancelled(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(cancellation(py)?.into_value(py).into_any())
}

/// The wait before the next attempt of a called task, if it has one. If the run has ended between
/// the last attempt and this, there is none, and those who wait for the task are told.
pub fn next_attempt(py: Python<'_>, run: &Run, key: TaskKey) -> PyResult<Option<Duration>> {
    let mut core = run.core(py)?;
    if !core.is_call(key) {
        return Ok(None);
    }
    let delay = core.kept_mut(key).and_then(|kept| kept.again.take());
    let is_over = core.engine.task(key).is_some_and(|task| task.state == TaskState::Settled);
    drop(core);
    if is_over {
        answer(py, run, key, &Err(cancelled(py)?))?;
        return Ok(None);
    }
    Ok(delay)
}

/// Tells those who still wait for called tasks of a superstep that is over.
pub fn dismiss(py: Python<'_>, kept: &mut Kept) -> PyResult<()> {
    if kept.futures.is_empty() {
        return Ok(());
    }
    resolve_all(py, &std::mem::take(&mut kept.futures), &Err(cancelled(py)?))
}

fn new_future(py: Python<'_>, is_async: bool) -> PyResult<Py<PyAny>> {
    let is_async = is_async.into_pyobject(py)?.to_owned().into_any();
    Ok(call_named(py, MODULE, "new_future", &[&is_async])?.unbind())
}

/// Resolves each future, whatever happens: who waits for one that is not would wait for ever.
fn resolve_all(
    py: Python<'_>,
    futures: &[Py<PyAny>],
    result: &Result<Py<PyAny>, Py<PyAny>>,
) -> PyResult<()> {
    let none = py.None();
    let (value, error) = match result {
        Ok(value) => (value, &none),
        Err(error) => (&none, error),
    };
    let mut resolved = Ok(());
    for future in futures {
        let arguments = [future.bind(py), value.bind(py), error.bind(py)];
        let resolve = || call_named(py, MODULE, "resolve_future", &arguments).map(drop);
        // A signal may be heard amid it, and raise; what was begun then is done again.
        resolved = resolved.and(resolve().or_else(|error| resolve().and(Err(error))));
    }
    resolved
}
