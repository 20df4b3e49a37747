//! What copies and pickles keep of a channel object: its attributes, by name.
//!
//! The state has the shape of Python's default one, `(__dict__, slots)`, with the names that LangGraph's
//! classes have, so that what was pickled there is read here, too.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::class::{self, Kind};
use super::BaseChannel;
use crate::host::call::{call_method, call_named, call_tuple};

/// The attributes of `slf`, those of classes written in Python included.
pub(super) fn state<'py>(slf: &Bound<'py, BaseChannel>) -> PyResult<Bound<'py, PyTuple>> {
    let py = slf.py();
    let slots = PyDict::new(py);
    let keep = |name: &Bound<'py, PyAny>| match slf.getattr_opt(name.str()?)? {
        Some(value) => slots.set_item(name, value),
        None => Ok(()),
    };
    let mut names = vec!["key", "typ"];
    if let Some(kind) = kind_of(slf)?.filter(|_| slf.borrow().channel.is_some()) {
        names.extend(kind.takes.iter().chain(kind.holds));
    }
    names.into_iter().try_for_each(|name| keep(name.into_pyobject(py)?.as_any()))?;
    let declared = call_named(py, "copyreg", "_slotnames", &[&slf.get_type()])?;
    declared.cast_into::<PyList>()?.iter().try_for_each(|name| keep(&name))?;
    (slf.getattr_opt(intern!(py, "__dict__"))?, slots).into_pyobject(py)
}

/// Makes `slf`, which is empty yet, what [`state`] was asked of.
pub(super) fn restore(slf: &Bound<'_, BaseChannel>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = slf.py();
    let (own, slots): (Option<Bound<'_, PyDict>>, Bound<'_, PyDict>) = state.extract()?;
    let slots = slots.copy()?;
    if let Some(kind) = kind_of(slf)? {
        let arguments = PyDict::new(py);
        for name in kind.takes {
            if let Some(value) = slots.get_item(name)? {
                arguments.set_item(name, value)?;
                slots.del_item(name)?;
            }
        }
        // Not that of a derived class, which may take anything.
        let initialize = kind.class.getattr(intern!(py, "__init__"))?;
        call_tuple(&initialize, &(slf,).into_pyobject(py)?, Some(&arguments))?;
    }
    for (name, value) in slots {
        slf.setattr(name.str()?, value)?;
    }
    if let Some(own) = own {
        let attributes = slf.getattr(intern!(py, "__dict__"))?;
        call_method(&attributes, intern!(py, "update"), &[own.as_any()])?;
    }
    Ok(())
}

fn kind_of<'py>(slf: &Bound<'py, BaseChannel>) -> PyResult<Option<Kind<'py>>> {
    for kind in class::kinds(slf.py()) {
        if slf.is_instance(&kind.class)? {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}
