//! What the channel classes have in common: how one is declared, and which there are.

use langgraph_rust_channels::Channel;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyTuple, PyType};

use super::barriers::{NamedBarrierValue, NamedBarrierValueAfterFinish};
use super::delta::DeltaChannel;
use super::plain::{
    AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, LastValueAfterFinish,
    UntrackedValue,
};
use super::topic::Topic;
use crate::values::domain::Objects;

/// A native class, and its attributes beside `key`.
pub struct Kind<'py> {
    pub class: Bound<'py, PyType>,
    /// What its constructor takes, under the same names; the others are what the channel holds.
    pub takes: &'static [&'static str],
    pub holds: &'static [&'static str],
}

/// The native kinds.
pub fn kinds(py: Python<'_>) -> impl Iterator<Item = Kind<'_>> {
    type Names = &'static [&'static str];
    let kinds: [(Bound<'_, PyType>, Names, Names); 10] = [
        (py.get_type::<LastValue>(), &["typ"], &["value"]),
        (py.get_type::<LastValueAfterFinish>(), &["typ"], &["value", "finished"]),
        (py.get_type::<AnyValue>(), &["typ"], &["value"]),
        (py.get_type::<EphemeralValue>(), &["typ", "guard"], &["value"]),
        (py.get_type::<UntrackedValue>(), &["typ", "guard"], &["value"]),
        (py.get_type::<BinaryOperatorAggregate>(), &["typ", "operator"], &["value"]),
        (py.get_type::<DeltaChannel>(), &["typ", "reducer", "snapshot_frequency"], &["value"]),
        (py.get_type::<NamedBarrierValue>(), &["typ", "names"], &["seen"]),
        (py.get_type::<NamedBarrierValueAfterFinish>(), &["typ", "names"], &["seen", "finished"]),
        (py.get_type::<Topic>(), &["typ", "accumulate"], &["values"]),
    ];
    kinds.into_iter().map(|(class, takes, holds)| Kind { class, takes, holds })
}

/// The classes of the native kinds.
pub fn all(py: Python<'_>) -> impl Iterator<Item = Bound<'_, PyType>> {
    kinds(py).map(|kind| kind.class)
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
        Channel::Delta(channel) => (channel.reducer().operator(), typ).into_pyobject(py),
        Channel::Barrier(channel) => (typ, PySet::new(py, channel.names())?).into_pyobject(py),
        Channel::BarrierAfterFinish(channel) => {
            (typ, PySet::new(py, channel.barrier().names())?).into_pyobject(py)
        }
        Channel::Topic(channel) => (typ, channel.accumulate()).into_pyobject(py),
        _ => (typ,).into_pyobject(py),
    }
}

/// The constructor's keyword arguments, if it takes any.
pub fn keywords<'py>(
    py: Python<'py>,
    channel: &Channel<Objects>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Channel::Delta(channel) = channel else { return Ok(None) };
    let keywords = PyDict::new(py);
    keywords.set_item("snapshot_frequency", channel.frequency())?;
    Ok(Some(keywords))
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

pub(super) use channel_class;
