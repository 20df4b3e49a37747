//! Calling a node's own code.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::{Given, NodeRun, Stage, What};
use crate::imports;
use crate::interpreter::ParkIfLost;
use crate::offload::Offloaded;
use crate::program::{Accepts, Body, Injected, Program};
use crate::run::Run;

impl NodeRun {
    /// Whether the node is given its config; others may still find it as the ambient one.
    pub(super) fn uses_config(&self) -> bool {
        let What::Node(node) = &self.what else { return true };
        match &self.run.graph.program(*node).body {
            Body::Pass => false,
            Body::Function { accepts, .. } => accepts.names.is_some(),
            Body::Graph(_) | Body::Runnable(_) => true,
        }
    }

    pub(super) fn call(&mut self, py: Python<'_>) -> PyResult<Given> {
        let run = self.run.clone();
        match &self.what {
            What::Call(runnable) => {
                self.stage = Stage::Whole;
                let runnable = runnable.clone_ref(py);
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

    fn call_body(&mut self, py: Python<'_>, run: &Arc<Run>, program: &Program) -> PyResult<Given> {
        match &program.body {
            Body::Pass => Ok(Given::Value(self.input.clone_ref(py))),
            Body::Function { func, afunc, accepts, runnable, .. } => {
                let is_async = run.context.is_async;
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
                let (pregel, is_async) = (pregel.bind(py), run.context.is_async);
                // Whoever patched or overrode its methods wants them to be called.
                let child = match imports::runs_as_defined(py)?.call1((pregel,))?.is_truthy()? {
                    true => {
                        let config = self.config(py)?;
                        crate::start::nested(py, pregel, &self.input, config, is_async)?
                    }
                    false => None,
                };
                match child {
                    Some(child) if is_async => Ok(Given::Child(child)),
                    Some(child) => Ok(Given::Value(crate::sync_driver::invoke_nested(py, &child)?)),
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
            let call = imports::partial(py)?.call((function, &self.input), kwargs.as_ref())?;
            return self.offload(py, &call);
        }
        let _parked = ParkIfLost;
        let result = match kwargs {
            None => function.call1((&self.input,))?,
            Some(kwargs) => function.call((&self.input,), Some(&kwargs))?,
        };
        Ok(self.given(result))
    }

    /// In an async run a node's function may hand back a coroutine.
    pub(super) fn given(&self, result: Bound<'_, PyAny>) -> Given {
        match self.run.context.is_async && crate::interpreter::is_coroutine(&result) {
            true => Given::Awaitable(result.unbind()),
            false => Given::Value(result.unbind()),
        }
    }

    /// Has a worker call sync code of an async run.
    pub(super) fn offload(&self, py: Python<'_>, call: &Bound<'_, PyAny>) -> PyResult<Given> {
        let pace = match &self.what {
            What::Node(node) if self.is_alone => Some(&self.run.graph.program(*node).pace),
            _ => None,
        };
        Ok(match crate::offload::run(py, &self.run, call, pace)? {
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
        let config = self.config(py)?;
        if self.run.context.is_async {
            if self.run.context.drains && matches!(self.stage, Stage::Whole) {
                let module = py.import(intern!(py, "langgraph_rust.pregel._run.listeners"))?;
                let arguments = (runnable, input, config);
                let coroutine = module.call_method1(intern!(py, "drain"), arguments)?;
                return Ok(Given::Awaitable(coroutine.unbind()));
            }
            let coroutine = runnable.call_method1(intern!(py, "ainvoke"), (input, config))?;
            return Ok(Given::Awaitable(coroutine.unbind()));
        }
        let _parked = ParkIfLost;
        let result = runnable.call_method1(intern!(py, "invoke"), (input, config))?;
        Ok(Given::Value(result.unbind()))
    }

    fn invoke_timed(&self, py: Python<'_>, whole: &Bound<'_, PyAny>) -> PyResult<Given> {
        match &self.timeout {
            Some(timeout) if self.run.context.is_async => {
                let module = py.import(intern!(py, "langgraph_rust.pregel._run.timed"))?;
                let arguments = (whole, &self.input, self.config(py)?, timeout, self.name(py));
                let coroutine = module.call_method1(intern!(py, "ainvoke_timed"), arguments)?;
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
        let conf = conf.expect("every task's config has one").cast_into::<PyDict>()?;
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
