//! Reading and changing the engine's channel behind a channel object, whatever its kind.

use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue as Any, Barrier, BarrierAfterFinish, Channel, Ephemeral, LastValue as Last,
    LastValueAfterFinish as LastAfterFinish, Untracked,
};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{put, read, BaseChannel};
use crate::values::domain::Objects;

pub(super) fn initialize(
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

pub(super) fn replace(
    slf: &Bound<'_, BaseChannel>,
    replacement: impl FnOnce(&Channel<Objects>) -> Channel<Objects>,
) -> PyResult<()> {
    let channel = read(slf, replacement)?;
    put(slf, channel);
    Ok(())
}

/// Whether `other` is of the same kind, in the same setting.
pub(super) fn same<'py, C, T: PartialEq>(
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
pub(super) fn are_same_operator(
    one: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let is_lambda = |operator: &Bound<'_, PyAny>| -> PyResult<bool> {
        let name = operator.getattr_opt(intern!(operator.py(), "__name__"))?;
        name.map_or(Ok(false), |name| name.eq("<lambda>"))
    };
    Ok(one.is(other) || is_lambda(one)? || is_lambda(other)?)
}

/// The names of a barrier, in an order of their own: that of a set differs between processes.
pub(super) fn expected(names: &Bound<'_, PyAny>) -> PyResult<Arc<[String]>> {
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

pub(super) fn held(channel: &Channel<Objects>) -> Option<&Py<PyAny>> {
    match channel {
        Channel::LastValue(channel) => channel.value(),
        Channel::LastValueAfterFinish(channel) => channel.held(),
        Channel::AnyValue(channel) => channel.value(),
        Channel::Ephemeral(channel) => channel.value(),
        Channel::Untracked(channel) => channel.value(),
        Channel::Aggregate(channel) => channel.value(),
        Channel::Delta(channel) => channel.value(),
        _ => None,
    }
}

pub(super) fn holding(channel: &Channel<Objects>, value: Option<Py<PyAny>>) -> Channel<Objects> {
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
        Channel::Delta(channel) => Channel::Delta(channel.with_value(value)),
        _ => Channel::LastValue(Last::new(value)),
    }
}

pub(super) fn waits(channel: &Channel<Objects>) -> Option<&Barrier> {
    match channel {
        Channel::Barrier(barrier) => Some(barrier),
        Channel::BarrierAfterFinish(channel) => Some(channel.barrier()),
        _ => None,
    }
}

pub(super) fn waiting(channel: &Channel<Objects>, barrier: Barrier) -> Channel<Objects> {
    match channel {
        Channel::BarrierAfterFinish(channel) => {
            Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier, channel.finished()))
        }
        _ => Channel::Barrier(barrier),
    }
}

pub(super) fn is_finished(channel: &Channel<Objects>) -> bool {
    match channel {
        Channel::LastValueAfterFinish(channel) => channel.finished(),
        Channel::BarrierAfterFinish(channel) => channel.finished(),
        _ => false,
    }
}

pub(super) fn is_guarded(channel: &Channel<Objects>) -> bool {
    match channel {
        Channel::Ephemeral(channel) => channel.guard(),
        Channel::Untracked(channel) => channel.guard(),
        _ => false,
    }
}

pub(super) fn accumulates(channel: &Channel<Objects>) -> bool {
    matches!(channel, Channel::Topic(channel) if channel.accumulate())
}
