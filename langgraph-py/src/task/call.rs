//! Calling a node's own code.

use std::sync::Arc;

use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::called::callee::Callee;
use super::node::{Given, NodeRun, Stage, What};
use super::Run;
use crate::host::call::{call, call_method, call_named, call_tuple, call_with};
use crate::host::coroutine::is_coroutine;
use crate::host::imports;
use crate::host::offload::{self, Offloaded};
use crate::plan::program::{Accepts, Body, Injected, Program};
use crate::run::nested::{nested, Nested};

const LISTENERS: &str = "langgraph_rust.pregel._run.listeners";
const TIMED: &str = "langgraph_rust.pregel._run.timed";

impl NodeRun {
    /// Whether the node is given its config; others may still find it as the ambient one.
    pub(super) fn uses_config(&self) -> bool {
        let node = match &self.what {
            What::Call(callee) => return !self.is_direct(callee.get()),
            What::Node(node) => node,
        };
        match &self.run.graph.program(*node).body {
            Body::Pass => false,
            Body::Function { accepts, .. } => accepts.names.is_some(),
            Body::Graph(_) | Body::Runnable(_) => true,
        }
    }

    pub(super) fn call(&mut self, py: Python<'_>) -> PyResult<Given> {
        let run = self.run.clone();
        match &self.what {
            What::Call(callee) if self.is_direct(callee.get()) => {
                let input = self.input.bind(py).cast::<PyTuple>()?;
                let (args, kwargs) = (input.get_item(0)?, input.get_item(1)?);
                let function = callee.get().func.bind(py);
                let result = call_tuple(function, args.cast()?, Some(kwargs.cast()?))?;
                Ok(self.given(result))
            }
            What::Call(callee) => {
                self.stage = Stage::Whole;
                let runnable = callee.get().runnable.clone_ref(py);
                self.invoke_timed(py, runnable.bind(py))
            }
            What::Node(node) => {
                let program = run.graph.program(*node);
                if run.context.base.get().manager.is_some() || self.timeout.is_some() {
                    // Somebody listens, to the node and its writers or to the time they take.
                    self.stage = Stage::Whole;
                    let whole = program.node.bind(py).getattr(intern!(py, "node"))?;
                    return self.invoke_timed(py, &whole);
                }
                self.call_body(py, &run, program)
            }
        }
    }

    /// Whether nothing lies between a called task and its function: nobody listens, nothing is to
    /// be injected, and it is of the run's kind.
    fn is_direct(&self, callee: &Callee) -> bool {
        let context = &self.run.context;
        callee.is_plain
            && callee.is_coroutine == context.is_async()
            && context.base.get().manager.is_none()
            && !context.drains
            && self.timeout.is_none()
            && self.config.get().gives_no_callbacks()
    }

    fn call_body(&mut self, py: Python<'_>, run: &Arc<Run>, program: &Program) -> PyResult<Given> {
        match &program.body {
            Body::Pass => Ok(Given::Value(self.input.clone_ref(py))),
            Body::Function { func, afunc, accepts, runnable, .. } => {
                let is_async = run.context.is_async();
                let function =
                    if is_async { afunc.as_ref().or(func.as_ref()) } else { func.as_ref() };
                let Some(function) = function else {
                    // The runnable knows the right complaint.
                    return self.invoke(py, runnable.bind(py));
                };
                let offload = is_async && afunc.is_none();
                self.call_function(py, function.bind(py), accepts, offload)
            }
            Body::Graph(pregel) => {
                let pregel = pregel.bind(py);
                // Whoever patched or overrode its methods wants them to be called.
                if !call(imports::runs_as_defined(py)?, &[pregel])?.is_truthy()? {
                    return self.invoke(py, pregel);
                }
                let given = Nested {
                    pregel,
                    input: &self.input,
                    config: self.config(py)?,
                    number: &|| self.task().get().next_subgraph(),
                    is_async: run.context.is_async(),
                    called: run.called,
                    around: run.as_outer(self.key),
                };
                match nested(py, &given)? {
                    Some(child) => Ok(Given::Child(child)),
                    None => self.invoke(py, pregel),
                }
            }
            Body::Runnable(runnable) => self.invoke(py, runnable.bind(py)),
        }
    }

    fn call_function(
        &self,
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        accepts: &Accepts,
        offload: bool,
    ) -> PyResult<Given> {
        let kwargs = self.injected(py, accepts)?;
        if offload {
            let arguments = [function, self.input.bind(py)];
            let code = call_with(imports::partial(py)?, &arguments, kwargs.as_ref())?;
            return self.offload(py, &code);
        }
        let result = call_with(function, &[self.input.bind(py)], kwargs.as_ref())?;
        Ok(self.given(result))
    }

    /// In an async run a node's function may hand back a coroutine.
    pub(super) fn given(&self, result: Bound<'_, PyAny>) -> Given {
        match self.run.context.is_async() && is_coroutine(&result) {
            true => Given::Awaitable(result.unbind()),
            false => Given::Value(result.unbind()),
        }
    }

    /// Has a worker call sync code of an async run.
    pub(super) fn offload(&self, py: Python<'_>, code: &Bound<'_, PyAny>) -> PyResult<Given> {
        let Some(home) = &self.run.context.event_loop else {
            return Ok(Given::Value(call(code, &[])?.unbind()));
        };
        let pace = match &self.what {
            What::Node(node) if self.is_alone => Some(&self.run.graph.program(*node).pace),
            _ => None,
        };
        Ok(match offload::run(py, home, code, pace, false)? {
            Offloaded::Done(value) => Given::Value(value),
            Offloaded::Future(future) => Given::Awaitable(future),
        })
    }

    fn invoke(&self, py: Python<'_>, runnable: &Bound<'_, PyAny>) -> PyResult<Given> {
        self.invoke_with(py, runnable, &self.input)
    }

    pub(super) fn invoke_with(
        &self,
        py: Python<'_>,
        runnable: &Bound<'_, PyAny>,
        input: &Py<PyAny>,
    ) -> PyResult<Given> {
        let (input, config) = (input.bind(py), self.config(py)?);
        if self.run.context.is_async() {
            if self.run.context.drains && matches!(self.stage, Stage::Whole) {
                let arguments = [runnable, input, config.as_any()];
                let coroutine = call_named(py, LISTENERS, "drain", &arguments)?;
                return Ok(Given::Awaitable(coroutine.unbind()));
            }
            let arguments = [input, config.as_any()];
            let coroutine = call_method(runnable, intern!(py, "ainvoke"), &arguments)?;
            return Ok(Given::Awaitable(coroutine.unbind()));
        }
        let result = call_method(runnable, intern!(py, "invoke"), &[input, config.as_any()])?;
        Ok(Given::Value(result.unbind()))
    }

    fn invoke_timed(&self, py: Python<'_>, whole: &Bound<'_, PyAny>) -> PyResult<Given> {
        match &self.timeout {
            Some(timeout) if self.run.context.is_async() => {
                let (input, config, name) = (self.input.bind(py), self.config(py)?, self.name(py));
                let arguments = [whole, input, config.as_any(), timeout.bind(py), name.bind(py)];
                let coroutine = call_named(py, TIMED, "ainvoke_timed", &arguments)?;
                Ok(Given::Awaitable(coroutine.unbind()))
            }
            _ => self.invoke(py, whole),
        }
    }

    pub(super) fn injected<'py>(
        &self,
        py: Python<'py>,
        accepts: &Accepts,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(names) = &accepts.names else { return Ok(None) };
        let kwargs = PyDict::new(py);
        let config = self.config(py)?;
        let conf = config.get_item(intern!(py, "configurable"))?;
        // The node, or one before, may have spoiled its config.
        let conf =
            conf.ok_or_else(|| PyKeyError::new_err("configurable"))?.cast_into::<PyDict>()?;
        let runtime = conf.get_item(intern!(py, "__pregel_runtime"))?;
        for (name, (kind, default)) in names.bind(py).iter().zip(&accepts.wanted) {
            let from_runtime = |attribute: &Bound<'py, PyString>| -> Option<Bound<'py, PyAny>> {
                runtime.as_ref().and_then(|runtime| runtime.getattr(attribute).ok())
            };
            let value = match kind {
                Injected::Config => Some(config.clone().into_any()),
                Injected::Runtime => runtime.clone(),
                Injected::Error => conf.get_item(intern!(py, "__pregel_node_error"))?,
                Injected::Writer => from_runtime(intern!(py, "stream_writer")),
                Injected::Store => from_runtime(intern!(py, "store")),
                Injected::Previous => from_runtime(intern!(py, "previous")),
            };
            let value = value.unwrap_or_else(|| default.bind(py).clone());
            kwargs.set_item(name, value)?;
        }
        Ok(Some(kwargs))
    }
}
