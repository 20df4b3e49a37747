//! Instances of frozen dataclasses, made without their constructors, which take longer than the
//! rest of a superstep.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// A plain dataclass: its instances come from the generic allocator and keep their fields in
/// slots or in their dict.
pub struct Dataclass(Py<PyType>);

impl Dataclass {
    /// The class, once it is known to be made in Python, with no constructor, allocator or
    /// attribute setter that would have to be heard.
    pub fn new(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let py = class.py();
        let is_plain = class.hasattr(intern!(py, "__dataclass_fields__"))?
            && class
                .getattr(intern!(py, "__new__"))?
                .is(&py.get_type::<PyAny>().getattr(intern!(py, "__new__"))?);
        if !is_plain {
            return Err(PyTypeError::new_err(format!("{class} is no plain dataclass")));
        }
        Ok(Self(class.clone().unbind()))
    }

    /// An instance without any field set.
    pub fn blank<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the class is a heap type whose instances `object.__new__` makes, which is what
        // the generic allocator does.
        unsafe {
            let raw = self.0.bind(py).as_type_ptr();
            Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(raw, 0))
        }
    }
}

/// Sets a field of a frozen dataclass, as its own constructor does.
pub fn set<'py, T>(
    object: &Bound<'py, PyAny>,
    field: &Bound<'py, PyString>,
    value: &Bound<'py, T>,
) -> PyResult<()> {
    // SAFETY: live objects; the generic setter writes the slot that the class declares.
    let failed =
        unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), field.as_ptr(), value.as_ptr()) };
    if failed != 0 {
        Err(PyErr::fetch(object.py()))
    } else {
        Ok(())
    }
}
