//! The channel that collects.

use langgraph_rust_channels::{Channel, Topic as Items};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::class::channel_class;
use super::parts::{accumulates, initialize, replace, same};
use super::{read, stored, BaseChannel};

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
