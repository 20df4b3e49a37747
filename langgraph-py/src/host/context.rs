//! `contextvars`: copies of the current context, and entering one.

use pyo3::ffi;
use pyo3::prelude::*;

use super::collect::{Collect, Visited};
use super::imports;

/// A `contextvars.Context`, known to be one.
pub struct Context(Py<PyAny>);

impl Collect for Context {
    fn collect(&self, visit: &pyo3::PyVisit<'_>) -> Visited {
        self.0.collect(visit)
    }
}

impl Context {
    /// A copy of the current context.
    pub fn copied(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: the thread is attached; a new reference comes back, or null with an exception.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) };
        copy.map(|copy| Self(copy.unbind()))
    }

    /// Another reference to it.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }

    /// Enters it as it is.
    pub fn enter<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<Entered<'a, 'py>> {
        // SAFETY: the thread is attached and the object is a context, which only `copied` makes.
        match unsafe { ffi::PyContext_Enter(self.0.as_ptr()) } {
            0 => Ok(Entered { py, context: &self.0 }),
            _ => Err(PyErr::fetch(py)),
        }
    }

    /// Enters it and makes `config` the ambient config in it.
    pub fn enter_with<'a, 'py>(
        &'a self,
        py: Python<'py>,
        config: &Bound<'py, PyAny>,
    ) -> PyResult<Entered<'a, 'py>> {
        let entered = self.enter(py)?;
        let var = imports::config_var(py)?;
        // SAFETY: `var` is a context variable and `config` an object; the token returned is
        // released at once, the variable keeps its value.
        let token = unsafe { ffi::PyContextVar_Set(var.as_ptr(), config.as_ptr()) };
        // SAFETY: a new reference, or null with an exception set.
        drop(unsafe { Bound::from_owned_ptr_or_err(py, token) }?);
        Ok(entered)
    }
}

/// The ambient config where this is called; `None` if there is none.
pub fn ambient_config(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let var = imports::config_var(py)?;
    let mut value = std::ptr::null_mut();
    // SAFETY: `var` is a context variable; what is written to `value` is a new reference or null.
    let status = unsafe { ffi::PyContextVar_Get(var.as_ptr(), std::ptr::null_mut(), &mut value) };
    if status != 0 {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: as above.
    let value = unsafe { Bound::from_owned_ptr_or_opt(py, value) };
    Ok(value.filter(|value| !value.is_none()))
}

/// A context entered; left again on drop.
pub struct Entered<'a, 'py> {
    py: Python<'py>,
    context: &'a Py<PyAny>,
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: the thread is attached and the context was entered by this guard, last.
        if unsafe { ffi::PyContext_Exit(self.context.as_ptr()) } != 0 {
            PyErr::fetch(self.py).write_unraisable(self.py, None);
        }
    }
}
