//! Looking into Python objects, and making them, past the code of their classes.

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyString, PyType};

use super::call::call;

/// Where a walk over a dict is.
pub struct Items<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
}

/// Walks over a dict that may be changed meanwhile: what is new then may be seen or not.
pub fn items<'a, 'py>(dict: &'a Bound<'py, PyDict>) -> Items<'a, 'py> {
    Items { dict, position: 0 }
}

impl<'py> Iterator for Items<'_, 'py> {
    type Item = (Bound<'py, PyAny>, Bound<'py, PyAny>);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        let (dict, py) = (self.dict.as_ptr(), self.dict.py());
        // SAFETY: the dict is live and the thread attached. A position that a change has made
        // meaningless is checked against the table, whose entries are borrowed; each is taken a
        // reference to before anything else can run.
        unsafe {
            if ffi::PyDict_Next(dict, &mut self.position, &mut key, &mut value) == 0 {
                return None;
            }
            Some((Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, value)))
        }
    }
}

/// Looks at the bytes of an object with a buffer.
///
/// Errors: `BufferError` if they are not one piece.
pub fn with_bytes<T>(object: &Bound<'_, PyAny>, look: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    /// Gives the buffer back, also when looking at it panics.
    struct Held(ffi::Py_buffer);

    impl Drop for Held {
        fn drop(&mut self) {
            // SAFETY: it was filled in, and is released once.
            unsafe { ffi::PyBuffer_Release(&mut self.0) };
        }
    }

    let mut buffer = ffi::Py_buffer::new();
    // SAFETY: the object is live, the thread attached, the buffer ours to fill in.
    let taken = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &mut buffer, ffi::PyBUF_SIMPLE) };
    if taken != 0 {
        return Err(PyErr::take(object.py())
            .unwrap_or_else(|| PyBufferError::new_err("The object gives no buffer")));
    }
    let held = Held(buffer);
    let length = usize::try_from(held.0.len).unwrap_or(0);
    if length == 0 {
        return Ok(look(&[]));
    }
    // SAFETY: the exporter keeps `len` bytes where they are until the buffer is released, and
    // nothing else runs while they are looked at.
    Ok(look(unsafe { std::slice::from_raw_parts(held.0.buf.cast::<u8>(), length) }))
}

/// The value of an integer that has at most 64 bits and a sign.
pub fn small_int(int: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: the object is a live integer, for which this runs no code and raises nothing.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int.as_ptr(), &mut overflow) };
    (overflow == 0).then_some(value)
}

/// An instance whose class has not been asked: no `__init__`, no `__new__` but `object`'s.
pub fn bare<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = class.py();
    let new = NEW.get_or_try_init(py, || {
        py.get_type::<PyAny>().getattr(intern!(py, "__new__")).map(Bound::unbind)
    })?;
    call(new.bind(py), &[class.as_any()])
}

/// Sets an attribute the way `object` does, whatever the class has for that.
pub fn set_plainly(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: all are live objects, and the thread is attached.
    let set =
        unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) };
    match set {
        0 => Ok(()),
        _ => Err(PyErr::fetch(object.py())),
    }
}

/// An attribute the way `object` has it, whatever the class has for that.
pub fn get_plainly<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as above; a new reference or null comes back.
    unsafe {
        let found = ffi::PyObject_GenericGetAttr(object.as_ptr(), name.as_ptr());
        Bound::from_owned_ptr_or_err(object.py(), found)
    }
}
