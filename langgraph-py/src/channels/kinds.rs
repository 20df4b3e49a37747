//! The native kinds: their constructors, attributes and equality.

use std::sync::Arc;

use langgraph_channels::{
    Aggregate, AnyValue as Any, Barrier, BarrierAfterFinish, Channel, Ephemeral, LastValue as Last,
    LastValueAfterFinish as LastAfterFinish, Topic as Items, Untracked,
};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyString, PyTuple, PyType};

use super::{or_missing, present, put, read, stored, BaseChannel};
use crate::domain::Objects;
use crate::reducer::Reducer;

/// The classes of the native kinds.
pub fn classes(py: Python<'_>) -> impl Iterator<Item = Bound<'_, PyType>> {
    [
        py.get_type::<LastValue>(),
        py.get_type::<LastValueAfterFinish>(),
        py.get_type::<AnyValue>(),
        py.get_type::<EphemeralValue>(),
        py.get_type::<UntrackedValue>(),
        py.get_type::<BinaryOperatorAggregate>(),
        py.get_type::<NamedBarrierValue>(),
        py.get_type::<NamedBarrierValueAfterFinish>(),
        py.get_type::<Topic>(),
    ]
    .into_iter()
}

/// The constructor's arguments that make a channel like `channel`.
pub fn arguments<'py>(
    py: Python<'py>,
    typ: Py<PyAny>,
    key: &str,
    channel: &Channel<Objects>,
) -> PyResult<Bound<'py, PyTuple>> {
    match channel {
        Channel::LastValue(_) | Channel::AnyValue(_) => (typ, key).into_pyobject(py),
        Channel::Ephemeral(channel) => (typ, channel.guard()).into_pyobject(py),
        Channel::Untracked(channel) => (typ, channel.guard()).into_pyobject(py),
        Channel::Aggregate(channel) => (typ, channel.reducer().operator()).into_pyobject(py),
        Channel::Barrier(channel) => (typ, PySet::new(py, channel.names())?).into_pyobject(py),
        Channel::BarrierAfterFinish(channel) => {
            (typ, PySet::new(py, channel.barrier().names())?).into_pyobject(py)
        }
        Channel::Topic(channel) => (typ, channel.accumulate()).into_pyobject(py),
        _ => (typ,).into_pyobject(py),
    }
}

/// A class whose objects wrap an engine's channel.
macro_rules! channel_class {
    ($(#[doc = $doc:literal])* $name:ident in $module:literal { $($methods:tt)* }) => {
        $(#[doc = $doc])*
        #[pyclass(extends = BaseChannel, subclass, module = $module)]
        pub struct $name;

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (*args, **kwargs))]
            fn new(
                args: &Bound<'_, PyTuple>,
                kwargs: Option<&Bound<'_, PyDict>>,
            ) -> (Self, BaseChannel) {
                ($name, BaseChannel::new(args, kwargs))
            }

            $($methods)*
        }
    };
}

/// A channel class with an attribute `value`.
macro_rules! value_class {
    ($(#[doc = $doc:literal])* $name:ident in $module:literal { $($methods:tt)* }) => {
        channel_class! {
            $(#[doc = $doc])*
            $name in $module {
                /// What the channel holds, `MISSING` if nothing.
                #[getter]
                fn value(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
                    read(slf.as_super(), |channel| or_missing(slf.py(), held(channel)))?
                }

                #[setter]
                fn set_value(slf: &Bound<'_, Self>, value: Bound<'_, PyAny>) -> PyResult<()> {
                    let value = present(value)?;
                    replace(slf.as_super(), |channel| holding(channel, value))
                }

                $($methods)*
            }
        }
    };
}

value_class! {
    /// Keeps the last write; accepts one write per step.
    ///
    /// Args:
    ///     typ: Type of the values.
    ///     key: The channel's name in its graph, for error messages.
    LastValue in "langgraph_rust.channels.last_value" {
        #[pyo3(signature = (typ, key = String::new()))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, key: String) {
            initialize(slf.as_super(), typ, key, Channel::LastValue(Last::new(None)));
        }

        fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
            other.is_instance_of::<Self>()
        }
    }
}

value_class! {
    /// Keeps the last write back until the run is about to end; gone once a task ran on it.
    ///
    /// Args:
    ///     typ: Type of the values.
    ///     key: The channel's name in its graph, for error messages.
    LastValueAfterFinish in "langgraph_rust.channels.last_value" {
        #[pyo3(signature = (typ, key = String::new()))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, key: String) {
            let channel = LastAfterFinish::new(None, false);
            initialize(slf.as_super(), typ, key, Channel::LastValueAfterFinish(channel));
        }

        fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
            other.is_instance_of::<Self>()
        }

        /// Whether the value can be read.
        #[getter]
        fn finished(slf: &Bound<'_, Self>) -> PyResult<bool> {
            read(slf.as_super(), is_finished)
        }

        #[setter]
        fn set_finished(slf: &Bound<'_, Self>, finished: bool) -> PyResult<()> {
            replace(slf.as_super(), |channel| {
                let value = held(channel).map(|value| value.clone_ref(slf.py()));
                Channel::LastValueAfterFinish(LastAfterFinish::new(value, finished))
            })
        }
    }
}

value_class! {
    /// Keeps the last of several writes that are taken to be equal, for one step.
    ///
    /// Args:
    ///     typ: Type of the values.
    ///     key: The channel's name in its graph, for error messages.
    AnyValue in "langgraph_rust.channels.any_value" {
        #[pyo3(signature = (typ, key = String::new()))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, key: String) {
            initialize(slf.as_super(), typ, key, Channel::AnyValue(Any::new(None)));
        }

        fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
            other.is_instance_of::<Self>()
        }
    }
}

value_class! {
    /// Holds what was written in the step before, and is empty otherwise.
    ///
    /// Args:
    ///     typ: Type of the values.
    ///     guard: Whether a second write in one step is an error.
    EphemeralValue in "langgraph_rust.channels.ephemeral_value" {
        #[pyo3(signature = (typ, guard = true))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, guard: bool) {
            let channel = Channel::Ephemeral(Ephemeral::new(None, guard));
            initialize(slf.as_super(), typ, String::new(), channel);
        }

        fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
            same(slf, other, is_guarded)
        }

        /// Whether a second write in one step is an error.
        #[getter]
        fn guard(slf: &Bound<'_, Self>) -> PyResult<bool> {
            read(slf.as_super(), is_guarded)
        }

        #[setter]
        fn set_guard(slf: &Bound<'_, Self>, guard: bool) -> PyResult<()> {
            replace(slf.as_super(), |channel| {
                let value = held(channel).map(|value| value.clone_ref(slf.py()));
                Channel::Ephemeral(Ephemeral::new(value, guard))
            })
        }
    }
}

value_class! {
    /// Keeps the last write for the run; never stored.
    ///
    /// Args:
    ///     typ: Type of the values.
    ///     guard: Whether a second write in one step is an error.
    UntrackedValue in "langgraph_rust.channels.untracked_value" {
        #[pyo3(signature = (typ, guard = true))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, guard: bool) {
            let channel = Channel::Untracked(Untracked::new(None, guard));
            initialize(slf.as_super(), typ, String::new(), channel);
        }

        fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
            same(slf, other, is_guarded)
        }

        /// Whether a second write in one step is an error.
        #[getter]
        fn guard(slf: &Bound<'_, Self>) -> PyResult<bool> {
            read(slf.as_super(), is_guarded)
        }

        #[setter]
        fn set_guard(slf: &Bound<'_, Self>, guard: bool) -> PyResult<()> {
            replace(slf.as_super(), |channel| {
                let value = held(channel).map(|value| value.clone_ref(slf.py()));
                Channel::Untracked(Untracked::new(value, guard))
            })
        }
    }
}

value_class! {
    /// Folds every write into its value. One write of a step may be an `Overwrite`, which
    /// replaces the value.
    ///
    /// Args:
    ///     typ: Type of the values; called for the first one, if it can be called.
    ///     operator: The reducer: called with the value and a write, returns the new value.
    BinaryOperatorAggregate in "langgraph_rust.channels.binop" {
        #[pyo3(signature = (typ, operator))]
        fn __init__(
            slf: &Bound<'_, Self>,
            typ: Bound<'_, PyAny>,
            operator: Bound<'_, PyAny>,
        ) -> PyResult<()> {
            let py = slf.py();
            let reducer = Arc::new(Reducer::new(py, operator, typ.clone())?);
            let channel = Channel::Aggregate(Aggregate::new(py, reducer));
            initialize(slf.as_super(), typ.unbind(), String::new(), channel);
            Ok(())
        }

        fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
            let Ok(other) = other.cast::<Self>() else { return Ok(false) };
            are_same_operator(&Self::operator(slf)?, &Self::operator(other)?)
        }

        /// The reducer.
        #[getter]
        fn operator<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
            read(slf.as_super(), |channel| match channel {
                Channel::Aggregate(channel) => channel.reducer().operator().clone_ref(slf.py()),
                _ => slf.py().None(),
            })
            .map(|operator| operator.into_bound(slf.py()))
        }

        #[setter]
        fn set_operator(slf: &Bound<'_, Self>, operator: Bound<'_, PyAny>) -> PyResult<()> {
            let py = slf.py();
            let typ = slf.as_super().borrow().typ(py)?.into_bound(py);
            let reducer = Arc::new(Reducer::new(py, operator, typ)?);
            replace(slf.as_super(), |channel| {
                let value = held(channel).map(|value| value.clone_ref(py));
                Channel::Aggregate(Aggregate::with_value(value, reducer))
            })
        }
    }
}

/// A channel class with attributes `names` and `seen`.
macro_rules! barrier_class {
    ($(#[doc = $doc:literal])* $name:ident { $($methods:tt)* }) => {
        channel_class! {
            $(#[doc = $doc])*
            $name in "langgraph_rust.channels.named_barrier_value" {
                fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
                    same(slf, other, |channel| waits(channel).map(|waits| waits.names().to_vec()))
                }

                /// The names waited for.
                #[getter]
                fn names<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PySet>> {
                    let names = |channel: &_| waits(channel).map(|waits| waits.names().to_vec());
                    PySet::new(slf.py(), read(slf.as_super(), names)?.unwrap_or_default())
                }

                #[setter]
                fn set_names(slf: &Bound<'_, Self>, names: &Bound<'_, PyAny>) -> PyResult<()> {
                    let names = expected(names)?;
                    replace(slf.as_super(), |channel| {
                        let seen = waits(channel).map(|waits| waits.seen().to_vec());
                        let barrier = Barrier::new(names).with_seen(seen.unwrap_or_default());
                        waiting(channel, barrier)
                    })
                }

                /// The names written since the barrier last closed.
                #[getter]
                fn seen<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PySet>> {
                    let seen = |channel: &_| waits(channel).map(|waits| waits.seen().to_vec());
                    PySet::new(slf.py(), read(slf.as_super(), seen)?.unwrap_or_default())
                }

                #[setter]
                fn set_seen(slf: &Bound<'_, Self>, seen: &Bound<'_, PyAny>) -> PyResult<()> {
                    let seen = stored::names(seen)?;
                    replace(slf.as_super(), |channel| match waits(channel) {
                        Some(barrier) => waiting(channel, barrier.with_seen(seen)),
                        None => Channel::Barrier(Barrier::new(Arc::default())),
                    })
                }

                $($methods)*
            }
        }
    };
}

barrier_class! {
    /// Opens once every name was written, and closes when a task ran on it. Reads as `None`.
    ///
    /// Args:
    ///     typ: Type of the names: `str`.
    ///     names: The names to wait for.
    NamedBarrierValue {
        #[pyo3(signature = (typ, names))]
        fn __init__(
            slf: &Bound<'_, Self>,
            typ: Py<PyAny>,
            names: &Bound<'_, PyAny>,
        ) -> PyResult<()> {
            let channel = Channel::Barrier(Barrier::new(expected(names)?));
            initialize(slf.as_super(), typ, String::new(), channel);
            Ok(())
        }
    }
}

barrier_class! {
    /// A `NamedBarrierValue` that opens only when, besides, the run is about to end.
    ///
    /// Args:
    ///     typ: Type of the names: `str`.
    ///     names: The names to wait for.
    NamedBarrierValueAfterFinish {
        #[pyo3(signature = (typ, names))]
        fn __init__(
            slf: &Bound<'_, Self>,
            typ: Py<PyAny>,
            names: &Bound<'_, PyAny>,
        ) -> PyResult<()> {
            let barrier = BarrierAfterFinish::new(Barrier::new(expected(names)?), false);
            let channel = Channel::BarrierAfterFinish(barrier);
            initialize(slf.as_super(), typ, String::new(), channel);
            Ok(())
        }

        /// Whether the barrier may open.
        #[getter]
        fn finished(slf: &Bound<'_, Self>) -> PyResult<bool> {
            read(slf.as_super(), is_finished)
        }

        #[setter]
        fn set_finished(slf: &Bound<'_, Self>, finished: bool) -> PyResult<()> {
            replace(slf.as_super(), |channel| {
                let barrier = match waits(channel) {
                    Some(barrier) => barrier.with_seen(barrier.seen().to_vec()),
                    None => Barrier::new(Arc::default()),
                };
                Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier, finished))
            })
        }
    }
}

channel_class! {
    /// Collects writes in a list; a list written adds its items.
    ///
    /// Args:
    ///     typ: Type of the items.
    ///     accumulate: Whether items stay for later steps.
    Topic in "langgraph_rust.channels.topic" {
        #[pyo3(signature = (typ, accumulate = false))]
        fn __init__(slf: &Bound<'_, Self>, typ: Py<PyAny>, accumulate: bool) {
            let channel = Channel::Topic(Items::new(Vec::new(), accumulate));
            initialize(slf.as_super(), typ, String::new(), channel);
        }

        fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
            same(slf, other, accumulates)
        }

        /// The type of what `get` returns.
        #[getter(ValueType)]
        fn value_type<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
            let py = slf.py();
            let typ = slf.as_super().borrow().typ(py)?;
            let sequence = py.import(intern!(py, "collections.abc"))?.getattr("Sequence")?;
            sequence.get_item(typ)
        }

        /// The type of one write.
        #[getter(UpdateType)]
        fn update_type<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
            let py = slf.py();
            let typ = slf.as_super().borrow().typ(py)?.into_bound(py);
            let list = py.get_type::<PyList>().get_item(&typ)?;
            typ.bitor(list)
        }

        /// The items, in a new list.
        #[getter]
        fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
            read(slf.as_super(), |channel| match channel {
                Channel::Topic(channel) => PyList::new(slf.py(), channel.items()),
                _ => Ok(PyList::empty(slf.py())),
            })?
        }

        #[setter]
        fn set_values(slf: &Bound<'_, Self>, values: &Bound<'_, PyAny>) -> PyResult<()> {
            let values = stored::objects(values)?;
            replace(slf.as_super(), |channel| {
                Channel::Topic(Items::new(values, accumulates(channel)))
            })
        }

        /// Whether items stay for later steps.
        #[getter]
        fn accumulate(slf: &Bound<'_, Self>) -> PyResult<bool> {
            read(slf.as_super(), accumulates)
        }

        #[setter]
        fn set_accumulate(slf: &Bound<'_, Self>, accumulate: bool) -> PyResult<()> {
            let items = stored::objects(Self::values(slf)?.as_any())?;
            replace(slf.as_super(), |_| Channel::Topic(Items::new(items, accumulate)))
        }
    }
}

fn initialize(
    slf: &Bound<'_, BaseChannel>,
    typ: Py<PyAny>,
    key: String,
    channel: Channel<Objects>,
) {
    put(slf, channel);
    let mut this = slf.borrow_mut();
    this.key = key;
    let old = this.typ.replace(typ);
    drop(this);
    drop(old);
}

fn replace(
    slf: &Bound<'_, BaseChannel>,
    replacement: impl FnOnce(&Channel<Objects>) -> Channel<Objects>,
) -> PyResult<()> {
    let channel = read(slf, replacement)?;
    put(slf, channel);
    Ok(())
}

/// Whether `other` is of the same kind, in the same setting.
fn same<'py, C, T: PartialEq>(
    slf: &Bound<'py, C>,
    other: &Bound<'py, PyAny>,
    setting: impl Fn(&Channel<Objects>) -> T,
) -> PyResult<bool>
where
    C: pyo3::PyClass<BaseType = BaseChannel>,
{
    let Ok(other) = other.cast::<C>() else { return Ok(false) };
    Ok(read(slf.as_super(), &setting)? == read(other.as_super(), &setting)?)
}

/// Two lambdas count as one: a schema read twice makes them twice.
fn are_same_operator(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_lambda = |operator: &Bound<'_, PyAny>| -> PyResult<bool> {
        let name = operator.getattr_opt(intern!(operator.py(), "__name__"))?;
        name.map_or(Ok(false), |name| name.eq("<lambda>"))
    };
    Ok(one.is(other) || is_lambda(one)? || is_lambda(other)?)
}

/// The names of a barrier, in an order of their own: that of a set differs between processes.
fn expected(names: &Bound<'_, PyAny>) -> PyResult<Arc<[String]>> {
    let mut expected = Vec::new();
    for name in names.try_iter()? {
        let name = name?;
        let Ok(text) = name.cast::<PyString>() else {
            let message = format!("The names of a barrier are strings, not {}", name.repr()?);
            return Err(PyTypeError::new_err(message));
        };
        expected.push(text.to_str()?.to_owned());
    }
    expected.sort_unstable();
    expected.dedup();
    Ok(expected.into())
}

fn held(channel: &Channel<Objects>) -> Option<&Py<PyAny>> {
    match channel {
        Channel::LastValue(channel) => channel.value(),
        Channel::LastValueAfterFinish(channel) => channel.held(),
        Channel::AnyValue(channel) => channel.value(),
        Channel::Ephemeral(channel) => channel.value(),
        Channel::Untracked(channel) => channel.value(),
        Channel::Aggregate(channel) => channel.value(),
        _ => None,
    }
}

fn holding(channel: &Channel<Objects>, value: Option<Py<PyAny>>) -> Channel<Objects> {
    match channel {
        Channel::LastValueAfterFinish(channel) => {
            Channel::LastValueAfterFinish(LastAfterFinish::new(value, channel.finished()))
        }
        Channel::AnyValue(_) => Channel::AnyValue(Any::new(value)),
        Channel::Ephemeral(channel) => Channel::Ephemeral(Ephemeral::new(value, channel.guard())),
        Channel::Untracked(channel) => Channel::Untracked(Untracked::new(value, channel.guard())),
        Channel::Aggregate(channel) => {
            Channel::Aggregate(Aggregate::with_value(value, channel.reducer().clone()))
        }
        _ => Channel::LastValue(Last::new(value)),
    }
}

fn waits(channel: &Channel<Objects>) -> Option<&Barrier> {
    match channel {
        Channel::Barrier(barrier) => Some(barrier),
        Channel::BarrierAfterFinish(channel) => Some(channel.barrier()),
        _ => None,
    }
}

fn waiting(channel: &Channel<Objects>, barrier: Barrier) -> Channel<Objects> {
    match channel {
        Channel::BarrierAfterFinish(channel) => {
            Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier, channel.finished()))
        }
        _ => Channel::Barrier(barrier),
    }
}

fn is_finished(channel: &Channel<Objects>) -> bool {
    match channel {
        Channel::LastValueAfterFinish(channel) => channel.finished(),
        Channel::BarrierAfterFinish(channel) => channel.finished(),
        _ => false,
    }
}

fn is_guarded(channel: &Channel<Objects>) -> bool {
    match channel {
        Channel::Ephemeral(channel) => channel.guard(),
        Channel::Untracked(channel) => channel.guard(),
        _ => false,
    }
}

fn accumulates(channel: &Channel<Objects>) -> bool {
    matches!(channel, Channel::Topic(channel) if channel.accumulate())
}
