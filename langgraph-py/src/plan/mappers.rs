//! From what a node returns to writes: which state keys it updates, and where it goes next.
//!
//! A result is a dict, a `Command`, a list of these, or an object with annotated fields. The
//! mappers are Python callables; the engine uses `visit`, which builds no pairs.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::collects;
use crate::host::call::{call, call_method, next_item};
use crate::host::collect::Collect;
use crate::host::imports;
use crate::values::errors;

/// What is given each write: a channel and a value.
pub type Sink<'a> = dyn FnMut(&Bound<'_, PyString>, Bound<'_, PyAny>) -> PyResult<()> + 'a;

/// What is given each key that is left out, because the state does not have it.
pub type LeftOut<'a, 'py> = dyn FnMut(Bound<'py, PyAny>) + 'a;

/// Turns a node's result into updates of the state.
///
/// Args:
///     keys: The keys that the graph's state has; others are left out. With `__root__` as the
///         only one, the result as a whole is the state.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct StateUpdates {
    keys: Py<PyList>,
    /// Each key under itself, so that a lookup returns the one string all updates share.
    known: Py<PyDict>,
    is_root: bool,
}

#[pymethods]
impl StateUpdates {
    #[new]
    fn new(py: Python<'_>, keys: Vec<Bound<'_, PyString>>) -> PyResult<Self> {
        let is_root = matches!(keys.as_slice(), [key] if *key == ROOT);
        let known = PyDict::new(py);
        for key in &keys {
            known.set_item(key, key)?;
        }
        Ok(Self { keys: PyList::new(py, keys)?.unbind(), known: known.unbind(), is_root })
    }

    /// Return the updates as `(key, value)` pairs; `None` if the result is `None`.
    ///
    /// Raises:
    ///     InvalidUpdateError: The result is nothing a node may return.
    fn __call__<'py>(&self, input: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyList>>> {
        let py = input.py();
        if input.is_none() {
            return Ok(None);
        }
        let updates = PyList::empty(py);
        self.visit(py, input, &mut |key, value| updates.append((key, value)), &mut drop)?;
        Ok(Some(updates))
    }

    /// A copy, or a pickle, is made anew from the keys.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), (&self.keys,)).into_pyobject(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }
}

collects!(StateUpdates { keys, known });

const ROOT: &str = "__root__";

impl StateUpdates {
    /// The keys that the state has.
    pub fn keys<'py>(&self, py: Python<'py>) -> &Bound<'py, PyList> {
        self.keys.bind(py)
    }

    /// Gives each update in `result` to `sink`. The updates before an error are given, too.
    pub fn visit<'py>(
        &self,
        py: Python<'py>,
        result: &Bound<'py, PyAny>,
        sink: &mut Sink<'_>,
        left_out: &mut LeftOut<'_, 'py>,
    ) -> PyResult<()> {
        if result.is_none() {
            return Ok(());
        }
        if self.is_root {
            return self.visit_root(py, result, sink);
        }
        if let Ok(dict) = result.cast::<PyDict>() {
            return self.visit_dict(dict, sink, left_out);
        }
        if is_command(result)? {
            return self.visit_command(result, sink, left_out);
        }
        if let Some(items) = items_with_commands(result)? {
            let mut items = items.try_iter()?;
            return items.try_for_each(|item| self.visit(py, &item?, sink, left_out));
        }
        let class = result.get_type();
        if is_langgraphs(&class)? {
            let message = format!(
                "Expected dict, got {result}, whose class is of another package than this graph: \
                 import it from langgraph_rust.types, or have the whole program import langgraph \
                 and run it with `python -m langgraph_rust`"
            );
            let code = Some("INVALID_GRAPH_NODE_RETURN_VALUE");
            return Err(errors::coded(py, imports::invalid_update_error(py), &message, code));
        }
        if call(&fields(py, "get_cached_annotated_keys")?, &[class.as_any()])?.is_truthy()? {
            let update = call(&fields(py, "get_update_as_tuples")?, &[result, self.keys.bind(py)])?;
            return visit_pairs(&update, sink);
        }
        let message = format!("Expected dict, got {result}");
        let code = Some("INVALID_GRAPH_NODE_RETURN_VALUE");
        Err(errors::coded(py, imports::invalid_update_error(py), &message, code))
    }

    fn visit_root(
        &self,
        py: Python<'_>,
        result: &Bound<'_, PyAny>,
        sink: &mut Sink<'_>,
    ) -> PyResult<()> {
        let Some(items) = items_with_commands(result)? else {
            return visit_as_root(py, result, sink);
        };
        items.try_iter()?.try_for_each(|item| visit_as_root(py, &item?, sink))
    }

    fn visit_dict<'py>(
        &self,
        dict: &Bound<'py, PyDict>,
        sink: &mut Sink<'_>,
        left_out: &mut LeftOut<'_, 'py>,
    ) -> PyResult<()> {
        if !dict.is_exact_instance_of::<PyDict>() {
            // A class of dicts may show other items than it holds.
            let items = call_method(dict, intern!(dict.py(), "items"), &[])?;
            return self.visit_known(&items, sink, left_out);
        }
        let known = self.known.bind(dict.py());
        for (key, value) in dict.iter() {
            match known.get_item(&key)? {
                Some(key) => sink(key.cast::<PyString>()?, value)?,
                None => left_out(key),
            }
        }
        Ok(())
    }

    fn visit_command<'py>(
        &self,
        command: &Bound<'py, PyAny>,
        sink: &mut Sink<'_>,
        left_out: &mut LeftOut<'_, 'py>,
    ) -> PyResult<()> {
        if is_for_parent(command)? {
            return Ok(());
        }
        let update = command.getattr(intern!(command.py(), "update"))?;
        match update.cast_exact::<PyDict>() {
            Ok(dict) => self.visit_dict(dict, sink, left_out),
            Err(_) => self.visit_known(&updates_of(command)?, sink, left_out),
        }
    }

    /// Those of `pairs` whose key the state has.
    fn visit_known<'py>(
        &self,
        pairs: &Bound<'py, PyAny>,
        sink: &mut Sink<'_>,
        left_out: &mut LeftOut<'_, 'py>,
    ) -> PyResult<()> {
        let known = self.known.bind(pairs.py());
        let pairs = pairs.try_iter()?;
        while let Some(pair) = next_item(pairs.as_any())? {
            let key = pair.get_item(0)?;
            match known.get_item(&key)? {
                Some(key) => sink(key.cast::<PyString>()?, pair.get_item(1)?)?,
                None => left_out(key),
            }
        }
        Ok(())
    }
}

/// `item` as an update of the state as a whole, or a command's update.
fn visit_as_root(py: Python<'_>, item: &Bound<'_, PyAny>, sink: &mut Sink<'_>) -> PyResult<()> {
    if !is_command(item)? {
        return sink(intern!(py, "__root__"), item.clone());
    }
    if is_for_parent(item)? {
        return Ok(());
    }
    visit_pairs(&updates_of(item)?, sink)
}

fn visit_pairs(pairs: &Bound<'_, PyAny>, sink: &mut Sink<'_>) -> PyResult<()> {
    let pairs = pairs.try_iter()?;
    while let Some(pair) = next_item(pairs.as_any())? {
        sink(pair.get_item(0)?.cast::<PyString>()?, pair.get_item(1)?)?;
    }
    Ok(())
}

/// Where a command goes.
pub enum Goto<'py> {
    /// To a node, by name; not to the end, which is nowhere.
    Node(Bound<'py, PyString>),
    /// With a `Send`.
    Packet(Bound<'py, PyAny>),
    /// Nowhere: this names no destination.
    Nowhere(Bound<'py, PyAny>),
}

/// Turns a node's result into the writes that start the nodes it goes to.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct ControlWrites;

#[pymethods]
impl ControlWrites {
    #[new]
    fn new() -> Self {
        Self
    }

    /// Return the writes as `(channel, value)` pairs.
    ///
    /// Raises:
    ///     ParentCommand: The result holds a command for the enclosing graph.
    fn __call__<'py>(&self, input: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = input.py();
        let writes = PyList::empty(py);
        self.visit(py, input, &mut |goto| match goto {
            Goto::Node(name) => writes.append((format!("branch:to:{}", name.to_str()?), py.None())),
            Goto::Packet(send) => writes.append((intern!(py, "__pregel_tasks"), send)),
            Goto::Nowhere(_) => Ok(()),
        })?;
        Ok(writes)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<Self>(), ()).into_pyobject(py)
    }
}

impl ControlWrites {
    /// Gives each destination in `result` to `sink`; none if there is a command for the parent.
    pub fn visit<'py>(
        &self,
        py: Python<'py>,
        result: &Bound<'py, PyAny>,
        sink: &mut dyn FnMut(Goto<'py>) -> PyResult<()>,
    ) -> PyResult<()> {
        if result.is_none() || result.is_exact_instance_of::<PyDict>() {
            return Ok(());
        }
        if is_send(result)? {
            return sink(Goto::Packet(result.clone()));
        }
        if is_command(result)? {
            refuse_for_parent(result)?;
            return visit_goto(py, result, sink);
        }
        let Some(items) = items_with_commands(result)? else { return Ok(()) };
        let items = items.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let mut commands = Vec::with_capacity(items.len());
        for item in items {
            if is_command(&item)? {
                refuse_for_parent(&item)?;
                commands.push(item);
            }
        }
        commands.iter().try_for_each(|command| visit_goto(py, command, sink))
    }
}

fn visit_goto<'py>(
    py: Python<'py>,
    command: &Bound<'py, PyAny>,
    sink: &mut dyn FnMut(Goto<'py>) -> PyResult<()>,
) -> PyResult<()> {
    let goto = command.getattr(intern!(py, "goto"))?;
    if goto.is_instance_of::<PyString>() || is_send(&goto)? {
        return visit_target(goto, sink);
    }
    if goto.cast_exact::<PyTuple>().is_ok_and(|targets| targets.is_empty()) {
        return Ok(());
    }
    goto.try_iter()?.try_for_each(|target| visit_target(target?, sink))
}

fn visit_target<'py>(
    target: Bound<'py, PyAny>,
    sink: &mut dyn FnMut(Goto<'py>) -> PyResult<()>,
) -> PyResult<()> {
    match target.cast_into::<PyString>() {
        Ok(name) if name == "__end__" => Ok(()),
        Ok(name) => sink(Goto::Node(name)),
        Err(other) => {
            let other = other.into_inner();
            match is_send(&other)? {
                true => sink(Goto::Packet(other)),
                false => sink(Goto::Nowhere(other)),
            }
        }
    }
}

fn refuse_for_parent(command: &Bound<'_, PyAny>) -> PyResult<()> {
    if !is_for_parent(command)? {
        return Ok(());
    }
    let class = imports::parent_command(command.py())?;
    Err(PyErr::from_type(class.clone(), (command.clone().unbind(),)))
}

/// Whether a class is one of the package langgraph, whose commands are none to this engine.
fn is_langgraphs(class: &Bound<'_, PyType>) -> PyResult<bool> {
    Ok(class.module()?.to_str()? == "langgraph.types")
}

fn is_command(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.is_instance(imports::command_type(value.py())?)
}

fn is_send(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.is_instance(imports::send_type(value.py())?)
}

fn is_for_parent(command: &Bound<'_, PyAny>) -> PyResult<bool> {
    let graph = command.getattr(intern!(command.py(), "graph"))?;
    Ok(graph.cast::<PyString>().is_ok_and(|graph| graph == "__parent__"))
}

fn updates_of<'py>(command: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call_method(command, intern!(command.py(), "_update_as_tuples"), &[])
}

/// `value` if it is a list or tuple with a command in it.
fn items_with_commands<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
) -> PyResult<Option<&'a Bound<'py, PyAny>>> {
    if !value.is_instance_of::<PyList>() && !value.is_instance_of::<PyTuple>() {
        return Ok(None);
    }
    for item in value.try_iter()? {
        if is_command(&item?)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// A helper for objects with annotated fields.
fn fields<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE
        .get_or_try_init(py, || py.import("langgraph_rust._internal._fields").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}
