//! What a node does: where its input comes from, what it calls, and what becomes of the result.

use langgraph_rust_core::ChannelIndex;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::PyVisit;

use super::lost::LetGo;
use super::writers::Writer;
use crate::host::collect::{Collect, Visited};
use crate::host::offload::Pace;
use crate::{collects, collects_nothing};

/// A node, ready to be run without looking at its Python description again.
pub struct Program {
    /// The node's name.
    pub name: Py<PyString>,
    /// Where its input comes from.
    pub source: Source,
    /// Turns the input into its schema's class.
    pub mapper: Option<Py<PyAny>>,
    /// What it calls.
    pub body: Body,
    /// What becomes of the result.
    pub writers: Vec<Writer>,
    /// The path of its tasks, if triggered.
    pub path: Py<PyTuple>,
    /// The names of its triggers, sorted.
    pub triggers: Py<PyTuple>,
    /// Tags for tracing.
    pub tags: Option<Py<PyAny>>,
    /// The user's metadata.
    pub metadata: Option<Py<PyAny>>,
    /// The node's retry policies.
    pub retry: Option<Py<PyAny>>,
    /// The node's `TimeoutPolicy`.
    pub timeout: Option<Py<PyAny>>,
    /// How long its sync code takes in async runs.
    pub pace: Pace,
    /// What it returns beyond what the state has.
    pub let_go: LetGo,
    /// Whether its code runs in another process, where it can be stopped.
    pub is_remote: bool,
    /// The `PregelNode` itself.
    pub node: Py<PyAny>,
}

/// Where a node's input comes from.
pub enum Source {
    /// One channel's value.
    Value(ChannelIndex),
    /// A dict of channels and managed values.
    Fields(Vec<Field>),
}

/// A name in a node's input, and the channel or the managed value behind it.
pub type Field = (Py<PyString>, Result<ChannelIndex, Py<PyAny>>);

/// What a node calls.
pub enum Body {
    /// Nothing: the input is the result.
    Pass,
    /// A plain function.
    Function {
        /// The sync function.
        func: Option<Py<PyAny>>,
        /// The async function.
        afunc: Option<Py<PyAny>>,
        /// What they want besides the input.
        accepts: Accepts,
        /// Whether a runnable that they return is run in turn.
        recurse: bool,
        /// The runnable around them.
        runnable: Py<PyAny>,
    },
    /// Another graph, run by the engine itself.
    Graph(Py<PyAny>),
    /// Any runnable.
    Runnable(Py<PyAny>),
}

impl Body {
    /// The function that somebody wrote for the node, if it is one.
    pub fn function(&self) -> Option<&Py<PyAny>> {
        match self {
            Body::Function { func, afunc, .. } => func.as_ref().or(afunc.as_ref()),
            _ => None,
        }
    }
}

/// The keyword arguments that a function wants injected.
#[derive(Default)]
pub struct Accepts {
    /// Name, kind, and what to give if there is nothing to inject.
    pub wanted: Vec<(Injected, Py<PyAny>)>,
    /// The names, as `vectorcall` takes them.
    pub names: Option<Py<PyTuple>>,
}

/// What can be injected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// The task's config.
    Config,
    /// The task's `Runtime`.
    Runtime,
    /// The `NodeError` of a failed node.
    Error,
    /// The stream writer.
    Writer,
    /// The store.
    Store,
    /// The previous result of an entrypoint.
    Previous,
}

impl Accepts {
    /// Reads the `func_accepts` of a `RunnableCallable`: name to `(runtime attribute, default)`.
    pub fn read(accepts: &Bound<'_, PyAny>) -> PyResult<Self> {
        let accepts = accepts.cast::<PyDict>()?;
        let mut wanted = Vec::new();
        let mut names = Vec::new();
        for (name, entry) in accepts.iter() {
            let name = name.cast_into::<PyString>()?;
            let kind = match name.to_str()? {
                "config" => Injected::Config,
                "runtime" => Injected::Runtime,
                "error" => Injected::Error,
                "writer" => Injected::Writer,
                "store" => Injected::Store,
                "previous" => Injected::Previous,
                _ => continue,
            };
            wanted.push((kind, entry.get_item(1)?.unbind()));
            names.push(name);
        }
        let names = match names.is_empty() {
            true => None,
            false => Some(PyTuple::new(accepts.py(), names)?.unbind()),
        };
        Ok(Self { wanted, names })
    }
}

collects!(Program {
    name,
    source,
    mapper,
    body,
    writers,
    path,
    triggers,
    tags,
    metadata,
    retry,
    timeout,
    node
});
collects!(enum Body {
    Pass,
    Function { func, afunc, accepts, runnable },
    Graph(pregel),
    Runnable(runnable),
});
collects!(Accepts { wanted, names });

impl Collect for Source {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        let Source::Fields(fields) = self else { return Ok(()) };
        fields.iter().try_for_each(|(name, source)| {
            name.collect(visit)?;
            source.as_ref().err().map_or(Ok(()), |managed| managed.collect(visit))
        })
    }
}

collects_nothing!(Injected);
