//! The channel that stores changes.

use std::sync::Arc;

use langgraph_rust_channels::{Channel, Delta, History, Saved};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::class::channel_class;
use super::parts::{are_same_operator, held, holding, initialize, replace};
use super::{change, or_missing, present, read, stored, BaseChannel};
use crate::host::imports;
use crate::values::reducer::{stripped, Reducer};

channel_class! {
    /// Folds the writes of a step into its value with one call, and stores the writes instead of the
    /// value: that is rebuilt from the newest one stored and the writes since. Beta.
    ///
    /// Args:
    ///     reducer: Called with the value and a list of writes, returns the new value. Applying two
    ///         lists one after the other must give the same as applying both as one.
    ///     typ: Type of the values; called for the first one. By default what the state's field is
    ///         annotated with.
    ///     snapshot_frequency: After how many steps that wrote to it the value is stored.
    ///
    /// Raises:
    ///     ValueError: `snapshot_frequency` is not positive.
    DeltaChannel in "langgraph_rust.channels.delta" {
        #[pyo3(signature = (reducer, typ = None, *, snapshot_frequency = 100))]
        fn __init__(
            slf: &Bound<'_, Self>,
            reducer: Bound<'_, PyAny>,
            typ: Option<Bound<'_, PyAny>>,
            snapshot_frequency: i64,
        ) -> PyResult<()> {
            let py = slf.py();
            let Some(frequency) = u64::try_from(snapshot_frequency).ok().filter(|n| *n > 0) else {
                let message =
                    format!("snapshot_frequency must be a positive int, got {snapshot_frequency}");
                return Err(PyValueError::new_err(message));
            };
            let typ = match typ {
                Some(typ) => stripped(py, typ)?,
                None => py.get_type::<PyList>().into_any(),
            };
            let reducer = Arc::new(Reducer::batch(py, reducer, typ.clone())?);
            let channel = Delta::empty(reducer, frequency);
            initialize(slf.as_super(), typ.unbind(), String::new(), Channel::Delta(channel));
            Ok(())
        }

        fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
            let Ok(other) = other.cast::<Self>() else { return Ok(false) };
            Ok(Self::snapshot_frequency(slf)? == Self::snapshot_frequency(other)?
                && are_same_operator(&Self::reducer(slf)?, &Self::reducer(other)?)?)
        }

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

        /// The type of the values. Setting it empties the channel.
        #[getter]
        fn typ(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
            slf.as_super().borrow().typ(slf.py())
        }

        #[setter]
        fn set_typ(slf: &Bound<'_, Self>, typ: Bound<'_, PyAny>) -> PyResult<()> {
            let py = slf.py();
            let reducer = Arc::new(Reducer::batch(py, Self::reducer(slf)?, typ.clone())?);
            let frequency = Self::snapshot_frequency(slf)?;
            replace(slf.as_super(), |_| Channel::Delta(Delta::empty(reducer, frequency)))?;
            slf.as_super().borrow_mut().set_typ(typ.unbind());
            Ok(())
        }

        /// The reducer.
        #[getter]
        fn reducer<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
            read(slf.as_super(), |channel| match channel {
                Channel::Delta(channel) => channel.reducer().operator().clone_ref(slf.py()),
                _ => slf.py().None(),
            })
            .map(|operator| operator.into_bound(slf.py()))
        }

        /// After how many steps that wrote to it the value is stored.
        #[getter]
        fn snapshot_frequency(slf: &Bound<'_, Self>) -> PyResult<u64> {
            read(slf.as_super(), |channel| match channel {
                Channel::Delta(channel) => channel.frequency(),
                _ => 0,
            })
        }

        /// Applies stored writes, `(task id, channel, value)` each, oldest first: from the last
        /// `Overwrite` among them on.
        fn replay_writes(slf: &Bound<'_, Self>, writes: &Bound<'_, PyAny>) -> PyResult<()> {
            let mut values = Vec::new();
            for write in writes.try_iter()? {
                values.push(write?.get_item(2)?.unbind());
            }
            change(slf.as_super(), "replay_writes", |channel, key| {
                let seed = held(channel).map(|value| Saved::Value(value.clone_ref(slf.py())));
                let history = Saved::History(Box::new(History { seed, writes: values }));
                *channel = channel.restore(slf.py(), key, Some(history))?;
                Ok(())
            })
        }
    }
}

/// What a saver found of a channel's history: `writes`, oldest first, and the stored value that they
/// are changes to as `seed`, if there is one.
pub fn history(
    pattern: &Channel<super::Objects>,
    found: &Bound<'_, PyAny>,
) -> PyResult<Saved<super::Objects>> {
    let seed = found.cast::<PyDict>()?.get_item("seed")?;
    // Savers of former versions may say so when there is none.
    let missing = imports::missing(found.py())?;
    let seed = seed.filter(|seed| !seed.is(missing));
    let seed = seed.map(|seed| stored::saved(pattern, &seed)).transpose()?;
    let mut writes = Vec::new();
    for write in found.get_item("writes")?.try_iter()? {
        writes.push(write?.get_item(2)?.unbind());
    }
    Ok(Saved::History(Box::new(History { seed, writes })))
}
