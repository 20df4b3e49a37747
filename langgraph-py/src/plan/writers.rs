//! What a node does with its result: writers, run without Python of ours on the common path.

use langgraph_rust_core::names;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::mappers::{ControlWrites, StateUpdates};
use super::program::Accepts;
use super::Keys;
use crate::collects;
use crate::host::call::{call_method, next_item};
use crate::host::imports;
use crate::values::domain::Objects;

/// One step of turning a result into writes.
pub enum Writer {
    /// The keys of a state update.
    Updates(Py<StateUpdates>),
    /// Where a command goes next.
    Control(Py<ControlWrites>),
    /// Always the same value: the edge to a node.
    Fixed(Py<PyString>, Py<PyAny>),
    /// The result, maybe mapped, to one channel.
    Entry {
        /// The channel.
        channel: Py<PyString>,
        /// Whether `None` is not written.
        skip_none: bool,
        /// Changes the value first.
        mapper: Option<Py<PyAny>>,
    },
    /// What a Python mapper makes of the result, or of a value of its own.
    Pairs(Py<PyAny>, Option<Py<PyAny>>),
    /// A conditional edge.
    Branch(Box<Branch>),
    /// A writer of another kind: run as a runnable, it writes through its config.
    Runnable(Py<PyAny>),
}

/// A conditional edge.
pub struct Branch {
    /// The `BranchWriter`.
    pub writer: Py<PyAny>,
    /// The router's plain function.
    pub func: Option<Py<PyAny>>,
    /// The router's async function.
    pub afunc: Option<Py<PyAny>>,
    /// What the functions want besides the state.
    pub accepts: Accepts,
    /// The node for each answer, if answers are not names.
    pub ends: Option<Py<PyDict>>,
    /// The channels that the router gets; the node's result if `None`.
    pub select: Option<Keys>,
    /// Names in `select` that are not channels: managed values.
    pub managed: Vec<Py<PyString>>,
    /// Turns what was read into its schema's class.
    pub mapper: Option<Py<PyAny>>,
    /// Whether keys of the node's result go under what was read.
    pub merges_result: bool,
}

impl Writer {
    /// Reads a writer's Python description and adds its steps to `steps`.
    pub fn read(
        py: Python<'_>,
        plan: &langgraph_rust_pregel::Plan<Objects>,
        writer: &Bound<'_, PyAny>,
        steps: &mut Vec<Writer>,
    ) -> PyResult<()> {
        let class = writer.get_type();
        if class.is(imports::channel_write(py)?) {
            for entry in writer.getattr(intern!(py, "writes"))?.try_iter()? {
                steps.push(Self::read_entry(py, &entry?)?);
            }
        } else if class.is(imports::branch_writer(py)?) {
            steps.push(Writer::Branch(Box::new(Branch::read(py, plan, writer)?)));
        } else {
            steps.push(Writer::Runnable(writer.clone().unbind()));
        }
        Ok(())
    }

    fn read_entry(py: Python<'_>, entry: &Bound<'_, PyAny>) -> PyResult<Self> {
        let module = py.import(intern!(py, "langgraph_rust.pregel._build.write"))?;
        let passthrough = module.getattr(intern!(py, "PASSTHROUGH"))?;
        let own_value = |value: Bound<'_, PyAny>| (!value.is(&passthrough)).then(|| value.unbind());
        if entry.is_instance(imports::channel_write_entry(py)?)? {
            let channel = entry.getattr(intern!(py, "channel"))?.cast_into::<PyString>()?;
            if channel == names::TASKS {
                let message = "Cannot write to the reserved channel TASKS";
                return Err(PyErr::from_type(imports::invalid_update_error(py)?.clone(), message));
            }
            let mapper = entry.getattr(intern!(py, "mapper"))?;
            let skip_none = entry.getattr(intern!(py, "skip_none"))?.is_truthy()?;
            let value = own_value(entry.getattr(intern!(py, "value"))?);
            return Ok(match value {
                Some(value) if mapper.is_none() && !skip_none => {
                    Writer::Fixed(channel.unbind(), value)
                }
                Some(_) => {
                    let entries = PyList::new(py, [entry])?.into_any().unbind();
                    let assemble = module.getattr(intern!(py, "_assemble_writes"))?;
                    Writer::Pairs(assemble.unbind(), Some(entries))
                }
                None => Writer::Entry {
                    channel: channel.unbind(),
                    skip_none,
                    mapper: (!mapper.is_none()).then(|| mapper.unbind()),
                },
            });
        }
        if entry.is_instance(imports::channel_write_tuple_entry(py)?)? {
            let mapper = entry.getattr(intern!(py, "mapper"))?;
            let value = own_value(entry.getattr(intern!(py, "value"))?);
            return Ok(match value {
                Some(value) => Writer::Pairs(mapper.unbind(), Some(value)),
                None => match mapper.cast::<StateUpdates>() {
                    Ok(updates) => Writer::Updates(updates.clone().unbind()),
                    Err(_) => match mapper.cast::<ControlWrites>() {
                        Ok(control) => Writer::Control(control.clone().unbind()),
                        Err(_) => Writer::Pairs(mapper.unbind(), None),
                    },
                },
            });
        }
        if entry.is_instance(imports::send_type(py)?)? {
            let tasks = intern!(py, "__pregel_tasks").clone().unbind();
            return Ok(Writer::Fixed(tasks, entry.clone().unbind()));
        }
        Err(PyValueError::new_err(format!("Invalid write entry: {entry}")))
    }
}

collects!(enum Writer {
    Updates(updates),
    Control(control),
    Fixed(channel, value),
    Entry { channel, mapper },
    Pairs(mapper, value),
    Branch(branch),
    Runnable(writer),
});
collects!(Branch { writer, func, afunc, accepts, ends, managed, mapper });

impl Branch {
    fn read(
        py: Python<'_>,
        plan: &langgraph_rust_pregel::Plan<Objects>,
        writer: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let optional = |attribute: &str| -> PyResult<Option<Py<PyAny>>> {
            let value = writer.getattr(attribute)?;
            Ok((!value.is_none()).then(|| value.unbind()))
        };
        let mut managed = Vec::new();
        let select = match optional("select")? {
            None => None,
            Some(select) => Some(Self::select(plan, select.bind(py), &mut managed)?),
        };
        let ends = writer.getattr(intern!(py, "ends"))?;
        Ok(Self {
            func: optional("func")?,
            afunc: optional("afunc")?,
            accepts: Accepts::read(&writer.getattr(intern!(py, "func_accepts"))?)?,
            ends: if ends.is_none() { None } else { Some(ends.cast_into::<PyDict>()?.unbind()) },
            select,
            managed,
            mapper: optional("mapper")?,
            merges_result: writer.getattr(intern!(py, "merges_result"))?.is_truthy()?,
            writer: writer.clone().unbind(),
        })
    }

    fn select(
        plan: &langgraph_rust_pregel::Plan<Objects>,
        select: &Bound<'_, PyAny>,
        managed: &mut Vec<Py<PyString>>,
    ) -> PyResult<Keys> {
        if let Ok(single) = select.cast::<PyString>() {
            let index = plan.channel_named(single.to_str()?);
            return index.map(Keys::One).ok_or_else(|| {
                PyValueError::new_err(format!("'{single}' is no channel of this graph"))
            });
        }
        let mut indices = Vec::new();
        for name in select.try_iter()? {
            let name = name?.cast_into::<PyString>()?;
            match plan.channel_named(name.to_str()?) {
                Some(index) => indices.push(index),
                None => managed.push(name.unbind()),
            }
        }
        Ok(Keys::Many(indices))
    }

    /// The writes of the router's answer, given to `sink`. Names are answered here, everything
    /// else by the writer's `finish`.
    pub fn answer(
        &self,
        py: Python<'_>,
        answer: &Bound<'_, PyAny>,
        sink: &mut PairSink<'_>,
    ) -> PyResult<()> {
        if let Ok(name) = answer.cast_exact::<PyString>() {
            let target = match &self.ends {
                None => name.clone(),
                Some(ends) => match ends.bind(py).get_item(name)? {
                    Some(target) => match target.cast_into_exact::<PyString>() {
                        Ok(target) => target,
                        Err(_) => return self.finish(py, answer, sink),
                    },
                    // An error, which says what there is.
                    None => return self.finish(py, answer, sink),
                },
            };
            let text = target.to_str()?;
            return match text {
                "__end__" => Ok(()),
                "__start__" => self.finish(py, answer, sink),
                text => sink(&trigger_of(py, text), py.None().into_bound(py)),
            };
        }
        self.finish(py, answer, sink)
    }

    fn finish(
        &self,
        py: Python<'_>,
        answer: &Bound<'_, PyAny>,
        sink: &mut PairSink<'_>,
    ) -> PyResult<()> {
        let writes = call_method(self.writer.bind(py), intern!(py, "finish"), &[answer])?;
        pairs(&writes, sink)
    }
}

/// Takes the `(channel, value)` pairs that a writer makes.
pub type PairSink<'a> = dyn FnMut(&Bound<'_, PyString>, Bound<'_, PyAny>) -> PyResult<()> + 'a;

/// Gives each `(channel, value)` pair of `writes` to `sink`; `None` holds no pairs.
pub fn pairs(writes: &Bound<'_, PyAny>, sink: &mut PairSink<'_>) -> PyResult<()> {
    if writes.is_none() {
        return Ok(());
    }
    let writes = writes.try_iter()?;
    while let Some(pair) = next_item(writes.as_any())? {
        // What comes back from storage has lists where tuples were.
        sink(pair.get_item(0)?.cast::<PyString>()?, pair.get_item(1)?)?;
    }
    Ok(())
}

/// The channel that starts the node `name`.
pub fn trigger_of<'py>(py: Python<'py>, name: &str) -> Bound<'py, PyString> {
    let mut channel = String::with_capacity(10 + name.len());
    channel.push_str("branch:to:");
    channel.push_str(name);
    PyString::new(py, &channel)
}
