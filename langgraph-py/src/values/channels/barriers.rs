//! Channels that wait for several names.

use std::sync::Arc;

use langgraph_rust_channels::{Barrier, BarrierAfterFinish, Channel};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyTuple};

use super::class::channel_class;
use super::parts::{expected, initialize, is_finished, replace, same, waiting, waits};
use super::{read, stored, BaseChannel};

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
