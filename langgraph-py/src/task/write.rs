//! What becomes of a node's result: its writers, one after the other.

use langgraph_rust_core::Target;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::node::{Given, NodeRun, Stage, What};
use crate::host::call::{call, call_method, call_with};
use crate::host::collect::plain_lock;
use crate::host::imports;
use crate::plan;
use crate::plan::lost::{self, Kept};
use crate::plan::mappers::{Goto, StateUpdates};
use crate::plan::program::Body;
use crate::plan::writers::{self, Branch, Writer};

impl NodeRun {
    pub(super) fn after_body(
        &mut self,
        py: Python<'_>,
        value: Py<PyAny>,
    ) -> PyResult<Option<Given>> {
        let recurses = match &self.what {
            What::Node(node) => {
                matches!(self.run.graph.program(*node).body, Body::Function { recurse: true, .. })
            }
            What::Call(_) => false,
        };
        if recurses && may_be_runnable(value.bind(py))? {
            self.stage = Stage::Recursion;
            let runnable = value.bind(py).clone();
            let input = self.input.clone_ref(py);
            return self.in_context(py, |this| this.invoke_with(py, &runnable, &input)).map(Some);
        }
        self.after_recursion(py, value)
    }

    pub(super) fn after_recursion(
        &mut self,
        py: Python<'_>,
        value: Py<PyAny>,
    ) -> PyResult<Option<Given>> {
        self.result = Some(value);
        self.collect_writes(py)?;
        match &self.what {
            What::Node(_) => self.write_from(py, 0),
            What::Call(_) => self.write_returned(py).map(|()| None),
        }
    }

    pub(super) fn after_writer(
        &mut self,
        py: Python<'_>,
        position: usize,
        value: Py<PyAny>,
    ) -> PyResult<Option<Given>> {
        self.collect_writes(py)?;
        if let Some(Writer::Branch(branch)) = self.writers().get(position) {
            if branch.func.is_some() || branch.afunc.is_some() {
                self.answer(py, position, value.bind(py))?;
            }
        }
        self.write_from(py, position + 1)
    }

    fn writers(&self) -> &[Writer] {
        match &self.what {
            What::Node(node) => &self.run.graph.program(*node).writers,
            What::Call(_) => &[],
        }
    }

    /// Runs the writers from `position` on; stops at one that must be waited for.
    fn write_from(&mut self, py: Python<'_>, position: usize) -> PyResult<Option<Given>> {
        let run = self.run.clone();
        let What::Node(node) = self.what else { return Ok(None) };
        let writers = &run.graph.program(node).writers;
        let result = self.result.as_ref().ok_or_else(no_result)?.clone_ref(py);
        let result = result.bind(py);
        for (position, writer) in writers.iter().enumerate().skip(position) {
            if let Some(given) = self.write_one(py, position, writer, result)? {
                self.stage = Stage::Writer(position);
                return Ok(Some(given));
            }
        }
        Ok(None)
    }

    /// A called task's result is what it returned.
    fn write_returned(&mut self, py: Python<'_>) -> PyResult<()> {
        let result = self.result.as_ref().ok_or_else(no_result)?.bind(py).clone();
        if !result.is(skip_write(py)?) {
            self.writes.push(self.run.graph.write(intern!(py, "__return__"), result)?);
        }
        Ok(())
    }

    fn write_one(
        &mut self,
        py: Python<'_>,
        position: usize,
        writer: &Writer,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Given>> {
        let graph = self.run.graph.clone();
        let What::Node(node) = self.what else { return Ok(None) };
        let writes = &mut self.writes;
        let mut sink = |channel: &Bound<'_, PyString>, value: Bound<'_, PyAny>| {
            writes.push(graph.write(channel, value)?);
            Ok(())
        };
        match writer {
            Writer::Updates(updates) => {
                let kept = Kept::given(py, updates.get(), result, &mut sink)?;
                self.tell_unknown(py, kept, result, updates.get())?;
            }
            Writer::Control(control) => {
                control.get().visit(py, result, &mut |goto| match goto {
                    Goto::Node(name) => {
                        let channel = writers::trigger_of(py, name.to_str()?);
                        sink(&channel, py.None().into_bound(py))
                    }
                    Goto::Packet(packet) => sink(intern!(py, "__pregel_tasks"), packet),
                    Goto::Nowhere(target) => lost::tell_target(py, &graph, node, &target),
                })?
            }
            Writer::Fixed(channel, value) => sink(channel.bind(py), value.bind(py).clone())?,
            Writer::Entry { channel, skip_none, mapper } => {
                let value = match mapper {
                    Some(mapper) => call(mapper.bind(py), &[result])?,
                    None => result.clone(),
                };
                let skipped = value.is(skip_write(py)?) || (*skip_none && value.is_none());
                if !skipped {
                    sink(channel.bind(py), value)?;
                }
            }
            Writer::Pairs(mapper, own) => {
                let value = own.as_ref().map_or(result, |own| own.bind(py));
                writers::pairs(&call(mapper.bind(py), &[value])?, &mut sink)?;
            }
            Writer::Branch(branch) => return self.route(py, position, branch, result),
            Writer::Runnable(writer) => {
                let (writer, input) = (writer.bind(py).clone(), result.clone().unbind());
                let given = self.in_context(py, |this| this.invoke_with(py, &writer, &input))?;
                if matches!(given, Given::Awaitable(_)) {
                    return Ok(Some(given));
                }
                self.collect_writes(py)?;
            }
        }
        Ok(None)
    }

    /// A runnable has run node and writers, and left out what nobody wants: here it is looked for.
    pub(super) fn after_whole(
        &mut self,
        py: Python<'_>,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Given>> {
        let updates = self.writers().iter().find_map(|writer| match writer {
            Writer::Updates(updates) => Some(updates.clone_ref(py)),
            _ => None,
        });
        let Some(updates) = updates else { return Ok(None) };
        if result.is_exact_instance_of::<PyDict>()
            || result.is_exact_instance(imports::command_type(py)?)
        {
            let kept = Kept::given(py, updates.get(), result, &mut |_, _| Ok(()))?;
            self.tell_unknown(py, kept, result, updates.get())?;
        }
        Ok(None)
    }

    fn tell_unknown<'py>(
        &self,
        py: Python<'py>,
        kept: Kept<'py>,
        result: &Bound<'py, PyAny>,
        updates: &StateUpdates,
    ) -> PyResult<()> {
        let What::Node(node) = self.what else { return Ok(()) };
        if kept.unknown.is_empty() {
            return Ok(());
        }
        let graph = &self.run.graph;
        // A graph within another is given what the other has; it takes what it wants.
        let is_input = &*graph.plan.node(node).name == "__start__";
        if is_input && self.run.core(py)?.engine.options().nested {
            return Ok(());
        }
        kept.tell(py, graph, node, result, updates)
    }

    fn route(
        &mut self,
        py: Python<'_>,
        position: usize,
        branch: &Branch,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Given>> {
        let is_async = self.run.context.is_async();
        let function = match is_async {
            true => branch.afunc.as_ref().or(branch.func.as_ref()),
            false => branch.func.as_ref(),
        };
        let Some(function) = function else {
            // Through the config the writer sees what the node wrote so far.
            self.lend_writes(py)?;
            let (writer, input) = (branch.writer.bind(py).clone(), result.clone().unbind());
            let given = self.in_context(py, |this| this.invoke_with(py, &writer, &input));
            self.writes.clear();
            let given = given?;
            if matches!(given, Given::Awaitable(_)) {
                return Ok(Some(given));
            }
            self.collect_writes(py)?;
            return Ok(None);
        };
        let state = self.branch_state(py, branch, result)?;
        let kwargs = self.injected(py, &branch.accepts)?;
        let function = function.bind(py).clone();
        let offload = is_async && branch.afunc.is_none();
        let given = self.in_context(py, |this| {
            if offload {
                let arguments = [&function, &state];
                let code = call_with(imports::partial(py)?, &arguments, kwargs.as_ref())?;
                return this.offload(py, &code);
            }
            Ok(this.given(call_with(&function, &[&state], kwargs.as_ref())?))
        })?;
        match given {
            Given::Value(answer) => {
                self.answer(py, position, answer.bind(py))?;
                Ok(None)
            }
            awaitable => Ok(Some(awaitable)),
        }
    }

    /// Moves the writes so far to where Python code finds them.
    fn lend_writes(&mut self, py: Python<'_>) -> PyResult<()> {
        let graph = &self.run.graph;
        let named = self.writes.iter().map(|write| {
            let name = graph.plan.target_name(&write.target);
            (PyString::new(py, name).unbind(), write.value.clone_ref(py))
        });
        let named: Vec<_> = named.collect();
        let mut lent = plain_lock(&self.task().get().writes);
        let own = std::mem::take(&mut *lent);
        lent.extend(named);
        lent.extend(own);
        Ok(())
    }

    fn answer(
        &mut self,
        py: Python<'_>,
        position: usize,
        answer: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let run = self.run.clone();
        let What::Node(node) = self.what else { return Ok(()) };
        let Some(Writer::Branch(branch)) = run.graph.program(node).writers.get(position) else {
            return Ok(());
        };
        let writes = &mut self.writes;
        branch.answer(py, answer, &mut |channel, value| {
            writes.push(run.graph.write(channel, value)?);
            Ok(())
        })
    }

    /// What a router gets: the state after the node's own writes.
    fn branch_state<'py>(
        &self,
        py: Python<'py>,
        branch: &Branch,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(select) = &branch.select else { return Ok(result.clone()) };
        let mut read = |index| {
            let own: Vec<_> = self
                .writes
                .iter()
                .filter(|write| write.target == Target::Channel(index))
                .map(|write| write.value.clone_ref(py))
                .collect();
            self.run.read_channel(py, index, true, own)
        };
        let mut state = plan::read_keys(py, &self.run.graph, select, &mut read)?;
        if let (false, Ok(values)) = (branch.managed.is_empty(), state.cast::<PyDict>()) {
            let managed = self.run.graph.managed.bind(py);
            for name in &branch.managed {
                if let Some(spec) = managed.get_item(name)? {
                    let task = self.task().bind(py).as_any();
                    values.set_item(name, call_method(&spec, intern!(py, "get"), &[task])?)?;
                }
            }
        }
        if let Some(mapper) = &branch.mapper {
            state = call(mapper.bind(py), &[&state])?;
        }
        if branch.merges_result {
            if let (Ok(values), Ok(result)) = (state.cast::<PyDict>(), result.cast::<PyDict>()) {
                let merged = result.copy()?;
                merged.update(values.as_mapping())?;
                return Ok(merged.into_any());
            }
        }
        Ok(state)
    }

    /// A command that is for this graph: its node's writers take it as the result.
    pub(super) fn write_command(&mut self, py: Python<'_>) -> PyResult<()> {
        self.writes.clear();
        if matches!(self.stage, Stage::Whole) {
            let What::Node(_) = self.what else { return Ok(()) };
        }
        match self.write_from(py, 0)? {
            None => Ok(()),
            Some(_) => Err(PyValueError::new_err(
                "A command for this graph reached a node with an async router; \
                 use a sync router for it",
            )),
        }
    }
}

/// Whether a node's result may be a runnable, to be run in turn. Cheap for what nodes return.
fn may_be_runnable(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_none()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyTuple>()
    {
        return Ok(false);
    }
    call(imports::is_runnable(value.py())?, &[value])?.is_truthy()
}

fn no_result() -> PyErr {
    PyRuntimeError::new_err("A node's writers ran before the node")
}

/// The marker by which a mapper says that nothing is to be written.
fn skip_write(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CELL: pyo3::sync::PyOnceLock<Py<PyAny>> = pyo3::sync::PyOnceLock::new();
    CELL.import(py, "langgraph_rust.pregel._build.write", "SKIP_WRITE")
}
