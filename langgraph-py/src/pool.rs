//! Worker threads for sync nodes: threads that Python created, kept while they are of use, stopped
//! before the interpreter finalises, and replaced in a forked child.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::wake::look_out;

/// Asked by a worker without the interpreter, which may take its time: what it is to do, if
/// anything.
pub type Job = Box<dyn FnOnce() -> Option<Work> + Send>;

/// What a worker does with the interpreter; tells when the next work is likely to come.
pub type Work = Box<dyn FnOnce(Python<'_>) -> Next + Send>;

/// When a worker's next work is likely to come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// In a moment: better look out for it than sleep.
    Soon,
    /// Who knows. Whoever looks out takes a processor away from others.
    Unknown,
}

/// Work to be done as soon as there is a worker.
pub fn at_once(work: impl FnOnce(Python<'_>) -> Next + Send + 'static) -> Job {
    Box::new(|| Some(Box::new(work)))
}

struct Pool {
    pid: u32,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    stopped: bool,
}

/// The process's pool. A forked child has none of its parent's threads, and the parent's lock may
/// have been held at the fork: it gets a pool of its own.
fn pool(py: Python<'_>) -> PyResult<&'static Pool> {
    static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());
    let found = POOL.load(Ordering::Acquire);
    // SAFETY: pools are leaked, so a pointer once stored stays valid.
    if let Some(pool) = unsafe { found.as_ref() } {
        if pool.pid == std::process::id() {
            return Ok(pool);
        }
    }
    let pool: &'static Pool = Box::leak(Box::new(Pool {
        pid: std::process::id(),
        state: Mutex::default(),
        bell: Condvar::new(),
    }));
    POOL.store(std::ptr::from_ref(pool).cast_mut(), Ordering::Release);
    let threading = py.import(intern!(py, "threading"))?;
    let stop = py.import("langgraph_rust._engine")?.getattr("_stop_workers")?;
    threading.call_method1("_register_atexit", (stop,))?;
    Ok(pool)
}

/// Has a worker do `job`; makes one if none is idle, so that work never waits for other work.
pub fn submit(py: Python<'_>, job: Job) -> PyResult<()> {
    let pool = pool(py)?;
    let needs_thread = {
        let mut state = pool.state.lock().expect("no panic while held");
        if state.stopped {
            // The process is ending: a new thread would not outlive the interpreter.
            drop(state);
            if let Some(work) = job() {
                work(py);
            }
            return Ok(());
        }
        state.jobs.push_back(job);
        state.jobs.len() > state.idle
    };
    if !needs_thread {
        pool.bell.notify_one();
        return Ok(());
    }
    let kwargs = PyDict::new(py);
    kwargs.set_item("target", py.import("langgraph_rust._engine")?.getattr("_work")?)?;
    kwargs.set_item("name", "langgraph-worker")?;
    kwargs.set_item("daemon", true)?;
    let thread = py.import(intern!(py, "threading"))?.getattr("Thread")?.call((), Some(&kwargs))?;
    thread.call_method0("start")?;
    workers(py)?.call_method1("add", (thread,))?;
    Ok(())
}

/// The threads made so far, to be joined at exit.
fn workers(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("langgraph_rust._engine")?.getattr("_workers")
}

/// What a worker thread does until it is stopped.
#[pyfunction]
#[pyo3(name = "_work")]
pub fn work(py: Python<'_>) -> PyResult<()> {
    let pool = pool(py)?;
    let mut next = Next::Unknown;
    while let Some(work) = py.detach(|| next_work(pool, next)) {
        next = work(py);
    }
    Ok(())
}

fn next_work(pool: &Pool, next: Next) -> Option<Work> {
    loop {
        if let Some(work) = next_job(pool, next)?() {
            return Some(work);
        }
    }
}

fn next_job(pool: &Pool, next: Next) -> Option<Job> {
    pool.state.lock().expect("no panic while held").idle += 1;
    let mut job = match next {
        Next::Soon => look_out(|| pool.state.try_lock().ok()?.jobs.pop_front()),
        Next::Unknown => None,
    };
    let mut state = pool.state.lock().expect("no panic while held");
    while job.is_none() {
        job = state.jobs.pop_front();
        if job.is_some() || state.stopped {
            break;
        }
        state = pool.bell.wait(state).expect("no panic while held");
    }
    state.idle -= 1;
    job
}

/// Lets idle workers end and waits for them: a thread that is in the interpreter when it
/// finalises takes the process down.
#[pyfunction]
#[pyo3(name = "_stop_workers")]
pub fn stop(py: Python<'_>) -> PyResult<()> {
    let pool = pool(py)?;
    pool.state.lock().expect("no panic while held").stopped = true;
    pool.bell.notify_all();
    for thread in workers(py)?.call_method0("copy")?.try_iter()? {
        let thread = thread?;
        if thread.call_method0("is_alive")?.is_truthy()? {
            thread.call_method0("join")?;
        }
    }
    Ok(())
}
