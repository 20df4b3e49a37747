//! What is written to nobody, and who is told: it is logged, and a warning names the way out.

use std::sync::{Arc, Mutex};

use langgraph_rust_core::{names, NodeIndex, PacketTarget, Target, Write};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString, PyTuple};

use super::mappers::{Sink, StateUpdates};
use super::program::Body;
use super::Graph;
use crate::host::call::call_named;
use crate::host::collect::plain_lock;
use crate::values::domain::Objects;

const MODULE: &str = "langgraph_rust._internal._mistakes";
const LOG: &str = "langgraph_rust._internal._log";

/// A write that reaches nobody.
pub enum Lost {
    /// To a channel that the graph does not have; one that starts a node it does not have, perhaps.
    Channel(Arc<str>),
    /// In a packet for a node that the graph does not have.
    Node(Arc<str>),
    /// In a packet that is none.
    NoPacket(Py<PyAny>),
}

/// Who wrote it.
pub struct Writer {
    /// The task's name.
    pub name: Arc<str>,
    /// Its path.
    pub path: Py<PyTuple>,
    /// The node that it runs.
    pub node: Option<NodeIndex>,
}

impl Writer {
    /// The command that a run is given.
    pub fn input(py: Python<'_>) -> Self {
        Self { name: names::INPUT.into(), path: PyTuple::empty(py).unbind(), node: None }
    }
}

impl Lost {
    /// What is lost of a write, if it reaches nobody.
    pub fn of(py: Python<'_>, write: &Write<Objects>) -> Option<Self> {
        match &write.target {
            Target::Unknown(channel) => Some(Self::Channel(channel.clone())),
            Target::Packet(PacketTarget::Unknown(node)) => Some(Self::Node(node.clone())),
            Target::Packet(PacketTarget::Malformed) => {
                Some(Self::NoPacket(write.value.clone_ref(py)))
            }
            _ => None,
        }
    }

    /// Tells of it. Fails where mistakes are errors.
    pub fn tell(&self, py: Python<'_>, graph: &Graph, writer: &Writer) -> PyResult<()> {
        let text = |text: &str| PyString::new(py, text).into_any();
        let (name, place) = (text(&writer.name), place(py, graph, writer.node));
        let nodes = || {
            PyList::new(py, graph.plan.nodes().iter().map(|node| &*node.name)).map(Bound::into_any)
        };
        match self {
            Self::Channel(channel) => {
                let channels = PyList::new(py, &graph.channel_names)?.into_any();
                let path = writer.path.bind(py).as_any();
                if graph.managed.bind(py).contains(&**channel)? {
                    // Known, but the run's to compute; many a node returns all that it was given.
                    let arguments = [&name, path, &text(channel)];
                    return call_named(py, LOG, "unknown_channel", &arguments).map(drop);
                }
                let arguments = [&name, path, &text(channel), &nodes()?, &channels, &place];
                call_named(py, MODULE, "unknown_channel", &arguments)
            }
            Self::Node(node) => {
                let arguments = [&name, &text(node), &nodes()?, &place];
                call_named(py, MODULE, "unknown_node", &arguments)
            }
            Self::NoPacket(value) => {
                call_named(py, MODULE, "no_packet", &[&name, value.bind(py), &place])
            }
        }
        .map(drop)
    }
}

/// What becomes of a node's result.
#[derive(Default)]
pub struct Kept<'py> {
    /// Its keys that the state does not have.
    pub unknown: Vec<Bound<'py, PyAny>>,
    /// Whether anything else is in it.
    pub any: bool,
}

impl<'py> Kept<'py> {
    /// Gives each update in `result` to `sink`, and sees what becomes of the rest.
    pub fn given(
        py: Python<'py>,
        updates: &StateUpdates,
        result: &Bound<'py, PyAny>,
        sink: &mut Sink<'_>,
    ) -> PyResult<Self> {
        let mut kept = Self::default();
        let (unknown, any) = (&mut kept.unknown, &mut kept.any);
        let mut noted = |key: &Bound<'_, PyString>, value: Bound<'_, PyAny>| {
            *any = true;
            sink(key, value)
        };
        updates.visit(py, result, &mut noted, &mut |key| unknown.push(key))?;
        Ok(kept)
    }

    /// Tells of the keys of `result` that the state does not have.
    pub fn tell(
        self,
        py: Python<'py>,
        graph: &Graph,
        node: NodeIndex,
        result: &Bound<'py, PyAny>,
        updates: &StateUpdates,
    ) -> PyResult<()> {
        let program = graph.program(node);
        if matches!(program.body, Body::Graph(_) | Body::Runnable(_)) {
            // What another graph has and this one does not want is nobody's mistake.
            return Ok(());
        }
        if self.any && program.let_go.has(&self.unknown) {
            return Ok(());
        }
        let keys = PyList::new(py, &self.unknown)?;
        let arguments = [
            program.name.bind(py).as_any(),
            result,
            keys.as_any(),
            updates.keys(py).as_any(),
            &PyBool::new(py, self.any),
            &place(py, graph, Some(node)),
        ];
        if call_named(py, MODULE, "unknown_keys", &arguments)?.is_truthy()? {
            program.let_go.add(&self.unknown);
        }
        Ok(())
    }
}

/// Keys that a node returns beyond those of the state, by no mistake. They are asked about once.
#[derive(Default)]
pub struct LetGo(Mutex<Vec<String>>);

impl LetGo {
    /// So many are remembered.
    const MOST: usize = 32;

    fn has(&self, keys: &[Bound<'_, PyAny>]) -> bool {
        let known = plain_lock(&self.0);
        let is_known = |key: &str| known.iter().any(|known| known == key);
        keys.iter()
            .all(|key| key.cast::<PyString>().is_ok_and(|key| key.to_str().is_ok_and(&is_known)))
    }

    fn add(&self, keys: &[Bound<'_, PyAny>]) {
        let mut known = plain_lock(&self.0);
        for key in keys {
            let text = key.cast::<PyString>().ok().and_then(|key| key.to_str().ok());
            if let (Some(text), true) = (text, known.len() < Self::MOST) {
                if !known.iter().any(|known| known == text) {
                    known.push(text.to_owned());
                }
            }
        }
    }
}

/// Tells of a name in an input that is no input channel of the graph.
pub fn tell_input(
    py: Python<'_>,
    graph: &Graph,
    name: &Bound<'_, PyAny>,
    nested: bool,
) -> PyResult<()> {
    let channels = graph.input.channels().iter().map(|index| graph.channel_name(*index));
    let (channels, nested) = (PyList::new(py, channels)?, PyBool::new(py, nested));
    let arguments = [name, channels.as_any(), nested.as_any()];
    call_named(py, MODULE, "unknown_input", &arguments).map(drop)
}

/// Tells of something in a node's `goto` that names no destination.
pub fn tell_target<'py>(
    py: Python<'py>,
    graph: &Graph,
    node: NodeIndex,
    target: &Bound<'py, PyAny>,
) -> PyResult<()> {
    let (name, place) = (graph.program(node).name.bind(py), place(py, graph, Some(node)));
    call_named(py, MODULE, "no_target", &[name.as_any(), target, &place]).map(drop)
}

/// The node's function, whose lines a warning is about; `None` if it has none.
fn place<'py>(py: Python<'py>, graph: &Graph, node: Option<NodeIndex>) -> Bound<'py, PyAny> {
    let function = node.and_then(|node| graph.program(node).body.function());
    function.map_or_else(|| py.None().into_bound(py), |function| function.bind(py).clone())
}
