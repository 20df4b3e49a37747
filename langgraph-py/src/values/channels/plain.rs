//! Channels that hold one value: their constructors, attributes and equality.

use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue as Any, Channel, Ephemeral, LastValue as Last,
    LastValueAfterFinish as LastAfterFinish, Untracked,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::class::channel_class;
use super::parts::{
    are_same_operator, held, holding, initialize, is_finished, is_guarded, replace, same,
};
use super::{or_missing, present, read, BaseChannel};
use crate::values::reducer::Reducer;

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
