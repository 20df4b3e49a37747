//! The channel classes for Python.
//!
//! A channel object wraps a [`Channel`] of the engine, so that there is one implementation of what
//! channels do. A graph does not run on these objects: [`pattern`] turns each into the engine's
//! form once, when the graph is compiled. Classes derived from these in Python, and channels that
//! only look like these, run through their Python methods.

mod barriers;
mod class;
mod copied;
mod delta;
mod parts;
mod plain;
mod stored;
mod topic;

use std::sync::Arc;

use langgraph_rust_channels::{Aggregate, Channel, Delta};
use langgraph_rust_core::{Domain, Fault};
use pyo3::exceptions::{PyAttributeError, PyNotImplementedError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyGenericAlias, PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::host::call::{call_method, call_tuple};
use crate::host::collect::{Collect, Visited};
use crate::host::imports;
use crate::values::domain::{fault_to_python, shown, Objects, PythonChannel};
use crate::values::errors::is_empty_channel;

pub use delta::history;
pub use stored::{saved, saved_to_python};

/// Adds the channel classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = std::iter::once(py.get_type::<BaseChannel>()).chain(class::all(py));
    for class in classes {
        // As a method, `__init__` is for derived classes to call. Assigned, it also runs when an
        // object is made, and so is the one place that reads arguments.
        let initialize = class.getattr(intern!(py, "__init__"))?;
        class.setattr(intern!(py, "__init__"), initialize)?;
        module.add(class.name()?, class)?;
    }
    Ok(())
}

/// The engine's channel, empty, for a channel object of a graph.
pub fn pattern(py: Python<'_>, spec: &Bound<'_, PyAny>) -> PyResult<Channel<Objects>> {
    if class::all(py).any(|class| spec.get_type().is(&class)) {
        let spec = spec.cast::<BaseChannel>()?.borrow();
        return match spec.native(py, "from_checkpoint")? {
            Channel::Aggregate(channel) => {
                let reducer = Arc::new(channel.reducer().duplicate(py));
                Ok(Channel::Aggregate(Aggregate::new(py, reducer)))
            }
            Channel::Delta(channel) => {
                let reducer = Arc::new(channel.reducer().duplicate(py));
                Ok(Channel::Delta(Delta::new(py, reducer, channel.frequency())))
            }
            other => other.restore(py, "", None).map_err(|fault| fault_to_python(py, fault)),
        };
    }
    Ok(Channel::Foreign(PythonChannel(spec.clone().unbind())))
}

/// Visits the Python objects that a graph's pattern of a channel holds, its reducer included: it is the
/// graph's own, and the channels of its runs, which share it, do not show it.
pub fn collect_pattern(channel: &Channel<Objects>, visit: &PyVisit<'_>) -> Visited {
    match channel {
        Channel::Aggregate(channel) => (**channel.reducer()).collect(visit)?,
        Channel::Delta(channel) => (**channel.reducer()).collect(visit)?,
        _ => {}
    }
    channel.traverse(&mut shown(visit))
}

/// The interface every channel has. Derive from it, and define `ValueType`, `UpdateType`, `get`,
/// `update` and `from_checkpoint`, to make a kind of channel in Python.
#[pyclass(subclass, module = "langgraph_rust.channels.base")]
pub struct BaseChannel {
    typ: Option<Py<PyAny>>,
    key: String,
    /// What does the work; `None` if a class written in Python does.
    channel: Option<Channel<Objects>>,
}

#[pymethods]
impl BaseChannel {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { typ: None, key: String::new(), channel: None }
    }

    /// A channel of values of type `typ`, which a graph knows as `key`.
    #[pyo3(signature = (typ, key = String::new()))]
    fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, key: String) -> PyResult<()> {
        if slf.get_type().is(slf.py().get_type::<Self>()) {
            let message =
                "Can't instantiate abstract class BaseChannel: derive from it and define \
                           ValueType, UpdateType, from_checkpoint, get and update";
            return Err(PyTypeError::new_err(message));
        }
        let mut this = slf.borrow_mut();
        this.typ = Some(typ);
        this.key = key;
        Ok(())
    }

    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        PyGenericAlias::new(cls.py(), cls, item)
    }

    /// The type of the channel's values, as declared.
    #[getter]
    fn typ(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let typ = self.typ.as_ref().map(|typ| typ.clone_ref(py));
        typ.ok_or_else(|| PyAttributeError::new_err("typ"))
    }

    #[setter]
    fn set_typ(&mut self, typ: Py<PyAny>) {
        self.typ = Some(typ);
    }

    /// The channel's name in its graph, for error messages.
    #[getter]
    fn key(&self) -> &str {
        &self.key
    }

    #[setter]
    fn set_key(&mut self, key: String) {
        self.key = key;
    }

    /// The type of what `get` returns.
    #[getter(ValueType)]
    fn value_type(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.native(py, "ValueType")?;
        self.typ(py)
    }

    /// The type of one write.
    #[getter(UpdateType)]
    fn update_type(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.native(py, "UpdateType")?;
        self.typ(py)
    }

    /// Return the current value.
    ///
    /// Raises:
    ///     EmptyChannelError: There is none.
    fn get(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let value = self.native(py, "get")?.get(py).map_err(|fault| fault_to_python(py, fault))?;
        value.ok_or_else(|| empty(py))
    }

    /// Tell whether there is a value to get.
    fn is_available(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        if let Some(channel) = &slf.borrow().channel {
            return channel.is_available(py).map_err(|fault| fault_to_python(py, fault));
        }
        Ok(get_in_python(slf)?.is_some())
    }

    /// Return what is stored of the channel, `MISSING` if nothing is.
    fn checkpoint(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let stored = if let Some(channel) = &slf.borrow().channel {
            let saved = channel.checkpoint(py).map_err(|fault| fault_to_python(py, fault))?;
            saved.map(|saved| saved_to_python(py, &saved)).transpose()?
        } else {
            None
        };
        match stored {
            Some(stored) => Ok(stored.unbind()),
            None if slf.borrow().channel.is_some() => missing(py),
            None => get_in_python(slf)?.map_or_else(|| missing(py), |value| Ok(value.unbind())),
        }
    }

    /// Return a channel of the same kind that holds what `checkpoint` returned, or nothing if
    /// that is `MISSING`.
    fn from_checkpoint<'py>(
        slf: &Bound<'py, Self>,
        checkpoint: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let fresh = fresh(slf, "from_checkpoint")?;
        let is_missing = checkpoint.is(imports::missing(py)?);
        change(&fresh, "from_checkpoint", |channel, key| {
            // A delta channel that has begun holds something, even if nothing is stored.
            let begins = matches!(channel, Channel::Delta(_));
            let saved = match is_missing || (begins && checkpoint.is_none()) {
                false => Some(saved(channel, checkpoint).map_err(Fault::Domain)?),
                true if begins => None,
                true => return Ok(()),
            };
            *channel = channel.restore(py, key, saved)?;
            Ok(())
        })?;
        Ok(fresh)
    }

    /// Return an independent channel of the same kind with the same value.
    fn copy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if slf.borrow().channel.is_none() {
            let stored = call_method(slf, intern!(py, "checkpoint"), &[])?;
            return call_method(slf, intern!(py, "from_checkpoint"), &[&stored]);
        }
        let fresh = fresh(slf, "copy")?;
        change(&fresh, "copy", |copied, _| {
            let this = slf.borrow();
            *copied = match (this.native(py, "copy").map_err(Fault::Domain)?, &*copied) {
                // The copy keeps its own reducer: see `traverse`.
                (Channel::Aggregate(from), Channel::Aggregate(into)) => {
                    let value = from.value().map(|value| value.clone_ref(py));
                    Channel::Aggregate(Aggregate::with_value(value, into.reducer().clone()))
                }
                (Channel::Delta(from), Channel::Delta(into)) => {
                    let value = from.value().map(|value| Objects::fresh(py, value));
                    let value = value.transpose().map_err(Fault::Domain)?;
                    Channel::Delta(into.with_value(value))
                }
                (from, _) => from.duplicate(py)?,
            };
            Ok(())
        })?;
        Ok(fresh.into_any())
    }

    /// Apply the writes of one step, maybe none, and tell whether the channel changed.
    ///
    /// Raises:
    ///     InvalidUpdateError: The channel does not accept these writes.
    fn update(slf: &Bound<'_, Self>, values: &Bound<'_, PyAny>) -> PyResult<bool> {
        let values = match values.cast_exact::<PyList>() {
            Ok(list) => list.iter().map(Bound::unbind).collect(),
            Err(_) => stored::objects(values)?,
        };
        change(slf, "update", |channel, key| channel.update(slf.py(), key, values))
    }

    /// Hear that a task ran which the channel triggered; tell whether the channel changed.
    fn consume(slf: &Bound<'_, Self>) -> PyResult<bool> {
        if slf.borrow().channel.is_none() {
            return Ok(false);
        }
        change(slf, "consume", |channel, _| channel.consume(slf.py()))
    }

    /// Hear that the run is about to end; tell whether the channel changed.
    fn finish(slf: &Bound<'_, Self>) -> PyResult<bool> {
        if slf.borrow().channel.is_none() {
            return Ok(false);
        }
        change(slf, "finish", |channel, _| channel.finish(slf.py()))
    }

    /// What a copy or a pickle keeps.
    fn __getstate__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        copied::state(slf)
    }

    fn __setstate__(slf: &Bound<'_, Self>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        copied::restore(slf, state)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.typ)?;
        self.channel.as_ref().map_or(Ok(()), |channel| collect_pattern(channel, &visit))
    }

    fn __clear__(&mut self) {
        self.typ = None;
        self.channel = None;
    }
}

impl BaseChannel {
    /// The engine's channel. Without one, `method` is missing from a class written in Python.
    fn native(&self, py: Python<'_>, method: &str) -> PyResult<&Channel<Objects>> {
        self.channel.as_ref().ok_or_else(|| {
            let typ = self.typ.as_ref().map(|typ| format!(" of {}", typ.bind(py)));
            let typ = typ.unwrap_or_default();
            PyNotImplementedError::new_err(format!("The channel{typ} does not define {method}"))
        })
    }
}

/// Reads something off the engine's channel.
fn read<T>(slf: &Bound<'_, BaseChannel>, read: impl FnOnce(&Channel<Objects>) -> T) -> PyResult<T> {
    Ok(read(slf.borrow().native(slf.py(), "__init__")?))
}

/// Changes the engine's channel by working on a copy: reducers and destructors run Python, which
/// may come back to this object.
fn change<T>(
    slf: &Bound<'_, BaseChannel>,
    method: &str,
    change: impl FnOnce(&mut Channel<Objects>, &str) -> Result<T, Fault<Objects>>,
) -> PyResult<T> {
    let py = slf.py();
    let raised = |fault| fault_to_python(py, fault);
    let (mut channel, key) = {
        let this = slf.borrow();
        (this.native(py, method)?.duplicate(py).map_err(raised)?, this.key.clone())
    };
    let result = change(&mut channel, &key).map_err(raised)?;
    put(slf, channel);
    Ok(result)
}

fn put(slf: &Bound<'_, BaseChannel>, channel: Channel<Objects>) {
    let old = slf.borrow_mut().channel.replace(channel);
    drop(old);
}

/// A channel made by the class of `slf` with the arguments that `slf` was made with.
fn fresh<'py>(slf: &Bound<'py, BaseChannel>, method: &str) -> PyResult<Bound<'py, BaseChannel>> {
    let py = slf.py();
    let (arguments, key) = {
        let this = slf.borrow();
        let channel = this.native(py, method)?;
        let arguments = class::arguments(py, this.typ(py)?, &this.key, channel)?;
        ((arguments, class::keywords(py, channel)?), this.key.clone())
    };
    let (arguments, keywords) = arguments;
    let fresh = call_tuple(&slf.get_type(), &arguments, keywords.as_ref())?;
    let fresh = fresh.cast_into::<BaseChannel>()?;
    fresh.borrow_mut().key = key;
    Ok(fresh)
}

/// What the `get` of a class written in Python returns, `None` if the channel is empty.
fn get_in_python<'py>(slf: &Bound<'py, BaseChannel>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = slf.py();
    match call_method(slf, intern!(py, "get"), &[]) {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_empty_channel(py, &error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(imports::missing(py)?.clone().unbind())
}

fn empty(py: Python<'_>) -> PyErr {
    match imports::empty_channel_error(py) {
        Ok(class) => PyErr::from_type(class.clone(), ()),
        Err(error) => error,
    }
}

/// A value that may be `MISSING`, from Python.
fn present(value: Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    Ok((!value.is(imports::missing(value.py())?)).then(|| value.unbind()))
}

/// A value that may be missing, for Python.
fn or_missing(py: Python<'_>, value: Option<&Py<PyAny>>) -> PyResult<Py<PyAny>> {
    value.map_or_else(|| missing(py), |value| Ok(Objects::copy(py, value)))
}
