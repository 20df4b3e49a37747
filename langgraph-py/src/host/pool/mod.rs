//! Worker threads: threads that Python created, kept while they are of use, ended when they have
//! had nothing to do for a while, stopped before the interpreter finalises, and replaced in a
//! forked child.

pub mod hand_over;
pub mod side_by_side;
mod signals;

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;

use crate::host::call::{call, call_method, detached};
use crate::host::collect::plain_lock;
use crate::host::imports;
use crate::host::threads;
use signals::Unheard;

/// Asked by a worker without the interpreter, which may take its time: whether the work is still
/// to be done. Must not touch Python objects, nor may dropping it, or work that it declines.
pub type LookOn = Box<dyn FnOnce() -> bool + Send>;

/// What a worker does with the interpreter; tells when the next work is likely to come.
pub type Work = Box<dyn FnOnce(Python<'_>) -> Next + Send>;

/// Work for a worker, and what comes before it.
pub struct Job {
    /// Waits for the right moment, if there is one to wait for.
    pub look_on: Option<LookOn>,
    /// The work.
    pub work: Work,
}

/// When a worker's next work is likely to come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// In a moment: better look out for it than sleep.
    Soon,
    /// Who knows. Whoever looks out takes a processor away from others.
    Unknown,
}

/// How long a worker without work stays.
const IDLE: Duration = Duration::from_secs(4);

/// Work to be done as soon as there is a worker.
pub fn at_once(work: impl FnOnce(Python<'_>) -> Next + Send + 'static) -> Job {
    Job { look_on: None, work: Box::new(work) }
}

struct Pool {
    pid: u32,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(u64, Job)>,
    /// Those that share places, by who they share them with.
    placed: HashMap<Sharers, Placed>,
    /// The number of the next job.
    next: u64,
    idle: usize,
    stopped: bool,
}

/// Those who share places: the work of one event loop.
pub type Sharers = usize;

/// Work that shares places.
#[derive(Default)]
struct Placed {
    /// How much of it runs and has not lent its place.
    running: usize,
    /// What waits for a place.
    waiting: VecDeque<Work>,
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
    // Registered first: workers that nobody joins at exit would take the process down.
    let threading = imports::threading(py)?;
    let stop = imports::engine(py)?.getattr(intern!(py, "_stop_workers"))?;
    call_method(threading.as_any(), intern!(py, "_register_atexit"), &[&stop])?;
    let pool = Box::leak(Box::new(Pool {
        pid: std::process::id(),
        state: Mutex::default(),
        bell: Condvar::new(),
    }));
    // Another thread may have been faster, while Python code ran above: then that one's pool is it.
    match POOL.compare_exchange(found, pool, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(pool),
        // SAFETY: as above; what was stored meanwhile is a pool of this process.
        Err(other) => Ok(unsafe { &*other }),
    }
}

/// Has a worker do `job`; makes one if none is idle, so that work never waits for other work.
///
/// Where threads are cooperative, each job is a thread of its own. An error means that no thread
/// could be started, and that the job will not be done.
pub fn submit(py: Python<'_>, job: Job) -> PyResult<()> {
    if threads::are_cooperative(py)? {
        let once = Bound::new(py, Once(Mutex::new(Some(job.work))))?;
        return threads::start(py, once.as_any()).map(drop);
    }
    let pool = pool(py)?;
    let (number, needs_thread) = {
        let mut state = plain_lock(&pool.state);
        if state.stopped {
            // The process is ending: a new thread would not outlive the interpreter.
            drop(state);
            (job.work)(py);
            return Ok(());
        }
        let number = state.next;
        state.next += 1;
        state.jobs.push_back((number, job));
        (number, state.jobs.len() > state.idle)
    };
    if !needs_thread {
        pool.bell.notify_one();
        return Ok(());
    }
    let started = threads::start(py, &imports::engine(py)?.getattr(intern!(py, "_work"))?);
    match started {
        Ok(thread) => call_method(&workers(py)?, intern!(py, "add"), &[&thread]).map(drop),
        Err(error) => {
            let mut state = plain_lock(&pool.state);
            let position = state.jobs.iter().position(|(other, _)| *other == number);
            let job = position.and_then(|position| state.jobs.remove(position));
            drop(state);
            // A worker that came free meanwhile may have taken it.
            job.map_or(Ok(()), |job| {
                drop(job);
                Err(error)
            })
        }
    }
}

/// How much work that shares places runs at the same time.
const PLACES: usize = 32;

thread_local! {
    /// Whom the work on this thread shares its place with, while it has one.
    static PLACE: Cell<Option<Sharers>> = const { Cell::new(None) };
}

/// Has a worker do `work` once there is a place for it among those of `sharers`.
pub fn submit_placed(py: Python<'_>, sharers: Sharers, work: Work) -> PyResult<()> {
    plain_lock(&pool(py)?.state).placed.entry(sharers).or_default().waiting.push_back(work);
    fill_places(py, sharers)
}

/// The work on this thread is about to wait for other work, which may need a place: this one's is
/// free from now on.
pub fn lend_place(py: Python<'_>) -> PyResult<()> {
    let Some(sharers) = PLACE.take() else { return Ok(()) };
    pool(py)?.free_place(sharers);
    fill_places(py, sharers)
}

/// Begins what waits for a place, as far as there are any.
fn fill_places(py: Python<'_>, sharers: Sharers) -> PyResult<()> {
    let pool = pool(py)?;
    while let Some(work) = pool.take_placed(sharers) {
        if let Err(error) = submit(py, at_once(move |py| work_in_place(py, sharers, work))) {
            pool.free_place(sharers);
            return Err(error);
        }
    }
    Ok(())
}

/// Does work that has a place, and then what waits for the place.
fn work_in_place(py: Python<'_>, sharers: Sharers, work: Work) -> Next {
    let outer = PLACE.replace(Some(sharers));
    let (mut work, mut next) = (Some(work), Next::Unknown);
    while let Some(placed) = work.take() {
        // Whoever gave the work reports its panics.
        next = catch_unwind(AssertUnwindSafe(|| placed(py))).unwrap_or(Next::Unknown);
        if PLACE.get().is_some() {
            work = pool(py).ok().and_then(|pool| pool.next_in_place(sharers));
        }
    }
    if let Err(error) = lend_place(py) {
        error.write_unraisable(py, None);
    }
    PLACE.set(outer);
    next
}

/// The threads made so far, to be joined at exit.
fn workers(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    imports::engine(py)?.getattr(intern!(py, "_workers"))
}

/// A job that is a thread of its own.
#[pyclass(frozen, module = "langgraph_rust._engine")]
struct Once(Mutex<Option<Work>>);

#[pymethods]
impl Once {
    fn __call__(&self, py: Python<'_>) {
        let work = plain_lock(&self.0).take();
        if let Some(work) = work {
            work(py);
        }
    }
}

/// What a worker thread does until it is stopped or has been idle for long.
#[pyfunction]
#[pyo3(name = "_work")]
pub fn work(py: Python<'_>) -> PyResult<()> {
    let pool = pool(py)?;
    let mut next = Next::Unknown;
    loop {
        let (job, unheard) = detached(py, || pool.next_job(next));
        // Not before the interpreter is held: a signal that is under way goes to whoever is ready
        // to hear it first, and if that were this thread, waiting for a processor, the main thread
        // would go on for as long as nothing had happened.
        drop(unheard);
        let Some(job) = job else { break };
        // What panics in there has been reported by whoever gave the work; the worker lives on.
        next = catch_unwind(AssertUnwindSafe(|| (job.work)(py))).unwrap_or(Next::Unknown);
    }
    let threading = imports::threading(py)?;
    let own = call(&threading.getattr(intern!(py, "current_thread"))?, &[])?;
    call_method(&workers(py)?, intern!(py, "discard"), &[&own]).map(drop)
}

impl Pool {
    /// Work that waits for a place, with the place.
    fn take_placed(&self, sharers: Sharers) -> Option<Work> {
        let mut state = plain_lock(&self.state);
        let placed = state.placed.get_mut(&sharers)?;
        let work = if placed.running < PLACES { placed.waiting.pop_front() } else { None };
        placed.running += usize::from(work.is_some());
        work
    }

    /// The same for a place that one has already.
    fn next_in_place(&self, sharers: Sharers) -> Option<Work> {
        plain_lock(&self.state).placed.get_mut(&sharers)?.waiting.pop_front()
    }

    fn free_place(&self, sharers: Sharers) {
        let mut state = plain_lock(&self.state);
        let Some(placed) = state.placed.get_mut(&sharers) else { return };
        placed.running -= 1;
        if placed.running == 0 && placed.waiting.is_empty() {
            state.placed.remove(&sharers);
        }
    }

    /// The next job, once it is time for it, and what keeps signals from this thread if it had to
    /// wait. Called detached.
    fn next_job(&self, next: Next) -> (Option<Job>, Option<Unheard>) {
        let mut unheard = None;
        loop {
            let Some(mut job) = self.take_job(next, &mut unheard) else { return (None, unheard) };
            if job.look_on.take().is_none_or(|look_on| look_on()) {
                return (Some(job), unheard);
            }
        }
    }

    fn take_job(&self, next: Next, unheard: &mut Option<Unheard>) -> Option<Job> {
        plain_lock(&self.state).idle += 1;
        let mut job = match next {
            Next::Soon => hand_over::look_out(|| self.state.try_lock().ok()?.jobs.pop_front()),
            Next::Unknown => None,
        };
        let deadline = Instant::now() + IDLE;
        if job.is_none() && unheard.is_none() {
            *unheard = Some(signals::unheard());
        }
        let mut state = plain_lock(&self.state);
        while job.is_none() {
            job = state.jobs.pop_front();
            let left = deadline.saturating_duration_since(Instant::now());
            if job.is_some() || state.stopped || left.is_zero() {
                break;
            }
            let waited = self.bell.wait_timeout(state, left);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        state.idle -= 1;
        drop(state);
        job.map(|(_, job)| job)
    }
}

/// Lets idle workers end and waits for them: a thread that is in the interpreter when it
/// finalises takes the process down.
#[pyfunction]
#[pyo3(name = "_stop_workers")]
pub fn stop(py: Python<'_>) -> PyResult<()> {
    let pool = pool(py)?;
    plain_lock(&pool.state).stopped = true;
    pool.bell.notify_all();
    let threads = call_method(&workers(py)?, intern!(py, "copy"), &[])?;
    for thread in threads.try_iter()? {
        let thread = thread?;
        if call_method(&thread, intern!(py, "is_alive"), &[])?.is_truthy()? {
            call_method(&thread, intern!(py, "join"), &[])?;
        }
    }
    Ok(())
}
