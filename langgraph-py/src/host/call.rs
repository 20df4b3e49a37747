//! The one way out to Python code and back, and the one way to wait without the interpreter.
//!
//! Before Python 3.14, a thread that wants the interpreter back while that is torn down is ended by
//! unwinding its stack. Native frames cannot be unwound like that: the process would abort. So the
//! thread is parked instead, at the frame next to CPython's own, before the unwinding reaches any
//! other: [`guarded`] stands around every call that can give the interpreter up, and CPython's
//! functions are declared as ones that may unwind. PyO3's own functions have no such guard, and some
//! of them may run Python code for a moment: so before the interpreter goes, [`leave`] has the
//! threads that are in runs come to rest at the next guard.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{LockResult, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use smallvec::SmallVec;

use super::imports;

extern "C-unwind" {
    fn PyObject_VectorcallDict(
        callable: *mut ffi::PyObject,
        arguments: *const *mut ffi::PyObject,
        count: usize,
        kwargs: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
    fn PyObject_VectorcallMethod(
        name: *mut ffi::PyObject,
        arguments: *const *mut ffi::PyObject,
        count: usize,
        kwnames: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
    fn PyIter_Send(
        iterator: *mut ffi::PyObject,
        value: *mut ffi::PyObject,
        result: *mut *mut ffi::PyObject,
    ) -> ffi::PySendResult;
    fn PyIter_Next(iterator: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyObject_GetAttr(object: *mut ffi::PyObject, name: *mut ffi::PyObject)
        -> *mut ffi::PyObject;
    fn PyEval_SaveThread() -> *mut ffi::PyThreadState;
    fn PyEval_RestoreThread(state: *mut ffi::PyThreadState);
}

/// Parks the thread for good on drop, unless a panic is what unwinds: see [`guarded`].
struct ParkIfEnded;

impl Drop for ParkIfEnded {
    fn drop(&mut self) {
        while !std::thread::panicking() {
            std::thread::park();
        }
    }
}

/// Makes a call during which the interpreter may be given up; if it ends this thread, the thread
/// never comes back.
#[inline]
fn guarded<R>(call: impl FnOnce() -> R) -> R {
    let guard = ParkIfEnded;
    let result = call();
    std::mem::forget(guard);
    if LEAVING.load(Ordering::Relaxed) {
        rest();
    }
    result
}

/// Whether the interpreter is about to go.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// How many runs are being driven, one within another counted too.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How many of them on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Whether this is the thread that ends the process.
    static IS_LEAVER: Cell<bool> = const { Cell::new(false) };
}

/// A run is being driven on this thread.
pub struct Inside;

impl Inside {
    /// From here on.
    pub fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        INSIDE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        INSIDE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets go of the interpreter for good, unless this is the thread that ends the process. Must be
/// attached.
#[cold]
fn rest() {
    if IS_LEAVER.get() {
        return;
    }
    INSIDE.fetch_sub(DEPTH.get(), Ordering::Relaxed);
    // SAFETY: the thread is attached, and never takes its state back.
    unsafe { PyEval_SaveThread() };
    loop {
        std::thread::park();
    }
}

/// How long the threads that are in runs have to come to rest: what they are in the middle of takes
/// far less. Those in Python code that waits are met by the guards later.
const MOMENTS: u32 = 10;

/// Has [`leave`] called at exit.
pub fn leave_at_exit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let leave = wrap_pyfunction!(leave, module)?;
    let atexit = py.import(intern!(py, "atexit"))?;
    call_method(atexit.as_any(), intern!(py, "register"), &[leave.as_any()]).map(drop)
}

/// Called at exit, when all threads but daemons have ended: daemons that are in runs come to rest.
#[pyfunction]
#[pyo3(name = "_leave")]
fn leave(py: Python<'_>) {
    IS_LEAVER.set(true);
    LEAVING.store(true, Ordering::Relaxed);
    for _ in 0..MOMENTS {
        if INSIDE.load(Ordering::Relaxed) <= DEPTH.get() {
            return;
        }
        detached(py, || std::thread::sleep(Duration::from_millis(5)));
    }
}

/// The pointers of a call's arguments, with a free place in front that CPython may use.
type Arguments = SmallVec<[*mut ffi::PyObject; 8]>;

fn pointers(first: *mut ffi::PyObject, arguments: &[&Bound<'_, PyAny>]) -> Arguments {
    let mut pointers = Arguments::with_capacity(arguments.len() + 1);
    pointers.push(first);
    pointers.extend(arguments.iter().map(|argument| argument.as_ptr()));
    pointers
}

/// Calls a Python callable.
pub fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    call_with(callable, arguments, None)
}

/// Calls a Python callable with keyword arguments.
pub fn call_with<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &[&Bound<'py, PyAny>],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let pointers = pointers(std::ptr::null_mut(), arguments);
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
    let count = arguments.len() | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    // SAFETY: the thread is attached; the pointers are of live objects that outlive the call, and
    // the place before the first argument may be written to. A new reference or null comes back.
    unsafe {
        let first = pointers.as_ptr().add(1);
        let result = guarded(|| PyObject_VectorcallDict(callable.as_ptr(), first, count, kwargs));
        Bound::from_owned_ptr_or_err(callable.py(), result)
    }
}

/// Calls a Python callable with the arguments in a tuple.
pub fn call_tuple<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments: SmallVec<[Bound<'py, PyAny>; 8]> = arguments.iter().collect();
    let borrowed: SmallVec<[&Bound<'py, PyAny>; 8]> = arguments.iter().collect();
    call_with(callable, &borrowed, kwargs)
}

/// Calls a method of a Python object.
pub fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    arguments: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    let pointers = pointers(object.as_ptr(), arguments);
    let none = std::ptr::null_mut();
    // SAFETY: as above; the first pointer is the object itself.
    unsafe {
        let (first, count) = (pointers.as_ptr(), pointers.len());
        let result = guarded(|| PyObject_VectorcallMethod(name.as_ptr(), first, count, none));
        Bound::from_owned_ptr_or_err(object.py(), result)
    }
}

/// An attribute that may be computed by Python code.
pub fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the thread is attached and both are live; a new reference or null comes back.
    unsafe {
        let result = guarded(|| PyObject_GetAttr(object.as_ptr(), name.as_ptr()));
        Bound::from_owned_ptr_or_err(object.py(), result)
    }
}

/// The next item of an iterator that may be a generator.
pub fn next_item<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = iterator.py();
    // SAFETY: the thread is attached, the object is an iterator; a new reference comes back, or
    // null at the end or with an exception.
    let item = unsafe {
        let item = guarded(|| PyIter_Next(iterator.as_ptr()));
        Bound::from_owned_ptr_or_opt(py, item)
    };
    match item {
        Some(item) => Ok(Some(item)),
        None => PyErr::take(py).map_or(Ok(None), Err),
    }
}

/// What one turn of a coroutine gave.
pub enum Turn<'py> {
    /// It waits for what it yielded.
    Yielded(Bound<'py, PyAny>),
    /// It returned.
    Returned(Bound<'py, PyAny>),
    /// It raised.
    Raised(PyErr),
}

/// Sends `value` into an iterator or coroutine.
pub fn send<'py>(iterator: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Turn<'py> {
    let py = iterator.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: both are live objects; `result` receives a new reference unless the call fails.
    let sent = unsafe { guarded(|| PyIter_Send(iterator.as_ptr(), value.as_ptr(), &mut result)) };
    match sent {
        ffi::PySendResult::PYGEN_ERROR => Turn::Raised(PyErr::fetch(py)),
        ffi::PySendResult::PYGEN_NEXT => {
            // SAFETY: a new reference, see above.
            Turn::Yielded(unsafe { Bound::from_owned_ptr(py, result) })
        }
        ffi::PySendResult::PYGEN_RETURN => {
            // SAFETY: a new reference, see above.
            Turn::Returned(unsafe { Bound::from_owned_ptr(py, result) })
        }
    }
}

/// Whether an object is true, which its class may compute.
pub fn is_true(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    if object.is_none() || object.is_instance_of::<pyo3::types::PyBool>() {
        return object.is_truthy();
    }
    call(imports::truth(py)?, &[object])?.is_truthy()
}

/// Waits without the interpreter.
///
/// `wait` must not touch Python objects, not even drop one: to PyO3 the thread looks attached.
pub(super) fn detached<T>(_py: Python<'_>, wait: impl FnOnce() -> T) -> T {
    /// Takes the interpreter back, also when `wait` panics.
    struct Back(*mut ffi::PyThreadState);

    impl Drop for Back {
        fn drop(&mut self) {
            // SAFETY: the thread is detached, and gets its own state back.
            guarded(|| unsafe { PyEval_RestoreThread(self.0) });
        }
    }

    // SAFETY: the thread is attached, as `_py` shows; `wait` keeps to the condition above.
    let _back = Back(unsafe { PyEval_SaveThread() });
    wait()
}

/// Locks a mutex that other threads may hold while they run Python code: then this thread gives
/// up the interpreter while it waits, so that they can go on.
#[inline]
pub fn lock<'a, T>(py: Python<'_>, mutex: &'a Mutex<T>) -> LockResult<MutexGuard<'a, T>> {
    match mutex.try_lock() {
        Ok(guard) => Ok(guard),
        Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
        Err(TryLockError::WouldBlock) => detached(py, || mutex.lock()),
    }
}

/// Calls `function` of `module`, both by name.
pub fn call_named<'py>(
    py: Python<'py>,
    module: &str,
    function: &str,
    arguments: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    call(&py.import(module)?.getattr(function)?, arguments)
}
