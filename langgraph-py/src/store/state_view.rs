//! A thread's state outside of a run: for reading it and for writing to it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use langgraph_rust_checkpoint::{Checkpoint, SinceSnapshot};
use langgraph_rust_core::{ChannelIndex, CheckpointId, Version, Write};
use langgraph_rust_pregel::{Reader, TaskWrites, ThreadState};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::stored;
use crate::host::{call, clock};
use crate::plan::{read_keys, writers, Graph, Plan};
use crate::values::domain::{fault_to_python, shown, Objects};
use crate::values::env::{Clock, Versioning};
use crate::values::texts::Texts;
use crate::values::{path, version};

/// The state that a checkpoint describes.
#[pyclass(frozen, module = "langgraph_rust._engine")]
pub struct StateView {
    graph: Arc<Graph>,
    state: Mutex<ThreadState<Objects>>,
    /// The versions that are stored.
    stored: Vec<Option<Version>>,
}

/// Writes to apply: who, where in the superstep, whether as a task, and what.
type Item<'py> = (String, Bound<'py, PyTuple>, bool, Bound<'py, PyAny>);

#[pymethods]
impl StateView {
    /// The state of a stored checkpoint, or of a thread that has not begun.
    #[new]
    #[pyo3(signature = (plan, checkpoint=None, histories=None))]
    fn new(
        py: Python<'_>,
        plan: &Bound<'_, Plan>,
        checkpoint: Option<Bound<'_, PyAny>>,
        histories: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let graph = plan.get().graph.clone();
        let state = match checkpoint {
            Some(checkpoint) => {
                let stored: Checkpoint<Objects> =
                    stored::checkpoint(&graph, &checkpoint, histories.as_ref())?;
                ThreadState::load(py, graph.plan.clone(), stored)
            }
            None => {
                let id = CheckpointId::from_text(&clock::checkpoint_id(-2));
                ThreadState::empty(py, graph.plan.clone(), id)
            }
        };
        let state = state.map_err(|fault| fault_to_python(py, fault))?;
        let version = |position| state.version(ChannelIndex::new(position)).cloned();
        let stored = (0..state.channels().len()).map(version).collect();
        Ok(Self { graph, state: Mutex::new(state), stored })
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
                write.target == langgraph_rust_core::Target::Channel(index)
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
        let name = |index: &langgraph_rust_core::ChannelIndex| {
            self.graph.plan.channel(*index).name.to_string()
        };
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
        version::all_to_python(py, &versions, &mut Texts::default())
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
        let checkpoint = self.state(py)?.checkpoint(py, id, clock::timestamp().into(), &[]);
        let checkpoint = checkpoint.map_err(|fault| fault_to_python(py, fault))?;
        Ok(stored::checkpoint_to_python(py, &checkpoint, &mut Texts::default(), None)?.into_any())
    }

    /// Makes writes to delta channels complete, before they are stored and applied.
    fn admit<'py>(
        &self,
        py: Python<'py>,
        writes: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.graph.plan.deltas().is_empty() {
            return Ok(writes.clone());
        }
        let mut read = self.writes(writes)?;
        self.graph.plan.admit(py, &mut read)?;
        Ok(stored::writes_to_python(py, &self.graph, &read)?.into_any())
    }

    /// The delta channels among the targets of writes; with `overwritten`, those that they overwrite.
    #[pyo3(signature = (writes, overwritten=false))]
    fn delta_targets(
        &self,
        py: Python<'_>,
        writes: &Bound<'_, PyAny>,
        overwritten: bool,
    ) -> PyResult<Vec<&str>> {
        let plan = &self.graph.plan;
        if plan.deltas().is_empty() {
            return Ok(Vec::new());
        }
        let writes = self.writes(writes)?;
        let found: Vec<ChannelIndex> = match overwritten {
            true => langgraph_rust_pregel::overwritten(py, plan, &writes),
            false => writes.iter().filter_map(|write| plan.delta_target(&write.target)).collect(),
        };
        Ok(found.into_iter().map(|index| &*plan.channel(index).name).collect())
    }

    /// The state as the checkpoint after an update from outside, and what its metadata says of delta
    /// channels, if anything: `(checkpoint, counters)`.
    ///
    /// The values of delta channels are part of it if that is due by `counters`, those of the
    /// checkpoint before, if they are among `sealed`, and all of them for a thread that had none
    /// (`counters` is `None`). `updated` names the channels that were written to.
    fn updated_checkpoint<'py>(
        &self,
        py: Python<'py>,
        step: i64,
        counters: Option<Bound<'py, PyAny>>,
        updated: HashSet<String>,
        sealed: HashSet<String>,
        versioning: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let raised = |fault| fault_to_python(py, fault);
        let (plan, metadata) = (&self.graph.plan, PyDict::new(py));
        let mut state = self.state(py)?;
        let known = counters.as_ref().map(stored::since_snapshot).transpose()?;
        let count = |index: &ChannelIndex| {
            let name = &plan.channel(*index).name;
            let known = known.iter().flatten().find(|(known, _)| known == name);
            let mut since = known.map(|(_, since)| *since).unwrap_or_default();
            since.supersteps += 1;
            since.updates += u64::from(updated.contains(&**name));
            (*index, since)
        };
        let mut since: Vec<(ChannelIndex, SinceSnapshot)> =
            plan.deltas().iter().map(count).collect();
        let is_sealed = |index: &ChannelIndex| sealed.contains(&*plan.channel(*index).name);
        let mut snapshots: Vec<ChannelIndex> = match counters {
            // Nothing to replay from: whatever was written is stored.
            None => state.due_snapshots(py, &since, 0).map_err(raised)?,
            Some(_) => state.due_snapshots(py, &since, snapshot_supersteps(py)?).map_err(raised)?,
        };
        if counters.is_some() {
            snapshots.extend(plan.deltas().iter().filter(|index| is_sealed(index)).copied());
            since.retain(|(index, _)| !snapshots.contains(index));
            let since: Vec<_> = since
                .into_iter()
                .map(|(index, since)| (plan.channel(index).name.clone(), since))
                .collect();
            stored::put_since_snapshot(&metadata, &since)?;
        }
        let versioning = Versioning::read(versioning);
        let mut clock = Clock { py, versioning: &versioning };
        state.bump_snapshots(&mut clock, &snapshots, &self.stored).map_err(raised)?;
        let id = CheckpointId::from_text(&clock::checkpoint_id(step));
        let checkpoint = state.checkpoint(py, id, clock::timestamp().into(), &snapshots);
        let checkpoint = checkpoint.map_err(raised)?;
        Ok((
            stored::checkpoint_to_python(py, &checkpoint, &mut Texts::default(), None)?.into_any(),
            metadata,
        ))
    }
}

/// The bound on replaying, which lies in Python for whoever wants another.
pub fn snapshot_supersteps(py: Python<'_>) -> PyResult<u64> {
    let module = py.import("langgraph_rust.pregel._executor.checkpoint")?;
    module.getattr("DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT")?.extract()
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
