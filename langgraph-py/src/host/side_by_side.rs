//! Sync calls made side by side: by the thread that asks for them, and by workers that join it when
//! calls stop getting done, because they wait for something.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;

use super::call::call;
use super::collect::plain_lock;
use super::pool::{self, Job, LookOn, Next};
use super::threads;
use super::wake::Waker;

/// A worker joins when no call got done for this long.
const WINDOW: Duration = Duration::from_micros(300);

/// How often a waiting thread looks for signals.
const SIGNALS: Duration = Duration::from_millis(50);

/// What a call gave, or what it raised.
type Ended = (Option<Py<PyAny>>, Option<PyErr>);

/// Calls, and what came of them.
struct Calls {
    waiting: Mutex<VecDeque<(usize, Py<PyAny>)>>,
    results: Mutex<Vec<Option<PyResult<Py<PyAny>>>>>,
    numbers: Arc<Numbers>,
    /// Rung when the last call is over.
    waker: Waker,
}

/// What a worker without the interpreter may look at.
struct Numbers {
    /// Calls that nobody has begun.
    waiting: AtomicUsize,
    /// Calls that are not over.
    left: AtomicUsize,
    /// Threads that may still join.
    places: AtomicUsize,
}

/// Makes calls of no arguments side by side, at most `limit` at a time.
///
/// Returns for each what it gave and what it raised, in order. A signal that is heard meanwhile, or
/// an exit from a call on this thread, is raised at once: what nobody has begun is not called.
#[pyfunction]
#[pyo3(signature = (calls, limit=None))]
pub fn side_by_side(
    py: Python<'_>,
    calls: Vec<Py<PyAny>>,
    limit: Option<usize>,
) -> PyResult<Vec<Ended>> {
    let count = calls.len();
    let others = limit.unwrap_or(count).min(count).saturating_sub(1);
    let calls = Arc::new(Calls {
        waiting: Mutex::new(calls.into_iter().enumerate().collect()),
        results: Mutex::new((0..count).map(|_| None).collect()),
        numbers: Arc::new(Numbers {
            waiting: AtomicUsize::new(count),
            left: AtomicUsize::new(count),
            places: AtomicUsize::new(others),
        }),
        waker: Waker::default(),
    });
    invite(py, &calls, None)?;
    let waited = calls.make_own(py).and_then(|()| wait(py, &calls));
    if waited.is_err() {
        calls.give_up();
    }
    waited?;
    let results = std::mem::take(&mut *plain_lock(&calls.results));
    let lost = || Err(PyRuntimeError::new_err("A call ended by a panic"));
    Ok(results
        .into_iter()
        .map(|result| match result.unwrap_or_else(lost) {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        })
        .collect())
}

impl Calls {
    fn take(&self) -> Option<(usize, Py<PyAny>)> {
        let mut waiting = plain_lock(&self.waiting);
        let taken = waiting.pop_front();
        self.numbers.waiting.store(waiting.len(), Ordering::Release);
        taken
    }

    /// Begins nothing any more.
    fn give_up(&self) {
        let mut waiting = plain_lock(&self.waiting);
        let unwanted = std::mem::take(&mut *waiting);
        self.numbers.waiting.store(0, Ordering::Release);
        // Released without the lock, as that may run Python code.
        drop(waiting);
        drop(unwanted);
    }

    fn make(&self, py: Python<'_>, (number, code): (usize, Py<PyAny>)) {
        // However it ends, nobody waits for it for ever.
        let _over = Over(self);
        let result = call(code.bind(py), &[]).map(Bound::unbind);
        drop(code);
        plain_lock(&self.results)[number] = Some(result);
    }

    /// Makes calls on the thread that asked for them, until one is exited.
    fn make_own(&self, py: Python<'_>) -> PyResult<()> {
        while let Some((number, code)) = self.take() {
            self.make(py, (number, code));
            if let Some(Some(Err(error))) = plain_lock(&self.results).get(number) {
                if !error.is_instance_of::<PyException>(py) {
                    return Err(error.clone_ref(py));
                }
            }
        }
        Ok(())
    }

    fn make_all(&self, py: Python<'_>) {
        while let Some(next) = self.take() {
            self.make(py, next);
        }
    }
}

/// A call that is over when this is dropped.
struct Over<'a>(&'a Calls);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        if self.0.numbers.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.waker.wake();
        }
    }
}

/// Has a worker look on, if there is a place for it, and join when calls are stuck. Those who are
/// `stuck` already need not be looked at.
fn invite(py: Python<'_>, calls: &Arc<Calls>, stuck: Option<usize>) -> PyResult<()> {
    let numbers = &calls.numbers;
    let has_place = |places: usize| places.checked_sub(1);
    if numbers.waiting.load(Ordering::Acquire) == 0
        || numbers.places.fetch_update(Ordering::AcqRel, Ordering::Acquire, has_place).is_err()
    {
        return Ok(());
    }
    let look_on = (!threads::are_cooperative(py)?).then(|| {
        let numbers = numbers.clone();
        Box::new(move || look_on(&numbers, stuck)) as LookOn
    });
    // One that comes too late finds nothing, and keeps nothing alive until then.
    let theirs: Weak<Calls> = Arc::downgrade(calls);
    let work = move |py: Python<'_>| {
        let Some(calls) = theirs.upgrade() else { return Next::Unknown };
        let left = calls.numbers.left.load(Ordering::Acquire);
        if let Some(first) = calls.take() {
            // Without another one the calls still get made, only later.
            if let Err(error) = invite(py, &calls, Some(left)) {
                error.write_unraisable(py, None);
            }
            calls.make(py, first);
            calls.make_all(py);
        }
        Next::Unknown
    };
    pool::submit(py, Job { look_on, work: Box::new(work) })
}

/// Looks on until calls are stuck, or none waits. Must be called detached.
fn look_on(numbers: &Numbers, stuck: Option<usize>) -> bool {
    let mut seen = stuck;
    while numbers.waiting.load(Ordering::Acquire) > 0 {
        let left = numbers.left.load(Ordering::Acquire);
        if seen == Some(left) {
            return true;
        }
        seen = Some(left);
        std::thread::sleep(WINDOW);
    }
    false
}

/// Waits until all calls are over, or a signal is heard.
fn wait(py: Python<'_>, calls: &Calls) -> PyResult<()> {
    let hears_signals = threads::is_main(py)?;
    while calls.numbers.left.load(Ordering::Acquire) > 0 {
        let until = hears_signals.then(|| Instant::now() + SIGNALS);
        calls.waker.wait(py, until)?;
        py.check_signals()?;
    }
    Ok(())
}
