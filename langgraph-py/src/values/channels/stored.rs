//! What storage keeps of channels, as Python objects. The stored forms carry no tag: the kind of
//! the channel tells how to read one.

use langgraph_rust_channels::{Channel, Saved};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySet, PyTuple};

use crate::host::call::call;
use crate::host::imports;
use crate::values::domain::Objects;

/// What was stored of a channel like `pattern`. The packets of [`Channel::Tasks`] are not for
/// here: whom they are addressed to depends on the graph.
pub fn saved(pattern: &Channel<Objects>, stored: &Bound<'_, PyAny>) -> PyResult<Saved<Objects>> {
    Ok(match pattern {
        Channel::LastValueAfterFinish(_) => {
            let (value, finished) = pair(stored)?;
            Saved::Released(value.unbind(), finished.is_truthy()?)
        }
        Channel::Barrier(_) => Saved::Names(names(stored)?),
        Channel::BarrierAfterFinish(_) => {
            let (seen, finished) = pair(stored)?;
            Saved::ReleasedNames(names(&seen)?, finished.is_truthy()?)
        }
        Channel::Topic(_) => Saved::Items(items(stored)?),
        Channel::Aggregate(_) | Channel::Delta(_) => snapshot_or_value(stored)?,
        _ => Saved::Value(stored.clone().unbind()),
    })
}

/// What storage keeps, for Python.
pub fn saved_to_python<'py>(
    py: Python<'py>,
    saved: &Saved<Objects>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match saved {
        Saved::Value(value) => value.bind(py).clone(),
        Saved::Released(value, finished) => (value, finished).into_pyobject(py)?.into_any(),
        Saved::Names(names) => PySet::new(py, names)?.into_any(),
        Saved::ReleasedNames(names, finished) => {
            (PySet::new(py, names)?, finished).into_pyobject(py)?.into_any()
        }
        Saved::Items(items) => PyList::new(py, items)?.into_any(),
        Saved::Packets(packets) => PyList::new(py, packets.iter().map(|(_, p)| p))?.into_any(),
        Saved::Snapshot(value) => call(imports::delta_snapshot(py)?.as_any(), &[value.bind(py)])?,
        // Only ever read.
        Saved::History(_) => py.None().into_bound(py),
    })
}

/// The names in any collection of strings.
pub(super) fn names(names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    names.try_iter()?.map(|name| name?.extract()).collect()
}

/// The objects in any collection.
pub(super) fn objects(objects: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
    objects.try_iter()?.map(|object| Ok(object?.unbind())).collect()
}

fn pair<'py>(stored: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    // Not every saver tells tuples from lists.
    Ok((stored.get_item(0)?, stored.get_item(1)?))
}

/// A topic's items; old threads keep them as the second of a pair.
fn items(stored: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
    match stored.cast::<PyTuple>() {
        Ok(pair) => objects(&pair.get_item(1)?),
        Err(_) => objects(stored),
    }
}

/// The value of a channel with a reducer. Delta channels keep theirs as snapshots; those of upstream's
/// savers are of upstream's class, if that is loaded beside this package.
fn snapshot_or_value(stored: &Bound<'_, PyAny>) -> PyResult<Saved<Objects>> {
    const UPSTREAM: &str = "langgraph.checkpoint.serde.types";
    let py = stored.py();
    let is_one = stored.is_instance_of::<PyTuple>() && !stored.is_exact_instance_of::<PyTuple>();
    let is_snapshot = is_one
        && (stored.is_instance(imports::delta_snapshot(py)?)?
            || (imports::is_loaded(py, UPSTREAM)?
                && stored.is_instance(&py.import(UPSTREAM)?.getattr("_DeltaSnapshot")?)?));
    match is_snapshot {
        true => Ok(Saved::Snapshot(stored.getattr("value")?.unbind())),
        false => Ok(Saved::Value(stored.clone().unbind())),
    }
}
