//! Sync calls made side by side: by the thread that asks for them, and by workers that join it when
//! calls stop getting done, because they wait for something.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;

use super::{submit, Job, LookOn, Next};
use crate::host::call::call;
use crate::host::collect::plain_lock;
use crate::host::threads;
use crate::host::wake::Waker;

/// A worker joins when no call got done for this long.
const WINDOW: Duration = Duration::from_micros(300);

/// How often a waiting thread looks for signals.
const SIGNALS: Duration = Duration::from_millis(50);

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

/// Makes calls of no arguments side by side, at most `limit` at a time, and returns their results in
/// order. With `takes_part` this thread makes calls, too.
///
/// After a failure no further call begins; those that have begun are waited for, and the first error
/// in the order of the calls is raised. A signal that is heard meanwhile, or an exit from a call on
/// this thread, is raised at once.
#[pyfunction]
#[pyo3(signature = (calls, limit=None, takes_part=true))]
pub fn side_by_side(
    py: Python<'_>,
    calls: Vec<Py<PyAny>>,
    limit: Option<usize>,
    takes_part: bool,
) -> PyResult<Vec<Py<PyAny>>> {
    let count = calls.len();
    let others =
        limit.unwrap_or(count).clamp(1, count.max(1)).saturating_sub(usize::from(takes_part));
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
    let joins = if takes_part { Join::IfStuck(None) } else { Join::AtOnce };
    let ended = match invite(py, &calls, joins) {
        // Without a worker the calls still get made, only one after the other.
        Err(error) if takes_part => {
            error.write_unraisable(py, None);
            Ok(())
        }
        invited => invited,
    };
    let ended = ended.and_then(|()| {
        if takes_part {
            calls.make_own(py)?;
        }
        wait(py, &calls)
    });
    if ended.is_err() {
        calls.give_up();
    }
    ended?;
    let results = std::mem::take(&mut *plain_lock(&calls.results));
    let mut values = Vec::with_capacity(count);
    for result in results {
        match result {
            Some(result) => values.push(result?),
            // Nobody began it, because another one failed; or the thread that did came to its end.
            None => continue,
        }
    }
    match values.len() == count {
        true => Ok(values),
        false => Err(PyRuntimeError::new_err("A call ended by a panic")),
    }
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
        self.numbers.left.fetch_sub(unwanted.len(), Ordering::AcqRel);
        // Released without the lock, as that may run Python code.
        drop(waiting);
        drop(unwanted);
    }

    /// Makes a call; returns its error if that is an exit.
    fn make(&self, py: Python<'_>, number: usize, code: Py<PyAny>) -> Option<PyErr> {
        // However it ends, nobody waits for it for ever.
        let _over = Over(self);
        let result = call(code.bind(py), &[]).map(Bound::unbind);
        drop(code);
        if result.is_err() {
            self.give_up();
        }
        // Looked at without the lock, as that may run Python code.
        let exit = match &result {
            Err(error) if !error.is_instance_of::<PyException>(py) => Some(error.clone_ref(py)),
            _ => None,
        };
        plain_lock(&self.results)[number] = Some(result);
        exit
    }

    /// Makes calls on the thread that asked for them, until one is exited.
    fn make_own(&self, py: Python<'_>) -> PyResult<()> {
        while let Some((number, code)) = self.take() {
            if let Some(exit) = self.make(py, number, code) {
                return Err(exit);
            }
        }
        Ok(())
    }

    fn make_all(&self, py: Python<'_>) {
        while let Some((number, code)) = self.take() {
            self.make(py, number, code);
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

/// When a worker joins.
#[derive(Clone, Copy)]
enum Join {
    /// Now: nobody else makes the calls.
    AtOnce,
    /// When calls stop getting done. They have, if just so many are left.
    IfStuck(Option<usize>),
}

/// Has a worker join, if there is a place for it. It invites the next when it has.
fn invite(py: Python<'_>, calls: &Arc<Calls>, join: Join) -> PyResult<()> {
    let numbers = &calls.numbers;
    let has_place = |places: usize| places.checked_sub(1);
    if numbers.waiting.load(Ordering::Acquire) == 0
        || numbers.places.fetch_update(Ordering::AcqRel, Ordering::Acquire, has_place).is_err()
    {
        return Ok(());
    }
    let look_on = match join {
        Join::IfStuck(stuck) if !threads::are_cooperative(py)? => {
            let numbers = numbers.clone();
            Some(Box::new(move || look_on(&numbers, stuck)) as LookOn)
        }
        _ => None,
    };
    // One that comes too late finds nothing, and keeps nothing alive until then.
    let theirs: Weak<Calls> = Arc::downgrade(calls);
    let work = move |py: Python<'_>| {
        let Some(calls) = theirs.upgrade() else { return Next::Unknown };
        let left = calls.numbers.left.load(Ordering::Acquire);
        if let Some((number, code)) = calls.take() {
            // Without another one the calls still get made, only later.
            if let Err(error) = invite(py, &calls, Join::IfStuck(Some(left))) {
                error.write_unraisable(py, None);
            }
            calls.make(py, number, code);
            calls.make_all(py);
        }
        Next::Unknown
    };
    submit(py, Job { look_on, work: Box::new(work) })
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
