//! A thread's state outside of a run: for reading it and for writing to it.

use std::sync::{Arc, Mutex, MutexGuard};

use langgraph_checkpoint::Checkpoint;
use langgraph_core::{CheckpointId, Version, Write};
use langgraph_pregel::{Reader, TaskWrites, ThreadState};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::stored;
use crate::host::{call, clock};
use crate::plan::{read_keys, writers, Graph, Plan};
use crate::values::domain::{fault_to_python, shown, Objects};
use crate::values::env::{Clock, Versioning};
use crate::values::{path, version};

/// The state that a checkpoint describes.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct StateView {
    graph: Arc<Graph>,
    state: Mutex<ThreadState<Objects>>,
}

/// Writes to apply: who, where in the superstep, whether as a task, and what.
type Item<'py> = (String, Bound<'py, PyTuple>, bool, Bound<'py, PyAny>);

#[pymethods]
impl StateView {
    /// The state of a stored checkpoint, or of a thread that has not begun.
    #[new]
    #[pyo3(signature = (plan, checkpoint=None))]
    fn new(
        py: Python<'_>,
        plan: &Bound<'_, Plan>,
        checkpoint: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let graph = plan.get().graph.clone();
        let state = match checkpoint {
            Some(checkpoint) => {
                let stored: Checkpoint<Objects> = stored::checkpoint(&graph, &checkpoint)?;
                ThreadState::load(py, graph.plan.clone(), stored)
            }
            None => {
                let id = CheckpointId::from_text(&clock::checkpoint_id(-2));
                ThreadState::empty(py, graph.plan.clone(), id)
            }
        };
        let state = Mutex::new(state.map_err(|fault| fault_to_python(py, fault))?);
        Ok(Self { graph, state })
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        state.traverse(&mut shown(&visit))
    }

    /// The id of the checkpoint.
    #[getter]
    fn checkpoint_id(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.state(py)?.checkpoint_id().as_str().to_owned())
    }

    /// The values of some channels: of one by its name, or a dict.
    fn values<'py>(
        &self,
        py: Python<'py>,
        keys: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.read(py, keys, false, None)
    }

    /// The same; with `fresh`, after the given `(channel, value)` writes.
    #[pyo3(signature = (select, fresh=false, writes=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        select: &Bound<'py, PyAny>,
        fresh: bool,
        writes: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let writes = match writes.filter(|_| fresh) {
            Some(writes) => self.writes(&writes)?,
            None => Vec::new(),
        };
        let keys = self.graph.keys(select)?;
        let state = self.state(py)?;
        let mut read = |index| {
            let own = writes.iter().filter(|write: &&Write<Objects>| {
                write.target == langgraph_core::Target::Channel(index)
            });
            let own: Vec<_> = own.map(|write| write.value.clone_ref(py)).collect();
            let value = match fresh {
                true => state.read_with(py, index, own),
                false => state.read(py, index),
            };
            value.map_err(|fault| fault_to_python(py, fault))
        };
        read_keys(py, &self.graph, &keys, &mut read)
    }

    /// The tasks of the next superstep: `(id, name, path, triggers)`.
    fn tasks<'py>(
        &self,
        py: Python<'py>,
        namespace: &str,
        step: i64,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut state = self.state(py)?;
        // Whoever looks from outside sees all nodes in the order of their declaration.
        state.forget_changes();
        let tasks = state.prepare(py, namespace, step);
        drop(state);
        let tasks = tasks.map_err(|fault| fault_to_python(py, fault))?;
        let list = PyList::empty(py);
        for task in tasks {
            let triggers = self.graph.trigger_names(py, &task.path, task.node)?;
            list.append((
                task.id.as_str(),
                &*task.name,
                path::to_tuple(py, &task.path)?,
                triggers,
            ))?;
        }
        Ok(list)
    }

    /// Applies writes as a superstep does.
    #[pyo3(signature = (items, versioning=None))]
    fn apply(
        &self,
        py: Python<'_>,
        items: Vec<Item<'_>>,
        versioning: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let versioning = Versioning::read(versioning);
        let mut tasks = Vec::with_capacity(items.len());
        for (name, path, is_task, writes) in items {
            tasks.push(self.task_writes(&name, &path, is_task, &writes)?);
        }
        let mut clock = Clock { py, versioning: &versioning };
        let applied = self.state(py)?.apply(py, &mut clock, tasks);
        applied.map_err(|fault| fault_to_python(py, fault))
    }

    /// The channels that the last writes changed, if known.
    #[getter]
    fn updated(&self, py: Python<'_>) -> PyResult<Option<Vec<String>>> {
        let state = self.state(py)?;
        let name =
            |index: &langgraph_core::ChannelIndex| self.graph.plan.channel(*index).name.to_string();
        Ok(state.updated().map(|updated| updated.iter().map(name).collect()))
    }

    /// Notes that static interrupts have seen the state.
    fn pass_interrupts(&self, py: Python<'_>) -> PyResult<()> {
        self.state(py)?.pass_interrupts();
        Ok(())
    }

    /// The channels' versions.
    #[getter]
    fn versions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let versions: Vec<(Arc<str>, Version)> = self.state(py)?.all_versions();
        version::all_to_python(py, &versions)
    }

    /// The versions that each node ran on.
    #[getter]
    fn versions_seen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.checkpoint(py, 0, None)?.get_item("versions_seen")
    }

    /// The state as a checkpoint for savers, with a new id unless one is given.
    #[pyo3(signature = (step, checkpoint_id=None))]
    fn checkpoint<'py>(
        &self,
        py: Python<'py>,
        step: i64,
        checkpoint_id: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = checkpoint_id.unwrap_or_else(|| clock::checkpoint_id(step));
        let id = CheckpointId::from_text(&id);
        let checkpoint = self.state(py)?.checkpoint(py, id, clock::timestamp().into());
        let checkpoint = checkpoint.map_err(|fault| fault_to_python(py, fault))?;
        Ok(stored::checkpoint_to_python(py, &checkpoint)?.into_any())
    }
}

impl StateView {
    /// The state; reducers may run while another thread has it.
    fn state(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, ThreadState<Objects>>> {
        call::lock(py, &self.state).map_err(|_| {
            PyRuntimeError::new_err("The state is unusable: the engine panicked while it had it")
        })
    }

    fn writes(&self, writes: &Bound<'_, PyAny>) -> PyResult<Vec<Write<Objects>>> {
        let mut read = Vec::new();
        writers::pairs(writes, &mut |channel, value| {
            read.push(self.graph.write(channel, value)?);
            Ok(())
        })?;
        Ok(read)
    }

    fn task_writes(
        &self,
        name: &str,
        path: &Bound<'_, PyTuple>,
        is_task: bool,
        writes: &Bound<'_, PyAny>,
    ) -> PyResult<TaskWrites<Objects>> {
        let node = self.graph.plan.node_named(name);
        let reader = match node {
            _ if !is_task => Reader::Input,
            Some(node) => Reader::Node(node),
            None => Reader::Other(name.into()),
        };
        let path = path::from_tuple(path)?;
        let triggers = self.graph.plan.triggers(&path, node).to_vec();
        Ok(TaskWrites { reader, path, triggers, writes: self.writes(writes)? })
    }
}
